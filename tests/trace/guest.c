/* SPDX-License-Identifier: MIT */
/*
 * The small machine, and the two ways to run it: see guest.h.
 */

#include "tests/trace/guest.h"

#include "lib/base/bytes.h"

/* --- the device --- */

static uint64_t now(const struct guest *guest)
{
    return guest->host.ops->now_ns(guest->host.context);
}

static uint64_t device_read(void *device, const struct vmr_access *access)
{
    struct guest *guest = device;

    if (access->address == PORT_CLOCK) {
        if (guest->bug == BUG_EXTRA)
            (void)now(guest);
        return now(guest) & 0xffffffff;
    }
    guest->counter++;
    return (guest->counter + (guest->bug == BUG_COUNTER && guest->counter == 5)) & 0xff;
}

static void copy(struct guest *guest, uint64_t gpa)
{
    uint8_t bytes[16], page[VMR_PAGE_SIZE] = {0};
    uint64_t sum = 0, old;

    CHECK_OK(vmr_memory_read(guest->memory, gpa, bytes, sizeof(bytes)));
    for (size_t i = 0; i < sizeof(bytes); i++)
        sum += bytes[i];
    page[0] = (uint8_t)(sum + (guest->bug == BUG_VALUE));
    if (guest->bug != BUG_OMITTED)
        CHECK_OK(vmr_memory_write(guest->memory, gpa + 0x100 + (guest->bug == BUG_ADDRESS), page, 4));
    CHECK_OK(vmr_memory_write(guest->memory, gpa + 0x1000, page, sizeof(page)));
    CHECK_OK(vmr_memory_fetch_or(guest->memory, gpa + 0x200, 4, sum, &old));
    page[299] = guest->bug == BUG_LETTER;
    if (guest->bug != BUG_SILENT)
        vmr_partition_output(guest->partition, STREAM, page, 300);
}

static void device_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct guest *guest = device;

    if (access->address == PORT_COPY) {
        copy(guest, value);
    } else if (access->address == PORT_RAISE) {
        const struct vmr_msi msi = {.address = VMR_LAPIC_GPA, .data = (uint32_t)value + (guest->bug == BUG_VECTOR)};

        CHECK_OK(vmr_partition_msi(guest->partition, &msi));
    } else if (access->address == VMR_PROGRAM_PORT_POWER) {
        guest->power = value == 1 ? VMR_HALT_POWER_OFF : VMR_HALT_RESET;
    }
}

static const struct vmr_device_ops device_ops = {.read = device_read, .write = device_write};

static enum vmr_msr_result msr_read(void *context, struct vmr_vp *vp, uint32_t index, uint64_t *ret_value)
{
    const struct guest *guest = context;

    (void)vp;
    if (index != GUEST_MSR)
        return VMR_MSR_FAULT;
    *ret_value = ~guest->msr;
    return VMR_MSR_OK;
}

static enum vmr_msr_result msr_write(void *context, struct vmr_vp *vp, uint32_t index, uint64_t value)
{
    struct guest *guest = context;

    (void)vp;
    if (index != GUEST_MSR || value > UINT32_MAX)
        return VMR_MSR_FAULT;
    guest->msr = value;
    return VMR_MSR_OK;
}

static enum vmr_halt_reason halt_requested(void *context, vmr_vp_index vp)
{
    struct guest *guest = context;

    (void)vp;
    return (enum vmr_halt_reason)guest->power;
}

/* --- the machine --- */

static void claim(struct guest *guest, struct vmr_bus *bus, uint64_t start, uint64_t length, uint8_t sizes)
{
    const struct vmr_bus_range range = {
        .name = "device", .start = start, .length = length, .sizes = sizes, .ops = &device_ops, .device = guest};

    CHECK_OK(vmr_bus_claim(bus, &range, NULL));
}

static void make_partition(struct guest *guest, const struct vmr_hypervisor_handle *handle, uint32_t vps)
{
    struct vmr_proto *proto = NULL;
    struct vmr_error err = {0};
    const struct vmr_proto_options proto_options = {.host = &guest->host, .vp_count = vps};
    const struct vmr_msr_range msrs = {.first = GUEST_MSR, .count = 1};
    const struct vmr_partition_options options = {.memory = guest->memory, .msr_exits = &msrs, .msr_exit_count = 1};

    CHECK_OK(vmr_proto_create(handle, &proto_options, &proto, NULL));
    if (vmr_proto_build(&proto, &options, &guest->partition, &err))
        fail_msg("%s", err.message);
}

