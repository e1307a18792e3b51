/* SPDX-License-Identifier: MIT */
/*
 * The layout engine against a model that tries every address of a small world,
 * and by hand where the order and the words matter. [LAY-1] to [LAY-5]
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmrig/resolved.h"

#define PAGE UINT64_C(4096)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct result {
    struct vmr_placement *placements;
    size_t count;
    struct vmr_config_report report;
    enum vmr_status status;
};

static struct result place(const struct vmr_layout_request *requests, size_t count)
{
    struct result result = {.count = 0};

    result.status = vmr_layout_place(requests, count, &result.placements, &result.count, &result.report);
    return result;
}

static void finish(struct result *result)
{
    free(result->placements);
    vmr_config_report_finish(&result->report);
}

static void expect(const struct result *result, size_t index, const char *tag, uint64_t start, uint64_t end)
{
    assert_true(index < result->count);
    assert_string_equal(result->placements[index].tag, tag);
    assert_int_equal(result->placements[index].range.start, start);
    assert_int_equal(result->placements[index].range.end, end);
}

static void phases_have_names(void **state)
{
    (void)state;
    assert_string_equal(vmr_layout_phase_name(VMR_LAYOUT_RESERVED), "reserved");
    assert_string_equal(vmr_layout_phase_name(VMR_LAYOUT_POST_MMIO), "post-mmio");
    assert_string_equal(vmr_layout_phase_name(VMR_LAYOUT_PHASE_COUNT), "unknown");
}

static void phases_go_where_they_say(void **state)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "post", .phase = VMR_LAYOUT_POST_MMIO, .size = PAGE, .alignment = 2 * MIB},
        {.tag = "high", .phase = VMR_LAYOUT_MMIO64, .size = GIB, .alignment = GIB},
        {.tag = "ram", .phase = VMR_LAYOUT_RAM, .size = 4 * GIB, .alignment = GIB},
        {.tag = "low", .phase = VMR_LAYOUT_MMIO32, .size = 64 * MIB, .alignment = 2 * MIB},
        {.tag = "board", .phase = VMR_LAYOUT_FIXED, .size = 128 * MIB, .start = 4 * GIB - 128 * MIB},
    };
    struct result result = place(requests, COUNT(requests));

    (void)state;
    assert_int_equal(result.status, VMR_OK);
    assert_int_equal(result.count, 6);
    expect(&result, 0, "ram", 0, 3 * GIB);
    expect(&result, 1, "low", 4 * GIB - 192 * MIB, 4 * GIB - 128 * MIB);
    expect(&result, 2, "board", 4 * GIB - 128 * MIB, 4 * GIB);
    expect(&result, 3, "ram", 4 * GIB, 5 * GIB);
    expect(&result, 4, "high", 5 * GIB, 6 * GIB);
    expect(&result, 5, "post", 6 * GIB, 6 * GIB + PAGE);
    finish(&result);
}

static void ram_never_goes_back(void **state)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "hole", .phase = VMR_LAYOUT_FIXED, .size = MIB, .start = 3 * MIB},
        {.tag = "a", .phase = VMR_LAYOUT_RAM, .size = 4 * MIB, .alignment = 2 * MIB},
        {.tag = "b", .phase = VMR_LAYOUT_RAM, .size = MIB, .alignment = MIB},
    };
    struct result result = place(requests, COUNT(requests));

    (void)state;
    /* What is left between 2 and 3 MiB is no whole alignment of a's, and lies behind b's back. */
    assert_int_equal(result.count, 4);
    expect(&result, 0, "a", 0, 2 * MIB);
    expect(&result, 1, "hole", 3 * MIB, 4 * MIB);
    expect(&result, 2, "a", 4 * MIB, 6 * MIB);
    expect(&result, 3, "b", 6 * MIB, 7 * MIB);
    finish(&result);
}

