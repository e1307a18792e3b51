/* SPDX-License-Identifier: MIT */
/*
 * The states of a machine, on the mock under its scheduler: every change from
 * every state, pausing in every order up to two preemptions, reset and its
 * failures.
 */

#include "lib/machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/mock.h"
#include "vmrig/program.h"

#define MIB UINT64_C(0x100000)
#define SECOND UINT64_C(1000000000)
#define WORD_COUNT VMR_PROGRAM_DATA
#define WORD_SHADOW 0xffff0u
#define FIRMWARE_BYTE 0xea
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define PROGRAM(name_, ...)                                                                                            \
    static const struct vmr_step name_##_steps[] = {__VA_ARGS__};                                                      \
    static const struct vmr_program name_ = {.name = #name_, .steps = name_##_steps, .count = COUNT(name_##_steps)}

PROGRAM(counts, VMR_SET(0, 0), VMR_ADD(0, 1), VMR_STORE_VAR(WORD_COUNT, 4, 0), VMR_JUMP(1));
PROGRAM(resets, VMR_STORE(WORD_SHADOW, 1, 0x11), VMR_OUT(0x3fb, 1, 0x03), VMR_OUT(0xcf9, 1, 0x06), VMR_SPIN());

/* What a thread of the scheduler finds wrong: it cannot leave by cmocka's jump. */
struct world {
    struct vmr_scheduler *scheduler;
    struct vmr_host below, host;
    struct vmr_hypervisor_handle handle;
    struct vmr_vm_clock *clock;
    struct vmr_machine *machine;
    struct vmr_vp_set_halt halt; /* of a waiter */
    enum vmr_status waited;
    int wrong; /* the first line at which something was */
};

static uint8_t firmware[0x10000];

#define EXPECT(world_, condition_)                                                                                     \
    do {                                                                                                               \
        if (!(condition_) && (world_)->wrong == 0)                                                                     \
            (world_)->wrong = __LINE__;                                                                                \
    } while (0)

static void create(struct world *world, const struct vmr_program *program, bool with_clock)
{
    struct vmr_backend_set set;
    struct vmr_mock *mock;

    memset(firmware, FIRMWARE_BYTE, sizeof(firmware));
    vmr_backend_set_init(&set);
    EXPECT(world, vmr_probe_named(&set, "mock", &world->handle, NULL) == VMR_OK);
    vmr_scheduler_host(world->scheduler, &world->below);
    EXPECT(world, vmr_vm_clock_create(&world->below, &world->clock, NULL) == VMR_OK);
    world->host = *vmr_vm_clock_host(world->clock);
    const struct vmr_machine_options options = {.handle = &world->handle,
                                                .host = &world->host,
                                                .memory_size = 2 * MIB,
                                                .vps = 1,
                                                .firmware = firmware,
                                                .firmware_size = sizeof(firmware),
                                                .clock = with_clock ? world->clock : NULL};

    EXPECT(world, vmr_machine_create(&options, &world->machine, NULL) == VMR_OK);
    mock = vmr_mock_of(vmr_machine_partition(world->machine));
    if (program)
        EXPECT(world, vmr_mock_load_program(mock, 0, program, NULL) == VMR_OK);
    else
        EXPECT(world, vmr_mock_load_script(mock, 0, "fail cause=unknown code=1", 25, NULL) == VMR_OK);
}

static void destroy(struct world *world)
{
    vmr_machine_destroy(world->machine);
    vmr_vm_clock_destroy(world->clock);
    vmr_handle_close(&world->handle);
}

static uint32_t word(struct world *world, vmr_gpa gpa)
{
    uint32_t value = 0;

    EXPECT(world,
           vmr_memory_read(vmr_partition_memory(vmr_machine_partition(world->machine)), gpa, &value, 4) == VMR_OK);
    return value;
}

static uint64_t now(struct world *world)
{
    return world->host.ops->now_ns(world->host.context);
}

static enum vmr_machine_state state_of(struct world *world)
{
    return vmr_machine_get_state(world->machine);
}

/* The halt that ends the machine's run. */
static enum vmr_halt_reason wait_for_halt(struct world *world)
{
    struct vmr_vp_set_halt halt = {0};

    EXPECT(world, vmr_machine_wait(world->machine, VMR_NEVER, &halt) == VMR_OK);
    return halt.result.reason;
}

static void run(const struct vmr_scheduler_options *options, void (*body)(void *argument))
{
    struct world world = {0};

    assert_int_equal(vmr_scheduler_create(options, &world.scheduler, NULL), VMR_OK);
    do {
        struct vmr_scheduler *scheduler = world.scheduler;

        world = (struct world){.scheduler = scheduler};
        assert_int_equal(vmr_scheduler_run(scheduler, body, &world), VMR_SCHEDULE_DONE);
        if (world.wrong != 0)
            fail_msg("line %d, order %s", world.wrong, vmr_scheduler_choices(scheduler));
    } while (vmr_scheduler_next(world.scheduler));
    print_message("%llu orders\n", (unsigned long long)vmr_scheduler_explored(world.scheduler));
    vmr_scheduler_destroy(world.scheduler);
}

static const struct vmr_scheduler_options one_order = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1};

