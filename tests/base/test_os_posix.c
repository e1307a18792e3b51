/* SPDX-License-Identifier: MIT */
/*
 * The host of an ordinary process: permits are neither lost nor counted twice, deadlines
 * pass, threads run once and are joined, log lines arrive.
 */

#include "vmrig/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static struct vmr_host posix_host(const struct vmr_log *log)
{
    struct vmr_host host;

    vmr_host_posix(&host, log);
    return host;
}

static struct vmr_parker *must_create_parker(const struct vmr_host *host)
{
    struct vmr_parker *parker = NULL;

    assert_int_equal(host->ops->parker_create(host->context, &parker), VMR_OK);
    assert_non_null(parker);
    return parker;
}

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    uint64_t before = host.ops->now_ns(host.context);

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = host.ops->now_ns(host.context);

        assert_true(now >= before);
        before = now;
    }
}

static void a_permit_before_the_park_is_not_lost(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    struct vmr_parker *parker = must_create_parker(&host);

    host.ops->unpark(host.context, parker);
    assert_int_equal(host.ops->park(host.context, parker, VMR_NEVER), VMR_PARK_WOKEN);
    host.ops->parker_destroy(host.context, parker);
}

static void a_permit_beats_a_deadline_that_has_passed(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    struct vmr_parker *parker = must_create_parker(&host);

    host.ops->unpark(host.context, parker);
    assert_int_equal(host.ops->park(host.context, parker, 0), VMR_PARK_WOKEN);
    host.ops->parker_destroy(host.context, parker);
}

static void two_unparks_count_once(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    struct vmr_parker *parker = must_create_parker(&host);

    host.ops->unpark(host.context, parker);
    host.ops->unpark(host.context, parker);
    assert_int_equal(host.ops->park(host.context, parker, VMR_NEVER), VMR_PARK_WOKEN);
    assert_int_equal(host.ops->park(host.context, parker, 0), VMR_PARK_TIMEOUT);
    host.ops->parker_destroy(host.context, parker);
}

static void a_deadline_passes_and_not_early(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    struct vmr_parker *parker = must_create_parker(&host);
    uint64_t deadline = host.ops->now_ns(host.context) + 5 * MS;

    assert_int_equal(host.ops->park(host.context, parker, deadline), VMR_PARK_TIMEOUT);
    assert_true(host.ops->now_ns(host.context) >= deadline);
    host.ops->parker_destroy(host.context, parker);
}

/* --- two threads --- */

struct ping {
    struct vmr_host host;
    struct vmr_parker *here, *there;
    unsigned count; /* handed over with the permits, so not atomic */
};

#define PING_COUNT 500u

static void answer_pings(void *argument)
{
    struct ping *ping = argument;

    for (unsigned i = 0; i < PING_COUNT; i++) {
        (void)ping->host.ops->park(ping->host.context, ping->there, VMR_NEVER);
        ping->count++;
        ping->host.ops->unpark(ping->host.context, ping->here);
    }
}

static void permits_carry_what_was_written_before_them(void **state)
{
    (void)state;
    struct ping ping = {.host = posix_host(NULL)};
    struct vmr_thread *thread = NULL;

    ping.here = must_create_parker(&ping.host);
    ping.there = must_create_parker(&ping.host);
    assert_int_equal(ping.host.ops->thread_start(NULL, "a-name-of-more-than-fifteen", answer_pings, &ping, &thread),
                     VMR_OK);
    for (unsigned i = 0; i < PING_COUNT; i++) {
        assert_int_equal(ping.count, i);
        ping.host.ops->unpark(NULL, ping.there);
        assert_int_equal(ping.host.ops->park(NULL, ping.here, VMR_NEVER), VMR_PARK_WOKEN);
    }
    ping.host.ops->thread_join(NULL, thread);
    assert_int_equal(ping.count, PING_COUNT);
    ping.host.ops->parker_destroy(NULL, ping.here);
    ping.host.ops->parker_destroy(NULL, ping.there);
}

static void add_one(void *argument)
{
    unsigned *count = argument;

    (*count)++;
}

static void a_joined_thread_has_run_once(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);
    unsigned count = 0;

    for (unsigned i = 1; i <= 20; i++) {
        struct vmr_thread *thread = NULL;

        assert_int_equal(host.ops->thread_start(host.context, "", add_one, &count, &thread), VMR_OK);
        host.ops->thread_join(host.context, thread);
        assert_int_equal(count, i);
    }
}

static void destroying_no_parker_is_fine(void **state)
{
    (void)state;
    struct vmr_host host = posix_host(NULL);

    host.ops->parker_destroy(host.context, NULL);
    assert_null(host.ops->schedule); /* threads run freely */
}

/* --- log --- */

struct line {
    enum vmr_log_level level;
    enum vmr_log_culprit culprit;
    char message[32];
};

static void keep_line(void *context, enum vmr_log_level level, enum vmr_log_culprit culprit, const char *message)
{
    struct line *line = context;

    line->level = level;
    line->culprit = culprit;
    strncat(line->message, message, sizeof(line->message) - 1);
}

static void log_lines_reach_the_sink_unchanged(void **state)
{
    (void)state;
    struct line line = {0};
    struct vmr_log log = {keep_line, &line};
    struct vmr_host host = posix_host(&log);

    host.ops->log(host.context, VMR_LOG_WARNING, VMR_CULPRIT_GUEST, "100% odd");
    assert_int_equal(line.level, VMR_LOG_WARNING);
    assert_int_equal(line.culprit, VMR_CULPRIT_GUEST);
    assert_string_equal(line.message, "100% odd");
}

static void without_a_sink_log_lines_vanish(void **state)
{
    (void)state;
    struct vmr_log log = {0};
    struct vmr_host quiet = posix_host(NULL);
    struct vmr_host half = posix_host(&log);

    quiet.ops->log(quiet.context, VMR_LOG_ERROR, VMR_CULPRIT_HOST, "unheard");
    half.ops->log(half.context, VMR_LOG_ERROR, VMR_CULPRIT_HOST, "unheard");
    assert_ptr_equal(half.context, &log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_never_goes_back),
        cmocka_unit_test(a_permit_before_the_park_is_not_lost),
        cmocka_unit_test(a_permit_beats_a_deadline_that_has_passed),
        cmocka_unit_test(two_unparks_count_once),
        cmocka_unit_test(a_deadline_passes_and_not_early),
        cmocka_unit_test(permits_carry_what_was_written_before_them),
        cmocka_unit_test(a_joined_thread_has_run_once),
        cmocka_unit_test(destroying_no_parker_is_fine),
        cmocka_unit_test(log_lines_reach_the_sink_unchanged),
        cmocka_unit_test(without_a_sink_log_lines_vanish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
