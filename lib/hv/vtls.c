/* SPDX-License-Identifier: MIT */
/*
 * Who may enable what is the specification's (TLFS, HvCallEnablePartitionVtl,
 * HvCallEnableVpVtl): a lower VTL always; a higher one only while the caller is
 * the highest below it, and on a VP only until some VP has it.
 */

#include "lib/hv/vtls.h"

#include <stdlib.h>

#define BIT(vtl) (uint8_t)(1u << (vtl))

/* Of a set of VTLs: the lowest above `vtl`, the highest below it; VMR_VTL_COUNT: none. */
static uint8_t next_above(unsigned set, uint8_t vtl)
{
    for (uint8_t above = (uint8_t)(vtl + 1); above < VMR_VTL_COUNT; above++) {
        if (set & BIT(above))
            return above;
    }
    return VMR_VTL_COUNT;
}

static uint8_t next_below(unsigned set, uint8_t vtl)
{
    for (uint8_t below = vtl; below-- > 0;) {
        if (set & BIT(below))
            return below;
    }
    return VMR_VTL_COUNT;
}

/* --- making and unmaking --- */

/* Intel SDM vol. 3, 12.12.4. */
#define PAT_RESET UINT64_C(0x0007040600070406)

void vtls_begin(struct vtl_vp *vp, uint8_t first)
{
    *vp = (struct vtl_vp){.active = first, .enabled = (uint8_t)(BIT(0) | BIT(first)), .entered = BIT(first)};
    vmr_x86_regs_reset(&vp->initial[0].regs);
    vp->initial[0].pat = PAT_RESET;
}

void vtls_reset(struct vtls *vtls)
{
    vtls->enabled = (uint8_t)(BIT(0) | BIT(vtls->first));
    for (uint32_t i = 0; i < vtls->vp_count; i++) {
        vtls_begin(&vtls->vps[i], vtls->first);
        vtls->vps[i].restarted = true;
    }
}

void vtls_begin_again(struct vtls *vtls, uint8_t vtl)
{
    for (uint32_t i = 0; vtl == vtls->first && i < vtls->vp_count; i++)
        vtls->vps[i].active = vtl;
}

enum vmr_status vtls_init(struct vtls *vtls)
{
    vtls->vps = calloc(vtls->vp_count, sizeof(*vtls->vps));
    if (!vtls->vps || sync_mutex_init(&vtls->lock, vtls->host))
        return VMR_E_NOMEM;
    vtls_reset(vtls);
    for (uint32_t i = 0; i < vtls->vp_count; i++)
        vtls->vps[i].restarted = false; /* it is the beginning */
    return VMR_OK;
}

void vtls_finish(struct vtls *vtls)
{
    free(vtls->vps);
    vtls->vps = NULL;
    sync_mutex_finish(&vtls->lock);
}

/* --- enabling --- */

/* Whether `caller` is the highest VTL of the partition below `vtl`. */
static bool is_next_below(const struct vtls *vtls, uint8_t caller, uint8_t vtl)
{
    return next_below(vtls->enabled, vtl) == caller;
}

static enum hv_status enable_locked(struct vtls *vtls, uint8_t caller, uint8_t vtl)
{
    if (vtls->enabled & BIT(vtl))
        return HV_STATUS_VTL_ALREADY_ENABLED;
    if (vtl > caller && !is_next_below(vtls, caller, vtl))
        return HV_STATUS_ACCESS_DENIED;
    vtls->enabled |= BIT(vtl);
    return HV_STATUS_SUCCESS;
}

enum hv_status vtls_enable(struct vtls *vtls, uint8_t caller, uint8_t guest_vtl)
{
    if (guest_vtl > vtls->highest)
        return HV_STATUS_ACCESS_DENIED;
    sync_mutex_lock(&vtls->lock);
    enum hv_status status = enable_locked(vtls, caller, guest_vtl);

    sync_mutex_unlock(&vtls->lock);
    return status;
}

static bool is_anywhere(const struct vtls *vtls, uint8_t vtl)
{
    for (uint32_t i = 0; i < vtls->vp_count; i++) {
        if (vtls->vps[i].enabled & BIT(vtl))
            return true;
    }
    return false;
}

static enum hv_status enable_vp_locked(struct vtls *vtls, uint8_t caller, struct vtl_vp *vp, uint8_t vtl,
                                       const struct vmr_hv_initial *initial)
{
    if (!(vtls->enabled & BIT(vtl)))
        return HV_STATUS_INVALID_VTL_STATE;
    if (vp->enabled & BIT(vtl))
        return HV_STATUS_VTL_ALREADY_ENABLED;
    if (vtl > caller && (!is_next_below(vtls, caller, vtl) || is_anywhere(vtls, vtl)))
        return HV_STATUS_ACCESS_DENIED;
    vp->enabled |= BIT(vtl);
    vp->initial[vtl] = *initial;
    return HV_STATUS_SUCCESS;
}

enum hv_status vtls_enable_vp(struct vtls *vtls, uint8_t caller, vmr_vp_index guest_vp, uint8_t guest_vtl,
                              const struct vmr_hv_initial *initial)
{
    if (guest_vtl >= VMR_VTL_COUNT)
        return HV_STATUS_INVALID_PARAMETER;
    if (guest_vp >= vtls->vp_count)
        return HV_STATUS_INVALID_VP_INDEX;
    sync_mutex_lock(&vtls->lock);
    enum hv_status status = enable_vp_locked(vtls, caller, &vtls->vps[guest_vp], guest_vtl, initial);

    sync_mutex_unlock(&vtls->lock);
    return status;
}

