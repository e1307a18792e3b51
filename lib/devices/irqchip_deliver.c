/* SPDX-License-Identifier: MIT */
/*
 * From one controller to another: whom a message means, who must look again,
 * and what leaves a split chip. The embedder's callbacks run after the lock is
 * let go, so that they may call back. [INT-1] [INT-4]
 */

#include "lib/devices/irqchip_set.h"

/* An MSI's address (Intel SDM vol. 3, 11.11.1) and data (11.11.2). */
#define MSI_ADDRESS_MASK UINT64_C(0xfffffffffff00000)
#define MSI_REDIRECTION_HINT (1u << 3)
#define MSI_LOGICAL (1u << 2)
#define MSI_ASSERT (1u << 14)
#define MSI_LEVEL (1u << 15)

/* --- batches --- */

void irqchip_begin(struct irqchip_batch *batch, struct vmr_irqchip_set *chip, bool routing)
{
    batch->chip = chip;
    batch->routing = routing && chip->split;
    batch->quiet = VMR_VP_COUNT_MAX;
    batch->wakes_any = false;
    batch->sent_count = 0;
    if (batch->routing)
        sync_mutex_lock(&chip->route_lock);
    sync_mutex_lock(&chip->lock);
    batch->pic_output = pic_output(&chip->pic);
}

void irqchip_wake_later(struct irqchip_batch *batch, vmr_vp_index vp)
{
    sync_store_u32(batch->chip->host, &batch->chip->vps[vp].stale, 1);
    if (vp == batch->quiet)
        return;
    if (!batch->wakes_any) {
        for (uint32_t i = 0; i < VMR_VP_COUNT_MAX / 32; i++)
            batch->wakes[i] = 0;
    }
    batch->wakes_any = true;
    batch->wakes[vp / 32] |= 1u << (vp & 31u);
}

static bool takes_pic(const struct vmr_irqchip_set *chip, vmr_vp_index vp)
{
    /* A split chip injects into the boot processor; the hypervisor's APIC does not tell about LINT0. */
    return chip->has_pic && (chip->split ? vp == 0 : lapic_takes_pic(&chip->vps[vp].lapic));
}

bool irqchip_pic_interrupts(const struct vmr_irqchip_set *chip, vmr_vp_index vp)
{
    return (takes_pic(chip, vp) && pic_output(&chip->pic)) || (!chip->split && chip->vps[vp].lapic.extint);
}

uint8_t irqchip_ask_pic(struct irqchip_batch *batch, vmr_vp_index vp)
{
    struct vmr_irqchip_set *chip = batch->chip;
    struct ioapic_sink sink = irqchip_sink(batch);

    chip->vps[vp].lapic.extint = false;
    /* The acknowledge cycle drops the output; what else waits raises it again, which is an edge (8259A, INT). */
    ioapic_set_line(&chip->ioapic, IOAPIC_PIC_PIN, false, &sink);
    return pic_acknowledge(&chip->pic);
}

/* The PIC's output goes to LINT0 of every local APIC, and to a pin of the IO-APIC. */
static void note_pic(struct irqchip_batch *batch)
{
    bool output = pic_output(&batch->chip->pic);
    struct ioapic_sink sink = irqchip_sink(batch);

    if (batch->chip->has_ioapic)
        ioapic_set_line(&batch->chip->ioapic, IOAPIC_PIC_PIN, output, &sink);
    if (output == batch->pic_output)
        return;
    for (vmr_vp_index vp = 0; vp < batch->chip->vp_count; vp++) {
        if (takes_pic(batch->chip, vp))
            irqchip_wake_later(batch, vp);
    }
}

/* Tells the embedder which pins now send something else. Under route_lock alone. */
static void tell_route(struct vmr_irqchip_set *chip, unsigned pin, const struct irqchip_route *now)
{
    struct irqchip_route *told = &chip->told[pin];

    if (now->valid == told->valid &&
        (!now->valid || (now->msi.address == told->msi.address && now->msi.data == told->msi.data)))
        return;
    *told = *now;
    if (chip->route)
        chip->route(chip->target_context, pin, now->valid ? &now->msi : NULL);
}

