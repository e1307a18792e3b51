/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor that runs its VPs itself: who may run them, on which threads that
 * happens, and what its own starts and stops can do wrong. That sets and machines
 * mean the same there as elsewhere is for the families vpset and machine to say,
 * which run there too.
 */

#include "conformance/scenarios/machine_vm.h"
#include "conformance/scenarios/tape.h"
#include "conformance/scenarios/vpset_vm.h"

static const struct conf_vm_options one_vp = {.without_chip = true};
static const struct conf_vm_options two_vps = {.vps = 2, .without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(sleeps, VMR_STORE(WORD_SEEN, 4, 1), VMR_HLT(), VMR_SPIN());
CONF_PROGRAM(tells, VMR_CHECKPOINT(1), VMR_SPIN());

static const struct vmr_program *const one[] = {&spins};
static const struct vmr_program *const one_sleeps[] = {&sleeps};
static const struct vmr_program *const two_tell[] = {&tells, &tells};

/* --- refused --- */

/* On the VP's thread, where the embedder has it in its hands after all. */
static enum vmr_status run_it(void *argument, struct vmr_vp *vp)
{
    struct conf_vm *vm = argument;
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};
    struct vmr_exit vp_exit = {.kind = VMR_EXIT_NONE};
    struct vmr_x86_regs regs;

    CONF_CHECK_EQ(vm->conf, vmr_vp_run(vp, NULL, &vm->io, &result), VMR_E_UNSUPPORTED, "a run");
    CONF_CHECK_EQ(vm->conf, vmr_vp_step(vp, &vp_exit), VMR_E_UNSUPPORTED, "a step");
    CONF_CHECK_EQ(vm->conf, vmr_vp_step_complete(vp, &vp_exit), VMR_E_UNSUPPORTED, "the end of a step");
    vmr_vp_unbind(vp);
    CONF_CHECK_EQ(vm->conf, vmr_vp_get_regs(vp, &regs), VMR_OK, "looking into it afterwards");
    return VMR_OK;
}

static void who_runs_vps_is_refused_by_name(struct conf *conf)
{
    struct vmr_error err = {.message = ""};
    struct vmr_vp *vp = NULL;
    struct vpset_vm group;

    if (!vpset_vm_create(&group, conf, &one_vp, one))
        return;
    CONF_CHECK(conf, vmr_partition_bind(group.vm->partition, 0, &vp, &err) == VMR_E_UNSUPPORTED && !vp, "it was bound");
    CONF_CHECK(conf,
               strstr(err.message, "VP 0") && strstr(err.message, vmr_cap_name(VMR_CAP_MANAGED)) &&
                   strstr(err.message, conf->handle->backend->name),
               "not named: '%s'", err.message);
    if (vpset_create(&group, NULL)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, run_it, group.vm), VMR_OK, "the call");
        CONF_CHECK_EQ(conf, guest_word(group.vm, WORD_SEEN), 0, "what a guest stored that nobody started");
        guest_word_set(group.vm, WORD_GO, 1);
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "how it ends");
    }
    vpset_end(&group);
}

