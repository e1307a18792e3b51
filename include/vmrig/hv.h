/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hypercalls: from a caller's registers to a handler and back, as pure code.
 *
 * The dispatcher decodes and checks what the guest asked for, fetches its input
 * once, gives a handler plain bytes, and writes result and output where the
 * caller's convention wants them. It knows no VP and no backend: registers come
 * in and go out as values, with a mask of those that changed.
 *
 *   zeroed vmr_hv_calls -> vmr_hv_calls_set ...      once for each partition
 *   registers from the VP -> vmr_hv_dispatch -> changed registers to the VP, then what `outcome` says
 *
 * What the guest is told is an enum hv_status; an enum vmr_status says that
 * the embedder broke this contract, and then nothing was written.
 */

#include "vmrig/hv_spec.h"
#include "vmrig/limits.h"
#include "vmrig/memory.h"

VMR_BEGIN_DECLS

/* --- the caller --- */

/* Calling conventions (TLFS, Hypercall Interface). */
enum vmr_hv_abi {
    VMR_HV_ABI_X64,         /* 64-bit mode: CR0.PE and EFER.LMA */
    VMR_HV_ABI_X86,         /* protected mode without it */
    VMR_HV_ABI_ARM64_HVC,   /* HVC #1 */
    VMR_HV_ABI_ARM64_SMCCC, /* HVC #0 with X0 = 0x46000001 */
    VMR_HV_ABI_COUNT
};

#define VMR_HV_GPR_COUNT 31u /* X0..X30; x86: 16, numbered as in enum vmr_x86_gpr */
#define VMR_HV_XMM_COUNT 6u

struct vmr_hv_xmm {
    uint64_t low, high;
};

/* What a hypervisor that serves a part of the interface itself offers there, in the bits of the leaves. */
struct vmr_hv_own {
    uint64_t privileges;      /* HV_CPUID_FEATURES, EBX:EAX */
    uint32_t features;        /* HV_CPUID_FEATURES, EDX */
    uint32_t recommendations; /* HV_CPUID_RECOMMENDATIONS, EAX */
    uint32_t signal_id_max;   /* signals on higher connection ids it refuses by itself; 0: on none */
};

/*
 * Read at most: x86 GPRs A, B, C, D, SI, DI, 8 and XMM0-5; arm64 X0-X17. A
 * caller may leave the others zero. The dispatcher sets the masks anew.
 */
struct vmr_hv_call_registers {
    uint64_t gpr[VMR_HV_GPR_COUNT];
    struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT];
    uint64_t pc;
    uint32_t gpr_modified; /* bit n: gpr[n] */
    uint8_t xmm_modified;  /* bit n: xmm[n] */
    bool pc_modified;
};

struct vmr_hv_caller {
    uint8_t abi;                /* enum vmr_hv_abi */
    uint8_t vtl;                /* that made the call */
    uint8_t instruction_length; /* of the exit, 1..15 */
    bool pc_advanced;           /* pc is already behind the instruction */
    bool without_xmm;           /* XMM registers cannot be had: x64 fast calls have one pair, and no output */
    vmr_vp_index vp;
    uint64_t privileges; /* HV_ACCESS_..., what the partition's configuration leaves it */
};

/* --- the calls --- */

enum vmr_hv_call_kind {
    VMR_HV_CALL_SIMPLE,
    VMR_HV_CALL_REP,       /* one operation on each element of a list */
    VMR_HV_CALL_VTL_SWITCH /* no result; decided by a struct vmr_hv_vtl_switch_handler */
};

/* In bytes. Input: fixed part, variable header (if any), elements; output: fixed part or elements. */
struct vmr_hv_call_sizes {
    uint16_t input, rep_input, rep_output, output;
};

struct vmr_hv_call_definition {
    const char *name;
    uint16_t code; /* enum hv_call_code */
    uint8_t kind;  /* enum vmr_hv_call_kind */
    bool variable; /* may have a variable header */
    bool x86_only;
    uint64_t privilege; /* one HV_ACCESS_..., or 0: needs none */
    struct vmr_hv_call_sizes x86, arm64;
};

/* NULL if the library has no definition of the call. Any thread. */
VMR_API const struct vmr_hv_call_definition *vmr_hv_call_find(uint64_t code);
/* All of them, in the order of their codes; NULL from vmr_hv_call_count() on. Any thread. */
VMR_API const struct vmr_hv_call_definition *vmr_hv_call_at(size_t index);
VMR_API size_t vmr_hv_call_count(void);

/*
 * One call as its handler sees it. The bytes are the library's copy, unaligned,
 * little endian, and gone when the handler returns; they are what the guest
 * chose, and nothing in them has been checked but their sizes.
 */
struct vmr_hv_call {
    const struct vmr_hv_caller *caller;
    uint16_t code;
    const uint8_t *input;    /* the fixed part, of the definition's size */
    const uint8_t *variable; /* the variable header */
    size_t variable_words;   /* of 8 bytes each */
    /*
     * Rep calls: the next elements, at most VMR_HV_REP_MAX; `rep_first` is the
     * number of reps[0] in the guest's list.
     */
    const uint8_t *reps;
    uint32_t rep_first, rep_count;
    uint8_t *output;    /* zeroed; rep calls: of reps[0] and what follows */
    uint32_t reps_done; /* answer of a rep call that does not succeed: elements done before, below rep_count */
};

