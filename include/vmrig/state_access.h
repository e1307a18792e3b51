/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of partitions and VPs: reading and writing it class by class, and
 * putting it back to power-up.
 *
 *   for (id = (struct vmr_state_id){0}; vmr_vp_state_find(vp, &id); id.instance++)
 *       vmr_vp_state_get(vp, &id, value, err);           all of a VP, in declared order
 *
 *   reset:   no VP runs ─> vmr_partition_reset ─> vmr_vp_reset on each VP's thread, in any order ─> VPs run
 *   scrub:   no VP runs ─> vmr_partition_scrub(vtl) ─> vmr_vp_scrub(vtl) on each VP's thread ─> VPs run
 *
 * A reset or scrub that fails anywhere leaves the partition unusable: no VP
 * runs, until a later vmr_partition_reset and the reset of every VP have
 * succeeded. A scrub does not repair what a reset left. [RST-3]
 *
 * Neither touches guest RAM; loading firmware again is the embedder's, as is
 * what devices of his own hold. vmr_machine_reset does all of it.
 */

#include "vmrig/partition.h"
#include "vmrig/x86_state.h"

VMR_BEGIN_DECLS

/*
 * The first state at or behind `id` that is there, in declared order: by class,
 * then VTL, then instance. False, and `id` unchanged: there is none. What is
 * there depends on the capabilities and the configuration alone, but for
 * VMR_VM_VTL_PAGES. [STATE-3]
 */
VMR_API bool vmr_vp_state_find(const struct vmr_vp *vp, struct vmr_state_id *id);
VMR_API bool vmr_partition_state_find(struct vmr_partition *partition, struct vmr_state_id *id);

/*
 * `ret_value` and `value` are structs of the class. Get is whole: with an error
 * nothing is written. VMR_E_UNSUPPORTED, naming the class: it is not there.
 * VMR_E_STATE: an exit is unfinished, or the VP runs. Set may be given anything:
 * VMR_E_CONFIG, naming class and field, for values that no processor holds, and
 * nothing has changed. In declared order what was got can always be set again,
 * on any partition that has the class and was built alike. [STATE-4]
 *
 * VP: its thread, between runs. Partition: VPs stopped.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_state_get(struct vmr_vp *vp, const struct vmr_state_id *id,
                                                        void *ret_value, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_state_set(struct vmr_vp *vp, const struct vmr_state_id *id,
                                                        const void *value, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_state_get(struct vmr_partition *partition,
                                                               const struct vmr_state_id *id, void *ret_value,
                                                               struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_state_set(struct vmr_partition *partition,
                                                               const struct vmr_state_id *id, const void *value,
                                                               struct vmr_error *err);
/* What it holds at power-up. The state is there. */
VMR_API void vmr_vp_state_at_reset(const struct vmr_vp *vp, const struct vmr_state_id *id, void *ret_value);
VMR_API void vmr_partition_state_at_reset(struct vmr_partition *partition, const struct vmr_state_id *id,
                                          void *ret_value);
/*
 * Whether two readings without a guest instruction between them are equal. A
 * state that is not (a clock that the hypervisor does not let stand still) is
 * left out of comparisons; its fields that move are in any case.
 */
VMR_API bool vmr_vp_state_is_comparable(const struct vmr_vp *vp, const struct vmr_state_id *id);

/*
 * Takes in what other threads queued for the VP (an NMI, a start, a wake), so
 * that its state holds it. Before saving; runs no guest instruction. The VP's
 * thread, between runs. [SNAP-9]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_flush_async_requests(struct vmr_vp *vp);

/*
 * What the library's run loop goes by between two runs of a VP, beside its state. A machine that is restored finds it
 * out again; only a replay that begins in the middle has to go on exactly as the recorded machine did.
 */
struct vmr_loop_state {
    bool interrupt_ready;   /* the last exit said so, and nothing was injected since */
    bool recheck;           /* the interrupt controllers are asked before the next entry */
    bool window_requested;  /* of the hypervisor */
    bool wake, nmi;         /* asked for by other threads, and not taken in */
    uint8_t tpr, guest_tpr; /* CR8, as the hypervisor was last told, and as the last exit said */
    uint64_t deadline_ns;   /* the controllers' next timer; VMR_NEVER */
};
/* VPs stopped. VMR_E_STATE: the VP runs, or an exit is unfinished; VMR_E_UNSUPPORTED with the Hyper-V interface. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_get_loop_state(struct vmr_partition *partition, vmr_vp_index vp,
                                                                    struct vmr_loop_state *ret_state,
                                                                    struct vmr_error *err);
/* Also forgets what other threads asked of the VP but for stops, kicks and yields. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_set_loop_state(struct vmr_partition *partition, vmr_vp_index vp,
                                                                    const struct vmr_loop_state *state,
                                                                    struct vmr_error *err);

/*
 * All of the partition's own state to power-up, in every VTL, the built-in or
 * attached interrupt controllers and the reference time included; page
 * protections are gone, pages that were accepted stay so. What others hold
 * stays: ports, monitor registrations, event fds, doorbells, routes that
 * devices set. From here until every VP was reset no VP runs, and what is
 * posted to VPs waits: it is delivered after the reset, never before, never
 * lost. A VP that has failed is well again after its part [HALT-2]. VMR_E_STATE,
 * and nothing done, while a VP runs, and once one that had failed was unbound;
 * VMR_E_UNSUPPORTED where the hypervisor does not give registers away;
 * else what failed, named. Any thread, not a VP's in a run. [RST-1]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_reset(struct vmr_partition *partition, struct vmr_error *err);
/*
 * The VP's part: every class at its power-up value, the exit before, pending
 * events and debug state forgotten; stops, kicks and yields stay. VMR_E_STATE without a successful
 * vmr_partition_reset before it, for each one once. The VP's thread. [RST-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_reset(struct vmr_vp *vp, struct vmr_error *err);
/*
 * Around the setting of many states that only make sense together: from begin on
 * the partition is unusable, and stays so unless end comes. VMR_E_STATE while a
 * VP runs, or in the middle of a reset. Any thread. [SNAP-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_restore_begin(struct vmr_partition *partition,
                                                                   struct vmr_error *err);
VMR_API void vmr_partition_restore_end(struct vmr_partition *partition);
/* Whether VPs may run. Any thread. */
VMR_API bool vmr_partition_is_usable(struct vmr_partition *partition);

/*
 * One VTL alone to power-up: for starting its software again under a guest that
 * lives on. Page protections, the reference time, lower VTLs and what waits for
 * them stay; VTL 2 stays enabled. VMR_E_UNSUPPORTED without VTLs, and for VTL 0.
 * [RST-9]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_partition_scrub(struct vmr_partition *partition, uint8_t vtl,
                                                           struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vp_scrub(struct vmr_vp *vp, uint8_t vtl, struct vmr_error *err);

/*
 * What an embedder wants VPs to begin with instead of power-up, applied by each
 * vmr_vp_set_initial_regs on the VP's thread: `regs` on the boot processor only;
 * MTRRs and PAT, where given, on every VP. If the partition has run since its
 * last reset, `vtl` must have been scrubbed or reset before: VMR_E_STATE
 * otherwise. [RST-10]
 */
struct vmr_initial_regs {
    const struct vmr_x86_regs *regs;
    const struct vmr_x86_mtrr_state *mtrrs;
    const uint64_t *pat;
};
VMR_API VMR_MUST_CHECK enum vmr_status
vmr_vp_set_initial_regs(struct vmr_vp *vp, uint8_t vtl, const struct vmr_initial_regs *initial, struct vmr_error *err);

VMR_END_DECLS
