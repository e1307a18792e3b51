/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of an x86-64 VP in classes, each a plain struct with a type
 * (vmrig/state.h), in the order in which they are saved and restored: that
 * order is part of the contract, since a later class may mean something only
 * after an earlier one.
 *
 * Sources: Intel SDM vol. 1 and 3, AMD64 APM vol. 2.
 */

#include "vmrig/state.h"
#include "vmrig/vp_state.h"

VMR_BEGIN_DECLS

enum vmr_vp_class {
    VMR_VP_VTLS,      /* where there are VTLs: first, since what another VTL holds means something only after it */
    VMR_VP_REGISTERS, /* struct vmr_x86_regs */
    VMR_VP_XCR0,      /* before the XSAVE area, which it admits */
    VMR_VP_XSS,
    VMR_VP_XSAVE,
    VMR_VP_MTRRS,
    VMR_VP_PAT,
    VMR_VP_SYSCALL, /* SYSENTER and SYSCALL MSRs, KERNEL_GS_BASE */
    VMR_VP_MISC_ENABLE,
    VMR_VP_FEATURE_CONTROL,
    VMR_VP_SPEC_CTRL,
    VMR_VP_MCG,
    VMR_VP_TSC_AUX,
    VMR_VP_CET,
    VMR_VP_CET_SS,
    VMR_VP_DEBUG_REGISTERS, /* the guest's */
    VMR_VP_TSC_ADJUST,      /* what guests have added to their TSC */
    VMR_VP_TSC,             /* before what is due by it, behind what says where it comes from */
    VMR_VP_APIC,            /* where local APICs are in the hypervisor */
    VMR_VP_TSC_DEADLINE,    /* after TSC and APIC: armed in the mode that the APIC's timer is in */
    VMR_VP_ACTIVITY,        /* after the APIC, whose writes change it; with all events that are on their way */
    VMR_VP_DEBUG_STATE,     /* the debugger's: struct vmr_debug_state */
    /* The Hyper-V interface's (vmrig/hv_state.h): registers that place pages, then pages, then what is delivered. */
    VMR_VP_ASSIST,
    VMR_VP_CRASH,
    VMR_VP_SYNIC,
    VMR_VP_SIMP,
    VMR_VP_SIEFP,
    VMR_VP_MESSAGE_QUEUE, /* an instance for each SINT */
    VMR_VP_STIMERS,
    VMR_VP_CLASS_COUNT
};

/* Of a whole partition. The same order holds. */
enum vmr_vm_class {
    VMR_VM_CLOCK,  /* the hypervisor's own time for guests */
    VMR_VM_PIC,    /* where all interrupt controllers are in the hypervisor, this and the next */
    VMR_VM_IOAPIC, /* after the PIC, with which it shares lines */
    /* The Hyper-V interface's (vmrig/hv_state.h). Time comes before the page that is made of it. */
    VMR_VM_HYPERCALL,
    VMR_VM_REFERENCE_TIME,
    VMR_VM_REFERENCE_TSC,
    VMR_VM_VTLS,
    VMR_VM_VTL_PAGES, /* an instance for each VMR_HV_CHUNK_PAGES pages of address in which there is RAM */
    VMR_VM_MONITOR,
    VMR_VM_DEVICE_INTERRUPT, /* an instance for each that is mapped (vmrig/hv_device.h): the data of its message */
    VMR_VM_CLASS_COUNT
};

/* What is on its way into the VP. Bits of nothing else: a VP at a clean point has finished its exits. */
enum vmr_x86_event_kind {
    VMR_X86_EVENT_NONE,
    VMR_X86_EVENT_EXCEPTION,
    VMR_X86_EVENT_INTERRUPT, /* external */
    VMR_X86_EVENT_NMI,
    VMR_X86_EVENT_SOFT_INTERRUPT,
    VMR_X86_EVENT_KIND_COUNT
};
struct vmr_x86_event {
    uint8_t kind; /* enum vmr_x86_event_kind */
    uint8_t vector;
    bool has_error, has_payload;
    uint32_t error;
    uint64_t payload; /* the address of a page fault, the bits for DR6 */
};

