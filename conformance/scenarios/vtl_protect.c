/* SPDX-License-Identifier: MIT */
/*
 * What a VTL keeps from those below it, and how it hears of those who try
 * (TLFS, Memory Access Protections; Memory Access Violations).
 */

#include "conformance/scenarios/vtl_words.h"

/* Six steps: VTL 1 opens its page and a SINT 0 that raises nothing. */
#define GUARD()                                                                                                        \
    VTL_OPEN(), VMR_WRMSR(HV_MSR_SIMP, VTL_SIMP | 1u), VMR_WRMSR(HV_MSR_SCONTROL, 1),                                  \
        VMR_WRMSR(HV_MSR_SINT0, HV_SINT_POLLING | VTL_VECTOR), VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, VTL_ASSIST | 1u)
#define KEEP(target, gpa, access) VTL_PROTECT(VTL_CODE_PAGE, target, gpa, access, HV_RESULT(0, 1))
#define BACK() VMR_VTL_RETURN(VTL_CODE_PAGE, 1)
#define PAYLOAD (VTL_SIMP + HV_MESSAGE_PAYLOAD_OFFSET)

/* The message of an access by VTL 0 of VP 0; the slot is free afterwards. */
#define EXPECT_INTERCEPT(gpa, access_type)                                                                             \
    VMR_LOAD(6, VTL_SIMP, 4), VMR_EXPECT(6, HV_MESSAGE_TYPE_GPA_INTERCEPT), VMR_LOAD(6, VTL_SIMP + 4, 1),              \
        VMR_EXPECT(6, HV_INTERCEPT_BYTES), VMR_LOAD(6, PAYLOAD + HV_INTERCEPT_VP, 4), VMR_EXPECT(6, 0),                \
        VMR_LOAD(6, PAYLOAD + HV_INTERCEPT_ACCESS_TYPE, 1), VMR_EXPECT(6, access_type),                                \
        VMR_LOAD(6, PAYLOAD + HV_INTERCEPT_EXECUTION_STATE, 2), VMR_EXPECT(6, 0x14),                                   \
        VMR_LOAD(6, PAYLOAD + HV_INTERCEPT_GPA, 8), VMR_EXPECT(6, gpa), VMR_STORE(VTL_SIMP, 4, 0),                     \
        VMR_WRMSR(HV_MSR_EOM, 0)

static void a_read_is_refused_and_done_when_allowed(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VMR_STORE(VTL_SECRET + 8, 4, 0x5ec4e7), VTL_BEGIN(), VMR_LOAD(5, VTL_SECRET + 8, 4),
                 VMR_EXPECT(5, 0x5ec4e7), VMR_EXPECT(4, 1), VMR_END());
    CONF_PROGRAM(vtl1, GUARD(), KEEP(0, VTL_SECRET, VTL_NOTHING), VMR_LOAD(5, VTL_SECRET + 8, 4),
                 VMR_EXPECT(5, 0x5ec4e7), VMR_SET(4, 0), BACK(), EXPECT_INTERCEPT(VTL_SECRET + 8, HV_INTERCEPT_READ),
                 VMR_LOAD(5, VTL_ASSIST + HV_VTL_ENTRY_REASON, 4), VMR_EXPECT(5, HV_VTL_ENTRY_INTERRUPT),
                 KEEP(0, VTL_SECRET, VTL_READ), VMR_SET(4, 1), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

/* VTL 1 lets VTL 0 read a page; asked for more, it looks that nothing was written, and gives in. */
CONF_PROGRAM(keeper, GUARD(), KEEP(0, VTL_SECRET, VTL_READ), VMR_SET(4, 0), BACK(),
             EXPECT_INTERCEPT(VTL_SECRET, HV_INTERCEPT_WRITE), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7),
             VMR_ADD(4, 1), KEEP(0, VTL_SECRET, VTL_ALL), BACK(), VMR_END());

static void a_write_to_what_may_be_read_is_refused(struct conf *conf)
{
    CONF_PROGRAM(store, VMR_STORE(VTL_SECRET, 4, 7), VTL_BEGIN(), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7),
                 VMR_STORE(VTL_SECRET, 4, 8), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 8), VMR_EXPECT(4, 1),
                 VMR_END());

    (void)vtl_run(conf, &store, &keeper);
}

static void reading_and_writing_at_once_is_writing(struct conf *conf)
{
    CONF_PROGRAM(both, VMR_STORE(VTL_SECRET, 4, 7), VTL_BEGIN(), VMR_OR(VTL_SECRET, 4, 0x100),
                 VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 0x107), VMR_EXPECT(4, 1), VMR_END());

    (void)vtl_run(conf, &both, &keeper);
}

