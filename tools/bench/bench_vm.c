/* SPDX-License-Identifier: MIT */
/*
 * The VM that the loop benchmarks run: one port, one device that counts down
 * and stops the run. On the mock the exits come from a source as cheap as it can
 * be, so that what is measured is the library.
 */

#include <string.h>

#include "tools/bench/bench.h"
#include "vmrig/trace.h"

const uint8_t bench_guest_out[4] = {0xe6, BENCH_PORT, 0xeb, 0xfc};
const uint8_t bench_guest_spin[2] = {0xeb, 0xfe};

static const struct vmr_step spin_steps[] = {VMR_SPIN(), VMR_END()};
static const struct vmr_program spin_program = {.name = "spin", .steps = spin_steps, .count = 2};

static uint64_t count_read(void *device, const struct vmr_access *access)
{
    (void)device;
    (void)access;
    return 0;
}

/* The clock runs from the first exit to the last: entering and leaving vmr_vp_run are no exit's cost. */
static void count_down(struct bench_vm *vm)
{
    if (vm->begin_ns == 0) {
        vm->begin_ns = bench_now_ns();
        vm->left = vm->timed;
        return;
    }
    vm->end_ns = bench_now_ns();
    vmr_stop_set(vm->stop);
}

static void count_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct bench_vm *vm = device;

    (void)access;
    (void)value;
    if (--vm->left == 0)
        count_down(vm);
}

static const struct vmr_device_ops count_ops = {.read = count_read, .write = count_write};

static void next_out(void *context, vmr_vp_index vp, struct vmr_exit *vp_exit)
{
    (void)context;
    (void)vp;
    vp_exit->kind = VMR_EXIT_IO;
    vp_exit->u.io = (struct vmr_exit_io){.port = BENCH_PORT, .size = 1, .direction = VMR_WRITE, .count = 1};
}

static const struct vmr_mock_source out_source = {.next = next_out};

static enum vmr_status count_bytes(void *context, const void *bytes, size_t length)
{
    struct bench_vm *vm = context;

    if (vm->kept && length > vm->kept_capacity - vm->recorded_bytes)
        return VMR_E_NOMEM;
    if (vm->kept)
        memcpy(vm->kept + vm->recorded_bytes, bytes, length);
    vm->recorded_bytes += length;
    return VMR_OK;
}

/* The library stopped where the recorded one did: nothing is left to play. */
static void end_of_replay(void *context)
{
    struct bench_vm *vm = context;

    if (vm->stop)
        vmr_stop_set(vm->stop);
}

static void stop_of_replay(void *context, vmr_vp_index vp)
{
    (void)vp;
    end_of_replay(context);
}

static enum vmr_status open_replay(struct bench_vm *vm, const struct bench_vm_options *options, struct vmr_error *err)
{
    const struct vmr_replay_options replaying = {.stop = stop_of_replay, .end = end_of_replay, .context = vm};
    struct vmr_trace_source source;

    vm->replayed = (struct vmr_trace_memory){.bytes = options->replayed, .length = options->replayed_length};
    vmr_trace_source_memory(&vm->replayed, &source);
    enum vmr_status status = vmr_replay_create(&source, &replaying, &vm->replay, err);

    return status ? status : vmr_replay_attach(vm->replay, &vm->inner_host, &vm->handle, &vm->host, err);
}

static enum vmr_status open_handle(struct bench_vm *vm, const struct bench_vm_options *options, struct vmr_error *err)
{
    struct vmr_backend_set set;

    vmr_host_posix(&vm->inner_host, NULL);
    vm->host = vm->inner_host;
    if (options->replayed)
        return open_replay(vm, options, err);
    vmr_backend_set_init(&set);
    enum vmr_status status = vmr_probe_named(&set, options->spec, &vm->opened, err);

    vm->handle = vm->opened;
    if (status || !options->record)
        return status;
    const struct vmr_recorder_options recording = {.sink = {.write = count_bytes, .context = vm}};

    status = vmr_recorder_create(&recording, &vm->recorder, err);
    return status ? status : vmr_recorder_wrap(vm->recorder, &vm->opened, &vm->inner_host, &vm->handle, &vm->host, err);
}

static enum vmr_status build(struct bench_vm *vm, const struct bench_vm_options *options, struct vmr_error *err)
{
    const struct vmr_memory_region ram = {.size = BENCH_RAM_BYTES};
    const struct vmr_bus_range range = {
        .name = "counter", .start = BENCH_PORT, .length = 1, .ops = &count_ops, .device = vm};
    const struct vmr_proto_options proto_options = {.host = &vm->host, .vp_count = options->vps};
    struct vmr_proto *proto = NULL;
    enum vmr_status status = vmr_memory_create(&vm->host, &vm->memory, err);

