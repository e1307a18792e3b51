/* SPDX-License-Identifier: MIT */
/*
 * The power and reset lines: one word that the first request sets. Asked after
 * every exit, so reading it is one load.
 */

#include <stdlib.h>

#include "lib/base/sync.h"
#include "vmrig/platform.h"

/* Reason and value share a word, so that nobody sees the one without the other. */
#define REASON_SHIFT 32u

struct vmr_power {
    const struct vmr_host *host;
    struct sync_mutex lock;
    struct vmr_power_sink sink;
    _Atomic uint64_t request;
};

enum vmr_status vmr_power_create(const struct vmr_power_options *options, struct vmr_power **ret_power,
                                 struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "power: no host was given");

    struct vmr_power *power = calloc(1, sizeof(*power));

    if (!power || sync_mutex_init(&power->lock, options->host) != VMR_OK) {
        free(power);
        return vmr_error_set(err, VMR_E_NOMEM, "power: out of memory");
    }
    power->host = options->host;
    power->sink = options->sink;
    *ret_power = power;
    return VMR_OK;
}

void vmr_power_destroy(struct vmr_power *power)
{
    if (!power)
        return;
    sync_mutex_finish(&power->lock);
    free(power);
}

bool vmr_power_request(struct vmr_power *power, enum vmr_halt_reason reason, uint32_t value)
{
    sync_mutex_lock(&power->lock);
    bool first = sync_load_u64(power->host, &power->request) == 0;

    if (first)
        sync_store_u64(power->host, &power->request, (uint64_t)reason << REASON_SHIFT | value);
    sync_mutex_unlock(&power->lock);
    if (first && power->sink.requested)
        power->sink.requested(power->sink.context, reason, value);
    return first;
}

enum vmr_halt_reason vmr_power_get(struct vmr_power *power, uint32_t *ret_value)
{
    uint64_t request = sync_load_u64(power->host, &power->request);

    if (ret_value)
        *ret_value = (uint32_t)request;
    return (enum vmr_halt_reason)(request >> REASON_SHIFT);
}

void vmr_power_clear(struct vmr_power *power)
{
    sync_mutex_lock(&power->lock);
    sync_store_u64(power->host, &power->request, 0);
    sync_mutex_unlock(&power->lock);
}
