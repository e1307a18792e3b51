/* SPDX-License-Identifier: MIT */
/*
 * How many VPs there are, and whether each can have a number.
 */

#include "lib/config/check.h"

#include <inttypes.h>

#include "lib/config/apic_id.h"

#define RULE(name) &rules_processor[RULE_CPU_##name]

#define ARM64_VP_MAX 255u
#define GIC_V2_VP_MAX 8u

/* The last VP's: ids ascend. */
static uint64_t last_apic_id(const struct check *check, const struct vmr_x86_topology_config *x86)
{
    uint32_t count = check_vp_count(check);

    return apic_id_of(count - 1, socket_vp_count(&check->config.processor_topology, count), x86->apic_id_offset);
}

static void check_x86(struct check *check, const struct vmr_x86_topology_config *x86)
{
    if (is_arm64(check)) {
        FOUND(check, RULE(X86_ON_ARM64), at(check, "processor_topology.x86"), "the machine is an arm64");
        return;
    }
    if (!check->vps_known)
        return;

    uint64_t last = last_apic_id(check, x86);

    if (last > X2APIC_ID_MAX)
        FOUND(check, RULE(APIC_ID_WIDTH), at(check, "processor_topology.x86.apic_id_offset"),
              "the last VP's APIC id would be %#" PRIx64, last);
    else if (x86->x2apic == VMR_X2APIC_CONFIG_UNSUPPORTED && last > XAPIC_ID_MAX)
        FOUND(check, RULE(APIC_ID_LIMIT), at(check, "processor_topology.x86.x2apic"),
              "the last VP's APIC id is %" PRIu64 ", at most %u without x2APIC", last, XAPIC_ID_MAX);
}

static void check_arm64_count(struct check *check)
{
    const struct vmr_processor_config *config = &check->config.processor_topology;
    bool is_v2 = config->arm64 && config->arm64->gic_config.version == VMR_GIC_V2;

    if (!is_arm64(check) || !check->vps_known)
        return;
    if (check_vp_count(check) > ARM64_VP_MAX)
        FOUND(check, RULE(ARM64_COUNT), at(check, "processor_topology.proc_count"), "%" PRIu32 " VPs, at most %u",
              check_vp_count(check), ARM64_VP_MAX);
    else if (is_v2 && check_vp_count(check) > GIC_V2_VP_MAX)
        FOUND(check, RULE(GIC_V2_COUNT), at(check, "processor_topology.proc_count"),
              "%" PRIu32 " VPs, at most %u with a GICv2", check_vp_count(check), GIC_V2_VP_MAX);
}

void check_processors(struct check *check)
{
    const struct vmr_processor_config *config = &check->config.processor_topology;

    check_arm64_count(check);
    if (config->x86)
        check_x86(check, config->x86);
    if (!config->arm64)
        return;
    if (is_x86(check))
        FOUND(check, RULE(ARM64_ON_X86), at(check, "processor_topology.arm64"), "the machine is an x86-64");
    else
        check_gic(check);
}
