/* SPDX-License-Identifier: MIT */
/*
 * The recorder as an object: made, wrapped around a hypervisor and a host,
 * finished. Also the baton. What is recorded, and when, is in
 * recorder_backend.c and recorder_host.c.
 */

#include "lib/trace/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "lib/trace/replay.h"

#define TIME_STEP_DEFAULT_NS 1000u

/* --- the baton --- */

void recorder_take(struct vmr_recorder *recorder, uint32_t vp)
{
    sync_mutex_lock(&recorder->baton);
    atomic_store_explicit(&recorder->owner, sync_self(&recorder->host), memory_order_relaxed);
    recorder->holder = vp;
}

void recorder_give(struct vmr_recorder *recorder)
{
    atomic_store_explicit(&recorder->owner, 0, memory_order_relaxed);
    sync_mutex_unlock(&recorder->baton);
}

bool recorder_owns(const struct vmr_recorder *recorder)
{
    /* Only this thread can have stored its own name, so the answer cannot change under it: no scheduling point. */
    return atomic_load_explicit(&recorder->owner, memory_order_relaxed) == sync_self(&recorder->host);
}

bool recorder_enter(struct vmr_recorder *recorder, uint32_t vp)
{
    if (recorder_owns(recorder))
        return true;
    recorder_take(recorder, vp);
    return false;
}

void recorder_leave(struct vmr_recorder *recorder, bool had)
{
    if (!had)
        recorder_give(recorder);
}

bool recorder_is_setting_up(const struct vmr_recorder *recorder)
{
    return sync_load_u32(&recorder->host, &recorder->setting_up) != 0;
}

void recorder_append(struct vmr_recorder *recorder, struct trace_record *record)
{
    /* A replay that is over goes on with cancels, which were never recorded. [TRC-3] */
    if (recorder->finished || recorder->appended >= replay_records_max(&recorder->inner))
        return;
    recorder->appended++;
    record->vp = recorder->holder;
    enum vmr_status status = trace_writer_append(recorder->writer, record);

    if (status && atomic_load(&recorder->status) == VMR_OK)
        atomic_store(&recorder->status, status);
}

/* --- making --- */

enum vmr_status vmr_recorder_create(const struct vmr_recorder_options *options, struct vmr_recorder **ret_recorder,
                                    struct vmr_error *err)
{
    struct writer tables;
    struct vmr_recorder *recorder = calloc(1, sizeof(*recorder));

    if (!recorder)
        return vmr_error_set(err, VMR_E_NOMEM, "recorder: out of memory");
    recorder->time_step_ns = options->time_step_ns ? options->time_step_ns : TIME_STEP_DEFAULT_NS;
    recorder->cpuid = calloc(VMR_CPUID_LEAF_MAX, sizeof(*recorder->cpuid));
    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    enum vmr_status status = recorder->cpuid ? trace_tables_build(&tables, options->meta, options->meta_count, err)
                                             : vmr_error_set(err, VMR_E_NOMEM, "recorder: out of memory");

    if (!status) {
        struct trace_writer_options writer_options = {
            .sink = options->sink,
            .codec = options->codec,
            .minor = TRACE_MINOR,
            .tables = tables.bytes,
            .tables_length = tables.length,
        };

        status = trace_writer_create(&writer_options, &recorder->writer, err);
    }
    writer_finish(&tables);
    if (status) {
        vmr_recorder_destroy(recorder);
        return status;
    }
    *ret_recorder = recorder;
    return VMR_OK;
}

void vmr_recorder_destroy(struct vmr_recorder *recorder)
{
    if (!recorder)
        return;
    sync_mutex_finish(&recorder->baton);
    trace_writer_destroy(recorder->writer);
    free(recorder->cpuid);
    free(recorder);
}

/* --- wrapping --- */

static enum vmr_status refuse(const struct vmr_hypervisor_handle *handle, const struct vmr_caps *caps,
                              struct vmr_error *err)
{
    static const char *const places[VMR_IRQCHIP_COUNT] = {"user", "split", "kernel"};

    if (vmr_caps_have(caps, VMR_CAP_MANAGED))
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "recording on '%s': it runs its VPs itself (capability %s), on threads that cannot be "
                             "ordered",
                             handle->backend->name, vmr_cap_name(VMR_CAP_MANAGED));
    if (handle->irqchip != VMR_IRQCHIP_USER)
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "recording on '%s': interrupt controllers in the hypervisor (irqchip=%s) cannot be "
                             "observed; use irqchip=user",
                             handle->backend->name, places[handle->irqchip]);
    if (!vmr_caps_have(caps, VMR_CAP_RECORDABLE))
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "recording on '%s': the backend does not promise that all inputs can be seen "
                             "(capability %s)",
                             handle->backend->name, vmr_cap_name(VMR_CAP_RECORDABLE));
    return VMR_OK;
}

/* What the recorder could not observe, the partition does not offer. [TRC-5] */
uint64_t recorder_observable(uint64_t bits)
{
    static const enum vmr_cap hidden[] = {VMR_CAP_IRQCHIP_SPLIT, VMR_CAP_IRQCHIP_KERNEL, VMR_CAP_MSI,    VMR_CAP_IRQFD,
                                          VMR_CAP_DOORBELL,      VMR_CAP_DIRTY_LOG,      VMR_CAP_MANAGED};

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        bits &= ~(UINT64_C(1) << hidden[i]);
    return bits;
}

