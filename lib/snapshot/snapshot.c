/* SPDX-License-Identifier: MIT */
/*
 * Opening a snapshot: every byte is read once and held against its section's
 * hash before anything of it is believed. Nothing is allocated for a length
 * that the source does not have.
 */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES 0x10000u

/* While reading. */
struct opening {
    struct vmr_snapshot *snapshot;
    struct section_hash *hash;
    uint64_t offset; /* of the next section */
    uint64_t id;
    bool has_machine, has_regions, ended;
    size_t state_capacity, blob_capacity, run_capacity;
    struct section_header header; /* of the section under way */
    uint64_t at;                  /* where it begins */
    size_t region;                /* that holds the last run */
    uint8_t piece[PIECE_BYTES];
};

static enum vmr_status corrupt(const struct opening *opening, const char *what, struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: section '%s' at offset %" PRIu64 ": %s",
                         section_kind_name(opening->header.kind), opening->at, what);
}

static enum vmr_status no_memory(struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_NOMEM, "snapshot: out of memory");
}

static enum vmr_status read_at(const struct opening *opening, uint64_t offset, void *ret_bytes, size_t length,
                               struct vmr_error *err)
{
    const struct vmr_snapshot_source *source = &opening->snapshot->source;

    if (offset > source->size || length > source->size - offset)
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: it ends at offset %" PRIu64 ", in the middle of a section",
                             source->size);
    return source->read(source->context, offset, ret_bytes, length, err);
}

/* One more element of an array that doubles. NULL: out of memory, or too many. */
static void *grow(void **array, size_t count, size_t *capacity, size_t size)
{
    if (count == *capacity) {
        size_t wanted = *capacity > 0 ? *capacity * 2 : 64;
        void *larger = wanted > SIZE_MAX / size ? NULL : realloc(*array, wanted * size);

        if (!larger)
            return NULL;
        *array = larger;
        *capacity = wanted;
    }
    void *element = (uint8_t *)*array + count * size;

    memset(element, 0, size);
    return element;
}

/* --- sections --- */

static enum vmr_status take_state(struct opening *opening, uint8_t *bytes, size_t length, struct vmr_error *err)
{
    struct vmr_snapshot *snapshot = opening->snapshot;
    struct state_section section;

    if (!state_section_decode(bytes, length, &section))
        return corrupt(opening, "it is malformed", err);
    struct kept_state *kept =
        grow((void **)&snapshot->states, snapshot->state_count, &opening->state_capacity, sizeof(*kept));

    if (!kept)
        return no_memory(err);
    *kept = (struct kept_state){.bytes = bytes,
                                .section = section,
                                .optional = (opening->header.flags & SECTION_OPTIONAL) != 0,
                                .offset = opening->at};
    snapshot->state_count++;
    return VMR_OK;
}

/* length of the name 1, the name, the bytes */
static enum vmr_status take_blob(struct opening *opening, uint8_t *bytes, size_t length, struct vmr_error *err)
{
    struct vmr_snapshot *snapshot = opening->snapshot;
    size_t name_length = length > 0 ? bytes[0] : 0;

    if (name_length == 0 || name_length > STATE_NAME_MAX || name_length + 1 > length)
        return corrupt(opening, "it is malformed", err);
    struct kept_blob *kept =
        grow((void **)&snapshot->blobs, snapshot->blob_count, &opening->blob_capacity, sizeof(*kept));

    if (!kept)
        return no_memory(err);
    kept->bytes = bytes;
    memcpy(kept->name, bytes + 1, name_length);
    kept->blob = (struct vmr_snapshot_blob){
        .bytes = bytes + 1 + name_length,
        .length = length - 1 - name_length,
        .optional = (opening->header.flags & SECTION_OPTIONAL) != 0,
    };
    snapshot->blob_count++;
    return VMR_OK;
}

/* Runs ascend, and so do regions: the region of this run is that of the last one, or behind it. */
static bool run_is_mapped(struct opening *opening, vmr_gpa gpa, uint64_t count)
{
    const struct vmr_snapshot *snapshot = opening->snapshot;

    for (; opening->region < snapshot->region_count; opening->region++) {
        const struct vmr_memory_region *region = &snapshot->regions[opening->region];

        if (gpa < region->gpa)
            return false;
        if (gpa - region->gpa < region->size)
            return count <= (region->size - (gpa - region->gpa)) / VMR_PAGE_SIZE;
    }
    return false;
}

