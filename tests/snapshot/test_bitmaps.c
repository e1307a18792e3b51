/* SPDX-License-Identifier: MIT */
/* The log of a whole memory: region by region, and back where it came from. */

#include "tests/snapshot/fixture.h"

#include "lib/snapshot/bitmaps.h"

static struct vm vm;

static int begin(void **state)
{
    (void)state;
    vm_init(&vm);
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    return 0;
}

static int end(void **state)
{
    (void)state;
    vm_finish(&vm);
    return 0;
}

static uint64_t pages_of(const struct bitmaps *bitmaps, size_t index)
{
    struct vmr_dirty_run run;
    uint64_t pages = 0;

    for (vmr_gpa from = bitmaps->items[index].gpa; vmr_dirty_next(&bitmaps->items[index], from, &run);
         from = run.gpa + run.size)
        pages += run.size / VMR_PAGE_SIZE;
    return pages;
}

static void each_region_has_its_own_and_what_is_taken_can_be_given_back(void **state)
{
    struct bitmaps bitmaps;

    (void)state;
    assert_true(bitmaps_init(&bitmaps, vm.memory));
    assert_int_equal(bitmaps.count, 2);
    assert_int_equal(bitmaps.items[0].size, LOW_BYTES);
    assert_int_equal(bitmaps.items[1].gpa, HIGH_GPA);
    CHECK_OK(vmr_memory_fill(vm.memory, 0x1000, 1, 0x3000));
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + HIGH_BYTES - 1, 1, 1));
    for (unsigned turn = 0; turn < 2; turn++) {
        CHECK_OK(bitmaps_take(&bitmaps, vm.memory, NULL));
        assert_int_equal(bitmaps.taken, 2);
        assert_int_equal(pages_of(&bitmaps, 0), 3);
        assert_int_equal(pages_of(&bitmaps, 1), 1);
        if (turn == 0)
            bitmaps_mark_again(&bitmaps, vm.memory);
    }
    CHECK_OK(bitmaps_take(&bitmaps, vm.memory, NULL));
    assert_int_equal(pages_of(&bitmaps, 0) + pages_of(&bitmaps, 1), 0);
    bitmaps_finish(&bitmaps);
}

static void what_was_not_taken_is_not_given_back(void **state)
{
    struct vmr_error err = {0};
    struct bitmaps bitmaps;

    (void)state;
    assert_true(bitmaps_init(&bitmaps, vm.memory));
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
    assert_int_equal(bitmaps_take(&bitmaps, vm.memory, &err), VMR_E_STATE);
    assert_int_equal(bitmaps.taken, 0);
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    bitmaps.items[0].words[0] = 1; /* of an older take */
    bitmaps_mark_again(&bitmaps, vm.memory);
    CHECK_OK(bitmaps_take(&bitmaps, vm.memory, NULL));
    assert_int_equal(pages_of(&bitmaps, 0), 0);
    bitmaps_finish(&bitmaps);
}

/* Single pages, whole words, the ends of a region: only what lies outside of them is still dirty. */
static void what_was_put_back_is_forgotten_and_nothing_else(void **state)
{
    static const struct {
        unsigned first, count;
    } rows[] = {{0, 1}, {63, 1}, {63, 2}, {64, 64}, {1, 200}, {511, 1}, {0, 512}, {100, 30}};
    struct bitmaps bitmaps;

    (void)state;
    assert_true(bitmaps_init(&bitmaps, vm.memory));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vmr_gpa gpa = HIGH_GPA + rows[i].first * VMR_PAGE_SIZE;

        CHECK_OK(vmr_memory_fill(vm.memory, gpa, 1, (size_t)rows[i].count * VMR_PAGE_SIZE));
        CHECK_OK(bitmaps_take(&bitmaps, vm.memory, NULL));
        assert_int_equal(pages_of(&bitmaps, 1), rows[i].count);
        CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA, 2, HIGH_BYTES));
        CHECK_OK(bitmaps_forget_again(&bitmaps, vm.memory, NULL));
        assert_int_equal(pages_of(&bitmaps, 1), rows[i].count);
        CHECK_OK(bitmaps_take(&bitmaps, vm.memory, NULL));
        assert_int_equal(pages_of(&bitmaps, 1), HIGH_BYTES / VMR_PAGE_SIZE - rows[i].count);
    }
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
    assert_int_equal(bitmaps_forget_again(&bitmaps, vm.memory, NULL), VMR_E_STATE);
    bitmaps_finish(&bitmaps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_region_has_its_own_and_what_is_taken_can_be_given_back, begin, end),
        cmocka_unit_test_setup_teardown(what_was_put_back_is_forgotten_and_nothing_else, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_taken_is_not_given_back, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
