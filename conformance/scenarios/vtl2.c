/* SPDX-License-Identifier: MIT */
/*
 * A partition with VTL 2 from the beginning: what it sees of memory, when, and
 * where; three VTLs on top of one another.
 */

#include "conformance/scenarios/vtl_words.h"

#define OWN UINT64_C(0x1000000) /* RAM of VTL 2's */
#define OWN_SIZE UINT64_C(0x10000)
#define OWN_CODE (OWN + 0x1000)
#define OWN_LIST (OWN + 0x2000)
#define OWN_OUTPUT (OWN + 0x3000)
#define GP 13u

#define OPEN_OWN() VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, OWN_CODE | 1u)
/* From VTL 2's own memory: what `target` may do with `gpa`. */
#define KEEP_OWN(flags_and_vtl, gpa, x)                                                                                \
    VMR_STORE(OWN_LIST, 8, UINT64_MAX), VMR_STORE(OWN_LIST + 8, 8, flags_and_vtl),                                     \
        VMR_STORE(OWN_LIST + 16, 8, PAGE_OF(gpa)), VMR_SET(0, OWN_LIST), VMR_SET(1, OWN_OUTPUT),                       \
        VMR_HV_CALL(6, OWN_CODE, HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(1)), HV_NO_FAULT(), VMR_EXPECT(6, x)
#define TO_VTL0(access) ((uint64_t)(access) | (uint64_t)HV_INPUT_VTL_USE_TARGET << 32)

/* --- beginning --- */

static void vps_begin_in_vtl2_and_return_to_vtl0(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, VMR_SET(4, 5), VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_EXPECT(4, 5), VMR_RESET(), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0) && vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no VM");
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL2, "the first VTL");
    CONF_CHECK_EQ(conf, regs.rip, 0xfff0, "where VTL 2 begins");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vmr_vp_get_vtl(vm->vps[0]), VMR_VTL0, "the VTL after the return");
    CONF_CHECK_EQ(conf, vm->reports[0].mismatch, 0, "mismatches");
}

/* --- three of them --- */

#define LISTEN_AT(simp)                                                                                                \
    VMR_WRMSR(HV_MSR_SIMP, (simp) | 1u), VMR_WRMSR(HV_MSR_SCONTROL, 1),                                                \
        VMR_WRMSR(HV_MSR_SINT0, HV_SINT_POLLING | VTL_VECTOR)
#define SIMP_2 (VMR_PROGRAM_DATA + 0x30000u)
#define CODE_1 (VMR_PROGRAM_DATA + 0x31000u)
#define CODE_2 (VMR_PROGRAM_DATA + 0x32000u)
#define OPEN_AT(page) VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, (page) | 1u)

