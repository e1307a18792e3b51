/* SPDX-License-Identifier: MIT */
/* Page by page: neighbours in the guest's view need not be neighbours in RAM. */

#include "lib/debug/virtual.h"

#include "lib/memory/page_walk.h"

/* Where `gva` lies, and how many of `length` bytes lie there with it; 0: nowhere. */
static size_t find(const struct virtual_memory *where, uint64_t gva, size_t length, vmr_gpa *ret_gpa)
{
    const struct page_walk walk = {.regs = where->regs, .physical_bits = where->physical_bits};
    uint64_t rest = VMR_PAGE_SIZE - gva % VMR_PAGE_SIZE;
    struct vmr_memory_region region;

    if (page_walk(where->memory, &walk, gva, ret_gpa) != PAGE_WALK_OK ||
        !vmr_memory_region_find(where->memory, *ret_gpa, &region))
        return 0;
    return length < rest ? length : (size_t)rest;
}

size_t virtual_read(const struct virtual_memory *where, uint64_t gva, uint8_t *ret_bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        vmr_gpa gpa;
        size_t piece = find(where, gva + done, length - done, &gpa);

        if (piece == 0 || vmr_memory_read(where->memory, gpa, ret_bytes + done, piece))
            break;
        done += piece;
    }
    return done;
}

static bool is_there(const struct virtual_memory *where, uint64_t gva, size_t length)
{
    vmr_gpa gpa;

    for (size_t done = 0, piece; done < length; done += piece) {
        piece = find(where, gva + done, length - done, &gpa);
        if (piece == 0)
            return false;
    }
    return true;
}

bool virtual_write(const struct virtual_memory *where, uint64_t gva, const uint8_t *bytes, size_t length)
{
    if (!is_there(where, gva, length))
        return false;
    for (size_t done = 0, piece; done < length; done += piece) {
        vmr_gpa gpa;

        piece = find(where, gva + done, length - done, &gpa);
        if (piece == 0 || vmr_memory_write(where->memory, gpa, bytes + done, piece))
            return false;
    }
    return true;
}