void guest_init(struct guest *guest, const struct vmr_hypervisor_handle *handle, const struct vmr_host *host,
                uint32_t vps, bool with_chip)
{
    const struct vmr_memory_region ram = {.size = VMR_PROGRAM_RAM_MIN};
    const struct vmr_irqchip_options chip = {.host = &guest->host, .vp_count = vps};

    *guest = (struct guest){.host = *host};
    CHECK_OK(vmr_memory_create(&guest->host, &guest->memory, NULL));
    CHECK_OK(vmr_memory_region_add(guest->memory, &ram, NULL));
    CHECK_OK(vmr_bus_create(&guest->host, VMR_BUS_PORTS, &guest->ports, NULL));
    CHECK_OK(vmr_bus_create(&guest->host, VMR_BUS_MMIO, &guest->mmio, NULL));
    claim(guest, guest->ports, PORT_COUNTER, 16, VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4);
    claim(guest, guest->ports, VMR_PROGRAM_PORT_CHECKPOINT, 16, VMR_SIZE_1 | VMR_SIZE_4);
    claim(guest, guest->mmio, 0xd0000000, 0x1000, VMR_SIZE_1 | VMR_SIZE_4);
    make_partition(guest, handle, vps);
    if (with_chip) {
        CHECK_OK(vmr_irqchip_create(&chip, guest->ports, guest->mmio, &guest->chip, NULL));
        CHECK_OK(vmr_partition_attach_irqchip(guest->partition, vmr_irqchip_builtin_ops(), guest->chip, NULL));
    }
    guest->io = (struct vmr_vp_io){.ports = guest->ports,
                                   .mmio = guest->mmio,
                                   .msr_read = msr_read,
                                   .msr_write = msr_write,
                                   .halt_requested = halt_requested,
                                   .context = guest};
}

void guest_finish(struct guest *guest)
{
    for (size_t i = 0; i < GUEST_VP_MAX; i++)
        vmr_vp_unbind(guest->vps[i]);
    CHECK_OK(vmr_partition_destroy(guest->partition));
    vmr_irqchip_destroy(guest->chip);
    vmr_bus_destroy(guest->ports);
    vmr_bus_destroy(guest->mmio);
    vmr_memory_destroy(guest->memory);
}

struct vmr_vp *guest_bind(struct guest *guest, vmr_vp_index vp)
{
    CHECK_OK(vmr_partition_bind(guest->partition, vp, &guest->vps[vp], NULL));
    return guest->vps[vp];
}

static const struct vmr_step steps[] = {
    VMR_SET(0, 20),
    VMR_IN(1, PORT_COUNTER, 1),
    VMR_OUT(PORT_COUNTER, 1, 7),
    VMR_IN(2, PORT_CLOCK, 4),
    VMR_LOOP(0, 1),
    VMR_STORE(VMR_PROGRAM_DATA, 8, 0x1122334455667788),
    VMR_OUT(PORT_COPY, 4, VMR_PROGRAM_DATA),
    VMR_OUTS(PORT_COUNTER, 2, 9, VMR_PROGRAM_DATA),
    VMR_INS(PORT_COUNTER, 1, 5, VMR_PROGRAM_DATA),
    VMR_WRMSR(GUEST_MSR, 5),
    VMR_RDMSR(3, GUEST_MSR),
    VMR_WRMSR(GUEST_MSR, UINT64_MAX),
    VMR_LOAD(4, 0xd0000000, 4),
    VMR_STORE(0xd0000004, 4, 99),
    VMR_LOAD(4, 0xd0000ffd, 8), /* the last three bytes of the page, and five of nothing */
    VMR_CPUID(0, 0),
    VMR_POWER_OFF(),
    VMR_END(),
};

const struct vmr_program guest_program = {
    .name = "everything", .steps = steps, .count = sizeof(steps) / sizeof(steps[0])};

/* --- recording and replaying --- */

void open_mock(const char *spec, struct vmr_hypervisor_handle *ret_handle)
{
    struct vmr_backend_set set;
    struct vmr_error err = {0};

    vmr_backend_set_init(&set);
    if (vmr_probe_named(&set, spec, ret_handle, &err))
        fail_msg("%s: %s", spec, err.message);
}

static void make_host(struct vmr_scheduler *scheduler, struct vmr_host *ret_host)
{
    if (scheduler)
        vmr_scheduler_host(scheduler, ret_host);
    else
        vmr_host_posix(ret_host, NULL);
}

static void make_recorder(struct writer *trace, struct vmr_recorder **ret_recorder)
{
    static const struct vmr_trace_meta meta[] = {{"made-by", "a test"}};
    struct vmr_recorder_options options = {.codec = VMR_TRACE_CODEC_NONE, .meta = meta, .meta_count = 1};

    bytes_sink(trace, &options.sink);
    CHECK_OK(vmr_recorder_create(&options, ret_recorder, NULL));
}