/* STI's and MOV SS's shadow: interrupts wait one instruction. */
#define VMR_X86_SHADOW_STI 1u
#define VMR_X86_SHADOW_MOV_SS 2u

struct vmr_x86_activity_state {
    uint8_t activity; /* enum vmr_activity */
    uint8_t shadow;   /* VMR_X86_SHADOW_... */
    bool nmi_pending;
    bool nmi_masked;   /* one is being handled: until IRET */
    bool sipi_pending; /* with activity WAIT_FOR_SIPI */
    uint8_t sipi_vector;
    bool smm, smi_pending;
    struct vmr_x86_event pending;  /* decided on, not begun */
    struct vmr_x86_event injected; /* begun: taken before the next instruction */
};

/* The largest that processors define with every feature on: AMX. */
#define VMR_X86_XSAVE_MAX 11008u
/*
 * The standard form (not compacted), as XSAVE writes it: legacy area, header, then components where CPUID.0DH has them.
 * It ends with the last component in use, so that what a processor has and nobody uses says nothing; bytes behind are
 * zero. [STATE-5]
 */
struct vmr_x86_xsave_state {
    uint32_t length; /* at least 576 */
    uint8_t bytes[VMR_X86_XSAVE_MAX];
};

struct vmr_x86_mtrr_state {
    uint64_t default_type;
    uint64_t fixed[11];    /* 250H, 258H, 259H, 268H to 26FH */
    uint64_t variable[16]; /* base, mask, ... */
};

struct vmr_x86_syscall_state {
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
};

struct vmr_x86_mcg_state {
    uint64_t cap, status, ctl;
};

struct vmr_x86_cet_state {
    uint64_t u_cet, s_cet;
};

struct vmr_x86_cet_ss_state {
    uint64_t ssp, pl0_ssp, pl1_ssp, pl2_ssp, pl3_ssp, interrupt_ssp_table;
};

struct vmr_x86_debug_register_state {
    uint64_t address[VMR_X86_BREAKPOINT_COUNT];
    uint64_t dr6, dr7;
};

#define VMR_X86_APIC_PAGE_BYTES 1024u
/* IA32_APIC_BASE, and the registers as the page of an xAPIC shows them (SDM vol. 3, 11.4.1), in x2APIC mode as well. */
struct vmr_x86_apic_state {
    uint64_t base;
    uint8_t page[VMR_X86_APIC_PAGE_BYTES];
    uint64_t timer_ns; /* until the timer expires; VMR_NEVER: it does not, or TSC_DEADLINE says when */
};

/* One number: XCR0, XSS, PAT, ... */
struct vmr_x86_word_state {
    uint64_t value;
};

/* The hypervisor's clock for guests; nanoseconds. */
struct vmr_vm_clock_state {
    uint64_t ns;
};

#define VMR_X86_PIC_COUNT 2u
#define VMR_X86_IOAPIC_PINS 24u
/* One of the two 8259 controllers: master first. */
struct vmr_x86_pic {
    uint8_t lines; /* levels that were seen last: a rise is an edge */
    uint8_t request, mask, in_service;
    uint8_t lowest;  /* the line whose priority is lowest, plus 1, modulo 8 */
    uint8_t base;    /* vector of line 0 */
    uint8_t init;    /* initialization word that is expected next, less 1; 0: none */
    uint8_t trigger; /* level-triggered lines */
    bool read_in_service, poll, special_mask, auto_eoi, rotate_on_auto_eoi, fully_nested, expects_icw4;
};
struct vmr_x86_pic_state {
    struct vmr_x86_pic chip[VMR_X86_PIC_COUNT];
};

struct vmr_x86_ioapic_state {
    uint64_t base; /* of its registers in guest memory */
    uint32_t select, id;
    uint32_t lines; /* that are raised */
    uint64_t redirection[VMR_X86_IOAPIC_PINS];
};

/* --- arm64: the types, for backends to come --- */

