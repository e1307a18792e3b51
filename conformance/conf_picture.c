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
    uint64_t value[]; /* a struct of the type */
};

struct conf_picture {
    struct entry *first, **last;
};

static struct entry *add(struct conf_picture *picture, const struct vmr_state_type *type, const struct vmr_state_id *id)
{
    struct entry *entry = calloc(1, sizeof(*entry) + type->size + sizeof(entry->value[0]));

    if (!entry)
        return NULL;
    entry->type = type;
    entry->id = *id;
    *picture->last = entry;
    picture->last = &entry->next;
    return entry;
}

static bool take_vp(struct conf_picture *picture, struct vmr_vp *vp, struct vmr_error *err)
{
    for (struct vmr_state_id id = {0}; vmr_vp_state_find(vp, &id); id.instance++) {
        struct entry *entry = add(picture, vmr_vp_class_type((enum vmr_vp_class)id.state_class), &id);

        if (!entry || vmr_vp_state_get(vp, &id, entry->value, err))
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
        struct entry *entry = add(picture, vmr_vm_class_type((enum vmr_vm_class)id.state_class), &id);

        if (!entry || vmr_partition_state_get(partition, &id, entry->value, err))
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
        struct entry *entry = count <= CHIP_UNITS ? add(picture, units[i].type, &id) : NULL;

        if (!entry || units[i].get(units[i].object, entry->value, err))
            return false;
        entry->of_partition = entry->comparable = true;
    }
    return true;
}

struct conf_picture *conf_picture_take(struct conf_vm *vm)
{
    struct conf_picture *picture = calloc(1, sizeof(*picture));
    struct vmr_error err = {.message = "out of memory"};
    bool taken = picture != NULL;

    if (picture)
        picture->last = &picture->first;
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
    while (picture && picture->first) {
        struct entry *entry = picture->first;

        picture->first = entry->next;
        free(entry);
    }
    free(picture);
}

uint64_t conf_picture_hash(const struct conf_picture *picture)
{
    uint64_t hash = 0;

    for (const struct entry *entry = picture->first; entry; entry = entry->next) {
        if (entry->comparable)
            hash = vmr_state_hash(entry->type, entry->value, false, hash);
    }
    return hash;
}

static bool same_place(const struct entry *a, const struct entry *b)
{
    return a->of_partition == b->of_partition && a->vp == b->vp && a->type == b->type && a->id.vtl == b->id.vtl &&
           a->id.instance == b->id.instance;
}

/* Every field that differs, and of each the first element. */
static bool compare_entry(struct conf *conf, const struct entry *got, const struct entry *want, const char *what)
{
    bool equal = true;

    for (uint32_t i = 0; i < got->type->field_count; i++) {
        const struct vmr_state_field *field = &got->type->fields[i];
        struct vmr_state_field whole = *field;
        const struct vmr_state_type one = {
            .name = got->type->name, .size = got->type->size, .field_count = 1, .fields = &whole};
        struct vmr_state_difference difference;

        whole.used_by = 0; /* by itself it has no count beside it, and the rest of it is zero */
        if (vmr_state_equal(&one, got->value, want->value, false, &difference))
            continue;
        equal = false;
        conf_fail(conf, __FILE__, __LINE__, "%s: VP %u VTL %u: %s.%s[%u] is %#llx, not %#llx", what, got->vp,
                  got->id.vtl, got->type->name, field->name, difference.element, (unsigned long long)difference.left,
                  (unsigned long long)difference.right);
    }
    return equal;
}

bool conf_picture_compare(struct conf *conf, const struct conf_picture *got, const struct conf_picture *want,
                          const char *what)
{
    const struct entry *a = got->first, *b = want->first;
    bool equal = true;

    for (; a && b && same_place(a, b); a = a->next, b = b->next) {
        if (a->comparable && b->comparable)
            equal &= compare_entry(conf, a, b, what);
    }
    if (a || b) {
        conf_fail(conf, __FILE__, __LINE__, "%s: class '%s' is in one only", what, a ? a->type->name : b->type->name);
        return false;
    }
    return conf_judge(conf, equal && conf_picture_hash(got) == conf_picture_hash(want));
}
