/* SPDX-License-Identifier: MIT */
/*
 * What happens to an exit of each kind: the answer, the reason to halt, and who
 * is asked. [EXIT-2] [EXIT-3] [EXIT-8] [HALT-1] [HALT-2] [IO-1] [MSR-1]
 */

#include "tests/run/fixture.h"

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < VMR_HALT_REASON_COUNT; a++) {
        for (int b = 0; b < a; b++)
            assert_string_not_equal(vmr_halt_reason_name((enum vmr_halt_reason)a),
                                    vmr_halt_reason_name((enum vmr_halt_reason)b));
    }
    assert_string_equal(vmr_halt_reason_name(VMR_HALT_TRIPLE_FAULT), "triple-fault");
    assert_string_equal(vmr_halt_reason_name(VMR_HALT_REASON_COUNT), "unknown");
}

/* --- halts, by exit --- */

#define EVENT(e)                                                                                                       \
    {                                                                                                                  \
        .kind = VMR_EXIT_SYSTEM_EVENT, .vtl = 1, .u.system_event = {.event = (e) }                                     \
    }

static const struct {
    const char *name;
    struct vmr_exit exit;
    enum vmr_halt_reason reason;
    uint8_t vtl, breakpoint;
} halts[] = {
    {"power off", EVENT(VMR_SYSTEM_POWER_OFF), VMR_HALT_POWER_OFF, 1, 0},
    {"reset", EVENT(VMR_SYSTEM_RESET), VMR_HALT_RESET, 1, 0},
    {"hibernate", EVENT(VMR_SYSTEM_HIBERNATE), VMR_HALT_HIBERNATE, 1, 0},
    {"crash", EVENT(VMR_SYSTEM_CRASH), VMR_HALT_TRIPLE_FAULT, 1, 0},
    {"an event that does not exist", EVENT(VMR_SYSTEM_EVENT_COUNT), VMR_HALT_FATAL, 1, 0},
    {"shutdown", {.kind = VMR_EXIT_SHUTDOWN, .u.shutdown = {.vtl = 2}}, VMR_HALT_TRIPLE_FAULT, 2, 0},
    {"single step", {.kind = VMR_EXIT_DEBUG, .u.debug = {.single_step = true}}, VMR_HALT_SINGLE_STEP, 0, 0},
    {"breakpoint", {.kind = VMR_EXIT_DEBUG, .u.debug = {.breakpoint = 3}}, VMR_HALT_HW_BREAK, 0, 3},
    {"a memory fault", {.kind = VMR_EXIT_MEMORY_FAULT, .u.memory_fault = {.gpa = 5}}, VMR_HALT_FATAL, 0, 0},
    {"a failure", {.kind = VMR_EXIT_FAIL, .native_reason = 99}, VMR_HALT_FATAL, 0, 0},
    {"a kind that does not exist", {.kind = VMR_EXIT_KIND_COUNT}, VMR_HALT_FATAL, 0, 0},
    {"a kind far beyond", {.kind = UINT32_MAX}, VMR_HALT_FATAL, 0, 0},
};

struct told {
    unsigned fatal, exits;
    struct vmr_exit exit;
};

static void tell(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit)
{
    struct told *told = context;

    assert_int_equal(vp, 0);
    told->fatal++;
    told->exit = *vp_exit;
}

static void each_halt_comes_back_as_its_own_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(halts); i++) {
        const struct fake_step steps[] = {{.exit = halts[i].exit}};
        struct fixture fixture;
        struct told told = {0};
        bool fatal = halts[i].reason == VMR_HALT_FATAL;

        print_message("%s\n", halts[i].name);
        fixture_init(&fixture, steps, COUNT(steps));
        fixture.io = (struct vmr_vp_io){.fatal = tell, .context = &told};
        assert_int_equal(must_run(&fixture, NULL), halts[i].reason);
        assert_int_equal(told.fatal, fatal);
        assert_int_equal(fixture.result.exit.kind, fatal ? halts[i].exit.kind : VMR_EXIT_NONE);
        if (!fatal) {
            assert_int_equal(fixture.result.vtl, halts[i].vtl);
            assert_int_equal(fixture.result.breakpoint, halts[i].breakpoint);
        }
        fixture_finish(&fixture);
    }
}

/* --- answers without anybody --- */

static uint8_t bytes[4];

