/* SPDX-License-Identifier: MIT */
/* The table: what vmrig calls. Arguments, states and threads are checked before; see vmrig/backend.h. */

#include "example.h"

#include <stdlib.h>
#include <string.h>

/* The library allocates these two zeroed, and knows them by their size alone. */
struct vmr_backend_vm {
    struct toy_vm toy;
    bool has_lock;
    void (*seam_hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam);
    void *seam_context;
};

struct vmr_backend_vp {
    struct toy_cpu cpu;
    struct vmr_backend_vm *vm;
    atomic_bool kicked;
    bool window; /* the library waits until the guest takes interrupts */
};

/* --- before there is a VM --- */

static const struct vmr_param_key keys[] = {{0}};

static enum vmr_status example_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                    struct vmr_error *err)
{
    (void)params; /* it takes no keys */
    if (fd >= 0)
        return vmr_error_set(err, VMR_E_CONFIG, "example: descriptor %d is of no use, it opens no device", fd);
    *ret_handle = (struct vmr_hypervisor_handle){.fd = -1, .irqchip = VMR_IRQCHIP_USER};
    return VMR_OK;
}

/* What is not here is not asked of it: scenarios that need it are skipped, by that name. */
static enum vmr_status example_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                    struct vmr_error *err)
{
    static const enum vmr_cap have[] = {VMR_CAP_MACHINE_CODE, VMR_CAP_READ_ONLY,      VMR_CAP_MSR_EXIT,
                                        VMR_CAP_MSR_FAULT,    VMR_CAP_HYPERCALL_EXIT, VMR_CAP_REBIND,
                                        VMR_CAP_STICKY_KICK,  VMR_CAP_MULTI_VM,       VMR_CAP_VP_THREADS,
                                        VMR_CAP_REAL_MODE,    VMR_CAP_EXCEPTION,      VMR_CAP_FLUSH};

    (void)handle;
    (void)err;
    *ret_caps = (struct vmr_caps){.vp_count_max = 64, .physical_bits = 40};
    for (size_t i = 0; i < sizeof(have) / sizeof(have[0]); i++)
        ret_caps->bits |= UINT64_C(1) << have[i];
    return VMR_OK;
}

static enum vmr_status example_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                                     size_t capacity, size_t *ret_count, struct vmr_error *err)
{
    static const struct vmr_cpuid_entry table[] = {
        {.leaf = 0, .eax = 1, .ebx = 0x6d617865, .ecx = 0x20656c70, .edx = 0x20656c70}, /* "example..." */
        {.leaf = 1, .eax = TOY_FAMILY, .ecx = 0x80200000, .edx = 0x00000261}, /* x2APIC, hypervisor; MSR, PAE, APIC */
        {.leaf = 0x80000000, .eax = 0x80000008},
        {.leaf = 0x80000001, .edx = 0x20000000}, /* long mode */
        {.leaf = 0x80000008, .eax = 0x3028},
    };
    size_t count = sizeof(table) / sizeof(table[0]);

    (void)handle;
    (void)err;
    *ret_count = count < capacity ? count : capacity;
    memcpy(entries, table, *ret_count * sizeof(table[0]));
    return VMR_OK;
}

static uint64_t example_tsc_hz(const struct vmr_hypervisor_handle *handle)
{
    (void)handle;
    return TOY_TSC_HZ;
}

/* --- a VM --- */

static enum vmr_status example_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                                         const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct toy_vm *toy = &vm->toy;

    (void)handle;
    toy->host = *config->host;
    toy->cpuid = calloc(config->cpuid_count + 1, sizeof(*toy->cpuid));
    toy->msr_exits = calloc(config->msr_exit_count + 1, sizeof(*toy->msr_exits));
    if (!toy->cpuid || !toy->msr_exits || pthread_rwlock_init(&toy->lock, NULL) != 0)
        return vmr_error_set(err, VMR_E_NOMEM, "example: no memory for a VM");
    vm->has_lock = true;
    /* `config` is valid during this call only: what is needed later is copied. */
    toy->cpuid_count = config->cpuid_count;
    toy->msr_exit_count = config->msr_exit_count;
    for (size_t i = 0; i < config->cpuid_count; i++)
        toy->cpuid[i] = config->cpuid[i];
    for (size_t i = 0; i < config->msr_exit_count; i++)
        toy->msr_exits[i] = config->msr_exits[i];
    return VMR_OK;
}

