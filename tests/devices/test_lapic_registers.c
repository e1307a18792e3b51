/* SPDX-License-Identifier: MIT */
/*
 * The registers of a local APIC as a guest meets them: which exist, which bits
 * they take, what a wrong access gives in either mode, and what a write asks of
 * the rest of the machine.
 */

#include "lib/devices/lapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/checked.h"
#include "vmrig/hv_identity.h"

#define GHZ UINT64_C(1000000000)
#define OFF VMR_LAPIC_GPA
#define XAPIC (VMR_LAPIC_GPA | LAPIC_BASE_ENABLE)
#define X2APIC (VMR_LAPIC_GPA | LAPIC_BASE_ENABLE | LAPIC_BASE_X2APIC)

static struct lapic made(bool x2apic)
{
    struct lapic lapic;

    lapic_init(&lapic, 1, x2apic, GHZ);
    lapic_set_svr(&lapic, 0x1ff);
    return lapic;
}

static struct lapic_effects page_write(struct lapic *lapic, uint64_t offset, uint32_t value)
{
    struct lapic_effects effects = {0};

    lapic_page_write(lapic, offset, 4, value, 0, &effects);
    return effects;
}

static uint32_t page_read(struct lapic *lapic, uint64_t offset)
{
    return (uint32_t)lapic_page_read(lapic, offset, 4, 0);
}

static enum vmr_msr_result msr_write(struct lapic *lapic, uint32_t index, uint64_t value)
{
    struct lapic_effects effects = {0};

    return lapic_msr_write(lapic, index, value, 0, &effects);
}

static enum vmr_msr_result msr_read(struct lapic *lapic, uint32_t index, uint64_t *ret_value)
{
    return lapic_msr_read(lapic, index, 0, ret_value);
}

struct page_register {
    const char *name;
    uint32_t offset;
    uint32_t reset; /* of VP 1 */
    uint32_t ones;  /* what it reads after all ones were written, software enabled */
};

static const struct page_register page_registers[] = {
    {"id", 0x020, 0x01000000, 0x01000000},
    {"version", 0x030, 0x00050014, 0x00050014},
    {"tpr", 0x080, 0, 0xff},
    {"apr", 0x090, 0, 0},
    {"ppr", 0x0a0, 0, 0},
    {"eoi", 0x0b0, 0, 0},
    {"rrd", 0x0c0, 0, 0},
    {"ldr", 0x0d0, 0, 0xff000000},
    {"dfr", 0x0e0, 0xffffffff, 0xffffffff},
    {"svr", 0x0f0, 0xff, 0x3ff},
    {"isr", 0x100, 0, 0},
    {"tmr", 0x1f0, 0, 0},
    {"irr", 0x270, 0, 0},
    {"esr", 0x280, 0, 0},
    {"icr high", 0x310, 0, 0xff000000},
    {"timer", 0x320, 0x10000, 0x300ff},
    {"thermal", 0x330, 0x10000, 0x107ff},
    {"performance", 0x340, 0x10000, 0x107ff},
    {"lint0", 0x350, 0x10000, 0x1a7ff},
    {"lint1", 0x360, 0x10000, 0x1a7ff},
    {"error", 0x370, 0x10000, 0x100ff},
    {"initial count", 0x380, 0, 0xffffffff},
    {"divide", 0x3e0, 0, 0xb},
};

static void page_registers_have_the_manuals_values_and_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(page_registers) / sizeof(page_registers[0]); i++) {
        const struct page_register *row = &page_registers[i];
        struct lapic lapic;

        print_message("%s\n", row->name);
        lapic_init(&lapic, 1, false, GHZ);
        assert_int_equal(page_read(&lapic, row->offset), row->reset);
        lapic = made(false);
        (void)page_write(&lapic, row->offset, UINT32_MAX);
        assert_int_equal(page_read(&lapic, row->offset), row->ones);
        assert_int_equal(lapic.esr_pending, 0);
    }
}

static bool is_page_register(uint32_t number)
{
    bool listed = number == 0x30 || number == 0x39 || (number >= 0x10 && number < 0x28);

    for (size_t i = 0; i < sizeof(page_registers) / sizeof(page_registers[0]); i++)
        listed = listed || page_registers[i].offset >> 4 == number;
    return listed;
}

