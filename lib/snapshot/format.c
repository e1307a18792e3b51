/* SPDX-License-Identifier: MIT */
/* File header, section headers and hashes, byte by byte. */

#include "lib/snapshot/format.h"

#include <string.h>

#include <xxhash.h>

#include "lib/base/bytes.h"

static const uint8_t magic[8] = {'V', 'M', 'R', 'S', 'N', 'A', 'P', '\n'};

#define HEADER_HASH_OFFSET 40u

/*
 * magic 8, major 2, minor 2, length of this header 4, parent 8, reserved 16,
 * hash 8. A later minor version only adds optional sections.
 */
void snapshot_header_encode(const struct snapshot_header *header, uint8_t *ret_bytes)
{
    memset(ret_bytes, 0, SNAPSHOT_HEADER_BYTES);
    memcpy(ret_bytes, magic, sizeof(magic));
    store_le16(ret_bytes + 8, header->major);
    store_le16(ret_bytes + 10, header->minor);
    store_le32(ret_bytes + 12, SNAPSHOT_HEADER_BYTES);
    store_le64(ret_bytes + 16, header->parent_id);
    store_le64(ret_bytes + HEADER_HASH_OFFSET, XXH3_64bits(ret_bytes, HEADER_HASH_OFFSET));
}

enum vmr_status snapshot_header_decode(const uint8_t *bytes, struct snapshot_header *ret_header, struct vmr_error *err)
{
    static const uint8_t zeros[16];

    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: offset 0: this is no snapshot");
    struct snapshot_header header = {
        .major = load_le16(bytes + 8),
        .minor = load_le16(bytes + 10),
        .parent_id = load_le64(bytes + 16),
    };

    if (header.major != SNAPSHOT_MAJOR)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "snapshot: format %u.%u, this reads %u.x", header.major,
                             header.minor, SNAPSHOT_MAJOR);
    if (load_le64(bytes + HEADER_HASH_OFFSET) != XXH3_64bits(bytes, HEADER_HASH_OFFSET))
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: offset %u: the header's hash is wrong", HEADER_HASH_OFFSET);
    if (load_le32(bytes + 12) != SNAPSHOT_HEADER_BYTES || memcmp(bytes + 24, zeros, sizeof(zeros)) != 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "snapshot: offset 12: a header that this version does not write");
    *ret_header = header;
    return VMR_OK;
}

void section_header_encode(const struct section_header *header, uint8_t *ret_bytes)
{
    store_le32(ret_bytes, header->kind);
    store_le32(ret_bytes + 4, header->flags);
    store_le64(ret_bytes + 8, header->length);
    store_le64(ret_bytes + 16, header->hash);
}

void section_header_decode(const uint8_t *bytes, struct section_header *ret_header)
{
    *ret_header = (struct section_header){
        .kind = load_le32(bytes),
        .flags = load_le32(bytes + 4),
        .length = load_le64(bytes + 8),
        .hash = load_le64(bytes + 16),
    };
}

const char *section_kind_name(uint32_t kind)
{
    static const char *const names[] = {
        [SECTION_MACHINE] = "machine", [SECTION_REGIONS] = "regions", [SECTION_CLOCK] = "clock",
        [SECTION_STATE] = "state",     [SECTION_BLOB] = "blob",       [SECTION_PAGES] = "pages",
        [SECTION_ZEROS] = "zeros",     [SECTION_END] = "end",
    };

    return kind >= SECTION_MACHINE && kind <= SECTION_END ? names[kind] : "unknown";
}

/* --- hashes --- */

/* The library's own state behind a name of ours. */
static XXH3_state_t *state_of(struct section_hash *hash)
{
    return (XXH3_state_t *)(void *)hash;
}

struct section_hash *section_hash_create(void)
{
    return (struct section_hash *)(void *)XXH3_createState();
}

void section_hash_destroy(struct section_hash *hash)
{
    (void)XXH3_freeState(state_of(hash));
}

void section_hash_begin(struct section_hash *hash, const struct section_header *header)
{
    uint8_t bytes[SECTION_HEADER_BYTES];

    section_header_encode(header, bytes);
    (void)XXH3_64bits_reset(state_of(hash));
    (void)XXH3_64bits_update(state_of(hash), bytes, SECTION_HEADER_BYTES - sizeof(header->hash));
}

void section_hash_add(struct section_hash *hash, const void *bytes, size_t length)
{
    (void)XXH3_64bits_update(state_of(hash), bytes, length);
}

uint64_t section_hash_end(struct section_hash *hash)
{
    return XXH3_64bits_digest(state_of(hash));
}

uint64_t snapshot_id_next(uint64_t id, const struct section_header *header)
{
    uint8_t bytes[SECTION_HEADER_BYTES];

    section_header_encode(header, bytes);
    return XXH3_64bits_withSeed(bytes, sizeof(bytes), id);
}
