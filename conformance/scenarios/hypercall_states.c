/* SPDX-License-Identifier: MIT */
/*
 * Every hypercall, whatever the other VP of the partition is doing: it was
 * never bound, waits, runs, is between runs, was unbound, or all has been reset.
 * What they answer is shown elsewhere; here that they do, and harm nobody. And
 * calls that are stopped on their way: the caller comes back from them later, or
 * in another VM.
 */

#include <stdlib.h>

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/hypercall_words.h"
#include "conformance/scenarios/snapshot_words.h"
#include "conformance/scenarios/state_words.h"

#define ZEROS HV_PAGE_1
#define ONES HV_PAGE_2
#define VECTOR 0x51u
#define WORD_START (VMR_PROGRAM_DATA + 24u) /* set by the host: VP 0 starts VP 1 */
#define EVERYBODY 1u                        /* of a flush: all processors */
#define STEP_MAX 512u

#define FLUSH HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE
#define IPI HV_CALL_SEND_SYNTHETIC_CLUSTER_IPI

struct every {
    struct conf_vm *vm;
    struct conf_latch bound, run, ended, leave; /* VP 1's life */
    struct vmr_program program;
    struct vmr_step steps[STEP_MAX];
};

static void add_steps(struct every *every, const struct vmr_step *steps, uint32_t count)
{
    memcpy(&every->steps[every->program.count], steps, count * sizeof(*steps));
    every->program.count += count;
}

#define ADD(every, ...) add_steps(every, (const struct vmr_step[]){__VA_ARGS__}, STEPS_OF(__VA_ARGS__))
#define STEPS_OF(...) (sizeof((const struct vmr_step[]){__VA_ARGS__}) / sizeof(struct vmr_step))

/* With an input of zeros and one of ones: names nobody, and everything that there could be. Results may be any. */
static void add_any(struct every *every, uint64_t control)
{
    ADD(every, VMR_SET(0, ZEROS), VMR_SET(1, HV_OUTPUT), VMR_HV_CALL(6, HV_CODE_PAGE, control), HV_NO_FAULT());
    ADD(every, VMR_SET(0, ONES), VMR_SET(1, HV_OUTPUT), VMR_HV_CALL(6, HV_CODE_PAGE, control), HV_NO_FAULT());
}

/*
 * The first that the guest does but for opening its page are IPIs: to the other
 * VP, and to all that a mask can name. Only where the host asks for it does it
 * start the other VP before.
 */
static void write_calls(struct every *every)
{
    const uint32_t first_call = 2 + 4;

    ADD(every, VMR_LOAD(4, WORD_START, 4), VMR_JUMP_EQ(4, 0, first_call), APIC_ON(), VMR_START_VP(1),
        VMR_SPIN_UNTIL(WORD_SEEN, 4, 1), VMR_STORE(WORD_START, 4, 0));
    ADD(every, HV_OPEN(), HV_EXPECT_CALL(IPI | HC_FAST, VECTOR, 2, 0),
        HV_EXPECT_CALL(IPI | HC_FAST, VECTOR, UINT64_MAX, 0));
    if (vmr_caps_have(&every->vm->conf->caps, VMR_CAP_FLUSH) && every->vm->conf->handle->irqchip == VMR_IRQCHIP_USER)
        ADD(every, VMR_STORE(HV_INPUT, 8, 0), VMR_STORE(HV_INPUT + 8, 8, EVERYBODY), VMR_STORE(HV_INPUT + 16, 8, 0),
            HV_EXPECT_CALL(FLUSH, HV_INPUT, 0, 0));
    for (size_t i = 0; i < vmr_hv_call_count(); i++) {
        const struct vmr_hv_call_definition *definition = vmr_hv_call_at(i);

        if (definition->kind != VMR_HV_CALL_VTL_SWITCH)
            add_any(every, definition->code | (definition->kind == VMR_HV_CALL_REP ? HC_REPS(1) : 0));
    }
    ADD(every, VMR_POWER_OFF(), VMR_JUMP(0));
}

static void make_all(struct every *every, const char *when)
{
    CONF_CHECK(every->vm->conf, run_to_power_off(every->vm), "%s: stopped at step %u", when,
               every->vm->reports[0].mismatch_step);
}

/* VP 1 on its thread: bound, until told to run; in the guest, until told to end; then between runs, until told to go.
 */
