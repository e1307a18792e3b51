/* SPDX-License-Identifier: MIT */
/*
 * Taking apart and sealing, by the layouts of lib/snapshot/format.h: see
 * sections.h.
 */

#include "fuzz/snapshot/sections.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/base/bytes.h"
#include "lib/snapshot/format.h"

static uint8_t *copy_of(const uint8_t *bytes, size_t there, size_t length)
{
    uint8_t *copy = calloc(length > 0 ? length : 1, 1);

    FUZZ_CHECK(copy);
    if (there > 0)
        memcpy(copy, bytes, there);
    return copy;
}

bool sections_insert(struct sections *sections, size_t at, uint32_t kind, uint32_t flags, const uint8_t *bytes,
                     size_t length)
{
    struct section *place = &sections->items[at];

    if (sections->count == SECTIONS_MAX)
        return false;
    uint8_t *copy = copy_of(bytes, length, length);

    memmove(place + 1, place, (sections->count - at) * sizeof(*place));
    *place = (struct section){.kind = kind, .flags = flags, .length = length, .bytes = copy};
    sections->count++;
    return true;
}

void sections_remove(struct sections *sections, size_t at)
{
    struct section *place = &sections->items[at];

    free(place->bytes);
    sections->count--;
    memmove(place, place + 1, (sections->count - at) * sizeof(*place));
}

void sections_resize(struct sections *sections, size_t at, size_t length)
{
    struct section *place = &sections->items[at];
    uint8_t *copy = copy_of(place->bytes, length < place->length ? length : place->length, length);

    free(place->bytes);
    place->bytes = copy;
    place->length = length;
}

void sections_take(struct sections *ret_sections, const uint8_t *bytes, size_t length)
{
    size_t at = SNAPSHOT_HEADER_BYTES;

    *ret_sections = (struct sections){.major = SNAPSHOT_MAJOR, .minor = SNAPSHOT_MINOR};
    if (length < SNAPSHOT_HEADER_BYTES)
        return;
    ret_sections->major = load_le16(bytes + 8);
    ret_sections->minor = load_le16(bytes + 10);
    ret_sections->parent_id = load_le64(bytes + 16);
    while (length - at >= SECTION_HEADER_BYTES) {
        struct section_header header;

        section_header_decode(bytes + at, &header);
        at += SECTION_HEADER_BYTES;
        size_t there = header.length < length - at ? (size_t)header.length : length - at;

        if (!sections_insert(ret_sections, ret_sections->count, header.kind, header.flags, bytes + at, there))
            return;
        at += there;
    }
}

void sections_seal(const struct sections *sections, struct bytes *ret_file)
{
    const struct snapshot_header file = {
        .major = sections->major, .minor = sections->minor, .parent_id = sections->parent_id};
    uint8_t bytes[SNAPSHOT_HEADER_BYTES], truth[SNAPSHOT_END_BYTES];
    struct section_hash *hash = section_hash_create();
    uint64_t id = sections->parent_id;

    FUZZ_CHECK(hash);
    snapshot_header_encode(&file, bytes);
    FUZZ_CHECK(bytes_append(ret_file, bytes, SNAPSHOT_HEADER_BYTES));
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = &sections->items[i];
        struct section_header header = {.kind = section->kind, .flags = section->flags, .length = section->length};
        const uint8_t *content = section->bytes;

        store_le64(truth, id);
        store_le64(truth + 8, i);
        if (header.kind == SECTION_END && header.length == SNAPSHOT_END_BYTES)
            content = truth;
        section_hash_begin(hash, &header);
        section_hash_add(hash, content, section->length);
        header.hash = section_hash_end(hash);
        id = snapshot_id_next(id, &header);
        section_header_encode(&header, bytes);
        FUZZ_CHECK(bytes_append(ret_file, bytes, SECTION_HEADER_BYTES));
        FUZZ_CHECK(bytes_append(ret_file, content, section->length));
    }
    section_hash_destroy(hash);
}

void sections_finish(struct sections *sections)
{
    while (sections->count > 0)
        sections_remove(sections, sections->count - 1);
}
