/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * State as values: a type says which fields a plain struct has, and everything
 * else follows from that: bytes, text, JSON, comparing, hashing. What a
 * snapshot holds, what inspection prints and what a reset is judged by are
 * therefore the same fields.
 *
 * A unit is one piece of a machine that has such a state: a class of a VP
 * (vmrig/x86_state.h), a device, a part of the Hyper-V interface. Units are
 * saved, restored and reset in the order in which their owner lists them.
 *
 * Everything here is a pure function of its arguments. Any thread.
 */

#include "vmrig/error.h"

VMR_BEGIN_DECLS

enum vmr_state_field_kind {
    VMR_FIELD_HEX,
    VMR_FIELD_DECIMAL,
    VMR_FIELD_FLAG,  /* a bool, width 1 */
    VMR_FIELD_TIME,  /* nanoseconds on the machine's clock, or VMR_NEVER; width 8 */
    VMR_FIELD_BYTES, /* as they are, width 1 */
    VMR_FIELD_KIND_COUNT
};

/* A number, or an array of them, perhaps in an array of structs. Bytes between fields belong to nobody. */
struct vmr_state_field {
    const char *name; /* lower case, '-' between words; of an array of structs' member: "timer.config" */
    uint32_t offset;  /* of the first element */
    uint32_t count;   /* of elements, at least 1 */
    uint32_t stride;  /* from one element to the next; the width, in an array of numbers */
    uint8_t width;    /* of an element: 1, 2, 4 or 8 bytes */
    uint8_t kind;     /* enum vmr_state_field_kind */
    bool moves;       /* by itself, with time: two readings of the same state may differ */
    /*
     * Of an array whose length varies: 1 + the index of the DECIMAL field that
     * says how many groups of `group` elements are in use; 0: all are. The others
     * are zero, and belong to no bytes and no hash.
     */
    uint8_t used_by;
    uint32_t group;
};

struct vmr_state_type {
    const char *name; /* "registers", "serial" */
    uint16_t version; /* of the field list: any change of it is another version */
    uint32_t size;    /* of the struct */
    uint32_t field_count;
    const struct vmr_state_field *fields;
};

/* For tables: FIELD_COUNT elements in `member`, which is a number or an array of numbers. */
#define VMR_STATE_FIELD(type_, member_, name_, kind_)                                                                  \
    {                                                                                                                  \
        .name = (name_), .offset = offsetof(type_, member_), .count = 1, .stride = sizeof(((type_ *)0)->member_),      \
        .width = sizeof(((type_ *)0)->member_), .kind = (kind_)                                                        \
    }
#define VMR_STATE_ARRAY(type_, member_, name_, kind_)                                                                  \
    {                                                                                                                  \
        .name = (name_), .offset = offsetof(type_, member_),                                                           \
        .count = sizeof(((type_ *)0)->member_) / sizeof(((type_ *)0)->member_[0]),                                     \
        .stride = sizeof(((type_ *)0)->member_[0]), .width = sizeof(((type_ *)0)->member_[0]), .kind = (kind_)         \
    }
/* One member of an array of structs. */
#define VMR_STATE_EACH(type_, array_, member_, name_, kind_)                                                           \
    {                                                                                                                  \
        .name = (name_), .offset = offsetof(type_, array_) + offsetof(__typeof__(((type_ *)0)->array_[0]), member_),   \
        .count = sizeof(((type_ *)0)->array_) / sizeof(((type_ *)0)->array_[0]),                                       \
        .stride = sizeof(((type_ *)0)->array_[0]), .width = sizeof(((type_ *)0)->array_[0].member_), .kind = (kind_)   \
    }

/* Elements of `field` that are in use in `value`. */
VMR_API uint32_t vmr_state_used(const struct vmr_state_type *type, const struct vmr_state_field *field,
                                const void *value);
/* One element. Below `count`. */
VMR_API uint64_t vmr_state_get(const struct vmr_state_field *field, const void *value, uint32_t element);
/* False, and nothing written: it does not fit the width, or is no flag. */
VMR_API bool vmr_state_put(const struct vmr_state_field *field, void *value, uint32_t element, uint64_t number);

/*
 * The bytes: each element in field order, little endian, as wide as it is.
 * `value` is valid: flags are 0 or 1, counts within their arrays. Returns the
 * length, and writes what there is room for.
 */
VMR_API size_t vmr_state_encode(const struct vmr_state_type *type, const void *value, void *ret_bytes, size_t capacity);
/* No value's bytes are longer. */
VMR_API size_t vmr_state_encoded_max(const struct vmr_state_type *type);
/*
 * Back, whole: VMR_E_CORRUPT, naming the type and the field, for bytes that are
 * too short or too long, a flag above 1 and a count above its array;
 * VMR_E_UNSUPPORTED for another version. Bytes between fields become zero.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_state_decode(const struct vmr_state_type *type, uint16_t version,
                                                        const void *bytes, size_t length, void *ret_value,
                                                        struct vmr_error *err);

/* Where two values differ first. */
struct vmr_state_difference {
    const struct vmr_state_field *field;
    uint32_t element;
    uint64_t left, right;
};

/* `with_moving`: also fields that move by themselves. `ret_difference` may be NULL. */
VMR_API bool vmr_state_equal(const struct vmr_state_type *type, const void *left, const void *right, bool with_moving,
                             struct vmr_state_difference *ret_difference);
/* Of what vmr_state_equal compares: equal values have equal hashes. `seed` chains several. */
VMR_API uint64_t vmr_state_hash(const struct vmr_state_type *type, const void *value, bool with_moving, uint64_t seed);

enum vmr_state_format {
    VMR_STATE_TEXT, /* a line a field: "name=value", arrays as "name[3]=value", elements that are zero left out */
    VMR_STATE_JSON  /* one object; numbers as "0x..." strings where they are hexadecimal, bytes as one string */
};

/* Takes text, in pieces. */
struct vmr_text_sink {
    void (*write)(void *context, const char *text, size_t length);
    void *context;
};

/* `indent`: before each line of text. */
VMR_API void vmr_state_print(const struct vmr_state_type *type, const void *value, enum vmr_state_format format,
                             const char *indent, const struct vmr_text_sink *sink);

/*
 * One piece of a machine that has a state. The functions are called where the
 * owner of the list says: for a VP's classes on its thread, for the others with
 * VPs stopped.
 */
struct vmr_state_unit {
    const struct vmr_state_type *type;
    void *object;
    uint32_t instance; /* of several units of the same type, in one list */
    enum vmr_status (*get)(void *object, void *ret_value, struct vmr_error *err);
    /* All of it or, with an error that names the field, nothing. The value may come from a file: nothing is trusted. */
    enum vmr_status (*set)(void *object, const void *value, struct vmr_error *err);
    /* What it holds at power-up. */
    void (*at_reset)(const void *object, void *ret_value);
};

/* Which state of a VP or of a partition. Zeroed: the first class, at VTL 0. */
struct vmr_state_id {
    uint32_t state_class; /* enum vmr_vp_class, or enum vmr_vm_class, of vmrig/x86_state.h */
    uint32_t vtl;         /* of a class of which each VTL has its own, else 0 */
    uint32_t instance;    /* of a class of which there are several, else 0 */
};

VMR_END_DECLS
