/* SPDX-License-Identifier: MIT */
/*
 * Messages from the host to a SINT: slots and queues, the handshake by which a
 * busy slot is freed, what a SINT's bits make of a message, and the moments at
 * which one may come (TLFS, SynIC Message Slots).
 */

#include "conformance/scenarios/synic_words.h"

#include <stdatomic.h>

/* --- one message --- */

static void post_in_full(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_synic_target target = {.sint = SINT};
    uint8_t payload[HV_MESSAGE_PAYLOAD_MAX] = {0x11, 0x22};
    const struct vmr_synic_message message = {
        .type = HV_MESSAGE_TYPE_VMBUS, .origin = 0x1122334455667788, .payload = payload, .length = sizeof(payload)};

    (void)vp;
    (void)number;
    payload[sizeof(payload) - 1] = 0x99;
    CONF_CHECK_EQ(vm->conf, vmr_synic_post_message(synic_of(vm), &target, &message), VMR_OK, "posting");
}

static void a_message_arrives_whole(struct conf *conf)
{
    APIC_PROGRAM(whole, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(SLOT(SINT), 8, HV_MESSAGE_TYPE_VMBUS | UINT64_C(240) << 32),
                 EXPECT_AT(SLOT(SINT) + HV_MESSAGE_ORIGIN_OFFSET, 8, 0x1122334455667788),
                 EXPECT_AT(SLOT(SINT) + HV_MESSAGE_PAYLOAD_OFFSET, 8, 0x2211), EXPECT_AT(SLOT(SINT) + 255, 1, 0x99),
                 EXPECT_EMPTY(SINT - 1), EXPECT_EMPTY(SINT + 1), EXPECT_COUNT(V, 1), VMR_END());

    synic_run(conf, &whole, post_in_full);
}

static void post_to_each(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1) {
        for (uint8_t sint = 0; sint < HV_SINT_COUNT; sint++)
            post_to(vm, sint, 0x100u + sint);
    }
}

#define HEARD(sint) EXPECT_COUNT(0x40u + (sint), 1), EXPECT_MESSAGE(sint, HV_MESSAGE_TYPE_VMBUS, 0x100u + (sint))

static void each_sint_has_its_slot_and_its_vector(struct conf *conf)
{
    APIC_PROGRAM(sixteen, VMR_EOI_XAPIC, ALL_SINTS_ON(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(0x4f, 1),
                 VMR_WAIT_VECTOR(0x40, 1), HEARD(0), HEARD(1), HEARD(2), HEARD(3), HEARD(4), HEARD(5), HEARD(6),
                 HEARD(7), HEARD(8), HEARD(9), HEARD(10), HEARD(11), HEARD(12), HEARD(13), HEARD(14), HEARD(15),
                 VMR_END());

    synic_run(conf, &sixteen, post_to_each);
}

struct bad_row {
    const char *name;
    struct vmr_synic_target target;
    uint32_t type;
    size_t length;
};

static const struct bad_row bad_rows[] = {
    {"SINT 16", {.sint = 16}, 1, 8},        {"SINT 255", {.sint = 255}, 1, 8},
    {"VP 1", {.vp = 1, .sint = 2}, 1, 8},   {"VP 4294967295", {.vp = UINT32_MAX, .sint = 2}, 1, 8},
    {"VTL 2", {.vtl = 2, .sint = 2}, 1, 8}, {"type 0", {.sint = 2}, 0, 8},
    {"241 bytes", {.sint = 2}, 1, 241},
};

static void post_badly(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    static const uint8_t payload[HV_MESSAGE_PAYLOAD_MAX + 1];

    (void)vp;
    for (size_t i = 0; number == 1 && i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
        const struct vmr_synic_message message = {
            .type = bad_rows[i].type, .payload = payload, .length = bad_rows[i].length};

        CONF_CHECK_EQ(vm->conf, vmr_synic_post_message(synic_of(vm), &bad_rows[i].target, &message), VMR_E_USAGE,
                      bad_rows[i].name);
    }
}

static void what_cannot_be_is_refused(struct conf *conf)
{
    APIC_PROGRAM(hears_nothing, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_TAKEN(2, V, 0),
                 EXPECT_EMPTY(SINT), VMR_END());

    synic_run(conf, &hears_nothing, post_badly);
}

/* --- busy slots --- */

/* A guest may write to its pages what it likes. Nothing in them but a slot's type is ever asked. */
static void scribble_and_send(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number != 1)
        return;
    CONF_CHECK(vm->conf,
               vmr_memory_fill(vm->memory, HV_SIMP, 0xff, VMR_PAGE_SIZE) == VMR_OK &&
                   vmr_memory_fill(vm->memory, HV_SIEFP, 0xff, VMR_PAGE_SIZE) == VMR_OK,
               "the pages are gone");
    post_to(vm, SINT, 1);
    post_to(vm, SINT, 2);
    signal_to(vm, SINT, 3, VMR_SYNIC_NOT_SIGNALED); /* it is set already */
}

