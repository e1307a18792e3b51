/* SPDX-License-Identifier: MIT */
/*
 * The layout engine. Free space is a short list of ranges; every phase takes
 * from it by its own rule. All requests are checked before one is placed.
 * [LAY-1] to [LAY-5]
 */

#include "vmrig/resolved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/checked.h"
#include "lib/config/report.h"
#include "lib/config/rules.h"
#include "lib/resolve/free_space.h"

#define FOUR_GIB UINT64_C(0x100000000)

struct layout {
    const struct vmr_layout_request *requests;
    size_t count;
    struct free_space space;
    struct vmr_placement *placed;
    size_t placed_count, placed_capacity;
    uint64_t ram_end; /* behind the last RAM; 0: none yet */
    struct vmr_config_report *report;
};

const char *vmr_layout_phase_name(enum vmr_layout_phase phase)
{
    static const char *const names[VMR_LAYOUT_PHASE_COUNT] = {
        [VMR_LAYOUT_RESERVED] = "reserved", [VMR_LAYOUT_FIXED] = "fixed",   [VMR_LAYOUT_MMIO32] = "mmio32",
        [VMR_LAYOUT_RAM] = "ram",           [VMR_LAYOUT_MMIO64] = "mmio64", [VMR_LAYOUT_POST_MMIO] = "post-mmio",
    };

    return (unsigned)phase < VMR_LAYOUT_PHASE_COUNT ? names[phase] : "unknown";
}

/* --- checking --- */

static void complain(const struct layout *layout, const struct vmr_layout_request *request, enum rule_address rule,
                     const char *what)
{
    const struct report_place place = {.path = request->path ? request->path : request->tag};

    report_add_at(layout->report, &rules_address[rule], &place, "%s: %s", request->tag, what);
}

static bool is_given(const struct vmr_layout_request *request)
{
    return request->phase == VMR_LAYOUT_RESERVED || request->phase == VMR_LAYOUT_FIXED;
}

static void check_request(const struct layout *layout, const struct vmr_layout_request *request)
{
    uint64_t alignment = request->alignment;
    char text[96];

    if (request->size == 0 || !is_aligned(request->size, VMR_PAGE_SIZE)) {
        (void)snprintf(text, sizeof(text), "its size is %#" PRIx64, request->size);
        complain(layout, request, RULE_ADDRESS_SIZE, text);
    }
    if (is_given(request) && !is_aligned(request->start, VMR_PAGE_SIZE)) {
        (void)snprintf(text, sizeof(text), "it begins at %#" PRIx64, request->start);
        complain(layout, request, RULE_ADDRESS_ALIGNMENT, text);
    }
    if (is_given(request) && !range_contains(0, FREE_SPACE_END, request->start, request->size)) {
        (void)snprintf(text, sizeof(text), "%#" PRIx64 " bytes at %#" PRIx64, request->size, request->start);
        complain(layout, request, RULE_ADDRESS_RANGE, text);
    }
    if (!is_given(request) && (alignment < VMR_PAGE_SIZE || (alignment & (alignment - 1)) != 0)) {
        (void)snprintf(text, sizeof(text), "its alignment is %#" PRIx64, alignment);
        complain(layout, request, RULE_ADDRESS_ALIGNMENT, text);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct vmr_layout_request *left = *(const struct vmr_layout_request *const *)a;
    const struct vmr_layout_request *right = *(const struct vmr_layout_request *const *)b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left < right ? -1 : 1;
}

/* The given ranges are right by themselves; `sorted` has room for all of them. */
static void check_overlaps(const struct layout *layout, const struct vmr_layout_request **sorted)
{
    const struct vmr_layout_request *widest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < layout->count; i++) {
        if (is_given(&layout->requests[i]))
            sorted[count++] = &layout->requests[i];
    }
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), by_start);
    for (size_t i = 0; i < count; i++) {
        if (widest && sorted[i]->start < widest->start + widest->size) {
            char text[160];

            (void)snprintf(text, sizeof(text), "%#" PRIx64 "-%#" PRIx64 " overlaps %.64s at %#" PRIx64 "-%#" PRIx64,
                           sorted[i]->start, sorted[i]->start + sorted[i]->size - 1, widest->tag, widest->start,
                           widest->start + widest->size - 1);
            complain(layout, sorted[i], RULE_ADDRESS_OVERLAP, text);
        }
        if (!widest || sorted[i]->start + sorted[i]->size > widest->start + widest->size)
            widest = sorted[i];
    }
}

