/* SPDX-License-Identifier: MIT */
/*
 * The frame of a record (tag, VP, length) and its payload: fields as varints,
 * then what the kind has besides. The decoder refuses every encoding that the
 * encoder would not have chosen.
 */

#include "lib/trace/codec.h"

#include <stdlib.h>
#include <string.h>

#include "lib/exit/exit_codec.h"
#include "lib/exit/x86_regs.h"

#define TAG_KIND 0x3fu
#define TAG_VP 0x40u
#define TAG_OPTIONAL 0x80u

/* One byte of length holds nearly every record; longer ones are moved up afterwards. */
#define LENGTH_SHORT_MAX 0x7fu
#define VARINT_BYTES_MAX 10u

_Static_assert(TRACE_KIND_COUNT <= TRACE_KIND_MAX + 1, "a kind has six bits in the tag");

/* --- state --- */

struct trace_vp_regs {
    uint64_t generation;
    struct vmr_x86_regs regs;
};

void trace_regs_init(struct trace_regs_table *table)
{
    *table = (struct trace_regs_table){.generation = 1};
}

void trace_regs_finish(struct trace_regs_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->vps[i]);
    free(table->vps);
    *table = (struct trace_regs_table){0};
}

void trace_regs_reset(struct trace_regs_table *table)
{
    table->generation++;
}

static bool grow_table(struct trace_regs_table *table, uint32_t vp)
{
    size_t count = (size_t)vp + 1;
    struct trace_vp_regs **vps = realloc(table->vps, count * sizeof(struct trace_vp_regs *));

    if (!vps)
        return false;
    for (size_t i = table->count; i < count; i++)
        vps[i] = NULL;
    table->vps = vps;
    table->count = count;
    return true;
}

struct vmr_x86_regs *trace_regs_of(struct trace_regs_table *table, uint32_t vp)
{
    if (vp >= VMR_VP_COUNT_MAX || (vp >= table->count && !grow_table(table, vp)))
        return NULL;
    if (!table->vps[vp])
        table->vps[vp] = calloc(1, sizeof(struct trace_vp_regs));
    struct trace_vp_regs *known = table->vps[vp];

    if (!known)
        return NULL;
    if (known->generation != table->generation) {
        memset(&known->regs, 0, sizeof(known->regs));
        known->generation = table->generation;
    }
    return &known->regs;
}

void trace_state_init(struct trace_state *state)
{
    memset(state, 0, sizeof(*state));
    trace_regs_init(&state->regs);
    state->last_vp = TRACE_NO_VP;
}

void trace_state_finish(struct trace_state *state)
{
    trace_regs_finish(&state->regs);
}

void trace_state_reset(struct trace_state *state)
{
    state->last_vp = TRACE_NO_VP;
    state->last_time = 0;
    trace_regs_reset(&state->regs);
}

/* --- registers --- */

static bool put_regs(struct trace_state *state, struct writer *writer, const struct trace_record *record)
{
    struct vmr_x86_regs *known = trace_regs_of(&state->regs, record->vp);
    uint64_t changed = 0;

    if (!known)
        return false;
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        if (x86_reg_get(record->regs, i) != x86_reg_get(known, i))
            changed |= UINT64_C(1) << i;
    }
    writer_varint(writer, changed);
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        if (changed >> i & 1)
            writer_svarint(writer, (int64_t)(x86_reg_get(record->regs, i) - x86_reg_get(known, i)));
    }
    *known = *record->regs;
    return true;
}

static enum trace_decode_result get_regs(struct trace_state *state, struct reader *reader, struct trace_record *record)
{
    struct vmr_x86_regs *known = trace_regs_of(&state->regs, record->vp);
    uint64_t wire_changed = reader_varint(reader);

    if (record->vp >= VMR_VP_COUNT_MAX)
        return TRACE_DECODE_BAD;
    if (!known)
        return TRACE_DECODE_NOMEM;
    if (x86_reg_count() < 64 && wire_changed >> x86_reg_count() != 0)
        return TRACE_DECODE_BAD;
    for (unsigned i = 0; i < x86_reg_count(); i++) {
        if (!(wire_changed >> i & 1))
            continue;
        uint64_t wire_difference = (uint64_t)reader_svarint(reader);

        if (wire_difference == 0 || !x86_reg_set(known, i, x86_reg_get(known, i) + wire_difference))
            return TRACE_DECODE_BAD;
    }
    record->regs = known;
    return TRACE_DECODE_OK;
}