static void nonsense_in_the_pages_harms_nobody(struct conf *conf)
{
    APIC_PROGRAM(scribbles, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_TAKEN(2, V, 0),
                 EXPECT_AT(SLOT(SINT), 8, UINT64_MAX), FREE_SLOT(SINT), EOM(), EXPECT_MESSAGE(SINT, 1, 1),
                 EXPECT_AT(SLOT(SINT) + HV_MESSAGE_LENGTH_OFFSET, 1, 8), EXPECT_MARK(SINT, 1),
                 EXPECT_AT(SLOT(SINT - 1) + HV_MESSAGE_BYTES - 8, 8, UINT64_MAX),
                 EXPECT_AT(SLOT(SINT + 1), 8, UINT64_MAX), VMR_STORE(SLOT(SINT) + HV_MESSAGE_LENGTH_OFFSET, 1, 0xff),
                 FREE_SLOT(SINT), EOM(), EXPECT_MESSAGE(SINT, 1, 2), EXPECT_AT(SLOT(SINT + 1), 8, UINT64_MAX),
                 EXPECT_AT(FLAGS(SINT), 8, UINT64_MAX), EXPECT_TAKEN(3, V, 1), FREE_SLOT(SINT), EOM(),
                 EXPECT_EMPTY(SINT), VMR_END());

    synic_run(conf, &scribbles, scribble_and_send);
}

static void post_three(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    for (uint64_t i = 1; number == 1 && i <= 3; i++)
        post_to(vm, SINT, i);
}

static void a_busy_slot_keeps_the_order(struct conf *conf)
{
    APIC_PROGRAM(three, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_MESSAGE(SINT, 1, 1), EXPECT_MARK(SINT, 1), FREE_SLOT(SINT), EOM(), VMR_WAIT_VECTOR(V, 2),
                 EXPECT_MESSAGE(SINT, 1, 2), EXPECT_MARK(SINT, 1), FREE_SLOT(SINT), EOM(), VMR_WAIT_VECTOR(V, 3),
                 EXPECT_MESSAGE(SINT, 1, 3), EXPECT_MARK(SINT, 0), FREE_SLOT(SINT), EOM(), EXPECT_TAKEN(2, V, 3),
                 EXPECT_EMPTY(SINT), VMR_END());

    synic_run(conf, &three, post_three);
}

static void an_eom_frees_nothing(struct conf *conf)
{
    APIC_PROGRAM(only_eom, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), EOM(), EOM(),
                 EXPECT_TAKEN(2, V, 1), EXPECT_MESSAGE(SINT, 1, 1), EXPECT_MARK(SINT, 1), VMR_END());

    synic_run(conf, &only_eom, post_three);
}

