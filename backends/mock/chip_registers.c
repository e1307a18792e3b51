/* SPDX-License-Identifier: MIT */
/*
 * The guest's side of the in-hypervisor controllers: the xAPIC page, the x2APIC
 * MSRs, the IO-APIC page. Registers without an effect keep what is written. Also who
 * sends an IPI. The timer's and the PIC's own are in chip_timer.c, chip_pic.c.
 */

#include "backends/mock/chip_state.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "vmrig/irqchip.h"

#define IOAPIC_VERSION_VALUE (0x11u | (VMR_IOAPIC_PINS - 1) << 16)
#define IOAPIC_SELECT 0x00u
#define IOAPIC_WINDOW 0x10u

/* Destination shorthands of the interrupt command register. */
#define VERSION 0x14u
#define VERSION_KEEPS_EOI UINT32_C(0x01000000)

enum shorthand {
    SHORTHAND_NONE,
    SHORTHAND_SELF,
    SHORTHAND_ALL,
    SHORTHAND_OTHERS
};

/*
 * What of a register software can write; nothing: it cannot be written, or does
 * not exist. Status bits read as idle: every message is sent at once.
 */
static const uint32_t writable[LAPIC_REGISTER_COUNT] = {
    [LAPIC_TPR] = 0xff,
    [LAPIC_EOI] = UINT32_MAX,
    [LAPIC_LDR] = 0xff000000,
    [LAPIC_DFR] = 0xf0000000,
    [LAPIC_SVR] = 0x1ff,
    [LAPIC_ESR] = UINT32_MAX,
    [LAPIC_LVT_CMCI] = 0x107ff,
    [LAPIC_ICR_LOW] = 0xccfff & ~0x1000u,
    [LAPIC_ICR_HIGH] = UINT32_MAX,
    [LAPIC_LVT_TIMER] = 0x700ff,
    [LAPIC_LVT_THERMAL] = 0x107ff,
    [LAPIC_LVT_COUNTERS] = 0x107ff,
    [LAPIC_LINT0] = 0x1a7ff,
    [LAPIC_LINT1] = 0x1a7ff,
    [LAPIC_LVT_ERROR] = 0x100ff,
    [LAPIC_TIMER_INITIAL] = UINT32_MAX,
    [LAPIC_TIMER_DIVIDE] = 0xb,
    [LAPIC_SELF_IPI] = 0xff,
};

static bool has_cmci(const struct vmr_backend_vm *vm)
{
    return !vm->profile->apic_lacks_cmci;
}

static bool keeps_eoi(const struct vmr_backend_vm *vm)
{
    return vm->profile->apic_keeps_eoi && vm->irqchip == VMR_IRQCHIP_SPLIT;
}

uint32_t chip_lapic_version(const struct vmr_backend_vm *vm)
{
    return VERSION | (has_cmci(vm) ? 6u : 5u) << 16 | (keeps_eoi(vm) ? VERSION_KEEPS_EOI : 0);
}

static uint32_t writable_bits(const struct vmr_backend_vm *vm, uint32_t reg)
{
    if (reg == LAPIC_LVT_CMCI && !has_cmci(vm))
        return 0;
    return writable[reg] | (reg == LAPIC_SVR && keeps_eoi(vm) ? SVR_KEEP_EOI : 0);
}

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
    if (message.mode <= MODE_LOWEST && message.vector < VECTOR_FIRST) {
        vp->vm->chip->lapics[vp->index].errors |= ESR_SEND_VECTOR;
        return;
    }
    if (shorthand == SHORTHAND_NONE) {
        (void)chip_deliver(vp->vm, &message);
        return;
    }
    for (vmr_vp_index i = 0; i < vp->vm->vp_count; i++) {
        if (i == vp->index ? shorthand != SHORTHAND_OTHERS : shorthand != SHORTHAND_SELF)
            (void)chip_lapic_deliver(vp->vm, i, &message);
    }
}

