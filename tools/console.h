/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the guest prints: to stdout, and past a search for the text that ends
 * the run. Serial port and debug console are shown as they come and searched
 * apart, so that one does not break the other's text.
 */

#include <pthread.h>

#include "tools/matcher.h"
#include "vmrig/machine.h"

struct console {
    pthread_mutex_t lock; /* several VPs may print at once */
    bool show;
    bool searching;
    bool found;  /* the text was shown */
    int failure; /* the errno of the write to stdout that failed */
    struct matcher matchers[VMR_CONSOLE_SOURCE_COUNT];
    /* Called once `found` or `failure` is set, without the lock; on the VP's thread. */
    void (*attention)(void *context);
    void *context;
};

/* `until` may be NULL; otherwise it is one that matcher_init takes. */
void console_init(struct console *console, bool show, const char *until);
void console_finish(struct console *console);
void console_sink(struct console *console, struct vmr_console_sink *ret_sink);
/* The VPs stopped: writes out what is held back. */
void console_flush(struct console *console);
