/* SPDX-License-Identifier: MIT */
/*
 * The state of a SynIC, class by class. A value is judged whole before any of
 * it is taken. What it says is to be delivered is looked at by the VP's next
 * poll, as if it had just come.
 */

#include "lib/hv/synic.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/hv/page_register.h"
#include "vmrig/limits.h"

/* --- registers --- */

void synic_save(struct synic_vp *vp, struct vmr_hv_synic_state *ret_state)
{
    sync_mutex_lock(&vp->lock);
    *ret_state = (struct vmr_hv_synic_state){.scontrol = vp->scontrol, .siefp = vp->siefp, .simp = vp->simp};
    memcpy(ret_state->sints, vp->sints, sizeof(vp->sints));
    sync_mutex_unlock(&vp->lock);
}

static enum vmr_status check_registers(const struct vmr_hv_synic_state *state, struct vmr_error *err)
{
    enum vmr_status status = page_register_check(state->siefp, "synic", "siefp", err);

    if (!status)
        status = page_register_check(state->simp, "synic", "simp", err);
    if (status)
        return status;
    if ((state->scontrol & ~HV_SCONTROL_ENABLE) != 0)
        return vmr_error_set(err, VMR_E_CONFIG, "synic: scontrol: %#" PRIx64 " has reserved bits", state->scontrol);
    for (unsigned sint = 0; sint < HV_SINT_COUNT; sint++) {
        if (!synic_vp_sint_is_possible(state->sints[sint]))
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "synic: sints[%u]: %#" PRIx64 " has reserved bits, or an exception's vector", sint,
                                 state->sints[sint]);
    }
    return VMR_OK;
}

enum vmr_status synic_restore(struct vmr_synic *synic, struct synic_vp *vp, const struct vmr_hv_synic_state *state,
                              struct vmr_error *err)
{
    enum vmr_status status = check_registers(state, err);

    if (status)
        return status;
    sync_mutex_lock(&vp->lock);
    vp->scontrol = state->scontrol;
    vp->siefp = state->siefp;
    vp->simp = state->simp;
    memcpy(vp->sints, state->sints, sizeof(vp->sints));
    page_register_apply(&vp->event_page, vp->siefp);
    page_register_apply(&vp->message_page, vp->simp);
    sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
    if (synic->options.offload)
        synic_offload_restored(vp);
    return VMR_OK;
}

/* --- pages --- */

static struct overlay *page_of(struct synic_vp *vp, enum vmr_vp_class vp_class)
{
    return vp_class == VMR_VP_SIMP ? &vp->message_page : &vp->event_page;
}

void synic_save_page(struct synic_vp *vp, enum vmr_vp_class vp_class, struct vmr_hv_page_state *ret_state)
{
    sync_mutex_lock(&vp->lock);
    overlay_content(page_of(vp, vp_class), ret_state->content);
    sync_mutex_unlock(&vp->lock);
}

enum vmr_status synic_restore_page(struct synic_vp *vp, enum vmr_vp_class vp_class,
                                   const struct vmr_hv_page_state *state, struct vmr_error *err)
{
    sync_mutex_lock(&vp->lock);
    enum vmr_status status =
        page_content_restore(page_of(vp, vp_class), state->content, vp_class == VMR_VP_SIMP ? "simp" : "siefp", err);

    sync_mutex_unlock(&vp->lock);
    return status;
}

/* --- messages that wait --- */

void synic_save_queue(struct synic_vp *vp, unsigned sint, struct vmr_hv_queue_state *ret_state)
{
    /* Mostly empty, and a quarter of a mebibyte: only what is used is written. */
    sync_mutex_lock(&vp->lock);
    ret_state->count = message_queues_count(&vp->queues, sint);
    for (uint32_t i = 0; i < ret_state->count; i++)
        memcpy(ret_state->messages + (size_t)i * HV_MESSAGE_BYTES, message_queues_get(&vp->queues, sint, i)->bytes,
               HV_MESSAGE_BYTES);
    sync_mutex_unlock(&vp->lock);
}

