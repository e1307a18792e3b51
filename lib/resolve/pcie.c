/* SPDX-License-Identifier: MIT */
/*
 * The PCI Express tree: which port is where, what hangs on it, and the bus
 * numbers that firmware will give when it goes depth first, as all do. Names are
 * looked up in a sorted list.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/config/devfn.h"
#include "lib/config/keys.h"
#include "lib/config/rules.h"
#include "lib/resolve/resolve.h"

struct tree {
    struct resolving *resolving;
    struct vmr_resolved_port *ports;
    struct vmr_resolved_switch *switches;
    struct keys names; /* of ports */
    uint32_t port_count, switch_count;
};

/* --- ports and switches --- */

static enum vmr_status add_ports(struct tree *tree, const struct vmr_pcie_port_config *configs, size_t count,
                                 const struct devfn_bus *bus, const struct vmr_resolved_port *like)
{
    struct devfn_place *places = calloc(count + 1, sizeof(*places));

    if (!places)
        return VMR_E_NOMEM;
    devfn_assign(bus, configs, count, places);
    for (size_t i = 0; i < count; i++) {
        struct vmr_resolved_port *port = &tree->ports[tree->port_count];

        *port = *like;
        port->config = &configs[i];
        port->devfn = places[i].devfn;
        keys_add(&tree->names, key_of_text(configs[i].name, tree->port_count));
        tree->port_count++;
    }
    free(places);
    return VMR_OK;
}

static enum vmr_status add_root_ports(struct tree *tree)
{
    const struct vmr_config *config = tree->resolving->config;

    for (uint32_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *complex = &config->pcie_root_complexes[i];
        const struct devfn_bus bus = devfn_root_bus(complex);
        const struct vmr_resolved_port like = {.root_complex = i,
                                               .parent_switch = VMR_RESOLVED_NONE,
                                               .child_switch = VMR_RESOLVED_NONE,
                                               .device = VMR_RESOLVED_NONE,
                                               .initiator_node = VMR_RESOLVED_NONE};

        tree->resolving->complexes[i].first_port = tree->port_count;
        tree->resolving->complexes[i].port_count = (uint32_t)complex->port_count;
        enum vmr_status status = add_ports(tree, complex->ports, complex->port_count, &bus, &like);

        if (status != VMR_OK)
            return status;
    }
    return VMR_OK;
}

static enum vmr_status add_switch_ports(struct tree *tree)
{
    static const struct devfn_bus bus;
    const struct vmr_config *config = tree->resolving->config;

    for (uint32_t i = 0; i < config->pcie_switch_count; i++) {
        const struct vmr_pcie_switch_config *one = &config->pcie_switches[i];
        const struct vmr_resolved_port like = {.parent_switch = i,
                                               .child_switch = VMR_RESOLVED_NONE,
                                               .device = VMR_RESOLVED_NONE,
                                               .initiator_node = VMR_RESOLVED_NONE};

        tree->switches[i] = (struct vmr_resolved_switch){
            .config = one, .first_port = tree->port_count, .port_count = (uint32_t)one->port_count};
        enum vmr_status status = add_ports(tree, one->ports, one->port_count, &bus, &like);

        if (status != VMR_OK)
            return status;
    }
    return VMR_OK;
}

/* The index of a port by its name; the check has seen that there is one. */
static uint32_t find_port(const struct tree *tree, const char *name)
{
    const struct key key = key_of_text(name, 0);
    size_t id = keys_find(&tree->names, &key);

    return id == KEYS_NONE ? VMR_RESOLVED_NONE : (uint32_t)id;
}

/* Parents come before their children, so what a child takes over is known. */
static void connect_switches(struct tree *tree)
{
    for (uint32_t i = 0; i < tree->switch_count; i++) {
        struct vmr_resolved_switch *one = &tree->switches[i];
        uint32_t parent = find_port(tree, one->config->parent_port);

        one->parent_port = parent;
        if (parent == VMR_RESOLVED_NONE)
            continue;
        uint32_t above = tree->ports[parent].parent_switch;

        tree->ports[parent].child_switch = i;
        one->depth = above == VMR_RESOLVED_NONE ? 1 : tree->switches[above].depth + 1;
        for (uint32_t k = 0; k < one->port_count; k++)
            tree->ports[one->first_port + k].root_complex = tree->ports[parent].root_complex;
    }
}

static void connect_devices(struct tree *tree)
{
    const struct vmr_config *config = tree->resolving->config;

    for (uint32_t i = 0; i < config->pcie_device_count; i++) {
        uint32_t port = find_port(tree, config->pcie_devices[i].port_name);

        if (port != VMR_RESOLVED_NONE)
            tree->ports[port].device = i;
    }
    for (size_t i = 0; i < config->pcie_generic_initiator_count; i++) {
        uint32_t port = find_port(tree, config->pcie_generic_initiators[i].port_name);

        if (port != VMR_RESOLVED_NONE)
            tree->ports[port].initiator_node = config->pcie_generic_initiators[i].node;
    }
}

/* --- buses --- */

struct numbering {
    struct tree *tree;
    const struct vmr_pcie_root_complex_config *complex;
    uint32_t next; /* bus; above end_bus: there are none left */
};

static uint32_t take_bus(struct numbering *numbering)
{
    return numbering->next++;
}

