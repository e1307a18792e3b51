/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library needs from the process around it: time, threads, parking,
 * a place for log lines. The library takes none of these by itself, so an
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
