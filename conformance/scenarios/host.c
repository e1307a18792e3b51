/* SPDX-License-Identifier: MIT */
/*
 * The host interface and the mock's scheduler: time, threads and waiting come
 * from the host alone, the same choices give the same run, a search tries each
 * order once, and a run that hangs is found out.
 */

#include "conformance/scenarios/vpset_vm.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_NS (UINT64_C(3600) * 1000000000)
#define ORDERS_MAX 4096u

static const struct conf_vm_options two_vps = {.vps = 2, .without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(spins_beside, VMR_STORE(VP_WORD(WORD_SEEN, 1), 4, 1), VMR_SPIN());

static const struct vmr_program *const two[] = {&spins, &spins_beside};

/* --- a host of the scenario's own: the real one with another clock, and with threads that can run out --- */

struct own_host {
    struct vmr_host host; /* what the library gets */
    const struct vmr_host *inner;
    struct vmr_host_ops ops;
    struct conf conf; /* as the scenario's, with this host */
    _Atomic uint32_t threads, deadlines;
    uint32_t thread_limit;
};

static uint64_t own_now_ns(void *context)
{
    const struct own_host *own = context;

    return own->inner->ops->now_ns(own->inner->context) + OFFSET_NS;
}

static enum vmr_status own_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                        struct vmr_thread **ret_thread)
{
    struct own_host *own = context;

    if (atomic_fetch_add(&own->threads, 1) >= own->thread_limit)
        return VMR_E_HOST;
    return own->inner->ops->thread_start(own->inner->context, name, body, argument, ret_thread);
}

static void own_thread_join(void *context, struct vmr_thread *thread)
{
    const struct own_host *own = context;

    own->inner->ops->thread_join(own->inner->context, thread);
}

static void own_log(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    const struct own_host *own = context;

    own->inner->ops->log(own->inner->context, level, culprit, message);
}

static enum vmr_status own_parker_create(void *context, struct vmr_parker **ret_parker)
{
    const struct own_host *own = context;

    return own->inner->ops->parker_create(own->inner->context, ret_parker);
}

static void own_parker_destroy(void *context, struct vmr_parker *parker)
{
    const struct own_host *own = context;

    own->inner->ops->parker_destroy(own->inner->context, parker);
}

static enum vmr_park_result own_park(void *context, struct vmr_parker *parker, uint64_t deadline_ns)
{
    struct own_host *own = context;

    if (deadline_ns == VMR_NEVER)
        return own->inner->ops->park(own->inner->context, parker, VMR_NEVER);
    atomic_fetch_add(&own->deadlines, 1);
    return own->inner->ops->park(own->inner->context, parker, deadline_ns < OFFSET_NS ? 0 : deadline_ns - OFFSET_NS);
}

static void own_unpark(void *context, struct vmr_parker *parker)
{
    const struct own_host *own = context;

    own->inner->ops->unpark(own->inner->context, parker);
}

/* The schedule operations are called with the library's context: ours goes through to the inner host's. */
static void own_point(void *context, const void *object)
{
    const struct own_host *own = context;

    own->inner->ops->schedule->point(own->inner->context, object);
}

static bool own_block(void *context, const void *object)
{
    const struct own_host *own = context;

    return own->inner->ops->schedule->block(own->inner->context, object);
}

static void own_wake(void *context, const void *object)
{
    const struct own_host *own = context;

    own->inner->ops->schedule->wake(own->inner->context, object);
}

static const void *own_self(void *context)
{
    const struct own_host *own = context;

    return own->inner->ops->schedule->self(own->inner->context);
}

static const struct vmr_schedule_ops own_schedule = {
    .point = own_point, .block = own_block, .wake = own_wake, .self = own_self};

static void own_host_init(struct own_host *own, const struct conf *conf)
{
    *own = (struct own_host){
        .inner = conf->host,
        .ops = {.now_ns = own_now_ns,
                .log = own_log,
                .thread_start = own_thread_start,
                .thread_join = own_thread_join,
                .parker_create = own_parker_create,
                .parker_destroy = own_parker_destroy,
                .park = own_park,
                .unpark = own_unpark,
                .schedule = conf->host->ops->schedule ? &own_schedule : NULL},
        .conf = *conf,
        .thread_limit = UINT32_MAX,
    };
    own->host = (struct vmr_host){.ops = &own->ops, .context = own};
    own->conf.host = &own->host;
}

