/* SPDX-License-Identifier: MIT */
/*
 * The calls of the fake that only count, record and fail on demand; its two
 * tables; and the rig around them.
 */

#include "tests/support/fake_backend_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/backend_hv.h"
#include "vmrig/backend_state.h"
#include "vmrig/partition.h"

static const struct vmr_param_key keys[] = {
    {"color", "red|green", "what it does not matter"},
    {"size", "number", "nor this"},
    {NULL, NULL, NULL},
};

static enum vmr_status fake_open(const struct vmr_params *params, int fd, struct vmr_hypervisor_handle *ret_handle,
                                 struct vmr_error *err)
{
    (void)params;
    (void)fd;
    (void)ret_handle;
    return vmr_error_set(err, VMR_E_UNAVAILABLE, "fake: made by its tests alone");
}

static enum vmr_status fake_caps(const struct vmr_hypervisor_handle *handle, struct vmr_caps *ret_caps,
                                 struct vmr_error *err)
{
    struct fake *fake = handle->context;

    if (fake_fails(fake, FAKE_CAPS))
        return vmr_error_set_host(err, 5, "fake: caps");
    *ret_caps = fake->caps;
    return VMR_OK;
}

static enum vmr_status fake_cpuid(const struct vmr_hypervisor_handle *handle, struct vmr_cpuid_entry *entries,
                                  size_t capacity, size_t *ret_count, struct vmr_error *err)
{
    struct fake *fake = handle->context;

    if (fake_fails(fake, FAKE_CPUID))
        return vmr_error_set_host(err, 5, "fake: cpuid");
    for (size_t i = 0; i < fake->cpuid_count && i < capacity; i++)
        entries[i] = fake->cpuid[i];
    *ret_count = fake->cpuid_count;
    return VMR_OK;
}

static enum vmr_status fake_vm_map(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region,
                                   struct vmr_error *err)
{
    struct fake *fake = fake_vm_of(vm)->fake;

    (void)slot;
    if (fake_fails(fake, FAKE_VM_MAP))
        return vmr_error_set_host(err, 5, "fake: map at %#llx", (unsigned long long)region->gpa);
    (void)atomic_fetch_add(&fake->mapped, 1);
    return VMR_OK;
}

static void fake_vm_unmap(struct vmr_backend_vm *vm, uint32_t slot, const struct vmr_memory_region *region)
{
    struct fake *fake = fake_vm_of(vm)->fake;

    (void)slot;
    fake_record(fake, FAKE_VM_UNMAP, region->gpa);
    (void)atomic_fetch_sub(&fake->mapped, 1);
}

static enum vmr_status answer(struct fake *fake, enum fake_call call, uint64_t value)
{
    bool fails = fake_fails(fake, call);

    fake->values[call] = value;
    return fails ? VMR_E_HOST : VMR_OK;
}

static enum vmr_status fake_get_regs(struct vmr_backend_vp *vp, struct vmr_x86_regs *ret_regs)
{
    struct fake_vp *fake_vp = fake_vp_of(vp);
    enum vmr_status status = answer(fake_vp->fake, FAKE_GET_REGS, 0);

    if (!status)
        *ret_regs = fake_vp->fake->regs[fake_vp->index];
    return status;
}

static enum vmr_status fake_set_regs(struct vmr_backend_vp *vp, const struct vmr_x86_regs *regs)
{
    struct fake_vp *fake_vp = fake_vp_of(vp);
    enum vmr_status status = answer(fake_vp->fake, FAKE_SET_REGS, regs->rip);

    if (!status)
        fake_vp->fake->regs[fake_vp->index] = *regs;
    return status;
}

static enum vmr_status fake_get_xmm(struct vmr_backend_vp *vp, struct vmr_hv_xmm ret_xmm[VMR_HV_XMM_COUNT])
{
    struct fake *fake = fake_vp_of(vp)->fake;
    enum vmr_status status = answer(fake, FAKE_GET_XMM, 0);

    if (!status)
        memcpy(ret_xmm, fake->xmm, sizeof(fake->xmm));
    return status;
}

static enum vmr_status fake_set_xmm(struct vmr_backend_vp *vp, const struct vmr_hv_xmm xmm[VMR_HV_XMM_COUNT])
{
    struct fake *fake = fake_vp_of(vp)->fake;
    enum vmr_status status = answer(fake, FAKE_SET_XMM, 0);

    if (!status)
        memcpy(fake->xmm, xmm, sizeof(fake->xmm));
    return status;
}

static enum vmr_status fake_flush(struct vmr_backend_vp *vp)
{
    return answer(fake_vp_of(vp)->fake, FAKE_FLUSH, 0);
}

static enum vmr_status fake_exception(struct vmr_backend_vp *vp, uint8_t vector)
{
    return answer(fake_vp_of(vp)->fake, FAKE_EXCEPTION, vector);
}

