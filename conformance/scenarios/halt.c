/* SPDX-License-Identifier: MIT */
/*
 * Why a VP halts: each reason comes back as itself, from the guest, from a
 * device, from the embedder and from the hypervisor; a hypervisor that fails is
 * a reason of its own, and the last. A VP that merely sleeps is in
 * halt_sleep.c.
 */

#include "conformance/scenarios/guest_words.h"

#include <string.h>

#define PORT 0x700u
/* Mapped by the guest's page tables, but no RAM is there: nothing can be executed. */
#define HOLE 0x10000000u

static const struct conf_vm_options no_chip = {.without_chip = true};

CONF_PROGRAM(writes_port, VMR_OUT(PORT, 4, 1), VMR_STORE(WORD_PAST, 4, 1), VMR_END());

/* --- the guest's own power port --- */

static void guest_halts(struct conf *conf, const struct vmr_program *program, enum vmr_halt_reason reason)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, program);

    CONF_REQUIRE(conf, vm, "no VM");
    expect_halt(vm, NULL, reason);
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 0, "what the guest stored behind the halt");
    CONF_CHECK(conf, !vm->reports[0].ended, "the guest has ended");
    expect_end(vm);
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 1, "what the guest stored when it was run again");
}

static void power_off(struct conf *conf)
{
    CONF_PROGRAM(powers_off, VMR_POWER_OFF(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());

    guest_halts(conf, &powers_off, VMR_HALT_POWER_OFF);
}

static void reset(struct conf *conf)
{
    CONF_PROGRAM(resets, VMR_RESET(), VMR_STORE(WORD_PAST, 4, 1), VMR_END());

    guest_halts(conf, &resets, VMR_HALT_RESET);
}

static void triple_fault(struct conf *conf)
{
    CONF_PROGRAM(faults, VMR_CHECKPOINT(1), VMR_TRIPLE_FAULT());
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &faults);
    struct vmr_run_result result = {.vtl = 7};

    CONF_REQUIRE(conf, vm && conf_run(vm, 0, NULL, &result), "no run");
    CONF_CHECK(conf, result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_TRIPLE_FAULT, "the run came back: %s",
               outcome_name(&result));
    CONF_CHECK_EQ(conf, result.vtl, VMR_VTL0, "whose fault it was");
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 1, "the guest's checkpoint");
}

/* --- the embedder's --- */

struct embedder {
    enum vmr_halt_reason reason;
    uint32_t calls;
    uint32_t fatals;
    struct vmr_exit fatal;
};

static enum vmr_halt_reason halt_requested(void *context, vmr_vp_index vp)
{
    struct embedder *embedder = context;

    (void)vp;
    return embedder->calls++ == 0 ? embedder->reason : VMR_HALT_NONE;
}

static void device_halts(struct conf *conf)
{
    struct embedder embedder = {0};
    const struct conf_vm_options options = {.without_chip = true,
                                            .io = {.halt_requested = halt_requested, .context = &embedder}};

    for (int reason = VMR_HALT_POWER_OFF; reason < VMR_HALT_FATAL && !conf_failed(conf); reason++) {
        embedder = (struct embedder){.reason = (enum vmr_halt_reason)reason};
        struct conf_vm *vm = vm_about_to_run(conf, &options, &writes_port);

        CONF_REQUIRE(conf, vm, "no VM");
        expect_halt(vm, NULL, (enum vmr_halt_reason)reason);
        CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 0, "what the guest stored behind the halt");
        expect_end(vm);
        conf_vm_destroy(vm);
    }
}

/* Stop and cancel are nobody's to claim but the stop source's and the kick's. */
static void invented_stop(struct conf *conf)
{
    static const enum vmr_halt_reason invented[] = {VMR_HALT_STOP, VMR_HALT_CANCEL, VMR_HALT_REASON_COUNT};
    struct embedder embedder = {0};
    const struct conf_vm_options options = {.without_chip = true,
                                            .io = {.halt_requested = halt_requested, .context = &embedder}};

    for (unsigned i = 0; i < sizeof(invented) / sizeof(invented[0]) && !conf_failed(conf); i++) {
        embedder = (struct embedder){.reason = invented[i]};
        struct conf_vm *vm = vm_about_to_run(conf, &options, &writes_port);

        CONF_REQUIRE(conf, vm, "no VM");
        expect_end(vm);
        CONF_CHECK(conf, embedder.calls >= 2, "the embedder was asked %u times", embedder.calls);
        conf_vm_destroy(vm);
    }
}

