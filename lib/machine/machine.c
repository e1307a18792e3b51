/* SPDX-License-Identifier: MIT */
/*
 * Building a machine and taking it down. The order is fixed, because a recorder
 * numbers what it sees: memory, buses, platform, interrupt controllers,
 * partition, VPs. A half-built machine is destroyed like a whole one.
 */

#include "lib/machine/machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/checked.h"
#include "lib/boot/firmware.h"

#define FOUR_GIB UINT64_C(0x100000000)
/* Interrupt controllers, and firmware at its largest. */
#define BOARD_START UINT64_C(0xfe000000)

static uint64_t low_size(uint64_t memory_size)
{
    return memory_size < VMR_MACHINE_MEMORY_LOW_MAX ? memory_size : VMR_MACHINE_MEMORY_LOW_MAX;
}

/* What vmr_memory_region_add does not see. */
static enum vmr_status check_ram(const struct vmr_machine_options *options, struct vmr_error *err)
{
    vmr_gpa end = 0;

    if (options->memory_size != 0)
        return vmr_error_set(err, VMR_E_USAGE, "machine: both ram and memory_size");
    if (options->ram[0].gpa != 0 || options->ram[0].size < VMR_MACHINE_MEMORY_GRANULE)
        return vmr_error_set(err, VMR_E_CONFIG, "machine: ram[0] does not begin at 0 with at least %u bytes",
                             VMR_MACHINE_MEMORY_GRANULE);
    for (size_t i = 0; i < options->ram_count; i++) {
        const struct vmr_machine_ram *ram = &options->ram[i];

        if (ram->gpa < end || !checked_add_u64(ram->gpa, ram->size, &end))
            return vmr_error_set(err, VMR_E_CONFIG, "machine: ram[%zu] at %#" PRIx64 " is not behind the one before", i,
                                 ram->gpa);
        if (end > BOARD_START && ram->gpa < FOUR_GIB)
            return vmr_error_set(err, VMR_E_CONFIG, "machine: ram[%zu] at %#" PRIx64 " reaches what lies below 4 GiB",
                                 i, ram->gpa);
    }
    return options->firmware ? firmware_check(options->firmware_size, err) : VMR_OK;
}

static enum vmr_status check_options(const struct vmr_machine_options *options, struct vmr_error *err)
{
    if (!options->handle || !options->host)
        return vmr_error_set(err, VMR_E_USAGE, "machine: options.%s is missing", options->handle ? "host" : "handle");
    if (options->vps == 0 || options->vps > VMR_VP_COUNT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "machine: vps %" PRIu32 " is not 1 to %u", options->vps,
                             VMR_VP_COUNT_MAX);
    if (options->ram_count > 0)
        return check_ram(options, err);
    if (options->memory_size == 0 || !is_aligned(options->memory_size, VMR_MACHINE_MEMORY_GRANULE))
        return vmr_error_set(err, VMR_E_CONFIG, "machine: memory_size %" PRIu64 " is not a nonzero multiple of %u",
                             options->memory_size, VMR_MACHINE_MEMORY_GRANULE);
    return firmware_check(options->firmware_size, err);
}

/* What the hypervisor can address, which is known only once it was asked. */
static enum vmr_status check_addressable(const struct vmr_machine *machine, unsigned physical_bits,
                                         struct vmr_error *err)
{
    unsigned bits = physical_bits == 0 || physical_bits > VMR_PHYSICAL_BITS_MAX ? VMR_PHYSICAL_BITS_MAX : physical_bits;

    if (machine->ram_above > 0 && !range_contains(0, UINT64_C(1) << bits, FOUR_GIB, machine->ram_above))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "machine: memory_size %" PRIu64 " ends above the %u bits of address this host has",
                             machine->memory_size, bits);
    return VMR_OK;
}

/* How much of RAM is where, for who tells the guest. */
static void measure_ram(struct vmr_machine *machine, const struct vmr_machine_options *options)
{
    machine->memory_size = options->memory_size;
    machine->ram_below = low_size(options->memory_size);
    machine->ram_above = options->memory_size - machine->ram_below;
    for (size_t i = 0; i < options->ram_count; i++) {
        const struct vmr_machine_ram *ram = &options->ram[i];

        machine->memory_size += ram->size;
        if (ram->gpa < FOUR_GIB)
            machine->ram_below = ram->gpa + ram->size;
        else
            machine->ram_above = ram->gpa + ram->size - FOUR_GIB;
    }
}

