/* SPDX-License-Identifier: MIT */
/*
 * A replay runs the library, so a fault in a device shows: each fault here is
 * planted into the code that replays a golden recording, and must be reported
 * at the exit that first saw it. Which exit that is, is read out of the
 * recording, not out of the replay.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/plant.h"
#include "tests/replay/player.h"
#include "vmrig/machine.h"

#define CMOS_INDEX 0x70u
#define CMOS_DATA 0x71u
#define SERIAL_DATA 0x3f8u
#define SERIAL_LSR 0x3fdu
#define DEBUG_CONSOLE 0x402u

/* The fault that is in the library now: the `nth` time its place is reached, or (0) every time. */
static enum plant planted;
static unsigned planted_nth, reached;

bool vmr_plant(enum plant plant)
{
    if (plant != planted)
        return false;
    reached++;
    return planted_nth == 0 || reached == planted_nth;
}

static void play_with(const struct bytes *trace, enum plant plant, unsigned nth, struct played *ret_played)
{
    planted = plant;
    planted_nth = nth;
    reached = 0;
    player_play(trace, NULL, ret_played);
    planted = PLANT_NONE;
    if (ret_played->status != VMR_OK)
        print_message("%s\n", ret_played->err.message);
}

/* --- what a recording says --- */

struct wanted {
    bool write;           /* else a read */
    uint32_t port, index; /* of `port`; if it is the CMOS, of this register */
    unsigned nth;         /* from 1 */
};

/* The number, from 1, of the exit that is wanted; 0: there is none. */
static uint64_t find_exit(const struct bytes *trace, const struct wanted *wanted)
{
    struct vmr_trace_memory memory = {.bytes = trace->at, .length = trace->length};
    struct vmr_trace_source source;
    struct vmr_trace_reader *reader = NULL;
    struct vmr_trace_record record;
    uint64_t selected = 0, found = 0;
    unsigned seen = 0;
    bool end = false;

    vmr_trace_source_memory(&memory, &source);
    assert_int_equal(vmr_trace_reader_create(&source, NULL, &reader, NULL), VMR_OK);
    while (found == 0) {
        assert_int_equal(vmr_trace_reader_next(reader, &record, &end, NULL), VMR_OK);
        if (end)
            break;
        if (!record.vp_exit || record.vp_exit->kind != VMR_EXIT_IO)
            continue;
        const struct vmr_exit_io *io = &record.vp_exit->u.io;

        bool write = io->direction == VMR_WRITE;

        if (write && io->port == CMOS_INDEX)
            selected = io->value & 0x7f;
        if (write == wanted->write && io->port == wanted->port && (io->port != CMOS_DATA || selected == wanted->index))
            found = ++seen == wanted->nth ? record.exit : 0;
    }
    vmr_trace_reader_destroy(reader);
    return found;
}

/* How often the recorded guest wrote to `port`. */
static unsigned count_writes(const struct bytes *trace, uint32_t port)
{
    char line[64];
    struct bytes text;
    unsigned count = 0;

    bytes_print(trace, &text);
    (void)snprintf(line, sizeof(line), "io write port=%#x ", (unsigned)port);
    for (const char *at = strstr((const char *)text.at, line); at; at = strstr(at + 1, line))
        count++;
    bytes_finish(&text);
    return count;
}

/* --- the recordings --- */

static struct bytes boot, boot_console, devices, devices_console;

static int read_recordings(void **state)
{
    (void)state;
    bytes_read_file(CORPUS, "seabios-microvm-boot.vmt", &boot);
    bytes_read_file(CORPUS, "seabios-microvm-boot.txt", &boot_console);
    bytes_read_file(CORPUS, "devices.vmt", &devices);
    bytes_read_file(CORPUS, "devices.txt", &devices_console);
    return 0;
}

static int free_recordings(void **state)
{
    (void)state;
    bytes_finish(&boot);
    bytes_finish(&boot_console);
    bytes_finish(&devices);
    bytes_finish(&devices_console);
    return 0;
}

static void need_zstd(void)
{
    if (!vmr_trace_codec_available(VMR_TRACE_CODEC_ZSTD)) {
        print_message("skipped: this build has no zstd\n");
        skip();
    }
}

/* Diverged at that exit, and the message has these words, in this order. */
static void check_divergence(const struct played *played, uint64_t exit, const char *access, const char *sides)
{
    char begin[96];

    assert_int_equal(played->status, VMR_E_DIVERGED);
    assert_int_equal(played->result.status, VMR_E_DIVERGED);
    assert_true(reached > 0);
    assert_int_equal(played->result.exits, exit);
    (void)snprintf(begin, sizeof(begin), "exit %llu %s", (unsigned long long)exit, access);
    assert_ptr_equal(strstr(played->err.message, begin), played->err.message);
    assert_non_null(strstr(played->err.message, sides));
}