static enum vmr_status fake_get_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t *ret_value)
{
    enum vmr_status status = answer(fake_vp_of(vp)->fake, FAKE_GET_MSR, index);

    if (!status)
        *ret_value = UINT64_C(0x1111) + index;
    return status;
}

static enum vmr_status fake_set_msr(struct vmr_backend_vp *vp, uint32_t index, uint64_t value)
{
    return answer(fake_vp_of(vp)->fake, FAKE_SET_MSR, index + value);
}

static enum vmr_status fake_get_activity(struct vmr_backend_vp *vp, enum vmr_activity *ret_activity)
{
    enum vmr_status status = answer(fake_vp_of(vp)->fake, FAKE_GET_ACTIVITY, 0);

    if (!status)
        *ret_activity = VMR_ACTIVITY_HALTED;
    return status;
}

static enum vmr_status fake_set_activity(struct vmr_backend_vp *vp, enum vmr_activity activity)
{
    return answer(fake_vp_of(vp)->fake, FAKE_SET_ACTIVITY, (uint64_t)activity);
}

static enum vmr_status fake_set_debug(struct vmr_backend_vp *vp, const struct vmr_debug_state *state)
{
    return answer(fake_vp_of(vp)->fake, FAKE_SET_DEBUG, state->single_step);
}

static enum vmr_status fake_interrupt(struct vmr_backend_vp *vp, uint8_t vector)
{
    return answer(fake_vp_of(vp)->fake, FAKE_INTERRUPT, vector);
}

static enum vmr_status fake_nmi(struct vmr_backend_vp *vp)
{
    return answer(fake_vp_of(vp)->fake, FAKE_NMI, 1);
}

static void fake_window(struct vmr_backend_vp *vp, bool wanted)
{
    fake_vp_of(vp)->window = wanted;
    fake_record(fake_vp_of(vp)->fake, FAKE_WINDOW, 0);
    fake_vp_of(vp)->fake->values[FAKE_WINDOW] = wanted;
}

static void fake_tpr(struct vmr_backend_vp *vp, uint8_t tpr)
{
    fake_record(fake_vp_of(vp)->fake, FAKE_TPR, 0);
    fake_vp_of(vp)->fake->values[FAKE_TPR] = tpr;
}

static enum vmr_status fake_irq(struct vmr_backend_vm *vm, uint32_t gsi, bool level)
{
    return answer(fake_vm_of(vm)->fake, FAKE_IRQ, gsi * 2u + level);
}

static enum vmr_status fake_lint(struct vmr_backend_vm *vm, vmr_vp_index vp, unsigned lint)
{
    return answer(fake_vm_of(vm)->fake, FAKE_LINT, vp * 2u + lint);
}

static enum vmr_status fake_msi(struct vmr_backend_vm *vm, const struct vmr_msi *msi)
{
    return answer(fake_vm_of(vm)->fake, FAKE_MSI, msi->data);
}

static enum vmr_status fake_route(struct vmr_backend_vm *vm, uint32_t gsi, const struct vmr_msi *msi)
{
    return answer(fake_vm_of(vm)->fake, FAKE_ROUTE, gsi + (msi ? msi->data : 0));
}

static enum vmr_status fake_irqfd(struct vmr_backend_vm *vm, int fd, uint32_t gsi, bool add)
{
    return answer(fake_vm_of(vm)->fake, FAKE_IRQFD, (uint64_t)fd + gsi + add);
}

static enum vmr_status fake_doorbell(struct vmr_backend_vm *vm, bool port_space, const struct vmr_doorbell *doorbell,
                                     int fd, bool add)
{
    (void)fd;
    return answer(fake_vm_of(vm)->fake, FAKE_DOORBELL, doorbell->address + port_space + add);
}

static enum vmr_status fake_protect(struct vmr_backend_vm *vm, uint8_t vtl, vmr_gpa gpa, uint64_t size, uint8_t access)
{
    (void)size;
    return answer(fake_vm_of(vm)->fake, FAKE_PROTECT, gpa | (uint64_t)vtl << 8 | access);
}

static enum vmr_status fake_switch_vtl(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *initial)
{
    return answer(fake_vp_of(vp)->fake, FAKE_SWITCH_VTL, vtl | (initial ? 0x100u : 0u));
}

static enum vmr_status fake_pass_fault(struct vmr_backend_vp *vp)
{
    return answer(fake_vp_of(vp)->fake, FAKE_PASS_FAULT, 1);
}

static void fake_async_begin(struct vmr_backend_vm *vm, const struct vmr_async *request)
{
    fake_record(fake_vm_of(vm)->fake, FAKE_ASYNC_BEGIN, request->kind);
}

static void fake_async_end(struct vmr_backend_vm *vm)
{
    fake_record(fake_vm_of(vm)->fake, FAKE_ASYNC_END, 0);
}

