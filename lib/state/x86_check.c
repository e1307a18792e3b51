/* SPDX-License-Identifier: MIT */
/*
 * What no x86-64 processor of any model holds, class by class. Rules that are
 * one set of reserved bits are rows of a table; those that concern several
 * fields are functions.
 */

#include "vmrig/x86_state.h"

#include <inttypes.h>
#include <stddef.h>

#include "lib/base/bytes.h"
#include "lib/base/field.h"

#define BIT(n) (UINT64_C(1) << (n))
#define BITS(first, last) (((UINT64_MAX >> (63 - (last))) >> (first)) << (first))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CR0_PE BIT(0)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
#define CR4_PAE BIT(5)
#define CR4_PCIDE BIT(17)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)

static enum vmr_status refuse(struct vmr_error *err, const char *class_name, const char *field, uint64_t value)
{
    return vmr_error_set(err, VMR_E_CONFIG, "%s: %s: no processor holds %#" PRIx64, class_name, field, value);
}

/* --- single fields --- */

enum rule {
    ZERO,      /* no bit of `mask` is set */
    ONE,       /* every bit of `mask` is */
    CANONICAL, /* the bits above the widest linear address, 57 bits, repeat its highest */
    TYPES,     /* each byte in `mask` is a memory type (SDM vol. 3, 12.11.1) */
    PAT_TYPES  /* likewise, of the PAT (12.12.2) */
};

struct row {
    uint8_t vp_class, rule;
    uint16_t offset;
    uint8_t width, count;
    uint64_t mask;
};

#define ROW(class_, rule_, type_, member_, mask_)                                                                      \
    {                                                                                                                  \
        .vp_class = (class_), .rule = (rule_), .offset = offsetof(type_, member_),                                     \
        .width = sizeof(((type_ *)0)->member_), .count = 1, .mask = (mask_)                                            \
    }
#define ROWS(class_, rule_, type_, member_, mask_)                                                                     \
    {                                                                                                                  \
        .vp_class = (class_), .rule = (rule_), .offset = offsetof(type_, member_), .width = 8,                         \
        .count = COUNT(((type_ *)0)->member_), .mask = (mask_)                                                         \
    }
#define REG(rule_, member_, mask_) ROW(VMR_VP_REGISTERS, rule_, struct vmr_x86_regs, member_, mask_)
#define SYSCALL(member_) ROW(VMR_VP_SYSCALL, CANONICAL, struct vmr_x86_syscall_state, member_, 0)
#define SEGMENT(member_) REG(ZERO, member_.attributes, BITS(8, 11))

