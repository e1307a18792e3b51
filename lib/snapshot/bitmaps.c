/* SPDX-License-Identifier: MIT */
/* One bitmap for each region: see bitmaps.h. */

#include "lib/snapshot/bitmaps.h"

#include <stdlib.h>

bool bitmaps_init(struct bitmaps *bitmaps, struct vmr_memory *memory)
{
    struct vmr_memory_region region;
    size_t count = vmr_memory_region_count(memory), words = 0;

    *bitmaps = (struct bitmaps){.items = calloc(count > 0 ? count : 1, sizeof(*bitmaps->items))};
    if (!bitmaps->items)
        return false;
    for (; bitmaps->count < count && vmr_memory_region_get(memory, bitmaps->count, &region); bitmaps->count++) {
        struct vmr_dirty_bitmap *bitmap = &bitmaps->items[bitmaps->count];

        *bitmap = (struct vmr_dirty_bitmap){
            .gpa = region.gpa, .size = region.size, .word_count = vmr_dirty_words(region.size)};
        bitmap->words = calloc(bitmap->word_count, sizeof(*bitmap->words));
        if (!bitmap->words)
            return false;
        if (bitmap->word_count > words)
            words = bitmap->word_count;
    }
    bitmaps->scratch = calloc(words > 0 ? words : 1, sizeof(*bitmaps->scratch));
    return bitmaps->scratch != NULL;
}

void bitmaps_finish(struct bitmaps *bitmaps)
{
    for (size_t i = 0; i < bitmaps->count; i++)
        free(bitmaps->items[i].words);
    free(bitmaps->items);
    free(bitmaps->scratch);
}

enum vmr_status bitmaps_take(struct bitmaps *bitmaps, struct vmr_memory *memory, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    for (bitmaps->taken = 0; !status && bitmaps->taken < bitmaps->count; bitmaps->taken += status == VMR_OK)
        status = vmr_memory_dirty_take(memory, &bitmaps->items[bitmaps->taken], NULL, err);
    return status;
}

/* From the first dirty page to the last. False: there is none. */
static bool find_extent(const struct vmr_dirty_bitmap *bitmap, struct vmr_dirty_run *ret_extent)
{
    size_t first = 0, end = bitmap->word_count;

    while (first < end && bitmap->words[first] == 0)
        first++;
    while (end > first && bitmap->words[end - 1] == 0)
        end--;
    if (first == end)
        return false;
    uint64_t begin_page = first * 64 + (unsigned)__builtin_ctzll(bitmap->words[first]);
    uint64_t end_page = end * 64 - (unsigned)__builtin_clzll(bitmap->words[end - 1]);

    *ret_extent = (struct vmr_dirty_run){.gpa = bitmap->gpa + begin_page * VMR_PAGE_SIZE,
                                         .size = (end_page - begin_page) * VMR_PAGE_SIZE};
    return true;
}

enum vmr_status bitmaps_forget_again(const struct bitmaps *bitmaps, struct vmr_memory *memory, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;
    struct vmr_dirty_run extent;

    for (size_t i = 0; !status && i < bitmaps->taken; i++) {
        if (!find_extent(&bitmaps->items[i], &extent))
            continue;
        const struct vmr_dirty_bitmap again = {.gpa = extent.gpa,
                                               .size = extent.size,
                                               .words = bitmaps->scratch,
                                               .word_count = vmr_dirty_words(extent.size)};

        status = vmr_memory_dirty_take(memory, &again, NULL, err);
    }
    return status;
}

void bitmaps_mark_again(struct bitmaps *bitmaps, struct vmr_memory *memory)
{
    for (size_t i = 0; i < bitmaps->taken; i++) {
        const struct vmr_dirty_bitmap *bitmap = &bitmaps->items[i];
        struct vmr_dirty_run run;

        for (vmr_gpa from = bitmap->gpa; vmr_dirty_next(bitmap, from, &run); from = run.gpa + run.size) {
            enum vmr_status status = vmr_memory_dirty_mark(memory, run.gpa, (size_t)run.size);

            (void)status; /* the region is there, and the log is on: nothing else can fail */
        }
    }
    bitmaps->taken = 0;
}