static void fake_output(struct vmr_backend_vm *vm, uint32_t stream, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    fake_record(fake_vm_of(vm)->fake, FAKE_OUTPUT, (uint64_t)stream << 32 | length);
}

static void *fake_native(struct vmr_backend_vm *vm)
{
    return fake_vm_of(vm)->fake;
}

static enum vmr_status fake_hv_own(const struct vmr_hypervisor_handle *handle, struct vmr_hv_own *ret_own,
                                   struct vmr_error *err)
{
    if (fake_fails(handle->context, FAKE_HV_OWN))
        return vmr_error_set_host(err, 5, "fake: hv own");
    *ret_own = (struct vmr_hv_own){
        .privileges = UINT64_MAX, .features = UINT32_MAX, .recommendations = HV_RECOMMEND_CLUSTER_IPI};
    return VMR_OK;
}

static enum vmr_status fake_hv_get_time(struct vmr_backend_vm *vm, uint64_t *ret_count)
{
    struct fake *fake = fake_vm_of(vm)->fake;

    *ret_count = fake->values[FAKE_HV_SET_TIME];
    return fake_fails(fake, FAKE_HV_GET_TIME) ? VMR_E_HOST : VMR_OK;
}

static enum vmr_status fake_hv_set_time(struct vmr_backend_vm *vm, uint64_t count)
{
    return answer(fake_vm_of(vm)->fake, FAKE_HV_SET_TIME, count);
}

static enum vmr_status fake_hv_event(struct vmr_backend_vm *vm, uint32_t connection_id, int fd, bool add)
{
    (void)fd;
    return answer(fake_vm_of(vm)->fake, FAKE_HV_EVENT, add ? connection_id : 0);
}

static enum vmr_status fake_get_state(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                      void *ret_value, struct vmr_error *err)
{
    struct fake_vp *own = fake_vp_of(vp);

    (void)vtl;
    if (fake_fails(own->fake, FAKE_GET_STATE))
        return vmr_error_set_host(err, 5, "fake: get state");
    memcpy(ret_value, own->fake->states[own->index][vp_class], vmr_vp_class_type(vp_class)->size);
    return VMR_OK;
}

static enum vmr_status fake_set_state(struct vmr_backend_vp *vp, uint8_t vtl, enum vmr_vp_class vp_class,
                                      const void *value, struct vmr_error *err)
{
    struct fake_vp *own = fake_vp_of(vp);
    struct fake *fake = own->fake;

    (void)vtl;
    if (fake_fails(fake, FAKE_SET_STATE))
        return vmr_error_set_host(err, 5, "fake: set state");
    memcpy(fake->states[own->index][vp_class], value, vmr_vp_class_type(vp_class)->size);
    if (fake->state_log_count < FAKE_STATE_LOG_MAX)
        fake->state_log[fake->state_log_count++] = (uint8_t)vp_class;
    return VMR_OK;
}

static void fake_reset_info(const struct vmr_backend_vp *vp, struct vmr_x86_reset_info *info)
{
    (void)vp;
    info->misc_enable = 0x850089;
}

static enum vmr_status fake_vp_reset(struct vmr_backend_vp *vp, struct vmr_error *err)
{
    return fake_fails(fake_vp_of(vp)->fake, FAKE_VP_RESET) ? vmr_error_set_host(err, 5, "fake: VP reset") : VMR_OK;
}

static enum vmr_status fake_get_vm_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, void *ret_value,
                                         struct vmr_error *err)
{
    struct fake *fake = fake_vm_of(vm)->fake;

    (void)vm_class;
    if (fake_fails(fake, FAKE_GET_VM_STATE))
        return vmr_error_set_host(err, 5, "fake: get VM state");
    *(struct vmr_vm_clock_state *)ret_value = fake->clock;
    return VMR_OK;
}

static enum vmr_status fake_set_vm_state(struct vmr_backend_vm *vm, enum vmr_vm_class vm_class, const void *value,
                                         struct vmr_error *err)
{
    struct fake *fake = fake_vm_of(vm)->fake;

    (void)vm_class;
    if (fake_fails(fake, FAKE_SET_VM_STATE))
        return vmr_error_set_host(err, 5, "fake: set VM state");
    fake->clock = *(const struct vmr_vm_clock_state *)value;
    return VMR_OK;
}

static enum vmr_status fake_vm_reset(struct vmr_backend_vm *vm, struct vmr_error *err)
{
    return fake_fails(fake_vm_of(vm)->fake, FAKE_VM_RESET) ? vmr_error_set_host(err, 5, "fake: VM reset") : VMR_OK;
}

static const struct vmr_backend_state fake_state = {
    .vp_get_state = fake_get_state,
    .vp_set_state = fake_set_state,
    .vp_reset_info = fake_reset_info,
    .vp_reset = fake_vp_reset,
    .vm_get_state = fake_get_vm_state,
    .vm_set_state = fake_set_vm_state,
    .vm_reset = fake_vm_reset,
};

