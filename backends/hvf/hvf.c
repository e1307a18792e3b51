/* SPDX-License-Identifier: MIT */
/*
 * The probe for Apple's Hypervisor.framework. It takes no parameters, and
 * vmrig makes no partitions on it, so it answers "unavailable" everywhere.
 */

#include "backends/hvf/hvf.h"

static const struct vmr_param_key keys[] = {{NULL, NULL, NULL}};

static enum vmr_status hvf_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "hvf: needs Hypervisor.framework, which this build does not use");
}

static const struct vmr_backend backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_PROBE_ONLY,
    .name = "hvf",
    .description = "Apple Hypervisor.framework (not in this build)",
    .keys = keys,
    .open = hvf_open,
};

const struct vmr_backend *vmr_hvf_backend(void)
{
    return &backend;
}
