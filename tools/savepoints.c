/* SPDX-License-Identifier: MIT */
/* Points at which a machine is saved: see savepoints.h. */

#include "tools/savepoints.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/number.h"
#include "tools/outfile.h"
#include "tools/plan.h"
#include "tools/report.h"
#include "vmrig/dirty.h"
#include "vmrig/trace_position.h"

static enum vmr_status parse_point(struct savepoint *point, const char *at, const char *file, struct vmr_error *err)
{
    bool number = at[0] >= '0' && at[0] <= '9';

    *point = (struct savepoint){.file = file};
    if (outfile_is_terminal(file))
        return vmr_error_set(err, VMR_E_USAGE, "--snapshot '%s': a snapshot is binary, and this is a terminal", file);
    if (number && (!number_parse(at, &point->exit) || point->exit == 0))
        return vmr_error_set(err, VMR_E_USAGE, "--snapshot-at '%s' is no exit: they count from 1", at);
    if (!number && !plan_until_fits(at))
        return vmr_error_set(err, VMR_E_USAGE,
                             "--snapshot-at takes a number, or 1 to %u bytes without control "
                             "characters",
                             MATCHER_TEXT_MAX);
    for (size_t i = 0; i < VMR_CONSOLE_SOURCE_COUNT && !number; i++)
        (void)matcher_init(&point->matchers[i], at);
    return VMR_OK;
}

enum vmr_status savepoints_parse(struct savepoints *savepoints, const struct args *args, size_t at_option,
                                 size_t file_option, struct vmr_error *err)
{
    const char *ats[ARGS_GIVEN_MAX], *files[ARGS_GIVEN_MAX];
    size_t count = args_values(args, at_option, ats), file_count = args_values(args, file_option, files);

    savepoints->command = args->command;
    if (count != file_count)
        return vmr_error_set(err, VMR_E_USAGE, "--snapshot-at and --snapshot go in pairs: there are %zu and %zu", count,
                             file_count);
    if (count > SAVEPOINT_MAX)
        return vmr_error_set(err, VMR_E_USAGE, "--snapshot-at: %zu times, the limit is %u", count, SAVEPOINT_MAX);
    for (size_t i = 0; i < count; i++) {
        enum vmr_status status = parse_point(&savepoints->items[i], ats[i], files[i], err);

        if (status)
            return status;
    }
    savepoints->count = count;
    return VMR_OK;
}

/* --- on VPs' threads --- */

static struct savepoint *current(struct savepoints *savepoints)
{
    uint64_t next = atomic_load(&savepoints->next);

    return next < savepoints->count && !atomic_load(&savepoints->due) ? &savepoints->items[next] : NULL;
}

static void reached(struct savepoints *savepoints)
{
    atomic_store(&savepoints->due, true);
    savepoints->attention(savepoints->context);
}

/* What one source prints comes from one VP at a time. */
static void see(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    struct savepoints *savepoints = context;
    struct savepoint *point = current(savepoints);

    savepoints->console.write(savepoints->console.context, source, bytes, length);
    if (point && point->exit == 0 && matcher_feed(&point->matchers[source], bytes, length))
        reached(savepoints);
}

void savepoints_sink(struct savepoints *savepoints, struct vmr_console_sink *sink)
{
    if (savepoints->count == 0)
        return;
    savepoints->console = *sink;
    *sink = (struct vmr_console_sink){.write = see, .context = savepoints};
}

bool savepoints_wants_exits(const struct savepoints *savepoints)
{
    for (uint64_t i = 0; i < savepoints->count; i++) {
        if (savepoints->items[i].exit > 0)
            return true;
    }
    return false;
}

void savepoints_exit(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit)
{
    struct savepoints *savepoints = context;
    uint64_t exits = atomic_fetch_add(&savepoints->exits, 1) + 1;
    const struct savepoint *point = current(savepoints);

    (void)vp;
    (void)vp_exit;
    if (point && point->exit > 0 && exits >= point->exit)
        reached(savepoints);
}

/* --- saving --- */

