/* SPDX-License-Identifier: MIT */
/*
 * Pages that a guest places over its RAM: what is in them, where they may be,
 * and what becomes of them when their RAM goes (TLFS, Overlay Pages).
 */

#include "conformance/scenarios/synic_words.h"

/* RAM of its own, which a scenario may take away. */
#define ISLAND UINT64_C(0x400000)
#define ISLAND_BYTES 0x4000u
#define READ_ONLY UINT64_C(0x500000)

#define ON_AT(gpa) ((gpa) | HV_PAGE_ENABLE)

/* A VM with an island. NULL: failed. */
static struct conf_vm *island_vm(struct conf *conf, const struct vmr_program *program,
                                 void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = ISLAND_BYTES};
    struct conf_vm *vm = synic_vm(conf, 1, program, act);

    if (vm)
        CONF_CHECK_EQ(conf, vmr_memory_region_add(vm->memory, &island, NULL), VMR_OK, "adding the island");
    return vm;
}

static void island_run(struct conf *conf, const struct vmr_program *program,
                       void (*act)(struct conf_vm *vm, vmr_vp_index vp, uint32_t number))
{
    struct conf_vm *vm = island_vm(conf, program, act);

    if (vm)
        (void)conf_run_to_end(vm, 0);
}

static void sink_island(const struct conf_vm *vm)
{
    CONF_CHECK_EQ(vm->conf, vmr_memory_region_remove(vm->memory, ISLAND, NULL), VMR_OK, "taking the island away");
}

/* --- content --- */

#define PAGES_OF(msr)                                                                                                  \
    VMR_STORE(HV_PAGE_1 + 8, 8, 0x1111), VMR_STORE(HV_PAGE_2 + 8, 8, 0x2222), HV_ACCEPTED_MSR(msr, ON_AT(HV_PAGE_1)),  \
        EXPECT_AT(HV_PAGE_1 + 8, 8, 0), VMR_STORE(HV_PAGE_1 + 16, 8, 0x77), HV_ACCEPTED_MSR(msr, ON_AT(HV_PAGE_2)),    \
        EXPECT_AT(HV_PAGE_2 + 16, 8, 0x77), EXPECT_AT(HV_PAGE_2 + 8, 8, 0), VMR_STORE(HV_PAGE_2 + 24, 8, 0x88),        \
        HV_ACCEPTED_MSR(msr, HV_PAGE_2), HV_EXPECT_MSR(msr, HV_PAGE_2), VMR_STORE(HV_PAGE_2 + 24, 8, 0x99),            \
        VMR_STORE(HV_PAGE_1 + 24, 8, 0xaa), HV_ACCEPTED_MSR(msr, ON_AT(HV_PAGE_1)),                                    \
        EXPECT_AT(HV_PAGE_1 + 16, 8, 0x77), EXPECT_AT(HV_PAGE_1 + 24, 8, 0x88), EXPECT_AT(HV_PAGE_2 + 24, 8, 0x99),    \
        HV_EXPECT_MSR(msr, ON_AT(HV_PAGE_1)), VMR_END()

static void the_message_pages_content_goes_with_it(struct conf *conf)
{
    CONF_PROGRAM(simp, PAGES_OF(HV_MSR_SIMP));

    hv_run(conf, &simp);
}

static void the_event_pages_content_goes_with_it(struct conf *conf)
{
    CONF_PROGRAM(siefp, PAGES_OF(HV_MSR_SIEFP));

    hv_run(conf, &siefp);
}

static void the_assist_pages_content_goes_with_it(struct conf *conf)
{
    CONF_PROGRAM(assist, PAGES_OF(HV_MSR_VP_ASSIST_PAGE));

    hv_run(conf, &assist);
}

static void enabling_a_page_where_it_is_changes_nothing(struct conf *conf)
{
    CONF_PROGRAM(again, HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(HV_SIMP)), VMR_STORE(HV_SIMP, 8, 0x55),
                 HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(HV_SIMP)), EXPECT_AT(HV_SIMP, 8, 0x55), VMR_END());

    hv_run(conf, &again);
}

static void post_or_signal(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        post_to(vm, SINT, 1);
    else if (number == 2)
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
}

