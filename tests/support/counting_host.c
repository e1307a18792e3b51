/* SPDX-License-Identifier: MIT */
/*
 * A host around the ordinary one: counts, and refuses on demand. Failing
 * allocations are in fail_allocation.c, which only some programs link.
 */

#include "tests/support/counting_host.h"

static struct counting_host *fake_of(void *context)
{
    return context;
}

static bool refuses(struct counting_host *fake)
{
    return atomic_fetch_add(&fake->calls, 1) + 1 == fake->fail_at;
}

static uint64_t fake_now(void *context)
{
    struct counting_host *fake = fake_of(context);
    uint64_t now = atomic_load(&fake->now);

    return now ? now : fake->inner.ops->now_ns(fake->inner.context);
}

static void fake_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    (void)level;
    (void)culprit;
    (void)message;
    (void)atomic_fetch_add(&fake_of(context)->log_lines, 1);
}

static enum vmr_status fake_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                         struct vmr_thread **ret_thread)
{
    struct counting_host *fake = fake_of(context);

    if (refuses(fake))
        return VMR_E_HOST;
    enum vmr_status status = fake->inner.ops->thread_start(fake->inner.context, name, body, argument, ret_thread);

    if (!status)
        (void)atomic_fetch_add(&fake->live_threads, 1);
    return status;
}

static void fake_thread_join(void *context, struct vmr_thread *thread)
{
    struct counting_host *fake = fake_of(context);

    fake->inner.ops->thread_join(fake->inner.context, thread);
    (void)atomic_fetch_sub(&fake->live_threads, 1);
}

static enum vmr_status fake_parker_create(void *context, struct vmr_parker **ret_parker)
{
    struct counting_host *fake = fake_of(context);

    if (refuses(fake))
        return VMR_E_NOMEM;
    enum vmr_status status = fake->inner.ops->parker_create(fake->inner.context, ret_parker);

    if (!status)
        (void)atomic_fetch_add(&fake->live_parkers, 1);
    return status;
}

static void fake_parker_destroy(void *context, struct vmr_parker *parker)
{
    struct counting_host *fake = fake_of(context);

    if (parker)
        (void)atomic_fetch_sub(&fake->live_parkers, 1);
    fake->inner.ops->parker_destroy(fake->inner.context, parker);
}

static enum vmr_park_result fake_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct counting_host *fake = fake_of(context);

    if (fake->deadlocks)
        return VMR_PARK_DEADLOCK;
    return fake->inner.ops->park(fake->inner.context, parker, deadline_ns);
}

static void fake_unpark(void *context, struct vmr_parker *parker)
{
    struct counting_host *fake = fake_of(context);

    (void)atomic_fetch_add(&fake->unparks, 1);
    fake->inner.ops->unpark(fake->inner.context, parker);
}

static const struct vmr_host_ops fake_ops = {
    .now_ns = fake_now,
    .log = fake_log,
    .thread_start = fake_thread_start,
    .thread_join = fake_thread_join,
    .parker_create = fake_parker_create,
    .parker_destroy = fake_parker_destroy,
    .park = fake_park,
    .unpark = fake_unpark,
};

void counting_host_init(struct counting_host *fake, struct vmr_host *ret_host)
{
    *fake = (struct counting_host){0};
    vmr_host_posix(&fake->inner, NULL);
    *ret_host = (struct vmr_host){.ops = &fake_ops, .context = fake};
}
