/* SPDX-License-Identifier: MIT */
/*
 * A machine's snapshots: its parts for lib/snapshot, and beside them what it
 * was made with, so that another can be made alike.
 */

#include "vmrig/machine_snapshot.h"

#include <stdlib.h>

#include "lib/base/reader.h"
#include "lib/base/writer.h"
#include "lib/machine/machine.h"

#define OPTIONS_NAME "machine-options"
#define OPTIONS_BYTES 24u /* memory 8, VPs 4, epoch 8, firmware 4 */

static enum vmr_status call_vp(void *context, vmr_vp_index vp,
                               enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    const struct vmr_machine *machine = context;

    return vmr_vp_set_call(machine->set, vp, function, argument);
}

/* The units are to be freed. */
static enum vmr_status parts_of(struct vmr_machine *machine, struct vmr_snapshot_parts *ret_parts,
                                struct vmr_state_unit **ret_units, struct vmr_error *err)
{
    size_t chips = machine->chip ? vmr_irqchip_state_units(machine->chip, NULL, 0) : 0;
    size_t platform = vmr_platform_state_units(machine->platform, NULL, 0);
    size_t devices = machine_devices_state_units(machine, NULL, 0);
    struct vmr_state_unit *units = calloc(chips + platform + devices, sizeof(*units));

    if (!units)
        return vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    if (machine->chip)
        (void)vmr_irqchip_state_units(machine->chip, units, chips);
    (void)vmr_platform_state_units(machine->platform, units + chips, platform);
    (void)machine_devices_state_units(machine, units + chips + platform, devices);
    *ret_parts = (struct vmr_snapshot_parts){
        .partition = machine->partition,
        .call = call_vp,
        .context = machine,
        .units = units,
        .unit_count = chips + platform + devices,
        .clock = machine->clock,
        .ports = machine->ports,
        .mmio = machine->mmio,
    };
    *ret_units = units;
    return VMR_OK;
}

static enum vmr_status check_stopped(struct vmr_machine *machine, struct vmr_error *err)
{
    if (vmr_machine_get_state(machine) == VMR_MACHINE_RUNNING)
        return vmr_error_set(err, VMR_E_STATE, "machine: it runs; pause or stop it first");
    return VMR_OK;
}

enum vmr_status vmr_machine_save(struct vmr_machine *machine, const struct vmr_snapshot_save_options *options,
                                 const struct vmr_snapshot_sink *sink, uint64_t *ret_id, struct vmr_error *err)
{
    size_t more = options ? options->blob_count : 0;
    struct vmr_snapshot_save_options all = options ? *options : (struct vmr_snapshot_save_options){0};
    struct vmr_snapshot_blob *blobs = calloc(more + 1, sizeof(*blobs));
    struct vmr_snapshot_parts parts;
    struct vmr_state_unit *units = NULL;
    struct writer writer;
    enum vmr_status status = check_stopped(machine, err);

    writer_init(&writer, OPTIONS_BYTES);
    writer_le64(&writer, machine->memory_size);
    writer_le32(&writer, vmr_partition_vp_count(machine->partition));
    writer_le64(&writer, machine->rtc_epoch_s);
    writer_le32(&writer, (uint32_t)machine->firmware_size);
    if (!status && (!blobs || !writer_ok(&writer)))
        status = vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    if (!status)
        status = parts_of(machine, &parts, &units, err);
    if (!status) {
        blobs[0] = (struct vmr_snapshot_blob){.name = OPTIONS_NAME, .bytes = writer.bytes, .length = writer.length};
        for (size_t i = 0; i < more; i++)
            blobs[1 + i] = options->blobs[i];
        all.blobs = blobs;
        all.blob_count = more + 1;
        status = vmr_snapshot_save(&parts, &all, sink, ret_id, err);
    }
    writer_finish(&writer);
    free(units);
    free(blobs);
    return status;
}

enum vmr_status vmr_machine_options_saved(const struct vmr_snapshot *snapshot, struct vmr_machine_options *ret_options,
                                          struct vmr_error *err)
{
    struct vmr_snapshot_blob options;
    struct reader reader;

    if (!vmr_snapshot_find_blob(snapshot, OPTIONS_NAME, &options))
        return vmr_error_set(err, VMR_E_CONFIG, "snapshot: section 'blob' named '%s' is missing: it is of no machine",
                             OPTIONS_NAME);
    if (options.length != OPTIONS_BYTES)
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: section 'blob' named '%s': %zu bytes instead of %u",
                             OPTIONS_NAME, options.length, OPTIONS_BYTES);
    reader_init(&reader, options.bytes, options.length);
    *ret_options = (struct vmr_machine_options){0};
    ret_options->memory_size = reader_le64(&reader);
    ret_options->vps = reader_le32(&reader);
    ret_options->rtc_epoch_s = reader_le64(&reader);
    ret_options->firmware_size = reader_le32(&reader);
    return VMR_OK;
}

enum vmr_status vmr_machine_restore(struct vmr_machine *machine, struct vmr_snapshot *const *chain, size_t count,
                                    const struct vmr_snapshot_restore_options *options, struct vmr_error *err)
{
    struct vmr_snapshot_parts parts;
    struct vmr_state_unit *units = NULL;
    enum vmr_status status = check_stopped(machine, err);

    if (!status)
        status = parts_of(machine, &parts, &units, err);
    if (!status)
        status = vmr_snapshot_restore(&parts, chain, count, options, err);
    free(units);
    return status;
}

enum vmr_status vmr_machine_rewind_create(struct vmr_machine *machine, struct vmr_rewind **ret_rewind,
                                          struct vmr_error *err)
{
    struct vmr_snapshot_parts parts;
    struct vmr_state_unit *units = NULL;
    enum vmr_status status = check_stopped(machine, err);

    if (!status)
        status = parts_of(machine, &parts, &units, err);
    if (!status)
        status = vmr_rewind_create(&parts, ret_rewind, err);
    free(units);
    return status;
}

enum vmr_status vmr_machine_rewind_back(struct vmr_machine *machine, struct vmr_rewind *rewind, uint64_t *ret_pages,
                                        struct vmr_error *err)
{
    enum vmr_status status = check_stopped(machine, err);

    return status ? status : vmr_rewind_back(rewind, ret_pages, err);
}

struct inspection {
    const struct vmr_snapshot_parts *parts;
    enum vmr_state_format format;
    const struct vmr_text_sink *sink;
    struct vmr_error *err;
};

static enum vmr_status inspect_at_rest(void *argument)
{
    const struct inspection *inspection = argument;

    return vmr_inspect(inspection->parts, inspection->format, inspection->sink, inspection->err);
}

/* At rest: a partition's own states are not given away while VPs run. */
enum vmr_status vmr_machine_inspect(struct vmr_machine *machine, enum vmr_state_format format,
                                    const struct vmr_text_sink *sink, struct vmr_error *err)
{
    struct vmr_snapshot_parts parts;
    struct vmr_state_unit *units = NULL;
    struct inspection inspection = {.parts = &parts, .format = format, .sink = sink, .err = err};
    enum vmr_status status = parts_of(machine, &parts, &units, err);

    if (!status)
        status = machine_at_rest(machine, inspect_at_rest, &inspection);
    free(units);
    return status;
}
