/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of VPs in scenarios: a place for any class, and for each class a
 * value that a processor can hold and that is, in every field that can be
 * driven, another than at power-up.
 */

#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"

union state_box {
    struct vmr_x86_regs registers;
    struct vmr_x86_word_state word;
    struct vmr_x86_xsave_state xsave;
    struct vmr_x86_mtrr_state mtrrs;
    struct vmr_x86_syscall_state syscall;
    struct vmr_x86_mcg_state mcg;
    struct vmr_x86_cet_state cet;
    struct vmr_x86_cet_ss_state cet_ss;
    struct vmr_x86_debug_register_state debug_registers;
    struct vmr_x86_apic_state apic;
    struct vmr_x86_activity_state activity;
    struct vmr_debug_state debug_state;
};

static inline const char *state_name(const struct vmr_state_id *id)
{
    return vmr_vp_class_type((enum vmr_vp_class)id->state_class)->name;
}

/* Whether the hypervisor holds the class; else the scenario is skipped for that reason. */
static inline bool state_is_held(struct conf *conf, enum vmr_vp_class vp_class)
{
    if (conf->caps.vp_classes >> vp_class & 1)
        return true;
    conf_skip(conf, "the hypervisor does not give class '%s' away", vmr_vp_class_type(vp_class)->name);
    return false;
}

/* The Hyper-V interface's have scenarios of their own (hv_state.c), and do not fit a box. */
static inline bool state_is_hv(const struct vmr_state_id *id)
{
    return id->state_class == VMR_VP_VTLS || id->state_class > VMR_VP_DEBUG_STATE;
}

static inline bool state_get(struct conf *conf, struct vmr_vp *vp, const struct vmr_state_id *id, union state_box *box)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status;

    memset(box, 0, sizeof(*box));
    status = vmr_vp_state_get(vp, id, box, &err);
    CONF_CHECK(conf, status == VMR_OK, "reading '%s': %s", state_name(id), err.message);
    return status == VMR_OK;
}

static inline bool state_set(struct conf *conf, struct vmr_vp *vp, const struct vmr_state_id *id,
                             const union state_box *box)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = vmr_vp_state_set(vp, id, box, &err);

    CONF_CHECK(conf, status == VMR_OK, "writing '%s': %s", state_name(id), err.message);
    return status == VMR_OK;
}

static inline bool state_is(struct conf *conf, const struct vmr_state_id *id, const union state_box *got,
                            const union state_box *want, const char *what)
{
    struct vmr_state_difference difference;
    const struct vmr_state_type *type = vmr_vp_class_type((enum vmr_vp_class)id->state_class);

    if (vmr_state_equal(type, got, want, false, &difference))
        return conf_judge(conf, true);
    conf_fail(conf, __FILE__, __LINE__, "%s: VTL %u: %s.%s[%u] is %#llx, not %#llx", what, id->vtl, type->name,
              difference.field->name, difference.element, (unsigned long long)difference.left,
              (unsigned long long)difference.right);
    return false;
}

/* --- values that processors hold --- */

#define SAMPLE_ATTRIBUTES_CODE 0xa09bu
#define SAMPLE_ATTRIBUTES_DATA 0xc093u

static inline struct vmr_x86_segment sample_segment(uint16_t selector, uint16_t attributes)
{
    return (struct vmr_x86_segment){
        .base = UINT64_C(0x1000) * selector, .limit = UINT32_MAX, .selector = selector, .attributes = attributes};
}

