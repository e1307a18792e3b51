/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The mock's VM and VP, shared by the files of this folder.
 *
 * A VP belongs to its thread, but for three words that others touch: `attention`
 * (kicks, and interrupts of the in-hypervisor controllers), and the two counts.
 * Whoever sets a bit of `attention` also unparks.
 */

#include <stdatomic.h>

#include "backends/mock/events.h"
#include "backends/mock/map.h"
#include "backends/mock/profiles.h"
#include "lib/base/sync.h"
#include "vmrig/backend_managed.h"
#include "vmrig/backend_state.h"
#include "vmrig/mock.h"

/* What a handle's context points to. Lives until the handle and all its VMs are gone. */
struct mock_hypervisor {
    const struct mock_profile *profile;
    uint64_t seed;
    bool managed; /* runs its VPs itself */
    _Atomic uint32_t references;
    _Atomic uint32_t vm_count; /* alive */
    _Atomic bool counting;     /* faults are; not before one is asked for, to keep steps quick */
    struct {
        _Atomic uint64_t nth, count;
        _Atomic bool lasts; /* it hits the n-th time, and each one after it */
    } faults[VMR_MOCK_FAULT_COUNT];
};

struct vmr_mock {
    struct vmr_backend_vm *vm;
};

struct vmr_backend_vm {
    struct vmr_mock mock;
    struct mock_hypervisor *hypervisor;
    const struct mock_profile *profile;
    const struct vmr_host *host;
    enum vmr_irqchip irqchip;
    struct vmr_backend_vp **vps; /* in index order */
    uint32_t vp_count, vp_capacity;
    struct vmr_cpuid_entry *cpuid;
    size_t cpuid_count;
    struct vmr_msr_range *msr_exits;
    size_t msr_exit_count;
    struct map map;
    struct events events;
    uint8_t vtl_highest, vtl_first;
    uint64_t vtl0_alias_map;
    struct chip *chip;       /* the in-hypervisor controllers; NULL: VMR_IRQCHIP_USER */
    struct managed *managed; /* who runs the VPs, between begin and end; or NULL */
    void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam);
    void *hook_context;
};

/* Bits of `attention`. */
#define ATTENTION_KICK 1u      /* leave the guest */
#define ATTENTION_INTERRUPT 2u /* the in-hypervisor controllers have something */

/* How far the instruction in progress has come. */
struct flight {
    uint32_t stage; /* instructions of this step that are finished */
    bool sent;      /* its exit is out, the answer has not been taken */
    uint8_t part;   /* memory: bytes of the access that are out as MMIO */
    uint8_t done;   /* memory: bytes moved */
    uint8_t bytes[8];
    uint32_t items, items_sent; /* string I/O */
};

/* What a VTL of a VP has of its own, while the VP is in another. */
struct vtl_state;

#define MOCK_MSR_COUNT 72u
#define MOCK_XSAVE_BYTES 832u /* with the upper halves of YMM */
#define MOCK_INJECTED_MAX 4096u

struct vmr_backend_vp {
    struct vmr_backend_vm *vm;
    vmr_vp_index index;

    _Atomic uint32_t attention;
    _Atomic uint64_t flushes;
    _Atomic uint64_t kicks;
    _Atomic uint64_t steps; /* only the VP's thread adds */
    struct vmr_parker *parker;

    struct vmr_x86_regs regs;
    uint8_t xsave[MOCK_XSAVE_BYTES]; /* vector registers and more, as XSAVE writes them */
    uint64_t msrs[MOCK_MSR_COUNT];   /* and other registers of one word */
    struct vmr_debug_state debug;
    enum vmr_activity activity; /* RUNNING for ever unless the controllers are in the hypervisor */

    /* Where exits come from: the first of these that is there. */
    struct script *script;
    struct vmr_mock_source source;
    struct vmr_exit held; /* answered, but not shown to the source yet */
    bool holds;
    const struct vmr_program *program;
    bool begun;         /* the registers are the program's */
    uint8_t exception;  /* one that no step expects, by vector: reported as a mismatch; or 0 */
    uint32_t next_step; /* after the one in progress */
    struct flight step, handler;
    bool in_handler;
    uint8_t handler_vector;
    uint64_t handler_flags; /* to return to */

    uint8_t vtl;            /* in which it is */
    bool pass;              /* the next access goes through */
    struct vtl_state *vtls; /* by VTL; NULL: the VM has none */

    struct vmr_x86_event pending; /* an exception to take before the next instruction */

