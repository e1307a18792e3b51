/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A VM with one VP on the real /dev/kvm, for tests of its state: classes by
 * number, and what fails ends the test.
 */

#include "tests/backends/kvm/fixture.h"
#include "vmrig/backend_state.h"

#define RIG_VALUE_MAX 16384u

struct rig {
    struct fixture fixture;
    struct vmr_caps caps;
    struct vmr_x86_reset_info info;
};

extern const char *const rig_chip_names[VMR_IRQCHIP_COUNT];

const struct vmr_backend_state *rig_ops(void);
void rig_start(struct rig *rig, enum vmr_irqchip irqchip);
bool rig_has(const struct rig *rig, unsigned vp_class);
void rig_get(struct rig *rig, unsigned vp_class, void *ret_value);
enum vmr_status rig_try_set(struct rig *rig, unsigned vp_class, const void *value, struct vmr_error *err);
void rig_set(struct rig *rig, unsigned vp_class, const void *value);
/* Prints every element that differs; gives how many do. */
unsigned rig_report(const struct vmr_state_type *type, const void *left, const void *right, bool with_moving);
/* Of all classes, from power-up. */
unsigned rig_differences(struct rig *rig);
/* Every class of the VP, and those of its VM, as a partition's reset does it. */
void rig_reset(struct rig *rig);
