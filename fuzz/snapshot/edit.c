/* SPDX-License-Identifier: MIT */
/*
 * What may become of a section: see edit.h. State sections are changed by the
 * fields of their types, so that most of what comes of it is decoded.
 */

#include "fuzz/snapshot/edit.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "lib/snapshot/format.h"
#include "vmrig/snapshot.h"

#define STATE_HEADER_BYTES 16u /* before the name */
#define PAGES_HEADER_BYTES 16u
#define STATE_BYTES 0x80000u

static const struct vmr_state_type *type_of(const struct section *section, size_t *ret_at)
{
    char name[64] = {0};
    size_t length = section->length > STATE_HEADER_BYTES ? section->bytes[1] : 0;

    if (length == 0 || length >= sizeof(name) || STATE_HEADER_BYTES + length > section->length)
        return NULL;
    memcpy(name, section->bytes + STATE_HEADER_BYTES, length);
    *ret_at = STATE_HEADER_BYTES + length;
    if (section->bytes[0] == VMR_SNAPSHOT_VM)
        return vmr_vm_class_type(vmr_vm_class_find(name));
    return section->bytes[0] == VMR_SNAPSHOT_VP ? vmr_vp_class_type(vmr_vp_class_find(name))
                                                : vmr_device_state_type_find(name);
}

/* One element of a state. */
static void change_field(struct input *input, struct sections *sections, size_t which)
{
    struct section *section = &sections->items[which];
    size_t at = 0;
    const struct vmr_state_type *type = type_of(section, &at);
    uint8_t field_index = input_u8(input), element = input_u8(input);
    uint64_t number = input_number(input);

    if (!type || type->size > STATE_BYTES)
        return;
    void *value = calloc(1, type->size);

    FUZZ_CHECK(value);
    if (vmr_state_decode(type, type->version, section->bytes + at, section->length - at, value, NULL) == VMR_OK) {
        const struct vmr_state_field *field = &type->fields[field_index % type->field_count];

        (void)vmr_state_put(field, value, element % field->count, number);
        /* A count above its array has no bytes. */
        if (vmr_state_encode(type, value, NULL, 0) == section->length - at)
            (void)vmr_state_encode(type, value, section->bytes + at, section->length - at);
    }
    free(value);
}

static void change_bytes(struct input *input, struct section *section)
{
    size_t at = section->length > 0 ? (size_t)(input_number(input) % section->length) : 0;
    size_t length = 1 + (input_u8(input) & 7u);

    input_bytes(input, section->bytes + at, length < section->length - at ? length : section->length - at);
}

static void change_size(struct input *input, struct sections *sections, size_t which)
{
    size_t length = sections->items[which].length;

    sections_resize(sections, which, (size_t)(input_number(input) % (length + 64)));
}

static void add_pages(struct input *input, struct sections *sections, size_t which)
{
    uint8_t bytes[PAGES_HEADER_BYTES + 2 * VMR_PAGE_SIZE] = {0};
    uint64_t page = input_number(input);
    uint8_t form = input_u8(input);
    size_t length = PAGES_HEADER_BYTES + (size_t)(form % 3u) * VMR_PAGE_SIZE;

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(page * VMR_PAGE_SIZE >> 8 * i);
    bytes[8] = form % 3u > 0 ? form % 3u : form >> 2;
    memset(bytes + PAGES_HEADER_BYTES, form, sizeof(bytes) - PAGES_HEADER_BYTES);
    (void)sections_insert(sections, which, form % 3u > 0 ? SECTION_PAGES : SECTION_ZEROS, 0, bytes, length);
}

static void add_section(struct input *input, struct sections *sections, size_t which)
{
    uint8_t kind = input_u8(input), length = input_u8(input), bytes[UINT8_MAX];

    input_bytes(input, bytes, length);
    (void)sections_insert(sections, which, kind & 15u, kind >> 4 & 1u, bytes, length);
}

static void move(struct sections *sections, size_t which, size_t other)
{
    struct section kept = sections->items[which];

    sections->items[which] = sections->items[other];
    sections->items[other] = kept;
}

void edit_section(struct input *input, struct sections *sections)
{
    unsigned form = input_choose(input, 16);
    size_t which = input_u8(input) % sections->count;
    struct section *section = &sections->items[which];

    if (form < 6)
        change_field(input, sections, which);
    else if (form < 8)
        change_bytes(input, section);
    else if (form == 8)
        sections_remove(sections, which);
    else if (form == 9)
        (void)sections_insert(sections, input_u8(input) % sections->count, section->kind, section->flags,
                              section->bytes, section->length);
    else if (form == 10)
        move(sections, which, input_u8(input) % sections->count);
    else if (form == 11)
        add_section(input, sections, which);
    else if (form == 12)
        change_size(input, sections, which);
    else if (form == 13)
        add_pages(input, sections, which);
    else if (form == 14)
        section->flags ^= 1u << input_u8(input) % 2u;
    else
        sections->parent_id ^= input_number(input);
}
