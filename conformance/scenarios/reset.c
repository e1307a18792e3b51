/* SPDX-License-Identifier: MIT */
/*
 * Reset: that everything is back at power-up, held against a VM that was just
 * made; when it may be asked for; and what becomes of one that fails.
 */

#include "conformance/scenarios/guest_words.h"
#include "conformance/scenarios/state_words.h"

#define VPS 2u

CONF_PROGRAM(works, VMR_SET(1, 7), VMR_WRMSR(0xc0000082u, 0x5678), VMR_NOP(), VMR_NOP(), VMR_STI(), VMR_NOP(),
             VMR_END());

/* A VM whose VPs are all bound. NULL: failed. */
static struct conf_vm *bound_vm(struct conf *conf, const struct conf_vm_options *options)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    for (vmr_vp_index vp = 0; vm && vp < options->vps; vp++) {
        if (!conf_load(vm, vp, &works) || !conf_bind(vm, vp))
            return NULL;
    }
    return vm;
}

/* --- everything --- */

/* The fresh one is made when the other is gone: there may be one at a time. */
static void after_a_reset_all_is_as_in_a_fresh_vm(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = VPS};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, &options);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    CONF_REQUIRE(conf, state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]), "driving");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *driven = conf_picture_take(vm);

    CONF_REQUIRE(conf, conf_reset(vm), "the reset");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *reset = conf_picture_take(vm);

    conf_vm_destroy(vm);
    vm = conf_vm_create(conf, &options);
    for (vmr_vp_index vp = 0; vm && vp < VPS; vp++)
        CONF_CHECK(conf, vmr_partition_bind(vm->partition, vp, &vm->vps[vp], NULL) == VMR_OK, "binding");
    CONF_CLEANUP(conf_picture_end) struct conf_picture *fresh = vm ? conf_picture_take(vm) : NULL;

    if (driven && reset && fresh) {
        CONF_CHECK(conf, conf_picture_hash(driven) != conf_picture_hash(fresh), "nothing was driven anywhere");
        (void)conf_picture_compare(conf, reset, fresh, "reset");
    }
}

static void each_class_goes_back_to_power_up(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = VPS};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, &options);
    union state_box now, at_reset;

    CONF_REQUIRE(conf, vm && state_drive(conf, vm->vps[0]) && state_drive(conf, vm->vps[1]), "driving");
    CONF_REQUIRE(conf, conf_reset(vm), "the reset");
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[vp], &id); id.instance++) {
            memset(&at_reset, 0, sizeof(at_reset));
            vmr_vp_state_at_reset(vm->vps[vp], &id, &at_reset);
            CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &id, &now), "reading");
            if (vmr_vp_state_is_comparable(vm->vps[vp], &id))
                (void)state_is(conf, &id, &now, &at_reset, vp == 0 ? "VP 0" : "VP 1");
        }
    }
}

static void a_fresh_vm_is_at_power_up(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = VPS});
    union state_box now, at_reset;

    CONF_REQUIRE(conf, vm, "no VM");
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        CONF_REQUIRE(conf, vmr_partition_bind(vm->partition, vp, &vm->vps[vp], NULL) == VMR_OK, "binding");
        for (struct vmr_state_id id = {0}; vmr_vp_state_find(vm->vps[vp], &id); id.instance++) {
            memset(&at_reset, 0, sizeof(at_reset));
            vmr_vp_state_at_reset(vm->vps[vp], &id, &at_reset);
            CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &id, &now), "reading");
            if (vmr_vp_state_is_comparable(vm->vps[vp], &id))
                (void)state_is(conf, &id, &now, &at_reset, vp == 0 ? "VP 0" : "VP 1");
        }
    }
}

static void a_guest_runs_again(struct conf *conf)
{
    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm, "no VM");
    for (unsigned i = 0; i < 3; i++) {
        CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "run %u", i);
        CONF_REQUIRE(conf, conf_reset(vm) && conf_load(vm, 0, &works) && conf_begin_again(vm), "reset %u", i);
    }
    (void)conf_run_to_end(vm, 0);
}

static void a_debugger_is_forgotten(struct conf *conf)
{
    const struct vmr_debug_state steps = {.single_step = true};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && vmr_vp_set_debug_state(vm->vps[0], &steps) == VMR_OK, "no debugging");
    expect_halt(vm, NULL, VMR_HALT_SINGLE_STEP);
    CONF_REQUIRE(conf, conf_reset(vm) && conf_load(vm, 0, &works) && conf_begin_again(vm), "the reset");
    expect_end(vm);
}

