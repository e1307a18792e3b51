/* SPDX-License-Identifier: MIT */
/*
 * The library's own reads and writes of guest memory.
 *
 * An access is looked up whole before its first byte moves, so that one that
 * touches a hole changes nothing, and it happens under the table's lock, so that
 * no region goes away in the middle. [MEM-5] The observer sees what really
 * happens: accesses that fail, and empty ones, are not shown. [MEM-8]
 */

#include "lib/memory/memory.h"

#include <string.h>

#include "lib/base/checked.h"
#include "lib/memory/copy.h"
#include "lib/memory/dirty.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fetch-or works on the host's words");

/* Who accesses: what the hypervisor hides, it hides from the host. */
enum side {
    HOST_SIDE,
    INSIDE
};

/* Where an access stands: `left` bytes from `gpa`, which lies in region `index`. */
struct cursor {
    size_t index;
    vmr_gpa gpa;
    size_t left;
};

/* Takes the next bytes that are together in one region; NULL at the end. */
static uint8_t *cursor_next(struct cursor *cursor, const struct regions *regions, size_t *ret_length)
{
    if (cursor->left == 0)
        return NULL;
    const struct region *region = &regions->items[cursor->index];
    uint64_t offset = cursor->gpa - region->gpa;
    uint64_t here = region->size - offset;
    size_t length = cursor->left < here ? cursor->left : (size_t)here;

    cursor->index++;
    cursor->gpa += length;
    cursor->left -= length;
    *ret_length = length;
    return region->host + offset;
}

/* False if a byte of [gpa, gpa + length) is in a hole. The length is not 0. */
static bool cursor_init(struct cursor *cursor, const struct regions *regions, vmr_gpa guest_gpa, size_t length)
{
    size_t first = regions_find(regions, guest_gpa);

    if (first == REGIONS_NONE)
        return false;
    *cursor = (struct cursor){.index = first, .gpa = guest_gpa, .left = length};
    struct cursor walk = *cursor;
    size_t step;

    while (cursor_next(&walk, regions, &step)) {
        /* Regions end at 2^52 at the latest, so this address has not wrapped. */
        if (walk.left > 0 && (walk.index == regions->count || regions->items[walk.index].gpa != walk.gpa))
            return false;
    }
    return true;
}

/* The whole of an access, if this side may have it; under the table's lock. */
static bool admit(struct cursor *cursor, const struct vmr_memory *memory, enum side side, vmr_gpa guest_gpa,
                  size_t length)
{
    return cursor_init(cursor, &memory->regions, guest_gpa, length) &&
           (side == INSIDE || !memory_hides(memory, guest_gpa, length));
}

static void read_pieces(const struct regions *regions, struct cursor cursor, uint8_t *bytes)
{
    size_t length;

    for (const uint8_t *host; (host = cursor_next(&cursor, regions, &length)) != NULL; bytes += length)
        copy_from_shared(bytes, host, length);
}

/* The piece that cursor_next has just given was written. */
static void mark_piece(const struct vmr_memory *memory, const struct cursor *cursor, size_t length)
{
    const struct region *region = &memory->regions.items[cursor->index - 1];

    dirty_mark(memory, region, cursor->gpa - length - region->gpa, length);
}

static void write_pieces(const struct vmr_memory *memory, struct cursor cursor, const uint8_t *bytes)
{
    size_t length;

    for (uint8_t *host; (host = cursor_next(&cursor, &memory->regions, &length)) != NULL; bytes += length) {
        copy_to_shared(host, bytes, length);
        mark_piece(memory, &cursor, length);
    }
}

