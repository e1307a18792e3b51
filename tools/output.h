/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file that is written front to back, in one of two ways.
 *
 *   OUTPUT_WHOLE   to a temporary name beside it, then renamed: all or nothing
 *   OUTPUT_STREAM  to its own name, each write at once: what was written before
 *                  a crash can be read
 *
 * Pipes, devices and "-" (stdout) are written directly. Nothing is opened before
 * output_open; until then writes are kept, so that a recording which cannot begin
 * destroys no older one.
 */

#include "vmrig/trace.h"

enum output_mode {
    OUTPUT_WHOLE,
    OUTPUT_STREAM
};

#define OUTPUT_BUFFER_BYTES 65536u

struct output {
    const char *name;
    enum output_mode mode;
    int fd;          /* -1: not open */
    char *target;    /* the file itself, behind symbolic links; NULL: written directly */
    char *temporary; /* OUTPUT_WHOLE */
    int failure;     /* the errno of the first failure; nothing is written after it */
    const char *failed_call;
    size_t length; /* bytes in `buffer` */
    uint8_t buffer[OUTPUT_BUFFER_BYTES];
};

void output_init(struct output *output, const char *name, enum output_mode mode);
VMR_MUST_CHECK enum vmr_status output_open(struct output *output, struct vmr_error *err);
/* The output as a trace sink; `output` must outlive it. */
void output_sink(struct output *output, struct vmr_trace_sink *ret_sink);
/* Writes what is kept, and gives a temporary file its name. After a failure: as output_discard. */
VMR_MUST_CHECK enum vmr_status output_finish(struct output *output, struct vmr_error *err);
/* Closes; removes a temporary file. After output_finish, or of a zeroed one, it does nothing. */
void output_discard(struct output *output);
/* The message of the call that failed, if one did; else `err` stays as the library filled it. */
void output_explain(const struct output *output, struct vmr_error *err);
bool output_is_terminal(const char *name);
