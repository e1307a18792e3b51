/* SPDX-License-Identifier: MIT */
/*
 * Interrupts that VPs make themselves: to each other, to themselves, and by
 * their timers. In both modes of the local APIC.
 */

#include "conformance/scenarios/apic_words.h"

#define PING 0x51u
#define PONG 0x52u
#define TIMER 0x71u
#define FAULT_FREE() VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, 0)
#define TICKS 100000u /* a tenth of a millisecond of a 1 GHz timer */
/* Ten milliseconds: a period shorter than its handler leaves a guest no time for anything else, its end included. */
#define PERIOD 10000000u

/* --- to and fro --- */

#define SERVE(n) VMR_SEND_IPI(1, PING), VMR_WAIT_VECTOR(PONG, n)
#define RETURN(n) VMR_WAIT_VECTOR(PING, n), VMR_SEND_IPI(0, PONG)
#define SERVE_FIVE()                                                                                                   \
    SERVE(1), SERVE(2), SERVE(3), SERVE(4), SERVE(5), OPEN(1), EXPECT_COUNT(PONG, 5), EXPECT_COUNT(PING, 0)
#define RETURN_FIVE()                                                                                                  \
    RETURN(1), RETURN(2), RETURN(3), RETURN(4), RETURN(5), OPEN(1), EXPECT_COUNT(PING, 5), EXPECT_COUNT(PONG, 0)

static void ping_pong(struct conf *conf)
{
    APIC_PROGRAM(serves, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(0), 8, 1), SERVE_FIVE(),
                 VMR_END());
    APIC_PROGRAM(returns, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(WORD(0), 8, 1), RETURN_FIVE(), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &serves, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, &returns);
    conf_note(conf, "five each way");
}

static void ping_pong_x2apic(struct conf *conf)
{
    APIC_PROGRAM(serves, VMR_EOI_X2APIC, X2APIC_ON(APIC_BASE_BSP), FAULT_FREE(), VMR_START_VP(1),
                 VMR_SPIN_UNTIL(WORD(0), 8, 1), SERVE_FIVE(), VMR_RDMSR(0, 0x802), FAULT_FREE(), VMR_EXPECT(0, 0),
                 VMR_END());
    APIC_PROGRAM(returns, VMR_EOI_X2APIC, X2APIC_ON(0), FAULT_FREE(), VMR_STORE(WORD(0), 8, 1), RETURN_FIVE(),
                 VMR_RDMSR(0, 0x802), FAULT_FREE(), VMR_EXPECT(0, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &serves, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, &returns);
}

/* --- to several --- */

static void shorthands(struct conf *conf)
{
    APIC_PROGRAM(sends, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(0), 8, 1),
                 VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | ICR_SELF | 0x61), VMR_WAIT_VECTOR(0x61, 1),
                 VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | ICR_OTHERS | 0x62), VMR_SPIN_UNTIL(WORD(1), 8, 1),
                 VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | ICR_ALL | 0x63), VMR_WAIT_VECTOR(0x63, 1),
                 VMR_SPIN_UNTIL(WORD(2), 8, 1), OPEN(1), EXPECT_COUNT(0x61, 1), EXPECT_COUNT(0x62, 0),
                 EXPECT_COUNT(0x63, 1), VMR_END());
    APIC_PROGRAM(hears, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(WORD(0), 8, 1), VMR_WAIT_VECTOR(0x62, 1),
                 VMR_STORE(WORD(1), 8, 1), VMR_WAIT_VECTOR(0x63, 1), OPEN(1), EXPECT_COUNT(0x61, 0),
                 EXPECT_COUNT(0x62, 1), VMR_STORE(WORD(2), 8, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 2, &sends, NULL);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    run_pair(vm, &hears);
}

/* --- timers --- */

static void one_shot(struct conf *conf)
{
    APIC_PROGRAM(shoots, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), VMR_STORE(APIC_TIMER_INITIAL, 4, TICKS),
                 VMR_WAIT_VECTOR(TIMER, 1), VMR_LOAD(0, APIC_TIMER_CURRENT, 4), VMR_EXPECT(0, 0), OPEN(1), OPEN(2),
                 EXPECT_COUNT(TIMER, 1), VMR_STORE(APIC_TIMER_INITIAL, 4, TICKS), VMR_WAIT_VECTOR(TIMER, 2),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER | APIC_MASKED), VMR_STORE(APIC_TIMER_INITIAL, 4, 1), OPEN(3),
                 OPEN(4), EXPECT_COUNT(TIMER, 2), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &shoots, NULL);

    if (vm)
        CONF_CHECK(conf, conf_run_to_end(vm, 0), "the timer did not fire once each");
}

static void periodic(struct conf *conf)
{
    APIC_PROGRAM(ticks, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER | APIC_PERIODIC), VMR_STORE(APIC_TIMER_INITIAL, 4, PERIOD),
                 VMR_WAIT_VECTOR(TIMER, 5), VMR_STORE(APIC_TIMER_INITIAL, 4, 0), OPEN(1), VMR_READ_COUNT(0, TIMER),
                 VMR_STORE_VAR(WORD(0), 8, 0), OPEN(2), OPEN(3), VMR_READ_COUNT(0, TIMER), VMR_STORE_VAR(WORD(1), 8, 0),
                 VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &ticks, NULL);

    if (!vm)
        return;
    CONF_CHECK(conf, conf_run_to_end(vm, 0), "the timer did not go on");
    CONF_CHECK(conf, word(vm, 0) >= 5, "%u ticks", (unsigned)word(vm, 0));
    CONF_CHECK_EQ(conf, word(vm, 1), word(vm, 0), "ticks of a timer that was stopped");
}

/* It runs out while its VP is in no run. */
static void fires_while_stopped(struct conf *conf)
{
    APIC_PROGRAM(sets, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER), VMR_STORE(APIC_TIMER_INITIAL, 4, TICKS), VMR_POWER_OFF(),
                 VMR_WAIT_VECTOR(TIMER, 1), OPEN(1), EXPECT_COUNT(TIMER, 1), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &sets, NULL);

    if (!vm)
        return;
    CONF_REQUIRE(conf, run_to_power_off(vm), "the guest failed");
    for (unsigned i = 0; i < 3; i++)
        conf_pause(conf);
    (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "ipis_go_to_and_fro_each_taken_once",
     .family = "interrupt",
     .clauses = "INT-1 INT-4 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = ping_pong},
    {.name = "ipis_go_to_and_fro_in_x2apic_mode",
     .family = "interrupt",
     .clauses = "INT-1 INT-4",
     .chip = CONF_CHIP_ANY,
     .run = ping_pong_x2apic},
    {.name = "ipi_shorthands_reach_whom_they_name",
     .family = "interrupt",
     .clauses = "INT-4",
     .chip = CONF_CHIP_ANY,
     .run = shorthands},
    {.name = "a_one_shot_timer_fires_once",
     .family = "interrupt",
     .clauses = "INT-1 INT-4 RUN-11",
     .chip = CONF_CHIP_ANY,
     .run = one_shot},
    {.name = "a_periodic_timer_goes_on_until_it_is_stopped",
     .family = "interrupt",
     .clauses = "INT-4 RUN-11",
     .chip = CONF_CHIP_ANY,
     .run = periodic},
    {.name = "a_timer_that_runs_out_while_its_vp_is_stopped_is_not_lost",
     .family = "interrupt",
     .clauses = "INT-1",
     .chip = CONF_CHIP_ANY,
     .run = fires_while_stopped},
};

CONF_FAMILY(interrupt_ipi, scenarios);