static void three_vtls_stand_on_one_another(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, OPEN_AT(CODE_2), VTL_ENABLE(CODE_2, 1, 0), VTL_ENABLE_VP(CODE_2, HV_VP_INDEX_SELF, 1, 0),
                 VMR_SET(4, 0x2), VMR_VTL_RETURN(CODE_2, 1), VMR_EXPECT(4, 0x2101), VMR_VTL_RETURN(CODE_2, 1),
                 VMR_END());
    CONF_PROGRAM(vtl1, OPEN_AT(CODE_1), VMR_EXPECT(4, 0x2), VMR_SET(4, 0x21), VMR_VTL_RETURN(CODE_1, 1),
                 VMR_EXPECT(4, 0x210), VMR_SET(4, 0x2101), VMR_VTL_CALL(CODE_1), VMR_SET(4, 0x21012),
                 VMR_VTL_RETURN(CODE_1, 1), VMR_END());
    CONF_PROGRAM(vtl0, HV_OPEN(), VMR_EXPECT(4, 0x21), VMR_SET(4, 0x210), VMR_VTL_CALL(HV_CODE_PAGE),
                 VMR_EXPECT(4, 0x21012), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_load_vtl(vm, 0, VMR_VTL1, &vtl1) && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

#define KEEP_AT(page, target, access) VTL_PROTECT(page, target, VTL_SECRET, access, HV_RESULT(0, 1))
#define EXPECT_MESSAGE(simp, from)                                                                                     \
    VMR_LOAD(5, simp, 4), VMR_EXPECT(5, HV_MESSAGE_TYPE_GPA_INTERCEPT),                                                \
        VMR_LOAD(5, (simp) + 16 + HV_INTERCEPT_EXECUTION_STATE, 2),                                                    \
        VMR_EXPECT_MASK(5, 0xf << 7, (uint64_t)(from) << 7), VMR_STORE(simp, 4, 0), VMR_WRMSR(HV_MSR_EOM, 0)

/* Both keep VTL 0 from a page: VTL 2 is told first, and when it gives in, VTL 1. */
static void the_highest_that_refuses_is_told(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, OPEN_AT(CODE_2), LISTEN_AT(SIMP_2), VTL_ENABLE(CODE_2, 1, 0),
                 VTL_ENABLE_VP(CODE_2, HV_VP_INDEX_SELF, 1, 0), KEEP_AT(CODE_2, 0, VTL_NOTHING),
                 KEEP_AT(CODE_2, 1, VTL_READ), VMR_SET(4, 0), VMR_VTL_RETURN(CODE_2, 1), EXPECT_MESSAGE(SIMP_2, 1),
                 KEEP_AT(CODE_2, 1, VTL_ALL), VMR_VTL_RETURN(CODE_2, 1), EXPECT_MESSAGE(SIMP_2, 0), VMR_ADD(4, 1),
                 KEEP_AT(CODE_2, 0, VTL_ALL), VMR_VTL_RETURN(CODE_2, 1), VMR_END());
    /* VTL 2 returns to the next VTL below, not to the one whose access it saw: VTL 1 passes it on. */
    CONF_PROGRAM(vtl1, OPEN_AT(CODE_1), LISTEN_AT(VTL_SIMP), VMR_STORE(VTL_SECRET, 4, 9),
                 KEEP_AT(CODE_1, 0, VTL_NOTHING), VMR_VTL_RETURN(CODE_1, 1), VMR_EXPECT(4, 1),
                 VMR_VTL_RETURN(CODE_1, 1), EXPECT_MESSAGE(VTL_SIMP, 0), VMR_ADD(4, 1), KEEP_AT(CODE_1, 0, VTL_ALL),
                 VMR_VTL_RETURN(CODE_1, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 9), VMR_EXPECT(4, 2), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_load_vtl(vm, 0, VMR_VTL1, &vtl1) && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

/* --- late mapping --- */

/* A VM whose VTL 2 has RAM of its own at OWN, bound. NULL: failed. */
static struct conf_vm *late_vm(struct conf *conf, enum vmr_late_map_policy policy, enum vmr_late_map_allowed allowed,
                               const struct vmr_program *vtl2)
{
    static const struct vmr_page_range range = {.gpa = OWN, .size = OWN_SIZE};
    const struct vmr_memory_region region = {
        .gpa = OWN, .size = OWN_SIZE, .vtl2 = allowed == VMR_LATE_MAP_MEMORY_LAYOUT};
    const struct vmr_late_map late = {.policy = policy,
                                      .allowed = allowed,
                                      .ranges = allowed == VMR_LATE_MAP_RANGES ? &range : NULL,
                                      .range_count = allowed == VMR_LATE_MAP_RANGES};
    const struct vmr_hv_vtl2_config config = {.late_map = &late};
    const struct vmr_hv_config hv = {.vtl2 = &config};
    const struct conf_vm_options options = {.hv = &hv};
    struct conf_vm *vm = vtl2_vm(conf, &options, vtl2, NULL);
    struct vmr_error err;

    if (!vm || vmr_memory_region_add(vm->memory, &region, &err) || !conf_bind(vm, 0))
        return NULL;
    return vm;
}

static void too_early_is_done_and_logged(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VMR_STORE(VTL_SECRET, 4, 7), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7),
                 VMR_OR(VTL_SECRET, 4, 8), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 15), VMR_END());

    for (unsigned allowed = 0; allowed < VMR_LATE_MAP_ALLOWED_COUNT && !conf_failed(conf); allowed++) {
        struct conf_vm *vm = late_vm(conf, VMR_LATE_MAP_LOG, (enum vmr_late_map_allowed)allowed, &vtl2);

        CONF_REQUIRE(conf, vm, "no VM");
        (void)conf_run_to_end(vm, 0);
        conf_vm_destroy(vm);
    }
}

