/* SPDX-License-Identifier: MIT */

/* Regions that come and go: what is refused, what the listener hears, in what order. [MEM-3] [MEM-4] */

#include "tests/memory/fixture.h"

#include <stdio.h>
#include <unistd.h>

#define TOP (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

static const struct vmr_memory_backing plain,
    odd_pages = {.hugepages = true, .hugepage_size = 0x3000}, small_pages = {.hugepages = true, .hugepage_size = PAGE},
    large_pages = {.hugepages = true}, size_alone = {.hugepage_size = 0x200000},
    both = {.hugepages = true, .transparent_hugepages = true},
    no_node = {.bind_host_node = true, .host_numa_node = 1023};

static const struct {
    const char *name;
    struct vmr_memory_region region;
    const char *said; /* part of the message */
} refusals[] = {
    {"unaligned address", {.gpa = 0x10800, .size = PAGE}, "0x10800"},
    {"empty", {.gpa = 0x20000, .size = 0}, "0x20000"},
    {"unaligned size", {.gpa = 0x20000, .size = PAGE + 1}, "0x1001"},
    {"ends above 2^52", {.gpa = TOP - PAGE, .size = 2 * PAGE}, "2^52"},
    {"starts at 2^52", {.gpa = TOP, .size = PAGE}, "2^52"},
    {"wraps at 2^64", {.gpa = UINT64_MAX - PAGE + 1, .size = 2 * PAGE}, "2^52"},
    {"size that wraps", {.gpa = PAGE, .size = UINT64_MAX - PAGE + 1}, "2^52"},
    {"unaligned host memory", {.gpa = 0x20000, .size = PAGE, .host = (void *)8}, "host memory"},
    {"the same again", {.gpa = 0x1000, .size = PAGE}, "overlaps the one at 0x1000"},
    {"over the end", {.gpa = 0x2000, .size = 4 * PAGE}, "overlaps the one at 0x1000"},
    {"around it", {.gpa = 0, .size = 16 * PAGE}, "overlaps the one at 0x1000"},
    {"two backings", {.gpa = 0x20000, .size = PAGE, .host = (void *)0x10000, .backing = &plain}, "both host memory"},
    {"huge pages of odd size", {.gpa = 0x20000, .size = PAGE, .backing = &odd_pages}, "0x3000"},
    {"huge pages that are not", {.gpa = 0x20000, .size = PAGE, .backing = &small_pages}, "0x1000"},
    {"half a huge page", {.gpa = 0x20000, .size = 0x300000, .backing = &large_pages}, "multiple of its huge pages"},
    {"a size and no huge pages", {.gpa = 0x20000, .size = 0x200000, .backing = &size_alone}, "without hugepages"},
    {"two kinds of huge pages", {.gpa = 0x20000, .size = 0x200000, .backing = &both}, "transparent_hugepages"},
    {"a node that is not there", {.gpa = 0x20000, .size = PAGE, .backing = &no_node}, "0x3ff"},
    {"more than any host has", {.gpa = 0x100000, .size = TOP - 0x100000}, "0x100000"},
};

static void a_refused_region_changes_nothing_and_is_named(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    must_add(&fixture, 0x1000, 2 * PAGE, false);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct vmr_error err = {0};
        enum vmr_status status = vmr_memory_region_add(fixture.memory, &refusals[i].region, &err);

        if (status == VMR_OK || err.status != status || !strstr(err.message, refusals[i].said))
            fail_msg("%s: %s \"%s\"", refusals[i].name, vmr_status_name(status), err.message);
        assert_int_equal(vmr_memory_region_count(fixture.memory), 1);
        assert_int_equal(vmr_memory_size(fixture.memory), 2 * PAGE);
    }
    fixture_finish(&fixture);
}

static void regions_may_touch_and_reach_the_last_page(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_memory_region found;

    fixture_init(&fixture);
    must_add(&fixture, 0, PAGE, false);
    must_add(&fixture, PAGE, PAGE, true);
    must_add(&fixture, TOP - PAGE, PAGE, false);
    assert_true(vmr_memory_region_find(fixture.memory, 2 * PAGE - 1, &found));
    assert_int_equal(found.gpa, PAGE);
    assert_int_equal(found.size, PAGE);
    assert_true(found.read_only);
    assert_null(found.host);
    assert_true(vmr_memory_region_find(fixture.memory, TOP - 1, &found));
    assert_false(vmr_memory_region_find(fixture.memory, TOP, &found));
    assert_false(vmr_memory_region_find(fixture.memory, 2 * PAGE, &found));
    fixture_finish(&fixture);
}

