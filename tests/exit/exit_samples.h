/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Answered exits of every kind, with what they look like in text: the rows that
 * the tests of printer, parser and codec share.
 */

#include <string.h>

#include "lib/exit/exit.h"

struct exit_sample {
    const char *name;
    const char *whole;  /* vmr_exit_print */
    const char *inputs; /* NULL: the same */
    const char *answer;
    struct vmr_exit vp_exit; /* io.bytes is filled in by sample_exit */
};

/* What string samples hold. */
static const uint8_t sample_bytes[6] = {0x01, 0x02, 0xab, 0xcd, 0x00, 0xff};

/* clang-format off */
#define SAMPLE(k, member, ...) {.kind = (k), .u.member = {__VA_ARGS__}}
/* clang-format on */

static const struct exit_sample samples[] = {
    {"none", "none", NULL, "", {.kind = VMR_EXIT_NONE}},
    {"port write", "io write port=0x402 size=1 value=0x53", NULL, "",
     SAMPLE(VMR_EXIT_IO, io, .port = 0x402, .size = 1, .direction = VMR_WRITE, .count = 1, .value = 0x53)},
    {"port read of a high byte", "io read port=0x71 size=1 value=0xff", "io read port=0x71 size=1", "value=0xff",
     SAMPLE(VMR_EXIT_IO, io, .port = 0x71, .size = 1, .count = 1, .value = 0xff)},
    {"widest port read", "io read port=0xffff size=4 value=0xffffffff", "io read port=0xffff size=4",
     "value=0xffffffff", SAMPLE(VMR_EXIT_IO, io, .port = 0xffff, .size = 4, .count = 1, .value = UINT32_MAX)},
    {"string read", "io read port=0x1f0 size=2 count=3 string bytes=0102abcd00ff",
     "io read port=0x1f0 size=2 count=3 string", "bytes=0102abcd00ff",
     SAMPLE(VMR_EXIT_IO, io, .port = 0x1f0, .size = 2, .count = 3, .string = true)},
    {"string write of one item", "io write port=0x0 size=4 count=1 string bytes=0102abcd", NULL, "",
     SAMPLE(VMR_EXIT_IO, io, .size = 4, .direction = VMR_WRITE, .count = 1, .string = true)},
    {"mmio read", "mmio read gpa=0xfee00020 size=4 value=0x0", "mmio read gpa=0xfee00020 size=4", "value=0x0",
     SAMPLE(VMR_EXIT_MMIO, mmio, .gpa = 0xfee00020, .size = 4)},
    {"mmio write of 8 bytes", "mmio write gpa=0xffffffffffff8 size=8 value=0xffffffffffffffff", NULL, "",
     SAMPLE(VMR_EXIT_MMIO, mmio, .gpa = 0xffffffffffff8, .size = 8, .direction = VMR_WRITE, .value = UINT64_MAX)},
    {"mmio write of an odd size", "mmio write gpa=0x1ffd size=3 value=0x123456", NULL, "",
     SAMPLE(VMR_EXIT_MMIO, mmio, .gpa = 0x1ffd, .size = 3, .direction = VMR_WRITE, .value = 0x123456)},
    {"mmio read of seven bytes", "mmio read gpa=0x0 size=7 value=0xffffffffffffff", "mmio read gpa=0x0 size=7",
     "value=0xffffffffffffff", SAMPLE(VMR_EXIT_MMIO, mmio, .size = 7, .value = UINT64_MAX >> 8)},
    {"msr read", "msr read index=0x10 value=0x0", "msr read index=0x10", "value=0x0",
     SAMPLE(VMR_EXIT_MSR, msr, .index = 0x10)},
    {"msr read that faults", "msr read index=0xffffffff value=0x0 fault", "msr read index=0xffffffff",
     "value=0x0 fault", SAMPLE(VMR_EXIT_MSR, msr, .index = UINT32_MAX, .fault = true)},
    {"msr write", "msr write index=0x1b value=0xfee00900", NULL, "",
     SAMPLE(VMR_EXIT_MSR, msr, .index = 0x1b, .direction = VMR_WRITE, .value = 0xfee00900)},
    {"msr write that faults", "msr write index=0x1b value=0xffffffffffffffff fault",
     "msr write index=0x1b value=0xffffffffffffffff", "fault",
     SAMPLE(VMR_EXIT_MSR, msr, .index = 0x1b, .direction = VMR_WRITE, .fault = true, .value = UINT64_MAX)},
    {"cpuid", "cpuid leaf=0x80000008 subleaf=0x1 eax=0x3030 ebx=0x0 ecx=0xffffffff edx=0x4", NULL,
     "eax=0x3030 ebx=0x0 ecx=0xffffffff edx=0x4",
     SAMPLE(VMR_EXIT_CPUID, cpuid, .leaf = 0x80000008, .subleaf = 1, .eax = 0x3030, .ecx = UINT32_MAX, .edx = 4)},
    {"hypercall", "hypercall number=0x1 args=0x2,0x0,0xffffffffffffffff long result=0x5",
     "hypercall number=0x1 args=0x2,0x0,0xffffffffffffffff long", "result=0x5",
     SAMPLE(VMR_EXIT_HYPERCALL, hypercall, .number = 1, .args = {2, 0, UINT64_MAX}, .long_mode = true, .result = 5)},
    {"hypercall without arguments", "hypercall number=0xffffffffffffffff result=0x0",
     "hypercall number=0xffffffffffffffff", "result=0x0", SAMPLE(VMR_EXIT_HYPERCALL, hypercall, .number = UINT64_MAX)},
    {"hypercall with six arguments", "hypercall number=0x0 args=0x1,0x2,0x3,0x4,0x5,0x6 result=0x0",
     "hypercall number=0x0 args=0x1,0x2,0x3,0x4,0x5,0x6", "result=0x0",
     SAMPLE(VMR_EXIT_HYPERCALL, hypercall, .args = {1, 2, 3, 4, 5, 6})},
    {"halt", "halt", NULL, "", {.kind = VMR_EXIT_HALT}},
    {"halt with all common fields",
     "halt native=0xffffffff vtl=2 ready tpr=15",
     NULL,
     "",
     {.kind = VMR_EXIT_HALT, .native_reason = UINT32_MAX, .vtl = 2, .interrupt_ready = true, .tpr = 15}},
    {"interrupt window",
     "irq-window native=0x7 ready",
     NULL,
     "",
     {.kind = VMR_EXIT_IRQ_WINDOW, .native_reason = 7, .interrupt_ready = true}},
    {"end of interrupt", "eoi vector=0xff", NULL, "", SAMPLE(VMR_EXIT_EOI, eoi, .vector = 0xff)},
    {"cancel", "cancel tpr=1", NULL, "", {.kind = VMR_EXIT_CANCEL, .tpr = 1}},
    {"single step", "debug step pc=0xfff0", NULL, "", SAMPLE(VMR_EXIT_DEBUG, debug, .single_step = true, .pc = 0xfff0)},
    {"breakpoint", "debug breakpoint=3 pc=0xffffffff80000000", NULL, "",
     SAMPLE(VMR_EXIT_DEBUG, debug, .breakpoint = 3, .pc = UINT64_C(0xffffffff80000000))},
    {"triple fault", "shutdown vtl=0", NULL, "", {.kind = VMR_EXIT_SHUTDOWN}},
    {"triple fault of a lower VTL",
     "shutdown vtl=0 native=0x8 running-vtl=1",
     NULL,
     "",
     {.kind = VMR_EXIT_SHUTDOWN, .native_reason = 8, .vtl = 1}},
    {"triple fault of VTL 2", "shutdown vtl=2", NULL, "", SAMPLE(VMR_EXIT_SHUTDOWN, shutdown, .vtl = 2)},
    {"power off", "system-event event=power-off detail=0x0", NULL, "",
     SAMPLE(VMR_EXIT_SYSTEM_EVENT, system_event, .event = VMR_SYSTEM_POWER_OFF)},
    {"crash", "system-event event=crash detail=0xffffffffffffffff", NULL, "",
     SAMPLE(VMR_EXIT_SYSTEM_EVENT, system_event, .event = VMR_SYSTEM_CRASH, .detail = UINT64_MAX)},
    {"memory fault", "memory-fault gpa=0xffffffffffffffff size=0x1000 flags=0x8", NULL, "",
     SAMPLE(VMR_EXIT_MEMORY_FAULT, memory_fault, .gpa = UINT64_MAX, .size = 4096, .flags = 8)},
    {"unknown reason",
     "fail cause=unknown code=0x2a native=0x63",
     NULL,
     "",
     {.kind = VMR_EXIT_FAIL, .native_reason = 99, .u.fail = {.cause = VMR_FAIL_UNKNOWN, .code = 42}}},
    {"emulation failure", "fail cause=emulation code=0x1 bytes=0f0b00", NULL, "",
     SAMPLE(VMR_EXIT_FAIL, fail, .cause = VMR_FAIL_EMULATION, .code = 1, .length = 3, .bytes = {0x0f, 0x0b, 0x00})},
};

#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

/* A copy of sample `index`; string data goes to `storage`, VMR_STRING_IO_BYTES_MAX bytes. */
static inline struct vmr_exit sample_exit(size_t index, uint8_t *storage)
{
    struct vmr_exit vp_exit = samples[index].vp_exit;

    if (vp_exit.kind == VMR_EXIT_IO && vp_exit.u.io.string) {
        vp_exit.u.io.bytes = storage;
        memcpy(storage, sample_bytes, vp_exit.u.io.count * vp_exit.u.io.size);
    }
    return vp_exit;
}

static inline const char *sample_inputs(size_t index)
{
    return samples[index].inputs ? samples[index].inputs : samples[index].whole;
}
