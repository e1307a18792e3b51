/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library needs from the process around it: time, threads, parking,
 * events, a place for log lines. The library takes none of these by itself, so an
 * embedder (a virtual clock, a recorder, a scheduler that tries every order)
 * decides what the library sees. [HOST-1]
 *
 * A host must outlive everything created with it.
 */

#include "vmrig/error.h"

VMR_BEGIN_DECLS

enum vmr_log_level {
    VMR_LOG_ERROR,
    VMR_LOG_WARNING,
    VMR_LOG_INFO,
    VMR_LOG_DEBUG
};

/* Who must change for the line to go away. */
enum vmr_log_culprit {
    VMR_CULPRIT_CALLER,
    VMR_CULPRIT_GUEST,
    VMR_CULPRIT_HOST,
    VMR_CULPRIT_LIBRARY
};

enum vmr_park_result {
    VMR_PARK_WOKEN,    /* a permit was there, or came */
    VMR_PARK_TIMEOUT,  /* the deadline passed first */
    VMR_PARK_DEADLOCK, /* a virtual host knows that no permit can ever come */
};

/* Opaque to the library: belongs to the host that made it. */
struct vmr_parker;
struct vmr_thread;

/*
 * A host that runs its threads one at a time, choosing who goes next, also
 * gives these. `point` is called before each access to memory that threads
 * share; `object` names it. `block` returns after a `wake` of the same object
 * (or spuriously): the library re-tests its condition. With no object it
 * returns once any other thread has moved: for loops that poll. Returns false
 * if nothing can ever wake the caller.
 */
struct vmr_schedule_ops {
    void (*point)(void *context, const void *object);
    bool (*block)(void *context, const void *object);
    void (*wake)(void *context, const void *object);
    const void *(*self)(void *context); /* names the running thread; no other has that name while it lives */
};

/*
 * Events: one side signals, another takes. They are named by numbers that fit
 * where descriptors go, so that a hypervisor can signal and watch them too. An
 * ordinary process's are eventfds, and an eventfd of the embedder's own does as
 * well; a virtual host's mean something to that host alone.
 *
 * Signals add up until they are taken, all at once: `take` says whether there
 * were any, and never waits. [EVT-1]
 *
 * A watch takes in its caller's place: after each signal, also one from before
 * the watch, comes a call of `ready`, which may stand for several. Calls come
 * one at a time, on a thread of the host's and never inside `signal`, which may be
 * called under a lock; `ready` is short, and may do anything but unwatch itself. When `unwatch` has returned no call
 * runs and none will come, and what is signalled stays for others to take. One watch an event. [EVT-2]
 */
struct vmr_event_watch; /* belongs to the host that made it */

struct vmr_event_ops {
    enum vmr_status (*create)(void *context, int *ret_fd);
    void (*destroy)(void *context, int fd); /* not while it is watched */
    void (*signal)(void *context, int fd);
    bool (*take)(void *context, int fd);
    /* VMR_E_USAGE: there is no event `fd`. */
    enum vmr_status (*watch)(void *context, int fd, void (*ready)(void *argument), void *argument,
                             struct vmr_event_watch **ret_watch);
    void (*unwatch)(void *context, struct vmr_event_watch *watch); /* waits for a call under way, then frees */
};

/*
 * All may be called on any thread, at the same time.
 *
 * A parker holds at most one permit. `unpark` deposits it, `park` waits for it
 * and takes it: an unpark that comes first is not lost, and two count once.
 * One thread at a time parks on a parker.
 *
 * `now_ns` never goes back; its zero is the host's choice.
 */
struct vmr_host_ops {
    uint64_t (*now_ns)(void *context);
    void (*log)(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message);

    enum vmr_status (*thread_start)(void *context, const char *name, void (*body)(void *argument), void *argument,
                                    struct vmr_thread **ret_thread);
    void (*thread_join)(void *context, struct vmr_thread *thread); /* waits for the end, then frees */

    enum vmr_status (*parker_create)(void *context, struct vmr_parker **ret_parker);
    void (*parker_destroy)(void *context, struct vmr_parker *parker); /* NULL is fine */
    enum vmr_park_result (*park)(void *context, struct vmr_parker *parker, uint64_t deadline_ns);
    void (*unpark)(void *context, struct vmr_parker *parker);

    const struct vmr_schedule_ops *schedule; /* NULL: threads run freely */
    const struct vmr_event_ops *events;      /* NULL: this host has none */
};

struct vmr_host {
    const struct vmr_host_ops *ops;
    void *context;
};

/* Where log lines go. Called on any thread, also by several at once. */
struct vmr_log {
    void (*sink)(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message);
    void *context;
};

/*
 * The host of an ordinary POSIX process: the monotonic clock, pthreads, log
 * lines to `log`, which must outlive the host (NULL: nowhere). Needs no clean-up.
 */
VMR_API void vmr_host_posix(struct vmr_host *ret_host, const struct vmr_log *log);

VMR_END_DECLS
