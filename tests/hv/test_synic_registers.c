/* SPDX-License-Identifier: MIT */
/* The SynIC's registers: what they are at first, what they take, what is #GP. */

#include "tests/hv/synic_rig.h"

static const struct {
    const char *name;
    uint32_t index;
    uint64_t value;
} at_reset[] = {
    {"SCONTROL", HV_MSR_SCONTROL, 1},
    {"SVERSION", HV_MSR_SVERSION, 1},
    {"SIEFP", HV_MSR_SIEFP, 0},
    {"SIMP", HV_MSR_SIMP, 0},
    {"EOM", HV_MSR_EOM, 0},
    {"SINT0", HV_MSR_SINT0, 0x10000},
    {"SINT15", HV_MSR_SINT0 + 15, 0x10000},
    {"STIMER0 config", HV_MSR_STIMER0_CONFIG, 0},
    {"STIMER3 count", HV_MSR_STIMER0_COUNT + 6, 0},
    {"REFERENCE_TSC", HV_MSR_REFERENCE_TSC, 0},
    {"TIME_REF_COUNT", HV_MSR_TIME_REF_COUNT, 0},
};

static void registers_begin_as_specified(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    for (size_t i = 0; i < COUNT_OF(at_reset); i++) {
        print_message("%s\n", at_reset[i].name);
        assert_int_equal(rig_read(&rig, at_reset[i].index), at_reset[i].value);
    }
    rig_finish(&rig);
}

#define OK VMR_MSR_OK
#define FAULT VMR_MSR_FAULT

static const struct {
    const char *name;
    uint32_t index;
    uint64_t value;
    enum vmr_msr_result result;
    uint64_t reads; /* afterwards, if it was taken */
} writes[] = {
    {"SCONTROL off", HV_MSR_SCONTROL, 0, OK, 0},
    {"SCONTROL bit 1", HV_MSR_SCONTROL, 2, FAULT, 0},
    {"SCONTROL bit 63", HV_MSR_SCONTROL, UINT64_C(1) << 63 | 1, FAULT, 0},
    {"SVERSION", HV_MSR_SVERSION, 1, FAULT, 0},
    {"EOM", HV_MSR_EOM, 0, OK, 0},
    {"EOM, any value", HV_MSR_EOM, UINT64_MAX, OK, 0},
    {"the counter", HV_MSR_TIME_REF_COUNT, 0, FAULT, 0},
    {"SINT vector 16", HV_MSR_SINT0, 16, OK, 16},
    {"SINT vector 255", HV_MSR_SINT0 + 15, 255, OK, 255},
    {"SINT vector 15", HV_MSR_SINT0, 15, FAULT, 0},
    {"SINT vector 0", HV_MSR_SINT0, 0, FAULT, 0},
    {"SINT vector 0, masked", HV_MSR_SINT0, HV_SINT_MASKED, OK, HV_SINT_MASKED},
    {"SINT vector 15, polling", HV_MSR_SINT0, HV_SINT_POLLING | 15, OK, HV_SINT_POLLING | 15},
    {"SINT vector 15, proxy", HV_MSR_SINT0, HV_SINT_PROXY | 15, FAULT, 0},
    {"SINT with all that is defined", HV_MSR_SINT0, 0x1700ff, OK, 0x1700ff},
    {"SINT bit 8", HV_MSR_SINT0, 0x130, FAULT, 0},
    {"SINT bit 15", HV_MSR_SINT0, 0x8030, FAULT, 0},
    {"SINT bit 19", HV_MSR_SINT0, 0x80030, FAULT, 0},
    {"SINT bit 21", HV_MSR_SINT0, 0x200030, FAULT, 0},
    {"SINT bit 63", HV_MSR_SINT0, UINT64_C(1) << 63 | 0x30, FAULT, 0},
    {"SIMP on", HV_MSR_SIMP, 3 * PAGE | 1, OK, 3 * PAGE | 1},
    {"SIMP off, with any page", HV_MSR_SIMP, RIG_HOLE, OK, RIG_HOLE},
    {"SIMP bit 1", HV_MSR_SIMP, 3 * PAGE | 3, FAULT, 0},
    {"SIMP bit 11, off", HV_MSR_SIMP, 3 * PAGE | 0x800, FAULT, 0},
    {"SIMP outside RAM", HV_MSR_SIMP, RIG_HOLE | 1, FAULT, 0},
    {"SIMP read-only", HV_MSR_SIMP, RIG_READ_ONLY | 1, FAULT, 0},
    {"SIMP at the end of everything", HV_MSR_SIMP, ~UINT64_C(0xffe), FAULT, 0},
    {"SIEFP on", HV_MSR_SIEFP, 15 * PAGE | 1, OK, 15 * PAGE | 1},
    {"SIEFP just behind RAM", HV_MSR_SIEFP, 18 * PAGE | 1, FAULT, 0},
    {"SIEFP bit 4", HV_MSR_SIEFP, 0x10, FAULT, 0},
    {"STIMER config", HV_MSR_STIMER0_CONFIG + 2, 0x30001, OK, 0x30001},
    {"STIMER reserved bit", HV_MSR_STIMER0_CONFIG + 2, UINT64_C(1) << 20, FAULT, 0},
    {"STIMER count", HV_MSR_STIMER0_COUNT + 4, UINT64_MAX, OK, UINT64_MAX},
    {"before SCONTROL", HV_MSR_SCONTROL - 1, 0, VMR_MSR_NOT_MINE, 0},
    {"behind EOM", HV_MSR_EOM + 1, 0, VMR_MSR_NOT_MINE, 0},
    {"before the SINTs", HV_MSR_SINT0 - 1, 0, VMR_MSR_NOT_MINE, 0},
    {"behind the SINTs", HV_MSR_SINT0 + 16, 0, VMR_MSR_NOT_MINE, 0},
    {"before the timers", HV_MSR_STIMER0_CONFIG - 1, 0, VMR_MSR_NOT_MINE, 0},
    {"behind the timers", HV_MSR_STIMER0_CONFIG + 8, 0, VMR_MSR_NOT_MINE, 0},
    {"the first register of all", 0, 0, VMR_MSR_NOT_MINE, 0},
    {"the last register of all", UINT32_MAX, 0, VMR_MSR_NOT_MINE, 0},
};