static void a_register_that_is_none_is_an_error_in_the_page(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 0x100; number++) {
        struct lapic lapic = made(false);
        uint32_t error = is_page_register(number) ? 0 : LAPIC_ERROR_REGISTER;

        assert_int_equal(page_read(&lapic, number << 4) != 0 && error != 0, 0);
        assert_int_equal(lapic.esr_pending, error);
        lapic = made(false);
        (void)page_write(&lapic, number << 4, 0x40);
        assert_int_equal(lapic.esr_pending, error);
    }
}

static void short_reads_give_their_part_and_other_writes_nothing(void **state)
{
    struct lapic lapic = made(false);
    struct lapic_effects effects = {0};

    (void)state;
    assert_true(lapic_page_read(&lapic, 0x30, 1, 0) == 0x14);
    assert_true(lapic_page_read(&lapic, 0x32, 1, 0) == 0x05);
    assert_true(lapic_page_read(&lapic, 0x31, 2, 0) == 0x0500);
    assert_true(lapic_page_read(&lapic, 0x34, 4, 0) == 0);
    assert_true(lapic_page_read(&lapic, 0x30, 8, 0) == 0x50014);
    lapic_page_write(&lapic, 0x80, 1, 0x20, 0, &effects);
    lapic_page_write(&lapic, 0x84, 4, 0x20, 0, &effects);
    lapic_page_write(&lapic, 0x80, 8, 0x20, 0, &effects);
    assert_int_equal(page_read(&lapic, 0x80), 0);
}

static void the_esr_shows_errors_up_to_its_last_write(void **state)
{
    struct lapic lapic = made(false);

    (void)state;
    (void)page_read(&lapic, 0x400);
    assert_int_equal(page_read(&lapic, 0x280), 0);
    (void)page_write(&lapic, 0x280, 0);
    assert_int_equal(page_read(&lapic, 0x280), LAPIC_ERROR_REGISTER);
    (void)page_write(&lapic, 0x280, 0);
    assert_int_equal(page_read(&lapic, 0x280), 0);
}

/* Bits that a write may hold without #GP; 0: no such MSR, or read only. The read half is `readable`. */
static uint64_t writable_bits(uint32_t number)
{
    switch (number) {
    case 0x08: /* TPR */
    case 0x3f: /* self IPI */
        return 0xff;
    case 0x0f: /* SVR */
        return 0x3ff;
    case 0x30: /* ICR, with the delivery status */
        return UINT64_C(0xffffffff000cdfff);
    case 0x32: /* LVT */
        return 0x310ff;
    case 0x33:
    case 0x34:
        return 0x117ff;
    case 0x35:
    case 0x36:
        return 0x1f7ff;
    case 0x37:
        return 0x110ff;
    case 0x38:
        return UINT32_MAX;
    case 0x3e:
        return 0xb;
    default:
        return 0;
    }
}

static bool takes_zero(uint32_t number)
{
    return number == 0x0b || number == 0x28 || writable_bits(number) != 0;
}

static bool is_readable(uint32_t number)
{
    static const uint8_t others[] = {0x02, 0x03, 0x08, 0x0a, 0x0d, 0x0f, 0x28, 0x30, 0x38, 0x39, 0x3e};

    if ((number >= 0x10 && number < 0x28) || (number >= 0x32 && number < 0x38))
        return true;
    return memchr(others, (int)number, sizeof(others)) && number < 0x100;
}

static void x2apic_msrs_fault_where_the_manual_says(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 0x100; number++) {
        struct lapic lapic = made(true);
        uint64_t value = 0;

        assert_int_equal(msr_read(&lapic, 0x800 + number, &value), is_readable(number) ? VMR_MSR_OK : VMR_MSR_FAULT);
        assert_int_equal(msr_write(&lapic, 0x800 + number, 0), takes_zero(number) ? VMR_MSR_OK : VMR_MSR_FAULT);
        for (unsigned bit = 0; bit < 64; bit++) {
            bool taken = (writable_bits(number) >> bit & 1) != 0;

            lapic = made(true);
            if (msr_write(&lapic, 0x800 + number, UINT64_C(1) << bit) != (taken ? VMR_MSR_OK : VMR_MSR_FAULT))
                fail_msg("MSR %#x, bit %u", 0x800 + number, bit);
        }
    }
}

static void x2apic_msrs_need_x2apic_mode_and_others_are_not_mine(void **state)
{
    struct lapic lapic = made(false);
    uint64_t value = 1;

    (void)state;
    assert_int_equal(msr_read(&lapic, 0x802, &value), VMR_MSR_FAULT);
    assert_int_equal(msr_write(&lapic, 0x808, 0), VMR_MSR_FAULT);
    assert_int_equal(msr_read(&lapic, 0x7ff, &value), VMR_MSR_NOT_MINE);
    assert_int_equal(msr_read(&lapic, 0x900, &value), VMR_MSR_NOT_MINE);
    assert_int_equal(msr_write(&lapic, 0x6e0, 0), VMR_MSR_NOT_MINE);
    assert_true(value == 1);
}

