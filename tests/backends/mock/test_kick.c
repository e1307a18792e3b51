/* SPDX-License-Identifier: MIT */
/*
 * Kicks: at every seam, in every order, and from real threads. The run loop is
 * the library's; what is judged is that no kick is lost and none is invented.
 */

#include "tests/backends/mock/rig.h"

#include <pthread.h>

static const char *const specs[] = {"mock:profile=strict", "mock:profile=kvm-like", "mock:profile=hvf-like",
                                    "mock:profile=mshv-like", "mock:profile=whp-like"};

RIG_PROGRAM(spin, VMR_EOI_NONE, VMR_SPIN());
RIG_PROGRAM(wait_in_memory, VMR_EOI_NONE, VMR_SPIN_UNTIL(VMR_PROGRAM_DATA, 4, 7), VMR_OUT(0x10, 1, 1), VMR_END());
RIG_PROGRAM(busy, VMR_EOI_NONE, VMR_ADD(0, 1), VMR_JUMP(0));

static const struct vmr_vp_io no_devices;

/* --- at each seam --- */

struct seam_kick {
    struct vmr_partition *partition;
    enum vmr_run_seam at;
    bool done;
};

static void kick_at_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct seam_kick *kick = context;

    if (kick->done || seam != kick->at)
        return;
    kick->done = true;
    assert_true(vmr_partition_kick(kick->partition, vp) <= VMR_KICK_LATCHED);
}

static void a_kick_at_each_seam_ends_that_run_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(specs); i++) {
        for (unsigned seam = 0; seam < VMR_SEAM_COUNT; seam++) {
            struct vmr_scheduler_options options = {.step_max = 10000};
            struct vmr_scheduler *scheduler;
            struct vmr_run_result result = {0};
            struct rig rig;

            assert_int_equal(vmr_scheduler_create(&options, &scheduler, NULL), VMR_OK);
            rig_init(&rig, scheduler, specs[i], 1);
            struct seam_kick kick = {rig.partition, (enum vmr_run_seam)seam, false};

            /* No exit, no AFTER_EXIT: there must be one before the spin. */
            rig_load(&rig, 0, seam == VMR_SEAM_AFTER_EXIT ? &wait_in_memory : &spin);
            if (seam == VMR_SEAM_AFTER_EXIT)
                assert_int_equal(vmr_memory_fill(rig.memory, VMR_PROGRAM_DATA, 7, 1), VMR_OK);
            vmr_partition_set_seam_hook(rig.partition, kick_at_seam, &kick);
            assert_int_equal(vmr_vp_run(rig_bind(&rig, 0), NULL, &no_devices, &result), VMR_OK);
            assert_true(kick.done);
            assert_int_equal(result.reason, VMR_HALT_CANCEL);
            vmr_partition_set_seam_hook(rig.partition, NULL, NULL);
            /* Alone under a virtual host the next run can only find that nothing will ever come. */
            enum vmr_status status = vmr_vp_run(rig.vps[0], NULL, &no_devices, &result);

            assert_true(status == VMR_E_DEADLOCK || (status == VMR_OK && result.reason == VMR_HALT_FATAL));
            rig_finish(&rig);
            vmr_scheduler_destroy(scheduler);
        }
    }
}

/* --- in every order --- */

struct world {
    struct vmr_scheduler *scheduler;
    const char *spec;
    const struct vmr_program *program;
    uint64_t drop_kick;
    unsigned cancelled;
};

static void run_once_bound(void *argument)
{
    struct rig *rig = argument;
    struct vmr_run_result result = {0};
    struct vmr_vp *vp = rig_bind(rig, 0);

    assert_int_equal(vmr_vp_run(vp, NULL, &no_devices, &result), VMR_OK);
    assert_int_equal(result.reason, VMR_HALT_CANCEL);
}

static void kick_a_run(void *argument)
{
    struct world *world = argument;
    struct vmr_thread *thread = NULL;
    struct rig rig;

    rig_init(&rig, world->scheduler, world->spec, 1);
    rig_load(&rig, 0, world->program);
    if (world->drop_kick)
        assert_int_equal(vmr_mock_set_fault(&rig.handle, VMR_MOCK_DROP_KICK, world->drop_kick), VMR_OK);
    assert_int_equal(rig.host.ops->thread_start(rig.host.context, "vp", run_once_bound, &rig, &thread), VMR_OK);
    (void)vmr_partition_kick(rig.partition, 0);
    rig.host.ops->thread_join(rig.host.context, thread);
    world->cancelled++;
    rig_finish(&rig);
}

static void a_kick_ends_the_run_in_every_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(specs); i++) {
        struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE, .preemptions = 2};
        struct world world = {.spec = specs[i], .program = &spin};

        assert_int_equal(vmr_scheduler_create(&options, &world.scheduler, NULL), VMR_OK);
        do {
            assert_int_equal(vmr_scheduler_run(world.scheduler, kick_a_run, &world), VMR_SCHEDULE_DONE);
        } while (vmr_scheduler_next(world.scheduler));
        assert_int_equal(world.cancelled, vmr_scheduler_explored(world.scheduler));
        assert_true(world.cancelled > 10);
        print_message("%s: %u orders\n", specs[i], world.cancelled);
        vmr_scheduler_destroy(world.scheduler);
    }
}

/* --- from real threads --- */

static void *run_until_cancelled(void *argument)
{
    run_once_bound(argument);
    return NULL;
}

static void a_real_thread_can_kick_a_guest_that_never_exits(void **state)
{
    static const struct vmr_program *const programs[] = {&spin, &wait_in_memory, &busy};

    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(specs) * RIG_COUNT_OF(programs); i++) {
        struct rig rig;
        pthread_t thread;

        rig_init(&rig, NULL, specs[i % RIG_COUNT_OF(specs)], 1);
        rig_load(&rig, 0, programs[i / RIG_COUNT_OF(specs)]);
        assert_int_equal(pthread_create(&thread, NULL, run_until_cancelled, &rig), 0);
        if (i % 2 == 0) {
            while (vmr_mock_steps(rig.mock, 0) == 0)
                ;
        }
        (void)vmr_partition_kick(rig.partition, 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        rig_finish(&rig);
    }
}

/* --- seeds --- */

static void a_seed_gives_spurious_cancels_that_nobody_sees(void **state)
{
    struct vmr_exit vp_exit = {0};
    unsigned cancels[2] = {0};
    struct rig rig;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rig_init(&rig, NULL, "mock:seed=5", 1);
        rig_load(&rig, 0, &busy);
        (void)rig_bind(&rig, 0);
        for (unsigned j = 0; j < 20; j++) {
            assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
            assert_int_equal(vp_exit.kind, VMR_EXIT_CANCEL);
        }
        cancels[i] = (unsigned)vmr_mock_steps(rig.mock, 0);
        rig_finish(&rig);
    }
    assert_int_equal(cancels[0], cancels[1]);
    assert_true(cancels[0] > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kick_at_each_seam_ends_that_run_and_no_other),
        cmocka_unit_test(a_kick_ends_the_run_in_every_order),
        cmocka_unit_test(a_real_thread_can_kick_a_guest_that_never_exits),
        cmocka_unit_test(a_seed_gives_spurious_cancels_that_nobody_sees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
