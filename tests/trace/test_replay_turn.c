/* SPDX-License-Identifier: MIT */
/*
 * Several VPs, timers and requests of other threads: recorded as they fell, and
 * played in that order, with threads and without. [TRC-1] [SET-2]
 */

#include "tests/trace/guest.h"

#define VECTOR_TO_BOSS 0x40u
#define VECTOR_TO_WORKER 0x41u
#define VECTOR_RAISED 0x42u
#define VECTOR_OUTSIDE 0x51u

/* The spurious-interrupt vector register, and a value that switches the local APIC on (Intel SDM vol. 3, 11.9). */
#define APIC_SVR (VMR_LAPIC_GPA + 0xf0u)
#define APIC_ON 0x1ffu

/* An interrupt that comes again before it is taken is one: so each waits for the other's. */
/* clang-format off: one line a step is the point */
static const struct vmr_step boss_steps[] = {
    VMR_STORE(APIC_SVR, 4, APIC_ON),
    VMR_START_VP(1),
    VMR_SET(0, 30),
    VMR_IN(1, PORT_COUNTER, 1),
    VMR_IN(2, PORT_CLOCK, 4),
    VMR_LOOP(0, 3),
    VMR_WAIT_VECTOR(VECTOR_TO_BOSS, 1),
    VMR_SEND_IPI(1, VECTOR_TO_WORKER),
    VMR_WAIT_VECTOR(VECTOR_TO_BOSS, 2),
    VMR_SEND_IPI(1, VECTOR_TO_WORKER),
    VMR_OUT(PORT_RAISE, 4, VECTOR_RAISED),
    VMR_WAIT_VECTOR(VECTOR_RAISED, 1),
    VMR_WAIT_VECTOR(VECTOR_OUTSIDE, 5),
    VMR_POWER_OFF(),
    VMR_END(),
};
static const struct vmr_step worker_steps[] = {
    VMR_STORE(APIC_SVR, 4, APIC_ON),
    VMR_OUT(PORT_COPY, 4, VMR_PROGRAM_DATA),
    VMR_SEND_IPI(0, VECTOR_TO_BOSS),
    VMR_SET(1, 20),
    VMR_IN(2, PORT_COUNTER, 1),
    VMR_LOOP(1, 4),
    VMR_WAIT_VECTOR(VECTOR_TO_WORKER, 1),
    VMR_SEND_IPI(0, VECTOR_TO_BOSS),
    VMR_WAIT_VECTOR(VECTOR_TO_WORKER, 2),
    VMR_IN(2, PORT_COUNTER, 1),
    VMR_END(), /* asleep for good: a virtual clock moves only when nobody can run */
};
/* clang-format on */
static const struct vmr_program boss = {
    .name = "boss", .steps = boss_steps, .count = sizeof(boss_steps) / sizeof(boss_steps[0]), .eoi = VMR_EOI_XAPIC};
static const struct vmr_program worker = {.name = "worker",
                                          .steps = worker_steps,
                                          .count = sizeof(worker_steps) / sizeof(worker_steps[0]),
                                          .start = VMR_START_REAL_MODE,
                                          .eoi = VMR_EOI_XAPIC};

/* Again and again, until the guest has had enough. */
static void raise_from_outside(struct guest *guest)
{
    const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = VECTOR_OUTSIDE};
    struct vmr_parker *parker;
    const struct vmr_host *host = &guest->host;

    CHECK_OK(host->ops->parker_create(host->context, &parker));
    for (unsigned i = 0; i < 10000 && guest->power == VMR_HALT_NONE; i++) {
        enum vmr_status status = vmr_partition_msi(guest->partition, &msi);

        assert_true(status == VMR_OK || status == VMR_E_GUEST); /* until the APIC is switched on */
        (void)host->ops->park(host->context, parker, host->ops->now_ns(host->context) + 200000);
    }
    host->ops->parker_destroy(host->context, parker);
}

