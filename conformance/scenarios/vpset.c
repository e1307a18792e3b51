/* SPDX-License-Identifier: MIT */
/*
 * VP sets: creating, starting and stopping. What halts do is in vpset_halt.c,
 * calls and yields are in vpset_call.c.
 */

#include "conformance/scenarios/vpset_vm.h"

#include <stdatomic.h>
#include <string.h>

#define PORT 0x700u
#define STATES_FAILED 4

static const struct conf_vm_options one_vp = {.without_chip = true};
static const struct conf_vm_options two_vps = {.vps = 2, .without_chip = true};
static const struct conf_vm_options three_vps = {.vps = 3, .without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(spins_beside, VMR_STORE(VP_WORD(WORD_SEEN, 1), 4, 1), VMR_SPIN());
CONF_PROGRAM(sleeps, VMR_STORE(VP_WORD(WORD_SEEN, 2), 4, 1), VMR_HLT(), VMR_STORE(VP_WORD(WORD_PAST, 2), 4, 1),
             VMR_SPIN());
CONF_PROGRAM(reads_port, VMR_IN(1, PORT, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_SPIN());
CONF_PROGRAM(powers_off, VMR_POWER_OFF(), VMR_STORE(WORD_PAST, 4, 1), VMR_SPIN());

static const struct vmr_program *const two[] = {&spins, &spins_beside};

/* --- creating --- */

struct refusal {
    struct conf_vm *vm;
    bool refuse;
};

static enum vmr_status refuse_second(void *context, struct vmr_vp *vp, struct vmr_error *err)
{
    struct refusal *refusal = context;

    if (refusal->refuse && vmr_vp_get_index(vp) == 1)
        return vmr_error_set(err, VMR_E_CONFIG, "no second one");
    return vpset_prepare(refusal->vm, vp, err);
}

static void check_refusal(struct conf *conf, enum vmr_status status, enum vmr_status want, const struct vmr_error *err)
{
    CONF_CHECK_EQ(conf, status, want, "creating");
    CONF_CHECK(conf, strstr(err->message, "VP 1") != NULL, "the message does not name VP 1: '%s'", err->message);
}

static void create_fails_whole(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &two_vps);
    struct refusal refusal = {.vm = vm, .refuse = true};
    struct vmr_vp_set *untouched = (struct vmr_vp_set *)&refusal, *set = untouched;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &spins) && conf_load(vm, 1, &spins_beside), "no VM");
    const struct vmr_vp_set_options options = {.io = &vm->io, .prepare = refuse_second, .context = &refusal};
    const struct vmr_vp_set_options no_io = {.prepare = refuse_second, .context = &refusal};

    CONF_CHECK_EQ(conf, vmr_vp_set_create(vm->partition, &no_io, &set, &err), VMR_E_USAGE, "creating without io");
    check_refusal(conf, vmr_vp_set_create(vm->partition, &options, &set, &err), VMR_E_CONFIG, &err);
    CONF_CHECK(conf, set == untouched, "the output was touched");
    if (!vmr_caps_have(&conf->caps, VMR_CAP_REBIND)) {
        conf_vm_destroy(vm);
        return;
    }
    /* No VP is left bound: all can be bound here, and then none by a set. */
    CONF_REQUIRE(conf, conf_bind(vm, 1), "VP 1 is still bound");
    refusal.refuse = false;
    check_refusal(conf, vmr_vp_set_create(vm->partition, &options, &set, &err), VMR_E_STATE, &err);
    conf_unbind(vm, 1);
    CONF_CHECK_EQ(conf, vmr_vp_set_create(vm->partition, &options, &set, &err), VMR_OK, "creating at last");
    if (set != untouched)
        vmr_vp_set_destroy(set);
    conf_vm_destroy(vm);
}

