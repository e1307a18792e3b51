/* SPDX-License-Identifier: MIT */
/* Restoring: the same again, or nothing, or a VM that does not run. */

#include "tests/snapshot/fixture.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/snapshot/format.h"

static struct vm from, to;

static int begin(void **state)
{
    (void)state;
    vm_init(&from);
    vm_init(&to);
    vm_fill(&from);
    return 0;
}

static int end(void **state)
{
    (void)state;
    vm_finish(&from);
    vm_finish(&to);
    return 0;
}

static enum vmr_status restore(struct vm *vm, struct vmr_snapshot *const *chain, size_t count, struct vmr_error *err)
{
    return vmr_snapshot_restore(&vm->parts, chain, count, NULL, err);
}

static void save_restore_save_is_the_same_bytes(void **state)
{
    struct bytes first, again;
    uint64_t first_id = 0, again_id = 0;

    (void)state;
    vm_save(&from, 0, &first, &first_id);
    vm_restore(&to, &first);
    assert_true(vmr_partition_is_usable(to.partition));
    vm_save(&to, 0, &again, &again_id);
    assert_int_equal(first.length, again.length);
    assert_memory_equal(first.data, again.data, first.length);
    assert_int_equal(first_id, again_id);
    assert_int_equal(to.toys[1].state.value, 18);
    bytes_finish(&first);
    bytes_finish(&again);
}

static void what_the_target_had_is_gone(void **state)
{
    struct bytes bytes;
    char text[8];

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    CHECK_OK(vmr_memory_write(to.memory, 0x8000, "leftover", 8));
    CHECK_OK(vmr_memory_write(to.memory, HIGH_GPA + HIGH_BYTES - 0x1000, "leftover", 8));
    vm_restore(&to, &bytes);
    CHECK_OK(vmr_memory_read(to.memory, 0x8000, text, 8));
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0", 8);
    CHECK_OK(vmr_memory_read(to.memory, HIGH_GPA + HIGH_BYTES - 0x1000, text, 8));
    assert_memory_equal(text, "\0\0\0\0\0\0\0\0", 8);
    CHECK_OK(vmr_memory_read(to.memory, HIGH_GPA + HIGH_BYTES - 8, text, 8));
    assert_memory_equal(text, "snapshot", 8);
    bytes_finish(&bytes);
}

static void expect_config(struct vm *vm, struct vmr_snapshot *snapshot, const char *words)
{
    struct vmr_x86_regs before, after;
    struct vmr_error err;

    CHECK_OK(vmr_vp_get_regs(vm->vps[0], &before));
    assert_int_equal(restore(vm, &snapshot, 1, &err), VMR_E_CONFIG);
    if (!strstr(err.message, words))
        fail_msg("'%s' instead of '%s'", err.message, words);
    /* Nothing has changed. */
    CHECK_OK(vmr_vp_get_regs(vm->vps[0], &after));
    assert_memory_equal(&before, &after, sizeof(before));
    assert_true(vmr_partition_is_usable(vm->partition));
}

static void a_state_without_a_place_and_a_place_without_a_state_are_named(void **state)
{
    struct bytes bytes;
    struct vmr_snapshot *snapshot;

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    snapshot = snapshot_of(&bytes);
    to.parts.unit_count = 1;
    expect_config(&to, snapshot, "device 'toy' number 1 has no place in the VM");
    to.parts.unit_count = 2;
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
    from.parts.unit_count = 1;
    vm_save(&from, 0, &bytes, NULL);
    from.parts.unit_count = 2;
    snapshot = snapshot_of(&bytes);
    expect_config(&to, snapshot, "device 'toy' number 1 is missing, and the VM has it");
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
}

static void another_memory_map_is_named(void **state)
{
    const struct vmr_memory_region more = {.gpa = 0x800000, .size = 0x1000};
    struct bytes bytes;

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&bytes);

    CHECK_OK(vmr_memory_region_add(to.memory, &more, NULL));
    expect_config(&to, snapshot, "section 'regions': 2 regions, the VM has 3");
    CHECK_OK(vmr_memory_region_remove(to.memory, HIGH_GPA, NULL));
    expect_config(&to, snapshot, "section 'regions': region 1 at 0x100000");
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
    CHECK_OK(vmr_memory_region_remove(to.memory, 0x800000, NULL));
    CHECK_OK(vmr_memory_region_add(to.memory, &(struct vmr_memory_region){.gpa = HIGH_GPA, .size = HIGH_BYTES}, NULL));
}

static void a_value_that_is_refused_leaves_the_vm_unusable_until_it_is_reset(void **state)
{
    struct vmr_run_result result;
    struct vmr_stop_source *stop;
    struct vmr_error err;
    struct vmr_vp_io io = {0};
    struct bytes bytes;

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&bytes);

    to.toys[0].refuses = true;
    assert_int_equal(restore(&to, &snapshot, 1, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "of device 'toy': toy: value is not to its taste"));
    assert_false(vmr_partition_is_usable(to.partition));
    CHECK_OK(vmr_stop_create(&to.host, &stop));
    assert_int_equal(vmr_vp_run(to.vps[0], stop, &io, &result), VMR_E_STATE);
    assert_int_equal(vm_save_to(&to, 0, &(struct bytes){0}, NULL, &err), VMR_E_STATE);
    to.toys[0].refuses = false;
    CHECK_OK(vmr_partition_reset(to.partition, NULL));
    for (vmr_vp_index i = 0; i < VM_VPS; i++)
        CHECK_OK(vmr_vp_reset(to.vps[i], NULL));
    assert_true(vmr_partition_is_usable(to.partition));
    CHECK_OK(restore(&to, &snapshot, 1, NULL));
    vmr_stop_destroy(stop);
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
}

