/* SPDX-License-Identifier: MIT */
/*
 * How costs grow: making and destroying partitions, an exit with 1 to 64 VPs, a
 * memory access with 1 to 4,096 regions, a port access with 1 to 4,096 ranges.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/bench.h"

#define CREATE_ROUNDS 200u
#define ACCESSES 200000u
#define VP_TURNS 101u
#define VP_EXITS 20000u

static bool create_partitions(struct bench_report *report, const char *spec, uint32_t rounds)
{
    double samples[BENCH_SAMPLES];
    char name[56];

    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        uint64_t begin = bench_now_ns();

        for (uint32_t round = 0; round < rounds; round++) {
            struct bench_vm vm;
            bool unavailable;

            if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = spec}, &unavailable))
                return unavailable;
            bench_vm_destroy(&vm);
        }
        samples[i] = (double)(bench_now_ns() - begin) / 1000 / rounds;
    }
    (void)snprintf(name, sizeof(name), "%s: create and destroy a VM", spec);
    bench_add(report, name, "us", samples, BENCH_SAMPLES);
    return true;
}

bool bench_partitions(struct bench_report *report)
{
    return create_partitions(report, "mock", bench_rounds(report, CREATE_ROUNDS * 5)) &&
           create_partitions(report, "kvm", bench_rounds(report, CREATE_ROUNDS / 10 * 2));
}

/* --- VPs --- */

static bool scale_vps(struct bench_report *report, uint32_t vps)
{
    struct bench_vm vm;
    double samples[VP_TURNS];
    bool unavailable;
    uint32_t turns = bench_rounds(report, VP_TURNS);
    char name[56];

    if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = "mock", .vps = vps}, &unavailable))
        return false;
    for (size_t i = 0; i < turns; i++) {
        samples[i] = bench_vm_run(&vm, VP_EXITS);
        if (samples[i] < 0) {
            bench_vm_destroy(&vm);
            return bench_failed("scaling VPs", VMR_E_STATE, NULL);
        }
    }
    bench_vm_destroy(&vm);
    (void)snprintf(name, sizeof(name), "mock: one exit, %u VPs in the partition", vps);
    bench_add(report, name, "ns", samples, turns);
    bench_compare(report, name, "mock: one exit, 1 VPs in the partition", NULL);
    return true;
}

/* --- memory regions --- */

static bool scale_regions(struct bench_report *report, const struct vmr_host *host, uint32_t regions)
{
    struct vmr_memory *memory = NULL;
    struct vmr_error err = {0};
    double samples[BENCH_SAMPLES];
    char name[56];
    enum vmr_status status = vmr_memory_create(host, &memory, &err);

    for (uint32_t i = 0; !status && i < regions; i++) {
        const struct vmr_memory_region region = {.gpa = (uint64_t)i * 2 * VMR_PAGE_SIZE, .size = VMR_PAGE_SIZE};

        status = vmr_memory_region_add(memory, &region, &err);
    }
    uint32_t accesses = bench_rounds(report, ACCESSES);

    for (size_t sample = 0; !status && sample < BENCH_SAMPLES; sample++) {
        uint64_t begin = bench_now_ns(), value = 0;

        for (uint32_t i = 0; !status && i < accesses; i++)
            status = vmr_memory_read(memory, (uint64_t)(i * 7919u % regions) * 2 * VMR_PAGE_SIZE, &value, 8);
        samples[sample] = (double)(bench_now_ns() - begin) / accesses;
    }
    vmr_memory_destroy(memory);
    if (status)
        return bench_failed("scaling memory regions", status, &err);
    (void)snprintf(name, sizeof(name), "memory: read 8 bytes, %u regions", regions);
    bench_add(report, name, "ns", samples, BENCH_SAMPLES);
    bench_compare(report, name, "memory: read 8 bytes, 1 regions", NULL);
    return true;
}

/* --- bus ranges --- */

static uint64_t answer(void *device, const struct vmr_access *access)
{
    (void)device;
    return access->offset;
}

static void ignore(void *device, const struct vmr_access *access, uint64_t value)
{
    (void)device;
    (void)access;
    (void)value;
}

static bool scale_ranges(struct bench_report *report, const struct vmr_host *host, uint32_t ranges)
{
    static const struct vmr_device_ops ops = {.read = answer, .write = ignore};
    struct vmr_bus *bus = NULL;
    struct vmr_error err = {0};
    double samples[BENCH_SAMPLES];
    char name[56];
    enum vmr_status status = vmr_bus_create(host, VMR_BUS_MMIO, &bus, &err);

    for (uint32_t i = 0; !status && i < ranges; i++) {
        const struct vmr_bus_range range = {.name = "range",
                                            .start = (uint64_t)i * 0x2000,
                                            .length = 0x1000,
                                            .sizes = VMR_SIZE_1 | VMR_SIZE_4,
                                            .ops = &ops};

        status = vmr_bus_claim(bus, &range, &err);
    }
    uint32_t accesses = bench_rounds(report, ACCESSES);

    for (size_t sample = 0; !status && sample < BENCH_SAMPLES; sample++) {
        struct vmr_access access = {.size = 4};
        uint64_t begin = bench_now_ns(), sum = 0;

        for (uint32_t i = 0; i < accesses; i++) {
            access.address = (uint64_t)(i * 7919u % ranges) * 0x2000;
            sum += vmr_bus_read(bus, &access);
        }
        samples[sample] = (double)(bench_now_ns() - begin) / accesses;
        if (sum != 0)
            status = VMR_E_STATE;
    }
    vmr_bus_destroy(bus);
    if (status)
        return bench_failed("scaling bus ranges", status, &err);
    (void)snprintf(name, sizeof(name), "bus: read 4 bytes, %u ranges", ranges);
    bench_add(report, name, "ns", samples, BENCH_SAMPLES);
    bench_compare(report, name, "bus: read 4 bytes, 1 ranges", NULL);
    return true;
}

bool bench_scaling(struct bench_report *report)
{
    static const uint32_t vps[] = {1, 2, 4, 8, 16, 32, 64};
    static const uint32_t counts[] = {1, 16, 256, 1024, 4096};
    struct vmr_host host;
    bool good = true;

    vmr_host_posix(&host, NULL);
    for (size_t i = 0; good && i < sizeof(vps) / sizeof(vps[0]); i++)
        good = scale_vps(report, vps[i]);
    for (size_t i = 0; good && i < sizeof(counts) / sizeof(counts[0]); i++)
        good = scale_regions(report, &host, counts[i]);
    for (size_t i = 0; good && i < sizeof(counts) / sizeof(counts[0]); i++)
        good = scale_ranges(report, &host, counts[i]);
    return good;
}
