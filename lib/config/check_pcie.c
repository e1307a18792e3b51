/* SPDX-License-Identifier: MIT */
/*
 * Root complexes: names, buses, IOMMUs, CXL. Their windows are in
 * check_windows.c, what is wired to their ports in check_ports.c.
 */

#include "lib/config/check_pcie.h"

#include <inttypes.h>

#include "lib/config/devfn.h"
#include "lib/config/keys.h"

#define RULE(name) &rules_pcie[RULE_PCIE_##name]
#define COMPLEX "pcie_root_complexes[%zu]"

/* There are VMR_CONFIG_ROOT_COMPLEX_MAX at most: looking at all pairs is cheaper than sorting. */
static void check_buses(struct check *check, size_t index)
{
    const struct vmr_pcie_root_complex_config *all = check->config.pcie_root_complexes, *complex = &all[index];

    if (complex->start_bus > complex->end_bus) {
        FOUND(check, RULE(BUS_ORDER), at(check, COMPLEX ".start_bus", index), "bus %u, and end_bus is %u",
              complex->start_bus, complex->end_bus);
        return;
    }
    for (size_t i = 0; i < index; i++) {
        if (all[i].segment != complex->segment || all[i].start_bus > all[i].end_bus)
            continue;
        if (all[i].start_bus > complex->end_bus || complex->start_bus > all[i].end_bus)
            continue;
        FOUND(check, RULE(BUS_OVERLAP), at(check, COMPLEX, index),
              "buses %u to %u of segment %u; those of pcie_root_complexes[%zu] are %u to %u", complex->start_bus,
              complex->end_bus, complex->segment, i, all[i].start_bus, all[i].end_bus);
        return;
    }
}

static void check_iommu(struct check *check, size_t index)
{
    const struct vmr_pcie_root_complex_config *all = check->config.pcie_root_complexes;
    enum vmr_pcie_iommu kind = all[index].iommu;
    bool of_x86 = kind == VMR_PCIE_IOMMU_AMD_VI || kind == VMR_PCIE_IOMMU_INTEL_VTD;

    if ((of_x86 && is_arm64(check)) || (kind == VMR_PCIE_IOMMU_SMMU && is_x86(check))) {
        FOUND(check, RULE(IOMMU_ARCH), at(check, COMPLEX ".iommu", index), "the machine is an %s",
              of_x86 ? "arm64" : "x86-64");
        return;
    }
    for (size_t i = 0; of_x86 && i < index; i++) {
        if (all[i].iommu != VMR_PCIE_IOMMU_AMD_VI && all[i].iommu != VMR_PCIE_IOMMU_INTEL_VTD)
            continue;
        if (all[i].iommu != kind)
            FOUND(check, RULE(IOMMU_MIXED), at(check, COMPLEX ".iommu", index),
                  "pcie_root_complexes[%zu] has one of the other vendor", i);
        return;
    }
}

static void check_cxl(struct check *check, size_t index)
{
    const struct vmr_root_complex_cxl_config *cxl = check->config.pcie_root_complexes[index].cxl;

    if (!cxl)
        return;
    if (cxl->hdm_size == 0)
        FOUND(check, RULE(CXL_SIZE_ZERO), at(check, COMPLEX ".cxl", index), "hdm_size is 0");
    else if (is_multiple(cxl->hdm_size, VMR_CXL_ALIGNMENT) && cxl->hdm_size > ADDRESS_SPACE_SIZE)
        FOUND(check, RULE(CXL_SIZE_LARGE), at(check, COMPLEX ".cxl.hdm_size", index), "%#" PRIx64 ", at most 2^%u",
              cxl->hdm_size, VMR_PHYSICAL_BITS_MAX);
}

static void check_root_ports(struct check *check, const struct port_table *table, size_t index)
{
    const struct vmr_pcie_root_complex_config *complex = &check->config.pcie_root_complexes[index];
    const struct devfn_bus bus = devfn_root_bus(complex);
    struct port_list list = {
        .ports = complex->ports, .count = complex->port_count, .first = table->first_of_complex[index]};

    if (!list_is_usable(complex->ports, complex->port_count))
        return;
    snprintf(list.place, sizeof(list.place), COMPLEX ".ports", index);
    check_port_list(check, table, &list, &bus);
    for (size_t i = 0; !complex->cxl && i < complex->port_count; i++) {
        if (complex->ports[i].cxl)
            FOUND(check, RULE(CXL_PORT_ALONE), at(check, "%s[%zu].cxl", list.place, i), "its root complex has no cxl");
    }
}

static bool sort_identities(struct check *check, struct keys *names, struct keys *numbers)
{
    size_t count = check->config.pcie_root_complex_count;

    if (!keys_init(names, &check->arena, count) || !keys_init(numbers, &check->arena, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        keys_add(names, key_of_text(check->config.pcie_root_complexes[i].name, i));
        keys_add(numbers, (struct key){.number = check->config.pcie_root_complexes[i].index, .id = i});
    }
    keys_sort(names);
    keys_sort(numbers);
    return true;
}

static void check_identity(struct check *check, const struct keys *names, const struct keys *numbers, size_t index)
{
    const struct vmr_pcie_root_complex_config *complex = &check->config.pcie_root_complexes[index];
    const struct key number = {.number = complex->index}, name = key_of_text(complex->name, index);
    size_t first = keys_find(numbers, &number);

    if (first != index)
        FOUND(check, RULE(INDEX_TWICE), at(check, COMPLEX, index),
              "index %" PRIu32 " is that of pcie_root_complexes[%zu]", complex->index, first);
    first = keys_find(names, &name);
    if (name.size > 0 && first != index)
        FOUND(check, RULE(NAME_TWICE), at(check, COMPLEX ".name", index), "'%.40s' is pcie_root_complexes[%zu]",
              complex->name, first);
}

static void check_complexes(struct check *check, const struct port_table *table)
{
    const struct vmr_config *config = &check->config;
    struct keys names, numbers;

    if (!sort_identities(check, &names, &numbers)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config->pcie_root_complex_count; i++) {
        check_identity(check, &names, &numbers, i);
        check_buses(check, i);
        check_windows(check, i);
        check_root_ports(check, table, i);
        check_cxl(check, i);
        check_iommu(check, i);
        check_vnode(check, &config->pcie_root_complexes[i].vnode, at(check, COMPLEX ".vnode", i));
    }
}

void check_pcie(struct check *check)
{
    struct port_table table;

    if (!port_table_init(&table, check)) {
        check->out_of_memory = true;
        return;
    }
    check_complexes(check, &table);
    check_pcie_devices(check, &table);
    check_pcie_switches(check, &table);
    check_initiators(check, &table);
}
