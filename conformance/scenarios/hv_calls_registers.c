/* SPDX-License-Identifier: MIT */
/* A guest reads and writes its own registers by hypercall (TLFS, HvCallGetVpRegisters, HvCallSetVpRegisters). */

#include "conformance/scenarios/hv_call_words.h"

#define UNKNOWN_NAME 0x00ffff00u
#define EFER_LONG 0x500u
#define CR0_PG_PE 0x80000001u
#define ATTRIBUTE_LONG (UINT64_C(0x2000) << 48)
#define SINT2 (HV_REGISTER_SINT0 + 2)
#define LONG_LIST 100u

static void a_guest_reads_its_registers(struct conf *conf)
{
    /* RDX and R8 hold what the call was given. */
    CONF_PROGRAM(program, HV_OPEN(), HV_SELF(), HV_NAME(0, HV_REGISTER_RAX + VMR_X86_RDX),
                 HV_NAME(1, HV_REGISTER_RAX + VMR_X86_R8), HV_NAME(2, HV_REGISTER_CR0), HV_NAME(3, HV_REGISTER_EFER),
                 HV_NAME(4, HV_REGISTER_CS), HV_NAME(5, HV_REGISTER_CR8),
                 HV_EXPECT_CALL(GET(6), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 6)), HV_EXPECT_WORD(HV_OUTPUT, HV_INPUT),
                 HV_EXPECT_WORD(HV_OUTPUT + 16, HV_OUTPUT), VMR_LOAD(5, HV_OUTPUT + 32, 8),
                 VMR_EXPECT_MASK(5, CR0_PG_PE, CR0_PG_PE), VMR_LOAD(5, HV_OUTPUT + 48, 8),
                 VMR_EXPECT_MASK(5, EFER_LONG, EFER_LONG), VMR_LOAD(5, HV_OUTPUT + 64 + 8, 8),
                 VMR_EXPECT_MASK(5, ATTRIBUTE_LONG, ATTRIBUTE_LONG), HV_EXPECT_WORD(HV_OUTPUT + 80, 0), VMR_END());

    hv_run(conf, &program);
}

static void a_register_that_is_written_is_the_guests(struct conf *conf)
{
    /* Variable 4 is R12. */
    CONF_PROGRAM(program, HV_OPEN(), VMR_SET(4, 1), HV_SET_OK(HV_REGISTER_RAX + VMR_X86_R12, 0x1122334455667788),
                 VMR_EXPECT(4, 0x1122334455667788), HV_SET_OK(HV_REGISTER_CR2, 0x12345000), HV_GET(HV_REGISTER_CR2),
                 HV_EXPECT_WORD(HV_OUTPUT, 0x12345000), VMR_END());

    hv_run(conf, &program);
}

static void what_is_an_msr_keeps_its_rules(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), HV_GET(HV_REGISTER_GUEST_OS_ID), HV_EXPECT_WORD(HV_OUTPUT, HV_OS_ID),
                 HV_SET_OK(HV_REGISTER_GUEST_OS_ID, HV_OS_ID + 1), HV_EXPECT_MSR(HV_MSR_GUEST_OS_ID, HV_OS_ID + 1),
                 HV_SET_OK(SINT2, 0x40), HV_EXPECT_MSR(HV_MSR_SINT0 + 2, 0x40), HV_SET_REFUSED(SINT2, 0x0f),
                 HV_EXPECT_MSR(HV_MSR_SINT0 + 2, 0x40), HV_SET_OK(HV_REGISTER_SIMP, HV_SIMP | 1u),
                 HV_EXPECT_MSR(HV_MSR_SIMP, HV_SIMP | 1u), HV_SET_REFUSED(HV_REGISTER_SIMP, HV_SIMP | 3u),
                 HV_SET_OK(HV_REGISTER_SCONTROL, 1), HV_EXPECT_MSR(HV_MSR_SCONTROL, 1), HV_SET_OK(HV_REGISTER_EOM, 0),
                 HV_SET_OK(HV_REGISTER_STIMER0_CONFIG + 7, 0x1000), HV_EXPECT_MSR(HV_MSR_STIMER0_CONFIG + 7, 0x1000),
                 HV_SET_OK(HV_REGISTER_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
                 HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u), HV_SET_OK(HV_REGISTER_CRASH_P0 + 2, 7),
                 HV_EXPECT_MSR(HV_MSR_CRASH_P0 + 2, 7), VMR_END());

    hv_run(conf, &program);
}