static enum vmr_status check_all(const struct layout *layout)
{
    size_t before = report_total(layout->report);

    for (size_t i = 0; i < layout->count; i++)
        check_request(layout, &layout->requests[i]);
    if (report_total(layout->report) != before)
        return VMR_E_CONFIG;
    const struct vmr_layout_request **sorted = calloc(layout->count + 1, sizeof(*sorted));

    if (!sorted)
        return VMR_E_NOMEM;
    check_overlaps(layout, sorted);
    free(sorted);
    return report_total(layout->report) == before ? VMR_OK : VMR_E_CONFIG;
}

/* --- placing --- */

static bool add_placement(struct layout *layout, const struct vmr_layout_request *request, uint64_t start,
                          uint64_t size)
{
    if (layout->placed_count == layout->placed_capacity) {
        size_t capacity = layout->placed_capacity * 2 + 16;
        struct vmr_placement *more = realloc(layout->placed, capacity * sizeof(*more));

        if (!more)
            return false;
        layout->placed = more;
        layout->placed_capacity = capacity;
    }
    layout->placed[layout->placed_count++] = (struct vmr_placement){.tag = request->tag,
                                                                    .phase = request->phase,
                                                                    .range = {.start = start, .end = start + size},
                                                                    .request = (uint32_t)(request - layout->requests),
                                                                    .owner = request->owner};
    return free_space_take(&layout->space, start, size);
}

static enum vmr_status no_room(const struct layout *layout, const struct vmr_layout_request *request, uint64_t low,
                               uint64_t high)
{
    char text[160];

    (void)snprintf(text, sizeof(text),
                   "%#" PRIx64 " bytes aligned to %#" PRIx64 " find no place in phase %s, where %#" PRIx64
                   " bytes are left",
                   request->size, request->alignment, vmr_layout_phase_name(request->phase),
                   free_space_left(&layout->space, low, high));
    complain(layout, request, RULE_ADDRESS_EXHAUSTED, text);
    return VMR_E_CONFIG;
}

static enum vmr_status place_high(struct layout *layout, const struct vmr_layout_request *request)
{
    uint64_t start;

    if (!free_space_highest(&layout->space, request->size, request->alignment, FOUR_GIB, &start))
        return no_room(layout, request, 0, FOUR_GIB);
    return add_placement(layout, request, start, request->size) ? VMR_OK : VMR_E_NOMEM;
}

static enum vmr_status place_low(struct layout *layout, const struct vmr_layout_request *request, uint64_t from)
{
    uint64_t start;

    if (!free_space_lowest(&layout->space, request->size, request->alignment, from, &start))
        return no_room(layout, request, from, FREE_SPACE_END);
    return add_placement(layout, request, start, request->size) ? VMR_OK : VMR_E_NOMEM;
}

/* As much as lies in the next free range, until all is placed. [LAY-3] */
static enum vmr_status place_ram(struct layout *layout, const struct vmr_layout_request *request)
{
    uint64_t left = request->size, from = layout->ram_end;

    while (left > 0) {
        struct vmr_gpa_range piece;

        if (!free_space_next(&layout->space, from, request->alignment, &piece))
            return no_room(layout, request, layout->ram_end, FREE_SPACE_END);
        uint64_t size = piece.end - piece.start;

        size = left <= size ? left : size & ~(request->alignment - 1);
        from = piece.end;
        if (size == 0)
            continue;
        if (!add_placement(layout, request, piece.start, size))
            return VMR_E_NOMEM;
        left -= size;
        layout->ram_end = piece.start + size;
    }
    return VMR_OK;
}

