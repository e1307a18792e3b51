/* SPDX-License-Identifier: MIT */
/*
 * What the way back to a point in memory costs: with 16 pages written beside a
 * copy of as many bytes, with more memory that nobody has touched, and with
 * more VPs.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "vmrig/rewind.h"

#define FAR (UINT64_C(1) << 32) /* behind the RAM that the guest's code lies in */
#define MIB (UINT64_C(1) << 20)
#define WRITTEN_PAGES 16u
#define TURNS 400u

struct subject {
    struct bench_vm vm;
    struct vmr_snapshot_parts parts;
    struct vmr_rewind *rewind;
    uint8_t *from, *to; /* what a bare copy copies */
};

/* What an input finds: 1 MiB that is not zero. */
static enum vmr_status fill(struct subject *subject, uint64_t size, struct vmr_error *err)
{
    const struct vmr_memory_region region = {.gpa = FAR, .size = size};
    enum vmr_status status = vmr_memory_region_add(subject->vm.memory, &region, err);

    for (uint64_t page = 0; !status && page < MIB / VMR_PAGE_SIZE; page++)
        status = vmr_memory_fill(subject->vm.memory, FAR + page * VMR_PAGE_SIZE, (uint8_t)(page | 1), VMR_PAGE_SIZE);
    return status;
}

static bool begin(struct subject *subject, const struct bench_vm_options *options, uint64_t size, bool *ret_unavailable)
{
    struct vmr_error err = {0};

    *subject = (struct subject){.parts = {.call = bench_vm_call, .context = &subject->vm}};
    if (!bench_vm_create(&subject->vm, options, ret_unavailable))
        return false;
    subject->parts.partition = subject->vm.partition;
    subject->from = malloc(WRITTEN_PAGES * VMR_PAGE_SIZE);
    subject->to = malloc(WRITTEN_PAGES * VMR_PAGE_SIZE);
    if (!subject->from || !subject->to)
        return bench_failed("rewind: out of memory", VMR_E_NOMEM, NULL);
    memset(subject->from, 1, WRITTEN_PAGES * VMR_PAGE_SIZE);
    memset(subject->to, 2, WRITTEN_PAGES * VMR_PAGE_SIZE);
    enum vmr_status status = fill(subject, size, &err);

    if (!status)
        status = vmr_rewind_create(&subject->parts, &subject->rewind, &err);
    return status == VMR_OK || bench_failed(options->spec, status, &err);
}

static void end(struct subject *subject)
{
    vmr_rewind_destroy(subject->rewind);
    bench_vm_destroy(&subject->vm);
    free(subject->from);
    free(subject->to);
}

/* As an input would leave them: here and there. */
static bool write_pages(const struct subject *subject)
{
    enum vmr_status status = VMR_OK;

    for (uint64_t page = 0; !status && page < WRITTEN_PAGES; page++)
        status = vmr_memory_fill(subject->vm.memory, FAR + page * 5 * VMR_PAGE_SIZE, 0xee, 64);
    return status == VMR_OK;
}

enum step {
    STEP_COPY,
    STEP_EMPTY, /* back, with nothing written */
    STEP_BACK,
    STEP_COUNT
};

static double us_since(uint64_t begin_ns)
{
    return (double)(bench_now_ns() - begin_ns) / 1e3;
}

static bool turn(struct subject *subject, double ret_us[STEP_COUNT])
{
    struct vmr_error err = {0};
    uint64_t pages = 0, at = bench_now_ns();

    for (size_t page = 0; page < WRITTEN_PAGES; page++)
        memcpy(subject->to + page * VMR_PAGE_SIZE, subject->from + page * VMR_PAGE_SIZE, VMR_PAGE_SIZE);
    ret_us[STEP_COPY] = us_since(at);
    at = bench_now_ns();
    enum vmr_status status = vmr_rewind_back(subject->rewind, &pages, &err);

    ret_us[STEP_EMPTY] = us_since(at);
    if (status || !write_pages(subject))
        return bench_failed("rewind", status, &err);
    at = bench_now_ns();
    status = vmr_rewind_back(subject->rewind, &pages, &err);
    ret_us[STEP_BACK] = us_since(at);
    return (status == VMR_OK && pages >= WRITTEN_PAGES) || bench_failed("rewind", status, &err);
}

/* A row of figures for one VM. */
static bool measure(struct bench_report *report, const struct bench_vm_options *options, uint64_t size,
                    const char *which)
{
    static const char *const steps[STEP_COUNT] = {"a copy of 16 pages", "back, nothing written", "back, 16 pages"};
    static double samples[STEP_COUNT][TURNS];
    uint32_t turns = bench_rounds(report, TURNS);
    struct subject subject;
    bool unavailable = false, good = begin(&subject, options, size, &unavailable);
    char names[STEP_COUNT][56];

    for (uint32_t i = 0; good && i < turns; i++) {
        double us[STEP_COUNT];

        good = turn(&subject, us);
        for (unsigned step = 0; step < STEP_COUNT && good; step++)
            samples[step][i] = us[step];
    }
    for (unsigned step = 0; good && step < STEP_COUNT; step++) {
        (void)snprintf(names[step], sizeof(names[step]), "%s%s: %s", options->spec, which, steps[step]);
        bench_add(report, names[step], "us", samples[step], turns);
        if (step != STEP_COPY)
            bench_compare(report, names[step], names[STEP_COPY], NULL);
    }
    if (!unavailable)
        end(&subject);
    return good || unavailable;
}

bool bench_rewinds(struct bench_report *report)
{
    static const struct {
        struct bench_vm_options options;
        uint64_t size;
        const char *which;
    } rows[] = {
        {{.spec = "mock"}, MIB, ""},
        {{.spec = "mock"}, 1024 * MIB, ", 1 GiB"},
        {{.spec = "mock", .vps = 8, .bind_all = true}, MIB, ", 8 VPs"},
        {{.spec = "mock", .vps = 64, .bind_all = true}, MIB, ", 64 VPs"},
        {{.spec = "kvm"}, MIB, ""},
        {{.spec = "kvm"}, 1024 * MIB, ", 1 GiB"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!measure(report, &rows[i].options, rows[i].size, rows[i].which))
            return false;
    }
    return true;
}
