/* SPDX-License-Identifier: MIT */
/*
 * vmrig trace: looking at recordings and making others from them.
 *
 * A damaged trace is processed as far as it can be read; what was skipped is one
 * line on stderr and status 1. Files that are made appear whole or not at all.
 */

#include "tools/command.h"

#include <inttypes.h>
#include <string.h>

#include "tools/infile.h"
#include "tools/number.h"
#include "tools/outfile.h"
#include "vmrig/trace.h"

#define INPUT_MAX 2u

/* What every trace command has: its inputs, its output, the library's answer. */
struct job {
    const struct args *args;
    struct infile inputs[INPUT_MAX];
    struct vmr_trace_source sources[INPUT_MAX];
    struct outfile output;
    struct vmr_trace_sink sink;
    struct vmr_trace_info info;
    struct vmr_error err;
};

static void job_finish(struct job *job)
{
    outfile_discard(&job->output);
    for (size_t i = 0; i < INPUT_MAX; i++)
        infile_close(&job->inputs[i]);
}

/* Opens every operand, and the output. `binary` output does not go to a terminal. */
static int job_init(struct job *job, const struct args *args, const char *output_name, bool binary)
{
    const char *name = output_name ? output_name : "-";

    memset(job, 0, sizeof(*job));
    job->args = args;
    if (binary && outfile_is_terminal(name))
        return tool_usage(args->command, "the result is binary and stdout is a terminal: give -o FILE");
    for (size_t i = 0; i < args->operand_count; i++) {
        if (infile_open(&job->inputs[i], args->operands[i], &job->err) != VMR_OK) {
            job_finish(job);
            return tool_fail(args->command, "%s", job->err.message);
        }
        infile_source(&job->inputs[i], &job->sources[i]);
    }
    outfile_init(&job->output, name, OUTFILE_WHOLE);
    if (outfile_open(&job->output, &job->err) != VMR_OK) {
        job_finish(job);
        return tool_fail(args->command, "%s", job->err.message);
    }
    outfile_sink(&job->output, &job->sink);
    return TOOL_OK;
}

/* The reason that is nearest to the cause: a file that cannot be written or read, else what the library says. */
static int job_fail(struct job *job)
{
    size_t i = 0;

    outfile_explain(&job->output, &job->err);
    while (i < job->args->operand_count && job->inputs[i].failure == 0)
        i++;
    if (i < job->args->operand_count)
        infile_explain(&job->inputs[i], &job->err);
    if (job->output.failure != 0 || i < job->args->operand_count || job->args->operand_count > 1)
        (void)tool_fail(job->args->command, "%s", job->err.message);
    else
        (void)tool_fail(job->args->command, "'%s': %s", job->args->operands[0], job->err.message);
    job_finish(job);
    return TOOL_FAILED;
}

/* What could not be read. */
static int report_damage(const char *command, const char *name, const struct vmr_trace_info *info)
{
    if (info->damages > 0)
        return tool_fail(command,
                         "'%s': damaged at offset %" PRIu64 ", %" PRIu64 " place%s in all: %" PRIu64
                         " bytes and %" PRIu64 " records lost",
                         name, info->first_damage, info->damages, info->damages == 1 ? "" : "s", info->lost_bytes,
                         info->lost_records);
    /* Without its end read, as by a cut that needs no more, nothing is known of it. */
    if (info->ended && info->cut)
        return tool_fail(command, "'%s': cut short: there is no footer behind record %" PRIu64, name, info->records);
    return TOOL_OK;
}

static int job_end(struct job *job, enum vmr_status status)
{
    int result;

    if (status != VMR_OK || outfile_finish(&job->output, &job->err) != VMR_OK)
        return job_fail(job);
    result = report_damage(job->args->command, job->args->operands[0], &job->info);
    job_finish(job);
    return result;
}

/* --- the options --- */

static const struct args_spec one_file = {.operands = {"FILE"}, .details = "FILE is .vmt or .vmtx; - is stdin.\n"};

