/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor of this host advertises and does not do, measured by
 * small guests. A probe skips itself (conf_skip) where the quirk is there.
 */

#include "conformance/execute.h"

#include <stdio.h>

#include "conformance/scenarios/apic_words.h"
#include "conformance/scenarios/guest_words.h"

#define RAW_CODE 0x1000u
#define RAW_TABLE 0x1100u
#define RAW_HANDLER 0x1200u
#define VECTOR_UD 6u
#define STEP_MAX 200u
#define PIN 20u /* no PIC line */
#define VECTOR 0x61u
/* Milliseconds until what has not come counts as lost: what is there comes within one. */
#define WATCH_PAUSES 300u

/* What is measured is between the library and the processor. */
static const struct conf_vm_options no_chip = {.without_chip = true};

/* Steps until an exit of `kind`, or until `give_up` is another one; false on neither. */
static bool step_to(struct conf_vm *vm, uint32_t kind, uint32_t give_up, struct vmr_exit *vp_exit)
{
    enum vmr_halt_reason reason = VMR_HALT_NONE;

    for (unsigned i = 0; i < STEP_MAX && !conf_over(vm->conf); i++) {
        if (vmr_vp_step(vm->vps[0], vp_exit) || vp_exit->kind == give_up || vp_exit->kind == VMR_EXIT_FAIL)
            return false;
        if (vp_exit->kind == kind)
            return true;
        if (vmr_vp_dispatch(vm->vps[0], vp_exit, &vm->io, &reason) || vm->reports[0].ended)
            return false;
    }
    return false;
}

/* The guest turns interrupts on and goes on without an exit: is the window seen before the next one? */
static void probe_sti_window(struct conf *conf)
{
    CONF_PROGRAM(window, VMR_CLI(), VMR_CHECKPOINT(1), VMR_STI(), VMR_NOP(), VMR_NOP(), VMR_NOP(), VMR_CHECKPOINT(2),
                 VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_exit vp_exit = {0};
    enum vmr_halt_reason reason;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &window) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, step_to(vm, VMR_EXIT_IO, VMR_EXIT_FAIL, &vp_exit), "the guest did not get to its checkpoint");
    CONF_REQUIRE(conf, vmr_vp_dispatch(vm->vps[0], &vp_exit, &vm->io, &reason) == VMR_OK, "not dispatched");
    vmr_vp_request_window(vm->vps[0], true);
    if (!step_to(vm, VMR_EXIT_IRQ_WINDOW, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "missed");
}

static void probe_data_breakpoint(struct conf *conf)
{
    CONF_PROGRAM(breakpoint, VMR_STORE(VMR_PROGRAM_DATA, 4, 1), VMR_END());
    const struct vmr_debug_state debug = {
        .breakpoints = {{.enabled = true, .kind = VMR_BREAK_WRITE, .length = 4, .address = VMR_PROGRAM_DATA}}};
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &breakpoint) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_vp_set_debug_state(vm->vps[0], &debug) == VMR_OK, "a breakpoint is refused");
    if (!step_to(vm, VMR_EXIT_DEBUG, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "never fires");
}

static void probe_hw_breakpoint(struct conf *conf)
{
    CONF_PROGRAM(first, VMR_NOP(), VMR_END());
    struct vmr_debug_state debug = {.breakpoints = {{.enabled = true, .kind = VMR_BREAK_EXECUTE, .length = 1}}};
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &first) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers");
    debug.breakpoints[0].address = regs.rip;
    CONF_REQUIRE(conf, vmr_vp_set_debug_state(vm->vps[0], &debug) == VMR_OK, "a breakpoint is refused");
    if (!step_to(vm, VMR_EXIT_DEBUG, VMR_EXIT_IO, &vp_exit))
        conf_skip(conf, "never fires");
}

