/* SPDX-License-Identifier: MIT */
/*
 * vmrig certify page: certificates as one HTML page. All of it is made before
 * the file is touched, so that a bad certificate costs no older page.
 */

#include "tools/cmd_certify_page.h"

#include <stdlib.h>

#include "conformance/page.h"
#include "conformance/verify.h"
#include "tools/outfile.h"

const struct args_spec certify_page_spec = {
    .operands = {"OUT", "CERTIFICATE..."},
    .last_repeats = true,
    .details = "Writes one HTML page that needs no other file and no network. '-' is stdout.\n",
};

static int save(const char *command, const char *name, const void *page, size_t size)
{
    struct vmr_trace_sink sink;
    struct vmr_error err = {0};
    struct outfile *output = malloc(sizeof(*output));
    int ret = TOOL_OK;

    if (!output)
        return tool_fail(command, "out of memory");
    outfile_init(output, name, OUTFILE_WHOLE);
    outfile_sink(output, &sink);
    if (outfile_open(output, &err) != VMR_OK || sink.write(sink.context, page, size) != VMR_OK ||
        outfile_finish(output, &err) != VMR_OK) {
        outfile_explain(output, &err);
        ret = tool_fail(command, "%s", err.message);
    }
    outfile_discard(output);
    free(output);
    return ret;
}

int certify_page(const struct args *args)
{
    json_t *certificates = json_array();
    char *page = NULL;
    size_t size = 0;
    int ret = TOOL_FAILED;

    for (size_t i = 1; i < args->operand_count; i++) {
        json_t *certificate = certificate_read(args->operands[i], stderr);

        int failed = certificate ? json_array_append_new(certificates, certificate) : TOOL_FAILED;

        if (failed != 0) {
            json_decref(certificates);
            return certificate ? tool_fail(args->command, "out of memory") : TOOL_FAILED;
        }
    }
    FILE *file = open_memstream(&page, &size);
    bool made = file && page_write(certificates, file);

    if (file && fclose(file) == 0 && made)
        ret = save(args->command, args->operands[0], page, size);
    else
        (void)tool_fail(args->command, "out of memory");
    free(page);
    json_decref(certificates);
    return ret;
}
