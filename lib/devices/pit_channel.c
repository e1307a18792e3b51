/* SPDX-License-Identifier: MIT */
/*
 * The counter of the 8254 (Intel 8254 data sheet, "Mode Definitions"). A count
 * written during a period of modes 2 and 3 takes over at the period's end, in
 * modes 1 and 5 with the next trigger, in modes 0 and 4 at once. The one-tick
 * delay of loading is left out, as no program can tell.
 */

#include "lib/devices/pit_channel.h"

#include <string.h>

#define BINARY_RANGE 0x10000u
#define BCD_RANGE 10000u

uint32_t pit_channel_range(const struct pit_channel *channel)
{
    return channel->bcd ? BCD_RANGE : BINARY_RANGE;
}

static bool is_periodic(const struct pit_channel *channel)
{
    return channel->mode == 2 || channel->mode == 3;
}

/* Modes 1 and 5 begin at the gate's rising edge; in the others a low gate stops the count. */
static bool is_gate_triggered(const struct pit_channel *channel)
{
    return channel->mode == 1 || channel->mode == 5;
}

static uint32_t from_bcd(uint32_t value)
{
    return (value >> 12 & 0xf) * 1000 + (value >> 8 & 0xf) * 100 + (value >> 4 & 0xf) * 10 + (value & 0xf);
}

static uint16_t to_bcd(uint32_t value)
{
    return (uint16_t)((value / 1000 % 10) << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 | value % 10);
}

static uint64_t elapsed(const struct pit_channel *channel, uint64_t now)
{
    uint64_t until = is_gate_triggered(channel) || channel->gate ? now : channel->paused;

    return until > channel->start ? until - channel->start : 0;
}

/* Lets a waiting count take over if its period has come. */
static void settle(struct pit_channel *channel, uint64_t now)
{
    uint64_t passed = elapsed(channel, now);

    if (channel->next_reload == 0 || is_gate_triggered(channel) || passed < channel->reload)
        return;
    channel->start += channel->reload;
    channel->reload = channel->next_reload;
    channel->next_reload = 0;
}

void pit_channel_init(struct pit_channel *channel, bool gate)
{
    memset(channel, 0, sizeof(*channel));
    channel->access = PIT_LOW_HIGH;
    channel->mode = 3;
    channel->gate = gate;
}

void pit_channel_control(struct pit_channel *channel, uint8_t word)
{
    uint8_t mode = word >> 1 & 7u;
    bool gate = channel->gate;

    memset(channel, 0, sizeof(*channel));
    channel->mode = mode > 5 ? mode - 4 : mode; /* D3 does not count in modes 2 and 3 */
    channel->access = word >> 4 & 3u;
    channel->bcd = (word & 1u) != 0;
    channel->gate = gate;
}

static void load(struct pit_channel *channel, uint32_t raw, uint64_t now)
{
    uint32_t count = (channel->bcd ? from_bcd(raw) : raw) % pit_channel_range(channel);

    if (count == 0)
        count = pit_channel_range(channel);
    if (channel->counting && (is_periodic(channel) || is_gate_triggered(channel))) {
        settle(channel, now);
        channel->next_reload = count;
        return;
    }
    channel->reload = count;
    channel->counting = !is_gate_triggered(channel);
    channel->start = now;
    channel->paused = now;
}

void pit_channel_write(struct pit_channel *channel, uint8_t byte, uint64_t now)
{
    switch ((enum pit_access)channel->access) {
    case PIT_LOW:
        load(channel, byte, now);
        break;
    case PIT_HIGH:
        load(channel, (uint32_t)byte << 8, now);
        break;
    case PIT_LOW_HIGH:
        if (channel->high_byte_next) {
            channel->high_byte_next = false;
            load(channel, channel->low_byte | (uint32_t)byte << 8, now);
            break;
        }
        channel->low_byte = byte;
        channel->high_byte_next = true;
        /* In mode 0 the first byte stops the count. */
        if (channel->mode == 0)
            channel->counting = false;
        break;
    case PIT_LATCH:
        break;
    }
}

