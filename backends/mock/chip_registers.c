/* SPDX-License-Identifier: MIT */
/*
 * The guest's side of the in-hypervisor controllers: the xAPIC page, the x2APIC
 * MSRs, the IO-APIC page. Registers without an effect keep what is written.
 */

#include "backends/mock/chip_state.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "vmrig/irqchip.h"

/* 82489DX successor with seven LVT entries (Intel SDM vol. 3, 11.4.8). */
#define LAPIC_VERSION_VALUE 0x00060014u
#define IOAPIC_VERSION_VALUE (0x11u | (VMR_IOAPIC_PINS - 1) << 16)
#define IOAPIC_SELECT 0x00u
#define IOAPIC_WINDOW 0x10u

/* Destination shorthands of the interrupt command register. */
enum shorthand {
    SHORTHAND_NONE,
    SHORTHAND_SELF,
    SHORTHAND_ALL,
    SHORTHAND_OTHERS
};

/* --- local APIC: with the lock held --- */

static void send_ipi(struct vmr_backend_vp *vp, uint32_t low, uint32_t destination)
{
    const struct chip_message message = {
        .destination = destination,
        .logical = (low & 0x800) != 0,
        .vector = (uint8_t)low,
        .mode = low >> 8 & 7,
    };
    enum shorthand shorthand = (enum shorthand)(low >> 18 & 3);

    if (message.mode == MODE_INIT && (low & 0xc000) == 0x8000)
        return; /* INIT level de-assert: a message to nobody since the Pentium 4 (11.6.1) */
    if (shorthand == SHORTHAND_NONE) {
        (void)chip_deliver(vp->vm, &message);
        return;
    }
    for (vmr_vp_index i = 0; i < vp->vm->vp_count; i++) {
        if (i == vp->index ? shorthand != SHORTHAND_OTHERS : shorthand != SHORTHAND_SELF)
            (void)lapic_deliver(vp->vm, i, &message);
    }
}

static uint32_t lapic_read(const struct vmr_backend_vp *vp, uint32_t reg, bool x2apic)
{
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    switch (reg) {
    case LAPIC_ID:
        return x2apic ? vp->index : vp->index << 24;
    case LAPIC_VERSION:
        return LAPIC_VERSION_VALUE;
    case LAPIC_EOI:
        return 0;
    default:
        break;
    }
    if (reg >= 0x10 && reg < 0x18)
        return lapic->in_service[reg - 0x10];
    if (reg >= 0x18 && reg < 0x20)
        return lapic->level[reg - 0x18];
    if (reg >= 0x20 && reg < 0x28)
        return lapic->requested[reg - 0x20];
    return lapic->regs[reg];
}

static void lapic_write(struct vmr_backend_vp *vp, uint32_t reg, uint32_t value)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    vp->chip_pending = true; /* what priorities held back may pass now */
    if (reg == LAPIC_EOI) {
        chip_lapic_eoi(vp);
        return;
    }
    lapic->regs[reg] = value;
    if (reg == LAPIC_ICR_LOW)
        send_ipi(vp, value, lapic->regs[LAPIC_ICR_HIGH] >> 24);
}

/* --- IO-APIC: with the lock held --- */

static uint32_t ioapic_read(const struct chip *chip)
{
    uint32_t select = chip->ioapic_select;

    if (select == 1)
        return IOAPIC_VERSION_VALUE;
    if (select < 0x10 || select >= 0x10 + 2 * VMR_IOAPIC_PINS)
        return 0;
    const struct pin *pin = &chip->pins[(select - 0x10) / 2];
    uint64_t entry = pin->entry | (pin->in_service ? UINT64_C(0x4000) : 0);

    return (uint32_t)(select & 1 ? entry >> 32 : entry);
}

static void ioapic_write(struct vmr_backend_vm *vm, uint32_t value)
{
    struct chip *chip = vm->chip;
    uint32_t select = chip->ioapic_select;

    if (select < 0x10 || select >= 0x10 + 2 * VMR_IOAPIC_PINS)
        return;
    struct pin *pin = &chip->pins[(select - 0x10) / 2];

    if (select & 1)
        pin->entry = (pin->entry & UINT32_MAX) | (uint64_t)value << 32;
    else
        pin->entry =
            (pin->entry & ~(uint64_t)UINT32_MAX) | (value & ~UINT32_C(0x5000)); /* status bits are not written */
    pin_update(vm, pin, false);
}

/* --- the guest --- */

static bool is_lapic(const struct vmr_backend_vp *vp, vmr_gpa gpa)
{
    return gpa >> 12 == VMR_LAPIC_GPA >> 12 && (vp->regs.apic_base & APIC_BASE_X2APIC) == 0;
}

