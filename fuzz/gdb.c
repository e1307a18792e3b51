/* SPDX-License-Identifier: MIT */
/*
 * What comes from GDB: each line a packet with a good frame around it, or, behind
 * a "!", bytes as they are. Whatever they ask of two VPs on the mock, what is sent
 * is packets and acknowledgements, as many as there should be. [DBG-5] [DBG-6]
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "vmrig/gdb.h"
#include "vmrig/mock.h"

#define VPS 2u
#define RAM_BYTES UINT64_C(0x200000)
#define LINES_MAX 64u
/* More than any program here takes. */
#define PATIENCE_NS UINT64_C(1000000)

/* A step takes memory, reads and writes it, and goes on; one sleeps, and one ends the guest. */
static const struct vmr_step first_steps[] = {
    VMR_NOP(), VMR_STORE(0x100000, 4, 7), VMR_LOAD(0, 0x100000, 4), VMR_OUT(0x700, 4, 1), VMR_NOP(), VMR_END()};
static const struct vmr_step second_steps[] = {VMR_NOP(), VMR_STORE(0x100008, 8, 7), VMR_HLT(), VMR_END()};
static const struct vmr_program programs[VPS] = {
    {.name = "first", .steps = first_steps, .count = sizeof(first_steps) / sizeof(first_steps[0])},
    {.name = "second", .steps = second_steps, .count = sizeof(second_steps) / sizeof(second_steps[0])},
};

/* What was sent, read as GDB reads it. */
struct listener {
    uint8_t place; /* 0: between packets, 1: in one, 2 and 3: in its checksum */
    uint8_t sum, stated;
    size_t length;
    unsigned packets, acks;
};

struct rig {
    const uint8_t *data;
    size_t size;
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_partition *partition;
    struct vmr_vp_io io;
    struct vmr_vp_set *set;
    struct vmr_gdb *gdb;
    struct listener heard;
    bool without_acks;
};

