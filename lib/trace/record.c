/* SPDX-License-Identifier: MIT */
/*
 * The table of record kinds, and what can be said of a record without its
 * bytes. A kind's number and name never change; new ones are added at the end,
 * with VMR_TRACE's minor version.
 */

#include "lib/trace/record.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/exit/exit_codec.h"
#include "lib/exit/x86_regs.h"
#include "lib/trace/format.h"
#include "vmrig/error.h"

#define HEX(field_name)                                                                                                \
    {                                                                                                                  \
        .name = (field_name), .type = TRACE_HEX, .max = UINT64_MAX                                                     \
    }
#define HEX_MAX(field_name, maximum)                                                                                   \
    {                                                                                                                  \
        .name = (field_name), .type = TRACE_HEX, .max = (maximum)                                                      \
    }
#define DECIMAL(field_name, maximum)                                                                                   \
    {                                                                                                                  \
        .name = (field_name), .type = TRACE_DECIMAL, .max = (maximum)                                                  \
    }
#define FLAG(field_name) DECIMAL(field_name, 1)
#define WORD(field_name, table)                                                                                        \
    {                                                                                                                  \
        .name = (field_name), .type = TRACE_WORD, .max = sizeof(table) / sizeof((table)[0]) - 1, .words = (table)      \
    }

/* Of what is sent to a SINT. */
#define TARGET_FIELDS                                                                                                  \
    DECIMAL("vp", VMR_VP_COUNT_MAX - 1), DECIMAL("vtl", VMR_VTL_COUNT - 1), DECIMAL("sint", HV_SINT_COUNT - 1)

static const char *const irqchip_words[VMR_IRQCHIP_COUNT] = {"user", "split", "kernel"};
static const char *const leave_words[VMR_LEAVE_COUNT] = {"halt", "stop", "kick", "yield", "step"};
static const char *const park_words[] = {"woken", "timeout", "deadlock"};
static const char *const async_words[VMR_ASYNC_INPUT] = {"irq", "msi", "lint", "nmi", "wake"};
static const char *const op_words[TRACE_OP_COUNT] = {"get-regs", "set-regs",  "get-msr",    "set-msr",   "interrupt",
                                                     "nmi",      "set-debug", "get-xmm",    "set-xmm",   "exception",
                                                     "flush",    "protect",   "switch-vtl", "pass-fault"};
static const char *const call_words[VMR_CALL_COUNT] = {"port-add",     "port-remove", "port-aim",
                                                       "monitor-page", "time",        "pages"};
/* The statuses by the names of vmr_status_name. */
static const char *const status_words[VMR_STATUS_COUNT] = {
    "ok",   "usage", "state",   "config",   "unsupported", "unavailable", "out-of-memory",
    "host", "guest", "corrupt", "diverged", "deadlock",
};

/* 256 entries of seven u32. */
#define CPUID_BYTES_MAX (VMR_CPUID_LEAF_MAX * 28u)
/* single step, then enabled, kind, length, address of each breakpoint. */
#define DEBUG_BYTES (1u + VMR_X86_BREAKPOINT_COUNT * 11u)

