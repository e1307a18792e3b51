/* SPDX-License-Identifier: MIT */
/*
 * What snapshots cost, against a copy of the same memory: saving all of it,
 * opening (which checks every byte), restoring, and saving only what was
 * written. Memory of which nothing was touched is measured beside.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"

#define FAR (UINT64_C(1) << 32) /* behind the RAM that the guest's code lies in */
#define MIB (UINT64_C(1) << 20)
#define MEMORY_BYTES (128 * MIB)
#define ROUNDS 9u
#define WRITTEN_PAGES 512u /* 2 MiB of it */

struct store {
    uint8_t *bytes;
    size_t length, capacity;
};

struct subject {
    struct bench_vm vm;
    struct vmr_snapshot_parts parts;
    uint8_t *host; /* the memory that is saved */
    uint8_t *copy; /* what memcpy copies it to */
    struct store full, part;
    uint64_t full_id;
};

static enum vmr_status keep(void *context, const void *bytes, size_t length, struct vmr_error *err)
{
    struct store *store = context;

    if (length > store->capacity - store->length)
        return vmr_error_set(err, VMR_E_NOMEM, "the benchmark's store is full");
    memcpy(store->bytes + store->length, bytes, length);
    store->length += length;
    return VMR_OK;
}

static enum vmr_status call_vp(void *context, vmr_vp_index vp,
                               enum vmr_status (*function)(void *argument, struct vmr_vp *vp), void *argument)
{
    const struct subject *subject = context;

    (void)vp;
    return function(argument, subject->vm.vp);
}

static bool begin(struct subject *subject, const char *spec, uint64_t size, bool *ret_unavailable)
{
    struct vmr_error err = {0};

    *subject = (struct subject){.parts = {.call = call_vp, .context = subject}};
    if (!bench_vm_create(&subject->vm, &(struct bench_vm_options){.spec = spec, .spin = true}, ret_unavailable))
        return false;
    subject->parts.partition = subject->vm.partition;
    subject->host = aligned_alloc(VMR_PAGE_SIZE, size);
    subject->copy = malloc(size);
    subject->full.capacity = subject->part.capacity = size + size / 16 + 8 * MIB;
    subject->full.bytes = malloc(subject->full.capacity);
    subject->part.bytes = malloc(subject->part.capacity);
    if (!subject->host || !subject->copy || !subject->full.bytes || !subject->part.bytes)
        return bench_failed("snapshots: out of memory", VMR_E_NOMEM, NULL);
    const struct vmr_memory_region region = {.gpa = FAR, .size = size, .host = subject->host};

    memset(subject->host, 0x5a, size);
    memset(subject->copy, 1, size);
    memset(subject->full.bytes, 1, subject->full.capacity);
    memset(subject->part.bytes, 1, subject->part.capacity);
    enum vmr_status status = vmr_memory_region_add(subject->vm.memory, &region, &err);

    return status == VMR_OK || bench_failed(spec, status, &err);
}

static void end(struct subject *subject)
{
    bench_vm_destroy(&subject->vm);
    free(subject->host);
    free(subject->copy);
    free(subject->full.bytes);
    free(subject->part.bytes);
}

static bool save(struct subject *subject, struct store *store, uint64_t parent_id, uint64_t *ret_id)
{
    const struct vmr_snapshot_save_options options = {.parent_id = parent_id};
    const struct vmr_snapshot_sink sink = {.write = keep, .context = store};
    struct vmr_error err = {0};

    store->length = 0;
    enum vmr_status status = vmr_snapshot_save(&subject->parts, &options, &sink, ret_id, &err);

    return status == VMR_OK || bench_failed("saving", status, &err);
}

static struct vmr_snapshot *open_full(const struct subject *subject)
{
    struct vmr_snapshot_source source;
    struct vmr_snapshot *snapshot = NULL;
    struct vmr_error err = {0};

    vmr_snapshot_source_memory(subject->full.bytes, subject->full.length, &source);
    enum vmr_status status = vmr_snapshot_open(&source, &snapshot, &err);

    if (status)
        (void)bench_failed("opening", status, &err);
    return snapshot;
}

static bool restore(struct subject *subject, struct vmr_snapshot *snapshot)
{
    struct vmr_error err = {0};
    enum vmr_status status = vmr_snapshot_restore(&subject->parts, &snapshot, 1, NULL, &err);

    return status == VMR_OK || bench_failed("restoring", status, &err);
}

enum step {
    STEP_COPY,
    STEP_SAVE,
    STEP_OPEN,
    STEP_RESTORE,
    STEP_SAVE_PART,
    STEP_COUNT
};

static double ms_since(uint64_t begin_ns)
{
    return (double)(bench_now_ns() - begin_ns) / 1e6;
}

