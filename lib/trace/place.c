/* SPDX-License-Identifier: MIT */
/* The place of a recorded machine: where its recording is, and what its run loop goes by there. As bytes, and back. */

#include "lib/base/bytes.h"
#include "lib/base/reader.h"
#include "lib/trace/recorder.h"
#include "vmrig/trace_position.h"

/* Position 24: records 8, exits 8, digest 8. Then the loop: flags 1, TPR 1, the guest's TPR 1, deadline 8. */
_Static_assert(VMR_TRACE_PLACE_BYTES == 24 + 11, "all fields, and nothing else");

#define FLAG_READY 1u
#define FLAG_RECHECK 2u
#define FLAG_WINDOW 4u
#define FLAG_WAKE 8u
#define FLAG_NMI 16u
#define FLAGS (FLAG_READY | FLAG_RECHECK | FLAG_WINDOW | FLAG_WAKE | FLAG_NMI)
#define TPR_MAX 15u

static void encode(const struct vmr_trace_place *place, uint8_t ret_bytes[VMR_TRACE_PLACE_BYTES])
{
    const struct vmr_loop_state *loop = &place->loop;

    store_le64(ret_bytes, place->position.records);
    store_le64(ret_bytes + 8, place->position.exits);
    store_le64(ret_bytes + 16, place->position.digest);
    ret_bytes[24] = (uint8_t)((loop->interrupt_ready ? FLAG_READY : 0) | (loop->recheck ? FLAG_RECHECK : 0) |
                              (loop->window_requested ? FLAG_WINDOW : 0) | (loop->wake ? FLAG_WAKE : 0) |
                              (loop->nmi ? FLAG_NMI : 0));
    ret_bytes[25] = loop->tpr;
    ret_bytes[26] = loop->guest_tpr;
    store_le64(ret_bytes + 27, loop->deadline_ns);
}

enum vmr_status vmr_trace_place_decode(const void *bytes, size_t length, struct vmr_trace_place *ret_place,
                                       struct vmr_error *err)
{
    struct vmr_trace_place place;
    struct reader reader;

    if (length != VMR_TRACE_PLACE_BYTES)
        return vmr_error_set(err, VMR_E_CORRUPT, "'%s': %zu bytes instead of %u", VMR_TRACE_PLACE_NAME, length,
                             VMR_TRACE_PLACE_BYTES);
    reader_init(&reader, bytes, length);
    place.position.records = reader_le64(&reader);
    place.position.exits = reader_le64(&reader);
    place.position.digest = reader_le64(&reader);
    unsigned flags = reader_u8(&reader);

    place.loop = (struct vmr_loop_state){
        .interrupt_ready = (flags & FLAG_READY) != 0,
        .recheck = (flags & FLAG_RECHECK) != 0,
        .window_requested = (flags & FLAG_WINDOW) != 0,
        .wake = (flags & FLAG_WAKE) != 0,
        .nmi = (flags & FLAG_NMI) != 0,
    };
    place.loop.tpr = reader_u8(&reader);
    place.loop.guest_tpr = reader_u8(&reader);
    place.loop.deadline_ns = reader_le64(&reader);
    if ((flags & ~FLAGS) != 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "'%s': flags %#x", VMR_TRACE_PLACE_NAME, flags);
    if (place.loop.tpr > TPR_MAX || place.loop.guest_tpr > TPR_MAX)
        return vmr_error_set(err, VMR_E_CORRUPT, "'%s': a TPR above %u", VMR_TRACE_PLACE_NAME, TPR_MAX);
    *ret_place = place;
    return VMR_OK;
}

enum vmr_status vmr_recorder_hold(struct vmr_recorder *recorder, struct vmr_partition *partition,
                                  uint8_t ret_bytes[VMR_TRACE_PLACE_BYTES], struct vmr_error *err)
{
    struct vmr_trace_place place;

    if (vmr_partition_vp_count(partition) != 1)
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "recorder: a place is that of one VP alone, and the partition has %u",
                             vmr_partition_vp_count(partition));
    /* The baton has no owner: what saving does on the way, such as waiting for VPs, is not the library's, but its. */
    sync_mutex_lock(&recorder->baton);
    recorder->held = true;
    enum vmr_status status = vmr_recorder_position(recorder, &place.position, err);

    if (!status)
        status = vmr_partition_get_loop_state(partition, 0, &place.loop, err);
    if (status) {
        vmr_recorder_let_go(recorder);
        return status;
    }
    encode(&place, ret_bytes);
    return VMR_OK;
}

void vmr_recorder_let_go(struct vmr_recorder *recorder)
{
    if (!recorder->held)
        return;
    recorder->held = false;
    sync_mutex_unlock(&recorder->baton);
}
