/* SPDX-License-Identifier: MIT */
/*
 * Records to bytes and back, and bytes that are no records.
 */

#include "lib/trace/codec.h"

#include "tests/trace/fixture.h"

static void encode_samples(struct writer *ret_bytes)
{
    static struct trace_state state;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    trace_state_init(&state);
    writer_init(ret_bytes, VMR_TRACE_BLOCK_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        assert_true(trace_encode(&state, ret_bytes, &samples[i]));
    trace_state_finish(&state);
}

static void every_kind_survives(void **unused)
{
    static struct trace_state state;
    struct writer bytes;
    struct reader reader;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)unused;
    encode_samples(&bytes);
    trace_state_init(&state);
    reader_init(&reader, bytes.bytes, bytes.length);
    for (size_t i = 0; i < count; i++) {
        struct trace_record record;

        assert_int_equal(trace_decode(&state, &reader, &record), TRACE_DECODE_OK);
        if (!trace_record_equal(&record, &samples[i]))
            fail_msg("sample %zu (%s)", i, trace_kind_info(samples[i].kind)->name);
    }
    assert_int_equal(reader_left(&reader), 0);
    trace_state_finish(&state);
    writer_finish(&bytes);
}

/* Decodes all that decodes, and encodes it again: must be the same bytes. */
static void check_canonical(const uint8_t *bytes, size_t length)
{
    static struct trace_state decoder, encoder;
    struct reader reader;
    struct writer again;
    struct trace_record record;
    size_t good = 0;

    trace_state_init(&decoder);
    trace_state_init(&encoder);
    writer_init(&again, VMR_TRACE_BLOCK_BYTES_MAX);
    reader_init(&reader, bytes, length);
    while (reader_left(&reader) > 0 && trace_decode(&decoder, &reader, &record) == TRACE_DECODE_OK) {
        good = reader.position;
        assert_true(trace_encode(&encoder, &again, &record));
    }
    assert_int_equal(again.length, good);
    if (good > 0)
        assert_memory_equal(again.bytes, bytes, good);
    trace_state_finish(&decoder);
    trace_state_finish(&encoder);
    writer_finish(&again);
}

static void whatever_decodes_encodes_to_itself(void **unused)
{
    struct writer bytes;

    (void)unused;
    encode_samples(&bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t kept = bytes.bytes[i];

        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.bytes[i] = (uint8_t)(kept ^ 1u << bit);
            check_canonical(bytes.bytes, bytes.length);
        }
        bytes.bytes[i] = kept;
        check_canonical(bytes.bytes, i);
    }
    writer_finish(&bytes);
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct {
    const char *name;
    const uint8_t *bytes;
    size_t length;
    enum trace_decode_result result;
} refused[] = {
    {"kind 0", BYTES(0x00, 0x00), TRACE_DECODE_UNKNOWN},
    {"an unknown kind", BYTES(TRACE_KIND_COUNT, 0x00), TRACE_DECODE_UNKNOWN},
    {"a known kind that says it is optional", BYTES(0x80 | TRACE_NMI, 0x00), TRACE_DECODE_BAD},
    {"the same VP said again", BYTES(0x40 | TRACE_NMI, 0x00, 0x00), TRACE_DECODE_BAD},
    {"a VP above the limit", BYTES(0x40 | TRACE_NMI, 0x81, 0x10, 0x00), TRACE_DECODE_BAD},
    {"a length beyond the end", BYTES(TRACE_NMI, 0x01), TRACE_DECODE_BAD},
    {"a length in a longer form", BYTES(TRACE_NMI, 0x80, 0x00), TRACE_DECODE_BAD},
    {"bytes behind the fields", BYTES(TRACE_NMI, 0x01, 0x00), TRACE_DECODE_BAD},
    {"a field that is missing", BYTES(TRACE_TPR, 0x00), TRACE_DECODE_BAD},
    {"a field above its limit", BYTES(TRACE_WINDOW, 0x01, 0x02), TRACE_DECODE_BAD},
    {"a word that does not exist", BYTES(TRACE_PARK, 0x01, 0x03), TRACE_DECODE_BAD},
    {"registers of no VP", BYTES(TRACE_REGS, 0x01, 0x00), TRACE_DECODE_BAD},
    {"a register that did not change", BYTES(0x40 | TRACE_REGS, 0x01, 0x02, 0x01, 0x00), TRACE_DECODE_BAD},
    {"an exit of no kind", BYTES(TRACE_EXIT, 0x01, 0x00), TRACE_DECODE_BAD},
    {"an exit that is missing", BYTES(TRACE_EXIT, 0x00), TRACE_DECODE_BAD},
    {"a name with a space", BYTES(TRACE_HYPERVISOR, 0x05, 0, 0, 0, 'a', ' '), TRACE_DECODE_BAD},
};

