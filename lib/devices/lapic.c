/* SPDX-License-Identifier: MIT */
/*
 * What a local APIC does with interrupts (Intel SDM vol. 3, chapter 11):
 * who is meant, what is accepted, which comes first. Its registers as the
 * guest sees them are in lapic_registers.c, its counter in lapic_timer.c.
 *
 * At power-up LINT0 of VP 0 is unmasked and ExtINT, so that PIC interrupts
 * reach the boot processor before any software has set up its local APIC, as on
 * a PC whose firmware has run, and as KVM does. Disabling the APIC in software
 * masks it as the SDM says.
 */

#include "lib/devices/lapic.h"

#include <string.h>

#define WORD_COUNT 8u
#define LVT_EXTINT ((uint32_t)IRQ_EXTINT << 8)
#define BROADCAST_NARROW 0xffu
#define BROADCAST_WIDE UINT32_MAX

/* --- vectors as 256 bits in 8 registers --- */

static bool highest(const uint32_t *words, uint8_t *ret_vector)
{
    for (unsigned i = WORD_COUNT; i-- > 0;) {
        if (words[i] == 0)
            continue;
        *ret_vector = (uint8_t)(32 * i + 31 - (unsigned)__builtin_clz(words[i]));
        return true;
    }
    return false;
}

static void set_vector(uint32_t *words, uint8_t vector, bool on)
{
    uint32_t bit = 1u << (vector & 31u);

    if (on)
        words[vector / 32] |= bit;
    else
        words[vector / 32] &= ~bit;
}

/* --- state --- */

bool lapic_is_enabled(const struct lapic *lapic)
{
    return (lapic->base & LAPIC_BASE_ENABLE) != 0;
}

bool lapic_is_x2apic(const struct lapic *lapic)
{
    return (lapic->base & LAPIC_BASE_X2APIC) != 0;
}

static bool is_software_enabled(const struct lapic *lapic)
{
    return lapic_is_enabled(lapic) && (lapic->svr & LAPIC_SVR_ENABLE);
}

void lapic_reset(struct lapic *lapic)
{
    struct lapic fresh = {
        .id = lapic->id,
        .base = lapic->base,
        .dfr = UINT32_MAX,
        .svr = 0xff,
        .tpr_written = true, /* whatever the processor last reported is older */
        .nmi = lapic->nmi,
        .init = lapic->init,
        .sipi = lapic->sipi,
        .sipi_vector = lapic->sipi_vector,
    };

    lapic_timer_reset(&fresh.timer, lapic->timer.hz);
    *lapic = fresh;
    for (unsigned i = 0; i < LAPIC_LVT_COUNT; i++)
        lapic->lvt[i] = LAPIC_LVT_MASKED;
    if (lapic->id == 0)
        lapic->lvt[LAPIC_LVT_LINT0] = LVT_EXTINT;
}

void lapic_init(struct lapic *lapic, uint32_t id, bool x2apic, uint64_t timer_hz)
{
    *lapic = (struct lapic){.id = id, .base = VMR_LAPIC_GPA | LAPIC_BASE_ENABLE};
    lapic->base |= id == 0 ? LAPIC_BASE_BSP : 0;
    lapic->base |= x2apic ? LAPIC_BASE_X2APIC : 0;
    lapic->timer.hz = timer_hz;
    lapic_reset(lapic);
    lapic->tpr_written = false;
}

/* --- destinations (SDM 11.6.2) --- */

/* x2APIC: a cluster of 16 by number, the member by bit, both made from the ID (SDM 11.12.10.2). */
static bool matches_cluster(const struct lapic *lapic, uint32_t destination)
{
    uint32_t bit = 1u << (lapic->id & 15u);

    return lapic->id >> 4 == destination >> 16 && (destination & bit);
}

static bool matches_logical(const struct lapic *lapic, uint32_t destination)
{
    if (lapic_is_x2apic(lapic))
        return matches_cluster(lapic, destination);
    uint32_t mine = lapic->ldr >> 24;

    if (destination > BROADCAST_NARROW)
        return false;
    switch (lapic->dfr >> 28) {
    case 0xf: /* flat: one bit each */
        return (mine & destination) != 0;
    case 0x0: /* clusters of 4 */
        return mine >> 4 == destination >> 4 && (mine & destination & 15u);
    default: /* other models are undefined (SDM 11.6.2.2) */
        return false;
    }
}

