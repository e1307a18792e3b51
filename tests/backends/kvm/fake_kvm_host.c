/* SPDX-License-Identifier: MIT */
/*
 * The fake kernel. It has file-scope state, as a kernel has: tests run one
 * after another and reset it.
 */

#include "tests/backends/kvm/fake_kvm_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Not 0, so that a descriptor that was never set is noticed. */
#define FD_FIRST 3u
#define SIGNAL_DEFAULT 34
#define THREAD 4711

struct fake_kvm fake_kvm;

void fake_kvm_reset(void)
{
    fake_kvm =
        (struct fake_kvm){.api_version = 12, .fail_errno = EIO, .host_has_vmx = true, .run_reason = KVM_EXIT_HLT};
}

unsigned fake_kvm_open_fds(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FAKE_FD_MAX; i++)
        count += fake_kvm.fds[i];
    return count;
}

/* Counts a call; true if this is the one that fails. */
static bool fails(unsigned long request)
{
    unsigned last = fake_kvm.fail_at + (fake_kvm.fail_count ? fake_kvm.fail_count - 1 : 0);

    fake_kvm.calls++;
    if (fake_kvm.fail_at == 0 || fake_kvm.calls < fake_kvm.fail_at || fake_kvm.calls > last)
        return false;
    fake_kvm.failed_request = request;
    return true;
}

static int fd_create(void)
{
    for (unsigned i = FD_FIRST; i < FAKE_FD_MAX; i++) {
        if (!fake_kvm.fds[i]) {
            fake_kvm.fds[i] = true;
            return (int)i;
        }
    }
    return -EMFILE;
}

static void fd_check(int fd)
{
    assert_in_range(fd, FD_FIRST, FAKE_FD_MAX - 1);
    assert_true(fake_kvm.fds[fd]);
}

int kvm_host_open(void)
{
    if (fails(0))
        return -fake_kvm.fail_errno;
    return fake_kvm.open_errno ? -fake_kvm.open_errno : fd_create();
}

void kvm_host_close(int fd)
{
    fd_check(fd);
    fake_kvm.fds[fd] = false;
}

int kvm_host_map_run(int vcpu_fd, size_t size, struct kvm_run **ret_run)
{
    fd_check(vcpu_fd);
    if (fails(0))
        return -fake_kvm.fail_errno;
    *ret_run = calloc(1, size);
    assert_non_null(*ret_run);
    fake_kvm.run = *ret_run;
    fake_kvm.maps++;
    return 0;
}

void kvm_host_unmap_run(struct kvm_run *run, size_t size)
{
    assert_int_equal(size, FAKE_RUN_SIZE);
    free(run);
    fake_kvm.maps--;
}

int kvm_host_map_ring(int vcpu_fd, size_t size, struct kvm_dirty_gfn **ret_ring)
{
    fd_check(vcpu_fd);
    if (fails(0))
        return -fake_kvm.fail_errno;
    *ret_ring = calloc(1, size);
    assert_non_null(*ret_ring);
    fake_kvm.ring = *ret_ring;
    fake_kvm.ring_entries = (uint32_t)(size / sizeof(**ret_ring));
    fake_kvm.maps++;
    return 0;
}

void kvm_host_unmap_ring(struct kvm_dirty_gfn *ring, size_t size)
{
    assert_int_equal(size, fake_kvm.ring_entries * sizeof(*ring));
    free(ring);
    fake_kvm.ring_entries = 0; /* nothing is left to reset */
    fake_kvm.maps--;
}

static int check_extension(uintptr_t extension)
{
    if (extension == fake_kvm.absent)
        return 0;
    switch (extension) {
    case KVM_CAP_MAX_VCPUS:
        return 8;
    case KVM_CAP_DISABLE_QUIRKS2:
        return 0xff;
    case KVM_CAP_DIRTY_LOG_RING:
    case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
        return fake_kvm.without_rings ? 0 : 1 << 20;
    case KVM_CAP_SYNC_REGS:
        return KVM_SYNC_X86_VALID_FIELDS;
    default:
        return 1;
    }
}

