/* SPDX-License-Identifier: MIT */
/*
 * The 8254 of a PC: three counters, and port 0x61, through which the guest
 * gates and watches the third. The rising edges of counter 0 are line 0.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/pit_channel.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define PORT_BASE 0x40u
#define PORT_COUNT 4u
#define PORT_CONTROL 3u
#define PORT_SPEAKER 0x61u
#define CHANNEL_COUNT VMR_PIT_CHANNELS
#define SPEAKER_CHANNEL 2u

#define READ_BACK 3u /* the counter number that makes a control word a read-back command */

/* Port 0x61 (PC/AT technical reference, "System Board I/O"). */
#define SPEAKER_GATE 0x01u
#define SPEAKER_MASK 0x0fu
#define SPEAKER_REFRESH 0x10u /* toggles with each refresh of memory */
#define SPEAKER_OUT 0x20u
#define REFRESH_TICKS 18u /* 15 us */

#define NS_PER_SECOND UINT64_C(1000000000)

struct vmr_pit {
    const struct vmr_host *host;
    struct sync_mutex lock;
    struct irq_line line;
    struct vmr_timer_sink timer;
    struct vmr_bus *ports;
    struct pit_channel channels[CHANNEL_COUNT];
    uint8_t speaker;
    bool started;
    uint64_t base_ns;             /* tick 0 */
    uint64_t now;                 /* the latest tick seen */
    uint64_t polled;              /* edges of counter 0 up to here have been told */
    _Atomic uint64_t deadline_ns; /* of the next one */
};

/* Whole seconds apart, so that neither product leaves 64 bits. */
static uint64_t ticks_of(uint64_t ns)
{
    return ns / NS_PER_SECOND * VMR_PIT_HZ + ns % NS_PER_SECOND * VMR_PIT_HZ / NS_PER_SECOND;
}

/* The first nanosecond at which ticks_of gives `ticks`. */
static uint64_t ns_of(uint64_t ticks)
{
    return ticks / VMR_PIT_HZ * NS_PER_SECOND + (ticks % VMR_PIT_HZ * NS_PER_SECOND + VMR_PIT_HZ - 1) / VMR_PIT_HZ;
}

/* Other VPs may have looked at the clock since `now_ns` was read: time stands still then. */
static void advance(struct vmr_pit *pit, uint64_t now_ns)
{
    if (!pit->started) {
        pit->started = true;
        pit->base_ns = now_ns;
    }

    uint64_t now = now_ns > pit->base_ns ? ticks_of(now_ns - pit->base_ns) : 0;

    if (now > pit->now)
        pit->now = now;
}

/* Tells the edges that have come, and when the next one will. */
static void update(struct vmr_pit *pit)
{
    uint64_t edge;
    uint64_t deadline_ns = VMR_NEVER;
    bool is_due = pit_channel_next_edge(&pit->channels[0], pit->polled, &edge) && edge <= pit->now;

    if (is_due)
        irq_line_edge(&pit->line);
    pit->polled = pit->now;
    /* A base that came from outside may lie anywhere. */
    if (pit_channel_next_edge(&pit->channels[0], pit->now, &edge) && ns_of(edge) <= VMR_NEVER - pit->base_ns)
        deadline_ns = pit->base_ns + ns_of(edge);
    sync_store_u64(pit->host, &pit->deadline_ns, deadline_ns);
}

static void read_back(struct vmr_pit *pit, uint8_t word)
{
    for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
        if ((word & 2u << i) == 0)
            continue;
        /* Both bits are active low. */
        if ((word & 0x20u) == 0)
            pit_channel_latch_count(&pit->channels[i], pit->now);
        if ((word & 0x10u) == 0)
            pit_channel_latch_status(&pit->channels[i], pit->now);
    }
}

static void write_control(struct vmr_pit *pit, uint8_t word)
{
    unsigned number = word >> 6;

    if (number == READ_BACK) {
        read_back(pit, word);
        return;
    }
    if ((word >> 4 & 3u) == PIT_LATCH) {
        pit_channel_latch_count(&pit->channels[number], pit->now);
        return;
    }
    pit_channel_control(&pit->channels[number], word);
    /* Mode 0 pulls its output down until the count has run out; the others let it rise only by counting. */
    if (number == 0 && pit->channels[0].mode == 0)
        irq_line_set(&pit->line, false);
}

