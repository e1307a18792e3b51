/* SPDX-License-Identifier: MIT */
/*
 * One pass places, a second looks for devices that lack the function by which
 * an operating system finds the others (PCI Local Bus 3.0, 3.2.2.3.4).
 */

#include "lib/config/devfn.h"

#include <assert.h>
#include <stdbool.h>

#define NOBODY UINT32_MAX

struct bus_state {
    uint32_t users[DEVFN_COUNT]; /* the port at each; NOBODY */
    unsigned next_free;          /* nothing below it is free for automatic ports */
};

struct devfn_bus devfn_root_bus(const struct vmr_pcie_root_complex_config *complex)
{
    struct devfn_bus bus = {.first_device = complex->iommu == VMR_PCIE_IOMMU_AMD_VI};
    bool is_x86 = complex->iommu == VMR_PCIE_IOMMU_AMD_VI || complex->iommu == VMR_PCIE_IOMMU_INTEL_VTD;

    if (is_x86 && complex->segment == 0 && complex->start_bus == 0)
        bus.reserved_devices = UINT32_C(1) << (VMR_PCIE_IOAPIC_DEVFN >> 3);
    return bus;
}

size_t devfn_capacity(const struct devfn_bus *bus)
{
    return DEVFN_COUNT - bus->first_device * 8u;
}

static struct devfn_place place_one(const struct devfn_bus *bus, struct bus_state *state,
                                    const struct vmr_pcie_port_config *port, uint32_t index)
{
    struct devfn_place place = {.devfn = port->devfn.value};

    if (port->devfn.given && state->users[place.devfn] != NOBODY) {
        place.problem = DEVFN_IN_USE;
        place.other = state->users[place.devfn];
        return place;
    }
    while (!port->devfn.given && state->users[state->next_free] != NOBODY)
        state->next_free++;
    if (!port->devfn.given)
        place.devfn = (uint8_t)state->next_free;
    state->users[place.devfn] = index;

    uint8_t device = place.devfn >> 3;

    if (device < bus->first_device || bus->reserved_devices >> device & 1)
        place.problem = DEVFN_RESERVED;
    return place;
}

static bool lacks_function_zero(const struct bus_state *state, const struct devfn_place *place)
{
    return place->problem == DEVFN_OK && (place->devfn & 7) != 0 && state->users[place->devfn & 0xf8] == NOBODY;
}

void devfn_assign(const struct devfn_bus *bus, const struct vmr_pcie_port_config *ports, size_t count,
                  struct devfn_place *ret_places)
{
    struct bus_state state = {.next_free = bus->first_device * 8u};
    uint32_t said = 0; /* bit n: device n was found to lack its function 0 */

    assert(count <= devfn_capacity(bus));
    for (unsigned i = 0; i < DEVFN_COUNT; i++)
        state.users[i] = NOBODY;
    for (uint32_t i = 0; i < count; i++)
        ret_places[i] = place_one(bus, &state, &ports[i], i);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t device = UINT32_C(1) << (ret_places[i].devfn >> 3);

        if (!lacks_function_zero(&state, &ret_places[i]) || said & device)
            continue;
        ret_places[i].problem = DEVFN_FUNCTION_ZERO_MISSING;
        said |= device;
    }
}
