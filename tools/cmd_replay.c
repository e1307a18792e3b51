/* SPDX-License-Identifier: MIT */
/*
 * vmrig replay: a recording of `vmrig run`, played to the library without a
 * hypervisor, every reaction checked against the recorded one.
 *
 * The machine is built from the recording's metadata. The console is what the
 * devices print while replaying: the recording holds no console output.
 */

#include "tools/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console.h"
#include "tools/infile.h"
#include "tools/plan.h"

#define REPEAT_MAX 1000000u

enum option {
    OPTION_CONSOLE,
    OPTION_REPEAT
};

static const struct args_option options[] = {
    [OPTION_CONSOLE] = {.name = "console", .help = "print on stdout what the guest prints"},
    [OPTION_REPEAT] = {.name = "repeat", .value = "N", .help = "play it N times, until the first that fails"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = {"FILE"},
    .details = "Exit status 0 only if all of it was played and the library did what was\n"
               "recorded. FILE is .vmt or .vmtx; - is stdin.\n",
};

struct play {
    const struct args *args;
    struct infile input;
    struct vmr_replay *replay;
    struct vmr_log log;
    struct vmr_host process_host;
    struct vmr_hypervisor_handle handle; /* these two belong to the replay */
    struct vmr_host host;
    struct plan plan;
    void *zeros; /* where the firmware was: see plan.h */
    struct console console;
    struct vmr_machine *machine;
    struct vmr_replay_result result;
    struct vmr_error err;
};

static void stop_vp(void *context, vmr_vp_index vp)
{
    const struct play *play = context;

    (void)vp;
    if (play->machine)
        vmr_machine_request_stop(play->machine);
}

static void stop_all(void *context)
{
    stop_vp(context, 0);
}

static enum vmr_status open_replay(struct play *play)
{
    const struct vmr_replay_options replay = {.stop = stop_vp, .end = stop_all, .context = play};
    struct vmr_trace_source source;
    enum vmr_status status = infile_open(&play->input, play->args->operands[0], &play->err);

    if (status != VMR_OK)
        return status;
    infile_source(&play->input, &source);
    status = vmr_replay_create(&source, &replay, &play->replay, &play->err);
    if (status == VMR_OK)
        status = plan_from_replay(play->replay, &play->plan, &play->err);
    if (status == VMR_OK)
        status = vmr_replay_attach(play->replay, &play->process_host, &play->handle, &play->host, &play->err);
    return status;
}

static enum vmr_status create_machine(struct play *play)
{
    struct vmr_machine_options machine;

    play->zeros = calloc(1, play->plan.firmware_size);
    if (!play->zeros)
        return vmr_error_set(&play->err, VMR_E_NOMEM, "no memory for %zu bytes of firmware", play->plan.firmware_size);
    play->plan.firmware = play->zeros;
    plan_to_machine(&play->plan, &machine);
    machine.handle = &play->handle;
    machine.host = &play->host;
    console_sink(&play->console, &machine.console);
    play->console.attention = stop_all;
    play->console.context = play;

    enum vmr_status status = vmr_machine_create(&machine, &play->machine, &play->err);

    if (status == VMR_OK)
        vmr_replay_set_partition(play->replay, vmr_machine_partition(play->machine));
    return status;
}

static enum vmr_status run_machine(struct play *play)
{
    struct vmr_vp_set_halt halt;
    enum vmr_status status = vmr_machine_start(play->machine);

    if (status == VMR_OK)
        status = vmr_machine_wait(play->machine, VMR_NEVER, &halt);

    enum vmr_status stopped = vmr_machine_stop(play->machine);

    console_flush(&play->console);
    if (status == VMR_OK)
        status = stopped;
    if (status != VMR_OK)
        (void)vmr_error_set(&play->err, status, "the machine failed: %s", vmr_status_name(status));
    return status;
}

/* Sets play->result, whose error also says what kept the machine from being built as recorded. */
static enum vmr_status play_all(struct play *play)
{
    enum vmr_status status = open_replay(play);

    if (status != VMR_OK)
        return status;
    status = create_machine(play);
    vmr_replay_get_result(play->replay, &play->result);
    if (status == VMR_OK && play->result.status == VMR_OK)
        status = run_machine(play);
    vmr_replay_get_result(play->replay, &play->result);
    if (play->result.status == VMR_OK)
        return status;
    play->err = play->result.error;
    return play->result.status;
}

static int report(struct play *play, enum vmr_status status)
{
    const char *name = play->args->operands[0];
    const char *command = play->args->command;

    if (play->console.failure != 0)
        return tool_fail(command, "cannot write to stdout: %s", strerror(play->console.failure));
    if (status != VMR_OK) {
        infile_explain(&play->input, &play->err);
        if (!play->input.name || play->input.failure != 0)
            return tool_fail(command, "%s", play->err.message);
        return tool_fail(command, "'%s': %s%s", name, status == VMR_E_DIVERGED ? "diverged at " : "",
                         play->err.message);
    }
    if (!play->result.ended)
        return tool_fail(command, "'%s': the machine halted at exit %" PRIu64 ", before the end of the recording", name,
                         play->result.exits);
    if (play->result.cut)
        return tool_fail(command, "'%s': cut short: %" PRIu64 " exits, 0 divergences, and no end", name,
                         play->result.exits);
    return TOOL_OK;
}

static void play_finish(struct play *play)
{
    vmr_machine_destroy(play->machine);
    vmr_replay_destroy(play->replay);
    infile_close(&play->input);
    console_finish(&play->console);
    free(play->zeros);
}

static int play_once(const struct args *args, uint64_t *ret_exits)
{
    struct play play = {.args = args};

    play.log = (struct vmr_log){.sink = tool_log, .context = (void *)(uintptr_t)args->command};
    vmr_host_posix(&play.process_host, &play.log);
    console_init(&play.console, args_has(args, OPTION_CONSOLE), NULL);

    int result = report(&play, play_all(&play));

    *ret_exits = play.result.exits;
    play_finish(&play);
    return result;
}

static int run(const struct args *args)
{
    struct vmr_error err = {0};
    uint64_t repeat = 1, exits = 0;

    if (args_number(args, OPTION_REPEAT, 1, REPEAT_MAX, &repeat, &err) != VMR_OK)
        return tool_usage(args->command, "%s", err.message);
    if (repeat > 1 && strcmp(args->operands[0], "-") == 0)
        return tool_usage(args->command, "stdin cannot be played %" PRIu64 " times", repeat);
    for (uint64_t i = 0; i < repeat; i++) {
        int result = play_once(args, &exits);

        if (result != TOOL_OK)
            return result;
    }
    if (repeat > 1)
        tool_say(args->command, "%" PRIu64 " exits, 0 divergences, %" PRIu64 " times", exits, repeat);
    else
        tool_say(args->command, "%" PRIu64 " exits, 0 divergences", exits);
    return TOOL_OK;
}

const struct command command_replay = {
    .name = "replay", .summary = "Replays a recording without a hypervisor and checks it.", .spec = &spec, .run = run};
