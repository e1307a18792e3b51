/* SPDX-License-Identifier: MIT */
/*
 * Around runs: vmr_stop_wait, spurious cancels, runs that are refused, and
 * stepping. What ends a run is in stop.c and stop_meaning.c.
 */

#include "conformance/scenarios/guest_words.h"

#include <stdatomic.h>

#define PORT 0x700u

static const struct conf_vm_options no_chip = {.without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(reads_port, VMR_IN(1, PORT, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

/* --- vmr_stop_wait --- */

struct event {
    struct conf_vm *vm;
    struct vmr_stop_source *stop;
    _Atomic uint32_t ready;
    bool stop_first, stop_last; /* what else the other thread does */
};

static bool event_is_ready(void *argument)
{
    struct event *event = argument;

    return atomic_load(&event->ready) != 0;
}

static bool event_begin(struct event *event, struct conf *conf)
{
    CONF_CHECK(conf, vmr_stop_create(conf->host, &event->stop) == VMR_OK, "no stop source");
    event->vm = event->stop ? vm_about_to_run(conf, &no_chip, &spins) : NULL;
    return event->vm != NULL;
}

static void event_end(struct event *event)
{
    conf_vm_destroy(event->vm);
    vmr_stop_destroy(event->stop);
}

static void event_beats_stop(struct conf *conf)
{
    struct event event = {.ready = 0};

    if (event_begin(&event, conf)) {
        struct vmr_vp *vp = event.vm->vps[0];

        event.ready = 1;
        CONF_CHECK_EQ(conf, vmr_stop_wait(event.stop, vp, event_is_ready, &event), VMR_STOP_WAIT_READY, "ready");
        vmr_stop_set(event.stop);
        CONF_CHECK_EQ(conf, vmr_stop_wait(event.stop, vp, event_is_ready, &event), VMR_STOP_WAIT_READY,
                      "ready and stopped");
        event.ready = 0;
        CONF_CHECK_EQ(conf, vmr_stop_wait(event.stop, vp, event_is_ready, &event), VMR_STOP_WAIT_STOPPED, "stopped");
        guest_word_set(event.vm, WORD_GO, 1);
        expect_end(event.vm);
    }
    event_end(&event);
}

static void make_ready(void *argument)
{
    struct event *event = argument;

    if (event->stop_first)
        vmr_stop_set(event->stop);
    if (!event->stop_first || event->stop_last) {
        atomic_store(&event->ready, 1);
        vmr_partition_wake(event->vm->partition, 0);
    }
}

/* One wait against one thread; afterwards a kick that came meanwhile must still be there. */
static void wait_for(struct conf *conf, struct event *event, uint32_t legal_results)
{
    if (event_begin(event, conf)) {
        struct vmr_thread *thread = conf_thread(conf, make_ready, event);

        (void)vmr_partition_kick(event->vm->partition, 0);
        if (thread) {
            enum vmr_stop_wait_result result = vmr_stop_wait(event->stop, event->vm->vps[0], event_is_ready, event);

            CONF_CHECK(conf, legal_results >> result & 1u, "the wait gave %d", (int)result);
            conf_join(conf, thread);
        }
        expect_halt(event->vm, NULL, VMR_HALT_CANCEL);
        guest_word_set(event->vm, WORD_GO, 1);
        expect_end(event->vm);
    }
    event_end(event);
}

static void wait_for_event(struct conf *conf)
{
    struct event event = {.ready = 0};

    wait_for(conf, &event, 1u << VMR_STOP_WAIT_READY);
}

static void wait_for_stop(struct conf *conf)
{
    struct event event = {.stop_first = true};

    wait_for(conf, &event, 1u << VMR_STOP_WAIT_STOPPED);
}

static void wait_for_both(struct conf *conf)
{
    struct event event = {.stop_first = true, .stop_last = true};

    wait_for(conf, &event, 1u << VMR_STOP_WAIT_STOPPED | 1u << VMR_STOP_WAIT_READY);
}

/* --- spurious cancels --- */

static void wake_often(void *argument)
{
    struct conf_vm *vm = argument;
    unsigned count = vm->conf->exploring ? 1 : 200;

    if (!vm->conf->exploring && !guest_word_wait(vm, WORD_SEEN, 1))
        return;
    for (unsigned i = 0; i < count; i++)
        vmr_partition_wake(vm->partition, 0);
    guest_word_set(vm, WORD_GO, 1);
}

static void wakes_go_unreported(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);
    struct vmr_thread *thread = vm ? conf_thread(conf, wake_often, vm) : NULL;

    CONF_REQUIRE(conf, thread, "no VM or no thread");
    expect_end(vm);
    conf_join(conf, thread);
    conf_vm_destroy(vm);
}

static void spurious_cancels(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;

    for (uint64_t nth = 1; nth <= 12 && !conf_failed(conf); nth++) {
        struct conf_device device = {.answer = 3};
        struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &reads_port);

        CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device), "no VM");
        CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_SPURIOUS_CANCEL, nth) == VMR_OK, "no fault");
        guest_word_set(vm, WORD_GO, 1);
        expect_end(vm);
        CONF_CHECK_EQ(conf, device.reads, 1, "reads");
        CONF_CHECK(conf, nth > 1 || vmr_mock_fault_count(&handle, VMR_MOCK_SPURIOUS_CANCEL) > 1,
                   "the fault has hit nothing");
        conf_vm_destroy(vm);
    }
}

/* --- runs that are refused --- */

