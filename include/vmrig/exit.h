/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The exit: what a virtual processor did that its hypervisor could not finish.
 *
 * One type carries it everywhere. A backend's step yields it, the run loop
 * dispatches it, the recorder stores it, the mock plays it, a scenario states
 * it. The *answer* is written into the same value, and the backend consumes it
 * on its next step.
 *
 *   backend                      dispatch                       backend
 *   kind, native_reason, ready   fills the fields marked        next vp_run or vp_complete
 *   and the fields of the kind   "answer"                       carries them into the guest
 *
 * Every reason of a hypervisor maps to exactly one kind. What has no kind of
 * its own is VMR_EXIT_FAIL with the native code and bytes kept, and is never
 * silently resumed. [EXIT-1] [EXIT-2]
 */

#include "vmrig/limits.h"
#include "vmrig/types.h"

VMR_BEGIN_DECLS

enum vmr_exit_kind {
    VMR_EXIT_NONE = 0,
    VMR_EXIT_IO,           /* port I/O, one item or a string */
    VMR_EXIT_MMIO,         /* an access to a guest physical address without memory behind it */
    VMR_EXIT_MSR,          /* RDMSR or WRMSR (arm64: a trapped system register) */
    VMR_EXIT_CPUID,        /* CPUID, on backends that leave it to the library */
    VMR_EXIT_HYPERCALL,    /* VMCALL, VMMCALL, HVC, SMC */
    VMR_EXIT_HALT,         /* HLT, WFI: nothing to do until an interrupt */
    VMR_EXIT_IRQ_WINDOW,   /* the guest can now take the interrupt that was waiting */
    VMR_EXIT_EOI,          /* end of interrupt, seen by an in-hypervisor local APIC */
    VMR_EXIT_CANCEL,       /* the step was interrupted: a kick, a signal, or nothing at all */
    VMR_EXIT_DEBUG,        /* single step or hardware breakpoint */
    VMR_EXIT_SHUTDOWN,     /* triple fault */
    VMR_EXIT_SYSTEM_EVENT, /* power off, reset, crash..., told by the hypervisor */
    VMR_EXIT_MEMORY_FAULT, /* an access that cannot be served as MMIO */
    VMR_EXIT_FAIL,         /* the hypervisor gave up, or said something we do not know */
    VMR_EXIT_KIND_COUNT
};

enum vmr_direction {
    VMR_READ = 0, /* the guest reads: IN, load, RDMSR; the answer is data */
    VMR_WRITE = 1 /* the guest writes */
};

/* VMR_EXIT_IO. One exit is `count` items of `size` bytes at one port. [EXIT-3] */
struct vmr_exit_io {
    uint16_t port;
    uint8_t size;      /* 1, 2, 4 */
    uint8_t direction; /* enum vmr_direction */
    uint32_t count;    /* items in this exit: 1..4096 / size; more items come as further exits */
    bool string;       /* INS or OUTS; what the direction flag says is already applied by the backend */
    uint64_t value;    /* count == 1 and not string: the item; answer when reading */
    /*
     * string: count * size bytes in the order the guest moves them, owned by
     * the backend and valid until its next step; answer when reading.
     */
    uint8_t *bytes;
};

/* VMR_EXIT_MMIO. Never crosses a page: a crossing access is two exits. [EXIT-4] */
struct vmr_exit_mmio {
    vmr_gpa gpa;
    uint8_t size; /* 1..8; odd sizes are parts of a crossing access */
    uint8_t direction;
    uint64_t value; /* little endian, zero extended; answer when reading */
};

/* VMR_EXIT_MSR. */
struct vmr_exit_msr {
    uint32_t index;
    uint8_t direction;
    bool fault;     /* answer: raise #GP instead of completing */
    uint64_t value; /* answer when reading */
};

/* VMR_EXIT_CPUID. */
struct vmr_exit_cpuid {
    uint32_t leaf, subleaf;
    uint32_t eax, ebx, ecx, edx; /* arrive holding the backend's own result; answer */
};

/* VMR_EXIT_HYPERCALL, as the hypervisor reports it; lib/hv reads the rest from registers. */
struct vmr_exit_hypercall {
    uint64_t number; /* RAX on x86 */
    uint64_t args[6];
    bool long_mode;
    uint64_t result; /* answer, into the same register */
};

/* VMR_EXIT_EOI. */
struct vmr_exit_eoi {
    uint8_t vector;
};