static void equal_requests_keep_their_order_and_larger_ones_come_first(void **state)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "a", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = PAGE},
        {.tag = "b", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = PAGE},
        {.tag = "c", .phase = VMR_LAYOUT_MMIO64, .size = 2 * PAGE, .alignment = PAGE},
        {.tag = "d", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = 2 * PAGE},
        {.tag = "x", .phase = VMR_LAYOUT_MMIO32, .size = PAGE, .alignment = PAGE},
        {.tag = "y", .phase = VMR_LAYOUT_MMIO32, .size = PAGE, .alignment = PAGE},
    };
    struct result result = place(requests, COUNT(requests));

    (void)state;
    assert_int_equal(result.count, 6);
    expect(&result, 0, "y", 4 * GIB - 2 * PAGE, 4 * GIB - PAGE);
    expect(&result, 1, "x", 4 * GIB - PAGE, 4 * GIB);
    expect(&result, 2, "d", 4 * GIB, 4 * GIB + PAGE);
    expect(&result, 3, "c", 4 * GIB + PAGE, 4 * GIB + 3 * PAGE);
    expect(&result, 4, "a", 4 * GIB + 3 * PAGE, 4 * GIB + 4 * PAGE);
    expect(&result, 5, "b", 4 * GIB + 4 * PAGE, 4 * GIB + 5 * PAGE);
    finish(&result);
}

static void what_is_reserved_at_the_end_is_not_told_and_does_not_count(void **state)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "below", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = 0},
        {.tag = "ram", .phase = VMR_LAYOUT_RAM, .size = PAGE, .alignment = PAGE},
        {.tag = "above", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = 64 * GIB},
        {.tag = "post", .phase = VMR_LAYOUT_POST_MMIO, .size = PAGE, .alignment = PAGE},
    };
    struct result result = place(requests, COUNT(requests));

    (void)state;
    assert_int_equal(result.count, 3);
    expect(&result, 0, "below", 0, PAGE);
    expect(&result, 1, "ram", PAGE, 2 * PAGE);
    expect(&result, 2, "post", 2 * PAGE, 3 * PAGE);
    finish(&result);
}

static const struct {
    const char *name;
    struct vmr_layout_request requests[3];
    size_t count;
    const char *code, *path, *said;
} refusals[] = {
    {"no size", {{.tag = "a", .phase = VMR_LAYOUT_RAM, .alignment = PAGE}}, 1, "CFG-ADDRESS-SIZE", "a", "0"},
    {"half a page", {{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = 2048}}, 1, "CFG-ADDRESS-SIZE", "a", "0x800"},
    {"alignment below a page",
     {{.tag = "a", .path = "here.it.is", .phase = VMR_LAYOUT_MMIO32, .size = PAGE, .alignment = 2048}},
     1,
     "CFG-ADDRESS-ALIGNMENT",
     "here.it.is",
     "0x800"},
    {"alignment that is no power of two",
     {{.tag = "a", .phase = VMR_LAYOUT_MMIO64, .size = PAGE, .alignment = 3 * PAGE}},
     1,
     "CFG-ADDRESS-ALIGNMENT",
     "a",
     "0x3000"},
    {"a start within a page",
     {{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 1}},
     1,
     "CFG-ADDRESS-ALIGNMENT",
     "a",
     "0x1"},
    {"beyond 52 bits",
     {{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = 2 * PAGE, .start = (UINT64_C(1) << 52) - PAGE}},
     1,
     "CFG-ADDRESS-RANGE",
     "a",
     "0xffffffffff000"},
    {"wraps",
     {{.tag = "a", .phase = VMR_LAYOUT_RESERVED, .size = 2 * PAGE, .start = UINT64_MAX - PAGE + 1}},
     1,
     "CFG-ADDRESS-RANGE",
     "a",
     "0xfffffffffffff000"},
    {"two fixed ranges",
     {{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = 2 * PAGE, .start = PAGE},
      {.tag = "b", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 2 * PAGE}},
     2,
     "CFG-ADDRESS-OVERLAP",
     "b",
     "overlaps a at 0x1000-0x2fff"},
    {"reserved and reserved, one far inside",
     {{.tag = "a", .phase = VMR_LAYOUT_RESERVED, .size = 8 * PAGE, .start = 0},
      {.tag = "b", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 16 * PAGE},
      {.tag = "c", .phase = VMR_LAYOUT_RESERVED, .size = PAGE, .start = 7 * PAGE}},
     3,
     "CFG-ADDRESS-OVERLAP",
     "c",
     "overlaps a"},
    {"the last with one behind the first",
     {{.tag = "a", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 0},
      {.tag = "b", .phase = VMR_LAYOUT_FIXED, .size = 16 * PAGE, .start = 16 * PAGE},
      {.tag = "c", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 24 * PAGE}},
     3,
     "CFG-ADDRESS-OVERLAP",
     "c",
     "overlaps b"},
    {"too much below 4 GiB",
     {{.tag = "board", .phase = VMR_LAYOUT_FIXED, .size = 3 * GIB, .start = GIB},
      {.tag = "a", .phase = VMR_LAYOUT_MMIO32, .size = 2 * GIB, .alignment = GIB}},
     2,
     "CFG-ADDRESS-EXHAUSTED",
     "a",
     "0x80000000 bytes aligned to 0x40000000 find no place in phase mmio32, where 0x40000000 bytes are left"},
    {"too much RAM",
     {{.tag = "a", .phase = VMR_LAYOUT_RAM, .size = (UINT64_C(1) << 52) - GIB, .alignment = GIB},
      {.tag = "b", .phase = VMR_LAYOUT_RAM, .size = 2 * GIB, .alignment = GIB}},
     2,
     "CFG-ADDRESS-EXHAUSTED",
     "b",
     "phase ram"},
    {"too much above",
     {{.tag = "a", .phase = VMR_LAYOUT_MMIO64, .size = UINT64_C(1) << 52, .alignment = GIB}},
     1,
     "CFG-ADDRESS-EXHAUSTED",
     "a",
     "phase mmio64"},
    {"an alignment that no address has",
     {{.tag = "a", .phase = VMR_LAYOUT_POST_MMIO, .size = PAGE, .alignment = UINT64_C(1) << 63},
      {.tag = "b", .phase = VMR_LAYOUT_FIXED, .size = PAGE, .start = 0}},
     2,
     "CFG-ADDRESS-EXHAUSTED",
     "a",
     "phase post-mmio"},
};