static void what_only_reads_refuses_writes(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), HV_GET(HV_REGISTER_VP_INDEX), HV_EXPECT_WORD(HV_OUTPUT, 0),
                 HV_SET_REFUSED(HV_REGISTER_VP_INDEX, 1), HV_SET_REFUSED(HV_REGISTER_TIME_REF_COUNT, 1),
                 HV_SET_REFUSED(HV_REGISTER_SVERSION, 2), HV_SET_REFUSED(HV_REGISTER_HYPERVISOR_VERSION, 1),
                 HV_SET(HV_REGISTER_APIC_BASE, 0, 0, HV_STATUS_ACCESS_DENIED), HV_GET(HV_REGISTER_HYPERVISOR_VERSION),
                 HV_EXPECT_WORD(HV_OUTPUT, UINT64_C(10) << 48), HV_GET(HV_REGISTER_PRIVILEGES_AND_FEATURES),
                 VMR_LOAD(5, HV_OUTPUT, 8), VMR_EXPECT_MASK(5, HV_ACCESS_VP_REGISTERS, HV_ACCESS_VP_REGISTERS),
                 HV_GET(HV_REGISTER_IMPLEMENTATION_LIMITS), HV_EXPECT_WORD(HV_OUTPUT, 1 | UINT64_C(1) << 32),
                 VMR_END());

    hv_run(conf, &program);
}

static void the_first_name_that_is_unknown_ends_the_list(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), HV_SELF(), HV_NAME(0, HV_REGISTER_GUEST_OS_ID), HV_NAME(1, UNKNOWN_NAME),
                 HV_NAME(2, HV_REGISTER_GUEST_OS_ID), VMR_STORE(HV_OUTPUT + 16, 8, 0x55),
                 VMR_STORE(HV_OUTPUT + 32, 8, 0x77),
                 HV_EXPECT_CALL(GET(3), HV_INPUT, HV_OUTPUT, HV_RESULT(HV_STATUS_UNKNOWN_REGISTER_NAME, 1)),
                 HV_EXPECT_WORD(HV_OUTPUT, HV_OS_ID), HV_EXPECT_WORD(HV_OUTPUT + 16, 0x55),
                 HV_EXPECT_WORD(HV_OUTPUT + 32, 0x77), VMR_END());

    hv_run(conf, &program);
}

static void the_first_value_that_is_refused_ends_the_list(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VMR_SET(3, 1), VMR_SET(4, 1), HV_SELF(),
                 HV_VALUE(0, HV_REGISTER_RAX + VMR_X86_R11, 0x33, 0),
                 HV_VALUE(1, HV_REGISTER_CR0, UINT64_C(1) << 32, 0),
                 HV_VALUE(2, HV_REGISTER_RAX + VMR_X86_R12, 0x44, 0),
                 HV_EXPECT_CALL(SET(3), HV_INPUT, 0, HV_RESULT(HV_STATUS_INVALID_REGISTER_VALUE, 1)),
                 VMR_EXPECT(3, 0x33), VMR_EXPECT(4, 1), HV_SELF(), HV_VALUE(0, UNKNOWN_NAME, 0, 0),
                 HV_EXPECT_CALL(SET(1), HV_INPUT, 0, HV_STATUS_UNKNOWN_REGISTER_NAME), VMR_END());

    hv_run(conf, &program);
}

