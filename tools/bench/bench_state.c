/* SPDX-License-Identifier: MIT */
/*
 * What state costs: each class of a VP and of a partition read and written, and
 * a whole reset. What is written is what was read, so that the VM stays as it
 * is.
 */

#include <stdio.h>

#include "tools/bench/bench.h"
#include "vmrig/state_access.h"

#define ROUNDS 300u
#define RESETS 50u
#define VALUE_BYTES 16384u

struct state_bench {
    struct bench_report *report;
    struct bench_vm vm;
    const char *spec;
    struct vmr_state_id id;
    bool of_vm;
    _Alignas(8) uint8_t value[VALUE_BYTES];
};

static enum vmr_status get(struct state_bench *bench, struct vmr_error *err)
{
    return bench->of_vm ? vmr_partition_state_get(bench->vm.partition, &bench->id, bench->value, err)
                        : vmr_vp_state_get(bench->vm.vp, &bench->id, bench->value, err);
}

static enum vmr_status set(struct state_bench *bench, struct vmr_error *err)
{
    return bench->of_vm ? vmr_partition_state_set(bench->vm.partition, &bench->id, bench->value, err)
                        : vmr_vp_state_set(bench->vm.vp, &bench->id, bench->value, err);
}

static enum vmr_status reset(struct state_bench *bench, struct vmr_error *err)
{
    enum vmr_status status = vmr_partition_reset(bench->vm.partition, err);

    return status ? status : vmr_vp_reset(bench->vm.vp, err);
}

/* The median over samples of the time of one call, in microseconds. */
static bool measure(struct state_bench *bench, const char *what, uint32_t rounds,
                    enum vmr_status (*call)(struct state_bench *, struct vmr_error *))
{
    double samples[BENCH_SAMPLES];
    struct vmr_error err = {0};
    char name[56];

    rounds = bench_rounds(bench->report, rounds);
    (void)snprintf(name, sizeof(name), "%s: %s", bench->spec, what);
    for (unsigned i = 0; i < BENCH_SAMPLES; i++) {
        uint64_t begin_ns = bench_now_ns();

        for (uint32_t round = 0; round < rounds; round++) {
            enum vmr_status status = call(bench, &err);

            if (status)
                return bench_failed(name, status, &err);
        }
        samples[i] = (double)(bench_now_ns() - begin_ns) / 1000 / rounds;
    }
    bench_add(bench->report, name, "us", samples, BENCH_SAMPLES);
    return true;
}

static bool measure_class(struct state_bench *bench, const struct vmr_state_type *type)
{
    char read[48], write[48];

    (void)snprintf(read, sizeof(read), "%s, read", type->name);
    (void)snprintf(write, sizeof(write), "%s, write", type->name);
    return measure(bench, read, ROUNDS, get) && measure(bench, write, ROUNDS, set);
}

static bool measure_all(struct state_bench *bench)
{
    bool good = true;

    bench->id = (struct vmr_state_id){0};
    bench->of_vm = true;
    for (; good && vmr_partition_state_find(bench->vm.partition, &bench->id); bench->id.instance++)
        good = measure_class(bench, vmr_vm_class_type((enum vmr_vm_class)bench->id.state_class));
    bench->id = (struct vmr_state_id){0};
    bench->of_vm = false;
    for (; good && vmr_vp_state_find(bench->vm.vp, &bench->id); bench->id.instance++)
        good = measure_class(bench, vmr_vp_class_type((enum vmr_vp_class)bench->id.state_class));
    return good && measure(bench, "reset of a partition with one VP", RESETS, reset);
}

static bool state_of(struct bench_report *report, const char *spec)
{
    static struct state_bench bench;
    bool unavailable;

    bench = (struct state_bench){.report = report, .spec = spec};
    if (!bench_vm_create(&bench.vm, &(struct bench_vm_options){.spec = spec}, &unavailable))
        return unavailable;
    bool good = measure_all(&bench);

    bench_vm_destroy(&bench.vm);
    return good;
}

bool bench_states(struct bench_report *report)
{
    return state_of(report, "mock") && state_of(report, "kvm") && state_of(report, "kvm:irqchip=kernel");
}
