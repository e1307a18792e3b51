/* SPDX-License-Identifier: MIT */
/*
 * The interpreter: each operation, exit by exit, answered by hand; what the
 * guest makes of the answers is judged by its own EXPECT steps, which would show
 * as further exits.
 */

#include "tests/backends/mock/rig.h"

#include <string.h>

#define END "io write port=0x5e8 size=4 value=0x0"
#define HALT "halt"
#define DATA VMR_PROGRAM_DATA
#define HOLE 0x10000000u

struct transcript {
    const char *name;
    const struct vmr_program *program;
    const char *lines[16];
};

RIG_PROGRAM(ports, VMR_EOI_NONE, VMR_OUT(0x10, 1, 0xff), VMR_SET(1, 0xabcd1234), VMR_OUT_VAR(0x10, 2, 1),
            VMR_IN(2, 0x12, 4), VMR_EXPECT(2, 0xdeadbeef), VMR_IN(2, 0x12, 1), VMR_EXPECT(2, 0xef), VMR_END());
RIG_PROGRAM(ram, VMR_EOI_NONE, VMR_STORE(DATA + 1, 8, 0x1122334455667788), VMR_LOAD(0, DATA + 1, 8),
            VMR_EXPECT(0, 0x1122334455667788), VMR_LOAD(0, DATA + 2, 2), VMR_EXPECT(0, 0x6677),
            VMR_STORE(DATA + 0xffc, 8, 0x8877665544332211), VMR_LOAD(1, DATA + 0xffe, 4), VMR_EXPECT(1, 0x66554433),
            VMR_OR(DATA, 4, 0xf0), VMR_LOAD(1, DATA, 4), VMR_EXPECT(1, 0x667788f0), VMR_SET(3, 0x77),
            VMR_STORE_VAR(DATA, 1, 3), VMR_LOAD(1, DATA, 1), VMR_EXPECT(1, 0x77), VMR_END());
RIG_PROGRAM(mmio, VMR_EOI_NONE, VMR_STORE(HOLE, 4, 0x55667788), VMR_LOAD(0, HOLE + 8, 8),
            VMR_EXPECT(0, 0xfedcba9876543210), VMR_STORE(HOLE + 0xffd, 8, 0x8877665544332211),
            VMR_LOAD(1, HOLE + 0xfff, 2), VMR_EXPECT(1, 0xbbaa), VMR_OR(HOLE, 1, 0x11), VMR_END());
/* The last page of RAM at 2 MiB, and the hole behind it. */
RIG_PROGRAM(edge, VMR_EOI_NONE, VMR_STORE(0x1ffffe, 4, 0x44332211), VMR_LOAD(0, 0x1ffffe, 4), VMR_EXPECT(0, 0x99882211),
            VMR_END());
RIG_PROGRAM(msrs, VMR_EOI_NONE, VMR_RDMSR(0, 0x1234), VMR_EXPECT(0, 0x55), VMR_EXPECT(7, 0), VMR_RDMSR(0, 0x1234),
            VMR_EXPECT(0, 0), VMR_EXPECT(7, 14), VMR_WRMSR(0x1234, 0x99), VMR_EXPECT(7, 0), VMR_WRMSR(0x1234, 0x98),
            VMR_EXPECT(7, 14), VMR_WRMSR(0xc0000102, 0x77), VMR_RDMSR(1, 0xc0000102), VMR_EXPECT(1, 0x77),
            VMR_RDMSR(1, 0x277), VMR_END());
RIG_PROGRAM(flow, VMR_EOI_NONE, VMR_SET(0, 3), VMR_ADD(1, 10), VMR_LOOP(0, 1), VMR_EXPECT(1, 30), VMR_JUMP_EQ(1, 30, 6),
            VMR_CHECKPOINT(1), VMR_JUMP(8), VMR_CHECKPOINT(2), VMR_NOP(), VMR_EXPECT_MASK(1, 0xf, 0xe),
            VMR_CHECKPOINT(7), VMR_EXPECT(1, 0x100000001), VMR_CHECKPOINT(3), VMR_END());
