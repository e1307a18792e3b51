/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers of the Hyper-V guest interface's identity: the CPUID leaves by which
 * a guest finds it, and the MSRs that belong to no device, under the names of
 * the specification (TLFS). Only facts: what the library does with them is in
 * vmrig/hv_guest.h. The SynIC's are in vmrig/hv_synic.h.
 */

#include "vmrig/types.h"

/* --- CPUID leaves (TLFS, Feature and Interface Discovery) --- */

#define HV_CPUID_VENDOR 0x40000000u /* EAX: the last leaf; EBX, ECX, EDX: "Microsoft Hv" */
#define HV_CPUID_INTERFACE 0x40000001u
#define HV_CPUID_VERSION 0x40000002u
#define HV_CPUID_FEATURES 0x40000003u /* EBX:EAX: privileges, HV_ACCESS_... of vmrig/hv_spec.h */
#define HV_CPUID_RECOMMENDATIONS 0x40000004u
#define HV_CPUID_LIMITS 0x40000005u
#define HV_CPUID_HARDWARE 0x40000006u
#define HV_CPUID_INTERFACE_HV1 0x31237648u /* "Hv#1" */

/* Leaf 1, ECX: there is a hypervisor (Intel SDM vol. 2, CPUID; reserved for this). */
#define HV_CPUID_1_ECX_HYPERVISOR (UINT32_C(1) << 31)

/* HV_CPUID_FEATURES, EDX. */
#define HV_FEATURE_XMM_INPUT (UINT32_C(1) << 4)
#define HV_FEATURE_FREQUENCY_REGISTERS (UINT32_C(1) << 8)
#define HV_FEATURE_CRASH_REGISTERS (UINT32_C(1) << 10)
#define HV_FEATURE_XMM_OUTPUT (UINT32_C(1) << 15)
#define HV_FEATURE_DIRECT_TIMERS (UINT32_C(1) << 19)

/* HV_CPUID_RECOMMENDATIONS, EAX. */
#define HV_RECOMMEND_APIC_MSRS (UINT32_C(1) << 3)
#define HV_RECOMMEND_REMOTE_FLUSH (UINT32_C(1) << 2)
#define HV_RECOMMEND_DEPRECATE_AUTO_EOI (UINT32_C(1) << 9)
#define HV_RECOMMEND_CLUSTER_IPI (UINT32_C(1) << 10)
#define HV_RECOMMEND_EX_PROCESSOR_MASKS (UINT32_C(1) << 11)
/* EBX: never tell the hypervisor of a long wait for a spinlock. */
#define HV_SPIN_NOTIFY_NEVER UINT32_MAX

/* --- MSRs (TLFS, Appendix: MSRs) --- */

/* Everything that is, or may become, a synthetic MSR. */
#define HV_MSR_FIRST 0x40000000u
#define HV_MSR_COUNT 0x200u

#define HV_MSR_GUEST_OS_ID 0x40000000u
#define HV_MSR_HYPERCALL 0x40000001u
#define HV_MSR_VP_INDEX 0x40000002u
#define HV_MSR_RESET 0x40000003u
#define HV_MSR_TSC_FREQUENCY 0x40000022u
#define HV_MSR_APIC_FREQUENCY 0x40000023u
#define HV_MSR_EOI 0x40000070u
#define HV_MSR_ICR 0x40000071u /* the upper half is the destination, in the form of the local APIC's own register */
#define HV_MSR_TPR 0x40000072u
#define HV_MSR_VP_ASSIST_PAGE 0x40000073u
#define HV_MSR_CRASH_P0 0x40000100u /* and four more */
#define HV_MSR_CRASH_CTL 0x40000105u

#define HV_HYPERCALL_ENABLE UINT64_C(1)
#define HV_HYPERCALL_LOCKED UINT64_C(2)
#define HV_HYPERCALL_RESERVED UINT64_C(0xffc)
#define HV_PAGE_ADDRESS (~UINT64_C(0xfff)) /* of the registers that place a page */

#define HV_RESET_NOW UINT64_C(1)

#define HV_CRASH_PARAMETER_COUNT 5u
#define HV_CRASH_NOTIFY (UINT64_C(1) << 63)
#define HV_CRASH_MESSAGE (UINT64_C(1) << 62) /* P3 is its address, P4 its length */
#define HV_CRASH_MESSAGE_BYTES_MAX 4096u
