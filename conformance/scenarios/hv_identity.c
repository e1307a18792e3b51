/* SPDX-License-Identifier: MIT */
/*
 * The Hyper-V guest interface before any call: what CPUID says, and the
 * registers that belong to no device.
 */

#include <string.h>

#include "conformance/scenarios/hv_words.h"
#include "conformance/scenarios/msr_words.h"

/* --- CPUID --- */

static void leaves_say_who_we_are(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_CPUID(1, 0), VMR_EXPECT_MASK(2, UINT64_C(1) << 31, UINT64_C(1) << 31),
                 VMR_CPUID(HV_CPUID_VENDOR, 0), VMR_EXPECT(0, HV_CPUID_HARDWARE), VMR_EXPECT(1, 0x7263694d),
                 VMR_EXPECT(2, 0x666f736f), VMR_EXPECT(3, 0x76482074), VMR_CPUID(HV_CPUID_INTERFACE, 0),
                 VMR_EXPECT(0, HV_CPUID_INTERFACE_HV1), VMR_CPUID(HV_CPUID_LIMITS, 0), VMR_EXPECT(0, 1), VMR_END());

    hv_run(conf, &program);
}

static void without_a_configuration_there_is_none(struct conf *conf)
{
    static const struct vmr_msr_range range = {.first = HV_MSR_FIRST, .count = HV_MSR_COUNT};
    const struct conf_vm_options options = {.msr_exits = &range, .msr_exit_count = 1};
    CONF_PROGRAM(program, VMR_CPUID(HV_CPUID_INTERFACE, 0), VMR_JUMP_EQ(0, HV_CPUID_INTERFACE_HV1, 5),
                 HV_REFUSED_MSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_JUMP(6), VMR_EXPECT(0, 0), VMR_END());

    (void)conf_run_program(conf, &options, &program);
}

struct off_row {
    uint64_t privilege;
    uint32_t msr;
};

/* Each privilege that guards a register, taken away alone. */
static void what_is_off_is_neither_shown_nor_there(struct conf *conf)
{
    static const struct off_row rows[] = {
        {HV_ACCESS_HYPERCALL_MSRS, HV_MSR_GUEST_OS_ID},
        {HV_ACCESS_VP_INDEX, HV_MSR_VP_INDEX},
        {HV_ACCESS_RESET, HV_MSR_RESET},
        {HV_ACCESS_REFERENCE_COUNTER, HV_MSR_TIME_REF_COUNT},
        {HV_ACCESS_SYNIC, HV_MSR_SCONTROL},
        {HV_ACCESS_SYNTHETIC_TIMERS, HV_MSR_STIMER0_CONFIG},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !conf_failed(conf); i++) {
        const struct vmr_hv_config config = {.privileges_off = rows[i].privilege};
        const struct conf_vm_options options = {.hv = &config};
        const struct vmr_step steps[] = {
            VMR_CPUID(HV_CPUID_FEATURES, 0),
            VMR_EXPECT_MASK(0, rows[i].privilege, 0),
            VMR_RDMSR(6, rows[i].msr),
            HV_FAULT(),
            VMR_WRMSR(rows[i].msr, 0),
            HV_FAULT(),
            VMR_END(),
        };
        const struct vmr_program program = {.name = "off", .steps = steps, .count = sizeof(steps) / sizeof(steps[0])};
        struct conf_vm *vm = conf_vm_create(conf, &options);

        if (vm && conf_load(vm, 0, &program) && conf_bind(vm, 0))
            (void)conf_run_to_end(vm, 0);
        conf_vm_destroy(vm);
    }
}

/* --- registers --- */

static void what_is_not_there_faults(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_RDMSR(6, HV_MSR_FIRST + 4), HV_FAULT(), HV_REFUSED_MSR(HV_MSR_FIRST + 4, 1),
                 VMR_RDMSR(6, HV_MSR_FIRST + HV_MSR_COUNT - 1), HV_FAULT(), VMR_RDMSR(6, HV_MSR_TSC_FREQUENCY),
                 HV_FAULT(), VMR_END());

    hv_run(conf, &program);
}

/* Those of a guest without clock frequencies and local APIC, by ranges; EOM and its like, which are read as zero, too.
 */
static bool can_be_read(uint32_t msr)
{
    static const struct {
        uint32_t first, count;
    } ranges[] = {{HV_MSR_GUEST_OS_ID, 4}, {HV_MSR_TIME_REF_COUNT, 1}, {HV_MSR_VP_ASSIST_PAGE, 1}, {HV_MSR_SCONTROL, 5},
                  {HV_MSR_SINT0, 16},      {HV_MSR_STIMER0_CONFIG, 8}, {HV_MSR_CRASH_P0, 6}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (msr >= ranges[i].first && msr - ranges[i].first < ranges[i].count)
            return true;
    }
    return false;
}

