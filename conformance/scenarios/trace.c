/* SPDX-License-Identifier: MIT */
/*
 * Record on this backend, replay without it. The guest of these scenarios works
 * with a device that reads the guest's memory, the clock and raises interrupts,
 * so that every kind of input crosses the recorder.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/tape.h"

#define PORT 0x700u
#define PAGE UINT64_C(0xd0000000)
#define V 0x45u
#define UNKNOWN_MSR 0x12345u
#define ROUNDS 50u
#define SIZES (VMR_SIZE_1 | VMR_SIZE_4)
#define STREAM 3u

/* --- a session: a VM on a wrapped handle --- */

enum bug {
    BUG_NONE,
    BUG_ANSWER,  /* another answer, from the fourth on */
    BUG_STORE,   /* a store into guest memory that nobody asked for */
    BUG_OMITTED, /* a store left out */
    BUG_SILENT   /* an output left out */
};

struct session {
    struct conf conf; /* the scenario's, on the wrapped handle and host */
    struct vmr_hypervisor_handle inner_handle, handle;
    struct vmr_host inner_host, host;
    struct vmr_recorder *recorder;
    struct vmr_replay *replay;
    struct vmr_trace_memory memory;
    struct vmr_stop_source *stop;
    struct conf_vm *vm;
    struct conf_device device;
    struct vmr_thread *outside; /* who brings input while recording */
    const struct vmr_program *program;
    enum bug bug;
    uint64_t seen; /* a sum over what the device was told */
    struct vmr_replay_result result;
};

/* A write to PORT + 4 sums a word of guest memory, stores the sum behind it, and sends it out of the machine. */
static void work(struct session *session)
{
    struct vmr_memory *memory = session->vm->memory;
    uint64_t word = 0, sum;

    CONF_CHECK(&session->conf, vmr_memory_read(memory, WORD(0), &word, sizeof(word)) == VMR_OK, "no RAM");
    sum = word + 1;
    if (session->bug == BUG_STORE)
        CONF_CHECK(&session->conf, vmr_memory_write(memory, WORD(5), &sum, 1) == VMR_OK, "no RAM");
    if (session->bug != BUG_OMITTED)
        CONF_CHECK(&session->conf, vmr_memory_write(memory, WORD(1), &sum, sizeof(sum)) == VMR_OK, "no RAM");
    if (session->bug != BUG_SILENT)
        vmr_partition_output(session->vm->partition, STREAM, (const uint8_t *)&sum, sizeof(sum));
    session->seen = session->seen * 31 + word;
}

static void on_access(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct session *session = device->user;

    session->seen = session->seen * 31 + access->address + access->size;
    if (session->bug == BUG_ANSWER && !write && device->reads == 3)
        device->answer ^= 0x10;
    if (write && access->address == PORT + 4)
        work(session);
}

/* What comes in is what the device answers from now on, and an interrupt says so. */
static size_t receive(void *context, uint32_t stream, const uint8_t *bytes, size_t length)
{
    struct session *session = context;

    CONF_CHECK(&session->conf, stream == STREAM && length == 2, "%zu bytes of stream %u", length, stream);
    session->device.answer = (uint64_t)bytes[0] << 8 | bytes[1];
    session->seen = session->seen * 31 + session->device.answer;
    raise_msi(session->vm, 0, V);
    return length;
}

static void bring_input(void *argument)
{
    const struct session *session = argument;

    (void)vmr_partition_input(session->vm->partition, STREAM, (const uint8_t *)"hi", 2);
}

/* Nobody brings input in a replay: it is in the recording. */
static void at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct session *session = vm->user;

    if (number == 1)
        raise_msi(vm, vp, V);
    if (number == 2 && !session->replay)
        session->outside = conf_thread(&session->conf, bring_input, session);
}

