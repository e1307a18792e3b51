/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A backend of its own, outside the library, small enough to be read in one go. It drives a toy hypervisor (toy/), as a
 * real one would drive KVM, and so needs no device. docs/backend_guide.md builds it.
 *
 *   backend.c   the table: what vmrig calls
 *   plugin.c    the one function that a shared object exports
 *   broken/     the same, wrong in one place each: what the conformance suite is for
 */

#include <vmrig/backend_plugin.h>

#include "toy/toy.h"

const struct vmr_backend *example_backend(void);
