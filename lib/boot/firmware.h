/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A PC firmware image in guest memory: the whole of it, read-only, so that it
 * ends at 4 GiB, where the processor begins; and its last 128 KiB once more in
 * the RAM below 1 MiB, where firmware goes on and writes to itself.
 */

#include <stddef.h>

#include "vmrig/memory.h"

/* Images come in 64 KiB segments; the reset vector is in the last one. */
#define FIRMWARE_GRANULE 0x10000u
#define FIRMWARE_SIZE_MAX 0x1000000u
#define FIRMWARE_SHADOW_MAX 0x20000u

/* VMR_E_CONFIG, with the size, for an image that is empty, above FIRMWARE_SIZE_MAX or no multiple of the granule. */
VMR_MUST_CHECK enum vmr_status firmware_check(size_t size, struct vmr_error *err);
/* RAM below 1 MiB must be there. The bytes are copied. On failure nothing is added but, perhaps, RAM written. */
VMR_MUST_CHECK enum vmr_status firmware_load(struct vmr_memory *memory, const void *bytes, size_t size,
                                             struct vmr_error *err);
/* Of an image of `size` bytes that was loaded: its copy below 1 MiB again, from the one that no guest can write to. */
VMR_MUST_CHECK enum vmr_status firmware_restore_shadow(struct vmr_memory *memory, size_t size, struct vmr_error *err);
