/* SPDX-License-Identifier: MIT */
/*
 * Recording guests that use the Hyper-V interface: what it reads of a VP and does
 * to one, VPs that wait for each other, and what reaches a SINT from threads that
 * run no VP. Each script is recorded on this backend and played twice: as it is,
 * recorded anew, and with something planted into its text.
 */

#include <stdatomic.h>

#include "conformance/scenarios/synic_words.h"
#include "conformance/scenarios/tape.h"
#include "conformance/scenarios/vtl_words.h"

#define VPS_MAX 2u
#define PATIENCE_NS UINT64_C(1000000000)

struct side;

/* What happens, on either side; members may be NULL. */
struct script {
    uint32_t vps; /* 0: 1 */
    const struct vmr_program *programs[VPS_MAX];
    const struct vmr_program *vtl1;
    bool set_up_first;                                               /* before the VPs are bound */
    void (*set_up)(struct side *side);                               /* VP 0 is bound, and has not run */
    void (*at)(struct side *side, vmr_vp_index vp, uint32_t number); /* at a checkpoint, on the VP's thread */
    void (*outside)(struct side *side);                              /* on a thread of its own, from checkpoint 1 on */
    bool again; /* the embedder does it in a replay as well; otherwise the replay does */
};

struct side {
    struct conf conf; /* the scenario's, on the wrapped handle and host */
    const struct script *script;
    struct vmr_hypervisor_handle inner_handle, handle;
    struct vmr_host inner_host, host;
    struct vmr_recorder *recorder;
    struct vmr_replay *replay;
    struct vmr_trace_memory memory;
    struct vmr_stop_source *stops[VPS_MAX];
    struct vmr_run_result ends[VPS_MAX];
    struct conf_vm *vm;
    struct vmr_thread *outside;
    struct vmr_synic_port *port;
    struct vmr_guest_event_port *guest_port;
    _Atomic uint32_t heard; /* signals */
    uint64_t seen;          /* a sum over what calls gave, on VP 0's thread */
    struct vmr_replay_result result;
    _Atomic bool second_ready; /* bound, or never */
};

/* --- one side --- */

static void be_outside(void *argument)
{
    struct side *side = argument;

    side->script->outside(side);
}

static void at_checkpoint(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct side *side = vm->user;
    const struct script *script = side->script;

    if (number == 1 && vp == 0 && script->outside && (script->again || !side->replay))
        side->outside = conf_thread(&side->conf, be_outside, side);
    if (script->at)
        script->at(side, vp, number);
}

static void run_vp(struct side *side, vmr_vp_index vp)
{
    if (vp == 0 && side->script->set_up && !side->script->set_up_first)
        side->script->set_up(side);
    (void)conf_run(side->vm, vp, side->stops[vp], &side->ends[vp]);
}

static void run_second_vp(void *argument)
{
    struct side *side = argument;

    bool bound = conf_bind(side->vm, 1);
    atomic_store(&side->second_ready, true);
    if (bound)
        run_vp(side, 1);
    conf_unbind(side->vm, 1);
}

static bool is_second_ready(void *argument)
{
    return atomic_load(&((struct side *)argument)->second_ready);
}

static bool load(struct side *side)
{
    const struct script *script = side->script;
    struct vmr_mock *mock = side->recorder ? vmr_recorder_native(side->recorder, vmr_mock_backend()) : NULL;

    for (vmr_vp_index vp = 0; vp < VPS_MAX; vp++) {
        if (script->programs[vp] &&
            !tape_load(side->vm, vp, script->programs[vp], side->recorder, side->replay != NULL))
            return false;
    }
    return !script->vtl1 || !mock || vmr_mock_load_vtl_program(mock, 0, VMR_VTL1, script->vtl1, NULL) == VMR_OK;
}

