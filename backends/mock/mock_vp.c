/* SPDX-License-Identifier: MIT */
/*
 * A VP between its steps: registers, what is injected, kicks. What the guest
 * does is in mock_run.c.
 */

#include <stdlib.h>
#include <string.h>

#include "backends/mock/chip.h"
#include "backends/mock/machine.h"
#include "backends/mock/program.h"
#include "backends/mock/script.h"
#include "backends/mock/vtl.h"

/* What the processor says it is, also in DX (Intel SDM vol. 3, 10.1.2). */
static uint32_t cpuid_1_eax(const struct vmr_backend_vm *vm)
{
    for (size_t i = 0; i < vm->cpuid_count; i++) {
        if (vm->cpuid[i].leaf == 1)
            return vm->cpuid[i].eax;
    }
    return 0;
}

enum vmr_status mock_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                               struct vmr_error *err)
{
    enum vmr_status status = fault_call(vm->hypervisor, "creating a VP", err);

    if (status)
        return status;
    if (vm->host->ops->parker_create(vm->host->context, &vp->parker))
        return vmr_error_set(err, VMR_E_NOMEM, "mock: VP %u: out of memory", index);
    vp->vm = vm;
    vp->index = index;
    if (!vtl_create(vp))
        return vmr_error_set(err, VMR_E_NOMEM, "mock: VP %u: out of memory", index);
    vtl_reset(vp);
    vmr_x86_regs_reset(&vp->regs);
    vp->regs.gpr[VMR_X86_RDX] = cpuid_1_eax(vm);
    if (index > 0)
        vp->regs.apic_base &= ~APIC_BASE_BSP;
    msr_reset(vp);
    xsave_reset(vp);
    vp_restart(vp);
    if (vm->chip && index > 0)
        vp->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
    /* Each VP draws its own numbers, so that what one draws does not depend on the others. */
    vp->random = vm->hypervisor->seed ? vm->hypervisor->seed + index : 0;
    vm->vps[index] = vp;
    vm->vp_count = index + 1;
    return VMR_OK;
}

void mock_vp_destroy(struct vmr_backend_vp *vp)
{
    if (!vp->vm)
        return;
    const struct vmr_host *host = vp->vm->host;

    /* VPs go before their VM, and whoever has an irqfd's event may signal it at any time. */
    events_unwatch(vp->vm);
    script_destroy(vp->script);
    vtl_destroy(vp);
    host->ops->parker_destroy(host->context, vp->parker);
    vp->script = NULL;
    vp->vm = NULL;
}

enum vmr_status mock_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    return fault_call(vp->vm->hypervisor, "binding a VP", err);
}

void mock_vp_unbind(struct vmr_backend_vp *vp)
{
    (void)vp;
}

/* --- kicks --- */

void vp_attend(struct vmr_backend_vp *vp, uint32_t bit)
{
    const struct vmr_host *host = vp->vm->host;

    (void)sync_fetch_or_u32(host, &vp->attention, bit);
    host->ops->unpark(host->context, vp->parker);
}

void mock_vp_enter(struct vmr_backend_vp *vp)
{
    /* Nobody kicks outside vp_enter and vp_leave, so nothing is lost that belongs to this run. */
    if (vp->vm->profile->kick == PROFILE_KICK_CLEAN)
        (void)sync_fetch_and_u32(vp->vm->host, &vp->attention, ~ATTENTION_KICK);
}

void mock_vp_leave(struct vmr_backend_vp *vp, enum vmr_leave why)
{
    (void)vp;
    (void)why;
}

void mock_vp_kick(struct vmr_backend_vp *vp)
{
    (void)atomic_fetch_add_explicit(&vp->kicks, 1, memory_order_relaxed);
    if (!fault_hits(vp->vm->hypervisor, VMR_MOCK_DROP_KICK))
        vp_attend(vp, ATTENTION_KICK);
}

/* --- state --- */

void vp_restart(struct vmr_backend_vp *vp)
{
    vp->begun = false;
    vp->exception = 0;
    vp->step = (struct flight){0};
    vp->handler = (struct flight){0};
    vp->in_handler = false;
    vp->awaiting = false;
    vp->shadow = 0;
    vp->injected = (struct vmr_x86_event){0};
    vp->pending = (struct vmr_x86_event){0};
    vp->eoi_due = -1;
    vp->break_due = -1;
    vp->trap_due = false;
    vp->resume = false;
}

enum vmr_status mock_vp_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "reading registers", NULL);

    if (!status) {
        if (vp->vm->chip)
            vp->regs.cr8 = chip_read_cr8(vp);
        *ret_regs = vp->regs;
        ret_regs->rip = vp_rip(vp);
    }
    return status;
}

uint64_t vp_rip(const struct vmr_backend_vp *vp)
{
    bool in_step = vp->begun && program_step_of(vp->regs.rip) != UINT32_MAX;

    return vp->regs.rip + (in_step ? program_place(&vp->step) : 0);
}

