/* SPDX-License-Identifier: MIT */
/*
 * The run loop: requests at every seam, what is consumed and what stays,
 * pending exits, sleeping, failure. [RUN-1] [RUN-2] [RUN-3] [RUN-4] [RUN-10] [RUN-11] [RUN-12]
 */

#include "tests/run/fixture.h"

#include "tests/support/counting_host.h"

static void a_run_without_io_has_run_nothing(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_POWER_OFF};
    struct fixture fixture;

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_vp_run(fixture.vp, NULL, NULL, &fixture.result), VMR_E_USAGE);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_ENTER), 0);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    vmr_vp_unbind(fixture.vp);
    assert_int_equal(vmr_vp_run(fixture.vp, NULL, &fixture.io, &fixture.result), VMR_E_STATE);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 1);
    fake_rig_finish(&fixture.rig);
}

static void a_backend_without_the_optional_calls_runs_too(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_POWER_OFF};
    struct fixture fixture = {0};
    struct vmr_stop_source *stop = NULL;

    fake_init(&fixture.fake);
    fake_script(&fixture.fake, 0, steps, COUNT(steps));
    fixture.fake.cpuid_count = 1;
    fixture_bind(&fixture);
    fixture.rig.partition->backend = fake_backend_bare();
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &stop), VMR_OK);
    vmr_stop_set(stop);
    assert_int_equal(must_run(&fixture, stop), VMR_HALT_STOP);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(vmr_partition_nmi(fixture.rig.partition, 0), VMR_E_UNSUPPORTED);
    vmr_stop_destroy(stop);
    fixture_finish(&fixture);
}

/* --- requests before a run --- */

static void requests_before_a_run_come_back_one_by_one(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_POWER_OFF};
    struct fixture fixture;
    struct vmr_stop_source *stop = NULL;

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_stop_create(&fixture.rig.host, &stop), VMR_OK);
    assert_true(vmr_partition_request_yield(fixture.rig.partition, 0));
    assert_int_equal(vmr_partition_kick(fixture.rig.partition, 0), VMR_KICK_LATCHED);
    vmr_stop_set(stop);
    assert_int_equal(must_run(&fixture, stop), VMR_HALT_STOP);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_STOP);
    assert_int_equal(must_run(&fixture, stop), VMR_HALT_STOP); /* it latches [RUN-1] */
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_CANCEL);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_KICK);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_NONE);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_YIELD);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 0); /* not one instruction so far */
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_KICK), 0);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fixture.fake.leave[0], VMR_LEAVE_HALT);
    vmr_stop_destroy(stop);
    fixture_finish(&fixture);
}

/* --- requests at each seam, from the VP's own thread, so that the place is exact --- */

enum ask {
    ASK_STOP,
    ASK_KICK,
    ASK_YIELD,
    ASK_WAKE,
    ASK_NMI,
    ASK_COUNT
};

struct asker {
    struct fixture fixture;
    struct vmr_stop_source *stop;
    enum vmr_run_seam seam;
    uint32_t asks; /* bits of enum ask, all at once */
    unsigned passes_left;
};

static void ask(struct asker *asker)
{
    struct vmr_partition *partition = asker->fixture.rig.partition;

    if (asker->asks & 1u << ASK_STOP)
        vmr_stop_set(asker->stop);
    if (asker->asks & 1u << ASK_KICK)
        assert_int_equal(vmr_partition_kick(partition, 0), VMR_KICK_DELIVERED);
    if (asker->asks & 1u << ASK_YIELD)
        assert_true(vmr_partition_request_yield(partition, 0));
    if (asker->asks & 1u << ASK_WAKE)
        vmr_partition_wake(partition, 0);
    if (asker->asks & 1u << ASK_NMI)
        assert_int_equal(vmr_partition_nmi(partition, 0), VMR_OK);
}

static void at_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct asker *asker = context;

    (void)vp;
    if (seam == asker->seam && asker->passes_left > 0 && --asker->passes_left == 0)
        ask(asker);
}

static void in_guest(void *context, vmr_vp_index vp)
{
    at_seam(context, vp, VMR_SEAM_IN_GUEST);
}

