/* SPDX-License-Identifier: MIT */
/*
 * Building and taking down a partition. All VPs are made here, in index order,
 * before any is bound: hypervisors number them by creation [LIFE-3]. Memory is
 * shown to the backend last, once everything that can fail has not.
 */

#include "lib/partition/partition.h"

#include "lib/partition/clock.h"
#include "lib/partition/trap.h"

#include <stdlib.h>

struct vmr_vp *partition_vp(struct vmr_partition *partition, vmr_vp_index index)
{
    return index < partition->vp_count ? &partition->vps[index] : NULL;
}

/* --- taking down: every step accepts what a failed build left --- */

static void vp_finish(struct vmr_vp *vp)
{
    struct vmr_partition *partition = vp->partition;

    if (!partition)
        return;
    if (vp->backend_vp)
        partition->backend->vp_destroy(vp->backend_vp);
    free(vp->backend_vp);
    partition->host->ops->parker_destroy(partition->host->context, vp->parker);
    sync_mutex_finish(&vp->kick_lock);
}

static void partition_free(struct vmr_partition *partition)
{
    vmr_hv_guest_destroy(partition->hv); /* it gives back its monitor page, which holds the VPs */
    partition->hv = NULL;
    for (uint32_t i = partition->vp_count; partition->vps && i > 0; i--)
        vp_finish(&partition->vps[i - 1]);
    vp_clock_destroy(partition->own_clock);
    free(partition->vps);
    if (partition->listening)
        vmr_memory_unlisten(partition->memory);
    if (partition->backend_vm)
        partition->backend->vm_destroy(partition->backend_vm);
    free(partition->backend_vm);
    trap_finish(partition);
    free(partition->doorbells);
    sync_mutex_finish(&partition->lock);
    free(partition);
}

enum vmr_status vmr_partition_destroy(struct vmr_partition *partition)
{
    if (!partition)
        return VMR_OK;
    sync_mutex_lock(&partition->lock);
    uint32_t bound = partition->bound_count;

    sync_mutex_unlock(&partition->lock);
    if (bound > 0)
        return VMR_E_STATE;
    partition_free(partition);
    return VMR_OK;
}

/* --- building --- */

static enum vmr_status memory_added(void *context, uint32_t slot, const struct vmr_memory_region *region,
                                    struct vmr_error *err)
{
    struct vmr_partition *partition = context;

    if (region->read_only && !vmr_caps_have(&partition->caps, VMR_CAP_READ_ONLY))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "memory region %#llx: hypervisor '%s' has no read-only memory",
                             (unsigned long long)region->gpa, partition->backend->name);
    if (partition->vtl0_alias_map != 0 && region->gpa + region->size > partition->vtl0_alias_map)
        return vmr_error_set(err, VMR_E_CONFIG, "memory region %#llx: ends above the alias map at %#llx",
                             (unsigned long long)region->gpa, (unsigned long long)partition->vtl0_alias_map);
    enum vmr_status status = trap_map(partition, slot, region, err);

    if (status || !partition->hv)
        return status;
    status = vmr_hv_guest_region_added(partition->hv, region, err);
    if (status)
        trap_unmap(partition, slot, region);
    return status;
}

static void memory_removed(void *context, uint32_t slot, const struct vmr_memory_region *region)
{
    struct vmr_partition *partition = context;

    if (partition->hv)
        vmr_hv_guest_region_removed(partition->hv, region);
    trap_unmap(partition, slot, region);
}

static enum vmr_status memory_dirty_log(void *context, bool on, struct vmr_error *err)
{
    struct vmr_partition *partition = context;

    if (!vmr_caps_have(&partition->caps, VMR_CAP_DIRTY_LOG))
        return vmr_error_set(err, VMR_E_UNSUPPORTED,
                             "dirty log: hypervisor '%s' has none, or none that a recording could hold",
                             partition->backend->name);
    return partition->backend->vm_dirty_log(partition->backend_vm, on, err);
}

static enum vmr_status memory_dirty_take(void *context, const struct vmr_dirty_query *query, struct vmr_error *err)
{
    struct vmr_partition *partition = context;

    return partition->backend->vm_dirty_take(partition->backend_vm, query, err);
}

static enum vmr_status vp_init(struct vmr_vp *vp, struct vmr_partition *partition, vmr_vp_index index,
                               struct vmr_error *err)
{
    const struct vmr_host *host = partition->host;

