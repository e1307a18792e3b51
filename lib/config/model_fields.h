/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How rows of the tables are written. Each table defines OF, the struct that it
 * describes, and undefines it.
 */

#include "lib/config/model.h"

/* A field under its own name. */
#define KEY(member) .name = #member, PLACE(member)
/* The same under another. */
#define PLACE(member) .offset = offsetof(OF, member), .width = sizeof(((OF *)NULL)->member)
/* A struct {bool given; ... value;}. */
#define OPTIONAL(member)                                                                                               \
    .name = #member, .offset = offsetof(OF, member.value), .width = sizeof(((OF *)NULL)->member.value),                \
    .optional = true, .given = offsetof(OF, member.given)
#define COUNTED(member) .count = offsetof(OF, member)
/* Offset in a struct that is itself a member. */
#define INSIDE(outer, inner) (offsetof(OF, outer.inner) - offsetof(OF, outer))
#define NAMES(table) .kind = MODEL_ENUM, .names = (table), .name_count = sizeof(table) / sizeof((table)[0])
#define ELEMENTS_OF(struct_type)                                                                                       \
    .element = &(const struct model_field)                                                                             \
    {                                                                                                                  \
        .kind = MODEL_STRUCT, .type = &(struct_type)                                                                   \
    }
#define ALTERNATIVES(table) .alternatives = (table), .alternative_count = sizeof(table) / sizeof((table)[0])
#define RESOURCE(of_kind) .kind = MODEL_RESOURCE, .resource_kind = (of_kind)
#define TABLE(table) .size = sizeof(OF), .fields = (table), .field_count = sizeof(table) / sizeof((table)[0])

extern const struct model_struct model_load_linux, model_load_uefi, model_load_pcat, model_load_igvm,
    model_load_firmware;
extern const struct model_field model_load_modes[VMR_LOAD_MODE_COUNT];
extern const struct model_struct model_root_complex, model_pcie_device, model_pcie_switch, model_generic_initiator;
extern const struct model_struct model_numa, model_processors;
extern const struct model_struct model_hypervisor, model_layout;
extern const struct model_struct model_floppy, model_ide, model_vpci, model_virtio, model_vmbus, model_vmbus_device,
    model_vmnic, model_chipset, model_chipset_capabilities, model_chipset_device, model_pci_chipset_device,
    model_framebuffer;
extern const struct model_struct model_uefi_variables;
extern const struct model_field model_vmgs_kinds[VMR_VMGS_KIND_COUNT];
