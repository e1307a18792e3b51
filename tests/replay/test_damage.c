/* SPDX-License-Identifier: MIT */
/*
 * Traces that were cut, flipped or made up: every call that reads them ends
 * with an outcome and a sentence, and what lies before the damage is read as if
 * there were none. Positions are seeded, so that a failure comes again.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/replay/damage.h"
#include "tests/replay/guest.h"
#include "tests/replay/player.h"

#define FLIPS_OF_BOOT 300u
#define FLIPS_OF_LONG 60u
#define CUT_STEP 4096u

struct subject {
    const char *name;
    struct bytes trace, console;
    struct bytes lines; /* every record as text */
    uint64_t records, exits;
};

static struct subject boot, long_run;

/* --- reading through the public reader --- */

struct reading {
    struct vmr_trace_memory memory;
    struct vmr_trace_source source;
    struct vmr_trace_reader *reader;
    enum vmr_status status;
    struct vmr_error err;
    struct vmr_trace_info info;
};

static void reading_begin(struct reading *reading, const struct bytes *trace)
{
    *reading = (struct reading){.memory = {.bytes = trace->at, .length = trace->length}};
    vmr_trace_source_memory(&reading->memory, &reading->source);
    reading->status = vmr_trace_reader_create(&reading->source, NULL, &reading->reader, &reading->err);
}

static bool reading_next(struct reading *reading, struct vmr_trace_record *ret_record)
{
    bool end = false;

    if (reading->status == VMR_OK)
        reading->status = vmr_trace_reader_next(reading->reader, ret_record, &end, &reading->err);
    return reading->status == VMR_OK && !end;
}

static void reading_end(struct reading *reading)
{
    if (reading->reader)
        vmr_trace_reader_get_info(reading->reader, &reading->info);
    vmr_trace_reader_destroy(reading->reader);
    if (reading->status != VMR_OK)
        assert_true(reading->err.message[0] != '\0');
}

static void subject_init(struct subject *subject)
{
    struct vmr_trace_record record;
    struct reading reading;

    reading_begin(&reading, &subject->trace);
    while (reading_next(&reading, &record)) {
        assert_int_equal(record.sequence, subject->records);
        bytes_append(&subject->lines, record.text, strlen(record.text));
        bytes_append(&subject->lines, "\n", 1);
        subject->records++;
        subject->exits = record.exit;
    }
    reading_end(&reading);
    assert_int_equal(reading.status, VMR_OK);
    assert_false(reading.info.cut);
}

static int make_subjects(void **state)
{
    struct bytes stored;

    (void)state;
    bytes_read_file(CORPUS, "devices.vmt", &boot.trace);
    bytes_read_file(CORPUS, "devices.txt", &boot.console);
    boot.name = "devices";
    if (vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD)) {
        bytes_finish(&boot.trace);
        bytes_finish(&boot.console);
        bytes_read_file(CORPUS, "seabios-microvm-boot.vmt", &boot.trace);
        bytes_read_file(CORPUS, "seabios-microvm-boot.txt", &boot.console);
        boot.name = "boot";
    }
    subject_init(&boot);
    guest_record(&(struct guest){.vps = 1, .programs = {&guest_long}}, &stored, &long_run.console);
    bytes_pack(&stored, VMR_TRACE_CODEC_NONE, &long_run.trace);
    bytes_finish(&stored);
    long_run.name = "long run";
    subject_init(&long_run);
    return 0;
}

static int free_subjects(void **state)
{
    struct subject *subjects[] = {&boot, &long_run};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bytes_finish(&subjects[i]->trace);
        bytes_finish(&subjects[i]->console);
        bytes_finish(&subjects[i]->lines);
    }
    return 0;
}

/* --- the claims --- */

/* Not strchr: under a sanitizer it looks at all that follows, each time. */
static const char *next_line(const char *line)
{
    while (*line != '\n')
        line++;
    return line + 1;
}

/*
 * Every record that is given is one of the recorded ones, in order; all of the
 * first `intact` are given. The recorded lines are walked once.
 */
