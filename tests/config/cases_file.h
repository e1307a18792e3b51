/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Texts that are no configuration, each for one reason.
 */

#include <stddef.h>

struct file_case {
    const char *code, *path;
    const char *text;     /* NULL: the end of the table */
    const char *repeated; /* put before the last character of `text`, `times` times; NULL: nothing */
    size_t times;
    size_t length; /* 0: as far as its zero */
};

extern const struct file_case cases_file[];
