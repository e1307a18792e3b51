/* SPDX-License-Identifier: MIT */
/*
 * The judgement of guest programs: one row an operation, which says what its
 * members may hold. Interpreter and assemblers ask this first and trust the
 * steps afterwards, so whatever they could read differently is refused here.
 */

#include "vmrig/program.h"

#include <inttypes.h>

#include "lib/base/checked.h"

/* What `address` or `value` means. */
enum operand {
    OPERAND_UNUSED, /* not looked at */
    OPERAND_ANY,
    OPERAND_DATA, /* as wide as `size` */
    OPERAND_PORT,
    OPERAND_U32,
    OPERAND_VECTOR,
    OPERAND_APIC_ID,
    OPERAND_PAGE,        /* of code, below 4 GiB */
    OPERAND_LOAD,        /* `size` bytes below 4 GiB */
    OPERAND_STORE,       /* the same, and not the assembler's memory */
    OPERAND_STRING_LOAD, /* `count` items of `size` bytes, up or down */
    OPERAND_STRING_STORE
};

#define SIZES_NONE 0u
#define SIZES_PORT (1u << 1 | 1u << 2 | 1u << 4)
#define SIZES_ALL (SIZES_PORT | 1u << 8)
#define SIZES_CALLER (1u << 4 | 1u << 8)
#define PAGE_BYTES 4096u
#define XMM_BYTES 96u
#define ADDRESS_END (UINT64_C(1) << 32)

#define USES_VAR 1u
#define USES_TARGET 2u
#define USES_COUNT 4u  /* at least 1 */
#define IS_LAST 8u     /* never goes on to the step after it */
#define SETS_FAULT 16u /* writes the fault variable */

struct rule {
    const char *name;
    uint16_t sizes; /* bit n: size n */
    uint8_t flags;
    uint8_t address; /* enum operand */
    uint8_t value;   /* enum operand */
};