static int get_supported_cpuid(struct kvm_cpuid2 *list)
{
    assert_true(list->nent >= fake_kvm.supported_count);
    memcpy(list->entries, fake_kvm.supported, fake_kvm.supported_count * sizeof(list->entries[0]));
    list->nent = fake_kvm.supported_count;
    return 0;
}

static int get_hv_cpuid(struct kvm_cpuid2 *list)
{
    assert_true(list->nent >= 2);
    memcpy(list->entries, fake_kvm.hv_supported, sizeof(fake_kvm.hv_supported));
    list->nent = 2;
    return 0;
}

static int set_filter(const struct kvm_msr_filter *filter)
{
    fake_kvm.filter = *filter;
    for (unsigned i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
        if (filter->ranges[i].base == 0x40000000 && filter->ranges[i].nmsrs == 8 * sizeof(fake_kvm.hv_bitmap))
            memcpy(fake_kvm.hv_bitmap, filter->ranges[i].bitmap, sizeof(fake_kvm.hv_bitmap));
    }
    return 0;
}

static int enable_cap(const struct kvm_enable_cap *cap)
{
    if (fake_kvm.enabled_count < FAKE_ENABLED_MAX)
        fake_kvm.enabled[fake_kvm.enabled_count++] = cap->cap;
    return 0;
}

static int set_cpuid(const struct kvm_cpuid2 *list)
{
    assert_true(list->nent <= FAKE_CPUID_MAX);
    memcpy(fake_kvm.cpuid, list->entries, list->nent * sizeof(list->entries[0]));
    fake_kvm.cpuid_count = list->nent;
    return 0;
}

static int set_routing(const struct kvm_irq_routing *table)
{
    fake_kvm.route_count = table->nr;
    fake_kvm.route_gsi = table->nr ? table->entries[table->nr - 1].gsi : 0;
    return 0;
}

static int reset_rings(void)
{
    fake_kvm.ring_resets++;
    fake_kvm.ring_marked = 0;
    for (uint32_t i = 0; i < fake_kvm.ring_entries; i++) {
        if (fake_kvm.ring[i].flags & KVM_DIRTY_GFN_F_RESET) {
            fake_kvm.ring[i].flags = 0;
            fake_kvm.ring_marked++;
        }
    }
    return (int)fake_kvm.ring_marked;
}

/* Requests that carry data a test looks at; others do nothing. */
static int answer(unsigned long request, void *argument)
{
    switch (request) {
    case KVM_GET_SUPPORTED_CPUID:
        return get_supported_cpuid(argument);
    case KVM_SET_CPUID2:
        return set_cpuid(argument);
    case KVM_SET_GSI_ROUTING:
        return set_routing(argument);
    case KVM_X86_SET_MSR_FILTER:
        return set_filter(argument);
    case KVM_GET_SUPPORTED_HV_CPUID:
        return get_hv_cpuid(argument);
    case KVM_ENABLE_CAP:
        return enable_cap(argument);
    case KVM_GET_CLOCK:
        ((struct kvm_clock_data *)argument)->clock = fake_kvm.clock_ns;
        return 0;
    case KVM_SET_CLOCK:
        fake_kvm.clock_ns = ((const struct kvm_clock_data *)argument)->clock;
        return 0;
    case KVM_HYPERV_EVENTFD:
        fake_kvm.event = *(const struct kvm_hyperv_eventfd *)argument;
        return 0;
    case KVM_SET_USER_MEMORY_REGION:
        fake_kvm.map_size = ((const struct kvm_userspace_memory_region *)argument)->memory_size;
        fake_kvm.slot_flags = ((const struct kvm_userspace_memory_region *)argument)->flags;
        return 0;
    case KVM_GET_DIRTY_LOG:
        *(uint64_t *)((const struct kvm_dirty_log *)argument)->dirty_bitmap = fake_kvm.dirty;
        fake_kvm.dirty |= fake_kvm.dirty_after_get;
        return 0;
    case KVM_CLEAR_DIRTY_LOG:
        fake_kvm.dirty &= ~*(const uint64_t *)((const struct kvm_clear_dirty_log *)argument)->dirty_bitmap;
        return 0;
    case KVM_RESET_DIRTY_RINGS:
        return reset_rings();
    case KVM_GET_SREGS:
        *(struct kvm_sregs *)argument = fake_kvm.sregs;
        return 0;
    case KVM_SET_SREGS:
        fake_kvm.sregs = *(const struct kvm_sregs *)argument;
        return 0;
    case KVM_GET_REGS:
        *(struct kvm_regs *)argument = fake_kvm.regs;
        return 0;
    case KVM_SET_REGS:
        fake_kvm.regs = *(const struct kvm_regs *)argument;
        return 0;
    case KVM_SET_GUEST_DEBUG:
        fake_kvm.debug = *(const struct kvm_guest_debug *)argument;
        return 0;
    default:
        return 0;
    }
}

