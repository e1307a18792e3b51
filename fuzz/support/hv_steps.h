/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guest programs that use the Hyper-V interface, made of an input: registers,
 * calls of all forms with words of their inputs, memory, VTL switches, waiting,
 * and checkpoints whose numbers are for the target to read.
 */

#include "fuzz/support/input.h"
#include "vmrig/limits.h"
#include "vmrig/program.h"

#define HV_STEPS_MAX 96u

/* The pages that programs put things into. */
#define HV_STEPS_PAGES 16u
#define HV_STEPS_PAGE(n) (VMR_PROGRAM_DATA + (n) * (uint64_t)VMR_PAGE_SIZE)
/* EnableVpVtl and StartVirtualProcessor: for the target to put registers into, behind 16 bytes that programs store. */
#define HV_STEPS_CONTEXT HV_STEPS_PAGE(3)

struct hv_steps {
    struct vmr_step steps[HV_STEPS_MAX];
    struct vmr_program program; /* of these steps; begins again at its end */
};

/*
 * Each of `count` programs opens its hypercall page; then as many things as the input has before a byte of 0xff, to the
 * program that was named last.
 */
void hv_steps_take(struct input *input, struct hv_steps *ret_programs, unsigned count);