void record_begin(struct recording *recording, struct vmr_scheduler *scheduler, const char *spec, uint32_t vps,
                  bool with_chip)
{
    open_mock(spec, &recording->inner);
    make_host(scheduler, &recording->inner_host);
    make_recorder(&recording->trace, &recording->recorder);
    CHECK_OK(vmr_recorder_wrap(recording->recorder, &recording->inner, &recording->inner_host, &recording->handle,
                               &recording->host, NULL));
    guest_init(&recording->guest, &recording->handle, &recording->host, vps, with_chip);
}

void record_load(struct recording *recording, vmr_vp_index vp, const struct vmr_program *program)
{
    struct vmr_mock *mock = vmr_recorder_native(recording->recorder, vmr_mock_backend());
    struct vmr_error err = {0};

    assert_non_null(mock);
    if (vmr_mock_load_program(mock, vp, program, &err))
        fail_msg("%s", err.message);
}

void record_end(struct recording *recording)
{
    CHECK_OK(vmr_recorder_status(recording->recorder));
    CHECK_OK(vmr_recorder_finish(recording->recorder, NULL));
    guest_finish(&recording->guest);
    vmr_recorder_destroy(recording->recorder);
    vmr_handle_close(&recording->inner);
}

static void stop_here(void *context, vmr_vp_index vp)
{
    struct replaying *replaying = context;

    (void)vp;
    replaying->stops++;
    if (replaying->stop)
        vmr_stop_set(replaying->stop);
}

static void end_here(void *context)
{
    struct replaying *replaying = context;

    replaying->ends++;
    if (replaying->stop)
        vmr_stop_set(replaying->stop);
}

void replay_begin(struct replaying *replaying, const struct writer *trace, struct vmr_scheduler *scheduler,
                  uint32_t vps, bool with_chip, bool again)
{
    struct vmr_replay_options options = {.stop = stop_here, .end = end_here, .context = replaying, .positions = true};
    struct vmr_error err = {0};

    *replaying = (struct replaying){0};
    struct vmr_trace_source source = bytes_source(&replaying->memory, trace->bytes, trace->length);

    make_host(scheduler, &replaying->inner_host);
    if (vmr_replay_create(&source, &options, &replaying->replay, &err))
        fail_msg("%s", err.message);
    CHECK_OK(vmr_replay_attach(replaying->replay, &replaying->inner_host, &replaying->handle, &replaying->host, NULL));
    const struct vmr_hypervisor_handle *handle = &replaying->handle;
    const struct vmr_host *host = &replaying->host;

    if (again) {
        make_recorder(&replaying->trace, &replaying->recorder);
        CHECK_OK(vmr_recorder_wrap(replaying->recorder, handle, host, &replaying->again_handle, &replaying->again_host,
                                   NULL));
        handle = &replaying->again_handle;
        host = &replaying->again_host;
    }
    CHECK_OK(vmr_stop_create(host, &replaying->stop));
    guest_init(&replaying->guest, handle, host, vps, with_chip);
    vmr_replay_set_partition(replaying->replay, replaying->guest.partition);
}

void replay_end(struct replaying *replaying, struct vmr_replay_result *ret_result)
{
    vmr_replay_get_result(replaying->replay, ret_result);
    if (replaying->recorder)
        CHECK_OK(vmr_recorder_finish(replaying->recorder, NULL));
    guest_finish(&replaying->guest);
    vmr_stop_destroy(replaying->stop);
    vmr_recorder_destroy(replaying->recorder);
    vmr_replay_destroy(replaying->replay);
}

struct watched {
    const struct vmr_host *host;
    struct vmr_parker *parker;
};

static void event_is_ready(void *argument)
{
    struct watched *watched = argument;

    watched->host->ops->unpark(watched->host->context, watched->parker);
}

void check_events(const struct vmr_host *host)
{
    const struct vmr_event_ops *events = host->ops->events;
    struct watched watched = {.host = host};
    struct vmr_event_watch *watch = NULL;
    int fd = -1;

    assert_non_null(events);
    CHECK_OK(host->ops->parker_create(host->context, &watched.parker));
    CHECK_OK(events->create(host->context, &fd));
    assert_false(events->take(host->context, fd));
    events->signal(host->context, fd);
    assert_true(events->take(host->context, fd));
    CHECK_OK(events->watch(host->context, fd, event_is_ready, &watched, &watch));
    events->signal(host->context, fd);
    assert_int_equal(host->ops->park(host->context, watched.parker, VMR_NEVER), VMR_PARK_WOKEN);
    events->unwatch(host->context, watch);
    assert_false(events->take(host->context, fd));
    events->destroy(host->context, fd);
    CHECK_STATUS(events->watch(host->context, fd, event_is_ready, &watched, &watch), VMR_E_USAGE); /* it is gone */
    host->ops->parker_destroy(host->context, watched.parker);
}