/* The same calls for a recording and for its replay. */
static void side_run(struct side *side)
{
    struct conf *conf = &side->conf;
    const struct conf_vm_options options = {.vps = side->script->vps, .hv = &hv_all};
    struct vmr_thread *second;
    struct vmr_error err = {.message = ""};

    conf->handle = &side->handle;
    conf->host = &side->host;
    CONF_REQUIRE(conf, side->handle.backend->caps(&side->handle, &conf->caps, &err) == VMR_OK, "%s", err.message);
    for (unsigned i = 0; i < VPS_MAX; i++)
        CONF_REQUIRE(conf, vmr_stop_create(conf->host, &side->stops[i]) == VMR_OK, "no stop source");
    side->vm = conf_vm_create(conf, &options);
    CONF_REQUIRE(conf, side->vm && load(side), "no VM");
    if (side->replay)
        vmr_replay_set_partition(side->replay, side->vm->partition);
    side->vm->on_checkpoint = at_checkpoint;
    side->vm->user = side;
    if (side->script->set_up_first)
        side->script->set_up(side);
    /* Registers that are set before the first run are in nobody's order: one VP after the other, then both run. */
    bool bound = conf_bind(side->vm, 0);

    second = side->script->vps > 1 ? conf_thread(conf, run_second_vp, side) : NULL;
    if (bound && (!second || conf_wait(conf, is_second_ready, side, "the second VP")))
        run_vp(side, 0);
    conf_join(conf, second);
    conf_join(conf, side->outside);
}

static void side_end(struct side *side)
{
    vmr_guest_event_port_destroy(side->guest_port);
    conf_vm_destroy(side->vm);
    vmr_synic_port_remove(side->port);
    for (unsigned i = 0; i < VPS_MAX; i++)
        vmr_stop_destroy(side->stops[i]);
    side->vm = NULL;
}

static void record(struct conf *conf, struct side *side, const struct script *script, struct tape *tape)
{
    *side = (struct side){.conf = *conf, .script = script};
    side->recorder = tape_record(conf, tape, conf->handle, conf->host, &side->handle, &side->host);
    CONF_REQUIRE(conf, side->recorder, "no recorder");
    side_run(side);
    for (uint32_t vp = 0; side->vm && vp < side->vm->vp_count; vp++)
        CONF_CHECK(conf, side->ends[vp].reason == VMR_HALT_POWER_OFF && !side->vm->reports[vp].mismatch,
                   "VP %u did not end well: %s, step %u saw %#llx", vp, vmr_halt_reason_name(side->ends[vp].reason),
                   side->vm->reports[vp].mismatch_step, (unsigned long long)side->vm->reports[vp].mismatch_value);
    side_end(side);
    tape_finish(conf, side->recorder);
}

/* --- playing --- */

static void stop_vp(void *context, vmr_vp_index vp)
{
    vmr_stop_set(((struct side *)context)->stops[vp]);
}

static void stop_all(void *context)
{
    for (vmr_vp_index vp = 0; vp < VPS_MAX; vp++)
        stop_vp(context, vp);
}

/* Recorded anew on `again`, if there is one. */
static void play(struct conf *conf, struct side *side, const struct script *script, const struct tape *tape,
                 struct tape *again)
{
    /* What was changed from outside may be waited for in vain, once something is planted. */
    const struct vmr_replay_options options = {
        .stop = stop_vp, .end = stop_all, .context = side, .patience_ns = again ? 0 : PATIENCE_NS};
    struct vmr_trace_source source;
    struct vmr_error err = {.message = ""};

    *side = (struct side){.conf = *conf, .script = script, .memory = {.bytes = tape->bytes, .length = tape->length}};
    CONF_CLEANUP(replay_end) struct vmr_replay **replay = &side->replay;
    struct vmr_hypervisor_handle *handle = again ? &side->inner_handle : &side->handle;
    struct vmr_host *host = again ? &side->inner_host : &side->host;

