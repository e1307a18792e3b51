/* SPDX-License-Identifier: MIT */
/* Memory by the guest's addresses: across pages that are no neighbours, and up to where it ends. */

#include "lib/debug/virtual.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "vmrig/limits.h"

#define PAGE ((uint64_t)VMR_PAGE_SIZE)
#define RAM_PAGES 16u
#define RIGHTS UINT64_C(3)
#define READ_ONLY UINT64_C(1)

struct rig {
    struct vmr_host host;
    struct vmr_x86_regs regs;
    struct virtual_memory where;
};

static void put(struct rig *rig, vmr_gpa gpa, uint64_t entry)
{
    uint8_t bytes[8];

    store_le64(bytes, entry);
    assert_int_equal(vmr_memory_write(rig->where.memory, gpa, bytes, sizeof(bytes)), VMR_OK);
}

/* Four levels in pages 1 to 4. Virtual pages 0, 1, 2 are pages 9, 7, 8, the last read-only; 3 is a hole, 4 is no RAM.
 */
static void rig_init(struct rig *rig)
{
    const struct vmr_memory_region ram = {.size = RAM_PAGES * PAGE};

    *rig = (struct rig){.regs = {.cr0 = 0x80000001, .cr3 = PAGE, .cr4 = 0x20, .efer = 0x500}};
    vmr_host_posix(&rig->host, NULL);
    rig->where = (struct virtual_memory){.regs = &rig->regs, .physical_bits = 40};
    assert_int_equal(vmr_memory_create(&rig->host, &rig->where.memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->where.memory, &ram, NULL), VMR_OK);
    for (unsigned level = 1; level < 4; level++)
        put(rig, level * PAGE, (level + 1) * PAGE | RIGHTS);
    put(rig, 4 * PAGE, 9 * PAGE | RIGHTS);
    put(rig, 4 * PAGE + 8, 7 * PAGE | RIGHTS);
    put(rig, 4 * PAGE + 16, 8 * PAGE | READ_ONLY);
    put(rig, 4 * PAGE + 32, RAM_PAGES * PAGE | RIGHTS);
}

static void bytes_cross_pages(void **state)
{
    uint8_t bytes[3 * VMR_PAGE_SIZE], back[sizeof(bytes)];
    struct rig rig;

    (void)state;
    rig_init(&rig);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    assert_true(virtual_write(&rig.where, 0, bytes, sizeof(bytes))); /* read-only for the guest is not for us */
    assert_int_equal(virtual_read(&rig.where, 0, back, sizeof(back)), sizeof(back));
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_int_equal(vmr_memory_read(rig.where.memory, 9 * PAGE, back, PAGE), VMR_OK);
    assert_memory_equal(back, bytes, PAGE);
    assert_int_equal(vmr_memory_read(rig.where.memory, 7 * PAGE, back, 2 * PAGE), VMR_OK);
    assert_memory_equal(back, bytes + PAGE, 2 * PAGE);
    assert_int_equal(virtual_read(&rig.where, PAGE - 3, back, 6), 6);
    assert_memory_equal(back, bytes + PAGE - 3, 6);
    vmr_memory_destroy(rig.where.memory);
}

static void a_read_ends_where_memory_does(void **state)
{
    uint8_t bytes[64];
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_int_equal(virtual_read(&rig.where, 3 * PAGE - 5, bytes, sizeof(bytes)), 5);
    assert_int_equal(virtual_read(&rig.where, 3 * PAGE, bytes, sizeof(bytes)), 0);
    assert_int_equal(virtual_read(&rig.where, 4 * PAGE, bytes, 1), 0); /* mapped, and no RAM */
    assert_int_equal(virtual_read(&rig.where, UINT64_C(1) << 60, bytes, 1), 0);
    assert_int_equal(virtual_read(&rig.where, UINT64_MAX, bytes, sizeof(bytes)), 0);
    assert_int_equal(virtual_read(&rig.where, 0, bytes, 0), 0);
    vmr_memory_destroy(rig.where.memory);
}

static void a_write_is_whole_or_none(void **state)
{
    uint8_t bytes[64], back[64];
    struct rig rig;

    (void)state;
    rig_init(&rig);
    memset(bytes, 0x5a, sizeof(bytes));
    assert_false(virtual_write(&rig.where, 3 * PAGE - 5, bytes, sizeof(bytes)));
    assert_false(virtual_write(&rig.where, 4 * PAGE, bytes, 1));
    assert_int_equal(virtual_read(&rig.where, 3 * PAGE - 5, back, 5), 5);
    assert_int_not_equal(back[0], 0x5a);
    assert_true(virtual_write(&rig.where, 3 * PAGE - 5, bytes, 5));
    assert_true(virtual_write(&rig.where, 3 * PAGE, bytes, 0));
    vmr_memory_destroy(rig.where.memory);
}

static void without_paging_an_address_is_physical(void **state)
{
    uint8_t byte = 0x77, back = 0;
    struct rig rig;

    (void)state;
    rig_init(&rig);
    rig.regs.cr0 = 1;
    assert_true(virtual_write(&rig.where, 5 * PAGE, &byte, 1));
    assert_int_equal(vmr_memory_read(rig.where.memory, 5 * PAGE, &back, 1), VMR_OK);
    assert_int_equal(back, 0x77);
    assert_int_equal(virtual_read(&rig.where, RAM_PAGES * PAGE, &back, 1), 0);
    vmr_memory_destroy(rig.where.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_cross_pages),
        cmocka_unit_test(a_read_ends_where_memory_does),
        cmocka_unit_test(a_write_is_whole_or_none),
        cmocka_unit_test(without_paging_an_address_is_physical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