    *vp = (struct vmr_vp){
        .partition = partition, .index = index, .vtl = partition->vtl_first, .deadline_ns = VMR_NEVER, .recheck = true};
    if (sync_mutex_init(&vp->kick_lock, host) || host->ops->parker_create(host->context, &vp->parker))
        return vmr_error_set(err, VMR_E_NOMEM, "VP %u: out of memory", index);
    vp->backend_vp = calloc(1, partition->backend->vp_size);
    if (!vp->backend_vp)
        return vmr_error_set(err, VMR_E_NOMEM, "VP %u: out of memory", index);
    return partition->backend->vp_create(partition->backend_vm, vp->backend_vp, index, err);
}

static enum vmr_status partition_fill(struct vmr_partition *partition, const struct vmr_vm_config *config,
                                      struct vmr_error *err)
{
    enum vmr_status status = sync_mutex_init(&partition->lock, partition->host);

    partition->vps = calloc(config->vp_count, sizeof(*partition->vps));
    partition->backend_vm = calloc(1, partition->backend->vm_size);
    if (status || !partition->vps || !partition->backend_vm)
        return vmr_error_set(err, VMR_E_NOMEM, "partition: out of memory");
    status = partition->backend->vm_create(partition->backend_vm, &partition->handle, config, err);
    for (uint32_t i = 0; !status && i < config->vp_count; i++) {
        partition->vp_count = i + 1;
        status = vp_init(&partition->vps[i], partition, i, err);
    }
    return status;
}

static enum vmr_status show_memory(struct vmr_partition *partition, struct vmr_error *err)
{
    const struct vmr_memory_listener listener = {
        .added = memory_added,
        .removed = memory_removed,
        .context = partition,
        .dirty_log = memory_dirty_log,
        .dirty_take = memory_dirty_take,
    };
    enum vmr_status status = vmr_memory_listen(partition->memory, &listener, err);

    partition->listening = !status;
    return status;
}

/* The subleaf of an entry that matches any means nothing. */
static bool same_leaf(const struct vmr_cpuid_entry *a, const struct vmr_cpuid_entry *b)
{
    return a->leaf == b->leaf && (a->subleaf == b->subleaf || (!a->match_subleaf && !b->match_subleaf));
}

/* Puts the caller's entries over the defaults. [LIFE-4] */
static enum vmr_status merge_cpuid(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                                   struct vmr_cpuid_entry *ret_table, size_t *ret_count, struct vmr_error *err)
{
    size_t count = proto->cpuid_count;

    for (size_t i = 0; i < count; i++)
        ret_table[i] = proto->cpuid[i];
    for (size_t i = 0; i < options->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &options->cpuid[i];
        size_t at = 0;

        while (at < count && !same_leaf(&ret_table[at], entry))
            at++;
        if (at == VMR_CPUID_LEAF_MAX)
            return vmr_error_set(err, VMR_E_CONFIG, "cpuid[%zu]: leaf %#x is the %zuth, the limit is %u", i,
                                 entry->leaf, at + 1, VMR_CPUID_LEAF_MAX);
        ret_table[at] = *entry;
        if (at == count)
            count++;
    }
    *ret_count = count;
    return VMR_OK;
}

static enum vmr_status build(const struct vmr_proto *proto, const struct vmr_vm_config *config,
                             struct vmr_partition **ret_partition, struct vmr_error *err)
{
    struct vmr_partition *partition = calloc(1, sizeof(*partition));

    if (!partition)
        return vmr_error_set(err, VMR_E_NOMEM, "partition: out of memory");
    partition->host = proto->host;
    partition->backend = proto->handle.backend;
    partition->handle = proto->handle;
    partition->caps = proto->caps;
    partition->memory = config->memory;
    partition->vtl_first = config->vtl_first;
    partition->vtl_highest = config->vtl_highest;
    partition->vtl0_alias_map = config->vtl0_alias_map;
    partition_find_classes(partition, config->cpuid, config->cpuid_count);
    enum vmr_status status = partition_fill(partition, config, err);

    if (!status)
        status = partition_create_hv(partition, proto, err);
    partition_add_hv_classes(partition);
    if (!status)
        status = show_memory(partition, err);
    if (status) {
        partition_free(partition);
        return status;
    }
    *ret_partition = partition;
    return VMR_OK;
}

