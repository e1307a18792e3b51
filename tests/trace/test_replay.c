/* SPDX-License-Identifier: MIT */
/*
 * Recordings played again: the same reactions, or the first that is not. Covers
 * replay_backend.c, replay_host.c and replay_memory.c, which only work together. [TRC-1] [TRC-2] [TRC-3]
 */

#include "tests/trace/guest.h"

/* What the embedder does on the VP's thread, the same when recording and when replaying. */
typedef void drive(struct guest *guest, struct vmr_stop_source *stop);

static void drive_to_halt(struct guest *guest, struct vmr_stop_source *stop)
{
    struct vmr_vp *vp = guest_bind(guest, 0);
    struct vmr_run_result result;
    struct vmr_x86_regs regs;
    uint64_t value;

    CHECK_OK(vmr_vp_get_regs(vp, &regs));
    regs.gpr[VMR_X86_RBX] = 0x1234;
    CHECK_OK(vmr_vp_set_regs(vp, &regs));
    CHECK_STATUS(vmr_vp_get_msr(vp, 0xdeadbeef, &value), VMR_E_GUEST);
    CHECK_STATUS(vmr_vp_set_msr(vp, 0xdeadbeef, 1), VMR_E_GUEST);
    CHECK_OK(vmr_vp_run(vp, stop, &guest->io, &result));
}

static void record(const char *spec, const struct vmr_program *program, bool with_chip, drive *drive_guest,
                   struct writer *ret_trace)
{
    struct recording recording;

    record_begin(&recording, NULL, spec, 1, with_chip);
    record_load(&recording, 0, program);
    drive_guest(&recording.guest, NULL);
    record_end(&recording);
    *ret_trace = recording.trace;
}

static void replay_with(const struct writer *trace, bool with_chip, drive *drive_guest, enum guest_bug bug,
                        struct vmr_replay_result *ret_result)
{
    struct replaying replaying;

    replay_begin(&replaying, trace, NULL, 1, with_chip, false);
    replaying.guest.bug = bug;
    drive_guest(&replaying.guest, replaying.stop);
    replay_end(&replaying, ret_result);
}

static void check_ok(const char *name, const struct vmr_replay_result *result)
{
    if (result->status || !result->ended || result->cut)
        fail_msg("%s: after %llu records: %s", name, (unsigned long long)result->records, result->error.message);
}

/* Replays, and once more with a recorder on top: the second recording must be the first. */
static void check_fixed_point(const char *name, const struct writer *trace, bool with_chip, drive *drive_guest)
{
    struct replaying replaying;
    struct vmr_replay_result result;

    replay_with(trace, with_chip, drive_guest, BUG_NONE, &result);
    check_ok(name, &result);
    replay_begin(&replaying, trace, NULL, 1, with_chip, true);
    drive_guest(&replaying.guest, replaying.stop);
    replay_end(&replaying, &result);
    check_ok(name, &result);
    assert_int_equal(replaying.trace.length, trace->length);
    assert_memory_equal(replaying.trace.bytes, trace->bytes, trace->length);
    writer_finish(&replaying.trace);
}

static const char *const profiles[] = {
    "mock",        "mock:profile=kvm-like", "mock:profile=hvf-like", "mock:profile=mshv-like", "mock:profile=whp-like",
    "mock:seed=7", /* spurious cancels */
};

static void what_was_recorded_on_any_profile_plays_and_records_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        struct writer trace;

        record(profiles[i], &guest_program, false, drive_to_halt, &trace);
        check_fixed_point(profiles[i], &trace, false, drive_to_halt);
        writer_finish(&trace);
    }
}

static void text_plays_as_well(void **state)
{
    struct writer trace, text;
    struct vmr_replay_result result;

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    print_trace(&trace, &text);
    replay_with(&text, false, drive_to_halt, BUG_NONE, &result);
    check_ok("text", &result);
    writer_finish(&text);
    writer_finish(&trace);
}

