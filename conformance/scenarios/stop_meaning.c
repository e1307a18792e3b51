/* SPDX-License-Identifier: MIT */
/*
 * What stops, yields and kicks mean: what latches and what is consumed, what a
 * request says of itself, how they rank against each other and against what an
 * exit causes, and that none of them touches a device. That none is lost is in
 * stop.c.
 */

#include "conformance/scenarios/guest_words.h"

#define PORT 0x700u
#define MMIO 0xd0000000u
#define ROUNDS 16u

static const struct conf_vm_options no_chip = {.without_chip = true};
static const struct conf_vm_options two_vps = {.vps = 2, .without_chip = true};

CONF_PROGRAM(spins, VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
/* One more step of the count for each time the host says go. */
CONF_PROGRAM(counts, VMR_SET(1, ROUNDS), VMR_ADD(0, 1), VMR_STORE_VAR(WORD_SEEN, 4, 0), VMR_SPIN_UNTIL(WORD_GO, 4, 1),
             VMR_STORE(WORD_GO, 4, 0), VMR_LOOP(1, 1), VMR_END());
/* Reads a device in one instruction and stores the answer with the next. */
CONF_PROGRAM(reads_port, VMR_IN(1, PORT, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_END());
CONF_PROGRAM(reads_mmio, VMR_LOAD(1, MMIO, 4), VMR_STORE_VAR(WORD_SEEN, 4, 1), VMR_END());

/* --- stops --- */

static void stop_latches(struct conf *conf)
{
    struct vmr_stop_source *stop = NULL;
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);

    CONF_REQUIRE(conf, vm && vmr_stop_create(conf->host, &stop) == VMR_OK, "no stop source");
    CONF_CHECK(conf, !vmr_stop_is_set(stop), "a new source is set");
    vmr_stop_set(stop);
    vmr_stop_set(stop);
    for (unsigned i = 0; i < 3; i++)
        expect_halt(vm, stop, VMR_HALT_STOP);
    CONF_CHECK(conf, vmr_stop_is_set(stop), "the source has forgotten");
    CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), 0, "what the guest stored");
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    conf_vm_destroy(vm);
    vmr_stop_destroy(stop);
}

/* A source that is set belongs to its runs alone: nothing of it stays on the VP. */
static void stop_of_another(struct conf *conf)
{
    struct vmr_stop_source *set = NULL, *clear = NULL;
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);

    CONF_REQUIRE(conf, vm && vmr_stop_create(conf->host, &set) == VMR_OK, "no stop source");
    if (vmr_stop_create(conf->host, &clear) == VMR_OK) {
        vmr_stop_set(set);
        expect_halt(vm, set, VMR_HALT_STOP);
        guest_word_set(vm, WORD_GO, 1);
        expect_halt(vm, clear, VMR_HALT_POWER_OFF);
        CONF_CHECK(conf, vm->reports[0].ended, "the guest did not reach its end");
    }
    conf_vm_destroy(vm);
    vmr_stop_destroy(clear);
    vmr_stop_destroy(set);
}

/* A yield and a stop are two things: the stop is reported first, and the yield is still there for the next run. */
static void yield_is_not_stop(struct conf *conf)
{
    struct vmr_stop_source *stop = NULL;
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);

    CONF_REQUIRE(conf, vm && vmr_stop_create(conf->host, &stop) == VMR_OK, "no stop source");
    CONF_CHECK(conf, vmr_partition_request_yield(vm->partition, 0), "the first yield was not the first");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "the kick");
    vmr_stop_set(stop);
    expect_halt(vm, stop, VMR_HALT_STOP);
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    expect_yield(vm, NULL);
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    conf_vm_destroy(vm);
    vmr_stop_destroy(stop);
}

/* --- kicks that were consumed, and kicks at nobody --- */

static void kick_at_each_round(void *argument)
{
    struct conf_vm *vm = argument;

    for (uint32_t i = 1; i <= ROUNDS && guest_word_wait(vm, WORD_SEEN, i); i++)
        (void)vmr_partition_kick(vm->partition, 0);
}

static void run_after_cancel(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &counts);
    struct vmr_thread *thread = vm ? conf_thread(conf, kick_at_each_round, vm) : NULL;

    CONF_REQUIRE(conf, thread, "no VM or no thread");
    for (uint32_t i = 1; i <= ROUNDS && !conf_failed(conf); i++) {
        expect_halt(vm, NULL, VMR_HALT_CANCEL);
        CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), i, "rounds the guest has begun");
        guest_word_set(vm, WORD_GO, 1);
    }
    if (!conf_failed(conf))
        expect_end(vm);
    conf_join(conf, thread);
}