/* Also of one that vm_create has left half made. */
static void example_vm_destroy(struct vmr_backend_vm *vm)
{
    if (vm->has_lock)
        pthread_rwlock_destroy(&vm->toy.lock);
    free(vm->toy.slots);
    free(vm->toy.cpuid);
    free(vm->toy.msr_exits);
}

static enum vmr_status example_vm_map(struct vmr_backend_vm *vm, uint32_t number,
                                      const struct vmr_memory_region *region, struct vmr_error *err)
{
    const struct toy_slot slot = {.number = number,
                                  .size = region->size,
                                  .gpa = region->gpa,
                                  .host = region->host,
                                  .read_only = region->read_only};

    return toy_map(&vm->toy, &slot) ? VMR_OK : vmr_error_set(err, VMR_E_NOMEM, "example: no memory for a slot");
}

static void example_vm_unmap(struct vmr_backend_vm *vm, uint32_t number, const struct vmr_memory_region *region)
{
    (void)region;
    toy_unmap(&vm->toy, number);
}

static void example_vm_set_seam_hook(struct vmr_backend_vm *vm,
                                     void (*hook)(void *context, vmr_vp_index vp, enum vmr_run_seam seam),
                                     void *context)
{
    vm->seam_hook = hook;
    vm->seam_context = context;
}

static void pass(const struct vmr_backend_vp *vp, enum vmr_run_seam seam)
{
    if (vp->vm->seam_hook)
        vp->vm->seam_hook(vp->vm->seam_context, vp->cpu.index, seam);
}

/* --- a VP --- */

static enum vmr_status example_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                                         struct vmr_error *err)
{
    (void)err;
    vp->vm = vm;
    vp->cpu.vm = &vm->toy;
    vp->cpu.index = index; /* and its APIC id [LIFE-3] */
    toy_cpu_reset(&vp->cpu);
    return VMR_OK;
}

static void example_vp_destroy(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static enum vmr_status example_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    (void)vp; /* nothing here belongs to a thread */
    (void)err;
    return VMR_OK;
}

static void example_vp_unbind(struct vmr_backend_vp *vp)
{
    (void)vp;
}

static void example_vp_enter(struct vmr_backend_vp *vp)
{
    atomic_store(&vp->kicked, false); /* what the last run did not need is nothing to this one [RUN-4] */
}

static void example_vp_leave(struct vmr_backend_vp *vp, enum vmr_leave why)
{
    (void)vp;
    (void)why;
}

/* A flag that is looked at before each instruction cannot be missed. With a processor it takes more. [RUN-3] */
static void example_vp_kick(struct vmr_backend_vp *vp)
{
    atomic_store(&vp->kicked, true);
}

/* What every exit says beside what it is. */
static void give(const struct vmr_backend_vp *vp, const struct vmr_exit *what, struct vmr_exit *vp_exit)
{
    *vp_exit = *what;
    vp_exit->interrupt_ready = toy_is_ready(&vp->cpu);
    vp_exit->tpr = (uint8_t)vp->cpu.regs.cr8;
}

/* Finishes the instruction whose exit was answered. False: it has a further exit. */
static bool answer(struct vmr_backend_vp *vp, const struct vmr_exit *vp_exit)
{
    if (!vp->cpu.pending)
        return true;
    vp->cpu.pending = false;
    vp->cpu.answers[vp->cpu.answered++] = *vp_exit;
    return toy_step(&vp->cpu);
}

/* Until an exit, which is left in `cpu.exit`. */
static void run(struct vmr_backend_vp *vp)
{
    pass(vp, VMR_SEAM_BEFORE_ENTRY);
    for (;;) {
        if (atomic_exchange(&vp->kicked, false)) {
            vp->cpu.exit = (struct vmr_exit){.kind = VMR_EXIT_CANCEL};
            return;
        }
        if (vp->window && toy_is_ready(&vp->cpu)) {
            vp->cpu.exit = (struct vmr_exit){.kind = VMR_EXIT_IRQ_WINDOW};
            return;
        }
        if (!toy_step(&vp->cpu))
            return;
        pass(vp, VMR_SEAM_IN_GUEST);
    }
}

