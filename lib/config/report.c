/* SPDX-License-Identifier: MIT */
/*
 * A list of findings that grows up to its limit and then only counts: a hostile
 * file has as many mistakes as it has bytes.
 */

#include "lib/config/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vmr_config_finding *make_room(struct vmr_config_report *report)
{
    if (report->count == report->capacity) {
        size_t capacity = report->capacity ? report->capacity * 2 : 8;

        if (capacity > VMR_CONFIG_FINDING_MAX)
            capacity = VMR_CONFIG_FINDING_MAX;

        struct vmr_config_finding *findings =
            capacity > report->count ? realloc(report->findings, capacity * sizeof(*findings)) : NULL;

        if (!findings) {
            report->omitted++;
            return NULL;
        }
        report->findings = findings;
        report->capacity = capacity;
    }
    return &report->findings[report->count++];
}

/* What stands in a file may be printed on a terminal; bytes above 0x7f belong to UTF-8 that was checked. */
static void clean(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static void VMR_PRINTF(4, 0) add(struct vmr_config_report *report, const struct vmr_config_rule *rule,
                                 const struct report_place *place, const char *format, va_list arguments)
{
    struct vmr_config_finding *finding = make_room(report);

    if (!finding)
        return;
    *finding = (struct vmr_config_finding){.rule = rule, .line = place->line, .column = place->column};
    snprintf(finding->path, sizeof(finding->path), "%s", place->path);
    vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    clean(finding->path);
    clean(finding->message);
}

void report_add(struct vmr_config_report *report, const struct vmr_config_rule *rule, const struct config_path *path,
                const char *format, ...)
{
    const struct report_place place = {.path = path ? path->text : ""};
    va_list arguments;

    va_start(arguments, format);
    add(report, rule, &place, format, arguments);
    va_end(arguments);
}

void report_add_at(struct vmr_config_report *report, const struct vmr_config_rule *rule,
                   const struct report_place *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(report, rule, place, format, arguments);
    va_end(arguments);
}

void report_add_text(struct vmr_config_report *report, const struct vmr_config_rule *rule, const char *path,
                     const char *format, ...)
{
    const struct report_place place = {.path = path};
    va_list arguments;

    va_start(arguments, format);
    add(report, rule, &place, format, arguments);
    va_end(arguments);
}

size_t report_total(const struct vmr_config_report *report)
{
    return report->count + report->omitted;
}

static bool comes_later(const struct vmr_config_finding *a, const struct vmr_config_finding *b)
{
    if (a->line == 0 || b->line == 0)
        return a->line == 0 && b->line != 0;
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* By insertion: stable, and there are few. */
void report_sort(struct vmr_config_report *report)
{
    for (size_t i = 1; i < report->count; i++) {
        struct vmr_config_finding finding = report->findings[i];
        size_t at = i;

        for (; at > 0 && comes_later(&report->findings[at - 1], &finding); at--)
            report->findings[at] = report->findings[at - 1];
        report->findings[at] = finding;
    }
}

void vmr_config_report_finish(struct vmr_config_report *report)
{
    free(report->findings);
    *report = (struct vmr_config_report){0};
}
