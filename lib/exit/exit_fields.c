/* SPDX-License-Identifier: MIT */
/*
 * The table of exit fields. The order of a row is the order in text and in
 * bytes; changing it changes the trace format. What values are in range is in
 * exit.c.
 */

#include "lib/exit/exit_fields.h"

#include <stddef.h>

/* The member `m`, its place and width. */
#define MEMBER(m) .offset = offsetof(struct vmr_exit, m), .width = sizeof(((struct vmr_exit *)0)->m)
#define INPUT .part = EXIT_FIELD_INPUT
#define ANSWER .part = EXIT_FIELD_ANSWER
#define BOTH .part = EXIT_FIELD_BOTH
#define BY_DIRECTION .part = EXIT_FIELD_BY_DIRECTION
#define HEX .type = EXIT_FIELD_HEX
#define DECIMAL .type = EXIT_FIELD_DECIMAL

static const struct exit_field no_fields[] = {{0}};

static const struct exit_field io_fields[] = {
    {"direction", MEMBER(u.io.direction), .type = EXIT_FIELD_DIRECTION, INPUT, .in_tag = true},
    {"port", MEMBER(u.io.port), HEX, INPUT},
    {"size", MEMBER(u.io.size), DECIMAL, INPUT, .in_tag = true},
    {"count", MEMBER(u.io.count), DECIMAL, INPUT, .when = EXIT_FIELD_IF_STRING},
    {"string", MEMBER(u.io.string), .type = EXIT_FIELD_FLAG, INPUT, .in_tag = true, .optional = true},
    {"value", MEMBER(u.io.value), .type = EXIT_FIELD_DATA, BY_DIRECTION, .when = EXIT_FIELD_IF_ITEM},
    {"bytes", MEMBER(u.io.bytes), .type = EXIT_FIELD_STRING, BY_DIRECTION, .when = EXIT_FIELD_IF_STRING},
    {0},
};

static const struct exit_field mmio_fields[] = {
    {"direction", MEMBER(u.mmio.direction), .type = EXIT_FIELD_DIRECTION, INPUT, .in_tag = true},
    {"gpa", MEMBER(u.mmio.gpa), HEX, INPUT},
    {"size", MEMBER(u.mmio.size), DECIMAL, INPUT, .in_tag = true},
    {"value", MEMBER(u.mmio.value), .type = EXIT_FIELD_DATA, BY_DIRECTION},
    {0},
};

static const struct exit_field msr_fields[] = {
    {"direction", MEMBER(u.msr.direction), .type = EXIT_FIELD_DIRECTION, INPUT, .in_tag = true},
    {"index", MEMBER(u.msr.index), HEX, INPUT},
    {"value", MEMBER(u.msr.value), HEX, BY_DIRECTION},
    {"fault", MEMBER(u.msr.fault), .type = EXIT_FIELD_FLAG, ANSWER, .optional = true},
    {0},
};

static const struct exit_field cpuid_fields[] = {
    {"leaf", MEMBER(u.cpuid.leaf), HEX, INPUT},
    {"subleaf", MEMBER(u.cpuid.subleaf), HEX, INPUT, .optional = true},
    {"eax", MEMBER(u.cpuid.eax), HEX, BOTH, .optional = true},
    {"ebx", MEMBER(u.cpuid.ebx), HEX, BOTH, .optional = true},
    {"ecx", MEMBER(u.cpuid.ecx), HEX, BOTH, .optional = true},
    {"edx", MEMBER(u.cpuid.edx), HEX, BOTH, .optional = true},
    {0},
};

static const struct exit_field hypercall_fields[] = {
    {"number", MEMBER(u.hypercall.number), HEX, INPUT},
    {"args", MEMBER(u.hypercall.args), .type = EXIT_FIELD_ARGS, INPUT, .optional = true},
    {"long", MEMBER(u.hypercall.long_mode), .type = EXIT_FIELD_FLAG, INPUT, .in_tag = true, .optional = true},
    {"result", MEMBER(u.hypercall.result), HEX, ANSWER},
    {0},
};

static const struct exit_field eoi_fields[] = {
    {"vector", MEMBER(u.eoi.vector), HEX, INPUT},
    {0},
};

