/* SPDX-License-Identifier: MIT */
/*
 * Checking configurations: everything at once, in the order of the document,
 * the same whoever asks, and nothing is computed of what is wrong.
 */

#include "conformance/conformance.h"

#include <stdlib.h>
#include <string.h>

#include "vmrig/config_file.h"

#define GIB UINT64_C(0x40000000)

static const struct vmr_memory_config memory = {.mem_size = GIB};
static const struct vmr_memory_config odd_memory = {.mem_size = GIB + 1};

struct expected {
    const char *code, *path;
};

static void check_findings(struct conf *conf, const struct vmr_config_report *report, const struct expected *expected,
                           size_t count)
{
    CONF_CHECK_EQ(conf, report->count + report->omitted, count, "findings");
    for (size_t i = 0; i < count && i < report->count; i++) {
        const struct vmr_config_finding *got = &report->findings[i];

        CONF_CHECK(conf, strcmp(got->rule->code, expected[i].code) == 0 && strcmp(got->path, expected[i].path) == 0,
                   "finding %zu is %s at '%s', not %s at '%s'", i, got->rule->code, got->path, expected[i].code,
                   expected[i].path);
        CONF_CHECK(conf, got->message[0] != '\0', "finding %zu says nothing", i);
        CONF_CHECK(conf, vmr_config_rule_find(got->rule->code) == got->rule, "%s is no rule", got->rule->code);
    }
}

/* --- all of it --- */

static const struct vmr_numa_node nodes[] = {{.mem = &odd_memory}, {.mem = &memory}};
static const struct vmr_numa_distance distances[] = {{.src = 0, .dst = 1, .distance = 9},
                                                     {.src = 1, .dst = 1, .distance = 11}};
static const struct vmr_pcie_root_complex_config complexes[] = {
    {.name = "rc0", .start_bus = 255, .end_bus = 0},
    {.name = "rc1", .index = 1, .start_bus = 0, .end_bus = 8, .vnode = {true, 2}},
    {.name = "rc1", .index = 2, .start_bus = 8, .end_bus = 255},
};
static const struct vmr_pcie_device_config devices[] = {{.port_name = "p0", .resource = {.id = "disk"}}};
static const struct vmr_config full_of_mistakes = {
    .pcie_root_complexes = complexes,
    .pcie_root_complex_count = 3,
    .pcie_devices = devices,
    .pcie_device_count = 1,
    .numa = {.nodes = nodes, .node_count = 2, .distances = distances, .distance_count = 2},
    .processor_topology = {.proc_count = 1025},
    .vtl2_gfx = true,
};
static const struct expected all_mistakes[] = {
    {"CFG-PCIE-BUS-ORDER", "pcie_root_complexes[0].start_bus"},
    {"CFG-NUMA-VNODE", "pcie_root_complexes[1].vnode"},
    {"CFG-PCIE-BUS-OVERLAP", "pcie_root_complexes[2]"},
    {"CFG-PCIE-NAME-TWICE", "pcie_root_complexes[2].name"},
    {"CFG-PCIE-DEVICE-PORT", "pcie_devices[0].port_name"},
    {"CFG-NUMA-MEMORY-PAGE", "numa.nodes[0].mem.mem_size"},
    {"CFG-NUMA-DISTANCE-LOW", "numa.distances[0].distance"},
    {"CFG-NUMA-DISTANCE-SELF", "numa.distances[1].distance"},
    {"CFG-CPU-COUNT-LARGE", "processor_topology.proc_count"},
    {"CFG-DEVICE-VTL2-GFX-VTL2", "vtl2_gfx"},
};
#define MISTAKES (sizeof(all_mistakes) / sizeof(all_mistakes[0]))

static void all_at_once(struct conf *conf)
{
    struct vmr_config_report report = {0};

    CONF_CHECK_EQ(conf, vmr_config_check(&full_of_mistakes, &report), VMR_E_CONFIG, "the check");
    check_findings(conf, &report, all_mistakes, MISTAKES);
    vmr_config_report_finish(&report);
}