    bool awaiting;       /* the last exit's answer has not been taken */
    uint8_t shadow;      /* steps, this one included, after which STI takes effect */
    uint8_t shadow_kind; /* VMR_X86_SHADOW_... */
    bool nmi_pending, nmi_masked;
    bool sipi_pending; /* given with its vector; what local APICs have is not here yet */
    uint8_t sipi_vector;
    struct vmr_x86_event injected; /* to deliver at the next entry */
    bool window;                   /* wanted */
    bool chip_pending;             /* the controllers may have a vector */
    uint64_t tsc_offset;           /* from the host's nanoseconds */
    int eoi_due;                   /* an EOI exit to report, or -1 */
    int break_due;                 /* a data breakpoint that was hit, or -1 */
    bool trap_due;                 /* a single step is over */
    bool resume;                   /* the breakpoint at this instruction was reported */

    uint64_t random; /* spurious cancels; 0: none */
    uint8_t string_bytes[VMR_STRING_IO_BYTES_MAX];
    uint8_t injected_log[MOCK_INJECTED_MAX];
    uint64_t injected_count;
};

/* --- mock.c --- */

/* Gives back a reference. NULL is fine. */
void hypervisor_release(struct mock_hypervisor *hypervisor);

/* --- faults.c --- */

/* Counts one of them; true if this is the one to go wrong. */
bool fault_count(struct mock_hypervisor *hypervisor, enum vmr_mock_fault fault);

static inline bool fault_hits(struct mock_hypervisor *hypervisor, enum vmr_mock_fault fault)
{
    return atomic_load_explicit(&hypervisor->counting, memory_order_relaxed) && fault_count(hypervisor, fault);
}

/* For calls that can fail: VMR_OK, or VMR_E_HOST with the call named. */
enum vmr_status fault_call(struct mock_hypervisor *hypervisor, const char *call, struct vmr_error *err);

/* --- mock_vm.c, mock_vp.c: the table's operations --- */

enum vmr_status mock_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                               const struct vmr_vm_config *config, struct vmr_error *err);
void mock_vm_destroy(struct vmr_backend_vm *vm);
enum vmr_status mock_vm_map(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                            struct vmr_error *err);
void mock_vm_unmap(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region);
enum vmr_status mock_vm_dirty_log(struct vmr_backend_vm *vm, bool on, struct vmr_error *err);
enum vmr_status mock_vm_dirty_take(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                   struct vmr_error *err);
void mock_vm_set_seam_hook(struct vmr_backend_vm *vm,
                           void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context);
void *mock_vm_native(struct vmr_backend_vm *vm);
enum vmr_status mock_vm_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level);
enum vmr_status mock_vm_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint);
enum vmr_status mock_vm_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi);
enum vmr_status mock_vm_set_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi);
enum vmr_status mock_vm_irqfd(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add);
enum vmr_status mock_vm_doorbell(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell,
                                 int fd, bool add);

enum vmr_status mock_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                               struct vmr_error *err);
void mock_vp_destroy(struct vmr_backend_vp *vp);
enum vmr_status mock_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err);
void mock_vp_unbind(struct vmr_backend_vp *vp);
void mock_vp_enter(struct vmr_backend_vp *vp);
void mock_vp_leave(struct vmr_backend_vp *vp, enum vmr_leave why);
void mock_vp_kick(struct vmr_backend_vp *vp);
enum vmr_status mock_vp_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs);
enum vmr_status mock_vp_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs);
enum vmr_status mock_vp_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
enum vmr_status mock_vp_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
enum vmr_status mock_vp_get_activity(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity);
enum vmr_status mock_vp_set_activity(struct vmr_backend_vp *vp, enum vmr_activity activity);
enum vmr_status mock_vp_set_debug(struct vmr_backend_vp *vp, const struct vmr_debug_state *state);
enum vmr_status mock_vp_interrupt(struct vmr_backend_vp *vp, uint8_t vector);
enum vmr_status mock_vp_nmi(struct vmr_backend_vp *vp);
enum vmr_status mock_vp_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT]);
enum vmr_status mock_vp_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT]);
enum vmr_status mock_vp_flush(struct vmr_backend_vp *vp);
enum vmr_status mock_vp_exception(struct vmr_backend_vp *vp, uint8_t vector);
void mock_vp_request_window(struct vmr_backend_vp *vp, bool wanted);
void mock_vp_set_tpr(struct vmr_backend_vp *vp, uint8_t tpr);

