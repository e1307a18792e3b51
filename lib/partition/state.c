/* SPDX-License-Identifier: MIT */
/*
 * The state of VPs and partitions, class by class: whose each class is, and the
 * way there. Most are the hypervisor's. Some the library holds a part of:
 * whether a VP runs, sleeps or waits is its own where local APICs are, and the
 * debugger's conditions are what a backend was last told.
 */

#include "lib/partition/lifecycle.h"
#include "lib/partition/partition.h"
#include "vmrig/backend_state.h"
#include "vmrig/hv_state.h"

#define CLASS_BIT(vp_class) (UINT64_C(1) << (vp_class))
#define RFLAGS_IF 0x200u

/* --- which classes there are --- */

enum cpuid_register {
    CPUID_EAX,
    CPUID_EBX,
    CPUID_ECX,
    CPUID_EDX
};

/* What a class is for is in CPUID (Intel SDM vol. 2, CPUID; AMD64 APM vol. 3, appendix E): any of its rows. */
static const struct {
    uint8_t vp_class, reg, bit;
    uint32_t leaf, subleaf;
} features[] = {
    {VMR_VP_XCR0, CPUID_ECX, 26, 1, 0},
    {VMR_VP_XSS, CPUID_EAX, 3, 0xd, 1},
    {VMR_VP_MTRRS, CPUID_EDX, 12, 1, 0},
    {VMR_VP_PAT, CPUID_EDX, 16, 1, 0},
    {VMR_VP_SPEC_CTRL, CPUID_EDX, 26, 7, 0}, /* IBRS, which brings it */
    {VMR_VP_SPEC_CTRL, CPUID_EDX, 27, 7, 0}, /* STIBP */
    {VMR_VP_SPEC_CTRL, CPUID_EDX, 31, 7, 0}, /* SSBD */
    {VMR_VP_SPEC_CTRL, CPUID_EBX, 14, 0x80000008, 0},
    {VMR_VP_SPEC_CTRL, CPUID_EBX, 15, 0x80000008, 0},
    {VMR_VP_SPEC_CTRL, CPUID_EBX, 24, 0x80000008, 0},
    {VMR_VP_MCG, CPUID_EDX, 14, 1, 0},
    {VMR_VP_TSC_AUX, CPUID_EDX, 27, 0x80000001, 0}, /* RDTSCP */
    {VMR_VP_TSC_AUX, CPUID_ECX, 22, 7, 0},          /* RDPID */
    {VMR_VP_TSC_ADJUST, CPUID_EBX, 1, 7, 0},
    {VMR_VP_CET, CPUID_ECX, 7, 7, 0},
    {VMR_VP_CET, CPUID_EDX, 20, 7, 0},
    {VMR_VP_CET_SS, CPUID_ECX, 7, 7, 0},
    {VMR_VP_TSC_DEADLINE, CPUID_ECX, 24, 1, 0},
};

static uint32_t cpuid_word(const struct vmr_cpuid_entry *cpuid, size_t count, uint32_t leaf, uint32_t subleaf,
                           enum cpuid_register reg)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t words[] = {cpuid[i].eax, cpuid[i].ebx, cpuid[i].ecx, cpuid[i].edx};

        if (cpuid[i].leaf == leaf && cpuid[i].subleaf == subleaf)
            return words[reg];
    }
    return 0;
}

void partition_find_classes(struct vmr_partition *partition, const struct vmr_cpuid_entry *cpuid, size_t count)
{
    const struct vmr_caps *caps = &partition->caps;
    uint64_t conditional = 0, offered = 0;

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        uint32_t word =
            cpuid_word(cpuid, count, features[i].leaf, features[i].subleaf, (enum cpuid_register)features[i].reg);

        conditional |= CLASS_BIT(features[i].vp_class);
        if (word >> features[i].bit & 1u)
            offered |= CLASS_BIT(features[i].vp_class);
    }
    if (partition_apic_in_hypervisor(partition))
        offered |= CLASS_BIT(VMR_VP_APIC);
    conditional |= CLASS_BIT(VMR_VP_APIC);
    partition->vp_classes = caps->vp_classes & (offered | ~conditional);
    partition->vp_classes |= CLASS_BIT(VMR_VP_ACTIVITY);
    if (vmr_caps_have(caps, VMR_CAP_SINGLE_STEP) || vmr_caps_have(caps, VMR_CAP_HW_BREAKPOINT))
        partition->vp_classes |= CLASS_BIT(VMR_VP_DEBUG_STATE);
    partition->vm_classes = caps->vm_classes;
    partition->cpuid_1_eax = cpuid_word(cpuid, count, 1, 0, CPUID_EAX);
}

