/* SPDX-License-Identifier: MIT */
/* Flushing the translations of other processors (TLFS, HvCallFlushVirtualAddressSpace and its relatives). */

#include "conformance/scenarios/hv_words.h"

#define FAST HV_CONTROL_FAST
#define SPACE HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE
#define LIST HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST
#define SPACE_EX HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX
#define ALL_PROCESSORS 1u
#define VARIABLE(words) ((uint64_t)(words) << HV_CONTROL_VARIABLE_SHIFT)
#define REPS(count) ((uint64_t)(count) << HV_CONTROL_REP_COUNT_SHIFT)

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
                 HV_EXPECT_CALL(SPACE_EX | VARIABLE(1), HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER), VMR_END());

    hv_run(conf, &program);
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

static void a_flush_reaches_a_vp_in_the_guest(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    CONF_PROGRAM(flusher, HV_OPEN(), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), INPUT(0, 2),
                 HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0), VMR_STORE(WORD_GO, 4, 1), VMR_END());
    CONF_PROGRAM(spinner, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    struct pair pair = {.conf = conf, .vm = conf_vm_create(conf, &options)};

    CONF_REQUIRE(conf, pair.vm && conf_load(pair.vm, 0, &flusher) && conf_load(pair.vm, 1, &spinner), "no VM");
    struct vmr_thread *thread = conf_thread(conf, run_vp_1, &pair);

    CONF_REQUIRE(conf, thread && conf_bind(pair.vm, 0), "no VPs");
    (void)conf_run_to_end(pair.vm, 0);
    conf_join(conf, thread);
    struct vmr_mock *mock = conf_mock(pair.vm);

    if (mock) {
        CONF_CHECK_EQ(conf, vmr_mock_flushes(mock, 1), 1, "flushes of the VP that was named");
        CONF_CHECK_EQ(conf, vmr_mock_flushes(mock, 0), 0, "flushes of the one that was not");
    }
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
    {.name = "a_flush_reaches_a_vp_in_the_guest",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_NONE,
     .run = a_flush_reaches_a_vp_in_the_guest},
    {.name = "mutual_flushes_end",
     .family = "flush",
     .clauses = "HC-5",
     .needs = NEEDS,
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_NONE,
     .run = mutual_flushes_end},
};

CONF_FAMILY(flush, scenarios);
