/* SPDX-License-Identifier: MIT */
/*
 * What a machine starts with. Files that are named by a path are opened later;
 * of those that the embedder has, the form is looked at here.
 */

#include "lib/config/check.h"

#include <inttypes.h>
#include <string.h>

#include "lib/config/check_tables.h"

#define RULE(name) &rules_load[RULE_LOAD_##name]

#define CMDLINE_MAX 2047u /* what Linux keeps of it, with a zero behind */
#define PCAT_FIRMWARE_SIZE (256u << 10)
#define UEFI_X86_SIZE_MAX (6u << 20)
#define UEFI_ARM64_SIZE_MAX (8u << 20)
#define FIRMWARE_GRANULE (64u << 10)
#define FIRMWARE_SIZE_MAX (16u << 20)
#define VTL2_GRANULE (UINT64_C(2) << 20)
#define UART_PORTS 8u
#define IOAPIC_INPUTS 24u

static void check_cmdline(struct check *check, const char *cmdline, const char *place)
{
    size_t length = cmdline ? strlen(cmdline) : 0;

    if (length > CMDLINE_MAX)
        FOUND(check, RULE(CMDLINE_LONG), at(check, "%s", place), "%zu characters, at most %u", length, CMDLINE_MAX);
}

static void check_dsdt(struct check *check, const struct vmr_config_blob *dsdt)
{
    const char *fault = dsdt->bytes && dsdt->size > 0 ? config_dsdt_fault(dsdt) : NULL;

    if (fault)
        FOUND(check, RULE(DSDT_HEADER), at(check, "load_mode.linux.custom_dsdt"), "%zu bytes: %s", dsdt->size, fault);
}

static void check_linux(struct check *check, const struct vmr_load_linux *load)
{
    bool device_tree = load->boot_mode == VMR_LINUX_BOOT_DEVICE_TREE;

    check_cmdline(check, load->cmdline, "load_mode.linux.cmdline");
    check_dsdt(check, &load->custom_dsdt);
    if (device_tree && is_x86(check))
        FOUND(check, RULE(DEVICE_TREE_X86), at(check, "load_mode.linux.boot_mode"), "device_tree on x86-64");
    else if (device_tree && blob_is_given(&load->custom_dsdt))
        FOUND(check, RULE(DSDT_DEVICE_TREE), at(check, "load_mode.linux.custom_dsdt"), "given with a device tree");
}

static void check_uefi_load(struct check *check, const struct vmr_load_uefi *load)
{
    uint32_t size_max = is_arm64(check) ? UEFI_ARM64_SIZE_MAX : UEFI_X86_SIZE_MAX;
    const struct vmr_config *config = &check->config;

    if (load->firmware.bytes && load->firmware.size > size_max)
        FOUND(check, RULE(UEFI_SIZE), at(check, "load_mode.uefi.firmware"), "%zu bytes, at most %" PRIu32,
              load->firmware.size, size_max);
    if (is_x86(check) && !config->hypervisor.with_hv)
        FOUND(check, RULE(UEFI_HV), at(check, "load_mode.uefi"), "hypervisor.with_hv is not set");
    if (load->enable_vmbus && !config->vmbus)
        FOUND(check, RULE(UEFI_VMBUS), at(check, "load_mode.uefi.enable_vmbus"), "there is no vmbus");
    if (load->enable_vpci_boot && !config->vmbus)
        FOUND(check, RULE(UEFI_VPCI_BOOT), at(check, "load_mode.uefi.enable_vpci_boot"), "there is no vmbus");
    if (config->chipset.hyperv_firmware_pcat)
        FOUND(check, RULE(UEFI_PCAT_DEVICE), at(check, "load_mode.uefi"), "chipset.hyperv_firmware_pcat is set");
}

static void check_boot_order(struct check *check, const struct vmr_load_pcat *load)
{
    const char *order = "load_mode.pcat.boot_order";
    unsigned seen = 0;

    if (load->boot_order_count == 0 || load->boot_order_count > VMR_PCAT_BOOT_DEVICE_COUNT)
        return;
    if (load->boot_order_count < VMR_PCAT_BOOT_DEVICE_COUNT) {
        FOUND(check, RULE(BOOT_ORDER_COUNT), at(check, "%s", order), "%zu devices, not %d", load->boot_order_count,
              VMR_PCAT_BOOT_DEVICE_COUNT);
        return;
    }
    for (size_t i = 0; i < load->boot_order_count; i++) {
        unsigned device = load->boot_order[i];

        if (device >= VMR_PCAT_BOOT_DEVICE_COUNT)
            continue;
        if (seen >> device & 1)
            FOUND(check, RULE(BOOT_ORDER_TWICE), at(check, "%s[%zu]", order, i), "named before");
        seen |= 1u << device;
    }
}

static void check_pcat(struct check *check, const struct vmr_load_pcat *load)
{
    if (is_arm64(check))
        FOUND(check, RULE(PCAT_ARM64), at(check, "load_mode.pcat"), "on arm64");
    if (load->firmware.bytes && load->firmware.size > 0 && load->firmware.size != PCAT_FIRMWARE_SIZE)
        FOUND(check, RULE(PCAT_SIZE), at(check, "load_mode.pcat.firmware"), "%zu bytes, not %u", load->firmware.size,
              PCAT_FIRMWARE_SIZE);
    check_boot_order(check, load);
    if (check->config.chipset.hyperv_firmware_uefi)
        FOUND(check, RULE(PCAT_UEFI_DEVICE), at(check, "load_mode.pcat"), "chipset.hyperv_firmware_uefi is set");
}

