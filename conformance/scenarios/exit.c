/* SPDX-License-Identifier: MIT */
/*
 * Exits: that each is finished exactly once, whatever interrupts it, and that
 * what a backend declares it produces. What ends a run is in fatal.c.
 */

#include "conformance/conformance.h"

#include <string.h>

#define PORT 0x700u
#define PAGE UINT64_C(0xd0000000)
#define DATA VMR_PROGRAM_DATA
#define ALL_SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)
#define UNKNOWN_MSR 0x12345u
#define STEP_MAX 2000u

/* One exit that is none of the backend's own cancels. False: the step failed. */
static bool step(struct conf_vm *vm, struct vmr_exit *vp_exit)
{
    do {
        enum vmr_status status = vmr_vp_step(vm->vps[0], vp_exit);

        if (status)
            conf_fail(vm->conf, __FILE__, __LINE__, "a step: %s", vmr_status_name(status));
        if (status || conf_over(vm->conf))
            return false;
    } while (vp_exit->kind == VMR_EXIT_CANCEL);
    return true;
}

static bool answer(struct conf_vm *vm, struct vmr_exit *vp_exit)
{
    enum vmr_halt_reason reason = VMR_HALT_NONE;
    enum vmr_status status = vmr_vp_dispatch(vm->vps[0], vp_exit, &vm->io, &reason);

    if (status)
        conf_fail(vm->conf, __FILE__, __LINE__, "an answer: %s", vmr_status_name(status));
    return status == VMR_OK;
}

/* --- stopped in the middle of an access --- */

struct stopping {
    struct conf_vm *vm;
    struct vmr_stop_source *stop;
    struct conf_device device;
};

static void stop_now(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct stopping *stopping = device->user;

    (void)access;
    (void)write;
    vmr_stop_set(stopping->stop);
}

static void look_inside(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct stopping *stopping = device->user;
    struct vmr_x86_regs regs;

    CONF_CHECK(stopping->vm->conf, vmr_vp_get_regs(stopping->vm->vps[0], &regs) == VMR_E_STATE,
               "stale registers were given to a device");
    stop_now(device, access, write);
}

static bool run_to_stop(struct conf_vm *vm, struct stopping *stopping)
{
    struct vmr_run_result result;

    if (!conf_run(vm, 0, stopping->stop, &result))
        return false;
    if (result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_STOP)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "a run with a stop ended with %s", vmr_halt_reason_name(result.reason));
    return false;
}

CONF_PROGRAM(two_reads, VMR_SET(0, 0), VMR_SET(1, 0x1111), VMR_LOAD(0, PAGE, 4), VMR_EXPECT(0, 0xcafe0001),
             VMR_EXPECT(1, 0x1111), VMR_STORE_VAR(DATA, 8, 0), VMR_IN(2, PORT, 4), VMR_EXPECT(2, 0xcafe0002),
             VMR_LOAD(3, DATA, 8), VMR_EXPECT(3, 0xcafe0001), VMR_END());

/* Two ranges of one device, which stops the run whenever it is called. */
static struct conf_vm *stopping_vm(struct conf *conf, struct stopping *stopping)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    if (!vm || !conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, &stopping->device) ||
        !conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &stopping->device) || !conf_load(vm, 0, &two_reads) ||
        !conf_bind(vm, 0))
        return NULL;
    stopping->vm = vm;
    stopping->device.user = stopping;
    return vm;
}

static void stop_completes_the_access(struct conf *conf)
{
    struct stopping stopping = {.device = {.answer = 0xcafe0001, .answer_step = 1, .on_access = look_inside}};
    struct conf_vm *vm = stopping_vm(conf, &stopping);
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (uint32_t calls = 1; calls <= 2; calls++) {
        CONF_REQUIRE(conf, vmr_stop_create(conf->host, &stopping.stop) == VMR_OK, "no stop source");
        bool stopped = run_to_stop(vm, &stopping);

        vmr_stop_destroy(stopping.stop);
        CONF_REQUIRE(conf, stopped, "it was not stopped");
        CONF_CHECK_EQ(conf, stopping.device.reads, calls, "reads when the stop is reported");
        CONF_CHECK(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers at a clean point");
        if (vmr_caps_have(&conf->caps, VMR_CAP_MACHINE_CODE))
            CONF_CHECK_EQ(conf, regs.gpr[VMR_X86_RAX], 0xcafe0000 + calls, "RAX after the read");
    }
    stopping.device.on_access = NULL;
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, stopping.device.reads, 2, "reads in all");
}

