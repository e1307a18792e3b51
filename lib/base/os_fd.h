/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one thing the core does with descriptors: close those it was given.
 */

void os_fd_close(int fd);