bool lapic_matches(const struct lapic *lapic, const struct irq_message *message)
{
    if (!lapic_is_enabled(lapic))
        return false;
    if (message->destination == (message->wide ? BROADCAST_WIDE : BROADCAST_NARROW))
        return true;
    if (message->logical)
        return matches_logical(lapic, message->destination);
    return message->destination == lapic->id;
}

bool lapic_can_arbitrate(const struct lapic *lapic)
{
    return is_software_enabled(lapic);
}

/* --- interrupts in --- */

static void request(struct lapic *lapic, uint8_t vector, bool level)
{
    set_vector(lapic->irr, vector, true);
    set_vector(lapic->tmr, vector, level);
    set_vector(lapic->auto_eoi, vector, false);
}

void lapic_record_error(struct lapic *lapic, uint32_t errors)
{
    uint32_t fresh = errors & ~lapic->esr_pending;
    uint32_t lvt = lapic->lvt[LAPIC_LVT_ERROR];

    lapic->esr_pending |= errors;
    if (fresh == 0 || (lvt & LAPIC_LVT_MASKED))
        return;
    /* An error interrupt with a bad vector is one more error, and does not raise itself. */
    if ((uint8_t)lvt < IRQ_VECTOR_MIN)
        lapic->esr_pending |= LAPIC_ERROR_RECEIVE_VECTOR;
    else
        request(lapic, (uint8_t)lvt, false);
}

static bool accept_fixed(struct lapic *lapic, uint8_t vector, bool level)
{
    if (!is_software_enabled(lapic))
        return false;
    if (vector < IRQ_VECTOR_MIN) {
        lapic_record_error(lapic, LAPIC_ERROR_RECEIVE_VECTOR);
        return false;
    }
    request(lapic, vector, level);
    return true;
}

bool lapic_raise(struct lapic *lapic, uint8_t vector, bool auto_eoi)
{
    if (!accept_fixed(lapic, vector, false))
        return false;
    set_vector(lapic->auto_eoi, vector, auto_eoi);
    return true;
}

static void accept_init(struct lapic *lapic)
{
    lapic_reset(lapic);
    lapic->init = true;
    lapic->nmi = false;
    lapic->sipi = false; /* an older one: only a SIPI that follows this INIT starts the processor [INT-3] */
}

static void accept_startup(struct lapic *lapic, uint8_t vector)
{
    /* The first one starts the processor; another comes too late (SDM 9.4.4.1). */
    if (lapic->sipi)
        return;
    lapic->sipi = true;
    lapic->sipi_vector = vector;
}

bool lapic_accept(struct lapic *lapic, const struct irq_message *message)
{
    if (!lapic_is_enabled(lapic))
        return false;
    switch (message->mode) {
    case IRQ_FIXED:
    case IRQ_LOWEST:
        return accept_fixed(lapic, message->vector, message->level);
    case IRQ_NMI:
        lapic->nmi = true;
        return true;
    case IRQ_INIT:
        accept_init(lapic);
        return true;
    case IRQ_STARTUP:
        accept_startup(lapic, message->vector);
        return true;
    case IRQ_EXTINT: /* like a fixed one, but that the PIC has the vector (SDM 11.5.1) */
        lapic->extint = is_software_enabled(lapic);
        return lapic->extint;
    default: /* SMI: there is no SMM here */
        return false;
    }
}

/* An interrupt of the APIC's own: LVT entries know fixed, NMI and INIT (SDM 11.5.1). */
static void raise_lvt(struct lapic *lapic, enum lapic_lvt entry)
{
    uint32_t lvt = lapic->lvt[entry];
    struct irq_message message = {.vector = (uint8_t)lvt, .mode = (uint8_t)(lvt >> 8 & 7u)};

    if (lvt & LAPIC_LVT_MASKED)
        return;
    if (message.mode == IRQ_FIXED || message.mode == IRQ_NMI || message.mode == IRQ_INIT)
        (void)lapic_accept(lapic, &message);
}

void lapic_pulse_lint(struct lapic *lapic, unsigned lint)
{
    /* With the APIC off the pins are the processor's INTR and NMI (SDM 11.4.3). INTR is the PIC's to hold. */
    if (lapic_is_enabled(lapic))
        raise_lvt(lapic, lint == 0 ? LAPIC_LVT_LINT0 : LAPIC_LVT_LINT1);
    else if (lint == 1)
        lapic->nmi = true;
}