/* --- payload --- */

static void put_fields(struct trace_state *state, struct writer *writer, const struct trace_record *record,
                       const struct trace_kind_info *info)
{
    for (size_t i = 0; i < info->field_count; i++) {
        if (record->value[i] > info->fields[i].max) {
            writer_fail(writer);
        } else if (info->fields[i].type == TRACE_DELTA) {
            writer_varint(writer, record->value[i] - state->last_time);
            state->last_time = record->value[i];
        } else {
            writer_varint(writer, record->value[i]);
        }
    }
}

static bool get_fields(struct trace_state *state, struct reader *reader, struct trace_record *record,
                       const struct trace_kind_info *info)
{
    for (size_t i = 0; i < info->field_count; i++) {
        uint64_t wire_value = reader_varint(reader);

        if (!reader_ok(reader) || (info->fields[i].type != TRACE_DELTA && wire_value > info->fields[i].max))
            return false;
        if (info->fields[i].type == TRACE_DELTA) {
            wire_value += state->last_time;
            state->last_time = wire_value;
        }
        record->value[i] = wire_value;
    }
    return true;
}

static bool name_is_printable(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
            return false;
    }
    return true;
}

static bool put_payload(struct trace_state *state, struct writer *writer, const struct trace_record *record)
{
    const struct trace_kind_info *info = trace_kind_info(record->kind);

    if (!info) {
        writer_copy(writer, record->bytes, record->length);
        return record->optional;
    }
    put_fields(state, writer, record, info);
    switch (info->extra) {
    case TRACE_EXTRA_NONE:
        return true;
    case TRACE_EXTRA_NAME:
    case TRACE_EXTRA_BYTES:
        writer_copy(writer, record->bytes, record->length);
        return record->length <= info->bytes_max &&
               (info->extra == TRACE_EXTRA_BYTES || name_is_printable(record->bytes, record->length));
    case TRACE_EXTRA_REGS:
        return record->regs && put_regs(state, writer, record);
    case TRACE_EXTRA_EXIT:
    case TRACE_EXTRA_EXIT_OR_NONE:
        if (!record->vp_exit)
            return false;
        if (record->vp_exit->kind == VMR_EXIT_NONE)
            return info->extra == TRACE_EXTRA_EXIT_OR_NONE;
        exit_encode(writer, record->vp_exit, EXIT_INPUTS);
        return true;
    }
    return false;
}

static enum trace_decode_result get_exit(struct trace_state *state, struct reader *reader, struct trace_record *record,
                                         bool may_be_none)
{
    record->vp_exit = &state->vp_exit;
    if (may_be_none && reader_left(reader) == 0) {
        memset(&state->vp_exit, 0, sizeof(state->vp_exit));
        return TRACE_DECODE_OK;
    }
    if (!exit_decode(reader, &state->vp_exit, state->string, EXIT_INPUTS))
        return TRACE_DECODE_BAD;
    return state->vp_exit.kind == VMR_EXIT_NONE ? TRACE_DECODE_BAD : TRACE_DECODE_OK;
}

static enum trace_decode_result get_payload(struct trace_state *state, struct reader *reader,
                                            struct trace_record *record)
{
    const struct trace_kind_info *info = trace_kind_info(record->kind);

    if (!info) {
        record->length = reader_left(reader);
        record->bytes = reader_view(reader, record->length);
        return TRACE_DECODE_OK;
    }
    if (!get_fields(state, reader, record, info))
        return TRACE_DECODE_BAD;
    switch (info->extra) {
    case TRACE_EXTRA_NONE:
        return TRACE_DECODE_OK;
    case TRACE_EXTRA_NAME:
    case TRACE_EXTRA_BYTES:
        record->length = reader_left(reader);
        record->bytes = reader_view(reader, record->length);
        if (record->length > info->bytes_max ||
            (info->extra == TRACE_EXTRA_NAME && !name_is_printable(record->bytes, record->length)))
            return TRACE_DECODE_BAD;
        return TRACE_DECODE_OK;
    case TRACE_EXTRA_REGS:
        return get_regs(state, reader, record);
    case TRACE_EXTRA_EXIT:
        return get_exit(state, reader, record, false);
    case TRACE_EXTRA_EXIT_OR_NONE:
        return get_exit(state, reader, record, true);
    }
    return TRACE_DECODE_BAD;
}

