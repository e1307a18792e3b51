/* SPDX-License-Identifier: MIT */
#pragma once

/* A guest interface with RAM in pages 0 to 15, over a partition that writes down what it is asked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/bytes.h"
#include "lib/hv/guest.h"
#include "lib/memory/memory.h"
#include "tests/support/fake_host.h"

#define PAGE UINT64_C(4096)
#define OS_ID UINT64_C(0x8100000000000001)
#define GUEST_VPS 2u
#define GUEST_PAGES 16u

struct guest_rig {
    struct fake_host fake;
    struct vmr_memory *memory;
    struct vmr_hv_guest_options options;
    struct vmr_hv_guest *guest;
    unsigned interrupts, wakes, xmm_reads, xmm_writes;
    uint8_t vector;
    bool auto_eoi, xmm_fails;
    struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT];
    bool protect_fails;
    uint8_t access[VMR_VTL_COUNT][GUEST_PAGES]; /* what the backend was told */
};

static inline void guest_rig_interrupt(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi)
{
    struct guest_rig *rig = context;

    (void)vp;
    rig->interrupts++;
    rig->vector = vector;
    rig->auto_eoi = auto_eoi;
}

static inline void guest_rig_wake(void *context, vmr_vp_index vp)
{
    (void)vp;
    ((struct guest_rig *)context)->wakes++;
}

static inline bool guest_rig_get_xmm(void *context, vmr_vp_index vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    struct guest_rig *rig = context;

    (void)vp;
    rig->xmm_reads++;
    memcpy(ret_xmm, rig->xmm, sizeof(rig->xmm));
    return !rig->xmm_fails;
}

static inline bool guest_rig_set_xmm(void *context, vmr_vp_index vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    struct guest_rig *rig = context;

    (void)vp;
    rig->xmm_writes++;
    memcpy(rig->xmm, xmm, sizeof(rig->xmm));
    return !rig->xmm_fails;
}

/* Everything but the guest, so that a test can change the options first. */
static inline void guest_rig_prepare(struct guest_rig *rig)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = GUEST_PAGES * PAGE};

    *rig = (struct guest_rig){0};
    fake_host_init(&rig->fake, 1000);
    assert_int_equal(vmr_memory_create(&rig->fake.host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &ram, NULL), VMR_OK);
    rig->options = (struct vmr_hv_guest_options){.host = &rig->fake.host,
                                                 .memory = rig->memory,
                                                 .vp_count = GUEST_VPS,
                                                 .target = {.interrupt = guest_rig_interrupt,
                                                            .wake = guest_rig_wake,
                                                            .get_xmm = guest_rig_get_xmm,
                                                            .set_xmm = guest_rig_set_xmm,
                                                            .has_auto_eoi = true,
                                                            .context = rig}};
}

static inline void guest_rig_create(struct guest_rig *rig)
{
    assert_int_equal(vmr_hv_guest_create(&rig->options, &rig->guest, NULL), VMR_OK);
}

static inline void guest_rig_init(struct guest_rig *rig)
{
    guest_rig_prepare(rig);
    guest_rig_create(rig);
}

static inline void guest_rig_finish(struct guest_rig *rig)
{
    vmr_hv_guest_destroy(rig->guest);
    vmr_memory_destroy(rig->memory);
}

/* --- with VTLs --- */

static inline bool guest_rig_protect(void *context, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    struct guest_rig *rig = context;

    if (rig->protect_fails)
        return false;
    assert_true(vtl < VMR_VTL_COUNT && gpa / PAGE + size / PAGE <= GUEST_PAGES);
    memset(rig->access[vtl] + gpa / PAGE, access, size / PAGE);
    return true;
}

/* `vtl2` NULL: the guest may enable VTL 1. */
static inline void guest_rig_init_vtls(struct guest_rig *rig, const struct vmr_hv_vtl2_config *vtl2,
                                       enum vmr_isolation isolation)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = GUEST_PAGES * PAGE};

    guest_rig_prepare(rig);
    memset(rig->access, HV_MAP_GPA_PERMISSIONS_ALL, sizeof(rig->access));
    rig->options.target.protect = guest_rig_protect;
    rig->options.config.vtl2 = vtl2;
    rig->options.config.isolation = isolation;
    guest_rig_create(rig);
    assert_int_equal(vmr_hv_guest_region_added(rig->guest, &ram, NULL), VMR_OK);
}

/* A call in memory form by VP 0 at `vtl`, with its input in page 1 and its output in page 2; the result value. */
static inline uint64_t guest_rig_call(struct guest_rig *rig, uint8_t vtl, uint64_t control, const uint8_t *input,
                                      size_t length)
{
    struct vmr_x86_regs regs = {
        .rip = 0x3002, .cr0 = 1, .efer = 0x500, .cs.attributes = 0xa09b, .ss.attributes = 0xc093};
    struct vmr_hv_site site = {.vtl = vtl, .instruction_length = 2, .regs = &regs};

    regs.gpr[VMR_X86_RCX] = control;
    regs.gpr[VMR_X86_RDX] = PAGE;
    regs.gpr[VMR_X86_R8] = 2 * PAGE;
    assert_int_equal(memory_write_inside(rig->memory, PAGE, input, length), VMR_OK);
    assert_int_equal(vmr_hv_guest_call(rig->guest, &site), VMR_HV_SITE_SERVED);
    return regs.gpr[VMR_X86_RAX];
}

static inline enum vmr_msr_result guest_rig_write(struct guest_rig *rig, uint32_t index, uint64_t value)
{
    return vmr_hv_guest_msr_write(rig->guest, 0, 0, index, value);
}

static inline uint64_t guest_rig_read(struct guest_rig *rig, uint32_t index)
{
    uint64_t value = 0;

    assert_int_equal(vmr_hv_guest_msr_read(rig->guest, 0, 0, index, &value), VMR_MSR_OK);
    return value;
}
