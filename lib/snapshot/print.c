/* SPDX-License-Identifier: MIT */
/*
 * The tree of a VM as text and JSON: from a snapshot, or from a VM itself.
 *
 *   {"vps": n, "irqchip": ..., "memory": [...], "clock": n, "vm": {...}, "devices": {...}, "vp": [{...}, ...]}
 */

#include "lib/snapshot/snapshot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printing {
    const struct vmr_text_sink *sink;
    bool json;
    enum vmr_snapshot_scope scope; /* of the object that is open; COUNT: none */
    vmr_vp_index vp;
    bool first;  /* in the object that is open */
    void *value; /* of a living VM */
};

static void put(const struct printing *printing, const char *text)
{
    printing->sink->write(printing->sink->context, text, strlen(text));
}

VMR_PRINTF(2, 3) static void putf(const struct printing *printing, const char *format, ...)
{
    char text[192];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put(printing, text);
}

/* --- what is the same for all --- */

struct frame {
    uint32_t vp_count;
    enum vmr_irqchip irqchip;
    bool has_clock;
    uint64_t clock_ns;
};

static const char *irqchip_name(enum vmr_irqchip irqchip)
{
    return irqchip == VMR_IRQCHIP_USER ? "user" : irqchip == VMR_IRQCHIP_SPLIT ? "split" : "kernel";
}

static void print_frame(const struct printing *printing, const struct frame *frame)
{
    if (printing->json) {
        putf(printing, "{\"vps\":%u,\"irqchip\":\"%s\"", frame->vp_count, irqchip_name(frame->irqchip));
        if (frame->has_clock)
            putf(printing, ",\"clock\":%" PRIu64, frame->clock_ns);
        return;
    }
    putf(printing, "vps=%u irqchip=%s\n", frame->vp_count, irqchip_name(frame->irqchip));
    if (frame->has_clock)
        putf(printing, "clock=%" PRIu64 "\n", frame->clock_ns);
}

static void print_region(const struct printing *printing, const struct vmr_memory_region *region, bool first)
{
    if (printing->json)
        putf(printing, "%s{\"gpa\":\"%#" PRIx64 "\",\"size\":\"%#" PRIx64 "\",\"read-only\":%s,\"vtl2\":%s}",
             first ? "" : ",", region->gpa, region->size, region->read_only ? "true" : "false",
             region->vtl2 ? "true" : "false");
    else
        putf(printing, "memory gpa=%#" PRIx64 " size=%#" PRIx64 "%s%s\n", region->gpa, region->size,
             region->read_only ? " read-only" : "", region->vtl2 ? " vtl2" : "");
}

static void close_scope(struct printing *printing)
{
    if (printing->json && printing->scope != VMR_SNAPSHOT_SCOPE_COUNT)
        put(printing, "}");
}

static void open_scope(struct printing *printing, const struct vmr_snapshot_state *state)
{
    bool more_vps = printing->scope == VMR_SNAPSHOT_VP;

    if (printing->scope == state->scope && (state->scope != VMR_SNAPSHOT_VP || printing->vp == state->vp))
        return;
    close_scope(printing);
    printing->scope = state->scope;
    printing->vp = state->vp;
    printing->first = true;
    if (!printing->json)
        return;
    if (state->scope == VMR_SNAPSHOT_VP)
        put(printing, more_vps ? ",{" : ",\"vp\":[{");
    else
        put(printing, state->scope == VMR_SNAPSHOT_VM ? ",\"vm\":{" : ",\"devices\":{");
}

/* A name that no other state in its object has. */
static void print_name(const struct printing *printing, const struct vmr_snapshot_state *state)
{
    put(printing, state->type->name);
    if (state->vtl > 0)
        putf(printing, ".vtl%u", state->vtl);
    if (state->instance > 0)
        putf(printing, ".%u", state->instance);
}

static enum vmr_status print_state(void *context, const struct vmr_snapshot_state *state)
{
    struct printing *printing = context;

