/* SPDX-License-Identifier: MIT */
/*
 * Which classes a VP has, by capabilities and CPUID, and whose they are.
 * [STATE-3] [STATE-4]
 */

#include "lib/partition/partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

#define BIT(vp_class) (UINT64_C(1) << (vp_class))
/* On every processor that has its class in the hypervisor at all, beside the library's two. */
#define ALWAYS                                                                                                         \
    (BIT(VMR_VP_REGISTERS) | BIT(VMR_VP_SYSCALL) | BIT(VMR_VP_MISC_ENABLE) | BIT(VMR_VP_FEATURE_CONTROL) |             \
     BIT(VMR_VP_DEBUG_REGISTERS) | BIT(VMR_VP_TSC))
#define LIBRARY (BIT(VMR_VP_ACTIVITY) | BIT(VMR_VP_DEBUG_STATE))

struct bound_rig {
    struct fake fake;
    struct fake_rig rig;
    struct vmr_vp *vp;
};

static void begin(struct bound_rig *bound)
{
    fake_rig_init(&bound->rig, &bound->fake, NULL, 2);
    assert_int_equal(vmr_partition_bind(bound->rig.partition, 0, &bound->vp, NULL), VMR_OK);
}

static void init(struct bound_rig *bound)
{
    *bound = (struct bound_rig){.vp = NULL};
    fake_init(&bound->fake);
    bound->fake.caps.vp_classes = FAKE_STATE_CLASSES;
    bound->fake.caps.vm_classes = BIT(VMR_VM_CLOCK);
}

static void finish(struct bound_rig *bound)
{
    vmr_vp_unbind(bound->vp);
    fake_rig_finish(&bound->rig);
}

static uint64_t classes_of(const struct vmr_vp *vp)
{
    struct vmr_state_id id = {0};
    uint64_t classes = 0;

    for (; vmr_vp_state_find(vp, &id); id.instance++) {
        assert_int_equal(id.vtl, 0);
        assert_int_equal(id.instance, 0);
        assert_true(classes < BIT(id.state_class)); /* in order, and once */
        classes |= BIT(id.state_class);
    }
    return classes;
}

struct feature_row {
    struct vmr_cpuid_entry entry;
    uint64_t brings;
};

static const struct feature_row feature_rows[] = {
    {{.leaf = 1, .eax = 0x306a9}, 0},
    {{.leaf = 1, .ecx = 1u << 26}, BIT(VMR_VP_XCR0)},
    {{.leaf = 1, .ecx = 1u << 24}, 0}, /* TSC deadline: not this hypervisor's */
    {{.leaf = 1, .edx = 1u << 12 | 1u << 16}, BIT(VMR_VP_MTRRS) | BIT(VMR_VP_PAT)},
    {{.leaf = 1, .edx = 1u << 14}, BIT(VMR_VP_MCG)},
    {{.leaf = 7, .edx = 1u << 26}, BIT(VMR_VP_SPEC_CTRL)},
    {{.leaf = 7, .edx = 1u << 31}, BIT(VMR_VP_SPEC_CTRL)},
    {{.leaf = 7, .ecx = 1u << 7}, BIT(VMR_VP_CET) | BIT(VMR_VP_CET_SS)},
    {{.leaf = 7, .edx = 1u << 20}, BIT(VMR_VP_CET)},
    {{.leaf = 7, .ebx = 1u << 1}, BIT(VMR_VP_TSC_ADJUST)},
    {{.leaf = 7, .ecx = 1u << 22}, BIT(VMR_VP_TSC_AUX)},
    {{.leaf = 7, .subleaf = 1, .match_subleaf = true, .ecx = 1u << 22}, 0},
    {{.leaf = 0xd, .subleaf = 1, .match_subleaf = true, .eax = 1u << 3}, BIT(VMR_VP_XSS)},
    {{.leaf = 0xd, .match_subleaf = true, .eax = 1u << 3}, 0},
    {{.leaf = 0x80000001, .edx = 1u << 27}, BIT(VMR_VP_TSC_AUX)},
    {{.leaf = 0x80000008, .ebx = 1u << 14}, BIT(VMR_VP_SPEC_CTRL)},
};

static void classes_follow_from_what_the_guest_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(feature_rows) / sizeof(feature_rows[0]); i++) {
        struct bound_rig bound;

        init(&bound);
        bound.fake.cpuid[0] = feature_rows[i].entry;
        bound.fake.cpuid_count = 1;
        begin(&bound);
        assert_int_equal(classes_of(bound.vp), ALWAYS | LIBRARY | feature_rows[i].brings);
        finish(&bound);
    }
}

