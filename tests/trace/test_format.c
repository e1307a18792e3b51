/* SPDX-License-Identifier: MIT */
/*
 * Header, tables, block header, footer: what is refused, and why it says so.
 */

#include "lib/trace/format.h"

#include "lib/base/bytes.h"
#include "tests/trace/fixture.h"

static void good_header(uint8_t *ret_bytes)
{
    const struct trace_header header = {.major = TRACE_MAJOR,
                                        .minor = TRACE_MINOR,
                                        .min_reader_major = TRACE_MIN_READER_MAJOR,
                                        .codec = VMR_TRACE_CODEC_NONE,
                                        .tables_length = 7,
                                        .tables_hash = 99};

    trace_header_encode(&header, ret_bytes);
}

static void a_header_survives(void **state)
{
    uint8_t bytes[TRACE_HEADER_BYTES];
    struct trace_header header;

    (void)state;
    good_header(bytes);
    CHECK_OK(trace_header_decode(bytes, &header, NULL));
    assert_int_equal(header.major, TRACE_MAJOR);
    assert_int_equal(header.codec, VMR_TRACE_CODEC_NONE);
    assert_int_equal(header.tables_length, 7);
    assert_int_equal(header.tables_hash, 99);
}

static void every_flipped_bit_of_a_header_is_refused(void **state)
{
    uint8_t bytes[TRACE_HEADER_BYTES];
    struct trace_header header;

    (void)state;
    good_header(bytes);
    for (unsigned bit = 0; bit < 8 * TRACE_HEADER_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_STATUS(trace_header_decode(bytes, &header, NULL), VMR_E_CORRUPT);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A header whose checksum fits and which says something else. */
static const struct {
    const char *name;
    size_t offset;
    unsigned width;
    uint64_t value;
    enum vmr_status status;
    const char *message;
} others[] = {
    {"a later reader is needed", 12, 2, TRACE_MAJOR + 1, VMR_E_UNSUPPORTED, "needs a reader of 2.0; this one is 1.2"},
    {"a later minor is needed", 14, 2, TRACE_MINOR + 1, VMR_E_UNSUPPORTED, "needs a reader of 1.3"},
    {"other byte order", 16, 4, 0x04030201, VMR_E_CORRUPT, "offset 16"},
    {"unknown flags", 20, 4, 2, VMR_E_CORRUPT, "unknown flags 0x2"},
    {"tables above the limit", 24, 4, VMR_TRACE_HEADER_BYTES_MAX + 1, VMR_E_CORRUPT, "65537 bytes, at most 65536"},
    {"unknown codec", 28, 4, 3, VMR_E_CORRUPT, "unknown codec 3"},
    {"default is no codec", 28, 4, 0, VMR_E_CORRUPT, "unknown codec 0"},
    {"reserved", 47, 1, 1, VMR_E_CORRUPT, "offset 40"},
};

static void what_a_header_must_not_say_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        uint8_t bytes[TRACE_HEADER_BYTES];
        struct trace_header header;
        struct vmr_error err = {0};

        good_header(bytes);
        store_le(bytes + others[i].offset, others[i].width, others[i].value);
        store_le64(bytes + 56, trace_hash(bytes, 56));
        if (trace_header_decode(bytes, &header, &err) != others[i].status || !strstr(err.message, others[i].message))
            fail_msg("%s: %s", others[i].name, err.message);
    }
}

static void a_newer_minor_that_old_readers_can_read_is_read(void **state)
{
    uint8_t bytes[TRACE_HEADER_BYTES];
    struct trace_header header;

    (void)state;
    good_header(bytes);
    store_le16(bytes + 10, 9);
    store_le64(bytes + 56, trace_hash(bytes, 56));
    CHECK_OK(trace_header_decode(bytes, &header, NULL));
    assert_int_equal(header.minor, 9);
}

static void tables_of_this_version_are_accepted(void **state)
{
    const struct vmr_trace_meta meta = {"key", "a value = with words"};
    struct writer tables;

    (void)state;
    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    CHECK_OK(trace_tables_build(&tables, &meta, 1, NULL));
    CHECK_OK(trace_tables_check(tables.bytes, tables.length, NULL));
    for (size_t length = 1; length < tables.length; length++) {
        /* Cut between two tables it is shorter, and whole. */
        enum vmr_status status = trace_tables_check(tables.bytes, length, NULL);

        assert_true(status == VMR_OK || status == VMR_E_CORRUPT);
    }
    writer_finish(&tables);
}

static enum vmr_status check_table(uint16_t type, const char *bytes, size_t length, struct vmr_error *err)
{
    struct writer tables;
    const struct trace_table table = {.type = type, .bytes = (const uint8_t *)bytes, .length = length};

    writer_init(&tables, 1000);
    trace_table_put(&tables, &table);
    enum vmr_status status = trace_tables_check(tables.bytes, tables.length, err);

    writer_finish(&tables);
    return status;
}

