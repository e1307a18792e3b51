/* SPDX-License-Identifier: MIT */
/* Interrupts that get lost, come twice, or go to somebody else. */

#include "conformance/zoo/zoo.h"

/* --- of the library's controllers --- */

static enum vmr_status interrupt_nobody(struct vmr_backend_vp *vp, uint8_t vector)
{
    (void)vp;
    (void)vector;
    return VMR_OK;
}

static void make_interrupts_lost(struct vmr_backend *table)
{
    table->vp_interrupt = interrupt_nobody;
}

static enum vmr_status interrupt_noted(struct vmr_backend_vp *vp, uint8_t vector)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->words[0] = vector;
    return zoo->base->vp_interrupt(vp, vector);
}

static void run_again(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->base->vp_run(vp, vp_exit);
    if (zoo->words[0] == 0 || !vp_exit->interrupt_ready)
        return;
    (void)zoo->base->vp_interrupt(vp, (uint8_t)zoo->words[0]);
    zoo->words[0] = 0;
    vp_exit->interrupt_ready = false;
}

static void make_interrupts_twice(struct vmr_backend *table)
{
    table->vp_interrupt = interrupt_noted;
    table->vp_run = run_again;
}

static enum vmr_status interrupt_beside(struct vmr_backend_vp *vp, uint8_t vector)
{
    return zoo_vp(vp)->base->vp_interrupt(vp, vector ^ 1u);
}

static void make_vector_off_by_one(struct vmr_backend *table)
{
    table->vp_interrupt = interrupt_beside;
}

static enum vmr_status nmi_nobody(struct vmr_backend_vp *vp)
{
    (void)vp;
    return VMR_OK;
}

static void make_nmi_lost(struct vmr_backend *table)
{
    table->vp_nmi = nmi_nobody;
}

static void window_never(struct vmr_backend_vp *vp, bool wanted)
{
    (void)vp;
    (void)wanted;
}

static void make_no_window(struct vmr_backend *table)
{
    table->vp_request_window = window_never;
}

static void run_never_ready(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    zoo_vp(vp)->base->vp_run(vp, vp_exit);
    if (vp_exit->kind == VMR_EXIT_IRQ_WINDOW)
        vp_exit->interrupt_ready = false;
}

static void make_window_not_ready(struct vmr_backend *table)
{
    table->vp_run = run_never_ready;
}

static void tpr_never(struct vmr_backend_vp *vp, uint8_t tpr)
{
    (void)vp;
    (void)tpr;
}

static void run_without_tpr(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    zoo_vp(vp)->base->vp_run(vp, vp_exit);
    vp_exit->tpr = 0;
}

static void make_tpr_lost(struct vmr_backend *table)
{
    table->vp_set_tpr = tpr_never;
    table->vp_run = run_without_tpr;
}

/* --- of controllers in the hypervisor --- */

static enum vmr_status irq_nobody(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    (void)vm;
    (void)gsi;
    (void)level;
    return VMR_OK;
}

static void make_lines_cut(struct vmr_backend *table)
{
    table->vm_irq = irq_nobody;
}

static enum vmr_status irq_up_only(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    return level ? zoo_vm(vm)->base->vm_irq(vm, gsi, true) : VMR_OK;
}

static void make_lines_stay_up(struct vmr_backend *table)
{
    table->vm_irq = irq_up_only;
}

static enum vmr_status lint_first(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint)
{
    return lint == 0 ? zoo_vm(vm)->base->vm_lint(vm, vp, 0) : VMR_OK;
}

static void make_lint1_ignored(struct vmr_backend *table)
{
    table->vm_lint = lint_first;
}

static enum vmr_status lint_of_first(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint)
{
    (void)vp;
    return zoo_vm(vm)->base->vm_lint(vm, 0, lint);
}

static void make_lint_of_vp0(struct vmr_backend *table)
{
    table->vm_lint = lint_of_first;
}

#define DESTINATION UINT64_C(0x1000) /* the lowest bit of an MSI's destination */

static enum vmr_status msi_elsewhere(struct vmr_backend_vm *vm, const struct vmr_msi *msi)
{
    struct vmr_msi other = *msi;

    other.address ^= DESTINATION;
    return zoo_vm(vm)->base->vm_msi(vm, &other);
}

static void make_msi_to_neighbour(struct vmr_backend *table)
{
    table->vm_msi = msi_elsewhere;
}

static enum vmr_status msi_nobody(struct vmr_backend_vm *vm, const struct vmr_msi *msi)
{
    (void)vm;
    (void)msi;
    return VMR_OK;
}

static void make_msi_lost(struct vmr_backend *table)
{
    table->vm_msi = msi_nobody;
}

static enum vmr_status route_nothing(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi)
{
    (void)vm;
    (void)gsi;
    (void)msi;
    return VMR_OK;
}

static void make_routes_ignored(struct vmr_backend *table)
{
    table->vm_set_route = route_nothing;
}

