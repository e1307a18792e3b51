/* SPDX-License-Identifier: MIT */
/*
 * Tables: what is not on PCI Express.
 */

#include "lib/config/model_fields.h"

#define OF struct vmr_resource
static const struct model_field resource_fields[] = {
    {KEY(id), .kind = MODEL_TEXT, .required = true, .about = "What it is: the name that its maker has registered."},
    {KEY(parameters), .kind = MODEL_PARAMETERS, COUNTED(parameter_count),
     .about = "What the maker wants to know: true, false, numbers, sizes, texts, resources."},
};
const struct model_struct model_resource = {"resource", "A device, or what one stands on.", TABLE(resource_fields)};
#undef OF

static const char *const vtls[VMR_DEVICE_VTL_COUNT] = {
    [VMR_DEVICE_VTL0] = "vtl0",
    [VMR_DEVICE_VTL1] = "vtl1",
    [VMR_DEVICE_VTL2] = "vtl2",
};

#define OF struct vmr_floppy_config
static const struct model_field floppy_fields[] = {
    {KEY(disk), RESOURCE(VMR_RESOURCE_DISK), .required = true, .about = "What is in it."},
    {KEY(read_only), .kind = MODEL_BOOL, .about = "It cannot be written."},
};
const struct model_struct model_floppy = {"floppy", "A floppy drive.", TABLE(floppy_fields)};
#undef OF

static const char *const ide_media[VMR_IDE_MEDIA_COUNT] = {
    [VMR_IDE_MEDIA_DISK] = "disk",
    [VMR_IDE_MEDIA_DVD] = "dvd",
};

#define OF struct vmr_ide_config
static const struct model_field ide_fields[] = {
    {KEY(channel), .kind = MODEL_UNSIGNED, .max = 1, .about = "Primary or secondary."},
    {KEY(drive), .kind = MODEL_UNSIGNED, .max = 1, .about = "First or second of the channel."},
    {KEY(media), NAMES(ide_media), .about = "What it is."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_DISK), .required = true, .about = "A disk; of a DVD, a SCSI device."},
    {KEY(read_only), .kind = MODEL_BOOL, .about = "The disk cannot be written."},
};
const struct model_struct model_ide = {"ide", "A drive of an IDE channel.", TABLE(ide_fields)};
#undef OF

#define OF struct vmr_vpci_config
static const struct model_field vpci_fields[] = {
    {KEY(vtl), NAMES(vtls), .about = "Whom it is offered to."},
    {KEY(instance_id), .kind = MODEL_GUID, .about = "Unique, also in its second and third part."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_PCI_DEVICE), .required = true, .about = "The device."},
    {OPTIONAL(vnode), .kind = MODEL_UNSIGNED, .about = "The NUMA node that it is near to."},
};
const struct model_struct model_vpci = {"vpci", "A PCI device over VMBus.", TABLE(vpci_fields)};
#undef OF

static const char *const virtio_buses[VMR_VIRTIO_BUS_COUNT] = {
    [VMR_VIRTIO_MMIO] = "mmio",
    [VMR_VIRTIO_PCI] = "pci",
};

#define OF struct vmr_virtio_config
static const struct model_field virtio_fields[] = {
    {KEY(bus), NAMES(virtio_buses), .about = "How it is reached."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_VIRTIO_DEVICE), .required = true, .about = "The device."},
};
const struct model_struct model_virtio = {"virtio", "A virtio device.", TABLE(virtio_fields)};
#undef OF

#define OF struct vmr_vmbus_device_config
static const struct model_field vmbus_device_fields[] = {
    {KEY(vtl), NAMES(vtls), .about = "Whom it is offered to."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_VMBUS_DEVICE), .required = true, .about = "The device."},
};
const struct model_struct model_vmbus_device = {"vmbus_device", "A device over VMBus.", TABLE(vmbus_device_fields)};
#undef OF

#define OF struct vmr_vmbus_config
static const struct model_field vmbus_fields[] = {
    {KEY(vsock_listener), .kind = MODEL_TEXT, .about = "The path of a socket to listen at."},
    {KEY(vsock_path), .kind = MODEL_TEXT, .about = "Where a guest's connections go."},
    {OPTIONAL(vmbus_max_version), .kind = MODEL_UNSIGNED, .is_hex = true, .about = "The newest that is offered."},
    {KEY(vmbusproxy), .kind = MODEL_BOOL, .windows = true, .about = "The host's proxy serves channels."},
    {KEY(vtl2_redirect), .kind = MODEL_BOOL, .about = "VTL 2 serves VTL 0's channels."},
};
const struct model_struct model_vmbus = {"vmbus", "VMBus.", TABLE(vmbus_fields)};
#undef OF

#define OF struct vmr_kernel_vmnic_config
static const struct model_field vmnic_fields[] = {
    {KEY(instance_id), .kind = MODEL_GUID, .about = "The device."},
    {KEY(mac_address), .kind = MODEL_MAC, .about = "Its address."},
    {KEY(switch_id), .kind = MODEL_GUID, .about = "The host's switch."},
    {KEY(port_id), .kind = MODEL_GUID, .about = "The port there."},
};
const struct model_struct model_vmnic = {"kernel_vmnic", "A network card that the host's kernel serves.",
                                         TABLE(vmnic_fields)};
#undef OF

#define OF struct vmr_chipset_device_config
static const struct model_field chipset_device_fields[] = {
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_CHIPSET_DEVICE), .required = true, .about = "The device."},
};
const struct model_struct model_chipset_device = {"chipset_device", "A device of the board.",
                                                  TABLE(chipset_device_fields)};
#undef OF

#define OF struct vmr_pci_chipset_device_config
static const struct model_field pci_chipset_device_fields[] = {
    {KEY(name), .kind = MODEL_TEXT, .required = true, .about = "Unique, among devices of the board too."},
    {KEY(resource), RESOURCE(VMR_RESOURCE_LEGACY_PCI_DEVICE), .required = true, .about = "The device."},
    {KEY(bus), .kind = MODEL_UNSIGNED, .about = "The bus that it is on."},
    {KEY(device), .kind = MODEL_UNSIGNED, .max = 31, .about = "Its number there."},
    {KEY(function), .kind = MODEL_UNSIGNED, .max = 7, .about = "The function."},
};
const struct model_struct model_pci_chipset_device = {"pci_chipset_device", "A device of the legacy PCI bus.",
                                                      TABLE(pci_chipset_device_fields)};
#undef OF

#define OF struct vmr_framebuffer_config
static const struct model_field framebuffer_fields[] = {
    {KEY(size), .kind = MODEL_UNSIGNED, .is_size = true, .align = VMR_PAGE_SIZE, .about = "Bytes."},
};
const struct model_struct model_framebuffer = {"framebuffer", "Memory that is looked at.", TABLE(framebuffer_fields)};
#undef OF