/* Every number of the range, and one on each side: what is no register is none, wherever it lies. */
static void every_hole_between_registers_faults(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};

    msr_sweep(conf, &options, NULL, HV_MSR_FIRST - 1, HV_MSR_COUNT + 2, can_be_read);
}

static void the_page_needs_an_identity(struct conf *conf)
{
    CONF_PROGRAM(program, HV_ACCEPTED_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u),
                 HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE), VMR_LOAD(5, HV_CODE_PAGE, 1), VMR_EXPECT(5, 0),
                 HV_OPEN(), HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u),
                 HV_EXPECT_MSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), HV_ACCEPTED_MSR(HV_MSR_GUEST_OS_ID, 0),
                 HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE), VMR_END());

    hv_run(conf, &program);
}

static void the_page_moves_and_calls_from_there(struct conf *conf)
{
    /* An unknown call is enough: status 2. */
    CONF_PROGRAM(program, HV_OPEN(), HV_EXPECT_CALL(0xffff, 0, 0, HV_STATUS_INVALID_HYPERCALL_CODE),
                 HV_ACCEPTED_MSR(HV_MSR_HYPERCALL, HV_PAGE_1 | 1u), VMR_HV_CALL(6, HV_PAGE_1, 0xffff), HV_NO_FAULT(),
                 VMR_EXPECT(6, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());

    hv_run(conf, &program);
}

static void a_locked_page_stays(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), HV_ACCEPTED_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 3u),
                 HV_REFUSED_MSR(HV_MSR_HYPERCALL, HV_PAGE_1 | 1u), HV_REFUSED_MSR(HV_MSR_HYPERCALL, 0),
                 HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 3u), VMR_END());

    hv_run(conf, &program);
}

static void a_bad_page_is_refused(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), HV_REFUSED_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 5u),
                 HV_REFUSED_MSR(HV_MSR_HYPERCALL, HV_NO_RAM | 1u), HV_REFUSED_MSR(HV_MSR_HYPERCALL, ~UINT64_C(0xffe)),
                 HV_EXPECT_MSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u),
                 HV_EXPECT_CALL(0xffff, 0, 0, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());

    hv_run(conf, &program);
}

static void frequencies_and_index_are_read_only(struct conf *conf)
{
    const struct vmr_hv_config config = {.tsc_hz = 2500000000, .apic_hz = 200000000};
    const struct conf_vm_options options = {.hv = &config};
    CONF_PROGRAM(program, VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(0, HV_ACCESS_FREQUENCY_MSRS, HV_ACCESS_FREQUENCY_MSRS),
                 VMR_EXPECT_MASK(3, HV_FEATURE_FREQUENCY_REGISTERS, HV_FEATURE_FREQUENCY_REGISTERS),
                 HV_EXPECT_MSR(HV_MSR_TSC_FREQUENCY, 2500000000), HV_EXPECT_MSR(HV_MSR_APIC_FREQUENCY, 200000000),
                 HV_REFUSED_MSR(HV_MSR_TSC_FREQUENCY, 1), HV_REFUSED_MSR(HV_MSR_APIC_FREQUENCY, 1),
                 HV_REFUSED_MSR(HV_MSR_VP_INDEX, 1), HV_EXPECT_MSR(HV_MSR_VP_INDEX, 0), VMR_END());

    (void)conf_run_program(conf, &options, &program);
}

static void each_vp_has_its_index(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 3, .hv = &hv_all};
    struct conf_vm *vm = conf_vm_create(conf, &options);

    CONF_REQUIRE(conf, vm, "no VM");
    for (vmr_vp_index vp = 0; vp < 3; vp++) {
        const struct vmr_step steps[] = {HV_EXPECT_MSR(HV_MSR_VP_INDEX, vp), VMR_END()};
        const struct vmr_program program = {.name = "index", .steps = steps, .count = 4};

        if (!conf_load(vm, vp, &program) || !conf_bind(vm, vp) || !conf_run_to_end(vm, vp))
            return;
        conf_unbind(vm, vp);
    }
}

/* --- the VP assist page --- */

static void the_assist_page_moves_with_its_content(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_STORE(HV_PAGE_1, 8, 0x1111), HV_ACCEPTED_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 1u),
                 VMR_LOAD(5, HV_PAGE_1, 8), VMR_EXPECT(5, 0), VMR_STORE(HV_PAGE_1 + 8, 8, 0x77),
                 HV_ACCEPTED_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_2 | 1u), VMR_LOAD(5, HV_PAGE_2 + 8, 8),
                 VMR_EXPECT(5, 0x77), HV_REFUSED_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_1 | 3u),
                 HV_REFUSED_MSR(HV_MSR_VP_ASSIST_PAGE, HV_NO_RAM | 1u),
                 HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_2 | 1u), VMR_END());

    hv_run(conf, &program);
}

