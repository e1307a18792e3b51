/* SPDX-License-Identifier: MIT */
/*
 * Whether a host can run what was resolved: the one step that looks at one.
 * [RES-3]
 */

#include <inttypes.h>

#include "lib/config/report.h"
#include "lib/config/rules.h"
#include "vmrig/resolved.h"

struct asking {
    const struct vmr_resolved *resolved;
    const struct vmr_resolve_host *host;
    struct vmr_config_report *report;
};

static void ask_processors(const struct asking *asking)
{
    const struct vmr_resolved_processors *processors = &asking->resolved->processors;
    const struct vmr_resolve_host *host = asking->host;

    if (processors->vp_count > host->caps.vp_count_max)
        report_add_text(asking->report, &rules_host[RULE_HOST_VPS], "processor_topology.proc_count",
                        "%" PRIu32 " VPs, and it has %" PRIu32 " at most", processors->vp_count,
                        host->caps.vp_count_max);
    if (processors->x2apic == VMR_X2APIC_ENABLED && !host->x2apic)
        report_add_text(asking->report, &rules_host[RULE_HOST_X2APIC], "processor_topology",
                        "it has no x2APIC, which APIC id %" PRIu32 " needs",
                        processors->vps[processors->vp_count - 1].apic_id);
}

static void ask_gic(const struct asking *asking)
{
    static const char path[] = "processor_topology.arm64.gic_config";
    const struct vmr_arm64_topology_config *config = asking->resolved->config->processor_topology.arm64;
    const struct vmr_resolved_gic *gic = asking->resolved->processors.gic;
    const struct vmr_resolve_host *host = asking->host;
    bool chosen = config && config->gic_config.version != VMR_GIC_DEFAULT;

    if (!gic)
        return;
    /* What the configuration leaves open was resolved as version 3, and its addresses with it. */
    if (gic->version == VMR_GIC_V3 && !host->gic_v3)
        report_add_text(asking->report, &rules_host[RULE_HOST_GIC], chosen ? path : "arch", "it has no GICv3%s",
                        chosen ? "" : ": say \"v2\" for a machine with the older one");
    if (gic->version == VMR_GIC_V2 && !host->gic_v2)
        report_add_text(asking->report, &rules_host[RULE_HOST_GIC], path, "it has no GICv2");
    if (gic->msi == VMR_GIC_MSI_ITS && !host->its)
        report_add_text(asking->report, &rules_host[RULE_HOST_ITS], "processor_topology.arm64.gic_msi",
                        "it has no ITS");
}

static void ask_hypervisor(const struct asking *asking)
{
    const struct vmr_hypervisor_config *config = &asking->resolved->config->hypervisor;
    const struct vmr_resolve_host *host = asking->host;
    bool isolated = config->with_isolation == VMR_ISOLATION_NONE ||
                    (config->with_isolation == VMR_ISOLATION_VBS && host->isolation_vbs) ||
                    (config->with_isolation == VMR_ISOLATION_SNP && host->isolation_snp) ||
                    (config->with_isolation == VMR_ISOLATION_TDX && host->isolation_tdx);

    if (config->with_vtl2 && !vmr_caps_have(&host->caps, VMR_CAP_VTL))
        report_add_text(asking->report, &rules_host[RULE_HOST_VTL2], "hypervisor.with_vtl2", "it has no VTLs");
    if (!isolated)
        report_add_text(asking->report, &rules_host[RULE_HOST_ISOLATION], "hypervisor.with_isolation",
                        "it has no guests of this kind");
    if (config->nested_virt && !host->nested_virt)
        report_add_text(asking->report, &rules_host[RULE_HOST_NESTED], "hypervisor.nested_virt",
                        "it gives guests none");
}

static uint8_t host_bits(const struct vmr_resolve_host *host)
{
    uint8_t bits = host->caps.physical_bits;

    return bits == 0 || bits > VMR_PHYSICAL_BITS_MAX ? VMR_PHYSICAL_BITS_MAX : bits;
}

enum vmr_status vmr_resolved_check_host(const struct vmr_resolved *resolved, const struct vmr_resolve_host *host,
                                        struct vmr_config_report *report)
{
    const struct asking asking = {.resolved = resolved, .host = host, .report = report};
    size_t before = report_total(report);
    uint8_t bits = host_bits(host);
    uint8_t needed = resolved->physical_bits_needed;

    if (resolved->config->arch != host->arch)
        report_add_text(report, &rules_host[RULE_HOST_ARCH], "arch", "it runs other guests");
    ask_processors(&asking);
    ask_gic(&asking);
    ask_hypervisor(&asking);
    /* The alias map lies in the upper half of the addresses, and the machine below it. */
    if (vmr_resolved_alias_map(resolved, bits) != 0)
        needed++;
    if (needed > bits)
        report_add_text(report, &rules_host[RULE_HOST_ADDRESS_BITS], "",
                        "the machine ends at %#" PRIx64 " and needs %u bits, and it has %u", resolved->memory.top,
                        needed, bits);
    return report_total(report) == before ? VMR_OK : VMR_E_UNSUPPORTED;
}

vmr_gpa vmr_resolved_alias_map(const struct vmr_resolved *resolved, uint8_t physical_bits)
{
    const struct vmr_hypervisor_vtl2_config *vtl2 = resolved->config->hypervisor.with_vtl2;

    if (!vtl2 || !vtl2->vtl0_alias_map || physical_bits == 0)
        return 0;
    return UINT64_C(1) << ((physical_bits > VMR_PHYSICAL_BITS_MAX ? VMR_PHYSICAL_BITS_MAX : physical_bits) - 1);
}