struct vmr_arm64_register_state {
    uint64_t x[29], fp, lr, sp_el0, sp_el1, pc, cpsr;
};
struct vmr_arm64_system_state {
    uint64_t sctlr_el1, ttbr0_el1, ttbr1_el1, tcr_el1, esr_el1, far_el1, mair_el1, elr_el1, vbar_el1;
};
VMR_API const struct vmr_state_type *vmr_arm64_register_type(void);
VMR_API const struct vmr_state_type *vmr_arm64_system_type(void);
/* EL1h, DAIF masked, the rest 0. */
VMR_API void vmr_arm64_registers_reset(struct vmr_arm64_register_state *ret_state);

/* --- what the classes are. Any thread. --- */

/* NULL for a number that is no class. */
VMR_API const struct vmr_state_type *vmr_vp_class_type(enum vmr_vp_class vp_class);
VMR_API const struct vmr_state_type *vmr_vm_class_type(enum vmr_vm_class vm_class);
/* By name; VMR_VP_CLASS_COUNT, VMR_VM_CLASS_COUNT: there is none. */
VMR_API enum vmr_vp_class vmr_vp_class_find(const char *name);
VMR_API enum vmr_vm_class vmr_vm_class_find(const char *name);
/* Whether each VTL of a VP has its own (TLFS, Private State). */
VMR_API bool vmr_vp_class_is_private(enum vmr_vp_class vp_class);

/* What a reset depends on beside the class. */
struct vmr_x86_reset_info {
    vmr_vp_index vp;
    uint32_t cpuid_1_eax; /* DX after reset (SDM vol. 3, 10.1.2) */
    bool waits_for_sipi;  /* the VP is no boot processor, and there are local APICs */
    bool x2apic;
    uint64_t misc_enable, feature_control, mcg_cap; /* what the hypervisor shows at first: models differ */
    uint32_t apic_version;                          /* 0: six entries in the local vector table */
    uint32_t apic_lint0; /* of the boot processor; 0: masked. Hypervisors without firmware let the PIC through. */
};

/*
 * The value at power-up of a class that belongs to the processor (up to
 * VMR_VP_DEBUG_STATE).
 */
VMR_API void vmr_x86_at_reset(enum vmr_vp_class vp_class, const struct vmr_x86_reset_info *info, void *ret_value);
VMR_API void vmr_x86_vm_at_reset(enum vmr_vm_class vm_class, void *ret_value);

/*
 * VMR_E_CONFIG, naming class and field: no x86-64 processor of any model holds
 * the value, such as reserved bits, or control registers that exclude each
 * other. What only some models have is the backend's to refuse.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_x86_check(enum vmr_vp_class vp_class, const void *value,
                                                     struct vmr_error *err);

/* --- the XSAVE area, for backends --- */

/* XSTATE_BV's bits, but for the one that says that the area is compacted. */
#define VMR_X86_XSAVE_COMPONENTS 63u
/* Where a VP has its components (CPUID.0DH); all within VMR_X86_XSAVE_MAX. x87 and SSE need not be said. */
struct vmr_x86_xsave_layout {
    struct {
        uint32_t offset, length; /* length 0: the VP does not have it */
    } part[VMR_X86_XSAVE_COMPONENTS];
};

/*
 * `area`, of VMR_X86_XSAVE_MAX bytes, in the one form in which equal processors have equal areas: what is not in use is
 * zero, a component that holds its initial values is not in use, MXCSR stands for itself, and nothing of the host's is
 * left. [STATE-5]
 */
VMR_API void vmr_x86_xsave_normalise(const struct vmr_x86_xsave_layout *layout, const uint8_t *area,
                                     struct vmr_x86_xsave_state *ret_state);
/*
 * VMR_E_CONFIG, naming the component: one in use that the layout does not have, bytes of one that is not in use, or a
 * length that is not where the components in use end. Of a value that vmr_x86_check takes.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_x86_xsave_check(const struct vmr_x86_xsave_layout *layout,
                                                           const struct vmr_x86_xsave_state *state,
                                                           struct vmr_error *err);

VMR_END_DECLS
