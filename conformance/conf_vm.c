/* SPDX-License-Identifier: MIT */
/*
 * The small VM of a scenario: RAM at 0, two buses, the program ports, a
 * partition, and interrupt controllers where the handle wants the library's.
 * Running it is in conf_run.c.
 */

#include "conformance/harness.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/x86_64/image.h"

#define PROGRAM_PORTS 0x10u

static bool fail(struct conf *conf, const char *what, const struct vmr_error *err)
{
    conf_fail(conf, __FILE__, __LINE__, "%s: %s", what, err->message);
    return false;
}

/* --- the program ports --- */

static void checkpoint(struct conf_vm_state *state, vmr_vp_index vp, uint32_t number)
{
    struct conf_state *judge = state->vm.conf->state;

    pthread_mutex_lock(&judge->lock);
    state->vm.reports[vp].checkpoint = number;
    state->vm.reports[vp].checkpoints++;
    pthread_mutex_unlock(&judge->lock);
    if (state->vm.on_checkpoint)
        state->vm.on_checkpoint(&state->vm, vp, number);
}

/* Step, low half, high half. */
static void mismatch(struct conf_vm_state *state, const struct vmr_access *access, uint32_t word)
{
    vmr_vp_index vp = access->vp;
    struct conf_report *report = &state->vm.reports[vp];

    switch (state->mismatch_words[vp]++) {
    case 0:
        report->mismatch_step = word;
        report->mismatch_vtl = access->vtl;
        break;
    case 1:
        report->mismatch_value = word;
        break;
    default:
        report->mismatch_value |= (uint64_t)word << 32;
        report->mismatch = true;
    }
}

static void program_port_write(void *context, const struct vmr_access *access, uint64_t value)
{
    struct conf_vm_state *state = context;
    vmr_vp_index vp = access->vp;

    if (vp >= CONF_VP_MAX)
        return;
    switch (access->address) {
    case VMR_PROGRAM_PORT_CHECKPOINT:
        checkpoint(state, vp, (uint32_t)value);
        return;
    case VMR_PROGRAM_PORT_MISMATCH:
        mismatch(state, access, (uint32_t)value);
        return;
    case VMR_PROGRAM_PORT_END:
        state->vm.reports[vp].ended = true;
        state->halts[vp] = VMR_HALT_POWER_OFF;
        return;
    case VMR_PROGRAM_PORT_POWER:
        state->halts[vp] = value == 2 ? VMR_HALT_RESET : VMR_HALT_POWER_OFF;
        return;
    default:
        return;
    }
}

static uint64_t program_port_read(void *context, const struct vmr_access *access)
{
    (void)context;
    (void)access;
    return UINT64_MAX;
}

static const struct vmr_device_ops program_ports = {.read = program_port_read, .write = program_port_write};

/* --- the callbacks of a run: the scenario's, with its context; and the program's own halts --- */

static enum vmr_exit_action chain_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                       enum vmr_halt_reason *ret_reason)
{
    const struct vmr_vp_io *io = &((struct conf_vm_state *)context)->scenario_io;

    return io->exit(io->context, vp, vp_exit, ret_reason);
}

static enum vmr_msr_result chain_msr_read(void *context, struct vmr_vp *vp, uint32_t index, uint64_t *ret_value)
{
    const struct vmr_vp_io *io = &((struct conf_vm_state *)context)->scenario_io;

    return io->msr_read(io->context, vp, index, ret_value);
}

static enum vmr_msr_result chain_msr_write(void *context, struct vmr_vp *vp, uint32_t index, uint64_t value)
{
    const struct vmr_vp_io *io = &((struct conf_vm_state *)context)->scenario_io;

    return io->msr_write(io->context, vp, index, value);
}

static enum vmr_halt_reason chain_halt_requested(void *context, vmr_vp_index vp)
{
    struct conf_vm_state *state = context;
    const struct vmr_vp_io *io = &state->scenario_io;
    enum vmr_halt_reason reason = io->halt_requested ? io->halt_requested(io->context, vp) : VMR_HALT_NONE;

    if (reason == VMR_HALT_NONE && vp < CONF_VP_MAX) {
        reason = state->halts[vp];
        state->halts[vp] = VMR_HALT_NONE;
    }
    return reason;
}

static void chain_fatal(void *context, vmr_vp_index vp, const struct vmr_exit *vp_exit)
{
    const struct vmr_vp_io *io = &((struct conf_vm_state *)context)->scenario_io;

    io->fatal(io->context, vp, vp_exit);
}