static enum vmr_status check_queue(const struct vmr_hv_queue_state *state, struct vmr_error *err)
{
    if (state->count > VMR_SYNIC_QUEUE_MAX)
        return vmr_error_set(err, VMR_E_CONFIG, "message-queue: count: %" PRIu32 ", the limit is %u", state->count,
                             VMR_SYNIC_QUEUE_MAX);
    for (uint32_t i = 0; i < state->count; i++) {
        const uint8_t *message = state->messages + (size_t)i * HV_MESSAGE_BYTES;

        if (load_le32(message + HV_MESSAGE_TYPE_OFFSET) == HV_MESSAGE_TYPE_NONE ||
            message[HV_MESSAGE_LENGTH_OFFSET] > HV_MESSAGE_PAYLOAD_MAX)
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "message-queue: messages: number %" PRIu32 " has no type, or more than %u bytes", i,
                                 HV_MESSAGE_PAYLOAD_MAX);
    }
    return VMR_OK;
}

/* Nobody will post again what was saved, so nobody would ring. */
enum vmr_status synic_restore_queue(struct vmr_synic *synic, struct synic_vp *vp, unsigned sint,
                                    const struct vmr_hv_queue_state *state, struct vmr_error *err)
{
    enum vmr_status status = check_queue(state, err);
    bool doorbell = false;

    if (status)
        return status;
    status = synic_vp_restore_queue(vp, sint, state->messages, state->count, &doorbell);
    if (status)
        return vmr_error_set(err, status, "message-queue: no memory for %" PRIu32 " messages", state->count);
    if (doorbell)
        synic->options.wake(synic->options.context, vp->index);
    return VMR_OK;
}

/* --- timers --- */

enum vmr_status synic_save_stimers(struct vmr_synic *synic, struct synic_vp *vp, struct vmr_hv_stimers_state *ret_state,
                                   struct vmr_error *err)
{
    if (synic->options.offload)
        return synic_offload_save_timers(synic, vp, ret_state)
                   ? VMR_OK
                   : vmr_error_set(err, VMR_E_HOST, "stimers: the hypervisor does not tell them");
    memset(ret_state, 0, sizeof(*ret_state));
    sync_mutex_lock(&vp->lock);
    for (unsigned i = 0; i < HV_STIMER_COUNT; i++)
        stimer_save(&vp->stimers.timers[i], &ret_state->timers[i]);
    sync_mutex_unlock(&vp->lock);
    return VMR_OK;
}

enum vmr_status synic_restore_stimers(struct vmr_synic *synic, struct synic_vp *vp,
                                      const struct vmr_hv_stimers_state *state, struct vmr_error *err)
{
    struct stimers stimers;

    for (unsigned i = 0; i < HV_STIMER_COUNT; i++) {
        if (!stimer_restore(&stimers.timers[i], &state->timers[i]))
            return vmr_error_set(err, VMR_E_CONFIG,
                                 "stimers: timer[%u]: config %#" PRIx64 ", count %" PRIu64 ", due %" PRIu64
                                 ": no timer is so",
                                 i, state->timers[i].config, state->timers[i].count, state->timers[i].due);
    }
    if (synic->options.offload && !synic_offload_restore_timers(synic, vp, state))
        return vmr_error_set(err, VMR_E_HOST, "stimers: the hypervisor does not take them");
    if (synic->options.offload)
        return VMR_OK;
    sync_mutex_lock(&vp->lock);
    vp->stimers = stimers;
    sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
    return VMR_OK;
}

/* --- the partition's --- */

enum vmr_status synic_restore_tsc(struct vmr_synic *synic, const struct vmr_hv_tsc_state *state, struct vmr_error *err)
{
    enum vmr_status status = reference_tsc_restore(&synic->tsc, state, err);

    if (status)
        return status;
    if (synic->options.offload)
        synic_offload_tsc_restored(synic);
    synic_stir_all(synic);
    return VMR_OK;
}
