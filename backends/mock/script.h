/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A script: exits written by hand, one a line, with what the library must
 * answer. The whole text is checked when it is loaded. [MOCK-3]
 */

#include "vmrig/exit.h"
#include "vmrig/error.h"

struct script;

enum vmr_status script_create(const char *text, size_t length, struct script **ret_script, struct vmr_error *err);
void script_destroy(struct script *script); /* NULL is fine */

/* Holds the answer against the script, and gives the next exit; or a fatal one. */
void script_next(struct script *script, struct vmr_exit *vp_exit);
/* NULL while the library has done what the script says. */
const char *script_error(const struct script *script);
