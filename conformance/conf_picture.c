/* SPDX-License-Identifier: MIT */
/*
 * The state of a VM as a list of values, which can be held against another
 * VM's. What differs is told by name.
 */

#include "conformance/harness.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    bool of_partition;
    bool comparable;
    vmr_vp_index vp;
    struct vmr_state_id id;
    const struct vmr_state_type *type;
    size_t length;
    uint8_t bytes[]; /* encoded: a value may have room for many times what is used of it */
};

struct conf_picture {
    struct entry *first, **last;
    void *value, *other; /* rooms for values of any class, to take one or to look at two */
    uint8_t *bytes;
    size_t value_max, bytes_max;
};

static void count_room(struct conf_picture *picture, const struct vmr_state_type *type)
{
    size_t encoded = vmr_state_encoded_max(type);

    if (type->size > picture->value_max)
        picture->value_max = type->size;
    if (encoded > picture->bytes_max)
        picture->bytes_max = encoded;
}

/* Types of devices are smaller than the largest of these. */
static struct conf_picture *picture_create(void)
{
    struct conf_picture *picture = calloc(1, sizeof(*picture));

    if (!picture)
        return NULL;
    picture->last = &picture->first;
    for (unsigned i = 0; i < VMR_VP_CLASS_COUNT; i++)
        count_room(picture, vmr_vp_class_type((enum vmr_vp_class)i));
    for (unsigned i = 0; i < VMR_VM_CLASS_COUNT; i++)
        count_room(picture, vmr_vm_class_type((enum vmr_vm_class)i));
    picture->value = malloc(picture->value_max);
    picture->other = malloc(picture->value_max);
    picture->bytes = malloc(picture->bytes_max);
    if (picture->value && picture->other && picture->bytes)
        return picture;
    conf_picture_free(picture);
    return NULL;
}

/* What lies in `picture->value`. */
static struct entry *add(struct conf_picture *picture, const struct vmr_state_type *type, const struct vmr_state_id *id)
{
    size_t length = vmr_state_encode(type, picture->value, picture->bytes, picture->bytes_max);
    struct entry *entry = length <= picture->bytes_max ? malloc(sizeof(*entry) + length) : NULL;

    if (!entry)
        return NULL;
    *entry = (struct entry){.type = type, .id = *id, .length = length};
    memcpy(entry->bytes, picture->bytes, length);
    *picture->last = entry;
    picture->last = &entry->next;
    return entry;
}

/* Into a picture's room: its own bytes are always whole. */
static const void *value_of(const struct entry *entry, void *room)
{
    return vmr_state_decode(entry->type, entry->type->version, entry->bytes, entry->length, room, NULL) == VMR_OK
               ? room
               : NULL;
}

static bool take_vp(struct conf_picture *picture, struct vmr_vp *vp, struct vmr_error *err)
{
    for (struct vmr_state_id id = {0}; vmr_vp_state_find(vp, &id); id.instance++) {
        if (vmr_vp_state_get(vp, &id, picture->value, err))
            return false;
        struct entry *entry = add(picture, vmr_vp_class_type((enum vmr_vp_class)id.state_class), &id);

        if (!entry)
            return false;
        entry->vp = vmr_vp_get_index(vp);
        entry->comparable = vmr_vp_state_is_comparable(vp, &id);
    }
    return true;
}

/* Which RAM there is, what was accepted and which interrupts are mapped belongs to the scenario, and no reset ends it.
 */
static bool is_the_scenario_s(uint32_t vm_class)
{
    return vm_class == VMR_VM_VTL_PAGES || vm_class == VMR_VM_DEVICE_INTERRUPT;
}

static bool take_partition(struct conf_picture *picture, struct vmr_partition *partition, struct vmr_error *err)
{
    for (struct vmr_state_id id = {0}; vmr_partition_state_find(partition, &id); id.instance++) {
        if (is_the_scenario_s(id.state_class))
            continue;
        if (vmr_partition_state_get(partition, &id, picture->value, err))
            return false;
        struct entry *entry = add(picture, vmr_vm_class_type((enum vmr_vm_class)id.state_class), &id);

        if (!entry)
            return false;
        entry->of_partition = entry->comparable = true;
    }
    return true;
}

#define CHIP_UNITS (CONF_VP_MAX + 3u) /* a local APIC a VP, lines, PIC and IO-APIC */

