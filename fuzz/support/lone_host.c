/* SPDX-License-Identifier: MIT */
/*
 * The one thread's clock, permits and scheduling points: see lone_host.h.
 */

#include "fuzz/support/lone_host.h"

#include <stdlib.h>

#include "fuzz/fuzz.h"

struct vmr_parker {
    bool permit;
};

static uint64_t lone_now(void *context)
{
    return ((struct lone_host *)context)->now_ns;
}

static void lone_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    (void)context;
    (void)level;
    (void)culprit;
    FUZZ_CHECK(message[0] != '\0');
}

static enum vmr_status lone_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                         struct vmr_thread **ret_thread)
{
    (void)context;
    (void)name;
    (void)body;
    (void)argument;
    (void)ret_thread;
    return VMR_E_HOST;
}

static void lone_thread_join(void *context, struct vmr_thread *thread)
{
    (void)context;
    (void)thread;
    FUZZ_NEVER("a thread that was never started is joined");
}

static enum vmr_status lone_parker_create(void *context, struct vmr_parker **ret_parker)
{
    (void)context;
    *ret_parker = calloc(1, sizeof(**ret_parker));
    return *ret_parker ? VMR_OK : VMR_E_NOMEM;
}

static void lone_parker_destroy(void *context, struct vmr_parker *parker)
{
    (void)context;
    free(parker);
}

static enum vmr_park_result lone_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct lone_host *lone = context;

    if (++lone->parks >= lone->park_max && lone->tired)
        lone->tired(lone->context);
    if (parker->permit) {
        parker->permit = false;
        return VMR_PARK_WOKEN;
    }
    if (deadline_ns == VMR_NEVER)
        return VMR_PARK_DEADLOCK;
    if (deadline_ns > lone->now_ns)
        lone->now_ns = deadline_ns;
    return VMR_PARK_TIMEOUT;
}

static void lone_unpark(void *context, struct vmr_parker *parker)
{
    (void)context;
    parker->permit = true;
}

static void lone_point(void *context, const void *object)
{
    struct lone_host *lone = context;

    (void)object;
    if (++lone->points < lone->point_max || !lone->may_call || !lone->tired)
        return;
    lone->may_call = false; /* what it does comes to points as well */
    lone->tired(lone->context);
    lone->may_call = true;
}

/* Nobody else is there to do what is waited for. */
static bool lone_block(void *context, const void *object)
{
    (void)context;
    if (object)
        FUZZ_NEVER("a lock is taken twice");
    return false;
}

static void lone_wake(void *context, const void *object)
{
    (void)context;
    (void)object;
}

static const void *lone_self(void *context)
{
    return context;
}

static const struct vmr_schedule_ops lone_schedule = {lone_point, lone_block, lone_wake, lone_self};

void lone_host_init(struct lone_host *ret_lone)
{
    *ret_lone = (struct lone_host){
        .ops =
            {
                .now_ns = lone_now,
                .log = lone_log,
                .thread_start = lone_thread_start,
                .thread_join = lone_thread_join,
                .parker_create = lone_parker_create,
                .parker_destroy = lone_parker_destroy,
                .park = lone_park,
                .unpark = lone_unpark,
                .schedule = &lone_schedule,
            },
        .point_max = UINT64_MAX,
        .park_max = UINT64_MAX,
    };
    ret_lone->host = (struct vmr_host){.ops = &ret_lone->ops, .context = ret_lone};
}