/* RAM, byte for byte, and the registers: enough for a VM with one VP and no interrupts. */
static bool move(struct conf_vm *from, struct conf_vm *to)
{
    static const size_t size = VMR_PROGRAM_RAM_MIN;
    struct vmr_memory_view view;
    struct vmr_x86_regs regs;
    bool moved = vmr_memory_pin(from->memory, 0, size, false, &view) == VMR_OK;

    if (!moved)
        return false;
    moved = vmr_memory_write(to->memory, 0, view.bytes, size) == VMR_OK;
    vmr_memory_unpin(from->memory, &view);
    return moved && vmr_vp_get_regs(from->vps[0], &regs) == VMR_OK && vmr_vp_set_regs(to->vps[0], &regs) == VMR_OK;
}

static void state_after_a_stop(struct conf *conf)
{
    struct stopping first = {.device = {.answer = 0xcafe0001, .answer_step = 1, .on_access = stop_now}};
    struct stopping second = {.device = {.answer = 0xcafe0002}};
    struct conf_vm *from = stopping_vm(conf, &first);

    CONF_REQUIRE(conf, from != NULL, "no VM");
    CONF_REQUIRE(conf, vmr_stop_create(conf->host, &first.stop) == VMR_OK, "no stop source");
    bool stopped = run_to_stop(from, &first);

    vmr_stop_destroy(first.stop);
    CONF_REQUIRE(conf, stopped, "it was not stopped");
    struct conf_vm *to = stopping_vm(conf, &second);

    CONF_REQUIRE(conf, to != NULL, "no second VM");
    CONF_REQUIRE(conf, move(from, to), "the state was not moved");
    conf_vm_destroy(from);
    (void)conf_run_to_end(to, 0);
    CONF_CHECK_EQ(conf, first.device.reads, 1, "reads before the move");
    CONF_CHECK_EQ(conf, second.device.reads, 1, "reads after the move");
}

static void registers_wait(struct conf *conf)
{
    CONF_PROGRAM(one_read, VMR_IN(0, PORT, 4), VMR_EXPECT(0, 0xabcd), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &one_read) && conf_bind(vm, 0) && step(vm, &vp_exit), "no VM");
    CONF_REQUIRE(conf, vp_exit.kind == VMR_EXIT_IO, "exit %s", vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK(conf, vmr_exit_is_pending(&vp_exit), "a read that waits for nothing");
    CONF_CHECK(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_E_STATE, "stale registers");
    vp_exit.u.io.value = 0xabcd;
    CONF_REQUIRE(conf, vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK, "not finished");
    CONF_CHECK_EQ(conf, vp_exit.kind, VMR_EXIT_NONE, "the exit, finished");
    CONF_CHECK(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no registers at a clean point");
    CONF_CHECK(conf, vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK && vp_exit.kind == VMR_EXIT_NONE,
               "finishing what is finished");
    (void)conf_run_to_end(vm, 0);
}

/* --- interrupted --- */

struct kicking {
    struct conf_vm *vm;
    unsigned kicks; /* before the last, which comes when `armed` is set */
    struct conf_latch armed;
};

static void kick_often(void *argument)
{
    struct kicking *kicking = argument;

    for (unsigned i = 0; i < kicking->kicks && !conf_over(kicking->vm->conf); i++) {
        (void)vmr_partition_kick(kicking->vm->partition, 0);
        conf_pause(kicking->vm->conf);
    }
    conf_latch_set(&kicking->armed);
    (void)vmr_partition_kick(kicking->vm->partition, 0);
}

/* After its only write the guest never leaves by itself: a write that comes again is an exit decoded twice. */
static void cancel_is_not_an_old_exit(struct conf *conf)
{
    CONF_PROGRAM(once, VMR_OUT(PORT, 1, 7), VMR_CHECKPOINT(1), VMR_SPIN());
    struct conf_device device = {0};
    struct kicking kicking = {.vm = conf_vm_create(conf, NULL), .kicks = conf->exploring ? 1 : 10};
    struct conf_vm *vm = kicking.vm;
    struct vmr_run_result result;
    unsigned cancels = 0;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &once) && conf_bind(vm, 0), "no VM");
    struct vmr_thread *thread = conf_thread(conf, kick_often, &kicking);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    do {
        if (!conf_run(vm, 0, NULL, &result))
            return;
        CONF_CHECK(conf, result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_CANCEL, "a kicked run: %s",
                   vmr_halt_reason_name(result.reason));
        cancels++;
    } while (!kicking.armed.value);
    conf_join(conf, thread);
    CONF_CHECK(conf, cancels >= 1 && cancels <= kicking.kicks + 1, "%u cancels of %u kicks", cancels,
               kicking.kicks + 1);
    CONF_CHECK(conf, device.writes <= 1 && vm->reports[0].checkpoints <= 1, "%u writes, %u checkpoints of one each",
               device.writes, vm->reports[0].checkpoints);
}

