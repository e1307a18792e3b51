/* SPDX-License-Identifier: MIT */
/*
 * What a KVM VM holds beside its VPs: the clock, and, where all interrupt
 * controllers are in KVM, its PICs and its IO-APIC.
 */

#include <errno.h>
#include <inttypes.h>

#include "backends/kvm/kvm_private.h"

_Static_assert(KVM_IOAPIC_NUM_PINS == VMR_X86_IOAPIC_PINS, "pins");
_Static_assert(KVM_IRQCHIP_PIC_MASTER == 0 && KVM_IRQCHIP_PIC_SLAVE == 1, "chips of vmr_x86_pic_state");

#define PAGE_OFFSET UINT64_C(0xfff)
#define REDIRECTION_RESERVED UINT64_C(0x00fffffffffe0000)

static enum vmr_status chip_get(const struct kvm_vm *vm, uint32_t number, struct kvm_irqchip *ret_chip,
                                struct vmr_error *err)
{
    *ret_chip = (struct kvm_irqchip){.chip_id = number};
    return kvm_ioctl(vm->fd.number, "KVM_GET_IRQCHIP", KVM_GET_IRQCHIP, kvm_pointer(ret_chip), err);
}

static enum vmr_status chip_set(const struct kvm_vm *vm, const struct kvm_irqchip *chip, struct vmr_error *err)
{
    return kvm_ioctl(vm->fd.number, "KVM_SET_IRQCHIP", KVM_SET_IRQCHIP, kvm_pointer(chip), err);
}

/* --- clock --- */

static enum vmr_status clock_get(const struct kvm_vm *vm, void *ret_value, struct vmr_error *err)
{
    struct kvm_clock_data clock = {0};
    enum vmr_status status = kvm_ioctl(vm->fd.number, "clock: KVM_GET_CLOCK", KVM_GET_CLOCK, kvm_pointer(&clock), err);

    if (!status)
        *(struct vmr_vm_clock_state *)ret_value = (struct vmr_vm_clock_state){.ns = clock.clock};
    return status;
}

static enum vmr_status clock_set(const struct kvm_vm *vm, const void *value, struct vmr_error *err)
{
    struct kvm_clock_data clock = {.clock = ((const struct vmr_vm_clock_state *)value)->ns};

    /* KVM counts in signed numbers, and a clock that is about to wrap is nobody's. */
    if (clock.clock > INT64_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "clock: ns: %" PRIu64 " is beyond KVM's", (uint64_t)clock.clock);
    return kvm_ioctl(vm->fd.number, "clock: KVM_SET_CLOCK", KVM_SET_CLOCK, kvm_pointer(&clock), err);
}

/* --- PICs --- */

static struct vmr_x86_pic pic_of(const struct kvm_pic_state *from)
{
    return (struct vmr_x86_pic){
        .lines = from->last_irr,
        .request = from->irr,
        .mask = from->imr,
        .in_service = from->isr,
        .lowest = from->priority_add,
        .base = from->irq_base,
        .init = from->init_state,
        .trigger = from->elcr,
        .read_in_service = from->read_reg_select != 0,
        .poll = from->poll != 0,
        .special_mask = from->special_mask != 0,
        .auto_eoi = from->auto_eoi != 0,
        .rotate_on_auto_eoi = from->rotate_on_auto_eoi != 0,
        .fully_nested = from->special_fully_nested_mode != 0,
        .expects_icw4 = from->init4 != 0,
    };
}

/* Which lines may be level-triggered stays as it is. */
static void pic_put(const struct vmr_x86_pic *from, struct kvm_pic_state *pic)
{
    *pic = (struct kvm_pic_state){
        .last_irr = from->lines,
        .irr = from->request,
        .imr = from->mask,
        .isr = from->in_service,
        .priority_add = from->lowest,
        .irq_base = from->base,
        .read_reg_select = from->read_in_service,
        .poll = from->poll,
        .special_mask = from->special_mask,
        .init_state = from->init,
        .auto_eoi = from->auto_eoi,
        .rotate_on_auto_eoi = from->rotate_on_auto_eoi,
        .special_fully_nested_mode = from->fully_nested,
        .init4 = from->expects_icw4,
        .elcr = from->trigger,
        .elcr_mask = pic->elcr_mask,
    };
}

static enum vmr_status pic_check(const struct vmr_x86_pic *pic, const struct kvm_pic_state *now, struct vmr_error *err)
{
    if (pic->lowest > 7)
        return vmr_error_set(err, VMR_E_CONFIG, "pic: lowest: %u, there are 8 lines", pic->lowest);
    if (pic->init > 3)
        return vmr_error_set(err, VMR_E_CONFIG, "pic: init: %u, 1 to 3 words follow the first", pic->init);
    if ((pic->base & 7u) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "pic: base: %#x is no multiple of 8", pic->base);
    if ((pic->trigger & ~now->elcr_mask) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "pic: trigger: %#x, level may be %#x", pic->trigger, now->elcr_mask);
    return VMR_OK;
}

