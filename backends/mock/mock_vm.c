/* SPDX-License-Identifier: MIT */
/*
 * A VM: what its VPs share, and the public calls that look into it or give VPs
 * something to do. Interrupts of the in-hypervisor controllers are in chip.c.
 */

#include <stdlib.h>
#include <string.h>

#include "backends/mock/chip.h"
#include "backends/mock/machine.h"
#include "backends/mock/script.h"

/* --- the table --- */

static enum vmr_status copy_config(struct vmr_backend_vm *vm, const struct vmr_vm_config *config, struct vmr_error *err)
{
    vm->cpuid = calloc(config->cpuid_count + 1, sizeof(*vm->cpuid));
    vm->msr_exits = calloc(config->msr_exit_count + 1, sizeof(*vm->msr_exits));
    vm->vps = calloc(config->vp_count, sizeof(struct vmr_backend_vp *));
    if (!vm->cpuid || !vm->msr_exits || !vm->vps)
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    if (config->cpuid_count > 0)
        memcpy(vm->cpuid, config->cpuid, config->cpuid_count * sizeof(*vm->cpuid));
    if (config->msr_exit_count > 0)
        memcpy(vm->msr_exits, config->msr_exits, config->msr_exit_count * sizeof(*vm->msr_exits));
    vm->cpuid_count = config->cpuid_count;
    vm->msr_exit_count = config->msr_exit_count;
    vm->vp_capacity = config->vp_count;
    return VMR_OK;
}

enum vmr_status mock_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                               const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct mock_hypervisor *hypervisor = handle->context;
    enum vmr_status status = fault_call(hypervisor, "creating a VM", err);
    bool many = (hypervisor->profile->caps >> VMR_CAP_MULTI_VM & 1u) != 0;

    if (status)
        return status;
    (void)atomic_fetch_add(&hypervisor->references, 1);
    vm->hypervisor = hypervisor;
    vm->profile = hypervisor->profile;
    vm->host = config->host;
    vm->irqchip = config->irqchip;
    vm->mock.vm = vm;
    if (atomic_fetch_add(&hypervisor->vm_count, 1) > 0 && !many)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "mock: profile '%s' has one VM at a time", vm->profile->name);
    status = copy_config(vm, config, err);
    if (!status && (map_init(&vm->map, config->host) || events_init(&vm->events, config->host)))
        status = vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory");
    vm->vtl_highest = config->vtl_highest;
    vm->vtl_first = config->vtl_first;
    vm->vtl0_alias_map = config->vtl0_alias_map;
    vm->map.dirty_protects = vm->profile->dirty == PROFILE_DIRTY_PROTECT;
    vm->map.vtls = config->vtl_highest > 0 ? (uint8_t)(config->vtl_highest + 1) : 0;
    if (!status && config->irqchip != VMR_IRQCHIP_USER)
        status = chip_create(vm, err);
    return status;
}

void mock_vm_destroy(struct vmr_backend_vm *vm)
{
    if (!vm->hypervisor)
        return;
    events_finish(&vm->events);
    chip_destroy(vm->chip);
    map_finish(&vm->map);
    free(vm->cpuid);
    free(vm->msr_exits);
    free(vm->vps);
    (void)atomic_fetch_sub(&vm->hypervisor->vm_count, 1);
    hypervisor_release(vm->hypervisor);
    *vm = (struct vmr_backend_vm){0};
}

enum vmr_status mock_vm_map(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                            struct vmr_error *err)
{
    enum vmr_status status = fault_call(vm->hypervisor, "mapping memory", err);

    if (status)
        return status;
    if (map_add(&vm->map, region))
        return vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory for slot %u", slot);
    return VMR_OK;
}

void mock_vm_unmap(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region)
{
    (void)slot;
    map_remove(&vm->map, region->gpa);
}

enum vmr_status mock_vm_dirty_log(struct vmr_backend_vm *vm, bool on, struct vmr_error *err)
{
    enum vmr_status status = on ? fault_call(vm->hypervisor, "turning the dirty log on", err) : VMR_OK;

    if (!status && !map_dirty_log(&vm->map, on))
        status = vmr_error_set(err, VMR_E_NOMEM, "mock: out of memory for the dirty log");
    return status;
}

enum vmr_status mock_vm_dirty_take(struct vmr_backend_vm *vm, const struct vmr_dirty_query *query,
                                   struct vmr_error *err)
{
    enum vmr_status status = fault_call(vm->hypervisor, "taking the dirty log", err);

    if (!status)
        map_dirty_take(&vm->map, query);
    return status;
}

void mock_vm_set_seam_hook(struct vmr_backend_vm *vm,
                           void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam), void *context)
{
    vm->hook = hook;
    vm->hook_context = context;
}

void *mock_vm_native(struct vmr_backend_vm *vm)
{
    return &vm->mock;
}

/* --- what tests give and ask --- */

static struct vmr_backend_vp *vp_of(const struct vmr_mock *mock, vmr_vp_index vp)
{
    return vp < mock->vm->vp_count ? mock->vm->vps[vp] : NULL;
}

