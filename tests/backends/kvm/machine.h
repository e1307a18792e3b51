/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A VM with one VP and 64 KiB of memory, driven through the backend table
 * alone, for the tests of this folder. The guest's code is bytes at CODE_GPA,
 * entered in real mode with every segment at 0.
 */

#include <stdbool.h>

#include "vmrig/backend.h"

#define MACHINE_MEMORY_SIZE 0x10000u
#define CODE_GPA 0x1000u
#define STACK_GPA 0x8000u

struct machine {
    struct vmr_host host;
    struct vmr_hypervisor_handle handle;
    struct vmr_backend_vm *vm;
    struct vmr_backend_vp *vp;
    unsigned char *memory;
    struct vmr_memory_region region;
    struct vmr_exit exit;
    bool bound;
};

struct machine_options {
    enum vmr_irqchip irqchip;
    const struct vmr_msr_range *msr_exits;
    size_t msr_exit_count;
    bool hv_offload;
    bool dirty_ring;
    uint32_t vp_count; /* 0: 1; only VP 0 is made */
};

/* Stops at the first call that fails. `machine` can be finished either way. */
enum vmr_status machine_init(struct machine *machine, const struct machine_options *options, struct vmr_error *err);
void machine_finish(struct machine *machine);

/* Asserts that nothing failed. */
void machine_load(struct machine *machine, const void *code, size_t length);
struct vmr_x86_regs machine_regs(struct machine *machine);
/* One step, between enter and leave. */
const struct vmr_exit *machine_step(struct machine *machine);
