/* SPDX-License-Identifier: MIT */
/* Flushing the translations of other processors (TLFS, HvCallFlushVirtualAddressSpace and its relatives). */

#include "conformance/scenarios/hv_words.h"

#define FAST HV_CONTROL_FAST
#define SPACE HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE
#define LIST HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST
#define SPACE_EX HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX
#define LIST_EX HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX
#define ALL_PROCESSORS 1u
#define VARIABLE(words) ((uint64_t)(words) << HV_CONTROL_VARIABLE_SHIFT)
#define REPS(count) ((uint64_t)(count) << HV_CONTROL_REP_COUNT_SHIFT)
#define START(first) ((uint64_t)(first) << HV_CONTROL_REP_START_SHIFT)

/* Address space 0, flags, mask. Three steps. */
#define INPUT(flags, mask)                                                                                             \
    VMR_STORE(HV_INPUT, 8, 0), VMR_STORE(HV_INPUT + 8, 8, flags), VMR_STORE(HV_INPUT + 16, 8, mask)

static void good_calls_succeed_and_bad_ones_are_named(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VMR_CPUID(HV_CPUID_RECOMMENDATIONS, 0),
                 VMR_EXPECT_MASK(0, HV_RECOMMEND_REMOTE_FLUSH, HV_RECOMMEND_REMOTE_FLUSH), INPUT(0, 1),
                 HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0), INPUT(ALL_PROCESSORS, 0), HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0),
                 INPUT(0x10, 1), HV_EXPECT_CALL(SPACE, HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER), INPUT(0, 1),
                 HV_EXPECT_CALL(LIST | REPS(3), HV_INPUT, 0, HV_RESULT(0, 3)),
                 HV_EXPECT_CALL(LIST, HV_INPUT, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
                 /* Ex: format, banks, one word for each. */
                 INPUT(0, HV_GENERIC_SET_SPARSE_4K), VMR_STORE(HV_INPUT + 24, 8, 1), VMR_STORE(HV_INPUT + 32, 8, 1),
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, 0),
                 HV_EXPECT_CALL(SPACE_EX, HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER), INPUT(0, 2),
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER),
                 HV_EXPECT_CALL(LIST_EX | VARIABLE(1) | REPS(2), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER), VMR_END());

    hv_run(conf, &program);
}

/*
 * Addresses of no page: not canonical, and ranges that begin canonical and run
 * across the hole or the end of addresses (the low 12 bits say how many pages
 * follow). Which they are is nothing that could go wrong: all is flushed.
 */
#define ADDRESSES_AT(offset)                                                                                           \
    VMR_STORE(HV_INPUT + (offset), 8, UINT64_C(0xaaaaaaaaaaaaa000)),                                                   \
        VMR_STORE(HV_INPUT + (offset) + 8, 8, UINT64_C(0x00007ffffffff001)),                                           \
        VMR_STORE(HV_INPUT + (offset) + 16, 8, UINT64_C(0x00007fffffffffff)),                                          \
        VMR_STORE(HV_INPUT + (offset) + 24, 8, UINT64_C(0x0000800000000000)),                                          \
        VMR_STORE(HV_INPUT + (offset) + 32, 8, UINT64_MAX)
#define ADDRESSES 5u
#define EXTENDED_RANGE 8u

static void check_flushes(struct conf *conf, struct conf_vm *vm, uint32_t count)
{
    if (vm && conf_run_to_end(vm, 0) && conf_mock(vm))
        CONF_CHECK_EQ(conf, vmr_mock_flushes(conf_mock(vm), 0), count, "flushes of the VP");
}