/* The counting element as the guest sees it. */
static uint16_t count_at(struct pit_channel *channel, uint64_t now)
{
    settle(channel, now);
    if (!channel->counting || channel->reload == 0)
        return channel->bcd ? to_bcd(channel->reload) : (uint16_t)channel->reload;

    uint64_t passed = elapsed(channel, now);
    uint64_t count;

    if (channel->mode == 2) {
        count = channel->reload - passed % channel->reload;
    } else if (channel->mode == 3) {
        /* Counts down by two, twice a period; an odd count is longer by one in its first half. */
        uint64_t half = (channel->reload + 1) / 2;
        uint64_t phase = passed % channel->reload;

        count = 2 * (phase < half ? half - phase : channel->reload - phase);
        if (count > channel->reload)
            count = channel->reload;
    } else {
        uint64_t range = pit_channel_range(channel);

        count = (channel->reload + range - passed % range) % range;
    }
    return channel->bcd ? to_bcd((uint32_t)count) : (uint16_t)count;
}

void pit_channel_latch_count(struct pit_channel *channel, uint64_t now)
{
    /* A second latch before the first was read is ignored. */
    if (channel->count_latched)
        return;
    channel->latched_count = count_at(channel, now);
    channel->count_latched = true;
}

void pit_channel_latch_status(struct pit_channel *channel, uint64_t now)
{
    if (channel->status_latched)
        return;

    bool null_count = channel->reload == 0 || channel->next_reload != 0;

    channel->latched_status =
        (uint8_t)((unsigned)pit_channel_out(channel, now) << 7 | (unsigned)null_count << 6 |
                  (unsigned)channel->access << 4 | (unsigned)channel->mode << 1 | (unsigned)channel->bcd);
    channel->status_latched = true;
}

uint8_t pit_channel_read(struct pit_channel *channel, uint64_t now)
{
    if (channel->status_latched) {
        channel->status_latched = false;
        return channel->latched_status;
    }

    uint16_t count = channel->count_latched ? channel->latched_count : count_at(channel, now);
    bool high = channel->access == PIT_HIGH || (channel->access == PIT_LOW_HIGH && channel->read_high_next);

    if (channel->access == PIT_LOW_HIGH)
        channel->read_high_next = !channel->read_high_next;
    if (channel->access != PIT_LOW_HIGH || high)
        channel->count_latched = false;
    return (uint8_t)(high ? count >> 8 : count);
}

static void trigger(struct pit_channel *channel, uint64_t now)
{
    if (channel->next_reload != 0)
        channel->reload = channel->next_reload;
    channel->next_reload = 0;
    channel->counting = channel->reload != 0;
    channel->start = now;
}

void pit_channel_set_gate(struct pit_channel *channel, bool gate, uint64_t now)
{
    if (gate == channel->gate)
        return;
    settle(channel, now);
    channel->gate = gate;
    if (!gate) {
        channel->paused = now;
    } else if (is_gate_triggered(channel)) {
        trigger(channel, now);
    } else if (is_periodic(channel)) {
        channel->start = now; /* the rising edge reloads */
    } else {
        channel->start += now - channel->paused;
    }
}

bool pit_channel_out(struct pit_channel *channel, uint64_t now)
{
    settle(channel, now);
    if (!channel->counting)
        return channel->mode != 0;

    uint64_t passed = elapsed(channel, now);

    switch (channel->mode) {
    case 0:
    case 1:
        return passed >= channel->reload;
    case 2:
        return !channel->gate || passed % channel->reload != channel->reload - 1;
    case 3:
        return !channel->gate || passed % channel->reload < (channel->reload + 1) / 2;
    default:
        return passed != channel->reload; /* modes 4 and 5: low for one tick */
    }
}

/* The tick of the period's end that comes first after `after`. */
static uint64_t next_period(uint64_t start, uint32_t period, uint64_t after)
{
    return after < start ? start + period : start + ((after - start) / period + 1) * period;
}

bool pit_channel_next_edge(struct pit_channel *channel, uint64_t after, uint64_t *ret_tick)
{
    settle(channel, after);
    if (!channel->counting || (!channel->gate && !is_gate_triggered(channel)))
        return false;
    if (is_periodic(channel)) {
        *ret_tick = next_period(channel->start, channel->reload, after);
        return true;
    }

    uint64_t edge = channel->start + channel->reload + (channel->mode >= 4 ? 1 : 0);

    if (edge <= after)
        return false;
    *ret_tick = edge;
    return true;
}
