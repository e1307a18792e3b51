/* SPDX-License-Identifier: MIT */
/*
 * A KVM virtual processor: its life, and one step of it. What a step does
 * around KVM_RUN is in kvm_kick.h, what an exit means in kvm_exit.h.
 *
 * KVM finishes a port, MMIO or MSR access only when the VP is run again, which
 * is why an answer and the next entry are one call, and why kvm_vp_complete
 * exists. [EXIT-6]
 */

#include <errno.h>
#include <stdlib.h>

#include "backends/kvm/kvm_exit.h"
#include "backends/kvm/kvm_private.h"

/* CR8 holds four bits; KVM_RUN fails for a larger number. */
#define CR8_MASK 0xfu

/* KVM's paravirtual MSRs are there for a guest only if its CPUID table says so; otherwise they are unknown. [MSR-1] */
#define SYNCED (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS)

static enum vmr_status enforce_cpuid(const struct kvm_vp *vp, struct vmr_error *err)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = {1}};

    if (kvm_extension(vp->vm->fd.number, KVM_CAP_ENFORCE_PV_FEATURE_CPUID) == 0)
        return VMR_OK;
    return kvm_ioctl(vp->fd.number, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID", KVM_ENABLE_CAP, kvm_pointer(&cap), err);
}

enum vmr_status kvm_vp_create(struct vmr_backend_vm *backend_vm, struct vmr_backend_vp *backend_vp, vmr_vp_index index,
                              struct vmr_error *err)
{
    struct kvm_vm *vm = kvm_vm_of(backend_vm);
    struct kvm_vp *vp = kvm_vp_of(backend_vp);

    vp->vm = vm;
    vp->index = index;
    /* KVM's vCPU id is the APIC id and the Hyper-V VP index. [LIFE-3] */
    int fd = kvm_host_ioctl(vm->fd.number, KVM_CREATE_VCPU, index);

    if (fd < 0)
        return vmr_error_set_host(err, -fd, "kvm: KVM_CREATE_VCPU for VP %u", index);
    vp->fd = (struct kvm_fd){.number = fd, .open = true};
    int result = kvm_host_map_run(fd, vm->run_size, &vp->run);

    if (result < 0)
        return vmr_error_set_host(err, -result, "kvm: mapping the run page of VP %u", index);
    enum vmr_status status = kvm_ring_map(vp, err);

    if (status)
        return status;
    vp->can_sync = (kvm_extension(vm->fd.number, KVM_CAP_SYNC_REGS) & SYNCED) == SYNCED;
    status = enforce_cpuid(vp, err);
    if (!status)
        status = kvm_cpuid_set(vp, err);
    if (!status && vm->hv_offload)
        status = kvm_hv_enable(vp, err);
    if (!status)
        status = kvm_classes_first(vp, err);
    if (!status)
        vm->vps[index] = vp;
    return status;
}

void kvm_vp_destroy(struct vmr_backend_vp *backend_vp)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);

    if (!vp || !vp->vm)
        return;
    vp->vm->vps[vp->index] = NULL;
    kvm_ring_unmap(vp);
    if (vp->run)
        kvm_host_unmap_run(vp->run, vp->vm->run_size);
    if (vp->fd.open)
        kvm_host_close(vp->fd.number);
    free(vp->rest);
    vp->rest = NULL;
    vp->run = NULL;
    vp->fd.open = false;
    vp->vm = NULL;
}

enum vmr_status kvm_vp_bind(struct vmr_backend_vp *backend_vp, struct vmr_error *err)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    /* A thread that blocks the signal could not be kicked. It stays unblocked: another VP may be bound here too. */
    int result = kvm_host_unblock(vp->vm->signal);

    if (result < 0)
        return vmr_error_set_host(err, -result, "kvm: unblocking signal %d for VP %u", vp->vm->signal, vp->index);
    return VMR_OK;
}

void kvm_vp_unbind(struct vmr_backend_vp *backend_vp)
{
    (void)backend_vp; /* KVM keeps nothing per thread */
}

