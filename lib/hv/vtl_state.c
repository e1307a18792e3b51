/* SPDX-License-Identifier: MIT */
/* The state of VTLs, of a VP and of the partition. Which of them a VP has not entered yet says what is worth keeping.
 */

#include "lib/hv/vtls.h"

#include <inttypes.h>
#include <string.h>

#include "lib/hv/initial_context.h"

#define BIT(vtl) (1u << (vtl))

static bool waits_to_begin(unsigned enabled, unsigned entered, unsigned vtl)
{
    return (enabled & ~entered & BIT(vtl)) != 0;
}

static void save(const struct vtl_vp *vp, struct vmr_hv_vp_vtls_state *ret_state)
{
    memset(ret_state, 0, sizeof(*ret_state));
    ret_state->active = vp->active;
    ret_state->enabled = vp->enabled;
    ret_state->entered = vp->entered;
    memcpy(ret_state->vectors, vp->vectors, sizeof(vp->vectors));
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++) {
        if (waits_to_begin(vp->enabled, vp->entered, vtl))
            ret_state->initial[vtl] = vp->initial[vtl];
    }
}

void vtls_save(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_vp_vtls_state *ret_state)
{
    sync_mutex_lock(&vtls->lock);
    save(&vtls->vps[vp], ret_state);
    sync_mutex_unlock(&vtls->lock);
}

void vtls_state_at_reset(const struct vtls *vtls, struct vmr_hv_vp_vtls_state *ret_state)
{
    struct vtl_vp vp;

    vtls_begin(&vp, vtls->first);
    save(&vp, ret_state);
}

/* --- checking --- */

bool vtls_set_is_possible(const struct vtls *vtls, unsigned set)
{
    const unsigned needed = BIT(VMR_VTL0) | BIT(vtls->first);

    return (set & needed) == needed && set >> (vtls->highest + 1u) == 0;
}

static enum vmr_status check_sets(const struct vtls *vtls, const struct vmr_hv_vp_vtls_state *state,
                                  struct vmr_error *err)
{
    if (!vtls_set_is_possible(vtls, state->enabled))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: enabled: %#x, of VTLs up to %u", state->enabled, vtls->highest);
    if ((state->entered & ~(unsigned)state->enabled) != 0 || !(state->entered & BIT(vtls->first)))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: entered: %#x, of %#x that are enabled", state->entered,
                             state->enabled);
    if (state->active >= VMR_VTL_COUNT || !(state->entered & BIT(state->active)))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: active: %u, of %#x that were entered", state->active,
                             state->entered);
    return VMR_OK;
}

static bool has_vectors(const struct vmr_hv_vp_vtls_state *state, unsigned vtl)
{
    uint64_t any = 0;

    for (unsigned word = 0; word < VTLS_VECTOR_WORDS; word++)
        any |= state->vectors[vtl * VTLS_VECTOR_WORDS + word];
    return any != 0;
}

static bool has_initial(const struct vmr_hv_vp_vtls_state *state, unsigned vtl)
{
    struct vmr_hv_vp_vtls_state without = *state;

    without.initial[vtl] = (struct vmr_hv_initial){0};
    return !vmr_state_equal(vmr_vp_class_type(VMR_VP_VTLS), state, &without, true, NULL);
}

static enum vmr_status check_vtl(const struct vmr_hv_vp_vtls_state *state, unsigned vtl, struct vmr_error *err)
{
    bool waits = waits_to_begin(state->enabled, state->entered, vtl);

    if (has_vectors(state, vtl) && (vtl == VMR_VTL0 || !(state->enabled & BIT(vtl))))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: vectors: some wait for VTL %u", vtl);
    if (waits && !initial_context_is_possible(&state->initial[vtl]))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: initial: registers of VTL %u that no processor holds", vtl);
    if (!waits && has_initial(state, vtl))
        return vmr_error_set(err, VMR_E_CONFIG, "vtls: initial: VTL %u does not wait to begin", vtl);
    return VMR_OK;
}

/* --- taking --- */

static void restore_locked(const struct vtls *vtls, struct vtl_vp *vp, const struct vmr_hv_vp_vtls_state *state)
{
    uint32_t waiting = 0;

    vp->active = state->active;
    vp->restarted = false; /* a reset before this has been overtaken */
    vp->enabled = state->enabled;
    vp->entered = state->entered;
    memcpy(vp->vectors, state->vectors, sizeof(vp->vectors));
    memcpy(vp->initial, state->initial, sizeof(vp->initial));
    for (unsigned vtl = 0; vtl < VMR_VTL_COUNT; vtl++)
        waiting |= has_vectors(state, vtl) ? BIT(vtl) : 0;
    sync_store_u32(vtls->host, &vp->waiting, waiting);
}

enum vmr_status vtls_restore(struct vtls *vtls, vmr_vp_index vp, const struct vmr_hv_vp_vtls_state *state,
                             struct vmr_error *err)
{
    enum vmr_status status = check_sets(vtls, state, err);

    for (unsigned vtl = 0; !status && vtl < VMR_VTL_COUNT; vtl++)
        status = check_vtl(state, vtl, err);
    if (status)
        return status;
    sync_mutex_lock(&vtls->lock);
    restore_locked(vtls, &vtls->vps[vp], state);
    sync_mutex_unlock(&vtls->lock);
    return VMR_OK;
}

void vtls_restore_enabled(struct vtls *vtls, uint8_t enabled)
{
    sync_mutex_lock(&vtls->lock);
    vtls->enabled = enabled;
    sync_mutex_unlock(&vtls->lock);
}