static void without_a_hypervisors_classes_the_librarys_remain(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_x86_regs regs;

    init(&bound);
    bound.fake.caps.vp_classes = bound.fake.caps.vm_classes = 0;
    bound.fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_SINGLE_STEP | UINT64_C(1) << VMR_CAP_HW_BREAKPOINT);
    begin(&bound);
    assert_int_equal(classes_of(bound.vp), BIT(VMR_VP_ACTIVITY));
    assert_int_equal(vmr_vp_state_get(bound.vp, &(struct vmr_state_id){0}, &regs, NULL), VMR_E_UNSUPPORTED);
    assert_false(vmr_partition_state_find(bound.rig.partition, &(struct vmr_state_id){0}));
    finish(&bound);
}

static void a_search_begins_where_it_is_told(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_state_id id = {.state_class = VMR_VP_XCR0}, far = {UINT32_MAX, UINT32_MAX, UINT32_MAX},
                        clock = {.state_class = VMR_VM_CLOCK, .instance = 1};

    init(&bound);
    begin(&bound);
    assert_true(vmr_vp_state_find(bound.vp, &id)); /* the first that is there */
    assert_int_equal(id.state_class, VMR_VP_SYSCALL);
    assert_true(vmr_vp_state_find(bound.vp, &id)); /* itself */
    assert_int_equal(id.state_class, VMR_VP_SYSCALL);
    id.instance = 1;
    assert_true(vmr_vp_state_find(bound.vp, &id));
    assert_int_equal(id.state_class, VMR_VP_MISC_ENABLE);
    assert_false(vmr_vp_state_find(bound.vp, &far));
    assert_int_equal(far.state_class, UINT32_MAX);
    assert_false(vmr_partition_state_find(bound.rig.partition, &far));
    assert_false(vmr_partition_state_find(bound.rig.partition, &clock));
    clock.instance = 0;
    assert_true(vmr_partition_state_find(bound.rig.partition, &clock));
    finish(&bound);
}

/* --- the activity: who says what --- */

static const struct vmr_state_id activity_id = {.state_class = VMR_VP_ACTIVITY};

static void the_activity_is_the_librarys_where_local_apics_are(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_x86_activity_state activity = {.activity = VMR_ACTIVITY_HALTED, .nmi_pending = true};
    const struct vmr_x86_activity_state *theirs =
        (const void *)bound.fake.states[0][VMR_VP_ACTIVITY]; /* what the hypervisor was told */

    init(&bound);
    begin(&bound);
    bound.fake.regs[0].rflags = 0x202;
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, NULL), VMR_OK);
    assert_int_equal(bound.vp->activity, VMR_ACTIVITY_HALTED);
    assert_int_equal(theirs->activity, VMR_ACTIVITY_RUNNING);
    assert_true(theirs->nmi_pending);
    assert_true(bound.vp->interrupt_ready);
    memset(&activity, 0, sizeof(activity));
    assert_int_equal(vmr_vp_state_get(bound.vp, &activity_id, &activity, NULL), VMR_OK);
    assert_int_equal(activity.activity, VMR_ACTIVITY_HALTED);
    assert_true(activity.nmi_pending);
    activity.injected = (struct vmr_x86_event){.kind = VMR_X86_EVENT_INTERRUPT, .vector = 0x40};
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, NULL), VMR_OK);
    assert_false(bound.vp->interrupt_ready); /* one is on its way */
    finish(&bound);
}

static void the_activity_is_the_hypervisors_where_they_are_there(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_x86_activity_state activity = {.activity = VMR_ACTIVITY_HALTED};

    init(&bound);
    bound.fake.irqchip = VMR_IRQCHIP_KERNEL;
    begin(&bound);
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, NULL), VMR_OK);
    assert_int_equal(bound.vp->activity, VMR_ACTIVITY_RUNNING);
    activity.activity = 0;
    assert_int_equal(vmr_vp_state_get(bound.vp, &activity_id, &activity, NULL), VMR_OK);
    assert_int_equal(activity.activity, VMR_ACTIVITY_HALTED);
    finish(&bound);
}

static void a_hypervisor_without_the_class_takes_no_events(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_x86_activity_state activity = {.activity = VMR_ACTIVITY_HALTED};
    struct vmr_error err = {0};

    init(&bound);
    bound.fake.caps.vp_classes = 0;
    bound.fake.irqchip = VMR_IRQCHIP_KERNEL;
    begin(&bound);
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, &err), VMR_OK);
    assert_int_equal(bound.fake.values[FAKE_SET_ACTIVITY], VMR_ACTIVITY_HALTED);
    assert_int_equal(vmr_vp_state_get(bound.vp, &activity_id, &activity, &err), VMR_OK);
    activity.nmi_pending = true;
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "activity"));
    activity = (struct vmr_x86_activity_state){.activity = VMR_ACTIVITY_COUNT};
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, &err), VMR_E_CONFIG);
    finish(&bound);
}

/* --- failing --- */