static void what_cannot_be_placed_is_refused_by_its_tag_and_nothing_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct result result = place(refusals[i].requests, refusals[i].count);
        const struct vmr_config_finding *finding = result.report.findings;

        if (result.status != VMR_E_CONFIG || result.report.count != 1 || result.placements || result.count != 0 ||
            strcmp(finding->rule->code, refusals[i].code) != 0 || strcmp(finding->path, refusals[i].path) != 0 ||
            !strstr(finding->message, refusals[i].said))
            fail_msg("%s: status %d, %zu findings: %s %s %s", refusals[i].name, result.status, result.report.count,
                     finding ? finding->rule->code : "", finding ? finding->path : "", finding ? finding->message : "");
        finish(&result);
    }
}

static void everything_that_is_wrong_is_found_before_anything_is_placed(void **state)
{
    static const struct vmr_layout_request requests[] = {
        {.tag = "a", .phase = VMR_LAYOUT_RAM, .size = 1, .alignment = 1},
        {.tag = "b", .phase = VMR_LAYOUT_FIXED, .size = 0, .start = 1},
    };
    struct result result = place(requests, COUNT(requests));

    (void)state;
    assert_int_equal(result.status, VMR_E_CONFIG);
    assert_int_equal(result.report.count, 4);
    finish(&result);
}

static void nothing_asked_for_is_nothing_placed(void **state)
{
    struct result result = place(NULL, 0);

    (void)state;
    assert_int_equal(result.status, VMR_OK);
    assert_int_equal(result.count, 0);
    finish(&result);
}

/* --- the model: one bit a page, every address tried; 4 GiB is in the middle of it --- */

#define WORLD_LOW (4 * GIB - 64 * PAGE)
#define WORLD_PAGES 192u
#define MODEL_MAX 12u

struct model {
    bool taken[WORLD_PAGES];
    uint64_t start[MODEL_MAX], ram_end, top;
    struct vmr_gpa_range pieces[MODEL_MAX][WORLD_PAGES];
    size_t piece_count[MODEL_MAX];
};

