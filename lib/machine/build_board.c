/* SPDX-License-Identifier: MIT */
/*
 * The board: which parts of the platform, and which devices of the registry.
 * Parameters come from a file as likely as not, so each is held against its
 * type's table before a device sees it.
 */

#include <inttypes.h>
#include <string.h>

#include "lib/config/rules.h"
#include "lib/machine/build.h"

#define ALL_PARTS ((1u << VMR_PLATFORM_PART_COUNT) - 1)

struct board {
    const struct vmr_resource_registry *registry;
    struct vmr_config_report *report;
    struct config_path path;
    struct vmr_machine_device *devices; /* room for all */
    size_t count;
    uint32_t parts;
};

static const struct vmr_resource_parameter *find_parameter(const struct vmr_resource_type *type, const char *name)
{
    for (size_t i = 0; i < type->parameter_count; i++) {
        if (strcmp(type->parameters[i].name, name) == 0)
            return &type->parameters[i];
    }
    return NULL;
}

static bool has_parameter(const struct vmr_resource *resource, const char *name)
{
    for (size_t i = 0; i < resource->parameter_count; i++) {
        if (strcmp(resource->parameters[i].name, name) == 0)
            return true;
    }
    return false;
}

static const char *kind_name(enum vmr_parameter_kind kind)
{
    static const char *const names[VMR_PARAMETER_KIND_COUNT] = {[VMR_PARAMETER_BOOL] = "true or false",
                                                                [VMR_PARAMETER_NUMBER] = "a number",
                                                                [VMR_PARAMETER_TEXT] = "a text",
                                                                [VMR_PARAMETER_RESOURCE] = "a resource"};

    return names[kind];
}

static void check_parameter(struct board *board, const struct vmr_resource_type *type,
                            const struct vmr_parameter *parameter)
{
    const struct vmr_resource_parameter *known = find_parameter(type, parameter->name);
    const struct vmr_config_rule *rule = &rules_build[RULE_BUILD_PARAMETER];
    uint64_t maximum = known && known->maximum != 0 ? known->maximum : UINT64_MAX;

    if (!known)
        report_add(board->report, rule, &board->path, "'%s' takes no parameter '%s'", type->id, parameter->name);
    else if (parameter->kind != known->kind)
        report_add(board->report, rule, &board->path, "'%s' of '%s' is not %s", parameter->name, type->id,
                   kind_name(known->kind));
    else if (parameter->kind == VMR_PARAMETER_NUMBER &&
             (parameter->number < known->minimum || parameter->number > maximum))
        report_add(board->report, rule, &board->path, "'%s' of '%s' is %" PRIu64 ", not %" PRIu64 " to %" PRIu64,
                   parameter->name, type->id, parameter->number, known->minimum, maximum);
}

static void check_parameters(struct board *board, const struct vmr_resource_type *type,
                             const struct vmr_resource *resource)
{
    size_t whole = path_key(&board->path, "parameters");

    for (size_t i = 0; i < resource->parameter_count; i++) {
        size_t before = path_key(&board->path, resource->parameters[i].name);

        check_parameter(board, type, &resource->parameters[i]);
        path_cut(&board->path, before);
    }
    path_cut(&board->path, whole);
    for (size_t i = 0; i < type->parameter_count; i++) {
        if (type->parameters[i].required && !has_parameter(resource, type->parameters[i].name))
            report_add(board->report, &rules_build[RULE_BUILD_PARAMETER], &board->path, "'%s' needs a parameter '%s'",
                       type->id, type->parameters[i].name);
    }
}

/* The path is that of the resource. */
static void place_device(struct board *board, enum vmr_resource_kind kind, const struct vmr_machine_device *wanted)
{
    const struct vmr_resource_type *type = vmr_resource_registry_find(board->registry, kind, wanted->resource->id);

    if (!type) {
        report_add(board->report, &rules_build[RULE_BUILD_RESOURCE], &board->path, "there is no %s '%s'",
                   vmr_resource_kind_name(kind), wanted->resource->id);
        return;
    }
    check_parameters(board, type, wanted->resource);
    if (type->platform_part == 0) {
        board->devices[board->count] = *wanted;
        board->devices[board->count++].type = type;
        return;
    }
    uint32_t part = 1u << (type->platform_part - 1);

    if (board->parts & part)
        report_add(board->report, &rules_build[RULE_BUILD_TWICE], &board->path, "there is a '%s' already", type->id);
    board->parts |= part;
}

