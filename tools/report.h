/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the command says on stderr, and its exit statuses. One call is one line:
 * control characters in names and messages become '?'. Nothing here writes to
 * stdout, which belongs to results.
 */

#include "vmrig/host.h"

enum tool_status {
    TOOL_OK = 0,
    TOOL_FAILED = 1,
    TOOL_USAGE = 2
};

/* "vmrig run: what happened". `command` is "vmrig run". Any thread. */
void tool_say(const char *command, const char *format, ...) VMR_PRINTF(2, 3);
/* The same, and TOOL_FAILED. */
int tool_fail(const char *command, const char *format, ...) VMR_PRINTF(2, 3);
/* The same with a pointer to --help, and TOOL_USAGE. */
int tool_usage(const char *command, const char *format, ...) VMR_PRINTF(2, 3);
/* TOOL_USAGE for a value that a person chose wrongly (VMR_E_CONFIG, VMR_E_USAGE), else TOOL_FAILED. */
int tool_fail_choice(const char *command, const struct vmr_error *err);

/* Errors and warnings of the library, in the same form; context is the command's name. */
void tool_log(void *command, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message);

/* Writes out what stdio holds of stdout. `status`, or a failure that is reported. */
int tool_finish_stdout(const char *command, int status);
