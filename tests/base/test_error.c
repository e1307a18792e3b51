/* SPDX-License-Identifier: MIT */
/*
 * Statuses have names, and an error is filled, cut, wrapped or skipped, but never
 * makes things worse.
 */

#include "vmrig/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < VMR_STATUS_COUNT; i++) {
        assert_non_null(vmr_status_name((enum vmr_status)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(vmr_status_name((enum vmr_status)i), vmr_status_name((enum vmr_status)j));
    }
}

static void a_number_that_is_no_status_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(vmr_status_name(VMR_STATUS_COUNT), "unknown status");
    assert_string_equal(vmr_status_name((enum vmr_status) - 1), "unknown status");
}

static void the_status_is_returned_and_kept(void **state)
{
    (void)state;
    struct vmr_error err = {.host_errno = 7};

    assert_int_equal(vmr_error_set(&err, VMR_E_CONFIG, "memory %#x", 0x10u), VMR_E_CONFIG);
    assert_int_equal(err.status, VMR_E_CONFIG);
    assert_int_equal(err.host_errno, 0);
    assert_string_equal(err.message, "memory 0x10");
}

static void a_caller_without_interest_passes_null(void **state)
{
    (void)state;
    assert_int_equal(vmr_error_set(NULL, VMR_E_STATE, "unheard"), VMR_E_STATE);
    assert_int_equal(vmr_error_set_host(NULL, ENOENT, "unheard"), VMR_E_HOST);
}

static void a_host_failure_is_spelled_out(void **state)
{
    (void)state;
    struct vmr_error err = {0};

    assert_int_equal(vmr_error_set_host(&err, ENOENT, "open %s", "/dev/kvm"), VMR_E_HOST);
    assert_int_equal(err.status, VMR_E_HOST);
    assert_int_equal(err.host_errno, ENOENT);
    assert_string_equal(err.message, "open /dev/kvm: No such file or directory");
}

static void a_number_that_is_no_errno_is_still_reported(void **state)
{
    (void)state;
    struct vmr_error err = {0};

    vmr_error_set_host(&err, 99999, "call");
    assert_non_null(strstr(err.message, "99999"));
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    struct {
        struct vmr_error err;
        char guard;
    } box = {.guard = 'g'};
    char text[2 * VMR_ERROR_MESSAGE_MAX];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    vmr_error_set(&box.err, VMR_E_CONFIG, "%s", text);
    assert_int_equal(strlen(box.err.message), VMR_ERROR_MESSAGE_MAX - 1);
    vmr_error_set_host(&box.err, ENOENT, "%s", text);
    assert_int_equal(strlen(box.err.message), VMR_ERROR_MESSAGE_MAX - 1);
    assert_int_equal(box.guard, 'g');
}

static void the_reason_is_cut_where_the_message_ends(void **state)
{
    (void)state;
    struct vmr_error err = {0};

    vmr_error_set_host(&err, ENOENT, "%*s", VMR_ERROR_MESSAGE_MAX - 5, "call");
    assert_int_equal(strlen(err.message), VMR_ERROR_MESSAGE_MAX - 1);
    assert_string_equal(err.message + VMR_ERROR_MESSAGE_MAX - 5, ": No");
}

static void an_error_can_wrap_its_own_message(void **state)
{
    (void)state;
    struct vmr_error err = {.message = "no such word"};

    vmr_error_set(&err, VMR_E_CORRUPT, "line %d: %s", 3, err.message);
    assert_string_equal(err.message, "line 3: no such word");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(a_number_that_is_no_status_is_unknown),
        cmocka_unit_test(the_status_is_returned_and_kept),
        cmocka_unit_test(a_caller_without_interest_passes_null),
        cmocka_unit_test(a_host_failure_is_spelled_out),
        cmocka_unit_test(a_number_that_is_no_errno_is_still_reported),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(the_reason_is_cut_where_the_message_ends),
        cmocka_unit_test(an_error_can_wrap_its_own_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
