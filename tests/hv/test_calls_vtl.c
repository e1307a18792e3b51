/* SPDX-License-Identifier: MIT */
/* Inputs of the calls about VTLs, field by field, and switches as a site sees them. [VTL-2] [VTL-3] [VTL-4] [VTL-6]
 * [VTL-9] */

#include "tests/hv/guest_rig.h"

static const struct vmr_hv_vtl2_config plain = {.late_map = NULL};

static uint64_t enable(struct guest_rig *rig, uint8_t caller, uint8_t vtl)
{
    uint8_t input[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, vtl};

    return guest_rig_call(rig, caller, HV_CALL_ENABLE_PARTITION_VTL, input, sizeof(input));
}

static void fields_of_enable_are_checked(void **state)
{
    struct guest_rig rig;
    uint8_t input[16];

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_int_equal(enable(&rig, 2, 3), HV_STATUS_ACCESS_DENIED);
    for (unsigned i = 9; i < sizeof(input); i++) {
        memset(input, 0xff, 8);
        memset(input + 8, 0, 8);
        input[8] = 1;
        input[i] = 1;
        assert_int_equal(guest_rig_call(&rig, 2, HV_CALL_ENABLE_PARTITION_VTL, input, sizeof(input)),
                         HV_STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(enable(&rig, 2, 1), HV_STATUS_SUCCESS);
    assert_int_equal(enable(&rig, 2, 2), HV_STATUS_VTL_ALREADY_ENABLED);
    guest_rig_finish(&rig);
}

static uint64_t enable_vp(struct guest_rig *rig, uint8_t caller, uint32_t vp, uint32_t vtl_and_reserved)
{
    uint8_t input[240] = {0};

    memset(input, 0xff, 8);
    store_le32(input + 8, vp);
    store_le32(input + 12, vtl_and_reserved);
    store_le64(input + 16, 0x4321);
    return guest_rig_call(rig, caller, HV_CALL_ENABLE_VP_VTL, input, sizeof(input));
}

static void fields_of_enable_vp_are_checked(void **state)
{
    struct guest_rig rig;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_int_equal(enable_vp(&rig, 2, 0, 1), HV_STATUS_INVALID_VTL_STATE);
    assert_int_equal(enable(&rig, 2, 1), HV_STATUS_SUCCESS);
    assert_int_equal(enable_vp(&rig, 2, GUEST_VPS, 1), HV_STATUS_INVALID_VP_INDEX);
    assert_int_equal(enable_vp(&rig, 2, 0, 3), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_vp(&rig, 2, 0, 1 | 1u << 31), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_vp(&rig, 2, 1, 1), HV_STATUS_SUCCESS);
    assert_int_equal(enable_vp(&rig, 2, HV_VP_INDEX_SELF, 1), HV_STATUS_SUCCESS);
    assert_int_equal(enable_vp(&rig, 2, 0, 1), HV_STATUS_VTL_ALREADY_ENABLED);
    guest_rig_finish(&rig);
}

static enum vmr_hv_site_end switch_vtl(struct guest_rig *rig, struct vmr_x86_regs *regs, uint8_t vtl, uint16_t code,
                                       struct vmr_hv_entry *ret_entry)
{
    struct vmr_hv_site site = {.vtl = vtl, .instruction_length = 3, .regs = regs};

    regs->gpr[VMR_X86_RCX] = code;
    enum vmr_hv_site_end end = vmr_hv_guest_call(rig->guest, &site);

    *ret_entry = site.entry;
    return end;
}

static void a_switch_is_an_entry(void **state)
{
    struct vmr_x86_regs regs = {
        .rip = 0x3003, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    struct vmr_hv_entry entry;
    struct guest_rig rig;
    uint8_t registers[16];

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_VP_ASSIST_PAGE, 9 * PAGE | 1), VMR_MSR_OK);
    store_le64(registers, 0x1111);
    store_le64(registers + 8, 0x2222);
    assert_int_equal(vmr_memory_write(rig.memory, 9 * PAGE + HV_VTL_RETURN_RAX, registers, sizeof(registers)), VMR_OK);
    /* A VTL that the VP is not in has nothing to say. */
    assert_int_equal(switch_vtl(&rig, &regs, 0, HV_CALL_VTL_CALL, &entry), VMR_HV_SITE_UNDEFINED);
    assert_int_equal(regs.rip, 0x3000);
    regs.rip = 0x3003;
    regs.gpr[VMR_X86_RAX] = 0;
    assert_int_equal(switch_vtl(&rig, &regs, 2, HV_CALL_VTL_RETURN, &entry), VMR_HV_SITE_SWITCHED);
    assert_int_equal(entry.vtl, 0);
    assert_true(entry.first);
    assert_int_equal(regs.rip, 0x3003);
    assert_int_equal(regs.gpr[VMR_X86_RAX], 0x1111);
    assert_int_equal(regs.gpr[VMR_X86_RCX], 0x2222);
    regs.gpr[VMR_X86_RAX] = 0;
    assert_int_equal(switch_vtl(&rig, &regs, 0, HV_CALL_VTL_CALL, &entry), VMR_HV_SITE_SWITCHED);
    assert_int_equal(entry.vtl, 2);
    assert_int_equal(vmr_memory_read(rig.memory, 9 * PAGE + HV_VTL_ENTRY_REASON, registers, 4), VMR_OK);
    assert_int_equal(load_le32(registers), HV_VTL_ENTRY_CALL);
    guest_rig_finish(&rig);
}

/* From 32-bit code three registers of 32 bits come back. */
static void a_return_of_32_bits_loads_three_registers(void **state)
{
    struct vmr_x86_regs regs = {.rip = 0x3003, .cr0 = 1, .cs.attributes = 0xc09b, .ss.attributes = 0xc093};
    struct vmr_hv_site site = {.vtl = 2, .instruction_length = 3, .regs = &regs};
    struct guest_rig rig;
    uint8_t registers[12];

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    assert_int_equal(vmr_hv_guest_msr_write(rig.guest, 0, 2, HV_MSR_VP_ASSIST_PAGE, 9 * PAGE | 1), VMR_MSR_OK);
    for (unsigned i = 0; i < 3; i++)
        store_le32(registers + 4 * i, 0xf0000001 + i);
    assert_int_equal(vmr_memory_write(rig.memory, 9 * PAGE + HV_VTL_RETURN_RAX, registers, sizeof(registers)), VMR_OK);
    regs.gpr[VMR_X86_RAX] = HV_CALL_VTL_RETURN;
    assert_int_equal(vmr_hv_guest_call(rig.guest, &site), VMR_HV_SITE_SWITCHED);
    assert_int_equal(regs.gpr[VMR_X86_RAX], 0xf0000001);
    assert_int_equal(regs.gpr[VMR_X86_RCX], 0xf0000002);
    assert_int_equal(regs.gpr[VMR_X86_RDX], 0xf0000003);
    guest_rig_finish(&rig);
}

static uint64_t modify(struct guest_rig *rig, uint64_t flags_and_vtl, uint64_t page)
{
    uint8_t input[24];

    memset(input, 0xff, 8);
    store_le64(input + 8, flags_and_vtl);
    store_le64(input + 16, page);
    return guest_rig_call(rig, 2, HV_CALL_MODIFY_VTL_PROTECTION_MASK | UINT64_C(1) << 32, input, sizeof(input));
}

static void a_backend_that_refuses_is_no_memory(void **state)
{
    struct guest_rig rig;

    (void)state;
    guest_rig_init_vtls(&rig, &plain, VMR_ISOLATION_NONE);
    rig.protect_fails = true;
    assert_int_equal(modify(&rig, UINT64_C(0x10) << 32, 5), HV_STATUS_INSUFFICIENT_MEMORY);
    rig.protect_fails = false;
    assert_int_equal(modify(&rig, UINT64_C(0x10) << 32, 5), UINT64_C(1) << 32);
    assert_int_equal(rig.access[0][5], 0);
    assert_int_equal(rig.access[1][5], HV_MAP_GPA_PERMISSIONS_ALL);
    assert_int_equal(modify(&rig, UINT64_C(0x11) << 32 | 3, 5), UINT64_C(1) << 32);
    assert_int_equal(rig.access[1][5], 3);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_enable_are_checked),
        cmocka_unit_test(fields_of_enable_vp_are_checked),
        cmocka_unit_test(a_switch_is_an_entry),
        cmocka_unit_test(a_return_of_32_bits_loads_three_registers),
        cmocka_unit_test(a_backend_that_refuses_is_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