static void expect_halted(struct conf_vm *vm, vmr_gpa gpa)
{
    struct vmr_run_result result;

    if (!conf_run(vm, 0, NULL, &result))
        return;
    CONF_CHECK_EQ(vm->conf, result.reason, VMR_HALT_FATAL, "the reason");
    CONF_CHECK_EQ(vm->conf, result.exit.kind, VMR_EXIT_MEMORY_FAULT, "the exit");
    CONF_CHECK_EQ(vm->conf, result.exit.vtl, VMR_VTL2, "whose access");
    CONF_CHECK_EQ(vm->conf, result.exit.u.memory_fault.gpa, gpa, "where");
    CONF_CHECK_EQ(vm->conf, vm->reports[0].checkpoint, 1, "the last checkpoint");
}

static void too_early_ends_the_run(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VMR_STORE(OWN, 4, 3), VMR_LOAD(5, OWN + OWN_SIZE - 4, 4), VMR_CHECKPOINT(1),
                 VMR_LOAD(5, VTL_SECRET + 4, 4), VMR_CHECKPOINT(2), VMR_END());

    for (unsigned allowed = 0; allowed < VMR_LATE_MAP_ALLOWED_COUNT && !conf_failed(conf); allowed++) {
        struct conf_vm *vm = late_vm(conf, VMR_LATE_MAP_HALT, (enum vmr_late_map_allowed)allowed, &vtl2);

        CONF_REQUIRE(conf, vm, "no VM");
        expect_halted(vm, VTL_SECRET + 4);
        conf_vm_destroy(vm);
    }
}

static void too_early_is_an_exception(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VMR_CHECKPOINT(1), VMR_STORE(VTL_SECRET, 4, 1), VMR_CHECKPOINT(2), VMR_END());

    for (unsigned allowed = 0; allowed < VMR_LATE_MAP_ALLOWED_COUNT && !conf_failed(conf); allowed++) {
        struct conf_vm *vm = late_vm(conf, VMR_LATE_MAP_INJECT_EXCEPTION, (enum vmr_late_map_allowed)allowed, &vtl2);

        CONF_REQUIRE(conf, vm, "no VM");
        expect_halt(vm, NULL, VMR_HALT_POWER_OFF);
        CONF_CHECK_EQ(conf, vm->reports[0].mismatch_step & 0xff, GP, "the exception");
        CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 1, "the last checkpoint");
        CONF_CHECK_EQ(conf, guest_word(vm, VTL_SECRET), 0, "the word");
        conf_vm_destroy(vm);
    }
}

/* What is ill-formed does not count; the first that is well formed maps all, even if its page is no RAM. */
static void the_first_protection_maps_all_of_ram(struct conf *conf)
{
    CONF_PROGRAM(
        before, OPEN_OWN(), KEEP_OWN(TO_VTL0(VTL_READ) | 0x10, VTL_SECRET, HV_STATUS_INVALID_PARAMETER),
        KEEP_OWN(TO_VTL0(VTL_READ) | UINT64_C(0x20) << 32, VTL_SECRET, HV_STATUS_INVALID_PARAMETER),
        KEEP_OWN(UINT64_C(2) << 32 | (uint64_t)HV_INPUT_VTL_USE_TARGET << 32, VTL_SECRET, HV_STATUS_ACCESS_DENIED),
        VMR_CHECKPOINT(1), VMR_LOAD(5, VTL_SECRET, 4), VMR_CHECKPOINT(2), VMR_END());
    CONF_PROGRAM(after, OPEN_OWN(), KEEP_OWN(TO_VTL0(VTL_READ), HV_NO_RAM, HV_STATUS_INVALID_PARAMETER),
                 VMR_STORE(VTL_SECRET, 4, 7), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7), VMR_LOAD(5, VTL_OTHER, 4),
                 VMR_END());

    for (unsigned allowed = 0; allowed < VMR_LATE_MAP_ALLOWED_COUNT && !conf_failed(conf); allowed++) {
        struct conf_vm *vm = late_vm(conf, VMR_LATE_MAP_HALT, (enum vmr_late_map_allowed)allowed, &before);

        CONF_REQUIRE(conf, vm, "no VM");
        expect_halted(vm, VTL_SECRET);
        conf_vm_destroy(vm);
        vm = late_vm(conf, VMR_LATE_MAP_HALT, (enum vmr_late_map_allowed)allowed, &after);
        CONF_REQUIRE(conf, vm, "no VM");
        (void)conf_run_to_end(vm, 0);
        conf_vm_destroy(vm);
    }
}

