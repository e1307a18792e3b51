/* SPDX-License-Identifier: MIT */
/*
 * Saving: sections in a fixed order, each whole before the next, so that equal
 * states give equal bytes. Nothing is kept of the guest's memory: a run of
 * pages goes from where it lies to the sink.
 */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct saving {
    const struct vmr_snapshot_parts *parts;
    const struct vmr_snapshot_sink *sink;
    struct section_hash *hash;
    struct writer section; /* the one under way */
    void *value;           /* STATE_VALUE_MAX bytes */
    uint64_t id, count;    /* of the sections so far */
    uint64_t whole_id;     /* of all but the last */
};

static enum vmr_status no_memory(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");
}

/* A section in two pieces, of which the second may be empty. */
static enum vmr_status emit(struct saving *saving, enum section_kind kind, uint32_t flags, const void *second,
                            size_t second_length, struct vmr_error *err)
{
    struct section_header header = {
        .kind = kind, .flags = flags, .length = saving->section.length + (uint64_t)second_length};
    const struct vmr_snapshot_sink *sink = saving->sink;
    uint8_t bytes[SECTION_HEADER_BYTES];

    if (!writer_ok(&saving->section))
        return no_memory(err);
    section_hash_begin(saving->hash, &header);
    section_hash_add(saving->hash, saving->section.bytes, saving->section.length);
    section_hash_add(saving->hash, second, second_length);
    header.hash = section_hash_end(saving->hash);
    section_header_encode(&header, bytes);
    enum vmr_status status = sink->write(sink->context, bytes, sizeof(bytes), err);

    if (!status && saving->section.length > 0)
        status = sink->write(sink->context, saving->section.bytes, saving->section.length, err);
    if (!status && second_length > 0)
        status = sink->write(sink->context, second, second_length, err);
    saving->id = snapshot_id_next(saving->id, &header);
    saving->count++;
    writer_clear(&saving->section);
    return status;
}

static enum vmr_status save_topology(struct saving *saving, struct vmr_error *err)
{
    topology_encode_machine(&saving->section, saving->parts->partition);
    enum vmr_status status = emit(saving, SECTION_MACHINE, 0, NULL, 0, err);

    if (status)
        return status;
    if (topology_encode_regions(&saving->section, vmr_partition_memory(saving->parts->partition)))
        return no_memory(err);
    status = emit(saving, SECTION_REGIONS, 0, NULL, 0, err);
    if (status || !saving->parts->clock)
        return status;
    writer_le64(&saving->section, vmr_vm_clock_now(saving->parts->clock));
    return emit(saving, SECTION_CLOCK, 0, NULL, 0, err);
}

static bool blob_is_valid(const struct vmr_snapshot_blob *blob)
{
    size_t length = strlen(blob->name);

    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", blob->name[i]))
            return false;
    }
    return length > 0 && length <= STATE_NAME_MAX && blob->length <= VMR_SNAPSHOT_BLOB_MAX;
}

static enum vmr_status save_blobs(struct saving *saving, const struct vmr_snapshot_save_options *options,
                                  struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; options && i < options->blob_count && !status; i++) {
        const struct vmr_snapshot_blob *blob = &options->blobs[i];

        if (!blob_is_valid(blob))
            return vmr_error_set(err, VMR_E_USAGE,
                                 "snapshot: blobs[%zu] '%s': a name is 1 to %u of a-z 0-9 - _ ., bytes at most %u", i,
                                 blob->name, STATE_NAME_MAX, VMR_SNAPSHOT_BLOB_MAX);
        writer_u8(&saving->section, (uint8_t)strlen(blob->name));
        writer_copy(&saving->section, blob->name, strlen(blob->name));
        status = emit(saving, SECTION_BLOB, blob->optional ? SECTION_OPTIONAL : 0, blob->bytes, blob->length, err);
    }
    return status;
}

static enum vmr_status save_state(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct saving *saving = context;
    struct vmr_snapshot_state state = place->state;
    enum vmr_status status = state_place_get(place, saving->value, err);

    if (status)
        return status;
    state.value = saving->value;
    state_section_encode(&saving->section, &state);
    return emit(saving, SECTION_STATE, 0, NULL, 0, err);
}

static enum vmr_status save_run(void *context, vmr_gpa gpa, uint32_t count, const void *bytes, struct vmr_error *err)
{
    struct saving *saving = context;

    writer_le64(&saving->section, gpa);
    writer_le32(&saving->section, count);
    writer_le32(&saving->section, 0);
    if (!bytes)
        return emit(saving, SECTION_ZEROS, 0, NULL, 0, err);
    return emit(saving, SECTION_PAGES, 0, bytes, (size_t)count * VMR_PAGE_SIZE, err);
}

static enum vmr_status save_end(void *context, struct vmr_error *err)
{
    struct saving *saving = context;

    saving->whole_id = saving->id;
    writer_le64(&saving->section, saving->id);
    writer_le64(&saving->section, saving->count);
    return emit(saving, SECTION_END, 0, NULL, 0, err);
}

static enum vmr_status save_all(struct saving *saving, const struct vmr_snapshot_save_options *options,
                                uint64_t *ret_id, struct vmr_error *err)
{
    const struct snapshot_header header = {
        .major = SNAPSHOT_MAJOR, .minor = SNAPSHOT_MINOR, .parent_id = options ? options->parent_id : 0};
    struct vmr_memory *memory = vmr_partition_memory(saving->parts->partition);
    const struct state_visitor states = {.visit = save_state, .context = saving};
    const struct pages_sink pages = {.emit = save_run, .end = save_end, .context = saving};
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];

    /* What other threads asked of VPs may end in devices: it is taken in before anything is read. [SNAP-9] */
    enum vmr_status status = states_visit_all(saving->parts, true, NULL, err);

    if (!status && options && options->flushed)
        status = options->flushed(options->context, err);
    if (status)
        return status;
    saving->id = header.parent_id;
    snapshot_header_encode(&header, bytes);
    status = saving->sink->write(saving->sink->context, bytes, sizeof(bytes), err);
    if (!status)
        status = save_topology(saving, err);
    if (!status)
        status = save_blobs(saving, options, err);
    if (!status)
        status = states_visit_all(saving->parts, false, &states, err);
    if (!status && header.parent_id != 0)
        status = pages_each_written(memory, &pages, err);
    else if (!status)
        status = pages_each(memory, &pages, err);
    if (!status && ret_id)
        *ret_id = saving->whole_id;
    return status;
}

enum vmr_status vmr_snapshot_save(const struct vmr_snapshot_parts *parts,
                                  const struct vmr_snapshot_save_options *options, const struct vmr_snapshot_sink *sink,
                                  uint64_t *ret_id, struct vmr_error *err)
{
    struct saving saving = {.parts = parts, .sink = sink};

    if (!vmr_partition_is_usable(parts->partition))
        return vmr_error_set(err, VMR_E_STATE, "snapshot: the partition is unusable until it is reset");
    saving.hash = section_hash_create();
    saving.value = malloc(STATE_VALUE_MAX);
    writer_init(&saving.section, SECTION_BYTES_MAX);
    enum vmr_status status = saving.hash && saving.value ? save_all(&saving, options, ret_id, err) : no_memory(err);

    writer_finish(&saving.section);
    free(saving.value);
    section_hash_destroy(saving.hash);
    return status;
}
