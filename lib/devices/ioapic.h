/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The I/O APIC (82093AA, with the EOI register of its successors): 24 pins,
 * each with a redirection entry. A plain model without a lock: its owner has
 * one, and takes what it sends through a sink given with each call.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/devices/irq_message.h"
#include "vmrig/types.h"

#define IOAPIC_PIN_COUNT 24u
/* No device's: the PIC's output is wired to it (MultiProcessor Specification 1.4, 3.6.2.2). */
#define IOAPIC_PIC_PIN 0u

/* Where messages go. False: no local APIC took it; a level pin will try again. */
struct ioapic_sink {
    bool (*deliver)(void *context, unsigned pin, const struct irq_message *message);
    void *context;
};

struct ioapic {
    uint64_t entries[IOAPIC_PIN_COUNT];
    uint32_t lines;  /* pins that devices hold */
    uint32_t select; /* IOREGSEL */
    uint32_t id;
};

void ioapic_init(struct ioapic *ioapic);
/* Whether an entry can be `entry`, and the other registers theirs: for what comes from outside. */
bool ioapic_can_hold(uint64_t entry);
bool ioapic_can_hold_select(uint32_t select);
bool ioapic_can_hold_id(uint32_t id);
void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool level, const struct ioapic_sink *sink);
/* A local APIC ended `vector`: pins that still ask for it ask again. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector, const struct ioapic_sink *sink);
/* Local APICs changed: pins that nobody took try again. */
void ioapic_retry(struct ioapic *ioapic, const struct ioapic_sink *sink);
/* What was sent from `pin` was refused after all. */
void ioapic_refused(struct ioapic *ioapic, unsigned pin);
/* The MSI that `pin` sends; false: none, it is masked and owes no EOI, or has no form as an MSI. */
bool ioapic_route(const struct ioapic *ioapic, unsigned pin, struct vmr_msi *ret_msi);
/* False: there is no MSI that says this. */
bool ioapic_to_msi(const struct irq_message *message, struct vmr_msi *ret_msi);

/* Offsets into the page: 0x00, 0x10, 0x40; any other reads zero and takes nothing. */
uint32_t ioapic_read(const struct ioapic *ioapic, uint64_t offset);
void ioapic_write(struct ioapic *ioapic, uint64_t offset, uint32_t value, const struct ioapic_sink *sink);
