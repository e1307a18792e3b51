/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Packets of GDB's remote protocol: `$payload#checksum`, taken from bytes that
 * nobody vouches for, and made (GDB manual, E.1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmrig/limits.h"

enum packet_event {
    PACKET_NONE,      /* more bytes are needed */
    PACKET_WHOLE,     /* payload and length are the packet's, until the next byte */
    PACKET_DAMAGED,   /* the checksum is another */
    PACKET_TOO_LONG,  /* more than VMR_GDB_PACKET_MAX; nothing is kept of it */
    PACKET_AGAIN,     /* the other side did not get what was sent */
    PACKET_INTERRUPT, /* Ctrl-C */
};

/* Zeroed: between packets. */
struct packet_reader {
    uint8_t place; /* enum place of packet.c */
    bool too_long;
    uint8_t sum;  /* of what came */
    uint8_t high; /* the first digit of what it should be */
    size_t length;
    char payload[VMR_GDB_PACKET_MAX]; /* escapes are undone */
};

enum packet_event packet_take(struct packet_reader *reader, uint8_t byte);

/* A packet to be sent. Payloads that do not fit are a mistake of this library, so adding to one asserts. */
struct reply {
    size_t length;
    char bytes[VMR_GDB_PACKET_MAX + 4]; /* with what frames the payload */
};

void reply_begin(struct reply *reply);
/* Only characters that need no escape: none of $ # } *. */
void reply_text(struct reply *reply, const char *text);
void reply_piece(struct reply *reply, const char *text, size_t length);
/* Each byte as two digits. */
void reply_bytes(struct reply *reply, const uint8_t *bytes, size_t length);
/* Two "x" a byte: a value that is not available. */
void reply_unavailable(struct reply *reply, size_t length);
/* In hexadecimal, without leading zeroes. */
void reply_number(struct reply *reply, uint64_t value);
/* What more it can hold, in characters. */
size_t reply_room(const struct reply *reply);
/* Closes the frame: bytes and length are the packet. */
void reply_end(struct reply *reply);
