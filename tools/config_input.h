/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration file from the command line, and what is wrong with it.
 */

#include <jansson.h>

#include "tools/report.h"
#include "vmrig/config_file.h"

/*
 * Reads a file ("-": stdin). VMR_E_CONFIG: what is wrong is in `report`. Other
 * failures have been said on stderr. The file is for vmr_config_file_destroy,
 * the report for vmr_config_report_finish.
 */
VMR_MUST_CHECK enum vmr_status config_input_read(const char *command, const char *name,
                                                 struct vmr_config_file **ret_file, struct vmr_config_report *report);
/* One line each: "FILE:LINE:COLUMN: PATH: message [CODE]". */
void config_input_print_findings(FILE *out, const char *name, const struct vmr_config_report *report);
/* [{"code", "path", "line", "column", "message"}], without line and column where there are none. NULL: no memory. */
json_t *config_input_findings_json(const struct vmr_config_report *report);
/* For commands that go on from there: the file, or NULL, with everything said on stderr. */
struct vmr_config_file *config_input_need(const char *command, const char *name);
/*
 * Where a file is that the configuration `name` says is at `path`: relative ones lie in its folder ("-": the current
 * one). For free(). NULL: out of memory.
 */
char *config_input_beside(const char *name, const char *path);