static const struct trace_kind_info kinds[TRACE_KIND_COUNT] = {
    [TRACE_HYPERVISOR] = {"hypervisor",
                          false,
                          TRACE_EXTRA_NAME,
                          TRACE_NAME_MAX,
                          3,
                          {HEX("caps"), DECIMAL("vps", VMR_VP_COUNT_MAX), DECIMAL("bits", VMR_PHYSICAL_BITS_MAX)}},
    [TRACE_CPUID_DEFAULT] = {"cpuid-default", false, TRACE_EXTRA_BYTES, CPUID_BYTES_MAX, 0, {{0}}},
    [TRACE_VM] = {"vm",
                  true,
                  TRACE_EXTRA_NONE,
                  0,
                  4,
                  {DECIMAL("vps", VMR_VP_COUNT_MAX), WORD("irqchip", irqchip_words), HEX("cpuid"), HEX("msrs")}},
    [TRACE_MAP] = {"map", true, TRACE_EXTRA_NONE, 0, 3, {HEX("gpa"), HEX("size"), FLAG("ro")}},
    [TRACE_UNMAP] = {"unmap", true, TRACE_EXTRA_NONE, 0, 1, {HEX("gpa")}},
    [TRACE_ENTER] = {"enter", false, TRACE_EXTRA_NONE, 0, 0, {{0}}},
    [TRACE_EXIT] = {"exit", false, TRACE_EXTRA_EXIT, 0, 0, {{0}}},
    [TRACE_COMPLETE] = {"complete", false, TRACE_EXTRA_EXIT_OR_NONE, 0, 0, {{0}}},
    [TRACE_LEAVE] = {"leave", false, TRACE_EXTRA_NONE, 0, 1, {WORD("why", leave_words)}},
    [TRACE_HALT] = {"halt", true, TRACE_EXTRA_NONE, 0, 0, {{0}}},
    [TRACE_PARK] = {"park", false, TRACE_EXTRA_NONE, 0, 1, {WORD("result", park_words)}},
    [TRACE_TIME] = {"time", false, TRACE_EXTRA_NONE, 0, 1, {{.name = "ns", .type = TRACE_DELTA, .max = UINT64_MAX}}},
    [TRACE_ASYNC] = {"async", false, TRACE_EXTRA_NONE, 0, 3, {WORD("what", async_words), HEX("a"), HEX("b")}},
    [TRACE_REGS] = {"regs", false, TRACE_EXTRA_REGS, 0, 0, {{0}}},
    [TRACE_MSR] = {"msr", false, TRACE_EXTRA_NONE, 0, 2, {HEX_MAX("index", UINT32_MAX), HEX("value")}},
    [TRACE_STATUS] = {"status", false, TRACE_EXTRA_NONE, 0, 2, {WORD("op", op_words), WORD("status", status_words)}},
    [TRACE_READ] = {"read", false, TRACE_EXTRA_BYTES, TRACE_READ_MAX, 1, {HEX("gpa")}},
    [TRACE_FETCH_OR] =
        {"fetch-or", false, TRACE_EXTRA_NONE, 0, 4, {HEX("gpa"), DECIMAL("width", 8), HEX("mask"), HEX("old")}},
    [TRACE_ANSWER] = {"answer", true, TRACE_EXTRA_NONE, 0, 1, {HEX("value")}},
    [TRACE_ANSWER_BYTES] = {"answer-bytes", true, TRACE_EXTRA_BYTES, VMR_STRING_IO_BYTES_MAX, 0, {{0}}},
    [TRACE_ANSWER_MSR] = {"answer-msr", true, TRACE_EXTRA_NONE, 0, 2, {HEX("value"), FLAG("fault")}},
    [TRACE_ANSWER_CPUID] = {"answer-cpuid",
                            true,
                            TRACE_EXTRA_NONE,
                            0,
                            4,
                            {HEX_MAX("eax", UINT32_MAX), HEX_MAX("ebx", UINT32_MAX), HEX_MAX("ecx", UINT32_MAX),
                             HEX_MAX("edx", UINT32_MAX)}},
    [TRACE_ANSWER_HYPERCALL] = {"answer-hypercall", true, TRACE_EXTRA_NONE, 0, 1, {HEX("result")}},
    [TRACE_SET_REGS] = {"set-regs", true, TRACE_EXTRA_REGS, 0, 0, {{0}}},
    [TRACE_SET_MSR] = {"set-msr", true, TRACE_EXTRA_NONE, 0, 2, {HEX_MAX("index", UINT32_MAX), HEX("value")}},
    [TRACE_INTERRUPT] = {"interrupt", true, TRACE_EXTRA_NONE, 0, 1, {HEX_MAX("vector", UINT8_MAX)}},
    [TRACE_NMI] = {"nmi", true, TRACE_EXTRA_NONE, 0, 0, {{0}}},
    [TRACE_WINDOW] = {"window", true, TRACE_EXTRA_NONE, 0, 1, {FLAG("wanted")}},
    [TRACE_TPR] = {"tpr", true, TRACE_EXTRA_NONE, 0, 1, {HEX_MAX("value", UINT8_MAX)}},
    [TRACE_WRITE] = {"write", true, TRACE_EXTRA_BYTES, TRACE_WRITE_MAX, 1, {HEX("gpa")}},
    [TRACE_WRITE_HASH] =
        {"write-hash", true, TRACE_EXTRA_NONE, 0, 3, {HEX("gpa"), DECIMAL("length", UINT64_MAX), HEX("hash")}},
    [TRACE_SET_DEBUG] = {"set-debug", true, TRACE_EXTRA_BYTES, DEBUG_BYTES, 0, {{0}}},
    [TRACE_OUTPUT] = {"output", true, TRACE_EXTRA_BYTES, TRACE_OUTPUT_MAX, 1, {DECIMAL("stream", UINT32_MAX)}},
    [TRACE_INPUT] = {"input", false, TRACE_EXTRA_BYTES, VMR_INPUT_BYTES_MAX, 1, {DECIMAL("stream", UINT32_MAX)}},
    [TRACE_XMM] = {"xmm", false, TRACE_EXTRA_BYTES, TRACE_XMM_BYTES, 0, {{0}}},
    [TRACE_SET_XMM] = {"set-xmm", true, TRACE_EXTRA_BYTES, TRACE_XMM_BYTES, 0, {{0}}},
    [TRACE_EXCEPTION] = {"exception", true, TRACE_EXTRA_NONE, 0, 1, {HEX_MAX("vector", UINT8_MAX)}},
    [TRACE_FLUSH] = {"flush", true, TRACE_EXTRA_NONE, 0, 0, {{0}}},
    [TRACE_WAIT] = {"wait", false, TRACE_EXTRA_NONE, 0, 0, {{0}}},
    [TRACE_MESSAGE] = {"message",
                       false,
                       TRACE_EXTRA_BYTES,
                       HV_MESSAGE_PAYLOAD_MAX,
                       5,
                       {TARGET_FIELDS, HEX_MAX("type", UINT32_MAX), HEX("origin")}},
    [TRACE_EVENT] = {"event", false, TRACE_EXTRA_NONE, 0, 4, {TARGET_FIELDS, DECIMAL("flag", HV_EVENT_FLAG_COUNT - 1)}},
    [TRACE_CALL] = {"call", false, TRACE_EXTRA_NONE, 0, 2, {WORD("what", call_words), HEX("argument")}},
    [TRACE_PROTECT] = {"protect",
                       true,
                       TRACE_EXTRA_NONE,
                       0,
                       4,
                       {DECIMAL("vtl", VMR_VTL_COUNT - 1), HEX("gpa"), HEX("size"), HEX_MAX("access", UINT8_MAX)}},
    [TRACE_SWITCH_VTL] =
        {"switch-vtl", true, TRACE_EXTRA_NONE, 0, 2, {DECIMAL("vtl", VMR_VTL_COUNT - 1), HEX("initial")}},
    [TRACE_PASS_FAULT] = {"pass-fault", true, TRACE_EXTRA_NONE, 0, 0, {{0}}},
};

