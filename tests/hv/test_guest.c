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

/* --- OS events --- */

static unsigned signalled[4];

static void count_event(void *context, int fd)
{
    (void)context;
    signalled[fd]++;
}

static void count_call(void *context, uint16_t flag)
{
    (void)flag;
    ++*(unsigned *)context;
}

static void a_signal_goes_to_the_hosts_event(void **state)
{
    static const struct vmr_event_ops events = {.signal = count_event};
    struct guest_rig rig;
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};
    unsigned calls = 0;
    struct vmr_event_port port = {
        .connection_id = 7, .has_os_event = true, .os_event = 3, .signal = count_call, .context = &calls};

    (void)state;
    for (unsigned has_events = 0; has_events < 2; has_events++) {
        guest_rig_prepare(&rig);
        struct vmr_host_ops ops = *rig.fake.host.ops;
        const struct vmr_host host = {.ops = &ops, .context = rig.fake.host.context};

        ops.events = has_events ? &events : NULL;
        rig.options.host = &host;
        guest_rig_create(&rig);
        struct vmr_synic *synic = vmr_hv_guest_synic(rig.guest);

        assert_false(vmr_synic_prefers_os_events(synic));
        port.os_event = -1;
        assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, &err), has_events ? VMR_E_CONFIG : VMR_OK);
        assert_true(!has_events || strstr(err.message, "0x7: -1 is no event"));
        if (!has_events)
            vmr_synic_port_remove(handle);
        port.os_event = 3;
        assert_int_equal(vmr_synic_event_port_add(synic, &port, &handle, NULL), VMR_OK);
        assert_int_equal(vmr_synic_guest_signal(synic, 0, 7, 1), HV_STATUS_SUCCESS);
        assert_int_equal(signalled[3], has_events);
        assert_int_equal(calls, 1);
        vmr_synic_port_remove(handle);
        guest_rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_cannot_be_are_refused),    cmocka_unit_test(a_failing_allocation_leaves_nothing),
        cmocka_unit_test(the_range_is_ours_and_nothing_else_is), cmocka_unit_test(auto_eoi_needs_a_local_apic_that_can),
        cmocka_unit_test(an_event_becomes_an_interrupt),         cmocka_unit_test(a_signal_goes_to_the_hosts_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
