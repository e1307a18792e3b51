/* SPDX-License-Identifier: MIT */
#pragma once

/* Microsoft's hypervisor under Linux, /dev/mshv: looked for, but not used. */

#include "vmrig/backend.h"

/* Whether the device node at `path` can be opened, as the status that mshv's open gives. */
enum vmr_status mshv_device_check(const char *path, struct vmr_error *err);

const struct vmr_backend *vmr_mshv_backend(void);