static uint8_t read_speaker(struct vmr_pit *pit)
{
    uint8_t value = pit->speaker;

    if (pit->now / REFRESH_TICKS % 2 != 0)
        value |= SPEAKER_REFRESH;
    if (pit_channel_out(&pit->channels[SPEAKER_CHANNEL], pit->now))
        value |= SPEAKER_OUT;
    return value;
}

/* Returns, with the lock held, the deadline that the last poll gave. */
static uint64_t enter(struct vmr_pit *pit)
{
    uint64_t now_ns = pit->host->ops->now_ns(pit->host->context);

    sync_mutex_lock(&pit->lock);
    uint64_t before_ns = sync_load_u64(pit->host, &pit->deadline_ns);

    advance(pit, now_ns);
    update(pit);
    return before_ns;
}

/* Ends an access that began with `before_ns` as the deadline: returns without the lock. */
static void leave(struct vmr_pit *pit, uint64_t before_ns)
{
    bool sooner = sync_load_u64(pit->host, &pit->deadline_ns) < before_ns;

    irq_line_flush_unlock(&pit->line, &pit->lock);
    if (sooner && pit->timer.sooner)
        pit->timer.sooner(pit->timer.context);
}

static uint64_t counter_read(void *device, const struct vmr_access *access)
{
    struct vmr_pit *pit = device;
    uint8_t value = 0xff; /* the control port cannot be read */

    uint64_t before_ns = enter(pit);

    if (access->offset < CHANNEL_COUNT)
        value = pit_channel_read(&pit->channels[access->offset], pit->now);
    leave(pit, before_ns);
    return value;
}

static void counter_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_pit *pit = device;

    uint64_t before_ns = enter(pit);

    if (access->offset == PORT_CONTROL)
        write_control(pit, (uint8_t)value);
    else if (access->offset < CHANNEL_COUNT)
        pit_channel_write(&pit->channels[access->offset], (uint8_t)value, pit->now);
    update(pit);
    leave(pit, before_ns);
}

static uint64_t speaker_read(void *device, const struct vmr_access *access)
{
    struct vmr_pit *pit = device;

    (void)access;
    uint64_t before_ns = enter(pit);

    uint8_t value = read_speaker(pit);

    leave(pit, before_ns);
    return value;
}

static void speaker_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_pit *pit = device;

    (void)access;
    uint64_t before_ns = enter(pit);

    pit->speaker = (uint8_t)value & SPEAKER_MASK;
    pit_channel_set_gate(&pit->channels[SPEAKER_CHANNEL], (value & SPEAKER_GATE) != 0, pit->now);
    leave(pit, before_ns);
}

uint64_t vmr_pit_poll(struct vmr_pit *pit, uint64_t now_ns)
{
    uint64_t deadline_ns = sync_load_u64(pit->host, &pit->deadline_ns);

    if (now_ns < deadline_ns)
        return deadline_ns;
    sync_mutex_lock(&pit->lock);
    advance(pit, now_ns);
    update(pit);
    irq_line_flush_unlock(&pit->line, &pit->lock);
    return sync_load_u64(pit->host, &pit->deadline_ns);
}

static const struct vmr_device_ops counter_ops = {.read = counter_read, .write = counter_write};
static const struct vmr_device_ops speaker_ops = {.read = speaker_read, .write = speaker_write};

static enum vmr_status claim_ports(struct vmr_pit *pit, struct vmr_bus *ports, struct vmr_error *err)
{
    const struct vmr_bus_range counters = {
        .name = "timer", .start = PORT_BASE, .length = PORT_COUNT, .ops = &counter_ops, .device = pit};
    const struct vmr_bus_range speaker = {
        .name = "speaker", .start = PORT_SPEAKER, .length = 1, .ops = &speaker_ops, .device = pit};
    enum vmr_status status = vmr_bus_claim(ports, &counters, err);

    if (status != VMR_OK)
        return status;
    status = vmr_bus_claim(ports, &speaker, err);
    if (status != VMR_OK)
        claim_release(ports, PORT_BASE);
    return status;
}

