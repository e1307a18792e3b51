/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text that grows: formatted pieces into a writer (lib/base/writer.h), whose
 * failure is looked at once, in the end.
 */

#include "lib/base/writer.h"
#include "vmrig/config_report.h"

/* What a description of a machine at all limits takes, some times over. */
#define TEXT_OUT_MAX (64u << 20)

void text_out(struct writer *writer, const char *format, ...) VMR_PRINTF(2, 3);
/* Hands the bytes over, terminated; the writer is empty afterwards. VMR_E_NOMEM. */
VMR_MUST_CHECK enum vmr_status text_out_finish(struct writer *writer, struct vmr_config_text *ret_text,
                                               struct vmr_error *err);
