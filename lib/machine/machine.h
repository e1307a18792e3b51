/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a machine consists of, for the files of lib/machine.
 */

#include "lib/base/sync.h"
#include "vmrig/machine.h"

struct machine_ticker;

/* Somebody in vmr_machine_wait, while the machine is paused. */
struct machine_waiter {
    struct vmr_parker *parker;
    struct machine_waiter *next;
};

/* A device beside the platform's. */
struct machine_device {
    const struct vmr_resource_type *type;
    void *object;
};

struct vmr_machine {
    const struct vmr_host *host;
    struct vmr_memory *memory;
    struct vmr_bus *ports, *mmio;
    struct vmr_platform *platform;
    struct vmr_proto *proto; /* while building */
    struct vmr_partition *partition;
    struct vmr_irqchip_set *chip;   /* NULL: all interrupt controllers are in the hypervisor */
    struct machine_ticker *ticker;  /* who polls the timers then */
    struct machine_device *devices; /* as they were made */
    size_t device_count;
    void *device_value; /* room for the largest state of one */
    bool automatic_reset;
    struct vmr_console_sink console; /* the embedder's */
    struct vmr_vp_io io;
    void (*exit)(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit); /* the embedder's */
    void *exit_context;
    struct vmr_vp_set *set;
    _Atomic uint32_t stop_requested;
    struct vmr_vm_clock *clock; /* NULL: none of its own */
    size_t firmware_size;
    uint64_t memory_size, rtc_epoch_s;
    uint64_t ram_below, ram_above; /* bytes up to the end of RAM below 4 GiB, and from there to the end of RAM above */

    /* Held by whoever changes the state, as long as that takes; a VP's thread never takes it. */
    struct sync_mutex control;
    _Atomic uint32_t phase; /* the enum vmr_machine_state that was asked for: never HALTED or FAILED */
    struct sync_mutex waiter_lock;
    struct machine_waiter *waiters;

    /* Whom the chip tells that a VP must look again; given by the partition before a VP is bound. */
    void (*wake)(void *context, vmr_vp_index vp);
    void *wake_context;
};

/* The VP that watches the platform's timers beside its own. */
#define MACHINE_TIMER_VP 0u

/*
 * The built-in interrupt controllers with the platform's timers in front: its
 * `chip` is the machine.
 */
extern const struct vmr_irqchip_ops machine_chip_ops;
/* The platform's timer sink, with the machine as its context. */
void machine_chip_sooner(void *context);

/*
 * lifecycle.c: calls `function` with no VP running; those that ran go on
 * afterwards, and neither who waits nor who asks for the state sees it. No change
 * of state comes between. Not on a VP's thread.
 */
VMR_MUST_CHECK enum vmr_status machine_at_rest(struct vmr_machine *machine, enum vmr_status (*function)(void *argument),
                                               void *argument);

/* A thread that polls the platform, for machines without a chip of the library's. */
VMR_MUST_CHECK enum vmr_status machine_ticker_create(const struct vmr_host *host, struct vmr_platform *platform,
                                                     struct machine_ticker **ret_ticker, struct vmr_error *err);
void machine_ticker_destroy(struct machine_ticker *ticker); /* NULL is fine */
void machine_ticker_wake(struct machine_ticker *ticker);
/* Held, as at first, it polls nothing: when the call returns no poll is under way. NULL is fine. */
void machine_ticker_hold(struct machine_ticker *ticker, bool hold);

/* Beside the platform: all of `options`, in their order; destroyed by the last function in any case. */
VMR_MUST_CHECK enum vmr_status machine_devices_create(struct vmr_machine *machine,
                                                      const struct vmr_machine_options *options,
                                                      const struct vmr_irq_sink *irq, struct vmr_error *err);
/* Power-up, for those that hold state. */
void machine_devices_reset(struct vmr_machine *machine);
/* Returns how many units there are, and writes those there is room for. */
size_t machine_devices_state_units(struct vmr_machine *machine, struct vmr_state_unit *ret_units, size_t capacity);
void machine_devices_destroy(struct vmr_machine *machine);
