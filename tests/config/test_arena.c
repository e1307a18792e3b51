/* SPDX-License-Identifier: MIT */
/*
 * The arena: everything it gives is zeroed, aligned, apart from everything else.
 */

#include "lib/config/arena.h"

#include <stdalign.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct arena arena = {0};
    unsigned char *pieces[300];

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        pieces[i] = arena_alloc(&arena, i + 1, 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < (i + 1) * 7; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i & 0xff) + 1, (i + 1) * 7);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t k = 0; k < (i + 1) * 7; k++)
            assert_int_equal(pieces[i][k], (unsigned char)((i & 0xff) + 1));
    }
    arena_finish(&arena);
}

static void a_piece_larger_than_any_chunk_is_given(void **state)
{
    struct arena arena = {0};
    unsigned char *large = arena_alloc(&arena, 3, 1u << 20);

    (void)state;
    assert_non_null(large);
    large[(3u << 20) - 1] = 1;
    assert_non_null(arena_alloc(&arena, 1, 1));
    arena_finish(&arena);
    assert_null(arena.chunks);
}

static void sizes_that_overflow_are_refused(void **state)
{
    struct arena arena = {0};

    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX / 2 + 1, 2));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(arena_alloc(&arena, 1, SIZE_MAX - 20));
    assert_null(arena_text(&arena, "", SIZE_MAX));
    arena_finish(&arena);
}

static void a_text_is_copied_with_a_zero_behind_it(void **state)
{
    struct arena arena = {0};
    char *text = arena_text(&arena, "abcdef", 3);

    (void)state;
    assert_string_equal(text, "abc");
    assert_string_equal(arena_text(&arena, NULL, 0), "");
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_piece_larger_than_any_chunk_is_given),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_text_is_copied_with_a_zero_behind_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