static void a_call_that_fails_changes_nothing(void **state)
{
    (void)state;
    struct bound_rig bound;
    struct vmr_x86_activity_state activity = {.activity = VMR_ACTIVITY_HALTED};
    struct vmr_vm_clock_state clock = {.ns = 7};
    const struct vmr_state_id registers = {.state_class = VMR_VP_REGISTERS}, clock_id = {0};
    struct vmr_x86_regs regs;
    struct vmr_error err = {0};

    init(&bound);
    begin(&bound);
    memset(&regs, 0x5a, sizeof(regs));
    bound.fake.fail_always = FAKE_GET_STATE;
    assert_int_equal(vmr_vp_state_get(bound.vp, &registers, &regs, &err), VMR_E_HOST);
    assert_int_equal(regs.rip, UINT64_C(0x5a5a5a5a5a5a5a5a));
    assert_int_equal(vmr_vp_state_get(bound.vp, &activity_id, &activity, &err), VMR_E_HOST);
    assert_int_equal(activity.activity, VMR_ACTIVITY_HALTED);
    bound.vp->interrupt_ready = true;
    bound.fake.fail_always = FAKE_SET_STATE;
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, &err), VMR_E_HOST);
    assert_int_equal(bound.vp->activity, VMR_ACTIVITY_RUNNING);
    assert_true(bound.vp->interrupt_ready);
    bound.fake.fail_always = FAKE_GET_REGS;
    assert_int_equal(vmr_vp_state_set(bound.vp, &activity_id, &activity, &err), VMR_E_HOST);
    assert_int_equal(bound.fake.state_log_count, 0);
    bound.fake.fail_always = FAKE_SET_VM_STATE;
    assert_int_equal(vmr_partition_state_set(bound.rig.partition, &clock_id, &clock, &err), VMR_E_HOST);
    bound.fake.fail_always = FAKE_GET_VM_STATE;
    assert_int_equal(vmr_partition_state_get(bound.rig.partition, &clock_id, &clock, &err), VMR_E_HOST);
    assert_int_equal(clock.ns, 7);
    bound.fake.fail_always = FAKE_OPEN;
    assert_int_equal(vmr_partition_state_set(bound.rig.partition, &clock_id, &clock, &err), VMR_OK);
    clock.ns = 0;
    assert_int_equal(vmr_partition_state_get(bound.rig.partition, &clock_id, &clock, &err), VMR_OK);
    assert_int_equal(clock.ns, 7);
    finish(&bound);
}

static void a_debug_state_that_is_none_is_named(void **state)
{
    (void)state;
    struct bound_rig bound;
    const struct vmr_state_id id = {.state_class = VMR_VP_DEBUG_STATE};
    struct vmr_debug_state debug = {.single_step = true}, now;
    struct vmr_error err = {0};

    init(&bound);
    begin(&bound);
    assert_int_equal(vmr_vp_state_set(bound.vp, &id, &debug, &err), VMR_OK);
    debug.breakpoints[0] = (struct vmr_breakpoint){.enabled = true, .kind = 2, .length = 1};
    assert_int_equal(vmr_vp_state_set(bound.vp, &id, &debug, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "debug-state: breakpoint"));
    assert_int_equal(vmr_vp_state_get(bound.vp, &id, &now, &err), VMR_OK);
    assert_true(now.single_step);
    assert_false(now.breakpoints[0].enabled);
    finish(&bound);
}

static void power_up_is_what_the_processor_says(void **state)
{
    (void)state;
    struct bound_rig bound;
    const struct vmr_state_id registers = {.state_class = VMR_VP_REGISTERS};
    const struct vmr_state_id misc = {.state_class = VMR_VP_MISC_ENABLE};
    struct vmr_x86_regs regs;
    struct vmr_x86_word_state word;

    init(&bound);
    bound.fake.cpuid[0] = (struct vmr_cpuid_entry){.leaf = 1, .eax = 0x306a9};
    bound.fake.cpuid_count = 1;
    begin(&bound);
    vmr_vp_state_at_reset(bound.vp, &registers, &regs);
    assert_int_equal(regs.gpr[VMR_X86_RDX], 0x306a9);
    vmr_vp_state_at_reset(bound.vp, &misc, &word);
    assert_int_equal(word.value, 0x850089);
    assert_true(vmr_vp_state_is_comparable(bound.vp, &registers));
    finish(&bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_follow_from_what_the_guest_is_told),
        cmocka_unit_test(without_a_hypervisors_classes_the_librarys_remain),
        cmocka_unit_test(a_search_begins_where_it_is_told),
        cmocka_unit_test(the_activity_is_the_librarys_where_local_apics_are),
        cmocka_unit_test(the_activity_is_the_hypervisors_where_they_are_there),
        cmocka_unit_test(a_hypervisor_without_the_class_takes_no_events),
        cmocka_unit_test(a_call_that_fails_changes_nothing),
        cmocka_unit_test(a_debug_state_that_is_none_is_named),
        cmocka_unit_test(power_up_is_what_the_processor_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
