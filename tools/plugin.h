/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Backends from shared objects: vmrig_backend of vmrig/backend_plugin.h. What a plug-in
 * calls of the library is the command's own copy of it, whose functions the
 * command exports, and no second one.
 */

#include "vmrig/error.h"
#include "vmrig/limits.h"

struct vmr_backend;

struct plugins {
    size_t count;
    const struct vmr_backend *backends[VMR_BACKEND_MAX];
};

/*
 * Loads `count` files; each error names the file and what is wrong with it. A
 * name without a slash is a file of this folder, not one to search for. They
 * stay loaded: a scenario that is given up leaves threads behind in them.
 */
VMR_MUST_CHECK enum vmr_status plugins_load(const char *const *files, size_t count, struct plugins *ret_plugins,
                                            struct vmr_error *err);
