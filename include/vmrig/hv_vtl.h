/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers of virtual trust levels (VTLs) and of isolated partitions, under the
 * names of the specification (TLFS, Virtual Secure Mode). Only facts: what the
 * library does with them is in vmrig/vtl.h.
 */

#include "vmrig/types.h"

/* --- what may be done with a page: HV_MAP_GPA_FLAGS --- */

#define HV_MAP_GPA_READABLE 0x1u
#define HV_MAP_GPA_WRITABLE 0x2u
#define HV_MAP_GPA_KERNEL_EXECUTABLE 0x4u
#define HV_MAP_GPA_USER_EXECUTABLE 0x8u
#define HV_MAP_GPA_PERMISSIONS_ALL 0xfu

/* --- HV_INPUT_VTL: one byte --- */

#define HV_INPUT_VTL_TARGET_MASK 0x0fu
#define HV_INPUT_VTL_USE_TARGET 0x10u /* else the caller's own */
#define HV_INPUT_VTL_RESERVED 0xe0u

/* --- HV_INITIAL_VP_CONTEXT, x64: what EnableVpVtl and StartVirtualProcessor end with --- */

#define HV_INITIAL_CONTEXT_BYTES 224u
#define HV_INITIAL_RIP 0u
#define HV_INITIAL_RSP 8u
#define HV_INITIAL_RFLAGS 16u
#define HV_INITIAL_SEGMENTS 24u /* 16 bytes each: CS, DS, ES, FS, GS, SS, TR, LDTR */
#define HV_INITIAL_IDTR 152u    /* 16 bytes each: limit at 6, base at 8 */
#define HV_INITIAL_GDTR 168u
#define HV_INITIAL_EFER 184u
#define HV_INITIAL_CR0 192u
#define HV_INITIAL_CR3 200u
#define HV_INITIAL_CR4 208u
#define HV_INITIAL_PAT 216u
/* In a segment register: base at 0, limit at 8, selector at 12, attributes at 14. */
#define HV_SEGMENT_BYTES 16u

/* --- the VTL control in the VP assist page --- */

#define HV_VTL_ENTRY_REASON 8u /* 4 bytes */
#define HV_VTL_ENTRY_CALL 1u
#define HV_VTL_ENTRY_INTERRUPT 2u
#define HV_VTL_RETURN_RAX 16u /* 8 bytes; from a 32-bit VTL: EAX, ECX, EDX, 4 bytes each */
#define HV_VTL_RETURN_RCX 24u

/* --- entries of the hypercall page where there are VTLs --- */

#define HV_PAGE_VTL_CALL_32 0x04u
#define HV_PAGE_VTL_CALL_64 0x0fu
#define HV_PAGE_VTL_RETURN_32 0x1bu
#define HV_PAGE_VTL_RETURN_64 0x26u

/* --- registers, by name (HV_REGISTER_NAME) --- */

#define HV_REGISTER_VSM_CODE_PAGE_OFFSETS 0x000d0002u /* bits 0-11: VTL call; 12-23: VTL return */
#define HV_REGISTER_VSM_VP_STATUS 0x000d0003u         /* bits 0-3: active VTL; 16-31: enabled VTLs, a bit each */
#define HV_REGISTER_VSM_PARTITION_STATUS 0x000d0004u  /* bits 0-15: enabled VTLs; 16-19: the highest possible */
#define HV_REGISTER_VSM_CAPABILITIES 0x000d0006u

/* --- the intercept message of a memory access, x64: 80 bytes of payload --- */

#define HV_INTERCEPT_BYTES 80u
#define HV_INTERCEPT_VP 0u              /* 4 bytes */
#define HV_INTERCEPT_LENGTH_AND_CR8 4u  /* 1 byte: bits 0-3 instruction length, 4-7 CR8 */
#define HV_INTERCEPT_ACCESS_TYPE 5u     /* 1 byte */
#define HV_INTERCEPT_EXECUTION_STATE 6u /* 2 bytes: 0-1 CPL, 2 CR0.PE, 3 CR0.AM, 4 EFER.LMA, 7-10 VTL */
#define HV_INTERCEPT_CS 8u              /* a segment register */
#define HV_INTERCEPT_RIP 24u
#define HV_INTERCEPT_RFLAGS 32u
#define HV_INTERCEPT_CACHE_TYPE 40u /* 4 bytes */
#define HV_INTERCEPT_GPA 56u
#define HV_INTERCEPT_READ 0u
#define HV_INTERCEPT_WRITE 1u
#define HV_INTERCEPT_EXECUTE 2u
#define HV_CACHE_TYPE_WRITE_BACK 6u

/* --- isolated partitions --- */

#define HV_PARTITION_ISOLATION_NONE 0u
#define HV_PARTITION_ISOLATION_VBS 1u
#define HV_PARTITION_ISOLATION_SNP 2u
#define HV_PARTITION_ISOLATION_TDX 3u

#define HV_CPUID_ISOLATION 0x4000000cu            /* EBX bits 0-3: the type */
#define HV_ISOLATION_PARAVISOR (UINT32_C(1) << 0) /* EAX: software at VTL 2 stands between guest and host */

#define HV_VISIBILITY_PRIVATE 0u
#define HV_VISIBILITY_SHARED 3u

/* AcceptGpaPages: bits 0-5 memory type, 6-7 visibility, 8-10 the VTLs whose permissions follow. */
#define HV_ACCEPT_MEMORY_TYPE_MASK 0x3fu
#define HV_ACCEPT_MEMORY_ANY 0u
#define HV_ACCEPT_MEMORY_RAM 1u
#define HV_ACCEPT_VISIBILITY_SHIFT 6
#define HV_ACCEPT_VTL_SET_SHIFT 8
#define HV_ACCEPT_RESERVED UINT32_C(0xfffff800)
