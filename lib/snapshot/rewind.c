/* SPDX-License-Identifier: MIT */
/*
 * A point in memory, and the way back: the pages that the dirty log names, then
 * the clock, then every state in declared order, as a restore sets them.
 *
 * Pages are kept in the runs in which they lie; what is in no run was zero.
 * Putting pages back is writing, and is logged like any other; a second look at
 * the log forgets it. [RWD-1]
 */

#include "vmrig/rewind.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/snapshot/bitmaps.h"
#include "lib/snapshot/snapshot.h"

struct point_run {
    vmr_gpa gpa;
    uint64_t size;
    uint8_t *bytes;
};

struct point_state {
    struct vmr_snapshot_state name; /* `value` is owned */
    const struct vmr_state_unit *unit;
    void *value;
};

/* What grows while the point is made. */
struct list {
    size_t count, capacity;
};

struct vmr_rewind {
    struct vmr_snapshot_parts parts;
    struct vmr_state_unit *units; /* a copy, which `parts` names */
    struct vmr_memory *memory;
    struct point_run *runs; /* ascending, disjoint */
    struct point_state *states;
    struct list run_list, state_list;
    struct bitmaps bitmaps; /* of the regions that there were */
    bool logs;
    bool clock_ran;
    uint64_t clock_ns;
    size_t cursor; /* the next state, on the way back */
    void *scratch; /* STATE_VALUE_MAX bytes, while the point is made */
};

static enum vmr_status no_memory(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_NOMEM, "rewind: out of memory");
}

/* Room for one more item. NULL: out of memory, and what there was is still there. */
static void *grow(void *items, struct list *list, size_t item_size)
{
    if (list->count < list->capacity)
        return items;
    size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
    void *larger = realloc(items, capacity * item_size);

    if (larger)
        list->capacity = capacity;
    return larger;
}

/* --- making the point --- */

static enum vmr_status keep_run(void *context, vmr_gpa gpa, uint32_t count, const void *bytes, struct vmr_error *err)
{
    struct vmr_rewind *rewind = context;
    size_t size = (size_t)count * VMR_PAGE_SIZE;
    struct point_run *runs = grow(rewind->runs, &rewind->run_list, sizeof(*runs));
    uint8_t *copy = malloc(size);

    if (runs)
        rewind->runs = runs;
    if (!runs || !copy) {
        free(copy);
        return no_memory(err);
    }
    memcpy(copy, bytes, size);
    runs[rewind->run_list.count++] = (struct point_run){.gpa = gpa, .size = size, .bytes = copy};
    return VMR_OK;
}

static enum vmr_status keep_state(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct vmr_rewind *rewind = context;
    struct point_state *states = grow(rewind->states, &rewind->state_list, sizeof(*states));

    if (!states)
        return no_memory(err);
    rewind->states = states;
    enum vmr_status status = state_place_get(place, rewind->scratch, err);

    if (status)
        return status;
    struct point_state *state = &states[rewind->state_list.count];

    *state = (struct point_state){.name = place->state, .unit = place->unit, .value = malloc(place->state.type->size)};
    if (!state->value)
        return no_memory(err);
    memcpy(state->value, rewind->scratch, place->state.type->size);
    rewind->state_list.count++;
    return VMR_OK;
}

static enum vmr_status keep_vm(struct vmr_rewind *rewind, struct vmr_error *err)
{
    const struct pages_sink pages = {.emit = keep_run, .context = rewind};
    const struct state_visitor visitor = {.visit = keep_state, .context = rewind};
    enum vmr_status status = states_visit_all(&rewind->parts, true, NULL, err);

    if (!status)
        status = states_visit_all(&rewind->parts, false, &visitor, err);
    if (!status)
        status = vmr_memory_dirty_start(rewind->memory, err);
    rewind->logs = status == VMR_OK;
    return status ? status : pages_each(rewind->memory, &pages, err);
}

/* The states and the time are of one moment. */
static enum vmr_status keep_at_rest(struct vmr_rewind *rewind, struct vmr_error *err)
{
    struct vmr_vm_clock *clock = rewind->parts.clock;

    rewind->clock_ran = clock && !vmr_vm_clock_is_paused(clock);
    if (rewind->clock_ran && vmr_vm_clock_pause(clock))
        return vmr_error_set(err, VMR_E_STATE, "rewind: somebody else pauses the clock");
    enum vmr_status status = keep_vm(rewind, err);