static const struct vmr_backend_hv fake_hv = {
    .own = fake_hv_own, .get_time = fake_hv_get_time, .set_time = fake_hv_set_time, .event = fake_hv_event};

#define FAKE_COMMON                                                                                                    \
    .abi = VMR_BACKEND_ABI, .flags = VMR_BACKEND_EXPLICIT_ONLY, .description = "scripted, for tests", .keys = keys,    \
    .vm_size = sizeof(struct fake_vm), .vp_size = sizeof(struct fake_vp), .open = fake_open, .caps = fake_caps,        \
    .vm_create = fake_vm_create, .vm_destroy = fake_vm_destroy, .vp_create = fake_vp_create,                           \
    .vp_destroy = fake_vp_destroy, .vm_map = fake_vm_map, .vm_unmap = fake_vm_unmap, .vp_bind = fake_vp_bind,          \
    .vp_unbind = fake_vp_unbind, .vp_run = fake_vp_run, .vp_get_regs = fake_get_regs, .vp_set_regs = fake_set_regs,    \
    .vp_get_msr = fake_get_msr, .vp_set_msr = fake_set_msr, .vp_get_activity = fake_get_activity,                      \
    .vp_set_activity = fake_set_activity, .vp_interrupt = fake_interrupt, .vp_request_window = fake_window,            \
    .vp_set_tpr = fake_tpr, .vm_irq = fake_irq, .vm_msi = fake_msi, .vm_set_route = fake_route,                        \
    .vm_irqfd = fake_irqfd, .vm_doorbell = fake_doorbell

static const struct vmr_backend full = {
    FAKE_COMMON,
    .name = "fake",
    .cpuid = fake_cpuid,
    .vp_enter = fake_vp_enter,
    .vp_leave = fake_vp_leave,
    .vp_complete = fake_vp_complete,
    .vp_kick = fake_vp_kick,
    .vp_set_debug = fake_set_debug,
    .vp_nmi = fake_nmi,
    .vp_get_xmm = fake_get_xmm,
    .vp_set_xmm = fake_set_xmm,
    .vp_flush = fake_flush,
    .vp_exception = fake_exception,
    .vm_protect = fake_protect,
    .vp_switch_vtl = fake_switch_vtl,
    .vp_pass_fault = fake_pass_fault,
    .vm_lint = fake_lint,
    .vm_async_begin = fake_async_begin,
    .vm_async_end = fake_async_end,
    .vm_output = fake_output,
    .vm_native = fake_native,
    .hv = &fake_hv,
    .state = &fake_state,
};

static const struct vmr_backend bare = {FAKE_COMMON, .name = "bare", .vp_kick = fake_vp_kick_bare};

const struct vmr_backend *fake_backend(void)
{
    return &full;
}

const struct vmr_backend *fake_backend_bare(void)
{
    return &bare;
}

struct vmr_hypervisor_handle fake_handle(struct fake *fake)
{
    return (struct vmr_hypervisor_handle){.backend = &full, .fd = -1, .irqchip = fake->irqchip, .context = fake};
}

/* --- the rig --- */

static void must_build(struct fake_rig *rig, uint32_t vp_count)
{
    const struct vmr_proto_options proto_options = {.host = &rig->host, .vp_count = vp_count, .hv = rig->fake->hv};
    const struct vmr_partition_options options = {.memory = rig->memory};
    struct vmr_proto *proto = NULL;

    assert_int_equal(vmr_proto_create(&rig->handle, &proto_options, &proto, NULL), VMR_OK);
    assert_int_equal(vmr_proto_build(&proto, &options, &rig->partition, NULL), VMR_OK);
}

void fake_rig_init(struct fake_rig *rig, struct fake *fake, const struct vmr_host *host, uint32_t vp_count)
{
    const struct vmr_memory_region region = {.gpa = 0, .size = VMR_PAGE_SIZE};

    *rig = (struct fake_rig){.fake = fake};
    vmr_host_posix(&rig->host, NULL);
    if (host)
        rig->host = *host;
    rig->handle = fake_handle(fake);
    assert_int_equal(vmr_memory_create(&rig->host, &rig->memory, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(rig->memory, &region, NULL), VMR_OK);
    must_build(rig, vp_count);
}

void fake_rig_finish(struct fake_rig *rig)
{
    assert_int_equal(vmr_partition_destroy(rig->partition), VMR_OK);
    vmr_memory_destroy(rig->memory);
    assert_int_equal(rig->fake->live_vps, 0);
    assert_int_equal(rig->fake->live_vms, 0);
    assert_int_equal(rig->fake->mapped, 0);
    assert_int_equal(rig->fake->misuse, 0);
}
