/* SPDX-License-Identifier: MIT */
/*
 * The kick word. Only the VP's thread leaves RUN, and only a kicker enters
 * CANCEL, from NO_RUN; so retract, a plain store, never overwrites a kick.
 *
 * The word belongs to the VP and not to the thread: a signal handler would need
 * thread-local data to find the run page, and would have to run at once, which
 * tools that defer signals do not let it.
 */

#include "backends/kvm/kvm_kick.h"

/* Written by any thread, read by the kernel at the start of KVM_RUN. */
static void set_immediate_exit(struct kvm_run *run, uint8_t value)
{
    __atomic_store_n(&run->immediate_exit, value, __ATOMIC_RELAXED);
}

void kvm_kick_clear(struct kvm_run *run)
{
    set_immediate_exit(run, 0);
}

void kvm_kick_publish(struct kvm_kick *kick, struct kvm_run *run)
{
    /* The exchange orders the store of clear before RUN: who sees RUN stores later, and is not erased. */
    if (atomic_exchange(&kick->state, KVM_KICK_RUN) == KVM_KICK_CANCEL)
        set_immediate_exit(run, 1);
}

void kvm_kick_retract(struct kvm_kick *kick)
{
    atomic_store_explicit(&kick->state, KVM_KICK_NO_RUN, memory_order_release);
}

void kvm_kick_force(struct kvm_run *run)
{
    set_immediate_exit(run, 1);
}

void kvm_kick_forget(struct kvm_kick *kick)
{
    atomic_store(&kick->state, KVM_KICK_NO_RUN);
}

bool kvm_kick_begin(struct kvm_kick *kick, bool latch)
{
    uint32_t state = atomic_load(&kick->state);

    /* A failed exchange leaves what it found in `state`. */
    while (state == KVM_KICK_NO_RUN && latch) {
        if (atomic_compare_exchange_strong(&kick->state, &state, KVM_KICK_CANCEL))
            return false;
    }
    return state == KVM_KICK_RUN;
}

void kvm_kick_store(struct kvm_run *run)
{
    set_immediate_exit(run, 1);
}