static void a_slot_freed_without_eom_is_noticed_at_the_next_exit(struct conf *conf)
{
    APIC_PROGRAM(silent, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_MESSAGE(SINT, 1, 1), FREE_SLOT(SINT), VMR_OUT(0x80, 1, 0), EXPECT_MESSAGE(SINT, 1, 2),
                 FREE_SLOT(SINT), VMR_CHECKPOINT(2), EXPECT_MESSAGE(SINT, 1, 3), EXPECT_MARK(SINT, 0), VMR_END());

    synic_run(conf, &silent, post_three);
}

static void post_to_both(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1) {
        post_to(vm, SINT, 1);
        post_to(vm, SINT, 2);
    } else if (number == 2) {
        post_to(vm, SINT + 1, 3);
    }
}

static void a_busy_slot_holds_up_no_other_sint(struct conf *conf)
{
    APIC_PROGRAM(neighbours, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SINT0 + SINT + 1, V2),
                 VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1), VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V2, 1),
                 EXPECT_MESSAGE(SINT + 1, 1, 3), EXPECT_MESSAGE(SINT, 1, 1), EXPECT_COUNT(V, 1), VMR_END());

    synic_run(conf, &neighbours, post_to_both);
}

/* The guest looks for the mark as the specification has it: frees first, then looks. Nothing may be lost between. */
static void post_two_meanwhile(void *argument)
{
    const struct conf_vm *vm = argument;

    post_to(vm, SINT, 1);
    post_to(vm, SINT, 2);
}

static void a_mark_is_never_too_late(struct conf *conf)
{
    /* The mark, seen after the slot was freed, asks for an EOM. Step 12 is past it. */
    APIC_PROGRAM(handshake, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(SLOT(SINT), 4, 1), FREE_SLOT(SINT), VMR_LOAD(4, SLOT(SINT) + HV_MESSAGE_FLAGS_OFFSET, 1),
                 VMR_JUMP_EQ(4, 0, 12), EOM(), VMR_WAIT_VECTOR(V, 2), EXPECT_MESSAGE(SINT, 1, 2), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &handshake, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    run_beside(vm, post_two_meanwhile);
}

static void a_queue_is_bounded(struct conf *conf)
{
    const struct vmr_synic_target target = {.sint = SINT};
    /* Steps 6 to 11, once for each message. */
    APIC_PROGRAM(drains, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_SET(2, 1024),
                 VMR_LOAD(3, SLOT(SINT), 4), VMR_EXPECT(3, 1), VMR_LOAD(4, SLOT(SINT) + HV_MESSAGE_PAYLOAD_OFFSET, 8),
                 FREE_SLOT(SINT), EOM(), VMR_LOOP(2, 6), VMR_EXPECT(4, 1024), EXPECT_EMPTY(SINT), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &drains, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    for (uint64_t i = 1; i <= 1024 && !conf_failed(conf); i++)
        post_to(vm, SINT, i);
    CONF_CHECK_EQ(conf, try_post(vm, &target, 1, 1025), VMR_E_STATE, "one too many");
    for (uint8_t sint = 0; sint < HV_SINT_COUNT; sint++) {
        if (sint != SINT)
            post_to(vm, sint, 1); /* masked: they will be dropped */
    }
    (void)conf_run_to_end(vm, 0);
}

/* --- what the registers make of it --- */

static void post_one(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number <= 8)
        post_to(vm, SINT, number);
}

static void a_polling_sint_raises_nothing(struct conf *conf)
{
    APIC_PROGRAM(polls, VMR_EOI_XAPIC, SYNIC_ON(SINT, HV_SINT_POLLING), VMR_CHECKPOINT(1), EXPECT_MESSAGE(SINT, 1, 1),
                 FREE_SLOT(SINT), VMR_WRMSR(HV_MSR_SINT0 + SINT, V | HV_SINT_POLLING), VMR_CHECKPOINT(2),
                 EXPECT_MESSAGE(SINT, 1, 2), EXPECT_TAKEN(9, V, 0), VMR_END());

    synic_run(conf, &polls, post_one);
}

static void a_masked_sint_drops_its_message(struct conf *conf)
{
    APIC_PROGRAM(masks, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_MASKED), VMR_CHECKPOINT(1),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), EXPECT_TAKEN(9, V, 0), EXPECT_EMPTY(SINT), VMR_CHECKPOINT(2),
                 VMR_WAIT_VECTOR(V, 1), EXPECT_MESSAGE(SINT, 1, 2), VMR_END());

    synic_run(conf, &masks, post_one);
}

