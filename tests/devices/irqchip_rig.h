/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The built-in interrupt controllers on two real buses, under a clock that the
 * test moves, with every callback into the embedder taken down. Includes cmocka.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/irqchip.h"

#define RIG_VP_MAX 32u
#define RIG_LOG_MAX 64u

enum rig_event_kind {
    RIG_ROUTE,
    RIG_ROUTE_GONE,
    RIG_DELIVER
};

struct rig_event {
    enum rig_event_kind kind;
    uint32_t gsi;
    struct vmr_msi msi;
};

struct rig {
    struct vmr_host posix, host;
    struct vmr_host_ops host_ops;
    uint64_t now_ns;
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    const struct vmr_irqchip_ops *ops;
    unsigned wakes[RIG_VP_MAX];
    struct rig_event log[RIG_LOG_MAX]; /* of a split chip */
    unsigned logged;
    bool refuse; /* what a split chip delivers */
};

static inline uint64_t rig_now_ns(void *context)
{
    return ((struct rig *)context)->now_ns;
}

/* Reads a register, which needs the chip's lock: a callback that is made under it hangs here. */
static inline void rig_take_lock(struct rig *rig)
{
    (void)vmr_bus_read(rig->mmio, &(struct vmr_access){.address = VMR_IOAPIC_GPA, .size = 4});
}

static inline void rig_wake(void *context, vmr_vp_index vp)
{
    struct rig *rig = context;

    assert_true(vp < RIG_VP_MAX);
    rig->wakes[vp]++;
    rig_take_lock(rig);
}

static inline void rig_log(struct rig *rig, struct rig_event event)
{
    assert_true(rig->logged < RIG_LOG_MAX);
    rig->log[rig->logged++] = event;
    rig_take_lock(rig);
}

static inline bool rig_deliver(void *context, const struct vmr_msi *msi)
{
    struct rig *rig = context;

    rig_log(rig, (struct rig_event){.kind = RIG_DELIVER, .msi = *msi});
    return !rig->refuse;
}

static inline void rig_route(void *context, uint32_t gsi, const struct vmr_msi *msi)
{
    struct rig_event event = {.kind = msi ? RIG_ROUTE : RIG_ROUTE_GONE, .gsi = gsi};

    if (msi)
        event.msi = *msi;
    rig_log(context, event);
}

/* The buses and the clock, without a chip. */
static inline void rig_init_host(struct rig *rig)
{
    *rig = (struct rig){.ops = vmr_irqchip_builtin_ops()};
    vmr_host_posix(&rig->posix, NULL);
    rig->host_ops = *rig->posix.ops;
    rig->host_ops.now_ns = rig_now_ns;
    rig->host = (struct vmr_host){.ops = &rig->host_ops, .context = rig};
    assert_int_equal(vmr_bus_create(&rig->host, VMR_BUS_PORTS, &rig->ports, NULL), VMR_OK);
    assert_int_equal(vmr_bus_create(&rig->host, VMR_BUS_MMIO, &rig->mmio, NULL), VMR_OK);
}

/* `options.host` is filled in here. */
static inline void rig_init(struct rig *rig, struct vmr_irqchip_options options)
{
    rig_init_host(rig);
    options.host = &rig->host;
    assert_int_equal(vmr_irqchip_create(&options, rig->ports, rig->mmio, &rig->chip, NULL), VMR_OK);
    rig->ops->set_wake(rig->chip, rig_wake, rig);
    if (options.split)
        rig->ops->set_msi_target(rig->chip, rig_deliver, rig_route, rig);
}

static inline void rig_finish(struct rig *rig)
{
    vmr_irqchip_destroy(rig->chip);
    vmr_bus_destroy(rig->mmio);
    vmr_bus_destroy(rig->ports);
}

/* --- the guest's side --- */

static inline void rig_out(struct rig *rig, uint16_t port, uint8_t value)
{
    vmr_bus_write(rig->ports, &(struct vmr_access){.address = port, .size = 1}, value);
}