/* 64-bit mode, at an address of the program's code; `now` says what is the hypervisor's to decide. */
static inline void sample_registers(const struct vmr_x86_regs *now, struct vmr_x86_regs *ret_regs)
{
    *ret_regs = (struct vmr_x86_regs){.rip = VMR_MOCK_STEP_BASE + 3 * VMR_MOCK_STEP_BYTES,
                                      .rflags = 0xc6,
                                      .cs = sample_segment(0x8, SAMPLE_ATTRIBUTES_CODE),
                                      .ds = sample_segment(0x10, SAMPLE_ATTRIBUTES_DATA),
                                      .es = sample_segment(0x18, SAMPLE_ATTRIBUTES_DATA),
                                      .fs = sample_segment(0x20, SAMPLE_ATTRIBUTES_DATA),
                                      .gs = sample_segment(0x28, SAMPLE_ATTRIBUTES_DATA),
                                      .ss = sample_segment(0x30, SAMPLE_ATTRIBUTES_DATA),
                                      .tr = {.base = 0x5000, .limit = 0x67, .selector = 0x38, .attributes = 0x8b},
                                      .ldtr = {.base = 0x6000, .limit = 0xff, .selector = 0x48, .attributes = 0x82},
                                      .gdtr = {.base = 0x3000, .limit = 0x7f},
                                      .idtr = {.base = 0x4000, .limit = 0xfef},
                                      .cr0 = 0x80010031,
                                      .cr2 = 0x1234567000,
                                      .cr3 = 0x9000,
                                      .cr4 = 0x620,
                                      .cr8 = 5,
                                      .efer = 0xd01,
                                      .apic_base = now->apic_base};
    ret_regs->cs.base = 0;
    for (unsigned i = 0; i < VMR_X86_GPR_COUNT; i++)
        ret_regs->gpr[i] = UINT64_C(0x1111111111111111) * (i + 1) ^ UINT64_C(0x8000);
}

#define STATE_CPUID_XSAVE (UINT32_C(1) << 26) /* leaf 1, ECX */

/* Where the guest has AVX: behind the header, as in every processor (Intel SDM vol. 1, 13.5.2). */
static inline bool state_has_avx(struct conf *conf)
{
    struct vmr_cpuid_entry features, avx;

    return conf_cpuid(conf, 1, 0, &features) && (features.ecx & STATE_CPUID_XSAVE) != 0 &&
           conf_cpuid(conf, 0xd, 2, &avx) && avx.eax == 256 && avx.ebx == 576;
}

/* The x87, SSE and, if `avx`, AVX components in use. */
static inline void sample_xsave(bool avx, const union state_box *now, struct vmr_x86_xsave_state *ret_state)
{
    *ret_state = now->xsave;
    ret_state->length = avx ? 832 : 576;
    ret_state->bytes[512] = avx ? 7 : 3;
    ret_state->bytes[0] = 0x7f; /* FCW */
    ret_state->bytes[1] = 0x02;
    ret_state->bytes[25] = 0x3f; /* MXCSR, another rounding */
    for (uint32_t i = 0; i < 8; i++)
        ret_state->bytes[32 + 16 * i] = (uint8_t)(0x10 + i); /* ST0 to ST7 */
    for (uint32_t i = 160; i < 416; i++)
        ret_state->bytes[i] = (uint8_t)(i + 1) | 1;
    for (uint32_t i = 576; i < ret_state->length; i++)
        ret_state->bytes[i] = (uint8_t)(i + 2) | 1;
}

static inline void sample_mtrrs(struct vmr_x86_mtrr_state *ret_state)
{
    ret_state->default_type = 0xc06;
    for (unsigned i = 0; i < 11; i++)
        ret_state->fixed[i] = UINT64_C(0x0606060606060600) | (i % 2 ? 5 : 4);
    for (uint64_t i = 0; i < 8; i++) {
        ret_state->variable[2 * i] = i << 24 | (i % 2 ? 6 : 1);
        ret_state->variable[2 * i + 1] = UINT64_C(0xfff000800) | i << 24;
    }
}

/* Enabled, with its timer by deadline, something in service and something requested. */
static inline void sample_apic(struct vmr_x86_apic_state *state)
{
    uint8_t *page = state->page;

    page[0x80] = 0x50; /* TPR */
    page[0xa0] = 0x50; /* PPR, which follows */
    page[0xd3] = 0x02; /* LDR */
    page[0xf0] = 0xff;
    page[0xf1] = 0x01;
    page[0x120] = 0x02; /* in service: 0x41 */
    page[0x220] = 0x04; /* requested: 0x42 */
    page[0x301] = 0x08; /* ICR: logical */
    page[0x313] = 0x03;
    page[0x320] = 0x33; /* timer: TSC deadline, vector 0x33 */
    page[0x322] = 0x04;
    page[0x350] = 0x55; /* LINT0: fixed */
    page[0x351] = page[0x352] = 0;
    page[0x370] = 0xfe;
    page[0x372] = 0;
    page[0x3e0] = 0x0b;
}

