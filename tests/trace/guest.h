/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A small machine with a device that does everything a recorder must see: it
 * reads the clock, guest memory and raises interrupts. Built the same way on
 * the mock, on a recorder over it, and on a replay.
 */

#include "tests/trace/fixture.h"
#include "vmrig/vmrig.h"

/* Ports of the device. */
#define PORT_COUNTER 0x100u /* read: how often it was read */
#define PORT_CLOCK 0x104u   /* read: the clock */
#define PORT_COPY                                                                                                      \
    0x108u                /* write: sums 16 bytes of guest memory there, and stores the sum, in three ways, behind,    \
                            and lets 300 bytes out to STREAM */
#define PORT_RAISE 0x10cu /* write: MSI with that vector to local APIC 0 */
#define GUEST_MSR 0x277u  /* reaches the embedder: reads the complement of what was written; faults above 32 bits */

#define STREAM 9u

#define GUEST_VP_MAX 3u

/* What a device can do wrong, to be found by a replay. */
enum guest_bug {
    BUG_NONE,
    BUG_COUNTER, /* answers one more than it should, the fifth time */
    BUG_ADDRESS, /* stores behind where it should */
    BUG_VALUE,   /* stores something else */
    BUG_EXTRA,   /* reads the clock once more */
    BUG_OMITTED, /* does not store at all */
    BUG_VECTOR,  /* another vector */
    BUG_SILENT,  /* lets nothing out */
    BUG_LETTER,  /* lets another byte out, far behind */
};

struct guest {
    struct vmr_host host;
    struct vmr_memory *memory;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    struct vmr_partition *partition;
    struct vmr_vp *vps[GUEST_VP_MAX];
    struct vmr_vp_io io;
    enum guest_bug bug;
    uint64_t counter, msr;
    _Atomic unsigned power; /* enum vmr_halt_reason */
};

/* `handle` and `host` outlive the guest. With interrupt controllers if `with_chip`. */
void guest_init(struct guest *guest, const struct vmr_hypervisor_handle *handle, const struct vmr_host *host,
                uint32_t vps, bool with_chip);
void guest_finish(struct guest *guest);
struct vmr_vp *guest_bind(struct guest *guest, vmr_vp_index vp);

/* A program that uses all of it, then powers off. */
extern const struct vmr_program guest_program;

/* The mock, by its spec. */
void open_mock(const char *spec, struct vmr_hypervisor_handle *ret_handle);

/* A recording in progress: the guest is made and nothing has run. */
struct recording {
    struct vmr_hypervisor_handle inner, handle;
    struct vmr_host inner_host, host;
    struct vmr_recorder *recorder;
    struct writer trace;
    struct guest guest;
};

/* `scheduler` NULL: the POSIX host. */
void record_begin(struct recording *recording, struct vmr_scheduler *scheduler, const char *spec, uint32_t vps,
                  bool with_chip);
void record_load(struct recording *recording, vmr_vp_index vp, const struct vmr_program *program);
/* The trace is whole then. */
void record_end(struct recording *recording);

/* A replay; `bug` is planted into its device. With `again`, recorded once more, into `trace`. */
struct replaying {
    struct vmr_trace_memory memory;
    struct vmr_replay *replay;
    struct vmr_hypervisor_handle handle, again_handle;
    struct vmr_host inner_host, host, again_host;
    struct vmr_recorder *recorder;
    struct writer trace;
    struct vmr_stop_source *stop;
    unsigned stops, ends;
    struct guest guest;
};

void replay_begin(struct replaying *replaying, const struct writer *trace, struct vmr_scheduler *scheduler,
                  uint32_t vps, bool with_chip, bool again);
void replay_end(struct replaying *replaying, struct vmr_replay_result *ret_result);

/* The host has events, and they do what events do. */
void check_events(const struct vmr_host *host);
