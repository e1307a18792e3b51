/* SPDX-License-Identifier: MIT */

/* Reads, writes, fills and fetch-or: whole or not at all, and seen by the observer. [MEM-5] [MEM-6] [MEM-8] */

#include "lib/memory/memory.h"

#include "tests/memory/fixture.h"

#include <stdio.h>

#define TOP (UINT64_C(1) << VMR_PHYSICAL_BITS_MAX)

/*
 * [0x1000, 0x3000) RAM, [0x3000, 0x4000) read-only, then a hole of a page, [0x5000, 0x6000) RAM, and the last page
 * below 2^52.
 */
static void init_with_regions(struct fixture *fixture)
{
    fixture_init(fixture);
    must_add(fixture, 0x1000, 2 * PAGE, false);
    must_add(fixture, 0x3000, PAGE, true);
    must_add(fixture, 0x5000, PAGE, false);
    must_add(fixture, TOP - PAGE, PAGE, false);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
    size_t length;
    enum vmr_status status;
} spans[] = {
    {"inside one", 0x1800, 16, VMR_OK},
    {"a whole region", 0x1000, 0x2000, VMR_OK},
    {"across two neighbours", 0x2ff8, 16, VMR_OK},
    {"all of two neighbours", 0x1000, 0x3000, VMR_OK},
    {"starts in a hole", 0xfff, 2, VMR_E_GUEST},
    {"ends in a hole", 0x3fff, 2, VMR_E_GUEST},
    {"a hole in the middle", 0x3800, 0x2000, VMR_E_GUEST},
    {"only a hole", 0x4000, 8, VMR_E_GUEST},
    {"the last byte of memory", 0x5fff, 1, VMR_OK},
    {"the last byte below 2^52", TOP - 1, 1, VMR_OK},
    {"past 2^52", TOP - 1, 2, VMR_E_GUEST},
    {"at the end of 2^64", UINT64_MAX, 1, VMR_E_GUEST},
    {"wraps at 2^64", UINT64_MAX - 3, 0x2000, VMR_E_GUEST},
    {"no bytes, in memory", 0x1000, 0, VMR_OK},
    {"no bytes, in a hole", 0x4000, 0, VMR_OK},
};

static void an_access_moves_all_bytes_or_none(void **state)
{
    (void)state;
    struct fixture fixture;
    uint8_t wrote[0x3000], read[0x3000], untouched[0x3000];

    init_with_regions(&fixture);
    memset(untouched, 0xcc, sizeof(untouched));
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        memset(read, 0xcc, sizeof(read));
        for (size_t b = 0; b < sizeof(wrote); b++)
            wrote[b] = (uint8_t)(b * 7 + i);
        if (vmr_memory_write(fixture.memory, spans[i].gpa, wrote, spans[i].length) != spans[i].status ||
            vmr_memory_read(fixture.memory, spans[i].gpa, read, spans[i].length) != spans[i].status)
            fail_msg("%s", spans[i].name);
        const uint8_t *want = spans[i].status == VMR_OK ? wrote : untouched;

        if (memcmp(read, want, spans[i].length) != 0)
            fail_msg("%s: other bytes", spans[i].name);
    }
    fixture_finish(&fixture);
}

static void a_write_that_fails_writes_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    uint8_t bytes[0x1001], zero[0x1000] = {0}, read[0x1000];

    init_with_regions(&fixture);
    memset(bytes, 0x11, sizeof(bytes));
    assert_int_equal(vmr_memory_write(fixture.memory, 0x3000, bytes, sizeof(bytes)), VMR_E_GUEST);
    assert_int_equal(vmr_memory_fill(fixture.memory, 0x3000, 0x22, sizeof(bytes)), VMR_E_GUEST);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x3000, read, sizeof(read)), VMR_OK);
    assert_memory_equal(read, zero, sizeof(read));
    fixture_finish(&fixture);
}

static void a_fill_crosses_regions_and_stops_where_it_should(void **state)
{
    (void)state;
    struct fixture fixture;
    uint8_t read[0x3000];

    init_with_regions(&fixture);
    assert_int_equal(vmr_memory_fill(fixture.memory, 0x1001, 0x9c, 0x2ffe), VMR_OK);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, read, sizeof(read)), VMR_OK);
    assert_int_equal(read[0], 0);
    assert_int_equal(read[0x2fff], 0);
    for (size_t i = 1; i < 0x2fff; i++)
        assert_int_equal(read[i], 0x9c);
    fixture_finish(&fixture);
}

