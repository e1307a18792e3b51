/* SPDX-License-Identifier: MIT */
/*
 * Replays that begin in the middle: what a position says of a trace, and what follows from there.
 */

#include "tests/trace/guest.h"

#define PLACE_MAX 256u

/* Where the run was interrupted, and what the device held there. */
struct place {
    struct vmr_trace_position position;
    struct vmr_x86_regs regs;
    uint64_t counter, msr;
};

static struct place places[PLACE_MAX];
static size_t place_count;

/* Every exit interrupts the run behind itself. */
static enum vmr_exit_action interrupt_run(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                          enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp_exit;
    (void)ret_reason;
    (void)vmr_partition_request_yield(vmr_vp_partition(vp), vmr_vp_get_index(vp));
    return VMR_EXIT_DEFAULT;
}

static void run_to_halt(struct guest *guest, struct vmr_stop_source *stop, struct vmr_recorder *recorder)
{
    struct vmr_vp *vp = guest->vps[0];
    struct vmr_run_result result;
    struct place place = {0};

    CHECK_OK(vmr_vp_run(vp, stop, &guest->io, &result));
    while (result.kind == VMR_RUN_YIELDED) {
        CHECK_OK(vmr_vp_get_regs(vp, &place.regs));
        place.counter = guest->counter;
        place.msr = guest->msr;
        if (recorder) {
            assert_true(place_count < PLACE_MAX);
            CHECK_OK(vmr_recorder_position(recorder, &place.position, NULL));
            places[place_count++] = place;
        }
        CHECK_OK(vmr_vp_run(vp, stop, &guest->io, &result));
    }
}

static void record(const char *spec, struct writer *ret_trace)
{
    struct recording recording;

    place_count = 0;
    record_begin(&recording, NULL, spec, 1, false);
    record_load(&recording, 0, &guest_program);
    (void)guest_bind(&recording.guest, 0);
    recording.guest.io.exit = interrupt_run;
    run_to_halt(&recording.guest, NULL, recording.recorder);
    record_end(&recording);
    *ret_trace = recording.trace;
    assert_true(place_count > 20);
}

/* The whole of the rest is played from the place. */
static void play_from(const char *name, const struct writer *trace, const struct place *place)
{
    struct replaying replaying;
    struct vmr_replay_result result;
    struct vmr_x86_regs regs;
    struct vmr_error err = {0};

    replay_begin(&replaying, trace, NULL, 1, false, false);
    if (vmr_replay_seek(replaying.replay, &place->position, &err))
        fail_msg("%s: %s", name, err.message);
    replaying.guest.counter = place->counter;
    replaying.guest.msr = place->msr;
    struct vmr_vp *vp = guest_bind(&replaying.guest, 0);

    /* Takes nothing from the trace, and is what was read there last. */
    CHECK_OK(vmr_vp_get_regs(vp, &regs));
    assert_memory_equal(&regs, &place->regs, sizeof(regs));
    run_to_halt(&replaying.guest, replaying.stop, NULL);
    replay_end(&replaying, &result);
    if (result.status || !result.ended || result.cut)
        fail_msg("%s: from record %llu: after %llu: %s", name, (unsigned long long)place->position.records,
                 (unsigned long long)result.records, result.error.message);
}

static void from_every_exit_the_rest_plays(void **state)
{
    static const char *const profiles[] = {"mock", "mock:profile=kvm-like", "mock:profile=hvf-like",
                                           "mock:profile=mshv-like", "mock:profile=whp-like"};

    (void)state;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        struct writer trace, text;

        record(profiles[i], &trace);
        print_trace(&trace, &text);
        for (size_t at = 0; at < place_count; at++)
            play_from(profiles[i], &trace, &places[at]);
        play_from("text", &text, &places[place_count / 2]);
        writer_finish(&text);
        writer_finish(&trace);
    }
}

/* A device that is not as it was there is found out. */
static void what_was_not_restored_diverges(void **state)
{
    struct writer trace;
    struct replaying replaying;
    struct vmr_replay_result result;

    (void)state;
    record("mock", &trace);
    replay_begin(&replaying, &trace, NULL, 1, false, false);
    CHECK_OK(vmr_replay_seek(replaying.replay, &places[3].position, NULL));
    replaying.guest.counter = places[3].counter + 1;
    (void)guest_bind(&replaying.guest, 0);
    run_to_halt(&replaying.guest, replaying.stop, NULL);
    replay_end(&replaying, &result);
    assert_int_equal(result.status, VMR_E_DIVERGED);
    writer_finish(&trace);
}

