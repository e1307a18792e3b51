/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What scenarios of the Hyper-V guest interface have in common: where a guest
 * puts its pages, and the steps by which it sets the interface up.
 */

#include "conformance/scenarios/guest_words.h"

#define HV_OS_ID UINT64_C(0x8100000000000001) /* an open-source system, of no version in particular */

#define HV_CODE_PAGE (VMR_PROGRAM_DATA + 0x10000u) /* the hypercall page */
#define HV_INPUT (VMR_PROGRAM_DATA + 0x11000u)
#define HV_OUTPUT (VMR_PROGRAM_DATA + 0x12000u)
#define HV_XMM (VMR_PROGRAM_DATA + 0x13000u)
#define HV_SIMP (VMR_PROGRAM_DATA + 0x14000u)
#define HV_SIEFP (VMR_PROGRAM_DATA + 0x15000u)
#define HV_PAGE_1 (VMR_PROGRAM_DATA + 0x16000u) /* for the scenario's use */
#define HV_PAGE_2 (VMR_PROGRAM_DATA + 0x17000u)
#define HV_NO_RAM UINT64_C(0xd0000000)

/* Two steps: the interface is set up. */
#define HV_OPEN() VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, HV_CODE_PAGE | 1u)

/* RDMSR that must not fault, and give `x`; uses variable 6. Three steps. */
#define HV_EXPECT_MSR(msr, x) VMR_RDMSR(6, msr), HV_NO_FAULT(), VMR_EXPECT(6, x)
/* Three steps; WRMSR that must raise #GP, and leave `x` behind. */
#define HV_REFUSED_MSR(msr, x) VMR_WRMSR(msr, x), HV_FAULT()
#define HV_ACCEPTED_MSR(msr, x) VMR_WRMSR(msr, x), HV_NO_FAULT()
#define HV_FAULT() VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 14) /* #GP */
#define HV_NO_FAULT() VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 0)

/* A call in memory form whose result must be `x`; uses variables 0, 1, 6. Five steps. */
#define HV_EXPECT_CALL(control, input, output, x)                                                                      \
    VMR_SET(0, input), VMR_SET(1, output), VMR_HV_CALL(6, HV_CODE_PAGE, control), HV_NO_FAULT(), VMR_EXPECT(6, x)

/* One element of a list: the result of a rep call that did `done` elements. */
#define HV_RESULT(status, done) ((uint64_t)(status) | (uint64_t)(done) << 32)

static const struct vmr_hv_config hv_all = {0};

/* One run of `program` on VP 0 of a VM with the whole interface. */
static inline void hv_run(struct conf *conf, const struct vmr_program *program)
{
    const struct conf_vm_options options = {.hv = &hv_all};

    (void)conf_run_program(conf, &options, program);
}
