/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a backend's table has what it must: the operations that every backend
 * has, and those that the capabilities it declares are reached by. [BACK-1]
 */

#include "vmrig/backend.h"

/* The name, static, of the first operation that is NULL and must not be; NULL: all are there. */
const char *conf_missing_operation(const struct vmr_backend *backend);
/* VMR_E_CONFIG: the capabilities promise an operation that is NULL; the message names both. */
VMR_MUST_CHECK enum vmr_status conf_operations_check(const struct vmr_backend *backend, const struct vmr_caps *caps,
                                                     struct vmr_error *err);