/*
 * Real-mode registers are those of a processor that starts: the program begins
 * anew. Otherwise the instruction pointer says which step comes next, or, in a
 * hypercall page, the code segment's base.
 */
void vp_put_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    uint64_t rip = program_step_address(regs->rip), place = regs->rip - rip;

    if (!program_is_under_way(regs)) {
        vp_restart(vp);
    } else if (regs->rip != vp_rip(vp)) {
        vp->step = (struct flight){.stage = place & PLACE_STAGE, .items = (place & PLACE_ITEMS) != 0};
        vp->begun = true;
        vp->resume = false;
    }
    vp->regs = *regs;
    vp->regs.rip = rip;
    chip_base_changed(vp);
    if (vp->vm->chip)
        chip_write_cr8(vp, (uint8_t)regs->cr8);
}

enum vmr_status mock_vp_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "writing registers", NULL);

    if (!status)
        vp_put_regs(vp, regs);
    return status;
}

enum vmr_status mock_vp_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "reading an MSR", NULL);

    if (status)
        return status;
    return msr_read_own(vp, index, ret_value) ? VMR_OK : VMR_E_GUEST;
}

enum vmr_status mock_vp_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "writing an MSR", NULL);

    if (status)
        return status;
    return msr_write_own(vp, index, value) ? VMR_OK : VMR_E_GUEST;
}

static void read_xmm(const struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        ret_xmm[i] = (struct vmr_hv_xmm){.low = xmm_word(vp, 2 * i), .high = xmm_word(vp, 2 * i + 1)};
}

enum vmr_status mock_vp_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "reading XMM registers", NULL);

    if (!status)
        read_xmm(vp, ret_xmm);
    return status;
}

enum vmr_status mock_vp_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "writing XMM registers", NULL);

    for (unsigned i = 0; !status && i < VMR_HV_XMM_COUNT; i++) {
        xmm_set_word(vp, 2 * i, xmm[i].low);
        xmm_set_word(vp, 2 * i + 1, xmm[i].high);
    }
    return status;
}

enum vmr_status mock_vp_get_activity(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "reading the activity", NULL);

    if (status)
        return status;
    /* Hypervisors take an INIT that waits before they answer. */
    if (vp->vm->chip &&
        (sync_fetch_and_u32(vp->vm->host, &vp->attention, ~ATTENTION_INTERRUPT) & ATTENTION_INTERRUPT) != 0)
        chip_take(vp);
    *ret_activity = vp->activity;
    return status;
}

enum vmr_status mock_vp_set_activity(struct vmr_backend_vp *vp, enum vmr_activity activity)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "writing the activity", NULL);

    if (!status)
        vp->activity = activity;
    return status;
}

enum vmr_status mock_vp_set_debug(struct vmr_backend_vp *vp, const struct vmr_debug_state *state)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "writing the debug state", NULL);

    if (status)
        return status;
    vp->debug = *state;
    vp->trap_due = false;
    vp->break_due = -1;
    return VMR_OK;
}

/* --- interrupts of the library's controllers --- */

void vp_log_injected(struct vmr_backend_vp *vp, uint8_t vector)
{
    if (vp->injected_count < MOCK_INJECTED_MAX)
        vp->injected_log[vp->injected_count] = vector;
    vp->injected_count++;
}

enum vmr_status mock_vp_interrupt(struct vmr_backend_vp *vp, uint8_t vector)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "injecting an interrupt", NULL);

    if (status)
        return status;
    vp->injected = (struct vmr_x86_event){.kind = VMR_X86_EVENT_INTERRUPT, .vector = vector};
    vp_log_injected(vp, vector);
    if (vp->activity == VMR_ACTIVITY_HALTED)
        vp->activity = VMR_ACTIVITY_RUNNING;
    return VMR_OK;
}

enum vmr_status mock_vp_nmi(struct vmr_backend_vp *vp)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "injecting an NMI", NULL);

    if (status)
        return status;
    vp->nmi_pending = true;
    if (vp->activity == VMR_ACTIVITY_HALTED)
        vp->activity = VMR_ACTIVITY_RUNNING;
    return VMR_OK;
}

/* The interpreter remembers no translation: that it was asked is all there is. */
enum vmr_status mock_vp_flush(struct vmr_backend_vp *vp)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "flushing", NULL);

    if (!status)
        (void)atomic_fetch_add_explicit(&vp->flushes, 1, memory_order_relaxed);
    return status;
}

enum vmr_status mock_vp_exception(struct vmr_backend_vp *vp, uint8_t vector)
{
    enum vmr_status status = fault_call(vp->vm->hypervisor, "injecting an exception", NULL);

    if (!status)
        vp->pending = (struct vmr_x86_event){
            .kind = VMR_X86_EVENT_EXCEPTION, .vector = vector, .has_error = vector == EXCEPTION_GP};
    return status;
}

void mock_vp_request_window(struct vmr_backend_vp *vp, bool wanted)
{
    vp->window = wanted;
}

void mock_vp_set_tpr(struct vmr_backend_vp *vp, uint8_t tpr)
{
    vp->regs.cr8 = tpr;
}
