/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Certifying the suite: each animal of the zoo must be rejected by a scenario
 * that cites the clause which it breaks. `vmrig certify --zoo`.
 */

#include <stdbool.h>
#include <stdio.h>

struct zoo_house;

struct zoo_options {
    const struct zoo_house *const *houses; /* NULL: all there are */
    size_t house_count;
    const char *filter; /* a glob on animals; NULL: all */
    bool clauses;       /* then list the clauses that no animal breaks */
    FILE *out, *err;
};

/* Gives the exit status; the kill table on `out`. */
int zoo_main(const struct zoo_options *options);
