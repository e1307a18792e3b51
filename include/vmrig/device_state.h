/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of the platform's devices (vmrig/platform.h) and of the built-in
 * interrupt controllers (vmrig/irqchip.h), each a plain struct with a type
 * (vmrig/state.h). Registers are as the guest sees them; times are nanoseconds on
 * the clock of the host that the device was given. What follows from the rest is
 * no field.
 *
 * All of a machine's, in the order of saving and restoring:
 *
 *   vmr_irqchip_state_units      interrupt-lines, pic, ioapic, lapic of each VP
 *   vmr_platform_state_units     power, serial, cmos, pit, keyboard-controller, pci, fw-cfg
 *
 * Controllers come first: a device that is set tells its line's level once more,
 * and a controller that knows the level already takes it for no edge. So nothing
 * is lost and nothing comes twice, wherever the controllers are.
 *
 * What was got can always be set. Set takes nothing else on trust: VMR_E_CONFIG,
 * naming device and field, for what the device cannot hold. After it, lines,
 * deadlines and wakes are as the new state wants them. VPs stopped. [DEV-1]
 */

#include "vmrig/irqchip.h"
#include "vmrig/platform.h"
#include "vmrig/state.h"

VMR_BEGIN_DECLS

/* --- the platform's devices --- */

struct vmr_power_state {
    uint32_t reason; /* enum vmr_halt_reason; 0: nothing is requested */
    uint32_t value;
};

#define VMR_SERIAL_QUEUE_BYTES 4096u
struct vmr_serial_state {
    uint8_t interrupt_enable, line_control, modem_control, fifo_control, scratch;
    uint16_t divisor;
    bool thr_empty; /* its interrupt has not been seen yet */
    bool overrun;
    uint8_t modem_delta; /* MSR, lower half */
    uint32_t queued;
    uint8_t queue[VMR_SERIAL_QUEUE_BYTES]; /* for the guest to read, the oldest first */
};

/* At reset the clock runs on, and shows what it would if the guest had never set it. */
struct vmr_cmos_state {
    uint8_t index;                 /* what port 0x70 selects */
    uint8_t bytes[VMR_CMOS_BYTES]; /* registers of the clock, then memory */
    bool started;                  /* somebody has looked at the clock; before, the times are 0 */
    uint64_t phase_ns;             /* when it began */
    uint64_t now_ns;               /* how far it has come since, as last looked at */
    uint64_t shift_ns;             /* how much further it is than the host since then */
    uint64_t set_s;                /* the time it showed, seconds since 1970... */
    uint64_t set_at_s;             /* ...at this second */
};

#define VMR_PIT_CHANNELS 3u
struct vmr_pit_channel_state {
    uint8_t mode;   /* 0 to 5 */
    uint8_t access; /* as in control words: 1 low, 2 high, 3 both */
    bool bcd, counting;
    uint32_t reload;      /* 1 to 65536; 0: no count was written yet */
    uint32_t next_reload; /* waits for the end of the period or for the trigger; 0: none */
    uint64_t start;       /* the tick at which `reload` was loaded */
    uint64_t paused;      /* gate low: the tick at which counting stopped */
    bool high_byte_next;  /* of a count that is being written... */
    uint8_t low_byte;     /* ...whose low byte was this */
    bool read_high_next;
    bool count_latched, status_latched;
    uint16_t latched_count;
    uint8_t latched_status;
};
struct vmr_pit_state {
    struct vmr_pit_channel_state channels[VMR_PIT_CHANNELS];
    uint8_t speaker;  /* port 0x61, what the guest wrote */
    bool line;        /* line 0 is high: it stays so after an edge */
    bool started;     /* somebody has looked at the clock; before, base and tick are 0 */
    uint64_t base_ns; /* tick 0 */
    uint64_t tick;    /* the latest that was looked at, of VMR_PIT_HZ; edges up to here have been told */
};

#define VMR_I8042_BUFFER_BYTES 16u
struct vmr_i8042_state {
    uint8_t config;
    uint8_t parameter_of; /* the command whose parameter port 0x60 takes next; 0: none */
    bool last_was_command;
    bool a20;
    uint8_t last_byte; /* what port 0x60 shows while nothing waits; 0 while something does */
    uint32_t count;
    uint8_t bytes[VMR_I8042_BUFFER_BYTES]; /* that wait, the oldest first */
    bool aux[VMR_I8042_BUFFER_BYTES];      /* and are the mouse's */
    uint8_t keyboard_parameter_of;
    uint8_t scan_set; /* 1 to 3 */
};

struct vmr_pci_none_state {
    uint32_t address; /* 0xcf8 */
    uint8_t reset;    /* 0xcf9 */
};