static bool take_chip(struct conf_picture *picture, struct vmr_irqchip_set *chip, struct vmr_error *err)
{
    struct vmr_state_unit units[CHIP_UNITS];
    size_t count = chip ? vmr_irqchip_state_units(chip, units, CHIP_UNITS) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct vmr_state_id id = {.instance = units[i].instance};

        if (count > CHIP_UNITS || units[i].type->size > picture->value_max ||
            units[i].get(units[i].object, picture->value, err))
            return false;
        struct entry *entry = add(picture, units[i].type, &id);

        if (!entry)
            return false;
        entry->of_partition = entry->comparable = true;
    }
    return true;
}

struct conf_picture *conf_picture_take(struct conf_vm *vm)
{
    struct conf_picture *picture = picture_create();
    struct vmr_error err = {.message = "out of memory"};
    bool taken = picture != NULL;

    for (vmr_vp_index vp = 0; taken && vp < vm->vp_count; vp++)
        taken = !vm->vps[vp] || take_vp(picture, vm->vps[vp], &err);
    if (taken && take_partition(picture, vm->partition, &err) && take_chip(picture, vm->chip, &err))
        return picture;
    conf_fail(vm->conf, __FILE__, __LINE__, "reading the VM's state: %s", err.message);
    conf_picture_free(picture);
    return NULL;
}

void conf_picture_free(struct conf_picture *picture)
{
    if (!picture)
        return;
    while (picture->first) {
        struct entry *entry = picture->first;

        picture->first = entry->next;
        free(entry);
    }
    free(picture->value);
    free(picture->other);
    free(picture->bytes);
    free(picture);
}

uint64_t conf_picture_hash(const struct conf_picture *picture)
{
    uint64_t hash = 0;

    for (const struct entry *entry = picture->first; entry; entry = entry->next) {
        const void *value = entry->comparable ? value_of(entry, picture->value) : NULL;

        if (value)
            hash = vmr_state_hash(entry->type, value, false, hash);
    }
    return hash;
}

static bool same_place(const struct entry *a, const struct entry *b)
{
    return a->of_partition == b->of_partition && a->vp == b->vp && a->type == b->type && a->id.vtl == b->id.vtl &&
           a->id.instance == b->id.instance;
}

/* Every field that differs, and of each the first element. */
static bool compare_fields(struct conf *conf, const struct entry *entry, const void *got, const void *want,
                           const char *what)
{
    bool equal = true;

    for (uint32_t i = 0; i < entry->type->field_count; i++) {
        const struct vmr_state_field *field = &entry->type->fields[i];
        struct vmr_state_field whole = *field;
        const struct vmr_state_type one = {
            .name = entry->type->name, .size = entry->type->size, .field_count = 1, .fields = &whole};
        struct vmr_state_difference difference;

        whole.used_by = 0; /* by itself it has no count beside it, and the rest of it is zero */
        if (vmr_state_equal(&one, got, want, false, &difference))
            continue;
        equal = false;
        conf_fail(conf, __FILE__, __LINE__, "%s: VP %u VTL %u: %s.%s[%u] is %#llx, not %#llx", what, entry->vp,
                  entry->id.vtl, entry->type->name, field->name, difference.element,
                  (unsigned long long)difference.left, (unsigned long long)difference.right);
    }
    return equal;
}

/* Most are equal byte by byte; of those that are not, some only in what moves by itself. */
static bool compare_entry(struct conf *conf, const struct conf_picture *picture, const struct entry *got,
                          const struct entry *want, const char *what)
{
    if (got->length == want->length && memcmp(got->bytes, want->bytes, got->length) == 0)
        return true;
    const void *left = value_of(got, picture->value), *right = value_of(want, picture->other);

    if (!left || !right) {
        conf_fail(conf, __FILE__, __LINE__, "%s: %s holds what cannot be read again", what, got->type->name);
        return false;
    }
    return compare_fields(conf, got, left, right, what);
}

bool conf_picture_compare(struct conf *conf, const struct conf_picture *got, const struct conf_picture *want,
                          const char *what)
{
    const struct entry *a = got->first, *b = want->first;
    bool equal = true;

    for (; a && b && same_place(a, b); a = a->next, b = b->next) {
        if (a->comparable && b->comparable)
            equal &= compare_entry(conf, got, a, b, what);
    }
    if (a || b) {
        conf_fail(conf, __FILE__, __LINE__, "%s: class '%s' is in one only", what, a ? a->type->name : b->type->name);
        return false;
    }
    return conf_judge(conf, equal);
}
