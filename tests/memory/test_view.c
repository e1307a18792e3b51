/* SPDX-License-Identifier: MIT */

/* Pinned views: what may be pinned, and that a pin keeps its region. [MEM-7] */

#include "tests/memory/fixture.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOP (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

/* [0x1000, 0x3000) RAM and its read-only neighbour [0x3000, 0x4000). */
static void init_with_regions(struct fixture *fixture)
{
    fixture_init(fixture);
    must_add(fixture, 0x1000, 2 * PAGE, false);
    must_add(fixture, 0x3000, PAGE, true);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
    size_t length;
    bool writable;
    enum vmr_status status;
} pins[] = {
    {"a whole region", 0x1000, 0x2000, true, VMR_OK},
    {"the last byte", 0x2fff, 1, true, VMR_OK},
    {"nothing of a region", 0x1000, 0, false, VMR_OK},
    {"across neighbours", 0x2fff, 2, false, VMR_E_GUEST},
    {"read-only, to read", 0x3000, 0x1000, false, VMR_OK},
    {"read-only, to write", 0x3000, 0x1000, true, VMR_E_GUEST},
    {"past the end", 0x3000, 0x1001, false, VMR_E_GUEST},
    {"a hole", 0x4000, 1, false, VMR_E_GUEST},
    {"nothing of a hole", 0x4000, 0, false, VMR_E_GUEST},
    {"a length that wraps", 0x1000, SIZE_MAX, false, VMR_E_GUEST},
    {"above 2^52", TOP, 1, false, VMR_E_GUEST},
    {"the last address", UINT64_MAX, 1, false, VMR_E_GUEST},
};

static void only_bytes_of_one_region_can_be_pinned(void **state)
{
    (void)state;
    struct fixture fixture;

    init_with_regions(&fixture);
    for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
        struct vmr_memory_view view = {0};

        if (vmr_memory_pin(fixture.memory, pins[i].gpa, pins[i].length, pins[i].writable, &view) != pins[i].status)
            fail_msg("%s", pins[i].name);
        assert_int_equal(view.bytes != NULL, pins[i].status == VMR_OK);
        vmr_memory_unpin(fixture.memory, &view);
        assert_null(view.bytes);
    }
    must_remove(&fixture, 0x1000);
    must_remove(&fixture, 0x3000);
    fixture_finish(&fixture);
}

static void a_view_shows_the_bytes_of_the_guest(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_memory_view view;
    char read[4] = {0};

    init_with_regions(&fixture);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x1ffe, "abcd", 4), VMR_OK);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1ffe, 4, true, &view), VMR_OK);
    assert_int_equal(view.length, 4);
    assert_int_equal(view.gpa, 0x1ffe);
    assert_memory_equal(view.bytes, "abcd", 4);
    memcpy(view.bytes, "wxyz", 4);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1ffe, read, 4), VMR_OK);
    assert_memory_equal(read, "wxyz", 4);
    vmr_memory_unpin(fixture.memory, &view);
    fixture_finish(&fixture);
}

static void a_region_goes_only_after_its_last_view(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_error err = {0};
    struct vmr_memory_view first, second;

    init_with_regions(&fixture);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1000, 8, false, &first), VMR_OK);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x2000, 8, true, &second), VMR_OK);
    assert_int_equal(vmr_memory_region_remove(fixture.memory, 0x1000, &err), VMR_E_STATE);
    assert_non_null(strstr(err.message, "0x1000: 2 views"));
    must_remove(&fixture, 0x3000); /* the neighbour is free to go */
    vmr_memory_unpin(fixture.memory, &first);
    vmr_memory_unpin(fixture.memory, &first); /* a second time is nothing */
    assert_int_equal(vmr_memory_region_remove(fixture.memory, 0x1000, NULL), VMR_E_STATE);
    must_add(&fixture, 0, PAGE, false); /* the table moves under the view */
    memset(second.bytes, 1, second.length);
    vmr_memory_unpin(fixture.memory, &second);
    must_remove(&fixture, 0x1000);
    fixture_finish(&fixture);
}

static void a_view_of_another_region_unpins_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct vmr_memory_view view;

    init_with_regions(&fixture);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1000, 8, false, &view), VMR_OK);
    struct vmr_memory_view forged = view;

    forged.token += 2; /* another slot */
    vmr_memory_unpin(fixture.memory, &forged);
    forged = view;
    forged.gpa = 0x3000;
    vmr_memory_unpin(fixture.memory, &forged);
    assert_int_equal(vmr_memory_region_remove(fixture.memory, 0x1000, NULL), VMR_E_STATE);
    vmr_memory_unpin(fixture.memory, &view);
    must_remove(&fixture, 0x1000);
    fixture_finish(&fixture);
}