static void all_run(struct conf *conf)
{
    CONF_PROGRAM(first, VMR_STORE(VP_WORD(WORD_SEEN, 0), 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    static const struct vmr_program *const programs[] = {&first, &spins_beside, &sleeps};
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &three_vps, programs)) {
        CONF_CHECK_EQ(conf, guest_word(group.vm, VP_WORD(WORD_SEEN, 0)), 0, "what VP 0 stored before the start");
        vpset_start(&group);
        for (vmr_vp_index vp = 0; vp < 3; vp++)
            CONF_CHECK(conf, guest_word_wait(group.vm, VP_WORD(WORD_SEEN, vp), 1), "VP %u does not run", vp);
        guest_word_set(group.vm, WORD_GO, 1);
        CONF_CHECK_EQ(conf, vpset_wait(&group).vp, 0, "the VP that ended");
    }
    vpset_end(&group);
}

/* --- stopping --- */

/* Brings the set to state `state`, of which the last is that a VP has failed. */
static void bring_to(const struct vpset_vm *group, int state)
{
    if (state == 0)
        return;
    vpset_start(group);
    if (state == 2)
        vpset_stop(group);
    if (state >= 3)
        (void)vpset_wait(group);
}

static void stop_from(struct conf *conf, int state)
{
    static const struct vmr_program *const halting[] = {&powers_off, &spins_beside};
    struct vpset_vm group;
    const struct conf_vm_options *options = conf->exploring ? &one_vp : &two_vps;
    bool made = vpset_vm_create(&group, conf, options, state == 3 ? halting : two) &&
                (state == STATES_FAILED ? vpset_create_failing(&group) : vpset_create(&group, NULL));

    if (made) {
        bring_to(&group, state);
        vpset_stop(&group);
        vpset_stop(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), state == STATES_FAILED ? VMR_E_STATE : VMR_OK,
                      "a start after the stop");
        vpset_stop(&group);
    }
    vpset_end(&group);
}

static void stop_created(struct conf *conf)
{
    stop_from(conf, 0);
}

static void stop_running(struct conf *conf)
{
    stop_from(conf, 1);
}

static void stop_stopped(struct conf *conf)
{
    stop_from(conf, 2);
}

static void stop_halted(struct conf *conf)
{
    stop_from(conf, 3);
}

static void stop_failed(struct conf *conf)
{
    stop_from(conf, STATES_FAILED);
}

/* A device that knows whether the set is stopped, for the one who stops it knows. */
struct watched {
    struct conf *conf;
    _Atomic uint32_t stopped;
};

static void watch_access(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct watched *watched = device->user;

    (void)write;
    if (atomic_load(&watched->stopped))
        conf_fail(watched->conf, __FILE__, __LINE__, "VP %u reached a device after the stop", access->vp);
}

/* Stops and starts in close order: an answer to the stop before must not pass for one to this. */
static void old_acknowledgement(struct conf *conf)
{
    CONF_PROGRAM(writes_on, VMR_OUT(PORT, 4, 1), VMR_JUMP(0));
    CONF_PROGRAM(writes_once, VMR_OUT(PORT, 4, 1), VMR_SPIN());
    struct watched watched = {.conf = conf};
    struct conf_device device = {.on_access = watch_access, .user = &watched};
    const struct vmr_program *const programs[] = {conf->exploring ? &writes_once : &writes_on};
    uint32_t pairs = conf->exploring ? 2 : conf->is_mock ? 200 : 10000;
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &one_vp, programs) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        for (uint32_t i = 0; i < pairs && !conf_failed(conf) && !conf_over(conf); i++) {
            atomic_store(&watched.stopped, 0);
            vpset_start(&group);
            vpset_stop(&group);
            atomic_store(&watched.stopped, 1);
        }
    }
    vpset_end(&group);
}

static void pause_at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    (void)number;
    if (vm->conf->is_mock)
        conf_pause(vm->conf); /* a guest that only computes would keep its turn */
}

