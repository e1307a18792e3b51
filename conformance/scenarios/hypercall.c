/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls as a guest makes them: through its page, in every form, with what
 * comes back (TLFS, Hypercall Interface).
 */

#include "conformance/scenarios/port_words.h"

#define CONNECTION 0x1234u
#define NOBODY 0x4321u
#define HV_INPUT_BYTES 256u /* of PostMessage */

/* A VM whose host listens for messages at CONNECTION and for events right above. NULL: failed. */
static struct conf_vm *listening_vm(struct conf *conf, const struct vmr_hv_config *config, struct ears *ears,
                                    struct vmr_synic_port **ret_ports, const struct vmr_program *program)
{
    const struct conf_vm_options options = {.hv = config};
    struct conf_vm *vm = vm_about_to_run(conf, &options, program);

    if (!vm)
        return NULL;
    ret_ports[0] = listen_for_posts(vm, CONNECTION, 0, ears);
    ret_ports[1] = listen_for_signals(vm, CONNECTION + 1, 0, ears);
    return vm;
}

/* Runs `program` to its end while the host listens. */
static void listen_to(struct conf *conf, const struct vmr_hv_config *config, struct ears *ears,
                      const struct vmr_program *program)
{
    struct vmr_synic_port *ports[2] = {NULL, NULL};
    struct conf_vm *vm = listening_vm(conf, config, ears, ports, program);

    if (vm)
        (void)conf_run_to_end(vm, 0);
    vmr_synic_port_remove(ports[0]);
    vmr_synic_port_remove(ports[1]);
}

#define FAST HV_CONTROL_FAST
#define SIGNAL HV_CALL_SIGNAL_EVENT
#define POST HV_CALL_POST_MESSAGE
#define EVENT(flag) ((CONNECTION + 1) | UINT64_C(flag) << 32)

/* --- scenarios --- */

static void a_fast_signal_reaches_its_port(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(program, HV_OPEN(), HV_EXPECT_CALL(SIGNAL | FAST, EVENT(7), 0xabcd, 0), VMR_EXPECT(0, EVENT(7)),
                 VMR_EXPECT(1, 0xabcd), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals, 1, "signals");
    CONF_CHECK_EQ(conf, ears.flag, 7, "the flag");
}

static void a_signal_in_memory_is_the_same(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT + 8, 8, EVENT(9)), HV_EXPECT_CALL(SIGNAL, HV_INPUT + 8, 0, 0),
                 VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals, 1, "signals");
    CONF_CHECK_EQ(conf, ears.flag, 9, "the flag");
}

static void a_32_bit_caller_uses_halves_of_registers(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(program, HV_OPEN(), VMR_SET(0, EVENT(7)), VMR_SET(1, 0xabcd),
                 VMR_HV_CALL32(6, HV_CODE_PAGE, SIGNAL | FAST), HV_NO_FAULT(), VMR_EXPECT(6, 0),
                 VMR_EXPECT(0, EVENT(7)), VMR_EXPECT(1, 0xabcd), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals, 1, "signals");
    CONF_CHECK_EQ(conf, ears.flag, 7, "the flag");
}

static void a_message_reaches_its_port_without_its_type(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, CONNECTION),
                 VMR_STORE(HV_INPUT + 8, 8, 1 | UINT64_C(12) << 32), VMR_STORE(HV_INPUT + 16, 8, 0x1122334455667788),
                 VMR_STORE(HV_INPUT + 24, 8, 0x99aabbcc), HV_EXPECT_CALL(POST, HV_INPUT, 0, 0), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.length, 12, "bytes");
    CONF_CHECK(conf, ears.payload[0] == 0x88 && ears.payload[11] == 0x99, "the payload is another");
}