static void run_set(struct guest *guest, bool from_outside)
{
    const struct vmr_vp_set_options options = {.io = &guest->io};
    struct vmr_vp_set *set;
    struct vmr_vp_set_halt halt;
    struct vmr_error err = {0};

    if (vmr_vp_set_create(guest->partition, &options, &set, &err))
        fail_msg("%s", err.message);
    CHECK_OK(vmr_vp_set_start(set));
    if (from_outside)
        raise_from_outside(guest);
    CHECK_OK(vmr_vp_set_wait(set, VMR_NEVER, &halt));
    assert_int_equal(halt.result.reason, VMR_HALT_POWER_OFF);
    assert_int_equal(halt.vp, 0);
    CHECK_OK(vmr_vp_set_stop(set));
    vmr_vp_set_destroy(set);
}

static void record_set(struct vmr_scheduler *scheduler, const char *spec, struct writer *ret_trace,
                       uint64_t *ret_counter)
{
    struct recording recording;

    record_begin(&recording, scheduler, spec, 2, true);
    record_load(&recording, 0, &boss);
    record_load(&recording, 1, &worker);
    run_set(&recording.guest, true);
    *ret_counter = recording.guest.counter;
    record_end(&recording);
    *ret_trace = recording.trace;
}

static void replay_set(const struct writer *trace, struct vmr_scheduler *scheduler, enum guest_bug bug,
                       uint64_t *ret_counter, struct vmr_replay_result *ret_result)
{
    struct replaying replaying;

    replay_begin(&replaying, trace, scheduler, 2, true, false);
    replaying.guest.bug = bug;
    run_set(&replaying.guest, false);
    *ret_counter = replaying.guest.counter;
    replay_end(&replaying, ret_result);
}

static void check_plays(const char *name, const struct writer *trace, struct vmr_scheduler *scheduler, uint64_t counter)
{
    struct vmr_replay_result result;
    uint64_t played = 0;

    replay_set(trace, scheduler, BUG_NONE, &played, &result);
    if (result.status)
        fail_msg("%s: after %llu records: %s", name, (unsigned long long)result.records, result.error.message);
    assert_int_equal(played, counter);
}

static void threads_play_in_the_order_they_ran(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct writer trace;
        uint64_t counter;

        record_set(NULL, round % 2 ? "mock:profile=kvm-like" : "mock", &trace, &counter);
        for (unsigned i = 0; i < 3; i++)
            check_plays("threads", &trace, NULL, counter);
        writer_finish(&trace);
    }
}

/* What a run of a scheduler works on. */
struct scheduled {
    struct vmr_scheduler *scheduler;
    struct writer trace;
    uint64_t counter;
};

static void record_body(void *argument)
{
    struct scheduled *scheduled = argument;

    record_set(scheduled->scheduler, "mock", &scheduled->trace, &scheduled->counter);
}

static void replay_body(void *argument)
{
    struct scheduled *scheduled = argument;

    check_plays("scheduler", &scheduled->trace, scheduled->scheduler, scheduled->counter);
}

static void coroutines_play_in_any_order_of_theirs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct vmr_scheduler_options options = {.seed = seed};
        struct scheduled scheduled = {0};

        CHECK_OK(vmr_scheduler_create(&options, &scheduled.scheduler, NULL));
        assert_int_equal(vmr_scheduler_run(scheduled.scheduler, record_body, &scheduled), VMR_SCHEDULE_DONE);
        vmr_scheduler_destroy(scheduled.scheduler);
        check_plays("threads, of coroutines", &scheduled.trace, NULL, scheduled.counter);
        options.seed = seed + 100;
        CHECK_OK(vmr_scheduler_create(&options, &scheduled.scheduler, NULL));
        assert_int_equal(vmr_scheduler_run(scheduled.scheduler, replay_body, &scheduled), VMR_SCHEDULE_DONE);
        vmr_scheduler_destroy(scheduled.scheduler);
        writer_finish(&scheduled.trace);
    }
}

static void end_set(void *context)
{
    struct guest *guest = context;

    guest->power = VMR_HALT_POWER_OFF; /* looked at after every exit, cancels included */
}

