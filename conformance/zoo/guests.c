/* SPDX-License-Identifier: MIT */
/* What is built, what the guest is told of its processor, and what the Hyper-V interface needs. */

#include <stdatomic.h>

#include "conformance/zoo/zoo.h"

/* --- building --- */

static enum vmr_status create_without_list(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                           const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct vmr_vm_config other = *config;

    other.msr_exit_count = 0;
    return zoo_create(vm, handle, &other, err);
}

static void make_msr_list_ignored(struct vmr_backend *table)
{
    table->vm_create = create_without_list;
}

static enum vmr_status create_without_cpuid(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                            const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct vmr_vm_config other = *config;
    size_t kept = 0;

    while (kept < other.cpuid_count && other.cpuid[kept].leaf < 0x40000000)
        kept++;
    other.cpuid_count = kept;
    return zoo_create(vm, handle, &other, err);
}

static void make_cpuid_cut(struct vmr_backend *table)
{
    table->vm_create = create_without_cpuid;
}

static void destroy_nothing(struct vmr_backend_vm *vm)
{
    (void)vm;
}

static void make_vm_left_behind(struct vmr_backend *table)
{
    table->vm_destroy = destroy_nothing;
}

static enum vmr_status bind_once(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    if (zoo->words[3]++ > 0)
        return vmr_error_set(err, VMR_E_HOST, "the VP belongs to the thread that had it first");
    return zoo->base->vp_bind(vp, err);
}

static void make_no_rebind(struct vmr_backend *table)
{
    table->vp_bind = bind_once;
}

static enum vmr_status caps_too_many(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                     struct vmr_error *err)
{
    enum vmr_status status = handle->backend->base->caps(handle, ret_caps, err);

    ret_caps->bits |= UINT64_C(1) << VMR_CAP_CPUID_EXIT | UINT64_C(1) << VMR_CAP_REAL_MODE;
    return status;
}

static void make_claims_too_much(struct vmr_backend *table)
{
    table->caps = caps_too_many;
}

/* --- calls of the interface --- */

static enum vmr_status xmm_nothing(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    (void)vp;
    (void)xmm;
    return VMR_OK;
}

static void make_xmm_not_written(struct vmr_backend *table)
{
    table->vp_set_xmm = xmm_nothing;
}

static enum vmr_status xmm_zero(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    (void)vp;
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        ret_xmm[i] = (struct vmr_hv_xmm){0};
    return VMR_OK;
}

static void make_xmm_not_read(struct vmr_backend *table)
{
    table->vp_get_xmm = xmm_zero;
}

static enum vmr_status flush_nothing(struct vmr_backend_vp *vp)
{
    (void)vp;
    return VMR_OK;
}

static void make_flush_skipped(struct vmr_backend *table)
{
    table->vp_flush = flush_nothing;
}

static enum vmr_status exception_nobody(struct vmr_backend_vp *vp, uint8_t vector)
{
    (void)vp;
    (void)vector;
    return VMR_OK;
}

static void make_exceptions_lost(struct vmr_backend *table)
{
    table->vp_exception = exception_nobody;
}

static enum vmr_status exception_other(struct vmr_backend_vp *vp, uint8_t vector)
{
    (void)vector;
    return zoo_vp(vp)->base->vp_exception(vp, 13);
}

static void make_every_exception_is_gp(struct vmr_backend *table)
{
    table->vp_exception = exception_other;
}

/* Registers written from a hypercall, but for its result and instruction pointer. */
static enum vmr_status set_regs_dirty(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    struct vmr_x86_regs dirty = *regs;

    dirty.gpr[VMR_X86_RBX] ^= 1;
    return zoo_vp(vp)->base->vp_set_regs(vp, &dirty);
}

static void make_rbx_clobbered(struct vmr_backend *table)
{
    table->vp_set_regs = set_regs_dirty;
}

/* --- VTLs --- */

static enum vmr_status switch_with_own(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial)
{
    struct zoo_vp *zoo = zoo_vp(vp);
    struct vmr_x86_regs before, after;
    enum vmr_status status = zoo->base->vp_get_regs(vp, &before);

