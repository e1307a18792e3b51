/* SPDX-License-Identifier: MIT */
/*
 * Playing a recording: the machine of its metadata on a replay's handle and
 * host. What goes wrong is reported here, so that whoever plays only looks at
 * the status.
 */

#include "tools/player.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/console.h"
#include "tools/infile.h"
#include "tools/plan.h"
#include "tools/rejoin.h"
#include "tools/report.h"

struct play {
    const struct player_options *options;
    struct infile input;
    struct vmr_replay *replay;
    struct vmr_log log;
    struct vmr_host process_host;
    struct vmr_hypervisor_handle handle; /* these two belong to the replay */
    struct vmr_host host;
    struct plan plan;
    void *zeros; /* where the firmware was: see plan.h */
    struct console console;
    struct rejoin rejoin;
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

/* Here the recorded VP may have been stopped, for the machine to be saved. A failure is in the replay's result. */
static void follow_save(void *context, struct vmr_vp *vp)
{
    const struct play *play = context;

    if (vmr_replay_follow_flush(play->replay, vp) != VMR_OK)
        stop_all(context);
}

static enum vmr_status open_replay(struct play *play)
{
    const struct vmr_replay_options replay = {
        .stop = stop_vp, .end = stop_all, .context = play, .positions = play->options->from != NULL};
    struct vmr_trace_source source;
    enum vmr_status status = infile_open(&play->input, play->options->name, &play->err);

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
    struct vmr_machine_build_options machine = {.handle = &play->handle, .host = &play->host};

    play->zeros = calloc(1, play->plan.firmware_size + 1);
    if (!play->zeros)
        return vmr_error_set(&play->err, VMR_E_NOMEM, "no memory for %zu bytes of firmware", play->plan.firmware_size);
    play->plan.firmware = play->zeros;
    machine.clock = play->rejoin.clock;
    machine.yielded = follow_save;
    machine.exit_context = play;
    console_sink(&play->console, &machine.console);
    play->console.attention = stop_all;
    play->console.context = play;

    enum vmr_status status = plan_build(&play->plan, NULL, &machine, &play->machine, &play->err);

    if (status == VMR_OK)
        vmr_replay_set_partition(play->replay, vmr_machine_partition(play->machine));
    if (status == VMR_OK && play->options->from)
        status = rejoin_apply(&play->rejoin, play->replay, play->machine, &play->err);
    return status;
}

static enum vmr_status flush_again(void *argument, struct vmr_vp *vp)
{
    return vmr_replay_follow_flush(argument, vp);
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
    /* Saved when the guest had halted: that was the last. */
    if (status == VMR_OK && vmr_partition_vp_count(vmr_machine_partition(play->machine)) == 1)
        status = vmr_vp_set_call(vmr_machine_vp_set(play->machine), 0, flush_again, play->replay);
    if (status != VMR_OK)
        (void)vmr_error_set(&play->err, status, "the machine failed: %s", vmr_status_name(status));
    return status;
}

/* Sets play->result, whose error also says what kept the machine from being built as recorded. */
static enum vmr_status play_all(struct play *play)
{
    enum vmr_status status =
        play->options->from ? rejoin_open(&play->rejoin, play->options->from, &play->process_host, &play->err) : VMR_OK;

    if (status == VMR_OK)
        status = open_replay(play);
    if (status != VMR_OK)
        return status;
    status = create_machine(play);
    vmr_replay_get_result(play->replay, &play->result);
    if (status == VMR_OK && play->result.status == VMR_OK)
        status = run_machine(play);
    vmr_replay_get_result(play->replay, &play->result);
    if (play->result.status == VMR_OK || play->rejoin.failed)
        return status;
    play->err = play->result.error;
    return play->result.status;
}

static int report(struct play *play, enum vmr_status status)
{
    const char *name = play->options->name;
    const char *command = play->options->command;

    if (play->console.failure != 0)
        return tool_fail(command, "cannot write to stdout: %s", strerror(play->console.failure));
    if (status != VMR_OK) {
        infile_explain(&play->input, &play->err);
        if (!play->input.name || play->input.failure != 0 || play->rejoin.failed)
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
    rejoin_close(&play->rejoin);
    infile_close(&play->input);
    console_finish(&play->console);
    free(play->zeros);
    plan_finish(&play->plan);
}

int player_play(const struct player_options *options, struct vmr_replay_result *ret_result, uint64_t *ret_from)
{
    struct play play = {.options = options};

    play.log = (struct vmr_log){.sink = tool_log, .context = (void *)(uintptr_t)options->command};
    vmr_host_posix(&play.process_host, &play.log);
    console_init(&play.console, options->show, NULL);

    int result = report(&play, play_all(&play));

    *ret_result = play.result;
    *ret_from = play.rejoin.place.position.exits;
    play_finish(&play);
    return result;
}
