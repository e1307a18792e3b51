/* SPDX-License-Identifier: MIT */
/*
 * Reading traces to their end: see traces.h.
 */

#include "fuzz/support/traces.h"

#include <string.h>

#include "fuzz/fuzz.h"

#define LINE_BYTES 256u

enum vmr_status traces_convert(struct traces_call call, const void *bytes, size_t length, struct bytes *ret_out,
                               struct vmr_trace_info *ret_info)
{
    struct vmr_trace_memory memory = {.bytes = bytes, .length = length};
    struct vmr_trace_source source;
    struct vmr_error err = {0};

    *ret_out = (struct bytes){.limit = TRACES_OUTPUT_MAX};
    const struct vmr_trace_sink sink = bytes_sink(ret_out);

    vmr_trace_source_memory(&memory, &source);
    enum vmr_status status = call.run(&source, &sink, ret_info, &err);

    FUZZ_CHECK(status == VMR_OK || err.message[0] != '\0');
    FUZZ_CHECK(memory.position <= length);
    return status;
}

static enum vmr_status pack_plain(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                                  struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    return vmr_trace_pack(source, VMR_TRACE_CODEC_NONE, sink, ret_info, err);
}

enum vmr_status traces_pack(const void *bytes, size_t length, struct bytes *ret_out, struct vmr_trace_info *ret_info)
{
    return traces_convert((struct traces_call){pack_plain}, bytes, length, ret_out, ret_info);
}

static void look_at(const struct vmr_trace_record *record)
{
    char line[LINE_BYTES];

    FUZZ_CHECK(record->kind && record->kind[0] != '\0');
    FUZZ_CHECK(record->text && !strchr(record->text, '\n'));
    if (!record->vp_exit)
        return;
    FUZZ_CHECK(vmr_exit_is_valid(record->vp_exit));
    (void)vmr_exit_print(record->vp_exit, line, sizeof(line));
}

enum vmr_status traces_read(const void *bytes, size_t length, bool strict, struct vmr_trace_info *ret_info)
{
    struct vmr_trace_memory memory = {.bytes = bytes, .length = length};
    const struct vmr_trace_read_options options = {.strict = strict};
    struct vmr_trace_reader *reader = NULL;
    struct vmr_trace_source source;
    struct vmr_trace_record record;
    struct vmr_trace_meta meta;
    uint64_t last = 0;
    bool end = false;

    vmr_trace_source_memory(&memory, &source);
    enum vmr_status status = vmr_trace_reader_create(&source, &options, &reader, NULL);

    if (status != VMR_OK)
        return status;
    for (size_t i = 0; vmr_trace_reader_get_meta(reader, i, &meta); i++)
        FUZZ_CHECK(meta.key[0] != '\0' && meta.value);
    for (size_t i = 0; status == VMR_OK && !end && i < TRACES_RECORDS_MAX; i++) {
        status = vmr_trace_reader_next(reader, &record, &end, NULL);
        if (status == VMR_OK && !end) {
            FUZZ_CHECK(i == 0 || record.sequence > last);
            last = record.sequence;
            look_at(&record);
        }
    }
    vmr_trace_reader_get_info(reader, ret_info);
    vmr_trace_reader_destroy(reader);
    return status;
}

bool traces_are_whole(const struct vmr_trace_info *info)
{
    return info->ended && info->damages == 0 && info->lost_bytes == 0 && info->lost_records == 0;
}