static void run_again(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct conf_vm *vm = device->user;
    struct vmr_run_result result = {.reason = VMR_HALT_HIBERNATE};
    struct vmr_x86_regs regs;
    struct vmr_exit vp_exit = {0};

    (void)access;
    (void)write;
    CONF_CHECK_EQ(vm->conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run within a run");
    CONF_CHECK_EQ(vm->conf, result.reason, VMR_HALT_HIBERNATE, "the result of a run that was refused");
    CONF_CHECK_EQ(vm->conf, vmr_vp_step(vm->vps[0], &vp_exit), VMR_E_STATE, "a step within a run");
    CONF_CHECK_EQ(vm->conf, vmr_vp_get_regs(vm->vps[0], &regs), VMR_E_STATE, "registers while an exit is pending");
}

static void refused_runs(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &reads_port);
    struct conf_device device = {.answer = 4, .on_access = run_again, .user = vm};
    struct vmr_run_result result = {.reason = VMR_HALT_HIBERNATE};

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device), "no VM");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, NULL, &result), VMR_E_USAGE, "a run without io");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_HIBERNATE, "the result of a run that was refused");
    CONF_CHECK_EQ(conf, device.reads, 0, "reads by a run that was refused");
    if (conf_mock(vm))
        CONF_CHECK_EQ(conf, vmr_mock_steps(conf_mock(vm), 0), 0, "guest steps of a run that was refused");
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), 4, "what the guest read");
    conf_vm_destroy(vm);
}

/* --- stepping --- */

static void steps_are_exits(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &reads_port);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm, "no VM");
    guest_word_set(vm, WORD_GO, 1);
    CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind == VMR_EXIT_IO, "not a read: %s",
                 vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK(conf, vp_exit.u.io.port == PORT && vp_exit.u.io.direction == VMR_READ, "another access");
    vp_exit.u.io.value = 0x77;
    /* Nothing but a kick is for a step: the yield waits. */
    CONF_CHECK(conf, vmr_partition_request_yield(vm->partition, 0), "the yield was not the first");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "the kick");
    CONF_CHECK(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind == VMR_EXIT_CANCEL,
               "a kicked step gave %s", vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), 0, "what the guest stored by a kicked step");
    CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind == VMR_EXIT_IO, "no end: %s",
                 vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK_EQ(conf, vp_exit.u.io.port, VMR_PROGRAM_PORT_END, "the port");
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), 0x77, "what the guest read");
    CONF_CHECK(conf, vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind == VMR_EXIT_NONE,
               "finishing gave %s", vmr_exit_kind_name(vp_exit.kind));
    expect_yield(vm, NULL);
}

static void kick_step(void *argument)
{
    struct conf_vm *vm = argument;

    if (vm->conf->exploring || guest_word_wait(vm, WORD_SEEN, 1))
        (void)vmr_partition_kick(vm->partition, 0);
}

static void step_is_kicked(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);
    struct vmr_thread *thread = vm ? conf_thread(conf, kick_step, vm) : NULL;
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, thread, "no VM or no thread");
    enum vmr_status status = vmr_vp_step(vm->vps[0], &vp_exit);

    CONF_CHECK(conf, status == VMR_OK && vp_exit.kind == VMR_EXIT_CANCEL, "the step gave %s, %s",
               vmr_status_name(status), vmr_exit_kind_name(vp_exit.kind));
    conf_join(conf, thread);
    guest_word_set(vm, WORD_GO, 1);
    status = vmr_vp_step(vm->vps[0], &vp_exit);
    /* A step may be interrupted by the host once more; a run would not report that. */
    for (unsigned i = 0; i < 8 && !status && vp_exit.kind == VMR_EXIT_CANCEL; i++)
        status = vmr_vp_step(vm->vps[0], &vp_exit);
    CONF_CHECK(conf, status == VMR_OK && vp_exit.kind == VMR_EXIT_IO, "the step gave %s, %s", vmr_status_name(status),
               vmr_exit_kind_name(vp_exit.kind));
    conf_vm_destroy(vm);
}

static const struct conf_scenario scenarios[] = {
    {.name = "an_event_beats_a_stop_in_a_wait",
     .family = "stop",
     .clauses = "RUN-5",
     .chip = CONF_CHIP_ANY,
     .run = event_beats_stop},
    {.name = "a_wait_ends_with_its_event",
     .family = "stop",
     .clauses = "RUN-5 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = wait_for_event},
    {.name = "a_wait_ends_with_the_stop",
     .family = "stop",
     .clauses = "RUN-5 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = wait_for_stop},
    {.name = "a_wait_ends_though_event_and_stop_meet",
     .family = "stop",
     .clauses = "RUN-5 RUN-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = wait_for_both},
    {.name = "wakes_end_no_run",
     .family = "stop",
     .ids = "STOP-13",
     .clauses = "RUN-9 RUN-4",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = wakes_go_unreported},
    {.name = "spurious_cancels_are_retried",
     .family = "stop",
     .ids = "STOP-13",
     .clauses = "RUN-9 EXIT-9",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = spurious_cancels},
    {.name = "a_run_that_is_refused_runs_nothing",
     .family = "stop",
     .clauses = "RUN-10 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = refused_runs},
    {.name = "stepping_yields_one_exit_at_a_time",
     .family = "stop",
     .clauses = "RUN-13 EXIT-9",
     .chip = CONF_CHIP_ANY,
     .run = steps_are_exits},
    {.name = "a_kick_ends_a_step_at_any_moment",
     .family = "stop",
     .clauses = "RUN-13 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = step_is_kicked},
};

CONF_FAMILY(stop_wait, scenarios);
