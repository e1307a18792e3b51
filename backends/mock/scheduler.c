/* SPDX-License-Identifier: MIT */
/*
 * Threads that take turns on one thread of the process.
 *
 * The chooser says who goes next whenever there is more than one who could.
 * Going on with the same thread is always the first alternative; a thread that
 * cannot go on is replaced at no cost. Virtual time stands still while anybody
 * can run. The host interface is in scheduler_host.c. [HOST-2] [MOCK-2]
 */

#include "backends/mock/scheduler.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MAX_DEFAULT UINT64_C(1000000)
/*
 * After so many points in a row a thread gives way at no cost: one that waits in
 * a loop for another would otherwise keep its turn for ever, as preemptions are
 * few. Far above what a thread of an explored scenario does in one turn.
 */
#define TURN_MAX UINT64_C(4096)
/* More than the largest VP set, and a bound on stacks. */
#define THREAD_MAX ((size_t)4096)

enum vmr_status vmr_scheduler_create(const struct vmr_scheduler_options *options, struct vmr_scheduler **ret_scheduler,
                                     struct vmr_error *err)
{
    if (options->mode != VMR_SCHEDULE_SEEDED && options->mode != VMR_SCHEDULE_EXHAUSTIVE)
        return vmr_error_set(err, VMR_E_CONFIG, "scheduler: mode %d does not exist", (int)options->mode);
    struct vmr_scheduler *scheduler = calloc(1, sizeof(*scheduler));

    if (!scheduler)
        return vmr_error_set(err, VMR_E_NOMEM, "no memory for a scheduler");
    scheduler->step_max = options->step_max ? options->step_max : STEP_MAX_DEFAULT;
    if (options->log)
        scheduler->log = *options->log;
    if (!chooser_init(&scheduler->chooser, options)) {
        free(scheduler);
        return vmr_error_set(err, VMR_E_NOMEM, "no memory for a scheduler");
    }
    *ret_scheduler = scheduler;
    return VMR_OK;
}

void vmr_scheduler_destroy(struct vmr_scheduler *scheduler)
{
    if (!scheduler)
        return;
    while (scheduler->pool) {
        struct coroutine *coroutine = scheduler->pool;

        scheduler->pool = coroutine->next;
        coroutine_destroy(coroutine);
    }
    chooser_finish(&scheduler->chooser);
    scheduler_events_destroy(scheduler);
    free(scheduler->threads);
    free(scheduler);
}

/* --- threads --- */

static void set_state(struct vmr_thread *thread, enum thread_state state)
{
    struct vmr_scheduler *scheduler = thread->scheduler;

    scheduler->ready -= thread->state == THREAD_READY;
    scheduler->spinning -= thread->state == THREAD_SPINNING;
    thread->state = state;
    scheduler->ready += state == THREAD_READY;
    scheduler->spinning += state == THREAD_SPINNING;
}

static bool reserve_slot(struct vmr_scheduler *scheduler)
{
    if (scheduler->thread_count < scheduler->thread_capacity)
        return true;
    size_t capacity = scheduler->thread_capacity ? 2 * scheduler->thread_capacity : 16;
    struct vmr_thread **threads = realloc(scheduler->threads, capacity * sizeof(struct vmr_thread *));

    if (!threads)
        return false;
    scheduler->threads = threads;
    scheduler->thread_capacity = capacity;
    return true;
}

static struct coroutine *take_coroutine(struct vmr_scheduler *scheduler)
{
    struct coroutine *coroutine = scheduler->pool;

    if (!coroutine)
        return coroutine_create();
    scheduler->pool = coroutine->next;
    return coroutine;
}

static void thread_main(void *argument);

enum vmr_status scheduler_thread_create(struct vmr_scheduler *scheduler, void (*body)(void *argument), void *argument,
                                        struct vmr_thread **ret_thread)
{
    if (scheduler->thread_count >= THREAD_MAX || !reserve_slot(scheduler))
        return VMR_E_NOMEM;
    struct vmr_thread *thread = calloc(1, sizeof(*thread));

    if (!thread)
        return VMR_E_NOMEM;
    thread->coroutine = take_coroutine(scheduler);
    if (!thread->coroutine) {
        free(thread);
        return VMR_E_NOMEM;
    }
    thread->scheduler = scheduler;
    thread->body = body;
    thread->argument = argument;
    thread->slot = scheduler->thread_count++;
    scheduler->threads[thread->slot] = thread;
    scheduler->ready++;
    coroutine_begin(thread->coroutine, thread_main, thread);
    *ret_thread = thread;
    return VMR_OK;
}

