/* SPDX-License-Identifier: MIT */
/*
 * Registers, MSRs, activity and debug state of a VP. Called at clean points
 * only, so KVM's own copy is the truth, but for two things in the run page: CR8
 * without a local APIC in KVM, which is loaded at each entry, and registers that
 * came with a completion (KVM_CAP_SYNC_REGS), which spares a hypercall four
 * calls into the host.
 */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"

#define CR8_MASK 0xfu
#define CR4_PGE 0x80u

/* DR7 (Intel SDM vol. 3, 18.2.4): local enable at 2n, kind at 16 + 4n, length at 18 + 4n; bit 10 is always one. */
#define DR7_FIXED (UINT64_C(1) << 10)

/* Where each general register is in struct kvm_regs. */
static const size_t gpr_offsets[VMR_X86_GPR_COUNT] = {
    [VMR_X86_RAX] = offsetof(struct kvm_regs, rax), [VMR_X86_RCX] = offsetof(struct kvm_regs, rcx),
    [VMR_X86_RDX] = offsetof(struct kvm_regs, rdx), [VMR_X86_RBX] = offsetof(struct kvm_regs, rbx),
    [VMR_X86_RSP] = offsetof(struct kvm_regs, rsp), [VMR_X86_RBP] = offsetof(struct kvm_regs, rbp),
    [VMR_X86_RSI] = offsetof(struct kvm_regs, rsi), [VMR_X86_RDI] = offsetof(struct kvm_regs, rdi),
    [VMR_X86_R8] = offsetof(struct kvm_regs, r8),   [VMR_X86_R9] = offsetof(struct kvm_regs, r9),
    [VMR_X86_R10] = offsetof(struct kvm_regs, r10), [VMR_X86_R11] = offsetof(struct kvm_regs, r11),
    [VMR_X86_R12] = offsetof(struct kvm_regs, r12), [VMR_X86_R13] = offsetof(struct kvm_regs, r13),
    [VMR_X86_R14] = offsetof(struct kvm_regs, r14), [VMR_X86_R15] = offsetof(struct kvm_regs, r15),
};

static __u64 *gpr_of(struct kvm_regs *regs, size_t gpr)
{
    return (__u64 *)(void *)((char *)regs + gpr_offsets[gpr]);
}

/* The segments of both register files, in one order. */
struct segment_row {
    size_t ours, kvms;
};
static const struct segment_row segment_rows[] = {
    {offsetof(struct vmr_x86_regs, cs), offsetof(struct kvm_sregs, cs)},
    {offsetof(struct vmr_x86_regs, ds), offsetof(struct kvm_sregs, ds)},
    {offsetof(struct vmr_x86_regs, es), offsetof(struct kvm_sregs, es)},
    {offsetof(struct vmr_x86_regs, fs), offsetof(struct kvm_sregs, fs)},
    {offsetof(struct vmr_x86_regs, gs), offsetof(struct kvm_sregs, gs)},
    {offsetof(struct vmr_x86_regs, ss), offsetof(struct kvm_sregs, ss)},
    {offsetof(struct vmr_x86_regs, tr), offsetof(struct kvm_sregs, tr)},
    {offsetof(struct vmr_x86_regs, ldtr), offsetof(struct kvm_sregs, ldt)},
};
#define SEGMENT_COUNT (sizeof(segment_rows) / sizeof(segment_rows[0]))

static void segment_get(const struct kvm_segment *from, struct vmr_x86_segment *ret_segment)
{
    unsigned present = from->present && !from->unusable;
    /* Loading a code or data segment sets its accessed bit; AMD's KVM leaves it out of CS at reset. [LIFE-8] */
    unsigned accessed = present && from->s;

    *ret_segment = (struct vmr_x86_segment){
        .base = from->base,
        .limit = from->limit,
        .selector = from->selector,
        .attributes =
            (uint16_t)((from->type & 0xfu) | accessed | (from->s & 1u) << 4 | (from->dpl & 3u) << 5 | present << 7 |
                       (from->avl & 1u) << 12 | (from->l & 1u) << 13 | (from->db & 1u) << 14 | (from->g & 1u) << 15),
    };
}

