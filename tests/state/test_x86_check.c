/* SPDX-License-Identifier: MIT */
/*
 * What no processor holds: a power-up value with one number changed, refused
 * with the class and the field named; and the same with what one may hold.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/x86_state.h"

#define VALUE_MAX 16384u
#define MAX UINT64_MAX

static const struct row {
    enum vmr_vp_class vp_class;
    const char *field;
    uint32_t element;
    uint64_t number;
    const char *refused; /* what the message begins with; NULL: it is taken */
} rows[] = {
    {VMR_VP_REGISTERS, "rflags", 0, 0, "registers: rflags:"},
    {VMR_VP_REGISTERS, "rflags", 0, 0xa, "registers: rflags:"},
    {VMR_VP_REGISTERS, "rflags", 0, 0x400002, "registers: rflags:"},
    {VMR_VP_REGISTERS, "rflags", 0, 0x3f7fd7, NULL},
    {VMR_VP_REGISTERS, "rip", 0, 0x100000000, "registers: rip:"},
    {VMR_VP_REGISTERS, "rip", 0, 0x0100000000000000, "registers: rip:"},
    {VMR_VP_REGISTERS, "cr0", 0, 0x80000010, "registers: cr0:"}, /* paging in real mode */
    {VMR_VP_REGISTERS, "cr0", 0, 0x20000010, "registers: cr0:"}, /* write-through without caching */
    {VMR_VP_REGISTERS, "cr0", 0, 0x100000010, "registers: cr0:"},
    {VMR_VP_REGISTERS, "cr0", 0, 0x80000011, NULL},
    {VMR_VP_REGISTERS, "cr3", 0, 0x0010000000000000, "registers: cr3:"},
    {VMR_VP_REGISTERS, "cr4", 0, 0x8000, "registers: cr4:"},
    {VMR_VP_REGISTERS, "cr4", 0, 0x20000, "registers: cr4:"}, /* PCIDE outside long mode */
    {VMR_VP_REGISTERS, "cr8", 0, 16, "registers: cr8:"},
    {VMR_VP_REGISTERS, "efer", 0, 2, "registers: efer:"},
    {VMR_VP_REGISTERS, "efer", 0, 0x500, "registers: efer:"}, /* active without paging */
    {VMR_VP_REGISTERS, "efer", 0, 0x100, NULL},
    {VMR_VP_REGISTERS, "apic-base", 0, 0xfee00400, "registers: apic-base:"},
    {VMR_VP_REGISTERS, "apic-base", 0, 0xfee00a00, "registers: apic-base:"},
    {VMR_VP_REGISTERS, "gs.base", 0, 0x0100000000000000, "registers: gs.base:"},
    {VMR_VP_REGISTERS, "cs.base", 0, 0x100000000, "registers: cs.base:"},
    {VMR_VP_REGISTERS, "ss.attributes", 0, 0x193, "registers: ss.attributes:"},
    {VMR_VP_REGISTERS, "gdtr.base", 0, 0xff00000000000000, NULL},
    {VMR_VP_XCR0, "value", 0, 0, "xcr0: value:"},
    {VMR_VP_XCR0, "value", 0, 5, "xcr0: value:"},    /* AVX without SSE */
    {VMR_VP_XCR0, "value", 0, 0x0b, "xcr0: value:"}, /* half of MPX */
    {VMR_VP_XCR0, "value", 0, 0xe3, "xcr0: value:"}, /* AVX-512 without AVX */
    {VMR_VP_XCR0, "value", 0, 0x67, "xcr0: value:"},
    {VMR_VP_XCR0, "value", 0, 0x20003, "xcr0: value:"},
    {VMR_VP_XCR0, "value", 0, 0x600e7, NULL},
    {VMR_VP_XSAVE, "length", 0, 575, "xsave: length:"},
    {VMR_VP_XSAVE, "length", 0, VMR_X86_XSAVE_MAX + 1, "xsave: length:"},
    {VMR_VP_XSAVE, "length", 0, UINT32_MAX, "xsave: length:"},
    {VMR_VP_XSAVE, "bytes", 27, 1, "xsave: bytes[24], MXCSR:"},
    {VMR_VP_XSAVE, "bytes", 28, 1, "xsave: bytes[28]:"},
    {VMR_VP_XSAVE, "bytes", 416, 1, "xsave: bytes[416]:"},
    {VMR_VP_XSAVE, "bytes", 511, 1, "xsave: bytes[511]:"},
    {VMR_VP_XSAVE, "bytes", 512, 3, NULL},
    {VMR_VP_XSAVE, "bytes", 527, 0x80, "xsave: bytes[527]:"}, /* compacted */
    {VMR_VP_XSAVE, "bytes", 575, 1, "xsave: bytes[575]:"},
    {VMR_VP_MTRRS, "default-type", 0, 2, "mtrrs: default-type:"},
    {VMR_VP_MTRRS, "default-type", 0, 0x106, "mtrrs: default-type:"},
    {VMR_VP_MTRRS, "default-type", 0, 0xc06, NULL},
    {VMR_VP_MTRRS, "fixed", 10, 0x0700000000000000, "mtrrs: fixed:"},
    {VMR_VP_MTRRS, "variable", 0, 3, "mtrrs: variable[0]:"},
    {VMR_VP_MTRRS, "variable", 14, 0x106, "mtrrs: variable[14]:"},
    {VMR_VP_MTRRS, "variable", 15, 0x400, "mtrrs: variable[15]:"},
    {VMR_VP_MTRRS, "variable", 15, 0xfff00800, NULL},
    {VMR_VP_PAT, "value", 0, 0x02, "pat: value:"},
    {VMR_VP_PAT, "value", 0, 0x0800000000000000, "pat: value:"},
    {VMR_VP_PAT, "value", 0, 0x0706050401000000, NULL},
    {VMR_VP_SYSCALL, "lstar", 0, 0x0100000000000000, "syscall: lstar:"},
    {VMR_VP_SYSCALL, "star", 0, MAX, NULL},
    {VMR_VP_DEBUG_REGISTERS, "dr6", 0, 0xffff1ff0, "debug-registers: dr6:"},
    {VMR_VP_DEBUG_REGISTERS, "dr6", 0, 0, "debug-registers: dr6:"},
    {VMR_VP_DEBUG_REGISTERS, "dr6", 0, 0xfffee7ff, NULL},
    {VMR_VP_DEBUG_REGISTERS, "dr7", 0, 0, "debug-registers: dr7:"},
    {VMR_VP_DEBUG_REGISTERS, "dr7", 0, 0x4400, "debug-registers: dr7:"},
    {VMR_VP_DEBUG_REGISTERS, "address", 3, MAX, NULL},
    {VMR_VP_APIC, "base", 0, 0xfee00400, "apic: base:"},
    {VMR_VP_APIC, "base", 0, 1, "apic: base:"},
    {VMR_VP_APIC, "page", 0x84, 1, "apic: page[0x84]:"},
    {VMR_VP_APIC, "page", 0x322, 7, "apic: page[0x320]"}, /* a mode that there is not */
    {VMR_VP_APIC, "page", 0x390, 1, "apic: page[0x390]:"},
    {VMR_VP_APIC, "timer", 0, 5, "apic: timer:"},
    {VMR_VP_ACTIVITY, "activity", 0, VMR_ACTIVITY_COUNT, "activity: activity:"},
    {VMR_VP_ACTIVITY, "shadow", 0, 3, "activity: shadow:"},
    {VMR_VP_ACTIVITY, "sipi-pending", 0, 1, "activity: sipi-pending:"},
    {VMR_VP_ACTIVITY, "sipi-vector", 0, 1, "activity: sipi-vector:"},
    {VMR_VP_ACTIVITY, "pending.kind", 0, VMR_X86_EVENT_KIND_COUNT, "activity: pending.kind:"},
    {VMR_VP_ACTIVITY, "pending.kind", 0, VMR_X86_EVENT_SOFT_INTERRUPT, "activity: pending.kind:"},
    {VMR_VP_ACTIVITY, "pending.vector", 0, 3, "activity: pending.kind:"},
    {VMR_VP_ACTIVITY, "injected.error", 0, 3, "activity: injected.kind:"},
    {VMR_VP_ACTIVITY, "injected.payload", 0, 3, "activity: injected.kind:"},
    {VMR_VP_ACTIVITY, "injected.kind", 0, VMR_X86_EVENT_NMI, "activity: injected.kind:"},
    {VMR_VP_ACTIVITY, "injected.kind", 0, VMR_X86_EVENT_INTERRUPT, NULL},
    {VMR_VP_ACTIVITY, "nmi-pending", 0, 1, NULL},
    {VMR_VP_TSC, "value", 0, MAX, NULL},
};

