/* SPDX-License-Identifier: MIT */
/*
 * VMBus, and what is offered over it: its devices, and PCI devices as VPCI.
 */

#include "lib/config/check.h"

#include <inttypes.h>
#include <string.h>

#include "lib/config/keys.h"

#define RULE(name) &rules_vmbus[RULE_VMBUS_##name]

#define SOCKET_PATH_MAX 107u /* sockaddr_un, with a zero behind the path */

/* --- the buses --- */

static void check_version(struct check *check, const struct vmr_optional_u32 *version, const char *bus)
{
    static const uint32_t known[] = {0x0000000d, 0x00010001, 0x00020004, 0x00030000, 0x00040000, 0x00040001,
                                     0x00050000, 0x00050001, 0x00050002, 0x00050003, 0x00060000};

    for (size_t i = 0; version->given && i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == version->value)
            return;
    }
    if (version->given)
        FOUND(check, RULE(VERSION), at(check, "%s.vmbus_max_version", bus), "%#" PRIx32, version->value);
}

static void check_socket(struct check *check, const char *path, const char *bus, const char *key)
{
    size_t length = path ? strlen(path) : 0;

    if (length > SOCKET_PATH_MAX)
        FOUND(check, RULE(SOCKET_LONG), at(check, "%s.%s", bus, key), "%zu characters, at most %u", length,
              SOCKET_PATH_MAX);
}

static void check_bus(struct check *check, const struct vmr_vmbus_config *vmbus, const char *bus)
{
    if (is_hardware_isolated(check))
        FOUND(check, RULE(ISOLATED), at(check, "%s", bus), "the processor isolates the guest");
    else if (!check->config.hypervisor.with_hv)
        FOUND(check, RULE(HV), at(check, "%s", bus), "hypervisor.with_hv is not set");
    check_socket(check, vmbus->vsock_listener, bus, "vsock_listener");
    check_socket(check, vmbus->vsock_path, bus, "vsock_path");
    check_version(check, &vmbus->vmbus_max_version, bus);
    if (vmbus->vmbusproxy)
        FOUND(check, RULE(PROXY), at(check, "%s.vmbusproxy", bus), "no host but Windows has one");
}

static bool is_same_socket(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static void check_vtl2_bus(struct check *check)
{
    const struct vmr_config *config = &check->config;
    const struct vmr_vmbus_config *vtl0 = config->vmbus, *vtl2 = config->vtl2_vmbus;

    check_bus(check, vtl2, "vtl2_vmbus");
    if (!config->hypervisor.with_vtl2)
        FOUND(check, RULE(VTL2), at(check, "vtl2_vmbus"), "there is no hypervisor.with_vtl2");
    if (!vtl0)
        FOUND(check, RULE(VTL2_ALONE), at(check, "vtl2_vmbus"), "there is no vmbus");
    if (vtl2->vtl2_redirect)
        FOUND(check, RULE(REDIRECT_ITSELF), at(check, "vtl2_vmbus.vtl2_redirect"), "this is the bus of VTL 2");
    if (vtl0 && is_same_socket(vtl0->vsock_listener, vtl2->vsock_listener))
        FOUND(check, RULE(SOCKET_TWICE), at(check, "vtl2_vmbus.vsock_listener"), "'%.60s' is vmbus.vsock_listener",
              vtl2->vsock_listener);
}

void check_vmbus(struct check *check)
{
    const struct vmr_config *config = &check->config;

    if (config->vmbus)
        check_bus(check, config->vmbus, "vmbus");
    if (config->vmbus && config->vmbus->vtl2_redirect && (!config->hypervisor.with_vtl2 || !config->vtl2_vmbus))
        FOUND(check, RULE(REDIRECT), at(check, "vmbus.vtl2_redirect"), "there is no %s",
              config->hypervisor.with_vtl2 ? "vtl2_vmbus" : "hypervisor.with_vtl2");
    if (config->vtl2_vmbus)
        check_vtl2_bus(check);
    if (config->kernel_vmnic_count > 0)
        FOUND(check, RULE(KERNEL_VMNICS), at(check, "kernel_vmnics"), "no host but Windows has them");
}

/* --- what is on them --- */

/* The bus of the VTL that a device is for. */
static void check_vtl(struct check *check, enum vmr_device_vtl vtl, const char *list, size_t index)
{
    const struct vmr_config *config = &check->config;

    if (vtl == VMR_DEVICE_VTL1)
        FOUND(check, RULE(DEVICE_VTL1), at(check, "%s[%zu].vtl", list, index), "VTL 1 has no bus");
    else if (vtl == VMR_DEVICE_VTL2 && !config->vtl2_vmbus)
        FOUND(check, RULE(DEVICE_VTL2), at(check, "%s[%zu].vtl", list, index), "there is no vtl2_vmbus");
    else if (vtl == VMR_DEVICE_VTL0 && !config->vmbus)
        FOUND(check, RULE(DEVICE_VTL0), at(check, "%s[%zu]", list, index), "there is no vmbus");
}

/* What a guest makes the device id of: its low three bits are a function's number. */
static struct key key_of_device_id(const struct vmr_vpci_config *device, size_t id)
{
    uint32_t number = (uint32_t)device->instance_id.data2 << 16 | (device->instance_id.data3 & 0xfff8u);

    return (struct key){.number = number, .id = id};
}

static bool is_zero(const struct vmr_guid *guid)
{
    static const struct vmr_guid zero;

    return memcmp(guid, &zero, sizeof(zero)) == 0;
}

void check_vpci(struct check *check)
{
    const struct vmr_config *config = &check->config;
    struct keys ids;

    if (!keys_init(&ids, &check->arena, config->vpci_device_count)) {
        check->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config->vpci_device_count; i++) {
        if (!is_zero(&config->vpci_devices[i].instance_id))
            keys_add(&ids, key_of_device_id(&config->vpci_devices[i], i));
    }
    keys_sort(&ids);
    for (size_t i = 0; i < config->vpci_device_count; i++) {
        const struct vmr_vpci_config *device = &config->vpci_devices[i];
        const struct key key = key_of_device_id(device, i);

        check_vtl(check, device->vtl, "vpci_devices", i);
        if (is_zero(&device->instance_id))
            FOUND(check, RULE(VPCI_ZERO), at(check, "vpci_devices[%zu]", i), "instance_id is zero");
        else if (keys_find(&ids, &key) != i)
            FOUND(check, RULE(VPCI_TAKEN), at(check, "vpci_devices[%zu].instance_id", i),
                  "makes the device id %#" PRIx64 " of vpci_devices[%zu], too", key.number, keys_find(&ids, &key));
        check_vnode(check, &device->vnode, at(check, "vpci_devices[%zu].vnode", i));
    }
}

void check_vmbus_devices(struct check *check)
{
    for (size_t i = 0; i < check->config.vmbus_device_count; i++)
        check_vtl(check, check->config.vmbus_devices[i].vtl, "vmbus_devices", i);
}