static void segment_set(const struct vmr_x86_segment *from, struct kvm_segment *ret_segment)
{
    unsigned a = from->attributes;

    *ret_segment = (struct kvm_segment){
        .base = from->base,
        .limit = from->limit,
        .selector = from->selector,
        .type = a & 0xf,
        .s = a >> 4 & 1,
        .dpl = a >> 5 & 3,
        .present = a >> 7 & 1,
        .avl = a >> 12 & 1,
        .l = a >> 13 & 1,
        .db = a >> 14 & 1,
        .g = a >> 15 & 1,
        .unusable = (a >> 7 & 1) == 0,
    };
}

static void sregs_get(const struct kvm_sregs *from, struct vmr_x86_regs *ret_regs)
{
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        const void *segment = (const char *)from + segment_rows[i].kvms;

        segment_get(segment, (struct vmr_x86_segment *)(void *)((char *)ret_regs + segment_rows[i].ours));
    }
    ret_regs->gdtr = (struct vmr_x86_table){.base = from->gdt.base, .limit = from->gdt.limit};
    ret_regs->idtr = (struct vmr_x86_table){.base = from->idt.base, .limit = from->idt.limit};
    ret_regs->cr0 = from->cr0;
    ret_regs->cr2 = from->cr2;
    ret_regs->cr3 = from->cr3;
    ret_regs->cr4 = from->cr4;
    ret_regs->cr8 = from->cr8;
    ret_regs->efer = from->efer;
    ret_regs->apic_base = from->apic_base;
}

/* Leaves what is not ours: the interrupt that is on its way in. */
static void sregs_set(const struct vmr_x86_regs *from, struct kvm_sregs *sregs)
{
    for (size_t i = 0; i < SEGMENT_COUNT; i++) {
        const void *segment = (const char *)from + segment_rows[i].ours;

        segment_set(segment, (struct kvm_segment *)(void *)((char *)sregs + segment_rows[i].kvms));
    }
    sregs->gdt = (struct kvm_dtable){.base = from->gdtr.base, .limit = from->gdtr.limit};
    sregs->idt = (struct kvm_dtable){.base = from->idtr.base, .limit = from->idtr.limit};
    sregs->cr0 = from->cr0;
    sregs->cr2 = from->cr2;
    sregs->cr3 = from->cr3;
    sregs->cr4 = from->cr4;
    sregs->cr8 = from->cr8;
    sregs->efer = from->efer;
    sregs->apic_base = from->apic_base;
}

static enum vmr_status read_special(const struct kvm_vp *vp, struct kvm_sregs *ret_special)
{
    if (vp->registers_came)
        *ret_special = vp->run->s.regs.sregs;
    else if (kvm_host_ioctl(vp->fd.number, KVM_GET_SREGS, kvm_pointer(ret_special)) < 0)
        return VMR_E_HOST;
    return VMR_OK;
}

static enum vmr_status read_general(const struct kvm_vp *vp, struct kvm_regs *ret_general)
{
    if (vp->registers_came)
        *ret_general = vp->run->s.regs.regs;
    else if (kvm_host_ioctl(vp->fd.number, KVM_GET_REGS, kvm_pointer(ret_general)) < 0)
        return VMR_E_HOST;
    return VMR_OK;
}

enum vmr_status kvm_vp_settle(struct kvm_vp *vp)
{
    struct kvm_run *run = vp->run;

    if (run->kvm_dirty_regs != 0 && kvm_host_ioctl(vp->fd.number, KVM_SET_REGS, kvm_pointer(&run->s.regs.regs)) < 0)
        return VMR_E_HOST;
    run->kvm_dirty_regs = 0;
    vp->registers_came = false;
    return VMR_OK;
}

