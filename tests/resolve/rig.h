/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests of resolution share: a small machine that each makes its own,
 * and a resolution that must succeed, or be refused for one reason.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/resolved.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RIG_NODE_MAX 64u

struct rig {
    struct vmr_config config;
    struct vmr_memory_config mem[RIG_NODE_MAX];
    struct vmr_numa_node nodes[RIG_NODE_MAX];
    struct vmr_x86_topology_config x86;
    struct vmr_arm64_topology_config arm64;
    struct vmr_resolved *machine;
    struct vmr_config_report report;
};

/* One node with 64 MiB, one VP, nothing loaded. */
void rig_init(struct rig *rig, enum vmr_arch arch);
void rig_finish(struct rig *rig);
/* That many nodes, VPs from the topology, each with so much memory. */
void rig_nodes(struct rig *rig, size_t count, uint64_t mem_size);
/* Gives the last machine back; must succeed, or fails the test with what was found. */
const struct vmr_resolved *rig_resolve(struct rig *rig);
/* Must be refused by this rule alone, at this path, and say this. */
void rig_refuse(struct rig *rig, const char *code, const char *path, const char *said);
