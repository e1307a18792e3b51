/* SPDX-License-Identifier: MIT */
/*
 * Back to power-up, in two phases: the partition on any thread, then each VP on
 * its own. In between nothing runs, and what goes wrong stays wrong until a
 * whole reset has succeeded.
 *
 *   USABLE ──vmr_partition_reset──> RESETTING ──last vmr_vp_reset──> USABLE
 *      │ └───vmr_partition_scrub──> SCRUBBING ──last vmr_vp_scrub──> USABLE
 *      └─ any part of it fails ───> BAD; RESETTING and BAD: only vmr_partition_reset leads on
 *
 * A VP that starts a run and a reset that begins exclude each other: the VP says
 * that it runs and then looks at the phase; the reset says DECIDING and then
 * looks at the VPs. A VP that finds DECIDING waits for the decision, which is
 * made under the partition's lock. [RST-1]
 */

#include "lib/partition/reset.h"

#include "lib/partition/lifecycle.h"
#include "lib/partition/start.h"
#include "vmrig/backend_state.h"

#include <stdlib.h>

#define HOST_BITS (REQUEST_STOP | REQUEST_KICK | REQUEST_YIELD | REQUEST_HOLD)

static const char *const phase_names[RESET_PHASE_COUNT] = {
    [RESET_USABLE] = "usable",
    [RESET_DECIDING] = "being reset",
    [RESET_RESETTING] = "being reset",
    [RESET_SCRUBBING] = "scrubbed in part",
    [RESET_BAD] = "unusable since a reset failed",
};

static enum reset_phase phase_of(const struct vmr_partition *partition)
{
    return (enum reset_phase)atomic_load(&partition->phase);
}

/* --- a VP that begins something --- */

enum vmr_status reset_enter(struct vmr_vp *vp, enum reset_phase wanted)
{
    struct vmr_partition *partition = vp->partition;
    enum reset_phase phase = phase_of(partition);
    bool has_failed = atomic_load(&vp->state) == VP_FAILED;

    if (phase != wanted && phase != RESET_DECIDING)
        return VMR_E_STATE; /* without a move, which a reset could see */
    enum vmr_status status = lifecycle_move(vp, wanted == RESET_RESETTING ? VP_OP_RESET : VP_OP_RUN);

    if (status)
        return status;
    if (phase_of(partition) == RESET_DECIDING) {
        sync_mutex_lock(&partition->lock);
        sync_mutex_unlock(&partition->lock);
    }
    if (phase_of(partition) == wanted)
        return VMR_OK;
    (void)lifecycle_move(vp, has_failed ? VP_OP_FAIL : VP_OP_RETURN);
    return VMR_E_STATE;
}

bool vmr_partition_is_usable(struct vmr_partition *partition)
{
    sync_mutex_lock(&partition->lock);
    bool usable = phase_of(partition) == RESET_USABLE;

    sync_mutex_unlock(&partition->lock);
    return usable;
}

/* --- the partition's part --- */

/* With the lock held. `revives`: VPs that have failed are to have their part. */
static enum vmr_status check_vps(struct vmr_partition *partition, bool revives, const char *what, struct vmr_error *err)
{
    for (uint32_t i = 0; i < partition->vp_count; i++) {
        enum vp_state state = (enum vp_state)sync_load_u32(partition->host, &partition->vps[i].state);

        if (state == VP_RUNNING || (state == VP_FAILED && !revives) || state == VP_DEAD)
            return vmr_error_set(err, VMR_E_STATE, "%s: VP %u is %s", what, i, vp_state_name(state));
    }
    return VMR_OK;
}

/*
 * From here on no VP runs, or nothing has changed. `from`: the phases it may begin in, a bit each. What may begin when
 * all is bad, a reset, also makes VPs well that have failed.
 */
static enum vmr_status close_partition(struct vmr_partition *partition, unsigned from, const char *what,
                                       struct vmr_error *err)
{
    sync_mutex_lock(&partition->lock);
    enum reset_phase before = phase_of(partition);
    enum vmr_status status = VMR_OK;

