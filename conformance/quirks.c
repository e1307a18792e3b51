/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor of this host advertises and does not do, measured by
 * small guests. A probe skips itself (conf_skip) where the quirk is there.
 */

#include "conformance/execute.h"

#include <stdio.h>

#define RAW_CODE 0x1000u
#define RAW_TABLE 0x1100u
#define RAW_HANDLER 0x1200u
#define VECTOR_UD 6u
#define STEP_MAX 200u

/* Steps until an exit of `kind`, or until `give_up` is another one; false on neither. */
static bool step_to(struct conf_vm *vm, uint32_t kind, uint32_t give_up, struct vmr_exit *vp_exit)
{
    enum vmr_halt_reason reason = VMR_HALT_NONE;

    for (unsigned i = 0; i < STEP_MAX && !conf_over(vm->conf); i++) {
        if (vmr_vp_step(vm->vps[0], vp_exit) || vp_exit->kind == give_up || vp_exit->kind == VMR_EXIT_FAIL)
            return false;
        if (vp_exit->kind == kind)
            return true;
        if (vmr_vp_dispatch(vm->vps[0], vp_exit, &vm->io, &reason) || vm->reports[0].ended)
            return false;
    }
    return false;
}

/* The guest turns interrupts on and goes on without an exit: is the window seen before the next one? */
static void probe_sti_window(struct conf *conf)
{
    CONF_PROGRAM(window, VMR_CLI(), VMR_CHECKPOINT(1), VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_CHECKPOINT(2),
                 VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &window) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, step_to(vm, VMR_EXIT_IO, VMR_EXIT_FAIL, &vp_exit), "the guest did not get to its checkpoint");
    CONF_REQUIRE(conf, vmr_vp_dispatch(vm->vps[0], &vp_exit, &vm->io, &reason) == VMR_OK, "not dispatched");
    vmr_vp_request_window(vm->vps[0], true);
    if (!step_to(vm, VMR_EXIT_IRQ_WINDOW, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "missed");
}

static void probe_data_breakpoint(struct conf *conf)
{
    CONF_PROGRAM(breakpoint, VMR_STORE(VMR_PROGRAM_DATA, 4, 1), VMR_END());
    const struct vmr_debug_state debug = {
        .breakpoints = {{.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = VMR_PROGRAM_DATA}}};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &breakpoint) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_vp_set_debug_state(vm->vps[0], &debug) == VMR_OK, "a breakpoint is refused");
    if (!step_to(vm, VMR_EXIT_DEBUG, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "never fires");
}

static void probe_hw_breakpoint(struct conf *conf)
{
    CONF_PROGRAM(first, VMR_NOP(), VMR_END());
    struct vmr_debug_state debug = {.breakpoints = {{.enabled = true, .kind = VMR_BREAK_EXECUTE, .length = 1}}};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &first) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    debug.breakpoints[0].address = regs.rip;
    CONF_REQUIRE(conf, vmr_vp_set_debug_state(vm->vps[0], &debug) == VMR_OK, "a breakpoint is refused");
    if (!step_to(vm, VMR_EXIT_DEBUG, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "never fires");
}

/* In real mode: LIDT of a limit of 0, then UD2. Where the limit is ignored, the handler at 0:[6 * 4] runs and halts. */
static void probe_real_mode_triple(struct conf *conf)
{
    static const uint8_t code[] = {0x31, 0xc0, 0x8e, 0xd8, 0x0f, 0x01, 0x1e, 0x00, 0x11, 0x0f, 0x0b, 0xf4};
    static const uint8_t no_table[8] = {0}, handler[] = {0xf4};
    static const uint8_t vector[] = {RAW_HANDLER & 0xff, RAW_HANDLER >> 8, 0, 0};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_x86_regs regs, before;
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf,
                 vmr_memory_write(vm->memory, RAW_CODE, code, sizeof(code)) == VMR_OK &&
                     vmr_memory_write(vm->memory, RAW_TABLE, no_table, sizeof(no_table)) == VMR_OK &&
                     vmr_memory_write(vm->memory, RAW_HANDLER, handler, sizeof(handler)) == VMR_OK &&
                     vmr_memory_write(vm->memory, VECTOR_UD * 4u, vector, sizeof(vector)) == VMR_OK,
                 "RAM is not there");
    vmr_x86_regs_sipi(&regs, RAW_CODE >> 12);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &before) == VMR_OK, "no registers");
    regs.apic_base = before.apic_base;
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "real mode is refused");
    if (!step_to(vm, VMR_EXIT_SHUTDOWN, VMR_EXIT_HALT, &vp_exit))
        conf_skip(conf, "the limit is ignored");
}

/* --- the table --- */

static const struct {
    const char *name;
    uint32_t quirk;
    uint64_t needs;
    bool user_chip_only; /* what it measures is between the library and the processor */
    void (*run)(struct conf *conf);
} probes[] = {
    {"sti-window", CONF_QUIRK_STI_WINDOW, 0, true, probe_sti_window},
    {"hw-breakpoint", CONF_QUIRK_HW_BREAKPOINT, CONF_CAP(HW_BREAKPOINT), false, probe_hw_breakpoint},
    {"data-breakpoint", CONF_QUIRK_DATA_BREAKPOINT, CONF_CAP(HW_BREAKPOINT), false, probe_data_breakpoint},
    {"real-mode-triple-fault", CONF_QUIRK_REAL_MODE_TRIPLE, CONF_CAP(REAL_MODE), true, probe_real_mode_triple},
};

#define PROBE_COUNT (sizeof(probes) / sizeof(probes[0]))

const char *conf_quirk_name(uint32_t quirk)
{
    for (size_t i = 0; i < PROBE_COUNT; i++) {
        if (quirk & probes[i].quirk)
            return probes[i].name;
    }
    return "unknown";
}

bool conf_quirks_measure(struct conf_backend *backend, char *ret_reason, size_t size)
{
    char reason[CONF_TEXT_MAX];

    for (size_t i = 0; i < PROBE_COUNT; i++) {
        if ((probes[i].needs & ~backend->caps.bits) ||
            (probes[i].user_chip_only && backend->irqchip != VMR_IRQCHIP_USER))
            continue;
        enum conf_verdict verdict = conf_execute_probe(backend, probes[i].run, reason, sizeof(reason));

        if (verdict == CONF_SKIP)
            backend->quirks |= probes[i].quirk;
        if (verdict == CONF_FAIL) {
            snprintf(ret_reason, size, "measuring %s: %s", probes[i].name, reason);
            return false;
        }
    }
    return true;
}