static void a_proxy_drops_its_message(struct conf *conf)
{
    APIC_PROGRAM(proxies, VMR_EOI_XAPIC, SYNIC_ON(SINT, V | HV_SINT_PROXY), VMR_CHECKPOINT(1),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), EXPECT_TAKEN(9, V, 0), EXPECT_EMPTY(SINT), VMR_END());

    synic_run(conf, &proxies, post_one);
}

/* Masked while two wait: both go, also the one whose turn it was not. */
static void masking_drops_what_waits(struct conf *conf)
{
    APIC_PROGRAM(masks_later, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V | HV_SINT_MASKED), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), FREE_SLOT(SINT),
                 EOM(), EXPECT_TAKEN(9, V, 1), EXPECT_EMPTY(SINT), VMR_END());

    synic_run(conf, &masks_later, post_three);
}

static void scontrol_is_not_asked(struct conf *conf)
{
    APIC_PROGRAM(disabled, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SCONTROL, 0), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(V, 1), EXPECT_MESSAGE(SINT, 1, 1), VMR_END());

    synic_run(conf, &disabled, post_one);
}

static void a_message_for_a_page_that_is_off_is_there_when_it_is_on(struct conf *conf)
{
    APIC_PROGRAM(late_page, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(V, 1), VMR_CHECKPOINT(2), VMR_WRMSR(HV_MSR_SIMP, HV_SIMP | 1u),
                 EXPECT_MESSAGE(SINT, 1, 1), EXPECT_MARK(SINT, 1), EXPECT_COUNT(V, 1), FREE_SLOT(SINT), EOM(),
                 VMR_WAIT_VECTOR(V, 2), EXPECT_MESSAGE(SINT, 1, 2), VMR_END());

    synic_run(conf, &late_page, post_one);
}

/* Without an end of interrupt the second would wait for ever behind the first. */
static void an_auto_eoi_interrupt_ends_by_itself(struct conf *conf)
{
    APIC_PROGRAM(no_eoi, VMR_EOI_NONE, SYNIC_ON(SINT, V | HV_SINT_AUTO_EOI), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 FREE_SLOT(SINT), VMR_CHECKPOINT(2), VMR_WAIT_VECTOR(V, 2), EXPECT_MESSAGE(SINT, 1, 2),
                 VMR_CPUID(HV_CPUID_RECOMMENDATIONS, 0), VMR_EXPECT_MASK(0, HV_RECOMMEND_DEPRECATE_AUTO_EOI, 0),
                 VMR_END());

    if (conf->handle->irqchip != VMR_IRQCHIP_USER)
        conf_skip(conf, "needs local APICs in the library");
    else
        synic_run(conf, &no_eoi, post_one);
}

static void auto_eoi_is_refused_where_it_cannot_be(struct conf *conf)
{
    APIC_PROGRAM(advised, VMR_EOI_XAPIC, HV_REFUSED_MSR(HV_MSR_SINT0 + SINT, V | HV_SINT_AUTO_EOI),
                 HV_EXPECT_MSR(HV_MSR_SINT0 + SINT, HV_SINT_MASKED), VMR_CPUID(HV_CPUID_RECOMMENDATIONS, 0),
                 VMR_EXPECT_MASK(0, HV_RECOMMEND_DEPRECATE_AUTO_EOI, HV_RECOMMEND_DEPRECATE_AUTO_EOI), VMR_END());

    synic_run(conf, &advised, NULL);
}

/* --- registers --- */

