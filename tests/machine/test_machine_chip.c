/* SPDX-License-Identifier: MIT */
/*
 * The platform's timers in front of the interrupt controllers.
 */

#include "lib/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/port_rig.h"

static struct port_rig rig;
static struct vmr_machine machine;
static unsigned wakes[2];

static void wake(void *context, vmr_vp_index vp)
{
    (void)context;
    assert_in_range(vp, 0, 1);
    wakes[vp]++;
}

static void raise_line(void *context, uint32_t gsi, bool level)
{
    (void)context;
    assert_true(machine_chip_ops.irq(&machine, gsi, level));
}

static int setup(void **state)
{
    (void)state;
    rig_init(&rig);
    memset(&machine, 0, sizeof(machine));
    memset(wakes, 0, sizeof(wakes));
    const struct vmr_platform_options platform = {.host = &rig.fake.host,
                                                  .irq = {.set = raise_line},
                                                  .timer = {.sooner = machine_chip_sooner, .context = &machine}};
    const struct vmr_irqchip_options chip = {.host = &rig.fake.host, .vp_count = 2};

    if (vmr_bus_create(&rig.fake.host, VMR_BUS_MMIO, &machine.mmio, NULL) != VMR_OK ||
        vmr_platform_create(&platform, rig.ports, &machine.platform, NULL) != VMR_OK ||
        vmr_irqchip_create(&chip, rig.ports, machine.mmio, &machine.chip, NULL) != VMR_OK)
        return -1;
    machine_chip_ops.set_wake(&machine, wake, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmr_irqchip_destroy(machine.chip);
    vmr_platform_destroy(machine.platform);
    vmr_bus_destroy(machine.mmio);
    rig_finish(&rig);
    return 0;
}

static struct vmr_irq_pending poll(vmr_vp_index vp)
{
    struct vmr_irq_pending pending;

    machine_chip_ops.poll(&machine, vp, rig.fake.now_ns, 0, &pending);
    return pending;
}

static void program_pic_and_timer(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } writes[] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, 0x01},
                  {0x21, 0xfe}, {0x43, 0x34}, {0x40, 0xa9}, {0x40, 0x04}};

    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        rig_out(&rig, writes[i].port, writes[i].value);
}

static void timer_makes_vp_0_ask_again_and_wakes_it(void **state)
{
    (void)state;
    assert_int_equal(poll(0).deadline_ns, VMR_NEVER);
    wakes[0] = 0;
    program_pic_and_timer();
    assert_true(wakes[0] >= 1); /* it slept without a deadline */
    assert_in_range(poll(0).deadline_ns - rig.fake.now_ns, 900000, 1100000);
    assert_int_equal(poll(1).deadline_ns, VMR_NEVER); /* one VP watches */
    assert_int_equal(wakes[1], 0);
}

static void due_timer_is_pending_in_the_same_poll(void **state)
{
    uint8_t vector = 0;

    (void)state;
    program_pic_and_timer();
    rig.fake.now_ns = poll(0).deadline_ns;
    struct vmr_irq_pending pending = poll(0);

    assert_true(pending.interrupt);
    assert_true(machine_chip_ops.acknowledge(&machine, 0, &vector));
    assert_int_equal(vector, 0x20);
}

static void other_calls_reach_the_controllers(void **state)
{
    uint64_t base = 0;

    (void)state;
    assert_int_equal(machine_chip_ops.msr_read(&machine, 0, 0x1b, &base), VMR_MSR_OK);
    assert_int_equal(base & 0xfffff000, VMR_LAPIC_GPA);
    assert_int_equal(machine_chip_ops.msr_write(&machine, 0, 0x1b, base), VMR_MSR_OK);
    assert_int_equal(machine_chip_ops.msr_read(&machine, 0, 0x12345678, &base), VMR_MSR_NOT_MINE);
    assert_int_equal(machine_chip_ops.get_tpr(&machine, 0), 0);
    assert_false(machine_chip_ops.irq(&machine, VMR_GSI_MAX, true));
    assert_true(machine_chip_ops.nmi(&machine, 1));
    assert_true(poll(1).nmi);
    assert_false(machine_chip_ops.nmi(&machine, 2));
    assert_false(machine_chip_ops.lint(&machine, 2, 0));
    const struct vmr_msi to_nobody = {.address = 0xfee07000, .data = 0x40};

    assert_false(machine_chip_ops.msi(&machine, &to_nobody));
    machine_chip_ops.eoi(&machine, 0x40);
    assert_true(machine_chip_ops.nmi(&machine, 1));
    machine_chip_ops.reset(&machine);
    assert_false(poll(1).nmi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timer_makes_vp_0_ask_again_and_wakes_it, setup, teardown),
        cmocka_unit_test_setup_teardown(due_timer_is_pending_in_the_same_poll, setup, teardown),
        cmocka_unit_test_setup_teardown(other_calls_reach_the_controllers, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
