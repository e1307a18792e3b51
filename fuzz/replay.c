/* SPDX-License-Identifier: MIT */
/*
 * Recordings that a person wrote: a machine of one to four VPs plays the lines,
 * under a host that runs its threads one at a time and knows when all of them
 * wait. Every replay ends, whatever the lines say, with a status. [TRC-2]
 *
 *   2i0                the VPs, `i` inputs only or `c` reactions checked, how threads are ordered
 *   vp0 enter          records as in a text trace, without their numbers
 *   vp0 exit halt
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/bytes.h"
#include "vmrig/machine.h"
#include "vmrig/mock.h"

#define VPS_MAX 4u
#define FIRMWARE_BYTES 0x10000u
#define TEXT_MAX (1u << 20)
/* A replay of a few hundred lines comes to some ten thousand points. */
#define POINTS_MAX 400000u
/* Numbers of the lines: behind those of the prefix. */
#define SEQUENCE_FIRST 1000u
#define STARTS_MAX 3u

static const uint8_t firmware[FIRMWARE_BYTES];

static struct vmr_machine_options machine_options(const struct vmr_hypervisor_handle *handle,
                                                  const struct vmr_host *host, uint32_t vps)
{
    return (struct vmr_machine_options){
        .handle = handle,
        .host = host,
        .memory_size = VMR_MACHINE_MEMORY_GRANULE,
        .vps = vps,
        .firmware = firmware,
        .firmware_size = sizeof(firmware),
        .rtc_epoch_s = UINT64_C(1704067200),
    };
}

static void run_scheduled(const struct vmr_scheduler_options *options,
                          void (*body)(void *context, const struct vmr_host *host), void *context);

/* --- the prefix: what is recorded when such a machine is made --- */

struct recording {
    uint32_t vps;
    struct bytes trace;
};

