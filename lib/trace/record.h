/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One record of a trace: its kinds, and which fields each kind has. The bytes,
 * the text and the comparison of records all follow from the one table in
 * record.c, so that a field exists in every form or in none.
 * docs/trace_format.md says what the kinds mean.
 */

#include "lib/base/reader.h"
#include "lib/base/writer.h"
#include "vmrig/backend.h"
#include "vmrig/exit.h"
#include "vmrig/limits.h"
#include "vmrig/vp_state.h"

enum trace_kind {
    TRACE_NONE = 0,
    TRACE_HYPERVISOR,
    TRACE_CPUID_DEFAULT,
    TRACE_VM,
    TRACE_MAP,
    TRACE_UNMAP,
    TRACE_ENTER,
    TRACE_EXIT,
    TRACE_COMPLETE,
    TRACE_LEAVE,
    TRACE_HALT,
    TRACE_PARK,
    TRACE_TIME,
    TRACE_ASYNC,
    TRACE_REGS,
    TRACE_MSR,
    TRACE_STATUS,
    TRACE_READ,
    TRACE_FETCH_OR,
    TRACE_ANSWER,
    TRACE_ANSWER_BYTES,
    TRACE_ANSWER_MSR,
    TRACE_ANSWER_CPUID,
    TRACE_ANSWER_HYPERCALL,
    TRACE_SET_REGS,
    TRACE_SET_MSR,
    TRACE_INTERRUPT,
    TRACE_NMI,
    TRACE_WINDOW,
    TRACE_TPR,
    TRACE_WRITE,
    TRACE_WRITE_HASH,
    TRACE_SET_DEBUG,
    TRACE_OUTPUT,
    TRACE_INPUT,
    TRACE_XMM,
    TRACE_SET_XMM,
    TRACE_EXCEPTION,
    TRACE_FLUSH,
    TRACE_WAIT,
    TRACE_MESSAGE,
    TRACE_EVENT,
    TRACE_CALL,
    TRACE_PROTECT,
    TRACE_SWITCH_VTL,
    TRACE_PASS_FAULT,
    TRACE_KIND_COUNT
};

/* Kinds have six bits. */
#define TRACE_KIND_MAX 63u

/* The value of `vp` in records of the partition. */
#define TRACE_NO_VP UINT32_MAX

/* Longer reads are several records; longer writes are recorded by hash. */
#define TRACE_READ_MAX 4096u
#define TRACE_WRITE_MAX 256u
/* A longer output is several records. */
#define TRACE_OUTPUT_MAX 256u
/* XMM0 to XMM5, each the low half first. */
#define TRACE_XMM_BYTES (VMR_HV_XMM_COUNT * 16u)
/* The name in a hypervisor record. */
#define TRACE_NAME_MAX 63u

/* TRACE_STATUS: which operation failed. */
enum trace_op {
    TRACE_OP_GET_REGS,
    TRACE_OP_SET_REGS,
    TRACE_OP_GET_MSR,
    TRACE_OP_SET_MSR,
    TRACE_OP_INTERRUPT,
    TRACE_OP_NMI,
    TRACE_OP_SET_DEBUG,
    TRACE_OP_GET_XMM,
    TRACE_OP_SET_XMM,
    TRACE_OP_EXCEPTION,
    TRACE_OP_FLUSH,
    TRACE_OP_PROTECT,
    TRACE_OP_SWITCH_VTL,
    TRACE_OP_PASS_FAULT,
    TRACE_OP_COUNT
};

#define TRACE_FIELD_MAX 5u

enum trace_field_type {
    TRACE_HEX,
    TRACE_DECIMAL,
    TRACE_DELTA, /* decimal; stored as the difference from the last one in the block */
    TRACE_WORD   /* a number below the count of `words` */
};

struct trace_field {
    const char *name;
    enum trace_field_type type;
    uint64_t max;
    const char *const *words;
};

/* What a kind has besides fields. */
enum trace_extra {
    TRACE_EXTRA_NONE,
    TRACE_EXTRA_BYTES,
    TRACE_EXTRA_NAME, /* bytes that are printable text */
    TRACE_EXTRA_REGS,
    TRACE_EXTRA_EXIT,
    TRACE_EXTRA_EXIT_OR_NONE
};

struct trace_kind_info {
    const char *name;
    bool reaction;
    enum trace_extra extra;
    size_t bytes_max; /* of TRACE_EXTRA_BYTES and TRACE_EXTRA_NAME */
    size_t field_count;
    struct trace_field fields[TRACE_FIELD_MAX];
};

/* NULL for a number that is no kind. */
const struct trace_kind_info *trace_kind_info(unsigned kind);
/*
 * Whether a reader that is older than the kind may skip it: a reaction that
 * came with a later minor version is only not checked there.
 */
bool trace_kind_is_optional(unsigned kind);

/*
 * A record. What it points to belongs to whoever made it: the decoder's is
 * valid until its next record.
 */
struct trace_record {
    uint8_t kind;  /* enum trace_kind; a number above them only if optional */
    bool optional; /* of a kind that readers may skip */
    uint32_t vp;   /* or TRACE_NO_VP */
    uint64_t sequence;
    uint64_t exit; /* exits up to and with this one */
    uint64_t value[TRACE_FIELD_MAX];
    const uint8_t *bytes;
    size_t length;
    const struct vmr_x86_regs *regs;
    const struct vmr_exit *vp_exit; /* TRACE_EXTRA_EXIT_OR_NONE: VMR_EXIT_NONE is none */
};

bool trace_record_is_reaction(const struct trace_record *record);
/* Kind, VP and content; not where it stands. */
bool trace_record_equal(const struct trace_record *a, const struct trace_record *b);

/*
 * The answer in `vp_exit`, as a record of its kind; false if an exit of this
 * kind has none. Points into `vp_exit`.
 */
bool trace_record_of_answer(const struct vmr_exit *vp_exit, struct trace_record *ret_record);

/* What another thread asks for. Points to its bytes. */
void trace_record_of_async(const struct vmr_async *request, struct trace_record *ret_record);
/* Whether a record of this kind is such a request. */
bool trace_kind_is_async(unsigned kind);

void trace_put_xmm(const struct vmr_hv_xmm *xmm, uint8_t ret_bytes[TRACE_XMM_BYTES]);
void trace_get_xmm(const uint8_t bytes[TRACE_XMM_BYTES], struct vmr_hv_xmm *ret_xmm);
/* Going on in another VTL; `initial` may be NULL. */
void trace_record_of_switch(uint8_t vtl, const struct vmr_x86_regs *initial, struct trace_record *ret_record);

/* The first TRACE_OUTPUT_MAX bytes at most of what went to a stream. Points to `bytes`. */
void trace_record_of_output(uint32_t stream, const uint8_t *bytes, size_t length, struct trace_record *ret_record);

/* A write of guest memory: with its bytes if they are few, else by hash. Points to `bytes`. */
void trace_record_of_write(uint64_t gpa, const void *bytes, size_t length, struct trace_record *ret_record);
