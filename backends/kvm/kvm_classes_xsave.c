/* SPDX-License-Identifier: MIT */
/*
 * The XSAVE area in one form. What KVM gives depends on whether a component was
 * ever used: bytes of one that is not are left as they were, and the area has
 * room for notes of the kernel. Here such bytes are zero, a component that holds
 * its initial values is one that is not in use, and MXCSR stands for itself, so
 * that equal processors have equal areas.
 */

#include <errno.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"
#include "lib/base/bytes.h"

/* Of the area in the standard form (Intel SDM vol. 1, 13.4). */
#define LENGTH_MIN 576u
#define FCW 0u
#define FCW_INITIAL 0x37fu
#define MXCSR 24u
#define MXCSR_INITIAL 0x1f80u
#define BV 512u
#define COMPONENT_X87 0u
#define COMPONENT_SSE 1u
#define COMPONENT_AVX 2u
#define COMPONENT_PKRU 9u
#define COMPONENT_COUNT 63u
#define BIT(n) (UINT64_C(1) << (n))

/* The kernel's, with the features that are larger than its first 4 KiB. */
#define AREA_SIZE 12288u
struct area {
    _Alignas(struct kvm_xsave) uint8_t bytes[AREA_SIZE];
};
_Static_assert(sizeof(struct kvm_xsave) <= AREA_SIZE, "the first 4 KiB");

#define LEAF_FEATURES 1u
#define FEATURE_XSAVE BIT(26)
#define LEAF_XSAVE 0xdu

static const struct vmr_cpuid_entry *cpuid_find(const struct kvm_vm *vm, uint32_t leaf, uint32_t subleaf)
{
    for (size_t i = 0; i < vm->cpuid_count; i++) {
        if (vm->cpuid[i].leaf == leaf && vm->cpuid[i].subleaf == subleaf)
            return &vm->cpuid[i];
    }
    return NULL;
}

static bool has_xsave(const struct kvm_vm *vm)
{
    const struct vmr_cpuid_entry *features = cpuid_find(vm, LEAF_FEATURES, 0);

    return features && (features->ecx & FEATURE_XSAVE) != 0;
}

/* Where a component is: a part of the area, empty for one that the guest does not have. */
struct part {
    uint32_t offset, length;
};

static struct part part_of(const struct kvm_vm *vm, uint32_t component)
{
    const struct vmr_cpuid_entry *entry = NULL;

    if (component == COMPONENT_SSE)
        return (struct part){.offset = 160, .length = 256};
    if (component > COMPONENT_SSE && has_xsave(vm))
        entry = cpuid_find(vm, LEAF_XSAVE, component);
    /* ECX bit 0: a supervisor component, which is in no standard form. */
    if (!entry || (entry->ecx & 1u) != 0 || entry->ebx < LENGTH_MIN || entry->ebx > VMR_X86_XSAVE_MAX ||
        entry->eax > VMR_X86_XSAVE_MAX - entry->ebx)
        return (struct part){0};
    return (struct part){.offset = entry->ebx, .length = entry->eax};
}

