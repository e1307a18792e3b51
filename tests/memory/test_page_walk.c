/* SPDX-License-Identifier: MIT */
/* Page tables of each form, read as a processor reads them (Intel SDM vol. 3, chapter 4). [HC-16] */

#include "lib/memory/page_walk.h"

#include "lib/base/bytes.h"
#include "tests/memory/fixture.h"

#define P UINT64_C(1)
#define W UINT64_C(2)
#define U UINT64_C(4)
#define A UINT64_C(0x20)
#define D UINT64_C(0x40)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)
#define RIGHTS (P | W | U)

#define PG_PE UINT64_C(0x80000001)
#define WP UINT64_C(0x10000)
#define PSE UINT64_C(0x10)
#define PAE UINT64_C(0x20)
#define LA57 UINT64_C(0x1000)
#define SMEP UINT64_C(0x100000)
#define SMAP UINT64_C(0x200000)
#define LONG UINT64_C(0x500)
#define NXE UINT64_C(0x800)
#define AC UINT64_C(0x40000)

struct rig {
    struct fixture guest;
    struct vmr_x86_regs regs;
    struct page_walk walk;
    vmr_gpa gpa;
};

/* Tables are in pages 1 to 5, the topmost first. */
static void rig_init(struct rig *rig, uint64_t cr4, uint64_t efer)
{
    fixture_init(&rig->guest);
    must_add(&rig->guest, 0, 16 * PAGE, false);
    rig->regs = (struct vmr_x86_regs){.cr0 = PG_PE, .cr3 = PAGE, .cr4 = cr4, .efer = efer};
    rig->walk = (struct page_walk){.regs = &rig->regs, .physical_bits = 40};
    rig->gpa = 0;
}

static void put(struct rig *rig, vmr_gpa gpa, uint64_t entry, unsigned size)
{
    uint8_t bytes[8];

    store_le64(bytes, entry);
    assert_int_equal(vmr_memory_write(rig->guest.memory, gpa, bytes, size), VMR_OK);
}

static uint64_t word(struct rig *rig, vmr_gpa gpa)
{
    uint8_t bytes[8];

    assert_int_equal(vmr_memory_read(rig->guest.memory, gpa, bytes, sizeof(bytes)), VMR_OK);
    return load_le64(bytes);
}

static enum page_walk_result walk(struct rig *rig, uint64_t gva)
{
    return page_walk(rig->guest.memory, &rig->walk, gva, &rig->gpa);
}

static void without_paging_an_address_is_itself(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, 0, 0);
    rig.regs.cr0 = 1;
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 0x12345678);
    assert_int_equal(walk(&rig, UINT64_C(1) << 32), PAGE_WALK_NOT_PRESENT);
    fixture_finish(&rig.guest);
}

static void of_32_bits(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PSE, 0);
    put(&rig, PAGE + 4 * 3, 2 * PAGE | RIGHTS, 4);
    put(&rig, 2 * PAGE + 4 * 5, 0xabcde000 | RIGHTS, 4);
    assert_int_equal(walk(&rig, 3u << 22 | 5u << 12 | 0x123), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 0xabcde123);
    put(&rig, PAGE + 4 * 4, 0x00c00000 | 0x12u << 13 | PS | RIGHTS, 4); /* bits 32 to 39 are in 13 to 20 */
    assert_int_equal(walk(&rig, 4u << 22 | 0x54321), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, UINT64_C(0x1200c54321));
    put(&rig, PAGE + 4 * 4, 0x00c00000 | 1u << 21 | PS | RIGHTS, 4);
    assert_int_equal(walk(&rig, 4u << 22), PAGE_WALK_RESERVED);
    rig.regs.cr4 = 0; /* the size bit means nothing */
    put(&rig, PAGE + 4 * 4, 2 * PAGE | PS | RIGHTS, 4);
    assert_int_equal(walk(&rig, 4u << 22 | 5u << 12), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 0xabcde000);
    fixture_finish(&rig.guest);
}