RIG_PROGRAM(power, VMR_EOI_NONE, VMR_POWER_OFF(), VMR_RESET(), VMR_END());
RIG_PROGRAM(dying, VMR_EOI_NONE, VMR_TRIPLE_FAULT(), VMR_END());
RIG_PROGRAM(starter, VMR_EOI_XAPIC, VMR_START_VP(1), VMR_SEND_IPI(2, 0x51), VMR_END());
RIG_PROGRAM(starter_x2apic, VMR_EOI_X2APIC, VMR_START_VP(1), VMR_SEND_IPI(2, 0x51), VMR_END());
RIG_PROGRAM(hypercalls, VMR_EOI_NONE, VMR_SET(0, 1), VMR_SET(3, 4), VMR_HYPERCALL(5, 0x42), VMR_EXPECT(5, 0x66),
            VMR_END());
RIG_PROGRAM(cpuid, VMR_EOI_NONE, VMR_CPUID(0x40000000, 3), VMR_EXPECT(0, 1), VMR_EXPECT(3, 4), VMR_END());

static const struct transcript transcripts[] = {
    {"ports",
     &ports,
     {"io write port=0x10 size=1 value=0xff", "io write port=0x10 size=2 value=0x1234",
      "io read port=0x12 size=4 -> value=0xdeadbeef", "io read port=0x12 size=1 -> value=0xef", END, HALT, HALT}},
    {"RAM is no exit", &ram, {END, HALT}},
    {"MMIO is split at pages",
     &mmio,
     {"mmio write gpa=0x10000000 size=4 value=0x55667788",
      "mmio read gpa=0x10000008 size=8 -> value=0xfedcba9876543210", "mmio write gpa=0x10000ffd size=3 value=0x332211",
      "mmio write gpa=0x10001000 size=5 value=0x8877665544", "mmio read gpa=0x10000fff size=1 -> value=0xaa",
      "mmio read gpa=0x10001000 size=1 -> value=0xbb", "mmio read gpa=0x10000000 size=1 -> value=0x82",
      "mmio write gpa=0x10000000 size=1 value=0x93", END}},
    {"half RAM, half hole",
     &edge,
     {"mmio write gpa=0x200000 size=2 value=0x4433", "mmio read gpa=0x200000 size=2 -> value=0x9988", END}},
    {"MSRs and their faults",
     &msrs,
     {"msr read index=0x1234 -> value=0x55", "msr read index=0x1234 -> fault", "msr write index=0x1234 value=0x99",
      "msr write index=0x1234 value=0x98 -> fault", "msr read index=0x277 -> value=0x1", END}},
    {"flow, and a mismatch",
     &flow,
     {"io write port=0x5e0 size=4 value=0x7", "io write port=0x5e4 size=4 value=0xb",
      "io write port=0x5e4 size=4 value=0x1e", "io write port=0x5e4 size=4 value=0x0", END, HALT, HALT}},
    {"the power port",
     &power,
     {"io write port=0x5ec size=4 value=0x1", "io write port=0x5ec size=4 value=0x2", END, HALT}},
    {"a triple fault", &dying, {"shutdown vtl=0", "shutdown vtl=0"}},
    {"INIT, SIPI and an IPI through the page",
     &starter,
     {"mmio write gpa=0xfee00310 size=4 value=0x1000000", "mmio write gpa=0xfee00300 size=4 value=0x4500",
      "mmio write gpa=0xfee00310 size=4 value=0x1000000", "mmio write gpa=0xfee00300 size=4 value=0x4608",
      "mmio write gpa=0xfee00310 size=4 value=0x2000000", "mmio write gpa=0xfee00300 size=4 value=0x4051", END}},
    {"the same through MSRs",
     &starter_x2apic,
     {"msr write index=0x830 value=0x100004500", "msr write index=0x830 value=0x100004608",
      "msr write index=0x830 value=0x200004051", END}},
    {"an MSR fault that no step expects",
     &starter_x2apic,
     {"msr write index=0x830 value=0x100004500 -> fault", "io write port=0x5e4 size=4 value=0xffffff0d",
      "io write port=0x5e4 size=4 value=0x40000000", "io write port=0x5e4 size=4 value=0x0", END, HALT}},
    {"a hypercall", &hypercalls, {"hypercall number=0x42 args=0x1,0x0,0x0,0x4 long -> result=0x66", END}},
};

