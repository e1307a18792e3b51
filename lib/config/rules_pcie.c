/* SPDX-License-Identifier: MIT */
/*
 * Rules: PCI Express.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_pcie[RULE_PCIE_COUNT] = {
    [RULE_PCIE_INDEX_TWICE] =
        {
            "CFG-PCIE-INDEX-TWICE",
            "Root complexes have an index each.",
            "It is how ACPI tells them apart (_UID). Number them from 0. Source: ACPI 6.5, 6.1.12.",
        },
    [RULE_PCIE_NAME_TWICE] =
        {
            "CFG-PCIE-NAME-TWICE",
            "Root complexes have a name each.",
            "Messages and options name them. Source: OpenVMM, --pcie-root-complex.",
        },
    [RULE_PCIE_BUS_ORDER] =
        {
            "CFG-PCIE-BUS-ORDER",
            "The first bus of a root complex is not behind its last.",
            "The number of buses would be negative, and its configuration space of no size or of a huge one. "
            "Source: OpenVMM, PCIe topology.",
        },
    [RULE_PCIE_BUS_OVERLAP] =
        {
            "CFG-PCIE-BUS-OVERLAP",
            "Root complexes of one segment have no bus in common.",
            "A bus number would lead to two places. Give each its own range, or another segment. Source: PCI "
            "Firmware 3.3, 4.1.2; OpenVMM #3828.",
        },
    [RULE_PCIE_WINDOW_EMPTY] =
        {
            "CFG-PCIE-WINDOW-EMPTY",
            "A window with a place is not empty.",
            "Its start is below its end. Leave it out to have a window of the default size. Source: OpenVMM, PCIe "
            "windows.",
        },
    [RULE_PCIE_WINDOW_PAGE] =
        {
            "CFG-PCIE-WINDOW-PAGE",
            "A window with a place begins and ends at a multiple of 4 KiB.",
            "Hypervisors map guest memory by pages, so that nothing smaller can be told apart. Source: the layout "
            "of addresses.",
        },
    [RULE_PCIE_LOW_WINDOW_HIGH] =
        {
            "CFG-PCIE-LOW-WINDOW-HIGH",
            "A low window ends below 4 GiB.",
            "It is for BARs of 32 bits. Use high_mmio for addresses above. Source: PCI Local Bus 3.0, 6.2.5.1.",
        },
    [RULE_PCIE_WINDOW_WIDTH] =
        {
            "CFG-PCIE-WINDOW-WIDTH",
            "A window with a place ends below 2^52.",
            "No processor has more physical address bits. Source: Intel SDM vol. 3, 4.1.4; Arm ARM, D8.",
        },
    [RULE_PCIE_WINDOW_TAKEN] =
        {
            "CFG-PCIE-WINDOW-TAKEN",
            "A window with a place is where nothing of the machine itself is.",
            "The chipset has addresses below 4 GiB (layout.chipset_low_mmio_size); x86-64 boots from RAM in the "
            "first MiB; an arm64 Linux that is loaded directly has nothing in the first GiB. Move the window. "
            "Source: the layout of addresses.",
        },
    [RULE_PCIE_WINDOW_OVERLAP] =
        {
            "CFG-PCIE-WINDOW-OVERLAP",
            "Windows with a place do not overlap.",
            "An address would lead to two root complexes. Source: the layout of addresses.",
        },
    [RULE_PCIE_LOW_WINDOW_SIZE] =
        {
            "CFG-PCIE-LOW-WINDOW-SIZE",
            "A low window is less than 4 GiB.",
            "It is rounded up to 2 MiB and placed below 4 GiB, beside RAM and the chipset. Source: OpenVMM, "
            "--pcie-root-complex low_mmio.",
        },
    [RULE_PCIE_HIGH_WINDOW_SIZE] =
        {
            "CFG-PCIE-HIGH-WINDOW-SIZE",
            "A high window is at most 2^52 bytes.",
            "It is rounded up to 1 GiB, and no processor has more physical address bits. Source: OpenVMM, --pcie- "
            "root-complex high_mmio.",
        },
    [RULE_PCIE_PORTS_MANY] =
        {
            "CFG-PCIE-PORTS-MANY",
            "A bus has at most 256 ports.",
            "A bus has 32 devices of 8 functions. An AMD IOMMU is the first device, so that 248 are left; ports "
            "without a devfn could otherwise find none. Use a further root complex or a switch. Source: PCI Local "
            "Bus 3.0, 3.2.2.3.4.",
        },
    [RULE_PCIE_PORT_NAME_TWICE] =
        {
            "CFG-PCIE-PORT-NAME-TWICE",
            "Ports have a name each, whatever they belong to.",
            "Devices, switches and initiators are wired by names, so that of two ports with one name only the "
            "first could be meant. Source: OpenVMM, PCIe topology.",
        },
    [RULE_PCIE_ACS_BITS] =
        {
            "CFG-PCIE-ACS-BITS",
            "Access control services are bits 0 to 7.",
            "The upper byte of the register is the size of a vector, which no port here has. Source: PCI Express "
            "5.0, 7.7.8.2.",
        },
    [RULE_PCIE_DEVFN_IN_USE] =
        {
            "CFG-PCIE-DEVFN-IN-USE",
            "Ports of a bus have a place each.",
            "Places are given in the order of the list, so one that was given to an earlier port automatically is "
            "taken too. Put ports with a devfn first. Source: OpenVMM, PCIe port placement.",
        },
    [RULE_PCIE_DEVFN_RESERVED] =
        {
            "CFG-PCIE-DEVFN-RESERVED",
            "A port is not where the IOMMU or its view of the I/O APIC is.",
            "With an AMD IOMMU, device 0 is the IOMMU. With either x86-64 IOMMU, interrupts of the I/O APIC come "
            "from device 20 of bus 0, segment 0. Give the port another devfn. Source: AMD IOMMU 3.07, 5.2.2; "
            "Intel VT-d 4.1, 8.3.1.",
        },
    [RULE_PCIE_FUNCTION_ZERO] =
        {
            "CFG-PCIE-FUNCTION-ZERO",
            "A device with a port has one at function 0.",
            "An operating system looks for function 0 of a device, and for no other if there is none. Put a port "
            "there. Source: PCI Local Bus 3.0, 3.2.2.3.4.",
        },
    [RULE_PCIE_CXL_SIZE_ZERO] =
        {
            "CFG-PCIE-CXL-SIZE-ZERO",
            "The device memory window of a CXL root complex is not empty.",
            "It is where devices have their memory. Give hdm_size, or leave out cxl. Source: CXL 3.1, 9.18.1.3.",
        },
    [RULE_PCIE_CXL_SIZE_ALIGNMENT] =
        {
            "CFG-PCIE-CXL-SIZE-ALIGNMENT",
            "The device memory window of a CXL root complex is a multiple of 256 MiB.",
            "Decoders of host bridges and devices work in this unit. Round hdm_size up. Source: CXL 3.1, "
            "9.18.1.3.",
        },
    [RULE_PCIE_CXL_SIZE_LARGE] =
        {
            "CFG-PCIE-CXL-SIZE-LARGE",
            "The device memory window of a CXL root complex is at most 2^52 bytes.",
            "No processor has more physical address bits. Make hdm_size smaller. Source: Intel SDM vol. 3, 4.1.4.",
        },
    [RULE_PCIE_CXL_RESTRICTIONS] =
        {
            "CFG-PCIE-CXL-RESTRICTIONS",
            "Restrictions of a device memory window are bits 0 to 5.",
            "The others have no meaning yet, and a guest may refuse a window that has them. Source: CXL 3.1, "
            "9.18.1.3.",
        },
    [RULE_PCIE_CXL_PORT_ALONE] =
        {
            "CFG-PCIE-CXL-PORT-ALONE",
            "A CXL port belongs to a root complex with CXL.",
            "Its registers are found through the host bridge's. Add cxl to the root complex. Source: CXL 3.1, "
            "9.18.1.2.",
        },
    [RULE_PCIE_CXL_WINDOW] =
        {
            "CFG-PCIE-CXL-WINDOW",
            "The high window has room for the registers of CXL ports.",
            "Each port has 64 KiB of component registers, which are a BAR in that window. Source: CXL 3.1, 8.2.3.",
        },
    [RULE_PCIE_CXL_SWITCH] =
        {
            "CFG-PCIE-CXL-SWITCH",
            "Ports of switches are no CXL ports.",
            "CXL switches are other devices, which do not exist here. Have the CXL port on the root complex. "
            "Source: OpenVMM, PCIe switches.",
        },
    [RULE_PCIE_IOMMU_ARCH] =
        {
            "CFG-PCIE-IOMMU-ARCH",
            "An IOMMU is of the machine's architecture.",
            "amd-vi and intel-vtd are of x86-64, smmu is of arm64. Source: OpenVMM, PCIe IOMMUs.",
        },
    [RULE_PCIE_IOMMU_MIXED] =
        {
            "CFG-PCIE-IOMMU-MIXED",
            "All IOMMUs of an x86-64 machine are of one vendor.",
            "The vendor's table tells the guest of all of them, and operating systems look for one of the two "
            "tables. Source: OpenVMM, --amd-iommu and --intel-vtd.",
        },
    [RULE_PCIE_PORT_OCCUPIED] =
        {
            "CFG-PCIE-PORT-OCCUPIED",
            "A port has one device or one switch behind it.",
            "A link has two ends. Use a switch to have more behind one port. Source: PCI Express 5.0, 1.3.",
        },
    [RULE_PCIE_DEVICE_PORT] =
        {
            "CFG-PCIE-DEVICE-PORT",
            "A device is behind a port that exists.",
            "port_name is the name of a port of a root complex or switch. Source: OpenVMM, PCIe devices.",
        },
    [RULE_PCIE_SWITCH_NAME_TWICE] =
        {
            "CFG-PCIE-SWITCH-NAME-TWICE",
            "Switches have a name each.",
            "Messages name them. Source: OpenVMM, --pcie-switch.",
        },
    [RULE_PCIE_SWITCH_PARENT] =
        {
            "CFG-PCIE-SWITCH-PARENT",
            "A switch is behind a port that exists.",
            "parent_port is the name of a port of a root complex or of an earlier switch. Source: OpenVMM, PCIe "
            "topology.",
        },
    [RULE_PCIE_SWITCH_SELF] =
        {
            "CFG-PCIE-SWITCH-SELF",
            "A switch is not behind itself.",
            "parent_port names one of its own ports; nothing would lead there. Source: OpenVMM, PCIe topology.",
        },
    [RULE_PCIE_SWITCH_ORDER] =
        {
            "CFG-PCIE-SWITCH-ORDER",
            "A switch comes after the one that it is behind.",
            "Switches are connected in their order, so that no two can be behind each other. Move it behind its "
            "parent. Source: OpenVMM, PCIe topology.",
        },
    [RULE_PCIE_SWITCH_CXL_PARENT] =
        {
            "CFG-PCIE-SWITCH-CXL-PARENT",
            "A switch is not behind a CXL port.",
            "A CXL port has a CXL device behind it, and the switch is none. Source: CXL 3.1, 9.12.",
        },
    [RULE_PCIE_SWITCH_PASID] =
        {
            "CFG-PCIE-SWITCH-PASID",
            "All ports of a switch have process address spaces, or none.",
            "They travel in prefixes that a switch hands on as a whole or not at all. Source: PCI Express 5.0, "
            "2.2.10.2.",
        },
    [RULE_PCIE_INITIATOR_PORT] =
        {
            "CFG-PCIE-INITIATOR-PORT",
            "A generic initiator is behind a port that exists.",
            "port_name is the name of a port of a root complex or switch. Source: OpenVMM, generic initiators.",
        },
    [RULE_PCIE_INITIATOR_TWICE] =
        {
            "CFG-PCIE-INITIATOR-TWICE",
            "A port is named by one generic initiator.",
            "A device is near one node; the guest could not know which of two. Source: ACPI 6.5, 5.2.16.6.",
        },
    [RULE_PCIE_INITIATOR_SWITCH] =
        {
            "CFG-PCIE-INITIATOR-SWITCH",
            "A generic initiator is a device, not a switch.",
            "The entry of the table names the function that accesses memory. Name the port of the switch behind "
            "which the device is. Source: ACPI 6.5, 5.2.16.6.",
        },
    [RULE_PCIE_INITIATOR_NODE] =
        {
            "CFG-PCIE-INITIATOR-NODE",
            "The node of a generic initiator exists.",
            "Nodes are numbered from 0 by their place in numa.nodes. Add one, of kind empty, for a device that is "
            "near no processor. Source: OpenVMM, generic initiators.",
        },
};
