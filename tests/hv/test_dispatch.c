/* SPDX-License-Identifier: MIT */

/* One call: what is checked in which order, what is read and written, and where the guest goes on. */

#include "tests/hv/fixture.h"

#define BY_FAST true
#define BY_MEMORY false

#define SIGNAL HV_CALL_SIGNAL_EVENT                 /* 8 bytes in */
#define TRANSLATE HV_CALL_TRANSLATE_VIRTUAL_ADDRESS /* 32 bytes in, 16 out */
#define POST HV_CALL_POST_MESSAGE                   /* 256 bytes in */
#define QUERY HV_CALL_EXT_QUERY_CAPABILITIES        /* nothing in, 8 bytes out */
#define REPORT HV_CALL_VBS_VM_CALL_REPORT           /* 64 bytes in, 2048 out */

#define CODE HV_STATUS_INVALID_HYPERCALL_CODE
#define INPUT HV_STATUS_INVALID_HYPERCALL_INPUT
#define ALIGNMENT HV_STATUS_INVALID_ALIGNMENT
#define DENIED HV_STATUS_ACCESS_DENIED

static const struct {
    const char *name;
    uint64_t control, input, output;
    uint64_t lacking; /* privileges */
    enum hv_status status;
} refusals[] = {
    {"all is well", SIGNAL, INPUT_GPA, 1, 0, HV_STATUS_SUCCESS},
    {"an unknown code goes before everything", 0x7777 | HV_CONTROL_RESERVED, 1, 1, UINT64_MAX, CODE},
    {"a code that is known but not defined", HV_CALL_NOTIFY_LONG_SPIN_WAIT, INPUT_GPA, 0, 0, CODE},
    {"a privilege goes before the control word", SIGNAL | HV_CONTROL_RESERVED, 1, 1, HV_SIGNAL_EVENTS, DENIED},
    {"another privilege does not matter", SIGNAL, INPUT_GPA, 0, ~HV_SIGNAL_EVENTS, HV_STATUS_SUCCESS},
    {"the control word goes before the input", SIGNAL | HV_CONTROL_RESERVED, INPUT_GPA + 1, 0, 0, INPUT},
    {"the nested bit is not reserved", SIGNAL | HV_CONTROL_NESTED, INPUT_GPA, 0, 0, HV_STATUS_SUCCESS},
    {"input not aligned", SIGNAL, INPUT_GPA + 4, 0, 0, ALIGNMENT},
    {"input straddles, and is not aligned", SIGNAL, INPUT_GPA + 0xffc, 0, 0, INPUT},
    {"input ends with its page", SIGNAL, INPUT_GPA + 0xff8, 0, 0, HV_STATUS_SUCCESS},
    {"input straddles", POST, INPUT_GPA + 0xf08, 0, 0, INPUT},
    {"longer input ends with its page", POST, INPUT_GPA + 0xf00, 0, 0, HV_STATUS_SUCCESS},
    {"input in a hole", SIGNAL, HOLE_GPA, 0, 0, INPUT},
    {"input in read-only memory", SIGNAL, ROM_GPA, 0, 0, HV_STATUS_SUCCESS},
    {"input at the end of the address space", SIGNAL, UINT64_MAX - 7, 0, 0, INPUT},
    {"misaligned input in a hole", SIGNAL, HOLE_GPA + 1, 0, 0, ALIGNMENT},
    {"no output, so its address is not looked at", SIGNAL, INPUT_GPA, 0xfff, 0, HV_STATUS_SUCCESS},
    {"no input, so its address is not looked at", QUERY, 0xfff, OUTPUT_GPA, 0, HV_STATUS_SUCCESS},
    {"output not aligned", QUERY, 0, OUTPUT_GPA + 4, 0, ALIGNMENT},
    {"output straddles, and is not aligned", QUERY, 0, OUTPUT_GPA + 0xffc, 0, INPUT},
    {"output ends with its page", QUERY, 0, OUTPUT_GPA + 0xff8, 0, HV_STATUS_SUCCESS},
    {"output straddles", REPORT, INPUT_GPA, OUTPUT_GPA + 0x808, 0, INPUT},
    {"misaligned input goes before output that straddles", TRANSLATE, INPUT_GPA + 4, OUTPUT_GPA + 0xff8, 0, ALIGNMENT},
    {"misaligned output goes before unreadable input", TRANSLATE, HOLE_GPA, OUTPUT_GPA + 4, 0, ALIGNMENT},
    {"too long for registers", POST | HV_CONTROL_FAST, 0, 0, 0, INPUT},
    {"output too long for registers", REPORT | HV_CONTROL_FAST, 0, 0, 0, INPUT},
    {"registers need no alignment", SIGNAL | HV_CONTROL_FAST, 0xffd, 0xfff, 0, HV_STATUS_SUCCESS},
};

