/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file that is written front to back, in one of two ways.
 *
 *   OUTFILE_WHOLE   to a temporary name beside it, then renamed: all or nothing
 *   OUTFILE_STREAM  to its own name, each write at once: what was written before
 *                  a crash can be read
 *
 * Pipes, devices and "-" (stdout) are written directly. Nothing is opened before
 * outfile_open; until then writes are kept, so that a recording which cannot begin
 * destroys no older one.
 */

#include "vmrig/trace.h"

enum outfile_mode {
    OUTFILE_WHOLE,
    OUTFILE_STREAM
};

#define OUTFILE_BUFFER_BYTES 65536u

struct outfile {
    const char *name;
    enum outfile_mode mode;
    int fd;          /* -1: not open */
    char *target;    /* the file itself, behind symbolic links; NULL: written directly */
    char *temporary; /* OUTFILE_WHOLE */
    int failure;     /* the errno of the first failure; nothing is written after it */
    const char *failed_call;
    size_t length; /* bytes in `buffer` */
    uint8_t buffer[OUTFILE_BUFFER_BYTES];
};

void outfile_init(struct outfile *output, const char *name, enum outfile_mode mode);
VMR_MUST_CHECK enum vmr_status outfile_open(struct outfile *output, struct vmr_error *err);
/* The output as a trace sink; `output` must outlive it. */
void outfile_sink(struct outfile *output, struct vmr_trace_sink *ret_sink);
/* Writes what is kept, and gives a temporary file its name. After a failure: as outfile_discard. */
VMR_MUST_CHECK enum vmr_status outfile_finish(struct outfile *output, struct vmr_error *err);
/* Closes; removes a temporary file. After outfile_finish, or of a zeroed one, it does nothing. */
void outfile_discard(struct outfile *output);
/* The message of the call that failed, if one did; else `err` stays as the library filled it. */
void outfile_explain(const struct outfile *output, struct vmr_error *err);
bool outfile_is_terminal(const char *name);
