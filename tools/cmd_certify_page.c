/* SPDX-License-Identifier: MIT */
/*
 * vmrig certify page: certificates as one HTML page. All of it is made before
 * the file is touched, so that a bad certificate costs no older page.
 */

#include "tools/cmd_certify_page.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/page.h"
#include "tools/infile.h"
#include "tools/outfile.h"

/* Far more than a certificate of any suite has; one that is larger is something else. */
#define CERTIFICATE_BYTES_MAX ((size_t)64 << 20)

const struct args_spec certify_page_spec = {
    .operands = {"OUT", "CERTIFICATE..."},
    .last_repeats = true,
    .details = "Writes one HTML page that needs no other file and no network. '-' is stdout, or stdin.\n",
};

static json_t *parse(const char *command, const char *name, const void *bytes, size_t size)
{
    const char *reason;
    json_error_t error;
    json_t *certificate = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

    if (!certificate) {
        (void)tool_fail(command, "'%s': line %d: %s", name, error.line, error.text);
        return NULL;
    }
    if (page_accepts(certificate, &reason))
        return certificate;
    (void)tool_fail(command, "'%s' %s", name, reason);
    json_decref(certificate);
    return NULL;
}

/* NULL: what was wrong has been said. */
static json_t *load(const char *command, const char *name)
{
    struct infile input = {0};
    struct vmr_error err = {0};
    json_t *certificate = NULL;
    void *bytes;
    size_t size;

    if (infile_open(&input, name, &err) != VMR_OK ||
        infile_read_all(&input, CERTIFICATE_BYTES_MAX, &bytes, &size, &err) != VMR_OK) {
        (void)tool_fail(command, "%s", err.message);
    } else {
        certificate = parse(command, name, bytes, size);
        free(bytes);
    }
    infile_close(&input);
    return certificate;
}

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
        json_t *certificate = load(args->command, args->operands[i]);

        if (!certificate || json_array_append_new(certificates, certificate) != 0) {
            json_decref(certificates);
            return TOOL_FAILED;
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
