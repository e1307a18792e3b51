/* SPDX-License-Identifier: MIT */
/*
 * Stop, yield and kick at every place of a run: at each seam, and at any moment
 * from another thread. Each must make exactly one run return, and the next run
 * must get as far as if nothing had happened. What the requests say and how
 * they rank is in stop_meaning.c.
 */

#include "conformance/scenarios/guest_words.h"

#include <stdatomic.h>

/* Of the delays between kicks: a prime, so that all below the maximum come up. */
#define WAIT_STRIDE 7919u
#define WAIT_MAX 32768u

enum request {
    KICK,
    YIELD,
    STOP
};

struct requester {
    struct conf_vm *vm;
    struct vmr_stop_source *stop;
    enum request request;
    enum vmr_run_seam seam;
    bool armed; /* the VP's thread */
    unsigned rounds;
    _Atomic uint32_t round;
    struct vmr_parker *parker; /* of the thread that waits for its round */
};

static const struct conf_vm_options no_chip = {.without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
/* One exit, and never another: a request behind it that is lost has no second chance. */
CONF_PROGRAM(exits_once, VMR_CHECKPOINT(1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

static void ask(const struct requester *requester)
{
    switch (requester->request) {
    case KICK:
        (void)vmr_partition_kick(requester->vm->partition, 0);
        break;
    case YIELD:
        (void)vmr_partition_request_yield(requester->vm->partition, 0);
        break;
    case STOP:
        if (requester->stop) /* without memory for it, the scenario has failed already */
            vmr_stop_set(requester->stop);
        break;
    }
}

/* The run that must answer the request, and the one after, which must not. */
static void expect_one_answer(const struct requester *requester)
{
    if (requester->request == YIELD)
        expect_yield(requester->vm, requester->stop);
    else
        expect_halt(requester->vm, requester->stop, requester->request == KICK ? VMR_HALT_CANCEL : VMR_HALT_STOP);
}

static void expect_nothing_left(const struct requester *requester)
{
    guest_word_set(requester->vm, WORD_GO, 1);
    expect_end(requester->vm);
}

static bool requester_begin(struct requester *requester, struct conf *conf, const struct vmr_program *program)
{
    CONF_CHECK(conf, vmr_stop_create(conf->host, &requester->stop) == VMR_OK, "no stop source");
    requester->vm = requester->stop ? vm_about_to_run(conf, &no_chip, program) : NULL;
    return requester->vm != NULL;
}

static void requester_end(struct requester *requester)
{
    conf_vm_destroy(requester->vm);
    vmr_stop_destroy(requester->stop);
}

/* --- at a seam --- */

static void at_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct requester *requester = context;

    (void)vp;
    if (!requester->armed || seam != requester->seam)
        return;
    requester->armed = false;
    ask(requester);
}

/* Inside the guest there is nobody to call a hook on hypervisors that run instructions: another thread looks. */
static void ask_from_outside(void *argument)
{
    struct requester *requester = argument;

    if (guest_word_wait(requester->vm, WORD_SEEN, 1))
        ask(requester);
}

static void ask_at_seam(struct conf *conf, enum vmr_run_seam seam, enum request request)
{
    struct requester requester = {.request = request, .seam = seam, .armed = true};
    bool outside = seam == VMR_SEAM_IN_GUEST && !conf->is_mock;
    struct vmr_thread *thread = NULL;

    if (requester_begin(&requester, conf, seam == VMR_SEAM_AFTER_EXIT ? &exits_once : &spins)) {
        if (outside)
            thread = conf_thread(conf, ask_from_outside, &requester);
        else
            vmr_partition_set_seam_hook(requester.vm->partition, at_seam, &requester);
        expect_one_answer(&requester);
        if (thread)
            conf_join(conf, thread);
        else
            CONF_CHECK(conf, !requester.armed, "the run never passed seam %d", (int)seam);
        expect_nothing_left(&requester);
    }
    requester_end(&requester);
}

static void kick_before_check(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_BEFORE_CHECK, KICK);
}

static void kick_after_check(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_AFTER_CHECK, KICK);
}

