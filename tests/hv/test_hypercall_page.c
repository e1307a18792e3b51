/* SPDX-License-Identifier: MIT */
/* The bytes of the hypercall page. */

#include "lib/hv/hypercall_page.h"

#include "tests/hv/guest_rig.h"

static void the_code_is_the_call_and_a_return(void **state)
{
    static const uint8_t by_port[] = {0xe6, VMR_HV_PORT, 0xc3, 0xcc}, by_vmcall[] = {0x0f, 0x01, 0xc1, 0xc3, 0xcc};
    uint8_t page[VMR_PAGE_SIZE];

    (void)state;
    hypercall_page_fill(page, false);
    assert_memory_equal(page, by_port, sizeof(by_port));
    assert_int_equal(page[VMR_PAGE_SIZE - 1], 0xcc);
    hypercall_page_fill(page, true);
    assert_memory_equal(page, by_vmcall, sizeof(by_vmcall));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_code_is_the_call_and_a_return)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
