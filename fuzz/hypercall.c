/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls from registers and memory that say anything, to handlers that
 * answer anything they may. Every read of guest memory gets other bytes, so
 * that what is fetched twice would be seen twice: each byte is fetched at most
 * once a dispatch, only changed registers change, output stays in its page.
 */

#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/support/input.h"
#include "fuzz/support/lone_host.h"
#include "vmrig/hv.h"
#include "vmrig/vp_state.h"

#define PAGE_BYTES UINT64_C(4096)
#define RAM_GPA PAGE_BYTES
#define RAM_BYTES (2 * PAGE_BYTES)
#define ROM_GPA (4 * PAGE_BYTES)
#define TOP_GPA (5 * PAGE_BYTES)
/* A list of 4,095 elements takes 64 dispatches; a handler may answer "try again" for ever. */
#define DISPATCH_MAX 80u

struct guest {
    struct lone_host lone;
    struct vmr_memory *memory;
    struct input input;
    struct vmr_hv_calls calls;
    struct vmr_hv_caller caller;
    uint8_t fetched[TOP_GPA]; /* in this dispatch */
    size_t written;
    bool broke_contract; /* the handler, on purpose */
    unsigned handled;
};

static void see_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct guest *guest = context;

    FUZZ_CHECK(gpa + length <= TOP_GPA);
    for (size_t i = 0; i < length; i++)
        FUZZ_CHECK(++guest->fetched[gpa + i] == 1);
    input_bytes(&guest->input, bytes, length);
}

static void see_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct guest *guest = context;

    (void)bytes;
    FUZZ_CHECK(gpa >= RAM_GPA && gpa + length <= RAM_GPA + RAM_BYTES);
    FUZZ_CHECK(length > 0 && gpa / PAGE_BYTES == (gpa + length - 1) / PAGE_BYTES);
    guest->written += length;
    FUZZ_CHECK(guest->written <= PAGE_BYTES);
}

static void see_fetch_or(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    (void)context, (void)gpa, (void)width, (void)mask, (void)old;
    FUZZ_NEVER("a hypercall sets bits in memory");
}

static const struct vmr_hv_call_sizes *sizes_of(const struct guest *guest, uint16_t code)
{
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(code);
    bool arm64 = guest->caller.abi == VMR_HV_ABI_ARM64_HVC || guest->caller.abi == VMR_HV_ABI_ARM64_SMCCC;

    FUZZ_CHECK(definition);
    return arm64 ? &definition->arm64 : &definition->x86;
}

/* Looks at every byte it was given, writes every byte it may. */
static enum hv_status handle(void *context, struct vmr_hv_call *call)
{
    static const enum hv_status answers[] = {HV_STATUS_SUCCESS,           HV_STATUS_SUCCESS, HV_STATUS_TIMEOUT,
                                             HV_STATUS_INVALID_PARAMETER, HV_STATUS_NO_DATA, (enum hv_status)0x12345};
    struct guest *guest = context;
    const struct vmr_hv_call_sizes *sizes = sizes_of(guest, call->code);
    bool rep = vmr_hv_call_find(call->code)->kind == VMR_HV_CALL_REP;
    size_t reps = (size_t)sizes->rep_input * call->rep_count;
    uint8_t seen = 0;

    guest->handled++;
    FUZZ_CHECK(call->rep_count <= VMR_HV_REP_MAX && (rep ? call->rep_count > 0 : call->rep_count == 0));
    for (size_t i = 0; i < sizes->input; i++)
        seen ^= call->input[i];
    for (size_t i = 0; i < 8 * call->variable_words; i++)
        seen ^= call->variable[i];
    for (size_t i = 0; i < reps; i++)
        seen ^= call->reps[i];
    memset(call->output, seen, rep ? (size_t)sizes->rep_output * call->rep_count : sizes->output);
    enum hv_status status = answers[input_u8(&guest->input) % (sizeof(answers) / sizeof(answers[0]))];

    call->reps_done = input_u8(&guest->input);
    if (rep && (input_u8(&guest->input) & 7) != 0)
        call->reps_done %= call->rep_count;
    guest->broke_contract =
        (unsigned)status > UINT16_MAX || (status != HV_STATUS_SUCCESS && rep && call->reps_done >= call->rep_count);
    return status;
}

