/* SPDX-License-Identifier: MIT */
/* Memory that runs out in malloc and realloc as well, which are wrapped like calloc: see fail_allocation.c. */

#include "tests/support/counting_host.h"

void *__wrap_malloc(size_t size)
{
    return allocation_fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return allocation_fails_now() ? NULL : __real_realloc(at, size);
}
