/* SPDX-License-Identifier: MIT */
/*
 * Cases: VMBus, VPCI and the devices on them.
 */

#include "tests/config/check_cases.h"

#define X96 X64 X16 X16
#define BUS(...) .vmbus = OF(vmr_vmbus_config, __VA_ARGS__)
#define BUS2(...) .vtl2_vmbus = OF(vmr_vmbus_config, __VA_ARGS__)
#define VERSION(number) BUS(.vmbus_max_version = SET(number))
#define DEVICE(where) LIST(vmbus_devices, vmbus_device_count, vmr_vmbus_device_config, {.vtl = where, .resource = SOME})
#define VPCI(...) LIST(vpci_devices, vpci_device_count, vmr_vpci_config, __VA_ARGS__)
#define ID(one, two, three) .instance_id = {one, two, three, {0}}, .resource = SOME

static const struct vmr_kernel_vmnic_config nic;

const struct check_case cases_vmbus[] = {
    GOOD(VTL2, BUS(.vsock_path = "/a", .vsock_listener = "/b", .vtl2_redirect = true), BUS2(.vsock_listener = "/c")),
    BAD("VMBUS-HV", "vmbus", VMBUS),
    BAD("VMBUS-ISOLATED", "vmbus", LINUX(), ISOLATED(SNP), VMBUS),
    GOOD(HV, BUS(.vsock_path = X96 "12345678901")),
    BAD("VMBUS-SOCKET-LONG", "vmbus.vsock_path", HV, BUS(.vsock_path = X96 "123456789012")),
    BAD("VMBUS-SOCKET-LONG", "vmbus.vsock_listener", HV, BUS(.vsock_listener = X96 "123456789012")),
    GOOD(HV, VERSION(0x50003)),
    GOOD(HV, VERSION(0xd)),
    BAD("VMBUS-VERSION", "vmbus.vmbus_max_version", HV, VERSION(0x50004)),
    BAD("VMBUS-VERSION", "vmbus.vmbus_max_version", HV, VERSION(0)),
    BAD("VMBUS-PROXY", "vmbus.vmbusproxy", HV, BUS(.vmbusproxy = true)),
    BAD("VMBUS-REDIRECT", "vmbus.vtl2_redirect", HV, BUS(.vtl2_redirect = true)),
    BAD("VMBUS-REDIRECT", "vmbus.vtl2_redirect", VTL2, BUS(.vtl2_redirect = true)),
    BAD("VMBUS-VTL2", "vtl2_vmbus", HV, VMBUS, VTL2_VMBUS),
    BAD("VMBUS-VTL2-ALONE", "vtl2_vmbus", VTL2, VTL2_VMBUS),
    BAD("VMBUS-REDIRECT-ITSELF", "vtl2_vmbus.vtl2_redirect", VTL2, VMBUS, BUS2(.vtl2_redirect = true)),
    BAD("VMBUS-SOCKET-TWICE", "vtl2_vmbus.vsock_listener", VTL2, BUS(.vsock_listener = "/a"),
        BUS2(.vsock_listener = "/a")),
    BAD("VMBUS-VERSION", "vtl2_vmbus.vmbus_max_version", VTL2, VMBUS, BUS2(.vmbus_max_version = SET(0x50004))),
    BAD("VMBUS-PROXY", "vtl2_vmbus.vmbusproxy", VTL2, VMBUS, BUS2(.vmbusproxy = true)),
    BAD("VMBUS-SOCKET-LONG", "vtl2_vmbus.vsock_path", VTL2, VMBUS, BUS2(.vsock_path = X96 "123456789012")),
    BAD("VMBUS-KERNEL-VMNICS", "kernel_vmnics", .kernel_vmnics = &nic, .kernel_vmnic_count = 1),

    GOOD(HV, VMBUS, DEVICE(VMR_DEVICE_VTL0)),
    GOOD(VTL2, VMBUS, VTL2_VMBUS, DEVICE(VMR_DEVICE_VTL2)),
    BAD("VMBUS-DEVICE-VTL0", "vmbus_devices[0]", DEVICE(VMR_DEVICE_VTL0)),
    BAD("VMBUS-DEVICE-VTL1", "vmbus_devices[0].vtl", HV, VMBUS, DEVICE(VMR_DEVICE_VTL1)),
    BAD("VMBUS-DEVICE-VTL2", "vmbus_devices[0].vtl", VTL2, VMBUS, DEVICE(VMR_DEVICE_VTL2)),
    BAD("VMBUS-DEVICE-VTL0", "vpci_devices[0]", VPCI({ID(1, 1, 1)})),
    BAD("VMBUS-DEVICE-VTL2", "vpci_devices[0].vtl", HV, VMBUS, VPCI({ID(1, 1, 1), .vtl = VMR_DEVICE_VTL2})),
    GOOD(HV, VMBUS, VPCI({ID(1, 1, 7)}, {ID(1, 1, 8)}, {ID(1, 2, 7), .vnode = SET(0)})),
    BAD("VMBUS-VPCI-ZERO", "vpci_devices[1]", HV, VMBUS, VPCI({ID(1, 1, 1)}, {ID(0, 0, 0)})),
    BAD("VMBUS-VPCI-TAKEN", "vpci_devices[2].instance_id", HV, VMBUS,
        VPCI({ID(1, 1, 1)}, {ID(1, 1, 8)}, {ID(2, 1, 15)})),
    GOOD(HV, VMBUS, VPCI({ID(1, 3, 7)}, {ID(1, 2, 7)}, {ID(1, 1, 7)})),
    BAD("NUMA-VNODE", "vpci_devices[0].vnode", HV, VMBUS, VPCI({ID(1, 1, 1), .vnode = SET(1)})),
    END,
};
