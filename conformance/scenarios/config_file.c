/* SPDX-License-Identifier: MIT */
/*
 * Configuration files: what is none is refused with its place, whatever it is;
 * what is printed reads the same.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/conformance.h"
#include "vmrig/config_file.h"

static const char good[] =
    "{\n"
    "  \"load_mode\": {\"linux\": {\"kernel\": \"bzImage\", \"cmdline\": \"console=ttyS0\"}},\n"
    "  \"pcie_root_complexes\": [{\"name\": \"rc0\", \"end_bus\": 255,\n"
    "    \"low_mmio\": {\"fixed\": \"0xc0000000-0xcfffffff\"}, \"ports\": [{\"name\": \"rp0\"}]}],\n"
    "  \"pcie_devices\": [{\"port_name\": \"rp0\", \"resource\": {\"id\": \"nvme\",\n"
    "    \"parameters\": {\"disk\": {\"id\": \"disk-file\"}, \"queues\": 4, \"serial\": {\"text\": \"64K\"}}}}],\n"
    "  \"numa\": {\"nodes\": [{\"mem\": {\"mem_size\": \"1GiB\"}}]},\n"
    "  \"processor_topology\": {\"proc_count\": 2}\n"
    "}\n";

static const struct {
    const char *text;
    uint32_t line, column;
    const char *code, *path, *says;
} refusals[] = {
    {"", 1, 1, "CFG-FILE-SYNTAX", "", ""},
    {"{\"numa\": }", 1, 10, "CFG-FILE-SYNTAX", "", "}"},
    {"\n\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 3, 33, "CFG-FILE-DEPTH", "", "nested"},
    {"{\"arch\":\n \"\xff\"}", 2, 2, "CFG-FILE-ENCODING", "", "0xff"},
    {"{\"numb\": 1}", 1, 2, "CFG-FILE-KEY-UNKNOWN", "numb", "\"numa\""},
    {"{\"vmbus\": {},\n \"vmbus\": {}}", 2, 2, "CFG-FILE-KEY-TWICE", "vmbus", "second"},
    {"{\"processor_topology\":\n {\"proc_count\": 18446744073709551616}}", 2, 17, "CFG-FILE-NUMBER-FIT",
     "processor_topology.proc_count", "18446744073709551616"},
    {"{\"processor_topology\": {\"proc_count\": 2.0}}", 1, 39, "CFG-FILE-INTEGER", "processor_topology.proc_count",
     "2.0"},
    {"{\"numa\": {\"nodes\": [{}, {\"mem\": {\"mem_size\": \"1GB\"}}]}}", 1, 46, "CFG-FILE-NUMBER-TEXT",
     "numa.nodes[1].mem.mem_size", "1GB"},
    {"{\"vga_firmware\": \"a\\u0000b\"}", 1, 18, "CFG-FILE-TEXT-NUL", "vga_firmware", "zero byte"},
};

static const struct vmr_config_finding *find_code(const struct vmr_config_report *report, const char *code)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->findings[i].rule->code, code) == 0)
            return &report->findings[i];
    }
    return NULL;
}

static void refused(struct conf *conf)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct vmr_config_report report = {0};
        struct vmr_config_file *file = NULL;
        const char *text = refusals[i].text;
        enum vmr_status status = vmr_config_file_read(text, strlen(text), &file, &report);
        const struct vmr_config_finding *one = find_code(&report, refusals[i].code);

        CONF_CHECK(conf, status == VMR_E_CONFIG && !file, "%s is taken: %s", text, vmr_status_name(status));
        CONF_CHECK(conf, one != NULL, "%s: not for %s", text, refusals[i].code);
        if (one) {
            CONF_CHECK(conf, one->line == refusals[i].line && one->column == refusals[i].column, "%s: at %u:%u", text,
                       one->line, one->column);
            CONF_CHECK(conf, strcmp(one->path, refusals[i].path) == 0, "%s: at %s", text, one->path);
            CONF_CHECK(conf, strstr(one->message, refusals[i].says) != NULL, "%s: %s", text, one->message);
        }
        vmr_config_report_finish(&report);
    }
}

static void cut_anywhere(struct conf *conf)
{
    const size_t whole = strlen(good) - 2; /* without the last bracket */

    for (size_t length = 0; length <= whole; length++) {
        struct vmr_config_report report = {0};
        struct vmr_config_file *file = NULL;
        char *copy = malloc(length + 1); /* no byte behind the text is looked at */

        CONF_REQUIRE(conf, copy != NULL, "no memory");
        memcpy(copy, good, length);
        enum vmr_status status = vmr_config_file_read(copy, length, &file, &report);

        CONF_CHECK(conf, status == VMR_E_CONFIG && !file && report.count == 1, "%zu bytes: %s, %zu findings", length,
                   vmr_status_name(status), report.count);
        free(copy);
        vmr_config_report_finish(&report);
    }
}

/* Reads and prints. False: failed, and said so. */
static bool print_again(struct conf *conf, const char *text, size_t length, struct vmr_config_text *ret_printed)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    enum vmr_status status = vmr_config_file_read(text, length, &file, &report);

    CONF_CHECK(conf, status == VMR_OK, "refused: %s", report.count > 0 ? report.findings[0].message : "no finding");
    if (file)
        status = vmr_config_print(vmr_config_file_get(file), ret_printed, NULL);
    CONF_CHECK(conf, status == VMR_OK, "not printed: %s", vmr_status_name(status));
    vmr_config_file_destroy(file);
    vmr_config_report_finish(&report);
    return status == VMR_OK;
}

static void printed(struct conf *conf)
{
    struct vmr_config_text first = {0}, second = {0};

    CONF_REQUIRE(conf, print_again(conf, good, strlen(good), &first), "the good one");
    if (print_again(conf, first.bytes, first.length, &second))
        CONF_CHECK(conf, strcmp(first.bytes, second.bytes) == 0, "printed again, it is another");
    CONF_CHECK(conf, strstr(first.bytes, "\"serial\": {") && strstr(first.bytes, "\"text\": \"64K\""),
               "a text that looks like a size is one no more");
    CONF_CHECK(conf, strstr(first.bytes, "\"fixed\": \"0xc0000000-0xcfffffff\"") != NULL, "the window is another");
    CONF_CHECK(conf, !strstr(first.bytes, "\"arch\""), "a default is printed");
    free(first.bytes);
    free(second.bytes);
}

static const struct conf_scenario scenarios[] = {
    {.name = "what_is_no_configuration_is_refused_with_its_place",
     .family = "config_file",
     .clauses = "CFG-3",
     .flags = CONF_NO_BACKEND,
     .run = refused},
    {.name = "a_text_that_ends_anywhere_is_refused",
     .family = "config_file",
     .clauses = "CFG-3",
     .flags = CONF_NO_BACKEND,
     .run = cut_anywhere},
    {.name = "what_is_printed_reads_and_prints_the_same",
     .family = "config_file",
     .clauses = "CFG-4",
     .flags = CONF_NO_BACKEND,
     .run = printed},
};

CONF_FAMILY(config_file, scenarios);
