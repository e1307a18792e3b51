/* SPDX-License-Identifier: MIT */
/* A machine's snapshot: what it was made with, and a machine made alike. On the mock, whose VPs are never started. */

#include "vmrig/machine_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/counting_host.h"
#include "vmrig/vmrig.h"

#define CHECK_OK(status) assert_string_equal(vmr_status_name(status), "ok")
#define MIB UINT64_C(0x100000)

static struct vmr_host posix;
static struct vmr_hypervisor_handle handle;
static uint8_t firmware[0x10000];

struct made {
    struct vmr_vm_clock *clock;
    struct vmr_machine *machine;
};

static void make(struct made *made, const struct vmr_machine_options *base)
{
    struct vmr_machine_options options = *base;

    CHECK_OK(vmr_vm_clock_create(&posix, &made->clock, NULL));
    options.handle = &handle;
    options.host = vmr_vm_clock_host(made->clock);
    options.clock = made->clock;
    CHECK_OK(vmr_machine_create(&options, &made->machine, NULL));
}

static void unmake(struct made *made)
{
    vmr_machine_destroy(made->machine);
    vmr_vm_clock_destroy(made->clock);
}

static int begin(void **state)
{
    struct vmr_backend_set backends;

    (void)state;
    vmr_host_posix(&posix, NULL);
    vmr_backend_set_init(&backends);
    memset(firmware, 0x90, sizeof(firmware));
    return vmr_probe_named(&backends, "mock", &handle, NULL) == VMR_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    vmr_handle_close(&handle);
    return 0;
}

struct bytes {
    uint8_t *data;
    size_t length;
};

static enum vmr_status keep(void *context, const void *data, size_t length, struct vmr_error *err)
{
    struct bytes *bytes = context;

    (void)err;
    bytes->data = realloc(bytes->data, bytes->length + length);
    assert_non_null(bytes->data);
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return VMR_OK;
}

static const struct vmr_machine_options wanted = {
    .memory_size = 3 * MIB, .vps = 2, .rtc_epoch_s = 1704067200, .firmware = firmware, .firmware_size = 0x10000};

/* Long because it is one story: saved, gone, made again from what the file says, restored, and saved again. */
static void a_machine_made_alike_becomes_the_saved_one(void **state)
{
    static const uint8_t other[0x10000];
    struct made first, second;
    struct bytes saved = {0}, again = {0};
    struct vmr_snapshot_sink sink = {.write = keep, .context = &saved};
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot;
    struct vmr_machine_options options;
    uint64_t count = 0;
    char text[8];

    (void)state;
    make(&first, &wanted);
    CHECK_OK(vmr_memory_write(vmr_partition_memory(vmr_machine_partition(first.machine)), 0x5000, "machines", 8));
    assert_int_equal(vmr_machine_receive(first.machine, (const uint8_t *)"typed", 5), 5);
    CHECK_OK(vmr_machine_save(first.machine, NULL, &sink, NULL, NULL));
    unmake(&first);

    vmr_snapshot_source_memory(saved.data, saved.length, &source);
    CHECK_OK(vmr_snapshot_open(&source, &snapshot, NULL));
    CHECK_OK(vmr_machine_options_saved(snapshot, &options, NULL));
    assert_int_equal(options.memory_size, wanted.memory_size);
    assert_int_equal(options.vps, wanted.vps);
    assert_int_equal(options.rtc_epoch_s, wanted.rtc_epoch_s);
    assert_int_equal(options.firmware_size, wanted.firmware_size);
    options.firmware = other; /* the saved memory has it */
    make(&second, &options);
    CHECK_OK(vmr_machine_restore(second.machine, &snapshot, 1, NULL, NULL));
    assert_true(vmr_vm_clock_is_paused(second.clock));
    CHECK_OK(vmr_memory_read(vmr_partition_memory(vmr_machine_partition(second.machine)), 0x5000, text, 8));
    assert_memory_equal(text, "machines", 8);
    CHECK_OK(
        vmr_memory_read(vmr_partition_memory(vmr_machine_partition(second.machine)), UINT64_C(0xffff0000), text, 1));
    assert_int_equal((uint8_t)text[0], 0x90);
    sink.context = &again;
    CHECK_OK(vmr_machine_save(second.machine, NULL, &sink, NULL, NULL));
    struct vmr_snapshot *both;

    vmr_snapshot_source_memory(again.data, again.length, &source);
    CHECK_OK(vmr_snapshot_open(&source, &both, NULL));
    CHECK_OK(vmr_snapshot_compare(snapshot, both, false, &(struct vmr_snapshot_differences){0}, &count, NULL));
    assert_int_equal(count, 0);
    vmr_snapshot_close(snapshot);
    vmr_snapshot_close(both);
    unmake(&second);
    free(saved.data);
    free(again.data);
}

static void a_running_machine_is_not_saved(void **state)
{
    struct bytes saved = {0};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = &saved};
    struct made made;

    (void)state;
    make(&made, &wanted);
    CHECK_OK(vmr_machine_start(made.machine));
    if (vmr_machine_get_state(made.machine) == VMR_MACHINE_RUNNING)
        assert_int_equal(vmr_machine_save(made.machine, NULL, &sink, NULL, NULL), VMR_E_STATE);
    CHECK_OK(vmr_machine_stop(made.machine));
    unmake(&made);
    free(saved.data);
}

