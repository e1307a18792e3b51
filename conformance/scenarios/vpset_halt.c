/* SPDX-License-Identifier: MIT */
/*
 * Halts of a VP set: which one is reported, to whom, and that nothing runs
 * afterwards. How sets are started and stopped is in vpset.c.
 */

#include "conformance/scenarios/vpset_vm.h"

#include <stdatomic.h>

#define PORT 0x700u
#define WAITERS 3u

static const struct conf_vm_options one_vp = {.without_chip = true};
static const struct conf_vm_options two_vps = {.vps = 2, .without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(spins_beside, VMR_STORE(VP_WORD(WORD_SEEN, 1), 4, 1), VMR_SPIN());
CONF_PROGRAM(powers_off, VMR_POWER_OFF(), VMR_STORE(VP_WORD(WORD_PAST, 0), 4, 1), VMR_SPIN());
CONF_PROGRAM(resets, VMR_RESET(), VMR_STORE(VP_WORD(WORD_PAST, 1), 4, 1), VMR_SPIN());

static const struct vmr_program *const one[] = {&spins};
static const struct vmr_program *const two[] = {&spins, &spins_beside};

/* --- which halt is reported --- */

static enum vmr_halt_reason reason_of(vmr_vp_index vp)
{
    return vp == 0 ? VMR_HALT_POWER_OFF : VMR_HALT_RESET;
}

/* The wait says what a VP did, says so again, and nothing has come after it. */
static void check_halt(const struct vpset_vm *group)
{
    struct conf *conf = group->vm->conf;
    struct vmr_vp_set_halt halt = vpset_wait(group), again = vpset_wait(group);

    CONF_REQUIRE(conf, halt.vp < 2, "VP %u halted", halt.vp);
    CONF_CHECK_EQ(conf, halt.result.reason, reason_of(halt.vp), "the reason");
    CONF_CHECK(conf, again.vp == halt.vp && again.result.reason == halt.result.reason, "the halt has changed: VP %u",
               again.vp);
    CONF_CHECK_EQ(conf, guest_word(group->vm, VP_WORD(WORD_PAST, halt.vp)), 0, "what was stored behind the halt");
}

#define ROUND_NS UINT64_C(20000000)
#define ROUND_MAX 1000u

static bool both_have_gone_on(const struct vpset_vm *group)
{
    return guest_word(group->vm, VP_WORD(WORD_PAST, 0)) != 0 && guest_word(group->vm, VP_WORD(WORD_PAST, 1)) != 0;
}

/* Both halt, at once or one after the other; each of them goes on when the set is started again. */
static void two_halts(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&powers_off, &resets};
    const struct vmr_host *host = conf->host;
    struct vmr_vp_set_halt halt;
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &two_vps, programs)) {
        vpset_start(&group);
        check_halt(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_E_STATE, "a start of a halted set");
        vpset_stop(&group);
        vpset_start(&group);
        /* The slower one may not have come to its halt before: then it does in one of these rounds. */
        for (unsigned round = 0; round < ROUND_MAX && !both_have_gone_on(&group) && !conf_over(conf); round++) {
            CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, host->ops->now_ns(host->context) + ROUND_NS, &halt), VMR_OK,
                          "the wait");
            vpset_stop(&group);
            vpset_start(&group);
        }
        for (vmr_vp_index vp = 0; vp < 2; vp++)
            CONF_CHECK(conf, guest_word_wait(group.vm, VP_WORD(WORD_PAST, vp), 1), "VP %u does not go on", vp);
    }
    vpset_end(&group);
}

/* A guest's halt and one from outside: whoever is told to have been first is the one that is reported. */
static void first_halt(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&powers_off};
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &one_vp, programs)) {
        vpset_start(&group);
        bool first = vmr_vp_set_halt_all(group.set, 0, VMR_HALT_HIBERNATE);

        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, first ? VMR_HALT_HIBERNATE : VMR_HALT_POWER_OFF,
                      "the reason");
        CONF_CHECK(conf, !vmr_vp_set_halt_all(group.set, 0, VMR_HALT_RESET), "the last halt was first");
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, first ? VMR_HALT_HIBERNATE : VMR_HALT_POWER_OFF,
                      "the reason in the end");
    }
    vpset_end(&group);
}

/* --- a halt from a device's thread --- */

struct watched {
    struct conf *conf;
    _Atomic uint32_t accesses, halted;
};

static void watch_access(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct watched *watched = device->user;

    (void)write;
    atomic_fetch_add(&watched->accesses, 1);
    if (atomic_load(&watched->halted))
        conf_fail(watched->conf, __FILE__, __LINE__, "VP %u reached a device after the halt", access->vp);
    if (watched->conf->is_mock && !watched->conf->exploring)
        conf_pause(watched->conf); /* a guest that only computes would keep its turn */
}

static bool some_accesses(void *argument)
{
    struct watched *watched = argument;

    return atomic_load(&watched->accesses) >= 3;
}

