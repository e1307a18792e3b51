/* SPDX-License-Identifier: MIT */
/*
 * Cases: root complexes by themselves.
 */

#include "tests/config/check_cases.h"

#define COMPLEXES(...) LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config, __VA_ARGS__)
#define FIRST .name = "rc0"
#define SECOND .name = "rc1", .index = 1
#define THIRD .name = "rc2", .index = 2
#define BUSES(first, last) .start_bus = first, .end_bus = last
#define CXL(bytes, bits) .cxl = OF(vmr_root_complex_cxl_config, .hdm_size = bytes, .hdm_window_restrictions = bits)
#define CXL_PORTS                                                                                                      \
    LIST(ports, port_count, vmr_pcie_port_config, {.name = "p0", .cxl = true}, {.name = "p1", .cxl = true})
#define IOMMU(kind) .iommu = VMR_PCIE_IOMMU_##kind
#define FIXED(first, behind)                                                                                           \
    {                                                                                                                  \
        .fixed = true, .range = { first, behind }                                                                      \
    }
#define RC "pcie_root_complexes"

const struct check_case cases_pcie[] = {
    GOOD(COMPLEXES({FIRST, BUSES(0, 127)}, {SECOND, BUSES(128, 255)})),
    BAD("PCIE-INDEX-TWICE", RC "[1]", COMPLEXES({FIRST, BUSES(0, 127)}, {.name = "rc1", BUSES(128, 255)})),
    BAD("PCIE-NAME-TWICE", RC "[1].name", COMPLEXES({FIRST, BUSES(0, 127)}, {FIRST, .index = 1, BUSES(128, 255)})),

    GOOD(COMPLEXES({FIRST, BUSES(255, 255)})),
    BAD("PCIE-BUS-ORDER", RC "[0].start_bus", COMPLEXES({FIRST, BUSES(255, 0)})),
    BAD("PCIE-BUS-ORDER", RC "[0].start_bus", COMPLEXES({FIRST, BUSES(1, 0)}, {SECOND, BUSES(0, 255)})),
    BAD("PCIE-BUS-ORDER", RC "[1].start_bus", COMPLEXES({FIRST, BUSES(0, 255)}, {SECOND, BUSES(9, 8)})),
    BAD("PCIE-BUS-OVERLAP", RC "[1]", COMPLEXES({FIRST, BUSES(0, 128)}, {SECOND, BUSES(128, 255)})),
    BAD("PCIE-BUS-OVERLAP", RC "[1]", COMPLEXES({FIRST, BUSES(128, 255)}, {SECOND, BUSES(0, 128)})),
    BAD("PCIE-BUS-OVERLAP", RC "[1]", COMPLEXES({FIRST, BUSES(0, 255)}, {SECOND, BUSES(3, 3)})),
    BAD("PCIE-BUS-OVERLAP", RC "[1]", COMPLEXES({FIRST, BUSES(3, 3)}, {SECOND, BUSES(0, 255)})),
    BAD("PCIE-BUS-OVERLAP", RC "[2]", COMPLEXES({FIRST, BUSES(0, 9)}, {SECOND, BUSES(10, 19)}, {THIRD, BUSES(19, 29)})),
    GOOD(COMPLEXES({FIRST, BUSES(0, 255)}, {SECOND, BUSES(0, 255), .segment = 1})),
    /* Whatever their order. */
    GOOD(COMPLEXES({THIRD, BUSES(20, 29)}, {SECOND, BUSES(10, 19)}, {FIRST, BUSES(0, 9)})),
    BAD("PCIE-INDEX-TWICE", RC "[2]",
        COMPLEXES({THIRD, BUSES(20, 29)}, {FIRST, BUSES(0, 9)}, {.name = "rc1", .index = 2, BUSES(10, 19)})),
    BAD("PCIE-NAME-TWICE", RC "[2].name",
        COMPLEXES({THIRD, BUSES(20, 29)}, {FIRST, BUSES(0, 9)}, {.name = "rc2", .index = 1, BUSES(10, 19)})),

    GOOD(COMPLEXES({FIRST, .vnode = SET(0)})),
    BAD("NUMA-VNODE", RC "[0].vnode", COMPLEXES({FIRST, .vnode = SET(1)})),
    BAD("NUMA-VNODE", RC "[0].vnode", COMPLEXES({FIRST, .vnode = SET(UINT32_MAX)})),

    GOOD(COMPLEXES({FIRST, CXL(256 * MIB, 0x3f), CXL_PORTS})),
    GOOD(COMPLEXES({FIRST, CXL(GIB << 21, 1)})),
    BAD("LAYOUT-SUM", "", COMPLEXES({FIRST, CXL(GIB << 22, 1)})),
    BAD("PCIE-CXL-SIZE-ZERO", RC "[0].cxl", COMPLEXES({FIRST, CXL(0, 1)})),
    BAD("PCIE-CXL-SIZE-ALIGNMENT", RC "[0].cxl.hdm_size", COMPLEXES({FIRST, CXL(255 * MIB, 1)})),
    BAD("PCIE-CXL-SIZE-ALIGNMENT", RC "[0].cxl.hdm_size", COMPLEXES({FIRST, CXL(384 * MIB, 1)})),
    BAD("PCIE-CXL-SIZE-LARGE", RC "[0].cxl.hdm_size", COMPLEXES({FIRST, CXL((GIB << 22) + 256 * MIB, 1)})),
    BAD("PCIE-CXL-RESTRICTIONS", RC "[0].cxl.hdm_window_restrictions", COMPLEXES({FIRST, CXL(GIB, 0x40)})),
    BAD("PCIE-CXL-PORT-ALONE", RC "[0].ports[1].cxl",
        COMPLEXES({FIRST, LIST(ports, port_count, vmr_pcie_port_config, {.name = "p0"}, {.name = "p1", .cxl = true})})),
    GOOD(COMPLEXES({FIRST, CXL(GIB, 1), CXL_PORTS, .high_mmio = FIXED(16 * GIB, 16 * GIB + 128 * KIB)})),
    BAD("PCIE-CXL-WINDOW", RC "[0].high_mmio",
        COMPLEXES({FIRST, CXL(GIB, 1), CXL_PORTS, .high_mmio = FIXED(16 * GIB, 16 * GIB + 124 * KIB)})),

    GOOD(COMPLEXES({FIRST, BUSES(0, 127), IOMMU(AMD_VI)}, {SECOND, BUSES(128, 255), IOMMU(AMD_VI)})),
    GOOD(COMPLEXES({FIRST, BUSES(0, 127), IOMMU(INTEL_VTD)}, {SECOND, BUSES(128, 255), IOMMU(INTEL_VTD)})),
    GOOD(ARM64, COMPLEXES({FIRST, IOMMU(SMMU)})),
    BAD("PCIE-IOMMU-ARCH", RC "[0].iommu", COMPLEXES({FIRST, IOMMU(SMMU)})),
    BAD("PCIE-IOMMU-ARCH", RC "[0].iommu", ARM64, COMPLEXES({FIRST, IOMMU(AMD_VI)})),
    BAD("PCIE-IOMMU-ARCH", RC "[0].iommu", ARM64, COMPLEXES({FIRST, IOMMU(INTEL_VTD)})),
    BAD("PCIE-IOMMU-MIXED", RC "[1].iommu",
        COMPLEXES({FIRST, BUSES(0, 127), IOMMU(AMD_VI)}, {SECOND, BUSES(128, 255), IOMMU(INTEL_VTD)})),
    BAD("PCIE-IOMMU-MIXED", RC "[1].iommu",
        COMPLEXES({FIRST, BUSES(0, 9), IOMMU(INTEL_VTD)}, {SECOND, BUSES(10, 19), IOMMU(AMD_VI)})),
    BAD("PCIE-IOMMU-MIXED", RC "[2].iommu",
        COMPLEXES({FIRST, BUSES(0, 9), IOMMU(INTEL_VTD)}, {SECOND, BUSES(10, 19)},
                  {THIRD, BUSES(20, 29), IOMMU(AMD_VI)})),
    END,
};
