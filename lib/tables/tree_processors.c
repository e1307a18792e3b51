/* SPDX-License-Identifier: MIT */
/*
 * Processors, which of them share cores and sockets, and how they are started.
 */

#include "lib/tables/tree_node.h"

#include <stdio.h>

#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

/* Devicetree Specification 3.8, and Linux's arm/cpus.yaml: the number is MPIDR's affinity. */
static void processor(struct tree *tree, uint32_t index, bool wide)
{
    const struct vmr_resolved_vp *vp = &tree->input->resolved->processors.vps[index];
    uint64_t affinity = vp->mpidr & MPIDR_AFFINITY;

    tree_open_at(tree, "cpu", affinity);
    tree_text(tree, "device_type", "cpu");
    tree_text(tree, "compatible", "arm,armv8");
    if (wide)
        tree_number64(tree, "reg", affinity);
    else
        tree_number(tree, "reg", (uint32_t)affinity);
    tree_text(tree, "enable-method", "psci");
    if (tree->input->resolved->numa.node_count > 1)
        tree_number(tree, "numa-node-id", vp->vnode);
    tree_number(tree, "phandle", TREE_PHANDLE_CPUS + index);
    tree_close(tree);
}

static void open_numbered(struct tree *tree, const char *name, uint32_t number)
{
    char full[24];

    (void)snprintf(full, sizeof(full), "%s%u", name, number);
    tree_open(tree, full);
}

/* Linux's cpu/cpu-topology.txt: sockets of one cluster, clusters of cores, cores of threads where there are some. */
static void topology(struct tree *tree)
{
    const struct vmr_resolved_processors *processors = &tree->input->resolved->processors;

    tree_open(tree, "cpu-map");
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        const struct vmr_resolved_vp *vp = &processors->vps[i];
        const struct vmr_resolved_vp *before = i > 0 ? vp - 1 : NULL,
                                     *next = i + 1 < processors->vp_count ? vp + 1 : NULL;
        bool first_of_core = !before || before->socket != vp->socket || before->core != vp->core;
        bool last_of_core = !next || next->socket != vp->socket || next->core != vp->core;

        if (!before || before->socket != vp->socket) {
            open_numbered(tree, "socket", vp->socket);
            tree_open(tree, "cluster0");
        }
        if (first_of_core)
            open_numbered(tree, "core", vp->core);
        if (processors->smt)
            open_numbered(tree, "thread", vp->thread);
        tree_number(tree, "cpu", TREE_PHANDLE_CPUS + i);
        if (processors->smt)
            tree_close(tree);
        if (last_of_core)
            tree_close(tree);
        if (!next || next->socket != vp->socket) {
            tree_close(tree);
            tree_close(tree);
        }
    }
    tree_close(tree);
}

void tree_processors(struct tree *tree)
{
    const struct vmr_resolved_processors *processors = &tree->input->resolved->processors;
    bool wide = false;

    for (uint32_t i = 0; i < processors->vp_count; i++)
        wide = wide || (processors->vps[i].mpidr & MPIDR_AFFINITY) > UINT32_MAX;
    tree_open(tree, "cpus");
    tree_number(tree, "#address-cells", wide ? 2 : 1);
    tree_number(tree, "#size-cells", 0);
    for (uint32_t i = 0; i < processors->vp_count; i++)
        processor(tree, i, wide);
    topology(tree);
    tree_close(tree);
    tree_open(tree, "psci"); /* Linux's arm/psci.yaml */
    tree_texts(tree, "compatible", "arm,psci-1.0\0arm,psci-0.2", sizeof("arm,psci-1.0\0arm,psci-0.2") - 1);
    tree_text(tree, "method", "hvc");
    tree_close(tree);
}