static void collect_routes(const struct vmr_irqchip_set *chip, struct irqchip_route *ret_routes)
{
    for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT; pin++)
        ret_routes[pin].valid = ioapic_route(&chip->ioapic, pin, &ret_routes[pin].msi);
}

static void send(struct vmr_irqchip_set *chip, const struct irqchip_sent *sent)
{
    if (chip->deliver && chip->deliver(chip->target_context, &sent->msi))
        return;
    if (!sent->level)
        return;
    /* No EOI will come for it. The pin asks again with the next change. */
    sync_mutex_lock(&chip->lock);
    ioapic_refused(&chip->ioapic, sent->pin);
    sync_mutex_unlock(&chip->lock);
}

static void wake_all(struct irqchip_batch *batch)
{
    for (vmr_vp_index vp = 0; vp < batch->chip->vp_count; vp++) {
        if (batch->wakes[vp / 32] >> (vp & 31u) & 1u)
            batch->chip->wake(batch->chip->wake_context, vp);
    }
}

void irqchip_end(struct irqchip_batch *batch)
{
    struct vmr_irqchip_set *chip = batch->chip;
    struct irqchip_route routes[IOAPIC_PIN_COUNT];

    note_pic(batch);
    if (batch->routing)
        collect_routes(chip, routes);
    sync_mutex_unlock(&chip->lock);
    /* Routes before messages: the hypervisor learns which vectors end in an EOI exit before it sees one. */
    if (batch->routing) {
        for (unsigned pin = 0; pin < IOAPIC_PIN_COUNT; pin++)
            tell_route(chip, pin, &routes[pin]);
        sync_mutex_unlock(&chip->route_lock);
    }
    for (unsigned i = 0; i < batch->sent_count; i++)
        send(chip, &batch->sent[i]);
    if (batch->wakes_any && chip->wake)
        wake_all(batch);
}

/* --- what a VP would be told --- */

struct irqchip_answer irqchip_answer_of(const struct vmr_irqchip_set *chip, vmr_vp_index vp)
{
    const struct lapic *lapic = &chip->vps[vp].lapic;
    bool interrupt = lapic_has_interrupt(lapic) || irqchip_pic_interrupts(chip, vp);

    return (struct irqchip_answer){
        .deadline_ns = lapic_deadline(lapic),
        .bits = lapic->tpr | (uint32_t)interrupt << 8 | (uint32_t)lapic->nmi << 9 | (uint32_t)lapic->init << 10 |
                (uint32_t)lapic->sipi << 11,
    };
}

void irqchip_note(struct irqchip_batch *batch, vmr_vp_index vp, const struct irqchip_answer *before)
{
    struct irqchip_answer now = irqchip_answer_of(batch->chip, vp);

    if (now.deadline_ns != before->deadline_ns || now.bits != before->bits)
        irqchip_wake_later(batch, vp);
}

/* --- whom a message means --- */

struct delivery {
    const struct irq_message *message;
    enum lapic_shorthand shorthand;
    vmr_vp_index source; /* with a shorthand */
};

static bool is_meant(const struct vmr_irqchip_set *chip, const struct delivery *delivery, vmr_vp_index vp)
{
    const struct lapic *lapic = &chip->vps[vp].lapic;

    switch (delivery->shorthand) {
    case LAPIC_TO_SELF:
        return vp == delivery->source;
    case LAPIC_TO_OTHERS:
        return vp != delivery->source;
    case LAPIC_TO_ALL:
        return true;
    case LAPIC_TO_DESTINATION:
        break;
    }
    return lapic_matches(lapic, delivery->message);
}

static bool accept(struct irqchip_batch *batch, vmr_vp_index vp, const struct irq_message *message)
{
    struct irqchip_answer before = irqchip_answer_of(batch->chip, vp);
    bool accepted = lapic_accept(&batch->chip->vps[vp].lapic, message);

    /* A refusal may raise the error interrupt. */
    irqchip_note(batch, vp, &before);
    return accepted;
}

/*
 * Lowest priority: of those meant, the one whose processor priority is lowest;
 * among equals they take turns (Intel SDM vol. 3, 11.6.2.4).
 */
