/* SPDX-License-Identifier: MIT */
/*
 * State of a replay. There is no guest, so of what a VP holds only that is kept
 * which the library itself goes by; the rest is in the exits that the trace
 * brings. It is set where the replay begins, and nowhere else. [TRC-11]
 */

#include "lib/trace/recorder.h"
#include "lib/trace/replay.h"
#include "vmrig/backend_state.h"

static enum vmr_status play_vp_get(struct vmr_backend_vp *base, uint8_t vtl, enum vmr_vp_class vp_class,
                                   void *ret_value, struct vmr_error *err)
{
    const struct replay_vp *vp = replay_vp_of(base);

    if (vtl > 0)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "%s: a replay does not know that of VTL %u",
                             vmr_vp_class_type(vp_class)->name, vtl);
    if (vp_class == VMR_VP_REGISTERS)
        *(struct vmr_x86_regs *)ret_value = vp->regs;
    else
        *(struct vmr_x86_activity_state *)ret_value = vp->activity;
    return VMR_OK;
}

static enum vmr_status play_vp_set(struct vmr_backend_vp *base, uint8_t vtl, enum vmr_vp_class vp_class,
                                   const void *value, struct vmr_error *err)
{
    struct replay_vp *vp = replay_vp_of(base);

    if (!replay_is_standing(vp->replay) && recorder_is_idle(vp_class, value))
        return VMR_OK;
    if (vtl > 0 || !replay_is_standing(vp->replay))
        return recorder_refuse_state(vmr_vp_class_type(vp_class), "the VP is replayed", err);
    if (vp_class == VMR_VP_REGISTERS)
        vp->regs = *(const struct vmr_x86_regs *)value;
    else
        vp->activity = *(const struct vmr_x86_activity_state *)value;
    return VMR_OK;
}

const struct vmr_backend_state replay_state = {.vp_get_state = play_vp_get, .vp_set_state = play_vp_set};