/* --- switching --- */

static bool enter_locked(struct vtl_vp *vp, uint8_t vtl, struct vmr_hv_entry *ret_entry)
{
    if (vtl >= VMR_VTL_COUNT || !(vp->enabled & BIT(vtl)))
        return false;
    *ret_entry = (struct vmr_hv_entry){.vtl = vtl, .first = !(vp->entered & BIT(vtl))};
    if (ret_entry->first)
        ret_entry->initial = vp->initial[vtl];
    vp->entered |= BIT(vtl);
    vp->active = vtl;
    return true;
}

bool vtls_enter(struct vtls *vtls, vmr_vp_index vp, uint8_t vtl, struct vmr_hv_entry *ret_entry)
{
    sync_mutex_lock(&vtls->lock);
    bool entered = enter_locked(&vtls->vps[vp], vtl, ret_entry);

    sync_mutex_unlock(&vtls->lock);
    return entered;
}

bool vtls_call(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_entry *ret_entry)
{
    struct vtl_vp *at = &vtls->vps[vp];

    sync_mutex_lock(&vtls->lock);
    bool entered = enter_locked(at, next_above(at->enabled, at->active), ret_entry);

    sync_mutex_unlock(&vtls->lock);
    return entered;
}

bool vtls_return(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_entry *ret_entry)
{
    struct vtl_vp *at = &vtls->vps[vp];

    sync_mutex_lock(&vtls->lock);
    bool entered = enter_locked(at, next_below(at->enabled, at->active), ret_entry);

    sync_mutex_unlock(&vtls->lock);
    return entered;
}

uint8_t vtls_enabled(struct vtls *vtls)
{
    sync_mutex_lock(&vtls->lock);
    uint8_t enabled = vtls->enabled;

    sync_mutex_unlock(&vtls->lock);
    return enabled;
}

uint8_t vtls_enabled_on(struct vtls *vtls, vmr_vp_index vp)
{
    sync_mutex_lock(&vtls->lock);
    uint8_t enabled = vtls->vps[vp].enabled;

    sync_mutex_unlock(&vtls->lock);
    return enabled;
}

/* --- vectors --- */

void vtls_raise(struct vtls *vtls, vmr_vp_index vp, uint8_t vtl, uint8_t vector)
{
    if (vp >= vtls->vp_count || vtl > vtls->highest)
        return;
    struct vtl_vp *at = &vtls->vps[vp];

    sync_mutex_lock(&vtls->lock);
    if (at->enabled & BIT(vtl)) {
        at->vectors[vtl][vector / 64] |= UINT64_C(1) << (vector % 64);
        (void)sync_fetch_or_u32(vtls->host, &at->waiting, BIT(vtl));
    }
    sync_mutex_unlock(&vtls->lock);
}

uint8_t vtls_wanted(struct vtls *vtls, vmr_vp_index vp)
{
    struct vtl_vp *at = &vtls->vps[vp];
    uint8_t wanted = 0;

    if (sync_load_u32(vtls->host, &at->waiting) >> (at->active + 1u) == 0)
        return 0;
    sync_mutex_lock(&vtls->lock);
    for (uint8_t vtl = (uint8_t)(at->active + 1); vtl < VMR_VTL_COUNT; vtl++) {
        if (at->enabled & BIT(vtl) && atomic_load(&at->waiting) & BIT(vtl))
            wanted = vtl;
    }
    sync_mutex_unlock(&vtls->lock);
    return wanted;
}

bool vtls_vector(struct vtls *vtls, vmr_vp_index vp, uint8_t *ret_vector)
{
    struct vtl_vp *at = &vtls->vps[vp];
    const uint64_t *words = at->vectors[at->active];
    bool found = false;

    if (!(sync_load_u32(vtls->host, &at->waiting) & BIT(at->active)))
        return false;
    sync_mutex_lock(&vtls->lock);
    for (unsigned vector = 64 * VTLS_VECTOR_WORDS; vector-- > 0 && !found;) {
        found = (words[vector / 64] >> (vector % 64) & 1u) != 0;
        if (found)
            *ret_vector = (uint8_t)vector;
    }
    sync_mutex_unlock(&vtls->lock);
    return found;
}

void vtls_vector_taken(struct vtls *vtls, vmr_vp_index vp, uint8_t vector)
{
    struct vtl_vp *at = &vtls->vps[vp];
    uint64_t *words = at->vectors[at->active], left = 0;

    sync_mutex_lock(&vtls->lock);
    words[vector / 64] &= ~(UINT64_C(1) << (vector % 64));
    for (unsigned i = 0; i < VTLS_VECTOR_WORDS; i++)
        left |= words[i];
    if (left == 0)
        (void)sync_fetch_and_u32(vtls->host, &at->waiting, (uint32_t)~BIT(at->active));
    sync_mutex_unlock(&vtls->lock);
}

void vtls_drop_vectors(struct vtls *vtls, uint8_t vtl)
{
    for (uint32_t i = 0; i < vtls->vp_count; i++) {
        struct vtl_vp *vp = &vtls->vps[i];

        for (unsigned word = 0; word < VTLS_VECTOR_WORDS; word++)
            vp->vectors[vtl][word] = 0;
        (void)sync_fetch_and_u32(vtls->host, &vp->waiting, (uint32_t)~BIT(vtl));
    }
}
