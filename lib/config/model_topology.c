/* SPDX-License-Identifier: MIT */
/*
 * Tables: processors, interrupt controllers, NUMA nodes.
 */

#include "lib/config/model_fields.h"

static const char *const x2apics[VMR_X2APIC_CONFIG_COUNT] = {
    [VMR_X2APIC_CONFIG_AUTO] = "auto",
    [VMR_X2APIC_CONFIG_SUPPORTED] = "supported",
    [VMR_X2APIC_CONFIG_UNSUPPORTED] = "unsupported",
    [VMR_X2APIC_CONFIG_ENABLED] = "enabled",
};

#define OF struct vmr_x86_topology_config
static const struct model_field x86_fields[] = {
    {KEY(apic_id_offset), .kind = MODEL_UNSIGNED, .about = "The first APIC id, rounded down to a socket's."},
    {KEY(x2apic), NAMES(x2apics), .about = "Whether there are APIC ids above 254."},
};
static const struct model_struct x86 = {"x86_topology", "Processors of x86-64.", TABLE(x86_fields)};
#undef OF

static const char *const gic_versions[VMR_GIC_VERSION_COUNT] = {
    [VMR_GIC_DEFAULT] = "default",
    [VMR_GIC_V2] = "v2",
    [VMR_GIC_V3] = "v3",
};

#define OF struct vmr_gic_config
static const struct model_field gic_fields[] = {
    {KEY(version), NAMES(gic_versions), .about = "3 if the hypervisor has it, else 2."},
    {OPTIONAL(gic_distributor_base), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "0xffff0000."},
    {OPTIONAL(cpu_interface_base), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "Of version 2."},
    {OPTIONAL(gic_redistributors_base), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "Of version 3."},
};
static const struct model_struct gic = {"gic", "The interrupt controller.", TABLE(gic_fields)};
#undef OF

#define OF struct vmr_optional_u32
static const struct model_field v2m_fields[] = {
    {.name = "spi_count",
     PLACE(value),
     .optional = true,
     .given = offsetof(OF, given),
     .kind = MODEL_UNSIGNED,
     .about = "SPIs for PCIe interrupts; 64."},
};
static const struct model_struct v2m = {"gic_v2m", "Messages become SPIs.", TABLE(v2m_fields)};
#undef OF

#define OF struct vmr_arm64_topology_config
static const struct model_field pmu_kinds[VMR_PMU_GSIV_CONFIG_COUNT] = {
    [VMR_PMU_GSIV_PLATFORM] = {.name = "platform", .about = "The hypervisor's; without one there is no PMU."},
    [VMR_PMU_GSIV_GIVEN] = {.name = "gsiv",
                            .kind = MODEL_UNSIGNED,
                            .offset = INSIDE(pmu_gsiv, gsiv),
                            .width = sizeof(uint32_t),
                            .min = 16,
                            .max = 31,
                            .about = "This interrupt id, of a PPI."},
    [VMR_PMU_GSIV_DISABLED] = {.name = "disabled", .about = "There is no PMU."},
};
static const struct model_field msi_kinds[VMR_GIC_MSI_CONFIG_COUNT] = {
    [VMR_GIC_MSI_AUTO] = {.name = "auto", .about = "ITS where version 3 and the hypervisor have it, else v2m."},
    [VMR_GIC_MSI_ITS] = {.name = "its", .about = "Version 3 alone."},
    [VMR_GIC_MSI_V2M] = {.name = "v2m",
                         .kind = MODEL_STRUCT,
                         .type = &v2m,
                         .offset = INSIDE(gic_msi, spi_count),
                         .about = "A frame of SPIs."},
};
static const struct model_field arm64_fields[] = {
    {KEY(gic_config), .kind = MODEL_STRUCT, .type = &gic, .about = "The interrupt controller."},
    {KEY(pmu_gsiv), .kind = MODEL_CHOICE, ALTERNATIVES(pmu_kinds), .tag = INSIDE(pmu_gsiv, kind),
     .tag_width = sizeof(enum vmr_pmu_gsiv_config), .about = "The performance counters' interrupt."},
    {KEY(gic_msi), .kind = MODEL_CHOICE, ALTERNATIVES(msi_kinds), .tag = INSIDE(gic_msi, kind),
     .tag_width = sizeof(enum vmr_gic_msi_config), .about = "How messages of PCIe devices become interrupts."},
    {OPTIONAL(gic_nr_irqs), .kind = MODEL_UNSIGNED, .min = 64, .max = VMR_DEFAULT_GIC_NR_IRQS, .align = 32,
     .about = "Interrupts of the GIC; 992."},
    {OPTIONAL(virt_timer_ppi), .kind = MODEL_UNSIGNED, .min = 16, .max = 31,
     .about = "The virtual timer's interrupt id; 20."},
};
static const struct model_struct arm64 = {"arm64_topology", "Processors of arm64.", TABLE(arm64_fields)};
#undef OF