uint32_t chip_lapic_peek(const struct vmr_backend_vp *vp, uint32_t reg)
{
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    switch (reg) {
    case LAPIC_ID:
        return lapic->x2apic ? vp->index : vp->index << 24;
    case LAPIC_VERSION:
        return chip_lapic_version(vp->vm);
    case LAPIC_LVT_CMCI:
        return lapic->regs[reg] & writable_bits(vp->vm, reg);
    case LAPIC_PPR:
        return chip_lapic_priority(lapic);
    case LAPIC_LDR:
        return chip_lapic_logical_id(lapic, vp->index);
    default:
        break;
    }
    if (reg >= LAPIC_ISR && reg < LAPIC_ISR + 8)
        return lapic->in_service[reg - LAPIC_ISR];
    if (reg >= LAPIC_TMR && reg < LAPIC_TMR + 8)
        return lapic->level[reg - LAPIC_TMR];
    if (reg >= LAPIC_IRR && reg < LAPIC_IRR + 8)
        return lapic->requested[reg - LAPIC_IRR];
    return lapic->regs[reg];
}

static uint32_t lapic_read(struct vmr_backend_vp *vp, uint32_t reg)
{
    return reg == LAPIC_TIMER_CURRENT ? chip_timer_current(vp) : chip_lapic_peek(vp, reg);
}

uint32_t chip_lapic_kept_bits(const struct vmr_backend_vm *vm, uint32_t reg)
{
    if (reg == LAPIC_DFR || reg == LAPIC_ESR)
        return UINT32_MAX;
    return reg == LAPIC_EOI || reg == LAPIC_SELF_IPI ? 0 : writable_bits(vm, reg);
}

static bool is_lvt(uint32_t reg)
{
    return reg == LAPIC_LVT_CMCI || (reg >= LAPIC_LVT_TIMER && reg <= LAPIC_LVT_ERROR);
}

/* While software has disabled the APIC, every LVT entry is masked and stays so (11.4.7.2). */
static void set_spurious(struct lapic *lapic, uint32_t value)
{
    lapic->regs[LAPIC_SVR] = value;
    for (uint32_t reg = 0; reg < LAPIC_REGISTER_COUNT && (value & SVR_ENABLE) == 0; reg++) {
        if (is_lvt(reg))
            lapic->regs[reg] |= LVT_MASKED;
    }
}

/* The registers that only remember, and what else follows for some. */
static void set_register(struct vmr_backend_vp *vp, uint32_t reg, uint32_t value)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];
    uint32_t old = lapic->regs[reg];

    if (is_lvt(reg) && (lapic->regs[LAPIC_SVR] & SVR_ENABLE) == 0)
        value |= LVT_MASKED;
    if (reg == LAPIC_DFR)
        value |= ~writable[LAPIC_DFR];
    lapic->regs[reg] = value;
    if (reg == LAPIC_LVT_TIMER || reg == LAPIC_TIMER_INITIAL || reg == LAPIC_TIMER_DIVIDE)
        chip_timer_changed(vp, reg, old);
}

static void lapic_write(struct vmr_backend_vp *vp, uint32_t reg, uint32_t value)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    vp->chip_pending = true; /* what priorities held back may pass now */
    value &= writable_bits(vp->vm, reg);
    switch (reg) {
    case LAPIC_EOI:
        chip_lapic_eoi(vp);
        break;
    case LAPIC_ESR: /* a write shows what has come together since the last (11.5.3) */
        lapic->regs[LAPIC_ESR] = lapic->errors;
        lapic->errors = 0;
        break;
    case LAPIC_SVR:
        set_spurious(lapic, value);
        break;
    default:
        if (writable_bits(vp->vm, reg) != 0)
            set_register(vp, reg, value);
        break;
    }
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
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    return gpa >> 12 == VMR_LAPIC_GPA >> 12 && !lapic->off && !lapic->x2apic;
}

