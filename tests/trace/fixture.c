/* SPDX-License-Identifier: MIT */
/*
 * Records of every kind and traces made of them.
 */

#include "tests/trace/fixture.h"

#define LIMIT (64u << 20)

static enum vmr_status append(void *context, const void *bytes, size_t length)
{
    struct writer *writer = context;

    writer_copy(writer, bytes, length);
    return writer_ok(writer) ? VMR_OK : VMR_E_NOMEM;
}

void bytes_sink(struct writer *ret_bytes, struct vmr_trace_sink *ret_sink)
{
    writer_init(ret_bytes, LIMIT);
    *ret_sink = (struct vmr_trace_sink){.write = append, .context = ret_bytes};
}

struct vmr_trace_source bytes_source(struct vmr_trace_memory *memory, const void *bytes, size_t length)
{
    struct vmr_trace_source source;

    *memory = (struct vmr_trace_memory){.bytes = bytes, .length = length};
    vmr_trace_source_memory(memory, &source);
    return source;
}

static uint8_t string_bytes[6] = {0x01, 0x02, 0xab, 0xcd, 0x00, 0xff};
static const uint8_t xmm_bytes[TRACE_XMM_BYTES] = {0x33, [16] = 0xff, [95] = 1};
static const uint8_t debug_bytes[45] = {1, 1, 3, 8, 0x10, 0x32};

static const struct vmr_exit exits[] = {
    {.kind = VMR_EXIT_IO, .native_reason = 2, .u.io = {.port = 0x71, .size = 1, .count = 1}},
    {.kind = VMR_EXIT_IO,
     .interrupt_ready = true,
     .u.io = {.port = 0x402, .size = 1, .direction = VMR_WRITE, .count = 1, .value = 0x53}},
    {.kind = VMR_EXIT_IO,
     .u.io = {.port = 0x1f0, .size = 2, .count = 3, .direction = VMR_WRITE, .string = true, .bytes = string_bytes}},
    {.kind = VMR_EXIT_MMIO, .tpr = 3, .u.mmio = {.gpa = 0xfee00020, .size = 4}},
    {.kind = VMR_EXIT_HALT},
    {.kind = VMR_EXIT_CANCEL, .native_reason = 10},
    {.kind = VMR_EXIT_NONE},
};

static struct vmr_x86_regs reset_regs, later_regs;

