/* SPDX-License-Identifier: MIT */
/*
 * What the dirty log costs: a take against the size of memory, of which most is
 * clean and never touched, and a guest's stores with the log off, on, and to
 * pages that were taken.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/bench.h"

#define FAR (UINT64_C(1) << 32) /* behind the RAM that the guest's code lies in */
#define MIB (UINT64_C(1) << 20)
#define TAKES 50u
/* Of the pages that a migration finds dirty in a round. */
#define SPARSE_PAGES 64u
#define STORES 256u
#define ROUNDS 40u

struct scan {
    struct bench_vm vm;
    struct vmr_dirty_bitmap bitmap;
};

static bool take(struct scan *scan)
{
    struct vmr_error err = {0};
    enum vmr_status status = vmr_memory_dirty_take(scan->vm.memory, &scan->bitmap, NULL, &err);

    return status == VMR_OK || bench_failed("a take of the dirty log", status, &err);
}

static bool scan_begin(struct scan *scan, const char *spec, uint64_t size, bool *ret_unavailable)
{
    const struct vmr_memory_region region = {.gpa = FAR, .size = size};
    struct vmr_error err = {0};

    *scan = (struct scan){.bitmap = {.gpa = FAR, .size = size, .word_count = vmr_dirty_words(size)}};
    if (!bench_vm_create(&scan->vm, &(struct bench_vm_options){.spec = spec, .spin = true}, ret_unavailable))
        return false;
    scan->bitmap.words = calloc(scan->bitmap.word_count, sizeof(uint64_t));
    enum vmr_status status = scan->bitmap.words ? vmr_memory_region_add(scan->vm.memory, &region, &err)
                                                : vmr_error_set(&err, VMR_E_NOMEM, "out of memory");

    if (!status)
        status = vmr_memory_dirty_start(scan->vm.memory, &err);
    return status == VMR_OK || bench_failed(spec, status, &err);
}

static void scan_end(struct scan *scan)
{
    free(scan->bitmap.words);
    bench_vm_destroy(&scan->vm);
}

/* Marks cost no time here, and what they cost the take is what any write does. */
static bool mark_sparsely(struct scan *scan)
{
    enum vmr_status status = VMR_OK;

    for (uint64_t page = 0; !status && page < scan->bitmap.size / VMR_PAGE_SIZE; page += SPARSE_PAGES)
        status = vmr_memory_dirty_mark(scan->vm.memory, FAR + page * VMR_PAGE_SIZE, 1);
    return status == VMR_OK || bench_failed("marking pages", status, NULL);
}

static bool measure_takes(struct bench_report *report, struct scan *scan, bool sparse, const char *name)
{
    double samples[TAKES];
    uint32_t takes = bench_rounds(report, TAKES);

    for (uint32_t i = 0; i < takes; i++) {
        if (sparse && !mark_sparsely(scan))
            return false;
        uint64_t begin = bench_now_ns();

        if (!take(scan))
            return false;
        samples[i] = (double)(bench_now_ns() - begin) / 1000;
    }
    bench_add(report, name, "us", samples, takes);
    return true;
}

static bool scan_size(struct bench_report *report, const char *spec, uint64_t size)
{
    struct scan scan;
    char name[56];
    bool unavailable = false, good = scan_begin(&scan, spec, size, &unavailable);

    for (unsigned sparse = 0; good && sparse < 2; sparse++) {
        (void)snprintf(name, sizeof(name), "%s: take of %u MiB, %s", spec, (unsigned)(size / MIB),
                       sparse ? "1 page in 64 dirty" : "clean");
        good = measure_takes(report, &scan, sparse != 0, name);
    }
    if (!unavailable)
        scan_end(&scan);
    return good || unavailable;
}

/* --- a guest that stores --- */

struct store_loop {
    struct vmr_step steps[STORES + 2];
    struct vmr_program program;
};

