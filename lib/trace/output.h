/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text for a sink, collected into pieces of some size: shared by everything
 * that prints.
 */

#include "lib/base/writer.h"
#include "vmrig/trace.h"

struct output {
    struct vmr_trace_sink sink;
    struct writer text;
    enum vmr_status status;
};

void output_init(struct output *output, const struct vmr_trace_sink *sink);
/* Hands over what is collected. */
void output_flush(struct output *output);
/* The same once there is much of it: call between lines. */
void output_line_end(struct output *output);
void output_print(struct output *output, const char *format, ...) VMR_PRINTF(2, 3);
/* The last flush, and the first failure. */
enum vmr_status output_finish(struct output *output, struct vmr_error *err);