    if (!status)
        status = vmr_memory_region_add(vm->memory, &ram, err);
    if (!status)
        status = vmr_bus_create(&vm->host, VMR_BUS_PORTS, &vm->ports, err);
    if (!status)
        status = vmr_bus_claim(vm->ports, &range, err);
    if (!status)
        status = vmr_proto_create(&vm->handle, &proto_options, &proto, err);
    if (!status)
        status = vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = vm->memory}, &vm->partition, err);
    vmr_proto_destroy(proto);
    for (vmr_vp_index vp = 0; !status && (vp == 0 || (options->bind_all && vp < options->vps)); vp++)
        status = vmr_partition_bind(vm->partition, vp, &vm->vps[vp], err);
    vm->vp = vm->vps[0];
    return status;
}

/* The guest as machine code. A replay repeats it: what the embedder writes is part of the recording. */
static enum vmr_status load_code(struct bench_vm *vm, bool spin)
{
    struct vmr_x86_regs regs;
    enum vmr_status status =
        spin ? vmr_memory_write(vm->memory, BENCH_GUEST_GPA, bench_guest_spin, sizeof(bench_guest_spin))
             : vmr_memory_write(vm->memory, BENCH_GUEST_GPA, bench_guest_out, sizeof(bench_guest_out));

    vmr_x86_regs_sipi(&regs, BENCH_GUEST_GPA >> 12);
    return status ? status : vmr_vp_set_regs(vm->vp, &regs);
}

static enum vmr_status load(struct bench_vm *vm, bool spin, struct vmr_error *err)
{
    struct vmr_mock *mock = vmr_mock_of(vm->partition);

    if (!mock && vm->recorder)
        mock = vmr_recorder_native(vm->recorder, vmr_mock_backend());
    if (!mock)
        return load_code(vm, spin);
    return spin ? vmr_mock_load_program(mock, 0, &spin_program, err) : vmr_mock_load_source(mock, 0, &out_source);
}

bool bench_vm_create(struct bench_vm *vm, const struct bench_vm_options *options, bool *ret_unavailable)
{
    struct vmr_error err = {0};

    *vm = (struct bench_vm){.opened = {.fd = -1}, .kept = options->kept, .kept_capacity = options->kept_capacity};
    *ret_unavailable = false;
    enum vmr_status status = open_handle(vm, options, &err);

    if (status == VMR_E_UNAVAILABLE || status == VMR_E_HOST) {
        *ret_unavailable = true;
        bench_skip(options->spec, err.message);
    }
    if (!status)
        status = build(vm, options, &err);
    if (!status && options->replayed)
        status = options->replayed_code ? load_code(vm, options->spin) : VMR_OK;
    else if (!status)
        status = load(vm, options->spin, &err);
    vm->io = (struct vmr_vp_io){.ports = vm->ports};
    if (!status)
        return true;
    if (!*ret_unavailable)
        (void)bench_failed(options->spec, status, &err);
    bench_vm_destroy(vm);
    return false;
}

enum vmr_status bench_vm_call(void *context, vmr_vp_index vp,
                              enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    const struct bench_vm *vm = context;

    return function(argument, vm->vps[vp]);
}

void bench_vm_destroy(struct bench_vm *vm)
{
    for (vmr_vp_index vp = 0; vp < BENCH_VPS_MAX; vp++)
        vmr_vp_unbind(vm->vps[vp]);

    /* No VP is bound any more, so it cannot be refused. */
    enum vmr_status status = vmr_partition_destroy(vm->partition);

    (void)status;
    vmr_bus_destroy(vm->ports);
    vmr_memory_destroy(vm->memory);
    vmr_recorder_destroy(vm->recorder);
    vmr_replay_destroy(vm->replay);
    vmr_handle_close(&vm->opened);
    *vm = (struct bench_vm){.opened = {.fd = -1}};
}

double bench_vm_run(struct bench_vm *vm, uint64_t exits)
{
    struct vmr_run_result result = {0};

    if (vmr_stop_create(&vm->host, &vm->stop))
        return -1;
    vm->left = 1;
    vm->timed = exits;
    vm->begin_ns = vm->end_ns = 0;
    enum vmr_status status = vmr_vp_run(vm->vp, vm->stop, &vm->io, &result);

    vmr_stop_destroy(vm->stop);
    vm->stop = NULL;
    if (status || result.reason != VMR_HALT_STOP || vm->end_ns == 0)
        return -1;
    return (double)(vm->end_ns - vm->begin_ns) / (double)exits;
}

bool bench_vm_finish_recording(struct bench_vm *vm)
{
    struct vmr_error err = {0};

    /* The recorder wants the partition gone, so that nothing is left to record. */
    vmr_vp_unbind(vm->vp);
    vm->vp = vm->vps[0] = NULL;
    enum vmr_status status = vmr_partition_destroy(vm->partition);

    vm->partition = NULL;
    if (!status)
        status = vmr_recorder_finish(vm->recorder, &err);
    return status == VMR_OK || bench_failed("recording", status, &err);
}
