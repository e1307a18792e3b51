/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The library's handlers of hypercalls, by subject: each file calls_*.c has some.
 * All have the signature of struct vmr_hv_call_handler; the context is the guest
 * interface. Which of them a partition has is decided in guest_call.c.
 */

#include "lib/hv/guest.h"

/* --- calls_flush.c: where the target can flush --- */

enum hv_status calls_flush(void *context, struct vmr_hv_call *call);
enum hv_status calls_flush_ex(void *context, struct vmr_hv_call *call);