static void every_call_of_a_vp_fails_once(void **state)
{
    struct bytes bytes;

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&bytes);

    for (unsigned nth = 1;; nth++) {
        struct vmr_error err = {0};

        to.call_fails_at = nth;
        enum vmr_status status = restore(&to, &snapshot, 1, &err);

        to.call_fails_at = 0;
        if (status == VMR_OK) {
            assert_int_equal(nth, 2 * VM_VPS + 1); /* one to look, one to set */
            break;
        }
        assert_int_equal(status, VMR_E_HOST);
        assert_non_null(strstr(err.message, "VP "));
        assert_int_equal(vmr_partition_is_usable(to.partition), nth <= VM_VPS);
        if (nth > VM_VPS) {
            CHECK_OK(vmr_partition_reset(to.partition, NULL));
            for (vmr_vp_index i = 0; i < VM_VPS; i++)
                CHECK_OK(vmr_vp_reset(to.vps[i], NULL));
        }
    }
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
}

/* A chain of three: full, two pages written, one of them zeroed again. */
static void a_chain_is_checked_and_restored(void **state)
{
    struct bytes bytes[3];
    struct vmr_snapshot *chain[3];
    struct vmr_snapshot_info info;
    struct vmr_error err;
    uint64_t ids[3];
    char text[8];

    (void)state;
    CHECK_OK(vmr_memory_dirty_start(from.memory, NULL));
    vm_save(&from, 0, &bytes[0], &ids[0]);
    CHECK_OK(vmr_memory_write(from.memory, 0x5000, "second", 6));
    CHECK_OK(vmr_memory_write(from.memory, HIGH_GPA + 0x7ff8, "second..second..", 16));
    vm_save(&from, ids[0], &bytes[1], &ids[1]);
    CHECK_OK(vmr_memory_fill(from.memory, 0x5000, 0, 6));
    vm_save(&from, ids[1], &bytes[2], &ids[2]);
    CHECK_OK(vmr_memory_dirty_stop(from.memory, NULL));
    for (size_t i = 0; i < 3; i++)
        chain[i] = snapshot_of(&bytes[i]);
    vmr_snapshot_get_info(chain[1], &info);
    assert_int_equal(info.page_count, 3);
    vmr_snapshot_get_info(chain[2], &info);
    assert_int_equal(info.page_count, 0);
    assert_int_equal(restore(&to, chain + 1, 2, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "chain[0] has the parent"));
    struct vmr_snapshot *const gap[] = {chain[0], chain[2]};

    assert_int_equal(restore(&to, gap, 2, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "chain[1] has the parent"));
    assert_int_equal(restore(&to, chain, 0, &err), VMR_E_USAGE);
    CHECK_OK(restore(&to, chain, 2, NULL));
    CHECK_OK(vmr_memory_read(to.memory, 0x5000, text, 6));
    assert_memory_equal(text, "second", 6);
    CHECK_OK(restore(&to, chain, 3, NULL));
    CHECK_OK(vmr_memory_read(to.memory, 0x5000, text, 6));
    assert_memory_equal(text, "\0\0\0\0\0\0", 6);
    CHECK_OK(vmr_memory_read(to.memory, HIGH_GPA + 0x8000, text, 8));
    assert_memory_equal(text, "second..", 8);
    for (size_t i = 0; i < 3; i++) {
        vmr_snapshot_close(chain[i]);
        bytes_finish(&bytes[i]);
    }
}

static void pages_that_could_not_be_kept_are_in_the_next(void **state)
{
    struct bytes full, failed = {0}, next;
    struct vmr_snapshot_info info;
    uint64_t id;

    (void)state;
    CHECK_OK(vmr_memory_dirty_start(from.memory, NULL));
    vm_save(&from, 0, &full, &id);
    CHECK_OK(vmr_memory_write(from.memory, 0x5000, "lost?", 5));
    CHECK_OK(vmr_memory_write(from.memory, HIGH_GPA, "lost?", 5));
    for (failed.fails_at = 1; vm_save_to(&from, id, &failed, NULL, NULL) != VMR_OK; failed.fails_at += 97)
        failed.length = 0;
    /* The last one had both pages, however often it failed before. */
    struct vmr_snapshot *last = snapshot_of(&failed);

    vmr_snapshot_get_info(last, &info);
    assert_int_equal(info.page_count, 2);
    vmr_snapshot_close(last);
    CHECK_OK(vmr_memory_write(from.memory, 0x5000, "lost?", 5));
    failed.fails_at = failed.length - VMR_PAGE_SIZE - 40; /* behind the page: the last section */
    failed.length = 0;
    assert_int_equal(vm_save_to(&from, id, &failed, NULL, NULL), VMR_E_HOST);
    vm_save(&from, id, &next, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&next);

    vmr_snapshot_get_info(snapshot, &info);
    assert_int_equal(info.page_count, 1);
    vmr_snapshot_close(snapshot);
    CHECK_OK(vmr_memory_dirty_stop(from.memory, NULL));
    bytes_finish(&full);
    bytes_finish(&failed);
    bytes_finish(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(save_restore_save_is_the_same_bytes, begin, end),
        cmocka_unit_test_setup_teardown(what_the_target_had_is_gone, begin, end),
        cmocka_unit_test_setup_teardown(a_state_without_a_place_and_a_place_without_a_state_are_named, begin, end),
        cmocka_unit_test_setup_teardown(another_memory_map_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_value_that_is_refused_leaves_the_vm_unusable_until_it_is_reset, begin, end),
        cmocka_unit_test_setup_teardown(every_call_of_a_vp_fails_once, begin, end),
        cmocka_unit_test_setup_teardown(a_chain_is_checked_and_restored, begin, end),
        cmocka_unit_test_setup_teardown(pages_that_could_not_be_kept_are_in_the_next, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
