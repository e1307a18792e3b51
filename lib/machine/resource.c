/* SPDX-License-Identifier: MIT */
/*
 * The registry: a list, looked at once per device of a configuration.
 */

#include "vmrig/resource.h"

#include <string.h>

static const struct vmr_resource_type builtin[] = {
    {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
     .id = "serial",
     .help = "16550 UART, ports 0x3f8 to 0x3ff, line 4",
     .platform_part = 1 + VMR_PLATFORM_SERIAL},
    {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
     .id = "debug-console",
     .help = "prints what is written to port 0x402",
     .platform_part = 1 + VMR_PLATFORM_DEBUG_CONSOLE},
    {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
     .id = "i8042",
     .help = "keyboard controller, ports 0x60, 0x64 and 0x92, line 1",
     .platform_part = 1 + VMR_PLATFORM_I8042},
    {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
     .id = "debug-exit",
     .help = "powers off when port 0xf4 or 0x501 is written",
     .platform_part = 1 + VMR_PLATFORM_DEBUG_EXIT},
    {.kind = VMR_RESOURCE_CHIPSET_DEVICE,
     .id = "fw-cfg",
     .help = "firmware configuration, ports 0x510 and 0x511",
     .platform_part = 1 + VMR_PLATFORM_FW_CFG},
};

void vmr_resource_registry_init(struct vmr_resource_registry *registry)
{
    *registry = (struct vmr_resource_registry){.count = 0};
    for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
        registry->types[registry->count++] = &builtin[i];
}

const struct vmr_resource_type *vmr_resource_registry_find(const struct vmr_resource_registry *registry,
                                                           enum vmr_resource_kind kind, const char *id)
{
    for (size_t i = 0; i < registry->count; i++) {
        if (registry->types[i]->kind == kind && strcmp(registry->types[i]->id, id) == 0)
            return registry->types[i];
    }
    return NULL;
}

static bool is_complete(const struct vmr_resource_type *type)
{
    if (!type->id || !type->create || !type->destroy || type->platform_part != 0)
        return false;
    for (size_t i = 0; i < type->parameter_count; i++) {
        if (!type->parameters || !type->parameters[i].name)
            return false;
    }
    return true;
}

enum vmr_status vmr_resource_registry_add(struct vmr_resource_registry *registry, const struct vmr_resource_type *type,
                                          struct vmr_error *err)
{
    if (!is_complete(type))
        return vmr_error_set(err, VMR_E_USAGE,
                             "registry: type '%s' lacks its id, create, destroy or a parameter's name",
                             type->id ? type->id : "");
    if (type->kind != VMR_RESOURCE_CHIPSET_DEVICE && type->kind != VMR_RESOURCE_VIRTIO_DEVICE)
        return vmr_error_set(err, VMR_E_CONFIG, "registry: type '%s': no machine here has a place for a %s", type->id,
                             vmr_resource_kind_name(type->kind));
    if (vmr_resource_registry_find(registry, type->kind, type->id))
        return vmr_error_set(err, VMR_E_CONFIG, "registry: there is a %s '%s' already",
                             vmr_resource_kind_name(type->kind), type->id);
    if (registry->count == VMR_RESOURCE_TYPE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "registry: type '%s' is one more than %u", type->id,
                             VMR_RESOURCE_TYPE_MAX);
    registry->types[registry->count++] = type;
    return VMR_OK;
}
