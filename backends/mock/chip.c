/* SPDX-License-Identifier: MIT */
/*
 * The in-hypervisor controllers' state, and how an interrupt finds its local
 * APIC. Everything here is under one lock; attention is called for after the
 * state is set. Registers are in chip_registers.c.
 */

#include "backends/mock/chip.h"

#include <stdlib.h>

#include "backends/mock/chip_state.h"

/* MSI and redirection entries name modes alike (Intel SDM vol. 3, 11.11.2). */
#define MSI_BASE UINT64_C(0xfee00000)
#define DEST_BROADCAST 0xffu

enum vmr_status chip_create(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    struct chip *chip = calloc(1, sizeof(*chip) + vm->vp_capacity * sizeof(chip->lapics[0]));

    if (!chip)
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    chip->routes = calloc(VMR_GSI_MAX, sizeof(*chip->routes));
    if (!chip->routes || sync_mutex_init(&chip->lock, vm->host)) {
        free(chip->routes);
        free(chip);
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    }
    for (uint32_t i = 0; i < vm->vp_capacity; i++)
        chip_lapic_reset(&chip->lapics[i]);
    for (unsigned i = 0; i < VMR_IOAPIC_PINS; i++)
        chip->pins[i].entry = ENTRY_MASKED;
    vm->chip = chip;
    return VMR_OK;
}

void chip_destroy(struct chip *chip)
{
    if (!chip)
        return;
    sync_mutex_finish(&chip->lock);
    free(chip->routes);
    free(chip);
}

void chip_lapic_reset(struct lapic *lapic)
{
    *lapic = (struct lapic){0};
    lapic->regs[LAPIC_SVR] = 0xff; /* software-disabled */
    lapic->regs[LAPIC_DFR] = UINT32_MAX;
    lapic->regs[LAPIC_LINT0] = LVT_MASKED;
    lapic->regs[LAPIC_LINT1] = LVT_MASKED;
}

/* --- delivery: with the lock held --- */

static bool lapic_is_enabled(const struct lapic *lapic)
{
    return (lapic->regs[LAPIC_SVR] & SVR_ENABLE) != 0;
}

bool lapic_deliver(struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message)
{
    struct lapic *lapic = &vm->chip->lapics[vp];
    uint32_t bit = UINT32_C(1) << (message->vector % 32);

    switch (message->mode) {
    case MODE_FIXED:
    case MODE_LOWEST:
        if (!lapic_is_enabled(lapic) || message->vector < 16)
            return false;
        lapic->requested[message->vector / 32] |= bit;
        if (message->level)
            lapic->level[message->vector / 32] |= bit;
        else
            lapic->level[message->vector / 32] &= ~bit;
        break;
    case MODE_NMI:
        lapic->nmi = true;
        break;
    case MODE_INIT:
        lapic->init = true;
        lapic->sipi = false;
        break;
    case MODE_SIPI:
        lapic->sipi = true;
        lapic->sipi_vector = message->vector;
        break;
    default:
        return false;
    }
    lapic->attend = true;
    vm->chip->attend = true;
    return true;
}

static bool matches(const struct vmr_backend_vm *vm, vmr_vp_index vp, const struct chip_message *message)
{
    if (message->destination == DEST_BROADCAST || message->destination == UINT32_MAX)
        return true;
    if (!message->logical)
        return message->destination == vp;
    return (vm->chip->lapics[vp].regs[LAPIC_LDR] >> 24 & message->destination) != 0;
}

bool chip_deliver(struct vmr_backend_vm *vm, const struct chip_message *message)
{
    bool taken = false;

    for (vmr_vp_index i = 0; i < vm->vp_count; i++) {
        if (!matches(vm, i, message))
            continue;
        taken |= lapic_deliver(vm, i, message);
        if (taken && message->mode == MODE_LOWEST)
            break;
    }
    return taken;
}

/* --- any thread --- */

