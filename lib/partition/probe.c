/* SPDX-License-Identifier: MIT */
/*
 * Choosing a hypervisor: the walk over a set of backends, and the handle that
 * comes of it. The grammar is in spec.c, the built-in table in backends/.
 */

#include <string.h>

#include "lib/base/os_fd.h"
#include "vmrig/backend.h"

bool vmr_backend_is(const struct vmr_backend *backend, const struct vmr_backend *wanted)
{
    return backend && (backend == wanted || backend->base == wanted);
}

const struct vmr_backend *vmr_backend_find(const struct vmr_backend_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->backends[i]->name, name) == 0)
            return set->backends[i];
    }
    return NULL;
}

enum vmr_status vmr_backend_set_add(struct vmr_backend_set *set, const struct vmr_backend *backend,
                                    struct vmr_error *err)
{
    if (backend->abi != VMR_BACKEND_ABI)
        return vmr_error_set(err, VMR_E_CONFIG, "backend: its table has version %u, this library takes version %u",
                             backend->abi, VMR_BACKEND_ABI);
    if (vmr_backend_find(set, backend->name))
        return vmr_error_set(err, VMR_E_CONFIG, "backend '%s': the set already has one of that name", backend->name);
    if (set->count >= VMR_BACKEND_MAX)
        return vmr_error_set(err, VMR_E_USAGE, "backend '%s': the set is full (%u backends)", backend->name,
                             VMR_BACKEND_MAX);
    set->backends[set->count++] = backend;
    return VMR_OK;
}

static const struct vmr_param_key *find_key(const struct vmr_backend *backend, const char *key)
{
    for (const struct vmr_param_key *known = backend->keys; known && known->name; known++) {
        if (strcmp(known->name, key) == 0)
            return known;
    }
    return NULL;
}

/* Every key is one of the backend's, and comes once. [PROBE-2] */
static enum vmr_status check_keys(const struct vmr_backend *backend, const struct vmr_params *params,
                                  struct vmr_error *err)
{
    for (size_t i = 0; i < params->count; i++) {
        const char *key = params->items[i].key;

        if (!find_key(backend, key))
            return vmr_error_set(err, VMR_E_CONFIG, "hypervisor '%s': unknown parameter '%s'", backend->name, key);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(params->items[j].key, key) == 0)
                return vmr_error_set(err, VMR_E_CONFIG, "hypervisor '%s': parameter '%s' is given twice", backend->name,
                                     key);
        }
    }
    return VMR_OK;
}

static enum vmr_status open_spec(const struct vmr_backend_set *set, const char *text, int fd,
                                 struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err)
{
    struct vmr_spec spec;
    enum vmr_status status = vmr_spec_parse(text, &spec, err);

    if (status)
        return status;
    const struct vmr_backend *backend = vmr_backend_find(set, spec.name);

    if (!backend)
        return vmr_error_set(err, VMR_E_CONFIG, "unknown hypervisor '%s'", spec.name);
    status = check_keys(backend, &spec.params, err);
    if (status)
        return status;
    struct vmr_hypervisor_handle handle = {.backend = backend, .fd = -1};

    status = backend->open(&spec.params, fd, &handle, err);
    if (status)
        return status;
    handle.backend = backend;
    *ret_handle = handle;
    return VMR_OK;
}

enum vmr_status vmr_probe_named(const struct vmr_backend_set *set, const char *spec,
                                struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err)
{
    return open_spec(set, spec, -1, ret_handle, err);
}

enum vmr_status vmr_handle_from_fd(const struct vmr_backend_set *set, const char *spec, int fd,
                                   struct vmr_hypervisor_handle *ret_handle, struct vmr_error *err)
{
    if (fd < 0)
        return vmr_error_set(err, VMR_E_USAGE, "handle: descriptor %d is not one", fd);
    return open_spec(set, spec, fd, ret_handle, err);
}

enum vmr_status vmr_probe_auto(const struct vmr_backend_set *set, struct vmr_hypervisor_handle *ret_handle,
                               struct vmr_error *err)
{
    static const struct vmr_params no_params = {0};

    for (size_t i = 0; i < set->count; i++) {
        const struct vmr_backend *backend = set->backends[i];
        struct vmr_hypervisor_handle handle = {.backend = backend, .fd = -1};
        struct vmr_error reason = {0}; /* apart: one that is passed over is no failure of ours [ERR-1] */

        if (backend->flags & VMR_BACKEND_EXPLICIT_ONLY)
            continue;
        enum vmr_status status = backend->open(&no_params, -1, &handle, &reason);

        if (status == VMR_E_UNAVAILABLE)
            continue;
        if (status) {
            /* There, and broken: choosing another behind the caller's back would hide it. [PROBE-4] */
            if (err)
                *err = reason;
            return status;
        }
        handle.backend = backend;
        *ret_handle = handle;
        return VMR_OK;
    }
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "no hypervisor is available on this machine");
}

uint64_t vmr_handle_tsc_hz(const struct vmr_hypervisor_handle *handle)
{
    return handle->backend->tsc_hz ? handle->backend->tsc_hz(handle) : 0;
}

void vmr_handle_close(struct vmr_hypervisor_handle *handle)
{
    if (!handle)
        return;
    if (handle->context_destroy)
        handle->context_destroy(handle->context);
    if (handle->owns_fd)
        os_fd_close(handle->fd);
    *handle = (struct vmr_hypervisor_handle){.fd = -1};
}
