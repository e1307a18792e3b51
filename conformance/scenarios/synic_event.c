/* SPDX-License-Identifier: MIT */
/*
 * Event flags from the host to a SINT: where a flag is, when it raises its
 * vector, and when it is lost (TLFS, SynIC Event Flags).
 */

#include "conformance/scenarios/synic_words.h"

#include <stdatomic.h>

/* --- flags and vectors --- */

static void signal_seven(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        signal_to(vm, SINT, 7, VMR_SYNIC_SIGNALED);
    else if (number == 2)
        signal_to(vm, SINT, 7, VMR_SYNIC_NOT_SIGNALED);
    else if (number == 3)
        signal_to(vm, SINT, 7, VMR_SYNIC_SIGNALED);
}

static void a_flag_is_set_and_rings_once(struct conf *conf)
{
    APIC_PROGRAM(rings, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(FLAGS(SINT), 8, 0x80), VMR_CHECKPOINT(2), EXPECT_TAKEN(9, V, 1),
                 EXPECT_AT(FLAGS(SINT), 8, 0x80), VMR_STORE(FLAGS(SINT), 1, 0), VMR_CHECKPOINT(3),
                 VMR_WAIT_VECTOR(V, 2), EXPECT_AT(FLAGS(SINT), 8, 0x80), VMR_END());

    synic_run(conf, &rings, signal_seven);
}

static void signal_the_ends(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number != 1)
        return;
    signal_to(vm, SINT, 0, VMR_SYNIC_SIGNALED);
    signal_to(vm, SINT, 8, VMR_SYNIC_SIGNALED);
    signal_to(vm, SINT, 2047, VMR_SYNIC_SIGNALED);
    signal_to(vm, SINT, 2048, VMR_SYNIC_NOT_SIGNALED);
    signal_to(vm, SINT, UINT16_MAX, VMR_SYNIC_NOT_SIGNALED);
}

static void the_first_flag_and_the_last_have_their_bits(struct conf *conf)
{
    APIC_PROGRAM(ends, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_AT(FLAGS(SINT), 8, 0x101),
                 EXPECT_AT(FLAGS(SINT) + 248, 8, UINT64_C(1) << 63), EXPECT_AT(FLAGS(SINT + 1), 8, 0),
                 EXPECT_AT(FLAGS(SINT) - 8, 8, 0), VMR_END());

    synic_run(conf, &ends, signal_the_ends);
}

static void signal_each(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    for (uint8_t sint = 0; number == 1 && sint < HV_SINT_COUNT; sint++)
        signal_to(vm, sint, sint, VMR_SYNIC_SIGNALED);
}

#define HEARD(sint) EXPECT_COUNT(0x40u + (sint), 1), EXPECT_AT(FLAGS(sint), 8, 1u << (sint))

static void each_sint_has_its_flags_and_its_vector(struct conf *conf)
{
    APIC_PROGRAM(sixteen, VMR_EOI_XAPIC, ALL_SINTS_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(0x4f, 1),
                 VMR_WAIT_VECTOR(0x40, 1), HEARD(0), HEARD(1), HEARD(2), HEARD(3), HEARD(4), HEARD(5), HEARD(6),
                 HEARD(7), HEARD(8), HEARD(9), HEARD(10), HEARD(11), HEARD(12), HEARD(13), HEARD(14), HEARD(15),
                 VMR_END());

    synic_run(conf, &sixteen, signal_each);
}

/* Other flags of the byte are the guest's to set and clear meanwhile. */
static void signal_one(void *argument)
{
    signal_to(argument, SINT, 0, VMR_SYNIC_SIGNALED);
}

static void host_and_guest_share_a_byte(struct conf *conf)
{
    APIC_PROGRAM(shares, VMR_EOI_XAPIC, SYNIC_ON(SINT, HV_SINT_POLLING), VMR_POWER_OFF(), VMR_OR(FLAGS(SINT), 1, 2),
                 VMR_OR(FLAGS(SINT), 1, 4), VMR_SPIN_UNTIL(FLAGS(SINT), 1, 7), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &shares, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    run_beside(vm, signal_one);
}

/* --- when it is lost, and when it is not --- */

static void signal_in_vain(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        signal_to(vm, SINT, 3, VMR_SYNIC_NOT_SIGNALED);
    else if (number == 2)
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
}

static void a_masked_sint_loses_its_flag(struct conf *conf)
{
    APIC_PROGRAM(masks, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_MASKED), VMR_CHECKPOINT(1),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), EXPECT_TAKEN(9, V, 0), EXPECT_AT(FLAGS(SINT), 8, 0),
                 VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 1), EXPECT_AT(FLAGS(SINT), 8, 8), VMR_END());

    synic_run(conf, &masks, signal_in_vain);
}