static const struct {
    const char *name;
    vmr_gpa gpa;
    unsigned width;
    uint64_t mask;
    enum vmr_status status;
    uint64_t old, now; /* the eight bytes at 0x1000 after it */
} ors[] = {
    {"one byte", 0x1001, 1, 0x0f, VMR_OK, 0x22, 0x8877665544332f11},
    {"two bytes", 0x1002, 2, 0x8001, VMR_OK, 0x4433, 0x88776655c4332211},
    {"four bytes", 0x1004, 4, 0xff, VMR_OK, 0x88776655, 0x887766ff44332211},
    {"eight bytes", 0x1000, 8, UINT64_MAX, VMR_OK, 0x8877665544332211, UINT64_MAX},
    {"nothing to set", 0x1000, 8, 0, VMR_OK, 0x8877665544332211, 0x8877665544332211},
    {"misaligned two", 0x1001, 2, 1, VMR_E_GUEST, 0, 0x8877665544332211},
    {"misaligned four", 0x1002, 4, 1, VMR_E_GUEST, 0, 0x8877665544332211},
    {"misaligned eight", 0x1004, 8, 1, VMR_E_GUEST, 0, 0x8877665544332211},
    {"read-only", 0x3000, 8, 1, VMR_E_GUEST, 0, 0x8877665544332211},
    {"a hole", 0x4000, 8, 1, VMR_E_GUEST, 0, 0x8877665544332211},
    {"no width", 0x1000, 0, 0, VMR_E_USAGE, 0, 0x8877665544332211},
    {"width three", 0x1000, 3, 1, VMR_E_USAGE, 0, 0x8877665544332211},
    {"width sixteen", 0x1000, 16, 1, VMR_E_USAGE, 0, 0x8877665544332211},
    {"mask wider than the word", 0x1000, 1, 0x100, VMR_E_USAGE, 0, 0x8877665544332211},
};

static void fetch_or_sets_bits_and_gives_what_was_there(void **state)
{
    (void)state;
    struct fixture fixture;

    init_with_regions(&fixture);
    for (size_t i = 0; i < sizeof(ors) / sizeof(ors[0]); i++) {
        uint64_t word = 0x8877665544332211, old = 0;

        assert_int_equal(vmr_memory_write(fixture.memory, 0x1000, &word, 8), VMR_OK);
        enum vmr_status status = vmr_memory_fetch_or(fixture.memory, ors[i].gpa, ors[i].width, ors[i].mask, &old);

        assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, &word, 8), VMR_OK);
        if (status != ors[i].status || old != ors[i].old || word != ors[i].now)
            fail_msg("%s: %s, old %llx, now %llx", ors[i].name, vmr_status_name(status), (unsigned long long)old,
                     (unsigned long long)word);
    }
    fixture_finish(&fixture);
}

/* Notes each call as text, and flips bytes of reads if told to. */
struct eye {
    char text[256];
    size_t length;
    uint8_t flip;
    uint8_t first; /* the first byte of the last write, before it happened */
    struct fixture *fixture;
};

static void see(struct eye *eye, char kind, vmr_gpa gpa, size_t length)
{
    eye->length += (size_t)snprintf(eye->text + eye->length, sizeof(eye->text) - eye->length, "%c%x+%x ", kind,
                                    (unsigned)gpa, (unsigned)length);
}

static void see_read(void *context, vmr_gpa gpa, void *bytes, size_t length)
{
    struct eye *eye = context;

    see(eye, 'r', gpa, length);
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)bytes)[i] ^= eye->flip;
}

static void see_write(void *context, vmr_gpa gpa, const void *bytes, size_t length)
{
    struct eye *eye = context;

    see(eye, 'w', gpa, length);
    eye->first = *(const uint8_t *)bytes;
}

static void see_fetch_or(void *context, vmr_gpa gpa, unsigned width, uint64_t mask, uint64_t *old)
{
    struct eye *eye = context;

    see(eye, 'o', gpa, width);
    assert_int_equal(mask, 0x40);
    *old ^= eye->flip;
}

