/* SPDX-License-Identifier: MIT */
/*
 * Binding a VP to its thread, and looking into it at a clean point.
 *
 * Unbinding and inspecting both need the last exit to be finished: unbinding
 * finishes it, inspecting refuses [EXIT-6] [LIFE-7].
 */

#include "lib/partition/lifecycle.h"
#include "lib/partition/partition.h"

/* Intel SDM vol. 1, 3.4.3.3. */
#define RFLAGS_IF 0x200u

enum vmr_status vmr_partition_bind(struct vmr_partition *partition, vmr_vp_index index, struct vmr_vp **ret_vp,
                                   struct vmr_error *err)
{
    if (partition_is_managed(partition))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "VP %u: cannot bind, hypervisor '%s' runs its VPs itself (%s)",
                             index, partition->backend->name, vmr_cap_name(VMR_CAP_MANAGED));
    return vp_bind(partition, index, ret_vp, err);
}

enum vmr_status vp_bind(struct vmr_partition *partition, vmr_vp_index index, struct vmr_vp **ret_vp,
                        struct vmr_error *err)
{
    struct vmr_vp *vp = partition_vp(partition, index);

    if (!vp)
        return vmr_error_set(err, VMR_E_USAGE, "VP %u: the partition has %u VPs", index, partition->vp_count);
    if (lifecycle_move(vp, VP_OP_BIND))
        return vmr_error_set(err, VMR_E_STATE, "VP %u: cannot bind, it is %s", index,
                             vp_state_name((enum vp_state)atomic_load(&vp->state)));
    enum vmr_status status = VMR_OK;

    if (vp->was_bound && !vmr_caps_have(&partition->caps, VMR_CAP_REBIND))
        status = vmr_error_set(err, VMR_E_UNSUPPORTED, "VP %u: hypervisor '%s' binds a VP once only", index,
                               partition->backend->name);
    if (!status)
        status = partition->backend->vp_bind(vp->backend_vp, err);
    if (status) {
        (void)lifecycle_move(vp, VP_OP_UNBIND);
        return status;
    }
    sync_mutex_lock(&partition->lock);
    partition->bound_count++;
    partition->bound_once = true;
    sync_mutex_unlock(&partition->lock);
    if (!vp->was_bound && vp_waits_at_first(vp)) {
        vp->activity = VMR_ACTIVITY_WAIT_FOR_SIPI;
        vp->vtl_activity[VMR_VTL0] = VMR_ACTIVITY_WAIT_FOR_SIPI;
    }
    vp->was_bound = true;
    *ret_vp = vp;
    return VMR_OK;
}

/*
 * Completes the last exit of a stepped VP with the answer it has, or none. What
 * the rest of the instruction asks for is answered with zeros: the caller has
 * chosen not to see it. The VP stays out of any run, so nobody kicks it here.
 */
static void drop_pending(struct vmr_vp *vp)
{
    const struct vmr_backend *backend = vp->partition->backend;

    if (!vp->exit_pending)
        return;
    if (backend->vp_enter)
        backend->vp_enter(vp->backend_vp);
    for (unsigned i = 0; vp->exit_pending && i < VMR_COMPLETION_EXIT_MAX; i++) {
        if (backend->vp_complete)
            backend->vp_complete(vp->backend_vp, &vp->exit);
        else
            vp->exit = (struct vmr_exit){0};
        vp->exit_pending = vmr_exit_is_pending(&vp->exit);
    }
    if (backend->vp_leave)
        backend->vp_leave(vp->backend_vp, VMR_LEAVE_STEP);
    vp->exit = (struct vmr_exit){0};
    vp->exit_pending = false;
}

void vmr_vp_unbind(struct vmr_vp *vp)
{
    if (vp && !partition_is_managed(vp->partition))
        vp_unbind(vp);
}

void vp_unbind(struct vmr_vp *vp)
{
    struct vmr_partition *partition = vp->partition;
    enum vp_state state = (enum vp_state)atomic_load(&vp->state);

    if (lifecycle_next(state, VP_OP_UNBIND) == VP_STATE_COUNT)
        return;
    drop_pending(vp);
    partition->backend->vp_unbind(vp->backend_vp);
    (void)lifecycle_move(vp, VP_OP_UNBIND);
    sync_mutex_lock(&partition->lock);
    partition->bound_count--;
    sync_mutex_unlock(&partition->lock);
}

vmr_vp_index vmr_vp_get_index(const struct vmr_vp *vp)
{
    return vp->index;
}

struct vmr_partition *vmr_vp_partition(const struct vmr_vp *vp)
{
    return vp->partition;
}

/* In HLT the flag alone decides; elsewhere the hypervisor has to say so first. */
void vp_note_flags(struct vmr_vp *vp, uint64_t rflags)
{
    bool enabled = (rflags & RFLAGS_IF) != 0;

    vp->interrupt_ready = enabled && (vp->interrupt_ready || vp->activity == VMR_ACTIVITY_HALTED);
    vp->recheck = true;
}