static void clock_is_the_hosts(struct conf *conf)
{
    struct own_host own;
    struct vpset_vm group;
    struct vmr_vp_set_halt halt = {.vp = 77};

    own_host_init(&own, conf);
    if (vpset_begin(&group, &own.conf, &two_vps, two)) {
        uint64_t soon = own_now_ns(&own) + 2000000;

        vpset_start(&group);
        CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, soon, &halt), VMR_OK, "the wait");
        CONF_CHECK_EQ(conf, halt.result.reason, VMR_HALT_NONE, "the reason at the deadline");
        CONF_CHECK(conf, own_now_ns(&own) >= soon, "the wait ended before its deadline on the host's clock");
        CONF_CHECK(conf, atomic_load(&own.deadlines) > 0, "the host was never asked to wait until then");
        CONF_CHECK(conf, atomic_load(&own.threads) >= 2, "two VPs run on %u threads of the host's",
                   atomic_load(&own.threads));
    }
    vpset_end(&group);
}

/* For every number of threads that are too few: no set, and nothing left behind that would keep the next from being. */
static void threads_are_the_hosts(struct conf *conf)
{
    struct own_host own;
    uint32_t limit = 0;
    bool created = false;

    own_host_init(&own, conf);
    for (; limit < 8 && !created && !conf_failed(conf); limit++) {
        struct vpset_vm group;
        struct vmr_error err = {.message = ""};

        atomic_store(&own.threads, 0);
        own.thread_limit = limit;
        if (!vpset_vm_create(&group, &own.conf, &two_vps, two))
            return;
        const struct vmr_vp_set_options options = {.io = &group.vm->io, .prepare = vpset_prepare, .context = group.vm};
        enum vmr_status status = vmr_vp_set_create(group.vm->partition, &options, &group.set, &err);

        created = status == VMR_OK;
        CONF_CHECK(conf, created || (status == VMR_E_HOST && err.message[0] != '\0' && !group.set),
                   "a set with %u threads: %s, '%s'", limit, vmr_status_name(status), err.message);
        vpset_end(&group);
    }
    CONF_CHECK(conf, created && limit >= 3, "a set of two VPs was content with %u threads", limit - 1);
}

/* --- the mock alone --- */

static unsigned count_entries(const char *folder)
{
    DIR *directory = opendir(folder);
    unsigned count = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    (void)closedir(directory);
    return count;
}

static void mock_needs_nothing(struct conf *conf)
{
    unsigned files = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    struct vpset_vm group;

    if (files == 0 || threads == 0) {
        conf_skip(conf, "this system does not list the files and threads of a process");
        return;
    }
    if (vpset_begin(&group, conf, &two_vps, two)) {
        vpset_start(&group);
        CONF_CHECK(conf, guest_word_wait(group.vm, VP_WORD(WORD_SEEN, 1), 1), "VP 1 does not run");
        CONF_CHECK_EQ(conf, count_entries("/proc/self/task"), threads, "threads of the process while two VPs run");
        CONF_CHECK_EQ(conf, count_entries("/proc/self/fd"), files, "open files of the process meanwhile");
    }
    vpset_end(&group);
}

/* --- the scheduler alone --- */

struct body {
    const struct vmr_host *host;
    struct vmr_thread *threads[2];
    struct vmr_parker *parkers[2];
    unsigned turns; /* points each thread passes */
    char order[32]; /* who went, in order */
    unsigned went;
    uint64_t woke_at_ns;
};

struct body_thread {
    struct body *body;
    char name;
};

static void take_turns(void *argument)
{
    const struct body_thread *thread = argument;
    struct body *body = thread->body;

    for (unsigned i = 0; i < body->turns; i++) {
        body->host->ops->schedule->point(body->host->context, body);
        if (body->went < sizeof(body->order) - 1)
            body->order[body->went++] = thread->name;
    }
}