static const struct rule rules[VMR_STEP_OP_COUNT] = {
    [VMR_STEP_END] = {"end", SIZES_NONE, IS_LAST, 0, 0},
    [VMR_STEP_SET] = {"set", SIZES_NONE, USES_VAR, 0, OPERAND_ANY},
    [VMR_STEP_ADD] = {"add", SIZES_NONE, USES_VAR, 0, OPERAND_ANY},
    [VMR_STEP_OUT] = {"out", SIZES_PORT, 0, OPERAND_PORT, OPERAND_DATA},
    [VMR_STEP_OUT_VAR] = {"out-var", SIZES_PORT, USES_VAR, OPERAND_PORT, 0},
    [VMR_STEP_IN] = {"in", SIZES_PORT, USES_VAR, OPERAND_PORT, 0},
    [VMR_STEP_OUTS] = {"outs", SIZES_PORT, 0, OPERAND_PORT, OPERAND_STRING_LOAD},
    [VMR_STEP_INS] = {"ins", SIZES_PORT, 0, OPERAND_PORT, OPERAND_STRING_STORE},
    [VMR_STEP_STORE] = {"store", SIZES_ALL, 0, OPERAND_STORE, OPERAND_DATA},
    [VMR_STEP_STORE_VAR] = {"store-var", SIZES_ALL, USES_VAR, OPERAND_STORE, 0},
    [VMR_STEP_LOAD] = {"load", SIZES_ALL, USES_VAR, OPERAND_LOAD, 0},
    [VMR_STEP_OR] = {"or", SIZES_ALL, 0, OPERAND_STORE, OPERAND_DATA},
    [VMR_STEP_RDMSR] = {"rdmsr", SIZES_NONE, USES_VAR | SETS_FAULT, OPERAND_U32, 0},
    [VMR_STEP_WRMSR] = {"wrmsr", SIZES_NONE, SETS_FAULT, OPERAND_U32, OPERAND_ANY},
    [VMR_STEP_CPUID] = {"cpuid", SIZES_NONE, 0, OPERAND_U32, OPERAND_U32},
    [VMR_STEP_EXPECT] = {"expect", SIZES_NONE, USES_VAR, 0, OPERAND_ANY},
    [VMR_STEP_EXPECT_MASK] = {"expect-mask", SIZES_NONE, USES_VAR, OPERAND_ANY, OPERAND_ANY},
    [VMR_STEP_JUMP] = {"jump", SIZES_NONE, USES_TARGET | IS_LAST, 0, 0},
    [VMR_STEP_JUMP_EQ] = {"jump-eq", SIZES_NONE, USES_VAR | USES_TARGET, 0, OPERAND_ANY},
    [VMR_STEP_LOOP] = {"loop", SIZES_NONE, USES_VAR | USES_TARGET, 0, 0},
    [VMR_STEP_SPIN] = {"spin", SIZES_NONE, IS_LAST, 0, 0},
    [VMR_STEP_SPIN_UNTIL] = {"spin-until", SIZES_ALL, 0, OPERAND_LOAD, OPERAND_DATA},
    [VMR_STEP_CLI] = {"cli", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_STI] = {"sti", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_HLT] = {"hlt", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_WAIT_VECTOR] = {"wait-vector", SIZES_NONE, USES_COUNT, 0, OPERAND_VECTOR},
    [VMR_STEP_READ_COUNT] = {"read-count", SIZES_NONE, USES_VAR, 0, OPERAND_VECTOR},
    [VMR_STEP_START_VP] = {"start-vp", SIZES_NONE, 0, 0, OPERAND_APIC_ID},
    [VMR_STEP_SEND_IPI] = {"send-ipi", SIZES_NONE, 0, OPERAND_VECTOR, OPERAND_APIC_ID},
    [VMR_STEP_CHECKPOINT] = {"checkpoint", SIZES_NONE, 0, 0, OPERAND_U32},
    [VMR_STEP_HYPERCALL] = {"hypercall", SIZES_NONE, USES_VAR, 0, OPERAND_ANY},
    [VMR_STEP_HV_CALL] = {"hv-call", SIZES_CALLER, USES_VAR | SETS_FAULT, OPERAND_PAGE, OPERAND_ANY},
    [VMR_STEP_POWER_OFF] = {"power-off", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_RESET] = {"reset", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_TRIPLE_FAULT] = {"triple-fault", SIZES_NONE, IS_LAST, 0, 0},
    [VMR_STEP_NOP] = {"nop", SIZES_NONE, 0, 0, 0},
    [VMR_STEP_VTL_CALL] = {"vtl-call", SIZES_NONE, SETS_FAULT, OPERAND_PAGE, 0},
    [VMR_STEP_VTL_RETURN] = {"vtl-return", SIZES_NONE, SETS_FAULT, OPERAND_PAGE, OPERAND_ANY},
};

const char *vmr_step_op_name(uint32_t op)
{
    return op < VMR_STEP_OP_COUNT ? rules[op].name : "unknown";
}

/* In RAM or MMIO below 4 GiB; a store must leave the code and tables of the assembler alone. */
static bool range_is_allowed(uint64_t start, uint64_t length, bool is_store)
{
    if (!range_contains(0, ADDRESS_END, start, length))
        return false;
    return !is_store || length == 0 ||
           !range_overlaps(start, length, VMR_PROGRAM_BASE, VMR_PROGRAM_END - VMR_PROGRAM_BASE);
}

/* `address` is that of the first item moved; going down, the others lie below it. */
static bool string_is_allowed(const struct vmr_step *step, uint64_t address, bool is_store)
{
    uint64_t length = (uint64_t)step->count * step->size;

    if (!step->backward || length == 0)
        return range_is_allowed(address, length, is_store);
    uint64_t below = length - step->size;

    return address >= below && range_is_allowed(address - below, length, is_store);
}

