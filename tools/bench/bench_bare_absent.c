/* SPDX-License-Identifier: MIT */
/*
 * In a build without KVM there is no bare loop to compare with.
 */

#include "tools/bench/bench.h"

struct bench_bare *bench_bare_create(void)
{
    return NULL;
}

void bench_bare_destroy(struct bench_bare *bare)
{
    (void)bare;
}

double bench_bare_run(struct bench_bare *bare, uint64_t exits)
{
    (void)bare;
    (void)exits;
    return -1;
}
