/* SPDX-License-Identifier: MIT */
/*
 * What each KVM exit reason becomes.
 *
 *   IO, MMIO, X86_RDMSR, X86_WRMSR, HYPERCALL, HLT, IRQ_WINDOW_OPEN,
 *   IOAPIC_EOI, DEBUG, SHUTDOWN, MEMORY_FAULT          the kind of that name
 *   HYPERV                                             HYPERCALL for one, FAIL for the rest, which cannot come: the
 *                                                      SynIC's registers are filtered out of KVM
 *   INTR, SET_TPR                                      CANCEL
 *   SYSTEM_EVENT                                       SYSTEM_EVENT, FAIL for types that are none of ours
 *   FAIL_ENTRY, INTERNAL_ERROR                         FAIL, with a cause of its own
 *   all others, also ones newer than the headers       FAIL, unknown, with the number and 64 raw bytes
 *
 * SET_TPR says that the guest lowered CR8, which every exit carries in `tpr`:
 * there is nothing to answer, only a reason to look at the interrupts again.
 */

#include "backends/kvm/kvm_exit.h"

#include <errno.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/checked.h"

/* Newer than the oldest headers: struct emulation_failure's flag for "instruction bytes follow". */
#define EMULATION_HAS_INSTRUCTION UINT64_C(1)
#define INSTRUCTION_BYTES_MAX 15u
#define DR6_SINGLE_STEP (UINT64_C(1) << 14)
#define DEBUG_VECTOR 1u

static void decode_fail(const struct kvm_run *run, enum vmr_fail_cause cause, uint64_t code, struct vmr_exit *ret_exit)
{
    struct vmr_exit_fail *fail = &ret_exit->u.fail;

    ret_exit->kind = VMR_EXIT_FAIL;
    *fail = (struct vmr_exit_fail){.cause = (uint8_t)cause, .code = code, .length = VMR_EXIT_FAIL_BYTES_MAX};
    memcpy(fail->bytes, run->padding, VMR_EXIT_FAIL_BYTES_MAX);
}

static void decode_unknown(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run_size;
    decode_fail(run, VMR_FAIL_UNKNOWN, run->exit_reason, ret_exit);
}

/* The items of a port access in the run page; NULL if the kernel's numbers do not hold. */
static uint8_t *io_bytes(struct kvm_run *run, size_t run_size, size_t *ret_length)
{
    uint32_t size = run->io.size;
    uint32_t count = run->io.count;

    if (size != 1 && size != 2 && size != 4)
        return NULL;
    if (run->io.direction > KVM_EXIT_IO_OUT || count == 0 || count > VMR_STRING_IO_BYTES_MAX / size)
        return NULL;
    size_t length = (size_t)size * count;

    if (!range_contains(0, run_size, run->io.data_offset, length))
        return NULL;
    *ret_length = length;
    return (uint8_t *)run + run->io.data_offset;
}

