/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A partition on the mock, with RAM for programs, for the tests of this folder.
 * Built and taken down through the public interface.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmrig/vmrig.h"

#define RIG_VP_MAX 4u

struct rig {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_partition *partition;
    struct vmr_mock *mock;
    struct vmr_vp *vps[RIG_VP_MAX]; /* bound by rig_bind */
};

/* `scheduler` NULL: the POSIX host. */
void rig_init(struct rig *rig, struct vmr_scheduler *scheduler, const char *spec, uint32_t vps);
void rig_finish(struct rig *rig);
void rig_load(struct rig *rig, vmr_vp_index vp, const struct vmr_program *program);
struct vmr_vp *rig_bind(struct rig *rig, vmr_vp_index vp);
/* Steps VP 0 and holds what comes against `lines`, one exit each, answered as the line says behind "->". */
void rig_expect(struct rig *rig, const char *name, const char *const *lines, size_t count);
/* The VP's variable. */
uint64_t rig_var(struct rig *rig, vmr_vp_index vp, unsigned index);
uint32_t rig_count(struct rig *rig, vmr_vp_index vp, uint8_t vector);

#define RIG_PROGRAM(program_name, eoi_kind, ...)                                                                       \
    static const struct vmr_step program_name##_steps[] = {__VA_ARGS__};                                               \
    static const struct vmr_program program_name = {                                                                   \
        .name = #program_name,                                                                                         \
        .steps = program_name##_steps,                                                                                 \
        .count = sizeof(program_name##_steps) / sizeof(program_name##_steps[0]),                                       \
        .eoi = (eoi_kind),                                                                                             \
    }

#define RIG_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