/* Also for one that is dropped where it stands. */
void scheduler_thread_destroy(struct vmr_thread *thread)
{
    struct vmr_scheduler *scheduler = thread->scheduler;

    set_state(thread, THREAD_ENDED);
    coroutine_end(thread->coroutine);
    thread->coroutine->next = scheduler->pool;
    scheduler->pool = thread->coroutine;
    scheduler->thread_count--;
    for (size_t i = thread->slot; i < scheduler->thread_count; i++) {
        scheduler->threads[i] = scheduler->threads[i + 1];
        scheduler->threads[i]->slot = i;
    }
    free(thread);
}

/* --- turns --- */

static bool is_runnable(const struct vmr_thread *thread)
{
    return thread->state == THREAD_READY ||
           (thread->state == THREAD_SPINNING && thread->spun_at != thread->scheduler->moves);
}

/* Those who could go next: from `first` on, in start order, round the end. */
static size_t list_runnable(const struct vmr_scheduler *scheduler, size_t first,
                            struct vmr_thread *ret_threads[CHOOSER_ALTERNATIVES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < scheduler->thread_count && count < CHOOSER_ALTERNATIVES_MAX; i++) {
        struct vmr_thread *thread = scheduler->threads[(first + i) % scheduler->thread_count];

        if (is_runnable(thread))
            ret_threads[count++] = thread;
    }
    return count;
}

void scheduler_set_time(struct vmr_scheduler *scheduler, uint64_t now_ns)
{
    scheduler->now_ns = now_ns;
    scheduler->moves++;
    for (size_t i = 0; i < scheduler->thread_count; i++) {
        struct vmr_thread *thread = scheduler->threads[i];

        if (thread->state == THREAD_BLOCKED && thread->deadline_ns <= now_ns) {
            thread->timed_out = true;
            set_state(thread, THREAD_READY);
        }
    }
}

/* Everybody waits: moves time to the earliest deadline. False if there is none. */
static bool skip_time(struct vmr_scheduler *scheduler)
{
    uint64_t earliest = VMR_NEVER;

    for (size_t i = 0; i < scheduler->thread_count; i++) {
        const struct vmr_thread *thread = scheduler->threads[i];

        if ((thread->state == THREAD_BLOCKED || thread->state == THREAD_SPINNING) && thread->deadline_ns < earliest)
            earliest = thread->deadline_ns;
    }
    if (earliest == VMR_NEVER)
        return false;
    scheduler_set_time(scheduler, earliest);
    return true;
}

static bool all_ended(const struct vmr_scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->thread_count; i++) {
        if (scheduler->threads[i]->state != THREAD_ENDED)
            return false;
    }
    return true;
}

/* Back to vmr_scheduler_run, for good. */
static void leave(struct vmr_scheduler *scheduler, enum vmr_schedule_end end)
{
    struct vmr_thread *current = scheduler->current;

    scheduler->end = end;
    coroutine_switch(current->coroutine, &scheduler->caller, true);
}

static void switch_to(struct vmr_scheduler *scheduler, struct vmr_thread *next)
{
    struct vmr_thread *current = scheduler->current;

    if (next->state == THREAD_SPINNING)
        set_state(next, THREAD_READY);
    if (next == current)
        return;
    scheduler->current = next;
    scheduler->turn = 0;
    coroutine_switch(current->coroutine, next->coroutine, current->state == THREAD_ENDED);
}

/* The current thread cannot go on: who goes next costs nothing. */
static void give_way(struct vmr_scheduler *scheduler)
{
    struct vmr_thread *runnable[CHOOSER_ALTERNATIVES_MAX];
    size_t count = list_runnable(scheduler, scheduler->current->slot + 1, runnable);

    if (count == 0 && skip_time(scheduler))
        count = list_runnable(scheduler, scheduler->current->slot + 1, runnable);
    if (count > 0)
        switch_to(scheduler, runnable[chooser_choose(&scheduler->chooser, count, false)]);
    else if (all_ended(scheduler))
        leave(scheduler, VMR_SCHEDULE_DONE);
    else
        leave(scheduler, scheduler->spinning > 0 ? VMR_SCHEDULE_LIVELOCK : VMR_SCHEDULE_DEADLOCK);
}

