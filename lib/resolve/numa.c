/* SPDX-License-Identifier: MIT */
/*
 * NUMA nodes: which VP is in which, and how far they are apart.
 */

#include <string.h>

#include "lib/resolve/resolve.h"

/* Sockets go round the nodes that take VPs from the topology; `takers` are their numbers. */
static void spread(struct resolving *resolving, struct vmr_resolved_vp *vps, const uint32_t *takers, uint32_t count)
{
    const struct vmr_resolved_processors *processors = &resolving->machine.processors;

    for (uint32_t i = 0; i < processors->vp_count; i++)
        vps[i].vnode = takers[i / processors->vps_per_socket % count];
}

static void place_listed(struct resolving *resolving, struct vmr_resolved_vp *vps)
{
    const struct vmr_numa_config *numa = &resolving->config->numa;

    for (uint32_t n = 0; n < numa->node_count; n++) {
        for (size_t i = 0; i < numa->nodes[n].vps.list_count; i++) {
            if (numa->nodes[n].vps.list[i] < resolving->machine.processors.vp_count)
                vps[numa->nodes[n].vps.list[i]].vnode = n;
        }
    }
}

static enum vmr_status place_vps(struct resolving *resolving)
{
    const struct vmr_numa_config *numa = &resolving->config->numa;
    /* Made by resolve_processors, in the same arena. */
    struct vmr_resolved_vp *vps = (struct vmr_resolved_vp *)resolving->machine.processors.vps;
    uint32_t *takers = arena_alloc(&resolving->arena, numa->node_count, sizeof(*takers));
    uint32_t count = 0;

    if (!takers)
        return VMR_E_NOMEM;
    for (uint32_t n = 0; n < numa->node_count; n++) {
        if (numa->nodes[n].vps.kind == VMR_VPS_FROM_TOPOLOGY)
            takers[count++] = n;
    }
    if (count > 0)
        spread(resolving, vps, takers, count);
    else
        place_listed(resolving, vps);
    return VMR_OK;
}

static enum vmr_status measure(struct resolving *resolving)
{
    const struct vmr_numa_config *numa = &resolving->config->numa;
    size_t count = numa->node_count;
    uint8_t *distances = arena_alloc(&resolving->arena, count * count, 1);

    if (!distances)
        return VMR_E_NOMEM;
    memset(distances, VMR_NUMA_DISTANCE_DEFAULT, count * count);
    for (size_t n = 0; n < count; n++)
        distances[n * count + n] = VMR_NUMA_DISTANCE_SELF;
    for (size_t i = 0; i < numa->distance_count; i++) {
        const struct vmr_numa_distance *given = &numa->distances[i];

        if (given->src < count && given->dst < count)
            distances[given->src * count + given->dst] = given->distance;
    }
    resolving->machine.numa.distances = distances;
    return VMR_OK;
}

enum vmr_status resolve_numa(struct resolving *resolving)
{
    const struct vmr_numa_config *config = &resolving->config->numa;
    struct vmr_resolved_numa *numa = &resolving->machine.numa;
    struct vmr_resolved_node *nodes = arena_alloc(&resolving->arena, config->node_count, sizeof(*nodes));
    enum vmr_status status = nodes ? place_vps(resolving) : VMR_E_NOMEM;

    if (status == VMR_OK)
        status = measure(resolving);
    if (status != VMR_OK)
        return status;
    for (size_t n = 0; n < config->node_count; n++)
        nodes[n].mem = config->nodes[n].mem && config->nodes[n].mem->mem_size ? config->nodes[n].mem : NULL;
    for (uint32_t i = 0; i < resolving->machine.processors.vp_count; i++) {
        uint32_t node = resolving->machine.processors.vps[i].vnode;

        if (node < config->node_count)
            nodes[node].vp_count++;
    }
    numa->nodes = nodes;
    numa->node_count = (uint32_t)config->node_count;
    return VMR_OK;
}
