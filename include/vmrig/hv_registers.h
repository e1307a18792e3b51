/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers of the registers of a VP as hypercalls name them, under the names of
 * the specification (TLFS, HV_REGISTER_NAME), and the forms of their values.
 * Only facts. A name that is not here is one that the library does not know.
 */

#include "vmrig/types.h"

/* --- names --- */

/* What CPUID says: EAX, EBX, ECX, EDX of a leaf, 16 bytes. Read only. */
#define HV_REGISTER_HYPERVISOR_VERSION 0x00000100u
#define HV_REGISTER_PRIVILEGES_AND_FEATURES 0x00000200u
#define HV_REGISTER_FEATURES 0x00000201u
#define HV_REGISTER_IMPLEMENTATION_LIMITS 0x00000202u
#define HV_REGISTER_HARDWARE_FEATURES 0x00000203u

/* MSRs by another name. */
#define HV_REGISTER_CRASH_P0 0x00000210u /* and four more, then the control register */
#define HV_REGISTER_CRASH_CTL 0x00000215u
#define HV_REGISTER_PROCESSOR_CLOCK_FREQUENCY 0x00000240u
#define HV_REGISTER_INTERRUPT_CLOCK_FREQUENCY 0x00000241u
#define HV_REGISTER_HYPERCALL 0x00090001u
#define HV_REGISTER_GUEST_OS_ID 0x00090002u
#define HV_REGISTER_VP_INDEX 0x00090003u
#define HV_REGISTER_TIME_REF_COUNT 0x00090004u
#define HV_REGISTER_EOI 0x00090010u
#define HV_REGISTER_ICR 0x00090011u
#define HV_REGISTER_TPR 0x00090012u
#define HV_REGISTER_VP_ASSIST_PAGE 0x00090013u
#define HV_REGISTER_REFERENCE_TSC 0x00090017u
#define HV_REGISTER_SINT0 0x000a0000u /* and 15 more */
#define HV_REGISTER_SCONTROL 0x000a0010u
#define HV_REGISTER_SVERSION 0x000a0011u
#define HV_REGISTER_SIEFP 0x000a0012u
#define HV_REGISTER_SIMP 0x000a0013u
#define HV_REGISTER_EOM 0x000a0014u
#define HV_REGISTER_STIMER0_CONFIG 0x000b0000u /* config and count of four timers, in turn */

/* The processor's. */
#define HV_REGISTER_RAX 0x00020000u /* and 15 more, in the order of the instruction encoding */
#define HV_REGISTER_RIP 0x00020010u
#define HV_REGISTER_RFLAGS 0x00020011u
#define HV_REGISTER_CR0 0x00040000u
#define HV_REGISTER_CR2 0x00040001u
#define HV_REGISTER_CR3 0x00040002u
#define HV_REGISTER_CR4 0x00040003u
#define HV_REGISTER_CR8 0x00040004u
#define HV_REGISTER_ES 0x00060000u /* 16 bytes, as below */
#define HV_REGISTER_CS 0x00060001u
#define HV_REGISTER_SS 0x00060002u
#define HV_REGISTER_DS 0x00060003u
#define HV_REGISTER_FS 0x00060004u
#define HV_REGISTER_GS 0x00060005u
#define HV_REGISTER_LDTR 0x00060006u
#define HV_REGISTER_TR 0x00060007u
#define HV_REGISTER_IDTR 0x00070000u /* 16 bytes, as below */
#define HV_REGISTER_GDTR 0x00070001u
#define HV_REGISTER_EFER 0x00080001u
#define HV_REGISTER_APIC_BASE 0x00080003u

/* --- values --- */

#define HV_REGISTER_VALUE_BYTES 16u

#define HV_SEGMENT_BASE_OFFSET 0u        /* 8 bytes */
#define HV_SEGMENT_LIMIT_OFFSET 8u       /* 4 */
#define HV_SEGMENT_SELECTOR_OFFSET 12u   /* 2 */
#define HV_SEGMENT_ATTRIBUTES_OFFSET 14u /* 2; as in struct vmr_x86_segment */

#define HV_TABLE_LIMIT_OFFSET 6u /* 2; 6 bytes before it are padding */
#define HV_TABLE_BASE_OFFSET 8u  /* 8 */