/* In real mode: LIDT of a limit of 0, then UD2. Where the limit is ignored, the handler at 0:[6 * 4] runs and halts. */
static void probe_real_mode_triple(struct conf *conf)
{
    static const uint8_t code[] = {0x31, 0xc0, 0x8e, 0xd8, 0x0f, 0x01, 0x1e, 0x00, 0x11, 0x0f, 0x0b, 0xf4};
    static const uint8_t no_table[8] = {0}, handler[] = {0xf4};
    static const uint8_t vector[] = {RAW_HANDLER & 0xff, RAW_HANDLER >> 8, 0, 0};
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_x86_regs regs, before;
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf,
                 vmr_memory_write(vm->memory, RAW_CODE, code, sizeof(code)) == VMR_OK &&
                     vmr_memory_write(vm->memory, RAW_TABLE, no_table, sizeof(no_table)) == VMR_OK &&
                     vmr_memory_write(vm->memory, RAW_HANDLER, handler, sizeof(handler)) == VMR_OK &&
                     vmr_memory_write(vm->memory, VECTOR_UD * 4u, vector, sizeof(vector)) == VMR_OK,
                 "RAM is not there");
    vmr_x86_regs_sipi(&regs, RAW_CODE >> 12);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &before) == VMR_OK, "no registers");
    regs.apic_base = before.apic_base;
    CONF_REQUIRE(conf, vmr_vp_set_regs(vm->vps[0], &regs) == VMR_OK, "real mode is refused");
    if (!step_to(vm, VMR_EXIT_SHUTDOWN, VMR_EXIT_HALT, &vp_exit))
        conf_skip(conf, "the limit is ignored");
}

/* More stores than a ring has places, without an exit. */
static void probe_dirty_ring(struct conf *conf)
{
    CONF_PROGRAM(stores, VMR_SET(0, 5000), VMR_STORE_VAR(VMR_PROGRAM_DATA, 8, 0), VMR_LOOP(0, 1), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_run_result result = {0};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &stores) && conf_bind(vm, 0), "no VM");
    CONF_REQUIRE(conf, vmr_memory_dirty_start(vm->memory, NULL) == VMR_OK, "the log is refused");
    CONF_REQUIRE(conf, conf_run(vm, 0, NULL, &result), "the guest does not run");
    if (!vm->reports[0].ended)
        conf_skip(conf, "overrun");
}

/* --- what never comes is waited for by another thread, which then ends the run --- */

struct watch {
    struct conf_vm *vm;
    vmr_vp_index vp;
    vmr_gpa gpa; /* a word that the guest counts up to `value` */
    uint32_t value;
    bool lowers; /* the line, whatever comes of it: while it is up the guest may get to nothing else */
    bool came;
};

static void watch_word(void *argument)
{
    struct watch *watch = argument;
    struct conf *conf = watch->vm->conf;

    for (unsigned i = 0; i < WATCH_PAUSES && !watch->came && !conf_over(conf); i++) {
        conf_pause(conf);
        watch->came = guest_word(watch->vm, watch->gpa) >= watch->value;
    }
    if (watch->lowers)
        raise_line(watch->vm, PIN, false);
    if (!watch->came)
        (void)vmr_partition_kick(watch->vm->partition, watch->vp);
}

/* Runs the VP, which the guest ends or the watch does; the quirk is there in the second case. */
static void run_watched(struct conf *conf, struct watch *watch)
{
    struct vmr_thread *thread = conf_thread(conf, watch_word, watch);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    bool ran = conf_run(watch->vm, watch->vp, NULL, &result);

    conf_join(conf, thread);
    if (ran && !watch->came)
        conf_skip(conf, "lost");
    else
        CONF_CHECK(conf, ran && watch->vm->reports[watch->vp].ended, "the guest did not come to its end");
}

static void raise_pin(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    (void)number;
    raise_line(vm, PIN, true);
}

/* A held line interrupts again after each EOI, also if the guest halts at once. */
static void probe_eoi_before_halt(struct conf *conf)
{
    APIC_PROGRAM(sleeps, VMR_EOI_XAPIC, APIC_ON(), IOAPIC_ENTRY(PIN, 0, VECTOR | IOAPIC_LEVEL), VMR_CHECKPOINT(1),
                 VMR_WAIT_VECTOR(VECTOR, 2), VMR_END());
    struct watch watch = {
        .vm = interrupt_vm(conf, 1, &sleeps, raise_pin), .gpa = COUNT_OF(0, VECTOR), .value = 2, .lowers = true};

    if (watch.vm)
        run_watched(conf, &watch);
}

