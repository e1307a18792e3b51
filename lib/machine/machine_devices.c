/* SPDX-License-Identifier: MIT */
/*
 * Devices of a registry's types: made in the order of their list, destroyed in
 * the other, saved and reset in between.
 */

#include <assert.h>
#include <stdlib.h>

#include "lib/machine/machine.h"

static enum vmr_status create_one(struct vmr_machine *machine, const struct vmr_machine_device *wanted,
                                  const struct vmr_irq_sink *irq, struct vmr_error *err)
{
    const struct vmr_resource_place place = {
        .name = wanted->name,
        .host = machine->host,
        .ports = machine->ports,
        .mmio = machine->mmio,
        .irq = *irq,
        .memory = machine->memory,
        .range = wanted->range,
        .gsi = wanted->gsi,
    };
    struct machine_device *device = &machine->devices[machine->device_count];
    enum vmr_status status =
        wanted->type->create(wanted->type->context, wanted->resource, &place, &device->object, err);

    if (status != VMR_OK)
        return status;
    device->type = wanted->type;
    machine->device_count++;
    return VMR_OK;
}

/* Room for the largest state, so that a reset cannot run out of memory. */
static bool make_room(struct vmr_machine *machine)
{
    size_t size = 1;

    for (size_t i = 0; i < machine->device_count; i++) {
        struct vmr_state_unit unit;

        if (!machine->devices[i].type->state_unit)
            continue;
        machine->devices[i].type->state_unit(machine->devices[i].object, &unit);
        size = unit.type->size > size ? unit.type->size : size;
    }
    machine->device_value = malloc(size);
    return machine->device_value != NULL;
}

enum vmr_status machine_devices_create(struct vmr_machine *machine, const struct vmr_machine_options *options,
                                       const struct vmr_irq_sink *irq, struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    if (options->device_count == 0)
        return VMR_OK;
    machine->devices = calloc(options->device_count, sizeof(*machine->devices));
    if (!machine->devices)
        return vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    for (size_t i = 0; i < options->device_count && status == VMR_OK; i++)
        status = create_one(machine, &options->devices[i], irq, err);
    if (status == VMR_OK && !make_room(machine))
        return vmr_error_set(err, VMR_E_NOMEM, "machine: out of memory");
    return status;
}

size_t machine_devices_state_units(struct vmr_machine *machine, struct vmr_state_unit *ret_units, size_t capacity)
{
    size_t count = 0;

    for (size_t i = 0; i < machine->device_count; i++) {
        struct vmr_state_unit unit;

        if (!machine->devices[i].type->state_unit)
            continue;
        machine->devices[i].type->state_unit(machine->devices[i].object, &unit);
        unit.instance = 0;
        /* Of several of one type, each has a number. */
        for (size_t k = 0; k < count && k < capacity; k++)
            unit.instance += ret_units[k].type == unit.type;
        if (count < capacity)
            ret_units[count] = unit;
        count++;
    }
    return count;
}

void machine_devices_reset(struct vmr_machine *machine)
{
    for (size_t i = 0; i < machine->device_count; i++) {
        struct vmr_state_unit unit;

        if (!machine->devices[i].type->state_unit)
            continue;
        machine->devices[i].type->state_unit(machine->devices[i].object, &unit);
        unit.at_reset(unit.object, machine->device_value);
        enum vmr_status status = unit.set(unit.object, machine->device_value, NULL);

        assert(status == VMR_OK); /* what a device holds at power-up it can hold */
        (void)status;
    }
}

void machine_devices_destroy(struct vmr_machine *machine)
{
    while (machine->device_count > 0) {
        struct machine_device *device = &machine->devices[--machine->device_count];

        device->type->destroy(device->object);
    }
    free(machine->devices);
    free(machine->device_value);
}
