/* SPDX-License-Identifier: MIT */
/*
 * Events that are on their way into a VP are part of its state: what is written
 * there happens to the guest, and what other threads have asked for is there
 * once it was taken in.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/state_words.h"

#include <stdatomic.h>

#define VECTOR_NMI 2u
#define VECTOR 0x45u

static const struct vmr_state_id activity_id = {.state_class = VMR_VP_ACTIVITY};

static bool get_activity(struct conf_vm *vm, struct vmr_x86_activity_state *ret_state)
{
    union state_box box;

    if (!state_get(vm->conf, vm->vps[0], &activity_id, &box))
        return false;
    *ret_state = box.activity;
    return true;
}

static bool set_activity(struct conf_vm *vm, const struct vmr_x86_activity_state *state)
{
    const union state_box box = {.activity = *state};

    return state_set(vm->conf, vm->vps[0], &activity_id, &box);
}

/* Where a VP can take an event: its tables are set up once it has come so far. */
#define READY() VMR_RESET()

CONF_PROGRAM(takes_an_nmi, READY(), VMR_WAIT_VECTOR(VECTOR_NMI, 1), VMR_END());
CONF_PROGRAM(takes_none, READY(), VMR_NOP(), VMR_NOP(), VMR_READ_COUNT(0, VECTOR_NMI), VMR_EXPECT(0, 0), VMR_END());

static struct conf_vm *ready_vm(struct conf *conf, const struct conf_vm_options *options,
                                const struct vmr_program *program)
{
    struct conf_vm *vm = vm_about_to_run(conf, options, program);

    if (vm)
        expect_halt(vm, NULL, VMR_HALT_RESET);
    return vm;
}

static void a_pending_nmi_is_taken(struct conf *conf)
{
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, NULL, &takes_an_nmi);
    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    state.nmi_pending = true;
    CONF_REQUIRE(conf, set_activity(vm, &state) && conf_run_to_end(vm, 0), "the guest");
    CONF_CHECK(conf, get_activity(vm, &state) && !state.nmi_pending && !state.nmi_masked,
               "it is masked still, behind its handler");
}

static void a_masked_nmi_waits(struct conf *conf)
{
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, NULL, &takes_none);
    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    state.nmi_pending = state.nmi_masked = true;
    CONF_REQUIRE(conf, set_activity(vm, &state) && conf_run_to_end(vm, 0), "the guest");
    CONF_CHECK(conf, get_activity(vm, &state) && state.nmi_pending && state.nmi_masked, "it waits no more");
}

static void a_pending_nmi_can_be_taken_back(struct conf *conf)
{
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, NULL, &takes_none);
    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    state.nmi_pending = true;
    CONF_REQUIRE(conf, set_activity(vm, &state), "writing");
    state.nmi_pending = false;
    CONF_REQUIRE(conf, set_activity(vm, &state), "writing");
    (void)conf_run_to_end(vm, 0);
}

static void an_nmi_that_was_asked_for_is_state_once_flushed(struct conf *conf)
{
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, &(struct conf_vm_options){.without_chip = true}, &takes_an_nmi);
    CONF_REQUIRE(conf, vm && vmr_partition_nmi(vm->partition, 0) == VMR_OK, "no VM, or no NMI");
    CONF_CHECK_EQ(conf, vmr_vp_flush_async_requests(vm->vps[0]), VMR_OK, "flushing");
    CONF_REQUIRE(conf, get_activity(vm, &state), "reading");
    CONF_CHECK(conf, state.nmi_pending, "the NMI is not in the state");
    (void)conf_run_to_end(vm, 0);
}

static void an_interrupt_that_was_begun_is_taken(struct conf *conf)
{
    CONF_PROGRAM(takes_one, VMR_STI(), READY(), VMR_READ_COUNT(0, VECTOR), VMR_EXPECT(0, 1), VMR_END());
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, NULL, &takes_one); /* where interrupts are on */
    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    state.injected = (struct vmr_x86_event){.kind = VMR_X86_EVENT_INTERRUPT, .vector = VECTOR};
    CONF_REQUIRE(conf, set_activity(vm, &state) && get_activity(vm, &state), "writing");
    CONF_CHECK(conf, state.injected.kind == VMR_X86_EVENT_INTERRUPT && state.injected.vector == VECTOR,
               "it is not in the state");
    (void)conf_run_to_end(vm, 0);
}

