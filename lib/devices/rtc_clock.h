/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The clock of the MC146818A: its fourteen registers and the century, inside the
 * memory of the CMOS. No lock and no line: the caller has both, and brings the
 * time before each access.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vmrig/platform.h"

enum cmos_register {
    CMOS_SECOND = 0x00,
    CMOS_SECOND_ALARM = 0x01,
    CMOS_MINUTE = 0x02,
    CMOS_MINUTE_ALARM = 0x03,
    CMOS_HOUR = 0x04,
    CMOS_HOUR_ALARM = 0x05,
    CMOS_WEEKDAY = 0x06,
    CMOS_DAY = 0x07,
    CMOS_MONTH = 0x08,
    CMOS_YEAR = 0x09,
    CMOS_A = 0x0a,
    CMOS_B = 0x0b,
    CMOS_C = 0x0c,
    CMOS_D = 0x0d,
    CMOS_CENTURY = 0x32,
};

/* How far a guest can put the clock forward by halves of seconds: seventy years. Times behind it still fit. */
#define RTC_SHIFT_NS_MAX (UINT64_C(1) << 61)

struct rtc_clock {
    uint8_t bytes[VMR_CMOS_BYTES]; /* the clock's registers and the CMOS's memory */
    bool started;
    uint64_t phase_ns;  /* the host's time when the clock began */
    uint64_t shift_ns;  /* how much further it is than the host since then */
    uint64_t now_ns;    /* the latest time seen, since the clock began */
    uint64_t set_s;     /* the time shown... */
    uint64_t set_at_s;  /* ...at this second */
    uint64_t checked_s; /* seconds up to here have raised their flags */
    uint64_t checked_periods;
};

/* `clock` is zeroed but for bytes of the CMOS's own. It begins `ahead_ns`, less than a second, into second `epoch_s`.
 */
void rtc_clock_init(struct rtc_clock *clock, uint64_t epoch_s, uint64_t ahead_ns);
/* Whether register `index` changes by itself, or changes what does: the others need no look at the clock. */
bool rtc_clock_has(unsigned index);
/* Time is now `now_ns`, or later if somebody has seen later. */
void rtc_clock_advance(struct rtc_clock *clock, uint64_t now_ns);
uint8_t rtc_clock_read(struct rtc_clock *clock, unsigned index);
void rtc_clock_write(struct rtc_clock *clock, unsigned index, uint8_t value);
/* Whether byte `index` is what it can be beside the others: for what comes from outside. */
bool rtc_clock_can_hold(const uint8_t *bytes, unsigned index);
/* The other members came from outside: `checked_s` and `checked_periods` follow from them. */
void rtc_clock_settle(struct rtc_clock *clock);
/* Whether an enabled interrupt is flagged; puts the answer into register C too. */
bool rtc_clock_irq(struct rtc_clock *clock);
/* When the next enabled interrupt may come, on the host's clock; or VMR_NEVER. */
uint64_t rtc_clock_deadline(const struct rtc_clock *clock);
