/* SPDX-License-Identifier: MIT */
/*
 * The mock's VPs as states, class by class. All of it is what guests see or
 * change: there is no other copy. What no processor holds is refused, and what this one does not.
 */

#include <string.h>

#include "backends/mock/chip.h"
#include "backends/mock/program.h"
#include "backends/mock/vtl.h"
#include "lib/base/bytes.h"

#define EFER_KNOWN UINT64_C(0xd01) /* SCE, LME, LMA, NXE */

#define XSAVE_MXCSR 24u
#define XSAVE_XMM 160u
#define XSAVE_BV 512u
#define XSAVE_AVX 576u
#define XSTATE_SSE UINT64_C(2)
#define MXCSR_RESET 0x1f80u

/* --- what goes wrong on demand --- */

static enum vmr_status state_fault(const struct vmr_backend_vm *vm, enum vmr_mock_fault fault, const char *call,
                                   struct vmr_error *err)
{
    if (fault_hits(vm->hypervisor, fault))
        return vmr_error_set(err, VMR_E_HOST, "mock: %s failed, as it was told to", call);
    return fault_call(vm->hypervisor, call, err);
}

/* --- registers --- */

static void get_registers(struct vmr_backend_vp *vp, uint8_t vtl, struct vmr_x86_regs *ret_regs)
{
    vtl_get_regs(vp, vtl, ret_regs);
    if (vp->vm->chip)
        ret_regs->cr8 = chip_read_cr8(vp);
}

static enum vmr_status set_registers(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *regs,
                                     struct vmr_error *err)
{
    if ((regs->efer & ~EFER_KNOWN) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "registers: efer: this processor does not hold %#llx",
                             (unsigned long long)regs->efer);
    if (vtl == vp->vtl)
        vp_put_regs(vp, regs);
    else
        vtl_put_regs(vp, vtl, regs);
    return VMR_OK;
}

/* --- vector registers --- */

void xsave_reset(struct vmr_backend_vp *vp)
{
    memset(vp->xsave, 0, sizeof(vp->xsave));
    store_le32(vp->xsave + XSAVE_MXCSR, MXCSR_RESET);
}

uint64_t xmm_word(const struct vmr_backend_vp *vp, unsigned word)
{
    return load_le64(vp->xsave + XSAVE_XMM + 8u * word);
}

void xmm_set_word(struct vmr_backend_vp *vp, unsigned word, uint64_t value)
{
    uint64_t in_use = load_le64(vp->xsave + XSAVE_BV);

    if (value != xmm_word(vp, word))
        store_le64(vp->xsave + XSAVE_BV, in_use | XSTATE_SSE);
    store_le64(vp->xsave + XSAVE_XMM + 8u * word, value);
}

static const struct vmr_x86_xsave_layout layout = {.part[2] = {XSAVE_AVX, MOCK_XSAVE_BYTES - XSAVE_AVX}};

static void get_xsave(const struct vmr_backend_vp *vp, struct vmr_x86_xsave_state *ret_state)
{
    uint8_t area[VMR_X86_XSAVE_MAX] = {0};

    memcpy(area, vp->xsave, sizeof(vp->xsave));
    vmr_x86_xsave_normalise(&layout, area, ret_state);
}

static enum vmr_status set_xsave(struct vmr_backend_vp *vp, const struct vmr_x86_xsave_state *state,
                                 struct vmr_error *err)
{
    enum vmr_status status = vmr_x86_xsave_check(&layout, state, err);

    if (!status)
        memcpy(vp->xsave, state->bytes, sizeof(vp->xsave));
    return status;
}

/* --- registers of one word --- */

/* The words of a class, which is a struct of nothing else, in its order. */
static const uint32_t mtrrs[] = {0x2ff, 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d,
                                 0x26e, 0x26f, 0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
                                 0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f};
static const uint32_t syscalls[] = {0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102};
static const uint32_t mcg[] = {0x179, 0x17a, 0x17b};
static const uint32_t cet[] = {0x6a0, 0x6a2};
static const uint32_t cet_ss[] = {MOCK_REG_SSP, 0x6a4, 0x6a5, 0x6a6, 0x6a7, 0x6a8};
static const uint32_t debug_registers[] = {MOCK_REG_DR,     MOCK_REG_DR + 1, MOCK_REG_DR + 2,
                                           MOCK_REG_DR + 3, MOCK_REG_DR6,    MOCK_REG_DR7};
