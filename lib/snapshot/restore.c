/* SPDX-License-Identifier: MIT */
/*
 * Restoring, in two passes over the same places: the first only looks, and
 * finds whatever a file can have wrong; the second sets. Between the first
 * change and the last the partition is unusable, so that a VM that could not
 * be finished does not run. [SNAP-4] [SNAP-5]
 */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct restoring {
    const struct vmr_snapshot_parts *parts;
    const struct vmr_snapshot *snapshot; /* the newest */
    const struct vmr_snapshot_restore_options *options;
    bool *used;    /* by kept state */
    size_t cursor; /* where the next is looked for first: files and places have one order */
    bool setting;
    void *value; /* STATE_VALUE_MAX bytes */
};

static enum vmr_status no_memory(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");
}

static bool is_for(const struct state_section *section, const struct vmr_snapshot_state *state)
{
    return section->scope == state->scope && section->vp == state->vp && section->vtl == state->vtl &&
           section->instance == state->instance && strcmp(section->name, state->type->name) == 0;
}

/* NULL: it was not saved. */
static const struct kept_state *find(struct restoring *restoring, const struct vmr_snapshot_state *state)
{
    const struct vmr_snapshot *snapshot = restoring->snapshot;

    for (size_t i = 0; i < snapshot->state_count; i++) {
        size_t at = (restoring->cursor + i) % snapshot->state_count;

        if (is_for(&snapshot->states[at].section, state)) {
            restoring->cursor = at + 1;
            restoring->used[at] = true;
            return &snapshot->states[at];
        }
    }
    return NULL;
}

static bool may_differ(const struct restoring *restoring, enum vmr_snapshot_scope scope)
{
    return restoring->options && restoring->options->other_hypervisor && scope != VMR_SNAPSHOT_DEVICE;
}

static void tell_skipped(const struct restoring *restoring, const struct vmr_snapshot_state *state, const char *name)
{
    if (restoring->options->skipped)
        restoring->options->skipped(restoring->options->context, state, name);
}

static enum vmr_status missing(const struct restoring *restoring, const struct vmr_snapshot_state *state,
                               struct vmr_error *err)
{
    char title[STATE_TITLE_MAX];

    if (!may_differ(restoring, state->scope))
        return vmr_error_set(
            err, VMR_E_CONFIG, "snapshot: section 'state' of %s is missing, and the VM has it",
            state_title(state->scope, state->vp, state->vtl, state->instance, state->type->name, title));
    if (!restoring->setting)
        tell_skipped(restoring, state, state->type->name);
    return VMR_OK;
}

static enum vmr_status restore_place(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct restoring *restoring = context;
    const struct kept_state *kept = find(restoring, &place->state);
    struct vmr_error why = {0};

    if (!kept)
        return missing(restoring, &place->state, err);
    enum vmr_status status = vmr_state_decode(place->state.type, kept->section.version, kept->section.bytes,
                                              kept->section.length, restoring->value, &why);

    if (!status && restoring->setting)
        status = state_place_set(place, restoring->value, &why);
    if (status) {
        char title[STATE_TITLE_MAX];

        return vmr_error_set(err, status, "snapshot: section 'state' at offset %" PRIu64 " of %s: %s", kept->offset,
                             state_title(place->state.scope, place->state.vp, place->state.vtl, place->state.instance,
                                         kept->section.name, title),
                             why.message);
    }
    return VMR_OK;
}

static enum vmr_status visit_all(struct restoring *restoring, bool setting, struct vmr_error *err)
{
    const struct state_visitor visitor = {.visit = restore_place, .context = restoring};

    restoring->setting = setting;
    restoring->cursor = 0;
    return states_visit_all(restoring->parts, false, &visitor, err);
}

/* What was saved has a place, or need not have one. */
static enum vmr_status check_unused(const struct restoring *restoring, struct vmr_error *err)
{
    for (size_t i = 0; i < restoring->snapshot->state_count; i++) {
        const struct kept_state *kept = &restoring->snapshot->states[i];
        const struct state_section *section = &kept->section;
        const struct vmr_snapshot_state state = {
            .scope = section->scope, .vp = section->vp, .vtl = section->vtl, .instance = section->instance};
        char title[STATE_TITLE_MAX];

        if (restoring->used[i] || kept->optional)
            continue;
        if (!may_differ(restoring, section->scope))
            return vmr_error_set(
                err, VMR_E_CONFIG, "snapshot: section 'state' at offset %" PRIu64 " of %s has no place in the VM",
                kept->offset,
                state_title(section->scope, section->vp, section->vtl, section->instance, section->name, title));
        tell_skipped(restoring, &state, section->name);
    }
    return VMR_OK;
}

static enum vmr_status check_chain(struct vmr_snapshot *const *chain, size_t count,
                                   const struct vmr_snapshot_parts *parts, struct vmr_error *err)
{
    if (count == 0)
        return vmr_error_set(err, VMR_E_USAGE, "snapshot: the chain is empty");
    for (size_t i = 0; i < count; i++) {
        uint64_t wanted = i > 0 ? chain[i - 1]->info.id : 0;

        if (chain[i]->info.parent_id != wanted)
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "snapshot: chain[%zu] has the parent %#" PRIx64 ", before it is %#" PRIx64, i,
                                 chain[i]->info.parent_id, wanted);
        enum vmr_status status = topology_check(chain[i], parts, err);

        if (status)
            return status;
    }
    return VMR_OK;
}

static enum vmr_status apply(struct restoring *restoring, struct vmr_snapshot *const *chain, size_t count,
                             struct vmr_error *err)
{
    struct vmr_partition *partition = restoring->parts->partition;
    enum vmr_status status = vmr_partition_restore_begin(partition, err);

    if (status)
        return status;
    status = pages_restore(vmr_partition_memory(partition), chain, count, err);
    /* Before anything that goes by it. [CLK-1] */
    if (!status && restoring->parts->clock)
        status = states_set_clock(restoring->parts->clock, restoring->snapshot->info.clock_ns, err);
    if (!status)
        status = visit_all(restoring, true, err);
    if (!status)
        vmr_partition_restore_end(partition);
    return status;
}

enum vmr_status vmr_snapshot_restore(const struct vmr_snapshot_parts *parts, struct vmr_snapshot *const *chain,
                                     size_t count, const struct vmr_snapshot_restore_options *options,
                                     struct vmr_error *err)
{
    enum vmr_status status = check_chain(chain, count, parts, err);

    if (status)
        return status;
    struct restoring restoring = {.parts = parts, .snapshot = chain[count - 1], .options = options};
    size_t states = restoring.snapshot->state_count;

    restoring.used = calloc(states > 0 ? states : 1, sizeof(*restoring.used));
    restoring.value = malloc(STATE_VALUE_MAX);
    if (restoring.used && restoring.value)
        status = visit_all(&restoring, false, err);
    else
        status = no_memory(err);
    if (!status)
        status = check_unused(&restoring, err);
    if (!status)
        status = apply(&restoring, chain, count, err);
    free(restoring.used);
    free(restoring.value);
    return status;
}
