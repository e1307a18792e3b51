/* SPDX-License-Identifier: MIT */
/*
 * The built-in backends, in the order they are asked. The one place where they
 * are named together; each folder decides for itself what its table does in
 * this build.
 */

#include "vmrig/probe.h"

#include "backends/hvf/hvf.h"
#include "backends/kvm/kvm.h"
#include "backends/mshv/mshv.h"
#include "backends/whp/whp.h"
#include "vmrig/mock.h"

void vmr_backend_set_init(struct vmr_backend_set *ret_set)
{
    *ret_set = (struct vmr_backend_set){
        .count = 5,
        .backends = {vmr_mshv_backend(), vmr_kvm_backend(), vmr_whp_backend(), vmr_hvf_backend(), vmr_mock_backend()},
    };
}
