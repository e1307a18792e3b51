/* SPDX-License-Identifier: MIT */
/*
 * The order of calls, from a handle to a VP that runs: that it holds, that any
 * other is refused without a trace, and that what ends leaves room for the
 * next. How VPs begin is in startup.c.
 */

#include "conformance/conformance.h"

#include <string.h>

#define PORT 0x700u
#define ALL_SIZES (VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4)

CONF_PROGRAM(end, VMR_CHECKPOINT(1), VMR_END());
/* Halts twice on the way, and knows its variable at each end. */
CONF_PROGRAM(in_parts, VMR_SET(5, 0x1234), VMR_POWER_OFF(), VMR_EXPECT(5, 0x1234), VMR_ADD(5, 1), VMR_POWER_OFF(),
             VMR_EXPECT(5, 0x1235), VMR_CHECKPOINT(2), VMR_END());

/* One run that halts with a power off. */
static bool run_to_power_off(struct vmr_vp *vp, struct conf_vm *vm)
{
    struct vmr_run_result result;
    enum vmr_status status = vmr_vp_run(vp, NULL, &vm->io, &result);

    if (status == VMR_OK && result.kind == VMR_RUN_HALTED && result.reason == VMR_HALT_POWER_OFF)
        return true;
    conf_fail(vm->conf, __FILE__, __LINE__, "no power off: %s, %s", vmr_status_name(status),
              status ? "" : vmr_halt_reason_name(result.reason));
    return false;
}

/* --- out of order --- */

static void before_a_partition(struct conf *conf)
{
    const struct vmr_hypervisor_handle closed = {.fd = -1};
    const struct vmr_proto_options options = {.host = conf->host}, no_host = {.vp_count = 1};
    const struct vmr_partition_options no_memory = {.memory = NULL};
    struct vmr_partition *partition = NULL;
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_proto_create(&closed, &options, &proto, &err) == VMR_E_STATE && !proto,
               "a closed handle made a proto partition");
    CONF_CHECK(conf, vmr_proto_create(conf->handle, &no_host, &proto, &err) == VMR_E_USAGE && !proto,
               "no host made a proto partition");
    CONF_CHECK(conf, vmr_proto_build(&proto, &no_memory, &partition, &err) == VMR_E_STATE && !partition,
               "no proto partition made a partition");
    CONF_REQUIRE(conf, vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_proto_build(&proto, &no_memory, &partition, &err) == VMR_E_USAGE && proto && !partition,
               "no memory made a partition");
    CONF_CHECK(conf, strstr(err.message, "memory") != NULL, "memory is not named: %s", err.message);
    vmr_proto_destroy(proto);
    CONF_CHECK(conf, vmr_partition_destroy(NULL) == VMR_OK, "nothing cannot be destroyed");
}

/* With memory that another partition uses; then with its own. */
static void a_failed_build(struct conf *conf)
{
    const struct vmr_proto_options options = {.host = conf->host};
    struct vmr_partition_options wanted = {.memory = NULL};
    struct vmr_partition *partition = NULL;
    struct vmr_memory *memory = NULL;
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_OK, "%s", err.message);
    wanted.memory = vm->memory;
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) != VMR_OK && proto && !partition,
               "one memory for two partitions");
    CONF_CHECK(conf, err.message[0] != '\0', "no word of why");
    conf_vm_destroy(vm);
    CONF_CHECK(conf, vmr_memory_create(conf->host, &memory, &err) == VMR_OK, "%s", err.message);
    wanted.memory = memory;
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_OK && !proto, "not built again: %s",
               err.message);
    CONF_CHECK(conf, vmr_partition_destroy(partition) == VMR_OK, "not destroyed");
    vmr_memory_destroy(memory);
    vmr_proto_destroy(proto);
}

static void check_bound(struct conf *conf, struct conf_vm *vm)
{
    struct vmr_vp *second = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_partition_bind(vm->partition, 0, &second, &err) == VMR_E_STATE && !second,
               "VP 0 was bound twice");
    CONF_CHECK(conf, strstr(err.message, "VP 0") && strstr(err.message, "bound"), "VP and state are not named: %s",
               err.message);
    CONF_CHECK(conf, vmr_partition_bind(vm->partition, 1, &second, &err) == VMR_E_USAGE && !second,
               "a VP that is not there was bound");
    CONF_CHECK(conf, strstr(err.message, "VP 1") != NULL, "the VP is not named: %s", err.message);
    CONF_CHECK(conf, vmr_partition_destroy(vm->partition) == VMR_E_STATE, "destroyed with a bound VP");
    CONF_CHECK(conf, vmr_vp_inject(vm->vps[0], 0x40) == VMR_E_STATE, "injected into a VP that was not ready");
}

