/* SPDX-License-Identifier: MIT */
/*
 * The Hyper-V guest interface of a partition: its leaves in the CPUID table, its
 * MSRs among those that exit, and the way from it to VPs and local APICs.
 */

#include "lib/memory/memory.h"
#include "lib/partition/clock.h"
#include "lib/partition/hold.h"
#include "lib/partition/start.h"
#include "lib/partition/trap.h"
#include "vmrig/backend_hv.h"

/* Physical destination, fixed delivery, edge (Intel SDM vol. 3, 11.11). */
#define MSI_ADDRESS UINT64_C(0xfee00000)
#define MSI_DESTINATION_SHIFT 12
#define MSR_TSC 0x10u /* Intel SDM vol. 4 */

/* --- what the interface asks of the partition --- */

static void raise_vector(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi)
{
    struct vmr_partition *partition = context;
    const struct vmr_irqchip_ops *chip = partition->chip_ops;

    if (chip && chip->vector && !partition_apic_in_hypervisor(partition)) {
        (void)chip->vector(partition->chip, vp, vector, auto_eoi);
    } else if (partition_apic_in_hypervisor(partition) && partition->backend->vm_msi) {
        /* The upper bits of a wide destination are the address's upper half (KVM API, KVM_CAP_X2APIC_API). */
        const struct vmr_msi msi = {.address = MSI_ADDRESS | (uint64_t)(vp & 0xffu) << MSI_DESTINATION_SHIFT |
                                               (uint64_t)(vp & ~0xffu) << 32,
                                    .data = vector};

        (void)partition->backend->vm_msi(partition->backend_vm, &msi);
    }
}

static void wake(void *context, vmr_vp_index index)
{
    struct vmr_vp *vp = partition_vp(context, index);

    if (vp)
        (void)vp_request(vp, REQUEST_WAKE, NULL);
}

static bool get_xmm(void *context, vmr_vp_index index, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    const struct vmr_partition *partition = context;

    return partition->backend->vp_get_xmm(partition->vps[index].backend_vp, ret_xmm) == VMR_OK;
}

static bool set_xmm(void *context, vmr_vp_index index, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    const struct vmr_partition *partition = context;

    return partition->backend->vp_set_xmm(partition->vps[index].backend_vp, xmm) == VMR_OK;
}

static enum vmr_status trap_page(void *context, vmr_gpa gpa, struct vmr_error *err)
{
    return trap_set(context, gpa, err);
}

static void untrap_page(void *context, vmr_gpa gpa)
{
    (void)gpa; /* there is one at most */
    trap_clear(context);
}

/* Above everything that is mapped now: in a hole the page needs no memory, and stays trapped whatever comes there. */
static enum vmr_status free_page(void *context, vmr_gpa *ret_gpa, struct vmr_error *err)
{
    struct vmr_partition *partition = context;
    vmr_gpa gpa = memory_top(partition->memory);

    if (gpa >> partition->caps.physical_bits != 0)
        return vmr_error_set(err, VMR_E_NOMEM, "monitor page: no guest address is left below 2^%u",
                             partition->caps.physical_bits);
    *ret_gpa = gpa;
    return VMR_OK;
}

static void flush(void *context, const struct vmr_hv_vp_set *vps, vmr_vp_index caller)
{
    struct vmr_partition *partition = context;

    partition_expel(partition, vps, caller, REQUEST_FLUSH);
    if (vmr_hv_vp_set_has(vps, caller))
        (void)vp_request(&partition->vps[caller], REQUEST_FLUSH, NULL);
}

static bool get_tsc(void *context, vmr_vp_index index, uint64_t *ret_tsc)
{
    const struct vmr_partition *partition = context;

    return partition->backend->vp_get_msr(partition->vps[index].backend_vp, MSR_TSC, ret_tsc) == VMR_OK;
}

static bool protect(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    const struct vmr_partition *partition = context;

    return partition->backend->vm_protect(partition->backend_vm, vtl, gpa, size, access) == VMR_OK;
}

static enum vmr_hv_start_end start(void *context, vmr_vp_index vp, vmr_vp_index caller,
                                   const struct vmr_hv_initial *start)
{
    struct vmr_partition *partition = context;

    return start_ask(&partition->vps[vp], &partition->vps[caller], start);
}

static bool deliver(void *context, const struct vmr_msi *msi)
{
    return partition_deliver_msi(context, msi) == VMR_OK;
}

/* Where local APICs are expected in the library, and none was attached, an access is one to nothing. */
static enum vmr_msr_result apic_read(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    const struct vmr_partition *partition = context;
    const struct vmr_irqchip_ops *chip = partition->chip_ops;

    return chip && chip->hv_read ? chip->hv_read(partition->chip, vp, index, ret_value) : VMR_MSR_FAULT;
}