    if (clock)
        rewind->clock_ns = vmr_vm_clock_now(clock);
    if (rewind->clock_ran && vmr_vm_clock_resume(clock) && !status)
        status = vmr_error_set(err, VMR_E_STATE, "rewind: somebody else resumed the clock");
    return status;
}

static enum vmr_status point_init(struct vmr_rewind *rewind, const struct vmr_snapshot_parts *parts,
                                  struct vmr_error *err)
{
    size_t size = parts->unit_count * sizeof(*parts->units);

    rewind->parts = *parts;
    rewind->memory = vmr_partition_memory(parts->partition);
    rewind->units = malloc(size > 0 ? size : 1);
    rewind->scratch = malloc(STATE_VALUE_MAX);
    if (!rewind->units || !rewind->scratch || !bitmaps_init(&rewind->bitmaps, rewind->memory))
        return no_memory(err);
    if (size > 0)
        memcpy(rewind->units, parts->units, size);
    rewind->parts.units = rewind->units;
    return VMR_OK;
}

enum vmr_status vmr_rewind_create(const struct vmr_snapshot_parts *parts, struct vmr_rewind **ret_rewind,
                                  struct vmr_error *err)
{
    if (!vmr_partition_is_usable(parts->partition))
        return vmr_error_set(err, VMR_E_STATE, "rewind: the partition is unusable until it is reset");
    struct vmr_rewind *rewind = calloc(1, sizeof(*rewind));

    if (!rewind)
        return no_memory(err);
    enum vmr_status status = point_init(rewind, parts, err);

    if (!status)
        status = keep_at_rest(rewind, err);
    free(rewind->scratch);
    rewind->scratch = NULL;
    if (status)
        vmr_rewind_destroy(rewind);
    else
        *ret_rewind = rewind;
    return status;
}

void vmr_rewind_destroy(struct vmr_rewind *rewind)
{
    if (!rewind)
        return;
    if (rewind->logs)
        (void)vmr_memory_dirty_stop(rewind->memory, NULL);
    for (size_t i = 0; i < rewind->run_list.count; i++)
        free(rewind->runs[i].bytes);
    for (size_t i = 0; i < rewind->state_list.count; i++)
        free(rewind->states[i].value);
    bitmaps_finish(&rewind->bitmaps);
    free(rewind->runs);
    free(rewind->states);
    free(rewind->units);
    free(rewind);
}

/* --- what is found wrong before anything has changed --- */

static enum vmr_status check_regions(const struct vmr_rewind *rewind, struct vmr_error *err)
{
    const struct bitmaps *bitmaps = &rewind->bitmaps;
    struct vmr_memory_region region;
    size_t i = 0;

    while (i < bitmaps->count && vmr_memory_region_get(rewind->memory, i, &region) &&
           region.gpa == bitmaps->items[i].gpa && region.size == bitmaps->items[i].size)
        i++;
    if (i == bitmaps->count && vmr_memory_region_count(rewind->memory) == i)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "rewind: memory region %zu is not what it was", i);
}

static bool is_same_place(const struct point_state *state, const struct state_place *place)
{
    return state->name.scope == place->state.scope && state->name.vp == place->state.vp &&
           state->name.vtl == place->state.vtl && state->name.instance == place->state.instance &&
           state->name.type == place->state.type && state->unit == place->unit;
}

/* The states of VM and devices are those that there were; those of VPs never change. */
static enum vmr_status check_place(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct vmr_rewind *rewind = context;
    char title[STATE_TITLE_MAX];

    if (rewind->cursor < rewind->state_list.count && is_same_place(&rewind->states[rewind->cursor], place)) {
        rewind->cursor++;
        return VMR_OK;
    }
    return vmr_error_set(err, VMR_E_CONFIG, "rewind: section 'state' of %s: it was not there, or not in this place",
                         state_title(place->state.scope, place->state.vp, place->state.vtl, place->state.instance,
                                     place->state.type->name, title));
}

static enum vmr_status check_places(struct vmr_rewind *rewind, struct vmr_error *err)
{
    const struct state_visitor visitor = {.visit = check_place, .context = rewind};

    rewind->cursor = 0;
    enum vmr_status status = states_visit_vm(&rewind->parts, &visitor, err);

    if (status || rewind->cursor == rewind->state_list.count)
        return status;
    const struct vmr_snapshot_state *next = &rewind->states[rewind->cursor].name;
    char title[STATE_TITLE_MAX];

    if (next->scope == VMR_SNAPSHOT_VP)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "rewind: section 'state' of %s: it is no longer there",
                         state_title(next->scope, next->vp, next->vtl, next->instance, next->type->name, title));
}

/* --- back --- */

