/* SPDX-License-Identifier: MIT */
/* Instructions that reach what is outside the processor: ports, MSRs, CPUID, hypercalls. */

#include "insn.h"

static uint64_t read_tsc(const struct toy_cpu *cpu)
{
    return cpu->vm->host.ops->now_ns(cpu->vm->host.context) + cpu->tsc_offset;
}

/* The place of an MSR that is kept here. */
static uint64_t *find_msr(struct toy_cpu *cpu, uint32_t index)
{
    /* SYSENTER, STAR to the SYSCALL mask, KERNEL_GS_BASE, PAT (Intel SDM vol. 4) */
    static const uint32_t kept[TOY_MSRS] = {0x174,      0x175,      0x176,      0xc0000081, 0xc0000082,
                                            0xc0000083, 0xc0000084, 0xc0000102, 0x277};

    if (index == MSR_TSC)
        return &cpu->tsc_offset;
    if (index == MSR_EFER)
        return &cpu->regs.efer;
    for (unsigned i = 0; i < TOY_MSRS; i++) {
        if (index == kept[i])
            return &cpu->msrs[i];
    }
    return NULL;
}

bool toy_get_msr(struct toy_cpu *cpu, uint32_t index, uint64_t *ret_value)
{
    const uint64_t *msr = find_msr(cpu, index);

    if (msr)
        *ret_value = index == MSR_TSC ? read_tsc(cpu) : *msr;
    return msr != NULL;
}

bool toy_set_msr(struct toy_cpu *cpu, uint32_t index, uint64_t value)
{
    uint64_t *msr = find_msr(cpu, index);

    if (!msr)
        return false;
    if (index == MSR_TSC)
        value -= read_tsc(cpu) - cpu->tsc_offset;
    if (index == MSR_EFER)
        value = (value & ~(uint64_t)EFER_LMA) | (*msr & EFER_LMA);
    *msr = value;
    return true;
}

static bool ask_port(struct toy_cpu *cpu, unsigned size, uint16_t port, bool write, uint64_t *value)
{
    struct vmr_exit question = {.kind = VMR_EXIT_IO}, answer;

    question.u.io = (struct vmr_exit_io){.port = port,
                                         .size = (uint8_t)size,
                                         .direction = write ? VMR_WRITE : VMR_READ,
                                         .count = 1,
                                         .value = write ? toy_cut(*value, size) : 0};
    if (!toy_ask(cpu, &question, &answer))
        return false;
    if (!write)
        *value = answer.u.io.value;
    return true;
}

/* e4 to e7 with the port behind, ec to ef with it in DX. */
bool toy_do_port(struct toy_cpu *cpu, struct toy_insn *in)
{
    unsigned size = in->op & 1 ? (in->size == 2 ? 2 : 4) : 1;
    uint16_t port = in->op & 8 ? (uint16_t)cpu->regs.gpr[VMR_X86_RDX] : (uint16_t)toy_take(in, 1);
    uint64_t value = cpu->regs.gpr[VMR_X86_RAX];
    bool write = (in->op & 2) != 0;

    if (!ask_port(cpu, size, port, write, &value))
        return false;
    if (!write)
        toy_set_reg(cpu, in, VMR_X86_RAX, size, value);
    return true;
}

/* One item; REP leaves the instruction pointer where it is until the last. */
bool toy_do_string(struct toy_cpu *cpu, struct toy_insn *in)
{
    unsigned size = in->op & 1 ? (in->size == 2 ? 2 : 4) : 1;
    bool write = (in->op & 2) != 0;
    uint64_t *at = &cpu->regs.gpr[write ? VMR_X86_RSI : VMR_X86_RDI], *left = &cpu->regs.gpr[VMR_X86_RCX], value = 0;

    if (in->repeats && *left == 0)
        return true;
    if ((write && !toy_load(cpu, *at, size, &value)) ||
        !ask_port(cpu, size, (uint16_t)cpu->regs.gpr[VMR_X86_RDX], write, &value) ||
        (!write && !toy_store(cpu, *at, size, value)))
        return false;
    *at = cpu->regs.rflags & FLAG_DF ? *at - size : *at + size;
    if (in->repeats && --*left != 0)
        in->at = 0;
    return true;
}

static bool must_exit(const struct toy_vm *vm, uint32_t index)
{
    for (size_t i = 0; i < vm->msr_exit_count; i++) {
        if (index - vm->msr_exits[i].first < vm->msr_exits[i].count)
            return true;
    }
    return false;
}

bool toy_do_msr(struct toy_cpu *cpu, bool write)
{
    uint64_t *gpr = cpu->regs.gpr, value = write ? toy_cut(gpr[VMR_X86_RAX], 4) | gpr[VMR_X86_RDX] << 32 : 0;
    uint32_t index = (uint32_t)gpr[VMR_X86_RCX];
    bool here =
        !must_exit(cpu->vm, index) && (write ? toy_set_msr(cpu, index, value) : toy_get_msr(cpu, index, &value));
    struct vmr_exit question = {.kind = VMR_EXIT_MSR}, answer = {0};

    question.u.msr = (struct vmr_exit_msr){.index = index, .direction = write ? VMR_WRITE : VMR_READ, .value = value};
    if (!here && !toy_ask(cpu, &question, &answer))
        return false;
    if (!here && answer.u.msr.fault)
        return toy_fault(cpu, VECTOR_GP, 0);
    if (write)
        return true;
    if (!here)
        value = answer.u.msr.value;
    gpr[VMR_X86_RAX] = toy_cut(value, 4);
    gpr[VMR_X86_RDX] = value >> 32;
    return true;
}

bool toy_do_cpuid(struct toy_cpu *cpu)
{
    uint64_t *gpr = cpu->regs.gpr;
    uint32_t leaf = (uint32_t)gpr[VMR_X86_RAX], subleaf = (uint32_t)gpr[VMR_X86_RCX];
    struct vmr_cpuid_entry found = {0};

    for (size_t i = 0; i < cpu->vm->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &cpu->vm->cpuid[i];

        if (entry->leaf == leaf && (!entry->match_subleaf || entry->subleaf == subleaf))
            found = *entry;
    }
    if (leaf == 1) /* the APIC id, which is the VP's index [LIFE-3] */
        found.ebx = (found.ebx & 0xffffff) | cpu->index << 24;
    gpr[VMR_X86_RAX] = found.eax;
    gpr[VMR_X86_RBX] = found.ebx;
    gpr[VMR_X86_RCX] = found.ecx;
    gpr[VMR_X86_RDX] = found.edx;
    return true;
}

/* Who takes no answer back has written the registers itself. */
bool toy_do_hypercall(struct toy_cpu *cpu, const struct toy_insn *in)
{
    const uint64_t *gpr = cpu->regs.gpr;
    struct vmr_exit question = {.kind = VMR_EXIT_HYPERCALL}, answer;

    question.u.hypercall =
        (struct vmr_exit_hypercall){.number = gpr[VMR_X86_RAX],
                                    .args = {gpr[VMR_X86_RBX], gpr[VMR_X86_RCX], gpr[VMR_X86_RDX], gpr[VMR_X86_RSI]},
                                    .long_mode = in->mode == 8};
    if (!toy_ask(cpu, &question, &answer))
        return false;
    if (answer.kind == VMR_EXIT_HYPERCALL)
        cpu->regs.gpr[VMR_X86_RAX] = answer.u.hypercall.result;
    return true;
}
