/* SPDX-License-Identifier: MIT */
/*
 * Exits that end a run, and kinds that no guest can be made to produce
 * everywhere: the mock plays those from a script. What nobody knows is never
 * resumed.
 */

#include "conformance/conformance.h"

#include <string.h>

#define PORT 0x700u
#define PAGE UINT64_C(0xd0000000)

/* --- scripts: kinds that no guest can be made to produce everywhere --- */

static struct conf_vm *scripted_vm(struct conf *conf, const char *text)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_error err;

    if (!vm)
        return NULL;
    if (vmr_mock_load_script(conf_mock(vm), 0, text, strlen(text), &err)) {
        conf_fail(conf, __FILE__, __LINE__, "%s", err.message);
        return NULL;
    }
    return conf_bind(vm, 0) ? vm : NULL;
}

/* Each line must come back as it was written. */
static void text_form(struct conf *conf)
{
    static const char *const lines[] = {
        "io write port=0x402 size=1 value=0x53",
        "mmio write gpa=0xfee000b0 size=4 value=0x0",
        "halt",
        "irq-window",
        "eoi vector=0x31",
        "system-event event=power-off detail=0x0",
        "shutdown vtl=0",
    };
    char line[200];

    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct conf_vm *vm = scripted_vm(conf, lines[i]);
        struct vmr_exit vp_exit = {0};

        CONF_REQUIRE(conf, vm && vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "no step: %s", lines[i]);
        (void)vmr_exit_print(&vp_exit, line, sizeof(line));
        CONF_CHECK(conf, strcmp(line, lines[i]) == 0, "'%s' came back as '%s'", lines[i], line);
        CONF_CHECK(conf, vmr_exit_is_valid(&vp_exit), "not valid: %s", line);
        conf_vm_destroy(vm);
    }
}

static void system_events(struct conf *conf)
{
    static const struct {
        const char *line;
        enum vmr_halt_reason reason;
    } events[] = {
        {"system-event event=power-off", VMR_HALT_POWER_OFF},
        {"system-event event=reset", VMR_HALT_RESET},
        {"system-event event=hibernate", VMR_HALT_HIBERNATE},
        {"shutdown", VMR_HALT_TRIPLE_FAULT},
    };

    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct conf_vm *vm = scripted_vm(conf, events[i].line);
        struct vmr_run_result result;

        CONF_REQUIRE(conf, vm && conf_run(vm, 0, NULL, &result), "the script is refused: %s", events[i].line);
        CONF_CHECK(conf, result.kind == VMR_RUN_HALTED && result.reason == events[i].reason, "'%s' halts with %s",
                   events[i].line, vmr_halt_reason_name(result.reason));
        conf_vm_destroy(vm);
    }
}

/* --- failures --- */

static void check_fatal(struct conf *conf, struct conf_vm *vm)
{
    struct vmr_run_result result, again = {0};
    struct vmr_x86_regs regs;

    if (!conf_run(vm, 0, NULL, &result))
        return;
    CONF_REQUIRE(conf, result.reason == VMR_HALT_FATAL, "halted with %s", vmr_halt_reason_name(result.reason));
    CONF_CHECK_EQ(conf, result.exit.kind, VMR_EXIT_FAIL, "the exit that came with it");
    CONF_CHECK(conf, vmr_exit_is_valid(&result.exit), "an exit that is not valid");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &again), VMR_E_STATE, "a second run");
    CONF_CHECK_EQ(conf, again.reason, VMR_HALT_NONE, "the result of a run that is refused");
    CONF_CHECK(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "a failed VP cannot be looked at");
}

