/* SPDX-License-Identifier: MIT */
/*
 * The one-VP machine: creation in the order that backend.h draws, each call's
 * failure ending it, and its undoing in reverse.
 */

#include "tests/backends/kvm/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/kvm/kvm.h"

static enum vmr_status create_vm(struct machine *machine, const struct machine_options *options, struct vmr_error *err)
{
    const struct vmr_backend *backend = vmr_kvm_backend();
    struct vmr_cpuid_entry cpuid[VMR_CPUID_LEAF_MAX];
    struct vmr_vm_config config = {
        .host = &machine->host,
        .vp_count = options->vp_count ? options->vp_count : 1,
        .irqchip = options->irqchip,
        .cpuid = cpuid,
        .msr_exits = options->msr_exits,
        .msr_exit_count = options->msr_exit_count,
        .hv_offload = options->hv_offload,
    };
    enum vmr_status status = backend->cpuid(&machine->handle, cpuid, VMR_CPUID_LEAF_MAX, &config.cpuid_count, err);

    return status ? status : backend->vm_create(machine->vm, &machine->handle, &config, err);
}

static enum vmr_status create_vp(struct machine *machine, struct vmr_error *err)
{
    const struct vmr_backend *backend = vmr_kvm_backend();
    enum vmr_status status = backend->vp_create(machine->vm, machine->vp, 0, err);

    if (!status)
        status = backend->vm_map(machine->vm, 0, &machine->region, err);
    if (status)
        return status;
    status = backend->vp_bind(machine->vp, err);
    machine->bound = !status;
    return status;
}

enum vmr_status machine_init(struct machine *machine, const struct machine_options *options, struct vmr_error *err)
{
    const struct vmr_backend *backend = vmr_kvm_backend();
    const struct vmr_params params = {.items = {{.key = "dirty", .value = "ring"}}, .count = options->dirty_ring};

    *machine = (struct machine){0};
    vmr_host_posix(&machine->host, NULL);
    machine->memory = aligned_alloc(VMR_PAGE_SIZE, MACHINE_MEMORY_SIZE);
    machine->vm = calloc(1, backend->vm_size);
    machine->vp = calloc(1, backend->vp_size);
    assert_non_null(machine->memory);
    assert_non_null(machine->vm);
    assert_non_null(machine->vp);
    memset(machine->memory, 0, MACHINE_MEMORY_SIZE);
    machine->region = (struct vmr_memory_region){.size = MACHINE_MEMORY_SIZE, .host = machine->memory};
    enum vmr_status status = backend->open(&params, -1, &machine->handle, err);

    if (!status) {
        machine->handle.irqchip = options->irqchip;
        status = create_vm(machine, options, err);
    }
    return status ? status : create_vp(machine, err);
}

static void handle_finish(struct vmr_hypervisor_handle *handle)
{
    if (handle->context_destroy)
        handle->context_destroy(handle->context);
}

void machine_finish(struct machine *machine)
{
    const struct vmr_backend *backend = vmr_kvm_backend();

    if (machine->bound)
        backend->vp_unbind(machine->vp);
    backend->vp_destroy(machine->vp);
    backend->vm_destroy(machine->vm);
    handle_finish(&machine->handle);
    free(machine->vp);
    free(machine->vm);
    free(machine->memory);
}

struct vmr_x86_regs machine_regs(struct machine *machine)
{
    struct vmr_x86_regs regs;

    assert_int_equal(vmr_kvm_backend()->vp_get_regs(machine->vp, &regs), VMR_OK);
    return regs;
}

void machine_load(struct machine *machine, const void *code, size_t length)
{
    struct vmr_x86_regs regs = machine_regs(machine);

    memcpy(machine->memory + CODE_GPA, code, length);
    regs.cs.base = 0;
    regs.cs.selector = 0;
    regs.rip = CODE_GPA;
    regs.rflags = 2;
    regs.gpr[VMR_X86_RSP] = STACK_GPA;
    assert_int_equal(vmr_kvm_backend()->vp_set_regs(machine->vp, &regs), VMR_OK);
}

const struct vmr_exit *machine_step(struct machine *machine)
{
    const struct vmr_backend *backend = vmr_kvm_backend();

    backend->vp_enter(machine->vp);
    backend->vp_run(machine->vp, &machine->exit);
    backend->vp_leave(machine->vp, VMR_LEAVE_HALT);
    return &machine->exit;
}
