/* SPDX-License-Identifier: MIT */
/*
 * Opening a hypervisor. What it can do is asked through a proto partition, the
 * public way: nothing is made in the hypervisor by that.
 */

#include "tools/hypervisor.h"

enum vmr_status hypervisor_open(const char *spec, struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err)
{
    struct vmr_backend_set set;

    vmr_backend_set_init(&set);
    return spec ? vmr_probe_named(&set, spec, ret_handle, err) : vmr_probe_auto(&set, ret_handle, err);
}

enum vmr_status hypervisor_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                struct vmr_error *err)
{
    struct vmr_host host;
    struct vmr_proto *proto;

    vmr_host_posix(&host, NULL);

    const struct vmr_proto_options options = {.host = &host};
    enum vmr_status status = vmr_proto_create(handle, &options, &proto, err);

    if (status != VMR_OK)
        return status;
    *ret_caps = *vmr_proto_caps(proto);
    vmr_proto_destroy(proto);
    return VMR_OK;
}
