/* SPDX-License-Identifier: MIT */
/*
 * One hypercall, from registers to registers (TLFS, Hypercall Interface).
 *
 * The order of checks is what a guest can see, so it is the order of this
 * file. Guest memory is touched twice at most: one read of the input before the
 * handler, one write of output after it; all decisions are made on the copy.
 * Where a convention keeps its values is in abi_*.c, what a call looks like in
 * hypercall_table.c.
 */

#include "vmrig/hv.h"

#include <assert.h>
#include <string.h>

#include "lib/hv/abi.h"
#include "lib/hv/control.h"
#include "lib/hv/hypercall_table.h"
#include "lib/memory/memory.h"

#define INSTRUCTION_BYTES_MAX 15u
#define PAIR_BYTES 16u

/* A call under way. The two buffers are only as initialised as `extent` says. */
struct frame {
    const struct vmr_hv_caller *caller;
    const struct abi *abi;
    const struct vmr_hv_call_definition *definition;
    const struct vmr_hv_call_sizes *sizes;
    struct vmr_memory *memory;
    const struct vmr_hv_memory_guard *guard;
    struct vmr_hv_call_registers *registers;
    uint64_t wire_control;
    struct control control;
    struct control_extent extent;
    vmr_gpa guest_output; /* memory form */
    size_t fast_output;   /* fast form: the output's offset from word 0 */
    uint8_t input[VMR_PAGE_SIZE], output[VMR_PAGE_SIZE];
};

/* --- the instruction pointer --- */

static void move_pc(const struct frame *frame, uint64_t by)
{
    frame->registers->pc = (frame->registers->pc + by) & frame->abi->pc_mask;
    frame->registers->pc_modified = true;
}

static void pc_behind(const struct frame *frame)
{
    if (!frame->caller->pc_advanced)
        move_pc(frame, frame->caller->instruction_length);
}

static void pc_at(const struct frame *frame)
{
    if (frame->caller->pc_advanced)
        move_pc(frame, UINT64_C(0) - frame->caller->instruction_length);
}

/* --- how a call ends --- */

static struct vmr_hv_result finish(const struct frame *frame, uint16_t status, uint32_t completed)
{
    frame->abi->set_result(frame->registers, control_result(status, completed));
    pc_behind(frame);
    return (struct vmr_hv_result){
        .outcome = VMR_HV_DONE, .code = frame->control.code, .status = status, .completed = (uint16_t)completed};
}

/* No result: the guest executes the instruction again, with a control word that starts later. */
static struct vmr_hv_result retry(const struct frame *frame, uint32_t completed)
{
    frame->abi->set_control(frame->abi, frame->registers, control_restart(frame->wire_control, completed));
    pc_at(frame);
    return (struct vmr_hv_result){.outcome = VMR_HV_RETRY,
                                  .code = frame->control.code,
                                  .status = HV_STATUS_TIMEOUT,
                                  .completed = (uint16_t)completed};
}

/* --- VTL switches (TLFS, VTL Call; VTL Return) --- */

static bool vtl_switch_is_well_formed(const struct frame *frame)
{
    uint64_t input = frame->abi->vtl_input(frame->registers);
    uint64_t input_max = frame->control.code == HV_CALL_VTL_RETURN ? 1 : 0;

    return frame->wire_control == frame->control.code && input <= input_max;
}

/* There is no register for a result: what is not allowed is an undefined instruction. */
static struct vmr_hv_result switch_vtl(const struct frame *frame, const struct vmr_hv_calls *calls)
{
    const struct vmr_hv_caller *caller = frame->caller;
    struct vmr_hv_result result = {.outcome = VMR_HV_SWITCHED, .code = frame->control.code};
    uint64_t length = caller->pc_advanced ? 0 : caller->instruction_length;
    const struct vmr_hv_vtl_switch request = {
        .caller = caller,
        .is_return = frame->control.code == HV_CALL_VTL_RETURN,
        .fast = frame->abi->vtl_input(frame->registers) == 1,
        .pc_next = (frame->registers->pc + length) & frame->abi->pc_mask,
    };

    if ((caller->privileges & frame->definition->privilege) != frame->definition->privilege ||
        !vtl_switch_is_well_formed(frame) || !calls->vtl_switch.run(calls->vtl_switch.context, &request)) {
        result.outcome = VMR_HV_UNDEFINED;
        pc_at(frame);
    }
    return result;
}

