/* SPDX-License-Identifier: MIT */
/*
 * The registers of a local APIC as the guest reaches them: the xAPIC page, the
 * x2APIC MSRs, IA32_APIC_BASE (Intel SDM vol. 3, 11.4 and 11.12).
 *
 * One table says what may be done to each register. Beyond it the page answers
 * with an error in the ESR and an MSR with #GP.
 *
 * Moving the page is #GP as well [INT-5]: each VP has an IA32_APIC_BASE of its own,
 * so that following it would take a page a VP on a bus that all of them share, for
 * what no firmware or operating system does.
 */

#include "lib/devices/lapic.h"

#include "lib/base/checked.h"
#include "vmrig/hv_identity.h"

enum register_number {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_RRD = 0x0c,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10, /* eight each */
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR_LOW = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32, /* in the order of enum lapic_lvt */
    REG_LVT_LAST = 0x37,
    REG_TIMER_INITIAL = 0x38,
    REG_TIMER_CURRENT = 0x39,
    REG_TIMER_DIVIDE = 0x3e,
    REG_SELF_IPI = 0x3f,
    REG_COUNT = 0x40
};

enum {
    PAGE = 1,     /* exists in the page, where reading is never an error */
    PAGE_SET = 2, /* and can be written there */
    MSR_GET = 4,
    MSR_SET = 8,
    RO = PAGE | MSR_GET,
    RW = PAGE | PAGE_SET | MSR_GET | MSR_SET
};

struct rule {
    uint8_t access;
    uint32_t writable; /* an MSR write with any other bit is #GP, unless it is ... */
    uint32_t ignored;  /* ... read only rather than reserved */
};

#define DELIVERY_STATUS (1u << 12)
#define REMOTE_IRR (1u << 14)
#define LINT_IGNORED (DELIVERY_STATUS | REMOTE_IRR)

/* The timer's mode bit 18 (TSC-deadline) is reserved here. EOI and ESR are written with 0 (SDM 11.12.1.2). */
static const struct rule rules[REG_COUNT] = {
    [REG_ID] = {RO, 0, 0},
    [REG_VERSION] = {RO, 0, 0},
    [REG_TPR] = {RW, 0xff, 0},
    [REG_APR] = {PAGE, 0, 0},
    [REG_PPR] = {RO, 0, 0},
    [REG_EOI] = {PAGE | PAGE_SET | MSR_SET, 0, 0},
    [REG_RRD] = {PAGE, 0, 0},
    [REG_LDR] = {RO | PAGE_SET, 0xff000000u, 0},
    [REG_DFR] = {PAGE | PAGE_SET, 0xf0000000u, 0},
    [REG_SVR] = {RW, 0x3ff, 0},
    [REG_ESR] = {RW, 0, 0},
    [REG_ICR_LOW] = {RW, 0xccfff, DELIVERY_STATUS},
    [REG_ICR_HIGH] = {PAGE | PAGE_SET, 0xff000000u, 0},
    [REG_LVT + LAPIC_LVT_TIMER] = {RW, 0x300ff, DELIVERY_STATUS},
    [REG_LVT + LAPIC_LVT_THERMAL] = {RW, 0x107ff, DELIVERY_STATUS},
    [REG_LVT + LAPIC_LVT_PERF] = {RW, 0x107ff, DELIVERY_STATUS},
    [REG_LVT + LAPIC_LVT_LINT0] = {RW, 0x1a7ff, LINT_IGNORED},
    [REG_LVT + LAPIC_LVT_LINT1] = {RW, 0x1a7ff, LINT_IGNORED},
    [REG_LVT + LAPIC_LVT_ERROR] = {RW, 0x100ff, DELIVERY_STATUS},
    [REG_TIMER_INITIAL] = {RW, UINT32_MAX, 0},
    [REG_TIMER_CURRENT] = {RO, 0, 0},
    [REG_TIMER_DIVIDE] = {RW, 0xb, 0},
    [REG_SELF_IPI] = {MSR_SET, 0xff, 0},
};

static struct rule rule_of(uint32_t number)
{
    /* ISR, TMR, IRR: 24 registers in a row. */
    if (number >= REG_ISR && number < REG_IRR + 8)
        return (struct rule){RO, 0, 0};
    return number < REG_COUNT ? rules[number] : (struct rule){0, 0, 0};
}

uint32_t lapic_writable_bits(uint32_t offset)
{
    return rule_of(offset >> 4).writable;
}