static void messages_and_flags_find_a_page_that_has_moved(struct conf *conf)
{
    APIC_PROGRAM(moves, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SIMP, ON_AT(HV_PAGE_1)),
                 VMR_WRMSR(HV_MSR_SIEFP, ON_AT(HV_PAGE_2)), VMR_CHECKPOINT(1), EXPECT_MESSAGE_AT(HV_PAGE_1, SINT, 1, 1),
                 EXPECT_EMPTY(SINT), VMR_CHECKPOINT(2), EXPECT_AT(FLAGS_AT(HV_PAGE_2, SINT), 8, 8),
                 EXPECT_AT(FLAGS(SINT), 8, 0), VMR_END());

    synic_run(conf, &moves, post_or_signal);
}

/* Of RAM: page 0, which no program uses, and the last one. */
static void the_first_and_the_last_page_of_ram_will_do(struct conf *conf)
{
    CONF_PROGRAM(edges, HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(VMR_PROGRAM_RAM_MIN - VMR_PAGE_SIZE)),
                 VMR_STORE(VMR_PROGRAM_RAM_MIN - 8, 8, 0x66), HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(UINT64_C(0))),
                 EXPECT_AT(VMR_PAGE_SIZE - 8, 8, 0x66), HV_REFUSED_MSR(HV_MSR_SIMP, ON_AT(VMR_PROGRAM_RAM_MIN)),
                 HV_EXPECT_MSR(HV_MSR_SIMP, 1), VMR_END());

    hv_run(conf, &edges);
}

/* --- bad places --- */

#define BAD_PLACES(msr, good)                                                                                          \
    HV_ACCEPTED_MSR(msr, ON_AT(good)), HV_REFUSED_MSR(msr, ON_AT(HV_NO_RAM)), HV_REFUSED_MSR(msr, ON_AT(READ_ONLY)),   \
        HV_REFUSED_MSR(msr, ~UINT64_C(0xffe)), HV_REFUSED_MSR(msr, HV_PAGE_1 | 3u),                                    \
        HV_REFUSED_MSR(msr, HV_PAGE_1 | 0x801u), HV_REFUSED_MSR(msr, HV_PAGE_1 | 0x800u),                              \
        HV_REFUSED_MSR(msr, HV_PAGE_1 | 0xff9u), HV_REFUSED_MSR(msr, HV_PAGE_1 | 0xfffu),                              \
        HV_EXPECT_MSR(msr, ON_AT(good))

static void a_bad_place_is_refused_and_the_page_stays(struct conf *conf)
{
    const struct vmr_memory_region rom = {.gpa = READ_ONLY, .size = VMR_PAGE_SIZE, .read_only = true};
    APIC_PROGRAM(bad, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), BAD_PLACES(HV_MSR_SIMP, HV_SIMP),
                 BAD_PLACES(HV_MSR_SIEFP, HV_SIEFP), BAD_PLACES(HV_MSR_VP_ASSIST_PAGE, HV_PAGE_2), VMR_CHECKPOINT(1),
                 EXPECT_MESSAGE(SINT, 1, 1), VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT), 8, 8), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &bad, post_or_signal);

    CONF_REQUIRE(conf, vm, "no VM");
    if (vmr_caps_have(&conf->caps, VMR_CAP_READ_ONLY))
        CONF_CHECK_EQ(conf, vmr_memory_region_add(vm->memory, &rom, NULL), VMR_OK, "adding a read-only region");
    (void)conf_run_to_end(vm, 0);
}

static void a_page_that_is_off_may_name_any_place(struct conf *conf)
{
    CONF_PROGRAM(anywhere, HV_ACCEPTED_MSR(HV_MSR_SIMP, HV_NO_RAM), HV_EXPECT_MSR(HV_MSR_SIMP, HV_NO_RAM),
                 HV_REFUSED_MSR(HV_MSR_SIMP, ON_AT(HV_NO_RAM)), HV_EXPECT_MSR(HV_MSR_SIMP, HV_NO_RAM), VMR_END());

    hv_run(conf, &anywhere);
}

/* --- RAM that goes --- */

static void sink_under_messages(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        sink_island(vm);
    else if (number == 2)
        post_to(vm, SINT, 5);
}

