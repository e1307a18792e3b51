/* SPDX-License-Identifier: MIT */
#pragma once

/* Windows Hypervisor Platform: known by name on every host. */

#include "vmrig/backend.h"

struct whp_params {
    bool user_mode_apic;
    bool own_hyperv;
};

/* What the keys mean, whose names are those that other users of the platform have: two words for own_hyperv. */
enum vmr_status whp_params_parse(const struct vmr_params *params, struct whp_params *ret_parsed, struct vmr_error *err);

const struct vmr_backend *vmr_whp_backend(void);
