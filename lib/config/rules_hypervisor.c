/* SPDX-License-Identifier: MIT */
/*
 * Rules: the Hyper-V interface, VTL 2, isolation.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_hypervisor[RULE_HV_COUNT] = {
    [RULE_HV_ISOLATED_HV] =
        {
            "CFG-HV-ISOLATED-HV",
            "A guest that the processor isolates has no Hyper-V interface.",
            "Its host cannot see the pages through which the interface works. Leave out with_hv, or use isolation "
            "vbs. Source: OpenVMM, SNP on KVM.",
        },
    [RULE_HV_ISOLATED_VTL2] =
        {
            "CFG-HV-ISOLATED-VTL2",
            "A guest that the processor isolates has no VTL 2.",
            "The hypervisor is not trusted to keep VTLs apart there. Leave out with_vtl2, or use isolation vbs. "
            "Source: OpenVMM, SNP.",
        },
    [RULE_HV_VTL2_HV] =
        {
            "CFG-HV-VTL2-HV",
            "VTL 2 needs the Hyper-V interface.",
            "VTLs are called through it. Set with_hv. Source: TLFS, Virtual Secure Mode.",
        },
    [RULE_HV_ALIAS_MAP_VBS] =
        {
            "CFG-HV-ALIAS-MAP-VBS",
            "With VBS isolation there is no alias map.",
            "VTL 2 would have a way around the protection of VTL 0's memory. Source: OpenVMM, --isolation vbs.",
        },
    [RULE_HV_LATE_MAP_IGVM] =
        {
            "CFG-HV-LATE-MAP-IGVM",
            "Memory of VTL 0 can be mapped late only with an IGVM file.",
            "The file says what VTL 2 may touch before. Set load_mode to igvm, or leave out late_map_vtl0_memory. "
            "Source: OpenVMM, late mapping.",
        },
    [RULE_HV_VBS_VTL2] =
        {
            "CFG-HV-VBS-VTL2",
            "VBS isolation needs VTL 2.",
            "What isolates the guest from its host runs there. Add with_vtl2. Source: OpenVMM, --isolation vbs.",
        },
    [RULE_HV_ISOLATED_ARM64] =
        {
            "CFG-HV-ISOLATED-ARM64",
            "Isolation by SNP and TDX is for x86-64.",
            "They are features of x86-64 processors. Source: AMD APM vol. 2, 15.36; Intel TDX module.",
        },
    [RULE_HV_ISOLATED_NESTED] =
        {
            "CFG-HV-ISOLATED-NESTED",
            "A guest that the processor isolates runs no virtual machines.",
            "These processors do not virtualize their own virtualization for such guests. Source: AMD APM vol. 2, "
            "15.36; Intel TDX module.",
        },
};