uint32_t kvm_xsave_length(const struct kvm_vm *vm)
{
    uint32_t length = LENGTH_MIN;

    for (uint32_t i = COMPONENT_AVX; i < COMPONENT_COUNT; i++) {
        struct part part = part_of(vm, i);

        if (part.offset + part.length > length)
            length = part.offset + part.length;
    }
    return length;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* x87 has what is around MXCSR: registers, and eight pointers and words before them. */
static bool x87_is_initial(const uint8_t *bytes)
{
    return load_le16(bytes + FCW) == FCW_INITIAL && is_zero(bytes + 2, MXCSR - 2) && is_zero(bytes + 32, 128);
}

static bool x87_is_zero(const uint8_t *bytes)
{
    return is_zero(bytes, MXCSR) && is_zero(bytes + 32, 128);
}

static bool is_unused(const struct kvm_vm *vm, const uint8_t *bytes, uint32_t component)
{
    struct part part = part_of(vm, component);

    return component == COMPONENT_X87 ? x87_is_initial(bytes) : is_zero(bytes + part.offset, part.length);
}

/* Only components in use are taken over from what KVM gave. */
static void normalise(const struct kvm_vm *vm, const uint8_t *from, struct vmr_x86_xsave_state *ret_state)
{
    uint64_t kvm_bv = load_le64(from + BV), bv = 0;

    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->length = kvm_xsave_length(vm);
    for (uint32_t i = 0; i < COMPONENT_COUNT; i++) {
        struct part part = part_of(vm, i);

        if ((kvm_bv & BIT(i)) == 0 || is_unused(vm, from, i))
            continue;
        bv |= BIT(i);
        memcpy(ret_state->bytes + part.offset, from + part.offset, part.length);
    }
    if (bv & BIT(COMPONENT_X87)) {
        memcpy(ret_state->bytes, from, MXCSR);
        memcpy(ret_state->bytes + 32, from + 32, 128);
    }
    store_le32(ret_state->bytes + MXCSR, load_le32(from + MXCSR));
    store_le64(ret_state->bytes + BV, bv);
}

enum vmr_status kvm_class_xsave_get(const struct kvm_vp *vp, struct vmr_x86_xsave_state *ret_state,
                                    struct vmr_error *err)
{
    bool large = kvm_extension(vp->vm->fd.number, KVM_CAP_XSAVE2) > 0;
    struct area area = {0};
    int result = kvm_host_ioctl(vp->fd.number, large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, kvm_pointer(area.bytes));

    if (result < 0)
        return vmr_error_set_host(err, -result, "xsave: %s", large ? "KVM_GET_XSAVE2" : "KVM_GET_XSAVE");
    normalise(vp->vm, area.bytes, ret_state);
    return VMR_OK;
}

/* What is in the area belongs to components that the guest has and that are said to be in use. */
static enum vmr_status check(const struct kvm_vm *vm, const struct vmr_x86_xsave_state *state, struct vmr_error *err)
{
    uint64_t bv = load_le64(state->bytes + BV);

    if (state->length != kvm_xsave_length(vm))
        return vmr_error_set(err, VMR_E_CONFIG, "xsave: length: %u, this VP's is %u", state->length,
                             kvm_xsave_length(vm));
    if ((bv & BIT(COMPONENT_X87)) == 0 && !x87_is_zero(state->bytes))
        return vmr_error_set(err, VMR_E_CONFIG, "xsave: bytes: of x87, which XSTATE_BV says is not in use");
    for (uint32_t i = COMPONENT_SSE; i < 64; i++) {
        struct part part = i < COMPONENT_COUNT ? part_of(vm, i) : (struct part){0};
        bool in_use = (bv & BIT(i)) != 0;

        if (in_use && part.length == 0)
            return vmr_error_set(err, VMR_E_CONFIG, "xsave: bytes[512], XSTATE_BV: this VP has no component %u", i);
        if (!in_use && !is_zero(state->bytes + part.offset, part.length))
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "xsave: bytes[%u]: of component %u, which XSTATE_BV says is not in use", part.offset,
                                 i);
    }
    return VMR_OK;
}

/*
 * KVM takes MXCSR only along with x87, SSE or AVX, and leaves PKRU alone unless
 * it is in use: these are given as in use, with their initial values.
 */
enum vmr_status kvm_class_xsave_set(const struct kvm_vp *vp, const struct vmr_x86_xsave_state *state,
                                    struct vmr_error *err)
{
    uint64_t bv = load_le64(state->bytes + BV), always = BIT(COMPONENT_X87) | BIT(COMPONENT_SSE);
    enum vmr_status status = check(vp->vm, state, err);
    struct area area = {0};

    if (status)
        return status;
    if (part_of(vp->vm, COMPONENT_PKRU).length > 0)
        always |= BIT(COMPONENT_PKRU);
    memcpy(area.bytes, state->bytes, state->length);
    if ((bv & BIT(COMPONENT_X87)) == 0)
        store_le16(area.bytes + FCW, FCW_INITIAL);
    store_le64(area.bytes + BV, bv | always);
    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_XSAVE, kvm_pointer(area.bytes)), "KVM_SET_XSAVE",
                               VMR_VP_XSAVE, "bytes", err);
}