static uint64_t top_of(const struct layout *layout)
{
    uint64_t top = 0;

    for (size_t i = 0; i < layout->placed_count; i++) {
        if (layout->placed[i].phase != VMR_LAYOUT_RESERVED && layout->placed[i].range.end > top)
            top = layout->placed[i].range.end;
    }
    return top;
}

static enum vmr_status place_one(struct layout *layout, const struct vmr_layout_request *request)
{
    switch (request->phase) {
    case VMR_LAYOUT_RESERVED:
    case VMR_LAYOUT_FIXED:
        return add_placement(layout, request, request->start, request->size) ? VMR_OK : VMR_E_NOMEM;
    case VMR_LAYOUT_MMIO32:
        return place_high(layout, request);
    case VMR_LAYOUT_RAM:
        return place_ram(layout, request);
    case VMR_LAYOUT_MMIO64:
        return place_low(layout, request, layout->ram_end > FOUR_GIB ? layout->ram_end : FOUR_GIB);
    case VMR_LAYOUT_POST_MMIO:
        return place_low(layout, request, top_of(layout));
    case VMR_LAYOUT_PHASE_COUNT:
        break;
    }
    return VMR_E_USAGE;
}

static bool goes_by_size(enum vmr_layout_phase phase)
{
    return phase == VMR_LAYOUT_MMIO32 || phase == VMR_LAYOUT_MMIO64;
}

/* Phase by phase; where it goes by size, the larger alignment, then the larger size; else as they came. [LAY-4] */
static int by_turn(const void *a, const void *b)
{
    const struct vmr_layout_request *left = *(const struct vmr_layout_request *const *)a;
    const struct vmr_layout_request *right = *(const struct vmr_layout_request *const *)b;

    if (left->phase != right->phase)
        return left->phase < right->phase ? -1 : 1;
    if (goes_by_size(left->phase) && left->alignment != right->alignment)
        return left->alignment > right->alignment ? -1 : 1;
    if (goes_by_size(left->phase) && left->size != right->size)
        return left->size > right->size ? -1 : 1;
    return left < right ? -1 : 1;
}

static enum vmr_status place_all(struct layout *layout)
{
    const struct vmr_layout_request **turns = calloc(layout->count + 1, sizeof(*turns));
    enum vmr_status status = VMR_OK;

    if (!turns)
        return VMR_E_NOMEM;
    for (size_t i = 0; i < layout->count; i++)
        turns[i] = &layout->requests[i];
    if (layout->count > 0)
        qsort(turns, layout->count, sizeof(*turns), by_turn);
    for (size_t i = 0; i < layout->count && status == VMR_OK; i++)
        status = place_one(layout, turns[i]);
    free(turns);
    return status;
}

static int by_address(const void *a, const void *b)
{
    const struct vmr_placement *left = a, *right = b;

    return left->range.start < right->range.start ? -1 : left->range.start > right->range.start;
}

/* What was only kept free at the end is nothing that anybody need know. */
static void finish_order(struct layout *layout)
{
    if (layout->placed_count > 0)
        qsort(layout->placed, layout->placed_count, sizeof(*layout->placed), by_address);
    while (layout->placed_count > 0 && layout->placed[layout->placed_count - 1].phase == VMR_LAYOUT_RESERVED)
        layout->placed_count--;
}

enum vmr_status vmr_layout_place(const struct vmr_layout_request *requests, size_t count,
                                 struct vmr_placement **ret_placements, size_t *ret_count,
                                 struct vmr_config_report *report)
{
    struct layout layout = {.requests = requests, .count = count, .report = report};
    enum vmr_status status = check_all(&layout);

    if (status == VMR_OK && !free_space_init(&layout.space))
        status = VMR_E_NOMEM;
    if (status == VMR_OK)
        status = place_all(&layout);
    free_space_finish(&layout.space);
    if (status != VMR_OK) {
        free(layout.placed);
        return status;
    }
    finish_order(&layout);
    *ret_placements = layout.placed;
    *ret_count = layout.placed_count;
    return VMR_OK;
}