static bool run_is_behind(const struct vmr_snapshot *snapshot, vmr_gpa gpa)
{
    const struct page_run *last = snapshot->run_count > 0 ? &snapshot->runs[snapshot->run_count - 1] : NULL;

    return !last || (gpa > last->gpa && gpa - last->gpa >= last->count * VMR_PAGE_SIZE);
}

/* gpa 8, count 4, zero 4; then the pages, or none of SECTION_ZEROS. */
static enum vmr_status take_run(struct opening *opening, const uint8_t *prefix, bool zeros, struct vmr_error *err)
{
    struct vmr_snapshot *snapshot = opening->snapshot;
    struct reader reader;

    reader_init(&reader, prefix, PAGES_PREFIX_BYTES);
    vmr_gpa gpa = reader_le64(&reader);
    uint32_t count = reader_le32(&reader), nothing = reader_le32(&reader);
    uint64_t length = PAGES_PREFIX_BYTES + (zeros ? 0 : (uint64_t)count * VMR_PAGE_SIZE);

    if (opening->header.length != length || count == 0 || count > RUN_PAGES_MAX || nothing != 0 ||
        gpa % VMR_PAGE_SIZE != 0)
        return corrupt(opening, "it is malformed", err);
    if (zeros && snapshot->info.parent_id == 0)
        return corrupt(opening, "what is zero is in no snapshot without a parent", err);
    if (!run_is_behind(snapshot, gpa))
        return corrupt(opening, "its pages are not behind those before", err);
    if (!run_is_mapped(opening, gpa, count))
        return corrupt(opening, "its pages are in no region", err);
    struct page_run *run = grow((void **)&snapshot->runs, snapshot->run_count, &opening->run_capacity, sizeof(*run));

    if (!run)
        return no_memory(err);
    *run = (struct page_run){
        .gpa = gpa, .count = count, .offset = zeros ? 0 : opening->at + SECTION_HEADER_BYTES + PAGES_PREFIX_BYTES};
    snapshot->run_count++;
    snapshot->info.page_count += zeros ? 0 : count;
    return VMR_OK;
}

static enum vmr_status take_clock(struct opening *opening, const uint8_t *bytes, size_t length, struct vmr_error *err)
{
    struct reader reader;

    reader_init(&reader, bytes, length);
    uint64_t ns = reader_le64(&reader);

    if (!reader_ok(&reader) || reader_left(&reader) > 0 || opening->snapshot->info.has_clock)
        return corrupt(opening, "it is malformed, or the second", err);
    opening->snapshot->info.has_clock = true;
    opening->snapshot->info.clock_ns = ns;
    return VMR_OK;
}

/* `bytes` is the whole section and *owned by the snapshot* if it is kept: then `ret_kept` is set. */
static enum vmr_status take(struct opening *opening, uint8_t *bytes, size_t length, bool *ret_kept,
                            struct vmr_error *err)
{
    struct vmr_snapshot *snapshot = opening->snapshot;
    enum vmr_status status;

    *ret_kept = false;
    switch ((enum section_kind)opening->header.kind) {
    case SECTION_MACHINE:
        if (opening->has_machine || !topology_decode_machine(snapshot, bytes, length))
            return corrupt(opening, "it is malformed, or the second", err);
        opening->has_machine = true;
        return VMR_OK;
    case SECTION_REGIONS:
        status = opening->has_regions ? VMR_E_CORRUPT : topology_decode_regions(snapshot, bytes, length);
        opening->has_regions = true;
        return status == VMR_E_CORRUPT ? corrupt(opening, "it is malformed, or the second", err)
               : status                ? no_memory(err)
                                       : VMR_OK;
    case SECTION_CLOCK:
        return take_clock(opening, bytes, length, err);
    case SECTION_STATE:
        status = take_state(opening, bytes, length, err);
        *ret_kept = status == VMR_OK;
        return status;
    case SECTION_BLOB:
        status = take_blob(opening, bytes, length, err);
        *ret_kept = status == VMR_OK;
        return status;
    case SECTION_ZEROS:
        return length == PAGES_PREFIX_BYTES ? take_run(opening, bytes, true, err)
                                            : corrupt(opening, "it is malformed", err);
    case SECTION_PAGES:
    case SECTION_END:
        break;
    }
    snapshot->info.skipped_count++;
    return VMR_OK;
}

