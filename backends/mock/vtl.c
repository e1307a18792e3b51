/* SPDX-License-Identifier: MIT */
/*
 * Virtual trust levels: what a VP has of its own at each, and what changes when
 * it goes from one to another (TLFS, Virtual Processor State Isolation). Each
 * VTL has its own program, which stands where it was left.
 */

#include "backends/mock/vtl.h"

#include <stdlib.h>

#include "backends/mock/chip.h"
#include "backends/mock/program.h"

struct vtl_state {
    struct vmr_x86_regs regs; /* the private ones */
    uint64_t msrs[MOCK_MSR_COUNT];
    const struct vmr_program *program;
    bool begun;
    uint8_t exception;
    struct flight step, handler;
    bool in_handler;
    uint8_t handler_vector;
    uint64_t handler_flags;
    struct vmr_x86_event pending, injected;
    uint8_t shadow, shadow_kind;
    bool nmi_pending, nmi_masked;
    bool resume;
};

bool vtl_create(struct vmr_backend_vp *vp)
{
    if (vp->vm->vtl_highest == 0)
        return true;
    vp->vtls = calloc(vp->vm->vtl_highest + 1u, sizeof(*vp->vtls));
    vp->vtl = vp->vm->vtl_first;
    return vp->vtls != NULL;
}

/* A VTL that was never entered. */
static void forget(struct vmr_backend_vp *vp, uint8_t vtl)
{
    struct vtl_state *state = &vp->vtls[vtl];

    *state = (struct vtl_state){.program = state->program};
    vmr_x86_regs_reset(&state->regs);
    for (unsigned i = 0; i < MOCK_MSR_COUNT; i++)
        state->msrs[i] = msr_at_reset(i);
}

void vtl_destroy(struct vmr_backend_vp *vp)
{
    free(vp->vtls);
    vp->vtls = NULL;
}

void vtl_set_program(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_program *program)
{
    vp->vtls[vtl].program = program;
}

struct map_guest vtl_view(const struct vmr_backend_vp *vp, vmr_gpa *gpa)
{
    const uint64_t alias = vp->vm->vtl0_alias_map;

    if (alias == 0 || vp->vtl != VMR_VTL2 || *gpa < alias)
        return (struct map_guest){.vtl = vp->vtl, .pass = vp->pass};
    *gpa -= alias;
    return (struct map_guest){.vtl = VMR_VTL0, .pass = true};
}

/* --- the table's operations --- */

enum vmr_status mock_vm_protect(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    enum vmr_status status = fault_call(vm->hypervisor, "protecting memory", NULL);

    if (!status)
        map_protect(&vm->map, vtl, gpa, size, access);
    return status;
}

enum vmr_status mock_vp_pass_fault(struct vmr_backend_vp *vp)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "passing a fault", NULL);

    if (!status)
        vp->pass = true;
    return status;
}

/* Registers that all VTLs of a VP see; RSP is none of them. */
static void share_registers(struct vmr_x86_regs *to, const struct vmr_x86_regs *from)
{
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++) {
        if (i != VMR_X86_RSP)
            to->gpr[i] = from->gpr[i];
    }
    to->cr2 = from->cr2;
    to->apic_base = from->apic_base; /* there is one local APIC */
}

static void leave(const struct vmr_backend_vp *vp, struct vtl_state *ret_state)
{
    *ret_state = (struct vtl_state){
        .regs = vp->regs,
        .program = vp->program,
        .begun = vp->begun,
        .exception = vp->exception,
        .step = vp->step,
        .handler = vp->handler,
        .in_handler = vp->in_handler,
        .handler_vector = vp->handler_vector,
        .handler_flags = vp->handler_flags,
        .pending = vp->pending,
        .injected = vp->injected,
        .shadow = vp->shadow,
        .shadow_kind = vp->shadow_kind,
        .nmi_pending = vp->nmi_pending,
        .nmi_masked = vp->nmi_masked,
        .resume = vp->resume,
    };
    for (unsigned i = 0; i < MOCK_MSR_COUNT; i++)
        ret_state->msrs[i] = vp->msrs[i];
}

static void take_msrs(struct vmr_backend_vp *vp, const uint64_t msrs[MOCK_MSR_COUNT])
{
    for (unsigned i = 0; i < MOCK_MSR_COUNT; i++) {
        if (msr_is_private(i))
            vp->msrs[i] = msrs[i];
    }
}

