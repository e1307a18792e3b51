/* SPDX-License-Identifier: MIT */
/*
 * Guest RAM in runs of pages. Pages that are all zero are nowhere in a full
 * snapshot, and are not touched in a memory that is restored: what is sparse
 * stays sparse. [SNAP-8]
 */

#include "lib/snapshot/bitmaps.h"
#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmrig/dirty.h"

/* What is looked at without letting go of the table of regions. */
#define LOOK_BYTES ((uint64_t)RUN_PAGES_MAX * VMR_PAGE_SIZE)
/* What is asked of the host at once: whether it was touched. */
#define ASK_PAGES (16u * RUN_PAGES_MAX)

static enum vmr_status went_away(vmr_gpa gpa, enum vmr_status status, struct vmr_error *err)
{
    return vmr_error_set(err, status, "snapshot: memory at %#" PRIx64 " went away", gpa);
}

static bool is_zero(const uint8_t *page)
{
    uint64_t first;

    memcpy(&first, page, sizeof(first));
    return first == 0 && memcmp(page, page + sizeof(first), VMR_PAGE_SIZE - sizeof(first)) == 0;
}

/* The runs inside one view. What was not touched is not looked at. */
static enum vmr_status each_in_view(const struct vmr_memory_view *view, const bool *touched,
                                    const struct pages_sink *emit, struct vmr_error *err)
{
    const uint8_t *bytes = view->bytes;
    uint32_t count = (uint32_t)(view->length / VMR_PAGE_SIZE), begin = 0;
    enum vmr_status status = VMR_OK;

    while (begin < count && !status) {
        uint32_t end = begin;

        while (end < count && touched[end] && !is_zero(bytes + (size_t)end * VMR_PAGE_SIZE))
            end++;
        if (end > begin)
            status = emit->emit(emit->context, view->gpa + (uint64_t)begin * VMR_PAGE_SIZE, end - begin,
                                bytes + (size_t)begin * VMR_PAGE_SIZE, err);
        begin = end > begin ? end : end + 1;
    }
    return status;
}

static enum vmr_status look_at(struct vmr_memory *memory, vmr_gpa gpa, uint32_t count, const bool *touched,
                               const struct pages_sink *emit, struct vmr_error *err)
{
    struct vmr_memory_view view;

    if (!memchr(touched, true, count))
        return VMR_OK;
    enum vmr_status status = vmr_memory_look(memory, gpa, (size_t)count * VMR_PAGE_SIZE, &view);

    if (status)
        return went_away(gpa, status, err);
    status = each_in_view(&view, touched, emit, err);
    vmr_memory_unpin(memory, &view);
    return status;
}

/* Where runs end must not depend on what was touched: equal memory is equal bytes. [SNAP-1] */
static enum vmr_status each_in_range(struct vmr_memory *memory, vmr_gpa gpa, uint64_t size,
                                     const struct pages_sink *emit, struct vmr_error *err)
{
    bool touched[ASK_PAGES];
    enum vmr_status status = VMR_OK;

    for (uint64_t left = size / VMR_PAGE_SIZE; left > 0 && !status;) {
        uint32_t asked = left < ASK_PAGES ? (uint32_t)left : ASK_PAGES;

        status = vmr_memory_touched(memory, gpa, asked, touched);
        if (status)
            return went_away(gpa, status, err);
        for (uint32_t i = 0; i < asked && !status; i += RUN_PAGES_MAX)
            status = look_at(memory, gpa + (uint64_t)i * VMR_PAGE_SIZE,
                             asked - i < RUN_PAGES_MAX ? asked - i : RUN_PAGES_MAX, touched + i, emit, err);
        gpa += (uint64_t)asked * VMR_PAGE_SIZE;
        left -= asked;
    }
    return status;
}

enum vmr_status pages_each(struct vmr_memory *memory, const struct pages_sink *sink, struct vmr_error *err)
{
    struct vmr_memory_region region;
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; !status && vmr_memory_region_get(memory, i, &region); i++)
        status = each_in_range(memory, region.gpa, region.size, sink, err);
    return !status && sink->end ? sink->end(sink->context, err) : status;
}

/* --- what was written since the log was last taken --- */

struct written {
    struct vmr_memory *memory;
    struct pages_sink emit;
};

/* A run of dirty pages, in ascending pieces: those that are zero now are said to be. */
static enum vmr_status each_written_piece(const struct written *written, const struct vmr_memory_view *view,
                                          struct vmr_error *err)
{
    const uint8_t *bytes = view->bytes;
    uint32_t count = (uint32_t)(view->length / VMR_PAGE_SIZE), begin = 0;
    enum vmr_status status = VMR_OK;

    while (begin < count && !status) {
        const uint8_t *from = bytes + (size_t)begin * VMR_PAGE_SIZE;
        bool zero = is_zero(from);
        uint32_t end = begin + 1;

        while (end < count && is_zero(bytes + (size_t)end * VMR_PAGE_SIZE) == zero)
            end++;
        status = written->emit.emit(written->emit.context, view->gpa + (uint64_t)begin * VMR_PAGE_SIZE, end - begin,
                                    zero ? NULL : from, err);
        begin = end;
    }
    return status;
}