static void a_shadow_is_state(struct conf *conf)
{
    struct conf_vm *vm;
    struct vmr_x86_activity_state state;

    if (!state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    vm = ready_vm(conf, NULL, &takes_none);
    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    CONF_CHECK_EQ(conf, state.shadow, 0, "the shadow at first");
    state.shadow = VMR_X86_SHADOW_STI;
    CONF_REQUIRE(conf, set_activity(vm, &state) && get_activity(vm, &state), "writing");
    CONF_CHECK_EQ(conf, state.shadow, VMR_X86_SHADOW_STI, "the shadow");
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0) && get_activity(vm, &state), "the guest");
    CONF_CHECK_EQ(conf, state.shadow, 0, "the shadow behind an instruction");
}

struct sleeper {
    struct conf_vm *vm;
    struct conf_latch seen; /* the run's thread has found the VP asleep */
};

static void makes_it_yield(void *argument)
{
    struct sleeper *sleeper = argument;

    if (!guest_word_wait(sleeper->vm, WORD_SEEN, 1))
        return;
    while (!atomic_load(&sleeper->seen.value) && !conf_over(sleeper->vm->conf)) {
        conf_pause(sleeper->vm->conf);
        (void)vmr_partition_request_yield(sleeper->vm->partition, 0);
    }
}

/* Runs VP 0 until it is found asleep between two runs. */
static bool run_to_sleep(struct sleeper *sleeper)
{
    struct vmr_x86_activity_state state = {0};
    struct vmr_run_result result;

    while (state.activity != VMR_ACTIVITY_HALTED) {
        if (!conf_run(sleeper->vm, 0, NULL, &result) || !get_activity(sleeper->vm, &state))
            return false;
    }
    return true;
}

/* The program goes on behind its HLT when the activity says that it runs, without any interrupt. */
static void a_sleeping_vp_can_be_made_to_run(struct conf *conf)
{
    CONF_PROGRAM(sleeps, VMR_STORE(WORD_SEEN, 4, 1), VMR_HLT(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());
    struct sleeper sleeper = {.vm = vm_about_to_run(conf, NULL, &sleeps)};
    struct vmr_x86_activity_state state;
    struct vmr_run_result result;

    CONF_REQUIRE(conf, sleeper.vm, "no VM");
    struct vmr_thread *thread = conf_thread(conf, makes_it_yield, &sleeper);

    CONF_REQUIRE(conf, thread, "no thread");
    CONF_CHECK(conf, run_to_sleep(&sleeper), "it does not sleep");
    conf_latch_set(&sleeper.seen);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, guest_word(sleeper.vm, WORD_PAST), 0, "behind HLT");
    CONF_REQUIRE(conf, get_activity(sleeper.vm, &state), "reading");
    state.activity = VMR_ACTIVITY_RUNNING;
    CONF_REQUIRE(conf, set_activity(sleeper.vm, &state), "writing");
    do
        CONF_REQUIRE(conf, conf_run(sleeper.vm, 0, NULL, &result), "the run");
    while (result.kind == VMR_RUN_YIELDED);
    CONF_CHECK_EQ(conf, guest_word(sleeper.vm, WORD_PAST), 1, "behind HLT");
}

