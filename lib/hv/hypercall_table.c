/* SPDX-License-Identifier: MIT */
/*
 * What the dispatcher knows of each call: its form, its sizes, and what a
 * partition must be allowed. Sorted by code.
 *
 * Calls that only look up or flush need no privilege. The specification names
 * one for most of the others; those that only a higher VTL makes need the one
 * for VTLs here. What a call's fields may hold is its handler's to check.
 */

#include "lib/hv/hypercall_table.h"

#define SIMPLE VMR_HV_CALL_SIMPLE
#define REP VMR_HV_CALL_REP
#define VTL_SWITCH VMR_HV_CALL_VTL_SWITCH

#define VARIABLE true
#define FIXED false

/* The same sizes for every caller. */
#define SIZES(...) .x86 = {__VA_ARGS__}, .arm64 = {__VA_ARGS__}

/* The columns are the point. Sizes: fixed input, element of input, element of output, fixed output. */
/* clang-format off */
static const struct vmr_hv_call_definition definitions[] = {
    {"FlushVirtualAddressSpace", HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
     SIMPLE,     FIXED,    false, 0,                             SIZES(24, 0, 0, 0)},
    {"FlushVirtualAddressList", HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST,
     REP,        FIXED,    false, 0,                             SIZES(24, 8, 0, 0)},
    {"SendSyntheticClusterIpi", HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI,
     SIMPLE,     FIXED,    false, 0,                             SIZES(16, 0, 0, 0)},
    {"ModifyVtlProtectionMask", HV_CALL_MODIFY_VTL_PROTECTION_MASK,
     REP,        FIXED,    false, HV_ACCESS_VSM,                 SIZES(16, 8, 0, 0)},
    {"EnablePartitionVtl", HV_CALL_ENABLE_PARTITION_VTL,
     SIMPLE,     FIXED,    false, HV_ACCESS_VSM,                 SIZES(16, 0, 0, 0)},
    {"EnableVpVtl", HV_CALL_ENABLE_VP_VTL,
     SIMPLE,     FIXED,    false, HV_ACCESS_VSM,                 .x86 = {240, 0, 0, 0}, .arm64 = {88, 0, 0, 0}},
    {"VtlCall", HV_CALL_VTL_CALL,
     VTL_SWITCH, FIXED,    false, HV_ACCESS_VSM,                 SIZES(0, 0, 0, 0)},
    {"VtlReturn", HV_CALL_VTL_RETURN,
     VTL_SWITCH, FIXED,    false, HV_ACCESS_VSM,                 SIZES(0, 0, 0, 0)},
    {"FlushVirtualAddressSpaceEx", HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
     SIMPLE,     VARIABLE, false, 0,                             SIZES(32, 0, 0, 0)},
    {"FlushVirtualAddressListEx", HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
     REP,        VARIABLE, false, 0,                             SIZES(32, 8, 0, 0)},
    {"SendSyntheticClusterIpiEx", HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI_EX,
     SIMPLE,     VARIABLE, false, 0,                             SIZES(24, 0, 0, 0)},
    {"InstallIntercept", HV_CALL_INSTALL_INTERCEPT,
     SIMPLE,     FIXED,    false, HV_ACCESS_VSM,                 SIZES(24, 0, 0, 0)},
    {"GetVpRegisters", HV_CALL_GET_VP_REGISTERS,
     REP,        FIXED,    false, HV_ACCESS_VP_REGISTERS,        SIZES(16, 4, 16, 0)},
    {"SetVpRegisters", HV_CALL_SET_VP_REGISTERS,
     REP,        FIXED,    false, HV_ACCESS_VP_REGISTERS,        SIZES(16, 32, 0, 0)},
    {"TranslateVirtualAddress", HV_CALL_TRANSLATE_VIRTUAL_ADDRESS,
     SIMPLE,     FIXED,    true,  HV_ACCESS_VP_REGISTERS,        .x86 = {32, 0, 0, 16}},
    {"PostMessage", HV_CALL_POST_MESSAGE,
     SIMPLE,     FIXED,    false, HV_POST_MESSAGES,              SIZES(256, 0, 0, 0)},
    {"SignalEvent", HV_CALL_SIGNAL_EVENT,
     SIMPLE,     FIXED,    false, HV_SIGNAL_EVENTS,              SIZES(8, 0, 0, 0)},
    {"RetargetDeviceInterrupt", HV_CALL_RETARGET_DEVICE_INTERRUPT,
     SIMPLE,     VARIABLE, false, 0,                             SIZES(56, 0, 0, 0)},
    {"AssertVirtualInterrupt", HV_CALL_ASSERT_VIRTUAL_INTERRUPT,
     SIMPLE,     FIXED,    false, HV_ACCESS_VSM,                 SIZES(32, 0, 0, 0)},
    {"StartVirtualProcessor", HV_CALL_START_VIRTUAL_PROCESSOR,
     SIMPLE,     FIXED,    false, HV_START_VIRTUAL_PROCESSOR,    .x86 = {240, 0, 0, 0}, .arm64 = {88, 0, 0, 0}},
    {"GetVpIndexFromApicId", HV_CALL_GET_VP_INDEX_FROM_APIC_ID,
     REP,        FIXED,    false, HV_ACCESS_VP_INDEX,            SIZES(16, 4, 4, 0)},
    {"TranslateVirtualAddressEx", HV_CALL_TRANSLATE_VIRTUAL_ADDRESS_EX,
     SIMPLE,     FIXED,    false, HV_ACCESS_VP_REGISTERS,        .x86 = {32, 0, 0, 64}, .arm64 = {32, 0, 0, 16}},
    {"SignalEventDirect", HV_CALL_SIGNAL_EVENT_DIRECT,
     SIMPLE,     FIXED,    false, HV_SIGNAL_EVENTS,              SIZES(16, 0, 0, 8)},
    {"PostMessageDirect", HV_CALL_POST_MESSAGE_DIRECT,
     SIMPLE,     FIXED,    false, HV_POST_MESSAGES,              SIZES(280, 0, 0, 0)},
    {"AcceptGpaPages", HV_CALL_ACCEPT_GPA_PAGES,
     REP,        FIXED,    false, HV_ISOLATION,                  SIZES(24, 8, 0, 0)},
    {"ModifySparseGpaPageHostVisibility", HV_CALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY,
     REP,        FIXED,    false, HV_ISOLATION,                  SIZES(16, 8, 0, 0)},
    {"RestorePartitionTime", HV_CALL_RESTORE_PARTITION_TIME,
     SIMPLE,     FIXED,    false, HV_ACCESS_VSM,                 SIZES(32, 0, 0, 0)},
    {"QuerySparseGpaPageHostVisibility", HV_CALL_QUERY_SPARSE_GPA_PAGE_HOST_VISIBILITY,
     REP,        FIXED,    false, HV_ISOLATION,                  SIZES(8, 8, 1, 0)},
    {"ExtQueryCapabilities", HV_CALL_EXT_QUERY_CAPABILITIES,
     SIMPLE,     FIXED,    false, HV_ENABLE_EXTENDED_HYPERCALLS, SIZES(0, 0, 0, 8)},
    {"VbsVmCallReport", HV_CALL_VBS_VM_CALL_REPORT,
     SIMPLE,     FIXED,    false, HV_ISOLATION,                  SIZES(64, 0, 0, 2048)},
};
/* clang-format on */