static enum vmr_halt_reason after_exit(void *context, vmr_vp_index vp)
{
    at_seam(context, vp, VMR_SEAM_AFTER_EXIT);
    return VMR_HALT_NONE;
}

static void asker_init(struct asker *asker, const struct fake_step *steps, size_t count)
{
    fixture_init(&asker->fixture, steps, count);
    asker->fixture.fake.in_guest = in_guest;
    asker->fixture.fake.in_guest_context = asker;
    asker->fixture.io = (struct vmr_vp_io){.halt_requested = after_exit, .context = asker};
    vmr_partition_set_seam_hook(asker->fixture.rig.partition, at_seam, asker);
    assert_int_equal(vmr_stop_create(&asker->fixture.rig.host, &asker->stop), VMR_OK);
}

static void asker_finish(struct asker *asker)
{
    vmr_stop_destroy(asker->stop);
    fixture_finish(&asker->fixture);
}

static const enum vmr_run_seam seams[] = {VMR_SEAM_BEFORE_CHECK, VMR_SEAM_AFTER_CHECK, VMR_SEAM_IN_GUEST,
                                          VMR_SEAM_AFTER_EXIT};

static void a_request_at_any_seam_ends_the_run(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_READ(2)};
    static const struct {
        enum ask ask;
        enum vmr_halt_reason reason;
    } rows[] = {{ASK_STOP, VMR_HALT_STOP}, {ASK_KICK, VMR_HALT_CANCEL}, {ASK_YIELD, VMR_HALT_NONE}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t seam = 0; seam < COUNT(seams); seam++) {
            struct asker asker = {.seam = seams[seam], .asks = 1u << rows[i].ask, .passes_left = 2};

            asker_init(&asker, steps, COUNT(steps));
            assert_int_equal(must_run(&asker.fixture, asker.stop), rows[i].reason);
            assert_false(asker.fixture.vp->exit_pending); /* a clean point [EXIT-6] */
            assert_int_equal(asker.passes_left, 0);
            asker_finish(&asker);
        }
    }
}

/* A request that is only looked at must not take another with it that came since. */
static void a_stop_beside_a_wake_is_not_lost(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_READ(2), STEP_POWER_OFF};

    for (size_t seam = 0; seam < COUNT(seams); seam++) {
        for (unsigned first = 1; first <= 2; first++) {
            struct asker asker = {
                .seam = seams[seam], .asks = 1u << ASK_STOP | 1u << ASK_WAKE | 1u << ASK_NMI, .passes_left = first};

            asker_init(&asker, steps, COUNT(steps));
            assert_int_equal(must_run(&asker.fixture, asker.stop), VMR_HALT_STOP);
            assert_int_equal(must_run(&asker.fixture, NULL), VMR_HALT_POWER_OFF);
            assert_int_equal(fake_count(&asker.fixture.fake, FAKE_NMI), 1); /* it waited */
            asker_finish(&asker);
        }
    }
}

/* A scheduling host whose points let a test act between the look at the requests and what follows. */
struct injector {
    struct asker asker;
    struct vmr_host_ops ops;
    struct vmr_schedule_ops schedule;
    struct vmr_host host;
    unsigned countdown;
    bool armed;
};

static void injector_point(void *context, const void *object)
{
    struct injector *injector = context;

    if (!injector->armed || object != (const void *)&injector->asker.fixture.vp->requests)
        return;
    if (--injector->countdown > 0)
        return;
    injector->armed = false;
    ask(&injector->asker);
}

static bool injector_block(void *context, const void *object)
{
    (void)context;
    (void)object;
    return false;
}

static void injector_wake(void *context, const void *object)
{
    (void)context;
    (void)object;
}