/* The first run that ends above `gpa`; the count if there is none. */
static size_t first_run(const struct vmr_rewind *rewind, vmr_gpa gpa)
{
    size_t low = 0, high = rewind->run_list.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rewind->runs[middle].gpa + rewind->runs[middle].size > gpa)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* What was kept where it was kept, zeros between. */
static enum vmr_status put_back(struct vmr_rewind *rewind, const struct vmr_dirty_run *dirty, struct vmr_error *err)
{
    size_t index = first_run(rewind, dirty->gpa);
    vmr_gpa at = dirty->gpa, end = dirty->gpa + dirty->size;
    enum vmr_status status = VMR_OK;

    while (at < end && !status) {
        const struct point_run *run = index < rewind->run_list.count ? &rewind->runs[index] : NULL;
        bool inside = run && run->gpa <= at;
        vmr_gpa stop = inside ? run->gpa + run->size : run ? run->gpa : end;

        if (stop > end)
            stop = end;
        if (inside)
            status = vmr_memory_write(rewind->memory, at, run->bytes + (at - run->gpa), (size_t)(stop - at));
        else
            status = vmr_memory_fill(rewind->memory, at, 0, (size_t)(stop - at));
        if (status)
            return vmr_error_set(err, status, "rewind: memory at %#" PRIx64 " cannot be written", at);
        index += inside;
        at = stop;
    }
    return VMR_OK;
}

static enum vmr_status put_pages_back(struct vmr_rewind *rewind, uint64_t *ret_pages, struct vmr_error *err)
{
    struct bitmaps *bitmaps = &rewind->bitmaps;
    enum vmr_status status = bitmaps_take(bitmaps, rewind->memory, err);
    struct vmr_dirty_run run;

    for (size_t i = 0; i < bitmaps->count && !status; i++) {
        const struct vmr_dirty_bitmap *bitmap = &bitmaps->items[i];

        for (vmr_gpa from = bitmap->gpa; !status && vmr_dirty_next(bitmap, from, &run); from = run.gpa + run.size) {
            status = put_back(rewind, &run, err);
            *ret_pages += run.size / VMR_PAGE_SIZE;
        }
    }
    return status;
}

static enum vmr_status set_state(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct vmr_rewind *rewind = context;
    enum vmr_status status = check_place(rewind, place, err);
    struct vmr_error why = {0};

    if (status)
        return status;
    status = state_place_set(place, rewind->states[rewind->cursor - 1].value, &why);
    if (status) {
        char title[STATE_TITLE_MAX];

        return vmr_error_set(err, status, "rewind: %s: %s",
                             state_title(place->state.scope, place->state.vp, place->state.vtl, place->state.instance,
                                         place->state.type->name, title),
                             why.message);
    }
    return VMR_OK;
}

static enum vmr_status put_clock_back(const struct vmr_rewind *rewind, struct vmr_error *err)
{
    return rewind->parts.clock ? states_set_clock(rewind->parts.clock, rewind->clock_ns, err) : VMR_OK;
}

/* Between the first change and the last the partition is unusable. [RWD-3] */
static enum vmr_status apply(struct vmr_rewind *rewind, uint64_t *ret_pages, struct vmr_error *err)
{
    const struct state_visitor visitor = {.visit = set_state, .context = rewind};
    enum vmr_status status = put_pages_back(rewind, ret_pages, err);

    if (!status)
        status = put_clock_back(rewind, err);
    rewind->cursor = 0;
    if (!status)
        status = states_visit_all(&rewind->parts, false, &visitor, err);
    if (status)
        bitmaps_mark_again(&rewind->bitmaps, rewind->memory);
    else
        status = bitmaps_forget_again(&rewind->bitmaps, rewind->memory, err);
    if (!status && rewind->clock_ran && vmr_vm_clock_resume(rewind->parts.clock))
        status = vmr_error_set(err, VMR_E_STATE, "rewind: somebody else resumed the clock");
    return status;
}

enum vmr_status vmr_rewind_back(struct vmr_rewind *rewind, uint64_t *ret_pages, struct vmr_error *err)
{
    uint64_t pages = 0;
    enum vmr_status status = check_regions(rewind, err);

    if (!status)
        status = check_places(rewind, err);
    if (!status)
        status = vmr_partition_restore_begin(rewind->parts.partition, err);
    if (status)
        return status;
    status = apply(rewind, &pages, err);
    if (status)
        return status;
    vmr_partition_restore_end(rewind->parts.partition);
    if (ret_pages)
        *ret_pages = pages;
    return VMR_OK;
}
