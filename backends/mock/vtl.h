/* SPDX-License-Identifier: MIT */
#pragma once

/* What a VP has at one of its VTLs, whether it is in it or not; for who reads and writes states. */

#include "backends/mock/machine.h"

void vtl_get_regs(const struct vmr_backend_vp *vp, uint8_t vtl, struct vmr_x86_regs *ret_regs);
/* Of a VTL that the VP is not in; what VTLs share becomes all VTLs'. */
void vtl_put_regs(struct vmr_backend_vp *vp, uint8_t vtl, const struct vmr_x86_regs *regs);
/* By its place in vp->msrs. */
uint64_t *vtl_msr(struct vmr_backend_vp *vp, uint8_t vtl, unsigned place);

struct vtl_events {
    struct vmr_x86_event *pending, *injected;
    uint8_t *shadow, *shadow_kind;
    bool *nmi_pending, *nmi_masked;
};
struct vtl_events vtl_events_of(struct vmr_backend_vp *vp, uint8_t vtl);

/* All VTLs as before their first entry, and the VP in the one in which it begins. */
void vtl_reset(struct vmr_backend_vp *vp);
