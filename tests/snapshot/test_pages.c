/* SPDX-License-Identifier: MIT */
/* Runs of pages: which there are, and memory that becomes what they say. */

#include "lib/snapshot/snapshot.h"

#include <string.h>

#include "tests/snapshot/fixture.h"

struct seen {
    vmr_gpa gpa[16];
    uint32_t count[16];
    bool zero[16];
    size_t length;
};

static enum vmr_status see(void *context, vmr_gpa gpa, uint32_t count, const void *bytes, struct vmr_error *err)
{
    struct seen *seen = context;

    (void)err;
    assert_true(seen->length < 16 && count > 0 && count <= RUN_PAGES_MAX);
    seen->gpa[seen->length] = gpa;
    seen->zero[seen->length] = bytes == NULL;
    seen->count[seen->length++] = count;
    return VMR_OK;
}

static struct vm vm;

static int begin(void **state)
{
    (void)state;
    vm_init(&vm);
    return 0;
}

static int end(void **state)
{
    (void)state;
    vm_finish(&vm);
    return 0;
}

static void pages_that_are_not_zero_come_in_runs(void **state)
{
    struct seen seen = {.length = 0};
    const struct pages_sink sink = {.emit = see, .context = &seen};

    (void)state;
    CHECK_OK(pages_each(vm.memory, &sink, NULL));
    assert_int_equal(seen.length, 0);
    CHECK_OK(vmr_memory_fill(vm.memory, 0x1fff, 1, 2)); /* the end of one page, the beginning of the next */
    CHECK_OK(vmr_memory_fill(vm.memory, LOW_BYTES - 1, 1, 1));
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA, 1, HIGH_BYTES));
    CHECK_OK(pages_each(vm.memory, &sink, NULL));
    assert_int_equal(seen.length, 4);
    assert_int_equal(seen.gpa[0], 0x1000);
    assert_int_equal(seen.count[0], 2);
    assert_int_equal(seen.gpa[1], LOW_BYTES - VMR_PAGE_SIZE);
    assert_int_equal(seen.gpa[2], HIGH_GPA);
    assert_int_equal(seen.count[2], RUN_PAGES_MAX); /* 512 pages are two */
    assert_int_equal(seen.gpa[3], HIGH_GPA + RUN_PAGES_MAX * VMR_PAGE_SIZE);
    assert_int_equal(seen.count[3], RUN_PAGES_MAX);
}

static void what_was_written_is_told_also_if_it_is_zero(void **state)
{
    struct seen seen = {.length = 0};
    const struct pages_sink sink = {.emit = see, .context = &seen};

    (void)state;
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    CHECK_OK(vmr_memory_fill(vm.memory, 0x3000, 0, 1));
    CHECK_OK(vmr_memory_fill(vm.memory, 0x4000, 7, 1));
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x5000, 7, 1));
    CHECK_OK(pages_each_written(vm.memory, &sink, NULL));
    assert_int_equal(seen.length, 3);
    assert_true(seen.zero[0] && seen.gpa[0] == 0x3000 && seen.count[0] == 1);
    assert_true(!seen.zero[1] && seen.gpa[1] == 0x4000);
    assert_true(!seen.zero[2] && seen.gpa[2] == HIGH_GPA + 0x5000);
    seen.length = 0;
    CHECK_OK(pages_each_written(vm.memory, &sink, NULL));
    assert_int_equal(seen.length, 0);
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
    assert_int_equal(pages_each_written(vm.memory, &sink, NULL), VMR_E_STATE);
}

static unsigned touched_in(vmr_gpa gpa, uint64_t size)
{
    static bool touched[HIGH_BYTES / VMR_PAGE_SIZE];
    unsigned count = 0;

    CHECK_OK(vmr_memory_touched(vm.memory, gpa, size / VMR_PAGE_SIZE, touched));
    for (size_t i = 0; i < size / VMR_PAGE_SIZE; i++)
        count += touched[i];
    return count;
}

/* Which pages are touched is no part of what is saved, and neither saving nor restoring touches more. [SNAP-1] [SNAP-8]
 */
static void what_was_not_touched_stays_so_and_changes_nothing(void **state)
{
    struct bytes before, after;
    uint64_t before_id = 0, after_id = 1;

    (void)state;
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x3000, 1, (RUN_PAGES_MAX + 4) * (size_t)VMR_PAGE_SIZE));
    vm_save(&vm, 0, &before, &before_id);
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA, 0, 1)); /* with a zero: touched now */
    CHECK_OK(vmr_memory_fill(vm.memory, 0x7000, 0, 1));
    unsigned low = touched_in(0, LOW_BYTES), high = touched_in(HIGH_GPA, HIGH_BYTES);

    assert_true(low > 0 && high > RUN_PAGES_MAX);
    vm_save(&vm, 0, &after, &after_id);
    assert_int_equal(before_id, after_id);
    vm_restore(&vm, &before);
    assert_int_equal(touched_in(0, LOW_BYTES), low);
    assert_int_equal(touched_in(HIGH_GPA, HIGH_BYTES), high);
    bytes_finish(&before);
    bytes_finish(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_that_are_not_zero_come_in_runs, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_touched_stays_so_and_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(what_was_written_is_told_also_if_it_is_zero, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
