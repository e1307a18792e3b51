/* SPDX-License-Identifier: MIT */
/*
 * Cases: ports, and what is wired to them.
 */

#include "tests/config/check_cases.h"

#define COMPLEX(...)                                                                                                   \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config, {.name = "rc0", __VA_ARGS__})
#define PORTS(...) LIST(ports, port_count, vmr_pcie_port_config, __VA_ARGS__)
#define RC(...) COMPLEX(PORTS(__VA_ARGS__))
#define PORT(text)                                                                                                     \
    {                                                                                                                  \
        .name = text                                                                                                   \
    }
#define AT(text, number)                                                                                               \
    {                                                                                                                  \
        .name = text, .devfn = SET(number)                                                                             \
    }
#define CXL_PORT(text)                                                                                                 \
    {                                                                                                                  \
        .name = text, .cxl = true                                                                                      \
    }
#define CXL .cxl = OF(vmr_root_complex_cxl_config, .hdm_size = GIB)
#define SWITCHES(...) LIST(pcie_switches, pcie_switch_count, vmr_pcie_switch_config, __VA_ARGS__)
#define SWITCH(text, port, ...)                                                                                        \
    {                                                                                                                  \
        .name = text, .parent_port = port, __VA_ARGS__                                                                 \
    }
#define DEVICES(...) LIST(pcie_devices, pcie_device_count, vmr_pcie_device_config, __VA_ARGS__)
#define DEVICE(port)                                                                                                   \
    {                                                                                                                  \
        .port_name = port, .resource = SOME                                                                            \
    }
#define INITIATORS(...)                                                                                                \
    LIST(pcie_generic_initiators, pcie_generic_initiator_count, vmr_pcie_generic_initiator_config, __VA_ARGS__)
#define PORTS4(n) PORT(n "0"), PORT(n "1"), PORT(n "2"), PORT(n "3")
#define PORTS16(n) PORTS4(n "0"), PORTS4(n "1"), PORTS4(n "2"), PORTS4(n "3")
#define PORTS64(n) PORTS16(n "0"), PORTS16(n "1"), PORTS16(n "2"), PORTS16(n "3")
#define PORTS240(n) PORTS64(n "0"), PORTS64(n "1"), PORTS64(n "2"), PORTS16(n "30"), PORTS16(n "31"), PORTS16(n "32")
#define PORTS8(n) PORTS4(n "0"), PORTS4(n "1")
#define RCP "pcie_root_complexes[0].ports"

