/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt controllers in the library: what the run loop asks of them, and the
 * built-in ones (local APICs, IO-APIC, a pair of 8259 PICs).
 *
 * Local APICs: Intel SDM vol. 3, chapter 11. IO-APIC: 82093AA. PIC: 8259A.
 */

#include "vmrig/bus.h"
#include "vmrig/host.h"

VMR_BEGIN_DECLS

/* What waits for one VP. */
struct vmr_irq_pending {
    bool interrupt; /* `acknowledge` would give a vector, priorities and masks considered */
    bool nmi;
    bool init;
    bool sipi;
    uint8_t sipi_vector;
    uint64_t deadline_ns; /* when to ask again though nobody woke the VP: the next timer; or VMR_NEVER */
};

enum vmr_msr_result {
    VMR_MSR_OK,
    VMR_MSR_FAULT, /* #GP */
    VMR_MSR_NOT_MINE
};

/*
 * Called on the VP's thread unless said otherwise. `poll` advances timers to
 * `now_ns`; with VMR_IRQCHIP_SPLIT only `poll`, `acknowledge` (for the PIC) and
 * `eoi` are used. INIT, SIPI and NMI are edges: `poll` reports each once and
 * forgets it. An older SIPI is gone when an INIT is reported.
 *
 * `tpr` is CR8 at the last exit, or what `get_tpr` last answered if that is
 * newer; a TPR that the guest wrote by register outranks it until `get_tpr` has
 * been asked. Whoever acknowledges an interrupt polls again.
 */
struct vmr_irqchip_ops {
    void (*poll)(void *chip, vmr_vp_index vp, uint64_t now_ns, uint8_t tpr, struct vmr_irq_pending *ret_pending);
    bool (*acknowledge)(void *chip, vmr_vp_index vp, uint8_t *ret_vector); /* false: nothing after all */
    void (*eoi)(void *chip, uint8_t vector); /* an in-hypervisor local APIC ended a level interrupt */
    enum vmr_msr_result (*msr_read)(void *chip, vmr_vp_index vp, uint32_t index, uint64_t *ret_value);
    enum vmr_msr_result (*msr_write)(void *chip, vmr_vp_index vp, uint32_t index, uint64_t value);
    uint8_t (*get_tpr)(void *chip, vmr_vp_index vp); /* the CR8 value to enter the guest with */
    /* Any thread. */
    bool (*irq)(void *chip, uint32_t gsi, bool level);  /* false: no such line */
    bool (*msi)(void *chip, const struct vmr_msi *msi); /* false: nobody takes it */
    bool (*lint)(void *chip, vmr_vp_index vp, unsigned lint);
    bool (*nmi)(void *chip, vmr_vp_index vp);
    /*
     * Raises an edge in the local APIC of `vp`, as a fixed interrupt by its id
     * does; `auto_eoi`: it is taken without an in-service bit, so no EOI ends it
     * (TLFS, SINTx). Optional, but for the Hyper-V interface.
     */
    bool (*vector)(void *chip, vmr_vp_index vp, uint8_t vector, bool auto_eoi);
    /*
     * EOI, ICR and TPR of a VP's local APIC by their synthetic MSRs, HV_MSR_EOI to
     * HV_MSR_TPR, in whatever mode it is (TLFS, Virtual APIC). Optional, but for
     * the Hyper-V interface.
     */
    enum vmr_msr_result (*hv_read)(void *chip, vmr_vp_index vp, uint32_t index, uint64_t *ret_value);
    enum vmr_msr_result (*hv_write)(void *chip, vmr_vp_index vp, uint32_t index, uint64_t value);
    /*
     * Whom to tell that `poll` may answer differently now, also after the VP's
     * own access; no lock is held. Set once, by vmr_partition_attach_irqchip.
     */
    void (*set_wake)(void *chip, void (*wake)(void *context, vmr_vp_index vp), void *context);
    /* How a split chip reaches the local APICs in the hypervisor; NULL ops otherwise. Set as above. */
    void (*set_msi_target)(void *chip, bool (*deliver)(void *context, const struct vmr_msi *msi),
                           void (*route)(void *context, uint32_t gsi, const struct vmr_msi *msi), void *context);
    void (*reset)(void *chip); /* Power-up, every VP's local APIC included. VPs stopped. Optional. */
};

struct vmr_irqchip_set;

struct vmr_irqchip_options {
    const struct vmr_host *host; /* required: timers */
    uint32_t vp_count;
    bool split;  /* only PIC and IO-APIC */
    bool x2apic; /* VPs start in x2APIC mode */
    bool without_pic;
    bool without_ioapic;
    uint64_t timer_hz; /* local APIC timer input clock; 0: 1 GHz; else 1 kHz to 10 GHz */
};

#define VMR_LAPIC_GPA 0xfee00000u
#define VMR_IOAPIC_GPA 0xfec00000u
#define VMR_IOAPIC_PINS 24u

/*
 * Makes the built-in chip and claims its ranges: ports 0x20, 0x21, 0xa0, 0xa1,
 * 0x4d0, 0x4d1 and the IO-APIC page; the local APIC page unless split. GSIs 0-23 are IO-APIC pins;
 * GSIs 0-15 are also PIC lines, but for 2, the cascade: line 0 reaches IO-APIC pin 2,
 * and pin 0 is the PIC's output, for guests that take it as ExtINT [INT-7].
 * From power-up until the guest says otherwise, PIC interrupts reach VP 0. The
 * buses must outlive the chip.
 *
 * What the local APICs have not: another address than VMR_LAPIC_GPA, and the
 * TSC-deadline timer, since the guest's TSC is the processor's and no host's clock.
 * Both MSRs refuse with #GP, and CPUID.1:ECX[24] must not be set [INT-5]. SMI is
 * accepted nowhere. Periods are at least VMR_LAPIC_PERIOD_NS_MIN [INT-6].
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_irqchip_create(const struct vmr_irqchip_options *options,
                                                          struct vmr_bus *ports, struct vmr_bus *mmio,
                                                          struct vmr_irqchip_set **ret_chip, struct vmr_error *err);
VMR_API void vmr_irqchip_destroy(struct vmr_irqchip_set *chip); /* NULL is fine. VPs stopped. */
/* For vmr_partition_attach_irqchip(partition, vmr_irqchip_builtin_ops(), chip, err). */
VMR_API const struct vmr_irqchip_ops *vmr_irqchip_builtin_ops(void);

VMR_END_DECLS
