/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where in a configuration one is: "numa.nodes[3].mem.mem_size". A walk appends
 * a step, looks, and cuts back to where it was. A path that is too long is cut:
 * it is for people, and for finding a place in a document that has limits.
 */

#include "vmrig/config_report.h"

/* Zeroed: the whole document. */
struct config_path {
    size_t length;
    char text[VMR_CONFIG_PATH_MAX]; /* terminated */
};

/* Each returns the length before, for path_cut. */
size_t path_key(struct config_path *path, const char *key);
size_t path_index(struct config_path *path, size_t index);
void path_cut(struct config_path *path, size_t length);
