/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON on stdout.
 */

#include <jansson.h>

/* Prints `json` and a newline, and releases it. NULL is what jansson gives when memory runs out. Returns the status. */
int json_print(const char *command, json_t *json);
