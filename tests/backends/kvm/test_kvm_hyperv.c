/* SPDX-License-Identifier: MIT */
/* KVM's own Hyper-V interface, on a fake kernel: when it is used, what is asked of it, what is kept from it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"
#include "tests/backends/kvm/fake_kvm_host.h"
#include "tests/backends/kvm/machine.h"
#include "vmrig/backend_hv.h"
#include "vmrig/hv_identity.h"
#include "vmrig/hv_synic.h"

static const struct vmr_msr_range synthetic = {.first = HV_MSR_FIRST, .count = HV_MSR_COUNT};

static void start(struct machine *machine, bool hv_offload)
{
    const struct machine_options options = {
        .irqchip = VMR_IRQCHIP_SPLIT, .msr_exits = &synthetic, .msr_exit_count = 1, .hv_offload = hv_offload};
    struct vmr_error err = {.message = ""};

    fake_kvm_reset();
    if (machine_init(machine, &options, &err))
        fail_msg("%s", err.message);
}

static bool is_enabled(unsigned cap)
{
    for (unsigned i = 0; i < fake_kvm.enabled_count; i++) {
        if (fake_kvm.enabled[i] == cap)
            return true;
    }
    return false;
}

/* --- when --- */

static bool offloads(enum vmr_irqchip irqchip, bool wanted, unsigned long absent)
{
    struct machine machine;
    struct vmr_caps caps = {0};

    start(&machine, false);
    fake_kvm.absent = absent;
    machine.handle.irqchip = irqchip;
    machine.handle.own_hyperv = wanted;
    assert_int_equal(vmr_kvm_backend()->caps(&machine.handle, &caps, NULL), VMR_OK);
    machine_finish(&machine);
    return vmr_caps_have(&caps, VMR_CAP_HV_OFFLOAD);
}

static void it_is_used_if_wanted_with_kvms_apics_and_whole(void **state)
{
    static const unsigned long parts[] = {
        KVM_CAP_HYPERV_SYNIC2,        KVM_CAP_HYPERV_TIME,    KVM_CAP_HYPERV_VP_INDEX,    KVM_CAP_HYPERV_EVENTFD,
        KVM_CAP_SYS_HYPERV_CPUID,     KVM_CAP_X86_MSR_FILTER, KVM_CAP_X86_USER_SPACE_MSR, KVM_CAP_ADJUST_CLOCK,
        KVM_CAP_HYPERV_ENFORCE_CPUID, KVM_CAP_SIGNAL_MSI,
    };

    (void)state;
    assert_true(offloads(VMR_IRQCHIP_SPLIT, true, 0));
    assert_true(offloads(VMR_IRQCHIP_KERNEL, true, 0));
    assert_false(offloads(VMR_IRQCHIP_USER, true, 0));
    assert_false(offloads(VMR_IRQCHIP_KERNEL, false, 0));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (offloads(VMR_IRQCHIP_KERNEL, true, parts[i]))
            fail_msg("without extension %lu", parts[i]);
    }
}

static void a_vp_gets_it_only_when_asked(void **state)
{
    struct machine machine;

    (void)state;
    for (unsigned asked = 0; asked < 2; asked++) {
        start(&machine, asked);
        assert_int_equal(is_enabled(KVM_CAP_HYPERV_SYNIC2), asked);
        assert_int_equal(is_enabled(KVM_CAP_HYPERV_ENFORCE_CPUID), asked);
        machine_finish(&machine);
    }
}

/* --- what --- */

static void the_leaves_are_taken_apart(void **state)
{
    struct machine machine;
    struct vmr_hv_own own;

    (void)state;
    start(&machine, true);
    fake_kvm.hv_supported[0] = (struct kvm_cpuid_entry2){.function = HV_CPUID_FEATURES, .eax = 1, .ebx = 2, .edx = 3};
    fake_kvm.hv_supported[1] = (struct kvm_cpuid_entry2){.function = HV_CPUID_RECOMMENDATIONS, .eax = 4, .ebx = 5};
    assert_int_equal(vmr_kvm_backend()->hv->own(&machine.handle, &own, NULL), VMR_OK);
    assert_int_equal(own.privileges, UINT64_C(0x200000001));
    assert_int_equal(own.features, 3);
    assert_int_equal(own.recommendations, 4);
    assert_int_equal(own.signal_id_max, 0xffffff);
    machine_finish(&machine);
}