enum vmr_status vmr_pit_create(const struct vmr_pit_options *options, struct vmr_bus *ports, struct vmr_pit **ret_pit,
                               struct vmr_error *err)
{
    if (!options->host)
        return vmr_error_set(err, VMR_E_USAGE, "timer: no host was given");

    struct vmr_pit *pit = calloc(1, sizeof(*pit));

    if (!pit || sync_mutex_init(&pit->lock, options->host) != VMR_OK) {
        free(pit);
        return vmr_error_set(err, VMR_E_NOMEM, "timer: out of memory");
    }
    pit->host = options->host;
    pit->timer = options->timer;
    atomic_init(&pit->deadline_ns, VMR_NEVER);
    irq_line_init(&pit->line, &options->irq, 0);
    for (unsigned i = 0; i < CHANNEL_COUNT; i++)
        pit_channel_init(&pit->channels[i], i != SPEAKER_CHANNEL);

    enum vmr_status status = claim_ports(pit, ports, err);

    if (status != VMR_OK) {
        sync_mutex_finish(&pit->lock);
        free(pit);
        return status;
    }
    pit->ports = ports;
    *ret_pit = pit;
    return VMR_OK;
}

void vmr_pit_destroy(struct vmr_pit *pit)
{
    if (!pit)
        return;
    claim_release(pit->ports, PORT_SPEAKER);
    claim_release(pit->ports, PORT_BASE);
    sync_mutex_finish(&pit->lock);
    free(pit);
}

/* --- state. The gates follow from the speaker port. --- */

/* Two centuries and more; the deadlines behind it still fit. */
#define TICK_MAX (UINT64_MAX / 2 / NS_PER_SECOND * VMR_PIT_HZ)

#define EACH(member, name, kind) VMR_STATE_EACH(struct vmr_pit_state, channels, member, "channel." name, kind)
static const struct vmr_state_field state_fields[] = {
    EACH(mode, "mode", VMR_FIELD_DECIMAL),
    EACH(access, "access", VMR_FIELD_DECIMAL),
    EACH(bcd, "bcd", VMR_FIELD_FLAG),
    EACH(counting, "counting", VMR_FIELD_FLAG),
    EACH(reload, "reload", VMR_FIELD_DECIMAL),
    EACH(next_reload, "next-reload", VMR_FIELD_DECIMAL),
    EACH(start, "start", VMR_FIELD_DECIMAL),
    EACH(paused, "paused", VMR_FIELD_DECIMAL),
    EACH(high_byte_next, "high-byte-next", VMR_FIELD_FLAG),
    EACH(low_byte, "low-byte", VMR_FIELD_HEX),
    EACH(read_high_next, "read-high-next", VMR_FIELD_FLAG),
    EACH(count_latched, "count-latched", VMR_FIELD_FLAG),
    EACH(status_latched, "status-latched", VMR_FIELD_FLAG),
    EACH(latched_count, "latched-count", VMR_FIELD_HEX),
    EACH(latched_status, "latched-status", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_pit_state, speaker, "speaker", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_pit_state, line, "line", VMR_FIELD_FLAG),
    VMR_STATE_FIELD(struct vmr_pit_state, started, "started", VMR_FIELD_FLAG),
    VMR_STATE_FIELD(struct vmr_pit_state, base_ns, "base-ns", VMR_FIELD_TIME),
    VMR_STATE_FIELD(struct vmr_pit_state, tick, "tick", VMR_FIELD_DECIMAL),
};

