/* SPDX-License-Identifier: MIT */
/*
 * A set whose VPs the hypervisor runs. Its threads do what a member's own would:
 * a turn each time that the hypervisor says so. Whether a VP may run is still
 * looked up under the set's lock, so that starts, stops and halts mean the same
 * whoever has the threads. [MGD-1]
 */

#include "lib/run/vp_set.h"

#include "lib/partition/partition.h"

static const struct vmr_backend_managed *managed_of(const struct vmr_vp_set *set)
{
    return set->partition->backend->managed;
}

/* --- what the hypervisor's threads call --- */

static void managed_vp_begin(void *context, vmr_vp_index vp)
{
    struct vmr_vp_set *set = context;

    set_member_begin(&set->members[vp]);
}

static void managed_vp_serve(void *context, vmr_vp_index vp)
{
    struct vmr_vp_set *set = context;

    sync_mutex_lock(&set->lock);
    set_member_serve(&set->members[vp]);
    sync_mutex_unlock(&set->lock);
}

static bool managed_vp_run(void *context, vmr_vp_index vp)
{
    struct vmr_vp_set *set = context;

    sync_mutex_lock(&set->lock);
    bool ran = set_member_turn(&set->members[vp]);

    sync_mutex_unlock(&set->lock);
    return ran;
}

static void managed_vp_end(void *context, vmr_vp_index vp)
{
    struct vmr_vp_set *set = context;

    sync_mutex_lock(&set->lock);
    set_member_end(&set->members[vp]);
}

/* --- what the set calls --- */

static bool take(struct vmr_partition *partition)
{
    sync_mutex_lock(&partition->lock);
    bool taken = !partition->managed_taken;

    partition->managed_taken = true;
    sync_mutex_unlock(&partition->lock);
    return taken;
}

static void give_back(struct vmr_partition *partition)
{
    sync_mutex_lock(&partition->lock);
    partition->managed_taken = false;
    sync_mutex_unlock(&partition->lock);
}

enum vmr_status set_managed_begin(struct vmr_vp_set *set, struct vmr_error *err)
{
    if (!take(set->partition))
        return vmr_error_set(err, VMR_E_STATE, "VP set: the VPs are in another set");
    set->managed_vps = (struct vmr_managed_vps){.vp_begin = managed_vp_begin,
                                                .vp_serve = managed_vp_serve,
                                                .vp_run = managed_vp_run,
                                                .vp_end = managed_vp_end,
                                                .context = set};
    sync_mutex_lock(&set->lock);
    set->member_count = vmr_partition_vp_count(set->partition);
    sync_mutex_unlock(&set->lock);
    enum vmr_status status = managed_of(set)->begin(set->partition->backend_vm, &set->managed_vps, err);

    sync_mutex_lock(&set->lock);
    set->is_managed = status == VMR_OK;
    if (status)
        set->member_count = 0; /* they have ended, and nobody is to be woken */
    sync_mutex_unlock(&set->lock);
    if (status)
        give_back(set->partition);
    return status;
}

void set_managed_end(struct vmr_vp_set *set)
{
    managed_of(set)->end(set->partition->backend_vm);
    give_back(set->partition);
}

enum vmr_status set_managed_start(struct vmr_vp_set *set)
{
    return managed_of(set)->start(set->partition->backend_vm, NULL);
}

void set_managed_stop(struct vmr_vp_set *set)
{
    managed_of(set)->stop(set->partition->backend_vm);
}

void set_managed_ask(struct set_member *member)
{
    const struct vmr_vp_set *set = member->set;

    managed_of(set)->ask(set->partition->backend_vm, member->index);
}