/* The instruction pointer as the state has it: see program_place. */
uint64_t vp_rip(const struct vmr_backend_vp *vp);
/* As mock_vp_set_regs, which can fail. */
void vp_put_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs);
/* Forgets what the VP was in the middle of: it begins anew. */
void vp_restart(struct vmr_backend_vp *vp);
void vp_log_injected(struct vmr_backend_vp *vp, uint8_t vector);
/* Sets a bit of `attention` and unparks. Any thread. */
void vp_attend(struct vmr_backend_vp *vp, uint32_t bit);

#define RFLAGS_IF UINT64_C(0x200)
#define RFLAGS_FIXED UINT64_C(0x2)

static inline void vp_count_step(struct vmr_backend_vp *vp)
{
    uint64_t steps = atomic_load_explicit(&vp->steps, memory_order_relaxed);

    atomic_store_explicit(&vp->steps, steps + 1, memory_order_relaxed);
}

static inline bool vp_can_interrupt(const struct vmr_backend_vp *vp)
{
    return (vp->regs.rflags & RFLAGS_IF) != 0 && vp->shadow == 0 && !vp->in_handler;
}

/* --- mock_run.c --- */

void mock_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
void mock_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);

/* --- vtl.c --- */

enum vmr_status mock_vm_protect(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access);
enum vmr_status mock_vp_switch_vtl(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial);
enum vmr_status mock_vp_pass_fault(struct vmr_backend_vp *vp);
/* False: out of memory. */
bool vtl_create(struct vmr_backend_vp *vp);
void vtl_destroy(struct vmr_backend_vp *vp);
/* Where `gpa` lies for the VP, and as whose: the alias map is another place for VTL 0's memory. */
struct map_guest vtl_view(const struct vmr_backend_vp *vp, vmr_gpa *gpa);
/* The program of a VTL that the VP is not in. */
void vtl_set_program(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_program *program);

static inline bool vm_has_vtls(const struct vmr_backend_vm *vm)
{
    return __builtin_expect(vm->map.vtls != 0, 0);
}

/* --- msr.c --- */

/* The TSC counts the host's nanoseconds. */
#define MOCK_TSC_HZ UINT64_C(1000000000)
/* Whether the MSR in place `place` of vp->msrs is each VTL's own (TLFS, Private State). */
bool msr_is_private(unsigned place);
/* Where a register of one word is in vp->msrs; `index` is an MSR's that is kept, or MOCK_REG_.... */
unsigned msr_place(uint32_t index);
/* Whether a processor takes `value` for it. */
bool msr_takes(uint32_t index, uint64_t value);

/* Whether the mock keeps this MSR itself. */
bool msr_read_own(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value);
bool msr_write_own(struct vmr_backend_vp *vp, uint32_t index, uint64_t value);
void msr_reset(struct vmr_backend_vp *vp);
uint64_t msr_at_reset(unsigned place);

/* Registers of one word that are no MSRs: numbers that no MSR has. */
#define MOCK_REG_XCR0 0x80000000u
#define MOCK_REG_SSP 0x80000001u
#define MOCK_REG_DR 0x80000010u /* DR0 to DR3 */
#define MOCK_REG_DR6 0x80000016u
#define MOCK_REG_DR7 0x80000017u

/* At power-up, as CPUID of the mock says it. */
#define MOCK_XCR0 UINT64_C(7)        /* x87, SSE, AVX */
#define MOCK_MISC_ENABLE UINT64_C(1) /* fast strings */
#define MOCK_MCG_CAP UINT64_C(0x10a)

/* --- state.c: classes, and the mock's part of a reset --- */

extern const struct vmr_backend_state mock_state;
/* XMM register words, low halves first: `word` below 2 * VMR_HV_XMM_COUNT. */
uint64_t xmm_word(const struct vmr_backend_vp *vp, unsigned word);
void xmm_set_word(struct vmr_backend_vp *vp, unsigned word, uint64_t value);
void xsave_reset(struct vmr_backend_vp *vp);

/* --- managed.c: managed=true --- */

extern const struct vmr_backend_managed mock_managed;

/* --- state_apic.c: only with the controllers in the hypervisor --- */

void apic_get_state(struct vmr_backend_vp *vp, struct vmr_x86_apic_state *ret_state);
enum vmr_status apic_set_state(struct vmr_backend_vp *vp, const struct vmr_x86_apic_state *state,
                               struct vmr_error *err);
/* Power-up, but for what belongs to VPs; what local APICs were sent is forgotten. VPs stopped. */
void chip_reset(struct vmr_backend_vm *vm);