bool lapic_takes_pic(const struct lapic *lapic)
{
    uint32_t lvt = lapic->lvt[LAPIC_LVT_LINT0];

    if (!lapic_is_enabled(lapic))
        return lapic->id == 0;
    return !(lvt & LAPIC_LVT_MASKED) && (lvt >> 8 & 7u) == IRQ_EXTINT;
}

/* --- to the processor --- */

uint8_t lapic_ppr(const struct lapic *lapic)
{
    uint8_t in_service = 0;

    (void)highest(lapic->isr, &in_service);
    /* The class of what is in service, or the task priority with its sub-class (SDM 11.8.3.1). */
    if ((in_service & 0xf0u) > (lapic->tpr & 0xf0u))
        return in_service & 0xf0u;
    return (uint8_t)lapic->tpr;
}

static bool next_interrupt(const struct lapic *lapic, uint8_t *ret_vector)
{
    uint8_t vector;

    if (!lapic_is_enabled(lapic) || !highest(lapic->irr, &vector) || vector >> 4 <= lapic_ppr(lapic) >> 4)
        return false;
    *ret_vector = vector;
    return true;
}

bool lapic_has_interrupt(const struct lapic *lapic)
{
    uint8_t vector;

    return next_interrupt(lapic, &vector);
}

bool lapic_acknowledge(struct lapic *lapic, uint8_t *ret_vector)
{
    uint8_t vector;

    if (!next_interrupt(lapic, &vector))
        return false;
    set_vector(lapic->irr, vector, false);
    set_vector(lapic->isr, vector, (lapic->auto_eoi[vector / 32] >> (vector & 31u) & 1u) == 0);
    *ret_vector = vector;
    return true;
}

void lapic_take_edges(struct lapic *lapic, struct vmr_irq_pending *pending)
{
    pending->nmi = lapic->nmi;
    pending->init = lapic->init;
    pending->sipi = lapic->sipi;
    pending->sipi_vector = lapic->sipi ? lapic->sipi_vector : 0;
    lapic->nmi = false;
    lapic->init = false;
    lapic->sipi = false;
}

void lapic_set_cr8(struct lapic *lapic, uint8_t cr8)
{
    /* CR8 is the class; the sub-class, which only the register can set, stays if the class does. */
    if (lapic->tpr >> 4 != (cr8 & 15u))
        lapic->tpr = (uint32_t)(cr8 & 15u) << 4;
}

void lapic_advance(struct lapic *lapic, uint64_t now_ns)
{
    bool periodic = (lapic->lvt[LAPIC_LVT_TIMER] & LAPIC_LVT_TIMER_PERIODIC) != 0;

    if (lapic_timer_advance(&lapic->timer, periodic, now_ns))
        raise_lvt(lapic, LAPIC_LVT_TIMER);
}

uint64_t lapic_deadline(const struct lapic *lapic)
{
    /* A masked timer counts, but nobody need come for it. */
    return lapic->lvt[LAPIC_LVT_TIMER] & LAPIC_LVT_MASKED ? VMR_NEVER : lapic->timer.due_ns;
}

void lapic_eoi(struct lapic *lapic, struct lapic_effects *effects)
{
    uint8_t vector;

    if (!highest(lapic->isr, &vector))
        return;
    set_vector(lapic->isr, vector, false);
    effects->eoi = (lapic->tmr[vector / 32] >> (vector & 31u) & 1u) != 0;
    effects->eoi_vector = vector;
}

void lapic_set_svr(struct lapic *lapic, uint32_t value)
{
    lapic->svr = value;
    if (value & LAPIC_SVR_ENABLE)
        return;
    for (unsigned i = 0; i < LAPIC_LVT_COUNT; i++)
        lapic->lvt[i] |= LAPIC_LVT_MASKED; /* SDM 11.4.7.2 */
}

void lapic_set_lvt(struct lapic *lapic, enum lapic_lvt entry, uint32_t value)
{
    lapic->lvt[entry] = value;
    if (!(lapic->svr & LAPIC_SVR_ENABLE))
        lapic->lvt[entry] |= LAPIC_LVT_MASKED;
}
