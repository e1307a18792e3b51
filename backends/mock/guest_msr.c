/* SPDX-License-Identifier: MIT */
/*
 * RDMSR, WRMSR and interrupts sent by them or through the xAPIC page. An MSR
 * that the partition wants to see, or that nobody here knows, is an exit.
 */

#include "backends/mock/chip.h"
#include "backends/mock/program.h"

#define MSR_APIC_BASE 0x1bu
#define MSR_X2APIC_ICR 0x830u
#define XAPIC_ICR_LOW 0xfee00300u
#define XAPIC_ICR_HIGH 0xfee00310u

static bool must_exit(const struct vmr_backend_vm *vm, uint32_t index)
{
    /* Where local APICs are in the library, so is the register that places them. */
    if (index == MSR_APIC_BASE && !vm->chip)
        return true;
    for (size_t i = 0; i < vm->msr_exit_count; i++) {
        if (index >= vm->msr_exits[i].first && index - vm->msr_exits[i].first < vm->msr_exits[i].count)
            return true;
    }
    return false;
}

static bool is_x2apic(const struct vmr_backend_vm *vm, uint32_t index)
{
    return vm->chip && index - X2APIC_MSR_FIRST < X2APIC_MSR_COUNT;
}

static enum step_result exit_msr(struct flight *flight, struct vmr_exit *vp_exit, uint32_t index,
                                 enum vmr_direction direction, uint64_t value)
{
    flight->sent = true;
    *vp_exit = (struct vmr_exit){.kind = VMR_EXIT_MSR};
    vp_exit->u.msr = (struct vmr_exit_msr){.index = index, .direction = (uint8_t)direction, .value = value};
    return STEP_EXIT;
}

enum step_result guest_rdmsr(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t index,
                             uint64_t *ret_value, bool *ret_fault)
{
    *ret_value = 0;
    *ret_fault = false;
    if (flight->sent) {
        flight->sent = false;
        *ret_fault = vp_exit->u.msr.fault;
        *ret_value = *ret_fault ? 0 : vp_exit->u.msr.value;
        return STEP_DONE;
    }
    if (must_exit(vp->vm, index))
        return exit_msr(flight, vp_exit, index, VMR_READ, 0);
    if (is_x2apic(vp->vm, index)) {
        *ret_fault = !chip_read_msr(vp, index, ret_value);
        return STEP_DONE;
    }
    if (msr_read_own(vp, index, ret_value))
        return STEP_DONE;
    return exit_msr(flight, vp_exit, index, VMR_READ, 0);
}

enum step_result guest_wrmsr(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t index,
                             uint64_t value, bool *ret_fault)
{
    *ret_fault = false;
    if (flight->sent) {
        flight->sent = false;
        *ret_fault = vp_exit->u.msr.fault;
        return STEP_DONE;
    }
    if (must_exit(vp->vm, index))
        return exit_msr(flight, vp_exit, index, VMR_WRITE, value);
    if (is_x2apic(vp->vm, index)) {
        *ret_fault = !chip_write_msr(vp, index, value);
        return STEP_DONE;
    }
    uint64_t old;

    if (!msr_read_own(vp, index, &old))
        return exit_msr(flight, vp_exit, index, VMR_WRITE, value);
    *ret_fault = !msr_write_own(vp, index, value);
    return STEP_DONE;
}

/* Two instructions through the page: who, then what. `items` says which is next. */
static enum step_result xapic_ipi(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit,
                                  uint32_t id, uint32_t low)
{
    bool second = flight->items == 1;
    enum step_result result =
        guest_store(vp, flight, vp_exit, second ? XAPIC_ICR_LOW : XAPIC_ICR_HIGH, 4, second ? low : id << 24);

    if (result != STEP_DONE)
        return result;
    flight->items = second ? 0 : 1;
    return second ? STEP_DONE : STEP_AGAIN;
}

enum step_result guest_ipi(struct vmr_backend_vp *vp, struct flight *flight, struct vmr_exit *vp_exit, uint32_t id,
                           uint32_t low)
{
    bool fault;

    if (!program_uses_x2apic(vp))
        return xapic_ipi(vp, flight, vp_exit, id, low);
    enum step_result result = guest_wrmsr(vp, flight, vp_exit, MSR_X2APIC_ICR, (uint64_t)id << 32 | low, &fault);

    if (result == STEP_DONE && fault)
        vp->exception = EXCEPTION_GP;
    return result;
}
