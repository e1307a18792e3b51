/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a configuration consists of, as data: a table for each struct of
 * vmrig/config.h, a row for each field. The JSON reader, the printer, the schema
 * and the part of the check that looks at one value at a time are all driven by
 * these tables, so that none of them can forget a field or disagree about it.
 *
 * A field's value lies at a fixed offset in its struct; pointers and counts are
 * looked up through the functions below. Zero is the default of everything.
 */

#include "lib/config/path.h"

enum model_kind {
    MODEL_NOTHING,    /* an alternative without a value */
    MODEL_BOOL,       /* bool */
    MODEL_UNSIGNED,   /* `width` bytes, `min` to `max`, a multiple of `align` */
    MODEL_SIGNED,     /* int64_t */
    MODEL_ENUM,       /* an enum, by `names` */
    MODEL_TEXT,       /* const char *; NULL: none */
    MODEL_GUID,       /* struct vmr_guid */
    MODEL_MAC,        /* six bytes */
    MODEL_RANGE,      /* struct vmr_gpa_range */
    MODEL_BYTES,      /* const uint8_t *, and its count */
    MODEL_BLOB,       /* struct vmr_config_blob */
    MODEL_STRUCT,     /* of `type`, in place */
    MODEL_POINTER,    /* to one of `type`; NULL: none */
    MODEL_ARRAY,      /* pointer to `element`s, and their count */
    MODEL_FIXED,      /* `item_max` elements in place, and how many are used */
    MODEL_CHOICE,     /* a tag, and what each of its values has */
    MODEL_RESOURCE,   /* struct vmr_resource, of `resource_kind` */
    MODEL_PARAMETERS, /* const struct vmr_parameter *, and their count */
    MODEL_KIND_COUNT
};

struct model_struct;

struct model_field {
    const char *name;  /* the key; NULL: an element of an array */
    const char *about; /* one line, for the schema */
    enum model_kind kind;
    bool optional; /* a bool says whether it was given: at `given` */
    bool required; /* TEXT, BLOB, RESOURCE, BYTES: not none */
    bool is_size;  /* bytes: may have a unit */
    bool is_hex;   /* an address or a mask: printed so */
    bool windows;  /* only hosts with Windows have it */
    size_t offset; /* in the struct that it is a field of */
    size_t width;  /* bytes of the value */
    size_t given;  /* offset of the bool, if optional */
    size_t count;  /* offset of the count: BYTES, ARRAY, FIXED, PARAMETERS */
    /* UNSIGNED */
    uint64_t min, max; /* max 0: what the width holds */
    uint64_t align;    /* 0: any */
    /* ENUM */
    const char *const *names;
    size_t name_count;
    /* STRUCT, POINTER */
    const struct model_struct *type;
    /* ARRAY, FIXED */
    const struct model_field *element; /* at offset 0 */
    size_t item_max;                   /* 0: no limit of its own */
    /* CHOICE: alternatives by the tag's value, offsets from the choice itself. */
    const struct model_field *alternatives;
    size_t alternative_count;
    size_t tag, tag_width; /* from the choice */
    /* RESOURCE */
    enum vmr_resource_kind resource_kind; /* COUNT: says the parameter that it stands in */
};

struct model_struct {
    const char *name; /* "pcie_port" */
    const char *about;
    size_t size;
    const struct model_field *fields;
    size_t field_count;
};

/* The whole. */
extern const struct model_struct model_config;
/* struct vmr_resource, wherever one stands; its parameters are of any name. */
extern const struct model_struct model_resource;

/* Where the value of `field` is in `object`: of its struct, or the array's element itself. */
const void *model_value(const struct model_field *field, const void *object);
/* Whether it says anything: given, not NULL, a number other than zero, an array with items. */
bool model_is_default(const struct model_field *field, const void *object);
/* BOOL, UNSIGNED, ENUM: the number. CHOICE: the tag. */
uint64_t model_number(const struct model_field *field, const void *object);
/* The largest number that an UNSIGNED may be. */
uint64_t model_max(const struct model_field *field);
/* BYTES, ARRAY, FIXED, PARAMETERS: how many there are; 0 if the pointer is NULL. */
size_t model_count(const struct model_field *field, const void *object);
/* What the count says, whether or not there is anything. */
size_t model_count_said(const struct model_field *field, const void *object);
/* ARRAY, FIXED, PARAMETERS: how many there may be. */
size_t model_item_limit(const struct model_field *field);
/* ARRAY, FIXED: an element. */
const void *model_item(const struct model_field *field, const void *object, size_t index);
/* Bytes from one element to the next. */
size_t model_item_size(const struct model_field *field);
/* CHOICE: the row of what was chosen; NULL: the tag is none. Its object is model_value of the choice. */
const struct model_field *model_chosen(const struct model_field *field, const void *object);
/* The row with that key; NULL: none. */
const struct model_field *model_find(const struct model_struct *type, const char *name, size_t length);

/* --- a walk: every field of every struct that is there, before what is in it --- */

struct model_visit {
    const struct config_path *path;
    const struct model_field *field;
    const void *object; /* for the functions above */
};

typedef void model_visitor(void *context, const struct model_visit *visit);

/*
 * In the order of the tables. Fields that are not given are visited too, what
 * would be in them is not; nor is what lies behind a tag that is none. Elements
 * are visited with the array's element row, the resources in parameters with a
 * row of the kind RESOURCE, down to VMR_CONFIG_FILE_DEPTH_MAX levels and to one
 * more than VMR_CONFIG_LIST_MAX of them. What is in a list with more elements
 * than it may have is not visited. `path` is where `config` is: zeroed.
 */
void model_walk(const struct vmr_config *config, model_visitor *visitor, void *context);
