/* SPDX-License-Identifier: MIT */

/* Switches between VTLs: a well-formed one is its handler's; any other is an undefined instruction. */

#include "tests/hv/fixture.h"

#define CALL HV_CALL_VTL_CALL
#define RETURN HV_CALL_VTL_RETURN

struct switcher {
    bool refuse;
    unsigned asked;
    struct vmr_hv_vtl_switch request;
};

static bool switch_vtl(void *context, const struct vmr_hv_vtl_switch *request)
{
    struct switcher *switcher = context;

    switcher->asked++;
    switcher->request = *request;
    return !switcher->refuse;
}

static const struct {
    const char *name;
    uint8_t abi;
    uint64_t control, input;
    bool privileged, refuse;
    bool asked, switched, fast;
} switches[] = {
    {"call", VMR_HV_ABI_X64, CALL, 0, true, false, true, true, false},
    {"call with input", VMR_HV_ABI_X64, CALL, 1, true, false, false, false, false},
    {"call with the fast bit", VMR_HV_ABI_X64, CALL | HV_CONTROL_FAST, 0, true, false, false, false, false},
    {"call with a rep count", VMR_HV_ABI_X64, CALL | UINT64_C(1) << 32, 0, true, false, false, false, false},
    {"call with the nested bit", VMR_HV_ABI_X64, CALL | HV_CONTROL_NESTED, 0, true, false, false, false, false},
    {"call with a reserved bit", VMR_HV_ABI_X64, CALL | UINT64_C(1) << 63, 0, true, false, false, false, false},
    {"call that is not allowed", VMR_HV_ABI_X64, CALL, 0, true, true, true, false, false},
    {"call of a partition without VTLs", VMR_HV_ABI_X64, CALL, 0, false, false, false, false, false},
    {"return", VMR_HV_ABI_X64, RETURN, 0, true, false, true, true, false},
    {"fast return", VMR_HV_ABI_X64, RETURN, 1, true, false, true, true, true},
    {"return with input 2", VMR_HV_ABI_X64, RETURN, 2, true, false, false, false, false},
    {"return with input above 32 bits", VMR_HV_ABI_X64, RETURN, UINT64_C(1) << 32, true, false, false, false, false},
    {"32-bit call", VMR_HV_ABI_X86, CALL, 0, true, false, true, true, false},
    {"32-bit call with input", VMR_HV_ABI_X86, CALL, 1, true, false, false, false, false},
    {"32-bit return, input of 32 bits", VMR_HV_ABI_X86, RETURN, 1 | UINT64_C(1) << 32, true, false, true, true, true},
    {"HVC call", VMR_HV_ABI_ARM64_HVC, CALL, 0, true, false, true, true, false},
    {"SMCCC return", VMR_HV_ABI_ARM64_SMCCC, RETURN, 0, true, false, true, true, false},
};

static void place(struct vmr_hv_call_registers *registers, uint8_t abi, uint64_t control, uint64_t input)
{
    switch ((enum vmr_hv_abi)abi) {
    case VMR_HV_ABI_X64:
        registers->gpr[VMR_X86_RCX] = control;
        registers->gpr[VMR_X86_RAX] = input;
        break;
    case VMR_HV_ABI_X86:
        registers->gpr[VMR_X86_RAX] = (uint32_t)control;
        registers->gpr[VMR_X86_RDX] = control >> 32;
        registers->gpr[VMR_X86_RCX] = input;
        break;
    case VMR_HV_ABI_ARM64_HVC:
        registers->gpr[0] = control;
        break;
    case VMR_HV_ABI_ARM64_SMCCC:
        registers->gpr[1] = control;
        break;
    case VMR_HV_ABI_COUNT:
        break;
    }
}

static void a_switch_is_well_formed_and_allowed_or_undefined(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        struct switcher switcher = {.refuse = switches[i].refuse};
        struct rig rig;

        rig_init(&rig);
        vmr_hv_calls_set_vtl_switch(&rig.calls, &(struct vmr_hv_vtl_switch_handler){switch_vtl, &switcher});
        rig.caller.abi = switches[i].abi;
        if (!switches[i].privileged)
            rig.caller.privileges &= ~HV_ACCESS_VSM;
        place(&rig.registers, switches[i].abi, switches[i].control, switches[i].input);
        struct vmr_hv_call_registers before = rig.registers;

        must_dispatch(&rig);
        if (switcher.asked != switches[i].asked ||
            rig.result.outcome != (switches[i].switched ? VMR_HV_SWITCHED : VMR_HV_UNDEFINED))
            fail_msg("%s", switches[i].name);
        assert_memory_equal(&rig.registers, &before, sizeof(before));
        if (switches[i].asked) {
            assert_int_equal(switcher.request.fast, switches[i].fast);
            assert_int_equal(switcher.request.is_return, (switches[i].control & 0xffff) == RETURN);
            assert_int_equal(switcher.request.pc_next, 0x103);
        }
        rig_finish(&rig);
    }
}

static void a_pc_that_was_advanced_goes_back_only_for_the_exception(void **state)
{
    (void)state;
    struct switcher switcher = {0};
    struct rig rig;

    rig_init(&rig);
    vmr_hv_calls_set_vtl_switch(&rig.calls, &(struct vmr_hv_vtl_switch_handler){switch_vtl, &switcher});
    rig.caller.abi = VMR_HV_ABI_ARM64_HVC;
    rig.caller.instruction_length = 4;
    rig.caller.pc_advanced = true;
    rig.registers.gpr[0] = CALL;
    must_dispatch(&rig);
    assert_int_equal(switcher.request.pc_next, 0x100);
    assert_int_equal(rig.registers.pc, 0x100);
    switcher.refuse = true;
    must_dispatch(&rig);
    assert_int_equal(rig.registers.pc, 0xfc);
    assert_true(rig.registers.pc_modified);
    assert_int_equal(rig.registers.gpr_modified, 0);
    rig_finish(&rig);
}

static void without_a_handler_the_codes_are_unknown(void **state)
{
    (void)state;
    struct switcher switcher = {0};
    struct rig rig;

    rig_init(&rig);
    vmr_hv_calls_set_vtl_switch(&rig.calls, &(struct vmr_hv_vtl_switch_handler){switch_vtl, &switcher});
    vmr_hv_calls_set_vtl_switch(&rig.calls, NULL);
    rig_set(&rig, CALL, 0, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.result.outcome, VMR_HV_DONE);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], HV_STATUS_INVALID_HYPERCALL_CODE);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_switch_is_well_formed_and_allowed_or_undefined),
        cmocka_unit_test(a_pc_that_was_advanced_goes_back_only_for_the_exception),
        cmocka_unit_test(without_a_handler_the_codes_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
