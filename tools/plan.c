/* SPDX-License-Identifier: MIT */
/*
 * A machine as metadata and back. A recording can come from anywhere, so each
 * value is held against its limit before anything is made of it.
 */

#include "tools/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/matcher.h"
#include "tools/number.h"

#define KIND "small-pc"

static void add_text(struct plan_meta *meta, const char *key, const char *value)
{
    meta->pairs[meta->count++] = (struct vmr_trace_meta){.key = key, .value = value};
}

static void add_number(struct plan_meta *meta, const char *key, uint64_t value)
{
    char *text = meta->texts[meta->count];

    (void)snprintf(text, sizeof(meta->texts[0]), "%" PRIu64, value);
    add_text(meta, key, text);
}

static void add_hash(struct plan_meta *meta, const char *key, uint64_t hash)
{
    char *text = meta->texts[meta->count];

    (void)snprintf(text, sizeof(meta->texts[0]), "%016" PRIx64, hash);
    add_text(meta, key, text);
}

void plan_to_meta(const struct plan *plan, struct plan_meta *ret_meta)
{
    ret_meta->count = 0;
    add_text(ret_meta, "machine", KIND);
    add_number(ret_meta, "memory", plan->memory_size);
    add_number(ret_meta, "vps", plan->vps);
    add_number(ret_meta, "firmware-size", plan->firmware_size);
    add_hash(ret_meta, "firmware-xxh3", XXH3_64bits(plan->firmware, plan->firmware_size));
    add_number(ret_meta, "rtc-epoch", plan->rtc_epoch_s);
    if (plan->until)
        add_text(ret_meta, "until", plan->until);
}

bool plan_until_fits(const char *until)
{
    size_t length = strlen(until);

    if (length == 0 || length > MATCHER_TEXT_MAX)
        return false;
    for (const char *at = until; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    }
    return true;
}

static enum vmr_status read_number(const struct vmr_replay *replay, const char *key, uint64_t min, uint64_t max,
                                   uint64_t *ret_value, struct vmr_error *err)
{
    const char *wire_text = vmr_replay_meta(replay, key);
    uint64_t value;

    if (!wire_text)
        return vmr_error_set(err, VMR_E_CORRUPT, "its metadata has no '%s'", key);
    if (!number_parse(wire_text, &value) || value < min || value > max)
        return vmr_error_set(err, VMR_E_CORRUPT,
                             "its metadata says %s='%.32s': not a number from %" PRIu64 " to %" PRIu64, key, wire_text,
                             min, max);
    *ret_value = value;
    return VMR_OK;
}

enum vmr_status plan_from_replay(const struct vmr_replay *replay, struct plan *ret_plan, struct vmr_error *err)
{
    const char *wire_kind = vmr_replay_meta(replay, "machine");
    uint64_t memory_size = 0, vps = 0, firmware_size = 0, rtc_epoch_s = 0;
    const struct {
        const char *key;
        uint64_t min, max;
        uint64_t *value;
    } rows[] = {
        {"memory", 1, UINT64_C(1) << VMR_PHYSICAL_BITS_MAX, &memory_size},
        {"vps", 1, VMR_VP_COUNT_MAX, &vps},
        {"firmware-size", 1, PLAN_FIRMWARE_MAX, &firmware_size},
        {"rtc-epoch", 0, INT64_MAX, &rtc_epoch_s},
    };

    if (!wire_kind)
        return vmr_error_set(err, VMR_E_CORRUPT, "not a recording of 'vmrig run': its metadata names no machine");
    if (strcmp(wire_kind, KIND) != 0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "its machine is a '%.32s', not a '%s'", wire_kind, KIND);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum vmr_status status = read_number(replay, rows[i].key, rows[i].min, rows[i].max, rows[i].value, err);

        if (status != VMR_OK)
            return status;
    }
    *ret_plan = (struct plan){
        .memory_size = memory_size,
        .vps = (uint32_t)vps,
        .firmware_size = (size_t)firmware_size,
        .rtc_epoch_s = rtc_epoch_s,
        .until = vmr_replay_meta(replay, "until"),
    };
    return VMR_OK;
}

void plan_to_machine(const struct plan *plan, struct vmr_machine_options *ret_options)
{
    *ret_options = (struct vmr_machine_options){
        .memory_size = plan->memory_size,
        .vps = plan->vps,
        .firmware = plan->firmware,
        .firmware_size = plan->firmware_size,
        .rtc_epoch_s = plan->rtc_epoch_s,
    };
}
