/* SPDX-License-Identifier: MIT */
/*
 * Isolated partitions: pages that are accepted before they are there, and what
 * of them the host may see.
 */

#include "conformance/scenarios/vtl_words.h"

static const struct vmr_hv_config isolated = {.vtl2 = &vtl2_plain, .isolation = VMR_ISOLATION_VBS};
static const struct conf_vm_options isolated_vm = {.hv = &isolated};

#define FRESH VTL_SECRET /* a page that nobody has accepted; all below it are */
#define FRESH_PAGES ((VMR_PROGRAM_RAM_MIN - FRESH) / VMR_PAGE_SIZE)

/* A VM with all pages below FRESH accepted, not bound. NULL: failed. */
static struct conf_vm *create(struct conf *conf, const struct vmr_program *vtl2, const struct vmr_program *vtl0)
{
    static const struct vmr_initial_pages initial[] = {
        {.range = {.gpa = 0, .size = VTL_OTHER - VTL_OTHER % 0x20000}, .visibility = VMR_PAGE_EXCLUSIVE},
        {.range = {.gpa = VTL_OTHER - VTL_OTHER % 0x20000, .size = FRESH - (VTL_OTHER - VTL_OTHER % 0x20000)},
         .visibility = VMR_PAGE_SHARED},
    };
    struct conf_vm *vm = vtl2_vm(conf, &isolated_vm, vtl2, vtl0);
    struct vmr_error err;

    if (!vm || vmr_partition_accept_initial_pages(vm->partition, initial, 2, &err))
        return NULL;
    return vm;
}

#define LIST VTL_CONTEXT
#define CALL(control, x)                                                                                               \
    VMR_SET(0, LIST), VMR_SET(1, HV_OUTPUT), VMR_HV_CALL(6, VTL_CODE_PAGE, control), HV_NO_FAULT(), VMR_EXPECT(6, x)
/* `attributes`, and the permissions of VTL 1 and 2 above them. */
#define ACCEPT(partition, attributes, page, count, x)                                                                  \
    VMR_STORE(LIST, 8, partition), VMR_STORE(LIST + 8, 8, attributes), VMR_STORE(LIST + 16, 8, page),                  \
        CALL(HV_CALL_ACCEPT_GPA_PAGES | REP(count), x)
#define SHARED (HV_VISIBILITY_SHARED << HV_ACCEPT_VISIBILITY_SHIFT)
#define SET_VTL(vtl) (UINT64_C(1) << (HV_ACCEPT_VTL_SET_SHIFT + (vtl)))
#define MODIFY(partition, visibility, page, x)                                                                         \
    VMR_STORE(LIST, 8, partition), VMR_STORE(LIST + 8, 8, visibility), VMR_STORE(LIST + 16, 8, page),                  \
        CALL(HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY | REP(1), x)
#define FRESH_PAGE PAGE_OF(FRESH)
#define OLD_PAGE PAGE_OF(VTL_CODE_PAGE)

/* --- by the host --- */

static void initial_pages_are_accepted_all_or_none(struct conf *conf)
{
    const struct vmr_page_range one = {.gpa = FRESH, .size = VMR_PAGE_SIZE};
    const struct vmr_initial_pages bad[][2] = {
        {{.range = one}, {.range = {.gpa = FRESH + 1, .size = VMR_PAGE_SIZE}}},
        {{.range = one}, {.range = {.gpa = FRESH + VMR_PAGE_SIZE, .size = 0}}},
        {{.range = one}, {.range = one}},
        {{.range = one}, {.range = {.gpa = HV_NO_RAM, .size = VMR_PAGE_SIZE}}},
        {{.range = one}, {.range = {.gpa = VMR_PROGRAM_RAM_MIN - VMR_PAGE_SIZE, .size = 2 * VMR_PAGE_SIZE}}},
        {{.range = one}, {.range = one, .visibility = (enum vmr_page_visibility)7}},
    };
    const struct vmr_initial_pages good = {.range = one, .visibility = VMR_PAGE_SHARED};
    CONF_PROGRAM(vtl2, VMR_LOAD(5, FRESH, 4), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);
    enum vmr_page_visibility visibility = VMR_PAGE_SHARED;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CONF_CHECK_EQ(conf, vmr_partition_accept_initial_pages(vm->partition, bad[i], 2, &err), VMR_E_CONFIG, "pages");
        CONF_CHECK(conf, !vmr_partition_page_visibility(vm->partition, FRESH, &visibility), "a page was accepted");
    }
    CONF_CHECK(conf, vmr_partition_page_visibility(vm->partition, 0, &visibility), "page 0 was not");
    CONF_CHECK_EQ(conf, visibility, VMR_PAGE_EXCLUSIVE, "page 0");
    CONF_CHECK_EQ(conf, vmr_partition_accept_initial_pages(vm->partition, &good, 1, &err), VMR_OK, "a page");
    CONF_CHECK(conf, vmr_partition_page_visibility(vm->partition, FRESH, &visibility), "the page was not accepted");
    CONF_CHECK_EQ(conf, visibility, VMR_PAGE_SHARED, "the page");
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    const struct vmr_initial_pages late = {.range = {.gpa = FRESH + VMR_PAGE_SIZE, .size = VMR_PAGE_SIZE}};

    CONF_CHECK_EQ(conf, vmr_partition_accept_initial_pages(vm->partition, &late, 1, &err), VMR_E_STATE,
                  "after the first bind");
    (void)conf_run_to_end(vm, 0);
}