/* One bus behind every port, two where a switch is. Each step down takes buses, so that it ends with them. */
static void number_ports(struct numbering *numbering, uint32_t first, uint32_t count, uint32_t bus)
{
    for (unsigned devfn = 0; devfn < DEVFN_COUNT && count > 0; devfn++) {
        for (uint32_t i = first; i < first + count; i++) {
            struct vmr_resolved_port *port = &numbering->tree->ports[i];

            if (port->devfn != devfn || numbering->next > numbering->complex->end_bus)
                continue;
            port->bus = (uint8_t)bus;
            port->secondary_bus = (uint8_t)take_bus(numbering);
            if (port->child_switch != VMR_RESOLVED_NONE) {
                struct vmr_resolved_switch *below = &numbering->tree->switches[port->child_switch];
                uint32_t inner = take_bus(numbering);

                below->upstream_bus = port->secondary_bus;
                below->internal_bus = (uint8_t)inner;
                if (inner <= numbering->complex->end_bus)
                    number_ports(numbering, below->first_port, below->port_count, inner);
            }
            port->subordinate_bus = (uint8_t)(numbering->next - 1);
        }
    }
}

static bool number_buses(struct tree *tree)
{
    struct resolving *resolving = tree->resolving;
    bool enough = true;

    for (uint32_t i = 0; i < resolving->machine.pcie.root_complex_count; i++) {
        const struct vmr_resolved_root_complex *complex = &resolving->complexes[i];
        struct numbering numbering = {
            .tree = tree, .complex = complex->config, .next = complex->config->start_bus + 1u};
        uint32_t wanted = numbering.next;

        for (uint32_t k = 0; k < tree->port_count; k++) {
            if (tree->ports[k].root_complex == i)
                wanted += tree->ports[k].child_switch == VMR_RESOLVED_NONE ? 1 : 2;
        }
        if (wanted - 1 > complex->config->end_bus) {
            char path[64];

            (void)snprintf(path, sizeof(path), "pcie_root_complexes[%" PRIu32 "].end_bus", i);
            report_add_text(resolving->report, &rules_number[RULE_NUMBER_BUSES], path,
                            "%.64s needs buses %u to %" PRIu32 ", and has them to %u", complex->config->name,
                            complex->config->start_bus, wanted - 1, complex->config->end_bus);
            enough = false;
            continue;
        }
        number_ports(&numbering, complex->first_port, complex->port_count, complex->config->start_bus);
    }
    return enough;
}

/* --- all of it --- */

static void add_complexes(struct resolving *resolving)
{
    const struct vmr_config *config = resolving->config;
    uint32_t iommu_count = 0;

    for (uint32_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct vmr_pcie_root_complex_config *complex = &config->pcie_root_complexes[i];

        resolving->complexes[i] = (struct vmr_resolved_root_complex){
            .config = complex,
            .iommu = VMR_RESOLVED_NONE,
            .vnode = complex->vnode.given ? complex->vnode.value : VMR_RESOLVED_NONE};
        if (complex->iommu == VMR_PCIE_IOMMU_NONE)
            continue;
        resolving->complexes[i].iommu = iommu_count;
        resolving->iommus[iommu_count++] = (struct vmr_resolved_iommu){.kind = complex->iommu, .root_complex = i};
    }
    resolving->machine.pcie.iommu_count = iommu_count;
}

static bool make_room(struct tree *tree)
{
    struct resolving *resolving = tree->resolving;
    const struct vmr_config *config = resolving->config;
    size_t ports = 0, complexes = config->pcie_root_complex_count;

    for (size_t i = 0; i < complexes; i++)
        ports += config->pcie_root_complexes[i].port_count;
    for (size_t i = 0; i < config->pcie_switch_count; i++)
        ports += config->pcie_switches[i].port_count;
    tree->switch_count = (uint32_t)config->pcie_switch_count;
    tree->ports = arena_alloc(&resolving->arena, ports, sizeof(*tree->ports));
    tree->switches = arena_alloc(&resolving->arena, config->pcie_switch_count, sizeof(*tree->switches));
    resolving->complexes = arena_alloc(&resolving->arena, complexes, sizeof(*resolving->complexes));
    resolving->iommus = arena_alloc(&resolving->arena, complexes, sizeof(*resolving->iommus));
    return tree->ports && tree->switches && resolving->complexes && resolving->iommus &&
           keys_init(&tree->names, &resolving->arena, ports);
}

enum vmr_status resolve_pcie(struct resolving *resolving)
{
    struct vmr_resolved_pcie *pcie = &resolving->machine.pcie;
    struct tree tree = {.resolving = resolving};

    if (!make_room(&tree))
        return VMR_E_NOMEM;
    add_complexes(resolving);
    *pcie = (struct vmr_resolved_pcie){.root_complexes = resolving->complexes,
                                       .root_complex_count = (uint32_t)resolving->config->pcie_root_complex_count,
                                       .ports = tree.ports,
                                       .switches = tree.switches,
                                       .switch_count = tree.switch_count,
                                       .iommus = resolving->iommus,
                                       .iommu_count = pcie->iommu_count};
    enum vmr_status status = add_root_ports(&tree);

    if (status == VMR_OK)
        status = add_switch_ports(&tree);
    if (status != VMR_OK)
        return status;
    pcie->port_count = tree.port_count;
    keys_sort(&tree.names);
    connect_switches(&tree);
    connect_devices(&tree);
    return number_buses(&tree) ? VMR_OK : VMR_E_CONFIG;
}
