/* SPDX-License-Identifier: MIT */
/*
 * A length stands before what it measures, and its own size depends on it: so it
 * is inserted when the end is known. Nesting is shallow, so every byte moves a
 * few times at most. Section numbers are those of ACPI 6.5.
 */

#include "lib/tables/aml.h"

#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/text.h"

#define NAME_OP 0x08u
#define STRING_OP 0x0du
#define SCOPE_OP 0x10u
#define BUFFER_OP 0x11u
#define PACKAGE_OP 0x12u
#define METHOD_OP 0x14u
#define DUAL_NAME 0x2eu
#define MULTI_NAME 0x2fu
#define EXTENDED 0x5bu
#define DEVICE_OP 0x82u
#define IF_OP 0xa0u
#define ELSE_OP 0xa1u
#define SERIALIZED 0x08u

static void insert(struct writer *writer, size_t at, const uint8_t *bytes, size_t length)
{
    size_t behind = writer->length - at;

    writer_copy(writer, bytes, length); /* makes room; what it holds is moved over */
    if (!writer_ok(writer))
        return;
    memmove(writer->bytes + at + length, writer->bytes + at, behind);
    memcpy(writer->bytes + at, bytes, length);
}

/* PkgLength (20.2.4): 6 bits in one byte, or 4 bits and up to three bytes more. It counts itself. */
void aml_close(struct writer *writer, size_t mark)
{
    size_t content = writer->length - mark;
    uint8_t bytes[4];
    size_t length = content + 1 < 0x40 ? 1 : content + 2 < 0x1000 ? 2 : content + 3 < 0x100000 ? 3 : 4;
    size_t total = content + length;

    if (total >= 0x10000000)
        writer_fail(writer);
    if (!writer_ok(writer))
        return;
    bytes[0] = (uint8_t)(length == 1 ? total : (length - 1) << 6 | (total & 0x0f));
    store_le(bytes + 1, (unsigned)length - 1, total >> 4);
    insert(writer, mark, bytes, length);
}

void aml_op(struct writer *writer, uint8_t op)
{
    writer_u8(writer, op);
}

static size_t open_op(struct writer *writer, uint8_t op)
{
    writer_u8(writer, op);
    return writer->length;
}

static size_t segment_length(const char *path)
{
    return strcspn(path, ".");
}

/* NameString (20.2.2): segments are four bytes, filled up with underscores. */
void aml_path(struct writer *writer, const char *path)
{
    uint8_t segments = 1;

    if (path[0] == '\\')
        writer_u8(writer, (uint8_t)*path++);
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.'))
        segments++;
    if (segments == 2) {
        writer_u8(writer, DUAL_NAME);
    } else if (segments > 2) {
        writer_u8(writer, MULTI_NAME);
        writer_u8(writer, segments);
    }
    for (; segments > 0; segments--) {
        size_t length = segment_length(path);

        if (length == 0 || length > 4) {
            writer_fail(writer);
            return;
        }
        writer_copy(writer, path, length);
        writer_copy(writer, "____", 4 - length);
        path += length + 1;
    }
}

size_t aml_scope(struct writer *writer, const char *path)
{
    size_t mark = open_op(writer, SCOPE_OP);

    aml_path(writer, path);
    return mark;
}

size_t aml_device(struct writer *writer, const char *name)
{
    writer_u8(writer, EXTENDED);

    size_t mark = open_op(writer, DEVICE_OP);

    aml_path(writer, name);
    return mark;
}

size_t aml_method(struct writer *writer, const char *name, unsigned arguments)
{
    size_t mark = open_op(writer, METHOD_OP);

    aml_path(writer, name);
    writer_u8(writer, (uint8_t)((arguments & 7) | SERIALIZED));
    return mark;
}

size_t aml_if(struct writer *writer)
{
    return open_op(writer, IF_OP);
}

size_t aml_else(struct writer *writer)
{
    return open_op(writer, ELSE_OP);
}

size_t aml_package(struct writer *writer, uint8_t elements)
{
    size_t mark = open_op(writer, PACKAGE_OP);

    writer_u8(writer, elements);
    return mark;
}

/* ConstObj and ByteConst to QWordConst (20.2.3); returns the length. */
static size_t encode_integer(uint64_t value, uint8_t ret_bytes[9])
{
    static const struct {
        uint64_t max;
        uint8_t prefix, length;
    } forms[] = {{UINT8_MAX, 0x0a, 1}, {UINT16_MAX, 0x0b, 2}, {UINT32_MAX, 0x0c, 4}, {UINT64_MAX, 0x0e, 8}};
    unsigned form = 0;

    if (value <= 1 || value == UINT64_MAX) {
        ret_bytes[0] = (uint8_t)value; /* ZeroOp, OneOp, OnesOp */
        return 1;
    }
    while (value > forms[form].max)
        form++;
    ret_bytes[0] = forms[form].prefix;
    store_le(ret_bytes + 1, forms[form].length, value);
    return (size_t)forms[form].length + 1;
}

void aml_integer(struct writer *writer, uint64_t value)
{
    uint8_t bytes[9];

    writer_copy(writer, bytes, encode_integer(value, bytes));
}

void aml_string(struct writer *writer, const char *text)
{
    writer_u8(writer, STRING_OP);
    writer_copy(writer, text, strlen(text) + 1);
}

/* EISAID (19.3.4): three letters of five bits, four hexadecimal digits, big endian. */
void aml_eisa_id(struct writer *writer, const char *id)
{
    uint32_t value = 0;
    bool good = strlen(id) == 7;

    for (unsigned i = 0; good && i < 3; i++) {
        good = id[i] >= 'A' && id[i] <= 'Z';
        value = value << 5 | ((uint32_t)id[i] - 'A' + 1);
    }
    for (unsigned i = 3; good && i < 7; i++) {
        good = text_digit(id[i]) < 16;
        value = value << 4 | text_digit(id[i]);
    }
    if (!good)
        writer_fail(writer);
    aml_integer(writer, __builtin_bswap32(value));
}

void aml_buffer(struct writer *writer, const uint8_t *bytes, size_t length)
{
    size_t mark = open_op(writer, BUFFER_OP);

    writer_copy(writer, bytes, length);
    aml_close_buffer(writer, mark);
}

/* The first three groups are little endian, the other bytes as they stand (ACPI 6.5, 19.6.142). */
void aml_uuid(struct writer *writer, const char *text)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t given[16] = {0}, bytes[16];
    unsigned count = 0;

    for (; *text && count < 16; text += *text == '-' ? 1 : 2) {
        if (*text != '-' && !text_parse_hex(text, 2, &given[count++], 1))
            break;
    }
    if (count != 16 || *text)
        writer_fail(writer);
    for (unsigned i = 0; i < 16; i++)
        bytes[i] = given[order[i]];
    aml_buffer(writer, bytes, sizeof(bytes));
}

void aml_close_buffer(struct writer *writer, size_t mark)
{
    uint8_t size[9];

    if (!writer_ok(writer))
        return;
    insert(writer, mark, size, encode_integer(writer->length - mark, size));
    aml_close(writer, mark);
}

void aml_name(struct writer *writer, const char *name)
{
    writer_u8(writer, NAME_OP);
    aml_path(writer, name);
}

void aml_name_integer(struct writer *writer, const char *name, uint64_t value)
{
    aml_name(writer, name);
    aml_integer(writer, value);
}
