/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which of the known names somebody may have meant.
 */

#include <stddef.h>

#define NEAREST_LENGTH_MAX 48u /* longer names are like no other */

/* Zeroed but for what was written; `name` need not be terminated. */
struct nearest {
    const char *name;
    size_t length;
    const char *found; /* the nearest yet that is near enough: a third of the letters differ */
    size_t distance;
};
/* Looks at one more. Of equally near ones the first stays. */
void nearest_look(struct nearest *nearest, const char *known);