static void place_chipset_devices(struct board *board, const struct vmr_config *config)
{
    for (size_t i = 0; i < config->chipset_device_count; i++) {
        const struct vmr_chipset_device_config *device = &config->chipset_devices[i];
        const struct vmr_machine_device wanted = {.resource = &device->resource, .name = device->name};

        board->path = (struct config_path){.length = 0};
        (void)path_key(&board->path, "chipset_devices");
        (void)path_index(&board->path, i);
        (void)path_key(&board->path, "resource");
        place_device(board, VMR_RESOURCE_CHIPSET_DEVICE, &wanted);
    }
}

static void place_virtio_devices(struct board *board, const struct vmr_resolved *resolved)
{
    const struct vmr_config *config = resolved->config;
    uint32_t slot = 0;

    for (size_t i = 0; i < config->virtio_device_count; i++) {
        const struct vmr_virtio_config *device = &config->virtio_devices[i];

        board->path = (struct config_path){.length = 0};
        (void)path_key(&board->path, "virtio_devices");
        (void)path_index(&board->path, i);
        if (device->bus != VMR_VIRTIO_MMIO) {
            report_add(board->report, &rules_build[RULE_BUILD_DEVICE], &board->path, "there is no PCI bus for it");
            continue;
        }
        const struct vmr_resolved_virtio_mmio *mmio = &resolved->virtio_mmio[slot++];
        const struct vmr_machine_device wanted = {
            .resource = &device->resource, .name = device->resource.id, .range = mmio->range, .gsi = mmio->irq};

        (void)path_key(&board->path, "resource");
        place_device(board, VMR_RESOURCE_VIRTIO_DEVICE, &wanted);
    }
}

/* The chipset's own fields, as parts; its controllers are always there. */
static uint32_t chipset_parts(const struct vmr_chipset_config *chipset)
{
    return (chipset->generic_cmos_rtc ? 1u << VMR_PLATFORM_CMOS : 0) |
           (chipset->generic_pit ? 1u << VMR_PLATFORM_PIT : 0) |
           (chipset->generic_pci_bus ? 1u << VMR_PLATFORM_PCI : 0);
}

static void check_chipset(struct board *board, const struct vmr_config *config)
{
    const struct vmr_chipset_config *chipset = &config->chipset;
    const struct vmr_chipset_capabilities *told = &config->chipset_capabilities;
    const struct {
        const char *path;
        bool told, there;
    } capabilities[] = {
        {"chipset_capabilities.ioapic", told->ioapic, true},
        {"chipset_capabilities.pic", told->pic, true},
        {"chipset_capabilities.pit", told->pit, board->parts >> VMR_PLATFORM_PIT & 1u},
        {"chipset_capabilities.generic_isa_dma", told->generic_isa_dma, false},
        {"chipset_capabilities.psp", told->psp, false},
        {"chipset_capabilities.guest_watchdog", told->guest_watchdog, false},
        {"chipset_capabilities.i440bx_host_pci_bridge", told->i440bx_host_pci_bridge, false},
    };

    for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        board->path = (struct config_path){.length = 0};
        (void)path_key(&board->path, capabilities[i].path);
        if (capabilities[i].told && !capabilities[i].there)
            report_add(board->report, &rules_build[RULE_BUILD_CAPABILITY], &board->path, "it is not there");
    }
    board->path = (struct config_path){.length = 0};
    (void)path_key(&board->path, "chipset");
    if (board->parts != ALL_PARTS && !(chipset->generic_pic && chipset->generic_ioapic))
        report_add(board->report, &rules_build[RULE_BUILD_CONTROLLERS], &board->path, "it has %s",
                   chipset->generic_pic      ? "a PIC and no IO-APIC"
                   : chipset->generic_ioapic ? "an IO-APIC and no PIC"
                                             : "neither PIC nor IO-APIC");
}

static bool names_a_board(const struct vmr_config *config)
{
    static const struct vmr_chipset_config none;

    return memcmp(&config->chipset, &none, sizeof(none)) != 0 || config->chipset_device_count > 0;
}

enum vmr_status build_board(const struct vmr_resolved *resolved, const struct vmr_resource_registry *registry,
                            struct machine_plan *plan, struct vmr_config_report *report)
{
    const struct vmr_config *config = resolved->config;
    size_t most = config->chipset_device_count + config->virtio_device_count;
    struct board board = {.registry = registry, .report = report};

    board.devices = arena_alloc(&plan->arena, most, sizeof(*board.devices));
    if (!board.devices)
        return VMR_E_NOMEM;
    if (names_a_board(config))
        board.parts = chipset_parts(&config->chipset);
    else
        board.parts = ALL_PARTS;
    place_chipset_devices(&board, config);
    place_virtio_devices(&board, resolved);
    check_chipset(&board, config);
    plan->options.platform_without = ALL_PARTS & ~board.parts;
    plan->options.devices = board.devices;
    plan->options.device_count = board.count;
    return VMR_OK;
}