static const struct {
    const char *name;
    struct vmr_exit exit;
    uint64_t answer;
} unclaimed[] = {
    {"a port read of 1", {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1}}, 0xff},
    {"a port read of 4", {.kind = VMR_EXIT_IO, .u.io = {.size = 4, .count = 1}}, 0xffffffff},
    {"an MMIO read of 3", {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 1, .size = 3}}, 0xffffff},
    {"an MMIO read of 8", {.kind = VMR_EXIT_MMIO, .u.mmio = {.gpa = 1, .size = 8}}, UINT64_MAX},
    {"an MSR read", {.kind = VMR_EXIT_MSR, .u.msr = {.index = 1, .value = 5}}, 0},
    {"a hypercall", {.kind = VMR_EXIT_HYPERCALL}, UINT64_MAX},
    {"a string read", {.kind = VMR_EXIT_IO, .u.io = {.size = 2, .count = 2, .string = true, .bytes = bytes}}, 0},
};

static uint64_t answer_of(const struct vmr_exit *vp_exit)
{
    if (vp_exit->kind == VMR_EXIT_IO)
        return vp_exit->u.io.value;
    if (vp_exit->kind == VMR_EXIT_MMIO)
        return vp_exit->u.mmio.value;
    if (vp_exit->kind == VMR_EXIT_MSR)
        return vp_exit->u.msr.value;
    return vp_exit->u.hypercall.result;
}

static void what_nobody_answers_is_ones_or_a_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unclaimed); i++) {
        const struct fake_step steps[] = {{.exit = unclaimed[i].exit}, STEP_POWER_OFF};
        struct fixture fixture;

        print_message("%s\n", unclaimed[i].name);
        memset(bytes, 0, sizeof(bytes));
        fixture_init(&fixture, steps, COUNT(steps));
        assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
        assert_int_equal(answer_of(&fixture.fake.answers[0][0]), unclaimed[i].answer);
        if (unclaimed[i].exit.kind == VMR_EXIT_MSR)
            assert_true(fixture.fake.answers[0][0].u.msr.fault);
        if (unclaimed[i].exit.kind == VMR_EXIT_IO && unclaimed[i].exit.u.io.string)
            assert_int_equal(bytes[0] + bytes[1] + bytes[2] + bytes[3], 4 * 0xff);
        fixture_finish(&fixture);
    }
}

/* --- a device and string I/O --- */

struct tape {
    uint16_t seen[8];
    size_t count;
    struct vmr_access access;
};

static uint64_t tape_read(void *device, const struct vmr_access *access)
{
    struct tape *tape = device;

    tape->access = *access;
    return 0x1100 + tape->count++;
}

static void tape_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct tape *tape = device;

    tape->access = *access;
    tape->seen[tape->count++] = (uint16_t)value;
}

static const struct vmr_device_ops tape_ops = {tape_read, tape_write};

static void string_io_moves_each_item_once_in_order(void **state)
{
    (void)state;
    static uint8_t out[] = {1, 2, 3, 4, 5, 6}, in[6];
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_IO,
                  .vtl = 1,
                  .u.io = {.port = 8, .size = 2, .count = 3, .string = true, .direction = VMR_WRITE, .bytes = out}}},
        {.exit = {.kind = VMR_EXIT_IO, .u.io = {.port = 8, .size = 2, .count = 3, .string = true, .bytes = in}}},
        STEP_POWER_OFF,
    };
    struct fixture fixture;
    struct tape tape = {0};
    const struct vmr_bus_range range = {
        .name = "tape", .start = 8, .length = 2, .sizes = VMR_SIZE_1 | VMR_SIZE_2, .ops = &tape_ops, .device = &tape};

    fixture_init(&fixture, steps, COUNT(steps));
    assert_int_equal(vmr_bus_create(&fixture.rig.host, VMR_BUS_PORTS, &fixture.io.ports, NULL), VMR_OK);
    assert_int_equal(vmr_bus_claim(fixture.io.ports, &range, NULL), VMR_OK);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(tape.count, 6);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tape.seen[i], out[2 * i] + 256 * out[2 * i + 1]);
        assert_int_equal(in[2 * i], 3 + i);
        assert_int_equal(in[2 * i + 1], 0x11);
    }
    assert_int_equal(out[5], 6); /* what is written stays */
    assert_int_equal(tape.access.size, 2);
    vmr_bus_destroy(fixture.io.ports);
    fixture_finish(&fixture);
}

/* --- MSRs --- */