static void a_recording_is_refused_by_name(struct conf *conf)
{
    CONF_CLEANUP(tape_free) struct tape tape = {0};
    const struct vmr_recorder_options options = {.sink = tape_sink(&tape), .codec = VMR_TRACE_CODEC_NONE};
    struct vmr_hypervisor_handle handle = {.fd = 55};
    struct vmr_recorder *recorder = NULL;
    struct vmr_host host = {.context = &tape};
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vmr_recorder_create(&options, &recorder, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK_EQ(conf, vmr_recorder_wrap(recorder, conf->handle, conf->host, &handle, &host, &err), VMR_E_UNSUPPORTED,
                  "recording it");
    CONF_CHECK(conf, handle.fd == 55 && host.context == &tape, "handle and host are others");
    CONF_CHECK(conf, strstr(err.message, vmr_cap_name(VMR_CAP_MANAGED)) != NULL, "not named: '%s'", err.message);
    vmr_recorder_destroy(recorder);
}

/* --- threads --- */

/* Who a scheduling host says is running; elsewhere nobody. */
static const void *self(const struct conf *conf)
{
    const struct vmr_schedule_ops *schedule = conf->host->ops->schedule;

    return schedule ? schedule->self(conf->host->context) : NULL;
}

struct threads {
    const void *called[2], *ran[2];
};

static enum vmr_status note_caller(void *argument, struct vmr_vp *vp)
{
    struct conf_vm *vm = argument;
    struct threads *threads = vm->user;

    threads->called[vmr_vp_get_index(vp)] = self(vm->conf);
    return VMR_OK;
}

static void note_runner(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct threads *threads = vm->user;

    (void)number;
    threads->ran[vp] = self(vm->conf);
}

static void call_both(const struct vpset_vm *group)
{
    for (vmr_vp_index vp = 0; vp < 2; vp++)
        CONF_CHECK_EQ(group->vm->conf, vmr_vp_set_call(group->set, vp, note_caller, group->vm), VMR_OK, "the call");
}

static void each_vp_has_a_thread_of_its_own(struct conf *conf)
{
    struct threads threads = {{NULL}, {NULL}};
    struct vpset_vm group;

    if (!conf->host->ops->schedule) {
        conf_skip(conf, "the host does not say who is running");
        return;
    }
    if (vpset_begin(&group, conf, &two_vps, two_tell)) {
        group.vm->user = &threads;
        group.vm->on_checkpoint = note_runner;
        call_both(&group); /* at rest, before any start */
        struct threads resting = threads;

        vpset_start(&group);
        (void)conf_wait_checkpoint(group.vm, 0, 1);
        (void)conf_wait_checkpoint(group.vm, 1, 1);
        call_both(&group);
        vpset_stop(&group);
        for (vmr_vp_index vp = 0; vp < 2; vp++) {
            CONF_CHECK(conf, threads.ran[vp] && threads.ran[vp] != self(conf), "VP %u ran on the caller's thread", vp);
            CONF_CHECK(conf, threads.called[vp] == threads.ran[vp] && resting.called[vp] == threads.ran[vp],
                       "VP %u was called on another thread than it ran on", vp);
        }
        CONF_CHECK(conf, threads.ran[0] != threads.ran[1], "both ran on one thread");
    }
    vpset_end(&group);
}

/* --- one set at a time --- */

static void a_set_leaves_its_vps_to_the_next(struct conf *conf)
{
    struct vpset_vm group, second;
    struct vmr_error err = {.message = ""};

    if (vpset_begin(&group, conf, &one_vp, one)) {
        const struct vmr_vp_set_options options = {.io = &group.vm->io};

        second = (struct vpset_vm){.vm = group.vm};
        vpset_start(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_create(group.vm->partition, &options, &second.set, &err), VMR_E_STATE,
                      "a second set");
        CONF_CHECK(conf, !second.set && strstr(err.message, "another set"), "it says '%s'", err.message);
        CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, 1), "the first set's VP does not run");
        vmr_vp_set_destroy(group.set); /* while it runs */
        group.set = NULL;
        if (!vmr_caps_have(&conf->caps, VMR_CAP_REBIND)) {
            CONF_CHECK_EQ(conf, vmr_vp_set_create(group.vm->partition, &options, &second.set, &err), VMR_E_UNSUPPORTED,
                          "another set of VPs that are bound once only");
        } else if (vpset_create(&second, NULL)) {
            group.set = second.set;
            guest_word_set(group.vm, WORD_GO, 1);
            vpset_start(&group);
            CONF_CHECK_EQ(conf, vpset_wait(&group).result.reason, VMR_HALT_POWER_OFF, "how it ends");
        }
    }
    vpset_end(&group);
}

/* --- starts and stops --- */

static void start_again(const struct vpset_vm *group)
{
    vpset_stop(group);
    enum vmr_status status = vmr_vp_set_start(group->set);

    /* The other may have started it meanwhile. */
    CONF_CHECK(group->vm->conf, status == VMR_OK || status == VMR_E_STATE, "a start: %s", vmr_status_name(status));
}

static void start_again_too(void *argument)
{
    start_again(argument);
}

/* Whoever comes last has started it: hypervisor and set may not remember different ones. The guest leaves no choices.
 */
static void of_starts_and_stops_that_meet_the_last_holds(struct conf *conf)
{
    struct vpset_vm group;

    if (vpset_begin(&group, conf, &one_vp, one_sleeps)) {
        struct vmr_thread *thread = conf_thread(conf, start_again_too, &group);

        start_again(&group);
        conf_join(conf, thread);
        CONF_CHECK(conf, guest_word_wait(group.vm, WORD_SEEN, 1), "the VP does not run");
        vpset_stop(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_OK, "a start after the stop");
    }
    vpset_end(&group);
}

/* --- machines --- */

