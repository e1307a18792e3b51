/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Locks, and access to memory that threads share.
 *
 * Everything in lib/ that two threads touch goes through here. On an ordinary
 * host these are a pthread mutex and C11 atomics; on a host that schedules its
 * threads itself, each access first hands it control, so that every order can
 * be tried on the library's real code. Only sequentially consistent orders are
 * explored, so only those are used. [HOST-2]
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmrig/host.h"

/* Called before an access to shared memory; `object` names it. */
static inline void sync_point(const struct vmr_host *host, const void *object)
{
    if (__builtin_expect(host->ops->schedule != NULL, 0))
        host->ops->schedule->point(host->context, object);
}

/* The running thread, as a number that no other has while it lives; never 0. */
uintptr_t sync_self(const struct vmr_host *host);

struct sync_mutex {
    const struct vmr_host *host;
    pthread_mutex_t os; /* free-running hosts */
    bool held;          /* scheduling hosts */
};

enum vmr_status sync_mutex_init(struct sync_mutex *mutex, const struct vmr_host *host);
void sync_mutex_finish(struct sync_mutex *mutex); /* zeroed is fine */
void sync_mutex_lock(struct sync_mutex *mutex);
void sync_mutex_unlock(struct sync_mutex *mutex);

/*
 * For a loop that waits for what another thread is about to do: lets others go
 * first. False: a scheduling host knows that nothing can ever change.
 */
bool sync_relax(const struct vmr_host *host);

/* Many readers or one writer. Under a scheduling host a mutex: readers change nothing, so no order is missed. */
struct sync_rwlock {
    const struct vmr_host *host;
    pthread_rwlock_t os;
    bool held;
};

enum vmr_status sync_rwlock_init(struct sync_rwlock *lock, const struct vmr_host *host);
void sync_rwlock_finish(struct sync_rwlock *lock);
void sync_rwlock_read_lock(struct sync_rwlock *lock);
void sync_rwlock_read_unlock(struct sync_rwlock *lock);
void sync_rwlock_write_lock(struct sync_rwlock *lock);
void sync_rwlock_write_unlock(struct sync_rwlock *lock);

/* --- atomics --- */

static inline uint32_t sync_load_u32(const struct vmr_host *host, const _Atomic uint32_t *object)
{
    sync_point(host, (const void *)object);
    return atomic_load(object);
}

static inline void sync_store_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t value)
{
    sync_point(host, (const void *)object);
    atomic_store(object, value);
}

static inline uint32_t sync_fetch_or_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t mask)
{
    sync_point(host, (const void *)object);
    return atomic_fetch_or(object, mask);
}

static inline uint32_t sync_fetch_and_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t mask)
{
    sync_point(host, (const void *)object);
    return atomic_fetch_and(object, mask);
}

static inline uint32_t sync_fetch_add_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t value)
{
    sync_point(host, (const void *)object);
    return atomic_fetch_add(object, value);
}

static inline uint32_t sync_exchange_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t value)
{
    sync_point(host, (const void *)object);
    return atomic_exchange(object, value);
}

static inline bool sync_compare_exchange_u32(const struct vmr_host *host, _Atomic uint32_t *object, uint32_t *expected,
                                             uint32_t value)
{
    sync_point(host, (const void *)object);
    return atomic_compare_exchange_strong(object, expected, value);
}

static inline uint64_t sync_load_u64(const struct vmr_host *host, const _Atomic uint64_t *object)
{
    sync_point(host, (const void *)object);
    return atomic_load(object);
}

static inline void sync_store_u64(const struct vmr_host *host, _Atomic uint64_t *object, uint64_t value)
{
    sync_point(host, (const void *)object);
    atomic_store(object, value);
}

static inline uint64_t sync_exchange_u64(const struct vmr_host *host, _Atomic uint64_t *object, uint64_t value)
{
    sync_point(host, (const void *)object);
    return atomic_exchange(object, value);
}

static inline uint64_t sync_fetch_or_u64(const struct vmr_host *host, _Atomic uint64_t *object, uint64_t mask)
{
    sync_point(host, (const void *)object);
    return atomic_fetch_or(object, mask);
}

static inline bool sync_compare_exchange_u64(const struct vmr_host *host, _Atomic uint64_t *object, uint64_t *expected,
                                             uint64_t value)
{
    sync_point(host, (const void *)object);
    return atomic_compare_exchange_strong(object, expected, value);
}
