/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers of the synthetic interrupt controller (SynIC), the synthetic timers,
 * the monitor page and the reference time, under the names of the
 * specification (TLFS). Only facts: what the library does with them is in
 * vmrig/synic.h. Messages are in vmrig/hv_spec.h.
 */

#include "vmrig/types.h"

/* --- MSRs (TLFS, Appendix: MSRs) --- */

#define HV_MSR_TIME_REF_COUNT 0x40000020u
#define HV_MSR_REFERENCE_TSC 0x40000021u
#define HV_MSR_SCONTROL 0x40000080u
#define HV_MSR_SVERSION 0x40000081u
#define HV_MSR_SIEFP 0x40000082u
#define HV_MSR_SIMP 0x40000083u
#define HV_MSR_EOM 0x40000084u
#define HV_MSR_SINT0 0x40000090u /* and 15 more */
#define HV_MSR_STIMER0_CONFIG 0x400000b0u
#define HV_MSR_STIMER0_COUNT 0x400000b1u /* config and count of three more follow, in turn */

/* --- registers (TLFS, SynIC Registers) --- */

#define HV_SINT_COUNT 16u
#define HV_SINT_VECTOR_MASK UINT64_C(0xff)
#define HV_SINT_VECTOR_MIN 16u /* below are exceptions */
#define HV_SINT_MASKED (UINT64_C(1) << 16)
#define HV_SINT_AUTO_EOI (UINT64_C(1) << 17)
#define HV_SINT_POLLING (UINT64_C(1) << 18)
#define HV_SINT_PROXY (UINT64_C(1) << 20)

#define HV_SCONTROL_ENABLE UINT64_C(1)
#define HV_SVERSION UINT64_C(1)

/* SIMP, SIEFP and the reference TSC register alike: bits 1 to 11 are reserved. */
#define HV_PAGE_ENABLE UINT64_C(1)
#define HV_PAGE_RESERVED UINT64_C(0xffe)

#define HV_EVENT_FLAG_COUNT 2048u /* for each SINT */
#define HV_EVENT_FLAG_BYTES (HV_EVENT_FLAG_COUNT / 8)

/* --- timers (TLFS, Synthetic Timers) --- */

#define HV_STIMER_COUNT 4u
#define HV_STIMER_ENABLE (UINT64_C(1) << 0)
#define HV_STIMER_PERIODIC (UINT64_C(1) << 1)
#define HV_STIMER_LAZY (UINT64_C(1) << 2)
#define HV_STIMER_AUTO_ENABLE (UINT64_C(1) << 3)
#define HV_STIMER_VECTOR_SHIFT 4 /* eight bits */
#define HV_STIMER_DIRECT (UINT64_C(1) << 12)
#define HV_STIMER_SINT_SHIFT 16 /* four bits */
#define HV_STIMER_DEFINED UINT64_C(0xf1fff)

/* The payload of HV_MESSAGE_TYPE_TIMER_EXPIRED; four bytes after the index are reserved. */
#define HV_TIMER_PAYLOAD_BYTES 24u
#define HV_TIMER_INDEX_OFFSET 0u
#define HV_TIMER_EXPIRATION_OFFSET 8u
#define HV_TIMER_DELIVERY_OFFSET 16u

/* --- the reference TSC page (TLFS, Partition Reference TSC Page) --- */

#define HV_TSC_PAGE_BYTES 24u
#define HV_TSC_SEQUENCE_OFFSET 0u
#define HV_TSC_SCALE_OFFSET 8u
#define HV_TSC_OFFSET_OFFSET 16u
#define HV_TSC_SEQUENCE_INVALID 0u

/* --- the monitor page (TLFS, Monitored Notifications) --- */

#define HV_MONITOR_ID_COUNT 128u
#define HV_MONITOR_GROUP_COUNT 4u
#define HV_MONITOR_GROUP_BITS 32u
#define HV_MONITOR_GROUPS_OFFSET 8u /* {u32 pending, u32 armed} of each group */
#define HV_MONITOR_GROUPS_END 40u