enum print_option {
    PRINT_OUTPUT
};
static const struct args_option print_options[] = {
    [PRINT_OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE", .help = "write there instead of to stdout"},
};
static const struct args_spec print_spec = {
    .options = print_options, .option_count = sizeof(print_options) / sizeof(print_options[0]), .operands = {"FILE"}};

enum pack_option {
    PACK_OUTPUT,
    PACK_CODEC
};
static const struct args_option pack_options[] = {
    [PACK_OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE", .help = "write there instead of to stdout"},
    [PACK_CODEC] = {.name = "codec", .value = "none|zstd", .help = "compression (default: as the input says)"},
};
static const struct args_spec pack_spec = {
    .options = pack_options, .option_count = sizeof(pack_options) / sizeof(pack_options[0]), .operands = {"FILE"}};

enum cut_option {
    CUT_OUTPUT,
    CUT_CODEC,
    CUT_EXITS,
    CUT_INPUTS_ONLY
};
static const struct args_option cut_options[] = {
    [CUT_OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE", .help = "write there instead of to stdout"},
    [CUT_CODEC] = {.name = "codec", .value = "none|zstd", .help = "compression (default: as the input says)"},
    [CUT_EXITS] = {.name = "exits", .value = "N", .help = "keep the first N exits and what follows from the last"},
    [CUT_INPUTS_ONLY] = {.name = "inputs-only", .help = "leave out reactions: a replay then checks nothing"},
};
static const struct args_spec cut_spec = {
    .options = cut_options, .option_count = sizeof(cut_options) / sizeof(cut_options[0]), .operands = {"FILE"}};

enum diff_option {
    DIFF_ALL,
    DIFF_SKIP_TIME
};
static const struct args_option diff_options[] = {
    [DIFF_ALL] = {.name = "all", .help = "go on after the first difference, and count by kind"},
    [DIFF_SKIP_TIME] = {.name = "skip-time", .help = "take times as equal"},
};
static const struct args_spec diff_spec = {.options = diff_options,
                                           .option_count = sizeof(diff_options) / sizeof(diff_options[0]),
                                           .operands = {"LEFT", "RIGHT"},
                                           .details = "Exit status 1 if they differ.\n"};

static enum vmr_status choose_codec(const struct args *args, size_t option, enum vmr_trace_codec *ret_codec,
                                    struct vmr_error *err)
{
    const char *name = args_value(args, option);

    if (!name)
        *ret_codec = VMR_TRACE_CODEC_DEFAULT;
    else if (strcmp(name, "none") == 0)
        *ret_codec = VMR_TRACE_CODEC_NONE;
    else if (strcmp(name, "zstd") == 0)
        *ret_codec = VMR_TRACE_CODEC_ZSTD;
    else
        return vmr_error_set(err, VMR_E_USAGE, "--codec '%s' is not none or zstd", name);
    if (!vmr_trace_codec_available(*ret_codec))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "--codec %s: this build has no zstd", name);
    return VMR_OK;
}

/* --- the commands --- */

static int run_info(const struct args *args)
{
    struct job job;
    int failed = job_init(&job, args, NULL, false);

    return failed ? failed : job_end(&job, vmr_trace_describe(&job.sources[0], &job.sink, &job.info, &job.err));
}

static int run_print(const struct args *args)
{
    struct job job;
    int failed = job_init(&job, args, args_value(args, PRINT_OUTPUT), false);

    return failed ? failed : job_end(&job, vmr_trace_print(&job.sources[0], &job.sink, &job.info, &job.err));
}

static int run_stat(const struct args *args)
{
    struct job job;
    int failed = job_init(&job, args, NULL, false);

    return failed ? failed : job_end(&job, vmr_trace_stat(&job.sources[0], &job.sink, &job.info, &job.err));
}

static int run_pack(const struct args *args)
{
    struct vmr_error err = {0};
    enum vmr_trace_codec codec = VMR_TRACE_CODEC_DEFAULT;
    struct job job;

    if (choose_codec(args, PACK_CODEC, &codec, &err) != VMR_OK)
        return tool_fail_choice(args->command, &err);

    int failed = job_init(&job, args, args_value(args, PACK_OUTPUT), true);

    return failed ? failed : job_end(&job, vmr_trace_pack(&job.sources[0], codec, &job.sink, &job.info, &job.err));
}

static int run_cut(const struct args *args)
{
    struct vmr_trace_cut_options cut = {.inputs_only = args_has(args, CUT_INPUTS_ONLY)};
    struct vmr_error err = {0};
    struct job job;
    enum vmr_status status = choose_codec(args, CUT_CODEC, &cut.codec, &err);

    if (status == VMR_OK)
        status = args_number(args, CUT_EXITS, 1, UINT64_MAX, &cut.exits, &err);
    if (status != VMR_OK)
        return tool_fail_choice(args->command, &err);
    if (cut.exits == 0 && !cut.inputs_only)
        return tool_usage(args->command, "nothing to cut: give --exits N or --inputs-only");

    int failed = job_init(&job, args, args_value(args, CUT_OUTPUT), true);

    return failed ? failed : job_end(&job, vmr_trace_cut(&job.sources[0], &cut, &job.sink, &job.info, &job.err));
}

static int run_diff(const struct args *args)
{
    const struct vmr_trace_diff_options diff = {.all = args_has(args, DIFF_ALL),
                                                .skip_time = args_has(args, DIFF_SKIP_TIME)};
    bool equal = false;
    struct job job;

    if (strcmp(args->operands[0], "-") == 0 && strcmp(args->operands[1], "-") == 0)
        return tool_usage(args->command, "only one of the two can be stdin");

    int failed = job_init(&job, args, NULL, false);

    if (failed)
        return failed;

    enum vmr_status status = vmr_trace_diff(&job.sources[0], &job.sources[1], &diff, &job.sink, &equal, &job.err);

    failed = job_end(&job, status);
    return failed || equal ? failed : TOOL_FAILED;
}

static const struct command commands[] = {
    {.name = "info",
     .summary = "Prints what a trace is: version, metadata, length, damage.",
     .spec = &one_file,
     .run = run_info},
    {.name = "print", .summary = "Writes a trace as text (.vmtx).", .spec = &print_spec, .run = run_print},
    {.name = "pack", .summary = "Writes a trace as binary (.vmt).", .spec = &pack_spec, .run = run_pack},
    {.name = "diff", .summary = "Compares two traces record by record.", .spec = &diff_spec, .run = run_diff},
    {.name = "stat",
     .summary = "Counts what is in a trace: records, exits, bytes.",
     .spec = &one_file,
     .run = run_stat},
    {.name = "cut", .summary = "Writes a shorter trace.", .spec = &cut_spec, .run = run_cut},
    {0},
};

const struct command command_trace = {
    .name = "trace", .summary = "Looks at recordings and makes others from them.", .commands = commands};
