/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The synthetic interrupt controller (SynIC) of the Hyper-V guest interface, in
 * user mode: ports between host and guest, message slots and event flags,
 * synthetic timers, the monitor page, and the reference time they all go by
 * (TLFS, Inter-Partition Communication, Synthetic Interrupt Controller, Timers).
 *
 *   vmr_synic_create -> ports added, VPs run: msr_read, msr_write, guest_post, guest_signal, poll ...
 *                    -> VPs stopped -> vmr_synic_destroy; handles to ports may be given back later
 *
 * Host ports receive what guests send on a connection id. Guest ports send to
 * a SINT of a VP. What the guest chose is checked here: it may be anything.
 */

#include "vmrig/async.h"
#include "vmrig/hv_spec.h"
#include "vmrig/hv_synic.h"
#include "vmrig/irqchip.h"
#include "vmrig/memory.h"

VMR_BEGIN_DECLS

struct vmr_synic;

/*
 * How an OS event is signalled for a guest: by the hypervisor, or the kernel,
 * without leaving for user space; or here, by `signal`, without a call of the
 * embedder's. `add` answers VMR_E_UNSUPPORTED if it cannot for this one, which
 * is no failure; any other error refuses the port.
 */
struct vmr_synic_host_events {
    enum vmr_status (*add)(void *context, uint32_t connection_id, uint8_t minimum_vtl, intptr_t os_event,
                           void **ret_token, struct vmr_error *err);
    void (*remove)(void *context, void *token);
    /* In the place of the port's own call; may come until the port is released. NULL: the hypervisor does it. */
    void (*signal)(void *context, void *token);
    bool preferred; /* faster than a call: ports should bring an OS event */
};

/*
 * How guest writes to the monitor page become exits that reach
 * vmr_synic_monitor_write. Called one at a time; must not change the page.
 */
struct vmr_synic_monitor_ops {
    enum vmr_status (*trap)(void *context, vmr_gpa gpa, struct vmr_error *err);
    void (*untrap)(void *context, vmr_gpa gpa);
    /* Optional, together: a page of the host's choice. */
    enum vmr_status (*allocate)(void *context, vmr_gpa *ret_gpa, struct vmr_error *err);
    void (*free)(void *context, vmr_gpa gpa);
    /* Optional: returns once `is_over` says so, which another thread that changes the page brings about. */
    void (*wait)(void *context, bool (*is_over)(void *argument), void *argument);
};

/*
 * Where the hypervisor has the reference counter and the timers. Every other
 * register stays here: what a guest writes is judged here, and the hypervisor is
 * told what it goes by when the VP polls. It knows one VTL.
 */
struct vmr_synic_offload {
    /* A register of the hypervisor's, on the VP's thread. False: failed, and nothing changed. */
    bool (*get_register)(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value);
    bool (*set_register)(void *context, vmr_vp_index vp, uint32_t index, uint64_t value);
    /* The counter. To read: any thread; to set: VPs stopped. False: failed. */
    bool (*get_time)(void *context, uint64_t *ret_count);
    bool (*set_time)(void *context, uint64_t count);
};

struct vmr_synic_options {
    const struct vmr_host *host; /* required */
    struct vmr_memory *memory;   /* required; must outlive the SynIC */
    uint32_t vp_count;           /* required */
    uint8_t vtl_count;           /* 0: 1 */
    /* All calls below get this, on any thread, with no lock held but for those of `monitor`. */
    void *context;
    /* Required: raise a vector in the VP's local APIC. `auto_eoi`: without setting its in-service bit. */
    void (*interrupt)(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi);
    void (*wake)(void *context, vmr_vp_index vp);    /* required: make it call vmr_synic_poll, soon */
    const struct vmr_synic_host_events *host_events; /* NULL: every signal is a call */
    const struct vmr_synic_monitor_ops *monitor;     /* NULL: no monitor pages */
    uint64_t tsc_hz;                                 /* of the guest's TSC; 0: the reference TSC page says "invalid" */
    /* Its value now, on the VP's thread; false: it cannot be read. Required with tsc_hz. */
    bool (*tsc)(void *context, vmr_vp_index vp, uint64_t *ret_tsc);
    const struct vmr_synic_offload *offload; /* NULL: counter and timers are here; else tsc_hz is 0 */
    uint32_t signal_id_max;                  /* of event ports' connection ids; 0: any */
    /* Optional pair, for recorders: between them the calling thread changes what VPs see. */
    void (*async_begin)(void *context, const struct vmr_async *request);
    void (*async_end)(void *context);
};

VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_create(const struct vmr_synic_options *options,
                                                        struct vmr_synic **ret_synic, struct vmr_error *err);
/*
 * Waits for calls through handles that are under way, and releases all ports.
 * Handles do nothing from now on. NULL is fine. VPs stopped; not from a callback.
 */
VMR_API void vmr_synic_destroy(struct vmr_synic *synic);

/*
 * Back to power-up: registers, timers, queues, overlay content, the monitor
 * page's address. Ports, monitor registrations and the reference time stay.
 * VPs stopped.
 */
