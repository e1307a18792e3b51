/* SPDX-License-Identifier: MIT */
/*
 * Cases: the Hyper-V interface, VTL 2 and isolation.
 */

#include "tests/config/check_cases.h"

#define HYPERVISOR(...) .hypervisor = {__VA_ARGS__}
#define SNP .with_isolation = VMR_ISOLATION_SNP
#define VBS .with_isolation = VMR_ISOLATION_VBS
#define WITH(...) .with_vtl2 = OF(vmr_hypervisor_vtl2_config, __VA_ARGS__)
#define NO_ALIAS .vtl0_alias_map = false
#define ALIAS .vtl0_alias_map = true
#define LATE .late_map_vtl0_memory = {.given = true, .value = VMR_LATE_MAP_HALT}

const struct check_case cases_hypervisor[] = {
    GOOD(HV),
    GOOD(HYPERVISOR(.with_hv = true, .nested_virt = true, WITH(ALIAS))),
    BAD("HV-ISOLATED-HV", "hypervisor.with_hv", LINUX(), HYPERVISOR(SNP, .with_hv = true)),
    BAD("HV-ISOLATED-VTL2", "hypervisor.with_vtl2", LINUX(), HYPERVISOR(SNP, WITH(NO_ALIAS))),
    BAD("HV-VTL2-HV", "hypervisor.with_vtl2", HYPERVISOR(WITH(NO_ALIAS))),
    GOOD(HYPERVISOR(.with_hv = true, VBS, WITH(NO_ALIAS))),
    BAD("HV-ALIAS-MAP-VBS", "hypervisor.with_vtl2.vtl0_alias_map", HYPERVISOR(.with_hv = true, VBS, WITH(ALIAS))),
    GOOD(IGVM(), HYPERVISOR(.with_hv = true, WITH(LATE))),
    BAD("HV-LATE-MAP-IGVM", "hypervisor.with_vtl2.late_map_vtl0_memory", LINUX(),
        HYPERVISOR(.with_hv = true, WITH(LATE))),
    BAD("HV-VBS-VTL2", "hypervisor.with_isolation", HYPERVISOR(.with_hv = true, VBS)),
    BAD("HV-ISOLATED-ARM64", "hypervisor.with_isolation", ARM64, LINUX(), HYPERVISOR(SNP)),
    BAD("HV-ISOLATED-NESTED", "hypervisor.nested_virt", LINUX(), HYPERVISOR(SNP, .nested_virt = true)),
    END,
};
