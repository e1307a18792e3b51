/* SPDX-License-Identifier: MIT */
#pragma once

/* A guest that goes through a range of MSRs, and must fault at those that are not there. */

#include <string.h>

#include "conformance/conformance.h"

#define MSR_SWEEP_PIECE 96u /* a program is no longer than that */
#define MSR_SWEEP_BEFORE 8u

static inline uint32_t msr_sweep_steps(uint32_t first, uint32_t count, bool (*is_readable)(uint32_t msr),
                                       struct vmr_step *ret_steps)
{
    static const struct vmr_step end = VMR_END();
    uint32_t steps = 0;

    for (uint32_t msr = first; msr - first < count; msr++) {
        bool readable = is_readable(msr);

        ret_steps[steps++] = (struct vmr_step)VMR_RDMSR(0, msr);
        ret_steps[steps++] = (struct vmr_step)VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, readable ? 0 : 14);
        if (readable)
            continue;
        ret_steps[steps++] = (struct vmr_step)VMR_WRMSR(msr, 0);
        ret_steps[steps++] = (struct vmr_step)VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 14);
    }
    ret_steps[steps++] = end;
    return steps;
}

/*
 * Reads each of `count` MSRs and writes those that cannot be read: only readable
 * ones do not fault, by #GP. The steps of `before`, if there is one, come first.
 */
static inline void msr_sweep(struct conf *conf, const struct conf_vm_options *options, const struct vmr_program *before,
                             uint32_t first, uint32_t count, bool (*is_readable)(uint32_t msr))
{
    struct vmr_step steps[MSR_SWEEP_BEFORE + 4 * MSR_SWEEP_PIECE + 1];
    uint32_t begun = before ? before->count : 0;

    if (begun > 0)
        memcpy(steps, before->steps, begun * sizeof(steps[0]));
    for (uint32_t done = 0; done < count; done += MSR_SWEEP_PIECE) {
        uint32_t piece = count - done < MSR_SWEEP_PIECE ? count - done : MSR_SWEEP_PIECE;
        const struct vmr_program program = {.name = "sweep",
                                            .steps = steps,
                                            .count = begun +
                                                     msr_sweep_steps(first + done, piece, is_readable, steps + begun)};
        struct conf_vm *vm = conf_vm_create(conf, options);

        if (vm && conf_load(vm, 0, &program) && conf_bind(vm, 0) && !conf_run_to_end(vm, 0))
            CONF_CHECK(conf, false, "at step %u from MSR %#x on", vm->reports[0].mismatch_step, first + done);
        conf_vm_destroy(vm); /* not every hypervisor has two */
    }
}
