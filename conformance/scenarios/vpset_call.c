/* SPDX-License-Identifier: MIT */
/*
 * VP sets: calls to a VP's thread, and yields that are served there. A running
 * guest must not notice either.
 */

#include "conformance/scenarios/vpset_vm.h"

#define PORT 0x700u

static const struct conf_vm_options one_vp = {.without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(reads_port, VMR_IN(1, PORT, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_SPIN());

static const struct vmr_program *const one[] = {&spins};

#define YIELDS 8u

static void yield_again(void *context, struct vmr_vp *vp)
{
    struct conf_vm *vm = context;
    uint32_t *yields = vm->user;

    if (++*yields < YIELDS)
        CONF_CHECK(vm->conf, vmr_partition_request_yield(vm->partition, vmr_vp_get_index(vp)),
                   "a yield from within was not the first");
    else
        guest_word_set(vm, WORD_GO, 1);
}

/* A yield that is asked for while one is being served counts, and the guest still gets its turn in the end. */
static void yield_from_within(struct conf *conf)
{
    struct vpset_vm group;
    uint32_t yields = 0;

    if (vpset_vm_create(&group, conf, &one_vp, one) && vpset_create(&group, yield_again)) {
        group.vm->user = &yields;
        CONF_CHECK(conf, vmr_partition_request_yield(group.vm->partition, 0), "the yield was not the first");
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "the halt");
        CONF_CHECK_EQ(conf, yields, YIELDS, "yields");
        CONF_CHECK(conf, group.vm->reports[0].ended, "the guest did not reach its end");
    }
    vpset_end(&group);
}

struct calls {
    struct conf *conf;
    struct vpset_vm *group;
    uint32_t next[2]; /* by caller: the VP's thread */
    uint32_t caller;
    uint32_t number;
};

static enum vmr_status look_at_vp(void *argument, struct vmr_vp *vp)
{
    const struct calls *call = argument;
    struct calls *all = call->group->vm->user;
    struct vmr_x86_regs regs;

    CONF_CHECK_EQ(call->conf, vmr_vp_get_index(vp), 0, "the VP called");
    CONF_CHECK_EQ(call->conf, call->number, all->next[call->caller], "the number of the call");
    all->next[call->caller]++;
    return vmr_vp_get_regs(vp, &regs) ? VMR_E_HOST : VMR_E_GUEST;
}

static void call_often(struct calls *all, uint32_t caller, uint32_t count)
{
    for (uint32_t i = 0; i < count && !conf_failed(all->conf); i++) {
        struct calls call = {.conf = all->conf, .group = all->group, .caller = caller, .number = i};

        CONF_CHECK_EQ(all->conf, vmr_vp_set_call(all->group->set, 0, look_at_vp, &call), VMR_E_GUEST,
                      "what the function returned");
    }
}

static void call_from_thread(void *argument)
{
    struct calls *all = argument;

    call_often(all, 1, all->conf->exploring ? 1 : 20);
}

static void calls_are_transparent(struct conf *conf)
{
    struct vpset_vm group;
    struct calls all = {.conf = conf, .group = &group};
    uint32_t count = conf->exploring ? 1 : 20;

    if (vpset_begin(&group, conf, &one_vp, one)) {
        group.vm->user = &all;
        vpset_start(&group);
        struct vmr_thread *thread = conf->exploring ? NULL : conf_thread(conf, call_from_thread, &all);

        call_often(&all, 0, count);
        conf_join(conf, thread);
        CONF_CHECK(conf, all.next[0] == count && (!thread || all.next[1] == count), "%u and %u calls", all.next[0],
                   all.next[1]);
        guest_word_set(group.vm, WORD_GO, 1);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "the halt");
        CONF_CHECK(conf, group.vm->reports[0].ended && !group.vm->reports[0].mismatch, "the guest did not end well");
    }
    vpset_end(&group);
}

struct queued_call {
    const struct vpset_vm *group;
    uint32_t *turn; /* the VP's thread */
    uint32_t number;
};

static enum vmr_status take_turn(void *argument, struct vmr_vp *vp)
{
    const struct queued_call *call = argument;

    (void)vp;
    CONF_CHECK_EQ(call->group->vm->conf, *call->turn, call->number, "calls before this one");
    (*call->turn)++;
    return VMR_OK;
}

static void queue_call(void *argument)
{
    struct queued_call *call = argument;

    CONF_CHECK_EQ(call->group->vm->conf, vmr_vp_set_call(call->group->set, 0, take_turn, call), VMR_OK, "the call");
}

/* Under a scheduler time only moves when nobody can go on: when this returns, all others wait. */
static void let_others_settle(struct conf *conf, struct vmr_parker *parker)
{
    const struct vmr_host *host = conf->host;

    (void)host->ops->park(host->context, parker, host->ops->now_ns(host->context) + 1);
}

