/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor serves a part of the Hyper-V interface itself: the guest
 * sees the same as everywhere, and the library sees less.
 */

#include "conformance/scenarios/synic_words.h"

#define EVENTS 0x31u
#define MESSAGES 0x32u

/* What left the guest. */
struct leaks {
    unsigned calls;      /* hypercalls */
    unsigned time_reads; /* of the counter */
    unsigned timer_writes;
    uint64_t call; /* the last one's input value */
};

static enum vmr_exit_action note_leak(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                      enum vmr_halt_reason *ret_reason)
{
    struct leaks *leaks = context;

    (void)vp;
    (void)ret_reason;
    if (vp_exit->kind == VMR_EXIT_HYPERCALL) {
        leaks->calls++;
        leaks->call = vp_exit->u.hypercall.number;
    } else if (vp_exit->kind == VMR_EXIT_MSR) {
        leaks->time_reads += vp_exit->u.msr.index == HV_MSR_TIME_REF_COUNT;
        leaks->timer_writes += vp_exit->u.msr.index == HV_MSR_STIMER0_COUNT;
    }
    return VMR_EXIT_DEFAULT;
}

static enum hv_status count_call(void *context, struct vmr_hv_call *call)
{
    (void)call;
    ++*(unsigned *)context;
    return HV_STATUS_NO_RESOURCES;
}

/* A VM with the interface whose exits are noted. NULL: failed. */
static struct conf_vm *watched_vm(struct conf *conf, const struct vmr_hv_config *config,
                                  const struct vmr_program *program, struct leaks *leaks)
{
    const struct conf_vm_options options = {.hv = config, .io = {.exit = note_leak, .context = leaks}};

    return vm_about_to_run(conf, &options, program);
}

/* The whole of the interface is there for the guest, as it is without. */
static void the_interface_says_that_it_is_offloaded(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_CPUID(HV_CPUID_INTERFACE, 0), VMR_EXPECT(0, HV_CPUID_INTERFACE_HV1),
                 VMR_CPUID(HV_CPUID_FEATURES, 0), VMR_EXPECT_MASK(0, HV_ACCESS_SYNIC, HV_ACCESS_SYNIC),
                 VMR_EXPECT_MASK(0, HV_ACCESS_SYNTHETIC_TIMERS, HV_ACCESS_SYNTHETIC_TIMERS),
                 VMR_EXPECT_MASK(0, HV_ACCESS_REFERENCE_COUNTER, HV_ACCESS_REFERENCE_COUNTER),
                 VMR_EXPECT_MASK(1, HV_POST_MESSAGES >> 32, HV_POST_MESSAGES >> 32),
                 VMR_EXPECT_MASK(1, HV_SIGNAL_EVENTS >> 32, HV_SIGNAL_EVENTS >> 32), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_hv_guest_is_offloaded(vmr_partition_hv(vm->partition)), "the capability, and all is here");
    CONF_CHECK(conf, !conf->host->ops->events || vmr_synic_prefers_os_events(synic_of(vm)), "events are not preferred");
    (void)conf_run_to_end(vm, 0);
}

/* IPIs are among what KVM serves; with an interface of the library's they reach the handler that is there. */
static void who_does_not_ask_is_served_by_the_library(struct conf *conf)
{
    struct leaks leaks = {0};
    unsigned calls = 0;
    const struct vmr_hv_call_handler handler = {count_call, &calls};
    const struct conf_vm_options options = {
        .hv = &hv_all, .hv_in_library = true, .io = {.exit = note_leak, .context = &leaks}};
    CONF_PROGRAM(program, HV_OPEN(), VMR_RDMSR(6, HV_MSR_TIME_REF_COUNT), HV_NO_FAULT(),
                 VMR_WRMSR(HV_MSR_STIMER0_COUNT, 0), VMR_SET(0, 0x55), VMR_SET(1, 1),
                 VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI | HV_CONTROL_FAST), HV_NO_FAULT(),
                 VMR_EXPECT(6, HV_STATUS_NO_RESOURCES), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_hv_guest *guest = vmr_partition_hv(vm->partition);

    CONF_CHECK(conf, !vmr_hv_guest_is_offloaded(guest), "nobody asked for it");
    CONF_REQUIRE(conf,
                 vmr_hv_calls_set(vmr_hv_guest_calls(guest), HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI, &handler) == VMR_OK,
                 "the handler is refused");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, calls, 1, "calls that reached the handler");
    CONF_CHECK(conf, leaks.time_reads == 1 && leaks.timer_writes == 1, "the counter or the timer is not here");
}

