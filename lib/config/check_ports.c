/* SPDX-License-Identifier: MIT */
/*
 * Ports, and what is wired to them by name: devices, switches with further
 * ports, generic initiators.
 */

#include "lib/config/check_pcie.h"

#include <inttypes.h>

#define RULE(name) &rules_pcie[RULE_PCIE_##name]

#define ACS_KNOWN 0xffu

/* --- the table --- */

static size_t usable_ports(const struct vmr_pcie_port_config *ports, size_t count)
{
    return list_is_usable(ports, count) ? count : 0;
}

static size_t count_ports(const struct vmr_config *config)
{
    size_t count = 0;

    for (size_t i = 0; i < config->pcie_root_complex_count; i++)
        count += usable_ports(config->pcie_root_complexes[i].ports, config->pcie_root_complexes[i].port_count);
    for (size_t i = 0; i < config->pcie_switch_count; i++)
        count += usable_ports(config->pcie_switches[i].ports, config->pcie_switches[i].port_count);
    return count;
}

/* `like` says whose they are. */
static void add_ports(struct port_table *table, const struct vmr_pcie_port_config *ports, size_t count,
                      const struct port_entry *like)
{
    for (size_t i = 0; i < usable_ports(ports, count); i++) {
        table->entries[table->count] = *like;
        table->entries[table->count].cxl = ports[i].cxl;
        keys_add(&table->names, key_of_text(ports[i].name, table->count));
        table->count++;
    }
}

bool port_table_init(struct port_table *table, struct check *check)
{
    const struct vmr_config *config = &check->config;
    size_t count = count_ports(config);

    *table = (struct port_table){
        .entries = arena_alloc(&check->arena, count, sizeof(*table->entries)),
        .first_of_switch = arena_alloc(&check->arena, config->pcie_switch_count, sizeof(size_t)),
        .first_of_complex = arena_alloc(&check->arena, config->pcie_root_complex_count, sizeof(size_t)),
    };
    if (!table->entries || !table->first_of_switch || !table->first_of_complex ||
        !keys_init(&table->names, &check->arena, count))
        return false;
    for (size_t i = 0; i < config->pcie_root_complex_count; i++) {
        const struct port_entry like = {.owner = i};

        table->first_of_complex[i] = table->count;
        add_ports(table, config->pcie_root_complexes[i].ports, config->pcie_root_complexes[i].port_count, &like);
    }
    for (size_t i = 0; i < config->pcie_switch_count; i++) {
        const struct port_entry like = {.owner = i, .on_switch = true};

        table->first_of_switch[i] = table->count;
        add_ports(table, config->pcie_switches[i].ports, config->pcie_switches[i].port_count, &like);
    }
    keys_sort(&table->names);
    return true;
}

struct port_entry *port_table_find(const struct port_table *table, const char *name)
{
    const struct key key = key_of_text(name, 0);
    size_t id = keys_find(&table->names, &key);

    return id == KEYS_NONE ? NULL : &table->entries[id];
}

/* --- a list of ports --- */

static void check_port(struct check *check, const struct port_table *table, const struct port_list *list, size_t index)
{
    const struct vmr_pcie_port_config *port = &list->ports[index];
    const struct key name = key_of_text(port->name, 0);

    if (name.size > 0 && keys_find(&table->names, &name) != list->first + index)
        FOUND(check, RULE(PORT_NAME_TWICE), at(check, "%s[%zu].name", list->place, index), "'%.40s' is another port's",
              port->name);
    if (port->acs_capabilities_supported.given && port->acs_capabilities_supported.value & ~ACS_KNOWN)
        FOUND(check, RULE(ACS_BITS), at(check, "%s[%zu].acs_capabilities_supported", list->place, index), "%#x",
              port->acs_capabilities_supported.value);
}

static void say_devfn(struct check *check, const struct port_list *list, const struct devfn_place *place, size_t index)
{
    bool given = list->ports[index].devfn.given;
    const struct config_path *where = at(check, given ? "%s[%zu].devfn" : "%s[%zu]", list->place, index);
    unsigned device = place->devfn >> 3, function = place->devfn & 7;

    switch (place->problem) {
    case DEVFN_IN_USE:
        FOUND(check, RULE(DEVFN_IN_USE), where, "%u.%u is the place of port %" PRIu32, device, function, place->other);
        break;
    case DEVFN_RESERVED:
        FOUND(check, RULE(DEVFN_RESERVED), where, "%u.%u, and device %u is no port's", device, function, device);
        break;
    case DEVFN_FUNCTION_ZERO_MISSING:
        FOUND(check, RULE(FUNCTION_ZERO), where, "%u.%u, and device %u has no function 0", device, function, device);
        break;
    case DEVFN_OK:
        break;
    }
}

void check_port_list(struct check *check, const struct port_table *table, const struct port_list *list,
                     const struct devfn_bus *bus)
{
    size_t count_max = devfn_capacity(bus);
    bool fits = list->count <= count_max;
    struct devfn_place places[DEVFN_COUNT];

    if (fits)
        devfn_assign(bus, list->ports, list->count, places);
    else
        FOUND(check, RULE(PORTS_MANY), at(check, "%s", list->place), "%zu ports, at most %zu", list->count, count_max);
    for (size_t i = 0; i < list->count; i++) {
        check_port(check, table, list, i);
        if (fits)
            say_devfn(check, list, &places[i], i);
    }
}

/* --- what is behind ports --- */

