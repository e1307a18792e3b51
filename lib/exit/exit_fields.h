/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The fields of each exit kind as a table, in the order in which they are
 * written. The text form and the bytes of an exit both follow from it, so that
 * a field exists in all forms or in none.
 */

#include "lib/exit/exit.h"

/* Arguments that a hypercall exit holds. */
#define EXIT_ARG_COUNT 6u

enum exit_field_type {
    EXIT_FIELD_HEX,
    EXIT_FIELD_DECIMAL,
    EXIT_FIELD_DATA,      /* a number as wide as the access; hex */
    EXIT_FIELD_FLAG,      /* a bool: the bare name, or nothing */
    EXIT_FIELD_DIRECTION, /* "read" or "write", the word after the kind */
    EXIT_FIELD_WORD,      /* an enumeration: name=word */
    EXIT_FIELD_ARGS,      /* the six arguments of a hypercall */
    EXIT_FIELD_STRING,    /* io.bytes, of length count * size */
    EXIT_FIELD_BYTES      /* fail.bytes, of length fail.length */
};

/* Which half of the exit a field belongs to. */
enum exit_field_part {
    EXIT_FIELD_INPUT = EXIT_INPUTS,
    EXIT_FIELD_ANSWER = EXIT_ANSWER,
    EXIT_FIELD_BOTH = EXIT_WHOLE,
    EXIT_FIELD_BY_DIRECTION /* an answer when the guest reads, else an input */
};

/* For which exits of the kind the field means anything; elsewhere it is zero. */
enum exit_field_when {
    EXIT_FIELD_ALWAYS,
    EXIT_FIELD_NOT_ZERO, /* always, but zero goes without saying in text */
    EXIT_FIELD_IF_STRING,
    EXIT_FIELD_IF_ITEM,      /* io: not a string */
    EXIT_FIELD_IF_BREAKPOINT /* debug: not a single step */
};

struct exit_field {
    const char *name;                    /* NULL ends a table */
    uint8_t type;                        /* enum exit_field_type */
    uint8_t part;                        /* enum exit_field_part */
    uint8_t when;                        /* enum exit_field_when */
    uint8_t width;                       /* bytes of the member */
    uint16_t offset;                     /* in struct vmr_exit */
    bool in_tag;                         /* the codec keeps it in the tag byte */
    bool optional;                       /* text may leave it out: it is zero then */
    const char *(*word)(uint32_t value); /* EXIT_FIELD_WORD */
    uint32_t word_count;
};

/* The fields of the kind; none for an unknown one. */
const struct exit_field *exit_fields_of_kind(uint32_t kind);
/* The fields that every exit has, in the names that `kind` uses. */
const struct exit_field *exit_fields_common(uint32_t kind);

/* Whether `field` has a meaning in this very exit. */
static inline bool exit_field_exists(const struct exit_field *field, const struct vmr_exit *vp_exit)
{
    switch ((enum exit_field_when)field->when) {
    case EXIT_FIELD_IF_STRING:
        return vp_exit->u.io.string;
    case EXIT_FIELD_IF_ITEM:
        return !vp_exit->u.io.string;
    case EXIT_FIELD_IF_BREAKPOINT:
        return !vp_exit->u.debug.single_step;
    case EXIT_FIELD_ALWAYS:
    case EXIT_FIELD_NOT_ZERO:
        break;
    }
    return true;
}

/* The same, and it belongs to this half. */
static inline bool exit_field_applies(const struct exit_field *field, const struct vmr_exit *vp_exit,
                                      enum exit_part part)
{
    unsigned parts = field->part;

    if (parts == EXIT_FIELD_BY_DIRECTION)
        parts = exit_is_read(vp_exit) ? EXIT_ANSWER : EXIT_INPUTS;
    return (parts & part) != 0 && exit_field_exists(field, vp_exit);
}