static void of_pae(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PAE, 0);
    rig.regs.cr3 = PAGE + 0x20; /* the topmost table has 32 bytes */
    put(&rig, PAGE + 0x20 + 8 * 3, 2 * PAGE | P, 8);
    put(&rig, 2 * PAGE + 8 * 511, 3 * PAGE | RIGHTS, 8);
    put(&rig, 3 * PAGE + 8, UINT64_C(0x1234567000) | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0xffe01abc), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, UINT64_C(0x1234567abc));
    rig.walk.write = rig.walk.check_privilege = rig.walk.user = true; /* the pointer has no rights to take away */
    assert_int_equal(walk(&rig, 0xffe01abc), PAGE_WALK_OK);
    put(&rig, 2 * PAGE + 8 * 511, 0x00600000 | PS | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0xffe01abc), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 0x00601abc);
    put(&rig, PAGE + 0x20 + 8 * 3, 2 * PAGE | RIGHTS, 8); /* rights are reserved there */
    assert_int_equal(walk(&rig, 0xffe01abc), PAGE_WALK_RESERVED);
    assert_int_equal(walk(&rig, UINT64_C(1) << 32), PAGE_WALK_NOT_PRESENT);
    fixture_finish(&rig.guest);
}

/* One page at `gva`, by four tables or five. */
static void map_long(struct rig *rig, unsigned levels, uint64_t gva, uint64_t entry)
{
    for (unsigned level = levels; level > 0; level--) {
        uint64_t table = (levels - level + 1) * PAGE, index = gva >> (12 + 9 * (level - 1)) & 511;

        put(rig, table + 8 * index, level == 1 ? entry : (table + PAGE) | RIGHTS, 8);
    }
}

static void of_four_and_five_levels(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PAE, LONG);
    map_long(&rig, 4, UINT64_C(0xffff9234567890ab), 6 * PAGE | RIGHTS);
    assert_int_equal(walk(&rig, UINT64_C(0xffff9234567890ab)), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 6 * PAGE | 0xab);
    assert_int_equal(walk(&rig, UINT64_C(0x00009234567890ab)), PAGE_WALK_NOT_PRESENT); /* not canonical */
    fixture_finish(&rig.guest);
    rig_init(&rig, PAE | LA57, LONG);
    map_long(&rig, 5, UINT64_C(0x00a29234567890ab), 7 * PAGE | RIGHTS);
    assert_int_equal(walk(&rig, UINT64_C(0x00a29234567890ab)), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 7 * PAGE | 0xab);
    assert_int_equal(walk(&rig, UINT64_C(0x01a29234567890ab)), PAGE_WALK_NOT_PRESENT);
    fixture_finish(&rig.guest);
}

static void large_pages_end_a_walk(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PAE, LONG);
    put(&rig, PAGE, 2 * PAGE | RIGHTS, 8);
    put(&rig, 2 * PAGE, UINT64_C(0x40000000) | PS | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, 0x52345678);
    put(&rig, 2 * PAGE, UINT64_C(0x40002000) | PS | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_RESERVED);
    put(&rig, PAGE, 2 * PAGE | PS | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_RESERVED);
    put(&rig, PAGE, 2 * PAGE | UINT64_C(1) << 40 | RIGHTS, 8); /* above the physical width */
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_RESERVED);
    put(&rig, PAGE, UINT64_C(0x100000000) | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0x12345678), PAGE_WALK_NO_TABLE);
    fixture_finish(&rig.guest);
}

struct right_row {
    uint64_t entry, cr0, cr4, efer, rflags;
    struct page_walk asked;
    enum page_walk_result result;
};

