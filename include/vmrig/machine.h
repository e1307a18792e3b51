/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small PC: RAM, firmware, the platform's devices, interrupt controllers and
 * VPs, on any hypervisor.
 *
 *   create ─> CREATED ─start─> RUNNING ─pause─> PAUSED ─resume─> RUNNING
 *                                  │ the guest halts, or a stop is asked for
 *                                  └─> HALTED ─reset─> STOPPED ─start─> RUNNING
 *   stop:  from any of them to STOPPED      reset: from CREATED, STOPPED and HALTED to STOPPED
 *
 * Every other order is VMR_E_STATE, and changes nothing. [MACH-1] Of several
 * threads that change the state, one does so at a time.
 *
 * The machine is a function of its options: what it does depends on nothing
 * else but what comes through the handle and the host. So a machine made with
 * a recorder's handle and host can be made again, with the same options, from
 * the recording. [TRC-1]
 *
 * Memory: up to 3 GiB from address 0, the rest from 4 GiB; the firmware ends at
 * 4 GiB, and its last 128 KiB are also at 1 MiB - 128 KiB.
 */

#include "vmrig/clock.h"
#include "vmrig/platform.h"
#include "vmrig/resource.h"
#include "vmrig/vp_set.h"

VMR_BEGIN_DECLS

struct vmr_machine;

/* The streams of a machine: outputs, and for the serial port inputs as well. */
enum vmr_stream {
    VMR_STREAM_SERIAL = VMR_CONSOLE_SERIAL,
    VMR_STREAM_DEBUG = VMR_CONSOLE_DEBUG,
    VMR_STREAM_POWER, /* "power-off" or "reset", then, after a zero, the value, little endian, four bytes */
};

#define VMR_MACHINE_MEMORY_GRANULE 0x100000u   /* 1 MiB; also the least */
#define VMR_MACHINE_MEMORY_LOW_MAX 0xc0000000u /* what lies below the devices' addresses */

enum vmr_machine_state {
    VMR_MACHINE_CREATED,
    VMR_MACHINE_RUNNING,
    VMR_MACHINE_PAUSED,
    VMR_MACHINE_HALTED, /* no VP moves; vmr_machine_wait says why */
    VMR_MACHINE_STOPPED,
    VMR_MACHINE_FAILED, /* a VP has failed: only to be looked at, stopped and destroyed */
    VMR_MACHINE_STATE_COUNT
};
/* "created", "running", ...; "unknown" for a number that is none. Any thread. */
VMR_API const char *vmr_machine_state_name(enum vmr_machine_state state);

/* One piece of RAM. */
struct vmr_machine_ram {
    vmr_gpa gpa;
    uint64_t size;
    const struct vmr_memory_backing *backing; /* NULL: the usual */
};

/* One device beside the platform's: what vmrig/resource.h makes. */
struct vmr_machine_device {
    const struct vmr_resource_type *type; /* one with `create` */
    const struct vmr_resource *resource;
    const char *name;
    struct vmr_gpa_range range; /* on MMIO, for a device that is told where; else empty */
    uint32_t gsi;
};

struct vmr_machine_options {
    const struct vmr_hypervisor_handle *handle; /* required; must outlive the machine */
    const struct vmr_host *host;                /* required */
    uint64_t memory_size;                       /* bytes, a multiple of 1 MiB, not 0 unless `ram` says it */
    uint32_t vps;                               /* 1 to VMR_VP_COUNT_MAX, and what the hypervisor takes */
    const void *firmware;                       /* copied; NULL with `ram`: none */
    size_t firmware_size;                       /* a multiple of 64 KiB, 16 MiB at most */
    uint64_t rtc_epoch_s;                       /* what the real-time clock shows at first; seconds since 1970 */
    uint32_t rtc_epoch_ms;                      /* and how far it is into that second */
    struct vmr_console_sink console;            /* may call vmr_machine_request_stop */
    /*
     * The clock below `host`: what `host` is, or what a recorder's host goes by.
     * Optional: without it the machine has no time of its own, and cannot be paused.
     */
    struct vmr_vm_clock *clock;
    /* Sees each exit before the machine does, as struct vmr_vp_io has it. On the VP's thread; may ask for a stop. */
    void (*exit)(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit);
    /* As struct vmr_vp_set_options has it: a VP has left its run for a moment. */
    void (*yielded)(void *context, struct vmr_vp *vp);
    void *exit_context; /* of both */
    /*
     * Instead of `memory_size`, which is then 0: the pieces of RAM, ascending and apart, none of them where the
     * firmware and the interrupt controllers are; the first begins at 0 and holds 1 MiB at least. Like `devices`, not
     * needed once the machine is made.
     */
    const struct vmr_machine_ram *ram;
    size_t ram_count;
    uint32_t platform_without; /* 1 << enum vmr_platform_part: what the board does not have */
    const struct vmr_machine_device *devices;
    size_t device_count;
    const struct vmr_hv_config *hv; /* the Hyper-V guest interface; NULL: none */
    /*
     * A reset by the guest does not end vmr_machine_wait, but resets and starts the machine: [MACH-4] it happens where
     * somebody waits, and where nobody does the machine stays halted.
     */
    bool automatic_reset;
};

