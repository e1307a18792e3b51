/* SPDX-License-Identifier: MIT */
/*
 * Taking an input apart: see input.h.
 */

#include "fuzz/support/input.h"

#include <string.h>

void input_bytes(struct input *input, void *ret_bytes, size_t length)
{
    size_t there = length < input->left ? length : input->left;

    if (there > 0)
        memcpy(ret_bytes, input->at, there);
    if (length > there)
        memset((uint8_t *)ret_bytes + there, 0, length - there);
    input->at += there;
    input->left -= there;
}

static uint64_t little_endian(struct input *input, unsigned width)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    input_bytes(input, bytes, width);
    for (unsigned i = width; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

uint8_t input_u8(struct input *input)
{
    return (uint8_t)little_endian(input, 1);
}

uint16_t input_u16(struct input *input)
{
    return (uint16_t)little_endian(input, 2);
}

uint32_t input_u32(struct input *input)
{
    return (uint32_t)little_endian(input, 4);
}

uint64_t input_u64(struct input *input)
{
    return little_endian(input, 8);
}

uint64_t input_number(struct input *input)
{
    uint8_t form = input_u8(input);
    unsigned low = form % 64u;

    switch (form / 64u) {
    case 0:
        return low;
    case 1:
        return UINT64_C(1) << low;
    case 2:
        return UINT64_MAX >> low;
    default:
        return input_u64(input);
    }
}

const uint8_t *input_rest(struct input *input, size_t *ret_length)
{
    const uint8_t *rest = input->at;

    *ret_length = input->left;
    input->at += input->left;
    input->left = 0;
    return rest;
}

unsigned input_choose(struct input *input, unsigned count)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return input->at[input->left] % count;
}
