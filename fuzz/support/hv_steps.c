/* SPDX-License-Identifier: MIT */
/* Steps from bytes: see hv_steps.h. */

#include "fuzz/support/hv_steps.h"

#include <stdbool.h>

#include "vmrig/hv.h"
#include "vmrig/hv_identity.h"
#include "vmrig/hv_synic.h"

#define STEPS_OF_ONE 12u /* at most, of what is taken at once; and the jump at the end */

#define CODE_PAGE HV_STEPS_PAGE(0)
#define INPUT_PAGE HV_STEPS_PAGE(1)
#define OUTPUT_PAGE HV_STEPS_PAGE(2)
#define SIMP_PAGE HV_STEPS_PAGE(4)

struct taker {
    struct input *input;
    struct hv_steps *at; /* that steps go to */
};

/* One that no program may have is left out: a store into the memory of the program itself, say. */
static void add_step(struct taker *taker, struct vmr_step step)
{
    const struct vmr_step alone[] = {step, VMR_END()};
    const struct vmr_program program = {.name = "step", .steps = alone, .count = 2};

    if (vmr_program_check(&program, NULL) == VMR_OK)
        taker->at->steps[taker->at->program.count++] = step;
}

static vmr_gpa take_page(struct taker *taker)
{
    uint8_t form = input_u8(taker->input);

    return form >= 0xf0 ? input_number(taker->input) : HV_STEPS_PAGE(form % HV_STEPS_PAGES);
}

static uint32_t take_msr(struct taker *taker)
{
    static const uint32_t singles[] = {
        HV_MSR_GUEST_OS_ID,   HV_MSR_HYPERCALL,      HV_MSR_VP_INDEX, HV_MSR_RESET, HV_MSR_TIME_REF_COUNT,
        HV_MSR_REFERENCE_TSC, HV_MSR_TSC_FREQUENCY,  HV_MSR_EOI,      HV_MSR_ICR,   HV_MSR_TPR,
        HV_MSR_SCONTROL,      HV_MSR_VP_ASSIST_PAGE, HV_MSR_SIEFP,    HV_MSR_SIMP,  HV_MSR_EOM,
        HV_MSR_CRASH_P0 + 3,  HV_MSR_CRASH_P0 + 4,   HV_MSR_CRASH_CTL};
    uint8_t form = input_u8(taker->input);

    if (form < 0x30)
        return HV_MSR_SINT0 + form % HV_SINT_COUNT;
    if (form < 0x50)
        return HV_MSR_STIMER0_CONFIG + form % 8u;
    if (form >= 0xf8)
        return HV_MSR_FIRST + input_u16(taker->input) % HV_MSR_COUNT;
    return singles[form % (sizeof(singles) / sizeof(singles[0]))];
}

/* A page with a low bit, a SINT, a timer: what most of them take. Or any number. */
static uint64_t take_value(struct taker *taker)
{
    uint8_t form = input_u8(taker->input), low = input_u8(taker->input);

    switch (form >> 5) {
    case 0:
    case 1:
        return HV_STEPS_PAGE(form % HV_STEPS_PAGES) | (low & 3u);
    case 2:
        return (0x10u + low % 0x40u) | (uint64_t)(form & 0xfu) << 16;
    case 3:
        return (low & 0xfu) | (uint64_t)(form & 0x10u ? 0x1300u : 0) | (uint64_t)(form & 0xfu) << HV_STIMER_SINT_SHIFT;
    case 4:
        return (uint64_t)low << 56 | form;
    default:
        return input_number(taker->input);
    }
}

static void take_msr_step(struct taker *taker, bool write)
{
    uint32_t msr = take_msr(taker);

    if (write) {
        uint64_t value = take_value(taker);

        add_step(taker, (struct vmr_step)VMR_WRMSR(msr, value));
    } else {
        add_step(taker, (struct vmr_step)VMR_RDMSR(6, msr));
    }
}

static uint64_t take_control(struct taker *taker)
{
    uint8_t which = input_u8(taker->input), form = input_u8(taker->input);
    const struct vmr_hv_call_definition *definition = vmr_hv_call_at(which % vmr_hv_call_count());
    uint64_t control = which >= 0xf8 ? input_u16(taker->input) : definition->code;

    if (form & 1)
        control |= HV_CONTROL_FAST;
    if (definition->kind == VMR_HV_CALL_REP || (form & 0x40))
        control |= (uint64_t)(form & 0x80 ? input_number(taker->input) & 0xfffu : 1 + (form >> 1 & 3u))
                   << HV_CONTROL_REP_COUNT_SHIFT;
    if (form & 0x10)
        control |= (uint64_t)(input_u8(taker->input) & 3u) << HV_CONTROL_REP_START_SHIFT;
    if (form & 0x20)
        control |= (uint64_t)(input_u8(taker->input) & 7u) << HV_CONTROL_VARIABLE_SHIFT;
    return form == 0xff ? control | input_u64(taker->input) : control;
}

