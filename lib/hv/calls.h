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

/* --- calls_vtl.c: where there are VTLs --- */

enum hv_status calls_enable_partition_vtl(void *context, struct vmr_hv_call *call);
enum hv_status calls_enable_vp_vtl(void *context, struct vmr_hv_call *call);
enum hv_status calls_modify_vtl_protection(void *context, struct vmr_hv_call *call);
/* Of struct vmr_hv_vtl_switch_handler. */
bool calls_switch_vtl(void *context, const struct vmr_hv_vtl_switch *request);

/* --- calls_isolation.c: in an isolated partition --- */

enum hv_status calls_accept_pages(void *context, struct vmr_hv_call *call);
enum hv_status calls_modify_visibility(void *context, struct vmr_hv_call *call);
enum hv_status calls_query_visibility(void *context, struct vmr_hv_call *call);