bool savepoints_due(struct savepoints *savepoints)
{
    return atomic_load(&savepoints->due);
}

static enum vmr_status write_bytes(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    struct outfile *output = context;
    struct vmr_trace_sink sink;

    outfile_sink(output, &sink);
    enum vmr_status status = sink.write(sink.context, bytes, length);

    if (status)
        outfile_explain(output, err);
    return status;
}

/* The place in the recording at which the machine is saved: the recording stays there meanwhile. */
struct recorded_place {
    struct vmr_recorder *recorder;
    struct vmr_partition *partition;
    uint8_t bytes[VMR_TRACE_PLACE_BYTES];
};

static enum vmr_status take_place(void *context, struct vmr_error *err)
{
    struct recorded_place *place = context;

    return vmr_recorder_hold(place->recorder, place->partition, place->bytes, err);
}

static enum vmr_status save_to(struct outfile *output, struct savepoints *savepoints, struct vmr_machine *machine,
                               const struct vmr_config_text *config, struct vmr_error *err)
{
    struct recorded_place place = {.recorder = savepoints->recorder, .partition = vmr_machine_partition(machine)};
    struct vmr_snapshot_blob blobs[2];
    struct vmr_snapshot_save_options options = {
        .blobs = blobs, .context = &place, .parent_id = savepoints->logging ? savepoints->parent_id : 0};
    const struct vmr_snapshot_sink sink = {.write = write_bytes, .context = output};
    enum vmr_status status = outfile_open(output, err);

    if (config->bytes)
        blobs[options.blob_count++] = (struct vmr_snapshot_blob){
            .name = SAVEPOINTS_CONFIG_BLOB, .bytes = (const uint8_t *)config->bytes, .length = config->length};
    if (place.recorder) {
        blobs[options.blob_count++] = (struct vmr_snapshot_blob){
            .name = VMR_TRACE_PLACE_NAME, .bytes = place.bytes, .length = sizeof(place.bytes), .optional = true};
        options.flushed = take_place;
    }
    if (!status)
        status = vmr_machine_save(machine, &options, &sink, &savepoints->parent_id, err);
    if (place.recorder)
        vmr_recorder_let_go(place.recorder);
    return status ? status : outfile_finish(output, err);
}

/* Time stands still at the latest that the machine has seen: a recorder's is rounded up. */
static enum vmr_status pause_clock(const struct savepoints *savepoints, struct vmr_vm_clock *clock)
{
    enum vmr_status status = vmr_vm_clock_is_paused(clock) ? VMR_OK : vmr_vm_clock_pause(clock);

    if (status || !savepoints->recorder)
        return status;
    return vmr_vm_clock_set(clock, savepoints->host->ops->now_ns(savepoints->host->context));
}

enum vmr_status savepoints_save(struct savepoints *savepoints, struct vmr_machine *machine, struct vmr_vm_clock *clock,
                                const struct plan *plan, struct vmr_error *err)
{
    struct vmr_config_text config = {.bytes = NULL};
    uint64_t at = atomic_load(&savepoints->next);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(machine));
    struct outfile *output = malloc(sizeof(*output));

    if (!output)
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    enum vmr_status status = pause_clock(savepoints, clock);

    if (!status)
        status = plan_print(plan, &config, err);
    outfile_init(output, savepoints->items[at].file, OUTFILE_WHOLE);
    if (!status)
        status = save_to(output, savepoints, machine, &config, err);
    outfile_discard(output);
    free(output);
    free(config.bytes);
    if (status)
        return status;
    /* Those that follow hold less, if that can be: a hypervisor without a log, or a recording, has full ones. */
    if (!savepoints->logging && !savepoints->recorder && at + 1 < savepoints->count)
        savepoints->logging = vmr_memory_dirty_start(memory, NULL) == VMR_OK;
    tool_say(savepoints->command, "saved to '%s'", savepoints->items[at].file);
    atomic_store(&savepoints->next, at + 1);
    atomic_store(&savepoints->due, false);
    return VMR_OK;
}
