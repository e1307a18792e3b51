/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One local APIC: xAPIC and x2APIC. A plain model without a lock and without
 * neighbours: its owner has the lock, and carries out what a register write
 * asks of others (struct lapic_effects).
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/devices/irq_message.h"
#include "lib/devices/lapic_timer.h"
#include "vmrig/irqchip.h"

/* Version 0x14 with 6 LVT entries, and no EOI broadcast suppression (Intel SDM vol. 3, 11.4.8). */
#define LAPIC_VERSION 0x00050014u

#define LAPIC_BASE_BSP (UINT64_C(1) << 8)
#define LAPIC_BASE_X2APIC (UINT64_C(1) << 10)
#define LAPIC_BASE_ENABLE (UINT64_C(1) << 11)
#define LAPIC_BASE_MSR 0x1bu
#define LAPIC_X2APIC_MSR_FIRST 0x800u
#define LAPIC_X2APIC_MSR_LAST 0x8ffu

#define LAPIC_SVR_ENABLE (1u << 8)
#define LAPIC_LVT_MASKED (1u << 16)
#define LAPIC_LVT_TIMER_PERIODIC (1u << 17)

/* In the order of their registers, 0x320 to 0x370. */
enum lapic_lvt {
    LAPIC_LVT_TIMER,
    LAPIC_LVT_THERMAL,
    LAPIC_LVT_PERF,
    LAPIC_LVT_LINT0,
    LAPIC_LVT_LINT1,
    LAPIC_LVT_ERROR,
    LAPIC_LVT_COUNT
};

enum lapic_error {
    LAPIC_ERROR_SEND_VECTOR = 1u << 5,
    LAPIC_ERROR_RECEIVE_VECTOR = 1u << 6,
    LAPIC_ERROR_REGISTER = 1u << 7
};

/* The destination shorthand of the ICR. */
enum lapic_shorthand {
    LAPIC_TO_DESTINATION,
    LAPIC_TO_SELF,
    LAPIC_TO_ALL,
    LAPIC_TO_OTHERS
};

/* What a register write asks of the rest of the machine. */
struct lapic_effects {
    bool send; /* `ipi` to `shorthand` */
    struct irq_message ipi;
    enum lapic_shorthand shorthand;
    bool eoi; /* a level interrupt ended: tell the IO-APIC `eoi_vector` */
    uint8_t eoi_vector;
    bool reconfigured; /* it may now take what it did not */
};

struct lapic {
    uint32_t id;
    uint64_t base;
    uint32_t tpr, ldr, dfr, svr, icr_low, icr_high;
    uint32_t esr, esr_pending; /* what the guest latched; what has happened since */
    uint32_t lvt[LAPIC_LVT_COUNT];
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t auto_eoi[8]; /* of what is in irr */
    struct lapic_timer timer;
    bool tpr_written; /* by register: newer than the CR8 that the processor last reported */
    bool nmi, init, sipi;
    uint8_t sipi_vector;
    bool extint; /* a message said that the PIC has something; whoever asks the PIC clears it */
};

/* Power-up. `id` 0 is the boot processor. */
void lapic_init(struct lapic *lapic, uint32_t id, bool x2apic, uint64_t timer_hz);
/* The registers at power-up values but the ID and IA32_APIC_BASE (Intel SDM vol. 3, 11.4.7.3); edges stay. */
void lapic_reset(struct lapic *lapic);
bool lapic_is_enabled(const struct lapic *lapic); /* by IA32_APIC_BASE */
bool lapic_is_x2apic(const struct lapic *lapic);

/* --- interrupts in --- */

bool lapic_matches(const struct lapic *lapic, const struct irq_message *message);
/* Whether it may be chosen among several for a lowest-priority interrupt. */
bool lapic_can_arbitrate(const struct lapic *lapic);
/* False: it does not take this. INIT resets the APIC at once; the processor learns by lapic_take_edges. */
bool lapic_accept(struct lapic *lapic, const struct irq_message *message);
/* A fixed edge. `auto_eoi`: acknowledged, it is over. False: it does not take this. */
bool lapic_raise(struct lapic *lapic, uint8_t vector, bool auto_eoi);
void lapic_pulse_lint(struct lapic *lapic, unsigned lint);
/* Whether the PIC's output reaches the processor by LINT0. */
bool lapic_takes_pic(const struct lapic *lapic);
void lapic_record_error(struct lapic *lapic, uint32_t errors);

/* --- to the processor --- */

uint8_t lapic_ppr(const struct lapic *lapic);
bool lapic_has_interrupt(const struct lapic *lapic);
bool lapic_acknowledge(struct lapic *lapic, uint8_t *ret_vector);
/* NMI, INIT, SIPI: moves them out. */
void lapic_take_edges(struct lapic *lapic, struct vmr_irq_pending *pending);
void lapic_set_cr8(struct lapic *lapic, uint8_t cr8);
void lapic_advance(struct lapic *lapic, uint64_t now_ns);
uint64_t lapic_deadline(const struct lapic *lapic);

/* Ends the most urgent interrupt in service. */
void lapic_eoi(struct lapic *lapic, struct lapic_effects *effects);
/* While software has disabled the APIC, every LVT entry is masked and stays so. */
void lapic_set_svr(struct lapic *lapic, uint32_t value);
void lapic_set_lvt(struct lapic *lapic, enum lapic_lvt entry, uint32_t value);

/* --- registers (lapic_registers.c). `now_ns` matters only where lapic_register_needs_time says so. --- */

/* `number` is the register's place in the page over 16, and its MSR less 0x800. */
bool lapic_register_needs_time(uint32_t number);
/* What a write can set in the register at `offset` of the page. */
uint32_t lapic_writable_bits(uint32_t offset);
uint64_t lapic_page_read(struct lapic *lapic, uint64_t offset, unsigned size, uint64_t now_ns);
void lapic_page_write(struct lapic *lapic, uint64_t offset, unsigned size, uint32_t value, uint64_t now_ns,
                      struct lapic_effects *effects);
enum vmr_msr_result lapic_msr_read(struct lapic *lapic, uint32_t index, uint64_t now_ns, uint64_t *ret_value);
enum vmr_msr_result lapic_msr_write(struct lapic *lapic, uint32_t index, uint64_t value, uint64_t now_ns,
                                    struct lapic_effects *effects);
/* HV_MSR_EOI, HV_MSR_ICR and HV_MSR_TPR; #GP while the local APIC is off. */
enum vmr_msr_result lapic_hv_read(const struct lapic *lapic, uint32_t index, uint64_t *ret_value);
enum vmr_msr_result lapic_hv_write(struct lapic *lapic, uint32_t index, uint64_t value, struct lapic_effects *effects);
