/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out, at each allocation of each call once: VMR_E_NOMEM with
 * words, nothing leaked, and nothing that is half done.
 */

#include "tests/snapshot/fixture.h"

#include <stdlib.h>

#include "tests/support/counting_host.h"
#include "vmrig/rewind.h"

#define FILE_BYTES 0x400000u /* room for any of the files: a sink does not allocate */

static struct vm source, target;
static struct bytes full, child;
static uint64_t full_id;

static void make_room(struct bytes *bytes)
{
    *bytes = (struct bytes){.data = malloc(FILE_BYTES), .capacity = FILE_BYTES};
    assert_non_null(bytes->data);
}

static int begin(void **state)
{
    (void)state;
    vm_init(&source);
    vm_init(&target);
    vm_fill(&source);
    make_room(&full);
    make_room(&child);
    CHECK_OK(vm_save_to(&source, 0, &full, &full_id, NULL));
    CHECK_OK(vmr_memory_dirty_start(source.memory, NULL));
    CHECK_OK(vmr_memory_fill(source.memory, HIGH_GPA + 0x1000, 0, 8));
    CHECK_OK(vmr_memory_fill(source.memory, HIGH_GPA + 0x7000, 7, 8));
    source.toys[1].state.value = 4;
    CHECK_OK(vm_save_to(&source, full_id, &child, NULL, NULL));
    return 0;
}

static int end(void **state)
{
    (void)state;
    bytes_finish(&full);
    bytes_finish(&child);
    vm_finish(&source);
    vm_finish(&target);
    return 0;
}

/* A call, and what must be true when it has failed. */
struct call {
    enum vmr_status (*run)(struct vmr_error *err);
    void (*check)(void);
};

/* Returns how many allocations it makes. */
static unsigned fail_each(const struct call *call)
{
    for (unsigned nth = 1;; nth++) {
        struct vmr_error err = {0};

        fail_allocation(nth);
        enum vmr_status status = call->run(&err);
        bool ran_out = allocation_failed();

        fail_allocation(0);
        if (!ran_out) {
            CHECK_OK(status);
            return nth - 1;
        }
        assert_string_equal(vmr_status_name(status), vmr_status_name(VMR_E_NOMEM));
        assert_string_not_equal(err.message, "");
        if (call->check)
            call->check();
    }
}

/* --- saving --- */

static struct bytes saved;
static uint64_t saved_id;

static enum vmr_status save_full(struct vmr_error *err)
{
    saved.length = 0;
    return vm_save_to(&source, 0, &saved, &saved_id, err);
}

static enum vmr_status save_child(struct vmr_error *err)
{
    saved.length = 0;
    return vm_save_to(&source, full_id, &saved, &saved_id, err);
}

static void check_no_id(void)
{
    assert_int_equal(saved_id, 0);
    assert_true(vmr_partition_is_usable(source.partition));
}

static void a_save_fails_as_a_whole(void **state)
{
    const struct call call = {.run = save_full, .check = check_no_id};

    (void)state;
    make_room(&saved);
    saved_id = 0;
    assert_true(fail_each(&call) > 8);
    bytes_finish(&saved);
}

/* What the failed ones had taken from the log is in the one that succeeds. [SNAP-2] */
static void pages_stay_logged(void **state)
{
    const struct call call = {.run = save_child, .check = check_no_id};

    (void)state;
    make_room(&saved);
    CHECK_OK(vmr_memory_fill(source.memory, HIGH_GPA + 0x1000, 0, 8));
    CHECK_OK(vmr_memory_fill(source.memory, HIGH_GPA + 0x7000, 7, 8));
    saved_id = 0;
    assert_true(fail_each(&call) > 8);
    assert_int_equal(saved.length, child.length);
    assert_memory_equal(saved.data, child.data, child.length);
    bytes_finish(&saved);
}

/* --- opening, and looking --- */

static struct vmr_snapshot *opened[2];

static enum vmr_status open_chain(struct vmr_error *err)
{
    const struct bytes *const files[] = {&full, &child};
    enum vmr_status status = VMR_OK;

    for (unsigned i = 0; i < 2 && !status; i++) {
        struct vmr_snapshot_source bytes;

        vmr_snapshot_source_memory(files[i]->data, files[i]->length, &bytes);
        status = vmr_snapshot_open(&bytes, &opened[i], err);
    }
    if (status)
        vmr_snapshot_close(opened[0]);
    if (status)
        opened[0] = NULL;
    return status;
}

static void check_nothing_opened(void)
{
    assert_null(opened[0]);
    assert_null(opened[1]);
}