    vmr_trace_source_memory(&side->memory, &source);
    CONF_REQUIRE(conf, vmr_replay_create(&source, &options, replay, &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, vmr_replay_attach(side->replay, conf->host, handle, host, &err) == VMR_OK, "%s", err.message);
    if (again) {
        side->recorder = tape_record(conf, again, handle, host, &side->handle, &side->host);
        CONF_REQUIRE(conf, side->recorder, "no recorder");
    }
    side_run(side);
    side_end(side);
    vmr_replay_get_result(side->replay, &side->result);
    if (again)
        tape_finish(conf, side->recorder);
}

static void check_planted(struct conf *conf, const struct script *script, const struct tape *tape,
                          const struct planted *planted)
{
    struct side side;
    CONF_CLEANUP(tape_free) struct tape text = {0};

    if (tape_convert(conf, tape, true, &text)) {
        uint32_t exits = tape_plant(conf, &text, planted);

        play(conf, &side, script, &text, NULL);
        CONF_CHECK(conf, side.result.status == VMR_E_DIVERGED, "without '%s' the replay ended: %s", planted->where,
                   vmr_status_name(side.result.status));
        /* A VP that was asked for in the guest leaves it first. */
        CONF_CHECK(conf, side.result.exits == exits || side.result.exits == exits + 1,
                   "'%s' is missed at exit %llu, not %u: %s", planted->where, (unsigned long long)side.result.exits,
                   exits, side.result.error.message);
        CONF_CHECK(conf, strstr(side.result.error.message, planted->named), "'%s' is not named in: %s", planted->named,
                   side.result.error.message);
    }
}

/* Recorded, played, recorded anew: the same. Then with each thing planted: another. */
static void check_script(struct conf *conf, const struct script *script, const struct planted *planted, size_t count)
{
    struct side recorded, played;
    CONF_CLEANUP(tape_free) struct tape tape = {0}, again = {0};

    record(conf, &recorded, script, &tape);
    if (!conf_failed(conf)) {
        play(conf, &played, script, &tape, &again);
        CONF_CHECK(conf, played.result.status == VMR_OK && played.result.ended, "after %llu records: %s",
                   (unsigned long long)played.result.records, played.result.error.message);
        CONF_CHECK_EQ(conf, played.heard, recorded.heard, "signals to the host");
        CONF_CHECK_EQ(conf, played.seen, recorded.seen, "what calls gave");
        tape_check_again(conf, &tape, &again);
    }
    for (size_t i = 0; i < count && !conf->exploring && !conf_failed(conf); i++)
        check_planted(conf, script, &tape, &planted[i]);
}

#define CHECK_SCRIPT(conf, script, ...)                                                                                \
    do {                                                                                                               \
        static const struct planted planted_rows[] = {__VA_ARGS__};                                                    \
        check_script((conf), (script), planted_rows, sizeof(planted_rows) / sizeof(planted_rows[0]));                  \
    } while (0)

/* --- registers and faults --- */

static enum hv_status complement(void *context, struct vmr_hv_call *call)
{
    (void)context;
    for (unsigned i = 0; i < 8; i++)
        call->output[i] = (uint8_t)~call->input[i + 8];
    return HV_STATUS_SUCCESS;
}

static void complement_calls(struct side *side)
{
    static const struct vmr_hv_call_handler handler = {.run = complement};
    struct vmr_hv_calls *calls = vmr_hv_guest_calls(vmr_partition_hv(side->vm->partition));

    CONF_CHECK(&side->conf, vmr_hv_calls_set(calls, HV_CALL_SIGNAL_EVENT_DIRECT, &handler) == VMR_OK,
               "the handler is refused");
}

static void extended_fast_calls_are_played(struct conf *conf)
{
    CONF_PROGRAM(program, HV_OPEN(), VMR_STORE(HV_XMM, 8, 0x33), VMR_STORE(HV_XMM + 8, 8, 0x55),
                 VMR_STORE(HV_XMM + 80, 8, 0x77), VMR_SET(0, 1), VMR_SET(1, 0xff00ff00ff00ff00),
                 VMR_HV_CALL_XMM(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT_DIRECT | HV_CONTROL_FAST, HV_XMM), HV_NO_FAULT(),
                 VMR_EXPECT(6, 0), EXPECT_AT(HV_XMM, 8, 0x00ff00ff00ff00ff), EXPECT_AT(HV_XMM + 8, 8, 0x55),
                 EXPECT_AT(HV_XMM + 80, 8, 0x77), VMR_END());
    const struct script script = {.programs = {&program}, .set_up = complement_calls};

    CHECK_SCRIPT(conf, &script, {" xmm bytes=33000000000000005", '6', "set-xmm"}, {" ~ set-xmm bytes=", 'a', "set-xmm"},
                 {" ~ set-xmm", 0, "replay set-xmm"});
}

/* In real mode nothing may call: the guest takes #UD at its OUT, where its handler switches the machine off. */
static void call_from_real_mode(struct side *side)
{
    static const uint8_t code[] = {
        0x66, 0xb9,        0x00, 0x00, 0x00, 0x40,             /* mov ecx, HV_MSR_GUEST_OS_ID */
        0x66, 0xb8,        0x01, 0x00, 0x00, 0x00,             /* mov eax, 1 */
        0x66, 0xba,        0x00, 0x00, 0x00, 0x81, 0x0f, 0x30, /* mov edx, 0x81000000; wrmsr */
        0x66, 0x41,                                            /* inc ecx: HV_MSR_HYPERCALL */
        0x66, 0xb8,        0x01, 0x00, 0x01, 0x00,             /* mov eax, 0x10001 */
        0x66, 0x31,        0xd2, 0x0f, 0x30,                   /* xor edx, edx; wrmsr */
        0xe6, VMR_HV_PORT, 0xf4,                               /* out VMR_HV_PORT, al; hlt */
    };
    static const uint8_t handler[] = {
        0xba,
        VMR_PROGRAM_PORT_POWER & 0xff,
        VMR_PROGRAM_PORT_POWER >> 8, /* mov dx, VMR_PROGRAM_PORT_POWER */
        0xb0,
        0x01,
        0xee,
        0xf4, /* mov al, 1; out dx, al; hlt */
    };
    static const uint8_t vector[4] = {0x00, 0x01, 0x00, 0x08}; /* 0800:0100 */
    struct vmr_x86_regs regs, before;

    vmr_x86_regs_sipi(&regs, 8);
    CONF_REQUIRE(&side->conf, vmr_vp_get_regs(side->vm->vps[0], &before) == VMR_OK, "no registers");
    regs.apic_base = before.apic_base;
    CONF_CHECK(&side->conf,
               vmr_memory_write(side->vm->memory, 0x8000, code, sizeof(code)) == VMR_OK &&
                   vmr_memory_write(side->vm->memory, 0x8100, handler, sizeof(handler)) == VMR_OK &&
                   vmr_memory_write(side->vm->memory, 6 * sizeof(vector), vector, sizeof(vector)) == VMR_OK &&
                   vmr_vp_set_regs(side->vm->vps[0], &regs) == VMR_OK,
               "the guest cannot be made");
}

static void a_refused_call_raises_its_exception_again(struct conf *conf)
{
    const struct script script = {.set_up = call_from_real_mode};

    CHECK_SCRIPT(conf, &script, {" ~ exception vector=0x", '7', "exception vector=0x6"},
                 {" ~ exception", 0, "replay exception vector=0x6"});
}

static void write_context(struct side *side)
{
    (void)vtl_write_context(side->vm);
}

#define UD (6u + 1u)

static void vtls_are_played(struct conf *conf)
{
    CONF_PROGRAM(vtl0, HV_OPEN(), VMR_VTL_CALL(HV_CODE_PAGE), VMR_EXPECT(VMR_PROGRAM_FAULT_VAR, UD),
                 VTL_ENABLE(HV_CODE_PAGE, 1, 0), VTL_ENABLE_VP(HV_CODE_PAGE, HV_VP_INDEX_SELF, 1, 0),
                 VMR_VTL_CALL(HV_CODE_PAGE), EXPECT_AT(VTL_SECRET, 4, 7), VMR_END());
    CONF_PROGRAM(vtl1, VTL_OPEN(), VMR_STORE(VTL_SECRET, 4, 7),
                 VTL_PROTECT(VTL_CODE_PAGE, 0, VTL_SECRET, VTL_READ, HV_RESULT(0, 1)), VMR_VTL_RETURN(VTL_CODE_PAGE, 1),
                 VMR_END());
    const struct script script = {.programs = {&vtl0}, .vtl1 = &vtl1, .set_up = write_context};

    CHECK_SCRIPT(conf, &script, {" ~ exception", 0, "replay exception vector=0x6"},
                 {" ~ switch-vtl vtl=1 initial=0x", 'f', "switch-vtl"}, {" ~ protect vtl=0", 0, "replay protect"});
}

/* --- VPs that wait for each other --- */

#define SPACE HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE
/* Address space 0, flags, mask. Three steps. */
#define FLUSH_INPUT(gpa, mask) VMR_STORE(gpa, 8, 0), VMR_STORE((gpa) + 8, 8, 0), VMR_STORE((gpa) + 16, 8, mask)

static void flushes_are_played(struct conf *conf)
{
    CONF_PROGRAM(first, HV_OPEN(), VMR_STORE(WORD_GO, 4, 1), VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), FLUSH_INPUT(HV_INPUT, 2),
                 HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0), FLUSH_INPUT(HV_INPUT, 3), HV_EXPECT_CALL(SPACE, HV_INPUT, 0, 0),
                 VMR_STORE(WORD_GO, 4, 2), VMR_END());
    CONF_PROGRAM(second, VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_STORE(WORD_SEEN, 4, 1), FLUSH_INPUT(HV_OUTPUT, 3),
                 HV_EXPECT_CALL(SPACE, HV_OUTPUT, 0, 0), VMR_SPIN_UNTIL(WORD_GO, 4, 2), VMR_END());
    const struct script script = {.vps = 2, .programs = {&first, &second}};

    CHECK_SCRIPT(conf, &script, {"vp1 ~ flush", 0, "replay flush"}, {"vp0 wait", 0, "replay "});
}