/* --- which order is right --- */

static enum vmr_status start(struct world *world)
{
    return vmr_machine_start(world->machine);
}

static enum vmr_status pause_machine(struct world *world)
{
    return vmr_machine_pause(world->machine);
}

static enum vmr_status resume(struct world *world)
{
    return vmr_machine_resume(world->machine);
}

static enum vmr_status stop(struct world *world)
{
    return vmr_machine_stop(world->machine);
}

static enum vmr_status reset(struct world *world)
{
    struct vmr_error err = {0};
    enum vmr_status status = vmr_machine_reset(world->machine, &err);

    EXPECT(world, status == VMR_OK || err.message[0] != '\0');
    return status;
}

static enum vmr_status (*const changes[])(struct world *world) = {start, pause_machine, resume, stop, reset};
enum {
    START,
    PAUSE,
    RESUME,
    STOP,
    RESET,
    CHANGES
};

#define NO VMR_MACHINE_STATE_COUNT
/* From each state by each change: where to, or NO. */
static const enum vmr_machine_state table[VMR_MACHINE_STATE_COUNT][CHANGES] = {
    [VMR_MACHINE_CREATED] = {VMR_MACHINE_RUNNING, NO, NO, VMR_MACHINE_STOPPED, VMR_MACHINE_STOPPED},
    [VMR_MACHINE_RUNNING] = {NO, VMR_MACHINE_PAUSED, NO, VMR_MACHINE_STOPPED, NO},
    [VMR_MACHINE_PAUSED] = {NO, NO, VMR_MACHINE_RUNNING, VMR_MACHINE_STOPPED, NO},
    [VMR_MACHINE_HALTED] = {NO, NO, NO, VMR_MACHINE_STOPPED, VMR_MACHINE_STOPPED},
    [VMR_MACHINE_STOPPED] = {VMR_MACHINE_RUNNING, NO, NO, VMR_MACHINE_STOPPED, VMR_MACHINE_STOPPED},
    [VMR_MACHINE_FAILED] = {NO, NO, NO, VMR_MACHINE_FAILED, NO},
};

static void bring_to(struct world *world, enum vmr_machine_state state)
{
    create(world, state == VMR_MACHINE_FAILED ? NULL : state == VMR_MACHINE_HALTED ? &resets : &counts, true);
    if (state != VMR_MACHINE_CREATED)
        EXPECT(world, start(world) == VMR_OK);
    if (state == VMR_MACHINE_PAUSED)
        EXPECT(world, pause_machine(world) == VMR_OK);
    if (state == VMR_MACHINE_HALTED || state == VMR_MACHINE_FAILED)
        (void)wait_for_halt(world);
    if (state == VMR_MACHINE_STOPPED)
        EXPECT(world, stop(world) == VMR_OK);
    EXPECT(world, state_of(world) == state);
}

static void change_from_each_state(void *argument)
{
    struct world *world = argument;

    for (unsigned from = 0; from < VMR_MACHINE_STATE_COUNT; from++) {
        for (unsigned i = 0; i < CHANGES && world->wrong == 0; i++) {
            bring_to(world, (enum vmr_machine_state)from);
            enum vmr_machine_state to = table[from][i];
            enum vmr_status status = changes[i](world);

            EXPECT(world, status == (to == NO ? VMR_E_STATE : VMR_OK));
            EXPECT(world, state_of(world) == (to == NO ? (enum vmr_machine_state)from : to));
            if (world->wrong != 0)
                print_message("from %s, change %u: %s, now %s\n", vmr_machine_state_name((enum vmr_machine_state)from),
                              i, vmr_status_name(status), vmr_machine_state_name(state_of(world)));
            destroy(world);
        }
    }
}

static void every_change_from_every_state(void **state)
{
    (void)state;
    run(&one_order, change_from_each_state);
    assert_string_equal(vmr_machine_state_name(VMR_MACHINE_PAUSED), "paused");
    assert_string_equal(vmr_machine_state_name(VMR_MACHINE_STATE_COUNT), "unknown");
}

/* --- pausing --- */

