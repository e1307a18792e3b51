/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a port device is tested in: a port bus, a fake clock, a power line, and
 * sinks that write down what the device says.
 */

#include "tests/support/fake_host.h"
#include "vmrig/platform.h"

#define RIG_LINE_COUNT 24u
#define RIG_CONSOLE_SIZE 256u

struct rig_line {
    bool level;
    unsigned rises, falls;
};

struct port_rig {
    struct fake_host fake;
    struct vmr_bus *ports;
    struct vmr_power *power;
    struct rig_line lines[RIG_LINE_COUNT];
    unsigned repeated_levels; /* a line told what it was already: forbidden */
    unsigned sooner;
    char console[VMR_CONSOLE_SOURCE_COUNT][RIG_CONSOLE_SIZE];
    size_t console_length[VMR_CONSOLE_SOURCE_COUNT];
};

void rig_init(struct port_rig *ret_rig);
void rig_finish(struct port_rig *rig); /* after the device; also checks that every port was given back */

/* Of a device that is only in the way. */
extern const struct vmr_device_ops rig_idle_ops;

struct vmr_irq_sink rig_irq(struct port_rig *rig);
struct vmr_timer_sink rig_timer(struct port_rig *rig);
struct vmr_console_sink rig_console(struct port_rig *rig);

uint64_t rig_read(struct port_rig *rig, uint16_t port, uint8_t size);
void rig_write(struct port_rig *rig, uint16_t port, uint8_t size, uint64_t value);
uint8_t rig_in(struct port_rig *rig, uint16_t port);
void rig_out(struct port_rig *rig, uint16_t port, uint8_t value);
void rig_advance(struct port_rig *rig, uint64_t ns);

/*
 * A guest that means no good: reads and writes of every size at every port from
 * one before `first` to one behind the last, with every byte and with words of
 * all kinds, in an order that mixes them. Answers must fit their size.
 */
void rig_sweep(struct port_rig *rig, uint16_t first, uint16_t count);