enum vmr_status vp_check_access(struct vmr_vp *vp)
{
    enum vmr_status status = lifecycle_move(vp, VP_OP_ACCESS);

    if (status)
        return status;
    return vp->exit_pending ? VMR_E_STATE : vp_follow_reset(vp);
}

enum vmr_status vmr_vp_get_regs(struct vmr_vp *vp, struct vmr_x86_regs *ret_regs)
{
    enum vmr_status status = vp_check_access(vp);

    return status ? status : vp->partition->backend->vp_get_regs(vp->backend_vp, ret_regs);
}

enum vmr_status vmr_vp_set_regs(struct vmr_vp *vp, const struct vmr_x86_regs *regs)
{
    enum vmr_status status = vp_check_access(vp);

    if (!status)
        status = vp->partition->backend->vp_set_regs(vp->backend_vp, regs);
    if (!status)
        vp_note_flags(vp, regs->rflags);
    return status;
}

enum vmr_status vmr_vp_get_msr(struct vmr_vp *vp, uint32_t index, uint64_t *ret_value)
{
    enum vmr_status status = vp_check_access(vp);

    return status ? status : vp->partition->backend->vp_get_msr(vp->backend_vp, index, ret_value);
}

enum vmr_status vmr_vp_set_msr(struct vmr_vp *vp, uint32_t index, uint64_t value)
{
    enum vmr_status status = vp_check_access(vp);

    return status ? status : vp->partition->backend->vp_set_msr(vp->backend_vp, index, value);
}

enum vmr_status vmr_vp_get_activity(struct vmr_vp *vp, enum vmr_activity *ret_activity)
{
    enum vmr_status status = vp_check_access(vp);

    if (status)
        return status;
    if (partition_apic_in_hypervisor(vp->partition))
        return vp->partition->backend->vp_get_activity(vp->backend_vp, ret_activity);
    *ret_activity = vp->activity;
    return VMR_OK;
}

enum vmr_status vmr_vp_set_activity(struct vmr_vp *vp, enum vmr_activity activity)
{
    enum vmr_status status = vp_check_access(vp);

    if (status)
        return status;
    if ((unsigned)activity >= VMR_ACTIVITY_COUNT)
        return VMR_E_USAGE;
    if (partition_apic_in_hypervisor(vp->partition))
        return vp->partition->backend->vp_set_activity(vp->backend_vp, activity);
    struct vmr_x86_regs regs = {0};

    if (activity == VMR_ACTIVITY_HALTED)
        status = vp->partition->backend->vp_get_regs(vp->backend_vp, &regs);
    if (status)
        return status;
    vp->activity = activity;
    if (activity == VMR_ACTIVITY_HALTED)
        vp_note_flags(vp, regs.rflags);
    return VMR_OK;
}

static bool debug_state_supported(const struct vmr_caps *caps, const struct vmr_debug_state *state)
{
    bool any_breakpoint = false;

    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
        any_breakpoint |= state->breakpoints[i].enabled;
    return (!state->single_step || vmr_caps_have(caps, VMR_CAP_SINGLE_STEP)) &&
           (!any_breakpoint || vmr_caps_have(caps, VMR_CAP_HW_BREAKPOINT));
}

static bool debug_state_valid(const struct vmr_debug_state *state)
{
    for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++) {
        const struct vmr_breakpoint *point = &state->breakpoints[i];
        bool kind_known =
            point->kind == VMR_BREAK_EXECUTE || point->kind == VMR_BREAK_WRITE || point->kind == VMR_BREAK_ACCESS;
        bool length_known = point->length == 1 || point->length == 2 || point->length == 4 || point->length == 8;

        if (!point->enabled)
            continue;
        /* Intel SDM vol. 3, 18.2.4: an execution breakpoint has length 1. */
        if (!kind_known || !length_known || (point->kind == VMR_BREAK_EXECUTE && point->length != 1))
            return false;
        /* Ibid., 18.2.5: the processor ignores the bits below, and so would watch something else. */
        if (point->address % point->length != 0)
            return false;
    }
    return true;
}

enum vmr_status vmr_vp_set_debug_state(struct vmr_vp *vp, const struct vmr_debug_state *state)
{
    static const struct vmr_debug_state none = {0};
    enum vmr_status status = vp_check_access(vp);

    if (status)
        return status;
    if (!state)
        state = &none;
    if (!debug_state_valid(state))
        return VMR_E_USAGE;
    if (!debug_state_supported(&vp->partition->caps, state))
        return VMR_E_UNSUPPORTED;
    /* A backend without the operation has nothing, and nothing was asked of it. */
    if (vp->partition->backend->vp_set_debug)
        status = vp->partition->backend->vp_set_debug(vp->backend_vp, state);
    if (!status)
        vp->debug = *state;
    return status;
}

enum vmr_status vmr_vp_get_debug_state(struct vmr_vp *vp, struct vmr_debug_state *ret_state)
{
    enum vmr_status status = vp_check_access(vp);

    if (!status)
        *ret_state = vp->debug;
    return status;
}
