/* SPDX-License-Identifier: MIT */
/*
 * Decoding and checking the control word.
 *
 * Reserved bits must be zero, so that they can be given a meaning later. The
 * nested bit is no reserved one: it asks for the outermost hypervisor, and that
 * is who looks at it here.
 */

#include "lib/hv/control.h"

void control_decode(uint64_t wire_control, struct control *ret_control)
{
    *ret_control = (struct control){
        .code = (uint16_t)(wire_control & HV_CONTROL_CODE_MASK),
        .fast = (wire_control & HV_CONTROL_FAST) != 0,
        .variable_words = (uint16_t)(wire_control >> HV_CONTROL_VARIABLE_SHIFT & HV_CONTROL_VARIABLE_MAX),
        .rep_count = (uint16_t)(wire_control >> HV_CONTROL_REP_COUNT_SHIFT & HV_CONTROL_REP_MAX),
        .rep_start = (uint16_t)(wire_control >> HV_CONTROL_REP_START_SHIFT & HV_CONTROL_REP_MAX),
        .reserved = (wire_control & HV_CONTROL_RESERVED) != 0,
    };
}

enum hv_status control_check(const struct control *control, const struct vmr_hv_call_definition *definition)
{
    bool right;

    if (definition->kind == VMR_HV_CALL_REP)
        right = control->rep_start < control->rep_count; /* so there is at least one */
    else
        right = control->rep_count == 0 && control->rep_start == 0;
    if (control->variable_words != 0 && !definition->variable)
        right = false;
    return right && !control->reserved ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_HYPERCALL_INPUT;
}

/* No sum can wrap: at most 4095 elements of at most 65535 bytes, and two parts of less than 2^17. */
struct control_extent control_measure(const struct control *control, const struct vmr_hv_call_sizes *sizes)
{
    uint32_t count = control->rep_count;

    return (struct control_extent){
        .input = sizes->input + 8u * control->variable_words + count * sizes->rep_input,
        .output = sizes->output + count * sizes->rep_output,
    };
}

uint64_t control_restart(uint64_t wire_control, uint32_t rep_start)
{
    uint64_t field = (uint64_t)HV_CONTROL_REP_MAX << HV_CONTROL_REP_START_SHIFT;

    return (wire_control & ~field) | (uint64_t)rep_start << HV_CONTROL_REP_START_SHIFT;
}

uint64_t control_result(uint16_t status, uint32_t completed)
{
    return (uint64_t)completed << HV_RESULT_COMPLETED_SHIFT | status;
}
