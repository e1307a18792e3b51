/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The SynIC of one VP at one VTL: its registers, message slots, event flags and
 * timers (TLFS, Synthetic Interrupt Controller). It calls nobody: what is to be
 * raised comes back as values, for the caller to raise with no lock held.
 */

#include "lib/hv/complain.h"
#include "lib/hv/message_queue.h"
#include "lib/hv/overlay.h"
#include "lib/hv/stimer.h"
#include "vmrig/synic.h"

struct synic_vp {
    const struct vmr_host *host;
    vmr_vp_index index;
    uint8_t vtl;
    struct sync_mutex lock;
    _Atomic uint32_t attention; /* a poll would do something; set and cleared under the lock */
    uint64_t deadline_ns;       /* when a poll would do something anyway: the VP's thread */
    uint32_t untold;            /* what the hypervisor does not know yet: synic_offload.c; the VP's thread */
    /* From here on: under the lock. */
    uint64_t scontrol;
    uint64_t siefp;
    uint64_t simp;
    uint64_t sints[HV_SINT_COUNT];
    struct overlay event_page;
    struct overlay message_page;
    struct message_queues queues;
    struct stimers stimers;
    struct complaint dropped, lost;
};

struct synic_irq {
    uint8_t vector;
    bool auto_eoi;
};

/* What a poll raises: each SINT and each direct timer once at most. */
struct synic_raised {
    unsigned count;
    struct synic_irq irqs[HV_SINT_COUNT + HV_STIMER_COUNT];
    uint32_t sints; /* those that are in `irqs` */
};

/* The object is zeroed; host, index and VTL are set. */
enum vmr_status synic_vp_init(struct synic_vp *vp, struct vmr_memory *memory);
void synic_vp_finish(struct synic_vp *vp); /* zeroed is fine */
void synic_vp_reset(struct synic_vp *vp);

/* NOT_MINE for what is no register of a VP's SynIC (synic_registers.c). */
enum vmr_msr_result synic_vp_read(struct synic_vp *vp, uint32_t index, uint64_t *ret_value);
enum vmr_msr_result synic_vp_write(struct synic_vp *vp, uint32_t index, uint64_t guest_value);
/* Whether a SINT register can hold it. */
bool synic_vp_sint_is_possible(uint64_t value);

/* As message_queues_push, with the lock. */
enum vmr_status synic_vp_post(struct synic_vp *vp, unsigned sint, const struct message *message, bool *ret_doorbell);
/* As message_queues_restore, with the lock. */
enum vmr_status synic_vp_restore_queue(struct synic_vp *vp, unsigned sint, const void *messages, uint32_t count,
                                       bool *ret_doorbell);
/* `ret_irq` is written, and true in `ret_raise`, if an interrupt follows. */
enum vmr_synic_signal synic_vp_signal(struct synic_vp *vp, unsigned guest_sint, unsigned guest_flag, bool *ret_raise,
                                      struct synic_irq *ret_irq);

/* Whether a message to the SINT would reach the guest. */
bool synic_vp_is_open(struct synic_vp *vp, unsigned sint);

/* Whether a poll at `now_ns` would find anything to do. The VP's thread. */
bool synic_vp_is_quiet(const struct synic_vp *vp, uint64_t now_ns);
/* Makes the next poll look. */
void synic_vp_stir(struct synic_vp *vp);
/* At reference time `now`: delivers, and returns the reference time of the next timer, or VMR_NEVER. */
uint64_t synic_vp_poll(struct synic_vp *vp, uint64_t now, struct synic_raised *ret_raised);
