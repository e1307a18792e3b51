/* SPDX-License-Identifier: MIT */
/*
 * The backend that the library gets while it is recorded: calls the one
 * underneath and appends what crossed. Entering the guest gives up the baton;
 * finishing an exit without the guest keeps it.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/trace/recorder.h"
#include "lib/trace/replay.h"

static struct vmr_recorder *recorder_of(const struct vmr_hypervisor_handle *handle)
{
    return handle->context;
}

/* --- the hypervisor --- */

static enum vmr_status rec_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set(err, VMR_E_USAGE, "recorder: made by vmr_recorder_wrap, not opened by name");
}

static enum vmr_status rec_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                struct vmr_error *err)
{
    (void)err;
    *ret_caps = recorder_of(handle)->caps;
    return VMR_OK;
}

static enum vmr_status rec_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                                 size_t capacity, size_t *ret_count, struct vmr_error *err)
{
    const struct vmr_recorder *recorder = recorder_of(handle);
    size_t count = recorder->cpuid_count < capacity ? recorder->cpuid_count : capacity;

    (void)err;
    if (count > 0)
        memcpy(entries, recorder->cpuid, count * sizeof(*entries));
    *ret_count = count;
    return VMR_OK;
}

static uint64_t rec_tsc_hz(const struct vmr_hypervisor_handle *handle)
{
    return vmr_handle_tsc_hz(&recorder_of(handle)->inner);
}

/* --- the partition --- */

bool recorder_describe_vm(const struct vmr_vm_config *config, struct trace_record *ret_record)
{
    struct writer bytes;
    struct trace_record record = {.kind = TRACE_VM, .vp = TRACE_NO_VP};

    writer_init(&bytes, VMR_TRACE_BLOCK_BYTES_MAX);
    record.value[0] = config->vp_count;
    record.value[1] = (uint64_t)config->irqchip;
    bool fits = recorder_put_cpuid(&bytes, config->cpuid, config->cpuid_count);

    record.value[2] = trace_hash(bytes.bytes ? bytes.bytes : (const uint8_t *)"", bytes.length);
    writer_clear(&bytes);
    for (size_t i = 0; i < config->msr_exit_count; i++) {
        writer_le32(&bytes, config->msr_exits[i].first);
        writer_le32(&bytes, config->msr_exits[i].count);
    }
    record.value[3] = trace_hash(bytes.bytes ? bytes.bytes : (const uint8_t *)"", bytes.length);
    fits = fits && writer_ok(&bytes);
    writer_finish(&bytes);
    if (fits)
        *ret_record = record;
    return fits;
}

static enum vmr_status rec_vm_create(struct vmr_backend_vm *base, const struct vmr_hypervisor_handle *handle,
                                     const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = recorder_of(handle);
    struct vmr_vm_config inner_config = *config;
    struct trace_record record;

    if (recorder->vm)
        return vmr_error_set(err, VMR_E_STATE, "recorder: it records one partition, and has one");
    inner_config.host = &recorder->host;
    vm->backend = recorder->inner.backend;
    vm->inner = calloc(1, vm->backend->vm_size ? vm->backend->vm_size : 1);
    if (!vm->inner || !recorder_describe_vm(config, &record))
        return vmr_error_set(err, VMR_E_NOMEM, "recorder: out of memory");
    vm->recorder = recorder;
    vm->created = true;
    bool had = recorder_enter(recorder, TRACE_NO_VP);

    recorder_append(recorder, &record);
    recorder_leave(recorder, had);
    enum vmr_status status = vm->backend->vm_create(vm->inner, &recorder->inner, &inner_config, err);

    if (status)
        return status;
    vm->memory = config->memory;
    recorder->vm = vm;
    replay_observer(&recorder->inner, &recorder->chained);
    recorder_observe(recorder, config->memory);
    return VMR_OK;
}

static void rec_vm_destroy(struct vmr_backend_vm *base)
{
    struct recorder_vm *vm = recorder_vm_of(base);

    if (vm->memory)
        vmr_memory_set_observer(vm->memory, NULL);
    if (vm->created)
        vm->backend->vm_destroy(vm->inner);
    if (vm->recorder && vm->recorder->vm == vm)
        vm->recorder->vm = NULL;
    free(vm->inner);
    memset(vm, 0, sizeof(*vm));
}

void *recorder_vm_native(struct recorder_vm *vm)
{
    return vm->backend->vm_native ? vm->backend->vm_native(vm->inner) : NULL;
}