#define WORKER(name, rounds)                                                                                           \
    APIC_PROGRAM(name, VMR_EOI_XAPIC, APIC_ON(), VMR_SET(3, (rounds)), VMR_IN(0, PORT, 4), VMR_OUT_VAR(PORT, 4, 3),    \
                 VMR_LOOP(3, 2), VMR_LOAD(1, PAGE, 4), VMR_STORE(PAGE + 4, 4, 0x55), VMR_STORE(WORD(0), 8, 0x1234),    \
                 VMR_OUT(PORT + 4, 4, 1), VMR_LOAD(2, WORD(1), 8), VMR_EXPECT(2, 0x1235),                              \
                 VMR_INS(PORT, 4, 3, WORD(8)), VMR_RDMSR(2, UNKNOWN_MSR), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 14),       \
                 VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), EXPECT_COUNT(V, 1),                                         \
                 VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1), VMR_STORE(APIC_LVT_TIMER, 4, V + 1),               \
                 VMR_STORE(APIC_TIMER_INITIAL, 4, 50000), VMR_WAIT_VECTOR(V + 1, 1), VMR_END())

/* More than a block of a trace. */
#define LONG_ROUNDS 4000u
WORKER(worker, ROUNDS);
WORKER(long_worker, LONG_ROUNDS);
APIC_PROGRAM(listener, VMR_EOI_XAPIC, APIC_ON(), VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 1), EXPECT_COUNT(V, 1),
             VMR_IN(0, PORT, 4), VMR_EXPECT(0, 0x6869), VMR_END());