static void store_loop_init(struct store_loop *loop)
{
    for (uint32_t i = 0; i < STORES / 2; i++) {
        loop->steps[2 * i] = (struct vmr_step)VMR_STORE(VMR_PROGRAM_DATA + i * VMR_PAGE_SIZE, 8, i);
        loop->steps[2 * i + 1] = (struct vmr_step)VMR_STORE(VMR_PROGRAM_DATA + i * VMR_PAGE_SIZE + 64, 8, i);
    }
    loop->steps[STORES] = (struct vmr_step)VMR_OUT(BENCH_PORT, 1, 0);
    loop->steps[STORES + 1] = (struct vmr_step)VMR_JUMP(0);
    loop->program = (struct vmr_program){.name = "stores", .steps = loop->steps, .count = STORES + 2};
}

enum log_state {
    LOG_OFF,
    LOG_ON,
    LOG_TAKEN, /* before each run: each first store is to a clean page */
    LOG_STATE_COUNT
};

/* Two rounds of stores a sample, so that in the third state half of the pages' stores are first ones. */
static bool measure_stores(struct bench_report *report, struct scan *scan, enum log_state state, double *ret_samples)
{
    uint32_t rounds = bench_rounds(report, ROUNDS);

    for (uint32_t i = 0; i < rounds; i++) {
        if (state == LOG_TAKEN && !take(scan))
            return false;
        uint64_t begin = bench_now_ns();

        if (bench_vm_run(&scan->vm, 1) < 0)
            return bench_failed("a guest that stores", VMR_E_STATE, NULL);
        ret_samples[i] = (double)(bench_now_ns() - begin) / (2 * STORES);
    }
    return true;
}

static bool stores(struct bench_report *report, const char *spec, struct scan *scan)
{
    static const char *const states[LOG_STATE_COUNT] = {"log off", "log on", "pages taken before"};
    char name[56], first[56] = "";
    bool good = true;

    for (unsigned state = 0; good && state < LOG_STATE_COUNT; state++) {
        double samples[ROUNDS];

        if (state == LOG_ON && vmr_memory_dirty_start(scan->vm.memory, NULL) != VMR_OK)
            return bench_failed(spec, VMR_E_STATE, NULL);
        (void)snprintf(name, sizeof(name), "%s: a store, %s", spec, states[state]);
        good = measure_stores(report, scan, (enum log_state)state, samples);
        if (!good)
            break;
        bench_add(report, name, "ns", samples, bench_rounds(report, ROUNDS));
        if (state == LOG_OFF)
            (void)snprintf(first, sizeof(first), "%s", name);
        else
            bench_compare(report, name, first, NULL);
    }
    return good;
}

static bool store_costs(struct bench_report *report, const char *spec, struct store_loop *loop)
{
    uint64_t words[BENCH_RAM_BYTES / VMR_PAGE_SIZE / 64];
    struct scan scan = {.bitmap = {.size = BENCH_RAM_BYTES, .words = words, .word_count = sizeof(words) / 8}};
    struct vmr_error err = {0};
    bool unavailable;

    if (!bench_vm_create(&scan.vm, &(struct bench_vm_options){.spec = spec, .spin = true}, &unavailable))
        return unavailable;
    enum vmr_status status = bench_load_program(scan.vm.partition, scan.vm.vp, &loop->program, &err);
    bool good = status ? bench_failed(spec, status, &err) : true;

    /* Once unmeasured: its pages are not there yet. */
    good = good && (bench_vm_run(&scan.vm, 1) >= 0 || bench_failed(spec, VMR_E_STATE, NULL));
    good = good && stores(report, spec, &scan);

    bench_vm_destroy(&scan.vm);
    return good;
}

bool bench_dirty_log(struct bench_report *report)
{
    static const char *const specs[] = {"mock", "kvm"};
    static const uint64_t sizes[] = {16 * MIB, 128 * MIB, 1024 * MIB, 8192 * MIB};
    struct store_loop *loop = calloc(1, sizeof(*loop));
    bool good = loop != NULL;

    if (good)
        store_loop_init(loop);
    for (size_t i = 0; good && i < sizeof(specs) / sizeof(specs[0]); i++) {
        for (size_t size = 0; good && size < sizeof(sizes) / sizeof(sizes[0]); size++)
            good = scan_size(report, specs[i], sizes[size]);
        good = good && store_costs(report, specs[i], loop);
    }
    good = good && store_costs(report, "mock:profile=hvf-like", loop);
    free(loop);
    return good;
}
