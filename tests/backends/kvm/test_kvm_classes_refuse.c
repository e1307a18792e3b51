/* SPDX-License-Identifier: MIT */
/*
 * Values that the real /dev/kvm, or this VP, does not hold, and events that are
 * on their way, in every place of the interrupt controllers.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/backends/kvm/rig.h"

/* --- what is refused --- */

/* A number of a class that only this KVM, or this VP, refuses: what no processor holds is tests/state's. */
static void what_this_vp_does_not_hold_is_refused(void **state)
{
    static const struct {
        unsigned vp_class;
        const char *field;
        uint32_t element;
        uint64_t number;
        const char *text;
    } rows[] = {
        {VMR_VP_XCR0, "value", 0, UINT64_C(1) << 62 | 1, "xcr0: value"},
        {VMR_VP_XSAVE, "length", 0, 1024, "xsave: length: 1024"},
        {VMR_VP_XSAVE, "bytes", 519, 0x80, "xsave: bytes[512]"},
        {VMR_VP_XSAVE, "bytes", 160, 1, "xsave: bytes: of component 1"},
        {VMR_VP_XSAVE, "bytes", 32, 1, "xsave: bytes: of component 0"},
        {VMR_VP_MCG, "cap", 0, 0x123, "mcg: cap"},
        {VMR_VP_MCG, "ctl", 0, 0x123, "mcg: ctl"},
        {VMR_VP_APIC, "page", 0x30, 0x99, "apic: page[0x30]"},
        {VMR_VP_APIC, "base", 0, 0x80000fee00900, "apic: base"},
        {VMR_VP_ACTIVITY, "smm", 0, 1, "activity: smm"},
        {VMR_VP_ACTIVITY, "activity", 0, VMR_ACTIVITY_HALTED, "activity: activity"},
        {VMR_VP_TSC_DEADLINE, "value", 0, 0x123456789abcdef, "tsc-deadline: value"},
        {VMR_VP_REGISTERS, "cr4", 0, 0x100000000, "registers: cr0"},
        {VMR_VP_REGISTERS, "apic-base", 0, 0x80000fee00900, "registers: cr0"},
    };
    static uint8_t value[RIG_VALUE_MAX], read[RIG_VALUE_MAX];

    (void)state;
    for (unsigned i = 0; i < VMR_IRQCHIP_COUNT * sizeof(rows) / sizeof(rows[0]); i++) {
        size_t row = i / VMR_IRQCHIP_COUNT;
        unsigned vp_class = rows[row].vp_class, chip = i % VMR_IRQCHIP_COUNT;
        const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)vp_class);
        const struct vmr_state_field *field = type->fields;
        struct vmr_error err;
        struct rig rig;

        rig_start(&rig, (enum vmr_irqchip)chip);
        /* A VP whose APIC is KVM's may halt there, and a base with 52 bits is one on the largest machines. */
        bool is_taken = (vp_class == VMR_VP_ACTIVITY && rows[row].number == VMR_ACTIVITY_HALTED && chip > 0) ||
                        (rows[row].number >> 51 == 1 && rig.caps.physical_bits == 52);

        while (strcmp(field->name, rows[row].field) != 0)
            field++;
        if (rig_has(&rig, vp_class) && !is_taken) {
            vmr_x86_at_reset((enum vmr_vp_class)vp_class, &rig.info, value);
            assert_true(vmr_state_put(field, value, rows[row].element, rows[row].number));
            if (rig_try_set(&rig, vp_class, value, &err) != VMR_E_CONFIG)
                fail_msg("row %zu, irqchip %s: %s", row, rig_chip_names[chip], err.message);
            if (strncmp(err.message, rows[row].text, strlen(rows[row].text)) != 0)
                fail_msg("row %zu: %s", row, err.message);
            rig_get(&rig, vp_class, read);
            vmr_x86_at_reset((enum vmr_vp_class)vp_class, &rig.info, value);
            assert_int_equal(rig_report(type, read, value, false), 0);
        }
        fixture_finish(&rig.fixture);
    }
}

