/* SPDX-License-Identifier: MIT */
/*
 * The dirty log: a bitmap for each region, into which everything that is known
 * of writes is collected, and from which it is taken.
 *
 * Nobody waits for a taker. Writers set bits with the table locked as for the
 * write itself; a taker holds `changes`, so that regions stay, and swaps words
 * of bits for zeros. Three things are looked at in an order that loses nothing:
 * first the hypervisor's own log, whose pages go into the bits; then the views
 * that are pinned for writing, for an unpin sets the bits before it takes the
 * view off the list; then the bits.
 */

#include "lib/memory/dirty.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"

#define ADDRESS_END (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)
#define WORD_PAGES 64u

static size_t words_of(uint64_t pages)
{
    return (size_t)((pages + WORD_PAGES - 1) / WORD_PAGES);
}

/* The bits of [first, end) that lie in the word of the 64 pages from `base` on; at least one does. */
static uint64_t bits_of(uint64_t base, uint64_t first, uint64_t end)
{
    uint64_t bits = UINT64_MAX;

    if (first > base)
        bits <<= first - base;
    if (end < base + WORD_PAGES)
        bits &= UINT64_MAX >> (base + WORD_PAGES - end);
    return bits;
}

/* Pages from `base` on, bit n for the nth, as they lie in two neighbouring words of another bitmap. */
struct spread {
    size_t word;
    uint64_t bits[2];
};

static struct spread spread_pages(uint64_t base, uint64_t bits)
{
    unsigned shift = (unsigned)(base % WORD_PAGES);

    return (struct spread){.word = (size_t)(base / WORD_PAGES),
                           .bits = {bits << shift, shift == 0 ? 0 : bits >> (WORD_PAGES - shift)}};
}

/* --- the bits of a region --- */

static _Atomic uint64_t *bits_create(uint64_t size)
{
    return calloc(words_of(size / VMR_PAGE_SIZE), sizeof(uint64_t));
}

void dirty_mark_bits(const struct vmr_memory *memory, const struct region *region, uint64_t offset, uint64_t length)
{
    uint64_t first = offset / VMR_PAGE_SIZE, end = (offset + length - 1) / VMR_PAGE_SIZE + 1;

    for (uint64_t base = first - first % WORD_PAGES; base < end; base += WORD_PAGES)
        (void)sync_fetch_or_u64(memory->host, &region->dirty[base / WORD_PAGES], bits_of(base, first, end));
}

bool dirty_add_region(const struct vmr_memory *memory, struct region *region)
{
    if (!memory->dirty_on)
        return true;
    region->dirty = bits_create(region->size);
    if (!region->dirty)
        return false;
    dirty_mark_bits(memory, region, 0, region->size);
    return true;
}

/* --- on and off --- */

static void give_up_bits(struct vmr_memory *memory)
{
    sync_rwlock_write_lock(&memory->table);
    for (size_t i = 0; i < memory->regions.count; i++) {
        free((void *)memory->regions.items[i].dirty);
        memory->regions.items[i].dirty = NULL;
    }
    sync_rwlock_write_unlock(&memory->table);
}

static enum vmr_status give_bits(struct vmr_memory *memory, struct vmr_error *err)
{
    bool room = true;

    sync_rwlock_write_lock(&memory->table);
    for (size_t i = 0; room && i < memory->regions.count; i++) {
        memory->regions.items[i].dirty = bits_create(memory->regions.items[i].size);
        room = memory->regions.items[i].dirty != NULL;
    }
    sync_rwlock_write_unlock(&memory->table);
    if (room)
        return VMR_OK;
    give_up_bits(memory);
    return vmr_error_set(err, VMR_E_NOMEM, "dirty log: no memory for the bits of %#" PRIx64 " bytes",
                         memory->regions.bytes);
}

enum vmr_status dirty_tell_listener(const struct vmr_memory *memory, struct vmr_error *err)
{
    const struct vmr_memory_listener *listener = &memory->listener;

    return memory->dirty_on && listener->dirty_log ? listener->dirty_log(listener->context, true, err) : VMR_OK;
}

enum vmr_status vmr_memory_dirty_start(struct vmr_memory *memory, struct vmr_error *err)
{
    sync_mutex_lock(&memory->changes);
    enum vmr_status status =
        memory->dirty_on ? vmr_error_set(err, VMR_E_STATE, "dirty log: it is on already") : give_bits(memory, err);

    if (!status) {
        memory->dirty_on = true;
        status = dirty_tell_listener(memory, err);
        if (status) {
            memory->dirty_on = false;
            give_up_bits(memory);
        }
    }
    sync_mutex_unlock(&memory->changes);
    return status;
}

static enum vmr_status off(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_STATE, "dirty log: it is off");
}

