/* SPDX-License-Identifier: MIT */
/*
 * The built-in interrupt controllers on the buses: one table of ranges, and the
 * calls behind them. A VP reaches its own local APIC and no other, through the
 * index that comes with each access.
 */

#include "lib/devices/irqchip_set.h"

#include "lib/base/checked.h"

static uint64_t lapic_range_read(void *device, const struct vmr_access *access)
{
    struct vmr_irqchip_set *chip = device;
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, access->vp))
        return mask_of_bytes(access->size);
    uint64_t now_ns = lapic_register_needs_time((uint32_t)(access->offset >> 4)) ? irqchip_now(chip) : 0;

    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, access->vp);
    uint64_t value = lapic_page_read(&chip->vps[access->vp].lapic, access->offset, access->size, now_ns);

    irqchip_note(&batch, access->vp, &before);
    irqchip_end(&batch);
    return value;
}

static void lapic_range_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_irqchip_set *chip = device;
    struct lapic_effects effects = {0};
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, access->vp))
        return;
    uint64_t now_ns = lapic_register_needs_time((uint32_t)(access->offset >> 4)) ? irqchip_now(chip) : 0;

    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, access->vp);

    lapic_page_write(&chip->vps[access->vp].lapic, access->offset, access->size, (uint32_t)value, now_ns, &effects);
    irqchip_carry_out(&batch, access->vp, &effects);
    irqchip_note(&batch, access->vp, &before);
    irqchip_end(&batch);
}

static uint64_t ioapic_range_read(void *device, const struct vmr_access *access)
{
    struct vmr_irqchip_set *chip = device;

    sync_mutex_lock(&chip->lock);
    uint32_t value = ioapic_read(&chip->ioapic, access->offset);

    sync_mutex_unlock(&chip->lock);
    return value & mask_of_bytes(access->size);
}

static void ioapic_range_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_irqchip_set *chip = device;
    struct irqchip_batch batch;

    irqchip_begin(&batch, chip, true);
    struct ioapic_sink sink = irqchip_sink(&batch);

    ioapic_write(&chip->ioapic, access->offset, (uint32_t)value, &sink);
    irqchip_end(&batch);
}

static uint64_t pic_range_read(void *device, const struct vmr_access *access)
{
    struct vmr_irqchip_set *chip = device;
    struct irqchip_batch batch;

    irqchip_begin(&batch, chip, false); /* a read in poll mode takes an interrupt */
    uint8_t value = pic_read(&chip->pic, access->address);

    irqchip_end(&batch);
    return value;
}

static void pic_range_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_irqchip_set *chip = device;
    struct irqchip_batch batch;

    irqchip_begin(&batch, chip, false);
    pic_write(&chip->pic, access->address, (uint8_t)value);
    irqchip_end(&batch);
}

static const struct vmr_device_ops lapic_range_ops = {.read = lapic_range_read, .write = lapic_range_write};
static const struct vmr_device_ops ioapic_range_ops = {.read = ioapic_range_read, .write = ioapic_range_write};
static const struct vmr_device_ops pic_range_ops = {.read = pic_range_read, .write = pic_range_write};

#define UP_TO_4 (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)

enum range_owner {
    OWNER_PIC,
    OWNER_IOAPIC,
    OWNER_LAPIC
};

static const struct {
    enum range_owner owner;
    struct vmr_bus_range range; /* `device` comes with the chip */
} ranges[] = {
    {OWNER_PIC, {.name = "pic-master", .start = 0x20, .length = 2, .sizes = VMR_SIZE_1, .ops = &pic_range_ops}},
    {OWNER_PIC, {.name = "pic-slave", .start = 0xa0, .length = 2, .sizes = VMR_SIZE_1, .ops = &pic_range_ops}},
    {OWNER_PIC, {.name = "pic-elcr", .start = 0x4d0, .length = 2, .sizes = VMR_SIZE_1, .ops = &pic_range_ops}},
    {OWNER_IOAPIC,
     {.name = "ioapic", .start = VMR_IOAPIC_GPA, .length = VMR_PAGE_SIZE, .sizes = UP_TO_4, .ops = &ioapic_range_ops}},
    {OWNER_LAPIC,
     {.name = "lapic", .start = VMR_LAPIC_GPA, .length = VMR_PAGE_SIZE, .sizes = UP_TO_4, .ops = &lapic_range_ops}},
};

#define RANGE_COUNT (sizeof(ranges) / sizeof(ranges[0]))

static bool has_owner(const struct vmr_irqchip_set *chip, enum range_owner owner)
{
    if (owner == OWNER_LAPIC)
        return !chip->split;
    return owner == OWNER_PIC ? chip->has_pic : chip->has_ioapic;
}

static struct vmr_bus *bus_of(const struct vmr_irqchip_set *chip, enum range_owner owner)
{
    return owner == OWNER_PIC ? chip->ports : chip->mmio;
}

enum vmr_status irqchip_claim_ranges(struct vmr_irqchip_set *chip, struct vmr_error *err)
{
    for (; chip->claimed < RANGE_COUNT; chip->claimed++) {
        enum range_owner owner = ranges[chip->claimed].owner;
        struct vmr_bus_range range = ranges[chip->claimed].range;

        if (!has_owner(chip, owner))
            continue;
        range.device = chip;
        enum vmr_status status = vmr_bus_claim(bus_of(chip, owner), &range, err);

        if (status)
            return status;
    }
    return VMR_OK;
}

void irqchip_release_ranges(struct vmr_irqchip_set *chip)
{
    while (chip->claimed-- > 0) {
        enum range_owner owner = ranges[chip->claimed].owner;

        if (!has_owner(chip, owner))
            continue;
        /* Claimed above, so it is there to be released. */
        enum vmr_status status = vmr_bus_release(bus_of(chip, owner), ranges[chip->claimed].range.start, NULL);

        (void)status;
    }
}