static void decode_io(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    struct vmr_exit_io *io = &ret_exit->u.io;
    size_t length;
    uint8_t *bytes = io_bytes(run, run_size, &length);

    if (!bytes) {
        decode_fail(run, VMR_FAIL_INTERNAL, run->exit_reason, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_IO;
    io->port = run->io.port;
    io->size = run->io.size;
    io->direction = run->io.direction == KVM_EXIT_IO_OUT ? VMR_WRITE : VMR_READ;
    io->count = run->io.count;
    /* KVM does not say INS or IN: a string of one item is told as a plain access, which it equals. [EXIT-3] */
    io->string = io->count > 1;
    if (io->string)
        io->bytes = bytes;
    else if (io->direction == VMR_WRITE)
        io->value = load_le(bytes, io->size);
}

static bool mmio_is_valid(const struct kvm_run *run)
{
    uint32_t length = run->mmio.len;

    return run->mmio.phys_addr >> VMR_PHYSICAL_BITS_MAX == 0 && length >= 1 && length <= sizeof(run->mmio.data) &&
           run->mmio.is_write <= 1 && length <= VMR_PAGE_SIZE - (uint32_t)(run->mmio.phys_addr % VMR_PAGE_SIZE);
}

static void decode_mmio(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    struct vmr_exit_mmio *mmio = &ret_exit->u.mmio;

    (void)run_size;
    if (!mmio_is_valid(run)) {
        decode_fail(run, VMR_FAIL_INTERNAL, run->exit_reason, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_MMIO;
    mmio->gpa = run->mmio.phys_addr;
    mmio->size = (uint8_t)run->mmio.len;
    mmio->direction = run->mmio.is_write ? VMR_WRITE : VMR_READ;
    if (run->mmio.is_write)
        mmio->value = load_le(run->mmio.data, mmio->size);
}

static void decode_msr(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    bool write = run->exit_reason == KVM_EXIT_X86_WRMSR;

    (void)run_size;
    ret_exit->kind = VMR_EXIT_MSR;
    ret_exit->u.msr = (struct vmr_exit_msr){
        .index = run->msr.index,
        .direction = write ? VMR_WRITE : VMR_READ,
        .value = write ? run->msr.data : 0,
    };
}

static void decode_hypercall(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    struct vmr_exit_hypercall *hypercall = &ret_exit->u.hypercall;

    (void)run_size;
    ret_exit->kind = VMR_EXIT_HYPERCALL;
    hypercall->number = run->hypercall.nr;
    for (unsigned i = 0; i < 6; i++)
        hypercall->args[i] = run->hypercall.args[i];
    hypercall->long_mode = (run->hypercall.longmode & 1) != 0;
}

/*
 * Only the input value is what the guest gave: newer kernels put what a signal's
 * parameter points at in the place of the address, so that whoever serves the call
 * goes by the registers.
 */
static void decode_hyperv(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    if (run->hyperv.type != KVM_EXIT_HYPERV_HCALL) {
        decode_unknown(run, run_size, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_HYPERCALL;
    ret_exit->u.hypercall = (struct vmr_exit_hypercall){
        .number = run->hyperv.u.hcall.input,
        .args = {run->hyperv.u.hcall.params[0], run->hyperv.u.hcall.params[1]},
    };
}

static void decode_halt(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run;
    (void)run_size;
    ret_exit->kind = VMR_EXIT_HALT;
}

static void decode_window(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run;
    (void)run_size;
    ret_exit->kind = VMR_EXIT_IRQ_WINDOW;
}

static void decode_cancel(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run;
    (void)run_size;
    ret_exit->kind = VMR_EXIT_CANCEL;
}

static void decode_shutdown(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run;
    (void)run_size;
    ret_exit->kind = VMR_EXIT_SHUTDOWN;
}

static void decode_eoi(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run_size;
    ret_exit->kind = VMR_EXIT_EOI;
    ret_exit->u.eoi.vector = run->eoi.vector;
}

/*
 * DR6 may hold bits of breakpoints that are not enabled (Intel SDM vol. 3,
 * 18.2.3), so next to a single step a bit counts only if DR7 enables it.
 */
static uint64_t breakpoints_hit(uint64_t dr6, uint64_t dr7)
{
    uint64_t hit = dr6 & 0xf;

    if ((dr6 & DR6_SINGLE_STEP) == 0)
        return hit;
    for (unsigned i = 0; i < 4; i++) {
        if ((dr7 >> (2 * i) & 3) == 0)
            hit &= ~(UINT64_C(1) << i);
    }
    return hit;
}

static void decode_debug(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    const struct kvm_debug_exit_arch *arch = &run->debug.arch;
    uint64_t hit = breakpoints_hit(arch->dr6, arch->dr7);

    (void)run_size;
    if (arch->exception != DEBUG_VECTOR || (hit == 0 && (arch->dr6 & DR6_SINGLE_STEP) == 0)) {
        decode_fail(run, VMR_FAIL_UNKNOWN, arch->exception, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_DEBUG;
    ret_exit->u.debug.single_step = hit == 0;
    ret_exit->u.debug.breakpoint = hit ? (uint8_t)__builtin_ctzll(hit) : 0;
    ret_exit->u.debug.pc = arch->pc;
}

static void decode_fail_entry(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    (void)run_size;
    decode_fail(run, VMR_FAIL_ENTRY, run->fail_entry.hardware_entry_failure_reason, ret_exit);
}

/*
 * KVM_INTERNAL_ERROR_EMULATION with instruction bytes keeps just those: that
 * part is ABI, what follows it is not. Other errors keep their data words.
 */
static void decode_internal(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    bool emulation = run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
    uint32_t words = run->internal.ndata > 16 ? 16 : run->internal.ndata;
    size_t length = words * sizeof(run->internal.data[0]);
    const uint8_t *bytes = (const uint8_t *)run->internal.data;

    (void)run_size;
    if (emulation && words >= 3 && (run->emulation_failure.flags & EMULATION_HAS_INSTRUCTION) &&
        run->emulation_failure.insn_size <= INSTRUCTION_BYTES_MAX) {
        bytes = run->emulation_failure.insn_bytes;
        length = run->emulation_failure.insn_size;
    }
    if (length > VMR_EXIT_FAIL_BYTES_MAX)
        length = VMR_EXIT_FAIL_BYTES_MAX;
    ret_exit->kind = VMR_EXIT_FAIL;
    ret_exit->u.fail = (struct vmr_exit_fail){
        .cause = emulation ? VMR_FAIL_EMULATION : VMR_FAIL_INTERNAL,
        .code = run->internal.suberror,
        .length = (uint8_t)length,
    };
    memcpy(ret_exit->u.fail.bytes, bytes, length);
}

static void decode_system_event(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    struct vmr_exit_system_event *event = &ret_exit->u.system_event;

    (void)run_size;
    switch (run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        event->event = VMR_SYSTEM_POWER_OFF;
        break;
    case KVM_SYSTEM_EVENT_RESET:
        event->event = VMR_SYSTEM_RESET;
        break;
    case KVM_SYSTEM_EVENT_CRASH:
        event->event = VMR_SYSTEM_CRASH;
        break;
    default:
        decode_fail(run, VMR_FAIL_UNKNOWN, run->system_event.type, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_SYSTEM_EVENT;
    event->detail = run->system_event.ndata > 0 ? run->system_event.data[0] : 0;
}

/* Same layout in every kernel that has it: flags, gpa, size. */
static void decode_memory_fault(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    uint64_t words[3];

    (void)run_size;
    memcpy(words, run->padding, sizeof(words));
    ret_exit->kind = VMR_EXIT_MEMORY_FAULT;
    ret_exit->u.memory_fault = (struct vmr_exit_memory_fault){.flags = words[0], .gpa = words[1], .size = words[2]};
}

/* A reason without a row is decode_unknown. */
static void (*const decoders[])(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit) = {
    [KVM_EXIT_IO] = decode_io,
    [KVM_EXIT_HYPERCALL] = decode_hypercall,
    [KVM_EXIT_DEBUG] = decode_debug,
    [KVM_EXIT_HLT] = decode_halt,
    [KVM_EXIT_MMIO] = decode_mmio,
    [KVM_EXIT_IRQ_WINDOW_OPEN] = decode_window,
    [KVM_EXIT_SHUTDOWN] = decode_shutdown,
    [KVM_EXIT_FAIL_ENTRY] = decode_fail_entry,
    [KVM_EXIT_INTR] = decode_cancel,
    [KVM_EXIT_SET_TPR] = decode_cancel,
    [KVM_EXIT_INTERNAL_ERROR] = decode_internal,
    [KVM_EXIT_SYSTEM_EVENT] = decode_system_event,
    [KVM_EXIT_IOAPIC_EOI] = decode_eoi,
    [KVM_EXIT_HYPERV] = decode_hyperv,
    [KVM_EXIT_X86_RDMSR] = decode_msr,
    [KVM_EXIT_X86_WRMSR] = decode_msr,
    [KVM_REASON_MEMORY_FAULT] = decode_memory_fault,
};

void kvm_exit_decode(struct kvm_run *run, size_t run_size, struct vmr_exit *ret_exit)
{
    uint32_t reason = run->exit_reason;

    *ret_exit = (struct vmr_exit){.native_reason = reason};
    if (reason < sizeof(decoders) / sizeof(decoders[0]) && decoders[reason])
        decoders[reason](run, run_size, ret_exit);
    else
        decode_unknown(run, run_size, ret_exit);
}

void kvm_exit_decode_error(struct kvm_run *run, int error, struct vmr_exit *ret_exit)
{
    *ret_exit = (struct vmr_exit){0};
    /* EAGAIN: a VP that waited for INIT or a start-up IPI got it (kernel documentation, 4.10). */
    if (error == EINTR || error == EAGAIN) {
        ret_exit->kind = VMR_EXIT_CANCEL;
        ret_exit->native_reason = KVM_EXIT_INTR;
        return;
    }
    /* The one exit that comes with an error. The caller cleared the reason before the call. */
    if ((error == EFAULT || error == EHWPOISON) && run->exit_reason == KVM_REASON_MEMORY_FAULT) {
        kvm_exit_decode(run, 0, ret_exit);
        return;
    }
    ret_exit->kind = VMR_EXIT_FAIL;
    ret_exit->native_reason = run->exit_reason;
    ret_exit->u.fail = (struct vmr_exit_fail){.cause = VMR_FAIL_HOST, .code = (uint64_t)error};
}

static void answer_io(struct kvm_run *run, size_t run_size, const struct vmr_exit_io *io)
{
    size_t length;
    uint8_t *bytes = io_bytes(run, run_size, &length);

    if (!bytes || run->io.direction != KVM_EXIT_IO_IN)
        return;
    if (!io->string)
        store_le(bytes, run->io.size, io->value);
    else if (io->bytes && io->bytes != bytes && (size_t)io->size * io->count == length)
        memcpy(bytes, io->bytes, length); /* a wrapping backend answers from a buffer of its own */
}

static void answer_msr(struct kvm_run *run, const struct vmr_exit_msr *msr)
{
    run->msr.error = msr->fault;
    if (run->exit_reason == KVM_EXIT_X86_RDMSR)
        run->msr.data = msr->value;
}

void kvm_exit_answer(struct kvm_run *run, size_t run_size, const struct vmr_exit *vp_exit)
{
    if (vp_exit->native_reason != run->exit_reason)
        return;
    switch (vp_exit->kind) {
    case VMR_EXIT_IO:
        answer_io(run, run_size, &vp_exit->u.io);
        break;
    case VMR_EXIT_MMIO:
        if (!run->mmio.is_write && mmio_is_valid(run))
            store_le(run->mmio.data, run->mmio.len, vp_exit->u.mmio.value);
        break;
    case VMR_EXIT_MSR:
        answer_msr(run, &vp_exit->u.msr);
        break;
    case VMR_EXIT_HYPERCALL:
        if (run->exit_reason == KVM_EXIT_HYPERV)
            run->hyperv.u.hcall.result = vp_exit->u.hypercall.result;
        else
            run->hypercall.ret = vp_exit->u.hypercall.result;
        break;
    default:
        break; /* no answer */
    }
}
