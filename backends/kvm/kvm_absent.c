/* SPDX-License-Identifier: MIT */
/*
 * KVM in a build without it: known by name, its parameters checked, then
 * unavailable. The build takes this file or kvm.c, never both.
 */

#include "backends/kvm/kvm.h"

#include "backends/kvm/kvm_params.h"

static enum vmr_status absent_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                   struct vmr_error *err)
{
    struct kvm_params parsed;
    enum vmr_status status = kvm_params_parse(params, &parsed, err);

    (void)fd;
    (void)ret_handle;
    if (status)
        return status;
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "kvm: not in this build");
}

static const struct vmr_backend absent_backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_PROBE_ONLY,
    .name = KVM_NAME,
    .description = KVM_DESCRIPTION,
    .keys = kvm_param_keys,
    .open = absent_open,
};

const struct vmr_backend *vmr_kvm_backend(void)
{
    return &absent_backend;
}