static void what_no_processor_holds_is_refused(struct conf *conf)
{
    /* Paging without protection; long mode that is not active; address bits, flags, mode bits that do not exist. */
    CONF_PROGRAM(program, HV_OPEN(), HV_SET_REFUSED(HV_REGISTER_CR0, 0x80000000),
                 HV_SET_REFUSED(HV_REGISTER_EFER, 0x100), HV_SET_REFUSED(HV_REGISTER_EFER, UINT64_C(1) << 40),
                 HV_SET_REFUSED(HV_REGISTER_CR3, UINT64_C(1) << 60), HV_SET_REFUSED(HV_REGISTER_CR4, UINT64_C(1) << 40),
                 HV_SET_REFUSED(HV_REGISTER_CR4, 0), HV_SET_REFUSED(HV_REGISTER_CR8, 16),
                 HV_SET_REFUSED(HV_REGISTER_RFLAGS, UINT64_C(1) << 17),
                 HV_SET_REFUSED(HV_REGISTER_RIP, UINT64_C(1) << 50),
                 HV_SET(HV_REGISTER_CS, 0, UINT64_C(0xc093) << 48 | UINT32_MAX, HV_STATUS_INVALID_REGISTER_VALUE),
                 HV_SET(HV_REGISTER_TR, 0, UINT64_C(0x0089) << 48 | 0xffff, HV_STATUS_INVALID_REGISTER_VALUE),
                 HV_SET(HV_REGISTER_GDTR, 0, UINT64_C(1) << 50, HV_STATUS_INVALID_REGISTER_VALUE),
                 HV_EXPECT_MSR(HV_MSR_VP_INDEX, 0), VMR_END());

    hv_run(conf, &program);
}

static void whom_a_call_may_not_name_has_its_status(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
#define NAMED(vp, vtl, x) HV_TARGET(vp, vtl), HV_EXPECT_CALL(GET(1), HV_INPUT, HV_OUTPUT, x)
    CONF_PROGRAM(program, HV_OPEN(), HV_NAME(0, HV_REGISTER_VP_INDEX), NAMED(0, 0, HV_RESULT(0, 1)),
                 NAMED(0, HV_INPUT_VTL_USE_TARGET, HV_RESULT(0, 1)), NAMED(1, 0, HV_STATUS_ACCESS_DENIED),
                 NAMED(2, 0, HV_STATUS_INVALID_VP_INDEX), NAMED(HV_ANY_VP, 0, HV_STATUS_INVALID_VP_INDEX),
                 NAMED(0, HV_INPUT_VTL_USE_TARGET | 1, HV_STATUS_ACCESS_DENIED),
                 NAMED(0, HV_INPUT_VTL_USE_TARGET | 3, HV_STATUS_INVALID_PARAMETER),
                 NAMED(0, 0x20, HV_STATUS_INVALID_PARAMETER), NAMED(0, 0x100, HV_STATUS_INVALID_PARAMETER),
                 VMR_STORE(HV_INPUT, 8, 1), HV_EXPECT_CALL(GET(1), HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_PARTITION_ID),
                 HV_EXPECT_CALL(SET(1), HV_INPUT, 0, HV_STATUS_INVALID_PARTITION_ID), VMR_END());

    (void)conf_run_program(conf, &options, &program);
}

static void registers_are_read_in_registers(struct conf *conf)
{
    /* Names in XMM0, values from XMM1 on. */
    CONF_PROGRAM(program, HV_OPEN(),
                 VMR_STORE(HV_XMM, 8, HV_REGISTER_GUEST_OS_ID | (uint64_t)HV_REGISTER_HYPERCALL << 32),
                 VMR_SET(0, HV_PARTITION_ID_SELF), VMR_SET(1, HV_VP_INDEX_SELF),
                 VMR_HV_CALL_XMM(6, HV_CODE_PAGE, GET(2) | FAST, HV_XMM), HV_NO_FAULT(), VMR_EXPECT(6, HV_RESULT(0, 2)),
                 HV_EXPECT_WORD(HV_XMM + 16, HV_OS_ID), HV_EXPECT_WORD(HV_XMM + 32, HV_CODE_PAGE | 1u), VMR_END());

    hv_run(conf, &program);
}

static void a_long_list_is_continued(struct conf *conf)
{
    static struct vmr_step steps[LONG_LIST + 32];
    const struct vmr_step before[] = {HV_OPEN(), HV_SELF()};
    const struct vmr_step after[] = {
        HV_EXPECT_CALL(GET(LONG_LIST), HV_INPUT, HV_OUTPUT, HV_RESULT(0, LONG_LIST)),
        HV_EXPECT_WORD(HV_OUTPUT, HV_OS_ID),
        HV_EXPECT_WORD(HV_OUTPUT + 16 * 63, HV_OS_ID),
        HV_EXPECT_WORD(HV_OUTPUT + 16 * 64, HV_OS_ID),
        HV_EXPECT_WORD(HV_OUTPUT + 16 * (LONG_LIST - 1), HV_OS_ID),
        VMR_END(),
    };
    struct vmr_program program = {.name = "long list", .steps = steps};

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        steps[program.count++] = before[i];
    for (uint32_t i = 0; i < LONG_LIST; i++)
        steps[program.count++] = (struct vmr_step)HV_NAME(i, HV_REGISTER_GUEST_OS_ID);
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        steps[program.count++] = after[i];
    hv_run(conf, &program);
}

