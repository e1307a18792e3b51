/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An input taken apart. Data is taken from the front and choices from the back,
 * so that a mutation of one does not shift the other. Behind the last byte
 * everything is zero: no input is too short.
 */

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static inline struct input input_of(const uint8_t *data, size_t size)
{
    return (struct input){data, size};
}

/* Nothing is left: what comes would be zeroes. */
static inline int input_is_empty(const struct input *input)
{
    return input->left == 0;
}

/* --- data, from the front --- */

void input_bytes(struct input *input, void *ret_bytes, size_t length);
uint8_t input_u8(struct input *input);
uint16_t input_u16(struct input *input);
uint32_t input_u32(struct input *input);
uint64_t input_u64(struct input *input);
/* Any number in one byte or nine: small ones, powers of two and one less are the short ones. */
uint64_t input_number(struct input *input);
/* What is left, for a target that ends with it. */
const uint8_t *input_rest(struct input *input, size_t *ret_length);

/* --- choices, from the back --- */

/* Below `count`, which is 1 to 256. */
unsigned input_choose(struct input *input, unsigned count);