static void pause_and_look(void *argument)
{
    struct world *world = argument;

    create(world, &counts, true);
    EXPECT(world, start(world) == VMR_OK);
    for (unsigned round = 0; round < 1; round++) {
        EXPECT(world, pause_machine(world) == VMR_OK);
        uint32_t count = word(world, WORD_COUNT);
        uint64_t steps = vmr_mock_steps(vmr_mock_of(vmr_machine_partition(world->machine)), 0);
        uint64_t paused_ns = now(world);

        vmr_scheduler_pause(world->scheduler, 5 * SECOND);
        EXPECT(world, word(world, WORD_COUNT) == count && now(world) == paused_ns);
        EXPECT(world, vmr_mock_steps(vmr_mock_of(vmr_machine_partition(world->machine)), 0) == steps);
        EXPECT(world, resume(world) == VMR_OK);
        while (word(world, WORD_COUNT) == count && world->wrong == 0)
            vmr_scheduler_pause(world->scheduler, 1000);
        EXPECT(world, now(world) - paused_ns < SECOND);
    }
    destroy(world);
}

static void nothing_moves_while_paused(void **state)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 1};

    (void)state;
    run(&options, pause_and_look);
    for (uint64_t seed = 1; seed <= 200; seed++)
        run(&(struct vmr_scheduler_options){.mode = VMR_SCHEDULE_SEEDED, .seed = seed}, pause_and_look);
}

static void wait_in_a_thread(void *argument)
{
    struct world *world = argument;

    world->waited = vmr_machine_wait(world->machine, VMR_NEVER, &world->halt);
}

static void pause_under_a_waiter(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;

    create(world, &counts, true);
    EXPECT(world, start(world) == VMR_OK);
    EXPECT(world,
           world->below.ops->thread_start(world->below.context, "wait", wait_in_a_thread, world, &thread) == VMR_OK);
    EXPECT(world, pause_machine(world) == VMR_OK);
    EXPECT(world, resume(world) == VMR_OK);
    EXPECT(world, pause_machine(world) == VMR_OK);
    vmr_machine_request_stop(world->machine);
    EXPECT(world, state_of(world) == VMR_MACHINE_HALTED);
    world->below.ops->thread_join(world->below.context, thread);
    EXPECT(world, world->waited == VMR_OK && world->halt.result.reason == VMR_HALT_STOP);
    EXPECT(world, stop(world) == VMR_OK);
    EXPECT(world, vmr_machine_wait(world->machine, 0, &world->halt) == VMR_OK); /* the halt stays until a start */
    EXPECT(world, start(world) == VMR_OK && !vmr_vm_clock_is_paused(world->clock));
    EXPECT(world, stop(world) == VMR_OK);
    EXPECT(world, vmr_machine_wait(world->machine, VMR_NEVER, &world->halt) == VMR_E_STATE);
    destroy(world);
}

static void who_waits_sees_no_pause(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++)
        run(&(struct vmr_scheduler_options){.mode = VMR_SCHEDULE_SEEDED, .seed = seed}, pause_under_a_waiter);
}

static enum vmr_status look_at_rest(void *argument)
{
    struct world *world = argument;
    uint32_t count = word(world, WORD_COUNT);

    vmr_scheduler_pause(world->scheduler, 1000);
    EXPECT(world, word(world, WORD_COUNT) == count);
    return VMR_E_HOST; /* as it is */
}

static void rest_under_a_waiter(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;

    create(world, &counts, true);
    EXPECT(world, machine_at_rest(world->machine, look_at_rest, world) == VMR_E_HOST);
    EXPECT(world, state_of(world) == VMR_MACHINE_CREATED);
    EXPECT(world, start(world) == VMR_OK);
    EXPECT(world,
           world->below.ops->thread_start(world->below.context, "wait", wait_in_a_thread, world, &thread) == VMR_OK);
    EXPECT(world, machine_at_rest(world->machine, look_at_rest, world) == VMR_E_HOST);
    EXPECT(world, state_of(world) == VMR_MACHINE_RUNNING);
    uint32_t count = word(world, WORD_COUNT);

    while (word(world, WORD_COUNT) == count && world->wrong == 0)
        vmr_scheduler_pause(world->scheduler, 1000);
    vmr_machine_request_stop(world->machine);
    world->below.ops->thread_join(world->below.context, thread);
    EXPECT(world, world->waited == VMR_OK && world->halt.result.reason == VMR_HALT_STOP);
    EXPECT(world, machine_at_rest(world->machine, look_at_rest, world) == VMR_E_HOST);
    EXPECT(world, state_of(world) == VMR_MACHINE_HALTED);
    destroy(world);
}

