/* SPDX-License-Identifier: MIT */
/* VTLs of an interface: how it is configured, what each VTL has, and registers by name. [VTL-1] [VTL-7] [VTL-9] */

#include "tests/hv/guest_rig.h"

static const struct vmr_hv_vtl2_config plain = {.late_map = NULL};

static void isolation_types_have_numbers(void **state)
{
    enum vmr_isolation isolation = VMR_ISOLATION_NONE;

    (void)state;
    for (unsigned i = 0; i < VMR_ISOLATION_COUNT; i++) {
        assert_true(vmr_isolation_from_hv(vmr_isolation_to_hv((enum vmr_isolation)i), &isolation));
        assert_int_equal(isolation, i);
        assert_int_equal(vmr_isolation_is_isolated(isolation), i != 0);
        assert_int_equal(vmr_isolation_is_hardware(isolation), i >= 2);
    }
    isolation = VMR_ISOLATION_VBS;
    assert_false(vmr_isolation_from_hv(4, &isolation));
    assert_int_equal(isolation, VMR_ISOLATION_VBS);
    assert_int_equal(vmr_isolation_to_hv(VMR_ISOLATION_COUNT), 0);
}

static void a_configuration_is_checked(void **state)
{
    static const struct {
        bool has_vtls, vtl2;
        enum vmr_isolation isolation;
        uint64_t off;
        enum vmr_status status;
    } rows[] = {
        {false, false, VMR_ISOLATION_NONE, 0, VMR_OK},
        {false, true, VMR_ISOLATION_NONE, 0, VMR_E_UNSUPPORTED},
        {false, false, VMR_ISOLATION_VBS, 0, VMR_E_UNSUPPORTED},
        {true, true, VMR_ISOLATION_NONE, 0, VMR_OK},
        {true, true, VMR_ISOLATION_VBS, 0, VMR_OK},
        {true, false, VMR_ISOLATION_VBS, 0, VMR_E_CONFIG},
        {true, true, VMR_ISOLATION_TDX, 0, VMR_E_UNSUPPORTED},
        {true, true, (enum vmr_isolation)9, 0, VMR_E_CONFIG},
        {true, false, VMR_ISOLATION_NONE, HV_ACCESS_VSM, VMR_OK},
        {true, true, VMR_ISOLATION_NONE, HV_ACCESS_VSM, VMR_E_CONFIG},
        {true, true, VMR_ISOLATION_NONE, HV_ACCESS_SYNIC, VMR_E_CONFIG},
        {true, true, VMR_ISOLATION_NONE, HV_ACCESS_HYPERCALL_MSRS, VMR_E_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_error err = {.message = ""};
        struct guest_rig rig;

        guest_rig_prepare(&rig);
        rig.options.target.protect = rows[i].has_vtls ? guest_rig_protect : NULL;
        rig.options.config.vtl2 = rows[i].vtl2 ? &plain : NULL;
        rig.options.config.isolation = rows[i].isolation;
        rig.options.config.privileges_off = rows[i].off;
        assert_int_equal(vmr_hv_guest_create(&rig.options, &rig.guest, &err), rows[i].status);
        assert_int_equal(err.message[0] != '\0', rows[i].status != VMR_OK);
        guest_rig_finish(&rig);
    }
}

static void a_vtl_that_is_not_there_has_no_registers(void **state)
{
    struct guest_rig rig;
    uint64_t value;

    (void)state;
    guest_rig_init_vtls(&rig, NULL, VMR_ISOLATION_NONE);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 1, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 0, 0, HV_MSR_GUEST_OS_ID, &value), VMR_MSR_OK);
    assert_int_equal(value, 0);
    assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 0, 2, HV_MSR_GUEST_OS_ID, &value), VMR_MSR_FAULT);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_SIMP, 1), VMR_MSR_FAULT);
    assert_false(vmr_hv_guest_is_calling(rig.guest, 2));
    guest_rig_finish(&rig);
}

