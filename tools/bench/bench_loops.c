/* SPDX-License-Identifier: MIT */
/*
 * What one exit costs: through the mock, through KVM, with KVM alone, and while
 * recording. Loops that are compared take turns, sample by sample.
 */

#include "tools/bench/bench.h"

#define MOCK_EXITS 2000000u
#define KVM_EXITS 20000u

static bool sample(struct bench_vm *vm, uint64_t exits, double *ret_ns)
{
    *ret_ns = bench_vm_run(vm, exits);
    return *ret_ns >= 0 || bench_failed("exit loop", VMR_E_STATE, NULL);
}

static bool mock_loop(struct bench_report *report)
{
    struct bench_vm vm;
    double samples[BENCH_SAMPLES], warm;
    bool unavailable;
    uint64_t exits = bench_rounds(report, MOCK_EXITS);

    if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = "mock"}, &unavailable))
        return false;
    bool good = sample(&vm, exits, &warm);

    for (size_t i = 0; good && i < BENCH_SAMPLES; i++)
        good = sample(&vm, exits, &samples[i]);
    bench_vm_destroy(&vm);
    if (!good)
        return false;
    bench_add(report, "mock: one exit", "ns", samples, BENCH_SAMPLES);
    return true;
}

struct kvm_loops {
    struct bench_vm plain, recorded;
    struct bench_bare *bare;
    double bare_ns[BENCH_SAMPLES], plain_ns[BENCH_SAMPLES], recorded_ns[BENCH_SAMPLES], added_ns[BENCH_SAMPLES];
};

static bool kvm_samples(struct bench_report *report, struct kvm_loops *loops)
{
    uint64_t exits = bench_rounds(report, KVM_EXITS);
    double warm;

    if (!sample(&loops->plain, exits, &warm) || !sample(&loops->recorded, exits, &warm))
        return false;
    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        loops->bare_ns[i] = bench_bare_run(loops->bare, exits);
        if (loops->bare_ns[i] < 0)
            return bench_failed("bare KVM loop", VMR_E_HOST, NULL);
        if (!sample(&loops->plain, exits, &loops->plain_ns[i]) ||
            !sample(&loops->recorded, exits, &loops->recorded_ns[i]))
            return false;
        loops->added_ns[i] = loops->plain_ns[i] - loops->bare_ns[i];
    }
    return true;
}

static void kvm_figures(struct bench_report *report, struct kvm_loops *loops)
{
    bench_add(report, "kvm: one port exit, bare ioctl loop", "ns", loops->bare_ns, BENCH_SAMPLES);
    bench_add(report, "kvm: one port exit", "ns", loops->plain_ns, BENCH_SAMPLES);
    bench_compare(report, "kvm: one port exit", "kvm: one port exit, bare ioctl loop", "1.05 or less");
    bench_add(report, "kvm: added to an exit", "ns", loops->added_ns, BENCH_SAMPLES);
    bench_compare(report, "kvm: added to an exit", NULL, "60 or less");
    bench_add(report, "kvm: one port exit, recorded", "ns", loops->recorded_ns, BENCH_SAMPLES);
    bench_compare(report, "kvm: one port exit, recorded", "kvm: one port exit", "1.10 or less");
    bench_compare(report, "mock: one exit", "kvm: one port exit", "30 ns or less, 0.01 or less");
}

bool bench_exit_loops(struct bench_report *report)
{
    struct kvm_loops loops = {0};
    bool unavailable = false;

    if (!mock_loop(report))
        return false;
    bench_compare(report, "mock: one exit", NULL, "30 or less");
    if (!bench_vm_create(&loops.plain, &(struct bench_vm_options){.spec = "kvm"}, &unavailable))
        return unavailable;
    loops.bare = bench_bare_create();
    bool good = loops.bare != NULL;

    if (!good)
        (void)bench_failed("bare KVM loop", VMR_E_HOST, NULL);
    good = good &&
           bench_vm_create(&loops.recorded, &(struct bench_vm_options){.spec = "kvm", .record = true}, &unavailable);
    good = good && kvm_samples(report, &loops);
    if (good)
        kvm_figures(report, &loops);
    bench_vm_destroy(&loops.recorded);
    bench_vm_destroy(&loops.plain);
    bench_bare_destroy(loops.bare);
    return good;
}
