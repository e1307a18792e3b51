/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of the buses share: a bus on an ordinary host, and a device that writes down what it hears. */

#include "vmrig/bus.h"
#include "vmrig/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct vmr_host host;
    struct vmr_bus *bus;
};

static inline void fixture_init(struct fixture *fixture, enum vmr_bus_space space)
{
    vmr_host_posix(&fixture->host, NULL);
    assert_int_equal(vmr_bus_create(&fixture->host, space, &fixture->bus, NULL), VMR_OK);
}

static inline void fixture_finish(struct fixture *fixture)
{
    vmr_bus_destroy(fixture->bus);
}

/* Several devices may share one page of notes, so that the order between them shows. */
struct notes {
    char text[512];
    size_t length;
};

struct device {
    char name;
    struct notes *notes;
};

/* "r" or "w", the device, its offset, the size, and what was written: "wA4.2=1234 ". */
static inline void note(struct device *device, char kind, const struct vmr_access *access)
{
    struct notes *notes = device->notes;

    notes->length += (size_t)snprintf(notes->text + notes->length, sizeof(notes->text) - notes->length, "%c%c%x.%u",
                                      kind, device->name, (unsigned)access->offset, access->size);
}

/* Each byte of a device reads as its offset; what is above the size is garbage that must not be passed on. */
static inline uint64_t noting_read(void *context, const struct vmr_access *access)
{
    struct device *device = context;
    uint64_t value = UINT64_C(0xdddddddddddddddd);

    note(device, 'r', access);
    device->notes->text[device->notes->length++] = ' ';
    for (unsigned i = 0; i < access->size; i++) {
        value &= ~(UINT64_C(0xff) << 8 * i);
        value |= ((access->offset + i) & 0xff) << 8 * i;
    }
    return value;
}

static inline void noting_write(void *context, const struct vmr_access *access, uint64_t value)
{
    struct device *device = context;
    struct notes *notes = device->notes;

    note(device, 'w', access);
    notes->length += (size_t)snprintf(notes->text + notes->length, sizeof(notes->text) - notes->length, "=%llx ",
                                      (unsigned long long)value);
}

static const struct vmr_device_ops noting_ops = {noting_read, noting_write};

static inline enum vmr_status claim(struct fixture *fixture, struct device *device, uint64_t start, uint64_t length,
                                    unsigned sizes)
{
    const struct vmr_bus_range range = {.name = "a device",
                                        .start = start,
                                        .length = length,
                                        .sizes = (uint8_t)sizes,
                                        .ops = &noting_ops,
                                        .device = device};

    return vmr_bus_claim(fixture->bus, &range, NULL);
}

static inline void must_claim(struct fixture *fixture, struct device *device, uint64_t start, uint64_t length,
                              unsigned sizes)
{
    assert_int_equal(claim(fixture, device, start, length, sizes), VMR_OK);
}

static inline uint64_t bus_read(struct fixture *fixture, uint64_t address, unsigned size)
{
    const struct vmr_access access = {.address = address, .size = (uint8_t)size};

    return vmr_bus_read(fixture->bus, &access);
}

static inline void bus_write(struct fixture *fixture, uint64_t address, unsigned size, uint64_t value)
{
    const struct vmr_access access = {.address = address, .size = (uint8_t)size};

    vmr_bus_write(fixture->bus, &access, value);
}

/* Numbers that look random and are the same every time (xorshift64). */
static inline uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}