static uint64_t address_of(size_t page)
{
    return WORLD_LOW + page * PAGE;
}

static bool is_free(const struct model *model, size_t page, uint64_t size)
{
    size_t pages = size / PAGE;

    if (page + pages > WORLD_PAGES)
        return false;
    for (size_t i = 0; i < pages; i++) {
        if (model->taken[page + i])
            return false;
    }
    return true;
}

static void model_take(struct model *model, unsigned request, size_t page, uint64_t size)
{
    for (size_t i = 0; i < size / PAGE; i++)
        model->taken[page + i] = true;
    model->pieces[request][model->piece_count[request]++] =
        (struct vmr_gpa_range){address_of(page), address_of(page) + size};
    if (address_of(page) + size > model->top)
        model->top = address_of(page) + size;
}

static bool model_low(struct model *model, unsigned index, const struct vmr_layout_request *request, uint64_t from)
{
    for (size_t page = 0; page < WORLD_PAGES; page++) {
        if (address_of(page) >= from && address_of(page) % request->alignment == 0 &&
            is_free(model, page, request->size)) {
            model_take(model, index, page, request->size);
            return true;
        }
    }
    return false;
}

static bool model_high(struct model *model, unsigned index, const struct vmr_layout_request *request)
{
    for (size_t page = WORLD_PAGES; page-- > 0;) {
        if (address_of(page) + request->size <= 4 * GIB && address_of(page) % request->alignment == 0 &&
            is_free(model, page, request->size)) {
            model_take(model, index, page, request->size);
            return true;
        }
    }
    return false;
}

/* Page by page: as much as is free in a row from each aligned address on. */
static bool model_ram(struct model *model, unsigned index, const struct vmr_layout_request *request)
{
    uint64_t left = request->size;

    for (size_t page = 0; page < WORLD_PAGES && left > 0; page++) {
        size_t run = 0;

        if (address_of(page) < model->ram_end || address_of(page) % request->alignment != 0)
            continue;
        while (page + run < WORLD_PAGES && !model->taken[page + run])
            run++;
        uint64_t size = run * PAGE >= left ? left : run * PAGE / request->alignment * request->alignment;

        if (size == 0)
            continue;
        model_take(model, index, page, size);
        model->ram_end = address_of(page) + size;
        left -= size;
        page += size / PAGE - 1;
    }
    return left == 0;
}

static bool model_place(struct model *model, unsigned index, const struct vmr_layout_request *request)
{
    switch (request->phase) {
    case VMR_LAYOUT_MMIO32:
        return model_high(model, index, request);
    case VMR_LAYOUT_RAM:
        return model_ram(model, index, request);
    case VMR_LAYOUT_MMIO64:
        return model_low(model, index, request, model->ram_end > 4 * GIB ? model->ram_end : 4 * GIB);
    case VMR_LAYOUT_POST_MMIO:
        return model_low(model, index, request, model->top);
    case VMR_LAYOUT_RESERVED:
    case VMR_LAYOUT_FIXED:
    case VMR_LAYOUT_PHASE_COUNT:
        break;
    }
    return false;
}

static bool comes_before(const struct vmr_layout_request *a, const struct vmr_layout_request *b)
{
    if (a->phase != VMR_LAYOUT_MMIO32 && a->phase != VMR_LAYOUT_MMIO64)
        return false;
    return a->alignment > b->alignment || (a->alignment == b->alignment && a->size > b->size);
}

