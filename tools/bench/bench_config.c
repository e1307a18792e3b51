/* SPDX-License-Identifier: MIT */
/*
 * What a configuration costs on its way: jansson's own parse of the text for
 * comparison, reading with the check in it, the check alone, resolving (which
 * checks again), firmware tables, printing. A small machine, larger ones up to
 * one at the limits, and devices that double: the time for each byte should stay.
 */

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "vmrig/firmware_tables.h"

#define ROUNDS 9u
#define NODES VMR_CONFIG_NUMA_NODE_MAX
#define COMPLEXES 32u
#define PORTS 16u
#define MACHINE_FIRST 4u  /* root complexes */
#define SERIES_FIRST 256u /* devices of the board, each with a parameter */
#define SERIES_LAST 4096u

struct subject {
    struct vmr_config config;
    struct vmr_memory_config memory;
    struct vmr_numa_node nodes[NODES];
    struct vmr_numa_distance distances[NODES * NODES];
    uint32_t vps[NODES][VMR_CONFIG_VP_MAX / NODES];
    struct vmr_pcie_root_complex_config complexes[COMPLEXES];
    struct vmr_pcie_port_config ports[COMPLEXES][PORTS];
    char port_names[COMPLEXES][PORTS][16], complex_names[COMPLEXES][16];
    struct vmr_chipset_device_config devices[SERIES_LAST];
    char device_names[SERIES_LAST][32];
    struct vmr_parameter parameter;
};

static void make_small(struct subject *subject)
{
    subject->memory = (struct vmr_memory_config){.mem_size = UINT64_C(1) << 30};
    subject->nodes[0] = (struct vmr_numa_node){.mem = &subject->memory};
    subject->config = (struct vmr_config){
        .load_mode = {VMR_LOAD_LINUX, .linux_direct = {.kernel = {.path = "bzImage"}, .cmdline = "console=ttyS0"}},
        .numa = {.nodes = subject->nodes, .node_count = 1},
        .processor_topology = {.proc_count = 2},
    };
}

static void add_complex(struct subject *subject, unsigned index)
{
    struct vmr_pcie_root_complex_config *complex = &subject->complexes[index];

    (void)snprintf(subject->complex_names[index], sizeof(subject->complex_names[index]), "rc%u", index);
    *complex = (struct vmr_pcie_root_complex_config){
        .index = index,
        .name = subject->complex_names[index],
        .segment = (uint16_t)index,
        .end_bus = 31,
        .low_mmio = {.size = UINT64_C(16) << 20},
        .ports = subject->ports[index],
        .port_count = PORTS,
    };
    for (unsigned port = 0; port < PORTS; port++) {
        char *name = subject->port_names[index][port];

        (void)snprintf(name, sizeof(subject->port_names[index][port]), "rc%u-p%u", index, port);
        subject->ports[index][port] = (struct vmr_pcie_port_config){.name = name, .hotplug = true};
    }
}

/* Root complexes, two nodes for each with all distances, 16 VPs in each. The most: 1,024 VPs in 64 nodes. */
static void make_machine(struct subject *subject, uint32_t complexes)
{
    const uint32_t nodes = complexes * (NODES / COMPLEXES), vps = complexes * (VMR_CONFIG_VP_MAX / COMPLEXES);

    make_small(subject);
    subject->config.processor_topology.proc_count = vps;
    for (uint32_t vp = 0; vp < vps; vp++)
        subject->vps[vp % nodes][vp / nodes] = vp;
    for (uint32_t i = 0; i < nodes; i++)
        subject->nodes[i] =
            (struct vmr_numa_node){.mem = &subject->memory, .vps = {VMR_VPS_EXPLICIT, subject->vps[i], vps / nodes}};
    for (uint32_t i = 0; i < nodes * nodes; i++)
        subject->distances[i] = (struct vmr_numa_distance){i / nodes, i % nodes, i / nodes == i % nodes ? 10 : 20};
    subject->config.numa = (struct vmr_numa_config){subject->nodes, nodes, subject->distances, (size_t)nodes * nodes};
    for (unsigned i = 0; i < complexes; i++)
        add_complex(subject, i);
    subject->config.pcie_root_complexes = subject->complexes;
    subject->config.pcie_root_complex_count = complexes;
}

static void make_series(struct subject *subject, size_t count)
{
    make_small(subject);
    subject->parameter = (struct vmr_parameter){.name = "port", .kind = VMR_PARAMETER_NUMBER, .number = 0x3f8};
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(subject->device_names[i], sizeof(subject->device_names[i]), "device%zu", i);
        subject->devices[i] = (struct vmr_chipset_device_config){
            .name = subject->device_names[i],
            .resource = {.id = "serial", .parameters = &subject->parameter, .parameter_count = 1}};
    }
    subject->config.chipset_devices = subject->devices;
    subject->config.chipset_device_count = count;
}

/* --- measuring --- */

enum step {
    STEP_JANSSON,
    STEP_READ,
    STEP_CHECK,
    STEP_RESOLVE,
    STEP_TABLES, /* and what they are made from */
    STEP_PRINT,
    STEP_COUNT
};