static void a_list_may_name_addresses_of_no_page(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    CONF_PROGRAM(program, HV_OPEN(), INPUT(0, 1), ADDRESSES_AT(24),
                 HV_EXPECT_CALL(LIST | REPS(ADDRESSES), HV_INPUT, 0, HV_RESULT(0, ADDRESSES)),
                 HV_EXPECT_CALL(LIST | REPS(2) | START(1), HV_INPUT, 0, HV_RESULT(0, 2)), INPUT(EXTENDED_RANGE, 1),
                 HV_EXPECT_CALL(LIST | REPS(ADDRESSES), HV_INPUT, 0, HV_RESULT(0, ADDRESSES)),
                 INPUT(0, HV_GENERIC_SET_SPARSE_4K), VMR_STORE(HV_INPUT + 24, 8, 1), VMR_STORE(HV_INPUT + 32, 8, 1),
                 ADDRESSES_AT(40),
                 HV_EXPECT_CALL(LIST_EX | VARIABLE(1) | REPS(ADDRESSES), HV_INPUT, 0, HV_RESULT(0, ADDRESSES)),
                 VMR_END());

    check_flushes(conf, vm_about_to_run(conf, &options, &program), 4);
}

#define ALL_BANKS 64u
/* A set of one bank, at HV_INPUT. Five steps. */
#define BANK(bank, bits)                                                                                               \
    INPUT(0, HV_GENERIC_SET_SPARSE_4K), VMR_STORE(HV_INPUT + 24, 8, bank), VMR_STORE(HV_INPUT + 32, 8, bits)

/* VPs 64, 4095, and all 4096 that a set can name, of a partition with one. */
static void banks_beyond_the_last_vp_are_passed_over(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    CONF_PROGRAM(program, HV_OPEN(), BANK(2, 1), HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, 0),
                 HV_EXPECT_CALL(LIST_EX | VARIABLE(1) | REPS(1), HV_INPUT, 0, HV_RESULT(0, 1)),
                 BANK(UINT64_C(1) << 63, UINT64_C(1) << 63), HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, 0),
                 BANK(3, UINT64_MAX), HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER),
                 BANK(UINT64_MAX, UINT64_MAX),
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(ALL_BANKS - 1), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER),
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(ALL_BANKS + 1), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER),
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(ALL_BANKS), HV_INPUT, 0, 0),
                 HV_EXPECT_CALL(LIST_EX | VARIABLE(ALL_BANKS) | REPS(1), HV_INPUT, 0, HV_RESULT(0, 1)), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK(conf, vmr_memory_fill(vm->memory, HV_INPUT + 40, 0xff, 8 * (ALL_BANKS - 1)) == VMR_OK, "no words");
    check_flushes(conf, vm, 2);
}

/* VP 1 runs without exits; VP 0 flushes it, then lets it go on. */
struct pair {
    struct conf *conf;
    struct conf_vm *vm;
};

static void run_vp_1(void *argument)
{
    struct pair *pair = argument;

    if (conf_bind(pair->vm, 1)) {
        (void)conf_run_to_end(pair->vm, 1);
        conf_unbind(pair->vm, 1);
    }
}

/* VP 1 is flushed once, the flusher `own` times. */
static void flush_a_spinner(struct conf *conf, const struct vmr_program *flusher, unsigned own)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    CONF_PROGRAM(spinner, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    struct pair pair = {.conf = conf, .vm = conf_vm_create(conf, &options)};

    CONF_REQUIRE(conf, pair.vm && conf_load(pair.vm, 0, flusher) && conf_load(pair.vm, 1, &spinner), "no VM");
    struct vmr_thread *thread = conf_thread(conf, run_vp_1, &pair);

    CONF_REQUIRE(conf, thread && conf_bind(pair.vm, 0), "no VPs");
    (void)conf_run_to_end(pair.vm, 0);
    conf_join(conf, thread);
    struct vmr_mock *mock = conf_mock(pair.vm);

    if (mock) {
        CONF_CHECK_EQ(conf, vmr_mock_flushes(mock, 1), 1, "flushes of VP 1");
        CONF_CHECK_EQ(conf, vmr_mock_flushes(mock, 0), own, "flushes of the caller");
    }
    conf_vm_destroy(pair.vm);
}

static void a_flush_reaches_a_vp_in_the_guest(struct conf *conf)
{
    CONF_PROGRAM(flusher, HV_OPEN(), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), INPUT(0, 2),
                 HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0), VMR_STORE(WORD_GO, 4, 1), VMR_END());

    flush_a_spinner(conf, &flusher, 0);
}

#define SET_INPUT(format, banks, word0)                                                                                \
    INPUT(0, format), VMR_STORE(HV_INPUT + 24, 8, banks), VMR_STORE(HV_INPUT + 32, 8, word0)