#define DEFINITION_COUNT (sizeof(definitions) / sizeof(definitions[0]))

_Static_assert(DEFINITION_COUNT <= VMR_HV_CALL_MAX, "every definition has a place in struct vmr_hv_calls");

size_t hypercall_table_find(uint64_t guest_code)
{
    size_t low = 0, high = DEFINITION_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (definitions[middle].code == guest_code)
            return middle;
        if (definitions[middle].code < guest_code)
            low = middle + 1;
        else
            high = middle;
    }
    return HYPERCALL_NONE;
}

const struct vmr_hv_call_definition *vmr_hv_call_find(uint64_t code)
{
    size_t row = hypercall_table_find(code);

    return row == HYPERCALL_NONE ? NULL : &definitions[row];
}

const struct vmr_hv_call_definition *vmr_hv_call_at(size_t index)
{
    return index < DEFINITION_COUNT ? &definitions[index] : NULL;
}

size_t vmr_hv_call_count(void)
{
    return DEFINITION_COUNT;
}

enum vmr_status vmr_hv_calls_set(struct vmr_hv_calls *calls, uint64_t code, const struct vmr_hv_call_handler *handler)
{
    size_t row = hypercall_table_find(code);

    if (row == HYPERCALL_NONE || definitions[row].kind == VMR_HV_CALL_VTL_SWITCH)
        return VMR_E_USAGE;
    calls->calls[row] = handler ? *handler : (struct vmr_hv_call_handler){0};
    return VMR_OK;
}

void vmr_hv_calls_set_vtl_switch(struct vmr_hv_calls *calls, const struct vmr_hv_vtl_switch_handler *handler)
{
    calls->vtl_switch = handler ? *handler : (struct vmr_hv_vtl_switch_handler){0};
}
