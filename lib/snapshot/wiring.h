/* SPDX-License-Identifier: MIT */
#pragma once

/* How a living VM is wired: who answers at which address, which writes ring, which ports its SynIC has. */

#include "lib/snapshot/print.h"

/* VMR_E_NOMEM alone. */
enum vmr_status wiring_print(const struct vmr_snapshot_parts *parts, struct printing *printing);
