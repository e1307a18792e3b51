/* SPDX-License-Identifier: MIT */
/*
 * Two traces, record by record. The order of records is the order of
 * execution, so behind the first difference the two may only be loosely
 * related; that is why it alone is shown with its surroundings.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/trace/output.h"
#include "lib/trace/trace_reader.h"
#include "lib/trace/trace_text.h"

struct side {
    const char *name;
    struct trace_reader *reader;
    struct trace_record record;
    struct writer exit_before; /* its line */
    bool end;
};

struct diff {
    struct side sides[2];
    const struct vmr_trace_diff_options *options;
    struct output output;
    uint64_t differences;
    uint64_t by_kind[TRACE_KIND_MAX + 1];
};

static void print_record(struct writer *line, const struct trace_record *record)
{
    if (trace_record_is_reaction(record))
        writer_copy(line, "~ ", 2);
    trace_text_print_body(line, record);
}

static enum vmr_status step(struct side *side, struct vmr_error *err)
{
    if (side->end)
        return VMR_OK;
    return trace_reader_next(side->reader, &side->record, &side->end, err);
}

static bool is_ignored(const struct diff *diff, const struct trace_record *a, const struct trace_record *b)
{
    return diff->options->skip_time && a->kind == TRACE_TIME && b->kind == TRACE_TIME && a->vp == b->vp;
}

static void print_side(struct diff *diff, const struct side *side)
{
    output_print(&diff->output, "%s: ", side->name);
    if (side->end) {
        output_print(&diff->output, "ends here");
    } else {
        const struct trace_record *record = &side->record;

        if (record->vp == TRACE_NO_VP)
            output_print(&diff->output, "%llu vm ", (unsigned long long)record->sequence);
        else
            output_print(&diff->output, "%llu vp%u ", (unsigned long long)record->sequence, record->vp);
        print_record(&diff->output.text, record);
    }
    output_line_end(&diff->output);
}

static void print_first(struct diff *diff)
{
    const struct side *side = diff->sides[0].end ? &diff->sides[1] : &diff->sides[0];

    output_print(&diff->output, "first difference at record %llu, exit %llu", (unsigned long long)side->record.sequence,
                 (unsigned long long)side->record.exit);
    output_line_end(&diff->output);
    if (side->exit_before.length > 0) {
        output_print(&diff->output, "exit before: ");
        writer_copy(&diff->output.text, side->exit_before.bytes, side->exit_before.length);
        output_line_end(&diff->output);
    }
    print_side(diff, &diff->sides[0]);
    print_side(diff, &diff->sides[1]);
}

static void remember_exits(struct diff *diff)
{
    for (size_t i = 0; i < 2; i++) {
        struct side *side = &diff->sides[i];

        if (side->end || side->record.kind != TRACE_EXIT)
            continue;
        writer_clear(&side->exit_before);
        print_record(&side->exit_before, &side->record);
    }
}

static enum vmr_status compare(struct diff *diff, struct vmr_error *err)
{
    struct side *left = &diff->sides[0], *right = &diff->sides[1];

    for (;;) {
        enum vmr_status status = step(left, err);

        if (!status)
            status = step(right, err);
        if (status)
            return status;
        if (left->end && right->end)
            return VMR_OK;
        bool same =
            !left->end && !right->end &&
            (trace_record_equal(&left->record, &right->record) || is_ignored(diff, &left->record, &right->record));

        if (!same) {
            if (diff->differences++ == 0)
                print_first(diff);
            diff->by_kind[(left->end ? right : left)->record.kind & TRACE_KIND_MAX]++;
            if (!diff->options->all)
                return VMR_OK;
        }
        remember_exits(diff);
    }
}

static void print_counts(struct diff *diff)
{
    if (diff->differences == 0 || !diff->options->all)
        return;
    output_print(&diff->output, "%llu records differ", (unsigned long long)diff->differences);
    output_line_end(&diff->output);
    for (unsigned kind = 0; kind <= TRACE_KIND_MAX; kind++) {
        const struct trace_kind_info *info = trace_kind_info(kind);

        if (diff->by_kind[kind] == 0)
            continue;
        output_print(&diff->output, "  %s %llu", info ? info->name : "optional",
                     (unsigned long long)diff->by_kind[kind]);
        output_line_end(&diff->output);
    }
}

static enum vmr_status open_sides(struct diff *diff, const struct vmr_trace_source *left,
                                  const struct vmr_trace_source *right, struct vmr_error *err)
{
    const struct vmr_trace_source *sources[2] = {left, right};
    static const char *const names[2] = {"left", "right"};

    for (size_t i = 0; i < 2; i++) {
        diff->sides[i].name = names[i];
        writer_init(&diff->sides[i].exit_before, TEXT_LINE_MAX);
        enum vmr_status status = trace_reader_create(sources[i], true, &diff->sides[i].reader, err);

        if (status)
            return status;
    }
    return VMR_OK;
}

enum vmr_status vmr_trace_diff(const struct vmr_trace_source *left, const struct vmr_trace_source *right,
                               const struct vmr_trace_diff_options *options, const struct vmr_trace_sink *sink,
                               bool *ret_equal, struct vmr_error *err)
{
    static const struct vmr_trace_diff_options defaults = {0};
    struct diff diff = {.options = options ? options : &defaults};

    output_init(&diff.output, sink);
    enum vmr_status status = open_sides(&diff, left, right, err);

    if (!status)
        status = compare(&diff, err);
    if (!status)
        print_counts(&diff);
    enum vmr_status written = output_finish(&diff.output, status ? NULL : err);

    for (size_t i = 0; i < 2; i++) {
        trace_reader_destroy(diff.sides[i].reader);
        writer_finish(&diff.sides[i].exit_before);
    }
    if (!status)
        status = written;
    if (!status)
        *ret_equal = diff.differences == 0;
    return status;
}