static enum vmr_status rec_vp_create(struct vmr_backend_vm *base_vm, struct vmr_backend_vp *base, vmr_vp_index index,
                                     struct vmr_error *err)
{
    struct recorder_vm *vm = recorder_vm_of(base_vm);
    struct recorder_vp *vp = recorder_vp_of(base);

    vp->recorder = vm->recorder;
    vp->backend = vm->backend;
    vp->index = index;
    vp->inner = calloc(1, vm->backend->vp_size ? vm->backend->vp_size : 1);
    if (!vp->inner)
        return vmr_error_set(err, VMR_E_NOMEM, "recorder: out of memory");
    vp->created = true;
    return vm->backend->vp_create(vm->inner, vp->inner, index, err);
}

static void rec_vp_destroy(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    if (vp->created)
        vp->backend->vp_destroy(vp->inner);
    free(vp->inner);
    memset(vp, 0, sizeof(*vp));
}

/*
 * Called under the lock of guest memory, which a holder of the baton may want:
 * another thread must not wait for the baton here. Before the first bind there
 * is one thread, which needs none.
 */
static enum vmr_status rec_vm_map(struct vmr_backend_vm *base, uint32_t slot, const struct vmr_memory_region *region,
                                  struct vmr_error *err)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = vm->recorder;
    struct trace_record record = {.kind = TRACE_MAP, .value = {region->gpa, region->size, region->read_only}};
    bool owns = recorder_owns(recorder);

    if (!owns && recorder_is_setting_up(recorder))
        recorder->holder = TRACE_NO_VP;
    if (owns || recorder_is_setting_up(recorder))
        recorder_append(recorder, &record);
    return vm->backend->vm_map(vm->inner, slot, region, err);
}

static void rec_vm_unmap(struct vmr_backend_vm *base, uint32_t slot, const struct vmr_memory_region *region)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct trace_record record = {.kind = TRACE_UNMAP, .value = {region->gpa}};

    if (recorder_owns(vm->recorder))
        recorder_append(vm->recorder, &record);
    vm->backend->vm_unmap(vm->inner, slot, region);
}

/* A thread that holds the baton does this by itself; for any other it is an input, in its place in the order. */
static void rec_async_begin(struct vmr_backend_vm *base, const struct vmr_async *request)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = vm->recorder;
    struct trace_record record;
    bool owns = recorder_owns(recorder);

    if (vm->backend->vm_async_begin)
        vm->backend->vm_async_begin(vm->inner, request);
    if (owns && recorder->holder == TRACE_NO_VP)
        recorder->async_depth++;
    if (owns || recorder_is_setting_up(recorder))
        return;
    recorder_take(recorder, TRACE_NO_VP);
    recorder->async_depth = 1;
    trace_record_of_async(request, &record);
    recorder_append(recorder, &record);
}

static void rec_async_end(struct vmr_backend_vm *base)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct vmr_recorder *recorder = vm->recorder;

    if (recorder_owns(recorder) && recorder->holder == TRACE_NO_VP && --recorder->async_depth == 0)
        recorder_give(recorder);
    if (vm->backend->vm_async_end)
        vm->backend->vm_async_end(vm->inner);
}

/* Of a thread without the baton it is the embedder's own. */
static void rec_output(struct vmr_backend_vm *base, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct recorder_vm *vm = recorder_vm_of(base);
    struct trace_record record;

    if (vm->backend->vm_output)
        vm->backend->vm_output(vm->inner, stream, bytes, length);
    while (length > 0 && recorder_owns(vm->recorder)) {
        trace_record_of_output(stream, bytes, length, &record);
        bytes += record.length;
        length -= record.length;
        recorder_append(vm->recorder, &record);
    }
}

static void rec_set_seam_hook(struct vmr_backend_vm *base,
                              void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context)
{
    struct recorder_vm *vm = recorder_vm_of(base);

    if (vm->backend->vm_set_seam_hook)
        vm->backend->vm_set_seam_hook(vm->inner, hook, context);
}

/* --- a VP in a run --- */

static enum vmr_status rec_vp_bind(struct vmr_backend_vp *base, struct vmr_error *err)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    sync_store_u32(&vp->recorder->host, &vp->recorder->setting_up, 0);
    return vp->backend->vp_bind(vp->inner, err);
}

static void rec_vp_unbind(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    vp->backend->vp_unbind(vp->inner);
}

