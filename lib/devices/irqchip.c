/* SPDX-License-Identifier: MIT */
/*
 * The built-in interrupt controllers as the run loop and the buses see them.
 *
 * `poll` comes between most exits, so it first tests one word: unless something
 * changed since the last poll, or a timer is due, the last answer stands and no
 * lock is taken. Everything else goes through a batch (irqchip_set.h). What the
 * guest reaches by address is in irqchip_ranges.c.
 */

#include "vmrig/irqchip.h"

#include <stdlib.h>

#include "lib/devices/irqchip_set.h"

#define TIMER_HZ_DEFAULT UINT64_C(1000000000)
/* Above these an 8-bit xAPIC ID does not name a VP; 0xff is everybody. */
#define XAPIC_ID_MAX 254u

/* --- the VP's thread --- */

/* Brings the VP's answer up to date, under the lock. Returns the edges too, which are then gone. */
static struct vmr_irq_pending look(struct vmr_irqchip_set *chip, vmr_vp_index index, uint64_t now_ns, uint8_t tpr)
{
    struct irqchip_vp *vp = &chip->vps[index];
    struct vmr_irq_pending pending = {.deadline_ns = VMR_NEVER};

    if (!chip->split) {
        /* A TPR that the guest wrote to the register is newer than the CR8 of that exit. */
        if (!vp->lapic.tpr_written)
            lapic_set_cr8(&vp->lapic, tpr);
        lapic_advance(&vp->lapic, now_ns);
        lapic_take_edges(&vp->lapic, &pending);
        pending.interrupt = lapic_has_interrupt(&vp->lapic);
        pending.deadline_ns = lapic_deadline(&vp->lapic);
    }
    pending.interrupt = pending.interrupt || irqchip_pic_interrupts(chip, index);
    return pending;
}

static void chip_poll(void *context, vmr_vp_index index, uint64_t now_ns, uint8_t tpr,
                      struct vmr_irq_pending *ret_pending)
{
    struct vmr_irqchip_set *chip = context;

    if (index >= chip->vp_count) {
        *ret_pending = (struct vmr_irq_pending){.deadline_ns = VMR_NEVER};
        return;
    }
    struct irqchip_vp *vp = &chip->vps[index];

    if (!sync_load_u32(chip->host, &vp->stale) && tpr == vp->last_tpr && now_ns < vp->last.deadline_ns) {
        *ret_pending = vp->last;
        return;
    }
    sync_mutex_lock(&chip->lock);
    struct vmr_irq_pending pending = look(chip, index, now_ns, tpr);

    sync_store_u32(chip->host, &vp->stale, 0);
    vp->cr8 = (uint8_t)(vp->lapic.tpr >> 4);
    vp->cr8_is_news = vp->lapic.tpr_written;
    sync_mutex_unlock(&chip->lock);
    vp->last_tpr = tpr;
    vp->last = (struct vmr_irq_pending){.interrupt = pending.interrupt, .deadline_ns = pending.deadline_ns};
    *ret_pending = pending;
}

static uint8_t chip_get_tpr(void *context, vmr_vp_index index)
{
    struct vmr_irqchip_set *chip = context;

    if (!irqchip_has_lapic(chip, index))
        return 0;
    struct irqchip_vp *vp = &chip->vps[index];

    if (!vp->cr8_is_news && !sync_load_u32(chip->host, &vp->stale))
        return vp->cr8;
    sync_mutex_lock(&chip->lock);
    vp->cr8 = (uint8_t)(vp->lapic.tpr >> 4);
    vp->lapic.tpr_written = false;
    sync_mutex_unlock(&chip->lock);
    vp->cr8_is_news = false;
    return vp->cr8;
}

static bool chip_acknowledge(void *context, vmr_vp_index index, uint8_t *ret_vector)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;
    bool found = true;

    if (index >= chip->vp_count)
        return false;
    irqchip_begin(&batch, chip, false);
    batch.quiet = index; /* who takes an interrupt looks again */
    /* The PIC first, as the processor asks for its vector before it looks at the local APIC's. */
    if (irqchip_pic_interrupts(chip, index))
        *ret_vector = irqchip_ask_pic(&batch, index);
    else
        found = !chip->split && lapic_acknowledge(&chip->vps[index].lapic, ret_vector);
    sync_store_u32(chip->host, &chip->vps[index].stale, 1);
    irqchip_end(&batch);
    return found;
}

static void chip_eoi(void *context, uint8_t vector)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    irqchip_begin(&batch, chip, true);
    struct ioapic_sink sink = irqchip_sink(&batch);

    ioapic_eoi(&chip->ioapic, vector, &sink);
    irqchip_end(&batch);
}

static bool is_timed_msr(uint32_t index)
{
    return index >= LAPIC_X2APIC_MSR_FIRST && lapic_register_needs_time(index - LAPIC_X2APIC_MSR_FIRST);
}

