/* SPDX-License-Identifier: MIT */
/*
 * Cases: nodes, memory, VPs and distances.
 */

#include "tests/config/check_cases.h"

#define OF_MEMORY(...) NODES({.mem = OF(vmr_memory_config, __VA_ARGS__)})
#define NODE_MEMORY .mem = OF(vmr_memory_config, .mem_size = GIB)
#define EXPLICIT(...)                                                                                                  \
    .vps = {.kind = VMR_VPS_EXPLICIT,                                                                                  \
            .list = (const uint32_t[]){__VA_ARGS__},                                                                   \
            .list_count = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)}
#define EMPTY_LIST .vps = {.kind = VMR_VPS_EXPLICIT}
#define WITHOUT .vps = {.kind = VMR_VPS_EMPTY}
#define VPS(count) .processor_topology = {.proc_count = count}
#define DISTANCES(...)                                                                                                 \
    .numa = {LIST(nodes, node_count, vmr_numa_node, NODE(GIB), NODE(GIB)),                                             \
             LIST(distances, distance_count, vmr_numa_distance, __VA_ARGS__)}

const struct check_case cases_numa[] = {
    BAD_BARE("NUMA-NODES-NONE", "numa", .arch = VMR_ARCH_X86_64),
    GOOD_BARE(OF_MEMORY(.mem_size = 4 * KIB)),
    BAD_BARE("NUMA-MEMORY-PAGE", "numa.nodes[0].mem.mem_size", OF_MEMORY(.mem_size = GIB + 1)),
    GOOD_BARE(OF_MEMORY(.mem_size = GIB, .hugepages = true)),
    GOOD_BARE(OF_MEMORY(.mem_size = GIB, .hugepages = true, .hugepage_size = SET(GIB))),
    BAD_BARE("NUMA-HUGEPAGE-SIZE-ALONE", "numa.nodes[0].mem.hugepage_size",
             OF_MEMORY(.mem_size = GIB, .hugepage_size = SET(GIB))),
    GOOD_BARE(OF_MEMORY(.mem_size = GIB, .hugepages = true, .hugepage_size = SET(2 * MIB))),
    BAD_BARE("NUMA-HUGEPAGE-SIZE", "numa.nodes[0].mem.hugepage_size",
             OF_MEMORY(.mem_size = GIB, .hugepages = true, .hugepage_size = SET(3 * MIB))),
    BAD_BARE("NUMA-HUGEPAGE-SIZE", "numa.nodes[0].mem.hugepage_size",
             OF_MEMORY(.mem_size = GIB, .hugepages = true, .hugepage_size = SET(MIB))),
    BAD_BARE("NUMA-HUGEPAGE-SIZE", "numa.nodes[0].mem.hugepage_size",
             OF_MEMORY(.mem_size = GIB, .hugepages = true, .hugepage_size = SET(0))),
    BAD_BARE("NUMA-HUGEPAGE-MULTIPLE", "numa.nodes[0].mem.mem_size",
             OF_MEMORY(.mem_size = GIB + MIB, .hugepages = true)),
    BAD_BARE("NUMA-HUGEPAGE-MULTIPLE", "numa.nodes[0].mem.mem_size",
             OF_MEMORY(.mem_size = GIB + 2 * MIB, .hugepages = true, .hugepage_size = SET(GIB))),
    BAD_BARE("NUMA-HUGEPAGES-PRIVATE", "numa.nodes[0].mem.hugepages",
             OF_MEMORY(.mem_size = GIB, .hugepages = true, .private_memory = true)),
    BAD_BARE("NUMA-HUGEPAGES-TRANSPARENT", "numa.nodes[0].mem.hugepages",
             OF_MEMORY(.mem_size = GIB, .hugepages = true, .transparent_hugepages = true)),
    GOOD_BARE(OF_MEMORY(.mem_size = GIB, .transparent_hugepages = true, .private_memory = true)),
    BAD_BARE("NUMA-TRANSPARENT-SHARED", "numa.nodes[0].mem.transparent_hugepages",
             OF_MEMORY(.mem_size = GIB, .transparent_hugepages = true)),
    BAD_BARE("NUMA-MEMORY-OVERFLOW", "numa.nodes", NODES(NODE(GIB << 33), NODE(GIB << 33))),
    GOOD_BARE(NODES(NODE(0), NODE(4 * KIB))),
    BAD_BARE("NUMA-MEMORY-NONE", "numa.nodes", NODES(NODE(0), {.mem = NULL})),
    BAD_BARE("NUMA-MEMORY-WIDTH", "numa.nodes", NODES(NODE((GIB << 22) - 4 * KIB), NODE(8 * KIB))),

    GOOD_BARE(NODES(NODE(GIB << 22)), .layout = {.chipset_high_mmio_size = SET(0)}),
    BAD_BARE("NUMA-VP-MISSING", "numa.nodes[0].vps.explicit[1]", NODES({NODE_MEMORY, EXPLICIT(0, 1025)})),
    BAD_BARE("FIELD-ENUM", "numa.nodes[0].vps", NODES({NODE_MEMORY, .vps = {.kind = (enum vmr_vp_assignment)99}})),
    BAD_BARE("NUMA-DISTANCE-SOURCE", "numa.distances[0].src", DISTANCES({9, 0, 20})),
    BAD_BARE("NUMA-DISTANCE-DESTINATION", "numa.distances[0].dst", DISTANCES({0, UINT32_MAX, 20})),
    GOOD_BARE(NODES({NODE_MEMORY, EXPLICIT(1, 3)}, {NODE_MEMORY, EXPLICIT(2, 0)}), VPS(4)),
    BAD_BARE("NUMA-VP-MISSING", "numa.nodes[1].vps.explicit[0]",
             NODES({NODE_MEMORY, EXPLICIT(1, 3)}, {NODE_MEMORY, EXPLICIT(4, 0)}), VPS(4)),
    BAD_BARE("NUMA-VP-MISSING", "numa.nodes[0].vps.explicit[0]", NODES({NODE_MEMORY, EXPLICIT(1)})),
    BAD_BARE("NUMA-VP-TWICE", "numa.nodes[1].vps.explicit[0]",
             NODES({NODE_MEMORY, EXPLICIT(1, 3)}, {NODE_MEMORY, EXPLICIT(3, 0)}), VPS(4)),
    BAD_BARE("NUMA-VP-TWICE", "numa.nodes[0].vps.explicit[1]", NODES({NODE_MEMORY, EXPLICIT(0, 0)}), VPS(2)),
    BAD_BARE("NUMA-VP-UNASSIGNED", "numa.nodes", NODES({NODE_MEMORY, EXPLICIT(1, 3)}, {NODE_MEMORY, EXPLICIT(2)}),
             VPS(4)),
    BAD_BARE("NUMA-VP-UNASSIGNED", "numa.nodes", NODES({NODE_MEMORY, EXPLICIT(0, 1, 2)}), VPS(4)),
    BAD_BARE("NUMA-VP-UNASSIGNED", "numa.nodes", NODES({NODE_MEMORY, WITHOUT})),
    BAD_BARE("NUMA-VP-UNASSIGNED", "numa.nodes", NODES({NODE_MEMORY, EMPTY_LIST})),
    GOOD_BARE(NODES({NODE_MEMORY, WITHOUT}, {NODE_MEMORY}), VPS(4)),
    GOOD_BARE(NODES({NODE_MEMORY, EXPLICIT(0)}, {NODE_MEMORY, EMPTY_LIST})),
    BAD_BARE("NUMA-VP-MIXED", "numa.nodes[1].vps", NODES({NODE_MEMORY}, {NODE_MEMORY, EMPTY_LIST})),
    BAD_BARE("NUMA-VP-MIXED", "numa.nodes[2].vps",
             NODES({NODE_MEMORY, EXPLICIT(0)}, {NODE_MEMORY, EXPLICIT(1)}, {NODE_MEMORY}), VPS(4)),

    GOOD_BARE(DISTANCES({0, 0, 10}, {0, 1, 10}, {1, 0, 255}, {0, 1, 21})),
    BAD_BARE("NUMA-DISTANCE-SOURCE", "numa.distances[0].src", DISTANCES({2, 0, 20})),
    BAD_BARE("NUMA-DISTANCE-DESTINATION", "numa.distances[1].dst", DISTANCES({0, 1, 20}, {1, 2, 20})),
    BAD_BARE("NUMA-DISTANCE-LOW", "numa.distances[0].distance", DISTANCES({0, 1, 9})),
    BAD_BARE("NUMA-DISTANCE-LOW", "numa.distances[0].distance", DISTANCES({1, 1, 0})),
    BAD_BARE("NUMA-DISTANCE-SELF", "numa.distances[1].distance", DISTANCES({0, 0, 10}, {1, 1, 11})),
    END,
};
