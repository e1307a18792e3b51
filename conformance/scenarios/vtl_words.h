/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What scenarios of virtual trust levels have in common: where each VTL puts
 * its pages, how it is enabled, and the variables that survive a switch.
 *
 * Variables are shared by the VTLs of a VP, so that one can tell another what
 * it saw. Steps that set up use 0, 1, 6 and 7.
 */

#include <string.h>

#include "conformance/scenarios/hv_words.h"

#define VTL_CODE_PAGE (VMR_PROGRAM_DATA + 0x20000u) /* of VTL 1 and 2: never at once */
#define VTL_ASSIST (VMR_PROGRAM_DATA + 0x21000u)
#define VTL_SIMP (VMR_PROGRAM_DATA + 0x22000u)
#define VTL_CONTEXT (VMR_PROGRAM_DATA + 0x23000u) /* the input of EnableVpVtl, which the host has written */
#define VTL_SECRET (VMR_PROGRAM_DATA + 0x24000u)  /* a page to protect */
#define VTL_OTHER (VMR_PROGRAM_DATA + 0x25000u)   /* another */
#define VTL_LIST (VMR_PROGRAM_DATA + 0x26000u)    /* inputs with lists */
#define VTL_RSP UINT64_C(0x123450)
#define VTL_CR3 UINT64_C(0x7000)
#define VTL_VECTOR 0x51u /* of SINT 0 */

#define REP(count) ((uint64_t)(count) << 32)
#define PAGE_OF(gpa) ((gpa) / VMR_PAGE_SIZE)

/* Five steps: a call in memory form that must give `x`. */
#define VTL_EXPECT_CALL(page, control, input, x)                                                                       \
    VMR_SET(0, input), VMR_SET(1, HV_OUTPUT), VMR_HV_CALL(6, page, control), HV_NO_FAULT(), VMR_EXPECT(6, x)

/* Seven steps each. */
#define VTL_ENABLE(page, vtl, x)                                                                                       \
    VMR_STORE(HV_INPUT, 8, UINT64_MAX), VMR_STORE(HV_INPUT + 8, 8, vtl),                                               \
        VTL_EXPECT_CALL(page, HV_CALL_ENABLE_PARTITION_VTL, HV_INPUT, x)
#define VTL_ENABLE_VP(page, vp, vtl, x)                                                                                \
    VMR_STORE(VTL_CONTEXT, 8, UINT64_MAX), VMR_STORE(VTL_CONTEXT + 8, 8, (uint64_t)(vp) | (uint64_t)(vtl) << 32),      \
        VTL_EXPECT_CALL(page, HV_CALL_ENABLE_VP_VTL, VTL_CONTEXT, x)

/* Two steps each: a VTL opens its hypercall page; the page there is the VTL's own. */
#define VTL_OPEN() VMR_WRMSR(HV_MSR_GUEST_OS_ID, HV_OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, VTL_CODE_PAGE | 1u)
/* Four steps: SINT 0 of the VTL can receive. */
#define VTL_LISTEN()                                                                                                   \
    VMR_WRMSR(HV_MSR_SIMP, VTL_SIMP | 1u), VMR_WRMSR(HV_MSR_SCONTROL, 1), VMR_WRMSR(HV_MSR_SINT0, VTL_VECTOR),         \
        VMR_WRMSR(HV_MSR_VP_ASSIST_PAGE, VTL_ASSIST | 1u)

/* Nine steps: what `target` may do with one page. */
#define VTL_PROTECT(page, target, gpa, access, x)                                                                      \
    VMR_STORE(VTL_LIST, 8, UINT64_MAX),                                                                                \
        VMR_STORE(VTL_LIST + 8, 8, (uint64_t)(access) | (uint64_t)(HV_INPUT_VTL_USE_TARGET | (target)) << 32),         \
        VMR_STORE(VTL_LIST + 16, 8, PAGE_OF(gpa)),                                                                     \
        VTL_EXPECT_CALL(page, HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(1), VTL_LIST, x)

#define VTL_NOTHING 0u
#define VTL_READ HV_MAP_GPA_READABLE
#define VTL_ALL HV_MAP_GPA_PERMISSIONS_ALL