#define OF struct vmr_processor_config
static const struct model_field processor_fields[] = {
    {KEY(proc_count), .kind = MODEL_UNSIGNED, .max = VMR_CONFIG_VP_MAX, .about = "Virtual processors; 1."},
    {OPTIONAL(vps_per_socket), .kind = MODEL_UNSIGNED, .about = "All in one socket unless given."},
    {OPTIONAL(enable_smt), .kind = MODEL_BOOL, .about = "Two threads a core."},
    {KEY(x86), .kind = MODEL_POINTER, .type = &x86, .about = "Of a machine of x86-64."},
    {KEY(arm64), .kind = MODEL_POINTER, .type = &arm64, .about = "Of a machine of arm64."},
};
const struct model_struct model_processors = {"processor_topology", "The processors.", TABLE(processor_fields)};
#undef OF

#define OF struct vmr_memory_config
static const struct model_field memory_fields[] = {
    {KEY(mem_size), .kind = MODEL_UNSIGNED, .is_size = true, .align = VMR_PAGE_SIZE, .about = "Bytes of RAM."},
    {KEY(prefetch_memory), .kind = MODEL_BOOL, .about = "Touched before the guest runs."},
    {KEY(private_memory), .kind = MODEL_BOOL, .about = "Anonymous memory, which other processes cannot map."},
    {KEY(transparent_hugepages), .kind = MODEL_BOOL, .about = "The host may use huge pages."},
    {KEY(hugepages), .kind = MODEL_BOOL, .about = "From the host's pool of huge pages."},
    {OPTIONAL(hugepage_size), .kind = MODEL_UNSIGNED, .is_size = true,
     .about = "A power of two; 2 MiB. Only with hugepages."},
    {OPTIONAL(host_numa_node), .kind = MODEL_UNSIGNED, .about = "The host's node that it lies on."},
};
static const struct model_struct memory = {"memory", "A node's memory, and what it is on the host.",
                                           TABLE(memory_fields)};
#undef OF

static const struct model_field vp_index = {.kind = MODEL_UNSIGNED, .width = sizeof(uint32_t)};

#define OF struct vmr_numa_node
static const struct model_field vp_assignments[VMR_VP_ASSIGNMENT_COUNT] = {
    [VMR_VPS_FROM_TOPOLOGY] = {.name = "from_topology", .about = "Sockets in turn over the nodes that say so."},
    [VMR_VPS_EXPLICIT] = {.name = "explicit",
                          .kind = MODEL_ARRAY,
                          .offset = INSIDE(vps, list),
                          .count = INSIDE(vps, list_count),
                          .element = &vp_index,
                          .about = "These."},
    [VMR_VPS_EMPTY] = {.name = "empty", .about = "A node without virtual processors."},
};
static const struct model_field node_fields[] = {
    {KEY(mem), .kind = MODEL_POINTER, .type = &memory, .about = "Its memory."},
    {KEY(vps), .kind = MODEL_CHOICE, ALTERNATIVES(vp_assignments), .tag = INSIDE(vps, kind),
     .tag_width = sizeof(enum vmr_vp_assignment), .about = "Its virtual processors."},
};
static const struct model_struct node = {"numa_node", "A NUMA node.", TABLE(node_fields)};
#undef OF

#define OF struct vmr_numa_distance
static const struct model_field distance_fields[] = {
    {KEY(src), .kind = MODEL_UNSIGNED, .about = "From this node."},
    {KEY(dst), .kind = MODEL_UNSIGNED, .about = "To this node."},
    {KEY(distance), .kind = MODEL_UNSIGNED, .min = VMR_NUMA_DISTANCE_SELF,
     .about = "10 to itself; 255 is unreachable. Of several for a pair the last counts."},
};
static const struct model_struct distance = {"numa_distance", "How far a node's memory is.", TABLE(distance_fields)};
#undef OF

#define OF struct vmr_numa_config
static const struct model_field numa_fields[] = {
    {KEY(nodes), .kind = MODEL_ARRAY, COUNTED(node_count), ELEMENTS_OF(node), .item_max = VMR_CONFIG_NUMA_NODE_MAX,
     .about = "A node's number is its place."},
    {KEY(distances), .kind = MODEL_ARRAY, COUNTED(distance_count), ELEMENTS_OF(distance),
     .about = "What is missing: 10 to itself, else 20."},
};
const struct model_struct model_numa = {"numa", "Nodes of processors and memory.", TABLE(numa_fields)};
#undef OF
