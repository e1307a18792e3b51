/* SPDX-License-Identifier: MIT */
/*
 * What one exit costs: through the mock, through KVM, with KVM alone, and while
 * recording. A sample is short, so that a shared machine interrupts few of them.
 * Loops that are compared take turns, and are compared turn by turn, so that
 * what drifts for longer is in both.
 */

#include "tools/bench/bench.h"

#define TURNS 1001u
#define MOCK_EXITS 20000u
#define KVM_EXITS 50u

static bool mock_loop(struct bench_report *report)
{
    struct bench_vm vm;
    double samples[TURNS];
    bool unavailable, good = true;
    uint32_t turns = bench_rounds(report, TURNS);

    if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = "mock"}, &unavailable))
        return false;
    (void)bench_vm_run(&vm, MOCK_EXITS); /* warms up */
    for (size_t i = 0; good && i < turns; i++) {
        samples[i] = bench_vm_run(&vm, MOCK_EXITS);
        good = samples[i] >= 0 || bench_failed("mock loop", VMR_E_STATE, NULL);
    }
    bench_vm_destroy(&vm);
    if (good)
        bench_add(report, "mock: one exit", "ns", samples, turns);
    return good;
}

enum loop {
    LOOP_BARE,
    LOOP_PLAIN,
    LOOP_RECORDED,
    LOOP_COUNT
};

struct kvm_loops {
    struct bench_bare *bare;
    struct bench_vm plain, recorded;
    double ns[LOOP_COUNT][TURNS];
};

static double run_loop(struct kvm_loops *loops, enum loop loop)
{
    if (loop == LOOP_BARE)
        return bench_bare_run(loops->bare, KVM_EXITS);
    return bench_vm_run(loop == LOOP_PLAIN ? &loops->plain : &loops->recorded, KVM_EXITS);
}

static bool kvm_turns(struct kvm_loops *loops, uint32_t turns)
{
    for (size_t turn = 0; turn < turns; turn++) {
        for (unsigned i = 0; i < LOOP_COUNT; i++) {
            /* Every other turn backwards: the first of a turn has no advantage. */
            enum loop loop = turn % 2 == 0 ? i : LOOP_COUNT - 1 - i;

            loops->ns[loop][turn] = run_loop(loops, loop);
            if (loops->ns[loop][turn] < 0)
                return bench_failed(loop == LOOP_BARE ? "bare KVM loop" : "KVM loop", VMR_E_HOST, NULL);
        }
    }
    return true;
}

static void kvm_figures(struct bench_report *report, struct kvm_loops *loops, uint32_t turns)
{
    double added_ns[TURNS], to_bare[TURNS], to_plain[TURNS];

    for (size_t i = 0; i < turns; i++) {
        added_ns[i] = loops->ns[LOOP_PLAIN][i] - loops->ns[LOOP_BARE][i];
        to_bare[i] = loops->ns[LOOP_PLAIN][i] / loops->ns[LOOP_BARE][i];
        to_plain[i] = loops->ns[LOOP_RECORDED][i] / loops->ns[LOOP_PLAIN][i];
    }
    bench_add(report, "kvm: one port exit, bare ioctl loop", "ns", loops->ns[LOOP_BARE], turns);
    bench_add(report, "kvm: one port exit", "ns", loops->ns[LOOP_PLAIN], turns);
    bench_compare(report, "kvm: one port exit", NULL, "1.05 or less");
    bench_compare_turns(report, "kvm: one port exit", "kvm: one port exit, bare ioctl loop", to_bare, turns);
    bench_add(report, "kvm: added to an exit", "ns", added_ns, turns);
    bench_compare(report, "kvm: added to an exit", NULL, "60 or less");
    bench_add(report, "kvm: one port exit, recorded", "ns", loops->ns[LOOP_RECORDED], turns);
    bench_compare(report, "kvm: one port exit, recorded", NULL, "1.10 or less");
    bench_compare_turns(report, "kvm: one port exit, recorded", "kvm: one port exit", to_plain, turns);
    bench_compare(report, "mock: one exit", "kvm: one port exit", "30 ns or less, 0.01 or less");
}

bool bench_exit_loops(struct bench_report *report)
{
    struct kvm_loops loops = {0};
    bool unavailable = false;
    uint32_t turns = bench_rounds(report, TURNS);

    if (!mock_loop(report))
        return false;
    bench_compare(report, "mock: one exit", NULL, "30 ns or less");
    if (!bench_vm_create(&loops.plain, &(struct bench_vm_options){.spec = "kvm"}, &unavailable))
        return unavailable;
    loops.bare = bench_bare_create();
    bool good = loops.bare != NULL || bench_failed("bare KVM loop", VMR_E_HOST, NULL);

    good = good &&
           bench_vm_create(&loops.recorded, &(struct bench_vm_options){.spec = "kvm", .record = true}, &unavailable);
    good = good && kvm_turns(&loops, turns);
    if (good)
        kvm_figures(report, &loops, turns);
    bench_vm_destroy(&loops.recorded);
    bench_vm_destroy(&loops.plain);
    bench_bare_destroy(loops.bare);
    return good;
}
