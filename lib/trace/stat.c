/* SPDX-License-Identifier: MIT */
/*
 * What a trace is, and what is in it: for people and for scripts, one "key
 * value" a line.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/trace/output.h"
#include "lib/trace/trace_reader.h"

#define PORT_COUNT 65536u
/* Ports that are shown, the busiest first. */
#define PORT_SHOWN_MAX 16u

struct stat {
    uint64_t records[TRACE_KIND_MAX + 1];
    uint64_t bytes[TRACE_KIND_MAX + 1];
    uint64_t exits[VMR_EXIT_KIND_COUNT];
    uint64_t ports[PORT_COUNT];
};

static void print_number(struct output *output, const char *key, uint64_t value)
{
    output_print(output, "%s %" PRIu64, key, value);
    output_line_end(output);
}

static void print_info(struct output *output, const struct vmr_trace_info *info)
{
    output_print(output, "format %u.%u %s", info->major, info->minor, info->text ? "text" : "binary");
    output_line_end(output);
    output_print(output, "codec %s", info->codec == VMR_TRACE_CODEC_ZSTD ? "zstd" : "none");
    output_line_end(output);
    output_print(output, "reactions %s", info->inputs_only ? "cut-out" : "kept");
    output_line_end(output);
    print_number(output, "records", info->records);
    print_number(output, "exits", info->exits);
    print_number(output, "raw-bytes", info->raw_bytes);
    print_number(output, "stored-bytes", info->stored_bytes);
    output_print(output, "complete %s", info->cut ? "no" : "yes");
    output_line_end(output);
    if (info->skipped_optional > 0)
        print_number(output, "unknown-optional-records", info->skipped_optional);
    if (info->damages == 0 && info->lost_bytes == 0)
        return;
    print_number(output, "damages", info->damages);
    print_number(output, "first-damage-offset", info->first_damage);
    print_number(output, "lost-bytes", info->lost_bytes);
    print_number(output, "lost-records", info->lost_records);
}

static void print_meta(struct output *output, const struct trace_reader *reader)
{
    struct reader tables;
    struct trace_table table;

    trace_reader_tables(reader, &tables);
    while (trace_table_next(&tables, &table)) {
        if (table.type != TRACE_TABLE_META)
            continue;
        output_print(output, "meta ");
        writer_copy(&output->text, table.bytes, table.length);
        output_line_end(output);
    }
}

static void count(struct stat *stat, const struct trace_record *record, size_t size)
{
    stat->records[record->kind & TRACE_KIND_MAX]++;
    stat->bytes[record->kind & TRACE_KIND_MAX] += size;
    if (record->kind != TRACE_EXIT)
        return;
    stat->exits[record->vp_exit->kind]++; /* the decoder has checked it */
    if (record->vp_exit->kind == VMR_EXIT_IO)
        stat->ports[record->vp_exit->u.io.port]++;
}

static void print_kinds(struct output *output, const struct stat *stat)
{
    for (unsigned kind = 0; kind <= TRACE_KIND_MAX; kind++) {
        const struct trace_kind_info *info = trace_kind_info(kind);

        if (stat->records[kind] == 0)
            continue;
        output_print(output, "records.%s %" PRIu64 " bytes %" PRIu64, info ? info->name : "optional",
                     stat->records[kind], stat->bytes[kind]);
        output_line_end(output);
    }
    for (uint32_t kind = 0; kind < VMR_EXIT_KIND_COUNT; kind++) {
        if (stat->exits[kind] == 0)
            continue;
        output_print(output, "exits.%s %" PRIu64, vmr_exit_kind_name(kind), stat->exits[kind]);
        output_line_end(output);
    }
}

/* Takes the ports that it has shown out of the counts. */
static void print_ports(struct output *output, struct stat *stat)
{
    for (unsigned shown = 0; shown < PORT_SHOWN_MAX; shown++) {
        unsigned busiest = 0;

        for (unsigned port = 1; port < PORT_COUNT; port++) {
            if (stat->ports[port] > stat->ports[busiest])
                busiest = port;
        }
        if (stat->ports[busiest] == 0)
            return;
        output_print(output, "exits.port.%#06x %" PRIu64, busiest, stat->ports[busiest]);
        output_line_end(output);
        stat->ports[busiest] = 0;
    }
}

static void print_ratio(struct output *output, const char *key, uint64_t bytes, uint64_t exits)
{
    if (exits == 0)
        return;
    output_print(output, "%s %.2f", key, (double)bytes / (double)exits);
    output_line_end(output);
}

/* Reads to the end; `stat` may be NULL. */
static enum vmr_status read_all(struct trace_reader *reader, struct stat *stat, struct vmr_error *err)
{
    for (;;) {
        struct trace_record record;
        bool end;
        enum vmr_status status = trace_reader_next(reader, &record, &end, err);

        if (status || end)
            return status;
        if (stat)
            count(stat, &record, trace_reader_last_size(reader));
    }
}

static enum vmr_status report(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                              struct stat *stat, struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    struct trace_reader *reader;
    struct output output;
    struct vmr_trace_info info;
    enum vmr_status status = trace_reader_create(source, false, &reader, err);

    if (status)
        return status;
    output_init(&output, sink);
    status = read_all(reader, stat, err);
    trace_reader_info(reader, &info);
    if (!status) {
        print_info(&output, &info);
        if (stat) {
            print_ratio(&output, "raw-bytes-per-exit", info.raw_bytes, info.exits);
            print_ratio(&output, "stored-bytes-per-exit", info.stored_bytes, info.exits);
            print_kinds(&output, stat);
            print_ports(&output, stat);
        } else {
            print_meta(&output, reader);
        }
    }
    enum vmr_status written = output_finish(&output, status ? NULL : err);

    trace_reader_destroy(reader);
    if (ret_info)
        *ret_info = info;
    return status ? status : written;
}

enum vmr_status vmr_trace_describe(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                                   struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    return report(source, sink, NULL, ret_info, err);
}

enum vmr_status vmr_trace_stat(const struct vmr_trace_source *source, const struct vmr_trace_sink *sink,
                               struct vmr_trace_info *ret_info, struct vmr_error *err)
{
    struct stat *stat = calloc(1, sizeof(*stat));

    if (!stat)
        return vmr_error_set(err, VMR_E_NOMEM, "trace: out of memory");
    enum vmr_status status = report(source, sink, stat, ret_info, err);

    free(stat);
    return status;
}