/* VTL 0 returns from its call through the page: the fetch behind VMCALL is the first that is refused. */
static void a_fetch_from_what_may_not_be_executed_is_refused(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_EXPECT(4, 1), VMR_END());
    CONF_PROGRAM(vtl1, GUARD(), KEEP(0, HV_CODE_PAGE, VTL_READ | HV_MAP_GPA_USER_EXECUTABLE), BACK(), VMR_SET(4, 1),
                 VMR_LOAD(6, VTL_SIMP, 4), VMR_EXPECT(6, HV_MESSAGE_TYPE_GPA_INTERCEPT),
                 VMR_LOAD(6, PAYLOAD + HV_INTERCEPT_ACCESS_TYPE, 1), VMR_EXPECT(6, HV_INTERCEPT_EXECUTE),
                 KEEP(0, HV_CODE_PAGE, VTL_ALL), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

static void an_intercept_may_be_an_interrupt(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_LOAD(5, VTL_SECRET, 4), VMR_READ_COUNT(5, VTL_VECTOR), VMR_EXPECT(5, 1),
                 VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VTL_LISTEN(), KEEP(0, VTL_SECRET, VTL_NOTHING), BACK(),
                 VMR_WAIT_VECTOR(VTL_VECTOR, 1), EXPECT_INTERCEPT(VTL_SECRET, HV_INTERCEPT_READ),
                 KEEP(0, VTL_SECRET, VTL_ALL), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

/* One run of VP 0 that must end with a memory fault of `vtl` at `gpa`. */
static void expect_fault(struct conf_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t how)
{
    struct vmr_run_result result;

    if (!conf_run(vm, 0, NULL, &result))
        return;
    CONF_CHECK_EQ(vm->conf, result.reason, VMR_HALT_FATAL, "the reason");
    CONF_CHECK_EQ(vm->conf, result.exit.kind, VMR_EXIT_MEMORY_FAULT, "the exit");
    CONF_CHECK_EQ(vm->conf, result.exit.vtl, vtl, "whose access");
    CONF_CHECK_EQ(vm->conf, result.exit.u.memory_fault.gpa, gpa, "where");
    CONF_CHECK_EQ(vm->conf, result.exit.u.memory_fault.flags, VMR_FAULT_VTL | how, "how");
}

static void without_an_open_sint_the_run_ends(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_STORE(VTL_SECRET + 16, 2, 1), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), KEEP(0, VTL_SECRET, VTL_READ), BACK(), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_fault(vm, VMR_VTL0, VTL_SECRET + 16, VMR_FAULT_WRITE);
}

/* --- the call --- */

#define MODIFY(partition, flags_and_vtl, page, x)                                                                      \
    VMR_STORE(VTL_LIST, 8, partition), VMR_STORE(VTL_LIST + 8, 8, flags_and_vtl), VMR_STORE(VTL_LIST + 16, 8, page),   \
        VTL_EXPECT_CALL(VTL_CODE_PAGE, HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(1), VTL_LIST, x)
#define TO(input_vtl) (UINT64_C(3) | (uint64_t)(input_vtl) << 32)
#define TO_VTL0 (HV_INPUT_VTL_USE_TARGET | 0u)

static void bad_requests_are_refused(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VTL_PROTECT(HV_CODE_PAGE, 0, VTL_OTHER, VTL_READ, HV_STATUS_ACCESS_DENIED),
                 VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), MODIFY(1, TO(TO_VTL0), PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARTITION_ID),
                 MODIFY(UINT64_MAX, TO(HV_INPUT_VTL_USE_TARGET | 1), PAGE_OF(VTL_OTHER), HV_STATUS_ACCESS_DENIED),
                 MODIFY(UINT64_MAX, TO(HV_INPUT_VTL_USE_TARGET | 2), PAGE_OF(VTL_OTHER), HV_STATUS_ACCESS_DENIED),
                 MODIFY(UINT64_MAX, TO(0), PAGE_OF(VTL_OTHER), HV_STATUS_ACCESS_DENIED),
                 MODIFY(UINT64_MAX, TO(HV_INPUT_VTL_USE_TARGET | 3), PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0 | 0x20), PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0) | UINT64_C(1) << 63, PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0) | 0x10, PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0) ^ 1, PAGE_OF(VTL_OTHER), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0), PAGE_OF(HV_NO_RAM), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0), UINT64_MAX, HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, TO(TO_VTL0), UINT64_C(1) << 40, HV_STATUS_INVALID_PARAMETER), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