const struct check_case cases_ports[] = {
    GOOD(RC(PORT("a"), PORT("b"), AT("c", 8))),
    GOOD(RC(PORTS240("p"), PORTS16("q"))),
    BAD("PCIE-PORTS-MANY", RCP, RC(PORTS240("p"), PORTS16("q"), PORT("r"))),
    GOOD(COMPLEX(.iommu = VMR_PCIE_IOMMU_AMD_VI, .start_bus = 1, .end_bus = 1, PORTS(PORTS240("p"), PORTS8("q")))),
    BAD("PCIE-PORTS-MANY", RCP,
        COMPLEX(.iommu = VMR_PCIE_IOMMU_AMD_VI, .start_bus = 1, .end_bus = 1,
                PORTS(PORTS240("p"), PORTS8("q"), PORT("r")))),
    BAD("PCIE-PORTS-MANY", "pcie_switches[0].ports", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", PORTS(PORTS240("p"), PORTS16("q"), PORT("r"))))),
    BAD("PCIE-PORT-NAME-TWICE", RCP "[2].name", RC(PORT("a"), PORT("b"), PORT("a"))),
    BAD("PCIE-PORT-NAME-TWICE", "pcie_switches[0].ports[1].name", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", PORTS(PORT("b"), PORT("a"))))),
    GOOD(RC({.name = "a", .acs_capabilities_supported = SET(0xff)})),
    BAD("PCIE-ACS-BITS", RCP "[0].acs_capabilities_supported",
        RC({.name = "a", .acs_capabilities_supported = SET(0x100)})),

    BAD("PCIE-DEVFN-IN-USE", RCP "[1].devfn", RC(PORT("a"), AT("b", 0))),
    BAD("PCIE-DEVFN-IN-USE", RCP "[2].devfn", RC(PORT("a"), AT("b", 0x80), AT("c", 0x80))),
    GOOD(RC(AT("b", 0), PORT("a"))),
    BAD("PCIE-DEVFN-IN-USE", RCP "[2].devfn", RC(AT("b", 0), PORT("a"), AT("c", 1))),
    BAD("PCIE-DEVFN-RESERVED", RCP "[0].devfn", COMPLEX(.iommu = VMR_PCIE_IOMMU_AMD_VI, PORTS(AT("a", 7), PORT("b")))),
    GOOD(COMPLEX(.iommu = VMR_PCIE_IOMMU_AMD_VI, PORTS(AT("a", 8)))),
    BAD("PCIE-DEVFN-RESERVED", RCP "[0].devfn", COMPLEX(.iommu = VMR_PCIE_IOMMU_INTEL_VTD, PORTS(AT("a", 0xa0)))),
    BAD("PCIE-DEVFN-RESERVED", RCP "[0].devfn", COMPLEX(.iommu = VMR_PCIE_IOMMU_AMD_VI, PORTS(AT("a", 0xa0)))),
    GOOD(COMPLEX(.iommu = VMR_PCIE_IOMMU_INTEL_VTD, PORTS(AT("a", 0xa8), AT("b", 0)))),
    GOOD(COMPLEX(.iommu = VMR_PCIE_IOMMU_INTEL_VTD, .segment = 1, PORTS(AT("a", 0xa0)))),
    GOOD(COMPLEX(.iommu = VMR_PCIE_IOMMU_INTEL_VTD, .start_bus = 1, .end_bus = 2, PORTS(AT("a", 0xa0)))),
    GOOD(ARM64, COMPLEX(.iommu = VMR_PCIE_IOMMU_SMMU, PORTS(AT("a", 0xa0), AT("b", 7), PORT("c")))),
    BAD("PCIE-FUNCTION-ZERO", RCP "[0].devfn", RC(AT("a", 9), AT("b", 10))),
    BAD("PCIE-FUNCTION-ZERO", RCP "[1].devfn", RC(AT("a", 8), AT("b", 0x11))),
    GOOD(RC(AT("a", 9), AT("b", 8))),

    GOOD(RC(PORT("a"), PORT("b")), DEVICES(DEVICE("b"), DEVICE("a"))),
    BAD("PCIE-DEVICE-PORT", "pcie_devices[1].port_name", RC(PORT("a"), PORT("b")), DEVICES(DEVICE("b"), DEVICE("c"))),
    BAD("PCIE-DEVICE-PORT", "pcie_devices[0].port_name", RC(PORT("a")), DEVICES(DEVICE("A"))),
    BAD("PCIE-PORT-OCCUPIED", "pcie_devices[1].port_name", RC(PORT("a")), DEVICES(DEVICE("a"), DEVICE("a"))),
    BAD("PCIE-PORT-OCCUPIED", "pcie_switches[0].parent_port", RC(PORT("a")), DEVICES(DEVICE("a")),
        SWITCHES(SWITCH("s", "a", PORTS(PORT("b"))))),
    BAD("PCIE-PORT-OCCUPIED", "pcie_switches[1].parent_port", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", ), SWITCH("t", "a", ))),

    GOOD(RC(PORT("a")), SWITCHES(SWITCH("s", "a", PORTS(PORT("b"), AT("c", 8))), SWITCH("t", "c", PORTS(PORT("d")))),
         DEVICES(DEVICE("d"), DEVICE("b"))),
    BAD("PCIE-SWITCH-NAME-TWICE", "pcie_switches[1].name", RC(PORT("a"), PORT("b")),
        SWITCHES(SWITCH("s", "a", ), SWITCH("s", "b", ))),
    BAD("PCIE-SWITCH-PARENT", "pcie_switches[0].parent_port", RC(PORT("a")), SWITCHES(SWITCH("s", "b", ))),
    BAD("PCIE-SWITCH-SELF", "pcie_switches[0].parent_port", RC(PORT("a")),
        SWITCHES(SWITCH("s", "b", PORTS(PORT("b"))))),
    BAD("PCIE-SWITCH-ORDER", "pcie_switches[0].parent_port", RC(PORT("a")),
        SWITCHES(SWITCH("t", "c", PORTS(PORT("d"))), SWITCH("s", "a", PORTS(PORT("b"), PORT("c"))))),
    BAD("PCIE-SWITCH-CXL-PARENT", "pcie_switches[0].parent_port", COMPLEX(CXL, PORTS(CXL_PORT("a"))),
        SWITCHES(SWITCH("s", "a", ))),
    GOOD(COMPLEX(CXL, PORTS(CXL_PORT("a"), PORT("b"))), SWITCHES(SWITCH("s", "b", )), DEVICES(DEVICE("a"))),
    BAD("PCIE-CXL-SWITCH", "pcie_switches[0].ports[0].cxl", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", PORTS(CXL_PORT("b"))))),
    GOOD(RC(PORT("a"), {.name = "b", .pasid = true}),
         SWITCHES(SWITCH("s", "a", PORTS({.name = "c", .pasid = true}, {.name = "d", .pasid = true})))),
    BAD("PCIE-SWITCH-PASID", "pcie_switches[0].ports[1]", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", PORTS({.name = "c", .pasid = true}, PORT("d"), PORT("e"))))),
    BAD("PCIE-DEVFN-IN-USE", "pcie_switches[0].ports[1].devfn", RC(PORT("a")),
        SWITCHES(SWITCH("s", "a", PORTS(PORT("b"), AT("c", 0))))),

    GOOD(RC(PORT("a")), SWITCHES(SWITCH("s", "a", PORTS(PORT("b")))), DEVICES(DEVICE("b")), INITIATORS({"b", 0})),
    BAD("PCIE-INITIATOR-PORT", "pcie_generic_initiators[0].port_name", RC(PORT("a")), INITIATORS({"b", 0})),
    BAD("PCIE-INITIATOR-TWICE", "pcie_generic_initiators[1].port_name", RC(PORT("a")), INITIATORS({"a", 0}, {"a", 0})),
    BAD("PCIE-INITIATOR-SWITCH", "pcie_generic_initiators[0].port_name", RC(PORT("a")), SWITCHES(SWITCH("s", "a", )),
        INITIATORS({"a", 0})),
    BAD("FIELD-REQUIRED", "pcie_switches[0].parent_port", RC(PORT("a")), SWITCHES({.name = "s"})),
    BAD("FIELD-TEXT-EMPTY", "pcie_switches[0].parent_port", RC(PORT("a")), SWITCHES(SWITCH("s", "", ))),
    BAD("FIELD-REQUIRED", "pcie_generic_initiators[0].port_name", RC(PORT("a")), INITIATORS({.node = 0})),
    BAD("FIELD-TEXT-EMPTY", "pcie_generic_initiators[0].port_name", RC(PORT("a")), INITIATORS({"", 0})),
    /* Found whatever their order. */
    GOOD(RC(PORT("e"), PORT("d"), PORT("c"), PORT("b"), PORT("a")), DEVICES(DEVICE("c"), DEVICE("e")),
         SWITCHES(SWITCH("u", "d", ), SWITCH("t", "b", ), SWITCH("s", "a", )), INITIATORS({"e", 0}, {"c", 0})),
    GOOD(RC(PORT("c"), PORT("b"), PORT("a")), INITIATORS({"c", 0}, {"b", 0}, {"a", 0})),
    BAD("PCIE-INITIATOR-TWICE", "pcie_generic_initiators[2].port_name", RC(PORT("b"), PORT("a")),
        INITIATORS({"b", 0}, {"a", 0}, {"b", 0})),
    BAD("PCIE-INITIATOR-NODE", "pcie_generic_initiators[0].node", RC(PORT("a")), INITIATORS({"a", 70})),
    BAD("PCIE-INITIATOR-NODE", "pcie_generic_initiators[0].node", RC(PORT("a")), INITIATORS({"a", 1})),
    END,
};