static const uint32_t xcr0[] = {MOCK_REG_XCR0};
static const uint32_t xss[] = {0xda0};
static const uint32_t pat[] = {0x277};
static const uint32_t misc_enable[] = {0x1a0};
static const uint32_t feature_control[] = {0x3a};
static const uint32_t spec_ctrl[] = {0x48};
static const uint32_t tsc_aux[] = {0xc0000103};

#define WORDS(vp_class, list) [vp_class] = {(list), sizeof(list) / sizeof((list)[0])}
static const struct {
    const uint32_t *indices;
    uint32_t count;
} words[VMR_VP_CLASS_COUNT] = {
    WORDS(VMR_VP_XCR0, xcr0),
    WORDS(VMR_VP_XSS, xss),
    WORDS(VMR_VP_MTRRS, mtrrs),
    WORDS(VMR_VP_PAT, pat),
    WORDS(VMR_VP_SYSCALL, syscalls),
    WORDS(VMR_VP_MISC_ENABLE, misc_enable),
    WORDS(VMR_VP_FEATURE_CONTROL, feature_control),
    WORDS(VMR_VP_SPEC_CTRL, spec_ctrl),
    WORDS(VMR_VP_MCG, mcg),
    WORDS(VMR_VP_TSC_AUX, tsc_aux),
    WORDS(VMR_VP_CET, cet),
    WORDS(VMR_VP_CET_SS, cet_ss),
    WORDS(VMR_VP_DEBUG_REGISTERS, debug_registers),
};

static void get_words(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, uint64_t *ret_words)
{
    for (uint32_t i = 0; i < words[vp_class].count; i++)
        ret_words[i] = *vtl_msr(vp, vtl, msr_place(words[vp_class].indices[i]));
}

static enum vmr_status set_words(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                 const uint64_t *values, struct vmr_error *err)
{
    const struct vmr_state_type *type = vmr_vp_class_type(vp_class);

    for (uint32_t i = 0, field = 0, element = 0; i < words[vp_class].count; i++) {
        if (!msr_takes(words[vp_class].indices[i], values[i]))
            return vmr_error_set(err, VMR_E_CONFIG, "%s: %s[%u]: no processor takes %#llx", type->name,
                                 type->fields[field].name, element, (unsigned long long)values[i]);
        if (++element == type->fields[field].count) {
            element = 0;
            field++;
        }
    }
    for (uint32_t i = 0; i < words[vp_class].count; i++)
        *vtl_msr(vp, vtl, msr_place(words[vp_class].indices[i])) = values[i];
    return VMR_OK;
}

/* --- events --- */

static void get_activity(struct vmr_backend_vp *vp, uint8_t vtl, struct vmr_x86_activity_state *ret_state)
{
    struct vtl_events events = vtl_events_of(vp, vtl);

    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->activity = (uint8_t)vp->activity;
    ret_state->shadow = *events.shadow > 0 ? *events.shadow_kind : 0;
    ret_state->nmi_pending = *events.nmi_pending;
    ret_state->nmi_masked = *events.nmi_masked;
    ret_state->sipi_pending = vp->sipi_pending;
    ret_state->sipi_vector = vp->sipi_pending ? vp->sipi_vector : 0;
    ret_state->pending = *events.pending;
    ret_state->injected = *events.injected;
}

/* What this processor has not, or has not here. */
static const char *bad_activity(const struct vmr_backend_vp *vp, const struct vmr_x86_activity_state *state)
{
    if (!vp->vm->chip && state->activity != VMR_ACTIVITY_RUNNING)
        return "activity";
    if (state->smm || state->smi_pending)
        return state->smm ? "smm" : "smi-pending";
    if (state->sipi_pending && !vp->vm->chip)
        return "sipi-pending";
    return state->pending.kind == VMR_X86_EVENT_INTERRUPT ? "pending.kind" : NULL;
}

static enum vmr_status set_activity(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_activity_state *state,
                                    struct vmr_error *err)
{
    struct vtl_events events = vtl_events_of(vp, vtl);
    const char *field = bad_activity(vp, state);

