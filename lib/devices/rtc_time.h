/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Dates and times as the MC146818 keeps them: pure functions between seconds
 * since 1970, calendar fields, and register bytes.
 */

#include <stdbool.h>
#include <stdint.h>

struct rtc_time {
    unsigned second, minute, hour; /* hour 0 to 23 */
    unsigned weekday;              /* 1 is Sunday */
    unsigned day, month, year;     /* from 1, from 1, 1970 to 9999 */
};

void rtc_time_from_seconds(uint64_t seconds, struct rtc_time *ret_time);
/* Fields out of their range carry over; what lies before 1970 is 1970. The weekday is not looked at. */
uint64_t rtc_time_to_seconds(const struct rtc_time *time);

/* What registers B says about the form of numbers. */
struct rtc_form {
    bool binary;
    bool hours_24;
};

uint8_t rtc_encode(unsigned value, struct rtc_form form);
unsigned rtc_decode(uint8_t byte, struct rtc_form form);
uint8_t rtc_encode_hour(unsigned hour, struct rtc_form form);
unsigned rtc_decode_hour(uint8_t byte, struct rtc_form form);

/* A time of day, with fields that match always. */
struct rtc_alarm {
    unsigned second, minute, hour; /* RTC_ANY, or a number; one out of range never matches */
};
#define RTC_ANY 0xffffu

/* Whether the alarm's time comes in (after, until]. Takes a few hundred steps at most. */
bool rtc_alarm_is_between(const struct rtc_alarm *alarm, uint64_t after, uint64_t until);