static bool is_ioapic(const struct vmr_backend_vp *vp, vmr_gpa gpa)
{
    return gpa >> 12 == VMR_IOAPIC_GPA >> 12 && vp->vm->irqchip == VMR_IRQCHIP_KERNEL;
}

bool chip_load(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, uint8_t *ret_bytes)
{
    struct chip *chip = vp->vm->chip;
    uint32_t offset = (uint32_t)(gpa & 0xfff);
    uint32_t value = 0;

    if (!chip || (!is_lapic(vp, gpa) && !is_ioapic(vp, gpa)))
        return false;
    sync_mutex_lock(&chip->lock);
    if (is_lapic(vp, gpa) && offset >> 4 < LAPIC_REGISTER_COUNT)
        value = lapic_read(vp, offset >> 4, false) >> (8 * (offset & 3));
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_SELECT)
        value = chip->ioapic_select;
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_WINDOW)
        value = ioapic_read(chip);
    sync_mutex_unlock(&chip->lock);
    memset(ret_bytes, 0, size);
    store_le(ret_bytes, size < 4 ? size : 4, value);
    return true;
}

bool chip_store(struct vmr_backend_vp *vp, vmr_gpa gpa, unsigned size, const uint8_t *bytes)
{
    struct chip *chip = vp->vm->chip;
    uint32_t offset = (uint32_t)(gpa & 0xfff);
    uint32_t value = (uint32_t)load_le(bytes, size < 4 ? size : 4);

    if (!chip || (!is_lapic(vp, gpa) && !is_ioapic(vp, gpa)))
        return false;
    sync_mutex_lock(&chip->lock);
    /* Registers are 32 bits wide on 16-byte boundaries; other accesses are undefined (11.4.1) and dropped. */
    if (is_lapic(vp, gpa) && (offset & 15) == 0 && size == 4 && offset >> 4 < LAPIC_REGISTER_COUNT)
        lapic_write(vp, offset >> 4, value);
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_SELECT)
        chip->ioapic_select = value & 0xff;
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_WINDOW && size == 4)
        ioapic_write(vp->vm, value);
    chip_unlock(vp->vm);
    return true;
}

/* Registers that a mode does not have are #GP (Intel SDM vol. 3, 11.12.1.3). */
static bool msr_exists(const struct vmr_backend_vp *vp, uint32_t reg)
{
    return (vp->regs.apic_base & APIC_BASE_X2APIC) != 0 && reg < LAPIC_REGISTER_COUNT && reg != LAPIC_DFR &&
           reg != LAPIC_ICR_HIGH;
}

bool chip_read_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    struct chip *chip = vp->vm->chip;
    uint32_t reg = index - X2APIC_MSR_FIRST;

    if (!msr_exists(vp, reg) || reg == LAPIC_EOI || reg == LAPIC_SELF_IPI)
        return false;
    sync_mutex_lock(&chip->lock);
    *ret_value = lapic_read(vp, reg, true);
    if (reg == LAPIC_ICR_LOW)
        *ret_value |= (uint64_t)chip->lapics[vp->index].regs[LAPIC_ICR_HIGH] << 32;
    sync_mutex_unlock(&chip->lock);
    return true;
}

bool chip_write_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    struct chip *chip = vp->vm->chip;
    uint32_t reg = index - X2APIC_MSR_FIRST;

    if (!msr_exists(vp, reg) || reg == LAPIC_ID || reg == LAPIC_VERSION || reg == LAPIC_LDR ||
        (reg != LAPIC_ICR_LOW && value > UINT32_MAX) || (reg == LAPIC_EOI && value != 0))
        return false;
    sync_mutex_lock(&chip->lock);
    if (reg == LAPIC_ICR_LOW) {
        struct lapic *lapic = &chip->lapics[vp->index];

        lapic->regs[LAPIC_ICR_LOW] = (uint32_t)value;
        lapic->regs[LAPIC_ICR_HIGH] = (uint32_t)(value >> 32);
        send_ipi(vp, (uint32_t)value, (uint32_t)(value >> 32));
    } else if (reg == LAPIC_SELF_IPI) {
        send_ipi(vp, SHORTHAND_SELF << 18 | (uint32_t)(value & 0xff), 0);
    } else {
        lapic_write(vp, reg, (uint32_t)value);
    }
    chip_unlock(vp->vm);
    return true;
}

bool chip_takes_port(const struct vmr_backend_vp *vp, uint16_t port)
{
    if (vp->vm->irqchip != VMR_IRQCHIP_KERNEL)
        return false;
    return (port & ~0x81u) == 0x20 || port == 0x4d0 || port == 0x4d1;
}
