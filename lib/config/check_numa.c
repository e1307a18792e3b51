/* SPDX-License-Identifier: MIT */
/*
 * Nodes, their memory, whose VPs are where, and how far nodes are apart.
 */

#include "lib/config/check.h"

#include <inttypes.h>

#include "lib/base/checked.h"

#define RULE(name) &rules_numa[RULE_NUMA_##name]

#define HUGEPAGE_MIN (UINT64_C(2) << 20)
#define NOBODY UINT32_MAX

/* --- memory --- */

static void check_hugepages(struct check *check, size_t node, const struct vmr_memory_config *mem)
{
    uint64_t size = mem->hugepage_size.given ? mem->hugepage_size.value : HUGEPAGE_MIN;

    if (!mem->hugepages && mem->hugepage_size.given) {
        FOUND(check, RULE(HUGEPAGE_SIZE_ALONE), at(check, "numa.nodes[%zu].mem.hugepage_size", node),
              "given without hugepages");
        return;
    }
    if (!mem->hugepages)
        return;
    if (mem->private_memory)
        FOUND(check, RULE(HUGEPAGES_PRIVATE), at(check, "numa.nodes[%zu].mem.hugepages", node), "with private_memory");
    if (mem->transparent_hugepages)
        FOUND(check, RULE(HUGEPAGES_TRANSPARENT), at(check, "numa.nodes[%zu].mem.hugepages", node),
              "with transparent_hugepages");
    if (size < HUGEPAGE_MIN || (size & (size - 1)) != 0)
        FOUND(check, RULE(HUGEPAGE_SIZE), at(check, "numa.nodes[%zu].mem.hugepage_size", node),
              "%#" PRIx64 " is no power of two from %#" PRIx64, size, HUGEPAGE_MIN);
    else if (is_multiple(mem->mem_size, VMR_PAGE_SIZE) && !is_multiple(mem->mem_size, size))
        FOUND(check, RULE(HUGEPAGE_MULTIPLE), at(check, "numa.nodes[%zu].mem.mem_size", node),
              "%#" PRIx64 " is no multiple of the hugepage size, %#" PRIx64, mem->mem_size, size);
}

static void check_memory(struct check *check, size_t node, const struct vmr_memory_config *mem)
{
    check_hugepages(check, node, mem);
    if (mem->transparent_hugepages && !mem->hugepages && !mem->private_memory)
        FOUND(check, RULE(TRANSPARENT_SHARED), at(check, "numa.nodes[%zu].mem.transparent_hugepages", node),
              "without private_memory");
}

/* One of these for all nodes: the sum is wrong, not the node at which it passes a limit. */
static void check_memory_sum(struct check *check)
{
    const struct vmr_numa_config *numa = &check->config.numa;
    uint64_t sum = 0;

    for (size_t i = 0; i < numa->node_count; i++) {
        if (numa->nodes[i].mem && !checked_add_u64(sum, numa->nodes[i].mem->mem_size, &sum)) {
            FOUND(check, RULE(MEMORY_OVERFLOW), at(check, "numa.nodes"), "beyond 2^64 at node %zu", i);
            return;
        }
    }
    if (sum == 0)
        FOUND(check, RULE(MEMORY_NONE), at(check, "numa.nodes"), "%zu nodes, and 0 bytes", numa->node_count);
    else if (sum > UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)
        FOUND(check, RULE(MEMORY_WIDTH), at(check, "numa.nodes"), "%#" PRIx64 " bytes, at most 2^%u", sum,
              VMR_PHYSICAL_BITS_MAX);
}

/* --- VPs --- */

struct assignment {
    uint32_t nodes[VMR_CONFIG_VP_MAX]; /* of each VP; NOBODY */
    size_t from_topology, explicit_lists;
    bool complete; /* nothing was found that could explain a VP without a node */
};

static void assign_one(struct check *check, struct assignment *assignment, size_t node, size_t entry)
{
    uint32_t vp = check->config.numa.nodes[node].vps.list[entry];

    if (vp >= check_vp_count(check)) {
        FOUND(check, RULE(VP_MISSING), at(check, "numa.nodes[%zu].vps.explicit[%zu]", node, entry),
              "VP %" PRIu32 ", and there are %" PRIu32, vp, check_vp_count(check));
        assignment->complete = false;
    } else if (assignment->nodes[vp] != NOBODY) {
        FOUND(check, RULE(VP_TWICE), at(check, "numa.nodes[%zu].vps.explicit[%zu]", node, entry),
              "VP %" PRIu32 " is in node %" PRIu32, vp, assignment->nodes[vp]);
        assignment->complete = false;
    } else {
        assignment->nodes[vp] = (uint32_t)node;
    }
}

