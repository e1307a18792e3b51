/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The steps of resolution, in their order. Each reads what was made before and
 * fills its part of the whole; all memory comes from the arena. VMR_E_CONFIG with
 * findings, or VMR_E_NOMEM.
 */

#include "lib/config/arena.h"
#include "lib/config/report.h"
#include "vmrig/resolved.h"

struct resolving {
    struct vmr_resolved machine; /* first: what the caller gets */
    struct arena arena;
    const struct vmr_config *config;
    struct vmr_config_report *report; /* while resolving */
    /* Between steps. */
    struct vmr_resolved_iommu *iommus;
    struct vmr_resolved_root_complex *complexes;
    struct vmr_resolved_virtio_mmio *virtio;
    struct vmr_resolved_gic *gic;
};

/* Sockets, cores, threads and their ids; VPs belong to no node yet. */
VMR_MUST_CHECK enum vmr_status resolve_processors(struct resolving *resolving);
/* GIC, and the SPIs of everything that needs one. The PCIe tree has its IOMMUs. */
VMR_MUST_CHECK enum vmr_status resolve_interrupts(struct resolving *resolving);
/* Nodes, and which VP is in which. */
VMR_MUST_CHECK enum vmr_status resolve_numa(struct resolving *resolving);
/* Ports, switches, buses, devices, IOMMUs: numbers, no addresses. */
VMR_MUST_CHECK enum vmr_status resolve_pcie(struct resolving *resolving);
/* Every address. */
VMR_MUST_CHECK enum vmr_status resolve_memory(struct resolving *resolving);
