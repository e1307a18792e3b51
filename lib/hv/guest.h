/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files behind vmrig/hv_guest.h share: the object of a partition.
 * Creation and routing are in guest.c, registers that belong to no device in
 * guest_registers.c, calls in guest_call.c, CPUID in identity.c.
 *
 * `lock` guards the partition's registers; each VP's are its thread's alone.
 */

#include "lib/hv/complain.h"
#include "lib/hv/overlay.h"
#include "vmrig/hv_guest.h"

struct guest_vp {
    uint64_t assist_register;
    struct overlay assist_page;
    uint64_t crash_parameters[HV_CRASH_PARAMETER_COUNT];
    struct vmr_hv_site *site; /* the call under way */
};

struct vmr_hv_guest {
    const struct vmr_host *host;
    struct vmr_hv_config config;
    struct vmr_hv_target target;
    uint32_t vp_count;
    uint64_t privileges;
    struct vmr_memory *memory;
    struct vmr_synic *synic;
    struct vmr_hv_calls calls;
    struct complaint broken_handler;
    _Atomic uint32_t calling; /* the hypercall page is there */
    _Atomic uint32_t reset_requested;
    struct sync_mutex lock;
    /* From here on: under the lock. */
    uint64_t os_id;
    uint64_t hypercall_register;
    struct overlay hypercall_page;
    /* From here on: each VP's thread. */
    struct guest_vp vps[];
};

/* --- guest_registers.c: the MSRs that are no device's. NOT_MINE for the SynIC's --- */

enum vmr_msr_result guest_register_read(struct vmr_hv_guest *guest, vmr_vp_index vp, uint32_t index,
                                        uint64_t *ret_value);
enum vmr_msr_result guest_register_write(struct vmr_hv_guest *guest, vmr_vp_index vp, uint32_t index,
                                         uint64_t guest_value);
/* Which of HV_ACCESS_... an MSR needs; 0: none, or no such MSR. */
uint64_t guest_register_privilege(uint32_t index);
void guest_registers_reset(struct vmr_hv_guest *guest);

/* --- guest_call.c --- */

/* Puts the library's handlers into guest->calls. */
void guest_calls_init(struct vmr_hv_guest *guest);
