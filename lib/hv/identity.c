/* SPDX-License-Identifier: MIT */
/*
 * What a guest finds by CPUID (TLFS, Feature and Interface Discovery): exactly
 * what the library does for this partition, and no more. A bit is set here when
 * its scenario exists.
 */

#include "vmrig/hv_guest.h"

/* "Microsoft Hv", which guests look for; the interface after it says what it really is. */
#define VENDOR_EBX 0x7263694du
#define VENDOR_ECX 0x666f736fu
#define VENDOR_EDX 0x76482074u

/* The version whose guest interface this is: 10.0 (TLFS 6). */
#define VERSION_MAJOR 10u

uint8_t vmr_hv_vtl_highest(const struct vmr_hv_config *config, const struct vmr_hv_target *target)
{
    const uint64_t needed = HV_ACCESS_VSM | HV_ACCESS_HYPERCALL_MSRS | HV_ACCESS_SYNIC;

    if (!target->protect || (config->privileges_off & needed) != 0)
        return VMR_VTL0;
    return config->vtl2 ? VMR_VTL2 : VMR_VTL1;
}

/* Offloaded: the registers that this library serves all the same, and what both can. What else it has is not reached.
 */
#define SERVED_HERE (HV_ACCESS_VP_INDEX | HV_ACCESS_RESET | HV_ACCESS_FREQUENCY_MSRS)
#define SERVED_TOGETHER                                                                                                \
    (HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_SYNTHETIC_TIMERS | HV_ACCESS_HYPERCALL_MSRS |           \
     HV_ACCESS_REFERENCE_TSC | HV_POST_MESSAGES | HV_SIGNAL_EVENTS)
#define OWN_FEATURES (HV_FEATURE_XMM_INPUT | HV_FEATURE_DIRECT_TIMERS)
#define OWN_RECOMMENDATIONS (HV_RECOMMEND_REMOTE_FLUSH | HV_RECOMMEND_CLUSTER_IPI | HV_RECOMMEND_EX_PROCESSOR_MASKS)

static uint64_t missing(const struct vmr_hv_config *config, const struct vmr_hv_target *target)
{
    uint64_t off = config->privileges_off;

    if (target->offload)
        off |= ~(SERVED_HERE | (SERVED_TOGETHER & target->own.privileges));
    if (config->tsc_hz == 0 || (!target->tsc && !target->offload))
        off |= HV_ACCESS_REFERENCE_TSC;
    if (config->tsc_hz == 0 && config->apic_hz == 0)
        off |= HV_ACCESS_FREQUENCY_MSRS;
    if (!target->apic_read)
        off |= HV_ACCESS_APIC_MSRS;
    if (!target->start)
        off |= HV_START_VIRTUAL_PROCESSOR;
    /* What stands on something that is off is off with it. */
    if (off & HV_ACCESS_REFERENCE_COUNTER)
        off |= HV_ACCESS_REFERENCE_TSC;
    if (off & HV_ACCESS_SYNIC)
        off |= HV_ACCESS_SYNTHETIC_TIMERS;
    if (off & HV_ACCESS_HYPERCALL_MSRS)
        off |= HV_POST_MESSAGES | HV_SIGNAL_EVENTS | HV_ACCESS_VP_REGISTERS | HV_ENABLE_EXTENDED_HYPERCALLS |
               HV_START_VIRTUAL_PROCESSOR;
    if (vmr_hv_vtl_highest(config, target) == VMR_VTL0)
        off |= HV_ACCESS_VSM | HV_ISOLATION;
    if (!vmr_isolation_is_isolated(config->isolation))
        off |= HV_ISOLATION;
    return off;
}

uint64_t vmr_hv_privileges(const struct vmr_hv_config *config, const struct vmr_hv_target *target)
{
    return VMR_HV_PRIVILEGES & ~missing(config, target);
}

static uint32_t features(uint64_t privileges, const struct vmr_hv_target *target)
{
    uint32_t edx = HV_FEATURE_CRASH_REGISTERS;

    if (target->get_xmm && (privileges & HV_ACCESS_HYPERCALL_MSRS))
        edx |= HV_FEATURE_XMM_INPUT | HV_FEATURE_XMM_OUTPUT;
    if (privileges & HV_ACCESS_FREQUENCY_MSRS)
        edx |= HV_FEATURE_FREQUENCY_REGISTERS;
    if (privileges & HV_ACCESS_SYNTHETIC_TIMERS)
        edx |= HV_FEATURE_DIRECT_TIMERS;
    if (target->offload)
        edx &= ~(OWN_FEATURES | HV_FEATURE_XMM_OUTPUT) | (target->own.features & OWN_FEATURES);
    return edx;
}

static uint32_t recommendations(uint64_t privileges, const struct vmr_hv_target *target)
{
    uint32_t eax = target->has_auto_eoi ? 0 : HV_RECOMMEND_DEPRECATE_AUTO_EOI;

    if (target->offload)
        return eax | (privileges & HV_ACCESS_HYPERCALL_MSRS ? target->own.recommendations & OWN_RECOMMENDATIONS : 0);
    if (privileges & HV_ACCESS_APIC_MSRS)
        eax |= HV_RECOMMEND_APIC_MSRS;
    if (privileges & HV_ACCESS_HYPERCALL_MSRS)
        eax |= HV_RECOMMEND_CLUSTER_IPI | HV_RECOMMEND_EX_PROCESSOR_MASKS;
    if (target->flush && (privileges & HV_ACCESS_HYPERCALL_MSRS))
        eax |= HV_RECOMMEND_REMOTE_FLUSH;
    return eax;
}

bool vmr_hv_leaf_at(const struct vmr_hv_guest_options *options, uint32_t index, struct vmr_hv_leaf *ret_leaf)
{
    uint64_t privileges = vmr_hv_privileges(&options->config, &options->target);

    uint32_t last = (privileges & HV_ISOLATION) != 0 ? HV_CPUID_ISOLATION : HV_CPUID_HARDWARE;

    if (index > last - HV_CPUID_VENDOR)
        return false;
    switch (HV_CPUID_VENDOR + index) {
    case HV_CPUID_VENDOR:
        *ret_leaf = (struct vmr_hv_leaf){last, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX};
        return true;
    case HV_CPUID_INTERFACE:
        *ret_leaf = (struct vmr_hv_leaf){.eax = HV_CPUID_INTERFACE_HV1};
        return true;
    case HV_CPUID_VERSION:
        *ret_leaf = (struct vmr_hv_leaf){.ebx = VERSION_MAJOR << 16};
        return true;
    case HV_CPUID_FEATURES:
        *ret_leaf = (struct vmr_hv_leaf){.eax = (uint32_t)privileges,
                                         .ebx = (uint32_t)(privileges >> 32),
                                         .edx = features(privileges, &options->target)};
        return true;
    case HV_CPUID_RECOMMENDATIONS:
        *ret_leaf =
            (struct vmr_hv_leaf){.eax = recommendations(privileges, &options->target), .ebx = HV_SPIN_NOTIFY_NEVER};
        return true;
    case HV_CPUID_LIMITS:
        *ret_leaf = (struct vmr_hv_leaf){.eax = options->vp_count, .ebx = options->vp_count};
        return true;
    case HV_CPUID_ISOLATION:
        *ret_leaf =
            (struct vmr_hv_leaf){.eax = HV_ISOLATION_PARAVISOR, .ebx = vmr_isolation_to_hv(options->config.isolation)};
        return true;
    default: /* HV_CPUID_HARDWARE, and what lies between it and the last: nothing to say */
        *ret_leaf = (struct vmr_hv_leaf){0};
        return true;
    }
}