static void operations_give_their_exits_and_take_the_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(transcripts); i++) {
        const struct transcript *transcript = &transcripts[i];
        struct rig rig;
        size_t count = 0;

        while (count < RIG_COUNT_OF(transcript->lines) && transcript->lines[count])
            count++;
        rig_init(&rig, NULL, "mock", 1);
        rig_load(&rig, 0, transcript->program);
        (void)rig_bind(&rig, 0);
        rig_expect(&rig, transcript->name, transcript->lines, count);
        rig_finish(&rig);
    }
}

static void cpuid_exits_where_the_profile_says_so_and_carries_the_table(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:profile=whp-like", 1);
    rig_load(&rig, 0, &cpuid);
    (void)rig_bind(&rig, 0);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_CPUID);
    assert_int_equal(vp_exit.u.cpuid.ebx, 0x67697276);
    vp_exit.u.cpuid.eax = 1;
    vp_exit.u.cpuid.edx = 4;
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, VMR_PROGRAM_PORT_END);
    rig_finish(&rig);
    /* Without such exits the table answers, and the guest sees something else than it expects. */
    rig_init(&rig, NULL, "mock:profile=kvm-like", 1);
    rig_load(&rig, 0, &cpuid);
    (void)rig_bind(&rig, 0);
    vp_exit = (struct vmr_exit){0};
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.u.io.port, VMR_PROGRAM_PORT_MISMATCH);
    rig_finish(&rig);
}

/* --- string I/O --- */

RIG_PROGRAM(outs, VMR_EOI_NONE, VMR_STORE(DATA, 8, 0x0807060504030201), VMR_OUTS(0x80, 2, 3, DATA),
            {.op = VMR_STEP_OUTS, .size = 1, .address = 0x81, .count = 2, .value = DATA + 1, .backward = true},
            VMR_OUTS(0x82, 1, 0, DATA), VMR_INS(0x83, 4, 2, DATA + 0xffe), VMR_LOAD(0, DATA + 0xffe, 8),
            VMR_EXPECT(0, 0x8877665544332211), VMR_END());

static void strings_keep_order_count_and_direction_in_every_granularity(void **state)
{
    static const char *const whole[] = {"io write port=0x80 size=2 count=3 string bytes=010203040506",
                                        "io write port=0x81 size=1 count=2 string bytes=0201",
                                        "io read port=0x83 size=4 count=2 string -> bytes=1122334455667788", END};
    static const char *const single[] = {
        "io write port=0x80 size=2 value=0x201",        "io write port=0x80 size=2 value=0x403",
        "io write port=0x80 size=2 value=0x605",        "io write port=0x81 size=1 value=0x2",
        "io write port=0x81 size=1 value=0x1",          "io read port=0x83 size=4 -> value=0x44332211",
        "io read port=0x83 size=4 -> value=0x88776655", END};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock:profile=strict", 1);
    rig_load(&rig, 0, &outs);
    (void)rig_bind(&rig, 0);
    rig_expect(&rig, "strict", whole, RIG_COUNT_OF(whole));
    rig_finish(&rig);
    rig_init(&rig, NULL, "mock:profile=whp-like", 1);
    rig_load(&rig, 0, &outs);
    (void)rig_bind(&rig, 0);
    rig_expect(&rig, "whp-like", single, RIG_COUNT_OF(single));
    rig_finish(&rig);
}

