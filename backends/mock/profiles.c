/* SPDX-License-Identifier: MIT */
/*
 * The table of differences. A difference is a field here and one place that
 * looks at it; nothing in this folder asks for a profile by name.
 */

#include "backends/mock/profiles.h"

#include <string.h>

#include "vmrig/x86_state.h"

#define CAP(name) (UINT64_C(1) << VMR_CAP_##name)
#define CHIP(name) (uint8_t)(1u << VMR_IRQCHIP_##name)

/* What all have: the mock's table serves them whatever the profile. */
#define CAPS_ALL                                                                                                       \
    (CAP(READ_ONLY) | CAP(MSR_EXIT) | CAP(MSR_FAULT) | CAP(SINGLE_STEP) | CAP(HW_BREAKPOINT) | CAP(VP_THREADS) |       \
     CAP(REAL_MODE) | CAP(EXCEPTION) | CAP(XMM) | CAP(FLUSH) | CAP(RECORDABLE) | CAP(DIRTY_LOG))
#define CAPS_SPLIT (CAP(IRQCHIP_SPLIT) | CAP(MSI))
#define CAPS_EVENTS (CAP(IRQFD) | CAP(DOORBELL))
#define CAPS_KERNEL (CAPS_SPLIT | CAP(IRQCHIP_KERNEL))

#define CLASS(name) (UINT64_C(1) << VMR_VP_##name)
/* What the interfaces of Microsoft's hypervisors have no names for. */
#define LACKS_HYPERV (CLASS(FEATURE_CONTROL) | CLASS(SPEC_CTRL) | CLASS(MCG))
/* Hypervisor.framework keeps registers and the MSRs of system calls. */
#define LACKS_HVF (LACKS_HYPERV | CLASS(XSS) | CLASS(MTRRS) | CLASS(CET) | CLASS(CET_SS))

#define ITEMS_MANY VMR_STRING_IO_BYTES_MAX
/* KVM's answer to a hypercall that it does not know: -KVM_ENOSYS (linux/kvm_para.h). */
#define KVM_ENOSYS_RESULT (UINT64_MAX - 999)

static const struct mock_profile profiles[VMR_MOCK_PROFILE_COUNT] = {
    [VMR_MOCK_STRICT] =
        {
            .name = "strict",
            .caps = CAPS_ALL | CAPS_KERNEL | CAPS_EVENTS | CAP(HYPERCALL_EXIT) | CAP(CPUID_EXIT) | CAP(REBIND) |
                    CAP(STICKY_KICK) | CAP(MULTI_VM) | CAP(STRING_IO) | CAP(VTL),
            .vp_count_max = VMR_VP_COUNT_MAX,
            .physical_bits = VMR_PHYSICAL_BITS_MAX,
            .irqchips = CHIP(USER) | CHIP(SPLIT) | CHIP(KERNEL),
            .kick = PROFILE_KICK_CLEAN,
            .window = PROFILE_WINDOW_LEVEL,
            .outs_items = ITEMS_MANY,
            .ins_items = ITEMS_MANY,
        },
    [VMR_MOCK_KVM_LIKE] =
        {
            .name = "kvm-like",
            .caps =
                CAPS_ALL | CAPS_KERNEL | CAPS_EVENTS | CAP(REBIND) | CAP(STICKY_KICK) | CAP(MULTI_VM) | CAP(STRING_IO),
            .vp_count_max = 1024,
            .physical_bits = 46,
            .irqchips = CHIP(USER) | CHIP(SPLIT) | CHIP(KERNEL),
            .kick = PROFILE_KICK_STICKY,
            .window = PROFILE_WINDOW_LEVEL,
            .outs_items = 1,
            .ins_items = ITEMS_MANY,
            .single_item_is_plain = true,
            .apic_lacks_cmci = true,
            .apic_keeps_eoi = true,
            .no_hypercall_result = KVM_ENOSYS_RESULT,
        },
    [VMR_MOCK_HVF_LIKE] =
        {
            .name = "hvf-like",
            .caps = CAPS_ALL | CAP(HYPERCALL_EXIT) | CAP(STICKY_KICK),
            .vp_count_max = 64,
            .physical_bits = 40,
            .irqchips = CHIP(USER),
            .lacks = LACKS_HVF,
            .kick = PROFILE_KICK_STICKY,
            .window = PROFILE_WINDOW_CANCEL,
            .dirty = PROFILE_DIRTY_PROTECT,
            .outs_items = 1,
            .ins_items = 1,
            .single_item_is_plain = true,
        },
    [VMR_MOCK_MSHV_LIKE] =
        {
            .name = "mshv-like",
            .caps = CAPS_ALL | CAPS_SPLIT | CAPS_EVENTS | CAP(HYPERCALL_EXIT) | CAP(REBIND) | CAP(MULTI_VM) |
                    CAP(STRING_IO),
            .vp_count_max = 255,
            .physical_bits = 44,
            .irqchips = CHIP(USER) | CHIP(SPLIT),
            .lacks = LACKS_HYPERV,
            .kick = PROFILE_KICK_RESENT,
            .window = PROFILE_WINDOW_ONCE,
            .outs_items = ITEMS_MANY,
            .ins_items = ITEMS_MANY,
        },
    [VMR_MOCK_WHP_LIKE] =
        {
            .name = "whp-like",
            .caps = CAPS_ALL | CAPS_SPLIT | CAP(DOORBELL) | CAP(HYPERCALL_EXIT) | CAP(CPUID_EXIT) | CAP(STICKY_KICK) |
                    CAP(MULTI_VM) | CAP(VTL),
            .vp_count_max = 255,
            .physical_bits = 44,
            .irqchips = CHIP(USER) | CHIP(SPLIT),
            .lacks = LACKS_HYPERV,
            .kick = PROFILE_KICK_STICKY,
            .window = PROFILE_WINDOW_ONCE,
            .outs_items = 1,
            .ins_items = 1,
            .single_item_is_plain = true,
        },
};

const struct mock_profile *profile_get(enum vmr_mock_profile profile)
{
    return (unsigned)profile < VMR_MOCK_PROFILE_COUNT ? &profiles[profile] : NULL;
}

const struct mock_profile *profile_find(const char *name)
{
    for (unsigned i = 0; i < VMR_MOCK_PROFILE_COUNT; i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    return NULL;
}

const char *vmr_mock_profile_name(enum vmr_mock_profile profile)
{
    const struct mock_profile *found = profile_get(profile);

    return found ? found->name : "unknown";
}
