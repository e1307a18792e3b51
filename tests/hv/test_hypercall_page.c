/* SPDX-License-Identifier: MIT */
/* The bytes of the hypercall page. */

#include "lib/hv/hypercall_page.h"

#include "tests/hv/guest_rig.h"

static void the_code_is_the_call_and_a_return(void **state)
{
    static const uint8_t by_port[] = {0xe6, VMR_HV_PORT, 0xc3, 0xcc}, by_vmcall[] = {0x0f, 0x01, 0xc1, 0xc3, 0xcc};
    uint8_t page[VMR_PAGE_SIZE];

    (void)state;
    hypercall_page_fill(page, false, false);
    assert_memory_equal(page, by_port, sizeof(by_port));
    assert_int_equal(page[VMR_PAGE_SIZE - 1], 0xcc);
    hypercall_page_fill(page, true, false);
    assert_memory_equal(page, by_vmcall, sizeof(by_vmcall));
}

/* As their offsets are known to guests, nothing of one entry reaches into the next. */
static void entries_of_vtl_switches_have_their_places(void **state)
{
    static const struct {
        uint32_t offset, end;
        uint8_t code[4];
    } entries[] = {
        {HV_PAGE_VTL_CALL_32, HV_PAGE_VTL_CALL_64, {0xb8, HV_CALL_VTL_CALL, 0, 0}},
        {HV_PAGE_VTL_CALL_64, HV_PAGE_VTL_RETURN_32, {0x48, 0x89, 0xc8, 0xb9}},
        {HV_PAGE_VTL_RETURN_32, HV_PAGE_VTL_RETURN_64, {0xb8, HV_CALL_VTL_RETURN, 0, 0}},
        {HV_PAGE_VTL_RETURN_64, HV_PAGE_VTL_RETURN_64 + 12, {0x48, 0x89, 0xc8, 0xb9}},
    };
    uint8_t page[VMR_PAGE_SIZE];

    (void)state;
    for (unsigned vmcall = 0; vmcall < 2; vmcall++) {
        hypercall_page_fill(page, vmcall, true);
        for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
            unsigned returns = 0;

            assert_memory_equal(page + entries[i].offset, entries[i].code, 4);
            for (uint32_t at = entries[i].offset; at < entries[i].end; at++)
                returns += page[at] == 0xc3;
            assert_int_equal(returns, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_is_the_call_and_a_return),
        cmocka_unit_test(entries_of_vtl_switches_have_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