static void a_list_is_done_up_to_what_is_no_ram(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_LOAD(5, VTL_OTHER, 4), VMR_LOAD(5, VTL_SECRET, 4), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_STORE(VTL_LIST, 8, UINT64_MAX),
                 VMR_STORE(VTL_LIST + 8, 8, (uint64_t)HV_INPUT_VTL_USE_TARGET << 32),
                 VMR_STORE(VTL_LIST + 16, 8, PAGE_OF(VTL_SECRET)), VMR_STORE(VTL_LIST + 24, 8, PAGE_OF(HV_NO_RAM)),
                 VMR_STORE(VTL_LIST + 32, 8, PAGE_OF(VTL_OTHER)),
                 VTL_EXPECT_CALL(VTL_CODE_PAGE, HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(3), VTL_LIST,
                                 HV_RESULT(HV_STATUS_INVALID_PARAMETER, 1)),
                 BACK(), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_fault(vm, VMR_VTL0, VTL_SECRET, 0);
}

/* --- for how long --- */

static void what_is_kept_stays_over_switches_and_a_scrub(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_VTL_CALL(HV_CODE_PAGE), VMR_VTL_CALL(HV_CODE_PAGE), VMR_RESET(),
                 VMR_LOAD(5, VTL_SECRET, 4), VMR_END());
    CONF_PROGRAM(vtl1, GUARD(), KEEP(0, VTL_SECRET, VTL_NOTHING), BACK(), KEEP(0, VTL_OTHER, VTL_NOTHING), BACK(),
                 BACK(), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    struct vmr_hv_guest *hv = vmr_partition_hv(vm->partition);
    uint64_t before = vmr_synic_time(vmr_hv_guest_synic(hv)), value = 1;

    vmr_hv_guest_scrub(hv, VMR_VTL1);
    CONF_CHECK(conf, vmr_synic_time(vmr_hv_guest_synic(hv)) >= before, "the reference time went back");
    CONF_CHECK(conf, vmr_hv_guest_msr_read(hv, 0, VMR_VTL1, HV_MSR_SIMP, &value) == VMR_MSR_OK && value == 0,
               "VTL 1 kept its message page");
    CONF_CHECK(conf, vmr_hv_guest_msr_read(hv, 0, VMR_VTL0, HV_MSR_HYPERCALL, &value) == VMR_MSR_OK && value != 0,
               "VTL 0 lost its hypercall page");
    expect_fault(vm, VMR_VTL0, VTL_SECRET, 0);
}

/* The monitor page cuts its region, which the hypervisor then gets in pieces. */
static void what_is_kept_stays_when_a_page_is_trapped(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_RESET(), VMR_LOAD(5, VTL_OTHER, 4), VMR_LOAD(5, VTL_SECRET, 4), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), KEEP(0, VTL_SECRET, VTL_NOTHING), BACK(), VMR_END());
    const vmr_gpa below = HV_PAGE_2;
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    struct vmr_synic *synic = vmr_hv_guest_synic(vmr_partition_hv(vm->partition));

    CONF_CHECK_EQ(conf, vmr_synic_monitor_set_page(synic, 0, &below, NULL), VMR_OK, "a monitor page");
    expect_fault(vm, VMR_VTL0, VTL_SECRET, 0);
}

static void the_host_may_restrict_too(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_LOAD(5, VTL_SECRET, 4), VMR_STORE(VTL_SECRET, 4, 1), VMR_END());
    CONF_PROGRAM(vtl1, VMR_STORE(VTL_SECRET, 4, 9), VTL_OPEN(), BACK(), VMR_END());
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_partition *partition = vm->partition;

    CONF_CHECK_EQ(conf, vmr_partition_modify_vtl_page_setting(partition, PAGE_OF(HV_NO_RAM), VTL_READ, &err),
                  VMR_E_CONFIG, "no RAM");
    CONF_CHECK(conf, strstr(err.message, "no RAM"), "the message names no rule: %s", err.message);
    CONF_CHECK_EQ(conf, vmr_partition_modify_vtl_page_setting(partition, PAGE_OF(VTL_SECRET), 0x100, &err),
                  VMR_E_CONFIG, "other bits");
    CONF_CHECK_EQ(conf, vmr_partition_modify_vtl_page_setting(partition, PAGE_OF(VTL_SECRET), VTL_READ, &err), VMR_OK,
                  "a page");
    expect_fault(vm, VMR_VTL0, VTL_SECRET, VMR_FAULT_WRITE);
}

/* --- what the library does for a VTL --- */

