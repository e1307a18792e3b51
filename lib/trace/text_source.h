/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A text trace as a source of binary bytes: packs line by line, so that
 * everything else reads one form. Used by trace_reader.c alone.
 */

#include "lib/trace/trace_text.h"
#include "lib/trace/window.h"

struct text_source;

/*
 * Takes over what `window` holds and its source. Errors name the line. The
 * source that comes out lives as long as the text_source.
 */
enum vmr_status text_source_create(const struct window *window, struct text_source **ret_text,
                                   struct vmr_trace_source *ret_source, struct vmr_error *err);
void text_source_destroy(struct text_source *text);
/* Why reading failed; status VMR_OK if it did not. */
const struct vmr_error *text_source_error(const struct text_source *text);
