/* SPDX-License-Identifier: MIT */
/*
 * The mock that runs its VPs itself, with the test in the library's place: when
 * its threads call, and that none is left behind. [MGD-1]
 */

#include "backends/mock/machine.h"

#include "tests/backends/mock/rig.h"

#include <string.h>

#include "tests/support/counting_host.h"

#define VPS 3u
#define RUNS 4u /* of a VP after a start, the last of which says that it rests */

struct library {
    struct rig rig;
    struct counting_host counting;
    struct vmr_host host;
    struct vmr_managed_vps vps;
    struct vmr_backend_vm *vm;
    _Atomic uint32_t begun[VPS], served[VPS], run[VPS], ended[VPS];
    bool restless;             /* no VP ever says that it rests */
    _Atomic uint32_t disorder; /* calls before the beginning or after the end */
};

static void check_order(struct library *library, vmr_vp_index vp)
{
    if (atomic_load(&library->begun[vp]) != 1 || atomic_load(&library->ended[vp]) != 0)
        (void)atomic_fetch_add(&library->disorder, 1);
}

static void vp_begin(void *context, vmr_vp_index vp)
{
    struct library *library = context;

    (void)atomic_fetch_add(&library->begun[vp], 1);
}

static void vp_serve(void *context, vmr_vp_index vp)
{
    struct library *library = context;

    check_order(library, vp);
    (void)atomic_fetch_add(&library->served[vp], 1);
}

static bool vp_run(void *context, vmr_vp_index vp)
{
    struct library *library = context;

    check_order(library, vp);
    return (atomic_fetch_add(&library->run[vp], 1) + 1) % RUNS != 0 || library->restless;
}

static void vp_end(void *context, vmr_vp_index vp)
{
    struct library *library = context;

    check_order(library, vp);
    (void)atomic_fetch_add(&library->ended[vp], 1);
}

static void library_init(struct library *library)
{
    memset(library, 0, sizeof(*library));
    rig_init(&library->rig, NULL, "mock:managed=true", VPS);
    counting_host_init(&library->counting, &library->host);
    library->vps = (struct vmr_managed_vps){
        .vp_begin = vp_begin, .vp_serve = vp_serve, .vp_run = vp_run, .vp_end = vp_end, .context = library};
    library->vm = library->rig.mock->vm;
    library->vm->host = &library->host;
}

static void library_finish(struct library *library)
{
    assert_int_equal(library->disorder, 0);
    assert_int_equal(library->counting.live_threads, 0);
    assert_int_equal(library->counting.live_parkers, 0);
    library->vm->host = &library->rig.host;
    rig_finish(&library->rig);
}

static void wait_for(const _Atomic uint32_t *count, uint32_t value)
{
    while (atomic_load(count) < value)
        ;
    assert_int_equal(atomic_load(count), value);
}

/* --- turns --- */

/* Served after what was asked: a VP that has come that far has had every turn that was due before. */
static void settle(struct library *library, uint32_t served)
{
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        mock_managed.ask(library->vm, vp);
        wait_for(&library->served[vp], served);
    }
}

static void after_each_start_a_vp_runs_until_it_rests(void **state)
{
    struct library library;

    (void)state;
    library_init(&library);
    assert_int_equal(mock_managed.begin(library.vm, &library.vps, NULL), VMR_OK);
    settle(&library, 1);
    for (uint32_t start = 1; start <= 3; start++) {
        assert_int_equal(mock_managed.start(library.vm, NULL), VMR_OK);
        for (vmr_vp_index vp = 0; vp < VPS; vp++)
            wait_for(&library.run[vp], start * RUNS);
        mock_managed.stop(library.vm);
        settle(&library, start + 1);
        for (vmr_vp_index vp = 0; vp < VPS; vp++)
            assert_int_equal(library.run[vp], start * RUNS);
    }
    mock_managed.end(library.vm);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        assert_int_equal(library.ended[vp], 1);
    assert_null(library.vm->managed);
    library_finish(&library);
}

static void a_stop_is_the_end_of_turns_for_vps_that_never_rest(void **state)
{
    struct library library;
    uint32_t run[VPS];

    (void)state;
    library_init(&library);
    library.restless = true;
    assert_int_equal(mock_managed.begin(library.vm, &library.vps, NULL), VMR_OK);
    assert_int_equal(mock_managed.start(library.vm, NULL), VMR_OK);
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        while (atomic_load(&library.run[vp]) < 3 * RUNS)
            ;
    }
    mock_managed.stop(library.vm);
    settle(&library, 1);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        run[vp] = atomic_load(&library.run[vp]);
    settle(&library, 2);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        assert_int_equal(library.run[vp], run[vp]);
    assert_int_equal(mock_managed.start(library.vm, NULL), VMR_OK);
    mock_managed.end(library.vm); /* while they run */
    library_finish(&library);
}

/* --- what fails --- */

static void a_thread_that_is_not_to_be_had_leaves_none(void **state)
{
    struct library library;
    enum vmr_status status = VMR_E_HOST;
    uint32_t failures = 0;

    (void)state;
    library_init(&library);
    for (uint32_t nth = 1; status; nth++) {
        struct vmr_error err = {.message = ""};

        for (vmr_vp_index vp = 0; vp < VPS; vp++)
            library.begun[vp] = library.ended[vp] = 0;
        library.counting.calls = 0;
        library.counting.fail_at = nth;
        status = mock_managed.begin(library.vm, &library.vps, &err);
        if (!status)
            break;
        failures++;
        assert_int_equal(status, VMR_E_HOST);
        assert_non_null(strstr(err.message, "VP"));
        assert_null(library.vm->managed);
        assert_int_equal(library.counting.live_threads, 0);
        assert_int_equal(library.counting.live_parkers, 0);
        for (vmr_vp_index vp = 0; vp < VPS; vp++)
            assert_int_equal(library.ended[vp], library.begun[vp]);
    }
    assert_int_equal(failures, 2 * VPS); /* a parker and a thread each */
    mock_managed.end(library.vm);
    library_finish(&library);
}

static void a_start_can_fail_on_demand(void **state)
{
    struct library library;
    struct vmr_error err = {.message = ""};

    (void)state;
    library_init(&library);
    assert_int_equal(mock_managed.begin(library.vm, &library.vps, NULL), VMR_OK);
    assert_int_equal(vmr_mock_set_fault(&library.rig.handle, VMR_MOCK_FAIL_CALL, 1), VMR_OK);
    assert_int_equal(mock_managed.start(library.vm, &err), VMR_E_HOST);
    assert_non_null(strstr(err.message, "starting the VPs"));
    settle(&library, 1);
    assert_int_equal(library.run[0], 0);
    mock_managed.end(library.vm);
    library_finish(&library);
}

/* A virtual host knows that nobody is left who could ask for anything: the threads end by themselves. */
static void threads_that_nobody_can_wake_end(void **state)
{
    struct library library;

    (void)state;
    library_init(&library);
    library.counting.deadlocks = true;
    assert_int_equal(mock_managed.begin(library.vm, &library.vps, NULL), VMR_OK);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        wait_for(&library.ended[vp], 1);
    mock_managed.end(library.vm);
    library_finish(&library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_each_start_a_vp_runs_until_it_rests),
        cmocka_unit_test(a_stop_is_the_end_of_turns_for_vps_that_never_rest),
        cmocka_unit_test(a_thread_that_is_not_to_be_had_leaves_none),
        cmocka_unit_test(a_start_can_fail_on_demand),
        cmocka_unit_test(threads_that_nobody_can_wake_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
