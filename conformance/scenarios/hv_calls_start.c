/* SPDX-License-Identifier: MIT */
/* One VP starts another by hypercall (TLFS, HvCallStartVirtualProcessor), and finds it (HvCallGetVpIndexFromApicId). */

#include "conformance/scenarios/hv_call_words.h"

#define CONTEXT_AT 16u
#define START HV_CALL_START_VIRTUAL_PROCESSOR
#define START_VP_1(x) HV_EXPECT_CALL(START, HV_INPUT, 0, x)
#define PAT_RESET UINT64_C(0x0007040600070406)
#define SPIN_AT (HV_PAGE_1 + 0x100u)
#define STACK_AT (HV_PAGE_1 + 0x800u)

static void put(struct conf_vm *vm, vmr_gpa gpa, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    if (vmr_memory_write(vm->memory, gpa, bytes, size))
        conf_fail(vm->conf, __FILE__, __LINE__, "no RAM at %#llx", (unsigned long long)gpa);
}

static void put_segment(struct conf_vm *vm, vmr_gpa gpa, const struct vmr_x86_segment *segment)
{
    put(vm, gpa + HV_SEGMENT_BASE_OFFSET, segment->base, 8);
    put(vm, gpa + HV_SEGMENT_LIMIT_OFFSET, segment->limit, 4);
    put(vm, gpa + HV_SEGMENT_SELECTOR_OFFSET, segment->selector, 2);
    put(vm, gpa + HV_SEGMENT_ATTRIBUTES_OFFSET, segment->attributes, 2);
}

/* The input of a call that starts `vp` with `regs`, in the page at `gpa`. */
static void put_start(struct conf_vm *vm, vmr_gpa gpa, vmr_vp_index vp, const struct vmr_x86_regs *regs)
{
    const struct vmr_x86_segment *const segments[] = {&regs->cs, &regs->ds, &regs->es, &regs->fs,
                                                      &regs->gs, &regs->ss, &regs->tr, &regs->ldtr};
    vmr_gpa context = gpa + CONTEXT_AT;

    put(vm, gpa, HV_PARTITION_ID_SELF, 8);
    put(vm, gpa + 8, vp, 8);
    put(vm, context + HV_INITIAL_RIP, regs->rip, 8);
    put(vm, context + HV_INITIAL_RSP, regs->gpr[VMR_X86_RSP], 8);
    put(vm, context + HV_INITIAL_RFLAGS, regs->rflags, 8);
    for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        put_segment(vm, context + HV_INITIAL_SEGMENTS + 16u * i, segments[i]);
    put(vm, context + HV_INITIAL_IDTR + HV_TABLE_LIMIT_OFFSET, regs->idtr.limit, 2);
    put(vm, context + HV_INITIAL_IDTR + HV_TABLE_BASE_OFFSET, regs->idtr.base, 8);
    put(vm, context + HV_INITIAL_GDTR + HV_TABLE_LIMIT_OFFSET, regs->gdtr.limit, 2);
    put(vm, context + HV_INITIAL_GDTR + HV_TABLE_BASE_OFFSET, regs->gdtr.base, 8);
    put(vm, context + HV_INITIAL_EFER, regs->efer, 8);
    put(vm, context + HV_INITIAL_CR0, regs->cr0, 8);
    put(vm, context + HV_INITIAL_CR3, regs->cr3, 8);
    put(vm, context + HV_INITIAL_CR4, regs->cr4, 8);
    put(vm, context + HV_INITIAL_PAT, PAT_RESET, 8);
}

/* A VM whose VP 0 is about to run `first`; at HV_INPUT a start of VP 1 where its program begins, in real mode. */
static struct conf_vm *starting_vm(struct conf *conf, uint32_t vps, const struct vmr_program *first)
{
    const struct conf_vm_options options = {.vps = vps, .hv = &hv_all};
    struct conf_vm *vm = vm_about_to_run(conf, &options, first);
    struct vmr_x86_regs regs;

    if (!vm)
        return NULL;
    vmr_x86_regs_sipi(&regs, VMR_PROGRAM_BASE >> 12);
    put_start(vm, HV_INPUT, 1, &regs);
    return vm;
}