static enum vmr_msr_result msr_read(void *context, struct vmr_vp *vp, uint32_t index, uint64_t *ret_value)
{
    (void)context;
    (void)vp;
    *ret_value = 0x77;
    return index == 1 ? VMR_MSR_OK : index == 2 ? VMR_MSR_FAULT : VMR_MSR_NOT_MINE;
}

static enum vmr_msr_result msr_write(void *context, struct vmr_vp *vp, uint32_t index, uint64_t value)
{
    (void)vp;
    *(uint64_t *)context = value;
    return index == 1 ? VMR_MSR_OK : VMR_MSR_NOT_MINE;
}

static void msrs_reach_the_embedder_with_index_direction_and_value(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 1}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 2}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 3}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 1, .direction = VMR_WRITE, .value = 0x99}}},
        {.exit = {.kind = VMR_EXIT_MSR, .u.msr = {.index = 2, .direction = VMR_WRITE}}},
        STEP_POWER_OFF,
    };
    struct fixture fixture;
    uint64_t written[2] = {0};

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.io = (struct vmr_vp_io){.msr_read = msr_read, .msr_write = msr_write, .context = written};
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    const struct vmr_exit *answers = fixture.fake.answers[0];

    assert_false(answers[0].u.msr.fault);
    assert_int_equal(answers[0].u.msr.value, 0x77);
    for (size_t i = 1; i < 3; i++) {
        assert_true(answers[i].u.msr.fault);
        assert_int_equal(answers[i].u.msr.value, 0); /* nothing of a refused read reaches the guest */
    }
    assert_false(answers[3].u.msr.fault);
    assert_int_equal(answers[3].u.msr.value, 0x99);
    assert_true(answers[4].u.msr.fault);
    fixture_finish(&fixture);
}

/* --- the embedder's handler --- */

struct handler {
    struct told told;
    enum vmr_exit_action action;
    enum vmr_halt_reason reason, requested;
};

static enum vmr_exit_action handle(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                   enum vmr_halt_reason *ret_reason)
{
    struct handler *handler = context;

    (void)vp;
    handler->told.exits++;
    if (vp_exit->kind == VMR_EXIT_SYSTEM_EVENT)
        return VMR_EXIT_DEFAULT;
    if (vp_exit->kind == VMR_EXIT_IO)
        vp_exit->u.io.value = 0x33;
    *ret_reason = handler->reason;
    return handler->action;
}

static enum vmr_halt_reason requested(void *context, vmr_vp_index vp)
{
    (void)vp;
    return ((struct handler *)context)->requested;
}

static void handler_tell(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit)
{
    tell(&((struct handler *)context)->told, vp, vp_exit);
}

static const struct {
    const char *name;
    struct vmr_exit exit;
    enum vmr_exit_action action;
    enum vmr_halt_reason given, requested, reason;
    unsigned fatal;
} handled[] = {
    {"handled", {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1}}, VMR_EXIT_CONTINUE, 0, 0, VMR_HALT_POWER_OFF, 0},
    {"a memory fault that is handled", {.kind = VMR_EXIT_MEMORY_FAULT}, VMR_EXIT_CONTINUE, 0, 0, VMR_HALT_POWER_OFF, 0},
    {"a failure is not handled", {.kind = VMR_EXIT_FAIL}, VMR_EXIT_CONTINUE, 0, 0, VMR_HALT_FATAL, 1},
    {"nor another reason", {.kind = VMR_EXIT_FAIL}, VMR_EXIT_HALT_VP, VMR_HALT_RESET, 0, VMR_HALT_FATAL, 1},
    {"a halt", {.kind = VMR_EXIT_HALT}, VMR_EXIT_HALT_VP, VMR_HALT_RESET, 0, VMR_HALT_RESET, 0},
    {"a fatal halt",
     {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1}},
     VMR_EXIT_HALT_VP,
     VMR_HALT_FATAL,
     0,
     VMR_HALT_FATAL,
     1},
    {"a stop that nobody asked for", {.kind = VMR_EXIT_HALT}, VMR_EXIT_HALT_VP, VMR_HALT_STOP, 0, VMR_HALT_FATAL, 1},
    {"no reason", {.kind = VMR_EXIT_HALT}, VMR_EXIT_HALT_VP, VMR_HALT_NONE, 0, VMR_HALT_FATAL, 1},
    {"a reason with CONTINUE is none",
     {.kind = VMR_EXIT_HALT},
     VMR_EXIT_CONTINUE,
     VMR_HALT_RESET,
     0,
     VMR_HALT_POWER_OFF,
     0},
    {"a device asks", {.kind = VMR_EXIT_EOI}, VMR_EXIT_DEFAULT, 0, VMR_HALT_RESET, VMR_HALT_RESET, 0},
    {"a device asks for a fatal halt", {.kind = VMR_EXIT_EOI}, VMR_EXIT_DEFAULT, 0, VMR_HALT_FATAL, VMR_HALT_FATAL, 1},
    {"a device may not cancel", {.kind = VMR_EXIT_EOI}, VMR_EXIT_DEFAULT, 0, VMR_HALT_CANCEL, VMR_HALT_POWER_OFF, 0},
};

