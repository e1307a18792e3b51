/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which VTLs a partition and its VPs have, in which one a VP is, and which
 * vectors wait for the higher ones (TLFS, VTL Enablement; VTL Call; VTL Return).
 * It calls nobody: how a VP enters a VTL comes back as a value.
 *
 * A VP's active VTL is its thread's; what others change is under the lock.
 */

#include "lib/base/sync.h"
#include "vmrig/hv_spec.h"
#include "vmrig/hv_state.h"
#include "vmrig/vtl.h"

#define VTLS_VECTOR_WORDS VMR_HV_VECTOR_WORDS

struct vtl_vp {
    uint8_t active;
    bool restarted;           /* and the VP's thread has not followed yet */
    _Atomic uint32_t waiting; /* bit n: VTL n has a vector; written under the lock */
    /* From here on: under the lock. */
    uint8_t enabled, entered;                     /* bit n: VTL n */
    struct vmr_hv_initial initial[VMR_VTL_COUNT]; /* of those that are enabled and were not entered */
    uint64_t vectors[VMR_VTL_COUNT][VTLS_VECTOR_WORDS];
};

struct vtls {
    const struct vmr_host *host;
    uint32_t vp_count;
    uint8_t highest; /* possible; 0: no others */
    uint8_t first;   /* in which VPs begin */
    struct sync_mutex lock;
    uint8_t enabled; /* in the partition; under the lock */
    struct vtl_vp *vps;
};

/* The object is zeroed; host, vp_count, highest and first are set. */
enum vmr_status vtls_init(struct vtls *vtls);
void vtls_finish(struct vtls *vtls); /* zeroed is fine */
/* One VP as at the beginning. */
void vtls_begin(struct vtl_vp *vp, uint8_t first);
/* All of it. VPs stopped. */
void vtls_reset(struct vtls *vtls);

/*
 * --- vtl_state.c: VMR_VP_VTLS, on the VP's thread, and `enabled` of VMR_VM_VTLS, VPs stopped. Values may be anything:
 * VMR_E_CONFIG, naming the field, and nothing changed. ---
 */

void vtls_save(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_vp_vtls_state *ret_state);
enum vmr_status vtls_restore(struct vtls *vtls, vmr_vp_index vp, const struct vmr_hv_vp_vtls_state *state,
                             struct vmr_error *err);
void vtls_state_at_reset(const struct vtls *vtls, struct vmr_hv_vp_vtls_state *ret_state);
/* Whether a partition can have such a set of VTLs. */
bool vtls_set_is_possible(const struct vtls *vtls, unsigned set);
void vtls_restore_enabled(struct vtls *vtls, uint8_t enabled);

/* --- enabling. `caller` is the VTL that asks --- */

enum hv_status vtls_enable(struct vtls *vtls, uint8_t caller, uint8_t guest_vtl);
enum hv_status vtls_enable_vp(struct vtls *vtls, uint8_t caller, vmr_vp_index guest_vp, uint8_t guest_vtl,
                              const struct vmr_hv_initial *initial);

/* --- switching: the VP's thread. False: there is no such VTL. Else the VP is in it, and enters as written. --- */

bool vtls_call(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_entry *ret_entry);
bool vtls_return(struct vtls *vtls, vmr_vp_index vp, struct vmr_hv_entry *ret_entry);
/* To a VTL that is enabled on the VP. */
bool vtls_enter(struct vtls *vtls, vmr_vp_index vp, uint8_t vtl, struct vmr_hv_entry *ret_entry);

static inline uint8_t vtls_active(const struct vtls *vtls, vmr_vp_index vp)
{
    return vtls->highest ? vtls->vps[vp].active : 0;
}

/* A bit each. */
uint8_t vtls_enabled(struct vtls *vtls);
uint8_t vtls_enabled_on(struct vtls *vtls, vmr_vp_index vp);

/* --- vectors of VTLs above 0. The first: any thread --- */

/* Nothing where the VTL is not enabled on the VP. */
void vtls_raise(struct vtls *vtls, vmr_vp_index vp, uint8_t vtl, uint8_t vector);
/* The highest VTL above the active one, enabled on the VP, for which one waits; 0: none. */
uint8_t vtls_wanted(struct vtls *vtls, vmr_vp_index vp);
/* The highest that waits for the active VTL; false: none. */
bool vtls_vector(struct vtls *vtls, vmr_vp_index vp, uint8_t *ret_vector);
void vtls_vector_taken(struct vtls *vtls, vmr_vp_index vp, uint8_t vector);
/* The VTL in which VPs begin is the one they are in again; of another, nothing. VPs stopped. */
void vtls_begin_again(struct vtls *vtls, uint8_t vtl);
/* Forgets those of one VTL. VPs stopped. */
void vtls_drop_vectors(struct vtls *vtls, uint8_t vtl);
