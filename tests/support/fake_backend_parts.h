/* SPDX-License-Identifier: MIT */
#pragma once

/* The fake's own types, and the calls that its table names; shared by its two files. */

#include "tests/support/fake_backend.h"

struct fake_vm {
    struct fake *fake;
    vmr_vp_index created;
    const struct vmr_host *host;
};

struct fake_vp {
    struct fake *fake;
    const struct vmr_host *host;
    vmr_vp_index index;
    struct vmr_parker *guest; /* its permit is the kick: sticky */
    size_t next;
    bool bound;
    _Atomic bool entered;
    bool window;
};

static inline struct fake_vm *fake_vm_of(struct vmr_backend_vm *vm)
{
    return (struct fake_vm *)(void *)vm;
}

static inline struct fake_vp *fake_vp_of(struct vmr_backend_vp *vp)
{
    return (struct fake_vp *)(void *)vp;
}

void fake_record(struct fake *fake, enum fake_call call, uint64_t value);
/* Records a call that can fail, and says whether this one does. */
bool fake_fails(struct fake *fake, enum fake_call call);

enum vmr_status fake_vm_create(struct vmr_backend_vm *vm, const struct vmr_hypervisor_handle *handle,
                               const struct vmr_vm_config *config, struct vmr_error *err);
void fake_vm_destroy(struct vmr_backend_vm *vm);
enum vmr_status fake_vp_create(struct vmr_backend_vm *vm, struct vmr_backend_vp *vp, vmr_vp_index index,
                               struct vmr_error *err);
void fake_vp_destroy(struct vmr_backend_vp *vp);
enum vmr_status fake_vp_bind(struct vmr_backend_vp *vp, struct vmr_error *err);
void fake_vp_unbind(struct vmr_backend_vp *vp);
void fake_vp_enter(struct vmr_backend_vp *vp);
void fake_vp_leave(struct vmr_backend_vp *vp, enum vmr_leave why);
void fake_vp_run(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
void fake_vp_complete(struct vmr_backend_vp *vp, struct vmr_exit *vp_exit);
void fake_vp_kick(struct vmr_backend_vp *vp);
void fake_vp_kick_bare(struct vmr_backend_vp *vp);