static void the_first_thing_wrong_is_the_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        bool refused = refusals[i].status != HV_STATUS_SUCCESS;
        struct rig rig;

        rig_init(&rig);
        rig.caller.privileges &= ~refusals[i].lacking;
        rig_set(&rig, refusals[i].control, refusals[i].input, refusals[i].output);
        must_dispatch(&rig);
        if (rig.result.outcome != VMR_HV_DONE || rig.result.status != refusals[i].status ||
            rig.registers.gpr[VMR_X86_RAX] != refusals[i].status || rig.handled != (refused ? 0 : 1))
            fail_msg("%s: %#x", refusals[i].name, rig.result.status);
        assert_int_equal(rig.registers.pc, 0x103);
        assert_int_equal(rig.result.completed, 0);
        if (refused)
            assert_int_equal(rig.writes, 0);
        rig_finish(&rig);
    }
}

static void what_is_switched_off_is_refused_before_its_input_is_read(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < vmr_hv_call_count(); i++) {
        const struct vmr_hv_call_definition *definition = vmr_hv_call_at(i);

        if (definition->privilege == 0 || definition->kind == VMR_HV_CALL_VTL_SWITCH)
            continue;
        rig.caller.privileges = ~definition->privilege;
        rig_set(&rig, control_of(definition->code, BY_MEMORY, 0, definition->kind == VMR_HV_CALL_REP, 0), INPUT_GPA,
                OUTPUT_GPA);
        must_dispatch(&rig);
        if (rig.result.status != HV_STATUS_ACCESS_DENIED || rig.handled != 0 || rig.reads != 0)
            fail_msg("%s", definition->name);
    }
    rig_finish(&rig);
}

static void a_call_without_handler_does_not_exist(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    assert_int_equal(vmr_hv_calls_set(&rig.calls, SIGNAL, NULL), VMR_OK);
    rig.caller.privileges = 0;
    rig_set(&rig, SIGNAL, INPUT_GPA, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.result.status, CODE);
    rig_finish(&rig);
}

static void a_call_of_x86_does_not_exist_on_arm64(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig.caller.abi = VMR_HV_ABI_ARM64_HVC;
    rig.registers.gpr[0] = TRANSLATE;
    must_dispatch(&rig);
    assert_int_equal(rig.registers.gpr[0], CODE);
    rig_finish(&rig);
}

static void memory_is_read_once_and_written_once(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t input[64];

    rig_init(&rig);
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)(i * 3);
    must_write(&rig, INPUT_GPA + 8, input, sizeof(input));
    rig.fill = 0x5c;
    rig.fill_bytes = 2048;
    rig_set(&rig, REPORT, INPUT_GPA + 8, OUTPUT_GPA + 8);
    must_dispatch(&rig);
    assert_int_equal(rig.reads, 1);
    assert_int_equal(rig.writes, 1);
    assert_memory_equal(rig.input, input, sizeof(input));
    assert_int_equal(byte_at(&rig, OUTPUT_GPA + 7), 0);
    assert_int_equal(byte_at(&rig, OUTPUT_GPA + 8), 0x5c);
    assert_int_equal(byte_at(&rig, OUTPUT_GPA + 8 + 2047), 0x5c);
    assert_int_equal(byte_at(&rig, OUTPUT_GPA + 8 + 2048), 0);
    rig_finish(&rig);
}

