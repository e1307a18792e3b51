/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an exit. A tag byte holds the kind and the exit's shape; a
 * second byte follows only when something rare is not zero; then come the
 * fields of the kind that exit_fields.c lists and the tag does not hold, as
 * varints.
 *
 *   tag    bits 0-3 kind, 4 flag, 5-6 code, 7 an extra byte follows
 *   extra  bit 0 interrupt_ready, 1 native_reason, 2 vtl, 3 tpr follow, 4 wide
 *
 * `flag`, `code` and `wide` mean what shape_of says. The decoder computes the
 * shape of what it got and refuses any other: one exit, one encoding. [TRC-3]
 */

#include "lib/exit/exit_codec.h"

#include <string.h>

#include "lib/base/field.h"
#include "lib/exit/exit_fields.h"

#define TAG_KIND 0x0fu
#define TAG_FLAG 0x10u
#define TAG_CODE_SHIFT 5u
#define TAG_EXTRA 0x80u

#define EXTRA_READY 0x01u
#define EXTRA_NATIVE 0x02u
#define EXTRA_VTL 0x04u
#define EXTRA_TPR 0x08u
#define EXTRA_WIDE 0x10u
#define EXTRA_KNOWN 0x1fu

_Static_assert(VMR_EXIT_KIND_COUNT <= TAG_KIND + 1, "a kind has four bits in the tag");
_Static_assert(VMR_SYSTEM_EVENT_COUNT <= 4 && VMR_VTL_COUNT <= 4, "an event or a VTL has two bits in the tag");

/* MMIO sizes by code; the second row, parts of page-crossing accesses, is wide. */
static const uint8_t mmio_sizes[8] = {1, 2, 4, 8, 3, 5, 6, 7};

struct shape {
    uint8_t flag;
    uint8_t code;
    uint8_t wide;
};

static struct shape shape_of_io(const struct vmr_exit_io *io)
{
    return (struct shape){.flag = io->direction, .code = io->size / 2, .wide = io->string};
}

static struct shape shape_of_mmio(const struct vmr_exit_mmio *mmio)
{
    uint8_t index = 0;

    while (mmio_sizes[index] != mmio->size)
        index++; /* a valid size is in the table */
    return (struct shape){.flag = mmio->direction, .code = index % 4, .wide = index / 4};
}

/* `vp_exit` is valid. */
static struct shape shape_of(const struct vmr_exit *vp_exit)
{
    switch ((enum vmr_exit_kind)vp_exit->kind) {
    case VMR_EXIT_IO:
        return shape_of_io(&vp_exit->u.io);
    case VMR_EXIT_MMIO:
        return shape_of_mmio(&vp_exit->u.mmio);
    case VMR_EXIT_MSR:
        return (struct shape){.flag = vp_exit->u.msr.direction};
    case VMR_EXIT_HYPERCALL:
        return (struct shape){.flag = vp_exit->u.hypercall.long_mode};
    case VMR_EXIT_DEBUG:
        return (struct shape){.flag = vp_exit->u.debug.single_step, .code = vp_exit->u.debug.breakpoint};
    case VMR_EXIT_SHUTDOWN:
        return (struct shape){.code = vp_exit->u.shutdown.vtl};
    case VMR_EXIT_SYSTEM_EVENT:
        return (struct shape){.code = vp_exit->u.system_event.event};
    case VMR_EXIT_NONE:
    case VMR_EXIT_CPUID:
    case VMR_EXIT_HALT:
    case VMR_EXIT_IRQ_WINDOW:
    case VMR_EXIT_EOI:
    case VMR_EXIT_CANCEL:
    case VMR_EXIT_MEMORY_FAULT:
    case VMR_EXIT_FAIL:
    case VMR_EXIT_KIND_COUNT:
        break;
    }
    return (struct shape){0};
}

