/* SPDX-License-Identifier: MIT */
/*
 * The reference time: the counter that a guest reads by MSR, and the page from
 * which it computes the same from its TSC (TLFS, Timers). The guest keeps what
 * it reads in words; what a guest would compute, the host computes here.
 */

#include "conformance/scenarios/synic_words.h"

#define MSR_TSC 0x10u
#define PAGE HV_PAGE_1
#define ISLAND UINT64_C(0x400000) /* RAM that is taken away */
#define ON_AT(gpa) ((gpa) | HV_PAGE_ENABLE)
#define MS UINT64_C(10000) /* in units of 100 ns */

/* The guest keeps an MSR in word n. Two steps, variable 4. */
#define KEEP_MSR(n, msr) VMR_RDMSR(4, msr), VMR_STORE_VAR(WORD(n), 8, 4)
#define KEEP_TIME(n) KEEP_MSR(n, HV_MSR_TIME_REF_COUNT)
/* The counter, the TSC, the counter: words n to n + 2. Six steps. */
#define KEEP_BOTH(n) KEEP_TIME(n), KEEP_MSR((n) + 1, MSR_TSC), KEEP_TIME((n) + 2)

/* A VM whose configuration knows how fast the TSC runs. NULL: failed, or skipped. */
static struct conf_vm *tsc_vm(struct conf *conf, uint32_t vps, const struct vmr_program *program)
{
    const struct vmr_hv_config config = {.tsc_hz = vmr_handle_tsc_hz(conf->handle)};
    const struct conf_vm_options options = {.vps = vps, .hv = &config};

    if (config.tsc_hz == 0) {
        conf_skip(conf, "the hypervisor does not say how fast a guest's TSC runs");
        return NULL;
    }
    return vm_about_to_run(conf, &options, program);
}

/* --- the counter --- */

