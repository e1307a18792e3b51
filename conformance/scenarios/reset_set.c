/* SPDX-License-Identifier: MIT */
/*
 * The reset of a VP set: all VPs on their threads, and what becomes of the halt
 * that was there.
 */

#include "conformance/scenarios/state_words.h"
#include "conformance/scenarios/vpset_vm.h"

#define VPS 3u
#define POWER_UP_GPA UINT64_C(0xfffffff0) /* Intel SDM vol. 3, 10.1.4 */

CONF_PROGRAM(asks_for_reset, VMR_STORE(VP_WORD(WORD_SEEN, 0), 4, 1), VMR_RESET(), VMR_END());
CONF_PROGRAM(spins_1, VMR_SPIN());
CONF_PROGRAM(spins_2, VMR_SPIN());
static const struct vmr_program *const programs[VPS] = {&asks_for_reset, &spins_1, &spins_2};
static const struct vmr_program *const all_spin[VPS] = {&spins_1, &spins_1, &spins_2};

static bool begin(struct vpset_vm *group, struct conf *conf, const struct vmr_program *const *which)
{
    return state_is_held(conf, VMR_VP_REGISTERS) &&
           vpset_begin(group, conf, &(struct conf_vm_options){.vps = VPS}, which);
}

static enum vmr_status prepare_again(void *argument, struct vmr_vp *vp)
{
    return vpset_prepare(argument, vp, NULL);
}

static enum vmr_status reset(const struct vpset_vm *group)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_vp_set_reset(group->set, &err);

    CONF_CHECK(group->vm->conf, (status == VMR_OK) == (err.message[0] == '\0'), "%s with '%s'", vmr_status_name(status),
               err.message);
    for (vmr_vp_index vp = 0; !status && vp < VPS; vp++)
        CONF_CHECK_EQ(group->vm->conf, vmr_vp_set_call(group->set, vp, prepare_again, group->vm), VMR_OK, "a VP");
    return status;
}

static void a_reset_forgets_the_halt(struct conf *conf)
{
    struct vpset_vm group;
    struct vmr_vp_set_halt halt;

    if (!begin(&group, conf, programs))
        return;
    for (unsigned i = 0; i < 2; i++) {
        vpset_start(&group);
        halt = vpset_wait(&group);
        CONF_CHECK(conf, halt.vp == 0 && halt.result.reason == VMR_HALT_RESET, "VP %u halted: %s", halt.vp,
                   vmr_halt_reason_name(halt.result.reason));
        CONF_CHECK_EQ(conf, reset(&group), VMR_OK, "the reset");
        CONF_CHECK_EQ(conf, vmr_vp_set_wait(group.set, VMR_NEVER, &halt), VMR_E_STATE, "waiting for no halt");
    }
    vpset_end(&group);
}

static void a_set_that_runs_is_not_reset(struct conf *conf)
{
    struct vpset_vm group;

    if (!begin(&group, conf, all_spin))
        return;
    vpset_start(&group);
    CONF_CHECK_EQ(conf, reset(&group), VMR_E_STATE, "a reset of a set that runs");
    CONF_CHECK(conf, vmr_partition_is_usable(group.vm->partition), "unusable, though nothing was done");
    vpset_stop(&group);
    CONF_CHECK_EQ(conf, reset(&group), VMR_OK, "a reset of one that is stopped");
    vpset_start(&group);
    vpset_stop(&group);
    vpset_end(&group);
}

/* Of the partition's part and each VP's, one fails: the others have theirs. */
static void a_halt_stays_until_a_reset_succeeds(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct vpset_vm group;
    struct vmr_vp_set_halt halt;

    if (!begin(&group, conf, programs))
        return;
    vpset_start(&group);
    halt = vpset_wait(&group);
    for (uint64_t nth = 1; nth <= 1 + VPS; nth++) {
        CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_RESET, nth) == VMR_OK, "no fault");
        CONF_CHECK_EQ(conf, reset(&group), VMR_E_HOST, "a reset that fails");
        CONF_CHECK_EQ(conf, vmr_mock_fault_count(&handle, VMR_MOCK_FAIL_RESET), nth == 1 ? 1 : 1 + VPS,
                      "parts that were begun");
        CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_E_STATE, "a start after it");
        halt = vpset_wait(&group);
        CONF_CHECK(conf, halt.vp == 0 && halt.result.reason == VMR_HALT_RESET, "the halt is another");
    }
    CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_RESET, 0) == VMR_OK, "no end to the fault");
    vpset_stop(&group);
    CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_E_STATE, "a start after a stop");
    CONF_CHECK_EQ(conf, reset(&group), VMR_OK, "a reset that succeeds");
    vpset_start(&group);
    halt = vpset_wait(&group);
    CONF_CHECK(conf, halt.result.reason == VMR_HALT_RESET, "the guest does not run again");
    vpset_end(&group);
}

