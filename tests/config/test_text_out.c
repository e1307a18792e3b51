/* SPDX-License-Identifier: MIT */
/*
 * Text that grows: short and long pieces, and a failure that is kept.
 */

#include "lib/config/text_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void pieces_of_any_length_come_out_joined_and_terminated(void **state)
{
    struct vmr_config_text text;
    struct writer writer;
    char piece[2001];

    (void)state;
    memset(piece, 'x', 2000);
    piece[2000] = '\0';
    writer_init(&writer, TEXT_OUT_MAX);
    text_out(&writer, "%d-", 12);
    for (size_t length = 509; length <= 514; length++)
        text_out(&writer, "%.*s", (int)length, piece);
    text_out(&writer, "%s!", piece);
    assert_int_equal(text_out_finish(&writer, &text, NULL), VMR_OK);
    assert_int_equal(text.length, 3 + 509 + 510 + 511 + 512 + 513 + 514 + 2000 + 1);
    assert_int_equal(strlen(text.bytes), text.length);
    assert_int_equal(strspn(text.bytes + 3, "x"), text.length - 4);
    free(text.bytes);
}

static void a_text_above_its_limit_fails_once_and_for_all(void **state)
{
    struct vmr_config_text text = {.length = 7};
    struct vmr_error err = {0};
    struct writer writer;

    (void)state;
    writer_init(&writer, 4);
    text_out(&writer, "abc");
    text_out(&writer, "de");
    text_out(&writer, "f");
    assert_int_equal(text_out_finish(&writer, &text, &err), VMR_E_NOMEM);
    assert_int_equal(err.status, VMR_E_NOMEM);
    assert_int_equal(text.length, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_length_come_out_joined_and_terminated),
        cmocka_unit_test(a_text_above_its_limit_fails_once_and_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
