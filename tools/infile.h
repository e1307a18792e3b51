/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file that is read front to back: a trace, a firmware image. "-" is stdin.
 * Errors name the file.
 */

#include "vmrig/trace.h"

struct infile {
    int fd;
    const char *name;
    int failure; /* the errno of the read that failed; 0: none did */
};

VMR_MUST_CHECK enum vmr_status infile_open(struct infile *input, const char *name, struct vmr_error *err);
/* A zeroed one is fine. */
void infile_close(struct infile *input);

/* The input as a trace source; `input` must outlive it. */
void infile_source(struct infile *input, struct vmr_trace_source *ret_source);
/* The message of the read that failed, if one did; else `err` stays as the library filled it. */
void infile_explain(const struct infile *input, struct vmr_error *err);

/* All of it, for free(); refused when empty or larger than `limit`. */
VMR_MUST_CHECK enum vmr_status infile_read_all(struct infile *input, size_t limit, void **ret_bytes, size_t *ret_size,
                                               struct vmr_error *err);
