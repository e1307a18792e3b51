/* SPDX-License-Identifier: MIT */
/*
 * The proleptic Gregorian calendar, counted in eras of 400 years that begin in
 * March, so that the leap day is the last of its year. No table, no time zone.
 */

#include "lib/devices/rtc_time.h"

#define SECONDS_PER_DAY 86400u
#define DAYS_PER_ERA 146097u
#define DAYS_TO_1970 719468u /* from 1 March of year 0 */

void rtc_time_from_seconds(uint64_t seconds, struct rtc_time *ret_time)
{
    uint64_t days = seconds / SECONDS_PER_DAY + DAYS_TO_1970;
    unsigned rest = (unsigned)(seconds % SECONDS_PER_DAY);
    uint64_t era = days / DAYS_PER_ERA;
    unsigned day_of_era = (unsigned)(days % DAYS_PER_ERA);
    unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * day_of_year + 2) / 153; /* 0 is March */
    unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;

    *ret_time = (struct rtc_time){
        .second = rest % 60,
        .minute = rest / 60 % 60,
        .hour = rest / 3600,
        .weekday = (unsigned)((days + 3) % 7) + 1, /* day 0 was a Wednesday */
        .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
        .month = month,
        .year = (unsigned)(era * 400 + year_of_era + (month <= 2 ? 1 : 0)),
    };
}

uint64_t rtc_time_to_seconds(const struct rtc_time *time)
{
    unsigned month = time->month > 0 ? time->month - 1 : 0; /* from 0, carried over into years */
    uint64_t year = (uint64_t)time->year + month / 12;

    month = month % 12;
    if (month < 2)
        year -= year > 0 ? 1 : 0;

    uint64_t shifted_month = month < 2 ? month + 10 : month - 2;
    uint64_t year_of_era = year % 400;
    uint64_t days = year / 400 * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
                    (153 * shifted_month + 2) / 5 + (time->day > 0 ? time->day - 1 : 0);

    if (days < DAYS_TO_1970)
        return 0;
    return (days - DAYS_TO_1970) * SECONDS_PER_DAY + (uint64_t)time->hour * 3600 + (uint64_t)time->minute * 60 +
           time->second;
}

uint8_t rtc_encode(unsigned value, struct rtc_form form)
{
    return (uint8_t)(form.binary ? value : (value / 10 % 10) << 4 | value % 10);
}

unsigned rtc_decode(uint8_t byte, struct rtc_form form)
{
    return form.binary ? byte : (byte >> 4) * 10u + (byte & 0xfu);
}

#define PM 0x80u

uint8_t rtc_encode_hour(unsigned hour, struct rtc_form form)
{
    if (form.hours_24)
        return rtc_encode(hour, form);

    uint8_t byte = rtc_encode(hour % 12 == 0 ? 12 : hour % 12, form);

    return hour >= 12 ? (uint8_t)(byte | PM) : byte;
}

unsigned rtc_decode_hour(uint8_t byte, struct rtc_form form)
{
    if (form.hours_24)
        return rtc_decode(byte, form);
    return rtc_decode(byte & (uint8_t)~PM, form) % 12 + ((byte & PM) != 0 ? 12 : 0);
}

static bool matches(unsigned wanted, unsigned value)
{
    return wanted == RTC_ANY || wanted == value;
}

bool rtc_alarm_is_between(const struct rtc_alarm *alarm, uint64_t after, uint64_t until)
{
    /* Two days hold every time of day whole; the hour and minute are skipped as one step each. */
    uint64_t last = until - after > 2 * SECONDS_PER_DAY ? after + 2 * SECONDS_PER_DAY : until;
    uint64_t now = after + 1;

    while (now <= last) {
        unsigned of_day = (unsigned)(now % SECONDS_PER_DAY);

        if (!matches(alarm->hour, of_day / 3600))
            now += 3600 - of_day % 3600;
        else if (!matches(alarm->minute, of_day / 60 % 60))
            now += 60 - of_day % 60;
        else if (!matches(alarm->second, of_day % 60))
            now++;
        else
            return true;
    }
    return false;
}