static void without_reactions_the_library_does_the_same(void **state)
{
    const struct vmr_trace_cut_options options = {.inputs_only = true};
    struct writer trace, inputs;
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct replaying replaying;
    struct vmr_replay_result result;

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    bytes_sink(&inputs, &sink);
    CHECK_OK(vmr_trace_cut(&source, &options, &sink, NULL, NULL));
    replay_begin(&replaying, &inputs, NULL, 1, false, false);
    drive_to_halt(&replaying.guest, replaying.stop);
    /* The device ran: 20 reads, five of a string, and one of MMIO at least. */
    assert_true(replaying.guest.counter > 25);
    assert_int_equal(replaying.guest.power, VMR_HALT_POWER_OFF);
    replay_end(&replaying, &result);
    check_ok("inputs", &result);
    writer_finish(&inputs);
    writer_finish(&trace);
}

/* --- divergences --- */

static const struct {
    const char *name;
    enum guest_bug bug;
    const char *before, *recorded, *replayed;
} divergences[] = {
    {"wrong answer", BUG_COUNTER, "vp0: io read port=0x100 size=1", "recorded answer value=0x5,",
     "replay answer value=0x6"},
    {"write to a wrong address", BUG_ADDRESS, "vp0: io write port=0x108 size=4 value=0x100000",
     "recorded write gpa=0x100100 ", "replay write gpa=0x100101 "},
    {"wrong value", BUG_VALUE, "io write port=0x108", "recorded write gpa=0x100100 bytes=64",
     "replay write gpa=0x100100 bytes=65"},
    {"one input too many", BUG_EXTRA, "io read port=0x104", "recorded answer value=", "replay asks for the time"},
    {"a reaction that is missing", BUG_OMITTED, "io write port=0x108", "recorded write gpa=0x100100 ",
     "replay write-hash gpa=0x101000"},
    {"an output that is missing", BUG_SILENT, "io write port=0x108", "recorded output stream=9 bytes=64",
     "replay runs the guest"},
    {"another byte in the second record of an output", BUG_LETTER, "io write port=0x108",
     "recorded output stream=9 bytes=00000000", "replay output stream=9 bytes=00000000"},
};

static void the_first_divergence_is_told_with_both_sides(void **state)
{
    struct writer trace;

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    for (size_t i = 0; i < sizeof(divergences) / sizeof(divergences[0]); i++) {
        struct vmr_replay_result result;
        const char *message = result.error.message;

        replay_with(&trace, false, drive_to_halt, divergences[i].bug, &result);
        if (result.status != VMR_E_DIVERGED || !strstr(message, divergences[i].before) ||
            !strstr(message, divergences[i].recorded) || !strstr(message, divergences[i].replayed) ||
            strncmp(message, "exit ", 5) != 0)
            fail_msg("%s: %s", divergences[i].name, message);
    }
    writer_finish(&trace);
}

static void another_machine_is_refused_when_it_is_built(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_replay *replay;
    struct vmr_hypervisor_handle handle;
    struct vmr_host posix, host;
    struct vmr_memory *ram;
    struct vmr_proto *proto;
    struct vmr_partition *partition;
    struct vmr_error err = {0};

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    vmr_host_posix(&posix, NULL);
    CHECK_OK(vmr_replay_create(&source, NULL, &replay, NULL));
    assert_string_equal(vmr_replay_meta(replay, "made-by"), "a test");
    assert_null(vmr_replay_meta(replay, "made"));
    CHECK_OK(vmr_replay_attach(replay, &posix, &handle, &host, NULL));
    check_events(&host);
    CHECK_STATUS(vmr_replay_attach(replay, &posix, &handle, &host, NULL), VMR_E_STATE);
    const struct vmr_proto_options options = {.host = &host, .vp_count = 2};

    CHECK_OK(vmr_memory_create(&host, &ram, NULL));
    CHECK_OK(vmr_proto_create(&handle, &options, &proto, NULL));
    CHECK_STATUS(vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = ram}, &partition, &err),
                 VMR_E_DIVERGED);
    assert_non_null(strstr(err.message, "recorded vm vps=1 "));
    assert_non_null(strstr(err.message, "replay vm vps=2 "));
    vmr_proto_destroy(proto);
    vmr_memory_destroy(ram);
    vmr_replay_destroy(replay);
    writer_finish(&trace);
}

/* --- ends --- */

