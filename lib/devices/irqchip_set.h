/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The built-in controllers together: one lock over all models, and what happens
 * between them. Every operation that may change something is a batch:
 *
 *   irqchip_begin   takes the lock
 *   ...             changes models; who must look again is noted, what a split chip sends is queued
 *   irqchip_end     lets go of the lock, then routes, sends, wakes: the embedder is never called under it
 */

#include "lib/base/sync.h"
#include "lib/devices/ioapic.h"
#include "lib/devices/lapic.h"
#include "lib/devices/pic.h"
#include "vmrig/irqchip.h"
#include "vmrig/limits.h"
#include "vmrig/state.h"

struct irqchip_vp {
    struct vmr_irqchip_set *chip;
    struct lapic lapic;     /* under the lock; unused when split */
    _Atomic uint32_t stale; /* `last` is not what poll would find; set and cleared under the lock */
    /* From here on: the VP's thread alone. */
    struct vmr_irq_pending last; /* what poll found, without edges */
    uint8_t last_tpr;            /* with which CR8 */
    uint8_t cr8;                 /* what get_tpr answers */
    bool cr8_is_news;            /* and has not answered yet */
};

struct irqchip_route {
    bool valid;
    struct vmr_msi msi;
};

struct vmr_irqchip_set {
    const struct vmr_host *host;
    struct vmr_bus *ports, *mmio;
    struct sync_mutex lock;
    struct sync_mutex route_lock; /* outside `lock`: route changes reach the embedder in the order they were made */
    bool split, has_pic, has_ioapic, x2apic;
    uint64_t timer_hz;
    unsigned claimed; /* ranges, of those create claims in order */
    struct pic pic;
    struct ioapic ioapic;
    uint32_t gsi_levels;  /* as the devices hold them; pin 2 hears two */
    uint32_t arbitration; /* where the search for a lowest-priority target begins */
    void (*wake)(void *context, vmr_vp_index vp);
    void *wake_context;
    bool (*deliver)(void *context, const struct vmr_msi *msi);
    void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi);
    void *target_context;
    struct irqchip_route told[IOAPIC_PIN_COUNT]; /* under route_lock */
    uint32_t vp_count;
    struct irqchip_vp vps[];
};

/* One operation sends from a pin at most twice: by what it does, and by the retry after it. */
#define IRQCHIP_SENT_MAX (2u * IOAPIC_PIN_COUNT)

struct irqchip_batch {
    struct vmr_irqchip_set *chip;
    bool routing;       /* redirection entries may change */
    bool pic_output;    /* at the beginning */
    vmr_vp_index quiet; /* looks again anyway and is not woken; VMR_VP_COUNT_MAX: none */
    bool wakes_any;
    uint32_t wakes[VMR_VP_COUNT_MAX / 32];
    unsigned sent_count;
    struct irqchip_sent {
        unsigned pin;
        bool level;
        struct vmr_msi msi;
    } sent[IRQCHIP_SENT_MAX];
};

static inline uint64_t irqchip_now(const struct vmr_irqchip_set *chip)
{
    return chip->host->ops->now_ns(chip->host->context);
}

/* Whether the VP exists and its local APIC is here. */
static inline bool irqchip_has_lapic(const struct vmr_irqchip_set *chip, vmr_vp_index vp)
{
    return !chip->split && vp < chip->vp_count;
}

/* irqchip_ranges.c. Releasing takes back what has been claimed, also after a failure. */
enum vmr_status irqchip_claim_ranges(struct vmr_irqchip_set *chip, struct vmr_error *err);
void irqchip_release_ranges(struct vmr_irqchip_set *chip);

/* irqchip.c. The models at power-up, with every line low. Under the lock, or before anybody has the chip. */
void irqchip_init_models(struct vmr_irqchip_set *chip);
void irqchip_init_lapic(const struct vmr_irqchip_set *chip, vmr_vp_index vp, struct lapic *ret_lapic);

/* irqchip_state.c. The lines of the models follow from `gsi_levels`, and no edge comes of it. In a batch. */
void irqchip_hold_lines(struct vmr_irqchip_set *chip);
void irqchip_reset(void *chip);
/* irqchip_state_lapic.c */
void irqchip_lapic_unit(struct irqchip_vp *vp, struct vmr_state_unit *ret_unit);

/* irqchip_deliver.c, from here on. */

void irqchip_begin(struct irqchip_batch *batch, struct vmr_irqchip_set *chip, bool routing);
void irqchip_end(struct irqchip_batch *batch);

/* Everything below is called inside a batch. */

/* What `poll` tells about a VP, to see whether it changed. */
struct irqchip_answer {
    uint64_t deadline_ns;
    uint32_t bits;
};

struct irqchip_answer irqchip_answer_of(const struct vmr_irqchip_set *chip, vmr_vp_index vp);
/* Notes the VP for waking. */
void irqchip_wake_later(struct irqchip_batch *batch, vmr_vp_index vp);
/* Notes the VP for waking if its answer is not `before` any more. */
void irqchip_note(struct irqchip_batch *batch, vmr_vp_index vp, const struct irqchip_answer *before);
bool irqchip_pic_interrupts(const struct vmr_irqchip_set *chip, vmr_vp_index vp);
/* The vector of the PIC's interrupt: the acknowledge cycle of `vp`. */
uint8_t irqchip_ask_pic(struct irqchip_batch *batch, vmr_vp_index vp);

/* The sink of the IO-APIC. */
struct ioapic_sink irqchip_sink(struct irqchip_batch *batch);
/* False: no local APIC takes it. */
bool irqchip_deliver(struct irqchip_batch *batch, const struct irq_message *message);
bool irqchip_deliver_msi(struct irqchip_batch *batch, const struct vmr_msi *msi);
/* What a register write of `vp` asks of the others. */
void irqchip_carry_out(struct irqchip_batch *batch, vmr_vp_index vp, const struct lapic_effects *effects);
