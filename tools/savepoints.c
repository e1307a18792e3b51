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

/* `parent_id` gives the snapshot's parent, and takes its own. */
static enum vmr_status save_to(struct outfile *output, struct vmr_machine *machine,
                               const struct vmr_config_text *config, uint64_t *parent_id, struct vmr_error *err)
{
    const struct vmr_snapshot_blob blob = {
        .name = SAVEPOINTS_CONFIG_BLOB, .bytes = (const uint8_t *)config->bytes, .length = config->length};
    const struct vmr_snapshot_save_options options = {
        .parent_id = *parent_id, .blobs = &blob, .blob_count = config->bytes ? 1 : 0};
    const struct vmr_snapshot_sink sink = {.write = write_bytes, .context = output};
    enum vmr_status status = outfile_open(output, err);

    if (!status)
        status = vmr_machine_save(machine, &options, &sink, parent_id, err);
    return status ? status : outfile_finish(output, err);
}

enum vmr_status savepoints_save(struct savepoints *savepoints, struct vmr_machine *machine, struct vmr_vm_clock *clock,
                                const struct plan *plan, struct vmr_error *err)
{
    struct vmr_config_text config = {.bytes = NULL};
    uint64_t at = atomic_load(&savepoints->next);
    struct vmr_memory *memory = vmr_partition_memory(vmr_machine_partition(machine));
    struct outfile *output = malloc(sizeof(*output));
    enum vmr_status status = VMR_OK;

    if (!output)
        return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
    if (!vmr_vm_clock_is_paused(clock))
        status = vmr_vm_clock_pause(clock);
    if (!status)
        status = plan_print(plan, &config, err);
    savepoints->parent_id = savepoints->logging ? savepoints->parent_id : 0;
    outfile_init(output, savepoints->items[at].file, OUTFILE_WHOLE);
    if (!status)
        status = save_to(output, machine, &config, &savepoints->parent_id, err);
    outfile_discard(output);
    free(output);
    free(config.bytes);
    if (status)
        return status;
    /* Those that follow hold less, if that can be: a hypervisor without a log, or a recording, has full ones. */
    if (!savepoints->logging && at + 1 < savepoints->count)
        savepoints->logging = vmr_memory_dirty_start(memory, NULL) == VMR_OK;
    tool_say(savepoints->command, "saved to '%s'", savepoints->items[at].file);
    atomic_store(&savepoints->next, at + 1);
    atomic_store(&savepoints->due, false);
    return VMR_OK;
}