static bool deliver_to_lowest(struct irqchip_batch *batch, const struct delivery *delivery)
{
    struct vmr_irqchip_set *chip = batch->chip;
    unsigned best_priority = UINT8_MAX + 1u;
    vmr_vp_index best = 0;

    for (uint32_t i = 0; i < chip->vp_count; i++) {
        vmr_vp_index vp = (chip->arbitration + i) % chip->vp_count;
        const struct lapic *lapic = &chip->vps[vp].lapic;

        if (!lapic_can_arbitrate(lapic) || !is_meant(chip, delivery, vp) || lapic_ppr(lapic) >= best_priority)
            continue;
        best_priority = lapic_ppr(lapic);
        best = vp;
    }
    if (best_priority > UINT8_MAX)
        return false;
    chip->arbitration = (best + 1) % chip->vp_count;
    return accept(batch, best, delivery->message);
}

static bool deliver(struct irqchip_batch *batch, const struct delivery *delivery)
{
    bool taken = false;

    if (delivery->message->mode == IRQ_LOWEST)
        return deliver_to_lowest(batch, delivery);
    for (vmr_vp_index vp = 0; vp < batch->chip->vp_count; vp++) {
        if (is_meant(batch->chip, delivery, vp))
            taken |= accept(batch, vp, delivery->message);
    }
    return taken;
}

bool irqchip_deliver(struct irqchip_batch *batch, const struct irq_message *message)
{
    struct delivery delivery = {.message = message};

    /* Only an ICR starts up; for pins and MSIs the mode is reserved (82093AA, 3.2.4; Intel SDM vol. 3, 11.11.2). */
    if (message->mode == IRQ_STARTUP || (message->mode == IRQ_EXTINT && !batch->chip->has_pic))
        return false;
    return deliver(batch, &delivery);
}

bool irqchip_deliver_msi(struct irqchip_batch *batch, const struct vmr_msi *msi)
{
    uint32_t guest_address = (uint32_t)msi->address;
    struct irq_message message = {
        .destination = guest_address >> 12 & 0xffu,
        .vector = (uint8_t)msi->data,
        .mode = (uint8_t)(msi->data >> 8 & 7u),
        .logical = (guest_address & MSI_LOGICAL) != 0,
        .level = (msi->data & MSI_LEVEL) != 0,
    };

    if ((msi->address & MSI_ADDRESS_MASK) != VMR_LAPIC_GPA)
        return false;
    /* Of a level interrupt only the assertion means something. */
    if (message.level && !(msi->data & MSI_ASSERT))
        return true;
    if ((guest_address & MSI_REDIRECTION_HINT) && message.mode == IRQ_FIXED)
        message.mode = IRQ_LOWEST;
    return irqchip_deliver(batch, &message);
}

static bool sink_deliver(void *context, unsigned pin, const struct irq_message *message)
{
    struct irqchip_batch *batch = context;
    struct irqchip_sent *sent = &batch->sent[batch->sent_count];

    if (!batch->chip->split)
        return irqchip_deliver(batch, message);
    if (batch->sent_count == IRQCHIP_SENT_MAX || !ioapic_to_msi(message, &sent->msi))
        return false;
    sent->pin = pin;
    sent->level = message->level;
    batch->sent_count++;
    return true;
}

struct ioapic_sink irqchip_sink(struct irqchip_batch *batch)
{
    return (struct ioapic_sink){.deliver = sink_deliver, .context = batch};
}

void irqchip_carry_out(struct irqchip_batch *batch, vmr_vp_index vp, const struct lapic_effects *effects)
{
    struct ioapic_sink sink = irqchip_sink(batch);
    struct delivery ipi = {.message = &effects->ipi, .shorthand = effects->shorthand, .source = vp};

    if (effects->send)
        (void)deliver(batch, &ipi);
    if (effects->eoi)
        ioapic_eoi(&batch->chip->ioapic, effects->eoi_vector, &sink);
    if (effects->reconfigured)
        ioapic_retry(&batch->chip->ioapic, &sink);
}