static bool switch_vtl(void *context, const struct vmr_hv_vtl_switch *request)
{
    struct guest *guest = context;

    FUZZ_CHECK(request->caller == &guest->caller);
    return (input_u8(&guest->input) & 1) != 0;
}

static void add_memory(struct guest *guest, vmr_gpa gpa, uint64_t size, bool read_only)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size, .read_only = read_only};

    FUZZ_CHECK(vmr_memory_region_add(guest->memory, &region, NULL) == VMR_OK);
}

static void guest_init(struct guest *guest)
{
    const struct vmr_memory_observer observer = {see_read, see_write, see_fetch_or, guest};
    const struct vmr_hv_call_handler handler = {handle, guest};
    const struct vmr_hv_vtl_switch_handler vtl_switch = {switch_vtl, guest};
    unsigned without = input_choose(&guest->input, 64); /* one call in so many inputs is handled by nobody */

    lone_host_init(&guest->lone);
    FUZZ_CHECK(vmr_memory_create(&guest->lone.host, &guest->memory, NULL) == VMR_OK);
    add_memory(guest, RAM_GPA, RAM_BYTES, false);
    add_memory(guest, ROM_GPA, PAGE_BYTES, true);
    vmr_memory_set_observer(guest->memory, &observer);
    for (size_t i = 0; i < vmr_hv_call_count(); i++) {
        if (i + 1 != without && vmr_hv_call_at(i)->kind != VMR_HV_CALL_VTL_SWITCH)
            FUZZ_CHECK(vmr_hv_calls_set(&guest->calls, vmr_hv_call_at(i)->code, &handler) == VMR_OK);
    }
    if (without != 63)
        vmr_hv_calls_set_vtl_switch(&guest->calls, &vtl_switch);
    /* One by one: in what order the parts of an initialiser are evaluated is the compiler's. */
    guest->caller.abi = (uint8_t)input_choose(&guest->input, VMR_HV_ABI_COUNT + 1);
    guest->caller.vtl = (uint8_t)input_choose(&guest->input, 3);
    guest->caller.instruction_length = (uint8_t)input_choose(&guest->input, 17);
    guest->caller.pc_advanced = input_choose(&guest->input, 2) == 1;
    guest->caller.vp = input_choose(&guest->input, 256);
    unsigned form = input_choose(&guest->input, 16);

    guest->caller.without_xmm = form >= 8;
    guest->caller.privileges = form % 8u == 1 ? input_u64(&guest->input) : UINT64_MAX;
}

/* Mostly a call that exists, in the form that it has. */
static uint64_t take_control(struct guest *guest)
{
    uint8_t form = input_u8(&guest->input);

    if (form == UINT8_MAX)
        return input_number(&guest->input);
    const struct vmr_hv_call_definition *definition = vmr_hv_call_at(form % vmr_hv_call_count());
    uint64_t control = definition->code;
    uint8_t bits = input_u8(&guest->input);

    control |= bits & 1 ? HV_CONTROL_FAST : 0;
    if (bits & 2)
        control |= (uint64_t)input_u8(&guest->input) << HV_CONTROL_VARIABLE_SHIFT;
    if (definition->kind == VMR_HV_CALL_REP || (bits & 4))
        control |= input_number(&guest->input) << HV_CONTROL_REP_COUNT_SHIFT;
    if (bits & 8)
        control |= input_number(&guest->input) << HV_CONTROL_REP_START_SHIFT;
    if (bits & 16)
        control |= input_number(&guest->input);
    return control;
}

/* Mostly a place in memory, often near the end of a page. */
static uint64_t take_gpa(struct guest *guest)
{
    uint8_t form = input_u8(&guest->input);

    if (form == UINT8_MAX)
        return input_number(&guest->input);
    uint64_t gpa = (form % 6u) * PAGE_BYTES;

    return form / 6u % 2u == 0 ? gpa + 8u * (form / 12u) : gpa + PAGE_BYTES - 8u * (form / 12u);
}

