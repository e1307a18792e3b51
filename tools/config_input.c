/* SPDX-License-Identifier: MIT */
/*
 * Files to configurations, findings to lines.
 */

#include "tools/config_input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/infile.h"

/* One byte more than a configuration may have is read at most: the library then says what it thinks of that. */
static enum vmr_status read_bytes(struct infile *input, char *bytes, size_t capacity, size_t *ret_size)
{
    struct vmr_trace_source source;
    size_t size = 0, got = 1;

    infile_source(input, &source);
    while (got > 0 && size < capacity) {
        if (source.read(source.context, bytes + size, capacity - size, &got) != VMR_OK)
            return VMR_E_HOST;
        size += got;
    }
    *ret_size = size;
    return VMR_OK;
}

static enum vmr_status read_open(struct infile *input, struct vmr_config_file **ret_file,
                                 struct vmr_config_report *report, struct vmr_error *err)
{
    const size_t capacity = (size_t)VMR_CONFIG_FILE_BYTES_MAX + 1;
    char *bytes = malloc(capacity);
    size_t size = 0;

    if (!bytes)
        return vmr_error_set(err, VMR_E_NOMEM, "no memory to read '%s'", input->name);

    enum vmr_status status = read_bytes(input, bytes, capacity, &size);

    if (status == VMR_OK) {
        status = vmr_config_file_read(bytes, size, ret_file, report);
        (void)vmr_error_set(err, status, "'%s': %s", input->name, vmr_status_name(status));
    } else {
        infile_explain(input, err);
    }
    free(bytes);
    return status;
}

enum vmr_status config_input_read(const char *command, const char *name, struct vmr_config_file **ret_file,
                                  struct vmr_config_report *report)
{
    struct vmr_error err = {0};
    struct infile input = {0};
    enum vmr_status status = infile_open(&input, name, &err);

    if (status == VMR_OK)
        status = read_open(&input, ret_file, report, &err);
    infile_close(&input);
    if (status != VMR_OK && status != VMR_E_CONFIG)
        (void)tool_fail(command, "%s", err.message);
    return status;
}

void config_input_print_findings(FILE *out, const char *name, const struct vmr_config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct vmr_config_finding *finding = &report->findings[i];

        (void)fprintf(out, "%s:", name);
        if (finding->line != 0)
            (void)fprintf(out, "%" PRIu32 ":%" PRIu32 ":", finding->line, finding->column);
        if (finding->path[0] != '\0')
            (void)fprintf(out, " %s:", finding->path);
        (void)fprintf(out, " %s [%s]\n", finding->message, finding->rule->code);
    }
    if (report->omitted > 0)
        (void)fprintf(out, "%s: and %zu more\n", name, report->omitted);
}

static json_t *finding_json(const struct vmr_config_finding *finding)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "code", finding->rule->code, "path", finding->path, "message",
                             finding->message, "rule", finding->rule->summary);

    if (json && finding->line != 0) {
        (void)json_object_set_new(json, "line", json_integer(finding->line));
        (void)json_object_set_new(json, "column", json_integer(finding->column));
    }
    return json;
}

json_t *config_input_findings_json(const struct vmr_config_report *report)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < report->count; i++) {
        if (json_array_append_new(array, finding_json(&report->findings[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

struct vmr_config_file *config_input_need(const char *command, const char *name)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    if (config_input_read(command, name, &file, &report) == VMR_E_CONFIG)
        config_input_print_findings(stderr, name, &report);
    vmr_config_report_finish(&report);
    return file;
}

char *config_input_beside(const char *config_name, const char *path)
{
    const char *slash = strrchr(config_name, '/');
    size_t folder = path[0] == '/' || !slash ? 0 : (size_t)(slash + 1 - config_name);
    size_t length = strlen(path);
    char *whole = malloc(folder + length + 1);

    if (!whole)
        return NULL;
    memcpy(whole, config_name, folder);
    memcpy(whole + folder, path, length + 1);
    return whole;
}
