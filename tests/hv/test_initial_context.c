/* SPDX-License-Identifier: MIT */
/* A context that a guest wrote, field by field, and what is refused. [VTL-3] */

#include "lib/hv/initial_context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"

#define PAT UINT64_C(0x0007040600070406)

static void write_good(uint8_t bytes[HV_INITIAL_CONTEXT_BYTES])
{
    for (unsigned i = 0; i < HV_INITIAL_CONTEXT_BYTES; i++)
        bytes[i] = (uint8_t)(i + 1);
    store_le64(bytes + HV_INITIAL_EFER, 0x500);
    store_le64(bytes + HV_INITIAL_CR0, 0x80000011);
    store_le64(bytes + HV_INITIAL_CR4, 0x20);
    store_le64(bytes + HV_INITIAL_PAT, PAT);
}

static void each_field_has_its_place(void **state)
{
    uint8_t bytes[HV_INITIAL_CONTEXT_BYTES];
    struct vmr_hv_initial got;

    (void)state;
    write_good(bytes);
    assert_int_equal(initial_context_decode(bytes, &got), HV_STATUS_SUCCESS);
    assert_int_equal(got.regs.rip, load_le64(bytes));
    assert_int_equal(got.regs.gpr[VMR_X86_RSP], load_le64(bytes + 8));
    assert_int_equal(got.regs.rflags, load_le64(bytes + 16) | 2);
    assert_int_equal(got.regs.cs.base, load_le64(bytes + 24));
    assert_int_equal(got.regs.cs.limit, load_le32(bytes + 32));
    assert_int_equal(got.regs.cs.selector, load_le16(bytes + 36));
    assert_int_equal(got.regs.cs.attributes, load_le16(bytes + 38));
    assert_int_equal(got.regs.ldtr.base, load_le64(bytes + 24 + 7 * 16));
    assert_int_equal(got.regs.idtr.limit, load_le16(bytes + HV_INITIAL_IDTR + 6));
    assert_int_equal(got.regs.gdtr.base, load_le64(bytes + HV_INITIAL_GDTR + 8));
    assert_int_equal(got.regs.cr3, load_le64(bytes + HV_INITIAL_CR3));
    assert_int_equal(got.pat, PAT);
}

static void what_no_processor_takes_is_refused(void **state)
{
    static const struct {
        unsigned at;
        uint64_t value;
    } bad[] = {
        {HV_INITIAL_CR0, 0x80000010}, {HV_INITIAL_CR0, 0x11},      {HV_INITIAL_EFER, 0x400}, {HV_INITIAL_EFER, 0x100},
        {HV_INITIAL_EFER, 0},         {HV_INITIAL_CR4, 0},         {HV_INITIAL_PAT, 2},      {HV_INITIAL_PAT, 8},
        {HV_INITIAL_PAT, UINT64_MAX}, {HV_INITIAL_PAT, 0x03 << 8},
    };
    uint8_t bytes[HV_INITIAL_CONTEXT_BYTES];
    struct vmr_hv_initial got = {.pat = 77};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bool real_mode = bad[i].at == HV_INITIAL_EFER && bad[i].value == 0;

        write_good(bytes);
        store_le64(bytes + bad[i].at, bad[i].value);
        /* Without long mode 32-bit paging is what it says. */
        assert_int_equal(initial_context_decode(bytes, &got),
                         real_mode ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_REGISTER_VALUE);
        if (!real_mode && i < 4)
            assert_int_equal(got.pat, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_has_its_place),
        cmocka_unit_test(what_no_processor_takes_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