static void out_of_order(struct conf *conf)
{
    struct vmr_error err = {.message = ""};
    struct vmr_run_result result;
    struct vmr_x86_regs regs;
    struct conf_vm *vm = conf_vm_create(conf, NULL);

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &end) && conf_bind(vm, 0), "no VM");
    struct vmr_vp *vp = vm->vps[0];

    check_bound(conf, vm);
    CONF_CHECK(conf,
               vmr_partition_attach_irqchip(vm->partition, vmr_irqchip_builtin_ops(), vm->chip, &err) == VMR_E_STATE,
               "interrupt controllers were attached to a bound VP");
    (void)conf_run_to_end(vm, 0);
    conf_unbind(vm, 0);
    CONF_CHECK(conf, vmr_vp_run(vp, NULL, &vm->io, &result) == VMR_E_STATE, "an unbound VP ran");
    CONF_CHECK(conf, vmr_vp_get_regs(vp, &regs) == VMR_E_STATE, "an unbound VP showed its registers");
    CONF_CHECK(conf, vmr_vp_set_debug_state(vp, NULL) == VMR_E_STATE, "an unbound VP is debugged");
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoints, 1, "checkpoints");
}

struct reentering {
    struct conf_vm *vm;
    uint32_t refused;
};

static void run_inside(struct conf_device *device, const struct vmr_access *access, bool write)
{
    struct reentering *reentering = device->user;
    struct conf_vm *vm = reentering->vm;
    struct vmr_exit vp_exit = {0};
    struct vmr_run_result result;

    (void)access;
    (void)write;
    reentering->refused += vmr_vp_run(vm->vps[0], NULL, &vm->io, &result) == VMR_E_STATE;
    reentering->refused += vmr_vp_step(vm->vps[0], &vp_exit) == VMR_E_STATE;
    reentering->refused += vmr_partition_destroy(vm->partition) == VMR_E_STATE;
}

static void run_inside_a_run(struct conf *conf)
{
    CONF_PROGRAM(reads, VMR_IN(0, PORT, 2), VMR_EXPECT(0, 0xbeef), VMR_END());
    struct reentering reentering = {.vm = conf_vm_create(conf, NULL)};
    struct conf_device device = {.answer = 0xbeef, .on_access = run_inside, .user = &reentering};
    struct conf_vm *vm = reentering.vm;

    CONF_REQUIRE(conf, vm && conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, &device), "no device");
    CONF_REQUIRE(conf, conf_load(vm, 0, &reads) && conf_bind(vm, 0) && conf_run_to_end(vm, 0), "the guest failed");
    CONF_CHECK_EQ(conf, reentering.refused, 3, "calls inside a run that were refused");
    CONF_CHECK_EQ(conf, device.reads, 1, "reads");
}

/* --- two threads --- */

struct racer {
    struct conf_vm *vm;
    struct racer *other;
    enum vmr_status status;
    struct vmr_vp *vp;
    struct conf_latch tried;
};

/* The winner keeps the VP until both have tried. */
static void race_to_bind(void *argument)
{
    struct racer *racer = argument;

    racer->status = vmr_partition_bind(racer->vm->partition, 0, &racer->vp, NULL);
    conf_latch_set(&racer->tried);
    (void)conf_latch_wait(racer->vm->conf, &racer->other->tried, "the other to try");
    vmr_vp_unbind(racer->vp);
}

static void two_bind(struct conf *conf)
{
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct racer first = {.vm = vm}, second = {.vm = vm, .other = &first};

    first.other = &second;
    CONF_REQUIRE(conf, vm != NULL, "no VM");
    struct vmr_thread *thread = conf_thread(conf, race_to_bind, &second);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    race_to_bind(&first);
    conf_join(conf, thread);
    CONF_CHECK(conf, (first.status == VMR_OK) != (second.status == VMR_OK), "bound by %s",
               first.status ? "nobody" : "both");
    CONF_CHECK(conf, (first.status ? first.status : second.status) == VMR_E_STATE, "the loser was told: %s",
               vmr_status_name(first.status ? first.status : second.status));
}

static void try_to_run(void *argument)
{
    struct racer *racer = argument;
    struct vmr_run_result result;

    racer->status = VMR_OK;
    if (conf_wait_checkpoint(racer->vm, 0, 1))
        racer->status = vmr_vp_run(racer->vm->vps[0], NULL, &racer->vm->io, &result);
    (void)vmr_partition_kick(racer->vm->partition, 0);
}