static void a_variable_header_follows_the_fixed_part(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t input[56 + 24];

    rig_init(&rig);
    memset(input, 0x11, 56);
    memset(input + 56, 0x22, 24);
    must_write(&rig, INPUT_GPA, input, sizeof(input));
    rig_set(&rig, control_of(HV_CALL_RETARGET_DEVICE_INTERRUPT, BY_MEMORY, 3, 0, 0), INPUT_GPA, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.result.status, HV_STATUS_SUCCESS);
    assert_int_equal(rig.variable_words, 3);
    assert_memory_equal(rig.input, input, sizeof(input));
    rig_finish(&rig);
}

static void a_failed_simple_call_writes_nothing_and_a_silent_handler_no_stale_bytes(void **state)
{
    (void)state;
    struct rig rig;
    const uint8_t full[8] = {1, 1, 1, 1, 1, 1, 1, 1};

    rig_init(&rig);
    must_write(&rig, OUTPUT_GPA, full, sizeof(full));
    rig.fill = 0x5c;
    rig.fill_bytes = 8;
    rig.status = HV_STATUS_NO_DATA;
    rig_set(&rig, QUERY, 0, OUTPUT_GPA);
    must_dispatch(&rig);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], HV_STATUS_NO_DATA);
    assert_int_equal(rig.writes, 0);
    assert_int_equal(byte_at(&rig, OUTPUT_GPA), 1);
    rig.status = HV_STATUS_SUCCESS;
    rig.fill_bytes = 0;
    must_dispatch(&rig);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(byte_at(&rig, OUTPUT_GPA + i), 0);
    rig_finish(&rig);
}

static void output_that_cannot_be_written_fails_the_call_after_it_was_done(void **state)
{
    (void)state;
    static const uint64_t places[] = {HOLE_GPA, ROM_GPA, UINT64_C(1) << 60};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        rig.fill = 0x5c;
        rig.fill_bytes = 8;
        rig_set(&rig, QUERY, 0, places[i]);
        must_dispatch(&rig);
        assert_int_equal(rig.handled, 1);
        assert_int_equal(rig.registers.gpr[VMR_X86_RAX], INPUT);
        assert_int_equal(byte_at(&rig, ROM_GPA), 0);
        rig_finish(&rig);
    }
}

/* Words from 0 on; the output begins at `output_word`. */
static const struct {
    const char *name;
    uint8_t abi;
    unsigned code;
    unsigned output_word, words_out;
} outputs[] = {
    {"x64: behind two pairs of input", VMR_HV_ABI_X64, TRANSLATE, 4, 2},
    {"x64: no input, so from the start", VMR_HV_ABI_X64, QUERY, 0, 1},
    {"x64: behind one pair of input", VMR_HV_ABI_X64, HV_CALL_SIGNAL_EVENT_DIRECT, 2, 1},
    {"HVC: in the last pair", VMR_HV_ABI_ARM64_HVC, QUERY, 14, 1},
    {"HVC: in the last pair, whatever the input", VMR_HV_ABI_ARM64_HVC, HV_CALL_TRANSLATE_VIRTUAL_ADDRESS_EX, 14, 2},
    {"SMCCC: behind two pairs of input", VMR_HV_ABI_ARM64_SMCCC, HV_CALL_TRANSLATE_VIRTUAL_ADDRESS_EX, 4, 2},
    {"SMCCC: no input, so from the start", VMR_HV_ABI_ARM64_SMCCC, QUERY, 0, 1},
};

static uint64_t *word_of(struct vmr_hv_call_registers *registers, uint8_t abi, unsigned word)
{
    if (abi == VMR_HV_ABI_ARM64_HVC)
        return &registers->gpr[1 + word];
    if (abi == VMR_HV_ABI_ARM64_SMCCC)
        return &registers->gpr[2 + word];
    if (word < 2)
        return &registers->gpr[word == 0 ? VMR_X86_RDX : VMR_X86_R8];
    return word % 2 == 0 ? &registers->xmm[word / 2 - 1].low : &registers->xmm[word / 2 - 1].high;
}