static void refused(const struct writer *trace, const struct vmr_trace_position *position, enum vmr_status status,
                    const char *why)
{
    struct replaying replaying;
    struct vmr_replay_result result;
    struct vmr_error err = {0};

    replay_begin(&replaying, trace, NULL, 1, false, false);
    assert_int_equal(vmr_replay_seek(replaying.replay, position, &err), status);
    if (!strstr(err.message, why))
        fail_msg("'%s' is not in '%s'", why, err.message);
    /* It is over, and says the same. */
    vmr_replay_get_result(replaying.replay, &result);
    assert_int_equal(result.status, status);
    replay_end(&replaying, &result);
}

static void a_position_of_anything_else_is_refused(void **state)
{
    const struct vmr_trace_cut_options options = {.inputs_only = true};
    struct writer trace, inputs;
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;

    (void)state;
    record("mock", &trace);
    struct vmr_trace_position position = places[5].position;

    position.digest ^= 1;
    refused(&trace, &position, VMR_E_CONFIG, "of another recording");
    position = places[5].position;
    position.exits++;
    refused(&trace, &position, VMR_E_CONFIG, "of another recording");
    position = places[5].position;
    position.records++;
    refused(&trace, &position, VMR_E_CONFIG, "of another recording");
    position.records = UINT64_MAX;
    refused(&trace, &position, VMR_E_CONFIG, "the trace ends after");
    position.records = 1;
    refused(&trace, &position, VMR_E_CONFIG, "making the machine took");

    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    bytes_sink(&inputs, &sink);
    CHECK_OK(vmr_trace_cut(&source, &options, &sink, NULL, NULL));
    refused(&inputs, &places[5].position, VMR_E_UNSUPPORTED, "inputs only");
    writer_finish(&inputs);
    writer_finish(&trace);
}

/* Recorder and replay count alike, however the trace is stored. */
static void a_replay_counts_as_the_recorder_did(void **state)
{
    struct writer trace;
    struct replaying replaying;
    struct vmr_trace_position here;
    struct vmr_run_result run;
    struct vmr_replay_result result;

    (void)state;
    record("mock", &trace);
    replay_begin(&replaying, &trace, NULL, 1, false, false);
    struct vmr_vp *vp = guest_bind(&replaying.guest, 0);

    for (size_t i = 0; i < place_count; i++) {
        struct vmr_x86_regs regs;

        CHECK_OK(vmr_vp_run(vp, replaying.stop, &replaying.guest.io, &run));
        assert_int_equal(run.kind, VMR_RUN_YIELDED);
        CHECK_OK(vmr_vp_get_regs(vp, &regs));
        CHECK_OK(vmr_replay_position(replaying.replay, &here, NULL));
        assert_int_equal(here.records, places[i].position.records);
        assert_int_equal(here.exits, places[i].position.exits);
        assert_int_equal(here.digest, places[i].position.digest);
    }
    /* Too late. */
    assert_int_equal(vmr_replay_seek(replaying.replay, &here, NULL), VMR_E_STATE);
    replay_end(&replaying, &result);
    assert_int_equal(result.status, VMR_OK);
    writer_finish(&trace);
}

static void who_did_not_ask_for_positions_has_none(void **state)
{
    struct writer trace;
    struct vmr_trace_memory memory;
    struct vmr_trace_position here;
    struct vmr_replay *replay;

    (void)state;
    record("mock", &trace);
    struct vmr_trace_source source = bytes_source(&memory, trace.bytes, trace.length);

    CHECK_OK(vmr_replay_create(&source, NULL, &replay, NULL));
    assert_int_equal(vmr_replay_position(replay, &here, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_replay_seek(replay, &places[0].position, NULL), VMR_E_USAGE);
    vmr_replay_destroy(replay);
    writer_finish(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_every_exit_the_rest_plays),         cmocka_unit_test(what_was_not_restored_diverges),
        cmocka_unit_test(a_position_of_anything_else_is_refused), cmocka_unit_test(a_replay_counts_as_the_recorder_did),
        cmocka_unit_test(who_did_not_ask_for_positions_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
