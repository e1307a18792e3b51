/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A SynIC with RAM, a clock that the test moves, and an embedder that writes
 * down what it is asked. Pages 0 to 15 are RAM, 16 and 17 read-only.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "lib/hv/synic.h"
#include "tests/support/fake_host.h"
#include "vmrig/limits.h"

#define RIG_VPS 3u
#define RIG_VTLS 2u
#define RIG_NOTES 1024u
#define PAGE UINT64_C(4096)
#define RIG_READ_ONLY (16 * PAGE)
#define RIG_HOLE (32 * PAGE)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct rig {
    struct fake_host fake;
    struct vmr_memory *memory;
    struct vmr_synic *synic;
    unsigned wakes[RIG_VPS];
    /* In words, in order: "irq 0.0 30 eoi", "trap 3000", "add 7", ... */
    char notes[RIG_NOTES];
    size_t noted;
    bool trap_fails, allocate_fails;
    unsigned tsc_readings;
    enum vmr_status event_add; /* what adding a host event answers */
};

static inline void VMR_PRINTF(2, 3) rig_note(struct rig *rig, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(rig->notes + rig->noted, sizeof(rig->notes) - rig->noted, format, arguments);

    va_end(arguments);
    assert_true(length > 0 && rig->noted + (size_t)length + 2 < sizeof(rig->notes));
    rig->noted += (size_t)length;
    rig->notes[rig->noted++] = ';';
    rig->notes[rig->noted] = '\0';
}

/* What has been noted since the last time is this, and is forgotten. */
#define rig_expect(rig, expected)                                                                                      \
    do {                                                                                                               \
        assert_string_equal((rig)->notes, (expected));                                                                 \
        rig_forget(rig);                                                                                               \
    } while (0)

static inline void rig_forget(struct rig *rig)
{
    rig->noted = 0;
    rig->notes[0] = '\0';
}

static inline void rig_interrupt(void *context, vmr_vp_index vp, uint8_t vtl, uint8_t vector, bool auto_eoi)
{
    rig_note(context, "irq %u.%u %x%s", (unsigned)vp, vtl, vector, auto_eoi ? " eoi" : "");
}

static inline void rig_wake(void *context, vmr_vp_index vp)
{
    struct rig *rig = context;

    assert_true(vp < RIG_VPS);
    rig->wakes[vp]++;
}

static inline enum vmr_status rig_event_add(void *context, uint32_t connection_id, uint8_t minimum_vtl,
                                            intptr_t os_event, void **ret_token, struct vmr_error *err)
{
    struct rig *rig = context;

    rig_note(rig, "event+ %x %u %d", (unsigned)connection_id, minimum_vtl, (int)os_event);
    if (rig->event_add != VMR_OK)
        return vmr_error_set(err, rig->event_add, "no event today");
    *ret_token = (void *)os_event;
    return VMR_OK;
}

static inline void rig_event_remove(void *context, void *token)
{
    rig_note(context, "event- %d", (int)(intptr_t)token);
}

static inline enum vmr_status rig_trap(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    struct rig *rig = context;

    rig_note(rig, "trap %x", (unsigned)gpa);
    return rig->trap_fails ? vmr_error_set(err, VMR_E_HOST, "something is there") : VMR_OK;
}

static inline void rig_untrap(void *context, vmr_gpa gpa)
{
    rig_note(context, "untrap %x", (unsigned)gpa);
}

static inline enum vmr_status rig_allocate(void *context, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    struct rig *rig = context;

    rig_note(rig, "allocate");
    if (rig->allocate_fails)
        return vmr_error_set(err, VMR_E_NOMEM, "no page left");
    *ret_gpa = 15 * PAGE;
    return VMR_OK;
}

static inline void rig_free(void *context, vmr_gpa gpa)
{
    rig_note(context, "free %x", (unsigned)gpa);
}

static const struct vmr_synic_host_events rig_events = {
    .add = rig_event_add, .remove = rig_event_remove, .preferred = true};
