/* SPDX-License-Identifier: MIT */
/*
 * The backend that plays a trace: exits and register values come from it,
 * answers and everything else the library does are checked against it. It runs
 * no guest, opens nothing and starts no thread: the mock with a recording as
 * its source, and so it is named. Once over, every step is VMR_EXIT_CANCEL and
 * every operation succeeds.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/trace/recorder.h"
#include "lib/trace/replay.h"

/* --- the hypervisor --- */

static enum vmr_status play_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set(err, VMR_E_USAGE, "replay: made by vmr_replay_attach, not opened by name");
}

static enum vmr_status play_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                 struct vmr_error *err)
{
    (void)err;
    *ret_caps = ((const struct vmr_replay *)handle->context)->caps;
    return VMR_OK;
}

static enum vmr_status play_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                                  size_t capacity, size_t *ret_count, struct vmr_error *err)
{
    const struct vmr_replay *replay = handle->context;
    size_t count = replay->cpuid_count < capacity ? replay->cpuid_count : capacity;

    (void)err;
    if (count > 0)
        memcpy(entries, replay->cpuid, count * sizeof(*entries));
    *ret_count = count;
    return VMR_OK;
}

/* --- the partition --- */

static enum vmr_status failed(const struct vmr_replay *replay, struct vmr_error *err)
{
    if (replay->result.status)
        return vmr_error_set(err, replay->result.status, "%s", replay->result.error.message);
    return vmr_error_set(err, VMR_E_CORRUPT, "trace: it ends before the machine is made");
}

static enum vmr_status play_vm_create(struct vmr_backend_vm *base, const struct vmr_hypervisor_handle *handle,
                                      const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct replay_vm *vm = replay_vm_of(base);
    struct vmr_replay *replay = handle->context;
    struct vmr_memory_observer observer;
    struct trace_record record;

    if (replay->vps)
        return vmr_error_set(err, VMR_E_STATE, "replay: it plays one partition, once");
    if (!recorder_describe_vm(config, &record))
        return vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
    if (!replay_check(replay, &record))
        return failed(replay, err);
    replay->vps = calloc(config->vp_count, sizeof(struct replay_vp *));
    if (!replay->vps)
        return vmr_error_set(err, VMR_E_NOMEM, "replay: out of memory");
    replay->vp_count = config->vp_count;
    vm->replay = replay;
    vm->memory = config->memory;
    replay_observer(handle, &observer);
    vmr_memory_set_observer(config->memory, &observer);
    return VMR_OK;
}

static void play_vm_destroy(struct vmr_backend_vm *base)
{
    struct replay_vm *vm = replay_vm_of(base);

    if (vm->memory)
        vmr_memory_set_observer(vm->memory, NULL);
    *vm = (struct replay_vm){0};
}

static enum vmr_status play_vp_create(struct vmr_backend_vm *base_vm, struct vmr_backend_vp *base, vmr_vp_index index,
                                      struct vmr_error *err)
{
    struct vmr_replay *replay = replay_vm_of(base_vm)->replay;
    struct replay_vp *vp = replay_vp_of(base);

    vp->index = index;
    vmr_x86_regs_reset(&vp->regs);
    vp->seat.vp = index;
    if (replay->host.ops->parker_create(replay->host.context, &vp->seat.parker))
        return vmr_error_set(err, VMR_E_NOMEM, "replay: VP %u: out of memory", index);
    vp->replay = replay;
    replay->vps[index] = vp;
    return VMR_OK;
}

static void play_vp_destroy(struct vmr_backend_vp *base)
{
    struct replay_vp *vp = replay_vp_of(base);

    if (!vp->replay)
        return;
    vp->replay->vps[vp->index] = NULL;
    vp->replay->host.ops->parker_destroy(vp->replay->host.context, vp->seat.parker);
    memset(vp, 0, sizeof(*vp));
}

static enum vmr_status play_vm_map(struct vmr_backend_vm *base, uint32_t slot, const struct vmr_memory_region *region,
                                   struct vmr_error *err)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;
    struct trace_record record = {.kind = TRACE_MAP, .value = {region->gpa, region->size, region->read_only}};

    (void)slot;
    if (!replay_owns(replay) && !replay_is_setting_up(replay))
        return VMR_OK;
    return replay_check(replay, &record) || replay->result.status != VMR_E_DIVERGED ? VMR_OK : failed(replay, err);
}