static void only_vtl2_is_mapped_late(struct conf *conf)
{
    CONF_PROGRAM(vtl2, OPEN_OWN(), VMR_VTL_RETURN(OWN_CODE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_STORE(VTL_SECRET, 4, 7), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7), VMR_END());
    struct conf_vm *vm = late_vm(conf, VMR_LATE_MAP_HALT, VMR_LATE_MAP_MEMORY_LAYOUT, &vtl2);

    CONF_REQUIRE(conf, vm && conf_load_vtl(vm, 0, VMR_VTL0, &vtl0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

struct late_row {
    const char *says;
    struct vmr_late_map late;
};

static void a_late_map_that_makes_no_sense_is_refused(struct conf *conf)
{
    static const struct vmr_page_range crooked = {.gpa = 0x1001, .size = 0x1000};
    const struct late_row rows[] = {
        {"policy", {.policy = VMR_LATE_MAP_POLICY_COUNT}},
        {"allowed", {.allowed = VMR_LATE_MAP_ALLOWED_COUNT}},
        {"ranges", {.range_count = 1, .ranges = &crooked}},
        {"ranges[0]", {.allowed = VMR_LATE_MAP_RANGES, .range_count = 1, .ranges = &crooked}},
        {"limit", {.allowed = VMR_LATE_MAP_RANGES, .range_count = VMR_LATE_MAP_RANGE_MAX + 1, .ranges = &crooked}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmr_hv_vtl2_config vtl2 = {.late_map = &rows[i].late};
        const struct vmr_hv_config hv = {.vtl2 = &vtl2};
        struct vmr_error err = {.message = ""};

        CONF_CHECK_EQ(conf, vtl_try(conf, &hv, 0, &err), VMR_E_CONFIG, rows[i].says);
        CONF_CHECK(conf, strstr(err.message, rows[i].says), "'%s' does not name %s", err.message, rows[i].says);
    }
}

/* --- the alias map --- */

#define ALIAS UINT64_C(0x80000000)

static void vtl2_sees_vtl0_through_the_alias(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2, .vtl0_alias_map = ALIAS};
    CONF_PROGRAM(vtl2, VTL_OPEN(), VMR_STORE(ALIAS + VTL_SECRET, 4, 7), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7),
                 VMR_STORE(VTL_OTHER, 4, 8), VMR_LOAD(5, ALIAS + VTL_OTHER, 4), VMR_EXPECT(5, 8),
                 VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_NOTHING, HV_RESULT(0, 1)),
                 VMR_LOAD(5, ALIAS + VTL_SECRET, 4), VMR_EXPECT(5, 7), VMR_OR(ALIAS + VTL_SECRET, 4, 8),
                 VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 15), VMR_LOAD(5, ALIAS + 0x10000000, 4),
                 VMR_EXPECT(5, UINT32_MAX), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_LOAD(5, ALIAS + VTL_OTHER, 4), VMR_EXPECT(5, UINT32_MAX), VMR_LOAD(5, VTL_OTHER, 4),
                 VMR_EXPECT(5, 8), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

static void a_bad_alias_is_refused(struct conf *conf)
{
    static const uint64_t offsets[] = {3, 0x800, ALIAS + VMR_PAGE_SIZE, UINT64_C(1) << 63};
    static const struct conf_vm_options options = {.hv = &hv_vtl2, .vtl0_alias_map = ALIAS};
    const struct vmr_memory_region high = {.gpa = ALIAS - VMR_PAGE_SIZE, .size = 2 * VMR_PAGE_SIZE};
    struct vmr_error err = {.message = ""};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        CONF_CHECK_EQ(conf, vtl_try(conf, &hv_vtl2, offsets[i], &err), VMR_E_CONFIG, "an offset");
        CONF_CHECK(conf, strstr(err.message, "power of two"), "the message names no rule: %s", err.message);
    }
    CONF_CHECK_EQ(conf, vtl_try(conf, &hv_all, ALIAS, &err), VMR_E_CONFIG, "without VTL 2");
    struct conf_vm *vm = conf_vm_create(conf, &options);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_memory_region_add(vm->memory, &high, &err), VMR_E_CONFIG, "RAM in the alias");
    CONF_CHECK(conf, strstr(err.message, "alias"), "the message does not name the alias: %s", err.message);
}

