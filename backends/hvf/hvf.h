/* SPDX-License-Identifier: MIT */
#pragma once

/* Hypervisor.framework: known by name on every host. */

#include "vmrig/backend.h"

const struct vmr_backend *vmr_hvf_backend(void);