void partition_add_hv_classes(struct vmr_partition *partition)
{
    if (!partition->hv)
        return;
    partition->hv_vp_classes = vmr_hv_guest_vp_classes(partition->hv);
    partition->hv_vm_classes = vmr_hv_guest_vm_classes(partition->hv);
    partition->vp_classes |= partition->hv_vp_classes;
    partition->vm_classes |= partition->hv_vm_classes;
}

static bool backend_holds(const struct vmr_vp *vp, enum vmr_vp_class vp_class)
{
    return (vp->partition->caps.vp_classes & CLASS_BIT(vp_class)) != 0;
}

/* --- names of states --- */

static uint32_t vtl_count(const struct vmr_partition *partition, enum vmr_vp_class vp_class)
{
    return vmr_vp_class_is_private(vp_class) ? partition->vtl_highest + 1u : 1;
}

/* Of each class there is one a VTL, or one; of queues one a SINT. */
bool vmr_vp_state_find(const struct vmr_vp *vp, struct vmr_state_id *id)
{
    struct vmr_state_id at = *id;

    if (at.instance >= vmr_hv_vp_class_instances((enum vmr_vp_class)at.state_class) && at.vtl < VMR_VTL_COUNT)
        at = (struct vmr_state_id){.state_class = at.state_class, .vtl = at.vtl + 1};
    for (; at.state_class < VMR_VP_CLASS_COUNT; at = (struct vmr_state_id){.state_class = at.state_class + 1}) {
        if ((vp->partition->vp_classes & CLASS_BIT(at.state_class)) != 0 &&
            at.vtl < vtl_count(vp->partition, (enum vmr_vp_class)at.state_class)) {
            *id = at;
            return true;
        }
    }
    return false;
}

static bool next_instance(struct vmr_partition *partition, struct vmr_state_id *at)
{
    if ((partition->hv_vm_classes & CLASS_BIT(at->state_class)) != 0)
        return vmr_hv_guest_next_instance(partition->hv, (enum vmr_vm_class)at->state_class, &at->instance);
    return at->instance == 0;
}

bool vmr_partition_state_find(struct vmr_partition *partition, struct vmr_state_id *id)
{
    struct vmr_state_id at = *id;

    if (at.vtl > 0 && at.state_class < VMR_VM_CLASS_COUNT)
        at = (struct vmr_state_id){.state_class = at.state_class + 1};
    for (; at.state_class < VMR_VM_CLASS_COUNT; at = (struct vmr_state_id){.state_class = at.state_class + 1}) {
        if ((partition->vm_classes & CLASS_BIT(at.state_class)) != 0 && next_instance(partition, &at)) {
            *id = at;
            return true;
        }
    }
    return false;
}

static bool same_id(const struct vmr_state_id *a, const struct vmr_state_id *b)
{
    return a->state_class == b->state_class && a->vtl == b->vtl && a->instance == b->instance;
}

static enum vmr_status absent(struct vmr_error *err, const char *whose, const struct vmr_state_type *type,
                              const struct vmr_state_id *id)
{
    if (!type)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: there is no class %u", whose, id->state_class);
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: class '%s', VTL %u, instance %u: there is none", whose,
                         type->name, id->vtl, id->instance);
}

static enum vmr_status check_vp(struct vmr_vp *vp, const struct vmr_state_id *id, struct vmr_error *err)
{
    struct vmr_state_id found = *id;
    enum vmr_status status = vp_check_access(vp);

    if (status)
        return vmr_error_set(err, status, "VP %u: its state is out of reach: %s", vp->index,
                             vp->exit_pending ? "an exit is unfinished"
                                              : vp_state_name((enum vp_state)atomic_load(&vp->state)));
    if (!vmr_vp_state_find(vp, &found) || !same_id(&found, id))
        return absent(err, "VP state", vmr_vp_class_type((enum vmr_vp_class)id->state_class), id);
    return VMR_OK;
}

/* --- the activity: events are the hypervisor's, the rest is its own only where local APICs are in it --- */