/* --- what is checked before anything of the input is read --- */

static enum hv_status admit(struct frame *frame)
{
    const struct vmr_hv_call_definition *definition = frame->definition;

    if ((frame->caller->privileges & definition->privilege) != definition->privilege)
        return HV_STATUS_ACCESS_DENIED;
    enum hv_status status = control_check(&frame->control, definition);

    if (status)
        return status;
    frame->extent = control_measure(&frame->control, frame->sizes);
    return HV_STATUS_SUCCESS;
}

static uint32_t pairs_for(uint32_t bytes)
{
    return (bytes + PAIR_BYTES - 1) / PAIR_BYTES;
}

/* Parameters in registers: no address, so no rule of alignment either. */
static enum hv_status fetch_fast(struct frame *frame)
{
    const struct abi *abi = frame->abi;
    bool extended = !frame->caller->without_xmm || abi != &abi_x64;
    uint32_t input = pairs_for(frame->extent.input), output = pairs_for(frame->extent.output);

    if (input + output > (extended ? abi->pairs : 1u) || (output != 0 && !(abi->fast_output && extended)))
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    frame->fast_output = PAIR_BYTES * (abi->output_at_end ? abi->pairs - output : input);
    abi_read_fast(abi, frame->registers, frame->input, frame->extent.input);
    return HV_STATUS_SUCCESS;
}

/* A buffer lies in one page, and begins at a multiple of 8; one of no bytes is nowhere. */
static enum hv_status check_place(vmr_gpa guest_gpa, uint32_t length)
{
    if (length > VMR_PAGE_SIZE - guest_gpa % VMR_PAGE_SIZE)
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    if (length != 0 && guest_gpa % 8 != 0)
        return HV_STATUS_INVALID_ALIGNMENT;
    return HV_STATUS_SUCCESS;
}

/* Parameters lie in one page, so one answer is enough. */
static bool is_guarded(const struct frame *frame, vmr_gpa guest_gpa, bool write)
{
    const struct vmr_hv_memory_guard *guard = frame->guard;

    return guard->allows && !guard->allows(guard->context, frame->caller->vtl, guest_gpa, write);
}

static enum hv_status fetch_memory(struct frame *frame)
{
    vmr_gpa guest_input = frame->abi->word(frame->abi, frame->registers, 0);
    enum hv_status status = check_place(guest_input, frame->extent.input);

    frame->guest_output = frame->abi->word(frame->abi, frame->registers, 1);
    if (!status)
        status = check_place(frame->guest_output, frame->extent.output);
    if (status)
        return status;
    if (frame->extent.input != 0 && is_guarded(frame, guest_input, false))
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    if (memory_read_inside(frame->memory, guest_input, frame->input, frame->extent.input))
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    return HV_STATUS_SUCCESS;
}

/* --- the handler, and its output --- */

/* The elements of this dispatch: from rep start on, as many as one dispatch may do. */
static struct vmr_hv_call view_of(struct frame *frame)
{
    const struct vmr_hv_call_sizes *sizes = frame->sizes;
    const struct control *control = &frame->control;
    uint32_t left = (uint32_t)control->rep_count - control->rep_start;
    const uint8_t *variable = frame->input + sizes->input;

    return (struct vmr_hv_call){
        .caller = frame->caller,
        .code = control->code,
        .input = frame->input,
        .variable = variable,
        .variable_words = control->variable_words,
        .reps = variable + 8u * control->variable_words + (size_t)sizes->rep_input * control->rep_start,
        .rep_first = control->rep_start,
        .rep_count = left < VMR_HV_REP_MAX ? left : VMR_HV_REP_MAX,
        .output = frame->output,
    };
}

/* False if the handler broke its contract. On success all elements count, whatever it says. */
static bool answer_is_valid(const struct frame *frame, enum hv_status status, struct vmr_hv_call *call)
{
    if (status == HV_STATUS_SUCCESS)
        call->reps_done = call->rep_count;
    else if (frame->definition->kind == VMR_HV_CALL_REP && call->reps_done >= call->rep_count)
        return false;
    else if (frame->definition->kind != VMR_HV_CALL_REP)
        call->reps_done = 0;
    return (unsigned)status <= UINT16_MAX;
}

