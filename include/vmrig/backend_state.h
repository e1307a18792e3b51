/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state that a backend holds, class by class, and its part of a reset.
 * struct vmr_caps says which classes those are; the operations are only called
 * for them, with what vmrig/backend.h promises of arguments.
 */

#include "vmrig/backend.h"
#include "vmrig/x86_state.h"

VMR_BEGIN_DECLS

struct vmr_backend_state {
    /*
     * The classes that the capabilities say are in the hypervisor, each a struct of its type. The VP's thread, at a
     * clean point; `vtl` is not 0 only for a private class (TLFS, Private State). Get: all or nothing. Set takes
     * anything of the type: VMR_E_CONFIG, with class and field named, and nothing changed, for what no processor
     * holds. What get gave, set takes. [STATE-4]
     */
    enum vmr_status (*vp_get_state)(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                    struct vmr_error *err);
    enum vmr_status (*vp_set_state)(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                    const void *value, struct vmr_error *err);
    /* Whether two readings of a stopped VP are equal. Optional: all classes are. */
    bool (*vp_state_moves)(const struct vmr_backend_vp *vp, enum vmr_vp_class vp_class);
    /* What a reset of the VP depends on and only the hypervisor knows: fields of `info` that it does not leave at 0. */
    void (*vp_reset_info)(const struct vmr_backend_vp *vp, struct vmr_x86_reset_info *info);
    /*
     * Forgets what no class says: the exit before, windows that were asked for, what is latched. The classes are set
     * after it. Optional. The VP's thread. [RST-2]
     */
    enum vmr_status (*vp_reset)(struct vmr_backend_vp *vp, struct vmr_error *err);
    /* The same for the VM. VPs stopped. */
    enum vmr_status (*vm_get_state)(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, void *ret_value,
                                    struct vmr_error *err);
    enum vmr_status (*vm_set_state)(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, const void *value,
                                    struct vmr_error *err);
    enum vmr_status (*vm_reset)(struct vmr_backend_vm *vm, struct vmr_error *err);
};

VMR_END_DECLS
