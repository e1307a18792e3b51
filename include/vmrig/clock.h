/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The time of a virtual machine: a host whose clock can stand still.
 *
 *   vmr_vm_clock_create(host) ─> partition, devices, VP set on vmr_vm_clock_host(clock) ─> pause ... resume
 *
 * What is built on the clock's host sees guest time: the host's, less the time
 * for which it was paused. While it is paused now_ns answers the same number,
 * and no deadline comes; a park whose deadline is due at the resume ends right
 * after it. Threads, events and scheduling are the host's below. So paused time
 * is not guest time for anything that asks this host: device timers, the
 * library's local APICs, the Hyper-V reference time and its timers. [CLK-1]
 *
 * What counts by itself goes on: the processor's TSC, and timers that a
 * hypervisor keeps inside (an in-hypervisor local APIC's). [CLK-2]
 *
 * A recorder goes on top: clock -> recorder -> partition. It then records guest
 * time.
 */

#include "vmrig/host.h"

VMR_BEGIN_DECLS

struct vmr_vm_clock;

/* Runs at first, and shows what `host` shows. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vm_clock_create(const struct vmr_host *host, struct vmr_vm_clock **ret_clock,
                                                           struct vmr_error *err);
/* After everything that was made with its host. NULL is fine. */
VMR_API void vmr_vm_clock_destroy(struct vmr_vm_clock *clock);
VMR_API const struct vmr_host *vmr_vm_clock_host(const struct vmr_vm_clock *clock);

/* Any thread, at the same time as all else. Never goes back but by vmr_vm_clock_set. */
VMR_API uint64_t vmr_vm_clock_now(struct vmr_vm_clock *clock);
VMR_API bool vmr_vm_clock_is_paused(struct vmr_vm_clock *clock);
/* Any thread. VMR_E_STATE: it is paused already. When it returns, time stands. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vm_clock_pause(struct vmr_vm_clock *clock);
/* Any thread. VMR_E_STATE: it is not paused. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vm_clock_resume(struct vmr_vm_clock *clock);
/*
 * Puts a paused clock to `now_ns`, below VMR_NEVER: a restored machine goes on at
 * the time at which it was saved. VMR_E_STATE: it is not paused; VMR_E_USAGE:
 * VMR_NEVER. Nobody may look at the clock meanwhile: VPs stopped. [CLK-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_vm_clock_set(struct vmr_vm_clock *clock, uint64_t now_ns);

VMR_END_DECLS
