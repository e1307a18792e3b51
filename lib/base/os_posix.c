/* SPDX-License-Identifier: MIT */
/*
 * The host of an ordinary POSIX process: the monotonic clock, pthreads, parkers
 * over a mutex and a condition variable. The only file of the library that
 * reads a clock or starts a thread. Its events are in os_event_linux.c. [HOST-1]
 */

#define _GNU_SOURCE /* pthread_setname_np */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/os_fd.h"
#include "lib/base/os_host.h"
#include "vmrig/host.h"

#define NS_PER_SECOND UINT64_C(1000000000)
/* pthread names hold 15 characters and a NUL. */
#define THREAD_NAME_MAX 15

struct vmr_parker {
    pthread_mutex_t mutex;
    pthread_cond_t permitted;
    bool permit;
};

struct vmr_thread {
    pthread_t os;
    void (*body)(void *argument);
    void *argument;
};

static uint64_t posix_now_ns(void *context)
{
    (void)context;
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void posix_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    const struct vmr_log *log = context;

    if (log && log->sink)
        log->sink(log->context, level, culprit, message);
}

static void *thread_main(void *argument)
{
    struct vmr_thread *thread = argument;

    thread->body(thread->argument);
    return NULL;
}

enum vmr_status os_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                struct vmr_thread **ret_thread)
{
    (void)context;
    struct vmr_thread *thread = calloc(1, sizeof(*thread));

    if (!thread)
        return VMR_E_NOMEM;
    thread->body = body;
    thread->argument = argument;
    if (pthread_create(&thread->os, NULL, thread_main, thread) != 0) {
        free(thread);
        return VMR_E_HOST;
    }
    char short_name[THREAD_NAME_MAX + 1] = {0};

    for (size_t i = 0; i < THREAD_NAME_MAX && name[i] != '\0'; i++)
        short_name[i] = name[i];
    (void)pthread_setname_np(thread->os, short_name); /* only a debugger would miss it */
    *ret_thread = thread;
    return VMR_OK;
}

void os_thread_join(void *context, struct vmr_thread *thread)
{
    (void)context;
    (void)pthread_join(thread->os, NULL);
    free(thread);
}

static enum vmr_status posix_parker_create(void *context, struct vmr_parker **ret_parker)
{
    (void)context;
    struct vmr_parker *parker = calloc(1, sizeof(*parker));
    pthread_condattr_t attributes;

    if (!parker)
        return VMR_E_NOMEM;
    (void)pthread_mutex_init(&parker->mutex, NULL);
    /* Deadlines are on the monotonic clock, which nobody sets. */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&parker->permitted, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    *ret_parker = parker;
    return VMR_OK;
}

static void posix_parker_destroy(void *context, struct vmr_parker *parker)
{
    (void)context;
    if (!parker)
        return;
    (void)pthread_cond_destroy(&parker->permitted);
    (void)pthread_mutex_destroy(&parker->mutex);
    free(parker);
}

static enum vmr_park_result posix_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    (void)context;
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / NS_PER_SECOND),
                                .tv_nsec = (long)(deadline_ns % NS_PER_SECOND)};
    int error = 0;

    (void)pthread_mutex_lock(&parker->mutex);
    while (!parker->permit && error != ETIMEDOUT) {
        if (deadline_ns == VMR_NEVER)
            error = pthread_cond_wait(&parker->permitted, &parker->mutex);
        else
            error = pthread_cond_timedwait(&parker->permitted, &parker->mutex, &deadline);
    }
    bool woken = parker->permit;

    parker->permit = false;
    (void)pthread_mutex_unlock(&parker->mutex);
    return woken ? VMR_PARK_WOKEN : VMR_PARK_TIMEOUT;
}

static void posix_unpark(void *context, struct vmr_parker *parker)
{
    (void)context;
    (void)pthread_mutex_lock(&parker->mutex);
    parker->permit = true;
    /* Signalled under the lock: the parked thread may free the parker as soon as it has the permit. */
    (void)pthread_cond_signal(&parker->permitted);
    (void)pthread_mutex_unlock(&parker->mutex);
}

static const struct vmr_host_ops posix_ops = {
    .now_ns = posix_now_ns,
    .log = posix_log,
    .thread_start = os_thread_start,
    .thread_join = os_thread_join,
    .parker_create = posix_parker_create,
    .parker_destroy = posix_parker_destroy,
    .park = posix_park,
    .unpark = posix_unpark,
    .events = &os_events,
};

void vmr_host_posix(struct vmr_host *ret_host, const struct vmr_log *log)
{
    /* The table's context is writable for hosts that need it; this one only reads the log through it. */
    *ret_host = (struct vmr_host){.ops = &posix_ops, .context = (void *)(uintptr_t)log};
}

void os_fd_close(int fd)
{
    (void)close(fd);
}
