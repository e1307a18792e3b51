/* SPDX-License-Identifier: MIT */
/*
 * Boards: the whole small PC, or what was named; devices of a registry with
 * parameters that are theirs.
 */

#include "tests/machine/build_rig.h"

static struct vmr_resource_registry registry;
static unsigned made;
static struct vmr_resource_place last_place;
static uint64_t last_number;

static enum vmr_status make(void *context, const struct vmr_resource *resource, const struct vmr_resource_place *place,
                            void **ret_device, struct vmr_error *err)
{
    (void)context;
    (void)err;
    made++;
    last_place = *place;
    last_number = resource->parameter_count ? resource->parameters[0].number : 0;
    *ret_device = &made;
    return VMR_OK;
}

static void unmake(void *device)
{
    (*(unsigned *)device)--;
}

static const struct vmr_resource_parameter parameters[] = {
    {.name = "port", .kind = VMR_PARAMETER_NUMBER, .required = true, .minimum = 1, .maximum = 100},
    {.name = "fast", .kind = VMR_PARAMETER_BOOL},
};
static const struct vmr_resource_type chip = {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
                                              .id = "chip",
                                              .parameters = parameters,
                                              .parameter_count = COUNT(parameters),
                                              .create = make,
                                              .destroy = unmake},
                                      disk = {.kind = VMR_RESOURCE_VIRTIO_DEVICE,
                                              .id = "disk",
                                              .create = make,
                                              .destroy = unmake};

static void init(struct build_rig *rig)
{
    build_rig_init(rig);
    vmr_resource_registry_init(&registry);
    assert_int_equal(vmr_resource_registry_add(&registry, &chip, NULL), VMR_OK);
    assert_int_equal(vmr_resource_registry_add(&registry, &disk, NULL), VMR_OK);
    rig->options.registry = &registry;
    made = 0;
}

static bool has_unit(const struct build_rig *rig, const char *name)
{
    struct vmr_state_unit units[8];
    size_t count = vmr_platform_state_units(vmr_machine_platform(rig->machine), units, 8);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].type->name, name) == 0)
            return true;
    }
    return false;
}

static void a_board_that_names_nothing_is_the_small_pc(void **state)
{
    static const char *const names[] = {"serial", "cmos", "pit", "keyboard-controller", "pci", "fw-cfg"};
    struct build_rig rig;

    (void)state;
    init(&rig);
    build_rig_build(&rig);
    for (size_t i = 0; i < COUNT(names); i++)
        assert_true(has_unit(&rig, names[i]));
    build_rig_finish(&rig);
}

static void a_board_that_names_its_parts_has_them_and_no_others(void **state)
{
    static const struct vmr_chipset_device_config devices[] = {{.name = "com1", .resource = {.id = "serial"}}};
    struct build_rig rig;

    (void)state;
    init(&rig);
    rig.config.chipset = (struct vmr_chipset_config){.generic_pic = true, .generic_ioapic = true, .generic_pit = true};
    rig.config.chipset_devices = devices;
    rig.config.chipset_device_count = 1;
    rig.config.chipset_capabilities = (struct vmr_chipset_capabilities){.ioapic = true, .pic = true, .pit = true};
    build_rig_build(&rig);
    assert_true(has_unit(&rig, "serial") && has_unit(&rig, "pit"));
    assert_false(has_unit(&rig, "cmos") || has_unit(&rig, "keyboard-controller") || has_unit(&rig, "pci") ||
                 has_unit(&rig, "fw-cfg"));
    build_rig_finish(&rig);
}

static void devices_of_the_registry_are_made_where_they_belong(void **state)
{
    static const struct vmr_parameter port = {.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = 42};
    static const struct vmr_chipset_device_config device = {
        .name = "mine", .resource = {.id = "chip", .parameters = &port, .parameter_count = 1}};
    static const struct vmr_virtio_config virtio = {.bus = VMR_VIRTIO_MMIO, .resource = {.id = "disk"}};
    struct build_rig rig;

    (void)state;
    init(&rig);
    rig.config.chipset = (struct vmr_chipset_config){.generic_pic = true, .generic_ioapic = true};
    rig.config.chipset_devices = &device;
    rig.config.chipset_device_count = 1;
    build_rig_build(&rig);
    assert_int_equal(made, 1);
    assert_int_equal(last_number, 42);
    rig.config.chipset_device_count = 0;
    rig.config.chipset = (struct vmr_chipset_config){.generic_pic = false};
    rig.config.virtio_devices = &virtio;
    rig.config.virtio_device_count = 1;
    build_rig_build(&rig);
    assert_int_equal(made, 1);
    assert_int_equal(last_place.range.end - last_place.range.start, 4096);
    assert_true(last_place.range.end <= 4 * GIB);
    assert_int_equal(last_place.gsi, 16);
    build_rig_finish(&rig);
    assert_int_equal(made, 0);
}

