/* SPDX-License-Identifier: MIT */
/*
 * The tree of a VM as text and JSON: from a snapshot, or from a VM itself.
 *
 *   {"vps": n, "irqchip": ..., "clock": n, "memory": [...], "vm": {...}, "devices": {...}, "vp": [{...}, ...],
 *    "queues": [...], "timers": [...], and of a VM itself
 *    "ranges": [...], "doorbells": [...], "ports": [...], "guest-ports": [...]}
 */

#include "lib/snapshot/print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/snapshot/waiting.h"
#include "lib/snapshot/wiring.h"

void print_put(const struct printing *printing, const char *text)
{
    printing->sink->write(printing->sink->context, text, strlen(text));
}

void print_putf(const struct printing *printing, const char *format, ...)
{
    char text[192];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_put(printing, text);
}

/* --- lists of rows --- */

void print_list_begin(struct printing *printing, const char *name)
{
    if (printing->json)
        print_putf(printing, ",\"%s\":[", name);
    printing->first = true;
}

void print_list_end(struct printing *printing)
{
    print_put(printing, printing->json ? "]" : "");
}

void print_row_begin(struct printing *printing, const char *word)
{
    print_put(printing, printing->json ? printing->first ? "{" : ",{" : word);
    printing->first = true;
}

void print_row_end(struct printing *printing)
{
    print_put(printing, printing->json ? "}" : "\n");
    printing->first = false;
}

static void print_key(struct printing *printing, const char *name)
{
    if (printing->json)
        print_putf(printing, "%s\"%s\":", printing->first ? "" : ",", name);
    else
        print_putf(printing, " %s=", name);
    printing->first = false;
}

void print_number(struct printing *printing, const char *name, uint64_t value)
{
    print_key(printing, name);
    print_putf(printing, "%" PRIu64, value);
}

void print_hex(struct printing *printing, const char *name, uint64_t value)
{
    print_key(printing, name);
    print_putf(printing, printing->json ? "\"%#" PRIx64 "\"" : "%#" PRIx64, value);
}

void print_flag(struct printing *printing, const char *name, bool value)
{
    if (printing->json) {
        print_key(printing, name);
        print_put(printing, value ? "true" : "false");
    } else if (value) {
        print_putf(printing, " %s", name);
    }
}

/* RFC 8259, section 7: what JSON wants escaped is, and so is what is no ASCII, whatever it was meant to be. */
void print_string(struct printing *printing, const char *name, const char *value)
{
    print_key(printing, name);
    print_put(printing, "\"");
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '"' || byte == '\\')
            print_putf(printing, "\\%c", byte);
        else if (byte < 0x20 || byte >= 0x7f)
            print_putf(printing, "\\u%04x", byte);
        else
            print_putf(printing, "%c", byte);
    }
    print_put(printing, "\"");
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
        print_putf(printing, "{\"vps\":%u,\"irqchip\":\"%s\"", frame->vp_count, irqchip_name(frame->irqchip));
        if (frame->has_clock)
            print_putf(printing, ",\"clock\":%" PRIu64, frame->clock_ns);
        return;
    }
    print_putf(printing, "vps=%u irqchip=%s\n", frame->vp_count, irqchip_name(frame->irqchip));
    if (frame->has_clock)
        print_putf(printing, "clock=%" PRIu64 "\n", frame->clock_ns);
}

static void print_region(const struct printing *printing, const struct vmr_memory_region *region, bool first)
{
    if (printing->json)
        print_putf(printing, "%s{\"gpa\":\"%#" PRIx64 "\",\"size\":\"%#" PRIx64 "\",\"read-only\":%s,\"vtl2\":%s}",
                   first ? "" : ",", region->gpa, region->size, region->read_only ? "true" : "false",
                   region->vtl2 ? "true" : "false");
    else
        print_putf(printing, "memory gpa=%#" PRIx64 " size=%#" PRIx64 "%s%s\n", region->gpa, region->size,
                   region->read_only ? " read-only" : "", region->vtl2 ? " vtl2" : "");
}

static void close_scope(struct printing *printing)
{
    if (printing->json && printing->scope != VMR_SNAPSHOT_SCOPE_COUNT)
        print_put(printing, "}");
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
        print_put(printing, more_vps ? ",{" : ",\"vp\":[{");
    else
        print_put(printing, state->scope == VMR_SNAPSHOT_VM ? ",\"vm\":{" : ",\"devices\":{");
}

