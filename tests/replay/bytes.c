/* SPDX-License-Identifier: MIT */
/*
 * Growing buffers and files. A failure prints what it was and aborts.
 */

#include "tests/replay/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good, const char *what, const char *why)
{
    if (good)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

void bytes_append(struct bytes *bytes, const void *more, size_t length)
{
    if (bytes->capacity - bytes->length <= length) {
        bytes->capacity = 2 * bytes->capacity + length + 1;
        bytes->at = realloc(bytes->at, bytes->capacity);
        must(bytes->at != NULL, "bytes", "out of memory");
    }
    if (length > 0)
        memcpy(bytes->at + bytes->length, more, length);
    bytes->length += length;
    bytes->at[bytes->length] = 0;
}

void bytes_finish(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

bool bytes_equal(const struct bytes *a, const struct bytes *b)
{
    return a->length == b->length && bytes_begin_with(a, b);
}

bool bytes_begin_with(const struct bytes *whole, const struct bytes *beginning)
{
    return beginning->length == 0 ||
           (beginning->length <= whole->length && memcmp(whole->at, beginning->at, beginning->length) == 0);
}

void bytes_read_file(const char *folder, const char *name, struct bytes *ret_bytes)
{
    char path[1024], piece[4096];

    (void)snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "", folder ? "/" : "", name);
    FILE *file = fopen(path, "rb");

    must(file != NULL, path, "cannot be opened");
    *ret_bytes = (struct bytes){0};
    bytes_append(ret_bytes, "", 0);
    for (size_t got = fread(piece, 1, sizeof(piece), file); got > 0; got = fread(piece, 1, sizeof(piece), file))
        bytes_append(ret_bytes, piece, got);
    must(!ferror(file), path, "cannot be read");
    (void)fclose(file);
}

void bytes_write_file(const char *path, const struct bytes *bytes)
{
    FILE *file = fopen(path, "wb");

    must(file != NULL, path, "cannot be opened");
    must(fwrite(bytes->at, 1, bytes->length, file) == bytes->length && fclose(file) == 0, path, "cannot be written");
}

static enum vmr_status sink_write(void *context, const void *more, size_t length)
{
    bytes_append(context, more, length);
    return VMR_OK;
}

struct vmr_trace_sink bytes_sink(struct bytes *bytes)
{
    return (struct vmr_trace_sink){.write = sink_write, .context = bytes};
}

/* --- whole traces --- */

struct conversion {
    struct vmr_trace_memory memory;
    struct vmr_trace_source source;
    struct vmr_trace_sink sink;
    struct vmr_error err;
};

static void begin(struct conversion *conversion, const struct bytes *trace, struct bytes *result)
{
    *conversion = (struct conversion){.memory = {.bytes = trace->at, .length = trace->length}};
    vmr_trace_source_memory(&conversion->memory, &conversion->source);
    *result = (struct bytes){0};
    bytes_append(result, "", 0);
    conversion->sink = bytes_sink(result);
}

void bytes_print(const struct bytes *trace, struct bytes *ret_text)
{
    struct conversion job;

    begin(&job, trace, ret_text);
    must(vmr_trace_print(&job.source, &job.sink, NULL, &job.err) == VMR_OK, "print", job.err.message);
}

void bytes_pack(const struct bytes *trace, enum vmr_trace_codec codec, struct bytes *ret_trace)
{
    struct conversion job;

    begin(&job, trace, ret_trace);
    must(vmr_trace_pack(&job.source, codec, &job.sink, NULL, &job.err) == VMR_OK, "pack", job.err.message);
}

void bytes_cut(const struct bytes *trace, const struct vmr_trace_cut_options *options, struct bytes *ret_trace)
{
    struct conversion job;

    begin(&job, trace, ret_trace);
    must(vmr_trace_cut(&job.source, options, &job.sink, NULL, &job.err) == VMR_OK, "cut", job.err.message);
}
