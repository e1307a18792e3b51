/* SPDX-License-Identifier: MIT */
/*
 * The XSAVE area of a VP, in the one form that vmrig/x86_state.h has for it:
 * where KVM has its components follows from the CPUID table that the VP has.
 */

#include <errno.h>
#include <string.h>

#include "backends/kvm/kvm_private.h"
#include "lib/base/bytes.h"

/* Of the area in the standard form (Intel SDM vol. 1, 13.4). */
#define LENGTH_MIN 576u
#define FCW_INITIAL 0x37fu
#define BV 512u
#define COMPONENT_X87 0u
#define COMPONENT_SSE 1u
#define COMPONENT_PKRU 9u
#define BIT(n) (UINT64_C(1) << (n))

/* The kernel's, with the features that are larger than its first 4 KiB. */
#define AREA_SIZE 12288u
struct area {
    _Alignas(struct kvm_xsave) uint8_t bytes[AREA_SIZE];
};
_Static_assert(sizeof(struct kvm_xsave) <= AREA_SIZE, "the first 4 KiB");
_Static_assert(VMR_X86_XSAVE_MAX <= AREA_SIZE, "all that a state holds");

#define LEAF_FEATURES 1u
#define FEATURE_XSAVE BIT(26)
#define LEAF_XSAVE 0xdu

static bool has_xsave(const struct kvm_vm *vm)
{
    for (size_t i = 0; i < vm->cpuid_count; i++) {
        if (vm->cpuid[i].leaf == LEAF_FEATURES)
            return (vm->cpuid[i].ecx & FEATURE_XSAVE) != 0;
    }
    return false;
}

/* ECX bit 0: a supervisor component, which is in no standard form. */
static bool is_part(const struct vmr_cpuid_entry *entry)
{
    return entry->leaf == LEAF_XSAVE && entry->subleaf > COMPONENT_SSE && entry->subleaf < VMR_X86_XSAVE_COMPONENTS &&
           (entry->ecx & 1u) == 0 && entry->ebx >= LENGTH_MIN && entry->ebx <= VMR_X86_XSAVE_MAX &&
           entry->eax <= VMR_X86_XSAVE_MAX - entry->ebx;
}

static struct vmr_x86_xsave_layout layout_of(const struct kvm_vm *vm)
{
    struct vmr_x86_xsave_layout layout = {0};

    for (size_t i = 0; i < vm->cpuid_count && has_xsave(vm); i++) {
        const struct vmr_cpuid_entry *entry = &vm->cpuid[i];

        if (!is_part(entry))
            continue;
        layout.part[entry->subleaf].offset = entry->ebx;
        layout.part[entry->subleaf].length = entry->eax;
    }
    return layout;
}

enum vmr_status kvm_class_xsave_get(const struct kvm_vp *vp, struct vmr_x86_xsave_state *ret_state,
                                    struct vmr_error *err)
{
    bool large = vp->vm->xsave2;
    const struct vmr_x86_xsave_layout layout = layout_of(vp->vm);
    struct area area = {0};
    int result = kvm_host_ioctl(vp->fd.number, large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, kvm_pointer(area.bytes));

    if (result < 0)
        return vmr_error_set_host(err, -result, "xsave: %s", large ? "KVM_GET_XSAVE2" : "KVM_GET_XSAVE");
    vmr_x86_xsave_normalise(&layout, area.bytes, ret_state);
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
    const struct vmr_x86_xsave_layout layout = layout_of(vp->vm);
    enum vmr_status status = vmr_x86_xsave_check(&layout, state, err);
    struct area area = {0};

    if (status)
        return status;
    if (layout.part[COMPONENT_PKRU].length > 0)
        always |= BIT(COMPONENT_PKRU);
    memcpy(area.bytes, state->bytes, state->length);
    if ((bv & BIT(COMPONENT_X87)) == 0)
        store_le16(area.bytes, FCW_INITIAL);
    store_le64(area.bytes + BV, bv | always);
    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_XSAVE, kvm_pointer(area.bytes)), "KVM_SET_XSAVE",
                               VMR_VP_XSAVE, "bytes", err);
}