static void with_scontrol_off_a_flag_is_lost(struct conf *conf)
{
    APIC_PROGRAM(disables, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SCONTROL, 0), VMR_CHECKPOINT(1),
                 VMR_WRMSR(HV_MSR_SCONTROL, HV_SCONTROL_ENABLE), EXPECT_TAKEN(9, V, 0), EXPECT_AT(FLAGS(SINT), 8, 0),
                 VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 1), EXPECT_AT(FLAGS(SINT), 8, 8), VMR_END());

    synic_run(conf, &disables, signal_in_vain);
}

static void signal_a_proxy(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        signal_to(vm, SINT, 3, VMR_SYNIC_PROXIED);
}

static void a_proxy_refuses_flags(struct conf *conf)
{
    /* A proxy is named also while it is masked. */
    APIC_PROGRAM(proxies, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_PROXY | HV_SINT_MASKED), VMR_CHECKPOINT(1),
                 EXPECT_AT(FLAGS(SINT), 8, 0), EXPECT_TAKEN(9, V, 0), VMR_END());

    synic_run(conf, &proxies, signal_a_proxy);
}

static void signal_two(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
    else if (number == 2)
        signal_to(vm, SINT, 4, VMR_SYNIC_SIGNALED);
    else if (number == 3)
        signal_to(vm, SINT, 3, VMR_SYNIC_NOT_SIGNALED);
}

static void a_polling_sint_sets_its_flag_alone(struct conf *conf)
{
    APIC_PROGRAM(polls, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_POLLING), VMR_CHECKPOINT(1), VMR_CHECKPOINT(2),
                 EXPECT_AT(FLAGS(SINT), 8, 0x18), EXPECT_TAKEN(9, V, 0), VMR_END());

    synic_run(conf, &polls, signal_two);
}

static void with_the_page_off_flags_are_kept(struct conf *conf)
{
    APIC_PROGRAM(late_page, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(V, 1), VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 2), VMR_CHECKPOINT(3),
                 EXPECT_TAKEN(9, V, 2), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u), EXPECT_AT(FLAGS(SINT), 8, 0x18),
                 EXPECT_COUNT(V, 2), VMR_END());

    synic_run(conf, &late_page, signal_two);
}

static void flags_are_kept_while_the_page_is_off_between(struct conf *conf)
{
    APIC_PROGRAM(off_and_on, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP),
                 VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT), 8, 8), VMR_CHECKPOINT(3),
                 VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u), EXPECT_AT(FLAGS(SINT), 8, 0x18), VMR_END());

    synic_run(conf, &off_and_on, signal_two);
}

static void signal_nobody(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    static const struct vmr_synic_target targets[] = {{.vp = 1, .sint = SINT},
                                                      {.vp = UINT32_MAX, .sint = SINT},
                                                      {.vtl = 2, .sint = SINT},
                                                      {.sint = 16},
                                                      {.sint = 255}};

    (void)vp;
    for (size_t i = 0; number == 1 && i < sizeof(targets) / sizeof(targets[0]); i++)
        CONF_CHECK(vm->conf, vmr_synic_signal_event(synic_of(vm), &targets[i], 1) == VMR_SYNIC_NOT_SIGNALED,
                   "target %zu, which does not exist, was signalled", i);
}

static void what_does_not_exist_is_not_signalled(struct conf *conf)
{
    APIC_PROGRAM(hears_nothing, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_TAKEN(9, V, 0), VMR_END());

    synic_run(conf, &hears_nothing, signal_nobody);
}