/* The inverse, into a zeroed exit with its kind set; `wire_shape` is in range but may not fit the kind. */
static void set_shape(struct vmr_exit *vp_exit, struct shape wire_shape)
{
    switch ((enum vmr_exit_kind)vp_exit->kind) {
    case VMR_EXIT_IO:
        vp_exit->u.io.direction = wire_shape.flag;
        vp_exit->u.io.size = (uint8_t)(1u << wire_shape.code);
        vp_exit->u.io.string = wire_shape.wide != 0;
        vp_exit->u.io.count = 1;
        break;
    case VMR_EXIT_MMIO:
        vp_exit->u.mmio.direction = wire_shape.flag;
        vp_exit->u.mmio.size = mmio_sizes[wire_shape.code + 4 * wire_shape.wide];
        break;
    case VMR_EXIT_MSR:
        vp_exit->u.msr.direction = wire_shape.flag;
        break;
    case VMR_EXIT_HYPERCALL:
        vp_exit->u.hypercall.long_mode = wire_shape.flag != 0;
        break;
    case VMR_EXIT_DEBUG:
        vp_exit->u.debug.single_step = wire_shape.flag != 0;
        vp_exit->u.debug.breakpoint = wire_shape.code;
        break;
    case VMR_EXIT_SHUTDOWN:
        vp_exit->u.shutdown.vtl = wire_shape.code;
        break;
    case VMR_EXIT_SYSTEM_EVENT:
        vp_exit->u.system_event.event = wire_shape.code;
        break;
    case VMR_EXIT_NONE:
    case VMR_EXIT_CPUID:
    case VMR_EXIT_HALT:
    case VMR_EXIT_IRQ_WINDOW:
    case VMR_EXIT_EOI:
    case VMR_EXIT_CANCEL:
    case VMR_EXIT_MEMORY_FAULT:
    case VMR_EXIT_FAIL:
    case VMR_EXIT_KIND_COUNT:
        break;
    }
}

/* --- the tag --- */

static void put_tag(struct writer *writer, const struct vmr_exit *vp_exit)
{
    struct shape shape = shape_of(vp_exit);
    unsigned extra = (vp_exit->interrupt_ready ? EXTRA_READY : 0) | (vp_exit->native_reason ? EXTRA_NATIVE : 0) |
                     (vp_exit->vtl ? EXTRA_VTL : 0) | (vp_exit->tpr ? EXTRA_TPR : 0) | (shape.wide ? EXTRA_WIDE : 0);
    unsigned tag = vp_exit->kind | (shape.flag ? TAG_FLAG : 0) | (unsigned)shape.code << TAG_CODE_SHIFT;

    writer_u8(writer, (uint8_t)(tag | (extra ? TAG_EXTRA : 0)));
    if (!extra)
        return;
    writer_u8(writer, (uint8_t)extra);
    if (extra & EXTRA_NATIVE)
        writer_varint(writer, vp_exit->native_reason);
    if (extra & EXTRA_VTL)
        writer_u8(writer, vp_exit->vtl);
    if (extra & EXTRA_TPR)
        writer_u8(writer, vp_exit->tpr);
}

static uint32_t wire_native(struct reader *reader)
{
    uint64_t wire_value = reader_varint(reader);

    if (wire_value > UINT32_MAX)
        reader_fail(reader);
    return (uint32_t)wire_value;
}

/* Refuses what put_tag would not have written: an empty extra byte, a field announced and zero. */
static struct shape get_tag(struct reader *reader, struct vmr_exit *vp_exit)
{
    uint8_t wire_tag = reader_u8(reader);
    uint8_t wire_extra = wire_tag & TAG_EXTRA ? reader_u8(reader) : 0;

