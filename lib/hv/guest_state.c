/* SPDX-License-Identifier: MIT */
/* The state of a partition's interface, class by class: whose each is. As in guest_vp_state.c. */

#include <inttypes.h>
#include <string.h>

#include "lib/hv/guest.h"
#include "lib/hv/synic.h"

/* One state of the partition. */
struct vm_place {
    struct vmr_hv_guest *guest;
    uint32_t instance;
};

static enum vmr_status get_hypercall(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    guest_hypercall_save(place->guest, ret_value);
    return VMR_OK;
}

static enum vmr_status check_hypercall(const struct vmr_hv_guest *guest, uint64_t os_id, uint64_t hypercall,
                                       uint8_t vtl, struct vmr_error *err)
{
    if (vtl >= guest_vtl_count(guest) && (os_id | hypercall) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "hypercall: os-id[%u]: there is no such VTL", vtl);
    if ((hypercall & HV_HYPERCALL_RESERVED) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "hypercall: hypercall[%u]: %#" PRIx64 " has reserved bits", vtl,
                             hypercall);
    if ((hypercall & HV_HYPERCALL_ENABLE) != 0 && (os_id == 0 || hypercall >> VMR_PHYSICAL_BITS_MAX != 0))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "hypercall: hypercall[%u]: %#" PRIx64
                             " opens a page without an identity, or above %u bits",
                             vtl, hypercall, VMR_PHYSICAL_BITS_MAX);
    return VMR_OK;
}

static enum vmr_status set_hypercall(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    const struct vmr_hv_hypercall_state *state = value;
    const struct vmr_hv_target *target = &place->guest->target;
    enum vmr_status status = VMR_OK;

    for (uint8_t vtl = 0; !status && vtl < VMR_VTL_COUNT; vtl++)
        status = check_hypercall(place->guest, state->os_id[vtl], state->hypercall[vtl], vtl, err);
    if (status)
        return status;
    guest_hypercall_restore(place->guest, state);
    /* Offloaded: the first VP that polls tells the hypervisor. */
    for (vmr_vp_index vp = 0; vp < place->guest->vp_count; vp++)
        target->wake(target->context, vp);
    return VMR_OK;
}

static enum vmr_status get_time(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    ((struct vmr_hv_time_state *)ret_value)->count = vmr_synic_time(place->guest->synic);
    return VMR_OK;
}

static enum vmr_status set_time(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    (void)err;
    synic_restore_time(place->guest->synic, ((const struct vmr_hv_time_state *)value)->count);
    return VMR_OK;
}

static enum vmr_status get_tsc(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    reference_tsc_save(&place->guest->synic->tsc, ret_value);
    return VMR_OK;
}

static enum vmr_status set_tsc(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    return synic_restore_tsc(place->guest->synic, value, err);
}

static enum vmr_status get_partition_vtls(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    struct vmr_hv_vtls_state *state = ret_value;

    (void)err;
    state->enabled = vtls_enabled(&place->guest->vtls);
    state->late = guest_pages_is_late(&place->guest->pages);
    return VMR_OK;
}

static enum vmr_status set_partition_vtls(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    const struct vmr_hv_vtls_state *state = value;
    struct vtls *vtls = &place->guest->vtls;

    if (!vtls_set_is_possible(vtls, state->enabled))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: enabled: %#x, of VTLs up to %u", state->enabled, vtls->highest);
    enum vmr_status status = guest_pages_restore_late(&place->guest->pages, state->late, err);

    if (!status)
        vtls_restore_enabled(vtls, state->enabled);
    return status;
}

static enum vmr_status get_pages(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    guest_pages_save(&place->guest->pages, place->instance, ret_value);
    return VMR_OK;
}

static enum vmr_status set_pages(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    return guest_pages_restore(&place->guest->pages, place->instance, value, err);
}

static enum vmr_status get_monitor(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    synic_save_monitor(place->guest->synic, ret_value);
    return VMR_OK;
}

static enum vmr_status set_monitor(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    return synic_restore_monitor(place->guest->synic, value, err);
}

/* --- interrupts of devices: who has one is the embedder's, where it goes the guest's --- */

static enum vmr_status get_interrupt(const struct vm_place *place, void *ret_value, struct vmr_error *err)
{
    struct vmr_hv_device_interrupt_state *state = ret_value;
    struct device_interrupt entry;
    uint32_t at = place->instance;

    if (!device_map_next(&place->guest->devices, &at, &entry) || at != place->instance)
        return vmr_error_set(err, VMR_E_STATE, "device-interrupt: number %" PRIu32 " was taken away", place->instance);
    memset(state, 0, sizeof(*state));
    state->device_id = entry.device_id;
    state->vector = entry.interrupt.vector;
    state->multicast = entry.interrupt.multicast;
    for (vmr_vp_index vp = 0; vmr_hv_vp_set_next(&entry.interrupt.vps, place->guest->vp_count, &vp); vp++)
        state->vps[vp / HV_VP_SET_BANK_BITS] |= UINT64_C(1) << vp % HV_VP_SET_BANK_BITS;
    return VMR_OK;
}