static void a_start_that_the_hypervisor_refuses_changes_nothing(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct vmr_vp_set_halt halt;
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_counts_begin(&vm, conf))
        return;
    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 1), VMR_OK, "the fault");
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_E_HOST, VMR_MACHINE_CREATED);
    CONF_CHECK_EQ(conf, vmr_machine_wait(vm.machine, VMR_NEVER, &halt), VMR_E_STATE, "waiting for it");
    CONF_CHECK_EQ(conf, machine_word(&vm, COUNT_GPA), 0, "what the guest counted");
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    (void)wait_beyond(&vm, 3);
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    uint32_t count = machine_word(&vm, COUNT_GPA);
    uint64_t paused_ns = vmr_vm_clock_now(vm.clock);

    CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 1), VMR_OK, "the fault");
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_E_HOST, VMR_MACHINE_PAUSED);
    CONF_CHECK(conf,
               machine_word(&vm, COUNT_GPA) == count && vmr_vm_clock_is_paused(vm.clock) &&
                   vmr_vm_clock_now(vm.clock) == paused_ns,
               "guest or time went on");
    machine_expect(&vm, vmr_machine_resume(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    (void)wait_beyond(&vm, count);
    machine_end(&vm);
}

static enum vmr_status keep(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    return tape_write(context, bytes, length) ? vmr_error_set(err, VMR_E_NOMEM, "out of memory") : VMR_OK;
}

/* Restored into a machine of its own, and started: from the count that it was saved with. */
static void check_goes_on(struct conf *conf, const struct tape *saved, uint32_t count)
{
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot = NULL;
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_counts_begin(&vm, conf))
        return;
    vmr_snapshot_source_memory(saved->bytes, saved->length, &source);
    enum vmr_status status = vmr_snapshot_open(&source, &snapshot, &err);

    if (!status)
        status = vmr_machine_restore(vm.machine, &snapshot, 1, NULL, &err);
    CONF_CHECK(conf, status == VMR_OK, "no restore: %s", err.message);
    if (!status) {
        CONF_CHECK_EQ(conf, machine_word(&vm, COUNT_GPA), count, "its count");
        machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
        CONF_CHECK(conf, wait_beyond(&vm, count), "it does not go on");
    }
    vmr_snapshot_close(snapshot);
    machine_end(&vm);
}

static void a_paused_machine_goes_on_in_another(struct conf *conf)
{
    CONF_CLEANUP(tape_free) struct tape saved = {0};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = &saved};
    struct vmr_error err = {.message = ""};
    CONF_CLEANUP(machine_end) struct machine_vm vm = {0};

    if (!machine_counts_begin(&vm, conf))
        return;
    machine_expect(&vm, vmr_machine_start(vm.machine), VMR_OK, VMR_MACHINE_RUNNING);
    (void)wait_beyond(&vm, 3);
    CONF_CHECK_EQ(conf, vmr_machine_save(vm.machine, NULL, &sink, NULL, &err), VMR_E_STATE, "saved while it runs");
    machine_expect(&vm, vmr_machine_pause(vm.machine), VMR_OK, VMR_MACHINE_PAUSED);
    uint32_t count = machine_word(&vm, COUNT_GPA);
    enum vmr_status status = vmr_machine_save(vm.machine, NULL, &sink, NULL, &err);

    CONF_CHECK(conf, status == VMR_OK, "not saved: %s", err.message);
    machine_expect(&vm, vmr_machine_stop(vm.machine), VMR_OK, VMR_MACHINE_STOPPED);
    machine_end(&vm); /* first: a hypervisor may have one VM at a time */
    if (!status)
        check_goes_on(conf, &saved, count);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "managed", .needs = CONF_CAP(MANAGED), .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(who_runs_vps_is_refused_by_name), .clauses = "MGD-2 ERR-1 ERR-2", .flags = CONF_MANAGED},
    {SCENARIO(a_recording_is_refused_by_name), .clauses = "MGD-2 TRC-5", .flags = CONF_MANAGED},
    {SCENARIO(each_vp_has_a_thread_of_its_own), .clauses = "MGD-1", .flags = CONF_MANAGED},
    {SCENARIO(a_set_leaves_its_vps_to_the_next), .clauses = "MGD-3 SET-4 ERR-2", .flags = CONF_MANAGED},
    {SCENARIO(of_starts_and_stops_that_meet_the_last_holds), .clauses = "MGD-4 SET-4",
     .flags = CONF_EXPLORE | CONF_MANAGED},
    {SCENARIO(a_start_that_the_hypervisor_refuses_changes_nothing), .clauses = "MGD-5 ERR-1 MACH-2",
     .flags = CONF_MOCK_ONLY | CONF_MANAGED},
    {SCENARIO(a_paused_machine_goes_on_in_another), .clauses = "MGD-1 SNAP-4", .flags = CONF_MANAGED},
};

CONF_FAMILY(managed, scenarios);
