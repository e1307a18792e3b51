/* SPDX-License-Identifier: MIT */
/*
 * Locks and atomics on both kinds of host: under a scheduling host each access passes a
 * point and a held lock blocks; on a free-running one the locks exclude.
 */

#include "lib/base/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- a scheduling host that counts, and frees the lock when it is asked to block --- */

struct fake {
    unsigned points, blocks, wakes;
    const void *object;  /* the last one named */
    bool *held_by_other; /* freed after `blocks_left` blocks */
    unsigned blocks_left;
    bool is_dead; /* nothing can ever wake anyone */
};

static void fake_point(void *context, const void *object)
{
    struct fake *fake = context;

    fake->points++;
    fake->object = object;
}

static bool fake_block(void *context, const void *object)
{
    struct fake *fake = context;

    fake->blocks++;
    fake->object = object;
    if (fake->is_dead)
        return false;
    if (--fake->blocks_left == 0)
        *fake->held_by_other = false;
    return true;
}

static void fake_wake(void *context, const void *object)
{
    struct fake *fake = context;

    fake->wakes++;
    fake->object = object;
}

static const struct vmr_schedule_ops fake_schedule = {fake_point, fake_block, fake_wake, NULL};
static const struct vmr_host_ops fake_ops = {.schedule = &fake_schedule};

static void a_free_lock_costs_one_point(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct vmr_host host = {&fake_ops, &fake};
    struct sync_mutex mutex;

    assert_int_equal(sync_mutex_init(&mutex, &host), VMR_OK);
    sync_mutex_lock(&mutex);
    assert_true(mutex.held);
    assert_int_equal(fake.points, 1);
    assert_int_equal(fake.blocks, 0);
    sync_mutex_unlock(&mutex);
    assert_false(mutex.held);
    assert_int_equal(fake.wakes, 1);
    assert_ptr_equal(fake.object, &mutex.held);
    sync_mutex_finish(&mutex);
}

static void a_held_lock_blocks_until_it_is_free(void **state)
{
    (void)state;
    struct fake fake = {.blocks_left = 3};
    struct vmr_host host = {&fake_ops, &fake};
    struct sync_mutex mutex;

    assert_int_equal(sync_mutex_init(&mutex, &host), VMR_OK);
    mutex.held = true;
    fake.held_by_other = &mutex.held;
    sync_mutex_lock(&mutex);
    assert_int_equal(fake.blocks, 3); /* a spurious return is not the lock */
    assert_true(mutex.held);
    sync_mutex_unlock(&mutex);
    sync_mutex_finish(&mutex);
}

static void a_lock_that_nothing_can_free_returns(void **state)
{
    (void)state;
    struct fake fake = {.is_dead = true};
    struct vmr_host host = {&fake_ops, &fake};
    struct sync_mutex mutex;

    assert_int_equal(sync_mutex_init(&mutex, &host), VMR_OK);
    mutex.held = true;
    sync_mutex_lock(&mutex);
    assert_int_equal(fake.blocks, 1);
    sync_mutex_finish(&mutex);
}

static void readers_and_writers_share_one_flag_under_a_scheduler(void **state)
{
    (void)state;
    struct fake fake = {.blocks_left = 1};
    struct vmr_host host = {&fake_ops, &fake};
    struct sync_rwlock lock;

    assert_int_equal(sync_rwlock_init(&lock, &host), VMR_OK);
    fake.held_by_other = &lock.held;
    sync_rwlock_read_lock(&lock);
    assert_true(lock.held);
    sync_rwlock_write_lock(&lock); /* blocks once, then the fake takes the reader away */
    assert_int_equal(fake.blocks, 1);
    sync_rwlock_write_unlock(&lock);
    assert_false(lock.held);
    sync_rwlock_read_lock(&lock);
    sync_rwlock_read_unlock(&lock);
    assert_false(lock.held);
    assert_int_equal(fake.wakes, 2);
    sync_rwlock_finish(&lock);
}