VMR_API void vmr_synic_reset(struct vmr_synic *synic);
/* The same for the registers, timers, queues and overlay content of one VTL. VPs stopped. */
VMR_API void vmr_synic_scrub(struct vmr_synic *synic, uint8_t vtl);

/* --- the VP's thread --- */

/*
 * SCONTROL, SVERSION, SIEFP, SIMP, EOM, SINTs, STIMERs, TIME_REF_COUNT and
 * REFERENCE_TSC. VMR_MSR_FAULT for what the guest may not do: reserved bits, a
 * vector below 16 that could be raised, a page outside RAM, a write to SVERSION
 * or to the counter. The VP's thread; vmr_synic_poll comes before the guest
 * runs on.
 */
VMR_API enum vmr_msr_result vmr_synic_msr_read(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                               uint64_t *ret_value);
VMR_API enum vmr_msr_result vmr_synic_msr_write(struct vmr_synic *synic, vmr_vp_index vp, uint8_t vtl, uint32_t index,
                                                uint64_t guest_value);

/*
 * Brings the VP's slots and timers up to `now_ns` of the host's clock, raises
 * what that leads to, and says when to ask again though nobody wakes the VP;
 * VMR_NEVER: only then. Cheap when nothing has changed: to be called before
 * each entry. Its work is bounded by the messages that wait. The VP's thread.
 */
VMR_API uint64_t vmr_synic_poll(struct vmr_synic *synic, vmr_vp_index vp, uint64_t now_ns);
/*
 * Whether something waits for a slot. A guest that frees one ought to write EOM,
 * but need not: while this holds, poll after each exit. The VP's thread.
 */
VMR_API bool vmr_synic_waits(struct vmr_synic *synic, vmr_vp_index vp);

/* What HvPostMessage and HvSignalEvent do with their checked input, for a caller at `vtl`. */
VMR_API enum hv_status vmr_synic_guest_post(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_connection_id,
                                            const void *payload, size_t guest_length);
VMR_API enum hv_status vmr_synic_guest_signal(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_connection_id,
                                              uint16_t guest_flag);

/* --- host ports: what guests send --- */

/*
 * Calls come on VPs' threads, several at once, with no lock held. One may still
 * be running, or even begin, while the port is removed: `release` (optional)
 * comes once, after the last of them, on whichever thread that is; from then on
 * the context is the caller's again. It is not called for a port that could not
 * be added.
 */
struct vmr_message_port {
    uint32_t connection_id;
    uint8_t minimum_vtl;
    /* False: not now; the guest is told to try again. At most 240 bytes, without the message's type. */
    bool (*post)(void *context, const void *payload, size_t length, bool trusted);
    void (*release)(void *context);
    void *context;
};

struct vmr_event_port {
    uint32_t connection_id;
    uint8_t minimum_vtl;
    bool has_os_event;   /* signalled instead of a call of `signal`, where that can be; the flag's number is lost */
    bool has_monitor;    /* ignored if there are no monitor pages */
    intptr_t os_event;   /* valid until `release` */
    uint32_t monitor_id; /* below 128 */
    void (*signal)(void *context, uint16_t flag);
    void (*release)(void *context);
    void *context;
};

/* A handle. May be given back at any time, also from the port's own call, and after the SynIC is gone. */
struct vmr_synic_port;

/*
 * VMR_E_UNSUPPORTED for an event port that the hypervisor would let nobody signal.
 * VMR_E_CONFIG, and nothing added, if the connection id is taken by a port of
 * either kind, the monitor id is taken or does not exist, or there are
 * VMR_SYNIC_PORT_MAX ports. Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_message_port_add(struct vmr_synic *synic,
                                                                  const struct vmr_message_port *port,
                                                                  struct vmr_synic_port **ret_port,
                                                                  struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_event_port_add(struct vmr_synic *synic,
                                                                const struct vmr_event_port *port,
                                                                struct vmr_synic_port **ret_port,
                                                                struct vmr_error *err);
/* The id is free when this returns. Frees the handle; NULL is fine. Any thread. */
VMR_API void vmr_synic_port_remove(struct vmr_synic_port *port);
/* Whether event ports should bring an OS event. Any thread. */
VMR_API bool vmr_synic_prefers_os_events(const struct vmr_synic *synic);

/* --- towards the guest --- */

struct vmr_synic_message {
    uint32_t type; /* not 0 */
    uint64_t origin;
    const void *payload;
    size_t length; /* at most 240 */
};

/*
 * Queues a message for the VP, which delivers it when the slot is free; one to
 * a SINT that is masked by then is dropped. VMR_E_STATE, and nothing queued,
 * while VMR_SYNIC_QUEUE_MAX messages wait; VMR_E_USAGE for a target or message
 * that cannot be. Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_post_message(struct vmr_synic *synic,
                                                              const struct vmr_synic_target *target,
                                                              const struct vmr_synic_message *message);

/* Whether a message to it would reach the guest: not masked, no proxy, SCONTROL on, a message page placed. Any thread.
 */
