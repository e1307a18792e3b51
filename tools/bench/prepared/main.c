/* SPDX-License-Identifier: MIT */
/*
 * The program: takes turns between the two loops, and prints for each turn what
 * one exit took in both, in nanoseconds, the bare loop's first. `vmrig bench`
 * starts it and reads that.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/prepared/prepared.h"

static double bare_run(uint64_t exits)
{
    struct kvm_run run = {0};
    uint64_t left = exits;
    uint64_t begin = bench_now_ns();

    while (left > 0) {
        if (prepared_kvm_run(&run) != 0 || run.exit_reason != KVM_EXIT_IO)
            return -1;
        if (run.io.port == BENCH_PORT)
            left--;
    }
    return (double)(bench_now_ns() - begin) / (double)exits;
}

/* Both loops once; every other turn the other way round. False: a loop failed. */
static bool take_turn(struct bench_vm *vm, uint64_t turn, uint64_t exits)
{
    double bare_ns = turn % 2 == 0 ? bare_run(exits) : 0;
    double ns = bench_vm_run(vm, exits);

    if (turn % 2 != 0)
        bare_ns = bare_run(exits);
    return bare_ns >= 0 && ns >= 0 && printf("%.3f %.3f\n", bare_ns, ns) > 0;
}

int main(int argument_count, char **arguments)
{
    uint64_t turns = argument_count == 3 ? strtoull(arguments[1], NULL, 10) : 0;
    uint64_t exits = argument_count == 3 ? strtoull(arguments[2], NULL, 10) : 0;
    struct bench_vm vm;
    bool unavailable, good = true;

    if (turns == 0 || exits == 0) {
        fprintf(stderr, "usage: vmrig-bench-prepared TURNS EXITS\n");
        return 2;
    }
    if (!bench_vm_create(&vm, &(struct bench_vm_options){.spec = "kvm"}, &unavailable))
        return 1;
    for (uint64_t turn = 0; good && turn < turns; turn++)
        good = take_turn(&vm, turn, exits);
    bench_vm_destroy(&vm);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
