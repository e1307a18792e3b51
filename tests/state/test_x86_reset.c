/* SPDX-License-Identifier: MIT */
/* Power-up values, against the numbers of the manuals. */

#include "vmrig/x86_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum vmr_vp_class vp_class;
    const char *field;
    uint32_t element;
    uint64_t expected;
} rows[] = {
    {VMR_VP_REGISTERS, "rip", 0, 0xfff0},
    {VMR_VP_REGISTERS, "rdx", 0, 0x806f8},
    {VMR_VP_REGISTERS, "rflags", 0, 2},
    {VMR_VP_REGISTERS, "cs.base", 0, 0xffff0000},
    {VMR_VP_REGISTERS, "cr0", 0, 0x60000010},
    {VMR_VP_REGISTERS, "apic-base", 0, 0xfee00800}, /* VP 3 is no boot processor */
    {VMR_VP_XCR0, "value", 0, 1},
    {VMR_VP_XSS, "value", 0, 0},
    {VMR_VP_XSAVE, "length", 0, 576},
    {VMR_VP_XSAVE, "bytes", 24, 0x80}, /* MXCSR */
    {VMR_VP_XSAVE, "bytes", 25, 0x1f},
    {VMR_VP_XSAVE, "bytes", 512, 0}, /* XSTATE_BV */
    {VMR_VP_MTRRS, "default-type", 0, 0},
    {VMR_VP_PAT, "value", 0, 0x0007040600070406},
    {VMR_VP_MISC_ENABLE, "value", 0, 0x801},
    {VMR_VP_FEATURE_CONTROL, "value", 0, 5},
    {VMR_VP_MCG, "cap", 0, 0x20},
    {VMR_VP_DEBUG_REGISTERS, "dr6", 0, 0xffff0ff0},
    {VMR_VP_DEBUG_REGISTERS, "dr7", 0, 0x400},
    {VMR_VP_APIC, "base", 0, 0xfee00800},
    {VMR_VP_APIC, "page", 0x23, 3},    /* the ID is in the highest byte */
    {VMR_VP_APIC, "page", 0xe0, 0xff}, /* DFR */
    {VMR_VP_APIC, "page", 0xf0, 0xff}, /* SVR */
    {VMR_VP_APIC, "page", 0x322, 1},   /* the timer is masked */
    {VMR_VP_APIC, "page", 0x372, 1},
    {VMR_VP_APIC, "timer", 0, VMR_NEVER},
    {VMR_VP_ACTIVITY, "activity", 0, VMR_ACTIVITY_WAIT_FOR_SIPI},
    {VMR_VP_TSC, "value", 0, 0},
};

static const struct vmr_x86_reset_info info = {
    .vp = 3,
    .cpuid_1_eax = 0x806f8,

    .waits_for_sipi = true,
    .misc_enable = 0x801,
    .feature_control = 5,
    .mcg_cap = 0x20,
};

static const struct vmr_state_field *field_of(const struct vmr_state_type *type, const char *name)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void power_up_values(void **state)
{
    static uint8_t value[16384];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(value, 0xff, sizeof(value));
        vmr_x86_at_reset(rows[i].vp_class, &info, value);
        assert_int_equal(
            vmr_state_get(field_of(vmr_vp_class_type(rows[i].vp_class), rows[i].field), value, rows[i].element),
            rows[i].expected);
    }
}

static void x2apic_has_another_id_and_destination(void **state)
{
    struct vmr_x86_reset_info x2apic = info;
    struct vmr_x86_apic_state apic;

    (void)state;
    x2apic.x2apic = true;
    x2apic.vp = 0x25;
    x2apic.apic_version = 0x01050014; /* bits above the number of entries */
    vmr_x86_at_reset(VMR_VP_APIC, &x2apic, &apic);
    assert_int_equal(apic.base, 0xfee00c00);
    assert_memory_equal(apic.page + 0x20, "\x25\0\0\0", 4);
    assert_memory_equal(apic.page + 0xd0, "\x20\0\x02\0", 4); /* cluster 2, bit 5 */
    assert_memory_equal(apic.page + 0xe0, "\0\0\0\0", 4);
}

static void the_boot_processor_runs(void **state)
{
    struct vmr_x86_activity_state activity;
    struct vmr_x86_xsave_state xsave;
    struct vmr_x86_regs regs;

    (void)state;
    vmr_x86_at_reset(VMR_VP_ACTIVITY, &(struct vmr_x86_reset_info){0}, &activity);
    assert_int_equal(activity.activity, VMR_ACTIVITY_RUNNING);
    vmr_x86_at_reset(VMR_VP_REGISTERS, &(struct vmr_x86_reset_info){0}, &regs);
    assert_int_equal(regs.apic_base, 0xfee00900);
    vmr_x86_at_reset(VMR_VP_XSAVE, &(struct vmr_x86_reset_info){0}, &xsave);
    assert_int_equal(xsave.length, 576);
}

static void controllers_of_a_vm_begin_masked_and_idle(void **state)
{
    static const struct vmr_x86_pic_state idle = {0};
    struct vmr_x86_pic_state pic = {.chip = {{.mask = 1}}};
    struct vmr_x86_ioapic_state ioapic = {.lines = 1};

    (void)state;
    vmr_x86_vm_at_reset(VMR_VM_PIC, &pic);
    assert_memory_equal(&pic, &idle, sizeof(pic));
    vmr_x86_vm_at_reset(VMR_VM_IOAPIC, &ioapic);
    assert_int_equal(ioapic.base, 0xfec00000);
    assert_int_equal(ioapic.lines, 0);
    for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++)
        assert_int_equal(ioapic.redirection[i], 0x10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_up_values),
        cmocka_unit_test(x2apic_has_another_id_and_destination),
        cmocka_unit_test(the_boot_processor_runs),
        cmocka_unit_test(controllers_of_a_vm_begin_masked_and_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