CONF_PROGRAM(says_it_is_there, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

static void run_start(struct conf *conf, const struct vmr_program *first, const struct vmr_program *second)
{
    struct conf_vm *vm = starting_vm(conf, 2, first);

    CONF_REQUIRE(conf, vm, "no VM");
    run_pair(vm, second);
}

static void a_vp_that_waits_is_started(struct conf *conf)
{
    CONF_PROGRAM(starts, HV_OPEN(), VMR_CPUID(HV_CPUID_FEATURES, 0),
                 VMR_EXPECT_MASK(1, HV_START_VIRTUAL_PROCESSOR >> 32, HV_START_VIRTUAL_PROCESSOR >> 32), START_VP_1(0),
                 VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_STORE(WORD_GO, 4, 1), VMR_END());

    run_start(conf, &starts, &says_it_is_there);
}

static void a_vp_that_runs_is_refused(struct conf *conf)
{
    CONF_PROGRAM(starts, HV_OPEN(), START_VP_1(0), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1),
                 START_VP_1(HV_STATUS_INVALID_VP_STATE), VMR_STORE(HV_INPUT + 8, 4, 0),
                 START_VP_1(HV_STATUS_INVALID_VP_STATE), VMR_STORE(HV_INPUT + 8, 4, HV_VP_INDEX_SELF),
                 START_VP_1(HV_STATUS_INVALID_VP_STATE), VMR_STORE(WORD_GO, 4, 1), VMR_END());

    run_start(conf, &starts, &says_it_is_there);
}

static void a_vp_started_by_an_ipi_is_refused(struct conf *conf)
{
    CONF_PROGRAM(starts, HV_OPEN(), APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1),
                 START_VP_1(HV_STATUS_INVALID_VP_STATE), VMR_STORE(WORD_GO, 4, 1), VMR_END());

    run_start(conf, &starts, &says_it_is_there);
}

/* It counts its starts. */
static void an_init_makes_a_vp_wait_again(struct conf *conf)
{
    CONF_PROGRAM(starts, HV_OPEN(), APIC_ON(), START_VP_1(0), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1),
                 VMR_STORE(APIC_ICR_HIGH, 4, UINT64_C(1) << 24),
                 VMR_STORE(APIC_ICR_LOW, 4, ICR_ASSERT | APIC_MODE_INIT), START_VP_1(0),
                 VMR_SPIN_UNTIL(WORD_SEEN, 4, 2), VMR_STORE(WORD_GO, 4, 1), VMR_END());
    CONF_PROGRAM(counts, VMR_LOAD(2, WORD_SEEN, 4), VMR_ADD(2, 1), VMR_STORE_VAR(WORD_SEEN, 4, 2),
                 VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

    run_start(conf, &starts, &counts);
}

static void bad_starts_are_named_and_start_nobody(struct conf *conf)
{
    /* Each broken field is mended before the next. */
    CONF_PROGRAM(starts, HV_OPEN(), VMR_STORE(HV_INPUT, 8, 1), START_VP_1(HV_STATUS_INVALID_PARTITION_ID),
                 VMR_STORE(HV_INPUT, 8, HV_PARTITION_ID_SELF), VMR_STORE(HV_INPUT + 8, 4, 2),
                 START_VP_1(HV_STATUS_INVALID_VP_INDEX), VMR_STORE(HV_INPUT + 8, 4, HV_ANY_VP),
                 START_VP_1(HV_STATUS_INVALID_VP_INDEX), VMR_STORE(HV_INPUT + 8, 4, 1), VMR_STORE(HV_INPUT + 12, 1, 1),
                 START_VP_1(HV_STATUS_ACCESS_DENIED), VMR_STORE(HV_INPUT + 12, 1, 3),
                 START_VP_1(HV_STATUS_INVALID_PARAMETER), VMR_STORE(HV_INPUT + 12, 4, 0x100),
                 START_VP_1(HV_STATUS_INVALID_PARAMETER), VMR_STORE(HV_INPUT + 12, 4, 0),
                 VMR_STORE(HV_INPUT + CONTEXT_AT + HV_INITIAL_EFER, 8, 0x400),
                 START_VP_1(HV_STATUS_INVALID_REGISTER_VALUE), VMR_STORE(HV_INPUT + CONTEXT_AT + HV_INITIAL_EFER, 8, 0),
                 VMR_STORE(HV_INPUT + CONTEXT_AT + HV_INITIAL_PAT, 8, 2), START_VP_1(HV_STATUS_INVALID_REGISTER_VALUE),
                 VMR_STORE(HV_INPUT + CONTEXT_AT + HV_INITIAL_PAT, 8, PAT_RESET), HV_EXPECT_WORD(WORD_SEEN, 0),
                 START_VP_1(0), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_STORE(WORD_GO, 4, 1), VMR_END());

    run_start(conf, &starts, &says_it_is_there);
}

