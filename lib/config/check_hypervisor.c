/* SPDX-License-Identifier: MIT */
/*
 * The Hyper-V interface, VTL 2 and isolation: what needs what, and what goes
 * not together.
 */

#include "lib/config/check.h"

#define RULE(name) &rules_hypervisor[RULE_HV_##name]

static void check_vtl2(struct check *check, const struct vmr_hypervisor_vtl2_config *vtl2)
{
    const struct vmr_hypervisor_config *hypervisor = &check->config.hypervisor;

    if (is_hardware_isolated(check))
        FOUND(check, RULE(ISOLATED_VTL2), at(check, "hypervisor.with_vtl2"), "the processor isolates the guest");
    else if (!hypervisor->with_hv)
        FOUND(check, RULE(VTL2_HV), at(check, "hypervisor.with_vtl2"), "with_hv is not set");
    if (vtl2->vtl0_alias_map && hypervisor->with_isolation == VMR_ISOLATION_VBS)
        FOUND(check, RULE(ALIAS_MAP_VBS), at(check, "hypervisor.with_vtl2.vtl0_alias_map"), "with_isolation is vbs");
    if (vtl2->late_map_vtl0_memory.given && check->config.load_mode.mode != VMR_LOAD_IGVM)
        FOUND(check, RULE(LATE_MAP_IGVM), at(check, "hypervisor.with_vtl2.late_map_vtl0_memory"),
              "load_mode is not igvm");
}

void check_hypervisor(struct check *check)
{
    const struct vmr_hypervisor_config *hypervisor = &check->config.hypervisor;

    if (is_hardware_isolated(check) && hypervisor->with_hv)
        FOUND(check, RULE(ISOLATED_HV), at(check, "hypervisor.with_hv"), "the processor isolates the guest");
    if (hypervisor->with_vtl2)
        check_vtl2(check, hypervisor->with_vtl2);
    if (hypervisor->with_isolation == VMR_ISOLATION_VBS && !hypervisor->with_vtl2)
        FOUND(check, RULE(VBS_VTL2), at(check, "hypervisor.with_isolation"), "vbs, and there is no with_vtl2");
    if (is_hardware_isolated(check) && is_arm64(check))
        FOUND(check, RULE(ISOLATED_ARM64), at(check, "hypervisor.with_isolation"), "the machine is an arm64");
    if (is_hardware_isolated(check) && hypervisor->nested_virt)
        FOUND(check, RULE(ISOLATED_NESTED), at(check, "hypervisor.nested_virt"), "the processor isolates the guest");
}