static void two_run(struct conf *conf)
{
    CONF_PROGRAM(spins, VMR_CHECKPOINT(1), VMR_SPIN());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct racer racer = {.vm = vm};
    struct vmr_run_result result;

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &spins) && conf_bind(vm, 0), "no VM");
    struct vmr_thread *thread = conf_thread(conf, try_to_run, &racer);

    CONF_REQUIRE(conf, thread && conf_run(vm, 0, NULL, &result), "no run");
    conf_join(conf, thread);
    CONF_CHECK_EQ(conf, result.reason, VMR_HALT_CANCEL, "how the run ended");
    CONF_CHECK(conf, racer.status == VMR_E_STATE, "a second run was told: %s", vmr_status_name(racer.status));
}

/* --- bind again --- */

struct taker {
    struct conf_vm *vm;
    struct vmr_error err;
    enum vmr_status status;
};

static void bind_and_go_on(void *argument)
{
    struct taker *taker = argument;
    struct vmr_vp *vp = NULL;

    taker->status = vmr_partition_bind(taker->vm->partition, 0, &vp, &taker->err);
    if (taker->status == VMR_OK)
        (void)run_to_power_off(vp, taker->vm);
    vmr_vp_unbind(vp);
}

static void bind_again(struct conf *conf)
{
    bool can = vmr_caps_have(&conf->caps, VMR_CAP_REBIND);
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct taker taker = {.vm = vm, .err = {.message = ""}};

    CONF_REQUIRE(conf, vm && conf_load(vm, 0, &in_parts) && conf_bind(vm, 0) && run_to_power_off(vm->vps[0], vm),
                 "no VM");
    conf_unbind(vm, 0);
    struct vmr_thread *thread = conf_thread(conf, bind_and_go_on, &taker);

    CONF_REQUIRE(conf, thread != NULL, "no thread");
    conf_join(conf, thread);
    CONF_CHECK(conf, taker.status == (can ? VMR_OK : VMR_E_UNSUPPORTED), "a second bind: %s",
               vmr_status_name(taker.status));
    if (!can) {
        CONF_CHECK(conf, strstr(taker.err.message, "VP 0") != NULL, "the VP is not named: %s", taker.err.message);
        return;
    }
    CONF_REQUIRE(conf, vmr_partition_bind(vm->partition, 0, &vm->vps[0], &taker.err) == VMR_OK, "a third bind: %s",
                 taker.err.message);
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, vm->reports[0].checkpoint, 2, "the last checkpoint");
}

/* A VM that waits for the answer to its first read. NULL: failed. */
static struct conf_vm *reading_vm(struct conf *conf, struct conf_device *device)
{
    CONF_PROGRAM(two_reads, VMR_SET(0, 5), VMR_IN(0, PORT, 4), VMR_EXPECT(0, 0), VMR_IN(1, PORT, 4),
                 VMR_EXPECT(1, 0x77), VMR_END());
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_exit vp_exit = {0};

    if (!vm || !conf_device_claim(vm, vm->ports, PORT, 8, ALL_SIZES, device) || !conf_load(vm, 0, &two_reads) ||
        !conf_bind(vm, 0))
        return NULL;
    while (vp_exit.kind != VMR_EXIT_IO) {
        if (vmr_vp_step(vm->vps[0], &vp_exit) || conf_over(conf) || vp_exit.kind == VMR_EXIT_FAIL)
            return NULL;
    }
    return vm;
}

/* Where a VP is that has finished its first read. */
static uint64_t behind_the_read(struct conf *conf)
{
    struct conf_device device = {.answer = 0x77};
    struct conf_vm *vm = reading_vm(conf, &device);
    struct vmr_exit vp_exit = {0};
    struct vmr_x86_regs regs = {0};

    CONF_CHECK(conf,
               vm && vmr_vp_step_complete(vm->vps[0], &vp_exit) == VMR_OK &&
                   vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK,
               "the read was not finished");
    conf_vm_destroy(vm);
    return regs.rip;
}

/* An exit that nobody answered: unbinding finishes it with zeros, and leaves no half of it behind. */
static void unbind_finishes(struct conf *conf)
{
    uint64_t behind = behind_the_read(conf);
    struct conf_device device = {.answer = 0x77};
    struct conf_vm *vm = reading_vm(conf, &device);
    struct vmr_x86_regs regs;
    struct vmr_error err;

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    conf_unbind(vm, 0);
    CONF_REQUIRE(conf, vmr_partition_bind(vm->partition, 0, &vm->vps[0], &err) == VMR_OK, "%s", err.message);
    CONF_REQUIRE(conf, vmr_vp_get_regs(vm->vps[0], &regs) == VMR_OK, "no clean point behind an unbind");
    CONF_CHECK_EQ(conf, regs.rip, behind, "where the VP is");
    (void)conf_run_to_end(vm, 0);
    CONF_CHECK_EQ(conf, device.reads, 1, "reads: the second alone");
}

