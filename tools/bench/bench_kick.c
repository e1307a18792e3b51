/* SPDX-License-Identifier: MIT */
/*
 * How long a kick takes: from vmr_partition_kick on one thread until vmr_vp_run
 * has returned on the other, with the guest spinning. Threads are the host's own,
 * on the mock as well.
 */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/bench.h"

#define KICKS 400u
/* Long enough for the VP to be in the guest again. */
#define PAUSE_NS UINT64_C(300000)

struct kicker {
    struct bench_vm *vm;
    uint32_t kicks;
    _Atomic uint64_t kicked_ns; /* 0: not yet */
    _Atomic uint32_t running;   /* runs begun */
};

static void kick_thread(void *argument)
{
    struct kicker *kicker = argument;

    for (uint32_t i = 0; i < kicker->kicks; i++) {
        while (atomic_load(&kicker->running) <= i)
            ;
        uint64_t until = bench_now_ns() + PAUSE_NS;

        while (bench_now_ns() < until)
            ;
        atomic_store(&kicker->kicked_ns, bench_now_ns());
        (void)vmr_partition_kick(kicker->vm->partition, 0);
    }
}

static bool kick_all(struct kicker *kicker, double *samples)
{
    struct vmr_run_result result;

    for (uint32_t i = 0; i < kicker->kicks; i++) {
        atomic_store(&kicker->running, i + 1);
        enum vmr_status status = vmr_vp_run(kicker->vm->vp, NULL, &kicker->vm->io, &result);
        uint64_t back_ns = bench_now_ns();

        if (status || result.reason != VMR_HALT_CANCEL)
            return bench_failed("kick", status, NULL);
        samples[i] = (double)(back_ns - atomic_load(&kicker->kicked_ns)) / 1000;
    }
    return true;
}

static bool kick_backend(struct bench_report *report, const char *spec)
{
    struct bench_vm vm;
    bool unavailable;
    char name[56];

    if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = spec, .spin = true}, &unavailable))
        return unavailable;
    struct kicker kicker = {.vm = &vm, .kicks = bench_rounds(report, KICKS)};
    double *samples = calloc(kicker.kicks, sizeof(*samples));
    struct vmr_thread *thread = NULL;
    bool good =
        samples && vm.host.ops->thread_start(vm.host.context, "kicker", kick_thread, &kicker, &thread) == VMR_OK;

    good = good && kick_all(&kicker, samples);
    atomic_store(&kicker.running, UINT32_MAX);
    if (thread)
        vm.host.ops->thread_join(vm.host.context, thread);
    bench_vm_destroy(&vm);
    if (good) {
        bench_sort(samples, kicker.kicks);
        double p99 = samples[kicker.kicks * 99 / 100];

        (void)snprintf(name, sizeof(name), "%s: kick to return, p50", spec);
        bench_add(report, name, "us", samples, kicker.kicks);
        (void)snprintf(name, sizeof(name), "%s: kick to return, p99", spec);
        bench_add(report, name, "us", &p99, 1);
    }
    free(samples);
    return good;
}

bool bench_kicks(struct bench_report *report)
{
    return kick_backend(report, "mock") && kick_backend(report, "kvm");
}
