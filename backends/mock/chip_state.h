/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The in-hypervisor controllers from inside: for chip.c and chip_registers.c.
 */

#include "backends/mock/chip.h"

/* Registers of a local APIC by (offset >> 4), which is also the x2APIC MSR's number. */
enum lapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_EOI = 0x0b,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SVR = 0x0f,
    LAPIC_ICR_LOW = 0x30,
    LAPIC_ICR_HIGH = 0x31,
    LAPIC_LINT0 = 0x35,
    LAPIC_LINT1 = 0x36,
    LAPIC_SELF_IPI = 0x3f,
    LAPIC_REGISTER_COUNT = 0x40
};

#define SVR_ENABLE 0x100u
#define LVT_MASKED 0x10000u
#define ENTRY_MASKED UINT64_C(0x10000)
#define ENTRY_LEVEL UINT64_C(0x8000)
#define ENTRY_LOGICAL UINT64_C(0x800)

enum delivery_mode {
    MODE_FIXED = 0,
    MODE_LOWEST = 1,
    MODE_NMI = 4,
    MODE_INIT = 5,
    MODE_SIPI = 6
};

struct chip_message {
    uint32_t destination;
    bool logical;
    uint8_t vector;
    uint32_t mode;
    bool level;
};

struct lapic {
    uint32_t regs[LAPIC_REGISTER_COUNT];
    uint32_t requested[8], in_service[8], level[8]; /* a bit a vector */
    bool nmi, init, sipi;
    uint8_t sipi_vector;
    bool attend; /* something came that the VP has not been told of */
};

struct pin {
    uint64_t entry;
    bool line, in_service;
};

struct route {
    bool set, line;
    struct vmr_msi msi;
};

struct chip {
    struct sync_mutex lock; /* guards everything below */
    struct route *routes;   /* a GSI each */
    struct pin pins[VMR_IOAPIC_PINS];
    uint32_t ioapic_select;
    bool attend; /* some lapics[].attend is set */
    struct lapic lapics[];
};

void chip_lapic_reset(struct lapic *lapic);

/* With the lock held. */
bool lapic_deliver(struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message);
bool chip_deliver(struct vmr_backend_vm *vm, const struct chip_message *message);
void pin_update(struct vmr_backend_vm *vm, struct pin *pin, bool rising);
void chip_lapic_eoi(struct vmr_backend_vp *vp);

/* Gives the lock back, and calls for the attention of those VPs that something came for. */
void chip_unlock(struct vmr_backend_vm *vm);
