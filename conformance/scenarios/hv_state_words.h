/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Moving a guest: everything that the classes say of a VM and what its RAM
 * holds, taken off it, and put into one that was just made. A scenario's program
 * stops with VMR_RESET, and goes on behind it in the other VM.
 *
 * The library's own interrupt controllers are no classes: a guest that goes on
 * turns its local APIC on again.
 */

#include <stdlib.h>

#include "conformance/scenarios/synic_words.h"

#define MOVED_MAX 512u

struct moved_state {
    bool of_partition;
    vmr_vp_index vp;
    struct vmr_state_id id;
    void *value;
};

struct moved {
    struct conf *conf;
    uint8_t *ram;
    size_t ram_size, count;
    struct moved_state states[MOVED_MAX];
};

static inline const struct vmr_state_type *moved_type(const struct moved_state *state)
{
    return state->of_partition ? vmr_vm_class_type((enum vmr_vm_class)state->id.state_class)
                               : vmr_vp_class_type((enum vmr_vp_class)state->id.state_class);
}

static inline void moved_free(struct moved *moved)
{
    for (size_t i = 0; moved && i < moved->count; i++)
        free(moved->states[i].value);
    if (moved)
        free(moved->ram);
    free(moved);
}

static inline void moved_end(struct moved **moved)
{
    moved_free(*moved);
    *moved = NULL;
}

static inline enum vmr_status moved_get(struct conf_vm *vm, const struct moved_state *state, void *value,
                                        struct vmr_error *err)
{
    return state->of_partition ? vmr_partition_state_get(vm->partition, &state->id, value, err)
                               : vmr_vp_state_get(vm->vps[state->vp], &state->id, value, err);
}

static inline enum vmr_status moved_set(struct conf_vm *vm, const struct moved_state *state, struct vmr_error *err)
{
    return state->of_partition ? vmr_partition_state_set(vm->partition, &state->id, state->value, err)
                               : vmr_vp_state_set(vm->vps[state->vp], &state->id, state->value, err);
}

static inline bool moved_add(struct moved *moved, struct conf_vm *vm, const struct moved_state *state)
{
    struct moved_state *added = &moved->states[moved->count];
    struct vmr_error err = {.message = "out of memory"};

    if (moved->count == MOVED_MAX)
        return false;
    *added = *state;
    added->value = calloc(1, moved_type(state)->size);
    moved->count++;
    bool taken = added->value && moved_get(vm, added, added->value, &err) == VMR_OK;

    CONF_CHECK(moved->conf, taken, "reading '%s': %s", moved_type(state)->name, err.message);
    return taken;
}

static inline bool moved_take_states(struct moved *moved, struct conf_vm *vm)
{
    struct moved_state at = {.of_partition = true};

    for (; vmr_partition_state_find(vm->partition, &at.id); at.id.instance++) {
        if (!moved_add(moved, vm, &at))
            return false;
    }
    for (vmr_vp_index vp = 0; vp < vm->vp_count; vp++) {
        at = (struct moved_state){.vp = vp};
        for (; vm->vps[vp] && vmr_vp_state_find(vm->vps[vp], &at.id); at.id.instance++) {
            if (!moved_add(moved, vm, &at))
                return false;
        }
    }
    return true;
}

/* All of a VM. NULL: failed. */
static inline struct moved *moved_take(struct conf_vm *vm)
{
    struct moved *moved = calloc(1, sizeof(*moved));
    bool taken = moved != NULL;

    if (taken) {
        moved->conf = vm->conf;
        moved->ram_size = VMR_PROGRAM_RAM_MIN;
        moved->ram = malloc(moved->ram_size);
        taken = moved->ram && vmr_memory_read(vm->memory, 0, moved->ram, moved->ram_size) == VMR_OK;
    }
    taken = taken && moved_take_states(moved, vm);
    CONF_CHECK(vm->conf, taken, "the VM cannot be taken up");
    if (taken)
        return moved;
    moved_free(moved);
    return NULL;
}

/* A value of it; NULL: there is no such. */
static inline void *moved_value(const struct moved *moved, bool of_partition, const struct vmr_state_id *id)
{
    for (size_t i = 0; moved && i < moved->count; i++) {
        const struct moved_state *state = &moved->states[i];

        if (state->of_partition == of_partition && state->vp == 0 && state->id.state_class == id->state_class &&
            state->id.vtl == id->vtl && state->id.instance == id->instance)
            return state->value;
    }
    return NULL;
}

/* Saved again it is the same, to the last byte of RAM, but for what moves by itself. */
static inline void moved_compare(const struct moved *moved, struct conf_vm *vm)
{
    struct moved *again = moved_take(vm);
    struct conf *conf = vm->conf;

    for (size_t i = 0; again && i < moved->count && i < again->count; i++) {
        const struct moved_state *want = &moved->states[i];
        struct vmr_state_difference difference;
        bool comparable = want->of_partition || vmr_vp_state_is_comparable(vm->vps[want->vp], &want->id);

        if (comparable && !vmr_state_equal(moved_type(want), again->states[i].value, want->value, false, &difference))
            conf_fail(conf, __FILE__, __LINE__, "moved: VTL %u: %s.%s[%u] is %#llx, not %#llx", want->id.vtl,
                      moved_type(want)->name, difference.field->name, difference.element,
                      (unsigned long long)difference.left, (unsigned long long)difference.right);
    }
    CONF_CHECK(conf, again && again->count == moved->count, "there are other classes");
    for (size_t at = 0; again && at < moved->ram_size; at++) {
        if (again->ram[at] == moved->ram[at])
            continue;
        conf_fail(conf, __FILE__, __LINE__, "restoring has written RAM: at %#zx %#x is %#x", at, moved->ram[at],
                  again->ram[at]);
        break;
    }
    moved_free(again);
}

/* Into a VM whose VPs are bound. False: failed. */
static inline bool moved_put(const struct moved *moved, struct conf_vm *vm)
{
    struct vmr_error err = {.message = ""};
    bool put = vmr_memory_write(vm->memory, 0, moved->ram, moved->ram_size) == VMR_OK;

    CONF_CHECK(vm->conf, put, "the RAM is another");
    for (size_t i = 0; put && i < moved->count; i++) {
        put = moved_set(vm, &moved->states[i], &err) == VMR_OK;
        CONF_CHECK(vm->conf, put, "writing '%s': %s", moved_type(&moved->states[i])->name, err.message);
    }
    if (put)
        moved_compare(moved, vm);
    return put;
}

/* Whether the hypervisor gives its state away; else there is nothing to move, and the scenario is skipped. */
static inline bool can_move(struct conf *conf)
{
    if (conf->caps.vp_classes >> VMR_VP_REGISTERS & 1)
        return true;
    conf_skip(conf, "the hypervisor does not give its state away");
    return false;
}
