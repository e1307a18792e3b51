/* SPDX-License-Identifier: MIT */
/*
 * Guest memory as the recorder sees it: each byte that the library reads is an
 * input, because the guest may have written it without an exit; what it writes
 * is a reaction. Accesses of threads that do not hold the baton are the
 * embedder's own.
 */

#include "lib/trace/recorder.h"
#include "vmrig/memory.h"

static void observe_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct vmr_recorder *recorder = context;

    if (recorder->chained.read)
        recorder->chained.read(recorder->chained.context, gpa, bytes, length);
    if (!recorder_owns(recorder))
        return;
    for (size_t done = 0; done < length;) {
        size_t piece = length - done < TRACE_READ_MAX ? length - done : TRACE_READ_MAX;
        struct trace_record record = {
            .kind = TRACE_READ,
            .value = {gpa + done},
            .bytes = (const uint8_t *)bytes + done,
            .length = piece,
        };

        recorder_append(recorder, &record);
        done += piece;
    }
}

static void observe_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct vmr_recorder *recorder = context;
    struct trace_record record;

    if (recorder->chained.write)
        recorder->chained.write(recorder->chained.context, gpa, bytes, length);
    if (!recorder_owns(recorder))
        return;
    trace_record_of_write(gpa, bytes, length, &record);
    recorder_append(recorder, &record);
}

static void observe_fetch_or(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    struct vmr_recorder *recorder = context;

    if (recorder->chained.fetch_or)
        recorder->chained.fetch_or(recorder->chained.context, gpa, width, mask, old);
    if (!recorder_owns(recorder))
        return;
    struct trace_record record = {.kind = TRACE_FETCH_OR, .value = {gpa, width, mask, *old}};

    recorder_append(recorder, &record);
}

void recorder_observe(struct vmr_recorder *recorder, struct vmr_memory *memory)
{
    struct vmr_memory_observer observer = {
        .read = observe_read,
        .write = observe_write,
        .fetch_or = observe_fetch_or,
        .context = recorder,
    };

    vmr_memory_set_observer(memory, &observer);
}