/* Long because it is a table. */
static void rights_follow_the_manual(void **state)
{
    (void)state;
    const struct page_walk none = {0}, write = {.write = true, .data = true, .check_privilege = true},
                           read = {.data = true, .check_privilege = true},
                           user = {.data = true, .check_privilege = true, .user = true},
                           user_write = {.write = true, .data = true, .check_privilege = true, .user = true},
                           fetch = {.execute = true, .check_privilege = true},
                           forced = {.data = true, .check_privilege = true, .ignore_ac = true},
                           spared = {.data = true, .check_privilege = true, .without_smap = true};
    const struct right_row rows[] = {
        {P, 0, 0, 0, 0, none, PAGE_WALK_OK},
        {P, 0, 0, 0, 0, write, PAGE_WALK_OK},
        {P, WP, 0, 0, 0, write, PAGE_WALK_PRIVILEGE},
        {P | W, WP, 0, 0, 0, write, PAGE_WALK_OK},
        {P | W, 0, 0, 0, 0, user, PAGE_WALK_PRIVILEGE},
        {P | U, 0, 0, 0, 0, user, PAGE_WALK_OK},
        {P | U, 0, 0, 0, 0, user_write, PAGE_WALK_PRIVILEGE},
        {P | U | W, 0, 0, 0, 0, user_write, PAGE_WALK_OK},
        {P | NX, 0, 0, NXE, 0, fetch, PAGE_WALK_PRIVILEGE},
        {P | NX, 0, 0, NXE, 0, read, PAGE_WALK_OK},
        {P | NX, 0, 0, 0, 0, read, PAGE_WALK_RESERVED},
        {P | U, 0, SMEP, 0, 0, fetch, PAGE_WALK_PRIVILEGE},
        {P | U, 0, 0, 0, 0, fetch, PAGE_WALK_OK},
        {P, 0, SMEP, 0, 0, fetch, PAGE_WALK_OK},
        {P | U, 0, SMAP, 0, 0, read, PAGE_WALK_PRIVILEGE},
        {P | U, 0, SMAP, 0, AC, read, PAGE_WALK_OK},
        {P | U, 0, SMAP, 0, AC, forced, PAGE_WALK_PRIVILEGE},
        {P | U, 0, SMAP, 0, 0, spared, PAGE_WALK_OK},
        {P, 0, SMAP, 0, 0, read, PAGE_WALK_OK},
        {0, 0, 0, 0, 0, none, PAGE_WALK_NOT_PRESENT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;

        rig_init(&rig, PAE | rows[i].cr4, LONG | rows[i].efer);
        rig.regs.cr0 |= rows[i].cr0;
        rig.regs.rflags = rows[i].rflags;
        rig.walk = rows[i].asked;
        rig.walk.regs = &rig.regs;
        rig.walk.physical_bits = 40;
        map_long(&rig, 4, 0x1000, 6 * PAGE | rows[i].entry);
        assert_int_equal(walk(&rig, 0x1000), rows[i].result);
        fixture_finish(&rig.guest);
    }
}

static void bits_are_set_when_asked_and_allowed(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PAE, LONG);
    map_long(&rig, 4, 0x1000, 6 * PAGE | P);
    assert_int_equal(walk(&rig, 0x1000), PAGE_WALK_OK);
    assert_int_equal(word(&rig, PAGE), 2 * PAGE | RIGHTS);
    rig.walk.set_bits = true;
    assert_int_equal(walk(&rig, 0x1000), PAGE_WALK_OK);
    assert_int_equal(word(&rig, PAGE), 2 * PAGE | RIGHTS | A);
    assert_int_equal(word(&rig, 4 * PAGE + 8), 6 * PAGE | P | A);
    rig.walk.write = rig.walk.check_privilege = rig.walk.user = true;
    assert_int_equal(walk(&rig, 0x1000), PAGE_WALK_PRIVILEGE);
    assert_int_equal(word(&rig, 4 * PAGE + 8), 6 * PAGE | P | A);
    rig.walk.user = false;
    assert_int_equal(walk(&rig, 0x1000), PAGE_WALK_OK);
    assert_int_equal(word(&rig, 4 * PAGE + 8), 6 * PAGE | P | A | D);
    assert_int_equal(word(&rig, PAGE), 2 * PAGE | RIGHTS | A); /* dirty is the page's alone */
    fixture_finish(&rig.guest);
}

/* A table that is its own: as many steps as there are levels, and no more. */
static void a_table_in_itself_ends(void **state)
{
    (void)state;
    struct rig rig;

    rig_init(&rig, PAE | LA57, LONG);
    put(&rig, PAGE, PAGE | RIGHTS, 8);
    assert_int_equal(walk(&rig, 0x10), PAGE_WALK_OK);
    assert_int_equal(rig.gpa, PAGE | 0x10);
    fixture_finish(&rig.guest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_paging_an_address_is_itself),
        cmocka_unit_test(of_32_bits),
        cmocka_unit_test(of_pae),
        cmocka_unit_test(of_four_and_five_levels),
        cmocka_unit_test(large_pages_end_a_walk),
        cmocka_unit_test(rights_follow_the_manual),
        cmocka_unit_test(bits_are_set_when_asked_and_allowed),
        cmocka_unit_test(a_table_in_itself_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
