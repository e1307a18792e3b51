/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A partition on the mock with up to MOCK_RIG_VPS VPs, all on the calling thread, under
 * a host of one thread: what the VPs do is the target's.
 */

#include "fuzz/support/lone_host.h"
#include "vmrig/mock.h"
#include "vmrig/platform.h"

#define MOCK_RIG_VPS 3u

struct mock_rig {
    struct lone_host lone;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_partition *partition;
    struct vmr_mock *mock;
    struct vmr_vp *vps[MOCK_RIG_VPS];
    uint32_t vp_count;
    vmr_vp_index running;
    /* Of mock_rig_attach; else NULL. */
    struct vmr_bus *ports, *mmio;
    struct vmr_irqchip_set *chip;
    struct vmr_platform *platform;
    struct vmr_vp_io io;
};

/*
 * `spec` as for vmr_probe_named; RAM of `ram_bytes` at 0; `hv` NULL: without the Hyper-V interface. Then attach, if at
 * all; then load; then bind.
 */
void mock_rig_init(struct mock_rig *rig, const char *spec, uint32_t vp_count, uint64_t ram_bytes,
                   const struct vmr_hv_config *hv);
/* A small PC's devices, and the library's interrupt controllers unless they are in the hypervisor; all in rig->io. */
void mock_rig_attach(struct mock_rig *rig);
void mock_rig_bind(struct mock_rig *rig);
/*
 * Runs VP `vp` until it halts, yields, or has had as many scheduling points or
 * waits as one run may have, and is kicked. False: it will not run again, or a
 * next run would be the same.
 */
bool mock_rig_run(struct mock_rig *rig, vmr_vp_index vp);
void mock_rig_finish(struct mock_rig *rig);
