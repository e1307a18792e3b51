/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Snapshots of a whole machine, and looking into it.
 *
 *   save:     pause or stop ─> vmr_machine_save ─> resume or start
 *   restore:  vmr_snapshot_open ─> vmr_machine_options_saved ─> vmr_machine_create (the embedder's handle, host,
 * console, clock; firmware of that size, of any content) ─> vmr_machine_restore ─> vmr_machine_start
 */

#include "vmrig/machine.h"
#include "vmrig/rewind.h"
#include "vmrig/snapshot.h"

VMR_BEGIN_DECLS

/*
 * As vmr_snapshot_save; what the machine was made with is a blob of its own. Of a
 * recording only what the flush does is a part, which a replay does again
 * (vmr_replay_follow_flush). VMR_E_STATE
 * while it runs. Not on a VP's thread. [SNAP-1]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_save(struct vmr_machine *machine,
                                                        const struct vmr_snapshot_save_options *options,
                                                        const struct vmr_snapshot_sink *sink, uint64_t *ret_id,
                                                        struct vmr_error *err);
/*
 * What the saved machine was made with: memory_size, vps, firmware_size and
 * rtc_epoch_s; the rest is zero. The firmware itself is in the saved memory.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_options_saved(const struct vmr_snapshot *snapshot,
                                                                 struct vmr_machine_options *ret_options,
                                                                 struct vmr_error *err);
/* As vmr_snapshot_restore, into a machine that has not run. Time stands still until it is started. [SNAP-4] */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_restore(struct vmr_machine *machine,
                                                           struct vmr_snapshot *const *chain, size_t count,
                                                           const struct vmr_snapshot_restore_options *options,
                                                           struct vmr_error *err);
/*
 * As vmr_rewind_create and vmr_rewind_back. A machine that a guest has halted is stopped before it is started again.
 * VMR_E_STATE while it runs. The machine outlives the point, which vmr_rewind_destroy ends. [RWD-1]
 *
 *   start ─> pause ─> vmr_machine_rewind_create ─> { resume ─> pause ─> vmr_machine_rewind_back }* ─>
 * vmr_rewind_destroy
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_rewind_create(struct vmr_machine *machine,
                                                                 struct vmr_rewind **ret_rewind, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_rewind_back(struct vmr_machine *machine, struct vmr_rewind *rewind,
                                                               uint64_t *ret_pages, struct vmr_error *err);
/*
 * As vmr_inspect, of a machine in any state, without harm to it: what runs rests
 * meanwhile and goes on, and neither waits nor the state show it. Time goes on.
 * Not on a VP's thread. [INSP-1]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_inspect(struct vmr_machine *machine, enum vmr_state_format format,
                                                           const struct vmr_text_sink *sink, struct vmr_error *err);

VMR_END_DECLS