struct vmr_fw_cfg_state {
    bool selected; /* an item that is there */
    uint16_t key;
    uint8_t offset; /* of the byte to be read next */
};

/*
 * One device's unit. Debug console and debug exits hold nothing. Objects belong
 * to the device and live as long as it.
 */
VMR_API void vmr_power_state_unit(struct vmr_power *power, struct vmr_state_unit *ret_unit);
VMR_API void vmr_serial_state_unit(struct vmr_serial *serial, struct vmr_state_unit *ret_unit);
VMR_API void vmr_cmos_state_unit(struct vmr_cmos *cmos, struct vmr_state_unit *ret_unit);
VMR_API void vmr_pit_state_unit(struct vmr_pit *pit, struct vmr_state_unit *ret_unit);
VMR_API void vmr_i8042_state_unit(struct vmr_i8042 *i8042, struct vmr_state_unit *ret_unit);
VMR_API void vmr_pci_none_state_unit(struct vmr_pci_none *pci, struct vmr_state_unit *ret_unit);
VMR_API void vmr_fw_cfg_state_unit(struct vmr_fw_cfg *fw_cfg, struct vmr_state_unit *ret_unit);

/* The type of one of the states above, by its name; NULL: there is none of that name. Any thread. */
VMR_API const struct vmr_state_type *vmr_device_state_type_find(const char *name);

/* All of a platform's. Returns how many there are, and writes those there is room for. */
VMR_API size_t vmr_platform_state_units(struct vmr_platform *platform, struct vmr_state_unit *ret_units,
                                        size_t capacity);
/* Power-up: each unit's value at reset is set, which pulls every line down. VPs stopped. [DEV-2] */
VMR_API void vmr_platform_reset(struct vmr_platform *platform);

/* --- the built-in interrupt controllers --- */

/* What all of them share. */
struct vmr_irqchip_lines_state {
    uint32_t levels;      /* of GSIs, as the devices hold them; a reset of the controllers leaves them */
    uint32_t arbitration; /* the VP at which the search for a lowest-priority target begins */
};

#define VMR_PIC_CHIPS 2u /* master, slave */
struct vmr_pic_chip_state {
    uint8_t latched; /* edges seen and not yet acknowledged */
    uint8_t mask, in_service;
    uint8_t level_triggered; /* ELCR */
    uint8_t vector_base;
    uint8_t cascade_lines; /* ICW3 */
    uint8_t first;         /* the line with the highest priority */
    uint8_t init_state;    /* 0: ready; 1, 2, 3: wants ICW2, ICW3, ICW4 */
    bool programmed;       /* all initialisation words have come */
    bool level_all;        /* ICW1.LTIM */
    bool single, wants_icw4;
    bool auto_eoi, rotate_on_auto_eoi;
    bool special_mask, special_nested;
    bool read_in_service, poll;
};
struct vmr_pic_state {
    struct vmr_pic_chip_state chips[VMR_PIC_CHIPS];
};

#define VMR_IOAPIC_PINS 24u
struct vmr_ioapic_state {
    uint32_t select, id;
    uint64_t entries[VMR_IOAPIC_PINS];
};

#define VMR_LAPIC_LVTS 6u         /* timer, thermal, performance, LINT0, LINT1, error */
#define VMR_LAPIC_VECTOR_WORDS 8u /* 32 vectors each */
struct vmr_lapic_state {
    uint64_t base; /* IA32_APIC_BASE */
    uint32_t tpr;
    bool tpr_written; /* by register: newer than the CR8 that the processor last reported */
    uint32_t ldr, dfr, svr, icr_low, icr_high;
    uint32_t esr, esr_pending; /* what the guest latched; what has happened since */
    uint32_t lvt[VMR_LAPIC_LVTS];
    uint32_t irr[VMR_LAPIC_VECTOR_WORDS], isr[VMR_LAPIC_VECTOR_WORDS], tmr[VMR_LAPIC_VECTOR_WORDS];
    uint32_t auto_eoi[VMR_LAPIC_VECTOR_WORDS]; /* of what is in irr */
    uint32_t timer_initial, timer_divide;
    uint64_t timer_due_ns; /* VMR_NEVER: stopped */
    bool nmi, init, sipi;  /* on their way to the processor */
    uint8_t sipi_vector;
    bool extint; /* a message said that the PIC has something */
};

/*
 * As vmr_platform_state_units: what the chip has of interrupt-lines, pic, ioapic,
 * and, unless it is split, lapic (instance = VP).
 */
VMR_API size_t vmr_irqchip_state_units(struct vmr_irqchip_set *chip, struct vmr_state_unit *ret_units, size_t capacity);

VMR_END_DECLS