static enum vmr_status create_memory(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                     struct vmr_error *err)
{
    const struct vmr_machine_ram small[2] = {
        {.gpa = 0, .size = machine->ram_below},
        {.gpa = FOUR_GIB, .size = machine->ram_above},
    };
    const struct vmr_machine_ram *ram = options->ram_count > 0 ? options->ram : small;
    size_t count = options->ram_count > 0 ? options->ram_count : 2;
    enum vmr_status status = vmr_memory_create(options->host, &machine->memory, err);

    for (size_t i = 0; i < count && status == VMR_OK; i++) {
        const struct vmr_memory_region region = {.gpa = ram[i].gpa, .size = ram[i].size, .backing = ram[i].backing};

        if (region.size > 0)
            status = vmr_memory_region_add(machine->memory, &region, err);
    }
    if (status != VMR_OK || !options->firmware)
        return status;
    return firmware_load(machine->memory, options->firmware, options->firmware_size, err);
}

static void raise_line(void *context, uint32_t gsi, bool level)
{
    const struct vmr_machine *machine = context;

    /* A line that ends nowhere, as on hardware without the controller. */
    enum vmr_status status = vmr_partition_irq(machine->partition, gsi, level);

    (void)status;
}

/* What the outside sees is what a recording holds: first it is recorded, then shown. */
static void print(void *context, enum vmr_console_source source, const uint8_t *bytes, size_t length)
{
    const struct vmr_machine *machine = context;

    vmr_partition_output(machine->partition, source, bytes, length);
    if (machine->console.write)
        machine->console.write(machine->console.context, source, bytes, length);
}

static void power_requested(void *context, enum vmr_halt_reason reason, uint32_t value)
{
    const struct vmr_machine *machine = context;
    const char *name = vmr_halt_reason_name(reason);
    uint8_t bytes[32];
    size_t length = strlen(name) + 1;

    assert(length + sizeof(value) <= sizeof(bytes));
    memcpy(bytes, name, length);
    store_le32(bytes + length, value);
    vmr_partition_output(machine->partition, VMR_STREAM_POWER, bytes, length + sizeof(value));
}

static enum vmr_status create_devices(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                      struct vmr_error *err)
{
    const struct vmr_irq_sink irq = {.set = raise_line, .context = machine};
    const struct vmr_platform_options platform = {
        .host = options->host,
        .without = options->platform_without,
        .rtc_epoch_s = options->rtc_epoch_s,
        .rtc_epoch_ms = options->rtc_epoch_ms,
        .memory_below_4g = machine->ram_below,
        .memory_above_4g = machine->ram_above,
        .vp_count = options->vps,
        .irq = irq,
        .timer = {.sooner = machine_chip_sooner, .context = machine},
        .console = {.write = print, .context = machine},
        .power = {.requested = power_requested, .context = machine},
    };
    enum vmr_status status = vmr_bus_create(options->host, VMR_BUS_PORTS, &machine->ports, err);

    if (status != VMR_OK)
        return status;
    status = vmr_bus_create(options->host, VMR_BUS_MMIO, &machine->mmio, err);
    if (status != VMR_OK)
        return status;
    status = vmr_platform_create(&platform, machine->ports, &machine->platform, err);
    return status == VMR_OK ? machine_devices_create(machine, options, &irq, err) : status;
}

static size_t receive(void *context, uint32_t stream, const uint8_t *bytes, size_t length)
{
    const struct vmr_machine *machine = context;

    if (stream != VMR_STREAM_SERIAL || !vmr_platform_serial(machine->platform))
        return 0;
    return vmr_serial_receive(vmr_platform_serial(machine->platform), bytes, length);
}

static enum vmr_status create_partition(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                        struct vmr_error *err)
{
    const struct vmr_partition_options partition = {.memory = machine->memory};
    const struct vmr_irqchip_options chip = {
        .host = options->host,
        .vp_count = options->vps,
        .split = options->handle->irqchip == VMR_IRQCHIP_SPLIT,
    };
    enum vmr_status status = vmr_proto_build(&machine->proto, &partition, &machine->partition, err);

    if (status != VMR_OK)
        return status;
    vmr_partition_set_input(machine->partition, &(struct vmr_input_sink){.receive = receive, .context = machine});
    if (vmr_partition_irqchip(machine->partition) == VMR_IRQCHIP_KERNEL)
        return machine_ticker_create(options->host, machine->platform, &machine->ticker, err);
    status = vmr_irqchip_create(&chip, machine->ports, machine->mmio, &machine->chip, err);
    if (status != VMR_OK)
        return status;
    return vmr_partition_attach_irqchip(machine->partition, &machine_chip_ops, machine, err);
}

static enum vmr_halt_reason halt_requested(void *context, vmr_vp_index vp)
{
    const struct vmr_machine *machine = context;