static void kick_before_publish(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_BEFORE_PUBLISH, KICK);
}

static void kick_before_entry(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_BEFORE_ENTRY, KICK);
}

static void kick_in_guest(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_IN_GUEST, KICK);
}

static void kick_after_exit(struct conf *conf)
{
    ask_at_seam(conf, VMR_SEAM_AFTER_EXIT, KICK);
}

static void yield_at_seams(struct conf *conf)
{
    for (int seam = 0; seam < VMR_SEAM_COUNT && !conf_failed(conf); seam++)
        ask_at_seam(conf, (enum vmr_run_seam)seam, YIELD);
}

static void stop_at_seams(struct conf *conf)
{
    for (int seam = 0; seam < VMR_SEAM_COUNT && !conf_failed(conf); seam++)
        ask_at_seam(conf, (enum vmr_run_seam)seam, STOP);
}

/* Before the guest is entered a request keeps it out: not one instruction runs. */
static void no_instruction(struct conf *conf)
{
    struct requester requester = {.request = KICK};

    if (requester_begin(&requester, conf, &spins)) {
        vmr_partition_set_seam_hook(requester.vm->partition, at_seam, &requester);
        for (int seam = VMR_SEAM_BEFORE_CHECK; seam <= VMR_SEAM_AFTER_CHECK; seam++) {
            for (int request = KICK; request <= STOP; request++) {
                requester.request = (enum request)request;
                requester.seam = (enum vmr_run_seam)seam;
                requester.armed = true;
                expect_one_answer(&requester);
                if (request != STOP)
                    continue;
                vmr_stop_destroy(requester.stop);
                requester.stop = NULL;
                CONF_CHECK(conf, vmr_stop_create(conf->host, &requester.stop) == VMR_OK, "no stop source");
            }
        }
        CONF_CHECK_EQ(conf, guest_word(requester.vm, WORD_SEEN), 0, "what the guest stored");
        expect_nothing_left(&requester);
    }
    requester_end(&requester);
}

/* --- at any moment --- */

static void ask_at_once(void *argument)
{
    struct requester *requester = argument;
    struct conf_vm *vm = requester->vm;

    /* The search places the request everywhere by itself; elsewhere it is aimed at the guest. */
    if (vm->conf->exploring || guest_word_wait(vm, WORD_SEEN, 1))
        ask(requester);
}

static void ask_at_any_time(struct conf *conf, enum request request)
{
    struct requester requester = {.request = request};

    if (requester_begin(&requester, conf, &spins)) {
        struct vmr_thread *thread = conf_thread(conf, ask_at_once, &requester);

        if (thread) {
            expect_one_answer(&requester);
            conf_join(conf, thread);
            expect_nothing_left(&requester);
        }
    }
    requester_end(&requester);
}

static void kick_any_time(struct conf *conf)
{
    ask_at_any_time(conf, KICK);
}

static void yield_any_time(struct conf *conf)
{
    ask_at_any_time(conf, YIELD);
}

static void stop_any_time(struct conf *conf)
{
    ask_at_any_time(conf, STOP);
}

/* A kick and a yield from two threads: one run answers each, whatever their order. */
static void kick_and_yield(struct conf *conf)
{
    struct requester kicker = {.request = KICK};
    unsigned cancels = 0, yields = 0;

    if (requester_begin(&kicker, conf, &spins)) {
        struct requester yielder = {.vm = kicker.vm, .request = YIELD};
        struct vmr_thread *first = conf_thread(conf, ask_at_once, &kicker);
        struct vmr_thread *second = conf_thread(conf, ask_at_once, &yielder);

        for (unsigned i = 0; first && second && i < 2; i++) {
            struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

            if (!conf_run(kicker.vm, 0, NULL, &result))
                break;
            yields += result.kind == VMR_RUN_YIELDED;
            cancels += result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_CANCEL;
        }
        conf_join(conf, first);
        conf_join(conf, second);
        CONF_CHECK(conf, cancels == 1 && yields == 1, "one kick and one yield: %u cancels, %u yields", cancels, yields);
        expect_nothing_left(&kicker);
    }
    requester_end(&kicker);
}