    if (partition->phase_busy || (from >> before & 1) == 0)
        status = vmr_error_set(err, VMR_E_STATE, "%s: the partition is %s", what,
                               phase_names[partition->phase_busy ? RESET_DECIDING : before]);
    if (!status) {
        sync_store_u32(partition->host, &partition->phase, RESET_DECIDING);
        status = check_vps(partition, (from >> RESET_BAD & 1) != 0, what, err);
        sync_store_u32(partition->host, &partition->phase, status ? before : RESET_BAD);
        partition->phase_busy = !status;
        partition->restoring = partition->restoring && status;
    }
    sync_mutex_unlock(&partition->lock);
    return status;
}

static void open_partition(struct vmr_partition *partition, enum reset_phase phase, uint8_t vtl)
{
    sync_mutex_lock(&partition->lock);
    partition->phase_busy = false;
    partition->phase_vtl = vtl;
    partition->phase_failed = false;
    partition->phase_due = partition->vp_count;
    for (uint32_t i = 0; i < partition->vp_count; i++)
        partition->vps[i].phase_done = false;
    sync_store_u32(partition->host, &partition->phase, phase);
    sync_mutex_unlock(&partition->lock);
}

/* What other threads asked of the guest before now. What is asked of its host, stops and kicks, stays. [RUN-3] */
static void forget_requests(struct vmr_partition *partition)
{
    for (uint32_t i = 0; i < partition->vp_count; i++) {
        (void)sync_fetch_and_u32(partition->host, &partition->vps[i].requests, HOST_BITS);
        start_forget(&partition->vps[i]);
    }
}

/* Room for a value of any class but the Hyper-V interface's, which does its own reset. NULL: out of memory. */
static void *any_value(void)
{
    size_t size = 0;

    for (unsigned i = 0; i < VMR_VM_HYPERCALL; i++) {
        if (vmr_vm_class_type((enum vmr_vm_class)i)->size > size)
            size = vmr_vm_class_type((enum vmr_vm_class)i)->size;
    }
    for (unsigned i = VMR_VP_REGISTERS; i <= VMR_VP_DEBUG_STATE; i++) {
        if (vmr_vp_class_type((enum vmr_vp_class)i)->size > size)
            size = vmr_vp_class_type((enum vmr_vp_class)i)->size;
    }
    return calloc(1, size);
}

static enum vmr_status reset_classes(struct vmr_partition *partition, struct vmr_error *err)
{
    void *value = any_value();
    enum vmr_status status = value ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "reset: out of memory");

    for (struct vmr_state_id id = {0}; !status && vmr_partition_state_find(partition, &id); id.instance++) {
        if (vm_state_is_hv(partition, &id))
            continue;
        vmr_partition_state_at_reset(partition, &id, value);
        status = partition->backend->state->vm_set_state(partition->backend_vm, (enum vmr_vm_class)id.state_class,
                                                         value, err);
    }
    free(value);
    return status;
}

static void reset_hv(struct vmr_partition *partition)
{
    if (!partition->hv)
        return;
    vmr_hv_guest_reset(partition->hv);
    vmr_synic_time_set(vmr_hv_guest_synic(partition->hv), 0);
}

static enum vmr_status reset_parts(struct vmr_partition *partition, struct vmr_error *err)
{
    const struct vmr_backend_state *ops = partition->backend->state;
    enum vmr_status status = VMR_OK;

    forget_requests(partition);
    if (ops && ops->vm_reset)
        status = ops->vm_reset(partition->backend_vm, err);
    if (!status)
        status = reset_classes(partition, err);
    if (status)
        return status;
    if (partition->chip_ops && partition->chip_ops->reset)
        partition->chip_ops->reset(partition->chip);
    reset_hv(partition);
    return VMR_OK;
}

static enum vmr_status check_classes(const struct vmr_partition *partition, const char *what, struct vmr_error *err)
{
    if (partition->backend->flags & (VMR_BACKEND_RECORDS | VMR_BACKEND_REPLAYS))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: it would be in no recording", what);
    if (partition->vp_classes >> VMR_VP_REGISTERS & 1)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: hypervisor '%s' does not give its state away", what,
                         partition->backend->name);
}

