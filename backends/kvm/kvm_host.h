/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Every call that the KVM backend makes into the operating system or asks of
 * the processor. Tests link another file with these names and fail the n-th
 * call, for every n. A call that can fail gives a negative errno.
 */

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "vmrig/backend.h"

/* /dev/kvm, for reading and writing, not inherited by programs that the process starts. */
int kvm_host_open(void);
void kvm_host_close(int fd);

/* `argument` is a number or a pointer, as `request` wants. Gives what the call returned, 0 or more. */
int kvm_host_ioctl(int fd, unsigned long request, uintptr_t argument);

int kvm_host_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run);
void kvm_host_unmap_run(struct kvm_run *run, size_t size);
/* The vCPU's dirty ring. */
int kvm_host_map_ring(int vcpu_fd, size_t size, struct kvm_dirty_gfn **ret_ring);
void kvm_host_unmap_ring(struct kvm_dirty_gfn *ring, size_t size);

/* Called on the VP's thread around KVM_RUN; a NULL hook is the normal case. */
struct kvm_seam {
    void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam);
    void *context;
};

static inline void kvm_seam_pass(const struct kvm_seam *seam, vmr_vp_index vp, enum vmr_run_seam at)
{
    if (__builtin_expect(seam->hook != NULL, 0))
        seam->hook(seam->context, vp, at);
}

/*
 * KVM_RUN. Passes VMR_SEAM_BEFORE_ENTRY when the kick word is published and
 * nothing is left but the call, and VMR_SEAM_AFTER_EXIT before the word is
 * taken back. There is no place in this process that runs while the guest
 * does: VMR_SEAM_IN_GUEST is another thread that watches the guest's memory.
 */
int kvm_host_run(int vcpu_fd, const struct kvm_seam *seam, vmr_vp_index vp);

/*
 * Gives `signal` a handler that does nothing, so that it interrupts KVM_RUN and
 * no more. -EBUSY if somebody else handles it. For the rest of the process.
 */
int kvm_host_catch(int signal);
/* Lets the calling thread take `signal`. */
int kvm_host_unblock(int signal);
/* The calling thread, for kvm_host_kick. */
int kvm_host_thread(void);
/* A thread that has ended is not an error. Any thread. */
void kvm_host_kick(int thread, int signal);
/* The first real-time signal that the C library does not use itself. */
int kvm_host_default_signal(void);

/* CPUID of the processor we run on: eax, ebx, ecx, edx; zeros for a leaf above the maximum. */
void kvm_host_cpuid(uint32_t leaf, uint32_t ret_registers[4]);
