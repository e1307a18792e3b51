/* SPDX-License-Identifier: MIT */
/*
 * A VP in HLT, or waiting for its start-up IPI: it sleeps until somebody wants
 * it or its timer is due, wherever its local APIC is, and a request that ends a
 * run does not end the sleep. [RUN-11]
 */

#include "conformance/scenarios/guest_words.h"

#define VECTOR 0x51u
/* Local APIC registers (Intel SDM vol. 3, table 11-1), and values that enable it and divide its clock by 1. */
#define APIC_SPURIOUS 0xfee000f0u
#define APIC_LVT_TIMER 0xfee00320u
#define APIC_TIMER_COUNT 0xfee00380u
#define APIC_TIMER_DIVIDE 0xfee003e0u
#define APIC_ENABLED 0x1ffu
#define APIC_DIVIDE_BY_1 0xbu
#define MSI_TO_APIC_0 0xfee00000u

static const struct conf_vm_options no_chip = {.without_chip = true};
static const struct conf_vm_options two_vps = {.vps = 2};

CONF_PROGRAM(sleeps, VMR_STORE(WORD_SEEN, 4, 1), VMR_HLT(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());
static const struct vmr_step waits_steps[] = {VMR_STORE(APIC_SPURIOUS, 4, APIC_ENABLED),
                                              VMR_POWER_OFF(),
                                              VMR_STORE(WORD_SEEN, 4, 1),
                                              VMR_WAIT_VECTOR(VECTOR, 1),
                                              VMR_STORE(WORD_PAST, 4, 1),
                                              VMR_END()};
static const struct vmr_program waits = {
    .name = "waits", .steps = waits_steps, .count = sizeof(waits_steps) / sizeof(waits_steps[0]), .eoi = VMR_EOI_XAPIC};

enum wake_up {
    BY_STOP,
    BY_KICK,
    BY_YIELD,
    BY_INTERRUPT
};

struct waker {
    struct conf_vm *vm;
    vmr_vp_index vp;
    struct vmr_stop_source *stop;
    enum wake_up how;
};

static void wake_now(const struct waker *waker)
{
    struct vmr_partition *partition = waker->vm->partition;
    const struct vmr_msi msi = {.address = MSI_TO_APIC_0, .data = VECTOR};

    switch (waker->how) {
    case BY_STOP:
        vmr_stop_set(waker->stop);
        break;
    case BY_KICK:
        (void)vmr_partition_kick(partition, waker->vp);
        break;
    case BY_YIELD:
        (void)vmr_partition_request_yield(partition, waker->vp);
        break;
    case BY_INTERRUPT:
        CONF_CHECK_EQ(waker->vm->conf, vmr_partition_msi(partition, &msi), VMR_OK, "the interrupt");
        break;
    }
}

static void wake_sleeper(void *argument)
{
    const struct waker *waker = argument;
    struct conf *conf = waker->vm->conf;

    if (!conf->exploring && waker->vp == 0 && !guest_word_wait(waker->vm, WORD_SEEN, 1))
        return;
    if (!conf->exploring)
        conf_pause(conf); /* so that it sleeps by now, most of the time */
    wake_now(waker);
}

static void expect_outcome(const struct waker *waker)
{
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED};
    enum vmr_halt_reason reason = waker->how == BY_STOP ? VMR_HALT_STOP : VMR_HALT_CANCEL;

    if (!conf_run(waker->vm, waker->vp, waker->how == BY_STOP ? waker->stop : NULL, &result))
        return;
    CONF_CHECK(waker->vm->conf,
               waker->how == BY_YIELD ? result.kind == VMR_RUN_YIELDED
                                      : result.kind == VMR_RUN_HALTED && result.reason == reason,
               "the sleeper's run came back: %s", outcome_name(&result));
}

/* Wakes the sleeper and, once it sleeps again, wakes it by a kick; neither gets the guest past its HLT. */
static void wake_twice(struct waker *waker)
{
    struct conf *conf = waker->vm->conf;

    for (unsigned i = 0; i < 2 && !conf_failed(conf); i++) {
        struct vmr_thread *thread = conf_thread(conf, wake_sleeper, waker);

        if (!thread)
            return;
        expect_outcome(waker);
        conf_join(conf, thread);
        waker->how = BY_KICK;
    }
    CONF_CHECK_EQ(conf, guest_word(waker->vm, WORD_PAST), 0, "what the guest stored behind its sleep");
}

static void sleep_until(struct conf *conf, enum wake_up how)
{
    struct waker waker = {.how = how, .vm = vm_about_to_run(conf, &no_chip, &sleeps)};

    CONF_REQUIRE(conf, waker.vm && vmr_stop_create(conf->host, &waker.stop) == VMR_OK, "no stop source");
    wake_twice(&waker);
    conf_vm_destroy(waker.vm);
    vmr_stop_destroy(waker.stop);
}