static enum vmr_exit_action halt_at_port(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                         enum vmr_halt_reason *ret_reason)
{
    struct embedder *embedder = context;

    (void)vp;
    if (vp_exit->kind != VMR_EXIT_IO || vp_exit->u.io.port != PORT)
        return VMR_EXIT_DEFAULT;
    embedder->calls++;
    *ret_reason = embedder->reason;
    return VMR_EXIT_HALT_VP;
}

static void handler_halts(struct conf *conf)
{
    struct embedder embedder = {0};
    const struct conf_vm_options options = {.without_chip = true, .io = {.exit = halt_at_port, .context = &embedder}};

    for (int reason = VMR_HALT_POWER_OFF; reason < VMR_HALT_FATAL && !conf_failed(conf); reason++) {
        embedder = (struct embedder){.reason = (enum vmr_halt_reason)reason};
        struct conf_device device = {.answer = 0};
        struct conf_vm *vm = vm_about_to_run(conf, &options, &writes_port);

        CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1, &device), "no VM");
        expect_halt(vm, NULL, (enum vmr_halt_reason)reason);
        expect_end(vm);
        CONF_CHECK(conf, embedder.calls == 1 && device.writes == 0, "%u exits to the handler, %u writes to the device",
                   embedder.calls, device.writes);
        conf_vm_destroy(vm);
    }
}

/* --- the hypervisor's --- */

static void hypervisor_halts(struct conf *conf)
{
    static const struct {
        const char *line;
        enum vmr_halt_reason reason;
        uint8_t vtl;
    } cases[] = {
        {"system-event event=power-off", VMR_HALT_POWER_OFF, 0},
        {"system-event event=reset", VMR_HALT_RESET, 0},
        {"system-event event=hibernate", VMR_HALT_HIBERNATE, 0},
        {"system-event event=crash detail=0x7", VMR_HALT_TRIPLE_FAULT, 0},
        {"shutdown vtl=1", VMR_HALT_TRIPLE_FAULT, 1},
        {"debug step pc=0x1000", VMR_HALT_SINGLE_STEP, 0},
        {"debug breakpoint=2 pc=0x1000", VMR_HALT_HW_BREAK, 0},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_vm *vm = conf_vm_create(conf, &no_chip);
        struct vmr_run_result result = {0};
        struct vmr_error err = {.message = ""};

        CONF_REQUIRE(conf, vm, "no VM");
        CONF_REQUIRE(conf, vmr_mock_load_script(conf_mock(vm), 0, cases[i].line, strlen(cases[i].line), &err) == VMR_OK,
                     "'%s': %s", cases[i].line, err.message);
        CONF_REQUIRE(conf, conf_bind(vm, 0) && conf_run(vm, 0, NULL, &result), "no run");
        CONF_CHECK(conf,
                   result.kind == VMR_RUN_HALTED && result.reason == cases[i].reason && result.vtl == cases[i].vtl,
                   "'%s' came back: %s, VTL %u", cases[i].line, outcome_name(&result), result.vtl);
        CONF_CHECK(conf, cases[i].reason != VMR_HALT_HW_BREAK || result.breakpoint == 2, "breakpoint %u, not 2",
                   result.breakpoint);
        conf_vm_destroy(vm);
    }
}

/* --- failing --- */

static void note_fatal(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit)
{
    struct embedder *embedder = context;

    (void)vp;
    embedder->fatals++;
    embedder->fatal = *vp_exit;
}

/* Gives VP 0 something that its hypervisor cannot go on with. False: failed. */
static bool load_failing(struct conf_vm *vm)
{
    static const char script[] = "fail native=0x7b cause=unknown code=0x1234 bytes=deadbeef";
    struct vmr_error err = {.message = ""};
    struct vmr_x86_regs regs;

    if (conf_mock(vm))
        return vmr_mock_load_script(conf_mock(vm), 0, script, sizeof(script) - 1, &err) == VMR_OK && conf_bind(vm, 0);
    if (!conf_load(vm, 0, &writes_port) || !conf_bind(vm, 0) || vmr_vp_get_regs(vm->vps[0], &regs))
        return false;
    regs.rip = HOLE;
    return vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK;
}

/* What is left of a VP that has failed: it can be looked at and unbound, and that is all. */
static void check_failed(struct conf_vm *vm)
{
    struct conf *conf = vm->conf;
    struct vmr_run_result result = {.reason = VMR_HALT_RESET};
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs;
    struct vmr_vp *again;

    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a second run");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_RESET, "the result of a run that was refused");
    CONF_CHECK_EQ(conf, vmr_vp_step(vm->vps[0], &vp_exit), VMR_E_STATE, "a step");
    CONF_CHECK_EQ(conf, vmr_vp_get_regs(vm->vps[0], &regs), VMR_OK, "looking at the registers");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick");
    conf_unbind(vm, 0);
    CONF_CHECK_EQ(conf, vmr_partition_bind(vm->partition, 0, &again, NULL), VMR_E_STATE, "binding it again");
}

