/* SPDX-License-Identifier: MIT */
/*
 * The clock of the MC146818A (Motorola data sheet). While it runs, the time
 * registers are computed from the host's clock when they are read; while the
 * guest holds it (SET, or the divider in reset) they are bytes. The weekday
 * follows from the date, whatever the guest writes.
 */

#include "lib/devices/rtc_clock.h"

#include "lib/devices/rtc_time.h"

#define A_UIP 0x80u
#define A_DIVIDER 0x70u
#define A_DIVIDER_32K 0x20u
#define A_RATE 0x0fu

#define B_SET 0x80u
#define B_BINARY 0x04u
#define B_24H 0x02u

/* Interrupts have the same bit in B (enable) and C (flag). */
#define INT_PERIODIC 0x40u
#define INT_ALARM 0x20u
#define INT_UPDATE 0x10u
#define INT_MASK 0x70u
#define C_IRQ 0x80u

#define D_VALID 0x80u

#define ALARM_ANY 0xc0u

#define NS_PER_SECOND UINT64_C(1000000000)
#define CRYSTAL_HZ 32768u
/* UIP rises this long before an update, which takes no time here. */
#define UIP_NS 244000u

static struct rtc_form form_of(const struct rtc_clock *clock)
{
    return (struct rtc_form){.binary = (clock->bytes[CMOS_B] & B_BINARY) != 0,
                             .hours_24 = (clock->bytes[CMOS_B] & B_24H) != 0};
}

static bool divider_runs(const struct rtc_clock *clock)
{
    return (clock->bytes[CMOS_A] & A_DIVIDER) == A_DIVIDER_32K;
}

static bool clock_runs(const struct rtc_clock *clock)
{
    return divider_runs(clock) && (clock->bytes[CMOS_B] & B_SET) == 0;
}

static uint64_t seconds_shown(const struct rtc_clock *clock, uint64_t at_s)
{
    return clock->set_s + (at_s - clock->set_at_s);
}

/* --- time registers --- */

static void load_time(struct rtc_clock *clock)
{
    struct rtc_form form = form_of(clock);
    struct rtc_time time;

    if (!clock_runs(clock))
        return;
    rtc_time_from_seconds(seconds_shown(clock, clock->now_ns / NS_PER_SECOND), &time);
    clock->bytes[CMOS_SECOND] = rtc_encode(time.second, form);
    clock->bytes[CMOS_MINUTE] = rtc_encode(time.minute, form);
    clock->bytes[CMOS_HOUR] = rtc_encode_hour(time.hour, form);
    clock->bytes[CMOS_WEEKDAY] = rtc_encode(time.weekday, form);
    clock->bytes[CMOS_DAY] = rtc_encode(time.day, form);
    clock->bytes[CMOS_MONTH] = rtc_encode(time.month, form);
    clock->bytes[CMOS_YEAR] = rtc_encode(time.year % 100, form);
    clock->bytes[CMOS_CENTURY] = rtc_encode(time.year / 100 % 100, form);
}

static void store_time(struct rtc_clock *clock)
{
    struct rtc_form form = form_of(clock);
    const struct rtc_time time = {
        .second = rtc_decode(clock->bytes[CMOS_SECOND], form),
        .minute = rtc_decode(clock->bytes[CMOS_MINUTE], form),
        .hour = rtc_decode_hour(clock->bytes[CMOS_HOUR], form),
        .day = rtc_decode(clock->bytes[CMOS_DAY], form),
        .month = rtc_decode(clock->bytes[CMOS_MONTH], form),
        .year = rtc_decode(clock->bytes[CMOS_CENTURY], form) * 100 + rtc_decode(clock->bytes[CMOS_YEAR], form),
    };

    clock->set_s = rtc_time_to_seconds(&time);
    clock->set_at_s = clock->now_ns / NS_PER_SECOND;
}

static unsigned alarm_field(uint8_t byte, unsigned decoded)
{
    return (byte & ALARM_ANY) == ALARM_ANY ? RTC_ANY : decoded;
}

