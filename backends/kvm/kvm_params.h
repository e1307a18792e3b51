/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The keys of `kvm:...` and their values. Knows nothing of the host, so that
 * a build without KVM refuses the same specs. [PROBE-2]
 */

#include "vmrig/probe.h"

#define KVM_NAME "kvm"
#define KVM_DESCRIPTION "Linux KVM on x86-64, through /dev/kvm"

/* How the dirty log is kept. */
enum kvm_dirty {
    KVM_DIRTY_BITMAP, /* by KVM, a bit a page */
    KVM_DIRTY_RING    /* a ring of page numbers a VP */
};

struct kvm_params {
    enum vmr_irqchip irqchip;
    bool own_hyperv;
    enum kvm_dirty dirty;
    uint32_t signal; /* 0: the first real-time signal */
};

/* Ends with a NULL name. */
extern const struct vmr_param_key kvm_param_keys[];

enum vmr_status kvm_params_parse(const struct vmr_params *params, struct kvm_params *ret_parsed, struct vmr_error *err);
