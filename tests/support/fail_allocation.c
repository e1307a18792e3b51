/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out on demand. A program that uses it is linked with
 * -Wl,--wrap=calloc: many folders allocate with calloc alone. For the others
 * there is fail_any_allocation.c as well.
 */

#include "tests/support/counting_host.h"

static _Atomic unsigned left; /* 0: never fails */
static _Atomic bool failed;

void fail_allocation(unsigned nth)
{
    atomic_store(&failed, false);
    atomic_store(&left, nth);
}

bool allocation_failed(void)
{
    return atomic_load(&failed);
}

bool allocation_fails_now(void)
{
    unsigned now = atomic_load(&left);

    while (now > 0 && !atomic_compare_exchange_strong(&left, &now, now - 1))
        ;
    if (now != 1)
        return false;
    atomic_store(&failed, true);
    return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails_now() ? NULL : __real_calloc(count, size);
}
