/* SPDX-License-Identifier: MIT */
/*
 * Names and constants: each as the interface document has it.
 */

#include "vmrig/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void constants_are_those_of_the_interface_document(void **state)
{
    (void)state;
    assert_int_equal(VMR_DEFAULT_GIC_DISTRIBUTOR_BASE, 0xffff0000u);
    assert_int_equal(VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX, 0xefff0000u);
    assert_int_equal(VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_OTHER, 0xeffee000u);
    assert_int_equal(VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE, 0xeffe8000u);
    assert_int_equal(VMR_GIC_V2M_MSI_FRAME_SIZE, 0x1000u);
    assert_int_equal(VMR_DEFAULT_GIC_ITS_BASE, 0xeffc0000u);
    assert_int_equal(VMR_GIC_ITS_SIZE, 0x20000u);
    assert_int_equal(VMR_DEFAULT_VIRT_TIMER_PPI, 20);
    assert_int_equal(VMR_DEFAULT_GIC_NR_IRQS, 992);
    assert_int_equal(VMR_DEFAULT_VMBUS_PPI, 18);
    assert_int_equal(vmr_default_pcat_boot_order[0], VMR_PCAT_BOOT_OPTICAL);
    assert_int_equal(vmr_default_pcat_boot_order[1], VMR_PCAT_BOOT_HARD_DRIVE);
    assert_int_equal(vmr_default_pcat_boot_order[2], VMR_PCAT_BOOT_NETWORK);
    assert_int_equal(vmr_default_pcat_boot_order[3], VMR_PCAT_BOOT_FLOPPY);
}

static void every_kind_of_resource_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VMR_RESOURCE_KIND_COUNT; i++) {
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(vmr_resource_kind_name(i), vmr_resource_kind_name(k));
        assert_string_not_equal(vmr_resource_kind_name(i), "unknown");
    }
    assert_string_equal(vmr_resource_kind_name(VMR_RESOURCE_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_those_of_the_interface_document),
        cmocka_unit_test(every_kind_of_resource_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