static void registers_begin_and_keep_what_they_may(struct conf *conf)
{
    CONF_PROGRAM(fresh, HV_EXPECT_MSR(HV_MSR_SCONTROL, HV_SCONTROL_ENABLE), HV_EXPECT_MSR(HV_MSR_SVERSION, HV_SVERSION),
                 HV_EXPECT_MSR(HV_MSR_SIEFP, 0), HV_EXPECT_MSR(HV_MSR_SIMP, 0), HV_EXPECT_MSR(HV_MSR_EOM, 0),
                 HV_EXPECT_MSR(HV_MSR_SINT0, HV_SINT_MASKED), HV_EXPECT_MSR(HV_MSR_SINT0 + 15, HV_SINT_MASKED),
                 HV_REFUSED_MSR(HV_MSR_SVERSION, 1), HV_REFUSED_MSR(HV_MSR_SCONTROL, 2),
                 HV_REFUSED_MSR(HV_MSR_SINT0, V | UINT64_C(1) << 19), HV_REFUSED_MSR(HV_MSR_SINT0, 15),
                 HV_ACCEPTED_MSR(HV_MSR_SINT0, 15 | HV_SINT_MASKED), HV_ACCEPTED_MSR(HV_MSR_SINT0, HV_SINT_POLLING),
                 HV_ACCEPTED_MSR(HV_MSR_SINT0, 16), HV_EXPECT_MSR(HV_MSR_SINT0, 16),
                 HV_ACCEPTED_MSR(HV_MSR_SCONTROL, 0), HV_EXPECT_MSR(HV_MSR_SCONTROL, 0),
                 HV_ACCEPTED_MSR(HV_MSR_EOM, UINT64_MAX), HV_EXPECT_MSR(HV_MSR_EOM, 0), VMR_RDMSR(6, HV_MSR_SINT0 + 16),
                 HV_FAULT(), VMR_END());

    hv_run(conf, &fresh);
}

static void a_reset_drops_what_waits(struct conf *conf)
{
    APIC_PROGRAM(again, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SCONTROL, 0), VMR_CHECKPOINT(1),
                 VMR_POWER_OFF(), HV_EXPECT_MSR(HV_MSR_SCONTROL, HV_SCONTROL_ENABLE), HV_EXPECT_MSR(HV_MSR_SIMP, 0),
                 HV_EXPECT_MSR(HV_MSR_SINT0 + SINT, HV_SINT_MASKED), VMR_WRMSR(HV_MSR_SINT0 + SINT, V),
                 VMR_WRMSR(HV_MSR_SIMP, HV_PAGE_1 | 1u), EXPECT_MESSAGE_AT(HV_PAGE_1, SINT, 0, 0),
                 EXPECT_TAKEN(9, V, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &again, post_three);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    (void)conf_run_to_end(vm, 0); /* the interrupt of the first was on its way: it is the local APIC's now */
}

/* --- whenever it comes --- */

APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
             EXPECT_MESSAGE(SINT, 1, 77), EXPECT_COUNT(V, 1), VMR_END());
APIC_PROGRAM(spins, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_STI(), VMR_CHECKPOINT(1), SPIN_FOR(0, V, 1), VMR_CLI(),
             EXPECT_MESSAGE(SINT, 1, 77), EXPECT_COUNT(V, 1), VMR_END());

static void post_when_ready(void *argument)
{
    struct conf_vm *vm = argument;

    if (!conf_wait_checkpoint(vm, 0, 1))
        return;
    for (unsigned i = 0; i < 3; i++)
        conf_pause(vm->conf);
    post_to(vm, SINT, 77);
}

