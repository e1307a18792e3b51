/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the checks of PCI Express share: all ports, found by name.
 */

#include <stdio.h>

#include "lib/config/check.h"
#include "lib/config/devfn.h"
#include "lib/config/keys.h"

#define ADDRESS_SPACE_SIZE (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

enum port_user {
    PORT_FREE,
    PORT_DEVICE,
    PORT_SWITCH
};

/* Who has what at a port: of root complexes, in their order, then of switches. */
struct port_entry {
    size_t owner;   /* index of the root complex or switch */
    bool on_switch; /* of a switch */
    bool cxl;
    enum port_user user; /* as far as was looked */
    size_t user_index;
};

struct port_table {
    struct port_entry *entries;
    size_t count;
    size_t *first_of_switch; /* where the ports of each switch begin */
    size_t *first_of_complex;
    struct keys names;
};

/* False: out of memory. */
bool port_table_init(struct port_table *table, struct check *check);
/* NULL: no port has this name. The first of several. */
struct port_entry *port_table_find(const struct port_table *table, const char *name);

struct port_list {
    const struct vmr_pcie_port_config *ports;
    size_t count;
    size_t first; /* index of its first in the table */
    char place[64];
};

/* Names, places on the bus, bits: what holds for ports of root complexes and of switches. */
void check_port_list(struct check *check, const struct port_table *table, const struct port_list *list,
                     const struct devfn_bus *bus);
void check_windows(struct check *check, size_t complex);
void check_pcie_devices(struct check *check, struct port_table *table);
void check_pcie_switches(struct check *check, struct port_table *table);
void check_initiators(struct check *check, const struct port_table *table);