static void the_observer_sees_what_happens_and_nothing_else(void **state)
{
    (void)state;
    struct fixture fixture;
    struct eye eye = {0};
    const struct vmr_memory_observer observer = {see_read, see_write, see_fetch_or, &eye};
    uint8_t bytes[16] = {0x31};
    uint64_t old;

    init_with_regions(&fixture);
    vmr_memory_set_observer(fixture.memory, &observer);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x2ff8, bytes, 16), VMR_OK);
    assert_int_equal(eye.first, 0x31);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x2ff8, bytes, 16), VMR_OK);
    assert_int_equal(vmr_memory_fill(fixture.memory, 0x1800, 0x55, 0x1801), VMR_OK);
    assert_int_equal(eye.first, 0x55);
    assert_int_equal(vmr_memory_fetch_or(fixture.memory, 0x5008, 4, 0x40, &old), VMR_OK);
    /* Nothing of these happens. */
    assert_int_equal(vmr_memory_read(fixture.memory, 0x3fff, bytes, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x3fff, bytes, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_fill(fixture.memory, 0x3fff, 0, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_fetch_or(fixture.memory, 0x3000, 4, 0x40, &old), VMR_E_GUEST);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, bytes, 0), VMR_OK);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x1000, bytes, 0), VMR_OK);
    assert_string_equal(eye.text, "w2ff8+10 r2ff8+10 w1800+1000 w2800+801 o5008+4 ");
    vmr_memory_set_observer(fixture.memory, NULL);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, bytes, 1), VMR_OK);
    assert_string_equal(eye.text, "w2ff8+10 r2ff8+10 w1800+1000 w2800+801 o5008+4 ");
    fixture_finish(&fixture);
}

static void what_the_observer_puts_into_a_read_is_what_the_reader_gets(void **state)
{
    (void)state;
    struct fixture fixture;
    struct eye eye = {.flip = 0x80};
    const struct vmr_memory_observer observer = {see_read, see_write, see_fetch_or, &eye};
    uint8_t byte = 0;
    uint64_t old = 0;

    init_with_regions(&fixture);
    vmr_memory_set_observer(fixture.memory, &observer);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, &byte, 1), VMR_OK);
    assert_int_equal(byte, 0x80);
    assert_int_equal(vmr_memory_fetch_or(fixture.memory, 0x1000, 1, 0x40, &old), VMR_OK);
    assert_int_equal(old, 0x80);
    vmr_memory_set_observer(fixture.memory, NULL);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1000, &byte, 1), VMR_OK);
    assert_int_equal(byte, 0x40); /* memory itself was not flipped */
    fixture_finish(&fixture);
}

/* --- what the hypervisor hides from its host --- */

static bool hide_a_page(void *context, vmr_gpa gpa, size_t length)
{
    vmr_gpa page = *(vmr_gpa *)context;

    return gpa < page + PAGE && page < gpa + length;
}

static void what_is_hidden_is_hidden_from_the_host_alone(void **state)
{
    (void)state;
    struct fixture fixture;
    vmr_gpa hidden = 0x2000;
    const struct memory_guard guard = {.hides = hide_a_page, .context = &hidden};
    struct vmr_memory_view view = {0};
    uint8_t bytes[2] = {1, 2}, read[2] = {0};
    uint64_t old = 0;

    init_with_regions(&fixture);
    memory_set_guard(fixture.memory, &guard);
    assert_int_equal(vmr_memory_write(fixture.memory, 0x1fff, bytes, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_fill(fixture.memory, 0x1fff, 7, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x1fff, read, 1), VMR_OK);
    assert_int_equal(read[0], 0);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x2fff, read, 2), VMR_E_GUEST);
    assert_int_equal(vmr_memory_fetch_or(fixture.memory, 0x2000, 4, 1, &old), VMR_E_GUEST);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x1800, 0x1000, false, &view), VMR_E_GUEST);
    assert_int_equal(vmr_memory_pin(fixture.memory, 0x2000, 0, false, &view), VMR_OK);
    vmr_memory_unpin(fixture.memory, &view);
    assert_int_equal(memory_write_inside(fixture.memory, 0x2000, bytes, 2), VMR_OK);
    assert_int_equal(memory_fetch_or_inside(fixture.memory, 0x2000, 2, 4, &old), VMR_OK);
    assert_int_equal(old, 0x201);
    assert_int_equal(memory_read_inside(fixture.memory, 0x2000, read, 1), VMR_OK);
    assert_int_equal(read[0], 5);
    memory_set_guard(fixture.memory, NULL);
    assert_int_equal(vmr_memory_read(fixture.memory, 0x2fff, read, 2), VMR_OK);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_moves_all_bytes_or_none),
        cmocka_unit_test(a_write_that_fails_writes_nothing),
        cmocka_unit_test(a_fill_crosses_regions_and_stops_where_it_should),
        cmocka_unit_test(fetch_or_sets_bits_and_gives_what_was_there),
        cmocka_unit_test(the_observer_sees_what_happens_and_nothing_else),
        cmocka_unit_test(what_the_observer_puts_into_a_read_is_what_the_reader_gets),
        cmocka_unit_test(what_is_hidden_is_hidden_from_the_host_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