static void x2apic_identity_is_32_bits(void **state)
{
    struct lapic lapic;
    uint64_t value;

    (void)state;
    lapic_init(&lapic, 0x123, true, GHZ);
    assert_int_equal(msr_read(&lapic, 0x802, &value), VMR_MSR_OK);
    assert_true(value == 0x123);
    assert_int_equal(msr_read(&lapic, 0x80d, &value), VMR_MSR_OK);
    assert_true(value == 0x00120008);
    assert_int_equal(msr_write(&lapic, 0x830, UINT64_C(0x12345678000c4031)), VMR_MSR_OK);
    assert_int_equal(msr_read(&lapic, 0x830, &value), VMR_MSR_OK);
    assert_true(value == UINT64_C(0x12345678000c4031));
}

/* Intel SDM vol. 3, figure 11-27: what is reachable from where; the fourth state does not exist. */
static void apic_base_allows_the_manuals_transitions(void **state)
{
    static const uint64_t modes[] = {OFF, XAPIC, X2APIC, OFF | LAPIC_BASE_X2APIC};
    static const bool allowed[3][4] = {
        {true, true, false, false}, /* from off */
        {true, true, true, false},  /* from xAPIC */
        {true, false, true, false}, /* from x2APIC */
    };

    (void)state;
    for (size_t from = 0; from < 3; from++) {
        for (size_t to = 0; to < 4; to++) {
            struct lapic lapic = made(false);
            uint64_t value;

            lapic.base = modes[from];
            assert_int_equal(msr_write(&lapic, 0x1b, modes[to]), allowed[from][to] ? VMR_MSR_OK : VMR_MSR_FAULT);
            assert_int_equal(msr_read(&lapic, 0x1b, &value), VMR_MSR_OK);
            assert_true(value == modes[allowed[from][to] ? to : from]);
        }
    }
}

static void apic_base_refuses_reserved_bits_and_another_place(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct lapic lapic = made(false);
        bool fine = bit == 8 || bit == 10;

        assert_int_equal(msr_write(&lapic, 0x1b, XAPIC ^ UINT64_C(1) << bit),
                         fine || bit == 11 ? VMR_MSR_OK : VMR_MSR_FAULT);
    }
}

static void switching_off_loses_the_setup_and_keeps_waiting_edges(void **state)
{
    struct lapic lapic = made(false);

    (void)state;
    lapic.nmi = true;
    lapic.tpr = 0x20;
    assert_int_equal(msr_write(&lapic, 0x1b, OFF), VMR_MSR_OK);
    assert_int_equal(lapic.svr, 0xff);
    assert_int_equal(lapic.tpr, 0);
    assert_true(lapic.nmi);
    assert_true(lapic_page_read(&lapic, 0x30, 4, 0) == UINT32_MAX); /* no page */
    (void)page_write(&lapic, 0x80, 0x30);
    assert_int_equal(lapic.tpr, 0);
    assert_int_equal(msr_write(&lapic, 0x1b, XAPIC), VMR_MSR_OK);
    assert_int_equal(page_read(&lapic, 0x30), LAPIC_VERSION);
    assert_int_equal(msr_write(&lapic, 0x1b, X2APIC), VMR_MSR_OK);
    assert_true(lapic_page_read(&lapic, 0x30, 1, 0) == 0xff);
}

/* Every mode and shorthand of the ICR (SDM table 11-3); physical, vector 0x41. */
static void the_icr_sends_the_valid_combinations(void **state)
{
    static const uint8_t valid[4] = {0x73, 0x01, 0x01, 0x73}; /* a bit for each mode, by shorthand */

    (void)state;
    for (uint32_t shorthand = 0; shorthand < 4; shorthand++) {
        for (uint32_t mode = 0; mode < 8; mode++) {
            struct lapic lapic = made(false);

            (void)page_write(&lapic, 0x310, 0x07000000);
            struct lapic_effects effects = page_write(&lapic, 0x300, shorthand << 18 | mode << 8 | 0x4041);

            assert_int_equal(effects.send, valid[shorthand] >> mode & 1);
            if (!effects.send)
                continue;
            assert_int_equal(effects.shorthand, shorthand);
            assert_int_equal(effects.ipi.mode, mode);
            assert_int_equal(effects.ipi.vector, 0x41);
            assert_int_equal(effects.ipi.destination, 7);
            assert_false(effects.ipi.wide || effects.ipi.logical || effects.ipi.level);
        }
    }
}

