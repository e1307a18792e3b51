/* SPDX-License-Identifier: MIT */
/*
 * Two keys say where the interrupt controllers are: `irqchip` exactly, and
 * `user_mode_apic` with the word other backends use. Given both, they must
 * agree. The default is the library's own controllers: with them every input
 * of a guest crosses the backend table, so it can be recorded.
 */

#include "backends/kvm/kvm_params.h"

#include "lib/base/params.h"

/* Linux's real-time signals that the C library leaves to programs. */
#define SIGNAL_MIN 34u
#define SIGNAL_MAX 64u

const struct vmr_param_key kvm_param_keys[] = {
    {"irqchip", "user|split|kernel", "where the interrupt controllers are (default user)"},
    {"user_mode_apic", "true|false", "true: irqchip=user; false: irqchip=kernel, unless irqchip says split"},
    {"own_hyperv", "true|false", "false: as a KVM without a Hyper-V interface of its own (default true)"},
    {"dirty", "bitmap|ring", "how KVM keeps the dirty log (default bitmap)"},
    {"signal", "34..64", "the real-time signal that kicks a VP (default the first)"},
    {NULL, NULL, NULL},
};

static const char *const irqchip_names[] = {"user", "split", "kernel", NULL};

static const char *const dirty_names[] = {"bitmap", "ring", NULL};

static enum vmr_status irqchip_parse(const struct vmr_params *params, enum vmr_irqchip *ret_irqchip,
                                     struct vmr_error *err)
{
    unsigned chosen = VMR_IRQCHIP_USER;
    bool user_mode = true;
    enum vmr_status status = params_get_choice(params, "irqchip", irqchip_names, &chosen, err);

    if (!status)
        status = params_get_bool(params, "user_mode_apic", &user_mode, err);
    if (status)
        return status;
    if (params_find(params, "user_mode_apic")) {
        if (!params_find(params, "irqchip"))
            chosen = user_mode ? VMR_IRQCHIP_USER : VMR_IRQCHIP_KERNEL;
        else if (user_mode != (chosen == VMR_IRQCHIP_USER))
            return vmr_error_set(err, VMR_E_CONFIG, "parameters user_mode_apic=%s and irqchip=%s contradict each other",
                                 params_find(params, "user_mode_apic"), irqchip_names[chosen]);
    }
    *ret_irqchip = (enum vmr_irqchip)chosen;
    return VMR_OK;
}

enum vmr_status kvm_params_parse(const struct vmr_params *params, struct kvm_params *ret_parsed, struct vmr_error *err)
{
    struct kvm_params parsed = {.irqchip = VMR_IRQCHIP_USER, .own_hyperv = true};
    enum vmr_status status = irqchip_parse(params, &parsed.irqchip, err);
    unsigned dirty = KVM_DIRTY_BITMAP;

    if (!status)
        status = params_get_bool(params, "own_hyperv", &parsed.own_hyperv, err);
    if (!status)
        status = params_get_choice(params, "dirty", dirty_names, &dirty, err);
    parsed.dirty = (enum kvm_dirty)dirty;
    if (!status)
        status = params_get_number(params, "signal", SIGNAL_MIN, SIGNAL_MAX, &parsed.signal, err);
    if (!status)
        *ret_parsed = parsed;
    return status;
}