static void injector_init(struct injector *injector, unsigned countdown, const struct fake_step *steps, size_t count)
{
    struct fixture *fixture = &injector->asker.fixture;
    struct vmr_host posix;

    vmr_host_posix(&posix, NULL);
    injector->ops = *posix.ops;
    injector->schedule =
        (struct vmr_schedule_ops){.point = injector_point, .block = injector_block, .wake = injector_wake};
    injector->ops.schedule = &injector->schedule;
    injector->host = (struct vmr_host){.ops = &injector->ops, .context = injector};
    injector->countdown = countdown;
    fake_init(&fixture->fake);
    fake_script(&fixture->fake, 0, steps, count);
    fake_rig_init(&fixture->rig, &fixture->fake, &injector->host, 1);
    assert_int_equal(vmr_partition_bind(fixture->rig.partition, 0, &fixture->vp, NULL), VMR_OK);
    assert_int_equal(vmr_stop_create(&injector->host, &injector->asker.stop), VMR_OK);
}

/*
 * With one request waiting, others come at every access to the request word in
 * turn. Whatever comes where, all are honoured: the run ends with the stop, the
 * kick and the yield each end one run more, and the NMI is injected.
 */
static void a_request_between_any_two_looks_is_honoured(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_READ(2), STEP_POWER_OFF};
    unsigned reached = 0;

    for (unsigned countdown = 1; countdown <= 12; countdown++) {
        struct injector injector = {.asker.asks = 1u << ASK_STOP | 1u << ASK_NMI | 1u << ASK_WAKE, .asker.stop = NULL};
        struct fixture *fixture = &injector.asker.fixture;

        injector_init(&injector, countdown, steps, COUNT(steps));
        vmr_partition_wake(fixture->rig.partition, 0);
        injector.armed = true;
        enum vmr_halt_reason reason = must_run(fixture, injector.asker.stop);
        bool asked = !injector.armed;

        injector.armed = false;
        reached += asked;
        /* The script's end may come first; then the stop is for the next run. */
        assert_true(reason == VMR_HALT_STOP || reason == VMR_HALT_POWER_OFF);
        if (asked && reason == VMR_HALT_POWER_OFF)
            assert_int_equal(must_run(fixture, injector.asker.stop), VMR_HALT_STOP);
        assert_int_equal(vmr_partition_kick(fixture->rig.partition, 0), VMR_KICK_LATCHED);
        assert_int_equal(must_run(fixture, NULL), VMR_HALT_CANCEL);
        fake_script(&fixture->fake, 0, steps, COUNT(steps));
        fixture->fake.scripts[0].endless = true;
        assert_int_equal(must_run(fixture, NULL), VMR_HALT_POWER_OFF);
        assert_int_equal(fake_count(&fixture->fake, FAKE_NMI), asked);
        asker_finish(&injector.asker);
    }
    assert_in_range(reached, 5, 12);
}

/* --- pending exits --- */

static void a_stop_finishes_the_exit_and_all_that_it_brings(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        STEP_READ(1),
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x5000, .size = 2}}, .further = true},
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x6000, .size = 4}}, .further = true},
        STEP_POWER_OFF,
    };
    struct asker asker = {.seam = VMR_SEAM_AFTER_EXIT, .asks = 1u << ASK_STOP, .passes_left = 1};

    asker_init(&asker, steps, COUNT(steps));
    assert_int_equal(must_run(&asker.fixture, asker.stop), VMR_HALT_STOP);
    const struct fake *fake = &asker.fixture.fake;

    assert_int_equal(fake_count(fake, FAKE_VP_RUN), 1);
    assert_int_equal(fake_count(fake, FAKE_VP_COMPLETE), 3);
    assert_int_equal(fake->answer_count[0], 3);
    assert_int_equal(fake->answers[0][0].u.io.value, 0xff);
    assert_int_equal(fake->answers[0][1].u.mmio.value, 0xffff);
    assert_int_equal(fake->answers[0][2].u.mmio.value, 0xffffffff);
    asker_finish(&asker);
}

static const struct {
    const char *name;
    struct fake_step further;
    enum vmr_halt_reason reason;
} endings[] = {
    {"a failure of the rest is fatal, not a stop",
     {.exit = {.kind = VMR_EXIT_FAIL, .u.fail = {.cause = VMR_FAIL_EMULATION, .code = 3}}, .further = true},
     VMR_HALT_FATAL},
    {"a halt of the rest comes first",
     {.exit = {.kind = VMR_EXIT_SHUTDOWN, .u.shutdown = {.vtl = 2}}, .further = true},
     VMR_HALT_TRIPLE_FAULT},
};