static void an_unfinished_exit_is_forgotten(struct conf *conf)
{
    CONF_PROGRAM(reads_a_port, VMR_IN(0, 0x300, 1), VMR_END());
    struct vmr_exit vp_exit = {0};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &reads_a_port);

    CONF_REQUIRE(conf, vm, "no VM");
    do
        CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the step");
    while (vp_exit.kind == VMR_EXIT_CANCEL);
    CONF_REQUIRE(conf, vmr_exit_is_pending(&vp_exit) && conf_reset(vm), "the reset");
    conf_picture_free(conf_picture_take(vm)); /* nothing keeps the state out of reach */
    CONF_REQUIRE(conf, conf_load(vm, 0, &works) && conf_begin_again(vm), "beginning again");
    expect_end(vm);
}

static void kicks_outlive_a_reset(struct conf *conf)
{
    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "the kick");
    CONF_REQUIRE(conf, conf_reset(vm) && conf_begin_again(vm), "the reset");
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    expect_end(vm);
}

/* --- when --- */

static void a_reset_may_come_at_any_time_but_in_a_run(struct conf *conf)
{
    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && vmr_partition_is_usable(vm->partition), "no VM");
    CONF_CHECK(conf, conf_reset(vm), "before the first run");
    CONF_CHECK(conf, conf_reset(vm), "twice");
    CONF_REQUIRE(conf, vmr_partition_reset(vm->partition, NULL) == VMR_OK, "the partition alone");
    CONF_CHECK(conf, conf_reset(vm), "once more, from the beginning");
    CONF_REQUIRE(conf, conf_begin_again(vm), "beginning again");
    expect_end(vm);
}

static void each_part_has_its_time(struct conf *conf)
{
    struct vmr_run_result result;
    struct vmr_exit vp_exit = {0};
    struct vmr_error err = {.message = ""};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, &(struct conf_vm_options){.vps = VPS});

    CONF_REQUIRE(conf, vm, "no VM");
    CONF_CHECK_EQ(conf, vmr_vp_reset(vm->vps[0], &err), VMR_E_STATE, "a VP without its partition");
    CONF_CHECK(conf, strstr(err.message, "VP 0") != NULL, "no VP in: %s", err.message);
    CONF_REQUIRE(conf, vmr_partition_reset(vm->partition, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, !vmr_partition_is_usable(vm->partition), "usable before its VPs were reset");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run");
    CONF_CHECK_EQ(conf, vmr_vp_step(vm->vps[0], &vp_exit), VMR_E_STATE, "a step");
    CONF_CHECK_EQ(conf, vmr_vp_flush_async_requests(vm->vps[0]), VMR_E_STATE, "taking in requests");
    CONF_REQUIRE(conf, vmr_vp_reset(vm->vps[0], &err) == VMR_OK, "%s", err.message);
    CONF_CHECK_EQ(conf, vmr_vp_reset(vm->vps[0], &err), VMR_E_STATE, "a VP twice");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run before the last VP");
    CONF_REQUIRE(conf, vmr_vp_reset(vm->vps[1], &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_partition_is_usable(vm->partition), "unusable after all of it");
    CONF_REQUIRE(conf, conf_begin_again(vm), "beginning again");
    expect_end(vm);
}

/* The VP is in the guest for as long as the other thread likes. */
static void resets_while_it_runs(void *argument)
{
    struct conf_vm *vm = argument;
    struct vmr_error err = {.message = ""};

    if (!guest_word_wait(vm, WORD_SEEN, 1))
        return;
    CONF_CHECK_EQ(vm->conf, vmr_partition_reset(vm->partition, &err), VMR_E_STATE, "a reset while a VP runs");
    CONF_CHECK(vm->conf, strstr(err.message, "VP 0") != NULL, "no VP in: %s", err.message);
    CONF_CHECK(vm->conf, vmr_partition_is_usable(vm->partition), "unusable, though nothing was done");
    guest_word_set(vm, WORD_GO, 1);
}

static void no_reset_while_a_vp_runs(struct conf *conf)
{
    CONF_PROGRAM(waits, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &waits);
    struct vmr_thread *thread = vm ? conf_thread(conf, resets_while_it_runs, vm) : NULL;

    CONF_REQUIRE(conf, thread, "no VM, or no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
}

/* Either the run was first, and the reset is refused, or the reset was, and the run is. */
struct race {
    struct conf_vm *vm;
    enum vmr_status reset;
};

/* In a run the partition is usable, whatever comes. */
static void look_at_it(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    (void)number;
    CONF_CHECK(vm->conf, vmr_partition_is_usable(vm->partition), "a guest runs in a partition that is being reset");
}

static void races(void *argument)
{
    struct race *race = argument;

    race->reset = vmr_partition_reset(race->vm->partition, NULL);
}

static void a_run_and_a_reset_exclude_each_other(struct conf *conf)
{
    CONF_PROGRAM(ends, VMR_CHECKPOINT(1), VMR_END());

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct race race = {.vm = vm_about_to_run(conf, NULL, &ends)};
    struct vmr_run_result result = {.kind = VMR_RUN_YIELDED};

    CONF_REQUIRE(conf, race.vm, "no VM");
    race.vm->on_checkpoint = look_at_it;
    struct vmr_thread *thread = conf_thread(conf, races, &race);

    CONF_REQUIRE(conf, thread, "no thread");
    enum vmr_status run = vmr_vp_run(race.vm->vps[0], NULL, &race.vm->io, &result);

    conf_join(conf, thread);
    CONF_CHECK(conf, run == VMR_OK || race.reset == VMR_OK, "neither: %s, %s", vmr_status_name(run),
               vmr_status_name(race.reset));
    CONF_CHECK(conf, run == VMR_OK || run == VMR_E_STATE, "the run: %s", vmr_status_name(run));
    CONF_CHECK(conf, race.reset == VMR_OK || race.reset == VMR_E_STATE, "the reset: %s", vmr_status_name(race.reset));
    CONF_CHECK_EQ(conf, vmr_partition_is_usable(race.vm->partition), race.reset == VMR_E_STATE, "usable");
}

/* --- failing --- */

/* The calls of a reset of two VPs, one after the other, each failing once. */
static void a_reset_that_fails_half_way_refuses_until_one_succeeds(struct conf *conf)
{
    static const enum vmr_mock_fault faults[] = {VMR_MOCK_FAIL_RESET, VMR_MOCK_FAIL_SET_STATE, VMR_MOCK_FAIL_CALL};
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct conf_vm *vm = bound_vm(conf, &(struct conf_vm_options){.vps = VPS});
    struct vmr_run_result result;
    unsigned failures = 0;

    CONF_REQUIRE(conf, vm, "no VM");
    for (unsigned i = 0; i < 3 * 120; i++) {
        struct vmr_error err = {.message = ""};

        CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, faults[i / 120], i % 120 + 1) == VMR_OK, "no fault");
        enum vmr_status first = vmr_partition_reset(vm->partition, &err), second = VMR_OK, third = VMR_OK;

        if (!first) {
            second = vmr_vp_reset(vm->vps[0], &err);
            third = vmr_vp_reset(vm->vps[1], &err); /* has its part, whatever became of the other */
        }
        CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, faults[i / 120], 0) == VMR_OK, "no end to the fault");
        if (!first && !second && !third) {
            i = (i / 120 + 1) * 120 - 1; /* there are no more calls */
            continue;
        }
        failures++;
        CONF_CHECK(conf, err.message[0] != '\0', "a failure without a word");
        CONF_CHECK(conf, !vmr_partition_is_usable(vm->partition), "usable after a reset that failed");
        CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a run");
        CONF_CHECK_EQ(conf, vmr_vp_reset(vm->vps[0], NULL), VMR_E_STATE, "a VP's reset by itself");
    }
    CONF_CHECK(conf, failures > 3 * VPS, "%u calls failed", failures);
    CONF_REQUIRE(conf, conf_reset(vm) && conf_begin_again(vm), "the last reset");
    expect_end(vm);
}

