/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Resolved machines made by hand, from a few numbers: what the tables are tested
 * with. They keep what a resolution promises (disjoint ranges, numbers that are
 * in range), and are not what one would place.
 */

#include "vmrig/firmware_tables.h"

#define MACHINE_GIB (UINT64_C(1) << 30)

struct machine_shape {
    const char *name;
    enum vmr_arch arch;
    enum vmr_load_mode load;
    bool boots_by_tree; /* Linux */
    bool serial;
    uint32_t vps, vps_per_socket; /* 0: 1, all */
    bool smt;
    uint32_t apic_id_first;
    uint32_t nodes;                           /* 0: 1 */
    uint64_t node_memory;                     /* 0: 1 GiB */
    uint32_t memory_less;                     /* every so many nodes one without memory; 0: none */
    uint32_t root_complexes, segments, ports; /* ports of each; segments 0: 1 */
    enum vmr_pcie_iommu iommu;
    bool cxl, preserve_bars, initiators;
    uint32_t virtio;
    enum vmr_gic_version gic;
    enum vmr_gic_msi_config msi;
    bool pmu, vmbus, legacy, power_management, high_mmio;
};

struct machine;
/* Never fails; freed with machine_destroy. */
struct machine *machine_create(const struct machine_shape *shape);
void machine_destroy(struct machine *machine);
const struct vmr_resolved *machine_resolved(const struct machine *machine);
/* For tests that change one. */
struct vmr_resolved *machine_change(struct machine *machine);
struct vmr_config *machine_config(struct machine *machine);

/* Those that golden files hold; NULL behind the last. */
const struct machine_shape *machine_shape(size_t index);
/* Another for each number. */
struct machine_shape machine_random_shape(uint64_t number);
