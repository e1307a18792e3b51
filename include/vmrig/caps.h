/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a hypervisor can do: bits that its backend declares, and that decide
 * which operations of vmrig/backend.h it has. [BACK-1]
 */

#include "vmrig/types.h"

VMR_BEGIN_DECLS

/* What this backend, opened this way on this machine, can do. Recordings hold the numbers: new ones come last. */
enum vmr_cap {
    VMR_CAP_MACHINE_CODE,   /* runs guest instructions; without it the VP interprets a program (mock) */
    VMR_CAP_IRQCHIP_SPLIT,  /* can place local APICs in the hypervisor */
    VMR_CAP_IRQCHIP_KERNEL, /* can place all interrupt controllers in the hypervisor */
    VMR_CAP_MSI,            /* vm_msi: with local APICs in the hypervisor */
    VMR_CAP_IRQFD,          /* vm_irqfd */
    VMR_CAP_DOORBELL,       /* vm_doorbell: signals a descriptor without an exit */
    VMR_CAP_READ_ONLY,      /* read-only regions */
    VMR_CAP_MSR_EXIT,       /* MSR accesses can be made to exit */
    VMR_CAP_MSR_FAULT,      /* an MSR exit can be answered with #GP */
    VMR_CAP_CPUID_EXIT,     /* CPUID exits; without it the table given at build answers */
    VMR_CAP_HYPERCALL_EXIT, /* VMCALL reaches user space */
    VMR_CAP_SINGLE_STEP,
    VMR_CAP_HW_BREAKPOINT,
    VMR_CAP_REBIND,       /* bind, unbind, bind again */
    VMR_CAP_STICKY_KICK,  /* a kick before vp_run makes it return at once */
    VMR_CAP_MULTI_VM,     /* several partitions at once in one process */
    VMR_CAP_VP_THREADS,   /* VPs may run on free threads; without it only under a scheduling host */
    VMR_CAP_REAL_MODE,    /* guests may start in real mode */
    VMR_CAP_STRING_IO,    /* string I/O arrives as one exit of many items (else one exit an item) */
    VMR_CAP_SYSTEM_EVENT, /* the guest can power off or reset through the hypervisor */
    VMR_CAP_RECORDABLE,   /* every input crosses the backend table or the host: a recording is complete */
    VMR_CAP_EXCEPTION,    /* vp_exception */
    VMR_CAP_XMM,          /* vp_get_xmm, vp_set_xmm */
    VMR_CAP_FLUSH,        /* vp_flush */
    VMR_CAP_VTL,          /* vm_protect, vp_switch_vtl, vp_pass_fault: VTLs; with VMR_IRQCHIP_USER */
    VMR_CAP_HV_OFFLOAD,   /* hv: serves a part of the Hyper-V guest interface itself */
    VMR_CAP_DIRTY_LOG,    /* vm_dirty_log, vm_dirty_take */
    VMR_CAP_MANAGED,      /* managed: runs its VPs itself; only a VP set, and so a machine, has them run */
    VMR_CAP_COUNT
};

/* "machine-code", ... Any thread. */
VMR_API const char *vmr_cap_name(enum vmr_cap cap);

struct vmr_caps {
    uint64_t bits; /* 1 << enum vmr_cap */
    uint32_t vp_count_max;
    uint8_t physical_bits;
    /* What vp_get_state and vm_get_state have: 1 << enum vmr_vp_class, 1 << enum vmr_vm_class. Not in recordings. */
    uint64_t vp_classes, vm_classes;
};

static inline bool vmr_caps_have(const struct vmr_caps *caps, enum vmr_cap cap)
{
    return (caps->bits >> (unsigned)cap & 1u) != 0;
}

VMR_END_DECLS
