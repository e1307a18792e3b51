/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A machine that has one of everything, for the tests of what is printed.
 */

#include "tests/resolve/rig.h"

/* x86-64: two nodes, two complexes, a switch, a device, an initiator, CXL, an IOMMU, virtio, VTL 2. */
void printed_init(struct rig *rig);