static void the_counter_rises_and_is_the_hosts(struct conf *conf)
{
    CONF_PROGRAM(reads, KEEP_TIME(0), KEEP_TIME(1), KEEP_TIME(2), VMR_CHECKPOINT(1), KEEP_TIME(3), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &reads, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    uint64_t before = vmr_synic_time(synic_of(vm));

    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    uint64_t after = vmr_synic_time(synic_of(vm));

    CONF_CHECK(conf, before <= word(vm, 0) && word(vm, 3) <= after, "the guest's time is not between the host's");
    for (unsigned i = 0; i < 3; i++)
        CONF_CHECK(conf, word(vm, i) <= word(vm, i + 1), "reading %u went back", i + 1);
}

static void the_counter_counts_100_ns(struct conf *conf)
{
    const struct vmr_host *host = conf->host;
    CONF_PROGRAM(reads_twice, KEEP_TIME(0), VMR_POWER_OFF(), KEEP_TIME(1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &reads_twice, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    uint64_t outer_ns = host->ops->now_ns(host->context);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    uint64_t inner_ns = host->ops->now_ns(host->context);

    while (host->ops->now_ns(host->context) < inner_ns + 5000000 && !conf_over(conf))
        conf_pause(conf);
    uint64_t inner = host->ops->now_ns(host->context) - inner_ns;

    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    uint64_t outer = host->ops->now_ns(host->context) - outer_ns, counted = word(vm, 1) - word(vm, 0);

    CONF_CHECK(conf, counted + 1 >= inner / 100 && counted <= outer / 100 + 1, "%llu units in %llu to %llu ns",
               (unsigned long long)counted, (unsigned long long)inner, (unsigned long long)outer);
}

static void the_counter_cannot_be_written(struct conf *conf)
{
    CONF_PROGRAM(writes, HV_REFUSED_MSR(HV_MSR_TIME_REF_COUNT, 0), HV_REFUSED_MSR(HV_MSR_TIME_REF_COUNT, 5), VMR_END());

    hv_run(conf, &writes);
}

static void all_vps_read_one_counter(struct conf *conf)
{
    APIC_PROGRAM(first, VMR_EOI_XAPIC, APIC_ON(), KEEP_TIME(0), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD(8), 4, 1),
                 KEEP_TIME(2), VMR_END());
    APIC_PROGRAM(second, VMR_EOI_XAPIC, KEEP_TIME(1), VMR_STORE(WORD(8), 4, 1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 2, &first, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    run_pair(vm, &second);
    CONF_CHECK(conf, word(vm, 0) <= word(vm, 1) && word(vm, 1) <= word(vm, 2), "%llu, %llu, %llu",
               (unsigned long long)word(vm, 0), (unsigned long long)word(vm, 1), (unsigned long long)word(vm, 2));
}

/* --- pause, resume, set --- */

static void paused_time_stands_still(struct conf *conf)
{
    CONF_PROGRAM(reads_thrice, KEEP_TIME(0), VMR_POWER_OFF(), KEEP_TIME(1), VMR_POWER_OFF(), KEEP_TIME(2), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &reads_thrice, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic *synic = synic_of(vm);

    vmr_synic_time_set(synic, 5 * MS);
    vmr_synic_time_pause(synic);
    vmr_synic_time_pause(synic);
    uint64_t paused = vmr_synic_time(synic);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    for (unsigned i = 0; i < 3; i++)
        conf_pause(conf);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    vmr_synic_time_resume(synic);
    vmr_synic_time_resume(synic);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    CONF_CHECK(conf, paused >= 5 * MS, "paused at %llu", (unsigned long long)paused);
    CONF_CHECK_EQ(conf, word(vm, 0), paused, "the first reading");
    CONF_CHECK_EQ(conf, word(vm, 1), paused, "the second");
    CONF_CHECK(conf, word(vm, 2) >= paused && word(vm, 2) <= vmr_synic_time(synic), "it went on at %llu",
               (unsigned long long)word(vm, 2));
}

static void time_goes_on_from_what_it_is_set_to(struct conf *conf)
{
    CONF_PROGRAM(reads_set, KEEP_TIME(0), VMR_POWER_OFF(), KEEP_TIME(1), VMR_END());
    struct conf_vm *vm = synic_vm(conf, 1, &reads_set, NULL);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_synic *synic = synic_of(vm);

    vmr_synic_time_set(synic, UINT64_C(1) << 50);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    vmr_synic_time_pause(synic);
    vmr_synic_time_set(synic, 77);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    CONF_CHECK(conf, word(vm, 0) >= UINT64_C(1) << 50 && word(vm, 0) < UINT64_C(1) << 51, "set, then read as %#llx",
               (unsigned long long)word(vm, 0));
    CONF_CHECK_EQ(conf, word(vm, 1), 77, "set while it was paused");
}

/* --- the page --- */

/* (a * b) >> 64, in digits of 32 bits. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t cross = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    uint64_t other = (a & UINT32_MAX) * (b >> 32) + (cross & UINT32_MAX);

    return (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
}

struct tsc_page {
    uint32_t sequence;
    uint64_t scale, offset;
};

/* Scenarios run where the library does: guest and host have one byte order. */
static struct tsc_page page_at(const struct conf_vm *vm, vmr_gpa gpa)
{
    struct tsc_page page = {.sequence = UINT32_MAX};

    CONF_CHECK(vm->conf,
               vmr_memory_read(vm->memory, gpa, &page.sequence, 4) == VMR_OK &&
                   vmr_memory_read(vm->memory, gpa + HV_TSC_SCALE_OFFSET, &page.scale, 8) == VMR_OK &&
                   vmr_memory_read(vm->memory, gpa + HV_TSC_OFFSET_OFFSET, &page.offset, 8) == VMR_OK,
               "the page is gone");
    return page;
}

/* What the guest kept at words n to n + 2 agrees with the page. */
static void expect_agreement(struct conf_vm *vm, const struct tsc_page *page, unsigned n)
{
    uint64_t before = word(vm, n), after = word(vm, n + 2);
    uint64_t computed = multiply_high(word(vm, n + 1), page->scale) + page->offset;

    CONF_CHECK(vm->conf, page->sequence != HV_TSC_SEQUENCE_INVALID && page->sequence != UINT32_MAX,
               "the page is not valid");
    CONF_CHECK(vm->conf, before <= computed && computed <= after, "the counter says %llu to %llu, the page %llu",
               (unsigned long long)before, (unsigned long long)after, (unsigned long long)computed);
}

static void the_page_agrees_with_the_counter(struct conf *conf)
{
    CONF_PROGRAM(compares, VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(0, HV_ACCESS_REFERENCE_TSC, HV_ACCESS_REFERENCE_TSC),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)),
                 KEEP_BOTH(0), KEEP_BOTH(3), VMR_POWER_OFF(), KEEP_BOTH(6), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &compares);

    if (!vm)
        return;
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    for (unsigned i = 0; i < 5; i++)
        conf_pause(conf);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page page = page_at(vm, PAGE);

    expect_agreement(vm, &page, 0);
    expect_agreement(vm, &page, 3);
    expect_agreement(vm, &page, 6);
    CONF_CHECK(conf, word(vm, 6) > word(vm, 0), "no time has passed");
}

static void the_page_moves(struct conf *conf)
{
    CONF_PROGRAM(moves, VMR_WRMSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), KEEP_BOTH(0), VMR_POWER_OFF(),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(HV_PAGE_2)), KEEP_BOTH(3), VMR_POWER_OFF(),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, 0), HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, 0), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &moves);

    if (!vm)
        return;
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    const struct tsc_page first = page_at(vm, PAGE);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    const struct tsc_page second = page_at(vm, HV_PAGE_2);

    expect_agreement(vm, &first, 0);
    expect_agreement(vm, &second, 3);
    CONF_CHECK(conf, first.sequence != second.sequence, "another place with the same sequence");
    (void)conf_run_to_end(vm, 0);
}

