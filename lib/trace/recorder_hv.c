/* SPDX-License-Identifier: MIT */
/*
 * What the Hyper-V guest interface asks of a backend, recorded: its registers,
 * what it does to VPs and VTLs, and waiting for VPs, which gives up the baton.
 */

#include "lib/trace/recorder.h"

/* --- a VP --- */

enum vmr_status recorder_get_xmm(struct vmr_backend_vp *base, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    struct recorder_vp *vp = recorder_vp_of(base);
    uint8_t bytes[TRACE_XMM_BYTES];
    struct trace_record record = {.kind = TRACE_XMM, .bytes = bytes, .length = sizeof(bytes)};
    enum vmr_status status = vp->backend->vp_get_xmm(vp->inner, ret_xmm);

    if (!status)
        trace_put_xmm(ret_xmm, bytes);
    return recorder_append_result(vp, TRACE_OP_GET_XMM, status, status ? NULL : &record);
}

enum vmr_status recorder_set_xmm(struct vmr_backend_vp *base, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    struct recorder_vp *vp = recorder_vp_of(base);
    uint8_t bytes[TRACE_XMM_BYTES];
    struct trace_record record = {.kind = TRACE_SET_XMM, .bytes = bytes, .length = sizeof(bytes)};

    trace_put_xmm(xmm, bytes);
    return recorder_append_result(vp, TRACE_OP_SET_XMM, vp->backend->vp_set_xmm(vp->inner, xmm), &record);
}

enum vmr_status recorder_flush(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_FLUSH};

    return recorder_append_result(vp, TRACE_OP_FLUSH, vp->backend->vp_flush(vp->inner), &record);
}

enum vmr_status recorder_exception(struct vmr_backend_vp *base, uint8_t vector)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_EXCEPTION, .value = {vector}};

    return recorder_append_result(vp, TRACE_OP_EXCEPTION, vp->backend->vp_exception(vp->inner, vector), &record);
}

enum vmr_status recorder_switch_vtl(struct vmr_backend_vp *base, uint8_t vtl, const struct vmr_x86_regs *initial)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record;

    trace_record_of_switch(vtl, initial, &record);
    return recorder_append_result(vp, TRACE_OP_SWITCH_VTL, vp->backend->vp_switch_vtl(vp->inner, vtl, initial),
                                  &record);
}

enum vmr_status recorder_pass_fault(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_PASS_FAULT};

    return recorder_append_result(vp, TRACE_OP_PASS_FAULT, vp->backend->vp_pass_fault(vp->inner), &record);
}

/* --- the partition --- */

/* Under a lock of the interface's: as with regions, another thread must not wait for the baton here. */
enum vmr_status recorder_protect(struct vmr_backend_vm *base, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = vm->recorder;
    struct trace_record record = {.kind = TRACE_PROTECT, .value = {vtl, gpa, size, access}};
    enum vmr_status status = vm->backend->vm_protect(vm->inner, vtl, gpa, size, access);
    struct trace_record failure = {.kind = TRACE_STATUS, .value = {TRACE_OP_PROTECT, (uint64_t)status}};

    if (recorder_owns(recorder)) {
        recorder_append(recorder, &record);
        if (status)
            recorder_append(recorder, &failure);
    }
    return status;
}

static bool wait_inside(struct recorder_vm *vm, bool (*is_over)(void *context), void *context)
{
    if (vm->backend->vm_wait)
        return vm->backend->vm_wait(vm->inner, is_over, context);
    return sync_poll(&vm->recorder->host, is_over, context);
}

/*
 * Who is waited for needs the baton to move. The record stands where the wait was
 * over for the one that has the baton again, and so stays over: whatever comes
 * before it in the trace has come before in a replay as well.
 */
bool recorder_wait(struct vmr_backend_vm *base, bool (*is_over)(void *context), void *context)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = vm->recorder;
    struct trace_record record = {.kind = TRACE_WAIT};
    bool goes_on = true;

    if (!recorder_owns(recorder))
        return wait_inside(vm, is_over, context);
    uint32_t holder = recorder->holder, depth = recorder->async_depth;

    do {
        recorder_give(recorder);
        goes_on = wait_inside(vm, is_over, context);
        recorder_take(recorder, holder);
        recorder->async_depth = depth;
    } while (goes_on && !is_over(context));
    recorder_append(recorder, &record);
    return goes_on;
}