/* Everything is checked before anything is made; a message names the option and its value. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_create(const struct vmr_machine_options *options,
                                                          struct vmr_machine **ret_machine, struct vmr_error *err);
/* Stops first. NULL is fine. Not on a VP's thread. */
VMR_API void vmr_machine_destroy(struct vmr_machine *machine);

/* What it is in now; another thread may change it at once. Any thread that is not a VP's. */
VMR_API enum vmr_machine_state vmr_machine_get_state(struct vmr_machine *machine);

/*
 * Lets the VPs run, from reset or from where they were stopped, and time too if
 * the clock is paused (a restored machine's). A power or reset request of the
 * guest is forgotten; the machine is not reset by it. VMR_E_STATE unless created
 * or stopped, and while the partition is not usable. Not on a VP's thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_start(struct vmr_machine *machine);

/*
 * Waits until the guest halts, somebody asks for a stop (VMR_HALT_STOP), or
 * `deadline_ns` on the host's clock (reason VMR_HALT_NONE), which does not come
 * while the machine is paused. When it reports a halt, no VP runs. VMR_E_STATE
 * when stopped with no halt. Not on a VP's thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_wait(struct vmr_machine *machine, uint64_t deadline_ns,
                                                        struct vmr_vp_set_halt *ret_halt);

/*
 * When it returns no VP executes an instruction and no timer of the platform
 * ticks until vmr_machine_resume, and time stands still: for the VPs nothing has
 * happened. [MACH-2] [CLK-1] VMR_E_STATE unless running, also if the guest halts
 * at the same time: then it is halted. VMR_E_UNSUPPORTED without a clock. Not on
 * a VP's thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_pause(struct vmr_machine *machine);
/* VMR_E_STATE unless paused. Not on a VP's thread. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_resume(struct vmr_machine *machine);

/*
 * Power-up: partition, VPs, interrupt controllers, platform, and the firmware's
 * copy below 1 MiB from the image; other RAM stays, and time goes on. The halt
 * and the guest's power or reset request are forgotten then, so that a restart
 * is: wait, reset, start. On failure `err` says why, a halt stays to be waited
 * for, and nothing runs until a later reset succeeds. VMR_E_STATE unless created,
 * stopped or halted. Not on a VP's thread. [MACH-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_reset(struct vmr_machine *machine, struct vmr_error *err);

/* Returns when no VP runs, from any state; answers a requested stop. Not on a VP's thread. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_machine_stop(struct vmr_machine *machine);

/*
 * Makes vmr_machine_wait return soon. Latches until vmr_machine_stop: asked for
 * before vmr_machine_start, it ends that start at once; asked for while paused, it
 * halts the machine. Returns at once. Any
 * thread, also from the console sink: the VP that prints finishes its exit and
 * runs no further.
 */
VMR_API void vmr_machine_request_stop(struct vmr_machine *machine);

/*
 * Bytes for the guest to read from its serial port; returns how many there was
 * room for. Recorded, as vmr_partition_input says. Any thread.
 */
VMR_API size_t vmr_machine_receive(struct vmr_machine *machine, const uint8_t *bytes, size_t length);

/* Whether the guest powered the machine off through the debug exit or another device, and the value it gave. */
VMR_API bool vmr_machine_exit_value(struct vmr_machine *machine, uint32_t *ret_value);

VMR_API struct vmr_partition *vmr_machine_partition(struct vmr_machine *machine);
VMR_API struct vmr_platform *vmr_machine_platform(struct vmr_machine *machine);
VMR_API struct vmr_vp_set *vmr_machine_vp_set(struct vmr_machine *machine);

VMR_END_DECLS