static void live(void *argument)
{
    struct every *every = argument;
    struct conf_vm *vm = every->vm;
    struct conf *conf = vm->conf;

    if (conf_bind(vm, 1))
        conf_latch_set(&every->bound);
    if (conf_latch_wait(conf, &every->run, "VP 1 to be let run")) {
        (void)conf_run_to_end(vm, 1);
        conf_latch_set(&every->ended);
        (void)conf_latch_wait(conf, &every->leave, "VP 1 to be let go");
    }
    conf_unbind(vm, 1);
}

static void make_all_in_each_state(struct every *every)
{
    CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    struct conf_vm *vm = every->vm;
    struct conf *conf = vm->conf;

    make_all(every, "the other VP was never bound");
    CONF_REQUIRE(conf, conf_load(vm, 1, &spins), "no program");
    struct vmr_thread *thread = conf_thread(conf, live, every);

    CONF_REQUIRE(conf, thread && conf_latch_wait(conf, &every->bound, "VP 1 to be bound"), "no VP 1");
    make_all(every, "it waits to be started");
    guest_word_set(vm, WORD_START, 1);
    conf_latch_set(&every->run);
    make_all(every, "it runs");
    guest_word_set(vm, WORD_GO, 1);
    CONF_CHECK(conf, conf_latch_wait(conf, &every->ended, "VP 1 to end"), "VP 1 does not end");
    make_all(every, "it is between runs");
    conf_latch_set(&every->leave);
    conf_join(conf, thread);
    make_all(every, "it was unbound");
    vmr_hv_guest_reset(vmr_partition_hv(vm->partition));
    make_all(every, "after a reset");
}

static void every_call_is_legal_whatever_the_other_vp_does(struct conf *conf)
{
    const struct conf_vm_options options = {.vps = 2, .hv = &hv_all};
    struct every *every = calloc(1, sizeof(*every));

    CONF_REQUIRE(conf, every, "no room");
    every->program = (struct vmr_program){.name = "every call", .steps = every->steps, .eoi = VMR_EOI_XAPIC};
    every->vm = conf_vm_create(conf, &options);
    if (every->vm) {
        write_calls(every);
        CONF_CHECK(conf, vmr_memory_fill(every->vm->memory, ONES, 0xff, VMR_PAGE_SIZE) == VMR_OK, "no page");
        if (conf_load(every->vm, 0, &every->program) && conf_bind(every->vm, 0))
            make_all_in_each_state(every);
        conf_vm_destroy(every->vm);
    }
    free(every);
}

/* --- a call that is stopped on its way --- */

#define CALLS 3u
#define CALLED (VMR_PROGRAM_DATA + 32u)

/* Each in another form, and each must have come back before the next. */
CONF_PROGRAM(calls_thrice, HV_OPEN(), HV_EXPECT_CALL(HC_IN_8 | HC_FAST, 1, 0xabcd, 0), VMR_EXPECT(1, 0xabcd),
             VMR_STORE(CALLED, 4, 1), VMR_SET(0, 2), VMR_SET(1, 0xdcba),
             VMR_HV_CALL32(6, HV_CODE_PAGE, HC_IN_8 | HC_FAST), HV_NO_FAULT(), VMR_EXPECT(6, 0),
             VMR_STORE(CALLED, 4, 2), VMR_STORE(HV_INPUT, 8, 3), HV_EXPECT_CALL(HC_IN_8, HV_INPUT, 0, 0),
             VMR_STORE(CALLED, 4, 3), VMR_END());

/* Who is called, and asks for a stop before it answers. */
struct stopper {
    struct vmr_stop_source *stop; /* NULL: it does not */
    uint64_t stop_at, last;
    unsigned calls;
};

static enum hv_status stop_caller(void *context, struct vmr_hv_call *call)
{
    struct stopper *stopper = context;

    stopper->last = hc_load32(call->input);
    stopper->calls++;
    if (stopper->stop && stopper->last == stopper->stop_at)
        vmr_stop_set(stopper->stop);
    return HV_STATUS_SUCCESS;
}

/* A VM about to make the calls. NULL: failed. */
static struct conf_vm *calling_vm(struct conf *conf, struct stopper *stopper)
{
    const struct conf_vm_options options = {.hv = &hv_all};
    const struct vmr_hv_call_handler handler = {stop_caller, stopper};
    struct conf_vm *vm = vm_bound_with(conf, &options, &calls_thrice);