static struct rtc_alarm alarm_of(const struct rtc_clock *clock)
{
    struct rtc_form form = form_of(clock);
    const uint8_t *bytes = clock->bytes;

    return (struct rtc_alarm){
        .second = alarm_field(bytes[CMOS_SECOND_ALARM], rtc_decode(bytes[CMOS_SECOND_ALARM], form)),
        .minute = alarm_field(bytes[CMOS_MINUTE_ALARM], rtc_decode(bytes[CMOS_MINUTE_ALARM], form)),
        .hour = alarm_field(bytes[CMOS_HOUR_ALARM], rtc_decode_hour(bytes[CMOS_HOUR_ALARM], form)),
    };
}

/* --- flags, the line, and the next deadline --- */

/* In crystal ticks; 0: off (data sheet, table 5, for a 32.768 kHz base). */
static uint64_t period_of(const struct rtc_clock *clock)
{
    unsigned rate = clock->bytes[CMOS_A] & A_RATE;

    if (rate == 0 || !divider_runs(clock))
        return 0;
    return UINT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1);
}

static uint64_t crystal_ticks(uint64_t ns)
{
    return ns / NS_PER_SECOND * CRYSTAL_HZ + ns % NS_PER_SECOND * CRYSTAL_HZ / NS_PER_SECOND;
}

static uint64_t periods_passed(const struct rtc_clock *clock)
{
    uint64_t period = period_of(clock);

    return period == 0 ? 0 : crystal_ticks(clock->now_ns) / period;
}

/* The first nanosecond at which crystal_ticks gives `ticks`. */
static uint64_t crystal_ns(uint64_t ticks)
{
    return ticks / CRYSTAL_HZ * NS_PER_SECOND + (ticks % CRYSTAL_HZ * NS_PER_SECOND + CRYSTAL_HZ - 1) / CRYSTAL_HZ;
}

static void raise_flags(struct rtc_clock *clock)
{
    uint64_t second = clock->now_ns / NS_PER_SECOND;
    uint64_t periods = periods_passed(clock);
    uint8_t *flags = &clock->bytes[CMOS_C];

    if (clock_runs(clock) && second > clock->checked_s) {
        struct rtc_alarm alarm = alarm_of(clock);

        *flags |= INT_UPDATE;
        if (rtc_alarm_is_between(&alarm, seconds_shown(clock, clock->checked_s), seconds_shown(clock, second)))
            *flags |= INT_ALARM;
    }
    clock->checked_s = second;
    if (periods > clock->checked_periods)
        *flags |= INT_PERIODIC;
    clock->checked_periods = periods;
}

bool rtc_clock_irq(struct rtc_clock *clock)
{
    bool high = (clock->bytes[CMOS_B] & clock->bytes[CMOS_C] & INT_MASK) != 0;

    clock->bytes[CMOS_C] = (uint8_t)((clock->bytes[CMOS_C] & INT_MASK) | (high ? C_IRQ : 0));
    return high;
}

uint64_t rtc_clock_deadline(const struct rtc_clock *clock)
{
    uint8_t enabled = clock->bytes[CMOS_B] & INT_MASK;
    uint64_t period = period_of(clock);
    uint64_t next_ns = VMR_NEVER;

    /* A line that is up stays up until the guest reads C: nothing can happen before. */
    if ((clock->bytes[CMOS_C] & C_IRQ) != 0 || !clock->started)
        return VMR_NEVER;
    if ((enabled & INT_PERIODIC) != 0 && period != 0)
        next_ns = crystal_ns((clock->checked_periods + 1) * period);
    if ((enabled & (INT_UPDATE | INT_ALARM)) != 0 && clock_runs(clock)) {
        uint64_t second_ns = (clock->checked_s + 1) * NS_PER_SECOND;

        next_ns = second_ns < next_ns ? second_ns : next_ns;
    }
    if (next_ns == VMR_NEVER)
        return VMR_NEVER;
    uint64_t passed_ns = next_ns - clock->shift_ns;

    /* A phase that came from outside may lie anywhere. */
    return clock->phase_ns > VMR_NEVER - passed_ns ? VMR_NEVER : clock->phase_ns + passed_ns;
}

