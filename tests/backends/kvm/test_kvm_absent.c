/* SPDX-License-Identifier: MIT */
/*
 * KVM in a build without it is still known, and still particular about its
 * parameters. [PROBE-2]
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"

static void build_without_kvm_says_so_after_the_parameters(void **state)
{
    const struct vmr_params bad = {.count = 1, .items = {{"irqchip", "pic"}}};
    const struct vmr_params good = {.count = 1, .items = {{"irqchip", "split"}}};
    const struct vmr_backend *backend = vmr_kvm_backend();
    struct vmr_hypervisor_handle handle;
    struct vmr_error err;

    (void)state;
    assert_string_equal(backend->name, "kvm");
    assert_int_equal(backend->open(&bad, -1, &handle, &err), VMR_E_CONFIG);
    assert_int_equal(backend->open(&good, -1, &handle, &err), VMR_E_UNAVAILABLE);
    assert_string_equal(err.message, "kvm: not in this build");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(build_without_kvm_says_so_after_the_parameters)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