static void what_is_not_isolated_accepts_nothing(struct conf *conf)
{
    static const struct conf_vm_options options = {.hv = &hv_vtl2};
    const struct vmr_initial_pages pages = {.range = {.gpa = FRESH, .size = VMR_PAGE_SIZE}};
    CONF_PROGRAM(vtl2, VMR_CPUID(HV_CPUID_FEATURES, 0), VMR_EXPECT_MASK(1, HV_ISOLATION >> 32, 0), VTL_OPEN(),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE, 1, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, NULL);
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_accept_initial_pages(vm->partition, &pages, 1, &err), VMR_E_UNSUPPORTED, "pages");
    CONF_CHECK(conf, strstr(err.message, "isolated"), "the message names no rule: %s", err.message);
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    (void)conf_run_to_end(vm, 0);
}

/* --- by the guest --- */

static void pages_are_accepted_once(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), ACCEPT(1, 0, FRESH_PAGE, 1, HV_STATUS_INVALID_PARTITION_ID),
                 ACCEPT(UINT64_MAX, 2, FRESH_PAGE, 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, 1 << HV_ACCEPT_VISIBILITY_SHIFT, FRESH_PAGE, 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, 1 << 11, FRESH_PAGE, 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, SET_VTL(0), FRESH_PAGE, 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, SET_VTL(1) | UINT64_C(0x10) << 32, FRESH_PAGE, 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, 0, PAGE_OF(HV_NO_RAM), 1, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, 0, UINT64_MAX, 2, HV_STATUS_INVALID_PARAMETER),
                 ACCEPT(UINT64_MAX, 0, OLD_PAGE, 1, HV_STATUS_OPERATION_DENIED),
                 ACCEPT(UINT64_MAX, HV_ACCEPT_MEMORY_RAM | SHARED, FRESH_PAGE, 2, HV_RESULT(0, 2)),
                 VMR_STORE(FRESH, 4, 7), VMR_STORE(FRESH + VMR_PAGE_SIZE, 4, 8), VMR_LOAD(5, FRESH, 4),
                 VMR_EXPECT(5, 7), ACCEPT(UINT64_MAX, 0, FRESH_PAGE + 1, 1, HV_STATUS_OPERATION_DENIED),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE + FRESH_PAGES - 1, 2, HV_RESULT(HV_STATUS_INVALID_PARAMETER, 1)),
                 VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);
    enum vmr_page_visibility visibility = VMR_PAGE_EXCLUSIVE;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, vmr_partition_page_visibility(vm->partition, FRESH, &visibility), "the page was not accepted");
    CONF_CHECK_EQ(conf, visibility, VMR_PAGE_SHARED, "the page");
}

/* More than one dispatch does: the guest calls again from where it was left. */
static void a_long_list_is_accepted_to_its_end(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), ACCEPT(UINT64_MAX, 0, FRESH_PAGE, 150, HV_RESULT(0, 150)),
                 VMR_STORE(FRESH + 149 * VMR_PAGE_SIZE, 4, 7),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE + 149, 1, HV_STATUS_OPERATION_DENIED),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE + 150, 1, HV_RESULT(0, 1)), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

