/* SPDX-License-Identifier: MIT */
/*
 * Rules: sizes of what is placed by itself.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_layout[RULE_LAYOUT_COUNT] = {
    [RULE_LAYOUT_LOW_MMIO] =
        {
            "CFG-LAYOUT-LOW-MMIO",
            "The chipset has at most 3 GiB of addresses below 4 GiB.",
            "The first GiB is left for RAM and for windows. Source: the layout of addresses.",
        },
    [RULE_LAYOUT_HIGH_MMIO] =
        {
            "CFG-LAYOUT-HIGH-MMIO",
            "The chipset has at most 2^52 bytes of addresses above RAM.",
            "No processor has more physical address bits. It is rounded up to 2 MiB. Source: Intel SDM vol. 3, "
            "4.1.4; Arm ARM, D8.",
        },
    [RULE_LAYOUT_VTL2_MMIO] =
        {
            "CFG-LAYOUT-VTL2-MMIO",
            "The chipset has at most 2^52 bytes of addresses for VTL 2.",
            "No processor has more physical address bits. It is rounded up to 2 MiB. Source: Intel SDM vol. 3, "
            "4.1.4; Arm ARM, D8.",
        },
    [RULE_LAYOUT_VTL2_MMIO_ALONE] =
        {
            "CFG-LAYOUT-VTL2-MMIO-ALONE",
            "The chipset has addresses for VTL 2 only where there is VTL 2.",
            "Add hypervisor.with_vtl2, or leave out vtl2_chipset_mmio_size. Source: OpenVMM, memory layout.",
        },
    [RULE_LAYOUT_RTC_DELTA] =
        {
            "CFG-LAYOUT-RTC-DELTA",
            "The clock's delta is within 8000 years.",
            "It counts years in four digits, and begins at the time that the host gives. Source: Motorola "
            "MC146818A.",
        },
    [RULE_LAYOUT_SUM] =
        {
            "CFG-LAYOUT-SUM",
            "Memory and windows together have at most 2^52 bytes.",
            "Each could have addresses, but not all of them. Make memory, high windows or device memory smaller. "
            "Source: Intel SDM vol. 3, 4.1.4; Arm ARM, D8.",
        },
};
