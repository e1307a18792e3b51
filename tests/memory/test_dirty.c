/* SPDX-License-Identifier: MIT */

/* The dirty log without a hypervisor: its bits against a model, and what a listener's log does to it. [DIRTY-1] */

#include "vmrig/dirty.h"

#include "tests/memory/fixture.h"

#define PAGES 300u /* of the model, from 0 on */
#define WORDS ((PAGES + 63) / 64)
#define ROUNDS 3000u

static uint64_t take(struct fixture *fixture, uint64_t first, uint64_t pages, uint64_t words[WORDS])
{
    const struct vmr_dirty_bitmap bitmap = {
        .gpa = first * PAGE, .size = pages * PAGE, .words = words, .word_count = WORDS};
    uint64_t count = 0;

    assert_int_equal(vmr_memory_dirty_take(fixture->memory, &bitmap, &count, NULL), VMR_OK);
    return count;
}

static bool bit(const uint64_t *words, uint64_t page)
{
    return (words[page / 64] >> page % 64 & 1u) != 0;
}

static void start(struct fixture *fixture)
{
    assert_int_equal(vmr_memory_dirty_start(fixture->memory, NULL), VMR_OK);
}

/* --- a model --- */

/* Regions of sizes that end words early, late and exactly; holes between some. */
static const struct {
    uint64_t first, pages;
} regions[] = {{1, 3}, {4, 64}, {70, 65}, {140, 1}, {141, 127}, {290, 10}};

static bool is_ram(uint64_t page)
{
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (page >= regions[i].first && page - regions[i].first < regions[i].pages)
            return true;
    }
    return false;
}

static void write_somewhere(struct fixture *fixture, bool model[PAGES], uint64_t *seed)
{
    vmr_gpa gpa = next_random(seed) % (PAGES * PAGE);
    size_t length = 1 + (size_t)(next_random(seed) % (next_random(seed) % 4 == 0 ? 70 * PAGE : 9));
    bool writes = next_random(seed) % 2 == 0;
    enum vmr_status status =
        writes ? vmr_memory_fill(fixture->memory, gpa, 1, length) : vmr_memory_dirty_mark(fixture->memory, gpa, length);

    for (uint64_t page = gpa / PAGE; !status && page <= (gpa + length - 1) / PAGE; page++)
        model[page] = true;
}

static void take_somewhere(struct fixture *fixture, bool model[PAGES], uint64_t *seed)
{
    uint64_t first = next_random(seed) % PAGES, pages = next_random(seed) % (PAGES - first + 1), count = 0;
    uint64_t words[WORDS] = {0};

    for (unsigned i = 0; i < WORDS; i++)
        words[i] = next_random(seed); /* what was there is gone */
    uint64_t given = take(fixture, first, pages, words);

    for (uint64_t i = 0; i < pages; i++) {
        if (bit(words, i) != model[first + i])
            fail_msg("page %u: %d", (unsigned)(first + i), bit(words, i));
        count += model[first + i];
        model[first + i] = false;
    }
    assert_int_equal(given, count);
}

static void pages_are_named_once_and_where_they_are(void **state)
{
    struct fixture fixture;
    bool model[PAGES] = {false};
    uint64_t seed = 88172645463325252, dirty = 0;

    (void)state;
    fixture_init(&fixture);
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
        must_add(&fixture, regions[i].first * PAGE, regions[i].pages * PAGE, i == 3);
    start(&fixture);
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (next_random(&seed) % 3 != 0)
            write_somewhere(&fixture, model, &seed);
        else
            take_somewhere(&fixture, model, &seed);
        for (uint64_t page = 0; page < PAGES; page++)
            dirty += model[page] && is_ram(page);
    }
    assert_true(dirty > ROUNDS);
    fixture_finish(&fixture);
}

/* --- a listener, as a partition is --- */

struct ear {
    unsigned on, off, takes;
    enum vmr_status fail_log, fail_take;
    uint64_t pages; /* from 1 on, as found */
    vmr_gpa gpa;    /* of the last query */
    uint64_t size;
};

static enum vmr_status hear_added(void *context, uint32_t slot, const struct vmr_memory_region *region,
                                  struct vmr_error *err)
{
    (void)context, (void)slot, (void)region, (void)err;
    return VMR_OK;
}

static void hear_removed(void *context, uint32_t slot, const struct vmr_memory_region *region)
{
    (void)context, (void)slot, (void)region;
}

static enum vmr_status hear_log(void *context, bool on, struct vmr_error *err)
{
    struct ear *ear = context;

    if (on && ear->fail_log)
        return vmr_error_set(err, ear->fail_log, "no log");
    ear->on += on;
    ear->off += !on;
    return VMR_OK;
}

static enum vmr_status hear_take(void *context, const struct vmr_dirty_query *query, struct vmr_error *err)
{
    struct ear *ear = context;

    ear->takes++;
    ear->gpa = query->gpa;
    ear->size = query->size;
    if (ear->pages)
        query->found(query->context, PAGE, ear->pages);
    ear->pages = 0;
    return ear->fail_take ? vmr_error_set(err, ear->fail_take, "no take") : VMR_OK;
}

static void listen(struct fixture *fixture, struct ear *ear)
{
    const struct vmr_memory_listener listener = {
        .added = hear_added, .removed = hear_removed, .context = ear, .dirty_log = hear_log, .dirty_take = hear_take};

    fixture_init(fixture);
    must_add(fixture, PAGE, 100 * PAGE, false);
    assert_int_equal(vmr_memory_listen(fixture->memory, &listener, NULL), VMR_OK);
}

