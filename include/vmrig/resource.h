/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a configuration's resources come from: a registry of device types by
 * kind and id. The library's own are in it from the beginning; an embedder adds
 * his. What is in no registry is refused by name. [CFG-5]
 *
 *   vmr_resource_registry_init ─> vmr_resource_registry_add ... ─> vmr_machine_build, as often as one likes
 *
 * A device of a type is made while the machine is, before its partition is
 * built, and destroyed after the partition is gone. It claims its ranges on the
 * buses that it is given, raises lines through the sink, and starts no thread.
 */

#include "vmrig/bus.h"
#include "vmrig/config/values.h"
#include "vmrig/platform.h"
#include "vmrig/state.h"

VMR_BEGIN_DECLS

/* What a device is made in. All of it lives as long as the device. */
struct vmr_resource_place {
    const char *name; /* as configured; "virtio_devices[2]" where devices have no names. For this call alone. */
    const struct vmr_host *host;
    struct vmr_bus *ports, *mmio;
    struct vmr_irq_sink irq;
    struct vmr_memory *memory;  /* with all RAM */
    struct vmr_gpa_range range; /* virtio-mmio: its registers; else empty */
    uint32_t gsi;               /* virtio-mmio: its line */
};

struct vmr_resource_parameter {
    const char *name;
    enum vmr_parameter_kind kind;
    bool required;
    uint64_t minimum, maximum;       /* of a number; maximum 0: any */
    enum vmr_resource_kind resource; /* with VMR_PARAMETER_RESOURCE: of which kind */
    const char *help;
};

struct vmr_resource_type {
    enum vmr_resource_kind kind; /* VMR_RESOURCE_CHIPSET_DEVICE, or VMR_RESOURCE_VIRTIO_DEVICE on MMIO */
    const char *id;
    const char *help;
    const struct vmr_resource_parameter *parameters;
    size_t parameter_count;
    /* 1 + the part of the platform that it is (the library's own); 0: `create` makes it. */
    unsigned platform_part;
    /* The parameters are those of the table, in their ranges. On failure nothing is left. VPs stopped. */
    enum vmr_status (*create)(void *context, const struct vmr_resource *resource,
                              const struct vmr_resource_place *place, void **ret_device, struct vmr_error *err);
    void (*destroy)(void *device);
    /* Its state, for snapshots and resets; NULL: it holds none. The unit's object is the device's. */
    void (*state_unit)(void *device, struct vmr_state_unit *ret_unit);
    void *context;
};

#define VMR_RESOURCE_TYPE_MAX 64u

/* Owned by the caller; no constructor but vmr_resource_registry_init. */
struct vmr_resource_registry {
    const struct vmr_resource_type *types[VMR_RESOURCE_TYPE_MAX];
    size_t count;
};

/* The library's own: serial, debug-console, i8042, debug-exit, fw-cfg. */
VMR_API void vmr_resource_registry_init(struct vmr_resource_registry *registry);
/*
 * `type` must outlive the registry. VMR_E_USAGE: incomplete; VMR_E_CONFIG: kind and id are taken, its kind is one that
 * no machine here has a place for, or the registry is full.
 */
VMR_API VMR_MUST_CHECK enum vmr_status vmr_resource_registry_add(struct vmr_resource_registry *registry,
                                                                 const struct vmr_resource_type *type,
                                                                 struct vmr_error *err);
/* NULL: there is none. */
VMR_API const struct vmr_resource_type *vmr_resource_registry_find(const struct vmr_resource_registry *registry,
                                                                   enum vmr_resource_kind kind, const char *id);

VMR_END_DECLS