/* A table, and five lines that go through it. */
static void what_no_device_takes_is_refused_at_its_place(void **state)
{
    static const struct vmr_parameter low = {.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = 0},
                                      high = {.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = 101},
                                      text = {.name = "port", .kind = VMR_PARAMETER_TEXT, .text = "1"},
                                      good_and_odd[] = {{.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = 1},
                                                        {.name = "odd", .kind = VMR_PARAMETER_BOOL}};
    static const struct {
        struct vmr_resource resource;
        const char *code, *path, *said;
    } cases[] = {
        {{.id = "nothing"}, "CFG-BUILD-RESOURCE", "chipset_devices[0].resource", "chipset-device 'nothing'"},
        {{.id = "disk"}, "CFG-BUILD-RESOURCE", "chipset_devices[0].resource", "'disk'"},
        {{.id = "chip"}, "CFG-BUILD-PARAMETER", "chipset_devices[0].resource", "needs a parameter 'port'"},
        {{.id = "chip", .parameters = &low, .parameter_count = 1},
         "CFG-BUILD-PARAMETER",
         "chipset_devices[0].resource.parameters.port",
         "is 0, not 1 to 100"},
        {{.id = "chip", .parameters = &high, .parameter_count = 1},
         "CFG-BUILD-PARAMETER",
         "chipset_devices[0].resource.parameters.port",
         "is 101"},
        {{.id = "chip", .parameters = &text, .parameter_count = 1},
         "CFG-BUILD-PARAMETER",
         "chipset_devices[0].resource.parameters.port",
         "not a number"},
        {{.id = "chip", .parameters = good_and_odd, .parameter_count = 2},
         "CFG-BUILD-PARAMETER",
         "chipset_devices[0].resource.parameters.odd",
         "no parameter 'odd'"},
        {{.id = "serial", .parameters = good_and_odd, .parameter_count = 1},
         "CFG-BUILD-PARAMETER",
         "chipset_devices[0].resource.parameters.port",
         "'serial' takes no"},
    };
    struct build_rig rig;

    (void)state;
    init(&rig);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct vmr_chipset_device_config device = {.name = "it", .resource = cases[i].resource};

        rig.config.chipset = (struct vmr_chipset_config){.generic_pic = true, .generic_ioapic = true};
        rig.config.chipset_devices = &device;
        rig.config.chipset_device_count = 1;
        build_rig_refuse(&rig, VMR_E_UNSUPPORTED, cases[i].code, cases[i].path, cases[i].said);
    }
    build_rig_finish(&rig);
}

static void boards_that_cannot_be_are_refused(void **state)
{
    static const struct vmr_chipset_device_config twice[] = {{.name = "a", .resource = {.id = "serial"}},
                                                             {.name = "b", .resource = {.id = "serial"}}};
    static const struct vmr_virtio_config on_pci = {.bus = VMR_VIRTIO_PCI, .resource = {.id = "disk"}};
    struct build_rig rig;

    (void)state;
    init(&rig);
    rig.config.chipset = (struct vmr_chipset_config){.generic_pic = true};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-CONTROLLERS", "chipset", "a PIC and no IO-APIC");
    rig.config.chipset = (struct vmr_chipset_config){.generic_ioapic = true};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-CONTROLLERS", "chipset", "an IO-APIC and no PIC");
    rig.config.chipset = (struct vmr_chipset_config){.generic_pit = true};
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-CONTROLLERS", "chipset", "neither");
    rig.config.chipset = (struct vmr_chipset_config){.generic_pic = true, .generic_ioapic = true};
    rig.config.chipset_capabilities.pit = true;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-CAPABILITY", "chipset_capabilities.pit", "not there");
    rig.config.chipset_capabilities.pit = false;
    rig.config.chipset_devices = twice;
    rig.config.chipset_device_count = 2;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-TWICE", "chipset_devices[1].resource", "'serial' already");
    rig.config.chipset_device_count = 0;
    rig.config.chipset.generic_pci_bus = true;
    rig.config.virtio_devices = &on_pci;
    rig.config.virtio_device_count = 1;
    build_rig_refuse(&rig, VMR_E_UNSUPPORTED, "CFG-BUILD-DEVICE", "virtio_devices[0]", "no PCI bus");
    build_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_that_names_nothing_is_the_small_pc),
        cmocka_unit_test(a_board_that_names_its_parts_has_them_and_no_others),
        cmocka_unit_test(devices_of_the_registry_are_made_where_they_belong),
        cmocka_unit_test(what_no_device_takes_is_refused_at_its_place),
        cmocka_unit_test(boards_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
