/* SPDX-License-Identifier: MIT */
/*
 * The interrupt line: the sink hears every change once, in order, without the
 * device's lock.
 */

#include "lib/devices/irq_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fake_host.h"

struct fixture {
    struct fake_host fake;
    struct sync_mutex lock;
    struct irq_line line;
    char heard[16]; /* '1' and '0' */
    size_t length;
    bool lower_in_sink; /* the sink, as another thread would, lowers the line while it is being told */
};

static struct fixture fixture;

static void hear(void *context, uint32_t gsi, bool level)
{
    struct fixture *f = context;

    assert_int_equal(gsi, 5);
    assert_true(f->length < sizeof(f->heard) - 1);
    f->heard[f->length++] = level ? '1' : '0';
    if (!f->lower_in_sink)
        return;
    f->lower_in_sink = false;
    sync_mutex_lock(&f->lock); /* would hang if the lock were held */
    irq_line_set(&f->line, false);
    irq_line_flush_unlock(&f->line, &f->lock);
}

static int setup(void **state)
{
    (void)state;
    fixture = (struct fixture){0};
    fake_host_init(&fixture.fake, 0);
    irq_line_init(&fixture.line, &(struct vmr_irq_sink){.set = hear, .context = &fixture}, 5);
    return sync_mutex_init(&fixture.lock, &fixture.fake.host) == VMR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sync_mutex_finish(&fixture.lock);
    return 0;
}

/* '1', '0': a level; 'R', 'r': of a state that was set; 'e': an edge; ' ': an access that changes nothing. */
static void play(const char *accesses)
{
    for (const char *c = accesses; *c != '\0'; c++) {
        sync_mutex_lock(&fixture.lock);
        if (*c == 'e')
            irq_line_edge(&fixture.line);
        else if (*c == 'r' || *c == 'R')
            irq_line_restore(&fixture.line, *c == 'R');
        else if (*c != ' ')
            irq_line_set(&fixture.line, *c == '1');
        irq_line_flush_unlock(&fixture.line, &fixture.lock);
    }
}

static void sink_hears_each_change_once(void **state)
{
    static const struct {
        const char *name, *accesses, *heard;
    } cases[] = {
        {"nothing", " ", ""},
        {"low is low already", "0", ""},
        {"up and down", "110  01", "101"},
        {"an edge from low", "e", "1"},
        {"an edge from high has a low before it", "1e", "101"},
        {"an edge leaves the line high", "e1e0", "1010"},
        {"a state tells its level, whatever it was", "R Rrr1", "11001"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)setup(state);
        play(cases[i].accesses);
        print_message("%s\n", cases[i].name);
        assert_string_equal(fixture.heard, cases[i].heard);
        (void)teardown(state);
    }
    (void)setup(state);
}

static void change_during_the_call_is_told_after_it(void **state)
{
    (void)state;
    fixture.lower_in_sink = true;
    play("1");
    assert_string_equal(fixture.heard, "10");
    assert_false(fixture.line.busy);
}

static void line_without_a_sink_is_harmless(void **state)
{
    (void)state;
    fixture.line.sink.set = NULL;
    play("1e0");
    assert_int_equal(fixture.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sink_hears_each_change_once, setup, teardown),
        cmocka_unit_test_setup_teardown(change_during_the_call_is_told_after_it, setup, teardown),
        cmocka_unit_test_setup_teardown(line_without_a_sink_is_harmless, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
