/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hypervisor that keeps the registers it is told, and a clock of its own:
 * struct vmr_synic_offload for a rig whose context begins with it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "vmrig/hv_guest.h"
#include "vmrig/synic.h"

#define TOLD_VPS 3u

struct told {
    uint64_t registers[TOLD_VPS][HV_MSR_COUNT];
    unsigned writes[TOLD_VPS][HV_MSR_COUNT];
    uint64_t time;
    bool fails; /* whatever is asked */
};

static inline bool told_get(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    const struct told *told = context;

    *ret_value = told->registers[vp][index - HV_MSR_FIRST];
    return !told->fails;
}

static inline bool told_set(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    struct told *told = context;

    if (told->fails)
        return false;
    told->registers[vp][index - HV_MSR_FIRST] = value;
    told->writes[vp][index - HV_MSR_FIRST]++;
    return true;
}

static inline bool told_get_time(void *context, uint64_t *ret_count)
{
    const struct told *told = context;

    *ret_count = told->time;
    return !told->fails;
}

static inline bool told_set_time(void *context, uint64_t count)
{
    struct told *told = context;

    if (!told->fails)
        told->time = count;
    return !told->fails;
}

static const struct vmr_synic_offload told_ops = {
    .get_register = told_get, .set_register = told_set, .get_time = told_get_time, .set_time = told_set_time};

static inline unsigned told_writes(const struct told *told, vmr_vp_index vp, uint32_t index)
{
    return told->writes[vp][index - HV_MSR_FIRST];
}

static inline uint64_t told_value(const struct told *told, vmr_vp_index vp, uint32_t index)
{
    return told->registers[vp][index - HV_MSR_FIRST];
}

static inline void told_forget(struct told *told)
{
    memset(told->writes, 0, sizeof(told->writes));
}