static enum vmr_msr_result apic_write(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    const struct vmr_partition *partition = context;
    const struct vmr_irqchip_ops *chip = partition->chip_ops;

    return chip && chip->hv_write ? chip->hv_write(partition->chip, vp, index, value) : VMR_MSR_FAULT;
}

/* Bits of CR4 that stand for a feature in CPUID (Intel SDM vol. 2, CPUID); a hypervisor refuses those of no feature. */
static const struct {
    uint8_t leaf, cr4_bit, feature_bit;
    bool ecx; /* else EBX */
} cr4_features[] = {
    {7, 11, 2, true},  /* UMIP */
    {7, 12, 16, true}, /* LA57 */
    {7, 16, 0, false}, /* FSGSBASE */
    {1, 17, 17, true}, /* PCID */
    {1, 18, 26, true}, /* XSAVE */
    {7, 20, 7, false}, /* SMEP */
    {7, 21, 20, false} /* SMAP */,
    {7, 22, 3, true} /* PKU */
};

#define CR4_EVERYWHERE UINT64_C(0x7ff) /* VME to OSXMMEXCPT */

static uint64_t cr4_of(const struct vmr_proto *proto)
{
    uint64_t cr4 = CR4_EVERYWHERE;

    for (size_t i = 0; i < proto->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &proto->cpuid[i];

        for (size_t k = 0; k < sizeof(cr4_features) / sizeof(cr4_features[0]); k++) {
            uint32_t word = cr4_features[k].ecx ? entry->ecx : entry->ebx;

            if (entry->leaf == cr4_features[k].leaf && entry->subleaf == 0 && (word >> cr4_features[k].feature_bit & 1))
                cr4 |= UINT64_C(1) << cr4_features[k].cr4_bit;
        }
    }
    return cr4;
}

/* --- where the hypervisor serves a part itself --- */

static bool get_register(void *context, vmr_vp_index vp, uint32_t index, uint64_t *ret_value)
{
    const struct vmr_partition *partition = context;

    return partition->backend->vp_get_msr(partition->vps[vp].backend_vp, index, ret_value) == VMR_OK;
}

static bool set_register(void *context, vmr_vp_index vp, uint32_t index, uint64_t value)
{
    const struct vmr_partition *partition = context;

    return partition->backend->vp_set_msr(partition->vps[vp].backend_vp, index, value) == VMR_OK;
}

static bool get_time(void *context, uint64_t *ret_count)
{
    const struct vmr_partition *partition = context;

    return partition->backend->hv->get_time(partition->backend_vm, ret_count) == VMR_OK;
}

static bool set_time(void *context, uint64_t count)
{
    const struct vmr_partition *partition = context;

    return partition->backend->hv->set_time(partition->backend_vm, count) == VMR_OK;
}

static enum vmr_status bind_event(void *context, uint32_t connection_id, int os_event, bool add)
{
    const struct vmr_partition *partition = context;

    return partition->backend->hv->event(partition->backend_vm, connection_id, os_event, add);
}

static const struct vmr_synic_offload offload = {
    .get_register = get_register, .set_register = set_register, .get_time = get_time, .set_time = set_time};

static void offload_to_hypervisor(const struct vmr_proto *proto, struct vmr_hv_target *target)
{
    target->offload = &offload;
    target->own = proto->hv_own;
    target->bind_event = bind_event;
    target->has_hypercall_exit = true; /* for what the hypervisor does not know */
}

/* Long because it is a table: what the partition does for its interface. */
static struct vmr_hv_guest_options options_of(const struct vmr_proto *proto, struct vmr_partition *partition)
{
    bool apics_here = proto->handle.irqchip == VMR_IRQCHIP_USER;
    bool has_xmm = vmr_caps_have(&proto->caps, VMR_CAP_XMM);
    /* Whoever changes what all VPs see must be able to wait for them. */
    bool may_wait = (proto->handle.backend->flags & VMR_BACKEND_ONE_AT_A_TIME) == 0 || proto->vp_count == 1;
    bool can_trap = may_wait && vmr_caps_have(&proto->caps, VMR_CAP_READ_ONLY);
    bool can_flush = may_wait && vmr_caps_have(&proto->caps, VMR_CAP_FLUSH);