static void fatal(struct conf *conf)
{
    struct embedder embedder = {0};
    const struct conf_vm_options options = {.without_chip = true, .io = {.fatal = note_fatal, .context = &embedder}};
    struct conf_vm *vm = conf_vm_create(conf, &options);
    struct vmr_run_result result = {0};

    CONF_REQUIRE(conf, vm && load_failing(vm), "nothing that fails");
    CONF_REQUIRE(conf, conf_run(vm, 0, NULL, &result), "no run");
    CONF_CHECK(conf, result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_FATAL, "the run came back: %s",
               outcome_name(&result));
    CONF_CHECK_EQ(conf, result.exit.kind, VMR_EXIT_FAIL, "the exit that ended it");
    CONF_CHECK(conf, vmr_exit_is_valid(&result.exit), "that exit is not valid");
    CONF_CHECK(conf, embedder.fatals == 1 && embedder.fatal.u.fail.code == result.exit.u.fail.code,
               "the embedder was told %u times", embedder.fatals);
    if (conf_mock(vm)) {
        CONF_CHECK_EQ(conf, result.exit.u.fail.code, 0x1234, "the native code");
        CONF_CHECK_EQ(conf, result.exit.native_reason, 0x7b, "the native reason");
        CONF_CHECK(conf, result.exit.u.fail.length == 4 && result.exit.u.fail.bytes[0] == 0xde, "the native bytes");
    }
    check_failed(vm);
}

/* The call into the hypervisor fails: told as such, and nothing of it reaches the guest. */
static void failing_call(struct conf *conf)
{
    struct vmr_hypervisor_handle handle = *conf->handle;
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &writes_port);
    struct vmr_run_result result = {0};

    CONF_REQUIRE(conf, vm && vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 2) == VMR_OK, "no VM or no fault");
    CONF_REQUIRE(conf, conf_run(vm, 0, NULL, &result), "no run");
    CONF_CHECK(conf, result.reason == VMR_HALT_FATAL && result.exit.kind == VMR_EXIT_FAIL, "the run came back: %s",
               outcome_name(&result));
    CONF_CHECK_EQ(conf, result.exit.u.fail.cause, VMR_FAIL_HOST, "the cause");
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 0, "what the guest stored");
    CONF_CHECK(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 0) == VMR_OK, "the fault stays");
    check_failed(vm);
}

static const struct conf_scenario scenarios[] = {
    {.name = "power_off_by_the_guest_is_power_off",
     .family = "halt",
     .clauses = "HALT-1",
     .chip = CONF_CHIP_ANY,
     .run = power_off},
    {.name = "reset_by_the_guest_is_reset", .family = "halt", .clauses = "HALT-1", .chip = CONF_CHIP_ANY, .run = reset},
    {.name = "a_triple_fault_says_whose",
     .family = "halt",
     .clauses = "HALT-1 EXIT-1",
     .chip = CONF_CHIP_ANY,
     .run = triple_fault},
    {.name = "each_reason_of_a_device_comes_back",
     .family = "halt",
     .clauses = "HALT-1",
     .chip = CONF_CHIP_ANY,
     .run = device_halts},
    {.name = "a_stop_or_cancel_of_a_device_is_not_believed",
     .family = "halt",
     .ids = "trap-6",
     .clauses = "RUN-4",
     .chip = CONF_CHIP_ANY,
     .run = invented_stop},
    {.name = "each_reason_of_an_exit_handler_comes_back",
     .family = "halt",
     .clauses = "HALT-1",
     .chip = CONF_CHIP_ANY,
     .run = handler_halts},
    {.name = "each_reason_of_a_hypervisor_comes_back",
     .family = "halt",
     .clauses = "HALT-1 EXIT-1",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = hypervisor_halts},
    {.name = "a_failing_hypervisor_is_fatal_and_final",
     .family = "halt",
     .clauses = "HALT-2 EXIT-2",
     .chip = CONF_CHIP_ANY,
     .run = fatal},
    {.name = "a_failing_host_call_is_fatal",
     .family = "halt",
     .clauses = "HALT-2 EXIT-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = failing_call},
};

CONF_FAMILY(halt, scenarios);