static void what_finishing_brings_comes_before_the_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(endings); i++) {
        const struct fake_step steps[] = {STEP_READ(1), endings[i].further, STEP_POWER_OFF};
        struct asker asker = {.seam = VMR_SEAM_AFTER_EXIT, .asks = 1u << ASK_STOP, .passes_left = 1};

        print_message("%s\n", endings[i].name);
        asker_init(&asker, steps, COUNT(steps));
        assert_int_equal(must_run(&asker.fixture, asker.stop), endings[i].reason);
        assert_int_equal(asker.fixture.result.vtl, endings[i].further.exit.kind == VMR_EXIT_SHUTDOWN ? 2 : 0);
        if (endings[i].reason == VMR_HALT_FATAL)
            assert_int_equal(vmr_vp_run(asker.fixture.vp, NULL, &asker.fixture.io, &asker.fixture.result), VMR_E_STATE);
        else
            assert_int_equal(must_run(&asker.fixture, asker.stop), VMR_HALT_STOP);
        asker_finish(&asker);
    }
}

static enum vmr_exit_action power_off_always(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                             enum vmr_halt_reason *ret_reason)
{
    (void)context;
    (void)vp;
    (void)vp_exit;
    *ret_reason = VMR_HALT_POWER_OFF;
    return VMR_EXIT_HALT_VP;
}

static void a_backend_that_never_finishes_an_exit_is_fatal(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 0x5000, .size = 2}}, .further = true},
    };
    struct fixture fixture;

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.fake.scripts[0].endless = true;
    fixture.io.exit = power_off_always; /* each further exit asks for a halt again: no deeper, and no longer */
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    assert_int_equal(fixture.result.exit.u.fail.cause, VMR_FAIL_INTERNAL);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_COMPLETE), VMR_COMPLETION_EXIT_MAX);
    fixture_finish(&fixture);
}

static void a_halt_is_reported_at_a_clean_point(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_READ(1), STEP_POWER_OFF};
    struct fixture fixture;
    struct vmr_x86_regs regs;

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.io.exit = power_off_always;
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_COMPLETE), 1);
    assert_int_equal(vmr_vp_get_regs(fixture.vp, &regs), VMR_OK);
    fixture_finish(&fixture);
}

/* --- the guest goes on by itself --- */

static void a_spurious_cancel_is_not_reported(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_CANCEL), STEP_OF(VMR_EXIT_CANCEL), STEP_POWER_OFF};
    struct fixture fixture;

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 3);
    fixture_finish(&fixture);
}

static void a_wake_in_the_guest_lets_the_run_go_on(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_BLOCK, STEP_POWER_OFF};
    struct asker asker = {.seam = VMR_SEAM_IN_GUEST, .asks = 1u << ASK_WAKE, .passes_left = 1};

    asker_init(&asker, steps, COUNT(steps));
    assert_int_equal(must_run(&asker.fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(fake_count(&asker.fixture.fake, FAKE_VP_KICK), 1);
    asker_finish(&asker);
}

static void an_nmi_that_cannot_be_injected_is_fatal(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_POWER_OFF};
    struct fixture fixture;

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.fake.fail_always = FAKE_NMI;
    assert_int_equal(vmr_partition_nmi(fixture.rig.partition, 0), VMR_OK);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    assert_int_equal(fixture.result.exit.u.fail.code, VMR_E_HOST);
    assert_int_equal(fake_count(&fixture.fake, FAKE_VP_RUN), 0);
    fixture_finish(&fixture);
}