static bool operand_is_allowed(const struct vmr_program *program, const struct vmr_step *step, enum operand operand,
                               uint64_t value)
{
    switch (operand) {
    case OPERAND_UNUSED:
    case OPERAND_ANY:
        return true;
    case OPERAND_DATA:
        return (value & ~mask_of_bytes(step->size)) == 0;
    case OPERAND_PORT:
        return value <= UINT16_MAX;
    case OPERAND_U32:
        return value <= UINT32_MAX;
    case OPERAND_VECTOR:
        return value <= UINT8_MAX;
    case OPERAND_APIC_ID: /* 8 bits in an xAPIC, the highest of which address everyone */
        return program->eoi == VMR_EOI_X2APIC ? value < UINT32_MAX : value < UINT8_MAX;
    case OPERAND_PAGE:
        return is_aligned(value, PAGE_BYTES) && value < ADDRESS_END;
    case OPERAND_LOAD:
        return range_is_allowed(value, step->size, false);
    case OPERAND_STORE:
        return range_is_allowed(value, step->size, true);
    case OPERAND_STRING_LOAD:
        return string_is_allowed(step, value, false);
    case OPERAND_STRING_STORE:
        return string_is_allowed(step, value, true);
    }
    return false;
}

static enum vmr_status refuse(const struct vmr_program *program, uint32_t index, const char *what, uint64_t value,
                              struct vmr_error *err)
{
    return vmr_error_set(err, VMR_E_CONFIG, "program '%s', step %" PRIu32 " (%s): %s %#" PRIx64 " is out of range",
                         program->name, index, vmr_step_op_name(program->steps[index].op), what, value);
}

static enum vmr_status check_step(const struct vmr_program *program, uint32_t index, struct vmr_error *err)
{
    const struct vmr_step *step = &program->steps[index];

    if (step->op >= VMR_STEP_OP_COUNT)
        return refuse(program, index, "operation", step->op, err);
    const struct rule *rule = &rules[step->op];

    if (rule->sizes && (step->size > 8 || !(rule->sizes >> step->size & 1)))
        return refuse(program, index, "size", step->size, err);
    if (rule->flags & USES_VAR && step->var >= VMR_PROGRAM_VAR_COUNT)
        return refuse(program, index, "variable", step->var, err);
    /* The result would be overwritten by the report of the fault. */
    if (rule->flags & USES_VAR && rule->flags & SETS_FAULT && step->var == VMR_PROGRAM_FAULT_VAR)
        return refuse(program, index, "variable", step->var, err);
    if (rule->flags & USES_TARGET && step->target >= program->count)
        return refuse(program, index, "target", step->target, err);
    if (rule->flags & USES_COUNT && step->count == 0)
        return refuse(program, index, "count", step->count, err);
    if (step->op == VMR_STEP_HV_CALL && step->count != 0 && !range_is_allowed(step->count, XMM_BYTES, true))
        return refuse(program, index, "count", step->count, err);
    if (!operand_is_allowed(program, step, rule->address, step->address))
        return refuse(program, index, "address", step->address, err);
    if (!operand_is_allowed(program, step, rule->value, step->value))
        return refuse(program, index, "value", step->value, err);
    return VMR_OK;
}

enum vmr_status vmr_program_check(const struct vmr_program *program, struct vmr_error *err)
{
    if (!program->name)
        return vmr_error_set(err, VMR_E_CONFIG, "program: name is missing");
    if (!program->steps || program->count == 0 || program->count > VMR_PROGRAM_STEP_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s': %" PRIu32 " steps are not 1 to %u", program->name,
                             program->steps ? program->count : 0, VMR_PROGRAM_STEP_MAX);
    if (program->start >= VMR_START_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s': start %u is out of range", program->name,
                             program->start);
    if (program->eoi >= VMR_EOI_COUNT)
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s': eoi %u is out of range", program->name, program->eoi);
    for (uint32_t i = 0; i < program->count; i++) {
        enum vmr_status status = check_step(program, i, err);

        if (status)
            return status;
    }
    uint8_t last = program->steps[program->count - 1].op;

    if (!(rules[last].flags & IS_LAST))
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s', step %" PRIu32 " (%s): the program runs past its end",
                             program->name, program->count - 1, vmr_step_op_name(last));
    return VMR_OK;
}