static void take_port(struct check *check, struct port_entry *port, enum port_user user, size_t index)
{
    const char *list = user == PORT_SWITCH ? "pcie_switches" : "pcie_devices";
    const char *key = user == PORT_SWITCH ? "parent_port" : "port_name";

    if (port->user != PORT_FREE) {
        FOUND(check, RULE(PORT_OCCUPIED), at(check, "%s[%zu].%s", list, index, key), "%s[%zu] is behind it",
              port->user == PORT_SWITCH ? "pcie_switches" : "pcie_devices", port->user_index);
        return;
    }
    port->user = user;
    port->user_index = index;
}

void check_pcie_devices(struct check *check, struct port_table *table)
{
    for (size_t i = 0; i < check->config.pcie_device_count; i++) {
        const char *name = check->config.pcie_devices[i].port_name;
        struct port_entry *port = port_table_find(table, name);

        if (port)
            take_port(check, port, PORT_DEVICE, i);
        else if (name && *name)
            FOUND(check, RULE(DEVICE_PORT), at(check, "pcie_devices[%zu].port_name", i), "'%.40s' is no port", name);
    }
}

static void check_parent(struct check *check, struct port_table *table, size_t index)
{
    const char *name = check->config.pcie_switches[index].parent_port;
    struct port_entry *port = port_table_find(table, name);
    const struct config_path *place = at(check, "pcie_switches[%zu].parent_port", index);

    if (!name || !*name)
        return;
    if (!port)
        FOUND(check, RULE(SWITCH_PARENT), place, "'%.40s' is no port", name);
    else if (port->on_switch && port->owner == index)
        FOUND(check, RULE(SWITCH_SELF), place, "'%.40s' is a port of its own", name);
    else if (port->on_switch && port->owner > index)
        FOUND(check, RULE(SWITCH_ORDER), place, "'%.40s' is a port of pcie_switches[%zu], which comes later", name,
              port->owner);
    else if (port->cxl)
        FOUND(check, RULE(SWITCH_CXL_PARENT), place, "'%.40s' is a CXL port", name);
    else
        take_port(check, port, PORT_SWITCH, index);
}

static void check_switch_ports(struct check *check, const struct port_table *table, size_t index)
{
    const struct vmr_pcie_switch_config *config = &check->config.pcie_switches[index];
    const struct devfn_bus bus = {0};
    struct port_list list = {
        .ports = config->ports, .count = config->port_count, .first = table->first_of_switch[index]};
    bool said = false;

    if (!list_is_usable(config->ports, config->port_count))
        return;
    snprintf(list.place, sizeof(list.place), "pcie_switches[%zu].ports", index);
    check_port_list(check, table, &list, &bus);
    for (size_t i = 0; i < config->port_count; i++) {
        if (config->ports[i].cxl)
            FOUND(check, RULE(CXL_SWITCH), at(check, "%s[%zu].cxl", list.place, i), "a port of a switch");
        if (!said && config->ports[i].pasid != config->ports[0].pasid) {
            FOUND(check, RULE(SWITCH_PASID), at(check, "%s[%zu]", list.place, i), "pasid is %s, and %s at port 0",
                  config->ports[i].pasid ? "set" : "not set", config->ports[0].pasid ? "set" : "not set");
            said = true;
        }
    }
}

void check_pcie_switches(struct check *check, struct port_table *table)
{
    const struct vmr_config *config = &check->config;
    struct keys names;

    if (!keys_init(&names, &check->arena, config->pcie_switch_count)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config->pcie_switch_count; i++)
        keys_add(&names, key_of_text(config->pcie_switches[i].name, i));
    keys_sort(&names);
    for (size_t i = 0; i < config->pcie_switch_count; i++) {
        const struct key name = key_of_text(config->pcie_switches[i].name, i);

        if (name.size > 0 && keys_find(&names, &name) != i)
            FOUND(check, RULE(SWITCH_NAME_TWICE), at(check, "pcie_switches[%zu].name", i),
                  "'%.40s' is pcie_switches[%zu]", config->pcie_switches[i].name, keys_find(&names, &name));
        check_parent(check, table, i);
        check_switch_ports(check, table, i);
    }
}

static void check_initiator(struct check *check, const struct port_table *table, size_t index, bool is_first)
{
    const struct vmr_pcie_generic_initiator_config *initiator = &check->config.pcie_generic_initiators[index];
    const struct port_entry *port = port_table_find(table, initiator->port_name);
    const struct config_path *place = at(check, "pcie_generic_initiators[%zu].port_name", index);

    if (initiator->port_name && *initiator->port_name) {
        if (!port)
            FOUND(check, RULE(INITIATOR_PORT), place, "'%.40s' is no port", initiator->port_name);
        else if (!is_first)
            FOUND(check, RULE(INITIATOR_TWICE), place, "'%.40s' has a node", initiator->port_name);
        else if (port->user == PORT_SWITCH)
            FOUND(check, RULE(INITIATOR_SWITCH), place, "pcie_switches[%zu] is behind '%.40s'", port->user_index,
                  initiator->port_name);
    }
    if (check->nodes_known && initiator->node >= check->config.numa.node_count)
        FOUND(check, RULE(INITIATOR_NODE), at(check, "pcie_generic_initiators[%zu].node", index),
              "node %" PRIu32 ", and there are %zu", initiator->node, check->config.numa.node_count);
}

void check_initiators(struct check *check, const struct port_table *table)
{
    const struct vmr_config *config = &check->config;
    struct keys names;

    if (!keys_init(&names, &check->arena, config->pcie_generic_initiator_count)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config->pcie_generic_initiator_count; i++)
        keys_add(&names, key_of_text(config->pcie_generic_initiators[i].port_name, i));
    keys_sort(&names);
    for (size_t i = 0; i < config->pcie_generic_initiator_count; i++) {
        const struct key name = key_of_text(config->pcie_generic_initiators[i].port_name, i);

        check_initiator(check, table, i, keys_find(&names, &name) == i);
    }
}
