/* SPDX-License-Identifier: MIT */
/*
 * What the library adds to a KVM exit: the figures of vmrig-bench-prepared,
 * which tools/bench/prepared/prepared.h explains. A program of its own, since
 * it is linked with another KVM than the command is.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/bench.h"

#define PROGRAM "vmrig-bench-prepared"
#define TURNS 1001u
#define EXITS "5000"

struct turns {
    size_t count;
    double bare_ns[TURNS], ns[TURNS], added_ns[TURNS];
};

/* The program lies beside the command in the build folder, and is not installed. False: it does not. */
static bool find_program(char *ret_path, size_t size)
{
    ssize_t length = readlink(BENCH_SELF, ret_path, size - 1);

    if (length < 0)
        return false;
    ret_path[length] = '\0';
    char *name = strrchr(ret_path, '/');

    if (!name || (size_t)(name + 1 - ret_path) + sizeof(PROGRAM) > size)
        return false;
    memcpy(name + 1, PROGRAM, sizeof(PROGRAM));
    return access(ret_path, X_OK) == 0;
}

/* A line a turn, as long as they are two numbers. */
static void read_turns(FILE *out, struct turns *turns)
{
    double bare_ns, ns;

    while (turns->count < TURNS && fscanf(out, "%lf %lf", &bare_ns, &ns) == 2) {
        turns->bare_ns[turns->count] = bare_ns;
        turns->ns[turns->count] = ns;
        turns->added_ns[turns->count] = ns - bare_ns;
        turns->count++;
    }
}

static bool run_program(const char *path, uint32_t count, struct turns *turns)
{
    char number[16];
    const char *const arguments[] = {PROGRAM, number, EXITS, NULL};
    pid_t child;
    int out, state;

    (void)snprintf(number, sizeof(number), "%u", count);
    if (!bench_program_begin(path, arguments, &child, &out))
        return false;
    FILE *file = fdopen(out, "r");

    if (file)
        read_turns(file, turns);
    if (file)
        (void)fclose(file);
    else
        (void)close(out);
    bool ended = waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;

    return ended && turns->count == count;
}

bool bench_prepared(struct bench_report *report)
{
    struct turns *turns = calloc(1, sizeof(*turns));
    char path[4096];

    if (!find_program(path, sizeof(path))) {
        bench_skip("what is added to a KVM exit", PROGRAM " is not beside the command: run it from its build folder");
        free(turns);
        return true;
    }
    bool good = turns && run_program(path, bench_rounds(report, TURNS), turns);

    if (good) {
        bench_add(report, "empty KVM_RUN: one port exit, bare loop", "ns", turns->bare_ns, turns->count);
        bench_add(report, "empty KVM_RUN: one port exit", "ns", turns->ns, turns->count);
        bench_add(report, "empty KVM_RUN: added to an exit", "ns", turns->added_ns, turns->count);
        bench_compare(report, "empty KVM_RUN: added to an exit", NULL, "60 or less");
    }
    free(turns);
    return good || bench_failed(PROGRAM, VMR_E_HOST, NULL);
}
