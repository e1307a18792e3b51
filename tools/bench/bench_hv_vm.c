/* SPDX-License-Identifier: MIT */
/*
 * The VM of the Hyper-V benchmarks. What the guest sends ends in a port that
 * counts down, reads the clock at the first and the last, and stops the run.
 */

#include "tools/bench/bench_hv.h"

#define OS_ID UINT64_C(0x8100000000000001)
#define CODE_PAGE VMR_PROGRAM_DATA
#define INPUT (VMR_PROGRAM_DATA + 0x1000u)
#define SIMP (VMR_PROGRAM_DATA + 0x2000u)
#define MONITOR (VMR_PROGRAM_DATA + 0x3000u)
#define APIC_SPURIOUS (VMR_LAPIC_GPA + 0xf0u)
#define APIC_ENABLE 0x1ffu
#define SINT 2u
#define VECTOR 0x51u
#define SLOT (SIMP + SINT * HV_MESSAGE_BYTES)
#define TYPE 1u

#define OPEN() VMR_WRMSR(HV_MSR_GUEST_OS_ID, OS_ID), VMR_WRMSR(HV_MSR_HYPERCALL, CODE_PAGE | 1u)

static const struct vmr_step signals[] = {
    OPEN(),        VMR_SET(0, BENCH_HV_CONNECTION),
    VMR_SET(1, 0), VMR_HV_CALL(6, CODE_PAGE, HV_CALL_SIGNAL_EVENT | HV_CONTROL_FAST),
    VMR_JUMP(4),
};
static const struct vmr_step posts[] = {
    OPEN(),
    VMR_STORE(INPUT, 8, BENCH_HV_CONNECTION),
    VMR_STORE(INPUT + 8, 8, TYPE | UINT64_C(16) << 32), /* 16 bytes of payload */
    VMR_SET(0, INPUT),
    VMR_SET(1, 0),
    VMR_HV_CALL(6, CODE_PAGE, HV_CALL_POST_MESSAGE),
    VMR_JUMP(6),
};
static const struct vmr_step triggers[] = {VMR_STORE(MONITOR + HV_MONITOR_GROUPS_OFFSET, 4, 1), VMR_JUMP(0)};
static const struct vmr_step waits[] = {
    VMR_STORE(APIC_SPURIOUS, 4, APIC_ENABLE),
    VMR_WRMSR(HV_MSR_GUEST_OS_ID, OS_ID),
    VMR_WRMSR(HV_MSR_SIMP, SIMP | 1u),
    VMR_WRMSR(HV_MSR_SINT0 + SINT, VECTOR),
    VMR_WRMSR(HV_MSR_SCONTROL, 1),
    VMR_STI(),
    VMR_SPIN_UNTIL(SLOT, 4, TYPE),
    VMR_STORE(SLOT, 4, 0),
    VMR_WRMSR(HV_MSR_EOM, 0),
    VMR_JUMP(6),
};

#define PROGRAM(title, list)                                                                                           \
    {                                                                                                                  \
        .name = (title), .steps = (list), .count = sizeof(list) / sizeof((list)[0])                                    \
    }

static const struct vmr_program programs[BENCH_HV_GUEST_COUNT] = {
    [BENCH_HV_SIGNAL] = PROGRAM("signals", signals),
    [BENCH_HV_POST] = PROGRAM("posts", posts),
    [BENCH_HV_MONITOR] = PROGRAM("triggers", triggers),
    [BENCH_HV_WAIT] = {.name = "waits",
                       .steps = waits,
                       .count = sizeof(waits) / sizeof(waits[0]),
                       .eoi = VMR_EOI_XAPIC},
};

/* --- what the guest sends --- */

static void count(struct bench_hv_vm *vm)
{
    if (--vm->left != 0)
        return;
    if (vm->begin_ns == 0) {
        vm->begin_ns = bench_now_ns();
        vm->left = vm->timed;
        return;
    }
    vm->end_ns = bench_now_ns();
    vmr_stop_set(vm->stop);
}

static void count_signal(void *context, uint16_t flag)
{
    (void)flag;
    count(context);
}

static bool count_post(void *context, const void *payload, size_t length, bool trusted)
{
    (void)payload, (void)length, (void)trusted;
    count(context);
    return true;
}

static enum vmr_status add_port(struct bench_hv_vm *vm, enum bench_hv_guest guest, struct vmr_error *err)
{
    const struct vmr_message_port messages = {.connection_id = BENCH_HV_CONNECTION, .post = count_post, .context = vm};
    const struct vmr_event_port events = {.connection_id = BENCH_HV_CONNECTION,
                                          .has_monitor = guest == BENCH_HV_MONITOR,
                                          .signal = count_signal,
                                          .context = vm};
    const vmr_gpa page = MONITOR;

    if (guest == BENCH_HV_WAIT)
        return VMR_OK;
    if (guest == BENCH_HV_POST)
        return vmr_synic_message_port_add(vm->synic, &messages, &vm->port, err);
    enum vmr_status status = vmr_synic_event_port_add(vm->synic, &events, &vm->port, err);

    return status || guest != BENCH_HV_MONITOR ? status : vmr_synic_monitor_set_page(vm->synic, 0, &page, err);
}

/* --- the VM --- */

