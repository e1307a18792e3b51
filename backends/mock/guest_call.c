/* SPDX-License-Identifier: MIT */
/*
 * A call of the Hyper-V hypercall page, as a guest's code makes it. The code in
 * the page is looked at, an instruction at a time: what a guest would find there
 * is what the library has put there, and three instructions are all it needs.
 */

#include "backends/mock/program.h"

#include <string.h>

#include "lib/base/bytes.h"

#define VECTOR_BP 3u
#define VECTOR_UD 6u

#define OP_INT3 0xccu
#define OP_RET 0xc3u
#define OP_OUT_IMM8_AL 0xe6u
#define OUT_IMM8_BYTES 2u
#define VMCALL_BYTES 3u
#define OP_MOV_ECX_IMM32 0xb9u
#define MOV_IMM32_BYTES 5u
#define MOV_RAX_RCX_BYTES 3u
#define CODE_BYTES_MAX 5u

#define CODE32_ATTRIBUTES 0xc09bu /* a flat code segment without the L bit (Intel SDM vol. 3, 3.4.5) */

/* Loads XMM0 to XMM5 from RAM, or stores them. False: there is none. */
static bool move_xmm(struct vmr_backend_vp *vp, vmr_gpa gpa, bool store)
{
    for (unsigned i = 0; i < 2 * VMR_HV_XMM_COUNT; i++) {
        uint8_t bytes[8];

        store_le64(bytes, xmm_word(vp, i));
        if (!(store ? map_write(&vp->vm->map, gpa + 8u * i, bytes, sizeof(bytes))
                    : map_read(&vp->vm->map, gpa + 8u * i, bytes, sizeof(bytes))))
            return false;
        if (!store)
            xmm_set_word(vp, i, load_le64(bytes));
    }
    return true;
}

/* The page's entries for VTL switches take their input in RCX, and no variables. */
static bool is_switch(const struct vmr_step *step)
{
    return step->op != VMR_STEP_HV_CALL;
}

static bool is_narrow(const struct vmr_step *step)
{
    return step->size == 4;
}

static uint64_t join(const uint64_t *gpr, enum vmr_x86_gpr high, enum vmr_x86_gpr low)
{
    return gpr[high] << 32 | (uint32_t)gpr[low];
}

/* What is above the low half is no part of it, and may be anything: here it is what it would not be by chance. */
static void split(uint64_t *gpr, enum vmr_x86_gpr high, enum vmr_x86_gpr low, uint64_t value)
{
    gpr[high] = value >> 32;
    gpr[low] = value ^ UINT64_C(0xffffffff) << 32;
}

static void load_parameters(struct vmr_backend_vp *vp, const struct vmr_step *step)
{
    uint64_t *gpr = vp->regs.gpr;

    if (is_narrow(step)) {
        split(gpr, VMR_X86_RDX, VMR_X86_RAX, step->value);
        split(gpr, VMR_X86_RBX, VMR_X86_RCX, *program_var(vp, 0));
        split(gpr, VMR_X86_RDI, VMR_X86_RSI, *program_var(vp, 1));
        vp->regs.cs.attributes = CODE32_ATTRIBUTES;
        return;
    }
    gpr[VMR_X86_RCX] = step->value;
    gpr[VMR_X86_RDX] = *program_var(vp, 0);
    gpr[VMR_X86_R8] = *program_var(vp, 1); /* which is variable 0 */
    gpr[VMR_X86_RAX] = 0;
}

/* Where in the page the step enters. */
static uint32_t entry_of(const struct vmr_step *step)
{
    if (!is_switch(step))
        return 0;
    return step->op == VMR_STEP_VTL_CALL ? HV_PAGE_VTL_CALL_64 : HV_PAGE_VTL_RETURN_64;
}

static void begin(struct vmr_backend_vp *vp, const struct vmr_step *step)
{
    vp->regs.cs.base = vp->regs.rip;
    if (is_switch(step))
        vp->regs.gpr[VMR_X86_RCX] = step->op == VMR_STEP_VTL_CALL ? 0 : step->value;
    else
        load_parameters(vp, step);
    vp->regs.rip = step->address + entry_of(step);
}

static void take_results(struct vmr_backend_vp *vp, const struct vmr_step *step)
{
    const uint64_t *gpr = vp->regs.gpr;

    if (is_narrow(step)) {
        *program_var(vp, 0) = join(gpr, VMR_X86_RBX, VMR_X86_RCX);
        *program_var(vp, 1) = join(gpr, VMR_X86_RDI, VMR_X86_RSI);
        *program_var(vp, step->var) = join(gpr, VMR_X86_RDX, VMR_X86_RAX);
        return;
    }
    *program_var(vp, 1) = gpr[VMR_X86_R8];
    *program_var(vp, 0) = gpr[VMR_X86_RDX];
    *program_var(vp, step->var) = gpr[VMR_X86_RAX];
}

