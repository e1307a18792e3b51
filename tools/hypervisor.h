/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From the --hypervisor option to an open handle.
 */

#include "vmrig/partition.h"

/* The one `spec` names; NULL: the first that is there. */
VMR_MUST_CHECK enum vmr_status hypervisor_open(const char *spec, struct vmr_hypervisor_handle *ret_handle,
                                               struct vmr_error *err);
/* What it can do, without making anything in it. */
VMR_MUST_CHECK enum vmr_status hypervisor_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                               struct vmr_error *err);
