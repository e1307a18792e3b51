/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Numbers as people and metadata write them: decimal digits and nothing else,
 * refused when they do not fit.
 */

#include <stdbool.h>
#include <stdint.h>

/* "1234" */
bool number_parse(const char *text, uint64_t *ret_value);
/* "2097152", "64K", "64M", "1G", "1T": binary multiples. */
bool number_parse_size(const char *text, uint64_t *ret_value);