enum vmr_status vmr_partition_reset(struct vmr_partition *partition, struct vmr_error *err)
{
    enum vmr_status status = check_classes(partition, "reset", err);

    if (!status)
        status = close_partition(partition,
                                 1u << RESET_USABLE | 1u << RESET_RESETTING | 1u << RESET_SCRUBBING | 1u << RESET_BAD,
                                 "reset", err);
    if (status)
        return status;
    status = reset_parts(partition, err);
    open_partition(partition, status ? RESET_BAD : RESET_RESETTING, 0);
    return status;
}

/* --- setting many states --- */

enum vmr_status vmr_partition_restore_begin(struct vmr_partition *partition, struct vmr_error *err)
{
    if (partition->backend->flags & VMR_BACKEND_RECORDS)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "restore: what is set would be in no recording");
    enum vmr_status status = close_partition(partition, 1u << RESET_USABLE, "restore", err);

    if (status)
        return status;
    forget_requests(partition);
    open_partition(partition, RESET_BAD, 0);
    sync_mutex_lock(&partition->lock);
    partition->restoring = true;
    sync_mutex_unlock(&partition->lock);
    return VMR_OK;
}

void vmr_partition_restore_end(struct vmr_partition *partition)
{
    sync_mutex_lock(&partition->lock);
    if (partition->restoring && phase_of(partition) == RESET_BAD) {
        atomic_store(&partition->ran, UINT32_MAX); /* what it holds is not power-up */
        sync_store_u32(partition->host, &partition->phase, RESET_USABLE);
    }
    partition->restoring = false;
    sync_mutex_unlock(&partition->lock);
}

/* --- a VP's part --- */

static const char *const part_names[] = {[RESET_RESETTING] = "reset", [RESET_SCRUBBING] = "scrub"};

static bool is_its_turn(const struct vmr_vp *vp, enum reset_phase phase, uint8_t vtl)
{
    /* A reset forgets the exit before; a scrub must not, it may be of a lower VTL. */
    bool at_clean_point = phase == RESET_RESETTING || !vp->exit_pending;

    return !vp->phase_done && vp->partition->phase_vtl == vtl && at_clean_point;
}

static enum vmr_status begin_part(struct vmr_vp *vp, enum reset_phase phase, uint8_t vtl, struct vmr_error *err)
{
    struct vmr_partition *partition = vp->partition;

    if (reset_enter(vp, phase))
        return vmr_error_set(err, VMR_E_STATE, "%s: VP %u is %s, and the partition %s", part_names[phase], vp->index,
                             vp_state_name((enum vp_state)atomic_load(&vp->state)), phase_names[phase_of(partition)]);
    sync_mutex_lock(&partition->lock);
    bool is_turn = is_its_turn(vp, phase, vtl);

    if (!is_turn)
        (void)lifecycle_move(vp, VP_OP_RETURN);
    sync_mutex_unlock(&partition->lock);
    if (is_turn)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_STATE, "%s: VP %u: %s", part_names[phase], vp->index,
                         vp->phase_done     ? "it has had its part"
                         : vp->exit_pending ? "an exit is unfinished"
                                            : "another VTL is being scrubbed");
}

/* Ends the part, and with the last one the whole. */
static void end_part(struct vmr_vp *vp, enum vmr_status status)
{
    struct vmr_partition *partition = vp->partition;

    sync_mutex_lock(&partition->lock);
    vp->phase_done = true;
    partition->phase_failed |= status != VMR_OK;
    if (--partition->phase_due == 0) {
        bool scrub = phase_of(partition) == RESET_SCRUBBING;

        if (!partition->phase_failed)
            atomic_fetch_and(&partition->ran, scrub ? ~(1u << partition->phase_vtl) : 0u);
        sync_store_u32(partition->host, &partition->phase, partition->phase_failed ? RESET_BAD : RESET_USABLE);
    }
    (void)lifecycle_move(vp, VP_OP_RETURN);
    sync_mutex_unlock(&partition->lock);
}

