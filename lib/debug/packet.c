/* SPDX-License-Identifier: MIT */
/*
 * The frames. A `$` always begins a packet, since inside of one it would be
 * escaped: so a reader that lost the thread finds it again.
 */

#include "lib/debug/packet.h"

#include <assert.h>
#include <string.h>

#include "lib/base/text.h"

#define INTERRUPT 0x03
#define ESCAPE_BIT 0x20

enum place {
    BETWEEN,
    PAYLOAD,
    ESCAPED, /* the byte before was a } */
    SUM_HIGH,
    SUM_LOW
};

static const char digits[] = "0123456789abcdef";

static void begin(struct packet_reader *reader)
{
    reader->place = PAYLOAD;
    reader->too_long = false;
    reader->sum = 0;
    reader->length = 0;
}

static enum packet_event between(struct packet_reader *reader, uint8_t byte)
{
    if (byte == '$')
        begin(reader);
    return byte == INTERRUPT ? PACKET_INTERRUPT : byte == '-' ? PACKET_AGAIN : PACKET_NONE;
}

static void keep(struct packet_reader *reader, uint8_t byte)
{
    if (reader->length < sizeof(reader->payload))
        reader->payload[reader->length++] = (char)byte;
    else
        reader->too_long = true;
}

static void payload(struct packet_reader *reader, uint8_t byte)
{
    if (byte == '$') {
        begin(reader);
        return;
    }
    if (byte == '#') {
        reader->place = SUM_HIGH;
        return;
    }
    reader->sum = (uint8_t)(reader->sum + byte);
    if (reader->place == ESCAPED) {
        keep(reader, byte ^ ESCAPE_BIT);
        reader->place = PAYLOAD;
    } else if (byte == '}') {
        reader->place = ESCAPED;
    } else {
        keep(reader, byte);
    }
}

static enum packet_event end(struct packet_reader *reader, uint8_t low)
{
    const char digits_of[2] = {(char)reader->high, (char)low};
    uint8_t sum;

    reader->place = BETWEEN;
    if (!text_parse_hex(digits_of, sizeof(digits_of), &sum, 1) || sum != reader->sum)
        return PACKET_DAMAGED;
    return reader->too_long ? PACKET_TOO_LONG : PACKET_WHOLE;
}

enum packet_event packet_take(struct packet_reader *reader, uint8_t byte)
{
    switch ((enum place)reader->place) {
    case BETWEEN:
        return between(reader, byte);
    case PAYLOAD:
    case ESCAPED:
        payload(reader, byte);
        return PACKET_NONE;
    case SUM_HIGH:
        reader->high = byte;
        reader->place = SUM_LOW;
        return PACKET_NONE;
    case SUM_LOW:
        return end(reader, byte);
    }
    return PACKET_NONE;
}

/* --- replies --- */

void reply_begin(struct reply *reply)
{
    reply->bytes[0] = '$';
    reply->length = 1;
}

size_t reply_room(const struct reply *reply)
{
    return VMR_GDB_PACKET_MAX + 1 - reply->length;
}

void reply_piece(struct reply *reply, const char *text, size_t length)
{
    assert(length <= reply_room(reply));
    memcpy(reply->bytes + reply->length, text, length);
    reply->length += length;
}

void reply_text(struct reply *reply, const char *text)
{
    reply_piece(reply, text, strlen(text));
}

void reply_bytes(struct reply *reply, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        reply_piece(reply, (char[2]){digits[bytes[i] >> 4], digits[bytes[i] & 15]}, 2);
}

void reply_unavailable(struct reply *reply, size_t length)
{
    for (size_t i = 0; i < length; i++)
        reply_text(reply, "xx");
}

void reply_number(struct reply *reply, uint64_t value)
{
    char text[16];
    size_t at = sizeof(text);

    do
        text[--at] = digits[value & 15];
    while ((value >>= 4) != 0);
    reply_piece(reply, text + at, sizeof(text) - at);
}

void reply_end(struct reply *reply)
{
    uint8_t sum = 0;

    for (size_t i = 1; i < reply->length; i++)
        sum = (uint8_t)(sum + (uint8_t)reply->bytes[i]);
    memcpy(reply->bytes + reply->length, (char[3]){'#', digits[sum >> 4], digits[sum & 15]}, 3);
    reply->length += 3;
}
