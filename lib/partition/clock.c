/* SPDX-License-Identifier: MIT */
/*
 * The clock thread: sleeps until the earliest deadline any VP has published,
 * then wakes the VPs whose deadline has passed. A VP publishes on its own thread
 * before it enters the guest; a deadline earlier than the one slept for unparks.
 */

#include "lib/partition/clock.h"

#include <stdlib.h>

#include "lib/partition/partition.h"

struct vp_clock {
    struct vmr_partition *partition;
    const struct vmr_host *host;
    struct sync_mutex lock; /* guards the rest */
    struct vmr_parker *parker;
    struct vmr_thread *thread;
    uint64_t armed_ns;
    bool quit;
    uint32_t vp_count;
    uint64_t deadlines_ns[];
};

static void clock_deadline(void *context, vmr_vp_index vp, uint64_t deadline_ns)
{
    struct vp_clock *clock = context;

    sync_mutex_lock(&clock->lock);
    bool sooner = deadline_ns < clock->armed_ns;

    clock->deadlines_ns[vp] = deadline_ns;
    sync_mutex_unlock(&clock->lock);
    if (sooner)
        clock->host->ops->unpark(clock->host->context, clock->parker);
}

/* The next VP whose deadline has passed, which is then forgotten; vp_count if there is none. */
static vmr_vp_index take_due(struct vp_clock *clock, uint64_t now_ns)
{
    vmr_vp_index due = clock->vp_count;

    sync_mutex_lock(&clock->lock);
    for (vmr_vp_index i = 0; i < clock->vp_count && due == clock->vp_count; i++) {
        if (clock->deadlines_ns[i] <= now_ns)
            due = i;
    }
    if (due < clock->vp_count)
        clock->deadlines_ns[due] = VMR_NEVER;
    sync_mutex_unlock(&clock->lock);
    return due;
}

/* Arms for the earliest deadline; false when the thread is to end. */
static bool arm(struct vp_clock *clock, uint64_t *ret_deadline_ns)
{
    sync_mutex_lock(&clock->lock);
    clock->armed_ns = VMR_NEVER;
    for (vmr_vp_index i = 0; i < clock->vp_count; i++) {
        if (clock->deadlines_ns[i] < clock->armed_ns)
            clock->armed_ns = clock->deadlines_ns[i];
    }
    *ret_deadline_ns = clock->armed_ns;
    bool go_on = !clock->quit;

    sync_mutex_unlock(&clock->lock);
    return go_on;
}

static void clock_main(void *argument)
{
    struct vp_clock *clock = argument;
    const struct vmr_host *host = clock->host;
    uint64_t deadline_ns;

    while (arm(clock, &deadline_ns)) {
        if (host->ops->park(host->context, clock->parker, deadline_ns) == VMR_PARK_DEADLOCK)
            return;
        uint64_t now_ns = host->ops->now_ns(host->context);

        for (vmr_vp_index vp = take_due(clock, now_ns); vp < clock->vp_count; vp = take_due(clock, now_ns))
            vmr_partition_wake(clock->partition, vp);
    }
}

enum vmr_status vp_clock_create(struct vmr_partition *partition, struct vp_clock **ret_clock)
{
    const struct vmr_host *host = partition->host;

    *ret_clock = NULL;
    if ((!partition->chip_ops && !partition->hv) || partition->clock.deadline)
        return VMR_OK;
    struct vp_clock *clock = calloc(1, sizeof(*clock) + partition->vp_count * sizeof(clock->deadlines_ns[0]));

    if (!clock)
        return VMR_E_NOMEM;
    clock->partition = partition;
    clock->host = host;
    clock->armed_ns = VMR_NEVER;
    clock->vp_count = partition->vp_count;
    for (uint32_t i = 0; i < clock->vp_count; i++)
        clock->deadlines_ns[i] = partition->vps[i].deadline_ns; /* from earlier runs: only changes are published */
    enum vmr_status status = sync_mutex_init(&clock->lock, host);

    if (!status)
        status = host->ops->parker_create(host->context, &clock->parker);
    /* A replay brings the wakes itself. VPs must still see a clock, or they would watch their deadlines themselves. */
    if (!status && !(partition->backend->flags & VMR_BACKEND_REPLAYS))
        status = host->ops->thread_start(host->context, "vmrig-clock", clock_main, clock, &clock->thread);
    if (status) {
        vp_clock_destroy(clock);
        return status;
    }
    partition->clock = (struct partition_clock){.deadline = clock_deadline, .context = clock};
    *ret_clock = clock;
    return VMR_OK;
}

void vp_clock_destroy(struct vp_clock *clock)
{
    if (!clock)
        return;
    const struct vmr_host *host = clock->host;

    clock->partition->clock = (struct partition_clock){0};
    if (clock->thread) {
        sync_mutex_lock(&clock->lock);
        clock->quit = true;
        sync_mutex_unlock(&clock->lock);
        host->ops->unpark(host->context, clock->parker);
        host->ops->thread_join(host->context, clock->thread);
    }
    host->ops->parker_destroy(host->context, clock->parker);
    sync_mutex_finish(&clock->lock);
    free(clock);
}