const struct vmr_state_type pit_state_type = {
    .name = "pit",
    .version = 1,
    .size = sizeof(struct vmr_pit_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static void get_channel(const struct pit_channel *channel, struct vmr_pit_channel_state *ret_state)
{
    ret_state->mode = channel->mode;
    ret_state->access = channel->access;
    ret_state->bcd = channel->bcd;
    ret_state->counting = channel->counting;
    ret_state->reload = channel->reload;
    ret_state->next_reload = channel->next_reload;
    ret_state->start = channel->start;
    ret_state->paused = channel->paused;
    ret_state->high_byte_next = channel->high_byte_next;
    ret_state->low_byte = channel->low_byte;
    ret_state->read_high_next = channel->read_high_next;
    ret_state->count_latched = channel->count_latched;
    ret_state->status_latched = channel->status_latched;
    ret_state->latched_count = channel->latched_count;
    ret_state->latched_status = channel->latched_status;
}

static struct pit_channel make_channel(const struct vmr_pit_channel_state *state, bool gate)
{
    return (struct pit_channel){
        .mode = state->mode,
        .access = state->access,
        .bcd = state->bcd,
        .gate = gate,
        .counting = state->counting,
        .reload = state->reload,
        .next_reload = state->next_reload,
        .start = state->start,
        .paused = state->paused,
        .high_byte_next = state->high_byte_next,
        .low_byte = state->low_byte,
        .read_high_next = state->read_high_next,
        .count_latched = state->count_latched,
        .status_latched = state->status_latched,
        .latched_count = state->latched_count,
        .latched_status = state->latched_status,
    };
}

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_pit *pit = object;
    struct vmr_pit_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&pit->lock);
    for (unsigned i = 0; i < CHANNEL_COUNT; i++)
        get_channel(&pit->channels[i], &state->channels[i]);
    state->speaker = pit->speaker;
    state->line = pit->line.wanted;
    state->started = pit->started;
    state->base_ns = pit->base_ns;
    state->tick = pit->now;
    sync_mutex_unlock(&pit->lock);
    return VMR_OK;
}

static bool gate_of(const struct vmr_pit_state *state, unsigned channel)
{
    return channel != SPEAKER_CHANNEL || (state->speaker & SPEAKER_GATE) != 0;
}

static enum vmr_status check_channel(const struct vmr_pit_channel_state *state, bool gate, uint64_t tick,
                                     struct vmr_error *err)
{
    const struct pit_channel channel = make_channel(state, gate);
    const struct state_check checks[] = {
        STATE_RULE("channel.mode", state->mode, state->mode <= 5),
        STATE_RULE("channel.access", state->access, state->access >= PIT_LOW && state->access <= PIT_LOW_HIGH),
        STATE_RULE("channel.counting", state->counting, !state->counting || state->reload != 0),
        STATE_RULE("channel.reload", state->reload, state->reload <= pit_channel_range(&channel)),
        STATE_RULE("channel.next-reload", state->next_reload, state->next_reload <= pit_channel_range(&channel)),
        STATE_RULE("channel.start", state->start, state->start <= tick),
        STATE_RULE("channel.paused", state->paused, state->paused <= tick && (gate || state->paused >= state->start)),
    };

    return state_check(&pit_state_type, checks, STATE_CHECKS(checks), err);
}

static enum vmr_status check_state(const struct vmr_pit_state *state, struct vmr_error *err)
{
    const struct state_check checks[] = {
        STATE_BITS("speaker", state->speaker, SPEAKER_MASK),
        STATE_RULE("base-ns", state->base_ns, state->started || state->base_ns == 0),
        STATE_RULE("tick", state->tick, state->tick <= (state->started ? TICK_MAX : 0)),
    };
    enum vmr_status status = state_check(&pit_state_type, checks, STATE_CHECKS(checks), err);

    for (unsigned i = 0; i < CHANNEL_COUNT && status == VMR_OK; i++)
        status = check_channel(&state->channels[i], gate_of(state, i), state->tick, err);
    return status;
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_pit *pit = object;
    const struct vmr_pit_state *state = value;
    enum vmr_status status = check_state(state, err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&pit->lock);
    pit->speaker = state->speaker;
    for (unsigned i = 0; i < CHANNEL_COUNT; i++)
        pit->channels[i] = make_channel(&state->channels[i], gate_of(state, i));
    pit->started = state->started;
    pit->base_ns = state->base_ns;
    pit->now = state->tick;
    pit->polled = state->tick;
    irq_line_restore(&pit->line, state->line);
    update(pit);
    irq_line_flush_unlock(&pit->line, &pit->lock);
    if (pit->timer.sooner)
        pit->timer.sooner(pit->timer.context);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    struct vmr_pit_state *state = ret_value;

    (void)object;
    memset(state, 0, sizeof(*state));
    for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
        struct pit_channel channel;

        pit_channel_init(&channel, i != SPEAKER_CHANNEL);
        get_channel(&channel, &state->channels[i]);
    }
}

void vmr_pit_state_unit(struct vmr_pit *pit, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &pit_state_type, .object = pit, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
