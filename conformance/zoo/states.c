/* SPDX-License-Identifier: MIT */
/* Registers and states that do not come through, and resets that leave something. */

#include <string.h>

#include "conformance/zoo/zoo.h"

#define BASE_STATES(vp) (zoo_vp(vp)->base->state)

/* --- registers --- */

static enum vmr_status set_no_flags(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    struct vmr_x86_regs mine = *regs;
    struct vmr_x86_regs now;

    if (zoo_vp(vp)->base->vp_get_regs(vp, &now) == VMR_OK)
        mine.gpr[VMR_X86_R15] = now.gpr[VMR_X86_R15];
    return zoo_vp(vp)->base->vp_set_regs(vp, &mine);
}

static enum vmr_status get_without_r15(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    enum vmr_status status = zoo_vp(vp)->base->vp_get_regs(vp, ret_regs);

    if (!status)
        ret_regs->gpr[VMR_X86_R15] = 0;
    return status;
}

static void make_r15_lost(struct vmr_backend *table)
{
    table->vp_set_regs = set_no_flags;
    table->vp_get_regs = get_without_r15;
}

static enum vmr_status get_long_mode(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    enum vmr_status status = zoo_vp(vp)->base->vp_get_regs(vp, ret_regs);

    if (!status && (ret_regs->cr0 & 1) == 0)
        ret_regs->rip = 0;
    return status;
}

static void make_begins_at_zero(struct vmr_backend *table)
{
    table->vp_get_regs = get_long_mode;
}

/* --- classes --- */

static enum vmr_status set_registers_only(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                          const void *value, struct vmr_error *err)
{
    if (vp_class != VMR_VP_REGISTERS)
        return VMR_OK;
    return BASE_STATES(vp)->vp_set_state(vp, vtl, vp_class, value, err);
}

static void make_restores_registers_only(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_set_state = set_registers_only;
}

static enum vmr_status set_no_syscall(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                      const void *value, struct vmr_error *err)
{
    if (vp_class == VMR_VP_SYSCALL)
        return VMR_OK;
    return BASE_STATES(vp)->vp_set_state(vp, vtl, vp_class, value, err);
}

static void make_msrs_survive_reset(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_set_state = set_no_syscall;
}

static enum vmr_status set_no_events(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                     const void *value, struct vmr_error *err)
{
    if (vp_class == VMR_VP_ACTIVITY)
        return VMR_OK;
    return BASE_STATES(vp)->vp_set_state(vp, vtl, vp_class, value, err);
}

static void make_events_not_restored(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_set_state = set_no_events;
}

static enum vmr_status set_no_xsave(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                    const void *value, struct vmr_error *err)
{
    if (vp_class == VMR_VP_XSAVE)
        return VMR_OK;
    return BASE_STATES(vp)->vp_set_state(vp, vtl, vp_class, value, err);
}

static void make_vectors_not_restored(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_set_state = set_no_xsave;
}

/* A stale copy: what was read first is read for ever. */
static enum vmr_status get_pat_once(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                    struct vmr_error *err)
{
    struct zoo_vp *zoo = zoo_vp(vp);
    enum vmr_status status = BASE_STATES(vp)->vp_get_state(vp, vtl, vp_class, ret_value, err);
    struct vmr_x86_word_state *word = ret_value;

    if (status || vp_class != VMR_VP_PAT)
        return status;
    if (zoo->words[0] == 0)
        zoo->words[0] = word->value;
    word->value = zoo->words[0];
    return VMR_OK;
}

static void make_pat_is_stale(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_get_state = get_pat_once;
}

static enum vmr_status set_anything(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                    const void *value, struct vmr_error *err)
{
    enum vmr_status status = BASE_STATES(vp)->vp_set_state(vp, vtl, vp_class, value, err);

    return status == VMR_E_CONFIG ? VMR_OK : status;
}

static void make_bad_states_pass(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_set_state = set_anything;
}

static enum vmr_status get_of_lower(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                    struct vmr_error *err)
{
    (void)vtl;
    return BASE_STATES(vp)->vp_get_state(vp, 0, vp_class, ret_value, err);
}

static void make_one_state_for_all_vtls(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_get_state = get_of_lower;
}

static enum vmr_status get_noise(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                 struct vmr_error *err)
{
    enum vmr_status status = BASE_STATES(vp)->vp_get_state(vp, vtl, vp_class, ret_value, err);

    if (!status && vp_class == VMR_VP_TSC_AUX)
        ((struct vmr_x86_word_state *)ret_value)->value += zoo_vp(vp)->words[1]++;
    return status;
}

static void make_state_drifts(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_get_state = get_noise;
}

/* --- resets --- */

static enum vmr_status reset_nothing(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    (void)vp;
    (void)err;
    return VMR_OK;
}

static void make_vp_reset_skipped(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_reset = reset_nothing;
}

static enum vmr_status reset_later(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    (void)err;
    zoo_vp(vp)->words[0] = 1;
    return VMR_OK;
}

