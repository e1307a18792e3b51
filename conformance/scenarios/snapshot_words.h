/* SPDX-License-Identifier: MIT */
#pragma once

/* Snapshots of a scenario's VM, whose VPs are bound to this thread, in memory. */

#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"
#include "vmrig/rewind.h"

struct kept {
    uint8_t *bytes;
    size_t length, capacity;
    uint64_t id;
};

static inline void kept_free(struct kept *kept)
{
    free(kept->bytes);
    *kept = (struct kept){0};
}

static inline void rewind_end(struct vmr_rewind **rewind)
{
    vmr_rewind_destroy(*rewind);
    *rewind = NULL;
}

static inline enum vmr_status kept_write(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    struct kept *kept = context;

    if (length > kept->capacity - kept->length) {
        size_t capacity = (kept->length + length) * 2;
        uint8_t *larger = realloc(kept->bytes, capacity);

        if (!larger)
            return vmr_error_set(err, VMR_E_NOMEM, "out of memory");
        kept->bytes = larger;
        kept->capacity = capacity;
    }
    memcpy(kept->bytes + kept->length, bytes, length);
    kept->length += length;
    return VMR_OK;
}

static inline enum vmr_status snapshot_call(void *context, vmr_vp_index vp,
                                            enum vmr_status (*function)(void *argument, struct vmr_vp *vp),
                                            void *argument)
{
    const struct conf_vm *vm = context;

    return function(argument, vm->vps[vp]);
}

#define SNAPSHOT_UNIT_MAX (3u + CONF_VP_MAX)

struct snapshot_vm {
    struct vmr_state_unit units[SNAPSHOT_UNIT_MAX];
    struct vmr_snapshot_parts parts;
};

static inline void snapshot_parts_of(struct conf_vm *vm, struct snapshot_vm *ret_vm)
{
    *ret_vm = (struct snapshot_vm){.parts = {.partition = vm->partition, .call = snapshot_call, .context = vm}};
    ret_vm->parts.units = ret_vm->units;
    if (vm->chip)
        ret_vm->parts.unit_count = vmr_irqchip_state_units(vm->chip, ret_vm->units, SNAPSHOT_UNIT_MAX);
}

static inline enum vmr_status snapshot_try(struct conf_vm *vm, uint64_t parent_id, struct kept *kept,
                                           struct vmr_error *err)
{
    const struct vmr_snapshot_save_options options = {.parent_id = parent_id};
    const struct vmr_snapshot_sink sink = {.write = kept_write, .context = kept};
    struct snapshot_vm parts;

    snapshot_parts_of(vm, &parts);
    kept->length = 0;
    return vmr_snapshot_save(&parts.parts, &options, &sink, &kept->id, err);
}

/* False: failed. */
static inline bool snapshot_save(struct conf_vm *vm, uint64_t parent_id, struct kept *kept)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = snapshot_try(vm, parent_id, kept, &err);

    CONF_CHECK(vm->conf, status == VMR_OK, "saving: %s", err.message);
    return status == VMR_OK;
}

static inline struct vmr_snapshot *snapshot_open(struct conf *conf, const struct kept *kept)
{
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot = NULL;
    struct vmr_error err = {.message = ""};

    vmr_snapshot_source_memory(kept->bytes, kept->length, &source);
    enum vmr_status status = vmr_snapshot_open(&source, &snapshot, &err);

    CONF_CHECK(conf, status == VMR_OK, "opening: %s", err.message);
    return snapshot;
}

static inline enum vmr_status snapshot_try_restore(struct conf_vm *vm, const struct kept *const *chain, size_t count,
                                                   struct vmr_error *err)
{
    struct vmr_snapshot *snapshots[4] = {NULL};
    struct snapshot_vm parts;
    enum vmr_status status = VMR_OK;

    snapshot_parts_of(vm, &parts);
    for (size_t i = 0; i < count; i++) {
        snapshots[i] = snapshot_open(vm->conf, chain[i]);
        if (!snapshots[i])
            status = VMR_E_NOMEM;
    }
    if (!status)
        status = vmr_snapshot_restore(&parts.parts, snapshots, count, NULL, err);
    for (size_t i = 0; i < count; i++)
        vmr_snapshot_close(snapshots[i]);
    return status;
}

/* False: failed. */
static inline bool snapshot_restore(struct conf_vm *vm, const struct kept *kept)
{
    struct vmr_error err = {.message = ""};
    enum vmr_status status = snapshot_try_restore(vm, &kept, 1, &err);

    CONF_CHECK(vm->conf, status == VMR_OK, "restoring: %s", err.message);
    return status == VMR_OK;
}

/* A VM of which all VPs are bound, with `program` on each. NULL: failed. */
static inline struct conf_vm *vm_bound_with(struct conf *conf, const struct conf_vm_options *options,
                                            const struct vmr_program *program)
{
    struct conf_vm *vm = conf_vm_create(conf, options);

    for (vmr_vp_index vp = 0; vm && vp < vm->vp_count; vp++) {
        if (!conf_load(vm, vp, program) || !conf_bind(vm, vp))
            return NULL;
    }
    return vm;
}
