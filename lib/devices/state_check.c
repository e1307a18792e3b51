/* SPDX-License-Identifier: MIT */
/* The one message that refuses a device's state. */

#include "lib/devices/state_check.h"

#include <inttypes.h>

enum vmr_status state_check(const struct vmr_state_type *type, const struct state_check *checks, size_t count,
                            struct vmr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!checks[i].holds)
            return vmr_error_set(err, VMR_E_CONFIG, "state '%s': field '%s': the device cannot hold 0x%" PRIx64,
                                 type->name, checks[i].field, checks[i].number);
    }
    return VMR_OK;
}