static enum vmr_activity *library_activity(struct vmr_vp *vp, uint32_t vtl)
{
    return vtl == vp->vtl ? &vp->activity : &vp->vtl_activity[vtl];
}

static enum vmr_status get_activity(struct vmr_vp *vp, uint32_t vtl, struct vmr_x86_activity_state *ret_state,
                                    struct vmr_error *err)
{
    const struct vmr_backend *backend = vp->partition->backend;
    struct vmr_x86_activity_state state = {0};
    enum vmr_activity activity;
    enum vmr_status status = VMR_OK;

    if (backend_holds(vp, VMR_VP_ACTIVITY)) {
        status = backend->state->vp_get_state(vp->backend_vp, (uint8_t)vtl, VMR_VP_ACTIVITY, &state, err);
    } else if (partition_apic_in_hypervisor(vp->partition)) {
        status = backend->vp_get_activity(vp->backend_vp, &activity);
        if (status)
            return vmr_error_set(err, status, "activity: the hypervisor does not tell it");
        state.activity = (uint8_t)activity;
    }
    if (status)
        return status;
    if (!partition_apic_in_hypervisor(vp->partition))
        state.activity = (uint8_t)*library_activity(vp, vtl);
    *ret_state = state;
    return VMR_OK;
}

static bool has_events(const struct vmr_x86_activity_state *state)
{
    struct vmr_x86_activity_state rest = *state;
    const struct vmr_x86_activity_state none = {0};

    rest.activity = 0;
    return !vmr_state_equal(vmr_vp_class_type(VMR_VP_ACTIVITY), &rest, &none, true, NULL);
}

static enum vmr_status set_backend_activity(struct vmr_vp *vp, uint32_t vtl, const struct vmr_x86_activity_state *state,
                                            struct vmr_error *err)
{
    const struct vmr_partition *partition = vp->partition;
    const struct vmr_backend *backend = partition->backend;
    struct vmr_x86_activity_state theirs = *state;
    enum vmr_status status = VMR_OK;

    if (!partition_apic_in_hypervisor(partition))
        theirs.activity = VMR_ACTIVITY_RUNNING; /* it only knows VPs that run */
    if (backend_holds(vp, VMR_VP_ACTIVITY))
        return backend->state->vp_set_state(vp->backend_vp, (uint8_t)vtl, VMR_VP_ACTIVITY, &theirs, err);
    if (has_events(state))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "activity: hypervisor '%s' takes no events that are on their way",
                             backend->name);
    if (partition_apic_in_hypervisor(partition))
        status = backend->vp_set_activity(vp->backend_vp, (enum vmr_activity)state->activity);
    return status ? vmr_error_set(err, status, "activity: the hypervisor refused it") : VMR_OK;
}

/* What an exit would say, of a VP that stands where it is told to. */
static enum vmr_status note_readiness(struct vmr_vp *vp, const struct vmr_x86_activity_state *state,
                                      struct vmr_error *err)
{
    struct vmr_x86_regs regs;
    enum vmr_status status = vp->partition->backend->vp_get_regs(vp->backend_vp, &regs);

    if (status)
        return vmr_error_set(err, status, "activity: the hypervisor does not tell the registers");
    vp->interrupt_ready = (regs.rflags & RFLAGS_IF) != 0 && state->shadow == 0 &&
                          state->pending.kind == VMR_X86_EVENT_NONE && state->injected.kind == VMR_X86_EVENT_NONE;
    vp->recheck = true;
    return VMR_OK;
}

static enum vmr_status set_activity(struct vmr_vp *vp, uint32_t vtl, const struct vmr_x86_activity_state *state,
                                    struct vmr_error *err)
{
    bool ready = vp->interrupt_ready, recheck = vp->recheck;

    if (state->activity >= VMR_ACTIVITY_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "activity: activity: %u is none", state->activity);
    enum vmr_status status = vtl == vp->vtl ? note_readiness(vp, state, err) : VMR_OK;

    if (!status)
        status = set_backend_activity(vp, vtl, state, err);
    if (status) {
        vp->interrupt_ready = ready;
        vp->recheck = recheck;
        return status;
    }
    if (!partition_apic_in_hypervisor(vp->partition))
        *library_activity(vp, vtl) = (enum vmr_activity)state->activity;
    return VMR_OK;
}