static void a_shared_region_has_a_descriptor_and_no_other_has(void **state)
{
    static const struct vmr_memory_backing shared = {.shared = true};
    const struct vmr_memory_region region = {.gpa = 0x10000, .size = PAGE, .backing = &shared};
    struct fixture fixture;
    uint8_t byte = 0x5a, seen = 0;
    int fd = -1;

    (void)state;
    fixture_init(&fixture);
    must_add(&fixture, 0, PAGE, false);
    assert_int_equal(vmr_memory_region_add(fixture.memory, &region, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_fd(fixture.memory, 0, &fd, NULL), VMR_E_UNSUPPORTED);
    assert_int_equal(vmr_memory_region_fd(fixture.memory, 0x10800, &fd, NULL), VMR_E_USAGE);
    assert_int_equal(fd, -1);
    assert_int_equal(vmr_memory_region_fd(fixture.memory, 0x10000, &fd, NULL), VMR_OK);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x10123, &byte, 1), VMR_OK);
    assert_int_equal(pread(fd, &seen, 1, 0x123), 1);
    assert_int_equal(seen, 0x5a);
    must_remove(&fixture, 0x10000);
    assert_int_equal(pread(fd, &seen, 1, 0x123), -1);
    fixture_finish(&fixture);
}

static void a_removed_region_is_a_hole_and_its_place_is_free(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};
    uint8_t byte = 0x5a;

    fixture_init(&fixture);
    must_add(&fixture, 0x4000, PAGE, false);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x4000, &byte, 1), VMR_OK);
    must_remove(&fixture, 0x4000);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x4000, &byte, 1), VMR_E_GUEST);
    assert_int_equal(vmr_memory_region_remove(fixture.memory, 0x4000, &err), VMR_E_USAGE);
    assert_non_null(strstr(err.message, "0x4000"));
    must_add(&fixture, 0x3000, 4 * PAGE, false);
    assert_int_equal(vmr_memory_region_remove(fixture.memory, 0x4000, NULL), VMR_E_USAGE);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x4000, &byte, 1), VMR_OK);
    assert_int_equal(byte, 0);
    fixture_finish(&fixture);
}

static void the_callers_pages_stay_the_callers(void **state)
{
    (void)state;
    static _Alignas(VMR_PAGE_SIZE) const uint8_t zeros[VMR_PAGE_SIZE];
    _Alignas(VMR_PAGE_SIZE) uint8_t page[VMR_PAGE_SIZE];
    struct fixture fixture;
    const struct vmr_memory_region region = {.gpa = 0x9000, .size = PAGE, .host = page};

    fixture_init(&fixture);
    memcpy(page, zeros, sizeof(page));
    assert_int_equal(vmr_memory_region_add(fixture.memory, &region, NULL), VMR_OK);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x9ffe, "ab", 2), VMR_OK);
    must_remove(&fixture, 0x9000);
    assert_memory_equal(page + 0xffe, "ab", 2);
    fixture_finish(&fixture);
}

/* Writes what it hears as text: "+slot@gpa" and "-slot@gpa". */
struct ear {
    char text[256];
    size_t length;
    vmr_gpa refused;
    struct vmr_memory *memory;
    bool readable; /* the region that goes could still be read */
};

static void note(struct ear *ear, char sign, uint32_t slot, vmr_gpa gpa)
{
    ear->length += (size_t)snprintf(ear->text + ear->length, sizeof(ear->text) - ear->length, "%c%u@%x ", sign, slot,
                                    (unsigned)gpa);
}

static enum vmr_status hear_added(void *context, uint32_t slot, const struct vmr_memory_region *region,
                                  struct vmr_error *err)
{
    struct ear *ear = context;

    if (region->gpa == ear->refused)
        return vmr_error_set(err, VMR_E_HOST, "the ear is full");
    note(ear, '+', slot, region->gpa);
    ((volatile uint8_t *)region->host)[region->size - 1] = 0x77;
    return VMR_OK;
}

static void hear_removed(void *context, uint32_t slot, const struct vmr_memory_region *region)
{
    struct ear *ear = context;
    uint8_t byte;

    note(ear, '-', slot, region->gpa);
    /* The pages are still there; the library no longer reaches them. */
    assert_int_equal(((volatile uint8_t *)region->host)[region->size - 1], 0x77);
    ear->readable = vmr_memory_read(ear->memory, region->gpa, &byte, 1) == VMR_OK;
}

static struct vmr_memory_listener listener_of(struct ear *ear)
{
    return (struct vmr_memory_listener){.added = hear_added, .removed = hear_removed, .context = ear};
}