static void what_the_listener_found_waits_for_who_asks(void **state)
{
    struct ear ear = {.pages = UINT64_C(1) << 63 | 0x11};
    uint64_t words[WORDS];
    struct fixture fixture;

    (void)state;
    listen(&fixture, &ear);
    start(&fixture);
    assert_int_equal(take(&fixture, 5, 2, words), 1);
    assert_true(bit(words, 0));
    assert_int_equal(ear.gpa, 5 * PAGE);
    assert_int_equal(ear.size, 2 * PAGE);
    assert_int_equal(take(&fixture, 0, 101, words), 2);
    assert_true(bit(words, 1) && bit(words, 64));
    assert_int_equal(ear.on, 1);
    assert_int_equal(vmr_memory_dirty_stop(fixture.memory, NULL), VMR_OK);
    assert_int_equal(ear.off, 1);
    vmr_memory_unlisten(fixture.memory);
    fixture_finish(&fixture);
}

static void a_listener_that_fails_to_begin_leaves_the_log_off(void **state)
{
    struct ear ear = {.fail_log = VMR_E_UNSUPPORTED};
    struct vmr_error err = {.message = ""};
    struct fixture fixture;

    (void)state;
    listen(&fixture, &ear);
    assert_int_equal(vmr_memory_dirty_start(fixture.memory, &err), VMR_E_UNSUPPORTED);
    assert_string_equal(err.message, "no log");
    assert_int_equal(vmr_memory_dirty_stop(fixture.memory, NULL), VMR_E_STATE);
    ear.fail_log = VMR_OK;
    start(&fixture);
    vmr_memory_unlisten(fixture.memory);
    fixture_finish(&fixture);
}

static void a_listener_that_comes_later_begins_or_is_refused(void **state)
{
    struct ear ear = {.fail_log = VMR_E_HOST};
    struct vmr_memory_listener listener = {
        .added = hear_added, .removed = hear_removed, .context = &ear, .dirty_log = hear_log};
    struct vmr_error err = {.message = ""};
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    start(&fixture);
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_E_USAGE);
    listener.dirty_take = hear_take;
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, &err), VMR_E_HOST);
    assert_string_equal(err.message, "no log");
    ear.fail_log = VMR_OK;
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_OK);
    assert_int_equal(ear.on, 1);
    vmr_memory_unlisten(fixture.memory);
    fixture_finish(&fixture);
}

static void a_take_that_fails_gives_nothing_and_loses_nothing(void **state)
{
    struct ear ear = {.fail_take = VMR_E_HOST, .pages = 2};
    uint64_t words[WORDS] = {5}, pages = 7;
    const struct vmr_dirty_bitmap bitmap = {.size = 10 * PAGE, .words = words, .word_count = WORDS};
    struct fixture fixture;

    (void)state;
    listen(&fixture, &ear);
    start(&fixture);
    assert_int_equal(vmr_memory_fill(fixture.memory, 3 * PAGE, 1, 1), VMR_OK);
    assert_int_equal(vmr_memory_dirty_take(fixture.memory, &bitmap, &pages, NULL), VMR_E_HOST);
    assert_true(words[0] == 5 && pages == 7);
    ear.fail_take = VMR_OK;
    assert_int_equal(take(&fixture, 0, 10, words), 2);
    assert_true(bit(words, 2) && bit(words, 3));
    vmr_memory_unlisten(fixture.memory);
    fixture_finish(&fixture);
}

static void what_a_listener_wrote_outlives_it(void **state)
{
    static const enum vmr_status statuses[] = {VMR_OK, VMR_E_HOST};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ear ear = {.pages = 2};
        uint64_t words[WORDS];
        struct fixture fixture;

        listen(&fixture, &ear);
        start(&fixture);
        ear.fail_take = statuses[i];
        vmr_memory_unlisten(fixture.memory);
        /* One that cannot say what it wrote has written everything. */
        assert_int_equal(take(&fixture, 0, 110, words), i == 0 ? 1 : 100);
        assert_true(bit(words, 2));
        fixture_finish(&fixture);
    }
}

/* --- runs --- */

static void runs_come_in_order_and_whole(void **state)
{
    static const struct vmr_dirty_run expected[] = {
        {0x10000, PAGE}, {0x10000 + 62 * PAGE, 4 * PAGE}, {0x10000 + 128 * PAGE, 2 * PAGE}};
    uint64_t words[] = {UINT64_C(3) << 62 | 1, 3, UINT64_MAX};
    struct vmr_dirty_bitmap bitmap = {.gpa = 0x10000, .size = 130 * PAGE, .words = words, .word_count = 3};
    struct vmr_dirty_run run = {0};
    size_t count = 0;

    (void)state;
    while (vmr_dirty_next(&bitmap, run.gpa + run.size, &run)) {
        assert_true(count < 3);
        assert_int_equal(run.gpa, expected[count].gpa);
        assert_int_equal(run.size, expected[count].size);
        count++;
    }
    assert_int_equal(count, 3);
    assert_true(vmr_dirty_next(&bitmap, 0x10000 + 63 * PAGE, &run));
    assert_int_equal(run.size, 3 * PAGE);
    bitmap.size = 0;
    assert_false(vmr_dirty_next(&bitmap, 0, &run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_named_once_and_where_they_are),
        cmocka_unit_test(what_the_listener_found_waits_for_who_asks),
        cmocka_unit_test(a_listener_that_fails_to_begin_leaves_the_log_off),
        cmocka_unit_test(a_listener_that_comes_later_begins_or_is_refused),
        cmocka_unit_test(a_take_that_fails_gives_nothing_and_loses_nothing),
        cmocka_unit_test(what_a_listener_wrote_outlives_it),
        cmocka_unit_test(runs_come_in_order_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
