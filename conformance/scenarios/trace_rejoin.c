/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a VM that is recorded: the rest of the recording is played from
 * each of them, without the hypervisor and without what came before. The guest
 * has interrupts that wait for its priority, for its flag and for time, so that
 * they are taken in the midst of all that.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/snapshot_words.h"
#include "conformance/scenarios/tape.h"

#define PORT 0x700u
#define V 0x45u     /* waits for the priority */
#define OUTER 0x66u /* comes from another thread, while the VM is saved */
#define SAVED_MAX 128u

/* A place of the recording; beside the VM's state, what the scenario's own devices hold. */
struct saved {
    struct kept kept;
    uint8_t place[VMR_TRACE_PLACE_BYTES];
    uint64_t answer;
    struct conf_report report;
};

struct session {
    struct conf conf; /* the scenario's, on the wrapped handle and host */
    struct vmr_hypervisor_handle handle;
    struct vmr_host host;
    struct vmr_recorder *recorder;
    struct vmr_replay *replay;
    struct vmr_stop_source *stop;
    struct conf_vm *vm;
    struct conf_device device;
    bool outer_due;
    struct saved saved[SAVED_MAX];
    size_t count;
};

APIC_PROGRAM(mover, VMR_EOI_XAPIC, APIC_ON(), VMR_SET(3, 3), VMR_IN(0, PORT, 4), VMR_LOOP(3, 2),
             VMR_STORE(APIC_TPR, 4, 0x50), VMR_STORE(APIC_ICR_LOW, 4, ICR_SELF | ICR_ASSERT | V), VMR_STI(),
             VMR_OUT(PORT, 4, 1), VMR_OUT(PORT, 4, 2), EXPECT_COUNT(V, 0), VMR_CLI(), VMR_STORE(APIC_TPR, 4, 0x10),
             VMR_OUT(PORT, 4, 3), VMR_OUT(PORT, 4, 4), VMR_STI(), VMR_WAIT_VECTOR(V, 1), EXPECT_COUNT(V, 1),
             VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(OUTER, 1), EXPECT_COUNT(OUTER, 1),
             VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1), VMR_STORE(APIC_LVT_TIMER, 4, V + 1),
             VMR_STORE(APIC_TIMER_INITIAL, 4, 50000), VMR_IN(0, PORT, 4), VMR_WAIT_VECTOR(V + 1, 1),
             VMR_OUT(PORT, 4, 5), VMR_END());

/* Every exit of a recorded run is the last before a snapshot. */
static enum vmr_exit_action interrupt_run(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                          enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp_exit;
    (void)ret_reason;
    (void)vmr_partition_request_yield(vmr_vp_partition(vp), vmr_vp_get_index(vp));
    return VMR_EXIT_DEFAULT;
}

static void at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct session *session = vm->user;

    (void)vp;
    session->outer_due = number == 2;
}

/* The VM of a recording, or of a replay. False: failed. */
static bool make_vm(struct session *session)
{
    struct conf *conf = &session->conf;
    struct conf_vm_options options = {.vps = 1};
    struct vmr_error err = {.message = ""};

    conf->handle = &session->handle;
    conf->host = &session->host;
    if (session->recorder)
        options.io = (struct vmr_vp_io){.exit = interrupt_run};
    bool made = session->handle.backend->caps(&session->handle, &conf->caps, &err) == VMR_OK &&
                vmr_stop_create(conf->host, &session->stop) == VMR_OK;

    CONF_CHECK(conf, made, "%s", err.message);
    session->device = (struct conf_device){.answer = 7, .answer_step = 1};
    session->vm = made ? conf_vm_create(conf, &options) : NULL;
    if (!session->vm)
        return false;
    session->vm->user = session;
    session->vm->on_checkpoint = at_checkpoint;
    return conf_device_claim(session->vm, session->vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &session->device) &&
           tape_load(session->vm, 0, &mover, session->recorder, session->replay != NULL);
}

static void end_vm(struct session *session)
{
    conf_vm_destroy(session->vm);
    vmr_stop_destroy(session->stop);
}

/* --- recording --- */

struct saving {
    struct session *session;
    struct saved *saved;
};

static enum vmr_status stay(void *context, struct vmr_error *err)
{
    const struct saving *saving = context;
    struct session *session = saving->session;

    /* Behind the flush: it is a wake that the VP has before it. */
    if (session->outer_due)
        raise_msi(session->vm, 0, OUTER);
    session->outer_due = false;
    return vmr_recorder_hold(session->recorder, session->vm->partition, saving->saved->place, err);
}