/* One VP after the other: the first sends, the second waits for what was sent. */
static void probe_disabled_sender(struct conf *conf)
{
    CONF_PROGRAM(starts, VMR_START_VP(1), VMR_END());
    CONF_PROGRAM(marks, VMR_STORE(WORD(0), 8, 1), VMR_END());
    struct watch watch = {.vm = interrupt_vm(conf, 2, &starts, NULL), .vp = 1, .gpa = WORD(0), .value = 1};

    CONF_REQUIRE(conf, watch.vm && conf_load(watch.vm, 1, &marks) && conf_run_to_end(watch.vm, 0), "no VM");
    CONF_REQUIRE(conf, conf_bind(watch.vm, 1) != NULL, "VP 1 is not bound");
    run_watched(conf, &watch);
}

static void let_it_run_out(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    (void)vp;
    for (unsigned i = 0; number == 1 && i < 3; i++)
        conf_pause(vm->conf);
}

static void probe_masked_timer(struct conf *conf)
{
    APIC_PROGRAM(masks, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, VECTOR | APIC_MASKED), VMR_STORE(APIC_TIMER_INITIAL, 4, 1000),
                 VMR_CHECKPOINT(1), VMR_STORE(APIC_LVT_TIMER, 4, VECTOR), OPEN(2), OPEN(3), VMR_END());
    struct conf_vm *vm = interrupt_vm(conf, 1, &masks, let_it_run_out);

    CONF_REQUIRE(conf, vm && conf_run_to_end(vm, 0), "the guest did not come to its end");
    if (guest_word(vm, COUNT_OF(0, VECTOR)) != 0)
        conf_skip(conf, "held back");
}

/* --- state --- */

#define TSC_FAR (UINT64_C(1) << 56) /* months away from any TSC that is running */

static void probe_tsc_set(struct conf *conf)
{
    const struct vmr_state_id tsc = {.state_class = VMR_VP_TSC};
    struct conf_vm *vm = conf_vm_create(conf, &no_chip);
    struct vmr_x86_word_state word = {.value = TSC_FAR};

    CONF_REQUIRE(conf, vm && conf_bind(vm, 0), "no VM");
    if ((conf->caps.vp_classes >> VMR_VP_TSC & 1) == 0)
        return;
    CONF_REQUIRE(conf, vmr_vp_state_set(vm->vps[0], &tsc, &word, NULL) == VMR_OK, "the TSC is refused");
    CONF_REQUIRE(conf, vmr_vp_state_get(vm->vps[0], &tsc, &word, NULL) == VMR_OK, "the TSC is not given");
    if (word.value < TSC_FAR)
        conf_skip(conf, "runs on");
}

/* Whether its interrupt is over or still to come is nowhere in what the hypervisor gives. */
static void probe_timer_again(struct conf *conf)
{
    APIC_PROGRAM(fires, VMR_EOI_XAPIC, APIC_ON(), VMR_STORE(APIC_TIMER_DIVIDE, 4, APIC_DIVIDE_BY_1),
                 VMR_STORE(APIC_LVT_TIMER, 4, VECTOR), VMR_STORE(APIC_TIMER_INITIAL, 4, 1000),
                 VMR_WAIT_VECTOR(VECTOR, 1), VMR_RESET(), OPEN(2), OPEN(3), VMR_END());
    const struct vmr_state_id apic = {.state_class = VMR_VP_APIC};
    struct conf_vm *vm = interrupt_vm(conf, 1, &fires, NULL);
    struct vmr_x86_apic_state state;

    CONF_REQUIRE(conf, vm, "no VM");
    if ((conf->caps.vp_classes >> VMR_VP_APIC & 1) == 0)
        return;
    expect_halt(vm, NULL, VMR_HALT_RESET);
    CONF_REQUIRE(conf, vmr_vp_state_get(vm->vps[0], &apic, &state, NULL) == VMR_OK, "the APIC is not given");
    CONF_REQUIRE(conf, vmr_vp_state_set(vm->vps[0], &apic, &state, NULL) == VMR_OK, "the APIC is refused");
    CONF_REQUIRE(conf, conf_run_to_end(vm, 0), "the guest did not come to its end");
    if (guest_word(vm, COUNT_OF(0, VECTOR)) != 1)
        conf_skip(conf, "fires again");
}

