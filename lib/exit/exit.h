/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the other files of this folder, and the backends, know about an exit
 * beyond the public header: its two halves, and which field of it is wrong.
 */

#include "vmrig/exit.h"

/*
 * What the hypervisor said, and what the library answered. The value of a read
 * is an answer, the value of a write an input; CPUID results are both.
 */
enum exit_part {
    EXIT_INPUTS = 1,
    EXIT_ANSWER = 2,
    EXIT_WHOLE = 3
};

/* Whether the guest reads, so that data is the library's answer. */
static inline bool exit_is_read(const struct vmr_exit *vp_exit)
{
    if (vp_exit->kind == VMR_EXIT_IO)
        return vp_exit->u.io.direction == VMR_READ;
    if (vp_exit->kind == VMR_EXIT_MMIO)
        return vp_exit->u.mmio.direction == VMR_READ;
    return vp_exit->kind == VMR_EXIT_MSR && vp_exit->u.msr.direction == VMR_READ;
}

/* NULL for a valid exit, else the name (as vmr_exit_print writes it) of the first field that is out of range. */
const char *exit_bad_field(const struct vmr_exit *vp_exit);

/*
 * Whether two exits of equal inputs were answered alike. What the guest cannot
 * see plays no part: the value beside a fault, the data of a write.
 */
bool exit_answer_equal(const struct vmr_exit *a, const struct vmr_exit *b);