/* --- frame --- */

/* The payload was written one byte behind `start`; gives it a longer length if it needs one. */
static void put_length(struct writer *writer, size_t start)
{
    if (writer->failed)
        return;
    size_t length = writer->length - start - 1;
    size_t more = length <= LENGTH_SHORT_MAX ? 0 : length < 1u << 14 ? 1 : 2;

    /* Room at the end; the bytes themselves do not matter. */
    for (size_t i = 0; i < more; i++)
        writer_u8(writer, 0);
    if (writer->failed)
        return;
    uint8_t *place = writer->bytes + start;

    memmove(place + 1 + more, place + 1, length);
    for (size_t i = 0; i <= more; i++)
        place[i] = (uint8_t)(length >> (7 * i) | (i < more ? 0x80u : 0));
    place[more] = (uint8_t)(length >> (7 * more));
}

bool trace_encode(struct trace_state *state, struct writer *writer, const struct trace_record *record)
{
    size_t before = writer->length;
    bool same_vp = record->vp == state->last_vp;
    bool optional = record->optional || trace_kind_is_optional(record->kind);
    unsigned tag = record->kind | (same_vp ? 0 : TAG_VP) | (optional ? TAG_OPTIONAL : 0);

    writer_u8(writer, (uint8_t)tag);
    if (!same_vp)
        writer_varint(writer, record->vp == TRACE_NO_VP ? 0 : (uint64_t)record->vp + 1);
    state->last_vp = record->vp;
    size_t start = writer->length;

    writer_u8(writer, 0);
    bool valid = (record->vp == TRACE_NO_VP || record->vp < VMR_VP_COUNT_MAX) && put_payload(state, writer, record);

    put_length(writer, start);
    if (valid && writer_ok(writer))
        return true;
    writer->length = before;
    writer->failed = false;
    return false;
}

struct frame {
    uint8_t tag;
    const uint8_t *payload;
    size_t length;
};

static bool get_frame(struct reader *reader, uint32_t *last_vp, struct frame *ret_frame)
{
    uint8_t wire_tag = reader_u8(reader);

    if (wire_tag & TAG_VP) {
        uint64_t wire_vp = reader_varint(reader);
        uint32_t vp = wire_vp == 0 ? TRACE_NO_VP : (uint32_t)(wire_vp - 1);

        if (wire_vp > VMR_VP_COUNT_MAX || vp == *last_vp)
            return false;
        *last_vp = vp;
    }
    uint64_t wire_length = reader_varint(reader);

    if (!reader_ok(reader) || wire_length > reader_left(reader))
        return false;
    *ret_frame = (struct frame){.tag = wire_tag, .length = (size_t)wire_length};
    ret_frame->payload = reader_view(reader, ret_frame->length);
    return true;
}

enum trace_decode_result trace_decode(struct trace_state *state, struct reader *reader, struct trace_record *ret_record)
{
    struct frame frame;
    struct reader payload;

    if (!get_frame(reader, &state->last_vp, &frame))
        return TRACE_DECODE_BAD;
    struct trace_record record = {.kind = frame.tag & TAG_KIND, .vp = state->last_vp};

    record.optional = (frame.tag & TAG_OPTIONAL) != 0;
    if (!trace_kind_info(record.kind) && !record.optional)
        return TRACE_DECODE_UNKNOWN;
    if (trace_kind_info(record.kind) && record.optional != trace_kind_is_optional(record.kind))
        return TRACE_DECODE_BAD;
    reader_init(&payload, frame.payload, frame.length);
    enum trace_decode_result result = get_payload(state, &payload, &record);

    if (result == TRACE_DECODE_OK && (!reader_ok(&payload) || reader_left(&payload) > 0))
        result = TRACE_DECODE_BAD;
    if (result == TRACE_DECODE_OK)
        *ret_record = record;
    return result;
}

bool trace_skim(struct reader *reader, uint32_t *last_vp, unsigned *ret_kind, uint8_t *ret_first)
{
    struct frame frame;

    if (!get_frame(reader, last_vp, &frame))
        return false;
    *ret_kind = frame.tag & TAG_KIND;
    *ret_first = frame.length > 0 ? frame.payload[0] : 0;
    return true;
}
