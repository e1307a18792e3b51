/* SPDX-License-Identifier: MIT */
/*
 * Events of an ordinary process: eventfds, so that the kernel's hypervisor can
 * signal and watch them as well (eventfd(2)). A watch is a thread that waits for
 * its event and for a second one, which ends it. [EVT-1] [EVT-2]
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/os_fd.h"
#include "lib/base/os_host.h"

struct vmr_event_watch {
    int fd, stop;
    void (*ready)(void *argument);
    void *argument;
    struct vmr_thread *thread;
};

static enum vmr_status event_create(void *context, int *ret_fd)
{
    (void)context;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        return VMR_E_HOST;
    *ret_fd = fd;
    return VMR_OK;
}

static void event_destroy(void *context, int fd)
{
    (void)context;
    os_fd_close(fd);
}

static void event_signal(void *context, int fd)
{
    const uint64_t one = 1;

    (void)context;
    /* EAGAIN: the count is as high as it goes, so it is signalled. */
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static bool event_take(void *context, int fd)
{
    struct pollfd state = {.fd = fd, .events = POLLIN};
    uint64_t count = 0;
    ssize_t size;

    (void)context;
    /* The embedder's own may be a blocking one. */
    if (poll(&state, 1, 0) <= 0 || (state.revents & POLLIN) == 0)
        return false;
    do
        size = read(fd, &count, sizeof(count));
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof(count);
}

static void watch_main(void *argument)
{
    const struct vmr_event_watch *watch = argument;
    struct pollfd states[] = {{.fd = watch->fd, .events = POLLIN}, {.fd = watch->stop, .events = POLLIN}};

    for (;;) {
        if (poll(states, 2, -1) < 0)
            continue; /* EINTR; revents are what they were before, so nothing is to be read from them */
        if (states[1].revents != 0)
            return;
        if (event_take(NULL, watch->fd))
            watch->ready(watch->argument);
        else if ((states[0].revents & ~POLLIN) != 0)
            states[0].fd = -1; /* closed under the watch: nothing will come, and waiting for it would not wait */
    }
}

static enum vmr_status event_watch(void *context, int fd, void (*ready)(void *argument), void *argument,
                                   struct vmr_event_watch **ret_watch)
{
    struct vmr_event_watch *watch;

    if (fcntl(fd, F_GETFD) < 0)
        return VMR_E_USAGE;
    watch = calloc(1, sizeof(*watch));
    if (!watch)
        return VMR_E_NOMEM;
    *watch = (struct vmr_event_watch){.fd = fd, .stop = -1, .ready = ready, .argument = argument};
    enum vmr_status status = event_create(context, &watch->stop);

    if (!status)
        status = os_thread_start(context, "vmr-event", watch_main, watch, &watch->thread);
    if (status) {
        if (watch->stop >= 0)
            os_fd_close(watch->stop);
        free(watch);
        return status;
    }
    *ret_watch = watch;
    return VMR_OK;
}

static void event_unwatch(void *context, struct vmr_event_watch *watch)
{
    event_signal(context, watch->stop);
    os_thread_join(context, watch->thread);
    os_fd_close(watch->stop);
    free(watch);
}

const struct vmr_event_ops os_events = {
    .create = event_create,
    .destroy = event_destroy,
    .signal = event_signal,
    .take = event_take,
    .watch = event_watch,
    .unwatch = event_unwatch,
};
