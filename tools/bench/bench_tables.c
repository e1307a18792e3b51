/* SPDX-License-Identifier: MIT */
/*
 * Firmware tables: of small machines and of large ones. What they cost grows with
 * the VPs, but for a step where what is allocated at once becomes so large that
 * the C library maps it anew each time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "vmrig/firmware_tables.h"

#define BUILDS 20u
#define SERIES_FIRST 64u
#define SERIES_FIRST_NAME "tables: 64 VPs"

static double build_us(const struct vmr_resolved *resolved, uint32_t rounds)
{
    uint64_t begin = bench_now_ns();

    for (uint32_t round = 0; round < rounds; round++) {
        struct vmr_config_report report = {0};
        struct vmr_firmware_tables *tables = NULL;
        enum vmr_status status = vmr_firmware_tables_build(resolved, NULL, &tables, &report);

        vmr_firmware_tables_destroy(tables);
        vmr_config_report_finish(&report);
        if (status != VMR_OK)
            return -1;
    }
    return (double)(bench_now_ns() - begin) / 1000 / rounds;
}

static bool measure(struct bench_report *report, uint32_t vps, const char *aim)
{
    static const struct vmr_memory_config memory = {.mem_size = UINT64_C(1) << 30};
    static const struct vmr_numa_node node = {.mem = &memory};
    const struct vmr_config config = {.numa = {.nodes = &node, .node_count = 1},
                                      .processor_topology = {.proc_count = vps, .vps_per_socket = {true, 16}}};
    struct vmr_config_report findings = {0};
    struct vmr_resolved *resolved = NULL;
    enum vmr_status status = vmr_resolve(&config, &resolved, &findings);
    double samples[BENCH_SAMPLES];
    bool good = status == VMR_OK;
    char name[56];

    for (size_t i = 0; good && i < BENCH_SAMPLES; i++) {
        samples[i] = build_us(resolved, bench_rounds(report, BUILDS));
        good = samples[i] >= 0;
    }
    vmr_resolved_destroy(resolved);
    vmr_config_report_finish(&findings);
    if (!good)
        return bench_failed("firmware tables", status ? status : VMR_E_CONFIG, NULL);
    (void)snprintf(name, sizeof(name), "tables: %u VPs", vps);
    bench_add(report, name, "us", samples, BENCH_SAMPLES);
    bench_compare(report, name, vps > SERIES_FIRST ? SERIES_FIRST_NAME : NULL, aim);
    return true;
}

bool bench_tables(struct bench_report *report)
{
    bool good = measure(report, 2, NULL);

    for (uint32_t vps = SERIES_FIRST; good && vps <= VMR_CONFIG_VP_MAX; vps *= 2)
        good = measure(report, vps, vps == VMR_CONFIG_VP_MAX ? "16 times the VPs, at most 32 times the time" : NULL);
    return good;
}