static bool is_ioapic(const struct vmr_backend_vp *vp, vmr_gpa gpa)
{
    return gpa >> 12 == VMR_IOAPIC_GPA >> 12 && vp->vm->irqchip == VMR_IRQCHIP_KERNEL;
}

static void page_write(struct vmr_backend_vp *vp, uint32_t reg, uint32_t value)
{
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    lapic_write(vp, reg, value);
    if (reg == LAPIC_ICR_LOW)
        send_ipi(vp, value, destination_of_byte(lapic->regs[LAPIC_ICR_HIGH] >> 24));
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
        value = lapic_read(vp, offset >> 4) >> (8 * (offset & 3));
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_SELECT)
        value = chip->ioapic_select;
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_WINDOW)
        value = ioapic_read(chip);
    chip_unlock(vp->vm);
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
    if (is_lapic(vp, gpa) && (offset & 15) == 0 && size == 4 && offset >> 4 < LAPIC_SELF_IPI)
        page_write(vp, offset >> 4, value);
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_SELECT)
        chip->ioapic_select = value & 0xff;
    else if (is_ioapic(vp, gpa) && offset == IOAPIC_WINDOW && size == 4)
        ioapic_write(vp->vm, value);
    chip_unlock(vp->vm);
    return true;
}

/* Registers that a mode does not have are #GP, and so are writes to those that are read only (11.12.1.2). */
static bool can_write_msr(const struct vmr_backend_vp *vp, uint32_t reg)
{
    return vp->vm->chip->lapics[vp->index].x2apic && reg < LAPIC_REGISTER_COUNT && writable_bits(vp->vm, reg) != 0 &&
           reg != LAPIC_LDR && reg != LAPIC_DFR && reg != LAPIC_ICR_HIGH;
}

static bool can_read_msr(const struct vmr_backend_vp *vp, uint32_t reg)
{
    bool only_read = reg == LAPIC_ID || reg == LAPIC_VERSION || reg == LAPIC_PPR || reg == LAPIC_LDR ||
                     reg == LAPIC_TIMER_CURRENT || (reg >= LAPIC_ISR && reg < LAPIC_IRR + 8);

    if (only_read)
        return vp->vm->chip->lapics[vp->index].x2apic;
    return can_write_msr(vp, reg) && reg != LAPIC_EOI && reg != LAPIC_SELF_IPI;
}

bool chip_read_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    struct chip *chip = vp->vm->chip;
    uint32_t reg = index - X2APIC_MSR_FIRST;

    if (!can_read_msr(vp, reg))
        return false;
    sync_mutex_lock(&chip->lock);
    *ret_value = lapic_read(vp, reg);
    if (reg == LAPIC_ICR_LOW)
        *ret_value |= (uint64_t)chip->lapics[vp->index].regs[LAPIC_ICR_HIGH] << 32;
    chip_unlock(vp->vm); /* reading the count may find that the timer has expired */
    return true;
}

bool chip_write_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    struct chip *chip = vp->vm->chip;
    uint32_t reg = index - X2APIC_MSR_FIRST;

    if (!can_write_msr(vp, reg) || (reg != LAPIC_ICR_LOW && value > UINT32_MAX) ||
        ((reg == LAPIC_EOI || reg == LAPIC_ESR) && value != 0) || (reg == LAPIC_SELF_IPI && value > 0xff))
        return false;
    sync_mutex_lock(&chip->lock);
    if (reg == LAPIC_SELF_IPI) {
        send_ipi(vp, SHORTHAND_SELF << 18 | (uint32_t)value, 0);
    } else if (reg == LAPIC_ICR_LOW) {
        lapic_write(vp, LAPIC_ICR_HIGH, (uint32_t)(value >> 32));
        lapic_write(vp, LAPIC_ICR_LOW, (uint32_t)value);
        send_ipi(vp, (uint32_t)value, (uint32_t)(value >> 32));
    } else {
        lapic_write(vp, reg, (uint32_t)value);
    }
    chip_unlock(vp->vm);
    return true;
}
