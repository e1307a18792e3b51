/* SPDX-License-Identifier: MIT */
/*
 * The vmrig command: finds the command that the words name and runs it.
 *
 * Results go to stdout, everything else to stderr. The exit status is 0, 1 when
 * something failed, 2 when the words are wrong.
 */

#define _GNU_SOURCE /* sigaction */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

static int run_group(const char *path, const struct command *group, char *const *words);

static void print_group_help(const char *path, const struct command *group)
{
    if (group->runs_alone) {
        args_print_help(stdout, path, group->spec, group->summary);
        (void)printf("\nOr %s COMMAND [ARGUMENT]...:\n\n", path);
    } else {
        (void)printf("usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\n%s\n\n", path, group->summary);
    }
    for (const struct command *row = group->commands; row->name; row++)
        (void)printf("  %-10s %s\n", row->name, row->summary);
    for (size_t i = 0; group->spec && !group->runs_alone && i < group->spec->option_count; i++)
        (void)printf("  --%s %s  %s\n", group->spec->options[i].name, group->spec->options[i].value,
                     group->spec->options[i].help);
    (void)printf("\n'%s COMMAND --help' says more.\n"
                 "Exit status: 0, 1 (failed), 2 (wrong use of the command).\n",
                 path);
}

static int run_command(const char *path, const struct command *command, char *const *words)
{
    struct vmr_error err = {0};
    struct args args;

    if (args_parse(path, command->spec, words, &args, &err) != VMR_OK)
        return tool_usage(path, "%s", err.message);
    if (args.help)
        args_print_help(stdout, path, command->spec, command->summary);
    return tool_finish_stdout(path, args.help ? TOOL_OK : command->run(&args));
}

static int run_group(const char *path, const struct command *group, char *const *words)
{
    const char *word = words[0];
    char longer[64];

    if (!word && group->runs_alone)
        return run_command(path, group, words);
    if (!word)
        return tool_usage(path, "a command is missing");
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_group_help(path, group);
        return tool_finish_stdout(path, TOOL_OK);
    }
    if (group->run && word[0] == '-')
        return run_command(path, group, words);
    for (const struct command *row = group->commands; row->name; row++) {
        if (strcmp(row->name, word) != 0)
            continue;
        (void)snprintf(longer, sizeof(longer), "%s %s", path, row->name);
        return row->commands ? run_group(longer, row, words + 1) : run_command(longer, row, words + 1);
    }
    return tool_usage(path, "unknown command '%s'", word);
}

int main(int argc, char **argv)
{
    const struct command commands[] = {
        command_version, command_probe, command_run,    command_restore, command_snapshot, command_inspect,
        command_replay,  command_trace, command_config, command_certify, command_bench,    {0},
    };
    const struct command vmrig = {
        .summary = "A virtual machine monitor with a replaceable hypervisor: runs, records, replays, certifies.",
        .commands = commands,
    };
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    /* A reader that goes away is a write that fails, and is reported as one. */
    (void)sigaction(SIGPIPE, &ignore, NULL);
    return run_group("vmrig", &vmrig, argc > 0 ? argv + 1 : argv);
}
