/* SPDX-License-Identifier: MIT */

/*
 * A bus under real threads, and under a host that schedules: ranges and
 * doorbells come and go while others read and write. [IO-6] Threads count what
 * is wrong; the test's own thread asserts.
 */

#include "tests/io/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define READERS 3
#define ROUNDS 400
#define RANGES 40 /* more than the first block of a table holds, so that it grows under the readers */

/* Answers its own number in every byte; an access that another range should have had is wrong. */
struct numbered {
    uint64_t start;
    uint8_t number;
    _Atomic unsigned *wrong;
};

struct shared {
    struct fixture fixture;
    struct numbered devices[RANGES];
    _Atomic bool done;
    _Atomic unsigned wrong, hits, misses, rings, writes;
};

static uint64_t numbered_read(void *context, const struct vmr_access *access)
{
    struct numbered *device = context;

    *device->wrong += access->address - access->offset != device->start || access->offset + access->size > 8;
    return UINT64_C(0x0101010101010101) * device->number;
}

static void numbered_write(void *context, const struct vmr_access *access, uint64_t value)
{
    (void)value;
    (void)numbered_read(context, access);
}

static const struct vmr_device_ops numbered_ops = {numbered_read, numbered_write};

static uint64_t start_of(unsigned index)
{
    return index * 8ull;
}

static void claim_numbered(struct shared *shared, unsigned index)
{
    struct numbered *device = &shared->devices[index];
    const struct vmr_bus_range range = {.name = "numbered",
                                        .start = start_of(index),
                                        .length = 8,
                                        .sizes = 0xf,
                                        .ops = &numbered_ops,
                                        .device = device};

    shared->wrong += vmr_bus_claim(shared->fixture.bus, &range, NULL) != VMR_OK;
}

/* Half of a read belongs to each of two neighbours: each half is its device's number, or ones. */
static void *read_all(void *argument)
{
    struct shared *shared = argument;

    while (!atomic_load(&shared->done)) {
        for (unsigned i = 0; i + 1 < RANGES; i++) {
            uint64_t value = bus_read(&shared->fixture, start_of(i) + 4, 8);
            uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

            shared->wrong += low != UINT32_MAX && low != 0x01010101 * (i + 1);
            shared->wrong += high != UINT32_MAX && high != 0x01010101 * (i + 2);
            *(low == UINT32_MAX ? &shared->misses : &shared->hits) += 1;
            bus_write(&shared->fixture, start_of(i), 8, i);
            shared->writes++;
        }
        sched_yield();
    }
    return NULL;
}

static void count_ring(void *context)
{
    atomic_fetch_add((_Atomic unsigned *)context, 1);
}

static void come_and_go(struct shared *shared, unsigned round)
{
    const struct vmr_doorbell doorbell = {
        .address = start_of(round % RANGES), .ring = count_ring, .context = &shared->rings};
    uint64_t id = 0;

    for (unsigned i = round % 2; i < RANGES; i += 2)
        claim_numbered(shared, i);
    shared->wrong += vmr_bus_doorbell_add(shared->fixture.bus, &doorbell, &id, NULL) != VMR_OK;
    sched_yield();
    shared->wrong += vmr_bus_doorbell_remove(shared->fixture.bus, id, NULL) != VMR_OK;
    for (unsigned i = round % 2; i < RANGES; i += 2)
        shared->wrong += vmr_bus_release(shared->fixture.bus, start_of(i), NULL) != VMR_OK;
    sched_yield();
}

static void ranges_and_doorbells_come_and_go_under_readers(void **state)
{
    (void)state;
    static struct shared shared;
    pthread_t threads[READERS];

    fixture_init(&shared.fixture, VMR_BUS_MMIO);
    /* Once: a call that began before a release may still be running, so a device outlives its range. */
    for (unsigned i = 0; i < RANGES; i++)
        shared.devices[i] = (struct numbered){start_of(i), (uint8_t)(i + 1), &shared.wrong};
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &shared), 0);
    for (unsigned round = 0; round < ROUNDS; round++)
        come_and_go(&shared, round);
    /* A reader may have slept through it all: misses come only while ranges are missing, hits only while some are
     * there. */
    while (shared.misses == 0)
        sched_yield();
    for (unsigned i = 0; i < RANGES; i++)
        claim_numbered(&shared, i);
    while (shared.hits == 0)
        sched_yield();
    atomic_store(&shared.done, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.wrong, 0);
    assert_true(shared.rings <= shared.writes);
    fixture_finish(&shared.fixture);
}

/* A host with a scheduler that only counts: nobody else runs, so nothing ever blocks. */
static void count_point(void *context, const void *object)
{
    (void)object;
    (*(unsigned *)context)++;
}

static bool never_block(void *context, const void *object)
{
    (void)context;
    (void)object;
    fail_msg("blocked without another thread");
    return false;
}

static void wake_nobody(void *context, const void *object)
{
    (void)context;
    (void)object;
}

static void each_access_is_a_point_for_a_scheduling_host(void **state)
{
    (void)state;
    const struct vmr_schedule_ops schedule = {count_point, never_block, wake_nobody, NULL};
    const struct vmr_host_ops ops = {.schedule = &schedule};
    unsigned points = 0;
    struct fixture fixture = {.host = {.ops = &ops, .context = &points}};
    struct notes notes = {0};
    struct device device = {'A', &notes};

    assert_int_equal(vmr_bus_create(&fixture.host, VMR_BUS_MMIO, &fixture.bus, NULL), VMR_OK);
    must_claim(&fixture, &device, 0x10, 8, 0xf);
    points = 0;
    assert_int_equal(bus_read(&fixture, 0x10, 4), 0x03020100);
    assert_int_equal(points, 1); /* the ranges */
    bus_write(&fixture, 0x10, 4, 1);
    assert_int_equal(points, 3); /* the ranges again, and the doorbells */
    points = 0;
    assert_int_equal(vmr_bus_release(fixture.bus, 0x10, NULL), VMR_OK);
    assert_int_equal(points, 2); /* the lock, and the change */
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_and_doorbells_come_and_go_under_readers),
        cmocka_unit_test(each_access_is_a_point_for_a_scheduling_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