static enum vmr_status build_partition(struct bench_hv_vm *vm, struct vmr_error *err)
{
    static const struct vmr_hv_config everything = {.offload_enlightenments = true};
    const struct vmr_memory_region ram = {.size = VMR_PROGRAM_RAM_MIN};
    const struct vmr_proto_options options = {.host = &vm->host, .hv = &everything};
    struct vmr_proto *proto = NULL;
    enum vmr_status status = vmr_memory_create(&vm->host, &vm->memory, err);

    if (!status)
        status = vmr_memory_region_add(vm->memory, &ram, err);
    if (!status)
        status = vmr_bus_create(&vm->host, VMR_BUS_PORTS, &vm->ports, err);
    if (!status)
        status = vmr_bus_create(&vm->host, VMR_BUS_MMIO, &vm->mmio, err);
    if (!status)
        status = vmr_proto_create(&vm->handle, &options, &proto, err);
    if (!status)
        status = vmr_proto_build(&proto, &(struct vmr_partition_options){.memory = vm->memory}, &vm->partition, err);
    vmr_proto_destroy(proto);
    return status;
}

static enum vmr_status attach_chip(struct bench_hv_vm *vm, struct vmr_error *err)
{
    const struct vmr_irqchip_options options = {.host = &vm->host, .vp_count = 1};
    enum vmr_status status = vmr_irqchip_create(&options, vm->ports, vm->mmio, &vm->chip, err);

    return status ? status : vmr_partition_attach_irqchip(vm->partition, vmr_irqchip_builtin_ops(), vm->chip, err);
}

static enum vmr_status build(struct bench_hv_vm *vm, enum bench_hv_guest guest, struct vmr_error *err)
{
    enum vmr_status status = build_partition(vm, err);

    if (!status)
        status = attach_chip(vm, err);
    if (!status)
        status = vmr_partition_bind(vm->partition, 0, &vm->vp, err);
    if (!status)
        status = bench_load_program(vm->partition, vm->vp, &programs[guest], err);
    if (status)
        return status;
    vm->synic = vmr_hv_guest_synic(vmr_partition_hv(vm->partition));
    vm->io = (struct vmr_vp_io){.ports = vm->ports, .mmio = vm->mmio};
    return add_port(vm, guest, err);
}

bool bench_hv_create(struct bench_hv_vm *vm, const char *spec, enum bench_hv_guest guest, bool *ret_unavailable)
{
    struct vmr_backend_set set;
    struct vmr_error err = {0};

    *vm = (struct bench_hv_vm){.handle = {.fd = -1}};
    vmr_host_posix(&vm->host, NULL);
    vmr_backend_set_init(&set);
    enum vmr_status status = vmr_probe_named(&set, spec, &vm->handle, &err);

    *ret_unavailable = status == VMR_E_UNAVAILABLE || status == VMR_E_HOST;
    if (*ret_unavailable)
        bench_skip(spec, err.message);
    if (!status)
        status = build(vm, guest, &err);
    if (!status)
        return true;
    bench_hv_destroy(vm);
    return *ret_unavailable ? false : bench_failed(spec, status, &err);
}

void bench_hv_destroy(struct bench_hv_vm *vm)
{
    vmr_synic_port_remove(vm->port);
    vmr_vp_unbind(vm->vp);

    /* No VP is bound any more, so it cannot be refused. */
    enum vmr_status status = vmr_partition_destroy(vm->partition);

    (void)status;
    vmr_irqchip_destroy(vm->chip);
    vmr_bus_destroy(vm->mmio);
    vmr_bus_destroy(vm->ports);
    vmr_memory_destroy(vm->memory);
    vmr_handle_close(&vm->handle);
    *vm = (struct bench_hv_vm){.handle = {.fd = -1}};
}

double bench_hv_run(struct bench_hv_vm *vm, uint64_t count_timed)
{
    struct vmr_run_result result = {0};

    if (vmr_stop_create(&vm->host, &vm->stop))
        return -1;
    vm->left = 1;
    vm->timed = count_timed;
    vm->begin_ns = vm->end_ns = 0;
    enum vmr_status status = vmr_vp_run(vm->vp, vm->stop, &vm->io, &result);

    vmr_stop_destroy(vm->stop);
    vm->stop = NULL;
    if (status || result.reason != VMR_HALT_STOP || vm->end_ns == 0)
        return -1;
    return (double)(vm->end_ns - vm->begin_ns) / (double)count_timed;
}

/* --- messages to the guest --- */

static uint32_t read32(const struct bench_hv_vm *vm, vmr_gpa gpa)
{
    uint8_t bytes[4] = {0};

    if (vmr_memory_read(vm->memory, gpa, bytes, sizeof(bytes)))
        return 0;
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t bench_hv_handled(const struct bench_hv_vm *vm)
{
    return read32(vm, VMR_PROGRAM_COUNTS + VECTOR * 4u);
}

bool bench_hv_slot_is_free(const struct bench_hv_vm *vm)
{
    return read32(vm, SLOT) == 0;
}

enum vmr_status bench_hv_post(struct bench_hv_vm *vm)
{
    const struct vmr_synic_target target = {.sint = SINT};
    const struct vmr_synic_message message = {.type = TYPE, .payload = "", .length = 1};

    return vmr_synic_post_message(vm->synic, &target, &message);
}
