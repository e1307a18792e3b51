/* SPDX-License-Identifier: MIT */
/*
 * Cases: values by themselves.
 */

#include "tests/config/check_cases.h"

#define KERNEL(...) .load_mode = {.mode = VMR_LOAD_LINUX, .linux_direct = {.kernel = {__VA_ARGS__}}}
#define PATH_4080 X1024 X1024 X1024 X256 X256 X256 X64 X64 X64 X16 X16 X16
#define RC(...)                                                                                                        \
    LIST(pcie_root_complexes, pcie_root_complex_count, vmr_pcie_root_complex_config, {.end_bus = 1, __VA_ARGS__})
#define CMDLINE(text) LINUX(.cmdline = text)
#define VIRTIO(...) LIST(virtio_devices, virtio_device_count, vmr_virtio_config, {.resource = {__VA_ARGS__}})
#define WITH(...) VIRTIO(.id = "blk", LIST(parameters, parameter_count, vmr_parameter, __VA_ARGS__))
#define TEXT(key, value)                                                                                               \
    {                                                                                                                  \
        .name = key, .kind = VMR_PARAMETER_TEXT, .text = value                                                         \
    }
#define NUMBER(key)                                                                                                    \
    {                                                                                                                  \
        .name = key, .kind = VMR_PARAMETER_NUMBER, .number = UINT64_MAX                                                \
    }
#define NESTED(key, one)                                                                                               \
    {                                                                                                                  \
        .name = key, .kind = VMR_PARAMETER_RESOURCE, .resource = one                                                   \
    }
#define DISK OF(vmr_resource, .id = "file")
#define IN(inner) OF(vmr_resource, .id = "layer", LIST(parameters, parameter_count, vmr_parameter, NESTED("on", inner)))
#define EIGHT_DEEP IN(IN(IN(IN(IN(IN(IN(DISK)))))))
#define PARAMETERS "virtio_devices[0].resource.parameters."

static const struct vmr_resource endless;
static const struct vmr_parameter endless_parameters[] = {NESTED("on", &endless)};
static const struct vmr_resource endless = {"layer", endless_parameters, 1};
static const struct vmr_resource wide;
static const struct vmr_parameter wide_parameters[] = {NESTED("a", &wide), NESTED("b", &wide), NESTED("c", &wide)};
static const struct vmr_resource wide = {"layer", wide_parameters, 3};
static const struct vmr_numa_distance distances[VMR_CONFIG_LIST_MAX + 1];
static const struct vmr_virtio_config devices[VMR_CONFIG_LIST_MAX + 1];
static const struct vmr_numa_node nodes[VMR_CONFIG_NUMA_NODE_MAX + 1] = {NODE(GIB)};
static const uint8_t byte;