static void consumed_kick(struct conf *conf)
{
    CONF_PROGRAM(powers_off, VMR_CHECKPOINT(1), VMR_POWER_OFF(), VMR_CHECKPOINT(2), VMR_POWER_OFF(), VMR_CHECKPOINT(3),
                 VMR_POWER_OFF(), VMR_CHECKPOINT(4), VMR_POWER_OFF(), VMR_END());
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &powers_off);

    CONF_REQUIRE(conf, vm, "no VM");
    for (uint32_t i = 1; i <= 4 && !conf_failed(conf); i++) {
        (void)vmr_partition_kick(vm->partition, 0);
        (void)vmr_partition_request_yield(vm->partition, 0);
        expect_halt(vm, NULL, VMR_HALT_CANCEL);
        expect_yield(vm, NULL);
        CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, i - 1, "the guest's checkpoint while it is kept out");
        expect_halt(vm, NULL, VMR_HALT_POWER_OFF);
        CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, i, "the guest's checkpoint");
    }
    expect_end(vm);
}

static void kick_nobody(struct conf *conf)
{
    static const vmr_vp_index absent[] = {1, 2, 63, 4096, UINT32_MAX - 1, UINT32_MAX};
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);

    CONF_REQUIRE(conf, vm, "no VM");
    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, absent[i]), VMR_KICK_NO_VP, "a kick at nobody");
        CONF_CHECK(conf, !vmr_partition_request_yield(vm->partition, absent[i]), "a yield of VP %u", absent[i]);
        vmr_partition_wake(vm->partition, absent[i]);
    }
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
}

/* A VP that nobody has bound is there all the same: the kick waits for its first run, and is no other VP's. */
static void kick_unbound(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, &two_vps);

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &spins), "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick at an unbound VP");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 1), VMR_KICK_LATCHED, "a kick at the other");
    CONF_REQUIRE(conf, conf_bind(vm, 0), "no VP");
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    conf_unbind(vm, 0);
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick at a VP that was unbound");
}

/* --- what requests say --- */

static void ask_twice(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct conf_vm *vm = device->user;

    (void)access;
    (void)write;
    CONF_CHECK_EQ(vm->conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_DELIVERED, "the kick at a running VP");
    CONF_CHECK_EQ(vm->conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_COALESCED, "the second kick");
    CONF_CHECK(vm->conf, vmr_partition_request_yield(vm->partition, 0), "the first yield was not the first");
    CONF_CHECK(vm->conf, !vmr_partition_request_yield(vm->partition, 0), "the second yield was the first");
}

static void requests_say(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &reads_port);
    struct conf_device device = {.answer = 7, .on_access = ask_twice, .user = vm};

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device), "no VM");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "the kick before the run");
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_COALESCED, "the second kick");
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    CONF_CHECK_EQ(conf, device.reads, 0, "reads by a run that was kicked before");
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    expect_yield(vm, NULL);
    CONF_CHECK_EQ(conf, vmr_partition_kick(vm->partition, 0), VMR_KICK_LATCHED, "a kick once all are consumed");
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    expect_end(vm);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    conf_vm_destroy(vm);
}

/* Yields of a VP that stands still reach nobody: the request waits, and no call is made into the hypervisor. */
static void yield_of_idle(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);
    struct vmr_mock *mock = vm ? conf_mock(vm) : NULL;

    CONF_REQUIRE(conf, vm, "no VM");
    for (unsigned i = 0; i < 5; i++)
        CONF_CHECK_EQ(conf, vmr_partition_request_yield(vm->partition, 0), i == 0, "whether the yield was the first");
    if (mock)
        CONF_CHECK_EQ(conf, vmr_mock_kicks(mock, 0), 0, "kicks at a VP that does not run");
    expect_yield(vm, NULL);
    CONF_CHECK(conf, vmr_partition_request_yield(vm->partition, 0), "the yield after the yield was not the first");
    expect_yield(vm, NULL);
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    if (mock)
        CONF_CHECK_EQ(conf, vmr_mock_kicks(mock, 0), 0, "kicks in all");
}

static void yield_in_guest(void *argument)
{
    struct conf_vm *vm = argument;

    if (!guest_word_wait(vm, WORD_SEEN, 1))
        return;
    CONF_CHECK(vm->conf, vmr_partition_request_yield(vm->partition, 0), "the yield was not the first");
}

static void yield_of_running(struct conf *conf)
{
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &spins);
    struct vmr_thread *thread = vm ? conf_thread(conf, yield_in_guest, vm) : NULL;

    CONF_REQUIRE(conf, thread, "no VM or no thread");
    expect_yield(vm, NULL);
    conf_join(conf, thread);
    if (conf_mock(vm))
        CONF_CHECK_EQ(conf, vmr_mock_kicks(conf_mock(vm), 0), 1, "kicks for one yield in the guest");
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
}

