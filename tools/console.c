/* SPDX-License-Identifier: MIT */
/*
 * The guest's console on stdout. On a terminal each byte appears at once, since
 * a prompt has no line end; elsewhere whole lines are written.
 */

#define _GNU_SOURCE /* isatty */

#include "tools/console.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void console_init(struct console *console, bool show, const char *until)
{
    *console = (struct console){.show = show};
    (void)pthread_mutex_init(&console->lock, NULL);
    for (size_t i = 0; i < VMR_CONSOLE_SOURCE_COUNT && until; i++)
        console->searching = matcher_init(&console->matchers[i], until);
    if (show)
        (void)setvbuf(stdout, NULL, isatty(STDOUT_FILENO) == 1 ? _IONBF : _IOLBF, 4096);
}

void console_finish(struct console *console)
{
    (void)pthread_mutex_destroy(&console->lock);
}

static void note_failure(struct console *console)
{
    if (console->failure == 0)
        console->failure = errno != 0 ? errno : EIO;
}

/* Whether there is now a reason to end the run that was not there before. */
static bool take(struct console *console, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    bool had_reason = console->found || console->failure != 0;

    errno = 0;
    /* fwrite counts bytes that it could put into the buffer, also when writing out the buffer then fails. */
    if (console->show && console->failure == 0 && (fwrite(bytes, 1, length, stdout) != length || ferror(stdout)))
        note_failure(console);
    if (console->searching && matcher_feed(&console->matchers[source], bytes, length))
        console->found = true;
    return !had_reason && (console->found || console->failure != 0);
}

static void write_bytes(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    struct console *console = context;

    (void)pthread_mutex_lock(&console->lock);

    bool attention = take(console, source, bytes, length);

    (void)pthread_mutex_unlock(&console->lock);
    if (attention && console->attention)
        console->attention(console->context);
}

void console_sink(struct console *console, struct vmr_console_sink *ret_sink)
{
    *ret_sink = (struct vmr_console_sink){.write = write_bytes, .context = console};
}

void console_flush(struct console *console)
{
    errno = 0;
    if (console->show && console->failure == 0 && fflush(stdout) != 0)
        note_failure(console);
}
