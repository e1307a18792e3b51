/* SPDX-License-Identifier: MIT */

/* The lock-free table by itself: order, growth, and a lookup that meets a change. */

#include "lib/io/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct vmr_host host;
    struct table table;
};

static void fixture_init(struct fixture *fixture)
{
    vmr_host_posix(&fixture->host, NULL);
    assert_int_equal(table_init(&fixture->table, &fixture->host), VMR_OK);
}

static void insert(struct table *table, uint32_t index, uint64_t key)
{
    uint64_t record[TABLE_WORDS];

    for (unsigned i = 0; i < TABLE_WORDS; i++)
        record[i] = key + i;
    table_lock(table);
    assert_true(table_insert(table, index, record));
    table_unlock(table);
}

static void check_keys(const struct table *table, const uint64_t *keys, uint32_t count)
{
    const struct table_block *block = table_current(table);

    assert_int_equal(table_count(block), count);
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned word = 0; word < TABLE_WORDS; word++)
            assert_int_equal(table_word(block, i, word), keys[i] + word);
    }
}

static void records_keep_their_order_and_their_words(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    insert(&fixture.table, 0, 200);
    insert(&fixture.table, 0, 100);
    insert(&fixture.table, 2, 400);
    insert(&fixture.table, 2, 300);
    check_keys(&fixture.table, (const uint64_t[]){100, 200, 300, 400}, 4);
    table_remove(&fixture.table, 1);
    check_keys(&fixture.table, (const uint64_t[]){100, 300, 400}, 3);
    table_remove(&fixture.table, 2);
    table_remove(&fixture.table, 0);
    check_keys(&fixture.table, (const uint64_t[]){300}, 1);
    table_remove(&fixture.table, 0);
    check_keys(&fixture.table, NULL, 0);
    table_finish(&fixture.table);
    table_finish(&fixture.table);
}

static void counting_up_to_a_key_is_exact_at_it(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_int_equal(table_count_up_to(table_current(&fixture.table), UINT64_MAX), 0);
    for (uint32_t i = 0; i < 100; i++)
        insert(&fixture.table, i, i * 10);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(table_count_up_to(table_current(&fixture.table), i * 10), i + 1);
        assert_int_equal(table_count_up_to(table_current(&fixture.table), i * 10 + 9), i + 1);
    }
    assert_int_equal(table_count_up_to(table_current(&fixture.table), UINT64_MAX), 100);
    table_finish(&fixture.table);
}

static void coming_and_going_for_ever_takes_no_more_memory(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    const struct table_block *first = table_current(&fixture.table);

    for (uint32_t i = 0; i < first->capacity; i++)
        insert(&fixture.table, i, i);
    for (uint32_t i = 0; i < 1000; i++) {
        table_remove(&fixture.table, i % first->capacity);
        insert(&fixture.table, first->capacity - 1, i);
    }
    assert_ptr_equal(table_current(&fixture.table), first);
    insert(&fixture.table, 0, 1);
    /* Growth: the old block is kept for those who still read it, and is half as large. */
    assert_ptr_equal(table_current(&fixture.table)->retired, first);
    assert_int_equal(table_current(&fixture.table)->capacity, 2 * first->capacity);
    assert_int_equal(table_count(first), first->capacity);
    table_finish(&fixture.table);
}

static void a_lookup_that_meets_a_change_is_done_again(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    insert(&fixture.table, 0, 100);
    struct table_read read = table_read_begin(&fixture.table);

    assert_int_equal(table_count(read.block), 1);
    insert(&fixture.table, 1, 200);
    assert_false(table_read_end(&fixture.table, &read));
    assert_int_equal(table_count(read.block), 2);
    assert_true(table_read_end(&fixture.table, &read));
    /* The second time was under the lock, and gave it back. */
    read = table_read_begin(&fixture.table);
    table_lock(&fixture.table);
    table_remove(&fixture.table, 1);
    table_unlock(&fixture.table);
    assert_false(table_read_end(&fixture.table, &read));
    assert_true(table_read_end(&fixture.table, &read));
    insert(&fixture.table, 1, 300);
    read = table_read_begin(&fixture.table);
    assert_true(table_read_end(&fixture.table, &read));
    table_finish(&fixture.table);
}

static void a_lookup_that_meets_growth_moves_to_the_new_block(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    uint32_t capacity = table_current(&fixture.table)->capacity;

    for (uint32_t i = 0; i < capacity; i++)
        insert(&fixture.table, i, i);
    struct table_read read = table_read_begin(&fixture.table);

    insert(&fixture.table, capacity, capacity);
    assert_int_equal(table_count(read.block), capacity); /* never past its own end */
    assert_false(table_read_end(&fixture.table, &read));
    assert_int_equal(table_count(read.block), capacity + 1);
    assert_true(table_read_end(&fixture.table, &read));
    table_finish(&fixture.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_keep_their_order_and_their_words),
        cmocka_unit_test(counting_up_to_a_key_is_exact_at_it),
        cmocka_unit_test(coming_and_going_for_ever_takes_no_more_memory),
        cmocka_unit_test(a_lookup_that_meets_a_change_is_done_again),
        cmocka_unit_test(a_lookup_that_meets_growth_moves_to_the_new_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