static void a_scrub_is_for_one_vtl(void **state)
{
    struct guest_rig rig;
    uint64_t value;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    for (uint8_t vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, vtl, HV_MSR_GUEST_OS_ID, OS_ID), VMR_MSR_OK);
        assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, vtl, HV_MSR_HYPERCALL, (5 + vtl) * PAGE | 1), VMR_MSR_OK);
        assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 1, vtl, HV_MSR_VP_ASSIST_PAGE, (8 + vtl) * PAGE | 1),
                         VMR_MSR_OK);
        assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, vtl, HV_MSR_SINT0, 0x40), VMR_MSR_OK);
    }
    assert_int_equal(vmr_hv_guest_modify_page(rig.guest, 3, 0, NULL), VMR_OK);
    vmr_hv_guest_scrub(rig.guest, 2);
    vmr_hv_guest_scrub(rig.guest, 7);
    for (uint8_t vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        assert_int_equal(vmr_hv_guest_is_calling(rig.guest, vtl), vtl != 2);
        assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 1, vtl, HV_MSR_VP_ASSIST_PAGE, &value), VMR_MSR_OK);
        assert_int_equal(value != 0, vtl != 2);
        assert_int_equal(vmr_hv_guest_msr_read(rig.guest, 0, vtl, HV_MSR_SINT0, &value), VMR_MSR_OK);
        assert_int_equal(value, vtl != 2 ? 0x40 : HV_SINT_MASKED);
    }
    assert_int_equal(rig.access[0][3], 0);
    assert_int_equal(rig.access[1][3], 0);
    vmr_hv_guest_reset(rig.guest);
    assert_int_equal(rig.access[0][3], HV_MAP_GPA_PERMISSIONS_ALL);
    guest_rig_finish(&rig);
}

static void pages_are_the_hosts_to_change_too(void **state)
{
    const struct vmr_page_range range = {.gpa = 3 * PAGE, .size = 2 * PAGE};
    struct vmr_error err = {.message = ""};
    struct guest_rig rig;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_int_equal(vmr_hv_guest_modify_page(rig.guest, GUEST_PAGES, 1, &err), VMR_E_CONFIG);
    assert_int_equal(vmr_hv_guest_modify_page(rig.guest, 3, 0x10, &err), VMR_E_CONFIG);
    assert_int_equal(vmr_hv_guest_map_vtl(rig.guest, 3, &range, false, &err), VMR_E_CONFIG);
    assert_int_equal(vmr_hv_guest_map_vtl(rig.guest, 1, &range, false, &err), VMR_OK);
    assert_int_equal(rig.access[1][4], VMR_VTL_HOLE);
    assert_int_equal(rig.access[0][4], HV_MAP_GPA_PERMISSIONS_ALL);
    assert_true(vmr_hv_guest_is_hole(rig.guest, 1, 4 * PAGE));
    assert_false(vmr_hv_guest_is_hole(rig.guest, 0, 4 * PAGE));
    assert_false(vmr_hv_guest_is_hole(rig.guest, 1, GUEST_PAGES * PAGE)); /* no RAM */
    assert_false(vmr_hv_guest_is_hole(rig.guest, 3, 4 * PAGE));
    rig.protect_fails = true;
    assert_int_equal(vmr_hv_guest_map_vtl(rig.guest, 1, &range, true, &err), VMR_E_HOST);
    assert_int_equal(vmr_hv_guest_modify_page(rig.guest, 3, 0, &err), VMR_E_HOST);
    guest_rig_finish(&rig);
    guest_rig_init(&rig);
    assert_int_equal(vmr_hv_guest_modify_page(rig.guest, 3, 0, &err), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_hv_guest_map_vtl(rig.guest, 0, &range, true, &err), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_hv_guest_accept_initial(rig.guest, NULL, 0, &err), VMR_E_UNSUPPORTED);
    guest_rig_finish(&rig);
}

