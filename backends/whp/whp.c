/* SPDX-License-Identifier: MIT */
/*
 * The probe for the Windows Hypervisor Platform. Its parameters are checked on
 * every host, so that a command line is right or wrong wherever it is tried;
 * then the answer is "unavailable". [PROBE-2]
 */

#include "backends/whp/whp.h"

#include "lib/base/params.h"

static const struct vmr_param_key keys[] = {
    {"user_mode_apic", "true|false", "interrupt controllers in the library (default false)"},
    {"offload_enlightenments", "true|false", "false: as if it had no Hyper-V interface of its own (default true)"},
    {"no_enlightenments", "true|false", "the opposite of offload_enlightenments"},
    {NULL, NULL, NULL},
};

enum vmr_status whp_params_parse(const struct vmr_params *params, struct whp_params *ret_parsed, struct vmr_error *err)
{
    struct whp_params parsed = {.own_hyperv = true};
    bool without = false;
    enum vmr_status status = params_get_bool(params, "user_mode_apic", &parsed.user_mode_apic, err);

    if (!status)
        status = params_get_bool(params, "offload_enlightenments", &parsed.own_hyperv, err);
    if (!status)
        status = params_get_bool(params, "no_enlightenments", &without, err);
    if (status)
        return status;
    if (params_find(params, "no_enlightenments")) {
        if (params_find(params, "offload_enlightenments") && parsed.own_hyperv == without)
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "parameters offload_enlightenments=%s and no_enlightenments=%s contradict each other",
                                 params_find(params, "offload_enlightenments"),
                                 params_find(params, "no_enlightenments"));
        parsed.own_hyperv = !without;
    }
    *ret_parsed = parsed;
    return VMR_OK;
}

static enum vmr_status whp_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                struct vmr_error *err)
{
    struct whp_params parsed;
    enum vmr_status status = whp_params_parse(params, &parsed, err);

    (void)fd;
    (void)ret_handle;
    if (status)
        return status;
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "whp: needs Windows, which this build is not for");
}

static const struct vmr_backend backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_PROBE_ONLY,
    .name = "whp",
    .description = "Windows Hypervisor Platform (not in this build)",
    .keys = keys,
    .open = whp_open,
};

const struct vmr_backend *vmr_whp_backend(void)
{
    return &backend;
}