static void append_plain(struct recorder_vp *vp, enum trace_kind kind)
{
    struct trace_record record = {.kind = (uint8_t)kind};

    recorder_append(vp->recorder, &record);
}

static void rec_vp_enter(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    /* The inner one first: a replay waits in it for the VP's turn, which may need the baton. */
    if (vp->backend->vp_enter)
        vp->backend->vp_enter(vp->inner);
    recorder_take(vp->recorder, vp->index);
    append_plain(vp, TRACE_ENTER);
}

static void rec_vp_leave(struct vmr_backend_vp *base, enum vmr_leave why)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_LEAVE, .value = {(uint64_t)why}};

    if (why == VMR_LEAVE_HALT)
        append_plain(vp, TRACE_HALT);
    else
        recorder_append(vp->recorder, &record);
    recorder_give(vp->recorder);
    if (vp->backend->vp_leave)
        vp->backend->vp_leave(vp->inner, why);
}

static void append_answer(struct recorder_vp *vp, const struct vmr_exit *vp_exit)
{
    struct trace_record record;

    if (vp->answer_due && trace_record_of_answer(vp_exit, &record))
        recorder_append(vp->recorder, &record);
    vp->answer_due = false;
}

static void append_exit(struct recorder_vp *vp, enum trace_kind kind, const struct vmr_exit *vp_exit)
{
    struct trace_record record = {.kind = (uint8_t)kind, .vp_exit = vp_exit};

    vp->answer_due = vmr_exit_is_pending(vp_exit);
    recorder_append(vp->recorder, &record);
}

static void rec_vp_run(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    bool had = recorder_enter(vp->recorder, vp->index);

    append_answer(vp, vp_exit);
    recorder_give(vp->recorder);
    vp->backend->vp_run(vp->inner, vp_exit);
    recorder_take(vp->recorder, vp->index);
    append_exit(vp, TRACE_EXIT, vp_exit);
    recorder_leave(vp->recorder, had);
}

static void rec_vp_complete(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    bool had = recorder_enter(vp->recorder, vp->index);

    append_answer(vp, vp_exit);
    if (vp->backend->vp_complete)
        vp->backend->vp_complete(vp->inner, vp_exit);
    else
        memset(vp_exit, 0, sizeof(*vp_exit));
    append_exit(vp, TRACE_COMPLETE, vp_exit);
    recorder_leave(vp->recorder, had);
}

static void rec_vp_kick(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);

    vp->backend->vp_kick(vp->inner);
}

/* --- state --- */

enum vmr_status recorder_append_result(struct recorder_vp *vp, enum trace_op op, enum vmr_status status,
                                       struct trace_record *record)
{
    struct trace_record failure = {.kind = TRACE_STATUS, .value = {(uint64_t)op, (uint64_t)status}};
    bool had = recorder_enter(vp->recorder, vp->index);

    if (record)
        recorder_append(vp->recorder, record);
    if (status)
        recorder_append(vp->recorder, &failure);
    recorder_leave(vp->recorder, had);
    return status;
}

static enum vmr_status rec_get_regs(struct vmr_backend_vp *base, struct vmr_x86_regs *ret_regs)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    enum vmr_status status = vp->backend->vp_get_regs(vp->inner, ret_regs);
    struct trace_record record = {.kind = TRACE_REGS, .regs = ret_regs};

    return recorder_append_result(vp, TRACE_OP_GET_REGS, status, status ? NULL : &record);
}

static enum vmr_status rec_set_regs(struct vmr_backend_vp *base, const struct vmr_x86_regs *regs)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_SET_REGS, .regs = regs};

    return recorder_append_result(vp, TRACE_OP_SET_REGS, vp->backend->vp_set_regs(vp->inner, regs), &record);
}

static enum vmr_status rec_get_msr(struct vmr_backend_vp *base, uint32_t index, uint64_t *ret_value)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    uint64_t value = 0;
    enum vmr_status status = vp->backend->vp_get_msr(vp->inner, index, &value);
    struct trace_record record = {.kind = TRACE_MSR, .value = {index, value}};

    if (!status)
        *ret_value = value;
    return recorder_append_result(vp, TRACE_OP_GET_MSR, status, status ? NULL : &record);
}

static enum vmr_status rec_set_msr(struct vmr_backend_vp *base, uint32_t index, uint64_t value)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_SET_MSR, .value = {index, value}};

    return recorder_append_result(vp, TRACE_OP_SET_MSR, vp->backend->vp_set_msr(vp->inner, index, value), &record);
}