static void fast_output_goes_where_the_convention_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        uint8_t abi = outputs[i].abi;
        struct rig rig;

        rig_init(&rig);
        rig.caller.abi = abi;
        rig.fill = 0x5c;
        rig.fill_bytes = 8 * (size_t)outputs[i].words_out;
        rig.registers.gpr[abi == VMR_HV_ABI_ARM64_HVC ? 0 : 1] = outputs[i].code | HV_CONTROL_FAST;
        must_dispatch(&rig);
        assert_int_equal(rig.result.status, HV_STATUS_SUCCESS);
        for (unsigned word = 0; word < (abi == VMR_HV_ABI_X64 ? 14u : 16u); word++) {
            bool out = word >= outputs[i].output_word && word < outputs[i].output_word + outputs[i].words_out;

            if (*word_of(&rig.registers, abi, word) != (out ? UINT64_C(0x5c5c5c5c5c5c5c5c) : 0))
                fail_msg("%s: word %u", outputs[i].name, word);
        }
        assert_int_equal(rig.reads + rig.writes, 0);
        rig_finish(&rig);
    }
}

static const struct {
    const char *name;
    uint8_t abi;
    unsigned code, variable_words, count;
    bool fits;
} fits[] = {
    {"x86: two words", VMR_HV_ABI_X86, HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI, 0, 0, true},
    {"x86: three words", VMR_HV_ABI_X86, HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE, 0, 0, false},
    {"x86: output", VMR_HV_ABI_X86, QUERY, 0, 0, false},
    {"x64: seven pairs", VMR_HV_ABI_X64, HV_CALL_RETARGET_DEVICE_INTERRUPT, 7, 0, true},
    {"x64: seven pairs and a word", VMR_HV_ABI_X64, HV_CALL_RETARGET_DEVICE_INTERRUPT, 8, 0, false},
    {"x64: input and output fill the pairs", VMR_HV_ABI_X64, HV_CALL_GET_VP_REGISTERS, 0, 4, true},
    {"x64: a pair too many for output", VMR_HV_ABI_X64, HV_CALL_GET_VP_REGISTERS, 0, 5, false},
    {"HVC: eight pairs", VMR_HV_ABI_ARM64_HVC, HV_CALL_RETARGET_DEVICE_INTERRUPT, 9, 0, true},
    {"HVC: eight pairs and a word", VMR_HV_ABI_ARM64_HVC, HV_CALL_RETARGET_DEVICE_INTERRUPT, 10, 0, false},
    {"SMCCC: eight pairs", VMR_HV_ABI_ARM64_SMCCC, HV_CALL_RETARGET_DEVICE_INTERRUPT, 9, 0, true},
    {"SMCCC: input and output fill the pairs", VMR_HV_ABI_ARM64_SMCCC, HV_CALL_GET_VP_REGISTERS, 0, 5, true},
    {"SMCCC: a pair too many for output", VMR_HV_ABI_ARM64_SMCCC, HV_CALL_GET_VP_REGISTERS, 0, 6, false},
    {"the longest that can be said", VMR_HV_ABI_X64, HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX, 1023, 4095, false},
};

static void a_fast_call_has_as_many_registers_as_its_convention(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        uint64_t control = control_of(fits[i].code, BY_FAST, fits[i].variable_words, fits[i].count, 0);
        struct rig rig;

        rig_init(&rig);
        rig.caller.abi = fits[i].abi;
        rig.registers.gpr[VMR_X86_RAX] = control;
        if (fits[i].abi == VMR_HV_ABI_X86)
            rig.registers.gpr[VMR_X86_RDX] = control >> 32;
        else
            rig.registers.gpr[1] = control;
        must_dispatch(&rig);
        if (rig.handled != fits[i].fits || rig.result.status != (fits[i].fits ? HV_STATUS_SUCCESS : INPUT))
            fail_msg("%s", fits[i].name);
        rig_finish(&rig);
    }
}

