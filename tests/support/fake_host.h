/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A host whose clock stands still until the test moves it. Threads and parkers
 * are the POSIX host's.
 */

#include "vmrig/host.h"

struct fake_host {
    struct vmr_host host;
    struct vmr_host_ops ops;
    uint64_t now_ns;
    unsigned clock_reads;
    unsigned log_lines;
};

void fake_host_init(struct fake_host *ret_fake, uint64_t now_ns);