/* The same calls for a recording and for its replay. */
static void session_run(struct session *session)
{
    struct conf *conf = &session->conf;
    struct vmr_error err = {.message = ""};
    struct vmr_run_result result;

    conf->handle = &session->handle;
    conf->host = &session->host;
    CONF_REQUIRE(conf, session->handle.backend->caps(&session->handle, &conf->caps, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, vmr_stop_create(conf->host, &session->stop) == VMR_OK, "no stop source");
    session->device =
        (struct conf_device){.answer = 0xc0de0000, .answer_step = 1, .on_access = on_access, .user = session};
    session->vm = conf_vm_create(conf, NULL);
    if (session->vm && session->replay)
        vmr_replay_set_partition(session->replay, session->vm->partition);
    if (session->vm && conf_device_claim(session->vm, session->vm->ports, PORT, 8, SIZES, &session->device) &&
        conf_device_claim(session->vm, session->vm->mmio, PAGE, 4096, SIZES, &session->device) &&
        tape_load(session->vm, 0, session->program, session->recorder, session->replay != NULL) &&
        conf_bind(session->vm, 0)) {
        const struct vmr_input_sink sink = {.receive = receive, .context = session};

        vmr_partition_set_input(session->vm->partition, &sink);
        session->vm->on_checkpoint = at_checkpoint;
        session->vm->user = session;
        (void)conf_run(session->vm, 0, session->stop, &result);
        conf_join(conf, session->outside);
    }
}

static void session_end(struct session *session)
{
    conf_vm_destroy(session->vm);
    vmr_stop_destroy(session->stop);
    session->vm = NULL;
    session->stop = NULL;
}

static void recorder_end(struct session *session)
{
    if (session->vm)
        CONF_CHECK(&session->conf, session->vm->reports[0].ended && !session->vm->reports[0].mismatch,
                   "the guest did not end well: step %u saw %#llx", session->vm->reports[0].mismatch_step,
                   (unsigned long long)session->vm->reports[0].mismatch_value);
    session_end(session);
    tape_finish(&session->conf, session->recorder);
    session->recorder = NULL;
}

/* Records `program` on the scenario's backend. */
static bool record(struct conf *conf, struct session *session, const struct vmr_program *program, struct tape *tape)
{
    *session = (struct session){.conf = *conf, .program = program};
    session->recorder = tape_record(conf, tape, conf->handle, conf->host, &session->handle, &session->host);
    if (!session->recorder)
        return false;
    session_run(session);
    recorder_end(session);
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

/* The replay is the caller's to destroy, whatever comes. */
static void try_replay(struct conf *conf, struct session *session, const struct session *recorded,
                       const struct tape *tape, enum bug bug, struct tape *again)
{
    const struct vmr_replay_options options = {.stop = stop_replayed_vp, .end = stop_replay, .context = session};
    struct vmr_trace_source source;
    struct vmr_error err = {.message = ""};

    *session = (struct session){.conf = *conf,
                                .memory = {.bytes = tape->bytes, .length = tape->length},
                                .program = recorded->program,
                                .bug = bug};
    vmr_trace_source_memory(&session->memory, &source);
    CONF_REQUIRE(conf, vmr_replay_create(&source, &options, &session->replay, &err) == VMR_OK, "%s", err.message);
    struct vmr_hypervisor_handle *handle = again ? &session->inner_handle : &session->handle;
    struct vmr_host *host = again ? &session->inner_host : &session->host;

    CONF_REQUIRE(conf, vmr_replay_attach(session->replay, conf->host, handle, host, &err) == VMR_OK, "%s", err.message);
    if (again)
        session->recorder = tape_record(conf, again, handle, host, &session->handle, &session->host);
    CONF_REQUIRE(conf, !again || session->recorder, "no recorder");
    session_run(session);
    if (again)
        recorder_end(session);
    session_end(session);
    vmr_replay_get_result(session->replay, &session->result);
}

/* Replays `tape` to its end, or to the first divergence; recorded anew on `again`, if there is one. */
static void replay(struct conf *conf, struct session *session, const struct session *recorded, const struct tape *tape,
                   enum bug bug, struct tape *again)
{
    try_replay(conf, session, recorded, tape, bug, again);
    vmr_replay_destroy(session->replay);
    session->replay = NULL;
}

static void record_and_replay(struct conf *conf)
{
    struct session recorded, replayed;
    CONF_CLEANUP(tape_free) struct tape tape = {0};

    if (record(conf, &recorded, &worker, &tape)) {
        replay(conf, &replayed, &recorded, &tape, BUG_NONE, NULL);
        CONF_CHECK(conf, replayed.result.status == VMR_OK && replayed.result.ended && !replayed.result.cut, "%s: %s",
                   vmr_status_name(replayed.result.status), replayed.result.error.message);
        CONF_CHECK(conf, replayed.result.exits >= 2u * ROUNDS, "%llu exits", (unsigned long long)replayed.result.exits);
        CONF_CHECK_EQ(conf, replayed.seen, recorded.seen, "what the device saw");
        CONF_CHECK_EQ(conf, replayed.device.reads, recorded.device.reads, "reads");
        CONF_CHECK_EQ(conf, replayed.device.writes, recorded.device.writes, "writes");
    }
}

/* The thread that brought the input is not there: the replay brings it, at the same point. */
static void input_comes_again(struct conf *conf)
{
    struct session recorded, replayed;
    CONF_CLEANUP(tape_free) struct tape tape = {0}, again = {0};

    if (record(conf, &recorded, &listener, &tape)) {
        CONF_CHECK_EQ(conf, recorded.device.answer, 0x6869 + 1, "what came in, read once");
        replay(conf, &replayed, &recorded, &tape, BUG_NONE, &again);
        CONF_CHECK(conf, replayed.result.status == VMR_OK && replayed.result.ended, "%s",
                   replayed.result.error.message);
        CONF_CHECK_EQ(conf, replayed.seen, recorded.seen, "what the device saw");
        CONF_CHECK(conf, tapes_equal(&tape, &again), "the recording of the replay has %zu bytes, not %zu", again.length,
                   tape.length);
    }
}

static void fixed_point(struct conf *conf)
{
    struct session recorded, replayed;
    CONF_CLEANUP(tape_free) struct tape tape = {0}, again = {0};

    if (record(conf, &recorded, &worker, &tape)) {
        replay(conf, &replayed, &recorded, &tape, BUG_NONE, &again);
        CONF_CHECK(conf, replayed.result.status == VMR_OK, "%s", replayed.result.error.message);
        tape_check_again(conf, &tape, &again);
    }
}

/* --- divergence --- */

static void diverges(struct conf *conf)
{
    static const struct {
        enum bug bug;
        const char *before, *recorded, *done; /* the exit before, and both sides */
    } rows[] = {
        {BUG_ANSWER, "io read port=0x700", "0xc0de0003", "0xc0de0013"},
        {BUG_STORE, "io write port=0x704", "recorded", "replay"},
        {BUG_OMITTED, "io write port=0x704", "recorded", "replay"},
        {BUG_SILENT, "io write port=0x704", "recorded output stream=3 bytes=3512", "replay runs the guest"},
    };
    struct session recorded, replayed;
    CONF_CLEANUP(tape_free) struct tape tape = {0};

    if (record(conf, &recorded, &worker, &tape)) {
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            replay(conf, &replayed, &recorded, &tape, rows[i].bug, NULL);
            const char *said = replayed.result.error.message;

            CONF_CHECK(conf, replayed.result.status == VMR_E_DIVERGED, "row %u: the replay ended: %s", i,
                       vmr_status_name(replayed.result.status));
            CONF_CHECK(conf,
                       strstr(said, rows[i].before) && strstr(said, rows[i].recorded) && strstr(said, rows[i].done),
                       "row %u: '%s', '%s' or '%s' is not named in: %s", i, rows[i].before, rows[i].recorded,
                       rows[i].done, said);
        }
    }
}

/* Stripped of what the library did, a recording replays all the same, and checks nothing. */
static void inputs_only(struct conf *conf)
{
    const struct vmr_trace_cut_options options = {.inputs_only = true, .codec = VMR_TRACE_CODEC_NONE};
    struct session recorded, replayed;
    CONF_CLEANUP(tape_free) struct tape tape = {0}, stripped = {0};

    if (record(conf, &recorded, &worker, &tape)) {
        struct vmr_trace_memory memory = {.bytes = tape.bytes, .length = tape.length};
        const struct vmr_trace_sink sink = tape_sink(&stripped);
        struct vmr_trace_source source;
        struct vmr_error err = {.message = ""};

        vmr_trace_source_memory(&memory, &source);
        CONF_CHECK(conf, vmr_trace_cut(&source, &options, &sink, NULL, &err) == VMR_OK, "%s", err.message);
        CONF_CHECK(conf, stripped.length < tape.length, "nothing was cut out");
        replay(conf, &replayed, &recorded, &stripped, BUG_NONE, NULL);
        CONF_CHECK(conf, replayed.result.status == VMR_OK && replayed.result.ended, "%s",
                   replayed.result.error.message);
        CONF_CHECK_EQ(conf, replayed.seen, recorded.seen, "what the device saw");
        replay(conf, &replayed, &recorded, &stripped, BUG_ANSWER, NULL);
        CONF_CHECK(conf, replayed.result.status == VMR_OK, "checked: %s", replayed.result.error.message);
    }
}

/* --- damage --- */

/* Reads as far as it goes. False: it could not even begin. */
static bool read_all(struct conf *conf, const uint8_t *bytes, size_t length, struct vmr_trace_info *ret_info)
{
    const struct vmr_trace_read_options options = {.strict = false};
    struct vmr_trace_memory memory = {.bytes = bytes, .length = length};
    struct vmr_trace_reader *reader = NULL;
    struct vmr_trace_source source;
    struct vmr_trace_record record;
    struct vmr_error err = {.message = ""};
    bool end = false;

    vmr_trace_source_memory(&memory, &source);
    if (vmr_trace_reader_create(&source, &options, &reader, &err)) {
        CONF_CHECK(conf, err.message[0] != '\0', "refused without a word");
        return false;
    }
    while (!end && vmr_trace_reader_next(reader, &record, &end, &err) == VMR_OK)
        ;
    CONF_CHECK(conf, end || err.message[0] != '\0', "an error without a word");
    vmr_trace_reader_get_info(reader, ret_info);
    vmr_trace_reader_destroy(reader);
    return true;
}

static void check_cut(struct conf *conf, const struct tape *tape, uint64_t records)
{
    struct vmr_trace_info info = {0};
    uint64_t before = 0;

    for (size_t length = 0; length < tape->length; length += tape->length / 50 + 1) {
        if (!read_all(conf, tape->bytes, length, &info))
            continue;
        CONF_CHECK(conf, info.cut, "a trace cut at %zu of %zu says that it is whole", length, tape->length);
        CONF_CHECK(conf, info.records >= before && info.records <= records, "%llu records of %llu bytes",
                   (unsigned long long)info.records, (unsigned long long)length);
        before = info.records;
    }
    CONF_CHECK(conf, before > 0, "nothing of a cut trace can be read");
}

static void check_flipped(struct conf *conf, struct tape *tape, uint64_t records)
{
    struct vmr_trace_info info = {0};
    unsigned noticed = 0, tried = 0;

    for (size_t at = 100; at < tape->length; at += tape->length / 40 + 1, tried++) {
        tape->bytes[at] ^= 0x20;
        if (!read_all(conf, tape->bytes, tape->length, &info)) {
            noticed++;
        } else {
            noticed += info.damages > 0 || info.cut;
            CONF_CHECK(conf, info.records <= records, "%llu records came of %llu", (unsigned long long)info.records,
                       (unsigned long long)records);
            CONF_CHECK(conf, info.damages == 0 || info.first_damage <= at, "damage at %zu is reported at %llu", at,
                       (unsigned long long)info.first_damage);
        }
        tape->bytes[at] ^= 0x20;
    }
    CONF_CHECK_EQ(conf, noticed, tried, "bits whose loss was noticed");
}

static void damaged(struct conf *conf)
{
    struct session recorded;
    CONF_CLEANUP(tape_free) struct tape tape = {0};
    struct vmr_trace_info info = {0};

    if (record(conf, &recorded, &long_worker, &tape)) {
        CONF_CHECK(conf, read_all(conf, tape.bytes, tape.length, &info) && !info.cut && info.damages == 0,
                   "a whole trace is damaged");
        CONF_CHECK(conf, info.exits >= 2u * LONG_ROUNDS && tape.length > VMR_TRACE_BLOCK_BYTES_MAX,
                   "%llu exits, %zu bytes", (unsigned long long)info.exits, tape.length);
        check_cut(conf, &tape, info.records);
        check_flipped(conf, &tape, info.records);
    }
}

/* --- refused --- */

static void refused_by_name(struct conf *conf)
{
    CONF_CLEANUP(tape_free) struct tape tape = {0};
    const struct vmr_recorder_options options = {.sink = tape_sink(&tape), .codec = VMR_TRACE_CODEC_NONE};
    struct vmr_hypervisor_handle handle = {.fd = 55};
    struct vmr_recorder *recorder = NULL;
    struct vmr_host host = {.context = &tape};
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vmr_recorder_create(&options, &recorder, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf,
               vmr_recorder_wrap(recorder, conf->handle, conf->host, &handle, &host, &err) == VMR_E_UNSUPPORTED &&
                   handle.fd == 55 && host.context == &tape,
               "interrupt controllers in the hypervisor are recorded");
    CONF_CHECK(conf, strstr(err.message, "interrupt controllers") != NULL, "the feature is not named: %s", err.message);
    vmr_recorder_destroy(recorder);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_recording_replays_without_the_hypervisor",
     .family = "trace",
     .clauses = "TRC-1 PROG-1",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = record_and_replay},
    {.name = "the_recording_of_a_replay_is_the_recording",
     .family = "trace",
     .clauses = "TRC-3",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = fixed_point},
    {.name = "the_first_divergence_is_named_with_both_sides",
     .family = "trace",
     .ids = "S24",
     .clauses = "TRC-2 TRC-6",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = diverges},
    {.name = "a_replay_runs_the_library_not_its_recorded_reactions",
     .family = "trace",
     .clauses = "TRC-1",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = inputs_only},
    {.name = "what_comes_in_from_outside_is_brought_again",
     .family = "trace",
     .clauses = "TRC-7",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = input_comes_again},
    {.name = "a_damaged_trace_is_read_up_to_the_damage",
     .family = "trace",
     .clauses = "TRC-4",
     .needs = CONF_CAP(RECORDABLE),
     .chip = CONF_CHIP_ANY,
     .run = damaged},
    {.name = "what_a_recorder_cannot_see_is_refused_by_name",
     .family = "trace",
     .clauses = "TRC-5 ERR-1 ERR-2",
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = refused_by_name},
};

CONF_FAMILY(trace, scenarios);