/* On the mock the host fails a step, once; elsewhere the guest goes where nothing is. */
static enum vmr_status fail_next(void *argument, struct vmr_vp *vp)
{
    return vpset_prepare_failing(argument, vp, NULL);
}

static void a_failed_vp_runs_again_after_a_reset(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct vpset_vm group;
    struct vmr_vp_set_halt halt;

    if (!begin(&group, conf, programs))
        return;
    CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, fail_next, group.vm), VMR_OK, "VP 0");
    /* Of a hypervisor that runs its VPs itself the start is a call, too. */
    if (conf->is_mock)
        CONF_REQUIRE(conf,
                     vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL,
                                        vmr_caps_have(&conf->caps, VMR_CAP_MANAGED) ? 2 : 1) == VMR_OK,
                     "no fault");
    vpset_start(&group);
    halt = vpset_wait(&group);
    CONF_CHECK(conf, halt.result.reason == VMR_HALT_FATAL, "halted: %s", vmr_halt_reason_name(halt.result.reason));
    vpset_stop(&group);
    CONF_CHECK_EQ(conf, vmr_vp_set_start(group.set), VMR_E_STATE, "a start without a reset");
    CONF_CHECK_EQ(conf, reset(&group), VMR_OK, "the reset");
    vpset_start(&group);
    halt = vpset_wait(&group);
    CONF_CHECK(conf, halt.vp == 0 && halt.result.reason == VMR_HALT_RESET, "VP %u halted: %s", halt.vp,
               vmr_halt_reason_name(halt.result.reason));
    vpset_end(&group);
}

struct starter {
    struct vpset_vm group;
    enum vmr_status start;
};

static void starts(void *argument)
{
    struct starter *starter = argument;

    starter->start = vmr_vp_set_start(starter->group.set);
}

/*
 * What a processor executes at power-up, for a VP that is started after its reset without anybody's registers: JMP to
 * itself. Else it would fail there, of its own accord.
 */
static bool spins_at_power_up(struct conf_vm *vm)
{
    static const uint8_t jump[] = {0xeb, 0xfe};
    const struct vmr_memory_region rom = {.gpa = POWER_UP_GPA & ~(vmr_gpa)(VMR_PAGE_SIZE - 1), .size = VMR_PAGE_SIZE};

    return vmr_memory_region_add(vm->memory, &rom, NULL) == VMR_OK &&
           vmr_memory_write(vm->memory, POWER_UP_GPA, jump, sizeof(jump)) == VMR_OK;
}

/* A start that comes meanwhile is before the reset, after it, or refused; no VP fails of it. */
static void a_start_and_a_reset_exclude_each_other(struct conf *conf)
{
    struct starter starter = {.start = VMR_OK};

    if (!begin(&starter.group, conf, all_spin))
        return;
    CONF_REQUIRE(conf, spins_at_power_up(starter.group.vm), "no code");
    struct vmr_thread *thread = conf_thread(conf, starts, &starter);

    CONF_REQUIRE(conf, thread, "no thread");
    enum vmr_status status = vmr_vp_set_reset(starter.group.set, NULL);

    conf_join(conf, thread);
    CONF_CHECK(conf, status == VMR_OK || status == VMR_E_STATE, "the reset: %s", vmr_status_name(status));
    CONF_CHECK(conf, starter.start == VMR_OK || starter.start == VMR_E_STATE, "the start: %s",
               vmr_status_name(starter.start));
    CONF_CHECK(conf, status == VMR_OK || starter.start == VMR_OK, "neither");
    vpset_stop(&starter.group);
    vpset_start(&starter.group); /* refused, once a VP has failed */
    vpset_stop(&starter.group);
    vpset_end(&starter.group);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_reset_forgets_the_halt",
     .family = "reset_set",
     .clauses = "RST-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_reset_forgets_the_halt},
    {.name = "a_set_that_runs_is_not_reset",
     .family = "reset_set",
     .ids = "RST-06",
     .clauses = "RST-1 RST-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_set_that_runs_is_not_reset},
    {.name = "a_halt_stays_until_a_reset_succeeds",
     .family = "reset_set",
     .ids = "RST-08",
     .clauses = "RST-3 RST-4",
     .flags = CONF_MOCK_ONLY | CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_halt_stays_until_a_reset_succeeds},
    {.name = "a_failed_vp_runs_again_after_a_reset",
     .family = "reset_set",
     .clauses = "HALT-2 RST-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_failed_vp_runs_again_after_a_reset},
    {.name = "a_start_and_a_reset_exclude_each_other",
     .family = "reset_set",
     .clauses = "RST-4",
     .flags = CONF_MANAGED,
     .chip = CONF_CHIP_ANY,
     .run = a_start_and_a_reset_exclude_each_other},
};
CONF_FAMILY(reset_set, scenarios);
