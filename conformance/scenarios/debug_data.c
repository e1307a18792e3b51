/* SPDX-License-Identifier: MIT */
/*
 * Breakpoints on data: which bytes, and which accesses. And whose debug state it
 * is: one VP's, which it keeps.
 */

#include "conformance/scenarios/vpset_vm.h"

#define WATCHED (VMR_PROGRAM_DATA + 0x40u)
#define LENGTH_COUNT 4u

static bool set_debug(struct conf_vm *vm, const struct vmr_debug_state *state)
{
    enum vmr_status status = vmr_vp_set_debug_state(vm->vps[0], state);

    CONF_CHECK(vm->conf, status == VMR_OK, "debug state: %s", vmr_status_name(status));
    return status == VMR_OK;
}

/* One run of VP 0 that must halt at breakpoint `slot`, after `checkpoints` of them. */
static bool run_to_break(struct conf_vm *vm, unsigned slot, unsigned checkpoints)
{
    struct vmr_run_result result;

    if (!conf_run(vm, 0, NULL, &result))
        return false;
    CONF_CHECK(vm->conf, result.reason == VMR_HALT_HW_BREAK, "halted with %s", outcome_name(&result));
    CONF_CHECK_EQ(vm->conf, result.breakpoint, slot, "which of the four");
    CONF_CHECK_EQ(vm->conf, vm->reports[0].checkpoints, checkpoints, "checkpoints");
    return !conf_failed(vm->conf);
}

static struct conf_vm *bound_vm(struct conf *conf, const struct vmr_program *program)
{
    static const struct conf_vm_options options = {.vps = 1};
    struct conf_vm *vm = conf_vm_create(conf, &options);

    return vm && conf_load(vm, 0, program) && conf_bind(vm, 0) ? vm : NULL;
}

/* The byte below and the byte above are touched before the checkpoint, the first and the last watched one behind it. */
#define TOUCHES(name, length)                                                                                          \
    CONF_PROGRAM(name, VMR_STORE(WATCHED - 1u, 1, 1), VMR_STORE(WATCHED + (length), 1, 1), VMR_CHECKPOINT(1),          \
                 VMR_STORE(WATCHED + (length)-1u, 1, 1), VMR_CHECKPOINT(2), VMR_STORE(WATCHED, 1, 1),                  \
                 VMR_CHECKPOINT(3), VMR_END())

static void lengths(struct conf *conf)
{
    TOUCHES(byte, 1u);
    TOUCHES(word, 2u);
    TOUCHES(dword, 4u);
    TOUCHES(qword, 8u);
    static const struct vmr_program *const programs[LENGTH_COUNT] = {&byte, &word, &dword, &qword};

    for (unsigned i = 0; i < LENGTH_COUNT && !conf_failed(conf); i++) {
        struct vmr_debug_state state = {.single_step = false};
        struct conf_vm *vm = bound_vm(conf, programs[i]);

        state.breakpoints[i] = (struct vmr_breakpoint){
            .enabled = true, .kind = VMR_BREAK_WRITE, .length = (uint8_t)(1u << i), .address = WATCHED};
        CONF_REQUIRE(conf, vm && set_debug(vm, &state), "length %u: no VM", 1u << i);
        CONF_REQUIRE(conf, run_to_break(vm, i, 1) && run_to_break(vm, i, 2), "length %u", 1u << i);
        (void)conf_run_to_end(vm, 0);
        CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 3, "checkpoints");
        conf_vm_destroy(vm);
    }
}

static void kinds(struct conf *conf)
{
    CONF_PROGRAM(accesses, VMR_LOAD(0, WATCHED + 8u, 4), VMR_CHECKPOINT(1), VMR_LOAD(0, WATCHED, 4), VMR_CHECKPOINT(2),
                 VMR_STORE(WATCHED, 4, 7), VMR_CHECKPOINT(3), VMR_END());
    static const struct vmr_debug_state both = {
        .breakpoints = {[1] = {.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = WATCHED + 8u},
                        [2] = {.enabled = true, .kind = VMR_BREAK_ACCESS, .length = 4, .address = WATCHED}}};
    struct conf_vm *vm = bound_vm(conf, &accesses);

    CONF_REQUIRE(conf, vm && set_debug(vm, &both), "no VM");
    CONF_REQUIRE(conf, run_to_break(vm, 2, 1), "a load of what is watched for accesses");
    CONF_REQUIRE(conf, run_to_break(vm, 2, 2), "a store to what is watched for accesses");
    CONF_CHECK_EQ(conf, guest_word(vm, WATCHED), 7, "what was written when it was hit");
    (void)conf_run_to_end(vm, 0);
}