static const struct {
    const char *name;
    uint8_t abi, length;
    bool advanced;
    enum hv_status status;
    uint64_t pc, pc_after;
} pcs[] = {
    {"VMCALL", VMR_HV_ABI_X64, 3, false, HV_STATUS_SUCCESS, 0x100, 0x103},
    {"OUT", VMR_HV_ABI_X64, 2, false, HV_STATUS_SUCCESS, 0x100, 0x102},
    {"a failed call too", VMR_HV_ABI_X64, 3, false, HV_STATUS_NO_DATA, 0x100, 0x103},
    {"retry", VMR_HV_ABI_X64, 3, false, HV_STATUS_TIMEOUT, 0x100, 0x100},
    {"retry, the pc was advanced", VMR_HV_ABI_X64, 2, true, HV_STATUS_TIMEOUT, 0x102, 0x100},
    {"the end of 64 bits", VMR_HV_ABI_X64, 3, false, HV_STATUS_SUCCESS, UINT64_MAX - 1, 1},
    {"the end of 32 bits", VMR_HV_ABI_X86, 3, false, HV_STATUS_SUCCESS, 0xfffffffe, 1},
    {"32 bits, retry at 0", VMR_HV_ABI_X86, 3, true, HV_STATUS_TIMEOUT, 1, 0xfffffffe},
    {"HVC", VMR_HV_ABI_ARM64_HVC, 4, false, HV_STATUS_SUCCESS, 0x100, 0x104},
    {"HVC, the pc was advanced", VMR_HV_ABI_ARM64_HVC, 4, true, HV_STATUS_SUCCESS, 0x104, 0x104},
    {"HVC, retry", VMR_HV_ABI_ARM64_HVC, 4, false, HV_STATUS_TIMEOUT, 0x100, 0x100},
    {"SMCCC, retry, the pc was advanced", VMR_HV_ABI_ARM64_SMCCC, 4, true, HV_STATUS_TIMEOUT, 0x104, 0x100},
};

static void the_guest_goes_on_behind_the_instruction_or_at_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pcs) / sizeof(pcs[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        rig.caller.abi = pcs[i].abi;
        rig.caller.instruction_length = pcs[i].length;
        rig.caller.pc_advanced = pcs[i].advanced;
        rig.registers.pc = pcs[i].pc;
        rig.registers.gpr[0] = rig.registers.gpr[1] = SIGNAL | HV_CONTROL_FAST;
        rig.status = pcs[i].status;
        must_dispatch(&rig);
        if (rig.registers.pc != pcs[i].pc_after || rig.registers.pc_modified != (pcs[i].pc != pcs[i].pc_after) ||
            rig.result.outcome != (pcs[i].status == HV_STATUS_TIMEOUT ? VMR_HV_RETRY : VMR_HV_DONE))
            fail_msg("%s: %#llx", pcs[i].name, (unsigned long long)rig.registers.pc);
        rig_finish(&rig);
    }
}

static void a_retry_leaves_no_result(void **state)
{
    (void)state;
    struct rig rig;
    uint64_t control = control_of(SIGNAL, BY_FAST, 0, 0, 0);

    rig_init(&rig);
    rig.registers.gpr[VMR_X86_RAX] = 0x77;
    rig.status = HV_STATUS_TIMEOUT;
    rig_set(&rig, control, 5, 0);
    must_dispatch(&rig);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], 0x77);
    assert_int_equal(rig.registers.gpr[VMR_X86_RCX], control);
    assert_int_equal(rig.result.status, HV_STATUS_TIMEOUT);
    rig.status = HV_STATUS_SUCCESS;
    must_dispatch(&rig);
    assert_int_equal(rig.registers.gpr[VMR_X86_RAX], 0);
    assert_int_equal(rig.handled, 2);
    rig_finish(&rig);
}

