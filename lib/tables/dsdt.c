/* SPDX-License-Identifier: MIT */
/*
 * DSDT: processors, and the devices that no bus finds. Section numbers are those
 * of ACPI 6.5.
 */

#include "lib/tables/acpi.h"

#include <stdio.h>

#include "lib/tables/aml_resource.h"
#include "lib/tables/tables.h"

#define DSDT_REVISION 2u /* integers of 64 bits (20.2.1) */

/* 8.4: one device each; tables refer to it by _UID, the index of the VP. */
static void processors(struct writer *writer, const struct tables_input *input)
{
    char name[8];

    for (uint32_t i = 0; i < input->resolved->processors.vp_count; i++) {
        (void)snprintf(name, sizeof(name), "C%03X", i & 0xfff);

        size_t mark = aml_device(writer, name);

        aml_name(writer, "_HID");
        aml_string(writer, "ACPI0007");
        aml_name_integer(writer, "_UID", i);
        aml_close(writer, mark);
    }
}

static size_t eisa_device(struct writer *writer, const char *name, const char *hid)
{
    size_t mark = aml_device(writer, name);

    aml_name(writer, "_HID");
    aml_eisa_id(writer, hid);
    return mark;
}

static void pc_serial(struct writer *writer, const struct tables_input *input, unsigned index)
{
    const struct tables_serial *serial = &input->serials[index];
    size_t device = eisa_device(writer, index == 0 ? "COM1" : "COM2", "PNP0501");

    aml_name_integer(writer, "_UID", index + 1);

    size_t resources = aml_resources(writer);

    aml_io(writer, (uint16_t)serial->base, 8);
    if (serial->irq < 16)
        aml_irq(writer, serial->irq);
    else
        aml_interrupt(writer, serial->irq, true);
    aml_resources_close(writer, resources);
    aml_close(writer, device);
}

/* Arm Base Boot Requirements: a PL011 is ARMH0011. */
static void arm_serial(struct writer *writer, const struct tables_input *input, unsigned index)
{
    size_t device = aml_device(writer, index == 0 ? "COM1" : "COM2");

    aml_name(writer, "_HID");
    aml_string(writer, "ARMH0011");
    aml_name_integer(writer, "_UID", index + 1);

    size_t resources = aml_resources(writer);

    aml_registers(writer, input->serials[index].base, VMR_PL011_SIZE);
    aml_interrupt(writer, input->serials[index].irq, false);
    aml_resources_close(writer, resources);
    aml_close(writer, device);
}

/* A device of a PC whose place never changes. */
struct pc_device {
    const char *name, *hid;
    struct {
        uint16_t port;
        uint8_t count;
    } ports[4];
    int irq, dma; /* negative: none */
};
static const struct pc_device pc_rtc = {"RTC", "PNP0B00", {{0x70, 2}}, 8, -1};
static const struct pc_device pc_pit = {"PIT", "PNP0100", {{0x40, 4}}, 0, -1};
static const struct pc_device pc_pic = {"PIC", "PNP0000", {{0x20, 2}, {0xa0, 2}}, 2, -1};
static const struct pc_device pc_dma = {"DMA", "PNP0200", {{0x00, 16}, {0x81, 15}, {0xc0, 32}}, -1, 4};

static void pc_fixed(struct writer *writer, bool there, const struct pc_device *pc)
{
    if (!there)
        return;

    size_t device = eisa_device(writer, pc->name, pc->hid);
    size_t resources = aml_resources(writer);

    for (unsigned i = 0; i < 4 && pc->ports[i].count > 0; i++)
        aml_io(writer, pc->ports[i].port, pc->ports[i].count);
    if (pc->irq >= 0)
        aml_irq(writer, (unsigned)pc->irq);
    if (pc->dma >= 0)
        aml_dma(writer, (unsigned)pc->dma);
    aml_resources_close(writer, resources);
    aml_close(writer, device);
}

/* The VMBus finds its memory in the resources of the device around it. Its old name is no proper _HID. */
static void vmbus(struct writer *writer, const struct tables_input *input)
{
    size_t device = aml_device(writer, "VMBS");

    aml_name(writer, "_HID");
    aml_string(writer, "MSFT1000");
    aml_name(writer, "_CID");
    aml_string(writer, "VMBus");
    aml_name_integer(writer, "_UID", 0);
    aml_name_integer(writer, "_STA", 0x0f);
    if (input->is_arm64) {
        size_t resources = aml_resources(writer);

        aml_interrupt(writer, input->resolved->processors.gic->vmbus_ppi, true);
        aml_resources_close(writer, resources);
    }
    aml_close(writer, device);
}

/* A module device (ACPI0004, 9.11) that hands the chipset's addresses on. */
static void chipset_module(struct writer *writer, const struct tables_input *input)
{
    const struct vmr_resolved_memory *memory = &input->resolved->memory;
    size_t device = aml_device(writer, "VMOD");

    aml_name(writer, "_HID");
    aml_string(writer, "ACPI0004");
    aml_name_integer(writer, "_UID", 0);

    size_t resources = aml_resources(writer);

    aml_window(writer, &memory->chipset_low_mmio);
    aml_window(writer, &memory->chipset_high_mmio);
    aml_resources_close(writer, resources);
    if (input->config->vmbus)
        vmbus(writer, input);
    aml_close(writer, device);
}

/* LNRO0005 is what Linux's driver for virtio over MMIO looks for. */
static void virtio_devices(struct writer *writer, const struct tables_input *input)
{
    char name[8];

    for (uint32_t i = 0; i < input->resolved->virtio_mmio_count; i++) {
        const struct vmr_resolved_virtio_mmio *virtio = &input->resolved->virtio_mmio[i];

        (void)snprintf(name, sizeof(name), "V%03X", i & 0xfff);

        size_t device = aml_device(writer, name);

        aml_name(writer, "_HID");
        aml_string(writer, "LNRO0005");
        aml_name_integer(writer, "_UID", i);
        aml_name_integer(writer, "_CCA", 1);

        size_t resources = aml_resources(writer);

        aml_registers(writer, virtio->range.start, virtio->range.end - virtio->range.start);
        aml_interrupt(writer, virtio->irq, false);
        aml_resources_close(writer, resources);
        aml_close(writer, device);
    }
}

/* 7.4.2.6: what the power management block takes for "off". */
static void soft_off(struct writer *writer)
{
    aml_name(writer, "_S5");

    size_t mark = aml_package(writer, 2);

    aml_integer(writer, 0);
    aml_integer(writer, 0);
    aml_close(writer, mark);
}

void dsdt_write(struct writer *writer, const struct tables_input *input)
{
    acpi_begin(writer, "DSDT", DSDT_REVISION);
    if (input->power_management)
        soft_off(writer);

    size_t scope = aml_scope(writer, "_SB");

    processors(writer, input);
    for (unsigned i = 0; i < input->serial_count; i++) {
        if (input->is_arm64)
            arm_serial(writer, input, i);
        else
            pc_serial(writer, input, i);
    }
    pc_fixed(writer, input->rtc, &pc_rtc);
    pc_fixed(writer, input->pit, &pc_pit);
    pc_fixed(writer, input->pic, &pc_pic);
    pc_fixed(writer, input->dma, &pc_dma);
    chipset_module(writer, input);
    virtio_devices(writer, input);
    aml_close(writer, scope);
    acpi_end(writer);
}