static void registers_say_what_there_is(void **state)
{
    struct guest_rig rig;
    uint64_t value = 0;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_true(vmr_hv_guest_vsm_register(rig.guest, 0, true, HV_REGISTER_VSM_CODE_PAGE_OFFSETS, &value));
    assert_int_equal(value, 0x0f | 0x26 << 12);
    assert_true(vmr_hv_guest_vsm_register(rig.guest, 0, false, HV_REGISTER_VSM_CODE_PAGE_OFFSETS, &value));
    assert_int_equal(value, 0x04 | 0x1b << 12);
    assert_true(vmr_hv_guest_vsm_register(rig.guest, 0, true, HV_REGISTER_VSM_VP_STATUS, &value));
    assert_int_equal(value, 2 | 5 << 16);
    assert_true(vmr_hv_guest_vsm_register(rig.guest, 0, true, HV_REGISTER_VSM_PARTITION_STATUS, &value));
    assert_int_equal(value, 5 | 2 << 16);
    assert_true(vmr_hv_guest_vsm_register(rig.guest, 0, true, HV_REGISTER_VSM_CAPABILITIES, &value));
    assert_int_equal(value, 0);
    assert_false(vmr_hv_guest_vsm_register(rig.guest, 0, true, 1, &value));
    assert_false(vmr_hv_guest_vsm_register(rig.guest, 9, true, HV_REGISTER_VSM_VP_STATUS, &value));
    guest_rig_finish(&rig);
    guest_rig_init(&rig);
    assert_false(vmr_hv_guest_vsm_register(rig.guest, 0, true, HV_REGISTER_VSM_VP_STATUS, &value));
    assert_int_equal(vmr_hv_guest_vtl(rig.guest, 0), 0);
    guest_rig_finish(&rig);
}

/* A vector of a higher VTL: the target is woken and the VP enters it; VTL 0's goes to its local APIC. */
static void vectors_go_to_their_vtl(void **state)
{
    const struct vmr_synic_target low = {.vp = 0, .vtl = 0, .sint = 3}, high = {.vp = 0, .vtl = 2, .sint = 3};
    struct vmr_hv_entry entry = {0};
    struct guest_rig rig;
    struct vmr_synic *synic;
    uint8_t vector = 0;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    synic = vmr_hv_guest_synic(rig.guest);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 0, HV_MSR_SINT0 + 3, 0x41), VMR_MSR_OK);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_SINT0 + 3, 0x42), VMR_MSR_OK);
    assert_int_equal(vmr_synic_signal_event(synic, &low, 1), VMR_SYNIC_SIGNALED);
    assert_int_equal(rig.interrupts, 1);
    assert_int_equal(vmr_synic_signal_event(synic, &high, 1), VMR_SYNIC_SIGNALED);
    assert_int_equal(rig.interrupts, 1);
    assert_int_equal(rig.wakes, 1);
    assert_false(vmr_hv_guest_preempts(rig.guest, 0)); /* it is in VTL 2 */
    assert_false(vmr_hv_guest_preempt(rig.guest, 0, &entry));
    assert_true(vmr_hv_guest_vector(rig.guest, 0, &vector));
    assert_int_equal(vector, 0x42);
    assert_true(vtls_return(&rig.guest->vtls, 0, &entry));
    assert_true(vmr_hv_guest_preempts(rig.guest, 0));
    assert_true(vmr_hv_guest_preempt(rig.guest, 0, &entry));
    assert_int_equal(entry.vtl, 2);
    vmr_hv_guest_vector_taken(rig.guest, 0, vector);
    assert_false(vmr_hv_guest_vector(rig.guest, 0, &vector));
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isolation_types_have_numbers),
        cmocka_unit_test(a_configuration_is_checked),
        cmocka_unit_test(a_vtl_that_is_not_there_has_no_registers),
        cmocka_unit_test(a_scrub_is_for_one_vtl),
        cmocka_unit_test(pages_are_the_hosts_to_change_too),
        cmocka_unit_test(registers_say_what_there_is),
        cmocka_unit_test(vectors_go_to_their_vtl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
