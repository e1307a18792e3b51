/* SPDX-License-Identifier: MIT */
/* Registers by hypercall: every name, its form, and what is refused. [HC-9] [HC-10] */

#include "lib/hv/calls.h"

#include "lib/hv/x86_state.h"
#include "tests/hv/calls_rig.h"

static enum hv_status get(struct calls_rig *rig, uint32_t name)
{
    store_le32(rig->input + 8, 0);
    store_le32(rig->input + 16, name);
    rig->call.reps = rig->input + 16;
    rig->call.rep_count = 1;
    memset(rig->output, 0, HV_REGISTER_VALUE_BYTES);
    return calls_rig_run(rig, calls_get_registers);
}

static enum hv_status set(struct calls_rig *rig, uint32_t name, uint64_t low, uint64_t high)
{
    store_le32(rig->input + 16, name);
    store_le64(rig->input + 32, low);
    store_le64(rig->input + 40, high);
    rig->call.reps = rig->input + 16;
    rig->call.rep_count = 1;
    return calls_rig_run(rig, calls_set_registers);
}

/* Each place is found by what a test puts there. */
static void every_register_of_the_processor_is_found(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    for (uint32_t i = 0; i < VMR_X86_GPR_COUNT; i++) {
        assert_int_equal(set(&rig, HV_REGISTER_RAX + i, 0x100 + i, 0), HV_STATUS_SUCCESS);
        assert_int_equal(rig.regs.gpr[i], 0x100 + i);
        assert_int_equal(get(&rig, HV_REGISTER_RAX + i), HV_STATUS_SUCCESS);
        assert_int_equal(load_le64(rig.output), 0x100 + i);
    }
    const struct {
        uint32_t name;
        const uint64_t *place;
        uint64_t value;
    } words[] = {
        {HV_REGISTER_RIP, &rig.regs.rip, 0x4000},     {HV_REGISTER_RFLAGS, &rig.regs.rflags, 0x202},
        {HV_REGISTER_CR0, &rig.regs.cr0, 0x80010011}, {HV_REGISTER_CR2, &rig.regs.cr2, 0x1234},
        {HV_REGISTER_CR3, &rig.regs.cr3, 0x5000},     {HV_REGISTER_CR4, &rig.regs.cr4, 0x6a0},
        {HV_REGISTER_CR8, &rig.regs.cr8, 7},          {HV_REGISTER_EFER, &rig.regs.efer, 0xd01},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(set(&rig, words[i].name, words[i].value, 0), HV_STATUS_SUCCESS);
        assert_int_equal(*words[i].place, words[i].value);
        assert_int_equal(get(&rig, words[i].name), HV_STATUS_SUCCESS);
        assert_int_equal(load_le64(rig.output), words[i].value);
    }
    calls_rig_finish(&rig);
}

static void segments_and_tables_are_found(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    const struct {
        uint32_t name;
        const struct vmr_x86_segment *place;
    } segments[] = {
        {HV_REGISTER_ES, &rig.regs.es}, {HV_REGISTER_SS, &rig.regs.ss}, {HV_REGISTER_DS, &rig.regs.ds},
        {HV_REGISTER_FS, &rig.regs.fs}, {HV_REGISTER_GS, &rig.regs.gs},
    };

    for (uint16_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
        uint64_t high = UINT64_C(0xc093) << 48 | (uint64_t)(0x20u + 8u * i) << 32 | UINT32_MAX;

        assert_int_equal(set(&rig, segments[i].name, 0x1000, high), HV_STATUS_SUCCESS);
        assert_int_equal(segments[i].place->selector, 0x20 + 8 * i);
        assert_int_equal(segments[i].place->base, 0x1000);
        assert_int_equal(get(&rig, segments[i].name), HV_STATUS_SUCCESS);
        assert_int_equal(load_le64(rig.output + 8), high);
    }
    assert_int_equal(set(&rig, HV_REGISTER_LDTR, 0, 0), HV_STATUS_SUCCESS);
    assert_int_equal(rig.regs.ldtr.attributes, 0);
    assert_int_equal(set(&rig, HV_REGISTER_TR, 0x2000, UINT64_C(0x008b) << 48 | 0x67), HV_STATUS_SUCCESS);
    assert_int_equal(rig.regs.tr.base, 0x2000);
    assert_int_equal(set(&rig, HV_REGISTER_CS, 0, UINT64_C(0xa09b) << 48 | UINT64_C(0x33) << 32 | UINT32_MAX),
                     HV_STATUS_SUCCESS);
    assert_int_equal(rig.regs.cs.selector, 0x33);
    assert_int_equal(set(&rig, HV_REGISTER_IDTR, UINT64_C(0xfff) << 48, 0x7000), HV_STATUS_SUCCESS);
    assert_int_equal(rig.regs.idtr.limit, 0xfff);
    assert_int_equal(get(&rig, HV_REGISTER_IDTR), HV_STATUS_SUCCESS);
    assert_int_equal(load_le64(rig.output), UINT64_C(0xfff) << 48);
    assert_int_equal(set(&rig, HV_REGISTER_GDTR, UINT64_C(0x7f) << 48, 0x8000), HV_STATUS_SUCCESS);
    assert_int_equal(rig.regs.gdtr.base, 0x8000);
    calls_rig_finish(&rig);
}

