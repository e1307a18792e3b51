/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to a sink.
 */

#include "lib/trace/output.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/trace/trace_text.h"

/* A sink's call costs more than copying this much. */
#define PIECE_BYTES 32768u

void output_init(struct output *output, const struct vmr_trace_sink *sink)
{
    output->sink = *sink;
    output->status = VMR_OK;
    /* A piece, and on top of it the head of a trace or its longest line. */
    writer_init(&output->text, PIECE_BYTES + 8u * VMR_TRACE_HEADER_BYTES_MAX);
}

void output_flush(struct output *output)
{
    if (!output->status && !writer_ok(&output->text))
        output->status = VMR_E_NOMEM;
    if (!output->status && output->text.length > 0)
        output->status = output->sink.write(output->sink.context, output->text.bytes, output->text.length);
    writer_clear(&output->text);
}

void output_line_end(struct output *output)
{
    writer_u8(&output->text, '\n');
    if (output->text.length >= PIECE_BYTES)
        output_flush(output);
}

void output_print(struct output *output, const char *format, ...)
{
    char buffer[512];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(buffer, sizeof(buffer), format, arguments);

    va_end(arguments);
    if (length > 0)
        writer_copy(&output->text, buffer, (size_t)length < sizeof(buffer) ? (size_t)length : sizeof(buffer) - 1);
}

enum vmr_status output_finish(struct output *output, struct vmr_error *err)
{
    output_flush(output);
    writer_finish(&output->text);
    if (output->status)
        return vmr_error_set(err, output->status, "trace: writing failed");
    return VMR_OK;
}