RIG_PROGRAM(long_string, VMR_EOI_NONE, VMR_OUTS(0x80, 4, 2500, DATA), VMR_OUTS(0x80, 1, 1, HOLE), VMR_END());

static void long_strings_come_in_pages_and_holes_are_refused(void **state)
{
    static const uint32_t counts[] = {1024, 1024, 452};
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &long_string);
    (void)rig_bind(&rig, 0);
    for (size_t i = 0; i < RIG_COUNT_OF(counts); i++) {
        assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
        assert_int_equal(vp_exit.u.io.count, counts[i]);
    }
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_FAIL);
    assert_int_equal(vp_exit.u.fail.code, HOLE);
    rig_finish(&rig);
}

/* --- completion --- */

RIG_PROGRAM(one_read, VMR_EOI_NONE, VMR_LOAD(0, HOLE + 0xfff, 2), VMR_END());

static void an_answer_is_taken_by_completing_part_by_part(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &one_read);
    (void)rig_bind(&rig, 0);
    assert_int_equal(vmr_vp_step(rig.vps[0], &vp_exit), VMR_OK);
    vp_exit.u.mmio.value = 0x11;
    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_MMIO);
    assert_int_equal(vp_exit.u.mmio.gpa, HOLE + 0x1000);
    vp_exit.u.mmio.value = 0x22;
    uint64_t steps = vmr_mock_steps(rig.mock, 0);

    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vp_exit.kind, VMR_EXIT_NONE);
    assert_int_equal(rig_var(&rig, 0, 0), 0x2211);
    assert_int_equal(vmr_mock_steps(rig.mock, 0), steps); /* not one more instruction */
    rig_finish(&rig);
}

/* --- interrupts --- */

RIG_PROGRAM(waiting, VMR_EOI_PIC, VMR_STI(), VMR_NOP(), VMR_OUT(0x10, 1, 1), VMR_CLI(), VMR_OUT(0x10, 1, 2),
            VMR_WAIT_VECTOR(0x30, 2), VMR_READ_COUNT(0, 0x30), VMR_EXPECT(0, 2), VMR_OUT(0x10, 1, 3), VMR_END());

static void must_step(struct rig *rig, struct vmr_exit *vp_exit, uint32_t kind)
{
    assert_int_equal(vmr_vp_step(rig->vps[0], vp_exit), VMR_OK);
    if (vp_exit->kind != kind)
        fail_msg("exit %s, not %s", vmr_exit_kind_name(vp_exit->kind), vmr_exit_kind_name(kind));
}

static void must_write(struct rig *rig, struct vmr_exit *vp_exit, uint16_t port, uint64_t value)
{
    must_step(rig, vp_exit, VMR_EXIT_IO);
    assert_int_equal(vp_exit->u.io.port, port);
    assert_int_equal(vp_exit->u.io.value, value);
}

static void an_interrupt_is_counted_acknowledged_and_seen_in_the_log(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;
    uint8_t vectors[4] = {0};

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &waiting);
    (void)rig_bind(&rig, 0);
    must_write(&rig, &vp_exit, 0x10, 1);
    assert_true(vp_exit.interrupt_ready);
    assert_int_equal(vmr_vp_inject(rig.vps[0], 0x21), VMR_OK);
    must_write(&rig, &vp_exit, 0x20, 0x20); /* the handler, before the next instruction */
    assert_false(vp_exit.interrupt_ready);
    must_write(&rig, &vp_exit, 0x10, 2);
    assert_false(vp_exit.interrupt_ready);
    assert_int_equal(vmr_vp_inject(rig.vps[0], 0x30), VMR_E_STATE);
    for (int i = 0; i < 2; i++) {
        must_step(&rig, &vp_exit, VMR_EXIT_HALT);
        assert_true(vp_exit.interrupt_ready);
        assert_int_equal(vmr_vp_inject(rig.vps[0], 0x30), VMR_OK);
        must_write(&rig, &vp_exit, 0xa0, 0x20); /* from 0x28 on the slave comes first */
        must_write(&rig, &vp_exit, 0x20, 0x20);
    }
    must_write(&rig, &vp_exit, 0x10, 3);
    assert_int_equal(rig_count(&rig, 0, 0x21), 1);
    assert_int_equal(rig_count(&rig, 0, 0x30), 2);
    assert_int_equal(vmr_mock_injected(rig.mock, 0, vectors, sizeof(vectors)), 3);
    assert_memory_equal(vectors, ((const uint8_t[]){0x21, 0x30, 0x30}), 3);
    rig_finish(&rig);
}

