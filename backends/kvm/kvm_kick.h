/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a kick reaches a VP at any point of a step, without a window.
 *
 * Each VP has a word with three states. The VP's thread publishes and
 * retracts; any thread kicks:
 *
 *   NO_RUN ──publish──> RUN ──retract──> NO_RUN
 *   NO_RUN ──kick──> CANCEL ──publish──> RUN, and immediate_exit = 1
 *   CANCEL ──kick──> CANCEL
 *   RUN ──kick──> RUN, immediate_exit = 1, then a signal to the thread
 *
 * A kick before publish is found there. One after it stores immediate_exit,
 * which makes a KVM_RUN that has not begun return at once, and then signals,
 * which interrupts one that has. One after retract waits for the next step. So
 * none is lost, the signal's handler has nothing to do, and a VP that is not in
 * KVM_RUN costs the kicker no system call. [RUN-3] [RUN-7]
 */

#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum kvm_kick_state {
    KVM_KICK_NO_RUN,
    KVM_KICK_CANCEL,
    KVM_KICK_RUN
};

struct kvm_kick {
    _Atomic uint32_t state; /* enum kvm_kick_state */
};

/* --- the VP's thread: the steps around KVM_RUN, in order --- */

void kvm_kick_clear(struct kvm_run *run);
void kvm_kick_publish(struct kvm_kick *kick, struct kvm_run *run);
void kvm_kick_retract(struct kvm_kick *kick);
/* For a KVM_RUN that only finishes an instruction: the word is left alone, so a kick waits for the next step. */
void kvm_kick_force(struct kvm_run *run);
/* Forgets a kick that was meant for a run that is over. Nobody kicks meanwhile. */
void kvm_kick_forget(struct kvm_kick *kick);

/* --- any thread: the steps of a kick, in order --- */

/* Whether the VP is between publish and retract. If not, the kick is latched when `latch` says so, and is done. */
bool kvm_kick_begin(struct kvm_kick *kick, bool latch);
/* Then this, and then the signal. */
void kvm_kick_store(struct kvm_run *run);