#define PAGE HV_PAGE_1
#define OTHER HV_PAGE_2
#define PENDING HV_MONITOR_GROUPS_OFFSET

static void hear_it(void *context, uint16_t flag)
{
    struct side *side = context;

    (void)flag;
    atomic_fetch_add(&side->heard, 1);
}

/* For the bit of monitor id 1, and signals of connection 0x100. */
static void listen(struct side *side)
{
    const struct vmr_event_port port = {
        .connection_id = 0x100, .has_monitor = true, .monitor_id = 1, .signal = hear_it, .context = side};
    struct vmr_error err = {.message = ""};

    CONF_CHECK(&side->conf, vmr_synic_event_port_add(synic_of(side->vm), &port, &side->port, &err) == VMR_OK, "%s",
               err.message);
}

static void place_page(struct side *side, vmr_gpa gpa)
{
    struct vmr_error err = {.message = ""};

    /* A replay that has diverged maps nothing any more. */
    CONF_CHECK(&side->conf,
               vmr_synic_monitor_set_page(synic_of(side->vm), 0, &gpa, &err) == VMR_OK || err.status == VMR_E_DIVERGED,
               "%s", err.message);
}

static void move_at_checkpoint(struct side *side, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    place_page(side, number % 2 ? PAGE : OTHER);
}