const struct trace_kind_info *trace_kind_info(unsigned kind)
{
    if (kind >= TRACE_KIND_COUNT || !kinds[kind].name)
        return NULL;
    return &kinds[kind];
}

bool trace_kind_is_optional(unsigned kind)
{
    return kind == TRACE_OUTPUT;
}

bool trace_record_is_reaction(const struct trace_record *record)
{
    const struct trace_kind_info *info = trace_kind_info(record->kind);

    return info && info->reaction;
}

/* Segment structs may have padding, so by fields: through the register table. */
static bool regs_equal(const struct vmr_x86_regs *a, const struct vmr_x86_regs *b)
{
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        if (x86_reg_get(a, i) != x86_reg_get(b, i))
            return false;
    }
    return true;
}

/* Exits have unions with padding as well: equal is what encodes alike. */
static bool exit_equal(const struct vmr_exit *a, const struct vmr_exit *b)
{
    struct writer bytes_a, bytes_b;

    if (a->kind == VMR_EXIT_NONE || b->kind == VMR_EXIT_NONE)
        return a->kind == b->kind;
    writer_init(&bytes_a, VMR_TRACE_BLOCK_BYTES_MAX);
    writer_init(&bytes_b, VMR_TRACE_BLOCK_BYTES_MAX);
    exit_encode(&bytes_a, a, EXIT_INPUTS);
    exit_encode(&bytes_b, b, EXIT_INPUTS);
    bool equal = writer_ok(&bytes_a) && writer_ok(&bytes_b) && bytes_a.length == bytes_b.length &&
                 memcmp(bytes_a.bytes, bytes_b.bytes, bytes_a.length) == 0;

    writer_finish(&bytes_a);
    writer_finish(&bytes_b);
    return equal;
}

