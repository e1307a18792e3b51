/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Two VMs on the mock, alike, with RAM in two regions and two devices of the
 * tests' own; and a sink that keeps what it is given.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmrig/snapshot.h"
#include "vmrig/vmrig.h"

#define CHECK_OK(status) assert_string_equal(vmr_status_name(status), "ok")

#define VM_VPS 2u
#define LOW_BYTES 0x40000u
#define HIGH_GPA 0x100000u
#define HIGH_BYTES 0x200000u

struct toy_state {
    uint32_t value;
    uint64_t moving;
};

/* A device whose set can be made to fail. */
struct toy {
    struct toy_state state;
    bool refuses;
};

struct vm {
    struct vmr_host host;
    struct vmr_host_ops ops;
    uint64_t now_ns; /* stands still unless the test moves it */
    struct vmr_hypervisor_handle handle;
    struct vmr_memory *memory;
    struct vmr_partition *partition;
    struct vmr_vp *vps[VM_VPS];
    struct toy toys[2];
    struct vmr_state_unit units[2];
    struct vmr_snapshot_parts parts;
    unsigned call_fails_at; /* the n-th call of a VP fails; 0: none */
};

void vm_init(struct vm *vm);
void vm_finish(struct vm *vm);
/* Puts something into every part: other registers, pages here and there, other device states. */
void vm_fill(struct vm *vm);

struct bytes {
    uint8_t *data;
    size_t length, capacity;
    size_t fails_at; /* the write that passes so many bytes fails; 0: none */
};
void bytes_finish(struct bytes *bytes);
/* Saves whole. */
void vm_save(struct vm *vm, uint64_t parent, struct bytes *ret_bytes, uint64_t *ret_id);
enum vmr_status vm_save_to(struct vm *vm, uint64_t parent, struct bytes *bytes, uint64_t *ret_id,
                           struct vmr_error *err);
struct vmr_snapshot *snapshot_of(const struct bytes *bytes);
void vm_restore(struct vm *vm, const struct bytes *bytes);

/* --- files by hand --- */

/* The n-th section: its offset, or `bytes->length`. */
size_t section_at(const struct bytes *bytes, size_t n);
/* Makes the hashes, the id and the count right again after something was changed by hand. */
void reseal(struct bytes *bytes);
