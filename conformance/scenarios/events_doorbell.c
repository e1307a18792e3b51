/* SPDX-License-Identifier: MIT */
/*
 * Doorbells in the hypervisor: guest writes that signal an event without an exit.
 */

#include "conformance/scenarios/event_words.h"

#include <stdatomic.h>

#define PAGE UINT64_C(0xd0000000)
#define PORT EVENT_PORT
#define SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)

static const struct vmr_doorbell memory_bell = {.address = PAGE + 8, .size = 4, .match_value = true, .value = 7};
static const struct vmr_doorbell port_bell = {.address = PORT + 2, .size = 2};

struct belled {
    int memory, port;
    struct conf_device device;
    uint32_t rings; /* a bit for each checkpoint at which one of the events was signalled */
};

static void note_rings(struct conf_vm *vm, vmr_vp_index vp, uint32_t number)
{
    struct belled *belled = vm->user;

    (void)vp;
    if (event_take(vm->conf, belled->memory))
        belled->rings |= 1u << number;
    if (event_take(vm->conf, belled->port))
        belled->rings |= 0x10000u << number;
}

static bool set_both(struct conf_vm *vm, const struct belled *belled, bool add)
{
    return set_doorbell(vm, VMR_BUS_MMIO, &memory_bell, belled->memory, add) &&
           set_doorbell(vm, VMR_BUS_PORTS, &port_bell, belled->port, add);
}

/* NULL: failed. Both doorbells are set, and a device is behind each. */
static struct conf_vm *belled_vm(struct conf *conf, struct belled *belled, const struct vmr_program *program)
{
    struct conf_vm *vm = interrupt_vm(conf, 1, program, note_rings);

    *belled = (struct belled){0};
    if (!vm || !event_create(conf, &belled->memory) || !event_create(conf, &belled->port))
        return NULL;
    vm->user = belled;
    if (!conf_device_claim(vm, vm->mmio, PAGE, 4096, SIZES | VMR_SIZE_8, &belled->device) ||
        !conf_device_claim(vm, vm->ports, PORT, 16, SIZES, &belled->device) || !set_both(vm, belled, true))
        return NULL;
    return vm;
}

/* The partition goes before its events. */
static void belled_finish(struct conf_vm *vm, const struct belled *belled)
{
    struct conf *conf = vm->conf;

    conf_vm_destroy(vm);
    event_destroy(conf, belled->memory);
    event_destroy(conf, belled->port);
}

/*
 * Each write is followed by the question which event it signalled. Another
 * value, size, address or space is another write; the second run is without the
 * doorbells.
 */
static void exactly_its_writes(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_STORE(PAGE + 8, 4, 7), VMR_CHECKPOINT(1), VMR_STORE(PAGE + 8, 4, 8), VMR_CHECKPOINT(2),
                 VMR_STORE(PAGE + 8, 8, 7), VMR_CHECKPOINT(3), VMR_STORE(PAGE + 12, 4, 7), VMR_CHECKPOINT(4),
                 VMR_LOAD(0, PAGE + 8, 4), VMR_CHECKPOINT(5), VMR_OUT(PORT + 2, 2, 9), VMR_CHECKPOINT(6),
                 VMR_OUT(PORT + 2, 1, 9), VMR_CHECKPOINT(7), VMR_OUT(PORT + 8, 4, 7), VMR_CHECKPOINT(8),
                 VMR_STORE(PAGE + 8, 4, 7), VMR_OUT(PORT + 2, 2, 10), VMR_CHECKPOINT(9), VMR_POWER_OFF(),
                 VMR_STORE(PAGE + 8, 4, 7), VMR_CHECKPOINT(10), VMR_OUT(PORT + 2, 2, 9), VMR_CHECKPOINT(11), VMR_END());
    struct belled belled;
    struct conf_vm *vm = belled_vm(conf, &belled, &writes);

    CONF_REQUIRE(conf, vm && run_to_power_off(vm), "the guest failed");
    CONF_CHECK_EQ(conf, belled.rings & 0xffff, 1u << 1 | 1u << 9, "checkpoints behind writes that rang in memory");
    CONF_CHECK_EQ(conf, belled.rings >> 16, 1u << 6 | 1u << 9, "checkpoints behind writes that rang at a port");
    CONF_CHECK_EQ(conf, belled.device.writes, 5, "writes that went on to the device");
    CONF_CHECK_EQ(conf, belled.device.reads, 1, "reads");
    if (!set_both(vm, &belled, false))
        return;
    belled.rings = 0;
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, belled.rings, 0, "checkpoints behind doorbells that are gone");
    CONF_CHECK_EQ(conf, belled.device.writes, 7, "writes that went on in all");
    belled_finish(vm, &belled);
}

