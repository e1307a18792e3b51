/* SPDX-License-Identifier: MIT */
/* Areas of hypervisors in one form, and what is no area of a VP. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "vmrig/x86_state.h"

#define BV 512u
#define AVX 2u
#define PKRU 9u

static const struct vmr_x86_xsave_layout small = {0};
static const struct vmr_x86_xsave_layout large = {.part = {[AVX] = {576, 256}, [PKRU] = {2688, 8}}};

static uint8_t area[VMR_X86_XSAVE_MAX];
static struct vmr_x86_xsave_state value, other;

static void begin(uint64_t in_use)
{
    memset(area, 0, sizeof(area));
    area[24] = 0x80;
    area[25] = 0x1f;
    store_le64(area + BV, in_use);
}

static void equal_processors_have_equal_areas(void **state)
{
    (void)state;
    begin(3);
    store_le16(area, 0x27f);
    area[160] = 1;
    vmr_x86_xsave_normalise(&small, area, &value);
    /* Once more with what says nothing: old bytes, the kernel's notes, the processor's mask. */
    store_le64(area + BV, 7);
    memset(area + 28, 0xff, 4);
    memset(area + 416, 0xee, 96);
    memset(area + 520, 0xdd, 56);
    memset(area + 2688, 0xcc, 8);
    vmr_x86_xsave_normalise(&large, area, &other);
    assert_memory_equal(&value, &other, sizeof(value));
    assert_int_equal(value.length, 576);
    assert_int_equal(load_le64(value.bytes + BV), 3);
    assert_int_equal(load_le16(value.bytes), 0x27f);
}

static void the_last_component_in_use_is_the_end(void **state)
{
    (void)state;
    begin(4 | 1u << PKRU);
    area[576 + 255] = 9;
    vmr_x86_xsave_normalise(&large, area, &value);
    assert_int_equal(value.length, 832);
    assert_int_equal(load_le64(value.bytes + BV), 4);
    area[2688] = 5;
    vmr_x86_xsave_normalise(&large, area, &value);
    assert_int_equal(value.length, 2696);
    assert_int_equal(load_le64(value.bytes + BV), 4 | 1u << PKRU);
    assert_int_equal(vmr_x86_xsave_check(&large, &value, NULL), VMR_OK);
}

static void initial_values_are_not_in_use(void **state)
{
    (void)state;
    begin(7);
    store_le16(area, 0x37f);
    vmr_x86_xsave_normalise(&large, area, &value);
    vmr_x86_at_reset(VMR_VP_XSAVE, &(struct vmr_x86_reset_info){0}, &other);
    assert_memory_equal(&value, &other, sizeof(value));
    area[159] = 1; /* the last of the x87's */
    vmr_x86_xsave_normalise(&large, area, &value);
    assert_int_equal(load_le64(value.bytes + BV), 1);
    assert_int_equal(value.bytes[159], 1);
}

/* From power-up, with a byte, XSTATE_BV and a length: what is said of it. */
static void what_is_no_area_of_a_vp_is_refused(void **state)
{
    static const struct {
        const struct vmr_x86_xsave_layout *layout;
        uint64_t in_use;
        uint32_t length, at; /* 0: none */
        const char *text;    /* NULL: taken */
    } rows[] = {
        {&small, 0, 576, 0, NULL},
        {&small, 3, 576, 160, NULL},
        {&small, 0, 832, 0, "xsave: length: 832, but this VP's components that are in use end at 576"},
        {&small, 7, 832, 576, "xsave: bytes[512], XSTATE_BV: this VP has no component 2"},
        {&large, 7, 832, 831, NULL},
        {&large, 7, 576, 0, "xsave: length: 576, but this VP's components that are in use end at 832"},
        {&large, 3, 576, 600, "xsave: bytes: of component 2, which XSTATE_BV says is not in use"},
        {&large, 1, 576, 160, "xsave: bytes: of component 1, which XSTATE_BV says is not in use"},
        {&large, 2, 576, 32, "xsave: bytes: of component 0, which XSTATE_BV says is not in use"},
        {&large, 2, 576, 2, "xsave: bytes: of component 0, which XSTATE_BV says is not in use"},
        {&large, UINT64_C(1) << 62, 576, 0, "xsave: bytes[512], XSTATE_BV: this VP has no component 62"},
        {&large, UINT64_C(1) << 63, 576, 0, "xsave: bytes[512], XSTATE_BV: there is no component 63"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmr_error err = {.message = ""};

        vmr_x86_at_reset(VMR_VP_XSAVE, &(struct vmr_x86_reset_info){0}, &value);
        value.length = rows[i].length;
        if (rows[i].at != 0)
            value.bytes[rows[i].at] = 1;
        store_le64(value.bytes + BV, rows[i].in_use);
        enum vmr_status status = vmr_x86_xsave_check(rows[i].layout, &value, &err);

        assert_int_equal(status, rows[i].text ? VMR_E_CONFIG : VMR_OK);
        assert_string_equal(err.message, rows[i].text ? rows[i].text : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_processors_have_equal_areas),
        cmocka_unit_test(the_last_component_in_use_is_the_end),
        cmocka_unit_test(initial_values_are_not_in_use),
        cmocka_unit_test(what_is_no_area_of_a_vp_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