/* Both VTLs of VP 0: VTL 1 is enabled and called. Steps of VTL 0: 17. */
#define VTL_BEGIN()                                                                                                    \
    HV_OPEN(), VTL_ENABLE(HV_CODE_PAGE, 1, 0), VTL_ENABLE_VP(HV_CODE_PAGE, HV_VP_INDEX_SELF, 1, 0),                    \
        VMR_VTL_CALL(HV_CODE_PAGE)

static inline void vtl_put(uint8_t *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Writes a 64-bit context, with RSP and CR3 of its own, behind the header that the guest fills in. */
static inline bool vtl_write_context(struct conf_vm *vm)
{
    uint8_t context[HV_INITIAL_CONTEXT_BYTES] = {0};

    vtl_put(context + HV_INITIAL_RIP, 0x1000);
    vtl_put(context + HV_INITIAL_RSP, VTL_RSP);
    vtl_put(context + HV_INITIAL_RFLAGS, 2);
    for (unsigned i = 0; i < 8; i++) {
        uint8_t *segment = context + HV_INITIAL_SEGMENTS + (size_t)i * HV_SEGMENT_BYTES;

        vtl_put(segment + 8, UINT32_MAX | (uint64_t)(i == 0 ? 0xa09b : 0xc093) << 48);
    }
    vtl_put(context + HV_INITIAL_EFER, 0x500);
    vtl_put(context + HV_INITIAL_CR0, 0x80000011);
    vtl_put(context + HV_INITIAL_CR3, VTL_CR3);
    vtl_put(context + HV_INITIAL_CR4, 0x20);
    vtl_put(context + HV_INITIAL_PAT, UINT64_C(0x0007040600070406));
    if (vmr_memory_write(vm->memory, VTL_CONTEXT + 16, context, sizeof(context)) == VMR_OK)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "the context's page is not in RAM");
    return false;
}

/* A VM whose VP 0 has a program for VTL 0, from which it begins, and one for VTL 1. NULL: failed. */
static inline struct conf_vm *vtl_vm(struct conf *conf, const struct vmr_program *vtl0, const struct vmr_program *vtl1)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    struct conf_vm *vm = conf_vm_create(conf, &options);

    if (!vm || !vtl_write_context(vm) || !conf_load(vm, 0, vtl0) || (vtl1 && !conf_load_vtl(vm, 0, VMR_VTL1, vtl1)) ||
        !conf_bind(vm, 0))
        return NULL;
    return vm;
}

/* Runs both until one of them ends. False: failed. */
static inline bool vtl_run(struct conf *conf, const struct vmr_program *vtl0, const struct vmr_program *vtl1)
{
    struct conf_vm *vm = vtl_vm(conf, vtl0, vtl1);

    return vm && conf_run_to_end(vm, 0);
}

static const struct vmr_hv_vtl2_config vtl2_plain = {.late_map = NULL};
static const struct vmr_hv_config hv_vtl2 = {.vtl2 = &vtl2_plain};

/* A VM that begins in VTL 2, with a program for it and, optionally, one for VTL 0. NULL: failed. */
static inline struct conf_vm *vtl2_vm(struct conf *conf, const struct conf_vm_options *options,
                                      const struct vmr_program *vtl2, const struct vmr_program *vtl0)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    if (!vm || !vtl_write_context(vm) || !conf_load(vm, 0, vtl2) || (vtl0 && !conf_load_vtl(vm, 0, VMR_VTL0, vtl0)))
        return NULL;
    return vm;
}

/* What becomes of a partition without RAM that is configured so; none is left. */
static inline enum vmr_status vtl_try(struct conf *conf, const struct vmr_hv_config *hv, uint64_t alias,
                                      struct vmr_error *err)
{
    const struct vmr_proto_options proto_options = {.host = conf->host, .hv = hv};
    struct vmr_partition_options options = {.vtl0_alias_map = alias};
    struct vmr_partition *partition = NULL;
    struct vmr_proto *proto = NULL;
    enum vmr_status status = vmr_memory_create(conf->host, &options.memory, err);

    if (!status)
        status = vmr_proto_create(conf->handle, &proto_options, &proto, err);
    if (!status)
        status = vmr_proto_build(&proto, &options, &partition, err);
    vmr_proto_destroy(proto);
    if (vmr_partition_destroy(partition))
        conf_fail(conf, __FILE__, __LINE__, "the partition stays");
    vmr_memory_destroy(options.memory);
    return status;
}

#define VTL_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT) | CONF_CAP(VTL) | CONF_CAP(EXCEPTION))
