/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where ports lie on their bus: device << 3 | function, as configured, or the
 * lowest that is free when a port's turn comes.
 */

#include <stddef.h>
#include <stdint.h>

#include "vmrig/config.h"

#define DEVFN_COUNT 256u

enum devfn_problem {
    DEVFN_OK,
    DEVFN_IN_USE,   /* by the port `other` */
    DEVFN_RESERVED, /* the device number is another's */
    DEVFN_FUNCTION_ZERO_MISSING
};

struct devfn_place {
    uint8_t devfn;
    enum devfn_problem problem;
    uint32_t other;
};

/* A bus: devices below `first_device` and those of the mask are taken by what is no port. */
struct devfn_bus {
    uint8_t first_device;
    uint32_t reserved_devices; /* bit n: device n */
};

/* The bus that a root complex begins with: an AMD IOMMU is its device 0, and the I/O APIC is a device on bus 0. */
struct devfn_bus devfn_root_bus(const struct vmr_pcie_root_complex_config *complex);
/* Ports that have room, from the first device on. */
size_t devfn_capacity(const struct devfn_bus *bus);
/*
 * Places `count` ports in their order: devfn_capacity(bus) at most, so that
 * there is always a place. Automatic ones do not avoid reserved devices: which
 * place a port has is not to depend on who reserves. A device without a
 * function 0 is a problem of its first port alone.
 */
void devfn_assign(const struct devfn_bus *bus, const struct vmr_pcie_port_config *ports, size_t count,
                  struct devfn_place *ret_places);