static void stands_still(struct conf *conf)
{
    CONF_PROGRAM(counts, VMR_ADD(0, 1), VMR_STORE_VAR(WORD_SEEN, 4, 0), VMR_CHECKPOINT(1), VMR_JUMP(0));
    static const struct vmr_program *const programs[] = {&counts};
    struct vpset_vm group;
    uint32_t before = 0;

    if (vpset_begin(&group, conf, &one_vp, programs)) {
        group.vm->on_checkpoint = pause_at_checkpoint;
        for (unsigned i = 0; i < 5 && !conf_failed(conf); i++) {
            vpset_start(&group);
            CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, before + 10), "the guest does not go on");
            vpset_stop(&group);
            before = guest_word(group.vm, WORD_SEEN);
            for (unsigned pause = 0; pause < 5; pause++)
                conf_pause(conf);
            CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_SEEN), before, "the count of a stopped guest");
        }
    }
    vpset_end(&group);
}

/* --- stopping those who cannot come at once --- */

struct gate_until_asked {
    struct gate gate;
    struct conf_latch asked; /* VP 1, which comes behind the one at the gate, was made to leave its run */
};

static void note_leaving(void *context, struct vmr_vp *vp)
{
    const struct conf_vm *vm = context;
    struct gate_until_asked *until = vm->user;

    if (vmr_vp_get_index(vp) == 1)
        conf_latch_set(&until->asked);
}

static void open_gate(void *argument)
{
    struct gate_until_asked *until = argument;
    struct gate *gate = &until->gate;

    (void)conf_latch_wait(gate->conf, &until->asked, "the stop to be asked for");
    CONF_CHECK_EQ(gate->conf, atomic_load(&gate->left), 0, "handlers through before the gate was opened");
    conf_latch_set(&gate->open);
}

static void stop_three(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&reads_port, &spins_beside, &sleeps};
    struct gate_until_asked until = {.gate = {.conf = conf}};
    struct conf_device device = {.answer = 5, .on_access = wait_at_gate, .user = &until.gate};
    struct vpset_vm group;
    bool made = vpset_vm_create(&group, conf, &three_vps, programs);

    if (made)
        group.vm->user = &until;
    if (made && vpset_create(&group, note_leaving) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        vpset_start(&group);
        if (guest_word_wait(group.vm, VP_WORD(WORD_SEEN, 1), 1) &&
            guest_word_wait(group.vm, VP_WORD(WORD_SEEN, 2), 1) &&
            conf_latch_wait(conf, &until.gate.entered, "the handler to be entered")) {
            struct vmr_thread *thread = conf_thread(conf, open_gate, &until);

            vpset_stop(&group);
            CONF_CHECK_EQ(conf, atomic_load(&until.gate.left), 1, "handlers through when the stop returned");
            conf_join(conf, thread);
        }
        CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_SEEN), 0, "what the VP in the handler stored afterwards");
        CONF_CHECK_EQ(conf, guest_word(group.vm, VP_WORD(WORD_PAST, 2)), 0, "what the sleeper stored afterwards");
        vpset_start(&group);
        CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, 5), "the VP in the handler does not go on");
        CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    }
    conf_latch_set(&until.gate.open);
    vpset_end(&group);
}

/* --- a lock that the stopper holds --- */

#define LOCK_PATIENCE_NS UINT64_C(20000000)

struct held_lock {
    struct conf *conf;
    struct vmr_parker *released; /* a permit when the lock's owner lets go */
    struct conf_latch wanted;
    _Atomic uint32_t stopped, gave_up;
};

static void want_lock(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct held_lock *lock = device->user;
    const struct vmr_host *host = lock->conf->host;
    uint64_t deadline_ns = host->ops->now_ns(host->context) + LOCK_PATIENCE_NS;

    (void)access;
    (void)write;
    conf_latch_set(&lock->wanted);
    if (host->ops->park(host->context, lock->released, deadline_ns) == VMR_PARK_TIMEOUT)
        atomic_store(&lock->gave_up, 1);
    CONF_CHECK_EQ(lock->conf, atomic_load(&lock->stopped), 0, "stops that had returned while the handler waited");
}