static void a_message_waits_for_a_page_whose_ram_is_gone(struct conf *conf)
{
    APIC_PROGRAM(stranded, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SIMP, ON_AT(ISLAND)),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1), VMR_CHECKPOINT(2), EXPECT_TAKEN(9, V, 0),
                 HV_REFUSED_MSR(HV_MSR_SIMP, ON_AT(ISLAND + VMR_PAGE_SIZE)), HV_EXPECT_MSR(HV_MSR_SIMP, ON_AT(ISLAND)),
                 HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(HV_SIMP)), VMR_WAIT_VECTOR(V, 1), EXPECT_MESSAGE(SINT, 1, 5),
                 VMR_END());

    island_run(conf, &stranded, sink_under_messages);
}

static void sink_under_flags(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1) {
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
        sink_island(vm);
        signal_to(vm, SINT, 4, VMR_SYNIC_NOT_SIGNALED);
    } else if (number == 2) {
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
    }
}

static void flags_are_lost_with_their_ram_and_no_longer(struct conf *conf)
{
    APIC_PROGRAM(washed, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SIEFP, ON_AT(ISLAND)),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_CHECKPOINT(1), HV_ACCEPTED_MSR(HV_MSR_SIEFP, ON_AT(HV_SIEFP)),
                 EXPECT_AT(FLAGS(SINT), 8, 0), VMR_CHECKPOINT(2), EXPECT_AT(FLAGS(SINT), 8, 8), EXPECT_TAKEN(9, V, 1),
                 VMR_END());

    island_run(conf, &washed, sink_under_flags);
}

static void sink_and_raise(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = ISLAND_BYTES};

    (void)vp;
    if (number == 1) {
        sink_island(vm);
        post_to(vm, SINT, 5);
    } else if (number == 2) {
        CONF_CHECK_EQ(vm->conf, vmr_memory_region_add(vm->memory, &island, NULL), VMR_OK, "adding the island again");
    } else if (number == 3) {
        signal_to(vm, SINT, 3, VMR_SYNIC_SIGNALED);
    }
}

/* The registers still name the place: what comes goes into the memory that is there now, never into what was there. */
static void pages_go_on_in_ram_that_comes_back(struct conf *conf)
{
    APIC_PROGRAM(comes_back, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SIMP, ON_AT(ISLAND)),
                 VMR_WRMSR(HV_MSR_SIEFP, ON_AT(ISLAND + 0x1000)), VMR_WRMSR(HV_MSR_SINT0 + SINT, V),
                 VMR_STORE(ISLAND + 8, 8, 0x77), VMR_CHECKPOINT(1), EXPECT_TAKEN(9, V, 0), VMR_CHECKPOINT(2),
                 VMR_WAIT_VECTOR(V, 1), EXPECT_MESSAGE_AT(ISLAND, SINT, 1, 5), EXPECT_AT(ISLAND + 8, 8, 0),
                 VMR_CHECKPOINT(3), EXPECT_AT(FLAGS_AT(ISLAND + 0x1000, SINT), 8, 8), VMR_WAIT_VECTOR(V, 2), VMR_END());

    island_run(conf, &comes_back, sink_and_raise);
}

static void sink_at_one(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    if (number == 1)
        sink_island(vm);
}

/* Every page of the interface at once; then each is turned off, and on elsewhere. */
static void all_pages_survive_the_loss_of_their_ram(struct conf *conf)
{
    CONF_PROGRAM(all_gone, VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, ON_AT(ISLAND)),
                 VMR_WRMSR(HV_MSR_SIMP, ON_AT(ISLAND + 0x1000)), VMR_WRMSR(HV_MSR_SIEFP, ON_AT(ISLAND + 0x2000)),
                 VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, ON_AT(ISLAND + 0x3000)), VMR_CHECKPOINT(1),
                 HV_ACCEPTED_MSR(HV_MSR_SIMP, 0), HV_ACCEPTED_MSR(HV_MSR_SIEFP, 0),
                 HV_ACCEPTED_MSR(HV_MSR_VP_ASSIST_PAGE, 0), HV_ACCEPTED_MSR(HV_MSR_HYPERCALL, 0),
                 VMR_STORE(HV_PAGE_1, 8, 0x1), HV_ACCEPTED_MSR(HV_MSR_SIMP, ON_AT(HV_PAGE_1)),
                 EXPECT_AT(HV_PAGE_1, 8, 0), HV_ACCEPTED_MSR(HV_MSR_HYPERCALL, ON_AT(HV_CODE_PAGE)),
                 HV_EXPECT_CALL(0xffff, 0, 0, HV_STATUS_INVALID_HYPERCALL_CODE), VMR_END());

    island_run(conf, &all_gone, sink_at_one);
}