    vp_exit->kind = wire_tag & TAG_KIND;
    vp_exit->interrupt_ready = (wire_extra & EXTRA_READY) != 0;
    if (wire_extra & EXTRA_NATIVE)
        vp_exit->native_reason = wire_native(reader);
    if (wire_extra & EXTRA_VTL)
        vp_exit->vtl = reader_u8(reader);
    if (wire_extra & EXTRA_TPR)
        vp_exit->tpr = reader_u8(reader);
    if ((wire_tag & TAG_EXTRA && wire_extra == 0) || wire_extra & ~EXTRA_KNOWN ||
        (vp_exit->native_reason != 0) != ((wire_extra & EXTRA_NATIVE) != 0) ||
        (vp_exit->vtl != 0) != ((wire_extra & EXTRA_VTL) != 0) ||
        (vp_exit->tpr != 0) != ((wire_extra & EXTRA_TPR) != 0))
        reader_fail(reader);
    return (struct shape){
        .flag = (wire_tag & TAG_FLAG) != 0,
        .code = wire_tag >> TAG_CODE_SHIFT & 3,
        .wide = (wire_extra & EXTRA_WIDE) != 0,
    };
}

/* --- fields --- */

static uint8_t data_size(const struct vmr_exit *vp_exit)
{
    return vp_exit->kind == VMR_EXIT_IO ? vp_exit->u.io.size : vp_exit->u.mmio.size;
}

static void put_number(struct writer *writer, const struct vmr_exit *vp_exit, const struct exit_field *field)
{
    uint64_t value = field_get(vp_exit, field->offset, field->width);

    /* Data of one byte is one byte: as a varint, half of its values would take two. */
    if (field->type == EXIT_FIELD_DATA && data_size(vp_exit) == 1)
        writer_u8(writer, (uint8_t)value);
    else
        writer_varint(writer, value);
}

static void get_number(struct reader *reader, struct vmr_exit *vp_exit, const struct exit_field *field)
{
    bool is_byte = field->type == EXIT_FIELD_DATA && data_size(vp_exit) == 1;
    uint64_t wire_value = is_byte ? reader_u8(reader) : reader_varint(reader);

    if ((field->type == EXIT_FIELD_FLAG && wire_value > 1) ||
        !field_set(vp_exit, field->offset, field->width, wire_value))
        reader_fail(reader);
}

static void put_field(struct writer *writer, const struct vmr_exit *vp_exit, const struct exit_field *field)
{
    if (field->type == EXIT_FIELD_STRING) {
        writer_copy(writer, vp_exit->u.io.bytes, (size_t)vp_exit->u.io.count * vp_exit->u.io.size);
    } else if (field->type == EXIT_FIELD_BYTES) {
        writer_u8(writer, vp_exit->u.fail.length);
        writer_copy(writer, vp_exit->u.fail.bytes, vp_exit->u.fail.length);
    } else if (field->type == EXIT_FIELD_ARGS) {
        for (unsigned i = 0; i < EXIT_ARG_COUNT; i++)
            writer_varint(writer, vp_exit->u.hypercall.args[i]);
    } else {
        put_number(writer, vp_exit, field);
    }
}

static void get_string(struct reader *reader, struct vmr_exit_io *io, uint8_t *string_storage)
{
    /* Held against the limit here: the fields before it are not judged yet. */
    if (io->count == 0 || io->count > VMR_STRING_IO_BYTES_MAX / io->size) {
        reader_fail(reader);
        return;
    }
    const uint8_t *view = reader_view(reader, (size_t)io->count * io->size);

    if (view)
        memcpy(string_storage, view, (size_t)io->count * io->size);
    io->bytes = string_storage;
}