static void a_bound_signal_leaves_no_exit(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    struct ears ears = {0};
    struct leaks leaks = {0};
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};
    int fd;
    CONF_PROGRAM(program, HV_OPEN(), EXPECT_SIGNAL(EVENTS, 0, 0), EXPECT_SIGNAL(EVENTS, 0, 0), VMR_END());

    if (!host->ops->events) {
        conf_skip(conf, "this host has no events");
        return;
    }
    struct conf_vm *vm = watched_vm(conf, &hv_all, &program, &leaks);

    CONF_REQUIRE(conf, vm && host->ops->events->create(host->context, &fd) == VMR_OK, "no VM or no event");
    const struct vmr_event_port port = {
        .connection_id = EVENTS, .has_os_event = true, .os_event = fd, .signal = hear_signal, .context = &ears};

    CONF_CHECK(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handle, &err) == VMR_OK, "%s", err.message);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, host->ops->events->take(host->context, fd), "the event was not signalled");
    CONF_CHECK_EQ(conf, leaks.calls + ears.signals, 0, "signals that came here");
    vmr_synic_port_remove(handle);
    host->ops->events->destroy(host->context, fd);
}

/* What the hypervisor has no port for comes here as a hypercall, in each form. */
static void posts_and_unbound_signals_come_here(struct conf *conf)
{
    struct ears ears = {0};
    struct leaks leaks = {0};
    CONF_PROGRAM(program, HV_OPEN(), EXPECT_POST(MESSAGES, 8, 0), EXPECT_SIGNAL(EVENTS, 5, 0),
                 VMR_STORE(HV_INPUT, 8, EVENTS | UINT64_C(6) << 32),
                 HV_EXPECT_CALL(HV_CALL_SIGNAL_EVENT, HV_INPUT, 0, 0), VMR_END());
    struct conf_vm *vm = watched_vm(conf, &hv_all, &program, &leaks);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic_port *messages = listen_for_posts(vm, MESSAGES, 0, &ears);
    struct vmr_synic_port *events = listen_for_signals(vm, EVENTS, 0, &ears);

    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.signals, 2, "signals");
    CONF_CHECK_EQ(conf, ears.flag, 6, "the flag in memory");
    CONF_CHECK_EQ(conf, leaks.calls, 3, "hypercalls that came here");
    CONF_CHECK_EQ(conf, leaks.call, HV_CALL_SIGNAL_EVENT, "the last one's input value");
    vmr_synic_port_remove(messages);
    vmr_synic_port_remove(events);
}

static void the_time_and_a_timer_leave_no_exit(struct conf *conf)
{
    struct leaks leaks = {0};
    CONF_PROGRAM(program, SYNIC_ON(SINT, V),
                 VMR_WRMSR(HV_MSR_STIMER0_CONFIG, HV_STIMER_AUTO_ENABLE | UINT64_C(2) << HV_STIMER_SINT_SHIFT),
                 VMR_RDMSR(5, HV_MSR_TIME_REF_COUNT), VMR_WRMSR(HV_MSR_STIMER0_COUNT, 1), EXPECT_TAKEN(1, V, 1),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), VMR_END());
    struct conf_vm *vm = watched_vm(conf, &hv_all, &program, &leaks);

    CONF_REQUIRE(conf, vm, "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, leaks.time_reads, 0, "readings of the time that came here");
    CONF_CHECK_EQ(conf, leaks.timer_writes, 0, "writes of the timer's count that came here");
}

