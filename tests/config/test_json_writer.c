/* SPDX-License-Identifier: MIT */
/*
 * Brackets, commas, lines and escapes.
 */

#include "lib/config/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Long because the text is. */
static void a_text_has_a_line_for_each_key_and_item(void **state)
{
    struct json_writer writer = {0};
    struct vmr_config_text text;

    (void)state;
    json_open(&writer, '{');
    json_key(&writer, "empty");
    json_open(&writer, '{');
    json_close(&writer, '}');
    json_key(&writer, "list");
    json_open_in_line(&writer);
    json_item(&writer);
    json_number(&writer, UINT64_MAX);
    json_item(&writer);
    json_literal(&writer, "true");
    json_close(&writer, ']');
    json_key(&writer, "items");
    json_open(&writer, '[');
    json_item(&writer);
    json_open(&writer, '{');
    json_key_text(&writer, "a", "b");
    json_key_number(&writer, "c", 0);
    json_close(&writer, '}');
    json_item(&writer);
    json_literal(&writer, "null");
    json_close(&writer, ']');
    json_close(&writer, '}');
    assert_int_equal(json_finish(&writer, &text, NULL), VMR_OK);
    assert_string_equal(text.bytes, "{\n"
                                    "  \"empty\": {},\n"
                                    "  \"list\": [18446744073709551615, true],\n"
                                    "  \"items\": [\n"
                                    "    {\n"
                                    "      \"a\": \"b\",\n"
                                    "      \"c\": 0\n"
                                    "    },\n"
                                    "    null\n"
                                    "  ]\n"
                                    "}\n");
    free(text.bytes);
}

static void what_json_does_not_take_is_escaped(void **state)
{
    struct json_writer writer = {0};
    struct vmr_config_text text;

    (void)state;
    json_text(&writer, "a\"b\\c\nd\x7f/\xc3\xa9");
    assert_int_equal(json_finish(&writer, &text, NULL), VMR_OK);
    assert_string_equal(text.bytes, "\"a\\\"b\\\\c\\u000ad\\u007f/\xc3\xa9\"\n");
    free(text.bytes);
}

static void a_long_text_grows(void **state)
{
    struct json_writer writer = {0};
    struct vmr_config_text text;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        json_literal(&writer, "0123456789");
    assert_int_equal(json_finish(&writer, &text, NULL), VMR_OK);
    assert_int_equal(text.length, 1000001);
    assert_int_equal(text.bytes[text.length], 0);
    free(text.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_a_line_for_each_key_and_item),
        cmocka_unit_test(what_json_does_not_take_is_escaped),
        cmocka_unit_test(a_long_text_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
