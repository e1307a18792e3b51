/* SPDX-License-Identifier: MIT */
/*
 * Texts that claim to be configurations: what is refused has findings that name
 * a rule and a place in the text, what is taken is taken by the check alone too,
 * and prints as something that reads and prints the same. [CFG-2] [CFG-3] [CFG-4]
 */

#include "fuzz/fuzz.h"

#include <string.h>

#include "vmrig/config_file.h"

static uint32_t count_lines(const uint8_t *data, size_t size)
{
    uint32_t lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

static void check_findings(const struct vmr_config_report *report, const uint8_t *data, size_t size)
{
    const uint32_t lines = count_lines(data, size);

    FUZZ_CHECK(report->count > 0 && report->count <= VMR_CONFIG_FINDING_MAX);
    FUZZ_CHECK(report->omitted == 0 || report->count == VMR_CONFIG_FINDING_MAX);
    for (size_t i = 0; i < report->count; i++) {
        const struct vmr_config_finding *one = &report->findings[i];

        FUZZ_CHECK(vmr_config_rule_find(one->rule->code) == one->rule);
        FUZZ_CHECK(one->message[0] != '\0' && memchr(one->message, '\0', sizeof(one->message)));
        FUZZ_CHECK(memchr(one->path, '\0', sizeof(one->path)));
        FUZZ_CHECK(one->line <= lines && (one->line == 0) == (one->column == 0));
        FUZZ_CHECK(one->line != 0 || one->path[0] == '\0'); /* what has a path has a place */
        FUZZ_CHECK(i == 0 || one->line == 0 || one[-1].line <= one->line);
    }
}

static void check_same(const struct vmr_config_text *printed)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    struct vmr_config_text again;
    enum vmr_status status = vmr_config_file_read(printed->bytes, printed->length, &file, &report);

    FUZZ_CHECK(status == VMR_OK);
    FUZZ_CHECK(vmr_config_print(vmr_config_file_get(file), &again, NULL) == VMR_OK);
    FUZZ_CHECK(again.length == printed->length && memcmp(again.bytes, printed->bytes, again.length) == 0);
    free(again.bytes);
    vmr_config_file_destroy(file);
}

static void check_good(const struct vmr_config *config)
{
    struct vmr_config_report report = {0};
    struct vmr_config_text printed;

    FUZZ_CHECK(vmr_config_check(config, &report) == VMR_OK && report.count == 0);
    FUZZ_CHECK(vmr_config_print(config, &printed, NULL) == VMR_OK);
    check_same(&printed);
    free(printed.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;

    if (size > FUZZ_INPUT_MAX)
        return 0;
    enum vmr_status status = vmr_config_file_read(data, size, &file, &report);

    FUZZ_CHECK(status == VMR_OK || status == VMR_E_CONFIG);
    if (status == VMR_OK) {
        FUZZ_CHECK(report.count == 0 && report.omitted == 0);
        check_good(vmr_config_file_get(file));
    } else {
        FUZZ_CHECK(!file);
        check_findings(&report, data, size);
    }
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return 0;
}