static bool is_lapic_msr(uint32_t index)
{
    return index == LAPIC_BASE_MSR || (index >= LAPIC_X2APIC_MSR_FIRST && index <= LAPIC_X2APIC_MSR_LAST);
}

static enum vmr_msr_result chip_msr_read(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp) || !is_lapic_msr(index))
        return VMR_MSR_NOT_MINE;
    uint64_t now_ns = is_timed_msr(index) ? irqchip_now(chip) : 0;

    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);
    enum vmr_msr_result result = lapic_msr_read(&chip->vps[vp].lapic, index, now_ns, ret_value);

    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return result;
}

static enum vmr_msr_result chip_msr_write(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    struct vmr_irqchip_set *chip = context;
    struct lapic_effects effects = {0};
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp) || !is_lapic_msr(index))
        return VMR_MSR_NOT_MINE;
    uint64_t now_ns = is_timed_msr(index) ? irqchip_now(chip) : 0;

    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);
    enum vmr_msr_result result = lapic_msr_write(&chip->vps[vp].lapic, index, value, now_ns, &effects);

    irqchip_carry_out(&batch, vp, &effects);
    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return result;
}

static enum vmr_msr_result chip_hv_read(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    struct vmr_irqchip_set *chip = context;

    if (!irqchip_has_lapic(chip, vp))
        return VMR_MSR_FAULT;
    sync_mutex_lock(&chip->lock);
    enum vmr_msr_result result = lapic_hv_read(&chip->vps[vp].lapic, index, ret_value);

    sync_mutex_unlock(&chip->lock);
    return result;
}

static enum vmr_msr_result chip_hv_write(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    struct vmr_irqchip_set *chip = context;
    struct lapic_effects effects = {0};
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp))
        return VMR_MSR_FAULT;
    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);
    enum vmr_msr_result result = lapic_hv_write(&chip->vps[vp].lapic, index, value, &effects);

    irqchip_carry_out(&batch, vp, &effects);
    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return result;
}

/* --- any thread --- */

/* Line 0 reaches pin 2, as the ISA timer does on every PC; GSI 2 is that pin by its own name. */
static void set_pin(struct irqchip_batch *batch, uint32_t gsi)
{
    struct ioapic_sink sink = irqchip_sink(batch);
    uint32_t sources = gsi == 0 || gsi == PIC_CASCADE_LINE ? 1u | 1u << PIC_CASCADE_LINE : 1u << gsi;

    ioapic_set_line(&batch->chip->ioapic, gsi == 0 ? PIC_CASCADE_LINE : gsi, (batch->chip->gsi_levels & sources) != 0,
                    &sink);
}

static bool chip_irq(void *context, uint32_t gsi, bool level)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;
    bool is_line = chip->has_pic && gsi < PIC_LINE_COUNT && gsi != PIC_CASCADE_LINE;
    bool is_pin = chip->has_ioapic && gsi < IOAPIC_PIN_COUNT;

    if (!is_line && !is_pin)
        return false;
    irqchip_begin(&batch, chip, false);
    chip->gsi_levels = level ? chip->gsi_levels | 1u << gsi : chip->gsi_levels & ~(1u << gsi);
    if (is_line)
        pic_set_line(&chip->pic, gsi, level);
    if (is_pin)
        set_pin(&batch, gsi);
    irqchip_end(&batch);
    return true;
}

static bool chip_msi(void *context, const struct vmr_msi *msi)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    if (chip->split)
        return false;
    irqchip_begin(&batch, chip, false);
    bool taken = irqchip_deliver_msi(&batch, msi);

    irqchip_end(&batch);
    return taken;
}

static bool chip_lint(void *context, vmr_vp_index vp, unsigned lint)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp) || lint > 1)
        return false;
    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);

    lapic_pulse_lint(&chip->vps[vp].lapic, lint);
    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return true;
}

static bool chip_nmi(void *context, vmr_vp_index vp)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp))
        return false;
    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);

    chip->vps[vp].lapic.nmi = true;
    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return true;
}

static bool chip_vector(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi)
{
    struct vmr_irqchip_set *chip = context;
    struct irqchip_batch batch;

    if (!irqchip_has_lapic(chip, vp))
        return false;
    irqchip_begin(&batch, chip, false);
    struct irqchip_answer before = irqchip_answer_of(chip, vp);
    bool taken = lapic_raise(&chip->vps[vp].lapic, vector, auto_eoi);

    irqchip_note(&batch, vp, &before);
    irqchip_end(&batch);
    return taken;
}

static void chip_set_wake(void *context, void (*wake)(void *wake_context, vmr_vp_index vp), void *wake_context)
{
    struct vmr_irqchip_set *chip = context;

    sync_mutex_lock(&chip->lock);
    chip->wake = wake;
    chip->wake_context = wake_context;
    sync_mutex_unlock(&chip->lock);
}

static void chip_set_msi_target(void *context, bool (*deliver)(void *target, const struct vmr_msi *msi),
                                void (*route)(void *target, uint32_t gsi, const struct vmr_msi *msi), void *target)
{
    struct vmr_irqchip_set *chip = context;

    sync_mutex_lock(&chip->lock);
    chip->deliver = deliver;
    chip->route = route;
    chip->target_context = target;
    sync_mutex_unlock(&chip->lock);
}

