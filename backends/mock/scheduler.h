/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The scheduler's insides, shared by scheduler.c (threads, turns, time),
 * scheduler_host.c (the host interface on top) and scheduler_event.c (its events).
 *
 * Exactly one thread runs. Another gets its turn only inside the functions
 * below, so what lies between two calls is atomic.
 */

#include "backends/mock/chooser.h"
#include "backends/mock/coroutine.h"

enum thread_state {
    THREAD_READY,
    THREAD_BLOCKED,  /* until a wake of `object`, or its deadline */
    THREAD_SPINNING, /* until anybody else has moved, or its deadline */
    THREAD_ENDED
};

struct vmr_thread {
    struct vmr_scheduler *scheduler;
    struct coroutine *coroutine;
    void (*body)(void *argument);
    void *argument;
    size_t slot; /* its place in the scheduler's list: start order */
    enum thread_state state;
    bool timed_out;
    const void *object;
    uint64_t deadline_ns;
    uint64_t spun_at; /* `moves` when it began to spin */
};

struct vmr_scheduler {
    struct vmr_log log;
    uint64_t step_max;
    struct chooser chooser;
    struct coroutine caller; /* of vmr_scheduler_run */
    struct coroutine *pool;
    struct vmr_thread **threads;
    size_t thread_count, thread_capacity;
    struct vmr_thread *current; /* NULL: no run is in progress */
    struct scheduler_event *events;
    int event_count;        /* created so far */
    size_t ready, spinning; /* threads in these states */
    uint64_t now_ns;
    uint64_t steps;
    uint64_t moves; /* changes that a spinning thread may be waiting for */
    uint64_t turn;  /* points that `current` has passed without giving way */
    uint64_t explored;
    enum vmr_schedule_end end;
};

/* A point: anybody that is ready may go next. */
void scheduler_point(struct vmr_scheduler *scheduler);
/* Gives way until a wake of `object` (true) or until `deadline_ns` (false). */
bool scheduler_block(struct vmr_scheduler *scheduler, const void *object, uint64_t deadline_ns);
/* Gives way until another thread has moved; when nobody can, until `deadline_ns`. */
void scheduler_spin(struct vmr_scheduler *scheduler, uint64_t deadline_ns);
void scheduler_wake(struct vmr_scheduler *scheduler, const void *object);
void scheduler_set_time(struct vmr_scheduler *scheduler, uint64_t now_ns);

enum vmr_status scheduler_thread_create(struct vmr_scheduler *scheduler, void (*body)(void *argument), void *argument,
                                        struct vmr_thread **ret_thread);
void scheduler_thread_destroy(struct vmr_thread *thread);
/* Gives way until it has ended, then frees. */
void scheduler_thread_join(struct vmr_thread *thread);

/* --- scheduler_event.c --- */

extern const struct vmr_event_ops scheduler_events;
void scheduler_events_destroy(struct vmr_scheduler *scheduler);