static void a_cut_trace_plays_to_its_end_and_says_so(void **state)
{
    struct writer trace;

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    for (uint64_t exits = 1; exits < 40; exits += 7) {
        const struct vmr_trace_cut_options options = {.exits = exits};
        struct vmr_trace_memory memory;
        struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);
        struct vmr_trace_sink sink;
        struct writer shorter;
        struct replaying replaying;
        struct vmr_replay_result result;

        bytes_sink(&shorter, &sink);
        CHECK_OK(vmr_trace_cut(&source, &options, &sink, NULL, NULL));
        replay_begin(&replaying, &shorter, NULL, 1, false, false);
        drive_to_halt(&replaying.guest, replaying.stop);
        assert_int_equal(replaying.ends, 1);
        replay_end(&replaying, &result);
        check_ok("cut", &result);
        assert_int_equal(result.exits, exits);
        writer_finish(&shorter);
    }
    writer_finish(&trace);
}

static void damage_ends_the_replay_with_its_offset(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_replay *replay;
    struct vmr_error err = {0};

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    trace.bytes[trace.length / 2] ^= 1;
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    /* The trace has one block, so nothing of it can be played. */
    CHECK_STATUS(vmr_replay_create(&source, NULL, &replay, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "offset "));
    writer_finish(&trace);
}

static void what_does_not_begin_like_a_recording_is_refused(void **state)
{
    static const char *const texts[] = {
        "vmtx 1.0 min=1.0 codec=none\n",
        "vmtx 1.0 min=1.0 codec=none\n0 vp0 enter\n",
        "vmtx 1.0 min=1.0 codec=none\n0 vm hypervisor caps=0 vps=1 bits=40 name=x\n1 vp0 enter\n",
        "vmtx 1.0 min=1.0 codec=none\n0 vm hypervisor caps=0 vps=1 bits=40 name=x\n1 vm cpuid-default bytes=01\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct vmr_trace_memory memory;
        struct vmr_trace_source source = bytes_source(&memory, texts[i], strlen(texts[i]));
        struct vmr_replay *replay;

        CHECK_STATUS(vmr_replay_create(&source, NULL, &replay, NULL), VMR_E_CORRUPT);
    }
}

static void a_record_of_a_vp_that_is_not_there_ends_the_replay(void **state)
{
    struct writer trace, text;
    struct vmr_replay_result result;

    (void)state;
    record("mock", &guest_program, false, drive_to_halt, &trace);
    print_trace(&trace, &text);
    writer_u8(&text, 0);
    char *at = strstr((char *)text.bytes, " vp0 exit io write port=0x100");

    assert_non_null(at);
    at[3] = '7';
    text.length--;
    replay_with(&text, false, drive_to_halt, BUG_NONE, &result);
    assert_int_equal(result.status, VMR_E_DIVERGED);
    assert_non_null(strstr(result.error.message, "recorded vp7 exit io write"));
    writer_finish(&text);
    writer_finish(&trace);
}

/* What the player does not have must not be called, whatever a trace says of its hypervisor. */
static void a_trace_cannot_claim_what_a_replay_cannot_do(void **state)
{
    static const char text[] = "vmtx 1.0 min=1.0 codec=none\n"
                               "0 vm hypervisor caps=0xffffffffffffffff vps=1 bits=40 name=x\n"
                               "1 vm cpuid-default bytes=\n";
    static const enum vmr_cap never[] = {VMR_CAP_MSI,           VMR_CAP_IRQFD,          VMR_CAP_DOORBELL,
                                         VMR_CAP_IRQCHIP_SPLIT, VMR_CAP_IRQCHIP_KERNEL, VMR_CAP_DIRTY_LOG,
                                         VMR_CAP_MANAGED};
    struct vmr_trace_memory memory;
    struct vmr_trace_source source = bytes_source(&memory, text, strlen(text));
    struct vmr_replay *replay;
    struct vmr_hypervisor_handle handle;
    struct vmr_host posix, host;
    struct vmr_proto *proto;
    struct vmr_error err = {0};

    (void)state;
    vmr_host_posix(&posix, NULL);
    if (vmr_replay_create(&source, NULL, &replay, &err))
        fail_msg("%s", err.message);
    CHECK_OK(vmr_replay_attach(replay, &posix, &handle, &host, NULL));
    const struct vmr_proto_options options = {.host = &host};

    CHECK_OK(vmr_proto_create(&handle, &options, &proto, NULL));
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        assert_false(vmr_caps_have(vmr_proto_caps(proto), never[i]));
    assert_true(vmr_caps_have(vmr_proto_caps(proto), VMR_CAP_SINGLE_STEP));
    vmr_proto_destroy(proto);
    vmr_replay_destroy(replay);
}