/* Whoever moves the page waits until the other VP is out of the guest, in which it spins. */
static void monitor_pages_are_played(struct conf *conf)
{
    CONF_PROGRAM(mover, VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_CHECKPOINT(1), VMR_STORE(WORD_GO, 4, 1),
                 VMR_SPIN_UNTIL(WORD_SEEN, 4, 2), VMR_OR(PAGE + PENDING, 4, 2), VMR_CHECKPOINT(2),
                 VMR_STORE(WORD_GO, 4, 2), VMR_SPIN_UNTIL(WORD_SEEN, 4, 3), VMR_END());
    CONF_PROGRAM(setter, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_OR(PAGE + PENDING, 4, 2),
                 VMR_STORE(WORD_SEEN, 4, 2), VMR_SPIN_UNTIL(WORD_GO, 4, 2), VMR_OR(OTHER + PENDING, 4, 2),
                 VMR_CHECKPOINT(3), VMR_CHECKPOINT(4), VMR_STORE(WORD_SEEN, 4, 3), VMR_END());
    const struct script script = {
        .vps = 2, .programs = {&mover, &setter}, .set_up = listen, .set_up_first = true, .at = move_at_checkpoint};

    CHECK_SCRIPT(conf, &script, {"vp0 ~ map gpa=", 0, "replay map"}, {"vp0 wait", 0, "replay "});
}

static void move_from_outside(struct side *side)
{
    for (unsigned i = 0; i < 4; i++) {
        place_page(side, i % 2 ? PAGE : OTHER);
        conf_pause(&side->conf);
    }
    guest_word_set(side->vm, WORD_GO, 1);
}

static void listen_with_a_page(struct side *side)
{
    listen(side);
    place_page(side, PAGE);
}

/* Each setting is a signal, or is left in RAM, as the recording has it. */
static void a_page_moved_by_another_thread_moves_at_the_same_point(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_CHECKPOINT(1), VMR_SET(3, 20), VMR_OR(PAGE + PENDING, 4, 2),
                 VMR_OR(OTHER + PENDING, 4, 2), VMR_LOOP(3, 2), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    CONF_PROGRAM(other, VMR_SET(3, 20), VMR_OR(OTHER + PENDING, 4, 2), VMR_LOOP(3, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1),
                 VMR_END());
    const struct script script = {.vps = 2,
                                  .programs = {&program, &other},
                                  .set_up = listen_with_a_page,
                                  .set_up_first = true,
                                  .outside = move_from_outside,
                                  .again = true};

    CHECK_SCRIPT(conf, &script, {"vm call what=monitor-page argument=0x", 'f', ""});
}

/* --- what comes to a SINT --- */