static void assign_node(struct check *check, struct assignment *assignment, size_t index)
{
    const struct vmr_numa_node *node = &check->config.numa.nodes[index];

    if (node->vps.kind == VMR_VPS_FROM_TOPOLOGY)
        assignment->from_topology++;
    if (node->vps.kind >= VMR_VP_ASSIGNMENT_COUNT)
        assignment->complete = false;
    if (node->vps.kind != VMR_VPS_EXPLICIT)
        return;
    assignment->explicit_lists++;
    if (!list_is_usable(node->vps.list, node->vps.list_count)) {
        assignment->complete = false;
        return;
    }
    for (size_t i = 0; check->vps_known && i < node->vps.list_count; i++)
        assign_one(check, assignment, index, i);
}

/* The first of the kind that there is less of: it is likely the mistake. */
static void say_mixed(struct check *check, const struct assignment *assignment)
{
    enum vmr_vp_assignment odd =
        assignment->from_topology < assignment->explicit_lists ? VMR_VPS_FROM_TOPOLOGY : VMR_VPS_EXPLICIT;
    size_t node = 0;

    while (check->config.numa.nodes[node].vps.kind != odd)
        node++;
    FOUND(check, RULE(VP_MIXED), at(check, "numa.nodes[%zu].vps", node), "%zu nodes from_topology and %zu explicit",
          assignment->from_topology, assignment->explicit_lists);
}

static void check_assignment(struct check *check, const struct assignment *assignment)
{
    if (assignment->from_topology > 0 && assignment->explicit_lists > 0) {
        say_mixed(check, assignment);
        return;
    }
    if (assignment->from_topology > 0 || !assignment->complete || !check->vps_known)
        return;
    for (uint32_t i = 0; i < check_vp_count(check); i++) {
        if (assignment->nodes[i] == NOBODY) {
            FOUND(check, RULE(VP_UNASSIGNED), at(check, "numa.nodes"), "VP %" PRIu32 " is in no node", i);
            return;
        }
    }
}

/* --- distances --- */

static void check_distance(struct check *check, size_t index)
{
    const struct vmr_numa_config *numa = &check->config.numa;
    const struct vmr_numa_distance *distance = &numa->distances[index];

    if (check->nodes_known && distance->src >= numa->node_count)
        FOUND(check, RULE(DISTANCE_SOURCE), at(check, "numa.distances[%zu].src", index),
              "node %" PRIu32 ", and there are %zu", distance->src, numa->node_count);
    if (check->nodes_known && distance->dst >= numa->node_count)
        FOUND(check, RULE(DISTANCE_DESTINATION), at(check, "numa.distances[%zu].dst", index),
              "node %" PRIu32 ", and there are %zu", distance->dst, numa->node_count);
    if (distance->src == distance->dst && distance->distance > VMR_NUMA_DISTANCE_SELF)
        FOUND(check, RULE(DISTANCE_SELF), at(check, "numa.distances[%zu].distance", index),
              "%u, of node %" PRIu32 " to itself", distance->distance, distance->src);
}

void check_numa(struct check *check)
{
    const struct vmr_numa_config *numa = &check->config.numa;
    struct assignment assignment = {.complete = true};

    for (size_t i = 0; i < VMR_CONFIG_VP_MAX; i++)
        assignment.nodes[i] = NOBODY;
    if (check->nodes_known && numa->node_count == 0)
        FOUND(check, RULE(NODES_NONE), at(check, "numa"), "there is no node");
    for (size_t i = 0; i < numa->node_count; i++) {
        if (numa->nodes[i].mem)
            check_memory(check, i, numa->nodes[i].mem);
        assign_node(check, &assignment, i);
    }
    if (numa->node_count > 0) {
        check_memory_sum(check);
        check_assignment(check, &assignment);
    }
    for (size_t i = 0; i < numa->distance_count; i++)
        check_distance(check, i);
}