static void a_page_is_accepted_with_what_lower_vtls_may(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(),
                 ACCEPT(UINT64_MAX, SET_VTL(2) | (uint64_t)VTL_READ << 48, FRESH_PAGE, 1, HV_RESULT(0, 1)),
                 VMR_STORE(FRESH, 4, 7), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_LOAD(5, FRESH, 4), VMR_EXPECT(5, 7), VMR_CHECKPOINT(1), VMR_STORE(FRESH, 4, 8),
                 VMR_CHECKPOINT(2), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, &vtl0);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0) && conf_run(vm, 0, NULL, &result), "no VM");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_FATAL, "the reason");
    CONF_CHECK_EQ(conf, result.exit.u.memory_fault.flags, VMR_FAULT_VTL | VMR_FAULT_WRITE, "the fault");
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 1, "the last checkpoint");
}

static void a_lower_vtl_sets_no_permissions_above(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, VTL_CODE_PAGE | 1u),
                 ACCEPT(UINT64_MAX, SET_VTL(1), FRESH_PAGE, 1, HV_STATUS_ACCESS_DENIED),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE, 1, HV_RESULT(0, 1)), VMR_STORE(FRESH, 4, 7), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

static void what_is_not_accepted_is_told_to_vtl2(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), VMR_WRMSR(HV_MSR_SIMP, VTL_SIMP | 1u), VMR_WRMSR(HV_MSR_SCONTROL, 1),
                 VMR_WRMSR(HV_MSR_SINT0, HV_SINT_POLLING | VTL_VECTOR), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_LOAD(5, VTL_SIMP, 4), VMR_EXPECT(5, HV_MESSAGE_TYPE_UNACCEPTED_GPA),
                 VMR_LOAD(5, VTL_SIMP + 16 + HV_INTERCEPT_GPA, 8), VMR_EXPECT(5, FRESH + 8),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE, 1, HV_RESULT(0, 1)), VMR_VTL_RETURN(VTL_CODE_PAGE, 1), VMR_END());
    CONF_PROGRAM(vtl0, VMR_STORE(FRESH + 8, 4, 7), VMR_LOAD(5, FRESH + 8, 4), VMR_EXPECT(5, 7), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, &vtl0);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

static void nobody_is_above_vtl2_to_accept_for_it(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VMR_LOAD(5, FRESH, 4), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0) && conf_run(vm, 0, NULL, &result), "no VM");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_FATAL, "the reason");
    CONF_CHECK_EQ(conf, result.exit.u.memory_fault.gpa, FRESH, "where");
}

/* --- visibility --- */

#define QUERY(count, x) CALL(HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY | REP(count), x)

static void visibility_is_changed_page_by_page(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), MODIFY(1, HV_VISIBILITY_SHARED, 0, HV_STATUS_INVALID_PARTITION_ID),
                 MODIFY(UINT64_MAX, 1, 0, HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, 2, 0, HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, 4, 0, HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, UINT64_C(1) << 32, 0, HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_SHARED, PAGE_OF(HV_NO_RAM), HV_STATUS_INVALID_PARAMETER),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_SHARED, FRESH_PAGE, HV_STATUS_OPERATION_DENIED),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_SHARED, 1, HV_RESULT(0, 1)),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_PRIVATE, OLD_PAGE, HV_RESULT(0, 1)), VMR_STORE(LIST, 8, UINT64_MAX),
                 VMR_STORE(LIST + 8, 8, 0), VMR_STORE(LIST + 16, 8, 1), VMR_STORE(LIST + 24, 8, OLD_PAGE),
                 VMR_STORE(LIST + 32, 8, FRESH_PAGE), VMR_STORE(HV_OUTPUT, 4, 0xffffffff),
                 QUERY(4, HV_RESULT(HV_STATUS_OPERATION_DENIED, 3)), VMR_LOAD(5, HV_OUTPUT, 4),
                 VMR_EXPECT(5, 0xff000300), VMR_STORE(LIST, 8, 5), QUERY(1, HV_STATUS_INVALID_PARTITION_ID), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);
    enum vmr_page_visibility visibility = VMR_PAGE_EXCLUSIVE;

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, vmr_partition_page_visibility(vm->partition, VMR_PAGE_SIZE, &visibility), "page 1");
    CONF_CHECK_EQ(conf, visibility, VMR_PAGE_SHARED, "page 1");
}

