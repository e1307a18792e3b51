/* SPDX-License-Identifier: MIT */
/*
 * What a backend's table must have: each operation that is missing is named, with the capability that promises it, and
 * what nobody promises is not asked for.
 */

#include "conformance/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/backend_state.h"
#include "vmrig/mock.h"

#define ROW(op, cap)                                                                                                   \
    {                                                                                                                  \
#op, offsetof(struct vmr_backend, op), VMR_CAP_##cap                                                           \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the order of backend.h. The mock serves all but the Hyper-V offload. */
static const struct {
    const char *name;
    size_t offset;
    enum vmr_cap cap;
} promised[] = {
    ROW(vm_protect, VTL),
    ROW(vm_dirty_log, DIRTY_LOG),
    ROW(vm_dirty_take, DIRTY_LOG),
    ROW(vp_get_xmm, XMM),
    ROW(vp_set_xmm, XMM),
    ROW(vp_flush, FLUSH),
    ROW(vp_exception, EXCEPTION),
    ROW(vp_switch_vtl, VTL),
    ROW(vp_pass_fault, VTL),
    ROW(vp_get_activity, IRQCHIP_SPLIT),
    ROW(vp_set_activity, IRQCHIP_KERNEL),
    ROW(vp_set_debug, SINGLE_STEP),
    ROW(vp_set_debug, HW_BREAKPOINT),
    ROW(vm_irq, IRQCHIP_KERNEL),
    ROW(vm_lint, IRQCHIP_KERNEL),
    ROW(vm_msi, MSI),
    ROW(vm_set_route, MSI),
    ROW(vm_irqfd, IRQFD),
    ROW(vm_doorbell, DOORBELL),
    ROW(hv, HV_OFFLOAD),
    ROW(managed, MANAGED),
};

static void take_away(struct vmr_backend *table, size_t offset)
{
    memset((char *)table + offset, 0, sizeof(void (*)(void)));
}

static void what_a_capability_promises_is_named_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(promised); i++) {
        struct vmr_backend table = *vmr_mock_backend();
        const struct vmr_caps caps = {.bits = UINT64_C(1) << promised[i].cap}, none = {.bits = 0};
        struct vmr_error err = {.message = ""};
        char quoted[64];

        take_away(&table, promised[i].offset);
        assert_int_equal(conf_operations_check(&table, &none, &err), VMR_OK);
        assert_int_equal(conf_operations_check(&table, &caps, &err), VMR_E_CONFIG);
        assert_non_null(strstr(err.message, vmr_cap_name(promised[i].cap)));
        (void)snprintf(quoted, sizeof(quoted), "'%s'", promised[i].name);
        assert_non_null(strstr(err.message, quoted));
    }
}

static void what_every_backend_has_is_named(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {{"name", offsetof(struct vmr_backend, name)},
                {"keys", offsetof(struct vmr_backend, keys)},
                {"open", offsetof(struct vmr_backend, open)},
                {"vm_destroy", offsetof(struct vmr_backend, vm_destroy)},
                {"vp_kick", offsetof(struct vmr_backend, vp_kick)},
                {"vp_leave", offsetof(struct vmr_backend, vp_leave)},
                {"vp_set_tpr", offsetof(struct vmr_backend, vp_set_tpr)}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vmr_backend table = *vmr_mock_backend();

        take_away(&table, rows[i].offset);
        assert_string_equal(conf_missing_operation(&table), rows[i].name);
    }
}

static void classes_need_the_operations_that_reach_them(void **state)
{
    const struct vmr_caps of_vps = {.vp_classes = 1}, of_vms = {.vm_classes = 1};
    struct vmr_backend_state poor = {.vp_get_state = vmr_mock_backend()->state->vp_get_state};
    struct vmr_backend table = *vmr_mock_backend();
    struct vmr_error err;

    (void)state;
    table.state = NULL;
    assert_int_equal(conf_operations_check(&table, &of_vps, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "'state'"));
    table.state = &poor;
    assert_int_equal(conf_operations_check(&table, &of_vps, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "'state.vp_set_state'"));
    assert_int_equal(conf_operations_check(&table, &of_vms, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "'state.vm_get_state'"));
}

static void the_librarys_own_tables_are_whole(void **state)
{
    struct vmr_backend_set set;

    (void)state;
    vmr_backend_set_init(&set);
    for (size_t i = 0; i < set.count; i++) {
        struct vmr_hypervisor_handle handle;
        struct vmr_caps caps;

        assert_null(conf_missing_operation(set.backends[i]));
        if (vmr_probe_named(&set, set.backends[i]->name, &handle, NULL))
            continue; /* not on this machine */
        assert_int_equal(handle.backend->caps(&handle, &caps, NULL), VMR_OK);
        assert_int_equal(conf_operations_check(handle.backend, &caps, NULL), VMR_OK);
        vmr_handle_close(&handle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_capability_promises_is_named_with_it),
        cmocka_unit_test(what_every_backend_has_is_named),
        cmocka_unit_test(classes_need_the_operations_that_reach_them),
        cmocka_unit_test(the_librarys_own_tables_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