    if (!status)
        status = zoo->base->vp_switch_vtl(vp, vtl, initial);
    if (status || zoo->base->vp_get_regs(vp, &after))
        return status;
    after.gpr[VMR_X86_RSP] = before.gpr[VMR_X86_RSP];
    after.cr3 = before.cr3;
    return zoo->base->vp_set_regs(vp, &after);
}

static void make_stack_shared_by_vtls(struct vmr_backend *table)
{
    table->vp_switch_vtl = switch_with_own;
}

static enum vmr_status pass_nothing(struct vmr_backend_vp *vp)
{
    (void)vp;
    return VMR_OK;
}

static void make_fault_not_passed(struct vmr_backend *table)
{
    table->vp_pass_fault = pass_nothing;
}

static void run_as_vtl0(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    zoo_vp(vp)->base->vp_run(vp, vp_exit);
    if (vp_exit->kind == VMR_EXIT_MEMORY_FAULT)
        vp_exit->u.memory_fault.flags &= ~(VMR_FAULT_WRITE | VMR_FAULT_EXECUTE);
}

static void make_fault_kind_lost(struct vmr_backend *table)
{
    table->vp_run = run_as_vtl0;
}

#define USER "profile=strict"
#define HVF "profile=hvf-like"
#define ANIMAL(function, params_, clause_, filter_, defect_, origin_, kvm)                                             \
    {                                                                                                                  \
        .name = #function, .make = make_##function, .clause = (clause_), .filter = (filter_), .defect = (defect_),     \
        .origin = (origin_), .params = (params_), .on_kvm = (kvm)                                                      \
    }

static const struct zoo_animal animals[] = {
    ANIMAL(msr_list_ignored, USER, "MSR-2", "msr/*", "MSRs that were to exit do not", NULL, false),
    ANIMAL(cpuid_cut, USER, "LIFE-4", "*", "CPUID leaves of hypervisors are not shown", NULL, false),
    ANIMAL(vm_left_behind, HVF, "LIFE-5", "lifecycle/*", "a destroyed VM is still there",
           "HVF: one VM in a process, and it stays", false),
    ANIMAL(no_rebind, USER, "LIFE-6", "lifecycle/*", "a VP can be bound once, and the backend says otherwise",
           "OpenVMM: binding again panics on HVF and WHP", true),
    ANIMAL(claims_too_much, HVF, "EXIT-1", "*", "exits are declared that never come",
           "arcbox: variants that are never produced", false),
    ANIMAL(xmm_not_written, USER, "HC-3", "hypercall*/*", "output in XMM registers is lost", NULL, false),
    ANIMAL(xmm_not_read, USER, "HC-3", "hypercall*/*", "input in XMM registers is zero", NULL, false),
    ANIMAL(flush_skipped, USER, "HC-5", "flush/*", "translations are kept over a flush",
           "KVM: an incomplete flush of a list (CVE-2025-38351)", false),
    ANIMAL(exceptions_lost, USER, "VTL-4", "vtl/*", "a refused call raises nothing",
           "KVM nSVM: a call from the wrong level is handled (CVE-2026-46076)", false),
    ANIMAL(every_exception_is_gp, USER, "VTL-4", "vtl/*", "#UD arrives as #GP", NULL, false),
    ANIMAL(rbx_clobbered, USER, "HC-1", "*", "a hypercall changes another register", NULL, false),
    ANIMAL(stack_shared_by_vtls, USER, "VTL-5", "vtl/*", "VTLs have one stack pointer and one CR3", NULL, false),
    ANIMAL(fault_not_passed, USER, "VTL-11", "vtl/*", "an access that is let through faults again", NULL, false),
    ANIMAL(fault_kind_lost, USER, "VTL-10", "vtl/*", "every refused access is said to be a read", NULL, false),
};

const struct zoo_house zoo_guests = {animals, sizeof(animals) / sizeof(animals[0])};