static void check_quiet(const struct vpset_vm *group)
{
    struct conf *conf = group->vm->conf;
    struct vmr_mock *mock = conf_mock(group->vm);
    uint32_t before = guest_word(group->vm, WORD_SEEN);
    uint64_t steps[2] = {mock ? vmr_mock_steps(mock, 0) : 0, mock ? vmr_mock_steps(mock, 1) : 0};

    for (unsigned pause = 0; pause < 5 && !conf->exploring; pause++)
        conf_pause(conf);
    CONF_CHECK_EQ(conf, guest_word(group->vm, WORD_SEEN), before, "the guest's count after the halt");
    for (vmr_vp_index vp = 0; mock && vp < 2; vp++)
        CONF_CHECK_EQ(conf, vmr_mock_steps(mock, vp), steps[vp], "guest steps after the halt");
}

static void halt_from_device(struct conf *conf)
{
    CONF_PROGRAM(counts_on, VMR_ADD(0, 1), VMR_STORE_VAR(WORD_SEEN, 4, 0), VMR_OUT(PORT, 4, 1), VMR_JUMP(0));
    CONF_PROGRAM(counts_once, VMR_STORE(WORD_SEEN, 4, 1), VMR_OUT(PORT, 4, 1), VMR_SPIN());
    const struct vmr_program *const programs[] = {conf->exploring ? &counts_once : &counts_on, &spins_beside};
    struct watched watched = {.conf = conf};
    struct conf_device device = {.on_access = watch_access, .user = &watched};
    struct vpset_vm group;

    if (vpset_begin(&group, conf, conf->exploring ? &one_vp : &two_vps, programs) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        vpset_start(&group);
        if (!conf->exploring)
            (void)conf_wait(conf, some_accesses, &watched, "the guest to reach its device");
        CONF_CHECK(conf, vmr_vp_set_halt_all(group.set, 0, VMR_HALT_POWER_OFF), "another halt was first");
        CONF_CHECK(conf, !vmr_vp_set_halt_all(group.set, 0, VMR_HALT_RESET), "the second halt was first");
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "the reason");
        atomic_store(&watched.halted, 1);
        check_quiet(&group);
    }
    vpset_end(&group);
}

/* A halt that comes from a device callback on the VP's own thread holds as well. */
static void halt_from_callback(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct vpset_vm *group = device->user;

    (void)write;
    CONF_CHECK(group->vm->conf, vmr_vp_set_halt_all(group->set, access->vp, VMR_HALT_HIBERNATE),
               "another halt was first");
}

static void halt_in_callback(struct conf *conf)
{
    CONF_PROGRAM(reads_port, VMR_IN(1, PORT, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_SPIN());
    static const struct vmr_program *const programs[] = {&reads_port};
    struct vpset_vm group;
    struct conf_device device = {.answer = 6, .on_access = halt_from_callback, .user = &group};

    if (vpset_begin(&group, conf, &one_vp, programs) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_HIBERNATE, "the reason");
        CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_SEEN), 0, "what the guest stored behind the halt");
        vpset_stop(&group);
        vpset_start(&group);
        CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, 6), "the guest does not go on");
        CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    }
    vpset_end(&group);
}

/* --- waiting --- */

static void what_waits_end_with(struct conf *conf)
{
    struct vmr_vp_set_halt halt = {.vp = 77};
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &one_vp, one)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, VMR_NEVER, &halt), VMR_E_STATE, "a wait before the start");
        CONF_CHECK_EQ(conf, halt.vp, 77, "the output of a wait that was refused");
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_E_STATE, "a second start");
        uint64_t soon = conf->host->ops->now_ns(conf->host->context) + 1000000;

        CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, soon, &halt), VMR_OK, "a wait with a deadline");
        CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_NONE, "the reason at the deadline");
        CONF_CHECK(conf, conf->host->ops->now_ns(conf->host->context) >= soon, "the wait ended before its deadline");
        vpset_stop(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, VMR_NEVER, &halt), VMR_E_STATE, "a wait after a stop");
        guest_word_set(group.vm, WORD_GO, 1);
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "the reason");
        vpset_stop(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "the reason once stopped");
    }
    vpset_end(&group);
}

struct waiter {
    const struct vpset_vm *group;
    enum vmr_status status;
    struct vmr_vp_set_halt halt;
};

static void wait_in_thread(void *argument)
{
    struct waiter *waiter = argument;

    waiter->status = vmr_vp_set_wait(waiter->group->set, VMR_NEVER, &waiter->halt);
}

/* A stop leaves those who wait with nothing to wait for; one that waits afterwards is told the same. */
static void stop_ends_wait(struct conf *conf)
{
    struct vpset_vm group;
    struct waiter waiter = {.group = &group};

    if (vpset_begin(&group, conf, &one_vp, one)) {
        vpset_start(&group);
        struct vmr_thread *thread = conf_thread(conf, wait_in_thread, &waiter);

        if (!conf->exploring)
            conf_pause(conf);
        vpset_stop(&group);
        conf_join(conf, thread);
        CONF_CHECK_EQ(conf, waiter.status, VMR_E_STATE, "the wait that was stopped");
    }
    vpset_end(&group);
}

