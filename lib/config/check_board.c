/* SPDX-License-Identifier: MIT */
/*
 * What is added to the board: chipset devices by name, those of the legacy PCI
 * bus also by their place, and what firmware is told of it all.
 */

#include "lib/config/check.h"

#include "lib/base/field.h"
#include "lib/config/keys.h"

#define RULE(name) &rules_chipset[RULE_CHIPSET_##name]

#define PCI_DEVICE_MAX 31u
#define PCI_FUNCTION_MAX 7u

/* --- names --- */

static const char *name_of(const struct vmr_config *config, size_t id)
{
    if (id < config->chipset_device_count)
        return config->chipset_devices[id].name;
    return config->pci_chipset_devices[id - config->chipset_device_count].name;
}

static void check_name(struct check *check, const struct keys *names, size_t id)
{
    const struct vmr_config *config = &check->config;
    const struct key key = key_of_text(name_of(config, id), id);
    bool is_pci = id >= config->chipset_device_count;

    if (key.size > 0 && keys_find(names, &key) != id)
        FOUND(check, RULE(DEVICE_NAME),
              at(check, "%s[%zu].name", is_pci ? "pci_chipset_devices" : "chipset_devices",
                 is_pci ? id - config->chipset_device_count : id),
              "'%.40s' is another device's", name_of(config, id));
}

/* --- places on the legacy PCI bus --- */

/* Of the board's own devices. */
static const struct {
    size_t offset;
    const char *key;
    uint8_t device, function;
} board[] = {
    {offsetof(struct vmr_chipset_config, i440bx_host_pci_bridge), "i440bx_host_pci_bridge", 0, 0},
    {offsetof(struct vmr_chipset_config, generic_pci_bus), "generic_pci_bus", 0, 0},
    {offsetof(struct vmr_chipset_config, piix4_pci_isa_bridge), "piix4_pci_isa_bridge", 7, 0},
    {offsetof(struct vmr_chipset_config, hyperv_ide), "hyperv_ide", 7, 1},
    {offsetof(struct vmr_chipset_config, piix4_pci_usb_uhci_stub), "piix4_pci_usb_uhci_stub", 7, 2},
    {offsetof(struct vmr_chipset_config, piix4_power_management), "piix4_power_management", 7, 3},
    {offsetof(struct vmr_chipset_config, hyperv_vga), "hyperv_vga", 8, 0},
    {offsetof(struct vmr_chipset_config, underhill_vga_proxy), "underhill_vga_proxy", 8, 0},
};

static struct key key_of_place(const struct vmr_pci_chipset_device_config *device, size_t id)
{
    return (struct key){.number = (uint64_t)device->bus << 16 | (uint64_t)device->device << 8 | device->function,
                        .id = id};
}

static const char *board_device_at(const struct check *check, const struct vmr_pci_chipset_device_config *device)
{
    for (size_t i = 0; device->bus == 0 && i < sizeof(board) / sizeof(board[0]); i++) {
        if (board[i].device == device->device && board[i].function == device->function &&
            field_get(&check->config.chipset, board[i].offset, sizeof(bool)) != 0)
            return board[i].key;
    }
    return NULL;
}

static bool is_in_range(const struct vmr_pci_chipset_device_config *device)
{
    return device->bus == 0 && device->device <= PCI_DEVICE_MAX && device->function <= PCI_FUNCTION_MAX;
}

static void check_place(struct check *check, const struct keys *places, size_t index)
{
    const struct vmr_pci_chipset_device_config *device = &check->config.pci_chipset_devices[index];
    const struct key key = key_of_place(device, index);
    struct vmr_pci_chipset_device_config zero = {.bus = device->bus, .device = device->device};
    const struct key function_zero = key_of_place(&zero, index);

    if (device->bus != 0)
        FOUND(check, RULE(PCI_BUS_NUMBER), at(check, "pci_chipset_devices[%zu].bus", index), "%u, not 0", device->bus);
    if (!is_in_range(device))
        return;
    if (board_device_at(check, device))
        FOUND(check, RULE(PCI_BOARD), at(check, "pci_chipset_devices[%zu].device", index),
              "%u.%u is the place of chipset.%s", device->device, device->function, board_device_at(check, device));
    else if (keys_find(places, &key) != index)
        FOUND(check, RULE(PCI_TAKEN), at(check, "pci_chipset_devices[%zu].device", index), "%u.%u is taken",
              device->device, device->function);
    else if (keys_find(places, &function_zero) == KEYS_NONE && !board_device_at(check, &zero))
        FOUND(check, RULE(PCI_FUNCTION_ZERO), at(check, "pci_chipset_devices[%zu].function", index),
              "%u, and device %u has no function 0", device->function, device->device);
}

static void check_pci_devices(struct check *check, const struct keys *names, const struct keys *places)
{
    const struct vmr_config *config = &check->config;

    if (config->pci_chipset_device_count > 0 && !config->chipset.generic_pci_bus && !config->chipset.piix4_pci_bus)
        FOUND(check, RULE(PCI_BUS_MISSING), at(check, "pci_chipset_devices"),
              "there is neither chipset.generic_pci_bus nor chipset.piix4_pci_bus");
    for (size_t i = 0; i < config->pci_chipset_device_count; i++) {
        check_name(check, names, config->chipset_device_count + i);
        check_place(check, places, i);
    }
}

/* --- the rest --- */

#define CAPABILITY(name) offsetof(struct vmr_chipset_capabilities, name), "chipset_capabilities." #name

static void check_capabilities(struct check *check)
{
    static const struct {
        size_t offset;
        const char *key;
    } x86_alone[] = {
        {CAPABILITY(ioapic)},          {CAPABILITY(pic)}, {CAPABILITY(pit)},
        {CAPABILITY(generic_isa_dma)}, {CAPABILITY(psp)}, {CAPABILITY(i440bx_host_pci_bridge)},
    };

    for (size_t i = 0; is_arm64(check) && i < sizeof(x86_alone) / sizeof(x86_alone[0]); i++) {
        if (field_get(&check->config.chipset_capabilities, x86_alone[i].offset, sizeof(bool)) != 0)
            FOUND(check, RULE(CAPABILITY_ARM64), at(check, "%s", x86_alone[i].key), "on arm64");
    }
}

void check_board(struct check *check)
{
    const struct vmr_config *config = &check->config;
    size_t count = config->chipset_device_count + config->pci_chipset_device_count;
    struct keys names, places;

    if (!keys_init(&names, &check->arena, count) ||
        !keys_init(&places, &check->arena, config->pci_chipset_device_count)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        keys_add(&names, key_of_text(name_of(config, i), i));
    for (size_t i = 0; i < config->pci_chipset_device_count; i++)
        keys_add(&places, key_of_place(&config->pci_chipset_devices[i], i));
    keys_sort(&names);
    keys_sort(&places);
    for (size_t i = 0; i < config->chipset_device_count; i++)
        check_name(check, &names, i);
    check_pci_devices(check, &names, &places);
    if (config->isa_dma_controller.id && is_arm64(check))
        FOUND(check, RULE(DMA_ARM64), at(check, "isa_dma_controller"), "on arm64");
    else if (config->isa_dma_controller.id && config->chipset.generic_isa_dma)
        FOUND(check, RULE(DMA_BOTH), at(check, "isa_dma_controller"), "with chipset.generic_isa_dma");
    check_capabilities(check);
}