static enum vmr_status set_interrupt(const struct vm_place *place, const void *value, struct vmr_error *err)
{
    const struct vmr_hv_device_interrupt_state *state = value;
    struct device_interrupt entry = {
        .device_id = state->device_id,
        .interrupt = {.vector = state->vector, .multicast = state->multicast},
    };
    vmr_vp_index vp = 0;

    memcpy(entry.interrupt.vps.banks, state->vps, sizeof(state->vps));
    if (state->vector < HV_SINT_VECTOR_MIN)
        return vmr_error_set(err, VMR_E_CONFIG, "device-interrupt: vector: %u is an exception's", state->vector);
    if (!vmr_hv_vp_set_next(&entry.interrupt.vps, place->guest->vp_count, &vp))
        return vmr_error_set(err, VMR_E_CONFIG, "device-interrupt: vps: the partition has none of them");
    if (!device_map_put(&place->guest->devices, place->instance, &entry))
        return vmr_error_set(err, VMR_E_CONFIG,
                             "device-interrupt: device-id: number %" PRIu32 " is not mapped for device %#" PRIx64,
                             place->instance, state->device_id);
    return VMR_OK;
}

static const struct vm_ops {
    uint64_t privilege;
    enum vmr_status (*get)(const struct vm_place *place, void *ret_value, struct vmr_error *err);
    enum vmr_status (*set)(const struct vm_place *place, const void *value, struct vmr_error *err);
} vm_ops[VMR_VM_CLASS_COUNT] = {
    [VMR_VM_HYPERCALL] = {HV_ACCESS_HYPERCALL_MSRS, get_hypercall, set_hypercall},
    [VMR_VM_REFERENCE_TIME] = {0, get_time, set_time}, /* timers go by it, whether the guest may read it or not */
    [VMR_VM_REFERENCE_TSC] = {HV_ACCESS_REFERENCE_TSC, get_tsc, set_tsc},
    [VMR_VM_VTLS] = {0, get_partition_vtls, set_partition_vtls},
    [VMR_VM_VTL_PAGES] = {0, get_pages, set_pages},
    [VMR_VM_MONITOR] = {0, get_monitor, set_monitor},
    [VMR_VM_DEVICE_INTERRUPT] = {0, get_interrupt, set_interrupt},
};

uint64_t vmr_hv_guest_vm_classes(const struct vmr_hv_guest *guest)
{
    const uint64_t of_vtls = UINT64_C(1) << VMR_VM_VTLS | UINT64_C(1) << VMR_VM_VTL_PAGES;
    uint64_t classes = 0;

    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++) {
        bool there = vm_ops[i].get && (guest->privileges & vm_ops[i].privilege) == vm_ops[i].privilege;

        classes |= there ? UINT64_C(1) << i : 0;
    }
    if (!guest_has_vtls(guest))
        classes &= ~of_vtls;
    return vmr_synic_has_monitor(guest->synic) ? classes : classes & ~(UINT64_C(1) << VMR_VM_MONITOR);
}

bool vmr_hv_guest_next_instance(struct vmr_hv_guest *guest, enum vmr_vm_class vm_class, uint32_t *instance)
{
    struct device_interrupt entry;

    if (vm_class == VMR_VM_VTL_PAGES)
        return guest_pages_next_chunk(&guest->pages, instance);
    if (vm_class == VMR_VM_DEVICE_INTERRUPT)
        return device_map_next(&guest->devices, instance, &entry);
    return *instance == 0;
}

enum vmr_status vmr_hv_guest_state_get(struct vmr_hv_guest *guest, const struct vmr_state_id *id, void *ret_value,
                                       struct vmr_error *err)
{
    const struct vm_place place = {.guest = guest, .instance = id->instance};

    return vm_ops[id->state_class].get(&place, ret_value, err);
}

enum vmr_status vmr_hv_guest_state_set(struct vmr_hv_guest *guest, const struct vmr_state_id *id, const void *value,
                                       struct vmr_error *err)
{
    const struct vm_place place = {.guest = guest, .instance = id->instance};

    return vm_ops[id->state_class].set(&place, value, err);
}

void vmr_hv_guest_state_at_reset(struct vmr_hv_guest *guest, const struct vmr_state_id *id, void *ret_value)
{
    memset(ret_value, 0, vmr_vm_class_type((enum vmr_vm_class)id->state_class)->size);
    if (id->state_class == VMR_VM_VTLS)
        *(struct vmr_hv_vtls_state *)ret_value = (struct vmr_hv_vtls_state){
            .enabled = (uint8_t)(1u | 1u << guest->vtls.first), .late = guest->pages.maps_late};
    if (id->state_class == VMR_VM_VTL_PAGES)
        guest_pages_state_at_reset(&guest->pages, id->instance, ret_value);
    /* Who has an interrupt, and where it goes, no reset changes. */
    if (id->state_class == VMR_VM_DEVICE_INTERRUPT)
        (void)get_interrupt(&(struct vm_place){.guest = guest, .instance = id->instance}, ret_value, NULL);
}
