/* SPDX-License-Identifier: MIT */
/*
 * VPs on the mock that are kicked when they have run long enough: see
 * mock_rig.h.
 */

#include "fuzz/support/mock_rig.h"

#include "fuzz/fuzz.h"

/* Of one run. A run that only spins does one point a step; what a step costs at most is bounded as well. */
#define POINTS_MAX 400u
#define PARKS_MAX 64u

static void kick(void *context)
{
    struct mock_rig *rig = context;

    (void)vmr_partition_kick(rig->partition, rig->running);
}

/* In the guest no lock of the library is held. A guest may leave it at once each time, and yet go on for ever. */
static void seam(void *context, vmr_vp_index vp, enum vmr_run_seam where)
{
    struct mock_rig *rig = context;

    (void)vp;
    if (where == VMR_SEAM_IN_GUEST && rig->lone.points >= rig->lone.point_max)
        kick(rig);
    if (where == VMR_SEAM_IN_GUEST)
        rig->lone.may_call = true;
    if (where == VMR_SEAM_AFTER_EXIT)
        rig->lone.may_call = false;
}

void mock_rig_init(struct mock_rig *rig, const char *spec, uint32_t vp_count, uint64_t ram_bytes,
                   const struct vmr_hv_config *hv)
{
    const struct vmr_memory_region ram = {.gpa = 0, .size = ram_bytes};
    struct vmr_backend_set set;
    struct vmr_proto *proto = NULL;

    *rig = (struct mock_rig){.vp_count = vp_count};
    lone_host_init(&rig->lone);
    rig->lone.tired = kick;
    rig->lone.context = rig;
    const struct vmr_proto_options proto_options = {.host = &rig->lone.host, .vp_count = vp_count, .hv = hv};

    vmr_backend_set_init(&set);
    FUZZ_CHECK(vmr_probe_named(&set, spec, &rig->handle, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_create(&rig->lone.host, &rig->memory, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_memory_region_add(rig->memory, &ram, NULL) == VMR_OK);
    const struct vmr_partition_options options = {.memory = rig->memory};

    FUZZ_CHECK(vmr_proto_create(&rig->handle, &proto_options, &proto, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_proto_build(&proto, &options, &rig->partition, NULL) == VMR_OK);
    rig->mock = vmr_mock_of(rig->partition);
    FUZZ_CHECK(rig->mock);
    vmr_partition_set_seam_hook(rig->partition, seam, rig);
}

/* --- devices --- */

static void raise_line(void *context, uint32_t gsi, bool level)
{
    struct mock_rig *rig = context;
    enum vmr_status status = vmr_partition_irq(rig->partition, gsi, level);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_UNSUPPORTED);
}

/* Asked after each exit: there the timers of the devices are brought up to date, too. */
static enum vmr_halt_reason halt_requested(void *context, vmr_vp_index vp)
{
    struct mock_rig *rig = context;
    uint64_t next_ns = vmr_platform_poll(rig->platform, rig->lone.now_ns);

    (void)vp;
    FUZZ_CHECK(next_ns > rig->lone.now_ns);
    return vmr_power_get(vmr_platform_power(rig->platform), NULL);
}

static void attach_chip(struct mock_rig *rig)
{
    const struct vmr_irqchip_options options = {
        .host = &rig->lone.host,
        .vp_count = rig->vp_count,
        .split = vmr_partition_irqchip(rig->partition) == VMR_IRQCHIP_SPLIT,
    };

    FUZZ_CHECK(vmr_irqchip_create(&options, rig->ports, rig->mmio, &rig->chip, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_partition_attach_irqchip(rig->partition, vmr_irqchip_builtin_ops(), rig->chip, NULL) == VMR_OK);
}

void mock_rig_attach(struct mock_rig *rig)
{
    const struct vmr_platform_options platform = {.host = &rig->lone.host,
                                                  .memory_below_4g = vmr_memory_size(rig->memory),
                                                  .vp_count = rig->vp_count,
                                                  .irq = {raise_line, rig}};

    FUZZ_CHECK(vmr_bus_create(&rig->lone.host, VMR_BUS_PORTS, &rig->ports, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_bus_create(&rig->lone.host, VMR_BUS_MMIO, &rig->mmio, NULL) == VMR_OK);
    FUZZ_CHECK(vmr_platform_create(&platform, rig->ports, &rig->platform, NULL) == VMR_OK);
    if (vmr_partition_irqchip(rig->partition) != VMR_IRQCHIP_KERNEL)
        attach_chip(rig);
    rig->io =
        (struct vmr_vp_io){.ports = rig->ports, .mmio = rig->mmio, .halt_requested = halt_requested, .context = rig};
}

/* --- running --- */

void mock_rig_bind(struct mock_rig *rig)
{
    for (vmr_vp_index vp = 0; vp < rig->vp_count; vp++)
        FUZZ_CHECK(vmr_partition_bind(rig->partition, vp, &rig->vps[vp], NULL) == VMR_OK);
}

bool mock_rig_run(struct mock_rig *rig, vmr_vp_index vp)
{
    struct vmr_run_result result = {0};

    rig->running = vp;
    rig->lone.point_max = rig->lone.points + POINTS_MAX;
    rig->lone.park_max = rig->lone.parks + PARKS_MAX;
    enum vmr_status status = vmr_vp_run(rig->vps[vp], NULL, &rig->io, &result);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_DEADLOCK || status == VMR_E_STATE);
    if (status != VMR_OK)
        return false;
    if (result.kind == VMR_RUN_YIELDED)
        return true;
    FUZZ_CHECK(result.kind == VMR_RUN_HALTED);
    FUZZ_CHECK(result.reason > VMR_HALT_NONE && result.reason < VMR_HALT_REASON_COUNT);
    FUZZ_CHECK(result.reason != VMR_HALT_STOP); /* nobody has asked: never invented [RUN-4] */
    return result.reason != VMR_HALT_FATAL;
}

void mock_rig_finish(struct mock_rig *rig)
{
    for (vmr_vp_index vp = 0; vp < rig->vp_count; vp++)
        vmr_vp_unbind(rig->vps[vp]);
    FUZZ_CHECK(vmr_partition_destroy(rig->partition) == VMR_OK);
    vmr_irqchip_destroy(rig->chip);
    vmr_platform_destroy(rig->platform);
    vmr_bus_destroy(rig->mmio);
    vmr_bus_destroy(rig->ports);
    vmr_memory_destroy(rig->memory);
    vmr_handle_close(&rig->handle);
}
