/* SPDX-License-Identifier: MIT */
/*
 * MSRs: what nobody knows faults where the guest can see it, what the embedder
 * asked for reaches it whole, and everything else is the hypervisor's.
 */

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/msr_words.h"

#include <string.h>

#define UNKNOWN 0x12345u
#define SYSENTER_CS 0x174u
#define SYSENTER_ESP 0x175u
#define SYSENTER_EIP 0x176u
#define LSTAR 0xc0000082u
#define MTRR_HOLE 0x2f8u                  /* between the fixed ranges and the default type (Intel SDM vol. 4) */
#define X2APIC_HOLE 0x840u                /* behind the last register of a local APIC in x2APIC mode */
#define X2APIC_END 0xc00u                 /* of the range that is set aside for them */
#define FAULT 14u                         /* #GP, vector 13, plus one */
#define WIDE UINT64_C(0xffff8123456789a8) /* canonical: LSTAR and the SYSENTER pair take it */

#define EXPECT_FAULT(x) VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, (x))

/* --- nobody's --- */

static void unknown_faults(struct conf *conf)
{
    CONF_PROGRAM(unknown, VMR_SET(0, 5), VMR_RDMSR(0, UNKNOWN), EXPECT_FAULT(FAULT), VMR_EXPECT(0, 0), VMR_SET(1, 6),
                 VMR_WRMSR(UNKNOWN, WIDE), EXPECT_FAULT(FAULT), VMR_EXPECT(1, 6), VMR_WRMSR(SYSENTER_CS, 0x10),
                 EXPECT_FAULT(0), VMR_RDMSR(2, SYSENTER_CS), EXPECT_FAULT(0), VMR_EXPECT(2, 0x10), VMR_CHECKPOINT(1),
                 VMR_END());

    if (conf_run_program(conf, NULL, &unknown))
        conf_note(conf, "reads and writes of an unknown MSR fault; what follows goes on");
}

static bool is_no_msr(uint32_t msr)
{
    (void)msr;
    return false;
}

/* Holes in, and what lies behind, ranges that a table would be indexed by: MTRRs, registers of a local APIC. */
static void holes_fault(struct conf *conf)
{
    CONF_PROGRAM(to_x2apic, X2APIC_ON(APIC_BASE_BSP), EXPECT_FAULT(0));

    msr_sweep(conf, NULL, NULL, MTRR_HOLE, 1, is_no_msr);
    msr_sweep(conf, NULL, &to_x2apic, X2APIC_HOLE, X2APIC_END - X2APIC_HOLE, is_no_msr);
}

/* --- the embedder's --- */

struct msr_log {
    struct conf *conf;
    uint32_t reads, writes, strangers;
    uint32_t last_read, last_write;
    uint64_t values[8];
    uint64_t answer;
    enum vmr_msr_result result;
};

static bool is_expected(uint32_t index)
{
    return index == UNKNOWN || index == SYSENTER_ESP;
}

static enum vmr_msr_result log_read(void *context, struct vmr_vp *vp, uint32_t index, uint64_t *ret_value)
{
    struct msr_log *log = context;

    CONF_CHECK_EQ(log->conf, vmr_vp_get_index(vp), 0, "the VP that read");
    log->strangers += !is_expected(index);
    log->reads++;
    log->last_read = index;
    *ret_value = log->answer;
    return log->result;
}

static enum vmr_msr_result log_write(void *context, struct vmr_vp *vp, uint32_t index, uint64_t value)
{
    struct msr_log *log = context;

    CONF_CHECK_EQ(log->conf, vmr_vp_get_index(vp), 0, "the VP that wrote");
    log->strangers += !is_expected(index);
    if (log->writes < 8)
        log->values[log->writes] = value;
    log->writes++;
    log->last_write = index;
    return log->result;
}

/* Runs `program` with the middle of three MSRs that the hypervisor knows, and one it does not, in the exit list. */
static bool run_logged(struct conf *conf, struct msr_log *log, const struct vmr_program *program)
{
    static const struct vmr_msr_range exits[] = {{.first = SYSENTER_ESP, .count = 1}, {.first = UNKNOWN, .count = 1}};
    const struct conf_vm_options options = {
        .msr_exits = exits, .msr_exit_count = 2, .io = {.msr_read = log_read, .msr_write = log_write, .context = log}};

    log->conf = conf;
    return conf_run_program(conf, &options, program);
}

static void listed_reach_the_embedder(struct conf *conf)
{
    CONF_PROGRAM(listed, VMR_WRMSR(SYSENTER_ESP, WIDE), EXPECT_FAULT(0), VMR_RDMSR(0, SYSENTER_ESP), EXPECT_FAULT(0),
                 VMR_EXPECT(0, UINT64_C(0xfedcba9876543210)), VMR_WRMSR(UNKNOWN, UINT64_C(0x8000000000000001)),
                 EXPECT_FAULT(0), VMR_RDMSR(1, UNKNOWN), VMR_EXPECT(1, UINT64_C(0xfedcba9876543210)),
                 VMR_EXPECT(0, UINT64_C(0xfedcba9876543210)), VMR_END());
    struct msr_log log = {.answer = UINT64_C(0xfedcba9876543210), .result = VMR_MSR_OK};

    CONF_REQUIRE(conf, run_logged(conf, &log, &listed), "the guest failed");
    CONF_CHECK_EQ(conf, log.reads, 2, "reads");
    CONF_CHECK_EQ(conf, log.writes, 2, "writes");
    CONF_CHECK_EQ(conf, log.values[0], WIDE, "the first value written");
    CONF_CHECK_EQ(conf, log.values[1], UINT64_C(0x8000000000000001), "the second value written");
    CONF_CHECK_EQ(conf, log.last_read, UNKNOWN, "the last MSR read");
    CONF_CHECK_EQ(conf, log.last_write, UNKNOWN, "the last MSR written");
}