enum vmr_status kvm_vp_get_regs(struct vmr_backend_vp *backend_vp, struct vmr_x86_regs *ret_regs)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct vmr_x86_regs regs = {0};
    struct kvm_regs general = {0};
    struct kvm_sregs special = {0};

    if (read_general(vp, &general) || read_special(vp, &special))
        return VMR_E_HOST;
    for (size_t i = 0; i < VMR_X86_GPR_COUNT; i++)
        regs.gpr[i] = *gpr_of(&general, i);
    regs.rip = general.rip;
    regs.rflags = general.rflags;
    sregs_get(&special, &regs);
    if (vp->vm->irqchip == VMR_IRQCHIP_USER)
        regs.cr8 = vp->run->cr8 & CR8_MASK;
    *ret_regs = regs;
    return VMR_OK;
}

/*
 * Whether the special registers are to change at all. To set them can cost many
 * times what it costs to read them, and a caller that changes general registers
 * gives these back as kvm_vp_get_regs read them.
 */
static bool special_differs(const struct kvm_vp *vp, const struct kvm_sregs *now, const struct kvm_sregs *wanted)
{
    struct vmr_x86_regs regs = {0};
    struct kvm_sregs same = *now;

    sregs_get(now, &regs);
    if (vp->vm->irqchip == VMR_IRQCHIP_USER)
        regs.cr8 = wanted->cr8; /* is in the run page */
    sregs_set(&regs, &same);
    return memcmp(&same, wanted, sizeof(same)) != 0;
}

/* Both kinds by call, or neither. [ERR-1] */
static enum vmr_status set_by_call(struct kvm_vp *vp, const struct kvm_regs *general, const struct kvm_sregs *special,
                                   const struct kvm_sregs *old)
{
    int fd = vp->fd.number, result = special ? kvm_host_ioctl(fd, KVM_SET_SREGS, kvm_pointer(special)) : 0;

    /* EINVAL: control registers that no processor holds together. */
    if (result < 0)
        return result == -EINVAL ? VMR_E_CONFIG : VMR_E_HOST;
    if (kvm_host_ioctl(fd, KVM_SET_REGS, kvm_pointer(general)) < 0) {
        if (special)
            (void)kvm_host_ioctl(fd, KVM_SET_SREGS, kvm_pointer(old));
        return VMR_E_HOST;
    }
    vp->run->kvm_dirty_regs = 0;
    vp->registers_came = false;
    return VMR_OK;
}

enum vmr_status kvm_vp_set_regs(struct vmr_backend_vp *backend_vp, const struct vmr_x86_regs *regs)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct kvm_regs general = {.rip = regs->rip, .rflags = regs->rflags};
    struct kvm_sregs old = {0};

    if (read_special(vp, &old))
        return VMR_E_HOST;
    struct kvm_sregs special = old;

    sregs_set(regs, &special);
    for (size_t i = 0; i < VMR_X86_GPR_COUNT; i++)
        *gpr_of(&general, i) = regs->gpr[i];
    bool changed = special_differs(vp, &old, &special);
    enum vmr_status status = VMR_OK;

    if (changed || !vp->registers_came) {
        status = set_by_call(vp, &general, changed ? &special : NULL, &old);
    } else {
        vp->run->s.regs.regs = general;
        vp->run->kvm_dirty_regs = KVM_SYNC_X86_REGS; /* taken by the next KVM_RUN */
    }
    if (!status)
        vp->run->cr8 = regs->cr8 & CR8_MASK;
    return status;
}

/*
 * KVM has no call for it, but forgets a VP's translations when its paging changes
 * (KVM_SET_SREGS with another CR4): global pages off and on again.
 */
enum vmr_status kvm_vp_flush(struct vmr_backend_vp *backend_vp)
{
    int fd = kvm_vp_of(backend_vp)->fd.number;
    struct kvm_sregs special = {0};