/* --- a VP that dies --- */

static enum vmr_status look(void *argument, struct vmr_vp *vp)
{
    struct vmr_x86_regs *ret_regs = argument;

    return vmr_vp_get_regs(vp, ret_regs);
}

static void check_after_death(const struct vpset_vm *group)
{
    struct conf *conf = group->vm->conf;
    struct vmr_x86_regs regs;

    CONF_CHECK_EQ(conf, vmr_vp_set_call(group->set, 0, look, &regs), VMR_OK, "looking at the VP that failed");
    vpset_stop(group);
    CONF_CHECK_EQ(conf, vmr_vp_set_start(group->set), VMR_E_STATE, "a start with a VP that failed");
}

/* Whoever waits when a VP dies, and whoever comes later, learns of it and of which one. */
static void death_wakes_waiters(struct conf *conf)
{
    struct vpset_vm group;
    struct waiter waiters[WAITERS];
    struct vmr_thread *threads[WAITERS];
    unsigned count = conf->exploring ? 1 : WAITERS;

    if (vpset_vm_create(&group, conf, conf->exploring ? &one_vp : &two_vps, two) && vpset_create_failing(&group)) {
        vpset_start(&group);
        for (unsigned i = 0; i < count; i++) {
            waiters[i] = (struct waiter){.group = &group};
            threads[i] = conf_thread(conf, wait_in_thread, &waiters[i]);
        }
        for (unsigned i = 0; i < count; i++) {
            conf_join(conf, threads[i]);
            CONF_CHECK_EQ(conf, waiters[i].status, VMR_OK, "the wait");
            CONF_CHECK(conf, waiters[i].halt.vp == 0 && waiters[i].halt.result.reason == VMR_HALT_FATAL, "VP %u: %s",
                       waiters[i].halt.vp, outcome_name(&waiters[i].halt.result));
            CONF_CHECK_EQ(conf, waiters[i].halt.result.exit.kind, VMR_EXIT_FAIL, "the exit it died of");
        }
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_FATAL, "a wait that came later");
        check_after_death(&group);
    }
    vpset_end(&group);
}

static void stop_from_thread(void *argument)
{
    const struct vpset_vm *group = argument;

    vpset_stop(group);
}

/* A stop that meets the death of a VP ends all the same, whichever comes first. */
static void death_meets_stop(struct conf *conf)
{
    struct vpset_vm group;

    if (vpset_vm_create(&group, conf, &one_vp, one) && vpset_create_failing(&group)) {
        vpset_start(&group);
        struct vmr_thread *thread = conf_thread(conf, stop_from_thread, &group);

        vpset_stop(&group);
        conf_join(conf, thread);
        enum vmr_status status = vmr_vp_set_start(group.set);

        /* Stopped before it had begun, it is alive still. */
        CONF_CHECK(conf, status == VMR_E_STATE || status == VMR_OK, "a start: %s", vmr_status_name(status));
        if (!status)
            CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_FATAL, "the reason");
        check_after_death(&group);
    }
    vpset_end(&group);
}

static const struct conf_scenario scenarios[] = {
    {.name = "of_two_halts_one_is_reported",
     .family = "vpset",
     .ids = "S6 trap-6",
     .clauses = "SET-1",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = two_halts},
    {.name = "the_first_of_two_halts_wins",
     .family = "vpset",
     .ids = "S6 trap-6",
     .clauses = "SET-1 SET-6",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = first_halt},
    {.name = "after_a_halt_from_a_device_no_vp_goes_on",
     .family = "vpset",
     .ids = "S5 trap-6",
     .clauses = "SET-6 SET-1",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = halt_from_device},
    {.name = "a_halt_from_a_callback_ends_its_own_run",
     .family = "vpset",
     .ids = "S5",
     .clauses = "SET-6 EXIT-6",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = halt_in_callback},
    {.name = "a_wait_ends_with_halt_deadline_or_state",
     .family = "vpset",
     .clauses = "SET-5 ERR-1",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = what_waits_end_with},
    {.name = "a_stop_ends_a_wait",
     .family = "vpset",
     .clauses = "SET-5 SET-4",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_ends_wait},
    {.name = "a_vp_that_dies_wakes_every_waiter",
     .family = "vpset",
     .ids = "STOP-08",
     .clauses = "HALT-2 SET-5 SET-7",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = death_wakes_waiters},
    {.name = "a_stop_ends_though_a_vp_dies_meanwhile",
     .family = "vpset",
     .ids = "STOP-08",
     .clauses = "HALT-2 SET-4",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = death_meets_stop},
};

CONF_FAMILY(vpset_halt, scenarios);