static void the_icr_in_detail(void **state)
{
    static const struct {
        const char *name;
        uint32_t icr;
        bool sent;
        uint32_t error;
    } cases[] = {
        {"logical", 0x00841, true, 0},
        {"level, asserted: still an edge", 0x0c041, true, 0},
        {"init, level, de-asserted", 0x08500, false, 0},
        {"init, level, asserted", 0x0c500, true, 0},
        {"init, edge", 0x00500, true, 0},
        {"vector 15", 0x0000f, false, LAPIC_ERROR_SEND_VECTOR},
        {"vector 16", 0x00010, true, 0},
        {"lowest, vector 0", 0x00100, false, LAPIC_ERROR_SEND_VECTOR},
        {"start-up at page 0", 0x00600, true, 0},
        {"nmi ignores its vector", 0x00400, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lapic lapic = made(false);
        struct lapic_effects effects = page_write(&lapic, 0x300, cases[i].icr);

        print_message("%s\n", cases[i].name);
        assert_int_equal(effects.send, cases[i].sent);
        assert_int_equal(effects.ipi.logical, cases[i].sent && (cases[i].icr & 0x800));
        assert_false(effects.ipi.level);
        assert_int_equal(lapic.esr_pending, cases[i].error);
    }
}

static void x2apic_ipis_have_wide_destinations(void **state)
{
    struct lapic lapic = made(true);
    struct lapic_effects effects = {0};

    (void)state;
    assert_int_equal(lapic_msr_write(&lapic, 0x830, UINT64_C(0x0001000200000841), 0, &effects), VMR_MSR_OK);
    assert_true(effects.send && effects.ipi.wide && effects.ipi.logical);
    assert_int_equal(effects.ipi.destination, 0x00010002);
    effects = (struct lapic_effects){0};
    assert_int_equal(lapic_msr_write(&lapic, 0x83f, 0x55, 0, &effects), VMR_MSR_OK);
    assert_true(effects.send);
    assert_int_equal(effects.shorthand, LAPIC_TO_SELF);
    assert_int_equal(effects.ipi.vector, 0x55);
    effects = (struct lapic_effects){0};
    assert_int_equal(lapic_msr_write(&lapic, 0x83f, 0x05, 0, &effects), VMR_MSR_OK);
    assert_false(effects.send);
    assert_int_equal(lapic.esr_pending, LAPIC_ERROR_SEND_VECTOR);
}

static void timer_registers_follow_the_clock(void **state)
{
    struct lapic lapic = made(false);
    struct lapic_effects effects = {0};

    (void)state;
    lapic_page_write(&lapic, 0x3e0, 4, 0xb, 0, &effects);
    lapic_page_write(&lapic, 0x320, 4, 0x60, 0, &effects);
    lapic_page_write(&lapic, 0x380, 4, 1000, 500, &effects);
    assert_true(lapic_page_read(&lapic, 0x390, 4, 600) == 900);
    assert_true(lapic_deadline(&lapic) == 1500);
    assert_true(lapic_page_read(&lapic, 0x390, 4, 1500) == 0);
    assert_true(lapic_has_interrupt(&lapic)); /* whoever reads zero finds the interrupt */
    /* What expired behind the mask stays behind it. */
    lapic = made(false);
    lapic_page_write(&lapic, 0x380, 4, 1000, 0, &effects);
    lapic_page_write(&lapic, 0x320, 4, 0x60, 5000, &effects);
    lapic_advance(&lapic, 5000);
    assert_false(lapic_has_interrupt(&lapic));
    for (uint32_t number = 0; number < 0x100; number++)
        assert_int_equal(lapic_register_needs_time(number),
                         number == 0x32 || number == 0x38 || number == 0x39 || number == 0x3e);
}

static const uint32_t patterns[] = {0, 1, 0xff, 0x5a5a5a5a, 0xa5a5a5a5, 0x7fffffff, 0x80000000, 0x000c4041, UINT32_MAX};

#define PATTERN_COUNT (sizeof(patterns) / sizeof(patterns[0]))

static void sweep_page(struct lapic *lapic, uint32_t offset, unsigned size)
{
    struct lapic_effects effects = {0};

    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        lapic_page_write(lapic, offset, size, patterns[i], offset, &effects);
        assert_true((lapic_page_read(lapic, offset, size, offset) & ~mask_of_bytes(size)) == 0);
    }
}

