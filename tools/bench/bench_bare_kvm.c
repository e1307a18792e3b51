/* SPDX-License-Identifier: MIT */
/*
 * The guest of the loop benchmarks with nothing but KVM's ioctls around it: what
 * a VMM costs at least. Deliberately without any of the library.
 */

#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tools/bench/bench.h"

struct bench_bare {
    int kvm, vm, vcpu;
    uint8_t *ram;
    struct kvm_run *run;
    size_t run_size;
};

void bench_bare_destroy(struct bench_bare *bare)
{
    if (!bare)
        return;
    if (bare->run)
        (void)munmap(bare->run, bare->run_size);
    if (bare->vcpu >= 0)
        (void)close(bare->vcpu);
    if (bare->vm >= 0)
        (void)close(bare->vm);
    if (bare->ram)
        (void)munmap(bare->ram, BENCH_RAM_BYTES);
    if (bare->kvm >= 0)
        (void)close(bare->kvm);
    free(bare);
}

static bool begin_vm(struct bench_bare *bare)
{
    bare->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (bare->kvm < 0)
        return false;
    bare->vm = ioctl(bare->kvm, KVM_CREATE_VM, 0);
    void *ram = mmap(NULL, BENCH_RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bare->vm < 0 || ram == MAP_FAILED)
        return false;
    bare->ram = ram;
    memcpy(bare->ram + BENCH_GUEST_GPA, bench_guest_out, sizeof(bench_guest_out));
    struct kvm_userspace_memory_region region = {.memory_size = BENCH_RAM_BYTES,
                                                 .userspace_addr = (uint64_t)(uintptr_t)bare->ram};

    return ioctl(bare->vm, KVM_SET_TSS_ADDR, 0xfffbd000UL) == 0 &&
           ioctl(bare->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static bool begin_vcpu(struct bench_bare *bare)
{
    bare->vcpu = ioctl(bare->vm, KVM_CREATE_VCPU, 0);
    int size = ioctl(bare->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

    if (bare->vcpu < 0 || size <= 0)
        return false;
    void *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, bare->vcpu, 0);

    if (run == MAP_FAILED)
        return false;
    bare->run = run;
    bare->run_size = (size_t)size;
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rflags = 2};

    if (ioctl(bare->vcpu, KVM_GET_SREGS, &sregs) != 0)
        return false;
    sregs.cs.base = BENCH_GUEST_GPA;
    sregs.cs.selector = BENCH_GUEST_GPA >> 4;
    return ioctl(bare->vcpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(bare->vcpu, KVM_SET_REGS, &regs) == 0;
}

struct bench_bare *bench_bare_create(void)
{
    struct bench_bare *bare = calloc(1, sizeof(*bare));

    if (!bare)
        return NULL;
    bare->kvm = bare->vm = bare->vcpu = -1;
    if (begin_vm(bare) && begin_vcpu(bare))
        return bare;
    bench_bare_destroy(bare);
    return NULL;
}

static bool run_until(struct bench_bare *bare, uint64_t left)
{
    while (left > 0) {
        if (ioctl(bare->vcpu, KVM_RUN, 0) != 0 || bare->run->exit_reason != KVM_EXIT_IO)
            return false;
        if (bare->run->io.port == BENCH_PORT)
            left--;
    }
    return true;
}

double bench_bare_run(struct bench_bare *bare, uint64_t exits)
{
    bool good = run_until(bare, 1);
    uint64_t begin = bench_now_ns();

    good = good && run_until(bare, exits);
    return good ? (double)(bench_now_ns() - begin) / (double)exits : -1;
}
