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

/* Where bytes lie shows in what a copy of them costs: every VM has the same. */
struct room {
    uint8_t *host, *copy, *full, *part;
    size_t store_bytes;
};

static bool room_init(struct room *room)
{
    room->store_bytes = MEMORY_BYTES + MEMORY_BYTES / 16 + 8 * MIB;
    room->host = aligned_alloc(VMR_PAGE_SIZE, MEMORY_BYTES);
    room->copy = aligned_alloc(VMR_PAGE_SIZE, MEMORY_BYTES);
    room->full = aligned_alloc(VMR_PAGE_SIZE, room->store_bytes);
    room->part = aligned_alloc(VMR_PAGE_SIZE, room->store_bytes);
    if (!room->host || !room->copy || !room->full || !room->part)
        return bench_failed("snapshots: out of memory", VMR_E_NOMEM, NULL);
    memset(room->copy, 1, MEMORY_BYTES);
    memset(room->full, 1, room->store_bytes);
    memset(room->part, 1, room->store_bytes);
    return true;
}

static void room_finish(struct room *room)
{
    free(room->host);
    free(room->copy);
    free(room->full);
    free(room->part);
}

static bool begin(struct subject *subject, const struct room *room, const struct bench_vm_options *options,
                  uint64_t size, bool *ret_unavailable)
{
    const struct vmr_memory_region region = {.gpa = FAR, .size = size, .host = room->host};
    struct vmr_error err = {0};

    *subject = (struct subject){
        .parts = {.call = bench_vm_call, .context = &subject->vm},
        .host = room->host,
        .copy = room->copy,
        .full = {.bytes = room->full, .capacity = room->store_bytes},
        .part = {.bytes = room->part, .capacity = room->store_bytes},
    };
    if (!bench_vm_create(&subject->vm, options, ret_unavailable))
        return false;
    subject->parts.partition = subject->vm.partition;
    memset(subject->host, 0x5a, size);
    enum vmr_status status = vmr_memory_region_add(subject->vm.memory, &region, &err);

    return status == VMR_OK || bench_failed(options->spec, status, &err);
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

static bool measure(struct bench_report *report, const struct room *room, const char *spec)
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
    const struct bench_vm_options options = {.spec = spec, .spin = true};
    bool unavailable = false, good = begin(&subject, room, &options, MEMORY_BYTES, &unavailable);

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
        bench_vm_destroy(&subject.vm);
    return good || unavailable;
}

/* --- how it grows: with VPs, and with memory that nobody has touched --- */

#define TOUCHED (16 * MIB)

/* A copy of what was touched, a save, a restore, a reset. */
enum small_step {
    SMALL_COPY,
    SMALL_SAVE,
    SMALL_RESTORE,
    SMALL_RESET,
    SMALL_COUNT
};

static bool reset(struct subject *subject)
{
    struct vmr_error err = {0};
    enum vmr_status status = vmr_partition_reset(subject->vm.partition, &err);

    for (vmr_vp_index vp = 0; !status && vp < vmr_partition_vp_count(subject->vm.partition); vp++)
        status = vmr_vp_reset(subject->vm.vps[vp], &err);
    return status == VMR_OK || bench_failed("reset", status, &err);
}

static bool small_turn(struct subject *subject, double ret_ms[SMALL_COUNT])
{
    uint64_t at = bench_now_ns();

    memcpy(subject->copy, subject->host, TOUCHED);
    ret_ms[SMALL_COPY] = ms_since(at);
    at = bench_now_ns();
    bool good = save(subject, &subject->full, 0, &subject->full_id);

    ret_ms[SMALL_SAVE] = ms_since(at);
    struct vmr_snapshot *snapshot = good ? open_full(subject) : NULL;

    at = bench_now_ns();
    good = snapshot && restore(subject, snapshot);
    ret_ms[SMALL_RESTORE] = ms_since(at);
    vmr_snapshot_close(snapshot);
    at = bench_now_ns();
    good = good && reset(subject);
    ret_ms[SMALL_RESET] = ms_since(at);
    return good;
}

static bool add_untouched(struct subject *subject, uint64_t size)
{
    const struct vmr_memory_region region = {.gpa = 4 * FAR, .size = size};
    struct vmr_error err = {0};
    enum vmr_status status = size > 0 ? vmr_memory_region_add(subject->vm.memory, &region, &err) : VMR_OK;

    return status == VMR_OK || bench_failed("untouched memory", status, &err);
}

/* A VM with more VPs, or with more memory of which nothing was touched. */
struct growth {
    uint32_t vps;
    uint64_t untouched;
    const char *which;
};

static const struct growth growths[] = {
    {1, 0, "16 MiB"},
    {1, 112 * MIB, "16 of 128 MiB"},
    {1, 1008 * MIB, "16 MiB of 1 GiB"},
    {1, 8176 * MIB, "16 MiB of 8 GiB"},
    {4, 0, "16 MiB, 4 VPs"},
    {16, 0, "16 MiB, 16 VPs"},
    {64, 0, "16 MiB, 64 VPs"},
};

static void add_small(struct bench_report *report, const char *spec, const struct growth *growth,
                      double samples[SMALL_COUNT][ROUNDS])
{
    static const char *const steps[SMALL_COUNT] = {"memcpy", "save", "restore", "reset"};
    uint32_t rounds = bench_rounds(report, ROUNDS);

    for (unsigned step = growth == growths ? SMALL_COPY : SMALL_SAVE; step < SMALL_COUNT; step++) {
        char name[56], first[56];

        (void)snprintf(name, sizeof(name), "%s: %s of %s", spec, steps[step], growth->which);
        (void)snprintf(first, sizeof(first), "%s: %s of %s", spec, steps[step], growths[0].which);
        bench_add(report, name, "ms", samples[step], rounds);
        if (growth != growths)
            bench_compare(report, name, first, NULL);
    }
}

static bool measure_growth(struct bench_report *report, const struct room *room, const char *spec)
{
    static double samples[SMALL_COUNT][ROUNDS];
    uint32_t rounds = bench_rounds(report, ROUNDS);

    for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
        const struct bench_vm_options options = {.spec = spec, .spin = true, .vps = growths[i].vps, .bind_all = true};
        bool unavailable = false;
        struct subject subject;
        bool good =
            begin(&subject, room, &options, TOUCHED, &unavailable) && add_untouched(&subject, growths[i].untouched);

        for (uint32_t round = 0; good && round < rounds; round++) {
            double ms[SMALL_COUNT] = {0};

            good = small_turn(&subject, ms);
            for (unsigned step = 0; step < SMALL_COUNT; step++)
                samples[step][round] = ms[step];
        }
        if (!unavailable)
            bench_vm_destroy(&subject.vm);
        if (!good)
            return unavailable;
        add_small(report, spec, &growths[i], samples);
    }
    return true;
}

bool bench_snapshots(struct bench_report *report)
{
    struct room room;
    bool good = room_init(&room) && measure(report, &room, "mock") && measure(report, &room, "kvm") &&
                measure_growth(report, &room, "mock") && measure_growth(report, &room, "kvm");

    room_finish(&room);
    return good;
}
