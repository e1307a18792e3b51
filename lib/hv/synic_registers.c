/* SPDX-License-Identifier: MIT */
/*
 * The registers of one VP's SynIC (TLFS, SynIC Registers and Synthetic Timers).
 * Reserved bits are refused, not kept: a guest that sets them expects something
 * that is not here. A refused write changes nothing.
 */

#include "lib/hv/synic_vp.h"

#define SINT_DEFINED (HV_SINT_VECTOR_MASK | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING | HV_SINT_PROXY)
#define STIMER_REGISTER_COUNT (2 * HV_STIMER_COUNT)

static bool is_sint(uint32_t index)
{
    return index >= HV_MSR_SINT0 && index - HV_MSR_SINT0 < HV_SINT_COUNT;
}

static bool is_stimer(uint32_t index)
{
    return index >= HV_MSR_STIMER0_CONFIG && index - HV_MSR_STIMER0_CONFIG < STIMER_REGISTER_COUNT;
}

static struct stimer *stimer_of(struct synic_vp *vp, uint32_t index)
{
    return &vp->stimers.timers[(index - HV_MSR_STIMER0_CONFIG) / 2];
}

static bool is_count(uint32_t index)
{
    return (index - HV_MSR_STIMER0_CONFIG) % 2 != 0;
}

static enum vmr_msr_result read_locked(struct synic_vp *vp, uint32_t index, uint64_t *ret_value)
{
    if (is_sint(index)) {
        *ret_value = vp->sints[index - HV_MSR_SINT0];
        return VMR_MSR_OK;
    }
    if (is_stimer(index)) {
        *ret_value = is_count(index) ? stimer_of(vp, index)->count : stimer_of(vp, index)->config;
        return VMR_MSR_OK;
    }
    switch (index) {
    case HV_MSR_SCONTROL:
        *ret_value = vp->scontrol;
        return VMR_MSR_OK;
    case HV_MSR_SVERSION:
        *ret_value = HV_SVERSION;
        return VMR_MSR_OK;
    case HV_MSR_SIEFP:
        *ret_value = vp->siefp;
        return VMR_MSR_OK;
    case HV_MSR_SIMP:
        *ret_value = vp->simp;
        return VMR_MSR_OK;
    case HV_MSR_EOM:
        *ret_value = 0;
        return VMR_MSR_OK;
    default:
        return VMR_MSR_NOT_MINE;
    }
}

enum vmr_msr_result synic_vp_read(struct synic_vp *vp, uint32_t index, uint64_t *ret_value)
{
    sync_mutex_lock(&vp->lock);
    enum vmr_msr_result result = read_locked(vp, index, ret_value);

    sync_mutex_unlock(&vp->lock);
    return result;
}

/* A vector that belongs to exceptions may stand in a SINT that raises nothing. */
bool synic_vp_sint_is_possible(uint64_t value)
{
    bool is_silent = (value & (HV_SINT_MASKED | HV_SINT_POLLING)) != 0;

    return (value & ~SINT_DEFINED) == 0 && (is_silent || (value & HV_SINT_VECTOR_MASK) >= HV_SINT_VECTOR_MIN);
}

static enum vmr_msr_result write_sint(uint64_t *sint, uint64_t guest_value)
{
    if (!synic_vp_sint_is_possible(guest_value))
        return VMR_MSR_FAULT;
    *sint = guest_value;
    return VMR_MSR_OK;
}

static enum vmr_msr_result write_stimer(struct synic_vp *vp, uint32_t index, uint64_t guest_value)
{
    struct stimer *timer = stimer_of(vp, index);

    if (!is_count(index))
        return stimer_set_config(timer, guest_value) ? VMR_MSR_OK : VMR_MSR_FAULT;
    stimer_set_count(timer, guest_value);
    return VMR_MSR_OK;
}

static enum vmr_msr_result write_page(struct overlay *overlay, uint64_t *page_register, uint64_t guest_value)
{
    if ((guest_value & HV_PAGE_RESERVED) != 0)
        return VMR_MSR_FAULT;
    if ((guest_value & HV_PAGE_ENABLE) == 0)
        overlay_withdraw(overlay);
    else if (overlay_place(overlay, guest_value & ~(uint64_t)(VMR_PAGE_SIZE - 1)) != VMR_OK)
        return VMR_MSR_FAULT;
    *page_register = guest_value;
    return VMR_MSR_OK;
}

static enum vmr_msr_result write_locked(struct synic_vp *vp, uint32_t index, uint64_t guest_value)
{
    if (is_sint(index))
        return write_sint(&vp->sints[index - HV_MSR_SINT0], guest_value);
    if (is_stimer(index))
        return write_stimer(vp, index, guest_value);
    switch (index) {
    case HV_MSR_SCONTROL:
        if ((guest_value & ~HV_SCONTROL_ENABLE) != 0)
            return VMR_MSR_FAULT;
        vp->scontrol = guest_value;
        return VMR_MSR_OK;
    case HV_MSR_SVERSION:
        return VMR_MSR_FAULT;
    case HV_MSR_SIEFP:
        return write_page(&vp->event_page, &vp->siefp, guest_value);
    case HV_MSR_SIMP:
        return write_page(&vp->message_page, &vp->simp, guest_value);
    case HV_MSR_EOM:
        return VMR_MSR_OK; /* the poll that follows is what it is for */
    default:
        return VMR_MSR_NOT_MINE;
    }
}

enum vmr_msr_result synic_vp_write(struct synic_vp *vp, uint32_t index, uint64_t guest_value)
{
    sync_mutex_lock(&vp->lock);
    enum vmr_msr_result result = write_locked(vp, index, guest_value);

    if (result == VMR_MSR_OK)
        sync_store_u32(vp->host, &vp->attention, 1);
    sync_mutex_unlock(&vp->lock);
    return result;
}
