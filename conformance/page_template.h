/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The page of conformance/page/ on both sides of the certificates; page.py makes it.
 */

#include <stddef.h>

extern const unsigned char page_before[], page_after[];
extern const size_t page_before_size, page_after_size;