bool rtc_clock_can_hold(const uint8_t *bytes, unsigned index)
{
    bool irq = (bytes[CMOS_B] & bytes[CMOS_C] & INT_MASK) != 0;

    if (index == CMOS_A)
        return (bytes[CMOS_A] & A_UIP) == 0;
    if (index == CMOS_C)
        return (bytes[CMOS_C] & ~INT_MASK) == (irq ? C_IRQ : 0);
    return index != CMOS_D || bytes[CMOS_D] == D_VALID;
}

void rtc_clock_settle(struct rtc_clock *clock)
{
    clock->checked_s = clock->now_ns / NS_PER_SECOND;
    clock->checked_periods = periods_passed(clock);
}

void rtc_clock_init(struct rtc_clock *clock, uint64_t epoch_s, uint64_t ahead_ns)
{
    clock->bytes[CMOS_A] = A_DIVIDER_32K | 6; /* 1024 Hz, what a BIOS leaves */
    clock->bytes[CMOS_B] = B_24H;
    clock->bytes[CMOS_D] = D_VALID;
    clock->set_s = epoch_s;
    clock->shift_ns = ahead_ns;
    clock->now_ns = ahead_ns;
    rtc_clock_settle(clock);
}

void rtc_clock_advance(struct rtc_clock *clock, uint64_t now_ns)
{
    if (!clock->started) {
        clock->started = true;
        clock->phase_ns = now_ns;
    }

    uint64_t passed = now_ns > clock->phase_ns ? now_ns - clock->phase_ns + clock->shift_ns : 0;

    if (passed > clock->now_ns)
        clock->now_ns = passed;
    raise_flags(clock);
}

/* --- registers --- */

static bool is_time(unsigned index)
{
    return index == CMOS_CENTURY ||
           (index <= CMOS_YEAR && index != CMOS_SECOND_ALARM && index != CMOS_MINUTE_ALARM && index != CMOS_HOUR_ALARM);
}

bool rtc_clock_has(unsigned index)
{
    return index <= CMOS_C || index == CMOS_CENTURY;
}

uint8_t rtc_clock_read(struct rtc_clock *clock, unsigned index)
{
    if (is_time(index))
        load_time(clock);

    uint8_t value = clock->bytes[index];

    if (index == CMOS_C)
        clock->bytes[CMOS_C] = 0;
    if (index == CMOS_A && clock_runs(clock) && clock->now_ns % NS_PER_SECOND >= NS_PER_SECOND - UIP_NS)
        value |= A_UIP;
    return value;
}

/* Registers A and B: what is shown before the change counts on from there after it. */
static void write_control(struct rtc_clock *clock, unsigned index, uint8_t value)
{
    bool clock_ran = clock_runs(clock);
    bool divider_ran = divider_runs(clock);

    load_time(clock);
    if (clock_ran)
        store_time(clock);
    clock->bytes[index] = index == CMOS_A ? value & (uint8_t)~A_UIP : value;
    /* Out of reset, the first update comes after half a second (data sheet, "Divider Control"). */
    if (divider_runs(clock) && !divider_ran && clock->shift_ns <= RTC_SHIFT_NS_MAX - NS_PER_SECOND) {
        uint64_t skip_ns = (3 * NS_PER_SECOND / 2 - clock->now_ns % NS_PER_SECOND) % NS_PER_SECOND;

        clock->shift_ns += skip_ns;
        clock->now_ns += skip_ns;
    }
    /* Bytes that were held are in the form that the guest names now. */
    if (!clock_ran)
        store_time(clock);
    rtc_clock_settle(clock);
}

void rtc_clock_write(struct rtc_clock *clock, unsigned index, uint8_t value)
{
    if (index == CMOS_A || index == CMOS_B) {
        write_control(clock, index, value);
        return;
    }
    if (index == CMOS_C || index == CMOS_D)
        return;
    if (is_time(index))
        load_time(clock);
    clock->bytes[index] = value;
    if (is_time(index))
        store_time(clock);
}
