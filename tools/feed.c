/* SPDX-License-Identifier: MIT */
/*
 * Nobody says when there is room again, so a byte is tried from time to time:
 * one, because a recorder keeps also what found no room.
 */

#define _GNU_SOURCE /* pipe2, F_DUPFD_CLOEXEC */

#include "tools/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tools/report.h"

#define FEED_BYTES 4096u
#define FULL_PAUSE_MS 20
#define BACKGROUND_PAUSE_MS 200

void feed_init(struct feed *feed, const char *command)
{
    *feed = (struct feed){.command = command, .fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), .stop = {-1, -1}};
}

/* False: it is over. */
static bool pause_for(const struct feed *feed, int milliseconds)
{
    struct pollfd stop = {.fd = feed->stop[0], .events = POLLIN};

    return poll(&stop, 1, milliseconds) <= 0;
}

/* False: it is over. */
static bool wait_for_input(const struct feed *feed)
{
    struct pollfd files[2] = {{.fd = feed->stop[0], .events = POLLIN}, {.fd = feed->fd, .events = POLLIN}};

    while (poll(files, 2, -1) < 0) {
        if (errno != EINTR)
            return false;
    }
    return files[0].revents == 0;
}

/* A terminal that just now belongs to somebody else: what is typed there is not for the guest. */
static bool is_in_background(const struct feed *feed, int failure)
{
    return failure == EIO && isatty(feed->fd) == 1 && tcgetpgrp(feed->fd) != getpgrp();
}

/* Returns 0 when there is no more. */
static size_t read_some(const struct feed *feed, uint8_t *ret_bytes)
{
    while (wait_for_input(feed)) {
        ssize_t length = read(feed->fd, ret_bytes, FEED_BYTES);
        int failure = errno;

        if (length >= 0)
            return (size_t)length;
        if (failure == EINTR || failure == EAGAIN)
            continue;
        if (!is_in_background(feed, failure)) {
            tool_say(feed->command, "warning: cannot read stdin: %s", strerror(failure));
            return 0;
        }
        if (!pause_for(feed, BACKGROUND_PAUSE_MS))
            return 0;
    }
    return 0;
}

/* False: it is over. */
static bool give(const struct feed *feed, const uint8_t *bytes, size_t length)
{
    bool full = false;

    for (size_t given = 0; given < length;) {
        size_t offered = full ? 1 : length - given;
        size_t taken = feed->take(feed->context, bytes + given, offered);

        given += taken;
        full = taken < offered;
        if (full && !pause_for(feed, FULL_PAUSE_MS))
            return false;
    }
    return true;
}

static void *carry(void *context)
{
    const struct feed *feed = context;
    uint8_t bytes[FEED_BYTES];
    sigset_t signals;
    size_t length;

    /* In the background, reading is to fail, and not to stop the process with its VPs. */
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTTIN);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    do
        length = read_some(feed, bytes);
    while (length > 0 && give(feed, bytes, length));
    return NULL;
}

enum vmr_status feed_start(struct feed *feed, size_t (*take)(void *context, const uint8_t *bytes, size_t length),
                           void *context, struct vmr_error *err)
{
    if (feed->fd < 0)
        return VMR_OK;
    feed->take = take;
    feed->context = context;
    if (pipe2(feed->stop, O_CLOEXEC) != 0)
        return vmr_error_set_host(err, errno, "cannot make a pipe");

    int failure = pthread_create(&feed->thread, NULL, carry, feed);

    if (failure != 0)
        return vmr_error_set_host(err, failure, "cannot start a thread for stdin");
    feed->started = true;
    return VMR_OK;
}

static void close_file(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void feed_finish(struct feed *feed)
{
    close_file(&feed->stop[1]);
    if (feed->started)
        (void)pthread_join(feed->thread, NULL);
    feed->started = false;
    close_file(&feed->stop[0]);
    close_file(&feed->fd);
}