#define SIGNAL HV_CALL_SIGNAL_EVENT
#define BY_MEMORY(control, input, x)                                                                                   \
    VMR_SET(0, input), VMR_SET(1, HV_OUTPUT), VMR_HV_CALL(6, HV_CODE_PAGE, control), VMR_EXPECT(6, x)

static void parameters_lie_where_the_vtl_may_go(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), BY_MEMORY(SIGNAL, VTL_SECRET, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 BY_MEMORY(SIGNAL, VTL_OTHER, HV_STATUS_INVALID_CONNECTION_ID), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), KEEP(0, VTL_SECRET, VTL_NOTHING), KEEP(0, VTL_OTHER, VTL_READ), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

static enum hv_status answer_ones(void *context, struct vmr_hv_call *call)
{
    (void)context;
    memset(call->output, 0xff, 8);
    return HV_STATUS_SUCCESS;
}

static void output_is_not_written_for_a_vtl_that_may_not(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), VMR_SET(0, HV_INPUT), VMR_SET(1, VTL_SECRET),
                 VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT_DIRECT),
                 VMR_EXPECT(6, HV_STATUS_INVALID_HYPERCALL_INPUT), VMR_LOAD(5, VTL_SECRET, 8), VMR_EXPECT(5, 0),
                 VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), KEEP(0, VTL_SECRET, VTL_READ), BACK(), VMR_END());
    const struct vmr_hv_call_handler handler = {.run = answer_ones};
    struct conf_vm *vm = vtl_vm(conf, &vtl0, &vtl1);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf,
                 vmr_hv_calls_set(vmr_hv_guest_calls(vmr_partition_hv(vm->partition)), HV_CALL_SIGNAL_EVENT_DIRECT,
                                  &handler) == VMR_OK,
                 "the handler is refused");
    (void)conf_run_to_end(vm, 0);
}

static void pages_lie_where_the_vtl_may_write(struct conf *conf)
{
    CONF_PROGRAM(vtl0, VTL_BEGIN(), HV_REFUSED_MSR(HV_MSR_SIMP, VTL_SECRET | 1u), HV_EXPECT_MSR(HV_MSR_SIMP, 0),
                 HV_REFUSED_MSR(HV_MSR_SIEFP, VTL_SECRET | 1u), HV_REFUSED_MSR(HV_MSR_VP_ASSIST_PAGE, VTL_SECRET | 1u),
                 HV_REFUSED_MSR(HV_MSR_HYPERCALL, VTL_SECRET | 1u), HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u),
                 HV_ACCEPTED_MSR(HV_MSR_SIMP, VTL_OTHER | 1u), VMR_LOAD(5, VTL_SECRET, 8), VMR_EXPECT(5, 0x77),
                 VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_STORE(VTL_SECRET, 8, 0x77), KEEP(0, VTL_SECRET, VTL_READ), BACK(), VMR_END());

    (void)vtl_run(conf, &vtl0, &vtl1);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "vtl", .needs = VTL_NEEDS, .chip = CONF_CHIP_NONE, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_read_is_refused_and_done_when_allowed), .clauses = "VTL-9 VTL-10"},
    {SCENARIO(a_write_to_what_may_be_read_is_refused), .clauses = "VTL-9 VTL-10"},
    {SCENARIO(reading_and_writing_at_once_is_writing), .clauses = "VTL-10"},
    {SCENARIO(a_fetch_from_what_may_not_be_executed_is_refused), .clauses = "VTL-9 VTL-10"},
    {SCENARIO(an_intercept_may_be_an_interrupt), .clauses = "VTL-8 VTL-10"},
    {SCENARIO(without_an_open_sint_the_run_ends), .clauses = "VTL-10"},
    {SCENARIO(bad_requests_are_refused), .clauses = "VTL-9"},
    {SCENARIO(a_list_is_done_up_to_what_is_no_ram), .clauses = "VTL-9"},
    {SCENARIO(what_is_kept_stays_over_switches_and_a_scrub), .clauses = "VTL-9"},
    {SCENARIO(what_is_kept_stays_when_a_page_is_trapped), .clauses = "VTL-9"},
    {SCENARIO(the_host_may_restrict_too), .clauses = "VTL-9"},
    {SCENARIO(parameters_lie_where_the_vtl_may_go), .clauses = "VTL-16"},
    {SCENARIO(output_is_not_written_for_a_vtl_that_may_not), .clauses = "VTL-16"},
    {SCENARIO(pages_lie_where_the_vtl_may_write), .clauses = "VTL-16"},
};

CONF_FAMILY(vtl_protect, scenarios);