static enum vmr_status activity_running(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity)
{
    enum vmr_status status = zoo_vp(vp)->base->vp_get_activity(vp, ret_activity);

    *ret_activity = VMR_ACTIVITY_RUNNING;
    return status;
}

static enum vmr_status activity_never(struct vmr_backend_vp *vp, enum vmr_activity activity)
{
    (void)vp;
    (void)activity;
    return VMR_OK;
}

static void make_always_running(struct vmr_backend *table)
{
    table->vp_get_activity = activity_running;
    table->vp_set_activity = activity_never;
}

/* --- events of the host --- */

static enum vmr_status irqfd_for_ever(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add)
{
    return add ? zoo_vm(vm)->base->vm_irqfd(vm, fd, gsi, true) : VMR_OK;
}

static void make_irqfd_stays(struct vmr_backend *table)
{
    table->vm_irqfd = irqfd_for_ever;
}

static enum vmr_status irqfd_never(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add)
{
    (void)vm;
    (void)fd;
    (void)gsi;
    (void)add;
    return VMR_OK;
}

static void make_irqfd_deaf(struct vmr_backend *table)
{
    table->vm_irqfd = irqfd_never;
}

static enum vmr_status doorbell_greedy(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell,
                                       int fd, bool add)
{
    struct vmr_doorbell any = *doorbell;

    any.match_value = false;
    any.value = 0;
    return zoo_vm(vm)->base->vm_doorbell(vm, port_space, &any, fd, add);
}

static void make_doorbell_takes_any_value(struct vmr_backend *table)
{
    table->vm_doorbell = doorbell_greedy;
}

static enum vmr_status doorbell_for_ever(struct vmr_backend_vm *vm, bool port_space,
                                         const struct vmr_doorbell *doorbell, int fd, bool add)
{
    return add ? zoo_vm(vm)->base->vm_doorbell(vm, port_space, doorbell, fd, true) : VMR_OK;
}

static void make_doorbell_stays(struct vmr_backend *table)
{
    table->vm_doorbell = doorbell_for_ever;
}

#define USER "profile=strict"
#define KERNEL "profile=kvm-like,irqchip=kernel"
#define SPLIT "profile=kvm-like,irqchip=split"
#define ANIMAL(function, params_, clause_, filter_, defect_, origin_)                                                  \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .params = (params_)                                                                       \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(interrupts_lost, USER, "INT-1", "interrupt*/*", "what is injected is never taken",
           "OpenVMM, WHP: a family of lost interrupts (#3829, #3881, #3945)"),
    ANIMAL(interrupts_twice, USER, "EXIT-10", "*", "what is injected is taken twice", NULL),
    ANIMAL(vector_off_by_one, USER, "EXIT-10", "*", "another vector is taken than was injected", NULL),
    ANIMAL(nmi_lost, USER, "INT-4", "interrupt*/*", "NMIs do not arrive", NULL),
    ANIMAL(no_window, USER, "INT-2", "interrupt*/*", "no exit says that the guest turned interrupts on", NULL),
    ANIMAL(window_not_ready, USER, "INT-2", "interrupt*/*", "the window is open, and is said to be closed", NULL),
    ANIMAL(tpr_lost, USER, "INT-2", "*", "CR8 is neither told nor taken", NULL),
    ANIMAL(lines_cut, KERNEL, "INT-4", "interrupt*/*", "lines raise nothing", NULL),
    ANIMAL(lines_stay_up, KERNEL, "INT-1", "interrupt*/*", "lines do not go down", NULL),
    ANIMAL(lint1_ignored, KERNEL, "INT-4", "interrupt*/*", "LINT1 does nothing", "KVM in OpenVMM: LINT0 only"),
    ANIMAL(lint_of_vp0, KERNEL, "INT-4", "interrupt*/*", "pins are those of VP 0, whosever they are", NULL),
    ANIMAL(msi_to_neighbour, KERNEL, "INT-4", "interrupt*/*", "an MSI goes to another VP", NULL),
    ANIMAL(msi_lost, SPLIT, "INT-1", "interrupt*/*", "MSIs do not arrive", "HVF: no target for MSIs at all"),
    ANIMAL(routes_ignored, KERNEL, "INT-4", "*", "routes stay what they were", NULL),
    ANIMAL(always_running, KERNEL, "INT-3", "*", "no VP waits for its start", NULL),
    ANIMAL(irqfd_stays, KERNEL, "EVT-4", "events*/*", "an irqfd that was taken away raises its line", NULL),
    ANIMAL(irqfd_deaf, KERNEL, "EVT-4", "events*/*", "an irqfd raises nothing", NULL),
    ANIMAL(doorbell_takes_any_value, KERNEL, "EVT-5", "events*/*", "a doorbell takes writes of any value", NULL),
    ANIMAL(doorbell_stays, KERNEL, "EVT-5", "events*/*", "a doorbell that was taken away takes writes",
           "OpenVMM: a failing unregistration is a warning"),
};

const struct zoo_house zoo_interrupts = {animals, sizeof(animals) / sizeof(animals[0])};
