/* SPDX-License-Identifier: MIT */
/* A trapped page: what the backend is shown of the region around it, and what a failure leaves. [MON-3] [MON-4] */

#include "lib/partition/trap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_backend.h"

#define PAGE UINT64_C(4096)
#define RAM (16 * PAGE)

struct rig {
    struct fake fake;
    struct fake_rig base; /* its own region is page 0 */
};

static void rig_init(struct rig *rig)
{
    const struct vmr_memory_region ram = {.gpa = RAM, .size = 4 * PAGE};

    fake_init(&rig->fake);
    fake_rig_init(&rig->base, &rig->fake, NULL, 1);
    assert_int_equal(vmr_memory_region_add(rig->base.memory, &ram, NULL), VMR_OK);
}

/* Regions that the backend has now, and the calls that made it so. */
static void expect(const struct rig *rig, uint32_t mapped, uint32_t maps)
{
    assert_int_equal(rig->fake.mapped, mapped);
    assert_int_equal(fake_count(&rig->fake, FAKE_VM_MAP), maps);
}

static void a_region_is_cut_into_what_lies_around_the_page(void **state)
{
    static const struct {
        vmr_gpa gpa;
        uint32_t pieces;
    } rows[] = {{RAM, 2}, {RAM + PAGE, 3}, {RAM + 3 * PAGE, 2}, {RAM + 100 * PAGE, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;

        rig_init(&rig);
        expect(&rig, 2, 2);
        assert_int_equal(trap_set(rig.base.partition, rows[i].gpa, NULL), VMR_OK);
        assert_int_equal(rig.fake.mapped, 1 + rows[i].pieces);
        trap_clear(rig.base.partition);
        trap_clear(rig.base.partition);
        assert_int_equal(rig.fake.mapped, 2);
        fake_rig_finish(&rig.base);
    }
}

static void a_second_page_and_a_bad_one_are_refused(void **state)
{
    (void)state;
    struct rig rig;
    struct vmr_error err = {.message = ""};

    rig_init(&rig);
    assert_int_equal(trap_set(rig.base.partition, UINT64_C(1) << 40, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "40 bits"));
    assert_int_equal(trap_set(rig.base.partition, RAM, &err), VMR_OK);
    assert_int_equal(trap_set(rig.base.partition, RAM + PAGE, &err), VMR_E_STATE);
    expect(&rig, 3, 4);
    fake_rig_finish(&rig.base);
}

static void regions_come_and_go_around_the_page(void **state)
{
    const struct vmr_memory_region ram = {.gpa = RAM, .size = 4 * PAGE};
    struct rig rig;

    (void)state;
    rig_init(&rig);
    assert_int_equal(trap_set(rig.base.partition, RAM + PAGE, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_remove(rig.base.memory, RAM, NULL), VMR_OK);
    assert_int_equal(rig.fake.mapped, 1);
    assert_int_equal(vmr_memory_region_add(rig.base.memory, &ram, NULL), VMR_OK);
    assert_int_equal(rig.fake.mapped, 4);
    fake_rig_finish(&rig.base);
}

/* Whichever of the three pieces is refused, the region is whole again. */
static void a_refused_piece_leaves_the_region_as_it_was(void **state)
{
    (void)state;
    for (uint32_t nth = 1; nth <= 3; nth++) {
        struct rig rig;
        struct vmr_error err = {.message = ""};

        rig_init(&rig);
        rig.fake.fail_at = atomic_load(&rig.fake.failable) + nth;
        assert_int_equal(trap_set(rig.base.partition, RAM + PAGE, &err), VMR_E_HOST);
        assert_int_equal(rig.fake.mapped, 2);
        assert_false(rig.base.partition->trap.set);
        assert_int_equal(trap_set(rig.base.partition, RAM + PAGE, &err), VMR_OK);
        fake_rig_finish(&rig.base);
    }
}

static void without_read_only_memory_there_is_none(void **state)
{
    (void)state;
    struct fake fake;
    struct fake_rig rig;

    fake_init(&fake);
    fake.caps.bits &= ~(UINT64_C(1) << VMR_CAP_READ_ONLY);
    fake_rig_init(&rig, &fake, NULL, 1);
    assert_int_equal(trap_set(rig.partition, 0, NULL), VMR_E_UNSUPPORTED);
    fake_rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_is_cut_into_what_lies_around_the_page),
        cmocka_unit_test(a_second_page_and_a_bad_one_are_refused),
        cmocka_unit_test(regions_come_and_go_around_the_page),
        cmocka_unit_test(a_refused_piece_leaves_the_region_as_it_was),
        cmocka_unit_test(without_read_only_memory_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