/* Whatever is in a value, KVM or we refuse it, or take it; the VP lives, and what it was given back is taken again. */
static void any_bytes_do_no_harm(void **state)
{
    static uint8_t value[RIG_VALUE_MAX], good[RIG_VALUE_MAX];
    uint64_t seed = 12345;

    (void)state;
    for (unsigned chip = 0; chip < VMR_IRQCHIP_COUNT; chip++) {
        struct rig rig;

        rig_start(&rig, (enum vmr_irqchip)chip);
        for (unsigned i = 0; i < 200 * VMR_VP_CLASS_COUNT; i++) {
            unsigned vp_class = i % VMR_VP_CLASS_COUNT;
            const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)vp_class);
            struct vmr_error err;

            if (!rig_has(&rig, vp_class))
                continue;
            rig_get(&rig, vp_class, value);
            /* A few numbers of the present value become others, so that some are taken. */
            for (unsigned j = 0; j < 1 + i % 3; j++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                const struct vmr_state_field *field = &type->fields[(seed >> 33) % type->field_count];
                uint64_t number = seed >> 7 >> (seed >> 58);

                (void)vmr_state_put(field, value, (uint32_t)((seed >> 20) % field->count),
                                    field->kind == VMR_FIELD_FLAG ? number & 1
                                    : field->width == 8           ? number
                                                                  : number & ((UINT64_C(1) << 8 * field->width) - 1));
            }
            (void)rig_try_set(&rig, vp_class, value, &err);
            rig_get(&rig, vp_class, good);
            if (vp_class != VMR_VP_TSC_DEADLINE)
                rig_set(&rig, vp_class, good);
        }
        rig_reset(&rig);
        assert_int_equal(rig_differences(&rig), 0);
        fixture_finish(&rig.fixture);
    }
}

/* --- events --- */

/* A start-up IPI that waits is taken by the first look, as KVM does it, also by one at the registers. */
static void a_startup_that_waits_is_in_the_registers(void **state)
{
    struct vmr_x86_activity_state activity = {
        .activity = VMR_ACTIVITY_WAIT_FOR_SIPI, .sipi_pending = true, .sipi_vector = 0x12};
    struct vmr_x86_regs regs;
    struct rig rig;

    (void)state;
    for (unsigned chip = VMR_IRQCHIP_SPLIT; chip <= VMR_IRQCHIP_KERNEL; chip++) {
        rig_start(&rig, (enum vmr_irqchip)chip);
        rig_set(&rig, VMR_VP_ACTIVITY, &activity);
        rig_get(&rig, VMR_VP_REGISTERS, &regs);
        assert_int_equal(regs.cs.base, 0x12000);
        assert_int_equal(regs.rip, 0);
        fixture_finish(&rig.fixture);
    }
}

/* An interrupt of the library's PIC, given to KVM and not taken yet, can be seen and taken back. */
static void an_interrupt_on_its_way_is_state(void **state)
{
    (void)state;
    for (unsigned chip = VMR_IRQCHIP_USER; chip <= VMR_IRQCHIP_SPLIT; chip++) {
        struct vmr_x86_activity_state activity;
        struct rig rig;

        rig_start(&rig, (enum vmr_irqchip)chip);
        fixture_load_handler(&rig.fixture, 0x31);
        LOAD(&rig.fixture, 0xfb, 0xe6, 0x10, 0xe6, 0x11, 0xf4); /* sti; out 0x10,al; out 0x11,al; hlt */
        assert_int_equal(machine_step(&rig.fixture.machine)->u.io.port, 0x10);
        assert_int_equal(rig.fixture.backend->vp_interrupt(rig.fixture.machine.vp, 0x31), VMR_OK);
        rig_get(&rig, VMR_VP_ACTIVITY, &activity);
        assert_int_equal(activity.injected.kind, VMR_X86_EVENT_INTERRUPT);
        assert_int_equal(activity.injected.vector, 0x31);
        const struct vmr_x86_activity_state with = activity;

        activity.injected = (struct vmr_x86_event){0};
        rig.fixture.backend->vp_complete(rig.fixture.machine.vp, &rig.fixture.machine.exit);
        rig_set(&rig, VMR_VP_ACTIVITY, &activity);
        assert_int_equal(machine_step(&rig.fixture.machine)->u.io.port, 0x11);
        rig.fixture.backend->vp_complete(rig.fixture.machine.vp, &rig.fixture.machine.exit);
        rig_set(&rig, VMR_VP_ACTIVITY, &with);
        assert_int_equal(machine_step(&rig.fixture.machine)->u.io.port, 0x40); /* the handler's */
        fixture_finish(&rig.fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_this_vp_does_not_hold_is_refused),
        cmocka_unit_test(any_bytes_do_no_harm),
        cmocka_unit_test(a_startup_that_waits_is_in_the_registers),
        cmocka_unit_test(an_interrupt_on_its_way_is_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
