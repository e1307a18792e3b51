/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The words every other header uses: guest addresses, VP indices, VTLs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmrig/api.h"

/* A guest physical address. Comes from the guest more often than not: check before use. */
typedef uint64_t vmr_gpa;

/* VP indices are dense from 0; VP 0 is the boot processor; the same number is the Hyper-V VP index. [LIFE-3] */
typedef uint32_t vmr_vp_index;

#define VMR_PAGE_SIZE 4096u

/* Virtual trust levels (TLFS 15). Without VSM everything happens at VTL 0. */
enum vmr_vtl {
    VMR_VTL0 = 0,
    VMR_VTL1 = 1,
    VMR_VTL2 = 2,
    VMR_VTL_COUNT
};

/* No deadline: wait until woken. */
#define VMR_NEVER UINT64_MAX

/* An architectural x86 message-signalled interrupt (Intel SDM vol. 3, 11.11). */
struct vmr_msi {
    uint64_t address;
    uint32_t data;
};
