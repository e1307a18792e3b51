/* SPDX-License-Identifier: MIT */
/*
 * A local APIC of the mock as a state: the page that a guest would read, and
 * back. What a page cannot be, since no guest's writes lead there, is refused.
 * Intel SDM vol. 3, 11.4.1.
 */

#include "backends/mock/chip_state.h"

#include <string.h>

#include "lib/base/bytes.h"

#define PAGE_REGISTERS (VMR_X86_APIC_PAGE_BYTES / 16u)
_Static_assert(PAGE_REGISTERS == LAPIC_REGISTER_COUNT, "the page is the registers");

/* Follows from others, or is the timer's, which the state has apart. */
static bool is_derived(uint32_t reg)
{
    return reg == LAPIC_PPR || reg == LAPIC_TIMER_CURRENT;
}

static void get_page(struct vmr_backend_vp *vp, uint8_t page[VMR_X86_APIC_PAGE_BYTES])
{
    memset(page, 0, VMR_X86_APIC_PAGE_BYTES);
    for (uint32_t reg = 0; reg < LAPIC_REGISTER_COUNT; reg++) {
        if (reg != LAPIC_TIMER_CURRENT)
            store_le32(page + (size_t)16 * reg, chip_lapic_peek(vp, reg));
    }
}

void apic_get_state(struct vmr_backend_vp *vp, struct vmr_x86_apic_state *ret_state)
{
    const struct vmr_host *host = vp->vm->host;
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];
    uint64_t now_ns = host->ops->now_ns(host->context);

    sync_mutex_lock(&vp->vm->chip->lock);
    ret_state->base = vp->regs.apic_base;
    get_page(vp, ret_state->page);
    ret_state->timer_ns = VMR_NEVER;
    if (lapic->timer.due_ns != VMR_NEVER && lapic->timer.deadline == 0)
        ret_state->timer_ns = lapic->timer.due_ns > now_ns ? lapic->timer.due_ns - now_ns : 0;
    sync_mutex_unlock(&vp->vm->chip->lock);
}

/* Registers, from which the rest follows. */
static void put_page(const struct vmr_backend_vm *vm, struct lapic *lapic, const uint8_t page[VMR_X86_APIC_PAGE_BYTES])
{
    for (uint32_t reg = 0; reg < LAPIC_REGISTER_COUNT; reg++) {
        uint32_t value = load_le32(page + (size_t)16 * reg);

        if (reg >= LAPIC_ISR && reg < LAPIC_ISR + 8)
            lapic->in_service[reg - LAPIC_ISR] = value;
        else if (reg >= LAPIC_TMR && reg < LAPIC_TMR + 8)
            lapic->level[reg - LAPIC_TMR] = value;
        else if (reg >= LAPIC_IRR && reg < LAPIC_IRR + 8)
            lapic->requested[reg - LAPIC_IRR] = value;
        else
            lapic->regs[reg] = value & chip_lapic_kept_bits(vm, reg);
    }
}

/* The first byte that is not what a guest would read; the page's length: there is none. */
static uint32_t first_difference(const uint8_t *given, const uint8_t *shown)
{
    for (uint32_t i = 0; i < VMR_X86_APIC_PAGE_BYTES; i++) {
        if (given[i] != shown[i] && !is_derived(i / 16))
            return i;
    }
    return VMR_X86_APIC_PAGE_BYTES;
}

enum vmr_status apic_set_state(struct vmr_backend_vp *vp, const struct vmr_x86_apic_state *state, struct vmr_error *err)
{
    const struct vmr_host *host = vp->vm->host;
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];
    uint64_t now_ns = host->ops->now_ns(host->context);
    uint8_t shown[VMR_X86_APIC_PAGE_BYTES];

    sync_mutex_lock(&vp->vm->chip->lock);
    const struct lapic before = *lapic;

    *lapic = (struct lapic){.nmi = before.nmi,
                            .init = before.init,
                            .sipi = before.sipi,
                            .sipi_vector = before.sipi_vector,
                            .attend = before.attend,
                            .off = (state->base & APIC_BASE_ENABLE) == 0,
                            .x2apic = (state->base & APIC_BASE_X2APIC) != 0,
                            .timer.due_ns = VMR_NEVER};
    put_page(vp->vm, lapic, state->page);
    get_page(vp, shown);
    uint32_t at = first_difference(state->page, shown);

    if (at < VMR_X86_APIC_PAGE_BYTES)
        *lapic = before;
    else if (state->timer_ns < VMR_NEVER - now_ns)
        lapic->timer.due_ns = now_ns + state->timer_ns;
    sync_mutex_unlock(&vp->vm->chip->lock);
    if (at < VMR_X86_APIC_PAGE_BYTES)
        return vmr_error_set(err, VMR_E_CONFIG, "apic: page[%u]: a local APIC shows %#x there, never %#x", at,
                             shown[at], state->page[at]);
    vp->regs.apic_base = state->base;
    vp->regs.cr8 = chip_read_cr8(vp);
    vp->chip_pending = true;
    return VMR_OK;
}

void chip_reset(struct vmr_backend_vm *vm)
{
    struct chip *chip = vm->chip;

    sync_mutex_lock(&chip->lock);
    for (vmr_vp_index i = 0; i < vm->vp_count; i++) {
        chip->lapics[i].off = chip->lapics[i].x2apic = false;
        chip_lapic_reset(&chip->lapics[i], i == 0);
    }
    /* Lines stay as devices hold them. */
    for (unsigned i = 0; i < VMR_IOAPIC_PINS; i++)
        chip->pins[i] = (struct pin){.entry = ENTRY_MASKED, .line = chip->pins[i].line};
    for (unsigned i = 0; i < PIC_COUNT; i++)
        chip->pics[i] = (struct pic){.lines = chip->pics[i].lines};
    chip->ioapic_select = 0;
    chip->attend = false;
    sync_mutex_unlock(&chip->lock);
}
