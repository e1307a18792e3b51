/* SPDX-License-Identifier: MIT */
/* The classes of a VP's interface: what was got can be set elsewhere, and anything may be tried. [HVS-1] */

#include "tests/hv/state_rig.h"

#define ROUNDS 4000u

static void write_at(struct guest_rig *rig, uint8_t vtl, uint32_t index, uint64_t value)
{
    assert_int_equal(vmr_hv_guest_msr_write(rig->guest, 0, vtl, index, value), VMR_MSR_OK);
}

/* Every class of VP 0 at VTL 0 is another than at power-up. */
static void fill(struct guest_rig *rig)
{
    const struct vmr_synic_target target = {.vp = 0, .sint = 2};
    const uint32_t word = 0x1234;
    const struct vmr_synic_message message = {.type = 1, .origin = 9, .payload = &word, .length = sizeof(word)};

    write_at(rig, 0, HV_MSR_VP_ASSIST_PAGE, 5 * PAGE | 1);
    assert_int_equal(vmr_memory_fill(rig->memory, 5 * PAGE + 100, 7, 1), VMR_OK);
    for (uint32_t i = 0; i < HV_CRASH_PARAMETER_COUNT; i++)
        write_at(rig, 0, HV_MSR_CRASH_P0 + i, i + 1);
    for (uint32_t i = 0; i < HV_SINT_COUNT; i++)
        write_at(rig, 0, HV_MSR_SINT0 + i, 0x40 + i);
    write_at(rig, 0, HV_MSR_SIMP, 6 * PAGE | 1);
    write_at(rig, 0, HV_MSR_SIEFP, 7 * PAGE | 1);
    for (uint32_t i = 0; i < HV_STIMER_COUNT; i++) {
        write_at(rig, 0, HV_MSR_STIMER0_CONFIG + 2 * i, 3 << HV_STIMER_SINT_SHIFT | 1 | (i % 2 ? 2 : 0));
        write_at(rig, 0, HV_MSR_STIMER0_COUNT + 2 * i, 1000000 * (i + 1));
    }
    (void)vmr_hv_guest_poll(rig->guest, 0, rig->fake.now_ns); /* arms the timers */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vmr_synic_post_message(vmr_hv_guest_synic(rig->guest), &target, &message), VMR_OK);
    (void)vmr_hv_guest_poll(rig->guest, 0, rig->fake.now_ns); /* one to its slot */
    assert_int_equal(vmr_synic_signal_event(vmr_hv_guest_synic(rig->guest), &target, 77), VMR_SYNIC_SIGNALED);
    write_at(rig, 0, HV_MSR_SCONTROL, 0);
    write_at(rig, 0, HV_MSR_SINT0 + 1, 0x41 | HV_SINT_AUTO_EOI);
}

static void copy_ram(const struct guest_rig *from, struct guest_rig *to)
{
    static uint8_t ram[GUEST_PAGES * PAGE];

    assert_int_equal(vmr_memory_read(from->memory, 0, ram, sizeof(ram)), VMR_OK);
    assert_int_equal(vmr_memory_write(to->memory, 0, ram, sizeof(ram)), VMR_OK);
}

static void assert_same_ram(const struct guest_rig *a, const struct guest_rig *b)
{
    static uint8_t left[GUEST_PAGES * PAGE], right[GUEST_PAGES * PAGE];

    assert_int_equal(vmr_memory_read(a->memory, 0, left, sizeof(left)), VMR_OK);
    assert_int_equal(vmr_memory_read(b->memory, 0, right, sizeof(right)), VMR_OK);
    assert_memory_equal(left, right, sizeof(left));
}

static void must_equal(const struct vmr_state_type *type, const void *a, const void *b)
{
    struct vmr_state_difference difference;

    if (!vmr_state_equal(type, a, b, true, &difference))
        fail_msg("%s: %s[%u]: %#llx, %#llx", type->name, difference.field->name, difference.element,
                 (unsigned long long)difference.left, (unsigned long long)difference.right);
}

static void all_that_is_got_is_set_elsewhere(void **state)
{
    struct guest_rig a, b;
    void *value = state_value(), *again = state_value(), *fresh = state_value();
    unsigned changed = 0;

    (void)state;
    guest_rig_init(&a);
    guest_rig_init(&b);
    fill(&a);
    copy_ram(&a, &b);
    for (struct vmr_state_id id = {0}; state_next(a.guest, 1, &id); id.instance++) {
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)id.state_class);

        must_get(a.guest, 0, &id, value);
        vmr_hv_guest_vp_state_at_reset(b.guest, &id, fresh);
        changed += !vmr_state_equal(type, value, fresh, true, NULL);
        must_set(b.guest, 0, &id, value);
        must_get(b.guest, 0, &id, again);
        must_equal(type, value, again);
    }
    assert_int_equal(changed, 7); /* all but VTLs, and of the queues one */
    assert_same_ram(&a, &b);
    free(value);
    free(again);
    free(fresh);
    guest_rig_finish(&a);
    guest_rig_finish(&b);
}

