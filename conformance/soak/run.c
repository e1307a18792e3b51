/* SPDX-License-Identifier: MIT */
/*
 * A composition, and its model: of each request it is known how often it is to
 * be answered, of each guest which number it writes next, and of a set that is
 * stopped that nobody in it moves. The model shares no code with the library.
 */

#include <stdatomic.h>
#include <string.h>

#include "conformance/scenarios/guest_words.h"
#include "conformance/soak/compose.h"
#include "conformance/soak/words.h"
#include "vmrig/vp_set.h"

struct member {
    struct soak *soak;
    vmr_vp_index vp;
    struct conf_device device;
    uint32_t next; /* the number its guest writes next; the VP's thread */
    struct vmr_thread *thread;
    _Atomic(struct vmr_stop_source *) stop;
    _Atomic uint32_t kicks, yields, stops;        /* asked for: each of its own run */
    _Atomic uint32_t cancelled, yielded, stopped; /* runs that ended so */
    _Atomic uint32_t ended;
};

struct soak {
    struct conf *conf;
    const struct soak_composition *composition;
    struct conf_vm *vm;
    struct vmr_vp_set *set;
    bool set_runs;
    struct member members[SOAK_VPS_MAX];
};

/* --- the guest's numbers --- */

static void on_access(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct member *member = device->user;
    uint32_t number = write && device->writes > 0 ? (uint32_t)device->written[(device->writes - 1) % 64] : 0;

    if (!write || access->offset != 0)
        return;
    member->next++;
    /* The device keeps its first values: behind those the last write says nothing any more. */
    if (device->writes <= 64)
        CONF_CHECK(member->soak->conf, number == member->next, "VP %u wrote %u, and %u was next", member->vp, number,
                   member->next);
}

static bool claim(struct soak *soak, struct member *member)
{
    member->device = (struct conf_device){.on_access = on_access, .user = member, .answer = 0x77};
    return conf_device_claim(soak->vm, soak->vm->ports, SOAK_PORT(member->vp), 8, VMR_SIZE_1 | VMR_SIZE_4,
                             &member->device);
}

/* --- VPs that are run in a loop --- */

static void count_outcome(struct member *member, const struct vmr_run_result *result)
{
    struct conf *conf = member->soak->conf;

    if (result->kind == VMR_RUN_YIELDED) {
        uint32_t yielded = atomic_fetch_add(&member->yielded, 1) + 1;

        CONF_CHECK(conf, yielded <= atomic_load(&member->yields), "VP %u yields, and nobody asked", member->vp);
    } else if (result->reason == VMR_HALT_CANCEL) {
        uint32_t cancelled = atomic_fetch_add(&member->cancelled, 1) + 1;

        CONF_CHECK(conf, cancelled <= atomic_load(&member->kicks), "VP %u is kicked out, and nobody asked", member->vp);
    } else if (result->reason == VMR_HALT_STOP) {
        uint32_t stopped = atomic_load(&member->stopped) + 1;

        CONF_CHECK(conf, stopped == atomic_load(&member->stops), "VP %u is stopped, and nobody asked", member->vp);
        atomic_store(&member->stopped, stopped);
    } else {
        CONF_CHECK(conf, result->reason == VMR_HALT_POWER_OFF, "VP %u: %s", member->vp, outcome_name(result));
        atomic_store(&member->ended, 1);
    }
}

/* A stop source is of one stop: who stops puts the next one there first. */
static void live(void *argument)
{
    struct member *member = argument;
    struct conf_vm *vm = member->soak->vm;
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};

    if (!conf_bind(vm, member->vp))
        atomic_store(&member->ended, 1);
    while (!atomic_load(&member->ended) && !conf_over(member->soak->conf)) {
        struct vmr_stop_source *stop = atomic_load(&member->stop);

        if (!conf_run(vm, member->vp, stop, &result))
            break;
        count_outcome(member, &result);
        /* Whoever stopped it lets it go on, with another source. */
        while (result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_STOP && atomic_load(&member->stop) == stop &&
               !conf_over(member->soak->conf))
            conf_pause(member->soak->conf);
    }
    atomic_store(&member->ended, 1);
    conf_unbind(vm, member->vp);
}

static bool is_answered(void *argument)
{
    const struct member *member = argument;

    return conf_failed(member->soak->conf) || atomic_load(&member->ended) ||
           (atomic_load(&member->yielded) == atomic_load(&member->yields) &&
            atomic_load(&member->cancelled) == atomic_load(&member->kicks) &&
            atomic_load(&member->stopped) == atomic_load(&member->stops));
}

static void await_answers(struct soak *soak)
{
    for (uint32_t i = 0; i < soak->composition->vps && !soak->set; i++)
        (void)conf_wait(soak->conf, is_answered, &soak->members[i], "what was asked of a VP");
}