static void get_field(struct reader *reader, struct vmr_exit *vp_exit, const struct exit_field *field,
                      uint8_t *string_storage)
{
    if (field->type == EXIT_FIELD_STRING) {
        get_string(reader, &vp_exit->u.io, string_storage);
    } else if (field->type == EXIT_FIELD_BYTES) {
        uint8_t wire_length = reader_u8(reader);

        if (wire_length > VMR_EXIT_FAIL_BYTES_MAX)
            reader_fail(reader);
        vp_exit->u.fail.length = reader_ok(reader) ? wire_length : 0;
        reader_copy(reader, vp_exit->u.fail.bytes, vp_exit->u.fail.length);
    } else if (field->type == EXIT_FIELD_ARGS) {
        for (unsigned i = 0; i < EXIT_ARG_COUNT; i++)
            vp_exit->u.hypercall.args[i] = reader_varint(reader);
    } else {
        get_number(reader, vp_exit, field);
    }
}

static void put_fields(struct writer *writer, const struct vmr_exit *vp_exit, enum exit_part part)
{
    for (const struct exit_field *field = exit_fields_of_kind(vp_exit->kind); field->name; field++) {
        if (!field->in_tag && exit_field_applies(field, vp_exit, part))
            put_field(writer, vp_exit, field);
    }
}

static void get_fields(struct reader *reader, struct vmr_exit *vp_exit, enum exit_part part, uint8_t *string_storage)
{
    for (const struct exit_field *field = exit_fields_of_kind(vp_exit->kind); field->name; field++) {
        if (!field->in_tag && exit_field_applies(field, vp_exit, part))
            get_field(reader, vp_exit, field, string_storage);
    }
}

/* --- both halves --- */

void exit_encode(struct writer *writer, const struct vmr_exit *vp_exit, enum exit_part part)
{
    if (!vmr_exit_is_valid(vp_exit)) {
        writer_fail(writer);
        return;
    }
    if (part & EXIT_INPUTS) {
        put_tag(writer, vp_exit);
        put_fields(writer, vp_exit, EXIT_INPUTS);
    }
    if (part & EXIT_ANSWER)
        put_fields(writer, vp_exit, EXIT_ANSWER);
}

/* The answer of a string read is zeros until it is known. */
static void clear_string(struct vmr_exit_io *io, uint8_t *string_storage)
{
    if (io->count > VMR_STRING_IO_BYTES_MAX / io->size)
        return; /* not valid, and refused as such */
    memset(string_storage, 0, (size_t)io->count * io->size);
    io->bytes = string_storage;
}

static bool decode_inputs(struct reader *reader, struct vmr_exit *vp_exit, uint8_t *string_storage)
{
    struct vmr_exit decoded;

    memset(&decoded, 0, sizeof(decoded));
    struct shape wire_shape = get_tag(reader, &decoded);

    set_shape(&decoded, wire_shape);
    get_fields(reader, &decoded, EXIT_INPUTS, string_storage);
    if (decoded.kind == VMR_EXIT_IO && decoded.u.io.string && exit_is_read(&decoded))
        clear_string(&decoded.u.io, string_storage);
    if (!reader_ok(reader) || !vmr_exit_is_valid(&decoded))
        return false;
    struct shape shape = shape_of(&decoded);

    if (shape.flag != wire_shape.flag || shape.code != wire_shape.code || shape.wide != wire_shape.wide)
        return false;
    *vp_exit = decoded;
    return true;
}

static bool decode_answer(struct reader *reader, struct vmr_exit *vp_exit, uint8_t *string_storage)
{
    if (!reader_ok(reader) || !vmr_exit_is_pending(vp_exit))
        return reader_ok(reader);
    struct vmr_exit answered = *vp_exit;

    get_fields(reader, &answered, EXIT_ANSWER, string_storage);
    if (!reader_ok(reader) || !vmr_exit_is_valid(&answered))
        return false;
    *vp_exit = answered;
    return true;
}

bool exit_decode(struct reader *reader, struct vmr_exit *vp_exit, uint8_t *string_storage, enum exit_part part)
{
    bool decoded = part == EXIT_ANSWER ? decode_answer(reader, vp_exit, string_storage)
                                       : decode_inputs(reader, vp_exit, string_storage);

    if (!decoded)
        reader_fail(reader);
    return decoded;
}
