/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The machine that a configuration asks for: every number and address that the
 * configuration leaves open.
 *
 * A pure function of the configuration. Guest addresses and interrupt numbers
 * are what a guest that hibernates, or a snapshot, relies on: the same
 * configuration gives the same machine in any process, locale and release, and
 * what is added behind RAM moves nothing. [RES-1]
 */

#include "vmrig/caps.h"
#include "vmrig/config_report.h"

VMR_BEGIN_DECLS

/* --- processors --- */

struct vmr_resolved_vp {
    uint32_t apic_id; /* x86-64 */
    uint64_t mpidr;   /* arm64: affinity bytes, the uniprocessor bit, MT */
    uint32_t vnode;
    uint32_t socket, core, thread; /* core within its socket, thread within its core */
};

enum vmr_x2apic {
    VMR_X2APIC_UNSUPPORTED,
    VMR_X2APIC_SUPPORTED,
    VMR_X2APIC_ENABLED, /* at boot */
    VMR_X2APIC_COUNT
};

struct vmr_resolved_gic {
    enum vmr_gic_version version; /* with DEFAULT in the configuration: 3 */
    struct vmr_gpa_range distributor;
    struct vmr_gpa_range redistributors; /* version 3 */
    struct vmr_gpa_range cpu_interface;  /* version 2 */
    uint32_t nr_irqs, virt_timer_ppi, vmbus_ppi;
    struct vmr_optional_u32 pmu_gsiv; /* not given: as the hypervisor has it, or none */
    bool pmu_disabled;
    enum vmr_gic_msi_config msi; /* AUTO: to be chosen with the hypervisor; room is kept for both */
    struct vmr_gpa_range its;    /* unless V2M or version 2 */
    struct vmr_gpa_range v2m;    /* unless ITS */
    uint32_t v2m_spi_base, v2m_spi_count;
};

struct vmr_resolved_processors {
    const struct vmr_resolved_vp *vps;
    uint32_t vp_count, vps_per_socket, socket_count;
    bool smt;
    enum vmr_x2apic x2apic;             /* x86-64 */
    const struct vmr_resolved_gic *gic; /* arm64; else NULL */
};

/* --- NUMA --- */

struct vmr_resolved_node {
    const struct vmr_memory_config *mem; /* NULL: none */
    uint32_t vp_count;
};

struct vmr_resolved_numa {
    const struct vmr_resolved_node *nodes;
    uint32_t node_count;
    const uint8_t *distances; /* node_count rows of node_count: [src * node_count + dst] */
};

/* --- addresses --- */

/* Phases of the layout, in their order. */
enum vmr_layout_phase {
    VMR_LAYOUT_RESERVED, /* taken out; not part of the machine */
    VMR_LAYOUT_FIXED,
    VMR_LAYOUT_MMIO32, /* the highest that fits below 4 GiB */
    VMR_LAYOUT_RAM,    /* upwards, around what lies there; never back */
    VMR_LAYOUT_MMIO64, /* upwards from 4 GiB or the end of RAM */
    VMR_LAYOUT_POST_MMIO,
    VMR_LAYOUT_PHASE_COUNT
};

/* "reserved", "fixed", "mmio32", "ram", "mmio64", "post-mmio"; "unknown" for a number that is none. Any thread. */
VMR_API const char *vmr_layout_phase_name(enum vmr_layout_phase phase);

struct vmr_layout_request {
    const char *tag;  /* "ram0", "chipset-low-mmio": what errors and maps call it */
    const char *path; /* of findings; NULL: the tag */
    enum vmr_layout_phase phase;
    uint64_t size;      /* a nonzero multiple of 4 KiB; FIXED and RESERVED: the range's */
    uint64_t alignment; /* a power of two from 4 KiB; FIXED and RESERVED: not looked at */
    vmr_gpa start;      /* FIXED and RESERVED */
    uint32_t owner;     /* the caller's, handed on */
};

/* A request has one placement; RAM has one for each piece. */
struct vmr_placement {
    const char *tag;
    enum vmr_layout_phase phase;
    struct vmr_gpa_range range;
    uint32_t request; /* index of the request */
    uint32_t owner;
};

/*
 * The engine by itself. Validates all requests, then places them in phases;
 * within a phase MMIO32 and MMIO64 go by alignment, then size, descending, the
 * rest as given. Placements come out in ascending order, reserved ones behind
 * the last other left out. `ret_placements` is freed with free(). Findings name
 * the tag. Any thread. [LAY-1] to [LAY-5]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_layout_place(const struct vmr_layout_request *requests, size_t count,
                                                        struct vmr_placement **ret_placements, size_t *ret_count,
                                                        struct vmr_config_report *report);

struct vmr_resolved_ram {
    struct vmr_gpa_range range;
    uint32_t vnode;
};

struct vmr_resolved_memory {
    const struct vmr_placement *placements; /* all, ascending */
    size_t placement_count;
    const struct vmr_resolved_ram *ram; /* ascending in the order of nodes */
    size_t ram_count;
    uint64_t ram_size;
    /* Of the chipset. Empty: start == end. */
    struct vmr_gpa_range chipset_low_mmio, chipset_high_mmio, vtl2_chipset_mmio;
    struct vmr_gpa_range vtl2_ram; /* IGVM with MEMORY_LAYOUT and a size */
    struct vmr_gpa_range vtl2_framebuffer;
    struct vmr_gpa_range virtio_mmio; /* 4 KiB a device */
    vmr_gpa top;                      /* behind the last thing that is not reserved */
};

