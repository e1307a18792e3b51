/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What comes in on stdin, brought to somebody who may have no room for it: raw
 * bytes, by a thread of its own, until stdin ends. A terminal stays as it is,
 * so that a line comes when it is ended, and Ctrl-C is a signal.
 */

#include <pthread.h>

#include "vmrig/error.h"

struct feed {
    const char *command; /* for messages */
    int fd;              /* a copy of stdin; -1: there is none */
    int stop[2];         /* a pipe: closing its end wakes the thread */
    pthread_t thread;
    bool started;
    /* Returns how many of the bytes there was room for. */
    size_t (*take)(void *context, const uint8_t *bytes, size_t length);
    void *context;
};

/* Before any file is opened: where stdin is closed, the next file has its number. */
void feed_init(struct feed *feed, const char *command);
/* From now on `take` is called, on the feed's thread. */
VMR_MUST_CHECK enum vmr_status feed_start(struct feed *feed,
                                          size_t (*take)(void *context, const uint8_t *bytes, size_t length),
                                          void *context, struct vmr_error *err);
/* No call runs or will run when this returns. Twice is fine. */
void feed_finish(struct feed *feed);
