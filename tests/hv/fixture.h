/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests of hypercalls share: a guest's memory that counts how it is
 * touched, a caller, and one handler for every call that does as it is told.
 *
 * RAM is at [0x1000, 0x3000), a hole at [0x3000, 0x4000), read-only memory at
 * [0x4000, 0x5000).
 */

#include "vmrig/hv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/vp_state.h"

#include "lib/base/bytes.h"

#define INPUT_GPA UINT64_C(0x1000)
#define OUTPUT_GPA UINT64_C(0x2000)
#define HOLE_GPA UINT64_C(0x3000)
#define ROM_GPA UINT64_C(0x4000)

struct rig {
    struct vmr_host host;
    struct vmr_memory *memory;
    unsigned reads, writes; /* of guest memory */
    struct vmr_hv_calls calls;
    struct vmr_hv_caller caller;
    struct vmr_hv_call_registers registers;
    struct vmr_hv_result result;
    /* what the handler answers, and what it was given the last time */
    enum hv_status status;
    uint32_t reps_done;
    unsigned handled, reps_seen;
    uint32_t rep_first, rep_count;
    size_t variable_words;
    uint8_t input[VMR_PAGE_SIZE];
    uint8_t fill; /* of its output */
    size_t fill_bytes;
};

static inline void count_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    (void)gpa, (void)bytes, (void)length;
    ((struct rig *)context)->reads++;
}

static inline void count_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    (void)gpa, (void)bytes, (void)length;
    ((struct rig *)context)->writes++;
}

/* Keeps the input, fills the output, answers. */
static inline enum hv_status obey(void *context, struct vmr_hv_call *call)
{
    struct rig *rig = context;
    const struct vmr_hv_call_definition *definition = vmr_hv_call_find(call->code);
    size_t reps = (size_t)definition->x86.rep_input * call->rep_count;

    rig->handled++;
    rig->reps_seen += call->rep_count;
    rig->rep_first = call->rep_first;
    rig->rep_count = call->rep_count;
    rig->variable_words = call->variable_words;
    memcpy(rig->input, call->input, definition->x86.input);
    memcpy(rig->input + definition->x86.input, call->variable, 8 * call->variable_words);
    memcpy(rig->input + definition->x86.input + 8 * call->variable_words, call->reps, reps);
    memset(call->output, rig->fill, rig->fill_bytes);
    call->reps_done = rig->reps_done;
    return rig->status;
}

static inline void must_add(struct rig *rig, vmr_gpa gpa, uint64_t size, bool read_only)
{
    const struct vmr_memory_region region = {.gpa = gpa, .size = size, .read_only = read_only};

    assert_int_equal(vmr_memory_region_add(rig->memory, &region, NULL), VMR_OK);
}

/* Every call handled, every privilege held, a 64-bit caller at pc 0x100 with an instruction of 3 bytes. */
static inline void rig_init(struct rig *rig)
{
    const struct vmr_hv_call_handler handler = {obey, rig};
    const struct vmr_memory_observer observer = {.read = count_read, .write = count_write, .context = rig};

    memset(rig, 0, sizeof(*rig));
    vmr_host_posix(&rig->host, NULL);
    assert_int_equal(vmr_memory_create(&rig->host, &rig->memory, NULL), VMR_OK);
    must_add(rig, INPUT_GPA, 0x2000, false);
    must_add(rig, ROM_GPA, 0x1000, true);
    vmr_memory_set_observer(rig->memory, &observer);
    for (size_t i = 0; i < vmr_hv_call_count(); i++) {
        if (vmr_hv_call_at(i)->kind != VMR_HV_CALL_VTL_SWITCH)
            assert_int_equal(vmr_hv_calls_set(&rig->calls, vmr_hv_call_at(i)->code, &handler), VMR_OK);
    }
    rig->caller = (struct vmr_hv_caller){.abi = VMR_HV_ABI_X64, .instruction_length = 3, .privileges = UINT64_MAX};
    rig->registers.pc = 0x100;
}

static inline void rig_finish(struct rig *rig)
{
    vmr_memory_destroy(rig->memory);
}

static inline uint64_t control_of(unsigned code, bool fast, unsigned variable_words, unsigned count, unsigned start)
{
    return code | (fast ? HV_CONTROL_FAST : 0) | (uint64_t)variable_words << 17 | (uint64_t)count << 32 |
           (uint64_t)start << 48;
}

/* Control, input and output address of a caller in 64-bit mode. */
static inline void rig_set(struct rig *rig, uint64_t control, uint64_t input, uint64_t output)
{
    rig->registers.gpr[VMR_X86_RCX] = control;
    rig->registers.gpr[VMR_X86_RDX] = input;
    rig->registers.gpr[VMR_X86_R8] = output;
}

static inline void must_dispatch(struct rig *rig)
{
    assert_int_equal(vmr_hv_dispatch(&rig->calls, &rig->caller, rig->memory, &rig->registers, &rig->result), VMR_OK);
}

static inline void must_write(struct rig *rig, vmr_gpa gpa, const void *bytes, size_t length)
{
    assert_int_equal(vmr_memory_write(rig->memory, gpa, bytes, length), VMR_OK);
    rig->writes = 0;
}

static inline uint8_t byte_at(struct rig *rig, vmr_gpa gpa)
{
    uint8_t byte = 0;

    assert_int_equal(vmr_memory_read(rig->memory, gpa, &byte, 1), VMR_OK);
    return byte;
}
