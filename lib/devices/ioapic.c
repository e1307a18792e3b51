/* SPDX-License-Identifier: MIT */
/*
 * The I/O APIC, after Intel's data sheet of the 82093AA (order number 290566).
 *
 * A level pin that was delivered waits in its remote IRR bit until the EOI,
 * and asks again if its line is still held. Polarity is kept and otherwise
 * ignored: devices say "asserted", not "high".
 */

#include "lib/devices/ioapic.h"

#include <stddef.h>

#define OFFSET_SELECT 0x00u
#define OFFSET_WINDOW 0x10u
#define OFFSET_EOI 0x40u

#define REGISTER_ID 0x00u
#define REGISTER_VERSION 0x01u
#define REGISTER_ARBITRATION 0x02u
#define REGISTER_ENTRIES 0x10u

/* 0x20 promises the EOI register, which the 82093AA itself (0x11) has not. */
#define VERSION 0x20u
#define ID_BITS 0x0f000000u
#define SELECT_MAX 0xffu

/* A redirection entry (data sheet, 3.2.4). */
#define ENTRY_LOGICAL (UINT64_C(1) << 11)
#define ENTRY_REMOTE_IRR (UINT64_C(1) << 14)
#define ENTRY_LEVEL (UINT64_C(1) << 15)
#define ENTRY_MASKED (UINT64_C(1) << 16)
#define ENTRY_WRITABLE UINT64_C(0xff0000000001afff)
/* Delivery status: this model never has a message under way. */
#define ENTRY_STATUS (UINT64_C(1) << 12)

static uint8_t entry_vector(uint64_t entry)
{
    return (uint8_t)entry;
}

static uint8_t entry_mode(uint64_t entry)
{
    return (uint8_t)(entry >> 8 & 7u);
}

/* NMI, INIT and the rest have no EOI, so a level one would never end (data sheet, 3.2.4, delivery mode). */
static bool is_level(uint64_t entry)
{
    return (entry & ENTRY_LEVEL) && entry_mode(entry) <= IRQ_LOWEST;
}

static struct irq_message entry_message(uint64_t entry)
{
    return (struct irq_message){
        .destination = (uint32_t)(entry >> 56),
        .vector = entry_vector(entry),
        .mode = entry_mode(entry),
        .logical = (entry & ENTRY_LOGICAL) != 0,
        .level = is_level(entry),
    };
}

static bool send(struct ioapic *ioapic, unsigned pin, const struct ioapic_sink *sink)
{
    struct irq_message message = entry_message(ioapic->entries[pin]);

    return sink->deliver(sink->context, pin, &message);
}

/* Sends a level pin that asks, is let through, and is not being served. */
static void service_level(struct ioapic *ioapic, unsigned pin, const struct ioapic_sink *sink)
{
    uint64_t *entry = &ioapic->entries[pin];

    if (!is_level(*entry) || (*entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !(ioapic->lines >> pin & 1u))
        return;
    if (send(ioapic, pin, sink))
        *entry |= ENTRY_REMOTE_IRR;
}

void ioapic_init(struct ioapic *ioapic)
{
    *ioapic = (struct ioapic){0};
    for (size_t pin = 0; pin < IOAPIC_PIN_COUNT; pin++)
        ioapic->entries[pin] = ENTRY_MASKED;
}

bool ioapic_can_hold(uint64_t entry)
{
    return (entry & ~(ENTRY_WRITABLE | ENTRY_REMOTE_IRR)) == 0 && (!(entry & ENTRY_REMOTE_IRR) || is_level(entry));
}

bool ioapic_can_hold_select(uint32_t select)
{
    return select <= SELECT_MAX;
}

bool ioapic_can_hold_id(uint32_t id)
{
    return (id & ~ID_BITS) == 0;
}

void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool level, const struct ioapic_sink *sink)
{
    if (pin >= IOAPIC_PIN_COUNT)
        return;
    uint32_t bit = 1u << pin;
    bool rises = level && !(ioapic->lines & bit);

    ioapic->lines = level ? ioapic->lines | bit : ioapic->lines & ~bit;
    if (is_level(ioapic->entries[pin]))
        service_level(ioapic, pin, sink);
    else if (rises && !(ioapic->entries[pin] & ENTRY_MASKED))
        (void)send(ioapic, pin, sink); /* an edge that nobody takes, or that is masked, is gone (data sheet, 3.2.4) */
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector, const struct ioapic_sink *sink)
{
    for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT; pin++) {
        if (entry_vector(ioapic->entries[pin]) != vector || !(ioapic->entries[pin] & ENTRY_REMOTE_IRR))
            continue;
        ioapic->entries[pin] &= ~ENTRY_REMOTE_IRR;
        service_level(ioapic, pin, sink);
    }
}