static void neighbours_do_not(struct conf *conf)
{
    CONF_PROGRAM(neighbours, VMR_WRMSR(SYSENTER_CS, 0x18), EXPECT_FAULT(0), VMR_WRMSR(SYSENTER_EIP, WIDE),
                 EXPECT_FAULT(0), VMR_RDMSR(0, SYSENTER_CS), VMR_EXPECT(0, 0x18), VMR_RDMSR(0, SYSENTER_EIP),
                 VMR_EXPECT(0, WIDE), VMR_RDMSR(0, SYSENTER_ESP), VMR_EXPECT(0, 77), VMR_END());
    struct msr_log log = {.answer = 77, .result = VMR_MSR_OK};

    CONF_REQUIRE(conf, run_logged(conf, &log, &neighbours), "the guest failed");
    CONF_CHECK_EQ(conf, log.strangers, 0, "accesses to MSRs that nobody asked for");
    CONF_CHECK(conf, log.reads == 1 && log.writes == 0, "%u reads, %u writes", log.reads, log.writes);
}

static void refusals_fault(struct conf *conf)
{
    CONF_PROGRAM(refused, VMR_RDMSR(0, SYSENTER_ESP), EXPECT_FAULT(FAULT), VMR_EXPECT(0, 0), VMR_WRMSR(SYSENTER_ESP, 1),
                 EXPECT_FAULT(FAULT), VMR_RDMSR(0, UNKNOWN), EXPECT_FAULT(FAULT), VMR_WRMSR(UNKNOWN, 1),
                 EXPECT_FAULT(FAULT), VMR_END());
    struct msr_log log = {.answer = 0x666, .result = VMR_MSR_FAULT};
    struct msr_log other = {.answer = 0x666, .result = VMR_MSR_NOT_MINE};

    CONF_CHECK(conf, run_logged(conf, &log, &refused), "a fault");
    CONF_CHECK(conf, log.reads == 2 && log.writes == 2, "%u reads, %u writes", log.reads, log.writes);
    if (vmr_caps_have(&conf->caps, VMR_CAP_MULTI_VM))
        CONF_CHECK(conf, run_logged(conf, &other, &refused), "one that the embedder does not know either");
}

/* --- the hypervisor's --- */

static void from_outside(struct conf *conf)
{
    CONF_PROGRAM(in_and_out, VMR_WRMSR(LSTAR, WIDE), EXPECT_FAULT(0), VMR_POWER_OFF(), VMR_RDMSR(0, LSTAR),
                 EXPECT_FAULT(0), VMR_EXPECT(0, WIDE + 8), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_run_result result;
    uint64_t value = 0;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &in_and_out) && conf_bind(vm, 0) && conf_run(vm, 0, NULL, &result),
                 "no VM");
    CONF_REQUIRE(conf, result.reason == VMR_HALT_POWER_OFF, "%s", vmr_halt_reason_name(result.reason));
    CONF_CHECK(conf, vmr_vp_get_msr(vm->vps[0], LSTAR, &value) == VMR_OK, "not read");
    CONF_CHECK_EQ(conf, value, WIDE, "what the guest wrote");
    CONF_CHECK(conf, vmr_vp_set_msr(vm->vps[0], LSTAR, WIDE + 8) == VMR_OK, "not written");
    CONF_CHECK(conf, vmr_vp_get_msr(vm->vps[0], UNKNOWN, &value) == VMR_E_GUEST && value == WIDE,
               "an unknown MSR was read as %#llx", (unsigned long long)value);
    CONF_CHECK(conf, vmr_vp_set_msr(vm->vps[0], UNKNOWN, 1) == VMR_E_GUEST, "an unknown MSR was written");
    (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "an_unknown_msr_faults_in_the_guest",
     .family = "msr",
     .clauses = "MSR-1 PROG-1",
     .needs = CONF_CAP(MSR_FAULT),
     .chip = CONF_CHIP_ANY,
     .run = unknown_faults},
    {.name = "an_msr_in_a_hole_of_a_range_faults",
     .family = "msr",
     .ids = "CVE-2014-7188 CVE-2016-3713",
     .clauses = "MSR-1",
     .needs = CONF_CAP(MSR_FAULT),
     .chip = CONF_CHIP_ANY,
     .run = holes_fault},
    {.name = "listed_msrs_reach_the_embedder_whole",
     .family = "msr",
     .clauses = "MSR-2",
     .needs = CONF_CAP(MSR_EXIT),
     .chip = CONF_CHIP_ANY,
     .run = listed_reach_the_embedder},
    {.name = "the_neighbours_of_a_listed_msr_stay_in_the_hypervisor",
     .family = "msr",
     .clauses = "MSR-2",
     .needs = CONF_CAP(MSR_EXIT),
     .chip = CONF_CHIP_ANY,
     .run = neighbours_do_not},
    {.name = "an_msr_that_the_embedder_refuses_faults",
     .family = "msr",
     .clauses = "MSR-1 MSR-2",
     .needs = CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT),
     .chip = CONF_CHIP_ANY,
     .run = refusals_fault},
    {.name = "msrs_are_read_and_set_between_runs",
     .family = "msr",
     .clauses = "MSR-1 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = from_outside},
};

CONF_FAMILY(msr, scenarios);