static void calls_are_refused_in_order(struct conf *conf)
{
    struct ears ears = {0};
    /* Each row breaks the rule it names and those behind it. */
    CONF_PROGRAM(
        program, HV_OPEN(), HV_EXPECT_CALL(0x7fff | FAST | HV_CONTROL_RESERVED, 1, 0, HV_STATUS_INVALID_HYPERCALL_CODE),
        HV_EXPECT_CALL(SIGNAL | HV_CONTROL_RESERVED, HV_NO_RAM + 1, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(SIGNAL | UINT64_C(1) << 32, HV_INPUT, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(SIGNAL | UINT64_C(1) << 48, HV_INPUT, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(SIGNAL | 1 << HV_CONTROL_VARIABLE_SHIFT, HV_INPUT, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(SIGNAL, HV_INPUT + 0xffc, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(SIGNAL, HV_NO_RAM + 4, 0, HV_STATUS_INVALID_ALIGNMENT),
        HV_EXPECT_CALL(SIGNAL, HV_NO_RAM, 0, HV_STATUS_INVALID_HYPERCALL_INPUT),
        HV_EXPECT_CALL(POST | FAST, CONNECTION, 0, HV_STATUS_INVALID_HYPERCALL_INPUT), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals + ears.posts, 0, "calls that got through");
}

static void what_is_off_is_refused_before_its_input_is_read(struct conf *conf)
{
    struct ears ears = {0};
    const struct vmr_hv_config config = {.privileges_off = HV_POST_MESSAGES | HV_SIGNAL_EVENTS};
    CONF_PROGRAM(program, HV_OPEN(), HV_EXPECT_CALL(SIGNAL, HV_NO_RAM + 4, 0, HV_STATUS_ACCESS_DENIED),
                 HV_EXPECT_CALL(SIGNAL | FAST, EVENT(1), 0, HV_STATUS_ACCESS_DENIED),
                 HV_EXPECT_CALL(POST, HV_INPUT, 0, HV_STATUS_ACCESS_DENIED), VMR_END());

    listen_to(conf, &config, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals + ears.posts, 0, "calls that got through");
}

static void bad_parameters_are_named(struct conf *conf)
{
    struct ears ears = {0};
    CONF_PROGRAM(program, HV_OPEN(), HV_EXPECT_CALL(SIGNAL | FAST, NOBODY, 0, HV_STATUS_INVALID_CONNECTION_ID),
                 HV_EXPECT_CALL(SIGNAL | FAST, CONNECTION, 0, HV_STATUS_INVALID_CONNECTION_ID),
                 HV_EXPECT_CALL(SIGNAL | FAST, EVENT(1) | UINT64_C(1) << 48, 0, HV_STATUS_INVALID_PARAMETER),
                 VMR_STORE(HV_INPUT, 8, CONNECTION), VMR_STORE(HV_INPUT + 8, 8, 1 | UINT64_C(241) << 32),
                 HV_EXPECT_CALL(POST, HV_INPUT, 0, HV_STATUS_INVALID_PARAMETER),
                 VMR_STORE(HV_INPUT + 8, 8, 1 | UINT64_C(240) << 32), HV_EXPECT_CALL(POST, HV_INPUT, 0, 0), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.posts, 1, "posts");
    CONF_CHECK_EQ(conf, ears.length, 240, "bytes");
}

/* The guest's memory as one that is changed between two reads: each byte of the input, and how often it was read. */
struct flipper {
    uint32_t reads[HV_INPUT_BYTES];
    uint32_t most;
};

static void flip(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct flipper *flipper = context;
    uint8_t *read = bytes;

    for (size_t i = 0; i < length; i++) {
        if (gpa + i < HV_INPUT || gpa + i >= HV_INPUT + HV_INPUT_BYTES)
            continue;
        uint32_t times = flipper->reads[gpa + i - HV_INPUT]++;

        if (times > 0)
            read[i] = (uint8_t)~read[i];
        if (times >= flipper->most)
            flipper->most = times + 1;
    }
}

static void input_is_read_once(struct conf *conf)
{
    struct ears ears = {0};
    struct flipper flipper = {.most = 0};
    const struct vmr_memory_observer observer = {.read = flip, .context = &flipper};
    struct vmr_synic_port *ports[2] = {NULL, NULL};
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_INPUT, 8, CONNECTION),
                 VMR_STORE(HV_INPUT + 8, 8, 1 | UINT64_C(240) << 32), VMR_STORE(HV_INPUT + 16, 8, 0x1122334455667788),
                 HV_EXPECT_CALL(POST, HV_INPUT, 0, 0), VMR_END());
    struct conf_vm *vm = listening_vm(conf, &hv_all, &ears, ports, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    vmr_memory_set_observer(vm->memory, &observer);
    (void)conf_run_to_end(vm, 0);
    vmr_memory_set_observer(vm->memory, NULL);
    CONF_CHECK_EQ(conf, flipper.most, 1, "times that a byte of the input was read");
    CONF_CHECK_EQ(conf, ears.length, 240, "bytes");
    CONF_CHECK_EQ(conf, ears.payload[0], 0x88, "the first of them");
    vmr_synic_port_remove(ports[0]);
    vmr_synic_port_remove(ports[1]);
}

static void a_closed_page_calls_nobody(struct conf *conf)
{
    struct ears ears = {0};
    /* The code is still in RAM; without the page its port belongs to nobody, and VMCALL is no hypercall of ours. */
    CONF_PROGRAM(program, HV_OPEN(), VMR_WRMSR(HV_MSR_GUEST_OS_ID, 0), VMR_SET(0, EVENT(3)),
                 VMR_HV_CALL(6, HV_CODE_PAGE, SIGNAL | FAST), VMR_END());

    listen_to(conf, &hv_all, &ears, &program);
    CONF_CHECK_EQ(conf, ears.signals, 0, "signals");
}

/* A handler of the embedder's own, for a call that has input and output in the form asked for. */
static enum hv_status complement(void *context, struct vmr_hv_call *call)
{
    (void)context;
    for (unsigned i = 0; i < 8; i++)
        call->output[i] = (uint8_t)~call->input[i];
    return HV_STATUS_SUCCESS;
}

static void extended_fast_calls_use_xmm_registers(struct conf *conf)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    const struct vmr_hv_call_handler handler = {.run = complement};
    /* 16 bytes in, in the first pair; 8 out, in the second, which is XMM0. The rest of it stays. */
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_XMM, 8, 0x33), VMR_STORE(HV_XMM + 8, 8, 0x55),
                 VMR_STORE(HV_XMM + 16, 8, 0x77), VMR_SET(0, 0xff00ff00ff00ff00), VMR_SET(1, 1),
                 VMR_HV_CALL_XMM(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT_DIRECT | FAST, HV_XMM), HV_NO_FAULT(),
                 VMR_EXPECT(6, 0), VMR_LOAD(5, HV_XMM, 8), VMR_EXPECT(5, 0x00ff00ff00ff00ff),
                 VMR_LOAD(5, HV_XMM + 8, 8), VMR_EXPECT(5, 0x55), VMR_LOAD(5, HV_XMM + 16, 8), VMR_EXPECT(5, 0x77),
                 VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &options, &program);

    CONF_REQUIRE(conf, vm, "no VM");
    struct vmr_hv_calls *calls = vmr_hv_guest_calls(vmr_partition_hv(vm->partition));

    CONF_REQUIRE(conf, vmr_hv_calls_set(calls, HV_CALL_SIGNAL_EVENT_DIRECT, &handler) == VMR_OK,
                 "the handler is refused");
    (void)conf_run_to_end(vm, 0);
}

#define HV_NEEDS (CONF_CAP(MSR_EXIT) | CONF_CAP(MSR_FAULT))
#define SCENARIO(function)                                                                                             \
    .name = #function, .family = "hypercall", .needs = HV_NEEDS, .chip = CONF_CHIP_ANY, .run = function

static const struct conf_scenario scenarios[] = {
    {SCENARIO(a_fast_signal_reaches_its_port), .clauses = "HC-1 HC-3"},
    {SCENARIO(a_signal_in_memory_is_the_same), .clauses = "HC-1 HC-3"},
    {SCENARIO(a_32_bit_caller_uses_halves_of_registers), .clauses = "HC-1 HC-6"},
    {SCENARIO(a_message_reaches_its_port_without_its_type), .clauses = "HC-1"},
    {SCENARIO(calls_are_refused_in_order), .clauses = "HC-2", .without = CONF_CAP(HV_OFFLOAD)},
    {SCENARIO(what_is_off_is_refused_before_its_input_is_read), .clauses = "HC-2"},
    {SCENARIO(bad_parameters_are_named), .clauses = "HC-2"},
    {SCENARIO(input_is_read_once), .clauses = "MEM-1 HC-1", .ids = "CVE-2019-14821 CVE-2023-4155"},
    {SCENARIO(a_closed_page_calls_nobody), .clauses = "HC-4"},
    {.name = "extended_fast_calls_use_xmm_registers",
     .family = "hypercall",
     .clauses = "HC-3",
     .needs = HV_NEEDS | CONF_CAP(XMM),
     .without = CONF_CAP(HV_OFFLOAD),
     .chip = CONF_CHIP_ANY,
     .run = extended_fast_calls_use_xmm_registers},
};

CONF_FAMILY(hypercall, scenarios);
