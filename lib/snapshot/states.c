/* SPDX-License-Identifier: MIT */
/* States one by one: who has them, how they are reached, and the section that holds one. */

#include "lib/snapshot/states.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/reader.h"

enum vmr_status state_place_get(const struct state_place *place, void *ret_value, struct vmr_error *err)
{
    switch (place->state.scope) {
    case VMR_SNAPSHOT_VM:
        return vmr_partition_state_get(place->parts->partition, &place->id, ret_value, err);
    case VMR_SNAPSHOT_VP:
        return vmr_vp_state_get(place->handle, &place->id, ret_value, err);
    case VMR_SNAPSHOT_DEVICE:
    case VMR_SNAPSHOT_SCOPE_COUNT:
        break;
    }
    return place->unit->get(place->unit->object, ret_value, err);
}

enum vmr_status state_place_set(const struct state_place *place, const void *value, struct vmr_error *err)
{
    switch (place->state.scope) {
    case VMR_SNAPSHOT_VM:
        return vmr_partition_state_set(place->parts->partition, &place->id, value, err);
    case VMR_SNAPSHOT_VP:
        return vmr_vp_state_set(place->handle, &place->id, value, err);
    case VMR_SNAPSHOT_DEVICE:
    case VMR_SNAPSHOT_SCOPE_COUNT:
        break;
    }
    return place->unit->set(place->unit->object, value, err);
}

/* --- VM and devices --- */

static enum vmr_status visit_units(const struct vmr_snapshot_parts *parts, const struct state_visitor *visitor,
                                   struct vmr_error *err)
{
    enum vmr_status status = VMR_OK;

    for (size_t i = 0; i < parts->unit_count && !status; i++) {
        const struct vmr_state_unit *unit = &parts->units[i];
        const struct state_place place = {
            .parts = parts,
            .state = {.scope = VMR_SNAPSHOT_DEVICE, .instance = unit->instance, .type = unit->type},
            .unit = unit,
        };

        assert(unit->type->size <= STATE_VALUE_MAX);
        status = visitor->visit(visitor->context, &place, err);
    }
    return status;
}

enum vmr_status states_visit_vm(const struct vmr_snapshot_parts *parts, const struct state_visitor *visitor,
                                struct vmr_error *err)
{
    struct state_place place = {.parts = parts, .state = {.scope = VMR_SNAPSHOT_VM}};
    enum vmr_status status = VMR_OK;

    while (!status && vmr_partition_state_find(parts->partition, &place.id)) {
        place.state.vtl = place.id.vtl;
        place.state.instance = place.id.instance;
        place.state.type = vmr_vm_class_type((enum vmr_vm_class)place.id.state_class);
        assert(place.state.type->size <= STATE_VALUE_MAX);
        status = visitor->visit(visitor->context, &place, err);
        place.id.instance++;
    }
    return status ? status : visit_units(parts, visitor, err);
}

/* --- a VP --- */

struct vp_visit {
    const struct vmr_snapshot_parts *parts;
    bool flush;
    const struct state_visitor *visitor;
    struct vmr_error *err;
};

static bool tells_registers(const struct vmr_vp *vp)
{
    struct vmr_state_id id = {.state_class = VMR_VP_REGISTERS};

    return vmr_vp_state_find(vp, &id) && id.state_class == VMR_VP_REGISTERS;
}

static enum vmr_status visit_vp(void *argument, struct vmr_vp *vp)
{
    const struct vp_visit *visit = argument;
    struct state_place place = {
        .parts = visit->parts,
        .state = {.scope = VMR_SNAPSHOT_VP, .vp = vmr_vp_get_index(vp)},
        .handle = vp,
    };
    enum vmr_status status = visit->flush ? vmr_vp_flush_async_requests(vp) : VMR_OK;

    if (status)
        return vmr_error_set(visit->err, status, "VP %u: requests of other threads could not be taken in",
                             place.state.vp);
    /* A VP whose registers nobody tells cannot go on elsewhere. */
    if (!tells_registers(vp))
        return vmr_error_set(visit->err, VMR_E_UNSUPPORTED, "VP %u: its hypervisor does not give its state away",
                             place.state.vp);
    while (!status && vmr_vp_state_find(vp, &place.id)) {
        place.state.vtl = place.id.vtl;
        place.state.instance = place.id.instance;
        place.state.type = vmr_vp_class_type((enum vmr_vp_class)place.id.state_class);
        assert(place.state.type->size <= STATE_VALUE_MAX);
        status = visit->visitor->visit(visit->visitor->context, &place, visit->err);
        place.id.instance++;
    }
    return status;
}

enum vmr_status states_visit_vp(const struct vmr_snapshot_parts *parts, vmr_vp_index vp, bool flush,
                                const struct state_visitor *visitor, struct vmr_error *err)
{
    struct vp_visit argument = {.parts = parts, .flush = flush, .visitor = visitor, .err = err};
    struct vmr_error none = {0};

    if (!err)
        argument.err = &none;
    argument.err->message[0] = '\0';
    enum vmr_status status = parts->call(parts->context, vp, visit_vp, &argument);

    /* The call itself has no words. */
    if (status && argument.err->message[0] == '\0')
        return vmr_error_set(argument.err, status, "VP %u: it cannot be reached", vp);
    return status;
}

