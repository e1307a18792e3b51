/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a command of `vmrig` is. Each lives in its own cmd_<name>.c; main.c lists
 * them, parses the words by `spec` and calls `run`, which returns the exit status.
 */

#include "tools/args.h"
#include "tools/report.h"

struct command {
    const char *name;
    const char *summary; /* one line */
    /* A command of its own; of a group, what it does when options follow its name instead of a command. */
    const struct args_spec *spec;
    int (*run)(const struct args *args);
    const struct command *commands; /* a group: ends with a NULL name */
    bool runs_alone;                /* a group that is first of all a command: `run` needs no options */
};

extern const struct command command_version;
extern const struct command command_probe;
extern const struct command command_run;
extern const struct command command_restore;
extern const struct command command_snapshot;
extern const struct command command_inspect;
extern const struct command command_replay;
extern const struct command command_trace;
extern const struct command command_certify;
extern const struct command command_bench;
extern const struct command command_config;
