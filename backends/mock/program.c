/* SPDX-License-Identifier: MIT */
/*
 * The steps of guest programs. Each function below is one operation; it is
 * called again with the answer until it is done, and does what the machine code
 * that the assembler makes of the same step does, exit by exit. [PROG-1]
 */

#include "backends/mock/program.h"

#include <string.h>

#include "backends/mock/chip.h"
#include "lib/base/bytes.h"
#include "lib/base/checked.h"
#include "vmrig/irqchip.h"

/* Interrupt command register: assert, and the delivery modes (Intel SDM vol. 3, 11.6.1). */
#define ICR_ASSERT 0x4000u
#define ICR_INIT 0x500u
#define ICR_STARTUP 0x600u
#define LEAF_FEATURES 1u
#define SIPI_VECTOR (VMR_PROGRAM_BASE >> 12)
/* Added to the vector of an exception that no step expects: reported as this step's mismatch. */
#define EXCEPTION_STEP 0xffffff00u

/* One instruction of a step with several: the next stage, and whether that was the last. */
static enum step_result next_stage(struct vmr_backend_vp *vp, enum step_result result, uint32_t last)
{
    if (result != STEP_DONE)
        return result;
    vp->step.stage++;
    return vp->step.stage > last ? STEP_DONE : STEP_AGAIN;
}

/* --- endings --- */

/* HLT with interrupts off, for ever: where local APICs are in the hypervisor it also waits there. */
static enum step_result end_at(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, uint32_t stage)
{
    if (stage == 0) {
        enum step_result result = guest_out(vp, &vp->step, vp_exit, VMR_PROGRAM_PORT_END, 4, 0);

        vp->step.stage += result == STEP_DONE;
        return result == STEP_DONE ? STEP_AGAIN : result;
    }
    vp->regs.rflags &= ~RFLAGS_IF;
    if (vp->vm->chip)
        return STEP_WAIT;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_HALT};
    return STEP_LEAVE;
}

static enum step_result do_end(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)step;
    return end_at(vp, vp_exit, vp->step.stage);
}

/* Three writes, then the end. */
static enum step_result report(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit, uint32_t index, uint64_t seen)
{
    const uint32_t values[3] = {index, (uint32_t)seen, (uint32_t)(seen >> 32)};

    if (vp->step.stage >= 3)
        return end_at(vp, vp_exit, vp->step.stage - 3);
    enum step_result result = guest_out(vp, &vp->step, vp_exit, VMR_PROGRAM_PORT_MISMATCH, 4, values[vp->step.stage]);

    return next_stage(vp, result, 3);
}

/* --- variables --- */

static enum step_result do_set(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp_exit;
    *program_var(vp, step->var) = step->value;
    return STEP_DONE;
}

static enum step_result do_add(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp_exit;
    *program_var(vp, step->var) += step->value;
    return STEP_DONE;
}

static enum step_result do_expect(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint64_t mask = step->op == VMR_STEP_EXPECT_MASK ? step->address : UINT64_MAX;
    uint64_t seen = *program_var(vp, step->var);

    if ((seen & mask) == step->value)
        return STEP_DONE;
    return report(vp, vp_exit, (uint32_t)(step - vp->program->steps), seen);
}

/* --- flow --- */

static enum step_result do_jump(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp_exit;
    if (step->op == VMR_STEP_JUMP_EQ ? *program_var(vp, step->var) == step->value : true)
        vp->next_step = step->target;
    return STEP_DONE;
}

static enum step_result do_loop(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp_exit;
    if (--*program_var(vp, step->var) != 0)
        vp->next_step = step->target;
    return STEP_DONE;
}

static enum step_result do_spin(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp;
    (void)step;
    (void)vp_exit;
    return STEP_WAIT; /* its loop changes nothing: to wait until the VP is attended to is the same */
}

static enum step_result do_spin_until(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    enum step_result result = guest_load(vp, &vp->step, vp_exit, step->address, step->size);

    if (result != STEP_DONE)
        return result;
    return load_le(vp->step.bytes, 8) == (step->value & mask_of_bytes(step->size)) ? STEP_DONE : STEP_POLL;
}

