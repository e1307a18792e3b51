/* SPDX-License-Identifier: MIT */
/*
 * The keyboard's side of the PS/2 command set (IBM PS/2 hardware interface
 * technical reference, "Keyboard"). Rates and LEDs are taken and forgotten.
 */

#include "lib/devices/keyboard.h"

#define ANSWER_ACK 0xfau
#define ANSWER_RESEND 0xfeu
#define ANSWER_TEST_PASSED 0xaau

#define COMMAND_LEDS 0xedu
#define COMMAND_ECHO 0xeeu
#define COMMAND_SCAN_SET 0xf0u
#define COMMAND_IDENTIFY 0xf2u
#define COMMAND_RATE 0xf3u
#define COMMAND_ENABLE 0xf4u
#define COMMAND_DISABLE 0xf5u
#define COMMAND_DEFAULTS 0xf6u
#define COMMAND_RESET 0xffu

void keyboard_init(struct keyboard *keyboard)
{
    *keyboard = (struct keyboard){.scan_set = 2};
}

static bool takes_parameter(uint8_t command)
{
    return command == COMMAND_LEDS || command == COMMAND_SCAN_SET || command == COMMAND_RATE;
}

bool keyboard_is_valid(const struct keyboard *keyboard)
{
    return keyboard->scan_set >= 1 && keyboard->scan_set <= 3 &&
           (keyboard->parameter_of == 0 || takes_parameter(keyboard->parameter_of));
}

static size_t answer1(uint8_t *ret_answer, uint8_t first)
{
    ret_answer[0] = first;
    return 1;
}

static size_t take_parameter(struct keyboard *keyboard, uint8_t byte, uint8_t *ret_answer)
{
    uint8_t command = keyboard->parameter_of;

    keyboard->parameter_of = 0;
    if (command != COMMAND_SCAN_SET)
        return answer1(ret_answer, ANSWER_ACK);
    if (byte > 3)
        return answer1(ret_answer, ANSWER_RESEND);
    if (byte != 0) {
        keyboard->scan_set = byte;
        return answer1(ret_answer, ANSWER_ACK);
    }
    ret_answer[0] = ANSWER_ACK;
    ret_answer[1] = keyboard->scan_set;
    return 2;
}

size_t keyboard_write(struct keyboard *keyboard, uint8_t byte, uint8_t *ret_answer)
{
    if (keyboard->parameter_of != 0)
        return take_parameter(keyboard, byte, ret_answer);
    switch (byte) {
    case COMMAND_LEDS:
    case COMMAND_SCAN_SET:
    case COMMAND_RATE:
        keyboard->parameter_of = byte;
        return answer1(ret_answer, ANSWER_ACK);
    case COMMAND_ECHO:
        return answer1(ret_answer, COMMAND_ECHO);
    case COMMAND_IDENTIFY:
        ret_answer[0] = ANSWER_ACK;
        ret_answer[1] = 0xab;
        ret_answer[2] = 0x83;
        return 3;
    case COMMAND_ENABLE:
    case COMMAND_DISABLE:
        return answer1(ret_answer, ANSWER_ACK);
    case COMMAND_DEFAULTS:
        keyboard_init(keyboard);
        return answer1(ret_answer, ANSWER_ACK);
    case COMMAND_RESET:
        keyboard_init(keyboard);
        ret_answer[0] = ANSWER_ACK;
        ret_answer[1] = ANSWER_TEST_PASSED;
        return 2;
    default:
        return answer1(ret_answer, ANSWER_RESEND);
    }
}