static void sweep_msr(struct lapic *lapic, uint32_t index)
{
    uint64_t value = 0;

    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        (void)msr_write(lapic, index, patterns[i]);
        (void)msr_write(lapic, index, (uint64_t)patterns[i] << 32 | patterns[i]);
        (void)msr_read(lapic, index, &value);
    }
}

/* Every byte of the page, every size, every pattern; then the same of the MSRs. The sanitizers are the judges. */
static void any_access_is_harmless(void **state)
{
    static const uint64_t modes[] = {OFF, XAPIC, X2APIC};

    (void)state;
    for (size_t mode = 0; mode < 3; mode++) {
        struct lapic lapic = made(false);

        lapic.base = modes[mode];
        for (uint32_t access = 0; access < 4 * 0x1000; access++)
            sweep_page(&lapic, access >> 2, 1u << (access & 3));
        for (uint32_t index = 0x7f0; index < 0x910; index++)
            sweep_msr(&lapic, index);
        assert_int_equal(lapic.irr[0] & 0xffff, 0);
    }
}

/* [HV-8] */
static void synthetic_registers_are_the_same_in_either_mode(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        struct lapic lapic = made(mode == 1);
        struct lapic_effects effects = {0};
        uint64_t value = 0, icr = UINT64_C(0x0300000000000000) | 0x4051;

        assert_int_equal(lapic_hv_write(&lapic, HV_MSR_TPR, 0x100, &effects), VMR_MSR_FAULT);
        assert_int_equal(lapic_hv_write(&lapic, HV_MSR_TPR, 0x50, &effects), VMR_MSR_OK);
        assert_int_equal(lapic_hv_read(&lapic, HV_MSR_TPR, &value), VMR_MSR_OK);
        assert_int_equal(value, 0x50);
        assert_true(lapic.tpr_written);
        assert_int_equal(lapic_hv_write(&lapic, HV_MSR_ICR, icr, &effects), VMR_MSR_OK);
        assert_true(effects.send && effects.ipi.vector == 0x51);
        assert_int_equal(effects.ipi.destination, mode == 1 ? 0x03000000 : 3);
        assert_int_equal(lapic_hv_read(&lapic, HV_MSR_ICR, &value), VMR_MSR_OK);
        assert_int_equal(value, icr);
        assert_int_equal(lapic_hv_read(&lapic, HV_MSR_EOI, &value), VMR_MSR_FAULT);
        lapic.isr[2] = 1u << 17;
        assert_int_equal(lapic_hv_write(&lapic, HV_MSR_EOI, 0, &effects), VMR_MSR_OK);
        assert_int_equal(lapic.isr[2], 0);
        assert_int_equal(lapic_msr_write(&lapic, LAPIC_BASE_MSR, OFF, 0, &effects), VMR_MSR_OK);
        assert_int_equal(lapic_hv_read(&lapic, HV_MSR_TPR, &value), VMR_MSR_FAULT);
        assert_int_equal(lapic_hv_write(&lapic, HV_MSR_EOI, 0, &effects), VMR_MSR_FAULT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_registers_have_the_manuals_values_and_bits),
        cmocka_unit_test(a_register_that_is_none_is_an_error_in_the_page),
        cmocka_unit_test(short_reads_give_their_part_and_other_writes_nothing),
        cmocka_unit_test(the_esr_shows_errors_up_to_its_last_write),
        cmocka_unit_test(x2apic_msrs_fault_where_the_manual_says),
        cmocka_unit_test(x2apic_msrs_need_x2apic_mode_and_others_are_not_mine),
        cmocka_unit_test(x2apic_identity_is_32_bits),
        cmocka_unit_test(apic_base_allows_the_manuals_transitions),
        cmocka_unit_test(apic_base_refuses_reserved_bits_and_another_place),
        cmocka_unit_test(switching_off_loses_the_setup_and_keeps_waiting_edges),
        cmocka_unit_test(the_icr_sends_the_valid_combinations),
        cmocka_unit_test(the_icr_in_detail),
        cmocka_unit_test(x2apic_ipis_have_wide_destinations),
        cmocka_unit_test(timer_registers_follow_the_clock),
        cmocka_unit_test(any_access_is_harmless),
        cmocka_unit_test(synthetic_registers_are_the_same_in_either_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