/* clang-format off: one record a line is the point */
static const struct trace_record records[] = {
    {.kind = TRACE_HYPERVISOR,
     .vp = TRACE_NO_VP,
     .value = {0x17f9c1, 1024, 46},
     .bytes = (const uint8_t *)"kvm",
     .length = 3},
    {.kind = TRACE_CPUID_DEFAULT, .vp = TRACE_NO_VP, .bytes = debug_bytes, .length = 28},
    {.kind = TRACE_VM, .vp = TRACE_NO_VP, .value = {2, VMR_IRQCHIP_USER, UINT64_MAX, 0}},
    {.kind = TRACE_MAP, .vp = TRACE_NO_VP, .value = {0x100000, 0x200000, 1}},
    {.kind = TRACE_ENTER, .vp = 0},
    {.kind = TRACE_TIME, .vp = 0, .value = {5000000000}},
    {.kind = TRACE_EXIT, .vp = 0, .vp_exit = &exits[0]},
    {.kind = TRACE_TIME, .vp = 0, .value = {4999999999}},
    {.kind = TRACE_ANSWER, .vp = 0, .value = {0x26}},
    {.kind = TRACE_EXIT, .vp = 2047, .vp_exit = &exits[1]},
    {.kind = TRACE_EXIT, .vp = 2047, .vp_exit = &exits[2]},
    {.kind = TRACE_ANSWER_BYTES, .vp = 2047, .bytes = string_bytes, .length = 6},
    {.kind = TRACE_COMPLETE, .vp = 2047, .vp_exit = &exits[3]},
    {.kind = TRACE_COMPLETE, .vp = 2047, .vp_exit = &exits[6]},
    {.kind = TRACE_ANSWER_MSR, .vp = 1, .value = {0, 1}},
    {.kind = TRACE_ANSWER_CPUID, .vp = 1, .value = {1, 2, UINT32_MAX, 0}},
    {.kind = TRACE_ANSWER_HYPERCALL, .vp = 1, .value = {UINT64_MAX}},
    {.kind = TRACE_REGS, .vp = 1, .regs = &reset_regs},
    {.kind = TRACE_SET_REGS, .vp = 1, .regs = &later_regs},
    {.kind = TRACE_REGS, .vp = 1, .regs = &later_regs},
    {.kind = TRACE_MSR, .vp = 1, .value = {0xc0000080, 0x500}},
    {.kind = TRACE_SET_MSR, .vp = 1, .value = {0x10, 0}},
    {.kind = TRACE_STATUS, .vp = 1, .value = {TRACE_OP_SET_MSR, VMR_E_GUEST}},
    {.kind = TRACE_READ, .vp = 1, .value = {0x5000}, .bytes = string_bytes, .length = 6},
    {.kind = TRACE_WRITE, .vp = 1, .value = {0xffffffffff000}, .bytes = string_bytes, .length = 1},
    {.kind = TRACE_WRITE_HASH, .vp = 1, .value = {0x6000, 131072, 0x123456789abcdef}},
    {.kind = TRACE_FETCH_OR, .vp = 1, .value = {0x7008, 8, 0x80, 0x7f}},
    {.kind = TRACE_UNMAP, .vp = 1, .value = {0x100000}},
    {.kind = TRACE_INTERRUPT, .vp = 1, .value = {0x30}},
    {.kind = TRACE_NMI, .vp = 1},
    {.kind = TRACE_WINDOW, .vp = 1, .value = {1}},
    {.kind = TRACE_TPR, .vp = 1, .value = {15}},
    {.kind = TRACE_SET_DEBUG, .vp = 1, .bytes = debug_bytes, .length = 45},
    {.kind = TRACE_OUTPUT, .vp = 1, .value = {UINT32_MAX}, .bytes = string_bytes, .length = 6},
    {.kind = TRACE_EXIT, .vp = 1, .vp_exit = &exits[4]},
    {.kind = TRACE_ASYNC, .vp = TRACE_NO_VP, .value = {VMR_ASYNC_MSI, 0xfee00000, 0x41}},
    {.kind = TRACE_INPUT, .vp = TRACE_NO_VP, .bytes = string_bytes, .length = 2},
    {.kind = TRACE_TIME, .vp = TRACE_NO_VP, .value = {5000100000}},
    {.kind = TRACE_MESSAGE, .vp = TRACE_NO_VP, .value = {2047, 2, 15, UINT32_MAX, UINT64_MAX}},
    {.kind = TRACE_MESSAGE, .vp = TRACE_NO_VP, .value = {0, 0, 2, 1, 0}, .bytes = string_bytes, .length = 6},
    {.kind = TRACE_EVENT, .vp = TRACE_NO_VP, .value = {1, 0, 3, 2047}},
    {.kind = TRACE_CALL, .vp = TRACE_NO_VP, .value = {VMR_CALL_PORT_REMOVE, 0x1234}},
    {.kind = TRACE_CALL, .vp = TRACE_NO_VP, .value = {VMR_CALL_MONITOR_PAGE, VMR_CALL_NOWHERE}},
    {.kind = TRACE_WAIT, .vp = TRACE_NO_VP},
    {.kind = TRACE_XMM, .vp = 1, .bytes = xmm_bytes, .length = TRACE_XMM_BYTES},
    {.kind = TRACE_SET_XMM, .vp = 1, .bytes = xmm_bytes, .length = TRACE_XMM_BYTES},
    {.kind = TRACE_EXCEPTION, .vp = 1, .value = {6}},
    {.kind = TRACE_FLUSH, .vp = 1},
    {.kind = TRACE_STATUS, .vp = 1, .value = {TRACE_OP_FLUSH, VMR_E_HOST}},
    {.kind = TRACE_WAIT, .vp = 1},
    {.kind = TRACE_PROTECT, .vp = 1, .value = {2, 0x5000, 0x1000, 0xff}},
    {.kind = TRACE_SWITCH_VTL, .vp = 1, .value = {2, UINT64_MAX}},
    {.kind = TRACE_PASS_FAULT, .vp = 1},
    {.kind = TRACE_PARK, .vp = 1, .value = {VMR_PARK_TIMEOUT}},
    {.kind = TRACE_EXIT, .vp = 0, .vp_exit = &exits[5]},
    {.kind = TRACE_LEAVE, .vp = 0, .value = {VMR_LEAVE_KICK}},
    {.kind = TRACE_HALT, .vp = 1},
};
/* clang-format on */

const struct trace_record *sample_records(size_t *ret_count)
{
    vmr_x86_regs_reset(&reset_regs);
    later_regs = reset_regs;
    later_regs.gpr[VMR_X86_R15] = UINT64_MAX;
    later_regs.rip = 0x1000;
    later_regs.cs.selector = 0;
    later_regs.cr8 = 0xf;
    *ret_count = sizeof(records) / sizeof(records[0]);
    return records;
}

void make_trace(const struct sample_options *options, struct writer *ret_trace)
{
    static const uint8_t unknown[] = {1, 2, 3};
    static const struct vmr_trace_meta meta[] = {{"firmware", "bios, two words=x"}, {"empty", ""}};
    const struct trace_record optional = {.kind = 60, .optional = true, .vp = 3, .bytes = unknown, .length = 3};
    struct trace_writer_options writer_options = {.codec = options->codec ? options->codec : VMR_TRACE_CODEC_NONE,
                                                  .minor = options->long_blocks ? 0 : TRACE_MINOR};
    struct writer tables;
    struct trace_writer *writer;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    bytes_sink(ret_trace, &writer_options.sink);
    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    CHECK_OK(trace_tables_build(&tables, meta, 2, NULL));
    writer_options.tables = tables.bytes;
    writer_options.tables_length = tables.length;
    CHECK_OK(trace_writer_create(&writer_options, &writer, NULL));
    for (size_t round = 0; round < (options->repeat ? options->repeat : 1); round++) {
        for (size_t i = 0; i < count; i++)
            CHECK_OK(trace_writer_append(writer, &samples[i]));
        if (options->with_optional)
            CHECK_OK(trace_writer_append(writer, &optional));
    }
    CHECK_OK(trace_writer_finish(writer, !options->without_footer, NULL));
    trace_writer_destroy(writer);
    writer_finish(&tables);
}

void print_trace(const struct writer *trace, struct writer *ret_text)
{
    struct vmr_trace_memory memory;
    struct vmr_trace_sink sink;
    struct vmr_error err = {0};
    struct vmr_trace_source source = bytes_source(&memory, trace->bytes, trace->length);

    bytes_sink(ret_text, &sink);
    if (vmr_trace_print(&source, &sink, NULL, &err))
        fail_msg("%s", err.message);
}
