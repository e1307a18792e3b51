/* SPDX-License-Identifier: MIT */
/* Complaints: the first few are said, then fewer and fewer, each with its number. */

#include "lib/hv/complain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct log {
    unsigned lines;
    enum vmr_log_culprit culprit;
    char last[256];
};

static void keep(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    struct log *log = context;

    assert_int_equal(level, VMR_LOG_WARNING);
    assert_true(strlen(message) < sizeof(log->last));
    log->lines++;
    log->culprit = culprit;
    strcpy(log->last, message);
}

static void the_first_few_are_said_then_each_doubling(void **state)
{
    (void)state;
    const struct vmr_host_ops ops = {.log = keep};
    struct log log = {0};
    const struct vmr_host host = {&ops, &log};
    struct complaint complaint = {0}, another = {0};
    static const struct {
        unsigned after, lines;
    } rows[] = {{1, 1}, {8, 8}, {15, 8}, {16, 9}, {31, 9}, {32, 10}, {1023, 14}, {1024, 15}};
    unsigned said = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        while (said < rows[i].after)
            complain(&host, &complaint, VMR_CULPRIT_GUEST, "thing %u", ++said);
        assert_int_equal(log.lines, rows[i].lines);
    }
    assert_string_equal(log.last, "thing 1024 (the 1024th time)");
    assert_int_equal(log.culprit, VMR_CULPRIT_GUEST);
    complain(&host, &another, VMR_CULPRIT_HOST, "other");
    assert_string_equal(log.last, "other");
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    const struct vmr_host_ops ops = {.log = keep};
    struct log log = {0};
    const struct vmr_host host = {&ops, &log};
    struct complaint complaint = {15};

    complain(&host, &complaint, VMR_CULPRIT_GUEST, "%0400d", 1);
    assert_int_equal(log.lines, 1);
    assert_true(strlen(log.last) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_few_are_said_then_each_doubling),
        cmocka_unit_test(a_long_line_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
