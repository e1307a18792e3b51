/* SPDX-License-Identifier: MIT */
/*
 * The state of a VP's interface, class by class: whose each is. A class that
 * stands for registers which the guest has no privilege for is not there.
 */

#include <string.h>

#include "lib/hv/guest.h"
#include "lib/hv/page_register.h"
#include "lib/hv/synic.h"

/* One state of a VP. */
struct vp_place {
    struct vmr_hv_guest *guest;
    vmr_vp_index vp;
    uint8_t vtl;
    uint32_t sint; /* of a queue */
    enum vmr_vp_class vp_class;
};

static struct synic_vp *synic_vp_of(const struct vp_place *place)
{
    return synic_find(place->guest->synic, place->vp, place->vtl);
}

static struct guest_assist *assist_of(const struct vp_place *place)
{
    return &place->guest->vps[place->vp].assists[place->vtl];
}

/* --- classes of a VP --- */

static enum vmr_status get_vtls(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    vtls_save(&place->guest->vtls, place->vp, ret_value);
    return VMR_OK;
}

static enum vmr_status set_vtls(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    return vtls_restore(&place->guest->vtls, place->vp, value, err);
}

static enum vmr_status get_assist(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    const struct guest_assist *assist = assist_of(place);
    struct vmr_hv_assist_state *state = ret_value;

    (void)err;
    state->value = assist->value;
    overlay_content(&assist->page, state->content);
    return VMR_OK;
}

static enum vmr_status set_assist(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    const struct vmr_hv_assist_state *state = value;
    struct guest_assist *assist = assist_of(place);
    struct overlay page = assist->page;
    enum vmr_status status = page_restore(&page, state->value, state->content, "assist", err);

    if (!status)
        *assist = (struct guest_assist){.value = state->value, .page = page};
    return status;
}

static enum vmr_status get_crash(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    memcpy(ret_value, place->guest->vps[place->vp].crash_parameters, sizeof(struct vmr_hv_crash_state));
    return VMR_OK;
}

static enum vmr_status set_crash(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    (void)err;
    memcpy(place->guest->vps[place->vp].crash_parameters, value, sizeof(struct vmr_hv_crash_state));
    return VMR_OK;
}

static enum vmr_status get_synic(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    synic_save(synic_vp_of(place), ret_value);
    return VMR_OK;
}

static enum vmr_status set_synic(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    const struct vmr_hv_synic_state *state = value;

    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++) {
        if ((state->sints[sint] & HV_SINT_AUTO_EOI) != 0 && !place->guest->target.has_auto_eoi)
            return vmr_error_set(err, VMR_E_CONFIG, "synic: sints[%u]: local APICs here have no auto-EOI", sint);
    }
    return synic_restore(place->guest->synic, synic_vp_of(place), state, err);
}

static enum vmr_status get_page(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    synic_save_page(synic_vp_of(place), place->vp_class, ret_value);
    return VMR_OK;
}

static enum vmr_status set_page(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    return synic_restore_page(synic_vp_of(place), place->vp_class, value, err);
}

static enum vmr_status get_queue(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    (void)err;
    synic_save_queue(synic_vp_of(place), place->sint, ret_value);
    return VMR_OK;
}

static enum vmr_status set_queue(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    return synic_restore_queue(place->guest->synic, synic_vp_of(place), place->sint, value, err);
}

static enum vmr_status get_stimers(const struct vp_place *place, void *ret_value, struct vmr_error *err)
{
    return synic_save_stimers(place->guest->synic, synic_vp_of(place), ret_value, err);
}

static enum vmr_status set_stimers(const struct vp_place *place, const void *value, struct vmr_error *err)
{
    return synic_restore_stimers(place->guest->synic, synic_vp_of(place), value, err);
}

static const struct vp_ops {
    uint64_t privilege; /* without which the class is not there */
    enum vmr_status (*get)(const struct vp_place *place, void *ret_value, struct vmr_error *err);
    enum vmr_status (*set)(const struct vp_place *place, const void *value, struct vmr_error *err);
} vp_ops[VMR_VP_CLASS_COUNT] = {
    [VMR_VP_VTLS] = {0, get_vtls, set_vtls},
    [VMR_VP_ASSIST] = {0, get_assist, set_assist},
    [VMR_VP_CRASH] = {0, get_crash, set_crash},
    [VMR_VP_SYNIC] = {HV_ACCESS_SYNIC, get_synic, set_synic},
    [VMR_VP_SIMP] = {HV_ACCESS_SYNIC, get_page, set_page},
    [VMR_VP_SIEFP] = {HV_ACCESS_SYNIC, get_page, set_page},
    [VMR_VP_MESSAGE_QUEUE] = {0, get_queue, set_queue}, /* hosts post to whoever may not see it */
    [VMR_VP_STIMERS] = {HV_ACCESS_SYNTHETIC_TIMERS, get_stimers, set_stimers},
};

uint64_t vmr_hv_guest_vp_classes(const struct vmr_hv_guest *guest)
{
    uint64_t classes = 0;

    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++) {
        bool there = vp_ops[i].get && (guest->privileges & vp_ops[i].privilege) == vp_ops[i].privilege &&
                     (i != VMR_VP_VTLS || guest_has_vtls(guest));

        classes |= there ? UINT64_C(1) << i : 0;
    }
    return classes;
}

uint32_t vmr_hv_vp_class_instances(enum vmr_vp_class vp_class)
{
    return vp_class == VMR_VP_MESSAGE_QUEUE ? HV_SINT_COUNT : 1;
}

static struct vp_place place_of(struct vmr_hv_guest *guest, vmr_vp_index vp, const struct vmr_state_id *id)
{
    return (struct vp_place){.guest = guest,
                             .vp = vp,
                             .vtl = (uint8_t)id->vtl,
                             .sint = id->instance,
                             .vp_class = (enum vmr_vp_class)id->state_class};
}

enum vmr_status vmr_hv_guest_vp_state_get(struct vmr_hv_guest *guest, vmr_vp_index vp, const struct vmr_state_id *id,
                                          void *ret_value, struct vmr_error *err)
{
    const struct vp_place place = place_of(guest, vp, id);

    return vp_ops[id->state_class].get(&place, ret_value, err);
}

enum vmr_status vmr_hv_guest_vp_state_set(struct vmr_hv_guest *guest, vmr_vp_index vp, const struct vmr_state_id *id,
                                          const void *value, struct vmr_error *err)
{
    const struct vp_place place = place_of(guest, vp, id);

    return vp_ops[id->state_class].set(&place, value, err);
}

void vmr_hv_guest_vp_state_at_reset(const struct vmr_hv_guest *guest, const struct vmr_state_id *id, void *ret_value)
{
    memset(ret_value, 0, vmr_vp_class_type((enum vmr_vp_class)id->state_class)->size);
    if (id->state_class == VMR_VP_VTLS)
        vtls_state_at_reset(&guest->vtls, ret_value);
    if (id->state_class != VMR_VP_SYNIC)
        return;
    struct vmr_hv_synic_state *synic = ret_value;

    synic->scontrol = HV_SCONTROL_ENABLE;
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++)
        synic->sints[sint] = HV_SINT_MASKED;
}