static void after_a_jump_the_page_agrees_again(struct conf *conf)
{
    CONF_PROGRAM(jumps, VMR_WRMSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), KEEP_BOTH(0), VMR_POWER_OFF(), KEEP_BOTH(3),
                 VMR_POWER_OFF(), KEEP_BOTH(6), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &jumps);

    if (!vm)
        return;
    struct vmr_synic *synic = synic_of(vm);

    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    const struct tsc_page first = page_at(vm, PAGE);

    vmr_synic_time_set(synic, UINT64_C(1) << 40);
    /* Offloaded, the hypervisor does that on the way in. */
    if (!vmr_caps_have(&conf->caps, VMR_CAP_HV_OFFLOAD))
        CONF_CHECK_EQ(conf, page_at(vm, PAGE).sequence, HV_TSC_SEQUENCE_INVALID, "the sequence until a VP runs");
    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    const struct tsc_page second = page_at(vm, PAGE);

    vmr_synic_time_pause(synic);
    for (unsigned i = 0; i < 3; i++)
        conf_pause(conf);
    vmr_synic_time_resume(synic);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page third = page_at(vm, PAGE);

    expect_agreement(vm, &first, 0);
    expect_agreement(vm, &second, 3);
    expect_agreement(vm, &third, 6);
    CONF_CHECK(conf, word(vm, 3) >= UINT64_C(1) << 40, "the time was not set");
    CONF_CHECK(conf, first.sequence != second.sequence && second.sequence != third.sequence,
               "a sequence that was used already");
}

/* Both put it where they like, at any time: one of the places has it, valid, and both are told what they wrote. */
static void two_vps_may_place_the_page_at_once(struct conf *conf)
{
    APIC_PROGRAM(first, VMR_EOI_XAPIC, APIC_ON(), VMR_START_VP(1), HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)),
                 VMR_SPIN_UNTIL(WORD(8), 4, 1), KEEP_MSR(0, HV_MSR_REFERENCE_TSC), KEEP_BOTH(1), VMR_END());
    APIC_PROGRAM(second, VMR_EOI_XAPIC, HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(HV_PAGE_2)),
                 VMR_STORE(WORD(8), 4, 1), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 2, &first);

    if (!vm)
        return;
    run_pair(vm, &second);
    uint64_t last = word(vm, 0);
    const struct tsc_page page = page_at(vm, last & HV_PAGE_ADDRESS);

    CONF_CHECK(conf, last == ON_AT(PAGE) || last == ON_AT(HV_PAGE_2), "the register says %#llx",
               (unsigned long long)last);
    expect_agreement(vm, &page, 1);
}

/* Memory that goes and comes back under the page meanwhile. */
static void remove_and_add(void *argument)
{
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = VMR_PAGE_SIZE};
    const struct conf_vm *vm = argument;

    CONF_CHECK_EQ(vm->conf, vmr_memory_region_remove(vm->memory, ISLAND, NULL), VMR_OK, "removing a region");
    CONF_CHECK_EQ(vm->conf, vmr_memory_region_add(vm->memory, &island, NULL), VMR_OK, "adding it");
}

