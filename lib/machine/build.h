/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pieces of building a machine from a configuration.
 */

#include "lib/config/arena.h"
#include "lib/config/report.h"
#include "vmrig/machine_build.h"
#include "vmrig/resolved.h"

/* What the configuration becomes; what it points to is in the arena, or the configuration's. */
struct machine_plan {
    struct arena arena;
    struct vmr_machine_options options;
    struct vmr_hv_config hv;
    void *firmware; /* to be freed */
};

/* Features that nothing here has, one finding each. [CFG-5] */
void build_refuse(const struct vmr_config *config, struct vmr_config_report *report);
/* Board and devices: `platform_without` and `devices`. VMR_E_NOMEM alone; findings else. */
VMR_MUST_CHECK enum vmr_status build_board(const struct vmr_resolved *resolved,
                                           const struct vmr_resource_registry *registry, struct machine_plan *plan,
                                           struct vmr_config_report *report);
/* Pieces of RAM with their backing: `ram`. The same. */
VMR_MUST_CHECK enum vmr_status build_memory(const struct vmr_resolved *resolved, struct machine_plan *plan,
                                            struct vmr_config_report *report);
