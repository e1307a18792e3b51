/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Values of backend parameters. That keys are known and unique was checked
 * before; here a key that was not given leaves the output alone, and a value
 * that does not parse names the key and the value.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vmrig/probe.h"

/* NULL if `key` was not given. */
const char *params_find(const struct vmr_params *params, const char *key);
/* true, 1, yes; false, 0, no. */
enum vmr_status params_get_bool(const struct vmr_params *params, const char *key, bool *ret_value,
                                struct vmr_error *err);
/* Decimal digits only, minimum..maximum. */
enum vmr_status params_get_number(const struct vmr_params *params, const char *key, uint32_t minimum, uint32_t maximum,
                                  uint32_t *ret_value, struct vmr_error *err);
/* `choices` ends with NULL; gives the index of the one that was named. */
enum vmr_status params_get_choice(const struct vmr_params *params, const char *key, const char *const *choices,
                                  unsigned *ret_index, struct vmr_error *err);
