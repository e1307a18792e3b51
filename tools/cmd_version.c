/* SPDX-License-Identifier: MIT */
/*
 * vmrig version: the version of the library that is linked, and what this build
 * of it can do.
 */

#include "tools/command.h"

#include <stdio.h>

#include "vmrig/trace.h"

static int run(const struct args *args)
{
    (void)args;
    (void)printf("vmrig %s\n", vmr_version());
    (void)printf("compressed recordings: %s\n", vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD) ? "zstd" : "no");
    return TOOL_OK;
}

static const struct args_spec spec = {0};

const struct command command_version = {.name = "version", .summary = "Prints the version.", .spec = &spec, .run = run};
