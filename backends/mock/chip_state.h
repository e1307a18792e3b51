/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The in-hypervisor controllers from inside, for the files chip*.c. Everything
 * here is called with the chip's lock held, unless it says otherwise.
 */

#include "backends/mock/chip.h"

/* Registers of a local APIC by (offset >> 4), which is also the x2APIC MSR's number. */
enum lapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_PPR = 0x0a,
    LAPIC_EOI = 0x0b,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SVR = 0x0f,
    LAPIC_ISR = 0x10,
    LAPIC_TMR = 0x18,
    LAPIC_IRR = 0x20,
    LAPIC_ESR = 0x28,
    LAPIC_LVT_CMCI = 0x2f,
    LAPIC_ICR_LOW = 0x30,
    LAPIC_ICR_HIGH = 0x31,
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_COUNTERS = 0x34,
    LAPIC_LINT0 = 0x35,
    LAPIC_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_INITIAL = 0x38,
    LAPIC_TIMER_CURRENT = 0x39,
    LAPIC_TIMER_DIVIDE = 0x3e,
    LAPIC_SELF_IPI = 0x3f,
    LAPIC_REGISTER_COUNT = 0x40
};

#define SVR_ENABLE 0x100u
#define SVR_KEEP_EOI 0x1000u /* the IO-APIC hears of no EOI (11.8.5) */
#define LVT_MASKED 0x10000u
#define ENTRY_MASKED UINT64_C(0x10000)
#define ENTRY_LEVEL UINT64_C(0x8000)
#define ENTRY_LOGICAL UINT64_C(0x800)
#define ESR_SEND_VECTOR 0x20u
#define ESR_RECEIVE_VECTOR 0x40u
/* Vectors below belong to the processor, and no local APIC takes them (Intel SDM vol. 3, 11.5.2). */
#define VECTOR_FIRST 16u

enum delivery_mode {
    MODE_FIXED = 0,
    MODE_LOWEST = 1,
    MODE_NMI = 4,
    MODE_INIT = 5,
    MODE_SIPI = 6,
    MODE_EXTINT = 7
};

struct chip_message {
    uint32_t destination; /* UINT32_MAX: everybody */
    bool logical;
    uint8_t vector;
    uint32_t mode;
    bool level;
};

/* Of the VP's thread alone. */
struct chip_timer {
    uint64_t due_ns;   /* VMR_NEVER: stopped */
    uint64_t deadline; /* IA32_TSC_DEADLINE; 0: not armed */
};

struct lapic {
    uint32_t regs[LAPIC_REGISTER_COUNT];
    uint32_t requested[8], in_service[8], level[8]; /* a bit a vector */
    uint32_t errors;                                /* since the last write to the error status register */
    struct chip_timer timer;
    bool off, x2apic; /* as IA32_APIC_BASE says; changed by the VP's thread alone */
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

#define PIC_LINES 16u

/* One 8259A. Bits of its bytes are lines. */
struct pic {
    uint8_t lines; /* as devices hold them */
    uint8_t edges; /* seen, and not acknowledged yet */
    uint8_t mask, in_service;
    uint8_t level; /* ELCR: these are level triggered */
    uint8_t vector_base;
    uint8_t lowest;   /* the line of the lowest priority; 7 unless it rotates */
    uint8_t awaited;  /* the initialisation word that comes next at the data port; 0: none */
    bool initialised; /* all words have come. Before that it asks for nothing. */
    bool all_level, single, takes_word_4;
    bool auto_eoi, rotates, special_nested, special_mask;
    bool reads_in_service, polled;
    bool asks; /* the slave: its output, an edge of which the master sees */
};

enum pic_place {
    PIC_MASTER,
    PIC_SLAVE,
    PIC_COUNT
};

struct chip {
    struct sync_mutex lock; /* guards everything below */
    struct route *routes;   /* a GSI each */
    struct pin pins[VMR_IOAPIC_PINS];
    struct pic pics[PIC_COUNT]; /* with irqchip=kernel */
    uint32_t ioapic_select;
    bool attend; /* some lapics[].attend is set */
    struct lapic lapics[];
};

/* --- chip.c --- */

/* Gives the lock back, and calls for the attention of those VPs that something came for. */
void chip_unlock(struct vmr_backend_vm *vm);
void pin_update(struct vmr_backend_vm *vm, struct pin *pin, bool rising);

/* --- chip_lapic.c --- */

/* Power-up values; what IA32_APIC_BASE says stays. */
void chip_lapic_reset(struct lapic *lapic, bool is_boot_processor);
bool chip_lapic_is_enabled(const struct lapic *lapic);
/* The processor priority register (Intel SDM vol. 3, 11.8.3.1). */
uint32_t chip_lapic_priority(const struct lapic *lapic);
/* Whether the PIC's output reaches this VP. */
bool chip_lapic_takes_pic(const struct lapic *lapic);
uint32_t chip_lapic_logical_id(const struct lapic *lapic, vmr_vp_index vp);
/* The vector that the VP takes now, which is in service from here on; -1: none. */
int chip_lapic_acknowledge(struct lapic *lapic);
/* Ends the interrupt in service. */
void chip_lapic_eoi(struct vmr_backend_vp *vp);
/* To one, whatever the message's destination. False: it does not take it. */
bool chip_lapic_deliver(struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message);
/* To all that the destination names. False: none takes it. */
bool chip_deliver(struct vmr_backend_vm *vm, const struct chip_message *message);

/* Eight bits of destination, of which all ones are everybody in either mode (Intel SDM vol. 3, 11.6.2). */
static inline uint32_t destination_of_byte(uint64_t byte)
{
    return (byte & 0xff) == 0xff ? UINT32_MAX : (uint32_t)(byte & 0xff);
}

/* --- chip_registers.c --- */

/* What a guest would read, but for the timer's count. */
uint32_t chip_lapic_peek(const struct vmr_backend_vp *vp, uint32_t reg);
/* Bits that a register can hold once something was written; 0: it holds nothing. */
uint32_t chip_lapic_kept_bits(const struct vmr_backend_vm *vm, uint32_t reg);

/* --- chip_timer.c --- */

/* A register of the timer has been written; `old` is what it held. */
void chip_timer_changed(struct vmr_backend_vp *vp, uint32_t reg, uint32_t old);
uint32_t chip_timer_current(struct vmr_backend_vp *vp);

/* --- chip_pic.c --- */

/* `line` below 16. */
void chip_pic_set_line(struct vmr_backend_vm *vm, unsigned line, bool level);
/* The vector that the pair gives to the processor; -1: it asks for nothing. */
int chip_pic_acknowledge(struct vmr_backend_vm *vm);
