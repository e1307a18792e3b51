/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of guest memory share: an object on an ordinary host, and calls that must succeed. */

#include "vmrig/limits.h"
#include "vmrig/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAGE ((uint64_t)VMR_PAGE_SIZE)

struct fixture {
    struct vmr_host host;
    struct vmr_memory *memory;
};

static inline void fixture_init(struct fixture *fixture)
{
    vmr_host_posix(&fixture->host, NULL);
    assert_int_equal(vmr_memory_create(&fixture->host, &fixture->memory, NULL), VMR_OK);
}

static inline void fixture_finish(struct fixture *fixture)
{
    vmr_memory_destroy(fixture->memory);
}

static inline void must_add(struct fixture *fixture, vmr_gpa gpa, uint64_t size, bool read_only)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size, .read_only = read_only};

    assert_int_equal(vmr_memory_region_add(fixture->memory, &region, NULL), VMR_OK);
}

static inline void must_remove(struct fixture *fixture, vmr_gpa gpa)
{
    assert_int_equal(vmr_memory_region_remove(fixture->memory, gpa, NULL), VMR_OK);
}

/* Numbers that look random and are the same every time (xorshift64). */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
