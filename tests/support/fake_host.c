/* SPDX-License-Identifier: MIT */
/*
 * The POSIX host with another clock and a log that only counts. The POSIX
 * host's other calls do not look at their context, so that it can be ours.
 */

#include "tests/support/fake_host.h"

static uint64_t fake_now_ns(void *context)
{
    struct fake_host *fake = context;

    fake->clock_reads++;
    return fake->now_ns;
}

static void fake_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    struct fake_host *fake = context;

    (void)level;
    (void)culprit;
    (void)message;
    fake->log_lines++;
}

void fake_host_init(struct fake_host *ret_fake, uint64_t now_ns)
{
    struct vmr_host posix;

    vmr_host_posix(&posix, NULL);
    *ret_fake = (struct fake_host){.ops = *posix.ops, .now_ns = now_ns};
    ret_fake->ops.now_ns = fake_now_ns;
    ret_fake->ops.log = fake_log;
    ret_fake->host = (struct vmr_host){.ops = &ret_fake->ops, .context = ret_fake};
}