/* All that a host can do with memory: `allowed`, or refused and not done. */
static void check_host(struct conf_vm *vm, vmr_gpa gpa, size_t length, bool allowed, const char *what)
{
    struct conf *conf = vm->conf;
    enum vmr_status want = allowed ? VMR_OK : VMR_E_GUEST;
    uint8_t bytes[2 * VMR_PAGE_SIZE];
    struct vmr_memory_view view = {0};
    uint64_t old;

    memset(bytes, 0x5a, sizeof(bytes));
    CONF_REQUIRE(conf, length <= sizeof(bytes), "a longer range than the scenario has bytes for");
    CONF_CHECK_EQ(conf, vmr_memory_write(vm->memory, gpa, bytes, length), want, what);
    CONF_CHECK_EQ(conf, vmr_memory_fill(vm->memory, gpa, 0x5a, length), want, what);
    CONF_CHECK_EQ(conf, vmr_memory_fetch_or(vm->memory, gpa, 1, 0x5a, &old), want, what);
    CONF_CHECK_EQ(conf, vmr_memory_pin(vm->memory, gpa, length, false, &view), want, what);
    vmr_memory_unpin(vm->memory, &view);
    bytes[0] = 0;
    CONF_CHECK_EQ(conf, vmr_memory_read(vm->memory, gpa, bytes, length), want, what);
    CONF_CHECK_EQ(conf, bytes[0], allowed ? 0x5a : 0, what);
}

static void look_at_fresh(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    check_host(vm, FRESH, 8, number == 2, "the page as the guest had it");
}

/* The lists of its calls lie in a page that the host has not. */
static void the_host_has_shared_pages_alone(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VTL_OPEN(), MODIFY(UINT64_MAX, HV_VISIBILITY_PRIVATE, PAGE_OF(LIST), HV_RESULT(0, 1)),
                 ACCEPT(UINT64_MAX, 0, FRESH_PAGE, 1, HV_RESULT(0, 1)), VMR_STORE(FRESH, 8, 0x7777), VMR_CHECKPOINT(1),
                 VMR_LOAD(5, FRESH, 8), VMR_EXPECT(5, 0x7777),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_SHARED, FRESH_PAGE, HV_RESULT(0, 1)), VMR_CHECKPOINT(2),
                 VMR_LOAD(5, FRESH, 8), VMR_EXPECT(5, UINT64_C(0x5a5a5a5a5a5a5a5a)), VMR_STORE(FRESH, 8, 0x8888),
                 MODIFY(UINT64_MAX, HV_VISIBILITY_PRIVATE, FRESH_PAGE, HV_RESULT(0, 1)), VMR_CHECKPOINT(3),
                 VMR_LOAD(5, FRESH, 8), VMR_EXPECT(5, 0x8888), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);
    const vmr_gpa border = VTL_OTHER - VTL_OTHER % 0x20000;

    CONF_REQUIRE(conf, vm, "no VM");
    check_host(vm, FRESH, 8, true, "a page that nobody has accepted");
    check_host(vm, border, 8, true, "a page that is shared");
    check_host(vm, border - VMR_PAGE_SIZE, 8, false, "a page that is not");
    check_host(vm, border - VMR_PAGE_SIZE, 2 * VMR_PAGE_SIZE, false, "a range from there on");
    CONF_CHECK_EQ(conf, vmr_memory_read(vm->memory, border - VMR_PAGE_SIZE, NULL, 0), VMR_OK, "nothing of it");
    vm->on_checkpoint = look_at_fresh;
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    (void)conf_run_to_end(vm, 0);
    check_host(vm, LIST, 8, false, "the page of the lists");
}

static void note_crash(void *context, vmr_vp_index vp, const struct vmr_hv_crash *crash)
{
    (void)vp;
    *(size_t *)context = crash->length;
}

static void a_crash_tells_no_private_text(struct conf *conf)
{
    size_t length = SIZE_MAX;
    const struct vmr_hv_config hv = {
        .vtl2 = &vtl2_plain, .isolation = VMR_ISOLATION_VBS, .crash = note_crash, .context = &length};
    const struct conf_vm_options options = {.hv = &hv};
    const struct vmr_initial_pages all = {.range = {.size = VMR_PROGRAM_RAM_MIN}};
    CONF_PROGRAM(vtl2, VMR_STORE(FRESH, 8, 0x7777), VMR_WRMSR(HV_MSR_CRASH_P0 + 3, FRESH),
                 VMR_WRMSR(HV_MSR_CRASH_P0 + 4, 8), VMR_WRMSR(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE),
                 VMR_END());
    struct conf_vm *vm = vtl2_vm(conf, &options, &vtl2, NULL);
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm && vmr_partition_accept_initial_pages(vm->partition, &all, 1, &err) == VMR_OK, "no VM");
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, length, 0, "bytes of the text");
}

