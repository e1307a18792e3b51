/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the trace tests share: bytes that grow, records of every kind, and
 * traces made of them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/writer.h"
#include "lib/trace/record.h"
#include "lib/trace/trace_writer.h"
#include "vmrig/backend.h"
#include "vmrig/trace.h"

/* Everything that a sink was given. */
void bytes_sink(struct writer *ret_bytes, struct vmr_trace_sink *ret_sink);
/* A source over bytes; `memory` holds the place. */
struct vmr_trace_source bytes_source(struct vmr_trace_memory *memory, const void *bytes, size_t length);

/* At least one record of each kind, in an order that is no recording's. Valid until the test ends. */
const struct trace_record *sample_records(size_t *ret_count);

struct sample_options {
    enum vmr_trace_codec codec; /* 0: none */
    size_t repeat;              /* the samples so often; 0: 1 */
    bool without_footer;
    bool long_blocks;   /* in format 1.0 */
    bool with_optional; /* one of an unknown kind that may be skipped, after each round */
};
/* A trace of the samples. */
void make_trace(const struct sample_options *options, struct writer *ret_trace);
/* Its text. */
void print_trace(const struct writer *trace, struct writer *ret_text);

#define CHECK_OK(status) assert_string_equal(vmr_status_name(status), "ok")
#define CHECK_STATUS(status, wanted) assert_string_equal(vmr_status_name(status), vmr_status_name(wanted))