/* --- the table --- */

#define ON_USER (1u << VMR_IRQCHIP_USER)
#define ON_SPLIT (1u << VMR_IRQCHIP_SPLIT)
#define ON_KERNEL (1u << VMR_IRQCHIP_KERNEL)

static const struct {
    const char *name;
    uint32_t quirk;
    uint64_t needs;
    uint8_t irqchips; /* measured with these */
    void (*run)(struct conf *conf);
} probes[] = {
    {"sti-window", CONF_QUIRK_STI_WINDOW, 0, ON_USER, probe_sti_window},
    {"hw-breakpoint", CONF_QUIRK_HW_BREAKPOINT, CONF_CAP(HW_BREAKPOINT), ON_USER | ON_SPLIT | ON_KERNEL,
     probe_hw_breakpoint},
    {"data-breakpoint", CONF_QUIRK_DATA_BREAKPOINT, CONF_CAP(HW_BREAKPOINT), ON_USER | ON_SPLIT | ON_KERNEL,
     probe_data_breakpoint},
    {"real-mode-triple-fault", CONF_QUIRK_REAL_MODE_TRIPLE, CONF_CAP(REAL_MODE), ON_USER, probe_real_mode_triple},
    {"eoi-before-halt", CONF_QUIRK_EOI_BEFORE_HALT, 0, ON_SPLIT, probe_eoi_before_halt},
    {"disabled-sender", CONF_QUIRK_DISABLED_SENDER, 0, ON_SPLIT | ON_KERNEL, probe_disabled_sender},
    {"dirty-ring", CONF_QUIRK_DIRTY_RING, CONF_CAP(DIRTY_LOG), ON_USER | ON_SPLIT | ON_KERNEL, probe_dirty_ring},
    {"masked-timer", CONF_QUIRK_MASKED_TIMER, 0, ON_SPLIT | ON_KERNEL, probe_masked_timer},
    {"tsc-set", CONF_QUIRK_TSC_SET, 0, ON_USER | ON_SPLIT | ON_KERNEL, probe_tsc_set},
    {"timer-again", CONF_QUIRK_TIMER_AGAIN, 0, ON_SPLIT | ON_KERNEL, probe_timer_again},
};

#define PROBE_COUNT (sizeof(probes) / sizeof(probes[0]))

const char *conf_quirk_name(uint32_t quirk)
{
    for (size_t i = 0; i < PROBE_COUNT; i++) {
        if (quirk & probes[i].quirk)
            return probes[i].name;
    }
    return "unknown";
}

/* A quirk that shows itself now and then is one: it is looked for more than once, since a loaded host may hide it. */
#define MEASUREMENTS 4u

bool conf_quirks_measure(struct conf_backend *backend, char *ret_reason, size_t size)
{
    char reason[CONF_TEXT_MAX];

    for (size_t i = 0; i < PROBE_COUNT; i++) {
        if ((probes[i].needs & ~backend->caps.bits) || !(probes[i].irqchips >> backend->irqchip & 1u))
            continue;
        enum conf_verdict verdict = CONF_PASS;

        for (unsigned n = 0; n < MEASUREMENTS && verdict == CONF_PASS; n++)
            verdict = conf_execute_probe(backend, probes[i].run, reason, sizeof(reason));
        if (verdict == CONF_SKIP)
            backend->quirks |= probes[i].quirk;
        if (verdict == CONF_FAIL) {
            snprintf(ret_reason, size, "measuring %s: %s", probes[i].name, reason);
            return false;
        }
    }
    return true;
}
