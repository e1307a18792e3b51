/* SPDX-License-Identifier: MIT */
/*
 * The fake's VP and VM: scripts, answers, and the order of calls. What only
 * counts and records is in fake_backend_calls.c.
 */

#include "tests/support/fake_backend.h"

#include <string.h>

#include "tests/support/fake_backend_parts.h"

bool fake_fails(struct fake *fake, enum fake_call call)
{
    fake_record(fake, call, 0);
    uint32_t nth = atomic_fetch_add(&fake->failable, 1) + 1;

    return nth == fake->fail_at || (call == fake->fail_always && call != FAKE_OPEN);
}

void fake_record(struct fake *fake, enum fake_call call, uint64_t value)
{
    (void)atomic_fetch_add(&fake->counts[call], 1);
    if (value)
        fake->values[call] = value;
}

uint32_t fake_count(const struct fake *fake, enum fake_call call)
{
    return atomic_load(&fake->counts[call]);
}

static void must(struct fake_vp *vp, bool held)
{
    if (!held)
        (void)atomic_fetch_add(&vp->fake->misuse, 1);
}

/* --- making and taking down --- */

enum vmr_status fake_vm_create(struct vmr_backend_vm *base, const struct vmr_hypervisor_handle *handle,
                               const struct vmr_vm_config *config, struct vmr_error *err)
{
    struct fake_vm *vm = fake_vm_of(base);

    vm->fake = handle->context;
    vm->host = config->host;
    vm->fake->config = *config;
    for (size_t i = 0; i < config->cpuid_count && i < FAKE_CPUID_MAX * 2; i++)
        vm->fake->config_cpuid[i] = config->cpuid[i];
    (void)atomic_fetch_add(&vm->fake->live_vms, 1);
    if (fake_fails(vm->fake, FAKE_VM_CREATE))
        return vmr_error_set_host(err, 5, "fake: vm_create");
    return VMR_OK;
}

void fake_vm_destroy(struct vmr_backend_vm *base)
{
    struct fake_vm *vm = fake_vm_of(base);

    if (!vm->fake)
        return; /* zeroed: vm_create was never reached */
    fake_record(vm->fake, FAKE_VM_DESTROY, 0);
    (void)atomic_fetch_sub(&vm->fake->live_vms, 1);
}

enum vmr_status fake_vp_create(struct vmr_backend_vm *base, struct vmr_backend_vp *base_vp, vmr_vp_index index,
                               struct vmr_error *err)
{
    struct fake_vm *vm = fake_vm_of(base);
    struct fake_vp *vp = fake_vp_of(base_vp);

    vp->fake = vm->fake;
    vp->host = vm->host;
    vp->index = index;
    (void)atomic_fetch_add(&vp->fake->live_vps, 1);
    must(vp, index == vm->created++);
    if (fake_fails(vp->fake, FAKE_VP_CREATE))
        return vmr_error_set_host(err, 5, "fake: vp_create");
    if (vm->host->ops->parker_create(vm->host->context, &vp->guest) != VMR_OK)
        return vmr_error_set(err, VMR_E_NOMEM, "fake: out of memory");
    return VMR_OK;
}

void fake_vp_destroy(struct vmr_backend_vp *base)
{
    struct fake_vp *vp = fake_vp_of(base);

    if (!vp->fake)
        return;
    must(vp, !vp->bound && !vp->entered);
    fake_record(vp->fake, FAKE_VP_DESTROY, 0);
    (void)atomic_fetch_sub(&vp->fake->live_vps, 1);
    vp->host->ops->parker_destroy(vp->host->context, vp->guest);
}

enum vmr_status fake_vp_bind(struct vmr_backend_vp *base, struct vmr_error *err)
{
    struct fake_vp *vp = fake_vp_of(base);

    must(vp, !vp->bound);
    if (fake_fails(vp->fake, FAKE_VP_BIND))
        return vmr_error_set_host(err, 5, "fake: vp_bind");
    vp->bound = true;
    return VMR_OK;
}

void fake_vp_unbind(struct vmr_backend_vp *base)
{
    struct fake_vp *vp = fake_vp_of(base);

    must(vp, vp->bound && !vp->entered);
    fake_record(vp->fake, FAKE_VP_UNBIND, 0);
    vp->bound = false;
}

/* --- running --- */

