/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a kick reaches a thread at any point of a step, without a window.
 *
 * Each thread has one word with three states, changed only by the thread and
 * by a signal handler that interrupts it:
 *
 *   NO_RUN ──publish──> run page ──retract──> NO_RUN        the thread
 *   NO_RUN ──signal──> CANCEL ──signal──> CANCEL            the handler
 *   run page ──signal──> the same, and immediate_exit = 1   the handler
 *   CANCEL ──publish──> run page, and immediate_exit = 1    the thread
 *
 * A signal before publish is found there; one between publish and the call
 * makes the call return at once; one during the call interrupts it; one after
 * retract waits for the next step. [RUN-3]
 */

#include <linux/kvm.h>

/* The steps around KVM_RUN, in order. */
void kvm_kick_clear(struct kvm_run *run);
void kvm_kick_publish(struct kvm_run *run);
void kvm_kick_retract(void);

/* For KVM_RUN calls that only finish an instruction: the word is left alone, so a kick waits for the next step. */
void kvm_kick_force(struct kvm_run *run);

/* Installed for the kick signal. */
void kvm_kick_handler(int signal);