static void example_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    pass(vp, VMR_SEAM_BEFORE_PUBLISH);
    if (answer(vp, vp_exit))
        run(vp);
    pass(vp, VMR_SEAM_AFTER_EXIT);
    give(vp, &vp->cpu.exit, vp_exit);
}

static void example_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit)
{
    static const struct vmr_exit none = {.kind = VMR_EXIT_NONE};

    give(vp, answer(vp, vp_exit) ? &none : &vp->cpu.exit, vp_exit);
}

/* --- registers --- */

static enum vmr_status example_vp_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    *ret_regs = vp->cpu.regs;
    return VMR_OK;
}

static enum vmr_status example_vp_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    vp->cpu.regs = *regs;
    vp->cpu.shadow = false; /* whoever moves a VP has no STI just behind it */
    return VMR_OK;
}

static enum vmr_status example_vp_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    return toy_get_msr(&vp->cpu, index, ret_value) ? VMR_OK : VMR_E_GUEST;
}

static enum vmr_status example_vp_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    return toy_set_msr(&vp->cpu, index, value) ? VMR_OK : VMR_E_GUEST;
}

/* --- what comes from outside --- */

static enum vmr_status example_vp_interrupt(struct vmr_backend_vp *vp, uint8_t vector)
{
    vp->cpu.interrupt = vector + 1u;
    return VMR_OK;
}

static enum vmr_status example_vp_exception(struct vmr_backend_vp *vp, uint8_t vector)
{
    vp->cpu.exception = vector + 1u;
    return VMR_OK;
}

static enum vmr_status example_vp_nmi(struct vmr_backend_vp *vp)
{
    vp->cpu.nmi = true;
    return VMR_OK;
}

static void example_vp_request_window(struct vmr_backend_vp *vp, bool wanted)
{
    vp->window = wanted;
}

static void example_vp_set_tpr(struct vmr_backend_vp *vp, uint8_t tpr)
{
    vp->cpu.regs.cr8 = tpr;
}

static enum vmr_status example_vp_flush(struct vmr_backend_vp *vp)
{
    (void)vp; /* page tables are walked at each access */
    return VMR_OK;
}

static const struct vmr_backend backend = {
    .abi = VMR_BACKEND_ABI,
    .flags = VMR_BACKEND_EXPLICIT_ONLY,
    .name = "example",
    .description = "interpreter of a few x86 instructions, as an example",
    .keys = keys,
    .vm_size = sizeof(struct vmr_backend_vm),
    .vp_size = sizeof(struct vmr_backend_vp),
    .open = example_open,
    .caps = example_caps,
    .cpuid = example_cpuid,
    .tsc_hz = example_tsc_hz,
    .vm_create = example_vm_create,
    .vm_destroy = example_vm_destroy,
    .vp_create = example_vp_create,
    .vp_destroy = example_vp_destroy,
    .vm_map = example_vm_map,
    .vm_unmap = example_vm_unmap,
    .vp_bind = example_vp_bind,
    .vp_unbind = example_vp_unbind,
    .vp_enter = example_vp_enter,
    .vp_leave = example_vp_leave,
    .vp_run = example_vp_run,
    .vp_complete = example_vp_complete,
    .vp_kick = example_vp_kick,
    .vp_get_regs = example_vp_get_regs,
    .vp_set_regs = example_vp_set_regs,
    .vp_get_msr = example_vp_get_msr,
    .vp_set_msr = example_vp_set_msr,
    .vp_flush = example_vp_flush,
    .vp_exception = example_vp_exception,
    .vp_interrupt = example_vp_interrupt,
    .vp_nmi = example_vp_nmi,
    .vp_request_window = example_vp_request_window,
    .vp_set_tpr = example_vp_set_tpr,
    .vm_set_seam_hook = example_vm_set_seam_hook,
};

const struct vmr_backend *example_backend(void)
{
    return &backend;
}
