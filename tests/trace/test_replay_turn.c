/* SPDX-License-Identifier: MIT */
/*
 * Several VPs, timers and requests of other threads: recorded as they fell, and
 * played in that order, with threads and without. [TRC-1] [SET-2]
 */

#include <stdio.h>
#include <unistd.h>

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
    /* Of either VP: one powers the machine off, both see it, and whose thread is first to say so is for the host. */
    assert_int_equal(halt.result.reason, VMR_HALT_POWER_OFF);
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

/* --- traces that nobody recorded: each replay comes to its end --- */

/* clang-format off: one line a step is the point */
static const struct vmr_step chief_steps[] = {
    VMR_STORE(APIC_SVR, 4, APIC_ON),
    VMR_START_VP(1),
    VMR_START_VP(2),
    VMR_IN(2, PORT_CLOCK, 4),
    VMR_WAIT_VECTOR(VECTOR_TO_BOSS, 1),
    VMR_WAIT_VECTOR(VECTOR_TO_BOSS + 8, 1),
    VMR_SEND_IPI(1, VECTOR_TO_WORKER),
    VMR_SEND_IPI(2, VECTOR_TO_WORKER),
    VMR_WAIT_VECTOR(VECTOR_OUTSIDE, 2),
    VMR_POWER_OFF(),
    VMR_END(),
};
static const struct vmr_step first_steps[] = {
    VMR_STORE(APIC_SVR, 4, APIC_ON),
    VMR_SEND_IPI(0, VECTOR_TO_BOSS),
    VMR_WAIT_VECTOR(VECTOR_TO_WORKER, 1),
    VMR_IN(2, PORT_COUNTER, 1),
    VMR_END(),
};
static const struct vmr_step second_steps[] = {
    VMR_STORE(APIC_SVR, 4, APIC_ON),
    VMR_OUT(PORT_COPY, 4, VMR_PROGRAM_DATA),
    VMR_SEND_IPI(0, VECTOR_TO_BOSS + 8),
    VMR_WAIT_VECTOR(VECTOR_TO_WORKER, 1),
    VMR_END(),
};
/* clang-format on */
#define CREW 3u
#define PROGRAM(list, how)                                                                                             \
    {                                                                                                                  \
        .name = #list, .steps = (list), .count = sizeof(list) / sizeof((list)[0]), .start = (how),                     \
        .eoi = VMR_EOI_XAPIC                                                                                           \
    }
static const struct vmr_program crew[CREW] = {
    PROGRAM(chief_steps, VMR_START_LONG_MODE),
    PROGRAM(first_steps, VMR_START_REAL_MODE),
    PROGRAM(second_steps, VMR_START_REAL_MODE),
};

static void record_crew(struct writer *ret_text)
{
    struct recording recording;

    record_begin(&recording, NULL, "mock", CREW, true);
    for (uint32_t i = 0; i < CREW; i++)
        record_load(&recording, i, &crew[i]);
    run_set(&recording.guest, true);
    record_end(&recording);
    print_trace(&recording.trace, ret_text);
    writer_finish(&recording.trace);
}

struct playing {
    struct guest guest;
    struct vmr_vp_set *set;
};

static void halt_set(void *context)
{
    const struct playing *playing = context;

    if (playing->set)
        (void)vmr_vp_set_halt_all(playing->set, 0, VMR_HALT_STOP);
}

static void stop_set(void *context, vmr_vp_index vp)
{
    (void)vp;
    halt_set(context);
}

/* Whatever it is: the VPs come back, and the outcome is one of those there are. */
static void play_made_up(const struct writer *text, const char *what)
{
    static struct playing playing;
    const struct vmr_replay_options options = {
        .stop = stop_set, .end = halt_set, .context = &playing, .patience_ns = 20000000};
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, text->bytes, text->length);
    struct vmr_replay *replay;
    struct vmr_replay_result result;
    struct vmr_hypervisor_handle handle;
    struct vmr_host posix, host;
    struct vmr_vp_set_halt halt;

    playing.set = NULL;
    vmr_host_posix(&posix, NULL);
    if (vmr_replay_create(&source, &options, &replay, NULL))
        return; /* it does not begin as a recording does */
    CHECK_OK(vmr_replay_attach(replay, &posix, &handle, &host, NULL));
    guest_init(&playing.guest, &handle, &host, CREW, true);
    vmr_replay_set_partition(replay, playing.guest.partition);
    const struct vmr_vp_set_options set_options = {.io = &playing.guest.io};

    CHECK_OK(vmr_vp_set_create(playing.guest.partition, &set_options, &playing.set, NULL));
    CHECK_OK(vmr_vp_set_start(playing.set));
    CHECK_OK(vmr_vp_set_wait(playing.set, VMR_NEVER, &halt));
    CHECK_OK(vmr_vp_set_stop(playing.set));
    vmr_vp_set_destroy(playing.set);
    vmr_replay_get_result(replay, &result);
    if (result.status && result.status != VMR_E_DIVERGED && result.status != VMR_E_CORRUPT)
        fail_msg("%s: %s", what, result.error.message);
    guest_finish(&playing.guest);
    vmr_replay_destroy(replay);
}