static bool lets_through(uint32_t index)
{
    uint32_t bit = index - HV_MSR_FIRST;

    return (fake_kvm.hv_bitmap[bit / 8] >> bit % 8 & 1) != 0;
}

static void the_clock_and_the_counts_of_timers_stay_in_kvm(void **state)
{
    struct machine machine;
    unsigned through = 0;

    (void)state;
    start(&machine, false);
    for (uint32_t i = 0; i < HV_MSR_COUNT; i++)
        through += lets_through(HV_MSR_FIRST + i);
    assert_int_equal(through, 0);
    machine_finish(&machine);
    start(&machine, true);
    for (uint32_t i = 0; i < HV_MSR_COUNT; i++)
        through += lets_through(HV_MSR_FIRST + i);
    assert_int_equal(through, 1 + HV_STIMER_COUNT);
    assert_true(lets_through(HV_MSR_TIME_REF_COUNT));
    for (uint32_t i = 0; i < HV_STIMER_COUNT; i++)
        assert_true(lets_through(HV_MSR_STIMER0_COUNT + 2 * i));
    machine_finish(&machine);
}

/* A range of the caller's own exits whole. */
static void a_range_of_somebody_elses_is_left_alone(void **state)
{
    static const struct vmr_msr_range part = {.first = HV_MSR_FIRST, .count = 0x100};
    const struct machine_options options = {
        .irqchip = VMR_IRQCHIP_SPLIT, .msr_exits = &part, .msr_exit_count = 1, .hv_offload = true};
    struct machine machine;

    (void)state;
    fake_kvm_reset();
    assert_int_equal(machine_init(&machine, &options, NULL), VMR_OK);
    assert_int_equal(fake_kvm.filter.ranges[0].nmsrs, 0x100);
    assert_false(lets_through(HV_MSR_TIME_REF_COUNT));
    machine_finish(&machine);
}

static void the_counter_is_kvms_clock(void **state)
{
    const struct vmr_backend_hv *hv = vmr_kvm_backend()->hv;
    struct machine machine;
    uint64_t count = 0;

    (void)state;
    start(&machine, true);
    fake_kvm.state.clock.clock = 12345;
    assert_int_equal(hv->get_time(machine.vm, &count), VMR_OK);
    assert_int_equal(count, 123);
    assert_int_equal(hv->set_time(machine.vm, 7), VMR_OK);
    assert_int_equal(fake_kvm.state.clock.clock, 700);
    assert_int_equal(hv->set_time(machine.vm, UINT64_MAX / 2), VMR_E_UNSUPPORTED);
    assert_int_equal(fake_kvm.state.clock.clock, 700);
    machine_finish(&machine);
}

static void events_are_bound_by_connection(void **state)
{
    static const struct {
        int error;
        enum vmr_status status;
    } refusals[] = {{EEXIST, VMR_E_CONFIG}, {EBADF, VMR_E_USAGE}, {EINVAL, VMR_E_USAGE}, {EIO, VMR_E_HOST}};
    const struct vmr_backend_hv *hv = vmr_kvm_backend()->hv;
    struct machine machine;

    (void)state;
    start(&machine, true);
    assert_int_equal(hv->event(machine.vm, 0xffffff, 5, true), VMR_OK);
    assert_int_equal(fake_kvm.event.conn_id, 0xffffff);
    assert_int_equal(fake_kvm.event.fd, 5);
    assert_int_equal(fake_kvm.event.flags, 0);
    assert_int_equal(hv->event(machine.vm, 0xffffff, 5, false), VMR_OK);
    assert_int_equal(fake_kvm.event.flags, KVM_HYPERV_EVENTFD_DEASSIGN);
    assert_int_equal(hv->event(machine.vm, 0x1000000, 5, true), VMR_E_UNSUPPORTED);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        fake_kvm.fail_at = fake_kvm.calls + 1;
        fake_kvm.fail_errno = refusals[i].error;
        assert_int_equal(hv->event(machine.vm, 1, 5, true), refusals[i].status);
    }
    fake_kvm.fail_at = 0;
    machine_finish(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_used_if_wanted_with_kvms_apics_and_whole),
        cmocka_unit_test(a_vp_gets_it_only_when_asked),
        cmocka_unit_test(the_leaves_are_taken_apart),
        cmocka_unit_test(the_clock_and_the_counts_of_timers_stay_in_kvm),
        cmocka_unit_test(a_range_of_somebody_elses_is_left_alone),
        cmocka_unit_test(the_counter_is_kvms_clock),
        cmocka_unit_test(events_are_bound_by_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