/* --- crash and reset --- */

struct crashes {
    unsigned count;
    struct vmr_hv_crash last;
    char text[8];
};

static void note_crash(void *context, vmr_vp_index vp, const struct vmr_hv_crash *crash)
{
    struct crashes *crashes = context;

    (void)vp;
    crashes->count++;
    crashes->last = *crash;
    memcpy(crashes->text, crash->message, crash->length < sizeof(crashes->text) ? crash->length : 0);
}

static void a_crash_is_told_with_its_text(struct conf *conf)
{
    struct crashes crashes = {0};
    const struct vmr_hv_config config = {.crash = note_crash, .context = &crashes};
    const struct conf_vm_options options = {.hv = &config};
    CONF_PROGRAM(program, VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(3, HV_FEATURE_CRASH_REGISTERS, HV_FEATURE_CRASH_REGISTERS),
                 HV_EXPECT_MSR(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE),
                 VMR_STORE(HV_PAGE_1, 4, 0x73706f6f), VMR_WRMSR(HV_MSR_CRASH_P0, 0xdead),
                 VMR_WRMSR(HV_MSR_CRASH_P0 + 3, HV_PAGE_1), VMR_WRMSR(HV_MSR_CRASH_P0 + 4, 4),
                 VMR_WRMSR(HV_MSR_CRASH_CTL, HV_CRASH_MESSAGE),
                 VMR_WRMSR(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE),
                 HV_EXPECT_MSR(HV_MSR_CRASH_P0, 0xdead), VMR_END());

    if (!conf_run_program(conf, &options, &program))
        return;
    CONF_CHECK_EQ(conf, crashes.count, 1, "crashes told");
    CONF_CHECK_EQ(conf, crashes.last.parameters[0], 0xdead, "parameter 0");
    CONF_CHECK(conf, crashes.last.length == 4 && memcmp(crashes.text, "oops", 4) == 0, "the text is another");
}

static void a_crash_text_outside_ram_is_none(struct conf *conf)
{
    struct crashes crashes = {0};
    const struct vmr_hv_config config = {.crash = note_crash, .context = &crashes};
    const struct conf_vm_options options = {.hv = &config};
    CONF_PROGRAM(program, VMR_WRMSR(HV_MSR_CRASH_P0 + 3, HV_NO_RAM), VMR_WRMSR(HV_MSR_CRASH_P0 + 4, UINT64_MAX),
                 VMR_WRMSR(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE), VMR_END());

    if (!conf_run_program(conf, &options, &program))
        return;
    CONF_CHECK_EQ(conf, crashes.count, 1, "crashes told");
    CONF_CHECK_EQ(conf, crashes.last.length, 0, "bytes of text");
}

static void the_reset_register_resets(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    CONF_PROGRAM(program, HV_ACCEPTED_MSR(HV_MSR_RESET, 0), VMR_CHECKPOINT(1), VMR_WRMSR(HV_MSR_RESET, 1),
                 VMR_CHECKPOINT(2), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 1, "the last checkpoint before the reset");
    expect_end(vm);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 2, "the last checkpoint after it");
}

#define HV_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT))
#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "hv-identity", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(leaves_say_who_we_are), .clauses = "HV-1"},
    {SCENARIO(without_a_configuration_there_is_none), .clauses = "HV-1"},
    {SCENARIO(what_is_off_is_neither_shown_nor_there), .clauses = "HV-1 HV-2"},
    {SCENARIO(what_is_not_there_faults), .clauses = "HV-2"},
    {.name = "every_hole_between_registers_faults",
     .family = "hv-identity",
     .ids = "CVE-2014-7188 CVE-2016-3713",
     .clauses = "HV-2 MSR-1",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = every_hole_between_registers_faults},
    {SCENARIO(the_page_needs_an_identity), .clauses = "HV-3"},
    {SCENARIO(the_page_moves_and_calls_from_there), .clauses = "HV-3"},
    {SCENARIO(a_locked_page_stays), .clauses = "HV-3"},
    {SCENARIO(a_bad_page_is_refused), .clauses = "HV-2 HV-3"},
    {SCENARIO(frequencies_and_index_are_read_only), .clauses = "HV-4"},
    {.name = "each_vp_has_its_index",
     .family = "hv-identity",
     .clauses = "HV-4",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = each_vp_has_its_index},
    {SCENARIO(the_assist_page_moves_with_its_content), .clauses = "HV-2 HV-7"},
    {SCENARIO(a_crash_is_told_with_its_text), .clauses = "HV-5"},
    {SCENARIO(a_crash_text_outside_ram_is_none), .clauses = "HV-5"},
    {SCENARIO(the_reset_register_resets), .clauses = "HV-6"},
};

CONF_FAMILY(hv_identity, scenarios);