static void names_are_only_ever_added(void **state)
{
    struct vmr_error err = {0};

    (void)state;
    CHECK_OK(check_table(TRACE_TABLE_KINDS,
                         "\x07\x00\x04"
                         "exit",
                         7, NULL));
    CHECK_STATUS(check_table(TRACE_TABLE_KINDS,
                             "\x07\x00\x04"
                             "exot",
                             7, &err),
                 VMR_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "number 7 is \"exot\", here it is \"exit\""));
    /* An input that became a reaction would not be fed to the library any more. */
    CHECK_STATUS(check_table(TRACE_TABLE_KINDS,
                             "\x07\x01\x04"
                             "exit",
                             7, NULL),
                 VMR_E_UNSUPPORTED);
    CHECK_OK(check_table(TRACE_TABLE_REGISTERS,
                         "\xff\x00\x03"
                         "new",
                         6, NULL));
}

static void malformed_tables_are_refused(void **state)
{
    (void)state;
    CHECK_STATUS(check_table(TRACE_TABLE_KINDS, "\x07\x00", 2, NULL), VMR_E_CORRUPT);
    CHECK_STATUS(check_table(TRACE_TABLE_KINDS, "\xff\x00\x02 x", 5, NULL), VMR_E_CORRUPT);
    CHECK_STATUS(check_table(TRACE_TABLE_META, "no pair", 7, NULL), VMR_E_CORRUPT);
    CHECK_STATUS(check_table(TRACE_TABLE_META, "=empty key", 10, NULL), VMR_E_CORRUPT);
    CHECK_STATUS(check_table(TRACE_TABLE_META, "key=two\nlines", 13, NULL), VMR_E_CORRUPT);
    CHECK_STATUS(check_table(9, "", 0, NULL), VMR_E_UNSUPPORTED);
    CHECK_OK(check_table(9 | TRACE_TABLE_OPTIONAL, "anything", 8, NULL));
}

static void metadata_is_checked_when_it_is_made(void **state)
{
    static const struct {
        const char *key, *value;
        bool fits;
    } cases[] = {
        {"firmware", "x", true}, {"a-b_c.9", "", true}, {"", "x", false},
        {"Upper", "x", false},   {"a=b", "x", false},   {"key", "tab\t", false},
        {NULL, "x", false},      {"key", NULL, true},   {"key", "caf\xc3\xa9", true},
    };
    struct writer tables;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct vmr_trace_meta meta = {cases[i].key, cases[i].value};

        writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
        CHECK_STATUS(trace_tables_build(&tables, &meta, 1, NULL), cases[i].fits ? VMR_OK : VMR_E_CONFIG);
        writer_finish(&tables);
    }
    writer_init(&tables, VMR_TRACE_HEADER_BYTES_MAX);
    CHECK_STATUS(trace_tables_build(&tables, NULL, VMR_TRACE_META_MAX + 1, NULL), VMR_E_CONFIG);
    writer_finish(&tables);
}

static void a_block_header_outside_its_limits_is_refused(void **state)
{
    static const struct {
        const char *name;
        struct trace_block_header header;
        bool good;
    } cases[] = {
        {"plain", {.records = 1, .raw_size = 2, .stored_size = 2, .codec = VMR_TRACE_CODEC_NONE}, true},
        {"full", {.records = 9, .raw_size = 65536, .stored_size = 9, .codec = VMR_TRACE_CODEC_ZSTD}, true},
        {"too large", {.records = 1, .raw_size = 65537, .stored_size = 9, .codec = VMR_TRACE_CODEC_ZSTD}, false},
        {"grown", {.records = 1, .raw_size = 9, .stored_size = 10, .codec = VMR_TRACE_CODEC_ZSTD}, false},
        {"no records", {.raw_size = 9, .stored_size = 9, .codec = VMR_TRACE_CODEC_NONE}, false},
        {"more records than bytes",
         {.records = 5, .raw_size = 9, .stored_size = 9, .codec = VMR_TRACE_CODEC_NONE},
         false},
        {"plain but shorter", {.records = 1, .raw_size = 9, .stored_size = 8, .codec = VMR_TRACE_CODEC_NONE}, false},
        {"empty", {.records = 1, .raw_size = 9, .codec = VMR_TRACE_CODEC_ZSTD}, false},
        {"no codec", {.records = 1, .raw_size = 9, .stored_size = 9}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[TRACE_BLOCK_HEADER_BYTES];
        struct trace_block_header header;

        trace_block_header_encode(&cases[i].header, bytes);
        if (trace_block_header_decode(bytes, &header) != cases[i].good)
            fail_msg("%s", cases[i].name);
    }
}

static void a_footer_survives(void **state)
{
    const struct trace_footer footer = {.records = 5, .exits = 3, .blocks = 2, .entries = 1024, .stride = 4};
    uint8_t bytes[TRACE_FOOTER_BYTES];
    struct trace_footer back;

    (void)state;
    trace_footer_encode(&footer, bytes);
    assert_true(trace_footer_decode(bytes, &back));
    assert_memory_equal(&footer, &back, sizeof(footer));
    store_le32(bytes + 32, TRACE_FOOTER_ENTRY_MAX + 1);
    assert_false(trace_footer_decode(bytes, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_survives),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_refused),
        cmocka_unit_test(what_a_header_must_not_say_is_named),
        cmocka_unit_test(a_newer_minor_that_old_readers_can_read_is_read),
        cmocka_unit_test(tables_of_this_version_are_accepted),
        cmocka_unit_test(names_are_only_ever_added),
        cmocka_unit_test(malformed_tables_are_refused),
        cmocka_unit_test(metadata_is_checked_when_it_is_made),
        cmocka_unit_test(a_block_header_outside_its_limits_is_refused),
        cmocka_unit_test(a_footer_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