    struct vmr_hv_guest_options options = {
        .host = proto->host,
        .vp_count = proto->vp_count,
        .config = proto->hv,
        .target =
            {
                .interrupt = raise_vector,
                .wake = wake,
                .get_xmm = has_xmm ? get_xmm : NULL,
                .set_xmm = has_xmm ? set_xmm : NULL,
                .trap_page = can_trap ? trap_page : NULL,
                .untrap_page = can_trap ? untrap_page : NULL,
                .free_page = can_trap ? free_page : NULL,
                .flush = can_flush ? flush : NULL,
                .tsc = get_tsc,
                .protect = vmr_caps_have(&proto->caps, VMR_CAP_VTL) ? protect : NULL,
                .start = start,
                .apic_read = apics_here ? apic_read : NULL,
                .apic_write = apics_here ? apic_write : NULL,
                .msi = deliver,
                .has_auto_eoi = apics_here,
                .has_hypercall_exit = vmr_caps_have(&proto->caps, VMR_CAP_HYPERCALL_EXIT),
                .cr4 = cr4_of(proto),
                .physical_bits = proto->caps.physical_bits,
                .context = partition,
            },
    };

    if (proto_offloads_hv(proto))
        offload_to_hypervisor(proto, &options.target);
    return options;
}

uint8_t proto_vtl_highest(const struct vmr_proto *proto)
{
    const struct vmr_hv_guest_options options = options_of(proto, NULL);

    return vmr_hv_vtl_highest(&options.config, &options.target);
}

/* --- before the build --- */

static struct vmr_cpuid_entry *find_leaf(struct vmr_proto *proto, uint32_t leaf)
{
    for (size_t i = 0; i < proto->cpuid_count; i++) {
        if (proto->cpuid[i].leaf == leaf)
            return &proto->cpuid[i];
    }
    if (proto->cpuid_count == VMR_CPUID_LEAF_MAX)
        return NULL;
    struct vmr_cpuid_entry *fresh = &proto->cpuid[proto->cpuid_count++];

    *fresh = (struct vmr_cpuid_entry){.leaf = leaf};
    return fresh;
}

static bool add_leaves(struct vmr_proto *proto)
{
    const struct vmr_hv_guest_options options = options_of(proto, NULL);
    struct vmr_cpuid_entry *entry = find_leaf(proto, 1);
    struct vmr_hv_leaf leaf;

    if (!entry)
        return false;
    entry->ecx |= HV_CPUID_1_ECX_HYPERVISOR;
    for (uint32_t i = 0; vmr_hv_leaf_at(&options, i, &leaf); i++) {
        entry = find_leaf(proto, HV_CPUID_VENDOR + i);
        if (!entry)
            return false;
        entry->eax = leaf.eax;
        entry->ebx = leaf.ebx;
        entry->ecx = leaf.ecx;
        entry->edx = leaf.edx;
    }
    return true;
}

enum vmr_status proto_offer_hv(struct vmr_proto *proto, const struct vmr_hv_config *config, struct vmr_error *err)
{
    proto->has_hv = true;
    proto->hv = *config;
    if (proto_offloads_hv(proto)) {
        enum vmr_status status = proto->handle.backend->hv->own(&proto->handle, &proto->hv_own, err);

        if (status)
            return status;
    }
    if (!vmr_caps_have(&proto->caps, VMR_CAP_MSR_EXIT) || !vmr_caps_have(&proto->caps, VMR_CAP_MSR_FAULT))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "hv: hypervisor '%s' cannot hand the guest's MSR accesses over",
                             proto->handle.backend->name);
    if (!vmr_caps_have(&proto->caps, VMR_CAP_VTL) && (config->vtl2 || config->isolation))
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "hv.%s: hypervisor '%s' has no VTLs",
                             config->vtl2 ? "vtl2" : "isolation", proto->handle.backend->name);
    if (!add_leaves(proto))
        return vmr_error_set(err, VMR_E_CONFIG, "hv: the CPUID table has no room for the interface's leaves");
    return VMR_OK;
}

/* --- with the partition --- */

enum vmr_status partition_create_hv(struct vmr_partition *partition, const struct vmr_proto *proto,
                                    struct vmr_error *err)
{
    struct vmr_hv_guest_options options = options_of(proto, partition);

    if (!proto->has_hv)
        return VMR_OK;
    options.memory = partition->memory;
    enum vmr_status status = vmr_hv_guest_create(&options, &partition->hv, err);

    /* A VP that sleeps inside the hypervisor does not know when timers of the library's are due. */
    if (!status && partition_apic_in_hypervisor(partition) && !proto_offloads_hv(proto)) {
        status = vp_clock_create(partition, &partition->own_clock);
        if (status)
            (void)vmr_error_set(err, status, "hv: the host could not start the clock of the synthetic timers");
    }
    return status;
}

struct vmr_hv_guest *vmr_partition_hv(struct vmr_partition *partition)
{
    return partition->hv;
}