    return vm && hc_handle(vm, HC_IN_8, &handler) ? vm : NULL;
}

/* The same VM, stopped in the call whose input is `call`. NULL: failed. */
static struct conf_vm *stopped_in_call(struct conf *conf, struct stopper *stopper, uint64_t call)
{
    *stopper = (struct stopper){.stop_at = call};
    struct conf_vm *vm = calling_vm(conf, stopper);

    if (!vm || vmr_stop_create(conf->host, &stopper->stop))
        return NULL;
    expect_halt(vm, stopper->stop, VMR_HALT_STOP);
    vmr_stop_destroy(stopper->stop);
    stopper->stop = NULL;
    CONF_CHECK_EQ(conf, stopper->calls, call, "calls before the stop");
    CONF_CHECK_EQ(conf, guest_word(vm, CALLED), call - 1, "calls that the guest is back from");
    return conf_failed(conf) ? NULL : vm;
}

static void check_calls_end(struct conf_vm *vm, const struct stopper *stopper, unsigned calls)
{
    expect_end(vm);
    CONF_CHECK_EQ(vm->conf, stopper->calls, calls, "calls in all");
    CONF_CHECK_EQ(vm->conf, guest_word(vm, CALLED), CALLS, "calls that the guest is back from");
}

static void a_call_that_is_stopped_comes_back_in_another_vm(struct conf *conf)
{
    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    for (unsigned call = 1; call <= CALLS && !conf_failed(conf); call++) {
        struct stopper stopper;
        CONF_CLEANUP(kept_free) struct kept kept = {0};
        struct conf_vm *vm = stopped_in_call(conf, &stopper, call);
        bool saved = vm && snapshot_save(vm, 0, &kept);

        if (saved)
            check_calls_end(vm, &stopper, CALLS);
        conf_vm_destroy(vm); /* a hypervisor may have one VM at a time */
        stopper = (struct stopper){.calls = call};
        vm = saved ? calling_vm(conf, &stopper) : NULL;
        if (vm && snapshot_restore(vm, &kept))
            check_calls_end(vm, &stopper, CALLS);
        conf_vm_destroy(vm);
        kept_free(&kept);
    }
}

static void a_call_that_is_stopped_comes_back_as_often_as_it_is_taken_back(struct conf *conf)
{
    struct vmr_error err = {.message = ""};

    if (!state_is_held(conf, VMR_VP_REGISTERS))
        return;
    for (unsigned call = 1; call <= CALLS && !conf_failed(conf); call++) {
        CONF_CLEANUP(rewind_end) struct vmr_rewind *rewind = NULL;
        struct snapshot_vm parts;
        struct stopper stopper;
        struct conf_vm *vm = stopped_in_call(conf, &stopper, call);

        CONF_REQUIRE(conf, vm, "no VM");
        snapshot_parts_of(vm, &parts);
        CONF_REQUIRE(conf, vmr_rewind_create(&parts.parts, &rewind, &err) == VMR_OK, "the point: %s", err.message);
        check_calls_end(vm, &stopper, CALLS);
        CONF_CHECK(conf, vmr_rewind_back(rewind, NULL, &err) == VMR_OK, "back: %s", err.message);
        CONF_CHECK_EQ(conf, guest_word(vm, CALLED), call - 1, "calls that the guest is back from, at the point");
        check_calls_end(vm, &stopper, CALLS + CALLS - call);
        rewind_end(&rewind);
        conf_vm_destroy(vm);
    }
}

static const struct conf_scenario scenarios[] = {
    {HC_SCENARIO(every_call_is_legal_whatever_the_other_vp_does), .clauses = "HC-11 HC-14 HC-17",
     .ids = "CVE-2018-19406", .needs = HC_NEEDS},
    {HC_SCENARIO(a_call_that_is_stopped_comes_back_in_another_vm), .clauses = "HC-1 HC-6 SNAP-4", .needs = HC_NEEDS},
    {HC_SCENARIO(a_call_that_is_stopped_comes_back_as_often_as_it_is_taken_back), .clauses = "HC-1 HC-6 RWD-1",
     .needs = HC_NEEDS | CONF_CAP(DIRTY_LOG)},
};

CONF_FAMILY(hypercall_states, scenarios);