/* The next exit that is no cancel. */
static bool next_exit(struct conf_vm *vm, struct vmr_exit *vp_exit)
{
    do {
        if (vmr_vp_step(vm->vps[0], vp_exit) != VMR_OK)
            return false;
    } while (vp_exit->kind == VMR_EXIT_CANCEL);
    return true;
}

static void without_an_exit(struct conf *conf)
{
    CONF_PROGRAM(rings, VMR_STORE(PAGE + 8, 4, 7), VMR_OUT(PORT + 2, 2, 9), VMR_STORE(PAGE + 8, 4, 7),
                 VMR_OUT(PORT + 8, 1, 1), VMR_END());
    struct belled belled;
    struct conf_vm *vm = belled_vm(conf, &belled, &rings);
    struct vmr_exit vp_exit = {0};

    CONF_REQUIRE(conf, vm && next_exit(vm, &vp_exit), "no exit");
    CONF_CHECK(conf, vp_exit.kind == VMR_EXIT_IO && vp_exit.u.io.port == PORT + 8, "a doorbell made an exit: %s",
               vmr_exit_kind_name(vp_exit.kind));
    CONF_CHECK(conf, event_take(conf, belled.memory) && event_take(conf, belled.port), "no signal");
    belled_finish(vm, &belled);
}

/* Items 2 and 3 of the string ring, the others go to the device in order. */
static void items_of_strings(struct conf *conf)
{
    CONF_PROGRAM(strings, VMR_STORE(WORD(0), 8, UINT64_C(0x0505030201)), VMR_OUTS(PORT + 4, 1, 5, WORD(0)),
                 VMR_CHECKPOINT(1), VMR_END());
    static const struct vmr_doorbell item = {.address = PORT + 4, .size = 1, .match_value = true, .value = 5};
    struct belled belled;
    struct conf_vm *vm = belled_vm(conf, &belled, &strings);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    /* In place of the port's own doorbell, with its event. */
    if (!set_both(vm, &belled, false) || !set_doorbell(vm, VMR_BUS_PORTS, &item, belled.port, true))
        return;
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, belled.rings, 0x10000u << 1, "rings");
    CONF_CHECK_EQ(conf, belled.device.writes, 3, "items that went on");
    for (uint32_t i = 0; i < 3; i++)
        CONF_CHECK_EQ(conf, belled.device.written[i], i + 1, "an item");
    belled_finish(vm, &belled);
}

/* --- doorbells that come and go while the guest writes --- */

struct changing {
    struct conf_vm *vm;
    struct belled *belled;
    _Atomic uint32_t device_writes;
};

static void count_write(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct changing *changing = device->user;

    (void)access;
    if (write)
        (void)atomic_fetch_add(&changing->device_writes, 1);
}

static bool has_rung(void *argument)
{
    struct changing *changing = argument;

    return event_take(changing->vm->conf, changing->belled->port);
}

struct reached {
    const struct changing *changing;
    uint32_t writes;
};

static bool has_written(void *argument)
{
    const struct reached *reached = argument;

    return atomic_load(&reached->changing->device_writes) > reached->writes;
}

/* With the doorbell it rings, without it the device is reached. */
static void change_doorbells(void *argument)
{
    static const uint8_t one = 1;
    struct changing *changing = argument;
    struct conf_vm *vm = changing->vm;

    for (unsigned i = 0; i < 3; i++) {
        if (!conf_wait(vm->conf, has_rung, changing, "the doorbell to ring") ||
            !set_doorbell(vm, VMR_BUS_PORTS, &port_bell, changing->belled->port, false))
            break;
        (void)event_take(vm->conf, changing->belled->port);
        struct reached reached = {changing, atomic_load(&changing->device_writes)};

        if (!conf_wait(vm->conf, has_written, &reached, "a write to reach the device"))
            break;
        CONF_CHECK(vm->conf, !event_take(vm->conf, changing->belled->port), "a doorbell that is gone rang");
        if (!set_doorbell(vm, VMR_BUS_PORTS, &port_bell, changing->belled->port, true))
            break;
    }
    CONF_CHECK(vm->conf, vmr_memory_write(vm->memory, WORD(0), &one, 1) == VMR_OK, "no RAM");
}