    if (kvm_vp_settle(kvm_vp_of(backend_vp)) || kvm_host_ioctl(fd, KVM_GET_SREGS, kvm_pointer(&special)) < 0)
        return VMR_E_HOST;
    special.cr4 ^= CR4_PGE;
    if (kvm_host_ioctl(fd, KVM_SET_SREGS, kvm_pointer(&special)) < 0)
        return VMR_E_HOST;
    special.cr4 ^= CR4_PGE;
    return kvm_host_ioctl(fd, KVM_SET_SREGS, kvm_pointer(&special)) < 0 ? VMR_E_HOST : VMR_OK;
}

/* --- XMM0 to XMM5. The rest of what these calls carry goes back as it came. --- */

static uint64_t load64(const __u8 *bytes)
{
    uint64_t value = 0;

    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

static void store64(__u8 *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (__u8)(value >> 8 * i);
}

enum vmr_status kvm_vp_get_xmm(struct vmr_backend_vp *backend_vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    struct kvm_fpu fpu = {0};

    if (kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_GET_FPU, kvm_pointer(&fpu)) < 0)
        return VMR_E_HOST;
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        ret_xmm[i] = (struct vmr_hv_xmm){.low = load64(fpu.xmm[i]), .high = load64(fpu.xmm[i] + 8)};
    return VMR_OK;
}

enum vmr_status kvm_vp_set_xmm(struct vmr_backend_vp *backend_vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    int fd = kvm_vp_of(backend_vp)->fd.number;
    struct kvm_fpu fpu = {0};

    if (kvm_host_ioctl(fd, KVM_GET_FPU, kvm_pointer(&fpu)) < 0)
        return VMR_E_HOST;
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++) {
        store64(fpu.xmm[i], xmm[i].low);
        store64(fpu.xmm[i] + 8, xmm[i].high);
    }
    return kvm_host_ioctl(fd, KVM_SET_FPU, kvm_pointer(&fpu)) < 0 ? VMR_E_HOST : VMR_OK;
}

enum vmr_status kvm_vp_exception(struct vmr_backend_vp *backend_vp, uint8_t vector)
{
    int fd = kvm_vp_of(backend_vp)->fd.number;
    struct kvm_vcpu_events events = {0};

    if (kvm_vp_settle(kvm_vp_of(backend_vp)) || kvm_host_ioctl(fd, KVM_GET_VCPU_EVENTS, kvm_pointer(&events)) < 0)
        return VMR_E_HOST;
    events.exception.injected = 1;
    events.exception.nr = vector;
    events.exception.has_error_code = 0;
    /* What was pending beside it stays as it is: none of the fields that need a flag is meant. */
    events.flags = 0;
    return kvm_host_ioctl(fd, KVM_SET_VCPU_EVENTS, kvm_pointer(&events)) < 0 ? VMR_E_HOST : VMR_OK;
}

/* One MSR in the layout KVM wants: a count, then entries. */
struct one_msr {
    _Alignas(struct kvm_msrs) unsigned char bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static struct kvm_msr_entry *one_msr_init(struct one_msr *one, uint32_t index)
{
    struct kvm_msrs *list = (struct kvm_msrs *)(void *)one->bytes;

    *one = (struct one_msr){0};
    list->nmsrs = 1;
    list->entries[0].index = index;
    return &list->entries[0];
}

/* KVM counts the MSRs it took. */
static enum vmr_status msr_status(int result)
{
    if (result == 1)
        return VMR_OK;
    return result == 0 ? VMR_E_GUEST : VMR_E_HOST;
}

enum vmr_status kvm_vp_get_msr(struct vmr_backend_vp *backend_vp, uint32_t index, uint64_t *ret_value)
{
    struct one_msr one;
    struct kvm_msr_entry *entry = one_msr_init(&one, index);
    enum vmr_status status =
        msr_status(kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_GET_MSRS, kvm_pointer(one.bytes)));