static const struct row rows[] = {
    REG(ZERO, rflags, BIT(3) | BIT(5) | BIT(15) | BITS(22, 63)),
    REG(ONE, rflags, BIT(1)),
    REG(ZERO, cr0, BITS(6, 15) | BIT(17) | BITS(19, 28) | BITS(32, 63)),
    REG(ZERO, cr3, BITS(52, 60) | BIT(63)), /* 61 and 62: linear address masking */
    REG(ZERO, cr4, BIT(15) | BIT(26) | BIT(27) | BITS(29, 31) | BITS(33, 63)),
    REG(ZERO, cr8, BITS(4, 63)),
    REG(ZERO, efer, BITS(1, 7) | BIT(9) | BIT(16) | BIT(19) | BITS(22, 63)),
    REG(ZERO, apic_base, BITS(0, 7) | BIT(9) | BITS(52, 63)),
    REG(CANONICAL, rip, 0),
    REG(CANONICAL, fs.base, 0),
    REG(CANONICAL, gs.base, 0),
    REG(CANONICAL, tr.base, 0),
    REG(CANONICAL, ldtr.base, 0),
    REG(CANONICAL, gdtr.base, 0),
    REG(CANONICAL, idtr.base, 0),
    REG(ZERO, cs.base, BITS(32, 63)),
    REG(ZERO, ds.base, BITS(32, 63)),
    REG(ZERO, es.base, BITS(32, 63)),
    REG(ZERO, ss.base, BITS(32, 63)),
    SEGMENT(cs),
    SEGMENT(ds),
    SEGMENT(es),
    SEGMENT(fs),
    SEGMENT(gs),
    SEGMENT(ss),
    SEGMENT(tr),
    SEGMENT(ldtr),
    ROW(VMR_VP_XCR0, ONE, struct vmr_x86_word_state, value, BIT(0)),
    ROW(VMR_VP_MTRRS, ZERO, struct vmr_x86_mtrr_state, default_type, BITS(8, 9) | BITS(12, 63)),
    ROW(VMR_VP_MTRRS, TYPES, struct vmr_x86_mtrr_state, default_type, BITS(0, 7)),
    ROWS(VMR_VP_MTRRS, TYPES, struct vmr_x86_mtrr_state, fixed, UINT64_MAX),
    ROW(VMR_VP_PAT, PAT_TYPES, struct vmr_x86_word_state, value, UINT64_MAX),
    SYSCALL(sysenter_esp),
    SYSCALL(sysenter_eip),
    SYSCALL(lstar),
    SYSCALL(cstar),
    SYSCALL(kernel_gs_base),
    ROW(VMR_VP_DEBUG_REGISTERS, ZERO, struct vmr_x86_debug_register_state, dr6, BIT(12) | BITS(32, 63)),
    ROW(VMR_VP_DEBUG_REGISTERS, ONE, struct vmr_x86_debug_register_state, dr6, BITS(4, 10) | BITS(17, 31)),
    ROW(VMR_VP_DEBUG_REGISTERS, ZERO, struct vmr_x86_debug_register_state, dr7,
        BIT(12) | BIT(14) | BIT(15) | BITS(32, 63)),
    ROW(VMR_VP_DEBUG_REGISTERS, ONE, struct vmr_x86_debug_register_state, dr7, BIT(10)),
    ROW(VMR_VP_APIC, ZERO, struct vmr_x86_apic_state, base, BITS(0, 7) | BIT(9) | BITS(52, 63)),
};

static bool is_canonical(uint64_t address)
{
    return address >> 56 == 0 || address >> 56 == 0xff;
}

static bool are_types(uint64_t value, uint64_t mask, bool pat)
{
    /* 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, and in the PAT 7, UC-. */
    const unsigned known = pat ? 0xf3 : 0x73;

    for (unsigned shift = 0; shift < 64 && (mask >> shift & 1u) != 0; shift += 8) {
        unsigned type = value >> shift & 0xff;

        if (type > 7 || (known >> type & 1u) == 0)
            return false;
    }
    return true;
}

static bool obeys(const struct row *row, uint64_t value)
{
    switch ((enum rule)row->rule) {
    case ZERO:
        return (value & row->mask) == 0;
    case ONE:
        return (value & row->mask) == row->mask;
    case CANONICAL:
        return is_canonical(value);
    case TYPES:
    case PAT_TYPES:
        return are_types(value, row->mask, row->rule == PAT_TYPES);
    }
    return false;
}

static enum vmr_status check_row(const struct vmr_state_type *type, const struct row *row, const void *value,
                                 struct vmr_error *err)
{
    const struct vmr_state_field *field = type->fields;

    while (field->offset != row->offset)
        field++;
    for (unsigned i = 0; i < row->count; i++) {
        uint64_t number = field_get(value, row->offset + (size_t)i * row->width, row->width);

        if (!obeys(row, number))
            return refuse(err, type->name, field->name, number);
    }
    return VMR_OK;
}

/* --- fields together --- */

static enum vmr_status check_registers(const char *name, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_regs *regs = value;
    bool paging = (regs->cr0 & CR0_PG) != 0, is_long = (regs->efer & EFER_LMA) != 0;

    if ((paging && (regs->cr0 & CR0_PE) == 0) || ((regs->cr0 & CR0_NW) != 0 && (regs->cr0 & CR0_CD) == 0))
        return refuse(err, name, "cr0", regs->cr0);
    /* Long mode is active when it is enabled and paging is on (SDM vol. 3, 10.8.5), and with PAE alone. */
    if (is_long != (paging && (regs->efer & EFER_LME) != 0))
        return refuse(err, name, "efer", regs->efer);
    if ((is_long && (regs->cr4 & CR4_PAE) == 0) || (!is_long && (regs->cr4 & CR4_PCIDE) != 0))
        return refuse(err, name, "cr4", regs->cr4);
    if (!is_long && regs->rip >> 32 != 0)
        return refuse(err, name, "rip", regs->rip);
    if ((regs->apic_base & APIC_BASE_X2APIC) != 0 && (regs->apic_base & APIC_BASE_ENABLE) == 0)
        return refuse(err, name, "apic-base", regs->apic_base);
    return VMR_OK;
}