static void take_registers(struct guest *guest, struct vmr_hv_call_registers *ret_registers)
{
    struct vmr_hv_call_registers *registers = ret_registers;
    uint64_t control = take_control(guest), input = take_gpa(guest), output = take_gpa(guest);

    *registers = (struct vmr_hv_call_registers){.pc = input_number(&guest->input)};
    if (guest->caller.abi == VMR_HV_ABI_X86) {
        registers->gpr[VMR_X86_RDX] = control >> 32;
        registers->gpr[VMR_X86_RAX] = control & UINT32_MAX;
        registers->gpr[VMR_X86_RBX] = input >> 32;
        registers->gpr[VMR_X86_RCX] = input & UINT32_MAX;
        registers->gpr[VMR_X86_RDI] = output >> 32;
        registers->gpr[VMR_X86_RSI] = output & UINT32_MAX;
    } else if (guest->caller.abi == VMR_HV_ABI_X64) {
        registers->gpr[VMR_X86_RCX] = control;
        registers->gpr[VMR_X86_RDX] = input;
        registers->gpr[VMR_X86_R8] = output;
    } else {
        unsigned first = guest->caller.abi == VMR_HV_ABI_ARM64_SMCCC ? 1 : 0;

        registers->gpr[first] = control;
        registers->gpr[first + 1] = input;
        registers->gpr[first + 2] = output;
    }
    for (unsigned left = input_u8(&guest->input) % 4u; left > 0; left--) {
        uint64_t *gpr = &registers->gpr[input_u8(&guest->input) % VMR_HV_GPR_COUNT];

        *gpr = input_number(&guest->input);
    }
    for (unsigned left = input_u8(&guest->input) % 4u; left > 0; left--) {
        struct vmr_hv_xmm *xmm = &registers->xmm[input_u8(&guest->input) % VMR_HV_XMM_COUNT];

        xmm->low = input_u64(&guest->input);
    }
}

static void check_registers(const struct vmr_hv_call_registers *before, const struct vmr_hv_call_registers *after)
{
    for (unsigned i = 0; i < VMR_HV_GPR_COUNT; i++)
        FUZZ_CHECK((after->gpr_modified >> i & 1) != 0 || before->gpr[i] == after->gpr[i]);
    for (unsigned i = 0; i < VMR_HV_XMM_COUNT; i++)
        FUZZ_CHECK((after->xmm_modified >> i & 1) != 0 ||
                   (before->xmm[i].low == after->xmm[i].low && before->xmm[i].high == after->xmm[i].high));
    FUZZ_CHECK(after->pc_modified || before->pc == after->pc);
}

static void check_result(const struct vmr_hv_result *result)
{
    FUZZ_CHECK(result->outcome <= VMR_HV_SWITCHED);
    FUZZ_CHECK(result->completed <= HV_CONTROL_REP_MAX);
    if (result->outcome == VMR_HV_RETRY)
        FUZZ_CHECK(result->status == HV_STATUS_TIMEOUT);
    else if (result->outcome != VMR_HV_DONE)
        FUZZ_CHECK(result->status == 0);
    else
        FUZZ_CHECK(result->status != HV_STATUS_TIMEOUT);
}

/* False: the guest would not call again. */
static bool dispatch(struct guest *guest, struct vmr_hv_call_registers *registers, uint16_t *completed)
{
    const struct vmr_hv_call_registers before = *registers;
    bool caller_is_valid = guest->caller.abi < VMR_HV_ABI_COUNT && guest->caller.instruction_length >= 1 &&
                           guest->caller.instruction_length <= 15;
    struct vmr_hv_result result = {0};

    memset(guest->fetched, 0, sizeof(guest->fetched));
    guest->written = 0;
    guest->broke_contract = false;
    enum vmr_status status = vmr_hv_dispatch(&guest->calls, &guest->caller, guest->memory, registers, &result);

    check_registers(&before, registers);
    FUZZ_CHECK((status == VMR_OK) == (caller_is_valid && !guest->broke_contract));
    FUZZ_CHECK(status == VMR_OK || status == VMR_E_USAGE);
    FUZZ_CHECK(status == VMR_OK || guest->written == 0);
    if (status != VMR_OK)
        return false;
    check_result(&result);
    if (result.outcome != VMR_HV_RETRY)
        return false;
    FUZZ_CHECK(result.completed >= *completed);
    *completed = result.completed;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_hv_call_registers registers;
    struct guest guest = {.input = input_of(data, size)};

    if (size > FUZZ_INPUT_MAX)
        return 0;
    guest_init(&guest);
    do {
        uint16_t completed = 0;

        take_registers(&guest, &registers);
        for (unsigned i = 0; i < DISPATCH_MAX && dispatch(&guest, &registers, &completed); i++)
            ;
    } while (!input_is_empty(&guest.input) && guest.handled < DISPATCH_MAX);
    vmr_memory_destroy(guest.memory);
    return 0;
}
