/* SPDX-License-Identifier: MIT */
/*
 * A machine to be resolved, again and again.
 */

#include "tests/resolve/rig.h"

void rig_init(struct rig *rig, enum vmr_arch arch)
{
    memset(rig, 0, sizeof(*rig));
    rig->config.arch = arch;
    rig->config.processor_topology.proc_count = 1;
    if (arch == VMR_ARCH_X86_64)
        rig->config.processor_topology.x86 = &rig->x86;
    else
        rig->config.processor_topology.arm64 = &rig->arm64;
    rig_nodes(rig, 1, 64 * MIB);
}

void rig_finish(struct rig *rig)
{
    vmr_resolved_destroy(rig->machine);
    vmr_config_report_finish(&rig->report);
}

void rig_nodes(struct rig *rig, size_t count, uint64_t mem_size)
{
    assert_true(count <= RIG_NODE_MAX);
    for (size_t i = 0; i < count; i++) {
        rig->mem[i] = (struct vmr_memory_config){.mem_size = mem_size};
        rig->nodes[i] = (struct vmr_numa_node){.mem = &rig->mem[i]};
    }
    rig->config.numa.nodes = rig->nodes;
    rig->config.numa.node_count = count;
}

static enum vmr_status resolve(struct rig *rig)
{
    vmr_resolved_destroy(rig->machine);
    rig->machine = NULL;
    vmr_config_report_finish(&rig->report);
    return vmr_resolve(&rig->config, &rig->machine, &rig->report);
}

const struct vmr_resolved *rig_resolve(struct rig *rig)
{
    if (resolve(rig) != VMR_OK)
        fail_msg("%s %s: %s", rig->report.findings[0].rule->code, rig->report.findings[0].path,
                 rig->report.findings[0].message);
    assert_int_equal(rig->report.count, 0);
    return rig->machine;
}

void rig_refuse(struct rig *rig, const char *code, const char *path, const char *said)
{
    assert_int_equal(resolve(rig), VMR_E_CONFIG);
    assert_null(rig->machine);
    const struct vmr_config_finding *found = rig->report.findings;

    if (rig->report.count != 1 || strcmp(found->rule->code, code) != 0 || strcmp(found->path, path) != 0 ||
        !strstr(found->message, said))
        fail_msg("%zu findings, %s at '%s': %s", rig->report.count, found->rule->code, found->path, found->message);
}