/* --- two ask at once --- */

CONF_PROGRAM(starts_the_third, HV_OPEN(), APIC_ON(), VMR_START_VP(1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1),
             VMR_SET(0, HV_INPUT), VMR_SET(1, 0), VMR_HV_CALL(6, HV_CODE_PAGE, START), HV_NO_FAULT(),
             VMR_STORE_VAR(HV_PAGE_2, 8, 6), VMR_SPIN_UNTIL(WORD_PAST, 4, 1), VMR_SPIN_UNTIL(HV_PAGE_2 + 16, 4, 1),
             VMR_STORE(WORD_GO, 4, 1), VMR_END());
CONF_PROGRAM(starts_it_too, VMR_STORE(WORD_SEEN, 4, 1), VMR_SET(0, HV_OUTPUT), VMR_SET(1, 0),
             VMR_HV_CALL(6, HV_CODE_PAGE, START), HV_NO_FAULT(), VMR_STORE_VAR(HV_PAGE_2 + 8, 8, 6),
             VMR_STORE(HV_PAGE_2 + 16, 4, 1), VMR_END());
CONF_PROGRAM(the_third, VMR_LOAD(2, WORD_PAST, 4), VMR_ADD(2, 1), VMR_STORE_VAR(WORD_PAST, 4, 2),
             VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());

static void run_third(void *argument)
{
    struct conf_vm *vm = argument;

    if (conf_bind(vm, 2))
        (void)conf_run_to_end(vm, 2);
    conf_unbind(vm, 2);
}

static void of_two_that_start_a_vp_one_does(struct conf *conf)
{
    struct conf_vm *vm = starting_vm(conf, 3, &starts_the_third);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 2, &the_third), "no VM");
    vmr_x86_regs_sipi(&regs, VMR_PROGRAM_BASE >> 12);
    put_start(vm, HV_INPUT, 2, &regs);
    put_start(vm, HV_OUTPUT, 2, &regs);
    struct vmr_thread *thread = conf_thread(conf, run_third, vm);

    CONF_REQUIRE(conf, thread, "no thread");
    run_pair(vm, &starts_it_too);
    conf_join(conf, thread);
    uint32_t first = guest_word(vm, HV_PAGE_2), second = guest_word(vm, HV_PAGE_2 + 8);

    CONF_CHECK(conf, (first == 0) != (second == 0) && first + second == HV_STATUS_INVALID_VP_STATE,
               "one was told %#x, the other %#x", first, second);
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_PAST), 1, "starts of the third");
}

/* --- the registers --- */

static struct vmr_x86_segment flat(uint16_t selector, uint16_t attributes)
{
    return (struct vmr_x86_segment){.limit = UINT32_MAX, .selector = selector, .attributes = attributes};
}

static void long_mode_regs(struct vmr_x86_regs *ret_regs)
{
    vmr_x86_regs_sipi(ret_regs, 0);
    ret_regs->rip = SPIN_AT;
    ret_regs->gpr[VMR_X86_RSP] = STACK_AT;
    ret_regs->cs = flat(0x18, 0xa09b);
    ret_regs->ds = ret_regs->es = ret_regs->ss = flat(0x10, 0xc093);
    ret_regs->gdtr = (struct vmr_x86_table){.base = HV_PAGE_2, .limit = 0x1f};
    ret_regs->idtr = (struct vmr_x86_table){.base = HV_PAGE_2 + 0x800, .limit = 0xff};
    ret_regs->cr0 = 0x80000011;
    ret_regs->cr4 = 0x20;
    ret_regs->efer = 0x500;
}

CONF_PROGRAM(spins, VMR_SPIN());

struct look {
    struct conf_vm *vm;
    struct vmr_x86_regs regs;
    struct conf_latch bound;
};

/* Runs VP 1 until it is kicked, and looks at what it has become. */
static void run_and_look(void *argument)
{
    struct look *look = argument;
    struct vmr_run_result result = {.kind = VMR_RUN_HALTED};

    if (!conf_bind(look->vm, 1))
        return;
    conf_latch_set(&look->bound);
    if (conf_run(look->vm, 1, NULL, &result))
        CONF_CHECK(look->vm->conf, result.reason == VMR_HALT_CANCEL, "VP 1 halted: %s", outcome_name(&result));
    CONF_CHECK(look->vm->conf, vmr_vp_get_regs(look->vm->vps[1], &look->regs) == VMR_OK, "no registers");
    conf_unbind(look->vm, 1);
}

