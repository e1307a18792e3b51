/* SPDX-License-Identifier: MIT */
/*
 * What every animal has. The zoo's part of an object lies behind the largest
 * that any base has, so that it is found without knowing the base.
 */

#include "conformance/zoo/zoo.h"

#define ALIGNMENT 64u

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t vm_place(void)
{
    struct vmr_backend_set set;
    size_t size = 0;

    vmr_backend_set_init(&set);
    for (size_t i = 0; i < set.count; i++)
        size = set.backends[i]->vm_size > size ? set.backends[i]->vm_size : size;
    return rounded(size);
}

static size_t vp_place(void)
{
    struct vmr_backend_set set;
    size_t size = 0;

    vmr_backend_set_init(&set);
    for (size_t i = 0; i < set.count; i++)
        size = set.backends[i]->vp_size > size ? set.backends[i]->vp_size : size;
    return rounded(size);
}

struct zoo_vm *zoo_vm(struct vmr_backend_vm *vm)
{
    return (void *)((char *)vm + vm_place());
}

struct zoo_vp *zoo_vp(struct vmr_backend_vp *vp)
{
    return (void *)((char *)vp + vp_place());
}

enum vmr_status zoo_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                           const struct vmr_vm_config *config, struct vmr_error *err)
{
    zoo_vm(vm)->base = handle->backend->base;
    zoo_vm(vm)->host = config->host;
    return handle->backend->base->vm_create(vm, handle, config, err);
}

static enum vmr_status create_vm(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                 const struct vmr_vm_config *config, struct vmr_error *err)
{
    return zoo_create(vm, handle, config, err);
}

static enum vmr_status create_vp(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                                 struct vmr_error *err)
{
    struct zoo_vp *zoo = zoo_vp(vp);

    zoo->base = zoo_vm(vm)->base;
    zoo->vm = zoo_vm(vm);
    zoo->base_vm = vm;
    zoo->index = index;
    return zoo->base->vp_create(vm, vp, index, err);
}

void zoo_make(const struct zoo_animal *animal, const struct vmr_backend *base, struct vmr_backend *ret_table,
              struct vmr_backend_state *ret_state)
{
    *ret_table = *base;
    ret_table->base = base;
    ret_table->name = animal->name;
    ret_table->description = animal->defect;
    ret_table->vm_size = vm_place() + sizeof(struct zoo_vm);
    ret_table->vp_size = vp_place() + sizeof(struct zoo_vp);
    ret_table->vm_create = create_vm;
    ret_table->vp_create = create_vp;
    if (base->state) {
        *ret_state = *base->state;
        ret_table->state = ret_state;
    }
    animal->make(ret_table);
}