VMR_API bool vmr_synic_is_open(struct vmr_synic *synic, const struct vmr_synic_target *target);

enum vmr_synic_signal {
    VMR_SYNIC_NOT_SIGNALED, /* no such VP, SINT or flag; masked, off: lost. Or the flag was set already */
    VMR_SYNIC_SIGNALED,     /* the flag is newly set */
    VMR_SYNIC_PROXIED       /* the SINT is a proxy: not for event flags */
};
VMR_API enum vmr_synic_signal vmr_synic_signal_event(struct vmr_synic *synic, const struct vmr_synic_target *target,
                                                     uint16_t guest_flag);

/*
 * Guest ports: the same through handles that stay safe when the SynIC is gone
 * (posts and signals then do nothing and succeed) and that can be aimed elsewhere while
 * others use them. Whether the VP exists is asked at each use. Any thread; a
 * handle is destroyed when nobody uses it.
 */
struct vmr_guest_message_port;
struct vmr_guest_event_port;

/* VMR_E_CONFIG for a VTL, SINT or flag that does not exist. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_guest_message_port_create(struct vmr_synic *synic,
                                                                     const struct vmr_synic_target *target,
                                                                     struct vmr_guest_message_port **ret_port,
                                                                     struct vmr_error *err);
VMR_API void vmr_guest_message_port_destroy(struct vmr_guest_message_port *port); /* NULL is fine */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_guest_message_port_post(struct vmr_guest_message_port *port, uint32_t type,
                                                                   const void *payload, size_t length);
VMR_API void vmr_guest_message_port_set_target_vp(struct vmr_guest_message_port *port, vmr_vp_index vp);

VMR_API VMR_MUST_CHECK enum vmr_status vmr_guest_event_port_create(struct vmr_synic *synic,
                                                                   const struct vmr_synic_target *target, uint16_t flag,
                                                                   struct vmr_guest_event_port **ret_port,
                                                                   struct vmr_error *err);
VMR_API void vmr_guest_event_port_destroy(struct vmr_guest_event_port *port); /* NULL is fine */
VMR_API enum vmr_synic_signal vmr_guest_event_port_signal(struct vmr_guest_event_port *port);
VMR_API void vmr_guest_event_port_set_target_vp(struct vmr_guest_event_port *port, vmr_vp_index vp);
/* Aims it wholly elsewhere; or, without a target, nowhere. VMR_E_CONFIG as create. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_guest_event_port_set(struct vmr_guest_event_port *port,
                                                                const struct vmr_synic_target *target, uint16_t flag,
                                                                struct vmr_error *err);

/* --- the monitor page --- */

/* Whether there are monitor pages; if not, the two calls below are VMR_E_UNSUPPORTED. */
VMR_API bool vmr_synic_has_monitor(const struct vmr_synic *synic);
/*
 * Moves the page, or with NULL takes it away; an allocated one is freed.
 * VMR_E_CONFIG, and nothing changed, for an unaligned address or another VTL
 * than 0. If the page cannot be trapped there is none afterwards. Any thread.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_monitor_set_page(struct vmr_synic *synic, uint8_t vtl,
                                                                  const vmr_gpa *gpa, struct vmr_error *err);
/* The pair that VMBus passes on; parent to child is 0, and unused. Asked twice, the same page. */
struct vmr_monitor_page_gpas {
    vmr_gpa parent_to_child;
    vmr_gpa child_to_parent;
};
VMR_API VMR_MUST_CHECK enum vmr_status vmr_synic_monitor_allocate_page(struct vmr_synic *synic, uint8_t vtl,
                                                                       struct vmr_monitor_page_gpas *ret_gpas,
                                                                       struct vmr_error *err);
/*
 * A guest access at `guest_gpa`, by a VP at `vtl`: false if it is not in the
 * page. A write signals flag 0 of the connection of each pending bit that it
 * sets, lowest id first; a read is zeroes. The VP's thread.
 */
VMR_API bool vmr_synic_monitor_write(struct vmr_synic *synic, uint8_t vtl, vmr_gpa guest_gpa, const void *bytes,
                                     size_t length);
VMR_API bool vmr_synic_monitor_read(const struct vmr_synic *synic, vmr_gpa guest_gpa, void *ret_bytes, size_t length);
/* For traps that know which bit of the page was set. */
VMR_API void vmr_synic_monitor_write_bit(struct vmr_synic *synic, uint8_t vtl, uint32_t guest_bit);

/* --- reference time: units of 100 ns. Any thread. --- */

VMR_API uint64_t vmr_synic_time(struct vmr_synic *synic);
/*
 * Time, and with it the timers, stands still until it goes on. Both may be
 * repeated. VPs stopped; where the hypervisor has the counter, for all that time.
 */
VMR_API void vmr_synic_time_pause(struct vmr_synic *synic);
VMR_API void vmr_synic_time_resume(struct vmr_synic *synic);
/* For restoring. VPs stopped. */
VMR_API void vmr_synic_time_set(struct vmr_synic *synic, uint64_t count);

VMR_END_DECLS
