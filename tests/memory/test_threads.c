/* SPDX-License-Identifier: MIT */

/*
 * Guest memory under real threads: run under the thread sanitizer this is the
 * proof that no order of calls is a race. Threads count what is wrong; the
 * test's own thread asserts.
 */

#include "tests/memory/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define THREADS 3
#define ROUNDS 300
#define COMES_AND_GOES 0x4000
#define STAYS 0x1000

struct shared {
    struct fixture fixture;
    _Atomic bool done;
    _Atomic unsigned wrong;
    _Atomic unsigned hits, misses;
};

/* All bytes are equal in memory, and each word is written whole: a read must never see half a word. */
static void check_words(struct shared *shared, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        for (size_t b = 1; b < 8; b++)
            shared->wrong += bytes[i + b] != bytes[i];
    }
}

static void *read_both(void *argument)
{
    struct shared *shared = argument;
    struct vmr_memory *memory = shared->fixture.memory;
    uint8_t bytes[64], value = 0;

    while (!atomic_load(&shared->done)) {
        enum vmr_status status = vmr_memory_read(memory, COMES_AND_GOES + 0x100, bytes, sizeof(bytes));

        if (status == VMR_OK)
            check_words(shared, bytes, sizeof(bytes));
        shared->wrong += status != VMR_OK && status != VMR_E_GUEST;
        *(status == VMR_OK ? &shared->hits : &shared->misses) += 1;
        memset(bytes, value++, sizeof(bytes));
        (void)!vmr_memory_write(memory, COMES_AND_GOES + 0x100, bytes, sizeof(bytes));
        shared->wrong += vmr_memory_write(memory, STAYS, bytes, sizeof(bytes)) != VMR_OK;
        shared->wrong += vmr_memory_read(memory, STAYS, bytes, sizeof(bytes)) != VMR_OK;
        check_words(shared, bytes, sizeof(bytes));
        sched_yield();
    }
    return NULL;
}

static void *pin_and_unpin(void *argument)
{
    struct shared *shared = argument;
    struct vmr_memory_view view;

    while (!atomic_load(&shared->done)) {
        if (vmr_memory_pin(shared->fixture.memory, COMES_AND_GOES + 0x800, 8, true, &view) == VMR_OK) {
            /* While it is pinned nobody else writes here, and the page cannot go. */
            memset(view.bytes, 0x12, view.length);
            shared->wrong += *(uint8_t *)view.bytes != 0x12;
            vmr_memory_unpin(shared->fixture.memory, &view);
        }
        sched_yield();
    }
    return NULL;
}

static void come_and_go(struct shared *shared)
{
    const struct vmr_memory_region region = {.gpa = COMES_AND_GOES, .size = PAGE};

    for (unsigned round = 0; round < ROUNDS; round++) {
        shared->wrong += vmr_memory_region_add(shared->fixture.memory, &region, NULL) != VMR_OK;
        sched_yield();
        enum vmr_status status;

        while ((status = vmr_memory_region_remove(shared->fixture.memory, COMES_AND_GOES, NULL)) == VMR_E_STATE)
            sched_yield(); /* somebody has it pinned */
        shared->wrong += status != VMR_OK;
        sched_yield();
    }
}

static void regions_come_and_go_under_readers(void **state)
{
    (void)state;
    struct shared shared = {0};
    pthread_t threads[THREADS];

    fixture_init(&shared.fixture);
    must_add(&shared.fixture, STAYS, PAGE, false);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i == 0 ? pin_and_unpin : read_both, &shared), 0);
    come_and_go(&shared);
    while (shared.misses == 0)
        sched_yield();
    must_add(&shared.fixture, COMES_AND_GOES, PAGE, false);
    while (shared.hits == 0)
        sched_yield();
    atomic_store(&shared.done, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.wrong, 0);
    must_remove(&shared.fixture, COMES_AND_GOES); /* every pin was given back */
    fixture_finish(&shared.fixture);
}

/* Each thread sets its own bits of one word, one at a time; who saw a bit unset has set it. */
struct setter {
    struct shared *shared;
    unsigned first;
    unsigned seen_unset;
};

static void *set_bits(void *argument)
{
    struct setter *setter = argument;
    uint64_t old = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        /* All threads set all bits, each beginning elsewhere. */
        uint64_t mask = UINT64_C(1) << ((bit + setter->first) % 64);

        setter->shared->wrong += vmr_memory_fetch_or(setter->shared->fixture.memory, STAYS, 8, mask, &old) != VMR_OK;
        setter->seen_unset += (old & mask) == 0;
    }
    return NULL;
}

static void every_bit_is_set_by_exactly_one_thread(void **state)
{
    (void)state;
    struct shared shared = {0};
    pthread_t threads[THREADS];

    fixture_init(&shared.fixture);
    must_add(&shared.fixture, STAYS, PAGE, false);
    for (unsigned round = 0; round < ROUNDS / 3; round++) {
        struct setter setters[THREADS];
        unsigned seen_unset = 0;

        assert_int_equal(vmr_memory_fill(shared.fixture.memory, STAYS, 0, 8), VMR_OK);
        for (unsigned i = 0; i < THREADS; i++) {
            setters[i] = (struct setter){.shared = &shared, .first = 5 * i};
            assert_int_equal(pthread_create(&threads[i], NULL, set_bits, &setters[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            seen_unset += setters[i].seen_unset;
        }
        assert_int_equal(seen_unset, 64);
    }
    assert_int_equal(shared.wrong, 0);
    fixture_finish(&shared.fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_come_and_go_under_readers),
        cmocka_unit_test(every_bit_is_set_by_exactly_one_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
