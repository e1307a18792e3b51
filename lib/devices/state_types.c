/* SPDX-License-Identifier: MIT */
/* The types by name, for who has only the name: readers of snapshots. */

#include "lib/devices/state_types.h"

#include <string.h>

#include "vmrig/device_state.h"

static const struct vmr_state_type *const types[] = {
    &power_state_type, &serial_state_type,   &cmos_state_type,   &pit_state_type,
    &i8042_state_type, &pci_none_state_type, &fw_cfg_state_type, &irqchip_lines_state_type,
    &pic_state_type,   &ioapic_state_type,   &lapic_state_type,
};

const struct vmr_state_type *vmr_device_state_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    return NULL;
}
