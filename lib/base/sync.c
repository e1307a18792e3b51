/* SPDX-License-Identifier: MIT */
/*
 * Locks over pthreads, or over a scheduling host's block and wake. Under such a
 * host one thread runs at a time and control changes hands only at the points,
 * so a plain flag is a lock.
 */

#include "lib/base/sync.h"

#include <sched.h>

static const struct vmr_schedule_ops *schedule_of(const struct vmr_host *host)
{
    return host->ops->schedule;
}

uintptr_t sync_self(const struct vmr_host *host)
{
    const struct vmr_schedule_ops *schedule = schedule_of(host);

    /* A scheduling host that does not tell its threads apart has real ones. */
    if (schedule && schedule->self)
        return (uintptr_t)schedule->self(host->context);
    return (uintptr_t)pthread_self();
}

static void flag_lock(const struct vmr_host *host, bool *held)
{
    const struct vmr_schedule_ops *schedule = schedule_of(host);

    schedule->point(host->context, held);
    while (*held) {
        /* A host that says nothing can free the lock has already decided that this run is over. */
        if (!schedule->block(host->context, held))
            return;
    }
    *held = true;
}

static void flag_unlock(const struct vmr_host *host, bool *held)
{
    *held = false;
    schedule_of(host)->wake(host->context, held);
}

bool sync_relax(const struct vmr_host *host)
{
    const struct vmr_schedule_ops *schedule = schedule_of(host);

    if (schedule)
        return schedule->block(host->context, NULL);
    (void)sched_yield();
    return true;
}

bool sync_poll(const struct vmr_host *host, bool (*is_over)(void *context), void *context)
{
    while (!is_over(context)) {
        if (!sync_relax(host))
            return false;
    }
    return true;
}

enum vmr_status sync_mutex_init(struct sync_mutex *mutex, const struct vmr_host *host)
{
    *mutex = (struct sync_mutex){.host = host};
    if (!schedule_of(host) && pthread_mutex_init(&mutex->os, NULL) != 0) {
        mutex->host = NULL;
        return VMR_E_NOMEM;
    }
    return VMR_OK;
}

void sync_mutex_finish(struct sync_mutex *mutex)
{
    if (mutex->host && !schedule_of(mutex->host))
        (void)pthread_mutex_destroy(&mutex->os);
    mutex->host = NULL;
}

void sync_mutex_lock(struct sync_mutex *mutex)
{
    if (schedule_of(mutex->host))
        flag_lock(mutex->host, &mutex->held);
    else
        (void)pthread_mutex_lock(&mutex->os);
}

void sync_mutex_unlock(struct sync_mutex *mutex)
{
    if (schedule_of(mutex->host))
        flag_unlock(mutex->host, &mutex->held);
    else
        (void)pthread_mutex_unlock(&mutex->os);
}

enum vmr_status sync_rwlock_init(struct sync_rwlock *lock, const struct vmr_host *host)
{
    *lock = (struct sync_rwlock){.host = host};
    if (!schedule_of(host) && pthread_rwlock_init(&lock->os, NULL) != 0) {
        lock->host = NULL;
        return VMR_E_NOMEM;
    }
    return VMR_OK;
}

void sync_rwlock_finish(struct sync_rwlock *lock)
{
    if (lock->host && !schedule_of(lock->host))
        (void)pthread_rwlock_destroy(&lock->os);
    lock->host = NULL;
}

void sync_rwlock_read_lock(struct sync_rwlock *lock)
{
    if (schedule_of(lock->host))
        flag_lock(lock->host, &lock->held);
    else
        (void)pthread_rwlock_rdlock(&lock->os);
}

void sync_rwlock_read_unlock(struct sync_rwlock *lock)
{
    if (schedule_of(lock->host))
        flag_unlock(lock->host, &lock->held);
    else
        (void)pthread_rwlock_unlock(&lock->os);
}

void sync_rwlock_write_lock(struct sync_rwlock *lock)
{
    if (schedule_of(lock->host))
        flag_lock(lock->host, &lock->held);
    else
        (void)pthread_rwlock_wrlock(&lock->os);
}

void sync_rwlock_write_unlock(struct sync_rwlock *lock)
{
    if (schedule_of(lock->host))
        flag_unlock(lock->host, &lock->held);
    else
        (void)pthread_rwlock_unlock(&lock->os);
}