RIG_PROGRAM(shadowed, VMR_EOI_NONE, VMR_OUT(0x10, 1, 0), VMR_STI(), VMR_OUT(0x10, 1, 1), VMR_OUT(0x10, 1, 2),
            VMR_OUT(0x10, 1, 3), VMR_END());

static void a_window_opens_one_instruction_after_sti_in_each_profiles_way(void **state)
{
    static const struct {
        const char *spec;
        uint32_t kind;
        bool again; /* while it is wanted */
    } cases[] = {
        {"mock:profile=strict", VMR_EXIT_IRQ_WINDOW, true},
        {"mock:profile=whp-like", VMR_EXIT_IRQ_WINDOW, false},
        {"mock:profile=hvf-like", VMR_EXIT_CANCEL, true},
    };

    (void)state;
    for (size_t i = 0; i < RIG_COUNT_OF(cases); i++) {
        struct vmr_exit vp_exit = {0};
        struct rig rig;

        rig_init(&rig, NULL, cases[i].spec, 1);
        rig_load(&rig, 0, &shadowed);
        (void)rig_bind(&rig, 0);
        must_write(&rig, &vp_exit, 0x10, 0);
        vmr_vp_request_window(rig.vps[0], true);
        must_write(&rig, &vp_exit, 0x10, 1);
        assert_false(vp_exit.interrupt_ready); /* still in the shadow of STI */
        must_step(&rig, &vp_exit, cases[i].kind);
        assert_true(vp_exit.interrupt_ready);
        if (cases[i].again)
            must_step(&rig, &vp_exit, cases[i].kind);
        vmr_vp_request_window(rig.vps[0], false);
        assert_int_equal(vmr_vp_inject(rig.vps[0], 0x40), VMR_OK);
        must_write(&rig, &vp_exit, 0x10, 2);
        assert_int_equal(rig_count(&rig, 0, 0x40), 1);
        rig_finish(&rig);
    }
}

static void an_nmi_comes_with_interrupts_off_and_is_not_acknowledged(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &shadowed);
    (void)rig_bind(&rig, 0);
    must_write(&rig, &vp_exit, 0x10, 0);
    assert_int_equal(vmr_vp_inject_nmi(rig.vps[0]), VMR_OK);
    must_write(&rig, &vp_exit, 0x10, 1);
    assert_int_equal(rig_count(&rig, 0, 2), 1);
    rig_finish(&rig);
}

/* --- debugging, registers --- */

static void must_debug(struct rig *rig, struct vmr_exit *vp_exit, bool single_step, uint32_t step)
{
    must_step(rig, vp_exit, VMR_EXIT_DEBUG);
    assert_int_equal(vp_exit->u.debug.single_step, single_step);
    assert_int_equal(vp_exit->u.debug.pc, VMR_MOCK_STEP_BASE + step * VMR_MOCK_STEP_BYTES);
}

RIG_PROGRAM(stepped, VMR_EOI_NONE, VMR_NOP(), VMR_STORE(DATA, 4, 1), VMR_OUT(0x10, 1, 1), VMR_NOP(),
            VMR_LOAD(0, DATA, 1), VMR_SPIN());

