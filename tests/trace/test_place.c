/* SPDX-License-Identifier: MIT */
/*
 * Places of recorded machines: their bytes, who has one, and what a recording and a replay tell of their state.
 */

#include "tests/trace/guest.h"

static void take(struct vmr_recorder *recorder, struct guest *guest, uint8_t ret_bytes[VMR_TRACE_PLACE_BYTES])
{
    CHECK_OK(vmr_recorder_hold(recorder, guest->partition, ret_bytes, NULL));
}

static void bytes_are_what_the_recorder_said(void **state)
{
    const struct vmr_loop_state loop = {
        .interrupt_ready = true, .window_requested = true, .nmi = true, .tpr = 4, .guest_tpr = 5, .deadline_ns = 777};
    uint8_t bytes[VMR_TRACE_PLACE_BYTES];
    struct recording recording;
    struct vmr_trace_position here;
    struct vmr_trace_place place;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    CHECK_OK(vmr_partition_set_loop_state(recording.guest.partition, 0, &loop, NULL));
    take(recording.recorder, &recording.guest, bytes);
    vmr_recorder_let_go(recording.recorder);
    CHECK_OK(vmr_recorder_position(recording.recorder, &here, NULL));
    CHECK_OK(vmr_trace_place_decode(bytes, sizeof(bytes), &place, NULL));
    assert_memory_equal(&place.position, &here, sizeof(here));
    assert_true(place.loop.interrupt_ready && place.loop.window_requested && place.loop.nmi);
    assert_false(place.loop.recheck || place.loop.wake);
    assert_int_equal(place.loop.tpr, 4);
    assert_int_equal(place.loop.guest_tpr, 5);
    assert_int_equal(place.loop.deadline_ns, 777);
    record_end(&recording);
    writer_finish(&recording.trace);
}

static void hostile_bytes_are_refused(void **state)
{
    uint8_t bytes[VMR_TRACE_PLACE_BYTES + 1] = {0};
    struct vmr_trace_place place;
    struct vmr_error err = {0};

    (void)state;
    CHECK_OK(vmr_trace_place_decode(bytes, VMR_TRACE_PLACE_BYTES, &place, NULL));
    assert_int_equal(vmr_trace_place_decode(bytes, VMR_TRACE_PLACE_BYTES + 1, &place, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "36 bytes instead of 35"));
    assert_int_equal(vmr_trace_place_decode(bytes, 0, &place, &err), VMR_E_CORRUPT);
    bytes[24] = 32;
    assert_int_equal(vmr_trace_place_decode(bytes, VMR_TRACE_PLACE_BYTES, &place, &err), VMR_E_CORRUPT);
    assert_non_null(strstr(err.message, "flags 0x20"));
    bytes[24] = 0;
    for (size_t at = 25; at < 27; at++) {
        bytes[at] = 16;
        assert_int_equal(vmr_trace_place_decode(bytes, VMR_TRACE_PLACE_BYTES, &place, &err), VMR_E_CORRUPT);
        assert_non_null(strstr(err.message, "a TPR above 15"));
        bytes[at] = 0;
    }
}

static void several_vps_have_no_place(void **state)
{
    uint8_t bytes[VMR_TRACE_PLACE_BYTES];
    struct recording recording;
    struct vmr_error err = {0};

    (void)state;
    record_begin(&recording, NULL, "mock", 2, false);
    assert_int_equal(vmr_recorder_hold(recording.recorder, recording.guest.partition, bytes, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "the partition has 2"));
    vmr_recorder_let_go(recording.recorder); /* nothing is held */
    record_end(&recording);
    writer_finish(&recording.trace);
}

/* A finished recording is at no place, and holds nobody up. */
static void a_finished_recording_has_no_place(void **state)
{
    uint8_t bytes[VMR_TRACE_PLACE_BYTES];
    struct recording recording;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    (void)guest_bind(&recording.guest, 0);
    CHECK_OK(vmr_recorder_finish(recording.recorder, NULL));
    assert_int_equal(vmr_recorder_hold(recording.recorder, recording.guest.partition, bytes, NULL), VMR_E_STATE);
    vmr_partition_wake(recording.guest.partition, 0);
    guest_finish(&recording.guest);
    vmr_recorder_destroy(recording.recorder);
    vmr_handle_close(&recording.inner);
    writer_finish(&recording.trace);
}

struct other_thread {
    const struct guest *guest;
    _Atomic bool done;
};