/* --- what the host does --- */

/* Counted before it can be answered, and taken back if it was one with another. */
static void kick(struct soak *soak, struct member *member)
{
    (void)atomic_fetch_add(&member->kicks, 1);
    if (vmr_partition_kick(soak->vm->partition, member->vp) == VMR_KICK_COALESCED)
        (void)atomic_fetch_sub(&member->kicks, 1);
}

static void yield_vp(struct soak *soak, struct member *member)
{
    (void)atomic_fetch_add(&member->yields, 1);
    if (!vmr_partition_request_yield(soak->vm->partition, member->vp))
        (void)atomic_fetch_sub(&member->yields, 1);
}

static bool is_stopped(void *argument)
{
    const struct member *member = argument;

    return conf_failed(member->soak->conf) || atomic_load(&member->stopped) == atomic_load(&member->stops);
}

static void destroy_stop(void *stop)
{
    vmr_stop_destroy(stop);
}

static void stop_loop(struct soak *soak, struct member *member)
{
    struct vmr_stop_source *now = atomic_load(&member->stop), *next = NULL;

    if (vmr_stop_create(soak->conf->host, &next))
        return;
    (void)atomic_fetch_add(&member->stops, 1);
    vmr_stop_set(now);
    (void)conf_wait(soak->conf, is_stopped, member, "a VP to stop");
    atomic_store(&member->stop, next);
    /* The VP looks at the old one until it has seen the new one. */
    (void)conf_defer(soak->conf, destroy_stop, now);
}

static uint64_t steps_of(struct soak *soak)
{
    struct vmr_mock *mock = conf_mock(soak->vm);
    uint64_t steps = 0;

    for (uint32_t i = 0; mock && i < soak->composition->vps; i++)
        steps += vmr_mock_steps(mock, i);
    return steps;
}

/* While it is stopped nobody moves, however long one waits. */
static void stop_set(struct soak *soak, uint32_t amount)
{
    struct conf *conf = soak->conf;

    CONF_CHECK_EQ(conf, vmr_vp_set_stop(soak->set), VMR_OK, "stopping the set");
    uint64_t steps = steps_of(soak);

    for (uint32_t i = 0; i < amount; i++)
        conf_pause(conf);
    CONF_CHECK_EQ(conf, steps_of(soak), steps, "steps in a set that is stopped");
    CONF_CHECK_EQ(conf, vmr_vp_set_start(soak->set), VMR_OK, "starting the set");
}

static enum vmr_status read_and_write_back(void *argument, struct vmr_vp *vp)
{
    struct vmr_x86_regs regs;
    enum vmr_status status = vmr_vp_get_regs(vp, &regs);

    (void)argument;
    return status ? status : vmr_vp_set_regs(vp, &regs);
}

static void come_and_go(struct soak *soak)
{
    const struct vmr_memory_region region = {.gpa = SOAK_REGION_GPA, .size = 2 * VMR_PAGE_SIZE};
    struct conf *conf = soak->conf;

    CONF_CHECK_EQ(conf, vmr_memory_region_add(soak->vm->memory, &region, NULL), VMR_OK, "a region");
    guest_word_set(soak->vm, SOAK_REGION_GPA + VMR_PAGE_SIZE, 0x1234);
    CONF_CHECK_EQ(conf, guest_word(soak->vm, SOAK_REGION_GPA + VMR_PAGE_SIZE), 0x1234, "what is in it");
    CONF_CHECK_EQ(conf, vmr_memory_region_remove(soak->vm->memory, SOAK_REGION_GPA, NULL), VMR_OK, "its end");
}

/* One branch for each kind. */
static void act(struct soak *soak, const struct soak_op *op)
{
    struct member *member = &soak->members[op->vp];
    struct conf_vm *vm = soak->vm;

    switch (op->kind) {
    case SOAK_KICK:
        if (!soak->set)
            kick(soak, member);
        break;
    case SOAK_YIELD:
        if (!soak->set)
            yield_vp(soak, member);
        break;
    case SOAK_STOP:
        if (soak->set)
            stop_set(soak, op->amount);
        else
            stop_loop(soak, member);
        break;
    case SOAK_BURST:
        for (uint32_t i = 0; i < op->amount && !soak->set; i++) {
            kick(soak, member);
            yield_vp(soak, member);
        }
        break;
    case SOAK_REGION:
        come_and_go(soak);
        break;
    case SOAK_READ:
        (void)guest_word(vm, SOAK_WORD(op->vp));
        break;
    case SOAK_WRITE:
        guest_word_set(vm, SOAK_WORD(op->vp), op->amount);
        break;
    case SOAK_NMI:
        CONF_CHECK_EQ(soak->conf, vmr_partition_nmi(vm->partition, op->vp), VMR_OK, "an NMI");
        break;
    case SOAK_PAUSE:
        for (uint32_t i = 0; i < op->amount; i++)
            conf_pause(soak->conf);
        break;
    case SOAK_CALL:
        CONF_CHECK_EQ(soak->conf, vmr_vp_set_call(soak->set, op->vp, read_and_write_back, NULL), VMR_OK, "a call");
        break;
    case SOAK_OP_KINDS:
    default:
        break;
    }
}