    if (!status)
        *ret_value = entry->data;
    return status;
}

enum vmr_status kvm_vp_set_msr(struct vmr_backend_vp *backend_vp, uint32_t index, uint64_t value)
{
    struct one_msr one;

    if (kvm_vp_settle(kvm_vp_of(backend_vp)))
        return VMR_E_HOST;
    one_msr_init(&one, index)->data = value;
    return msr_status(kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_SET_MSRS, kvm_pointer(one.bytes)));
}

enum vmr_activity kvm_activity_of(uint32_t mp_state)
{
    switch (mp_state) {
    case KVM_MP_STATE_UNINITIALIZED:
    case KVM_MP_STATE_INIT_RECEIVED:
    case KVM_MP_STATE_SIPI_RECEIVED:
        return VMR_ACTIVITY_WAIT_FOR_SIPI;
    case KVM_MP_STATE_HALTED:
        return VMR_ACTIVITY_HALTED;
    default:
        return VMR_ACTIVITY_RUNNING;
    }
}

uint32_t kvm_mp_state_of(enum vmr_activity activity)
{
    /* INIT_RECEIVED, not UNINITIALIZED: the latter ignores a start-up IPI until there is an INIT. */
    static const uint32_t states[VMR_ACTIVITY_COUNT] = {
        [VMR_ACTIVITY_RUNNING] = KVM_MP_STATE_RUNNABLE,
        [VMR_ACTIVITY_WAIT_FOR_SIPI] = KVM_MP_STATE_INIT_RECEIVED,
        [VMR_ACTIVITY_HALTED] = KVM_MP_STATE_HALTED,
    };

    return states[activity];
}

enum vmr_status kvm_vp_get_activity(struct vmr_backend_vp *backend_vp, enum vmr_activity *ret_activity)
{
    struct kvm_mp_state state = {0};

    if (kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_GET_MP_STATE, kvm_pointer(&state)) < 0)
        return VMR_E_HOST;
    *ret_activity = kvm_activity_of(state.mp_state);
    return VMR_OK;
}

enum vmr_status kvm_vp_set_activity(struct vmr_backend_vp *backend_vp, enum vmr_activity activity)
{
    struct kvm_mp_state state = {.mp_state = kvm_mp_state_of(activity)};

    if (kvm_vp_settle(kvm_vp_of(backend_vp)))
        return VMR_E_HOST;
    int result = kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_SET_MP_STATE, kvm_pointer(&state));

    return result < 0 ? VMR_E_HOST : VMR_OK;
}

static uint64_t dr7_of(const struct vmr_debug_state *state)
{
    /* LEN is 0, 1, 3, 2 for 1, 2, 4, 8 bytes. */
    static const uint8_t lengths[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    uint64_t dr7 = DR7_FIXED;

    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        const struct vmr_breakpoint *breakpoint = &state->breakpoints[i];

        if (!breakpoint->enabled)
            continue;
        uint64_t length = breakpoint->length < sizeof(lengths) ? lengths[breakpoint->length] : 0;

        dr7 |= UINT64_C(1) << (2 * i);
        dr7 |= (uint64_t)(breakpoint->kind & 3u) << (16 + 4 * i);
        dr7 |= length << (18 + 4 * i);
    }
    return dr7;
}

enum vmr_status kvm_vp_set_debug(struct vmr_backend_vp *backend_vp, const struct vmr_debug_state *state)
{
    struct kvm_guest_debug debug = {0};

    if (kvm_vp_settle(kvm_vp_of(backend_vp)))
        return VMR_E_HOST;
    debug.arch.debugreg[7] = dr7_of(state);
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
        debug.arch.debugreg[i] = state->breakpoints[i].address;
    if (state->single_step)
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
    if (debug.arch.debugreg[7] != DR7_FIXED)
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
    int result = kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_SET_GUEST_DEBUG, kvm_pointer(&debug));

    return result < 0 ? VMR_E_HOST : VMR_OK;
}
