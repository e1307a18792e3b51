/* SPDX-License-Identifier: MIT */
/*
 * The proto partition: a hypervisor has been chosen and can be asked, nothing
 * has been made in it. Asking and building are apart so that the answers can
 * shape the configuration.
 */

#include <stdlib.h>

#include "lib/partition/partition.h"

void vmr_proto_destroy(struct vmr_proto *proto)
{
    free(proto);
}

/* What a backend does through the host's events it cannot do on a host that has none. [EVT-3] */
static void drop_events(struct vmr_proto *proto)
{
    static const uint64_t with_events = UINT64_C(1) << VMR_CAP_IRQFD | UINT64_C(1) << VMR_CAP_DOORBELL;

    if ((proto->handle.backend->flags & VMR_BACKEND_HOST_EVENTS) && !proto->host->ops->events)
        proto->caps.bits &= ~with_events;
}

static enum vmr_status proto_fill(struct vmr_proto *proto, struct vmr_error *err)
{
    const struct vmr_backend *backend = proto->handle.backend;
    enum vmr_status status = backend->caps(&proto->handle, &proto->caps, err);

    if (status)
        return status;
    drop_events(proto);
    if (proto->vp_count > proto->caps.vp_count_max)
        return vmr_error_set(err, VMR_E_CONFIG, "vp_count: %u VPs, hypervisor '%s' takes at most %u", proto->vp_count,
                             backend->name, proto->caps.vp_count_max);
    if (!backend->cpuid)
        return VMR_OK;
    return backend->cpuid(&proto->handle, proto->cpuid, VMR_CPUID_LEAF_MAX, &proto->cpuid_count, err);
}

enum vmr_status vmr_proto_create(const struct vmr_hypervisor_handle *handle, const struct vmr_proto_options *options,
                                 struct vmr_proto **ret_proto, struct vmr_error *err)
{
    if (!handle->backend)
        return vmr_error_set(err, VMR_E_STATE, "proto partition: the hypervisor handle is closed");
    if (!options->host || !options->host->ops)
        return vmr_error_set(err, VMR_E_USAGE, "proto partition: options.host is missing");
    uint32_t vp_count = options->vp_count ? options->vp_count : 1;

    if (vp_count > VMR_VP_COUNT_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "vp_count: %u VPs, the limit is %u", vp_count, VMR_VP_COUNT_MAX);
    struct vmr_proto *proto = calloc(1, sizeof(*proto));

    if (!proto)
        return vmr_error_set(err, VMR_E_NOMEM, "proto partition: out of memory");
    proto->host = options->host;
    proto->handle = *handle;
    proto->vp_count = vp_count;
    enum vmr_status status = proto_fill(proto, err);

    if (!status && options->hv)
        status = proto_offer_hv(proto, options->hv, err);
    if (status) {
        vmr_proto_destroy(proto);
        return status;
    }
    *ret_proto = proto;
    return VMR_OK;
}

const struct vmr_caps *vmr_proto_caps(const struct vmr_proto *proto)
{
    return &proto->caps;
}

void vmr_proto_cpuid(const struct vmr_proto *proto, uint32_t leaf, uint32_t subleaf, struct vmr_cpuid_entry *ret_entry)
{
    for (size_t i = 0; i < proto->cpuid_count; i++) {
        const struct vmr_cpuid_entry *entry = &proto->cpuid[i];

        if (entry->leaf == leaf && (!entry->match_subleaf || entry->subleaf == subleaf)) {
            *ret_entry = *entry;
            return;
        }
    }
    *ret_entry = (struct vmr_cpuid_entry){.leaf = leaf, .subleaf = subleaf};
}
