/* SPDX-License-Identifier: MIT */
/*
 * Every hypercall, whatever the other VP of the partition is doing: it was
 * never bound, waits, runs, is between runs, was unbound, or all has been reset.
 * What they answer is shown elsewhere; here that they do, and harm nobody.
 */

#include <stdlib.h>

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/hypercall_words.h"

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

static const struct conf_scenario scenarios[] = {
    {HC_SCENARIO(every_call_is_legal_whatever_the_other_vp_does), .clauses = "HC-11 HC-14 HC-17",
     .ids = "CVE-2018-19406", .needs = HC_NEEDS},
};

CONF_FAMILY(hypercall_states, scenarios);