static void chain_callbacks(struct conf_vm_state *state, const struct vmr_vp_io *io)
{
    state->scenario_io = *io;
    state->vm.io = (struct vmr_vp_io){
        .ports = state->vm.ports,
        .mmio = state->vm.mmio,
        .exit = io->exit ? chain_exit : NULL,
        .msr_read = io->msr_read ? chain_msr_read : NULL,
        .msr_write = io->msr_write ? chain_msr_write : NULL,
        .halt_requested = chain_halt_requested,
        .fatal = io->fatal ? chain_fatal : NULL,
        .context = state,
    };
}

/* --- building --- */

static bool build_memory(struct conf_vm *vm, const struct conf_vm_options *options)
{
    const struct vmr_host *host = vm->conf->host;
    const struct vmr_memory_region ram = {.size = options->ram_size ? options->ram_size : VMR_PROGRAM_RAM_MIN};
    const struct vmr_bus_range range = {.name = "the program ports",
                                        .start = VMR_PROGRAM_PORT_CHECKPOINT,
                                        .length = PROGRAM_PORTS,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4,
                                        .ops = &program_ports,
                                        .device = vm->state};
    struct vmr_error err;

    if (vmr_memory_create(host, &vm->memory, &err) || vmr_memory_region_add(vm->memory, &ram, &err))
        return fail(vm->conf, "RAM", &err);
    if (vmr_bus_create(host, VMR_BUS_PORTS, &vm->ports, &err) || vmr_bus_create(host, VMR_BUS_MMIO, &vm->mmio, &err))
        return fail(vm->conf, "buses", &err);
    if (vmr_bus_claim(vm->ports, &range, &err))
        return fail(vm->conf, "program ports", &err);
    return true;
}

static bool build_partition(struct conf_vm *vm, const struct conf_vm_options *options)
{
    struct vmr_hv_config hv = options->hv ? *options->hv : (struct vmr_hv_config){0};
    const struct vmr_proto_options proto_options = {
        .host = vm->conf->host, .vp_count = vm->vp_count, .hv = options->hv ? &hv : NULL};
    const struct vmr_partition_options partition_options = {.memory = vm->memory,
                                                            .cpuid = options->cpuid,
                                                            .cpuid_count = options->cpuid_count,
                                                            .msr_exits = options->msr_exits,
                                                            .msr_exit_count = options->msr_exit_count,
                                                            .vtl0_alias_map = options->vtl0_alias_map};
    struct vmr_proto *proto;
    struct vmr_error err;

    hv.offload_enlightenments = !options->hv_in_library;
    if (vmr_proto_create(vm->conf->handle, &proto_options, &proto, &err))
        return fail(vm->conf, "proto partition", &err);
    if (vmr_proto_build(&proto, &partition_options, &vm->partition, &err)) {
        vmr_proto_destroy(proto);
        return fail(vm->conf, "partition", &err);
    }
    return true;
}

static bool build_chip(struct conf_vm *vm)
{
    enum vmr_irqchip where = vm->conf->handle->irqchip;
    const struct vmr_irqchip_options options = {
        .host = vm->conf->host, .vp_count = vm->vp_count, .split = where == VMR_IRQCHIP_SPLIT};
    struct vmr_error err;

    if (where == VMR_IRQCHIP_KERNEL)
        return true;
    if (vmr_irqchip_create(&options, vm->ports, vm->mmio, &vm->chip, &err))
        return fail(vm->conf, "interrupt controllers", &err);
    if (vmr_partition_attach_irqchip(vm->partition, vmr_irqchip_builtin_ops(), vm->chip, &err))
        return fail(vm->conf, "attaching the interrupt controllers", &err);
    return true;
}

/* Once the partition is there: kicks go to VMs in this list. */
static void link_vm(struct conf_state *judge, struct conf_vm_state *state)
{
    pthread_mutex_lock(&judge->lock);
    state->next = judge->vms;
    judge->vms = state;
    pthread_mutex_unlock(&judge->lock);
}

static void unlink_vm(struct conf_state *judge, struct conf_vm_state *state)
{
    pthread_mutex_lock(&judge->lock);
    for (struct conf_vm_state **link = &judge->vms; *link; link = &(*link)->next) {
        if (*link == state) {
            *link = state->next;
            break;
        }
    }
    pthread_mutex_unlock(&judge->lock);
}

static void free_vm(struct conf_vm_state *state)
{
    struct conf_vm *vm = &state->vm;

    vmr_irqchip_destroy(vm->chip);
    vmr_bus_destroy(vm->mmio);
    vmr_bus_destroy(vm->ports);
    vmr_memory_destroy(vm->memory);
    conf_claims_destroy(state->claims);
    conf_origin_destroy(state->origin);
    free(state);
}