/* Asleep in HLT, moved to another VM with its RAM, and woken there: it goes on behind the HLT, and only there. */
static void a_sleeping_vp_can_be_moved(struct conf *conf)
{
    CONF_PROGRAM(sleeps, VMR_STORE(WORD_SEEN, 4, 1), VMR_HLT(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());
    struct sleeper sleeper = {.vm = NULL};

    if (!state_is_held(conf, VMR_VP_REGISTERS) || !state_is_held(conf, VMR_VP_ACTIVITY))
        return;
    sleeper.vm = vm_about_to_run(conf, NULL, &sleeps);
    struct conf_vm *other = vm_about_to_run(conf, NULL, &sleeps);
    struct vmr_thread *thread = sleeper.vm && other ? conf_thread(conf, makes_it_yield, &sleeper) : NULL;
    union state_box box;

    CONF_REQUIRE(conf, thread, "no VMs, or no thread");
    CONF_CHECK(conf, run_to_sleep(&sleeper), "it does not sleep");
    conf_latch_set(&sleeper.seen);
    conf_join(conf, thread);
    for (vmr_gpa gpa = 0; gpa < VMR_PROGRAM_RAM_MIN; gpa += sizeof(box)) {
        size_t size = VMR_PROGRAM_RAM_MIN - gpa < sizeof(box) ? (size_t)(VMR_PROGRAM_RAM_MIN - gpa) : sizeof(box);

        CONF_REQUIRE(conf, vmr_memory_read(sleeper.vm->memory, gpa, &box, size) == VMR_OK, "RAM");
        CONF_REQUIRE(conf, vmr_memory_write(other->memory, gpa, &box, size) == VMR_OK, "RAM");
    }
    for (struct vmr_state_id id = {0}; vmr_vp_state_find(other->vps[0], &id); id.instance++) {
        CONF_REQUIRE(conf, state_get(conf, sleeper.vm->vps[0], &id, &box), "reading");
        if (id.state_class == VMR_VP_ACTIVITY)
            box.activity.activity = VMR_ACTIVITY_RUNNING; /* as whatever wakes it makes it */
        CONF_REQUIRE(conf, state_set(conf, other->vps[0], &id, &box), "moving");
    }
    CONF_CHECK(conf, conf_run_to_end(other, 0) && guest_word(other, WORD_PAST) == 1, "it did not go on");
}

#define TIMER_VECTOR 0x71u
#define APIC_TIMER_INITIAL (VMR_LAPIC_GPA + 0x380u)
#define APIC_TIMER_DIVIDE (VMR_LAPIC_GPA + 0x3e0u)

/* It is put to power-up, which stops it, and back. */
static void a_timer_that_runs_goes_on(struct conf *conf)
{
    APIC_PROGRAM(arms, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, 0xb),
                 VMR_STORE(APIC_LVT_TIMER, 4, TIMER_VECTOR), VMR_STORE(APIC_TIMER_INITIAL, 4, 20000000), READY(),
                 VMR_WAIT_VECTOR(TIMER_VECTOR, 1), VMR_END());
    const struct vmr_state_id id = {.state_class = VMR_VP_APIC};
    union state_box running, stopped;

    if (!state_is_held(conf, VMR_VP_APIC))
        return;
    struct conf_vm *vm = ready_vm(conf, NULL, &arms);

    CONF_REQUIRE(conf, vm && state_get(conf, vm->vps[0], &id, &running), "no VM");
    CONF_CHECK(conf, running.apic.timer_ns <= 20000000, "the timer runs for %llu ns",
               (unsigned long long)running.apic.timer_ns);
    memset(&stopped, 0, sizeof(stopped));
    vmr_vp_state_at_reset(vm->vps[0], &id, &stopped);
    CONF_REQUIRE(conf, state_set(conf, vm->vps[0], &id, &stopped) && state_set(conf, vm->vps[0], &id, &running),
                 "writing");
    (void)conf_run_to_end(vm, 0);
}

/* --- events that only some hold: on the mock --- */

struct event_row {
    const char *name;
    struct vmr_x86_event pending, injected;
    bool accepted;
};