/* What the register says is so: where it names a place the page is there and right, else nobody writes anywhere. */
static void check_place(struct conf_vm *vm)
{
    struct conf *conf = vm->conf;
    uint64_t place = 0;

    CONF_REQUIRE(conf,
                 vmr_hv_guest_msr_read(vmr_partition_hv(vm->partition), 0, VMR_VTL0, HV_MSR_REFERENCE_TSC, &place) ==
                     VMR_MSR_OK,
                 "the register is not read");
    CONF_CHECK(conf, place == 0 || place == ON_AT(ISLAND), "the register says %#llx", (unsigned long long)place);
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, ISLAND, 0, VMR_PAGE_SIZE) == VMR_OK, "no RAM");
    vmr_synic_time_set(synic_of(vm), UINT64_C(1) << 40);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page page = page_at(vm, ISLAND);

    if (place)
        expect_agreement(vm, &page, 0);
    else
        CONF_CHECK(conf, page.sequence == 0 && page.scale == 0 && page.offset == 0, "a page that is off was written");
}

/* Whether there is RAM at the time of a write is chance. */
static void two_vps_turn_the_page_on_and_off_while_its_ram_goes(struct conf *conf)
{
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = VMR_PAGE_SIZE};
    CONF_PROGRAM(first, VMR_WRMSR(HV_MSR_REFERENCE_TSC, ON_AT(ISLAND)), VMR_POWER_OFF(),
                 VMR_WRMSR(HV_MSR_REFERENCE_TSC, 0), VMR_POWER_OFF(), KEEP_BOTH(0), VMR_END());
    CONF_PROGRAM(second, VMR_WRMSR(HV_MSR_REFERENCE_TSC, ON_AT(ISLAND)), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 2, &first);

    if (!vm)
        return;
    CONF_REQUIRE(conf,
                 vmr_memory_region_add(vm->memory, &island, NULL) == VMR_OK && conf_load(vm, 1, &second) &&
                     run_to_power_off(vm),
                 "no page");
    struct vmr_thread *remover = conf_thread(conf, remove_and_add, vm), *other = conf_thread(conf, run_second, vm);

    CONF_REQUIRE(conf, remover && other, "no threads");
    CONF_CHECK(conf, run_to_power_off(vm), "no power off");
    conf_join(conf, remover);
    conf_join(conf, other);
    check_place(vm);
}

static void a_bad_place_is_refused(struct conf *conf)
{
    CONF_PROGRAM(bad, HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(HV_NO_RAM)), HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, 0),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, PAGE | 3u),
                 HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, PAGE | 0xff9u),
                 HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, ~UINT64_C(0xffe)),
                 HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), KEEP_BOTH(0), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &bad);

    if (!vm)
        return;
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page page = page_at(vm, PAGE);

    expect_agreement(vm, &page, 0);
}

/* A place that was refused is none when it becomes RAM, whatever has to be written to the page by then. */
static void a_place_that_was_refused_gets_no_update(struct conf *conf)
{
    const struct vmr_memory_region late = {.gpa = ISLAND, .size = VMR_PAGE_SIZE};
    CONF_PROGRAM(refused, HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(ISLAND)), VMR_POWER_OFF(),
                 HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, 0), EXPECT_AT(ISLAND, 8, 0),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)),
                 HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(HV_NO_RAM)), VMR_POWER_OFF(),
                 HV_EXPECT_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), KEEP_BOTH(0), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &refused);

    if (!vm)
        return;
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    CONF_CHECK_EQ(conf, vmr_memory_region_add(vm->memory, &late, NULL), VMR_OK, "adding a region");
    vmr_synic_time_set(synic_of(vm), UINT64_C(1) << 40);
    CONF_REQUIRE(conf, run_to_power_off(vm), "no second power off");
    vmr_synic_time_set(synic_of(vm), UINT64_C(1) << 41);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page page = page_at(vm, PAGE);

    expect_agreement(vm, &page, 0);
    for (uint32_t offset = 0; offset < VMR_PAGE_SIZE; offset += 4)
        CONF_CHECK_EQ(conf, guest_word(vm, ISLAND + offset), 0, "a word of the place that was refused");
}

