/* SPDX-License-Identifier: MIT */
/*
 * The search in a stream: against strstr, for every text and stream over two
 * letters up to a length, cut into pieces of every size.
 */

#include "tools/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define STREAM_BITS 9u
#define TEXT_BITS 5u

/* The `length` lowest bits of `bits` as letters. */
static void spell(unsigned bits, unsigned length, char *ret_word)
{
    for (unsigned i = 0; i < length; i++)
        ret_word[i] = (bits >> i & 1u) ? 'b' : 'a';
    ret_word[length] = '\0';
}

static bool feed_in_pieces(const char *text, const char *stream, size_t piece)
{
    size_t length = strlen(stream);
    struct matcher matcher;
    bool found = false;

    assert_true(matcher_init(&matcher, text));
    for (size_t at = 0; at < length; at += piece) {
        size_t part = length - at < piece ? length - at : piece;

        found |= matcher_feed(&matcher, (const uint8_t *)stream + at, part);
    }
    return found;
}

static void check_text(const char *text)
{
    char stream[STREAM_BITS + 1];

    for (unsigned bits = 0; bits < 1u << STREAM_BITS; bits++) {
        spell(bits, STREAM_BITS, stream);
        for (size_t piece = 1; piece <= STREAM_BITS; piece++) {
            if (feed_in_pieces(text, stream, piece) != (strstr(stream, text) != NULL))
                fail_msg("'%s' in '%s' by %zu", text, stream, piece);
        }
    }
}

static void it_finds_what_strstr_finds_in_pieces_of_any_size(void **state)
{
    char text[TEXT_BITS + 1];

    (void)state;
    for (unsigned length = 1; length <= TEXT_BITS; length++) {
        for (unsigned bits = 0; bits < 1u << length; bits++) {
            spell(bits, length, text);
            check_text(text);
        }
    }
}

static void texts_that_overlap_themselves_are_found_each_time(void **state)
{
    struct matcher matcher;

    (void)state;
    assert_true(matcher_init(&matcher, "aa"));
    assert_false(matcher_feed(&matcher, (const uint8_t *)"a", 1));
    assert_true(matcher_feed(&matcher, (const uint8_t *)"a", 1));
    assert_true(matcher_feed(&matcher, (const uint8_t *)"a", 1));
    assert_false(matcher_feed(&matcher, (const uint8_t *)"b", 1));
}

static void any_byte_may_come(void **state)
{
    static const uint8_t stream[] = {0, 0xff, 0xc3, 0xa9, 0};
    struct matcher matcher;

    (void)state;
    assert_true(matcher_init(&matcher, "\xc3\xa9"));
    assert_true(matcher_feed(&matcher, stream, sizeof(stream)));
}

static void texts_of_no_length_or_too_much_are_refused(void **state)
{
    char text[MATCHER_TEXT_MAX + 2];
    struct matcher matcher;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[MATCHER_TEXT_MAX + 1] = '\0';
    assert_false(matcher_init(&matcher, ""));
    assert_false(matcher_init(&matcher, text));
    text[MATCHER_TEXT_MAX] = '\0';
    assert_true(matcher_init(&matcher, text));
    assert_false(matcher_feed(&matcher, (const uint8_t *)text, MATCHER_TEXT_MAX - 1));
    assert_true(matcher_feed(&matcher, (const uint8_t *)text, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_strstr_finds_in_pieces_of_any_size),
        cmocka_unit_test(texts_that_overlap_themselves_are_found_each_time),
        cmocka_unit_test(any_byte_may_come),
        cmocka_unit_test(texts_of_no_length_or_too_much_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