/* A message that arrives, a guest that moves its page and memory that goes, in any order: nothing is lost but content.
 */
static void post_meanwhile(void *argument)
{
    const struct conf_vm *vm = argument;

    post_to(vm, SINT, 9);
}

static void a_page_may_move_while_a_message_comes(struct conf *conf)
{
    APIC_PROGRAM(moves_away, VMR_EOI_XAPIC, APIC_ON(), VMR_WRMSR(HV_MSR_SIMP, ON_AT(ISLAND)),
                 VMR_WRMSR(HV_MSR_SINT0 + SINT, V), VMR_POWER_OFF(), VMR_WRMSR(HV_MSR_SIMP, ON_AT(HV_SIMP)),
                 VMR_WAIT_VECTOR(V, 1), EXPECT_MESSAGE(SINT, 1, 9), VMR_END());
    struct conf_vm *vm = island_vm(conf, &moves_away, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    run_beside(vm, post_meanwhile);
}

/* --- reset --- */

static void a_reset_takes_the_pages_and_their_content(struct conf *conf)
{
    CONF_PROGRAM(forgets, VMR_WRMSR(HV_MSR_SIMP, ON_AT(HV_SIMP)), VMR_WRMSR(HV_MSR_SIEFP, ON_AT(HV_SIEFP)),
                 VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, ON_AT(HV_PAGE_1)), VMR_STORE(HV_SIMP, 8, 0x11),
                 VMR_STORE(HV_SIEFP, 8, 0x22), VMR_STORE(HV_PAGE_1, 8, 0x33), VMR_POWER_OFF(),
                 HV_EXPECT_MSR(HV_MSR_SIMP, 0), HV_EXPECT_MSR(HV_MSR_SIEFP, 0), HV_EXPECT_MSR(HV_MSR_VP_ASSIST_PAGE, 0),
                 EXPECT_AT(HV_SIMP, 8, 0x11), VMR_WRMSR(HV_MSR_SIMP, ON_AT(HV_SIMP)), EXPECT_AT(HV_SIMP, 8, 0),
                 VMR_WRMSR(HV_MSR_SIEFP, ON_AT(HV_PAGE_2)), EXPECT_AT(HV_PAGE_2, 8, 0),
                 VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, ON_AT(HV_PAGE_1)), EXPECT_AT(HV_PAGE_1, 8, 0), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &forgets, NULL);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "no power off");
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    (void)conf_run_to_end(vm, 0);
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "overlay", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(the_message_pages_content_goes_with_it), .clauses = "OVL-1", .ids = "S16"},
    {SCENARIO(the_event_pages_content_goes_with_it), .clauses = "OVL-1", .ids = "S16"},
    {SCENARIO(the_assist_pages_content_goes_with_it), .clauses = "OVL-1 HV-7"},
    {SCENARIO(enabling_a_page_where_it_is_changes_nothing), .clauses = "OVL-1", .ids = "S16"},
    {SCENARIO(messages_and_flags_find_a_page_that_has_moved), .clauses = "OVL-1 SYN-2 SYN-8"},
    {SCENARIO(the_first_and_the_last_page_of_ram_will_do), .clauses = "OVL-1 OVL-2"},
    {SCENARIO(a_bad_place_is_refused_and_the_page_stays), .clauses = "OVL-2", .ids = "S16"},
    {SCENARIO(a_page_that_is_off_may_name_any_place), .clauses = "OVL-2"},
    {SCENARIO(a_message_waits_for_a_page_whose_ram_is_gone), .clauses = "OVL-3 OVL-2"},
    {SCENARIO(flags_are_lost_with_their_ram_and_no_longer), .clauses = "OVL-3"},
    {SCENARIO(pages_go_on_in_ram_that_comes_back), .clauses = "OVL-3 MEM-4", .ids = "CVE-2013-1797"},
    {SCENARIO(all_pages_survive_the_loss_of_their_ram), .clauses = "OVL-3"},
    {SCENARIO(a_page_may_move_while_a_message_comes), .clauses = "OVL-1 SYN-7", .flags = CONF_EXPLORE},
    {SCENARIO(a_reset_takes_the_pages_and_their_content), .clauses = "OVL-4"},
};

CONF_FAMILY(overlay, scenarios);