static void run_after_reset(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (zoo->words[0]) {
        zoo->words[0] = 0;
        (void)zoo->base->state->vp_reset(vp, NULL);
    }
    zoo->base->vp_run(vp, vp_exit);
}

static void make_vp_reset_deferred(struct vmr_backend *table)
{
    zoo_states_of(table)->vp_reset = reset_later;
    table->vp_run = run_after_reset;
}

static enum vmr_status reset_no_vm(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    (void)vm;
    (void)err;
    return VMR_OK;
}

static void make_vm_reset_skipped(struct vmr_backend *table)
{
    zoo_states_of(table)->vm_reset = reset_no_vm;
}

static enum vmr_status reset_failing(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    enum vmr_status status = zoo_vm(vm)->base->state->vm_reset ? zoo_vm(vm)->base->state->vm_reset(vm, err) : VMR_OK;

    return zoo_vm(vm)->words[0]++ > 0 ? VMR_E_HOST : status;
}

static void make_resets_once(struct vmr_backend *table)
{
    zoo_states_of(table)->vm_reset = reset_failing;
}

/* --- the debugger --- */

static enum vmr_status debug_nothing(struct vmr_backend_vp *vp, const struct vmr_debug_state *state)
{
    (void)vp;
    (void)state;
    return VMR_OK;
}

static void make_debug_ignored(struct vmr_backend *table)
{
    table->vp_set_debug = debug_nothing;
}

static enum vmr_status debug_without_data(struct vmr_backend_vp *vp, const struct vmr_debug_state *state)
{
    struct vmr_debug_state execute = *state;

    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
        execute.breakpoints[i].enabled &= execute.breakpoints[i].kind == VMR_BREAK_EXECUTE;
    return zoo_vp(vp)->base->vp_set_debug(vp, &execute);
}

static void make_data_breakpoints_ignored(struct vmr_backend *table)
{
    table->vp_set_debug = debug_without_data;
}

static void run_sloppy(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->base->vp_run(vp, vp_exit);
    if (vp_exit->kind == VMR_EXIT_DEBUG && vp_exit->u.debug.single_step && zoo->words[0]++ % 2 == 0)
        zoo->base->vp_run(vp, vp_exit);
}

static void make_steps_two(struct vmr_backend *table)
{
    table->vp_run = run_sloppy;
}

#define ANIMAL(function, clause_, filter_, defect_, origin_, kvm)                                                      \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .on_kvm = (kvm)                                                                           \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(r15_lost, "LIFE-8", "*", "one register is not taken and not told", NULL, false),
    ANIMAL(begins_at_zero, "LIFE-8", "*", "VPs begin at address 0", NULL, false),
    ANIMAL(restores_registers_only, "STATE-1", "state*/*", "a restore takes the general registers and no more",
           "arcbox: restore of a snapshot is not its inverse", true),
    ANIMAL(msrs_survive_reset, "RST-2", "reset*/*", "MSRs keep their values over a reset",
           "OpenVMM, KVM: MISC_ENABLE, FEATURE_CONTROL, MCG_CAP are not reset", true),
    ANIMAL(events_not_restored, "STATE-4", "state*/*", "pending events do not come along",
           "KVM: a pending NMI cannot be cleared", true),
    ANIMAL(vectors_not_restored, "STATE-1", "state*/*", "vector registers do not come along", NULL, true),
    ANIMAL(pat_is_stale, "STATE-1", "state*/*", "a class is read from a copy that nobody brings up to date", NULL,
           true),
    ANIMAL(bad_states_pass, "STATE-4", "state*/*", "what is refused is said to be taken", NULL, true),
    ANIMAL(one_state_for_all_vtls, "VTL-5", "*", "the state of a higher VTL is VTL 0's", NULL, false),
    ANIMAL(state_drifts, "STATE-1", "state*/*", "two readings of one class differ", NULL, false),
    ANIMAL(vp_reset_skipped, "RST-2", "reset*/*", "what no class says survives a reset", NULL, false),
    ANIMAL(vp_reset_deferred, "RST-2", "reset*/*", "a VP is reset at its next run",
           "OpenVMM #3046: reset was a flag for the next run", false),
    {.name = "vm_reset_skipped",
     .make = make_vm_reset_skipped,
     .clause = "RST-1",
     .filter = "reset*/*",
     .params = "profile=kvm-like,irqchip=kernel",
     .defect = "the controllers in the hypervisor are not reset",
     .origin = "KVM: a timer fires after the reset"},
    ANIMAL(resets_once, "RST-1", "reset*/*", "a VM can be reset once", "HVF: a VM is destroyed and made again", false),
    ANIMAL(debug_ignored, "DBG-1", "debug*/*", "debug state is taken and ignored", "HVF: silent success", true),
    ANIMAL(data_breakpoints_ignored, "DBG-2", "debug*/*", "breakpoints on data do not stop", NULL, false),
    ANIMAL(steps_two, "DBG-1", "debug*/*", "a single step is two, now and then", NULL, false),
};

const struct zoo_house zoo_states = {animals, sizeof(animals) / sizeof(animals[0])};
