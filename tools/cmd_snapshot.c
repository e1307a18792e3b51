/* SPDX-License-Identifier: MIT */
/* vmrig snapshot and vmrig inspect: looking into saved machines. */

#include "tools/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "tools/snapfile.h"

static int fail(const char *command, const struct vmr_error *err)
{
    return tool_fail(command, "%s", err->message);
}

/* --- info --- */

static const struct args_spec info_spec = {.operands = {"FILE"},
                                           .details = "Everything in FILE is read and checked.\n"};

static int run_info(const struct args *args)
{
    struct vmr_error err = {0};
    struct vmr_snapshot_info info;
    struct snapfile file;
    enum vmr_status status = snapfile_open(&file, args->operands[0], &err);

    if (status) {
        snapfile_close(&file);
        return fail(args->command, &err);
    }
    vmr_snapshot_get_info(file.snapshot, &info);
    (void)printf("id %#" PRIx64 "\nparent %#" PRIx64 "\n", info.id, info.parent_id);
    (void)printf("vps %" PRIu32 "\nmemory %" PRIu64 "\nregions %" PRIu64 "\npages %" PRIu64 "\n", info.vp_count,
                 info.memory_size, info.region_count, info.page_count);
    (void)printf("states %" PRIu64 "\nblobs %" PRIu64 "\nskipped %" PRIu64 "\n", info.state_count, info.blob_count,
                 info.skipped_count);
    if (info.has_clock)
        (void)printf("clock-ns %" PRIu64 "\n", info.clock_ns);
    snapfile_close(&file);
    return TOOL_OK;
}

/* --- diff --- */

enum diff_option {
    DIFF_TIME
};
static const struct args_option diff_options[] = {
    [DIFF_TIME] = {.name = "time", .help = "also compare what moves by itself, such as clocks"},
};
static const struct args_spec diff_spec = {
    .options = diff_options,
    .option_count = sizeof(diff_options) / sizeof(diff_options[0]),
    .operands = {"FILE", "FILE"},
    .details = "Prints each field that differs, and each page if both files are full. Exit status\n"
               "0 if nothing differs, else 1.\n",
};

static void print_place(const struct vmr_snapshot_state *state)
{
    if (state->scope == VMR_SNAPSHOT_VP)
        (void)printf("vp %" PRIu32 " ", state->vp);
    else
        (void)printf(state->scope == VMR_SNAPSHOT_VM ? "vm " : "device ");
    (void)printf("%s", state->type->name);
    if (state->vtl > 0)
        (void)printf(".vtl%" PRIu32, state->vtl);
    if (state->instance > 0)
        (void)printf(".%" PRIu32, state->instance);
}

static void print_state(void *context, const struct vmr_snapshot_state *left, const struct vmr_snapshot_state *right,
                        const struct vmr_state_difference *difference)
{
    (void)context;
    print_place(left ? left : right);
    if (!difference) {
        (void)printf(" is only in the %s\n", left ? "first" : "second");
        return;
    }
    (void)printf(" %s", difference->field->name);
    if (difference->field->count > 1)
        (void)printf("[%" PRIu32 "]", difference->element);
    (void)printf(" %#" PRIx64 " %#" PRIx64 "\n", difference->left, difference->right);
}

static void print_page(void *context, vmr_gpa gpa)
{
    (void)context;
    (void)printf("page %#" PRIx64 "\n", gpa);
}

static int run_diff(const struct args *args)
{
    const struct vmr_snapshot_differences differences = {.state = print_state, .page = print_page};
    struct snapfile left = {.fd = -1}, right = {.fd = -1};
    struct vmr_error err = {0};
    uint64_t count = 0;
    enum vmr_status status = snapfile_open(&left, args->operands[0], &err);

    if (!status)
        status = snapfile_open(&right, args->operands[1], &err);
    if (!status)
        status =
            vmr_snapshot_compare(left.snapshot, right.snapshot, args_has(args, DIFF_TIME), &differences, &count, &err);
    snapfile_close(&left);
    snapfile_close(&right);
    if (status)
        return fail(args->command, &err);
    return count > 0 ? TOOL_FAILED : TOOL_OK;
}

/* --- inspect --- */

enum inspect_option {
    INSPECT_JSON
};
static const struct args_option inspect_options[] = {
    [INSPECT_JSON] = {.name = "json", .help = "one JSON object instead of text"},
};
static const struct args_spec inspect_spec = {
    .options = inspect_options,
    .option_count = sizeof(inspect_options) / sizeof(inspect_options[0]),
    .operands = {"FILE"},
    .details = "Prints all state in a snapshot: of the machine, its devices and its processors.\n"
               "In text, elements of arrays and lines of bytes that are zero are left out.\n",
};

static void write_text(void *context, const char *text, size_t length)
{
    (void)context;
    (void)fwrite(text, 1, length, stdout);
}

static int run_inspect(const struct args *args)
{
    const struct vmr_text_sink sink = {.write = write_text};
    struct vmr_error err = {0};
    struct snapfile file;
    enum vmr_status status = snapfile_open(&file, args->operands[0], &err);

    if (!status)
        status = vmr_snapshot_print(file.snapshot, args_has(args, INSPECT_JSON) ? VMR_STATE_JSON : VMR_STATE_TEXT,
                                    &sink, &err);
    snapfile_close(&file);
    return status ? fail(args->command, &err) : TOOL_OK;
}

static const struct command commands[] = {
    {.name = "info", .summary = "Says what a snapshot holds.", .spec = &info_spec, .run = run_info},
    {.name = "diff", .summary = "Says where two snapshots differ.", .spec = &diff_spec, .run = run_diff},
    {0},
};

const struct command command_snapshot = {
    .name = "snapshot", .summary = "Looks at saved machines.", .commands = commands};
const struct command command_inspect = {
    .name = "inspect", .summary = "Prints the state in a snapshot.", .spec = &inspect_spec, .run = run_inspect};