static bool do_jansson(const struct vmr_config_text *text)
{
    json_t *json = json_loadb(text->bytes, text->length, 0, NULL);
    bool read = json != NULL;

    json_decref(json);
    return read || bench_failed("jansson's parse", VMR_E_CORRUPT, NULL);
}

static bool do_read(const struct vmr_config_text *text)
{
    struct vmr_config_report report = {0};
    struct vmr_config_file *file = NULL;
    enum vmr_status status = vmr_config_file_read(text->bytes, text->length, &file, &report);

    if (report.count > 0)
        (void)fprintf(stderr, "%s: %s\n", report.findings[0].path, report.findings[0].message);
    vmr_config_report_finish(&report);
    vmr_config_file_destroy(file);
    return status == VMR_OK || bench_failed("reading a configuration", status, NULL);
}

static bool do_check(const struct vmr_config *config)
{
    struct vmr_config_report report = {0};
    enum vmr_status status = vmr_config_check(config, &report);

    vmr_config_report_finish(&report);
    return status == VMR_OK || bench_failed("checking a configuration", status, NULL);
}

static bool do_resolve(const struct vmr_config *config, bool with_tables)
{
    struct vmr_config_report report = {0};
    struct vmr_resolved *resolved = NULL;
    struct vmr_firmware_tables *tables = NULL;
    enum vmr_status status = vmr_resolve(config, &resolved, &report);

    if (status == VMR_OK && with_tables)
        status = vmr_firmware_tables_build(resolved, NULL, &tables, &report);
    vmr_firmware_tables_destroy(tables);
    vmr_resolved_destroy(resolved);
    vmr_config_report_finish(&report);
    return status == VMR_OK || bench_failed("resolving a configuration", status, NULL);
}

static bool do_print(const struct vmr_config *config)
{
    struct vmr_config_text text;
    struct vmr_error err = {0};
    enum vmr_status status = vmr_config_print(config, &text, &err);

    if (status != VMR_OK)
        return bench_failed("printing a configuration", status, &err);
    free(text.bytes);
    return true;
}

static bool do_step(enum step step, const struct vmr_config *config, const struct vmr_config_text *text)
{
    switch (step) {
    case STEP_JANSSON:
        return do_jansson(text);
    case STEP_READ:
        return do_read(text);
    case STEP_CHECK:
        return do_check(config);
    case STEP_RESOLVE:
    case STEP_TABLES:
        return do_resolve(config, step == STEP_TABLES);
    case STEP_PRINT:
    case STEP_COUNT:
        break;
    }
    return do_print(config);
}

/* Every step in turn, so often that a turn is long enough for the clock. */
static bool measure(struct bench_report *report, const char *name, const struct vmr_config *config, uint32_t repeat)
{
    static const char *const steps[STEP_COUNT] = {"jansson", "read", "check", "resolve", "resolve and tables", "print"};
    double samples[STEP_COUNT][ROUNDS];
    const uint32_t rounds = report->options->quick ? 1 : ROUNDS;
    struct vmr_config_text text;
    char figure[56], compared[56];

    if (vmr_config_print(config, &text, NULL) != VMR_OK)
        return bench_failed(name, VMR_E_NOMEM, NULL);
    for (uint32_t i = 0; i < rounds * STEP_COUNT; i++) {
        uint64_t begin = bench_now_ns();

        for (uint32_t j = 0; j < repeat; j++) {
            if (!do_step((enum step)(i % STEP_COUNT), config, &text)) {
                free(text.bytes);
                return false;
            }
        }
        samples[i % STEP_COUNT][i / STEP_COUNT] = (double)(bench_now_ns() - begin) / 1e3 / repeat;
    }
    (void)snprintf(compared, sizeof(compared), "config, %s (%zu bytes): jansson", name, text.length);
    for (int step = 0; step < STEP_COUNT; step++) {
        (void)snprintf(figure, sizeof(figure), "config, %s (%zu bytes): %s", name, text.length, steps[step]);
        (void)bench_add(report, figure, "us", samples[step], rounds);
        if (step == STEP_READ)
            bench_compare(report, figure, compared, repeat > 1 ? "below 1 ms" : NULL);
    }
    free(text.bytes);
    return true;
}

bool bench_configs(struct bench_report *report)
{
    struct subject *subject = calloc(1, sizeof(*subject));
    bool done = subject != NULL;

    if (!done)
        return bench_failed("configurations: out of memory", VMR_E_NOMEM, NULL);
    make_small(subject);
    done = measure(report, "small", &subject->config, 64);
    for (uint32_t count = MACHINE_FIRST; done && count <= COMPLEXES; count *= 2) {
        char name[24];

        make_machine(subject, count);
        (void)snprintf(name, sizeof(name), "%u VPs", subject->config.processor_topology.proc_count);
        done = measure(report, count < COMPLEXES ? name : "large", &subject->config, 1);
    }
    for (size_t count = SERIES_FIRST; done && count <= SERIES_LAST; count *= 2) {
        char name[24];

        make_series(subject, count);
        (void)snprintf(name, sizeof(name), "%zu devices", count);
        done = measure(report, name, &subject->config, 1);
    }
    free(subject);
    return done;
}
