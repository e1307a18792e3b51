/* SPDX-License-Identifier: MIT */
/*
 * The VTLs of a partition, as its embedder sees them: pages, maps, the alias
 * map. What they mean is the Hyper-V interface's (lib/hv).
 */

#include <inttypes.h>

#include "lib/base/checked.h"
#include "lib/partition/partition.h"

#define MSR_PAT 0x277u

/* --- before the build --- */

static bool has_vtls(const struct vmr_proto *proto)
{
    return proto->has_hv && vmr_caps_have(&proto->caps, VMR_CAP_VTL);
}

enum vmr_status proto_check_alias_map(const struct vmr_proto *proto, uint64_t offset, struct vmr_error *err)
{
    if (offset == 0)
        return VMR_OK;
    if (!vmr_caps_have(&proto->caps, VMR_CAP_VTL))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "partition: options.vtl0_alias_map: hypervisor '%s' has no VTLs",
                             proto->handle.backend->name);
    if (!proto->has_hv || !proto->hv.vtl2)
        return vmr_error_set(err, VMR_E_CONFIG, "partition: options.vtl0_alias_map: there is no VTL 2 to see it");
    if (vmr_isolation_is_isolated(proto->hv.isolation))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "partition: options.vtl0_alias_map: an isolated partition has no alias map");
    if (!is_aligned(offset, offset) || offset < VMR_PAGE_SIZE || offset >> proto->caps.physical_bits != 0)
        return vmr_error_set(err, VMR_E_CONFIG,
                             "partition: options.vtl0_alias_map: %#" PRIx64
                             " is no power of two from a page to %u bits of address",
                             offset, proto->caps.physical_bits);
    return VMR_OK;
}

void proto_describe_vtls(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                         struct vmr_vm_config *config)
{
    if (!has_vtls(proto))
        return;
    config->vtl_highest = proto_vtl_highest(proto);
    config->vtl_first = config->vtl_highest > 0 && proto->hv.vtl2 ? VMR_VTL2 : VMR_VTL0;
    config->vtl0_alias_map = options->vtl0_alias_map;
    config->allow_device_assignment = proto->hv.allow_device_assignment;
}

/* --- pages --- */

static enum vmr_status no_vtls(struct vmr_error *err, const struct vmr_partition *partition)
{
    return vmr_error_set(err, VMR_E_UNSUPPORTED, "VTLs: the partition on hypervisor '%s' has none",
                         partition->backend->name);
}

enum vmr_status vmr_partition_accept_initial_pages(struct vmr_partition *partition,
                                                   const struct vmr_initial_pages *pages, size_t count,
                                                   struct vmr_error *err)
{
    sync_mutex_lock(&partition->lock);
    bool begun = partition->bound_once;

    sync_mutex_unlock(&partition->lock);
    if (!partition->hv)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "accepting pages: the partition is not isolated");
    /* Whether there is such a thing comes first. */
    enum vmr_status status = vmr_hv_guest_accept_initial(partition->hv, pages, begun ? 0 : count, err);

    if (!status && begun)
        return vmr_error_set(err, VMR_E_STATE, "accepting pages: a VP was bound, from now on the guest accepts them");
    return status;
}

bool vmr_partition_page_visibility(struct vmr_partition *partition, vmr_gpa gpa,
                                   enum vmr_page_visibility *ret_visibility)
{
    return partition->hv && vmr_hv_guest_page_visibility(partition->hv, gpa, ret_visibility);
}

enum vmr_status vmr_partition_modify_vtl_page_setting(struct vmr_partition *partition, uint64_t page, uint32_t flags,
                                                      struct vmr_error *err)
{
    return partition->hv ? vmr_hv_guest_modify_page(partition->hv, page, flags, err) : no_vtls(err, partition);
}

enum vmr_status vmr_partition_vtl_map(struct vmr_partition *partition, uint8_t vtl, const struct vmr_page_range *range,
                                      struct vmr_error *err)
{
    return partition->hv ? vmr_hv_guest_map_vtl(partition->hv, vtl, range, true, err) : no_vtls(err, partition);
}

enum vmr_status vmr_partition_vtl_unmap(struct vmr_partition *partition, uint8_t vtl,
                                        const struct vmr_page_range *range, struct vmr_error *err)
{
    return partition->hv ? vmr_hv_guest_map_vtl(partition->hv, vtl, range, false, err) : no_vtls(err, partition);
}

void vp_is_in_vtl(struct vmr_vp *vp, uint8_t vtl)
{
    /* CR8 of other VTLs is nothing to the local APIC, which is VTL 0's. */
    if (vp->vtl == VMR_VTL0)
        vp->vtl0_tpr = vp->guest_tpr;
    vp->vtl_activity[vp->vtl] = vp->activity;
    vp->vtl = vtl;
    vp->activity = vp->vtl_activity[vtl];
    if (vtl == VMR_VTL0)
        vp->guest_tpr = vp->vtl0_tpr;
    vp->interrupt_ready = false; /* until an exit of this VTL says so */
    vp->recheck = true;
}

/* --- switching --- */

bool vp_enter_vtl(struct vmr_vp *vp, const struct vmr_hv_entry *entry)
{
    const struct vmr_backend *backend = vp->partition->backend;

    if (backend->vp_switch_vtl(vp->backend_vp, entry->vtl, entry->first ? &entry->initial.regs : NULL))
        return false;
    if (entry->first && backend->vp_set_msr(vp->backend_vp, MSR_PAT, entry->initial.pat))
        return false;
    vp_is_in_vtl(vp, entry->vtl);
    return true;
}

enum vmr_status vp_follow_reset(struct vmr_vp *vp)
{
    const struct vmr_partition *partition = vp->partition;
    const struct vmr_hv_entry first = {.vtl = partition->vtl_first};

    if (!partition->hv || !vmr_hv_guest_restarted(partition->hv, vp->index))
        return VMR_OK;
    if (vp->vtl != first.vtl && !vp_enter_vtl(vp, &first))
        return VMR_E_HOST;
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++)
        vp->vtl_activity[vtl] = VMR_ACTIVITY_RUNNING;
    if (vp_waits_at_first(vp))
        vp->vtl_activity[VMR_VTL0] = VMR_ACTIVITY_WAIT_FOR_SIPI;
    vmr_hv_guest_restart_taken(partition->hv, vp->index);
    return VMR_OK;
}

uint8_t vmr_vp_get_vtl(const struct vmr_vp *vp)
{
    return vp->vtl;
}
