/* SPDX-License-Identifier: MIT */
#pragma once

/* What tests of classes of state share: a value that fits any class, and the ways to fill it. */

#include <stdlib.h>

#include "tests/hv/guest_rig.h"

/* Zeroed, of any class of a VP. The test frees it. */
static inline void *state_value(void)
{
    void *value = calloc(1, sizeof(struct vmr_hv_queue_state));

    assert_non_null(value);
    return value;
}

static inline void must_get(struct vmr_hv_guest *guest, vmr_vp_index vp, const struct vmr_state_id *id, void *value)
{
    assert_int_equal(vmr_hv_guest_vp_state_get(guest, vp, id, value, NULL), VMR_OK);
}

static inline void must_set(struct vmr_hv_guest *guest, vmr_vp_index vp, const struct vmr_state_id *id,
                            const void *value)
{
    struct vmr_error err = {.message = ""};

    if (vmr_hv_guest_vp_state_set(guest, vp, id, value, &err))
        fail_msg("%s", err.message);
}

/* The next class of a VP at or behind `id`, of an interface with `vtls` VTLs; false: none. */
static inline bool state_next(const struct vmr_hv_guest *guest, uint32_t vtls, struct vmr_state_id *id)
{
    if (id->instance >= vmr_hv_vp_class_instances((enum vmr_vp_class)id->state_class))
        *id = (struct vmr_state_id){.state_class = id->state_class, .vtl = id->vtl + 1};
    for (; id->state_class < VMR_VP_CLASS_COUNT; *id = (struct vmr_state_id){.state_class = id->state_class + 1}) {
        uint32_t count = vmr_vp_class_is_private((enum vmr_vp_class)id->state_class) ? vtls : 1;

        if ((vmr_hv_guest_vp_classes(guest) >> id->state_class & 1) != 0 && id->vtl < count)
            return true;
    }
    return false;
}

/* The next state of the partition. */
static inline bool vm_state_next(struct vmr_hv_guest *guest, struct vmr_state_id *id)
{
    for (; id->state_class < VMR_VM_CLASS_COUNT; *id = (struct vmr_state_id){.state_class = id->state_class + 1}) {
        if ((vmr_hv_guest_vm_classes(guest) >> id->state_class & 1) != 0 &&
            vmr_hv_guest_next_instance(guest, (enum vmr_vm_class)id->state_class, &id->instance))
            return true;
    }
    return false;
}

/* Puts numbers that are mostly possible, and some that are not, into some elements of a value. */
static inline void state_scramble(const struct vmr_state_type *type, void *value, uint64_t *seed)
{
    static const uint64_t odd[] = {
        0, 1, 2, 3, 4, 7, 0xff, 0x10001, 0x1001, 0x10000, 0x40, UINT64_MAX, UINT64_C(1) << 51};
    unsigned changes = (unsigned)(*seed >> 33) % 4 + 1;

    for (unsigned i = 0; i < changes; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const struct vmr_state_field *field = &type->fields[(*seed >> 33) % type->field_count];
        uint32_t element = (uint32_t)(*seed >> 13) % field->count;
        uint64_t number = odd[(*seed >> 40) % (sizeof(odd) / sizeof(odd[0]))];

        if (!vmr_state_put(field, value, element, number))
            (void)vmr_state_put(field, value, element, number & 1);
    }
}
