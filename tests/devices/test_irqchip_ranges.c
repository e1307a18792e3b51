/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controllers on the buses: what they claim, what they give back,
 * and that every access of every VP comes out the right end.
 */

#include "lib/devices/irqchip_set.h"

#include "tests/devices/irqchip_rig.h"

static uint64_t no_read(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return 0;
}

static void no_write(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)device;
    (void)access;
    (void)value;
}

static const struct vmr_device_ops none = {.read = no_read, .write = no_write};

static bool port_is_claimed(struct rig *rig, uint16_t port)
{
    struct vmr_bus_range range = {.name = "probe", .start = port, .length = 1, .ops = &none};

    if (vmr_bus_claim(rig->ports, &range, NULL))
        return true;
    assert_int_equal(vmr_bus_release(rig->ports, port, NULL), VMR_OK);
    return false;
}

static bool page_is_claimed(struct rig *rig, uint64_t gpa)
{
    struct vmr_bus_range range = {.name = "probe", .start = gpa, .length = 0x1000, .ops = &none};

    if (vmr_bus_claim(rig->mmio, &range, NULL))
        return true;
    assert_int_equal(vmr_bus_release(rig->mmio, gpa, NULL), VMR_OK);
    return false;
}

static void the_options_decide_what_is_claimed(void **state)
{
    static const struct {
        const char *name;
        struct vmr_irqchip_options options;
        bool pic, ioapic, lapic;
    } cases[] = {
        {"all", {.vp_count = 1}, true, true, true},
        {"split", {.vp_count = 1, .split = true}, true, true, false},
        {"no PIC", {.vp_count = 1, .without_pic = true}, false, true, true},
        {"no IO-APIC", {.vp_count = 1, .without_ioapic = true}, true, false, true},
        {"nothing", {.vp_count = 1, .split = true, .without_pic = true, .without_ioapic = true}, false, false, false},
    };
    static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;

        print_message("%s\n", cases[i].name);
        rig_init(&rig, cases[i].options);
        for (size_t port = 0; port < 6; port++)
            assert_int_equal(port_is_claimed(&rig, ports[port]), cases[i].pic);
        assert_int_equal(page_is_claimed(&rig, VMR_IOAPIC_GPA), cases[i].ioapic);
        assert_int_equal(page_is_claimed(&rig, VMR_LAPIC_GPA), cases[i].lapic);
        vmr_irqchip_destroy(rig.chip);
        rig.chip = NULL;
        for (size_t port = 0; port < 6; port++)
            assert_false(port_is_claimed(&rig, ports[port]));
        assert_false(page_is_claimed(&rig, VMR_IOAPIC_GPA));
        assert_false(page_is_claimed(&rig, VMR_LAPIC_GPA));
        rig_finish(&rig);
    }
}

static void a_range_that_is_taken_leaves_nothing_claimed(void **state)
{
    struct vmr_bus_range range = {.name = "other", .start = VMR_LAPIC_GPA + 8, .length = 1, .ops = &none};
    struct vmr_irqchip_options options = {.vp_count = 1};
    struct vmr_irqchip_set *chip = NULL;
    struct vmr_error err = {0};
    struct rig rig;

    (void)state;
    rig_init_host(&rig);
    options.host = &rig.host;
    assert_int_equal(vmr_bus_claim(rig.mmio, &range, NULL), VMR_OK);
    assert_int_not_equal(vmr_irqchip_create(&options, rig.ports, rig.mmio, &chip, &err), VMR_OK);
    assert_null(chip);
    assert_non_null(strstr(err.message, "lapic"));
    assert_non_null(strstr(err.message, "other"));
    assert_false(port_is_claimed(&rig, 0x20));
    assert_false(page_is_claimed(&rig, VMR_IOAPIC_GPA));
    rig_finish(&rig);
}

static void each_vp_sees_its_own_local_apic(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 3});
    for (vmr_vp_index vp = 0; vp < 3; vp++)
        rig_lapic_set(&rig, vp, 0x80, 0x10 * (vp + 1));
    for (vmr_vp_index vp = 0; vp < 3; vp++) {
        assert_int_equal(rig_lapic_get(&rig, vp, 0x20), vp << 24);
        assert_int_equal(rig_lapic_get(&rig, vp, 0x80), 0x10 * (vp + 1));
    }
    assert_int_equal(rig_lapic_get(&rig, 3, 0x20), UINT32_MAX); /* a VP that does not exist */
    rig_lapic_set(&rig, 3, 0x80, 0);
    rig_finish(&rig);
}

static void wide_accesses_are_cut_to_registers(void **state)
{
    struct rig rig;
    struct vmr_access wide = {.address = VMR_LAPIC_GPA + 0x80, .size = 8};

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 1});
    vmr_bus_write(rig.mmio, &wide, UINT64_C(0xffffffff00000020));
    assert_true(vmr_bus_read(rig.mmio, &wide) == 0x20);
    rig_ioapic_set(&rig, 0, 0x05000000);
    assert_true(vmr_bus_read(rig.mmio, &(struct vmr_access){.address = VMR_IOAPIC_GPA + 0x10, .size = 8}) ==
                0x05000000);
    rig_finish(&rig);
}

/* Everything, by every size, from every VP and one that is none; then the chip still works. */
static void any_access_is_harmless(void **state)
{
    static const uint64_t patterns[] = {0, UINT64_MAX, UINT64_C(0x5a5a5a5a5a5a5a5a), UINT64_C(0x000c4041000c4041)};
    static const uint64_t pages[] = {VMR_LAPIC_GPA, VMR_IOAPIC_GPA};
    struct rig rig;

    (void)state;
    rig_init(&rig, (struct vmr_irqchip_options){.vp_count = 2});
    for (uint64_t step = 0; step < 2 * 0x1000 * 16; step++) {
        struct vmr_access access = {.address = pages[step & 1] + (step >> 5),
                                    .size = (uint8_t)(1u << (step >> 1 & 3)),
                                    .vp = (vmr_vp_index)(step % 3)};

        vmr_bus_write(rig.mmio, &access, patterns[step >> 3 & 3]);
        (void)vmr_bus_read(rig.mmio, &access);
    }
    for (uint32_t step = 0; step < 0x4000; step++) {
        static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};

        rig_out(&rig, ports[step % 6], (uint8_t)(step * 37));
        (void)rig_in(&rig, ports[step % 5]);
    }
    rig_program_pic(&rig);
    rig_lapic_set(&rig, 0, 0x0f0, 0x1ff);
    rig_lapic_set(&rig, 0, 0x350, 0x700);
    assert_true(rig.ops->irq(rig.chip, 5, false));
    rig_out(&rig, 0x4d0, 0);
    assert_true(rig.ops->irq(rig.chip, 5, true));
    assert_int_equal(rig_take(&rig, 0), 0x0d);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_options_decide_what_is_claimed),
        cmocka_unit_test(a_range_that_is_taken_leaves_nothing_claimed),
        cmocka_unit_test(each_vp_sees_its_own_local_apic),
        cmocka_unit_test(wide_accesses_are_cut_to_registers),
        cmocka_unit_test(any_access_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
