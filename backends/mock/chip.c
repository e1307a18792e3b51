/* SPDX-License-Identifier: MIT */
/*
 * The in-hypervisor controllers as the mock's other files see them: lines, MSIs
 * and routes from any thread, and what a VP takes. Everything is under one lock;
 * attention is called for after the state is set. How a message finds its local
 * APIC is in chip_lapic.c.
 */

#include "backends/mock/chip.h"

#include <stdlib.h>

#include "backends/mock/chip_state.h"

/* MSI and redirection entries name modes alike (Intel SDM vol. 3, 11.11.2). */
#define MSI_BASE UINT64_C(0xfee00000)

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
        chip_lapic_reset(&chip->lapics[i], i == 0);
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
        .destination = destination_of_byte(msi->address >> 12),
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
        .destination = destination_of_byte(pin->entry >> 56),
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
        if (gsi < PIC_LINES)
            chip_pic_set_line(vm, gsi, level); /* wired in parallel */
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
        (void)chip_lapic_deliver(vm, vp, &message);
    chip_unlock(vm);
    return true;
}

/* --- the VP's side --- */

void chip_take(struct vmr_backend_vp *vp)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    sync_mutex_lock(&vp->vm->chip->lock);
    bool init = lapic->init, sipi = lapic->sipi || vp->sipi_pending;
    uint8_t vector = lapic->sipi ? lapic->sipi_vector : vp->sipi_vector;

    vp->sipi_pending = false;

    vp->nmi_pending |= lapic->nmi;
    vp->chip_pending = true;
    if (init)
        chip_lapic_reset(lapic, vp->index == 0);
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

int chip_accept(struct vmr_backend_vp *vp)
{
    struct vmr_backend_vm *vm = vp->vm;
    struct lapic *lapic = &vm->chip->lapics[vp->index];
    int vector = -1;

    sync_mutex_lock(&vm->chip->lock);
    if (chip_lapic_takes_pic(lapic)) /* external interrupts pass by the task priority (11.8.3.1) */
        vector = chip_pic_acknowledge(vm);
    if (vector < 0)
        vector = chip_lapic_acknowledge(lapic);
    vp->chip_pending = vector >= 0; /* if not: until attention is called for, or a register is written */
    chip_unlock(vm);
    return vector;
}

uint8_t chip_read_cr8(const struct vmr_backend_vp *vp)
{
    const struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    sync_mutex_lock(&vp->vm->chip->lock);
    uint8_t cr8 = (uint8_t)(lapic->regs[LAPIC_TPR] >> 4);

    sync_mutex_unlock(&vp->vm->chip->lock);
    return cr8;
}

void chip_write_cr8(struct vmr_backend_vp *vp, uint8_t cr8)
{
    struct lapic *lapic = &vp->vm->chip->lapics[vp->index];

    sync_mutex_lock(&vp->vm->chip->lock);
    if (lapic->regs[LAPIC_TPR] >> 4 != cr8)
        lapic->regs[LAPIC_TPR] = (uint32_t)cr8 << 4;
    vp->chip_pending = true;
    sync_mutex_unlock(&vp->vm->chip->lock);
}

void chip_base_changed(struct vmr_backend_vp *vp)
{
    bool off = (vp->regs.apic_base & APIC_BASE_ENABLE) == 0;
    bool x2apic = !off && (vp->regs.apic_base & APIC_BASE_X2APIC) != 0;
    struct lapic *lapic = vp->vm->chip ? &vp->vm->chip->lapics[vp->index] : NULL;

    if (!lapic || (lapic->off == off && lapic->x2apic == x2apic))
        return;
    sync_mutex_lock(&vp->vm->chip->lock);
    lapic->off = off;
    lapic->x2apic = x2apic;
    if (off)
        chip_lapic_reset(lapic, vp->index == 0);
    vp->chip_pending = true;
    sync_mutex_unlock(&vp->vm->chip->lock);
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