static void wake_from_outside(void *argument)
{
    struct other_thread *other = argument;

    vmr_partition_wake(other->guest->partition, 0);
    other->done = true;
}

/* What another thread asks for meanwhile comes behind the place. */
static void what_others_ask_waits_until_it_is_let_go(void **state)
{
    uint8_t bytes[VMR_TRACE_PLACE_BYTES], behind[VMR_TRACE_PLACE_BYTES];
    struct recording recording;
    struct vmr_trace_place place, later;
    struct vmr_thread *thread = NULL;

    (void)state;
    record_begin(&recording, NULL, "mock", 1, false);
    (void)guest_bind(&recording.guest, 0);
    const struct vmr_host *host = &recording.inner_host;
    struct other_thread other = {.guest = &recording.guest};

    take(recording.recorder, &recording.guest, bytes);
    CHECK_OK(host->ops->thread_start(host->context, "other", wake_from_outside, &other, &thread));
    for (unsigned i = 0; i < 50; i++) {
        struct vmr_parker *parker = NULL;

        CHECK_OK(host->ops->parker_create(host->context, &parker));
        (void)host->ops->park(host->context, parker, host->ops->now_ns(host->context) + 1000000);
        host->ops->parker_destroy(host->context, parker);
        assert_false(other.done);
    }
    vmr_recorder_let_go(recording.recorder);
    host->ops->thread_join(host->context, thread);
    take(recording.recorder, &recording.guest, behind);
    vmr_recorder_let_go(recording.recorder);
    CHECK_OK(vmr_trace_place_decode(bytes, sizeof(bytes), &place, NULL));
    CHECK_OK(vmr_trace_place_decode(behind, sizeof(behind), &later, NULL));
    assert_false(place.loop.wake);
    assert_true(later.loop.wake);
    assert_int_equal(later.position.records, place.position.records + 1);
    record_end(&recording);
    writer_finish(&recording.trace);
}

/* Where nothing stands there is nothing to set; VPs that only have to run may be told so. */
static void state_of_a_replay_is_set_only_where_it_begins(void **state)
{
    const struct vmr_state_id registers = {.state_class = VMR_VP_REGISTERS},
                              activity = {.state_class = VMR_VP_ACTIVITY};
    const struct vmr_x86_activity_state idle = {0};
    struct vmr_x86_activity_state pending = {0};
    struct vmr_trace_position here;
    struct recording recording;
    struct replaying replaying;
    struct vmr_replay_result result;
    struct vmr_x86_regs regs, got;
    struct vmr_error err = {0};

    (void)state;
    pending.shadow = 1;
    record_begin(&recording, NULL, "mock", 1, false);
    CHECK_OK(vmr_recorder_position(recording.recorder, &here, NULL));
    record_end(&recording);
    replay_begin(&replaying, &recording.trace, NULL, 1, false, false);
    CHECK_OK(vmr_replay_seek(replaying.replay, &here, NULL));
    struct vmr_vp *vp = guest_bind(&replaying.guest, 0);

    CHECK_OK(vmr_vp_state_get(vp, &registers, &regs, NULL));
    regs.gpr[VMR_X86_RAX] = 0x1234;
    CHECK_OK(vmr_vp_state_set(vp, &registers, &regs, NULL));
    CHECK_OK(vmr_vp_state_get(vp, &registers, &got, NULL));
    assert_memory_equal(&got, &regs, sizeof(regs));
    CHECK_OK(vmr_vp_state_set(vp, &activity, &pending, NULL));
    /* Over: it stands nowhere. */
    CHECK_OK(vmr_replay_follow_flush(replaying.replay, vp));
    assert_int_equal(vmr_vp_state_set(vp, &registers, &regs, &err), VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "registers: the VP is replayed"));
    assert_int_equal(vmr_vp_state_set(vp, &activity, &pending, &err), VMR_E_UNSUPPORTED);
    CHECK_OK(vmr_vp_state_set(vp, &activity, &idle, NULL));
    assert_int_equal(vmr_partition_reset(replaying.guest.partition, &err), VMR_E_UNSUPPORTED);
    replay_end(&replaying, &result);
    writer_finish(&recording.trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_what_the_recorder_said),
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(several_vps_have_no_place),
        cmocka_unit_test(a_finished_recording_has_no_place),
        cmocka_unit_test(what_others_ask_waits_until_it_is_let_go),
        cmocka_unit_test(state_of_a_replay_is_set_only_where_it_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