enum edit {
    EDIT_DELETE,  /* a begin, an end, a request is missing */
    EDIT_SWAP,    /* halts and turns in another order */
    EDIT_OTHER,   /* of another VP, which may never run */
    EDIT_NOBODY,  /* of a VP that is not there */
    EDIT_VM,      /* of no VP, and no request */
    EDIT_REQUEST, /* a request that nobody made, to a VP that is not there; nothing that it caused */
    EDIT_CUT,     /* nothing follows */
    EDIT_COUNT
};

static void put(struct writer *text, const char *from, const char *to)
{
    writer_copy(text, from, (size_t)(to - from));
}

static const char *line_end(const char *line)
{
    return strchr(line, '\n') + 1;
}

/* Line `line` with what stands behind its number up to the next blank replaced by `who`. */
static void put_as(struct writer *text, const char *line, const char *who)
{
    const char *name = strchr(line, ' ') + 1;

    put(text, line, name);
    writer_copy(text, who, strlen(who));
    put(text, strchr(name, ' '), line_end(line));
}

static void edit_line(const char *all, const char *line, enum edit edit, struct writer *ret_text)
{
    const char *next = line_end(line), *rest = next;

    writer_init(ret_text, 4u << 20);
    put(ret_text, all, line);
    if (edit == EDIT_SWAP && strcmp(next, "end\n") != 0) {
        rest = line_end(next);
        /* Numbers rise; who it is of and what it is change places. */
        put(ret_text, line, strchr(line, ' '));
        put(ret_text, strchr(next, ' '), rest);
        put(ret_text, next, strchr(next, ' '));
        put(ret_text, strchr(line, ' '), next);
    } else if (edit == EDIT_OTHER) {
        put_as(ret_text, line, strstr(line, " vp1 ") == strchr(line, ' ') ? "vp2" : "vp1");
    } else if (edit == EDIT_NOBODY || edit == EDIT_VM) {
        put_as(ret_text, line, edit == EDIT_VM ? "vm" : "vp7");
    } else if (edit == EDIT_REQUEST) {
        put(ret_text, line, strchr(line, ' '));
        writer_copy(ret_text, " vm async what=nmi a=7 b=0\n", 27);
    } else if (edit == EDIT_CUT) {
        return;
    }
    put(ret_text, rest, rest + strlen(rest));
}

static void play_edited(const char *all, const char *line)
{
    for (enum edit edit = 0; edit < EDIT_COUNT; edit++) {
        struct writer edited;
        char what[100];

        edit_line(all, line, edit, &edited);
        (void)snprintf(what, sizeof(what), "edit %u of %.40s", edit, line);
        play_made_up(&edited, what);
        writer_finish(&edited);
    }
}

static void made_up_traces_keep_nobody_waiting(void **state)
{
    struct writer text;
    unsigned number = 0;

    (void)state;
    (void)alarm(100); /* a replay that does not end is killed: there is no other way to tell */
    record_crew(&text);
    writer_u8(&text, 0);
    const char *all = (const char *)text.bytes;
    const char *line = strstr(all, " vp0 ");

    while (line[-1] != '\n')
        line--;
    play_made_up(&(struct writer){.bytes = text.bytes, .length = text.length - 1}, "as recorded");
    for (; strcmp(line, "end\n") != 0; line = line_end(line), number++)
        play_edited(all, line);
    (void)alarm(0);
    assert_true(number > 80);
    writer_finish(&text);
}

static void set_stop(void *context)
{
    vmr_stop_set(*(struct vmr_stop_source **)context);
}

/* The trace goes on with a VP that this embedder never runs. */
static void a_vp_that_never_runs_is_not_waited_for_for_ever(void **state)
{
    static struct guest guest;
    struct vmr_stop_source *stop = NULL;
    const struct vmr_replay_options options = {.end = set_stop, .context = &stop, .patience_ns = 20000000};
    struct vmr_trace_memory memory;
    struct writer trace;
    struct vmr_replay *replay;
    struct vmr_replay_result result;
    struct vmr_hypervisor_handle handle;
    struct vmr_host posix, host;
    struct vmr_run_result run;
    uint64_t counter;

    (void)state;
    (void)alarm(60);
    record_set(NULL, "mock", &trace, &counter);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    vmr_host_posix(&posix, NULL);
    CHECK_OK(vmr_replay_create(&source, &options, &replay, NULL));
    CHECK_OK(vmr_replay_attach(replay, &posix, &handle, &host, NULL));
    guest_init(&guest, &handle, &host, 2, true);
    vmr_replay_set_partition(replay, guest.partition);
    CHECK_OK(vmr_stop_create(&host, &stop));
    struct vmr_vp *vp = guest_bind(&guest, 0);

    CHECK_OK(vmr_vp_run(vp, stop, &guest.io, &run));
    assert_int_equal(run.reason, VMR_HALT_STOP);
    vmr_replay_get_result(replay, &result);
    CHECK_STATUS(result.status, VMR_E_DIVERGED);
    assert_non_null(strstr(result.error.message, "replay has no VP that could go on"));
    (void)alarm(0);
    guest_finish(&guest);
    vmr_stop_destroy(stop);
    vmr_replay_destroy(replay);
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
        cmocka_unit_test(made_up_traces_keep_nobody_waiting),
        cmocka_unit_test(a_vp_that_never_runs_is_not_waited_for_for_ever),
        cmocka_unit_test(giving_up_lets_every_vp_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