/* What KVM_RUN does with the registers in the run page, before it enters and after. */
static void take_registers(struct kvm_run *run)
{
    if (run->kvm_dirty_regs & KVM_SYNC_X86_REGS)
        fake_kvm.regs = run->s.regs.regs;
    run->kvm_dirty_regs = 0;
}

static void give_registers(struct kvm_run *run)
{
    if (run->kvm_valid_regs & KVM_SYNC_X86_REGS)
        run->s.regs.regs = fake_kvm.regs;
    if (run->kvm_valid_regs & KVM_SYNC_X86_SREGS)
        run->s.regs.sregs = fake_kvm.sregs;
}

int kvm_host_ioctl(int fd, unsigned long request, uintptr_t argument)
{
    fd_check(fd);
    if (fails(request))
        return -fake_kvm.fail_errno;
    switch (request) {
    case KVM_GET_API_VERSION:
        return fake_kvm.api_version;
    case KVM_CHECK_EXTENSION:
        return check_extension(argument);
    case KVM_GET_VCPU_MMAP_SIZE:
        return (int)FAKE_RUN_SIZE;
    case KVM_CREATE_VM:
    case KVM_CREATE_VCPU:
        return fd_create();
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
    case KVM_SIGNAL_MSI:
        return 1;
    case KVM_GET_TSC_KHZ:
        return (int)FAKE_TSC_KHZ;
    case KVM_RUN: /* completion: immediate_exit is set */
        take_registers(fake_kvm.run);
        give_registers(fake_kvm.run);
        return -EINTR;
    default:
        return answer(request, (void *)argument);
    }
}

int kvm_host_run(int vcpu_fd, const struct kvm_seam *seam, vmr_vp_index vp)
{
    fd_check(vcpu_fd);
    fake_kvm.runs++;
    kvm_seam_pass(seam, vp, VMR_SEAM_BEFORE_ENTRY);
    int result = fails(KVM_RUN) ? -fake_kvm.fail_errno : -fake_kvm.run_errno;

    take_registers(fake_kvm.run);
    give_registers(fake_kvm.run);
    if (result == 0 && fake_kvm.run->immediate_exit)
        result = -EINTR;
    if (result == 0)
        fake_kvm.run->exit_reason = fake_kvm.run_reason;
    kvm_seam_pass(seam, vp, VMR_SEAM_AFTER_EXIT);
    return result;
}

int kvm_host_catch(int signal)
{
    assert_in_range(signal, SIGNAL_DEFAULT, 64);
    if (fails(0))
        return -fake_kvm.fail_errno;
    return fake_kvm.signal_taken ? -EBUSY : 0;
}

int kvm_host_unblock(int signal)
{
    (void)signal;
    return fails(0) ? -fake_kvm.fail_errno : 0;
}

int kvm_host_thread(void)
{
    return THREAD;
}

void kvm_host_kick(int thread, int signal)
{
    assert_int_equal(thread, THREAD);
    (void)signal;
    fake_kvm.kicks++;
}

int kvm_host_default_signal(void)
{
    return SIGNAL_DEFAULT;
}

void kvm_host_cpuid(uint32_t leaf, uint32_t ret_registers[4])
{
    memset(ret_registers, 0, 4 * sizeof(ret_registers[0]));
    if (leaf == 1 && fake_kvm.host_has_vmx)
        ret_registers[2] = 1u << 5;
}
