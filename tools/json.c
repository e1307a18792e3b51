/* SPDX-License-Identifier: MIT */
/*
 * JSON on stdout: one document, and nothing if it could not be made.
 */

#include "tools/json.h"

#include <stdio.h>

#include "tools/report.h"

int json_print(const char *command, json_t *json)
{
    if (!json)
        return tool_fail(command, "out of memory");

    int failed = json_dumpf(json, stdout, JSON_INDENT(1));

    json_decref(json);
    if (failed != 0)
        return tool_finish_stdout(command, TOOL_OK) ? TOOL_FAILED : tool_fail(command, "out of memory");
    (void)putchar('\n');
    return TOOL_OK;
}
