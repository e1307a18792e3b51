/* SPDX-License-Identifier: MIT */
/*
 * vmrig replay: a recording of `vmrig run`, played to the library without a
 * hypervisor, every reaction checked against the recorded one.
 *
 * The machine is built from the recording's metadata. The console is what the
 * devices print while replaying: what the recording holds of it is only checked.
 */

#include "tools/command.h"

#include <inttypes.h>
#include <string.h>

#include "tools/player.h"

#define REPEAT_MAX 1000000u

enum option {
    OPTION_CONSOLE,
    OPTION_FROM,
    OPTION_REPEAT
};

static const struct args_option options[] = {
    [OPTION_CONSOLE] = {.name = "console", .help = "print on stdout what the guest prints"},
    [OPTION_FROM] = {.name = "from", .value = "SNAPSHOT", .help = "begin there: saved while FILE was recorded"},
    [OPTION_REPEAT] = {.name = "repeat", .value = "N", .help = "play it N times, until the first that fails"},
};

static const struct args_spec spec = {
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = {"FILE"},
    .details = "Exit status 0 only if all of it was played and the library did what was\n"
               "recorded. FILE is .vmt or .vmtx; - is stdin.\n\n"
               "SNAPSHOT is of 'vmrig run --record FILE --snapshot-at ... --snapshot SNAPSHOT'. What\n"
               "was recorded before it is passed over; the rest is played and checked as ever.\n",
};

static int run(const struct args *args)
{
    struct vmr_error err = {0};
    const struct player_options player = {.command = args->command,
                                          .name = args->operands[0],
                                          .show = args_has(args, OPTION_CONSOLE),
                                          .from = args_value(args, OPTION_FROM)};
    struct vmr_replay_result played = {0};
    uint64_t repeat = 1, from = 0;

    if (args_number(args, OPTION_REPEAT, 1, REPEAT_MAX, &repeat, &err) != VMR_OK)
        return tool_usage(args->command, "%s", err.message);
    if (repeat > 1 && strcmp(args->operands[0], "-") == 0)
        return tool_usage(args->command, "stdin cannot be played %" PRIu64 " times", repeat);
    for (uint64_t i = 0; i < repeat; i++) {
        int result = player_play(&player, &played, &from);

        if (result != TOOL_OK)
            return result;
    }
    if (repeat > 1)
        tool_say(args->command, "%" PRIu64 " exits, 0 divergences, %" PRIu64 " times", played.exits, repeat);
    else if (player.from)
        tool_say(args->command, "%" PRIu64 " exits behind exit %" PRIu64 ", 0 divergences", played.exits - from, from);
    else
        tool_say(args->command, "%" PRIu64 " exits, 0 divergences", played.exits);
    return TOOL_OK;
}

const struct command command_replay = {
    .name = "replay", .summary = "Replays a recording without a hypervisor and checks it.", .spec = &spec, .run = run};