static void a_deadlock_is_an_error_and_the_vp_stays_usable(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_HALT), STEP_POWER_OFF};
    struct fixture fixture = {0};
    struct counting_host counting_host;
    struct vmr_host host;

    counting_host_init(&counting_host, &host);
    fake_init(&fixture.fake);
    fake_script(&fixture.fake, 0, steps, COUNT(steps));
    fake_rig_init(&fixture.rig, &fixture.fake, &host, 1);
    assert_int_equal(vmr_partition_bind(fixture.rig.partition, 0, &fixture.vp, NULL), VMR_OK);
    counting_host.deadlocks = true;
    fixture.result.reason = VMR_HALT_RESET;
    assert_int_equal(vmr_vp_run(fixture.vp, NULL, &fixture.io, &fixture.result), VMR_E_DEADLOCK);
    assert_int_equal(fixture.result.reason, VMR_HALT_RESET); /* untouched */
    assert_int_equal(vmr_vp_set_activity(fixture.vp, VMR_ACTIVITY_RUNNING), VMR_OK);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    fixture_finish(&fixture);
}

/* --- another thread --- */

struct sender {
    struct vmr_partition *partition;
    struct vmr_stop_source *stop;
    _Atomic bool go;
    enum ask ask;
};

static void send_when_told(void *argument)
{
    struct sender *sender = argument;

    while (!atomic_load(&sender->go))
        ;
    if (sender->ask == ASK_STOP)
        vmr_stop_set(sender->stop);
    else if (sender->ask == ASK_KICK)
        (void)vmr_partition_kick(sender->partition, 0);
    else
        (void)vmr_partition_request_yield(sender->partition, 0);
}

static void tell(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct sender *sender = context;

    (void)vp;
    (void)seam;
    atomic_store(&sender->go, true);
}

static void race_once(enum ask what, const struct fake_step *steps, size_t count)
{
    struct fixture fixture;
    struct sender sender = {.ask = what};
    struct vmr_thread *thread;

    fixture_init(&fixture, steps, count);
    const struct vmr_host *host = &fixture.rig.host;

    sender.partition = fixture.rig.partition;
    assert_int_equal(vmr_stop_create(host, &sender.stop), VMR_OK);
    vmr_partition_set_seam_hook(fixture.rig.partition, tell, &sender);
    assert_int_equal(host->ops->thread_start(host->context, "sender", send_when_told, &sender, &thread), VMR_OK);
    enum vmr_halt_reason reason = must_run(&fixture, sender.stop);

    host->ops->thread_join(host->context, thread);
    assert_int_equal(reason, what == ASK_STOP ? VMR_HALT_STOP : what == ASK_KICK ? VMR_HALT_CANCEL : VMR_HALT_NONE);
    fixture_finish(&fixture);
    vmr_stop_destroy(sender.stop);
}

/* The guest never exits, or the VP sleeps in HLT: only the request can end the run. */
static void a_request_of_another_thread_is_never_lost(void **state)
{
    (void)state;
    static const struct fake_step sleeping[] = {STEP_OF(VMR_EXIT_HALT)};

    for (unsigned i = 0; i < 200; i++) {
        race_once((enum ask)(i % 3), NULL, 0);
        race_once((enum ask)(i % 3), sleeping, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_without_io_has_run_nothing),
        cmocka_unit_test(a_backend_without_the_optional_calls_runs_too),
        cmocka_unit_test(requests_before_a_run_come_back_one_by_one),
        cmocka_unit_test(a_request_at_any_seam_ends_the_run),
        cmocka_unit_test(a_stop_beside_a_wake_is_not_lost),
        cmocka_unit_test(a_request_between_any_two_looks_is_honoured),
        cmocka_unit_test(a_stop_finishes_the_exit_and_all_that_it_brings),
        cmocka_unit_test(what_finishing_brings_comes_before_the_stop),
        cmocka_unit_test(a_backend_that_never_finishes_an_exit_is_fatal),
        cmocka_unit_test(a_halt_is_reported_at_a_clean_point),
        cmocka_unit_test(a_spurious_cancel_is_not_reported),
        cmocka_unit_test(a_wake_in_the_guest_lets_the_run_go_on),
        cmocka_unit_test(an_nmi_that_cannot_be_injected_is_fatal),
        cmocka_unit_test(a_deadlock_is_an_error_and_the_vp_stays_usable),
        cmocka_unit_test(a_request_of_another_thread_is_never_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