/* The hypervisor goes by what the guest is offered: what is off is refused here, where its MSRs come then. */
static void what_is_off_is_off_in_the_hypervisor(struct conf *conf)
{
    const struct vmr_hv_config config = {.privileges_off = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNTHETIC_TIMERS |
                                                           HV_SIGNAL_EVENTS};
    struct leaks leaks = {0};
    CONF_PROGRAM(program, HV_OPEN(), VMR_RDMSR(6, HV_MSR_TIME_REF_COUNT), HV_FAULT(),
                 HV_REFUSED_MSR(HV_MSR_STIMER0_COUNT, 1), EXPECT_SIGNAL(EVENTS, 0, HV_STATUS_ACCESS_DENIED), VMR_END());
    struct conf_vm *vm = watched_vm(conf, &config, &program, &leaks);

    CONF_REQUIRE(conf, vm, "no VM");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, leaks.time_reads, 1, "readings of the time that came here");
    CONF_CHECK_EQ(conf, leaks.timer_writes, 1, "writes of the timer's count that came here");
}

/* A message waits for the slot that the hypervisor's timer has filled; EOM brings it, with no other event. */
static void post_behind_a_timer(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        post_to(vm, SINT, 0x77);
}

static void messages_and_the_hypervisors_timers_share_a_slot(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, SYNIC_ON(SINT, V),
                 VMR_WRMSR(HV_MSR_STIMER0_CONFIG, HV_STIMER_AUTO_ENABLE | UINT64_C(2) << HV_STIMER_SINT_SHIFT),
                 VMR_WRMSR(HV_MSR_STIMER0_COUNT, 1), EXPECT_TAKEN(3, V, 1),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), VMR_CHECKPOINT(1), EXPECT_MARK(SINT, 1),
                 FREE_SLOT(SINT), EOM(), EXPECT_TAKEN(4, V, 2), EXPECT_MESSAGE(SINT, HV_MESSAGE_TYPE_VMBUS, 0x77),
                 VMR_WRMSR(HV_MSR_STIMER0_COUNT, 1), FREE_SLOT(SINT), EOM(), EXPECT_TAKEN(5, V, 3),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), VMR_END());

    synic_run(conf, &program, post_behind_a_timer);
}

/* --- what the hypervisor is told --- */

#define UNITS_PER_MS UINT64_C(10000)
#define SET_TIME (UINT64_C(1) << 40)
#define TIMER_ON (HV_STIMER_ENABLE | UINT64_C(2) << HV_STIMER_SINT_SHIFT)

static uint64_t word_of(const struct conf_vm *vm, unsigned n)
{
    uint64_t word = 0;

    CONF_CHECK(vm->conf, vmr_memory_read(vm->memory, WORD(n), &word, sizeof(word)) == VMR_OK, "no word %u", n);
    return word;
}

#define KEEP_TIME(n) VMR_RDMSR(5, HV_MSR_TIME_REF_COUNT), VMR_STORE_VAR(WORD(n), 8, 5)

/* While its VPs are stopped a partition's time can stand still, and be set: the guest has no other clock for it. */
static void time_is_put_back_and_set(struct conf *conf)
{
    CONF_PROGRAM(program, KEEP_TIME(0), VMR_POWER_OFF(), KEEP_TIME(1), VMR_POWER_OFF(), KEEP_TIME(2), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic *synic = synic_of(vm);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_set(synic, SET_TIME);
    vmr_synic_time_pause(synic);
    uint64_t paused = vmr_synic_time(synic);

    for (unsigned i = 0; i < 8; i++)
        conf_pause(conf);
    CONF_CHECK_EQ(conf, vmr_synic_time(synic), paused, "a time that stands still");
    vmr_synic_time_resume(synic);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    CONF_CHECK(conf, word_of(vm, 0) < SET_TIME && paused >= SET_TIME, "the time was not set");
    CONF_CHECK(conf, word_of(vm, 1) >= paused, "the guest's time is behind");
    vmr_synic_time_pause(synic);
    vmr_synic_time_set(synic, 2 * SET_TIME);
    CONF_CHECK_EQ(conf, vmr_synic_time(synic), 2 * SET_TIME, "a time that is set while it stands");
    vmr_synic_time_resume(synic);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    CONF_CHECK(conf, word_of(vm, 2) >= 2 * SET_TIME, "the guest's time is not what was set");
}

static void a_timer_hears_of_a_jump_of_the_time(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_STIMER0_COUNT, SET_TIME),
                 VMR_WRMSR(HV_MSR_STIMER0_CONFIG, TIMER_ON), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED),
                 HV_EXPECT_MSR(HV_MSR_STIMER0_CONFIG, TIMER_ON - 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_set(synic_of(vm), SET_TIME + 1);
    (void)conf_run_to_end(vm, 0);
}