struct reentry {
    struct conf_vm *vm;
    enum vmr_run_seam seam;
    struct conf_device device;
    uint32_t calls; /* of the device, at the last kick */
};

static uint32_t calls_of(const struct conf_device *device)
{
    return device->reads + device->writes;
}

/* Kicks on the way back into the guest, once behind each call of the device. */
static void kick_on_reentry(void *context, vmr_vp_index vp, enum vmr_run_seam seam)
{
    struct reentry *reentry = context;

    if (seam != reentry->seam || calls_of(&reentry->device) == reentry->calls)
        return;
    reentry->calls = calls_of(&reentry->device);
    (void)vmr_partition_kick(reentry->vm->partition, vp);
}

/* The entry that carries an answer is the one that does not enter. The NOPs are for those who see a kick inside only.
 */
static void cancelled_reentry(struct conf *conf, enum vmr_run_seam seam)
{
    CONF_PROGRAM(accesses, VMR_OUT(PORT, 1, 7), VMR_NOP(), VMR_IN(0, PORT, 1), VMR_NOP(), VMR_EXPECT(0, 0x31),
                 VMR_STORE(PAGE, 4, 1), VMR_NOP(), VMR_LOAD(1, PAGE, 4), VMR_NOP(), VMR_EXPECT(1, 0x32), VMR_END());
    struct reentry reentry = {.seam = seam, .device = {.answer = 0x31, .answer_step = 1}};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &reentry.device), "no port");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->mmio, PAGE, 4096, ALL_SIZES, &reentry.device), "no page");
    CONF_REQUIRE(conf, conf_load(vm, 0, &accesses) && conf_bind(vm, 0), "no VM");
    reentry.vm = vm;
    vmr_partition_set_seam_hook(vm->partition, kick_on_reentry, &reentry);
    for (uint32_t call = 1; call <= 4; call++) {
        CONF_REQUIRE(conf, conf_run(vm, 0, NULL, &result), "no run");
        CONF_CHECK(conf, result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_CANCEL, "kicked behind call %u: %s",
                   call, vmr_halt_reason_name(result.reason));
        CONF_CHECK_EQ(conf, calls_of(&reentry.device), call, "calls of the device");
    }
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, calls_of(&reentry.device), 4, "calls in all");
    conf_vm_destroy(vm);
}

static void cancel_on_reentry(struct conf *conf)
{
    cancelled_reentry(conf, VMR_SEAM_BEFORE_PUBLISH);
    cancelled_reentry(conf, VMR_SEAM_BEFORE_ENTRY);
}

