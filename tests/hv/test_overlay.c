/* SPDX-License-Identifier: MIT */
/* Overlay pages: what they hold, where it goes, and which pages are refused. */

#include "tests/hv/synic_rig.h"

struct fixture {
    struct rig rig; /* its memory alone */
    struct overlay overlay;
};

static void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    fake_host_init(&fixture->rig.fake, 0);
    rig_add_ram(&fixture->rig);
    overlay_init(&fixture->overlay, fixture->rig.memory);
}

static uint8_t shown_at(struct fixture *fixture, uint32_t offset)
{
    uint8_t byte = 0xee;

    assert_int_equal(overlay_read(&fixture->overlay, offset, &byte, 1), VMR_OK);
    return byte;
}

static uint8_t ram_at(struct fixture *fixture, vmr_gpa gpa)
{
    uint8_t byte = 0xee;

    assert_int_equal(vmr_memory_read(fixture->rig.memory, gpa, &byte, 1), VMR_OK);
    return byte;
}

static void set_ram(struct fixture *fixture, vmr_gpa gpa, uint8_t byte)
{
    assert_int_equal(vmr_memory_write(fixture->rig.memory, gpa, &byte, 1), VMR_OK);
}

static void content_is_zero_at_first_and_covers_what_the_guest_had(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_int_equal(vmr_memory_fill(fixture.rig.memory, PAGE, 0xaa, 3 * PAGE), VMR_OK);
    assert_int_equal(overlay_place(&fixture.overlay, 2 * PAGE), VMR_OK);
    assert_int_equal(ram_at(&fixture, 2 * PAGE), 0);
    assert_int_equal(ram_at(&fixture, 3 * PAGE - 1), 0);
    assert_int_equal(ram_at(&fixture, 2 * PAGE - 1), 0xaa);
    assert_int_equal(ram_at(&fixture, 3 * PAGE), 0xaa);
    overlay_withdraw(&fixture.overlay);
    assert_int_equal(ram_at(&fixture, 2 * PAGE), 0); /* the guest's own bytes are gone */
    vmr_memory_destroy(fixture.rig.memory);
}

static void content_travels(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_int_equal(overlay_write(&fixture.overlay, 4095, "\x01", 1), VMR_OK);
    assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
    assert_int_equal(ram_at(&fixture, 2 * PAGE - 1), 1);
    set_ram(&fixture, PAGE + 7, 2); /* by the guest */
    assert_int_equal(overlay_place(&fixture.overlay, 5 * PAGE), VMR_OK);
    assert_int_equal(ram_at(&fixture, 5 * PAGE + 7), 2);
    set_ram(&fixture, PAGE + 7, 9); /* the old page is plain RAM */
    assert_int_equal(shown_at(&fixture, 7), 2);
    overlay_withdraw(&fixture.overlay);
    set_ram(&fixture, 5 * PAGE + 7, 9);
    assert_int_equal(shown_at(&fixture, 7), 2);
    assert_int_equal(shown_at(&fixture, 4095), 1);
    overlay_withdraw(&fixture.overlay); /* again: nothing happens */
    assert_int_equal(shown_at(&fixture, 7), 2);
    vmr_memory_destroy(fixture.rig.memory);
}

static void the_same_page_again_is_no_change(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
    set_ram(&fixture, PAGE, 3);
    assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
    assert_int_equal(ram_at(&fixture, PAGE), 3);
    vmr_memory_destroy(fixture.rig.memory);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
} bad_pages[] = {
    {"a hole", RIG_HOLE},
    {"behind the last region", 18 * PAGE},
    {"read-only", RIG_READ_ONLY},
    {"not aligned", PAGE + 8},
    {"the top of the address space", UINT64_MAX & ~(PAGE - 1)},
    {"above 2^52", UINT64_C(1) << 52},
};

static void a_bad_page_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_pages); i++) {
        struct fixture fixture;

        print_message("%s\n", bad_pages[i].name);
        fixture_init(&fixture);
        assert_int_equal(overlay_place(&fixture.overlay, bad_pages[i].gpa), VMR_E_GUEST);
        assert_false(fixture.overlay.placed);
        assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
        set_ram(&fixture, PAGE, 4);
        assert_int_equal(overlay_place(&fixture.overlay, bad_pages[i].gpa), VMR_E_GUEST);
        assert_true(fixture.overlay.placed);
        assert_int_equal(shown_at(&fixture, 0), 4);
        vmr_memory_destroy(fixture.rig.memory);
    }
}

static void reset_discards_the_content_and_leaves_the_guest_its_page(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    assert_int_equal(overlay_write(&fixture.overlay, 1, "\x05", 1), VMR_OK);
    assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
    overlay_reset(&fixture.overlay);
    assert_int_equal(shown_at(&fixture, 1), 0);
    assert_int_equal(ram_at(&fixture, PAGE + 1), 5);
    vmr_memory_destroy(fixture.rig.memory);
}

static void a_page_taken_from_under_it_fails_accesses_and_loses_the_content(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t old;
    uint8_t byte = 6;

    fixture_init(&fixture);
    assert_int_equal(overlay_write(&fixture.overlay, 0, &byte, 1), VMR_OK);
    assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
    assert_int_equal(vmr_memory_region_remove(fixture.rig.memory, 0, NULL), VMR_OK);
    assert_int_equal(overlay_read(&fixture.overlay, 0, &byte, 1), VMR_E_GUEST);
    assert_int_equal(overlay_write(&fixture.overlay, 0, &byte, 1), VMR_E_GUEST);
    assert_int_equal(overlay_fetch_or(&fixture.overlay, 0, 1, 1, &old), VMR_E_GUEST);
    overlay_withdraw(&fixture.overlay);
    assert_int_equal(shown_at(&fixture, 0), 0);
    vmr_memory_destroy(fixture.rig.memory);
}

static void fetch_or_does_the_same_wherever_the_content_is(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset;
        unsigned width;
        uint64_t mask, old;
    } rows[] = {{0, 1, 0x80, 0},
                {0, 1, 0x01, 0x80},
                {0, 4, 0x10000, 0x81},
                {4088, 8, UINT64_C(1) << 63, 0},
                {4095, 1, 1, 0x80}};

    for (unsigned placed = 0; placed < 2; placed++) {
        struct fixture fixture;

        fixture_init(&fixture);
        if (placed)
            assert_int_equal(overlay_place(&fixture.overlay, PAGE), VMR_OK);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            uint64_t old = 99;

            assert_int_equal(overlay_fetch_or(&fixture.overlay, rows[i].offset, rows[i].width, rows[i].mask, &old),
                             VMR_OK);
            assert_int_equal(old, rows[i].old);
        }
        assert_int_equal(shown_at(&fixture, 2), 1);
        assert_int_equal(shown_at(&fixture, 4095), 0x81);
        vmr_memory_destroy(fixture.rig.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_zero_at_first_and_covers_what_the_guest_had),
        cmocka_unit_test(content_travels),
        cmocka_unit_test(the_same_page_again_is_no_change),
        cmocka_unit_test(a_bad_page_is_refused_and_changes_nothing),
        cmocka_unit_test(reset_discards_the_content_and_leaves_the_guest_its_page),
        cmocka_unit_test(a_page_taken_from_under_it_fails_accesses_and_loses_the_content),
        cmocka_unit_test(fetch_or_does_the_same_wherever_the_content_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