static void run_two(void *argument)
{
    struct body *body = argument;
    struct body_thread names[2] = {{body, 'a'}, {body, 'b'}};

    memset(body->order, 0, sizeof(body->order));
    body->went = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (body->host->ops->thread_start(body->host->context, "turns", take_turns, &names[i], &body->threads[i]))
            return;
    }
    for (unsigned i = 0; i < 2; i++)
        body->host->ops->thread_join(body->host->context, body->threads[i]);
}

static struct vmr_scheduler *scheduler_of(struct conf *conf, const struct vmr_scheduler_options *options,
                                          struct vmr_host *ret_host)
{
    struct vmr_scheduler *scheduler = NULL;
    struct vmr_error err = {.message = ""};

    if (vmr_scheduler_create(options, &scheduler, &err)) {
        conf_fail(conf, __FILE__, __LINE__, "no scheduler: %s", err.message);
        return NULL;
    }
    vmr_scheduler_host(scheduler, ret_host);
    return scheduler;
}

/* Runs a body under a seed; what it chose goes into `ret_choices`. */
static bool run_seed(struct conf *conf, uint64_t seed, struct body *body, char *ret_choices, size_t size)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = seed};
    struct vmr_host host;
    struct vmr_scheduler *scheduler = scheduler_of(conf, &options, &host);

    if (!scheduler)
        return false;
    body->host = &host;
    /* The second run of one scheduler begins where the first did. */
    for (unsigned i = 0; i < 2; i++) {
        CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, run_two, body), VMR_SCHEDULE_DONE, "how the run ended");
        CONF_CHECK(conf, i == 0 || strcmp(ret_choices, vmr_scheduler_choices(scheduler)) == 0,
                   "seed %llu, run again: '%s' and '%s'", (unsigned long long)seed, ret_choices,
                   vmr_scheduler_choices(scheduler));
        strncpy(ret_choices, vmr_scheduler_choices(scheduler), size - 1);
    }
    vmr_scheduler_destroy(scheduler);
    return true;
}

static void same_seed(struct conf *conf)
{
    struct body first = {.turns = 12}, second = {.turns = 12};
    char choices[2][128] = {"", ""};
    unsigned differ = 0;

    for (uint64_t seed = 1; seed <= 8 && !conf_failed(conf); seed++) {
        if (!run_seed(conf, seed, &first, choices[0], sizeof(choices[0])) ||
            !run_seed(conf, seed, &second, choices[1], sizeof(choices[1])))
            return;
        CONF_CHECK(conf, strcmp(choices[0], choices[1]) == 0, "seed %llu: '%s' and '%s'", (unsigned long long)seed,
                   choices[0], choices[1]);
        CONF_CHECK(conf, strcmp(first.order, second.order) == 0, "seed %llu: orders %s and %s",
                   (unsigned long long)seed, first.order, second.order);
        if (!run_seed(conf, seed + 100, &second, choices[1], sizeof(choices[1])))
            return;
        differ += strcmp(first.order, second.order) != 0;
    }
    CONF_CHECK(conf, differ > 0, "every seed gives the same order");
}

/* The orders of two threads of `turns` turns with all switches allowed are the ways to mix two rows: 2n over n. */
static void each_order_once(struct conf *conf)
{
    static const struct {
        unsigned turns, preemptions;
    } cases[] = {{1, 0}, {2, 0}, {2, 1}, {2, 2}, {3, 2}, {3, 8}};
    uint64_t before = 0;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_EXHAUSTIVE,
                                                      .preemptions = cases[i].preemptions};
        char(*seen)[64] = calloc(ORDERS_MAX, sizeof(*seen));
        struct vmr_host host;
        struct vmr_scheduler *scheduler = scheduler_of(conf, &options, &host);
        struct body body = {.turns = cases[i].turns, .host = &host};
        unsigned count = 0;
        bool more = scheduler && seen;

        while (more && count < ORDERS_MAX && !conf_failed(conf)) {
            CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, run_two, &body), VMR_SCHEDULE_DONE, "how the run ended");
            strncpy(seen[count], vmr_scheduler_choices(scheduler), sizeof(seen[count]) - 1);
            for (unsigned j = 0; j < count; j++)
                CONF_CHECK(conf, strcmp(seen[j], seen[count]) != 0, "'%s' was run twice", seen[count]);
            count++;
            more = vmr_scheduler_next(scheduler);
        }
        CONF_CHECK(conf, scheduler && vmr_scheduler_explored(scheduler) == count && count > before,
                   "%u turns, %u preemptions: %u orders after %llu", cases[i].turns, cases[i].preemptions, count,
                   (unsigned long long)before);
        before = i == 0 || i == 2 ? 0 : count;
        vmr_scheduler_destroy(scheduler);
        free(seen);
    }
}