/* --- all of them --- */

static enum vmr_status pass(void *context, const struct state_place *place, struct vmr_error *err)
{
    (void)context;
    (void)place;
    (void)err;
    return VMR_OK;
}

enum vmr_status states_visit_all(const struct vmr_snapshot_parts *parts, bool flush,
                                 const struct state_visitor *visitor, struct vmr_error *err)
{
    const struct state_visitor nobody = {.visit = pass};
    uint32_t count = vmr_partition_vp_count(parts->partition);
    enum vmr_status status = visitor ? states_visit_vm(parts, visitor, err) : VMR_OK;

    for (vmr_vp_index vp = 0; vp < count && !status; vp++)
        status = states_visit_vp(parts, vp, flush, visitor ? visitor : &nobody, err);
    return status;
}

enum vmr_status states_set_clock(struct vmr_vm_clock *clock, uint64_t now_ns, struct vmr_error *err)
{
    enum vmr_status status = vmr_vm_clock_is_paused(clock) ? VMR_OK : vmr_vm_clock_pause(clock);

    if (!status)
        status = vmr_vm_clock_set(clock, now_ns);
    return status ? vmr_error_set(err, status, "snapshot: section 'clock': %" PRIu64 " ns could not be set", now_ns)
                  : VMR_OK;
}

/* --- the section: scope 1, length of the name 1, version 2, VP 4, VTL 4, instance 4, the name, the value --- */

void state_section_encode(struct writer *writer, const struct vmr_snapshot_state *state)
{
    size_t name_length = strlen(state->type->name);
    size_t length = vmr_state_encode(state->type, state->value, NULL, 0);
    uint8_t *bytes = malloc(length > 0 ? length : 1);

    assert(name_length > 0 && name_length <= STATE_NAME_MAX);
    if (!bytes) {
        writer_fail(writer);
        return;
    }
    (void)vmr_state_encode(state->type, state->value, bytes, length);
    writer_u8(writer, (uint8_t)state->scope);
    writer_u8(writer, (uint8_t)name_length);
    writer_le16(writer, state->type->version);
    writer_le32(writer, state->vp);
    writer_le32(writer, state->vtl);
    writer_le32(writer, state->instance);
    writer_copy(writer, state->type->name, name_length);
    writer_copy(writer, bytes, length);
    free(bytes);
}

static bool is_name(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return length > 0;
}

bool state_section_decode(const uint8_t *bytes, size_t length, struct state_section *ret_section)
{
    struct state_section section = {.scope = VMR_SNAPSHOT_SCOPE_COUNT};
    struct reader reader;

    reader_init(&reader, bytes, length);
    unsigned scope = reader_u8(&reader);
    size_t name_length = reader_u8(&reader);

    section.version = reader_le16(&reader);
    section.vp = reader_le32(&reader);
    section.vtl = reader_le32(&reader);
    section.instance = reader_le32(&reader);
    if (name_length > STATE_NAME_MAX || scope >= VMR_SNAPSHOT_SCOPE_COUNT)
        return false;
    reader_copy(&reader, section.name, name_length);
    section.scope = (enum vmr_snapshot_scope)scope;
    section.length = reader_left(&reader);
    section.bytes = reader_view(&reader, section.length);
    if (!reader_ok(&reader) || !is_name(section.name, name_length))
        return false;
    *ret_section = section;
    return true;
}

const struct vmr_state_type *state_type_find(enum vmr_snapshot_scope scope, const char *name)
{
    switch (scope) {
    case VMR_SNAPSHOT_VM:
        return vmr_vm_class_type(vmr_vm_class_find(name));
    case VMR_SNAPSHOT_VP:
        return vmr_vp_class_type(vmr_vp_class_find(name));
    case VMR_SNAPSHOT_DEVICE:
        return vmr_device_state_type_find(name);
    case VMR_SNAPSHOT_SCOPE_COUNT:
        break;
    }
    return NULL;
}

const char *state_title(enum vmr_snapshot_scope scope, vmr_vp_index vp, uint32_t vtl, uint32_t instance,
                        const char *name, char buffer[STATE_TITLE_MAX])
{
    char who[32] = "vm", which[48] = "";

    if (scope == VMR_SNAPSHOT_DEVICE)
        (void)snprintf(who, sizeof(who), "device");
    else if (scope == VMR_SNAPSHOT_VP)
        (void)snprintf(who, sizeof(who), "vp %u", vp);
    if (vtl > 0 && instance > 0)
        (void)snprintf(which, sizeof(which), " vtl %u number %u", vtl, instance);
    else if (vtl > 0)
        (void)snprintf(which, sizeof(which), " vtl %u", vtl);
    else if (instance > 0)
        (void)snprintf(which, sizeof(which), " number %u", instance);
    (void)snprintf(buffer, STATE_TITLE_MAX, "%s '%s'%s", who, name, which);
    return buffer;
}
