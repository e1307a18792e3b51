/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From values of a document to fields of structs, by the tables of model.h.
 */

#include "lib/config/json_document.h"
#include "lib/config/model.h"
#include "lib/config/rules.h"

/* A part of the document that says nothing, as it could not be read: a check must not go by what is there instead. */
struct unread {
    struct unread *next;
    char path[]; /* terminated */
};

struct json_reader {
    struct arena *arena;
    struct vmr_config_report *report;
    struct config_path path;
    struct unread *unread;
    bool no_memory;
};

/* Fills in `object`, which is zeroed and of `type`. What is wrong is in the report; all else is read. */
void json_read_struct(struct json_reader *reader, const struct model_struct *type, const struct doc_value *value,
                      void *object);

/* --- within the reader --- */

/* A finding at the value; the path is now in `unread`. */
void json_refuse(struct json_reader *reader, enum rule_file rule, const struct doc_value *value, const char *format,
                 ...) VMR_PRINTF(4, 5);
/* Notes that the part at `path` could not be read. */
void json_add_unread(struct json_reader *reader, const char *path);
/* NULL if memory is out, which is then noted. */
void *json_alloc(struct json_reader *reader, size_t count, size_t size);
/* A terminated copy of a text without zero bytes; NULL: refused, or out of memory. */
const char *json_copy_text(struct json_reader *reader, const struct doc_value *value);

#define JSON_SHOWN_MAX 64
/* A value as a message shows it: "5", "'text'", "an object". */
void json_show(const struct doc_value *value, char shown[JSON_SHOWN_MAX]);
/* ": did you mean 'size'?", or nothing. */
struct nearest;
void json_show_nearest(const struct nearest *nearest, char shown[JSON_SHOWN_MAX]);

#define JSON_LIST_MAX 128
/* Appends to "a, b, c". */
void json_list(char list[JSON_LIST_MAX], const char *name);
/* What `nearest` was looked up for is none of those in `list`. */
void json_refuse_name(struct json_reader *reader, const struct doc_value *value, const struct nearest *nearest,
                      const char *list);

/* The kinds of one value: all but STRUCT, POINTER, ARRAY, FIXED, CHOICE, RESOURCE, PARAMETERS. `at` is the field's. */
void json_read_scalar(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                      void *at);
/* BYTES: also how many. */
void json_read_bytes(struct json_reader *reader, const struct model_field *field, const struct doc_value *value,
                     void *object);
