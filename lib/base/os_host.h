/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Parts of the ordinary process's host that its files have from each other.
 */

#include "vmrig/host.h"

/* As in the table; the context is not used. */
enum vmr_status os_thread_start(void *context, const char *name, void (*body)(void *argument), void *argument,
                                struct vmr_thread **ret_thread);
void os_thread_join(void *context, struct vmr_thread *thread);

extern const struct vmr_event_ops os_events;