/* --- one after another, and at once --- */

static void one_after_another(struct conf *conf)
{
    CONF_PROGRAM(fresh, VMR_LOAD(0, VMR_PROGRAM_DATA, 8), VMR_EXPECT(0, 0), VMR_STORE(VMR_PROGRAM_DATA, 8, 1),
                 VMR_END());

    for (unsigned i = 0; i < 4 && !conf_failed(conf); i++) {
        struct conf_vm *vm = conf_vm_create(conf, &(struct conf_vm_options){.vps = 1 + i % 2});

        CONF_REQUIRE(conf, vm != NULL, "VM %u was not made", i);
        if (conf_load(vm, 0, &fresh) && conf_bind(vm, 0))
            (void)conf_run_to_end(vm, 0);
        conf_vm_destroy(vm);
    }
}

/* Two VMs take turns on this thread; each goes on where it was. */
static void take_turns(struct conf *conf, struct conf_vm *one, struct conf_vm *other)
{
    struct conf_vm *const vms[2] = {one, other};

    for (unsigned i = 0; i < 2; i++)
        CONF_REQUIRE(conf, vms[i] && conf_load(vms[i], 0, &in_parts) && conf_bind(vms[i], 0), "VM %u is not ready", i);
    for (unsigned turn = 0; turn < 4; turn++)
        CONF_REQUIRE(conf, run_to_power_off(vms[turn % 2]->vps[0], vms[turn % 2]), "turn %u", turn);
    for (unsigned i = 0; i < 2; i++) {
        (void)conf_run_to_end(vms[i], 0);
        CONF_CHECK_EQ(conf, vms[i]->reports[0].checkpoint, 2, "the last checkpoint");
    }
}

static void two_at_once(struct conf *conf)
{
    const struct vmr_proto_options options = {.host = conf->host};
    struct conf_vm *vm = conf_vm_create(conf, NULL);
    struct vmr_partition_options wanted = {.memory = NULL};
    struct vmr_partition *partition = NULL;
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};

    CONF_REQUIRE(conf, vm != NULL, "no VM");
    if (vmr_caps_have(&conf->caps, VMR_CAP_MULTI_VM)) {
        take_turns(conf, vm, conf_vm_create(conf, NULL));
        return;
    }
    CONF_REQUIRE(conf,
                 vmr_memory_create(conf->host, &wanted.memory, &err) == VMR_OK &&
                     vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_OK,
                 "%s", err.message);
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_E_UNSUPPORTED && !partition,
               "a second VM was made where there can be one");
    conf_vm_destroy(vm);
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_OK, "not even afterwards: %s",
               err.message);
    CONF_CHECK(conf, vmr_partition_destroy(partition) == VMR_OK, "not destroyed");
    vmr_proto_destroy(proto);
    vmr_memory_destroy(wanted.memory);
}

static void two_backends(struct conf *conf)
{
    struct vmr_backend_set set;
    struct vmr_hypervisor_handle handle = {.fd = -1};
    struct vmr_error err = {.message = ""};
    struct conf other = *conf;

    vmr_backend_set_init(&set);
    CONF_REQUIRE(conf,
                 vmr_probe_named(&set, "mock:profile=mshv-like", &handle, &err) == VMR_OK &&
                     handle.backend->caps(&handle, &other.caps, &err) == VMR_OK,
                 "%s", err.message);
    other.handle = &handle;
    other.is_mock = true;
    struct conf_vm *mine = conf_vm_create(conf, NULL), *mocks = conf_vm_create(&other, NULL);

    take_turns(conf, mine, mocks);
    if (mine)
        CONF_CHECK(conf, !vmr_partition_native(mine->partition, vmr_mock_backend()) || conf->is_mock,
                   "another backend's partition was taken for the mock's");
    conf_vm_destroy(mocks);
    conf_vm_destroy(mine);
    vmr_handle_close(&handle);
}

/* --- limits --- */

