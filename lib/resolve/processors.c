/* SPDX-License-Identifier: MIT */
/*
 * Processors: which socket, core and thread each VP is, and the number by which
 * interrupt controllers know it.
 */

#include "lib/resolve/resolve.h"

#include "lib/config/apic_id.h"

/* MPIDR_EL1 (Arm ARM, D19.2.101): affinity bytes 0 to 2, then flags, then affinity byte 3. */
#define MPIDR_RES1 (UINT64_C(1) << 31)
#define MPIDR_UNIPROCESSOR (UINT64_C(1) << 30)
#define MPIDR_MT (UINT64_C(1) << 24)

/* That they fit 32 bits, and what the mode says, was checked. */
static void give_apic_ids(struct resolving *resolving, struct vmr_resolved_vp *vps)
{
    struct vmr_resolved_processors *processors = &resolving->machine.processors;
    const struct vmr_x86_topology_config *config = resolving->config->processor_topology.x86;
    enum vmr_x2apic_config wanted = config ? config->x2apic : VMR_X2APIC_CONFIG_AUTO;

    for (uint32_t i = 0; i < processors->vp_count; i++)
        vps[i].apic_id = (uint32_t)apic_id_of(i, processors->vps_per_socket, config ? config->apic_id_offset : 0);
    if (wanted == VMR_X2APIC_CONFIG_UNSUPPORTED)
        processors->x2apic = VMR_X2APIC_UNSUPPORTED;
    else if (wanted == VMR_X2APIC_CONFIG_ENABLED || vps[processors->vp_count - 1].apic_id > XAPIC_ID_MAX)
        processors->x2apic = VMR_X2APIC_ENABLED;
    else
        processors->x2apic = VMR_X2APIC_SUPPORTED;
}

static void give_affinities(const struct vmr_resolved_processors *processors, struct vmr_resolved_vp *vps)
{
    for (uint32_t i = 0; i < processors->vp_count; i++)
        vps[i].mpidr = MPIDR_RES1 | (processors->vp_count == 1 ? MPIDR_UNIPROCESSOR : 0) |
                       (processors->smt ? MPIDR_MT : 0) | (i & 0xffffffu);
}

enum vmr_status resolve_processors(struct resolving *resolving)
{
    const struct vmr_processor_config *config = &resolving->config->processor_topology;
    struct vmr_resolved_processors *processors = &resolving->machine.processors;
    struct vmr_resolved_vp *vps;

    processors->vp_count = config->proc_count ? config->proc_count : 1;
    processors->vps_per_socket = socket_vp_count(config, processors->vp_count);
    processors->socket_count = (processors->vp_count - 1) / processors->vps_per_socket + 1;
    processors->smt = config->enable_smt.given && config->enable_smt.value && processors->vps_per_socket > 1;
    vps = arena_alloc(&resolving->arena, processors->vp_count, sizeof(*vps));
    if (!vps)
        return VMR_E_NOMEM;
    for (uint32_t i = 0; i < processors->vp_count; i++) {
        uint32_t within = i % processors->vps_per_socket, threads = processors->smt ? 2 : 1;

        vps[i].socket = i / processors->vps_per_socket;
        vps[i].core = within / threads;
        vps[i].thread = within % threads;
    }
    processors->vps = vps;
    if (resolving->config->arch == VMR_ARCH_X86_64)
        give_apic_ids(resolving, vps);
    else
        give_affinities(processors, vps);
    return VMR_OK;
}
