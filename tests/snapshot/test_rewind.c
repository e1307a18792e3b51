/* SPDX-License-Identifier: MIT */
/* A point in memory, and back: the bytes of a snapshot are the witness. */

#include "tests/snapshot/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "vmrig/dirty.h"
#include "vmrig/rewind.h"

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

static struct vmr_rewind *point(void)
{
    struct vmr_rewind *rewind = NULL;
    struct vmr_error err = {0};

    if (vmr_rewind_create(&vm.parts, &rewind, &err))
        fail_msg("%s", err.message);
    return rewind;
}

static uint64_t back(struct vmr_rewind *rewind)
{
    struct vmr_error err = {0};
    uint64_t pages = UINT64_MAX;

    if (vmr_rewind_back(rewind, &pages, &err))
        fail_msg("%s", err.message);
    return pages;
}

/* Something in every part is not what it was: five pages, two of them neighbours, one was zero, one becomes zero. */
static void change_all(void)
{
    struct vmr_x86_regs regs;

    CHECK_OK(vmr_memory_write(vm.memory, 0, "another", 8));
    CHECK_OK(vmr_memory_fill(vm.memory, 0x3000, 0, 0x1000));
    CHECK_OK(vmr_memory_write(vm.memory, 0x4ffc, "both sides", 10));
    CHECK_OK(vmr_memory_write(vm.memory, HIGH_GPA + HIGH_BYTES - 8, "thing...", 8));
    CHECK_OK(vmr_vp_get_regs(vm.vps[1], &regs));
    regs.gpr[VMR_X86_RBX]++;
    CHECK_OK(vmr_vp_set_regs(vm.vps[1], &regs));
    vm.toys[1].state.value = 1;
    vm.toys[0].state.moving = 77;
}

#define CHANGED_PAGES 5u

static void expect_same(const struct bytes *want)
{
    struct bytes got;

    vm_save(&vm, 0, &got, NULL);
    assert_int_equal(got.length, want->length);
    assert_memory_equal(got.data, want->data, want->length);
    bytes_finish(&got);
}

static void everything_is_as_it_was_again_and_again(void **state)
{
    struct bytes before;

    (void)state;
    vm_save(&vm, 0, &before, NULL);
    struct vmr_rewind *rewind = point();

    for (unsigned i = 0; i < 3; i++) {
        change_all();
        assert_int_equal(back(rewind), CHANGED_PAGES);
        assert_true(vmr_partition_is_usable(vm.partition));
        expect_same(&before);
    }
    /* What was put back counts as clean. */
    assert_int_equal(back(rewind), 0);
    expect_same(&before);
    vmr_rewind_destroy(rewind);
    bytes_finish(&before);
}

/* Against each page of a small memory, written or not, kept or not, in every pattern of six. */
static void every_pattern_of_pages_comes_back(void **state)
{
    enum {
        PAGES = 6
    };

    (void)state;
    for (unsigned kept = 0; kept < 1u << PAGES; kept++) {
        struct bytes before;

        for (unsigned page = 0; page < PAGES; page++)
            CHECK_OK(vmr_memory_fill(vm.memory, 0x10000 + page * 0x1000u, kept >> page & 1 ? 0x40 : 0, 0x1000));
        vm_save(&vm, 0, &before, NULL);
        struct vmr_rewind *rewind = point();

        for (unsigned written = 0; written < 1u << PAGES; written++) {
            for (unsigned page = 0; page < PAGES; page++) {
                if (written >> page & 1)
                    CHECK_OK(vmr_memory_fill(vm.memory, 0x10000 + page * 0x1000u, 0x99, 0x1000));
            }
            assert_int_equal(back(rewind), __builtin_popcount(written));
        }
        expect_same(&before);
        vmr_rewind_destroy(rewind);
        bytes_finish(&before);
    }
}

static void the_clock_runs_or_stands_as_it_did(void **state)
{
    struct vmr_vm_clock *clock = NULL;

    (void)state;
    CHECK_OK(vmr_vm_clock_create(&vm.host, &clock, NULL));
    vm.parts.clock = clock;
    for (unsigned paused = 0; paused < 2; paused++) {
        if (paused)
            CHECK_OK(vmr_vm_clock_pause(clock));
        uint64_t then = vmr_vm_clock_now(clock);
        struct vmr_rewind *rewind = point();

        assert_int_equal(vmr_vm_clock_is_paused(clock), paused);
        if (paused)
            CHECK_OK(vmr_vm_clock_resume(clock));
        vm.now_ns += 1000;
        assert_int_equal(vmr_vm_clock_now(clock), then + 1000);
        (void)back(rewind);
        assert_int_equal(vmr_vm_clock_is_paused(clock), paused);
        assert_int_equal(vmr_vm_clock_now(clock), then);
        vmr_rewind_destroy(rewind);
    }
    vmr_vm_clock_destroy(clock);
}

static void expect_back(struct vmr_rewind *rewind, enum vmr_status want, const char *words)
{
    struct vmr_error err = {0};
    uint64_t pages = 7;

    assert_string_equal(vmr_status_name(vmr_rewind_back(rewind, &pages, &err)), vmr_status_name(want));
    if (!strstr(err.message, words))
        fail_msg("'%s' instead of '%s'", err.message, words);
    assert_int_equal(pages, 7);
}