/* --- from beginning to end --- */

static bool begin(struct soak *soak)
{
    const struct soak_composition *composition = soak->composition;
    struct vmr_vp_set_options options = {.prepare = conf_prepare};
    struct vmr_error err = {.message = ""};

    soak->vm = conf_vm_create(soak->conf, &(struct conf_vm_options){.vps = composition->vps, .without_chip = true});
    for (uint32_t i = 0; soak->vm && i < composition->vps; i++) {
        struct member *member = &soak->members[i];

        *member = (struct member){.soak = soak, .vp = i};
        if (!conf_load(soak->vm, i, &composition->programs[i]) || !claim(soak, member))
            return false;
    }
    if (!soak->vm || !composition->in_set)
        return soak->vm != NULL;
    options.io = &soak->vm->io;
    options.context = soak->vm;
    CONF_CHECK(soak->conf, vmr_vp_set_create(soak->vm->partition, &options, &soak->set, &err) == VMR_OK, "the set: %s",
               err.message);
    return soak->set != NULL;
}

static bool set_off(struct soak *soak)
{
    if (soak->set)
        return vmr_vp_set_start(soak->set) == VMR_OK;
    for (uint32_t i = 0; i < soak->composition->vps; i++) {
        struct member *member = &soak->members[i];
        struct vmr_stop_source *stop = NULL;

        if (vmr_stop_create(soak->conf->host, &stop))
            return false;
        atomic_store(&member->stop, stop);
        member->thread = conf_thread(soak->conf, live, member);
        if (!member->thread)
            return false;
    }
    return true;
}

/* VPs stopped. Several may have ended at once: the set tells of the first alone. */
static bool all_ended(const struct soak *soak)
{
    for (uint32_t i = 0; i < soak->composition->vps; i++) {
        if (!soak->vm->reports[i].ended)
            return false;
    }
    return true;
}

/* The guests end, and so must everybody. */
static void finish(struct soak *soak)
{
    struct conf *conf = soak->conf;
    struct vmr_vp_set_halt halt = {.vp = 0};

    guest_word_set(soak->vm, WORD_GO, 1);
    while (soak->set && !all_ended(soak) && !conf_failed(conf)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_wait(soak->set, VMR_NEVER, &halt), VMR_OK, "waiting for a guest's end");
        CONF_CHECK(conf, halt.result.reason == VMR_HALT_POWER_OFF, "VP %u: %s", halt.vp, outcome_name(&halt.result));
        CONF_CHECK_EQ(conf, vmr_vp_set_stop(soak->set), VMR_OK, "stopping the set at an end");
        if (!all_ended(soak))
            CONF_CHECK_EQ(conf, vmr_vp_set_start(soak->set), VMR_OK, "starting the rest");
    }
    for (uint32_t i = 0; i < soak->composition->vps; i++) {
        struct member *member = &soak->members[i];

        if (member->thread)
            conf_join(conf, member->thread);
        CONF_CHECK(conf, conf_failed(conf) || soak->vm->reports[i].ended, "the guest of VP %u did not end", i);
        CONF_CHECK(conf, !soak->vm->reports[i].mismatch, "the guest of VP %u saw what it did not expect", i);
        vmr_stop_destroy(atomic_load(&member->stop));
    }
}

void soak_run(struct conf *conf, const struct soak_composition *composition, uint32_t left_out)
{
    struct soak soak = {.conf = conf, .composition = composition};
    struct vmr_hypervisor_handle handle = *conf->handle;

    if (composition->spurious)
        CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_SPURIOUS_CANCEL, composition->spurious), VMR_OK,
                      "the spurious cancel");
    if (composition->delayed)
        CONF_CHECK_EQ(conf, vmr_mock_set_fault(&handle, VMR_MOCK_DELAY_STEP, composition->delayed), VMR_OK,
                      "the delay");
    if (!begin(&soak) || !set_off(&soak))
        return;
    for (uint32_t i = 0; i < composition->op_count && !conf_failed(conf); i++) {
        if ((left_out >> i & 1u) == 0)
            act(&soak, &composition->ops[i]);
        if (composition->ops[i].kind != SOAK_BURST)
            await_answers(&soak);
    }
    await_answers(&soak);
    finish(&soak);
    vmr_vp_set_destroy(soak.set);
    conf_vm_destroy(soak.vm);
}
