/* SPDX-License-Identifier: MIT */
/*
 * A configuration file: its text, what it says, and where it says it.
 */

#include "vmrig/config_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/config/json_reader.h"

struct vmr_config_file {
    struct arena arena;
    const struct doc_value *root;
    struct vmr_config config;
};

/* Whether one of two paths leads through the other. */
static bool is_prefix(const char *path, const char *longer)
{
    size_t length = strlen(path);

    return length == 0 || (strncmp(path, longer, length) == 0 && strchr(".[", longer[length]));
}

static bool concerns_unread(const char *path, const struct unread *unread)
{
    for (; unread; unread = unread->next) {
        if (is_prefix(path, unread->path) || is_prefix(unread->path, path))
            return true;
    }
    return false;
}

/* Findings move with their places; those of parts that were not read are about what is there instead. */
static void hand_over(struct vmr_config_report *from, const struct unread *unread, struct vmr_config_report *to)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct vmr_config_finding *finding = &from->findings[i];
        const struct report_place place = {finding->path, finding->line, finding->column};

        if (finding->line != 0 || !concerns_unread(finding->path, unread))
            report_add_at(to, finding->rule, &place, "%s", finding->message);
    }
    to->omitted += from->omitted;
    vmr_config_report_finish(from);
}

void vmr_config_file_locate(const struct vmr_config_file *file, struct vmr_config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        struct vmr_config_finding *finding = &report->findings[i];

        if (finding->line != 0 || finding->path[0] == '\0')
            continue;

        const struct doc_value *value = doc_find(file->root, finding->path);

        finding->line = value->place.line;
        finding->column = value->place.column;
    }
    report_sort(report);
}

/* All that can be said of it goes to `report`. */
static enum vmr_status read_file(struct vmr_config_file *file, const char *text, size_t length,
                                 struct vmr_config_report *report)
{
    struct json_reader reader = {.arena = &file->arena, .report = report};
    struct vmr_config_report checked = {0};
    enum vmr_status status = doc_read(text, length, &file->arena, &file->root, report);

    if (status != VMR_OK)
        return status;
    json_read_struct(&reader, &model_config, file->root, &file->config);
    if (reader.no_memory)
        return VMR_E_NOMEM;
    status = vmr_config_check(&file->config, &checked);
    hand_over(&checked, reader.unread, report);
    vmr_config_file_locate(file, report);
    if (status == VMR_OK || status == VMR_E_CONFIG)
        status = report_total(report) > 0 ? VMR_E_CONFIG : VMR_OK;
    return status;
}

enum vmr_status vmr_config_file_read(const void *text, size_t length, struct vmr_config_file **ret_file,
                                     struct vmr_config_report *report)
{
    struct vmr_config_file *file = calloc(1, sizeof(*file));
    struct vmr_config_report own = {0};

    if (!file)
        return VMR_E_NOMEM;

    enum vmr_status status = read_file(file, text, length, &own);

    hand_over(&own, NULL, report);
    if (status != VMR_OK) {
        vmr_config_file_destroy(file);
        return status;
    }
    *ret_file = file;
    return VMR_OK;
}

void vmr_config_file_destroy(struct vmr_config_file *file)
{
    if (!file)
        return;
    arena_finish(&file->arena);
    free(file);
}

const struct vmr_config *vmr_config_file_get(const struct vmr_config_file *file)
{
    return &file->config;
}
