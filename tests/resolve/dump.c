/* SPDX-License-Identifier: MIT */
/*
 * Prints the machine that a configuration on stdin asks for, in a process of that
 * locale: `dump text|json|svg LOCALE`. Fails where the C library does not take
 * the name for one.
 */

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmrig/config_file.h"
#include "vmrig/resolved.h"

#define INPUT_MAX (1u << 20)

static void say_findings(const struct vmr_config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        (void)fprintf(stderr, "%s: %s\n", report->findings[i].path, report->findings[i].message);
}

static enum vmr_status print(const char *form, const struct vmr_resolved *resolved, struct vmr_config_text *ret_text)
{
    if (strcmp(form, "json") == 0)
        return vmr_resolved_print_json(resolved, ret_text, NULL);
    if (strcmp(form, "svg") == 0)
        return vmr_resolved_print_svg(resolved, ret_text, NULL);
    return vmr_resolved_print(resolved, ret_text, NULL);
}

static bool dump(const char *input, size_t size, const char *form)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    struct vmr_resolved *resolved = NULL;
    struct vmr_config_text text = {0};
    bool done = vmr_config_file_read(input, size, &file, &report) == VMR_OK &&
                vmr_resolve(vmr_config_file_get(file), &resolved, &report) == VMR_OK;

    say_findings(&report);
    done = done && print(form, resolved, &text) == VMR_OK && fwrite(text.bytes, 1, text.length, stdout) == text.length;
    free(text.bytes);
    vmr_resolved_destroy(resolved);
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return done;
}

int main(int argc, char **argv)
{
    static char input[INPUT_MAX];

    if (argc != 3 || !setlocale(LC_ALL, argv[2])) {
        (void)fprintf(stderr, "usage: dump text|json|svg LOCALE\n");
        return 2;
    }
    size_t size = fread(input, 1, sizeof(input), stdin);

    return dump(input, size, argv[1]) ? 0 : 1;
}
