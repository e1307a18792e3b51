/* SPDX-License-Identifier: MIT */
/*
 * Which MSR accesses leave KVM. Those it does not know or refuses always do,
 * so that the library decides about #GP; the caller's list and, when the
 * library holds the local APICs, the MSRs of an APIC that are not x2APIC
 * registers are filtered out of KVM. [MSR-2] Of the Hyper-V interface's range
 * what KVM's own interface keeps is let through.
 */

#include "backends/kvm/kvm_private.h"
#include "vmrig/hv_identity.h"

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
/* KVM never filters its own local APIC's registers. Without one they leave as refused. */
#define MSR_X2APIC_FIRST 0x800u
#define MSR_X2APIC_COUNT 0x100u

#define RANGE_COUNT_MAX (8u * KVM_MSR_FILTER_MAX_BITMAP_SIZE)

struct filter_builder {
    struct kvm_msr_filter filter;
    size_t used;
    uint8_t *none;      /* a bitmap of zeros: KVM handles none of them */
    uint8_t *hv_bitmap; /* of the Hyper-V interface's range */
};

_Static_assert(HV_MSR_COUNT <= RANGE_COUNT_MAX, "the range is one of KVM's");

/* One range of ours may take several of KVM's. False: KVM has no more. */
static bool builder_add(struct filter_builder *builder, uint32_t first, uint32_t count)
{
    while (count > 0) {
        uint32_t part = count < RANGE_COUNT_MAX ? count : RANGE_COUNT_MAX;

        if (builder->used == KVM_MSR_FILTER_MAX_RANGES)
            return false;
        builder->filter.ranges[builder->used++] = (struct kvm_msr_filter_range){
            .flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
            .nmsrs = part,
            .base = first,
            .bitmap = builder->none,
        };
        first += part;
        count -= part;
    }
    return true;
}

static bool is_hv_range(const struct vmr_msr_range *range)
{
    return range->first == HV_MSR_FIRST && range->count == HV_MSR_COUNT;
}

static bool builder_add_hv(struct filter_builder *builder)
{
    for (uint32_t i = 0; i < HV_MSR_COUNT; i++) {
        if (kvm_hv_keeps_msr(HV_MSR_FIRST + i))
            builder->hv_bitmap[i / 8] |= (uint8_t)(1u << i % 8);
    }
    if (!builder_add(builder, HV_MSR_FIRST, HV_MSR_COUNT))
        return false;
    builder->filter.ranges[builder->used - 1].bitmap = builder->hv_bitmap;
    return true;
}

static bool is_x2apic(const struct vmr_msr_range *range)
{
    return range->first < MSR_X2APIC_FIRST + MSR_X2APIC_COUNT &&
           (range->first >= MSR_X2APIC_FIRST || range->count > MSR_X2APIC_FIRST - range->first);
}

static enum vmr_status builder_fill(struct filter_builder *builder, const struct kvm_vm *vm,
                                    const struct vmr_vm_config *config, struct vmr_error *err)
{
    if (vm->irqchip == VMR_IRQCHIP_USER) {
        (void)builder_add(builder, MSR_APIC_BASE, 1);
        (void)builder_add(builder, MSR_TSC_DEADLINE, 1);
    }
    for (size_t i = 0; i < config->msr_exit_count; i++) {
        const struct vmr_msr_range *range = &config->msr_exits[i];

        if (vm->irqchip != VMR_IRQCHIP_USER && is_x2apic(range))
            return vmr_error_set(err, VMR_E_UNSUPPORTED,
                                 "kvm: msr_exits[%zu]: x2APIC MSRs stay in KVM when its local APICs are used", i);
        bool fits = vm->hv_offload && is_hv_range(range) ? builder_add_hv(builder)
                                                         : builder_add(builder, range->first, range->count);

        if (!fits)
            return vmr_error_set(err, VMR_E_UNSUPPORTED, "kvm: msr_exits[%zu]: KVM filters at most %u ranges of %u", i,
                                 (unsigned)KVM_MSR_FILTER_MAX_RANGES, RANGE_COUNT_MAX);
    }
    return VMR_OK;
}

enum vmr_status kvm_msr_filter_set(struct kvm_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE] = {0}, hv_bitmap[HV_MSR_COUNT / 8] = {0};
    struct filter_builder builder = {
        .filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW}, .none = none, .hv_bitmap = hv_bitmap};
    struct kvm_enable_cap cap = {
        .cap = KVM_CAP_X86_USER_SPACE_MSR,
        .args = {KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER},
    };
    int fd = vm->fd.number;

    if (kvm_extension(fd, KVM_CAP_X86_USER_SPACE_MSR) == 0 || kvm_extension(fd, KVM_CAP_X86_MSR_FILTER) == 0) {
        if (config->msr_exit_count > 0 || vm->irqchip == VMR_IRQCHIP_USER)
            return vmr_error_set(err, VMR_E_UNSUPPORTED, "kvm: this kernel cannot hand MSR accesses to us");
        return VMR_OK;
    }
    enum vmr_status status = builder_fill(&builder, vm, config, err);

    if (!status)
        status = kvm_ioctl(fd, "KVM_CAP_X86_USER_SPACE_MSR", KVM_ENABLE_CAP, kvm_pointer(&cap), err);
    if (!status && builder.used > 0)
        status = kvm_ioctl(fd, "KVM_X86_SET_MSR_FILTER", KVM_X86_SET_MSR_FILTER, kvm_pointer(&builder.filter), err);
    return status;
}
