/* SPDX-License-Identifier: MIT */
/*
 * The signals are blocked everywhere and waited for by one thread, so no handler
 * ever runs in the middle of something else. The thread is ended by a signal
 * of its own kind, with a flag that says so.
 */

#include "tools/interrupt.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* A process group's signal and one's own are one request that arrives twice; a person who asks again takes longer. */
#define SAME_REQUEST_S 1

void interrupt_init(struct interrupt *interrupt)
{
    memset(interrupt, 0, sizeof(*interrupt));
    (void)sigemptyset(&interrupt->signals);
    (void)sigaddset(&interrupt->signals, SIGINT);
    (void)sigaddset(&interrupt->signals, SIGTERM);
    (void)sigaddset(&interrupt->signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
}

static bool is_same_request(const struct timespec *first)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - first->tv_sec <= SAME_REQUEST_S;
}

static void *watch(void *context)
{
    struct interrupt *interrupt = context;
    struct timespec first = {0};
    int number = 0;

    while (sigwait(&interrupt->signals, &number) == 0 && !atomic_load(&interrupt->over)) {
        if (atomic_exchange(&interrupt->signal, number) == 0)
            (void)clock_gettime(CLOCK_MONOTONIC, &first);
        else if (is_same_request(&first))
            continue;
        else
            _exit(1); /* asked twice: whatever holds the first request up is not worth waiting for */
        interrupt->attention(interrupt->context);
    }
    return NULL;
}

enum vmr_status interrupt_start(struct interrupt *interrupt, void (*attention)(void *context), void *context,
                                struct vmr_error *err)
{
    interrupt->attention = attention;
    interrupt->context = context;

    int failure = pthread_create(&interrupt->thread, NULL, watch, interrupt);

    if (failure != 0)
        return vmr_error_set_host(err, failure, "cannot start a thread for signals");
    interrupt->started = true;
    return VMR_OK;
}

void interrupt_finish(struct interrupt *interrupt)
{
    if (!interrupt->started)
        return;
    atomic_store(&interrupt->over, true);
    (void)pthread_kill(interrupt->thread, SIGTERM);
    (void)pthread_join(interrupt->thread, NULL);
    interrupt->started = false;
}

bool interrupt_came(struct interrupt *interrupt)
{
    return atomic_load(&interrupt->signal) != 0;
}
