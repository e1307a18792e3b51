/* SPDX-License-Identifier: MIT */
/* The comments of vmrig/backend.h that say when an operation may be NULL, as two tables. */

#include "conformance/operations.h"

#include <stddef.h>
#include <string.h>

#include "vmrig/backend_hv.h"
#include "vmrig/backend_managed.h"
#include "vmrig/backend_state.h"

#define CAP(name) (UINT64_C(1) << VMR_CAP_##name)
#define OPERATION(name)                                                                                                \
    {                                                                                                                  \
#name, offsetof(struct vmr_backend, name)                                                                      \
    }

struct operation {
    const char *name;
    size_t offset;
};

/* That of a const void * or of a function: a table of operations holds nothing else where this is used. */
static bool is_null(const void *table, size_t offset)
{
    static const unsigned char none[sizeof(void (*)(void))];

    return memcmp((const char *)table + offset, none, sizeof(none)) == 0;
}

const char *conf_missing_operation(const struct vmr_backend *backend)
{
    static const struct operation always[] = {
        OPERATION(name),        OPERATION(description),
        OPERATION(keys),        OPERATION(open),
        OPERATION(caps),        OPERATION(vm_create),
        OPERATION(vm_destroy),  OPERATION(vp_create),
        OPERATION(vp_destroy),  OPERATION(vm_map),
        OPERATION(vm_unmap),    OPERATION(vp_bind),
        OPERATION(vp_unbind),   OPERATION(vp_run),
        OPERATION(vp_kick),     OPERATION(vp_get_regs),
        OPERATION(vp_set_regs), OPERATION(vp_get_msr),
        OPERATION(vp_set_msr),  OPERATION(vp_interrupt),
        OPERATION(vp_nmi),      OPERATION(vp_request_window),
        OPERATION(vp_set_tpr),
    };
    size_t count = sizeof(always) / sizeof(always[0]);

    if (backend->flags & VMR_BACKEND_PROBE_ONLY)
        count = 4; /* up to `open` */
    for (size_t i = 0; i < count; i++) {
        if (is_null(backend, always[i].offset))
            return always[i].name;
    }
    /* One half of a pair. */
    return backend->vp_enter && !backend->vp_leave ? "vp_leave" : NULL;
}

/* With any of `caps` the operation is there. */
static const struct {
    struct operation operation;
    uint64_t caps;
} rows[] = {
    {OPERATION(vm_protect), CAP(VTL)},
    {OPERATION(vp_switch_vtl), CAP(VTL)},
    {OPERATION(vp_pass_fault), CAP(VTL)},
    {OPERATION(vm_dirty_log), CAP(DIRTY_LOG)},
    {OPERATION(vm_dirty_take), CAP(DIRTY_LOG)},
    {OPERATION(vp_get_xmm), CAP(XMM)},
    {OPERATION(vp_set_xmm), CAP(XMM)},
    {OPERATION(vp_flush), CAP(FLUSH)},
    {OPERATION(vp_exception), CAP(EXCEPTION)},
    {OPERATION(vp_get_activity), CAP(IRQCHIP_SPLIT) | CAP(IRQCHIP_KERNEL)},
    {OPERATION(vp_set_activity), CAP(IRQCHIP_SPLIT) | CAP(IRQCHIP_KERNEL)},
    {OPERATION(vp_set_debug), CAP(SINGLE_STEP) | CAP(HW_BREAKPOINT)},
    {OPERATION(vm_irq), CAP(IRQCHIP_KERNEL)},
    {OPERATION(vm_lint), CAP(IRQCHIP_KERNEL)},
    {OPERATION(vm_msi), CAP(MSI)},
    {OPERATION(vm_set_route), CAP(MSI)},
    {OPERATION(vm_irqfd), CAP(IRQFD)},
    {OPERATION(vm_doorbell), CAP(DOORBELL)},
    {OPERATION(hv), CAP(HV_OFFLOAD)},
    {OPERATION(managed), CAP(MANAGED)},
};

static const char *missing_state(const struct vmr_backend *backend, const struct vmr_caps *caps, const char **ret_why)
{
    const struct vmr_backend_state *state = backend->state;

    *ret_why = caps->vp_classes ? "classes of VPs" : "classes of VMs";
    if (caps->vp_classes == 0 && caps->vm_classes == 0)
        return NULL;
    if (!state)
        return "state";
    if (caps->vp_classes != 0 && (!state->vp_get_state || !state->vp_set_state))
        return state->vp_get_state ? "state.vp_set_state" : "state.vp_get_state";
    *ret_why = "classes of VMs";
    if (caps->vm_classes != 0 && (!state->vm_get_state || !state->vm_set_state))
        return state->vm_get_state ? "state.vm_set_state" : "state.vm_get_state";
    return NULL;
}

static const char *missing_for_caps(const struct vmr_backend *backend, const struct vmr_caps *caps,
                                    const char **ret_why)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t declared = caps->bits & rows[i].caps;

        if (declared == 0 || !is_null(backend, rows[i].operation.offset))
            continue;
        *ret_why = vmr_cap_name((enum vmr_cap)__builtin_ctzll(declared));
        return rows[i].operation.name;
    }
    return missing_state(backend, caps, ret_why);
}

enum vmr_status conf_operations_check(const struct vmr_backend *backend, const struct vmr_caps *caps,
                                      struct vmr_error *err)
{
    const char *why, *missing = missing_for_caps(backend, caps, &why);

    if (!missing)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': it declares %s, and its table lacks '%s'", backend->name,
                         why, missing);
}