static bool save(struct session *session)
{
    struct saved *saved = &session->saved[session->count];
    struct saving saving = {.session = session, .saved = saved};
    const struct vmr_snapshot_blob blob = {
        .name = VMR_TRACE_PLACE_NAME, .bytes = saved->place, .length = sizeof(saved->place), .optional = true};
    const struct vmr_snapshot_save_options options = {
        .blobs = &blob, .blob_count = 1, .flushed = stay, .context = &saving};
    const struct vmr_snapshot_sink sink = {.write = kept_write, .context = &saved->kept};
    struct snapshot_vm parts;
    struct vmr_error err = {.message = ""};

    snapshot_parts_of(session->vm, &parts);
    enum vmr_status status = vmr_snapshot_save(&parts.parts, &options, &sink, &saved->kept.id, &err);

    vmr_recorder_let_go(session->recorder);
    CONF_CHECK(&session->conf, status == VMR_OK, "snapshot %zu: %s", session->count, err.message);
    saved->answer = session->device.answer;
    saved->report = session->vm->reports[0];
    session->count++;
    return status == VMR_OK;
}

/* False: failed. */
static bool record(struct conf *conf, struct session *session, struct tape *tape)
{
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};

    session->conf = *conf;
    session->recorder = tape_record(conf, tape, conf->handle, conf->host, &session->handle, &session->host);
    if (!session->recorder)
        return false;
    bool goes_on = make_vm(session) && conf_bind(session->vm, 0);

    while (goes_on && result.kind == VMR_RUN_YIELDED) {
        goes_on = conf_run(session->vm, 0, session->stop, &result);
        if (goes_on && result.kind == VMR_RUN_YIELDED && session->count < SAVED_MAX)
            goes_on = save(session);
    }
    CONF_CHECK(conf, session->vm && session->vm->reports[0].ended && !session->vm->reports[0].mismatch,
               "the guest did not end well: step %u", session->vm ? session->vm->reports[0].mismatch_step : 0);
    CONF_CHECK(conf, session->count > 10, "%zu snapshots", session->count);
    end_vm(session);
    tape_finish(conf, session->recorder);
    session->recorder = NULL;
    return !conf_failed(conf);
}

/* --- replay --- */

static void stop_replay(void *context)
{
    vmr_stop_set(((struct session *)context)->stop);
}

static void stop_replayed_vp(void *context, vmr_vp_index vp)
{
    (void)vp;
    stop_replay(context);
}

static bool rejoin(struct session *session, const struct saved *saved)
{
    const struct vmr_snapshot_restore_options options = {.other_hypervisor = true};
    struct vmr_snapshot *snapshot = snapshot_open(&session->conf, &saved->kept);
    struct vmr_snapshot_blob blob;
    struct vmr_trace_place place;
    struct snapshot_vm parts;
    struct vmr_error err = {.message = ""};
    enum vmr_status status = VMR_E_CONFIG;

    snapshot_parts_of(session->vm, &parts);
    if (snapshot && vmr_snapshot_find_blob(snapshot, VMR_TRACE_PLACE_NAME, &blob))
        status = vmr_trace_place_decode(blob.bytes, blob.length, &place, &err);
    if (!status)
        status = vmr_replay_seek(session->replay, &place.position, &err);
    if (!status && !conf_bind(session->vm, 0))
        status = VMR_E_STATE;
    if (!status)
        status = vmr_snapshot_restore(&parts.parts, &snapshot, 1, &options, &err);
    if (!status)
        status = vmr_partition_set_loop_state(session->vm->partition, 0, &place.loop, &err);
    vmr_snapshot_close(snapshot);
    session->device.answer = saved->answer;
    session->vm->reports[0] = saved->report;
    CONF_CHECK(&session->conf, status == VMR_OK, "rejoining: %s", err.message);
    return status == VMR_OK;
}

static void play(struct session *session)
{
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};
    bool goes_on = true;

    while (goes_on && result.kind == VMR_RUN_YIELDED) {
        goes_on = conf_run(session->vm, 0, session->stop, &result);
        if (goes_on && result.kind == VMR_RUN_YIELDED)
            goes_on = vmr_replay_follow_flush(session->replay, session->vm->vps[0]) == VMR_OK;
    }
}

