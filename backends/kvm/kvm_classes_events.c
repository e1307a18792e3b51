/* SPDX-License-Identifier: MIT */
/*
 * The activity of a VP: what it does, and the events that are on their way in.
 * KVM has them in two calls, of which one asks for a flag beside each part that
 * is meant: without the flags a pending NMI and the interrupt shadow could be
 * set and never cleared.
 */

#include <errno.h>

#include "backends/kvm/kvm_private.h"

#define VECTOR_NMI 2u

/* KVM's bits and ours are swapped. AMD's processors do not say which it is, and KVM then says both. */
static uint8_t shadow_of(uint8_t kvm_shadow)
{
    if (kvm_shadow & KVM_X86_SHADOW_INT_STI)
        return VMR_X86_SHADOW_STI;
    return kvm_shadow & KVM_X86_SHADOW_INT_MOV_SS ? VMR_X86_SHADOW_MOV_SS : 0;
}

static uint8_t kvm_shadow_of(uint8_t shadow)
{
    return (uint8_t)((shadow & VMR_X86_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
                     (shadow & VMR_X86_SHADOW_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0));
}

static struct vmr_x86_event exception_of(const struct kvm_vcpu_events *events, bool pending)
{
    bool has_payload = pending && events->exception_has_payload;

    return (struct vmr_x86_event){
        .kind = VMR_X86_EVENT_EXCEPTION,
        .vector = events->exception.nr,
        .has_error = events->exception.has_error_code != 0,
        .error = events->exception.has_error_code ? events->exception.error_code : 0,
        .has_payload = has_payload,
        .payload = has_payload ? events->exception_payload : 0,
    };
}

static struct vmr_x86_event injected_of(const struct kvm_vcpu_events *events)
{
    if (events->exception.injected)
        return exception_of(events, false);
    if (events->nmi.injected)
        return (struct vmr_x86_event){.kind = VMR_X86_EVENT_NMI, .vector = VECTOR_NMI};
    if (events->interrupt.injected)
        return (struct vmr_x86_event){
            .kind = events->interrupt.soft ? VMR_X86_EVENT_SOFT_INTERRUPT : VMR_X86_EVENT_INTERRUPT,
            .vector = events->interrupt.nr,
        };
    return (struct vmr_x86_event){.kind = VMR_X86_EVENT_NONE};
}

static enum vmr_status read_both(const struct kvm_vp *vp, struct kvm_mp_state *ret_state,
                                 struct kvm_vcpu_events *ret_events, struct vmr_error *err)
{
    enum vmr_status status =
        kvm_ioctl(vp->fd.number, "activity: KVM_GET_MP_STATE", KVM_GET_MP_STATE, kvm_pointer(ret_state), err);

    return status ? status
                  : kvm_ioctl(vp->fd.number, "activity: KVM_GET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS,
                              kvm_pointer(ret_events), err);
}

/* An INIT or a start-up IPI that was on its way has arrived after this: reading mp_state takes it. */
enum vmr_status kvm_class_activity_get(const struct kvm_vp *vp, struct vmr_x86_activity_state *ret_state,
                                       struct vmr_error *err)
{
    struct kvm_mp_state state = {0};
    struct kvm_vcpu_events events = {0};
    enum vmr_status status = read_both(vp, &state, &events, err);

    if (status)
        return status;
    *ret_state = (struct vmr_x86_activity_state){
        .activity = (uint8_t)kvm_activity_of(state.mp_state),
        .shadow = shadow_of(events.interrupt.shadow),
        .nmi_pending = events.nmi.pending != 0,
        .nmi_masked = events.nmi.masked != 0,
        .smm = vp->vm->smm && events.smi.smm,
        .smi_pending = vp->vm->smm && events.smi.pending,
        .injected = injected_of(&events),
    };
    if (events.exception.pending && !events.exception.injected)
        ret_state->pending = exception_of(&events, true);
    return VMR_OK;
}

/* --- setting --- */

static enum vmr_status refuse(struct vmr_error *err, const char *field, const char *why)
{
    return vmr_error_set(err, VMR_E_CONFIG, "activity: %s: %s", field, why);
}

static enum vmr_status check(const struct kvm_vp *vp, const struct vmr_x86_activity_state *state, struct vmr_error *err)
{
    bool has_exception = state->pending.kind == VMR_X86_EVENT_EXCEPTION;

    if (state->activity != VMR_ACTIVITY_RUNNING && vp->vm->irqchip == VMR_IRQCHIP_USER)
        return refuse(err, "activity", "without local APICs in KVM a VP runs");
    if (state->sipi_pending && vp->vm->irqchip == VMR_IRQCHIP_USER)
        return refuse(err, "sipi-pending", "there is no local APIC in KVM");
    if ((state->smm || state->smi_pending) && !vp->vm->smm)
        return refuse(err, "smm", "this KVM has no system management mode");
    if (state->pending.kind != VMR_X86_EVENT_NONE && !has_exception)
        return refuse(err, "pending.kind", "KVM keeps only exceptions pending");
    if (has_exception && state->injected.kind == VMR_X86_EVENT_EXCEPTION)
        return refuse(err, "pending.kind", "KVM holds one exception");
    if (state->pending.has_payload && !vp->vm->payloads)
        return refuse(err, "pending.has-payload", "this KVM has no payloads");
    return VMR_OK;
}

static void put_exception(const struct vmr_x86_event *event, struct kvm_vcpu_events *events)
{
    events->exception.nr = event->vector;
    events->exception.has_error_code = event->has_error;
    events->exception.error_code = event->error;
    events->exception_has_payload = event->has_payload;
    events->exception_payload = event->payload;
}

static uint32_t valid_parts(const struct kvm_vm *vm)
{
    return KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
           (vm->irqchip != VMR_IRQCHIP_USER ? KVM_VCPUEVENT_VALID_SIPI_VECTOR : 0) |
           (vm->payloads ? KVM_VCPUEVENT_VALID_PAYLOAD : 0) | (vm->smm ? KVM_VCPUEVENT_VALID_SMM : 0);
}

static struct kvm_vcpu_events events_of(const struct kvm_vm *vm, const struct vmr_x86_activity_state *state)
{
    struct kvm_vcpu_events events = {.flags = valid_parts(vm), .sipi_vector = state->sipi_vector};

    events.interrupt.shadow = kvm_shadow_of(state->shadow);
    events.nmi.pending = state->nmi_pending;
    events.nmi.masked = state->nmi_masked;
    events.smi.smm = state->smm;
    events.smi.pending = state->smi_pending;
    switch ((enum vmr_x86_event_kind)state->injected.kind) {
    case VMR_X86_EVENT_EXCEPTION:
        events.exception.injected = 1;
        put_exception(&state->injected, &events);
        break;
    case VMR_X86_EVENT_NMI:
        events.nmi.injected = 1;
        break;
    case VMR_X86_EVENT_INTERRUPT:
    case VMR_X86_EVENT_SOFT_INTERRUPT:
        events.interrupt.injected = 1;
        events.interrupt.nr = state->injected.vector;
        events.interrupt.soft = state->injected.kind == VMR_X86_EVENT_SOFT_INTERRUPT;
        break;
    case VMR_X86_EVENT_NONE:
    case VMR_X86_EVENT_KIND_COUNT:
        break;
    }
    if (state->pending.kind == VMR_X86_EVENT_EXCEPTION) {
        events.exception.pending = 1;
        put_exception(&state->pending, &events);
    }
    return events;
}

static enum vmr_status set_mp_state(const struct kvm_vp *vp, const struct vmr_x86_activity_state *state,
                                    struct vmr_error *err)
{
    struct kvm_mp_state mp_state = {.mp_state = state->sipi_pending
                                                    ? KVM_MP_STATE_SIPI_RECEIVED
                                                    : kvm_mp_state_of((enum vmr_activity)state->activity)};

    return kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_MP_STATE, kvm_pointer(&mp_state)),
                               "KVM_SET_MP_STATE", VMR_VP_ACTIVITY, "activity", err);
}

enum vmr_status kvm_class_activity_set(const struct kvm_vp *vp, const struct vmr_x86_activity_state *state,
                                       struct vmr_error *err)
{
    struct kvm_mp_state old_state = {0};
    struct kvm_vcpu_events old_events = {0}, events = events_of(vp->vm, state);
    enum vmr_status status = check(vp, state, err);

    if (!status)
        status = read_both(vp, &old_state, &old_events, err);
    if (!status)
        status = kvm_classes_refusal(kvm_host_ioctl(vp->fd.number, KVM_SET_VCPU_EVENTS, kvm_pointer(&events)),
                                     "KVM_SET_VCPU_EVENTS", VMR_VP_ACTIVITY, "events", err);
    if (status)
        return status;
    status = set_mp_state(vp, state, err);
    if (status) {
        old_events.flags = valid_parts(vp->vm);
        (void)kvm_host_ioctl(vp->fd.number, KVM_SET_VCPU_EVENTS, kvm_pointer(&old_events));
    }
    return status;
}
