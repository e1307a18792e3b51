/* SPDX-License-Identifier: MIT */
/*
 * Rules: VMBus and what is on it.
 */

#include "lib/config/check_rules.h"

const struct vmr_config_rule rules_vmbus[RULE_VMBUS_COUNT] = {
    [RULE_VMBUS_ISOLATED] =
        {
            "CFG-VMBUS-ISOLATED",
            "A guest that the processor isolates has no VMBus.",
            "The bus needs the Hyper-V interface, which such a guest has not. Source: OpenVMM, SNP devices.",
        },
    [RULE_VMBUS_HV] =
        {
            "CFG-VMBUS-HV",
            "VMBus needs the Hyper-V interface.",
            "Its messages and events are those of the interface. Set hypervisor.with_hv. Source: OpenVMM, VMBus.",
        },
    [RULE_VMBUS_SOCKET_LONG] =
        {
            "CFG-VMBUS-SOCKET-LONG",
            "The path of a socket has at most 107 characters.",
            "An address of a socket has no room for more. Source: unix(7), sun_path.",
        },
    [RULE_VMBUS_VERSION] =
        {
            "CFG-VMBUS-VERSION",
            "A version of VMBus is one that exists.",
            "It is major << 16 | minor: 0xd, 0x10001, 0x20004, 0x30000, 0x40000, 0x40001, 0x50000 to 0x50003, "
            "0x60000. Source: Linux, include/linux/hyperv.h.",
        },
    [RULE_VMBUS_PROXY] =
        {
            "CFG-VMBUS-PROXY",
            "The VMBus proxy is for Windows hosts.",
            "It is a driver of theirs. Leave out vmbusproxy. Source: OpenVMM, VMBus proxy.",
        },
    [RULE_VMBUS_REDIRECT] =
        {
            "CFG-VMBUS-REDIRECT",
            "VMBus can be redirected to VTL 2 only where VTL 2 has a bus.",
            "What VTL 0 is offered comes through VTL 2 then. Add hypervisor.with_vtl2 and vtl2_vmbus. Source: "
            "OpenVMM, --vmbus-redirect.",
        },
    [RULE_VMBUS_VTL2] =
        {
            "CFG-VMBUS-VTL2",
            "VTL 2 can have a bus only where there is VTL 2.",
            "Add hypervisor.with_vtl2, or leave out vtl2_vmbus. Source: OpenVMM, VMBus of VTL 2.",
        },
    [RULE_VMBUS_VTL2_ALONE] =
        {
            "CFG-VMBUS-VTL2-ALONE",
            "VTL 2 has a bus only beside that of VTL 0.",
            "The guest's connection is made by VTL 0's bus, which hands it on. Add vmbus. Source: OpenVMM, VMBus "
            "of VTL 2.",
        },
    [RULE_VMBUS_REDIRECT_ITSELF] =
        {
            "CFG-VMBUS-REDIRECT-ITSELF",
            "The bus of VTL 2 is not redirected.",
            "It is where redirected connections end. Set vmbus.vtl2_redirect. Source: OpenVMM, --vmbus-redirect.",
        },
    [RULE_VMBUS_SOCKET_TWICE] =
        {
            "CFG-VMBUS-SOCKET-TWICE",
            "The two buses listen at sockets of their own.",
            "The second socket could not be made while the first is there. Source: unix(7), bind.",
        },
    [RULE_VMBUS_KERNEL_VMNICS] =
        {
            "CFG-VMBUS-KERNEL-VMNICS",
            "Network adapters of the host's kernel are for Windows hosts.",
            "They are ports of its virtual switch. Use a device of vmbus_devices or virtio_devices. Source: "
            "OpenVMM, kernel_vmnics.",
        },
    [RULE_VMBUS_DEVICE_VTL0] =
        {
            "CFG-VMBUS-DEVICE-VTL0",
            "A device of VMBus needs the bus.",
            "It is offered to the guest over the bus. Add vmbus. Source: OpenVMM, VMBus devices.",
        },
    [RULE_VMBUS_DEVICE_VTL1] =
        {
            "CFG-VMBUS-DEVICE-VTL1",
            "No device is for VTL 1.",
            "VTL 1 has no bus of its own. Use VTL 0 or 2. Source: OpenVMM, VMBus devices.",
        },
    [RULE_VMBUS_DEVICE_VTL2] =
        {
            "CFG-VMBUS-DEVICE-VTL2",
            "A device for VTL 2 needs the bus of VTL 2.",
            "It is offered to VTL 2 over that bus. Add vtl2_vmbus. Source: OpenVMM, VMBus devices.",
        },
    [RULE_VMBUS_VPCI_ZERO] =
        {
            "CFG-VMBUS-VPCI-ZERO",
            "A VPCI device has an instance id.",
            "The guest names it by it. Give any that is not zero. Source: OpenVMM, VPCI devices.",
        },
    [RULE_VMBUS_VPCI_TAKEN] =
        {
            "CFG-VMBUS-VPCI-TAKEN",
            "VPCI devices differ in the second and third part of their instance ids.",
            "These make the device id, of which the lowest three bits, a function's number, do not count. Source: "
            "OpenVMM, VPCI devices.",
        },
};
