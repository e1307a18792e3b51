/* SPDX-License-Identifier: MIT */
/* Beginning in the middle: see rejoin.h. */

#include "tools/rejoin.h"

#include <inttypes.h>

static enum vmr_status refuse(struct rejoin *rejoin, enum vmr_status status, const struct vmr_error *why,
                              struct vmr_error *err)
{
    rejoin->failed = true;
    return vmr_error_set(err, status, "--from '%s': %s", rejoin->file.name, why->message);
}

static enum vmr_status read_place(struct rejoin *rejoin, struct vmr_error *err)
{
    struct vmr_snapshot_info info;
    struct vmr_snapshot_blob blob;

    vmr_snapshot_get_info(rejoin->file.snapshot, &info);
    if (info.parent_id != 0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "it holds only what changed since the snapshot %#" PRIx64 ", and a replay takes full ones",
                             info.parent_id);
    if (!vmr_snapshot_find_blob(rejoin->file.snapshot, VMR_TRACE_PLACE_NAME, &blob))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "snapshot: section 'blob' named '%s' is missing: its machine was not "
                             "recorded when it was saved",
                             VMR_TRACE_PLACE_NAME);
    return vmr_trace_place_decode(blob.bytes, blob.length, &rejoin->place, err);
}

enum vmr_status rejoin_open(struct rejoin *rejoin, const char *name, const struct vmr_host *host, struct vmr_error *err)
{
    struct vmr_error why = {0};
    enum vmr_status status = snapfile_open(&rejoin->file, name, err);

    rejoin->failed = status != VMR_OK;
    if (!status)
        status = vmr_vm_clock_create(host, &rejoin->clock, err);
    if (status)
        return status;
    status = read_place(rejoin, &why);
    return status ? refuse(rejoin, status, &why, err) : VMR_OK;
}

enum vmr_status rejoin_apply(struct rejoin *rejoin, struct vmr_replay *replay, struct vmr_machine *machine,
                             struct vmr_error *err)
{
    /* Of the hypervisor's state a replay has what the library goes by; the rest is in the exits to come. */
    const struct vmr_snapshot_restore_options options = {.other_hypervisor = true};
    struct vmr_error why = {0};
    enum vmr_status status = vmr_replay_seek(replay, &rejoin->place.position, &why);

    if (!status)
        status = vmr_machine_restore(machine, &rejoin->file.snapshot, 1, &options, &why);
    if (!status)
        status = vmr_partition_set_loop_state(vmr_machine_partition(machine), 0, &rejoin->place.loop, &why);
    return status ? refuse(rejoin, status, &why, err) : VMR_OK;
}

void rejoin_close(struct rejoin *rejoin)
{
    snapfile_close(&rejoin->file);
    vmr_vm_clock_destroy(rejoin->clock);
}