static const struct event_row event_rows[] = {
    {"an exception with all it can have", .pending = {VMR_X86_EVENT_EXCEPTION, 14, true, true, 0x15, 0x7777},
     .accepted = true},
    {"an exception that was begun", .injected = {VMR_X86_EVENT_EXCEPTION, 13, true, false, 0x10, 0}, .accepted = true},
    {"an NMI that was begun", .injected = {VMR_X86_EVENT_NMI, 2, false, false, 0, 0}, .accepted = true},
    {"INT n that was begun", .injected = {VMR_X86_EVENT_SOFT_INTERRUPT, 0x80, false, false, 0, 0}, .accepted = true},
    {"an interrupt that was decided on", .pending = {VMR_X86_EVENT_INTERRUPT, 0x50, false, false, 0, 0}},
    {"an exception above 31", .pending = {VMR_X86_EVENT_EXCEPTION, 32, false, false, 0, 0}},
    {"an interrupt with an error code", .injected = {VMR_X86_EVENT_INTERRUPT, 0x50, true, false, 1, 0}},
    {"an error code that is not there", .pending = {VMR_X86_EVENT_EXCEPTION, 13, false, false, 5, 0}},
    {"a vector of nothing", .injected = {VMR_X86_EVENT_NONE, 1, false, false, 0, 0}},
    {"a kind that is none", .injected = {VMR_X86_EVENT_KIND_COUNT, 0, false, false, 0, 0}},
};

static void events_have_their_kinds(struct conf *conf)
{
    struct conf_vm *vm = ready_vm(conf, NULL, &takes_none);
    union state_box before, box, after;

    CONF_REQUIRE(conf, vm && state_get(conf, vm->vps[0], &activity_id, &before), "no VM");
    for (size_t i = 0; i < sizeof(event_rows) / sizeof(event_rows[0]); i++) {
        const struct event_row *row = &event_rows[i];

        box = before;
        box.activity.pending = row->pending;
        box.activity.injected = row->injected;
        enum vmr_status status = vmr_vp_state_set(vm->vps[0], &activity_id, &box, NULL);

        CONF_CHECK_EQ(conf, status, row->accepted ? VMR_OK : VMR_E_CONFIG, row->name);
        CONF_REQUIRE(conf, state_get(conf, vm->vps[0], &activity_id, &after), "reading");
        (void)state_is(conf, &activity_id, &after, row->accepted ? &box : &before, row->name);
        CONF_REQUIRE(conf, state_set(conf, vm->vps[0], &activity_id, &before), "writing");
    }
}

static void a_start_up_ipi_can_be_state(struct conf *conf)
{
    CONF_PROGRAM(starts, VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &starts);
    struct vmr_x86_activity_state state;

    CONF_REQUIRE(conf, vm && get_activity(vm, &state), "no VM");
    state.activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    state.sipi_pending = true;
    state.sipi_vector = VMR_PROGRAM_BASE >> 12;
    CONF_REQUIRE(conf, set_activity(vm, &state) && get_activity(vm, &state), "writing");
    CONF_CHECK(conf, state.sipi_pending && state.sipi_vector == VMR_PROGRAM_BASE >> 12, "it is not in the state");
    (void)conf_run_to_end(vm, 0);
}

/* --- the timer of a local APIC --- */

#define TIMER_ON(ticks)                                                                                                \
    VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1), VMR_STORE(APIC_LVT_TIMER, 4, VECTOR),                           \
        VMR_STORE(APIC_TIMER_INITIAL, 4, (ticks))

/* Runs to the guest's reset, lets time pass, and writes what it reads of the local APIC. */
static struct conf_vm *rewritten(struct conf *conf, const struct vmr_program *program)
{
    const struct vmr_state_id id = {.state_class = VMR_VP_APIC};
    const struct vmr_host *host = conf->host;
    union state_box box, again;

    if (!state_is_held(conf, VMR_VP_APIC))
        return NULL;
    struct conf_vm *vm = ready_vm(conf, NULL, program);
    uint64_t until_ns = host->ops->now_ns(host->context) + UINT64_C(20000000);

    while (vm && host->ops->now_ns(host->context) < until_ns && !conf_over(conf))
        conf_pause(conf);
    if (!vm || !state_get(conf, vm->vps[0], &id, &box) || !state_set(conf, vm->vps[0], &id, &box) ||
        !state_get(conf, vm->vps[0], &id, &again))
        return NULL;
    (void)state_is(conf, &id, &again, &box, "written back");
    return vm;
}