static void sleep_until_stop(struct conf *conf)
{
    sleep_until(conf, BY_STOP);
}

static void sleep_until_kick(struct conf *conf)
{
    sleep_until(conf, BY_KICK);
}

static void sleep_until_yield(struct conf *conf)
{
    sleep_until(conf, BY_YIELD);
}

static void sleep_until_interrupt(struct conf *conf)
{
    struct waker waker = {.how = BY_INTERRUPT, .vm = vm_about_to_run(conf, NULL, &waits)};

    CONF_REQUIRE(conf, waker.vm, "no VM");
    expect_halt(waker.vm, NULL, VMR_HALT_POWER_OFF); /* its local APIC is on: no interrupt is dropped from now on */
    struct vmr_thread *thread = conf_thread(conf, wake_sleeper, &waker);

    CONF_REQUIRE(conf, thread, "no thread");
    expect_end(waker.vm);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, guest_word(waker.vm, WORD_PAST), 1, "what the guest stored behind its sleep");
    conf_vm_destroy(waker.vm);
}

static void sleep_until_timer(struct conf *conf)
{
    static const struct vmr_step steps[] = {VMR_STORE(APIC_SPURIOUS, 4, APIC_ENABLED),
                                            VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                                            VMR_STORE(APIC_LVT_TIMER, 4, VECTOR),
                                            VMR_STORE(APIC_TIMER_COUNT, 4, 500000),
                                            VMR_WAIT_VECTOR(VECTOR, 1),
                                            VMR_STORE(WORD_PAST, 4, 1),
                                            VMR_END()};
    static const struct vmr_program timed = {
        .name = "timed", .steps = steps, .count = sizeof(steps) / sizeof(steps[0]), .eoi = VMR_EOI_XAPIC};
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &timed);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_end(vm);
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 1, "what the guest stored behind its sleep");
}

/* A kick in the middle of it costs the sleeper nothing: run again, it still gets its interrupt. */
static void kick_then_interrupt(struct conf *conf)
{
    struct waker waker = {.how = BY_KICK, .vm = vm_about_to_run(conf, NULL, &waits)};

    CONF_REQUIRE(conf, waker.vm, "no VM");
    expect_halt(waker.vm, NULL, VMR_HALT_POWER_OFF);
    struct vmr_thread *thread = conf_thread(conf, wake_sleeper, &waker);

    CONF_REQUIRE(conf, thread, "no thread");
    expect_outcome(&waker);
    conf_join(conf, thread);
    waker.how = BY_INTERRUPT;
    wake_now(&waker);
    expect_end(waker.vm);
    CONF_CHECK_EQ(conf, guest_word(waker.vm, WORD_PAST), 1, "what the guest stored behind its sleep");
    conf_vm_destroy(waker.vm);
}

/* A processor that was never started cannot be entered: hypervisors say "again", which is no error. [LIFE-9] */
static void waits_for_start(struct conf *conf)
{
    struct waker waker = {.vp = 1, .how = BY_KICK, .vm = conf_vm_create(conf, &two_vps)};

    CONF_REQUIRE(conf, waker.vm && conf_load(waker.vm, 1, &sleeps) && conf_bind(waker.vm, 1), "no VM");
    wake_twice(&waker);
    CONF_CHECK_EQ(conf, guest_word(waker.vm, WORD_SEEN), 0, "what the VP stored before it was started");
    conf_vm_destroy(waker.vm);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_sleeping_vp_wakes_for_a_stop",
     .family = "halt",
     .clauses = "RUN-11 RUN-1",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = sleep_until_stop},
    {.name = "a_sleeping_vp_wakes_for_a_kick",
     .family = "halt",
     .clauses = "RUN-11 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = sleep_until_kick},
    {.name = "a_sleeping_vp_wakes_for_a_yield",
     .family = "halt",
     .clauses = "RUN-11 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = sleep_until_yield},
    {.name = "a_sleeping_vp_wakes_for_an_interrupt",
     .family = "halt",
     .clauses = "RUN-11 INT-1",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = sleep_until_interrupt},
    {.name = "a_sleeping_vp_wakes_for_its_timer",
     .family = "halt",
     .clauses = "RUN-11",
     .chip = CONF_CHIP_ANY,
     .run = sleep_until_timer},
    {.name = "a_kicked_sleeper_still_gets_its_interrupt",
     .family = "halt",
     .clauses = "RUN-11 INT-1 RUN-4",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = kick_then_interrupt},
    {.name = "a_vp_that_waits_for_start_up_can_be_kicked",
     .family = "halt",
     .ids = "trap-5",
     .clauses = "RUN-11 LIFE-9 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = waits_for_start},
};

CONF_FAMILY(halt_sleep, scenarios);