/* Makes room for another source of exits. */
static void forget_source(struct vmr_backend_vp *vp)
{
    script_destroy(vp->script);
    vp->script = NULL;
    vp->source = (struct vmr_mock_source){0};
    vp->holds = false;
    vp->program = NULL;
    vp_restart(vp);
}

static bool needs_counts(const struct vmr_program *program)
{
    for (uint32_t i = 0; i < program->count; i++) {
        if (program->steps[i].op == VMR_STEP_WAIT_VECTOR || program->steps[i].op == VMR_STEP_READ_COUNT)
            return true;
    }
    return false;
}

static enum vmr_status check_program(const struct vmr_mock *mock, vmr_vp_index vp, const struct vmr_program *program,
                                     struct vmr_error *err)
{
    struct vmr_backend_vp *target = vp_of(mock, vp);
    enum vmr_status status = vmr_program_check(program, err);

    if (status)
        return status;
    if (!target)
        return vmr_error_set(err, VMR_E_USAGE, "mock: VP %u: there are %u", vp, mock->vm->vp_count);
    if (vp >= VMR_PROGRAM_VP_MAX && needs_counts(program))
        return vmr_error_set(err, VMR_E_CONFIG, "program '%s': VP %u has no interrupt counts, only the first %u have",
                             program->name, vp, VMR_PROGRAM_VP_MAX);
    return VMR_OK;
}

enum vmr_status vmr_mock_load_program(struct vmr_mock *mock, vmr_vp_index vp, const struct vmr_program *program,
                                      struct vmr_error *err)
{
    enum vmr_status status = check_program(mock, vp, program, err);

    if (status)
        return status;
    forget_source(vp_of(mock, vp));
    vp_of(mock, vp)->program = program;
    return VMR_OK;
}

enum vmr_status vmr_mock_load_vtl_program(struct vmr_mock *mock, vmr_vp_index vp, uint8_t vtl,
                                          const struct vmr_program *program, struct vmr_error *err)
{
    enum vmr_status status = check_program(mock, vp, program, err);

    if (status)
        return status;
    if (vtl > mock->vm->vtl_highest)
        return vmr_error_set(err, VMR_E_USAGE, "mock: VTL %u: the highest is %u", vtl, mock->vm->vtl_highest);
    if (vtl == vp_of(mock, vp)->vtl)
        return vmr_mock_load_program(mock, vp, program, err);
    vtl_set_program(vp_of(mock, vp), vtl, program);
    return VMR_OK;
}

enum vmr_status vmr_mock_load_source(struct vmr_mock *mock, vmr_vp_index vp, const struct vmr_mock_source *source)
{
    struct vmr_backend_vp *target = vp_of(mock, vp);

    if (!target || !source->next)
        return VMR_E_USAGE;
    forget_source(target);
    target->source = *source;
    return VMR_OK;
}

enum vmr_status vmr_mock_load_script(struct vmr_mock *mock, vmr_vp_index vp, const char *text, size_t length,
                                     struct vmr_error *err)
{
    struct vmr_backend_vp *target = vp_of(mock, vp);
    struct script *script;

    if (!target)
        return vmr_error_set(err, VMR_E_USAGE, "mock: VP %u: there are %u", vp, mock->vm->vp_count);
    enum vmr_status status = script_create(text, length, &script, err);

    if (status)
        return status;
    forget_source(target);
    target->script = script;
    return VMR_OK;
}

const char *vmr_mock_script_error(const struct vmr_mock *mock, vmr_vp_index vp)
{
    const struct vmr_backend_vp *target = vp_of(mock, vp);

    return target && target->script ? script_error(target->script) : NULL;
}

size_t vmr_mock_injected(const struct vmr_mock *mock, vmr_vp_index vp, uint8_t *vectors, size_t capacity)
{
    const struct vmr_backend_vp *target = vp_of(mock, vp);

    if (!target)
        return 0;
    size_t count = target->injected_count < MOCK_INJECTED_MAX ? (size_t)target->injected_count : MOCK_INJECTED_MAX;

    if (count > capacity)
        count = capacity;
    if (count > 0)
        memcpy(vectors, target->injected_log, count);
    return (size_t)target->injected_count;
}

uint64_t vmr_mock_kicks(const struct vmr_mock *mock, vmr_vp_index vp)
{
    const struct vmr_backend_vp *target = vp_of(mock, vp);

    return target ? atomic_load(&target->kicks) : 0;
}

uint64_t vmr_mock_flushes(const struct vmr_mock *mock, vmr_vp_index vp)
{
    const struct vmr_backend_vp *target = vp_of(mock, vp);

    return target ? atomic_load(&target->flushes) : 0;
}

uint64_t vmr_mock_steps(const struct vmr_mock *mock, vmr_vp_index vp)
{
    const struct vmr_backend_vp *target = vp_of(mock, vp);

    return target ? atomic_load(&target->steps) : 0;
}