    open_scope(printing, state);
    if (printing->json) {
        put(printing, printing->first ? "\"" : ",\"");
        print_name(printing, state);
        put(printing, "\":");
        vmr_state_print(state->type, state->value, VMR_STATE_JSON, "", printing->sink);
    } else {
        if (state->scope == VMR_SNAPSHOT_VP)
            putf(printing, "vp %u ", state->vp);
        else
            put(printing, state->scope == VMR_SNAPSHOT_VM ? "vm " : "device ");
        print_name(printing, state);
        put(printing, "\n");
        vmr_state_print(state->type, state->value, VMR_STATE_TEXT, "  ", printing->sink);
    }
    printing->first = false;
    return VMR_OK;
}

static void print_end(struct printing *printing)
{
    bool vps = printing->scope == VMR_SNAPSHOT_VP;

    close_scope(printing);
    if (printing->json)
        put(printing, vps ? "]}\n" : "}\n");
}

/* --- a snapshot --- */

enum vmr_status vmr_snapshot_print(const struct vmr_snapshot *snapshot, enum vmr_state_format format,
                                   const struct vmr_text_sink *sink, struct vmr_error *err)
{
    struct printing printing = {.sink = sink, .json = format == VMR_STATE_JSON, .scope = VMR_SNAPSHOT_SCOPE_COUNT};
    const struct frame frame = {
        .vp_count = snapshot->info.vp_count,
        .irqchip = snapshot->info.irqchip,
        .has_clock = snapshot->info.has_clock,
        .clock_ns = snapshot->info.clock_ns,
    };

    print_frame(&printing, &frame);
    put(&printing, printing.json ? ",\"memory\":[" : "");
    for (size_t i = 0; i < snapshot->region_count; i++)
        print_region(&printing, &snapshot->regions[i], i == 0);
    put(&printing, printing.json ? "]" : "");
    enum vmr_status status = vmr_snapshot_visit(snapshot, print_state, &printing, err);

    print_end(&printing);
    return status;
}

/* --- a VM --- */

static enum vmr_status print_place(void *context, const struct state_place *place, struct vmr_error *err)
{
    struct printing *printing = context;
    struct vmr_snapshot_state state = place->state;
    enum vmr_status status = state_place_get(place, printing->value, err);

    if (status)
        return status;
    state.value = printing->value;
    return print_state(printing, &state);
}

static enum vmr_status inspect(struct printing *printing, const struct vmr_snapshot_parts *parts, struct vmr_error *err)
{
    struct vmr_memory *memory = vmr_partition_memory(parts->partition);
    const struct frame frame = {
        .vp_count = vmr_partition_vp_count(parts->partition),
        .irqchip = vmr_partition_irqchip(parts->partition),
        .has_clock = parts->clock != NULL,
        .clock_ns = parts->clock ? vmr_vm_clock_now(parts->clock) : 0,
    };
    const struct state_visitor visitor = {.visit = print_place, .context = printing};
    struct vmr_memory_region region;

    print_frame(printing, &frame);
    put(printing, printing->json ? ",\"memory\":[" : "");
    for (size_t i = 0; vmr_memory_region_get(memory, i, &region); i++)
        print_region(printing, &region, i == 0);
    put(printing, printing->json ? "]" : "");
    enum vmr_status status = states_visit_vm(parts, &visitor, err);

    for (vmr_vp_index vp = 0; vp < frame.vp_count && !status; vp++)
        status = states_visit_vp(parts, vp, false, &visitor, err);
    print_end(printing);
    return status;
}

enum vmr_status vmr_inspect(const struct vmr_snapshot_parts *parts, enum vmr_state_format format,
                            const struct vmr_text_sink *sink, struct vmr_error *err)
{
    struct printing printing = {.sink = sink,
                                .json = format == VMR_STATE_JSON,
                                .scope = VMR_SNAPSHOT_SCOPE_COUNT,
                                .value = malloc(STATE_VALUE_MAX)};
    enum vmr_status status =
        printing.value ? inspect(&printing, parts, err) : vmr_error_set(err, VMR_E_NOMEM, "inspect: out of memory");

    free(printing.value);
    return status;
}
