/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt controllers that answer what a test says: `pending` is what the
 * next poll gives, once for the edges, until `acknowledge` for interrupts.
 */

#include <string.h>

#include "vmrig/irqchip.h"

struct fake_chip {
    struct vmr_irq_pending pending;
    uint64_t period_ns; /* not 0: a poll gives a deadline that far ahead */
    uint8_t vectors[4]; /* acknowledged from the front */
    size_t vector_count;
    uint8_t tpr;
    unsigned polls, acknowledges;
    uint8_t eoi;
    uint8_t polled_tpr; /* what the last poll was told */
    uint64_t polled_ns;
    bool refuses; /* acknowledge: nothing after all */
};

static inline void fake_chip_poll(void *chip, vmr_vp_index vp, uint64_t now_ns, uint8_t tpr,
                                  struct vmr_irq_pending *ret_pending)
{
    struct fake_chip *fake = chip;

    (void)vp;
    fake->polls++;
    fake->polled_tpr = fake->tpr = tpr;
    fake->polled_ns = now_ns;
    if (fake->period_ns)
        fake->pending.deadline_ns = now_ns + fake->period_ns;
    *ret_pending = fake->pending;
    ret_pending->interrupt = fake->vector_count > 0;
    fake->pending.init = fake->pending.sipi = fake->pending.nmi = false;
}

static inline bool fake_chip_acknowledge(void *chip, vmr_vp_index vp, uint8_t *ret_vector)
{
    struct fake_chip *fake = chip;

    (void)vp;
    fake->acknowledges++;
    if (fake->refuses)
        return false;
    *ret_vector = fake->vectors[0];
    memmove(&fake->vectors[0], &fake->vectors[1], sizeof(fake->vectors) - 1);
    fake->vector_count--;
    return true;
}

static inline void fake_chip_eoi(void *chip, uint8_t vector)
{
    ((struct fake_chip *)chip)->eoi = vector;
}

static inline enum vmr_msr_result fake_chip_msr_read(void *chip, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    (void)chip;
    (void)vp;
    *ret_value = 0x55;
    return index == 0x1b ? VMR_MSR_OK : VMR_MSR_NOT_MINE;
}

static inline enum vmr_msr_result fake_chip_msr_write(void *chip, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    (void)chip;
    (void)vp;
    return index != 0x1b ? VMR_MSR_NOT_MINE : value == 1 ? VMR_MSR_OK : VMR_MSR_FAULT;
}

static inline uint8_t fake_chip_get_tpr(void *chip, vmr_vp_index vp)
{
    (void)vp;
    return ((struct fake_chip *)chip)->tpr;
}

static inline void fake_chip_set_wake(void *chip, void (*wake)(void *context, vmr_vp_index vp), void *context)
{
    (void)chip;
    (void)wake;
    (void)context;
}

static inline void fake_chip_set_target(void *chip, bool (*deliver)(void *context, const struct vmr_msi *msi),
                                        void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi),
                                        void *context)
{
    (void)chip;
    (void)deliver;
    (void)route;
    (void)context;
}

static const struct vmr_irqchip_ops fake_chip_ops = {
    .poll = fake_chip_poll,
    .acknowledge = fake_chip_acknowledge,
    .eoi = fake_chip_eoi,
    .msr_read = fake_chip_msr_read,
    .msr_write = fake_chip_msr_write,
    .get_tpr = fake_chip_get_tpr,
    .set_wake = fake_chip_set_wake,
    .set_msi_target = fake_chip_set_target,
};