static void a_timer_that_has_fired_is_over(struct conf *conf)
{
    APIC_PROGRAM(fired, VMR_EOI_XAPIC, APIC_ON(), TIMER_ON(1000), VMR_WAIT_VECTOR(VECTOR, 1), READY(), OPEN(1), OPEN(2),
                 EXPECT_COUNT(VECTOR, 1), VMR_END());
    struct conf_vm *vm = rewritten(conf, &fired);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

/* Between runs: nobody has seen that it ran out. */
static void a_timer_that_ran_out_fires_once(struct conf *conf)
{
    APIC_PROGRAM(runs_out, VMR_EOI_XAPIC, APIC_ON(), TIMER_ON(5000000), READY(), OPEN(1), OPEN(2),
                 EXPECT_COUNT(VECTOR, 1), VMR_END());
    struct conf_vm *vm = rewritten(conf, &runs_out);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

static void a_timer_that_ran_out_in_sleep_fires_once(struct conf *conf)
{
    APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, APIC_ON(), TIMER_ON(5000000), READY(), VMR_WAIT_VECTOR(VECTOR, 1), OPEN(1),
                 EXPECT_COUNT(VECTOR, 1), VMR_END());
    struct conf_vm *vm = rewritten(conf, &sleeps);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_pending_nmi_is_taken",
     .family = "state_events",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = a_pending_nmi_is_taken},
    {.name = "a_masked_nmi_waits",
     .family = "state_events",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = a_masked_nmi_waits},
    {.name = "a_pending_nmi_can_be_taken_back",
     .family = "state_events",
     .clauses = "STATE-4",
     .chip = CONF_CHIP_ANY,
     .run = a_pending_nmi_can_be_taken_back},
    {.name = "an_nmi_that_was_asked_for_is_state_once_flushed",
     .family = "state_events",
     .clauses = "SNAP-9",
     .chip = CONF_CHIP_ANY,
     .run = an_nmi_that_was_asked_for_is_state_once_flushed},
    {.name = "an_interrupt_that_was_begun_is_taken",
     .family = "state_events",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = an_interrupt_that_was_begun_is_taken},
    {.name = "a_shadow_is_state",
     .family = "state_events",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = a_shadow_is_state},
    {.name = "a_sleeping_vp_can_be_made_to_run",
     .family = "state_events",
     .clauses = "STATE-1",
     .chip = CONF_CHIP_ANY,
     .run = a_sleeping_vp_can_be_made_to_run},
    {.name = "a_timer_that_runs_goes_on",
     .family = "state_events",
     .clauses = "STATE-1 STATE-4",
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_timer_that_runs_goes_on},
    {.name = "a_sleeping_vp_can_be_moved",
     .family = "state_events",
     .ids = "SNAP-01",
     .clauses = "STATE-1 STATE-4",
     .needs = CONF_CAP(MULTI_VM),
     .chip = CONF_CHIP_ANY,
     .run = a_sleeping_vp_can_be_moved},
    {.name = "events_have_their_kinds",
     .family = "state_events",
     .clauses = "STATE-1 STATE-4",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = events_have_their_kinds},
    {.name = "a_start_up_ipi_can_be_state",
     .family = "state_events",
     .clauses = "STATE-1",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_start_up_ipi_can_be_state},
    {.name = "a_timer_that_has_fired_is_over",
     .family = "state_events",
     .clauses = "STATE-6",
     .quirks = CONF_QUIRK_TIMER_AGAIN,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_timer_that_has_fired_is_over},
    {.name = "a_timer_that_ran_out_fires_once",
     .family = "state_events",
     .clauses = "STATE-6",
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_timer_that_ran_out_fires_once},
    {.name = "a_timer_that_ran_out_in_sleep_fires_once",
     .family = "state_events",
     .clauses = "STATE-6",
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = a_timer_that_ran_out_in_sleep_fires_once},
};
CONF_FAMILY(state_events, scenarios);