/*
 * Whoever stops a set while holding what a device needs waits for ever: the
 * stop does not return before the handler has, and here the handler gives up.
 * On the mock, where time only moves when nobody can go on, that proves it.
 */
static void stopper_holds_lock(struct conf *conf)
{
    static const struct vmr_program *const programs[] = {&reads_port};
    struct held_lock lock = {.conf = conf};
    struct conf_device device = {.answer = 5, .on_access = want_lock, .user = &lock};
    struct vpset_vm group = {0};

    CONF_REQUIRE(conf, conf->host->ops->parker_create(conf->host->context, &lock.released) == VMR_OK, "no parker");
    if (vpset_begin(&group, conf, &one_vp, programs) &&
        conf_device_claim(group.vm, group.vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        vpset_start(&group);
        (void)conf_latch_wait(conf, &lock.wanted, "the handler to want the lock");
        vpset_stop(&group);
        atomic_store(&lock.stopped, 1);
        CONF_CHECK_EQ(conf, atomic_load(&lock.gave_up), 1, "handlers that gave up waiting for the stopper");
        CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    }
    conf->host->ops->unpark(conf->host->context, lock.released);
    vpset_end(&group);
    conf->host->ops->parker_destroy(conf->host->context, lock.released);
}

static void destroy_running(struct conf *conf)
{
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &two_vps, two)) {
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vmr_partition_destroy(group.vm->partition), VMR_E_STATE, "destroying under a set");
        vmr_vp_set_destroy(group.set);
        group.set = NULL;
        if (vmr_caps_have(&conf->caps, VMR_CAP_REBIND))
            CONF_CHECK(conf, conf_bind(group.vm, 0), "VP 0 is still bound");
    }
    vpset_end(&group);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_set_is_created_whole_or_not_at_all",
     .family = "vpset",
     .clauses = "SET-3 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = create_fails_whole},
    {.name = "all_vps_of_a_set_run",
     .family = "vpset",
     .clauses = "SET-2",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = all_run},
    {.name = "a_set_that_never_ran_can_be_stopped",
     .family = "vpset",
     .ids = "STOP-07",
     .clauses = "SET-4",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_created},
    {.name = "a_running_set_can_be_stopped",
     .family = "vpset",
     .ids = "STOP-07",
     .clauses = "SET-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_running},
    {.name = "a_stopped_set_can_be_stopped",
     .family = "vpset",
     .ids = "STOP-07",
     .clauses = "SET-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_stopped},
    {.name = "a_halted_set_can_be_stopped",
     .family = "vpset",
     .ids = "STOP-07",
     .clauses = "SET-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_halted},
    {.name = "a_set_with_a_failed_vp_can_be_stopped",
     .family = "vpset",
     .ids = "STOP-07",
     .clauses = "SET-4 HALT-2",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_failed},
    {.name = "a_stopped_guest_stands_still",
     .family = "vpset",
     .ids = "STOP-02",
     .clauses = "SET-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stands_still},
    {.name = "an_old_acknowledgement_does_not_end_a_stop",
     .family = "vpset",
     .ids = "STOP-10",
     .clauses = "SET-4",
     .flags = CONF_EXPLORE | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = old_acknowledgement},
    {.name = "a_stop_reaches_sleeper_runner_and_handler",
     .family = "vpset",
     .ids = "STOP-11",
     .clauses = "SET-4 RUN-11 RUN-12",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stop_three},
    {.name = "a_stop_waits_for_a_handler_that_waits_for_the_stopper",
     .family = "vpset",
     .ids = "STOP-09",
     .clauses = "SET-4 RUN-12",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = stopper_holds_lock},
    {.name = "destroying_a_running_set_unbinds_its_vps",
     .family = "vpset",
     .clauses = "SET-4 LIFE-5",
     .chip = CONF_CHIP_ANY,
     .run = destroy_running},
};

CONF_FAMILY(vpset, scenarios);
