/* SPDX-License-Identifier: MIT */

/*
 * The version is written in the public header, in the library and in the
 * build file; a release that forgets one of them fails here.
 */

#include "vmrig/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void library_and_header_agree(void **state)
{
    char header[32];

    (void)state;
    snprintf(header, sizeof(header), "%d.%d.%d", VMR_VERSION_MAJOR, VMR_VERSION_MINOR, VMR_VERSION_PATCH);
    assert_string_equal(vmr_version(), header);
}

static void library_and_build_file_agree(void **state)
{
    (void)state;
    assert_string_equal(vmr_version(), PROJECT_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_and_header_agree),
        cmocka_unit_test(library_and_build_file_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
