/* SPDX-License-Identifier: MIT */
/*
 * What the Hyper-V guest interface asks of a backend, played: XMM registers come
 * from the trace, what is done to VPs and VTLs is checked, and a wait for other
 * VPs lets those move.
 */

#include "lib/trace/replay.h"

/* --- a VP --- */

enum vmr_status replay_get_xmm(struct vmr_backend_vp *base, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    struct replay_vp *vp = replay_vp_of(base);
    struct vmr_replay *replay = vp->replay;
    struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT] = {{0}};
    enum vmr_status status = VMR_OK;
    bool had;

    if (replay_enter(replay, vp, &had)) {
        status = replay_status_of(replay, TRACE_OP_GET_XMM);
        if (!status && replay_expect(replay, TRACE_XMM, "reads the XMM registers")) {
            if (replay->head.length == TRACE_XMM_BYTES)
                trace_get_xmm(replay->head.bytes, xmm);
            else
                replay_diverge(replay, "reads six XMM registers");
            if (!replay_is_over(replay))
                replay_advance(replay);
        }
    }
    replay_leave(replay, had);
    for (size_t i = 0; !status && i < VMR_HV_XMM_COUNT; i++)
        ret_xmm[i] = xmm[i];
    return status;
}

enum vmr_status replay_set_xmm(struct vmr_backend_vp *base, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    uint8_t bytes[TRACE_XMM_BYTES];
    struct trace_record record = {.kind = TRACE_SET_XMM, .bytes = bytes, .length = sizeof(bytes)};

    trace_put_xmm(xmm, bytes);
    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_SET_XMM);
}

enum vmr_status replay_flush(struct vmr_backend_vp *base)
{
    struct trace_record record = {.kind = TRACE_FLUSH};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_FLUSH);
}

enum vmr_status replay_exception(struct vmr_backend_vp *base, uint8_t vector)
{
    struct trace_record record = {.kind = TRACE_EXCEPTION, .value = {vector}};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_EXCEPTION);
}

enum vmr_status replay_switch_vtl(struct vmr_backend_vp *base, uint8_t vtl, const struct vmr_x86_regs *initial)
{
    struct trace_record record;

    trace_record_of_switch(vtl, initial, &record);
    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_SWITCH_VTL);
}

enum vmr_status replay_pass_fault(struct vmr_backend_vp *base)
{
    struct trace_record record = {.kind = TRACE_PASS_FAULT};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_PASS_FAULT);
}

/* --- the partition --- */

enum vmr_status replay_protect(struct vmr_backend_vm *base, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;
    struct trace_record record = {.kind = TRACE_PROTECT, .value = {vtl, gpa, size, access}};

    if (!replay_owns(replay) || !replay_check(replay, &record))
        return VMR_OK;
    return replay_status_of(replay, TRACE_OP_PROTECT);
}

bool replay_vm_wait(struct vmr_backend_vm *base, bool (*is_over)(void *context), void *context)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;

    return replay_owns(replay) ? replay_wait(replay, is_over, context) : sync_poll(&replay->host, is_over, context);
}