    (void)vp;
    return vmr_power_get(vmr_platform_power(machine->platform), NULL);
}

static enum vmr_exit_action show_exit(void *context, struct vmr_vp *vp, struct vmr_exit *vp_exit,
                                      enum vmr_halt_reason *ret_reason)
{
    const struct vmr_machine *machine = context;

    (void)ret_reason;
    machine->exit(machine->exit_context, vmr_vp_get_index(vp), vp_exit);
    return VMR_EXIT_DEFAULT;
}

static enum vmr_status create_vps(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                  struct vmr_error *err)
{
    machine->io = (struct vmr_vp_io){
        .ports = machine->ports, .mmio = machine->mmio, .halt_requested = halt_requested, .context = machine};
    if (machine->exit)
        machine->io.exit = show_exit;

    const struct vmr_vp_set_options set_options = {
        .io = &machine->io, .yielded = options->yielded, .context = options->exit_context};

    return vmr_vp_set_create(machine->partition, &set_options, &machine->set, err);
}

static enum vmr_status create_all(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                  struct vmr_error *err)
{
    const struct vmr_proto_options proto = {.host = options->host, .vp_count = options->vps, .hv = options->hv};
    enum vmr_status status = vmr_proto_create(options->handle, &proto, &machine->proto, err);

    if (status != VMR_OK)
        return status;
    measure_ram(machine, options);
    status = check_addressable(machine, vmr_proto_caps(machine->proto)->physical_bits, err);
    if (status != VMR_OK)
        return status;
    status = create_memory(machine, options, err);
    if (status != VMR_OK)
        return status;
    status = create_devices(machine, options, err);
    if (status != VMR_OK)
        return status;
    status = create_partition(machine, options, err);
    if (status != VMR_OK)
        return status;
    return create_vps(machine, options, err);
}

enum vmr_status vmr_machine_create(const struct vmr_machine_options *options, struct vmr_machine **ret_machine,
                                   struct vmr_error *err)
{
    enum vmr_status status = check_options(options, err);

    if (status != VMR_OK)
        return status;

    struct vmr_machine *machine = calloc(1, sizeof(*machine));

    if (!machine)
        return vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    machine->host = options->host;
    machine->console = options->console;
    machine->clock = options->clock;
    machine->exit = options->exit;
    machine->exit_context = options->exit_context;
    machine->firmware_size = options->firmware ? options->firmware_size : 0;
    machine->automatic_reset = options->automatic_reset;
    machine->rtc_epoch_s = options->rtc_epoch_s;
    if (sync_mutex_init(&machine->control, options->host) || sync_mutex_init(&machine->waiter_lock, options->host))
        status = vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    else
        status = create_all(machine, options, err);
    if (status != VMR_OK) {
        vmr_machine_destroy(machine);
        return status;
    }
    *ret_machine = machine;
    return VMR_OK;
}

void vmr_machine_destroy(struct vmr_machine *machine)
{
    if (!machine)
        return;
    vmr_vp_set_destroy(machine->set);
    machine_ticker_destroy(machine->ticker);
    machine->ticker = NULL;

    /* No VP is bound once the set is gone. */
    enum vmr_status status = vmr_partition_destroy(machine->partition);

    assert(status == VMR_OK);
    (void)status;
    vmr_proto_destroy(machine->proto);
    vmr_irqchip_destroy(machine->chip);
    machine_devices_destroy(machine);
    vmr_platform_destroy(machine->platform);
    vmr_bus_destroy(machine->mmio);
    vmr_bus_destroy(machine->ports);
    vmr_memory_destroy(machine->memory);
    sync_mutex_finish(&machine->waiter_lock);
    sync_mutex_finish(&machine->control);
    free(machine);
}

size_t vmr_machine_receive(struct vmr_machine *machine, const uint8_t *bytes, size_t length)
{
    return vmr_partition_input(machine->partition, VMR_STREAM_SERIAL, bytes, length);
}

bool vmr_machine_exit_value(struct vmr_machine *machine, uint32_t *ret_value)
{
    uint32_t value;

    if (vmr_power_get(vmr_platform_power(machine->platform), &value) != VMR_HALT_POWER_OFF)
        return false;
    *ret_value = value;
    return true;
}

struct vmr_partition *vmr_machine_partition(struct vmr_machine *machine)
{
    return machine->partition;
}

struct vmr_platform *vmr_machine_platform(struct vmr_machine *machine)
{
    return machine->platform;
}

struct vmr_vp_set *vmr_machine_vp_set(struct vmr_machine *machine)
{
    return machine->set;
}