void recorder_put_debug(const struct vmr_debug_state *state, uint8_t *ret_bytes)
{
    ret_bytes[0] = state->single_step;
    for (size_t i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        const struct vmr_breakpoint *breakpoint = &state->breakpoints[i];
        uint8_t *place = ret_bytes + 1 + 11 * i;

        place[0] = breakpoint->enabled;
        place[1] = breakpoint->kind;
        place[2] = breakpoint->length;
        store_le64(place + 3, breakpoint->address);
    }
}

static enum vmr_status rec_set_debug(struct vmr_backend_vp *base, const struct vmr_debug_state *state)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    uint8_t bytes[RECORDER_DEBUG_BYTES];
    struct trace_record record = {.kind = TRACE_SET_DEBUG, .bytes = bytes, .length = sizeof(bytes)};

    recorder_put_debug(state, bytes);
    return recorder_append_result(vp, TRACE_OP_SET_DEBUG, vp->backend->vp_set_debug(vp->inner, state), &record);
}

static enum vmr_status rec_interrupt(struct vmr_backend_vp *base, uint8_t vector)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_INTERRUPT, .value = {vector}};

    return recorder_append_result(vp, TRACE_OP_INTERRUPT, vp->backend->vp_interrupt(vp->inner, vector), &record);
}

static enum vmr_status rec_nmi(struct vmr_backend_vp *base)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_NMI};

    return recorder_append_result(vp, TRACE_OP_NMI, vp->backend->vp_nmi(vp->inner), &record);
}

static void rec_request_window(struct vmr_backend_vp *base, bool wanted)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_WINDOW, .value = {wanted}};

    vp->backend->vp_request_window(vp->inner, wanted);
    if (vp->window_known && vp->window == wanted)
        return;
    vp->window_known = true;
    vp->window = wanted;
    (void)recorder_append_result(vp, TRACE_OP_COUNT, VMR_OK, &record);
}

static void rec_set_tpr(struct vmr_backend_vp *base, uint8_t tpr)
{
    struct recorder_vp *vp = recorder_vp_of(base);
    struct trace_record record = {.kind = TRACE_TPR, .value = {tpr}};

    vp->backend->vp_set_tpr(vp->inner, tpr);
    if (vp->tpr_known && vp->tpr == tpr)
        return;
    vp->tpr_known = true;
    vp->tpr = tpr;
    (void)recorder_append_result(vp, TRACE_OP_COUNT, VMR_OK, &record);
}

const struct vmr_backend recorder_backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_EXPLICIT_ONLY | VMR_BACKEND_RECORDS,
    .name = "recorder",
    .description = "records what crosses another backend",
    .vm_size = sizeof(struct recorder_vm),
    .vp_size = sizeof(struct recorder_vp),
    .open = rec_open,
    .caps = rec_caps,
    .cpuid = rec_cpuid,
    .tsc_hz = rec_tsc_hz,
    .vm_create = rec_vm_create,
    .vm_destroy = rec_vm_destroy,
    .vp_create = rec_vp_create,
    .vp_destroy = rec_vp_destroy,
    .vm_map = rec_vm_map,
    .vm_unmap = rec_vm_unmap,
    .vm_protect = recorder_protect,
    .vp_bind = rec_vp_bind,
    .vp_unbind = rec_vp_unbind,
    .vp_enter = rec_vp_enter,
    .vp_leave = rec_vp_leave,
    .vp_run = rec_vp_run,
    .vp_complete = rec_vp_complete,
    .vp_kick = rec_vp_kick,
    .vp_get_regs = rec_get_regs,
    .vp_set_regs = rec_set_regs,
    .vp_get_msr = rec_get_msr,
    .vp_set_msr = rec_set_msr,
    .vp_get_xmm = recorder_get_xmm,
    .vp_set_xmm = recorder_set_xmm,
    .vp_flush = recorder_flush,
    .vp_exception = recorder_exception,
    .vp_switch_vtl = recorder_switch_vtl,
    .vp_pass_fault = recorder_pass_fault,
    .vp_set_debug = rec_set_debug,
    .vp_interrupt = rec_interrupt,
    .vp_nmi = rec_nmi,
    .vp_request_window = rec_request_window,
    .vp_set_tpr = rec_set_tpr,
    .vm_async_begin = rec_async_begin,
    .vm_async_end = rec_async_end,
    .vm_wait = recorder_wait,
    .vm_output = rec_output,
    .vm_set_seam_hook = rec_set_seam_hook,
    .state = &recorder_state,
};
