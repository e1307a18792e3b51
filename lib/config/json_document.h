/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A JSON text taken apart, with the place of each value and key. Whether it is
 * JSON at all, jansson says; what is here walks over text that it has accepted.
 * Keys that come twice are both there: whoever looks refuses them.
 */

#include "lib/config/arena.h"
#include "lib/config/report.h"

enum doc_kind {
    DOC_NULL,
    DOC_BOOL,
    DOC_NUMBER, /* `text` is as it stands */
    DOC_TEXT,   /* `text` is decoded, and may have zero bytes */
    DOC_ARRAY,
    DOC_OBJECT
};

/* A place; columns count characters. */
struct doc_place {
    uint32_t line, column; /* from 1 */
};

struct doc_value {
    enum doc_kind kind;
    bool flag; /* BOOL */
    struct doc_place place, key_place;
    const char *key; /* in an object: decoded, terminated, in the arena, without zero bytes */
    size_t key_length;
    const char *text; /* points into the source or the arena */
    size_t length;
    struct doc_value *first, *next; /* ARRAY, OBJECT: what is in it, in its order */
    size_t count;
};

/*
 * Bytes, depth and number of values are checked before anything else is done. A
 * text that is none: VMR_E_CONFIG and one finding. VMR_E_NOMEM.
 */
VMR_MUST_CHECK enum vmr_status doc_read(const char *text, size_t length, struct arena *arena,
                                        const struct doc_value **ret_root, struct vmr_config_report *report);

/* What stands at `path`, or the nearest around it that does. */
const struct doc_value *doc_find(const struct doc_value *root, const char *path);
