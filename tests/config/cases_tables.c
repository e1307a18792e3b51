/* SPDX-License-Identifier: MIT */
/*
 * Cases: what firmware tables cannot say.
 */

#include "tests/config/check_cases.h"

#define BY_TREE ARM64, LINUX(.boot_mode = VMR_LINUX_BOOT_DEVICE_TREE)
#define CXL_COMPLEX                                                                                                    \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config,                                   \
         {.name = "rc0", .cxl = OF(vmr_root_complex_cxl_config, .hdm_size = GIB)})
#define INITIATOR                                                                                                      \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config,                                   \
         {.name = "rc0", .ports = OF(vmr_pcie_port_config, .name = "p"), .port_count = 1}),                            \
        LIST(pcie_generic_initiators, pcie_generic_initiator_count, vmr_pcie_generic_initiator_config, {"p", 0})

const struct check_case cases_tables[] = {
    GOOD(ARM64, LINUX(.boot_mode = VMR_LINUX_BOOT_ACPI), CXL_COMPLEX),
    BAD("LOAD-TREE-CXL", "pcie_root_complexes[0].cxl", BY_TREE, CXL_COMPLEX),
    GOOD(ARM64, LINUX(.boot_mode = VMR_LINUX_BOOT_ACPI), INITIATOR),
    BAD("LOAD-TREE-INITIATOR", "pcie_generic_initiators[0]", BY_TREE, INITIATOR),
    END,
};
