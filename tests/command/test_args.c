/* SPDX-License-Identifier: MIT */
/*
 * The command line's parser: each wrong line is refused with the word named,
 * and what is right arrives where it belongs.
 */

#include "tools/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum option {
    OPTION_SIZE,
    OPTION_FLAG,
    OPTION_OUTPUT,
    OPTION_EACH
};

static const struct args_option options[] = {
    [OPTION_SIZE] = {.name = "size", .value = "SIZE", .required = true, .help = "how large"},
    [OPTION_FLAG] = {.name = "flag", .help = "whether"},
    [OPTION_OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE", .help = "where to"},
    [OPTION_EACH] = {.name = "each", .value = "NAME", .repeatable = true, .help = "which"},
};
static const struct args_spec spec = {.options = options, .option_count = 4, .operands = {"FILE"}};

#define WORDS_MAX 72

static enum vmr_status parse(const char *const *words, struct args *ret_args, struct vmr_error *err)
{
    static char storage[WORDS_MAX][32];
    char *copies[WORDS_MAX + 1] = {NULL};

    for (size_t i = 0; words[i]; i++) {
        assert_true(i < WORDS_MAX && strlen(words[i]) < sizeof(storage[i]));
        copies[i] = strcpy(storage[i], words[i]);
    }
    return args_parse("vmrig x", &spec, copies, ret_args, err);
}

static void wrong_lines_name_the_word(void **state)
{
    static const struct {
        const char *name;
        const char *words[8];
        const char *message;
    } rows[] = {
        {"unknown", {"--size", "1", "--colour", "f"}, "unknown option '--colour'"},
        {"unknown with value", {"--colour=red", "f"}, "unknown option '--colour'"},
        {"a beginning is not enough", {"--siz", "1", "f"}, "unknown option '--siz'"},
        {"longer than an option", {"--sizes", "1", "f"}, "unknown option '--sizes'"},
        {"unknown letter", {"-q", "f"}, "unknown option '-q'"},
        {"letters do not cluster", {"-oout", "f"}, "unknown option '-oout'"},
        {"missing value at the end", {"f", "--size"}, "option '--size' needs a value: SIZE"},
        {"missing value before an option", {"--size", "--flag", "f"}, "option '--size' needs a value: SIZE"},
        {"missing value of a letter", {"--size=1", "f", "-o"}, "option '--output' needs a value: FILE"},
        {"a flag with a value", {"--flag=1", "--size=1", "f"}, "option '--flag' takes no value"},
        {"twice", {"--size=1", "--size=2", "f"}, "option '--size' is given twice"},
        {"twice, as letter and as name", {"-o", "a", "--output", "b", "f"}, "option '--output' is given twice"},
        {"a flag twice", {"--flag", "--flag", "f"}, "option '--flag' is given twice"},
        {"required option", {"f"}, "option '--size SIZE' is missing"},
        {"required operand", {"--size=1"}, "argument FILE is missing"},
        {"one operand too many", {"--size=1", "f", "g"}, "unexpected argument 'g'"},
        {"behind the dashes all are operands", {"--size=1", "--", "--flag", "--each"}, "unexpected argument '--each'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct args args = {.command = "untouched"};
        struct vmr_error err = {0};

        if (parse(rows[i].words, &args, &err) != VMR_E_USAGE || strcmp(err.message, rows[i].message) != 0)
            fail_msg("%s: '%s'", rows[i].name, err.message);
        assert_string_equal(args.command, "untouched");
    }
}

static void right_lines_arrive(void **state)
{
    static const char *const words[] = {"--each=a", "-", "--flag", "-o", "out=1", "--size", "-5", "--each", "b", NULL};
    const char *each[ARGS_GIVEN_MAX];
    struct args args;
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(parse(words, &args, &err), VMR_OK);
    assert_string_equal(args_value(&args, OPTION_SIZE), "-5");
    assert_string_equal(args_value(&args, OPTION_OUTPUT), "out=1");
    assert_true(args_has(&args, OPTION_FLAG));
    assert_null(args_value(&args, OPTION_FLAG));
    assert_int_equal(args_values(&args, OPTION_EACH, each), 2);
    assert_string_equal(each[0], "a");
    assert_string_equal(each[1], "b");
    assert_int_equal(args.operand_count, 1);
    assert_string_equal(args.operands[0], "-");
}

static void an_empty_value_is_a_value(void **state)
{
    static const char *const words[] = {"--size=", "", NULL};
    struct args args;
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(parse(words, &args, &err), VMR_OK);
    assert_string_equal(args_value(&args, OPTION_SIZE), "");
    assert_string_equal(args.operands[0], "");
}

static void help_wins_over_what_is_missing(void **state)
{
    static const char *const words[] = {"--help", "--colour", NULL};
    struct args args;
    struct vmr_error err = {0};

    (void)state;
    assert_int_equal(parse(words, &args, &err), VMR_OK);
    assert_true(args.help);
}

static void the_number_of_options_is_bounded(void **state)
{
    const char *words[WORDS_MAX] = {NULL};
    struct args args;
    struct vmr_error err = {0};

    (void)state;
    for (size_t i = 0; i < ARGS_GIVEN_MAX - 1; i++)
        words[i] = "--each=n";
    words[ARGS_GIVEN_MAX - 1] = "--size=1";
    words[ARGS_GIVEN_MAX] = "f";
    assert_int_equal(parse(words, &args, &err), VMR_OK);
    words[ARGS_GIVEN_MAX + 1] = "--each=n";
    assert_int_equal(parse(words, &args, &err), VMR_E_USAGE);
    assert_string_equal(err.message, "more than 64 options");
}

static void numbers_are_held_against_their_bounds(void **state)
{
    static const struct {
        const char *word;
        bool good;
    } rows[] = {
        {"--size=2", true},    {"--size=9", true}, {"--size=1", false},  {"--size=10", false},
        {"--size=0x5", false}, {"--size=", false}, {"--size=5 ", false}, {"--size=-5", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const words[] = {rows[i].word, "f", NULL};
        uint64_t value = 77;
        struct args args;
        struct vmr_error err = {0};

        assert_int_equal(parse(words, &args, &err), VMR_OK);
        if ((args_number(&args, OPTION_SIZE, 2, 9, &value, &err) == VMR_OK) != rows[i].good)
            fail_msg("%s", rows[i].word);
        /* Untouched unless it is good. */
        assert_true(rows[i].good == (value != 77));
    }
}

static void help_shows_every_option(void **state)
{
    char text[2048] = "";
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    args_print_help(file, "vmrig x", &spec, "Does x.");
    rewind(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    assert_non_null(strstr(text, "usage: vmrig x --size SIZE [--flag] [--output FILE] [--each NAME]... FILE\n"));
    for (size_t i = 0; i < spec.option_count; i++)
        assert_non_null(strstr(text, options[i].help));
}

static void the_last_operand_may_repeat_up_to_the_limit(void **state)
{
    static const struct args_spec files = {.operands = {"FILE..."}, .last_repeats = true};
    static char word[] = "f";
    static char *words[ARGS_REPEATED_MAX + 2];
    struct vmr_error err = {0};
    struct args args;

    (void)state;
    assert_int_equal(args_parse("vmrig x", &files, words, &args, &err), VMR_E_USAGE);
    assert_string_equal(err.message, "argument FILE... is missing");
    for (size_t i = 0; i < ARGS_REPEATED_MAX; i++)
        words[i] = word;
    assert_int_equal(args_parse("vmrig x", &files, words, &args, &err), VMR_OK);
    assert_int_equal(args.operand_count, ARGS_REPEATED_MAX);
    words[ARGS_REPEATED_MAX] = word;
    assert_int_equal(args_parse("vmrig x", &files, words, &args, &err), VMR_E_USAGE);
    assert_string_equal(err.message, "unexpected argument 'f'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_name_the_word),
        cmocka_unit_test(right_lines_arrive),
        cmocka_unit_test(an_empty_value_is_a_value),
        cmocka_unit_test(help_wins_over_what_is_missing),
        cmocka_unit_test(the_number_of_options_is_bounded),
        cmocka_unit_test(numbers_are_held_against_their_bounds),
        cmocka_unit_test(help_shows_every_option),
        cmocka_unit_test(the_last_operand_may_repeat_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