/* VMR_EXIT_DEBUG. */
struct vmr_exit_debug {
    bool single_step;
    uint8_t breakpoint; /* when not single_step: which of the four, the lowest if several */
    uint64_t pc;
};

enum vmr_system_event {
    VMR_SYSTEM_POWER_OFF,
    VMR_SYSTEM_RESET,
    VMR_SYSTEM_HIBERNATE,
    VMR_SYSTEM_CRASH,
    VMR_SYSTEM_EVENT_COUNT
};

/* VMR_EXIT_SYSTEM_EVENT. */
struct vmr_exit_system_event {
    uint8_t event; /* enum vmr_system_event */
    uint64_t detail;
};

/* VMR_EXIT_SHUTDOWN. */
struct vmr_exit_shutdown {
    uint8_t vtl; /* the VTL that faulted */
};

/* VMR_EXIT_MEMORY_FAULT. The instruction was not done, and is done again. */
struct vmr_exit_memory_fault {
    vmr_gpa gpa;
    uint64_t size;
    uint64_t flags; /* VMR_FAULT_VTL and what goes with it; the others are the hypervisor's own */
};

#define VMR_FAULT_VTL (UINT64_C(1) << 63) /* RAM that the running VTL, the exit's `vtl`, may not touch so */
#define VMR_FAULT_WRITE (UINT64_C(1) << 62)
#define VMR_FAULT_EXECUTE (UINT64_C(1) << 61) /* neither: a read */

#define VMR_EXIT_FAIL_BYTES_MAX 64u

enum vmr_fail_cause {
    VMR_FAIL_UNKNOWN,   /* a reason this library has no name for */
    VMR_FAIL_ENTRY,     /* the processor refused the guest state */
    VMR_FAIL_EMULATION, /* the hypervisor met an instruction it cannot emulate */
    VMR_FAIL_INTERNAL,  /* the hypervisor's own error */
    VMR_FAIL_HOST,      /* the call into the hypervisor failed; code is the errno */
    VMR_FAIL_CAUSE_COUNT
};

/* VMR_EXIT_FAIL. */
struct vmr_exit_fail {
    uint8_t cause;                          /* enum vmr_fail_cause */
    uint64_t code;                          /* the hypervisor's sub-code, as it came */
    uint8_t length;                         /* bytes used of `bytes` */
    uint8_t bytes[VMR_EXIT_FAIL_BYTES_MAX]; /* what else it said: instruction bytes, data words */
};

/*
 * A plain value but for io.bytes. Zeroed, it is VMR_EXIT_NONE. Fields that the
 * kind does not use are zero. [EXIT-5]
 */
struct vmr_exit {
    uint32_t kind;          /* enum vmr_exit_kind */
    uint32_t native_reason; /* the hypervisor's number, unchanged; only for people */
    uint8_t vtl;            /* the VTL that was running */
    bool interrupt_ready;   /* an external interrupt could be injected right now */
    uint8_t tpr;            /* CR8 at the exit, where the local APIC is not in the hypervisor */
    union {
        struct vmr_exit_io io;
        struct vmr_exit_mmio mmio;
        struct vmr_exit_msr msr;
        struct vmr_exit_cpuid cpuid;
        struct vmr_exit_hypercall hypercall;
        struct vmr_exit_eoi eoi;
        struct vmr_exit_debug debug;
        struct vmr_exit_system_event system_event;
        struct vmr_exit_shutdown shutdown;
        struct vmr_exit_memory_fault memory_fault;
        struct vmr_exit_fail fail;
    } u;
};

/* "io", "mmio", ...; "unknown" for any other number. Any thread. */
VMR_API const char *vmr_exit_kind_name(uint32_t kind);
VMR_API const char *vmr_system_event_name(uint32_t event);
VMR_API const char *vmr_fail_cause_name(uint32_t cause);

/*
 * Whether the hypervisor waits for an answer or for the instruction to be
 * finished. A VP with such an exit is not at a clean point: its registers may
 * be stale until the exit is completed. [EXIT-6]
 */
VMR_API bool vmr_exit_is_pending(const struct vmr_exit *vp_exit);

/* Whether sizes, counts, directions and enumerations are in range: what every decoder and backend must yield. */
VMR_API bool vmr_exit_is_valid(const struct vmr_exit *vp_exit);

/*
 * One line for people and for .vmtx: "io write port=0x402 size=1 value=0x53".
 * Cut to `size`; returns what the whole line would take, as snprintf does.
 */
VMR_API size_t vmr_exit_print(const struct vmr_exit *vp_exit, char *buffer, size_t size);

VMR_END_DECLS