static uint64_t id_of(struct made *made)
{
    struct bytes saved = {0};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = &saved};
    uint64_t id = 0;

    CHECK_OK(vmr_machine_save(made->machine, NULL, &sink, &id, NULL));
    free(saved.data);
    return id;
}

/* Memory, a device's state and the clock: the id is of all of them. [RWD-1] */
static void a_machine_is_taken_back(void **state)
{
    struct vmr_rewind *rewind = NULL;
    struct made made;
    uint64_t pages = 0;

    (void)state;
    make(&made, &wanted);
    CHECK_OK(vmr_vm_clock_pause(made.clock));
    uint64_t before = id_of(&made);

    CHECK_OK(vmr_machine_rewind_create(made.machine, &rewind, NULL));
    for (unsigned turn = 0; turn < 2; turn++) {
        CHECK_OK(vmr_memory_write(vmr_partition_memory(vmr_machine_partition(made.machine)), 0x5000, "machines", 8));
        assert_int_equal(vmr_machine_receive(made.machine, (const uint8_t *)"typed", 5), 5);
        CHECK_OK(vmr_vm_clock_set(made.clock, vmr_vm_clock_now(made.clock) + 7));
        assert_int_not_equal(id_of(&made), before);
        CHECK_OK(vmr_machine_rewind_back(made.machine, rewind, &pages, NULL));
        assert_int_equal(pages, 1);
        assert_int_equal(id_of(&made), before);
    }
    CHECK_OK(vmr_machine_start(made.machine));
    if (vmr_machine_get_state(made.machine) == VMR_MACHINE_RUNNING)
        assert_int_equal(vmr_machine_rewind_back(made.machine, rewind, &pages, NULL), VMR_E_STATE);
    CHECK_OK(vmr_machine_stop(made.machine));
    vmr_rewind_destroy(rewind);
    unmake(&made);
}

/* --- memory that runs out --- */

static enum vmr_status drop(void *context, const void *data, size_t length, struct vmr_error *err)
{
    (void)context;
    (void)data;
    (void)length;
    (void)err;
    return VMR_OK;
}

static void drop_text(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
}

static struct made starved;
static struct vmr_snapshot *plenty;

static enum vmr_status save(struct vmr_error *err)
{
    static const struct vmr_snapshot_sink sink = {.write = drop};
    static const struct vmr_snapshot_blob blob = {.name = "own", .bytes = "x", .length = 1};
    static const struct vmr_snapshot_save_options options = {.blobs = &blob, .blob_count = 1};

    return vmr_machine_save(starved.machine, &options, &sink, NULL, err);
}

static enum vmr_status restore(struct vmr_error *err)
{
    return vmr_machine_restore(starved.machine, &plenty, 1, NULL, err);
}

static enum vmr_status inspect(struct vmr_error *err)
{
    static const struct vmr_text_sink sink = {.write = drop_text};

    return vmr_machine_inspect(starved.machine, VMR_STATE_JSON, &sink, err);
}

/*
 * Each allocation once; asking whether the machine has halted meanwhile can do without. A restore that has begun leaves
 * a machine that does not start until it is reset.
 */
static void check_starved(enum vmr_status (*run)(struct vmr_error *err))
{
    bool ran_out = true;
    unsigned failed = 0;

    for (unsigned nth = 1; ran_out; nth++) {
        struct vmr_error err = {0};

        fail_allocation(nth);
        enum vmr_status status = run(&err);

        ran_out = allocation_failed();
        fail_allocation(0);
        assert_true(status == VMR_OK || (ran_out && status == VMR_E_NOMEM));
        assert_true((status == VMR_OK) == (err.message[0] == '\0'));
        failed += status != VMR_OK;
        if (!vmr_partition_is_usable(vmr_machine_partition(starved.machine))) {
            assert_int_equal(vmr_machine_start(starved.machine), VMR_E_STATE);
            CHECK_OK(vmr_machine_reset(starved.machine, NULL));
        }
    }
    assert_true(failed > 2);
}

static void memory_that_runs_out_is_said(void **state)
{
    struct bytes saved = {0};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = &saved};
    struct vmr_snapshot_source source;

    (void)state;
    make(&starved, &wanted);
    CHECK_OK(vmr_machine_save(starved.machine, NULL, &sink, NULL, NULL));
    vmr_snapshot_source_memory(saved.data, saved.length, &source);
    CHECK_OK(vmr_snapshot_open(&source, &plenty, NULL));
    check_starved(save);
    check_starved(inspect);
    check_starved(restore);
    vmr_snapshot_close(plenty);
    unmake(&starved);
    free(saved.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_runs_out_is_said),
        cmocka_unit_test(a_machine_made_alike_becomes_the_saved_one),
        cmocka_unit_test(a_running_machine_is_not_saved),
        cmocka_unit_test(a_machine_is_taken_back),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
