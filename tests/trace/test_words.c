/* SPDX-License-Identifier: MIT */
/*
 * Lines taken apart.
 */

#include "lib/trace/words.h"

#include "tests/trace/fixture.h"

static const struct {
    const char *line;
    const char *words[5]; /* NULL ends */
} lines[] = {
    {"", {NULL}},
    {"one", {"one"}},
    {"one two", {"one", "two"}},
    {"one  three", {"one", "", "three"}},
    {" leading", {"", "leading"}},
    {"trailing ", {"trailing"}},
};

static void a_line_is_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct words words;
        struct word word;
        size_t count = 0;

        words_init(&words, lines[i].line, strlen(lines[i].line));
        while (words_next(&words, &word)) {
            if (!lines[i].words[count] || !word_is(&word, lines[i].words[count]))
                fail_msg("\"%s\": word %zu", lines[i].line, count);
            count++;
        }
        assert_null(lines[i].words[count]);
    }
}

static void the_rest_is_one_word(void **state)
{
    struct words words;
    struct word word;

    (void)state;
    words_init(&words, "kind io read", 12);
    assert_true(words_next(&words, &word));
    words_rest(&words, &word);
    assert_true(word_is(&word, "io read"));
    assert_false(words_next(&words, &word));
    words_rest(&words, &word);
    assert_int_equal(word.length, 0);
}

static void a_key_is_taken_off_its_value(void **state)
{
    static const struct {
        const char *text;
        bool taken;
        uint64_t value;
    } cases[] = {
        {"gpa=0x10", true, 16}, {"gpa=7", true, 7}, {"gpa=", false, 0}, {"gpa", false, 0}, {"gpb=1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct word word = {.text = cases[i].text, .length = strlen(cases[i].text)};
        uint64_t value = 0;

        assert_int_equal(word_take_key(&word, "gpa"), cases[i].taken);
        if (cases[i].taken)
            assert_true(word_number(&word, &value));
        assert_int_equal(value, cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_its_words),
        cmocka_unit_test(the_rest_is_one_word),
        cmocka_unit_test(a_key_is_taken_off_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