static inline void sample_word(enum vmr_vp_class vp_class, const union state_box *now, struct vmr_x86_word_state *word)
{
    static const uint64_t values[VMR_VP_CLASS_COUNT] = {
        [VMR_VP_XCR0] = 7,
        [VMR_VP_XSS] = 0x800,
        [VMR_VP_PAT] = UINT64_C(0x0406050100070106),
        [VMR_VP_SPEC_CTRL] = 1,
        [VMR_VP_TSC_AUX] = 0x1234,
        [VMR_VP_TSC_ADJUST] = 0x100000,
        [VMR_VP_TSC] = UINT64_C(0x123456789abc),
        [VMR_VP_TSC_DEADLINE] = UINT64_C(0x00ffffff00000000),
        [VMR_VP_FEATURE_CONTROL] = 5,
    };

    word->value = vp_class == VMR_VP_MISC_ENABLE ? now->word.value ^ 1 : values[vp_class];
}

static inline void sample_activity(struct vmr_x86_activity_state *state)
{
    state->activity = VMR_ACTIVITY_HALTED;
    state->nmi_pending = true;
    state->nmi_masked = true;
}

/* IA32_MCG_CTL is there only with MCG_CTL_P (Intel SDM vol. 3, 16.3.1.1). */
static inline bool has_mcg_ctl(const struct vmr_x86_mcg_state *mcg)
{
    return (mcg->cap & 0x100) != 0;
}

/* Long because it is a table. `now`: what the VP holds. */
static inline void state_sample(struct conf *conf, enum vmr_vp_class vp_class, const union state_box *now,
                                union state_box *ret_box)
{
    *ret_box = *now;
    if (vp_class == VMR_VP_REGISTERS) {
        sample_registers(&now->registers, &ret_box->registers);
    } else if (vp_class == VMR_VP_XSAVE) {
        sample_xsave(state_has_avx(conf), now, &ret_box->xsave);
    } else if (vp_class == VMR_VP_MTRRS) {
        sample_mtrrs(&ret_box->mtrrs);
    } else if (vp_class == VMR_VP_SYSCALL) {
        ret_box->syscall = (struct vmr_x86_syscall_state){0x8,    0x1000, 0x2000, UINT64_C(0x0023001000000000),
                                                          0x3000, 0x4000, 0x700,  0x5000};
    } else if (vp_class == VMR_VP_MCG) {
        ret_box->mcg.status = 4;
        if (has_mcg_ctl(&now->mcg))
            ret_box->mcg.ctl = UINT64_MAX;
    } else if (vp_class == VMR_VP_CET) {
        ret_box->cet = (struct vmr_x86_cet_state){.u_cet = 1, .s_cet = 2};
    } else if (vp_class == VMR_VP_CET_SS) {
        ret_box->cet_ss = (struct vmr_x86_cet_ss_state){0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000};
    } else if (vp_class == VMR_VP_DEBUG_REGISTERS) {
        ret_box->debug_registers = (struct vmr_x86_debug_register_state){
            .address = {0x1001, 0x2002, 0x3003, 0x4004}, .dr6 = 0xffff0ff1, .dr7 = 0x455};
    } else if (vp_class == VMR_VP_APIC) {
        sample_apic(&ret_box->apic);
    } else if (vp_class == VMR_VP_ACTIVITY) {
        sample_activity(&ret_box->activity);
    } else if (vp_class == VMR_VP_DEBUG_STATE) {
        ret_box->debug_state.single_step = true;
        for (unsigned i = 0; i < VMR_X86_BREAKPOINT_COUNT; i++)
            ret_box->debug_state.breakpoints[i] = (struct vmr_breakpoint){
                .enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = 0x100000u + 8u * i};
    } else {
        sample_word(vp_class, now, &ret_box->word);
    }
}

/* Puts every class of a VP away from power-up, in declared order. False: failed. */
static inline bool state_drive(struct conf *conf, struct vmr_vp *vp)
{
    union state_box *boxes = calloc(2, sizeof(*boxes));
    bool driven = boxes != NULL;

    for (struct vmr_state_id id = {0}; driven && vmr_vp_state_find(vp, &id); id.instance++) {
        if (state_is_hv(&id))
            continue;
        driven = state_get(conf, vp, &id, &boxes[0]);
        state_sample(conf, (enum vmr_vp_class)id.state_class, &boxes[0], &boxes[1]);
        driven = driven && state_set(conf, vp, &id, &boxes[1]);
    }
    free(boxes);
    return driven;
}