/* VP 1 is not even bound; VP 2 does not exist. */
static void speak_to_nobody(const struct conf_vm *vm)
{
    static const struct vmr_synic_target silent = {.vp = 1, .sint = SINT}, absent = {.vp = 2, .sint = SINT};

    CONF_CHECK_EQ(vm->conf, try_post(vm, &silent, HV_MESSAGE_TYPE_VMBUS, 1), VMR_OK, "a message to a masked SINT");
    CONF_CHECK_EQ(vm->conf, try_post(vm, &absent, HV_MESSAGE_TYPE_VMBUS, 1), VMR_E_USAGE, "a message to nobody");
    CONF_CHECK_EQ(vm->conf, vmr_synic_signal_event(synic_of(vm), &silent, 1), VMR_SYNIC_NOT_SIGNALED, "a masked SINT");
    CONF_CHECK_EQ(vm->conf, vmr_synic_signal_event(synic_of(vm), &absent, 1), VMR_SYNIC_NOT_SIGNALED, "nobody");
}

static void a_vp_that_has_set_up_nothing_can_be_spoken_to(struct conf *conf)
{
    APIC_PROGRAM(first, VMR_EOI_XAPIC, APIC_ON(), HV_ACCEPTED_MSR(HV_MSR_EOM, 0), HV_EXPECT_MSR(HV_MSR_SIMP, 0),
                 HV_EXPECT_MSR(HV_MSR_SINT0 + SINT, HV_SINT_MASKED), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(8), 4, 1),
                 VMR_END());
    APIC_PROGRAM(second, VMR_EOI_XAPIC, HV_EXPECT_MSR(HV_MSR_SINT0 + SINT, HV_SINT_MASKED), SYNIC_ON(SINT, V),
                 HV_ACCEPTED_MSR(HV_MSR_EOM, 0), EXPECT_EMPTY(SINT), EXPECT_AT(FLAGS(SINT), 8, 0),
                 EXPECT_TAKEN(9, V, 0), VMR_STORE(WORD(8), 4, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 2, &first, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    speak_to_nobody(vm);
    run_pair(vm, &second);
}

/* Before the guest has set up anything at all, and without interrupt controllers: nothing to raise, nothing to fail. */
static void a_guest_without_a_local_apic_still_has_flags(struct conf *conf)
{
    CONF_PROGRAM(bare, VMR_CHECKPOINT(1), VMR_WRMSR(HV_MSR_SIEFP, HV_SIEFP | 1u), VMR_WRMSR(HV_MSR_SINT0 + SINT, V),
                 VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT), 8, 8), VMR_END());

    synic_run(conf, &bare, signal_in_vain);
}

/* --- from other threads --- */

APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
             EXPECT_AT(FLAGS(SINT), 8, 1), EXPECT_COUNT(V, 1), VMR_END());
APIC_PROGRAM(spins, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_STI(), VMR_CHECKPOINT(1), SPIN_FOR(0, V, 1), VMR_CLI(),
             EXPECT_AT(FLAGS(SINT), 8, 1), VMR_END());

static void signal_when_ready(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    for (unsigned i = 0; i < 3; i++)
        conf_pause(vm->conf);
    signal_to(vm, SINT, 0, VMR_SYNIC_SIGNALED);
}