static void play_vm_unmap(struct vmr_backend_vm *base, uint32_t slot, const struct vmr_memory_region *region)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;
    struct trace_record record = {.kind = TRACE_UNMAP, .value = {region->gpa}};

    (void)slot;
    if (replay_owns(replay))
        (void)replay_check(replay, &record);
}

static void play_async_begin(struct vmr_backend_vm *base, const struct vmr_async *request)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;
    struct trace_record record;

    trace_record_of_async(request, &record);
    if (!replay_owns(replay)) {
        /* The embedder's thread makes it again by itself. */
        if (!replay_is_setting_up(replay) && !replay_is_standing(replay) && replay_take_async(replay, &record))
            replay_advance(replay);
        return;
    }
    /* A VP does this by itself, or it follows from the request that was made again. */
    if (replay->turn != TRACE_NO_VP || replay->async_depth++ > 0)
        return;
    if (!replay_is_over(replay) && trace_record_equal(&record, &replay->head))
        replay_advance(replay);
}

static void play_async_end(struct vmr_backend_vm *base)
{
    replay_end_async(replay_vm_of(base)->replay);
}

/* Of a thread without a turn it is the embedder's own. */
static void play_output(struct vmr_backend_vm *base, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct vmr_replay *replay = replay_vm_of(base)->replay;
    struct trace_record record;

    while (length > 0 && replay->checks_output && replay_owns(replay)) {
        trace_record_of_output(stream, bytes, length, &record);
        bytes += record.length;
        length -= record.length;
        if (!replay_check(replay, &record))
            return;
    }
}

/* --- a VP in a run --- */

static enum vmr_status play_vp_bind(struct vmr_backend_vp *base, struct vmr_error *err)
{
    struct replay_vp *vp = replay_vp_of(base);

    (void)err;
    sync_store_u32(&vp->replay->host, &vp->replay->setting_up, 0);
    return VMR_OK;
}

static void play_vp_unbind(struct vmr_backend_vp *base)
{
    (void)base;
}

static void play_vp_enter(struct vmr_backend_vp *base)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct vmr_replay *replay = vp->replay;

    if (!replay_take(replay, vp)) {
        replay_tell_end(replay);
        return;
    }
    vp->entered = true;
    /* Back from a leave that the trace does not know: goes on where it was. */
    if (vp->away && replay->head.kind != TRACE_ENTER) {
        vp->away = false;
        return;
    }
    vp->away = false;
    if (replay_expect(replay, TRACE_ENTER, "begins a run"))
        replay_advance(replay);
}

/* Whether the trace says that the VP left from outside here. */
static bool left_as_recorded(const struct vmr_replay *replay, enum vmr_leave why)
{
    return replay_next_is(replay, TRACE_LEAVE) && replay->head.value[0] == (uint64_t)why;
}

static void leave_turn(struct replay_vp *vp, enum vmr_leave why)
{
    struct vmr_replay *replay = vp->replay;
    struct trace_record halt = {.kind = TRACE_HALT};
    bool as_recorded = left_as_recorded(replay, why);

    vp->entered = false;
    vp->requested = false;
    if (why == VMR_LEAVE_HALT) {
        replay->halted = true;
        (void)replay_check(replay, &halt);
    } else if (as_recorded) {
        replay_advance(replay);
    } else if (why == VMR_LEAVE_STEP) {
        replay_diverge(replay, "ends a single step");
    } else {
        vp->away = true; /* the embedder's own doing: it may stop its VPs whenever it likes */
    }
    replay_end_run(replay);
}

static void play_vp_leave(struct vmr_backend_vp *base, enum vmr_leave why)
{
    struct replay_vp *vp = replay_vp_of(base);

    if (replay_owns(vp->replay)) {
        leave_turn(vp, why);
        return;
    }
    replay_left(vp->replay, vp);
}

