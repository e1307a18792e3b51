/* SPDX-License-Identifier: MIT */
/*
 * The power and reset lines: one word that the first request sets. Asked after
 * every exit, so reading it is one load.
 */

#include <stdlib.h>

#include "lib/base/sync.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

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

/* --- state --- */

static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_power_state, reason, "reason", VMR_FIELD_DECIMAL),
    VMR_STATE_FIELD(struct vmr_power_state, value, "value", VMR_FIELD_HEX),
};

const struct vmr_state_type power_state_type = {
    .name = "power",
    .version = 1,
    .size = sizeof(struct vmr_power_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_power_state *state = ret_value;
    uint32_t value;

    (void)err;
    *state = (struct vmr_power_state){.reason = (uint32_t)vmr_power_get(object, &value)};
    state->value = value;
    return VMR_OK;
}

static bool is_request(uint32_t reason)
{
    return reason == VMR_HALT_POWER_OFF || reason == VMR_HALT_RESET || reason == VMR_HALT_HIBERNATE;
}

/* Nobody is told: the request was made, and told, before the state was got. */
static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_power *power = object;
    const struct vmr_power_state *state = value;
    const struct state_check checks[] = {
        STATE_RULE("reason", state->reason, state->reason == VMR_HALT_NONE || is_request(state->reason)),
        STATE_RULE("value", state->value, state->reason != VMR_HALT_NONE || state->value == 0),
    };
    enum vmr_status status = state_check(&power_state_type, checks, STATE_CHECKS(checks), err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&power->lock);
    sync_store_u64(power->host, &power->request, (uint64_t)state->reason << REASON_SHIFT | state->value);
    sync_mutex_unlock(&power->lock);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    (void)object;
    *(struct vmr_power_state *)ret_value = (struct vmr_power_state){0};
}

void vmr_power_state_unit(struct vmr_power *power, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &power_state_type, .object = power, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