static void count_step(struct vmr_scheduler *scheduler)
{
    if (++scheduler->steps > scheduler->step_max || scheduler->chooser.no_memory)
        leave(scheduler, VMR_SCHEDULE_LIVELOCK);
}

static void spin(struct vmr_scheduler *scheduler, uint64_t deadline_ns)
{
    scheduler->current->spun_at = scheduler->moves;
    scheduler->current->deadline_ns = deadline_ns;
    set_state(scheduler->current, THREAD_SPINNING);
    give_way(scheduler);
}

void scheduler_point(struct vmr_scheduler *scheduler)
{
    count_step(scheduler);
    scheduler->moves++;
    if (scheduler->ready == 1 && scheduler->spinning == 0)
        return;
    if (++scheduler->turn > TURN_MAX) {
        scheduler->turn = 0;
        spin(scheduler, VMR_NEVER);
        return;
    }
    struct vmr_thread *runnable[CHOOSER_ALTERNATIVES_MAX];
    size_t count = list_runnable(scheduler, scheduler->current->slot, runnable);

    switch_to(scheduler, runnable[chooser_choose(&scheduler->chooser, count, true)]);
}

bool scheduler_block(struct vmr_scheduler *scheduler, const void *object, uint64_t deadline_ns)
{
    struct vmr_thread *current = scheduler->current;

    count_step(scheduler);
    scheduler->moves++;
    current->object = object;
    current->deadline_ns = deadline_ns;
    current->timed_out = false;
    set_state(current, THREAD_BLOCKED);
    give_way(scheduler);
    return !current->timed_out;
}

void scheduler_thread_join(struct vmr_thread *thread)
{
    while (thread->state != THREAD_ENDED)
        (void)scheduler_block(thread->scheduler, thread, VMR_NEVER);
    scheduler_thread_destroy(thread);
}

void scheduler_spin(struct vmr_scheduler *scheduler, uint64_t deadline_ns)
{
    count_step(scheduler);
    spin(scheduler, deadline_ns);
}

void scheduler_wake(struct vmr_scheduler *scheduler, const void *object)
{
    scheduler->moves++;
    for (size_t i = 0; i < scheduler->thread_count; i++) {
        struct vmr_thread *thread = scheduler->threads[i];

        if (thread->state == THREAD_BLOCKED && thread->object == object)
            set_state(thread, THREAD_READY);
    }
}

static void thread_main(void *argument)
{
    struct vmr_thread *thread = argument;
    struct vmr_scheduler *scheduler = thread->scheduler;

    thread->body(thread->argument);
    set_state(thread, THREAD_ENDED);
    scheduler_wake(scheduler, thread); /* who joins */
    give_way(scheduler);
}

/* --- runs --- */

enum vmr_schedule_end vmr_scheduler_run(struct vmr_scheduler *scheduler, void (*body)(void *argument), void *argument)
{
    struct vmr_thread *first;

    chooser_begin(&scheduler->chooser);
    scheduler->now_ns = 0;
    scheduler->steps = 0;
    scheduler->moves = 0;
    scheduler->turn = 0;
    scheduler->end = VMR_SCHEDULE_LIVELOCK; /* no memory for a stack: the same end as no memory for a choice */
    if (scheduler_thread_create(scheduler, body, argument, &first) == VMR_OK) {
        coroutine_init_caller(&scheduler->caller);
        scheduler->current = first;
        coroutine_switch(&scheduler->caller, first->coroutine, false);
        scheduler->current = NULL;
    }
    while (scheduler->thread_count > 0)
        scheduler_thread_destroy(scheduler->threads[scheduler->thread_count - 1]);
    chooser_end(&scheduler->chooser);
    scheduler->explored++;
    return scheduler->end;
}

bool vmr_scheduler_next(struct vmr_scheduler *scheduler)
{
    return chooser_next(&scheduler->chooser);
}

uint64_t vmr_scheduler_explored(const struct vmr_scheduler *scheduler)
{
    return scheduler->explored;
}

const char *vmr_scheduler_choices(const struct vmr_scheduler *scheduler)
{
    return scheduler->chooser.text;
}

enum vmr_status vmr_scheduler_replay(struct vmr_scheduler *scheduler, const char *choices, struct vmr_error *err)
{
    return chooser_replay(&scheduler->chooser, choices, err);
}
