/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One interrupt on its way to local APICs: what IO-APIC pins, MSIs and IPIs all
 * become. Guests choose every field but `wide`.
 */

#include <stdbool.h>
#include <stdint.h>

/* The encoding of every delivery mode field: ICR, LVT, MSI data, IO-APIC (Intel SDM vol. 3, 11.6.1). */
enum irq_mode {
    IRQ_FIXED = 0,
    IRQ_LOWEST = 1,
    IRQ_SMI = 2,
    IRQ_RESERVED = 3,
    IRQ_NMI = 4,
    IRQ_INIT = 5,
    IRQ_STARTUP = 6,
    IRQ_EXTINT = 7
};

/* Vectors 0-15 are the processor's own and are refused everywhere (Intel SDM vol. 3, 11.5.2). */
#define IRQ_VECTOR_MIN 16u

struct irq_message {
    uint32_t destination;
    uint8_t vector;
    uint8_t mode; /* enum irq_mode */
    bool logical; /* destination mode */
    bool wide;    /* a 32-bit x2APIC destination; else 8 bits, and 0xff means all */
    bool level;   /* trigger mode */
};