/* --- what VPs begin with instead --- */

static void initial_registers_are_the_boot_processors(struct conf *conf)
{
    const uint64_t pat = UINT64_C(0x0406050100070106);
    struct vmr_x86_mtrr_state mtrrs = {.default_type = 0xc06};
    struct vmr_x86_regs regs;
    struct vmr_initial_regs initial = {.regs = &regs, .pat = &pat};
    union state_box box;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = bound_vm(conf, &(struct conf_vm_options){.vps = VPS});

    CONF_REQUIRE(conf, vm && vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no VM");
    if (conf->caps.vp_classes >> VMR_VP_MTRRS & 1)
        initial.mtrrs = &mtrrs;
    regs.gpr[VMR_X86_RBX] = 0x1234;
    for (vmr_vp_index vp = 0; vp < VPS; vp++) {
        const struct vmr_state_id pat_id = {.state_class = VMR_VP_PAT}, mtrr_id = {.state_class = VMR_VP_MTRRS};
        struct vmr_error err = {.message = ""};
        struct vmr_x86_regs now;

        CONF_CHECK(conf, vmr_vp_set_initial_regs(vm->vps[vp], 0, &initial, &err) == VMR_OK, "%s", err.message);
        CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[vp], &now) == VMR_OK, "reading");
        CONF_CHECK_EQ(conf, now.gpr[VMR_X86_RBX], vp == 0 ? 0x1234 : 0, "RBX");
        CONF_REQUIRE(conf, state_get(conf, vm->vps[vp], &pat_id, &box), "reading");
        CONF_CHECK_EQ(conf, box.word.value, pat, "PAT");
        if (initial.mtrrs && state_get(conf, vm->vps[vp], &mtrr_id, &box))
            CONF_CHECK_EQ(conf, box.mtrrs.default_type, 0xc06, "MTRRs");
    }
}