/* Until the end of the trace, or of what fits of it; every VP comes back. */
static void replay_until_the_end(const struct writer *trace, enum guest_bug bug, struct vmr_replay_result *ret_result)
{
    static struct guest guest;
    const struct vmr_replay_options options = {.end = end_set, .context = &guest};
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, trace->bytes, trace->length);
    struct vmr_replay *replay;
    struct vmr_hypervisor_handle handle;
    struct vmr_host posix, host;

    vmr_host_posix(&posix, NULL);
    CHECK_OK(vmr_replay_create(&source, &options, &replay, NULL));
    CHECK_OK(vmr_replay_attach(replay, &posix, &handle, &host, NULL));
    guest_init(&guest, &handle, &host, 2, true);
    guest.bug = bug;
    vmr_replay_set_partition(replay, guest.partition);
    const struct vmr_vp_set_options set_options = {.io = &guest.io};
    struct vmr_vp_set *set;
    struct vmr_vp_set_halt halt;

    CHECK_OK(vmr_vp_set_create(guest.partition, &set_options, &set, NULL));
    CHECK_OK(vmr_vp_set_start(set));
    CHECK_OK(vmr_vp_set_wait(set, VMR_NEVER, &halt));
    CHECK_OK(vmr_vp_set_stop(set));
    vmr_vp_set_destroy(set);
    vmr_replay_get_result(replay, ret_result);
    guest_finish(&guest);
    vmr_replay_destroy(replay);
}

static void a_wrong_interrupt_is_found_and_every_vp_comes_back(void **state)
{
    struct writer trace;
    struct vmr_replay_result result;
    uint64_t counter;

    (void)state;
    record_set(NULL, "mock", &trace, &counter);
    replay_until_the_end(&trace, BUG_VECTOR, &result);
    CHECK_STATUS(result.status, VMR_E_DIVERGED);
    assert_non_null(strstr(result.error.message, "vp0"));
    assert_non_null(strstr(result.error.message, "interrupt vector=0x42, replay interrupt vector=0x43"));
    writer_finish(&trace);
}

/* With reactions the halt itself is what differs; without, the trace goes on with a VP that has left. */
static void a_vp_that_halts_early_keeps_nobody_waiting(void **state)
{
    static const char exit_line[] = " vp0 exit io read port=0x100 size=1";
    static const char halt_line[] = " vp0 exit shutdown";
    const struct vmr_trace_cut_options options = {.inputs_only = true};
    struct writer trace, inputs, text;
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_replay_result result;
    uint64_t counter;

    (void)state;
    record_set(NULL, "mock", &trace, &counter);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    bytes_sink(&inputs, &sink);
    CHECK_OK(vmr_trace_cut(&source, &options, &sink, NULL, NULL));
    print_trace(&inputs, &text);
    writer_u8(&text, 0);
    char *at = strstr((char *)text.bytes, exit_line);

    assert_non_null(at);
    memset(at, ' ', strcspn(at, "\n"));
    memcpy(at, halt_line, strlen(halt_line));
    text.length--;
    replay_until_the_end(&text, BUG_NONE, &result);
    /* If the other VP never came to its turn, nobody has noticed: the trace is only not at its end. */
    assert_false(result.ended);
    if (result.status)
        CHECK_STATUS(result.status, VMR_E_DIVERGED);
    writer_finish(&text);
    writer_finish(&inputs);
    writer_finish(&trace);
}

static void giving_up_lets_every_vp_go(void **state)
{
    struct writer trace;
    struct replaying replaying;
    struct vmr_replay_result result;
    struct vmr_vp_set *set;
    uint64_t counter;

    (void)state;
    record_set(NULL, "mock", &trace, &counter);
    replay_begin(&replaying, &trace, NULL, 2, true, false);
    const struct vmr_vp_set_options options = {.io = &replaying.guest.io};

    CHECK_OK(vmr_vp_set_create(replaying.guest.partition, &options, &set, NULL));
    CHECK_OK(vmr_vp_set_start(set));
    vmr_replay_abort(replaying.replay);
    CHECK_OK(vmr_vp_set_stop(set));
    vmr_vp_set_destroy(set);
    replay_end(&replaying, &result);
    CHECK_OK(result.status);
    writer_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_play_in_the_order_they_ran),
        cmocka_unit_test(coroutines_play_in_any_order_of_theirs),
        cmocka_unit_test(a_wrong_interrupt_is_found_and_every_vp_comes_back),
        cmocka_unit_test(a_vp_that_halts_early_keeps_nobody_waiting),
        cmocka_unit_test(giving_up_lets_every_vp_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
