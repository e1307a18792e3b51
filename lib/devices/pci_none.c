/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2) of a bus with
 * nothing on it, and the reset control register that chipsets keep in its midst
 * (Intel ICH, 0xcf9). The address register reads back, so that a guest finds
 * the mechanism; every function then answers ones.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/base/checked.h"
#include "lib/base/sync.h"
#include "lib/devices/claim.h"
#include "lib/devices/state_check.h"
#include "lib/devices/state_types.h"
#include "vmrig/device_state.h"

#define PORT_BASE 0xcf8u
#define PORT_COUNT 8u

#define OFFSET_ADDRESS 0u
#define OFFSET_RESET 1u
#define OFFSET_DATA 4u

/* Reserved bits of the address register read as zero. */
#define ADDRESS_MASK 0x80fffffcu

#define RESET_CPU 0x04u /* its 0 -> 1 edge resets */
#define RESET_MASK 0x0eu

struct vmr_pci_none {
    struct sync_mutex lock;
    struct vmr_power *power;
    struct vmr_bus *ports;
    uint32_t address;
    uint8_t reset;
};

static uint64_t port_read(void *device, const struct vmr_access *access)
{
    struct vmr_pci_none *pci = device;
    uint64_t value = mask_of_bytes(access->size);

    sync_mutex_lock(&pci->lock);
    if (access->offset == OFFSET_ADDRESS && access->size == 4)
        value = pci->address;
    else if (access->offset == OFFSET_RESET && access->size == 1)
        value = pci->reset;
    sync_mutex_unlock(&pci->lock);
    return value;
}

/* Returns whether this write resets the machine. */
static bool write_reset(struct vmr_pci_none *pci, uint8_t value)
{
    bool edge = (value & RESET_CPU) != 0 && (pci->reset & RESET_CPU) == 0;

    pci->reset = value & RESET_MASK;
    return edge;
}

static void port_write(void *device, const struct vmr_access *access, uint64_t value)
{
    struct vmr_pci_none *pci = device;
    bool reset = false;

    sync_mutex_lock(&pci->lock);
    if (access->offset == OFFSET_ADDRESS && access->size == 4)
        pci->address = (uint32_t)value & ADDRESS_MASK;
    else if (access->offset == OFFSET_RESET && access->size == 1)
        reset = write_reset(pci, (uint8_t)value);
    if (reset)
        pci->reset &= (uint8_t)~RESET_CPU; /* the machine comes back with the bit clear */
    sync_mutex_unlock(&pci->lock);
    if (reset)
        (void)vmr_power_request(pci->power, VMR_HALT_RESET, 0);
}

static const struct vmr_device_ops pci_none_ops = {.read = port_read, .write = port_write};

enum vmr_status vmr_pci_none_create(const struct vmr_pci_none_options *options, struct vmr_bus *ports,
                                    struct vmr_pci_none **ret_pci, struct vmr_error *err)
{
    if (!options->host || !options->power)
        return vmr_error_set(err, VMR_E_USAGE, "pci ports: no host or no power line was given");

    struct vmr_pci_none *pci = calloc(1, sizeof(*pci));

    if (!pci || sync_mutex_init(&pci->lock, options->host) != VMR_OK) {
        free(pci);
        return vmr_error_set(err, VMR_E_NOMEM, "pci ports: out of memory");
    }
    pci->power = options->power;

    const struct vmr_bus_range range = {.name = "pci configuration",
                                        .start = PORT_BASE,
                                        .length = PORT_COUNT,
                                        .sizes = VMR_SIZE_1 | VMR_SIZE_2 | VMR_SIZE_4,
                                        .ops = &pci_none_ops,
                                        .device = pci};
    enum vmr_status status = vmr_bus_claim(ports, &range, err);

    if (status != VMR_OK) {
        sync_mutex_finish(&pci->lock);
        free(pci);
        return status;
    }
    pci->ports = ports;
    *ret_pci = pci;
    return VMR_OK;
}

void vmr_pci_none_destroy(struct vmr_pci_none *pci)
{
    if (!pci)
        return;
    claim_release(pci->ports, PORT_BASE);
    sync_mutex_finish(&pci->lock);
    free(pci);
}

/* --- state --- */

static const struct vmr_state_field state_fields[] = {
    VMR_STATE_FIELD(struct vmr_pci_none_state, address, "address", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_pci_none_state, reset, "reset", VMR_FIELD_HEX),
};

const struct vmr_state_type pci_none_state_type = {
    .name = "pci",
    .version = 1,
    .size = sizeof(struct vmr_pci_none_state),
    .field_count = STATE_FIELDS(state_fields),
    .fields = state_fields,
};

static enum vmr_status state_get(void *object, void *ret_value, struct vmr_error *err)
{
    struct vmr_pci_none *pci = object;
    struct vmr_pci_none_state *state = ret_value;

    (void)err;
    memset(state, 0, sizeof(*state));
    sync_mutex_lock(&pci->lock);
    state->address = pci->address;
    state->reset = pci->reset;
    sync_mutex_unlock(&pci->lock);
    return VMR_OK;
}

static enum vmr_status state_set(void *object, const void *value, struct vmr_error *err)
{
    struct vmr_pci_none *pci = object;
    const struct vmr_pci_none_state *state = value;
    const struct state_check checks[] = {
        STATE_BITS("address", state->address, ADDRESS_MASK),
        STATE_BITS("reset", state->reset, RESET_MASK & ~RESET_CPU),
    };
    enum vmr_status status = state_check(&pci_none_state_type, checks, STATE_CHECKS(checks), err);

    if (status != VMR_OK)
        return status;
    sync_mutex_lock(&pci->lock);
    pci->address = state->address;
    pci->reset = state->reset;
    sync_mutex_unlock(&pci->lock);
    return VMR_OK;
}

static void state_at_reset(const void *object, void *ret_value)
{
    (void)object;
    memset(ret_value, 0, sizeof(struct vmr_pci_none_state));
}

void vmr_pci_none_state_unit(struct vmr_pci_none *pci, struct vmr_state_unit *ret_unit)
{
    *ret_unit = (struct vmr_state_unit){
        .type = &pci_none_state_type, .object = pci, .get = state_get, .set = state_set, .at_reset = state_at_reset};
}
