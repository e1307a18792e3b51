/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Every state of a VM, one by one, in the order in which they are saved and
 * set: the partition's classes, devices, then each VP's classes on its thread.
 */

#include "lib/base/writer.h"
#include "vmrig/snapshot.h"

/* No class or device has a larger struct. */
#define STATE_VALUE_MAX 0x80000u
#define STATE_NAME_MAX 63u

/* A state, and what reaches it. */
struct state_place {
    const struct vmr_snapshot_parts *parts;
    struct vmr_snapshot_state state; /* value: NULL */
    struct vmr_state_id id;          /* of VM and VPs */
    const struct vmr_state_unit *unit;
    struct vmr_vp *handle; /* of VPs, on their thread */
};

enum vmr_status state_place_get(const struct state_place *place, void *ret_value, struct vmr_error *err);
enum vmr_status state_place_set(const struct state_place *place, const void *value, struct vmr_error *err);

/* Called with each state. */
struct state_visitor {
    enum vmr_status (*visit)(void *context, const struct state_place *place, struct vmr_error *err);
    void *context;
};

/* VM and devices: on the caller's thread. Stops at the first status that is not VMR_OK, and returns it. */
enum vmr_status states_visit_vm(const struct vmr_snapshot_parts *parts, const struct state_visitor *visitor,
                                struct vmr_error *err);
/* The same of one VP, on its thread. `flush`: with what other threads queued taken in first. */
enum vmr_status states_visit_vp(const struct vmr_snapshot_parts *parts, vmr_vp_index vp, bool flush,
                                const struct state_visitor *visitor, struct vmr_error *err);

/* VM, devices, then each VP; stops likewise. `flush` as above, `visitor` NULL: nothing else is done. */
enum vmr_status states_visit_all(const struct vmr_snapshot_parts *parts, bool flush,
                                 const struct state_visitor *visitor, struct vmr_error *err);

/* Time stands still from here on, until somebody resumes the clock. To be set before anything that goes by it.
 * [CLK-1] */
enum vmr_status states_set_clock(struct vmr_vm_clock *clock, uint64_t now_ns, struct vmr_error *err);

/* --- the section --- */

/* What a state section says before the value's bytes. */
struct state_section {
    enum vmr_snapshot_scope scope;
    vmr_vp_index vp;
    uint32_t vtl, instance;
    uint16_t version;
    char name[STATE_NAME_MAX + 1];
    const uint8_t *bytes; /* of the value; in the section */
    size_t length;
};

void state_section_encode(struct writer *writer, const struct vmr_snapshot_state *state);
/* False: it is malformed. */
bool state_section_decode(const uint8_t *bytes, size_t length, struct state_section *ret_section);

/* The type of a name that this library knows; NULL: none. */
const struct vmr_state_type *state_type_find(enum vmr_snapshot_scope scope, const char *name);
/* "vp 3 vtl 1 'apic'", for messages. Returns `buffer`. */
#define STATE_TITLE_MAX 128u
const char *state_title(enum vmr_snapshot_scope scope, vmr_vp_index vp, uint32_t vtl, uint32_t instance,
                        const char *name, char buffer[STATE_TITLE_MAX]);