static enum step_result do_nop(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)vp;
    (void)step;
    (void)vp_exit;
    return STEP_DONE;
}

/* --- ports and memory --- */

static enum step_result do_out(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint64_t value = step->op == VMR_STEP_OUT ? step->value : *program_var(vp, step->var);

    return guest_out(vp, &vp->step, vp_exit, (uint16_t)step->address, step->size, value);
}

static enum step_result do_in(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    enum step_result result = guest_in(vp, &vp->step, vp_exit, (uint16_t)step->address, step->size);

    if (result == STEP_DONE)
        *program_var(vp, step->var) = load_le(vp->step.bytes, 8);
    return result;
}

static enum step_result do_string(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    return guest_string(vp, &vp->step, vp_exit, step);
}

static enum step_result do_store(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint64_t value = step->op == VMR_STEP_STORE ? step->value : *program_var(vp, step->var);

    return guest_store(vp, &vp->step, vp_exit, step->address, step->size, value);
}

static enum step_result do_load(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    enum step_result result = guest_load(vp, &vp->step, vp_exit, step->address, step->size);

    if (result == STEP_DONE)
        *program_var(vp, step->var) = load_le(vp->step.bytes, 8);
    return result;
}

/* Atomic in RAM; elsewhere a read and a write of one instruction, as hypervisors emulate it. */
static enum step_result do_or(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    struct flight *flight = &vp->step;

    if (flight->stage == 0) {
        if (flight->part == 0 && flight->done == 0 && guest_or(vp, step->address, step->value, step->size))
            return STEP_DONE;
        enum step_result result = guest_load(vp, flight, vp_exit, step->address, step->size);

        if (result != STEP_DONE)
            return result;
        store_le(flight->bytes, 8, load_le(flight->bytes, 8) | step->value);
        flight->stage = 1;
    }
    uint64_t value = load_le(flight->bytes, 8);

    return guest_store(vp, flight, vp_exit, step->address, step->size, value);
}

/* --- MSRs, CPUID, hypercalls --- */

static void note_fault(struct vmr_backend_vp *vp, bool fault)
{
    *program_var(vp, VMR_PROGRAM_FAULT_VAR) = fault ? EXCEPTION_GP + 1 : 0;
}

static enum step_result do_rdmsr(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint64_t value;
    bool fault;
    enum step_result result = guest_rdmsr(vp, &vp->step, vp_exit, (uint32_t)step->address, &value, &fault);

    if (result != STEP_DONE)
        return result;
    *program_var(vp, step->var) = value;
    note_fault(vp, fault);
    return STEP_DONE;
}

static enum step_result do_wrmsr(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    bool fault;
    enum step_result result = guest_wrmsr(vp, &vp->step, vp_exit, (uint32_t)step->address, step->value, &fault);

    if (result == STEP_DONE)
        note_fault(vp, fault);
    return result;
}

static void look_up_cpuid(const struct vmr_backend_vp *vp, uint32_t leaf, uint32_t subleaf,
                          struct vmr_exit_cpuid *ret_result)
{
    const struct vmr_backend_vm *vm = vp->vm;

    *ret_result = (struct vmr_exit_cpuid){.leaf = leaf, .subleaf = subleaf};
    for (size_t i = 0; i < vm->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &vm->cpuid[i];

        if (entry->leaf != leaf || (entry->match_subleaf && entry->subleaf != subleaf))
            continue;
        ret_result->eax = entry->eax;
        ret_result->ebx = entry->ebx;
        ret_result->ecx = entry->ecx;
        ret_result->edx = entry->edx;
        break;
    }
    /* Whatever the table says, the initial APIC id is the VP's own (Intel SDM vol. 2, CPUID). [LIFE-3] */
    if (leaf == LEAF_FEATURES)
        ret_result->ebx = (ret_result->ebx & 0x00ffffff) | vp->index << 24;
}

static void set_cpuid(struct vmr_backend_vp *vp, const struct vmr_exit_cpuid *result)
{
    *program_var(vp, 0) = result->eax;
    *program_var(vp, 1) = result->ebx;
    *program_var(vp, 2) = result->ecx;
    *program_var(vp, 3) = result->edx;
}