static void too_much(struct conf *conf)
{
    struct vmr_cpuid_entry entries[2] = {{.leaf = 0x40000000}, {.leaf = 0x40000001}};
    struct vmr_proto_options options = {.host = conf->host, .vp_count = conf->caps.vp_count_max + 1};
    struct vmr_partition_options wanted = {.cpuid = entries, .cpuid_count = 0};
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {.message = ""};

    CONF_CHECK(conf, vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_E_CONFIG && !proto,
               "%u VPs were taken", options.vp_count);
    CONF_CHECK(conf, strstr(err.message, "vp_count") != NULL, "the field is not named: %s", err.message);
    options.vp_count = UINT32_MAX;
    CONF_CHECK(conf, vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_E_CONFIG && !proto,
               "%u VPs were taken", options.vp_count);
    options.vp_count = 0;
    CONF_REQUIRE(conf, vmr_proto_create(conf->handle, &options, &proto, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK(conf, vmr_memory_create(conf->host, &wanted.memory, &err) == VMR_OK, "%s", err.message);
    struct vmr_cpuid_entry many[VMR_CPUID_LEAF_MAX + 1] = {{0}};
    struct vmr_partition *partition = NULL;

    for (uint32_t i = 0; i <= VMR_CPUID_LEAF_MAX; i++)
        many[i].leaf = 0x50000000 + i;
    wanted.cpuid = many;
    wanted.cpuid_count = VMR_CPUID_LEAF_MAX + 1;
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_E_CONFIG && proto && !partition,
               "%zu CPUID entries were taken", wanted.cpuid_count);
    CONF_CHECK(conf, strstr(err.message, "cpuid") != NULL, "the field is not named: %s", err.message);
    wanted.cpuid_count = 0;
    CONF_CHECK(conf, vmr_proto_build(&proto, &wanted, &partition, &err) == VMR_OK, "%s", err.message);
    if (partition)
        CONF_CHECK_EQ(conf, vmr_partition_vp_count(partition), 1, "VPs of a partition that asked for none");
    CONF_CHECK(conf, vmr_partition_destroy(partition) == VMR_OK, "not destroyed");
    vmr_proto_destroy(proto);
    vmr_memory_destroy(wanted.memory);
}

static const struct conf_scenario scenarios[] = {
    {.name = "nothing_is_made_of_what_is_missing",
     .family = "lifecycle",
     .clauses = "LIFE-1 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = before_a_partition},
    {.name = "a_failed_build_can_be_tried_again",
     .family = "lifecycle",
     .clauses = "LIFE-1 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = a_failed_build},
    {.name = "calls_out_of_order_are_refused_and_change_nothing",
     .family = "lifecycle",
     .clauses = "LIFE-1 LIFE-2 LIFE-5 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = out_of_order},
    {.name = "a_vp_does_not_run_inside_its_own_run",
     .family = "lifecycle",
     .clauses = "LIFE-2 LIFE-5",
     .chip = CONF_CHIP_ANY,
     .run = run_inside_a_run},
    {.name = "of_two_threads_that_bind_a_vp_one_is_refused",
     .family = "lifecycle",
     .clauses = "LIFE-2",
     .flags = CONF_EXPLORE,
     .chip = CONF_CHIP_ANY,
     .run = two_bind},
    {.name = "of_two_threads_that_run_a_vp_one_is_refused",
     .family = "lifecycle",
     .clauses = "LIFE-2 RUN-10",
     .chip = CONF_CHIP_ANY,
     .run = two_run},
    {.name = "a_vp_bound_again_on_another_thread_goes_on",
     .family = "lifecycle",
     .ids = "S21",
     .clauses = "LIFE-6 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = bind_again},
    {.name = "unbinding_finishes_an_exit_that_nobody_answered",
     .family = "lifecycle",
     .clauses = "LIFE-7 EXIT-6",
     .needs = CONF_CAP(REBIND),
     .chip = CONF_CHIP_ANY,
     .run = unbind_finishes},
    {.name = "a_destroyed_vm_leaves_room_for_the_next",
     .family = "lifecycle",
     .ids = "S21",
     .clauses = "LIFE-5",
     .chip = CONF_CHIP_ANY,
     .run = one_after_another},
    {.name = "two_vms_at_once_keep_apart_or_are_refused",
     .family = "lifecycle",
     .clauses = "LIFE-5 ERR-1",
     .chip = CONF_CHIP_ANY,
     .run = two_at_once},
    {.name = "two_backends_live_in_one_process",
     .family = "lifecycle",
     .clauses = "LIFE-5 PROG-1",
     .chip = CONF_CHIP_ANY,
     .run = two_backends},
    {.name = "counts_above_the_limits_are_refused_by_name",
     .family = "lifecycle",
     .clauses = "LIM-1 ERR-1 ERR-2",
     .chip = CONF_CHIP_ANY,
     .run = too_much},
};

CONF_FAMILY(lifecycle, scenarios);
