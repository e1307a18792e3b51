/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Traces that nobody recorded: whole ones with one number changed and every
 * checksum made to fit again, so that it is the number that is judged.
 */

#include "tests/replay/bytes.h"

enum damage {
    DAMAGE_MAJOR,         /* a format of the future, which says that old readers cannot read it */
    DAMAGE_TABLES_LENGTH, /* one byte more of tables than allowed */
    DAMAGE_TABLES_HUGE,   /* 4 GiB of tables */
    DAMAGE_RAW_SIZE,      /* a block of 4 GiB, unpacked */
    DAMAGE_RAW_OVER,      /* one byte more than allowed */
    DAMAGE_STORED_SIZE,   /* a block of 4 GiB in the file */
    DAMAGE_RECORDS,       /* 2^32 - 1 records in a block */
    DAMAGE_CODEC,         /* a compression that does not exist */
    DAMAGE_COUNT
};

const char *damage_name(enum damage damage);
/* The result is a copy. */
void damage_make(const struct bytes *trace, enum damage damage, struct bytes *ret_trace);
/* The offset of the n-th block from 0, or of what is behind the last. */
size_t damage_block_offset(const struct bytes *trace, size_t n);
/* The sequence number of the first record of the block there; UINT64_MAX: there is no block. */
uint64_t damage_block_first(const struct bytes *trace, size_t offset);