/* What the library knows of the guest beside its classes. */
static void forget_guest(struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;

    vp->exit = (struct vmr_exit){0};
    vp->exit_pending = false;
    vp->window_requested = false;
    vp->starts = 0;
    vp->start_due = vp->reset_due = vp->hv_waits = false;
    vp->vtl = partition->vtl_first;
    vp->vtl0_tpr = vp->tpr = vp->guest_tpr = 0;
    vp->deadline_ns = VMR_NEVER;
    if (partition->clock.deadline)
        partition->clock.deadline(partition->clock.context, vp->index, VMR_NEVER);
}

static enum vmr_status reset_vp(struct vmr_vp *vp, struct vmr_error *err)
{
    const struct vmr_backend_state *ops = vp->partition->backend->state;
    void *value = any_value();
    enum vmr_status status = value ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "reset: out of memory");

    forget_guest(vp);
    if (!status && ops->vp_reset)
        status = ops->vp_reset(vp->backend_vp, err);
    for (struct vmr_state_id id = {0}; !status && vmr_vp_state_find(vp, &id); id.instance++) {
        if (vp_state_is_hv(vp, &id))
            continue; /* the partition's part has done them, and something may have been posted since */
        vmr_vp_state_at_reset(vp, &id, value);
        status = vp_set_state(vp, &id, value, err);
    }
    free(value);
    vp->interrupt_ready = false;
    vp->recheck = true; /* for what was posted meanwhile */
    return status;
}

enum vmr_status vmr_vp_reset(struct vmr_vp *vp, struct vmr_error *err)
{
    enum vmr_status status = begin_part(vp, RESET_RESETTING, 0, err);

    if (status)
        return status;
    status = reset_vp(vp, err);
    end_part(vp, status);
    return status;
}

/* --- one VTL --- */

enum vmr_status vmr_partition_scrub(struct vmr_partition *partition, uint8_t vtl, struct vmr_error *err)
{
    enum vmr_status status = check_classes(partition, "scrub", err);

    if (!status && (vtl == VMR_VTL0 || vtl > partition->vtl_highest))
        status = vmr_error_set(err, VMR_E_UNSUPPORTED, "scrub: VTL %u, where the partition has %s", vtl,
                               partition->vtl_highest ? "others" : "none but 0");
    if (!status)
        status = close_partition(partition, 1u << RESET_USABLE, "scrub", err);
    if (status)
        return status;
    vmr_hv_guest_scrub(partition->hv, vtl);
    open_partition(partition, RESET_SCRUBBING, vtl);
    return VMR_OK;
}

/* Registers that all VTLs of a VP see are also those of VTLs that live on (TLFS, Private State). */
static void keep_shared(struct vmr_x86_regs *regs, const struct vmr_x86_regs *now)
{
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++) {
        if (i != VMR_X86_RSP)
            regs->gpr[i] = now->gpr[i];
    }
    regs->cr2 = now->cr2;
    regs->apic_base = now->apic_base;
}

/* `value` is room for it. */
static enum vmr_status scrub_class(struct vmr_vp *vp, const struct vmr_state_id *id, void *value, struct vmr_error *err)
{
    struct vmr_x86_regs now;
    enum vmr_status status = VMR_OK;

    vmr_vp_state_at_reset(vp, id, value);
    if (id->state_class == VMR_VP_REGISTERS) {
        status = vp_get_state(vp, id, &now, err);
        if (!status)
            keep_shared(value, &now);
    }
    return status ? status : vp_set_state(vp, id, value, err);
}

static enum vmr_status scrub_classes(struct vmr_vp *vp, uint8_t vtl, struct vmr_error *err)
{
    void *value = any_value();
    enum vmr_status status = value ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "scrub: out of memory");

    for (struct vmr_state_id id = {0}; !status && vmr_vp_state_find(vp, &id); id.instance++) {
        if (id.vtl == vtl && !vp_state_is_hv(vp, &id))
            status = scrub_class(vp, &id, value, err);
    }
    free(value);
    return status;
}