static uint8_t digit(uint8_t byte)
{
    FUZZ_CHECK((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'));
    return byte <= '9' ? (uint8_t)(byte - '0') : (uint8_t)(byte - 'a' + 10);
}

static void hear_byte(struct listener *heard, uint8_t byte)
{
    switch (heard->place) {
    case 0:
        FUZZ_CHECK(byte == '+' || byte == '-' || byte == '$');
        heard->acks += byte != '$';
        heard->place = byte == '$';
        heard->sum = 0;
        heard->length = 0;
        break;
    case 1:
        FUZZ_CHECK(byte != '$' && byte != '}' && byte != '*');
        heard->place = byte == '#' ? 2 : 1;
        heard->sum = (uint8_t)(heard->sum + (byte == '#' ? 0 : byte));
        FUZZ_CHECK(++heard->length <= VMR_GDB_PACKET_MAX + 1);
        break;
    case 2:
        heard->stated = (uint8_t)(digit(byte) << 4);
        heard->place = 3;
        break;
    default:
        FUZZ_CHECK((heard->stated | digit(byte)) == heard->sum);
        heard->packets++;
        heard->place = 0;
        break;
    }
}

static void hear(void *context, const uint8_t *bytes, size_t length)
{
    struct rig *rig = context;

    for (size_t i = 0; i < length; i++)
        hear_byte(&rig->heard, bytes[i]);
}

static enum vmr_exit_action end_guest(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                      enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp;
    if (vp_exit->kind != VMR_EXIT_IO || vp_exit->u.io.port != VMR_PROGRAM_PORT_END)
        return VMR_EXIT_DEFAULT;
    *ret_reason = VMR_HALT_POWER_OFF;
    return VMR_EXIT_HALT_VP;
}

static void rig_begin(struct rig *rig)
{
    static const uint8_t top[] = {0x03, 0x10, 0, 0, 0, 0, 0, 0}, pages[] = {0x83, 0, 0, 0, 0, 0, 0, 0};
    const struct vmr_memory_region ram = {.size = RAM_BYTES};
    const struct vmr_proto_options proto_options = {.host = &rig->host, .vp_count = VPS};
    struct vmr_backend_set backends;
    struct vmr_proto *proto = NULL;

    vmr_backend_set_init(&backends);
    FUZZ_CHECK(vmr_probe_named(&backends, "mock", &rig->handle, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_create(&rig->host, &rig->memory, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_region_add(rig->memory, &ram, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_write(rig->memory, 0, top, sizeof(top)) == VMR_OK);
    FUZZ_CHECK(vmr_memory_write(rig->memory, 0x1000, pages, sizeof(pages)) == VMR_OK);
    const struct vmr_partition_options options = {.memory = rig->memory};

    FUZZ_CHECK(vmr_proto_create(&rig->handle, &proto_options, &proto, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_proto_build(&proto, &options, &rig->partition, NULL) == VMR_OK);
    for (vmr_vp_index vp = 0; vp < VPS; vp++)
        FUZZ_CHECK(vmr_mock_load_program(vmr_mock_of(rig->partition), vp, &programs[vp], NULL) == VMR_OK);
    rig->io.exit = end_guest;
    const struct vmr_vp_set_options set_options = {.io = &rig->io};

    FUZZ_CHECK(vmr_vp_set_create(rig->partition, &set_options, &rig->set, NULL) == VMR_OK);
    const struct vmr_gdb_options gdb_options = {.set = rig->set, .send = hear, .context = rig};

    FUZZ_CHECK(vmr_gdb_create(&gdb_options, &rig->gdb, NULL) == VMR_OK);
}

static void rig_end(struct rig *rig)
{
    vmr_gdb_destroy(rig->gdb);
    vmr_vp_set_destroy(rig->set);
    FUZZ_CHECK(vmr_partition_destroy(rig->partition) == VMR_OK);
    vmr_memory_destroy(rig->memory);
    vmr_handle_close(&rig->handle);
}

/* Lets the VPs run until they halt; those that only sleep are interrupted. */
static enum vmr_gdb_state run(struct rig *rig)
{
    static const uint8_t interrupt = 3;
    enum vmr_gdb_state state = VMR_GDB_RUNNING;

    while (state == VMR_GDB_RUNNING) {
        uint64_t now_ns = rig->host.ops->now_ns(rig->host.context);
        struct vmr_vp_set_halt halt;
        unsigned packets = rig->heard.packets;

        FUZZ_CHECK(vmr_vp_set_wait(rig->set, now_ns + PATIENCE_NS, &halt) == VMR_OK);
        if (halt.result.reason == VMR_HALT_NONE)
            (void)vmr_gdb_receive(rig->gdb, &interrupt, 1);
        state = vmr_gdb_halted(rig->gdb, &halt);
        FUZZ_CHECK(rig->heard.packets == packets + (state != VMR_GDB_RUNNING));
    }
    return state;
}

/* A packet to a stub at rest: it is acknowledged, and answered unless VPs run now. */
static enum vmr_gdb_state give_packet(struct rig *rig, const uint8_t *payload, size_t length)
{
    static const char digits[] = "0123456789abcdef", silence[] = "QStartNoAckMode";
    uint8_t frame[FUZZ_INPUT_MAX + 4], sum = 0;
    unsigned packets = rig->heard.packets, acks = rig->heard.acks;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + payload[i]);
    frame[0] = '$';
    memcpy(frame + 1, payload, length);
    memcpy(frame + 1 + length, (uint8_t[3]){'#', (uint8_t)digits[sum >> 4], (uint8_t)digits[sum & 15]}, 3);
    enum vmr_gdb_state state = vmr_gdb_receive(rig->gdb, frame, length + 4);

    /* A payload with marks of its own is another packet, or several. */
    if (memchr(payload, '$', length) || memchr(payload, '#', length) || memchr(payload, '}', length))
        return state;
    FUZZ_CHECK(rig->heard.packets == packets + (state != VMR_GDB_RUNNING));
    FUZZ_CHECK(rig->heard.acks == acks + !rig->without_acks);
    rig->without_acks |= length == sizeof(silence) - 1 && memcmp(payload, silence, length) == 0;
    return state;
}

static void give_lines(struct rig *rig)
{
    const uint8_t *at = rig->data, *end = rig->data + rig->size;
    enum vmr_gdb_state state = VMR_GDB_STOPPED;
    bool raw = false;

    for (unsigned i = 0; i < LINES_MAX && at < end && state == VMR_GDB_STOPPED; i++) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *stop = newline ? newline : end;

        /* Bytes may end inside a packet, or have asked for silence: what comes then is not judged so closely. */
        raw |= *at == '!';
        if (raw)
            state = vmr_gdb_receive(rig->gdb, at + (*at == '!'), (size_t)(stop - at) - (*at == '!'));
        else
            state = give_packet(rig, at, (size_t)(stop - at));
        FUZZ_CHECK(rig->heard.place == 0);
        if (state == VMR_GDB_RUNNING)
            state = run(rig);
        at = stop + (newline != NULL);
    }
}

static void body(void *argument)
{
    struct rig *rig = argument;

    rig_begin(rig);
    give_lines(rig);
    rig_end(rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1};
    struct rig rig = {.data = data, .size = size};
    struct vmr_scheduler *scheduler;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    FUZZ_CHECK(vmr_scheduler_create(&options, &scheduler, NULL) == VMR_OK);
    vmr_scheduler_host(scheduler, &rig.host);
    FUZZ_CHECK(vmr_scheduler_run(scheduler, body, &rig) == VMR_SCHEDULE_DONE);
    vmr_scheduler_destroy(scheduler);
    return 0;
}