/* --- one state of a VP --- */

static enum vmr_status set_debug_state(struct vmr_vp *vp, const struct vmr_debug_state *state, struct vmr_error *err)
{
    enum vmr_status status = vmr_vp_set_debug_state(vp, state);

    if (status == VMR_E_USAGE)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "debug-state: breakpoint: kind, length or address that no processor has");
    if (status)
        return vmr_error_set(err, status, "debug-state: hypervisor '%s' does not take it",
                             vp->partition->backend->name);
    return VMR_OK;
}

enum vmr_status vp_get_state(struct vmr_vp *vp, const struct vmr_state_id *id, void *ret_value, struct vmr_error *err)
{
    enum vmr_vp_class vp_class = (enum vmr_vp_class)id->state_class;

    if (vp_state_is_hv(vp, id))
        return vmr_hv_guest_vp_state_get(vp->partition->hv, vp->index, id, ret_value, err);
    if (vp_class == VMR_VP_ACTIVITY)
        return get_activity(vp, id->vtl, ret_value, err);
    if (vp_class == VMR_VP_DEBUG_STATE) {
        *(struct vmr_debug_state *)ret_value = vp->debug;
        return VMR_OK;
    }
    return vp->partition->backend->state->vp_get_state(vp->backend_vp, (uint8_t)id->vtl, vp_class, ret_value, err);
}

/* What the library knows of registers that a VP has by now. CR8 of VTLs above 0 is nothing to the local APIC. */
static void note_registers(struct vmr_vp *vp, uint32_t vtl, const struct vmr_x86_regs *regs)
{
    if (vtl == VMR_VTL0)
        *(vp->vtl == VMR_VTL0 ? &vp->guest_tpr : &vp->vtl0_tpr) = (uint8_t)regs->cr8;
    else if (vtl == vp->vtl)
        vp->guest_tpr = (uint8_t)regs->cr8;
    if (vtl == vp->vtl)
        vp_note_flags(vp, regs->rflags);
}

/* The interface and the hypervisor are in the same VTL, or nothing has changed. */
static enum vmr_status follow_vtl(struct vmr_vp *vp, const struct vmr_state_id *id,
                                  const struct vmr_hv_vp_vtls_state *before, struct vmr_error *err)
{
    struct vmr_partition *partition = vp->partition;
    uint8_t vtl = vmr_hv_guest_vtl(partition->hv, vp->index);

    if (vtl == vp->vtl)
        return VMR_OK;
    enum vmr_status status = partition->backend->vp_switch_vtl(vp->backend_vp, vtl, NULL);

    if (!status) {
        vp_is_in_vtl(vp, vtl);
        return VMR_OK;
    }
    if (vmr_hv_guest_vp_state_set(partition->hv, vp->index, id, before, NULL))
        return vmr_error_set(err, status, "vtls: active: the VP is in no VTL any more");
    return vmr_error_set(err, status, "vtls: active: the hypervisor does not enter VTL %u", vtl);
}

static enum vmr_status set_hv_state(struct vmr_vp *vp, const struct vmr_state_id *id, const void *value,
                                    struct vmr_error *err)
{
    struct vmr_hv_guest *hv = vp->partition->hv;
    struct vmr_hv_vp_vtls_state before;
    enum vmr_status status = VMR_OK;

    if (id->state_class == VMR_VP_VTLS)
        status = vmr_hv_guest_vp_state_get(hv, vp->index, id, &before, err);
    if (!status)
        status = vmr_hv_guest_vp_state_set(hv, vp->index, id, value, err);
    if (!status && id->state_class == VMR_VP_VTLS)
        status = follow_vtl(vp, id, &before, err);
    vp->recheck = true;
    return status;
}

enum vmr_status vp_set_state(struct vmr_vp *vp, const struct vmr_state_id *id, const void *value, struct vmr_error *err)
{
    enum vmr_vp_class vp_class = (enum vmr_vp_class)id->state_class;

    if (vp_state_is_hv(vp, id))
        return set_hv_state(vp, id, value, err);
    if (vp_class == VMR_VP_ACTIVITY)
        return set_activity(vp, id->vtl, value, err);
    if (vp_class == VMR_VP_DEBUG_STATE)
        return set_debug_state(vp, value, err);
    enum vmr_status status =
        vp->partition->backend->state->vp_set_state(vp->backend_vp, (uint8_t)id->vtl, vp_class, value, err);