const struct check_case cases_field[] = {
    BAD("FIELD-ENUM", "arch", .arch = VMR_ARCH_COUNT),
    BAD("FIELD-ENUM", "arch", .arch = (enum vmr_arch)0x7fffffff),
    BAD("FIELD-ENUM", "load_mode", .load_mode = {.mode = VMR_LOAD_MODE_COUNT}),
    BAD("FIELD-ENUM", "load_mode.linux.boot_mode", LINUX(.boot_mode = VMR_LINUX_BOOT_MODE_COUNT)),
    BAD("FIELD-ENUM", "load_mode.pcat.boot_order[1]",
        PCAT(PCAT_FILE, .boot_order_count = 4,
             .boot_order = {VMR_PCAT_BOOT_NETWORK, VMR_PCAT_BOOT_DEVICE_COUNT, VMR_PCAT_BOOT_FLOPPY,
                            VMR_PCAT_BOOT_OPTICAL})),
    BAD_BARE("FIELD-ENUM", "numa.nodes[0].vps",
             NODES({.mem = OF(vmr_memory_config, .mem_size = GIB), .vps = {.kind = VMR_VP_ASSIGNMENT_COUNT}})),
    BAD("FIELD-ENUM", "hypervisor.with_isolation", .hypervisor = {.with_isolation = VMR_ISOLATION_COUNT}),
    BAD("FIELD-ENUM", "pcie_root_complexes[0].iommu", RC(.name = "rc0", .iommu = VMR_PCIE_IOMMU_COUNT)),
    BAD("FIELD-ENUM", "vmgs", .vmgs = {.kind = VMR_VMGS_KIND_COUNT}),

    BAD("FIELD-REQUIRED", "load_mode.linux.kernel", KERNEL(.path = NULL)),
    BAD("FIELD-REQUIRED", "load_mode.uefi.firmware", HV, UEFI(.firmware = {.size = 1})),
    BAD("FIELD-REQUIRED", "load_mode.pcat.firmware", PCAT(.boot_order_count = 0)),
    BAD("FIELD-REQUIRED", "load_mode.igvm.file", .load_mode = {.mode = VMR_LOAD_IGVM}),
    BAD("FIELD-REQUIRED", "load_mode.firmware.image", .load_mode = {.mode = VMR_LOAD_FIRMWARE}),
    BAD("FIELD-REQUIRED", "pcie_root_complexes[0].name", RC(.segment = 0)),
    BAD("FIELD-REQUIRED", "pcie_root_complexes[0].ports[0].name",
        RC(.name = "rc0", LIST(ports, port_count, vmr_pcie_port_config, {.hotplug = true}))),
    BAD("FIELD-REQUIRED", "pcie_devices[0].port_name",
        LIST(pcie_devices, pcie_device_count, vmr_pcie_device_config, {.resource = SOME})),
    BAD("FIELD-REQUIRED", "virtio_devices[0].resource", VIRTIO(.id = NULL)),
    BAD("FIELD-REQUIRED", "virtio_devices[0].resource", VIRTIO(.parameters = endless_parameters, .parameter_count = 1)),
    BAD("FIELD-BLOB-EMPTY", "load_mode.linux.kernel", KERNEL(.bytes = &byte)),
    BAD("FIELD-BLOB-EMPTY", "load_mode.linux.custom_dsdt", LINUX(.custom_dsdt = {.bytes = &byte})),

    BAD("FIELD-TEXT-EMPTY", "load_mode.linux.kernel", KERNEL(.path = "")),
    BAD("FIELD-TEXT-EMPTY", "pcie_root_complexes[0].name", RC(.name = "")),
    BAD("FIELD-TEXT-EMPTY", "virtio_devices[0].resource.id", VIRTIO(.id = "")),
    GOOD(CMDLINE("")),
    GOOD(RC(.name = X256 X256 X256 X64 X64 X64 X16 X16 X16 "123456789012345")),
    BAD("FIELD-TEXT-LONG", "pcie_root_complexes[0].name", RC(.name = X1024)),
    GOOD(KERNEL(.path = PATH_4080 "123456789012345")),
    BAD("FIELD-TEXT-CONTROL", "load_mode.linux.cmdline", CMDLINE("console=ttyS0\nquiet")),
    BAD("FIELD-TEXT-CONTROL", "load_mode.linux.cmdline", CMDLINE("\x1f")),
    BAD("FIELD-TEXT-CONTROL", "load_mode.linux.kernel", KERNEL(.path = "a\x7f")),
    BAD("FIELD-TEXT-CONTROL", "pcie_root_complexes[0].name", RC(.name = "\x1b[2Jrc")),
    GOOD(CMDLINE(" ~\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\x80")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xc1\xbf")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("a\xc2")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xe0\x9f\xbf")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xed\xa0\x80")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xe1\x80")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xf0\x8f\xbf\xbf")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xf4\x90\x80\x80")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xf1\x80\x80q")),
    BAD("FIELD-TEXT-UTF8", "load_mode.linux.cmdline", CMDLINE("\xe1\x80\xc0")),

    BAD("FIELD-LIST-NULL", "virtio_devices", .virtio_device_count = 1),
    BAD("FIELD-LIST-NULL", "pcie_root_complexes", .pcie_root_complex_count = SIZE_MAX),
    BAD("FIELD-LIST-NULL", "floppy_disks", .floppy_disk_count = 3),
    BAD("FIELD-LIST-NULL", "ide_disks", .ide_disk_count = 3),
    BAD("FIELD-LIST-NULL", "pcie_devices", .pcie_device_count = 3),
    BAD("FIELD-LIST-NULL", "pcie_switches", .pcie_switch_count = 3),
    BAD("FIELD-LIST-NULL", "pcie_generic_initiators", .pcie_generic_initiator_count = 3),
    BAD("FIELD-LIST-NULL", "vpci_devices", .vpci_device_count = 3),
    BAD("FIELD-LIST-NULL", "vmbus_devices", .vmbus_device_count = 3),
    BAD("FIELD-LIST-NULL", "chipset_devices", .chipset_device_count = 3),
    BAD("FIELD-LIST-NULL", "pci_chipset_devices", .pci_chipset_device_count = 3),
    BAD_BARE("FIELD-LIST-NULL", "numa.distances",
             .numa = {LIST(nodes, node_count, vmr_numa_node, NODE(GIB)), .distance_count = 3}),
    BAD("FIELD-LIST-NULL", "pcie_root_complexes[0].ports", RC(.name = "rc0", .port_count = 3)),
    BAD_BARE("FIELD-LIST-NULL", "numa.nodes", .numa = {.node_count = 2}),
    BAD_BARE(
        "FIELD-LIST-NULL", "numa.nodes[0].vps.explicit",
        NODES({.mem = OF(vmr_memory_config, .mem_size = GIB), .vps = {.kind = VMR_VPS_EXPLICIT, .list_count = 1}})),
    BAD("FIELD-LIST-NULL", "custom_uefi_vars.custom_vars[0].value", HV, UEFI(UEFI_FILE),
        .custom_uefi_vars = {LIST(custom_vars, custom_var_count, vmr_uefi_variable,
                                  {.name = "a", .attr = 3, .value_size = 32769})}),
    BAD("FIELD-LIST-NULL", "virtio_devices[0].resource", VIRTIO(.id = "a", .parameter_count = 1)),
    BAD("FIELD-LIST-MANY", "virtio_devices", .virtio_devices = devices, .virtio_device_count = VMR_CONFIG_LIST_MAX + 1),
    BAD("FIELD-LIST-MANY", "virtio_devices", .virtio_devices = devices, .virtio_device_count = SIZE_MAX),
    BAD_BARE("FIELD-LIST-MANY", "numa.distances",
             .numa = {LIST(nodes, node_count, vmr_numa_node, NODE(GIB)), .distances = distances,
                      .distance_count = VMR_CONFIG_LIST_MAX + 1}),
    GOOD_BARE(.numa = {.nodes = nodes, .node_count = VMR_CONFIG_NUMA_NODE_MAX}),
    BAD_BARE("FIELD-LIST-MANY", "numa.nodes", .numa = {.nodes = nodes, .node_count = VMR_CONFIG_NUMA_NODE_MAX + 1},
             RC(.name = "rc0", .vnode = SET(70))),

    GOOD(WITH(TEXT("path", "/a"), NUMBER("size"), {.name = "flag", .flag = true}, NESTED("disk", EIGHT_DEEP))),
    BAD("FIELD-RESOURCE-NAMELESS", "isa_dma_controller",
        .isa_dma_controller = {.parameters = endless_parameters, .parameter_count = 1}),
    BAD("FIELD-RESOURCES-NESTED", "virtio_devices[0].resource", WITH(NESTED("disk", IN(EIGHT_DEEP)))),
    BAD("FIELD-RESOURCES-NESTED", "virtio_devices[0].resource", WITH(NESTED("disk", &endless))),
    BAD("FIELD-RESOURCES-NESTED", "virtio_devices[0].resource", WITH(NESTED("disk", &wide))),
    BAD("FIELD-PARAMETER-NAME", "virtio_devices[0].resource.parameters", WITH(TEXT(NULL, "a"))),
    BAD("FIELD-PARAMETER-NAME", "virtio_devices[0].resource.parameters", WITH(TEXT("", "a"))),
    BAD("FIELD-PARAMETER-TWICE", PARAMETERS "a", WITH(TEXT("a", "a"), NUMBER("b"), NUMBER("a"))),
    BAD("FIELD-PARAMETER-KIND", PARAMETERS "a", WITH({.name = "a", .kind = VMR_PARAMETER_KIND_COUNT})),
    BAD("FIELD-PARAMETER-VALUE", PARAMETERS "a", WITH(TEXT("a", NULL))),
    BAD("FIELD-PARAMETER-VALUE", PARAMETERS "a", WITH(NESTED("a", NULL))),
    BAD("FIELD-PARAMETER-VALUE", PARAMETERS "a", WITH(NESTED("a", OF(vmr_resource, .id = NULL)))),
    BAD("FIELD-TEXT-CONTROL", PARAMETERS "a", WITH(TEXT("a", "\r"))),
    BAD("FIELD-TEXT-UTF8", PARAMETERS "a.id", WITH(NESTED("a", OF(vmr_resource, .id = "\xff")))),
    END,
};