static void what_is_no_record_is_refused(void **unused)
{
    static struct trace_state state;

    (void)unused;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct reader reader;
        struct trace_record record;

        trace_state_init(&state);
        reader_init(&reader, refused[i].bytes, refused[i].length);
        if (trace_decode(&state, &reader, &record) != refused[i].result)
            fail_msg("%s", refused[i].name);
        trace_state_finish(&state);
    }
}

static void a_record_that_does_not_fit_leaves_the_bytes_as_they_were(void **unused)
{
    static struct trace_state state;
    static const uint8_t many[TRACE_WRITE_MAX + 1];
    const struct trace_record fits = {.kind = TRACE_NMI, .vp = 0};
    const struct trace_record too_long = {.kind = TRACE_WRITE, .vp = 0, .bytes = many, .length = sizeof(many)};
    const struct trace_record no_field = {.kind = TRACE_WINDOW, .vp = 0, .value = {2}};
    const struct trace_record no_vp = {.kind = TRACE_NMI, .vp = VMR_VP_COUNT_MAX};
    struct writer bytes;

    (void)unused;
    trace_state_init(&state);
    writer_init(&bytes, 4);
    assert_true(trace_encode(&state, &bytes, &fits));
    assert_int_equal(bytes.length, 3);
    assert_false(trace_encode(&state, &bytes, &fits));
    assert_int_equal(bytes.length, 3);
    assert_true(writer_ok(&bytes));
    bytes.limit = 1000;
    assert_false(trace_encode(&state, &bytes, &too_long));
    assert_false(trace_encode(&state, &bytes, &no_field));
    assert_false(trace_encode(&state, &bytes, &no_vp));
    assert_int_equal(bytes.length, 3);
    trace_state_finish(&state);
    writer_finish(&bytes);
}

static void long_payloads_keep_their_length(void **unused)
{
    static struct trace_state state;
    static uint8_t payload[0x8000];
    static const size_t lengths[] = {0, 1, 127, 128, 129, 16383, 16384, 0x8000};

    (void)unused;
    memset(payload, 0x5a, sizeof(payload));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct trace_record record = {
            .kind = 63, .optional = true, .vp = TRACE_NO_VP, .bytes = payload, .length = lengths[i]};
        struct trace_record back;
        struct writer bytes;
        struct reader reader;

        trace_state_init(&state);
        writer_init(&bytes, VMR_TRACE_BLOCK_BYTES_MAX);
        assert_true(trace_encode(&state, &bytes, &record));
        trace_state_reset(&state);
        reader_init(&reader, bytes.bytes, bytes.length);
        assert_int_equal(trace_decode(&state, &reader, &back), TRACE_DECODE_OK);
        assert_true(trace_record_equal(&record, &back));
        trace_state_finish(&state);
        writer_finish(&bytes);
    }
}

static void skimming_sees_kinds_and_vps(void **unused)
{
    struct writer bytes;
    struct reader reader;
    uint32_t vp = TRACE_NO_VP;
    size_t count;
    const struct trace_record *samples = sample_records(&count);

    (void)unused;
    encode_samples(&bytes);
    reader_init(&reader, bytes.bytes, bytes.length);
    for (size_t i = 0; i < count; i++) {
        unsigned kind;
        uint8_t first;

        assert_true(trace_skim(&reader, &vp, &kind, &first));
        assert_int_equal(kind, samples[i].kind);
        assert_int_equal(vp, samples[i].vp);
        if (kind == TRACE_LEAVE)
            assert_int_equal(first, VMR_LEAVE_KICK);
    }
    writer_finish(&bytes);
}

static void registers_are_zero_again_after_a_reset(void **unused)
{
    struct trace_regs_table table;

    (void)unused;
    trace_regs_init(&table);
    trace_regs_of(&table, 5)->rip = 7;
    trace_regs_of(&table, 2)->rip = 8;
    assert_int_equal(trace_regs_of(&table, 5)->rip, 7);
    trace_regs_reset(&table);
    assert_int_equal(trace_regs_of(&table, 5)->rip, 0);
    assert_null(trace_regs_of(&table, VMR_VP_COUNT_MAX));
    trace_regs_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_survives),
        cmocka_unit_test(whatever_decodes_encodes_to_itself),
        cmocka_unit_test(what_is_no_record_is_refused),
        cmocka_unit_test(a_record_that_does_not_fit_leaves_the_bytes_as_they_were),
        cmocka_unit_test(long_payloads_keep_their_length),
        cmocka_unit_test(skimming_sees_kinds_and_vps),
        cmocka_unit_test(registers_are_zero_again_after_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
