/* SPDX-License-Identifier: MIT */
/*
 * Guest memory in a replay: no guest writes it, so what the library reads in a
 * run is supplied from the trace, and what it writes is checked. Accesses of
 * threads that have no turn go to the memory as it is.
 */

#include <string.h>

#include "lib/trace/replay.h"
#include "vmrig/memory.h"

static void supply_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct vmr_replay *replay = context;

    for (size_t done = 0; replay_owns(replay) && done < length;) {
        size_t piece = length - done < TRACE_READ_MAX ? length - done : TRACE_READ_MAX;

        if (!replay_expect(replay, TRACE_READ, "reads guest memory"))
            return;
        const struct trace_record *head = &replay->head;

        if (head->length != piece || (!replay->inputs_only && head->value[0] != gpa + done)) {
            replay_diverge(replay, "reads guest memory elsewhere");
            return;
        }
        memcpy((uint8_t *)bytes + done, head->bytes, piece);
        replay_advance(replay);
        done += piece;
    }
}

static void check_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct vmr_replay *replay = context;
    struct trace_record record;

    if (!replay_owns(replay))
        return;
    trace_record_of_write(gpa, bytes, length, &record);
    (void)replay_check(replay, &record);
}

static void supply_fetch_or(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    struct vmr_replay *replay = context;

    if (!replay_owns(replay) || !replay_expect(replay, TRACE_FETCH_OR, "sets bits in guest memory"))
        return;
    const uint64_t *value = replay->head.value;

    if (!replay->inputs_only && (value[0] != gpa || value[1] != width || value[2] != mask)) {
        replay_diverge(replay, "sets other bits in guest memory");
        return;
    }
    *old = value[3];
    replay_advance(replay);
}

void replay_observer(const struct vmr_hypervisor_handle *handle, struct vmr_memory_observer *ret_observer)
{
    *ret_observer = (struct vmr_memory_observer){0};
    if (handle->backend != &replay_backend)
        return;
    *ret_observer = (struct vmr_memory_observer){
        .read = supply_read,
        .write = check_write,
        .fetch_or = supply_fetch_or,
        .context = handle->context,
    };
}