static const struct {
    const char *name;
    struct vmr_hv_caller caller;
} callers[] = {
    {"no convention", {.abi = VMR_HV_ABI_COUNT, .instruction_length = 3}},
    {"no length", {.abi = VMR_HV_ABI_X64, .instruction_length = 0}},
    {"longer than instructions are", {.abi = VMR_HV_ABI_X64, .instruction_length = 16}},
};

static void must_refuse(struct rig *rig, const char *name)
{
    struct vmr_hv_call_registers before = rig->registers;
    struct vmr_hv_result result;

    memset(&result, 0xcc, sizeof(result));
    memset(&rig->result, 0xcc, sizeof(rig->result));
    if (vmr_hv_dispatch(&rig->calls, &rig->caller, rig->memory, &rig->registers, &rig->result) != VMR_E_USAGE)
        fail_msg("%s", name);
    assert_memory_equal(&rig->registers, &before, sizeof(before));
    assert_memory_equal(&rig->result, &result, sizeof(result));
    assert_int_equal(rig->writes, 0);
}

static void a_caller_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        rig.caller = callers[i].caller;
        rig.caller.privileges = UINT64_MAX;
        rig_set(&rig, SIGNAL | HV_CONTROL_FAST, 0, 0);
        must_refuse(&rig, callers[i].name);
        assert_int_equal(rig.handled, 0);
        rig_finish(&rig);
    }
}

static const struct {
    const char *name;
    uint64_t control;
    unsigned status;
    uint32_t reps_done;
    bool valid;
} answers[] = {
    {"the largest status", SIGNAL, 0xffff, 0, true},
    {"a status above 16 bits", SIGNAL, 0x10000, 0, false},
    {"a simple call has no elements to count", SIGNAL, HV_STATUS_NO_DATA, 77, true},
    {"all but one element", (UINT64_C(4) << 32) | HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, HV_STATUS_NO_DATA, 3, true},
    {"failed behind the last", (UINT64_C(4) << 32) | HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, HV_STATUS_NO_DATA, 4, false},
    {"retry behind the last", (UINT64_C(4) << 32) | HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, HV_STATUS_TIMEOUT, 4, false},
    {"more than there are", (UINT64_C(4) << 32) | HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, HV_STATUS_NO_DATA, ~0u, false},
    {"success is all of them", (UINT64_C(4) << 32) | HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST, 0, ~0u, true},
};

static void a_handler_that_breaks_its_contract_reaches_no_guest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        rig.status = (enum hv_status)answers[i].status;
        rig.reps_done = answers[i].reps_done;
        rig_set(&rig, answers[i].control, INPUT_GPA, OUTPUT_GPA);
        if (answers[i].valid) {
            must_dispatch(&rig);
            assert_int_equal(rig.result.status, answers[i].status);
        } else {
            must_refuse(&rig, answers[i].name);
        }
        rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_thing_wrong_is_the_answer),
        cmocka_unit_test(what_is_switched_off_is_refused_before_its_input_is_read),
        cmocka_unit_test(a_call_without_handler_does_not_exist),
        cmocka_unit_test(a_call_of_x86_does_not_exist_on_arm64),
        cmocka_unit_test(memory_is_read_once_and_written_once),
        cmocka_unit_test(a_variable_header_follows_the_fixed_part),
        cmocka_unit_test(a_failed_simple_call_writes_nothing_and_a_silent_handler_no_stale_bytes),
        cmocka_unit_test(output_that_cannot_be_written_fails_the_call_after_it_was_done),
        cmocka_unit_test(fast_output_goes_where_the_convention_says),
        cmocka_unit_test(a_fast_call_has_as_many_registers_as_its_convention),
        cmocka_unit_test(the_guest_goes_on_behind_the_instruction_or_at_it),
        cmocka_unit_test(a_retry_leaves_no_result),
        cmocka_unit_test(a_caller_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_handler_that_breaks_its_contract_reaches_no_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