static void power_up_is_what_a_reset_leaves(void **state)
{
    struct guest_rig rig;
    void *value = state_value(), *fresh = state_value();

    (void)state;
    guest_rig_init(&rig);
    fill(&rig);
    vmr_hv_guest_reset(rig.guest);
    for (struct vmr_state_id id = {0}; state_next(rig.guest, 1, &id); id.instance++) {
        must_get(rig.guest, 0, &id, value);
        vmr_hv_guest_vp_state_at_reset(rig.guest, &id, fresh);
        must_equal(vmr_vp_class_type((enum vmr_vp_class)id.state_class), value, fresh);
    }
    free(value);
    free(fresh);
    guest_rig_finish(&rig);
}

/* Refused whole, or taken and given back as it was; and whatever it was, the VP can go on. */
static void anything_may_be_tried(void **state)
{
    struct guest_rig rig;
    void *value = state_value(), *before = state_value(), *after = state_value();
    uint64_t seed = 1;
    unsigned taken = 0, refused = 0;

    (void)state;
    guest_rig_init_vtls(&rig, NULL, VMR_ISOLATION_NONE);
    fill(&rig);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct vmr_state_id id = {.state_class = i % VMR_VP_CLASS_COUNT};
        struct vmr_error err = {.message = ""};

        if (!state_next(rig.guest, 2, &id))
            continue;
        id.vtl = vmr_vp_class_is_private((enum vmr_vp_class)id.state_class) ? i / 7 % 2 : 0;
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)id.state_class);

        must_get(rig.guest, 0, &id, before);
        memcpy(value, before, type->size);
        state_scramble(type, value, &seed);
        enum vmr_status status = vmr_hv_guest_vp_state_set(rig.guest, 0, &id, value, &err);

        must_get(rig.guest, 0, &id, after);
        must_equal(type, status ? before : value, after);
        assert_true(status == VMR_OK || (status == VMR_E_CONFIG && strstr(err.message, type->name)));
        taken += !status;
        refused += status != 0;
        (void)vmr_hv_guest_poll(rig.guest, 0, rig.fake.now_ns += 1000);
        (void)vmr_hv_guest_preempts(rig.guest, 0);
    }
    assert_true(taken > ROUNDS / 20 && refused > ROUNDS / 20);
    free(value);
    free(before);
    free(after);
    guest_rig_finish(&rig);
}

static void a_page_without_ram_has_no_content(void **state)
{
    const struct vmr_state_id synic_id = {.state_class = VMR_VP_SYNIC}, simp_id = {.state_class = VMR_VP_SIMP};
    struct vmr_hv_synic_state synic;
    struct vmr_hv_page_state page;
    struct vmr_error err;
    struct guest_rig rig;

    (void)state;
    guest_rig_init(&rig);
    must_get(rig.guest, 0, &synic_id, &synic);
    synic.simp = GUEST_PAGES * PAGE | 1; /* as after its region was removed */
    must_set(rig.guest, 0, &synic_id, &synic);
    must_get(rig.guest, 0, &simp_id, &page);
    must_set(rig.guest, 0, &simp_id, &page);
    page.content[9] = 1;
    assert_int_equal(vmr_hv_guest_vp_state_set(rig.guest, 0, &simp_id, &page, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "simp: content"));
    guest_rig_finish(&rig);
}

static void auto_eoi_is_refused_where_there_is_none(void **state)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_SYNIC};
    struct vmr_hv_synic_state synic;
    struct guest_rig rig;

    (void)state;
    guest_rig_prepare(&rig);
    rig.options.target.has_auto_eoi = false;
    guest_rig_create(&rig);
    must_get(rig.guest, 0, &id, &synic);
    synic.sints[3] = 0x40 | HV_SINT_AUTO_EOI;
    assert_int_equal(vmr_hv_guest_vp_state_set(rig.guest, 0, &id, &synic, NULL), VMR_E_CONFIG);
    guest_rig_finish(&rig);
}

static void what_the_guest_may_not_have_is_no_class(void **state)
{
    struct guest_rig rig;

    (void)state;
    guest_rig_prepare(&rig);
    rig.options.config.privileges_off = HV_ACCESS_SYNIC;
    guest_rig_create(&rig);
    uint64_t classes = vmr_hv_guest_vp_classes(rig.guest);

    assert_int_equal(classes >> VMR_VP_SYNIC & 1, 0);
    assert_int_equal(classes >> VMR_VP_STIMERS & 1, 0);
    assert_int_equal(classes >> VMR_VP_VTLS & 1, 0);
    assert_int_equal(classes >> VMR_VP_ASSIST & 1, 1);
    assert_int_equal(classes >> VMR_VP_REGISTERS & 1, 0);
    guest_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_got_is_set_elsewhere),
        cmocka_unit_test(power_up_is_what_a_reset_leaves),
        cmocka_unit_test(anything_may_be_tried),
        cmocka_unit_test(a_page_without_ram_has_no_content),
        cmocka_unit_test(auto_eoi_is_refused_where_there_is_none),
        cmocka_unit_test(what_the_guest_may_not_have_is_no_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