/* The VTL in which VPs begin is begun again; another when it is entered. */
static enum vmr_status scrub_vp(struct vmr_vp *vp, uint8_t vtl, struct vmr_error *err)
{
    const struct vmr_backend *backend = vp->partition->backend;

    if (vtl == vp->partition->vtl_first && vp->vtl != vtl) {
        if (backend->vp_switch_vtl(vp->backend_vp, vtl, NULL))
            return vmr_error_set(err, VMR_E_HOST, "scrub: VP %u: the hypervisor does not enter VTL %u", vp->index, vtl);
        vp_is_in_vtl(vp, vtl);
    }
    enum vmr_status status = scrub_classes(vp, vtl, err);

    if (vp->vtl == vtl) {
        if (vp->window_requested)
            backend->vp_request_window(vp->backend_vp, false);
        vp->window_requested = vp->interrupt_ready = false;
    }
    vp->recheck = true;
    return status;
}

enum vmr_status vmr_vp_scrub(struct vmr_vp *vp, uint8_t vtl, struct vmr_error *err)
{
    enum vmr_status status = begin_part(vp, RESET_SCRUBBING, vtl, err);

    if (status)
        return status;
    status = scrub_vp(vp, vtl, err);
    end_part(vp, status);
    return status;
}

/* --- what VPs begin with instead --- */

#define INITIAL_MAX 3u

/* The classes that `initial` has something for, on this VP. */
static size_t initial_values(const struct vmr_vp *vp, uint8_t vtl, const struct vmr_initial_regs *initial,
                             struct vmr_state_id ret_ids[INITIAL_MAX], const void *ret_values[INITIAL_MAX])
{
    const struct {
        enum vmr_vp_class vp_class;
        const void *value;
    } all[INITIAL_MAX] = {
        {VMR_VP_REGISTERS, vp->index == 0 ? initial->regs : NULL},
        {VMR_VP_MTRRS, initial->mtrrs},
        {VMR_VP_PAT, initial->pat}, /* a word */
    };
    size_t count = 0;

    for (size_t i = 0; i < INITIAL_MAX; i++) {
        if (!all[i].value)
            continue;
        ret_ids[count] = (struct vmr_state_id){.state_class = all[i].vp_class,
                                               .vtl = vmr_vp_class_is_private(all[i].vp_class) ? vtl : 0};
        ret_values[count++] = all[i].value;
    }
    return count;
}

static enum vmr_status set_initial(struct vmr_vp *vp, uint8_t vtl, const struct vmr_initial_regs *initial,
                                   struct vmr_error *err)
{
    struct vmr_state_id ids[INITIAL_MAX];
    const void *values[INITIAL_MAX];
    union vp_initial_value {
        struct vmr_x86_regs registers;
        struct vmr_x86_mtrr_state mtrrs;
        struct vmr_x86_word_state word;
    } before[INITIAL_MAX];
    size_t count = initial_values(vp, vtl, initial, ids, values), done = 0;
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; !status && i < count; i++)
        status = vmr_vp_state_get(vp, &ids[i], &before[i], err);
    while (!status && done < count) {
        status = vp_set_state(vp, &ids[done], values[done], err);
        done += !status;
    }
    while (status && done-- > 0)
        (void)vp_set_state(vp, &ids[done], &before[done], NULL);
    return status;
}

enum vmr_status vmr_vp_set_initial_regs(struct vmr_vp *vp, uint8_t vtl, const struct vmr_initial_regs *initial,
                                        struct vmr_error *err)
{
    struct vmr_partition *partition = vp->partition;

    if (!vmr_partition_is_usable(partition))
        return vmr_error_set(err, VMR_E_STATE, "initial registers: the partition is %s",
                             phase_names[phase_of(partition)]);
    if (vtl > partition->vtl_highest)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "initial registers: VTL %u: the highest is %u", vtl,
                             partition->vtl_highest);
    if (atomic_load(&partition->ran) >> vtl & 1)
        return vmr_error_set(err, VMR_E_STATE,
                             "initial registers: VPs have run since VTL %u was last reset or scrubbed", vtl);
    return set_initial(vp, vtl, initial, err);
}
