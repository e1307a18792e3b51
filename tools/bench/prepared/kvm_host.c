/* SPDX-License-Identifier: MIT */
/*
 * A KVM whose KVM_RUN returns at once with a prepared exit: linked in place of
 * backends/kvm/kvm_host.c, so that what is left of a step is the library's own.
 * All else succeeds and does nothing.
 */

#include "tools/bench/prepared/prepared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION 12
#define DESCRIPTOR 1000 /* opened by nobody */
#define SIGNAL 34
#define RUN_BYTES 12288u
#define IO_OFFSET 4096u

/* The run page of the one VP: a kernel, too, finds it by itself. */
static struct kvm_run *mapped;

__attribute__((noinline)) int prepared_kvm_run(struct kvm_run *run)
{
    __asm__ volatile("" : : : "memory"); /* what the page held, and holds afterwards, is nothing a compiler knows */
    if (run->immediate_exit)
        return -EINTR;
    run->exit_reason = KVM_EXIT_IO;
    run->ready_for_interrupt_injection = 1;
    run->io.direction = KVM_EXIT_IO_OUT;
    run->io.size = 1;
    run->io.port = BENCH_PORT;
    run->io.count = 1;
    run->io.data_offset = IO_OFFSET;
    __asm__ volatile("" : : : "memory");
    return 0;
}

int kvm_host_open(void)
{
    return DESCRIPTOR;
}

void kvm_host_close(int fd)
{
    (void)fd;
}

int kvm_host_ioctl(int fd, unsigned long request, uintptr_t argument)
{
    (void)fd;
    switch (request) {
    case KVM_GET_API_VERSION:
        return API_VERSION;
    case KVM_CHECK_EXTENSION:
        return 1;
    case KVM_GET_VCPU_MMAP_SIZE:
        return (int)RUN_BYTES;
    case KVM_CREATE_VM:
    case KVM_CREATE_VCPU:
        return DESCRIPTOR;
    case KVM_GET_SUPPORTED_CPUID:
        ((struct kvm_cpuid2 *)argument)->nent = 0;
        return 0;
    case KVM_RUN: /* only to finish an instruction */
        return -EINTR;
    default:
        return 0;
    }
}

int kvm_host_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run)
{
    (void)vcpu_fd;
    mapped = aligned_alloc(4096, size);
    if (!mapped)
        return -ENOMEM;
    memset(mapped, 0, size);
    *ret_run = mapped;
    return 0;
}

void kvm_host_unmap_run(struct kvm_run *run, size_t size)
{
    (void)size;
    free(run);
    mapped = NULL;
}

int kvm_host_map_ring(int vcpu_fd, size_t size, struct kvm_dirty_gfn **ret_ring)
{
    (void)vcpu_fd, (void)size, (void)ret_ring;
    return -ENODEV;
}

void kvm_host_unmap_ring(struct kvm_dirty_gfn *ring, size_t size)
{
    (void)ring, (void)size;
}

int kvm_host_run(int vcpu_fd, const struct kvm_seam *seam, vmr_vp_index vp)
{
    (void)vcpu_fd;
    if (__builtin_expect(seam->hook != NULL, 0))
        seam->hook(seam->context, vp, VMR_SEAM_BEFORE_ENTRY);
    int result = prepared_kvm_run(mapped);

    if (__builtin_expect(seam->hook != NULL, 0))
        seam->hook(seam->context, vp, VMR_SEAM_AFTER_EXIT);
    return result;
}

int kvm_host_catch(int signal)
{
    (void)signal;
    return 0;
}

int kvm_host_unblock(int signal)
{
    (void)signal;
    return 0;
}

int kvm_host_thread(void)
{
    return DESCRIPTOR;
}

/* The loop stops itself between two steps: there is nobody to interrupt. */
void kvm_host_kick(int thread, int signal)
{
    (void)thread;
    (void)signal;
}

int kvm_host_default_signal(void)
{
    return SIGNAL;
}

void kvm_host_cpuid(uint32_t leaf, uint32_t ret_registers[4])
{
    (void)leaf;
    memset(ret_registers, 0, 4 * sizeof(ret_registers[0]));
}
