/* SPDX-License-Identifier: MIT */
#pragma once

/* What must hold of any unit of state, whatever it is of. Stops the test. */

#include "vmrig/state.h"

/* Room for any unit's struct, and for its bytes. */
#define STATE_RIG_BYTES 8192u
union state_value {
    uint64_t align;
    uint8_t bytes[STATE_RIG_BYTES];
};

/* `value` differs from the value at reset in every field: an oracle that compares the two looks at all of them. */
void state_expect_off_reset(const struct vmr_state_unit *unit, const void *value);
/* Changing any one field that does not move by itself changes the hash; one that does, the hash with those. */
void state_expect_hash_of_each_field(const struct vmr_state_unit *unit, const void *value);
/* Set, and got again: the same, also by way of bytes. */
void state_expect_round_trip(const struct vmr_state_unit *unit, const void *value);
/* What the unit holds now. */
void state_expect(const struct vmr_state_unit *unit, const void *value, bool with_moving);
/* Refused with both names in the message, and nothing has changed. */
void state_expect_refused(const struct vmr_state_unit *unit, const void *value, const char *field);
/* Puts `number` into an element of the named field. It fits its width. */
void state_put(const struct vmr_state_type *type, void *value, const char *field, uint32_t element, uint64_t number);

/* The multiplier of a well-known linear congruential generator: mixes, and is the same everywhere. */
static inline uint32_t state_next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}