    if (!status && vp_class == VMR_VP_REGISTERS)
        note_registers(vp, id->vtl, value);
    return status;
}

enum vmr_status vmr_vp_state_get(struct vmr_vp *vp, const struct vmr_state_id *id, void *ret_value,
                                 struct vmr_error *err)
{
    enum vmr_status status = check_vp(vp, id, err);

    return status ? status : vp_get_state(vp, id, ret_value, err);
}

enum vmr_status vmr_vp_state_set(struct vmr_vp *vp, const struct vmr_state_id *id, const void *value,
                                 struct vmr_error *err)
{
    enum vmr_status status = check_vp(vp, id, err);

    return status ? status : vp_set_state(vp, id, value, err);
}

void vmr_vp_state_at_reset(const struct vmr_vp *vp, const struct vmr_state_id *id, void *ret_value)
{
    const struct vmr_partition *partition = vp->partition;
    const struct vmr_backend_state *ops = partition->backend->state;
    struct vmr_x86_reset_info info = {.vp = vp->index, .cpuid_1_eax = partition->cpuid_1_eax};

    if (vp_state_is_hv(vp, id)) {
        vmr_hv_guest_vp_state_at_reset(partition->hv, id, ret_value);
        return;
    }
    /* Also VTL 0, where it is entered later than another. [LIFE-9] */
    info.waits_for_sipi =
        vp->index > 0 && partition_has_apic(partition) && (id->vtl == partition->vtl_first || id->vtl == VMR_VTL0);
    if (ops && ops->vp_reset_info)
        ops->vp_reset_info(vp->backend_vp, &info);
    vmr_x86_at_reset((enum vmr_vp_class)id->state_class, &info, ret_value);
}

bool vmr_vp_state_is_comparable(const struct vmr_vp *vp, const struct vmr_state_id *id)
{
    const struct vmr_backend_state *ops = vp->partition->backend->state;
    enum vmr_vp_class vp_class = (enum vmr_vp_class)id->state_class;

    return !backend_holds(vp, vp_class) || !ops->vp_state_moves || !ops->vp_state_moves(vp->backend_vp, vp_class);
}

/* --- of a partition --- */

static enum vmr_status check_partition(struct vmr_partition *partition, const struct vmr_state_id *id,
                                       struct vmr_error *err)
{
    struct vmr_state_id found = *id;

    for (uint32_t i = 0; i < partition->vp_count; i++) {
        if (atomic_load(&partition->vps[i].state) == VP_RUNNING)
            return vmr_error_set(err, VMR_E_STATE, "partition state: VP %u runs", i);
    }
    if (!vmr_partition_state_find(partition, &found) || !same_id(&found, id))
        return absent(err, "partition state", vmr_vm_class_type((enum vmr_vm_class)id->state_class), id);
    return VMR_OK;
}

enum vmr_status vmr_partition_state_get(struct vmr_partition *partition, const struct vmr_state_id *id, void *ret_value,
                                        struct vmr_error *err)
{
    enum vmr_status status = check_partition(partition, id, err);

    if (status)
        return status;
    if (vm_state_is_hv(partition, id))
        return vmr_hv_guest_state_get(partition->hv, id, ret_value, err);
    return partition->backend->state->vm_get_state(partition->backend_vm, (enum vmr_vm_class)id->state_class, ret_value,
                                                   err);
}

enum vmr_status vmr_partition_state_set(struct vmr_partition *partition, const struct vmr_state_id *id,
                                        const void *value, struct vmr_error *err)
{
    enum vmr_status status = check_partition(partition, id, err);

    if (status)
        return status;
    if (vm_state_is_hv(partition, id))
        return vmr_hv_guest_state_set(partition->hv, id, value, err);
    return partition->backend->state->vm_set_state(partition->backend_vm, (enum vmr_vm_class)id->state_class, value,
                                                   err);
}

void vmr_partition_state_at_reset(struct vmr_partition *partition, const struct vmr_state_id *id, void *ret_value)
{
    if (vm_state_is_hv(partition, id))
        vmr_hv_guest_state_at_reset(partition->hv, id, ret_value);
    else
        vmr_x86_vm_at_reset((enum vmr_vm_class)id->state_class, ret_value);
}
