/* SPDX-License-Identifier: MIT */
/*
 * Resolution: the steps in their order, each after the one that it looks at.
 */

#include "lib/resolve/resolve.h"

#include <stdlib.h>

static enum vmr_status find_virtio(struct resolving *resolving)
{
    const struct vmr_config *config = resolving->config;

    resolving->virtio = arena_alloc(&resolving->arena, config->virtio_device_count, sizeof(*resolving->virtio));
    if (!resolving->virtio)
        return VMR_E_NOMEM;
    for (uint32_t i = 0; i < config->virtio_device_count; i++) {
        if (config->virtio_devices[i].bus == VMR_VIRTIO_MMIO)
            resolving->virtio[resolving->machine.virtio_mmio_count++].device = i;
    }
    resolving->machine.virtio_mmio = resolving->virtio;
    return VMR_OK;
}

static uint8_t bits_of(uint64_t top)
{
    uint8_t bits = 0;

    while (bits < 63 && (UINT64_C(1) << bits) < top)
        bits++;
    return bits;
}

static enum vmr_status resolve_all(struct resolving *resolving)
{
    static enum vmr_status (*const steps[])(struct resolving * resolving) = {
        resolve_processors, resolve_numa, resolve_pcie, find_virtio, resolve_interrupts, resolve_memory,
    };
    enum vmr_status result = VMR_OK;

    /* What one step finds does not keep the next from looking, but for the last, which needs all of them. */
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum vmr_status status = result == VMR_OK || steps[i] != resolve_memory ? steps[i](resolving) : VMR_OK;

        if (status == VMR_E_NOMEM)
            return status;
        result = status == VMR_OK ? result : status;
    }
    return result;
}

enum vmr_status vmr_resolve(const struct vmr_config *config, struct vmr_resolved **ret_resolved,
                            struct vmr_config_report *report)
{
    enum vmr_status status = vmr_config_check(config, report);

    if (status != VMR_OK)
        return status;
    struct resolving *resolving = calloc(1, sizeof(*resolving));

    if (!resolving)
        return VMR_E_NOMEM;
    resolving->machine.config = config;
    resolving->config = config;
    resolving->report = report;
    status = resolve_all(resolving);
    resolving->report = NULL;
    if (status != VMR_OK) {
        vmr_resolved_destroy(&resolving->machine);
        return status;
    }
    resolving->machine.physical_bits_needed = bits_of(resolving->machine.memory.top);
    *ret_resolved = &resolving->machine;
    return VMR_OK;
}

void vmr_resolved_destroy(struct vmr_resolved *resolved)
{
    /* The first member of what was allocated. */
    struct resolving *resolving = (struct resolving *)resolved;

    if (!resolving)
        return;
    arena_finish(&resolving->arena);
    free(resolving);
}
