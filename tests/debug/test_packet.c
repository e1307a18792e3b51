/* SPDX-License-Identifier: MIT */
/* Frames: what is one, what is damaged, where the next begins. */

#include "lib/debug/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Each event but NONE, as a letter, with the payload of a packet behind it. */
static void describe(struct packet_reader *reader, const char *bytes, size_t length, char *ret_text)
{
    static const char letters[] = {[PACKET_NONE] = '?',     [PACKET_WHOLE] = 'W', [PACKET_DAMAGED] = 'D',
                                   [PACKET_TOO_LONG] = 'L', [PACKET_AGAIN] = 'A', [PACKET_INTERRUPT] = 'I'};

    for (size_t i = 0; i < length; i++) {
        enum packet_event event = packet_take(reader, (uint8_t)bytes[i]);

        if (event == PACKET_NONE)
            continue;
        *ret_text++ = letters[event];
        if (event == PACKET_WHOLE) {
            memcpy(ret_text, reader->payload, reader->length);
            ret_text += reader->length;
        }
    }
    *ret_text = '\0';
}

static void bytes_become_events(void **state)
{
    static const struct {
        const char *bytes, *events;
    } cases[] = {
        {"", ""},
        {"$g#67", "Wg"},
        {"$#00", "W"},
        {"+$g#67+", "Wg"},
        {"-", "A"},
        {"\x03", "I"},
        {"\x03$?#3f", "IW?"},
        {"$?#3f$g#67", "W?Wg"},
        {"noise $?#3f noise", "W?"},
        {"$O#4F", "WO"}, /* digits in either case */
        {"$O#4f", "WO"},
        {"$O#4e", "D"},
        {"$g#6", ""},
        {"$g#g7", "D"},
        {"$g#6g", "D"},
        {"$g#\x03\x03", "D"},         /* not an interrupt: it stands where the checksum would */
        {"$a\x03#64", "Wa\x03"},      /* nor inside a packet */
        {"$X}\x03}]#b2", "WX#}"},     /* escapes, which the checksum covers as they came */
        {"$X}\x03#d8$?#3f", "WX#W?"}, /* an escaped # ends nothing */
        {"$lost$?#3f", "W?"},         /* a $ begins anew */
        {"$lost}$?#3f", "W?"},        /* also where an escape was awaited */
        {"$lost#$?#3f", "D"},         /* but not in place of a checksum */
        {"$lost#$?#3f$g#67", "DWg"},  /* the next is found */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct packet_reader reader = {.place = 0};
        char events[64];

        describe(&reader, cases[i].bytes, strlen(cases[i].bytes), events);
        if (strcmp(events, cases[i].events) != 0)
            fail_msg("'%s': '%s', not '%s'", cases[i].bytes, events, cases[i].events);
    }
}

/* `length` letters and a good checksum, byte by byte; the last event. */
static enum packet_event take_letters(struct packet_reader *reader, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;

    assert_int_equal(packet_take(reader, '$'), PACKET_NONE);
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(packet_take(reader, 'a'), PACKET_NONE);
        sum = (uint8_t)(sum + 'a');
    }
    assert_int_equal(packet_take(reader, '#'), PACKET_NONE);
    assert_int_equal(packet_take(reader, (uint8_t)digits[sum >> 4]), PACKET_NONE);
    return packet_take(reader, (uint8_t)digits[sum & 15]);
}

static void what_is_too_long_is_told_and_forgotten(void **state)
{
    struct packet_reader reader = {.place = 0};

    (void)state;
    assert_int_equal(take_letters(&reader, VMR_GDB_PACKET_MAX), PACKET_WHOLE);
    assert_int_equal(reader.length, VMR_GDB_PACKET_MAX);
    assert_int_equal(take_letters(&reader, VMR_GDB_PACKET_MAX + 1), PACKET_TOO_LONG);
    assert_int_equal(take_letters(&reader, 100 * VMR_GDB_PACKET_MAX), PACKET_TOO_LONG);
    assert_int_equal(take_letters(&reader, 3), PACKET_WHOLE);
    assert_int_equal(reader.length, 3);
}

static void replies_are_framed(void **state)
{
    static const uint8_t bytes[] = {0, 0x9f, 0xff};
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    reply_text(&reply, "T05");
    reply_piece(&reply, "xyz", 1);
    reply_bytes(&reply, bytes, sizeof(bytes));
    reply_unavailable(&reply, 2);
    reply_number(&reply, 0);
    reply_number(&reply, 0xdeadbeefcafe1234);
    reply_end(&reply);
    static const char expected[] = "$T05x009fffxxxx0deadbeefcafe1234#";

    assert_int_equal(reply.length, sizeof(expected) - 1 + 2);
    assert_memory_equal(reply.bytes, expected, sizeof(expected) - 1);
    struct packet_reader reader = {.place = 0};
    char events[64];

    describe(&reader, reply.bytes, reply.length, events);
    assert_string_equal(events, "WT05x009fffxxxx0deadbeefcafe1234");
}

static void a_reply_takes_as_much_as_a_packet_holds(void **state)
{
    struct packet_reader reader = {.place = 0};
    enum packet_event event = PACKET_NONE;
    struct reply reply;

    (void)state;
    reply_begin(&reply);
    assert_int_equal(reply_room(&reply), VMR_GDB_PACKET_MAX);
    reply_unavailable(&reply, VMR_GDB_PACKET_MAX / 2);
    assert_int_equal(reply_room(&reply), 0);
    reply_end(&reply);
    assert_int_equal(reply.length, sizeof(reply.bytes));
    for (size_t i = 0; i < reply.length; i++)
        event = packet_take(&reader, (uint8_t)reply.bytes[i]);
    assert_int_equal(event, PACKET_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_events),
        cmocka_unit_test(what_is_too_long_is_told_and_forgotten),
        cmocka_unit_test(replies_are_framed),
        cmocka_unit_test(a_reply_takes_as_much_as_a_packet_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