struct eye {
    unsigned reads, writes;
    uint8_t byte;
    size_t length;
};

static void see_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct eye *eye = context;

    assert_int_equal(gpa, 0x1010);
    eye->reads++;
    eye->length = length;
    *(uint8_t *)bytes = 0x66;
}

static void see_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct eye *eye = context;

    assert_int_equal(gpa, 0x1010);
    eye->writes++;
    eye->length = length;
    eye->byte = *(const uint8_t *)bytes;
}

static void a_pin_is_one_read_and_a_writable_one_also_one_write(void **state)
{
    (void)state;
    struct fixture fixture;
    struct eye eye = {0};
    const struct vmr_memory_observer observer = {.read = see_read, .write = see_write, .context = &eye};
    struct vmr_memory_view view;

    init_with_regions(&fixture);
    vmr_memory_set_observer(fixture.memory, &observer);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1010, 32, false, &view), VMR_OK);
    assert_int_equal(eye.reads, 1);
    assert_int_equal(eye.length, 32);
    assert_int_equal(*(uint8_t *)view.bytes, 0x66); /* what the observer put there */
    vmr_memory_unpin(fixture.memory, &view);
    assert_int_equal(eye.writes, 0);

    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1010, 16, true, &view), VMR_OK);
    *(uint8_t *)view.bytes = 0x99;
    assert_int_equal(eye.writes, 0);
    vmr_memory_unpin(fixture.memory, &view);
    assert_int_equal(eye.reads, 2);
    assert_int_equal(eye.writes, 1);
    assert_int_equal(eye.byte, 0x99);
    assert_int_equal(eye.length, 16);
    fixture_finish(&fixture);
}

/*
 * Of the library's own memory, what nobody has touched need not be touched. Of what an embedder mapped nothing is
 * known: pages of a file that are not there hold what the file does. [MEM-10]
 */
static void memory_of_the_embedder_is_always_touched(void **state)
{
    char name[] = "/tmp/vmrig-touched-XXXXXX";
    int fd = mkstemp(name);
    struct fixture fixture;
    bool touched[4] = {false};

    (void)state;
    assert_true(fd >= 0);
    (void)unlink(name);
    assert_int_equal(ftruncate(fd, 4 * (off_t)PAGE), 0);
    assert_int_equal(pwrite(fd, "file", 4, 2 * (off_t)PAGE), 4);
    uint8_t *mapped = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const struct vmr_memory_region region = {.gpa = 16 * PAGE, .size = 4 * PAGE, .host = mapped};

    assert_true(mapped != MAP_FAILED);
    fixture_init(&fixture);
    must_add(&fixture, 0, 4 * PAGE, false);
    assert_int_equal(vmr_memory_region_add(fixture.memory, &region, NULL), VMR_OK);
    assert_int_equal(vmr_memory_touched(fixture.memory, 16 * PAGE, 4, touched), VMR_OK);
    assert_true(touched[0] && touched[1] && touched[2] && touched[3]);
    assert_int_equal(vmr_memory_fill(fixture.memory, 2 * PAGE, 0, 1), VMR_OK);
    assert_int_equal(vmr_memory_touched(fixture.memory, PAGE, 2, touched), VMR_OK);
    assert_true(touched[1]);
    assert_int_equal(vmr_memory_touched(fixture.memory, PAGE, 4, touched), VMR_E_GUEST);
    assert_int_equal(vmr_memory_touched(fixture.memory, 1, 1, touched), VMR_E_GUEST);
    assert_int_equal(vmr_memory_touched(fixture.memory, 0, SIZE_MAX, touched), VMR_E_GUEST);
    fixture_finish(&fixture);
    assert_int_equal(munmap(mapped, 4 * PAGE), 0);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_the_embedder_is_always_touched),
        cmocka_unit_test(only_bytes_of_one_region_can_be_pinned),
        cmocka_unit_test(a_view_shows_the_bytes_of_the_guest),
        cmocka_unit_test(a_region_goes_only_after_its_last_view),
        cmocka_unit_test(a_view_of_another_region_unpins_nothing),
        cmocka_unit_test(a_pin_is_one_read_and_a_writable_one_also_one_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
