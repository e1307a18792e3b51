/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The KVM backend (x86-64 Linux). In a build without it the same name and keys
 * are known, and open answers "not in this build".
 *
 * vmr_partition_native() gives an `int *`: the VM's descriptor, which stays the
 * backend's.
 */

#include "vmrig/backend.h"

const struct vmr_backend *vmr_kvm_backend(void);
