/* SPDX-License-Identifier: MIT */
/*
 * A VP on the real /dev/kvm, seen class by class.
 */

#include "tests/backends/kvm/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"

const char *const rig_chip_names[VMR_IRQCHIP_COUNT] = {"user", "split", "kernel"};

const struct vmr_backend_state *rig_ops(void)
{
    return vmr_kvm_backend()->state;
}

static uint32_t cpuid_1_eax(const struct rig *rig)
{
    struct vmr_cpuid_entry entries[VMR_CPUID_LEAF_MAX];
    size_t count = 0;

    assert_int_equal(
        rig->fixture.backend->cpuid(&rig->fixture.machine.handle, entries, VMR_CPUID_LEAF_MAX, &count, NULL), VMR_OK);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].leaf == 1)
            return entries[i].eax;
    }
    return 0;
}

void rig_start(struct rig *rig, enum vmr_irqchip irqchip)
{
    const struct machine_options options = {.irqchip = irqchip};

    *rig = (struct rig){0};
    fixture_start(&rig->fixture, &options);
    assert_int_equal(vmr_kvm_backend()->caps(&rig->fixture.machine.handle, &rig->caps, NULL), VMR_OK);
    rig->info.cpuid_1_eax = cpuid_1_eax(rig);
    rig_ops()->vp_reset_info(rig->fixture.machine.vp, &rig->info);
}

bool rig_has(const struct rig *rig, unsigned vp_class)
{
    return (rig->caps.vp_classes >> vp_class & 1u) != 0;
}

void rig_get(struct rig *rig, unsigned vp_class, void *ret_value)
{
    struct vmr_error err = {0};

    memset(ret_value, 0, vmr_vp_class_type((enum vmr_vp_class)vp_class)->size);
    if (rig_ops()->vp_get_state(rig->fixture.machine.vp, 0, (enum vmr_vp_class)vp_class, ret_value, &err) != VMR_OK)
        fail_msg("get %s: %s", vmr_vp_class_type((enum vmr_vp_class)vp_class)->name, err.message);
}

enum vmr_status rig_try_set(struct rig *rig, unsigned vp_class, const void *value, struct vmr_error *err)
{
    *err = (struct vmr_error){0};
    return rig_ops()->vp_set_state(rig->fixture.machine.vp, 0, (enum vmr_vp_class)vp_class, value, err);
}

void rig_set(struct rig *rig, unsigned vp_class, const void *value)
{
    struct vmr_error err;

    if (rig_try_set(rig, vp_class, value, &err) != VMR_OK)
        fail_msg("set %s: %s", vmr_vp_class_type((enum vmr_vp_class)vp_class)->name, err.message);
}

unsigned rig_report(const struct vmr_state_type *type, const void *left, const void *right, bool with_moving)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        for (uint32_t element = 0; element < field->count && (with_moving || !field->moves); element++) {
            uint64_t a = vmr_state_get(field, left, element), b = vmr_state_get(field, right, element);

            if (a != b)
                print_message("  %s.%s[%u]: %#llx, expected %#llx\n", type->name, field->name, element,
                              (unsigned long long)a, (unsigned long long)b);
            count += a != b;
        }
    }
    return count;
}

unsigned rig_differences(struct rig *rig)
{
    static uint8_t value[RIG_VALUE_MAX], expected[RIG_VALUE_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        if (!rig_has(rig, i))
            continue;
        rig_get(rig, i, value);
        vmr_x86_at_reset((enum vmr_vp_class)i, &rig->info, expected);
        count += rig_report(vmr_vp_class_type((enum vmr_vp_class)i), value, expected, false);
    }
    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++) {
        if ((rig->caps.vm_classes >> i & 1u) == 0)
            continue;
        memset(value, 0, sizeof(value));
        assert_int_equal(rig_ops()->vm_get_state(rig->fixture.machine.vm, (enum vmr_vm_class)i, value, NULL), VMR_OK);
        vmr_x86_vm_at_reset((enum vmr_vm_class)i, expected);
        count += rig_report(vmr_vm_class_type((enum vmr_vm_class)i), value, expected, false);
    }
    return count;
}

void rig_reset(struct rig *rig)
{
    static uint8_t value[RIG_VALUE_MAX];
    struct vmr_error err = {0};

    assert_int_equal(rig_ops()->vm_reset(rig->fixture.machine.vm, &err), VMR_OK);
    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++) {
        if ((rig->caps.vm_classes >> i & 1u) == 0)
            continue;
        vmr_x86_vm_at_reset((enum vmr_vm_class)i, value);
        assert_int_equal(rig_ops()->vm_set_state(rig->fixture.machine.vm, (enum vmr_vm_class)i, value, &err), VMR_OK);
    }
    if (rig_ops()->vp_reset(rig->fixture.machine.vp, &err) != VMR_OK)
        fail_msg("reset: %s", err.message);
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        if (!rig_has(rig, i))
            continue;
        vmr_x86_at_reset((enum vmr_vp_class)i, &rig->info, value);
        rig_set(rig, i, value);
    }
}
