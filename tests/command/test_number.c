/* SPDX-License-Identifier: MIT */
/*
 * Numbers and sizes as people write them, at the edges of what fits.
 */

#include "tools/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *text;
    bool number, size; /* whether each reads it */
    uint64_t value;
};

static const struct row rows[] = {
    {"0", true, true, 0},
    {"00012", true, true, 12},
    {"18446744073709551615", true, true, UINT64_MAX},
    {"18446744073709551616", false, false, 0},
    {"99999999999999999999", false, false, 0},
    {"64K", false, true, 64 << 10},
    {"64M", false, true, 64 << 20},
    {"1G", false, true, 1 << 30},
    {"3T", false, true, UINT64_C(3) << 40},
    {"16777215T", false, true, UINT64_C(16777215) << 40},
    {"16777216T", false, false, 0},
    {"", false, false, 0},
    {"M", false, false, 0},
    {"-1", false, false, 0},
    {"+1", false, false, 0},
    {" 1", false, false, 0},
    {"1 ", false, false, 0},
    {"0x10", false, false, 0},
    {"1.5G", false, false, 0},
    {"64m", false, false, 0},
    {"64MiB", false, false, 0},
    {"1e3", false, false, 0},
};

static void check(const struct row *row, bool (*parse)(const char *, uint64_t *), bool good)
{
    uint64_t value = 77;

    if (parse(row->text, &value) != good)
        fail_msg("'%s' is %s", row->text, good ? "refused" : "taken");
    if (value != (good ? row->value : 77))
        fail_msg("'%s' gives %llu", row->text, (unsigned long long)value);
}

static void what_fits_is_read_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check(&rows[i], number_parse, rows[i].number);
        check(&rows[i], number_parse_size, rows[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_fits_is_read_and_nothing_else)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