static void run_with_poster(struct conf *conf, const struct vmr_program *program)
{
    struct conf_vm *vm = synic_vm(conf, 1, program, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    run_beside(vm, post_when_ready);
}

static void a_message_wakes_a_sleeping_vp(struct conf *conf)
{
    run_with_poster(conf, &sleeps);
}

static void a_message_reaches_a_vp_that_spins(struct conf *conf)
{
    run_with_poster(conf, &spins);
}

static void post_at_any_time(void *argument)
{
    post_to(argument, SINT, 77);
}

static void a_message_is_seen_whatever_the_order(struct conf *conf)
{
    APIC_PROGRAM(opens_and_sleeps, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_MESSAGE(SINT, 1, 77), EXPECT_COUNT(V, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &opens_and_sleeps, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    run_beside(vm, post_at_any_time);
}

/* The first word of SINT 2's slot, as the host sees it. */
static uint32_t slot_type(const struct conf_vm *vm)
{
    return guest_word(vm, SLOT(SINT));
}

static void a_stopped_vp_sees_nothing_until_it_runs(struct conf *conf)
{
    APIC_PROGRAM(stops, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_POWER_OFF(), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_MESSAGE(SINT, 1, 5), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &stops, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    post_to(vm, SINT, 5);
    for (unsigned i = 0; i < 3; i++)
        conf_pause(conf);
    CONF_CHECK_EQ(conf, slot_type(vm), HV_MESSAGE_TYPE_NONE, "the slot of a VP that does not run");
    (void)conf_run_to_end(vm, 0);
}

struct seam_post {
    struct conf_vm *vm;
    enum vmr_run_seam seam;
    bool armed;
};

static void post_at_seam(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct seam_post *post = context;

    (void)vp;
    if (!post->armed || seam != post->seam)
        return;
    post->armed = false;
    post_to(post->vm, SINT, 77);
}

static void arm_post(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        ((struct seam_post *)vm->user)->armed = true;
}

static void post_at(struct conf *conf, enum vmr_run_seam seam)
{
    struct seam_post post = {.seam = seam};
    struct conf_vm *vm = synic_vm(conf, 1, &spins, arm_post);

    CONF_REQUIRE(conf, vm, "no VM");
    post.vm = vm;
    vm->user = &post;
    vmr_partition_set_seam_hook(vm->partition, post_at_seam, &post);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK(conf, !post.armed, "the run never passed seam %d", (int)seam);
    vmr_partition_set_seam_hook(vm->partition, NULL, NULL);
}

static void a_message_behind_the_last_check_is_seen(struct conf *conf)
{
    post_at(conf, VMR_SEAM_AFTER_CHECK);
}

static void a_message_right_before_the_entry_is_seen(struct conf *conf)
{
    post_at(conf, VMR_SEAM_BEFORE_ENTRY);
}

/* --- guest ports --- */

static void post_through_port(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct vmr_guest_message_port *port = vm->user;
    uint64_t payload = number;

    (void)vp;
    if (number == 2) {
        vmr_guest_message_port_set_target_vp(port, 1);
        CONF_CHECK_EQ(vm->conf, vmr_guest_message_port_post(port, 1, &payload, 8), VMR_E_USAGE, "a post to no VP");
        vmr_guest_message_port_set_target_vp(port, 0);
    }
    if (number <= 2)
        CONF_CHECK_EQ(vm->conf, vmr_guest_message_port_post(port, 1, &payload, 8), VMR_OK, "a post through a port");
}

static void a_message_port_is_aimed_elsewhere(struct conf *conf)
{
    const struct vmr_synic_target target = {.sint = SINT}, no_sint = {.sint = 16}, no_vtl = {.vtl = 2};
    struct vmr_guest_message_port *none = NULL;
    struct vmr_error err = {.message = ""};
    APIC_PROGRAM(hears_two, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_CHECKPOINT(1), EXPECT_MESSAGE(SINT, 1, 1),
                 FREE_SLOT(SINT), VMR_CHECKPOINT(2), EXPECT_MESSAGE(SINT, 1, 2), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &hears_two, post_through_port);
    struct vmr_guest_message_port *port = NULL;

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_guest_message_port_create(synic_of(vm), &no_sint, &none, &err), VMR_E_CONFIG, "SINT 16");
    CONF_CHECK(conf, strstr(err.message, "SINT 16"), "the error does not name it: %s", err.message);
    CONF_CHECK_EQ(conf, vmr_guest_message_port_create(synic_of(vm), &no_vtl, &none, &err), VMR_E_CONFIG, "VTL 2");
    CONF_REQUIRE(conf, vmr_guest_message_port_create(synic_of(vm), &target, &port, NULL) == VMR_OK, "no port");
    vm->user = port;
    (void)conf_run_to_end(vm, 0);
    vmr_guest_message_port_destroy(port);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "synic-message", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_message_arrives_whole), .clauses = "SYN-2", .ids = "S12"},
    {SCENARIO(each_sint_has_its_slot_and_its_vector), .clauses = "SYN-2", .ids = "S12"},
    {SCENARIO(what_cannot_be_is_refused), .clauses = "SYN-6", .ids = "S12"},
    {SCENARIO(nonsense_in_the_pages_harms_nobody), .clauses = "SYN-3 SYN-8", .ids = "CVE-2019-14821"},
    {SCENARIO(a_busy_slot_keeps_the_order), .clauses = "SYN-3", .ids = "SYN-05 S11"},
    {SCENARIO(an_eom_frees_nothing), .clauses = "SYN-3"},
    {SCENARIO(a_slot_freed_without_eom_is_noticed_at_the_next_exit), .clauses = "SYN-4", .ids = "S11"},
    {SCENARIO(a_busy_slot_holds_up_no_other_sint), .clauses = "SYN-3"},
    {SCENARIO(a_mark_is_never_too_late), .clauses = "SYN-3 SYN-7", .flags = CONF_EXPLORE},
    {SCENARIO(a_queue_is_bounded), .clauses = "SYN-3 SYN-6"},
    {SCENARIO(a_polling_sint_raises_nothing), .clauses = "SYN-2"},
    {SCENARIO(a_masked_sint_drops_its_message), .clauses = "SYN-5", .ids = "S12"},
    {SCENARIO(a_proxy_drops_its_message), .clauses = "SYN-5"},
    {SCENARIO(masking_drops_what_waits), .clauses = "SYN-5"},
    {SCENARIO(scontrol_is_not_asked), .clauses = "SYN-5", .ids = "S12"},
    {SCENARIO(a_message_for_a_page_that_is_off_is_there_when_it_is_on), .clauses = "SYN-5", .ids = "S12"},
    {SCENARIO(an_auto_eoi_interrupt_ends_by_itself), .clauses = "SYN-11"},
    {.name = "auto_eoi_is_refused_where_it_cannot_be",
     .family = "synic-message",
     .clauses = "SYN-11",
     .needs = HV_NEEDS,
     .chip = CONF_CHIP_APIC_IN_HYPERVISOR,
     .run = auto_eoi_is_refused_where_it_cannot_be},
    {SCENARIO(registers_begin_and_keep_what_they_may), .clauses = "SYN-1"},
    {SCENARIO(a_reset_drops_what_waits), .clauses = "SYN-1 OVL-4", .ids = "S8"},
    {SCENARIO(a_message_wakes_a_sleeping_vp), .clauses = "SYN-7"},
    {SCENARIO(a_message_reaches_a_vp_that_spins), .clauses = "SYN-7"},
    {SCENARIO(a_message_is_seen_whatever_the_order), .clauses = "SYN-7", .ids = "SYN-06", .flags = CONF_EXPLORE},
    {SCENARIO(a_stopped_vp_sees_nothing_until_it_runs), .clauses = "SYN-7", .ids = "SYN-10"},
    {SCENARIO(a_message_behind_the_last_check_is_seen), .clauses = "SYN-7", .ids = "SYN-06"},
    {SCENARIO(a_message_right_before_the_entry_is_seen), .clauses = "SYN-7", .ids = "SYN-06"},
    {SCENARIO(a_message_port_is_aimed_elsewhere), .clauses = "PORT-8"},
};

CONF_FAMILY(synic_message, scenarios);
