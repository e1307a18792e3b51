/* SPDX-License-Identifier: MIT */
/*
 * Lines for stderr. A line is formatted, cleaned and written by one call, so
 * that lines of several threads do not mix and no file name breaks one in two.
 */

#include "tools/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 2048

/* Bytes of the UTF-8 sequence at `at` (RFC 3629, without the finer rules for the second byte); 0: it is none. */
static size_t sequence_length(const unsigned char *at)
{
    size_t length = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;

    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2)
            return 0;
    }
    return length;
}

/* Names and other people's bytes stay readable where they are text, and can do a terminal no harm where not. */
static void clean(char *message)
{
    unsigned char *at = (unsigned char *)message;

    while (*at != '\0') {
        size_t length = sequence_length(at);

        if (length == 0 || *at < 0x20 || *at == 0x7f)
            *at = '?';
        at += length ? length : 1;
    }
}

static void print_line(const char *command, const char *suffix, const char *format, va_list arguments) VMR_PRINTF(3, 0);

static void print_line(const char *command, const char *suffix, const char *format, va_list arguments)
{
    char message[LINE_MAX_BYTES];

    (void)vsnprintf(message, sizeof(message), format, arguments);
    clean(message);
    /* Where stderr is closed nobody can be told. */
    (void)fprintf(stderr, "%s: %s%s\n", command, message, suffix);
}

void tool_say(const char *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(command, "", format, arguments);
    va_end(arguments);
}

int tool_fail(const char *command, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(command, "", format, arguments);
    va_end(arguments);
    return TOOL_FAILED;
}

int tool_usage(const char *command, const char *format, ...)
{
    char suffix[128];
    va_list arguments;

    (void)snprintf(suffix, sizeof(suffix), " (see '%s --help')", command);
    va_start(arguments, format);
    print_line(command, suffix, format, arguments);
    va_end(arguments);
    return TOOL_USAGE;
}

int tool_fail_choice(const char *command, const struct vmr_error *err)
{
    if (err->status == VMR_E_CONFIG || err->status == VMR_E_USAGE)
        return tool_usage(command, "%s", err->message);
    return tool_fail(command, "%s", err->message);
}

void tool_log(void *command, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    (void)culprit;
    if (level > VMR_LOG_WARNING)
        return;
    tool_say(command, "%s: %s", level == VMR_LOG_ERROR ? "error" : "warning", message);
}

int tool_finish_stdout(const char *command, int status)
{
    errno = 0;
    /* What failed already has been reported, with its reason. */
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != TOOL_OK)
        return status;
    if (errno == 0)
        return tool_fail(command, "cannot write to stdout");
    return tool_fail(command, "cannot write to stdout: %s", strerror(errno));
}