static void record(void *context, const struct vmr_host *host)
{
    struct recording *recording = context;
    const struct vmr_recorder_options options = {.sink = bytes_sink(&recording->trace), .codec = VMR_TRACE_CODEC_NONE};
    struct vmr_hypervisor_handle handle, wrapped;
    struct vmr_backend_set set;
    struct vmr_host wrapped_host;
    struct vmr_recorder *recorder = NULL;
    struct vmr_machine *machine = NULL;

    vmr_backend_set_init(&set);
    FUZZ_CHECK(vmr_probe_named(&set, "mock:profile=kvm-like", &handle, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_recorder_create(&options, &recorder, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_recorder_wrap(recorder, &handle, host, &wrapped, &wrapped_host, NULL) == VMR_OK);
    const struct vmr_machine_options machine_made = machine_options(&wrapped, &wrapped_host, recording->vps);

    FUZZ_CHECK(vmr_machine_create(&machine_made, &machine, NULL) == VMR_OK);
    vmr_machine_destroy(machine);
    FUZZ_CHECK(vmr_recorder_finish(recorder, NULL) == VMR_OK);
    vmr_recorder_destroy(recorder);
    vmr_handle_close(&handle);
}

static void to_text(const struct bytes *trace, bool inputs_only, struct bytes *ret_text)
{
    const struct vmr_trace_cut_options cut_options = {.inputs_only = inputs_only, .codec = VMR_TRACE_CODEC_NONE};
    struct bytes cut = {.limit = TEXT_MAX};
    struct vmr_trace_memory memory = {.bytes = trace->at, .length = trace->length};
    struct vmr_trace_sink sink = bytes_sink(&cut);
    struct vmr_trace_source source;

    vmr_trace_source_memory(&memory, &source);
    FUZZ_CHECK(vmr_trace_cut(&source, &cut_options, &sink, NULL, NULL) == VMR_OK);
    memory = (struct vmr_trace_memory){.bytes = cut.at, .length = cut.length};
    sink = bytes_sink(ret_text);
    FUZZ_CHECK(vmr_trace_print(&source, &sink, NULL, NULL) == VMR_OK);
    bytes_finish(&cut);
    /* Without its last line, "end": more follows. */
    FUZZ_CHECK(ret_text->length > 4 && memcmp(ret_text->at + ret_text->length - 4, "end\n", 4) == 0);
    ret_text->length -= 4;
}

/* Made once for each kind of machine: it is a function of its arguments. */
static const struct bytes *prefix_of(uint32_t vps, bool inputs_only)
{
    static struct bytes prefixes[VPS_MAX][2];
    struct bytes *prefix = &prefixes[vps - 1][inputs_only];
    struct recording recording = {.vps = vps, .trace = {.limit = TEXT_MAX}};
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1};

    if (prefix->length == 0) {
        prefix->limit = TEXT_MAX;
        run_scheduled(&options, record, &recording);
        to_text(&recording.trace, inputs_only, prefix);
        bytes_finish(&recording.trace);
    }
    return prefix;
}

/* --- the replay --- */

struct play {
    uint32_t vps;
    struct bytes text;
    struct vmr_replay *replay;
    struct vmr_machine *machine;
    struct vmr_replay_result result;
};

static void stop_all(void *context)
{
    const struct play *play = context;

    if (play->machine)
        vmr_machine_request_stop(play->machine);
}

static void stop_vp(void *context, vmr_vp_index vp)
{
    FUZZ_CHECK(vp < ((const struct play *)context)->vps);
    stop_all(context);
}

/* An embedder that lets its guest run on after a halt. */
static void run_machine(struct play *play)
{
    for (unsigned i = 0; i < STARTS_MAX && !play->result.ended; i++) {
        struct vmr_vp_set_halt halt;

        if (vmr_machine_start(play->machine) != VMR_OK)
            break; /* a VP has failed */
        enum vmr_status status = vmr_machine_wait(play->machine, VMR_NEVER, &halt);

        FUZZ_CHECK(status == VMR_OK || status == VMR_E_DEADLOCK || status == VMR_E_STATE);
        FUZZ_ANY(vmr_machine_stop(play->machine));
        vmr_replay_get_result(play->replay, &play->result);
        if (play->result.status != VMR_OK)
            break;
    }
}

static void play_all(void *context, const struct vmr_host *host)
{
    struct play *play = context;
    const struct vmr_replay_options options = {.stop = stop_vp, .end = stop_all, .context = play};
    struct vmr_trace_memory memory = {.bytes = play->text.at, .length = play->text.length};
    struct vmr_hypervisor_handle handle;
    struct vmr_trace_source source;
    struct vmr_host replay_host;

    vmr_trace_source_memory(&memory, &source);
    if (vmr_replay_create(&source, &options, &play->replay, NULL) != VMR_OK)
        return;
    FUZZ_CHECK(vmr_replay_attach(play->replay, host, &handle, &replay_host, NULL) == VMR_OK);
    const struct vmr_machine_options machine = machine_options(&handle, &replay_host, play->vps);

    if (vmr_machine_create(&machine, &play->machine, NULL) == VMR_OK) {
        vmr_replay_set_partition(play->replay, vmr_machine_partition(play->machine));
        run_machine(play);
    }
    vmr_replay_get_result(play->replay, &play->result);
    FUZZ_CHECK(play->result.status < VMR_STATUS_COUNT);
    FUZZ_CHECK(play->result.status == VMR_OK || play->result.error.message[0] != '\0');
    struct vmr_machine *machine_made = play->machine;

    play->machine = NULL;
    vmr_machine_destroy(machine_made);
    vmr_replay_destroy(play->replay);
}

/* --- threads, one at a time --- */

struct scheduled {
    void (*body)(void *context, const struct vmr_host *host);
    void *context;
    struct vmr_host host;
};

/*
 * The scheduler knows when all threads wait, and tells one of them, which ends
 * in order then. Under any other host it would wait for ever.
 */
static const struct vmr_host_ops *scheduler_ops;

static enum vmr_park_result park_or_fail(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    enum vmr_park_result result = scheduler_ops->park(context, parker, deadline_ns);

    if (result == VMR_PARK_DEADLOCK)
        FUZZ_NEVER("all threads wait, with no deadline");
    return result;
}

static void call_body(void *argument)
{
    struct scheduled *scheduled = argument;

    scheduled->body(scheduled->context, &scheduled->host);
}

static void run_scheduled(const struct vmr_scheduler_options *options,
                          void (*body)(void *context, const struct vmr_host *host), void *context)
{
    struct scheduled scheduled = {.body = body, .context = context};
    struct vmr_scheduler *scheduler = NULL;

    FUZZ_CHECK(vmr_scheduler_create(options, &scheduler, NULL) == VMR_OK);
    vmr_scheduler_host(scheduler, &scheduled.host);
    scheduler_ops = scheduled.host.ops;
    struct vmr_host_ops ops = *scheduler_ops;

    ops.park = park_or_fail;
    scheduled.host.ops = &ops;
    enum vmr_schedule_end end = vmr_scheduler_run(scheduler, call_body, &scheduled);

    FUZZ_CHECK(end != VMR_SCHEDULE_DEADLOCK);
    FUZZ_CHECK(end != VMR_SCHEDULE_LIVELOCK);
    vmr_scheduler_destroy(scheduler);
}

/* Puts a number before each line that is not empty or a comment. */
static bool append_lines(struct bytes *text, const uint8_t *data, size_t size)
{
    char number[24];

    for (unsigned sequence = SEQUENCE_FIRST; size > 0; sequence++) {
        const uint8_t *newline = memchr(data, '\n', size);
        size_t length = newline ? (size_t)(newline - data) : size;
        int digits = snprintf(number, sizeof(number), "%u ", sequence);
        bool is_end = length == 3 && memcmp(data, "end", 3) == 0;

        if (length > 0 && data[0] != '#' && !is_end && !bytes_append(text, number, (size_t)digits))
            return false;
        if (!bytes_append(text, data, length) || !bytes_append(text, "\n", 1))
            return false;
        data += newline ? length + 1 : length;
        size -= newline ? length + 1 : length;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 3 && size <= FUZZ_INPUT_MAX ? memchr(data, '\n', size) : NULL;

    if (!newline || newline < data + 3)
        return 0;
    struct play play = {.vps = 1u + ((data[0] - (unsigned)'1') & 3u), .text = {.limit = TEXT_MAX}};
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = data[2], .step_max = POINTS_MAX};
    const struct bytes *prefix = prefix_of(play.vps, data[1] == 'i');
    size_t head = (size_t)(newline - data) + 1;

    FUZZ_CHECK(bytes_append(&play.text, prefix->at, prefix->length));
    FUZZ_CHECK(append_lines(&play.text, data + head, size - head));
    run_scheduled(&options, play_all, &play);
    bytes_finish(&play.text);
    return 0;
}