static void a_write_is_taken_whole_or_is_a_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        struct rig rig;
        uint64_t before = 7, after = 7;

        print_message("%s\n", writes[i].name);
        rig_init(&rig);
        enum vmr_msr_result readable = vmr_synic_msr_read(rig.synic, 0, 0, writes[i].index, &before);

        assert_int_equal(readable, writes[i].result == VMR_MSR_NOT_MINE ? VMR_MSR_NOT_MINE : VMR_MSR_OK);
        assert_int_equal(vmr_synic_msr_write(rig.synic, 0, 0, writes[i].index, writes[i].value), writes[i].result);
        (void)vmr_synic_msr_read(rig.synic, 0, 0, writes[i].index, &after);
        assert_int_equal(after, writes[i].result == OK ? writes[i].reads : before);
        rig_finish(&rig);
    }
}

static void each_vp_and_vtl_has_its_own(void **state)
{
    (void)state;
    struct rig rig;
    uint64_t value = 0;

    rig_init(&rig);
    for (vmr_vp_index vp = 0; vp < RIG_VPS; vp++) {
        for (uint8_t vtl = 0; vtl < RIG_VTLS; vtl++)
            assert_int_equal(vmr_synic_msr_write(rig.synic, vp, vtl, HV_MSR_SINT0 + 3, 0x40 + vp * 2 + vtl), OK);
    }
    for (vmr_vp_index vp = 0; vp < RIG_VPS; vp++) {
        for (uint8_t vtl = 0; vtl < RIG_VTLS; vtl++) {
            assert_int_equal(vmr_synic_msr_read(rig.synic, vp, vtl, HV_MSR_SINT0 + 3, &value), OK);
            assert_int_equal(value, 0x40 + vp * 2 + vtl);
        }
    }
    assert_int_equal(vmr_synic_msr_read(rig.synic, RIG_VPS, 0, HV_MSR_SINT0, &value), FAULT);
    assert_int_equal(vmr_synic_msr_write(rig.synic, 0, RIG_VTLS, HV_MSR_SINT0, 0x40), FAULT);
    rig_finish(&rig);
}

static void an_auto_enabled_timer_shows_it(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig_write(&rig, HV_MSR_STIMER0_CONFIG, HV_STIMER_AUTO_ENABLE | UINT64_C(2) << HV_STIMER_SINT_SHIFT);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 0);
    assert_int_equal(rig_read(&rig, HV_MSR_STIMER0_CONFIG) & HV_STIMER_ENABLE, 0);
    rig_write(&rig, HV_MSR_STIMER0_COUNT, 5);
    assert_int_equal(rig_read(&rig, HV_MSR_STIMER0_CONFIG) & HV_STIMER_ENABLE, HV_STIMER_ENABLE);
    rig_finish(&rig);
}

static void the_counter_is_the_reference_time(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig);
    rig.fake.now_ns += 12345;
    assert_int_equal(rig_read(&rig, HV_MSR_TIME_REF_COUNT), 123);
    assert_int_equal(vmr_synic_time(rig.synic), 123);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_begin_as_specified),      cmocka_unit_test(a_write_is_taken_whole_or_is_a_fault),
        cmocka_unit_test(each_vp_and_vtl_has_its_own),       cmocka_unit_test(an_auto_enabled_timer_shows_it),
        cmocka_unit_test(the_counter_is_the_reference_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
