/* SPDX-License-Identifier: MIT */
/* Visiting and comparing. */

#include "tests/snapshot/fixture.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/snapshot/format.h"

static struct vm from;

static int begin(void **state)
{
    (void)state;
    vm_init(&from);
    vm_fill(&from);
    return 0;
}

static int end(void **state)
{
    (void)state;
    vm_finish(&from);
    return 0;
}

static void two_snapshots_are_compared_field_by_field_and_page_by_page(void **state)
{
    struct vmr_x86_regs regs;
    struct bytes left, right;
    uint64_t count = 0;

    (void)state;
    vm_save(&from, 0, &left, NULL);
    CHECK_OK(vmr_vp_get_regs(from.vps[1], &regs));
    regs.gpr[VMR_X86_RCX]++;
    CHECK_OK(vmr_vp_set_regs(from.vps[1], &regs));
    from.now_ns++; /* the TSC moves */
    CHECK_OK(vmr_memory_write(from.memory, 0x3000, "S", 1));
    CHECK_OK(vmr_memory_write(from.memory, 0x9000, "S", 1));
    vm_save(&from, 0, &right, NULL);
    struct vmr_snapshot *a = snapshot_of(&left), *b = snapshot_of(&right);
    const struct vmr_snapshot_differences nobody = {0};

    CHECK_OK(vmr_snapshot_compare(a, b, false, &nobody, &count, NULL));
    assert_int_equal(count, 1 + 2);
    CHECK_OK(vmr_snapshot_compare(a, b, true, &nobody, &count, NULL));
    assert_int_equal(count, 1 + VM_VPS + 2);
    CHECK_OK(vmr_snapshot_compare(a, a, true, &nobody, &count, NULL));
    assert_int_equal(count, 0);
    vmr_snapshot_close(a);
    vmr_snapshot_close(b);
    bytes_finish(&left);
    bytes_finish(&right);
}

struct count {
    unsigned states;
    unsigned stop_at;
};

static enum vmr_status count_state(void *context, const struct vmr_snapshot_state *state)
{
    struct count *count = context;

    assert_non_null(state->value);
    assert_true(state->scope != VMR_SNAPSHOT_DEVICE); /* nobody knows the toys */
    return ++count->states == count->stop_at ? VMR_E_STATE : VMR_OK;
}

static void states_are_visited_until_one_is_enough(void **state)
{
    struct count all = {0}, some = {.stop_at = 3};
    struct vmr_snapshot_info info;
    struct bytes bytes;

    (void)state;
    vm_save(&from, 0, &bytes, NULL);
    struct vmr_snapshot *snapshot = snapshot_of(&bytes);

    vmr_snapshot_get_info(snapshot, &info);
    CHECK_OK(vmr_snapshot_visit(snapshot, count_state, &all, NULL));
    assert_int_equal(all.states, info.state_count - 2);
    assert_int_equal(vmr_snapshot_visit(snapshot, count_state, &some, NULL), VMR_E_STATE);
    assert_int_equal(some.states, 3);
    vmr_snapshot_close(snapshot);
    bytes_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_snapshots_are_compared_field_by_field_and_page_by_page, begin, end),
        cmocka_unit_test_setup_teardown(states_are_visited_until_one_is_enough, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
