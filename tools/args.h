/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command line, by tables: --name VALUE, --name=VALUE, --flag, -o VALUE,
 * operands, "--" before operands that begin with a dash. Names are whole, an
 * option is given once unless its row says otherwise, and anything else is an
 * error that names the word.
 */

#include <stdio.h>

#include "vmrig/error.h"

#define ARGS_GIVEN_MAX 64u
#define ARGS_OPERAND_MAX 4u
#define ARGS_REPEATED_MAX 1024u

struct args_option {
    const char *name;  /* "memory" for --memory */
    char letter;       /* 'o' for -o; 0: none */
    const char *value; /* "SIZE": what the value is called; NULL: a flag */
    bool required;
    bool repeatable;
    const char *help; /* one line */
};

struct args_spec {
    const struct args_option *options;
    size_t option_count;
    const char *operands[ARGS_OPERAND_MAX]; /* "FILE", required; "[FILE]", which may be left out, comes last */
    bool last_repeats;                      /* "FILE...": the last operand may come more than once */
    const char *details;                    /* for --help, after the options; NULL: nothing */
};

struct args {
    const char *command; /* "vmrig run", for messages */
    const struct args_spec *spec;
    bool help; /* --help was seen; nothing after it was looked at */
    size_t given_count;
    struct args_given {
        size_t option; /* the row in the table */
        const char *value;
    } given[ARGS_GIVEN_MAX];
    size_t operand_count;
    const char *operands[ARGS_REPEATED_MAX];
};

/* `words` are what follows the command's name. VMR_E_USAGE, with the word named. */
VMR_MUST_CHECK enum vmr_status args_parse(const char *command, const struct args_spec *spec, char *const *words,
                                          struct args *ret_args, struct vmr_error *err);

bool args_has(const struct args *args, size_t option);
/* The value of an option, or NULL. */
const char *args_value(const struct args *args, size_t option);
/* Fills in the values of a repeatable option, in order; `values` has ARGS_GIVEN_MAX places. Returns how many. */
size_t args_values(const struct args *args, size_t option, const char **values);
/* An option that is not given leaves *ret_value as it is. VMR_E_USAGE unless it is a number from `min` to `max`. */
VMR_MUST_CHECK enum vmr_status args_number(const struct args *args, size_t option, uint64_t min, uint64_t max,
                                           uint64_t *ret_value, struct vmr_error *err);

/* "usage: ...", `summary`, the options, the details. */
void args_print_help(FILE *file, const char *command, const struct args_spec *spec, const char *summary);