/* A name that no other state in its object has. */
static void print_name(const struct printing *printing, const struct vmr_snapshot_state *state)
{
    print_put(printing, state->type->name);
    if (state->vtl > 0)
        print_putf(printing, ".vtl%u", state->vtl);
    if (state->instance > 0)
        print_putf(printing, ".%u", state->instance);
}

static enum vmr_status print_state(void *context, const struct vmr_snapshot_state *state)
{
    struct printing *printing = context;

    open_scope(printing, state);
    if (printing->json) {
        print_put(printing, printing->first ? "\"" : ",\"");
        print_name(printing, state);
        print_put(printing, "\":");
        vmr_state_print(state->type, state->value, VMR_STATE_JSON, "", printing->sink);
    } else {
        if (state->scope == VMR_SNAPSHOT_VP)
            print_putf(printing, "vp %u ", state->vp);
        else
            print_put(printing, state->scope == VMR_SNAPSHOT_VM ? "vm " : "device ");
        print_name(printing, state);
        print_put(printing, "\n");
        vmr_state_print(state->type, state->value, VMR_STATE_TEXT, "  ", printing->sink);
    }
    printing->first = false;
    return waiting_note(printing->waiting, state) ? VMR_OK : VMR_E_NOMEM;
}

/* No more states. */
static void print_states_end(struct printing *printing)
{
    bool vps = printing->scope == VMR_SNAPSHOT_VP;

    close_scope(printing);
    printing->scope = VMR_SNAPSHOT_SCOPE_COUNT;
    if (printing->json && vps)
        print_put(printing, "]");
    waiting_print(printing->waiting, printing);
}

static void print_end(const struct printing *printing)
{
    print_put(printing, printing->json ? "}\n" : "");
}

/* --- a snapshot --- */

enum vmr_status vmr_snapshot_print(const struct vmr_snapshot *snapshot, enum vmr_state_format format,
                                   const struct vmr_text_sink *sink, struct vmr_error *err)
{
    struct waiting waiting = {0};
    struct printing printing = {
        .sink = sink, .json = format == VMR_STATE_JSON, .scope = VMR_SNAPSHOT_SCOPE_COUNT, .waiting = &waiting};
    const struct frame frame = {
        .vp_count = snapshot->info.vp_count,
        .irqchip = snapshot->info.irqchip,
        .has_clock = snapshot->info.has_clock,
        .clock_ns = snapshot->info.clock_ns,
    };

    print_frame(&printing, &frame);
    print_put(&printing, printing.json ? ",\"memory\":[" : "");
    for (size_t i = 0; i < snapshot->region_count; i++)
        print_region(&printing, &snapshot->regions[i], i == 0);
    print_put(&printing, printing.json ? "]" : "");
    enum vmr_status status = vmr_snapshot_visit(snapshot, print_state, &printing, err);

    print_states_end(&printing);
    print_end(&printing);
    waiting_finish(&waiting);
    return status == VMR_E_NOMEM ? vmr_error_set(err, status, "inspect: out of memory") : status;
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
    print_put(printing, printing->json ? ",\"memory\":[" : "");
    for (size_t i = 0; vmr_memory_region_get(memory, i, &region); i++)
        print_region(printing, &region, i == 0);
    print_put(printing, printing->json ? "]" : "");
    enum vmr_status status = states_visit_vm(parts, &visitor, err);

    for (vmr_vp_index vp = 0; vp < frame.vp_count && !status; vp++)
        status = states_visit_vp(parts, vp, false, &visitor, err);
    print_states_end(printing);
    if (!status)
        status = wiring_print(parts, printing);
    print_end(printing);
    return status == VMR_E_NOMEM ? vmr_error_set(err, status, "inspect: out of memory") : status;
}

enum vmr_status vmr_inspect(const struct vmr_snapshot_parts *parts, enum vmr_state_format format,
                            const struct vmr_text_sink *sink, struct vmr_error *err)
{
    struct waiting waiting = {0};
    struct printing printing = {.sink = sink,
                                .waiting = &waiting,
                                .json = format == VMR_STATE_JSON,
                                .scope = VMR_SNAPSHOT_SCOPE_COUNT,
                                .value = malloc(STATE_VALUE_MAX)};
    enum vmr_status status =
        printing.value ? inspect(&printing, parts, err) : vmr_error_set(err, VMR_E_NOMEM, "inspect: out of memory");

    waiting_finish(&waiting);
    free(printing.value);
    return status;
}
