/* SPDX-License-Identifier: MIT */
/*
 * Values by their field tables: elements, bytes, comparing, hashing. What is
 * read from bytes is checked here and nowhere else: a decoded value's flags and
 * counts are in range.
 */

#include "vmrig/state.h"

#include <inttypes.h>
#include <string.h>

#include <xxhash.h>

#include "lib/base/field.h"
#include "lib/base/reader.h"

static size_t place_of(const struct vmr_state_field *field, uint32_t element)
{
    return field->offset + (size_t)element * field->stride;
}

uint32_t vmr_state_used(const struct vmr_state_type *type, const struct vmr_state_field *field, const void *value)
{
    if (field->used_by == 0)
        return field->count;
    uint64_t groups = vmr_state_get(&type->fields[field->used_by - 1u], value, 0);

    return groups > field->count / field->group ? field->count : (uint32_t)groups * field->group;
}

uint64_t vmr_state_get(const struct vmr_state_field *field, const void *value, uint32_t element)
{
    return field_get(value, place_of(field, element), field->width);
}

bool vmr_state_put(const struct vmr_state_field *field, void *value, uint32_t element, uint64_t number)
{
    if (field->kind == VMR_FIELD_FLAG && number > 1)
        return false;
    return field_set(value, place_of(field, element), field->width, number);
}

/* --- bytes --- */

size_t vmr_state_encoded_max(const struct vmr_state_type *type)
{
    size_t length = 0;

    for (uint32_t i = 0; i < type->field_count; i++)
        length += (size_t)type->fields[i].count * type->fields[i].width;
    return length;
}

static void store(uint8_t *bytes, uint64_t number, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

/* Bytes that lie together are moved together. */
static bool is_run(const struct vmr_state_field *field)
{
    return field->width == 1 && field->stride == 1 && field->kind != VMR_FIELD_FLAG;
}

size_t vmr_state_encode(const struct vmr_state_type *type, const void *value, void *ret_bytes, size_t capacity)
{
    uint8_t *bytes = ret_bytes;
    size_t at = 0;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        size_t length = (size_t)vmr_state_used(type, field, value) * field->width;

        if (at + length <= capacity && is_run(field)) {
            memcpy(bytes + at, (const uint8_t *)value + field->offset, length);
        } else if (at + length <= capacity) {
            for (uint32_t element = 0; element < length / field->width; element++)
                store(bytes + at + (size_t)element * field->width, vmr_state_get(field, value, element), field->width);
        }
        at += length;
    }
    return at;
}

static uint64_t read_number(struct reader *reader, unsigned width)
{
    switch (width) {
    case 1:
        return reader_u8(reader);
    case 2:
        return reader_le16(reader);
    case 4:
        return reader_le32(reader);
    default:
        return reader_le64(reader);
    }
}

/* The groups in use must fit the array: an array is read behind its count, and the count was checked. */
static bool counts_fit(const struct vmr_state_type *type, uint32_t counter, uint64_t groups)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        if (field->used_by == counter + 1u && groups > field->count / field->group)
            return false;
    }
    return true;
}

static enum vmr_status decode_field(const struct vmr_state_type *type, uint32_t index, struct reader *reader,
                                    void *ret_value, struct vmr_error *err)
{
    const struct vmr_state_field *field = &type->fields[index];
    uint32_t used = vmr_state_used(type, field, ret_value);

    if (reader_left(reader) < (size_t)used * field->width)
        return vmr_error_set(err, VMR_E_CORRUPT, "state '%s': field '%s': %zu bytes left, it has %zu", type->name,
                             field->name, reader_left(reader), (size_t)used * field->width);
    if (is_run(field)) {
        reader_copy(reader, (uint8_t *)ret_value + field->offset, used);
        return VMR_OK;
    }
    for (uint32_t element = 0; element < used; element++) {
        uint64_t number = read_number(reader, field->width);

        if (!vmr_state_put(field, ret_value, element, number))
            return vmr_error_set(err, VMR_E_CORRUPT, "state '%s': field '%s': %" PRIu64 " is no flag", type->name,
                                 field->name, number);
        if (!counts_fit(type, index, number))
            return vmr_error_set(err, VMR_E_CORRUPT, "state '%s': field '%s': %" PRIu64 " is more than there is room",
                                 type->name, field->name, number);
    }
    return VMR_OK;
}

enum vmr_status vmr_state_decode(const struct vmr_state_type *type, uint16_t version, const void *bytes, size_t length,
                                 void *ret_value, struct vmr_error *err)
{
    struct reader reader;

    if (version != type->version)
        return vmr_error_set(err, VMR_E_UNSUPPORTED, "state '%s': version %u, this is version %u", type->name, version,
                             type->version);
    reader_init(&reader, bytes, length);
    memset(ret_value, 0, type->size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        enum vmr_status status = decode_field(type, i, &reader, ret_value, err);

        if (status)
            return status;
    }
    if (reader_left(&reader) > 0)
        return vmr_error_set(err, VMR_E_CORRUPT, "state '%s': %zu bytes behind the last field", type->name,
                             reader_left(&reader));
    return VMR_OK;
}

/* --- comparing --- */

static bool field_equal(const struct vmr_state_type *type, const struct vmr_state_field *field, const void *left,
                        const void *right, struct vmr_state_difference *ret_difference)
{
    uint32_t used = vmr_state_used(type, field, left);

    /* The count differs, and has been compared, if the lengths do. */
    if (is_run(field) &&
        memcmp((const uint8_t *)left + field->offset, (const uint8_t *)right + field->offset, used) == 0)
        return true;
    for (uint32_t element = 0; element < used; element++) {
        uint64_t a = vmr_state_get(field, left, element), b = vmr_state_get(field, right, element);

        if (a == b)
            continue;
        if (ret_difference)
            *ret_difference = (struct vmr_state_difference){.field = field, .element = element, .left = a, .right = b};
        return false;
    }
    return true;
}

bool vmr_state_equal(const struct vmr_state_type *type, const void *left, const void *right, bool with_moving,
                     struct vmr_state_difference *ret_difference)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];

        if ((with_moving || !field->moves) && !field_equal(type, field, left, right, ret_difference))
            return false;
    }
    return true;
}

uint64_t vmr_state_hash(const struct vmr_state_type *type, const void *value, bool with_moving, uint64_t seed)
{
    uint64_t hash = seed;

    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct vmr_state_field *field = &type->fields[i];
        uint32_t used = vmr_state_used(type, field, value);

        if (field->moves && !with_moving)
            continue;
        if (is_run(field)) {
            hash = XXH64((const uint8_t *)value + field->offset, used, hash);
            continue;
        }
        for (uint32_t element = 0; element < used; element++) {
            uint8_t bytes[8];

            store(bytes, vmr_state_get(field, value, element), sizeof(bytes));
            hash = XXH64(bytes, sizeof(bytes), hash);
        }
    }
    return hash;
}