static void without_a_fault_nothing_diverges(void **state)
{
    struct played played;

    (void)state;
    play_with(&devices, PLANT_NONE, 0, &played);
    assert_true(played_well(&played));
    assert_true(bytes_equal(&played.console, &devices_console));
    played_finish(&played);
    need_zstd();
    play_with(&boot, PLANT_NONE, 0, &played);
    assert_true(played_well(&played));
    assert_true(bytes_equal(&played.console, &boot_console));
    played_finish(&played);
}

/* 64 MiB are 0x300 blocks of 64 KiB above 16 MiB; the fault flips the lowest bit of the high byte. */
static void wrong_cmos_byte_shows_where_it_is_first_read(void **state)
{
    const struct wanted wanted = {.port = CMOS_DATA, .index = 0x35, .nth = 1};
    struct played played;

    (void)state;
    need_zstd();
    play_with(&boot, PLANT_CMOS_BYTE, 0, &played);
    check_divergence(&played, find_exit(&boot, &wanted), "vp0: io read port=0x71",
                     "recorded answer value=0x3, replay answer value=0x2");
    assert_true(bytes_begin_with(&boot_console, &played.console));
    assert_true(played.console.length > 0);
    played_finish(&played);
}

/* In loopback the guest reads what it sent: the line status register says that nothing came. */
static void dropped_serial_character_shows_where_the_guest_looks_for_it(void **state)
{
    unsigned last = count_writes(&devices, SERIAL_DATA);
    const struct wanted looks = {.port = SERIAL_LSR, .nth = last + 1};
    struct played played;

    (void)state;
    assert_true(last > 10);
    play_with(&devices, PLANT_SERIAL_DROP, last, &played);
    check_divergence(&played, find_exit(&devices, &looks), "vp0: io read port=0x3fd",
                     "recorded answer value=0x61, replay answer value=0x60");
    played_finish(&played);
}

/* The n-th character that is printed vanishes; the guest never looks, and all the same it shows in that very exit. */
static void check_dropped(const struct bytes *trace, const struct bytes *console, uint32_t port, unsigned nth)
{
    const struct wanted wanted = {.write = true, .port = port, .nth = nth};
    char access[64], recorded[64];
    struct played played;

    (void)snprintf(access, sizeof(access), "vp0: io write port=%#x", (unsigned)port);
    (void)snprintf(recorded, sizeof(recorded), "recorded output stream=%u bytes=%02x, replay ",
                   port == SERIAL_DATA ? VMR_STREAM_SERIAL : VMR_STREAM_DEBUG, console->at[nth - 1]);
    play_with(trace, PLANT_SERIAL_DROP, nth, &played);
    check_divergence(&played, find_exit(trace, &wanted), access, recorded);
    assert_int_equal(played.console.length, nth - 1);
    assert_true(bytes_begin_with(console, &played.console));
    played_finish(&played);
}

static void dropped_character_that_nobody_looks_for_shows_where_it_was_printed(void **state)
{
    (void)state;
    check_dropped(&devices, &devices_console, SERIAL_DATA, 1);
    check_dropped(&devices, &devices_console, SERIAL_DATA, 9);
    need_zstd();
    check_dropped(&boot, &boot_console, DEBUG_CONSOLE, 1000);
    check_dropped(&boot, &boot_console, DEBUG_CONSOLE, (unsigned)boot_console.length);
}

static void write_to_the_wrong_register_shows_where_the_right_one_is_read(void **state)
{
    const struct wanted wanted = {.port = CMOS_DATA, .index = 0x40, .nth = 1};
    struct played played;

    (void)state;
    play_with(&devices, PLANT_CMOS_ADDRESS, 0, &played);
    check_divergence(&played, find_exit(&devices, &wanted), "vp0: io read port=0x71",
                     "recorded answer value=0x5a, replay answer value=0");
    played_finish(&played);
}

/* Before the first exit: the machine itself is another one. */
static void memory_at_the_wrong_address_shows_when_it_is_mapped(void **state)
{
    struct played played;

    (void)state;
    play_with(&devices, PLANT_FIRMWARE_GPA, 0, &played);
    check_divergence(&played, 0, "vm: no exit yet: recorded map gpa=0xffff0000", "replay map gpa=0xfffe0000");
    assert_int_equal(played.console.length, 0);
    played_finish(&played);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_nothing_diverges),
        cmocka_unit_test(wrong_cmos_byte_shows_where_it_is_first_read),
        cmocka_unit_test(dropped_serial_character_shows_where_the_guest_looks_for_it),
        cmocka_unit_test(dropped_character_that_nobody_looks_for_shows_where_it_was_printed),
        cmocka_unit_test(write_to_the_wrong_register_shows_where_the_right_one_is_read),
        cmocka_unit_test(memory_at_the_wrong_address_shows_when_it_is_mapped),
    };

    return cmocka_run_group_tests(tests, read_recordings, free_recordings);
}