static void other_regions_are_refused_before_anything_changes(void **state)
{
    const struct vmr_memory_region more = {.gpa = HIGH_GPA + HIGH_BYTES, .size = 0x1000};
    struct vmr_rewind *rewind = point();
    struct bytes before;

    (void)state;
    vm_save(&vm, 0, &before, NULL);
    change_all();
    CHECK_OK(vmr_memory_region_add(vm.memory, &more, NULL));
    expect_back(rewind, VMR_E_CONFIG, "region 2");
    assert_int_equal(vm.toys[1].state.value, 1);
    assert_true(vmr_partition_is_usable(vm.partition));
    CHECK_OK(vmr_memory_region_remove(vm.memory, more.gpa, NULL));
    assert_int_equal(back(rewind), CHANGED_PAGES);
    expect_same(&before);
    CHECK_OK(vmr_memory_region_remove(vm.memory, HIGH_GPA, NULL));
    expect_back(rewind, VMR_E_CONFIG, "region 1");
    vmr_rewind_destroy(rewind);
    bytes_finish(&before);
}

static void reset_all(void)
{
    CHECK_OK(vmr_partition_reset(vm.partition, NULL));
    for (vmr_vp_index vp = 0; vp < VM_VPS; vp++)
        CHECK_OK(vmr_vp_reset(vm.vps[vp], NULL));
}

static void what_fails_half_way_is_unusable_and_comes_back_after_a_reset(void **state)
{
    struct vmr_rewind *rewind = point();
    struct bytes before;

    (void)state;
    vm_save(&vm, 0, &before, NULL);
    for (unsigned call = 0; call < 3; call++) {
        change_all();
        vm.toys[1].refuses = call == 0;
        vm.call_fails_at = call;
        expect_back(rewind, call == 0 ? VMR_E_CONFIG : VMR_E_HOST,
                    call == 0 ? "rewind: device 'toy' number 1: toy: value is not to its taste" : "VP");
        assert_false(vmr_partition_is_usable(vm.partition));
        expect_back(rewind, VMR_E_STATE, "unusable");
        vm.toys[1].refuses = false;
        reset_all();
        assert_int_equal(back(rewind), CHANGED_PAGES);
        expect_same(&before);
    }
    vmr_rewind_destroy(rewind);
    bytes_finish(&before);
}

/* Pages that the log has given before the call that failed are not forgotten. */
static void whatever_call_of_the_hypervisor_fails_nothing_is_lost(void **state)
{
    static const enum vmr_mock_fault faults[] = {VMR_MOCK_FAIL_CALL, VMR_MOCK_FAIL_SET_STATE};
    struct vmr_rewind *rewind = point();
    struct bytes before;

    (void)state;
    vm_save(&vm, 0, &before, NULL);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        enum vmr_status status = VMR_E_HOST;
        uint64_t nth = 0;

        while (status) {
            change_all();
            CHECK_OK(vmr_mock_set_fault(&vm.handle, faults[i], ++nth));
            status = vmr_rewind_back(rewind, NULL, NULL);
            CHECK_OK(vmr_mock_set_fault(&vm.handle, faults[i], 0));
            if (!status)
                break;
            assert_string_equal(vmr_status_name(status), vmr_status_name(VMR_E_HOST));
            reset_all();
            (void)back(rewind);
            expect_same(&before);
        }
        assert_true(nth > 2);
        expect_same(&before);
    }
    vmr_rewind_destroy(rewind);
    bytes_finish(&before);
}

static void the_log_belongs_to_the_point(void **state)
{
    struct vmr_rewind *second = NULL;
    struct vmr_error err = {0};
    struct vmr_rewind *rewind = point();

    (void)state;
    assert_int_equal(vmr_memory_dirty_start(vm.memory, NULL), VMR_E_STATE);
    assert_int_equal(vmr_rewind_create(&vm.parts, &second, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "dirty log: it is on already"));
    assert_null(second);
    change_all();
    assert_int_equal(back(rewind), CHANGED_PAGES);
    vmr_rewind_destroy(rewind);
    CHECK_OK(vmr_memory_dirty_start(vm.memory, NULL));
    CHECK_OK(vmr_memory_dirty_stop(vm.memory, NULL));
    vmr_rewind_destroy(NULL);
}

static void units_and_parts_are_copied(void **state)
{
    struct vmr_state_unit *units = malloc(sizeof(vm.units));
    struct vmr_rewind *rewind = NULL;

    (void)state;
    assert_non_null(units);
    memcpy(units, vm.units, sizeof(vm.units));
    struct vmr_snapshot_parts parts = vm.parts;

    parts.units = units;
    CHECK_OK(vmr_rewind_create(&parts, &rewind, NULL));
    memset(units, 0xee, sizeof(vm.units));
    free(units);
    memset(&parts, 0xee, sizeof(parts));
    change_all();
    assert_int_equal(back(rewind), CHANGED_PAGES);
    assert_int_equal(vm.toys[1].state.value, 18);
    vmr_rewind_destroy(rewind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_as_it_was_again_and_again, begin, end),
        cmocka_unit_test_setup_teardown(every_pattern_of_pages_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(the_clock_runs_or_stands_as_it_did, begin, end),
        cmocka_unit_test_setup_teardown(other_regions_are_refused_before_anything_changes, begin, end),
        cmocka_unit_test_setup_teardown(what_fails_half_way_is_unusable_and_comes_back_after_a_reset, begin, end),
        cmocka_unit_test_setup_teardown(whatever_call_of_the_hypervisor_fails_nothing_is_lost, begin, end),
        cmocka_unit_test_setup_teardown(the_log_belongs_to_the_point, begin, end),
        cmocka_unit_test_setup_teardown(units_and_parts_are_copied, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
