/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hypercalls to an embedder's handlers: what scenarios about the calls
 * themselves, whatever they do, have in common.
 */

#include <string.h>

#include "conformance/scenarios/hv_words.h"

#define HC_FAST HV_CONTROL_FAST
#define HC_WORDS(count) ((uint64_t)(count) << HV_CONTROL_VARIABLE_SHIFT)
#define HC_REPS(count) ((uint64_t)(count) << HV_CONTROL_REP_COUNT_SHIFT)
#define HC_START(first) ((uint64_t)(first) << HV_CONTROL_REP_START_SHIFT)

/* Calls that every partition may make, by their sizes: fixed input, then elements or output. */
#define HC_IN_8 HV_CALL_SIGNAL_EVENT
#define HC_IN_16_OUT_8 HV_CALL_SIGNAL_EVENT_DIRECT
#define HC_IN_56_WORDS HV_CALL_RETARGET_DEVICE_INTERRUPT
#define HC_IN_256 HV_CALL_POST_MESSAGE
#define HC_IN_16_EACH_4_OUT_4 HV_CALL_GET_VP_INDEX_FROM_APIC_ID
#define HC_IN_32_WORDS_EACH_8 HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX
#define HC_NEEDS_ISOLATION HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY
#define HC_UNKNOWN UINT64_C(0x7fff)

#define HC_ELEMENTS_MAX 1020u /* of 4 bytes behind 16, in a page */

#define HC_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT))

/* A scenario of the family. More members may follow. */
/* Of the library's own dispatcher: a hypervisor with a part of the interface has one of its own. */
#define HC_SCENARIO(function)                                                                                          \
    .name = #function, .family = "hypercall", .without = CONF_CAP(HV_OFFLOAD), .chip = CONF_CHIP_ANY, .run = function

static inline bool hc_handle(struct conf_vm *vm, uint64_t code, const struct vmr_hv_call_handler *handler)
{
    bool set = vmr_hv_calls_set(vmr_hv_guest_calls(vmr_partition_hv(vm->partition)), code, handler) == VMR_OK;

    CONF_CHECK(vm->conf, set, "the handler of call %#llx is refused", (unsigned long long)code);
    return set;
}

static inline uint32_t hc_load32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline void hc_store32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}
