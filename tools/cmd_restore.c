/* SPDX-License-Identifier: MIT */
/*
 * vmrig restore: a machine that `vmrig run` saved goes on where it was, on the
 * same hypervisor or another.
 */

#include "tools/command.h"

#include <stdlib.h>
#include <string.h>

#include "tools/session.h"
#include "tools/snapfile.h"

#define TIMEOUT_MAX_S 1000000u

enum option {
    OPTION_PARENT,
    OPTION_HYPERVISOR,
    OPTION_UNTIL,
    OPTION_TIMEOUT,
    OPTION_SNAPSHOT_AT,
    OPTION_SNAPSHOT
};

static const struct args_option options[] = {
    [OPTION_PARENT] = {.name = "parent", .value = "FILE", .repeatable = true, .help = "what FILE was saved after"},
    [OPTION_HYPERVISOR] = {.name = "hypervisor", .value = "SPEC", .help = "NAME or NAME:KEY=VALUE,...; see probe"},
    [OPTION_UNTIL] = {.name = "until", .value = "TEXT", .help = "stop when the guest has printed TEXT"},
    [OPTION_TIMEOUT] = {.name = "timeout", .value = "SECONDS", .help = "give up after so long"},
    [OPTION_SNAPSHOT_AT] = SAVEPOINTS_AT_OPTION,
    [OPTION_SNAPSHOT] = SAVEPOINTS_FILE_OPTION,
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = {"FILE"},
    .details = "FILE may hold only what changed since another snapshot: then all those before it\n"
               "are --parent, the oldest first. The machine's clock goes on at the time at which\n"
               "it was saved. What the saved hypervisor has and this one has not is named on\n"
               "stderr, one line each. Console, stdin and exit status are as for 'vmrig run'.\n\n" SAVEPOINTS_HELP,
};

#define CHAIN_MAX (ARGS_GIVEN_MAX + 1u)

struct restore {
    struct session session;
    struct snapfile files[CHAIN_MAX];
    size_t count;
};

static enum vmr_status parse(struct session *session, const struct args *args)
{
    session->command = args->command;
    session->plan.until = args_value(args, OPTION_UNTIL);
    if (session->plan.until && !plan_until_fits(session->plan.until))
        return vmr_error_set(&session->err, VMR_E_USAGE, "--until takes 1 to %u bytes without control characters",
                             MATCHER_TEXT_MAX);
    enum vmr_status status = args_number(args, OPTION_TIMEOUT, 1, TIMEOUT_MAX_S, &session->timeout_s, &session->err);

    if (!status)
        status = savepoints_parse(&session->savepoints, args, OPTION_SNAPSHOT_AT, OPTION_SNAPSHOT, &session->err);
    return status;
}

static enum vmr_status open_chain(struct restore *restore, const struct args *args)
{
    const char *names[CHAIN_MAX];
    size_t parents = args_values(args, OPTION_PARENT, names);
    enum vmr_status status = VMR_OK;

    names[parents] = args->operands[0];
    for (; restore->count < parents + 1 && !status; restore->count++)
        status = snapfile_open(&restore->files[restore->count], names[restore->count], &restore->session.err);
    return status;
}

/* The firmware's bytes are in the saved memory: zeros of the same size stand for them until then. */
static enum vmr_status make_plan(struct session *session, const struct vmr_snapshot *snapshot, const char *name)
{
    struct vmr_machine_options saved;
    struct vmr_snapshot_blob config;
    struct vmr_error why = {0};
    enum vmr_status status = vmr_machine_options_saved(snapshot, &saved, &why);

    if (status)
        return vmr_error_set(&session->err, status, "'%s': %s", name, why.message);
    if (vmr_snapshot_find_blob(snapshot, SAVEPOINTS_CONFIG_BLOB, &config)) {
        status = plan_parse(config.bytes, config.length, &session->plan, &why);
        if (status)
            return vmr_error_set(&session->err, status, "'%s': %s", name, why.message);
        /* Of this clock there is a state; the configuration's delta is for its first second alone. */
        saved.rtc_epoch_s = PLAN_RTC_EPOCH_S;
    }
    if ((saved.firmware_size == 0 && !session->plan.file) || saved.firmware_size > PLAN_FIRMWARE_MAX)
        return vmr_error_set(&session->err, VMR_E_CORRUPT, "'%s': firmware of %zu bytes", name, saved.firmware_size);
    session->firmware = calloc(1, saved.firmware_size + 1);
    if (!session->firmware)
        return vmr_error_set(&session->err, VMR_E_NOMEM, "out of memory");
    session->plan.memory_size = saved.memory_size;
    session->plan.vps = saved.vps;
    session->plan.rtc_epoch_s = saved.rtc_epoch_s;
    session->plan.firmware = session->firmware;
    session->plan.firmware_size = saved.firmware_size;
    return VMR_OK;
}

static void tell_skipped(void *context, const struct vmr_snapshot_state *state, const char *class_name)
{
    const struct session *session = context;

    if (state->scope == VMR_SNAPSHOT_VP)
        tool_say(session->command, "vp %u: '%s' is only on one of the two hypervisors", state->vp, class_name);
    else
        tool_say(session->command, "vm: '%s' is only on one of the two hypervisors", class_name);
}

static enum vmr_status restore_machine(struct restore *restore)
{
    struct vmr_snapshot *chain[CHAIN_MAX];
    const struct vmr_snapshot_restore_options lenient = {
        .other_hypervisor = true, .skipped = tell_skipped, .context = &restore->session};

    for (size_t i = 0; i < restore->count; i++)
        chain[i] = restore->files[i].snapshot;
    return vmr_machine_restore(restore->session.machine, chain, restore->count, &lenient, &restore->session.err);
}

static int restore_parsed(struct restore *restore, const struct args *args)
{
    struct session *session = &restore->session;
    enum vmr_status status = session_init(session);

    if (!status)
        status = open_chain(restore, args);
    /* What is wrong with a file is no wrong choice of a hypervisor. */
    if (status)
        return tool_fail(session->command, "%s", session->err.message);
    status = make_plan(session, restore->files[restore->count - 1].snapshot, args->operands[0]);
    if (status)
        return tool_fail(session->command, "%s", session->err.message);
    status = session_open_hypervisor(session, args_value(args, OPTION_HYPERVISOR));
    if (!status)
        status = session_create(session);
    if (!status)
        status = restore_machine(restore);
    return status ? session_fail(session) : session_run(session);
}

static int run(const struct args *args)
{
    struct restore *restore = calloc(1, sizeof(*restore));
    int result;

    if (!restore)
        return tool_fail(args->command, "out of memory");
    if (parse(&restore->session, args) != VMR_OK) {
        result = tool_usage(args->command, "%s", restore->session.err.message);
    } else {
        result = restore_parsed(restore, args);
        session_finish(&restore->session);
    }
    for (size_t i = 0; i < restore->count; i++)
        snapfile_close(&restore->files[i]);
    free(restore);
    return result;
}

const struct command command_restore = {
    .name = "restore", .summary = "Lets a saved machine go on.", .spec = &spec, .run = run};
