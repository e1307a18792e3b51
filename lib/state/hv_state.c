/* SPDX-License-Identifier: MIT */
/* The classes of the Hyper-V guest interface: names and fields (vmrig/hv_state.h). */

#include "lib/state/hv_state.h"

#include <stddef.h>

#include "lib/state/x86_registers.h"
#include "vmrig/hv_state.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* --- of a VP --- */

#define VP_VTLS(member, name, kind) VMR_STATE_FIELD(struct vmr_hv_vp_vtls_state, member, name, kind)
#define INITIAL(member, name) VMR_STATE_EACH(struct vmr_hv_vp_vtls_state, initial, member, name, VMR_FIELD_HEX)
#define INITIAL_REG(member, name) INITIAL(regs.member, name)
static const struct vmr_state_field vp_vtls_fields[] = {
    VP_VTLS(active, "active", VMR_FIELD_DECIMAL),
    VP_VTLS(enabled, "enabled", VMR_FIELD_HEX),
    VP_VTLS(entered, "entered", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_hv_vp_vtls_state, vectors, "vectors", VMR_FIELD_HEX),
    X86_REGISTER_FIELDS(INITIAL_REG, "initial."),
    INITIAL(pat, "initial.pat"),
};

static const struct vmr_state_field assist_fields[] = {
    VMR_STATE_FIELD(struct vmr_hv_assist_state, value, "value", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_hv_assist_state, content, "content", VMR_FIELD_BYTES),
};

static const struct vmr_state_field crash_fields[] = {
    VMR_STATE_ARRAY(struct vmr_hv_crash_state, parameters, "parameters", VMR_FIELD_HEX),
};

#define SYNIC(member, name) VMR_STATE_FIELD(struct vmr_hv_synic_state, member, name, VMR_FIELD_HEX)
static const struct vmr_state_field synic_fields[] = {
    SYNIC(scontrol, "scontrol"),
    SYNIC(siefp, "siefp"),
    SYNIC(simp, "simp"),
    VMR_STATE_ARRAY(struct vmr_hv_synic_state, sints, "sints", VMR_FIELD_HEX),
};

static const struct vmr_state_field page_fields[] = {
    VMR_STATE_ARRAY(struct vmr_hv_page_state, content, "content", VMR_FIELD_BYTES),
};

static const struct vmr_state_field queue_fields[] = {
    VMR_STATE_FIELD(struct vmr_hv_queue_state, count, "count", VMR_FIELD_DECIMAL),
    {.name = "messages",
     .offset = offsetof(struct vmr_hv_queue_state, messages),
     .count = VMR_SYNIC_QUEUE_MAX * HV_MESSAGE_BYTES,
     .stride = 1,
     .width = 1,
     .kind = VMR_FIELD_BYTES,
     .used_by = 1,
     .group = HV_MESSAGE_BYTES},
};

#define TIMER(member, name, kind) VMR_STATE_EACH(struct vmr_hv_stimers_state, timers, member, name, kind)
static const struct vmr_state_field stimers_fields[] = {
    TIMER(config, "timer.config", VMR_FIELD_HEX),    TIMER(count, "timer.count", VMR_FIELD_DECIMAL),
    TIMER(due, "timer.due", VMR_FIELD_DECIMAL),      TIMER(changed, "timer.changed", VMR_FIELD_FLAG),
    TIMER(stalled, "timer.stalled", VMR_FIELD_FLAG),
};

/* --- of a partition --- */

static const struct vmr_state_field hypercall_fields[] = {
    VMR_STATE_ARRAY(struct vmr_hv_hypercall_state, os_id, "os-id", VMR_FIELD_HEX),
    VMR_STATE_ARRAY(struct vmr_hv_hypercall_state, hypercall, "hypercall", VMR_FIELD_HEX),
};

static const struct vmr_state_field time_fields[] = {
    {.name = "count",
     .offset = offsetof(struct vmr_hv_time_state, count),
     .count = 1,
     .stride = 8,
     .width = 8,
     .kind = VMR_FIELD_DECIMAL,
     .moves = true},
};

static const struct vmr_state_field tsc_fields[] = {
    VMR_STATE_FIELD(struct vmr_hv_tsc_state, value, "value", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_hv_tsc_state, sequence, "sequence", VMR_FIELD_DECIMAL),
    VMR_STATE_ARRAY(struct vmr_hv_tsc_state, content, "content", VMR_FIELD_BYTES),
};

static const struct vmr_state_field vtls_fields[] = {
    VMR_STATE_FIELD(struct vmr_hv_vtls_state, enabled, "enabled", VMR_FIELD_HEX),
    VMR_STATE_FIELD(struct vmr_hv_vtls_state, late, "late", VMR_FIELD_FLAG),
};