static enum vmr_status each_written_run(const struct written *written, vmr_gpa gpa, uint64_t size,
                                        struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    while (size > 0 && !status) {
        uint64_t length = size < LOOK_BYTES ? size : LOOK_BYTES;
        struct vmr_memory_view view;

        status = vmr_memory_look(written->memory, gpa, (size_t)length, &view);
        if (status)
            return went_away(gpa, status, err);
        status = each_written_piece(written, &view, err);
        vmr_memory_unpin(written->memory, &view);
        gpa += length;
        size -= length;
    }
    return status;
}

static enum vmr_status each_written_in(const struct written *written, const struct vmr_dirty_bitmap *bitmap,
                                       struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;
    struct vmr_dirty_run run;

    for (vmr_gpa from = bitmap->gpa; !status && vmr_dirty_next(bitmap, from, &run); from = run.gpa + run.size)
        status = each_written_run(written, run.gpa, run.size, err);
    return status;
}

enum vmr_status pages_each_written(struct vmr_memory *memory, const struct pages_sink *sink, struct vmr_error *err)
{
    const struct written written = {.memory = memory, .emit = *sink};
    struct bitmaps bitmaps;
    enum vmr_status status =
        bitmaps_init(&bitmaps, memory) ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");

    if (!status)
        status = bitmaps_take(&bitmaps, memory, err);
    for (size_t i = 0; i < bitmaps.count && !status; i++)
        status = each_written_in(&written, &bitmaps.items[i], err);
    if (!status && sink->end)
        status = sink->end(sink->context, err);
    if (status)
        bitmaps_mark_again(&bitmaps, memory);
    bitmaps_finish(&bitmaps);
    return status;
}

/* --- back --- */

/* A run of a view that is being looked at cannot be written meanwhile: find first, then clear. */
struct found_run {
    vmr_gpa gpa;
    uint32_t count;
};

static enum vmr_status note_run(void *context, vmr_gpa gpa, uint32_t count, const void *bytes, struct vmr_error *err)
{
    struct found_run *found = context;

    (void)bytes;
    (void)err;
    *found = (struct found_run){.gpa = gpa, .count = count};
    return VMR_E_STATE; /* enough */
}

static enum vmr_status clear_range(struct vmr_memory *memory, vmr_gpa gpa, uint64_t size, struct vmr_error *err)
{
    vmr_gpa end = gpa + size;

    while (gpa < end) {
        struct found_run found = {.count = 0};
        const struct pages_sink note = {.emit = note_run, .context = &found};
        enum vmr_status status = each_in_range(memory, gpa, end - gpa, &note, NULL);

        if (found.count == 0)
            return status;
        status = vmr_memory_fill(memory, found.gpa, 0, (size_t)found.count * VMR_PAGE_SIZE);
        if (status)
            return vmr_error_set(err, status, "snapshot: memory at %#" PRIx64 " cannot be written", found.gpa);
        gpa = found.gpa + (uint64_t)found.count * VMR_PAGE_SIZE;
    }
    return VMR_OK;
}

static enum vmr_status copy_run(struct vmr_memory *memory, const struct vmr_snapshot *snapshot,
                                const struct page_run *run, uint8_t *buffer, struct vmr_error *err)
{
    size_t length = (size_t)run->count * VMR_PAGE_SIZE;

    if (run->offset == 0)
        return clear_range(memory, run->gpa, run->count * VMR_PAGE_SIZE, err);
    enum vmr_status status = snapshot->source.read(snapshot->source.context, run->offset, buffer, length, err);

    if (!status)
        status = vmr_memory_write(memory, run->gpa, buffer, length);
    if (status)
        return vmr_error_set(err, status, "snapshot: pages at %#" PRIx64 " (offset %" PRIu64 ") could not be restored",
                             run->gpa, run->offset);
    return VMR_OK;
}

/* Everything between the runs of the first snapshot of the chain. */
static enum vmr_status clear_rest(struct vmr_memory *memory, const struct vmr_snapshot *snapshot, struct vmr_error *err)
{
    size_t next = 0;

    for (size_t i = 0; i < snapshot->region_count; i++) {
        vmr_gpa at = snapshot->regions[i].gpa, end = at + snapshot->regions[i].size;

        for (; next < snapshot->run_count && snapshot->runs[next].gpa < end; next++) {
            enum vmr_status status = clear_range(memory, at, snapshot->runs[next].gpa - at, err);

            if (status)
                return status;
            at = snapshot->runs[next].gpa + snapshot->runs[next].count * VMR_PAGE_SIZE;
        }
        enum vmr_status status = clear_range(memory, at, end - at, err);

        if (status)
            return status;
    }
    return VMR_OK;
}

enum vmr_status pages_restore(struct vmr_memory *memory, struct vmr_snapshot *const *chain, size_t count,
                              struct vmr_error *err)
{
    uint8_t *buffer = malloc((size_t)RUN_PAGES_MAX * VMR_PAGE_SIZE);

    if (!buffer)
        return vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");
    enum vmr_status status = clear_rest(memory, chain[0], err);

    for (size_t i = 0; i < count && !status; i++) {
        for (size_t run = 0; run < chain[i]->run_count && !status; run++)
            status = copy_run(memory, chain[i], &chain[i]->runs[run], buffer, err);
    }
    free(buffer);
    return status;
}