/* `at`: which snapshot to begin at; `count` of them, or more: the beginning. */
static void play_from(struct conf *conf, struct session *session, const struct tape *tape,
                      const struct session *recorded, size_t at)
{
    const struct vmr_replay_options options = {
        .stop = stop_replayed_vp, .end = stop_replay, .context = session, .positions = true};
    struct vmr_trace_memory memory = {.bytes = tape->bytes, .length = tape->length};
    struct vmr_trace_source source;
    struct vmr_replay_result result;
    struct vmr_error err = {.message = ""};

    *session = (struct session){.conf = *conf};
    CONF_CLEANUP(replay_end) struct vmr_replay **replay = &session->replay;

    vmr_trace_source_memory(&memory, &source);
    CONF_REQUIRE(conf,
                 vmr_replay_create(&source, &options, replay, &err) == VMR_OK &&
                     vmr_replay_attach(session->replay, conf->host, &session->handle, &session->host, &err) == VMR_OK,
                 "%s", err.message);
    bool made = make_vm(session);

    if (made)
        vmr_replay_set_partition(session->replay, session->vm->partition);
    if (made && (at < recorded->count ? rejoin(session, &recorded->saved[at]) : conf_bind(session->vm, 0) != NULL))
        play(session);
    vmr_replay_get_result(session->replay, &result);
    CONF_CHECK(conf, result.status == VMR_OK && result.ended && !result.cut, "from snapshot %zu of %zu: %s: %s", at,
               recorded->count, vmr_status_name(result.status), result.error.message);
    end_vm(session);
}

static void from_each_snapshot(struct conf *conf)
{
    struct session *recorded = calloc(2, sizeof(*recorded));
    CONF_CLEANUP(tape_free) struct tape tape = {0};

    CONF_REQUIRE(conf, recorded, "out of memory");
    if (!(conf->caps.vp_classes >> VMR_VP_REGISTERS & 1)) {
        conf_skip(conf, "the hypervisor does not give its state away");
    } else if (record(conf, recorded, &tape)) {
        for (size_t at = 0; at <= recorded->count && !conf_failed(conf); at++)
            play_from(conf, recorded + 1, &tape, recorded, at);
    }
    for (size_t i = 0; i < recorded->count; i++)
        kept_free(&recorded->saved[i].kept);
    free(recorded);
}

/* What is recorded is told, and cannot be set, reset or restored; nothing has changed then. */
static void only_told(struct conf *conf)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_REGISTERS};
    struct session *session = calloc(1, sizeof(*session));
    CONF_CLEANUP(tape_free) struct tape tape = {0};
    struct vmr_x86_regs regs, again;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, session, "out of memory");
    session->conf = *conf;
    if (!(conf->caps.vp_classes >> VMR_VP_REGISTERS & 1))
        conf_skip(conf, "the hypervisor does not give its state away");
    else
        session->recorder = tape_record(conf, &tape, conf->handle, conf->host, &session->handle, &session->host);
    if (session->recorder && make_vm(session) && conf_bind(session->vm, 0)) {
        struct vmr_vp *vp = session->vm->vps[0];

        CONF_CHECK_EQ(conf, vmr_vp_state_get(vp, &id, &regs, &err), VMR_OK, "reading");
        CONF_CHECK_EQ(conf, vmr_vp_state_set(vp, &id, &regs, &err), VMR_E_UNSUPPORTED, "setting");
        CONF_CHECK(conf, strstr(err.message, "registers: ") && strstr(err.message, "recorded"), "%s", err.message);
        CONF_CHECK_EQ(conf, vmr_partition_reset(session->vm->partition, &err), VMR_E_UNSUPPORTED, "a reset");
        CONF_CHECK_EQ(conf, vmr_partition_restore_begin(session->vm->partition, &err), VMR_E_UNSUPPORTED, "a restore");
        CONF_CHECK(conf, vmr_partition_is_usable(session->vm->partition), "it is unusable");
        CONF_CHECK_EQ(conf, vmr_vp_state_get(vp, &id, &again, &err), VMR_OK, "reading again");
        CONF_CHECK(conf, memcmp(&regs, &again, sizeof(regs)) == 0, "the registers have changed");
    }
    if (session->recorder) {
        end_vm(session);
        tape_finish(conf, session->recorder);
    }
    free(session);
}

static const struct conf_scenario scenarios[] = {
    {.name = "the_rest_of_a_recording_plays_from_each_snapshot",
     .family = "trace",
     .clauses = "TRC-11",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = from_each_snapshot},
    {.name = "the_state_of_what_is_recorded_is_told_and_not_set",
     .family = "trace",
     .clauses = "TRC-11",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = only_told},
};

CONF_FAMILY(trace_rejoin, scenarios);
