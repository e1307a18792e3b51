/* SPDX-License-Identifier: MIT */
/* What a processor can hold: each rule broken alone (Intel SDM vol. 3, 27.3.1). [HC-10] */

#include "lib/hv/x86_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"

static const struct x86_limits limits = {.cr4 = 0x17ff, .physical_bits = 40};

static struct vmr_x86_regs long_mode(void)
{
    const struct vmr_x86_segment data = {.limit = UINT32_MAX, .selector = 16, .attributes = 0xc093};
    struct vmr_x86_regs regs;

    vmr_x86_regs_sipi(&regs, 0);
    regs.cs = (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = 8, .attributes = 0xa09b};
    regs.ds = regs.es = regs.fs = regs.gs = regs.ss = data;
    regs.cr0 = 0x80000011;
    regs.cr4 = 0x20;
    regs.efer = 0x500;
    return regs;
}

static void what_processors_start_with_is_possible(void **state)
{
    (void)state;
    struct vmr_x86_regs regs;

    vmr_x86_regs_reset(&regs);
    assert_true(x86_state_is_possible(&regs, &limits));
    vmr_x86_regs_sipi(&regs, 0x9f);
    assert_true(x86_state_is_possible(&regs, &limits));
    regs = long_mode();
    assert_true(x86_state_is_possible(&regs, &limits));
    regs.ds.attributes = regs.ss.attributes = regs.ldtr.attributes = 0; /* unusable */
    regs.gs.base = UINT64_C(0xffff800000000000);
    assert_true(x86_state_is_possible(&regs, &limits));
    regs = long_mode(); /* a user's */
    regs.cs.attributes |= 0x60;
    regs.ss.attributes |= 0x60;
    assert_true(x86_state_is_possible(&regs, &limits));
}

#define BROKEN(change)                                                                                                 \
    do {                                                                                                               \
        struct vmr_x86_regs r = long_mode();                                                                           \
                                                                                                                       \
        change;                                                                                                        \
        assert_false(x86_state_is_possible(&r, &limits));                                                              \
    } while (0)

static void each_rule_of_the_control_registers_counts(void **state)
{
    (void)state;
    BROKEN(r.cr0 |= UINT64_C(1) << 32);
    BROKEN(r.cr0 &= ~UINT64_C(1));
    BROKEN(r.cr0 |= 1u << 29);
    BROKEN(r.cr0 &= ~UINT64_C(0x80000000));
    BROKEN(r.cr4 = 0);
    BROKEN(r.cr4 |= 1u << 13);
    BROKEN(r.cr3 = UINT64_C(1) << 40);
    BROKEN(r.cr8 = 16);
    BROKEN(r.efer = 0x400);
    BROKEN(r.efer = 0x100);
    BROKEN(r.efer |= 1u << 12);
    BROKEN(r.rflags = 0);
    BROKEN(r.rflags |= 8);
    BROKEN(r.rflags |= 1u << 17);
    BROKEN(r.rflags |= UINT64_C(1) << 32);
    BROKEN(r.rip = UINT64_C(1) << 47);
    BROKEN(r.gdtr.base = UINT64_C(1) << 47);
    BROKEN(r.idtr.base = UINT64_C(0xffff700000000000));
}

static void each_rule_of_the_segments_counts(void **state)
{
    (void)state;
    BROKEN(r.cs.attributes = 0);
    BROKEN(r.cs.attributes &= 0xff7f);
    BROKEN(r.cs.attributes = 0xa093);
    BROKEN(r.cs.attributes = 0xe09b);
    BROKEN(r.cs.attributes = 0xa19b);
    BROKEN(r.cs.attributes = 0xa09a);
    BROKEN(r.cs.limit = 0xfffff000);
    BROKEN(r.cs.attributes = 0x209b);
    BROKEN(r.cs.base = UINT64_C(1) << 32);
    BROKEN(r.cs.attributes |= 0x60);
    BROKEN(r.ss.attributes |= 0x60);
    BROKEN(r.ss.attributes = 0xc09b);
    BROKEN(r.ss.base = UINT64_C(1) << 32);
    BROKEN(r.ds.attributes = 0xc083);
    BROKEN(r.ds.attributes = 0xc092);
    BROKEN(r.es.attributes = 0xc099);
    BROKEN(r.es.base = UINT64_C(1) << 32);
    BROKEN(r.fs.base = UINT64_C(1) << 47);
    BROKEN(r.tr.attributes = 0x89);
    BROKEN(r.tr.attributes = 0x83);
    BROKEN(r.tr.attributes = 0x9b);
    BROKEN(r.tr.base = UINT64_C(1) << 47);
    BROKEN(r.ldtr.attributes = 0x8b);
    BROKEN(r.ldtr.base = UINT64_C(1) << 47);
}

static void short_addresses_outside_long_mode(void **state)
{
    (void)state;
    struct vmr_x86_regs regs;

    vmr_x86_regs_sipi(&regs, 0);
    regs.rip = UINT64_C(1) << 32;
    assert_false(x86_state_is_possible(&regs, &limits));
    vmr_x86_regs_sipi(&regs, 0);
    regs.ss.attributes = 0;
    assert_false(x86_state_is_possible(&regs, &limits));
    vmr_x86_regs_sipi(&regs, 0);
    regs.cs.attributes = 0x2093; /* L without long mode */
    assert_false(x86_state_is_possible(&regs, &limits));
    regs = long_mode(); /* 5 levels */
    regs.cr4 |= 1u << 12;
    regs.rip = UINT64_C(1) << 55;
    assert_true(x86_state_is_possible(&regs, &limits));
}

static void values_survive_the_wire(void **state)
{
    (void)state;
    const struct vmr_x86_segment segment = {
        .base = 0x1122334455667788, .limit = 0x99aabbcc, .selector = 0xddee, .attributes = 0xff01};
    const struct vmr_x86_table table = {.base = 0x1122334455667788, .limit = 0x99aa};
    uint8_t bytes[HV_REGISTER_VALUE_BYTES];

    x86_segment_store(&segment, bytes);
    assert_int_equal(load_le64(bytes + 8), UINT64_C(0xff01ddee99aabbcc));
    struct vmr_x86_segment segment_back = x86_segment_load(bytes);

    assert_true(segment_back.base == segment.base && segment_back.limit == segment.limit);
    assert_true(segment_back.selector == segment.selector && segment_back.attributes == segment.attributes);
    x86_table_store(&table, bytes);
    assert_int_equal(load_le64(bytes), UINT64_C(0x99aa) << 48);
    struct vmr_x86_table table_back = x86_table_load(bytes);

    assert_true(table_back.base == table.base && table_back.limit == table.limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_processors_start_with_is_possible),
        cmocka_unit_test(each_rule_of_the_control_registers_counts),
        cmocka_unit_test(each_rule_of_the_segments_counts),
        cmocka_unit_test(short_addresses_outside_long_mode),
        cmocka_unit_test(values_survive_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