static void check_answer(struct replay_vp *vp, const struct vmr_exit *vp_exit)
{
    struct trace_record record;

    if (vp->answer_due && trace_record_of_answer(vp_exit, &record))
        (void)replay_check(vp->replay, &record);
    vp->answer_due = false;
}

/* The exit at the head becomes the library's; string data moves to storage of the VP's own. */
static void give_exit(struct replay_vp *vp, struct vmr_exit *vp_exit)
{
    const struct vmr_exit *recorded = vp->replay->head.vp_exit;

    *vp_exit = *recorded;
    vp->last = *recorded;
    if (recorded->kind == VMR_EXIT_IO && recorded->u.io.string) {
        memcpy(vp->string, recorded->u.io.bytes, (size_t)recorded->u.io.count * recorded->u.io.size);
        memcpy(vp->last_string, vp->string, (size_t)recorded->u.io.count * recorded->u.io.size);
        vp_exit->u.io.bytes = vp->string;
        vp->last.u.io.bytes = vp->last_string;
    }
    vp->answer_due = vmr_exit_is_pending(recorded);
}

static void cancel(struct vmr_exit *vp_exit)
{
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
}

static void play_vp_run(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct vmr_replay *replay = vp->replay;
    bool had = replay_owns(replay);

    if (had || vp->answer_due) {
        bool inside;

        if (replay_enter(replay, vp, &inside))
            check_answer(vp, vp_exit);
        if (replay_owns(replay))
            replay_give(replay);
    }
    if (!replay_take(replay, vp)) {
        cancel(vp_exit);
        replay_tell_end(replay);
        return;
    }
    if (replay_expect(replay, TRACE_EXIT, "runs the guest")) {
        give_exit(vp, vp_exit);
        replay->exits++;
        replay_advance(replay);
    } else {
        cancel(vp_exit);
    }
    replay_leave(replay, had);
}

static void play_vp_complete(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct replay_vp *vp = replay_vp_of(base);
    bool had;

    if (replay_enter(vp->replay, vp, &had)) {
        check_answer(vp, vp_exit);
        if (replay_expect(vp->replay, TRACE_COMPLETE, "completes the exit")) {
            give_exit(vp, vp_exit);
            replay_advance(vp->replay);
            replay_leave(vp->replay, had);
            return;
        }
    }
    replay_leave(vp->replay, had);
    *vp_exit = (struct vmr_exit){0};
}

static void play_vp_kick(struct vmr_backend_vp *base)
{
    (void)base; /* what a kick does is in the trace: it is the next exit */
}

/* --- state --- */

enum vmr_status replay_check_op(struct replay_vp *vp, struct trace_record *record, enum trace_op op)
{
    bool had;
    enum vmr_status status = VMR_OK;

    if (replay_enter(vp->replay, vp, &had) && replay_check(vp->replay, record))
        status = replay_status_of(vp->replay, op);
    replay_leave(vp->replay, had);
    return status;
}

static enum vmr_status play_get_regs(struct vmr_backend_vp *base, struct vmr_x86_regs *ret_regs)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct vmr_replay *replay = vp->replay;
    bool had;
    enum vmr_status status = VMR_OK;

    if (replay_enter(replay, vp, &had)) {
        status = replay_status_of(replay, TRACE_OP_GET_REGS);
        if (!status && replay_expect(replay, TRACE_REGS, "reads the registers")) {
            vp->regs = *replay->head.regs;
            replay_advance(replay);
        }
    }
    replay_leave(replay, had);
    if (!status)
        *ret_regs = vp->regs;
    return status;
}

static enum vmr_status play_set_regs(struct vmr_backend_vp *base, const struct vmr_x86_regs *regs)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct trace_record record = {.kind = TRACE_SET_REGS, .regs = regs};
    enum vmr_status status = replay_check_op(vp, &record, TRACE_OP_SET_REGS);

    if (!status)
        vp->regs = *regs;
    return status;
}