static void initial_registers_come_before_a_run_or_after_a_reset(struct conf *conf)
{
    const uint64_t pat = UINT64_C(0x0406050100070106), bad = 2;
    const struct vmr_initial_regs initial = {.pat = &pat};
    struct vmr_x86_regs regs, now;

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    struct conf_vm *vm = vm_about_to_run(conf, NULL, &works);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], 0, &initial, NULL), VMR_E_STATE, "after a run");
    CONF_REQUIRE(conf, vmr_partition_reset(vm->partition, NULL) == VMR_OK, "the reset");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], 0, &initial, NULL), VMR_E_STATE, "in the middle");
    CONF_REQUIRE(conf, vmr_vp_reset(vm->vps[0], NULL) == VMR_OK, "the reset");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], 0, &initial, NULL), VMR_OK, "after a reset");
    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], 1, &initial, NULL), VMR_E_UNSUPPORTED,
                  "a VTL that there is not");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "reading");
    regs.gpr[VMR_X86_RBX] = 0x4321;
    const struct vmr_initial_regs half = {.regs = &regs, .pat = &bad};

    CONF_CHECK_EQ(conf, vmr_vp_set_initial_regs(vm->vps[0], 0, &half, NULL), VMR_E_CONFIG, "a PAT that is none");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &now) == VMR_OK, "reading");
    CONF_CHECK(conf, now.gpr[VMR_X86_RBX] != 0x4321, "registers were set beside what was refused");
}

static const struct conf_scenario scenarios[] = {
    {.name = "after_a_reset_all_is_as_in_a_fresh_vm",
     .family = "reset",
     .ids = "RST-01",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = after_a_reset_all_is_as_in_a_fresh_vm},
    {.name = "each_class_goes_back_to_power_up",
     .family = "reset",
     .ids = "RST-02",
     .clauses = "RST-2",
     .chip = CONF_CHIP_ANY,
     .run = each_class_goes_back_to_power_up},
    {.name = "a_fresh_vm_is_at_power_up",
     .family = "reset",
     .ids = "RST-02",
     .clauses = "STATE-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = a_fresh_vm_is_at_power_up},
    {.name = "a_guest_runs_again",
     .family = "reset",
     .ids = "RST-06",
     .clauses = "RST-2",
     .chip = CONF_CHIP_ANY,
     .run = a_guest_runs_again},
    {.name = "a_debugger_is_forgotten",
     .family = "reset",
     .clauses = "RST-2",
     .needs = CONF_CAP(SINGLE_STEP),
     .chip = CONF_CHIP_ANY,
     .run = a_debugger_is_forgotten},
    {.name = "an_unfinished_exit_is_forgotten",
     .family = "reset",
     .ids = "RST-05",
     .clauses = "RST-2",
     .chip = CONF_CHIP_ANY,
     .run = an_unfinished_exit_is_forgotten},
    {.name = "kicks_outlive_a_reset",
     .family = "reset",
     .clauses = "RST-2 RUN-3",
     .chip = CONF_CHIP_ANY,
     .run = kicks_outlive_a_reset},
    {.name = "a_reset_may_come_at_any_time_but_in_a_run",
     .family = "reset",
     .ids = "RST-06",
     .clauses = "RST-1",
     .chip = CONF_CHIP_ANY,
     .run = a_reset_may_come_at_any_time_but_in_a_run},
    {.name = "each_part_has_its_time",
     .family = "reset",
     .ids = "RST-06",
     .clauses = "RST-1 RST-2",
     .chip = CONF_CHIP_ANY,
     .run = each_part_has_its_time},
    {.name = "no_reset_while_a_vp_runs",
     .family = "reset",
     .ids = "RST-06",
     .clauses = "RST-1",
     .chip = CONF_CHIP_ANY,
     .run = no_reset_while_a_vp_runs},
    {.name = "a_run_and_a_reset_exclude_each_other",
     .family = "reset",
     .clauses = "RST-1",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = a_run_and_a_reset_exclude_each_other},
    {.name = "a_reset_that_fails_half_way_refuses_until_one_succeeds",
     .family = "reset",
     .ids = "RST-08 S9",
     .clauses = "RST-3",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = a_reset_that_fails_half_way_refuses_until_one_succeeds},
    {.name = "initial_registers_are_the_boot_processors",
     .family = "reset",
     .clauses = "RST-10",
     .chip = CONF_CHIP_ANY,
     .run = initial_registers_are_the_boot_processors},
    {.name = "initial_registers_come_before_a_run_or_after_a_reset",
     .family = "reset",
     .clauses = "RST-10",
     .chip = CONF_CHIP_ANY,
     .run = initial_registers_come_before_a_run_or_after_a_reset},
};
CONF_FAMILY(reset, scenarios);
