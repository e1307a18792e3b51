/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Starting a VP with registers of the guest's choice, from another VP's thread.
 *
 * Only the VP's own thread knows whether it waits for a start-up IPI, so it is
 * asked, and nobody waits for it: the call that asks is repeated by the guest
 * until the answer is there. Two VPs that start each other get two answers.
 *
 *   FREE ──start_ask──> ASKED ──start_take, the VP's thread──> DONE or REFUSED ──start_ask of the same VP──> FREE
 */

#include "lib/partition/partition.h"

/* Asks, or collects the answer. The thread of VP `caller`, out of the guest. */
enum vmr_hv_start_end start_ask(struct vmr_vp *vp, struct vmr_vp *caller, const struct vmr_hv_initial *start);

/* When REQUEST_START was seen: starts the VP if it may. A failure of the backend is the VP's. The VP's thread. */
enum vmr_status start_take(struct vmr_vp *vp);

/* Nobody asks any more. VPs stopped. */
void start_forget(struct vmr_vp *vp);

/* Gives the VP new registers, all but its APIC base, which neither INIT nor a start changes. The VP's thread. */
enum vmr_status start_registers(struct vmr_vp *vp, const struct vmr_x86_regs *initial);
