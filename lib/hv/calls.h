/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The library's handlers of hypercalls, by subject: each file calls_*.c has some.
 * All have the signature of struct vmr_hv_call_handler; the context is the guest
 * interface. Which of them a partition has is decided in guest_call.c.
 */

#include "lib/hv/guest.h"

/* --- calls_target.c: whom a call names; what several inputs have in common --- */

/* The first 8 bytes of most inputs: only the caller's own partition can be named. */
enum hv_status calls_check_partition(const struct vmr_hv_call *call);
/* Resolves HV_VP_INDEX_SELF. HV_STATUS_INVALID_VP_INDEX if there is no such VP. */
enum hv_status calls_find_vp(const struct vmr_hv_guest *guest, const struct vmr_hv_call *call, uint32_t guest_vp,
                             vmr_vp_index *ret_vp);
/* An HV_INPUT_VTL: a malformed one is HV_STATUS_INVALID_PARAMETER, one above the caller's HV_STATUS_ACCESS_DENIED. */
enum hv_status calls_find_vtl(const struct vmr_hv_call *call, uint8_t guest_vtl, uint8_t *ret_vtl);
/* A plain VTL number: above VTL 2 and above the caller's alike. */
enum hv_status calls_check_vtl(const struct vmr_hv_call *call, uint8_t guest_vtl);
/* Processors by their set: format and banks at `offset` of the input, the words of the banks in the variable header. */
enum hv_status calls_find_vps(const struct vmr_hv_call *call, size_t offset, struct vmr_hv_vp_set *ret_set);
/* What the guest's processor has. */
struct x86_limits;
struct x86_limits calls_limits(const struct vmr_hv_guest *guest);

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
/* --- calls_ipi.c --- */

enum hv_status calls_send_ipi(void *context, struct vmr_hv_call *call);
enum hv_status calls_send_ipi_ex(void *context, struct vmr_hv_call *call);
/* Where the target takes messages. */
enum hv_status calls_assert_interrupt(void *context, struct vmr_hv_call *call);

/* --- calls_registers.c --- */

enum hv_status calls_get_registers(void *context, struct vmr_hv_call *call);
enum hv_status calls_set_registers(void *context, struct vmr_hv_call *call);

/* --- calls_vp.c --- */

enum hv_status calls_vp_index(void *context, struct vmr_hv_call *call);
/* Where the target can start a VP. */
enum hv_status calls_start_vp(void *context, struct vmr_hv_call *call);

/* --- calls_direct.c: from a higher VTL to a lower one --- */

enum hv_status calls_signal_direct(void *context, struct vmr_hv_call *call);
enum hv_status calls_post_direct(void *context, struct vmr_hv_call *call);

/* --- calls_device.c --- */

enum hv_status calls_retarget(void *context, struct vmr_hv_call *call);

/* --- calls_translate.c --- */

enum hv_status calls_translate(void *context, struct vmr_hv_call *call);
enum hv_status calls_translate_ex(void *context, struct vmr_hv_call *call);
