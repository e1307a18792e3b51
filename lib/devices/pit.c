/* SPDX-License-Identifier: MIT */
/*
 * The 8254 of a PC: three counters, and port 0x61, through which the guest
 * gates and watches the third. The rising edges of counter 0 are line 0.
 */

#include <stdlib.h>

#include "lib/devices/claim.h"
#include "lib/devices/irq_line.h"
#include "lib/devices/pit_channel.h"

#define PORT_BASE 0x40u
#define PORT_COUNT 4u
#define PORT_CONTROL 3u
#define PORT_SPEAKER 0x61u
#define CHANNEL_COUNT 3u

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
    if (pit_channel_next_edge(&pit->channels[0], pit->now, &edge))
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
    if (pit_channel_out(&pit->channels[2], pit->now))
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
    pit_channel_set_gate(&pit->channels[2], (value & SPEAKER_GATE) != 0, pit->now);
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
        pit_channel_init(&pit->channels[i], i != 2);

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