/* --- reading --- */

static enum vmr_status check_hash(struct opening *opening, struct vmr_error *err)
{
    return section_hash_end(opening->hash) == opening->header.hash ? VMR_OK
                                                                   : corrupt(opening, "its hash is wrong", err);
}

/* Hashes what is not kept, a piece at a time. */
static enum vmr_status pass_over(struct opening *opening, uint64_t from, struct vmr_error *err)
{
    uint64_t at = opening->at + SECTION_HEADER_BYTES + from, left = opening->header.length - from;

    while (left > 0) {
        size_t length = left < sizeof(opening->piece) ? (size_t)left : sizeof(opening->piece);
        enum vmr_status status = read_at(opening, at, opening->piece, length, err);

        if (status)
            return status;
        section_hash_add(opening->hash, opening->piece, length);
        at += length;
        left -= length;
    }
    return check_hash(opening, err);
}

static enum vmr_status read_pages(struct opening *opening, struct vmr_error *err)
{
    uint8_t prefix[PAGES_PREFIX_BYTES];

    if (opening->header.length < sizeof(prefix))
        return corrupt(opening, "it is malformed", err);
    enum vmr_status status = read_at(opening, opening->at + SECTION_HEADER_BYTES, prefix, sizeof(prefix), err);

    if (status)
        return status;
    section_hash_add(opening->hash, prefix, sizeof(prefix));
    status = pass_over(opening, sizeof(prefix), err);
    return status ? status : take_run(opening, prefix, false, err);
}

static enum vmr_status read_whole(struct opening *opening, struct vmr_error *err)
{
    size_t length = (size_t)opening->header.length;
    bool kept = false;
    uint8_t *bytes = malloc(length > 0 ? length : 1);

    if (!bytes)
        return no_memory(err);
    enum vmr_status status = read_at(opening, opening->at + SECTION_HEADER_BYTES, bytes, length, err);

    if (!status) {
        section_hash_add(opening->hash, bytes, length);
        status = check_hash(opening, err);
    }
    if (!status)
        status = take(opening, bytes, length, &kept, err);
    if (!kept)
        free(bytes);
    return status;
}

/* The id of the snapshot 8, the number of sections before it 8. */
static enum vmr_status read_end(struct opening *opening, uint64_t sections, struct vmr_error *err)
{
    uint8_t bytes[SNAPSHOT_END_BYTES];
    struct reader reader;

    if (opening->header.length != sizeof(bytes))
        return corrupt(opening, "it is malformed", err);
    enum vmr_status status = read_at(opening, opening->at + SECTION_HEADER_BYTES, bytes, sizeof(bytes), err);

    if (status)
        return status;
    section_hash_add(opening->hash, bytes, sizeof(bytes));
    status = check_hash(opening, err);
    if (status)
        return status;
    reader_init(&reader, bytes, sizeof(bytes));
    if (reader_le64(&reader) != opening->id || reader_le64(&reader) != sections)
        return corrupt(opening, "sections are missing, or in another order", err);
    if (opening->offset != opening->snapshot->source.size)
        return corrupt(opening, "something is behind it", err);
    opening->snapshot->info.id = opening->id;
    opening->ended = true;
    return VMR_OK;
}

static bool section_is_small(const struct section_header *header)
{
    return header->length <=
           (header->kind == SECTION_BLOB ? VMR_SNAPSHOT_BLOB_MAX + STATE_NAME_MAX + 1u : SECTION_BYTES_MAX);
}

static enum vmr_status read_section(struct opening *opening, uint64_t sections, struct vmr_error *err)
{
    uint8_t bytes[SECTION_HEADER_BYTES];
    uint64_t size = opening->snapshot->source.size;

    opening->at = opening->offset;
    enum vmr_status status = read_at(opening, opening->at, bytes, sizeof(bytes), err);