struct conf_vm *conf_vm_create(struct conf *conf, const struct conf_vm_options *options)
{
    static const struct conf_vm_options none;
    struct conf_vm_state *state = calloc(1, sizeof(*state));

    if (!options)
        options = &none;
    uint32_t vps = options->vps ? options->vps : 1;

    if (!state || vps > CONF_VP_MAX) {
        conf_fail(conf, __FILE__, __LINE__, "a VM of %u VPs: %s", vps, state ? "too many" : "out of memory");
        free(state);
        return NULL;
    }
    state->vm = (struct conf_vm){.conf = conf, .vp_count = vps, .state = state};
    bool wants_chip = !options->without_chip && conf->scenario->chip != CONF_CHIP_NONE;

    state->origin = conf_origin_create(options, wants_chip);
    if (!state->origin || !build_memory(&state->vm, options) || !build_partition(&state->vm, options) ||
        (wants_chip && !build_chip(&state->vm))) {
        if (vmr_partition_destroy(state->vm.partition) == VMR_OK)
            free_vm(state);
        return NULL;
    }
    chain_callbacks(state, &options->io);
    link_vm(conf->state, state);
    return &state->vm;
}

void conf_vm_destroy(struct conf_vm *vm)
{
    if (!vm)
        return;
    struct conf *conf = vm->conf;

    unlink_vm(conf->state, vm->state);
    for (vmr_vp_index vp = 0; vp < vm->vp_count; vp++)
        conf_unbind(vm, vp);
    if (vmr_partition_destroy(vm->partition) != VMR_OK) {
        /* Somebody still uses a VP: what they use stays. */
        conf_fail(conf, __FILE__, __LINE__, "a VP is still bound at the end");
        return;
    }
    free_vm(vm->state);
}

/* --- programs --- */

static enum vmr_status load_machine_code(struct conf_vm *vm, vmr_vp_index vp, const struct vmr_program *program,
                                         struct vmr_error *err)
{
    if (!vm->state->image_is_written) {
        enum vmr_status status = image_write_common(vm->memory);

        if (status)
            return vmr_error_set(err, status, "the image's tables: the low %#x bytes are not all RAM", VMR_PROGRAM_END);
        vm->state->image_is_written = true;
    }
    return image_write_program(vm->memory, vp, program, err);
}

bool conf_cpuid(struct conf *conf, uint32_t leaf, uint32_t subleaf, struct vmr_cpuid_entry *ret_entry)
{
    const struct vmr_proto_options options = {.host = conf->host};
    struct vmr_proto *proto = NULL;
    bool created = vmr_proto_create(conf->handle, &options, &proto, NULL) == VMR_OK;

    CONF_CHECK(conf, created, "no proto partition");
    if (created)
        vmr_proto_cpuid(proto, leaf, subleaf, ret_entry);
    vmr_proto_destroy(proto);
    return created;
}

bool conf_load(struct conf_vm *vm, vmr_vp_index vp, const struct vmr_program *program)
{
    struct vmr_mock *mock = conf_mock(vm);
    struct vmr_error err = {.message = ""};
    enum vmr_status status;

    if (vp >= vm->vp_count) {
        conf_fail(vm->conf, __FILE__, __LINE__, "a program for VP %u, there are %u", vp, vm->vp_count);
        return false;
    }
    if (vmr_caps_have(&vm->conf->caps, VMR_CAP_MACHINE_CODE))
        status = load_machine_code(vm, vp, program, &err);
    else if (mock)
        status = vmr_mock_load_program(mock, vp, program, &err);
    else
        status = vmr_error_set(&err, VMR_E_UNSUPPORTED, "the backend runs neither machine code nor programs");
    if (status)
        return fail(vm->conf, "loading a program", &err);
    vm->state->programs[vp] = program;
    vm->state->halts[vp] = VMR_HALT_NONE;
    vm->state->mismatch_words[vp] = 0;
    vm->reports[vp] = (struct conf_report){0};
    return true;
}

bool conf_load_vtl(struct conf_vm *vm, vmr_vp_index vp, uint8_t vtl, const struct vmr_program *program)
{
    struct vmr_mock *mock = conf_mock(vm);
    struct vmr_error err = {.message = "VTLs run programs on the mock only"};

    if (vp >= vm->vp_count || vtl >= VMR_VTL_COUNT || !mock || vmr_mock_load_vtl_program(mock, vp, vtl, program, &err))
        return fail(vm->conf, "loading a VTL's program", &err);
    vm->state->vtl_programs[vp][vtl] = program;
    return true;
}

struct vmr_mock *conf_mock(struct conf_vm *vm)
{
    return vm->conf->is_mock ? vmr_mock_of(vm->partition) : NULL;
}