/* --- maps --- */

static void ram_taken_from_a_map_is_mmio_there_alone(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    CONF_PROGRAM(vtl2, VMR_STORE(VTL_SECRET, 4, 7), VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, HV_OPEN(), VMR_STORE(VTL_SECRET, 4, 9), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 0x1234),
                 VMR_RESET(), VMR_LOAD(5, VTL_SECRET, 4), VMR_EXPECT(5, 7), VMR_END());
    const struct vmr_page_range page = {.gpa = VTL_SECRET, .size = VMR_PAGE_SIZE};
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, &vtl0);
    struct conf_device device = {.answer = 0x1234};
    struct vmr_error err;

    CONF_REQUIRE(
        conf,
        vm && conf_device_claim(vm, vm->mmio, VTL_SECRET, VMR_PAGE_SIZE, VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4, &device),
        "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_vtl_unmap(vm->partition, VMR_VTL0, &page, &err), VMR_OK, "unmapping");
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, device.writes, 1, "writes that reached the device");
    CONF_CHECK_EQ(conf, guest_word(vm, VTL_SECRET), 7, "the word in RAM");
    CONF_CHECK_EQ(conf, vmr_partition_vtl_map(vm->partition, VMR_VTL0, &page, &err), VMR_OK, "mapping");
    expect_end(vm);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads that reached the device");
}

static void a_bad_map_is_refused(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    static const struct vmr_page_range ranges[] = {
        {.gpa = VTL_SECRET + 1, .size = VMR_PAGE_SIZE},
        {.gpa = VTL_SECRET, .size = VMR_PAGE_SIZE - 1},
        {.gpa = VTL_SECRET, .size = 0},
        {.gpa = VMR_PROGRAM_RAM_MIN - VMR_PAGE_SIZE, .size = 2 * VMR_PAGE_SIZE},
        {.gpa = VTL_SECRET, .size = (uint64_t)0 - VTL_SECRET},
    };
    CONF_PROGRAM(vtl2, VMR_LOAD(5, VMR_PROGRAM_RAM_MIN - VMR_PAGE_SIZE, 4), VMR_EXPECT(5, 0), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, NULL);
    struct vmr_error err;

    CONF_REQUIRE(conf, vm, "no VM");
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        CONF_CHECK_EQ(conf, vmr_partition_vtl_unmap(vm->partition, VMR_VTL2, &ranges[i], &err), VMR_E_CONFIG,
                      "a range");
    CONF_CHECK_EQ(conf, vmr_partition_vtl_unmap(vm->partition, 3, &ranges[3], &err), VMR_E_CONFIG, "a VTL");
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    (void)conf_run_to_end(vm, 0);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "vtl", .needs = VTL_NEEDS, .chip = CONF_CHIP_NONE, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(vps_begin_in_vtl2_and_return_to_vtl0), .clauses = "VTL-4 VTL-6"},
    {SCENARIO(three_vtls_stand_on_one_another), .clauses = "VTL-2 VTL-3 VTL-4"},
    {SCENARIO(the_highest_that_refuses_is_told), .clauses = "VTL-9 VTL-10"},
    {SCENARIO(too_early_is_done_and_logged), .clauses = "VTL-11"},
    {SCENARIO(too_early_ends_the_run), .clauses = "VTL-11"},
    {SCENARIO(too_early_is_an_exception), .clauses = "VTL-11"},
    {SCENARIO(the_first_protection_maps_all_of_ram), .clauses = "VTL-11"},
    {SCENARIO(only_vtl2_is_mapped_late), .clauses = "VTL-11"},
    {SCENARIO(a_late_map_that_makes_no_sense_is_refused), .clauses = "VTL-11"},
    {SCENARIO(vtl2_sees_vtl0_through_the_alias), .clauses = "VTL-12"},
    {SCENARIO(a_bad_alias_is_refused), .clauses = "VTL-12"},
    {SCENARIO(ram_taken_from_a_map_is_mmio_there_alone), .clauses = "VTL-13"},
    {SCENARIO(a_bad_map_is_refused), .clauses = "VTL-13"},
};

CONF_FAMILY(vtl2, scenarios);