/* The same through a file, where the findings have lines as well. */
static void by_every_front_end(struct conf *conf)
{
    struct vmr_config_report report = {0};
    struct vmr_config_text text = {0};
    struct vmr_config_file *file = NULL;
    struct vmr_error err = {.message = ""};
    uint32_t line = 0;

    CONF_REQUIRE(conf, vmr_config_print(&full_of_mistakes, &text, &err) == VMR_OK, "%s", err.message);
    CONF_CHECK_EQ(conf, vmr_config_file_read(text.bytes, text.length, &file, &report), VMR_E_CONFIG, "reading");
    CONF_CHECK(conf, !file, "there is a file");
    check_findings(conf, &report, all_mistakes, MISTAKES);
    for (size_t i = 0; i < report.count; i++) {
        CONF_CHECK(conf, report.findings[i].line > line || (i > 0 && report.findings[i].line == line),
                   "finding %zu is in line %u", i, report.findings[i].line);
        line = report.findings[i].line;
    }
    vmr_config_report_finish(&report);
    vmr_config_file_destroy(file);
    free(text.bytes);
}

/* --- adding to a report --- */

static void report_is_added_to(struct conf *conf)
{
    const struct vmr_numa_node node = {.mem = &memory};
    const struct vmr_config good = {.numa = {.nodes = &node, .node_count = 1}}, bad = {.arch = VMR_ARCH_ARM64};
    struct vmr_config_report report = {0};

    CONF_CHECK_EQ(conf, vmr_config_check(&good, &report), VMR_OK, "a good one");
    CONF_CHECK_EQ(conf, vmr_config_check(&bad, &report), VMR_E_CONFIG, "a bad one");
    CONF_CHECK_EQ(conf, vmr_config_check(&good, &report), VMR_OK, "a good one behind a bad one");
    CONF_CHECK_EQ(conf, vmr_config_check(&bad, &report), VMR_E_CONFIG, "a bad one again");
    CONF_CHECK_EQ(conf, report.count, 2, "findings");
    vmr_config_report_finish(&report);
}

/* --- what C can say and no file --- */

static void hostile_structs(struct conf *conf)
{
    static const struct vmr_config no_lists = {.numa = {.node_count = SIZE_MAX},
                                               .pcie_switch_count = 1,
                                               .virtio_device_count = SIZE_MAX / 2,
                                               .arch = (enum vmr_arch)99};
    static const struct expected expected[] = {
        {"CFG-FIELD-ENUM", "arch"},
        {"CFG-FIELD-LIST-NULL", "pcie_switches"},
        {"CFG-FIELD-LIST-NULL", "numa.nodes"},
        {"CFG-FIELD-LIST-NULL", "virtio_devices"},
    };
    struct vmr_config_report report = {0};

    CONF_CHECK_EQ(conf, vmr_config_check(&no_lists, &report), VMR_E_CONFIG, "the check");
    check_findings(conf, &report, expected, sizeof(expected) / sizeof(expected[0]));
    vmr_config_report_finish(&report);
}

/* More mistakes than a report keeps are counted. */
static void too_many_mistakes(struct conf *conf)
{
    static struct vmr_numa_distance many[VMR_CONFIG_LIST_MAX];
    const struct vmr_numa_node node = {.mem = &memory};
    const struct vmr_config config = {
        .numa = {.nodes = &node, .node_count = 1, .distances = many, .distance_count = VMR_CONFIG_LIST_MAX}};
    struct vmr_config_report report = {0};

    CONF_CHECK_EQ(conf, vmr_config_check(&config, &report), VMR_E_CONFIG, "the check");
    CONF_CHECK_EQ(conf, report.count, VMR_CONFIG_FINDING_MAX, "kept");
    CONF_CHECK_EQ(conf, report.omitted, VMR_CONFIG_LIST_MAX - VMR_CONFIG_FINDING_MAX, "counted");
    vmr_config_report_finish(&report);
}

static const struct conf_scenario scenarios[] = {
    {.name = "everything_wrong_is_found_at_once_in_order",
     .family = "config_check",
     .clauses = "CFG-2",
     .flags = CONF_NO_BACKEND,
     .run = all_at_once},
    {.name = "a_file_is_judged_as_the_structs_are",
     .family = "config_check",
     .clauses = "CFG-2",
     .flags = CONF_NO_BACKEND,
     .run = by_every_front_end},
    {.name = "a_report_is_added_to",
     .family = "config_check",
     .clauses = "CFG-2",
     .flags = CONF_NO_BACKEND,
     .run = report_is_added_to},
    {.name = "lists_that_are_not_there_are_found",
     .family = "config_check",
     .clauses = "CFG-2",
     .flags = CONF_NO_BACKEND,
     .run = hostile_structs},
    {.name = "more_mistakes_than_fit_are_counted",
     .family = "config_check",
     .clauses = "CFG-2",
     .flags = CONF_NO_BACKEND,
     .run = too_many_mistakes},
};

CONF_FAMILY(config_check, scenarios);
