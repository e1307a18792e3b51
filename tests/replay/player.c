/* SPDX-License-Identifier: MIT */
/*
 * Playing: the machine of the metadata on the replay's handle and host, with a
 * recorder between them if the replay is to be recorded.
 */

#include "tests/replay/player.h"

#include <stdlib.h>
#include <string.h>

#include "vmrig/machine.h"

#define FIRMWARE_MAX 0x1000000u
#define META_MAX 16u

struct player {
    struct played *played;
    struct vmr_trace_memory memory;
    struct vmr_trace_source source;
    struct vmr_replay *replay;
    struct vmr_recorder *recorder;
    struct vmr_host process_host, replay_host;
    struct vmr_hypervisor_handle replay_handle;
    struct vmr_hypervisor_handle handle; /* these two make the machine: the replay's, or the recorder's around them */
    struct vmr_host host;
    void *firmware;
    struct vmr_machine *machine;
};

static void request_stop(void *context)
{
    const struct player *player = context;

    if (player->machine)
        vmr_machine_request_stop(player->machine);
}

static void stop_vp(void *context, vmr_vp_index vp)
{
    (void)vp;
    request_stop(context);
}

static void print(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    (void)source;
    bytes_append(context, bytes, length);
}

/* --- recording what the replay does --- */

/* The metadata and the compression of the trace that is played. */
static enum vmr_status create_recorder(struct player *player, const struct bytes *trace, struct vmr_error *err)
{
    struct vmr_trace_memory memory = {.bytes = trace->at, .length = trace->length};
    struct vmr_trace_source source;
    struct vmr_trace_reader *reader = NULL;
    struct vmr_trace_info info;
    struct vmr_trace_meta meta[META_MAX];
    size_t count = 0;

    vmr_trace_source_memory(&memory, &source);
    enum vmr_status status = vmr_trace_reader_create(&source, NULL, &reader, err);

    if (status != VMR_OK)
        return status;
    vmr_trace_reader_get_info(reader, &info);
    while (count < META_MAX && vmr_trace_reader_get_meta(reader, count, &meta[count]))
        count++;
    const struct vmr_recorder_options options = {
        .sink = bytes_sink(&player->played->recording), .codec = info.codec, .meta = meta, .meta_count = count};

    status = vmr_recorder_create(&options, &player->recorder, err);
    vmr_trace_reader_destroy(reader);
    return status;
}

static enum vmr_status record(struct player *player, const struct bytes *trace, struct vmr_error *err)
{
    enum vmr_status status = create_recorder(player, trace, err);

    if (status != VMR_OK)
        return status;
    return vmr_recorder_wrap(player->recorder, &player->replay_handle, &player->replay_host, &player->handle,
                             &player->host, err);
}

/* --- the machine --- */

static uint64_t number(const struct player *player, const char *key, uint64_t max)
{
    const char *text = vmr_replay_meta(player->replay, key);
    uint64_t value = text ? strtoull(text, NULL, 10) : 0;

    return value <= max ? value : max;
}

static enum vmr_status create_machine(struct player *player, struct vmr_error *err)
{
    struct vmr_machine_options options = {
        .handle = &player->handle,
        .host = &player->host,
        .memory_size = number(player, "memory", UINT64_C(1) << 30),
        .vps = (uint32_t)number(player, "vps", VMR_VP_COUNT_MAX),
        .firmware_size = (size_t)number(player, "firmware-size", FIRMWARE_MAX),
        .rtc_epoch_s = number(player, "rtc-epoch", INT64_MAX),
        .console = {.write = print, .context = &player->played->console},
    };

    /* Its bytes are never looked at: the guest is a recording. */
    player->firmware = calloc(1, options.firmware_size + 1);
    options.firmware = player->firmware;
    enum vmr_status status = vmr_machine_create(&options, &player->machine, err);

    if (status == VMR_OK)
        vmr_replay_set_partition(player->replay, vmr_machine_partition(player->machine));
    return status;
}

static enum vmr_status prepare(struct player *player, const struct bytes *trace, const struct player_options *options)
{
    const struct vmr_replay_options replaying = {.stop = stop_vp, .end = request_stop, .context = player};
    struct vmr_error *err = &player->played->err;

    vmr_trace_source_memory(&player->memory, &player->source);
    enum vmr_status status = vmr_replay_create(&player->source, &replaying, &player->replay, err);

    if (status == VMR_OK)
        status =
            vmr_replay_attach(player->replay, &player->process_host, &player->replay_handle, &player->replay_host, err);
    player->handle = player->replay_handle;
    player->host = player->replay_host;
    if (status == VMR_OK && options && options->record)
        status = record(player, trace, err);
    if (status == VMR_OK)
        status = create_machine(player, err);
    return status;
}

static enum vmr_status run(struct player *player)
{
    struct vmr_vp_set_halt halt;
    enum vmr_status status = vmr_machine_start(player->machine);

    if (status == VMR_OK)
        status = vmr_machine_wait(player->machine, VMR_NEVER, &halt);
    enum vmr_status stopped = vmr_machine_stop(player->machine);

    return status == VMR_OK ? stopped : status;
}

static void finish(struct player *player)
{
    struct played *played = player->played;

    vmr_machine_destroy(player->machine);
    if (player->recorder && played->status == VMR_OK)
        played->status = vmr_recorder_finish(player->recorder, &played->err);
    vmr_recorder_destroy(player->recorder);
    vmr_replay_destroy(player->replay);
    free(player->firmware);
}

void player_play(const struct bytes *trace, const struct player_options *options, struct played *ret_played)
{
    struct player player = {.played = ret_played, .memory = {.bytes = trace->at, .length = trace->length}};

    *ret_played = (struct played){0};
    bytes_append(&ret_played->console, "", 0);
    vmr_host_posix(&player.process_host, NULL);
    ret_played->status = prepare(&player, trace, options);
    if (ret_played->status == VMR_OK)
        ret_played->status = run(&player);
    if (player.replay) {
        vmr_replay_get_result(player.replay, &ret_played->result);
        /* A machine that could not be made as recorded says so in the replay's words. */
        if (ret_played->result.status != VMR_OK) {
            ret_played->status = ret_played->result.status;
            ret_played->err = ret_played->result.error;
        }
    }
    finish(&player);
}

void played_finish(struct played *played)
{
    bytes_finish(&played->console);
    bytes_finish(&played->recording);
}

bool played_well(const struct played *played)
{
    return played->status == VMR_OK && played->result.status == VMR_OK && played->result.ended && !played->result.cut;
}