bool lapic_register_needs_time(uint32_t number)
{
    return number == REG_LVT + LAPIC_LVT_TIMER || number == REG_TIMER_INITIAL || number == REG_TIMER_CURRENT ||
           number == REG_TIMER_DIVIDE;
}

/* --- the ICR (SDM 11.6.1) --- */

#define MODE_BIT(mode) (1u << (mode))
#define ANY_BUT_SMI                                                                                                    \
    (MODE_BIT(IRQ_FIXED) | MODE_BIT(IRQ_LOWEST) | MODE_BIT(IRQ_NMI) | MODE_BIT(IRQ_INIT) | MODE_BIT(IRQ_STARTUP))

/* SDM table 11-3, but for SMI, which nobody here takes. What the table calls invalid is not sent. */
static const uint8_t modes_of_shorthand[] = {
    [LAPIC_TO_DESTINATION] = ANY_BUT_SMI,
    [LAPIC_TO_SELF] = MODE_BIT(IRQ_FIXED),
    [LAPIC_TO_ALL] = MODE_BIT(IRQ_FIXED),
    [LAPIC_TO_OTHERS] = ANY_BUT_SMI,
};

#define ICR_LOGICAL (1u << 11)
#define ICR_ASSERT (1u << 14)
#define ICR_LEVEL (1u << 15)