bool recorder_put_cpuid(struct writer *writer, const struct vmr_cpuid_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct vmr_cpuid_entry *entry = &entries[i];
        const uint32_t words[] = {entry->leaf, entry->subleaf, entry->match_subleaf, entry->eax, entry->ebx,
                                  entry->ecx,  entry->edx};

        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            writer_le32(writer, words[j]);
    }
    return writer_ok(writer);
}

static enum vmr_status record_hypervisor(struct vmr_recorder *recorder, const char *name, struct vmr_error *err)
{
    struct writer cpuid;
    struct trace_record record = {
        .kind = TRACE_HYPERVISOR,
        .value = {recorder->caps.bits, recorder->caps.vp_count_max, recorder->caps.physical_bits},
        .bytes = (const uint8_t *)name,
        .length = strlen(name),
    };

    if (recorder->caps.vp_count_max > VMR_VP_COUNT_MAX)
        record.value[1] = VMR_VP_COUNT_MAX;
    if (record.length > TRACE_NAME_MAX)
        record.length = TRACE_NAME_MAX;
    recorder_take(recorder, TRACE_NO_VP);
    recorder_append(recorder, &record);
    writer_init(&cpuid, VMR_TRACE_BLOCK_BYTES_MAX);
    bool fits = recorder_put_cpuid(&cpuid, recorder->cpuid, recorder->cpuid_count);

    record = (struct trace_record){.kind = TRACE_CPUID_DEFAULT, .bytes = cpuid.bytes, .length = cpuid.length};
    if (fits)
        recorder_append(recorder, &record);
    recorder_give(recorder);
    writer_finish(&cpuid);
    enum vmr_status status = fits ? vmr_recorder_status(recorder) : VMR_E_NOMEM;

    return status ? vmr_error_set(err, status, "recorder: the first records could not be written") : VMR_OK;
}

static enum vmr_status ask_inner(struct vmr_recorder *recorder, struct vmr_error *err)
{
    const struct vmr_hypervisor_handle *inner = &recorder->inner;
    enum vmr_status status = inner->backend->caps(inner, &recorder->caps, err);

    if (!status)
        status = refuse(inner, &recorder->caps, err);
    if (!status && inner->backend->cpuid)
        status = inner->backend->cpuid(inner, recorder->cpuid, VMR_CPUID_LEAF_MAX, &recorder->cpuid_count, err);
    recorder->caps.bits = recorder_observable(recorder->caps.bits);
    return status;
}

enum vmr_status vmr_recorder_wrap(struct vmr_recorder *recorder, const struct vmr_hypervisor_handle *handle,
                                  const struct vmr_host *host, struct vmr_hypervisor_handle *ret_handle,
                                  struct vmr_host *ret_host, struct vmr_error *err)
{
    if (recorder->wrapped)
        return vmr_error_set(err, VMR_E_STATE, "recorder: it wraps '%s' already", recorder->inner.backend->name);
    recorder->inner = *handle;
    /* What the hypervisor would do by itself, it must not: it could not be observed. */
    recorder->inner.own_hyperv = false;
    recorder->host = *host;
    enum vmr_status status = ask_inner(recorder, err);

    if (!status && sync_mutex_init(&recorder->baton, &recorder->host))
        status = vmr_error_set(err, VMR_E_NOMEM, "recorder: out of memory");
    if (!status) {
        recorder->wrapped = true;
        atomic_store(&recorder->setting_up, 1);
        status = record_hypervisor(recorder, replay_backend_name(handle), err);
    }
    if (status)
        return status;
    recorder->table = recorder_backend;
    recorder->table.name = handle->backend->name;
    recorder->table.flags = handle->backend->flags | VMR_BACKEND_RECORDS;
    recorder_host_init(recorder, (handle->backend->flags & VMR_BACKEND_REPLAYS) == 0, ret_host);
    *ret_handle = (struct vmr_hypervisor_handle){
        .backend = &recorder->table,
        .fd = -1,
        .irqchip = handle->irqchip,
        .context = recorder,
    };
    return VMR_OK;
}

void *vmr_recorder_native(struct vmr_recorder *recorder, const struct vmr_backend *backend)
{
    if (!recorder->vm || !vmr_backend_is(recorder->inner.backend, backend))
        return NULL;
    return recorder_vm_native(recorder->vm);
}

/* --- ending --- */

enum vmr_status vmr_recorder_status(struct vmr_recorder *recorder)
{
    return (enum vmr_status)atomic_load(&recorder->status);
}

enum vmr_status vmr_recorder_position(struct vmr_recorder *recorder, struct vmr_trace_position *ret_position,
                                      struct vmr_error *err)
{
    enum vmr_status status = vmr_recorder_status(recorder);

    if (status || recorder->finished)
        return vmr_error_set(err, VMR_E_STATE, "recorder: it is at no place: the trace %s",
                             status ? "could not be written" : "is finished");
    trace_writer_position(recorder->writer, ret_position);
    return VMR_OK;
}

enum vmr_status vmr_recorder_finish(struct vmr_recorder *recorder, struct vmr_error *err)
{
    if (recorder->finished)
        return vmr_error_set(err, VMR_E_STATE, "recorder: the trace is finished already");
    recorder->finished = true;
    return trace_writer_finish(recorder->writer, true, err);
}
