/* SPDX-License-Identifier: MIT */
/*
 * The state of a built-in local APIC. What a register can hold is what its
 * writes can set (lapic_registers.c), so that no state is a new one.
 */

#include <assert.h>
#include <string.h>

#include "lib/devices/irqchip_set.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

static_assert(VMR_LAPIC_LVTS == LAPIC_LVT_COUNT, "an LVT entry has a field");

/* Places in the page (Intel SDM vol. 3, table 11-1). */
#define OFFSET_TPR 0x080u
#define OFFSET_LDR 0x0d0u
#define OFFSET_DFR 0x0e0u
#define OFFSET_SVR 0x0f0u
#define OFFSET_ICR_LOW 0x300u
#define OFFSET_ICR_HIGH 0x310u
#define OFFSET_LVT 0x320u
#define OFFSET_DIVIDE 0x3e0u

#define ERROR_BITS (LAPIC_ERROR_SEND_VECTOR | LAPIC_ERROR_RECEIVE_VECTOR | LAPIC_ERROR_REGISTER)
#define BASE_BITS (LAPIC_BASE_BSP | LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)
/* Of a first word: no vector below 16 is ever accepted. */
#define VECTORS_BELOW_MIN ((1u << IRQ_VECTOR_MIN) - 1)

#define HEX(member, name) VMR_STATE_FIELD(struct vmr_lapic_state, member, name, VMR_FIELD_HEX)
#define FLAG(member, name) VMR_STATE_FIELD(struct vmr_lapic_state, member, name, VMR_FIELD_FLAG)
#define WORDS(member, name) VMR_STATE_ARRAY(struct vmr_lapic_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field state_fields[] = {
    HEX(base, "base"),
    HEX(tpr, "tpr"),
    FLAG(tpr_written, "tpr-written"),
    HEX(ldr, "ldr"),
    HEX(dfr, "dfr"),
    HEX(svr, "svr"),
    HEX(icr_low, "icr-low"),
    HEX(icr_high, "icr-high"),
    HEX(esr, "esr"),
    HEX(esr_pending, "esr-pending"),
    WORDS(lvt, "lvt"),
    WORDS(irr, "irr"),
    WORDS(isr, "isr"),
    WORDS(tmr, "tmr"),
    WORDS(auto_eoi, "auto-eoi"),
    VMR_STATE_FIELD(struct vmr_lapic_state, timer_initial, "timer-initial", VMR_FIELD_DECIMAL),
    HEX(timer_divide, "timer-divide"),
    VMR_STATE_FIELD(struct vmr_lapic_state, timer_due_ns, "timer-due-ns", VMR_FIELD_TIME),
    FLAG(nmi, "nmi"),
    FLAG(init, "init"),
    FLAG(sipi, "sipi"),
    HEX(sipi_vector, "sipi-vector"),
    FLAG(extint, "extint"),
};

