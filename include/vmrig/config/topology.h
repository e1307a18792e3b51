/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Processors, the interrupt controllers that number them, and NUMA nodes with
 * their memory.
 */

#include "vmrig/config/values.h"

VMR_BEGIN_DECLS

enum vmr_arch {
    VMR_ARCH_X86_64,
    VMR_ARCH_ARM64,
    VMR_ARCH_COUNT
};

/* --- x86-64 --- */

enum vmr_x2apic_config {
    VMR_X2APIC_CONFIG_AUTO,        /* as the hypervisor recommends, or as the topology needs */
    VMR_X2APIC_CONFIG_SUPPORTED,   /* there; on at boot if an APIC id needs it */
    VMR_X2APIC_CONFIG_UNSUPPORTED, /* not there: APIC ids end at 254 */
    VMR_X2APIC_CONFIG_ENABLED,     /* on at boot */
    VMR_X2APIC_CONFIG_COUNT
};

struct vmr_x86_topology_config {
    uint32_t apic_id_offset; /* rounded down to a multiple of a socket's APIC ids */
    enum vmr_x2apic_config x2apic;
};

/* --- arm64 --- */

#define VMR_DEFAULT_GIC_DISTRIBUTOR_BASE UINT64_C(0xffff0000)
/* KVM's GICv3 wants 64 KiB alignment; other hosts have the second. */
#define VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_LINUX UINT64_C(0xefff0000)
#define VMR_DEFAULT_GIC_REDISTRIBUTORS_BASE_OTHER UINT64_C(0xeffee000)
#define VMR_GIC_V2_DISTRIBUTOR_SIZE UINT64_C(0x1000)
#define VMR_GIC_V3_DISTRIBUTOR_SIZE UINT64_C(0x10000)
#define VMR_GIC_CPU_INTERFACE_SIZE UINT64_C(0x2000)
#define VMR_GIC_REDISTRIBUTOR_SIZE UINT64_C(0x20000) /* for each VP */
#define VMR_DEFAULT_GIC_V2M_MSI_FRAME_BASE UINT64_C(0xeffe8000)
#define VMR_GIC_V2M_MSI_FRAME_SIZE UINT64_C(0x1000)
#define VMR_DEFAULT_GIC_V2M_SPI_COUNT 64u
#define VMR_DEFAULT_GIC_ITS_BASE UINT64_C(0xeffc0000) /* a multiple of 64 KiB */
#define VMR_GIC_ITS_SIZE UINT64_C(0x20000)            /* control and translation frame */
#define VMR_DEFAULT_VIRT_TIMER_PPI 20u                /* an interrupt id: PPI 4 */
#define VMR_DEFAULT_VMBUS_PPI 18u
#define VMR_DEFAULT_GIC_NR_IRQS 992u /* 64 to 992, a multiple of 32 */
#define VMR_PL011_SIZE UINT64_C(0x1000)
#define VMR_DEFAULT_PL011_BASE_0 UINT64_C(0xeffec000) /* SPI 1 */
#define VMR_DEFAULT_PL011_BASE_1 UINT64_C(0xeffeb000) /* SPI 2 */

enum vmr_gic_version {
    VMR_GIC_DEFAULT, /* 3 if the hypervisor has it, else 2 */
    VMR_GIC_V2,
    VMR_GIC_V3,
    VMR_GIC_VERSION_COUNT
};

struct vmr_gic_config {
    enum vmr_gic_version version;
    struct vmr_optional_u64 gic_distributor_base;
    struct vmr_optional_u64 cpu_interface_base;      /* version 2 */
    struct vmr_optional_u64 gic_redistributors_base; /* version 3 */
};

enum vmr_pmu_gsiv_config {
    VMR_PMU_GSIV_PLATFORM, /* the hypervisor's; without one there is no PMU */
    VMR_PMU_GSIV_GIVEN,
    VMR_PMU_GSIV_DISABLED,
    VMR_PMU_GSIV_CONFIG_COUNT
};

enum vmr_gic_msi_config {
    VMR_GIC_MSI_AUTO, /* ITS where version 3 and the hypervisor have it, else v2m */
    VMR_GIC_MSI_ITS,  /* version 3 alone */
    VMR_GIC_MSI_V2M,
    VMR_GIC_MSI_CONFIG_COUNT
};

struct vmr_arm64_topology_config {
    struct vmr_gic_config gic_config;
    struct {
        enum vmr_pmu_gsiv_config kind;
        uint32_t gsiv; /* with GIVEN: a PPI's interrupt id, 16 to 31 */
    } pmu_gsiv;
    struct {
        enum vmr_gic_msi_config kind;
        struct vmr_optional_u32 spi_count; /* with V2M */
    } gic_msi;
    struct vmr_optional_u32 gic_nr_irqs;
    struct vmr_optional_u32 virt_timer_ppi;
};

/* --- both --- */

#define VMR_CONFIG_VP_MAX 1024u
#define VMR_VPS_PER_SOCKET_MAX 32768u

struct vmr_processor_config {
    uint32_t proc_count;                    /* 0: 1 */
    struct vmr_optional_u32 vps_per_socket; /* clamped to 1..VMR_VPS_PER_SOCKET_MAX; all VPs in one socket */
    struct vmr_optional_bool enable_smt;    /* two threads a core; off. No effect in sockets of one VP */
    /* At most one, and that of the machine's architecture. NULL: its defaults. */
    const struct vmr_x86_topology_config *x86;
    const struct vmr_arm64_topology_config *arm64;
};

/* --- memory and NUMA --- */

#define VMR_CONFIG_NUMA_NODE_MAX 64u

/* What one node's memory consists of on the host. */
struct vmr_memory_config {
    uint64_t mem_size;    /* bytes, a multiple of 4 KiB; 0: a node without memory */
    bool prefetch_memory; /* touched before the guest runs */
    bool private_memory;  /* anonymous memory; else shared, as other processes can map it */
    bool transparent_hugepages;
    bool hugepages;                        /* from the host's pool, of `hugepage_size` */
    struct vmr_optional_u64 hugepage_size; /* with `hugepages`: a power of two, 2 MiB unless given */
    struct vmr_optional_u32 host_numa_node;
};

enum vmr_vp_assignment {
    VMR_VPS_FROM_TOPOLOGY, /* sockets in turn over the nodes that say so */
    VMR_VPS_EXPLICIT,      /* also an empty list, which goes not with FROM_TOPOLOGY */
    VMR_VPS_EMPTY,         /* a node without VPs */
    VMR_VP_ASSIGNMENT_COUNT
};

struct vmr_numa_node {
    const struct vmr_memory_config *mem; /* NULL: none */
    struct {
        enum vmr_vp_assignment kind;
        const uint32_t *list; /* with EXPLICIT */
        size_t list_count;
    } vps;
};

#define VMR_NUMA_DISTANCE_SELF 10u
#define VMR_NUMA_DISTANCE_DEFAULT 20u
#define VMR_NUMA_DISTANCE_UNREACHABLE 255u

struct vmr_numa_distance {
    uint32_t src, dst;
    uint8_t distance; /* at least 10; to itself 10. Of several for a pair, the last counts. */
};

/* A node's number is its index. */
struct vmr_numa_config {
    const struct vmr_numa_node *nodes;
    size_t node_count;
    const struct vmr_numa_distance *distances; /* what is missing: 10 to itself, else 20 */
    size_t distance_count;
};

VMR_END_DECLS
