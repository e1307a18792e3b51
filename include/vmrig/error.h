/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What went wrong, in two parts: a status that a program acts on, and a
 * sentence that a person reads.
 *
 * Data-plane calls return the status alone. Control-plane calls also take a
 * struct vmr_error, last, which may be NULL, is written only on failure and
 * never allocates. Outputs (`ret_*`) are untouched on failure. [ERR-1] [ERR-2]
 *
 * A status is our failure. What a guest is told (hv_status), why a VP came
 * back (enum vmr_halt_reason) and what the CPU did (struct vmr_exit) are other
 * types, and none is cast to another.
 */

#include "vmrig/types.h"

VMR_BEGIN_DECLS

enum vmr_status {
    VMR_OK = 0,
    VMR_E_USAGE,       /* the caller broke the contract: fix the caller */
    VMR_E_STATE,       /* not in this state: call in another order */
    VMR_E_CONFIG,      /* a value was refused: show it to a person */
    VMR_E_UNSUPPORTED, /* this backend cannot: choose another, or do without */
    VMR_E_UNAVAILABLE, /* this host cannot: try the next probe */
    VMR_E_NOMEM,       /* host memory ran out */
    VMR_E_HOST,        /* a host call failed: see host_errno */
    VMR_E_GUEST,       /* the guest asked for the impossible: refuse it */
    VMR_E_CORRUPT,     /* a trace or other stored form does not decode */
    VMR_E_DIVERGED,    /* a replay did not do what was recorded */
    VMR_E_DEADLOCK,    /* nothing can ever wake this thread (only a virtual host can know) */
    VMR_STATUS_COUNT
};

#define VMR_ERROR_MESSAGE_MAX 256

struct vmr_error {
    enum vmr_status status;
    int host_errno;                      /* with VMR_E_HOST and VMR_E_UNAVAILABLE; else 0 */
    char message[VMR_ERROR_MESSAGE_MAX]; /* names the field or object, and the value */
};

/* "unsupported", for logs and reports; "unknown status" for any other number. Any thread. */
VMR_API const char *vmr_status_name(enum vmr_status status);

/*
 * Fills `err` (if not NULL) and returns `status`, so that a backend outside
 * this tree can fail in one line. A message that does not fit is cut. The
 * arguments may be the message that `err` holds. Any thread.
 */
VMR_API enum vmr_status vmr_error_set(struct vmr_error *err, enum vmr_status status, const char *format, ...)
    VMR_PRINTF(3, 4);

/* The same for a failed host call: VMR_E_HOST, with the errno kept and spelled out. Any thread. */
VMR_API enum vmr_status vmr_error_set_host(struct vmr_error *err, int host_errno, const char *format, ...)
    VMR_PRINTF(3, 4);

VMR_END_DECLS