static void check_readable(const struct subject *subject, const struct bytes *damaged, uint64_t intact)
{
    const char *line = (const char *)subject->lines.at;
    struct vmr_trace_record record;
    struct reading reading;
    uint64_t sequence = 0, given = 0;

    reading_begin(&reading, damaged);
    while (reading_next(&reading, &record)) {
        assert_true(record.sequence < subject->records && record.sequence >= sequence);
        for (; sequence < record.sequence; sequence++)
            line = next_line(line);
        /* Registers are printed as what changed, so behind a gap they may say more. */
        if (record.sequence == given)
            assert_memory_equal(line, record.text, strlen(record.text));
        given++;
    }
    reading_end(&reading);
    if (reading.status == VMR_OK) {
        assert_true(given >= intact);
        assert_true(reading.info.damages > 0 || reading.info.cut || given == subject->records);
    } else {
        assert_int_equal(intact, 0);
    }
}

/* The replay never does what was not recorded, and never diverges: damage is no divergence. */
static void check_replay(const struct subject *subject, const struct bytes *damaged)
{
    struct played played;

    player_play(damaged, NULL, &played);
    if (played.status == VMR_OK) {
        /* A bit that the compression does not use changes nothing: the block's hash is of its content. */
        assert_true(played.result.cut || played.result.exits == subject->exits);
    } else {
        assert_true(played.status == VMR_E_CORRUPT || played.status == VMR_E_UNSUPPORTED);
        assert_true(played.err.message[0] != '\0');
        assert_null(strchr(played.err.message, '\n'));
    }
    assert_true(played.result.exits <= subject->exits);
    assert_true(bytes_begin_with(&subject->console, &played.console));
    played_finish(&played);
}

/* Those that print: any status, and a sentence with it. */
static void check_tools(const struct bytes *damaged)
{
    enum vmr_status (*const tools[])(const struct vmr_trace_source *, const struct vmr_trace_sink *,
                                     struct vmr_trace_info *,
                                     struct vmr_error *) = {vmr_trace_describe, vmr_trace_print, vmr_trace_stat};

    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        struct vmr_trace_memory memory = {.bytes = damaged->at, .length = damaged->length};
        struct vmr_trace_source source;
        struct bytes text = {0};
        const struct vmr_trace_sink sink = bytes_sink(&text);
        struct vmr_error err = {0};

        vmr_trace_source_memory(&memory, &source);
        enum vmr_status status = tools[i](&source, &sink, NULL, &err);

        assert_true(status == VMR_OK || err.message[0] != '\0');
        bytes_finish(&text);
    }
}

/* How many records lie in the blocks that end at or before `offset`. */
static uint64_t records_before(const struct subject *subject, size_t offset)
{
    uint64_t records = 0;

    for (size_t n = 1;; n++) {
        size_t next = damage_block_offset(&subject->trace, n);

        if (next > offset ||
            damage_block_first(&subject->trace, damage_block_offset(&subject->trace, n - 1)) == UINT64_MAX)
            return records;
        uint64_t first = damage_block_first(&subject->trace, next);

        records = first == UINT64_MAX ? subject->records : first;
        if (first == UINT64_MAX)
            return records;
    }
}

static void check_all(const struct subject *subject, const struct bytes *damaged, uint64_t intact)
{
    check_readable(subject, damaged, intact);
    check_replay(subject, damaged);
    check_tools(damaged);
}

/* --- cuts --- */

static void check_cut(const struct subject *subject, size_t length)
{
    const struct bytes cut = {.at = subject->trace.at, .length = length};
    size_t tables_end = damage_block_offset(&subject->trace, 0);

    check_all(subject, &cut, length < tables_end ? 0 : records_before(subject, length));
}

static void cut_traces_are_read_up_to_the_cut(void **state)
{
    (void)state;
    for (size_t length = CUT_STEP; length < long_run.trace.length; length += CUT_STEP)
        check_cut(&long_run, length);
    for (size_t length = 1; length < boot.trace.length; length += 61)
        check_cut(&boot, length);
    check_cut(&boot, 0);
    check_cut(&boot, boot.trace.length - 1);
    check_cut(&long_run, long_run.trace.length - 1);
    check_cut(&long_run, damage_block_offset(&long_run.trace, 2));
    check_cut(&long_run, damage_block_offset(&long_run.trace, 2) + 1);
}