static void send_from_outside(struct side *side)
{
    const struct vmr_synic_target target = {.sint = 3};

    for (uint16_t i = 0; i < 3 && !conf_over(&side->conf); i++) {
        post_to(side->vm, SINT, 0x1000u + i);
        conf_pause(&side->conf);
        (void)vmr_synic_signal_event(synic_of(side->vm), &target, (uint16_t)(i + 1));
        conf_pause(&side->conf);
    }
}

/* Takes the n-th message of SINT. Eight steps. */
#define TAKE_MESSAGE(n)                                                                                                \
    VMR_WAIT_VECTOR(V, n), EXPECT_MESSAGE(SINT, HV_MESSAGE_TYPE_VMBUS, 0x1000u + (n)-1), FREE_SLOT(SINT), EOM()

static void messages_and_events_come_again_at_the_same_point(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(HV_MSR_SINT0 + 3, V2), VMR_CHECKPOINT(1),
                 TAKE_MESSAGE(1), TAKE_MESSAGE(2), TAKE_MESSAGE(3), VMR_STI(), VMR_SPIN_UNTIL(FLAGS(3), 4, 0x0e),
                 VMR_CLI(), VMR_END());
    const struct script script = {.programs = {&program}, .outside = send_from_outside};

    CHECK_SCRIPT(conf, &script, {"vm message vp=0 vtl=0 sint=2 ", 0, "recorded "},
                 {"vm event vp=0 vtl=0 sint=3 flag=", '7', "fetch-or"});
}

#define STIMER_CONFIG HV_MSR_STIMER0_CONFIG
#define STIMER_COUNT HV_MSR_STIMER0_COUNT
#define STIMER_ON (HV_STIMER_ENABLE | HV_STIMER_PERIODIC | (uint64_t)SINT << HV_STIMER_SINT_SHIFT)
#define TAKE_TICK(n)                                                                                                   \
    VMR_WAIT_VECTOR(V, n), EXPECT_AT(SLOT(SINT), 4, HV_MESSAGE_TYPE_TIMER_EXPIRED), FREE_SLOT(SINT), EOM()

static void timers_expire_at_the_same_point(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), VMR_WRMSR(STIMER_COUNT, 20000),
                 VMR_WRMSR(STIMER_CONFIG, STIMER_ON), TAKE_TICK(1), TAKE_TICK(2), VMR_WRMSR(STIMER_CONFIG, 0),
                 VMR_RDMSR(6, HV_MSR_TIME_REF_COUNT), HV_NO_FAULT(), VMR_END());
    const struct script script = {.programs = {&program}};

    CHECK_SCRIPT(conf, &script, {" ~ interrupt vector=0x51", 0, "replay interrupt vector=0x51"});
}

static bool has_heard_enough(void *argument)
{
    return atomic_load(&((struct side *)argument)->heard) >= 5;
}

/* The port goes while the guest signals it; a guest port is aimed nowhere while it is signalled. */
static void withdraw_from_outside(struct side *side)
{
    const struct vmr_synic_target target = {.sint = SINT};
    struct vmr_guest_event_port *port = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(&side->conf, vmr_guest_event_port_create(synic_of(side->vm), &target, 3, &port, &err) == VMR_OK, "%s",
               err.message);
    if (!side->replay)
        (void)vmr_guest_event_port_signal(port);
    CONF_CHECK(&side->conf, vmr_guest_event_port_set(port, NULL, 0, &err) == VMR_OK, "%s", err.message);
    (void)vmr_guest_event_port_signal(port);
    vmr_guest_event_port_destroy(port);
    /* In a replay as soon as it can: it has to come too early, and wait. */
    if (side->replay || conf_wait(&side->conf, has_heard_enough, side, "the guest to signal")) {
        vmr_synic_port_remove(side->port);
        side->port = NULL;
    }
    guest_word_set(side->vm, WORD_GO, 1);
}

static enum hv_status note_status(void *context, struct vmr_hv_call *call)
{
    struct side *side = context;
    uint64_t word = 0;

    for (unsigned i = 0; i < 8; i++)
        word |= (uint64_t)call->input[i] << 8 * i;
    side->seen = side->seen * 31 + word;
    return HV_STATUS_SUCCESS;
}

static void listen_and_note(struct side *side)
{
    const struct vmr_hv_call_handler handler = {.run = note_status, .context = side};
    struct vmr_hv_calls *calls = vmr_hv_guest_calls(vmr_partition_hv(side->vm->partition));

    listen(side);
    CONF_CHECK(&side->conf, vmr_hv_calls_set(calls, HV_CALL_RETARGET_DEVICE_INTERRUPT, &handler) == VMR_OK,
               "the handler is refused");
}