static void each_atomic_access_passes_a_point_that_names_it(void **state)
{
    (void)state;
    struct fake fake = {0};
    struct vmr_host host = {&fake_ops, &fake};
    _Atomic uint32_t object = 1;
    _Atomic uint64_t wide = UINT64_C(1) << 40;
    uint32_t expected = 9;
    uint64_t wide_expected = UINT64_C(2) << 40;

    sync_store_u32(&host, &object, 6);
    assert_int_equal(sync_load_u32(&host, &object), 6);
    assert_int_equal(sync_fetch_or_u32(&host, &object, 1), 6);
    assert_int_equal(sync_fetch_and_u32(&host, &object, 3), 7);
    assert_int_equal(sync_fetch_add_u32(&host, &object, 5), 3);
    assert_int_equal(sync_exchange_u32(&host, &object, 10), 8);
    assert_false(sync_compare_exchange_u32(&host, &object, &expected, 11));
    assert_int_equal(expected, 10);
    assert_true(sync_compare_exchange_u32(&host, &object, &expected, 11));
    assert_int_equal(fake.points, 8);
    assert_ptr_equal(fake.object, &object);
    assert_int_equal(object, 11);
    assert_int_equal(sync_exchange_u64(&host, &wide, UINT64_C(2) << 40), UINT64_C(1) << 40);
    assert_true(sync_compare_exchange_u64(&host, &wide, &wide_expected, 5));
    assert_false(sync_compare_exchange_u64(&host, &wide, &wide_expected, 6));
    assert_int_equal(wide_expected, 5);
    assert_int_equal(fake.points, 11);
    assert_ptr_equal(fake.object, &wide);
}

/* --- threads --- */

#define THREAD_COUNT 4
#define ROUND_COUNT 2000

struct contest {
    struct vmr_host host;
    struct sync_mutex mutex;
    struct sync_rwlock rwlock;
    _Atomic uint32_t atomic_count;
    uint32_t mutex_count; /* by the mutex */
    uint32_t low, high;   /* by the rwlock; always equal */
    _Atomic uint32_t torn;
};

static void contend(void *argument)
{
    struct contest *contest = argument;

    for (unsigned i = 0; i < ROUND_COUNT; i++) {
        sync_fetch_add_u32(&contest->host, &contest->atomic_count, 1);
        sync_mutex_lock(&contest->mutex);
        contest->mutex_count++;
        sync_mutex_unlock(&contest->mutex);
        sync_rwlock_write_lock(&contest->rwlock);
        contest->low++;
        contest->high++;
        sync_rwlock_write_unlock(&contest->rwlock);
        sync_rwlock_read_lock(&contest->rwlock);
        if (contest->low != contest->high)
            sync_store_u32(&contest->host, &contest->torn, 1);
        sync_rwlock_read_unlock(&contest->rwlock);
    }
}

static void locks_exclude_threads(void **state)
{
    (void)state;
    struct contest contest = {0};
    struct vmr_thread *threads[THREAD_COUNT];
    const uint32_t total = THREAD_COUNT * ROUND_COUNT;

    vmr_host_posix(&contest.host, NULL);
    assert_int_equal(sync_mutex_init(&contest.mutex, &contest.host), VMR_OK);
    assert_int_equal(sync_rwlock_init(&contest.rwlock, &contest.host), VMR_OK);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        assert_int_equal(contest.host.ops->thread_start(NULL, "contend", contend, &contest, &threads[i]), VMR_OK);
    for (unsigned i = 0; i < THREAD_COUNT; i++)
        contest.host.ops->thread_join(NULL, threads[i]);
    assert_int_equal(contest.atomic_count, total);
    assert_int_equal(contest.mutex_count, total);
    assert_int_equal(contest.low, total);
    assert_int_equal(contest.torn, 0);
    sync_mutex_finish(&contest.mutex);
    sync_rwlock_finish(&contest.rwlock);
}

static void finishing_a_zeroed_lock_is_fine(void **state)
{
    (void)state;
    struct sync_mutex mutex = {0};
    struct sync_rwlock lock = {0};

    sync_mutex_finish(&mutex);
    sync_rwlock_finish(&lock);
    assert_null(mutex.host);
    assert_null(lock.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_lock_costs_one_point),
        cmocka_unit_test(a_held_lock_blocks_until_it_is_free),
        cmocka_unit_test(a_lock_that_nothing_can_free_returns),
        cmocka_unit_test(readers_and_writers_share_one_flag_under_a_scheduler),
        cmocka_unit_test(each_atomic_access_passes_a_point_that_names_it),
        cmocka_unit_test(locks_exclude_threads),
        cmocka_unit_test(finishing_a_zeroed_lock_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