/* The library may write to memory that the guest may not; a guest must not do so through us. */
static bool write_memory(const struct frame *frame, vmr_gpa guest_gpa, size_t length)
{
    struct vmr_memory_region region;

    if (is_guarded(frame, guest_gpa, true))
        return false;
    if (!vmr_memory_region_find(frame->memory, guest_gpa, &region) || region.read_only)
        return false;
    return memory_write_inside(frame->memory, guest_gpa, frame->output, length) == VMR_OK;
}

/* Elements keep their places in the guest's list; those done before this dispatch are not written again. */
static bool write_output(const struct frame *frame, enum hv_status status, uint32_t reps_done)
{
    bool rep = frame->definition->kind == VMR_HV_CALL_REP;
    size_t first = rep ? (size_t)frame->sizes->rep_output * frame->control.rep_start : 0;
    size_t length = rep ? (size_t)frame->sizes->rep_output * reps_done : frame->sizes->output;

    if (length == 0 || (!rep && status != HV_STATUS_SUCCESS))
        return true;
    if (!frame->control.fast)
        return write_memory(frame, frame->guest_output + first, length);
    abi_write_fast(frame->abi, frame->registers, frame->fast_output + first, frame->output, length);
    return true;
}

static enum vmr_status serve(struct frame *frame, const struct vmr_hv_call_handler *handler,
                             struct vmr_hv_result *ret_result)
{
    struct vmr_hv_call call = view_of(frame);

    memset(frame->output, 0, frame->extent.output);
    enum hv_status status = handler->run(handler->context, &call);

    if (!answer_is_valid(frame, status, &call))
        return VMR_E_USAGE;
    uint32_t completed = frame->control.rep_start + call.reps_done;
    bool cut_short = status == HV_STATUS_SUCCESS && completed < frame->control.rep_count;

    if (!write_output(frame, status, call.reps_done))
        *ret_result = finish(frame, HV_STATUS_INVALID_HYPERCALL_INPUT, 0);
    else if (cut_short || status == HV_STATUS_TIMEOUT)
        *ret_result = retry(frame, completed);
    else
        *ret_result = finish(frame, (uint16_t)status, completed);
    return VMR_OK;
}

/* --- the whole --- */

/* The place of a call that has a definition for this caller and somebody who handles it, or HYPERCALL_NONE. */
static size_t find_handled(struct frame *frame, const struct vmr_hv_calls *calls)
{
    size_t row = hypercall_table_find(frame->control.code);

    if (row == HYPERCALL_NONE)
        return row;
    frame->definition = vmr_hv_call_at(row);
    frame->sizes = frame->abi->arm64 ? &frame->definition->arm64 : &frame->definition->x86;
    bool handled = frame->definition->kind == VMR_HV_CALL_VTL_SWITCH ? calls->vtl_switch.run != NULL
                                                                     : calls->calls[row].run != NULL;

    return handled && !(frame->definition->x86_only && frame->abi->arm64) ? row : HYPERCALL_NONE;
}

enum vmr_status vmr_hv_dispatch(const struct vmr_hv_calls *calls, const struct vmr_hv_caller *caller,
                                struct vmr_memory *memory, struct vmr_hv_call_registers *registers,
                                struct vmr_hv_result *ret_result)
{
    struct frame frame; /* not initialised: clearing two pages would cost more than a call */
    const struct abi *abi = abi_find(caller->abi);

    if (!abi || caller->instruction_length == 0 || caller->instruction_length > INSTRUCTION_BYTES_MAX)
        return VMR_E_USAGE;
    frame.caller = caller;
    frame.abi = abi;
    frame.memory = memory;
    frame.guard = &calls->guard;
    frame.registers = registers;
    registers->gpr_modified = 0;
    registers->xmm_modified = 0;
    registers->pc_modified = false;
    frame.wire_control = abi->control(abi, registers);
    control_decode(frame.wire_control, &frame.control);

    size_t row = find_handled(&frame, calls);

    if (row == HYPERCALL_NONE) {
        *ret_result = finish(&frame, HV_STATUS_INVALID_HYPERCALL_CODE, 0);
        return VMR_OK;
    }
    if (frame.definition->kind == VMR_HV_CALL_VTL_SWITCH) {
        *ret_result = switch_vtl(&frame, calls);
        return VMR_OK;
    }
    enum hv_status status = admit(&frame);

    if (!status)
        status = frame.control.fast ? fetch_fast(&frame) : fetch_memory(&frame);
    if (!status)
        return serve(&frame, &calls->calls[row], ret_result);
    *ret_result = finish(&frame, (uint16_t)status, 0);
    return VMR_OK;
}