static inline uint8_t rig_in(struct rig *rig, uint16_t port)
{
    return (uint8_t)vmr_bus_read(rig->ports, &(struct vmr_access){.address = port, .size = 1});
}

static inline void rig_store(struct rig *rig, vmr_vp_index vp, uint64_t gpa, uint32_t value)
{
    vmr_bus_write(rig->mmio, &(struct vmr_access){.address = gpa, .size = 4, .vp = vp}, value);
}

static inline uint32_t rig_load(struct rig *rig, vmr_vp_index vp, uint64_t gpa)
{
    return (uint32_t)vmr_bus_read(rig->mmio, &(struct vmr_access){.address = gpa, .size = 4, .vp = vp});
}

static inline void rig_lapic_set(struct rig *rig, vmr_vp_index vp, uint32_t offset, uint32_t value)
{
    rig_store(rig, vp, VMR_LAPIC_GPA + offset, value);
}

static inline uint32_t rig_lapic_get(struct rig *rig, vmr_vp_index vp, uint32_t offset)
{
    return rig_load(rig, vp, VMR_LAPIC_GPA + offset);
}

static inline void rig_ioapic_set(struct rig *rig, uint32_t number, uint32_t value)
{
    rig_store(rig, 0, VMR_IOAPIC_GPA, number);
    rig_store(rig, 0, VMR_IOAPIC_GPA + 0x10, value);
}

static inline uint32_t rig_ioapic_get(struct rig *rig, uint32_t number)
{
    rig_store(rig, 0, VMR_IOAPIC_GPA, number);
    return rig_load(rig, 0, VMR_IOAPIC_GPA + 0x10);
}

/* Fixed, physical, to VP 0; `flags` are an entry's low bits above the vector. */
static inline void rig_set_pin(struct rig *rig, unsigned pin, uint8_t vector, uint32_t flags)
{
    rig_ioapic_set(rig, 0x10 + 2 * pin, vector | flags);
}

/* Every local APIC software enabled, LINT0 masked; flat logical IDs where eight bits are enough. */
static inline void rig_enable_lapics(struct rig *rig, uint32_t vp_count)
{
    for (vmr_vp_index vp = 0; vp < vp_count; vp++) {
        rig_lapic_set(rig, vp, 0x0f0, 0x1ff);
        rig_lapic_set(rig, vp, 0x350, 0x10000);
        rig_lapic_set(rig, vp, 0x0d0, vp < 8 ? 1u << (24 + vp) : 0);
    }
}

/* Firmware's way with the PICs: vectors 0x08 and 0x70, everything unmasked. */
static inline void rig_program_pic(struct rig *rig)
{
    static const uint8_t words[2][4] = {{0x11, 0x08, 0x04, 0x01}, {0x11, 0x70, 0x02, 0x01}};

    for (unsigned chip = 0; chip < 2; chip++) {
        uint16_t port = chip == 0 ? 0x20 : 0xa0;

        rig_out(rig, port, words[chip][0]);
        for (unsigned i = 1; i < 4; i++)
            rig_out(rig, (uint16_t)(port + 1), words[chip][i]);
    }
}

/* --- the run loop's side --- */

static inline struct vmr_irq_pending rig_poll(struct rig *rig, vmr_vp_index vp)
{
    struct vmr_irq_pending pending;

    rig->ops->poll(rig->chip, vp, rig->now_ns, rig->ops->get_tpr(rig->chip, vp), &pending);
    return pending;
}

/* The vector that the VP takes, -1 if it takes none. Poll and acknowledge must say the same. */
static inline int rig_take(struct rig *rig, vmr_vp_index vp)
{
    bool expected = rig_poll(rig, vp).interrupt;
    uint8_t vector = 0;
    bool taken = rig->ops->acknowledge(rig->chip, vp, &vector);

    assert_int_equal(taken, expected);
    return taken ? vector : -1;
}

static inline void rig_forget_wakes(struct rig *rig)
{
    memset(rig->wakes, 0, sizeof(rig->wakes));
}