static const struct vmr_state_field pages_fields[] = {
    VMR_STATE_ARRAY(struct vmr_hv_pages_state, flags, "flags", VMR_FIELD_HEX),
};

static const struct vmr_state_field monitor_fields[] = {
    VMR_STATE_FIELD(struct vmr_hv_monitor_state, has_page, "has-page", VMR_FIELD_FLAG),
    VMR_STATE_FIELD(struct vmr_hv_monitor_state, allocated, "allocated", VMR_FIELD_FLAG),
    VMR_STATE_FIELD(struct vmr_hv_monitor_state, gpa, "gpa", VMR_FIELD_HEX),
};

#define DEVICE(member, name, kind) VMR_STATE_FIELD(struct vmr_hv_device_interrupt_state, member, name, kind)
static const struct vmr_state_field device_interrupt_fields[] = {
    DEVICE(device_id, "device-id", VMR_FIELD_HEX),
    DEVICE(vector, "vector", VMR_FIELD_HEX),
    DEVICE(multicast, "multicast", VMR_FIELD_FLAG),
    VMR_STATE_ARRAY(struct vmr_hv_device_interrupt_state, vps, "vps", VMR_FIELD_HEX),
};

/* --- classes --- */

#define TYPE(name_, struct_, fields_)                                                                                  \
    {                                                                                                                  \
        .name = (name_), .version = 1, .size = sizeof(struct_), .field_count = COUNT(fields_), .fields = (fields_)     \
    }
#define VP_CLASS(class_) [(class_)-VMR_VP_ASSIST]
#define VM_CLASS(class_) [(class_)-VMR_VM_HYPERCALL]

static const struct vmr_state_type vp_vtls = TYPE("vtls", struct vmr_hv_vp_vtls_state, vp_vtls_fields);

static const struct vmr_state_type vp_types[] = {
    VP_CLASS(VMR_VP_ASSIST) = TYPE("assist", struct vmr_hv_assist_state, assist_fields),
    VP_CLASS(VMR_VP_CRASH) = TYPE("crash", struct vmr_hv_crash_state, crash_fields),
    VP_CLASS(VMR_VP_SYNIC) = TYPE("synic", struct vmr_hv_synic_state, synic_fields),
    VP_CLASS(VMR_VP_SIMP) = TYPE("simp", struct vmr_hv_page_state, page_fields),
    VP_CLASS(VMR_VP_SIEFP) = TYPE("siefp", struct vmr_hv_page_state, page_fields),
    VP_CLASS(VMR_VP_MESSAGE_QUEUE) = TYPE("message-queue", struct vmr_hv_queue_state, queue_fields),
    VP_CLASS(VMR_VP_STIMERS) = TYPE("stimers", struct vmr_hv_stimers_state, stimers_fields),
};

static const struct vmr_state_type vm_types[] = {
    VM_CLASS(VMR_VM_HYPERCALL) = TYPE("hypercall", struct vmr_hv_hypercall_state, hypercall_fields),
    VM_CLASS(VMR_VM_REFERENCE_TIME) = TYPE("reference-time", struct vmr_hv_time_state, time_fields),
    VM_CLASS(VMR_VM_REFERENCE_TSC) = TYPE("reference-tsc", struct vmr_hv_tsc_state, tsc_fields),
    VM_CLASS(VMR_VM_VTLS) = TYPE("vtls", struct vmr_hv_vtls_state, vtls_fields),
    VM_CLASS(VMR_VM_VTL_PAGES) = TYPE("vtl-pages", struct vmr_hv_pages_state, pages_fields),
    VM_CLASS(VMR_VM_MONITOR) = TYPE("monitor", struct vmr_hv_monitor_state, monitor_fields),
    VM_CLASS(VMR_VM_DEVICE_INTERRUPT) =
        TYPE("device-interrupt", struct vmr_hv_device_interrupt_state, device_interrupt_fields),
};

_Static_assert(COUNT(vp_types) == VMR_VP_CLASS_COUNT - VMR_VP_ASSIST, "one type a class");
_Static_assert(COUNT(vm_types) == VMR_VM_CLASS_COUNT - VMR_VM_HYPERCALL, "one type a class");

const struct vmr_state_type *hv_vp_class_type(enum vmr_vp_class vp_class)
{
    return vp_class == VMR_VP_VTLS ? &vp_vtls : &vp_types[vp_class - VMR_VP_ASSIST];
}

const struct vmr_state_type *hv_vm_class_type(enum vmr_vm_class vm_class)
{
    return &vm_types[vm_class - VMR_VM_HYPERCALL];
}