/* Back at the step, with what the registers hold now; `vector` < 0: no fault. */
static enum step_result leave(struct vmr_backend_vp *vp, const struct vmr_step *step, int vector)
{
    vp->regs.rip = vp->regs.cs.base;
    vp->regs.cs.base = 0;
    if (is_narrow(step) && !is_switch(step))
        vp->regs.cs.attributes = MOCK_CODE64_ATTRIBUTES;
    if (!is_switch(step))
        take_results(vp, step);
    *program_var(vp, VMR_PROGRAM_FAULT_VAR) = vector < 0 ? 0 : (uint64_t)vector + 1;
    if (is_switch(step))
        return STEP_DONE;
    if (step->count != 0 && !move_xmm(vp, step->count, true))
        vp->exception = EXCEPTION_GP;
    return STEP_DONE;
}

static enum step_result out(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint8_t port)
{
    enum step_result result = guest_out(vp, flight, vp_exit, port, 1, vp->regs.gpr[VMR_X86_RAX]);

    if (result != STEP_DONE)
        return result;
    vp->regs.rip += OUT_IMM8_BYTES;
    return STEP_AGAIN;
}

static enum step_result vmcall(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                               const struct vmr_step *step)
{
    uint64_t *gpr = vp->regs.gpr;

    if (!flight->sent && (vp->vm->profile->caps >> VMR_CAP_HYPERCALL_EXIT & 1u) != 0) {
        flight->sent = true;
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_HYPERCALL};
        vp_exit->u.hypercall = (struct vmr_exit_hypercall){.number = gpr[VMR_X86_RAX], .long_mode = !is_narrow(step)};
        return STEP_EXIT;
    }
    if (!flight->sent)
        gpr[VMR_X86_RAX] = vp->vm->profile->no_hypercall_result;
    else if (vp_exit->kind == VMR_EXIT_HYPERCALL)
        gpr[VMR_X86_RAX] = vp_exit->u.hypercall.result;
    flight->sent = false;
    vp->regs.rip += VMCALL_BYTES;
    return STEP_AGAIN;
}

/* MOV RAX, RCX; MOV ECX, imm32. False: neither. */
static bool move_register(struct vmr_backend_vp *vp, const uint8_t code[CODE_BYTES_MAX])
{
    static const uint8_t mov_rax_rcx[MOV_RAX_RCX_BYTES] = {0x48, 0x89, 0xc8};
    uint64_t *gpr = vp->regs.gpr;

    if (memcmp(code, mov_rax_rcx, sizeof(mov_rax_rcx)) == 0) {
        gpr[VMR_X86_RAX] = gpr[VMR_X86_RCX];
        vp->regs.rip += MOV_RAX_RCX_BYTES;
        return true;
    }
    if (code[0] != OP_MOV_ECX_IMM32)
        return false;
    gpr[VMR_X86_RCX] = load_le32(code + 1);
    vp->regs.rip += MOV_IMM32_BYTES;
    return true;
}

static enum step_result instruction(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                                    const struct vmr_step *step)
{
    static const uint8_t vmcalls[2][VMCALL_BYTES] = {{0x0f, 0x01, 0xc1}, {0x0f, 0x01, 0xd9}};
    uint8_t code[CODE_BYTES_MAX] = {0};

    if (!guest_may(vp, vp->regs.rip, HV_MAP_GPA_KERNEL_EXECUTABLE))
        return guest_refuse_fetch(vp, vp_exit, vp->regs.rip);
    vp->pass = false;
    if (!map_read(&vp->vm->map, vp->regs.rip, code, sizeof(code)))
        return leave(vp, step, VECTOR_UD);
    if (code[0] == OP_RET)
        return leave(vp, step, -1);
    if (code[0] == OP_OUT_IMM8_AL)
        return out(vp, flight, vp_exit, code[1]);
    if (memcmp(code, vmcalls[0], VMCALL_BYTES) == 0 || memcmp(code, vmcalls[1], VMCALL_BYTES) == 0)
        return vmcall(vp, flight, vp_exit, step);
    if (is_switch(step) && move_register(vp, code))
        return STEP_AGAIN;
    return leave(vp, step, code[0] == OP_INT3 ? VECTOR_BP : VECTOR_UD);
}

enum step_result guest_hv_call(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                               const struct vmr_step *step)
{
    if (!program_is_in_call(&vp->regs)) {
        if (!is_switch(step) && step->count != 0 && !move_xmm(vp, step->count, false)) {
            vp->exception = EXCEPTION_GP;
            return STEP_AGAIN;
        }
        begin(vp, step);
        return STEP_AGAIN;
    }
    if (vp->pending.kind != VMR_X86_EVENT_NONE) {
        uint8_t vector = vp->pending.vector;

        vp->pending = (struct vmr_x86_event){0};
        return leave(vp, step, vector);
    }
    return instruction(vp, flight, vp_exit, step);
}
