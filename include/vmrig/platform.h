/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The devices of a small PC: enough for firmware to boot and to say so.
 *
 *   vmr_power_create -> vmr_<device>_create(options, ports, ...) ... -> VPs run -> destroy, devices first
 *
 * or vmr_platform_create, which makes all of them. Each device claims its ports
 * at creation and gives them back at destruction (VPs stopped); each has its own
 * lock, and calls out (console, interrupt line) with no lock held.
 *
 * Time comes from host->ops->now_ns, never at creation: a device's clock begins
 * with its first access or poll. So a recording of what the VPs' threads saw
 * holds everything a device ever knew about time. [HOST-1]
 */

#include "vmrig/run.h"

VMR_BEGIN_DECLS

/* --- what devices ask of the machine around them --- */

/*
 * Called when a line changes its level, never twice with the same one, but for
 * a device whose state was set: it tells its level anew. Any thread, no lock held.
 */
struct vmr_irq_sink {
    void (*set)(void *context, uint32_t gsi, bool level); /* NULL: the line ends nowhere */
    void *context;
};

/* Called when a timer is due sooner than its last poll said: poll again. Any thread, no lock held. */
struct vmr_timer_sink {
    void (*sooner)(void *context); /* NULL: somebody polls often enough */
    void *context;
};

enum vmr_console_source {
    VMR_CONSOLE_SERIAL, /* the first UART */
    VMR_CONSOLE_DEBUG,  /* the debug console port */
    VMR_CONSOLE_SOURCE_COUNT
};
/* "serial", "debug". Any thread. */
VMR_API const char *vmr_console_source_name(enum vmr_console_source source);

/* Bytes that the guest prints, in the order one VP prints them. Any VP's thread, perhaps several at once. */
struct vmr_console_sink {
    void (*write)(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length); /* NULL: drop */
    void *context;
};

/* Called with the request that holds. The thread that made it, no lock held. */
struct vmr_power_sink {
    void (*requested)(void *context, enum vmr_halt_reason reason, uint32_t value); /* NULL: nobody listens */
    void *context;
};

/*
 * The power and reset lines, pulled together: the first request holds until it
 * is cleared. For vmr_vp_io.halt_requested. Any thread.
 */
