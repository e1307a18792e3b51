/* SPDX-License-Identifier: MIT */
/*
 * Timers of the platform ride on the interrupt controllers: whoever polls the
 * chip for VP 0 polls the platform first, and sleeps no longer than either
 * allows. Everything else is passed on.
 */

#include "lib/machine/machine.h"

static const struct vmr_irqchip_ops *builtin(void)
{
    return vmr_irqchip_builtin_ops();
}

static void chip_poll(void *context, vmr_vp_index vp, uint64_t now_ns, uint8_t tpr, struct vmr_irq_pending *ret_pending)
{
    const struct vmr_machine *machine = context;
    uint64_t deadline_ns = VMR_NEVER;

    /* First, because it may raise a line that the chip then sees. */
    if (vp == MACHINE_TIMER_VP)
        deadline_ns = vmr_platform_poll(machine->platform, now_ns);
    builtin()->poll(machine->chip, vp, now_ns, tpr, ret_pending);
    if (deadline_ns < ret_pending->deadline_ns)
        ret_pending->deadline_ns = deadline_ns;
}

static bool chip_acknowledge(void *context, vmr_vp_index vp, uint8_t *ret_vector)
{
    const struct vmr_machine *machine = context;

    return builtin()->acknowledge(machine->chip, vp, ret_vector);
}

static void chip_eoi(void *context, uint8_t vector)
{
    const struct vmr_machine *machine = context;

    builtin()->eoi(machine->chip, vector);
}

static enum vmr_msr_result chip_msr_read(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    const struct vmr_machine *machine = context;

    return builtin()->msr_read(machine->chip, vp, index, ret_value);
}

static enum vmr_msr_result chip_msr_write(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    const struct vmr_machine *machine = context;

    return builtin()->msr_write(machine->chip, vp, index, value);
}

static uint8_t chip_get_tpr(void *context, vmr_vp_index vp)
{
    const struct vmr_machine *machine = context;

    return builtin()->get_tpr(machine->chip, vp);
}

static bool chip_irq(void *context, uint32_t gsi, bool level)
{
    const struct vmr_machine *machine = context;

    return builtin()->irq(machine->chip, gsi, level);
}

static bool chip_msi(void *context, const struct vmr_msi *msi)
{
    const struct vmr_machine *machine = context;

    return builtin()->msi(machine->chip, msi);
}

static bool chip_lint(void *context, vmr_vp_index vp, unsigned lint)
{
    const struct vmr_machine *machine = context;

    return builtin()->lint(machine->chip, vp, lint);
}

static bool chip_nmi(void *context, vmr_vp_index vp)
{
    const struct vmr_machine *machine = context;

    return builtin()->nmi(machine->chip, vp);
}

static void chip_set_wake(void *context, void (*wake)(void *context, vmr_vp_index vp), void *wake_context)
{
    struct vmr_machine *machine = context;

    machine->wake = wake;
    machine->wake_context = wake_context;
    builtin()->set_wake(machine->chip, wake, wake_context);
}

static void chip_set_msi_target(void *context, bool (*deliver)(void *context, const struct vmr_msi *msi),
                                void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi),
                                void *target_context)
{
    const struct vmr_machine *machine = context;

    builtin()->set_msi_target(machine->chip, deliver, route, target_context);
}

static void chip_reset(void *context)
{
    const struct vmr_machine *machine = context;

    builtin()->reset(machine->chip);
}

const struct vmr_irqchip_ops machine_chip_ops = {
    .poll = chip_poll,
    .acknowledge = chip_acknowledge,
    .eoi = chip_eoi,
    .msr_read = chip_msr_read,
    .msr_write = chip_msr_write,
    .get_tpr = chip_get_tpr,
    .irq = chip_irq,
    .msi = chip_msi,
    .lint = chip_lint,
    .nmi = chip_nmi,
    .set_wake = chip_set_wake,
    .set_msi_target = chip_set_msi_target,
    .reset = chip_reset,
};

void machine_chip_sooner(void *context)
{
    const struct vmr_machine *machine = context;

    if (machine->ticker)
        machine_ticker_wake(machine->ticker);
    else if (machine->wake)
        machine->wake(machine->wake_context, MACHINE_TIMER_VP);
}