/*
 * Success means all of it: every element, all output. Any other status stops
 * at `reps_done`; the output of a simple call is then dropped, that of done
 * elements kept. HV_STATUS_TIMEOUT makes the guest repeat the call from there.
 */
struct vmr_hv_call_handler {
    enum hv_status (*run)(void *context, struct vmr_hv_call *call);
    void *context;
};

struct vmr_hv_vtl_switch {
    const struct vmr_hv_caller *caller;
    bool is_return;
    bool fast;        /* of a return: registers are left as they are */
    uint64_t pc_next; /* behind the instruction */
};

/*
 * Whether the switch is allowed and done: false raises #UD. Where the VTL that
 * is left goes on is the handler's to set; the registers are not touched.
 */
struct vmr_hv_vtl_switch_handler {
    bool (*run)(void *context, const struct vmr_hv_vtl_switch *request);
    void *context;
};

#define VMR_HV_CALL_MAX 32u

/* Whether a caller at `vtl` may have parameters in the page of `guest_gpa`. */
struct vmr_hv_memory_guard {
    bool (*allows)(void *context, uint8_t vtl, vmr_gpa guest_gpa, bool write); /* NULL: anywhere in RAM */
    void *context;
};

/* Who handles what. Zeroed: nothing is handled. The fields are the library's. */
struct vmr_hv_calls {
    struct vmr_hv_call_handler calls[VMR_HV_CALL_MAX];
    struct vmr_hv_vtl_switch_handler vtl_switch;
    struct vmr_hv_memory_guard guard;
};

/* NULL takes the handler away. VMR_E_USAGE without a definition, and for a VTL switch. VPs stopped. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_calls_set(struct vmr_hv_calls *calls, uint64_t code,
                                                        const struct vmr_hv_call_handler *handler);
/* For HV_CALL_VTL_CALL and HV_CALL_VTL_RETURN. VPs stopped. */
VMR_API void vmr_hv_calls_set_vtl_switch(struct vmr_hv_calls *calls, const struct vmr_hv_vtl_switch_handler *handler);

/* --- dispatch --- */

enum vmr_hv_outcome {
    VMR_HV_DONE,      /* result, output and pc are in the registers and in memory */
    VMR_HV_RETRY,     /* the control word starts later and pc is at the instruction: the guest calls again */
    VMR_HV_UNDEFINED, /* pc is at the instruction: raise #UD */
    VMR_HV_SWITCHED   /* a VTL switch; the registers are as they were */
};

struct vmr_hv_result {
    uint8_t outcome; /* enum vmr_hv_outcome */
    uint16_t code;
    uint16_t status;    /* DONE: what the guest was told; RETRY: HV_STATUS_TIMEOUT; else 0 */
    uint16_t completed; /* elements done, from the first of the guest's list on */
};

/*
 * One hypercall. What is checked, in this order: a definition and a handler
 * (InvalidHypercallCode), the privilege (AccessDenied), the control word, the
 * registers of a fast call or the place and alignment of input and then output,
 * whether the input can be read. Whatever fails first is the result, with no
 * element done. Output that cannot be written, which a read-only region cannot,
 * is InvalidHypercallInput although the handler ran. A page that the guard keeps
 * from the caller's VTL can be neither read nor written.
 *
 * Of a rep call at most VMR_HV_REP_MAX elements are done; then the guest
 * repeats it. Input, output and work of one dispatch are bounded by a page each.
 *
 * A VTL switch has no result: without the privilege, with a control word that is
 * more than its code, with another input than it takes, or if its handler says
 * no, it is VMR_HV_UNDEFINED.
 *
 * VMR_E_USAGE, and nothing written, if `caller` makes no sense or if the handler
 * gave a status above 16 bits or as many `reps_done` as there were elements
 * without success. Any thread; the VP must not run.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_hv_dispatch(const struct vmr_hv_calls *calls,
                                                       const struct vmr_hv_caller *caller, struct vmr_memory *memory,
                                                       struct vmr_hv_call_registers *registers,
                                                       struct vmr_hv_result *ret_result);

/* --- sets of processors in the input of handlers --- */

struct vmr_hv_vp_set {
    bool all;
    uint64_t banks[HV_VP_SET_BANK_COUNT];
};

/* A single 64-bit mask, of VPs 0 to 63. */
VMR_API void vmr_hv_vp_set_init(struct vmr_hv_vp_set *ret_set, uint64_t mask);

/*
 * From `format` and `valid_banks` of a fixed input and the words that follow it:
 * exactly one for each valid bank, lowest first. HV_STATUS_INVALID_PARAMETER,
 * and nothing written, for another number of words or an unknown format.
 */
VMR_API VMR_MUST_CHECK enum hv_status vmr_hv_vp_set_decode(uint64_t format, uint64_t valid_banks, const uint8_t *words,
                                                           size_t word_count, struct vmr_hv_vp_set *ret_set);

VMR_API bool vmr_hv_vp_set_has(const struct vmr_hv_vp_set *set, vmr_vp_index vp);

/*
 * The first member from `*vp` on, ascending; false if there is none below
 * `vp_count`, so that no index beyond a partition's VPs ever comes out. To find
 * out whether the guest named others (unless `all`), ask from there on with
 * HV_VP_SET_VP_MAX.
 */
VMR_API bool vmr_hv_vp_set_next(const struct vmr_hv_vp_set *set, uint32_t vp_count, vmr_vp_index *vp);

VMR_END_DECLS