static enum vmr_status check_msr_exits(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                                       struct vmr_error *err)
{
    if (options->msr_exit_count > 0 && !vmr_caps_have(&proto->caps, VMR_CAP_MSR_EXIT))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "partition: options.msr_exits: hypervisor '%s' has no MSR exits",
                             proto->handle.backend->name);
    if (options->msr_exit_count > VMR_MSR_RANGE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "partition: options.msr_exits: %zu ranges, the limit is %u",
                             options->msr_exit_count, VMR_MSR_RANGE_MAX);
    for (size_t i = 0; i < options->msr_exit_count; i++) {
        const struct vmr_msr_range *range = &options->msr_exits[i];

        if (range->count > 0 && range->count - 1 > UINT32_MAX - range->first)
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "partition: options.msr_exits[%zu]: %u MSRs from %#x end above 2^32", i, range->count,
                                 range->first);
    }
    return VMR_OK;
}

/* The caller's ranges, and the Hyper-V interface's. */
static size_t merge_msr_exits(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                              struct vmr_msr_range *ret_ranges)
{
    size_t count = options->msr_exit_count;

    for (size_t i = 0; i < count; i++)
        ret_ranges[i] = options->msr_exits[i];
    if (proto->has_hv)
        ret_ranges[count++] = (struct vmr_msr_range){.first = HV_MSR_FIRST, .count = HV_MSR_COUNT};
    return count;
}

/* The tables that a backend is given, which are gone afterwards. */
struct build_tables {
    struct vmr_cpuid_entry cpuid[VMR_CPUID_LEAF_MAX];
    struct vmr_msr_range msr_exits[VMR_MSR_RANGE_MAX + 1];
};

static enum vmr_status build_with(const struct vmr_proto *proto, const struct vmr_partition_options *options,
                                  struct build_tables *tables, struct vmr_partition **ret_partition,
                                  struct vmr_error *err)
{
    struct vmr_vm_config config = {
        .host = proto->host,
        .memory = options->memory,
        .vp_count = proto->vp_count,
        .irqchip = proto->handle.irqchip,
        .cpuid = tables->cpuid,
        .msr_exits = tables->msr_exits,
        .hv_offload = proto_offloads_hv(proto),
    };
    enum vmr_status status = merge_cpuid(proto, options, tables->cpuid, &config.cpuid_count, err);

    if (status)
        return status;
    config.msr_exit_count = merge_msr_exits(proto, options, tables->msr_exits);
    proto_describe_vtls(proto, options, &config);
    return build(proto, &config, ret_partition, err);
}

enum vmr_status vmr_proto_build(struct vmr_proto **proto, const struct vmr_partition_options *options,
                                struct vmr_partition **ret_partition, struct vmr_error *err)
{
    if (!*proto)
        return vmr_error_set(err, VMR_E_STATE, "proto partition: it was built already");
    if (!options->memory)
        return vmr_error_set(err, VMR_E_USAGE, "partition: options.memory is missing");
    enum vmr_status status = check_msr_exits(*proto, options, err);

    if (!status)
        status = proto_check_alias_map(*proto, options->vtl0_alias_map, err);
    if (status)
        return status;
    struct build_tables *tables = calloc(1, sizeof(*tables));

    if (!tables)
        return vmr_error_set(err, VMR_E_NOMEM, "partition: out of memory");
    status = build_with(*proto, options, tables, ret_partition, err);
    free(tables);
    if (status)
        return status;
    vmr_proto_destroy(*proto);
    *proto = NULL;
    return VMR_OK;
}

/* --- questions --- */

const struct vmr_caps *vmr_partition_caps(const struct vmr_partition *partition)
{
    return &partition->caps;
}

uint32_t vmr_partition_vp_count(const struct vmr_partition *partition)
{
    return partition->vp_count;
}

enum vmr_irqchip vmr_partition_irqchip(const struct vmr_partition *partition)
{
    return partition->handle.irqchip;
}

const struct vmr_host *vmr_partition_host(const struct vmr_partition *partition)
{
    return partition->host;
}

struct vmr_memory *vmr_partition_memory(const struct vmr_partition *partition)
{
    return partition->memory;
}

void *vmr_partition_native(struct vmr_partition *partition, const struct vmr_backend *backend)
{
    if (!vmr_backend_is(partition->backend, backend) || !backend->vm_native)
        return NULL;
    return backend->vm_native(partition->backend_vm);
}

void vmr_partition_set_seam_hook(struct vmr_partition *partition,
                                 void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context)
{
    partition->seam_hook = hook;
    partition->seam_context = context;
    if (partition->backend->vm_set_seam_hook)
        partition->backend->vm_set_seam_hook(partition->backend_vm, hook, context);
}
