/* SPDX-License-Identifier: MIT */
/* Saving: every write of the sink fails once, and what is refused. */

#include "tests/snapshot/fixture.h"

#include <string.h>

static struct vm vm;

static int begin(void **state)
{
    (void)state;
    vm_init(&vm);
    vm_fill(&vm);
    return 0;
}

static int end(void **state)
{
    (void)state;
    vm_finish(&vm);
    return 0;
}

static void saving_twice_gives_the_same_bytes(void **state)
{
    struct bytes first, second;
    uint64_t first_id = 0, second_id = 1;

    (void)state;
    vm_save(&vm, 0, &first, &first_id);
    vm_save(&vm, 0, &second, &second_id);
    assert_int_equal(first_id, second_id);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.data, second.data, first.length);
    vm.toys[0].state.value++;
    bytes_finish(&second);
    vm_save(&vm, 0, &second, &second_id);
    assert_int_not_equal(first_id, second_id);
    bytes_finish(&first);
    bytes_finish(&second);
}

static void a_sink_that_fails_anywhere_ends_it(void **state)
{
    struct bytes whole, cut = {0};
    uint64_t id = 7;

    (void)state;
    vm_save(&vm, 0, &whole, NULL);
    for (cut.fails_at = 1; cut.fails_at < whole.length; cut.fails_at += 61) {
        struct vmr_error err;

        cut.length = 0;
        assert_int_equal(vm_save_to(&vm, 0, &cut, &id, &err), VMR_E_HOST);
        assert_string_equal(err.message, "no room");
        assert_int_equal(id, 7);
    }
    bytes_finish(&whole);
    bytes_finish(&cut);
}

/* Wherever it ends, and be it in the last section: the pages are in the next one that succeeds. [SNAP-2] */
static void what_was_not_saved_stays_logged(void **state)
{
    struct bytes parent, child, cut = {0}, again;
    uint64_t id = 0;

    (void)state;
    vm_save(&vm, 0, &parent, &id);
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    for (unsigned i = 0; i < 2; i++)
        CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x1000, (uint8_t)i, 0x3000));
    vm_save(&vm, id, &child, NULL);
    CHECK_OK(vmr_memory_fill(vm.memory, HIGH_GPA + 0x1000, 1, 0x3000));
    for (cut.fails_at = 1; cut.fails_at <= child.length; cut.fails_at += 16) {
        cut.length = 0;
        assert_int_equal(vm_save_to(&vm, id, &cut, NULL, NULL), VMR_E_HOST);
    }
    vm_save(&vm, id, &again, NULL);
    assert_int_equal(again.length, child.length);
    assert_memory_equal(again.data, child.data, child.length);
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
    bytes_finish(&parent);
    bytes_finish(&child);
    bytes_finish(&cut);
    bytes_finish(&again);
}

static void a_vp_that_cannot_be_reached_is_named(void **state)
{
    struct bytes bytes = {0};
    struct vmr_error err;

    (void)state;
    for (unsigned nth = 1; nth <= 2 * VM_VPS; nth++) {
        vm.call_fails_at = nth;
        assert_int_equal(vm_save_to(&vm, 0, &bytes, NULL, &err), VMR_E_HOST);
        assert_non_null(strstr(err.message, nth % VM_VPS == 1 ? "VP 0" : "VP 1"));
    }
    vm.call_fails_at = 0;
    bytes_finish(&bytes);
}

static enum vmr_status nowhere(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    (void)context;
    (void)bytes;
    (void)length;
    (void)err;
    return VMR_OK;
}

static void blobs_are_named_well_or_refused(void **state)
{
    static const char long_name[] = "a123456789012345678901234567890123456789012345678901234567890123";
    static const char *const names[] = {"", "Upper", "a b", "\xc3\xa4", long_name};
    const struct vmr_snapshot_sink sink = {.write = nowhere};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct vmr_snapshot_blob blob = {.name = names[i], .bytes = "", .length = 0};
        const struct vmr_snapshot_save_options options = {.blobs = &blob, .blob_count = 1};

        assert_int_equal(vmr_snapshot_save(&vm.parts, &options, &sink, NULL, NULL), VMR_E_USAGE);
    }
    const struct vmr_snapshot_blob large = {.name = "x", .bytes = "", .length = VMR_SNAPSHOT_BLOB_MAX + 1u};
    const struct vmr_snapshot_save_options options = {.blobs = &large, .blob_count = 1};

    assert_int_equal(vmr_snapshot_save(&vm.parts, &options, &sink, NULL, NULL), VMR_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(saving_twice_gives_the_same_bytes, begin, end),
        cmocka_unit_test_setup_teardown(a_sink_that_fails_anywhere_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(what_was_not_saved_stays_logged, begin, end),
        cmocka_unit_test_setup_teardown(a_vp_that_cannot_be_reached_is_named, begin, end),
        cmocka_unit_test_setup_teardown(blobs_are_named_well_or_refused, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
