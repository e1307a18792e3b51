/* SPDX-License-Identifier: MIT */
#pragma once

/* A guest interface whose handlers are called as the dispatcher calls them, by VP 0, with bytes of a test's choice. */

#include "lib/hv/calls.h"
#include "tests/hv/guest_rig.h"

struct calls_rig {
    struct guest_rig guest;
    struct vmr_x86_regs regs;
    struct vmr_hv_site site;
    struct vmr_hv_caller caller;
    struct vmr_hv_call call;
    uint8_t input[VMR_PAGE_SIZE], output[VMR_PAGE_SIZE];
    /* What the target was asked. */
    uint64_t interrupted; /* a bit for each VP */
    uint8_t vector;
    struct vmr_msi msi;
    unsigned messages, starts;
    struct vmr_hv_initial start;
    enum vmr_hv_start_end start_end;
    bool deaf; /* nobody takes a message */
};

static inline void calls_rig_interrupt(void *context, vmr_vp_index vp, uint8_t vector, bool auto_eoi)
{
    struct calls_rig *rig = context;

    (void)auto_eoi;
    rig->interrupted |= UINT64_C(1) << vp;
    rig->vector = vector;
}

static inline void calls_rig_wake(void *context, vmr_vp_index vp)
{
    (void)context;
    (void)vp;
}

static inline bool calls_rig_msi(void *context, const struct vmr_msi *msi)
{
    struct calls_rig *rig = context;

    rig->messages++;
    rig->msi = *msi;
    return !rig->deaf;
}

static inline enum vmr_hv_start_end calls_rig_start(void *context, vmr_vp_index vp, vmr_vp_index caller,
                                                    const struct vmr_hv_initial *start)
{
    struct calls_rig *rig = context;

    (void)caller;
    assert_int_equal(vp, 1);
    rig->starts++;
    rig->start = *start;
    return rig->start_end;
}

static inline void calls_rig_flush(void *context, const struct vmr_hv_vp_set *vps, vmr_vp_index caller)
{
    (void)context;
    (void)vps;
    (void)caller;
}

/* 64-bit mode, ring 0, with registers that a processor can hold. */
static inline void calls_rig_regs(struct vmr_x86_regs *ret_regs)
{
    const struct vmr_x86_segment data = {.limit = UINT32_MAX, .selector = 16, .attributes = 0xc093};

    vmr_x86_regs_sipi(ret_regs, 0);
    ret_regs->cs = (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = 8, .attributes = 0xa09b};
    ret_regs->ds = ret_regs->es = ret_regs->fs = ret_regs->gs = ret_regs->ss = data;
    ret_regs->cr0 = 0x80000011;
    ret_regs->cr4 = 0x20;
    ret_regs->efer = 0x500;
    ret_regs->rip = 0x3002;
}

static inline void calls_rig_init(struct calls_rig *rig)
{
    *rig = (struct calls_rig){0};
    guest_rig_prepare(&rig->guest);
    rig->guest.options.target = (struct vmr_hv_target){.interrupt = calls_rig_interrupt,
                                                       .wake = calls_rig_wake,
                                                       .msi = calls_rig_msi,
                                                       .start = calls_rig_start,
                                                       .flush = calls_rig_flush,
                                                       .has_auto_eoi = true,
                                                       .physical_bits = 40,
                                                       .context = rig};
    guest_rig_create(&rig->guest);
    calls_rig_regs(&rig->regs);
    rig->site = (struct vmr_hv_site){.regs = &rig->regs, .instruction_length = 2};
    rig->guest.guest->vps[0].site = &rig->site;
    rig->caller.privileges = rig->guest.guest->privileges;
    rig->call = (struct vmr_hv_call){.caller = &rig->caller, .input = rig->input, .output = rig->output};
    store_le64(rig->input, HV_PARTITION_ID_SELF);
}

static inline void calls_rig_finish(struct calls_rig *rig)
{
    guest_rig_finish(&rig->guest);
}

static inline enum hv_status calls_rig_run(struct calls_rig *rig,
                                           enum hv_status (*run)(void *context, struct vmr_hv_call *call))
{
    rig->call.reps_done = 0;
    rig->interrupted = 0;
    return run(rig->guest.guest, &rig->call);
}
