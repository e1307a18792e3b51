/* SPDX-License-Identifier: MIT */
/*
 * Reference time. The lock makes each reading belong to one origin: a reader
 * that mixed two could see time go back.
 */

#include "lib/hv/reference_time.h"

#include "lib/base/checked.h"

#define UNIT_NS 100u

static uint64_t host_now(const struct vmr_host *host)
{
    return host->ops->now_ns(host->context);
}

enum vmr_status reference_time_init(struct reference_time *time, const struct vmr_host *host)
{
    enum vmr_status status = sync_mutex_init(&time->lock, host);

    if (status)
        return status;
    time->host = host;
    time->origin_ns = host_now(host);
    time->base = 0;
    time->paused = false;
    return VMR_OK;
}

void reference_time_finish(struct reference_time *time)
{
    sync_mutex_finish(&time->lock);
}

static uint64_t count_at(const struct reference_time *time, uint64_t now_ns)
{
    if (time->paused || now_ns <= time->origin_ns)
        return time->base;
    return time->base + (now_ns - time->origin_ns) / UNIT_NS;
}

uint64_t reference_time_at(struct reference_time *time, uint64_t now_ns)
{
    sync_mutex_lock(&time->lock);
    uint64_t count = count_at(time, now_ns);

    sync_mutex_unlock(&time->lock);
    return count;
}

uint64_t reference_time_now(struct reference_time *time)
{
    sync_mutex_lock(&time->lock);
    /* Read under the lock: a time from before a pause, counted after it, would be too late. */
    uint64_t count = count_at(time, host_now(time->host));

    sync_mutex_unlock(&time->lock);
    return count;
}

static uint64_t deadline_ns(const struct reference_time *time, uint64_t count)
{
    uint64_t ahead = count - time->base; /* also across the wrap of the count */
    uint64_t ns;

    if (time->paused)
        return VMR_NEVER;
    if (!checked_mul_u64(ahead, UNIT_NS, &ns) || !checked_add_u64(ns, time->origin_ns, &ns))
        return VMR_NEVER;
    return ns;
}

uint64_t reference_time_deadline_ns(struct reference_time *time, uint64_t count)
{
    sync_mutex_lock(&time->lock);
    uint64_t ns = deadline_ns(time, count);

    sync_mutex_unlock(&time->lock);
    return ns;
}

void reference_time_pause(struct reference_time *time)
{
    sync_mutex_lock(&time->lock);
    time->base = count_at(time, host_now(time->host));
    time->paused = true;
    sync_mutex_unlock(&time->lock);
}

void reference_time_resume(struct reference_time *time)
{
    sync_mutex_lock(&time->lock);
    if (time->paused) {
        time->origin_ns = host_now(time->host);
        time->paused = false;
    }
    sync_mutex_unlock(&time->lock);
}

void reference_time_set(struct reference_time *time, uint64_t count)
{
    sync_mutex_lock(&time->lock);
    time->base = count;
    time->origin_ns = host_now(time->host);
    sync_mutex_unlock(&time->lock);
}
