/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A JSON text that grows: two spaces a level, a line for each key and item, but
 * for arrays that are written in one.
 */

#include "vmrig/config_report.h"

/* Zeroed: empty. After the host's memory has run out, nothing more is written. */
struct json_writer {
    char *bytes;
    size_t length, capacity;
    bool no_memory;
    unsigned depth;
    bool has_items; /* of what is open */
    bool in_line;   /* the array that is open */
};

void json_open(struct json_writer *writer, char bracket);        /* '{' or '[' */
void json_open_in_line(struct json_writer *writer);              /* '[' */
void json_close(struct json_writer *writer, char bracket);       /* '}' or ']' */
void json_key(struct json_writer *writer, const char *key);      /* before a value in an object */
void json_item(struct json_writer *writer);                      /* before a value in an array */
void json_text(struct json_writer *writer, const char *text);    /* a value: UTF-8 */
void json_number(struct json_writer *writer, uint64_t number);   /* a value */
void json_literal(struct json_writer *writer, const char *word); /* a value, as it is */
/* A key and a text, a number, a literal. */
void json_key_text(struct json_writer *writer, const char *key, const char *text);
void json_key_number(struct json_writer *writer, const char *key, uint64_t number);
void json_key_literal(struct json_writer *writer, const char *key, const char *word);
/* The text with a newline behind it, which is the caller's; the writer is empty again. VMR_E_NOMEM. */
VMR_MUST_CHECK enum vmr_status json_finish(struct json_writer *writer, struct vmr_config_text *ret_text,
                                           struct vmr_error *err);
void json_discard(struct json_writer *writer);