static void msrs_are_found_under_their_names(void **state)
{
    (void)state;
    static const struct {
        uint32_t name, msr;
        uint64_t value;
    } rows[] = {
        {HV_REGISTER_GUEST_OS_ID, HV_MSR_GUEST_OS_ID, OS_ID},
        {HV_REGISTER_HYPERCALL, HV_MSR_HYPERCALL, 3 * PAGE | 1},
        {HV_REGISTER_VP_ASSIST_PAGE, HV_MSR_VP_ASSIST_PAGE, 4 * PAGE | 1},
        {HV_REGISTER_SINT0 + 15, HV_MSR_SINT0 + 15, 0x40},
        {HV_REGISTER_SCONTROL, HV_MSR_SCONTROL, 1},
        {HV_REGISTER_SIEFP, HV_MSR_SIEFP, 5 * PAGE | 1},
        {HV_REGISTER_SIMP, HV_MSR_SIMP, 6 * PAGE | 1},
        {HV_REGISTER_STIMER0_CONFIG + 1, HV_MSR_STIMER0_CONFIG + 1, 0x77},
        {HV_REGISTER_CRASH_P0 + 4, HV_MSR_CRASH_P0 + 4, 9},
    };
    struct calls_rig rig;

    calls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(set(&rig, rows[i].name, rows[i].value, 0), HV_STATUS_SUCCESS);
        assert_int_equal(guest_rig_read(&rig.guest, rows[i].msr), rows[i].value);
        assert_int_equal(get(&rig, rows[i].name), HV_STATUS_SUCCESS);
        assert_int_equal(load_le64(rig.output), rows[i].value);
    }
    assert_int_equal(get(&rig, HV_REGISTER_SVERSION), HV_STATUS_SUCCESS);
    assert_int_equal(load_le64(rig.output), HV_SVERSION);
    /* What this partition has not: frequencies nobody knows, local APICs that cannot be reached. */
    assert_int_equal(get(&rig, HV_REGISTER_PROCESSOR_CLOCK_FREQUENCY), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(get(&rig, HV_REGISTER_TPR), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(set(&rig, HV_REGISTER_TPR, 0, 0), HV_STATUS_ACCESS_DENIED);
    calls_rig_finish(&rig);
}

static void a_lower_vtl_has_its_own_processor_state_elsewhere(void **state)
{
    (void)state;
    struct calls_rig rig;

    calls_rig_init(&rig);
    rig.caller.vtl = 1;
    rig.input[12] = HV_INPUT_VTL_USE_TARGET;
    assert_int_equal(get(&rig, HV_REGISTER_RIP), HV_STATUS_INVALID_VTL_STATE);
    assert_int_equal(set(&rig, HV_REGISTER_RIP, 0, 0), HV_STATUS_INVALID_VTL_STATE);
    assert_int_equal(get(&rig, HV_REGISTER_VP_INDEX), HV_STATUS_SUCCESS);
    calls_rig_finish(&rig);
}

static void names_of_nothing_are_unknown(void **state)
{
    (void)state;
    /* Right behind, and right before, what there is. */
    static const uint32_t names[] = {0,       0xff,    0x101,   0x1ff,   0x204,   0x20f,     0x216,   0x23f,
                                     0x242,   0x1ffff, 0x20012, 0x3ffff, 0x40005, 0x5ffff,   0x60008, 0x70002,
                                     0x80000, 0x80002, 0x80004, 0x90000, 0x90005, 0x9000f,   0x90014, 0x90016,
                                     0x90018, 0x9ffff, 0xa0015, 0xb0008, 0xd0002, UINT32_MAX};
    struct calls_rig rig;

    calls_rig_init(&rig);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(get(&rig, names[i]), HV_STATUS_UNKNOWN_REGISTER_NAME);
        assert_int_equal(set(&rig, names[i], 0, 0), HV_STATUS_UNKNOWN_REGISTER_NAME);
    }
    calls_rig_finish(&rig);
}

static void a_refused_value_changes_nothing(void **state)
{
    (void)state;
    struct calls_rig rig;
    struct vmr_x86_regs before;

    calls_rig_init(&rig);
    before = rig.regs;
    assert_int_equal(set(&rig, HV_REGISTER_CR3, UINT64_C(1) << 40, 0), HV_STATUS_INVALID_REGISTER_VALUE);
    assert_int_equal(set(&rig, HV_REGISTER_CR4, 0x20 | 1u << 16, 0), HV_STATUS_INVALID_REGISTER_VALUE);
    assert_int_equal(set(&rig, HV_REGISTER_CS, 0, 0), HV_STATUS_INVALID_REGISTER_VALUE);
    assert_int_equal(set(&rig, HV_REGISTER_APIC_BASE, 0, 0), HV_STATUS_ACCESS_DENIED);
    assert_int_equal(set(&rig, HV_REGISTER_HARDWARE_FEATURES, 0, 0), HV_STATUS_INVALID_REGISTER_VALUE);
    assert_memory_equal(&rig.regs, &before, sizeof(before));
    calls_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_register_of_the_processor_is_found),
        cmocka_unit_test(segments_and_tables_are_found),
        cmocka_unit_test(msrs_are_found_under_their_names),
        cmocka_unit_test(a_lower_vtl_has_its_own_processor_state_elsewhere),
        cmocka_unit_test(names_of_nothing_are_unknown),
        cmocka_unit_test(a_refused_value_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