static void come_and_go(struct conf *conf)
{
    CONF_PROGRAM(writes, VMR_OUT(PORT + 2, 2, 9), VMR_LOAD(0, WORD(0), 1), VMR_JUMP_EQ(0, 0, 0), VMR_END());
    struct belled belled;
    struct conf_vm *vm = belled_vm(conf, &belled, &writes);
    struct changing changing = {.vm = vm, .belled = &belled};

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    belled.device.on_access = count_write;
    belled.device.user = &changing;
    struct vmr_thread *thread = conf_thread(conf, change_doorbells, &changing);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    (void)conf_run_to_end(vm, 0);
    conf_join(conf, thread);
    belled_finish(vm, &belled);
}

/* --- refusals --- */

/* One that is there takes 2 bytes at PORT + 2, and any value. */
static void refuses_twins(struct conf *conf)
{
    static const struct vmr_doorbell others[] = {
        {.address = PORT + 2, .size = 2},
        {.address = PORT + 2},
        {.address = PORT + 2, .size = 2, .match_value = true, .value = 4},
    };
    static const struct vmr_doorbell beside[] = {
        {.address = PORT + 2, .size = 1, .match_value = true, .value = 4},
        {.address = PORT + 2, .size = 1, .match_value = true, .value = 5},
        {.address = PORT + 4, .size = 2},
    };
    CONF_PROGRAM(rings, VMR_OUT(PORT + 2, 2, 4), VMR_CHECKPOINT(1), VMR_OUT(PORT + 2, 1, 5), VMR_CHECKPOINT(2),
                 VMR_END());
    struct belled belled;
    struct conf_vm *vm = belled_vm(conf, &belled, &rings);

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        doorbell_refused(vm, &others[i], belled.port, true, VMR_E_CONFIG);
        doorbell_refused(vm, &others[i], belled.memory, true, VMR_E_CONFIG);
    }
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
        (void)set_doorbell(vm, VMR_BUS_PORTS, &beside[i], belled.memory, true);
    doorbell_refused(vm, &beside[1], belled.port, true, VMR_E_CONFIG);
    /* What is taken away must be it, whole, with its event. */
    doorbell_refused(vm, &others[1], belled.port, false, VMR_E_USAGE);
    doorbell_refused(vm, &others[2], belled.port, false, VMR_E_USAGE);
    doorbell_refused(vm, &port_bell, belled.memory, false, VMR_E_USAGE);
    (void)set_doorbell(vm, VMR_BUS_PORTS, &beside[0], belled.memory, false);
    doorbell_refused(vm, &beside[0], belled.memory, false, VMR_E_USAGE);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, belled.rings, 0x10000u << 1 | 1u << 2, "rings of those that are left");
    belled_finish(vm, &belled);
}

static const struct conf_scenario scenarios[] = {
    {.name = "a_doorbell_in_the_hypervisor_takes_exactly_its_writes",
     .family = "events",
     .clauses = "EVT-5 IO-7",
     .needs = CONF_CAP(DOORBELL),
     .chip = CONF_CHIP_ANY,
     .run = exactly_its_writes},
    {.name = "a_doorbell_in_the_hypervisor_rings_without_an_exit",
     .family = "events",
     .clauses = "EVT-5",
     .needs = CONF_CAP(DOORBELL),
     .chip = CONF_CHIP_ANY,
     .run = without_an_exit},
    {.name = "each_item_of_a_string_may_ring",
     .family = "events",
     .clauses = "EVT-5 EXIT-3",
     .needs = CONF_CAP(DOORBELL),
     .chip = CONF_CHIP_ANY,
     .run = items_of_strings},
    {.name = "doorbells_come_and_go_while_the_guest_writes",
     .family = "events",
     .clauses = "EVT-5",
     .needs = CONF_CAP(DOORBELL),
     .chip = CONF_CHIP_ANY,
     .run = come_and_go},
    {.name = "two_doorbells_for_one_write_are_refused",
     .family = "events",
     .clauses = "EVT-6 ERR-1 ERR-2",
     .needs = CONF_CAP(DOORBELL),
     .chip = CONF_CHIP_ANY,
     .run = refuses_twins},
};

CONF_FAMILY(events_doorbell, scenarios);