static void the_listener_hears_of_every_region_in_order(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    struct ear ear = {.refused = UINT64_MAX, .memory = fixture.memory};
    const struct vmr_memory_listener listener = listener_of(&ear);

    must_add(&fixture, 0x8000, PAGE, false);
    must_add(&fixture, 0x1000, PAGE, false);
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_OK);
    must_add(&fixture, 0x4000, PAGE, false);
    must_remove(&fixture, 0x8000);
    assert_false(ear.readable);
    must_add(&fixture, 0x6000, PAGE, false);
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_E_STATE);
    vmr_memory_unlisten(fixture.memory);
    must_add(&fixture, 0x9000, PAGE, false);
    vmr_memory_unlisten(fixture.memory);
    assert_string_equal(ear.text, "+1@1000 +0@8000 +2@4000 -0@8000 +0@6000 -0@6000 -2@4000 -1@1000 ");
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_OK);
    fixture_finish(&fixture);
}

static void a_listener_that_refuses_leaves_the_memory_as_it_was(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};

    fixture_init(&fixture);
    struct ear ear = {.refused = 0x3000, .memory = fixture.memory};
    const struct vmr_memory_listener listener = listener_of(&ear);
    const struct vmr_memory_region region = {.gpa = 0x3000, .size = PAGE};

    must_add(&fixture, 0x1000, PAGE, false);
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_OK);
    assert_int_equal(vmr_memory_region_add(fixture.memory, &region, &err), VMR_E_HOST);
    assert_string_equal(err.message, "the ear is full");
    assert_int_equal(vmr_memory_region_count(fixture.memory), 1);
    must_add(&fixture, 0x5000, PAGE, false); /* takes the slot that the refused one had */
    assert_string_equal(ear.text, "+0@1000 +1@5000 ");
    fixture_finish(&fixture);
}

static void a_listener_that_refuses_an_old_region_is_told_back(void **state)
{
    (void)state;
    struct fixture fixture;

    fixture_init(&fixture);
    struct ear ear = {.refused = 0x3000, .memory = fixture.memory};
    const struct vmr_memory_listener listener = listener_of(&ear);

    must_add(&fixture, 0x1000, PAGE, false);
    must_add(&fixture, 0x2000, PAGE, false);
    must_add(&fixture, 0x3000, PAGE, false);
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_E_HOST);
    assert_string_equal(ear.text, "+0@1000 +1@2000 -1@2000 -0@1000 ");
    ear.refused = UINT64_MAX;
    assert_int_equal(vmr_memory_listen(fixture.memory, &listener, NULL), VMR_OK);
    fixture_finish(&fixture);
}

static void wrong_calls_are_told_so(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_memory *memory = NULL;
    const struct vmr_memory_listener deaf = {0};

    assert_int_equal(vmr_memory_create(NULL, &memory, NULL), VMR_E_USAGE);
    assert_null(memory);
    vmr_memory_destroy(NULL);
    fixture_init(&fixture);
    assert_int_equal(vmr_memory_listen(fixture.memory, &deaf, NULL), VMR_E_USAGE);
    fixture_finish(&fixture);
}

static void a_full_table_refuses_one_more(void **state)
{
    (void)state;
    static _Alignas(VMR_PAGE_SIZE) uint8_t page[VMR_PAGE_SIZE];
    struct fixture fixture;
    struct vmr_error err = {0};

    fixture_init(&fixture);
    for (uint64_t i = 0; i < VMR_MEMORY_REGION_MAX; i++) {
        const struct vmr_memory_region region = {.gpa = i * PAGE, .size = PAGE, .host = page};

        assert_int_equal(vmr_memory_region_add(fixture.memory, &region, NULL), VMR_OK);
    }
    const struct vmr_memory_region more = {.gpa = TOP / 2, .size = PAGE, .host = page};

    assert_int_equal(vmr_memory_region_add(fixture.memory, &more, &err), VMR_E_CONFIG);
    assert_non_null(strstr(err.message, "32000"));
    must_remove(&fixture, 5 * PAGE);
    assert_int_equal(vmr_memory_region_add(fixture.memory, &more, &err), VMR_OK);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_region_changes_nothing_and_is_named),
        cmocka_unit_test(regions_may_touch_and_reach_the_last_page),
        cmocka_unit_test(a_shared_region_has_a_descriptor_and_no_other_has),
        cmocka_unit_test(a_removed_region_is_a_hole_and_its_place_is_free),
        cmocka_unit_test(the_callers_pages_stay_the_callers),
        cmocka_unit_test(the_listener_hears_of_every_region_in_order),
        cmocka_unit_test(a_listener_that_refuses_leaves_the_memory_as_it_was),
        cmocka_unit_test(a_listener_that_refuses_an_old_region_is_told_back),
        cmocka_unit_test(wrong_calls_are_told_so),
        cmocka_unit_test(a_full_table_refuses_one_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