/* One turn of everything. */
static bool turn(struct subject *subject, uint64_t size, double ret_ms[STEP_COUNT])
{
    uint64_t at = bench_now_ns();

    memcpy(subject->copy, subject->host, size);
    ret_ms[STEP_COPY] = ms_since(at);
    at = bench_now_ns();
    if (!save(subject, &subject->full, 0, &subject->full_id))
        return false;
    ret_ms[STEP_SAVE] = ms_since(at);
    at = bench_now_ns();
    struct vmr_snapshot *snapshot = open_full(subject);

    ret_ms[STEP_OPEN] = ms_since(at);
    if (!snapshot)
        return false;
    at = bench_now_ns();
    bool good = restore(subject, snapshot);

    ret_ms[STEP_RESTORE] = ms_since(at);
    vmr_snapshot_close(snapshot);
    if (!good || vmr_memory_dirty_start(subject->vm.memory, NULL) != VMR_OK)
        return good;
    for (uint64_t i = 0; good && i < WRITTEN_PAGES; i++)
        good = vmr_memory_fill(subject->vm.memory, FAR + i * (size / WRITTEN_PAGES), (uint8_t)(i | 1), 8) == VMR_OK;
    at = bench_now_ns();
    good = good && save(subject, &subject->part, subject->full_id, NULL);
    ret_ms[STEP_SAVE_PART] = ms_since(at);
    return vmr_memory_dirty_stop(subject->vm.memory, NULL) == VMR_OK && good;
}

static bool measure(struct bench_report *report, const char *spec)
{
    static const struct {
        const char *what, *aim;
    } steps[STEP_COUNT] = {
        [STEP_COPY] = {"memcpy of 128 MiB", NULL},
        [STEP_SAVE] = {"save of 128 MiB, full", "1.3 times a copy"},
        [STEP_OPEN] = {"open, which checks all", NULL},
        [STEP_RESTORE] = {"restore of 128 MiB", "1.3 times a copy"},
        [STEP_SAVE_PART] = {"save of 2 MiB written", "proportional to what was written"},
    };
    double samples[STEP_COUNT][ROUNDS];
    uint32_t rounds = bench_rounds(report, ROUNDS);
    char names[STEP_COUNT][56];
    struct subject subject;
    bool unavailable = false, good = begin(&subject, spec, MEMORY_BYTES, &unavailable);

    for (uint32_t i = 0; good && i < rounds; i++) {
        double ms[STEP_COUNT] = {0};

        good = turn(&subject, MEMORY_BYTES, ms);
        for (unsigned step = 0; step < STEP_COUNT; step++)
            samples[step][i] = ms[step];
    }
    for (unsigned step = 0; good && step < STEP_COUNT; step++) {
        (void)snprintf(names[step], sizeof(names[step]), "%s: %s", spec, steps[step].what);
        bench_add(report, names[step], "ms", samples[step], rounds);
        if (step != STEP_COPY)
            bench_compare(report, names[step], names[STEP_COPY], steps[step].aim);
    }
    if (!unavailable)
        end(&subject);
    return good || unavailable;
}

/* --- memory of the library's own, of which little was touched --- */

#define SPARSE_TOUCHED (16 * MIB)
#define SPARSE_PAIRS 2u

/* A copy of what was touched, then a save. */
static bool sparse_turn(struct subject *subject, double *ret_copy_ms, double *ret_save_ms)
{
    uint64_t at = bench_now_ns();

    memcpy(subject->copy, subject->host, SPARSE_TOUCHED);
    *ret_copy_ms = ms_since(at);
    at = bench_now_ns();
    bool good = save(subject, &subject->full, 0, &subject->full_id);

    *ret_save_ms = ms_since(at);
    return good;
}

static bool add_sparse(struct subject *subject, uint64_t size)
{
    const struct vmr_memory_region region = {.gpa = 4 * FAR, .size = size};
    struct vmr_error err = {0};
    enum vmr_status status = vmr_memory_region_add(subject->vm.memory, &region, &err);

    return status == VMR_OK || bench_failed("sparse memory", status, &err);
}

/* What saving costs beside the same VM with more memory, of which nothing was touched. */
static bool measure_sparse(struct bench_report *report, const char *spec)
{
    static const uint64_t sizes[SPARSE_PAIRS] = {0, 8192 * MIB};
    double samples[1 + SPARSE_PAIRS][ROUNDS];
    uint32_t rounds = bench_rounds(report, ROUNDS);
    char names[1 + SPARSE_PAIRS][56];
    bool good = true, unavailable = false;

    for (unsigned pair = 0; pair < SPARSE_PAIRS && good && !unavailable; pair++) {
        struct subject subject;

        good = begin(&subject, spec, SPARSE_TOUCHED, &unavailable);
        if (good && sizes[pair] > 0)
            good = add_sparse(&subject, sizes[pair]);
        for (uint32_t i = 0; good && i < rounds; i++)
            good = sparse_turn(&subject, &samples[0][i], &samples[1 + pair][i]);
        if (!unavailable)
            end(&subject);
    }
    if (!good || unavailable)
        return unavailable;
    (void)snprintf(names[0], sizeof(names[0]), "%s: memcpy of 16 MiB", spec);
    (void)snprintf(names[1], sizeof(names[1]), "%s: save of 16 MiB", spec);
    (void)snprintf(names[2], sizeof(names[2]), "%s: save of 16 MiB, 8 GiB untouched", spec);
    for (unsigned i = 0; i < 1 + SPARSE_PAIRS; i++)
        bench_add(report, names[i], "ms", samples[i], rounds);
    bench_compare(report, names[1], names[0], NULL); /* a copy that small stays in the caches */
    bench_compare(report, names[2], names[1], "what was touched");
    return true;
}

bool bench_snapshots(struct bench_report *report)
{
    return measure(report, "mock") && measure(report, "kvm") && measure_sparse(report, "mock") &&
           measure_sparse(report, "kvm");
}
