/* SPDX-License-Identifier: MIT */
/*
 * The operating system, for the KVM backend: no other file of it makes a
 * system call. Policy is elsewhere; here a call is made, retried where its
 * manual says to, and its errno handed up as a value.
 */

#define _GNU_SOURCE /* gettid, tgkill's number, MAP_SHARED on a descriptor that is no file */

#include "backends/kvm/kvm_host.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int kvm_host_open(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

void kvm_host_close(int fd)
{
    (void)close(fd);
}

int kvm_host_ioctl(int fd, unsigned long request, uintptr_t argument)
{
    int result = ioctl(fd, request, argument);

    return result < 0 ? -errno : result;
}

/* What of a vCPU's shared pages begins at page `first`. */
static int map_vcpu(int vcpu_fd, long first, size_t size, void **ret_address)
{
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, first * sysconf(_SC_PAGESIZE));

    if (address == MAP_FAILED)
        return -errno;
    *ret_address = address;
    return 0;
}

int kvm_host_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run)
{
    void *address = NULL;
    int result = map_vcpu(vcpu_fd, 0, size, &address);

    if (result == 0)
        *ret_run = address;
    return result;
}

int kvm_host_map_ring(int vcpu_fd, size_t size, struct kvm_dirty_gfn **ret_ring)
{
    void *address = NULL;
    int result = map_vcpu(vcpu_fd, KVM_DIRTY_LOG_PAGE_OFFSET, size, &address);

    if (result == 0)
        *ret_ring = address;
    return result;
}

void kvm_host_unmap_ring(struct kvm_dirty_gfn *ring, size_t size)
{
    (void)munmap(ring, size);
}

void kvm_host_unmap_run(struct kvm_run *run, size_t size)
{
    (void)munmap(run, size);
}

int kvm_host_run(int vcpu_fd, const struct kvm_seam *seam, vmr_vp_index vp)
{
    kvm_seam_pass(seam, vp, VMR_SEAM_BEFORE_ENTRY);
    int result = kvm_host_ioctl(vcpu_fd, KVM_RUN, 0);

    kvm_seam_pass(seam, vp, VMR_SEAM_AFTER_EXIT);
    return result;
}

/* The signal has done its work when it arrives. */
static void ignore(int signal)
{
    (void)signal;
}

int kvm_host_catch(int signal)
{
    struct sigaction old;

    if (sigaction(signal, NULL, &old) != 0)
        return -errno;
    if (old.sa_handler == ignore)
        return 0;
    if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)
        return -EBUSY;
    /* KVM_RUN itself is never restarted, whatever the flag says; the embedder's calls on the same thread are. */
    struct sigaction new = {.sa_handler = ignore, .sa_flags = SA_RESTART};

    (void)sigemptyset(&new.sa_mask);
    return sigaction(signal, &new, NULL) != 0 ? -errno : 0;
}

int kvm_host_unblock(int signal)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int kvm_host_thread(void)
{
    return (int)gettid();
}

void kvm_host_kick(int thread, int signal)
{
    /* EAGAIN: the user's queue of real-time signals is full. A kick may come late, never not at all. [RUN-3] */
    while (syscall(SYS_tgkill, getpid(), thread, signal) != 0 && errno == EAGAIN)
        (void)sched_yield();
}

int kvm_host_default_signal(void)
{
    return SIGRTMIN;
}

void kvm_host_cpuid(uint32_t leaf, uint32_t ret_registers[4])
{
    uint32_t *r = ret_registers;

    memset(r, 0, 4 * sizeof(*r));
    (void)__get_cpuid(leaf, &r[0], &r[1], &r[2], &r[3]);
}