void chip_unlock(struct vmr_backend_vm *vm)
{
    struct chip *chip = vm->chip;
    bool attend = chip->attend;

    chip->attend = false; /* what comes while the lock is given back is its sender's to tell */
    for (vmr_vp_index i = 0; attend && i < vm->vp_count; i++) {
        if (!chip->lapics[i].attend)
            continue;
        chip->lapics[i].attend = false;
        sync_mutex_unlock(&chip->lock);
        vp_attend(vm->vps[i], ATTENTION_INTERRUPT);
        sync_mutex_lock(&chip->lock);
    }
    sync_mutex_unlock(&chip->lock);
}

static struct chip_message message_of_msi(const struct vmr_msi *msi)
{
    return (struct chip_message){
        .destination = (uint32_t)(msi->address >> 12 & 0xff),
        .logical = (msi->address & 4) != 0,
        .vector = (uint8_t)msi->data,
        .mode = msi->data >> 8 & 7,
        .level = (msi->data & 0x8000) != 0,
    };
}

bool chip_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi)
{
    const struct chip_message message = message_of_msi(msi);

    if ((msi->address & ~UINT64_C(0xfffff)) != MSI_BASE)
        return false;
    sync_mutex_lock(&vm->chip->lock);
    bool taken = chip_deliver(vm, &message);

    chip_unlock(vm);
    return taken;
}

static bool entry_deliver(struct vmr_backend_vm *vm, struct pin *pin)
{
    const struct chip_message message = {
        .destination = (uint32_t)(pin->entry >> 56),
        .logical = (pin->entry & ENTRY_LOGICAL) != 0,
        .vector = (uint8_t)pin->entry,
        .mode = (uint32_t)(pin->entry >> 8) & 7,
        .level = (pin->entry & ENTRY_LEVEL) != 0,
    };
    bool taken = chip_deliver(vm, &message);

    pin->in_service = taken && message.level;
    return taken;
}

void pin_update(struct vmr_backend_vm *vm, struct pin *pin, bool rising)
{
    if ((pin->entry & ENTRY_MASKED) != 0)
        return;
    if ((pin->entry & ENTRY_LEVEL) != 0 ? pin->line && !pin->in_service : rising)
        (void)entry_deliver(vm, pin);
}

bool chip_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    struct chip *chip = vm->chip;

    if (gsi >= VMR_GSI_MAX)
        return false;
    sync_mutex_lock(&chip->lock);
    struct route *route = &chip->routes[gsi];
    bool rising = level && !route->line;
    bool known = route->set || (gsi < VMR_IOAPIC_PINS && vm->irqchip == VMR_IRQCHIP_KERNEL);

    route->line = level;
    if (route->set && rising) {
        const struct chip_message message = message_of_msi(&route->msi);

        (void)chip_deliver(vm, &message);
    } else if (known && !route->set) {
        chip->pins[gsi].line = level;
        pin_update(vm, &chip->pins[gsi], rising);
    }
    chip_unlock(vm);
    return known;
}

bool chip_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi)
{
    if (gsi >= VMR_GSI_MAX)
        return false;
    sync_mutex_lock(&vm->chip->lock);
    struct route *route = &vm->chip->routes[gsi];

    route->set = msi != NULL;
    route->msi = msi ? *msi : (struct vmr_msi){0};
    sync_mutex_unlock(&vm->chip->lock);
    return true;
}

bool chip_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint)
{
    struct chip *chip = vm->chip;

    if (vp >= vm->vp_count || lint > 1)
        return false;
    sync_mutex_lock(&chip->lock);
    uint32_t entry = chip->lapics[vp].regs[lint == 0 ? LAPIC_LINT0 : LAPIC_LINT1];
    const struct chip_message message = {.vector = (uint8_t)entry, .mode = entry >> 8 & 7};

    if ((entry & LVT_MASKED) == 0)
        (void)lapic_deliver(vm, vp, &message);
    chip_unlock(vm);
    return true;
}

/* --- the VP's side --- */

