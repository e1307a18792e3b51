/* SPDX-License-Identifier: MIT */
/* Queues and timers of a VM, found in the values of its states. */

#include "lib/snapshot/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "vmrig/device_state.h"
#include "vmrig/host.h"
#include "vmrig/hv_state.h"

/* Room for one more of `size` bytes. */
static bool make_room(void **items, size_t count, size_t *capacity, size_t size)
{
    size_t larger = *capacity ? 2 * *capacity : 16;
    void *moved;

    if (count < *capacity)
        return true;
    moved = realloc(*items, larger * size);
    if (!moved)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

static bool add_queue(struct waiting *waiting, const struct vmr_snapshot_state *state, uint32_t count)
{
    void *items = waiting->queues;

    if (count == 0)
        return true;
    if (!make_room(&items, waiting->queue_count, &waiting->queue_capacity, sizeof(waiting->queues[0])))
        return false;
    waiting->queues = items;
    waiting->queues[waiting->queue_count++] =
        (struct waiting_queue){.vp = state->vp, .vtl = state->vtl, .sint = state->instance, .count = count};
    return true;
}

static bool add_timer(struct waiting *waiting, const struct waiting_timer *timer)
{
    void *items = waiting->timers;

    if (!make_room(&items, waiting->timer_count, &waiting->timer_capacity, sizeof(waiting->timers[0])))
        return false;
    waiting->timers = items;
    waiting->timers[waiting->timer_count++] = *timer;
    return true;
}

/* One that has changed is armed at the VP's next entry, by its count: when it is due follows then. */
static bool add_stimers(struct waiting *waiting, const struct vmr_snapshot_state *state)
{
    const struct vmr_hv_stimers_state *stimers = state->value;

    for (uint32_t i = 0; i < HV_STIMER_COUNT; i++) {
        const struct vmr_hv_stimer_state *timer = &stimers->timers[i];
        const struct waiting_timer found = {.name = timer->stalled ? "stimer-stalled" : "stimer",
                                            .clock = "reference-time",
                                            .vp = state->vp,
                                            .vtl = state->vtl,
                                            .index = i,
                                            .due = timer->changed ? timer->count : timer->due};

        if ((timer->config & HV_STIMER_ENABLE) != 0 && timer->count != 0 && !add_timer(waiting, &found))
            return false;
    }
    return true;
}

static bool add_simple(struct waiting *waiting, const struct vmr_snapshot_state *state, const char *clock, uint64_t due)
{
    const struct waiting_timer found = {.name = state->type->name,
                                        .clock = clock,
                                        .vp = state->scope == VMR_SNAPSHOT_DEVICE ? state->instance : state->vp,
                                        .vtl = state->vtl,
                                        .due = due};

    return add_timer(waiting, &found);
}

bool waiting_note(struct waiting *waiting, const struct vmr_snapshot_state *state)
{
    const struct vmr_state_type *type = state->type;

    if (type == vmr_vp_class_type(VMR_VP_MESSAGE_QUEUE))
        return add_queue(waiting, state, ((const struct vmr_hv_queue_state *)state->value)->count);
    if (type == vmr_vp_class_type(VMR_VP_STIMERS))
        return add_stimers(waiting, state);
    if (type == vmr_vp_class_type(VMR_VP_APIC)) {
        uint64_t left_ns = ((const struct vmr_x86_apic_state *)state->value)->timer_ns;

        return left_ns == VMR_NEVER || add_simple(waiting, state, "ns-left", left_ns);
    }
    if (type == vmr_vp_class_type(VMR_VP_TSC_DEADLINE)) {
        uint64_t deadline = ((const struct vmr_x86_word_state *)state->value)->value;

        return deadline == 0 || add_simple(waiting, state, "tsc", deadline);
    }
    if (state->scope == VMR_SNAPSHOT_DEVICE && strcmp(type->name, "lapic") == 0 &&
        type->size == sizeof(struct vmr_lapic_state)) {
        uint64_t due_ns = ((const struct vmr_lapic_state *)state->value)->timer_due_ns;

        return due_ns == VMR_NEVER || add_simple(waiting, state, "clock-ns", due_ns);
    }
    return true;
}

void waiting_print(const struct waiting *waiting, struct printing *printing)
{
    print_list_begin(printing, "queues");
    for (size_t i = 0; i < waiting->queue_count; i++) {
        const struct waiting_queue *queue = &waiting->queues[i];

        print_row_begin(printing, "queue");
        print_number(printing, "vp", queue->vp);
        print_number(printing, "vtl", queue->vtl);
        print_number(printing, "sint", queue->sint);
        print_number(printing, "messages", queue->count);
        print_row_end(printing);
    }
    print_list_end(printing);
    print_list_begin(printing, "timers");
    for (size_t i = 0; i < waiting->timer_count; i++) {
        const struct waiting_timer *timer = &waiting->timers[i];

        print_row_begin(printing, "timer");
        print_string(printing, "name", timer->name);
        print_number(printing, "vp", timer->vp);
        print_number(printing, "vtl", timer->vtl);
        print_number(printing, "index", timer->index);
        print_string(printing, "clock", timer->clock);
        print_hex(printing, "due", timer->due);
        print_row_end(printing);
    }
    print_list_end(printing);
}

void waiting_finish(struct waiting *waiting)
{
    free(waiting->queues);
    free(waiting->timers);
    *waiting = (struct waiting){0};
}
