/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Log lines about what a guest, or a busy host, can repeat without end: the
 * first few of a kind are said, then each time their number has doubled. No
 * clock is needed, and the same run says the same lines.
 */

#include "lib/base/sync.h"

/* One for each kind of complaint; zeroed is new. */
struct complaint {
    _Atomic uint32_t count;
};

void complain(const struct vmr_host *host, struct complaint *complaint, enum vmr_log_culprit culprit,
              const char *format, ...) VMR_PRINTF(4, 5);