/* --- requests from outside --- */

static const struct vmr_step in_forever_steps[] = {VMR_IN(1, PORT_COUNTER, 1), VMR_IN(2, PORT_CLOCK, 4), VMR_JUMP(0)};
static const struct vmr_program in_forever = {.name = "in for ever", .steps = in_forever_steps, .count = 3};

/* The device asks when its counter says so: at a point that follows from the exits, but through no record. */
enum request {
    REQUEST_OF_STOP,
    REQUEST_OF_KICK,
    REQUEST_OF_YIELD
};

struct requester {
    struct guest *guest;
    struct vmr_stop_source *stop;
    enum request what;
    bool recording;
};

static enum vmr_exit_action request_at_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                            enum vmr_halt_reason *ret_reason)
{
    struct requester *requester = context;

    (void)vp;
    (void)vp_exit;
    (void)ret_reason;
    if (!requester->recording || requester->guest->counter % 10 != 9)
        return VMR_EXIT_DEFAULT;
    if (requester->what == REQUEST_OF_STOP)
        vmr_stop_set(requester->stop);
    else if (requester->what == REQUEST_OF_KICK)
        (void)vmr_partition_kick(requester->guest->partition, 0);
    else
        (void)vmr_partition_request_yield(requester->guest->partition, 0);
    return VMR_EXIT_DEFAULT;
}

/* Runs three times; with a request before the last, which then returns at once. */
static void drive_requests(struct requester *requester, struct vmr_run_result *ret_results)
{
    struct guest *guest = requester->guest;
    struct vmr_vp *vp = guest_bind(guest, 0);
    struct vmr_vp_io io = {.ports = guest->ports, .exit = request_at_exit, .context = requester};

    for (unsigned i = 0; i < 3; i++) {
        if (i == 2 && requester->recording)
            (void)vmr_partition_kick(guest->partition, 0);
        CHECK_OK(vmr_vp_run(vp, requester->stop, &io, &ret_results[i]));
    }
}

static void check_request(enum request what, const char *spec)
{
    struct recording recording;
    struct replaying replaying;
    struct vmr_run_result recorded[3], played[3];
    struct vmr_replay_result result;
    struct requester requester = {.guest = &recording.guest, .what = what, .recording = true};

    record_begin(&recording, NULL, spec, 1, false);
    record_load(&recording, 0, &in_forever);
    CHECK_OK(vmr_stop_create(&recording.host, &requester.stop));
    drive_requests(&requester, recorded);
    vmr_stop_destroy(requester.stop);
    record_end(&recording);

    replay_begin(&replaying, &recording.trace, NULL, 1, false, true);
    requester = (struct requester){.guest = &replaying.guest, .what = what, .stop = replaying.stop};
    drive_requests(&requester, played);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(played[i].kind, recorded[i].kind);
        assert_int_equal(played[i].reason, recorded[i].reason);
    }
    assert_int_equal(replaying.guest.counter, recording.guest.counter);
    replay_end(&replaying, &result);
    check_ok(spec, &result);
    assert_int_equal(replaying.trace.length, recording.trace.length);
    assert_memory_equal(replaying.trace.bytes, recording.trace.bytes, recording.trace.length);
    writer_finish(&replaying.trace);
    writer_finish(&recording.trace);
}

static void stops_kicks_and_yields_come_where_they_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        check_request(REQUEST_OF_STOP, profiles[i]);
        check_request(REQUEST_OF_KICK, profiles[i]);
        check_request(REQUEST_OF_YIELD, profiles[i]);
    }
}

/* The embedder's own: it does the same in both runs, between two runs of its VP, where nobody has the turn. */
static enum vmr_exit_action halt_at_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                         enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp;
    (void)vp_exit;
    *ret_reason = VMR_HALT_RESET;
    return VMR_EXIT_HALT_VP;
}

static void drive_wakes(struct guest *guest, struct vmr_stop_source *stop)
{
    const struct vmr_vp_io io = {.ports = guest->ports, .exit = halt_at_exit};
    struct vmr_vp *vp = guest_bind(guest, 0);
    struct vmr_run_result result;

    for (unsigned i = 0; i < 3; i++) {
        CHECK_OK(vmr_vp_run(vp, stop, &io, &result));
        assert_int_equal(result.reason, VMR_HALT_RESET);
        vmr_partition_wake(guest->partition, 0);
    }
}

