/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files behind vmrig/synic.h share: the object of a partition. Ports
 * are in synic_ports.c and guest_ports.c, the monitor page in synic_monitor.c,
 * creation, registers and polls in synic.c, what a hypervisor does itself in
 * synic_offload.c.
 *
 * Order of locks: every lock is taken alone, but for guest memory's, which is
 * innermost. Callbacks run without any; those of the monitor one at a time.
 */

#include "lib/hv/link.h"
#include "lib/hv/monitor.h"
#include "lib/hv/port_map.h"
#include "lib/hv/reference_time.h"
#include "lib/hv/reference_tsc.h"
#include "lib/hv/synic_vp.h"
#include "vmrig/hv_state.h"
#include "vmrig/synic.h"

/* What guest ports of either kind begin with: their place in the list of all. */
struct synic_guest_port {
    struct link *link;
    bool is_event;
    struct synic_guest_port *next, *before;
};

struct vmr_synic {
    struct vmr_synic_options options; /* with vtl_count filled in */
    const struct vmr_host *host;
    struct link *link; /* to handles */
    struct port_map ports;
    struct monitor monitor;
    struct sync_mutex guest_ports_lock;
    struct synic_guest_port *guest_ports; /* those that are there: under the lock */
    _Atomic uint32_t monitor_changing;
    bool has_allocated;         /* the page is the host's: freed at the next change */
    struct reference_time time; /* offloaded: only holds the time while it stands still */
    struct reference_tsc tsc;
    struct sync_mutex tsc_told; /* offloaded: the reference TSC register here and in the hypervisor change together */
    _Atomic uint32_t tsc_untold, paused;
    struct complaint bad_target, unsent, broken_host;
    uint32_t slot_count;
    struct synic_vp vps[]; /* by VP, then by VTL */
};

/* NULL if there is no such VP or VTL. */
struct synic_vp *synic_find(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl);

/* Between them is what another thread than a VP's does to the SynIC. */
void synic_begin(struct vmr_synic *synic, const struct vmr_async *request);
void synic_end(struct vmr_synic *synic);
/* The same of VMR_ASYNC_CALL. */
void synic_call(struct vmr_synic *synic, enum vmr_async_call what, uint64_t argument);

/* Takes every port out, fast paths included. Nobody is inside the link any more. */
void synic_ports_finish(struct vmr_synic *synic);
/* No page; what was allocated is freed. */
void synic_monitor_reset(struct vmr_synic *synic);

/*
 * --- synic_offload.c: with options.offload. All on the VP's thread but for the time, and for what is said of all VPs,
 * which are stopped. ---
 */

/* Whether the register is a timer's, which the hypervisor has. */
bool synic_offload_has(uint32_t index);
enum vmr_msr_result synic_offload_read(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t *ret_value);
enum vmr_msr_result synic_offload_write(struct vmr_synic *synic, vmr_vp_index vp, uint32_t index, uint64_t guest_value);
enum vmr_msr_result synic_offload_write_tsc(struct vmr_synic *synic, vmr_vp_index vp, uint64_t guest_value);
/* The VP's register has changed here: the poll that follows tells the hypervisor. */
void synic_offload_changed(struct synic_vp *vp, uint32_t index);
/* Every register of the VP but the timers has, and so has the reference TSC register of the partition. */
void synic_offload_restored(struct synic_vp *vp);
void synic_offload_tsc_restored(struct vmr_synic *synic);
/* The timers, as the hypervisor has them. False: it does not tell them, or does not take them and has the old ones. */
bool synic_offload_save_timers(struct vmr_synic *synic, struct synic_vp *vp, struct vmr_hv_stimers_state *ret_state);
bool synic_offload_restore_timers(struct vmr_synic *synic, struct synic_vp *vp,
                                  const struct vmr_hv_stimers_state *state);
/* Everything has. */
void synic_offload_reset(struct vmr_synic *synic);
/* Tells the hypervisor what it does not know. */
void synic_offload_tell(struct vmr_synic *synic, struct synic_vp *vp);
uint64_t synic_offload_time(struct vmr_synic *synic);
void synic_offload_pause(struct vmr_synic *synic);
void synic_offload_resume(struct vmr_synic *synic);
void synic_offload_set_time(struct vmr_synic *synic, uint64_t count);

/* Every VP looks at its timers and pages again before it runs on. VPs stopped. */
void synic_stir_all(struct vmr_synic *synic);

/*
 * --- synic_state.c: the classes of state, each as vmrig/hv_state.h has it. Values may be anything: VMR_E_CONFIG,
 * naming class and field, and nothing changed. Of a VP: its thread. The others: VPs stopped. ---
 */

void synic_save(struct synic_vp *vp, struct vmr_hv_synic_state *ret_state);
enum vmr_status synic_restore(struct vmr_synic *synic, struct synic_vp *vp, const struct vmr_hv_synic_state *state,
                              struct vmr_error *err);
/* VMR_VP_SIMP, VMR_VP_SIEFP */
void synic_save_page(struct synic_vp *vp, enum vmr_vp_class vp_class, struct vmr_hv_page_state *ret_state);
enum vmr_status synic_restore_page(struct synic_vp *vp, enum vmr_vp_class vp_class,
                                   const struct vmr_hv_page_state *state, struct vmr_error *err);
void synic_save_queue(struct synic_vp *vp, unsigned sint, struct vmr_hv_queue_state *ret_state);
enum vmr_status synic_restore_queue(struct vmr_synic *synic, struct synic_vp *vp, unsigned sint,
                                    const struct vmr_hv_queue_state *state, struct vmr_error *err);
/* VMR_E_HOST: the hypervisor has the timers, and does not tell or take them. */
enum vmr_status synic_save_stimers(struct vmr_synic *synic, struct synic_vp *vp, struct vmr_hv_stimers_state *ret_state,
                                   struct vmr_error *err);
enum vmr_status synic_restore_stimers(struct vmr_synic *synic, struct synic_vp *vp,
                                      const struct vmr_hv_stimers_state *state, struct vmr_error *err);
/* Not as vmr_synic_time_set: what is in RAM is not touched before a VP is about to run. */
void synic_restore_time(struct vmr_synic *synic, uint64_t count);
enum vmr_status synic_restore_tsc(struct vmr_synic *synic, const struct vmr_hv_tsc_state *state, struct vmr_error *err);
/* synic_monitor.c. VMR_E_STATE, VMR_E_HOST and the like: the page cannot be trapped. */
void synic_save_monitor(struct vmr_synic *synic, struct vmr_hv_monitor_state *ret_state);
enum vmr_status synic_restore_monitor(struct vmr_synic *synic, const struct vmr_hv_monitor_state *state,
                                      struct vmr_error *err);