/* The replay of a cut trace plays exactly the whole blocks that are left. */
static void cut_in_the_third_block_plays_the_first_two(void **state)
{
    size_t third = damage_block_offset(&long_run.trace, 2);
    const struct bytes cut = {.at = long_run.trace.at, .length = third + 1000};
    uint64_t records = damage_block_first(&long_run.trace, third);
    struct played played;

    (void)state;
    assert_true(records != UINT64_MAX && records < long_run.records);
    player_play(&cut, NULL, &played);
    assert_int_equal(played.status, VMR_OK);
    assert_true(played.result.ended && played.result.cut);
    assert_int_equal(played.result.records, records);
    assert_true(played.console.length > 0);
    assert_true(bytes_begin_with(&long_run.console, &played.console));
    played_finish(&played);
}

/* --- flips --- */

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void check_flips(const struct subject *subject, unsigned count, uint32_t seed)
{
    size_t tables_end = damage_block_offset(&subject->trace, 0);

    for (unsigned i = 0; i < count; i++) {
        size_t at = next_random(&seed) % subject->trace.length;
        uint8_t bit = (uint8_t)(1u << next_random(&seed) % 8);

        subject->trace.at[at] ^= bit;
        struct bytes damaged = {0};

        bytes_append(&damaged, subject->trace.at, subject->trace.length);
        subject->trace.at[at] ^= bit;
        check_all(subject, &damaged, at < tables_end ? 0 : records_before(subject, at));
        bytes_finish(&damaged);
    }
}

static void flipped_bits_spoil_no_more_than_their_block(void **state)
{
    (void)state;
    check_flips(&boot, FLIPS_OF_BOOT, 0x1234567);
    check_flips(&long_run, FLIPS_OF_LONG, 0x89abcde);
}

/* A lost block in the middle is told by number, and what follows it is read. */
static void records_behind_a_broken_block_are_read(void **state)
{
    size_t second = damage_block_offset(&long_run.trace, 1), third = damage_block_offset(&long_run.trace, 2);
    struct vmr_trace_record record;
    struct bytes damaged = {0};
    struct reading reading;
    uint64_t given = 0, last = 0;

    (void)state;
    bytes_append(&damaged, long_run.trace.at, long_run.trace.length);
    damaged.at[second + 1000] ^= 0x10;
    reading_begin(&reading, &damaged);
    for (; reading_next(&reading, &record); given++)
        last = record.sequence;
    reading_end(&reading);
    uint64_t lost = damage_block_first(&long_run.trace, third) - damage_block_first(&long_run.trace, second);

    assert_int_equal(reading.status, VMR_OK);
    assert_int_equal(last, long_run.records - 1);
    assert_int_equal(given, long_run.records - lost);
    assert_int_equal(reading.info.lost_records, lost);
    assert_int_equal(reading.info.first_damage, second);
    assert_false(reading.info.cut);
    bytes_finish(&damaged);
}

/* --- made up --- */

static void numbers_out_of_bounds_are_refused(void **state)
{
    (void)state;
    for (enum damage damage = 0; damage < DAMAGE_COUNT; damage++) {
        struct bytes damaged;

        damage_make(&boot.trace, damage, &damaged);
        check_all(&boot, &damaged, 0);
        bytes_finish(&damaged);
    }
}

static void future_version_is_named(void **state)
{
    struct bytes damaged;
    struct played played;

    (void)state;
    damage_make(&boot.trace, DAMAGE_MAJOR, &damaged);
    player_play(&damaged, NULL, &played);
    assert_int_equal(played.status, VMR_E_UNSUPPORTED);
    assert_non_null(strstr(played.err.message, "needs a reader of 2.0"));
    played_finish(&played);
    bytes_finish(&damaged);
}

static void anything_else_is_no_trace(void **state)
{
    static const char *const texts[] = {
        "", "v", "vmtx", "vmtx 1.0\n", "vmtx 9.9 min=9.9 codec=none\n", "\x89VMT\r\n", "#!/bin/sh\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct bytes trace = {0};

        bytes_append(&trace, texts[i], strlen(texts[i]));
        check_all(&boot, &trace, 0);
        bytes_finish(&trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_traces_are_read_up_to_the_cut),
        cmocka_unit_test(cut_in_the_third_block_plays_the_first_two),
        cmocka_unit_test(flipped_bits_spoil_no_more_than_their_block),
        cmocka_unit_test(records_behind_a_broken_block_are_read),
        cmocka_unit_test(numbers_out_of_bounds_are_refused),
        cmocka_unit_test(future_version_is_named),
        cmocka_unit_test(anything_else_is_no_trace),
    };

    return cmocka_run_group_tests(tests, make_subjects, free_subjects);
}
