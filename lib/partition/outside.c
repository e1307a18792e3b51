/* SPDX-License-Identifier: MIT */
/*
 * What leaves a machine and is no answer to its guest, and what comes in and is
 * no interrupt. The library itself has no use for either; recorders hear of it.
 */

#include "lib/partition/partition.h"

void vmr_partition_output(struct vmr_partition *partition, uint32_t stream, const uint8_t *bytes, size_t length)
{
    if (length > 0 && partition->backend->vm_output)
        partition->backend->vm_output(partition->backend_vm, stream, bytes, length);
}

void vmr_partition_set_input(struct vmr_partition *partition, const struct vmr_input_sink *sink)
{
    partition->input = *sink;
}

size_t vmr_partition_input(struct vmr_partition *partition, uint32_t stream, const uint8_t *bytes, size_t length)
{
    const struct vmr_input_sink *sink = &partition->input;
    size_t taken = 0, piece = 0, room = 0;

    while (sink->receive && room == piece && taken < length) {
        piece = length - taken < VMR_INPUT_BYTES_MAX ? length - taken : VMR_INPUT_BYTES_MAX;
        partition_async_begin(
            partition,
            &(struct vmr_async){.kind = VMR_ASYNC_INPUT, .a = stream, .bytes = bytes + taken, .length = piece});
        room = sink->receive(sink->context, stream, bytes + taken, piece);
        partition_async_end(partition);
        taken += room;
    }
    return taken;
}
