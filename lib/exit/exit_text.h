/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An exit as a line of text: what vmr_exit_print writes, by halves, and the way
 * back. Used by scripts and by the text form of traces. [EXIT-7]
 *
 *   io read port=0x71 size=1 value=0x26 native=0x2
 *   ^kind ^direction      ^ fields of the kind ^ fields of every exit
 *
 * The printer writes the fields in one order and leaves out a common field that
 * is zero. The parser takes them in any order, decimal or hexadecimal, once
 * each. Columns in messages count from 1 at `line`.
 */

#include "lib/exit/exit.h"
#include "vmrig/error.h"

/* The longest line of a valid exit is string I/O: two digits a byte, and what stands around them. */
#define EXIT_TEXT_MAX (2u * VMR_STRING_IO_BYTES_MAX + 256u)

/*
 * EXIT_INPUTS: kind, inputs, common fields. EXIT_ANSWER: the answer's fields
 * alone, nothing for an exit that takes no answer. EXIT_WHOLE: as
 * vmr_exit_print. Cut to `size`; returns what all of it takes, as snprintf does.
 */
size_t exit_text_print(const struct vmr_exit *vp_exit, enum exit_part part, char *buffer, size_t size);

/*
 * The inverse of EXIT_INPUTS and EXIT_WHOLE: an answer that is not given is
 * zero. String data goes to `string_storage`, VMR_STRING_IO_BYTES_MAX bytes
 * (also written on failure), which u.io.bytes then points to. VMR_E_CORRUPT,
 * with column and word, for anything that is not a valid exit.
 */
enum vmr_status exit_text_parse(const char *line, size_t length, struct vmr_exit *ret_exit, uint8_t *string_storage,
                                struct vmr_error *err);

/*
 * The inverse of EXIT_ANSWER, for the text from `start` to `length`: puts the
 * answer into an exit whose inputs are known. CPUID results that are not named
 * stay what they are.
 */
enum vmr_status exit_text_parse_answer(const char *line, size_t start, size_t length, struct vmr_exit *vp_exit,
                                       uint8_t *string_storage, struct vmr_error *err);
