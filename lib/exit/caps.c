/* SPDX-License-Identifier: MIT */
/*
 * Capabilities by name, as reports and skip reasons write them. Here and not
 * with the probe, because backends name them too.
 */

#include "vmrig/caps.h"

static const char *const cap_names[VMR_CAP_COUNT] = {
    [VMR_CAP_MACHINE_CODE] = "machine-code",
    [VMR_CAP_IRQCHIP_SPLIT] = "irqchip-split",
    [VMR_CAP_IRQCHIP_KERNEL] = "irqchip-kernel",
    [VMR_CAP_MSI] = "msi",
    [VMR_CAP_IRQFD] = "irqfd",
    [VMR_CAP_DOORBELL] = "doorbell",
    [VMR_CAP_READ_ONLY] = "read-only",
    [VMR_CAP_MSR_EXIT] = "msr-exit",
    [VMR_CAP_MSR_FAULT] = "msr-fault",
    [VMR_CAP_CPUID_EXIT] = "cpuid-exit",
    [VMR_CAP_HYPERCALL_EXIT] = "hypercall-exit",
    [VMR_CAP_SINGLE_STEP] = "single-step",
    [VMR_CAP_HW_BREAKPOINT] = "hw-breakpoint",
    [VMR_CAP_REBIND] = "rebind",
    [VMR_CAP_STICKY_KICK] = "sticky-kick",
    [VMR_CAP_MULTI_VM] = "multi-vm",
    [VMR_CAP_VP_THREADS] = "vp-threads",
    [VMR_CAP_REAL_MODE] = "real-mode",
    [VMR_CAP_STRING_IO] = "string-io",
    [VMR_CAP_SYSTEM_EVENT] = "system-event",
    [VMR_CAP_EXCEPTION] = "exception",
    [VMR_CAP_XMM] = "xmm",
    [VMR_CAP_FLUSH] = "flush",
    [VMR_CAP_VTL] = "vtl",
    [VMR_CAP_HV_OFFLOAD] = "hv-offload",
    [VMR_CAP_DIRTY_LOG] = "dirty-log",
    [VMR_CAP_MANAGED] = "managed",
    [VMR_CAP_RECORDABLE] = "recordable",
};

const char *vmr_cap_name(enum vmr_cap cap)
{
    return (unsigned)cap < VMR_CAP_COUNT ? cap_names[cap] : "unknown";
}