static void run_with_signaller(struct conf *conf, const struct vmr_program *program)
{
    struct conf_vm *vm = synic_vm(conf, 1, program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    run_beside(vm, signal_when_ready);
}

static void a_flag_wakes_a_sleeping_vp(struct conf *conf)
{
    run_with_signaller(conf, &sleeps);
}

static void a_flag_reaches_a_vp_that_spins(struct conf *conf)
{
    run_with_signaller(conf, &spins);
}

static void a_flag_is_seen_whatever_the_order(struct conf *conf)
{
    APIC_PROGRAM(opens_and_sleeps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(FLAGS(SINT), 8, 1), EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &opens_and_sleeps, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    run_beside(vm, signal_one);
}

#define SIGNALLERS 3u

struct signaller {
    struct conf_vm *vm;
    uint16_t first;
};

static void signal_a_byte(void *argument)
{
    const struct signaller *signaller = argument;

    for (uint16_t i = 0; i < 8; i++)
        signal_to(signaller->vm, SINT, (uint16_t)(signaller->first + i), VMR_SYNIC_SIGNALED);
}

static void many_signal_at_once(struct conf *conf)
{
    APIC_PROGRAM(gathers, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_STI(), VMR_CHECKPOINT(1),
                 VMR_SPIN_UNTIL(FLAGS(SINT), 8, 0xffffff), VMR_CHECKPOINT(2), VMR_NOP(), VMR_CLI(),
                 VMR_READ_COUNT(6, V), VMR_JUMP_EQ(6, 0, 13), VMR_END(), VMR_EXPECT(6, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &gathers, NULL);
    struct signaller signallers[SIGNALLERS];
    struct vmr_thread *threads[SIGNALLERS];

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    for (unsigned i = 0; i < SIGNALLERS; i++) {
        signallers[i] = (struct signaller){.vm = vm, .first = (uint16_t)(8 * i)};
        threads[i] = conf_thread(conf, signal_a_byte, &signallers[i]);
    }
    (void)conf_run_to_end(vm, 0);
    for (unsigned i = 0; i < SIGNALLERS; i++)
        conf_join(conf, threads[i]);
}

/* --- guest ports --- */

static void use_port(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_synic_target elsewhere = {.sint = SINT + 1};
    struct vmr_guest_event_port *port = vm->user;
    enum vmr_synic_signal expected = number == 3 || number == 4 ? VMR_SYNIC_NOT_SIGNALED : VMR_SYNIC_SIGNALED;

    (void)vp;
    if (number > 5)
        return;
    if (number == 2)
        CONF_CHECK_EQ(vm->conf, vmr_guest_event_port_set(port, &elsewhere, 9, NULL), VMR_OK, "aiming it elsewhere");
    if (number == 3)
        CONF_CHECK_EQ(vm->conf, vmr_guest_event_port_set(port, NULL, 0, NULL), VMR_OK, "aiming it nowhere");
    if (number == 4)
        vmr_guest_event_port_set_target_vp(port, 0); /* nowhere stays nowhere */
    if (number == 5)
        CONF_CHECK_EQ(vm->conf, vmr_guest_event_port_set(port, &elsewhere, 10, NULL), VMR_OK, "aiming it back");
    CONF_CHECK_EQ(vm->conf, vmr_guest_event_port_signal(port), expected, "a signal through a port");
}

static void an_event_port_is_aimed_elsewhere_and_nowhere(struct conf *conf)
{
    const struct vmr_synic_target target = {.sint = SINT};
    APIC_PROGRAM(hears_both, VMR_EOI_XAPIC, SYNIC_ON(SINT, HV_SINT_POLLING),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT + 1, HV_SINT_POLLING), VMR_CHECKPOINT(1), EXPECT_AT(FLAGS(SINT), 8, 1),
                 VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT + 1), 8, 0x200), VMR_CHECKPOINT(3), VMR_CHECKPOINT(4),
                 EXPECT_AT(FLAGS(SINT + 1), 8, 0x200), VMR_CHECKPOINT(5), EXPECT_AT(FLAGS(SINT + 1), 8, 0x600),
                 EXPECT_AT(FLAGS(SINT), 8, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &hears_both, use_port);
    struct vmr_guest_event_port *port = NULL;

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_REQUIRE(conf, vmr_guest_event_port_create(synic_of(vm), &target, 0, &port, NULL) == VMR_OK, "no port");
    vm->user = port;
    (void)conf_run_to_end(vm, 0);
    vmr_guest_event_port_destroy(port);
}

static void a_port_to_what_does_not_exist_is_refused(struct conf *conf)
{
    const struct vmr_synic_target target = {.sint = SINT}, no_sint = {.sint = 16}, no_vtl = {.vtl = 2};
    struct vmr_guest_event_port *port = NULL;
    struct vmr_error err = {.message = ""};
    CONF_PROGRAM(nothing, VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &nothing, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_guest_event_port_create(synic_of(vm), &no_sint, 0, &port, &err), VMR_E_CONFIG, "SINT 16");
    CONF_CHECK(conf, strstr(err.message, "SINT 16"), "the error does not name it: %s", err.message);
    CONF_CHECK_EQ(conf, vmr_guest_event_port_create(synic_of(vm), &no_vtl, 0, &port, &err), VMR_E_CONFIG, "VTL 2");
    CONF_CHECK_EQ(conf, vmr_guest_event_port_create(synic_of(vm), &target, 2048, &port, &err), VMR_E_CONFIG, "2048");
    CONF_CHECK(conf, strstr(err.message, "2048"), "the error does not name it: %s", err.message);
    CONF_CHECK(conf, port == NULL, "a handle to a port that was refused");
}

struct aim {
    struct conf_vm *vm;
    struct vmr_guest_event_port *port;
};

static void aim_elsewhere(void *argument)
{
    const struct aim *aim = argument;
    const struct vmr_synic_target elsewhere = {.sint = SINT + 1};

    CONF_CHECK_EQ(aim->vm->conf, vmr_guest_event_port_set(aim->port, &elsewhere, 1, NULL), VMR_OK, "aiming it");
}

/* SINT 2 and flag 0, or SINT 3 and flag 1: never a mixture. */
static void a_signal_goes_to_the_old_target_or_the_new(struct conf *conf)
{
    const struct vmr_synic_target target = {.sint = SINT};
    APIC_PROGRAM(opens_both, VMR_EOI_XAPIC, SYNIC_ON(SINT, HV_SINT_POLLING),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT + 1, HV_SINT_POLLING), VMR_END());
    struct aim aim = {.vm = synic_vm(conf, 1, &opens_both, NULL)};

    CONF_REQUIRE(conf, aim.vm && conf_run_to_end(aim.vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_guest_event_port_create(synic_of(aim.vm), &target, 0, &aim.port, NULL) == VMR_OK, "no port");
    struct vmr_thread *thread = conf_thread(conf, aim_elsewhere, &aim);
    enum vmr_synic_signal result = vmr_guest_event_port_signal(aim.port);

    conf_join(conf, thread);
    uint32_t old = guest_word(aim.vm, FLAGS(SINT)), new = guest_word(aim.vm, FLAGS(SINT + 1));

    CONF_CHECK_EQ(conf, result, VMR_SYNIC_SIGNALED, "the signal");
    CONF_CHECK(conf, (old == 1 && new == 0) || (old == 0 && new == 2), "flags %#x and %#x", old, new);
    vmr_guest_event_port_destroy(aim.port);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "synic-event", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_flag_is_set_and_rings_once), .clauses = "SYN-8", .ids = "SYN-07 S13"},
    {SCENARIO(the_first_flag_and_the_last_have_their_bits), .clauses = "SYN-8 SYN-9", .ids = "S13"},
    {SCENARIO(each_sint_has_its_flags_and_its_vector), .clauses = "SYN-8"},
    {SCENARIO(host_and_guest_share_a_byte), .clauses = "SYN-8 MEM-6", .flags = CONF_EXPLORE},
    {SCENARIO(a_masked_sint_loses_its_flag), .clauses = "SYN-9", .ids = "S13"},
    {SCENARIO(with_scontrol_off_a_flag_is_lost), .clauses = "SYN-9"},
    {SCENARIO(a_proxy_refuses_flags), .clauses = "SYN-9"},
    {SCENARIO(a_polling_sint_sets_its_flag_alone), .clauses = "SYN-8"},
    {SCENARIO(with_the_page_off_flags_are_kept), .clauses = "SYN-10", .ids = "S13"},
    {SCENARIO(flags_are_kept_while_the_page_is_off_between), .clauses = "SYN-10 OVL-1", .ids = "S13"},
    {SCENARIO(what_does_not_exist_is_not_signalled), .clauses = "SYN-9"},
    {SCENARIO(a_vp_that_has_set_up_nothing_can_be_spoken_to), .clauses = "SYN-1 SYN-5 SYN-9", .ids = "CVE-2021-30178"},
    {.name = "a_guest_without_a_local_apic_still_has_flags",
     .family = "synic-event",
     .clauses = "SYN-8",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = a_guest_without_a_local_apic_still_has_flags},
    {SCENARIO(a_flag_wakes_a_sleeping_vp), .clauses = "SYN-8"},
    {SCENARIO(a_flag_is_seen_whatever_the_order), .clauses = "SYN-8", .flags = CONF_EXPLORE},
    {SCENARIO(a_flag_reaches_a_vp_that_spins), .clauses = "SYN-8"},
    {SCENARIO(many_signal_at_once), .clauses = "SYN-8"},
    {SCENARIO(an_event_port_is_aimed_elsewhere_and_nowhere), .clauses = "PORT-8"},
    {SCENARIO(a_port_to_what_does_not_exist_is_refused), .clauses = "PORT-8"},
    {SCENARIO(a_signal_goes_to_the_old_target_or_the_new), .clauses = "PORT-8", .flags = CONF_EXPLORE},
};

CONF_FAMILY(synic_event, scenarios);
