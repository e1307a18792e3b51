/* SPDX-License-Identifier: MIT */
/*
 * The scripted hypervisor. One VP thread uses it at a time, but for vm_irq.
 */

#include "tests/machine/scripted_backend.h"

#include <stdatomic.h>
#include <stddef.h>

struct vmr_backend_vm {
    struct scripted *scripted;
};

struct vmr_backend_vp {
    struct scripted *scripted;
    struct vmr_x86_regs regs;
    vmr_vp_index index;
    bool expects_answer;
};

static enum vmr_status may_fail(struct scripted *scripted, struct vmr_error *err)
{
    unsigned call = atomic_fetch_add(&scripted->calls, 1u) + 1;

    return call == scripted->fail_call ? vmr_error_set(err, VMR_E_HOST, "planned failure") : VMR_OK;
}

static enum vmr_status scripted_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                     struct vmr_error *err)
{
    *ret_caps = (struct vmr_caps){
        .bits = UINT64_C(1) << VMR_CAP_VP_THREADS | UINT64_C(1) << VMR_CAP_IRQCHIP_KERNEL |
                UINT64_C(1) << VMR_CAP_READ_ONLY | UINT64_C(1) << VMR_CAP_REAL_MODE,
        .vp_count_max = 4,
        .physical_bits = 36,
    };
    return may_fail(handle->context, err);
}

static enum vmr_status scripted_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                          const struct vmr_vm_config *config, struct vmr_error *err)
{
    (void)config;
    vm->scripted = handle->context;
    return may_fail(vm->scripted, err);
}

static void scripted_vm_destroy(struct vmr_backend_vm *vm)
{
    (void)vm;
}

static enum vmr_status scripted_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                                          struct vmr_error *err)
{
    vp->scripted = vm->scripted;
    vp->index = index;
    vmr_x86_regs_reset(&vp->regs);
    return may_fail(vm->scripted, err);
}

static void scripted_vp_destroy(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static enum vmr_status scripted_vm_map(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                       struct vmr_error *err)
{
    (void)slot;
    (void)region;
    return may_fail(vm->scripted, err);
}

static void scripted_vm_unmap(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region)
{
    (void)vm;
    (void)slot;
    (void)region;
}

static enum vmr_status scripted_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    return may_fail(vp->scripted, err);
}

static void scripted_vp_unbind(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static void take_answer(struct vmr_backend_vp *vp, const struct vmr_exit *vp_exit)
{
    struct scripted *scripted = vp->scripted;

    if (vp->expects_answer && vp_exit->u.io.value != scripted->steps[scripted->done - 1].value)
        scripted->wrong_answers++;
    vp->expects_answer = false;
}

static void scripted_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct scripted *scripted = vp->scripted;

    take_answer(vp, vp_exit);
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_HALT};
    if (vp->index != 0 || scripted->done == scripted->count)
        return; /* HLT with interrupts off, for ever */
    const struct scripted_step *step = &scripted->steps[scripted->done++];

    vp_exit->interrupt_ready = step->op == SCRIPTED_HALT;
    if (step->op == SCRIPTED_HALT)
        return;
    vp->expects_answer = step->op == SCRIPTED_IN;
    vp_exit->kind = VMR_EXIT_IO;
    vp_exit->u.io = (struct vmr_exit_io){.port = step->port,
                                         .size = 1,
                                         .count = 1,
                                         .direction = step->op == SCRIPTED_OUT ? VMR_WRITE : VMR_READ,
                                         .value = step->op == SCRIPTED_OUT ? step->value : 0};
}

static void scripted_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    take_answer(vp, vp_exit);
    *vp_exit = (struct vmr_exit){0};
}

static void scripted_vp_kick(struct vmr_backend_vp *vp)
{
    (void)vp; /* no step takes long */
}

static enum vmr_status scripted_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    *ret_regs = vp->regs;
    return VMR_OK;
}

static enum vmr_status scripted_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    vp->regs = *regs;
    return VMR_OK;
}

static enum vmr_status scripted_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    (void)vp;
    (void)index;
    (void)ret_value;
    return VMR_E_GUEST;
}

static enum vmr_status scripted_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    (void)vp;
    (void)index;
    (void)value;
    return VMR_E_GUEST;
}

static enum vmr_status scripted_interrupt(struct vmr_backend_vp *vp, uint8_t vector)
{
    struct scripted *scripted = vp->scripted;

    if (scripted->vector_count < SCRIPTED_VECTOR_MAX)
        scripted->vectors[scripted->vector_count++] = vector;
    return VMR_OK;
}

static enum vmr_status scripted_nmi(struct vmr_backend_vp *vp)
{
    (void)vp;
    return VMR_OK;
}

static void scripted_window(struct vmr_backend_vp *vp, bool wanted)
{
    (void)vp;
    (void)wanted;
}

static void scripted_tpr(struct vmr_backend_vp *vp, uint8_t tpr)
{
    (void)vp;
    (void)tpr;
}

static enum vmr_status scripted_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    (void)gsi;
    if (level)
        atomic_fetch_add(&vm->scripted->lines_raised, 1u);
    return VMR_OK;
}

void scripted_handle(struct scripted *ret_scripted, const struct scripted_step *steps, size_t count,
                     struct vmr_hypervisor_handle *ret_handle)
{
    *ret_scripted = (struct scripted){
        .steps = steps,
        .count = count,
        .backend = {.abi = VMR_BACKEND_ABI,
                    .name = "scripted",
                    .description = "does what a list says",
                    .vm_size = sizeof(struct vmr_backend_vm),
                    .vp_size = sizeof(struct vmr_backend_vp),
                    .caps = scripted_caps,
                    .vm_create = scripted_vm_create,
                    .vm_destroy = scripted_vm_destroy,
                    .vp_create = scripted_vp_create,
                    .vp_destroy = scripted_vp_destroy,
                    .vm_map = scripted_vm_map,
                    .vm_unmap = scripted_vm_unmap,
                    .vp_bind = scripted_vp_bind,
                    .vp_unbind = scripted_vp_unbind,
                    .vp_run = scripted_vp_run,
                    .vp_complete = scripted_vp_complete,
                    .vp_kick = scripted_vp_kick,
                    .vp_get_regs = scripted_get_regs,
                    .vp_set_regs = scripted_set_regs,
                    .vp_get_msr = scripted_get_msr,
                    .vp_set_msr = scripted_set_msr,
                    .vp_interrupt = scripted_interrupt,
                    .vp_nmi = scripted_nmi,
                    .vp_request_window = scripted_window,
                    .vp_set_tpr = scripted_tpr,
                    .vm_irq = scripted_irq},
    };
    *ret_handle = (struct vmr_hypervisor_handle){.backend = &ret_scripted->backend, .fd = -1, .context = ret_scripted};
}
