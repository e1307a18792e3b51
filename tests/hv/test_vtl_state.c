/* SPDX-License-Identifier: MIT */
/* The state of VTLs. [HVS-5] */

#include "lib/hv/vtls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

struct rig {
    struct fake_host fake;
    struct vtls vtls;
};

static void init(struct rig *rig, uint8_t highest, uint8_t first)
{
    *rig = (struct rig){0};
    fake_host_init(&rig->fake, 0);
    rig->vtls = (struct vtls){.host = &rig->fake.host, .vp_count = 2, .highest = highest, .first = first};
    assert_int_equal(vtls_init(&rig->vtls), VMR_OK);
}

static struct vmr_hv_initial initial(uint64_t rip)
{
    struct vmr_hv_initial value = {.pat = 6};

    vmr_x86_regs_reset(&value.regs);
    value.regs.rip = rip;
    return value;
}

/* VTL 1 has been entered, a vector waits for it; VTL 2 begins some day. */
static void fill(struct rig *rig)
{
    const struct vmr_hv_initial one = initial(0x1000), two = initial(0x2000);
    struct vmr_hv_entry entry;

    assert_int_equal(vtls_enable(&rig->vtls, 0, 1), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable_vp(&rig->vtls, 0, 0, 1, &one), HV_STATUS_SUCCESS);
    assert_true(vtls_call(&rig->vtls, 0, &entry));
    assert_int_equal(vtls_enable(&rig->vtls, 1, 2), HV_STATUS_SUCCESS);
    assert_int_equal(vtls_enable_vp(&rig->vtls, 1, 0, 2, &two), HV_STATUS_SUCCESS);
    assert_true(vtls_return(&rig->vtls, 0, &entry));
    vtls_raise(&rig->vtls, 0, 1, 0x51);
}

static void a_vp_goes_on_elsewhere(void **state)
{
    struct vmr_hv_vp_vtls_state value, again;
    struct vmr_hv_entry entry;
    struct rig a, b;
    uint8_t vector = 0;

    (void)state;
    init(&a, 2, 0);
    init(&b, 2, 0);
    fill(&a);
    vtls_save(&a.vtls, 0, &value);
    assert_int_equal(value.entered, 3);
    assert_int_equal(value.initial[1].regs.rip, 0); /* it has begun */
    assert_int_equal(vtls_restore(&b.vtls, 0, &value, NULL), VMR_OK);
    vtls_restore_enabled(&b.vtls, vtls_enabled(&a.vtls));
    vtls_save(&b.vtls, 0, &again);
    assert_true(vmr_state_equal(vmr_vp_class_type(VMR_VP_VTLS), &value, &again, true, NULL));
    assert_int_equal(vtls_wanted(&b.vtls, 0), 1);
    assert_true(vtls_call(&b.vtls, 0, &entry));
    assert_false(entry.first);
    assert_true(vtls_vector(&b.vtls, 0, &vector));
    assert_int_equal(vector, 0x51);
    assert_true(vtls_call(&b.vtls, 0, &entry));
    assert_true(entry.first);
    assert_int_equal(entry.initial.regs.rip, 0x2000);
    vtls_finish(&a.vtls);
    vtls_finish(&b.vtls);
}

struct bad {
    const char *field;
    void (*spoil)(struct vmr_hv_vp_vtls_state *value);
};

static void too_high(struct vmr_hv_vp_vtls_state *value)
{
    value->enabled = 0xf;
}

static void without_vtl0(struct vmr_hv_vp_vtls_state *value)
{
    value->enabled = 6;
}

static void entered_nowhere(struct vmr_hv_vp_vtls_state *value)
{
    value->entered = 2;
}

static void active_elsewhere(struct vmr_hv_vp_vtls_state *value)
{
    value->active = 2;
}

static void active_beyond(struct vmr_hv_vp_vtls_state *value)
{
    value->active = 255;
}

static void vector_of_nobody(struct vmr_hv_vp_vtls_state *value)
{
    value->enabled = value->entered = 1;
    value->initial[2] = (struct vmr_hv_initial){0};
    value->active = 0;
}

static void vector_of_vtl0(struct vmr_hv_vp_vtls_state *value)
{
    value->vectors[3] = 1;
}

static void impossible_registers(struct vmr_hv_vp_vtls_state *value)
{
    value->initial[2].regs.cr0 = 0x80000000;
}

static void impossible_pat(struct vmr_hv_vp_vtls_state *value)
{
    value->initial[2].pat = 3;
}

static void registers_of_the_wrong_vtl(struct vmr_hv_vp_vtls_state *value)
{
    value->initial[1].regs.rip = 1;
}

static void what_cannot_be_is_refused_whole(void **state)
{
    static const struct bad bad[] = {
        {"enabled", too_high},        {"enabled", without_vtl0},
        {"entered", entered_nowhere}, {"active", active_elsewhere},
        {"active", active_beyond},    {"vectors", vector_of_nobody},
        {"vectors", vector_of_vtl0},  {"initial", impossible_registers},
        {"initial", impossible_pat},  {"initial", registers_of_the_wrong_vtl},
    };
    struct vmr_hv_vp_vtls_state value, now;
    struct vmr_error err;
    struct rig rig;

    (void)state;
    init(&rig, 2, 0);
    fill(&rig);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char name[32] = "vtls: ";

        vtls_save(&rig.vtls, 0, &value);
        bad[i].spoil(&value);
        assert_int_equal(vtls_restore(&rig.vtls, 0, &value, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, strcat(name, bad[i].field)));
        vtls_save(&rig.vtls, 0, &now);
        assert_int_equal(now.enabled, 7);
        assert_int_equal(now.initial[2].regs.rip, 0x2000);
    }
    vtls_finish(&rig.vtls);
}

static void power_up_is_where_vps_begin(void **state)
{
    struct vmr_hv_vp_vtls_state value, fresh;
    struct rig rig;

    (void)state;
    init(&rig, 2, 2);
    vtls_state_at_reset(&rig.vtls, &fresh);
    vtls_save(&rig.vtls, 1, &value);
    assert_true(vmr_state_equal(vmr_vp_class_type(VMR_VP_VTLS), &value, &fresh, true, NULL));
    assert_int_equal(fresh.active, 2);
    assert_int_equal(fresh.enabled, 5);
    assert_int_equal(fresh.initial[0].regs.rip, 0xfff0);
    assert_true(vtls_set_is_possible(&rig.vtls, 5) && vtls_set_is_possible(&rig.vtls, 7));
    assert_false(vtls_set_is_possible(&rig.vtls, 1) || vtls_set_is_possible(&rig.vtls, 13));
    vtls_finish(&rig.vtls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vp_goes_on_elsewhere),
        cmocka_unit_test(what_cannot_be_is_refused_whole),
        cmocka_unit_test(power_up_is_where_vps_begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