/* Three callers come one after the other while the VP is in a handler. */
static void calls_in_order(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&reads_port};
    struct gate gate = {.conf = conf};
    struct conf_device device = {.on_access = wait_at_gate, .user = &gate};
    struct vpset_vm group;
    uint32_t turn = 0;
    struct queued_call calls[3];
    struct vmr_thread *threads[3];
    struct vmr_parker *parker;

    CONF_REQUIRE(conf, conf->host->ops->parker_create(conf->host->context, &parker) == VMR_OK, "no parker");
    if (vpset_begin(&group, conf, &one_vp, programs) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        vpset_start(&group);
        (void)conf_latch_wait(conf, &gate.entered, "the handler to be entered");
        for (uint32_t i = 0; i < 3; i++) {
            calls[i] = (struct queued_call){.group = &group, .turn = &turn, .number = i};
            threads[i] = conf_thread(conf, queue_call, &calls[i]);
            let_others_settle(conf, parker);
        }
        CONF_CHECK_EQ(conf, turn, 0, "calls that came in between");
        conf_latch_set(&gate.open);
        for (uint32_t i = 0; i < 3; i++)
            conf_join(conf, threads[i]);
        CONF_CHECK_EQ(conf, turn, 3, "calls");
    }
    conf_latch_set(&gate.open);
    vpset_end(&group);
    conf->host->ops->parker_destroy(conf->host->context, parker);
}

static enum vmr_status count_call(void *argument, struct vmr_vp *vp)
{
    uint32_t *count = argument;

    (void)vp;
    (*count)++;
    return VMR_OK;
}

/* Stopped, asleep, halted: a call comes through everywhere, and starts nothing. */
static void call_anywhere(struct conf *conf)
{
    CONF_PROGRAM(sleeps_alone, VMR_STORE(WORD_SEEN, 4, 1), VMR_HLT(), VMR_STORE(WORD_PAST, 4, 1), VMR_SPIN());
    static const struct vmr_program *const programs[] = {&sleeps_alone};
    struct vpset_vm group;
    uint32_t count = 0;

    if (vpset_begin(&group, conf, &one_vp, programs)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, count_call, &count), VMR_OK, "a call before the start");
        CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_SEEN), 0, "what the guest stored before the start");
        vpset_start(&group);
        CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, 1), "the guest does not run");
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, count_call, &count), VMR_OK, "a call to a sleeping VP");
        CONF_CHECK(conf, vmr_vp_set_halt_all(group.set, 0, VMR_HALT_RESET), "another halt was first");
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, count_call, &count), VMR_OK, "a call to a halted VP");
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 1, count_call, &count), VMR_E_USAGE, "a call to nobody");
        CONF_CHECK_EQ(conf, count, 3, "calls");
        CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_PAST), 0, "what the sleeper stored behind its sleep");
    }
    vpset_end(&group);
}

/* Of two VPs one is held through a start: it is called, and does not move; let go, it runs. */
static void hold_one(struct conf *conf)
{
    CONF_PROGRAM(first, VMR_STORE(VP_WORD(WORD_SEEN, 0), 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    CONF_PROGRAM(second, VMR_STORE(VP_WORD(WORD_SEEN, 1), 4, 1), VMR_END());
    static const struct conf_vm_options two = {.vps = 2, .without_chip = true};
    static const struct vmr_program *const programs[] = {&first, &second};
    struct vpset_vm group;
    uint32_t count = 0;

    if (vpset_begin(&group, conf, &two, programs)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_hold(group.set, 2, true), VMR_E_USAGE, "holding nobody");
        CONF_CHECK_EQ(conf, vmr_vp_set_hold(group.set, 1, true), VMR_OK, "holding");
        vpset_start(&group);
        CONF_CHECK(conf, guest_word_wait(group.vm, VP_WORD(WORD_SEEN, 0), 1), "the other does not run");
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 1, count_call, &count), VMR_OK, "a call to a held VP");
        CONF_CHECK_EQ(conf, vmr_vp_set_hold(group.set, 1, false), VMR_E_STATE, "letting go in a running set");
        guest_word_set(group.vm, WORD_GO, 1);
        CONF_CHECK_EQ(conf, vpset_wait(&group).vp, 0, "who halted");
        vpset_stop(&group);
        CONF_CHECK_EQ(conf, guest_word(group.vm, VP_WORD(WORD_SEEN, 1)), 0, "what the held VP stored");
        CONF_CHECK_EQ(conf, count, 1, "calls");
        CONF_CHECK_EQ(conf, vmr_vp_set_hold(group.set, 1, false), VMR_OK, "letting go");
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).vp, 1, "who halted then");
        CONF_CHECK(conf, group.vm->reports[1].ended, "the VP did not get to its end");
    }
    vpset_end(&group);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_yield_from_within_a_yield_is_served_next",
     .family = "vpset",
     .ids = "trap-2",
     .clauses = "RUN-2 RUN-6",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = yield_from_within},
    {.name = "a_call_does_not_disturb_a_running_guest",
     .family = "vpset",
     .ids = "S7",
     .clauses = "SET-7",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = calls_are_transparent},
    {.name = "calls_run_in_the_order_they_came",
     .family = "vpset",
     .clauses = "SET-7 EXIT-6",
     .flags = CONF_MOCK_ONLY | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = calls_in_order},
    {.name = "a_call_comes_through_in_every_state",
     .family = "vpset",
     .clauses = "SET-7",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = call_anywhere},
    {.name = "a_vp_that_is_held_stands_still_through_a_start",
     .family = "vpset",
     .clauses = "SET-8",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = hold_one},
};

CONF_FAMILY(vpset_call, scenarios);