/* --- types --- */

struct type_row {
    enum vmr_isolation isolation;
    const struct vmr_hv_vtl2_config *vtl2;
    uint64_t alias;
    enum vmr_status status;
};

static void isolation_has_its_conditions(struct conf *conf)
{
    const struct type_row rows[] = {
        {VMR_ISOLATION_NONE, NULL, 0, VMR_OK},
        {VMR_ISOLATION_VBS, &vtl2_plain, 0, VMR_OK},
        {VMR_ISOLATION_VBS, NULL, 0, VMR_E_CONFIG},
        {VMR_ISOLATION_VBS, &vtl2_plain, UINT64_C(0x80000000), VMR_E_CONFIG},
        {VMR_ISOLATION_SNP, &vtl2_plain, 0, VMR_E_UNSUPPORTED},
        {VMR_ISOLATION_TDX, &vtl2_plain, 0, VMR_E_UNSUPPORTED},
        {VMR_ISOLATION_COUNT, &vtl2_plain, 0, VMR_E_CONFIG},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmr_hv_config hv = {.isolation = rows[i].isolation, .vtl2 = rows[i].vtl2};
        struct vmr_error err = {.message = ""};

        CONF_CHECK_EQ(conf, vtl_try(conf, &hv, rows[i].alias, &err), rows[i].status, "a configuration");
        CONF_CHECK(conf, rows[i].status == VMR_OK || strstr(err.message, "isolat"), "the message names no rule: %s",
                   err.message);
    }
}

static void cpuid_names_the_isolation(struct conf *conf)
{
    CONF_PROGRAM(vtl2, VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(1, (HV_ISOLATION | HV_ACCESS_VSM) >> 32, (HV_ISOLATION | HV_ACCESS_VSM) >> 32),
                 VMR_CPUID(HV_CPUID_VENDOR, 0), VMR_EXPECT(0, HV_CPUID_ISOLATION), VMR_CPUID(HV_CPUID_ISOLATION, 0),
                 VMR_EXPECT(0, HV_ISOLATION_PARAVISOR), VMR_EXPECT(1, HV_PARTITION_ISOLATION_VBS),
                 VMR_CPUID(HV_CPUID_HARDWARE + 1, 0), VMR_EXPECT(0, 0), VMR_END());
    struct conf_vm *vm = create(conf, &vtl2, NULL);

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    (void)conf_run_to_end(vm, 0);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "vtl", .needs = VTL_NEEDS, .chip = CONF_CHIP_NONE, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(initial_pages_are_accepted_all_or_none), .clauses = "VTL-14"},
    {SCENARIO(what_is_not_isolated_accepts_nothing), .clauses = "VTL-1 VTL-14"},
    {SCENARIO(pages_are_accepted_once), .clauses = "VTL-14"},
    {SCENARIO(a_long_list_is_accepted_to_its_end), .clauses = "VTL-14"},
    {SCENARIO(a_page_is_accepted_with_what_lower_vtls_may), .clauses = "VTL-10 VTL-14"},
    {SCENARIO(a_lower_vtl_sets_no_permissions_above), .clauses = "VTL-14"},
    {SCENARIO(what_is_not_accepted_is_told_to_vtl2), .clauses = "VTL-10 VTL-14"},
    {SCENARIO(nobody_is_above_vtl2_to_accept_for_it), .clauses = "VTL-10 VTL-14"},
    {SCENARIO(visibility_is_changed_page_by_page), .clauses = "VTL-15"},
    {SCENARIO(the_host_has_shared_pages_alone), .clauses = "VTL-15 VTL-17"},
    {SCENARIO(a_crash_tells_no_private_text), .clauses = "VTL-17"},
    {SCENARIO(isolation_has_its_conditions), .clauses = "VTL-14"},
    {SCENARIO(cpuid_names_the_isolation), .clauses = "VTL-1"},
};

CONF_FAMILY(vtl_isolation, scenarios);