static const struct vmr_synic_monitor_ops rig_monitor = {
    .trap = rig_trap, .untrap = rig_untrap, .allocate = rig_allocate, .free = rig_free};

static inline void rig_add_ram(struct rig *rig)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = 16 * PAGE};
    const struct vmr_memory_region rom = {.gpa = RIG_READ_ONLY, .size = 2 * PAGE, .read_only = true};

    assert_int_equal(vmr_memory_create(&rig->fake.host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &ram, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &rom, NULL), VMR_OK);
}

/* All that can be there is, but for a TSC. */
static inline struct vmr_synic_options rig_options(struct rig *rig)
{
    return (struct vmr_synic_options){
        .host = &rig->fake.host,
        .memory = rig->memory,
        .vp_count = RIG_VPS,
        .vtl_count = RIG_VTLS,
        .context = rig,
        .interrupt = rig_interrupt,
        .wake = rig_wake,
        .host_events = &rig_events,
        .monitor = &rig_monitor,
    };
}

static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){0};
    fake_host_init(&rig->fake, 1000);
    rig_add_ram(rig);
    const struct vmr_synic_options options = rig_options(rig);

    assert_int_equal(vmr_synic_create(&options, &rig->synic, NULL), VMR_OK);
}

static inline void rig_finish(struct rig *rig)
{
    vmr_synic_destroy(rig->synic);
    vmr_memory_destroy(rig->memory);
}

/* Registers of VP 0 at VTL 0. */
static inline void rig_write(struct rig *rig, uint32_t index, uint64_t value)
{
    assert_int_equal(vmr_synic_msr_write(rig->synic, 0, 0, index, value), VMR_MSR_OK);
}

static inline uint64_t rig_read(struct rig *rig, uint32_t index)
{
    uint64_t value = 0;

    assert_int_equal(vmr_synic_msr_read(rig->synic, 0, 0, index, &value), VMR_MSR_OK);
    return value;
}

static inline uint64_t rig_poll(struct rig *rig)
{
    return vmr_synic_poll(rig->synic, 0, rig->fake.now_ns);
}

/* In units of reference time; polls afterwards. */
static inline uint64_t rig_advance(struct rig *rig, uint64_t units)
{
    rig->fake.now_ns += units * 100;
    return rig_poll(rig);
}

static inline enum vmr_status rig_post(struct rig *rig, unsigned sint, uint32_t type)
{
    const struct vmr_synic_target target = {.sint = (uint8_t)sint};
    const struct vmr_synic_message message = {.type = type, .payload = &type, .length = sizeof(type)};

    return vmr_synic_post_message(rig->synic, &target, &message);
}

/* Slots of VP 0 at VTL 0, whose message page is at `simp`. */
static inline uint32_t rig_slot_type(struct rig *rig, uint64_t simp, unsigned sint)
{
    uint8_t type[4];

    assert_int_equal(vmr_memory_read(rig->memory, simp + sint * HV_MESSAGE_BYTES, type, sizeof(type)), VMR_OK);
    return load_le32(type);
}

static inline bool rig_slot_is_marked(struct rig *rig, uint64_t simp, unsigned sint)
{
    uint8_t flags;

    assert_int_equal(vmr_memory_read(rig->memory, simp + sint * HV_MESSAGE_BYTES + HV_MESSAGE_FLAGS_OFFSET, &flags, 1),
                     VMR_OK);
    return (flags & HV_MESSAGE_FLAG_PENDING) != 0;
}

static inline void rig_free_slot(struct rig *rig, uint64_t simp, unsigned sint)
{
    assert_int_equal(vmr_memory_fill(rig->memory, simp + sint * HV_MESSAGE_BYTES, 0, 4), VMR_OK);
}

/* Numbers that look random and are the same every time (xorshift64). */
static inline unsigned rig_pick(uint64_t *seed, unsigned below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed >> 20) % below;
}
