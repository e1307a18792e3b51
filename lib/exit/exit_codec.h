/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An exit to and from bytes. The two halves are stored apart, because a trace
 * holds the inputs where they arrive and the answer where it is given; the
 * answer's layout follows from the inputs, which must be decoded first. Each
 * exit has one encoding: bytes that decode encode to themselves. [EXIT-7]
 */

#include "lib/base/reader.h"
#include "lib/base/writer.h"
#include "lib/exit/exit.h"

/*
 * EXIT_INPUTS, EXIT_ANSWER or both in turn. An invalid exit fails the writer.
 * CPUID results are in both halves: each is encoded while it is there.
 */
void exit_encode(struct writer *writer, const struct vmr_exit *vp_exit, enum exit_part part);

/*
 * One half. EXIT_INPUTS: replaces `vp_exit`; the answer in it is zero.
 * EXIT_ANSWER: adds the answer to the inputs that `vp_exit` holds. String data
 * goes to `string_storage`, VMR_STRING_IO_BYTES_MAX bytes (also written on
 * failure), which u.io.bytes then points to. False, the reader failed and
 * `vp_exit` unchanged, for anything that is not a valid exit.
 */
bool exit_decode(struct reader *reader, struct vmr_exit *vp_exit, uint8_t *string_storage, enum exit_part part);
