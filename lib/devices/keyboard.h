/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A PS/2 keyboard on which nobody types: it answers commands, so that firmware
 * need not wait for one that is not there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYBOARD_ANSWER_MAX 3u

struct keyboard {
    uint8_t parameter_of; /* the command whose parameter comes next; 0: none */
    uint8_t scan_set;     /* 1 to 3 */
};

void keyboard_init(struct keyboard *keyboard);
/* Whether `parameter_of` and `scan_set` are what they can be: for what comes from outside. */
bool keyboard_is_valid(const struct keyboard *keyboard);
/* A byte from the host; writes the answer and returns its length, at most KEYBOARD_ANSWER_MAX. */
size_t keyboard_write(struct keyboard *keyboard, uint8_t byte, uint8_t *ret_answer);