static void put(enum vmr_vp_class vp_class, void *value, const char *name, uint32_t element, uint64_t number)
{
    const struct vmr_state_type *type = vmr_vp_class_type(vp_class);

    for (uint32_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0) {
            assert_true(element < type->fields[i].count);
            assert_true(vmr_state_put(&type->fields[i], value, element, number));
            return;
        }
    }
    fail_msg("no field %s", name);
}

static void one_number_decides(void **state)
{
    static uint8_t value[VALUE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct vmr_error err = {0};

        vmr_x86_at_reset(row->vp_class, &(struct vmr_x86_reset_info){0}, value);
        assert_int_equal(vmr_x86_check(row->vp_class, value, &err), VMR_OK);
        put(row->vp_class, value, row->field, row->element, row->number);
        enum vmr_status status = vmr_x86_check(row->vp_class, value, &err);

        if (status != (row->refused ? VMR_E_CONFIG : VMR_OK))
            fail_msg("row %zu, %s: %d %s", i, row->field, status, err.message);
        if (row->refused && strncmp(err.message, row->refused, strlen(row->refused)) != 0)
            fail_msg("row %zu: %s", i, err.message);
    }
}

static void every_class_is_fine_at_power_up(void **state)
{
    static uint8_t value[VALUE_MAX];
    static const struct vmr_x86_reset_info info = {
        .vp = 1, .waits_for_sipi = true, .x2apic = true, .apic_lint0 = 0x700};

    (void)state;
    for (unsigned i = 0; i < VMR_VP_DEBUG_STATE; i++) {
        vmr_x86_at_reset((enum vmr_vp_class)i, &info, value);
        assert_int_equal(vmr_x86_check((enum vmr_vp_class)i, value, NULL), VMR_OK);
    }
}