void ioapic_retry(struct ioapic *ioapic, const struct ioapic_sink *sink)
{
    for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT; pin++)
        service_level(ioapic, pin, sink);
}

void ioapic_refused(struct ioapic *ioapic, unsigned pin)
{
    if (pin < IOAPIC_PIN_COUNT)
        ioapic->entries[pin] &= ~ENTRY_REMOTE_IRR;
}

bool ioapic_to_msi(const struct irq_message *message, struct vmr_msi *ret_msi)
{
    if (message->mode == IRQ_EXTINT || message->mode == IRQ_RESERVED || message->mode == IRQ_STARTUP)
        return false;
    /* Intel SDM vol. 3, 11.11: destination 12-19, destination mode 2; level asserts with bit 14. */
    ret_msi->address = 0xfee00000u | (message->destination & 0xffu) << 12 | (message->logical ? 1u << 2 : 0);
    ret_msi->data = message->vector | (uint32_t)message->mode << 8 | (message->level ? 3u << 14 : 0);
    return true;
}

bool ioapic_route(const struct ioapic *ioapic, unsigned pin, struct vmr_msi *ret_msi)
{
    uint64_t entry = ioapic->entries[pin];
    struct irq_message message = entry_message(entry);

    /* Masked while it is served, it still has to see its EOI. */
    if ((entry & ENTRY_MASKED) && !(entry & ENTRY_REMOTE_IRR))
        return false;
    return ioapic_to_msi(&message, ret_msi);
}

/* --- registers --- */

static uint32_t read_window(const struct ioapic *ioapic)
{
    uint32_t guest_index = ioapic->select;

    if (guest_index == REGISTER_ID || guest_index == REGISTER_ARBITRATION)
        return ioapic->id;
    if (guest_index == REGISTER_VERSION)
        return (IOAPIC_PIN_COUNT - 1) << 16 | VERSION;
    if (guest_index < REGISTER_ENTRIES || guest_index >= REGISTER_ENTRIES + 2 * IOAPIC_PIN_COUNT)
        return 0;
    uint64_t entry = ioapic->entries[(guest_index - REGISTER_ENTRIES) / 2] & ~ENTRY_STATUS;

    return (uint32_t)(guest_index & 1 ? entry >> 32 : entry);
}

static void write_entry(struct ioapic *ioapic, uint32_t index, uint32_t value, const struct ioapic_sink *sink)
{
    unsigned pin = index / 2;
    unsigned shift = index & 1 ? 32 : 0;
    uint64_t half = UINT64_C(0xffffffff) << shift;
    uint64_t writable = ENTRY_WRITABLE & half;
    uint64_t *entry = &ioapic->entries[pin];

    *entry = (*entry & ~writable) | ((uint64_t)value << shift & writable);
    /* An edge pin waits for no EOI; operating systems clear a stuck bit by turning a pin to edge and back. */
    if (!is_level(*entry))
        *entry &= ~ENTRY_REMOTE_IRR;
    service_level(ioapic, pin, sink);
}

uint32_t ioapic_read(const struct ioapic *ioapic, uint64_t offset)
{
    if (offset == OFFSET_SELECT)
        return ioapic->select;
    return offset == OFFSET_WINDOW ? read_window(ioapic) : 0;
}

void ioapic_write(struct ioapic *ioapic, uint64_t offset, uint32_t value, const struct ioapic_sink *sink)
{
    uint32_t guest_index = ioapic->select;

    if (offset == OFFSET_SELECT)
        ioapic->select = value & SELECT_MAX;
    else if (offset == OFFSET_EOI)
        ioapic_eoi(ioapic, (uint8_t)value, sink);
    else if (offset != OFFSET_WINDOW)
        return;
    else if (guest_index == REGISTER_ID)
        ioapic->id = value & ID_BITS;
    else if (guest_index >= REGISTER_ENTRIES && guest_index < REGISTER_ENTRIES + 2 * IOAPIC_PIN_COUNT)
        write_entry(ioapic, guest_index - REGISTER_ENTRIES, value, sink);
}