bool trace_record_equal(const struct trace_record *a, const struct trace_record *b)
{
    if (a->kind != b->kind || a->vp != b->vp || a->length != b->length)
        return false;
    if (a->length > 0 && memcmp(a->bytes, b->bytes, a->length) != 0)
        return false;
    for (size_t i = 0; i < TRACE_FIELD_MAX; i++) {
        if (a->value[i] != b->value[i])
            return false;
    }
    if (a->regs && b->regs)
        return regs_equal(a->regs, b->regs);
    if (a->vp_exit && b->vp_exit)
        return exit_equal(a->vp_exit, b->vp_exit);
    return true;
}

static bool answer_of_io(const struct vmr_exit_io *io, struct trace_record *record)
{
    if (io->direction != VMR_READ)
        return false;
    record->kind = io->string ? TRACE_ANSWER_BYTES : TRACE_ANSWER;
    if (io->string) {
        record->bytes = io->bytes;
        record->length = (size_t)io->count * io->size;
    } else {
        record->value[0] = io->value;
    }
    return true;
}

bool trace_record_of_answer(const struct vmr_exit *vp_exit, struct trace_record *ret_record)
{
    struct trace_record record = {.vp = TRACE_NO_VP};

    if (vp_exit->kind == VMR_EXIT_IO) {
        if (!answer_of_io(&vp_exit->u.io, &record))
            return false;
    } else if (vp_exit->kind == VMR_EXIT_MMIO) {
        if (vp_exit->u.mmio.direction != VMR_READ)
            return false;
        record.kind = TRACE_ANSWER;
        record.value[0] = vp_exit->u.mmio.value;
    } else if (vp_exit->kind == VMR_EXIT_MSR) {
        const struct vmr_exit_msr *msr = &vp_exit->u.msr;

        /* The guest sees no value beside a fault, and none of a write. */
        record.kind = TRACE_ANSWER_MSR;
        record.value[0] = msr->direction == VMR_READ && !msr->fault ? msr->value : 0;
        record.value[1] = msr->fault;
    } else if (vp_exit->kind == VMR_EXIT_CPUID) {
        const struct vmr_exit_cpuid *cpuid = &vp_exit->u.cpuid;

        record.kind = TRACE_ANSWER_CPUID;
        record.value[0] = cpuid->eax;
        record.value[1] = cpuid->ebx;
        record.value[2] = cpuid->ecx;
        record.value[3] = cpuid->edx;
    } else if (vp_exit->kind == VMR_EXIT_HYPERCALL) {
        record.kind = TRACE_ANSWER_HYPERCALL;
        record.value[0] = vp_exit->u.hypercall.result;
    } else {
        return false;
    }
    *ret_record = record;
    return true;
}

