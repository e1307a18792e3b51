/* SPDX-License-Identifier: MIT */
/* Values as text and as JSON. */

#include "vmrig/x86_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct text {
    char bytes[65536];
    size_t length;
};

static void append(void *context, const char *bytes, size_t length)
{
    struct text *text = context;

    assert_true(text->length + length < sizeof(text->bytes));
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static void print(struct text *text, enum vmr_vp_class vp_class, const void *value, enum vmr_state_format format)
{
    const struct vmr_text_sink sink = {.write = append, .context = text};

    *text = (struct text){0};
    vmr_state_print(vmr_vp_class_type(vp_class), value, format, "  ", &sink);
}

static void text_is_a_line_a_field(void **state)
{
    static struct text text;
    struct vmr_debug_state debug = {.single_step = true};

    (void)state;
    debug.breakpoints[2] = (struct vmr_breakpoint){.enabled = true, .length = 4, .kind = 1, .address = 0x1234};
    print(&text, VMR_VP_DEBUG_STATE, &debug, VMR_STATE_TEXT);
    assert_string_equal(text.bytes, "  single-step=true\n"
                                    "  breakpoint.enabled[2]=true\n"
                                    "  breakpoint.kind[2]=1\n"
                                    "  breakpoint.length[2]=4\n"
                                    "  breakpoint.address[2]=0x1234\n");
}

static void json_has_every_field(void **state)
{
    static struct text text;
    struct vmr_debug_state debug = {.single_step = false};

    (void)state;
    debug.breakpoints[0].address = 0x10;
    print(&text, VMR_VP_DEBUG_STATE, &debug, VMR_STATE_JSON);
    assert_string_equal(text.bytes, "{\"single-step\":false,"
                                    "\"breakpoint.enabled\":[false,false,false,false],"
                                    "\"breakpoint.kind\":[0,0,0,0],"
                                    "\"breakpoint.length\":[0,0,0,0],"
                                    "\"breakpoint.address\":[\"0x10\",\"0\",\"0\",\"0\"]}");
}

static void bytes_that_are_zero_are_left_out(void **state)
{
    static struct text text;
    static struct vmr_x86_apic_state apic;

    (void)state;
    apic.timer_ns = VMR_NEVER;
    print(&text, VMR_VP_APIC, &apic, VMR_STATE_TEXT);
    assert_string_equal(text.bytes, "  base=0\n  page=zeros\n  timer=never\n");
    apic.page[33] = 0xab;
    print(&text, VMR_VP_APIC, &apic, VMR_STATE_TEXT);
    assert_string_equal(text.bytes, "  base=0\n  page[0x20]=00ab\n  timer=never\n");
    apic.page[33] = 0;
    apic.page[1] = 0xab;
    print(&text, VMR_VP_APIC, &apic, VMR_STATE_JSON);
    assert_string_equal(text.bytes, "{\"base\":\"0\",\"page\":\"00ab\",\"timer\":\"never\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_line_a_field),
        cmocka_unit_test(json_has_every_field),
        cmocka_unit_test(bytes_that_are_zero_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
