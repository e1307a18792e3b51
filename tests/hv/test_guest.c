/* SPDX-License-Identifier: MIT */
/* Making the guest interface, and where MSR accesses go. [HV-2] */

#include "tests/hv/guest_rig.h"
#include "tests/support/counting_host.h"

static void options_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct vmr_hv_guest *guest = NULL;

    guest_rig_prepare(&rig);
    struct vmr_hv_guest_options options = rig.options;

    options.vp_count = 0;
    assert_int_equal(vmr_hv_guest_create(&options, &guest, NULL), VMR_E_CONFIG);
    options = rig.options;
    options.memory = NULL;
    assert_int_equal(vmr_hv_guest_create(&options, &guest, NULL), VMR_E_USAGE);
    options = rig.options;
    options.target.wake = NULL;
    assert_int_equal(vmr_hv_guest_create(&options, &guest, NULL), VMR_E_USAGE);
    options = rig.options;
    options.target.set_xmm = NULL;
    assert_int_equal(vmr_hv_guest_create(&options, &guest, NULL), VMR_E_USAGE);
    assert_null(guest);
    guest_rig_finish(&rig);
}

static void a_failing_allocation_leaves_nothing(void **state)
{
    (void)state;
    struct guest_rig rig;
    enum vmr_status status = VMR_E_NOMEM;

    guest_rig_prepare(&rig);
    for (unsigned nth = 1; status != VMR_OK; nth++) {
        struct vmr_hv_guest *guest = NULL;

        assert_true(nth < 64);
        fail_allocation(nth);
        status = vmr_hv_guest_create(&rig.options, &guest, NULL);
        fail_allocation(0);
        assert_true(status == VMR_OK || status == VMR_E_NOMEM);
        vmr_hv_guest_destroy(guest);
    }
    guest_rig_finish(&rig);
}

static void the_range_is_ours_and_nothing_else_is(void **state)
{
    (void)state;
    struct guest_rig rig;
    uint64_t value = 77;

    guest_rig_init(&rig);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 0, 0, HV_MSR_FIRST - 1, &value), VMR_MSR_NOT_MINE);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 0, HV_MSR_FIRST + HV_MSR_COUNT, 0), VMR_MSR_NOT_MINE);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 0, 0, HV_MSR_FIRST + HV_MSR_COUNT - 1, &value), VMR_MSR_FAULT);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, GUEST_VPS, 0, HV_MSR_VP_INDEX, &value), VMR_MSR_FAULT);
    assert_int_equal(value, 77);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 1, 0, HV_MSR_VP_INDEX, &value), VMR_MSR_OK);
    assert_int_equal(value, 1);
    assert_int_equal(guest_rig_read(&rig, HV_MSR_SVERSION), 1); /* the SynIC's */
    guest_rig_finish(&rig);
}

static void auto_eoi_needs_a_local_apic_that_can(void **state)
{
    const uint64_t sint = 0x40 | HV_SINT_AUTO_EOI;
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_SINT0 + 2, sint), VMR_MSR_OK);
    guest_rig_finish(&rig);
    guest_rig_prepare(&rig);
    rig.options.target.has_auto_eoi = false;
    guest_rig_create(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_SINT0 + 2, sint), VMR_MSR_FAULT);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_SINT0 + 2, 0x40), VMR_MSR_OK);
    guest_rig_finish(&rig);
}

/* From the SynIC through here to the partition. */
static void an_event_becomes_an_interrupt(void **state)
{
    const struct vmr_synic_target target = {.vp = 0, .sint = 2};
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(guest_rig_write(&rig, HV_MSR_SINT0 + 2, 0x40 | HV_SINT_AUTO_EOI), VMR_MSR_OK);
    assert_int_equal(vmr_synic_signal_event(vmr_hv_guest_synic(rig.guest), &target, 5), VMR_SYNIC_SIGNALED);
    assert_int_equal(rig.interrupts, 1);
    assert_int_equal(rig.vector, 0x40);
    assert_true(rig.auto_eoi);
    assert_int_equal(vmr_hv_guest_poll(rig.guest, 0, 2000), VMR_NEVER);
    guest_rig_finish(&rig);
}

/* --- where a hypervisor takes the calls --- */

static void binding_without_offloading_is_refused(void **state)
{
    struct guest_rig rig;
    struct vmr_hv_guest *guest = NULL;

    (void)state;
    guest_rig_prepare(&rig);
    rig.options.target.bind_event = (enum vmr_status(*)(void *, uint32_t, int, bool))(uintptr_t)1;
    assert_int_equal(vmr_hv_guest_create(&rig.options, &guest, NULL), VMR_E_USAGE);
    assert_null(guest);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_cannot_be_are_refused),
        cmocka_unit_test(a_failing_allocation_leaves_nothing),
        cmocka_unit_test(the_range_is_ours_and_nothing_else_is),
        cmocka_unit_test(auto_eoi_needs_a_local_apic_that_can),
        cmocka_unit_test(an_event_becomes_an_interrupt),
        cmocka_unit_test(binding_without_offloading_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