/* --- exits come first, whole, and once --- */

struct interruption {
    struct conf_vm *vm;
    struct vmr_stop_source *stop;
    bool kick, power_off;
};

static void interrupt_access(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct interruption *interruption = device->user;

    (void)access;
    (void)write;
    if (interruption->kick)
        (void)vmr_partition_kick(interruption->vm->partition, 0);
    else
        vmr_stop_set(interruption->stop);
}

/* The guest stands right behind the instruction: it has its answer, and has not begun the next. */
static void check_clean_point(struct conf_vm *vm, const struct conf_device *device)
{
    /* The machine code of a step reads into RAX, and moves that to the variable afterwards. */
    bool is_code = vmr_caps_have(&vm->conf->caps, VMR_CAP_MACHINE_CODE);
    struct vmr_x86_regs regs;
    enum vmr_status status = vmr_vp_get_regs(vm->vps[0], &regs);

    CONF_REQUIRE(vm->conf, status == VMR_OK, "the registers: %s", vmr_status_name(status));
    CONF_CHECK_EQ(vm->conf, regs.gpr[is_code ? VMR_X86_RAX : VMR_X86_R8 + 1], device->answer,
                  "the register that was read into");
    CONF_CHECK_EQ(vm->conf, guest_word(vm, WORD_SEEN), 0, "what the next instruction stored");
    CONF_CHECK_EQ(vm->conf, device->reads, 1, "reads");
}

static void interrupt_read(struct conf *conf, const struct vmr_program *program, bool kick)
{
    struct interruption interruption = {.kick = kick};
    struct conf_device device = {.answer = 0x12345678, .on_access = interrupt_access, .user = &interruption};
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, program);

    CONF_REQUIRE(conf, vm && vmr_stop_create(conf->host, &interruption.stop) == VMR_OK, "no stop source");
    interruption.vm = vm;
    if (conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device) &&
        conf_device_claim(vm, vm->mmio, MMIO, 8, VMR_SIZE_1 | VMR_SIZE_4, &device)) {
        expect_halt(vm, interruption.stop, kick ? VMR_HALT_CANCEL : VMR_HALT_STOP);
        check_clean_point(vm, &device);
        expect_end(vm);
        CONF_CHECK_EQ(conf, guest_word(vm, WORD_SEEN), device.answer, "what the guest stored in the end");
        CONF_CHECK_EQ(conf, device.reads, 1, "reads in all");
    }
    conf_vm_destroy(vm);
    vmr_stop_destroy(interruption.stop);
}

static void stop_in_read(struct conf *conf)
{
    interrupt_read(conf, &reads_mmio, false);
    interrupt_read(conf, &reads_port, false);
}

static void kick_in_read(struct conf *conf)
{
    interrupt_read(conf, &reads_mmio, true);
    interrupt_read(conf, &reads_port, true);
}

static enum vmr_halt_reason halt_once(void *context, vmr_vp_index vp)
{
    struct interruption *interruption = context;
    bool due = interruption->power_off;

    (void)vp;
    interruption->power_off = false;
    return due ? VMR_HALT_RESET : VMR_HALT_NONE;
}

static void kick_and_halt(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct interruption *interruption = device->user;

    interrupt_access(device, access, write);
    interruption->power_off = true;
}

/* What an exit causes is reported by its run; a kick that came meanwhile is for the next. */
static void halt_before_kick(struct conf *conf)
{
    struct interruption interruption = {.kick = true};
    struct conf_device device = {.on_access = kick_and_halt, .user = &interruption};
    const struct conf_vm_options options = {.without_chip = true,
                                            .io = {.halt_requested = halt_once, .context = &interruption}};
    struct conf_vm *vm = vm_about_to_run(conf, &options, &reads_port);

    interruption.vm = vm;
    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &device), "no VM");
    expect_halt(vm, NULL, VMR_HALT_RESET);
    expect_halt(vm, NULL, VMR_HALT_CANCEL);
    expect_end(vm);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
    conf_vm_destroy(vm);
}

static void kick_often(void *argument)
{
    struct conf_vm *vm = argument;

    for (unsigned i = 0; i < ROUNDS && guest_word_wait(vm, WORD_SEEN, 1); i++) {
        while (vmr_partition_kick(vm->partition, 0) == VMR_KICK_COALESCED && !conf_over(vm->conf))
            conf_pause(vm->conf);
    }
}