static enum vmr_status play_get_msr(struct vmr_backend_vp *base, uint32_t index, uint64_t *ret_value)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct vmr_replay *replay = vp->replay;
    bool had;
    enum vmr_status status = VMR_OK;
    uint64_t value = 0;

    if (replay_enter(replay, vp, &had)) {
        status = replay_status_of(replay, TRACE_OP_GET_MSR);
        if (!status && replay_expect(replay, TRACE_MSR, "reads an MSR")) {
            if (!replay->inputs_only && replay->head.value[0] != index)
                replay_diverge(replay, "reads another MSR");
            value = replay->head.value[1];
            if (!replay_is_over(replay))
                replay_advance(replay);
        }
    }
    replay_leave(replay, had);
    if (!status)
        *ret_value = value;
    return status;
}

static enum vmr_status play_set_msr(struct vmr_backend_vp *base, uint32_t index, uint64_t value)
{
    struct trace_record record = {.kind = TRACE_SET_MSR, .value = {index, value}};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_SET_MSR);
}

static enum vmr_status play_set_debug(struct vmr_backend_vp *base, const struct vmr_debug_state *state)
{
    uint8_t bytes[RECORDER_DEBUG_BYTES];
    struct trace_record record = {.kind = TRACE_SET_DEBUG, .bytes = bytes, .length = sizeof(bytes)};

    recorder_put_debug(state, bytes);
    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_SET_DEBUG);
}

static enum vmr_status play_interrupt(struct vmr_backend_vp *base, uint8_t vector)
{
    struct trace_record record = {.kind = TRACE_INTERRUPT, .value = {vector}};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_INTERRUPT);
}

static enum vmr_status play_nmi(struct vmr_backend_vp *base)
{
    struct trace_record record = {.kind = TRACE_NMI};

    return replay_check_op(replay_vp_of(base), &record, TRACE_OP_NMI);
}

static void play_request_window(struct vmr_backend_vp *base, bool wanted)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct trace_record record = {.kind = TRACE_WINDOW, .value = {wanted}};

    if (vp->window_known && vp->window == wanted)
        return;
    vp->window_known = true;
    vp->window = wanted;
    (void)replay_check_op(vp, &record, TRACE_OP_COUNT);
}

static void play_set_tpr(struct vmr_backend_vp *base, uint8_t tpr)
{
    struct replay_vp *vp = replay_vp_of(base);
    struct trace_record record = {.kind = TRACE_TPR, .value = {tpr}};

    if (vp->tpr_known && vp->tpr == tpr)
        return;
    vp->tpr_known = true;
    vp->tpr = tpr;
    (void)replay_check_op(vp, &record, TRACE_OP_COUNT);
}

const struct vmr_backend replay_backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_EXPLICIT_ONLY | VMR_BACKEND_REPLAYS,
    .name = "mock",
    .description = "the mock, playing a recording",
    .vm_size = sizeof(struct replay_vm),
    .vp_size = sizeof(struct replay_vp),
    .open = play_open,
    .caps = play_caps,
    .cpuid = play_cpuid,
    .vm_create = play_vm_create,
    .vm_destroy = play_vm_destroy,
    .vp_create = play_vp_create,
    .vp_destroy = play_vp_destroy,
    .vm_map = play_vm_map,
    .vm_unmap = play_vm_unmap,
    .vm_protect = replay_protect,
    .vp_bind = play_vp_bind,
    .vp_unbind = play_vp_unbind,
    .vp_enter = play_vp_enter,
    .vp_leave = play_vp_leave,
    .vp_run = play_vp_run,
    .vp_complete = play_vp_complete,
    .vp_kick = play_vp_kick,
    .vp_get_regs = play_get_regs,
    .vp_set_regs = play_set_regs,
    .vp_get_msr = play_get_msr,
    .vp_set_msr = play_set_msr,
    .vp_get_xmm = replay_get_xmm,
    .vp_set_xmm = replay_set_xmm,
    .vp_flush = replay_flush,
    .vp_exception = replay_exception,
    .vp_switch_vtl = replay_switch_vtl,
    .vp_pass_fault = replay_pass_fault,
    .vp_set_debug = play_set_debug,
    .vp_interrupt = play_interrupt,
    .vp_nmi = play_nmi,
    .vp_request_window = play_request_window,
    .vp_set_tpr = play_set_tpr,
    .vm_async_begin = play_async_begin,
    .vm_async_end = play_async_end,
    .vm_wait = replay_vm_wait,
    .vm_output = play_output,
    .state = &replay_state,
};