/* --- whose state it is --- */

CONF_PROGRAM(nops, VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_STORE(WORD_SEEN, 4, 1), VMR_CHECKPOINT(1),
             VMR_END());

static enum vmr_status give_state(void *state, struct vmr_vp *vp)
{
    return vmr_vp_set_debug_state(vp, state);
}

/* VP 0 goes step by step, VP 1 to its end: in one set, so that both run at once. */
static void one_vp_alone(struct conf *conf)
{
    static const struct conf_vm_options two = {.vps = 2, .without_chip = true};
    static const struct vmr_program *const programs[] = {&nops, &nops};
    struct vmr_debug_state step = {.single_step = true};
    struct vpset_vm group;
    unsigned steps = 0;

    if (vpset_begin(&group, conf, &two, programs)) {
        CONF_CHECK_EQ(conf, vmr_vp_set_call(group.set, 0, give_state, &step), VMR_OK, "debug state");
        while (!conf_failed(conf) && steps < 1000 && !(group.vm->reports[0].ended && group.vm->reports[1].ended)) {
            vpset_start(&group);
            struct vmr_vp_set_halt halt = vpset_wait(&group);
            bool stepped = halt.result.reason == VMR_HALT_SINGLE_STEP;

            CONF_CHECK(conf, stepped ? halt.vp == 0 : group.vm->reports[halt.vp].ended, "VP %u halted with %s", halt.vp,
                       vmr_halt_reason_name(halt.result.reason));
            steps += stepped;
            vpset_stop(&group);
        }
        CONF_CHECK(conf, steps >= 5, "%u steps of five instructions and more", steps);
        CONF_CHECK(conf, group.vm->reports[1].ended, "the other VP did not get to its end");
    }
    vpset_end(&group);
}

static bool has_debug(struct conf_vm *vm, bool single_step, uint64_t address)
{
    struct vmr_debug_state got = {.breakpoints = {{.address = UINT64_MAX}}};

    CONF_CHECK(vm->conf, vmr_vp_get_debug_state(vm->vps[0], &got) == VMR_OK, "not told");
    return got.single_step == single_step && got.breakpoints[0].enabled == (address != 0) &&
           got.breakpoints[0].address == address;
}

static void state_is_told(struct conf *conf)
{
    const struct vmr_debug_state state = {.single_step = true,
                                          .breakpoints = {{.enabled = true, .length = 1, .address = 0x12345}}};
    const struct vmr_debug_state bad = {
        .breakpoints = {{.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = 0x12345}}};
    struct conf_vm *vm = bound_vm(conf, &nops);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    CONF_CHECK(conf, has_debug(vm, false, 0), "a new VP has a debug state");
    CONF_REQUIRE(conf, set_debug(vm, &state), "not taken");
    CONF_CHECK(conf, has_debug(vm, true, 0x12345), "not what was taken");
    CONF_CHECK(conf, vmr_vp_set_debug_state(vm->vps[0], &bad) == VMR_E_USAGE, "an unaligned address was taken");
    CONF_CHECK(conf, has_debug(vm, true, 0x12345), "changed by what was refused");
    CONF_REQUIRE(conf, set_debug(vm, NULL), "not taken away");
    CONF_CHECK(conf, has_debug(vm, false, 0), "not gone");
    (void)conf_run_to_end(vm, 0);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_data_breakpoint_covers_its_length_and_no_more",
     .family = "debug",
     .clauses = "DBG-2",
     .needs = CONF_CAP(HW_BREAKPOINT),
     .quirks = CONF_QUIRK_DATA_BREAKPOINT,
     .chip = CONF_CHIP_ANY,
     .run = lengths},
    {.name = "a_data_breakpoint_stops_for_its_kind_of_access",
     .family = "debug",
     .clauses = "DBG-2",
     .needs = CONF_CAP(HW_BREAKPOINT),
     .quirks = CONF_QUIRK_DATA_BREAKPOINT,
     .chip = CONF_CHIP_ANY,
     .run = kinds},
    {.name = "a_single_step_is_one_vps_alone",
     .family = "debug",
     .clauses = "DBG-3",
     .needs = CONF_CAP(SINGLE_STEP),
     .chip = CONF_CHIP_ANY,
     .run = one_vp_alone},
    {.name = "what_was_taken_as_debug_state_can_be_asked_for",
     .family = "debug",
     .clauses = "DBG-4 ERR-1",
     .needs = CONF_CAP(SINGLE_STEP) | CONF_CAP(HW_BREAKPOINT),
     .chip = CONF_CHIP_ANY,
     .run = state_is_told},
};

CONF_FAMILY(debug_data, scenarios);