/* Intel SDM vol. 1, 13.3: which components need which. */
static enum vmr_status check_xcr0(const char *name, const void *value, struct vmr_error *err)
{
    static const struct {
        uint64_t together, need;
    } groups[] = {
        {BIT(2), BIT(1)},         /* AVX: SSE */
        {BITS(3, 4), 0},          /* MPX */
        {BITS(5, 7), BITS(1, 2)}, /* AVX-512: AVX */
        {BITS(17, 18), 0},        /* AMX */
    };
    uint64_t xcr0 = ((const struct vmr_x86_word_state *)value)->value;

    for (size_t i = 0; i < COUNT(groups); i++) {
        uint64_t set = xcr0 & groups[i].together;

        if (set != 0 && (set != groups[i].together || (xcr0 & groups[i].need) != groups[i].need))
            return refuse(err, name, "value", xcr0);
    }
    return VMR_OK;
}

#define XSAVE_LENGTH_MIN 576u
#define XSAVE_MXCSR 24u
#define XSAVE_MXCSR_MASK 28u
#define XSAVE_RESERVED 416u /* to the header: reserved, and for software; no processor keeps it */
#define XSAVE_BV 512u
#define XSAVE_HEADER_REST 520u /* XCOMP_BV, 0 in the standard form, and what is reserved */
#define XSAVE_COMPONENTS 576u
#define MXCSR_BITS 0x2ffffu