/* Whether all of `requests` fit; those of a phase by repeated choice of the first. */
static bool model_run(struct model *model, const struct vmr_layout_request *requests, unsigned count)
{
    for (unsigned phase = VMR_LAYOUT_MMIO32; phase < VMR_LAYOUT_PHASE_COUNT; phase++) {
        bool done[MODEL_MAX] = {false};

        for (unsigned round = 0; round < count; round++) {
            unsigned best = count;

            for (unsigned i = 0; i < count; i++) {
                if (!done[i] && requests[i].phase == phase &&
                    (best == count || comes_before(&requests[i], &requests[best])))
                    best = i;
            }
            if (best == count)
                break;
            done[best] = true;
            if (!model_place(model, best, &requests[best]))
                return false;
        }
    }
    return true;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* The world's lower end and everything above it are reserved, so that it is small; some fixed ranges lie in it. */
static unsigned make_world(uint64_t *seed, struct model *model, struct vmr_layout_request *requests)
{
    static const char *const tags[MODEL_MAX] = {"low", "high", "f0", "f1", "r0", "r1",
                                                "r2",  "r3",   "r4", "r5", "r6", "r7"};
    unsigned count = 0;

    requests[count++] =
        (struct vmr_layout_request){.tag = tags[0], .phase = VMR_LAYOUT_RESERVED, .size = WORLD_LOW, .start = 0};
    requests[count++] = (struct vmr_layout_request){.tag = tags[1],
                                                    .phase = VMR_LAYOUT_RESERVED,
                                                    .start = address_of(WORLD_PAGES),
                                                    .size = (UINT64_C(1) << 52) - address_of(WORLD_PAGES)};
    for (unsigned i = 0; i < 2; i++) {
        size_t page = next_random(seed) % (WORLD_PAGES - 8);
        uint64_t size = (next_random(seed) % 8 + 1) * PAGE;

        if (!is_free(model, page, size))
            continue;
        model_take(model, count, page, size);
        requests[count] = (struct vmr_layout_request){
            .tag = tags[count], .phase = VMR_LAYOUT_FIXED, .size = size, .start = address_of(page)};
        count++;
    }
    while (count < MODEL_MAX) {
        requests[count] = (struct vmr_layout_request){.tag = tags[count],
                                                      .phase = VMR_LAYOUT_MMIO32 + next_random(seed) % 4,
                                                      .size = (next_random(seed) % 16 + 1) * PAGE,
                                                      .alignment = PAGE << next_random(seed) % 5};
        count++;
    }
    return count;
}

static void compare(const struct model *model, const struct result *result, unsigned request, uint64_t round)
{
    size_t seen = 0;

    for (size_t i = 0; i < result->count; i++) {
        if (result->placements[i].request != request)
            continue;
        if (seen >= model->piece_count[request] ||
            result->placements[i].range.start != model->pieces[request][seen].start ||
            result->placements[i].range.end != model->pieces[request][seen].end)
            fail_msg("round %llu: request %u piece %zu", (unsigned long long)round, request, seen);
        seen++;
    }
    if (seen != model->piece_count[request])
        fail_msg("round %llu: request %u has %zu pieces, not %zu", (unsigned long long)round, request, seen,
                 model->piece_count[request]);
}

static void generated_layouts_are_those_of_the_model(void **state)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned placed = 0, refused = 0;

    (void)state;
    for (uint64_t round = 0; round < 20000; round++) {
        struct vmr_layout_request requests[MODEL_MAX];
        static struct model model;

        memset(&model, 0, sizeof(model));
        unsigned count = make_world(&seed, &model, requests);
        struct result result = place(requests, count);
        bool fits = model_run(&model, requests, count);

        assert_int_equal(result.status, fits ? VMR_OK : VMR_E_CONFIG);
        for (unsigned i = 2; fits && i < count; i++)
            compare(&model, &result, i, round);
        for (size_t i = 1; i < result.count; i++)
            assert_true(result.placements[i - 1].range.end <= result.placements[i].range.start);
        *(fits ? &placed : &refused) += 1;
        finish(&result);
    }
    assert_true(placed > 2000 && refused > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phases_have_names),
        cmocka_unit_test(phases_go_where_they_say),
        cmocka_unit_test(ram_never_goes_back),
        cmocka_unit_test(equal_requests_keep_their_order_and_larger_ones_come_first),
        cmocka_unit_test(what_is_reserved_at_the_end_is_not_told_and_does_not_count),
        cmocka_unit_test(what_cannot_be_placed_is_refused_by_its_tag_and_nothing_is),
        cmocka_unit_test(everything_that_is_wrong_is_found_before_anything_is_placed),
        cmocka_unit_test(nothing_asked_for_is_nothing_placed),
        cmocka_unit_test(generated_layouts_are_those_of_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