const struct vmr_irqchip_ops *vmr_irqchip_builtin_ops(void)
{
    static const struct vmr_irqchip_ops ops = {
        .poll = chip_poll,
        .acknowledge = chip_acknowledge,
        .eoi = chip_eoi,
        .msr_read = chip_msr_read,
        .msr_write = chip_msr_write,
        .hv_read = chip_hv_read,
        .hv_write = chip_hv_write,
        .get_tpr = chip_get_tpr,
        .irq = chip_irq,
        .msi = chip_msi,
        .lint = chip_lint,
        .nmi = chip_nmi,
        .vector = chip_vector,
        .set_wake = chip_set_wake,
        .set_msi_target = chip_set_msi_target,
        .reset = irqchip_reset,
    };

    return &ops;
}

/* --- life --- */

static enum vmr_status check(const struct vmr_irqchip_options *options, const struct vmr_bus *ports,
                             const struct vmr_bus *mmio, struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "interrupt controllers: no host");
    if (options->vp_count == 0 || options->vp_count > VMR_VP_COUNT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "interrupt controllers: vp_count %u is not within 1..%u",
                             options->vp_count, VMR_VP_COUNT_MAX);
    if (options->timer_hz != 0 && (options->timer_hz < LAPIC_TIMER_HZ_MIN || options->timer_hz > LAPIC_TIMER_HZ_MAX))
        return vmr_error_set(err, VMR_E_CONFIG, "interrupt controllers: timer_hz %llu is not within %llu..%llu",
                             (unsigned long long)options->timer_hz, (unsigned long long)LAPIC_TIMER_HZ_MIN,
                             (unsigned long long)LAPIC_TIMER_HZ_MAX);
    if (!ports && !options->without_pic)
        return vmr_error_set(err, VMR_E_USAGE, "interrupt controllers: no port bus for the PIC");
    if (!mmio && !(options->without_ioapic && options->split))
        return vmr_error_set(err, VMR_E_USAGE, "interrupt controllers: no MMIO bus for the APICs");
    return VMR_OK;
}

void irqchip_init_lapic(const struct vmr_irqchip_set *chip, vmr_vp_index vp, struct lapic *ret_lapic)
{
    /* An xAPIC cannot be given an ID above 254, so those VPs begin where firmware would take them. */
    lapic_init(ret_lapic, vp, chip->x2apic || vp > XAPIC_ID_MAX, chip->timer_hz);
}

void irqchip_init_models(struct vmr_irqchip_set *chip)
{
    pic_init(&chip->pic);
    ioapic_init(&chip->ioapic);
    chip->arbitration = 0;
    for (vmr_vp_index vp = 0; vp < chip->vp_count; vp++) {
        irqchip_init_lapic(chip, vp, &chip->vps[vp].lapic);
        sync_store_u32(chip->host, &chip->vps[vp].stale, 1);
    }
}

enum vmr_status vmr_irqchip_create(const struct vmr_irqchip_options *options, struct vmr_bus *ports,
                                   struct vmr_bus *mmio, struct vmr_irqchip_set **ret_chip, struct vmr_error *err)
{
    enum vmr_status status = check(options, ports, mmio, err);

    if (status)
        return status;
    struct vmr_irqchip_set *chip = calloc(1, sizeof(*chip) + options->vp_count * sizeof(chip->vps[0]));

    if (!chip)
        return vmr_error_set(err, VMR_E_NOMEM, "interrupt controllers: out of memory for %u VPs", options->vp_count);
    chip->host = options->host;
    chip->ports = ports;
    chip->mmio = mmio;
    chip->split = options->split;
    chip->has_pic = !options->without_pic;
    chip->has_ioapic = !options->without_ioapic;
    chip->x2apic = options->x2apic;
    chip->timer_hz = options->timer_hz ? options->timer_hz : TIMER_HZ_DEFAULT;
    chip->vp_count = options->vp_count;
    for (vmr_vp_index vp = 0; vp < chip->vp_count; vp++)
        chip->vps[vp].chip = chip;
    irqchip_init_models(chip);
    if (sync_mutex_init(&chip->lock, chip->host) || sync_mutex_init(&chip->route_lock, chip->host))
        status = vmr_error_set(err, VMR_E_NOMEM, "interrupt controllers: out of memory for a lock");
    else
        status = irqchip_claim_ranges(chip, err);
    if (status) {
        vmr_irqchip_destroy(chip);
        return status;
    }
    *ret_chip = chip;
    return VMR_OK;
}

void vmr_irqchip_destroy(struct vmr_irqchip_set *chip)
{
    if (!chip)
        return;
    irqchip_release_ranges(chip);
    sync_mutex_finish(&chip->route_lock);
    sync_mutex_finish(&chip->lock);
    free(chip);
}