static void kicked_step(struct conf *conf)
{
    CONF_PROGRAM(reads, VMR_IN(0, PORT, 1), VMR_EXPECT(0, 0x31), VMR_IN(0, PORT, 1), VMR_EXPECT(0, 0x32), VMR_END());
    struct conf_device device = {.answer = 0x31, .answer_step = 1};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &reads) && conf_bind(vm, 0) && step(vm, &vp_exit), "no VM");
    CONF_REQUIRE(conf, vp_exit.kind == VMR_EXIT_IO && answer(vm, &vp_exit), "exit %s",
                 vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick between steps");
    CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the step failed");
    CONF_CHECK_EQ(conf, vp_exit.kind, VMR_EXIT_CANCEL, "a kicked step");
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick behind one that was consumed");
    CONF_REQUIRE(conf, vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK, "the next step failed");
    CONF_CHECK_EQ(conf, vp_exit.kind, VMR_EXIT_CANCEL, "the next kicked step");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, device.reads, 2, "reads in all");
}

/* --- what a backend declares --- */

CONF_PROGRAM(all_kinds, VMR_OUT(PORT, 1, 1), VMR_IN(0, PORT, 2), VMR_OUTS(PORT, 1, 3, DATA), VMR_INS(PORT, 2, 3, DATA),
             VMR_STORE(PAGE, 4, 1), VMR_LOAD(0, PAGE + 0xffe, 4), VMR_CPUID(0x40000000, 0), VMR_RDMSR(0, UNKNOWN_MSR),
             VMR_WRMSR(UNKNOWN_MSR, 5), VMR_CLI(), VMR_HLT(), VMR_CHECKPOINT(1), VMR_TRIPLE_FAULT());
CONF_PROGRAM(hypercall, VMR_HYPERCALL(0, 99), VMR_TRIPLE_FAULT());

/* Whether a kind carries nothing of its own; its fields are then zero. [EXIT-5] */
static bool is_bare(uint32_t kind)
{
    return kind == VMR_EXIT_NONE || kind == VMR_EXIT_HALT || kind == VMR_EXIT_IRQ_WINDOW || kind == VMR_EXIT_CANCEL;
}

static void check_form(struct conf *conf, const struct vmr_exit *vp_exit)
{
    const struct vmr_exit_io *io = &vp_exit->u.io;
    char line[160];

    (void)vmr_exit_print(vp_exit, line, sizeof(line));
    CONF_CHECK(conf, vmr_exit_is_valid(vp_exit), "not valid: %s", line);
    if (is_bare(vp_exit->kind))
        CONF_CHECK(conf,
                   !io->port && !io->size && !io->direction && !io->count && !io->string && !io->value && !io->bytes,
                   "fields of another kind are used: %s", line);
    if (vp_exit->kind == VMR_EXIT_MMIO && vp_exit->u.mmio.direction == VMR_READ)
        CONF_CHECK_EQ(conf, vp_exit->u.mmio.value, 0, "the value of a read without its answer");
    if (vp_exit->kind != VMR_EXIT_IO)
        return;
    CONF_CHECK(conf, io->string == (io->bytes != NULL), "bytes without a string, or none with one: %s", line);
    CONF_CHECK(conf, io->string || io->count == 1, "%u items that are no string: %s", io->count, line);
    CONF_CHECK(conf, io->direction == VMR_WRITE || io->string || io->value == 0, "a read with a value: %s", line);
}

/* Steps until the triple fault, collecting the kinds as bits. */
static uint64_t collect(struct conf_vm *vm, uint64_t kinds)
{
    struct vmr_exit vp_exit = {0};

    for (unsigned i = 0; i < STEP_MAX; i++) {
        if (!step(vm, &vp_exit))
            return kinds;
        check_form(vm->conf, &vp_exit);
        kinds |= UINT64_C(1) << vp_exit.kind;
        if (vp_exit.kind == VMR_EXIT_SHUTDOWN || vp_exit.kind == VMR_EXIT_FAIL || !answer(vm, &vp_exit))
            return kinds;
    }
    return kinds;
}

