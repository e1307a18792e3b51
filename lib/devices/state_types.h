/* SPDX-License-Identifier: MIT */
#pragma once

/* The types of all devices' states, each defined beside its device: for who has only the name. */

#include "vmrig/state.h"

extern const struct vmr_state_type power_state_type;
extern const struct vmr_state_type serial_state_type;
extern const struct vmr_state_type cmos_state_type;
extern const struct vmr_state_type pit_state_type;
extern const struct vmr_state_type i8042_state_type;
extern const struct vmr_state_type pci_none_state_type;
extern const struct vmr_state_type fw_cfg_state_type;
extern const struct vmr_state_type irqchip_lines_state_type;
extern const struct vmr_state_type pic_state_type;
extern const struct vmr_state_type ioapic_state_type;
extern const struct vmr_state_type lapic_state_type;
