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

/* The MSRs of classes that KVM lists. */
static const uint32_t listed[] = {0x10,       0x3a,       0x3b,       0x48,       0x174,     0x175, 0x176,
                                  0x186,      0x1a0,      0x277,      0x6a0,      0x6a2,     0xda0, 0xc0000081,
                                  0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103};

static struct kvm_msr_entry *msr_of(uint32_t index)
{
    struct fake_state *state = &fake_kvm.state;

    for (unsigned i = 0; i < state->msr_count; i++) {
        if (state->msrs[i].index == index)
            return &state->msrs[i];
    }
    assert_true(state->msr_count < FAKE_MSR_MAX);
    state->msrs[state->msr_count] = (struct kvm_msr_entry){.index = index};
    return &state->msrs[state->msr_count++];
}

__u64 *fake_kvm_msr(uint32_t index)
{
    return &msr_of(index)->data;
}

void fake_kvm_reset(void)
{
    static const uint32_t unlisted[] = {0x1b, 0x179, 0x17a, 0x17b, 0x2ff, 0x6e0};

    fake_kvm =
        (struct fake_kvm){.api_version = 12, .fail_errno = EIO, .host_has_vmx = true, .run_reason = KVM_EXIT_HLT};
    for (size_t i = 0; i < sizeof(unlisted) / sizeof(unlisted[0]); i++)
        (void)msr_of(unlisted[i]);
    for (uint32_t i = 0x200; i < 0x278; i++) /* MTRRs and PAT */
        (void)msr_of(i);
    for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
        (void)msr_of(listed[i]);
    memcpy(fake_kvm.state.lapic.regs + 0x30, "\x14\0\x05\0", 4); /* its version */
    fake_kvm.state.xcrs = (struct kvm_xcrs){.nr_xcrs = 1, .xcrs = {{.value = 1}}};
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

static int list_msrs(struct kvm_msr_list *list)
{
    assert_true(list->nmsrs >= sizeof(listed) / sizeof(listed[0]));
    memcpy(list->indices, listed, sizeof(listed));
    list->nmsrs = sizeof(listed) / sizeof(listed[0]);
    return 0;
}

static int get_msrs(struct kvm_msrs *list)
{
    for (uint32_t i = 0; i < list->nmsrs; i++) {
        if (fake_kvm.msr_missing && list->entries[i].index == fake_kvm.msr_missing)
            return (int)i;
        list->entries[i].data = msr_of(list->entries[i].index)->data;
    }
    return (int)list->nmsrs;
}

static int set_msrs(const struct kvm_msrs *list)
{
    for (uint32_t i = 0; i < list->nmsrs; i++) {
        if (fake_kvm.msr_refused && list->entries[i].index == fake_kvm.msr_refused)
            return (int)i;
        msr_of(list->entries[i].index)->data = list->entries[i].data;
    }
    return (int)list->nmsrs;
}

static struct kvm_irqchip *chip_of(const void *argument)
{
    const struct kvm_irqchip *chip = argument;

    assert_true(chip->chip_id < KVM_NR_IRQCHIPS);
    fake_kvm.state.chips[chip->chip_id].chip_id = chip->chip_id;
    return &fake_kvm.state.chips[chip->chip_id];
}

/* Requests whose argument is kept as it is, and comes back. */
static int move_state(unsigned long request, void *argument)
{
    struct fake_state *state = &fake_kvm.state;
    const struct {
        unsigned long get, set;
        void *place;
        size_t size;
    } rows[] = {
        {KVM_GET_REGS, KVM_SET_REGS, &state->regs, sizeof(state->regs)},
        {KVM_GET_SREGS, KVM_SET_SREGS, &state->sregs, sizeof(state->sregs)},
        {KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, &state->events, sizeof(state->events)},
        {KVM_GET_MP_STATE, KVM_SET_MP_STATE, &state->mp_state, sizeof(state->mp_state)},
        {KVM_GET_XCRS, KVM_SET_XCRS, &state->xcrs, sizeof(state->xcrs)},
        {KVM_GET_XSAVE2, KVM_SET_XSAVE, state->xsave, sizeof(state->xsave)},
        {KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, &state->debug_registers, sizeof(state->debug_registers)},
        {KVM_GET_LAPIC, KVM_SET_LAPIC, &state->lapic, sizeof(state->lapic)},
        {KVM_GET_CLOCK, KVM_SET_CLOCK, &state->clock, sizeof(state->clock)},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (request == rows[i].get)
            memcpy(argument, rows[i].place, rows[i].size);
        else if (request == rows[i].set)
            memcpy(rows[i].place, argument, rows[i].size);
    }
    state->events.flags = 0; /* say what is meant, and are not kept */
    return 0;
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
    case KVM_SET_GUEST_DEBUG:
        fake_kvm.debug = *(const struct kvm_guest_debug *)argument;
        return 0;
    case KVM_GET_MSR_INDEX_LIST:
        return list_msrs(argument);
    case KVM_GET_MSRS:
        return get_msrs(argument);
    case KVM_SET_MSRS:
        return set_msrs(argument);
    case KVM_GET_IRQCHIP:
        *(struct kvm_irqchip *)argument = *chip_of(argument);
        return 0;
    case KVM_SET_IRQCHIP:
        *chip_of(argument) = *(const struct kvm_irqchip *)argument;
        return 0;
    default:
        return move_state(request, argument);
    }
}

/* What KVM_RUN does with the registers in the run page, before it enters and after. */
static void take_registers(struct kvm_run *run)
{
    if (run->kvm_dirty_regs & KVM_SYNC_X86_REGS)
        fake_kvm.state.regs = run->s.regs.regs;
    run->kvm_dirty_regs = 0;
}

static void give_registers(struct kvm_run *run)
{
    if (run->kvm_valid_regs & KVM_SYNC_X86_REGS)
        run->s.regs.regs = fake_kvm.state.regs;
    if (run->kvm_valid_regs & KVM_SYNC_X86_SREGS)
        run->s.regs.sregs = fake_kvm.state.sregs;
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
    case KVM_SIGNAL_MSI:
        return 1;
    case KVM_GET_TSC_KHZ:
        return (int)FAKE_TSC_KHZ;
    case KVM_RUN: /* completion: immediate_exit is set */
        take_registers(fake_kvm.run);
        give_registers(fake_kvm.run);
        return fake_kvm.exits > 0 && fake_kvm.exits-- > 0 ? 0 : -EINTR;
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