    if (status)
        return status;
    section_header_decode(bytes, &opening->header);
    if (opening->header.length > size - opening->at - sizeof(bytes))
        return corrupt(opening, "it is longer than what is left", err);
    opening->offset = opening->at + sizeof(bytes) + opening->header.length;
    section_hash_begin(opening->hash, &opening->header);
    if (opening->header.kind == SECTION_END)
        return read_end(opening, sections, err);
    opening->id = snapshot_id_next(opening->id, &opening->header);
    /* Without it there is nothing to say of what follows, not even by who passes over this one. */
    if (sections == 0 && opening->header.kind != SECTION_MACHINE)
        return corrupt(opening, "the first is not 'machine'", err);
    if (opening->header.kind < SECTION_MACHINE || opening->header.kind > SECTION_END) {
        if ((opening->header.flags & SECTION_OPTIONAL) == 0)
            return vmr_error_set(err, VMR_E_UNSUPPORTED,
                                 "snapshot: section of kind %u at offset %" PRIu64
                                 " is not known here, and must not be passed over",
                                 opening->header.kind, opening->at);
        opening->snapshot->info.skipped_count++;
        return pass_over(opening, 0, err);
    }
    if (!section_is_small(&opening->header))
        return corrupt(opening, "it is too long", err);
    if (opening->header.kind == SECTION_PAGES)
        return read_pages(opening, err);
    return read_whole(opening, err);
}

static enum vmr_status read_all(struct opening *opening, struct vmr_error *err)
{
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    struct snapshot_header header;
    enum vmr_status status = read_at(opening, 0, bytes, sizeof(bytes), err);

    if (!status)
        status = snapshot_header_decode(bytes, &header, err);
    if (status)
        return status;
    opening->snapshot->info.parent_id = header.parent_id;
    opening->id = header.parent_id;
    opening->offset = sizeof(bytes);
    for (uint64_t sections = 0; !opening->ended && !status; sections++)
        status = read_section(opening, sections, err);
    if (!status && !opening->has_regions)
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: section 'regions' is missing");
    return status;
}

enum vmr_status vmr_snapshot_open(const struct vmr_snapshot_source *source, struct vmr_snapshot **ret_snapshot,
                                  struct vmr_error *err)
{
    struct opening *opening = calloc(1, sizeof(*opening));
    struct vmr_snapshot *snapshot = calloc(1, sizeof(*snapshot));
    struct section_hash *hash = section_hash_create();
    enum vmr_status status = opening && snapshot && hash ? VMR_OK : no_memory(err);

    if (!status) {
        snapshot->source = *source;
        opening->snapshot = snapshot;
        opening->hash = hash;
        status = read_all(opening, err);
    }
    section_hash_destroy(hash);
    free(opening);
    if (status) {
        vmr_snapshot_close(snapshot);
        return status;
    }
    for (size_t i = 0; i < snapshot->blob_count; i++)
        snapshot->blobs[i].blob.name = snapshot->blobs[i].name;
    snapshot->info.state_count = snapshot->state_count;
    snapshot->info.blob_count = snapshot->blob_count;
    *ret_snapshot = snapshot;
    return VMR_OK;
}

void vmr_snapshot_close(struct vmr_snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->state_count; i++)
        free(snapshot->states[i].bytes);
    for (size_t i = 0; i < snapshot->blob_count; i++)
        free(snapshot->blobs[i].bytes);
    free(snapshot->states);
    free(snapshot->blobs);
    free(snapshot->runs);
    free(snapshot->regions);
    free(snapshot);
}

void vmr_snapshot_get_info(const struct vmr_snapshot *snapshot, struct vmr_snapshot_info *ret_info)
{
    *ret_info = snapshot->info;
}

bool vmr_snapshot_find_blob(const struct vmr_snapshot *snapshot, const char *name, struct vmr_snapshot_blob *ret_blob)
{
    for (size_t i = 0; i < snapshot->blob_count; i++) {
        if (strcmp(snapshot->blobs[i].name, name) == 0) {
            *ret_blob = snapshot->blobs[i].blob;
            return true;
        }
    }
    return false;
}

static enum vmr_status memory_read(void *context, uint64_t offset, void *ret_bytes, size_t length,
                                   struct vmr_error *err)
{
    (void)err;
    memcpy(ret_bytes, (const uint8_t *)context + offset, length);
    return VMR_OK;
}

void vmr_snapshot_source_memory(const void *bytes, size_t length, struct vmr_snapshot_source *ret_source)
{
    union {
        const void *from;
        void *to;
    } context = {.from = bytes};

    *ret_source = (struct vmr_snapshot_source){.read = memory_read, .context = context.to, .size = length};
}
