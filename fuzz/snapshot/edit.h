/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Changes of a snapshot that an input chooses: values of states, bytes, lengths
 * and flags; sections and pages that are added, repeated, moved or missing; the
 * parent.
 */

#include "fuzz/snapshot/sections.h"
#include "fuzz/support/input.h"

/* One of them. There is a section. */
void edit_section(struct input *input, struct sections *sections);
