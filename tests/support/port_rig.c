/* SPDX-License-Identifier: MIT */
/*
 * The rig: accesses go through the real bus, so that a device is tested with
 * the claims it makes.
 */

#include "tests/support/port_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Far from 0, so that a device that takes the host's zero for its own is found. */
#define BEGIN_NS UINT64_C(7000000000123)

static void set_line(void *context, uint32_t gsi, bool level)
{
    struct port_rig *rig = context;

    assert_true(gsi < RIG_LINE_COUNT);
    struct rig_line *line = &rig->lines[gsi];

    if (line->level == level)
        rig->repeated_levels++;
    if (level)
        line->rises++;
    else
        line->falls++;
    line->level = level;
}

static void count_sooner(void *context)
{
    struct port_rig *rig = context;

    rig->sooner++;
}

static void write_console(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    struct port_rig *rig = context;

    for (size_t i = 0; i < length && rig->console_length[source] < RIG_CONSOLE_SIZE - 1; i++)
        rig->console[source][rig->console_length[source]++] = (char)bytes[i];
}

static uint64_t read_nothing(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return 0;
}

static void write_nothing(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)device;
    (void)access;
    (void)value;
}

const struct vmr_device_ops rig_idle_ops = {.read = read_nothing, .write = write_nothing};

void rig_init(struct port_rig *ret_rig)
{
    memset(ret_rig, 0, sizeof(*ret_rig));
    fake_host_init(&ret_rig->fake, BEGIN_NS);
    assert_int_equal(vmr_bus_create(&ret_rig->fake.host, VMR_BUS_PORTS, &ret_rig->ports, NULL), VMR_OK);
    const struct vmr_power_options power = {.host = &ret_rig->fake.host};

    assert_int_equal(vmr_power_create(&power, &ret_rig->power, NULL), VMR_OK);
}

void rig_finish(struct port_rig *rig)
{
    const struct vmr_bus_range whole = {.name = "whole space", .length = 0x10000, .ops = &rig_idle_ops};

    assert_int_equal(rig->repeated_levels, 0);
    /* Only an empty bus has room for everything. */
    assert_int_equal(vmr_bus_claim(rig->ports, &whole, NULL), VMR_OK);
    vmr_power_destroy(rig->power);
    vmr_bus_destroy(rig->ports);
}

struct vmr_irq_sink rig_irq(struct port_rig *rig)
{
    return (struct vmr_irq_sink){.set = set_line, .context = rig};
}

struct vmr_timer_sink rig_timer(struct port_rig *rig)
{
    return (struct vmr_timer_sink){.sooner = count_sooner, .context = rig};
}

struct vmr_console_sink rig_console(struct port_rig *rig)
{
    return (struct vmr_console_sink){.write = write_console, .context = rig};
}

uint64_t rig_read(struct port_rig *rig, uint16_t port, uint8_t size)
{
    const struct vmr_access access = {.address = port, .size = size};

    return vmr_bus_read(rig->ports, &access);
}

void rig_write(struct port_rig *rig, uint16_t port, uint8_t size, uint64_t value)
{
    const struct vmr_access access = {.address = port, .size = size};

    vmr_bus_write(rig->ports, &access, value);
}

uint8_t rig_in(struct port_rig *rig, uint16_t port)
{
    return (uint8_t)rig_read(rig, port, 1);
}

void rig_out(struct port_rig *rig, uint16_t port, uint8_t value)
{
    rig_write(rig, port, 1, value);
}

void rig_advance(struct port_rig *rig, uint64_t ns)
{
    rig->fake.now_ns += ns;
}

/* The multiplier of a well-known linear congruential generator: mixes, and is the same everywhere. */
static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

void rig_sweep(struct port_rig *rig, uint16_t first, uint16_t count)
{
    static const uint8_t sizes[] = {1, 2, 4};
    uint32_t state = first;

    for (unsigned round = 0; round < 20000; round++) {
        uint16_t port = (uint16_t)(first - 1 + next_number(&state) % (count + 2u));
        uint8_t size = sizes[next_number(&state) % 3];
        uint64_t value = next_number(&state) ^ (uint64_t)next_number(&state) << 24;

        if (next_number(&state) % 2 == 0) {
            rig_write(rig, port, size, value & (UINT64_MAX >> (64 - 8 * size)));
        } else {
            uint64_t answer = rig_read(rig, port, size);

            assert_int_equal(answer >> (8 * size - 1) >> 1, 0);
        }
        rig_advance(rig, next_number(&state));
    }
}