/* --- PCI Express --- */

#define VMR_RESOLVED_NONE UINT32_MAX

struct vmr_resolved_port {
    const struct vmr_pcie_port_config *config;
    uint32_t root_complex;
    uint32_t parent_switch; /* VMR_RESOLVED_NONE: of the root complex itself */
    uint8_t bus, devfn;     /* where the port is; buses as firmware that goes depth first numbers them */
    uint8_t secondary_bus, subordinate_bus;
    uint32_t child_switch; /* VMR_RESOLVED_NONE: none */
    uint32_t device;       /* index in the configuration's pcie_devices; VMR_RESOLVED_NONE: none */
    uint32_t initiator_node;
};

struct vmr_resolved_switch {
    const struct vmr_pcie_switch_config *config;
    uint32_t parent_port; /* index in ports */
    uint8_t upstream_bus; /* its upstream port is device 0, function 0 there */
    uint8_t internal_bus; /* its downstream ports' */
    uint32_t first_port, port_count;
    uint32_t depth; /* 1 behind a root port */
};

struct vmr_resolved_iommu {
    enum vmr_pcie_iommu kind;
    uint32_t root_complex;
    struct vmr_gpa_range mmio;
    uint32_t event_spi, error_spi; /* SMMU */
};

struct vmr_resolved_root_complex {
    const struct vmr_pcie_root_complex_config *config;
    struct vmr_gpa_range ecam; /* its buses' part of the segment's */
    vmr_gpa ecam_base;         /* where bus 0 of the segment would be */
    struct vmr_gpa_range low_mmio, high_mmio;
    struct vmr_gpa_range cxl_hdm, cxl_chbcr; /* empty without CXL */
    uint32_t first_port, port_count;         /* its root ports */
    uint32_t iommu;                          /* index; VMR_RESOLVED_NONE */
    uint32_t vnode;                          /* VMR_RESOLVED_NONE: not given */
};

struct vmr_resolved_pcie {
    const struct vmr_resolved_root_complex *root_complexes;
    uint32_t root_complex_count;
    const struct vmr_resolved_port *ports; /* root ports by complex, then those of switches, as configured */
    uint32_t port_count;
    const struct vmr_resolved_switch *switches;
    uint32_t switch_count;
    const struct vmr_resolved_iommu *iommus;
    uint32_t iommu_count;
};

/* --- all of it --- */

struct vmr_resolved_virtio_mmio {
    struct vmr_gpa_range range;
    uint32_t device; /* index in virtio_devices */
    uint32_t irq;    /* x86-64: a GSI; arm64: an SPI's interrupt id */
};

struct vmr_resolved {
    const struct vmr_config *config; /* borrowed: must outlive this */
    struct vmr_resolved_processors processors;
    struct vmr_resolved_numa numa;
    struct vmr_resolved_memory memory;
    struct vmr_resolved_pcie pcie;
    const struct vmr_resolved_virtio_mmio *virtio_mmio;
    uint32_t virtio_mmio_count;
    uint8_t physical_bits_needed; /* 2^this is not below `memory.top` */
};

/*
 * Checks the configuration first (vmr_config_check): what passes can still not
 * fit its address space, bus numbers or interrupts. VMR_E_CONFIG with findings;
 * VMR_E_NOMEM. Any thread. [RES-1] [RES-2]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resolve(const struct vmr_config *config, struct vmr_resolved **ret_resolved,
                                                   struct vmr_config_report *report);
VMR_API void vmr_resolved_destroy(struct vmr_resolved *resolved); /* NULL is fine */

/* What a hypervisor is asked for, beside vmr_caps. */
struct vmr_resolve_host {
    enum vmr_arch arch;
    struct vmr_caps caps;
    bool x2apic, gic_v2, gic_v3, its, nested_virt; /* what it has */
    bool isolation_vbs, isolation_snp, isolation_tdx;
    struct vmr_optional_u32 pmu_gsiv;
};
/*
 * Whether this host can run it: the one step that looks at a host. Findings are
 * of VMR_E_UNSUPPORTED's kind: the configuration is right, and not for here. [RES-3]
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resolved_check_host(const struct vmr_resolved *resolved,
                                                               const struct vmr_resolve_host *host,
                                                               struct vmr_config_report *report);
/* Where VTL 0's memory lies once more for VTL 2 on a host of so many address bits; 0 without an alias map. */
VMR_API vmr_gpa vmr_resolved_alias_map(const struct vmr_resolved *resolved, uint8_t physical_bits);

/* As text for people: topology, address map, PCIe tree; and as JSON and SVG for programs and pages. Deterministic. */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resolved_print(const struct vmr_resolved *resolved,
                                                          struct vmr_config_text *ret_text, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resolved_print_json(const struct vmr_resolved *resolved,
                                                               struct vmr_config_text *ret_text, struct vmr_error *err);
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resolved_print_svg(const struct vmr_resolved *resolved,
                                                              struct vmr_config_text *ret_text, struct vmr_error *err);

VMR_END_DECLS
