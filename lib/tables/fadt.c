/* SPDX-License-Identifier: MIT */
/*
 * FADT and FACS: the fixed hardware, of which most machines here have none
 * (hardware-reduced ACPI, ACPI 6.5 4.1). Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/acpi.h"
#include "lib/tables/tables.h"

#define FADT_REVISION 6u
#define FADT_MINOR 3u
#define PROFILE_ENTERPRISE_SERVER 4u

/* Flags (5.2.9, table 5.10). */
#define WBINVD (1u << 0)
#define PROC_C1 (1u << 2)
#define SLP_BUTTON (1u << 5) /* none in fixed hardware */
#define FIX_RTC (1u << 6)    /* no wake-up in fixed hardware */
#define TMR_VAL_EXT (1u << 8)
#define RESET_REG_SUP (1u << 10)
#define HW_REDUCED (1u << 20)

/* Boot architecture of a PC (5.2.9.3). */
#define LEGACY_DEVICES (1u << 0)
#define KEYBOARD_CONTROLLER (1u << 1)
#define NO_VGA (1u << 2)
#define NO_RTC (1u << 5)

/* Boot architecture of an Arm machine (5.2.9.4): PSCI, by HVC. */
#define ARM_PSCI_HVC 3u

/* The power management block: ports behind PC_PM_BASE. */
struct pm_port {
    uint16_t offset;
    uint8_t bytes;
};
static const struct pm_port event = {0x0, 4}, control = {0x4, 2}, timer = {0x8, 4}, gpe0 = {0xc, 4};
static const struct pm_port none = {0, 0};

void facs_write(struct writer *writer, const struct tables_input *input)
{
    (void)input;
    acpi_text(writer, "FACS", 4, ' '); /* 5.2.10: a signature and a length, but no header and no checksum */
    writer_le32(writer, FACS_BYTES);
    acpi_zeros(writer, 24);
    writer_u8(writer, 2);
    acpi_zeros(writer, FACS_BYTES - 33);
}

static uint32_t flags_of(const struct tables_input *input)
{
    uint32_t flags = input->is_arm64 ? 0 : WBINVD | PROC_C1 | SLP_BUTTON | FIX_RTC;

    if (input->power_management)
        flags |= TMR_VAL_EXT;
    else
        flags |= HW_REDUCED;
    return input->reset_port ? flags | RESET_REG_SUP : flags;
}

static uint16_t pc_boot_of(const struct tables_input *input)
{
    const struct vmr_config *config = input->config;
    bool vga = config->framebuffer || config->chipset.hyperv_vga || config->chipset.underhill_vga_proxy;
    unsigned boot = (vga ? 0u : NO_VGA) | (input->rtc ? 0u : NO_RTC);

    if (input->serial_count > 0 || input->pic)
        boot |= LEGACY_DEVICES;
    if (config->load_mode.mode == VMR_LOAD_FIRMWARE)
        boot |= KEYBOARD_CONTROLLER;
    return (uint16_t)boot;
}

static void legacy_ports(struct writer *writer, bool there)
{
    static const struct pm_port *const ports[] = {&event, &none, &control, &none, &none, &timer, &gpe0, &none};

    for (unsigned i = 0; i < 8; i++)
        writer_le32(writer, there && ports[i]->bytes ? PC_PM_BASE + ports[i]->offset : 0);
    /* Lengths: event, control, second control, timer, general purpose. */
    writer_u8(writer, there ? event.bytes : 0);
    writer_u8(writer, there ? control.bytes : 0);
    writer_u8(writer, 0);
    writer_u8(writer, there ? timer.bytes : 0);
    writer_u8(writer, there ? gpe0.bytes : 0);
    acpi_zeros(writer, 3); /* a second block of general purpose events, its base; _CST */
}

static void wide_ports(struct writer *writer, bool there)
{
    static const struct pm_port *const ports[] = {&event, &none, &control, &none, &none, &timer, &gpe0, &none};

    for (unsigned i = 0; i < 8; i++)
        acpi_io_register(writer, (uint16_t)(PC_PM_BASE + ports[i]->offset), there ? (uint8_t)(ports[i]->bytes * 8) : 0);
    acpi_zeros(writer, 24); /* sleep control and status: the power management block has its own */
}

/* In the order of table 5.9, which is the length of it. */
void fadt_write(struct writer *writer, const struct tables_input *input)
{
    bool is_pc = !input->is_arm64;

    acpi_begin(writer, "FACP", FADT_REVISION);
    acpi_zeros(writer, 9); /* FACS and DSDT below 4 GiB, and a byte that was: X_ fields have them */
    writer_u8(writer, PROFILE_ENTERPRISE_SERVER);
    writer_le16(writer, input->power_management ? PC_PM_IRQ : 0);
    acpi_zeros(writer, 8); /* no SMI command: ACPI is always on */
    legacy_ports(writer, input->power_management);
    writer_le16(writer, is_pc ? 0x0fff : 0); /* C2 and C3 latencies that mean: not there */
    writer_le16(writer, is_pc ? 0x0fff : 0);
    acpi_zeros(writer, 9); /* cache flush, duty cycle, alarms in the RTC, its century */
    writer_le16(writer, is_pc ? pc_boot_of(input) : 0);
    writer_u8(writer, 0);
    writer_le32(writer, flags_of(input));
    acpi_io_register(writer, PC_RESET_PORT, input->reset_port ? 8 : 0);
    writer_u8(writer, input->reset_port ? PC_RESET_VALUE : 0);
    writer_le16(writer, is_pc ? 0 : ARM_PSCI_HVC);
    writer_u8(writer, FADT_MINOR);
    acpi_zeros(writer, 16); /* X_FIRMWARE_CTRL, X_DSDT */
    wide_ports(writer, input->power_management);
    acpi_text(writer, input->config->hypervisor.with_hv ? "MsHyperV" : "VMRIG", 8, '\0');
    acpi_end(writer);
}
