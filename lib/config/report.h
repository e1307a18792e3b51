/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Adding to a report.
 */

#include "lib/config/path.h"

/* A finding of `rule` at `path` (NULL: the whole). The format names the value. Control characters become '?'. */
void report_add(struct vmr_config_report *report, const struct vmr_config_rule *rule, const struct config_path *path,
                const char *format, ...) VMR_PRINTF(4, 5);
/* A place in a file. */
struct report_place {
    const char *path;
    uint32_t line, column; /* from 1 */
};
/* The same there. */
void report_add_at(struct vmr_config_report *report, const struct vmr_config_rule *rule,
                   const struct report_place *place, const char *format, ...) VMR_PRINTF(4, 5);
/* The same where the place is known as a text: "" is the whole. */
void report_add_text(struct vmr_config_report *report, const struct vmr_config_rule *rule, const char *path,
                     const char *format, ...) VMR_PRINTF(4, 5);
/* Found so far, kept or not: a caller compares, to see whether he himself has added any. */
size_t report_total(const struct vmr_config_report *report);
/* In the order of lines and columns; those without stay in their order, behind the others. */
void report_sort(struct vmr_config_report *report);
