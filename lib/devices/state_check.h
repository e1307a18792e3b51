/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a device says of a state that it is to take: one row a rule, in the order
 * of the fields. The first that does not hold is the error.
 */

#include "vmrig/state.h"

struct state_check {
    const char *field; /* as the type names it */
    uint64_t number;   /* what it holds, for the message */
    bool holds;
};

/* Only the bits of `mask` are set. */
#define STATE_BITS(field_, value_, mask_)                                                                              \
    {                                                                                                                  \
        (field_), (value_), ((value_) & ~(uint64_t)(mask_)) == 0                                                       \
    }
#define STATE_RULE(field_, value_, holds_)                                                                             \
    {                                                                                                                  \
        (field_), (value_), (holds_)                                                                                   \
    }

/* Of an array. */
#define STATE_FIELDS(fields_) ((uint32_t)(sizeof(fields_) / sizeof((fields_)[0])))
#define STATE_CHECKS(checks_) (sizeof(checks_) / sizeof((checks_)[0]))

enum vmr_status state_check(const struct vmr_state_type *type, const struct state_check *checks, size_t count,
                            struct vmr_error *err);