static uint64_t collect_program(struct conf *conf, const struct vmr_program *program, uint64_t kinds)
{
    static const struct vmr_msr_range unknown = {.first = UNKNOWN_MSR, .count = 1};
    const struct conf_vm_options options = {.msr_exits = &unknown,
                                            .msr_exit_count = vmr_caps_have(&conf->caps, VMR_CAP_MSR_EXIT) ? 1 : 0};
    struct conf_vm *vm = conf_vm_create(conf, &options);

    if (vm && conf_load(vm, 0, program) && conf_bind(vm, 0))
        kinds = collect(vm, kinds);
    conf_vm_destroy(vm);
    return kinds;
}

/* A stepped access is answered first, and reported as a step afterwards. */
static uint64_t collect_debug(struct conf *conf, uint64_t kinds)
{
    const struct vmr_debug_state debug = {.single_step = true};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    bool good =
        vm && conf_load(vm, 0, &all_kinds) && conf_bind(vm, 0) && vmr_vp_set_debug_state(vm->vps[0], &debug) == VMR_OK;

    for (unsigned i = 0; good && i < 4 && vp_exit.kind != VMR_EXIT_DEBUG; i++) {
        good = step(vm, &vp_exit);
        check_form(conf, &vp_exit);
        kinds |= UINT64_C(1) << vp_exit.kind;
        good = good && answer(vm, &vp_exit);
    }
    conf_vm_destroy(vm);
    return kinds;
}

static uint64_t collect_cancel(struct conf *conf, uint64_t kinds)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};

    if (vm && conf_load(vm, 0, &all_kinds) && conf_bind(vm, 0)) {
        (void)vmr_partition_kick(vm->partition, 0);
        if (vmr_vp_step(vm->vps[0], &vp_exit) == VMR_OK)
            kinds |= UINT64_C(1) << vp_exit.kind;
    }
    conf_vm_destroy(vm);
    return kinds;
}

/* The kinds that `caps` declare, as bits. Interrupt windows and EOIs have scenarios of their own. */
static uint64_t declared_kinds(const struct vmr_caps *caps)
{
    static const struct {
        enum vmr_cap cap;
        uint32_t kind;
    } declares[] = {
        {VMR_CAP_MSR_EXIT, VMR_EXIT_MSR},
        {VMR_CAP_CPUID_EXIT, VMR_EXIT_CPUID},
        {VMR_CAP_HYPERCALL_EXIT, VMR_EXIT_HYPERCALL},
        {VMR_CAP_SINGLE_STEP, VMR_EXIT_DEBUG},
    };
    uint64_t kinds = UINT64_C(1) << VMR_EXIT_IO | UINT64_C(1) << VMR_EXIT_MMIO | UINT64_C(1) << VMR_EXIT_HALT |
                     UINT64_C(1) << VMR_EXIT_CANCEL | UINT64_C(1) << VMR_EXIT_SHUTDOWN;

    for (unsigned i = 0; i < sizeof(declares) / sizeof(declares[0]); i++) {
        if (vmr_caps_have(caps, declares[i].cap))
            kinds |= UINT64_C(1) << declares[i].kind;
    }
    return kinds;
}

static void coverage_ledger(struct conf *conf)
{
    uint64_t declared = declared_kinds(&conf->caps);
    uint64_t produced = collect_program(conf, &all_kinds, 0);

    produced = collect_cancel(conf, produced);
    if (vmr_caps_have(&conf->caps, VMR_CAP_HYPERCALL_EXIT))
        produced = collect_program(conf, &hypercall, produced);
    if (vmr_caps_have(&conf->caps, VMR_CAP_SINGLE_STEP))
        produced = collect_debug(conf, produced);
    for (uint32_t kind = 1; kind < VMR_EXIT_KIND_COUNT; kind++)
        CONF_CHECK(conf, !((declared & ~produced) >> kind & 1u), "declared, never produced: %s",
                   vmr_exit_kind_name(kind));
    CONF_CHECK(conf, !(produced >> VMR_EXIT_FAIL & 1u), "the backend failed on the way");
}

/* --- injection --- */