/* Waits until round `round` has begun: awake for a moment, to be near it, and asleep after that. */
static void wait_for_round(struct requester *requester, unsigned round)
{
    const struct vmr_host *host = requester->vm->conf->host;

    for (unsigned i = 0; i < WAIT_MAX && atomic_load(&requester->round) < round; i++)
        ;
    while (atomic_load(&requester->round) < round)
        (void)host->ops->park(host->context, requester->parker, VMR_NEVER);
}

/* Kicks as soon as the last one was reported: on real threads some fall between any two instructions of an entry. */
static void kick_on_and_on(void *argument)
{
    struct requester *requester = argument;
    struct conf *conf = requester->vm->conf;

    for (unsigned i = 1; i <= requester->rounds; i++) {
        wait_for_round(requester, i);
        /* A few microseconds more or less, so that the kicks do not all fall on the same place. */
        for (unsigned wait = conf->is_mock ? 0 : i * WAIT_STRIDE % WAIT_MAX; wait > 0; wait--)
            atomic_signal_fence(memory_order_seq_cst);
        CONF_CHECK(conf, vmr_partition_kick(requester->vm->partition, 0) != VMR_KICK_COALESCED,
                   "kick %u was taken for the one before it", i);
    }
}

static void begin_round(struct requester *requester, unsigned round)
{
    const struct vmr_host *host = requester->vm->conf->host;

    atomic_store(&requester->round, round);
    host->ops->unpark(host->context, requester->parker);
}

static void pair_up(struct requester *requester)
{
    struct conf *conf = requester->vm->conf;
    struct vmr_thread *thread = conf_thread(conf, kick_on_and_on, requester);

    for (unsigned i = 1; thread && i <= requester->rounds && !conf_failed(conf); i++) {
        begin_round(requester, i);
        expect_one_answer(requester);
        CONF_CHECK(conf, !conf_failed(conf), "it went wrong in round %u", i);
    }
    begin_round(requester, UINT32_MAX);
    conf_join(conf, thread);
    if (!conf_failed(conf))
        expect_nothing_left(requester);
}

static void kicks_pair_up(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    struct requester requester = {.request = KICK, .rounds = conf->is_mock ? 50 : 1000};

    CONF_REQUIRE(conf, host->ops->parker_create(host->context, &requester.parker) == VMR_OK, "no parker");
    if (requester_begin(&requester, conf, &spins))
        pair_up(&requester);
    requester_end(&requester);
    host->ops->parker_destroy(host->context, requester.parker);
}

/* A wake asks for nothing that a run could report: a kick that meets one is still consumed once. */
static void wake_at_once(void *argument)
{
    const struct requester *requester = argument;

    vmr_partition_wake(requester->vm->partition, 0);
}

static void kick_and_wake(struct conf *conf)
{
    struct requester requester = {.request = KICK};

    if (requester_begin(&requester, conf, &spins)) {
        struct vmr_thread *waker = conf_thread(conf, wake_at_once, &requester);

        (void)vmr_partition_kick(requester.vm->partition, 0);
        expect_one_answer(&requester);
        conf_join(conf, waker);
        expect_nothing_left(&requester);
    }
    requester_end(&requester);
}

/* --- yields that meet --- */

struct yielder {
    struct conf_vm *vm;
    uint32_t firsts; /* requests that were the first since the last yield */
};

static void yield_twice(void *argument)
{
    struct yielder *yielder = argument;

    if (!yielder->vm->conf->exploring && !guest_word_wait(yielder->vm, WORD_SEEN, 1))
        return;
    for (unsigned i = 0; i < (yielder->vm->conf->exploring ? 2u : 64u); i++)
        yielder->firsts += vmr_partition_request_yield(yielder->vm->partition, 0);
}