static void replayed_choices(struct conf *conf)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 9};
    struct vmr_host host;
    struct vmr_scheduler *scheduler = scheduler_of(conf, &options, &host);
    struct body first = {.turns = 12, .host = &host}, second = {.turns = 12, .host = &host};
    char choices[128] = "";
    struct vmr_error err;

    CONF_REQUIRE(conf, scheduler, "no scheduler");
    CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, run_two, &first), VMR_SCHEDULE_DONE, "the first run");
    strncpy(choices, vmr_scheduler_choices(scheduler), sizeof(choices) - 1);
    vmr_scheduler_destroy(scheduler);
    const struct vmr_scheduler_options other = {.mode = VMR_SCHEDULE_SEEDED, .seed = 10};

    scheduler = scheduler_of(conf, &other, &host);
    CONF_REQUIRE(conf, scheduler, "no scheduler");
    CONF_CHECK_EQ(conf, vmr_scheduler_replay(scheduler, "0 1", &err), VMR_E_CONFIG, "choices that are none");
    CONF_CHECK_EQ(conf, vmr_scheduler_replay(scheduler, choices, &err), VMR_OK, "the choices");
    CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, run_two, &second), VMR_SCHEDULE_DONE, "the second run");
    CONF_CHECK(conf, strcmp(first.order, second.order) == 0, "orders %s and %s", first.order, second.order);
    CONF_CHECK(conf, strcmp(choices, vmr_scheduler_choices(scheduler)) == 0, "other choices: %s",
               vmr_scheduler_choices(scheduler));
    vmr_scheduler_destroy(scheduler);
}

/* --- what hangs --- */

static void park_for_ever(void *argument)
{
    const struct body_thread *thread = argument;
    struct body *body = thread->body;

    (void)body->host->ops->park(body->host->context, body->parkers[thread->name - 'a'], VMR_NEVER);
}

static void wait_for_each_other(void *argument)
{
    struct body *body = argument;
    struct body_thread other = {body, 'b'}, self = {body, 'a'};

    if (body->host->ops->thread_start(body->host->context, "other", park_for_ever, &other, &body->threads[0]) == VMR_OK)
        park_for_ever(&self);
}

static void sleep_for_an_hour(void *argument)
{
    struct body *body = argument;

    (void)body->host->ops->park(body->host->context, body->parkers[0], OFFSET_NS);
    body->woke_at_ns = body->host->ops->now_ns(body->host->context);
}

static void turn_for_ever(void *argument)
{
    struct body *body = argument;

    for (;;)
        body->host->ops->schedule->point(body->host->context, body);
}

static void hangs_are_found(struct conf *conf)
{
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1, .step_max = 10000};
    struct vmr_host host;
    struct vmr_scheduler *scheduler = scheduler_of(conf, &options, &host);
    struct body body = {.host = &host};

    CONF_REQUIRE(conf, scheduler, "no scheduler");
    for (unsigned i = 0; i < 2; i++)
        CONF_CHECK_EQ(conf, host.ops->parker_create(host.context, &body.parkers[i]), VMR_OK, "a parker");
    if (!body.parkers[0] || !body.parkers[1]) {
        vmr_scheduler_destroy(scheduler);
        return;
    }
    CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, wait_for_each_other, &body), VMR_SCHEDULE_DEADLOCK,
                  "two that wait for each other");
    CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, turn_for_ever, &body), VMR_SCHEDULE_LIVELOCK,
                  "one that never ends");
    CONF_CHECK_EQ(conf, vmr_scheduler_run(scheduler, sleep_for_an_hour, &body), VMR_SCHEDULE_DONE,
                  "one that waits for an hour");
    CONF_CHECK_EQ(conf, body.woke_at_ns, OFFSET_NS, "virtual time after that hour");
    for (unsigned i = 0; i < 2; i++)
        host.ops->parker_destroy(host.context, body.parkers[i]);
    vmr_scheduler_destroy(scheduler);
}