static void the_handlers_word_counts_where_it_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(handled); i++) {
        const struct fake_step steps[] = {{.exit = handled[i].exit}, STEP_POWER_OFF};
        struct fixture fixture;
        struct handler handler = {
            .action = handled[i].action, .reason = handled[i].given, .requested = handled[i].requested};
        struct vmr_x86_regs regs;

        print_message("%s\n", handled[i].name);
        fixture_init(&fixture, steps, COUNT(steps));
        fixture.io =
            (struct vmr_vp_io){.exit = handle, .halt_requested = requested, .fatal = handler_tell, .context = &handler};
        assert_int_equal(must_run(&fixture, NULL), handled[i].reason);
        assert_int_equal(handler.told.fatal, handled[i].fatal);
        assert_int_equal(handler.told.exits, handled[i].reason == VMR_HALT_POWER_OFF ? 2 : 1);
        if (handled[i].fatal)
            assert_int_equal(fixture.result.exit.kind, handled[i].exit.kind);
        if (handled[i].exit.kind == VMR_EXIT_IO)
            assert_int_equal(fixture.fake.answers[0][0].u.io.value, 0x33);
        assert_int_equal(vmr_vp_get_regs(fixture.vp, &regs), VMR_OK); /* a clean point, whatever ended it */
        fixture_finish(&fixture);
    }
}

static void the_handler_does_not_see_what_concerns_the_library_alone(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_CANCEL), STEP_OF(VMR_EXIT_IRQ_WINDOW), STEP_POWER_OFF};
    struct fixture fixture;
    struct handler handler = {.action = VMR_EXIT_DEFAULT};

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.io = (struct vmr_vp_io){.exit = handle, .context = &handler};
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    assert_int_equal(handler.told.exits, 1);
    fixture_finish(&fixture);
}

static void a_fatal_string_exit_keeps_no_pointer(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.exit = {.kind = VMR_EXIT_IO, .u.io = {.size = 1, .count = 1, .string = true, .bytes = bytes}}}};
    struct fixture fixture;
    struct handler handler = {.action = VMR_EXIT_HALT_VP, .reason = VMR_HALT_FATAL};

    fixture_init(&fixture, steps, COUNT(steps));
    fixture.io = (struct vmr_vp_io){.exit = handle, .context = &handler};
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_FATAL);
    assert_true(fixture.result.exit.u.io.string);
    assert_null(fixture.result.exit.u.io.bytes);
    fixture_finish(&fixture);
}

static void hlt_with_controllers_in_the_hypervisor_does_not_sleep_here(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {STEP_OF(VMR_EXIT_HALT), STEP_POWER_OFF};
    struct fixture fixture = {0};

    fake_init(&fixture.fake);
    fixture.fake.irqchip = VMR_IRQCHIP_KERNEL;
    fake_script(&fixture.fake, 0, steps, COUNT(steps));
    fixture_bind(&fixture);
    assert_int_equal(must_run(&fixture, NULL), VMR_HALT_POWER_OFF);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        cmocka_unit_test(each_halt_comes_back_as_its_own_reason),
        cmocka_unit_test(what_nobody_answers_is_ones_or_a_fault),
        cmocka_unit_test(string_io_moves_each_item_once_in_order),
        cmocka_unit_test(msrs_reach_the_embedder_with_index_direction_and_value),
        cmocka_unit_test(the_handlers_word_counts_where_it_may),
        cmocka_unit_test(the_handler_does_not_see_what_concerns_the_library_alone),
        cmocka_unit_test(a_fatal_string_exit_keeps_no_pointer),
        cmocka_unit_test(hlt_with_controllers_in_the_hypervisor_does_not_sleep_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
