/* SPDX-License-Identifier: MIT */
/*
 * The classes of an arm64 VP (Arm ARM, D1 and D17). No backend of this tree runs arm64 yet.
 */

#include "vmrig/x86_state.h"

/* PSTATE at reset: EL1 with its own stack pointer, and D, A, I, F masked (Arm ARM, C5.2.19). */
#define CPSR_EL1H_DAIF UINT64_C(0x3c5)

#define REGISTER(member, name) VMR_STATE_FIELD(struct vmr_arm64_register_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field register_fields[] = {
    VMR_STATE_ARRAY(struct vmr_arm64_register_state, x, "x", VMR_FIELD_HEX),
    REGISTER(fp, "fp"),
    REGISTER(lr, "lr"),
    REGISTER(sp_el0, "sp-el0"),
    REGISTER(sp_el1, "sp-el1"),
    REGISTER(pc, "pc"),
    REGISTER(cpsr, "cpsr"),
};

#define SYSTEM(member, name) VMR_STATE_FIELD(struct vmr_arm64_system_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field system_fields[] = {
    SYSTEM(sctlr_el1, "sctlr-el1"), SYSTEM(ttbr0_el1, "ttbr0-el1"), SYSTEM(ttbr1_el1, "ttbr1-el1"),
    SYSTEM(tcr_el1, "tcr-el1"),     SYSTEM(esr_el1, "esr-el1"),     SYSTEM(far_el1, "far-el1"),
    SYSTEM(mair_el1, "mair-el1"),   SYSTEM(elr_el1, "elr-el1"),     SYSTEM(vbar_el1, "vbar-el1"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct vmr_state_type *vmr_arm64_register_type(void)
{
    static const struct vmr_state_type type = {
        .name = "arm64-registers",
        .version = 1,
        .size = sizeof(struct vmr_arm64_register_state),
        .field_count = COUNT(register_fields),
        .fields = register_fields,
    };

    return &type;
}

const struct vmr_state_type *vmr_arm64_system_type(void)
{
    static const struct vmr_state_type type = {
        .name = "arm64-system",
        .version = 1,
        .size = sizeof(struct vmr_arm64_system_state),
        .field_count = COUNT(system_fields),
        .fields = system_fields,
    };

    return &type;
}

void vmr_arm64_registers_reset(struct vmr_arm64_register_state *ret_state)
{
    *ret_state = (struct vmr_arm64_register_state){.cpsr = CPSR_EL1H_DAIF};
}