static void send_ipi(struct lapic *lapic, struct lapic_effects *effects)
{
    uint32_t icr = lapic->icr_low;
    bool wide = lapic_is_x2apic(lapic);
    enum lapic_shorthand shorthand = (enum lapic_shorthand)(icr >> 18 & 3u);
    /* Every IPI is an edge, whatever the trigger bit says (SDM 11.6.1, "Trigger mode"). */
    struct irq_message ipi = {
        .destination = wide ? lapic->icr_high : lapic->icr_high >> 24,
        .vector = (uint8_t)icr,
        .mode = (uint8_t)(icr >> 8 & 7u),
        .logical = (icr & ICR_LOGICAL) != 0,
        .wide = wide,
    };

    if (!(modes_of_shorthand[shorthand] >> ipi.mode & 1u))
        return;
    /* INIT level de-assert only ever set arbitration IDs, on processors that had them. */
    if (ipi.mode == IRQ_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
        return;
    if (ipi.mode <= IRQ_LOWEST && ipi.vector < IRQ_VECTOR_MIN) {
        lapic_record_error(lapic, LAPIC_ERROR_SEND_VECTOR);
        return;
    }
    effects->send = true;
    effects->ipi = ipi;
    effects->shorthand = shorthand;
}

/* --- reading and writing by number --- */

static uint32_t read_identity(const struct lapic *lapic, uint32_t number)
{
    bool wide = lapic_is_x2apic(lapic);

    if (number == REG_ID)
        return wide ? lapic->id : lapic->id << 24;
    if (wide)
        return lapic->id >> 4 << 16 | 1u << (lapic->id & 15u); /* SDM 11.12.10.2 */
    return lapic->ldr;
}

/* Long as the list of registers is: a line each. */
static uint32_t read_register(struct lapic *lapic, uint32_t number, uint64_t now_ns)
{
    if (number >= REG_LVT && number <= REG_LVT_LAST)
        return lapic->lvt[number - REG_LVT];
    if (number >= REG_ISR && number < REG_TMR)
        return lapic->isr[number - REG_ISR];
    if (number >= REG_TMR && number < REG_IRR)
        return lapic->tmr[number - REG_TMR];
    if (number >= REG_IRR && number < REG_ESR)
        return lapic->irr[number - REG_IRR];
    switch (number) {
    case REG_ID:
    case REG_LDR:
        return read_identity(lapic, number);
    case REG_VERSION:
        return LAPIC_VERSION;
    case REG_TPR:
        return lapic->tpr;
    case REG_PPR:
        return lapic_ppr(lapic);
    case REG_DFR:
        return lapic->dfr;
    case REG_SVR:
        return lapic->svr;
    case REG_ESR:
        return lapic->esr;
    case REG_ICR_LOW:
        return lapic->icr_low;
    case REG_ICR_HIGH:
        return lapic->icr_high;
    case REG_TIMER_INITIAL:
        return lapic->timer.initial;
    case REG_TIMER_CURRENT:
        lapic_advance(lapic, now_ns);
        return lapic_timer_current(&lapic->timer, now_ns);
    case REG_TIMER_DIVIDE:
        return lapic->timer.divide;
    default: /* EOI, and APR and RRD, which processors since the Pentium 4 do not have */
        return 0;
    }
}

static void write_timer(struct lapic *lapic, uint32_t number, uint32_t value, uint64_t now_ns)
{
    /* What expired before this write did so under the old settings. */
    lapic_advance(lapic, now_ns);
    if (number == REG_TIMER_INITIAL)
        lapic_timer_start(&lapic->timer, value, now_ns);
    else if (number == REG_TIMER_DIVIDE)
        lapic_timer_set_divide(&lapic->timer, value, now_ns);
    else
        lapic_set_lvt(lapic, LAPIC_LVT_TIMER, value);
}

/* `value` has no bit outside the rule. */
static void write_register(struct lapic *lapic, uint32_t number, uint32_t value, uint64_t now_ns,
                           struct lapic_effects *effects)
{
    if (lapic_register_needs_time(number)) {
        write_timer(lapic, number, value, now_ns);
        return;
    }
    if (number > REG_LVT && number <= REG_LVT_LAST) {
        lapic_set_lvt(lapic, (enum lapic_lvt)(number - REG_LVT), value);
        return;
    }
    effects->reconfigured = number == REG_LDR || number == REG_DFR || number == REG_SVR;
    switch (number) {
    case REG_TPR:
        lapic->tpr = value;
        lapic->tpr_written = true;
        break;
    case REG_EOI:
        lapic_eoi(lapic, effects);
        break;
    case REG_LDR:
        lapic->ldr = value;
        break;
    case REG_DFR:
        lapic->dfr = value | 0x0fffffffu; /* SDM figure 11-14 */
        break;
    case REG_SVR:
        lapic_set_svr(lapic, value);
        break;
    case REG_ESR: /* a write shows what has happened since the last one (SDM 11.5.3) */
        lapic->esr = lapic->esr_pending;
        lapic->esr_pending = 0;
        break;
    case REG_ICR_LOW:
        lapic->icr_low = value;
        send_ipi(lapic, effects);
        break;
    case REG_ICR_HIGH:
        lapic->icr_high = value;
        break;
    default:
        break;
    }
}

/* --- the page --- */

uint64_t lapic_page_read(struct lapic *lapic, uint64_t offset, unsigned size, uint64_t now_ns)
{
    /* In x2APIC mode, and off, there is no page (SDM 11.12.2). */
    if (!lapic_is_enabled(lapic) || lapic_is_x2apic(lapic))
        return mask_of_bytes(size);
    uint32_t number = (uint32_t)(offset >> 4);
    unsigned byte = (unsigned)(offset & 15u);

    if (!(rule_of(number).access & PAGE)) {
        lapic_record_error(lapic, LAPIC_ERROR_REGISTER);
        return 0;
    }
    /* Of the 16 bytes of a register, 4 mean something; shorter reads, which the SDM leaves open, give their part. */
    if (byte >= 4)
        return 0;
    return read_register(lapic, number, now_ns) >> (8 * byte) & mask_of_bytes(size);
}

void lapic_page_write(struct lapic *lapic, uint64_t offset, unsigned size, uint32_t value, uint64_t now_ns,
                      struct lapic_effects *effects)
{
    if (!lapic_is_enabled(lapic) || lapic_is_x2apic(lapic))
        return;
    uint32_t number = (uint32_t)(offset >> 4);
    struct rule rule = rule_of(number);

    if (!(rule.access & PAGE))
        lapic_record_error(lapic, LAPIC_ERROR_REGISTER);
    /* Registers are written with 4 bytes at their start, or not at all (SDM 11.4.1). */
    else if ((rule.access & PAGE_SET) && size == 4 && (offset & 15u) == 0)
        write_register(lapic, number, value & rule.writable, now_ns, effects);
}

/* --- MSRs --- */

static enum vmr_msr_result write_base(struct lapic *lapic, uint64_t guest_value, struct lapic_effects *effects)
{
    bool enable = (guest_value & LAPIC_BASE_ENABLE) != 0;
    bool x2apic = (guest_value & LAPIC_BASE_X2APIC) != 0;

    /* The page stays where the bus has it; any other place, and any reserved bit, is refused. */
    if ((guest_value & ~(LAPIC_BASE_BSP | LAPIC_BASE_X2APIC | LAPIC_BASE_ENABLE)) != VMR_LAPIC_GPA)
        return VMR_MSR_FAULT;
    /* SDM 11.12.5: to x2APIC only from xAPIC, and from x2APIC only to off. */
    if (x2apic && (!enable || !lapic_is_enabled(lapic)))
        return VMR_MSR_FAULT;
    if (!x2apic && enable && lapic_is_x2apic(lapic))
        return VMR_MSR_FAULT;
    if (x2apic && !lapic_is_x2apic(lapic)) {
        lapic->icr_low = 0;
        lapic->icr_high = 0; /* the format changes (SDM 11.12.5.1) */
    }
    lapic->base = guest_value;
    if (!enable)
        lapic_reset(lapic); /* SDM 11.4.3: what was set up may be lost */
    effects->reconfigured = true;
    return VMR_MSR_OK;
}

enum vmr_msr_result lapic_msr_read(struct lapic *lapic, uint32_t index, uint64_t now_ns, uint64_t *ret_value)
{
    if (index == LAPIC_BASE_MSR) {
        *ret_value = lapic->base;
        return VMR_MSR_OK;
    }
    if (index < LAPIC_X2APIC_MSR_FIRST || index > LAPIC_X2APIC_MSR_LAST)
        return VMR_MSR_NOT_MINE;
    uint32_t number = index - LAPIC_X2APIC_MSR_FIRST;

    if (!lapic_is_x2apic(lapic) || !(rule_of(number).access & MSR_GET))
        return VMR_MSR_FAULT;
    *ret_value = read_register(lapic, number, now_ns);
    if (number == REG_ICR_LOW)
        *ret_value |= (uint64_t)lapic->icr_high << 32;
    return VMR_MSR_OK;
}

static void write_self_ipi(struct lapic *lapic, uint8_t vector, struct lapic_effects *effects)
{
    if (vector < IRQ_VECTOR_MIN) {
        lapic_record_error(lapic, LAPIC_ERROR_SEND_VECTOR);
        return;
    }
    effects->send = true;
    effects->ipi = (struct irq_message){.vector = vector};
    effects->shorthand = LAPIC_TO_SELF;
}

enum vmr_msr_result lapic_msr_write(struct lapic *lapic, uint32_t index, uint64_t value, uint64_t now_ns,
                                    struct lapic_effects *effects)
{
    if (index == LAPIC_BASE_MSR)
        return write_base(lapic, value, effects);
    if (index < LAPIC_X2APIC_MSR_FIRST || index > LAPIC_X2APIC_MSR_LAST)
        return VMR_MSR_NOT_MINE;
    uint32_t number = index - LAPIC_X2APIC_MSR_FIRST;
    struct rule rule = rule_of(number);
    uint64_t reserved = ~(uint64_t)(rule.writable | rule.ignored);

    if (number == REG_ICR_LOW)
        reserved &= UINT32_MAX; /* the destination is the upper half (SDM 11.12.9) */
    if (!lapic_is_x2apic(lapic) || !(rule.access & MSR_SET) || (value & reserved))
        return VMR_MSR_FAULT;
    if (number == REG_ICR_LOW)
        lapic->icr_high = (uint32_t)(value >> 32);
    if (number == REG_SELF_IPI)
        write_self_ipi(lapic, (uint8_t)value, effects);
    else
        write_register(lapic, number, (uint32_t)value & rule.writable, now_ns, effects);
    return VMR_MSR_OK;
}

/* --- synthetic MSRs (TLFS, Virtual APIC): the same registers in either mode --- */

enum vmr_msr_result lapic_hv_read(const struct lapic *lapic, uint32_t index, uint64_t *ret_value)
{
    if (!lapic_is_enabled(lapic) || index == HV_MSR_EOI)
        return VMR_MSR_FAULT;
    *ret_value = index == HV_MSR_TPR ? lapic->tpr : (uint64_t)lapic->icr_high << 32 | lapic->icr_low;
    return VMR_MSR_OK;
}

enum vmr_msr_result lapic_hv_write(struct lapic *lapic, uint32_t index, uint64_t value, struct lapic_effects *effects)
{
    uint32_t number = index == HV_MSR_EOI ? REG_EOI : index == HV_MSR_TPR ? REG_TPR : REG_ICR_LOW;
    uint32_t destination = lapic_is_x2apic(lapic) ? UINT32_MAX : rules[REG_ICR_HIGH].writable;

    if (!lapic_is_enabled(lapic) || (number == REG_TPR && value > UINT8_MAX))
        return VMR_MSR_FAULT;
    if (number == REG_ICR_LOW)
        lapic->icr_high = (uint32_t)(value >> 32) & destination;
    write_register(lapic, number, (uint32_t)value & rules[number].writable, 0, effects);
    return VMR_MSR_OK;
}