static const struct exit_field debug_fields[] = {
    {"step", MEMBER(u.debug.single_step), .type = EXIT_FIELD_FLAG, INPUT, .in_tag = true, .optional = true},
    {"breakpoint", MEMBER(u.debug.breakpoint), DECIMAL, INPUT, .when = EXIT_FIELD_IF_BREAKPOINT, .in_tag = true},
    {"pc", MEMBER(u.debug.pc), HEX, INPUT},
    {0},
};

static const struct exit_field shutdown_fields[] = {
    {"vtl", MEMBER(u.shutdown.vtl), DECIMAL, INPUT, .in_tag = true, .optional = true},
    {0},
};

static const struct exit_field system_event_fields[] = {
    {"event", MEMBER(u.system_event.event), .type = EXIT_FIELD_WORD, INPUT, .in_tag = true,
     .word = vmr_system_event_name, .word_count = VMR_SYSTEM_EVENT_COUNT},
    {"detail", MEMBER(u.system_event.detail), HEX, INPUT, .optional = true},
    {0},
};

static const struct exit_field memory_fault_fields[] = {
    {"gpa", MEMBER(u.memory_fault.gpa), HEX, INPUT},
    {"size", MEMBER(u.memory_fault.size), HEX, INPUT, .optional = true},
    {"flags", MEMBER(u.memory_fault.flags), HEX, INPUT, .optional = true},
    {0},
};

static const struct exit_field fail_fields[] = {
    {"cause", MEMBER(u.fail.cause), .type = EXIT_FIELD_WORD, INPUT, .word = vmr_fail_cause_name,
     .word_count = VMR_FAIL_CAUSE_COUNT},
    {"code", MEMBER(u.fail.code), HEX, INPUT, .optional = true},
    {"bytes", MEMBER(u.fail.bytes), .type = EXIT_FIELD_BYTES, INPUT, .optional = true},
    {0},
};

static const struct exit_field common_fields[] = {
    {"native", MEMBER(native_reason), HEX, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {"vtl", MEMBER(vtl), DECIMAL, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {"ready", MEMBER(interrupt_ready), .type = EXIT_FIELD_FLAG, INPUT, .in_tag = true, .optional = true},
    {"tpr", MEMBER(tpr), DECIMAL, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {0},
};

/* "vtl" of a shutdown is the VTL that faulted. */
static const struct exit_field shutdown_common_fields[] = {
    {"native", MEMBER(native_reason), HEX, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {"running-vtl", MEMBER(vtl), DECIMAL, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {"ready", MEMBER(interrupt_ready), .type = EXIT_FIELD_FLAG, INPUT, .in_tag = true, .optional = true},
    {"tpr", MEMBER(tpr), DECIMAL, INPUT, .when = EXIT_FIELD_NOT_ZERO, .in_tag = true, .optional = true},
    {0},
};

static const struct exit_field *const fields_of_kind[VMR_EXIT_KIND_COUNT] = {
    [VMR_EXIT_NONE] = no_fields,
    [VMR_EXIT_IO] = io_fields,
    [VMR_EXIT_MMIO] = mmio_fields,
    [VMR_EXIT_MSR] = msr_fields,
    [VMR_EXIT_CPUID] = cpuid_fields,
    [VMR_EXIT_HYPERCALL] = hypercall_fields,
    [VMR_EXIT_HALT] = no_fields,
    [VMR_EXIT_IRQ_WINDOW] = no_fields,
    [VMR_EXIT_EOI] = eoi_fields,
    [VMR_EXIT_CANCEL] = no_fields,
    [VMR_EXIT_DEBUG] = debug_fields,
    [VMR_EXIT_SHUTDOWN] = shutdown_fields,
    [VMR_EXIT_SYSTEM_EVENT] = system_event_fields,
    [VMR_EXIT_MEMORY_FAULT] = memory_fault_fields,
    [VMR_EXIT_FAIL] = fail_fields,
};

const struct exit_field *exit_fields_of_kind(uint32_t kind)
{
    return kind < VMR_EXIT_KIND_COUNT ? fields_of_kind[kind] : no_fields;
}

const struct exit_field *exit_fields_common(uint32_t kind)
{
    return kind == VMR_EXIT_SHUTDOWN ? shutdown_common_fields : common_fields;
}