static void close_chain(void)
{
    vmr_snapshot_close(opened[0]);
    vmr_snapshot_close(opened[1]);
    opened[0] = opened[1] = NULL;
}

static void a_chain_is_opened_or_not(void **state)
{
    const struct call call = {.run = open_chain, .check = check_nothing_opened};

    (void)state;
    assert_true(fail_each(&call) > 40); /* each state's section among them */
    close_chain();
}

static void drop_text(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
}

static const struct vmr_text_sink nowhere = {.write = drop_text};

static enum vmr_status see_nothing(void *context, const struct vmr_snapshot_state *state)
{
    (void)context;
    (void)state;
    return VMR_OK;
}

static enum vmr_status visit(struct vmr_error *err)
{
    return vmr_snapshot_visit(opened[0], see_nothing, NULL, err);
}

static enum vmr_status print_json(struct vmr_error *err)
{
    return vmr_snapshot_print(opened[0], VMR_STATE_JSON, &nowhere, err);
}

static enum vmr_status compare(struct vmr_error *err)
{
    static const struct vmr_snapshot_differences silent;
    uint64_t count = 0;

    return vmr_snapshot_compare(opened[0], opened[1], true, &silent, &count, err);
}

static enum vmr_status inspect(struct vmr_error *err)
{
    return vmr_inspect(&source.parts, VMR_STATE_TEXT, &nowhere, err);
}

static void looking_fails_with_words(void **state)
{
    static const struct call calls[] = {{.run = visit}, {.run = print_json}, {.run = compare}, {.run = inspect}};
    struct vmr_error err = {0};

    (void)state;
    CHECK_OK(open_chain(&err));
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        assert_true(fail_each(&calls[i]) > 0);
    close_chain();
}

/* --- restoring --- */

static uint64_t target_id;

static uint64_t id_of_target(void)
{
    struct bytes bytes;
    uint64_t id = 0;

    vm_save(&target, 0, &bytes, &id);
    bytes_finish(&bytes);
    return id;
}

static enum vmr_status restore(struct vmr_error *err)
{
    return vmr_snapshot_restore(&target.parts, opened, 2, NULL, err);
}

/* As it was, or of no use until it is reset. [SNAP-4] [SNAP-5] */
static void check_target(void)
{
    if (vmr_partition_is_usable(target.partition)) {
        assert_int_equal(id_of_target(), target_id);
        return;
    }
    CHECK_OK(vmr_partition_reset(target.partition, NULL));
    for (vmr_vp_index vp = 0; vp < VM_VPS; vp++)
        CHECK_OK(vmr_vp_reset(target.vps[vp], NULL));
    assert_true(vmr_partition_is_usable(target.partition));
    target_id = id_of_target();
}

static void a_restore_fails_as_a_whole(void **state)
{
    const struct call call = {.run = restore, .check = check_target};
    struct vmr_error err = {0};
    uint64_t source_id = 0;

    (void)state;
    CHECK_OK(open_chain(&err));
    CHECK_OK(vmr_memory_fill(target.memory, HIGH_GPA + 0x9000, 9, 8));
    target_id = id_of_target();
    assert_true(fail_each(&call) > 2);
    make_room(&saved);
    CHECK_OK(vm_save_to(&source, 0, &saved, &source_id, NULL));
    bytes_finish(&saved);
    assert_int_equal(id_of_target(), source_id);
    close_chain();
}

/* --- a point in memory --- */

static struct vmr_rewind *rewind_point;

static enum vmr_status make_point(struct vmr_error *err)
{
    return vmr_rewind_create(&target.parts, &rewind_point, err);
}

/* The log is as free as it was. */
static void check_no_point(void)
{
    assert_null(rewind_point);
    CHECK_OK(vmr_memory_dirty_start(target.memory, NULL));
    CHECK_OK(vmr_memory_dirty_stop(target.memory, NULL));
}

static void a_point_is_made_or_not(void **state)
{
    const struct call call = {.run = make_point, .check = check_no_point};

    (void)state;
    assert_true(fail_each(&call) > 40); /* each state's value among them */
    CHECK_OK(vmr_rewind_back(rewind_point, NULL, NULL));
    vmr_rewind_destroy(rewind_point);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_save_fails_as_a_whole),    cmocka_unit_test(pages_stay_logged),
        cmocka_unit_test(a_chain_is_opened_or_not),   cmocka_unit_test(looking_fails_with_words),
        cmocka_unit_test(a_restore_fails_as_a_whole), cmocka_unit_test(a_point_is_made_or_not),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