void fake_vp_enter(struct vmr_backend_vp *base)
{
    struct fake_vp *vp = fake_vp_of(base);

    must(vp, vp->bound && !atomic_load(&vp->entered));
    fake_record(vp->fake, FAKE_VP_ENTER, 0);
    atomic_store(&vp->entered, true);
}

void fake_vp_leave(struct vmr_backend_vp *base, enum vmr_leave why)
{
    struct fake_vp *vp = fake_vp_of(base);

    must(vp, atomic_load(&vp->entered));
    fake_record(vp->fake, FAKE_VP_LEAVE, 0);
    vp->fake->leave[vp->index] = why;
    atomic_store(&vp->entered, false);
}

/* What the library made of the exit before. */
static void keep_answer(struct fake_vp *vp, const struct vmr_exit *answer)
{
    uint32_t *count = &vp->fake->answer_count[vp->index];

    if (vmr_exit_is_pending(answer) && *count < FAKE_LOG_MAX)
        vp->fake->answers[vp->index][(*count)++] = *answer;
}

/* The next step of the script; NULL at its end. */
static const struct fake_step *next_step(struct fake_vp *vp)
{
    const struct fake_vp_script *script = &vp->fake->scripts[vp->index];

    if (vp->next == script->count && script->endless)
        vp->next = 0;
    return vp->next < script->count ? &script->steps[vp->next] : NULL;
}

/* In the guest until a kick, or until its patience ends. */
static struct vmr_exit block(struct fake_vp *vp)
{
    const struct vmr_host *host = vp->host;
    uint64_t patience_ns = vp->fake->patience_ns;
    uint64_t deadline_ns = patience_ns ? host->ops->now_ns(host->context) + patience_ns : VMR_NEVER;
    enum vmr_park_result result = host->ops->park(host->context, vp->guest, deadline_ns);

    return (struct vmr_exit){.kind = result == VMR_PARK_TIMEOUT ? VMR_EXIT_SHUTDOWN : VMR_EXIT_CANCEL};
}

void fake_vp_run(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct fake_vp *vp = fake_vp_of(base);
    const struct fake_step *step = next_step(vp);

    must(vp, vp->bound);
    fake_record(vp->fake, FAKE_VP_RUN, 0);
    keep_answer(vp, vp_exit);
    if (vp->fake->in_guest)
        vp->fake->in_guest(vp->fake->in_guest_context, vp->index);
    vp->next += step != NULL;
    if (step && !step->block) {
        *vp_exit = step->exit;
        return;
    }
    *vp_exit = block(vp);
}

void fake_vp_complete(struct vmr_backend_vp *base, struct vmr_exit *vp_exit)
{
    struct fake_vp *vp = fake_vp_of(base);
    const struct fake_step *step = next_step(vp);

    must(vp, vp->bound && atomic_load(&vp->entered));
    fake_record(vp->fake, FAKE_VP_COMPLETE, 0);
    keep_answer(vp, vp_exit);
    if (step && step->further) {
        vp->next++;
        *vp_exit = step->exit;
    } else {
        *vp_exit = (struct vmr_exit){0};
    }
}

void fake_vp_kick(struct vmr_backend_vp *base)
{
    struct fake_vp *vp = fake_vp_of(base);

    must(vp, atomic_load(&vp->entered));
    fake_record(vp->fake, FAKE_VP_KICK, 0);
    vp->host->ops->unpark(vp->host->context, vp->guest);
}

void fake_vp_kick_bare(struct vmr_backend_vp *base)
{
    struct fake_vp *vp = fake_vp_of(base);

    fake_record(vp->fake, FAKE_VP_KICK, 0);
    vp->host->ops->unpark(vp->host->context, vp->guest);
}

void fake_init(struct fake *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->caps = (struct vmr_caps){.bits = ((UINT64_C(1) << VMR_CAP_COUNT) - 1) & ~(UINT64_C(1) << VMR_CAP_HV_OFFLOAD) &
                                           ~(UINT64_C(1) << VMR_CAP_DIRTY_LOG) & ~(UINT64_C(1) << VMR_CAP_MANAGED),
                                   .vp_count_max = FAKE_VP_MAX,
                                   .physical_bits = 40};
}

void fake_script(struct fake *fake, vmr_vp_index vp, const struct fake_step *steps, size_t count)
{
    fake->scripts[vp] = (struct fake_vp_script){.steps = steps, .count = count};
}