static void long_mode_is_whole_or_refused(void **state)
{
    struct vmr_x86_regs regs;
    struct vmr_error err = {0};

    (void)state;
    vmr_x86_at_reset(VMR_VP_REGISTERS, &(struct vmr_x86_reset_info){0}, &regs);
    regs.cr0 = 0x80000011;
    regs.cr4 = 0x20020; /* PAE, PCIDE */
    regs.efer = 0xd01;
    regs.rip = 0xffffffff81000000;
    assert_int_equal(vmr_x86_check(VMR_VP_REGISTERS, &regs, &err), VMR_OK);
    regs.efer = 0x901; /* enabled and paging, but not active */
    assert_int_equal(vmr_x86_check(VMR_VP_REGISTERS, &regs, &err), VMR_E_CONFIG);
    regs.efer = 0xd01;
    regs.cr4 = 0;
    assert_int_equal(vmr_x86_check(VMR_VP_REGISTERS, &regs, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "cr4"));
}

static void a_timer_counts_or_has_a_deadline(void **state)
{
    struct vmr_x86_apic_state apic;

    (void)state;
    vmr_x86_at_reset(VMR_VP_APIC, &(struct vmr_x86_reset_info){0}, &apic);
    apic.page[0x380] = 9;
    apic.timer_ns = 7;
    assert_int_equal(vmr_x86_check(VMR_VP_APIC, &apic, NULL), VMR_OK);
    apic.page[0x322] |= 4; /* deadlines */
    assert_int_equal(vmr_x86_check(VMR_VP_APIC, &apic, NULL), VMR_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number_decides),
        cmocka_unit_test(every_class_is_fine_at_power_up),
        cmocka_unit_test(long_mode_is_whole_or_refused),
        cmocka_unit_test(a_timer_counts_or_has_a_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