static void requests_between_runs_are_the_embedders_to_make(void **state)
{
    struct writer trace;

    (void)state;
    record("mock", &in_forever, false, drive_wakes, &trace);
    check_fixed_point("wakes", &trace, false, drive_wakes);
    writer_finish(&trace);
}

/* --- steps --- */

static void drive_steps(struct guest *guest, struct vmr_stop_source *stop)
{
    struct vmr_vp *vp = guest_bind(guest, 0);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason = VMR_HALT_NONE;

    (void)stop;
    for (unsigned i = 0; i < 60 && reason == VMR_HALT_NONE; i++) {
        CHECK_OK(vmr_vp_step(vp, &vp_exit));
        CHECK_OK(vmr_vp_dispatch(vp, &vp_exit, &guest->io, &reason));
        while (i % 3 == 0 && vp_exit.kind != VMR_EXIT_NONE)
            CHECK_OK(vmr_vp_step_complete(vp, &vp_exit));
    }
}

/* Only while recording: a replay is kicked by itself. */
static void kick(struct guest *guest, const struct vmr_stop_source *stop)
{
    if (!stop)
        (void)vmr_partition_kick(guest->partition, 0);
}

static unsigned cancels; /* that the last run of the following loop saw, and where */
static uint64_t cancelled_at;

static void drive_kicked_steps(struct guest *guest, struct vmr_stop_source *stop)
{
    struct vmr_vp *vp = guest_bind(guest, 0);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason = VMR_HALT_NONE;

    cancels = 0;
    cancelled_at = 0;
    for (unsigned i = 0; i < 60 && reason == VMR_HALT_NONE; i++) {
        if (i % 4 == 1)
            kick(guest, stop);
        CHECK_OK(vmr_vp_step(vp, &vp_exit));
        if (vp_exit.kind == VMR_EXIT_CANCEL) {
            cancels++;
            cancelled_at = cancelled_at * 3 + i;
        }
        if (i % 7 == 3)
            kick(guest, stop);
        CHECK_OK(vmr_vp_dispatch(vp, &vp_exit, &guest->io, &reason));
        while (i % 3 == 0 && vp_exit.kind != VMR_EXIT_NONE)
            CHECK_OK(vmr_vp_step_complete(vp, &vp_exit));
    }
}

static void kicks_between_steps_come_where_they_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        struct writer trace;

        record(profiles[i], &guest_program, false, drive_kicked_steps, &trace);
        unsigned recorded = cancels;
        uint64_t at = cancelled_at;

        assert_in_range(recorded, 10, 60);
        check_fixed_point(profiles[i], &trace, false, drive_kicked_steps);
        assert_int_equal(cancels, recorded);
        assert_int_equal(cancelled_at, at);
        writer_finish(&trace);
    }
}

static void single_steps_play_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct writer trace;
        struct vmr_replay_result result;

        record(profiles[i], &guest_program, false, drive_steps, &trace);
        replay_with(&trace, false, drive_steps, BUG_NONE, &result);
        check_ok(profiles[i], &result);
        writer_finish(&trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_on_any_profile_plays_and_records_the_same),
        cmocka_unit_test(text_plays_as_well),
        cmocka_unit_test(without_reactions_the_library_does_the_same),
        cmocka_unit_test(the_first_divergence_is_told_with_both_sides),
        cmocka_unit_test(another_machine_is_refused_when_it_is_built),
        cmocka_unit_test(a_cut_trace_plays_to_its_end_and_says_so),
        cmocka_unit_test(damage_ends_the_replay_with_its_offset),
        cmocka_unit_test(what_does_not_begin_like_a_recording_is_refused),
        cmocka_unit_test(a_record_of_a_vp_that_is_not_there_ends_the_replay),
        cmocka_unit_test(a_trace_cannot_claim_what_a_replay_cannot_do),
        cmocka_unit_test(stops_kicks_and_yields_come_where_they_came),
        cmocka_unit_test(requests_between_runs_are_the_embedders_to_make),
        cmocka_unit_test(single_steps_play_too),
        cmocka_unit_test(kicks_between_steps_come_where_they_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
