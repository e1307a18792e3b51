/* SPDX-License-Identifier: MIT */
/*
 * Lines are deleted, doubled, moved and inserted, numbers in them changed. A
 * change that does not fit is no change.
 */

#include "fuzz/mutators/lines.h"

#include <stdbool.h>
#include <string.h>

#include "fuzz/fuzz.h"

struct text {
    uint8_t *data;
    size_t size, max_size;
    uint64_t random;
};

struct span {
    size_t start, length; /* with the line's end */
};

/* xorshift64: below `count`, or 0. */
static size_t pick(struct text *text, size_t count)
{
    text->random ^= text->random << 13;
    text->random ^= text->random >> 7;
    text->random ^= text->random << 17;
    return count > 0 ? (size_t)(text->random >> 11) % count : 0;
}

static struct span line_at(const struct text *text, size_t place)
{
    size_t start = place, end = place;

    while (start > 0 && text->data[start - 1] != '\n')
        start--;
    while (end < text->size && text->data[end] != '\n')
        end++;
    return (struct span){start, end - start + (end < text->size)};
}

static struct span any_line(struct text *text)
{
    return line_at(text, pick(text, text->size));
}

static void cut(struct text *text, struct span span)
{
    memmove(text->data + span.start, text->data + span.start + span.length, text->size - span.start - span.length);
    text->size -= span.length;
}

static bool insert(struct text *text, size_t place, const void *bytes, size_t length)
{
    if (length > text->max_size - text->size)
        return false;
    memmove(text->data + place + length, text->data + place, text->size - place);
    memcpy(text->data + place, bytes, length);
    text->size += length;
    return true;
}

#define LINE_BYTES 512u

/* A copy of a line, or with `move` the line itself, goes before another one. */
static void copy_line(struct text *text, bool move)
{
    uint8_t line[LINE_BYTES];
    struct span from = any_line(text);

    if (from.length == 0 || from.length > sizeof(line))
        return;
    memcpy(line, text->data + from.start, from.length);
    if (move)
        cut(text, from);
    (void)insert(text, any_line(text).start, line, from.length);
}

static void insert_known(struct text *text, const struct lines_known *known)
{
    if (known->count == 0) {
        copy_line(text, false);
        return;
    }
    const char *line = known->lines[pick(text, known->count)];
    size_t place = any_line(text).start;

    if (insert(text, place, line, strlen(line)) && !insert(text, place + strlen(line), "\n", 1))
        cut(text, (struct span){place, strlen(line)});
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* The first number from a place on becomes another one. */
static void change_number(struct text *text)
{
    static const char *const numbers[] = {"0",         "1",
                                          "2",         "3",
                                          "4",         "8",
                                          "0x20",      "0x3f8",
                                          "0xffff",    "0xfee00000",
                                          "1000000",   "4294967295",
                                          "255",       "0x80",
                                          "65536",     "0x40000000",
                                          "999999999", "18446744073709551615",
                                          "16",        "100000",
                                          "5000000",   "0x7fffffffffffffff"};
    size_t start = pick(text, text->size), end;

    while (start < text->size && !is_digit(text->data[start]))
        start++;
    for (end = start; end < text->size && (is_digit(text->data[end]) || (end > start && text->data[end] == 'x')); end++)
        ;
    if (start == end)
        return;
    if (pick(text, 2) == 0) {
        text->data[end - 1] = (uint8_t)('0' + pick(text, 4));
        return;
    }
    const char *number = numbers[pick(text, sizeof(numbers) / sizeof(numbers[0]))];

    cut(text, (struct span){start, end - start});
    (void)insert(text, start, number, strlen(number));
}

static void change_once(struct text *text, const struct lines_known *known)
{
    switch (pick(text, 8)) {
    case 0:
        cut(text, any_line(text));
        break;
    case 1:
        copy_line(text, true);
        break;
    case 2:
        copy_line(text, false);
        break;
    case 3:
    case 4:
        change_number(text);
        break;
    default:
        insert_known(text, known);
        break;
    }
}

size_t lines_mutate(const struct lines_known *known, uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct text text = {data, size, max_size, seed * UINT64_C(0x9e3779b97f4a7c15) + 1};

    if (pick(&text, 8) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    for (size_t left = 1 + pick(&text, 4); left > 0; left--)
        change_once(&text, known);
    return text.size;
}