static enum vmr_status read_bytes(struct vmr_memory *memory, enum side side, vmr_gpa gpa, void *ret_bytes,
                                  size_t length)
{
    if (length == 0)
        return VMR_OK;
    struct cursor cursor;

    sync_rwlock_read_lock(&memory->table);
    bool present = admit(&cursor, memory, side, gpa, length);

    if (present) {
        read_pieces(&memory->regions, cursor, ret_bytes);
        if (memory->observer.read)
            memory->observer.read(memory->observer.context, gpa, ret_bytes, length);
    }
    sync_rwlock_read_unlock(&memory->table);
    return present ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status vmr_memory_read(struct vmr_memory *memory, vmr_gpa gpa, void *ret_bytes, size_t length)
{
    return read_bytes(memory, HOST_SIDE, gpa, ret_bytes, length);
}

enum vmr_status memory_read_inside(struct vmr_memory *memory, vmr_gpa gpa, void *ret_bytes, size_t length)
{
    return read_bytes(memory, INSIDE, gpa, ret_bytes, length);
}

static enum vmr_status write_bytes(struct vmr_memory *memory, enum side side, vmr_gpa gpa, const void *bytes,
                                   size_t length)
{
    if (length == 0)
        return VMR_OK;
    struct cursor cursor;

    sync_rwlock_read_lock(&memory->table);
    bool present = admit(&cursor, memory, side, gpa, length);

    if (present) {
        if (memory->observer.write)
            memory->observer.write(memory->observer.context, gpa, bytes, length);
        write_pieces(memory, cursor, bytes);
    }
    sync_rwlock_read_unlock(&memory->table);
    return present ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status vmr_memory_write(struct vmr_memory *memory, vmr_gpa gpa, const void *bytes, size_t length)
{
    return write_bytes(memory, HOST_SIDE, gpa, bytes, length);
}

enum vmr_status memory_write_inside(struct vmr_memory *memory, vmr_gpa gpa, const void *bytes, size_t length)
{
    return write_bytes(memory, INSIDE, gpa, bytes, length);
}

/* A fill is shown as writes of at most a page: showing it as one would need a buffer of any size. */
static void show_fill(const struct vmr_memory_observer *observer, vmr_gpa gpa, uint8_t byte, size_t length)
{
    uint8_t page[VMR_PAGE_SIZE];

    memset(page, byte, sizeof(page));
    while (length > 0) {
        size_t shown = length < sizeof(page) ? length : sizeof(page);

        observer->write(observer->context, gpa, page, shown);
        gpa += shown;
        length -= shown;
    }
}

static void fill_pieces(const struct vmr_memory *memory, struct cursor cursor, uint8_t byte)
{
    size_t length;

    for (uint8_t *host; (host = cursor_next(&cursor, &memory->regions, &length)) != NULL;) {
        copy_fill_shared(host, byte, length);
        mark_piece(memory, &cursor, length);
    }
}

enum vmr_status vmr_memory_fill(struct vmr_memory *memory, vmr_gpa gpa, uint8_t byte, size_t length)
{
    if (length == 0)
        return VMR_OK;
    struct cursor cursor;

    sync_rwlock_read_lock(&memory->table);
    bool present = admit(&cursor, memory, HOST_SIDE, gpa, length);

    if (present) {
        if (memory->observer.write)
            show_fill(&memory->observer, gpa, byte, length);
        fill_pieces(memory, cursor, byte);
    }
    sync_rwlock_read_unlock(&memory->table);
    return present ? VMR_OK : VMR_E_GUEST;
}

/* `word` is aligned: regions are page aligned on both sides, so the guest's alignment is the host's. */
static uint64_t host_fetch_or(void *word, unsigned width, uint64_t mask)
{
    switch (width) {
    case 1:
        return __atomic_fetch_or((uint8_t *)word, (uint8_t)mask, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_fetch_or((uint16_t *)word, (uint16_t)mask, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_fetch_or((uint32_t *)word, (uint32_t)mask, __ATOMIC_SEQ_CST);
    default:
        return __atomic_fetch_or((uint64_t *)word, mask, __ATOMIC_SEQ_CST);
    }
}

static bool is_width(unsigned width)
{
    return width == 1 || width == 2 || width == 4 || width == 8;
}

static enum vmr_status fetch_or_word(struct vmr_memory *memory, enum side side, vmr_gpa gpa, unsigned width,
                                     uint64_t mask, uint64_t *ret_old)
{
    if (!is_width(width) || (mask & ~mask_of_bytes(width)) != 0)
        return VMR_E_USAGE;
    if (!is_aligned(gpa, width))
        return VMR_E_GUEST;
    sync_rwlock_read_lock(&memory->table);
    size_t index = regions_find(&memory->regions, gpa);
    bool allowed = index != REGIONS_NONE && !memory->regions.items[index].read_only &&
                   (side == INSIDE || !memory_hides(memory, gpa, width));

    if (allowed) {
        const struct region *region = &memory->regions.items[index];
        uint64_t old = host_fetch_or(region->host + (gpa - region->gpa), width, mask);

        dirty_mark(memory, region, gpa - region->gpa, width);
        if (memory->observer.fetch_or)
            memory->observer.fetch_or(memory->observer.context, gpa, width, mask, &old);
        *ret_old = old;
    }
    sync_rwlock_read_unlock(&memory->table);
    return allowed ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status vmr_memory_fetch_or(struct vmr_memory *memory, vmr_gpa gpa, unsigned width, uint64_t mask,
                                    uint64_t *ret_old)
{
    return fetch_or_word(memory, HOST_SIDE, gpa, width, mask, ret_old);
}

enum vmr_status memory_fetch_or_inside(struct vmr_memory *memory, vmr_gpa gpa, unsigned width, uint64_t mask,
                                       uint64_t *ret_old)
{
    return fetch_or_word(memory, INSIDE, gpa, width, mask, ret_old);
}

enum vmr_status vmr_memory_dirty_mark(struct vmr_memory *memory, vmr_gpa gpa, size_t length)
{
    enum vmr_status status = VMR_OK;
    struct cursor cursor;

    sync_mutex_lock(&memory->changes);
    if (!memory->dirty_on)
        status = VMR_E_STATE;
    else if (length > 0 && !cursor_init(&cursor, &memory->regions, gpa, length))
        status = VMR_E_GUEST;
    if (!status && length > 0) {
        while (cursor_next(&cursor, &memory->regions, &length))
            mark_piece(memory, &cursor, length);
    }
    sync_mutex_unlock(&memory->changes);
    return status;
}

void vmr_memory_set_observer(struct vmr_memory *memory, const struct vmr_memory_observer *observer)
{
    sync_rwlock_write_lock(&memory->table);
    memory->observer = observer ? *observer : (struct vmr_memory_observer){0};
    sync_rwlock_write_unlock(&memory->table);
}

bool memory_hides(const struct vmr_memory *memory, vmr_gpa gpa, size_t length)
{
    return memory->guard.hides && memory->guard.hides(memory->guard.context, gpa, length);
}

void memory_set_guard(struct vmr_memory *memory, const struct memory_guard *guard)
{
    sync_rwlock_write_lock(&memory->table);
    memory->guard = guard ? *guard : (struct memory_guard){0};
    sync_rwlock_write_unlock(&memory->table);
}