/* The tables of the VP that starts it, whose program needs nothing of them but that they map low memory to itself. */
static void a_vp_starts_with_the_registers_it_is_given(struct conf *conf)
{
    CONF_PROGRAM(starts, HV_OPEN(), HV_GET(HV_REGISTER_CR3), VMR_LOAD(5, HV_OUTPUT, 8),
                 VMR_STORE_VAR(HV_XMM + CONTEXT_AT + HV_INITIAL_CR3, 8, 5), HV_EXPECT_CALL(START, HV_XMM, 0, 0),
                 VMR_END());
    struct look look = {.vm = starting_vm(conf, 2, &starts)};
    struct vmr_x86_regs want;

    CONF_REQUIRE(conf, look.vm && conf_load(look.vm, 1, &spins), "no VM");
    long_mode_regs(&want);
    put(look.vm, SPIN_AT, 0xfeeb, 2); /* a jump to itself */
    put_start(look.vm, HV_XMM, 1, &want);
    struct vmr_thread *thread = conf_thread(conf, run_and_look, &look);

    CONF_REQUIRE(conf, thread && conf_latch_wait(conf, &look.bound, "VP 1 to be bound"), "no thread");
    (void)conf_run_to_end(look.vm, 0);
    (void)vmr_partition_kick(look.vm->partition, 1);
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, look.regs.gpr[VMR_X86_RSP], want.gpr[VMR_X86_RSP], "rsp");
    CONF_CHECK_EQ(conf, look.regs.cr0 & ~UINT64_C(0x20), want.cr0, "cr0");
    CONF_CHECK_EQ(conf, look.regs.cr4, want.cr4, "cr4");
    CONF_CHECK_EQ(conf, look.regs.efer, want.efer, "efer");
    CONF_CHECK_EQ(conf, look.regs.gdtr.base, want.gdtr.base, "gdtr");
    CONF_CHECK_EQ(conf, look.regs.idtr.limit, want.idtr.limit, "idtr");
    CONF_CHECK_EQ(conf, look.regs.cs.attributes, want.cs.attributes, "cs");
    CONF_CHECK_EQ(conf, look.regs.ss.selector, want.ss.selector, "ss");
}

/* --- finding one --- */

#define INDEX(count) (HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REPS(count))

static void an_apic_id_gives_its_vp(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 3, .hv = &hv_all};
    CONF_PROGRAM(finds, HV_OPEN(), HV_TARGET(0, 0), HV_NAME(0, 2), HV_NAME(1, 0), HV_NAME(2, 1),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_RESULT(0, 3)), HV_EXPECT_WORD(HV_OUTPUT, 2),
                 HV_EXPECT_WORD(HV_OUTPUT + 8, 1), HV_NAME(1, 3), VMR_STORE(HV_OUTPUT, 8, UINT64_MAX),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_RESULT(HV_STATUS_INVALID_PARAMETER, 1)),
                 HV_EXPECT_WORD(HV_OUTPUT, UINT64_C(0xffffffff00000002)), HV_TARGET(1, 0),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_STATUS_ACCESS_DENIED), HV_TARGET(3, 0),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_PARAMETER), HV_TARGET(0x100, 0),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_PARAMETER), VMR_STORE(HV_INPUT, 8, 0),
                 HV_EXPECT_CALL(INDEX(3), HV_INPUT, HV_OUTPUT, HV_STATUS_INVALID_PARTITION_ID), VMR_END());

    (void)conf_run_program(conf, &options, &finds);
}

static const struct conf_scenario scenarios[] = {
    {HV_CALL_SCENARIO(a_vp_that_waits_is_started), .clauses = "HC-13 HV-1"},
    {HV_CALL_SCENARIO(a_vp_that_runs_is_refused), .clauses = "HC-13"},
    {HV_CALL_SCENARIO(a_vp_started_by_an_ipi_is_refused), .clauses = "HC-13"},
    {HV_CALL_SCENARIO(an_init_makes_a_vp_wait_again), .clauses = "HC-13"},
    {HV_CALL_SCENARIO(bad_starts_are_named_and_start_nobody), .clauses = "HC-11 HC-13"},
    {HV_CALL_SCENARIO(of_two_that_start_a_vp_one_does), .clauses = "HC-13"},
    {HV_CALL_SCENARIO(a_vp_starts_with_the_registers_it_is_given), .clauses = "HC-13"},
    {HV_CALL_SCENARIO(an_apic_id_gives_its_vp), .clauses = "HC-12"},
};

CONF_FAMILY(hv_calls_start, scenarios);