/* A run that was interrupted tells of no exit that an earlier run has told. */
static void no_exit_twice(struct conf *conf)
{
    CONF_PROGRAM(talks_then_spins, VMR_IN(1, PORT, 4), VMR_OUT(PORT, 4, 9), VMR_STORE(MMIO, 4, 5), VMR_LOAD(2, MMIO, 4),
                 VMR_STORE(WORD_SEEN, 4, 1), VMR_SPIN_UNTIL(WORD_GO, 4, 1), VMR_END());
    struct conf_device port = {.answer = 1}, mmio = {.answer = 2};
    struct conf_vm *vm = vm_about_to_run(conf, &no_chip, &talks_then_spins);

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 4, VMR_SIZE_1 | VMR_SIZE_4, &port), "no VM");
    CONF_REQUIRE(conf, conf_device_claim(vm, vm->mmio, MMIO, 8, VMR_SIZE_1 | VMR_SIZE_4, &mmio), "no device");
    struct vmr_thread *thread = conf_thread(conf, kick_often, vm);

    CONF_REQUIRE(conf, thread, "no thread");
    for (unsigned i = 0; i < ROUNDS && !conf_failed(conf); i++)
        expect_halt(vm, NULL, VMR_HALT_CANCEL);
    conf_join(conf, thread);
    guest_word_set(vm, WORD_GO, 1);
    expect_end(vm);
    CONF_CHECK(conf, port.reads == 1 && port.writes == 1 && mmio.reads == 1 && mmio.writes == 1,
               "port %u reads %u writes, MMIO %u reads %u writes; each was one", port.reads, port.writes, mmio.reads,
               mmio.writes);
    conf_vm_destroy(vm);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_stop_latches_for_every_run_of_its_source",
     .family = "stop",
     .clauses = "RUN-1 RUN-12",
     .chip = CONF_CHIP_ANY,
     .run = stop_latches},
    {.name = "a_stop_is_not_reported_to_another_source",
     .family = "stop",
     .clauses = "RUN-4",
     .chip = CONF_CHIP_ANY,
     .run = stop_of_another},
    {.name = "a_yield_is_not_a_stop_and_waits_behind_it",
     .family = "stop",
     .ids = "trap-1",
     .clauses = "RUN-2 RUN-1 RUN-4",
     .chip = CONF_CHIP_ANY,
     .run = yield_is_not_stop},
    {.name = "the_run_after_a_cancel_enters_the_guest",
     .family = "stop",
     .ids = "STOP-03",
     .clauses = "RUN-2 RUN-4",
     .chip = CONF_CHIP_ANY,
     .run = run_after_cancel},
    {.name = "a_consumed_kick_ends_no_later_run",
     .family = "stop",
     .ids = "STOP-05",
     .clauses = "RUN-4 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = consumed_kick},
    {.name = "a_kick_at_a_vp_that_does_not_exist_is_harmless",
     .family = "stop",
     .ids = "STOP-12",
     .clauses = "RUN-8",
     .chip = CONF_CHIP_ANY,
     .run = kick_nobody},
    {.name = "a_kick_at_an_unbound_vp_waits_for_its_run",
     .family = "stop",
     .ids = "STOP-12",
     .clauses = "RUN-2 RUN-3",
     .chip = CONF_CHIP_ANY,
     .run = kick_unbound},
    {.name = "a_kick_says_what_became_of_it",
     .family = "stop",
     .ids = "STOP-06",
     .clauses = "RUN-2 RUN-7",
     .chip = CONF_CHIP_ANY,
     .run = requests_say},
    {.name = "a_yield_of_an_idle_vp_makes_no_host_call",
     .family = "stop",
     .ids = "STOP-14",
     .clauses = "RUN-7 RUN-6",
     .chip = CONF_CHIP_ANY,
     .run = yield_of_idle},
    {.name = "a_yield_of_a_running_vp_is_one_kick",
     .family = "stop",
     .ids = "STOP-14",
     .clauses = "RUN-7 RUN-6",
     .chip = CONF_CHIP_ANY,
     .run = yield_of_running},
    {.name = "a_stop_in_a_read_finishes_it_first",
     .family = "stop",
     .ids = "S3 trap-4",
     .clauses = "RUN-12 EXIT-6",
     .chip = CONF_CHIP_ANY,
     .run = stop_in_read},
    {.name = "a_kick_in_a_read_finishes_it_first",
     .family = "stop",
     .ids = "trap-4",
     .clauses = "RUN-12 EXIT-6",
     .chip = CONF_CHIP_ANY,
     .run = kick_in_read},
    {.name = "a_halt_is_reported_before_a_kick_of_the_same_exit",
     .family = "stop",
     .ids = "trap-6",
     .clauses = "RUN-12 RUN-2",
     .chip = CONF_CHIP_ANY,
     .run = halt_before_kick},
    {.name = "an_interrupted_run_repeats_no_exit",
     .family = "stop",
     .ids = "STOP-04",
     .clauses = "EXIT-9 EXIT-6",
     .chip = CONF_CHIP_ANY,
     .run = no_exit_twice},
};

CONF_FAMILY(stop_meaning, scenarios);
