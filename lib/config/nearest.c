/* SPDX-License-Identifier: MIT */
/*
 * The edit distance (Levenshtein), a row of its table at a time.
 */

#include "lib/config/nearest.h"

#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[NEAREST_LENGTH_MAX + 1];

    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[b_length];
}

void nearest_look(struct nearest *nearest, const char *known)
{
    size_t length = strlen(known);

    if (nearest->length > NEAREST_LENGTH_MAX || length > NEAREST_LENGTH_MAX)
        return;

    size_t one = distance(nearest->name, nearest->length, known, length);

    if (one > (nearest->length + 2) / 3 || (nearest->found && one >= nearest->distance))
        return;
    nearest->found = known;
    nearest->distance = one;
}