static void a_timer_for_a_page_that_is_off_comes_when_it_is_on(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SINT0 + SINT, V),
                 VMR_WRMSR(HV_MSR_STIMER0_COUNT, 1), VMR_WRMSR(HV_MSR_STIMER0_CONFIG, TIMER_ON), VMR_CHECKPOINT(1),
                 VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), VMR_END());

    synic_run(conf, &program, NULL);
}

static void a_reset_reaches_the_hypervisor(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, HV_OPEN(), SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_STIMER0_COUNT, SET_TIME),
                 VMR_WRMSR(HV_MSR_STIMER0_CONFIG, TIMER_ON), VMR_POWER_OFF(), HV_EXPECT_MSR(HV_MSR_STIMER0_CONFIG, 0),
                 HV_EXPECT_MSR(HV_MSR_STIMER0_COUNT, 0), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1), EXPECT_EMPTY(SINT), EXPECT_COUNT(V, 0),
                 VMR_SET(0, EVENTS), VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST), VMR_END());
    struct ears ears = {0};
    struct conf_vm *vm = synic_vm(conf, 1, &program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic_port *events = listen_for_signals(vm, EVENTS, 0, &ears);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_set(synic_of(vm), SET_TIME + 1);
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, ears.signals, 0, "signals through a page that a reset has closed");
    vmr_synic_port_remove(events);
}

/* Such a port would be one that nobody can signal. */
static void an_id_that_cannot_be_signalled_is_refused(struct conf *conf)
{
    struct ears ears = {0};
    const struct vmr_event_port port = {.connection_id = UINT32_MAX, .signal = hear_signal, .context = &ears};
    CONF_PROGRAM(program, HV_OPEN(), EXPECT_SIGNAL(UINT32_MAX, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 EXPECT_SIGNAL(EVENTS, 0, HV_STATUS_INVALID_CONNECTION_ID), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &program, NULL);
    struct vmr_synic_port *handle = NULL;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_synic_event_port_add(synic_of(vm), &port, &handle, &err) == VMR_E_UNSUPPORTED,
               "the port is accepted");
    (void)conf_run_to_end(vm, 0);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "hv-offload", .needs = HV_NEEDS | CONF_CAP(HV_OFFLOAD), .chip = CONF_CHIP_ANY,        \
    .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(the_interface_says_that_it_is_offloaded), .clauses = "HVO-1"},
    {SCENARIO(who_does_not_ask_is_served_by_the_library), .clauses = "HVO-5"},
    {SCENARIO(what_is_off_is_off_in_the_hypervisor), .clauses = "HVO-1 HV-2"},
    {SCENARIO(a_bound_signal_leaves_no_exit), .clauses = "HVO-2 PORT-9"},
    {SCENARIO(the_time_and_a_timer_leave_no_exit), .clauses = "HVO-2"},
    {SCENARIO(posts_and_unbound_signals_come_here), .clauses = "HVO-3 HC-1 HC-3"},
    {SCENARIO(messages_and_the_hypervisors_timers_share_a_slot), .clauses = "HVO-3 SYN-3"},
    {SCENARIO(time_is_put_back_and_set), .clauses = "HVO-4"},
    {SCENARIO(a_timer_hears_of_a_jump_of_the_time), .clauses = "HVO-4"},
    {SCENARIO(a_timer_for_a_page_that_is_off_comes_when_it_is_on), .clauses = "HVO-4"},
    {SCENARIO(a_reset_reaches_the_hypervisor), .clauses = "HVO-4 HC-4 STM-7"},
    {SCENARIO(an_id_that_cannot_be_signalled_is_refused), .clauses = "HVO-3 PORT-1"},
};

CONF_FAMILY(hv_offload, scenarios);
