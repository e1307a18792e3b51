/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files that print a VM share: text and JSON, and lists of objects in both. */

#include "lib/snapshot/snapshot.h"

struct waiting;

struct printing {
    const struct vmr_text_sink *sink;
    bool json;
    enum vmr_snapshot_scope scope; /* of the object that is open; COUNT: none */
    vmr_vp_index vp;
    bool first;  /* in the object or list that is open */
    void *value; /* of a living VM */
    struct waiting *waiting;
};

void print_put(const struct printing *printing, const char *text);
void print_putf(const struct printing *printing, const char *format, ...) VMR_PRINTF(2, 3);

/*
 * A list of rows: in JSON an array of objects, in text a line each, which begins
 * with a word. Names and words are the library's own; a string may hold anything.
 *
 *   print_list_begin(p, "timers"); { print_row_begin(p, "timer"); print_number(p, "vp", 1); print_row_end(p); }*
 * print_list_end(p);
 */
void print_list_begin(struct printing *printing, const char *name);
void print_list_end(struct printing *printing);
void print_row_begin(struct printing *printing, const char *word);
void print_row_end(struct printing *printing);
void print_number(struct printing *printing, const char *name, uint64_t value);
void print_hex(struct printing *printing, const char *name, uint64_t value);
void print_flag(struct printing *printing, const char *name, bool value); /* in text only if it is set */
void print_string(struct printing *printing, const char *name, const char *value);