static void injected_in_order(struct conf *conf)
{
    CONF_PROGRAM(three, VMR_WAIT_VECTOR(0x41, 1), VMR_CHECKPOINT(1), VMR_WAIT_VECTOR(0x40, 2), VMR_CHECKPOINT(2),
                 VMR_READ_COUNT(0, 0x40), VMR_EXPECT(0, 2), VMR_READ_COUNT(0, 0x41), VMR_EXPECT(0, 1), VMR_END());
    static const uint8_t vectors[] = {0x41, 0x40, 0x40};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};
    unsigned injected = 0;
    uint8_t seen[8] = {0};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &three) && conf_bind(vm, 0), "no VM");
    for (unsigned i = 0; i < STEP_MAX && !vm->reports[0].ended; i++) {
        CONF_REQUIRE(conf, step(vm, &vp_exit), "no step");
        bool ready = vp_exit.interrupt_ready;

        CONF_REQUIRE(conf, answer(vm, &vp_exit), "no answer");
        /* Only while it sleeps: each is then taken before the next. */
        if (vp_exit.kind != VMR_EXIT_HALT && vp_exit.kind != VMR_EXIT_IRQ_WINDOW)
            continue;
        vmr_vp_request_window(vm->vps[0], !ready && injected < 3);
        if (!ready || injected == 3)
            continue;
        CONF_REQUIRE(conf, vmr_vp_inject(vm->vps[0], vectors[injected]) == VMR_OK, "refused though ready");
        injected++;
        CONF_CHECK_EQ(conf, vmr_vp_inject(vm->vps[0], 0x50), VMR_E_STATE, "a second one at once");
    }
    CONF_CHECK_EQ(conf, vm->reports[0].ended, true, "the guest's end");
    CONF_CHECK_EQ(conf, vm->reports[0].mismatch, false, "a mismatch");
    if (!conf_mock(vm))
        return;
    CONF_CHECK_EQ(conf, vmr_mock_injected(conf_mock(vm), 0, seen, sizeof(seen)), 3, "interrupts injected");
    CONF_CHECK(conf, memcmp(seen, vectors, sizeof(vectors)) == 0, "the order of the interrupts");
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_stop_completes_the_access_first",
     .family = "exit",
     .ids = "EXIT-01 EXIT-05 S3 S4",
     .clauses = "EXIT-6 RUN-12",
     .chip = CONF_CHIP_ANY,
     .run = stop_completes_the_access},
    {.name = "state_copied_after_a_stop_goes_on_in_another_vm",
     .family = "exit",
     .ids = "EXIT-01",
     .clauses = "EXIT-6",
     .needs = CONF_CAP(MULTI_VM),
     .chip = CONF_CHIP_ANY,
     .run = state_after_a_stop},
    {.name = "registers_are_refused_while_an_exit_is_pending",
     .family = "exit",
     .ids = "EXIT-02",
     .clauses = "EXIT-6 RUN-13",
     .chip = CONF_CHIP_ANY,
     .run = registers_wait},
    {.name = "a_cancelled_run_never_replays_an_exit",
     .family = "exit",
     .ids = "STOP-04 S3",
     .clauses = "EXIT-9 RUN-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = cancel_is_not_an_old_exit},
    {.name = "a_kick_on_the_way_back_replays_no_exit",
     .family = "exit",
     .ids = "STOP-04",
     .clauses = "EXIT-9 EXIT-6",
     .chip = CONF_CHIP_ANY,
     .run = cancel_on_reentry},
    {.name = "a_kicked_step_says_cancel",
     .family = "exit",
     .ids = "STOP-04",
     .clauses = "EXIT-9 RUN-13 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = kicked_step},
    {.name = "every_declared_kind_is_produced_and_well_formed",
     .family = "exit",
     .ids = "EXIT-00 EXIT-06 EXIT-09",
     .clauses = "EXIT-1 EXIT-5",
     .run = coverage_ledger},
    {.name = "injected_interrupts_are_taken_once_and_in_order",
     .family = "exit",
     .ids = "EXIT-10",
     .clauses = "EXIT-10",
     .run = injected_in_order},
};

CONF_FAMILY(exit, scenarios);
