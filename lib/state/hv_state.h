/* SPDX-License-Identifier: MIT */
#pragma once

/* The classes of the Hyper-V interface, for the tables of all classes. The class is one of them. */

#include "vmrig/x86_state.h"

const struct vmr_state_type *hv_vp_class_type(enum vmr_vp_class vp_class);
const struct vmr_state_type *hv_vm_class_type(enum vmr_vm_class vm_class);