static void a_port_that_is_withdrawn_goes_at_the_same_point(struct conf *conf)
{
    APIC_PROGRAM(program, VMR_EOI_XAPIC, SYNIC_ON(SINT, V), HV_OPEN(), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(V, 1),
                 EXPECT_AT(FLAGS(SINT), 1, 8), VMR_SET(3, 60), VMR_SET(0, 0x100), VMR_SET(1, 0),
                 VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST), VMR_STORE_VAR(HV_INPUT, 8, 6),
                 VMR_SET(0, HV_INPUT), VMR_HV_CALL(6, HV_CODE_PAGE, HV_CALL_RETARGET_DEVICE_INTERRUPT), VMR_LOOP(3, 11),
                 VMR_SPIN_UNTIL(WORD_GO, 4, 1), EXPECT_SIGNAL(0x100, 0, HV_STATUS_INVALID_CONNECTION_ID), VMR_END());
    const struct script script = {
        .programs = {&program}, .set_up = listen_and_note, .outside = withdraw_from_outside, .again = true};

    CHECK_SCRIPT(conf, &script, {"vm event vp=0 vtl=0 sint=2 ", 0, "recorded "});
}

/* The reference time is stopped and set between runs: what the guest reads of it afterwards follows. */
static void set_the_time(struct side *side)
{
    struct vmr_synic *synic = synic_of(side->vm);

    vmr_synic_time_pause(synic);
    vmr_synic_time_resume(synic);
    vmr_synic_time_set(synic, 12345678);
}

static void the_reference_time_is_set_again(struct conf *conf)
{
    CONF_PROGRAM(program, VMR_RDMSR(6, HV_MSR_TIME_REF_COUNT), HV_NO_FAULT(), VMR_END());
    const struct script script = {.programs = {&program}, .set_up = set_the_time};

    CHECK_SCRIPT(conf, &script, {" ~ answer-msr value=0x", 'f', "answer-msr"});
}

#define SCENARIO(function, with)                                                                                       \
    .name = #function, .family = "hv-trace", .needs = HV_NEEDS | CONF_CAP(RECORDABLE) | (with), .chip = CONF_CHIP_ANY, \
    .run = (function)
/* VP 1 runs without having been started. */
#define PAIR(function, with)                                                                                           \
    .name = #function, .family = "hv-trace", .needs = HV_NEEDS | CONF_CAP(RECORDABLE) | (with),                        \
    .chip = CONF_CHIP_NONE, .run = (function)
#define REAL_CODE (CONF_CAP(MACHINE_CODE) | CONF_CAP(REAL_MODE) | CONF_CAP(EXCEPTION))

static const struct conf_scenario scenarios[] = {
    {SCENARIO(extended_fast_calls_are_played, CONF_CAP(XMM)), .clauses = "TRC-1 TRC-3 TRC-8"},
    {SCENARIO(a_refused_call_raises_its_exception_again, REAL_CODE), .clauses = "TRC-1 TRC-3 TRC-8"},
    {SCENARIO(vtls_are_played, CONF_CAP(VTL) | CONF_CAP(EXCEPTION)), .clauses = "TRC-1 TRC-3 TRC-8"},
    {PAIR(flushes_are_played, CONF_CAP(FLUSH)), .clauses = "TRC-1 TRC-3 TRC-8 HC-5"},
    {PAIR(monitor_pages_are_played, CONF_CAP(READ_ONLY)), .clauses = "TRC-1 TRC-3 TRC-8 MON-4"},
    {PAIR(a_page_moved_by_another_thread_moves_at_the_same_point, CONF_CAP(READ_ONLY)), .clauses = "TRC-3 TRC-10"},
    {SCENARIO(messages_and_events_come_again_at_the_same_point, 0), .clauses = "TRC-3 TRC-9"},
    {SCENARIO(timers_expire_at_the_same_point, 0), .clauses = "TRC-1 TRC-3"},
    {SCENARIO(a_port_that_is_withdrawn_goes_at_the_same_point, 0), .clauses = "TRC-3 TRC-9 TRC-10"},
    {SCENARIO(the_reference_time_is_set_again, 0), .clauses = "TRC-3 TRC-10"},
};

CONF_FAMILY(hv_trace, scenarios);
