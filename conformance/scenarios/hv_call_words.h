/* SPDX-License-Identifier: MIT */
#pragma once

/* The inputs of hypercalls that name registers, processors and pages, as steps of a guest program. */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/hv_words.h"

#define FAST HV_CONTROL_FAST
#define REPS(count) ((uint64_t)(count) << HV_CONTROL_REP_COUNT_SHIFT)
#define VARIABLE(words) ((uint64_t)(words) << HV_CONTROL_VARIABLE_SHIFT)

/* Own partition, VP, VTL: the first 16 bytes. Two steps. */
#define HV_TARGET(vp, vtl)                                                                                             \
    VMR_STORE(HV_INPUT, 8, HV_PARTITION_ID_SELF), VMR_STORE(HV_INPUT + 8, 8, (vp) | (uint64_t)(vtl) << 32)
#define HV_SELF() HV_TARGET(HV_VP_INDEX_SELF, 0)

/* Element `i` of GetVpRegisters, and of SetVpRegisters. */
#define HV_NAME(i, name) VMR_STORE(HV_INPUT + 16 + 4 * (i), 4, name)
#define HV_VALUE(i, name, low, high)                                                                                   \
    VMR_STORE(HV_INPUT + 16 + 32 * (i), 8, name), VMR_STORE(HV_INPUT + 32 + 32 * (i), 8, low),                         \
        VMR_STORE(HV_INPUT + 40 + 32 * (i), 8, high)

#define GET(count) (HV_CALL_GET_VP_REGISTERS | REPS(count))
#define SET(count) (HV_CALL_SET_VP_REGISTERS | REPS(count))

/* Reads a register into HV_OUTPUT; writes one, whose result must be `x`. Of the calling VP. */
#define HV_GET(name) HV_SELF(), HV_NAME(0, name), HV_EXPECT_CALL(GET(1), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 1))
#define HV_SET(name, low, high, x) HV_SELF(), HV_VALUE(0, name, low, high), HV_EXPECT_CALL(SET(1), HV_INPUT, 0, x)
#define HV_SET_OK(name, low) HV_SET(name, low, 0, HV_RESULT(0, 1))
#define HV_SET_REFUSED(name, low) HV_SET(name, low, 0, HV_STATUS_INVALID_REGISTER_VALUE)

/* A word of RAM must be `x`; uses variable 5. Two steps. */
#define HV_EXPECT_WORD(gpa, x) VMR_LOAD(5, gpa, 8), VMR_EXPECT(5, x)

#define HV_CALL_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT))
/* Of a call that a hypervisor with a part of the interface knows too, where it has to do the same. */
#define HV_CALL_ANYWHERE(function)                                                                                     \
    .name = #function, .family = "hv-calls", .needs = HV_CALL_NEEDS, .chip = CONF_CHIP_ANY, .run = function
/* Of one that it does not know, or refuses in its own way: it does not come here then. */
#define HV_CALL_SCENARIO(function) HV_CALL_ANYWHERE(function), .without = CONF_CAP(HV_OFFLOAD)

/* Two VPs with the whole interface: the first here, the other on a thread of its own; both to their ends. */
static inline void hv_run_pair(struct conf *conf, const struct vmr_program *first, const struct vmr_program *second)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    struct conf_vm *vm = vm_about_to_run(conf, &options, first);

    CONF_REQUIRE(conf, vm, "no VM");
    run_pair(vm, second);
}