static void come(struct vmr_backend_vp *vp, const struct vtl_state *state)
{
    vp->regs = state->regs;
    vp->program = state->program;
    vp->begun = state->begun;
    vp->exception = state->exception;
    vp->step = state->step;
    vp->handler = state->handler;
    vp->in_handler = state->in_handler;
    vp->handler_vector = state->handler_vector;
    vp->handler_flags = state->handler_flags;
    vp->pending = state->pending;
    vp->injected = state->injected;
    vp->shadow = state->shadow;
    vp->shadow_kind = state->shadow_kind;
    vp->nmi_pending = state->nmi_pending;
    vp->nmi_masked = state->nmi_masked;
    vp->resume = state->resume;
    take_msrs(vp, state->msrs);
}

/* Its program begins; at another step than the first if the registers say so. */
static void begin(struct vmr_backend_vp *vp, const struct vtl_state *state, const struct vmr_x86_regs *initial)
{
    uint64_t shared[MOCK_MSR_COUNT];

    for (unsigned i = 0; i < MOCK_MSR_COUNT; i++)
        shared[i] = vp->msrs[i];
    msr_reset(vp);
    for (unsigned i = 0; i < MOCK_MSR_COUNT; i++) {
        if (!msr_is_private(i))
            vp->msrs[i] = shared[i];
    }
    vp->program = state->program;
    vp->regs = *initial;
    vp_restart(vp);
    vp->nmi_pending = false;
    vp->begun = program_step_of(initial->rip) != UINT32_MAX;
}

enum vmr_status mock_vp_switch_vtl(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "switching the VTL", NULL);
    const struct vmr_x86_regs before = vp->regs;

    if (status)
        return status;
    leave(vp, &vp->vtls[vp->vtl]);
    if (initial)
        begin(vp, &vp->vtls[vtl], initial);
    else
        come(vp, &vp->vtls[vtl]);
    share_registers(&vp->regs, &before);
    vp->vtl = vtl;
    vp->pass = false;
    vp->awaiting = false;
    return VMR_OK;
}

/* --- as states --- */

void vtl_get_regs(const struct vmr_backend_vp *vp, uint8_t vtl, struct vmr_x86_regs *ret_regs)
{
    const struct vtl_state *state = vtl == vp->vtl ? NULL : &vp->vtls[vtl];

    *ret_regs = state ? state->regs : vp->regs;
    if (!state) {
        ret_regs->rip = vp_rip(vp);
        return;
    }
    if (state->begun && program_step_of(state->regs.rip) != UINT32_MAX)
        ret_regs->rip += program_place(&state->step);
    share_registers(ret_regs, &vp->regs);
}

void vtl_put_regs(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *regs)
{
    struct vtl_state *state = &vp->vtls[vtl];
    uint64_t rip = program_step_address(regs->rip), place = regs->rip - rip;
    bool begins = !program_is_under_way(regs);
    struct vmr_x86_regs now;

    vtl_get_regs(vp, vtl, &now);
    if (begins || regs->rip != now.rip) {
        state->step = (struct flight){.stage = place & PLACE_STAGE, .items = (place & PLACE_ITEMS) != 0};
        state->resume = state->in_handler = false;
        state->begun = !begins;
        state->exception = 0;
    }
    if (begins)
        state->step = (struct flight){0};
    state->regs = *regs;
    state->regs.rip = begins ? regs->rip : rip;
    share_registers(&vp->regs, regs);
}

uint64_t *vtl_msr(struct vmr_backend_vp *vp, uint8_t vtl, unsigned place)
{
    return vtl == vp->vtl || !msr_is_private(place) ? &vp->msrs[place] : &vp->vtls[vtl].msrs[place];
}

struct vtl_events vtl_events_of(struct vmr_backend_vp *vp, uint8_t vtl)
{
    struct vtl_state *state = vtl == vp->vtl ? NULL : &vp->vtls[vtl];

    if (!state)
        return (struct vtl_events){.pending = &vp->pending,
                                   .injected = &vp->injected,
                                   .shadow = &vp->shadow,
                                   .shadow_kind = &vp->shadow_kind,
                                   .nmi_pending = &vp->nmi_pending,
                                   .nmi_masked = &vp->nmi_masked};
    return (struct vtl_events){.pending = &state->pending,
                               .injected = &state->injected,
                               .shadow = &state->shadow,
                               .shadow_kind = &state->shadow_kind,
                               .nmi_pending = &state->nmi_pending,
                               .nmi_masked = &state->nmi_masked};
}

void vtl_reset(struct vmr_backend_vp *vp)
{
    if (!vp->vtls)
        return;
    vp->vtls[vp->vtl].program = vp->program;
    for (uint8_t vtl = 0; vtl <= vp->vm->vtl_highest; vtl++)
        forget(vp, vtl);
    vp->vtl = vp->vm->vtl_first;
    vp->program = vp->vtls[vp->vtl].program;
}