enum vmr_status vmr_memory_dirty_stop(struct vmr_memory *memory, struct vmr_error *err)
{
    const struct vmr_memory_listener *listener = &memory->listener;
    enum vmr_status status = VMR_OK;

    sync_mutex_lock(&memory->changes);
    if (memory->dirty_on) {
        memory->dirty_on = false;
        if (listener->dirty_log)
            (void)listener->dirty_log(listener->context, false, NULL);
        give_up_bits(memory);
    } else {
        status = off(err);
    }
    sync_mutex_unlock(&memory->changes);
    return status;
}

/* --- the hypervisor's log, into the bits --- */

static void keep_found(void *context, vmr_gpa gpa, uint64_t pages)
{
    const struct vmr_memory *memory = context;
    size_t index = regions_find(&memory->regions, gpa);

    if (index == REGIONS_NONE)
        return;
    const struct region *region = &memory->regions.items[index];
    struct spread spread = spread_pages((gpa - region->gpa) / VMR_PAGE_SIZE, pages);

    for (size_t i = 0; i < 2; i++) {
        if (spread.bits[i] != 0)
            (void)atomic_fetch_or(&region->dirty[spread.word + i], spread.bits[i]);
    }
}

static enum vmr_status ask_listener(struct vmr_memory *memory, vmr_gpa gpa, uint64_t size, struct vmr_error *err)
{
    const struct vmr_memory_listener *listener = &memory->listener;
    const struct vmr_dirty_query query = {.gpa = gpa, .size = size, .found = keep_found, .context = memory};

    return listener->dirty_take ? listener->dirty_take(listener->context, &query, err) : VMR_OK;
}

/* The first region that ends above `gpa`; the count if there is none. */
static size_t first_region(const struct regions *regions, vmr_gpa gpa)
{
    size_t index = regions_find_overlap(regions, gpa, ADDRESS_END - gpa);

    return index == REGIONS_NONE ? regions->count : index;
}

void dirty_keep(struct vmr_memory *memory, vmr_gpa gpa, uint64_t size)
{
    if (!memory->dirty_on || ask_listener(memory, gpa, size, NULL) == VMR_OK)
        return;
    for (size_t i = first_region(&memory->regions, gpa);
         i < memory->regions.count && memory->regions.items[i].gpa < gpa + size; i++)
        dirty_mark(memory, &memory->regions.items[i], 0, memory->regions.items[i].size);
}

/* --- taking --- */

static enum vmr_status check_bitmap(const struct vmr_dirty_bitmap *bitmap, struct vmr_error *err)
{
    if (!is_aligned(bitmap->gpa, VMR_PAGE_SIZE) || !is_aligned(bitmap->size, VMR_PAGE_SIZE))
        return vmr_error_set(err, VMR_E_USAGE,
                             "dirty log: the range of %#" PRIx64 " bytes at %#" PRIx64 " is not in whole pages",
                             bitmap->size, bitmap->gpa);
    if (!range_contains(0, ADDRESS_END, bitmap->gpa, bitmap->size))
        return vmr_error_set(err, VMR_E_USAGE,
                             "dirty log: the range of %#" PRIx64 " bytes at %#" PRIx64 " ends above 2^%u", bitmap->size,
                             bitmap->gpa, VMR_PHYSICAL_BITS_MAX);
    if (bitmap->word_count < vmr_dirty_words(bitmap->size))
        return vmr_error_set(err, VMR_E_USAGE,
                             "dirty log: the bitmap has %zu words, the range of %#" PRIx64 " bytes takes %zu",
                             bitmap->word_count, bitmap->size, vmr_dirty_words(bitmap->size));
    return VMR_OK;
}

/* Page `first` of the bitmap and the next ones; none is outside of it. */
static void put_pages(const struct vmr_dirty_bitmap *bitmap, uint64_t first, uint64_t pages)
{
    struct spread spread = spread_pages(first, pages);

    for (size_t i = 0; i < 2; i++) {
        if (spread.bits[i] != 0)
            bitmap->words[spread.word + i] |= spread.bits[i];
    }
}

static void put_pins(struct vmr_memory *memory, const struct vmr_dirty_bitmap *bitmap)
{
    sync_mutex_lock(&memory->pins_lock);
    for (size_t i = 0; i < memory->pin_count; i++) {
        const struct pin *pin = &memory->pins[i];
        vmr_gpa gpa = pin->gpa - pin->gpa % VMR_PAGE_SIZE, end = pin->gpa + pin->length;

        for (gpa = gpa < bitmap->gpa ? bitmap->gpa : gpa; gpa < end && gpa - bitmap->gpa < bitmap->size;
             gpa += VMR_PAGE_SIZE)
            put_pages(bitmap, (gpa - bitmap->gpa) / VMR_PAGE_SIZE, 1);
    }
    sync_mutex_unlock(&memory->pins_lock);
}

