/* SPDX-License-Identifier: MIT */
/* What CPUID says follows from the configuration and from what the backend can do. [HV-1] */

#include "tests/hv/guest_rig.h"
#include "tests/hv/offload_rig.h"

static struct vmr_hv_leaf leaf_of(const struct guest_rig *rig, uint32_t leaf)
{
    struct vmr_hv_leaf found = {0};

    assert_true(vmr_hv_leaf_at(&rig->options, leaf - HV_CPUID_VENDOR, &found));
    return found;
}

static void the_leaves_end_where_the_first_says(void **state)
{
    (void)state;
    struct guest_rig rig;
    struct vmr_hv_leaf leaf;

    guest_rig_init(&rig);
    uint32_t last = leaf_of(&rig, HV_CPUID_VENDOR).eax;

    assert_true(vmr_hv_leaf_at(&rig.options, last - HV_CPUID_VENDOR, &leaf));
    assert_false(vmr_hv_leaf_at(&rig.options, last - HV_CPUID_VENDOR + 1, &leaf));
    assert_false(vmr_hv_leaf_at(&rig.options, UINT32_MAX, &leaf));
    assert_int_equal(leaf_of(&rig, HV_CPUID_LIMITS).eax, GUEST_VPS);
    guest_rig_finish(&rig);
}

struct row {
    uint64_t off, gone;
};

static void what_stands_on_something_falls_with_it(void **state)
{
    static const struct row rows[] = {
        {HV_ACCESS_SYNIC, HV_ACCESS_SYNIC | HV_ACCESS_SYNTHETIC_TIMERS},
        {HV_ACCESS_REFERENCE_COUNTER, HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_REFERENCE_TSC},
        {HV_ACCESS_HYPERCALL_MSRS, HV_ACCESS_HYPERCALL_MSRS | HV_POST_MESSAGES | HV_SIGNAL_EVENTS |
                                       HV_ACCESS_VP_REGISTERS | HV_ENABLE_EXTENDED_HYPERCALLS |
                                       HV_START_VIRTUAL_PROCESSOR},
        {HV_ACCESS_VP_INDEX, HV_ACCESS_VP_INDEX},
        {UINT64_MAX, VMR_HV_PRIVILEGES},
    };
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    uint64_t all = vmr_hv_privileges(&rig.options.config, &rig.options.target);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig.options.config.privileges_off = rows[i].off;
        assert_int_equal(vmr_hv_privileges(&rig.options.config, &rig.options.target), all & ~rows[i].gone);
        assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).eax, (uint32_t)(all & ~rows[i].gone));
    }
    guest_rig_finish(&rig);
}

static void what_the_backend_cannot_do_is_not_shown(void **state)
{
    const uint32_t xmm = HV_FEATURE_XMM_INPUT | HV_FEATURE_XMM_OUTPUT;
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).edx & xmm, xmm);
    assert_int_equal(leaf_of(&rig, HV_CPUID_RECOMMENDATIONS).eax & HV_RECOMMEND_DEPRECATE_AUTO_EOI, 0);
    assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).eax & HV_ACCESS_FREQUENCY_MSRS, 0);
    rig.options.target.get_xmm = NULL;
    rig.options.target.has_auto_eoi = false;
    rig.options.config.apic_hz = 1;
    assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).edx & xmm, 0);
    assert_int_equal(leaf_of(&rig, HV_CPUID_RECOMMENDATIONS).eax,
                     HV_RECOMMEND_DEPRECATE_AUTO_EOI | HV_RECOMMEND_CLUSTER_IPI | HV_RECOMMEND_EX_PROCESSOR_MASKS);
    assert_int_equal(vmr_hv_privileges(&rig.options.config, &rig.options.target) &
                         (HV_ACCESS_APIC_MSRS | HV_START_VIRTUAL_PROCESSOR),
                     0);
    assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).eax & HV_ACCESS_FREQUENCY_MSRS, HV_ACCESS_FREQUENCY_MSRS);
    guest_rig_finish(&rig);
}

/* Offloaded: what both have, and of the hypervisor's calls and features those that the library knows the meaning of. */
static void offloaded_leaves_show_what_both_have(void **state)
{
    struct guest_rig rig;
    struct vmr_hv_target *target = &rig.options.target;

    (void)state;
    guest_rig_init(&rig);
    rig.options.config.tsc_hz = 1000000000;
    target->has_auto_eoi = false;
    target->offload = &told_ops;
    target->own = (struct vmr_hv_own){
        .privileges = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_VP_RUNTIME |
                      HV_ACCESS_REENLIGHTENMENT | HV_SIGNAL_EVENTS,
        .features = HV_FEATURE_XMM_INPUT | 1u,
        .recommendations = HV_RECOMMEND_REMOTE_FLUSH | HV_RECOMMEND_CLUSTER_IPI | 1u << 5,
    };
    assert_int_equal(vmr_hv_privileges(&rig.options.config, target),
                     HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_VP_INDEX |
                         HV_ACCESS_RESET | HV_ACCESS_FREQUENCY_MSRS | HV_SIGNAL_EVENTS);
    assert_int_equal(leaf_of(&rig, HV_CPUID_FEATURES).edx,
                     HV_FEATURE_CRASH_REGISTERS | HV_FEATURE_FREQUENCY_REGISTERS | HV_FEATURE_XMM_INPUT);
    assert_int_equal(leaf_of(&rig, HV_CPUID_RECOMMENDATIONS).eax,
                     HV_RECOMMEND_DEPRECATE_AUTO_EOI | HV_RECOMMEND_REMOTE_FLUSH | HV_RECOMMEND_CLUSTER_IPI);
    target->own.privileges |= HV_ACCESS_REFERENCE_TSC | HV_ACCESS_SYNTHETIC_TIMERS;
    target->own.features |= HV_FEATURE_DIRECT_TIMERS;
    assert_true(vmr_hv_privileges(&rig.options.config, target) & HV_ACCESS_REFERENCE_TSC);
    assert_true(leaf_of(&rig, HV_CPUID_FEATURES).edx & HV_FEATURE_DIRECT_TIMERS);
    rig.options.config.privileges_off = HV_ACCESS_HYPERCALL_MSRS;
    assert_int_equal(leaf_of(&rig, HV_CPUID_RECOMMENDATIONS).eax, HV_RECOMMEND_DEPRECATE_AUTO_EOI);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leaves_end_where_the_first_says),
        cmocka_unit_test(what_stands_on_something_falls_with_it),
        cmocka_unit_test(what_the_backend_cannot_do_is_not_shown),
        cmocka_unit_test(offloaded_leaves_show_what_both_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