/* The RAM under the page goes, then the time jumps: what would have been written is not, and nothing else suffers. */
static void a_jump_without_the_pages_ram_harms_nobody(struct conf *conf)
{
    const struct vmr_memory_region island = {.gpa = ISLAND, .size = VMR_PAGE_SIZE};
    CONF_PROGRAM(stranded, HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(ISLAND)), VMR_POWER_OFF(), VMR_CHECKPOINT(1),
                 HV_ACCEPTED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), KEEP_BOTH(0), VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &stranded);

    if (!vm)
        return;
    CONF_CHECK_EQ(conf, vmr_memory_region_add(vm->memory, &island, NULL), VMR_OK, "adding a region");
    CONF_REQUIRE(conf, run_to_power_off(vm), "no power off");
    CONF_CHECK_EQ(conf, vmr_memory_region_remove(vm->memory, island.gpa, NULL), VMR_OK, "removing it");
    vmr_synic_time_set(synic_of(vm), UINT64_C(1) << 40);
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    const struct tsc_page page = page_at(vm, PAGE);

    expect_agreement(vm, &page, 0);
}

static void without_a_known_tsc_there_is_no_page(struct conf *conf)
{
    CONF_PROGRAM(none, VMR_CPUID(HV_CPUID_FEATURES, 0), VMR_EXPECT_MASK(0, HV_ACCESS_REFERENCE_TSC, 0),
                 HV_REFUSED_MSR(HV_MSR_REFERENCE_TSC, ON_AT(PAGE)), VMR_RDMSR(6, HV_MSR_REFERENCE_TSC), HV_FAULT(),
                 VMR_RDMSR(6, HV_MSR_TSC_FREQUENCY), HV_FAULT(), VMR_END());

    hv_run(conf, &none);
}

static void the_frequency_is_the_configured_one(struct conf *conf)
{
    CONF_PROGRAM(frequency, KEEP_MSR(0, HV_MSR_TSC_FREQUENCY), HV_NO_FAULT(), HV_REFUSED_MSR(HV_MSR_TSC_FREQUENCY, 1),
                 VMR_END());
    struct conf_vm *vm = tsc_vm(conf, 1, &frequency);

    if (!vm)
        return;
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "no end");
    CONF_CHECK_EQ(conf, word(vm, 0), vmr_handle_tsc_hz(conf->handle), "the frequency");
}

#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "reference-time", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(the_counter_rises_and_is_the_hosts), .clauses = "TIME-1"},
    {SCENARIO(the_counter_counts_100_ns), .clauses = "TIME-1"},
    {SCENARIO(the_counter_cannot_be_written), .clauses = "TIME-1"},
    {SCENARIO(all_vps_read_one_counter), .clauses = "TIME-1"},
    {SCENARIO(paused_time_stands_still), .clauses = "TIME-2", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(time_goes_on_from_what_it_is_set_to), .clauses = "TIME-2", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(the_page_agrees_with_the_counter), .clauses = "TIME-3"},
    {SCENARIO(the_page_moves), .clauses = "TIME-3 TIME-4 OVL-1"},
    {SCENARIO(after_a_jump_the_page_agrees_again), .clauses = "TIME-3 TIME-4"},
    {SCENARIO(two_vps_may_place_the_page_at_once), .clauses = "TIME-3 OVL-1"},
    {.name = "two_vps_turn_the_page_on_and_off_while_its_ram_goes",
     .family = "reference-time",
     .ids = "CVE-2025-58143",
     .clauses = "OVL-3 TIME-3 MEM-4",
     .needs = HV_NEEDS,
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_NONE,
     .run = two_vps_turn_the_page_on_and_off_while_its_ram_goes},
    {SCENARIO(a_place_that_was_refused_gets_no_update), .clauses = "OVL-2 TIME-4", .ids = "CVE-2025-27466"},
    {SCENARIO(a_bad_place_is_refused), .clauses = "OVL-2 TIME-3"},
    {SCENARIO(a_jump_without_the_pages_ram_harms_nobody), .clauses = "OVL-3 TIME-4"},
    {SCENARIO(without_a_known_tsc_there_is_no_page), .clauses = "TIME-3"},
    {SCENARIO(the_frequency_is_the_configured_one), .clauses = "HV-4"},
};

CONF_FAMILY(reference_time, scenarios);
