/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The part of the Hyper-V guest interface that a hypervisor serves itself, so
 * that a guest's signal, look at the time or timer costs no exit: for backends
 * with VMR_CAP_HV_OFFLOAD, and without VMR_CAP_VTL, and partitions whose
 * vmr_vm_config has `hv_offload`.
 *
 *   the hypervisor's    the hypercall instruction and the code for it in the hypercall page; the
 *                       calls that it knows. Posts, and signals that it does not serve, are
 *                       VMR_EXIT_HYPERCALL
 *                       the reference counter; the timers, with the messages they send
 *   the library's       every other register; ports, messages, event flags
 *
 * So of the synthetic MSRs that vmr_vm_config.msr_exits names, the reference
 * counter (HV_MSR_TIME_REF_COUNT) and the timers' counts do not exit, unless the
 * CPUID table lacks their privilege: then they do, like everything that the
 * hypervisor refuses. The library judges all the others, and tells the hypervisor
 * by vp_set_msr what it has to know; vp_get_msr reads what the hypervisor has.
 */

#include "vmrig/backend.h"

VMR_BEGIN_DECLS

struct vmr_backend_hv {
    /* What it has, whatever partition that is for. */
    enum vmr_status (*own)(const struct vmr_hypervisor_handle *handle, struct vmr_hv_own *ret_own,
                           struct vmr_error *err);
    /* The reference counter, in units of 100 ns. To read: any thread; to set: VPs stopped. */
    enum vmr_status (*get_time)(struct vmr_backend_vm *vm, uint64_t *ret_count);
    enum vmr_status (*set_time)(struct vmr_backend_vm *vm, uint64_t count);
    /*
     * A guest's signal of flag 0 on the connection signals `fd`, or no longer. VMR_E_UNSUPPORTED: not on this
     * connection. Any thread.
     */
    enum vmr_status (*event)(struct vmr_backend_vm *vm, uint32_t connection_id, int fd, bool add);
};

VMR_END_DECLS
