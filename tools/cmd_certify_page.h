/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * vmrig certify page, for the table of cmd_certify.c.
 */

#include "tools/command.h"

extern const struct args_spec certify_page_spec;
int certify_page(const struct args *args);