void chip_take(struct vmr_backend_vp *vp)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    sync_mutex_lock(&vp->vm->chip->lock);
    bool init = lapic->init, sipi = lapic->sipi;
    uint8_t vector = lapic->sipi_vector;

    vp->nmi_pending |= lapic->nmi;
    vp->chip_pending = true;
    if (init)
        chip_lapic_reset(lapic);
    lapic->init = lapic->nmi = lapic->sipi = false;
    sync_mutex_unlock(&vp->vm->chip->lock);
    if (init) {
        uint64_t apic_base = vp->regs.apic_base;

        vmr_x86_regs_reset(&vp->regs);
        vp->regs.apic_base = apic_base;
        vp_restart(vp);
        vp->activity = vp->index == 0 ? VMR_ACTIVITY_RUNNING : VMR_ACTIVITY_WAIT_FOR_SIPI;
    }
    if (sipi && vp->activity == VMR_ACTIVITY_WAIT_FOR_SIPI) {
        uint64_t apic_base = vp->regs.apic_base;

        vmr_x86_regs_sipi(&vp->regs, vector);
        vp->regs.apic_base = apic_base;
        vp_restart(vp);
        vp->activity = VMR_ACTIVITY_RUNNING;
    }
}

static int highest(const uint32_t bits[8])
{
    for (int i = 7; i >= 0; i--) {
        if (bits[i] != 0)
            return 32 * i + 31 - __builtin_clz(bits[i]);
    }
    return -1;
}

int chip_accept(struct vmr_backend_vp *vp)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    sync_mutex_lock(&vp->vm->chip->lock);
    int vector = highest(lapic->requested);
    int in_service = highest(lapic->in_service);
    int priority = (int)(lapic->regs[LAPIC_TPR] & 0xff);

    if (in_service > priority)
        priority = in_service;
    /* Classes of 16 vectors compete (Intel SDM vol. 3, 11.8.3.1). */
    if (vector >= 0 && vector >> 4 > priority >> 4) {
        lapic->requested[vector / 32] &= ~(UINT32_C(1) << (vector % 32));
        lapic->in_service[vector / 32] |= UINT32_C(1) << (vector % 32);
    } else {
        vp->chip_pending = false; /* until attention is called for, or a register is written */
        vector = -1;
    }
    sync_mutex_unlock(&vp->vm->chip->lock);
    return vector;
}

/* Ends the interrupt in service. With the lock held. */
void chip_lapic_eoi(struct vmr_backend_vp *vp)
{
    struct chip *chip = vp->vm->chip;
    struct lapic *lapic = &chip->lapics[vp->index];
    int vector = highest(lapic->in_service);

    if (vector < 0)
        return;
    uint32_t bit = UINT32_C(1) << (vector % 32);

    lapic->in_service[vector / 32] &= ~bit;
    if ((lapic->level[vector / 32] & bit) == 0)
        return;
    if (vp->vm->irqchip == VMR_IRQCHIP_SPLIT) {
        vp->eoi_due = vector;
        return;
    }
    for (unsigned i = 0; i < VMR_IOAPIC_PINS; i++) {
        struct pin *pin = &chip->pins[i];

        if (!pin->in_service || (uint8_t)pin->entry != vector)
            continue;
        pin->in_service = false;
        pin_update(vp->vm, pin, false);
    }
}

/* --- the table's operations --- */

enum vmr_status mock_vm_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    enum vmr_status status = fault_call(vm->hypervisor, "raising a line", NULL);

    if (status)
        return status;
    return chip_irq(vm, gsi, level) ? VMR_OK : VMR_E_USAGE;
}

enum vmr_status mock_vm_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint)
{
    enum vmr_status status = fault_call(vm->hypervisor, "pulsing a local pin", NULL);

    if (status)
        return status;
    return chip_lint(vm, vp, lint) ? VMR_OK : VMR_E_USAGE;
}

enum vmr_status mock_vm_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi)
{
    enum vmr_status status = fault_call(vm->hypervisor, "sending an MSI", NULL);

    if (status)
        return status;
    return chip_msi(vm, msi) ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status mock_vm_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi)
{
    enum vmr_status status = fault_call(vm->hypervisor, "setting a route", NULL);

    if (status)
        return status;
    return chip_set_route(vm, gsi, msi) ? VMR_OK : VMR_E_USAGE;
}