/* Words of an input, where most of them begin alike: this partition, this VP. */
static void take_input_steps(struct taker *taker, vmr_gpa page)
{
    uint8_t form = input_u8(taker->input);

    if (form & 0x80)
        add_step(taker, (struct vmr_step)VMR_STORE(page, 8, HV_PARTITION_ID_SELF));
    if (form & 0x40)
        add_step(taker, (struct vmr_step)VMR_STORE(page + 8, 4, HV_VP_INDEX_SELF));
    for (unsigned i = 0; i < (form & 3u); i++) {
        uint64_t offset = input_u8(taker->input) % 16u * 4u, value = take_value(taker);

        add_step(taker, (struct vmr_step)VMR_STORE(page + offset, 8, value));
    }
}

static void take_call(struct taker *taker)
{
    uint64_t control = take_control(taker);
    uint8_t form = input_u8(taker->input);
    vmr_gpa input = form & 1 ? HV_STEPS_CONTEXT : INPUT_PAGE, output = OUTPUT_PAGE;
    struct vmr_step call = VMR_HV_CALL_XMM(6, CODE_PAGE, control, form & 2 ? (uint32_t)SIMP_PAGE : 0);

    take_input_steps(taker, input);
    if (form & 4)
        input = take_value(taker);
    if (form & 8)
        output = take_value(taker);
    if (form & 0x10)
        call = (struct vmr_step)VMR_HV_CALL32(6, CODE_PAGE, control);
    add_step(taker, (struct vmr_step)VMR_SET(0, input));
    add_step(taker, (struct vmr_step)VMR_SET(1, output));
    add_step(taker, call);
}

static void take_memory_step(struct taker *taker)
{
    uint8_t form = input_u8(taker->input);
    vmr_gpa gpa = take_page(taker) + input_u8(taker->input) * 16u;

    if (form & 1)
        add_step(taker, (struct vmr_step)VMR_LOAD(5, gpa, 4));
    else if (form & 2)
        add_step(taker, (struct vmr_step)VMR_OR(gpa, 4, UINT32_C(1) << (form >> 3)));
    else
        add_step(taker, (struct vmr_step)VMR_STORE(gpa, 4, form >> 3));
}

static void take_wait_step(struct taker *taker)
{
    static const struct vmr_step steps[] = {VMR_STI(),       VMR_CLI(), VMR_HLT(), VMR_STORE(0xfee000f0u, 4, 0x1ff),
                                            VMR_START_VP(1), VMR_NOP(), VMR_HLT(), VMR_STORE(SIMP_PAGE, 4, 0)};

    add_step(taker, steps[input_u8(taker->input) % (sizeof(steps) / sizeof(steps[0]))]);
}

/* One thing that a guest does. */
static void take_steps(struct taker *taker, uint8_t op)
{
    switch (op % 12u) {
    case 0:
    case 1:
    case 2:
        take_msr_step(taker, true);
        break;
    case 3:
        take_msr_step(taker, false);
        break;
    case 4:
    case 5:
    case 6:
        take_call(taker);
        break;
    case 7:
        take_memory_step(taker);
        break;
    case 8:
        add_step(taker, (struct vmr_step)VMR_VTL_CALL(CODE_PAGE));
        break;
    case 9:
        add_step(taker, (struct vmr_step)VMR_VTL_RETURN(CODE_PAGE, op >> 7));
        break;
    case 10:
        take_wait_step(taker);
        break;
    default:
        add_step(taker, (struct vmr_step)VMR_CHECKPOINT(input_u32(taker->input)));
        break;
    }
}

void hv_steps_take(struct input *input, struct hv_steps *ret_programs, unsigned count)
{
    struct taker taker = {.input = input, .at = ret_programs};

    for (unsigned i = 0; i < count; i++) {
        taker.at = &ret_programs[i];
        taker.at->program = (struct vmr_program){.name = "guest", .steps = taker.at->steps, .eoi = VMR_EOI_XAPIC};
        add_step(&taker, (struct vmr_step)VMR_WRMSR(HV_MSR_GUEST_OS_ID, 1));
        add_step(&taker, (struct vmr_step)VMR_WRMSR(HV_MSR_HYPERCALL, CODE_PAGE | HV_PAGE_ENABLE));
    }
    taker.at = ret_programs;
    for (uint8_t op = input_u8(input); op != 0xff && !input_is_empty(input); op = input_u8(input)) {
        if (op >= 0xf0)
            taker.at = &ret_programs[op % 16u % count];
        else if (taker.at->program.count + STEPS_OF_ONE < HV_STEPS_MAX)
            take_steps(&taker, op);
    }
    for (unsigned i = 0; i < count; i++) {
        taker.at = &ret_programs[i];
        add_step(&taker, (struct vmr_step)VMR_JUMP(0));
    }
}
