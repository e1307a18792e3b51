/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests of building share: a configuration of a small machine on the
 * mock, and a build that must succeed, or be refused for one reason.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/device_state.h"
#include "vmrig/machine_build.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct build_rig {
    struct vmr_config config;
    struct vmr_memory_config mem;
    struct vmr_numa_node node;
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_machine_build_options options;
    struct vmr_machine *machine;
    struct vmr_config_report report;
    struct vmr_error err;
};

/* 64 MiB of private memory, one VP, 64 KiB of firmware that does nothing. */
void build_rig_init(struct build_rig *rig);
void build_rig_finish(struct build_rig *rig);
void build_rig_build(struct build_rig *rig);
/* By one finding of this rule, at this path, which says this. */
void build_rig_refuse(struct build_rig *rig, enum vmr_status status, const char *code, const char *path,
                      const char *said);