static void unknown_is_fatal(struct conf *conf)
{
    struct conf_vm *vm =
        scripted_vm(conf, "fail cause=unknown code=0x7777 bytes=0f0b\nio write port=0x700 size=1 value=0x1\n");
    struct conf_device device = {0};
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, VMR_SIZE_1, &device), "no device");
    CONF_REQUIRE(conf, conf_run(vm, 0, NULL, &result), "no run");
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_FATAL, "the halt");
    CONF_CHECK_EQ(conf, result.exit.u.fail.code, 0x7777, "the native code");
    CONF_CHECK(conf, result.exit.u.fail.length == 2 && result.exit.u.fail.bytes[1] == 0x0b, "the native bytes");
    CONF_CHECK_EQ(conf, vmr_vp_run(vm->vps[0], NULL, &vm->io, &result), VMR_E_STATE, "a second run");
    CONF_CHECK_EQ(conf, device.writes, 0, "what came after the failure");
}

/* Code that is fetched from an address without memory cannot be emulated by any hypervisor. */
static void lost_guest(struct conf *conf)
{
    CONF_PROGRAM(nothing, VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &nothing) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    regs.rip = PAGE;
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "registers refused");
    check_fatal(conf, vm);
}

static void failing_step(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_OUT(PORT, 1, 1), VMR_OUT(PORT, 1, 2), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_hypervisor_handle handle = *conf->handle;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &writes) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 1) == VMR_OK, "no fault");
    check_fatal(conf, vm);
}

/* What fails is the guest's doing, or on the mock the host's, once. */
static bool let_it_fail(struct conf_vm *vm)
{
    struct vmr_hypervisor_handle handle = *vm->conf->handle;
    struct vmr_x86_regs regs;

    if (vm->conf->is_mock)
        return vmr_mock_set_fault(&handle, VMR_MOCK_FAIL_CALL, 1) == VMR_OK;
    if (vmr_vp_get_regs(vm->vps[0], &regs))
        return false;
    regs.rip = PAGE;
    return vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK;
}

static void reset_after_failure(struct conf *conf)
{
    CONF_PROGRAM(works, VMR_OUT(PORT, 1, 1), VMR_END());

    if (!(conf->caps.vp_classes >> VMR_VP_REGISTERS & 1)) {
        conf_skip(conf, "the hypervisor does not give its state away");
        return;
    }
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &works) && conf_bind(vm, 0), "no VM");
    for (unsigned i = 0; i < 2; i++) {
        CONF_REQUIRE(conf, let_it_fail(vm), "it cannot fail");
        check_fatal(conf, vm);
        CONF_CHECK_EQ(conf, vmr_vp_reset(vm->vps[0], NULL), VMR_E_STATE, "its part alone");
        CONF_REQUIRE(conf, conf_reset(vm) && conf_load(vm, 0, &works) && conf_begin_again(vm), "the reset");
        (void)conf_run_to_end(vm, 0);
        CONF_REQUIRE(conf, conf_reset(vm) && conf_load(vm, 0, &works) && conf_begin_again(vm), "once more");
    }
}

static const struct conf_scenario scenarios[] = {
    {.name = "an_exit_survives_its_text",
     .family = "fatal",
     .clauses = "EXIT-7 EXIT-5",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = text_form},
    {.name = "system_events_are_their_own_halts",
     .family = "fatal",
     .ids = "EXIT-06",
     .clauses = "EXIT-1 HALT-1",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = system_events},
    {.name = "an_exit_nobody_knows_is_fatal_and_kept",
     .family = "fatal",
     .ids = "EXIT-06",
     .clauses = "EXIT-2 HALT-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = unknown_is_fatal},
    {.name = "a_guest_that_cannot_be_emulated_is_fatal",
     .family = "fatal",
     .ids = "EXIT-06",
     .clauses = "EXIT-2 HALT-2",
     .needs = CONF_CAP(MACHINE_CODE),
     .chip = CONF_CHIP_ANY,
     .run = lost_guest},
    {.name = "a_step_that_the_host_fails_is_fatal",
     .family = "fatal",
     .clauses = "EXIT-2 HALT-2",
     .flags = CONF_MOCK_ONLY,
     .chip = CONF_CHIP_ANY,
     .run = failing_step},
    {.name = "a_reset_makes_a_failed_vp_well",
     .family = "fatal",
     .clauses = "HALT-2 RST-2 RST-3",
     .chip = CONF_CHIP_ANY,
     .run = reset_after_failure},
};

CONF_FAMILY(fatal, scenarios);