static enum vmr_status check_xsave(const char *name, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_xsave_state *state = value;
    const uint8_t *bytes = state->bytes;

    if (state->length < XSAVE_LENGTH_MIN || state->length > VMR_X86_XSAVE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: length: %u, but an area has %u to %u bytes", name, state->length,
                             XSAVE_LENGTH_MIN, VMR_X86_XSAVE_MAX);
    if ((load_le32(bytes + XSAVE_MXCSR) & ~MXCSR_BITS) != 0)
        return refuse(err, name, "bytes[24], MXCSR", load_le32(bytes + XSAVE_MXCSR));
    if (load_le32(bytes + XSAVE_MXCSR_MASK) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: bytes[28]: MXCSR_MASK is the processor's, and is 0 here", name);
    for (size_t i = XSAVE_RESERVED; i < XSAVE_COMPONENTS; i++) {
        if ((i < XSAVE_BV || i >= XSAVE_HEADER_REST) && bytes[i] != 0)
            return vmr_error_set(err, VMR_E_CONFIG, "%s: bytes[%zu]: %#x where zero is reserved", name, i, bytes[i]);
    }
    return VMR_OK;
}

/* SDM vol. 3, 12.11.2.3: base and type, mask and valid bit. */
static enum vmr_status check_mtrrs(const char *name, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_mtrr_state *state = value;

    for (size_t i = 0; i < COUNT(state->variable); i++) {
        uint64_t number = state->variable[i], reserved = i % 2 ? BITS(0, 10) : BITS(8, 11);

        if ((number & (reserved | BITS(52, 63))) != 0 || (i % 2 == 0 && !are_types(number, 0xff, false)))
            return vmr_error_set(err, VMR_E_CONFIG, "%s: variable[%zu]: no processor holds %#" PRIx64, name, i, number);
    }
    return VMR_OK;
}

#define APIC_LVT_TIMER 0x320u
#define APIC_TIMER_INITIAL 0x380u
#define APIC_TIMER_CURRENT 0x390u
#define LVT_TIMER_MODE(lvt) ((lvt) >> 17 & 3u)
#define TIMER_TSC_DEADLINE 2u

static enum vmr_status check_apic(const char *name, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_apic_state *state = value;
    uint32_t mode = LVT_TIMER_MODE(load_le32(state->page + APIC_LVT_TIMER));

    if ((state->base & APIC_BASE_X2APIC) != 0 && (state->base & APIC_BASE_ENABLE) == 0)
        return refuse(err, name, "base", state->base);
    for (size_t i = 0; i < sizeof(state->page); i++) {
        if (i % 16 >= 4 && state->page[i] != 0)
            return vmr_error_set(err, VMR_E_CONFIG, "%s: page[%#zx]: %#x between registers", name, i, state->page[i]);
    }
    if (mode > TIMER_TSC_DEADLINE)
        return refuse(err, name, "page[0x320], the timer", load_le32(state->page + APIC_LVT_TIMER));
    if (load_le32(state->page + APIC_TIMER_CURRENT) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: page[0x390]: the current count is said by 'timer'", name);
    if (state->timer_ns != VMR_NEVER &&
        (mode == TIMER_TSC_DEADLINE || load_le32(state->page + APIC_TIMER_INITIAL) == 0))
        return vmr_error_set(err, VMR_E_CONFIG, "%s: timer: %" PRIu64 " ns, but nothing is counted", name,
                             state->timer_ns);
    return VMR_OK;
}

static bool is_event(const struct vmr_x86_event *event, bool injected)
{
    bool is_exception = event->kind == VMR_X86_EVENT_EXCEPTION;

    if (event->kind >= VMR_X86_EVENT_KIND_COUNT || (!event->has_error && event->error != 0) ||
        (!event->has_payload && event->payload != 0))
        return false;
    if (!is_exception && (event->has_error || event->has_payload))
        return false;
    if (event->kind == VMR_X86_EVENT_NONE)
        return event->vector == 0;
    if (event->kind == VMR_X86_EVENT_NMI)
        return event->vector == 2;
    if (is_exception)
        return event->vector < 32 && event->vector != 2 && !(injected && event->has_payload);
    return injected || event->kind == VMR_X86_EVENT_INTERRUPT;
}

static enum vmr_status check_activity(const char *name, const void *value, struct vmr_error *err)
{
    const struct vmr_x86_activity_state *state = value;

    if (state->activity >= VMR_ACTIVITY_COUNT)
        return refuse(err, name, "activity", state->activity);
    if (state->shadow > VMR_X86_SHADOW_MOV_SS) /* both at once: SDM vol. 3, 27.3.1.5 */
        return refuse(err, name, "shadow", state->shadow);
    if (state->sipi_pending && state->activity != VMR_ACTIVITY_WAIT_FOR_SIPI)
        return vmr_error_set(err, VMR_E_CONFIG, "%s: sipi-pending: of a VP that does not wait for one", name);
    if (!state->sipi_pending && state->sipi_vector != 0)
        return refuse(err, name, "sipi-vector", state->sipi_vector);
    if (!is_event(&state->pending, false))
        return refuse(err, name, "pending.kind", state->pending.kind);
    if (!is_event(&state->injected, true))
        return refuse(err, name, "injected.kind", state->injected.kind);
    return VMR_OK;
}

enum vmr_status vmr_x86_check(enum vmr_vp_class vp_class, const void *value, struct vmr_error *err)
{
    static enum vmr_status (*const checks[VMR_VP_CLASS_COUNT])(const char *, const void *, struct vmr_error *) = {
        [VMR_VP_REGISTERS] = check_registers, [VMR_VP_XCR0] = check_xcr0, [VMR_VP_XSAVE] = check_xsave,
        [VMR_VP_MTRRS] = check_mtrrs,         [VMR_VP_APIC] = check_apic, [VMR_VP_ACTIVITY] = check_activity,
    };
    const struct vmr_state_type *type = vmr_vp_class_type(vp_class);
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; i < COUNT(rows) && !status; i++) {
        if (rows[i].vp_class == vp_class)
            status = check_row(type, &rows[i], value, err);
    }
    return status || !checks[vp_class] ? status : checks[vp_class](type->name, value, err);
}