static enum step_result do_cpuid(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    struct vmr_exit_cpuid result;

    if (vp->step.sent) {
        vp->step.sent = false;
        set_cpuid(vp, &vp_exit->u.cpuid);
        return STEP_DONE;
    }
    look_up_cpuid(vp, (uint32_t)step->address, (uint32_t)step->value, &result);
    if ((vp->vm->profile->caps >> VMR_CAP_CPUID_EXIT & 1u) == 0) {
        set_cpuid(vp, &result);
        return STEP_DONE;
    }
    vp->step.sent = true;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_CPUID};
    vp_exit->u.cpuid = result;
    return STEP_EXIT;
}

static enum step_result do_hypercall(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    if (vp->step.sent) {
        vp->step.sent = false;
        *program_var(vp, step->var) = vp_exit->u.hypercall.result;
        return STEP_DONE;
    }
    if ((vp->vm->profile->caps >> VMR_CAP_HYPERCALL_EXIT & 1u) == 0) {
        *program_var(vp, step->var) = vp->vm->profile->no_hypercall_result;
        return STEP_DONE;
    }
    vp->step.sent = true;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_HYPERCALL};
    vp_exit->u.hypercall = (struct vmr_exit_hypercall){.number = step->value, .long_mode = true};
    for (uint8_t i = 0; i < 4; i++)
        vp_exit->u.hypercall.args[i] = *program_var(vp, i);
    return STEP_EXIT;
}

static enum step_result do_hv_call(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    return guest_hv_call(vp, &vp->step, vp_exit, step);
}

/* --- interrupts --- */

static enum step_result do_cli(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)step;
    (void)vp_exit;
    vp->regs.rflags &= ~RFLAGS_IF;
    return STEP_DONE;
}

/* Takes effect after the next instruction, if interrupts were off (Intel SDM vol. 2, STI). */
static void set_interrupts(struct vmr_backend_vp *vp)
{
    if ((vp->regs.rflags & RFLAGS_IF) == 0)
        vp->shadow = 2; /* this step and the next */
    vp->shadow_kind = VMR_X86_SHADOW_STI;
    vp->regs.rflags |= RFLAGS_IF;
}

static enum step_result do_sti(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)step;
    (void)vp_exit;
    set_interrupts(vp);
    return STEP_DONE;
}

/* Stage 0: HLT; it is over when the VP goes on. */
static enum step_result halt(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    vp->step.stage = 1;
    vp->shadow = 0;
    if (vp->vm->chip) {
        vp->activity = VMR_ACTIVITY_HALTED;
        return STEP_AGAIN;
    }
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_HALT};
    return STEP_LEAVE;
}

static enum step_result do_hlt(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    (void)step;
    return vp->step.stage == 0 ? halt(vp, vp_exit) : STEP_DONE;
}

/* CLI; enough? STI; HLT; again. */
static enum step_result do_wait_vector(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint8_t bytes[4] = {0};

    if (vp->step.stage == 1) {
        vp->step.stage = 0;
        vp->regs.rflags &= ~RFLAGS_IF;
        return STEP_AGAIN;
    }
    vp->regs.rflags &= ~RFLAGS_IF;
    (void)map_read(&vp->vm->map, program_count_gpa(vp, (uint8_t)step->value), bytes, sizeof(bytes));
    if (load_le32(bytes) >= step->count)
        return STEP_DONE;
    set_interrupts(vp);
    return halt(vp, vp_exit);
}

static enum step_result do_read_count(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint8_t bytes[4] = {0};

    (void)vp_exit;
    (void)map_read(&vp->vm->map, program_count_gpa(vp, (uint8_t)step->value), bytes, sizeof(bytes));
    *program_var(vp, step->var) = load_le32(bytes);
    return STEP_DONE;
}

static enum step_result do_start_vp(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    uint32_t low = ICR_ASSERT | (vp->step.stage == 0 ? ICR_INIT : ICR_STARTUP | SIPI_VECTOR);

    return next_stage(vp, guest_ipi(vp, &vp->step, vp_exit, (uint32_t)step->value, low), 1);
}

