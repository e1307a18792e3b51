/* SPDX-License-Identifier: MIT */
/*
 * The built-in table: order, names, and that each backend's operations are
 * all there but for those that backend.h lets be NULL.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/backend.h"

static void hypervisors_come_in_order_and_before_what_must_be_named(void **state)
{
    static const char *const names[] = {"mshv", "kvm", "whp", "hvf"};
    const size_t named = sizeof(names) / sizeof(names[0]);
    struct vmr_backend_set set;

    (void)state;
    vmr_backend_set_init(&set);
    assert_in_range(set.count, named, VMR_BACKEND_MAX);
    for (size_t i = 0; i < set.count; i++) {
        const struct vmr_backend *backend = set.backends[i];

        assert_int_equal(backend->abi, VMR_BACKEND_ABI);
        assert_non_null(backend->description);
        assert_non_null(backend->keys);
        assert_non_null(backend->open);
        assert_int_equal((backend->flags & VMR_BACKEND_EXPLICIT_ONLY) != 0, i >= named);
        if (i < named)
            assert_string_equal(backend->name, names[i]);
    }
}

#define ALWAYS_THERE(backend, operation)                                                                               \
    do {                                                                                                               \
        if (!(backend)->operation)                                                                                     \
            fail_msg("%s has no " #operation, (backend)->name);                                                        \
    } while (0)

static void operations_that_are_not_optional_are_there(void **state)
{
    struct vmr_backend_set set;

    (void)state;
    vmr_backend_set_init(&set);
    for (size_t i = 0; i < set.count; i++) {
        const struct vmr_backend *backend = set.backends[i];

        if (backend->flags & VMR_BACKEND_PROBE_ONLY)
            continue;
        assert_true(backend->vm_size > 0 && backend->vp_size > 0);
        ALWAYS_THERE(backend, caps);
        ALWAYS_THERE(backend, vm_create);
        ALWAYS_THERE(backend, vm_destroy);
        ALWAYS_THERE(backend, vp_create);
        ALWAYS_THERE(backend, vp_destroy);
        ALWAYS_THERE(backend, vm_map);
        ALWAYS_THERE(backend, vm_unmap);
        ALWAYS_THERE(backend, vp_bind);
        ALWAYS_THERE(backend, vp_unbind);
        ALWAYS_THERE(backend, vp_run);
        ALWAYS_THERE(backend, vp_kick);
        ALWAYS_THERE(backend, vp_get_regs);
        ALWAYS_THERE(backend, vp_set_regs);
        ALWAYS_THERE(backend, vp_get_msr);
        ALWAYS_THERE(backend, vp_set_msr);
        ALWAYS_THERE(backend, vp_interrupt);
        ALWAYS_THERE(backend, vp_nmi);
        ALWAYS_THERE(backend, vp_request_window);
        ALWAYS_THERE(backend, vp_set_tpr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hypervisors_come_in_order_and_before_what_must_be_named),
        cmocka_unit_test(operations_that_are_not_optional_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
