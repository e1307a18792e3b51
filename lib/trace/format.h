/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The fixed layouts of a binary trace: header, tables, block header, footer.
 * Encoders and decoders side by side, in the order of docs/trace_format.md;
 * what is between them (records) is codec.h's.
 */

#include "lib/base/reader.h"
#include "lib/base/writer.h"
#include "vmrig/error.h"
#include "vmrig/trace.h"

#define TRACE_MAJOR 1u
#define TRACE_MINOR 2u
/* The oldest format whose readers understand what this version writes. */
#define TRACE_MIN_READER_MAJOR 1u
#define TRACE_MIN_READER_MINOR 0u
/* The first minor version whose blocks end early: at TRACE_BLOCK_GOAL, and not only where they are full. */
#define TRACE_MINOR_SHORT_BLOCKS 1u
#define TRACE_BLOCK_GOAL 2048u

#define TRACE_MAGIC_BYTES 8u
#define TRACE_HEADER_BYTES 64u
#define TRACE_BLOCK_HEADER_BYTES 56u
/* The fixed part; entries, hash and trailer follow. */
#define TRACE_FOOTER_BYTES 40u
#define TRACE_FOOTER_ENTRY_BYTES 16u
#define TRACE_FOOTER_ENTRY_MAX 1024u
/* Hash, offset of the footer, its magic. */
#define TRACE_TRAILER_BYTES 24u
#define TRACE_FOOTER_MAX (TRACE_FOOTER_BYTES + TRACE_FOOTER_ENTRY_MAX * TRACE_FOOTER_ENTRY_BYTES + TRACE_TRAILER_BYTES)

#define TRACE_FLAG_INPUTS_ONLY 1u

extern const uint8_t trace_magic_header[TRACE_MAGIC_BYTES];
extern const uint8_t trace_magic_block[TRACE_MAGIC_BYTES];
extern const uint8_t trace_magic_footer[TRACE_MAGIC_BYTES];

uint64_t trace_hash(const void *bytes, size_t length);

struct trace_header {
    uint16_t major, minor;
    uint16_t min_reader_major, min_reader_minor;
    uint32_t flags;
    uint32_t tables_length;
    enum vmr_trace_codec codec; /* not DEFAULT */
    uint64_t tables_hash;
};

void trace_header_encode(const struct trace_header *header, uint8_t *ret_bytes);
/* Refuses what this reader must not read, naming the reason. */
enum vmr_status trace_header_decode(const uint8_t *bytes, struct trace_header *ret_header, struct vmr_error *err);

enum trace_table_type {
    TRACE_TABLE_KINDS = 1,
    TRACE_TABLE_EXITS = 2,
    TRACE_TABLE_REGISTERS = 3,
    TRACE_TABLE_META = 4
};
#define TRACE_TABLE_OPTIONAL 0x8000u

struct trace_table {
    uint16_t type;
    const uint8_t *bytes;
    size_t length;
};

/* One entry of the first three tables. */
struct trace_table_entry {
    uint8_t id, class;
    const char *name; /* not terminated */
    size_t length;
};

/* This version's tables, and `meta`. VMR_E_CONFIG for metadata that is not allowed, named. */
enum vmr_status trace_tables_build(struct writer *writer, const struct vmr_trace_meta *meta, size_t meta_count,
                                   struct vmr_error *err);
/* Appends one table. */
void trace_table_put(struct writer *writer, const struct trace_table *table);
/* False at the end, or where the reader has failed. */
bool trace_table_next(struct reader *reader, struct trace_table *ret_table);
bool trace_table_entry_next(struct reader *reader, struct trace_table_entry *ret_entry);
/* What entry `id` of a table is called here, and its class; NULL if unknown. */
const char *trace_table_name(uint16_t type, unsigned id, uint8_t *ret_class);
/* Whether a name or a metadata key and value may stand there. */
bool trace_meta_key_is_valid(const char *key, size_t length);
bool trace_meta_value_is_valid(const char *value, size_t length);
/* Refuses tables that do not decode, or that name a number otherwise than this version. */
enum vmr_status trace_tables_check(const uint8_t *bytes, size_t length, struct vmr_error *err);

struct trace_block_header {
    uint64_t first_sequence;
    uint64_t exits_before;
    uint32_t records;
    uint32_t raw_size;
    uint32_t stored_size;
    enum vmr_trace_codec codec;
    uint64_t hash;
};

void trace_block_header_encode(const struct trace_block_header *header, uint8_t *ret_bytes);
/* False for anything but a header within the limits whose own hash fits. */
bool trace_block_header_decode(const uint8_t *bytes, struct trace_block_header *ret_header);

struct trace_footer {
    uint64_t records, exits, blocks;
    uint32_t entries, stride;
};

void trace_footer_encode(const struct trace_footer *footer, uint8_t *ret_bytes);
/* The fixed part; whether the hash behind the entries fits is the reader's to see. */
bool trace_footer_decode(const uint8_t *bytes, struct trace_footer *ret_footer);