struct vmr_power;
struct vmr_power_options {
    const struct vmr_host *host; /* required */
    struct vmr_power_sink sink;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_power_create(const struct vmr_power_options *options,
                                                        struct vmr_power **ret_power, struct vmr_error *err);
VMR_API void vmr_power_destroy(struct vmr_power *power); /* NULL is fine */
/* VMR_HALT_POWER_OFF, VMR_HALT_RESET or VMR_HALT_HIBERNATE; `value` is for the embedder. False: another was first. */
VMR_API bool vmr_power_request(struct vmr_power *power, enum vmr_halt_reason reason, uint32_t value);
/* VMR_HALT_NONE: nothing is requested. `ret_value` may be NULL. */
VMR_API enum vmr_halt_reason vmr_power_get(struct vmr_power *power, uint32_t *ret_value);
VMR_API void vmr_power_clear(struct vmr_power *power);

/* --- 16550A UART (National PC16550D), one of the four of a PC --- */

struct vmr_serial;
struct vmr_serial_options {
    const struct vmr_host *host; /* required */
    uint16_t port;               /* the first of eight; 0: 0x3f8 */
    uint32_t gsi;                /* 0: 4 */
    struct vmr_irq_sink irq;
    struct vmr_console_sink console;
};
/* Bytes leave at once, whatever the divisor says: the transmitter is always empty. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_serial_create(const struct vmr_serial_options *options,
                                                         struct vmr_bus *ports, struct vmr_serial **ret_serial,
                                                         struct vmr_error *err);
VMR_API void vmr_serial_destroy(struct vmr_serial *serial); /* NULL is fine. VPs stopped. */
/*
 * Bytes for the guest to read. Returns how many there was room for. Any thread.
 * A recorder does not see the call: where there may be one, the bytes go through
 * vmr_partition_input, as those of vmr_machine_receive do. [TRC-7]
 */
VMR_API size_t vmr_serial_receive(struct vmr_serial *serial, const uint8_t *bytes, size_t length);

/* --- the debug console: what is written to port 0x402 is printed; reads answer 0xe9, which says it is there --- */

struct vmr_debug_console;
struct vmr_debug_console_options {
    const struct vmr_host *host; /* required */
    uint16_t port;               /* 0: 0x402 */
    struct vmr_console_sink console;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_debug_console_create(const struct vmr_debug_console_options *options,
                                                                struct vmr_bus *ports,
                                                                struct vmr_debug_console **ret_console,
                                                                struct vmr_error *err);
VMR_API void vmr_debug_console_destroy(struct vmr_debug_console *console); /* NULL is fine. VPs stopped. */

/* --- MC146818A real-time clock with 128 bytes of memory, ports 0x70 and 0x71, line 8 --- */

#define VMR_CMOS_BYTES 128u

struct vmr_cmos;
struct vmr_cmos_options {
    const struct vmr_host *host; /* required */
    uint64_t epoch_s;            /* seconds since 1970 that the clock shows when it begins; below year 10000 */
    uint32_t epoch_ms;           /* and how far it is into that second: below 1000 */
    uint64_t memory_below_4g;    /* bytes, for the sizes that firmware looks for */
    uint64_t memory_above_4g;
    uint32_t vp_count; /* 0: 1 */
    struct vmr_irq_sink irq;
    struct vmr_timer_sink timer;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_cmos_create(const struct vmr_cmos_options *options, struct vmr_bus *ports,
                                                       struct vmr_cmos **ret_cmos, struct vmr_error *err);
VMR_API void vmr_cmos_destroy(struct vmr_cmos *cmos); /* NULL is fine. VPs stopped. */
/* Brings the clock to `now_ns`; returns when it must be asked again, or VMR_NEVER. Any thread. */
VMR_API uint64_t vmr_cmos_poll(struct vmr_cmos *cmos, uint64_t now_ns);

/* --- 8254 timer, ports 0x40 to 0x43, and the speaker port 0x61; counter 0 is line 0 --- */

#define VMR_PIT_HZ 1193182u

struct vmr_pit;
struct vmr_pit_options {
    const struct vmr_host *host; /* required */
    struct vmr_irq_sink irq;
    struct vmr_timer_sink timer;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_pit_create(const struct vmr_pit_options *options, struct vmr_bus *ports,
                                                      struct vmr_pit **ret_pit, struct vmr_error *err);
VMR_API void vmr_pit_destroy(struct vmr_pit *pit); /* NULL is fine. VPs stopped. */
/* As vmr_cmos_poll. Periods that were missed give one interrupt together, as the line has room for one. */
VMR_API uint64_t vmr_pit_poll(struct vmr_pit *pit, uint64_t now_ns);

/* --- 8042 keyboard controller (ports 0x60, 0x64, line 1) with a keyboard nobody types on, and port 0x92 --- */

struct vmr_i8042;
struct vmr_i8042_options {
    const struct vmr_host *host; /* required */
    struct vmr_power *power;     /* required: the reset line. The A20 gate is remembered and has no effect. */
    struct vmr_irq_sink irq;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_i8042_create(const struct vmr_i8042_options *options, struct vmr_bus *ports,
                                                        struct vmr_i8042 **ret_i8042, struct vmr_error *err);
VMR_API void vmr_i8042_destroy(struct vmr_i8042 *i8042); /* NULL is fine. VPs stopped. */

/* --- PCI configuration ports 0xcf8 to 0xcff of a bus with nothing on it; 0xcf9 is reset control --- */

struct vmr_pci_none;
struct vmr_pci_none_options {
    const struct vmr_host *host; /* required */
    struct vmr_power *power;     /* required */
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_pci_none_create(const struct vmr_pci_none_options *options,
                                                           struct vmr_bus *ports, struct vmr_pci_none **ret_pci,
                                                           struct vmr_error *err);
VMR_API void vmr_pci_none_destroy(struct vmr_pci_none *pci); /* NULL is fine. VPs stopped. */

/* --- the debug exit: a write powers the machine off and leaves its value for the embedder --- */

struct vmr_debug_exit;
struct vmr_debug_exit_options {
    const struct vmr_host *host; /* required */
    struct vmr_power *power;     /* required: gets the value */
    uint16_t port;               /* the first of four; 0: 0xf4 */
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_debug_exit_create(const struct vmr_debug_exit_options *options,
                                                             struct vmr_bus *ports,
                                                             struct vmr_debug_exit **ret_debug_exit,
                                                             struct vmr_error *err);
VMR_API void vmr_debug_exit_destroy(struct vmr_debug_exit *debug_exit); /* NULL is fine. VPs stopped. */

/*
 * --- the firmware configuration device of emulated PCs, ports 0x510 and 0x511 ---
 *
 * It tells firmware how many processors there are, that line 0 is IO-APIC pin 2,
 * and not to wait for a key: a wait that firmware measures with a time stamp
 * counter, which not every hypervisor lets begin at zero.
 */

struct vmr_fw_cfg;
struct vmr_fw_cfg_options {
    const struct vmr_host *host; /* required */
    uint32_t vp_count;           /* 0: 1 */
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_fw_cfg_create(const struct vmr_fw_cfg_options *options,
                                                         struct vmr_bus *ports, struct vmr_fw_cfg **ret_fw_cfg,
                                                         struct vmr_error *err);
VMR_API void vmr_fw_cfg_destroy(struct vmr_fw_cfg *fw_cfg); /* NULL is fine. VPs stopped. */

/* --- all of them, or some --- */

enum vmr_platform_part {
    VMR_PLATFORM_SERIAL,
    VMR_PLATFORM_DEBUG_CONSOLE,
    VMR_PLATFORM_CMOS,
    VMR_PLATFORM_PIT,
    VMR_PLATFORM_I8042,
    VMR_PLATFORM_PCI, /* with the reset control */
    VMR_PLATFORM_DEBUG_EXIT,
    VMR_PLATFORM_FW_CFG,
    VMR_PLATFORM_PART_COUNT
};

struct vmr_platform;
struct vmr_platform_options {
    const struct vmr_host *host; /* required */
    uint32_t without;            /* 1 << enum vmr_platform_part: what is not there */
    uint64_t rtc_epoch_s;
    uint32_t rtc_epoch_ms;
    uint64_t memory_below_4g;
    uint64_t memory_above_4g;
    uint32_t vp_count; /* 0: 1 */
    struct vmr_irq_sink irq;
    struct vmr_timer_sink timer;
    struct vmr_console_sink console;
    struct vmr_power_sink power;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_platform_create(const struct vmr_platform_options *options,
                                                           struct vmr_bus *ports, struct vmr_platform **ret_platform,
                                                           struct vmr_error *err);
VMR_API void vmr_platform_destroy(struct vmr_platform *platform); /* NULL is fine. VPs stopped. */

/*
 * Advances all timers to `now_ns`, raises the lines that became due, and returns
 * when to ask again, or VMR_NEVER. The timer sink is told when that turns out to
 * be too late. Costs two comparisons while nothing is due. Any thread.
 */
VMR_API uint64_t vmr_platform_poll(struct vmr_platform *platform, uint64_t now_ns);
VMR_API struct vmr_power *vmr_platform_power(struct vmr_platform *platform);
/* NULL: there is none. */
VMR_API struct vmr_serial *vmr_platform_serial(struct vmr_platform *platform);

VMR_END_DECLS