/* Counts the runs that yield until the program ends. */
static uint32_t count_yields(struct conf_vm *vm)
{
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};
    uint32_t yields = 0;

    while (conf_run(vm, 0, NULL, &result) && result.kind == VMR_RUN_YIELDED)
        yields++;
    CONF_CHECK(vm->conf, vm->reports[0].ended, "the guest ended early: %s", outcome_name(&result));
    return yields;
}

static void yields_coalesce(struct conf *conf)
{
    struct yielder yielder = {.vm = vm_about_to_run(conf, &no_chip, &spins)};

    CONF_REQUIRE(conf, yielder.vm, "no VM");
    struct vmr_thread *thread = conf_thread(conf, yield_twice, &yielder);

    CONF_REQUIRE(conf, thread, "no thread");
    expect_yield(yielder.vm, NULL);
    conf_join(conf, thread);
    guest_word_set(yielder.vm, WORD_GO, 1);
    CONF_CHECK_EQ(conf, count_yields(yielder.vm) + 1, yielder.firsts, "runs that yielded, for so many first requests");
    struct vmr_mock *mock = conf_mock(yielder.vm);

    if (mock)
        CONF_CHECK(conf, vmr_mock_kicks(mock, 0) <= yielder.firsts, "%llu kicks for %u first requests",
                   (unsigned long long)vmr_mock_kicks(mock, 0), yielder.firsts);
    conf_vm_destroy(yielder.vm);
}

/* --- */

static const struct conf_scenario scenarios[] = {
    {.name = "a_guest_that_never_exits_can_be_kicked",
     .family = "stop",
     .ids = "STOP-00",
     .clauses = "RUN-3 RUN-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = kick_any_time},
    {.name = "a_kick_before_the_check_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_before_check},
    {.name = "a_kick_after_the_check_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_after_check},
    {.name = "a_kick_behind_the_last_look_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_before_publish},
    {.name = "a_kick_before_entry_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_before_entry},
    {.name = "a_kick_in_the_guest_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_in_guest},
    {.name = "a_kick_after_the_exit_is_not_lost",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kick_after_exit},
    {.name = "a_yield_at_each_seam_is_not_lost",
     .family = "stop",
     .ids = "S1",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = yield_at_seams},
    {.name = "a_stop_at_each_seam_is_not_lost",
     .family = "stop",
     .clauses = "RUN-3 RUN-1",
     .chip = CONF_CHIP_ANY,
     .run = stop_at_seams},
    {.name = "a_request_seen_in_time_keeps_the_guest_out",
     .family = "stop",
     .clauses = "RUN-12 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = no_instruction},
    {.name = "a_yield_at_any_moment_returns_one_run",
     .family = "stop",
     .ids = "S1",
     .clauses = "RUN-3 RUN-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = yield_any_time},
    {.name = "a_stop_at_any_moment_returns_the_run",
     .family = "stop",
     .clauses = "RUN-3 RUN-1",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = stop_any_time},
    {.name = "a_kick_and_a_yield_return_one_run_each",
     .family = "stop",
     .clauses = "RUN-2 RUN-3",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = kick_and_yield},
    {.name = "kicks_and_runs_pair_up_however_close",
     .family = "stop",
     .ids = "STOP-01",
     .clauses = "RUN-3 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kicks_pair_up},
    {.name = "a_kick_that_meets_a_wake_is_consumed_once",
     .family = "stop",
     .ids = "STOP-05",
     .clauses = "RUN-2 RUN-4",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = kick_and_wake},
    {.name = "each_first_yield_is_one_yield_and_at_most_one_kick",
     .family = "stop",
     .ids = "S2",
     .clauses = "RUN-6 RUN-7",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = yields_coalesce},
};

CONF_FAMILY(stop, scenarios);
