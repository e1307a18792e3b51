/* SPDX-License-Identifier: MIT */
#pragma once

/* Registers that place a page, as saved state has them: SIMP, SIEFP, VP assist page, reference TSC page. */

#include "lib/hv/overlay.h"

/* VMR_E_CONFIG, naming the class and the field, for a register that no guest could have written. */
enum vmr_status page_register_check(uint64_t value, const char *class_name, const char *field, struct vmr_error *err);
/* Moves the page to where a checked register has it. Its content is there already, or comes along where it is off. */
void page_register_apply(struct overlay *page, uint64_t value);
/* VMR_E_CONFIG, and nothing written: the content is another than what is there, and there is no RAM. */
enum vmr_status page_content_restore(struct overlay *page, const uint8_t content[VMR_PAGE_SIZE], const char *class_name,
                                     struct vmr_error *err);
/* All of it, of a class with a register `value` and its content. On failure the overlay may have moved. */
enum vmr_status page_restore(struct overlay *page, uint64_t value, const uint8_t content[VMR_PAGE_SIZE],
                             const char *class_name, struct vmr_error *err);
