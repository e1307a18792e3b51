/* SPDX-License-Identifier: MIT */
/*
 * A local APIC's interrupts: whom a message names, what it does there, and what
 * of it the processor takes first. Registers are in chip_registers.c. Intel SDM
 * vol. 3, chapter 11.
 */

#include "backends/mock/chip_state.h"

void chip_lapic_reset(struct lapic *lapic, bool is_boot_processor)
{
    *lapic = (struct lapic){.off = lapic->off, .x2apic = lapic->x2apic, .timer.due_ns = VMR_NEVER};
    lapic->regs[LAPIC_SVR] = 0xff; /* software-disabled */
    lapic->regs[LAPIC_DFR] = UINT32_MAX;
    for (unsigned reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg++)
        lapic->regs[reg] = LVT_MASKED;
    lapic->regs[LAPIC_LVT_CMCI] = LVT_MASKED;
    if (is_boot_processor)
        lapic->regs[LAPIC_LINT0] = LAPIC_LINT0_WIRE;
}

bool chip_lapic_is_enabled(const struct lapic *lapic)
{
    return !lapic->off && (lapic->regs[LAPIC_SVR] & SVR_ENABLE) != 0;
}

bool chip_lapic_takes_pic(const struct lapic *lapic)
{
    uint32_t lint0 = lapic->regs[LAPIC_LINT0];

    return lapic->off || ((lint0 & LVT_MASKED) == 0 && (lint0 >> 8 & 7) == MODE_EXTINT);
}

/* --- whom a message names --- */

/* In x2APIC mode it follows from the ID (11.12.10.2). */
uint32_t chip_lapic_logical_id(const struct lapic *lapic, vmr_vp_index vp)
{
    return lapic->x2apic ? (vp >> 4) << 16 | UINT32_C(1) << (vp & 15) : lapic->regs[LAPIC_LDR];
}

/* 11.6.2.2 and 11.12.10.1 */
static bool matches_logical(const struct lapic *lapic, vmr_vp_index vp, uint32_t destination)
{
    uint32_t id = chip_lapic_logical_id(lapic, vp);

    if (lapic->x2apic)
        return id >> 16 == destination >> 16 && (id & destination & 0xffff) != 0;
    if (destination > 0xff)
        return false;
    id >>= 24;
    switch (lapic->regs[LAPIC_DFR] >> 28) {
    case 0xf: /* flat: a bit each */
        return (id & destination) != 0;
    case 0: /* cluster: its number, and a bit each */
        return id >> 4 == destination >> 4 && (id & destination & 0xf) != 0;
    default:
        return false;
    }
}

static bool matches(const struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message)
{
    const struct lapic *lapic = &vm->chip->lapics[vp];

    if (lapic->off)
        return false;
    if (message->destination == UINT32_MAX)
        return true;
    return message->logical ? matches_logical(lapic, vp, message->destination) : message->destination == vp;
}

/* The least busy takes it; among equals the first. */
static bool deliver_lowest(struct vmr_backend_vm *vm, const struct chip_message *message)
{
    struct lapic *best = NULL;
    vmr_vp_index best_vp = 0;

    for (vmr_vp_index i = 0; i < vm->vp_count; i++) {
        struct lapic *lapic = &vm->chip->lapics[i];

        if (!matches(vm, i, message) || !chip_lapic_is_enabled(lapic))
            continue;
        if (best && chip_lapic_priority(lapic) >= chip_lapic_priority(best))
            continue;
        best = lapic;
        best_vp = i;
    }
    return best && chip_lapic_deliver(vm, best_vp, message);
}

bool chip_deliver(struct vmr_backend_vm *vm, const struct chip_message *message)
{
    bool taken = false;

    if (message->mode == MODE_LOWEST)
        return deliver_lowest(vm, message);
    for (vmr_vp_index i = 0; i < vm->vp_count; i++) {
        if (matches(vm, i, message))
            taken |= chip_lapic_deliver(vm, i, message);
    }
    return taken;
}

/* --- what it does there --- */

static bool request(struct lapic *lapic, uint8_t vector, bool level)
{
    uint32_t bit = UINT32_C(1) << (vector % 32);

    if (!chip_lapic_is_enabled(lapic))
        return false;
    if (vector < VECTOR_FIRST) {
        lapic->errors |= ESR_RECEIVE_VECTOR;
        return false;
    }
    lapic->requested[vector / 32] |= bit;
    if (level)
        lapic->level[vector / 32] |= bit;
    else
        lapic->level[vector / 32] &= ~bit;
    return true;
}

bool chip_lapic_deliver(struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message)
{
    struct lapic *lapic = &vm->chip->lapics[vp];

    switch (message->mode) {
    case MODE_FIXED:
    case MODE_LOWEST:
        if (!request(lapic, message->vector, message->level))
            return false;
        break;
    case MODE_NMI:
        lapic->nmi = true;
        break;
    case MODE_INIT:
        lapic->init = true;
        lapic->sipi = false;
        break;
    case MODE_SIPI:
        lapic->sipi = true;
        lapic->sipi_vector = message->vector;
        break;
    default: /* there is no SMM, and ExtINT is the PIC's, at LINT0 alone */
        return false;
    }
    lapic->attend = true;
    vm->chip->attend = true;
    return true;
}

/* --- what the processor takes --- */

static int highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i] != 0)
            return 32 * i + 31 - __builtin_clz(bits[i]);
    }
    return -1;
}

uint32_t chip_lapic_priority(const struct lapic *lapic)
{
    int in_service = highest(lapic->in_service);
    uint32_t task = lapic->regs[LAPIC_TPR];

    return in_service >= 0 && (uint32_t)in_service >> 4 > task >> 4 ? (uint32_t)in_service & 0xf0 : task;
}

int chip_lapic_acknowledge(struct lapic *lapic)
{
    int vector = highest(lapic->requested);

    /* Classes of 16 vectors compete (11.8.3.1). */
    if (vector < 0 || (uint32_t)vector >> 4 <= chip_lapic_priority(lapic) >> 4)
        return -1;
    lapic->requested[vector / 32] &= ~(UINT32_C(1) << (vector % 32));
    lapic->in_service[vector / 32] |= UINT32_C(1) << (vector % 32);
    return vector;
}

void chip_lapic_eoi(struct vmr_backend_vp *vp)
{
    struct chip *chip = vp->vm->chip;
    struct lapic *lapic = &chip->lapics[vp->index];
    int vector = highest(lapic->in_service);

    if (vector < 0)
        return;
    uint32_t bit = UINT32_C(1) << (vector % 32);

    lapic->in_service[vector / 32] &= ~bit;
    if ((lapic->level[vector / 32] & bit) == 0 || (lapic->regs[LAPIC_SVR] & SVR_KEEP_EOI) != 0)
        return;
    if (vp->vm->irqchip == VMR_IRQCHIP_SPLIT) {
        vp->eoi_due = vector;
        return;
    }
    for (unsigned i = 0; i < VMR_IOAPIC_PINS; i++) {
        struct pin *pin = &chip->pins[i];

        if (!pin->in_service || (uint8_t)pin->entry != vector)
            continue;
        pin->in_service = false;
        pin_update(vp->vm, pin, false);
    }
}
