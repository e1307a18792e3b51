/* SPDX-License-Identifier: MIT */
/*
 * Overlay pages. Every access goes through guest memory's own calls, each by
 * itself, so that a recorder sees it and nothing here holds a host pointer.
 */

#include "lib/hv/overlay.h"

#include <assert.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/checked.h"
#include "lib/memory/memory.h"

void overlay_init(struct overlay *overlay, struct vmr_memory *memory)
{
    overlay->memory = memory;
}

static bool is_writable_page(struct vmr_memory *memory, vmr_gpa guest_gpa)
{
    struct vmr_memory_region region;

    /* Regions begin and end at pages: one that holds the first byte of a page holds it all. */
    return is_aligned(guest_gpa, VMR_PAGE_SIZE) && vmr_memory_region_find(memory, guest_gpa, &region) &&
           !region.read_only;
}

void overlay_content(const struct overlay *overlay, uint8_t ret_content[VMR_PAGE_SIZE])
{
    if (overlay_read(overlay, 0, ret_content, VMR_PAGE_SIZE) != VMR_OK)
        memset(ret_content, 0, VMR_PAGE_SIZE);
}

enum vmr_status overlay_place(struct overlay *overlay, vmr_gpa guest_gpa)
{
    uint8_t content[VMR_PAGE_SIZE];

    if (overlay->placed && overlay->gpa == guest_gpa)
        return VMR_OK;
    if (!is_writable_page(overlay->memory, guest_gpa))
        return VMR_E_GUEST;
    overlay_content(overlay, content);
    enum vmr_status status = memory_write_inside(overlay->memory, guest_gpa, content, sizeof(content));

    if (status)
        return status; /* the region was removed meanwhile */
    overlay->gpa = guest_gpa;
    overlay->placed = true;
    return VMR_OK;
}

void overlay_withdraw(struct overlay *overlay)
{
    if (!overlay->placed)
        return;
    overlay_content(overlay, overlay->content);
    overlay->placed = false;
}

void overlay_reset(struct overlay *overlay)
{
    overlay->placed = false;
    memset(overlay->content, 0, sizeof(overlay->content));
}

void overlay_adopt(struct overlay *overlay, vmr_gpa gpa)
{
    overlay->placed = true;
    overlay->gpa = gpa;
}

enum vmr_status overlay_set_content(struct overlay *overlay, const uint8_t content[VMR_PAGE_SIZE])
{
    uint8_t now[VMR_PAGE_SIZE];

    overlay_content(overlay, now);
    return memcmp(now, content, sizeof(now)) == 0 ? VMR_OK : overlay_write(overlay, 0, content, VMR_PAGE_SIZE);
}

enum vmr_status overlay_read(const struct overlay *overlay, uint32_t offset, void *ret_bytes, size_t length)
{
    assert(range_contains(0, VMR_PAGE_SIZE, offset, length));
    if (overlay->placed)
        return memory_read_inside(overlay->memory, overlay->gpa + offset, ret_bytes, length);
    memcpy(ret_bytes, overlay->content + offset, length);
    return VMR_OK;
}

enum vmr_status overlay_write(struct overlay *overlay, uint32_t offset, const void *bytes, size_t length)
{
    assert(range_contains(0, VMR_PAGE_SIZE, offset, length));
    if (overlay->placed)
        return memory_write_inside(overlay->memory, overlay->gpa + offset, bytes, length);
    memcpy(overlay->content + offset, bytes, length);
    return VMR_OK;
}

enum vmr_status overlay_fetch_or(struct overlay *overlay, uint32_t offset, unsigned width, uint64_t mask,
                                 uint64_t *ret_old)
{
    assert(width <= 8 && range_contains(0, VMR_PAGE_SIZE, offset, width));
    if (overlay->placed)
        return memory_fetch_or_inside(overlay->memory, overlay->gpa + offset, width, mask, ret_old);
    uint64_t old = load_le(overlay->content + offset, width);

    store_le(overlay->content + offset, width, old | mask);
    *ret_old = old;
    return VMR_OK;
}