/*
 * Most words are clean, and a look costs less than a swap. A page that is marked
 * behind the look was written by somebody who had not come back yet.
 */
static uint64_t word_take(_Atomic uint64_t *word, uint64_t wanted)
{
    if ((atomic_load(word) & wanted) == 0)
        return 0;
    return (wanted == UINT64_MAX ? atomic_exchange(word, 0) : atomic_fetch_and(word, ~wanted)) & wanted;
}

/* The part of the region that is in the range; not empty. A region is one step of the schedule. */
static void take_region(const struct vmr_memory *memory, const struct region *region,
                        const struct vmr_dirty_bitmap *bitmap)
{
    vmr_gpa range_end = bitmap->gpa + bitmap->size, region_end = region->gpa + region->size;
    vmr_gpa begin = bitmap->gpa > region->gpa ? bitmap->gpa : region->gpa;
    uint64_t first = (begin - region->gpa) / VMR_PAGE_SIZE;
    uint64_t end = ((range_end < region_end ? range_end : region_end) - region->gpa) / VMR_PAGE_SIZE;

    sync_point(memory->host, (const void *)region->dirty);
    for (uint64_t base = first - first % WORD_PAGES; base < end; base += WORD_PAGES) {
        uint64_t pages = word_take(&region->dirty[base / WORD_PAGES], bits_of(base, first, end));
        uint64_t from = base < first ? first : base;

        if (pages != 0)
            put_pages(bitmap, (region->gpa + from * VMR_PAGE_SIZE - bitmap->gpa) / VMR_PAGE_SIZE,
                      pages >> (from - base));
    }
}

static uint64_t count_pages(const struct vmr_dirty_bitmap *bitmap)
{
    uint64_t count = 0;

    for (size_t i = 0; i < vmr_dirty_words(bitmap->size); i++)
        count += (unsigned)__builtin_popcountll(bitmap->words[i]);
    return count;
}

static enum vmr_status take_locked(struct vmr_memory *memory, const struct vmr_dirty_bitmap *bitmap,
                                   struct vmr_error *err)
{
    if (!memory->dirty_on)
        return off(err);
    if (bitmap->size == 0)
        return VMR_OK;
    enum vmr_status status = ask_listener(memory, bitmap->gpa, bitmap->size, err);

    if (status)
        return status;
    memset(bitmap->words, 0, vmr_dirty_words(bitmap->size) * sizeof(*bitmap->words));
    put_pins(memory, bitmap);
    for (size_t i = first_region(&memory->regions, bitmap->gpa);
         i < memory->regions.count && memory->regions.items[i].gpa < bitmap->gpa + bitmap->size; i++)
        take_region(memory, &memory->regions.items[i], bitmap);
    return VMR_OK;
}

enum vmr_status vmr_memory_dirty_take(struct vmr_memory *memory, const struct vmr_dirty_bitmap *bitmap,
                                      uint64_t *ret_pages, struct vmr_error *err)
{
    enum vmr_status status = check_bitmap(bitmap, err);

    if (status)
        return status;
    sync_mutex_lock(&memory->changes);
    status = take_locked(memory, bitmap, err);
    sync_mutex_unlock(&memory->changes);
    if (!status && ret_pages)
        *ret_pages = count_pages(bitmap);
    return status;
}

/* --- what was taken --- */

/* The first page from `page` on that is dirty, or, with `dirty` false, that is not; `pages` if there is none. */
static uint64_t find_page(const struct vmr_dirty_bitmap *bitmap, uint64_t page, uint64_t pages, bool dirty)
{
    for (uint64_t base = page - page % WORD_PAGES; base < pages; base += WORD_PAGES) {
        uint64_t word = bitmap->words[base / WORD_PAGES], bits = dirty ? word : ~word;

        if (base < page)
            bits &= UINT64_MAX << (page - base);
        if (bits != 0) {
            uint64_t found = base + (unsigned)__builtin_ctzll(bits);

            return found < pages ? found : pages;
        }
    }
    return pages;
}

bool vmr_dirty_next(const struct vmr_dirty_bitmap *bitmap, vmr_gpa from, struct vmr_dirty_run *ret_run)
{
    uint64_t pages = bitmap->size / VMR_PAGE_SIZE;
    uint64_t start = from > bitmap->gpa ? (from - bitmap->gpa) / VMR_PAGE_SIZE : 0;
    uint64_t first = find_page(bitmap, start, pages, true);

    if (first >= pages)
        return false;
    uint64_t end = find_page(bitmap, first, pages, false);

    *ret_run =
        (struct vmr_dirty_run){.gpa = bitmap->gpa + first * VMR_PAGE_SIZE, .size = (end - first) * VMR_PAGE_SIZE};
    return true;
}