static enum step_result do_send_ipi(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    return guest_ipi(vp, &vp->step, vp_exit, (uint32_t)step->value, ICR_ASSERT | (uint32_t)(step->address & 0xff));
}

/* --- the host --- */

static enum step_result do_checkpoint(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    return guest_out(vp, &vp->step, vp_exit, VMR_PROGRAM_PORT_CHECKPOINT, 4, step->value);
}

static enum step_result do_power(struct vmr_backend_vp *vp, const struct vmr_step *step, struct vmr_exit *vp_exit)
{
    return guest_out(vp, &vp->step, vp_exit, VMR_PROGRAM_PORT_POWER, 4, step->op == VMR_STEP_POWER_OFF ? 1 : 2);
}

static enum step_result do_triple_fault(struct vmr_backend_vp *vp, const struct vmr_step *step,
                                        struct vmr_exit *vp_exit)
{
    (void)step;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_SHUTDOWN, .u.shutdown.vtl = vp->vtl};
    return STEP_LEAVE;
}

static enum step_result (*const functions[VMR_STEP_OP_COUNT])(struct vmr_backend_vp *vp, const struct vmr_step *step,
                                                              struct vmr_exit *vp_exit) = {
    [VMR_STEP_END] = do_end,
    [VMR_STEP_SET] = do_set,
    [VMR_STEP_ADD] = do_add,
    [VMR_STEP_OUT] = do_out,
    [VMR_STEP_OUT_VAR] = do_out,
    [VMR_STEP_IN] = do_in,
    [VMR_STEP_OUTS] = do_string,
    [VMR_STEP_INS] = do_string,
    [VMR_STEP_STORE] = do_store,
    [VMR_STEP_STORE_VAR] = do_store,
    [VMR_STEP_LOAD] = do_load,
    [VMR_STEP_OR] = do_or,
    [VMR_STEP_RDMSR] = do_rdmsr,
    [VMR_STEP_WRMSR] = do_wrmsr,
    [VMR_STEP_CPUID] = do_cpuid,
    [VMR_STEP_EXPECT] = do_expect,
    [VMR_STEP_EXPECT_MASK] = do_expect,
    [VMR_STEP_JUMP] = do_jump,
    [VMR_STEP_JUMP_EQ] = do_jump,
    [VMR_STEP_LOOP] = do_loop,
    [VMR_STEP_SPIN] = do_spin,
    [VMR_STEP_SPIN_UNTIL] = do_spin_until,
    [VMR_STEP_CLI] = do_cli,
    [VMR_STEP_STI] = do_sti,
    [VMR_STEP_HLT] = do_hlt,
    [VMR_STEP_WAIT_VECTOR] = do_wait_vector,
    [VMR_STEP_READ_COUNT] = do_read_count,
    [VMR_STEP_START_VP] = do_start_vp,
    [VMR_STEP_SEND_IPI] = do_send_ipi,
    [VMR_STEP_CHECKPOINT] = do_checkpoint,
    [VMR_STEP_HYPERCALL] = do_hypercall,
    [VMR_STEP_HV_CALL] = do_hv_call,
    [VMR_STEP_POWER_OFF] = do_power,
    [VMR_STEP_RESET] = do_power,
    [VMR_STEP_TRIPLE_FAULT] = do_triple_fault,
    [VMR_STEP_NOP] = do_nop,
    [VMR_STEP_VTL_CALL] = do_hv_call,
    [VMR_STEP_VTL_RETURN] = do_hv_call,
};

enum step_result program_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    static const struct vmr_step end = {.op = VMR_STEP_END};
    uint32_t index = program_step(vp);
    const struct vmr_step *step = index < vp->program->count ? &vp->program->steps[index] : &end;

    if (vp->pending.kind != VMR_X86_EVENT_NONE && !program_is_in_call(&vp->regs)) {
        vp->exception = vp->pending.vector;
        vp->pending = (struct vmr_x86_event){0};
    }
    if (vp->exception)
        return report(vp, vp_exit, EXCEPTION_STEP | vp->exception, vp->regs.rip);
    vp->next_step = index + 1;
    return functions[step->op](vp, step, vp_exit);
}
