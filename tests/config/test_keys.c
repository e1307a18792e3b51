/* SPDX-License-Identifier: MIT */
/*
 * Keys: the first of equal ones, whatever makes them equal.
 */

#include "lib/config/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MANY 4096u

static size_t find_text(const struct keys *keys, const char *text)
{
    const struct key key = key_of_text(text, 77);

    return keys_find(keys, &key);
}

static void of_equal_texts_the_first_is_found(void **state)
{
    static const char *const texts[] = {"b", "a", "b", "", "ab", "a", NULL};
    struct arena arena = {0};
    struct keys keys;

    (void)state;
    assert_true(keys_init(&keys, &arena, 7));
    for (size_t i = 0; i < 7; i++)
        keys_add(&keys, key_of_text(texts[i], i));
    keys_sort(&keys);
    assert_int_equal(find_text(&keys, "a"), 1);
    assert_int_equal(find_text(&keys, "b"), 0);
    assert_int_equal(find_text(&keys, "ab"), 4);
    assert_int_equal(find_text(&keys, ""), 3);
    assert_int_equal(find_text(&keys, NULL), 3);
    assert_int_equal(find_text(&keys, "B"), KEYS_NONE);
    assert_int_equal(find_text(&keys, "abc"), KEYS_NONE);
    arena_finish(&arena);
}

static void numbers_count_before_texts(void **state)
{
    struct arena arena = {0};
    struct keys keys;

    (void)state;
    assert_true(keys_init(&keys, &arena, MANY));
    for (size_t i = 0; i < MANY; i++)
        keys_add(&keys, (struct key){.number = UINT64_MAX - i / 2, .bytes = "x", .size = 1, .id = i});
    keys_sort(&keys);
    for (size_t i = 0; i < MANY; i++) {
        const struct key key = {.number = UINT64_MAX - i / 2, .bytes = "x", .size = 1};

        assert_int_equal(keys_find(&keys, &key), i / 2 * 2);
    }
    const struct key other_text = {.number = UINT64_MAX, .bytes = "y", .size = 1};
    const struct key other_number = {.number = 0, .bytes = "x", .size = 1};

    assert_int_equal(keys_find(&keys, &other_text), KEYS_NONE);
    assert_int_equal(keys_find(&keys, &other_number), KEYS_NONE);
    arena_finish(&arena);
}

static void in_none_nothing_is_found(void **state)
{
    struct arena arena = {0};
    struct keys keys;

    (void)state;
    assert_true(keys_init(&keys, &arena, 0));
    keys_sort(&keys);
    assert_int_equal(find_text(&keys, "a"), KEYS_NONE);
    assert_false(keys_init(&keys, &arena, SIZE_MAX / 8));
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_equal_texts_the_first_is_found),
        cmocka_unit_test(numbers_count_before_texts),
        cmocka_unit_test(in_none_nothing_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