void kvm_vp_enter(struct vmr_backend_vp *backend_vp)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);

    kvm_kick_forget(&vp->kick); /* what the last run did not need is nothing to this one [RUN-4] */
    atomic_store(&vp->thread, kvm_host_thread());
}

void kvm_vp_leave(struct vmr_backend_vp *backend_vp, enum vmr_leave why)
{
    (void)why;
    atomic_store(&kvm_vp_of(backend_vp)->thread, 0);
}

static void kick(struct kvm_vp *vp, bool latch)
{
    if (!kvm_kick_begin(&vp->kick, latch))
        return;
    int thread = atomic_load(&vp->thread);

    kvm_kick_store(vp->run);
    if (thread != 0)
        kvm_host_kick(thread, vp->vm->signal);
}

void kvm_vp_kick(struct vmr_backend_vp *backend_vp)
{
    kick(kvm_vp_of(backend_vp), true);
}

void kvm_vp_nudge(struct kvm_vp *vp)
{
    kick(vp, false);
}

/* What every exit says of interrupts, where they are injected from here. */
static void exit_add_readiness(const struct kvm_vp *vp, struct vmr_exit *vp_exit)
{
    if (vp->vm->irqchip != VMR_IRQCHIP_KERNEL)
        vp_exit->interrupt_ready = vp->run->ready_for_interrupt_injection != 0;
    if (vp->vm->irqchip == VMR_IRQCHIP_USER)
        vp_exit->tpr = (uint8_t)(vp->run->cr8 & CR8_MASK);
}

static void exit_fail_host(struct vmr_exit *ret_exit, int error)
{
    *ret_exit = (struct vmr_exit){.kind = VMR_EXIT_FAIL, .native_reason = KVM_EXIT_UNKNOWN};
    ret_exit->u.fail = (struct vmr_exit_fail){.cause = VMR_FAIL_HOST, .code = (uint64_t)error};
}

/* What other threads left for this one. False: it failed, and `ret_exit` says how. */
static bool take_requests(struct kvm_vp *vp, struct vmr_exit *ret_exit)
{
    int error = atomic_load_explicit(&vp->vm->unmap_errno, memory_order_relaxed);

    if (!error && atomic_load_explicit(&vp->lints_pending, memory_order_relaxed)) {
        uint32_t lints = atomic_exchange(&vp->lints_pending, 0);

        error = -kvm_irq_pulse_lints(vp, lints);
        if (error)
            atomic_fetch_or(&vp->lints_pending, lints);
    }
    if (error)
        exit_fail_host(ret_exit, error);
    return error == 0;
}

/* A full ring is nobody's business: the step was interrupted, no more. [RUN-9] */
static int run_with_ring(struct kvm_vp *vp)
{
    (void)atomic_fetch_add(&vp->passes, 1);
    int result = kvm_host_run(vp->fd.number, &vp->vm->seam, vp->index);

    (void)atomic_fetch_add(&vp->passes, 1);
    if (result < 0 || vp->run->exit_reason != KVM_EXIT_DIRTY_RING_FULL)
        return result;
    result = kvm_ring_drain(vp);
    return result < 0 ? result : -EINTR;
}

void kvm_vp_run(struct vmr_backend_vp *backend_vp, struct vmr_exit *vp_exit)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct kvm_run *run = vp->run;

    kvm_seam_pass(&vp->vm->seam, vp->index, VMR_SEAM_BEFORE_PUBLISH);
    kvm_exit_answer(run, vp->vm->run_size, vp_exit);
    kvm_kick_clear(run);
    kvm_kick_publish(&vp->kick, run);
    /* After publish: whoever leaves a request later sees RUN, and nudges. Before it, both could miss the other. */
    if (__builtin_expect(!take_requests(vp, vp_exit), 0)) {
        kvm_kick_retract(&vp->kick);
        return;
    }
    run->exit_reason = KVM_EXIT_UNKNOWN; /* so that an error cannot be taken for the exit before [EXIT-9] */
    vp->registers_came = false;
    int result = __builtin_expect(vp->ring != NULL, 0) ? run_with_ring(vp)
                                                       : kvm_host_run(vp->fd.number, &vp->vm->seam, vp->index);

    kvm_kick_retract(&vp->kick);
    if (__builtin_expect(result < 0, 0))
        kvm_exit_decode_error(run, -result, vp_exit);
    else
        kvm_exit_decode(run, vp->vm->run_size, vp_exit);
    exit_add_readiness(vp, vp_exit);
}

