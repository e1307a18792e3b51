/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The layouts of docs/snapshot_format.md: file header and section headers.
 * What is in a section is its own file's.
 *
 *   header (48 bytes), sections, one after the other; the last is SECTION_END
 */

#include "lib/base/reader.h"
#include "lib/base/writer.h"
#include "vmrig/error.h"

#define SNAPSHOT_MAJOR 1u
#define SNAPSHOT_MINOR 0u

#define SNAPSHOT_HEADER_BYTES 48u
#define SECTION_HEADER_BYTES 24u
#define SNAPSHOT_END_BYTES 16u

enum section_kind {
    SECTION_MACHINE = 1, /* topology */
    SECTION_REGIONS = 2,
    SECTION_CLOCK = 3,
    SECTION_STATE = 4,
    SECTION_BLOB = 5,
    SECTION_PAGES = 6,
    SECTION_ZEROS = 7, /* pages that have become zero since the parent */
    SECTION_END = 8
};
#define SECTION_OPTIONAL 1u /* who does not know the kind may pass over it */

/* No section is longer, but a blob. */
#define SECTION_BYTES_MAX 0x200000u

struct snapshot_header {
    uint16_t major, minor;
    uint64_t parent_id;
};

struct section_header {
    uint32_t kind, flags;
    uint64_t length; /* of what follows */
    uint64_t hash;   /* of what follows, and of kind, flags and length */
};

void snapshot_header_encode(const struct snapshot_header *header, uint8_t *ret_bytes);
enum vmr_status snapshot_header_decode(const uint8_t *bytes, struct snapshot_header *ret_header, struct vmr_error *err);

void section_header_encode(const struct section_header *header, uint8_t *ret_bytes);
void section_header_decode(const uint8_t *bytes, struct section_header *ret_header);

/* "state" ...; "unknown" for other kinds. */
const char *section_kind_name(uint32_t kind);

/* A section's hash, piece by piece; and the id of a snapshot: all its sections' headers. */
struct section_hash;
struct section_hash *section_hash_create(void); /* NULL: out of memory */
void section_hash_destroy(struct section_hash *hash);
void section_hash_begin(struct section_hash *hash, const struct section_header *header);
void section_hash_add(struct section_hash *hash, const void *bytes, size_t length);
uint64_t section_hash_end(struct section_hash *hash);
uint64_t snapshot_id_next(uint64_t id, const struct section_header *header);
