/* SPDX-License-Identifier: MIT */
/* From a VP's registers to a handler and back. [HC-1] [HC-3] [HC-4] */

#include "tests/hv/guest_rig.h"

#define RIP UINT64_C(0x3002)

/* A 64-bit caller in ring 0. */
static struct vmr_x86_regs caller(uint64_t control, uint64_t input, uint64_t output)
{
    struct vmr_x86_regs regs = {.rip = RIP, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};

    regs.gpr[VMR_X86_RCX] = control;
    regs.gpr[VMR_X86_RDX] = input;
    regs.gpr[VMR_X86_R8] = output;
    regs.gpr[VMR_X86_RAX] = 0x5555;
    return regs;
}

static enum vmr_hv_site_end call(struct guest_rig *rig, struct vmr_x86_regs *regs)
{
    struct vmr_hv_site site = {.instruction_length = 2, .regs = regs};

    return vmr_hv_guest_call(rig->guest, &site);
}

static void only_the_result_changes(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct vmr_x86_regs regs = caller(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 9, 10), before = regs;

    guest_rig_init(&rig);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_SERVED);
    assert_int_equal(regs.gpr[VMR_X86_RAX], HV_STATUS_INVALID_CONNECTION_ID);
    before.gpr[VMR_X86_RAX] = regs.gpr[VMR_X86_RAX];
    assert_memory_equal(&regs, &before, sizeof(regs));
    assert_int_equal(rig.xmm_reads, 0); /* two words are enough */
    guest_rig_finish(&rig);
}

static void ring_3_and_real_mode_are_undefined(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct vmr_x86_regs regs = caller(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 9, 10);

    guest_rig_init(&rig);
    regs.ss.attributes |= 3u << 5;
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_UNDEFINED);
    assert_int_equal(regs.rip, RIP - 2); /* at the instruction */
    assert_int_equal(regs.gpr[VMR_X86_RAX], 0x5555);
    regs = caller(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 9, 10);
    regs.cr0 = 0;
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_UNDEFINED);
    guest_rig_finish(&rig);
}

/* EDX:EAX control, EBX:ECX input; the result comes in EDX:EAX. Also from compatibility mode. */
static void without_a_long_code_segment_it_is_a_32_bit_call(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct vmr_x86_regs regs = caller(0, 0, 0);

    guest_rig_init(&rig);
    regs.cs.attributes = 0xc09b;
    regs.gpr[VMR_X86_RAX] = HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST;
    regs.gpr[VMR_X86_RDX] = 0;
    regs.gpr[VMR_X86_RCX] = 77;
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_SERVED);
    assert_int_equal(regs.gpr[VMR_X86_RAX], HV_STATUS_INVALID_CONNECTION_ID);
    assert_int_equal(regs.gpr[VMR_X86_RDX], 0);
    guest_rig_finish(&rig);
}

static enum hv_status complement(void *context, struct vmr_hv_call *made)
{
    (void)context;
    for (unsigned i = 0; i < 8; i++)
        made->output[i] = (uint8_t)~made->input[i];
    return HV_STATUS_SUCCESS;
}

static void extended_fast_calls_use_xmm_or_are_refused(void **state)
{
    const struct vmr_hv_call_handler handler = {.run = complement};
    const uint64_t control = HV_CALL_SIGNAL_EVENT_DIRECT | HV_CONTROL_FAST;
    struct vmr_x86_regs regs = caller(control, 5, 6);
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(vmr_hv_calls_set(vmr_hv_guest_calls(rig.guest), HV_CALL_SIGNAL_EVENT_DIRECT, &handler), VMR_OK);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_SERVED);
    assert_int_equal(regs.gpr[VMR_X86_RAX], 0);
    assert_int_equal(rig.xmm[0].low, ~UINT64_C(5));
    assert_int_equal(rig.xmm_writes, 1);
    rig.xmm_fails = true;
    regs = caller(control, 5, 6);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_FAILED);
    guest_rig_finish(&rig);

    guest_rig_prepare(&rig);
    rig.options.target.get_xmm = NULL;
    rig.options.target.set_xmm = NULL;
    guest_rig_create(&rig);
    assert_int_equal(vmr_hv_calls_set(vmr_hv_guest_calls(rig.guest), HV_CALL_SIGNAL_EVENT_DIRECT, &handler), VMR_OK);
    regs = caller(control, 5, 6);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_SERVED);
    assert_int_equal(regs.gpr[VMR_X86_RAX], HV_STATUS_INVALID_HYPERCALL_INPUT);
    guest_rig_finish(&rig);
}

static enum hv_status again(void *context, struct vmr_hv_call *made)
{
    (void)context;
    (void)made;
    return HV_STATUS_TIMEOUT;
}

static void a_call_to_be_repeated_goes_back_to_its_instruction(void **state)
{
    const struct vmr_hv_call_handler handler = {.run = again};
    struct vmr_x86_regs regs = caller(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 5, 6);
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(vmr_hv_calls_set(vmr_hv_guest_calls(rig.guest), HV_CALL_SIGNAL_EVENT, &handler), VMR_OK);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_SERVED);
    assert_int_equal(regs.rip, RIP - 2);
    assert_int_equal(regs.gpr[VMR_X86_RAX], 0x5555);
    guest_rig_finish(&rig);
}

static enum hv_status lie(void *context, struct vmr_hv_call *made)
{
    (void)context;
    (void)made;
    return (enum hv_status)0x12345;
}

static void a_handler_that_breaks_its_contract_is_a_failure(void **state)
{
    const struct vmr_hv_call_handler handler = {.run = lie};
    struct vmr_x86_regs regs = caller(HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST, 5, 6);
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(vmr_hv_calls_set(vmr_hv_guest_calls(rig.guest), HV_CALL_SIGNAL_EVENT, &handler), VMR_OK);
    assert_int_equal(call(&rig, &regs), VMR_HV_SITE_FAILED);
    assert_int_equal(rig.fake.log_lines, 1);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_result_changes),
        cmocka_unit_test(ring_3_and_real_mode_are_undefined),
        cmocka_unit_test(without_a_long_code_segment_it_is_a_32_bit_call),
        cmocka_unit_test(extended_fast_calls_use_xmm_or_are_refused),
        cmocka_unit_test(a_call_to_be_repeated_goes_back_to_its_instruction),
        cmocka_unit_test(a_handler_that_breaks_its_contract_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
