/* SPDX-License-Identifier: MIT */
/*
 * The backends that are known by name only: parameters first, then
 * "unavailable" with the reason; and the built-in table as a whole.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/hvf/hvf.h"
#include "backends/mshv/mshv.h"
#include "backends/whp/whp.h"

static void whp_keys_mean_what_they_say(void **state)
{
    static const struct {
        const char *name;
        struct vmr_params params;
        struct whp_params parsed;
    } rows[] = {
        {"nothing", {.count = 0}, {false, true}},
        {"user_mode_apic", {.count = 1, .items = {{"user_mode_apic", "true"}}}, {true, true}},
        {"no offload", {.count = 1, .items = {{"offload_enlightenments", "no"}}}, {false, false}},
        {"the other word", {.count = 1, .items = {{"no_enlightenments", "1"}}}, {false, false}},
        {"the other word, inverted", {.count = 1, .items = {{"no_enlightenments", "0"}}}, {false, true}},
        {"both words agree",
         {.count = 2, .items = {{"no_enlightenments", "yes"}, {"offload_enlightenments", "false"}}},
         {false, false}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct whp_params parsed;

        assert_int_equal(whp_params_parse(&rows[i].params, &parsed, NULL), VMR_OK);
        if (parsed.user_mode_apic != rows[i].parsed.user_mode_apic || parsed.own_hyperv != rows[i].parsed.own_hyperv)
            fail_msg("%s", rows[i].name);
    }
}

static void whp_refuses_bad_values_before_it_is_unavailable(void **state)
{
    static const struct vmr_params bad[] = {
        {.count = 1, .items = {{"user_mode_apic", "TRUE"}}},
        {.count = 1, .items = {{"offload_enlightenments", ""}}},
        {.count = 1, .items = {{"no_enlightenments", "2"}}},
        {.count = 2, .items = {{"no_enlightenments", "yes"}, {"offload_enlightenments", "yes"}}},
    };
    const struct vmr_params none = {0};
    struct vmr_hypervisor_handle handle;
    struct vmr_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(vmr_whp_backend()->open(&bad[i], -1, &handle, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, bad[i].items[0].key));
    }
    assert_int_equal(vmr_whp_backend()->open(&none, -1, &handle, &err), VMR_E_UNAVAILABLE);
}

static void hvf_is_unavailable_and_says_why(void **state)
{
    const struct vmr_params none = {0};
    struct vmr_hypervisor_handle handle;
    struct vmr_error err;

    (void)state;
    assert_int_equal(vmr_hvf_backend()->open(&none, -1, &handle, &err), VMR_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "Hypervisor.framework"));
    assert_int_equal(vmr_hvf_backend()->open(&none, 7, &handle, NULL), VMR_E_UNAVAILABLE);
}

static void mshv_device_that_is_there_and_does_not_open_is_an_error(void **state)
{
    struct vmr_error err;

    (void)state;
    assert_int_equal(mshv_device_check("/nonexistent/mshv", &err), VMR_E_UNAVAILABLE);
    assert_int_equal(err.status, VMR_E_UNAVAILABLE);
    assert_int_equal(err.host_errno, ENOENT);
    assert_int_equal(mshv_device_check("/", &err), VMR_E_HOST); /* a directory is not opened for writing */
    assert_int_equal(err.host_errno, EISDIR);
    assert_int_equal(mshv_device_check("/dev/null", &err), VMR_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "no partitions"));
}

static void known_names_have_no_other_operations(void **state)
{
    const struct vmr_backend *backends[] = {vmr_hvf_backend(), vmr_mshv_backend(), vmr_whp_backend()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(backends[i]->abi, VMR_BACKEND_ABI);
        assert_true(backends[i]->flags & VMR_BACKEND_PROBE_ONLY);
        assert_non_null(backends[i]->keys);
        assert_null(backends[i]->vm_create);
        assert_null(backends[i]->vp_run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whp_keys_mean_what_they_say),
        cmocka_unit_test(whp_refuses_bad_values_before_it_is_unavailable),
        cmocka_unit_test(hvf_is_unavailable_and_says_why),
        cmocka_unit_test(mshv_device_that_is_there_and_does_not_open_is_an_error),
        cmocka_unit_test(known_names_have_no_other_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