static bool never_ready(void *event)
{
    (void)event;
    return false;
}

/* Outside a scheduler's run nobody can come to wake the caller: the library passes that on and does not hang. */
static void nobody_can_wake(struct conf *conf)
{
    CONF_PROGRAM(sleeps, VMR_HLT(), VMR_END());
    const struct vmr_scheduler_options options = {.mode = VMR_SCHEDULE_SEEDED, .seed = 1};
    struct vmr_host host;
    struct vmr_scheduler *scheduler = scheduler_of(conf, &options, &host);
    static const struct conf_vm_options no_chip = {.without_chip = true};
    struct conf inner = *conf;
    struct vmr_stop_source *stop = NULL;
    struct vmr_run_result result = {.reason = VMR_HALT_RESET};

    CONF_REQUIRE(conf, scheduler, "no scheduler");
    inner.host = &host;
    struct conf_vm *vm = vm_about_to_run(&inner, &no_chip, &sleeps);

    if (vm && vmr_stop_create(&host, &stop) == VMR_OK && conf->handle->irqchip == VMR_IRQCHIP_USER) {
        CONF_CHECK_EQ(conf, vmr_stop_wait(stop, vm->vps[0], never_ready, NULL), VMR_STOP_WAIT_DEADLOCK, "the wait");
        CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], stop, &vm->io, &result), VMR_E_DEADLOCK, "the run");
        CONF_CHECK_EQ(conf, result.reason, VMR_HALT_RESET, "the result of a run that failed");
        (void)vmr_partition_kick(vm->partition, 0);
        CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], stop, &vm->io, &result), VMR_OK, "the run after a kick");
        CONF_CHECK_EQ(conf, result.reason, VMR_HALT_CANCEL, "the reason");
    }
    conf_vm_destroy(vm);
    vmr_stop_destroy(stop);
    vmr_scheduler_destroy(scheduler);
}

static const struct conf_scenario scenarios[] = {
    {.name = "time_is_the_hosts",
     .family = "host",
     .clauses = "HOST-1",
     .chip = CONF_CHIP_ANY,
     .run = clock_is_the_hosts},
    {.name = "threads_are_the_hosts_and_may_run_out",
     .family = "host",
     .clauses = "HOST-1 SET-3",
     .chip = CONF_CHIP_ANY,
     .run = threads_are_the_hosts},
    {.name = "the_mock_opens_no_file_and_starts_no_thread",
     .family = "host",
     .clauses = "MOCK-1 SET-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = mock_needs_nothing},
    {.name = "one_seed_is_one_run",
     .family = "host",
     .ids = "MOCK-04",
     .clauses = "MOCK-2 HOST-2",
     .flags = CONF_NO_BACKEND,
     .run = same_seed},
    {.name = "a_search_tries_each_order_once",
     .family = "host",
     .clauses = "MOCK-2",
     .flags = CONF_NO_BACKEND,
     .run = each_order_once},
    {.name = "choices_can_be_had_again",
     .family = "host",
     .clauses = "MOCK-2 HOST-2",
     .flags = CONF_NO_BACKEND,
     .run = replayed_choices},
    {.name = "deadlocks_and_livelocks_are_found",
     .family = "host",
     .clauses = "MOCK-2 HOST-1",
     .flags = CONF_NO_BACKEND,
     .run = hangs_are_found},
    {.name = "a_wait_that_nobody_can_end_is_told",
     .family = "host",
     .clauses = "RUN-10 HOST-1",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_NONE,
     .run = nobody_can_wake},
};

CONF_FAMILY(host, scenarios);
