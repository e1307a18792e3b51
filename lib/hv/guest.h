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
#include "lib/hv/device_map.h"
#include "lib/hv/guest_pages.h"
#include "lib/hv/overlay.h"
#include "lib/hv/vtls.h"
#include "vmrig/hv_guest.h"
#include "vmrig/hv_state.h"

/* The VP assist page of one VP at one VTL. */
struct guest_assist {
    uint64_t value; /* of the register */
    struct overlay page;
};

struct guest_vp {
    struct guest_assist *assists; /* by VTL */
    uint64_t crash_parameters[HV_CRASH_PARAMETER_COUNT];
    struct vmr_hv_site *site; /* the call under way */
};

/* What each VTL sets up for itself. */
struct guest_vtl {
    uint64_t os_id;
    uint64_t hypercall_register;
    struct overlay hypercall_page;
    _Atomic uint32_t calling; /* the hypercall page is there */
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
    struct complaint broken_handler, late_access, broken_host;
    struct vtls vtls; /* `highest` is 0: there are none, and of `pages` nothing is used */
    struct guest_pages pages;
    struct guest_assist *assists;
    struct device_map devices;
    _Atomic uint32_t reset_requested;
    _Atomic uint32_t untold; /* offloaded: the hypervisor does not know the registers under the lock; changed there */
    struct sync_mutex lock;
    struct guest_vtl by_vtl[VMR_VTL_COUNT]; /* but for `calling`: under the lock */
    /* From here on: each VP's thread. */
    struct guest_vp vps[];
};

/* Between them is what another thread than a VP's does to the interface. */
void guest_begin(const struct vmr_hv_guest *guest, const struct vmr_async *request);
void guest_end(const struct vmr_hv_guest *guest);

/* --- guest_registers.c: the MSRs that are no device's. NOT_MINE for the SynIC's --- */

struct guest_access {
    vmr_vp_index vp;
    uint8_t vtl;
    uint32_t index;
};
enum vmr_msr_result guest_register_read(struct vmr_hv_guest *guest, const struct guest_access *access,
                                        uint64_t *ret_value);
enum vmr_msr_result guest_register_write(struct vmr_hv_guest *guest, const struct guest_access *access,
                                         uint64_t guest_value);
/* Which of HV_ACCESS_... an MSR needs; 0: none, or no such MSR. */
uint64_t guest_register_privilege(uint32_t index);
void guest_registers_reset(struct vmr_hv_guest *guest);
void guest_hypercall_save(struct vmr_hv_guest *guest, struct vmr_hv_hypercall_state *ret_state);
/* A value that was checked. VPs stopped. */
void guest_hypercall_restore(struct vmr_hv_guest *guest, const struct vmr_hv_hypercall_state *state);
void guest_registers_scrub(struct vmr_hv_guest *guest, uint8_t vtl);
/* Offloaded: tells the hypervisor what it does not know. The VP's thread. */
void guest_registers_tell(struct vmr_hv_guest *guest, vmr_vp_index vp);

/* --- guest_events.c --- */

/* How the SynIC's ports have events of the host's signalled; NULL: not at all. */
const struct vmr_synic_host_events *guest_host_events(const struct vmr_hv_guest *guest);

/* --- guest_call.c --- */

/* Puts the library's handlers into guest->calls. */
void guest_calls_init(struct vmr_hv_guest *guest);

/* --- guest_vtl.c: where there are VTLs --- */

/* A vector of a VTL of a VP; nothing where the VP has not got that VTL. Any thread. */
void guest_raise(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi);

enum vmr_status guest_vtls_init(struct vmr_hv_guest *guest, struct vmr_error *err);
void guest_vtls_finish(struct vmr_hv_guest *guest);
/* Says in the VTL's assist page why it is entered. */
void guest_tell_entry(struct vmr_hv_guest *guest, vmr_vp_index vp, uint8_t vtl, uint32_t reason);

static inline bool guest_has_vtls(const struct vmr_hv_guest *guest)
{
    return guest->vtls.highest > 0;
}

static inline uint32_t guest_vtl_count(const struct vmr_hv_guest *guest)
{
    return guest->vtls.highest + 1u;
}