/* One flush of the spinner, by a set. */
#define FLUSH_BY_SET(name, control, result, ...)                                                                       \
    CONF_PROGRAM(name, HV_OPEN(), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), SET_INPUT(__VA_ARGS__),                             \
                 HV_EXPECT_CALL(control, HV_INPUT, 0, result), VMR_STORE(WORD_GO, 4, 1), VMR_END())

static void a_set_names_processors_by_banks_or_all(struct conf *conf)
{
    FLUSH_BY_SET(space_banks, SPACE_EX | VARIABLE(1), 0, HV_GENERIC_SET_SPARSE_4K, 1, 2);
    FLUSH_BY_SET(list_banks, LIST_EX | VARIABLE(1) | REPS(2), HV_RESULT(0, 2), HV_GENERIC_SET_SPARSE_4K, 1, 2);
    FLUSH_BY_SET(space_all, SPACE_EX, 0, HV_GENERIC_SET_ALL, 0, 0);
    FLUSH_BY_SET(list_all, LIST_EX | REPS(2), HV_RESULT(0, 2), HV_GENERIC_SET_ALL, 0, 0);

    flush_a_spinner(conf, &space_banks, 0);
    flush_a_spinner(conf, &list_banks, 0);
    flush_a_spinner(conf, &space_all, 1);
    flush_a_spinner(conf, &list_all, 1);
}

/* Two VPs that flush each other do not wait for each other. */
static void mutual_flushes_end(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    CONF_PROGRAM(first, HV_OPEN(), VMR_STORE(WORD_GO, 4, 1), INPUT(ALL_PROCESSORS, 0),
                 HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0), VMR_END());
    CONF_PROGRAM(second, VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_STORE(HV_OUTPUT, 8, 0),
                 VMR_STORE(HV_OUTPUT + 8, 8, ALL_PROCESSORS), VMR_STORE(HV_OUTPUT + 16, 8, 0),
                 HV_EXPECT_CALL(SPACE, HV_OUTPUT, 0, 0), VMR_END());
    struct pair pair = {.conf = conf, .vm = conf_vm_create(conf, &options)};

    CONF_REQUIRE(conf, pair.vm && conf_load(pair.vm, 0, &first) && conf_load(pair.vm, 1, &second), "no VM");
    struct vmr_thread *thread = conf_thread(conf, run_vp_1, &pair);

    CONF_REQUIRE(conf, thread && conf_bind(pair.vm, 0), "no VPs");
    (void)conf_run_to_end(pair.vm, 0);
    conf_join(conf, thread);
}

#define NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT) | CONF_CAP(FLUSH))

static const struct conf_scenario scenarios[] = {
    {.name = "good_calls_succeed_and_bad_ones_are_named",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .without = CONF_CAP(HV_OFFLOAD),
     .chip = CONF_CHIP_ANY,
     .run = good_calls_succeed_and_bad_ones_are_named},
    {.name = "a_list_may_name_addresses_of_no_page",
     .family = "flush",
     .ids = "CVE-2025-38351",
     .clauses = "HC-5",
     .needs = NEEDS,
     .without = CONF_CAP(HV_OFFLOAD),
     .chip = CONF_CHIP_ANY,
     .run = a_list_may_name_addresses_of_no_page},
    {.name = "banks_beyond_the_last_vp_are_passed_over",
     .family = "flush",
     .ids = "CVE-2025-58147 CVE-2021-47390 CVE-2012-5511",
     .clauses = "HC-5",
     .needs = NEEDS,
     .without = CONF_CAP(HV_OFFLOAD),
     .chip = CONF_CHIP_ANY,
     .run = banks_beyond_the_last_vp_are_passed_over},
    {.name = "a_flush_reaches_a_vp_in_the_guest",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_NONE,
     .run = a_flush_reaches_a_vp_in_the_guest},
    {.name = "a_set_names_processors_by_banks_or_all",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .chip = CONF_CHIP_NONE,
     .run = a_set_names_processors_by_banks_or_all},
    {.name = "mutual_flushes_end",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_NONE,
     .run = mutual_flushes_end},
};

CONF_FAMILY(flush, scenarios);