static void registers_need_their_privilege(struct conf *conf)
{
    const struct vmr_hv_config config = {.privileges_off = HV_ACCESS_VP_REGISTERS};
    const struct vmr_hv_config no_index = {.privileges_off = HV_ACCESS_VP_INDEX};
    const struct conf_vm_options options = {.hv = &config}, without = {.hv = &no_index};
    struct conf_vm *vm;
    CONF_PROGRAM(program, HV_OPEN(), VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(1, HV_ACCESS_VP_REGISTERS >> 32, 0),
                 HV_EXPECT_CALL(GET(1), HV_NO_RAM + 4, 0, HV_STATUS_ACCESS_DENIED),
                 HV_EXPECT_CALL(SET(1), HV_NO_RAM + 4, 0, HV_STATUS_ACCESS_DENIED), VMR_END());
    /* An MSR's own privilege counts by this way, too. */
    CONF_PROGRAM(other, HV_OPEN(), HV_SELF(), HV_NAME(0, HV_REGISTER_VP_INDEX),
                 HV_EXPECT_CALL(GET(1), HV_INPUT, HV_OUTPUT, HV_STATUS_ACCESS_DENIED), VMR_END());

    vm = vm_about_to_run(conf, &options, &program);
    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the privilege of the calls");
    conf_vm_destroy(vm); /* not every hypervisor has two */
    (void)conf_run_program(conf, &without, &other);
}

#define VECTOR 0x51u

static void a_priority_that_is_set_holds_interrupts_back(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
#define SEND_SELF()                                                                                                    \
    VMR_SET(0, VECTOR), VMR_SET(1, 1),                                                                                 \
        VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI | HV_CONTROL_FAST), VMR_EXPECT(6, 0)
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), APIC_ON(), HV_SET_OK(HV_REGISTER_CR8, 5), SEND_SELF(), OPEN(1),
                 EXPECT_COUNT(VECTOR, 0), HV_GET(HV_REGISTER_CR8), HV_EXPECT_WORD(HV_OUTPUT, 5),
                 HV_SET_OK(HV_REGISTER_CR8, 4), VMR_WAIT_VECTOR(VECTOR, 1), OPEN(2), EXPECT_COUNT(VECTOR, 1),
                 VMR_END());

    (void)conf_run_program(conf, &options, &program);
}

static const struct conf_scenario scenarios[] = {
    {HV_CALL_SCENARIO(a_guest_reads_its_registers), .clauses = "HC-9"},
    {HV_CALL_SCENARIO(a_register_that_is_written_is_the_guests), .clauses = "HC-9"},
    {HV_CALL_SCENARIO(what_is_an_msr_keeps_its_rules), .clauses = "HC-9"},
    {HV_CALL_SCENARIO(what_only_reads_refuses_writes), .clauses = "HC-9"},
    {HV_CALL_SCENARIO(the_first_name_that_is_unknown_ends_the_list), .clauses = "HC-10"},
    {HV_CALL_SCENARIO(the_first_value_that_is_refused_ends_the_list), .clauses = "HC-10"},
    {HV_CALL_SCENARIO(what_no_processor_holds_is_refused), .clauses = "HC-10"},
    {HV_CALL_SCENARIO(whom_a_call_may_not_name_has_its_status), .clauses = "HC-11"},
    {.name = "registers_are_read_in_registers",
     .family = "hv-calls",
     .clauses = "HC-3 HC-9",
     .needs = HV_CALL_NEEDS | CONF_CAP(XMM),
     .without = CONF_CAP(HV_OFFLOAD),
     .chip = CONF_CHIP_ANY,
     .run = registers_are_read_in_registers},
    {HV_CALL_SCENARIO(a_long_list_is_continued), .clauses = "HC-9"},
    {HV_CALL_SCENARIO(registers_need_their_privilege), .clauses = "HC-9 HV-1"},
    {HV_CALL_SCENARIO(a_priority_that_is_set_holds_interrupts_back), .clauses = "HC-9"},
};

CONF_FAMILY(hv_calls_registers, scenarios);
