/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An operating system with a KVM that does nothing but keep count: linked in
 * place of backends/kvm/kvm_host.c. Each call that can fail has a number, and
 * the one that a test names fails.
 */

#include "backends/kvm/kvm_host.h"

#define FAKE_FD_MAX 64u
#define FAKE_RUN_SIZE (3u * 4096u)
#define FAKE_CPUID_MAX 32u
#define FAKE_TSC_KHZ 2593906u
#define FAKE_ENABLED_MAX 16u

#define FAKE_MSR_MAX 512u

/* What state requests read and write: the same place both ways. */
struct fake_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_vcpu_events events;
    struct kvm_mp_state mp_state;
    struct kvm_xcrs xcrs;
    uint8_t xsave[sizeof(struct kvm_xsave)];
    struct kvm_debugregs debug_registers;
    struct kvm_lapic_state lapic;
    struct kvm_irqchip chips[KVM_NR_IRQCHIPS];
    struct kvm_clock_data clock;
    struct kvm_msr_entry msrs[FAKE_MSR_MAX]; /* those that were ever named */
    unsigned msr_count;
};

struct fake_kvm {
    /* --- what the test sets --- */
    unsigned fail_at;    /* number of the call that fails, from 1; 0: none */
    int fail_errno;      /* positive */
    unsigned fail_count; /* how many calls from fail_at on fail; 0: one */
    int open_errno;      /* kvm_host_open fails with it; 0: it works */
    int api_version;
    unsigned long absent; /* an extension that this kernel lacks; 0: none */
    bool without_rings;
    uint64_t dirty;           /* the dirty bitmap of each slot, whose first 64 pages it is */
    uint64_t dirty_after_get; /* pages that the guest writes when the bitmap has been read */
    bool signal_taken;
    bool host_has_vmx;
    struct kvm_cpuid_entry2 supported[FAKE_CPUID_MAX];
    uint32_t supported_count;
    struct kvm_cpuid_entry2 hv_supported[2];
    int run_errno;        /* of the next KVM_RUN; 0: it works */
    uint32_t run_reason;  /* the exit reason that KVM_RUN leaves, with the rest of the page as it is */
    uint32_t msr_refused; /* no value of it is taken; 0: none */
    uint32_t msr_missing; /* listed, and not there; 0: none */
    unsigned exits;       /* of the instruction that is being finished */

    /* --- what the test reads --- */
    unsigned calls;
    unsigned long failed_request; /* the ioctl that failed; 0: another call */
    bool fds[FAKE_FD_MAX];
    unsigned maps;
    struct kvm_run *run;        /* the page that was mapped last */
    struct kvm_dirty_gfn *ring; /* likewise */
    uint32_t ring_entries;
    unsigned ring_resets, ring_marked; /* entries that were marked at the last reset */
    unsigned kicks;
    unsigned runs;
    uint32_t route_count;                          /* entries in the last routing table that was taken */
    uint32_t route_gsi;                            /* of its last entry */
    struct kvm_cpuid_entry2 cpuid[FAKE_CPUID_MAX]; /* the last table that was set */
    uint32_t cpuid_count;
    struct kvm_msr_filter filter;
    uint64_t map_size; /* of the last memory slot call; 0: it took one away */
    uint32_t slot_flags;
    uint8_t hv_bitmap[64];                             /* of the filter's range of synthetic MSRs */
    struct kvm_hyperv_eventfd event;                   /* the last */
    unsigned enabled[FAKE_ENABLED_MAX], enabled_count; /* capabilities, on any descriptor */
    struct kvm_guest_debug debug;
    struct fake_state state;
};

/* The one that the calls act on. */
extern struct fake_kvm fake_kvm;

/* A kernel with every extension. */
void fake_kvm_reset(void);
unsigned fake_kvm_open_fds(void);
/* What an MSR holds. */
__u64 *fake_kvm_msr(uint32_t index);