const struct vmr_state_type lapic_state_type = {
    .name = "lapic",
    .version = 1,
    .size = sizeof(struct vmr_lapic_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static void fill_state(const struct lapic *lapic, struct vmr_lapic_state *ret_state)
{
    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->base = lapic->base;
    ret_state->tpr = lapic->tpr;
    ret_state->tpr_written = lapic->tpr_written;
    ret_state->ldr = lapic->ldr;
    ret_state->dfr = lapic->dfr;
    ret_state->svr = lapic->svr;
    ret_state->icr_low = lapic->icr_low;
    ret_state->icr_high = lapic->icr_high;
    ret_state->esr = lapic->esr;
    ret_state->esr_pending = lapic->esr_pending;
    memcpy(ret_state->lvt, lapic->lvt, sizeof(ret_state->lvt));
    memcpy(ret_state->irr, lapic->irr, sizeof(ret_state->irr));
    memcpy(ret_state->isr, lapic->isr, sizeof(ret_state->isr));
    memcpy(ret_state->tmr, lapic->tmr, sizeof(ret_state->tmr));
    memcpy(ret_state->auto_eoi, lapic->auto_eoi, sizeof(ret_state->auto_eoi));
    ret_state->timer_initial = lapic->timer.initial;
    ret_state->timer_divide = lapic->timer.divide;
    ret_state->timer_due_ns = lapic->timer.due_ns;
    ret_state->nmi = lapic->nmi;
    ret_state->init = lapic->init;
    ret_state->sipi = lapic->sipi;
    ret_state->sipi_vector = lapic->sipi_vector;
    ret_state->extint = lapic->extint;
}

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct irqchip_vp *vp = object;

    (void)err;
    sync_mutex_lock(&vp->chip->lock);
    fill_state(&vp->lapic, ret_value);
    sync_mutex_unlock(&vp->chip->lock);
    return VMR_OK;
}

static bool is_base(uint64_t base)
{
    if ((base & ~BASE_BITS) != VMR_LAPIC_GPA)
        return false;
    return !(base & LAPIC_BASE_X2APIC) || (base & LAPIC_BASE_ENABLE);
}

static enum vmr_status check_registers(const struct vmr_lapic_state *state, struct vmr_error *err)
{
    bool wide = (state->base & LAPIC_BASE_X2APIC) != 0;
    uint32_t dfr = lapic_writable_bits(OFFSET_DFR);
    const struct state_check checks[] = {
        STATE_RULE("base", state->base, is_base(state->base)),
        STATE_BITS("tpr", state->tpr, lapic_writable_bits(OFFSET_TPR)),
        STATE_BITS("ldr", state->ldr, lapic_writable_bits(OFFSET_LDR)),
        STATE_RULE("dfr", state->dfr, (state->dfr | dfr) == UINT32_MAX),
        STATE_BITS("svr", state->svr, lapic_writable_bits(OFFSET_SVR)),
        STATE_BITS("icr-low", state->icr_low, lapic_writable_bits(OFFSET_ICR_LOW)),
        STATE_BITS("icr-high", state->icr_high, wide ? UINT32_MAX : lapic_writable_bits(OFFSET_ICR_HIGH)),
        STATE_BITS("esr", state->esr, ERROR_BITS),
        STATE_BITS("esr-pending", state->esr_pending, ERROR_BITS),
        STATE_BITS("timer-divide", state->timer_divide, lapic_writable_bits(OFFSET_DIVIDE)),
    };
    enum vmr_status status = state_check(&lapic_state_type, checks, STATE_CHECKS(checks), err);

    for (unsigned i = 0; i < LAPIC_LVT_COUNT && status == VMR_OK; i++) {
        const struct state_check entry = STATE_BITS("lvt", state->lvt[i], lapic_writable_bits(OFFSET_LVT + 16 * i));

        status = state_check(&lapic_state_type, &entry, 1, err);
    }
    return status;
}

static enum vmr_status check_state(const struct vmr_irqchip_set *chip, const struct vmr_lapic_state *state,
                                   struct vmr_error *err)
{
    const struct state_check checks[] = {
        STATE_BITS("irr", state->irr[0], ~VECTORS_BELOW_MIN),
        STATE_BITS("isr", state->isr[0], ~VECTORS_BELOW_MIN),
        STATE_BITS("tmr", state->tmr[0], ~VECTORS_BELOW_MIN),
        STATE_BITS("auto-eoi", state->auto_eoi[0], ~VECTORS_BELOW_MIN),
        STATE_RULE("timer-due-ns", state->timer_due_ns, state->timer_initial != 0 || state->timer_due_ns == VMR_NEVER),
        STATE_RULE("extint", state->extint, !state->extint || chip->has_pic),
    };
    enum vmr_status status = check_registers(state, err);

    return status != VMR_OK ? status : state_check(&lapic_state_type, checks, STATE_CHECKS(checks), err);
}

static void take_state(struct lapic *lapic, const struct vmr_lapic_state *state)
{
    lapic->base = state->base;
    lapic->tpr = state->tpr;
    lapic->tpr_written = state->tpr_written;
    lapic->ldr = state->ldr;
    lapic->dfr = state->dfr;
    lapic->svr = state->svr;
    lapic->icr_low = state->icr_low;
    lapic->icr_high = state->icr_high;
    lapic->esr = state->esr;
    lapic->esr_pending = state->esr_pending;
    memcpy(lapic->lvt, state->lvt, sizeof(lapic->lvt));
    memcpy(lapic->irr, state->irr, sizeof(lapic->irr));
    memcpy(lapic->isr, state->isr, sizeof(lapic->isr));
    memcpy(lapic->tmr, state->tmr, sizeof(lapic->tmr));
    memcpy(lapic->auto_eoi, state->auto_eoi, sizeof(lapic->auto_eoi));
    lapic->timer.initial = state->timer_initial;
    lapic->timer.divide = state->timer_divide;
    lapic->timer.due_ns = state->timer_due_ns;
    lapic->nmi = state->nmi;
    lapic->init = state->init;
    lapic->sipi = state->sipi;
    lapic->sipi_vector = state->sipi_vector;
    lapic->extint = state->extint;
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct irqchip_vp *vp = object;
    enum vmr_status status = check_state(vp->chip, value, err);
    struct irqchip_batch batch;

    if (status != VMR_OK)
        return status;
    irqchip_begin(&batch, vp->chip, false);
    take_state(&vp->lapic, value);
    irqchip_wake_later(&batch, vp->lapic.id);
    irqchip_end(&batch);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    const struct irqchip_vp *vp = object;
    struct lapic lapic;

    irqchip_init_lapic(vp->chip, vp->lapic.id, &lapic);
    fill_state(&lapic, ret_value);
}

void irqchip_lapic_unit(struct irqchip_vp *vp, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){.type = &lapic_state_type,
                                        .object = vp,
                                        .instance = vp->lapic.id,
                                        .get = state_get,
                                        .set = state_set,
                                        .at_reset = state_at_reset};
}