static void debugging_stops_after_one_step_or_before_a_breakpoint(void **state)
{
    struct vmr_debug_state debug = {.single_step = true};
    struct vmr_exit vp_exit = {0};
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &stepped);
    (void)rig_bind(&rig, 0);
    assert_int_equal(vmr_vp_set_debug_state(rig.vps[0], &debug), VMR_OK);
    must_debug(&rig, &vp_exit, true, 1);
    must_debug(&rig, &vp_exit, true, 2);
    must_write(&rig, &vp_exit, 0x10, 1);
    must_debug(&rig, &vp_exit, true, 3);
    debug = (struct vmr_debug_state){
        .breakpoints = {{.enabled = true, .kind = VMR_BREAK_ACCESS, .length = 4, .address = DATA},
                        {.enabled = true, .length = 1, .address = VMR_MOCK_STEP_BASE + 4 * VMR_MOCK_STEP_BYTES}}};
    assert_int_equal(vmr_vp_set_debug_state(rig.vps[0], &debug), VMR_OK);
    must_debug(&rig, &vp_exit, false, 4);
    assert_int_equal(vp_exit.u.debug.breakpoint, 1);
    must_debug(&rig, &vp_exit, false, 5); /* past it, and after the load */
    assert_int_equal(vp_exit.u.debug.breakpoint, 0);
    debug = (struct vmr_debug_state){.single_step = true};
    assert_int_equal(vmr_vp_set_debug_state(rig.vps[0], &debug), VMR_OK);
    must_debug(&rig, &vp_exit, true, 5); /* a spin is stepped too, and does not end */
    rig_finish(&rig);
}

static void registers_choose_the_step_or_begin_anew(void **state)
{
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs;
    struct rig rig;

    (void)state;
    rig_init(&rig, NULL, "mock", 1);
    rig_load(&rig, 0, &shadowed);
    (void)rig_bind(&rig, 0);
    assert_int_equal(vmr_vp_get_regs(rig.vps[0], &regs), VMR_OK);
    assert_int_equal(regs.rip, 0xfff0); /* as after power-up, until it runs */
    must_write(&rig, &vp_exit, 0x10, 0);
    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(vmr_vp_get_regs(rig.vps[0], &regs), VMR_OK);
    assert_int_equal(regs.rip, VMR_MOCK_STEP_BASE + VMR_MOCK_STEP_BYTES);
    regs.rip = VMR_MOCK_STEP_BASE + 4 * VMR_MOCK_STEP_BYTES;
    assert_int_equal(vmr_vp_set_regs(rig.vps[0], &regs), VMR_OK);
    must_write(&rig, &vp_exit, 0x10, 3);
    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    vmr_x86_regs_sipi(&regs, 8);
    regs.gpr[VMR_X86_R8 + 2] = 7;
    assert_int_equal(vmr_vp_set_regs(rig.vps[0], &regs), VMR_OK);
    must_write(&rig, &vp_exit, 0x10, 0);
    assert_int_equal(vmr_vp_step_complete(rig.vps[0], &vp_exit), VMR_OK);
    assert_int_equal(rig_var(&rig, 0, 2), 7);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_give_their_exits_and_take_the_answers),
        cmocka_unit_test(cpuid_exits_where_the_profile_says_so_and_carries_the_table),
        cmocka_unit_test(strings_keep_order_count_and_direction_in_every_granularity),
        cmocka_unit_test(long_strings_come_in_pages_and_holes_are_refused),
        cmocka_unit_test(an_answer_is_taken_by_completing_part_by_part),
        cmocka_unit_test(an_interrupt_is_counted_acknowledged_and_seen_in_the_log),
        cmocka_unit_test(a_window_opens_one_instruction_after_sti_in_each_profiles_way),
        cmocka_unit_test(an_nmi_comes_with_interrupts_off_and_is_not_acknowledged),
        cmocka_unit_test(debugging_stops_after_one_step_or_before_a_breakpoint),
        cmocka_unit_test(registers_choose_the_step_or_begin_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