static enum vmr_status pics_get(const struct kvm_vm *vm, void *ret_value, struct vmr_error *err)
{
    struct kvm_irqchip chips[VMR_X86_PIC_COUNT];
    struct vmr_x86_pic_state *ret_state = ret_value;
    enum vmr_status status = VMR_OK;

    for (uint32_t i = 0; i < VMR_X86_PIC_COUNT && !status; i++)
        status = chip_get(vm, i, &chips[i], err);
    for (uint32_t i = 0; i < VMR_X86_PIC_COUNT && !status; i++)
        ret_state->chip[i] = pic_of(&chips[i].chip.pic);
    return status;
}

static enum vmr_status pics_set(const struct kvm_vm *vm, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_pic_state *state = value;
    struct kvm_irqchip old[VMR_X86_PIC_COUNT], chips[VMR_X86_PIC_COUNT];
    enum vmr_status status = VMR_OK;

    for (uint32_t i = 0; i < VMR_X86_PIC_COUNT && !status; i++) {
        status = chip_get(vm, i, &old[i], err);
        if (!status)
            status = pic_check(&state->chip[i], &old[i].chip.pic, err);
    }
    for (uint32_t i = 0; i < VMR_X86_PIC_COUNT && !status; i++) {
        chips[i] = old[i];
        pic_put(&state->chip[i], &chips[i].chip.pic);
        status = chip_set(vm, &chips[i], err);
        if (status && i > 0)
            (void)chip_set(vm, &old[0], NULL);
    }
    return status;
}

/* --- IO-APIC --- */

static enum vmr_status ioapic_get(const struct kvm_vm *vm, void *ret_value, struct vmr_error *err)
{
    struct vmr_x86_ioapic_state *ret_state = ret_value;
    struct kvm_irqchip chip;
    enum vmr_status status = chip_get(vm, KVM_IRQCHIP_IOAPIC, &chip, err);
    const struct kvm_ioapic_state *from = &chip.chip.ioapic;

    if (status)
        return status;
    *ret_state = (struct vmr_x86_ioapic_state){
        .base = from->base_address, .select = from->ioregsel, .id = from->id, .lines = from->irr};
    for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++)
        ret_state->redirection[i] = from->redirtbl[i].bits;
    return VMR_OK;
}

static enum vmr_status ioapic_check(const struct vmr_x86_ioapic_state *state, struct vmr_error *err)
{
    if ((state->base & PAGE_OFFSET) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "ioapic: base: %#" PRIx64 " is not where a page begins", state->base);
    if (state->select > 0xff)
        return vmr_error_set(err, VMR_E_CONFIG, "ioapic: select: %#x, it has 8 bits", state->select);
    if (state->id > 0xf)
        return vmr_error_set(err, VMR_E_CONFIG, "ioapic: id: %#x, it has 4 bits", state->id);
    if (state->lines >> VMR_X86_IOAPIC_PINS != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "ioapic: lines: %#x, there are %u", state->lines, VMR_X86_IOAPIC_PINS);
    for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++) {
        if ((state->redirection[i] & REDIRECTION_RESERVED) != 0)
            return vmr_error_set(err, VMR_E_CONFIG, "ioapic: redirection[%u]: %#" PRIx64 " has reserved bits", i,
                                 state->redirection[i]);
    }
    return VMR_OK;
}

static enum vmr_status ioapic_set(const struct kvm_vm *vm, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_ioapic_state *state = value;
    struct kvm_irqchip chip = {.chip_id = KVM_IRQCHIP_IOAPIC};
    struct kvm_ioapic_state *to = &chip.chip.ioapic;
    enum vmr_status status = ioapic_check(state, err);

    if (status)
        return status;
    to->base_address = state->base;
    to->ioregsel = state->select;
    to->id = state->id;
    to->irr = state->lines;
    for (unsigned i = 0; i < VMR_X86_IOAPIC_PINS; i++)
        to->redirtbl[i].bits = state->redirection[i];
    return chip_set(vm, &chip, err);
}

/* --- all --- */

static const struct {
    enum vmr_status (*get)(const struct kvm_vm *vm, void *ret_value, struct vmr_error *err);
    enum vmr_status (*set)(const struct kvm_vm *vm, const void *value, struct vmr_error *err);
} classes[VMR_VM_CLASS_COUNT] = {
    [VMR_VM_CLOCK] = {clock_get, clock_set},
    [VMR_VM_PIC] = {pics_get, pics_set},
    [VMR_VM_IOAPIC] = {ioapic_get, ioapic_set},
};

enum vmr_status kvm_vm_get_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, void *ret_value,
                                 struct vmr_error *err)
{
    return classes[vm_class].get(kvm_vm_of(vm), ret_value, err);
}

enum vmr_status kvm_vm_set_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, const void *value,
                                 struct vmr_error *err)
{
    return classes[vm_class].set(kvm_vm_of(vm), value, err);
}
