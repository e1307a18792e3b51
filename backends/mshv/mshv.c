/* SPDX-License-Identifier: MIT */
/*
 * The probe for /dev/mshv. Absent and not to be opened are told apart, as for
 * every backend; one that opens is closed again, since vmrig makes no
 * partitions there. [PROBE-3]
 */

#include "backends/mshv/mshv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct vmr_param_key keys[] = {{NULL, NULL, NULL}};

enum vmr_status mshv_device_check(const char *path, struct vmr_error *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        int error = errno;

        if (error != ENOENT && error != ENODEV && error != ENXIO)
            return vmr_error_set_host(err, error, "cannot open %s", path);
        (void)vmr_error_set_host(err, error, "mshv: no %s", path);
        if (err)
            err->status = VMR_E_UNAVAILABLE;
        return VMR_E_UNAVAILABLE;
    }
    (void)close(fd);
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "mshv: vmrig makes no partitions on %s", path);
}

static enum vmr_status mshv_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    (void)params;
    (void)ret_handle;
    if (fd >= 0)
        return vmr_error_set(err, VMR_E_UNAVAILABLE, "mshv: vmrig makes no partitions on descriptor %d", fd);
    return mshv_device_check("/dev/mshv", err);
}

static const struct vmr_backend backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_PROBE_ONLY,
    .name = "mshv",
    .description = "Microsoft Hypervisor under Linux, /dev/mshv (probe only)",
    .keys = keys,
    .open = mshv_open,
};

const struct vmr_backend *vmr_mshv_backend(void)
{
    return &backend;
}
