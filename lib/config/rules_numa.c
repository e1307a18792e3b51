/* SPDX-License-Identifier: MIT */
/*
 * Rules: nodes, memory and distances.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_numa[RULE_NUMA_COUNT] = {
    [RULE_NUMA_NODES_NONE] =
        {
            "CFG-NUMA-NODES-NONE",
            "A machine has at least one node.",
            "Nodes have its memory and VPs. A machine without NUMA has one. Source: OpenVMM, NUMA topology.",
        },
    [RULE_NUMA_VNODE] =
        {
            "CFG-NUMA-VNODE",
            "The node of a device exists.",
            "Nodes are numbered from 0 by their place in numa.nodes. Source: OpenVMM, NUMA topology; OpenVMM "
            "#3598.",
        },
    [RULE_NUMA_MEMORY_PAGE] =
        {
            "CFG-NUMA-MEMORY-PAGE",
            "The memory of a node is a multiple of 4 KiB.",
            "It is mapped by pages. Sizes may have a unit: \"2GiB\". Source: OpenVMM, memory layout.",
        },
    [RULE_NUMA_HUGEPAGE_SIZE_ALONE] =
        {
            "CFG-NUMA-HUGEPAGE-SIZE-ALONE",
            "A size of huge pages goes with huge pages.",
            "It would have no effect. Set hugepages, or leave out hugepage_size. Source: OpenVMM, memory backing.",
        },
    [RULE_NUMA_HUGEPAGE_SIZE] =
        {
            "CFG-NUMA-HUGEPAGE-SIZE",
            "A size of huge pages is a power of two from 2 MiB.",
            "Hosts have pools of 2 MiB and 1 GiB; which of them is looked at when the machine is built. Source: "
            "Linux, hugetlbpage.",
        },
    [RULE_NUMA_HUGEPAGE_MULTIPLE] =
        {
            "CFG-NUMA-HUGEPAGE-MULTIPLE",
            "Memory in huge pages is a multiple of their size.",
            "A part of a huge page cannot be taken from the pool. Source: Linux, hugetlbpage.",
        },
    [RULE_NUMA_HUGEPAGES_PRIVATE] =
        {
            "CFG-NUMA-HUGEPAGES-PRIVATE",
            "Huge pages of the pool are shared memory.",
            "They are taken as a file, which other processes can map. Leave out private_memory, or use "
            "transparent_hugepages. Source: OpenVMM, --memory hugepages with shared=off.",
        },
    [RULE_NUMA_HUGEPAGES_TRANSPARENT] =
        {
            "CFG-NUMA-HUGEPAGES-TRANSPARENT",
            "Huge pages are from the pool or transparent, not both.",
            "Memory from the pool has its page size already. Source: OpenVMM, memory backing.",
        },
    [RULE_NUMA_TRANSPARENT_SHARED] =
        {
            "CFG-NUMA-TRANSPARENT-SHARED",
            "Transparent huge pages need private memory.",
            "The host makes them of anonymous memory. Set private_memory, or use hugepages. Source: OpenVMM, "
            "--thp.",
        },
    [RULE_NUMA_MEMORY_OVERFLOW] =
        {
            "CFG-NUMA-MEMORY-OVERFLOW",
            "The memory of all nodes is less than 2^64 bytes.",
            "The sum of the sizes must be a number. Source: OpenVMM, memory layout.",
        },
    [RULE_NUMA_MEMORY_NONE] =
        {
            "CFG-NUMA-MEMORY-NONE",
            "A machine has memory.",
            "Nodes may be without, but not all of them. Source: OpenVMM, memory layout.",
        },
    [RULE_NUMA_MEMORY_WIDTH] =
        {
            "CFG-NUMA-MEMORY-WIDTH",
            "The memory of all nodes is at most 2^52 bytes.",
            "No processor has more physical address bits. Source: Intel SDM vol. 3, 4.1.4; Arm ARM, D8.",
        },
    [RULE_NUMA_VP_MISSING] =
        {
            "CFG-NUMA-VP-MISSING",
            "A VP that a node names exists.",
            "VPs are numbered from 0 to processor_topology.proc_count - 1. Source: OpenVMM, NUMA topology.",
        },
    [RULE_NUMA_VP_TWICE] =
        {
            "CFG-NUMA-VP-TWICE",
            "A VP is in one node.",
            "A processor is near one memory. Source: OpenVMM, NUMA topology.",
        },
    [RULE_NUMA_VP_MIXED] =
        {
            "CFG-NUMA-VP-MIXED",
            "Nodes take VPs from the topology or by lists, not both.",
            "Sockets are dealt out to all nodes that do not say otherwise, and lists would be in the way; an "
            "empty list is a list. Use empty for a node without VPs. Source: OpenVMM, NUMA topology.",
        },
    [RULE_NUMA_VP_UNASSIGNED] =
        {
            "CFG-NUMA-VP-UNASSIGNED",
            "Every VP is in a node.",
            "Lists must name all VPs. Use from_topology to have them dealt out. Source: OpenVMM, NUMA topology.",
        },
    [RULE_NUMA_DISTANCE_SOURCE] =
        {
            "CFG-NUMA-DISTANCE-SOURCE",
            "A distance is from a node that exists.",
            "Nodes are numbered from 0 by their place in numa.nodes. Source: OpenVMM, NUMA distances.",
        },
    [RULE_NUMA_DISTANCE_DESTINATION] =
        {
            "CFG-NUMA-DISTANCE-DESTINATION",
            "A distance is to a node that exists.",
            "Nodes are numbered from 0 by their place in numa.nodes. Source: OpenVMM, NUMA distances.",
        },
    [RULE_NUMA_DISTANCE_LOW] =
        {
            "CFG-NUMA-DISTANCE-LOW",
            "A distance is at least 10.",
            "10 is the distance of a node to itself, and smaller values mean nothing. Source: ACPI 6.5, 5.2.17.",
        },
    [RULE_NUMA_DISTANCE_SELF] =
        {
            "CFG-NUMA-DISTANCE-SELF",
            "The distance of a node to itself is 10.",
            "It is the unit of all others, which are tenths of it. Source: ACPI 6.5, 5.2.17.",
        },
};