void kvm_vp_complete(struct vmr_backend_vp *backend_vp, struct vmr_exit *vp_exit)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct kvm_run *run = vp->run;

    kvm_exit_answer(run, vp->vm->run_size, vp_exit);
    kvm_kick_force(run);
    run->exit_reason = KVM_EXIT_UNKNOWN;
    /* Who finishes an instruction out of turn wants to look at the registers. */
    run->kvm_valid_regs = vp->can_sync ? SYNCED : 0;
    int result = kvm_host_ioctl(vp->fd.number, KVM_RUN, 0);

    run->kvm_valid_regs = 0;
    vp->registers_came = vp->can_sync && (result >= 0 || result == -EINTR || result == -EAGAIN);
    if (result == -EINTR || result == -EAGAIN)
        *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_NONE};
    else if (result < 0)
        kvm_exit_decode_error(run, -result, vp_exit);
    else
        kvm_exit_decode(run, vp->vm->run_size, vp_exit);
    exit_add_readiness(vp, vp_exit);
}

/*
 * With its own local APICs KVM keeps a vector that KVM_INTERRUPT gave it in a place that nobody can read or clear. The
 * VP is ready for it, so it can as well be one that is being delivered, which is part of the VP's state. [RST-2]
 */
static enum vmr_status interrupt_as_event(const struct kvm_vp *vp, uint8_t vector)
{
    struct kvm_vcpu_events events = {0};

    if (kvm_host_ioctl(vp->fd.number, KVM_GET_VCPU_EVENTS, kvm_pointer(&events)) < 0)
        return VMR_E_HOST;
    events.interrupt.injected = 1;
    events.interrupt.nr = vector;
    events.interrupt.soft = 0;
    events.flags = 0;
    return kvm_host_ioctl(vp->fd.number, KVM_SET_VCPU_EVENTS, kvm_pointer(&events)) < 0 ? VMR_E_HOST : VMR_OK;
}

enum vmr_status kvm_vp_interrupt(struct vmr_backend_vp *backend_vp, uint8_t vector)
{
    struct kvm_vp *vp = kvm_vp_of(backend_vp);
    struct kvm_interrupt interrupt = {.irq = vector};

    if (vp->vm->irqchip == VMR_IRQCHIP_SPLIT && interrupt_as_event(vp, vector))
        return VMR_E_HOST;
    if (vp->vm->irqchip == VMR_IRQCHIP_USER &&
        kvm_host_ioctl(vp->fd.number, KVM_INTERRUPT, kvm_pointer(&interrupt)) < 0)
        return VMR_E_HOST;
    /* One at a time: a stale "ready" would let a second one replace the first before the guest runs. */
    vp->run->ready_for_interrupt_injection = 0;
    return VMR_OK;
}

enum vmr_status kvm_vp_nmi(struct vmr_backend_vp *backend_vp)
{
    return kvm_host_ioctl(kvm_vp_of(backend_vp)->fd.number, KVM_NMI, 0) < 0 ? VMR_E_HOST : VMR_OK;
}

void kvm_vp_request_window(struct vmr_backend_vp *backend_vp, bool wanted)
{
    kvm_vp_of(backend_vp)->run->request_interrupt_window = wanted;
}

void kvm_vp_set_tpr(struct vmr_backend_vp *backend_vp, uint8_t tpr)
{
    kvm_vp_of(backend_vp)->run->cr8 = tpr & CR8_MASK;
}