void trace_record_of_async(const struct vmr_async *request, struct trace_record *ret_record)
{
    const struct vmr_synic_target *to = request->target;
    struct trace_record record = {.vp = TRACE_NO_VP, .bytes = request->bytes, .length = request->length};

    switch (request->kind) {
    case VMR_ASYNC_INPUT:
        record.kind = TRACE_INPUT;
        record.value[0] = request->a;
        break;
    case VMR_ASYNC_MESSAGE:
    case VMR_ASYNC_EVENT:
        record.kind = request->kind == VMR_ASYNC_MESSAGE ? TRACE_MESSAGE : TRACE_EVENT;
        record.value[0] = to->vp;
        record.value[1] = to->vtl;
        record.value[2] = to->sint;
        record.value[3] = request->a;
        record.value[4] = request->b;
        break;
    case VMR_ASYNC_CALL:
        record.kind = TRACE_CALL;
        record.value[0] = request->a;
        record.value[1] = request->b;
        break;
    default:
        record.kind = TRACE_ASYNC;
        record.value[0] = request->kind;
        record.value[1] = request->a;
        record.value[2] = request->b;
    }
    *ret_record = record;
}

bool trace_kind_is_async(unsigned kind)
{
    return kind == TRACE_ASYNC || kind == TRACE_INPUT || kind == TRACE_MESSAGE || kind == TRACE_EVENT ||
           kind == TRACE_CALL;
}

void trace_put_xmm(const struct vmr_hv_xmm *xmm, uint8_t ret_bytes[TRACE_XMM_BYTES])
{
    for (size_t i = 0; i < VMR_HV_XMM_COUNT; i++) {
        store_le64(ret_bytes + 16 * i, xmm[i].low);
        store_le64(ret_bytes + 16 * i + 8, xmm[i].high);
    }
}

void trace_get_xmm(const uint8_t bytes[TRACE_XMM_BYTES], struct vmr_hv_xmm *ret_xmm)
{
    for (size_t i = 0; i < VMR_HV_XMM_COUNT; i++)
        ret_xmm[i] = (struct vmr_hv_xmm){.low = load_le64(bytes + 16 * i), .high = load_le64(bytes + 16 * i + 8)};
}

void trace_record_of_switch(uint8_t vtl, const struct vmr_x86_regs *initial, struct trace_record *ret_record)
{
    uint8_t words[8 * 64] = {0};

    for (unsigned i = 0; initial && i < x86_reg_count(); i++)
        store_le64(words + 8 * i, x86_reg_get(initial, i));
    *ret_record = (struct trace_record){
        .kind = TRACE_SWITCH_VTL, .vp = TRACE_NO_VP, .value = {vtl, initial ? trace_hash(words, sizeof(words)) : 0}};
}

void trace_record_of_output(uint32_t stream, const uint8_t *bytes, size_t length, struct trace_record *ret_record)
{
    *ret_record = (struct trace_record){
        .kind = TRACE_OUTPUT,
        .vp = TRACE_NO_VP,
        .value = {stream},
        .bytes = bytes,
        .length = length < TRACE_OUTPUT_MAX ? length : TRACE_OUTPUT_MAX,
    };
}

void trace_record_of_write(uint64_t gpa, const void *bytes, size_t length, struct trace_record *ret_record)
{
    if (length <= TRACE_WRITE_MAX) {
        *ret_record = (struct trace_record){
            .kind = TRACE_WRITE,
            .vp = TRACE_NO_VP,
            .value = {gpa},
            .bytes = bytes,
            .length = length,
        };
        return;
    }
    *ret_record = (struct trace_record){
        .kind = TRACE_WRITE_HASH,
        .vp = TRACE_NO_VP,
        .value = {gpa, length, trace_hash(bytes, length)},
    };
}