    if (field)
        return vmr_error_set(err, VMR_E_CONFIG, "activity: %s: this processor is never like that", field);
    vp->activity = (enum vmr_activity)state->activity;
    *events.shadow = state->shadow != 0 ? 1 : 0;
    *events.shadow_kind = state->shadow;
    *events.nmi_pending = state->nmi_pending;
    *events.nmi_masked = state->nmi_masked;
    *events.pending = state->pending;
    *events.injected = state->injected;
    vp->sipi_pending = state->sipi_pending;
    vp->sipi_vector = state->sipi_vector;
    if (state->sipi_pending)
        vp_attend(vp, ATTENTION_INTERRUPT);
    return VMR_OK;
}

/* --- time --- */

static enum vmr_status set_deadline(struct vmr_backend_vp *vp, uint64_t value, struct vmr_error *err)
{
    chip_write_deadline(vp, value);
    if (chip_read_deadline(vp) == value)
        return VMR_OK;
    return vmr_error_set(err, VMR_E_CONFIG, "tsc-deadline: value: the timer is not in that mode");
}

/* --- the table --- */

static enum vmr_status get_state(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, void *ret_value,
                                 struct vmr_error *err)
{
    struct vmr_x86_word_state *word = ret_value;
    enum vmr_status status = state_fault(vp->vm, VMR_MOCK_FAIL_GET_STATE, "reading a state", err);

    if (status)
        return status;
    if (vp_class == VMR_VP_REGISTERS)
        get_registers(vp, vtl, ret_value);
    else if (vp_class == VMR_VP_XSAVE)
        get_xsave(vp, ret_value);
    else if (vp_class == VMR_VP_TSC)
        word->value = chip_read_tsc(vp);
    else if (vp_class == VMR_VP_APIC)
        apic_get_state(vp, ret_value);
    else if (vp_class == VMR_VP_TSC_DEADLINE)
        word->value = chip_read_deadline(vp);
    else if (vp_class == VMR_VP_ACTIVITY)
        get_activity(vp, vtl, ret_value);
    else
        get_words(vp, vtl, vp_class, ret_value);
    return VMR_OK;
}

static enum vmr_status set_state(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class, const void *value,
                                 struct vmr_error *err)
{
    const struct vmr_x86_word_state *word = value;
    enum vmr_status status = state_fault(vp->vm, VMR_MOCK_FAIL_SET_STATE, "writing a state", err);

    if (!status)
        status = vmr_x86_check(vp_class, value, err);
    if (status)
        return status;
    if (vp_class == VMR_VP_REGISTERS)
        return set_registers(vp, vtl, value, err);
    if (vp_class == VMR_VP_XSAVE)
        return set_xsave(vp, value, err);
    if (vp_class == VMR_VP_APIC)
        return apic_set_state(vp, value, err);
    if (vp_class == VMR_VP_TSC_DEADLINE)
        return set_deadline(vp, word->value, err);
    if (vp_class == VMR_VP_ACTIVITY)
        return set_activity(vp, vtl, value, err);
    if (vp_class != VMR_VP_TSC)
        return set_words(vp, vtl, vp_class, value, err);
    chip_write_tsc(vp, word->value);
    return VMR_OK;
}

static void reset_info(const struct vmr_backend_vp *vp, struct vmr_x86_reset_info *info)
{
    info->misc_enable = MOCK_MISC_ENABLE;
    info->mcg_cap = MOCK_MCG_CAP;
    info->apic_version = chip_lapic_version(vp->vm);
    info->apic_lint0 = LAPIC_LINT0_WIRE;
}

static enum vmr_status vp_reset(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    enum vmr_status status = state_fault(vp->vm, VMR_MOCK_FAIL_RESET, "resetting a VP", err);

    if (status)
        return status;
    vtl_reset(vp);
    vp_restart(vp);
    vp->holds = false;
    vp->window = false;
    vp->pass = false;
    return VMR_OK;
}

static enum vmr_status vm_reset(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    enum vmr_status status = state_fault(vm, VMR_MOCK_FAIL_RESET, "resetting the VM", err);

    if (!status && vm->chip)
        chip_reset(vm);
    return status;
}

const struct vmr_backend_state mock_state = {
    .vp_get_state = get_state,
    .vp_set_state = set_state,
    .vp_reset_info = reset_info,
    .vp_reset = vp_reset,
    .vm_reset = vm_reset,
};