static void who_waits_sees_no_rest(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        run(&(struct vmr_scheduler_options){.mode = VMR_SCHEDULE_SEEDED, .seed = seed}, rest_under_a_waiter);
}

/* The pause comes first, or the halt does: one of them, and nothing is lost. */
static void pause_against_a_halt(void *argument)
{
    struct world *world = argument;

    create(world, &resets, true);
    EXPECT(world, start(world) == VMR_OK);
    enum vmr_status paused = pause_machine(world);

    EXPECT(world, state_of(world) == (paused == VMR_OK ? VMR_MACHINE_PAUSED : VMR_MACHINE_HALTED));
    if (paused == VMR_OK)
        EXPECT(world, resume(world) == VMR_OK);
    else
        EXPECT(world, paused == VMR_E_STATE);
    EXPECT(world, wait_for_halt(world) == VMR_HALT_RESET);
    destroy(world);
}

static void a_halt_is_not_lost_in_a_pause(void **state)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 1};

    (void)state;
    run(&options, pause_against_a_halt);
}

static void pause_without_clock(void *argument)
{
    struct world *world = argument;

    create(world, &counts, false);
    EXPECT(world, start(world) == VMR_OK);
    EXPECT(world, pause_machine(world) == VMR_E_UNSUPPORTED);
    EXPECT(world, state_of(world) == VMR_MACHINE_RUNNING);
    destroy(world);
}

static void without_a_clock_there_is_no_pause(void **state)
{
    (void)state;
    run(&one_order, pause_without_clock);
}

/* --- reset --- */

static void restart(void *argument)
{
    struct world *world = argument;

    create(world, &resets, true);
    for (unsigned round = 0; round < 3; round++) {
        EXPECT(world, start(world) == VMR_OK);
        EXPECT(world, wait_for_halt(world) == VMR_HALT_RESET);
        EXPECT(world, (word(world, WORD_SHADOW) & 0xff) == 0x11);
        EXPECT(world, reset(world) == VMR_OK);
        EXPECT(world, (word(world, WORD_SHADOW) & 0xff) == FIRMWARE_BYTE);
        EXPECT(world, vmr_power_get(vmr_platform_power(world->machine->platform), NULL) == VMR_HALT_NONE);
        EXPECT(world, vmr_bus_read(world->machine->ports, &(struct vmr_access){.address = 0x3fb, .size = 1}) == 0);
        EXPECT(world, vmr_machine_wait(world->machine, 0, &world->halt) == VMR_E_STATE);
    }
    destroy(world);
}

static void a_guest_that_resets_is_started_again(void **state)
{
    (void)state;
    run(&one_order, restart);
}

static void reset_that_fails(void *argument)
{
    struct world *world = argument;

    for (uint64_t nth = 1; nth <= 2; nth++) { /* of the VM, then of the VP */
        struct vmr_error err = {0};

        create(world, &resets, true);
        EXPECT(world, start(world) == VMR_OK);
        EXPECT(world, wait_for_halt(world) == VMR_HALT_RESET);
        EXPECT(world, vmr_mock_set_fault(&world->handle, VMR_MOCK_FAIL_RESET, nth) == VMR_OK);
        EXPECT(world, vmr_machine_reset(world->machine, &err) != VMR_OK && err.message[0] != '\0');
        EXPECT(world, state_of(world) == VMR_MACHINE_HALTED);
        EXPECT(world, wait_for_halt(world) == VMR_HALT_RESET);
        EXPECT(world, vmr_power_get(vmr_platform_power(world->machine->platform), NULL) == VMR_HALT_RESET);
        EXPECT(world, stop(world) == VMR_OK);
        EXPECT(world, start(world) == VMR_E_STATE && state_of(world) == VMR_MACHINE_STOPPED);
        EXPECT(world, vmr_mock_set_fault(&world->handle, VMR_MOCK_FAIL_RESET, 0) == VMR_OK);
        EXPECT(world, reset(world) == VMR_OK && start(world) == VMR_OK);
        EXPECT(world, wait_for_halt(world) == VMR_HALT_RESET);
        destroy(world);
    }
}

static void a_failed_reset_consumes_no_halt(void **state)
{
    (void)state;
    run(&one_order, reset_that_fails);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_from_every_state),
        cmocka_unit_test(nothing_moves_while_paused),
        cmocka_unit_test(who_waits_sees_no_pause),
        cmocka_unit_test(who_waits_sees_no_rest),
        cmocka_unit_test(a_halt_is_not_lost_in_a_pause),
        cmocka_unit_test(without_a_clock_there_is_no_pause),
        cmocka_unit_test(a_guest_that_resets_is_started_again),
        cmocka_unit_test(a_failed_reset_consumes_no_halt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
