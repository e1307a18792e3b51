/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * struct kvm_run to struct vmr_exit, and answers back: pure functions over
 * the bytes of the run page. Sizes and offsets are the kernel's, but they are
 * checked like anybody's: what does not hold is VMR_EXIT_FAIL. [EXIT-1] [EXIT-5]
 */

#include <linux/kvm.h>
#include <stddef.h>

#include "vmrig/exit.h"

/* Numbers that are newer than the oldest kernel headers this builds with. */
#define KVM_REASON_MEMORY_FAULT 39u

/* `run_size` is the mapped size of the run page: io.bytes points inside it. */
void kvm_exit_decode(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit);

/* KVM_RUN itself failed: interrupted is VMR_EXIT_CANCEL, never the exit before. `error` is positive. [EXIT-9] */
void kvm_exit_decode_error(struct kvm_run *run, int error, struct vmr_exit *ret_exit);

/*
 * Puts the answer of `vp_exit` where KVM looks for it. Nothing happens unless
 * the run page still holds that exit.
 */
void kvm_exit_answer(struct kvm_run *run, size_t run_size, const struct vmr_exit *vp_exit);