static void check_vtl2_size(struct check *check, const struct vmr_load_igvm *load)
{
    const struct config_path *place = at(check, "load_mode.igvm.vtl2_base_address");
    const struct vmr_optional_u64 *size = &load->vtl2_base_address.size;

    if (!size->given)
        return;
    if (size->value == 0)
        FOUND(check, RULE(IGVM_SIZE_ZERO), place, "a size of 0");
    else if (!is_multiple(size->value, VTL2_GRANULE))
        FOUND(check, RULE(IGVM_SIZE_ALIGNMENT), place, "%#" PRIx64 " is no multiple of %#" PRIx64, size->value,
              VTL2_GRANULE);
}

static void check_vtl2_address(struct check *check, const struct vmr_load_igvm *load)
{
    const struct config_path *place = at(check, "load_mode.igvm.vtl2_base_address");
    vmr_gpa address = load->vtl2_base_address.absolute;

    if (!is_multiple(address, VMR_PAGE_SIZE))
        FOUND(check, RULE(IGVM_ADDRESS_ALIGNMENT), place, "%#" PRIx64 " is no multiple of %#x", address, VMR_PAGE_SIZE);
    if (address >> VMR_PHYSICAL_BITS_MAX != 0)
        FOUND(check, RULE(IGVM_ADDRESS_WIDTH), place, "%#" PRIx64 " has more than %u bits", address,
              VMR_PHYSICAL_BITS_MAX);
}

static void check_com_serial(struct check *check, const struct vmr_load_igvm *load)
{
    uint32_t port = load->com_serial.io_port, irq = load->com_serial.irq;

    if (!load->com_serial.given)
        return;
    if (port == 0 || port > 0x10000u - UART_PORTS)
        FOUND(check, RULE(IGVM_SERIAL_PORT), at(check, "load_mode.igvm.com_serial.io_port"), "%#" PRIx32, port);
    if (is_x86(check) && irq >= IOAPIC_INPUTS)
        FOUND(check, RULE(IGVM_SERIAL_IRQ), at(check, "load_mode.igvm.com_serial.irq"), "%" PRIu32 ", at most %u", irq,
              IOAPIC_INPUTS - 1);
}

static void check_igvm(struct check *check, const struct vmr_load_igvm *load)
{
    const struct vmr_hypervisor_vtl2_config *vtl2 = check->config.hypervisor.with_vtl2;
    enum vmr_vtl2_base_address kind = load->vtl2_base_address.kind;

    check_cmdline(check, load->cmdline, "load_mode.igvm.cmdline");
    if (kind != VMR_VTL2_BASE_FILE && kind < VMR_VTL2_BASE_ADDRESS_COUNT && !vtl2)
        FOUND(check, RULE(IGVM_VTL2), at(check, "load_mode.igvm.vtl2_base_address"),
              "there is no hypervisor.with_vtl2");
    if (kind == VMR_VTL2_BASE_ABSOLUTE)
        check_vtl2_address(check, load);
    if (kind == VMR_VTL2_BASE_MEMORY_LAYOUT || kind == VMR_VTL2_BASE_VTL2_ALLOCATE)
        check_vtl2_size(check, load);
    if (kind == VMR_VTL2_BASE_VTL2_ALLOCATE && vtl2 && vtl2->late_map_vtl0_memory.given)
        FOUND(check, RULE(IGVM_ALLOCATE_LATE_MAP), at(check, "load_mode.igvm.vtl2_base_address"),
              "hypervisor.with_vtl2.late_map_vtl0_memory is given");
    check_com_serial(check, load);
}

static void check_firmware(struct check *check, const struct vmr_load_firmware *load)
{
    size_t size = load->image.size;

    if (is_arm64(check))
        FOUND(check, RULE(FIRMWARE_ARM64), at(check, "load_mode.firmware"), "on arm64");
    if (load->image.bytes && (!is_multiple(size, FIRMWARE_GRANULE) || size > FIRMWARE_SIZE_MAX))
        FOUND(check, RULE(FIRMWARE_SIZE), at(check, "load_mode.firmware.image"), "%zu bytes", size);
}

void check_load(struct check *check)
{
    const struct vmr_load_config *load = &check->config.load_mode;

    switch (load->mode) {
    case VMR_LOAD_LINUX:
        check_linux(check, &load->linux_direct);
        break;
    case VMR_LOAD_UEFI:
        check_uefi_load(check, &load->uefi);
        break;
    case VMR_LOAD_PCAT:
        check_pcat(check, &load->pcat);
        break;
    case VMR_LOAD_IGVM:
        check_igvm(check, &load->igvm);
        break;
    case VMR_LOAD_FIRMWARE:
        check_firmware(check, &load->firmware);
        break;
    case VMR_LOAD_NONE:
    case VMR_LOAD_MODE_COUNT:
        break;
    }
    if (is_hardware_isolated(check) && load->mode != VMR_LOAD_LINUX && load->mode != VMR_LOAD_IGVM)
        FOUND(check, RULE(ISOLATED), at(check, "load_mode"),
              "the guest is isolated, and this is neither linux nor igvm");
    else if (check->config.hypervisor.with_isolation == VMR_ISOLATION_TDX && load->mode == VMR_LOAD_IGVM)
        FOUND(check, RULE(IGVM_TDX), at(check, "load_mode.igvm"), "hypervisor.with_isolation is tdx");
}
