/* SPDX-License-Identifier: MIT */
/*
 * State while it is recorded: what the hypervisor underneath tells passes
 * through, and is no input: the library only hands it on. What would be set is
 * in no recording, and so it is refused. [TRC-11]
 */

#include "lib/trace/recorder.h"

#include "vmrig/backend_state.h"

static enum vmr_status rec_vp_get(struct vmr_backend_vp *base, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                  struct vmr_error *err)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    return vp->backend->state->vp_get_state(vp->inner, vtl, vp_class, ret_value, err);
}

enum vmr_status recorder_refuse_state(const struct vmr_state_type *type, const char *who, struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: %s: what is set would be in no recording", type->name, who);
}

bool recorder_is_idle(enum vmr_vp_class vp_class, const void *value)
{
    const struct vmr_x86_activity_state none = {0};

    return vp_class == VMR_VP_ACTIVITY && vmr_state_equal(vmr_vp_class_type(vp_class), value, &none, true, NULL);
}

static enum vmr_status rec_vp_set(struct vmr_backend_vp *base, uint8_t vtl, enum vmr_vp_class vp_class,
                                  const void *value, struct vmr_error *err)
{
    (void)base;
    (void)vtl;
    if (recorder_is_idle(vp_class, value))
        return VMR_OK;
    return recorder_refuse_state(vmr_vp_class_type(vp_class), "the VP is recorded", err);
}

static bool rec_vp_moves(const struct vmr_backend_vp *base, enum vmr_vp_class vp_class)
{
    const struct recorder_vp *vp = (const struct recorder_vp *)(const void *)base;
    const struct vmr_backend_state *inner = vp->backend->state;

    return inner && inner->vp_state_moves && inner->vp_state_moves(vp->inner, vp_class);
}

static void rec_vp_reset_info(const struct vmr_backend_vp *base, struct vmr_x86_reset_info *info)
{
    const struct recorder_vp *vp = (const struct recorder_vp *)(const void *)base;

    if (vp->backend->state && vp->backend->state->vp_reset_info)
        vp->backend->state->vp_reset_info(vp->inner, info);
}

static enum vmr_status rec_vm_get(struct vmr_backend_vm *base, enum vmr_vm_class vm_class, void *ret_value,
                                  struct vmr_error *err)
{
    struct recorder_vm *vm = recorder_vm_of(base);

    return vm->backend->state->vm_get_state(vm->inner, vm_class, ret_value, err);
}

static enum vmr_status rec_vm_set(struct vmr_backend_vm *base, enum vmr_vm_class vm_class, const void *value,
                                  struct vmr_error *err)
{
    (void)base;
    (void)value;
    return recorder_refuse_state(vmr_vm_class_type(vm_class), "the VM is recorded", err);
}

const struct vmr_backend_state recorder_state = {
    .vp_get_state = rec_vp_get,
    .vp_set_state = rec_vp_set,
    .vp_state_moves = rec_vp_moves,
    .vp_reset_info = rec_vp_reset_info,
    .vm_get_state = rec_vm_get,
    .vm_set_state = rec_vm_set,
};
